//! Murmur3 of values, as Spark's `hash` computes it.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType as ArrowType, Decimal128Type, Float32Type, Float64Type, IntervalMonthDayNanoType,
};

fn mix_key(k: u32) -> u32 {
    k.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593)
}

fn mix(h: u32, k: u32) -> u32 {
    (h ^ mix_key(k)).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64)
}

fn finish(h: u32, length: u32) -> u32 {
    let mut h = h ^ length;
    h = (h ^ h >> 16).wrapping_mul(0x85eb_ca6b);
    h = (h ^ h >> 13).wrapping_mul(0xc2b2_ae35);
    h ^ h >> 16
}

fn int(value: i32, seed: u32) -> u32 {
    finish(mix(seed, value as u32), 4)
}

fn long(value: i64, seed: u32) -> u32 {
    finish(mix(mix(seed, value as u32), (value as u64 >> 32) as u32), 8)
}

/// Whole words, then each byte that is left as a word of its own.
pub(in crate::scalar) fn bytes(data: &[u8], seed: u32) -> u32 {
    let (words, rest) = data.as_chunks::<4>();
    let h = words.iter().fold(seed, |h, w| mix(h, u32::from_le_bytes(*w)));
    let h = rest.iter().fold(h, |h, b| mix(h, *b as i8 as i32 as u32));
    finish(h, data.len() as u32)
}

/// A decimal wider than 64 bits hashes as the shortest big-endian two's complement.
fn big_integer(value: i128, seed: u32) -> u32 {
    let be = value.to_be_bytes();
    let sign = if value < 0 { 0xFF } else { 0 };
    let mut start = 0;
    while start < 15 && be[start] == sign && (be[start + 1] & 0x80) == (sign & 0x80) {
        start += 1;
    }
    bytes(&be[start..], seed)
}

/// Hashes each row on top of its seed; a null leaves the seed as it is.
pub(super) fn hash_rows(array: &ArrayRef, seeds: &mut [u32]) {
    let nulls = array.logical_nulls();
    let valid = |row: usize| nulls.as_ref().is_none_or(|n| n.is_valid(row));
    let mut each = |f: &dyn Fn(usize, u32) -> u32| {
        for (row, seed) in seeds.iter_mut().enumerate() {
            if valid(row) {
                *seed = f(row, *seed);
            }
        }
    };
    match array.data_type() {
        ArrowType::Null => {}
        ArrowType::Boolean => {
            let a = array.as_boolean();
            each(&|row, seed| int(i32::from(a.value(row)), seed));
        }
        ArrowType::Float32 => {
            let a = array.as_primitive::<Float32Type>();
            each(&|row, seed| {
                let x = a.value(row);
                int(if x.is_nan() { 0x7fc0_0000 } else { (x + 0.0).to_bits() as i32 }, seed)
            });
        }
        ArrowType::Float64 => {
            let a = array.as_primitive::<Float64Type>();
            each(&|row, seed| {
                let x = a.value(row);
                long(if x.is_nan() { 0x7ff8_0000_0000_0000 } else { (x + 0.0).to_bits() as i64 }, seed)
            });
        }
        ArrowType::Decimal128(..) => {
            let a = array.as_primitive::<Decimal128Type>();
            each(&|row, seed| big_integer(a.value(row), seed));
        }
        ArrowType::Interval(arrow::datatypes::IntervalUnit::MonthDayNano) => {
            let a = array.as_primitive::<IntervalMonthDayNanoType>();
            each(&|row, seed| {
                let v = a.value(row);
                int(v.months, int(v.days, long(v.nanoseconds / 1000, seed)))
            });
        }
        ArrowType::Utf8View => {
            let a = array.as_string_view();
            each(&|row, seed| bytes(a.value(row).as_bytes(), seed));
        }
        ArrowType::BinaryView => {
            let a = array.as_binary_view();
            each(&|row, seed| bytes(a.value(row), seed));
        }
        ArrowType::Struct(_) => {
            let mut hashed = seeds.to_vec();
            for column in array.as_struct().columns() {
                hash_rows(column, &mut hashed);
            }
            for (row, seed) in seeds.iter_mut().enumerate().filter(|(row, _)| valid(*row)) {
                *seed = hashed[row];
            }
        }
        ArrowType::List(_) => {
            let a = array.as_list::<i32>();
            each(&|row, seed| hash_elements(&a.value(row), seed));
        }
        other => fixed_width(array, other.primitive_width(), each),
    }
}

/// Integers and what is an integer underneath.
fn fixed_width(array: &ArrayRef, width: Option<usize>, mut each: impl FnMut(&dyn Fn(usize, u32) -> u32)) {
    let data = array.to_data();
    let Some(buffer) = data.buffers().first() else { return };
    let offset = data.offset();
    match width {
        Some(1) => {
            let a = &buffer.typed_data::<i8>()[offset..];
            each(&|row, seed| int(i32::from(a[row]), seed));
        }
        Some(2) => {
            let a = &buffer.typed_data::<i16>()[offset..];
            each(&|row, seed| int(i32::from(a[row]), seed));
        }
        Some(4) => {
            let a = &buffer.typed_data::<i32>()[offset..];
            each(&|row, seed| int(a[row], seed));
        }
        Some(8) => {
            let a = &buffer.typed_data::<i64>()[offset..];
            each(&|row, seed| long(a[row], seed));
        }
        _ => {}
    }
}

fn hash_elements(elements: &ArrayRef, seed: u32) -> u32 {
    (0..elements.len()).fold(seed, |seed, i| {
        let mut one = [seed];
        hash_rows(&elements.slice(i, 1), &mut one);
        one[0]
    })
}
