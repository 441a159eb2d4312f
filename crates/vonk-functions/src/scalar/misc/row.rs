//! What depends on the row's place: ids, partitions, files.

use crate::kernel::KernelCall;
use crate::resolve::Arity;
use crate::scalar::{Display, ScalarFunction, Volatility};
use arrow::array::{ArrayRef, Int32Array, Int64Array, StringViewArray};
use std::fmt::Write;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use vonk_error::Result;
use vonk_types::DataType;

pub(super) fn rows() -> Vec<ScalarFunction> {
    let mut rows = placed();
    rows.extend(files());
    rows
}

fn volatile(row: ScalarFunction) -> ScalarFunction {
    ScalarFunction { can_fail: false, volatility: Volatility::Volatile, null_propagating: false, ..row }
}

fn placed() -> Vec<ScalarFunction> {
    vec![
        volatile(ScalarFunction::new(
            "monotonically_increasing_id",
            docs!(Misc, "monotonically_increasing_id()", "A number that grows from row to row: partition × 2³³ + row.", "1.4.0", [
                "SELECT monotonically_increasing_id()" => "0",
            ]),
            Arity::exactly(0),
            |site| site.returns_value(vec![], DataType::Long),
            |call| {
                let first = i64::from(call.position.partition) << 33 | call.position.first_row as i64;
                Ok(Arc::new(Int64Array::from_iter_values(first..first + call.rows as i64)))
            },
        )),
        ScalarFunction {
            display: Display::Custom(|_, _| "SPARK_PARTITION_ID()".to_string()),
            ..volatile(ScalarFunction::new(
                "spark_partition_id",
                docs!(Misc, "spark_partition_id()", "The partition.", "1.4.0", ["SELECT spark_partition_id()" => "0"]),
                Arity::exactly(0),
                |site| site.returns_value(vec![], DataType::Int),
                |call| Ok(Arc::new(Int32Array::from_value(call.position.partition as i32, call.rows))),
            ))
        },
        volatile(ScalarFunction::new(
            "uuid",
            docs!(Misc, "uuid()", "A random universally unique identifier.", "2.3.0", [
                "SELECT length(uuid())" => "36",
            ]),
            Arity::exactly(0),
            |site| site.returns_value(vec![], DataType::String),
            uuids,
        )),
    ]
}

/// Version 4: 122 random bits.
fn uuids(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let state = RandomState::new();
    call.each_str(|row, out| {
        let high = state.hash_one((row, 0u8)) & !0xF000 | 0x4000;
        let low = state.hash_one((row, 1u8)) & !(3 << 62) | 1 << 63;
        // Writing to a String does not fail.
        let _ = write!(
            out,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            high >> 16 & 0xFFFF,
            high & 0xFFFF,
            low >> 48,
            low & 0xFFFF_FFFF_FFFF
        );
        Ok(true)
    })
}

fn files() -> Vec<ScalarFunction> {
    vec![
        volatile(ScalarFunction::new(
            "input_file_name",
            docs!(Misc, "input_file_name()", "The file that is read; empty, as it is not known.", "1.5.0", [
                "SELECT input_file_name()" => "",
            ]),
            Arity::exactly(0),
            |site| site.returns_value(vec![], DataType::String),
            |call| Ok(Arc::new(StringViewArray::from_iter_values(std::iter::repeat_n("", call.rows)))),
        )),
        volatile(ScalarFunction::new(
            "input_file_block_start",
            docs!(Misc, "input_file_block_start()", "Where the block that is read begins; -1, as it is not known.", "2.2.0", [
                "SELECT input_file_block_start()" => "-1",
            ]),
            Arity::exactly(0),
            |site| site.returns_value(vec![], DataType::Long),
            |call| Ok(Arc::new(Int64Array::from_value(-1, call.rows))),
        )),
        volatile(ScalarFunction::new(
            "input_file_block_length",
            docs!(Misc, "input_file_block_length()", "The length of the block that is read; -1, as it is not known.", "2.2.0", [
                "SELECT input_file_block_length()" => "-1",
            ]),
            Arity::exactly(0),
            |site| site.returns_value(vec![], DataType::Long),
            |call| Ok(Arc::new(Int64Array::from_value(-1, call.rows))),
        )),
    ]
}

#[cfg(test)]
mod tests {
    use crate::scalar::testing::*;

    #[test]
    fn unique() {
        let ids = run("uuid", &[]);
        assert_eq!((ids[0].len(), ids[0].as_bytes()[14]), (36, b'4'));
    }
}
