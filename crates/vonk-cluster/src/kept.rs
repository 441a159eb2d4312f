//! Relations whose rows are kept between queries (Spark: `CacheManager`, persisted RDDs).
//!
//! A kept relation is an exchange that leaves each partition what it is, and whose shuffle outlives the query that made it: the blocks
//! lie where those of any shuffle lie, in memory or on disk, here or at executors; a query that reads them skips the stages below; and
//! what is lost is computed again from the relation's own plan. That plan is the one of the first query, bounds of its range partitionings
//! included: partitions that were computed from different plans would not fit together.
//!
//! Must not know: which statement or DataFrame asked for it.

use crate::driver::{Driver, KeptShuffles};
use parking_lot::{Mutex, MutexGuard};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use vonk_error::Result;
use vonk_exec::CancelFlag;
use vonk_physical::{Exchange, NodeId, Partitioning, PhysicalPlan, PlanNode};

/// A relation whose shuffle was given a number. Dropped by the last who uses it, it releases the blocks.
pub(crate) struct KeptRelation {
    shuffle: u64,
    /// Shuffles below, which are not kept. Their numbers are: from them the scheduler knows whether rows that are computed again come from
    /// the same input (a repartitioning in turn may deal rows otherwise the second time).
    below: HashMap<Exchange, u64>,
    /// The plan below its exchange.
    input: PlanNode,
    /// Whether all its rows were computed once. Who computes them holds the lock: others that want them wait.
    filled: Mutex<bool>,
    _blocks: KeptShuffles,
}

impl KeptRelation {
    /// The number of the shuffle of an exchange, if it is this relation's or below it.
    pub fn shuffle(&self, relation: u64, exchange: &Exchange) -> Option<u64> {
        match exchange.partitioning {
            Partitioning::Kept { relation: r, .. } if r == relation => Some(self.shuffle),
            _ => self.below.get(exchange).copied(),
        }
    }

    /// Waits for whoever computes the rows, or for leave to do so. `None` if they are there.
    pub fn to_fill(&self, cancel: &CancelFlag) -> Result<Option<MutexGuard<'_, bool>>> {
        loop {
            cancel.check()?;
            if let Some(filled) = self.filled.try_lock_for(LOOK) {
                return Ok(if *filled { None } else { Some(filled) });
            }
        }
    }
}

/// How often those who wait look at their cancel flags.
const LOOK: Duration = Duration::from_millis(20);

/// The relations of a cluster by their number.
#[derive(Default)]
pub(crate) struct KeptRelations {
    relations: Mutex<HashMap<u64, Arc<KeptRelation>>>,
}

/// A relation that a plan reads: number, state, and the exchange as the plan has it.
pub(crate) type Entered = (u64, Arc<KeptRelation>, PlanNode);

/// Numbers of nodes in plans that are kept begin at a multiple of this, so that they are no others' of a query.
const NODES: u32 = 1 << 20;

impl KeptRelations {
    /// Forgets a relation. Queries that read it now still may.
    pub fn forget(&self, relation: u64) {
        let forgotten = self.relations.lock().remove(&relation);
        // Its blocks are released without the lock.
        drop(forgotten);
    }

    /// Puts in the place of plans below kept exchanges those that the relations have, where they have one.
    pub fn known(&self, node: &mut PlanNode) {
        if let PhysicalPlan::Exchange(e) = &mut node.plan
            && let Partitioning::Kept { relation, .. } = e.partitioning
            && let Some(known) = self.relations.lock().get(&relation)
        {
            take_over(e, known);
            return;
        }
        node.plan.inputs_mut().into_iter().for_each(|i| self.known(i));
    }

    /// As [`known`](Self::known), and makes those relations that are new. Gives all that the plan reads, those that others are made of first.
    pub fn entered(
        &self,
        node: &mut PlanNode,
        driver: &Driver,
        next_shuffle: &mut dyn FnMut() -> u64,
    ) -> Vec<Entered> {
        let mut used = Vec::new();
        self.enter(node, driver, next_shuffle, &mut used);
        used
    }

    fn enter(
        &self,
        node: &mut PlanNode,
        driver: &Driver,
        next_shuffle: &mut dyn FnMut() -> u64,
        used: &mut Vec<Entered>,
    ) {
        node.plan.inputs_mut().into_iter().for_each(|i| self.enter(i, driver, next_shuffle, used));
        let PhysicalPlan::Exchange(e) = &mut node.plan else { return };
        let Partitioning::Kept { relation, .. } = e.partitioning else { return };
        let kept = {
            let mut relations = self.relations.lock();
            let new = || Arc::new(KeptRelation::new(relation, e, driver, next_shuffle));
            relations.entry(relation).or_insert_with(new).clone()
        };
        take_over(e, &kept);
        if !used.iter().any(|(r, ..)| *r == relation) {
            used.push((relation, kept, node.clone()));
        }
    }
}

impl KeptRelation {
    fn new(relation: u64, e: &Exchange, driver: &Driver, next_shuffle: &mut dyn FnMut() -> u64) -> Self {
        let shuffle = next_shuffle();
        let mut input = (*e.input).clone();
        let mut next = u32::try_from(relation % 2_000).unwrap_or(0).wrapping_add(1).wrapping_mul(NODES);
        input.visit_mut(&mut |n| {
            next = next.wrapping_add(1);
            n.id = NodeId(next);
        });
        let mut below = HashMap::new();
        input.visit(&mut |n| {
            if let PhysicalPlan::Exchange(e) = &n.plan
                && !matches!(e.partitioning, Partitioning::Kept { .. })
            {
                below.entry(e.clone()).or_insert_with(&mut *next_shuffle);
            }
        });
        let mut blocks = driver.kept_shuffles();
        blocks.ids.insert(Exchange { input: Box::new(input.clone()), ..e.clone() }, shuffle);
        KeptRelation { shuffle, below, input, filled: Mutex::new(false), _blocks: blocks }
    }
}

/// Whether a plan reads a relation that is kept.
pub(crate) fn reads_kept(node: &PlanNode) -> bool {
    let mut reads = false;
    node.visit(&mut |n| {
        reads |= matches!(&n.plan, PhysicalPlan::Exchange(e) if matches!(e.partitioning, Partitioning::Kept { .. }));
    });
    reads
}

fn take_over(e: &mut Exchange, kept: &KeptRelation) {
    *e.input = kept.input.clone();
    if let Partitioning::Kept { partitions, .. } = &mut e.partitioning {
        *partitions = kept.input.partitions();
    }
}
