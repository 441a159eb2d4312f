//! `from_json`: values of a schema from text.
//!
//! Columns are built whole: all rows of a field are converted together, level by level. A value that does not fit is null, and
//! its record is remembered as one that does not fit.

use super::options::{CORRUPT, Options, malformed, options_type, schema_arg};
use super::tree::{Json, Leniency, as_f64, is_blank, is_whole, parse};
use super::{docs, first_only};
use crate::describe::{Docs, ex};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::array::lists::{Shape, list_of, map_of};
use crate::scalar::datetime::{Pattern, Purpose};
use crate::scalar::{Display, ScalarFunction};
use arrow::array::*;
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType as ArrowType, *};
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_types::DataType as SparkType;
use vonk_types::cast::cast_array;
use vonk_types::datetime::Zone;
use vonk_types::{CastMode, EvalContext};

const FROM_JSON: Docs = docs(
    "from_json(jsonStr, schema[, options])",
    "The struct, array or map that a JSON text holds by a schema; what does not fit is null.",
    "2.2.0",
    &[
        ex("SELECT from_json('{\"a\":1, \"b\":0.8}', 'a INT, b DOUBLE')", "{\"a\":1,\"b\":0.8}"),
        ex(
            "SELECT from_json('{\"time\":\"26/08/2015\"}', 'time Timestamp', map('timestampFormat', 'dd/MM/yyyy'))",
            "{\"time\":2015-08-26 00:00:00}",
        ),
        ex("SELECT from_json('[1,2]', 'array<int>')", "[1,2]"),
    ],
);

pub(super) fn rows() -> Vec<ScalarFunction> {
    vec![ScalarFunction {
        display: Display::Custom(|called_as, args| {
            // Spark names a map by the field it reads it into.
            let map = args.get(1).is_some_and(|schema| {
                schema.trim_start().get(..4).is_some_and(|start| start.eq_ignore_ascii_case("map<"))
            });
            if map { "entries".to_string() } else { first_only(called_as, args) }
        }),
        ..ScalarFunction::new("from_json", FROM_JSON, Arity::between(2, 3), resolve, from_json)
    }]
}

fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    let schema = schema_arg(site, 1)?;
    let options = options_type(site, 2)?;
    if !matches!(site.arg_type(0), SparkType::String | SparkType::Null) {
        return Err(site.unexpected_type(0, "\"STRING\""));
    }
    if !schema.is_nested() {
        return Err(Error::new("DATATYPE_MISMATCH.INVALID_JSON_SCHEMA")
            .with("schema", format!("\"{}\"", schema.sql()))
            .at(site.span));
    }
    if has_other_keys(&schema) {
        return Err(Error::new("DATATYPE_MISMATCH.INVALID_JSON_MAP_KEY_TYPE")
            .with("schema", format!("\"{}\"", schema.sql()))
            .at(site.span));
    }
    let mut types = vec![SparkType::String, SparkType::String];
    types.extend(options);
    site.returns_null(types, schema)
}

/// Whether a map has keys that are not strings.
fn has_other_keys(t: &SparkType) -> bool {
    match t {
        SparkType::Map(k, v, _) => **k != SparkType::String || has_other_keys(v),
        SparkType::Array(e, _) => has_other_keys(e),
        SparkType::Struct(s) => s.fields.iter().any(|f| has_other_keys(&f.data_type)),
        _ => false,
    }
}

/// How values are read.
struct Format<'a> {
    leniency: Leniency,
    date: Option<Pattern>,
    timestamp: Option<Pattern>,
    timestamp_ntz: Option<Pattern>,
    ctx: &'a EvalContext,
}

impl<'a> Format<'a> {
    fn new(options: &Options, ctx: &'a EvalContext) -> Result<Format<'a>> {
        let pattern = |name: &str| options.get(name).map(|p| Pattern::new(p, Purpose::Parse)).transpose();
        Ok(Format {
            leniency: leniency(options),
            date: pattern("dateFormat")?,
            timestamp: pattern("timestampFormat")?,
            timestamp_ntz: pattern("timestampNTZFormat")?,
            ctx,
        })
    }
}

/// What options allow beyond JSON's grammar.
pub(super) fn leniency(options: &Options) -> Leniency {
    Leniency {
        single_quotes: options.is("allowSingleQuotes", true),
        leading_zeros: options.is("allowNumericLeadingZeros", false),
        unquoted_names: options.is("allowUnquotedFieldNames", false),
        comments: options.is("allowComments", false),
        not_a_number: options.is("allowNonNumericNumbers", true),
        control_characters: options.is("allowUnquotedControlChars", false),
        any_escape: options.is("allowBackslashEscapingAnyCharacter", false),
    }
}

fn from_json(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let options = Options::of(call, 2);
    let fail_fast = options.fail_fast("from_json")?;
    let format = Format::new(&options, call.ctx)?;
    let texts = call.args[0].values().as_string_view();
    let text = |row: usize| {
        let i = call.args[0].index(row);
        texts.is_valid(i).then(|| texts.value(i))
    };
    // Empty texts are no records, and give null.
    let records: Vec<Option<&str>> = (0..call.rows).map(|row| text(row).filter(|t| !is_blank(t))).collect();
    let parsed: Vec<Option<Json<'_>>> = records.iter().map(|t| parse((*t)?, format.leniency)).collect();
    let roots: Vec<Option<&Json<'_>>> = parsed.iter().map(Option::as_ref).collect();
    let mut rows = Rows::new(call.rows);
    let result = root(&roots, &records, call.return_type, &format, &mut rows)?;
    if fail_fast {
        for (row, record) in records.iter().enumerate() {
            if let Some(record) = record
                && (rows.bad[row] || parsed[row].is_none())
            {
                return Err(malformed(record));
            }
        }
    }
    Ok(result)
}

/// What is known of the rows of a column under construction.
struct Rows {
    /// The record of the row holds something that does not fit.
    bad: Vec<bool>,
    /// The row itself has no value because of that.
    failed: Vec<bool>,
}

impl Rows {
    fn new(n: usize) -> Rows {
        Rows { bad: vec![false; n], failed: vec![false; n] }
    }

    fn fail(&mut self, row: usize) {
        self.bad[row] = true;
        self.failed[row] = true;
    }
}

/// The column of the outermost values.
fn root(
    roots: &[Option<&Json<'_>>],
    records: &[Option<&str>],
    t: &SparkType,
    format: &Format<'_>,
    rows: &mut Rows,
) -> Result<ArrayRef> {
    match t {
        SparkType::Struct(s) => {
            // Whatever does not fit is a struct of nulls.
            let nothing = Json::Object(Vec::new());
            let mut objects: Vec<Option<&Json<'_>>> = Vec::with_capacity(roots.len());
            for (row, root) in roots.iter().enumerate() {
                objects.push(match (records[row], root) {
                    (None, _) => None,
                    (Some(_), Some(object @ Json::Object(_))) => Some(object),
                    (Some(_), _) => {
                        rows.bad[row] = true;
                        Some(&nothing)
                    }
                });
            }
            let corrupt =
                s.fields.iter().position(|f| f.name.as_ref() == CORRUPT && f.data_type == SparkType::String);
            let column = build(&objects, t, format, rows)?;
            match corrupt {
                None => Ok(column),
                Some(at) => {
                    let bad = records.iter().zip(&rows.bad).map(|(record, bad)| record.filter(|_| *bad));
                    let texts = StringViewArray::from_iter(bad);
                    let (fields, mut columns, nulls) = column.as_struct().clone().into_parts();
                    columns[at] = Arc::new(texts);
                    Ok(Arc::new(StructArray::try_new(fields, columns, nulls)?))
                }
            }
        }
        SparkType::Array(e, _) if matches!(e.as_ref(), SparkType::Struct(_)) => {
            // A single object stands for an array of one.
            let wrapped: Vec<Option<Json<'_>>> = roots
                .iter()
                .map(|r| match r {
                    Some(object @ Json::Object(_)) => Some(Json::Array(vec![(*object).clone()])),
                    Some(Json::Array(items)) => Some(Json::Array(items.clone())),
                    _ => None,
                })
                .collect();
            let roots: Vec<Option<&Json<'_>>> = wrapped.iter().map(Option::as_ref).collect();
            build(&roots, t, format, rows)
        }
        _ => build(roots, t, format, rows),
    }
}

/// The fields of an object.
type Fields<'c, 'j> = &'c [(std::borrow::Cow<'j, str>, Json<'j>)];

/// The column of values of one type. JSON's null, and no value, are null.
fn build(
    cells: &[Option<&Json<'_>>],
    t: &SparkType,
    format: &Format<'_>,
    rows: &mut Rows,
) -> Result<ArrayRef> {
    match t {
        SparkType::Struct(_) => structs(cells, t, format, rows),
        SparkType::Array(e, _) => arrays(cells, t, e, format, rows),
        SparkType::Map(_, v, _) => maps(cells, t, v, format, rows),
        SparkType::Boolean => Ok(Arc::new(
            each(cells, rows, |j| match j {
                Json::Bool(b) => Some(*b),
                _ => None,
            })
            .into_iter()
            .collect::<BooleanArray>(),
        )),
        SparkType::Byte => Ok(primitive::<Int8Type>(cells, rows, |j| {
            whole(j).filter(|n| (-128..256).contains(n)).map(|n| n as i8)
        })),
        SparkType::Short => Ok(primitive::<Int16Type>(cells, rows, |j| whole(j)?.try_into().ok())),
        SparkType::Int => Ok(primitive::<Int32Type>(cells, rows, |j| whole(j)?.try_into().ok())),
        SparkType::Long => Ok(primitive::<Int64Type>(cells, rows, whole)),
        SparkType::Float => Ok(primitive::<Float32Type>(cells, rows, |j| match j {
            Json::Number(n) => n.parse().ok().or_else(|| as_f64(n).map(|v| v as f32)),
            other => not_a_number(other).map(|v| v as f32),
        })),
        SparkType::Double => Ok(primitive::<Float64Type>(cells, rows, |j| match j {
            Json::Number(n) => as_f64(n),
            other => not_a_number(other),
        })),
        SparkType::Decimal(p, s) => decimals(cells, *p, *s, rows),
        SparkType::Binary => {
            let bytes = each(cells, rows, |j| match j {
                Json::String(s) => super::write::from_base64(s.as_bytes()),
                _ => None,
            });
            Ok(Arc::new(bytes.into_iter().collect::<BinaryViewArray>()))
        }
        SparkType::String => {
            let texts: Vec<Option<std::borrow::Cow<'_, str>>> =
                cells.iter().map(|c| c.filter(|j| **j != Json::Null).map(Json::text)).collect();
            Ok(Arc::new(StringViewArray::from_iter(texts.iter().map(|t| t.as_deref()))))
        }
        SparkType::Null => Ok(new_null_array(&ArrowType::Null, cells.len())),
        _ => moments(cells, t, format, rows),
    }
}

/// Converts every cell; what gives nothing does not fit.
fn each<T>(
    cells: &[Option<&Json<'_>>],
    rows: &mut Rows,
    convert: impl Fn(&Json<'_>) -> Option<T>,
) -> Vec<Option<T>> {
    cells
        .iter()
        .enumerate()
        .map(|(row, cell)| {
            let json = cell.filter(|j| **j != Json::Null)?;
            let value = convert(json);
            if value.is_none() {
                rows.fail(row);
            }
            value
        })
        .collect()
}

fn primitive<T: ArrowPrimitiveType>(
    cells: &[Option<&Json<'_>>],
    rows: &mut Rows,
    convert: impl Fn(&Json<'_>) -> Option<T::Native>,
) -> ArrayRef {
    Arc::new(PrimitiveArray::<T>::from_iter(each(cells, rows, convert)))
}

fn whole(json: &Json<'_>) -> Option<i64> {
    match json {
        Json::Number(n) if is_whole(n) => n.parse().ok(),
        _ => None,
    }
}

fn not_a_number(json: &Json<'_>) -> Option<f64> {
    match json {
        Json::String(s) => match s.as_ref() {
            name @ ("NaN" | "Infinity" | "+Infinity" | "-Infinity" | "+INF" | "-INF") => as_f64(name),
            _ => None,
        },
        _ => None,
    }
}

fn decimals(cells: &[Option<&Json<'_>>], p: u8, s: i8, rows: &mut Rows) -> Result<ArrayRef> {
    let values = each(cells, rows, |j| match j {
        Json::Number(n) => vonk_types::decimal::parse(n, p, s),
        Json::String(n) => vonk_types::decimal::parse(n, p, s),
        _ => None,
    });
    Ok(match SparkType::Decimal(p, s).to_arrow() {
        ArrowType::Decimal64(..) => {
            let narrow = values.into_iter().map(|v| v.and_then(|v| i64::try_from(v).ok()));
            Arc::new(Decimal64Array::from_iter(narrow).with_precision_and_scale(p, s)?)
        }
        _ => Arc::new(Decimal128Array::from_iter(values).with_precision_and_scale(p, s)?),
    })
}

/// Dates, timestamps and intervals, from strings; timestamps also from seconds.
fn moments(
    cells: &[Option<&Json<'_>>],
    t: &SparkType,
    format: &Format<'_>,
    rows: &mut Rows,
) -> Result<ArrayRef> {
    let zone = Zone::of(&format.ctx.time_zone);
    let by_pattern = |p: &Pattern, j: &Json<'_>| -> Option<i64> {
        let Json::String(s) = j else { return None };
        let parsed = p.parse(s).ok()?;
        if *t == SparkType::TimestampNtz { parsed.local().ok() } else { parsed.instant(&zone).ok() }
    };
    let pattern = match t {
        SparkType::Date => &format.date,
        SparkType::Timestamp => &format.timestamp,
        SparkType::TimestampNtz => &format.timestamp_ntz,
        _ => &None,
    };
    if let Some(p) = pattern {
        return Ok(match t {
            SparkType::Date => {
                primitive::<Date32Type>(cells, rows, |j| by_pattern(p, j).map(|m| zone.day_of(m)))
            }
            _ => {
                let micros = PrimitiveArray::<TimestampMicrosecondType>::from_iter(each(cells, rows, |j| {
                    by_pattern(p, j)
                }));
                Arc::new(micros.with_data_type(t.to_arrow()))
            }
        });
    }
    if *t == SparkType::Timestamp && cells.iter().flatten().any(|j| matches!(j, Json::Number(_))) {
        let micros = each(cells, rows, |j| match j {
            Json::String(s) => vonk_types::datetime::parse_timestamp(s, &format.ctx.time_zone),
            other => whole(other)?.checked_mul(1_000_000),
        });
        let micros = PrimitiveArray::<TimestampMicrosecondType>::from_iter(micros);
        return Ok(Arc::new(micros.with_data_type(t.to_arrow())));
    }
    // As a cast reads them.
    let strings = |c: &Option<&Json<'_>>| match c {
        Some(Json::String(s)) => Some(s.to_string()),
        _ => None,
    };
    let texts: ArrayRef = Arc::new(cells.iter().map(strings).collect::<StringViewArray>());
    let made = cast_array(&texts, &SparkType::String, t, CastMode::Try, format.ctx)?;
    for (row, cell) in cells.iter().enumerate() {
        if cell.is_some_and(|j| *j != Json::Null) && made.is_null(row) {
            rows.fail(row);
        }
    }
    Ok(made)
}

fn structs(
    cells: &[Option<&Json<'_>>],
    t: &SparkType,
    format: &Format<'_>,
    rows: &mut Rows,
) -> Result<ArrayRef> {
    let SparkType::Struct(s) = t else { return vonk_error::internal_err!("a struct of type {t}") };
    let objects: Vec<Option<Fields<'_, '_>>> = each_ref(cells, rows, |j| match j {
        Json::Object(fields) => Some(fields.as_slice()),
        _ => None,
    });
    let mut columns = Vec::with_capacity(s.fields.len());
    for field in s.fields.iter() {
        // Of fields of one name the last counts.
        let parts: Vec<Option<&Json<'_>>> = objects
            .iter()
            .map(|o| o.and_then(|o| o.iter().rev().find(|(n, _)| *n == field.name.as_ref()).map(|(_, v)| v)))
            .collect();
        let mut inner = Rows::new(cells.len());
        columns.push(build(&parts, &field.data_type, format, &mut inner)?);
        // A field that does not fit is null; its struct is not.
        inner.bad.iter().enumerate().filter(|(_, bad)| **bad).for_each(|(row, _)| rows.bad[row] = true);
    }
    let nulls: NullBuffer = objects.iter().map(Option::is_some).collect();
    let ArrowType::Struct(fields) = t.to_arrow() else {
        return vonk_error::internal_err!("a struct of type {t}");
    };
    Ok(Arc::new(StructArray::try_new_with_length(fields, columns, Some(nulls), cells.len())?))
}

/// As [`each`], for parts that borrow from the cells.
fn each_ref<'c, 'j, T>(
    cells: &[Option<&'c Json<'j>>],
    rows: &mut Rows,
    part: impl Fn(&'c Json<'j>) -> Option<T>,
) -> Vec<Option<T>> {
    let mut out = Vec::with_capacity(cells.len());
    for (row, cell) in cells.iter().enumerate() {
        let value = match cell {
            Some(json) if **json != Json::Null => {
                let value = part(json);
                if value.is_none() {
                    rows.fail(row);
                }
                value
            }
            _ => None,
        };
        out.push(value);
    }
    out
}

/// Which rows own the elements of a column of elements.
fn owners(lengths: impl Iterator<Item = usize>) -> Vec<usize> {
    lengths.enumerate().flat_map(|(row, n)| std::iter::repeat_n(row, n)).collect()
}

/// Rows of elements that fail make their owners fail; those that merely hold a misfit hand it on.
fn hand_up(inner: &Rows, owners: &[usize], rows: &mut Rows) {
    for (i, owner) in owners.iter().enumerate() {
        if inner.failed[i] {
            rows.fail(*owner);
        } else if inner.bad[i] {
            rows.bad[*owner] = true;
        }
    }
}

fn arrays(
    cells: &[Option<&Json<'_>>],
    t: &SparkType,
    element: &SparkType,
    format: &Format<'_>,
    rows: &mut Rows,
) -> Result<ArrayRef> {
    let lists: Vec<Option<&Vec<Json<'_>>>> = each_ref(cells, rows, |j| match j {
        Json::Array(items) => Some(items),
        _ => None,
    });
    let elements: Vec<Option<&Json<'_>>> = lists.iter().flatten().flat_map(|l| l.iter().map(Some)).collect();
    let owners = owners(lists.iter().map(|l| l.map_or(0, Vec::len)));
    let mut inner = Rows::new(elements.len());
    let column = build(&elements, element, format, &mut inner)?;
    hand_up(&inner, &owners, rows);
    let mut shape = Shape::new(cells.len());
    for list in &lists {
        shape.push(list.map_or(0, Vec::len))?;
    }
    let (offsets, _) = shape.parts();
    let nulls: NullBuffer =
        lists.iter().enumerate().map(|(row, l)| l.is_some() && !rows.failed[row]).collect();
    list_of(offsets, column, Some(nulls), t)
}

fn maps(
    cells: &[Option<&Json<'_>>],
    t: &SparkType,
    value: &SparkType,
    format: &Format<'_>,
    rows: &mut Rows,
) -> Result<ArrayRef> {
    // Of entries of one key the last counts, at the first's place.
    let entries = each_ref(cells, rows, |j| match j {
        Json::Object(fields) => {
            let mut kept: Vec<(&str, &Json<'_>)> = Vec::with_capacity(fields.len());
            for (name, value) in fields {
                match kept.iter_mut().find(|(n, _)| n == name) {
                    Some(entry) => entry.1 = value,
                    None => kept.push((name, value)),
                }
            }
            Some(kept)
        }
        _ => None,
    });
    let all = || entries.iter().flatten().flatten();
    let keys: ArrayRef = Arc::new(StringViewArray::from_iter_values(all().map(|(k, _)| *k)));
    let values: Vec<Option<&Json<'_>>> = all().map(|(_, v)| Some(*v)).collect();
    let owners = owners(entries.iter().map(|e| e.as_ref().map_or(0, Vec::len)));
    let mut inner = Rows::new(values.len());
    let column = build(&values, value, format, &mut inner)?;
    hand_up(&inner, &owners, rows);
    let mut shape = Shape::new(cells.len());
    for entry in &entries {
        shape.push(entry.as_ref().map_or(0, Vec::len))?;
    }
    let (offsets, _) = shape.parts();
    let nulls: NullBuffer =
        entries.iter().enumerate().map(|(row, e)| e.is_some() && !rows.failed[row]).collect();
    map_of(offsets, keys, column, Some(nulls), t)
}

#[cfg(test)]
mod tests {
    use crate::scalar::array::testing::*;

    fn read(json: &str, schema: &str) -> String {
        run("from_json", &[string_column(&[Some(json)]), string_column(&[Some(schema)])]).unwrap().remove(0)
    }

    // Asked of Spark.
    #[test]
    fn by_schema() {
        for (json, schema, expected) in [
            (r#"{"a":1, "b":0.8}"#, "a INT, b DOUBLE", "{a: 1, b: 0.8}"),
            ("[1,2]", "array<int>", "[1, 2]"),
            (r#"{"a":1}"#, "map<string,int>", "{a: 1}"),
            ("bad", "a int", "{a: null}"),
            ("bad", "array<int>", "null"),
            ("", "a int", "null"),
            ("[]", "a int", "{a: null}"),
            (r#"[{"a":1}]"#, "a int", "{a: null}"),
            (r#"{"a":1.5}"#, "a int", "{a: null}"),
            (r#"{"a":"1"}"#, "a int", "{a: null}"),
            (r#"{"a":[1]}"#, "a string", "{a: [1]}"),
            (r#"{"a":1}"#, "array<int>", "null"),
            (r#"{"a":1}"#, "array<struct<a:int>>", "[{a: 1}]"),
            (r#"[1,null,"x"]"#, "array<int>", "null"),
            (r#"{"a":null}"#, "map<string,int>", "{a: null}"),
            (r#"{"a":"true"}"#, "a boolean", "{a: null}"),
            (r#"{"a":128}"#, "a tinyint", "{a: -128}"),
            (r#"{"a":300}"#, "a tinyint", "{a: null}"),
            (r#"{"a":"1.5"}"#, "a decimal(5,2)", "{a: 1.50}"),
            (r#"{"a":1.234}"#, "a decimal(5,2)", "{a: 1.23}"),
            (r#"{"a":1000}"#, "a decimal(4,2)", "{a: null}"),
            (r#"{"a":"2020-01-01 10:00"}"#, "a date", "{a: 2020-01-01}"),
            (r#"{"a":"-INF"}"#, "a float", "{a: -inf}"),
            (r#"{"a":"INF"}"#, "a double", "{a: null}"),
            (r#"{"a":1,"a":2}"#, "a int", "{a: 2}"),
            (r#"{"A":1}"#, "a int", "{a: null}"),
            (
                r#"{"a":1,"b":"x"}"#,
                "a int, b int, _corrupt_record string",
                "{a: 1, b: null, _corrupt_record: {\"a\":1,\"b\":\"x\"}}",
            ),
            (r#"{"b":1}"#, "a int, _corrupt_record string", "{a: null, _corrupt_record: null}"),
            ("bad", "a int, _corrupt_record string", "{a: null, _corrupt_record: bad}"),
            (r#"{"a":{"b":"x","c":1}}"#, "a struct<b:int,c:int>", "{a: {b: null, c: 1}}"),
            (r#"{"a":[1,"x",2]}"#, "a array<int>", "{a: null}"),
            (r#"{"a":1}"#, "a struct<b:int>", "{a: null}"),
            (r#"[{"a":1},{"a":"x"}]"#, "array<struct<a:int>>", "[{a: 1}, {a: null}]"),
            (r#"{"a":{"x":"y","z":1}}"#, "a map<string,int>", "{a: null}"),
            (r#"{"a":"x"}"#, "map<string,int>", "null"),
            (r#"{"x":1,"x":2}"#, "map<string,int>", "{x: 2}"),
            ("[1,2]", "map<string,int>", "null"),
        ] {
            assert_eq!(read(json, schema), expected, "{json} as {schema}");
        }
        let e = run("from_json", &[string_column(&[Some("1")]), string_column(&[Some("int")])]).unwrap_err();
        assert_eq!(e.condition(), "DATATYPE_MISMATCH.INVALID_JSON_SCHEMA");
    }
}
