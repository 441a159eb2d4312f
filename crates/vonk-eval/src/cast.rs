//! The one door to casts.

use arrow::array::ArrayRef;
use vonk_error::Result;
use vonk_types::{CastMode, DataType, EvalContext};

/// Casts an array between Spark types.
pub(crate) fn cast(
    array: &ArrayRef,
    from: &DataType,
    to: &DataType,
    _mode: CastMode,
    _ctx: &EvalContext,
) -> Result<ArrayRef> {
    if from == to || array.data_type() == &to.to_arrow() {
        return Ok(array.clone());
    }
    vonk_error::internal_err!("cast of {from} to {to} before vonk_types has casts")
}
