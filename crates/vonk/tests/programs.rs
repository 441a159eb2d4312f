//! The programs of `examples/`: each is run, and says what it should.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

use std::path::PathBuf;
use std::process::Command;

/// Programs, and what is in their output.
const PROGRAMS: &[(&str, &[&str])] = &[
    ("first_query", &["|     AFRICA|      5|", " |-- nations: long (nullable = false)"]),
    ("dataframes", &["|  ALGERIA|Customer#", "== Physical Plan =="]),
    ("exploring", &["|    max|", "quartiles of prices: [", "|          5-LOW|", "|  2|    0.0|   ?|"]),
    ("files", &["|1992|  2256|", "Scan (1) parquet.", "[\"1993-12-31\"]"]),
    ("rust_structs", &["cellar: 1 readings, mean None", "roof: 2 readings, mean Some(20.0)"]),
    ("udf", &["| AL|   98.6|  NULL|", "| UNITED STATES|   US|"]),
    ("aggregates", &["|A           |y = "]),
    ("table_provider", &["|77031|  350|", "[6, 3, 10, 5, 16, 8, 4, 2, 1]"]),
    ("streaming", &["a batch has Some(2) columns", "3000000 rows in all"]),
    ("embedded_server", &["[{\"year\":1992,\"orders\":"]),
    ("cancelling", &["OPERATION_CANCELED (at once)", "[\"2\"]"]),
];

/// The folder of the programs. `cargo test` builds them beside the tests; with `--test` it does not, and they are built here.
fn built(root: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().and_then(|deps| deps.parent()).unwrap().join("examples");
    if PROGRAMS.iter().any(|(name, _)| !folder.join(name).exists()) {
        let mut build = Command::new(env!("CARGO"));
        build.current_dir(root).args(["build", "--quiet", "-p", "vonk", "--examples"]);
        if !cfg!(debug_assertions) {
            build.arg("--release");
        }
        assert!(build.status().expect("cargo runs").success());
    }
    folder
}

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
    let built = built(root);
    for (name, expected) in PROGRAMS {
        let output = Command::new(built.join(name)).current_dir(root).output().expect("the program is built");
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{name}: {err}");
        for text in *expected {
            assert!(out.contains(text), "{name} does not say {text}:\n{out}\n{err}");
        }
    }
}
