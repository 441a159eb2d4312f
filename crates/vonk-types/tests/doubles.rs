//! The text of floats and doubles against Spark's (Java 17) in `doubles.tsv`: kind (`d` or `f`), bits, text.

#![allow(clippy::unwrap_used)] // tests

use vonk_types::number::{format_f32, format_f64, parse_f64};

#[test]
fn floating_point_numbers_print_as_in_spark() {
    let mut wrong = Vec::new();
    for line in include_str!("doubles.tsv").lines() {
        let mut cells = line.split('\t');
        let (kind, bits, text) = (cells.next().unwrap(), cells.next().unwrap(), cells.next().unwrap());
        let bits = u64::from_str_radix(bits, 16).unwrap();
        let got = match kind {
            "d" => {
                assert_eq!(parse_f64(text), Some(f64::from_bits(bits)), "{text}");
                format_f64(f64::from_bits(bits))
            }
            _ => format_f32(f32::from_bits(bits as u32)),
        };
        if got != text {
            wrong.push(format!("{kind} {bits:x}: {got} instead of {text}"));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}
