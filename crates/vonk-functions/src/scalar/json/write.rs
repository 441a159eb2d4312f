//! `to_json`: the text of a struct, array or map.

use super::options::{Options, options_type};
use super::tree::write_string;
use super::{docs, first_only};
use crate::describe::{Docs, ex};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::datetime::{Moment, Pattern, Purpose};
use crate::scalar::{Display, ScalarFunction};
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::*;
use vonk_error::{Error, Result};
use vonk_types::DataType as SparkType;
use vonk_types::EvalContext;
use vonk_types::context::SessionZone;
use vonk_types::datetime::Zone;
use vonk_types::text::hive_text;

const TO_JSON: Docs = docs(
    "to_json(expr[, options])",
    "The JSON text of a struct, an array or a map; null fields are left out.",
    "2.2.0",
    &[
        ex("SELECT to_json(named_struct('a', 1, 'b', 2))", "{\"a\":1,\"b\":2}"),
        ex(
            "SELECT to_json(named_struct('time', to_timestamp('2015-08-26', 'yyyy-MM-dd')), map('timestampFormat', 'dd/MM/yyyy'))",
            "{\"time\":\"26/08/2015\"}",
        ),
        ex("SELECT to_json(array(named_struct('a', 1, 'b', 2)))", "[{\"a\":1,\"b\":2}]"),
        ex("SELECT to_json(map('a', named_struct('b', 1)))", "{\"a\":{\"b\":1}}"),
    ],
);

pub(super) fn rows() -> Vec<ScalarFunction> {
    vec![ScalarFunction {
        can_fail: false,
        display: Display::Custom(first_only),
        ..ScalarFunction::new("to_json", TO_JSON, Arity::between(1, 2), resolve, to_json)
    }]
}

fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    let t = site.arg_type(0);
    let options = options_type(site, 1)?;
    if !t.is_nested() && *t != SparkType::Null {
        return Err(Error::new("DATATYPE_MISMATCH.INVALID_JSON_SCHEMA")
            .with("schema", format!("\"{}\"", t.sql()))
            .at(site.span));
    }
    let mut types = vec![t.clone()];
    types.extend(options);
    site.returns(types, SparkType::String)
}

/// How values are written.
pub(crate) struct Style {
    pub date: Pattern,
    pub timestamp: Pattern,
    pub timestamp_ntz: Pattern,
    keep_nulls: bool,
    pretty: bool,
}

impl Style {
    /// By options.
    pub fn new(options: &Options) -> Result<Style> {
        let pattern =
            |name: &str, default: &str| Pattern::new(options.get(name).unwrap_or(default), Purpose::Format);
        Ok(Style {
            date: pattern("dateFormat", "yyyy-MM-dd")?,
            timestamp: pattern("timestampFormat", "yyyy-MM-dd'T'HH:mm:ss.SSSXXX")?,
            timestamp_ntz: pattern("timestampNTZFormat", "yyyy-MM-dd'T'HH:mm:ss.SSS")?,
            keep_nulls: !options.is("ignoreNullFields", true),
            pretty: options.is("pretty", false),
        })
    }
}

fn to_json(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let style = Style::new(&Options::of(call, 1))?;
    let datum = &call.args[0];
    if datum.values().data_type().is_null() {
        return Ok(call.all_null());
    }
    let writer = writer(datum.values(), &call.arg_types[0], &style, call.ctx)?;
    let nulls = datum.values();
    let mut out = crate::scalar::apply::TextBuilder::with_capacity(call.rows);
    let mut valid = crate::scalar::apply::MadeNulls::new(call.rows);
    for row in 0..call.rows {
        let i = datum.index(row);
        if nulls.is_null(i) {
            valid.set(row);
            out.push_empty();
            continue;
        }
        out.push(|text| {
            writer(i, text, 0);
            Ok(true)
        })?;
    }
    Ok(std::sync::Arc::new(out.finish(valid.merge(None))))
}

/// Appends the value of a row; the number is the depth for indentation.
type Writer<'a> = Box<dyn Fn(usize, &mut String, usize) + 'a>;

/// The writer of a column, made once for all rows. It is not called for null rows.
fn writer<'a>(
    column: &'a ArrayRef,
    t: &'a SparkType,
    style: &'a Style,
    ctx: &'a EvalContext,
) -> Result<Writer<'a>> {
    Ok(match t {
        SparkType::Boolean => {
            let a = column.as_boolean();
            Box::new(move |i, out, _| out.push_str(if a.value(i) { "true" } else { "false" }))
        }
        SparkType::Float => {
            let a = column.as_primitive::<Float32Type>();
            Box::new(move |i, out, _| {
                quoted_unless(a.value(i).is_finite(), out, |out| {
                    vonk_types::number::write_f32(a.value(i), out)
                });
            })
        }
        SparkType::Double => {
            let a = column.as_primitive::<Float64Type>();
            Box::new(move |i, out, _| {
                quoted_unless(a.value(i).is_finite(), out, |out| {
                    vonk_types::number::write_f64(a.value(i), out)
                });
            })
        }
        SparkType::String => {
            let a = column.as_string_view();
            Box::new(move |i, out, _| write_string(a.value(i), out))
        }
        SparkType::Binary => {
            let a = column.as_binary_view();
            Box::new(move |i, out, _| quoted_unless(false, out, |out| to_base64(a.value(i), out)))
        }
        SparkType::Date | SparkType::Timestamp | SparkType::TimestampNtz => {
            moment_writer(column, t, style, ctx)
        }
        SparkType::Array(e, _) => array_writer(column, e, style, ctx)?,
        SparkType::Map(k, v, _) => map_writer(column, k, v, style, ctx)?,
        SparkType::Struct(_) => struct_writer(column, t, style, ctx)?,
        SparkType::Null => Box::new(|_, out, _| out.push_str("null")),
        t if t.is_numeric() => {
            Box::new(move |i, out, _| out.push_str(&hive_text(column, i, t, ctx).unwrap_or_default()))
        }
        // Intervals as a cast to a string writes them.
        t => {
            let texts =
                vonk_types::cast::cast_array(column, t, &SparkType::String, vonk_types::CastMode::Try, ctx)?;
            Box::new(move |i, out, _| write_string(texts.as_string_view().value(i), out))
        }
    })
}

fn quoted_unless(plain: bool, out: &mut String, write: impl FnOnce(&mut String)) {
    if plain {
        return write(out);
    }
    out.push('"');
    write(out);
    out.push('"');
}

fn moment_writer<'a>(
    column: &'a ArrayRef,
    t: &'a SparkType,
    style: &'a Style,
    ctx: &'a EvalContext,
) -> Writer<'a> {
    let write = move |moment: &Moment<'_>, pattern: &Pattern, out: &mut String| {
        let mut text = String::new();
        pattern.format(moment, &mut text);
        write_string(&text, out);
    };
    let utc = SessionZone::utc();
    match t {
        SparkType::Date => {
            let a = column.as_primitive::<Date32Type>();
            Box::new(move |i, out, _| write(&Moment::of_date(a.value(i), &utc), &style.date, out))
        }
        SparkType::TimestampNtz => {
            let a = column.as_primitive::<TimestampMicrosecondType>();
            let rules = Zone::of(&utc);
            Box::new(move |i, out, _| {
                write(&Moment::new(a.value(i), &utc, &rules), &style.timestamp_ntz, out)
            })
        }
        _ => {
            let a = column.as_primitive::<TimestampMicrosecondType>();
            let (zone, rules) = (&ctx.time_zone, Zone::of(&ctx.time_zone));
            Box::new(move |i, out, _| write(&Moment::new(a.value(i), zone, &rules), &style.timestamp, out))
        }
    }
}

/// Before an element or field: a comma, and a new line where the text is to be pretty.
fn separate(first: bool, style: &Style, line: bool, depth: usize, out: &mut String) {
    if !first {
        out.push(',');
    }
    match (style.pretty, line) {
        (false, _) => {}
        (true, false) => out.push(' '),
        (true, true) => indent(depth, out),
    }
}

fn indent(depth: usize, out: &mut String) {
    out.push('\n');
    (0..depth).for_each(|_| out.push_str("  "));
}

fn write_name(name: &str, style: &Style, out: &mut String) {
    write_string(name, out);
    out.push_str(if style.pretty { " : " } else { ":" });
}

/// After the last element or field.
fn close(mark: char, empty: bool, style: &Style, line: bool, depth: usize, out: &mut String) {
    match (style.pretty, line) {
        (false, _) => {}
        (true, false) => out.push(' '),
        (true, true) if empty => out.push(' '),
        (true, true) => indent(depth, out),
    }
    out.push(mark);
}

fn array_writer<'a>(
    column: &'a ArrayRef,
    element: &'a SparkType,
    style: &'a Style,
    ctx: &'a EvalContext,
) -> Result<Writer<'a>> {
    let list = column.as_list::<i32>();
    let values = list.values();
    let inner = writer(values, element, style, ctx)?;
    let nulls = values.logical_nulls();
    Ok(Box::new(move |i, out, depth| {
        out.push('[');
        let range = list.offsets()[i] as usize..list.offsets()[i + 1] as usize;
        for (n, j) in range.clone().enumerate() {
            separate(n == 0, style, false, depth, out);
            if nulls.as_ref().is_some_and(|n| n.is_null(j)) {
                out.push_str("null");
            } else {
                inner(j, out, depth);
            }
        }
        close(']', range.is_empty(), style, false, depth, out);
    }))
}

fn map_writer<'a>(
    column: &'a ArrayRef,
    key: &'a SparkType,
    value: &'a SparkType,
    style: &'a Style,
    ctx: &'a EvalContext,
) -> Result<Writer<'a>> {
    let map = column.as_map();
    let (keys, values) = (map.keys(), map.values());
    let inner = writer(values, value, style, ctx)?;
    let nulls = values.logical_nulls();
    Ok(Box::new(move |i, out, depth| {
        out.push('{');
        let range = map.offsets()[i] as usize..map.offsets()[i + 1] as usize;
        for (n, j) in range.clone().enumerate() {
            separate(n == 0, style, true, depth + 1, out);
            write_name(&key_text(keys, j, key, ctx), style, out);
            if nulls.as_ref().is_some_and(|n| n.is_null(j)) {
                out.push_str("null");
            } else {
                inner(j, out, depth + 1);
            }
        }
        close('}', range.is_empty(), style, true, depth, out);
    }))
}

/// Keys are written as Spark holds them: days and microseconds as numbers.
fn key_text(keys: &ArrayRef, i: usize, t: &SparkType, ctx: &EvalContext) -> String {
    match t {
        SparkType::String => keys.as_string_view().value(i).to_string(),
        SparkType::Date => keys.as_primitive::<Date32Type>().value(i).to_string(),
        SparkType::Timestamp | SparkType::TimestampNtz => {
            keys.as_primitive::<TimestampMicrosecondType>().value(i).to_string()
        }
        t => hive_text(keys, i, t, ctx).unwrap_or_default(),
    }
}

fn struct_writer<'a>(
    column: &'a ArrayRef,
    t: &'a SparkType,
    style: &'a Style,
    ctx: &'a EvalContext,
) -> Result<Writer<'a>> {
    let SparkType::Struct(s) = t else { return vonk_error::internal_err!("a struct of type {t}") };
    let structs = column.as_struct();
    let fields = s
        .fields
        .iter()
        .zip(structs.columns())
        .map(|(f, c)| Ok((f.name.as_ref(), c.logical_nulls(), writer(c, &f.data_type, style, ctx)?)))
        .collect::<Result<Vec<_>>>()?;
    Ok(Box::new(move |i, out, depth| {
        out.push('{');
        let mut first = true;
        for (name, nulls, inner) in &fields {
            let null = nulls.as_ref().is_some_and(|n| n.is_null(i));
            if null && !style.keep_nulls {
                continue;
            }
            separate(first, style, true, depth + 1, out);
            first = false;
            write_name(name, style, out);
            if null {
                out.push_str("null");
            } else {
                inner(i, out, depth + 1);
            }
        }
        close('}', first, style, true, depth, out);
    }))
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Appends bytes in base 64, without line breaks.
pub(super) fn to_base64(bytes: &[u8], out: &mut String) {
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0u32, |w, b| w << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            let digit = BASE64[(word >> (18 - 6 * i)) as usize & 63];
            out.push(if i <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
}

/// Bytes from base 64; `None` for what is none.
pub(super) fn from_base64(text: &[u8]) -> Option<Vec<u8>> {
    let digits = text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"=")).unwrap_or(text);
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    for chunk in digits.chunks(4) {
        let mut word = 0u32;
        for b in chunk {
            word = word << 6 | BASE64.iter().position(|d| d == b)? as u32;
        }
        let bytes = (word << (6 * (4 - chunk.len()))).to_be_bytes();
        out.extend(&bytes[1..chunk.len().max(1)]);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::{from_base64, to_base64};
    use crate::scalar::array::testing::*;

    #[test]
    fn base_64() {
        for (bytes, text) in [(&b"abc"[..], "YWJj"), (b"ab", "YWI="), (b"a", "YQ=="), (b"", "")] {
            let mut out = String::new();
            to_base64(bytes, &mut out);
            assert_eq!(out, text);
            assert_eq!(from_base64(text.as_bytes()).as_deref(), Some(bytes));
        }
        assert_eq!(from_base64(b"abc"), None);
        assert_eq!(from_base64(b"a*=="), None);
    }

    #[test]
    fn arrays_and_nulls() {
        let a = int_lists(&[Some(&[Some(1), None]), None, Some(&[])]);
        assert_eq!(run("to_json", &[a]).unwrap(), ["[1,null]", "null", "[]"]);
    }
}
