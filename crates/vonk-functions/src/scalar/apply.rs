//! How kernels read arguments and make results, row by row or by whole slices.
//!
//! All of these are for functions that are null where any argument is: rows with a null argument never reach the closure.
//! Constants are read in place, never expanded.

use crate::kernel::{Datum, KernelCall};
use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BinaryViewArray, BooleanArray, BooleanBufferBuilder,
    PrimitiveArray, StringViewArray, make_view, new_null_array,
};
use arrow::buffer::{Buffer, NullBuffer, ScalarBuffer};
use std::sync::Arc;
use vonk_error::Result;

/// Values of a primitive argument.
#[derive(Clone, Copy)]
pub(crate) struct Values<'a, T> {
    values: &'a [T],
    step: usize,
}

impl<T: Copy> Values<'_, T> {
    /// The value of a row; some value where it is null.
    #[inline]
    pub fn get(&self, row: usize) -> T {
        self.values[row * self.step]
    }
}

/// `f` of two arguments row by row, in a loop over slices without branches.
pub(crate) fn zip_map<A: Copy, B: Copy, C>(
    left: Values<'_, A>,
    right: Values<'_, B>,
    rows: usize,
    mut f: impl FnMut(A, B) -> C,
) -> Vec<C> {
    match (left.step, right.step) {
        (0, 0) => (0..rows).map(|_| f(left.values[0], right.values[0])).collect(),
        (0, _) => {
            let a = left.values[0];
            right.values[..rows].iter().map(|b| f(a, *b)).collect()
        }
        (_, 0) => {
            let b = right.values[0];
            left.values[..rows].iter().map(|a| f(*a, b)).collect()
        }
        _ => left.values[..rows].iter().zip(&right.values[..rows]).map(|(a, b)| f(*a, *b)).collect(),
    }
}

/// A string argument.
#[derive(Clone, Copy)]
pub(crate) struct Strings<'a> {
    array: &'a StringViewArray,
    step: usize,
}

impl<'a> Strings<'a> {
    /// The string of a row, empty where it is null.
    #[inline]
    pub fn get(&self, row: usize) -> &'a str {
        self.array.value(row * self.step)
    }

    /// The value of a constant.
    pub fn constant(&self) -> Option<&'a str> {
        (self.step == 0).then(|| self.array.value(0))
    }

    /// The array behind it.
    pub fn array(&self) -> &'a StringViewArray {
        self.array
    }
}

/// A binary argument, or a string one by its bytes.
#[derive(Clone)]
pub(crate) struct Bytes {
    array: BinaryViewArray,
    step: usize,
}

impl Bytes {
    /// The bytes of a row, empty where it is null.
    #[inline]
    pub fn get(&self, row: usize) -> &[u8] {
        self.array.value(row * self.step)
    }
}

/// A boolean argument.
#[derive(Clone, Copy)]
pub(crate) struct Booleans<'a> {
    array: &'a BooleanArray,
    step: usize,
}

impl Booleans<'_> {
    /// The value of a row.
    #[inline]
    pub fn get(&self, row: usize) -> bool {
        self.array.value(row * self.step)
    }
}

fn step(datum: &Datum) -> usize {
    usize::from(!datum.is_scalar())
}

impl KernelCall<'_> {
    /// Argument `i` by its values; its Arrow type must be of `T`.
    pub(crate) fn values<T: ArrowPrimitiveType>(&self, i: usize) -> Values<'_, T::Native> {
        let datum = &self.args[i];
        Values { values: datum.values().as_primitive::<T>().values(), step: step(datum) }
    }

    /// Argument `i`, a string.
    pub(crate) fn strings(&self, i: usize) -> Strings<'_> {
        Strings { array: self.args[i].values().as_string_view(), step: step(&self.args[i]) }
    }

    /// Argument `i`, a string or binary.
    pub(crate) fn bytes(&self, i: usize) -> Bytes {
        let array = match self.args[i].values().as_string_view_opt() {
            Some(strings) => strings.clone().to_binary_view(),
            None => self.args[i].values().as_binary_view().clone(),
        };
        Bytes { array, step: step(&self.args[i]) }
    }

    /// Argument `i`, a boolean.
    pub(crate) fn booleans(&self, i: usize) -> Booleans<'_> {
        Booleans { array: self.args[i].values().as_boolean(), step: step(&self.args[i]) }
    }

    /// Rows where any argument is null; the inner `None` for no such row, the outer `None` if a constant makes all rows null.
    pub(crate) fn strict_nulls(&self) -> Option<Option<NullBuffer>> {
        let mut merged: Option<NullBuffer> = None;
        for arg in self.args {
            let array = arg.values();
            if arg.is_scalar() {
                if array.is_null(0) || array.data_type().is_null() {
                    return None;
                }
            } else if let Some(nulls) = array.logical_nulls().filter(|n| n.null_count() > 0) {
                merged = NullBuffer::union(merged.as_ref(), Some(&nulls));
            }
        }
        Some(merged)
    }

    /// Nulls of the return type.
    pub(crate) fn all_null(&self) -> ArrayRef {
        new_null_array(&self.return_type.to_arrow(), self.rows)
    }

    /// Computes one primitive value per row, or null.
    pub(crate) fn each<T: ArrowPrimitiveType>(
        &self,
        mut f: impl FnMut(usize) -> Result<Option<T::Native>>,
    ) -> Result<ArrayRef> {
        let Some(nulls) = self.strict_nulls() else { return Ok(self.all_null()) };
        let mut made = MadeNulls::new(self.rows);
        let mut out: Vec<T::Native> = Vec::with_capacity(self.rows);
        for row in 0..self.rows {
            if nulls.as_ref().is_some_and(|n| n.is_null(row)) {
                out.push(T::Native::default());
                continue;
            }
            match f(row)? {
                Some(value) => out.push(value),
                None => {
                    made.set(row);
                    out.push(T::Native::default());
                }
            }
        }
        Ok(self.primitive::<T>(out.into(), made.merge(nulls)))
    }

    /// One argument to one value, where it cannot fail: computed for null rows too, so that the loop has no branches.
    pub(crate) fn map<A: ArrowPrimitiveType, T: ArrowPrimitiveType>(
        &self,
        f: impl Fn(A::Native) -> T::Native,
    ) -> Result<ArrayRef> {
        let Some(nulls) = self.strict_nulls() else { return Ok(self.all_null()) };
        let a = self.values::<A>(0);
        let out: Vec<T::Native> = match a.step {
            0 => (0..self.rows).map(|_| f(a.values[0])).collect(),
            _ => a.values[..self.rows].iter().map(|a| f(*a)).collect(),
        };
        Ok(self.primitive::<T>(out.into(), nulls))
    }

    /// Two arguments to one value, where it cannot fail: computed for null rows too, so that the loop has no branches.
    pub(crate) fn map2<A: ArrowPrimitiveType, B: ArrowPrimitiveType, T: ArrowPrimitiveType>(
        &self,
        f: impl Fn(A::Native, B::Native) -> T::Native,
    ) -> Result<ArrayRef> {
        let Some(nulls) = self.strict_nulls() else { return Ok(self.all_null()) };
        let out = zip_map(self.values::<A>(0), self.values::<B>(1), self.rows, f);
        Ok(self.primitive::<T>(out.into(), nulls))
    }

    /// An array of the return type.
    pub(crate) fn primitive<T: ArrowPrimitiveType>(
        &self,
        values: ScalarBuffer<T::Native>,
        nulls: Option<NullBuffer>,
    ) -> ArrayRef {
        Arc::new(PrimitiveArray::<T>::new(values, nulls).with_data_type(self.return_type.to_arrow()))
    }

    /// Computes one boolean per row, or null.
    pub(crate) fn each_bool(&self, mut f: impl FnMut(usize) -> Result<Option<bool>>) -> Result<ArrayRef> {
        let Some(nulls) = self.strict_nulls() else { return Ok(self.all_null()) };
        let mut made = MadeNulls::new(self.rows);
        let mut out = BooleanBufferBuilder::new(self.rows);
        for row in 0..self.rows {
            if nulls.as_ref().is_some_and(|n| n.is_null(row)) {
                out.append(false);
                continue;
            }
            let value = f(row)?;
            if value.is_none() {
                made.set(row);
            }
            out.append(value.unwrap_or(false));
        }
        Ok(Arc::new(BooleanArray::new(out.finish(), made.merge(nulls))))
    }

    /// Computes one string per row by appending to a buffer; `false` makes the row null.
    pub(crate) fn each_str(&self, mut f: impl FnMut(usize, &mut String) -> Result<bool>) -> Result<ArrayRef> {
        let Some(nulls) = self.strict_nulls() else { return Ok(self.all_null()) };
        let mut made = MadeNulls::new(self.rows);
        let mut out = TextBuilder::with_capacity(self.rows);
        for row in 0..self.rows {
            if nulls.as_ref().is_some_and(|n| n.is_null(row)) {
                out.push_empty();
            } else if !out.push(|text| f(row, text))? {
                made.set(row);
            }
        }
        Ok(Arc::new(out.finish(made.merge(nulls))))
    }

    /// Computes one binary per row by appending to a buffer; `false` makes the row null.
    pub(crate) fn each_binary(
        &self,
        mut f: impl FnMut(usize, &mut Vec<u8>) -> Result<bool>,
    ) -> Result<ArrayRef> {
        let Some(nulls) = self.strict_nulls() else { return Ok(self.all_null()) };
        let mut made = MadeNulls::new(self.rows);
        let mut out = BytesBuilder::with_capacity(self.rows);
        for row in 0..self.rows {
            if nulls.as_ref().is_some_and(|n| n.is_null(row)) {
                out.push_empty();
            } else if !out.push(|bytes| f(row, bytes))? {
                made.set(row);
            }
        }
        Ok(Arc::new(out.finish(made.merge(nulls))))
    }

    /// Computes a part of string argument `arg` per row, or null, without copying text: the result shares its buffers.
    pub(crate) fn each_part<'a>(
        &'a self,
        arg: usize,
        mut f: impl FnMut(usize, &'a str) -> Result<Option<&'a str>>,
    ) -> Result<ArrayRef> {
        let Some(nulls) = self.strict_nulls() else { return Ok(self.all_null()) };
        let source = self.strings(arg);
        let mut made = MadeNulls::new(self.rows);
        let mut views = Vec::with_capacity(self.rows);
        for row in 0..self.rows {
            if nulls.as_ref().is_some_and(|n| n.is_null(row)) {
                views.push(0);
                continue;
            }
            let whole = source.get(row);
            match f(row, whole)? {
                Some(part) => views.push(part_view(source.array, row * source.step, whole, part)),
                None => {
                    made.set(row);
                    views.push(0);
                }
            }
        }
        Ok(Arc::new(share(source.array, views, made.merge(nulls))))
    }
}

/// The view of a part of row `row` of an array; `part` must be a slice of `whole`, the row's value.
#[inline]
pub(crate) fn part_view(array: &StringViewArray, row: usize, whole: &str, part: &str) -> u128 {
    part_view_of_bytes(array.views()[row], whole.as_bytes(), part.as_bytes())
}

/// As [`part_view`], of bytes and the view of the whole.
#[inline]
pub(crate) fn part_view_of_bytes(view: u128, whole: &[u8], part: &[u8]) -> u128 {
    if part.len() <= INLINE {
        return make_view(part, 0, 0);
    }
    // Longer than what is inlined, so the whole is in a buffer too.
    let start = (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize) as u32;
    debug_assert!(start as usize + part.len() <= whole.len(), "a part of another string");
    let (block, offset) = ((view >> 64) as u32, (view >> 96) as u32);
    make_view(part, block, offset + start)
}

/// Bytes that a view holds itself.
pub(crate) const INLINE: usize = 12;

/// A string array of views into the buffers of another.
pub(crate) fn share(
    source: &StringViewArray,
    views: Vec<u128>,
    nulls: Option<NullBuffer>,
) -> StringViewArray {
    // SAFETY: every view was made by `part_view` from a valid view of `source` and a `str` slice of its value, or is empty.
    unsafe { StringViewArray::new_unchecked(views.into(), source.data_buffers().to_vec(), nulls) }
}

/// Rows that a function made null.
pub(crate) struct MadeNulls {
    rows: usize,
    valid: Option<BooleanBufferBuilder>,
}

impl MadeNulls {
    /// None yet.
    pub fn new(rows: usize) -> Self {
        MadeNulls { rows, valid: None }
    }

    /// Makes a row null.
    #[inline]
    pub fn set(&mut self, row: usize) {
        let rows = self.rows;
        let valid = self.valid.get_or_insert_with(|| {
            let mut all = BooleanBufferBuilder::new(rows);
            all.append_n(rows, true);
            all
        });
        valid.set_bit(row, false);
    }

    /// Together with those of the arguments.
    pub fn merge(self, nulls: Option<NullBuffer>) -> Option<NullBuffer> {
        match self.valid {
            None => nulls,
            Some(mut valid) => NullBuffer::union(nulls.as_ref(), Some(&NullBuffer::new(valid.finish()))),
        }
    }
}

/// Text of a buffer is handed over when it is this long.
const BLOCK: usize = 1 << 20;

/// Makes an array of views by appending to one buffer.
pub(crate) struct BytesBuilder {
    views: Vec<u128>,
    text: Vec<u8>,
    blocks: Vec<Buffer>,
}

impl BytesBuilder {
    /// For so many rows.
    pub fn with_capacity(rows: usize) -> Self {
        BytesBuilder { views: Vec::with_capacity(rows), text: Vec::new(), blocks: Vec::new() }
    }

    /// An empty (or null) row.
    #[inline]
    pub fn push_empty(&mut self) {
        self.views.push(0);
    }

    /// A row of what `f` appends; an empty one if it answers `false`. Answers what `f` did.
    #[inline]
    pub fn push(&mut self, f: impl FnOnce(&mut Vec<u8>) -> Result<bool>) -> Result<bool> {
        let start = self.text.len();
        let some = f(&mut self.text)?;
        if some {
            self.end_row(start);
        } else {
            self.text.truncate(start);
            self.views.push(0);
        }
        Ok(some)
    }

    #[inline]
    fn end_row(&mut self, start: usize) {
        let row = &self.text[start..];
        self.views.push(make_view(row, self.blocks.len() as u32, start as u32));
        if row.len() <= INLINE {
            self.text.truncate(start);
        } else if self.text.len() >= BLOCK {
            self.blocks.push(Buffer::from_vec(std::mem::take(&mut self.text)));
        }
    }

    fn parts(mut self) -> (ScalarBuffer<u128>, Vec<Buffer>) {
        if !self.text.is_empty() {
            self.blocks.push(Buffer::from_vec(self.text));
        }
        (self.views.into(), self.blocks)
    }

    /// The array.
    pub fn finish(self, nulls: Option<NullBuffer>) -> BinaryViewArray {
        let (views, blocks) = self.parts();
        // SAFETY: every view was made from bytes at its place in its block.
        unsafe { BinaryViewArray::new_unchecked(views, blocks, nulls) }
    }
}

/// Makes an array of strings by appending to one buffer.
pub(crate) struct TextBuilder {
    bytes: BytesBuilder,
    text: String,
}

impl TextBuilder {
    /// For so many rows.
    pub fn with_capacity(rows: usize) -> Self {
        TextBuilder { bytes: BytesBuilder::with_capacity(rows), text: String::new() }
    }

    /// An empty (or null) row.
    #[inline]
    pub fn push_empty(&mut self) {
        self.bytes.push_empty();
    }

    /// A row of what `f` appends; an empty one if it answers `false`. Answers what `f` did.
    #[inline]
    pub fn push(&mut self, f: impl FnOnce(&mut String) -> Result<bool>) -> Result<bool> {
        let start = self.text.len();
        let some = f(&mut self.text)?;
        if !some {
            self.text.truncate(start);
            self.bytes.push_empty();
            return Ok(false);
        }
        let row = &self.text.as_bytes()[start..];
        self.bytes.views.push(make_view(row, self.bytes.blocks.len() as u32, start as u32));
        if row.len() <= INLINE {
            self.text.truncate(start);
        } else if self.text.len() >= BLOCK {
            self.bytes.blocks.push(Buffer::from_vec(std::mem::take(&mut self.text).into_bytes()));
        }
        Ok(true)
    }

    /// The array.
    pub fn finish(mut self, nulls: Option<NullBuffer>) -> StringViewArray {
        self.bytes.text = self.text.into_bytes();
        let (views, blocks) = self.bytes.parts();
        // SAFETY: every view was made from text at its place in its block, from one character boundary to another.
        unsafe { StringViewArray::new_unchecked(views, blocks, nulls) }
    }
}
