//! Batches as memory: their size, and freeing them of what they share.

use arrow::array::{
    Array, ArrayRef, AsArray, GenericByteViewArray, ListArray, MapArray, RecordBatch, RecordBatchOptions,
    StructArray,
};
use arrow::compute::concat_batches;
use arrow::datatypes::{ByteViewType, DataType as ArrowType, SchemaRef};
use std::sync::Arc;
use vonk_error::Result;

/// A batch that may have no columns.
pub(crate) fn with_rows(schema: &SchemaRef, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(schema.clone(), columns, &options)?)
}

/// Bytes of the values of a batch: what it would take without sharing buffers. Quick enough to be asked of every batch.
pub fn batch_bytes(batch: &RecordBatch) -> usize {
    batch.columns().iter().map(array_bytes).sum()
}

/// Bytes of the values of an array, as [`batch_bytes`].
pub fn array_bytes(array: &ArrayRef) -> usize {
    let rows = array.len();
    let nulls = if array.nulls().is_some() { rows.div_ceil(8) } else { 0 };
    nulls
        + match array.data_type() {
            ArrowType::Null => 0,
            ArrowType::Boolean => rows.div_ceil(8),
            ArrowType::Utf8View => view_bytes(array.as_string_view()),
            ArrowType::BinaryView => view_bytes(array.as_binary_view()),
            ArrowType::Struct(_) => array.as_struct().columns().iter().map(array_bytes).sum(),
            ArrowType::List(_) => {
                let list = array.as_list::<i32>();
                4 * rows + part_bytes(list.values(), list.value_offsets())
            }
            ArrowType::Map(..) => {
                let map = array.as_map();
                let entries = map.entries().columns().iter();
                4 * rows + entries.map(|c| part_bytes(c, map.value_offsets())).sum::<usize>()
            }
            t => match t.primitive_width() {
                Some(width) => rows * width,
                None => array.get_array_memory_size(),
            },
        }
}

/// Bytes of the values that a list's offsets point at.
fn part_bytes(values: &ArrayRef, offsets: &[i32]) -> usize {
    match (offsets.first(), offsets.last()) {
        (Some(a), Some(b)) if b > a => array_bytes(&values.slice(*a as usize, (b - a) as usize)),
        _ => 0,
    }
}

fn view_bytes<T: ByteViewType + ?Sized>(array: &GenericByteViewArray<T>) -> usize {
    array.len() * 16 + long_bytes(array)
}

/// Bytes of the strings that do not fit into their views.
fn long_bytes<T: ByteViewType + ?Sized>(array: &GenericByteViewArray<T>) -> usize {
    if array.data_buffers().is_empty() {
        return 0;
    }
    let long = |v: &u128| {
        let n = *v as u32 as usize;
        if n > 12 { n } else { 0 }
    };
    array.views().iter().map(long).sum()
}

/// Batches as one, without more buffers than it needs.
///
/// Strings of a concatenation point into the buffers of all its parts, and everything made of it carries the list of these along:
/// a join of small batches with small batches would have as many buffers as there are pairs of them, in each batch of its output.
pub(crate) fn concatenated(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<RecordBatch> {
    let whole = concat_batches(schema, batches)?;
    let columns = whole.columns().iter().map(few_buffers).collect();
    with_rows(schema, columns, whole.num_rows())
}

/// The array with its strings copied together if they lie in many small buffers.
pub(crate) fn few_buffers(array: &ArrayRef) -> ArrayRef {
    match array.data_type() {
        ArrowType::Utf8View => few_view_buffers(array, array.as_string_view()),
        ArrowType::BinaryView => few_view_buffers(array, array.as_binary_view()),
        _ => array.clone(),
    }
}

/// Fewer buffers do not matter.
const FEW_BUFFERS: usize = 32;
/// Larger buffers are better carried along than copied.
const SMALL_BUFFER: usize = 16 << 10;

fn few_view_buffers<T: ByteViewType + ?Sized>(array: &ArrayRef, view: &GenericByteViewArray<T>) -> ArrayRef {
    let buffers = view.data_buffers().len();
    // Counted by what is used: a buffer that stands in the list again and again is a small one each time.
    let many = buffers > FEW_BUFFERS && long_bytes(view) / buffers < SMALL_BUFFER;
    if many { Arc::new(view.gc()) } else { array.clone() }
}

/// The batch without buffers that it uses only a part of. Buffers that are well used are kept, not copied.
pub fn compact(batch: &RecordBatch) -> Result<RecordBatch> {
    let columns = batch.columns().iter().map(compact_array).collect::<Result<Vec<_>>>()?;
    with_rows(&batch.schema(), columns, batch.num_rows())
}

/// As [`compact`], of one array: only views are looked at, since slices of other arrays are cut where they are written.
pub fn compact_array(array: &ArrayRef) -> Result<ArrayRef> {
    Ok(match array.data_type() {
        ArrowType::Utf8View => compact_view(array, array.as_string_view()),
        ArrowType::BinaryView => compact_view(array, array.as_binary_view()),
        ArrowType::Struct(fields) => {
            let s = array.as_struct();
            let columns = s.columns().iter().map(compact_array).collect::<Result<Vec<_>>>()?;
            Arc::new(StructArray::try_new_with_length(fields.clone(), columns, s.nulls().cloned(), s.len())?)
        }
        ArrowType::List(field) => {
            let list = array.as_list::<i32>();
            if !has_views(field.data_type()) {
                return Ok(array.clone());
            }
            let (values, offsets) = (list.values(), list.offsets());
            // The offsets stay; only values in their range need be there, but the array must reach to their end.
            let values = compact_array(values)?;
            Arc::new(ListArray::try_new(field.clone(), offsets.clone(), values, list.nulls().cloned())?)
        }
        ArrowType::Map(field, ordered) => {
            let map = array.as_map();
            if !has_views(field.data_type()) {
                return Ok(array.clone());
            }
            let entries: ArrayRef = Arc::new(map.entries().clone());
            let entries = compact_array(&entries)?.as_struct().clone();
            let (offsets, nulls) = (map.offsets().clone(), map.nulls().cloned());
            Arc::new(MapArray::try_new(field.clone(), offsets, entries, nulls, *ordered)?)
        }
        _ => array.clone(),
    })
}

fn has_views(t: &ArrowType) -> bool {
    match t {
        ArrowType::Utf8View | ArrowType::BinaryView => true,
        ArrowType::List(f) | ArrowType::Map(f, _) => has_views(f.data_type()),
        ArrowType::Struct(fields) => fields.iter().any(|f| has_views(f.data_type())),
        _ => false,
    }
}

fn compact_view<T: ByteViewType + ?Sized>(array: &ArrayRef, view: &GenericByteViewArray<T>) -> ArrayRef {
    let held: usize = view.data_buffers().iter().map(|b| b.len()).sum();
    if held <= 2 * long_bytes(view) + 1024 { array.clone() } else { Arc::new(view.gc()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::StringViewArray;

    #[test]
    fn slices_are_freed_of_their_buffers() {
        let strings = StringViewArray::from_iter_values((0..1000).map(|i| format!("a long string, row {i}")));
        let all: ArrayRef = Arc::new(strings);
        let few = all.slice(10, 2);
        assert_eq!(array_bytes(&few), 2 * 16 + 2 * 21);
        let freed = compact_array(&few).unwrap();
        assert_eq!(&freed, &few);
        assert!(freed.get_buffer_memory_size() < 200);
        assert!(Arc::ptr_eq(&all, &compact_array(&all).unwrap()));
    }

    #[test]
    fn many_small_batches_do_not_make_many_buffers() {
        let one = |i: usize| -> ArrayRef {
            Arc::new(StringViewArray::from(vec![format!("a long string, row {i}")]))
        };
        let batches: Vec<RecordBatch> =
            (0..1000).map(|i| RecordBatch::try_from_iter([("s", one(i))]).unwrap()).collect();
        let whole = concatenated(&batches[0].schema(), &batches).unwrap();
        assert_eq!(whole.num_rows(), 1000);
        assert_eq!(whole.column(0).as_string_view().value(999), "a long string, row 999");
        assert!(whole.column(0).as_string_view().data_buffers().len() <= FEW_BUFFERS);
    }
}
