//! RDDs: partitions, a compute function, dependencies, an optional partitioner, preferred locations.
//!
//! Must not know: what a fragment computes. Persisted partitions and checkpoints will become further
//! ways to end the walk over the dependencies, as a shuffle that is already computed is one today.

use serde::{Deserialize, Serialize};

use crate::ids::{ExecutorId, Fragment, RddId, ShuffleId};

/// Where a task would find its data near.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Location {
    /// In this executor's memory.
    Executor(ExecutorId),
    /// On this machine.
    Host(String),
}

/// How rows were distributed over partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(missing_docs)] // `num_partitions` says what it is
pub enum Partitioner {
    /// By the hash of a key.
    Hash { num_partitions: u32 },
    /// By sampled bounds of a key.
    Range { num_partitions: u32 },
    /// In turn.
    RoundRobin { num_partitions: u32 },
    /// All rows in one partition.
    Single,
    /// All rows in one partition, which every consuming task reads.
    Broadcast,
    /// Each partition stays what it is.
    Kept { num_partitions: u32 },
}

impl Partitioner {
    /// Into how many partitions rows go.
    pub fn num_partitions(self) -> u32 {
        match self {
            Self::Hash { num_partitions }
            | Self::Range { num_partitions }
            | Self::RoundRobin { num_partitions }
            | Self::Kept { num_partitions } => num_partitions,
            Self::Single | Self::Broadcast => 1,
        }
    }
}

/// Which parent partitions a partition reads, without a shuffle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NarrowDependency {
    /// Partition `i` reads partition `i`.
    OneToOne,
    /// Partitions `out_start .. out_start + length` read those from `in_start` (a union's branch).
    Range {
        /// First partition in the parent.
        in_start: u32,
        /// First partition in the child.
        out_start: u32,
        /// How many.
        length: u32,
    },
    /// Partition `i` reads the partitions listed at `i`.
    Coalesce(Vec<Vec<u32>>),
}

impl NarrowDependency {
    /// The parent's partitions that partition `out` of the child reads.
    pub fn parents_of(&self, out: u32) -> Vec<u32> {
        match self {
            Self::OneToOne => vec![out],
            Self::Range { in_start, out_start, length } => match out.checked_sub(*out_start) {
                Some(offset) if offset < *length => vec![in_start + offset],
                _ => Vec::new(),
            },
            Self::Coalesce(groups) => groups.get(out as usize).cloned().unwrap_or_default(),
        }
    }
}

/// A dependency through a shuffle: every partition may read from every map partition of `rdd`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShuffleDependency {
    /// The shuffle that is written and read.
    pub shuffle: ShuffleId,
    /// The RDD whose partitions are the map side.
    pub rdd: RddId,
    /// How many reduce partitions each map task writes; 1 for a broadcast.
    pub num_reduce: u32,
    /// How rows are distributed.
    pub partitioner: Partitioner,
}

/// What an RDD is computed from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Dependency {
    /// Known partitions of `rdd`, computed in the same task.
    Narrow {
        /// The parent.
        rdd: RddId,
        /// Which of its partitions.
        mapping: NarrowDependency,
    },
    /// The output of another stage.
    Shuffle(ShuffleDependency),
}

/// One RDD. Its compute function is `fragment`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rdd {
    /// Its place in the graph, given by [`RddGraph::add`].
    pub id: RddId,
    /// How many partitions it has.
    pub num_partitions: u32,
    /// What it is computed from.
    pub dependencies: Vec<Dependency>,
    /// How its rows are distributed, if known.
    pub partitioner: Option<Partitioner>,
    /// Per partition; empty means anywhere.
    pub preferred_locations: Vec<Vec<Location>>,
    /// The compute function.
    pub fragment: Fragment,
    /// Whether a partition computed again from the same input has the same rows in the same order (Spark's
    /// `DeterministicLevel`, of which this keeps DETERMINATE or not). If not, whoever read some of its output must read all anew
    /// when a part of it is lost.
    pub determinate: bool,
}

/// All RDDs of a job. Parents are added before children, so it has no cycles.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RddGraph {
    rdds: Vec<Rdd>,
}

impl RddGraph {
    /// Adds `rdd` and sets its id; `None` if it depends on an RDD that is not in the graph.
    pub fn add(&mut self, mut rdd: Rdd) -> Option<RddId> {
        let id = RddId(u32::try_from(self.rdds.len()).ok()?);
        rdd.id = id;
        if rdd.dependencies.iter().any(|d| parent(d) >= id) {
            return None;
        }
        self.rdds.push(rdd);
        Some(id)
    }

    /// The RDD `id`.
    pub fn get(&self, id: RddId) -> Option<&Rdd> {
        self.rdds.get(id.0 as usize)
    }

    /// The RDDs that `id` reads, over narrow and shuffle dependencies.
    pub fn parents(&self, id: RddId) -> Vec<RddId> {
        self.get(id).map(|r| r.dependencies.iter().map(parent).collect()).unwrap_or_default()
    }
}

fn parent(dependency: &Dependency) -> RddId {
    match dependency {
        Dependency::Narrow { rdd, .. } => *rdd,
        Dependency::Shuffle(shuffle) => shuffle.rdd,
    }
}
