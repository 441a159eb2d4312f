//! `regexp_extract`, `regexp_extract_all`, `regexp_substr`, `regexp_count`, `regexp_instr`.

use super::pattern::{Patterns, slice};
use crate::kernel::KernelCall;
use crate::resolve::Arity;
use crate::scalar::apply::{part_view, share};
use crate::scalar::params::{INT, STR};
use crate::scalar::{Display, ScalarFunction};
use arrow::array::{ArrayRef, ListArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::Int32Type;
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_types::DataType;
use vonk_types::arrow_types::list_field;

pub(super) fn rows() -> Vec<ScalarFunction> {
    let mut rows = parts();
    rows.extend(places());
    rows
}

/// With the third argument that is meant if there are two.
const WITH_GROUP: Display = Display::Custom(|name, args| match args {
    [s, p] => format!("{name}({s}, {p}, 1)"),
    _ => format!("{name}({})", args.join(", ")),
});

fn parts() -> Vec<ScalarFunction> {
    vec![
        ScalarFunction {
            display: WITH_GROUP,
            ..ScalarFunction::new(
                "regexp_extract",
                docs!(String, "regexp_extract(str, regexp[, idx])", "A group of the first match; empty if there is none.", "1.5.0", [
                    "SELECT regexp_extract('100-200', '(\\\\d+)-(\\\\d+)', 1)" => "100",
                ]),
                Arity::between(2, 3),
                |site| site.returns(site.take(&[STR, STR, INT])?, DataType::String),
                regexp_extract,
            )
        },
        ScalarFunction {
            display: WITH_GROUP,
            ..ScalarFunction::new(
                "regexp_extract_all",
                docs!(String, "regexp_extract_all(str, regexp[, idx])", "A group of every match.", "3.1.0", [
                    "SELECT regexp_extract_all('100-200, 300-400', '(\\\\d+)-(\\\\d+)', 1)" => "[\"100\",\"300\"]",
                ]),
                Arity::between(2, 3),
                |site| {
                    let types = site.take(&[STR, STR, INT])?;
                    site.returns(types, DataType::array(DataType::String, true))
                },
                regexp_extract_all,
            )
        },
        ScalarFunction::new(
            "regexp_substr",
            docs!(String, "regexp_substr(str, regexp)", "The first match; null if there is none, or an empty one.", "3.4.0", [
                "SELECT regexp_substr('Steven Jones and Stephen Smith', 'Ste(v|ph)en')" => "Steven",
            ]),
            Arity::exactly(2),
            |site| site.returns_null(site.take(&[STR, STR])?, DataType::String),
            |call| {
                let pattern = call.strings(1);
                let mut patterns = Patterns::of("regexp_extract");
                call.each_part(0, |row, s| {
                    let found = patterns.get(pattern.get(row))?.find(s)?;
                    Ok(found.filter(|(start, end)| start < end).map(|(start, end)| &s[start..end]))
                })
            },
        ),
    ]
}

fn places() -> Vec<ScalarFunction> {
    vec![
        ScalarFunction::new(
            "regexp_count",
            docs!(String, "regexp_count(str, regexp)", "Number of matches.", "3.4.0", [
                "SELECT regexp_count('Steven Jones and Stephen Smith', 'Ste(v|ph)en')" => "2",
            ]),
            Arity::exactly(2),
            |site| site.returns(site.take(&[STR, STR])?, DataType::Int),
            |call| {
                let (s, pattern) = (call.strings(0), call.strings(1));
                let mut patterns = Patterns::of("regexp_extract_all");
                call.each::<Int32Type>(|row| {
                    let mut count = 0;
                    patterns.get(pattern.get(row))?.each_match(s.get(row), |_, _| {
                        count += 1;
                        Ok(true)
                    })?;
                    Ok(Some(count))
                })
            },
        ),
        ScalarFunction {
            display: Display::Custom(|name, args| match args {
                [s, p] => format!("{name}({s}, {p}, 0)"),
                _ => format!("{name}({})", args.join(", ")),
            }),
            ..ScalarFunction::new(
                "regexp_instr",
                docs!(String, "regexp_instr(str, regexp)", "Where the first match begins, from 1; 0 if there is none.", "3.4.0", [
                    "SELECT regexp_instr('user@spark.apache.org', '@[^.]*')" => "5",
                ]),
                Arity::between(2, 3),
                |site| site.returns(site.take(&[STR, STR, INT])?, DataType::Int),
                |call| {
                    let (s, pattern) = (call.strings(0), call.strings(1));
                    let mut patterns = Patterns::of("regexp_instr");
                    call.each::<Int32Type>(|row| {
                        let s = s.get(row);
                        let found = patterns.get(pattern.get(row))?.find(s)?;
                        Ok(Some(found.map_or(0, |(start, _)| s[..start].chars().count() as i32 + 1)))
                    })
                },
            )
        },
    ]
}

/// Spark's error for a group that the pattern does not have.
fn check_group(index: i32, groups: usize, function: &str) -> Result<usize> {
    match usize::try_from(index) {
        Ok(i) if i <= groups => Ok(i),
        _ => Err(Error::new("INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX")
            .with("parameter", "`idx`")
            .with("functionName", format!("`{function}`"))
            .with("groupCount", groups.to_string())
            .with("groupIndex", index.to_string())),
    }
}

fn regexp_extract(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let pattern = call.strings(1);
    let index = (call.args.len() > 2).then(|| call.values::<Int32Type>(2));
    let mut patterns = Patterns::of("regexp_extract");
    call.each_part(0, |row, s| {
        let pattern = patterns.get(pattern.get(row))?;
        let Some(groups) = pattern.captures(s)? else { return Ok(Some(&s[..0])) };
        let index = check_group(index.map_or(1, |i| i.get(row)), pattern.groups(), "regexp_extract")?;
        Ok(Some(slice(s, groups.get(index))))
    })
}

fn regexp_extract_all(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let Some(nulls) = call.strict_nulls() else { return Ok(call.all_null()) };
    let (s, pattern) = (call.strings(0), call.strings(1));
    let index = (call.args.len() > 2).then(|| call.values::<Int32Type>(2));
    let mut patterns = Patterns::of("regexp_extract_all");
    let (mut views, mut lengths) = (Vec::new(), Vec::with_capacity(call.rows));
    for row in 0..call.rows {
        let before = views.len();
        if nulls.as_ref().is_none_or(|n| n.is_valid(row)) {
            let whole = s.get(row);
            let pattern = patterns.get(pattern.get(row))?;
            let at = call.args[0].index(row);
            pattern.each_captures(whole, |groups| {
                let index = index.map_or(1, |i| i.get(row));
                let index = check_group(index, pattern.groups(), "regexp_extract_all")?;
                views.push(part_view(s.array(), at, whole, slice(whole, groups.get(index))));
                Ok(true)
            })?;
        }
        lengths.push(views.len() - before);
    }
    let values = Arc::new(share(s.array(), views, None));
    let field = list_field(&DataType::String, true);
    Ok(Arc::new(ListArray::try_new(field, OffsetBuffer::from_lengths(lengths), values, nulls)?))
}
