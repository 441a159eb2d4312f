//! One value of any type per group, overwritten in place.

use super::EmitTo;
use super::groups::{emit, nulls_where_not};
use arrow::array::{
    Array, ArrayData, ArrayRef, AsArray, BinaryViewArray, BooleanArray, BooleanBuilder, make_array,
    new_null_array,
};
use arrow::buffer::Buffer;
use arrow::compute::interleave;
use arrow::datatypes::DataType as ArrowType;
use std::sync::Arc;
use vonk_error::Result;
use vonk_types::DataType;

/// A value, or null, per group.
pub(crate) struct Cells {
    data_type: ArrowType,
    valid: Vec<bool>,
    values: Values,
    /// Bytes in allocations of their own, for `size`.
    heap: usize,
}

enum Values {
    /// Values of a fixed width, their bytes one after the other.
    Fixed(usize, Vec<u8>),
    Booleans(Vec<bool>),
    /// Strings and binaries; a group's buffer is used again for its next value.
    Bytes(Vec<Vec<u8>>),
    /// Anything else: one row per group, rewritten once per batch.
    Rows(ArrayRef),
}

impl Cells {
    /// Cells of a type.
    pub fn new(data_type: &DataType) -> Self {
        let data_type = data_type.to_arrow();
        let values = match &data_type {
            ArrowType::Boolean => Values::Booleans(Vec::new()),
            ArrowType::Utf8View | ArrowType::BinaryView => Values::Bytes(Vec::new()),
            t => match t.primitive_width() {
                Some(width) => Values::Fixed(width, Vec::new()),
                None => Values::Rows(new_null_array(t, 0)),
            },
        };
        Cells { data_type, valid: Vec::new(), values, heap: 0 }
    }

    /// Makes room for groups; new cells are null.
    pub fn grow(&mut self, num_groups: usize) {
        self.valid.resize(num_groups, false);
        match &mut self.values {
            Values::Fixed(width, bytes) => bytes.resize(num_groups * *width, 0),
            Values::Booleans(values) => values.resize(num_groups, false),
            Values::Bytes(values) => values.resize(num_groups, Vec::new()),
            Values::Rows(_) => {} // when written
        }
    }

    /// Writes rows of an array into cells: `(row, group)`, of which the last for a group stays.
    pub fn write(&mut self, array: &ArrayRef, winners: &[(u32, u32)]) -> Result<()> {
        if winners.is_empty() {
            return Ok(());
        }
        let nulls = array.logical_nulls();
        for (row, group) in winners {
            self.valid[*group as usize] = nulls.as_ref().is_none_or(|n| n.is_valid(*row as usize));
        }
        let pairs = winners.iter().map(|(row, group)| (*row as usize, *group as usize));
        match &mut self.values {
            Values::Fixed(width, bytes) => {
                let (data, w) = (array.to_data(), *width);
                let source = &data.buffers()[0].as_slice()[data.offset() * w..];
                for (row, group) in pairs {
                    bytes[group * w..(group + 1) * w].copy_from_slice(&source[row * w..(row + 1) * w]);
                }
            }
            Values::Booleans(values) => {
                let source = array.as_boolean().values();
                for (row, group) in pairs {
                    values[group] = source.value(row);
                }
            }
            Values::Bytes(values) => {
                let source = as_bytes(array);
                for (row, group) in pairs {
                    let cell = &mut values[group];
                    let before = cell.capacity();
                    cell.clear();
                    if source.is_valid(row) {
                        cell.extend_from_slice(source.value(row));
                    }
                    self.heap += cell.capacity() - before;
                }
            }
            Values::Rows(old) => {
                let n = self.valid.len();
                let null = new_null_array(&self.data_type, 1);
                let held = |group: usize| if group < old.len() { (0, group) } else { (2, 0) };
                let mut sources: Vec<(usize, usize)> = (0..n).map(held).collect();
                for (row, group) in pairs {
                    sources[group] = (1, row);
                }
                *old = interleave(&[old.as_ref(), array.as_ref(), null.as_ref()], &sources)?;
                self.heap = old.get_array_memory_size();
            }
        }
        Ok(())
    }

    /// The bytes of a string or binary cell.
    pub fn bytes(&self, group: usize) -> Option<&[u8]> {
        match &self.values {
            Values::Bytes(values) if self.valid[group] => Some(&values[group]),
            _ => None,
        }
    }

    /// Hands cells out.
    pub fn emit(&mut self, to: EmitTo) -> Result<ArrayRef> {
        let valid = emit(&mut self.valid, to);
        let n = valid.len();
        let nulls = nulls_where_not(n, |i| valid[i]);
        Ok(match &mut self.values {
            Values::Fixed(width, bytes) => {
                let rest = bytes.split_off(n * *width);
                let out = std::mem::replace(bytes, rest);
                let data = ArrayData::builder(self.data_type.clone())
                    .len(n)
                    .add_buffer(Buffer::from_vec(out))
                    .nulls(nulls)
                    .align_buffers(true)
                    .build()?;
                make_array(data)
            }
            Values::Booleans(values) => {
                let mut out = BooleanBuilder::with_capacity(n);
                for (value, valid) in emit(values, to).into_iter().zip(valid) {
                    out.append_option(valid.then_some(value));
                }
                let out: BooleanArray = out.finish();
                Arc::new(out)
            }
            Values::Bytes(values) => {
                let out = emit(values, to);
                self.heap = self.heap.saturating_sub(out.iter().map(Vec::capacity).sum());
                let views = out.iter().zip(&valid).map(|(bytes, valid)| valid.then_some(bytes.as_slice()));
                from_bytes(BinaryViewArray::from_iter(views), &self.data_type)?
            }
            Values::Rows(held) => {
                // Cells that were never written.
                let unwritten = (self.valid.len() + n).saturating_sub(held.len());
                let missing = new_null_array(&self.data_type, unwritten);
                let all = if missing.is_empty() {
                    held.clone()
                } else {
                    arrow::compute::concat(&[held.as_ref(), missing.as_ref()])?
                };
                *held = all.slice(n, all.len() - n);
                all.slice(0, n)
            }
        })
    }

    /// Bytes held.
    pub fn size(&self) -> usize {
        self.heap
            + self.valid.capacity()
            + match &self.values {
                Values::Fixed(_, bytes) => bytes.capacity(),
                Values::Booleans(values) => values.capacity(),
                Values::Bytes(values) => values.capacity() * size_of::<Vec<u8>>(),
                Values::Rows(_) => 0,
            }
    }
}

/// A string or binary array as binary; no copy.
pub(crate) fn as_bytes(array: &ArrayRef) -> BinaryViewArray {
    match array.as_string_view_opt() {
        Some(strings) => strings.clone().to_binary_view(),
        None => array.as_binary_view().clone(),
    }
}

/// Back to a string array where the type is one.
pub(crate) fn from_bytes(bytes: BinaryViewArray, data_type: &ArrowType) -> Result<ArrayRef> {
    Ok(match data_type {
        ArrowType::Utf8View => Arc::new(bytes.to_string_view()?),
        _ => Arc::new(bytes),
    })
}
