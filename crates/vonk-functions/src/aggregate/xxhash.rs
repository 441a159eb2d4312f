//! XXH64 of values, as Spark's sketches hash them.

use super::cells::as_bytes;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType as ArrowType, Decimal128Type, Float32Type, Float64Type, IntervalMonthDayNanoType,
};

const P1: u64 = 0x9E37_79B1_85EB_CA87;
const P2: u64 = 0xC2B2_AE3D_27D4_EB4F;
const P3: u64 = 0x1656_67B1_9E37_79F9;
const P4: u64 = 0x85EB_CA77_C2B2_AE63;
const P5: u64 = 0x27D4_EB2F_1656_67C5;

fn round(acc: u64, input: u64) -> u64 {
    acc.wrapping_add(input.wrapping_mul(P2)).rotate_left(31).wrapping_mul(P1)
}

fn avalanche(mut h: u64) -> u64 {
    h = (h ^ (h >> 33)).wrapping_mul(P2);
    h = (h ^ (h >> 29)).wrapping_mul(P3);
    h ^ (h >> 32)
}

fn word(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |acc, b| acc << 8 | u64::from(*b))
}

/// XXH64 of bytes.
pub(crate) fn xxh64(bytes: &[u8], seed: u64) -> u64 {
    let mut rest = bytes;
    let mut h = if bytes.len() >= 32 {
        let mut lanes =
            [seed.wrapping_add(P1).wrapping_add(P2), seed.wrapping_add(P2), seed, seed.wrapping_sub(P1)];
        while rest.len() >= 32 {
            for (lane, chunk) in lanes.iter_mut().zip(rest[..32].chunks_exact(8)) {
                *lane = round(*lane, word(chunk));
            }
            rest = &rest[32..];
        }
        let sum = lanes
            .iter()
            .zip([1, 7, 12, 18])
            .fold(0u64, |acc, (lane, by)| acc.wrapping_add(lane.rotate_left(by)));
        lanes.iter().fold(sum, |acc, lane| (acc ^ round(0, *lane)).wrapping_mul(P1).wrapping_add(P4))
    } else {
        seed.wrapping_add(P5)
    };
    h = h.wrapping_add(bytes.len() as u64);
    while rest.len() >= 8 {
        h = (h ^ round(0, word(&rest[..8]))).rotate_left(27).wrapping_mul(P1).wrapping_add(P4);
        rest = &rest[8..];
    }
    if rest.len() >= 4 {
        h = (h ^ word(&rest[..4]).wrapping_mul(P1)).rotate_left(23).wrapping_mul(P2).wrapping_add(P3);
        rest = &rest[4..];
    }
    for b in rest {
        h = (h ^ u64::from(*b).wrapping_mul(P5)).rotate_left(11).wrapping_mul(P1);
    }
    avalanche(h)
}

fn int(value: i32, seed: u64) -> u64 {
    xxh64(&value.to_le_bytes(), seed)
}

fn long(value: i64, seed: u64) -> u64 {
    xxh64(&value.to_le_bytes(), seed)
}

/// A decimal wider than 64 bits hashes as the shortest big-endian two's complement.
fn big_integer(value: i128, seed: u64) -> u64 {
    let bytes = value.to_be_bytes();
    let sign = if value < 0 { 0xFF } else { 0 };
    let mut start = 0;
    while start < 15 && bytes[start] == sign && (bytes[start + 1] & 0x80) == (sign & 0x80) {
        start += 1;
    }
    xxh64(&bytes[start..], seed)
}

/// Calls `f(row, hash)` for each row; a null leaves the seed as it is.
pub(crate) fn hash_rows(array: &ArrayRef, seeds: &mut [u64]) {
    let nulls = array.logical_nulls();
    let valid = |row: usize| nulls.as_ref().is_none_or(|n| n.is_valid(row));
    let mut each = |f: &dyn Fn(usize, u64) -> u64| {
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
        ArrowType::Utf8View | ArrowType::BinaryView => {
            let a = as_bytes(array);
            each(&|row, seed| xxh64(a.value(row), seed));
        }
        ArrowType::Struct(_) => {
            let a = array.as_struct();
            let mut hashed = seeds.to_vec();
            for column in a.columns() {
                hash_rows(column, &mut hashed);
            }
            each_from(seeds, &hashed, valid);
        }
        ArrowType::List(_) => {
            let a = array.as_list::<i32>();
            each(&|row, seed| hash_elements(&a.value(row), seed));
        }
        ArrowType::Map(..) => {
            let a = array.as_map();
            each(&|row, seed| {
                let entries = a.value(row);
                let (keys, values) = (entries.column(0), entries.column(1));
                (0..entries.len()).fold(seed, |seed, i| {
                    hash_elements(&values.slice(i, 1), hash_elements(&keys.slice(i, 1), seed))
                })
            });
        }
        other => {
            let data = array.to_data();
            let offset = data.offset();
            match other.primitive_width() {
                Some(1) => {
                    let a = &data.buffers()[0].typed_data::<i8>()[offset..];
                    each(&|row, seed| int(i32::from(a[row]), seed));
                }
                Some(2) => {
                    let a = &data.buffers()[0].typed_data::<i16>()[offset..];
                    each(&|row, seed| int(i32::from(a[row]), seed));
                }
                Some(4) => {
                    let a = &data.buffers()[0].typed_data::<i32>()[offset..];
                    each(&|row, seed| int(a[row], seed));
                }
                _ => {
                    let a = &data.buffers()[0].typed_data::<i64>()[offset..];
                    each(&|row, seed| long(a[row], seed));
                }
            }
        }
    }
}

fn each_from(seeds: &mut [u64], hashed: &[u64], valid: impl Fn(usize) -> bool) {
    for (row, seed) in seeds.iter_mut().enumerate() {
        if valid(row) {
            *seed = hashed[row];
        }
    }
}

fn hash_elements(elements: &ArrayRef, seed: u64) -> u64 {
    (0..elements.len()).fold(seed, |seed, i| {
        let mut one = [seed];
        hash_rows(&elements.slice(i, 1), &mut one);
        one[0]
    })
}
