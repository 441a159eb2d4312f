//! No cast panics or overflows, whatever the values: extremes and noise of every type to every type in every mode.

#![allow(clippy::unwrap_used)] // tests

use arrow::array::{ArrayData, ArrayRef, BinaryViewArray, BooleanArray, StringViewArray, make_array};
use arrow::buffer::Buffer;
use std::sync::Arc;
use vonk_types::cast::{can_cast, cast_array};
use vonk_types::context::SessionZone;
use vonk_types::parse::parse_data_type;
use vonk_types::text::hive_text;
use vonk_types::{CastMode, DataType, EvalContext};

const TYPES: &[&str] = &[
    "boolean",
    "tinyint",
    "smallint",
    "int",
    "bigint",
    "float",
    "double",
    "decimal(1,0)",
    "decimal(5,5)",
    "decimal(18,9)",
    "decimal(19,0)",
    "decimal(38,0)",
    "decimal(38,38)",
    "string",
    "binary",
    "date",
    "timestamp",
    "timestamp_ntz",
    "interval year",
    "interval year to month",
    "interval day",
    "interval day to second",
    "interval second",
    "interval",
];

struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Small, huge or anything, by chance.
    fn bits(&mut self) -> u128 {
        let wide = (self.next() as u128) << 64 | self.next() as u128;
        match self.next() % 5 {
            0 => (self.next() % 7) as u128,
            1 => (self.next() % 7).wrapping_neg() as i64 as i128 as u128,
            2 => i128::MAX as u128 >> (self.next() % 128),
            3 => (i128::MIN >> (self.next() % 128)) as u128,
            _ => wide >> (self.next() % 128),
        }
    }

    fn text(&mut self) -> String {
        const PARTS: &[&str] = &[
            "1",
            "9",
            "0",
            "-",
            "+",
            ".",
            ":",
            " ",
            "T",
            "e",
            "E",
            "d",
            "x",
            "p",
            "é",
            "\u{0}",
            "\t",
            "2020",
            "-01",
            "31",
            "23:59:59",
            "Z",
            "UTC",
            "+18",
            "inf",
            "nan",
            "true",
            "interval",
            "'",
            "year",
            "days",
            "9999999999",
            "999999999999999999999999",
            "to",
            "month",
            "Europe/Paris",
            "second",
            "\u{a0}",
        ];
        let n = self.next() % 8;
        (0..n).map(|_| PARTS[self.next() as usize % PARTS.len()]).collect()
    }

    fn array(&mut self, t: &DataType, n: usize) -> ArrayRef {
        match t {
            DataType::Boolean => {
                Arc::new(BooleanArray::from_iter((0..n).map(|_| Some(self.next() & 1 == 1))))
            }
            DataType::String => Arc::new(StringViewArray::from_iter_values((0..n).map(|_| self.text()))),
            DataType::Binary => {
                let bytes: Vec<Vec<u8>> = (0..n).map(|_| self.next().to_be_bytes()[..3].to_vec()).collect();
                Arc::new(BinaryViewArray::from_iter_values(bytes))
            }
            t => {
                let arrow = t.to_arrow();
                let width = arrow.primitive_width().unwrap();
                let mut bytes = Vec::new();
                for _ in 0..n {
                    let mut bits = self.bits() as i128;
                    if let DataType::Decimal(p, _) = t {
                        bits %= vonk_types::decimal::POW10[*p as usize];
                    }
                    bytes.extend_from_slice(&bits.to_le_bytes()[..width]);
                }
                // Aligned for 128 bits by way of a vector of them.
                let mut words = vec![0i128; bytes.len().div_ceil(16)];
                for (word, chunk) in words.iter_mut().zip(bytes.chunks(16)) {
                    let mut full = [0u8; 16];
                    full[..chunk.len()].copy_from_slice(chunk);
                    *word = i128::from_le_bytes(full);
                }
                let data =
                    ArrayData::builder(arrow).len(n).add_buffer(Buffer::from_vec(words)).build().unwrap();
                make_array(data)
            }
        }
    }
}

#[test]
fn noise_casts_quietly() {
    let mut noise = Noise(0x9E37_79B9_7F4A_7C15);
    let zones = ["UTC", "America/Los_Angeles", "Asia/Kathmandu", "+18:00"];
    for (round, zone) in zones.iter().enumerate() {
        let time_zone = SessionZone::parse(zone).unwrap();
        for from_text in TYPES {
            let from = parse_data_type(from_text).unwrap();
            let array = noise.array(&from, 64);
            for row in 0..array.len() {
                hive_text(
                    array.as_ref(),
                    row,
                    &from,
                    &EvalContext { time_zone: time_zone.clone(), ..Default::default() },
                )
                .unwrap();
            }
            for to_text in TYPES {
                let to = parse_data_type(to_text).unwrap();
                for mode in [CastMode::Ansi, CastMode::Legacy, CastMode::Try] {
                    if !can_cast(&from, &to, mode) {
                        continue;
                    }
                    let ctx = EvalContext {
                        ansi: mode != CastMode::Legacy,
                        time_zone: time_zone.clone(),
                        ..Default::default()
                    };
                    check(&array, (&from, &to), mode, &ctx, round);
                }
            }
        }
    }
}

fn check(array: &ArrayRef, types: (&DataType, &DataType), mode: CastMode, ctx: &EvalContext, round: usize) {
    let (from, to) = types;
    match cast_array(array, from, to, mode, ctx) {
        Ok(out) => {
            assert_eq!(out.len(), array.len());
            assert_eq!(out.data_type(), &to.to_arrow());
            out.to_data().validate_full().unwrap_or_else(|e| panic!("{from} to {to}: {e}"));
        }
        // Errors are the user's, never ours; try_cast has none.
        Err(e) => {
            assert_ne!(e.condition(), "INTERNAL_ERROR", "{from} to {to}, {round}: {e}");
            assert_ne!(mode, CastMode::Try, "{from} to {to}: {e}");
            // Row by row tells the same.
            let alone =
                (0..array.len()).any(|i| cast_array(&array.slice(i, 1), from, to, mode, ctx).is_err());
            assert!(alone, "{from} to {to}: {e}");
        }
    }
}
