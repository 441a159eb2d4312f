//! `schema_of_json`: the type of a JSON text.

use super::options::{Options, options_type};
use super::read::leniency;
use super::tree::{Json, is_blank, is_whole, parse};
use super::{docs, first_only};
use crate::coerce::wider;
use crate::describe::{Docs, ex};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::{Display, ScalarFunction};
use arrow::array::{Array, ArrayRef, AsArray, StringViewArray};
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_types::{DataType, StructField, StructType};

const SCHEMA_OF_JSON: Docs = docs(
    "schema_of_json(json[, options])",
    "The type of a constant JSON text, as DDL.",
    "2.4.0",
    &[
        ex("SELECT schema_of_json('[{\"col\":0}]')", "ARRAY<STRUCT<col: BIGINT>>"),
        ex(
            "SELECT schema_of_json('[{\"col\":01}]', map('allowNumericLeadingZeros', 'true'))",
            "ARRAY<STRUCT<col: BIGINT>>",
        ),
    ],
);

pub(super) fn rows() -> Vec<ScalarFunction> {
    vec![ScalarFunction {
        display: Display::Custom(first_only),
        ..ScalarFunction::new("schema_of_json", SCHEMA_OF_JSON, Arity::between(1, 2), resolve, schema_of_json)
    }]
}

fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    constant_text(site, "json")?;
    let mut types = vec![DataType::String];
    types.extend(options_type(site, 1)?);
    site.returns_value(types, DataType::String)
}

/// Spark's errors unless the first argument is a constant text.
pub(in crate::scalar) fn constant_text(site: &CallSite<'_>, name: &str) -> Result<()> {
    if !matches!(site.arg_type(0), DataType::String | DataType::Null) {
        return Err(site.unexpected_type(0, "\"STRING\""));
    }
    match &site.args[0].literal {
        None => Err(site.not_foldable(0, name, &DataType::String)),
        Some(l) if l.is_null() => {
            Err(Error::new("DATATYPE_MISMATCH.UNEXPECTED_NULL").with("exprName", name).at(site.span))
        }
        Some(_) => Ok(()),
    }
}

fn schema_of_json(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let options = Options::of(call, 1);
    let texts = call.args[0].values().as_string_view();
    let schemas = (0..call.rows).map(|row| {
        let text = texts.value(call.args[0].index(row));
        if is_blank(text) {
            return Ok("STRING".to_string());
        }
        match parse(text, leniency(&options)) {
            Some(json) => Ok(settled(infer(&json, &options, call)).sql()),
            None => Err(super::options::malformed(text)),
        }
    });
    let schemas: Vec<String> = schemas.collect::<Result<_>>()?;
    debug_assert!(texts.null_count() == 0);
    Ok(Arc::new(StringViewArray::from_iter_values(schemas)))
}

/// The type of a value; JSON's null is void.
fn infer(json: &Json<'_>, options: &Options, call: &KernelCall<'_>) -> DataType {
    let as_strings = options.is("primitivesAsString", false);
    match json {
        Json::Null => DataType::Null,
        Json::Bool(_) | Json::Number(_) if as_strings => DataType::String,
        Json::Bool(_) => DataType::Boolean,
        Json::Number(n) => number(n, options.is("prefersDecimal", false)),
        Json::String(s) => {
            let zone = &call.ctx.time_zone;
            let timestamp = options.is("inferTimestamp", false)
                && vonk_types::datetime::parse_timestamp(s, zone).is_some();
            if timestamp { DataType::Timestamp } else { DataType::String }
        }
        Json::Array(items) => {
            let element = items.iter().fold(DataType::Null, |t, i| merge(&t, &infer(i, options, call)));
            DataType::array(element, true)
        }
        Json::Object(fields) => {
            let mut fields: Vec<StructField> = fields
                .iter()
                .map(|(n, v)| StructField::new(n.as_ref(), infer(v, options, call), true))
                .collect();
            fields.sort_by(|a, b| a.name.cmp(&b.name));
            DataType::Struct(StructType::new(fields))
        }
    }
}

fn number(n: &str, prefers_decimal: bool) -> DataType {
    if is_whole(n) {
        if n.parse::<i64>().is_ok() {
            return DataType::Long;
        }
        let digits = n.trim_start_matches('-').trim_start_matches('0').len();
        return if digits <= 38 { DataType::Decimal(digits as u8, 0) } else { DataType::Double };
    }
    if !prefers_decimal || n.contains(['e', 'E']) {
        return DataType::Double;
    }
    let digits = n.trim_start_matches('-');
    let scale = digits.split_once('.').map_or(0, |(_, f)| f.len());
    let precision = digits.replace('.', "").trim_start_matches('0').len().max(scale);
    if precision <= 38 { DataType::Decimal(precision as u8, scale as i8) } else { DataType::Double }
}

/// The type of values of both types; a string if they have nothing in common.
fn merge(a: &DataType, b: &DataType) -> DataType {
    match (a, b) {
        (DataType::Struct(x), DataType::Struct(y)) => {
            let mut fields: Vec<StructField> = x.fields.to_vec();
            for g in y.fields.iter() {
                match fields.iter_mut().find(|f| f.name == g.name) {
                    Some(f) => f.data_type = merge(&f.data_type, &g.data_type),
                    None => fields.push(g.clone()),
                }
            }
            fields.sort_by(|a, b| a.name.cmp(&b.name));
            DataType::Struct(StructType::new(fields))
        }
        (DataType::Array(x, _), DataType::Array(y, _)) => DataType::array(merge(x, y), true),
        (DataType::Null, t) | (t, DataType::Null) => t.clone(),
        (DataType::Long, DataType::Double) | (DataType::Double, DataType::Long) => DataType::Double,
        (DataType::Timestamp, DataType::String) | (DataType::String, DataType::Timestamp) => DataType::String,
        (a, b) if a.is_nested() || b.is_nested() || (a.is_numeric() != b.is_numeric()) => {
            if a == b {
                a.clone()
            } else {
                DataType::String
            }
        }
        (a, b) => wider(a, b, true).unwrap_or(DataType::String),
    }
}

/// What is still void becomes a string.
fn settled(t: DataType) -> DataType {
    match t {
        DataType::Null => DataType::String,
        DataType::Array(e, null) => DataType::array(settled(e.as_ref().clone()), null),
        DataType::Struct(s) => {
            // Structs without fields are dropped from structs.
            let keep = |f: &&StructField| !matches!(&f.data_type, DataType::Struct(s) if s.fields.is_empty());
            let fields = s
                .fields
                .iter()
                .filter(keep)
                .map(|f| StructField::new(f.name.clone(), settled(f.data_type.clone()), true));
            DataType::Struct(StructType::new(fields.collect::<Vec<_>>()))
        }
        t => t,
    }
}

#[cfg(test)]
mod tests {
    use crate::scalar::array::testing::*;

    // Asked of Spark.
    #[test]
    fn schemas() {
        for (json, expected) in [
            (
                r#"{"a":1,"b":"x","c":1.5,"d":[1,2.5],"e":{"f":null},"g":true,"h":[],"i":12345678901}"#,
                "STRUCT<a: BIGINT, b: STRING, c: DOUBLE, d: ARRAY<DOUBLE>, e: STRUCT<f: STRING>, g: BOOLEAN, \
                 h: ARRAY<STRING>, i: BIGINT>",
            ),
            (r#"[1,"a"]"#, "ARRAY<STRING>"),
            (r#"[{"a":1},{"b":"x"}]"#, "ARRAY<STRUCT<a: BIGINT, b: STRING>>"),
            ("null", "STRING"),
            ("", "STRING"),
            ("12345678901234567890", "DECIMAL(20,0)"),
            ("{}", "STRUCT<>"),
            (r#"{"a":{}}"#, "STRUCT<>"),
            (r#"{"a":[{"b":1},{"c":"x"}]}"#, "STRUCT<a: ARRAY<STRUCT<b: BIGINT, c: STRING>>>"),
            (r#"{"a b":1}"#, "STRUCT<`a b`: BIGINT>"),
            ("[1,[2]]", "ARRAY<STRING>"),
            (r#"{"b":1,"a":2}"#, "STRUCT<a: BIGINT, b: BIGINT>"),
        ] {
            assert_eq!(run("schema_of_json", &[string_column(&[Some(json)])]).unwrap(), [expected], "{json}");
        }
    }
}
