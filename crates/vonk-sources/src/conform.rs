//! Brings foreign Arrow arrays into the engine's one Arrow type per Spark type.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{
    DataType as ArrowType, Decimal64Type, Decimal128Type, SchemaRef, TimeUnit, TimestampNanosecondType,
};
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_types::DataType;

/// An array in the engine's type for `to`. The data must be of that Spark type (or one that widens to it); values that do not
/// fit are an error, never a null.
pub fn conform(array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    let wanted = to.to_arrow();
    if *array.data_type() == wanted {
        return Ok(array.clone());
    }
    if array.null_count() == array.len() {
        return Ok(new_null_array(&wanted, array.len()));
    }
    match (array.data_type(), &wanted) {
        // Same digits, other width: no check of values is needed when widening.
        (ArrowType::Decimal64(p, s), ArrowType::Decimal128(q, t)) if s == t && p <= q => {
            let wide = array.as_primitive::<Decimal64Type>().unary::<_, Decimal128Type>(i128::from);
            return Ok(Arc::new(wide.with_precision_and_scale(*q, *t)?));
        }
        (ArrowType::Decimal128(p, s), ArrowType::Decimal64(q, t)) if s == t && p <= q => {
            // The declared precision bounds the digits, so each value fits; a file that lies gets an error.
            let narrow = array.as_primitive::<Decimal128Type>().try_unary::<_, Decimal64Type, _>(|v| {
                i64::try_from(v).map_err(|_| Error::internal("decimal beyond its declared precision"))
            })?;
            return Ok(Arc::new(narrow.with_precision_and_scale(*q, *t)?));
        }
        // Nanoseconds are cut towards the past, as Spark reads INT96.
        (
            ArrowType::Timestamp(TimeUnit::Nanosecond, _),
            ArrowType::Timestamp(TimeUnit::Microsecond, zone),
        ) => {
            let micros = array
                .as_primitive::<TimestampNanosecondType>()
                .unary::<_, arrow::datatypes::TimestampMicrosecondType>(|v| v.div_euclid(1000));
            return Ok(Arc::new(micros.with_timezone_opt(zone.clone())));
        }
        _ => {}
    }
    let options = CastOptions { safe: false, ..Default::default() };
    Ok(cast_with_options(array, &wanted, &options)?)
}

/// A batch that may have no columns.
pub(crate) fn with_rows(schema: SchemaRef, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(schema, columns, &options)?)
}
