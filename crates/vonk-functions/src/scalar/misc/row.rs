//! What depends on the row's place: ids, partitions, files.

use crate::resolve::Arity;
use crate::scalar::{Display, ScalarFunction, Volatility};
use arrow::array::{Int32Array, Int64Array, StringViewArray};
use std::sync::Arc;
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
    ]
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
