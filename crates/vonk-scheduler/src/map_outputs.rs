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

/// All shuffles known to the driver.
#[derive(Clone, Debug, Default)]
pub struct MapOutputs {
    shuffles: BTreeMap<ShuffleId, Vec<Option<MapStatus>>>,
}

impl MapOutputs {
    /// Makes room for a shuffle; one that is known keeps its outputs.
    pub fn register(&mut self, shuffle: ShuffleId, num_maps: u32) {
        self.shuffles.entry(shuffle).or_insert_with(|| vec![None; num_maps as usize]);
    }

    /// Takes the output of one map partition; `false` if there is one already or no such place.
    pub fn add(&mut self, shuffle: ShuffleId, map: MapId, status: MapStatus) -> bool {
        match self.shuffles.get_mut(&shuffle).and_then(|maps| maps.get_mut(map.0 as usize)) {
            Some(place @ None) => {
                *place = Some(status);
                true
            }
            _ => false,
        }
    }

    /// Forgets one output if it is still the one on `executor` (it may have been made anew since).
    pub fn remove(&mut self, shuffle: ShuffleId, map: MapId, executor: ExecutorId) -> bool {
        let place = self.shuffles.get_mut(&shuffle).and_then(|maps| maps.get_mut(map.0 as usize));
        match place {
            Some(place) if place.as_ref().is_some_and(|s| s.executor == executor) => {
                *place = None;
                true
            }
            _ => false,
        }
    }

    /// Forgets all that an executor served.
    pub fn remove_executor(&mut self, executor: ExecutorId) {
        for place in self.shuffles.values_mut().flatten() {
            if place.as_ref().is_some_and(|s| s.executor == executor) {
                *place = None;
            }
        }
    }

    /// The outputs by map partition.
    pub fn get(&self, shuffle: ShuffleId) -> Option<&[Option<MapStatus>]> {
        self.shuffles.get(&shuffle).map(Vec::as_slice)
    }

    /// The map partitions without output; all places of an unknown shuffle count as none.
    pub fn missing(&self, shuffle: ShuffleId) -> Vec<u32> {
        let maps = self.get(shuffle).unwrap_or_default();
        (0u32..).zip(maps).filter(|(_, s)| s.is_none()).map(|(i, _)| i).collect()
    }

    /// Forgets a shuffle.
    pub fn release(&mut self, shuffle: ShuffleId) -> bool {
        self.shuffles.remove(&shuffle).is_some()
    }
}
