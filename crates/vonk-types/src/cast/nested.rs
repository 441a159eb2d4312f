//! Casts of arrays, maps and structs: part by part.

use super::kernel::Caster;
use super::{CastMode, cast_array};
use crate::arrow_types::{list_field, map_entries_field};
use crate::data_type::{DataType, StructType};
use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StructArray, UInt32Array, make_array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::take;
use arrow::datatypes::{DataType as ArrowType, Fields};
use std::sync::Arc;
use vonk_error::{Error, Result};

impl Caster<'_> {
    /// Array to array, map to map, struct to struct.
    pub fn nested(&self, array: &ArrayRef) -> Result<ArrayRef> {
        match (self.from, self.to) {
            (DataType::Array(a, _), DataType::Array(b, null)) => {
                let list = array.as_list_opt::<i32>().ok_or_else(|| self.unlike(array))?;
                let live = Live::of(list.offsets(), list.nulls());
                let values = self.part(&live.gather(list.values())?, a, b)?;
                let field = list_field(b, *null);
                Ok(Arc::new(ListArray::try_new(field, live.offsets, values, list.nulls().cloned())?))
            }
            (DataType::Map(k, v, _), DataType::Map(l, w, null)) => {
                let map = array.as_map_opt().ok_or_else(|| self.unlike(array))?;
                let live = Live::of(map.offsets(), map.nulls());
                let keys = self.part(&live.gather(map.keys())?, k, l)?;
                let values = self.part(&live.gather(map.values())?, v, w)?;
                if keys.null_count() > 0 {
                    return Err(Error::new("NULL_MAP_KEY"));
                }
                let entries = map_entries_field(l, w, *null);
                let ArrowType::Struct(fields) = entries.data_type() else { return self.impossible() };
                let parts = StructArray::try_new(fields.clone(), vec![keys, values], None)?;
                Ok(Arc::new(MapArray::try_new(entries, live.offsets, parts, map.nulls().cloned(), false)?))
            }
            (DataType::Struct(a), DataType::Struct(b)) => {
                self.structs(array.as_struct_opt().ok_or_else(|| self.unlike(array))?, a, b)
            }
            _ => self.impossible(),
        }
    }

    fn part(&self, array: &ArrayRef, from: &DataType, to: &DataType) -> Result<ArrayRef> {
        cast_array(array, from, to, self.mode, self.ctx)
    }

    fn structs(&self, array: &StructArray, from: &StructType, to: &StructType) -> Result<ArrayRef> {
        let nulls = array.nulls().cloned();
        let fields: Fields = to.to_arrow_fields();
        if fields.is_empty() {
            return Ok(Arc::new(StructArray::new_empty_fields(array.len(), nulls)));
        }
        let columns: Result<Vec<ArrayRef>> = (array.columns().iter())
            .zip(from.fields.iter().zip(to.fields.iter()))
            .map(|(column, (a, b))| {
                // What lies under a null struct must not raise errors.
                let column = if self.mode == CastMode::Ansi {
                    masked(column, nulls.as_ref())?
                } else {
                    column.clone()
                };
                self.part(&column, &a.data_type, &b.data_type)
            })
            .collect();
        Ok(Arc::new(StructArray::try_new(fields, columns?, nulls)?))
    }
}

/// An array with more nulls.
fn masked(array: &ArrayRef, nulls: Option<&NullBuffer>) -> Result<ArrayRef> {
    if nulls.is_none() || array.data_type() == &ArrowType::Null {
        return Ok(array.clone());
    }
    let nulls = NullBuffer::union(array.nulls(), nulls);
    Ok(make_array(array.to_data().into_builder().nulls(nulls).build()?))
}

/// The elements of lists that are not null, and the lists' offsets among them.
struct Live {
    /// Rows to take; none if they are one range.
    rows: Option<UInt32Array>,
    start: usize,
    offsets: OffsetBuffer<i32>,
}

impl Live {
    fn of(offsets: &OffsetBuffer<i32>, nulls: Option<&NullBuffer>) -> Self {
        let start = offsets[0] as usize;
        let hidden = |i: usize| nulls.is_some_and(|n| n.is_null(i)) && offsets[i] != offsets[i + 1];
        let n = offsets.len() - 1;
        if !(0..n).any(hidden) {
            let moved = OffsetBuffer::from_lengths(offsets.lengths());
            return Live { rows: None, start, offsets: moved };
        }
        let length = |i: usize| if hidden(i) { 0 } else { (offsets[i + 1] - offsets[i]) as usize };
        let rows = (0..n).filter(|i| !hidden(*i)).flat_map(|i| offsets[i] as u32..offsets[i + 1] as u32);
        Live {
            rows: Some(UInt32Array::from_iter_values(rows)),
            start,
            offsets: OffsetBuffer::from_lengths((0..n).map(length)),
        }
    }

    fn gather(&self, values: &ArrayRef) -> Result<ArrayRef> {
        match &self.rows {
            Some(rows) => Ok(take(values, rows, None)?),
            None => {
                let len = self.offsets.last().map_or(0, |o| *o as usize);
                Ok(values.slice(self.start, len))
            }
        }
    }
}
