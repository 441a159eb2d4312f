//! The one door to casts.

use arrow::array::ArrayRef;
use vonk_error::Result;
use vonk_types::cast::cast_array;
use vonk_types::{CastMode, DataType, EvalContext};

/// Casts an array between Spark types.
pub(crate) fn cast(
    array: &ArrayRef,
    from: &DataType,
    to: &DataType,
    mode: CastMode,
    ctx: &EvalContext,
) -> Result<ArrayRef> {
    cast_array(array, from, to, mode, ctx)
}
