//! Reads statements, one a line, and prints for each the condition it is refused with, or `ok`.

use std::io::BufRead;

fn main() -> std::io::Result<()> {
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        match vonk_sql::parse_statement(&line, &vonk_sql::ParseOptions::default()) {
            Ok(vonk_plan::unresolved::Statement::Unsupported { what, .. }) => println!("unsupported {what}"),
            Ok(_) => println!("ok"),
            Err(e) => {
                let params: Vec<String> = e.params().map(|(k, v)| format!("{k}={v}")).collect();
                println!("{} {}", e.condition(), params.join(" "));
            }
        }
    }
    Ok(())
}
