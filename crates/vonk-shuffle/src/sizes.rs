//! Bytes of arrays as they count for memory and shuffle sizes.
//!
//! Views count for the strings they show, not for the buffers they share: many batches may point into one page of a scan.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::DataType as ArrowType;

/// Bytes that the rows of a batch take.
pub fn batch_bytes(batch: &RecordBatch) -> u64 {
    batch.columns().iter().map(array_bytes).sum()
}

/// Bytes that the rows of an array take, without what it shares with its neighbours.
pub fn array_bytes(array: &ArrayRef) -> u64 {
    let rows = array.len() as u64;
    let nulls = if array.nulls().is_some() { rows / 8 } else { 0 };
    nulls
        + match array.data_type() {
            ArrowType::Utf8View => view_bytes(array.as_string_view().views()),
            ArrowType::BinaryView => view_bytes(array.as_binary_view().views()),
            ArrowType::Null => 0,
            ArrowType::Boolean => rows / 8,
            ArrowType::Struct(_) => array.as_struct().columns().iter().map(array_bytes).sum(),
            ArrowType::List(_) => {
                let list = array.as_list::<i32>();
                4 * rows + part(list.values(), list.value_offsets())
            }
            ArrowType::Map(_, _) => {
                let map = array.as_map();
                let entries: ArrayRef = std::sync::Arc::new(map.entries().clone());
                4 * rows + part(&entries, map.value_offsets())
            }
            other => match other.primitive_width() {
                Some(width) => width as u64 * rows,
                None => array.to_data().get_slice_memory_size().unwrap_or(0) as u64,
            },
        }
}

/// The share of `values` between the first and the last offset.
fn part(values: &ArrayRef, offsets: &[i32]) -> u64 {
    let (Some(first), Some(last)) = (offsets.first(), offsets.last()) else { return 0 };
    let length = usize::try_from(last - first).unwrap_or(0);
    let start = usize::try_from(*first).unwrap_or(0);
    if start + length > values.len() { 0 } else { array_bytes(&values.slice(start, length)) }
}

/// 16 bytes a view, and the text of those longer than the 12 bytes a view holds itself.
fn view_bytes(views: &[u128]) -> u64 {
    let long = |v: &u128| {
        let length = *v as u32;
        if length > 12 { u64::from(length) } else { 0 }
    };
    16 * views.len() as u64 + views.iter().map(long).sum::<u64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Int32Array, StringViewArray};
    use std::sync::Arc;

    #[test]
    fn slices_count_for_themselves() {
        let ints: ArrayRef = Arc::new(Int32Array::from_iter_values(0..1000));
        assert_eq!(array_bytes(&ints.slice(10, 10)), 40);
        let text: ArrayRef =
            Arc::new(StringViewArray::from_iter_values(["short", "a text of more than twelve bytes"]));
        assert_eq!(array_bytes(&text), 32 + 32);
        assert_eq!(array_bytes(&text.slice(0, 1)), 16);
    }
}
