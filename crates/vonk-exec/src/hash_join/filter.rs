//! Runtime filters: the keys of a join's build side, for the scans of its probe side.

use crate::hashing::{KeyTable, NONE, Scratch, bits, each_word, hash_columns};
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::DataType as ArrowType;
use vonk_error::Result;
use vonk_sources::ScanFilter;
use vonk_types::{DataType, Literal};

/// Up to this many rows, keys are kept as they are.
const SMALL_SET: usize = 1024;
/// Beyond this many, a filter costs more than it can save.
const MOST_ROWS: usize = 16 << 20;
/// Bits of a Bloom filter per row, and of an exact bitmap per row up to which it is preferred.
const BITS_PER_ROW: usize = 16;
/// A bitmap of this many bits is always worth it.
const SMALL_BITMAP: u128 = 1 << 20;

/// Values of one key of the build side.
pub(crate) struct KeyFilter {
    bounds: Option<(Literal, Literal)>,
    empty: bool,
    members: Members,
}

enum Members {
    /// Integers by their distance from the least, and the share of the range that they make up.
    Bitmap { min: i64, bits: Vec<u64>, share: f64 },
    /// The values.
    Set(Box<KeyTable>),
    /// One word of bits per value, of which it sets four: all that is asked of a value lies in one place.
    Bloom(Vec<u64>),
}

impl KeyFilter {
    /// From the values of a key in all build rows; `None` if a filter is not worth it.
    pub fn new(values: &ArrayRef, data_type: &DataType) -> Result<Option<KeyFilter>> {
        let nulls = values.logical_nulls().filter(|n| n.null_count() > 0);
        let rows = values.len() - nulls.as_ref().map_or(0, NullBuffer::null_count);
        if rows > MOST_ROWS {
            return Ok(None);
        }
        let range = integer_range(values, nulls.as_ref());
        let ends = range.map(|r| (r.least, r.greatest)).or_else(|| text_ends(values, nulls.as_ref()));
        let literal = |row| Literal::from_array(values, row, data_type.clone());
        let bounds = ends.map(|(a, b)| Ok::<_, vonk_error::Error>((literal(a)?, literal(b)?))).transpose()?;
        let members = match range {
            Some(r) if r.span() <= SMALL_BITMAP.max((rows * BITS_PER_ROW) as u128) => {
                let bits = bitmap(values, nulls.as_ref(), r);
                let set: u32 = bits.iter().map(|b| b.count_ones()).sum();
                Members::Bitmap { min: r.min, share: f64::from(set) / r.span() as f64, bits }
            }
            _ if rows <= SMALL_SET => {
                let mut table = KeyTable::new(vec![values.data_type().clone()], vec![false])?;
                table.insert(std::slice::from_ref(values), values.len(), &mut Vec::new())?;
                Members::Set(Box::new(table))
            }
            _ => Members::Bloom(bloom(values, nulls.as_ref(), rows)?),
        };
        Ok(Some(KeyFilter { bounds, empty: rows == 0, members }))
    }
}

impl ScanFilter for KeyFilter {
    fn bounds(&self) -> Option<(Literal, Literal)> {
        self.bounds.clone()
    }

    fn is_empty(&self) -> bool {
        self.empty
    }

    fn expected_share(&self) -> Option<f64> {
        match &self.members {
            Members::Bitmap { share, .. } => Some(*share),
            _ => None,
        }
    }

    fn test(&self, values: &ArrayRef) -> Result<BooleanArray> {
        let n = values.len();
        if self.empty {
            return Ok(BooleanArray::new(BooleanBuffer::new_unset(n), None));
        }
        let found = match &self.members {
            Members::Bitmap { min, bits, .. } => {
                let mut words = Vec::with_capacity(n);
                each_word(values, &mut |_, w| words.push((w as i64).wrapping_sub(*min) as u64));
                BooleanBuffer::collect_bool(n, |i| {
                    bits.get((words[i] / 64) as usize).is_some_and(|b| b >> (words[i] % 64) & 1 == 1)
                })
            }
            Members::Set(table) => {
                let (mut scratch, mut ids) = (Scratch::default(), Vec::new());
                table.find(std::slice::from_ref(values), n, &mut scratch, &mut ids)?;
                BooleanBuffer::collect_bool(n, |i| ids[i] != NONE)
            }
            Members::Bloom(words) => {
                let hashes = hash_columns(std::slice::from_ref(values), n)?;
                BooleanBuffer::collect_bool(n, |i| {
                    let (at, mask) = place(hashes[i], words.len());
                    words[at] & mask == mask
                })
            }
        };
        let found = match values.logical_nulls().filter(|v| v.null_count() > 0) {
            Some(nulls) => &found & nulls.inner(),
            None => found,
        };
        Ok(BooleanArray::new(found, None))
    }
}

/// Least and greatest of integers, and rows that have them.
#[derive(Clone, Copy)]
struct Range {
    min: i64,
    max: i64,
    least: usize,
    greatest: usize,
}

impl Range {
    /// Values from least to greatest.
    fn span(&self) -> u128 {
        (i128::from(self.max) - i128::from(self.min) + 1) as u128
    }
}

fn integer_range(values: &ArrayRef, nulls: Option<&NullBuffer>) -> Option<Range> {
    let float = matches!(values.data_type(), ArrowType::Float32 | ArrowType::Float64);
    if float || !bits(values.data_type()).is_some_and(|b| (1..=64).contains(&b)) {
        return None;
    }
    let mut range: Option<Range> = None;
    each_word(values, &mut |row, word| {
        if nulls.is_some_and(|n| n.is_null(row)) {
            return;
        }
        let v = word as i64;
        let r = range.get_or_insert(Range { min: v, max: v, least: row, greatest: row });
        if v < r.min {
            (r.min, r.least) = (v, row);
        }
        if v > r.max {
            (r.max, r.greatest) = (v, row);
        }
    });
    range
}

/// Rows with the least and the greatest string.
fn text_ends(values: &ArrayRef, nulls: Option<&NullBuffer>) -> Option<(usize, usize)> {
    fn ends<'a>(
        n: usize,
        nulls: Option<&NullBuffer>,
        get: impl Fn(usize) -> &'a [u8],
    ) -> Option<(usize, usize)> {
        let mut ends: Option<(usize, usize)> = None;
        for row in (0..n).filter(|r| nulls.is_none_or(|n| n.is_valid(*r))) {
            let (least, greatest) = ends.get_or_insert((row, row));
            if get(row) < get(*least) {
                *least = row;
            }
            if get(row) > get(*greatest) {
                *greatest = row;
            }
        }
        ends
    }
    match values.data_type() {
        ArrowType::Utf8View => {
            let a = values.as_string_view();
            ends(a.len(), nulls, |row| a.value(row).as_bytes())
        }
        ArrowType::BinaryView => {
            let a = values.as_binary_view();
            ends(a.len(), nulls, |row| a.value(row))
        }
        _ => None,
    }
}

fn bitmap(values: &ArrayRef, nulls: Option<&NullBuffer>, range: Range) -> Vec<u64> {
    let mut bits = vec![0u64; (range.span() as usize).div_ceil(64)];
    each_word(values, &mut |row, word| {
        if nulls.is_none_or(|n| n.is_valid(row)) {
            let at = (word as i64).wrapping_sub(range.min) as u64;
            bits[(at / 64) as usize] |= 1 << (at % 64);
        }
    });
    bits
}

/// The word of a hash, and the bits it sets there.
#[inline(always)]
fn place(hash: u64, words: usize) -> (usize, u64) {
    let mask = 1 << (hash & 63) | 1 << (hash >> 6 & 63) | 1 << (hash >> 12 & 63) | 1u64 << (hash >> 18 & 63);
    ((hash >> 32) as usize & (words - 1), mask)
}

fn bloom(values: &ArrayRef, nulls: Option<&NullBuffer>, rows: usize) -> Result<Vec<u64>> {
    let mut words = vec![0u64; (rows * BITS_PER_ROW).div_ceil(64).next_power_of_two()];
    let hashes = hash_columns(std::slice::from_ref(values), values.len())?;
    let n = words.len();
    for (row, hash) in hashes.into_iter().enumerate() {
        if nulls.is_none_or(|n| n.is_valid(row)) {
            let (at, mask) = place(hash, n);
            words[at] |= mask;
        }
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hashing::testing::{canonical, column, key_types};
    use arrow::array::{Int64Array, StringViewArray};
    use proptest::prelude::*;
    use std::sync::Arc;

    fn literals(bounds: &(Literal, Literal)) -> (ArrayRef, ArrayRef) {
        (bounds.0.to_array(1).unwrap(), bounds.1.to_array(1).unwrap())
    }

    proptest! {
        #[test]
        fn values_of_the_build_side_pass(types in prop::sample::select(key_types()),
                                         build in prop::collection::vec(prop::option::of(0u8..8), 0..40),
                                         probe in prop::collection::vec(prop::option::of(0u8..8), 1..40)) {
            let t = &types[0];
            let filter = KeyFilter::new(&column(t, &build), t).unwrap().unwrap();
            let passed = filter.test(&column(t, &probe)).unwrap();
            prop_assert_eq!(passed.null_count(), 0);
            for (i, v) in probe.iter().enumerate() {
                let v = canonical(t, *v);
                let there = v.is_some() && build.iter().any(|b| canonical(t, *b) == v);
                // Small sets are exact.
                prop_assert_eq!(passed.value(i), there);
            }
            prop_assert_eq!(filter.is_empty(), build.iter().all(|v| canonical(t, *v).is_none()));
        }
    }

    #[test]
    fn large_sets_let_few_others_pass() {
        let mix = |i: i64| i.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64);
        let build: ArrayRef = Arc::new(Int64Array::from_iter_values((0..100_000).map(mix)));
        let filter = KeyFilter::new(&build, &DataType::Long).unwrap().unwrap();
        assert!(matches!(filter.members, Members::Bloom(_)));
        assert_eq!(filter.test(&build).unwrap().true_count(), 100_000);
        let others: ArrayRef = Arc::new(Int64Array::from_iter_values((100_000..200_000).map(mix)));
        let passed = filter.test(&others).unwrap().true_count();
        assert!(passed < 3_000, "{passed} of 100,000");
    }

    #[test]
    fn bounds_are_the_ends() {
        let longs: ArrayRef = Arc::new(Int64Array::from(vec![Some(7), None, Some(-3), Some(1 << 50)]));
        let filter = KeyFilter::new(&longs, &DataType::Long).unwrap().unwrap();
        let (low, high) = literals(&filter.bounds().unwrap());
        assert_eq!((low.as_ref(), high.as_ref()), (longs.slice(2, 1).as_ref(), longs.slice(3, 1).as_ref()));
        let texts: ArrayRef =
            Arc::new(StringViewArray::from(vec![Some("b"), Some("a long string, the least"), None]));
        let filter = KeyFilter::new(&texts, &DataType::String).unwrap().unwrap();
        let (low, high) = literals(&filter.bounds().unwrap());
        assert_eq!((low.as_ref(), high.as_ref()), (texts.slice(1, 1).as_ref(), texts.slice(0, 1).as_ref()));
    }
}
