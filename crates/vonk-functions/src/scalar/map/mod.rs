//! Functions over maps.
//!
//! Keys are never null and never equal to each other: every map is made through [`check_keys`] or of maps.

mod concat;
mod make;
mod parts;
mod text;

use super::ScalarFunction;
use super::array::keys::{Keys, Seen};
use super::array::lists::{Shape, gather};
use crate::describe::{Docs, Example, Group};
use crate::resolve::CallSite;
use arrow::array::{Array, ArrayRef};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use vonk_error::{Error, Result};
use vonk_types::{DataType, EvalContext};

/// All of them.
pub(super) fn rows() -> Vec<ScalarFunction> {
    let mut rows = Vec::new();
    rows.extend(concat::rows());
    rows.extend(make::rows());
    rows.extend(parts::rows());
    rows.extend(text::rows());
    rows
}

/// Documentation of a map function.
const fn docs(
    usage: &'static str,
    summary: &'static str,
    since: &'static str,
    examples: &'static [Example],
) -> Docs {
    Docs::new(Group::Map, usage, summary, since, examples)
}

/// A map argument's types.
pub(super) struct MapParts {
    pub whole: DataType,
    pub key: DataType,
    pub value: DataType,
    pub value_null: bool,
}

/// A map argument; an untyped null is a map of nulls.
pub(super) fn map_arg(site: &CallSite<'_>, i: usize) -> Result<MapParts> {
    match site.arg_type(i) {
        DataType::Null => {
            let void = DataType::Null;
            let whole = DataType::map(void.clone(), void.clone(), true);
            Ok(MapParts { whole, key: void.clone(), value: void, value_null: true })
        }
        _ => strict_map_arg(site, i),
    }
}

/// A map argument that cannot be an untyped null.
pub(super) fn strict_map_arg(site: &CallSite<'_>, i: usize) -> Result<MapParts> {
    match site.arg_type(i) {
        whole @ DataType::Map(k, v, null) => Ok(MapParts {
            whole: whole.clone(),
            key: k.as_ref().clone(),
            value: v.as_ref().clone(),
            value_null: *null,
        }),
        _ => Err(site.unexpected_type(i, "\"MAP\"")),
    }
}

/// Spark's error for a key type that is or contains a map.
pub(super) fn key_type(site: &CallSite<'_>, key: &DataType) -> Result<()> {
    fn has_map(t: &DataType) -> bool {
        match t {
            DataType::Map(..) => true,
            DataType::Array(e, _) => has_map(e),
            DataType::Struct(s) => s.fields.iter().any(|f| has_map(&f.data_type)),
            _ => false,
        }
    }
    if !has_map(key) {
        return Ok(());
    }
    Err(Error::new("DATATYPE_MISMATCH.INVALID_MAP_KEY_TYPE")
        .with("keyType", format!("\"{}\"", key.sql()))
        .at(site.span))
}

/// Entries of maps: where each row's are, keys, values.
pub(super) type Entries = (OffsetBuffer<i32>, ArrayRef, ArrayRef);

/// Entries with keys of which none is null and none is twice in a row: an error, or (if the session says so) the value of the last
/// of equal keys in the place of the first.
pub(super) fn unique_entries(
    (offsets, keys, values): Entries,
    key_type: &DataType,
    nulls: Option<&NullBuffer>,
    ctx: &EvalContext,
) -> Result<Entries> {
    if !ctx.map_last_wins {
        check_keys(&keys, key_type, &offsets, nulls, ctx)?;
        return Ok((offsets, keys, values));
    }
    let words = Keys::of(&keys)?;
    let (mut key_picks, mut value_picks): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
    let mut shape = Shape::new(offsets.len() - 1);
    for (row, bounds) in offsets.windows(2).enumerate() {
        if nulls.is_some_and(|n| n.is_null(row)) {
            shape.push_null();
            continue;
        }
        let begin = key_picks.len();
        for i in bounds[0] as usize..bounds[1] as usize {
            if words.is_null(i) || keys.data_type().is_null() {
                return Err(Error::new("NULL_MAP_KEY"));
            }
            let known = key_picks[begin..].iter().position(|k| words.equal(*k as usize, &words, i));
            match known {
                Some(at) => value_picks[begin + at] = i as u32,
                None => {
                    key_picks.push(i as u32);
                    value_picks.push(i as u32);
                }
            }
        }
        shape.push_until(key_picks.len())?;
    }
    let (offsets, _) = shape.parts();
    Ok((offsets, gather(&keys, key_picks)?, gather(&values, value_picks)?))
}

/// Spark's error for a null or a duplicate within a row of keys.
pub(super) fn check_keys(
    keys: &ArrayRef,
    key_type: &DataType,
    offsets: &OffsetBuffer<i32>,
    nulls: Option<&NullBuffer>,
    ctx: &EvalContext,
) -> Result<()> {
    let words = Keys::of(keys)?;
    let mut seen = Seen::new(&words, &words);
    for (row, bounds) in offsets.windows(2).enumerate() {
        if nulls.is_some_and(|n| n.is_null(row)) {
            continue;
        }
        seen.clear();
        for i in bounds[0] as usize..bounds[1] as usize {
            if words.is_null(i) || keys.data_type().is_null() {
                return Err(Error::new("NULL_MAP_KEY"));
            }
            if !seen.insert(0, i) {
                return Err(Error::new("DUPLICATED_MAP_KEY")
                    .with("key", vonk_types::text::hive_text(keys, i, key_type, ctx)?)
                    .with("mapKeyDedupPolicy", "\"spark.sql.mapKeyDedupPolicy\""));
            }
        }
    }
    Ok(())
}
