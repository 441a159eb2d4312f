//! Hashes of rows for the hash partitioner: column by column over whole arrays.
//!
//! Fixed for all processes of a version: map tasks on different machines must agree. Seeds differ from those of hash tables,
//! so that the rows of one partition spread over the buckets of a table.

use arrow::array::{Array, ArrayRef, AsArray, GenericByteViewArray};
use arrow::datatypes::{ByteViewType, DataType as ArrowType, Float32Type, Float64Type};
use vonk_error::Result;

const SEED: u64 = 0x9ae1_6a3b_2f90_404f;
const MULTIPLIER: u64 = 0xc6a4_a793_5bd1_e995;
const NULL: u64 = 0x5851_f42d_4c95_7f2d;

/// Folds a 128-bit product: every bit of the factors reaches every bit of the result.
#[inline(always)]
fn fold(a: u64, b: u64) -> u64 {
    let r = u128::from(a) * u128::from(b);
    (r as u64) ^ ((r >> 64) as u64)
}

#[inline(always)]
fn next(h: u64, x: u64) -> u64 {
    fold(h ^ x, MULTIPLIER).wrapping_add(SEED)
}

/// One hash per row over all columns, in order.
pub(crate) fn hash_columns(columns: &[ArrayRef], rows: usize) -> Result<Vec<u64>> {
    let mut hashes = vec![SEED; rows];
    for c in columns {
        hash_into(c, &mut hashes)?;
    }
    // A last round: the low entropy of small numbers must reach the high bits.
    hashes.iter_mut().for_each(|h| *h = fold(*h ^ (*h >> 29), SEED));
    Ok(hashes)
}

/// Adds a column to the hashes.
fn hash_into(array: &ArrayRef, hashes: &mut [u64]) -> Result<()> {
    match array.data_type() {
        ArrowType::Null => each(array, hashes, |_| NULL),
        ArrowType::Boolean => {
            let a = array.as_boolean();
            each(array, hashes, |i| u64::from(a.value(i)));
        }
        ArrowType::Float32 => {
            let v = array.as_primitive::<Float32Type>().values();
            each(array, hashes, |i| u64::from(if v[i].is_nan() { f32::NAN } else { v[i] + 0.0 }.to_bits()));
        }
        ArrowType::Float64 => {
            let v = array.as_primitive::<Float64Type>().values();
            each(array, hashes, |i| if v[i].is_nan() { f64::NAN } else { v[i] + 0.0 }.to_bits());
        }
        ArrowType::Utf8View => hash_views(array, array.as_string_view(), hashes),
        ArrowType::BinaryView => hash_views(array, array.as_binary_view(), hashes),
        ArrowType::Struct(_) => {
            let s = array.as_struct();
            let mut inner = vec![SEED; s.len()];
            s.columns().iter().try_for_each(|c| hash_into(c, &mut inner))?;
            each(array, hashes, |i| inner[i]);
        }
        ArrowType::List(_) => {
            let list = array.as_list::<i32>();
            let mut inner = vec![SEED; list.values().len()];
            hash_into(list.values(), &mut inner)?;
            let offsets = list.value_offsets();
            each(array, hashes, |i| {
                let part = &inner[offsets[i] as usize..offsets[i + 1] as usize];
                part.iter().fold(part.len() as u64, |h, x| next(h, *x))
            });
        }
        ArrowType::Map(..) => {
            let map = array.as_map();
            let mut inner = vec![SEED; map.entries().len()];
            map.entries().columns().iter().try_for_each(|c| hash_into(c, &mut inner))?;
            let offsets = map.value_offsets();
            // Entries have no order.
            each(array, hashes, |i| {
                let part = &inner[offsets[i] as usize..offsets[i + 1] as usize];
                part.iter().fold(part.len() as u64, |h, x| h.wrapping_add(*x))
            });
        }
        _ => hash_fixed(array, hashes)?,
    }
    Ok(())
}

/// Numbers, dates, decimals and the like by the bits of their values.
fn hash_fixed(array: &ArrayRef, hashes: &mut [u64]) -> Result<()> {
    let data = array.to_data();
    let Some(width) = array.data_type().primitive_width() else {
        return vonk_error::internal_err!("no hash of {}", array.data_type());
    };
    let bytes = &data.buffers()[0].as_slice()[data.offset() * width..];
    macro_rules! words {
        ($t:ty, $read:expr) => {{
            let (values, _) = bytes.as_chunks::<{ size_of::<$t>() }>();
            let read: fn($t) -> u64 = $read;
            each(array, hashes, |i| read(<$t>::from_le_bytes(values[i])))
        }};
    }
    match width {
        1 => words!(u8, u64::from),
        2 => words!(u16, u64::from),
        4 => words!(u32, u64::from),
        8 => words!(u64, |x| x),
        16 => words!(u128, |x| fold(x as u64 ^ SEED, (x >> 64) as u64 ^ MULTIPLIER)),
        other => return vonk_error::internal_err!("no hash of values of {other} bytes"),
    }
    Ok(())
}

/// Mixes `word(row)` into each hash, or the mark of nulls.
#[inline(always)]
fn each(array: &ArrayRef, hashes: &mut [u64], word: impl Fn(usize) -> u64) {
    match array.logical_nulls().filter(|n| n.null_count() > 0) {
        None => hashes.iter_mut().enumerate().for_each(|(i, h)| *h = next(*h, word(i))),
        Some(nulls) => {
            for (i, h) in hashes.iter_mut().enumerate() {
                *h = next(*h, if nulls.is_valid(i) { word(i) } else { NULL });
            }
        }
    }
}

fn hash_views<T: ByteViewType + ?Sized>(
    array: &ArrayRef,
    views: &GenericByteViewArray<T>,
    hashes: &mut [u64],
) {
    let (words, buffers) = (views.views(), views.data_buffers());
    each(array, hashes, |i| {
        let view = words[i];
        let length = view as u32;
        if length <= 12 {
            return fold(view as u64 ^ SEED, (view >> 64) as u64 ^ MULTIPLIER);
        }
        let (buffer, offset) = ((view >> 64) as u32 as usize, (view >> 96) as u32 as usize);
        hash_bytes(&buffers[buffer].as_slice()[offset..offset + length as usize])
    });
}

/// Sixteen bytes at a time; the rest padded with zeros, told apart by the length.
fn hash_bytes(bytes: &[u8]) -> u64 {
    let mut h = bytes.len() as u64 ^ SEED;
    let (chunks, rest) = bytes.as_chunks::<16>();
    for c in chunks {
        let x = u128::from_le_bytes(*c);
        h = fold(h ^ x as u64, (x >> 64) as u64 ^ MULTIPLIER);
    }
    if !rest.is_empty() {
        let mut last = [0u8; 16];
        last[..rest.len()].copy_from_slice(rest);
        let x = u128::from_le_bytes(last);
        h = fold(h ^ x as u64, (x >> 64) as u64 ^ MULTIPLIER);
    }
    h
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Float64Array, Int32Array, ListArray, StringViewArray};
    use arrow::datatypes::Int32Type;
    use std::collections::HashSet;
    use std::sync::Arc;

    fn hashes(a: impl Array + 'static) -> Vec<u64> {
        let a: ArrayRef = Arc::new(a);
        hash_columns(std::slice::from_ref(&a), a.len()).unwrap()
    }

    #[test]
    fn equal_values_have_equal_hashes() {
        let negative_nan = f64::from_bits(f64::NAN.to_bits() | 1 << 63);
        let h = hashes(Float64Array::from(vec![0.0, -0.0, f64::NAN, negative_nan, 1.0]));
        assert_eq!((h[0], h[2]), (h[1], h[3]));
        assert!(h[0] != h[2] && h[0] != h[4]);

        let text = "a text of more than twelve bytes";
        let whole = StringViewArray::from(vec!["short", text, "short", text]);
        let h = hashes(whole.clone());
        assert_eq!((h[0], h[1]), (h[2], h[3]));
        assert_eq!(hashes(whole.slice(3, 1).gc())[0], h[3]);
    }

    #[test]
    fn slices_hash_as_copies_and_nulls_are_values() {
        let a = Int32Array::from(vec![Some(1), None, Some(3), Some(1)]);
        let h = hashes(a.clone());
        assert_eq!(hashes(a.slice(2, 2)), h[2..]);
        assert_eq!(h[0], h[3]);
        assert_eq!(
            hashes(Int32Array::from(vec![0, 1]))[1],
            h[0],
            "whether there are nulls around changes nothing"
        );
        let l = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![
            Some(vec![Some(1), Some(2)]),
            Some(vec![Some(2), Some(1)]),
            None,
            Some(vec![]),
            Some(vec![Some(1), Some(2)]),
        ]);
        let h = hashes(l.clone());
        assert_eq!(h[0], h[4]);
        assert_eq!(h.iter().collect::<HashSet<_>>().len(), 4);
        assert_eq!(hashes(l.slice(1, 4)), h[1..]);
    }
}
