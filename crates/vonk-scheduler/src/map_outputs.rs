//! The map output tracker: where the output of each map partition lives, and about how large it is.
//!
//! Must not know: stages and jobs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::{ExecutorId, MapId, ShuffleId};

/// What a map task reports of its output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapStatus {
    /// Who serves the blocks.
    pub executor: ExecutorId,
    /// Bytes per reduce partition.
    pub sizes: Vec<u64>,
}

/// One shuffle's outputs.
#[derive(Clone, Debug)]
struct Maps {
    places: Vec<Option<ExecutorId>>,
    /// Bytes by map and reduce partition, a byte each: a thousand maps times a thousand reduces are kept for as long as the
    /// shuffle lives.
    sizes: Vec<Box<[u8]>>,
    /// How many places are empty: asked after every task, so that it is not counted anew.
    missing: usize,
    version: u64,
}

impl Maps {
    /// Empties the places whose output is lost, and gives them.
    fn forget(&mut self, lost: impl Fn(u32, ExecutorId) -> bool) -> Vec<u32> {
        let mut gone = Vec::new();
        for (i, place) in (0u32..).zip(&mut self.places) {
            if place.is_some_and(|executor| lost(i, executor)) {
                *place = None;
                gone.push(i);
            }
        }
        for i in &gone {
            self.sizes[*i as usize] = Box::default();
        }
        if !gone.is_empty() {
            self.missing += gone.len();
            self.version += 1;
        }
        gone
    }
}

/// All shuffles known to the driver.
#[derive(Clone, Debug, Default)]
pub struct MapOutputs {
    shuffles: BTreeMap<ShuffleId, Maps>,
}

impl MapOutputs {
    /// Makes room for a shuffle; one that is known keeps its outputs. `false` if it is known with another number of maps.
    pub fn register(&mut self, shuffle: ShuffleId, num_maps: u32) -> bool {
        let missing = num_maps as usize;
        let new = || Maps {
            places: vec![None; missing],
            sizes: vec![Box::default(); missing],
            missing,
            version: 0,
        };
        self.shuffles.entry(shuffle).or_insert_with(new).places.len() == missing
    }

    /// Takes the output of one map partition; `false` if there is one already or no such place.
    pub fn add(&mut self, shuffle: ShuffleId, map: MapId, status: &MapStatus) -> bool {
        let Some(maps) = self.shuffles.get_mut(&shuffle) else { return false };
        match maps.places.get_mut(map.0 as usize) {
            Some(place @ None) => {
                *place = Some(status.executor);
                maps.sizes[map.0 as usize] = status.sizes.iter().map(|s| compress(*s)).collect();
                maps.missing -= 1;
                maps.version += 1;
                true
            }
            _ => false,
        }
    }

    /// Forgets one output if it is still the one on `executor` (it may have been made anew since).
    pub fn remove(&mut self, shuffle: ShuffleId, map: MapId, executor: ExecutorId) -> bool {
        let Some(maps) = self.shuffles.get_mut(&shuffle) else { return false };
        let at = map.0 as usize;
        if maps.places.get(at).copied().flatten() != Some(executor) {
            return false;
        }
        maps.places[at] = None;
        maps.sizes[at] = Box::default();
        maps.missing += 1;
        maps.version += 1;
        true
    }

    /// The output of a map partition that `from` served is served by `to`; whether it was there.
    pub fn moved(&mut self, shuffle: ShuffleId, map: MapId, from: ExecutorId, to: ExecutorId) -> bool {
        let Some(maps) = self.shuffles.get_mut(&shuffle) else { return false };
        match maps.places.get_mut(map.0 as usize) {
            Some(Some(place)) if *place == from => {
                *place = to;
                maps.version += 1;
                true
            }
            _ => false,
        }
    }

    /// Forgets all that an executor served, and gives it by shuffle.
    pub fn remove_executor(&mut self, executor: ExecutorId) -> Vec<(ShuffleId, Vec<u32>)> {
        let forget = |(id, maps): (&ShuffleId, &mut Maps)| (*id, maps.forget(|_, e| e == executor));
        self.shuffles.iter_mut().map(forget).filter(|(_, lost)| !lost.is_empty()).collect()
    }

    /// Forgets all outputs of a shuffle, not the shuffle.
    pub fn clear(&mut self, shuffle: ShuffleId) {
        if let Some(maps) = self.shuffles.get_mut(&shuffle) {
            maps.forget(|_, _| true);
        }
    }

    /// Who serves the outputs, by map partition.
    pub fn places(&self, shuffle: ShuffleId) -> Option<&[Option<ExecutorId>]> {
        self.shuffles.get(&shuffle).map(|maps| maps.places.as_slice())
    }

    /// Changes with the places: who has sent them to executors can tell whether they are still right.
    pub fn version(&self, shuffle: ShuffleId) -> u64 {
        self.shuffles.get(&shuffle).map_or(0, |maps| maps.version)
    }

    /// About how many bytes a reduce partition reads from a map partition.
    pub fn size(&self, shuffle: ShuffleId, map: MapId, reduce: u32) -> u64 {
        let sizes = self.shuffles.get(&shuffle).and_then(|maps| maps.sizes.get(map.0 as usize));
        sizes.and_then(|s| s.get(reduce as usize)).map_or(0, |s| decompress(*s))
    }

    /// The map partitions without output; all places of an unknown shuffle count as none.
    pub fn missing(&self, shuffle: ShuffleId) -> Vec<u32> {
        let places = self.places(shuffle).unwrap_or_default();
        (0u32..).zip(places).filter(|(_, p)| p.is_none()).map(|(i, _)| i).collect()
    }

    /// Whether no map partition of a shuffle is without output; of an unknown shuffle, none is.
    pub fn is_complete(&self, shuffle: ShuffleId) -> bool {
        self.shuffles.get(&shuffle).is_none_or(|maps| maps.missing == 0)
    }

    /// Whether any output of the shuffle is known.
    pub fn has_any(&self, shuffle: ShuffleId) -> bool {
        self.shuffles.get(&shuffle).is_some_and(|maps| maps.missing < maps.places.len())
    }

    /// Forgets a shuffle.
    pub fn release(&mut self, shuffle: ShuffleId) -> bool {
        self.shuffles.remove(&shuffle).is_some()
    }
}

/// A size as its logarithm to the base 1.1, rounded up (Spark's `MapStatus.compressSize`): up to 35 GB within ten percent.
fn compress(size: u64) -> u8 {
    match size {
        0 => 0,
        1 => 1,
        _ => ((size as f64).ln() / 1.1f64.ln()).ceil().min(255.0) as u8,
    }
}

fn decompress(size: u8) -> u64 {
    match size {
        0 => 0,
        _ => 1.1f64.powi(i32::from(size)) as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_kept_within_ten_percent() {
        for size in [0, 1, 2, 100, 12_345, 1 << 30] {
            let kept = decompress(compress(size));
            assert!(kept >= size.saturating_sub(1) && kept <= size + size / 10 + 1, "{size} became {kept}");
        }
    }

    #[test]
    fn an_output_is_forgotten_only_where_it_is() {
        let (shuffle, map) = (ShuffleId(1), MapId(0));
        let mut outputs = MapOutputs::default();
        assert!(outputs.register(shuffle, 1));
        assert!(!outputs.register(shuffle, 2));
        assert!(outputs.add(shuffle, map, &MapStatus { executor: ExecutorId(1), sizes: vec![7] }));
        assert!(!outputs.add(shuffle, map, &MapStatus { executor: ExecutorId(2), sizes: vec![7] }));
        assert!(!outputs.remove(shuffle, map, ExecutorId(2)));
        assert!(outputs.moved(shuffle, map, ExecutorId(1), ExecutorId(2)));
        assert!(outputs.remove_executor(ExecutorId(1)).is_empty());
        assert_eq!(outputs.remove_executor(ExecutorId(2)), [(shuffle, vec![0])]);
        assert_eq!(outputs.missing(shuffle), [0]);
    }
}
