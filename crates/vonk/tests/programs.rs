//! The programs of `examples/`: each is run, and says what it should.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

use std::process::Command;

/// Programs, and what is in their output.
const PROGRAMS: &[(&str, &[&str])] = &[
    ("first_query", &["|     AFRICA|      5|", " |-- nations: long (nullable = false)"]),
    ("dataframes", &["|  ALGERIA|Customer#", "== Physical Plan =="]),
    ("exploring", &["|    max|", "quartiles of prices: [", "| 5-LOW", "|  2|    0.0|   ?|"]),
    ("files", &["|1992|", "year=", "[\"1993-12-31\"]"]),
    ("rust_structs", &["cellar: 1 readings, mean None", "roof: 2 readings, mean Some(20.0)"]),
    ("udf", &["| AL|   98.6|  NULL|", "|UNITED STATES|   US|"]),
    ("aggregates", &["|A           |y = "]),
    ("table_provider", &["|77031|  350|", "[6, 3, 10, 5, 16, 8, 4, 2, 1]"]),
    ("streaming", &["a batch has Some(2) columns", "3000000 rows in all"]),
    ("embedded_server", &["[{\"year\":1992,\"orders\":"]),
    ("cancelling", &["OPERATION_CANCELED (at once)", "[\"2\"]"]),
];

#[test]
fn every_program_runs() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let mut files: Vec<String> = std::fs::read_dir(format!("{root}/examples"))
        .unwrap()
        .map(|f| f.unwrap().file_name().to_string_lossy().trim_end_matches(".rs").to_string())
        .collect();
    files.sort();
    let mut known: Vec<&str> = PROGRAMS.iter().map(|(name, _)| *name).collect();
    known.sort_unstable();
    assert_eq!(files, known, "a program that is not run, or one that is not there");
    let release = if cfg!(debug_assertions) { None } else { Some("--release") };
    for (name, expected) in PROGRAMS {
        let output = Command::new(env!("CARGO"))
            .current_dir(root)
            .args(["run", "--quiet", "-p", "vonk", "--example", name])
            .args(release)
            .output()
            .expect("cargo runs");
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{name}: {err}");
        for text in *expected {
            assert!(out.contains(text), "{name} does not say {text}:\n{out}\n{err}");
        }
    }
}
