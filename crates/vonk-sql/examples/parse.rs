//! Prints what a statement on standard input is parsed to.

use std::io::Read;

fn main() -> std::io::Result<()> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    match vonk_sql::parse_statement(&text, &vonk_sql::ParseOptions::default()) {
        Ok(statement) => println!("{statement:#?}"),
        Err(e) => println!("{}", e.in_text(&text)),
    }
    Ok(())
}
