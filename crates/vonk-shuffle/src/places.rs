//! Where map outputs are: what the driver tells the tasks that read them.
//!
//! Must not know: how blocks are fetched from there.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where the map outputs of one shuffle are, as the driver knew when the attempt of the reading stage was submitted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapPlaces {
    /// The places.
    pub places: Vec<Place>,
    /// Per map partition: index into `places`.
    pub maps: Vec<u32>,
}

impl MapPlaces {
    /// The place of a map output; `None` for what the driver did not name.
    pub fn of(&self, map: u32) -> Option<&Place> {
        self.places.get(*self.maps.get(map as usize)? as usize)
    }
}

/// Where map outputs of one executor are.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The executor that made them: names the folder, and the culprit of a fetch failure.
    pub executor: u64,
    /// How to get at them.
    pub source: Source,
}

/// How to get at map outputs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Source {
    /// host:port of a Flight block server: an executor's own or a worker's shuffle service.
    Flight(String),
    /// URL of a prefix in an object store.
    Store(String),
}

/// The places of all shuffles that a task reads; empty in local mode.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShuffleInputs(BTreeMap<u64, Arc<MapPlaces>>);

impl ShuffleInputs {
    /// The places of a shuffle; `None`: its blocks are in this process.
    pub fn get(&self, shuffle: u64) -> Option<&Arc<MapPlaces>> {
        self.0.get(&shuffle)
    }

    /// The shuffles with their places.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &Arc<MapPlaces>)> {
        self.0.iter().map(|(shuffle, places)| (*shuffle, places))
    }
}

impl FromIterator<(u64, Arc<MapPlaces>)> for ShuffleInputs {
    fn from_iter<I: IntoIterator<Item = (u64, Arc<MapPlaces>)>>(places: I) -> Self {
        ShuffleInputs(places.into_iter().collect())
    }
}
