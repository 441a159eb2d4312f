//! Stages: the graph cut backwards at shuffle dependencies.
//!
//! Must not know: which stages run, or where map outputs live.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{RddId, ShuffleId, StageId};
use crate::rdd::{Dependency, RddGraph, ShuffleDependency};

/// What the tasks of a stage leave behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StageKind {
    /// Map output of a shuffle.
    ShuffleMap(ShuffleDependency),
    /// Results of the job.
    Result,
}

/// The tasks between two shuffles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Its number.
    pub id: StageId,
    /// What its tasks leave behind.
    pub kind: StageKind,
    /// The last RDD of the stage.
    pub rdd: RddId,
    /// How many tasks it has when nothing is computed yet.
    pub num_partitions: u32,
    /// The stages whose map output it reads.
    pub parents: Vec<StageId>,
}

/// Cuts the graph backwards from `last`; parents come before children, the result stage is last.
/// A shuffle read twice gives one stage. `None` if an RDD is not in the graph.
pub fn cut_stages(graph: &RddGraph, last: RddId, next_id: &mut u64) -> Option<Vec<Stage>> {
    // Discovery goes from children to parents; RDD ids grow from parents to children, so that
    // ordering the shuffles by their map RDD gives parents first without recursion.
    let mut found: BTreeMap<(RddId, ShuffleId), ShuffleDependency> = BTreeMap::new();
    let mut open = vec![last];
    while let Some(rdd) = open.pop() {
        for shuffle in shuffles_read(graph, rdd)? {
            let key = (shuffle.rdd, shuffle.shuffle);
            if found.insert(key, shuffle).is_none() {
                open.push(key.0);
            }
        }
    }
    let mut stages = Vec::new();
    let mut of_shuffle = BTreeMap::new();
    let ends = found.into_values().map(StageKind::ShuffleMap).chain([StageKind::Result]);
    for kind in ends {
        let rdd = match &kind {
            StageKind::ShuffleMap(shuffle) => shuffle.rdd,
            StageKind::Result => last,
        };
        let id = StageId(*next_id);
        *next_id += 1;
        let read: BTreeSet<_> = shuffles_read(graph, rdd)?.iter().map(|s| s.shuffle).collect();
        let parents = read.iter().filter_map(|s| of_shuffle.get(s).copied()).collect();
        if let StageKind::ShuffleMap(shuffle) = &kind {
            of_shuffle.insert(shuffle.shuffle, id);
        }
        stages.push(Stage { id, kind, rdd, num_partitions: graph.get(rdd)?.num_partitions, parents });
    }
    Some(stages)
}

/// The shuffles that `rdd` reads through narrow dependencies alone.
fn shuffles_read(graph: &RddGraph, rdd: RddId) -> Option<Vec<ShuffleDependency>> {
    let (mut open, mut seen, mut read) = (vec![rdd], BTreeSet::new(), Vec::new());
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        for dependency in &graph.get(id)?.dependencies {
            match dependency {
                Dependency::Narrow { rdd, .. } => open.push(*rdd),
                Dependency::Shuffle(shuffle) => read.push(shuffle.clone()),
            }
        }
    }
    Some(read)
}

/// Whether all RDDs of the stage that ends with `rdd` are determinate.
pub(crate) fn is_determinate(graph: &RddGraph, rdd: RddId) -> bool {
    let (mut open, mut seen) = (vec![rdd], BTreeSet::new());
    while let Some(id) = open.pop() {
        let Some(rdd) = graph.get(id).filter(|_| seen.insert(id)) else { continue };
        if !rdd.determinate {
            return false;
        }
        open.extend(rdd.dependencies.iter().filter_map(|d| match d {
            Dependency::Narrow { rdd, .. } => Some(*rdd),
            Dependency::Shuffle(_) => None,
        }));
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Fragment;
    use crate::rdd::{Partitioner, Rdd};

    fn rdd(num_partitions: u32, dependencies: Vec<Dependency>) -> Rdd {
        Rdd {
            id: RddId(0),
            num_partitions,
            dependencies,
            partitioner: None,
            preferred_locations: Vec::new(),
            fragment: Fragment(0),
            determinate: true,
        }
    }

    #[test]
    fn a_shuffle_read_twice_is_one_stage() {
        let mut graph = RddGraph::default();
        let scan = graph.add(rdd(3, Vec::new())).unwrap_or(RddId(99));
        let shuffle = Dependency::Shuffle(ShuffleDependency {
            shuffle: ShuffleId(7),
            rdd: scan,
            num_reduce: 2,
            partitioner: Partitioner::Hash { num_partitions: 2 },
        });
        let join = graph.add(rdd(2, vec![shuffle.clone(), shuffle])).unwrap_or(RddId(99));
        let stages = cut_stages(&graph, join, &mut 0).unwrap_or_default();
        assert_eq!(stages.iter().map(|s| s.num_partitions).collect::<Vec<_>>(), [3, 2]);
        assert_eq!(stages[1].parents, [StageId(0)]);
    }
}
