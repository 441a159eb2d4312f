//! Where the tasks of a stage would like to run.
//!
//! An RDD's own preferences come first (a scan knows who has its file), then those of its narrow parents, as Spark's
//! `DAGScheduler.getPreferredLocs` walks. A task that reads a shuffle prefers machines that hold a good part of its input
//! (`MapOutputTracker.getPreferredLocationsForShuffle`).
//!
//! Must not know: slots, waits.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{ExecutorId, MapId, RddId, ShuffleId};
use crate::map_outputs::MapOutputs;
use crate::rdd::{Dependency, Location, Partitioner, RddGraph, ShuffleDependency};

/// Spark's `REDUCER_PREF_LOCS_FRACTION`: a machine with less of a task's input is not worth waiting for.
const FRACTION: f64 = 0.2;
/// Spark's `SHUFFLE_PREF_MAP_THRESHOLD` and `SHUFFLE_PREF_REDUCE_THRESHOLD`: larger shuffles are not looked at.
const LIMIT: usize = 1000;

/// Preferences by partition; empty if no task has any.
pub(crate) fn preferred<'a>(
    graph: &RddGraph,
    rdd: RddId,
    partitions: &[u32],
    outputs: &MapOutputs,
    host: impl Fn(ExecutorId) -> Option<&'a str>,
) -> Vec<Vec<Location>> {
    let mut shuffles = Inputs { outputs, host: &host, by_host: BTreeMap::new() };
    let places: Vec<_> = partitions.iter().map(|p| of_partition(graph, rdd, *p, &mut shuffles)).collect();
    if places.iter().all(Vec::is_empty) { Vec::new() } else { places }
}

/// The first preferences on the way over narrow dependencies. A loop over a stack: lineages may be deep.
fn of_partition<'a, H: Fn(ExecutorId) -> Option<&'a str>>(
    graph: &RddGraph,
    rdd: RddId,
    partition: u32,
    shuffles: &mut Inputs<'_, H>,
) -> Vec<Location> {
    let (mut open, mut seen) = (vec![(rdd, partition)], BTreeSet::new());
    while let Some((id, p)) = open.pop() {
        let Some(rdd) = graph.get(id).filter(|_| seen.insert((id, p))) else { continue };
        if let Some(own) = rdd.preferred_locations.get(p as usize).filter(|l| !l.is_empty()) {
            return own.clone();
        }
        let near = shuffles.preferred(rdd.num_partitions, &rdd.dependencies, p);
        if !near.is_empty() {
            return near;
        }
        for dependency in rdd.dependencies.iter().rev() {
            if let Dependency::Narrow { rdd, mapping } = dependency {
                open.extend(mapping.parents_of(p).into_iter().rev().map(|p| (*rdd, p)));
            }
        }
    }
    Vec::new()
}

/// Input sizes of shuffles, added up once for all reduce partitions.
struct Inputs<'o, H> {
    outputs: &'o MapOutputs,
    host: &'o H,
    /// Bytes by reduce partition on each machine.
    by_host: BTreeMap<ShuffleId, BTreeMap<String, Vec<u64>>>,
}

impl<'a, H: Fn(ExecutorId) -> Option<&'a str>> Inputs<'_, H> {
    fn preferred(&mut self, num_partitions: u32, dependencies: &[Dependency], p: u32) -> Vec<Location> {
        let mut sums: BTreeMap<String, u64> = BTreeMap::new();
        for dependency in dependencies {
            let Dependency::Shuffle(shuffle) = dependency else { continue };
            let broadcast = matches!(shuffle.partitioner, Partitioner::Broadcast);
            if broadcast || shuffle.num_reduce != num_partitions || shuffle.num_reduce as usize >= LIMIT {
                continue;
            }
            for (host, sizes) in self.sizes(shuffle) {
                let size = sizes.get(p as usize).copied().unwrap_or_default();
                *sums.entry(host.clone()).or_default() += size;
            }
        }
        let all: u64 = sums.values().sum();
        let enough = |size: u64| all > 0 && size as f64 >= all as f64 * FRACTION;
        sums.into_iter().filter(|(_, size)| enough(*size)).map(|(host, _)| Location::Host(host)).collect()
    }

    fn sizes(&mut self, shuffle: &ShuffleDependency) -> &BTreeMap<String, Vec<u64>> {
        let Inputs { outputs, host, by_host } = self;
        by_host.entry(shuffle.shuffle).or_insert_with(|| {
            let mut sums: BTreeMap<String, Vec<u64>> = BTreeMap::new();
            let places = outputs.places(shuffle.shuffle).filter(|p| p.len() < LIMIT).unwrap_or_default();
            for (map, place) in (0u32..).zip(places) {
                let Some(host) = place.and_then(*host) else { continue };
                if !sums.contains_key(host) {
                    sums.insert(host.to_string(), vec![0; shuffle.num_reduce as usize]);
                }
                for (reduce, sum) in (0u32..).zip(sums.get_mut(host).into_iter().flatten()) {
                    *sum += outputs.size(shuffle.shuffle, MapId(map), reduce);
                }
            }
            sums
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Fragment;
    use crate::map_outputs::MapStatus;
    use crate::rdd::{NarrowDependency, Rdd};

    fn rdd(num_partitions: u32, dependencies: Vec<Dependency>, places: Vec<Vec<Location>>) -> Rdd {
        Rdd {
            id: RddId(0),
            num_partitions,
            dependencies,
            partitioner: None,
            preferred_locations: places,
            fragment: Fragment(0),
            determinate: true,
        }
    }

    #[test]
    fn a_narrow_parent_has_a_say_and_a_fifth_of_the_input_is_enough() {
        let mut graph = RddGraph::default();
        let there = Location::Host("x".to_string());
        let scan = graph.add(rdd(3, vec![], vec![vec![], vec![there.clone()], vec![]])).unwrap();
        let mapping = NarrowDependency::OneToOne;
        let map = graph.add(rdd(3, vec![Dependency::Narrow { rdd: scan, mapping }], vec![])).unwrap();
        let shuffle = ShuffleId(5);
        let partitioner = Partitioner::Hash { num_partitions: 2 };
        let read = ShuffleDependency { shuffle, rdd: map, num_reduce: 2, partitioner };
        let reduce = graph.add(rdd(2, vec![Dependency::Shuffle(read)], vec![])).unwrap();
        let mut outputs = MapOutputs::default();
        outputs.register(shuffle, 3);
        for (map, sizes) in [[500, 0], [500, 0], [200, 10]].into_iter().enumerate() {
            let status = MapStatus { executor: ExecutorId(map as u64), sizes: sizes.to_vec() };
            outputs.add(shuffle, MapId(map as u32), &status);
        }
        let host = |e: ExecutorId| ["a", "b", "c"].get(e.0 as usize).copied();
        assert_eq!(
            preferred(&graph, map, &[0, 1, 2], &outputs, host),
            [vec![], vec![there], vec![]] as [Vec<Location>; 3]
        );
        let hosts = |names: &[&str]| names.iter().map(|n| Location::Host(n.to_string())).collect::<Vec<_>>();
        assert_eq!(preferred(&graph, reduce, &[0, 1], &outputs, host), [hosts(&["a", "b"]), hosts(&["c"])]);
        assert!(preferred(&graph, scan, &[0], &outputs, host).is_empty());
    }
}
