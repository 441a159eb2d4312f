//! Places of numbers in bitmaps of 32768 bits, and their counts.

use crate::kernel::KernelCall;
use crate::resolve::Arity;
use crate::scalar::ScalarFunction;
use crate::scalar::params::{LONG, Takes};
use arrow::datatypes::Int64Type;
use vonk_types::DataType;

/// Bits of one bitmap.
const BITS: i64 = 8 * 4096;

pub(super) fn rows() -> Vec<ScalarFunction> {
    let place = |name, docs, kernel| ScalarFunction {
        can_fail: false,
        ..ScalarFunction::new(
            name,
            docs,
            Arity::exactly(1),
            |site| site.returns(site.take(&[LONG])?, DataType::Long),
            kernel,
        )
    };
    vec![
        place(
            "bitmap_bit_position",
            docs!(Misc, "bitmap_bit_position(child)", "The bit of a number in its bitmap.", "3.5.0", [
                "SELECT bitmap_bit_position(123)" => "122",
            ]),
            |call: &KernelCall<'_>| {
                call.map::<Int64Type, Int64Type>(
                    |n| {
                        if n > 0 { (n - 1) % BITS } else { n.wrapping_neg() % BITS }
                    },
                )
            },
        ),
        place(
            "bitmap_bucket_number",
            docs!(Misc, "bitmap_bucket_number(child)", "The bitmap that a number is in.", "3.5.0", [
                "SELECT bitmap_bucket_number(123)" => "1",
            ]),
            |call| call.map::<Int64Type, Int64Type>(|n| if n > 0 { 1 + (n - 1) / BITS } else { n / BITS }),
        ),
        ScalarFunction {
            can_fail: false,
            ..ScalarFunction::new(
                "bitmap_count",
                docs!(Misc, "bitmap_count(child)", "The number of bits set.", "3.5.0", [
                    "SELECT bitmap_count(X'FFFF')" => "16",
                ]),
                Arity::exactly(1),
                |site| site.returns(site.take(&[Takes::Only(DataType::Binary)])?, DataType::Long),
                |call| {
                    let bytes = call.bytes(0);
                    call.each::<Int64Type>(|row| {
                        Ok(Some(bytes.get(row).iter().map(|b| i64::from(b.count_ones())).sum()))
                    })
                },
            )
        },
    ]
}
