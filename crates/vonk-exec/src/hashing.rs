//! Hash tables over key columns: what aggregates and joins have in common.
//!
//! A [`KeyTable`] numbers the distinct keys it is given: `0, 1, 2, …` in the order of their first appearance. Aggregates take
//! the numbers as group numbers, joins hang the rows of a key on its number. Keys are compared as Spark groups and joins:
//! floats in their normal form, nested values part by part; whether null equals null is said per column.
//!
//! The form of a table follows from the types of its keys: one integer, one string, several columns packed into a few words,
//! or anything at all as bytes in Arrow's row format.

mod bytes;
mod ints;
mod keys;
mod layout;
mod packed;
mod slots;
mod split;
#[cfg(test)]
pub(crate) mod testing;
mod words;

pub(crate) use keys::{KeyTable, Scratch};
pub(crate) use layout::bits;
pub(crate) use split::Splitter;
pub(crate) use words::each_word;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::DataType as ArrowType;
use arrow::row::{RowConverter, SortField};
use std::hash::{BuildHasher, Hasher};
use vonk_error::Result;
use vonk_functions::normalize::normalize_floats;

/// The number of no key.
pub(crate) const NONE: u32 = u32::MAX;

const SEED: u64 = 0x243f_6a88_85a3_08d3;
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// Multiplies into 128 bits and folds them: every bit of the result depends on every bit of the factors.
#[inline(always)]
fn fold(a: u64, b: u64) -> u64 {
    let r = u128::from(a) * u128::from(b);
    (r as u64) ^ ((r >> 64) as u64)
}

/// Hash of one word.
#[inline(always)]
pub(crate) fn hash_word(x: u64) -> u64 {
    fold(x ^ SEED, MULTIPLIER)
}

/// Hash of a word after others.
#[inline(always)]
pub(crate) fn hash_next(h: u64, x: u64) -> u64 {
    fold(h ^ x, MULTIPLIER).rotate_left(23)
}

/// Hash of bytes.
#[inline]
pub(crate) fn hash_bytes(bytes: &[u8]) -> u64 {
    let mut h = foldhash::fast::FixedState::with_seed(SEED).build_hasher();
    h.write(bytes);
    h.finish()
}

/// Hash of a string or binary by its view, or its bytes if it is long.
#[inline(always)]
pub(crate) fn hash_view(view: u128, bytes: impl FnOnce() -> u64) -> u64 {
    if bytes::is_inline(view) { hash_next(hash_word(view as u64), (view >> 64) as u64) } else { bytes() }
}

/// One hash per row: equal keys have equal hashes, whichever batch, side or task they come from. Independent of the hashes
/// inside of tables, and so fit for splitting what a table will hold.
pub(crate) fn hash_columns(columns: &[ArrayRef], rows: usize) -> Result<Vec<u64>> {
    let mut hashes = vec![!SEED; rows];
    for column in columns {
        hash_column(column, &mut hashes)?;
    }
    Ok(hashes)
}

fn hash_column(column: &ArrayRef, hashes: &mut [u64]) -> Result<()> {
    let nulls = column.logical_nulls().filter(|n| n.null_count() > 0);
    let is_null = |row: usize| nulls.as_ref().is_some_and(|n| n.is_null(row));
    let mut add = |row: usize, word: u64| {
        let word = if is_null(row) { 0x5851_f42d } else { word };
        hashes[row] = hash_next(hashes[row], word);
    };
    match column.data_type() {
        ArrowType::Utf8View | ArrowType::BinaryView => {
            bytes::each_text(column, |row, view, bytes| add(row, hash_view(view, || hash_bytes(bytes))));
        }
        t if bits(t).is_some_and(|b| b <= 64) => words::each_word(column, &mut add),
        t => {
            let converter = RowConverter::new(vec![SortField::new(t.clone())])?;
            let encoded = converter.convert_columns(&[normalize_floats(column)?])?;
            for row in 0..column.len() {
                add(row, hash_bytes(encoded.row(row).data()));
            }
        }
    }
    Ok(())
}

/// Parts that spilled rows are split into at each level.
pub(crate) const SPILL_PARTS: usize = 16;
/// Levels of splitting: rows that are still too many then have equal keys, or nearly.
pub(crate) const SPILL_LEVELS: u32 = 8;

/// The part of a row with this hash at a level of splitting.
#[inline]
pub(crate) fn spill_part(hash: u64, level: u32) -> usize {
    (hash >> (4 * level + 8)) as usize % SPILL_PARTS
}

/// Row numbers by part.
pub(crate) fn split_rows(hashes: &[u64], level: u32) -> Vec<Vec<u32>> {
    let mut parts = vec![Vec::new(); SPILL_PARTS];
    for (row, hash) in hashes.iter().enumerate() {
        parts[spill_part(*hash, level)].push(row as u32);
    }
    parts
}
