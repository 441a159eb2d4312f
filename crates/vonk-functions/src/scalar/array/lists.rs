//! Lists row by row: reading arguments, building results.
//!
//! Results are built by naming elements of the arguments (source and position) and gathering them all at once, never
//! element by element.

use crate::kernel::Datum;
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanBufferBuilder, ListArray, MapArray, UInt32Array, new_null_array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::compute::{interleave, take};
use arrow::datatypes::{DataType as ArrowType, Fields};
use std::ops::Range;
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_types::DataType;

/// Most elements that Spark puts into one array.
pub(crate) const MAX_ELEMENTS: i64 = i32::MAX as i64 - 15;

/// An array or map argument as ranges of its elements.
pub(crate) struct Lists<'a> {
    offsets: &'a [i32],
    nulls: Option<&'a NullBuffer>,
    elements: &'a ArrayRef,
    constant: bool,
}

impl<'a> Lists<'a> {
    /// Of an array argument; a map's elements are in [`Maps`].
    pub fn of(datum: &'a Datum) -> Lists<'a> {
        let list = datum.values().as_list::<i32>();
        Lists {
            offsets: list.offsets(),
            nulls: list.nulls(),
            elements: list.values(),
            constant: datum.is_scalar(),
        }
    }

    /// Of an array column.
    #[cfg(test)]
    pub fn of_array(array: &'a ArrayRef) -> Lists<'a> {
        let list = array.as_list::<i32>();
        Lists { offsets: list.offsets(), nulls: list.nulls(), elements: list.values(), constant: false }
    }

    /// All elements of all rows (and perhaps others between them).
    pub fn elements(&self) -> &'a ArrayRef {
        self.elements
    }

    /// The elements of a row, `None` if it is null.
    pub fn range(&self, row: usize) -> Option<Range<usize>> {
        let i = if self.constant { 0 } else { row };
        if self.nulls.is_some_and(|n| n.is_null(i)) {
            return None;
        }
        Some(self.offsets[i] as usize..self.offsets[i + 1] as usize)
    }
}

/// A map argument as ranges of its entries.
pub(crate) struct Maps<'a> {
    offsets: &'a [i32],
    nulls: Option<&'a NullBuffer>,
    /// Keys of all entries.
    pub keys: &'a ArrayRef,
    /// Values of all entries.
    pub values: &'a ArrayRef,
    constant: bool,
}

impl<'a> Maps<'a> {
    /// Of a map argument.
    pub fn of(datum: &'a Datum) -> Maps<'a> {
        let map = datum.values().as_map();
        Maps {
            offsets: map.offsets(),
            nulls: map.nulls(),
            keys: map.keys(),
            values: map.values(),
            constant: datum.is_scalar(),
        }
    }

    /// The entries of a row, `None` if it is null.
    pub fn range(&self, row: usize) -> Option<Range<usize>> {
        let i = if self.constant { 0 } else { row };
        if self.nulls.is_some_and(|n| n.is_null(i)) {
            return None;
        }
        Some(self.offsets[i] as usize..self.offsets[i + 1] as usize)
    }
}

/// The shape of a list column under construction: how many elements each row has, and which rows are null.
pub(crate) struct Shape {
    offsets: Vec<i32>,
    valid: BooleanBufferBuilder,
    total: usize,
    has_nulls: bool,
}

impl Shape {
    /// For so many rows.
    pub fn new(rows: usize) -> Shape {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        Shape { offsets, valid: BooleanBufferBuilder::new(rows), total: 0, has_nulls: false }
    }

    /// Adds a row of `n` elements.
    pub fn push(&mut self, n: usize) -> Result<()> {
        self.total += n;
        let end = i32::try_from(self.total).map_err(|_| too_many_elements("array", self.total))?;
        self.offsets.push(end);
        self.valid.append(true);
        Ok(())
    }

    /// Adds a row that ends where `total` elements are there.
    pub fn push_until(&mut self, total: usize) -> Result<()> {
        self.push(total.saturating_sub(self.total))
    }

    /// Adds a null row.
    pub fn push_null(&mut self) {
        self.offsets.push(self.total as i32); // checked when it grew
        self.valid.append(false);
        self.has_nulls = true;
    }

    /// Offsets and nulls.
    pub fn parts(mut self) -> (OffsetBuffer<i32>, Option<NullBuffer>) {
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.offsets));
        (offsets, self.has_nulls.then(|| NullBuffer::new(self.valid.finish())))
    }

    /// The list column of these elements; its type must be the Arrow type of `return_type`.
    pub fn list(self, elements: ArrayRef, return_type: &DataType) -> Result<ArrayRef> {
        let (offsets, nulls) = self.parts();
        list_of(offsets, elements, nulls, return_type)
    }

    /// The map column of these entries.
    pub fn map(self, keys: ArrayRef, values: ArrayRef, return_type: &DataType) -> Result<ArrayRef> {
        let (offsets, nulls) = self.parts();
        map_of(offsets, keys, values, nulls, return_type)
    }
}

/// A list column from its parts.
pub(crate) fn list_of(
    offsets: OffsetBuffer<i32>,
    elements: ArrayRef,
    nulls: Option<NullBuffer>,
    return_type: &DataType,
) -> Result<ArrayRef> {
    match return_type.to_arrow() {
        ArrowType::List(field) => Ok(Arc::new(ListArray::try_new(field, offsets, elements, nulls)?)),
        other => vonk_error::internal_err!("a list of type {other}"),
    }
}

/// A map column from its parts.
pub(crate) fn map_of(
    offsets: OffsetBuffer<i32>,
    keys: ArrayRef,
    values: ArrayRef,
    nulls: Option<NullBuffer>,
    return_type: &DataType,
) -> Result<ArrayRef> {
    let (ArrowType::Map(field, _), n) = (return_type.to_arrow(), keys.len()) else {
        return vonk_error::internal_err!("a map of type {return_type}");
    };
    let fields = match field.data_type() {
        ArrowType::Struct(fields) => fields.clone(),
        _ => Fields::empty(),
    };
    let entries = arrow::array::StructArray::try_new_with_length(fields, vec![keys, values], None, n)?;
    Ok(Arc::new(MapArray::try_new(field, offsets, entries, nulls, false)?))
}

/// Spark's refusal of an array that is too long; also of more elements in one batch than a column can hold.
pub(crate) fn too_many_elements(function: &str, n: usize) -> Error {
    Error::new("COLLECTION_SIZE_LIMIT_EXCEEDED.FUNCTION")
        .with("numberOfElements", n.to_string())
        .with("maxRoundedArrayLength", MAX_ELEMENTS.to_string())
        .with("functionName", format!("`{function}`"))
}

/// Spark's refusal of an array that a parameter makes too long.
pub(crate) fn too_long(function: &str, parameter: &str, n: impl ToString) -> Error {
    Error::new("COLLECTION_SIZE_LIMIT_EXCEEDED.PARAMETER")
        .with("numberOfElements", n.to_string())
        .with("maxRoundedArrayLength", MAX_ELEMENTS.to_string())
        .with("functionName", format!("`{function}`"))
        .with("parameter", format!("`{parameter}`"))
}

/// Elements picked from several columns of one type; source 0 is always one null.
pub(crate) struct Picks {
    sources: Vec<ArrayRef>,
    picked: Vec<(usize, usize)>,
}

impl Picks {
    /// From these columns, which get the numbers 1, 2, ….
    pub fn of(element: &ArrowType, columns: &[&ArrayRef]) -> Picks {
        let mut sources = vec![new_null_array(element, 1)];
        sources.extend(columns.iter().map(|c| (*c).clone()));
        Picks { sources, picked: Vec::new() }
    }

    /// Adds an element.
    pub fn push(&mut self, source: usize, index: usize) {
        self.picked.push((source, index));
    }

    /// Adds a range of elements.
    pub fn extend(&mut self, source: usize, range: Range<usize>) {
        self.picked.extend(range.map(|i| (source, i)));
    }

    /// Adds a null.
    pub fn push_null(&mut self) {
        self.picked.push((0, 0));
    }

    /// Elements so far.
    pub fn len(&self) -> usize {
        self.picked.len()
    }

    /// Gathers them.
    pub fn finish(self) -> Result<ArrayRef> {
        if self.picked.is_empty() {
            return Ok(self.sources[0].slice(0, 0));
        }
        let sources: Vec<&dyn Array> = self.sources.iter().map(AsRef::as_ref).collect();
        Ok(interleave(&sources, &self.picked)?)
    }
}

/// Gathers elements of one column by position.
pub(crate) fn gather(elements: &ArrayRef, picked: Vec<u32>) -> Result<ArrayRef> {
    Ok(take(elements, &UInt32Array::from(picked), None)?)
}

/// All elements of all rows of a list column, without gaps, and the row each belongs to.
pub(crate) struct Flat {
    /// Where each row's elements begin and end.
    pub offsets: OffsetBuffer<i32>,
    /// Null rows.
    pub nulls: Option<NullBuffer>,
    /// The row of each element.
    pub rows: UInt32Array,
    /// Positions of the elements in the argument's own elements; `None` if they are the same.
    picked: Option<UInt32Array>,
}

impl Flat {
    /// Rows of `ranges`, each a range of positions or null.
    pub fn new(rows: usize, elements: usize, range: impl Fn(usize) -> Option<Range<usize>>) -> Result<Flat> {
        let mut shape = Shape::new(rows);
        let mut owner: Vec<u32> = Vec::with_capacity(elements);
        let mut dense = true;
        for row in 0..rows {
            match range(row) {
                None => shape.push_null(),
                Some(r) => {
                    dense &= r.is_empty() || r.start == owner.len();
                    shape.push(r.len())?;
                    owner.resize(owner.len() + r.len(), row as u32);
                }
            }
        }
        let picked = if dense && owner.len() == elements {
            None
        } else {
            let mut picked: Vec<u32> = Vec::with_capacity(owner.len());
            for row in 0..rows {
                picked.extend(range(row).unwrap_or(0..0).map(|i| i as u32));
            }
            Some(UInt32Array::from(picked))
        };
        let (offsets, nulls) = shape.parts();
        Ok(Flat { offsets, nulls, rows: UInt32Array::from(owner), picked })
    }

    /// The elements (of the column whose ranges these are).
    pub fn elements(&self, of: &ArrayRef) -> Result<ArrayRef> {
        match &self.picked {
            None => Ok(of.clone()),
            Some(picked) => Ok(take(of, picked, None)?),
        }
    }

    /// The elements of a row.
    pub fn range(&self, row: usize) -> Option<Range<usize>> {
        if self.nulls.as_ref().is_some_and(|n| n.is_null(row)) {
            return None;
        }
        Some(self.offsets[row] as usize..self.offsets[row + 1] as usize)
    }

    /// The position of each element in its row, from 0.
    pub fn positions(&self) -> ArrayRef {
        let mut positions: Vec<i32> = Vec::with_capacity(self.rows.len());
        for w in self.offsets.windows(2) {
            positions.extend(0..w[1] - w[0]);
        }
        Arc::new(arrow::array::Int32Array::from(positions))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::Int32Array;
    use arrow::datatypes::Int32Type;

    fn lists() -> ArrayRef {
        Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(vec![
            Some(vec![Some(1), None]),
            None,
            Some(vec![]),
            Some(vec![Some(3)]),
        ]))
    }

    #[test]
    fn flattens_slices_and_constants() {
        let sliced = lists().slice(1, 3);
        let l = Lists::of_array(&sliced);
        let flat = Flat::new(3, l.elements().len(), |r| l.range(r)).unwrap();
        assert_eq!(
            flat.elements(l.elements()).unwrap().as_primitive::<Int32Type>(),
            &Int32Array::from(vec![3])
        );
        assert_eq!(flat.rows.values(), &[2]);
        assert!(flat.range(0).is_none());
        assert_eq!(flat.range(2), Some(0..1));

        let constant = Datum::Scalar(lists().slice(0, 1));
        let l = Lists::of(&constant);
        let flat = Flat::new(2, l.elements().len(), |r| l.range(r)).unwrap();
        let twice = Int32Array::from(vec![Some(1), None, Some(1), None]);
        assert_eq!(flat.elements(l.elements()).unwrap().as_primitive::<Int32Type>(), &twice);
        assert_eq!(flat.rows.values(), &[0, 0, 1, 1]);
        assert_eq!(flat.positions().as_primitive::<Int32Type>().values(), &[0, 1, 0, 1]);
    }

    #[test]
    fn picks_from_several_columns() {
        let a: ArrayRef = Arc::new(Int32Array::from(vec![1, 2]));
        let b: ArrayRef = Arc::new(Int32Array::from(vec![9]));
        let mut picks = Picks::of(&ArrowType::Int32, &[&a, &b]);
        picks.push(2, 0);
        picks.extend(1, 0..2);
        picks.push_null();
        let expected = Int32Array::from(vec![Some(9), Some(1), Some(2), None]);
        assert_eq!(picks.finish().unwrap().as_primitive::<Int32Type>(), &expected);
    }
}
