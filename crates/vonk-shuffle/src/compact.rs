//! Freeing batches of what they share: a view of one row may otherwise drag a whole page along.

use arrow::array::{
    Array, ArrayRef, AsArray, GenericByteViewArray, ListArray, MapArray, RecordBatch, RecordBatchOptions,
    StructArray,
};
use arrow::datatypes::{ByteViewType, DataType as ArrowType};
use std::sync::Arc;
use vonk_error::Result;

/// The batch with views that point into buffers of their own.
pub fn compact(batch: &RecordBatch) -> Result<RecordBatch> {
    if !batch.columns().iter().any(|c| has_views(c.data_type())) {
        return Ok(batch.clone());
    }
    let columns = batch.columns().iter().map(compact_array).collect::<Result<_>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(batch.schema(), columns, &options)?)
}

fn has_views(data_type: &ArrowType) -> bool {
    match data_type {
        ArrowType::Utf8View | ArrowType::BinaryView => true,
        ArrowType::List(f) | ArrowType::Map(f, _) => has_views(f.data_type()),
        ArrowType::Struct(fields) => fields.iter().any(|f| has_views(f.data_type())),
        _ => false,
    }
}

fn compact_array(array: &ArrayRef) -> Result<ArrayRef> {
    if !has_views(array.data_type()) {
        return Ok(array.clone());
    }
    Ok(match array.data_type() {
        ArrowType::Utf8View => Arc::new(compact_views(array.as_string_view())),
        ArrowType::BinaryView => Arc::new(compact_views(array.as_binary_view())),
        ArrowType::Struct(fields) => {
            let s = array.as_struct();
            let columns = s.columns().iter().map(compact_array).collect::<Result<_>>()?;
            Arc::new(StructArray::try_new_with_length(fields.clone(), columns, s.nulls().cloned(), s.len())?)
        }
        ArrowType::List(field) => {
            let list = array.as_list::<i32>();
            // All values, not just those between the offsets: the encoder takes its part of them.
            let values = compact_array(list.values())?;
            Arc::new(ListArray::try_new(
                field.clone(),
                list.offsets().clone(),
                values,
                list.nulls().cloned(),
            )?)
        }
        ArrowType::Map(field, ordered) => {
            let map = array.as_map();
            let entries: ArrayRef = Arc::new(map.entries().clone());
            let entries = compact_array(&entries)?.as_struct().clone();
            let (offsets, nulls) = (map.offsets().clone(), map.nulls().cloned());
            Arc::new(MapArray::try_new(field.clone(), offsets, entries, nulls, *ordered)?)
        }
        _ => array.clone(),
    })
}

fn compact_views<T: ByteViewType + ?Sized>(views: &GenericByteViewArray<T>) -> GenericByteViewArray<T> {
    let held: usize = views.data_buffers().iter().map(|b| b.len()).sum();
    let long = |view: &u128| match *view as u32 {
        0..=12 => 0,
        n => n as usize,
    };
    // Buffers that are mostly used are kept: looking costs less than copying.
    if held == 0 || held <= views.views().iter().map(long).sum::<usize>() * 5 / 4 {
        return views.clone();
    }
    views.gc()
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::StringViewArray;

    #[test]
    fn slices_let_go_of_what_they_do_not_show() {
        let texts = (0..1000).map(|i| format!("the text of the row numbered {i}"));
        let column: ArrayRef = Arc::new(StringViewArray::from_iter_values(texts));
        let batch = RecordBatch::try_from_iter([("t", column)]).unwrap();
        let held = |b: &RecordBatch| {
            b.column(0).as_string_view().data_buffers().iter().map(|b| b.len()).sum::<usize>()
        };
        let slice = compact(&batch.slice(10, 5)).unwrap();
        assert_eq!(slice, batch.slice(10, 5));
        assert!(held(&slice) < 300, "{}", held(&slice));
        assert_eq!(held(&compact(&batch).unwrap()), held(&batch));
    }
}
