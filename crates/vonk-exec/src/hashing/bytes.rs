//! A table of byte strings.

use super::slots::{CHUNK, Slots, expected, prefetch};
use super::{NONE, hash_bytes, hash_view};
use arrow::array::{Array, ArrayRef, AsArray, BinaryViewArray, GenericByteViewArray, StringViewArray};
use arrow::buffer::{Buffer, NullBuffer, ScalarBuffer};
use arrow::datatypes::{ByteViewType, DataType as ArrowType};
use arrow::row::Rows;
use std::sync::Arc;

/// Longest string that a view holds itself.
const INLINE: usize = 12;
/// Bytes of a block of long strings: small at first, doubling up to the largest.
const FIRST_BLOCK: usize = 4 << 10;
const LAST_BLOCK: usize = 2 << 20;

/// Whether a view holds its bytes itself.
#[inline(always)]
pub(super) fn is_inline(view: u128) -> bool {
    view as u32 as usize <= INLINE
}

/// The view of bytes, without the place of long ones.
#[inline]
fn view_of(bytes: &[u8]) -> u128 {
    let mut raw = [0u8; 16];
    raw[..4].copy_from_slice(&(bytes.len() as u32).to_le_bytes());
    let kept = if bytes.len() <= INLINE { bytes.len() } else { 4 };
    raw[4..4 + kept].copy_from_slice(&bytes[..kept]);
    u128::from_le_bytes(raw)
}

/// The hash of a string; `bytes` matter only if it is long.
#[inline(always)]
fn hash_of(view: u128, bytes: &[u8]) -> u32 {
    (hash_view(view, || hash_bytes(bytes)) >> 32) as u32
}

/// Length and first bytes, which two equal strings have in common.
#[inline(always)]
fn head(view: u128) -> u64 {
    view as u64
}

/// The bytes that a view stands for.
#[inline(always)]
fn bytes_at<'a>(view: &'a u128, full: &'a [Vec<u8>], open: &'a Vec<u8>) -> &'a [u8] {
    let len = *view as u32 as usize;
    if len <= INLINE {
        // A view's own bytes begin after its length. This reads them from memory in the order of little-endian machines, the
        // only ones that Arrow's views are made for.
        return &bytes_of(view)[4..4 + len];
    }
    let (block, start) = ((*view >> 64) as u32 as usize, (*view >> 96) as u32 as usize);
    &full.get(block).unwrap_or(open)[start..start + len]
}

/// Numbers distinct byte strings. They are kept as Arrow's views over blocks, so that handing them out copies nothing.
#[derive(Default)]
pub(super) struct BytesTable {
    slots: Slots,
    views: Vec<u128>,
    /// Full blocks.
    full: Vec<Vec<u8>>,
    /// The block that is being filled.
    open: Vec<u8>,
    held: usize,
}

impl BytesTable {
    pub fn len(&self) -> usize {
        self.views.len()
    }

    pub fn size(&self) -> usize {
        self.slots.size() + self.views.capacity() * 16 + self.held
    }

    /// A number that no string has: for null.
    pub fn push_null(&mut self) -> u32 {
        self.views.push(0);
        (self.views.len() - 1) as u32
    }

    /// The bytes of a string by number.
    pub fn get(&self, id: usize) -> &[u8] {
        bytes_at(&self.views[id], &self.full, &self.open)
    }

    /// The number of a string, new or old. `view` is any view of it; `bytes` matter only if it is long.
    #[inline(always)]
    pub fn insert_view(&mut self, view: u128, bytes: &[u8]) -> u32 {
        self.slots.reserve(self.views.len(), || 0);
        self.insert_one(view, hash_of(view, bytes), bytes)
    }

    /// The number of a string, or [`NONE`]. As in [`insert_view`](Self::insert_view), `bytes` matter only if it is long.
    #[inline(always)]
    pub fn find_view(&self, view: u128, bytes: &[u8]) -> u32 {
        self.slots.find(hash_of(view, bytes), |id| self.is_equal(id, view, bytes))
    }

    #[inline(always)]
    fn insert_one(&mut self, view: u128, hash: u32, bytes: &[u8]) -> u32 {
        let new = self.views.len() as u32;
        let BytesTable { slots, views, full, open, .. } = self;
        let old = slots.find_or_place(hash, new, |id| {
            let own = &views[id as usize];
            head(*own) == head(view)
                && if is_inline(view) { *own == view } else { bytes_at(own, full, open) == bytes }
        });
        if old != NONE {
            return old;
        }
        let kept = if is_inline(view) { view } else { self.keep(bytes) };
        self.views.push(kept);
        new
    }

    #[inline(always)]
    fn is_equal(&self, id: u32, view: u128, bytes: &[u8]) -> bool {
        let own = self.views[id as usize];
        if head(own) != head(view) {
            return false;
        }
        if is_inline(view) { own == view } else { self.get(id as usize) == bytes }
    }

    /// Numbers of strings, new or old; rows that are not valid get `null_id`.
    pub fn insert_all(
        &mut self,
        texts: &impl Texts,
        valid: Option<&NullBuffer>,
        null_id: u32,
        ids: &mut Vec<u32>,
    ) {
        let rows = texts.rows();
        ids.clear();
        // Inputs sorted by key have the same one many times over.
        let mut last = None;
        for from in (0..rows).step_by(CHUNK) {
            let hashes = self.hashes(texts, from, rows.min(from + CHUNK));
            for row in from..rows.min(from + CHUNK) {
                if valid.is_some_and(|v| v.is_null(row)) {
                    ids.push(null_id);
                    continue;
                }
                let view = texts.view(row);
                let id = match last {
                    Some((v, id)) if v == view => id,
                    _ => {
                        let count = self.views.len();
                        self.slots.reserve(count, || expected(count, row, rows));
                        self.insert_one(view, hashes[row - from], texts.bytes(row))
                    }
                };
                last = Some((view, id));
                ids.push(id);
            }
        }
    }

    /// Numbers of strings, or [`NONE`]; rows that are not valid get `null_id`.
    pub fn find_all(&self, texts: &impl Texts, valid: Option<&NullBuffer>, null_id: u32, ids: &mut Vec<u32>) {
        let rows = texts.rows();
        ids.clear();
        for from in (0..rows).step_by(CHUNK) {
            let hashes = self.hashes(texts, from, rows.min(from + CHUNK));
            for row in from..rows.min(from + CHUNK) {
                if valid.is_some_and(|v| v.is_null(row)) {
                    ids.push(null_id);
                    continue;
                }
                let (view, bytes) = (texts.view(row), texts.bytes(row));
                ids.push(self.slots.find(hashes[row - from], |id| self.is_equal(id, view, bytes)));
            }
        }
    }

    /// Hashes of a chunk of strings; what they will meet is on its way into the cache then.
    #[inline(always)]
    fn hashes(&self, texts: &impl Texts, from: usize, to: usize) -> [u32; CHUNK] {
        let mut hashes = [0; CHUNK];
        for row in from..to {
            hashes[row - from] = hash_of(texts.view(row), texts.bytes(row));
        }
        if self.slots.is_large() {
            let hashes = &hashes[..to - from];
            hashes.iter().for_each(|h| self.slots.prefetch(*h));
            let probable = |h: &u32| self.slots.probable(*h);
            hashes.iter().filter_map(probable).for_each(|id| prefetch(&self.views, id));
            hashes.iter().filter_map(probable).for_each(|id| prefetch(self.get(id), 0));
        }
        hashes
    }

    /// Copies a long string into the blocks.
    fn keep(&mut self, bytes: &[u8]) -> u128 {
        if self.open.len() + bytes.len() > self.open.capacity() {
            let next = (self.held * 2).clamp(FIRST_BLOCK, LAST_BLOCK).max(bytes.len());
            let full = std::mem::replace(&mut self.open, Vec::with_capacity(next));
            if full.capacity() > 0 {
                self.full.push(full);
            }
            self.held += next;
        }
        let place = (self.full.len() as u128) << 64 | (self.open.len() as u128) << 96;
        self.open.extend_from_slice(bytes);
        view_of(bytes) | place
    }

    /// All strings in the order of their numbers, leaving the table empty. `nulls` marks numbers that stand for null.
    pub fn take(&mut self, nulls: Option<NullBuffer>, t: &ArrowType) -> ArrayRef {
        let table = std::mem::take(self);
        let (views, buffers) = (ScalarBuffer::from(table.views), blocks(table.full, table.open));
        make_views(views, buffers, nulls, t)
    }

    /// The blocks of long strings, to be pointed at by [`view`](Self::view)s.
    pub fn take_blocks(&mut self) -> Arc<[Buffer]> {
        let full = std::mem::take(&mut self.full);
        blocks(full, std::mem::take(&mut self.open))
    }

    /// The view of a string by number.
    pub fn view(&self, id: usize) -> u128 {
        self.views[id]
    }
}

fn blocks(full: Vec<Vec<u8>>, open: Vec<u8>) -> Arc<[Buffer]> {
    full.into_iter().chain(Some(open).filter(|o| !o.is_empty())).map(Buffer::from_vec).collect()
}

/// An array of views that came out of arrays of the same type.
pub(super) fn make_views(
    views: ScalarBuffer<u128>,
    buffers: Arc<[Buffer]>,
    nulls: Option<NullBuffer>,
    t: &ArrowType,
) -> ArrayRef {
    // SAFETY: the views were taken over from valid arrays of this type, with long values copied whole into `buffers` and
    // their places set accordingly; views of nulls are those of empty strings.
    unsafe {
        match t {
            ArrowType::Utf8View => Arc::new(StringViewArray::new_unchecked(views, buffers, nulls)),
            _ => Arc::new(BinaryViewArray::new_unchecked(views, buffers, nulls)),
        }
    }
}

/// Byte strings by row.
pub(super) trait Texts {
    /// Number of rows.
    fn rows(&self) -> usize;
    /// A view of a row. Equal views of one set of rows mean equal strings.
    fn view(&self, row: usize) -> u128;
    /// Its bytes; they need not be there if the view holds them.
    fn bytes(&self, row: usize) -> &[u8];
}

impl<T: ByteViewType<Native: AsRef<[u8]>> + ?Sized> Texts for GenericByteViewArray<T> {
    #[inline(always)]
    fn rows(&self) -> usize {
        self.len()
    }
    #[inline(always)]
    fn view(&self, row: usize) -> u128 {
        self.views()[row]
    }
    #[inline(always)]
    fn bytes(&self, row: usize) -> &[u8] {
        if is_inline(self.views()[row]) { &[] } else { self.value(row).as_ref() }
    }
}

/// Rows of Arrow's row format. Their views say only as much as is needed: a length and a beginning.
impl Texts for Rows {
    #[inline(always)]
    fn rows(&self) -> usize {
        self.num_rows()
    }
    #[inline(always)]
    fn view(&self, row: usize) -> u128 {
        // The row as its place tells rows of one set apart.
        let view = view_of(self.row(row).data());
        if is_inline(view) { view } else { view | (row as u128) << 64 }
    }
    #[inline(always)]
    fn bytes(&self, row: usize) -> &[u8] {
        self.row(row).data()
    }
}

/// Calls `f(row, view, bytes)` for each row of a string or binary column; `bytes` are there only if the view does not hold
/// them itself.
#[inline(always)]
pub(super) fn each_text(column: &ArrayRef, mut f: impl FnMut(usize, u128, &[u8])) {
    match column.data_type() {
        ArrowType::Utf8View => {
            let a = column.as_string_view();
            for (row, view) in a.views().iter().enumerate() {
                f(row, *view, if is_inline(*view) { &[] } else { a.value(row).as_bytes() });
            }
        }
        _ => {
            let a = column.as_binary_view();
            for (row, view) in a.views().iter().enumerate() {
                f(row, *view, if is_inline(*view) { &[] } else { a.value(row) });
            }
        }
    }
}

/// The bytes of a view in memory.
fn bytes_of(view: &u128) -> &[u8; 16] {
    // SAFETY: any u128 is 16 bytes of plain data, and bytes have no alignment.
    unsafe { &*std::ptr::from_ref(view).cast::<[u8; 16]>() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_strings_of_all_lengths() {
        let mut t = BytesTable::default();
        let text = |i: usize| format!("{i}").repeat(i % 9);
        let mut known: Vec<String> = vec![];
        for i in 0..5000 {
            let s = text(i % 3000);
            let id = t.insert_view(view_of(s.as_bytes()), s.as_bytes()) as usize;
            if id == known.len() {
                known.push(s.clone());
            }
            assert_eq!(known[id], s);
            assert_eq!(t.get(id), s.as_bytes());
        }
        let mut ids = vec![];
        let texts =
            StringViewArray::from(vec!["not there", &known[77], &known[77], "nor this which is long"]);
        t.find_all(&texts, None, NONE, &mut ids);
        assert_eq!(ids, [NONE, 77, 77, NONE]);
        let array = t.take(None, &ArrowType::Utf8View);
        let expected: ArrayRef = Arc::new(StringViewArray::from_iter_values(&known));
        assert_eq!(&array, &expected);
        array.to_data().validate_full().unwrap();
        assert_eq!(t.len(), 0);
    }
}
