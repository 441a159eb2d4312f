//! What operators count, for EXPLAIN ANALYZE, progress and tests.

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use vonk_physical::NodeId;
use vonk_sources::ReadProgress;

/// Counters of one plan node in one task. Shared with scans, which count on their own.
#[derive(Debug, Default)]
pub struct NodeMetrics {
    /// Rows put out.
    pub rows: AtomicU64,
    /// Bytes put out.
    pub bytes: AtomicU64,
    /// Nanoseconds in the operator and the operators below it.
    pub nanos: AtomicU64,
    /// Bytes written to spill files.
    pub spilled: AtomicU64,
    /// Further counters of the operator, by name (`row groups pruned`).
    pub extra: Mutex<Vec<(&'static str, u64)>>,
}

impl NodeMetrics {
    /// Adds to a counter.
    pub fn add(counter: &AtomicU64, n: u64) {
        counter.fetch_add(n, Ordering::Relaxed);
    }
}

/// Counters of all nodes of a task.
#[derive(Debug, Default, Clone)]
pub struct TaskMetrics {
    nodes: Arc<Mutex<HashMap<u32, Arc<NodeMetrics>>>>,
    /// What it reads.
    reads: Arc<Mutex<Vec<Arc<ReadProgress>>>>,
}

impl TaskMetrics {
    /// The counters of a node.
    pub fn node(&self, id: NodeId) -> Arc<NodeMetrics> {
        self.nodes.lock().entry(id.0).or_default().clone()
    }

    /// Something that the task reads, of so many rows: how far it is with it shows how far the task is.
    pub fn reading(&self, rows: u64) -> Arc<ReadProgress> {
        let read = Arc::new(ReadProgress::of(rows));
        self.reads.lock().push(read.clone());
        read
    }

    /// How far the task is, from 0 to 1: the share of the rows it has to read that it has read.
    pub fn share(&self) -> f64 {
        let (mut passed, mut expected) = (0.0, 0.0);
        for (behind, all) in self.reads.lock().iter().map(|read| read.so_far()) {
            passed += behind as f64;
            expected += all as f64;
        }
        if expected > 0.0 { passed / expected } else { 0.0 }
    }

    /// All nodes counted so far, by number.
    pub fn nodes(&self) -> Vec<(u32, Arc<NodeMetrics>)> {
        let mut all: Vec<_> = self.nodes.lock().iter().map(|(id, m)| (*id, m.clone())).collect();
        all.sort_by_key(|(id, _)| *id);
        all
    }

    /// What was counted so far, as data.
    pub fn counts(&self) -> Vec<NodeCounts> {
        let count = |(node, m): (u32, Arc<NodeMetrics>)| {
            let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
            NodeCounts {
                node,
                rows: of(&m.rows),
                bytes: of(&m.bytes),
                nanos: of(&m.nanos),
                spilled: of(&m.spilled),
            }
        };
        self.nodes().into_iter().map(count).collect()
    }
}

/// What one plan node counted in one task.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeCounts {
    /// The node's number.
    pub node: u32,
    /// Rows put out.
    pub rows: u64,
    /// Bytes put out.
    pub bytes: u64,
    /// Nanoseconds in the operator and the operators below it.
    pub nanos: u64,
    /// Bytes written to spill files.
    pub spilled: u64,
}
