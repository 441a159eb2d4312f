//! A table of single words: plain keys, looked up by position in a small range or by hash.

use super::slots::{CHUNK, expected, grown, prefetch};
use super::{NONE, hash_word};
use arrow::buffer::NullBuffer;

/// A range this large is always kept as an array.
const SMALL_RANGE: u64 = 1 << 16;
/// Places of a range per key up to which an array takes no more memory than hashing.
const PLACES_PER_KEY: u64 = 16;

/// Tables of fewer slots lie in the cache anyway.
const WORTH_FETCHING: usize = 1 << 14;

/// A key and its number plus one: an empty slot is all zeros, so that the system hands out empty tables at no cost.
type Slot = (u64, u32);

/// What places say of a number: 0 is none.
#[inline(always)]
fn id_of(place: u32) -> u32 {
    place.wrapping_sub(1)
}

enum Places {
    /// Numbers plus one by `key - min`.
    Dense { min: i64, ids: Vec<u32> },
    /// Open addressing by the upper bits of the hash; the keys lie in the slots.
    Hashed { slots: Vec<Slot>, shift: u32 },
}

/// Numbers distinct words.
pub(super) struct IntTable {
    places: Places,
    keys: Vec<u64>,
    /// The number of null, which has no place.
    null_id: u32,
    /// Keys from which on a hashed table sees again whether their range is dense.
    densify_at: usize,
}

/// A hashed table of fewer keys stays one.
const DENSIFY_FROM: usize = 4 << 10;

impl Default for IntTable {
    fn default() -> Self {
        IntTable {
            places: Places::Dense { min: 0, ids: Vec::new() },
            keys: Vec::new(),
            null_id: NONE,
            densify_at: DENSIFY_FROM,
        }
    }
}

/// Least and greatest of the valid keys.
fn range(keys: &[u64], valid: Option<&NullBuffer>) -> Option<(i64, i64)> {
    let fit = |(lo, hi): (i64, i64), k: u64| (lo.min(k as i64), hi.max(k as i64));
    let start = (i64::MAX, i64::MIN);
    let (lo, hi) = match valid {
        None => keys.iter().fold(start, |r, k| fit(r, *k)),
        Some(v) => v.valid_indices().fold(start, |r, i| fit(r, keys[i])),
    };
    (lo <= hi).then_some((lo, hi))
}

impl IntTable {
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    pub fn size(&self) -> usize {
        let places = match &self.places {
            Places::Dense { ids, .. } => ids.capacity() * 4,
            Places::Hashed { slots, .. } => slots.capacity() * size_of::<Slot>(),
        };
        places + self.keys.capacity() * 8
    }

    pub fn keys(&self) -> &[u64] {
        &self.keys
    }

    /// A number that no word has: for null.
    pub fn push_null(&mut self) -> u32 {
        self.null_id = self.keys.len() as u32;
        self.keys.push(0);
        self.null_id
    }

    /// Numbers of words, new or old; rows that are not valid get `null_id`.
    pub fn insert(&mut self, keys: &[u64], valid: Option<&NullBuffer>, null_id: u32, ids: &mut Vec<u32>) {
        ids.clear();
        self.make_room(keys, valid);
        match (&mut self.places, valid) {
            (Places::Dense { min, ids: places }, None) => {
                ids.extend(keys.iter().map(|k| insert_dense(places, *min, &mut self.keys, *k)));
            }
            (Places::Dense { min, ids: places }, Some(v)) => {
                ids.extend(keys.iter().enumerate().map(|(i, k)| {
                    if v.is_valid(i) { insert_dense(places, *min, &mut self.keys, *k) } else { null_id }
                }));
            }
            (Places::Hashed { .. }, _) => self.insert_hashed(keys, valid, null_id, ids),
        }
    }

    fn insert_hashed(&mut self, keys: &[u64], valid: Option<&NullBuffer>, null_id: u32, ids: &mut Vec<u32>) {
        // Inputs sorted by key have the same one many times over.
        let (mut last, mut last_id) = (0, NONE);
        for chunk in keys.chunks(CHUNK) {
            if let Places::Hashed { slots, shift } = &self.places {
                fetch(slots, *shift, chunk);
            }
            for key in chunk {
                let row = ids.len();
                if valid.is_some_and(|v| v.is_null(row)) {
                    ids.push(null_id);
                    continue;
                }
                if *key != last || last_id == NONE {
                    last_id = self.insert_one(*key, row, keys.len());
                    last = *key;
                }
                ids.push(last_id);
            }
        }
    }

    #[inline(always)]
    fn insert_one(&mut self, key: u64, row: usize, rows: usize) -> u32 {
        let Places::Hashed { slots, shift } = &mut self.places else { return NONE };
        let mask = slots.len() - 1;
        let mut at = (hash_word(key) >> *shift) as usize & mask;
        loop {
            let (found, place) = slots[at];
            if place == 0 {
                break;
            }
            if found == key {
                return id_of(place);
            }
            at = (at + 1) & mask;
        }
        let id = self.keys.len() as u32;
        slots[at] = (key, id + 1);
        self.keys.push(key);
        if self.keys.len() * 8 >= slots.len() * 5 {
            let wanted = grown(slots.len(), expected(self.keys.len(), row, rows));
            self.hash_all(wanted);
        }
        id
    }

    /// Numbers of words, or [`NONE`]; rows that are not valid get `null_id`.
    pub fn find(&self, keys: &[u64], valid: Option<&NullBuffer>, null_id: u32, ids: &mut Vec<u32>) {
        ids.clear();
        match &self.places {
            Places::Dense { min, ids: places } => {
                ids.extend(keys.iter().map(|k| {
                    let at = (*k as i64).wrapping_sub(*min) as u64 as usize;
                    id_of(places.get(at).copied().unwrap_or(0))
                }));
            }
            Places::Hashed { slots, shift } => {
                for chunk in keys.chunks(CHUNK) {
                    fetch(slots, *shift, chunk);
                    ids.extend(chunk.iter().map(|k| find_hashed(slots, *shift, *k)));
                }
            }
        }
        if let Some(v) = valid {
            for (i, id) in ids.iter_mut().enumerate() {
                *id = if v.is_valid(i) { *id } else { null_id };
            }
        }
    }

    /// Makes the places fit for keys that are about to be inserted: an array over their range, or hashing.
    fn make_room(&mut self, new: &[u64], valid: Option<&NullBuffer>) {
        let (min, ids) = match &mut self.places {
            Places::Dense { min, ids } => (min, ids),
            Places::Hashed { .. } => {
                if self.keys.len() >= self.densify_at {
                    self.densify(new, valid);
                }
                return;
            }
        };
        let Some((lo, hi)) = range(new, valid) else { return };
        let (old_lo, old_hi) = match ids.len() {
            0 => (lo, hi),
            n => (*min, min.saturating_add(n as i64 - 1)),
        };
        if !ids.is_empty() && lo >= old_lo && hi <= old_hi {
            return;
        }
        let (new_lo, new_hi) = (lo.min(old_lo), hi.max(old_hi));
        let wanted = (new_hi as i128 - new_lo as i128 + 1) as u128;
        let keys = (self.keys.len() + new.len()) as u64;
        let allowed = u128::from((keys * PLACES_PER_KEY).max(SMALL_RANGE));
        if wanted > allowed {
            let slots = ((self.keys.len() + 1) * 2).max(1024).next_power_of_two();
            return self.hash_all(slots);
        }
        // Room for more on the side that was too short, so that keys in order do not move the array with every batch.
        let slack = (ids.len() as u128).min(allowed - wanted) as usize;
        let (below, above) = match (lo < old_lo, hi > old_hi) {
            (true, true) => (slack / 2, slack / 2),
            (true, false) => (slack, 0),
            (false, _) => (0, slack),
        };
        let new_min = new_lo.saturating_sub(below as i64);
        let len = (new_hi as i128 - new_min as i128 + 1) as usize + above;
        let mut places = vec![0; len];
        if !ids.is_empty() {
            let from = (old_lo as i128 - new_min as i128) as usize;
            places[from..from + ids.len()].copy_from_slice(ids);
        }
        (*min, *ids) = (new_min, places);
    }

    /// Whenever a hashed table's keys have doubled: an array instead, if their range has become dense enough.
    #[cold]
    fn densify(&mut self, new: &[u64], valid: Option<&NullBuffer>) {
        self.densify_at = self.keys.len() * 2;
        let (Some((a, b)), Some((c, d))) = (self.range_of_keys(), range(new, valid)) else { return };
        let (lo, hi) = (a.min(c), b.max(d));
        let span = (i128::from(hi) - i128::from(lo) + 1) as u128;
        // Keys there are: of the new ones, all may be known.
        if span > self.keys.len() as u128 * u128::from(PLACES_PER_KEY) {
            return;
        }
        let mut ids = vec![0; span as usize];
        for (id, key) in self.keys.iter().enumerate().filter(|(id, _)| *id as u32 != self.null_id) {
            ids[(*key as i64).wrapping_sub(lo) as u64 as usize] = id as u32 + 1;
        }
        self.places = Places::Dense { min: lo, ids };
    }

    /// Least and greatest key.
    fn range_of_keys(&self) -> Option<(i64, i64)> {
        let keys = self.keys.iter().enumerate().filter(|(id, _)| *id as u32 != self.null_id);
        let keys = keys.map(|(_, k)| *k as i64);
        keys.fold(None, |r, k| r.map_or(Some((k, k)), |(lo, hi): (i64, i64)| Some((lo.min(k), hi.max(k)))))
    }

    /// Places all keys by hash in this many slots.
    #[cold]
    fn hash_all(&mut self, wanted: usize) {
        let mut slots: Vec<Slot> = vec![(0, 0); wanted];
        let (mask, shift) = (wanted - 1, 64 - wanted.trailing_zeros());
        for (id, key) in self.keys.iter().enumerate() {
            if id as u32 == self.null_id {
                continue;
            }
            let mut at = (hash_word(*key) >> shift) as usize & mask;
            while slots[at].1 != 0 {
                at = (at + 1) & mask;
            }
            slots[at] = (*key, id as u32 + 1);
        }
        self.places = Places::Hashed { slots, shift };
    }
}

#[inline(always)]
fn insert_dense(places: &mut [u32], min: i64, keys: &mut Vec<u64>, key: u64) -> u32 {
    let place = &mut places[(key as i64).wrapping_sub(min) as u64 as usize];
    if *place == 0 {
        keys.push(key);
        *place = keys.len() as u32;
    }
    id_of(*place)
}

/// Fetches the slots of keys that are looked up next.
#[inline(always)]
fn fetch(slots: &[Slot], shift: u32, keys: &[u64]) {
    if slots.len() >= WORTH_FETCHING {
        let mask = slots.len() - 1;
        keys.iter().for_each(|k| prefetch(slots, (hash_word(*k) >> shift) as usize & mask));
    }
}

#[inline(always)]
fn find_hashed(slots: &[Slot], shift: u32, key: u64) -> u32 {
    let mask = slots.len() - 1;
    let mut at = (hash_word(key) >> shift) as usize & mask;
    loop {
        let (found, place) = slots[at];
        // An empty slot holds no number, which is the answer.
        if found == key || place == 0 {
            return id_of(place);
        }
        at = (at + 1) & mask;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn check(batches: &[Vec<i64>]) -> IntTable {
        let (mut table, mut model) = (IntTable::default(), HashMap::new());
        let mut ids = vec![];
        for batch in batches {
            let words: Vec<u64> = batch.iter().map(|k| *k as u64).collect();
            table.insert(&words, None, NONE, &mut ids);
            for (k, id) in words.iter().zip(&ids) {
                let next = model.len() as u32;
                assert_eq!(*model.entry(*k).or_insert(next), *id);
            }
            let mut found = vec![];
            table.find(&words, None, NONE, &mut found);
            assert_eq!(found, ids);
        }
        table.find(&[12345678901, u64::MAX / 3, 1 << 63], None, NONE, &mut ids);
        for (k, id) in [12345678901, u64::MAX / 3, 1 << 63].iter().zip(&ids) {
            assert_eq!(model.get(k).copied().unwrap_or(NONE), *id);
        }
        table
    }

    fn is_dense(t: &IntTable) -> bool {
        matches!(t.places, Places::Dense { .. })
    }

    #[test]
    fn dense_ranges_grow_both_ways() {
        let t =
            check(&[vec![5, 6, 5], vec![-100, 7], vec![9_000], vec![-50_000, -100], (0..20_000).collect()]);
        assert!(is_dense(&t));
        let t = check(&[vec![i64::MAX - 1], vec![i64::MAX, i64::MAX - 3]]);
        assert!(is_dense(&t));
        let t = check(&[vec![i64::MIN], vec![i64::MIN + 9]]);
        assert!(is_dense(&t));
    }

    #[test]
    fn wide_ranges_are_hashed() {
        let wild = |n: i64| (0..n).map(|i| i.wrapping_mul(0x1234_5678_9abc_def1)).collect::<Vec<_>>();
        let t = check(&[vec![1, 2, 3], wild(10), wild(70_000), vec![i64::MIN, i64::MAX, 0]]);
        assert!(!is_dense(&t));
        check(&[vec![i64::MIN, i64::MAX]]);
    }

    #[test]
    fn hashed_tables_become_arrays_once_their_range_has_filled() {
        let scattered = (0..300_000i64).map(|i| i * 7919 % 300_007 * 4).collect::<Vec<_>>();
        let t = check(&scattered.chunks(4_000).map(<[i64]>::to_vec).collect::<Vec<_>>());
        assert!(is_dense(&t));
        let mut batches: Vec<Vec<i64>> = scattered.chunks(4_000).map(<[i64]>::to_vec).collect();
        batches.push(vec![1 << 60]);
        assert!(!is_dense(&check(&batches)));
    }

    #[test]
    fn nulls_have_the_number_they_are_given() {
        let mut t = IntTable::default();
        let null = t.push_null();
        let mut ids = vec![];
        let valid = NullBuffer::from(vec![true, false, true]);
        t.insert(&[0, 0, 1 << 40], Some(&valid), null, &mut ids);
        assert_eq!(ids, [1, 0, 2]);
        t.find(&[0, 9, 0], Some(&valid), NONE, &mut ids);
        assert_eq!(ids, [1, NONE, 1]);
    }
}
