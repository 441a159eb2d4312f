//! A table of byte strings.

use super::{NONE, hash_bytes, hash_view};
use arrow::array::{ArrayRef, AsArray, BinaryViewArray, StringViewArray};
use arrow::buffer::{Buffer, NullBuffer, ScalarBuffer};
use arrow::datatypes::DataType as ArrowType;
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

/// Length and first bytes, which two equal strings have in common.
#[inline(always)]
fn head(view: u128) -> u64 {
    view as u64
}

#[derive(Clone, Copy)]
struct Slot {
    hash: u32,
    id: u32,
}

/// Numbers distinct byte strings. They are kept as Arrow's views over blocks, so that handing them out copies nothing.
#[derive(Default)]
pub(super) struct BytesTable {
    slots: Vec<Slot>,
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
        self.slots.capacity() * size_of::<Slot>() + self.views.capacity() * 16 + self.held
    }

    /// A number that no string has: for null.
    pub fn push_null(&mut self) -> u32 {
        self.views.push(0);
        (self.views.len() - 1) as u32
    }

    /// The bytes of a string by number.
    pub fn get(&self, id: usize) -> &[u8] {
        let view = &self.views[id];
        let len = *view as u32 as usize;
        if len <= INLINE {
            // A view's own bytes begin after its length; the view is in memory as it is read here on little-endian machines,
            // the only ones that Arrow's views are made for.
            return &bytes_of(view)[4..4 + len];
        }
        let (block, start) = ((*view >> 64) as u32 as usize, (*view >> 96) as u32 as usize);
        let block = self.full.get(block).unwrap_or(&self.open);
        &block[start..start + len]
    }

    /// The number of a string, new or old. `view` is any view of it; `bytes` matter only if it is long.
    #[inline(always)]
    pub fn insert_view(&mut self, view: u128, bytes: &[u8]) -> u32 {
        let hash = hash_view(view, || hash_bytes(bytes));
        self.insert_hashed(view, hash, bytes)
    }

    /// The number of a string, new or old.
    pub fn insert(&mut self, bytes: &[u8]) -> u32 {
        self.insert_view(view_of(bytes), bytes)
    }

    /// The number of a string, or [`NONE`]. As in [`insert_view`](Self::insert_view), `bytes` matter only if it is long.
    #[inline(always)]
    pub fn find_view(&self, view: u128, bytes: &[u8]) -> u32 {
        if self.slots.is_empty() {
            return NONE;
        }
        let hash = (hash_view(view, || hash_bytes(bytes)) >> 32) as u32;
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let slot = self.slots[at];
            if slot.id == NONE {
                return NONE;
            }
            if slot.hash == hash && self.is_equal(slot.id, view, bytes) {
                return slot.id;
            }
            at = (at + 1) & mask;
        }
    }

    /// The number of a string, or [`NONE`].
    pub fn find(&self, bytes: &[u8]) -> u32 {
        self.find_view(view_of(bytes), bytes)
    }

    #[inline(always)]
    fn is_equal(&self, id: u32, view: u128, bytes: &[u8]) -> bool {
        let own = self.views[id as usize];
        if head(own) != head(view) {
            return false;
        }
        if is_inline(view) { own == view } else { self.get(id as usize) == bytes }
    }

    #[inline(always)]
    fn insert_hashed(&mut self, view: u128, hash: u64, bytes: &[u8]) -> u32 {
        if self.views.len() * 8 >= self.slots.len() * 5 {
            self.grow();
        }
        let hash = (hash >> 32) as u32;
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let slot = self.slots[at];
            if slot.id == NONE {
                let id = self.views.len() as u32;
                self.slots[at] = Slot { hash, id };
                let kept = if is_inline(view) { view } else { self.keep(bytes) };
                self.views.push(kept);
                return id;
            }
            if slot.hash == hash && self.is_equal(slot.id, view, bytes) {
                return slot.id;
            }
            at = (at + 1) & mask;
        }
    }

    #[cold]
    fn grow(&mut self) {
        let wanted = match self.slots.len() {
            0 => 64,
            n if n < 1 << 16 => n * 4,
            n => n * 2,
        };
        let old = std::mem::replace(&mut self.slots, vec![Slot { hash: 0, id: NONE }; wanted]);
        let mask = wanted - 1;
        for slot in old.into_iter().filter(|s| s.id != NONE) {
            let mut at = slot.hash as usize & mask;
            while self.slots[at].id != NONE {
                at = (at + 1) & mask;
            }
            self.slots[at] = slot;
        }
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
            let id = t.insert(s.as_bytes()) as usize;
            if id == known.len() {
                known.push(s.clone());
            }
            assert_eq!(known[id], s);
            assert_eq!(t.get(id), s.as_bytes());
        }
        assert_eq!(t.find(b"not there"), NONE);
        assert_eq!(t.find(known[77].as_bytes()), 77);
        let array = t.take(None, &ArrowType::Utf8View);
        let expected: ArrayRef = Arc::new(StringViewArray::from_iter_values(&known));
        assert_eq!(&array, &expected);
        array.to_data().validate_full().unwrap();
        assert_eq!(t.len(), 0);
    }
}
