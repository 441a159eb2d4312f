//! `vonk::functions`: the part that is generated is what the registry of functions says, and every function is there.
//!
//! After a change of functions: `VONK_GENERATE=1 cargo test -p vonk --test functions`, and read the difference.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use vonk_functions::{Function, Registry};

const GENERATED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/functions/generated.rs");

/// Written out in `functions/mod.rs` and `functions/lambdas.rs`, because their arguments are more than columns.
const BY_HAND: &[&str] = &[
    "aggregate",
    "count",
    "exists",
    "filter",
    "forall",
    "map_filter",
    "map_zip_with",
    "rand",
    "randn",
    "random",
    "reduce",
    "transform",
    "transform_keys",
    "transform_values",
    "when",
    "window",
    "zip_with",
];

/// Methods and operators of a `Column`.
const OF_COLUMN: &[&str] = &["and", "between", "case", "in", "not", "or"];

/// Parameters that are texts which say how something is done, not columns.
const VALUES: &[&str] = &[
    "charset",
    "delim",
    "delimiter",
    "fmt",
    "format",
    "from",
    "key_value_delim",
    "lang",
    "message",
    "options",
    "pad",
    "pair_delim",
    "path",
    "pattern",
    "regex",
    "regexp",
    "rep",
    "schema",
    "sep",
    "source_tz",
    "strfmt",
    "target_tz",
    "timezone",
    "to",
    "unit",
];

const KEYWORDS: &[&str] = &["if", "mod", "struct", "typeof"];

struct Parameters {
    names: Vec<String>,
    /// Some may be left out, or there may be more.
    open: bool,
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            if !out.is_empty() && !out.ends_with('_') {
                out.push('_');
            }
            out.push(c.to_ascii_lowercase());
        } else {
            out.push(c);
        }
    }
    out
}

fn identifier(name: &str) -> String {
    if KEYWORDS.contains(&name) { format!("{name}_") } else { name.to_string() }
}

/// The parameters that a usage like `substring(str, pos[, len])` shows.
fn parameters(function: &Function) -> Parameters {
    let (usage, arity) = (function.docs().usage, function.arity());
    let name_end = usage.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(usage.len());
    let call = usage[name_end..].strip_prefix('(').and_then(|rest| rest.split_once(')'));
    let written =
        call.map(|(inner, _)| inner).filter(|inner| inner.split(',').all(|p| !p.trim().contains(' ')));
    let by_count = |n: usize| (1..=n).map(|i| format!("expr{i}")).collect();
    match written {
        Some(inner) if arity.min == arity.max || !inner.contains(['[', '.']) => {
            let names: Vec<String> = inner
                .split(',')
                .map(|p| snake(p.trim().trim_matches(['[', ']'])))
                .filter(|p| !p.is_empty() && *p != "...")
                .collect();
            // A usage that names all parameters there can be is how the function is called, whatever else it takes.
            let all = names.len() == arity.max;
            let open = arity.min != arity.max && !all && !names.is_empty();
            let names = if all || names.len() == arity.min { names } else { by_count(arity.min) };
            Parameters { names, open }
        }
        _ => Parameters { names: by_count(arity.min), open: arity.min != arity.max },
    }
}

fn function(name: &str, f: &Function, out: &mut String) {
    let docs = f.docs();
    let p = parameters(f);
    let summary =
        docs.summary.trim_end_matches('.').replace('[', "\\[").replace(']', "\\]").replace('<', "\\<");
    writeln!(out, "/// {summary}.\n///\n/// In SQL: `{}`. Since Spark {}.", docs.usage, docs.since).unwrap();
    let rust = identifier(name);
    if p.open {
        writeln!(out, "#[track_caller]\npub fn {rust}(args: impl IntoColumns) -> Column {{").unwrap();
        writeln!(out, "    Column::call(\"{name}\", args.into_columns())\n}}\n").unwrap();
        return;
    }
    let named: Vec<(String, bool)> =
        p.names.iter().map(|n| (identifier(n), VALUES.contains(&n.as_str()))).collect();
    let types =
        named.iter().map(|(n, v)| format!("{n}: impl {}", if *v { "IntoOperand" } else { "IntoColumn" }));
    let values =
        named.iter().map(|(n, v)| format!("{n}.{}()", if *v { "into_operand" } else { "into_column" }));
    let (types, values) = (types.collect::<Vec<_>>().join(", "), values.collect::<Vec<_>>().join(", "));
    writeln!(out, "#[track_caller]\npub fn {rust}({types}) -> Column {{").unwrap();
    writeln!(out, "    Column::call(\"{name}\", vec![{values}])\n}}\n").unwrap();
}

fn is_word(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !name.starts_with('_')
}

fn generated() -> String {
    let mut out = String::from(
        "//! The functions of the registry that take columns and nothing else. Generated from it by `tests/functions.rs`, which keeps it so.\n\n\
         use crate::dataframe::{Column, IntoColumn, IntoColumns, IntoOperand};\n\n",
    );
    for (name, f) in Registry::builtin().iter() {
        if is_word(name) && !BY_HAND.contains(&name) && !OF_COLUMN.contains(&name) {
            function(name, f, &mut out);
        }
    }
    formatted(&out)
}

/// As `cargo fmt` would have it.
fn formatted(text: &str) -> String {
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rustfmt.toml"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("rustfmt comes with Rust");
    use std::io::Write;
    rustfmt.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = rustfmt.wait_with_output().unwrap();
    assert!(output.status.success(), "rustfmt refuses what is generated");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn generated_functions_are_those_of_the_registry() {
    let wanted = generated();
    if std::env::var_os("VONK_GENERATE").is_some() {
        std::fs::write(GENERATED, &wanted).unwrap();
        return;
    }
    let found = std::fs::read_to_string(GENERATED).unwrap();
    let first = wanted.lines().zip(found.lines()).find(|(a, b)| a != b);
    assert!(wanted == found, "src/functions/generated.rs is out of date; first difference: {first:?}");
}

#[test]
fn every_function_has_its_call() {
    let mut sources = String::new();
    for file in ["generated.rs", "mod.rs", "lambdas.rs"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/functions").join(file);
        sources += &std::fs::read_to_string(path).unwrap();
    }
    let mut missing = BTreeMap::new();
    for (name, f) in Registry::builtin().iter() {
        let present = sources.contains(&format!("pub fn {}(", identifier(name)))
            || sources.contains(&format!("pub fn {}<", identifier(name)));
        if is_word(name) && !present && !OF_COLUMN.contains(&name) {
            missing.insert(name, f.docs().usage);
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}
