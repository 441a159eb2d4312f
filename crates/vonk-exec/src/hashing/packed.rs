//! Tables of keys of a few words.

use super::ints::IntTable;
use super::layout::MOST_WORDS;
use super::slots::{CHUNK, Slots, expected, prefetch};
use super::{NONE, hash_next, hash_word};
use arrow::buffer::NullBuffer;

/// A table of packed keys, given word after word.
pub(super) trait PackedTable: Send + Sync {
    /// Numbers of keys, new or old; rows that are not valid get [`NONE`].
    fn insert(&mut self, keys: &[u64], valid: Option<&NullBuffer>, ids: &mut Vec<u32>);
    /// Numbers of keys, or [`NONE`].
    fn find(&self, keys: &[u64], valid: Option<&NullBuffer>, ids: &mut Vec<u32>);
    /// Keys in order of their numbers, word after word.
    fn keys(&self) -> &[u64];
    /// Number of keys.
    fn len(&self) -> usize;
    /// Bytes held.
    fn size(&self) -> usize;
}

/// A table for keys of this many words.
pub(super) fn packed_table(words: usize) -> Box<dyn PackedTable> {
    match words {
        1 => Box::new(IntTable::default()),
        2 => Box::new(WordTable::<2>::default()),
        3 => Box::new(WordTable::<3>::default()),
        4 => Box::new(WordTable::<4>::default()),
        6 => Box::new(WordTable::<6>::default()),
        _ => Box::new(WordTable::<MOST_WORDS>::default()),
    }
}

impl PackedTable for IntTable {
    fn insert(&mut self, keys: &[u64], valid: Option<&NullBuffer>, ids: &mut Vec<u32>) {
        self.insert(keys, valid, NONE, ids);
    }
    fn find(&self, keys: &[u64], valid: Option<&NullBuffer>, ids: &mut Vec<u32>) {
        self.find(keys, valid, NONE, ids);
    }
    fn keys(&self) -> &[u64] {
        self.keys()
    }
    fn len(&self) -> usize {
        self.len()
    }
    fn size(&self) -> usize {
        self.size()
    }
}

/// Keys of `W` words.
#[derive(Default)]
struct WordTable<const W: usize> {
    slots: Slots,
    keys: Vec<u64>,
}

#[inline(always)]
fn hash_key<const W: usize>(key: &[u64; W]) -> u32 {
    let mut h = hash_word(key[0]);
    for word in &key[1..] {
        h = hash_next(h, *word);
    }
    (h >> 32) as u32
}

impl<const W: usize> WordTable<W> {
    /// Hashes of up to a chunk of keys; what they will meet is on its way into the cache then.
    #[inline(always)]
    fn hashes(&self, keys: &[[u64; W]]) -> [u32; CHUNK] {
        let mut hashes = [0; CHUNK];
        for (hash, key) in hashes.iter_mut().zip(keys) {
            *hash = hash_key(key);
        }
        if self.slots.is_large() {
            let hashes = &hashes[..keys.len()];
            hashes.iter().for_each(|h| self.slots.prefetch(*h));
            for hash in hashes {
                if let Some(id) = self.slots.probable(*hash) {
                    prefetch(&self.keys, id * W);
                }
            }
        }
        hashes
    }

    #[inline(always)]
    fn insert_one(&mut self, key: &[u64; W], hash: u32) -> u32 {
        let new = (self.keys.len() / W) as u32;
        let (keys, slots) = (&mut self.keys, &mut self.slots);
        let old = slots.find_or_place(hash, new, |id| keys[id as usize * W..][..W] == key[..]);
        if old == NONE {
            keys.extend_from_slice(key);
            return new;
        }
        old
    }
}

impl<const W: usize> PackedTable for WordTable<W> {
    fn insert(&mut self, keys: &[u64], valid: Option<&NullBuffer>, ids: &mut Vec<u32>) {
        ids.clear();
        let (keys, _) = keys.as_chunks::<W>();
        // Inputs sorted by key have the same one many times over.
        let mut last: Option<(&[u64; W], u32)> = None;
        for chunk in keys.chunks(CHUNK) {
            let hashes = self.hashes(chunk);
            for (key, hash) in chunk.iter().zip(hashes) {
                let row = ids.len();
                if valid.is_some_and(|v| v.is_null(row)) {
                    ids.push(NONE);
                    continue;
                }
                let id = match last {
                    Some((k, id)) if k == key => id,
                    _ => {
                        let count = self.keys.len() / W;
                        self.slots.reserve(count, || expected(count, row, keys.len()));
                        self.insert_one(key, hash)
                    }
                };
                last = Some((key, id));
                ids.push(id);
            }
        }
    }

    fn find(&self, keys: &[u64], valid: Option<&NullBuffer>, ids: &mut Vec<u32>) {
        ids.clear();
        let (keys, _) = keys.as_chunks::<W>();
        for chunk in keys.chunks(CHUNK) {
            let hashes = self.hashes(chunk);
            for (key, hash) in chunk.iter().zip(hashes) {
                let is_valid = valid.is_none_or(|v| v.is_valid(ids.len()));
                let find = || self.slots.find(hash, |id| self.keys[id as usize * W..][..W] == key[..]);
                ids.push(if is_valid { find() } else { NONE });
            }
        }
    }

    fn keys(&self) -> &[u64] {
        &self.keys
    }

    fn len(&self) -> usize {
        self.keys.len() / W
    }

    fn size(&self) -> usize {
        self.slots.size() + self.keys.capacity() * 8
    }
}
