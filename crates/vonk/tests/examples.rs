//! The examples of all functions: each is a statement and the rows that Spark answers.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

use vonk::Session;
use vonk_functions::Registry;

/// Equal, or numbers that differ only in their last digits: those of statistical aggregates depend on how many partitions Spark
/// happened to read the rows in.
fn same(ours: &str, theirs: &str) -> bool {
    let close = |a: &str, b: &str| match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(x), Ok(y)) => a.contains('.') && (x - y).abs() <= 1e-13 * y.abs(),
        _ => false,
    };
    let (ours, theirs): (Vec<_>, Vec<_>) = (ours.lines().collect(), theirs.lines().collect());
    ours.len() == theirs.len() && ours.iter().zip(&theirs).all(|(a, b)| a == b || close(a, b))
}

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
            match session.run(example.sql).and_then(|mut a| a.rows_as_text()) {
                Ok(rows) if same(&rows.join("\n"), example.rows) => {}
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
