//! `from_csv`: a struct from a line.

use super::line::Form;
use super::{docs, first_only};
use crate::describe::{Docs, ex};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::datetime::{Pattern, Purpose};
use crate::scalar::json::options::{CORRUPT, Options, malformed, options_type, schema_arg};
use crate::scalar::{Display, ScalarFunction};
use arrow::array::*;
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType as ArrowType, TimestampMicrosecondType};
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_types::CastMode;
use vonk_types::DataType as SparkType;
use vonk_types::cast::cast_array;
use vonk_types::datetime::Zone;

const FROM_CSV: Docs = docs(
    "from_csv(csvStr, schema[, options])",
    "The struct that a line of CSV holds by a schema; what does not fit is null.",
    "3.0.0",
    &[
        ex("SELECT from_csv('1, 0.8', 'a INT, b DOUBLE')", "{\"a\":1,\"b\":0.8}"),
        ex(
            "SELECT from_csv('26/08/2015', 'time Timestamp', map('timestampFormat', 'dd/MM/yyyy'))",
            "{\"time\":2015-08-26 00:00:00}",
        ),
    ],
);

pub(super) fn rows() -> Vec<ScalarFunction> {
    vec![ScalarFunction {
        display: Display::Custom(first_only),
        ..ScalarFunction::new("from_csv", FROM_CSV, Arity::between(2, 3), resolve, from_csv)
    }]
}

fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    let schema = schema_arg(site, 1)?;
    let SparkType::Struct(s) = &schema else {
        return Err(Error::new("INVALID_SCHEMA.NON_STRUCT_TYPE")
            .with("inputSchema", format!("\"{}\"", site.args[1].sql))
            .with("dataType", format!("\"{}\"", schema.sql()))
            .at(site.span));
    };
    let options = options_type(site, 2)?;
    if !matches!(site.arg_type(0), SparkType::String | SparkType::Null) {
        return Err(site.unexpected_type(0, "\"STRING\""));
    }
    if let Some(field) = s.fields.iter().find(|f| f.data_type.is_nested()) {
        return Err(Error::new("UNSUPPORTED_DATATYPE")
            .with("typeName", format!("\"{}\"", field.data_type.sql()))
            .at(site.span));
    }
    let mut types = vec![SparkType::String, SparkType::String];
    types.extend(options);
    site.returns_null(types, schema)
}

fn from_csv(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let SparkType::Struct(s) = call.return_type else {
        return vonk_error::internal_err!("a record of type {}", call.return_type);
    };
    let options = Options::of(call, 2);
    let fail_fast = options.fail_fast("from_csv")?;
    let form = Form::new(&options, false);
    let texts = call.args[0].values().as_string_view();
    let text = |row: usize| {
        let i = call.args[0].index(row);
        texts.is_valid(i).then(|| texts.value(i))
    };
    let records: Vec<Option<&str>> = (0..call.rows).map(text).collect();
    let corrupt =
        s.fields.iter().position(|f| f.name.as_ref() == CORRUPT && f.data_type == SparkType::String);
    let wanted = s.fields.len() - usize::from(corrupt.is_some());
    let values: Vec<Vec<Option<String>>> =
        records.iter().map(|r| r.map_or(vec![], |r| form.split(r))).collect();
    let mut bad: Vec<bool> =
        records.iter().zip(&values).map(|(r, v)| r.is_some() && v.len() != wanted).collect();

    let mut columns: Vec<ArrayRef> = Vec::with_capacity(s.fields.len());
    let mut token = 0;
    for (i, field) in s.fields.iter().enumerate() {
        if corrupt == Some(i) {
            columns.push(new_null_array(&ArrowType::Utf8View, call.rows));
            continue;
        }
        let cells: Vec<Option<&str>> =
            values.iter().map(|v| v.get(token).and_then(Option::as_deref)).collect();
        let column = convert(&cells, &field.data_type, &options, call)?;
        let misfits = cells.iter().enumerate().filter(|(row, cell)| cell.is_some() && column.is_null(*row));
        misfits.for_each(|(row, _)| bad[row] = true);
        columns.push(column);
        token += 1;
    }
    if fail_fast && let Some(record) = records.iter().zip(&bad).find_map(|(r, bad)| r.filter(|_| *bad)) {
        return Err(malformed(record));
    }
    if let Some(at) = corrupt {
        let texts = records.iter().zip(&bad).map(|(r, bad)| r.filter(|_| *bad));
        columns[at] = Arc::new(StringViewArray::from_iter(texts));
    }
    let nulls: NullBuffer = records.iter().map(Option::is_some).collect();
    let ArrowType::Struct(fields) = call.return_type.to_arrow() else {
        return vonk_error::internal_err!("a record of type {}", call.return_type);
    };
    Ok(Arc::new(StructArray::try_new_with_length(fields, columns, Some(nulls), call.rows)?))
}

/// A column of values from their texts; what does not fit is null.
fn convert(
    cells: &[Option<&str>],
    t: &SparkType,
    options: &Options,
    call: &KernelCall<'_>,
) -> Result<ArrayRef> {
    let pattern = match t {
        SparkType::Date => options.get("dateFormat"),
        SparkType::Timestamp => options.get("timestampFormat"),
        SparkType::TimestampNtz => options.get("timestampNTZFormat"),
        _ => None,
    };
    if let Some(pattern) = pattern {
        return by_pattern(cells, t, &Pattern::new(pattern, Purpose::Parse)?, call);
    }
    let special = |text: &'static str| move |cell: &str| (cell == text).then_some(text);
    let (inf, minus, nan) = (special("Inf"), special("-Inf"), special("NaN"));
    let texts: StringViewArray = match t {
        SparkType::Float | SparkType::Double => cells
            .iter()
            .map(|c| {
                c.map(|c| match (inf(c), minus(c), nan(c)) {
                    (Some(_), ..) => "Infinity",
                    (_, Some(_), _) => "-Infinity",
                    _ => c,
                })
            })
            .collect(),
        // A cast would take blanks around numbers, and numbers for more than they are; a reader of CSV does not.
        t if t.is_integral() => cells.iter().map(|c| c.filter(|c| is_whole(c))).collect(),
        SparkType::Boolean => {
            let truth = |c: &&str| c.eq_ignore_ascii_case("true") || c.eq_ignore_ascii_case("false");
            cells.iter().map(|c| c.filter(truth)).collect()
        }
        _ => cells.iter().copied().collect(),
    };
    let texts: ArrayRef = Arc::new(texts);
    cast_array(&texts, &SparkType::String, t, CastMode::Try, call.ctx)
}

fn is_whole(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

fn by_pattern(
    cells: &[Option<&str>],
    t: &SparkType,
    pattern: &Pattern,
    call: &KernelCall<'_>,
) -> Result<ArrayRef> {
    let zone = Zone::of(&call.ctx.time_zone);
    let read = |cell: &Option<&str>| -> Option<i64> {
        let parsed = pattern.parse((*cell)?).ok()?;
        if *t == SparkType::TimestampNtz { parsed.local().ok() } else { parsed.instant(&zone).ok() }
    };
    Ok(match t {
        SparkType::Date => {
            Arc::new(cells.iter().map(|c| read(c).map(|m| zone.day_of(m))).collect::<Date32Array>())
        }
        _ => {
            let micros = PrimitiveArray::<TimestampMicrosecondType>::from_iter(cells.iter().map(read));
            Arc::new(micros.with_data_type(t.to_arrow()))
        }
    })
}

#[cfg(test)]
mod tests {
    use crate::scalar::array::testing::*;

    // Asked of Spark.
    #[test]
    fn by_schema() {
        for (line, schema, expected) in [
            ("1, 0.8", "a INT, b DOUBLE", "{a: 1, b: 0.8}"),
            ("1", "a int, b string", "{a: 1, b: null}"),
            ("x", "a int", "{a: null}"),
            ("1,2,3", "a int", "{a: 1}"),
            ("", "a string", "{a: null}"),
            (" 1 , 2", "a int, b int", "{a: null, b: null}"),
            ("true,x", "a boolean, b boolean", "{a: true, b: null}"),
            (
                "1.5,1.555,NaN,Inf",
                "a int, b decimal(5,2), c double, d double",
                "{a: null, b: 1.56, c: NaN, d: inf}",
            ),
            ("1", "a int, _corrupt_record string", "{a: 1, _corrupt_record: null}"),
            ("x", "a int, _corrupt_record string", "{a: null, _corrupt_record: x}"),
            ("1,2", "a int, _corrupt_record string", "{a: 1, _corrupt_record: 1,2}"),
            ("9999999999", "a int", "{a: null}"),
            ("1e2", "a double", "{a: 100.0}"),
        ] {
            let args = [string_column(&[Some(line)]), string_column(&[Some(schema)])];
            assert_eq!(run("from_csv", &args).unwrap(), [expected], "{line} as {schema}");
        }
    }
}
