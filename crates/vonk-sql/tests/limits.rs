//! Deep, long and broken texts: an answer or an error, in time, and never a panic.

use std::time::Instant;
use vonk_plan::unresolved::{Expr, ExprKind};
use vonk_sql::{ParseOptions, is_complete, parse_expression, parse_statement, split_statements};

fn condition(sql: &str) -> String {
    match parse_statement(sql, &ParseOptions::default()) {
        Ok(_) => "ok".to_string(),
        Err(e) => e.condition().to_string(),
    }
}

#[test]
fn too_deep_is_an_error() {
    for n in [10_000, 100_000] {
        for (open, close) in
            [("(", ")"), ("f(", ")"), ("NOT ", ""), ("- ", ""), ("a[", "]"), ("CASE WHEN ", " THEN 1 END")]
        {
            let sql = format!("SELECT {}1{}", open.repeat(n), close.repeat(n));
            assert_eq!(condition(&sql), "_STATEMENT_TOO_COMPLEX", "{n} times {open}");
        }
        let sql = format!("{}SELECT 1{}", "(".repeat(n), ")".repeat(n));
        assert_eq!(condition(&sql), "_STATEMENT_TOO_COMPLEX");
        let sql = format!("SELECT * FROM {}t{}", "(".repeat(n), ")".repeat(n));
        assert_eq!(condition(&sql), "_STATEMENT_TOO_COMPLEX");
        let sql = format!("SELECT CAST(a AS {}int{})", "array<".repeat(n), ">".repeat(n));
        assert_eq!(condition(&sql), "_STATEMENT_TOO_COMPLEX");
        assert_eq!(condition(&format!("SELECT a{}", "[0]".repeat(n))), "_STATEMENT_TOO_COMPLEX");
        assert_eq!(condition(&format!("SELECT a{}", "::int".repeat(n))), "_STATEMENT_TOO_COMPLEX");
    }
}

#[test]
fn nesting_within_the_limit_works() {
    let n = 120;
    assert_eq!(condition(&format!("SELECT {}1{}", "(".repeat(n), ")".repeat(n))), "ok");
    assert_eq!(condition(&format!("SELECT {}1{}", "(SELECT ".repeat(n), ")".repeat(n))), "ok");
    assert_eq!(condition(&format!("SELECT * FROM {}t{}", "(SELECT * FROM ".repeat(n), ")".repeat(n))), "ok");
    assert_eq!(condition(&format!("SELECT {}1{}", "f(".repeat(n), ")".repeat(n))), "ok");
}

fn depth(e: &Expr) -> usize {
    match &e.kind {
        ExprKind::Binary { left, right, .. } => 1 + depth(left).max(depth(right)),
        _ => 1,
    }
}

#[test]
fn long_chains_work() {
    let n = 10_000;
    for op in [" AND ", " OR "] {
        let e = parse_expression(&vec!["a"; n].join(op), &ParseOptions::default()).unwrap();
        assert!(depth(&e) < 20, "{op} is {} deep", depth(&e));
    }
    for op in [" + ", " || ", " * ", " = "] {
        assert_eq!(condition(&format!("SELECT {}", vec!["a"; n].join(op))), "ok", "{op}");
    }
    assert_eq!(condition(&vec!["SELECT 1"; n].join(" UNION ALL ")), "ok");
    assert_eq!(condition(&format!("SELECT * FROM {}", vec!["t"; n].join(", "))), "ok");
    assert_eq!(condition(&format!("SELECT {}", vec!["a"; 1_000_000].join(" + "))), "_STATEMENT_TOO_COMPLEX");
}

#[test]
fn ten_megabytes_in_seconds() {
    let row = "(1, 'abc', 2.5, NULL, DATE '2020-01-01', -7),\n";
    let mut sql = String::from("INSERT INTO t VALUES\n");
    while sql.len() < 10_000_000 {
        sql.push_str(row);
    }
    sql.push_str("(1)");
    let start = Instant::now();
    assert_eq!(condition(&sql), "ok");
    // Builds without optimisation are an order of magnitude slower than what users run.
    assert!(start.elapsed().as_secs() < 60, "took {:?}", start.elapsed());
    for text in [
        "'".repeat(3_000_000),
        "(".repeat(3_000_000),
        "`\\'".repeat(1_000_000),
        "$".repeat(3_000_000),
        "/*".repeat(1_000_000),
        "._".repeat(300_000),
    ] {
        let start = Instant::now();
        let _ = condition(&text);
        let _ = (split_statements(&text), is_complete(&text));
        assert!(start.elapsed().as_secs() < 30, "{} took {:?}", &text[..6], start.elapsed());
    }
}

/// Statements cut short, with words left out, doubled and swapped: never a panic.
#[test]
fn broken_statements_never_panic() {
    let mut seed = 42u64;
    let mut random = move |n: usize| {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (seed >> 33) as usize % n.max(1)
    };
    let statements: Vec<&str> =
        include_str!("verdicts.tsv").lines().filter_map(|l| l.splitn(4, '\t').nth(3)).collect();
    for sql in &statements {
        for (i, _) in sql.char_indices() {
            let _ = condition(&sql[..i]);
            let _ = condition(&sql[i..]);
        }
        let words: Vec<&str> = sql.split_inclusive([' ', '(', ')', ',']).collect();
        for _ in 0..30 {
            let mut changed = words.clone();
            for _ in 0..1 + random(3) {
                let (i, j) = (random(changed.len()), random(changed.len()));
                match random(4) {
                    0 => changed.swap(i, j),
                    1 => changed.insert(i, words[random(words.len())]),
                    2 => {
                        let other: Vec<&str> = statements[random(statements.len())].split(' ').collect();
                        changed.insert(i, other[random(other.len())]);
                    }
                    _ if changed.len() > 1 => {
                        changed.remove(i);
                    }
                    _ => {}
                }
            }
            let _ = condition(&changed.concat());
        }
    }
}
