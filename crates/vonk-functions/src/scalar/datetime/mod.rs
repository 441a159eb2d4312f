//! Functions over dates and timestamps.
//!
//! Times of day are those of the session's zone for `timestamp`, and as they stand for `timestamp_ntz`.

mod convert;
mod current;
mod epoch;
mod extract;
mod fields;
mod make;
mod pattern;
mod shift;
mod span;
mod truncate;
mod windows;
mod zones;

use super::ScalarFunction;
use crate::describe::{Docs, Example, Group};
use crate::kernel::KernelCall;
use arrow::array::ArrayRef;
use arrow::datatypes::ArrowPrimitiveType;
use vonk_error::{Error, Result};
use vonk_types::context::SessionZone;
use vonk_types::datetime::Zone;
use vonk_types::{DataType, Literal};

pub(crate) use pattern::{Moment, Parsed, Pattern, Purpose};
pub(in crate::scalar) use shift::arithmetic_overflow;

/// All of them.
pub(super) fn rows() -> Vec<ScalarFunction> {
    let mut rows = Vec::new();
    rows.extend(convert::rows());
    rows.extend(current::rows());
    rows.extend(epoch::rows());
    rows.extend(extract::rows());
    rows.extend(fields::rows());
    rows.extend(make::rows());
    rows.extend(shift::rows());
    rows.extend(span::rows());
    rows.extend(truncate::rows());
    rows.extend(windows::rows());
    rows.extend(zones::rows());
    rows
}

/// Documentation of a function of dates and times.
const fn docs(
    usage: &'static str,
    summary: &'static str,
    since: &'static str,
    examples: &'static [Example],
) -> Docs {
    Docs::new(Group::Datetime, usage, summary, since, examples)
}

impl KernelCall<'_> {
    /// Computes one value per row by what cannot fail; null where an argument is, whatever is computed there.
    pub(in crate::scalar) fn every<T: ArrowPrimitiveType>(
        &self,
        f: impl Fn(usize) -> T::Native,
    ) -> Result<ArrayRef> {
        let Some(nulls) = self.strict_nulls() else { return Ok(self.all_null()) };
        let values: Vec<T::Native> = (0..self.rows).map(f).collect();
        Ok(self.primitive::<T>(values.into(), nulls))
    }
}

/// The rules by which timestamps of a type are shown: the session's, or none.
fn zone_of(call: &KernelCall<'_>, t: &DataType) -> Zone {
    match t {
        DataType::TimestampNtz => Zone::of(&SessionZone::utc()),
        _ => Zone::of(&call.ctx.time_zone),
    }
}

/// A zone by its id, or Spark's error.
fn zone_by_id(id: &str) -> Result<SessionZone> {
    SessionZone::parse_lenient(id).ok_or_else(|| Error::new("INVALID_TIMEZONE").with("timeZone", id))
}

/// Something made of a text that is mostly the same from row to row: made again only where the text changes.
pub(crate) struct Cached<T> {
    last: Option<(String, T)>,
}

impl<T> Cached<T> {
    /// Nothing made.
    pub fn new() -> Self {
        Cached { last: None }
    }

    /// What is made of a text.
    pub fn get(&mut self, text: &str, make: impl FnOnce(&str) -> Result<T>) -> Result<&T> {
        if self.last.as_ref().is_none_or(|(t, _)| t != text) {
            self.last = Some((text.to_string(), make(text)?));
        }
        match &self.last {
            Some((_, made)) => Ok(made),
            None => vonk_error::internal_err!("nothing made of a text"),
        }
    }
}

/// A value as Spark writes it in messages, with the suffix or keyword of its type.
fn literal_text(call: &KernelCall<'_>, arg: usize, row: usize) -> String {
    let datum = &call.args[arg];
    match Literal::from_array(datum.values(), datum.index(row), call.arg_types[arg].clone()) {
        Ok(literal) => vonk_types::sql_literal::sql_text(&literal, call.ctx),
        Err(_) => String::new(),
    }
}

/// Java's error for a moment beyond 64 bits, which has no condition.
pub(in crate::scalar) fn long_overflow() -> Error {
    Error::new("_INTEGER_OVERFLOW").with("message", "long overflow")
}

/// Most days that microseconds can count.
pub(in crate::scalar) const MOST_DAYS: i32 = (i64::MAX / vonk_types::datetime::MICROS_PER_DAY) as i32;

/// Spark's error for a moment that does not exist.
fn out_of_bounds(message: String) -> Error {
    Error::new("DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION").with("rangeMessage", message)
}
