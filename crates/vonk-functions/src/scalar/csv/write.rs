//! `to_csv`: a line from a struct.

use super::line::Form;
use super::{docs, first_only};
use crate::describe::{Docs, ex};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::apply::{MadeNulls, TextBuilder};
use crate::scalar::datetime::Moment;
use crate::scalar::json::options::{Options, options_type};
use crate::scalar::json::write::Style;
use crate::scalar::{Display, ScalarFunction};
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{Date32Type, TimestampMicrosecondType};
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_types::CastMode;
use vonk_types::DataType as SparkType;
use vonk_types::cast::cast_array;
use vonk_types::context::SessionZone;
use vonk_types::datetime::Zone;

const TO_CSV: Docs = docs(
    "to_csv(expr[, options])",
    "The line of CSV of a struct.",
    "3.0.0",
    &[
        ex("SELECT to_csv(named_struct('a', 1, 'b', 2))", "1,2"),
        ex(
            "SELECT to_csv(named_struct('time', to_timestamp('2015-08-26', 'yyyy-MM-dd')), map('timestampFormat', 'dd/MM/yyyy'))",
            "26/08/2015",
        ),
    ],
);

pub(super) fn rows() -> Vec<ScalarFunction> {
    vec![ScalarFunction {
        can_fail: false,
        display: Display::Custom(first_only),
        ..ScalarFunction::new("to_csv", TO_CSV, Arity::between(1, 2), resolve, to_csv)
    }]
}

fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    let t = site.arg_type(0);
    let options = options_type(site, 1)?;
    if !matches!(t, SparkType::Struct(_) | SparkType::Null) {
        return Err(Error::new("DATATYPE_MISMATCH.UNSUPPORTED_INPUT_TYPE")
            .with("functionName", format!("`{}`", site.called_as))
            .with("dataType", format!("\"{}\"", t.sql()))
            .at(site.span));
    }
    let mut types = vec![t.clone()];
    types.extend(options);
    site.returns(types, SparkType::String)
}

fn to_csv(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let datum = &call.args[0];
    let SparkType::Struct(s) = &call.arg_types[0] else { return Ok(call.all_null()) };
    let options = Options::of(call, 1);
    let (form, style) = (Form::new(&options, true), Style::new(&options)?);
    let structs = datum.values().as_struct();
    let columns = s
        .fields
        .iter()
        .zip(structs.columns())
        .map(|(f, c)| text_of(c, &f.data_type, &style, call))
        .collect::<Result<Vec<_>>>()?;
    let mut out = TextBuilder::with_capacity(call.rows);
    let mut made = MadeNulls::new(call.rows);
    for row in 0..call.rows {
        let i = datum.index(row);
        if structs.is_null(i) || columns.is_empty() {
            made.set(row);
            out.push_empty();
            continue;
        }
        out.push(|line| {
            for (n, column) in columns.iter().enumerate() {
                if n > 0 {
                    line.push_str(&form.separator);
                }
                let texts = column.as_string_view();
                if texts.is_null(i) {
                    line.push_str(&form.null);
                } else {
                    write_value(form.trim(texts.value(i)), &form, line);
                }
            }
            Ok(true)
        })?;
    }
    Ok(Arc::new(out.finish(made.merge(None))))
}

/// A column as text.
fn text_of(column: &ArrayRef, t: &SparkType, style: &Style, call: &KernelCall<'_>) -> Result<ArrayRef> {
    let utc = SessionZone::utc();
    let write = |moment: &dyn Fn(usize, &mut String) -> bool| -> Result<ArrayRef> {
        let mut out = TextBuilder::with_capacity(column.len());
        for i in 0..column.len() {
            out.push(|text| Ok(moment(i, text)))?;
        }
        Ok(Arc::new(out.finish(column.nulls().cloned())))
    };
    match t {
        SparkType::Date => {
            let days = column.as_primitive::<Date32Type>();
            write(&|i, text| style.date.format(&Moment::of_date(days.value(i), &utc), text))
        }
        SparkType::Timestamp | SparkType::TimestampNtz => {
            let micros = column.as_primitive::<TimestampMicrosecondType>();
            let (pattern, zone) = match t {
                SparkType::Timestamp => (&style.timestamp, &call.ctx.time_zone),
                _ => (&style.timestamp_ntz, &utc),
            };
            let rules = Zone::of(zone);
            write(&|i, text| pattern.format(&Moment::new(micros.value(i), zone, &rules), text))
        }
        SparkType::Array(..) | SparkType::Map(..) | SparkType::Struct(_) => nested(column, t, style, call),
        t => cast_array(column, t, &SparkType::String, CastMode::Try, call.ctx),
    }
}

/// Arrays, maps and structs as text: nulls within them are nothing at all.
fn nested(column: &ArrayRef, t: &SparkType, style: &Style, call: &KernelCall<'_>) -> Result<ArrayRef> {
    let add = |parts: &dyn Array, i: usize, first: bool, out: &mut String| {
        if !first {
            out.push(',');
        }
        if parts.is_valid(i) {
            if !first {
                out.push(' ');
            }
            out.push_str(parts.as_string_view().value(i));
        }
    };
    let mut out = TextBuilder::with_capacity(column.len());
    match t {
        SparkType::Array(e, _) => {
            let list = column.as_list::<i32>();
            let parts = text_of(list.values(), e, style, call)?;
            for row in list.offsets().windows(2) {
                out.push(|text| {
                    text.push('[');
                    (row[0]..row[1]).for_each(|i| add(&parts, i as usize, i == row[0], text));
                    text.push(']');
                    Ok(true)
                })?;
            }
        }
        SparkType::Map(k, v, _) => {
            let map = column.as_map();
            let (keys, values) =
                (text_of(map.keys(), k, style, call)?, text_of(map.values(), v, style, call)?);
            for row in map.offsets().windows(2) {
                out.push(|text| {
                    text.push('{');
                    for i in row[0]..row[1] {
                        add(&keys, i as usize, i == row[0], text);
                        text.push_str(" ->");
                        if values.is_valid(i as usize) {
                            text.push(' ');
                            text.push_str(values.as_string_view().value(i as usize));
                        }
                    }
                    text.push('}');
                    Ok(true)
                })?;
            }
        }
        SparkType::Struct(s) => {
            let columns = column.as_struct().columns();
            let parts = s.fields.iter().zip(columns).map(|(f, c)| text_of(c, &f.data_type, style, call));
            let parts = parts.collect::<Result<Vec<_>>>()?;
            for i in 0..column.len() {
                out.push(|text| {
                    text.push('{');
                    parts.iter().enumerate().for_each(|(n, part)| add(part, i, n == 0, text));
                    text.push('}');
                    Ok(true)
                })?;
            }
        }
        _ => return vonk_error::internal_err!("{t} is not nested"),
    }
    Ok(Arc::new(out.finish(column.nulls().cloned())))
}

/// Appends a value, in quotes where it would be read as something else without them.
fn write_value(value: &str, form: &Form, line: &mut String) {
    let special = value.contains(&form.separator) || value.contains([form.quote, '\n', '\r']);
    if !special && !value.is_empty() && !form.quote_all {
        return line.push_str(value);
    }
    line.push(form.quote);
    for c in value.chars() {
        if c == form.quote {
            line.push(form.escape);
        }
        line.push(c);
    }
    line.push(form.quote);
}

#[cfg(test)]
mod tests {
    use super::*;

    // Asked of Spark.
    #[test]
    fn quotes() {
        let form = Form::new(&Options::default(), true);
        let written = |value: &str| {
            let mut line = String::new();
            write_value(form.trim(value), &form, &mut line);
            line
        };
        assert_eq!(written("x,y"), "\"x,y\"");
        assert_eq!(written("q\"r"), "\"q\\\"r\"");
        assert_eq!(written(""), "\"\"");
        assert_eq!(written(" s "), "s");
        assert_eq!(written("a b"), "a b");
        assert_eq!(written("x\\y"), "x\\y");
        assert_eq!(written("a\nb"), "\"a\nb\"");
    }
}
