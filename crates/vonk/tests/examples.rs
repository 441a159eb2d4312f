//! The examples of all functions: each is a statement and the rows that Spark answers.

use vonk::Session;
use vonk_functions::Registry;

#[test]
fn examples_are_true() {
    let session = Session::builder()
        .config("spark.master", "local[1]")
        .config("spark.sql.session.timeZone", "America/Los_Angeles")
        .build()
        .expect("a session");
    let (mut run, mut failures) = (0, Vec::new());
    for (name, function) in Registry::builtin().iter().filter(|(name, f)| *name == f.name()) {
        for example in function.docs().examples {
            run += 1;
            match session.sql(example.sql).and_then(|mut a| a.rows_as_text()) {
                Ok(rows) if rows.join("\n") == example.rows => {}
                Ok(rows) => failures.push(format!(
                    "{name}: {}\n    Spark {:?}\n    Vonk  {:?}",
                    example.sql,
                    example.rows,
                    rows.join("\n")
                )),
                Err(e) => failures.push(format!("{name}: {}\n    {e}", example.sql)),
            }
        }
    }
    println!("{run} examples, {} differ", failures.len());
    for f in &failures {
        println!("  {f}");
    }
    assert!(failures.is_empty(), "{} of {run} examples differ", failures.len());
}
