//! Pools: which task set is served first.
//!
//! In FIFO mode there is one pool. In FAIR mode each job is in a pool, pools are compared by Spark's `FairSchedulingAlgorithm`
//! (below its minimal share first; then by running tasks for each unit of share or weight), and a pool orders its own sets
//! either way.
//!
//! Only sets that have something to launch are listed, so that finding the next one does not depend on how many wait for the
//! end of what they have launched.
//!
//! Must not know: executors, localities.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use crate::options::{PoolOptions, SchedulingMode};
use crate::tasks::SetKey;

/// The number of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PoolId(usize);

struct Pool {
    options: PoolOptions,
    /// Made because a job named it: forgotten with its last set.
    made: bool,
    sets: usize,
    running: u32,
    /// By rank and key. The rank is the number of running tasks in a FAIR pool, else 0.
    listed: BTreeSet<(u32, SetKey)>,
}

pub(crate) struct Pools {
    mode: SchedulingMode,
    pools: BTreeMap<PoolId, Pool>,
    by_name: BTreeMap<String, PoolId>,
    next: usize,
    /// Those that list a set.
    active: BTreeSet<PoolId>,
}

impl Pools {
    pub fn new(mode: SchedulingMode, options: &[PoolOptions]) -> Pools {
        let mut pools = Pools {
            mode,
            pools: BTreeMap::new(),
            by_name: BTreeMap::new(),
            next: 0,
            active: BTreeSet::new(),
        };
        match mode {
            SchedulingMode::Fifo => {
                pools.add(PoolOptions::named(PoolOptions::DEFAULT), false);
            }
            SchedulingMode::Fair => {
                for pool in options {
                    if !pools.by_name.contains_key(&pool.name) {
                        pools.add(pool.clone(), false);
                    }
                }
            }
        }
        pools
    }

    fn add(&mut self, options: PoolOptions, made: bool) -> PoolId {
        let id = PoolId(self.next);
        self.next += 1;
        self.by_name.insert(options.name.clone(), id);
        self.pools.insert(id, Pool { options, made, sets: 0, running: 0, listed: BTreeSet::new() });
        id
    }

    /// A set enters the pool of this name.
    pub fn enter(&mut self, name: &str) -> PoolId {
        let fair = self.mode == SchedulingMode::Fair;
        let name = if name.is_empty() || !fair { PoolOptions::DEFAULT } else { name };
        let id = match self.by_name.get(name) {
            Some(id) => *id,
            None => self.add(PoolOptions::named(name), true),
        };
        if let Some(pool) = self.pools.get_mut(&id) {
            pool.sets += 1;
        }
        id
    }

    /// A set leaves; it is not listed and none of its tasks runs.
    pub fn leave(&mut self, id: PoolId) {
        let Some(pool) = self.pools.get_mut(&id) else { return };
        pool.sets -= 1;
        if pool.made && pool.sets == 0 {
            self.by_name.remove(&pool.options.name);
            self.pools.remove(&id);
        }
    }

    /// The number of running tasks of a pool changes.
    pub fn count(&mut self, id: PoolId, more: u32, less: u32) {
        if let Some(pool) = self.pools.get_mut(&id) {
            pool.running = pool.running + more - less;
        }
    }

    /// The rank of a set with so many running tasks.
    pub fn rank(&self, id: PoolId, running: u32) -> u32 {
        let fair = self.pools.get(&id).is_some_and(|p| p.options.mode == SchedulingMode::Fair);
        if fair { running } else { 0 }
    }

    /// Lists a set under a rank, instead of another.
    pub fn list(&mut self, id: PoolId, key: SetKey, old: Option<u32>, new: Option<u32>) {
        let Some(pool) = self.pools.get_mut(&id) else { return };
        if let Some(rank) = old {
            pool.listed.remove(&(rank, key));
        }
        if let Some(rank) = new {
            pool.listed.insert((rank, key));
        }
        if pool.listed.is_empty() {
            self.active.remove(&id);
        } else {
            self.active.insert(id);
        }
    }

    /// How many pools there are.
    #[cfg(test)]
    pub fn count_pools(&self) -> usize {
        self.pools.len()
    }

    /// Whether no set has anything to launch.
    pub fn is_empty(&self) -> bool {
        self.active.is_empty()
    }

    /// The first set, in the order of service, for which `try_set` gives something.
    pub fn find<T>(&self, mut try_set: impl FnMut(SetKey) -> Option<T>) -> Option<T> {
        let mut search = |pool: &Pool| pool.listed.iter().find_map(|(_, key)| try_set(*key));
        if self.active.len() <= 1 {
            return self.active.first().and_then(|id| self.pools.get(id)).and_then(search);
        }
        let mut order: Vec<&Pool> = self.active.iter().filter_map(|id| self.pools.get(id)).collect();
        order.sort_by(|a, b| fair_order(a, b));
        order.into_iter().find_map(&mut search)
    }
}

/// Spark's `FairSchedulingAlgorithm`.
fn fair_order(a: &Pool, b: &Pool) -> Ordering {
    let needy = |p: &Pool| p.running < p.options.min_share;
    // Compared as fractions, without rounding: running / share.
    let compare = |a_share: u32, b_share: u32| {
        (u64::from(a.running) * u64::from(b_share)).cmp(&(u64::from(b.running) * u64::from(a_share)))
    };
    let by_share = match (needy(a), needy(b)) {
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (true, true) => compare(a.options.min_share.max(1), b.options.min_share.max(1)),
        (false, false) => compare(a.options.weight.max(1), b.options.weight.max(1)),
    };
    by_share.then_with(|| a.options.name.cmp(&b.options.name))
}
