//! What tasks compute: a value that depends on every block that was read, so that a wrong, missing or doubled one shows.
//!
//! A value also knows which launch made each map output that it comes from. For indeterminate stages the launch is part of
//! the value: two tasks that read different versions of the same output give an answer that no single run could have given.

use std::collections::BTreeMap;
use vonk_scheduler::*;

use crate::random::{Random, hash};

pub type Versions = BTreeMap<(ShuffleId, u32), TaskId>;

#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    pub hash: u64,
    /// Empty where all stages are determinate.
    pub versions: Versions,
    /// Two versions of one output met.
    pub torn: bool,
}

impl Value {
    fn new(hash: u64) -> Value {
        Value { hash, versions: Versions::new(), torn: false }
    }

    fn add(&mut self, other: &Value, salt: u64) {
        self.hash = hash(&[self.hash, other.hash, salt]);
        self.torn |= other.torn;
        for (output, version) in &other.versions {
            self.torn |= self.versions.insert(*output, *version).is_some_and(|v| v != *version);
        }
    }
}

/// A graph that several jobs run parts of.
pub struct Family {
    pub graph: RddGraph,
    pub rdds: u32,
    pub indeterminate: bool,
    base: u64,
}

impl Family {
    pub fn new(random: &mut Random, number: u64) -> Family {
        let (mut graph, base) = (RddGraph::default(), 100 * (number + 1));
        let rdds = random.range(1, 5) as u32;
        let indeterminate = random.chance(20);
        let reduces: Vec<u32> = (0..rdds).map(|_| random.range(1, 4) as u32).collect();
        let mut partitions: Vec<u32> = Vec::new();
        for i in 0..rdds {
            let narrow = (i > 0 && random.chance(15)).then(|| i - 1);
            let own = narrow.map_or_else(|| random.range(1, 5) as u32, |p| partitions[p as usize]);
            partitions.push(own);
            let mut dependencies = Vec::new();
            for parent in 0..i {
                let near = parent + 1 == i && narrow.is_none();
                if Some(parent) == narrow {
                    let mapping = NarrowDependency::OneToOne;
                    dependencies.push(Dependency::Narrow { rdd: RddId(parent), mapping });
                } else if near || random.chance(25) {
                    let num_reduce = reduces[parent as usize];
                    dependencies.push(Dependency::Shuffle(ShuffleDependency {
                        shuffle: ShuffleId(base + u64::from(parent)),
                        rdd: RddId(parent),
                        num_reduce,
                        partitioner: Partitioner::Hash { num_partitions: num_reduce },
                    }));
                }
            }
            let place = |random: &mut Random| match random.below(5) {
                0 => vec![Location::Executor(ExecutorId(random.below(5)))],
                1 => vec![Location::Host(format!("host{}", random.below(4)))],
                _ => vec![],
            };
            let preferred_locations =
                if random.chance(30) { (0..own).map(|_| place(random)).collect() } else { vec![] };
            let rdd = Rdd {
                id: RddId(0),
                num_partitions: own,
                dependencies,
                partitioner: None,
                preferred_locations,
                fragment: Fragment(i),
                determinate: !(indeterminate && random.chance(50)),
            };
            graph.add(rdd).expect("parents come first");
        }
        Family { graph, rdds, indeterminate, base }
    }

    /// Whether a stage that ends with this RDD comes out the same again.
    fn is_determinate(&self, rdd: RddId) -> bool {
        let node = self.graph.get(rdd).expect("known");
        let narrow = |d: &Dependency| match d {
            Dependency::Narrow { rdd, .. } => self.is_determinate(*rdd),
            Dependency::Shuffle(_) => true,
        };
        node.determinate && node.dependencies.iter().all(narrow)
    }

    pub fn shuffle(&self, fragment: Fragment) -> ShuffleId {
        ShuffleId(self.base + u64::from(fragment.0))
    }

    pub fn shuffles(&self) -> Vec<ShuffleId> {
        (0..self.rdds).map(|i| self.shuffle(Fragment(i))).collect()
    }

    /// All shuffles, and whether what is made of them may be undone.
    pub fn all_shuffles(&self) -> impl Iterator<Item = (ShuffleId, bool)> {
        (0..self.rdds).map(|i| (self.shuffle(Fragment(i)), self.indeterminate))
    }

    /// Computes a partition; `read` gives a map output. `by` is the launch that computes.
    pub fn compute<E>(
        &self,
        rdd: RddId,
        partition: u32,
        by: TaskId,
        read: &mut dyn FnMut(ShuffleId, u32) -> Result<Value, E>,
    ) -> Result<Value, E> {
        let node = self.graph.get(rdd).expect("known");
        let mut value = Value::new(hash(&[self.base, u64::from(rdd.0), u64::from(partition)]));
        for dependency in &node.dependencies {
            match dependency {
                Dependency::Narrow { rdd, mapping } => {
                    for parent in mapping.parents_of(partition) {
                        value.add(&self.compute(*rdd, parent, by, read)?, 0);
                    }
                }
                Dependency::Shuffle(s) => {
                    let maps = self.graph.get(s.rdd).expect("known").num_partitions;
                    for map in 0..maps {
                        value.add(&read(s.shuffle, map)?, u64::from(1 + partition % s.num_reduce));
                    }
                }
            }
        }
        if !node.determinate {
            value.hash = hash(&[value.hash, by.0]);
        }
        Ok(value)
    }

    /// What a map task leaves behind.
    pub fn output(&self, shuffle: ShuffleId, map: u32, by: TaskId, mut value: Value) -> Value {
        if !self.is_determinate(RddId((shuffle.0 - self.base) as u32)) {
            value.torn |= value.versions.insert((shuffle, map), by).is_some_and(|v| v != by);
        }
        value
    }

    /// Whether these are the results of one run, each partition with the launch that computed it.
    pub fn check(&self, last: RddId, results: &BTreeMap<u32, (TaskId, Value)>) -> Result<(), String> {
        let mut versions = Versions::new();
        for (partition, (_, value)) in results {
            if value.torn {
                return Err(format!("result {partition} has read two versions of an output"));
            }
            for (output, version) in &value.versions {
                if versions.insert(*output, *version).is_some_and(|v| v != *version) {
                    return Err(format!("results have read two versions of output {output:?}"));
                }
            }
        }
        let mut known = BTreeMap::new();
        for (partition, (by, value)) in results {
            let right = self.expected(last, *partition, *by, &versions, &mut known);
            if right.hash != value.hash {
                return Err(format!("result {partition} is wrong"));
            }
        }
        Ok(())
    }

    fn expected(
        &self,
        rdd: RddId,
        partition: u32,
        by: TaskId,
        versions: &Versions,
        known: &mut BTreeMap<(ShuffleId, u32), Value>,
    ) -> Value {
        let read = &mut |shuffle: ShuffleId, map: u32| -> Result<Value, std::convert::Infallible> {
            if let Some(value) = known.get(&(shuffle, map)) {
                return Ok(value.clone());
            }
            let maker = RddId((shuffle.0 - self.base) as u32);
            let by = versions.get(&(shuffle, map)).copied().unwrap_or(TaskId(0));
            let mut value = self.expected(maker, map, by, versions, known);
            value.versions.clear();
            known.insert((shuffle, map), value.clone());
            Ok(value)
        };
        match self.compute(rdd, partition, by, read) {
            Ok(value) => value,
            Err(never) => match never {},
        }
    }
}
