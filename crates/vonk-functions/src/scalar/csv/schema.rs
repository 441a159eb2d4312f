//! `schema_of_csv`: the types of a line's values.

use super::line::Form;
use super::{docs, first_only};
use crate::describe::{Docs, ex};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::json::constant_text;
use crate::scalar::json::options::{Options, options_type};
use crate::scalar::{Display, ScalarFunction};
use arrow::array::{ArrayRef, AsArray, StringViewArray};
use std::sync::Arc;
use vonk_error::Result;
use vonk_types::datetime::{parse_date, parse_timestamp};
use vonk_types::{DataType, EvalContext, StructField, StructType};

const SCHEMA_OF_CSV: Docs = docs(
    "schema_of_csv(csv[, options])",
    "The type of a constant line of CSV, as DDL.",
    "3.0.0",
    &[ex("SELECT schema_of_csv('1,abc')", "STRUCT<_c0: INT, _c1: STRING>")],
);

pub(super) fn rows() -> Vec<ScalarFunction> {
    vec![ScalarFunction {
        display: Display::Custom(first_only),
        ..ScalarFunction::new("schema_of_csv", SCHEMA_OF_CSV, Arity::between(1, 2), resolve, schema_of_csv)
    }]
}

fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    constant_text(site, "csv")?;
    let mut types = vec![DataType::String];
    types.extend(options_type(site, 1)?);
    site.returns_value(types, DataType::String)
}

fn schema_of_csv(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let form = Form::new(&Options::of(call, 1), false);
    let texts = call.args[0].values().as_string_view();
    let schema = |row: usize| {
        let values = form.split(texts.value(call.args[0].index(row)));
        let field = |(i, v): (usize, Option<String>)| {
            StructField::new(format!("_c{i}"), v.map_or(DataType::String, |v| infer(&v, call.ctx)), true)
        };
        let fields: Vec<StructField> = values.into_iter().enumerate().map(field).collect();
        DataType::Struct(StructType::new(fields)).sql()
    };
    Ok(Arc::new(StringViewArray::from_iter_values((0..call.rows).map(schema))))
}

/// The narrowest type that a text fits.
fn infer(text: &str, ctx: &EvalContext) -> DataType {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        let significant = digits.trim_start_matches('0').len().max(1);
        return match text.parse::<i64>() {
            Ok(n) if i32::try_from(n).is_ok() => DataType::Int,
            Ok(_) => DataType::Long,
            Err(_) if significant <= 38 => DataType::Decimal(significant as u8, 0),
            Err(_) => DataType::Double,
        };
    }
    if matches!(text, "NaN" | "Inf" | "-Inf") || vonk_types::number::parse_f64(text).is_some() {
        DataType::Double
    } else if text.len() == 10 && parse_date(text).is_some() {
        DataType::Date
    } else if text.len() > 4 && parse_timestamp(text, &ctx.time_zone).is_some() {
        DataType::Timestamp
    } else if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") {
        DataType::Boolean
    } else {
        DataType::String
    }
}

#[cfg(test)]
mod tests {
    use crate::scalar::array::testing::*;

    // Asked of Spark.
    #[test]
    fn schemas() {
        let line = "1,1.5,x,,true,2020-01-01,2020-01-01 10:00:00,99999999999,1e5,NaN";
        assert_eq!(
            run("schema_of_csv", &[string_column(&[Some(line)])]).unwrap(),
            [
                "STRUCT<_c0: INT, _c1: DOUBLE, _c2: STRING, _c3: STRING, _c4: BOOLEAN, _c5: DATE, _c6: TIMESTAMP, \
              _c7: BIGINT, _c8: DOUBLE, _c9: DOUBLE>"
            ]
        );
        let long = "123456789012345678901234567890";
        assert_eq!(
            run("schema_of_csv", &[string_column(&[Some(long)])]).unwrap(),
            ["STRUCT<_c0: DECIMAL(30,0)>"]
        );
    }
}
