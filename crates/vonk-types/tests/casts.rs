//! Casts of every type to every type against Spark's answers in `casts.tsv` (made by `sql-tests/casts.py`).

#![allow(clippy::unwrap_used)] // tests

use arrow::array::{Array, ArrayRef, AsArray, BinaryViewArray, NullArray, StringViewArray};
use std::collections::HashMap;
use std::sync::Arc;
use vonk_error::Error;
use vonk_types::cast::{can_cast, cast_array};
use vonk_types::context::SessionZone;
use vonk_types::parse::parse_data_type;
use vonk_types::text::hive_text;
use vonk_types::{CastMode, DataType, EvalContext};

fn context(ansi: bool) -> EvalContext {
    let time_zone = SessionZone::parse("America/Los_Angeles").unwrap();
    EvalContext { ansi, time_zone, ..EvalContext::default() }
}

fn source(text: &str, t: &DataType) -> Result<ArrayRef, Error> {
    match t {
        DataType::Null => Ok(Arc::new(NullArray::new(1))),
        DataType::Binary => {
            let bytes: Vec<u8> = (0..text.len() / 2)
                .map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
                .collect();
            Ok(Arc::new(BinaryViewArray::from(vec![bytes.as_slice()])))
        }
        t => {
            let strings: ArrayRef = Arc::new(StringViewArray::from(vec![text]));
            cast_array(&strings, &DataType::String, t, CastMode::Ansi, &context(true))
        }
    }
}

/// The answer in the file's form.
fn answer(value: &str, from: &DataType, to: &DataType, mode: CastMode) -> String {
    let ctx = context(mode != CastMode::Legacy);
    let cell = || -> Result<String, Error> {
        let array = cast_array(&source(value, from)?, from, to, mode, &ctx)?;
        assert_eq!(array.data_type(), &to.to_arrow(), "{value:?} {from} {to}");
        if *to == DataType::Binary && array.null_count() == 0 {
            return Ok(array.as_binary_view().value(0).iter().map(|b| format!("{b:02X}")).collect());
        }
        hive_text(array.as_ref(), 0, to, &ctx)
    };
    match cell() {
        Ok(text) => text,
        Err(e) => {
            let mut params: Vec<String> = e
                .params()
                .filter(|(k, _)| !["ansiConfig", "config"].contains(k))
                .map(|(k, v)| format!("{k}={v}"))
                .collect();
            params.sort();
            params.insert(0, format!("!{}", e.condition()));
            params.join("|")
        }
    }
}

/// Values whose answer differs by intent: where Spark fails with a bare Java exception (mostly because it cannot print the
/// result), and words that its optimizer replaces in constants.
fn known(value: &str, expected: &str) -> bool {
    expected == "!None" || value == "epoch"
}

#[test]
fn casts_are_sparks() {
    let file = include_str!("casts.tsv");
    let mut wrong = Vec::new();
    let mut checked = 0;
    let mut tries: HashMap<(&str, &str), Vec<(&str, &str)>> = HashMap::new();
    let mut ansi = Vec::new();
    for line in file.lines() {
        let mut cells = line.split('\t');
        let (Some(mode), Some(from), Some(to)) = (cells.next(), cells.next(), cells.next()) else {
            panic!("{line}")
        };
        let values: Vec<(&str, &str)> = cells.map(|c| c.split_once("=>").unwrap_or(("", "-"))).collect();
        match mode {
            "try" => drop(tries.insert((from, to), values)),
            mode => {
                if mode == "ansi" {
                    ansi.push((from, to, values.clone()));
                }
                check(mode, (from, to), &values, &mut wrong, &mut checked);
            }
        }
    }
    // What is not recorded of try_cast follows from the ANSI answer.
    for (from, to, values) in ansi {
        let values = tries.remove(&(from, to)).unwrap_or_else(|| {
            values.iter().map(|(v, a)| (*v, if a.starts_with('!') { "NULL" } else { *a })).collect()
        });
        check("try", (from, to), &values, &mut wrong, &mut checked);
    }
    assert!(checked > 3000);
    assert!(wrong.is_empty(), "{} of {checked} casts differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn check(
    mode: &str,
    types: (&str, &str),
    values: &[(&str, &str)],
    wrong: &mut Vec<String>,
    checked: &mut usize,
) {
    let (from, to) = (parse_data_type(types.0).unwrap(), parse_data_type(types.1).unwrap());
    let cast_mode = match mode {
        "ansi" => CastMode::Ansi,
        "try" => CastMode::Try,
        _ => CastMode::Legacy,
    };
    let possible = values != [("", "-")];
    if can_cast(&from, &to, cast_mode) != possible {
        wrong.push(format!("{mode} {from} -> {to} is {}possible", if possible { "" } else { "not " }));
        return;
    }
    if !possible {
        return;
    }
    for (value, expected) in values {
        *checked += 1;
        let got = answer(value, &from, &to, cast_mode);
        if got != *expected && !known(value, expected) {
            wrong.push(format!("{mode} {from} {value:?} -> {to}: {got} instead of {expected}"));
        }
    }
}
