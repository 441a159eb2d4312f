//! `split`.

use super::pattern::{Pattern, Patterns};
use crate::kernel::KernelCall;
use crate::resolve::Arity;
use crate::scalar::apply::{part_view, share};
use crate::scalar::params::{INT, STR};
use crate::scalar::{Display, ScalarFunction};
use arrow::array::{ArrayRef, ListArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::Int32Type;
use std::sync::Arc;
use vonk_error::Result;
use vonk_types::DataType;
use vonk_types::arrow_types::list_field;

pub(super) fn rows() -> Vec<ScalarFunction> {
    vec![ScalarFunction {
        display: Display::Custom(|name, args| match args {
            [s, p] => format!("{name}({s}, {p}, -1)"),
            _ => format!("{name}({})", args.join(", ")),
        }),
        ..ScalarFunction::new(
            "split",
            docs!(
                String,
                "split(str, regex[, limit])",
                "What lies between the matches, in at most `limit` parts if it is positive.",
                "1.5.0",
                [
                    "SELECT split('oneAtwoBthreeC', '[ABC]')" => "[\"one\",\"two\",\"three\",\"\"]",
                    "SELECT split('oneAtwoBthreeC', '[ABC]', 2)" => "[\"one\",\"twoBthreeC\"]",
                ]
            ),
            Arity::between(2, 3),
            |site| site.returns(site.take(&[STR, STR, INT])?, DataType::array(DataType::String, false)),
            split,
        )
    }]
}

fn split(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let Some(nulls) = call.strict_nulls() else { return Ok(call.all_null()) };
    let (s, pattern) = (call.strings(0), call.strings(1));
    let limit = (call.args.len() > 2).then(|| call.values::<Int32Type>(2));
    let mut patterns = Patterns::of("split");
    let (mut views, mut lengths) = (Vec::new(), Vec::with_capacity(call.rows));
    for row in 0..call.rows {
        let before = views.len();
        if nulls.as_ref().is_none_or(|n| n.is_valid(row)) {
            let (whole, regex) = (s.get(row), pattern.get(row));
            let limit = limit.map_or(-1, |l| l.get(row));
            let at = call.args[0].index(row);
            let mut push = |part: &str| views.push(part_view(s.array(), at, whole, part));
            if regex.is_empty() && !whole.is_empty() {
                into_characters(whole, limit, &mut push);
            } else {
                by_pattern(whole, patterns.get(regex)?, limit, &mut push)?;
            }
        }
        lengths.push(views.len() - before);
    }
    let values = Arc::new(share(s.array(), views, None));
    let field = list_field(&DataType::String, false);
    Ok(Arc::new(ListArray::try_new(field, OffsetBuffer::from_lengths(lengths), values, nulls)?))
}

/// Of an empty pattern: each character, without an empty part behind the last.
fn into_characters<'a>(whole: &'a str, limit: i32, push: &mut impl FnMut(&'a str)) {
    let mut left = if limit > 0 { limit } else { i32::MAX };
    let mut rest = whole;
    while let Some(c) = rest.chars().next() {
        left -= 1;
        let end = if left == 0 { rest.len() } else { c.len_utf8() };
        push(&rest[..end]);
        rest = &rest[end..];
    }
}

/// As Java's `Pattern.split` with a limit other than zero.
fn by_pattern<'a>(
    whole: &'a str,
    pattern: &Pattern,
    limit: i32,
    push: &mut impl FnMut(&'a str),
) -> Result<()> {
    let (mut done, mut parts) = (0, 0);
    pattern.each_match(whole, |start, end| {
        if limit > 0 && parts == limit - 1 {
            return Ok(false);
        }
        // No empty part before an empty match at the beginning.
        if end == 0 {
            return Ok(true);
        }
        push(&whole[done..start]);
        parts += 1;
        done = end;
        Ok(true)
    })?;
    push(&whole[done..]);
    Ok(())
}
