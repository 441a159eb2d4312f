//! Pools: which task set is served first.
//!
//! In FIFO mode there is one pool. In FAIR mode each job is in a pool, pools are compared by Spark's `FairSchedulingAlgorithm`
//! (below its minimal share first; then by running tasks for each unit of share or weight), and a pool orders its own sets
//! either way.
//!
//! Only sets that have something to launch are listed, and those that wait for a slot near their data only where that is: so
//! finding the next one depends neither on how many wait for the end of what they have launched nor on how many wait for a
//! slot elsewhere.
//!
//! Must not know: executors' slots, tasks.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use crate::ids::ExecutorId;
use crate::options::{PoolOptions, SchedulingMode};
use crate::tasks::SetKey;
use crate::tasks::cluster::Host;
use crate::tasks::locality::Level;

/// The number of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PoolId(usize);

/// Where a set may launch something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Anywhere,
    Executor(ExecutorId),
    Host(Host),
}

/// How a set is listed. The rank is the number of its running tasks in a FAIR pool, else 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listing {
    pub rank: u32,
    /// How far from their data its tasks may run.
    pub level: Level,
    pub places: Vec<Place>,
}

struct Pool {
    options: PoolOptions,
    /// Made because a job named it: forgotten with its last set.
    made: bool,
    sets: usize,
    running: u32,
    /// By rank and key.
    listed: BTreeMap<Place, BTreeSet<(u32, SetKey)>>,
}

pub(crate) struct Pools {
    mode: SchedulingMode,
    /// The mode of pools that are made.
    made_mode: SchedulingMode,
    pools: BTreeMap<PoolId, Pool>,
    by_name: BTreeMap<String, PoolId>,
    next: usize,
    /// Those that list a set.
    active: BTreeSet<PoolId>,
}

impl Pools {
    pub fn new(mode: SchedulingMode, options: &[PoolOptions], made_mode: SchedulingMode) -> Pools {
        let mut pools = Pools {
            mode,
            made_mode,
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
        self.pools.insert(id, Pool { options, made, sets: 0, running: 0, listed: BTreeMap::new() });
        id
    }

    /// A set enters the pool of this name.
    pub fn enter(&mut self, name: &str) -> PoolId {
        let fair = self.mode == SchedulingMode::Fair;
        let name = if name.is_empty() || !fair { PoolOptions::DEFAULT } else { name };
        let id = match self.by_name.get(name) {
            Some(id) => *id,
            None => self.add(PoolOptions { mode: self.made_mode, ..PoolOptions::named(name) }, true),
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

    /// Lists a set in a new way instead of an old one.
    pub fn list(&mut self, id: PoolId, key: SetKey, old: Option<&Listing>, new: Option<&Listing>) {
        let Some(pool) = self.pools.get_mut(&id) else { return };
        if let Some(Listing { rank, places, .. }) = old {
            for place in places {
                if let Some(listed) = pool.listed.get_mut(place) {
                    listed.remove(&(*rank, key));
                    // The one of sets without preferences comes and goes all the time.
                    if listed.is_empty() && *place != Place::Anywhere {
                        pool.listed.remove(place);
                    }
                }
            }
        }
        if let Some(Listing { rank, places, .. }) = new {
            for place in places {
                pool.listed.entry(place.clone()).or_default().insert((*rank, key));
            }
        }
        if pool.listed.values().all(BTreeSet::is_empty) {
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

    /// The first set, in the order of service, that may have something for an executor and for which `try_set` gives something.
    pub fn find<T>(
        &self,
        executor: ExecutorId,
        host: &Host,
        mut try_set: impl FnMut(SetKey) -> Option<T>,
    ) -> Option<T> {
        let places = [Place::Anywhere, Place::Executor(executor), Place::Host(host.clone())];
        let mut search = |pool: &Pool| pool.merged(&places).find_map(&mut try_set);
        if self.active.len() <= 1 {
            return self.active.first().and_then(|id| self.pools.get(id)).and_then(search);
        }
        let mut order: Vec<&Pool> = self.active.iter().filter_map(|id| self.pools.get(id)).collect();
        order.sort_by(|a, b| fair_order(a, b));
        order.into_iter().find_map(&mut search)
    }
}

impl Pool {
    /// The sets listed at any of these places, in order.
    fn merged<'a>(&'a self, places: &'a [Place; 3]) -> impl Iterator<Item = SetKey> + 'a {
        let mut lists = [const { None }; 3];
        for (list, place) in lists.iter_mut().zip(places) {
            *list = self.listed.get(place).map(|sets| sets.iter().peekable());
        }
        std::iter::from_fn(move || {
            let first = lists.iter_mut().flatten().filter_map(|l| l.peek().copied()).min()?;
            for list in lists.iter_mut().flatten() {
                list.next_if(|entry| *entry == first);
            }
            Some(first.1)
        })
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
