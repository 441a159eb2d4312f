//! The map output tracker: where the output of each map partition lives, and how large it is.
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
    places: Vec<Option<MapStatus>>,
    /// How many places are empty: asked after every task, so that it is not counted anew.
    missing: usize,
}

impl Maps {
    /// Empties the places whose output is lost.
    fn forget(&mut self, lost: impl Fn(u32, &MapStatus) -> bool) {
        for (i, place) in (0u32..).zip(&mut self.places) {
            if place.as_ref().is_some_and(|s| lost(i, s)) {
                *place = None;
                self.missing += 1;
            }
        }
    }
}

/// All shuffles known to the driver.
#[derive(Clone, Debug, Default)]
pub struct MapOutputs {
    shuffles: BTreeMap<ShuffleId, Maps>,
}

impl MapOutputs {
    /// Makes room for a shuffle; one that is known keeps its outputs.
    pub fn register(&mut self, shuffle: ShuffleId, num_maps: u32) {
        let missing = num_maps as usize;
        self.shuffles.entry(shuffle).or_insert_with(|| Maps { places: vec![None; missing], missing });
    }

    /// Takes the output of one map partition; `false` if there is one already or no such place.
    pub fn add(&mut self, shuffle: ShuffleId, map: MapId, status: MapStatus) -> bool {
        let Some(maps) = self.shuffles.get_mut(&shuffle) else { return false };
        match maps.places.get_mut(map.0 as usize) {
            Some(place @ None) => {
                *place = Some(status);
                maps.missing -= 1;
                true
            }
            _ => false,
        }
    }

    /// Forgets one output if it is still the one on `executor` (it may have been made anew since).
    pub fn remove(&mut self, shuffle: ShuffleId, map: MapId, executor: ExecutorId) -> bool {
        let Some(maps) = self.shuffles.get_mut(&shuffle) else { return false };
        let before = maps.missing;
        maps.forget(|i, s| i == map.0 && s.executor == executor);
        maps.missing > before
    }

    /// The output of a map partition that `from` served is served by `to`.
    pub fn moved(&mut self, shuffle: ShuffleId, map: MapId, from: ExecutorId, to: ExecutorId) {
        let place = self.shuffles.get_mut(&shuffle).and_then(|maps| maps.places.get_mut(map.0 as usize));
        if let Some(Some(status)) = place
            && status.executor == from
        {
            status.executor = to;
        }
    }

    /// Forgets all that an executor served.
    pub fn remove_executor(&mut self, executor: ExecutorId) {
        self.shuffles.values_mut().for_each(|maps| maps.forget(|_, s| s.executor == executor));
    }

    /// The outputs by map partition.
    pub fn get(&self, shuffle: ShuffleId) -> Option<&[Option<MapStatus>]> {
        self.shuffles.get(&shuffle).map(|maps| maps.places.as_slice())
    }

    /// The map partitions without output; all places of an unknown shuffle count as none.
    pub fn missing(&self, shuffle: ShuffleId) -> Vec<u32> {
        let maps = self.get(shuffle).unwrap_or_default();
        (0u32..).zip(maps).filter(|(_, s)| s.is_none()).map(|(i, _)| i).collect()
    }

    /// Whether no map partition of a shuffle is without output; of an unknown shuffle, none is.
    pub fn is_complete(&self, shuffle: ShuffleId) -> bool {
        self.shuffles.get(&shuffle).is_none_or(|maps| maps.missing == 0)
    }

    /// Forgets a shuffle.
    pub fn release(&mut self, shuffle: ShuffleId) -> bool {
        self.shuffles.remove(&shuffle).is_some()
    }
}
