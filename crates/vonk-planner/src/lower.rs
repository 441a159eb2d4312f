//! Cuts a physical plan at its exchanges: fragments, and the RDD graph over them.
//!
//! An exchange becomes a [`ShuffleWrite`] at the root of the fragment below it and a [`ShuffleRead`] in the one above. Each
//! fragment is the compute function of one RDD; its reads are the RDD's shuffle dependencies. What lies between two exchanges
//! is pipelined in one task, so narrow dependencies stay inside of fragments. Exchanges over equal subtrees share one shuffle.

use crate::determinism::is_determinate;
use std::collections::HashMap;
use vonk_error::{Error, Result, check_cancelled};
use vonk_functions::Registry;
use vonk_physical::{Exchange, NodeId, Partitioning, PhysicalPlan, PlanNode, ShuffleRead, ShuffleWrite};
use vonk_scheduler::{
    Dependency, Fragment, Location, Partitioner, Rdd, RddGraph, RddId, ShuffleDependency, ShuffleId,
};

/// A query as stages' raw material.
#[derive(Debug, Clone)]
pub struct Lowered {
    /// The lineage.
    pub graph: RddGraph,
    /// The RDD whose partitions are the result.
    pub last: RddId,
    /// Fragments by number, as the RDDs name them.
    pub fragments: Vec<PlanNode>,
    /// The shuffles made.
    pub shuffles: Vec<ShuffleId>,
}

impl Lowered {
    /// The fragment of an RDD's compute function.
    pub fn fragment(&self, fragment: Fragment) -> Result<&PlanNode> {
        self.fragments
            .get(fragment.0 as usize)
            .ok_or_else(|| Error::internal(format!("no fragment {}", fragment.0)))
    }
}

/// Lowers a plan. `shuffle_id` gives the ids of exchanges' shuffles, unique among all that run at the same time; a fresh one, unless an
/// earlier job of the same query has made the shuffle of an equal exchange.
pub fn lower(
    root: &PlanNode,
    registry: &Registry,
    shuffle_id: &mut dyn FnMut(&Exchange) -> u64,
) -> Result<Lowered> {
    let (graph, fragments, known) = (RddGraph::default(), vec![], HashMap::new());
    let mut lowering = Lowering { registry, graph, fragments, known, shuffle_id };
    let (node, reads) = lowering.cut(root)?;
    let last = lowering.rdd(node, reads)?;
    let mut shuffles: Vec<ShuffleId> = lowering.known.values().map(|s| s.dependency.shuffle).collect();
    shuffles.sort_unstable();
    Ok(Lowered { graph: lowering.graph, last, fragments: lowering.fragments, shuffles })
}

#[derive(Clone)]
struct Shuffle {
    dependency: ShuffleDependency,
    read: ShuffleRead,
}

struct Lowering<'a> {
    registry: &'a Registry,
    graph: RddGraph,
    fragments: Vec<PlanNode>,
    /// Shuffles by the exchange they come from.
    known: HashMap<Exchange, Shuffle>,
    shuffle_id: &'a mut dyn FnMut(&Exchange) -> u64,
}

impl Lowering<'_> {
    /// The node with exchanges below it replaced by reads, and the shuffles it reads.
    fn cut(&mut self, node: &PlanNode) -> Result<(PlanNode, Vec<Shuffle>)> {
        check_cancelled()?;
        if let PhysicalPlan::Exchange(e) = &node.plan {
            let shuffle = self.shuffle(e)?;
            let read = PhysicalPlan::ShuffleRead(shuffle.read.clone());
            return Ok((PlanNode { plan: read, ..node.clone() }, vec![shuffle]));
        }
        let mut out = node.clone();
        let mut reads = Vec::new();
        for (slot, input) in out.plan.inputs_mut().into_iter().zip(node.plan.inputs()) {
            let (cut, below) = self.cut(input)?;
            *slot = cut;
            for s in below {
                if !reads.iter().any(|r: &Shuffle| r.dependency.shuffle == s.dependency.shuffle) {
                    reads.push(s);
                }
            }
        }
        Ok((out, reads))
    }

    fn shuffle(&mut self, e: &Exchange) -> Result<Shuffle> {
        if let Some(s) = self.known.get(e) {
            return Ok(s.clone());
        }
        if matches!(e.partitioning, Partitioning::Range { bounds: None, .. }) {
            return vonk_error::internal_err!("a range exchange without bounds");
        }
        let (input, reads) = self.cut(&e.input)?;
        let id = (self.shuffle_id)(e);
        let maps = input.partitions();
        let partitions = e.partitioning.partitions();
        let write = PlanNode {
            id: NodeId(input.id.0),
            schema: input.schema.clone(),
            estimated_rows: input.estimated_rows,
            plan: PhysicalPlan::ShuffleWrite(ShuffleWrite {
                shuffle: id,
                partitioning: e.partitioning.clone(),
                input: Box::new(input),
            }),
        };
        let rdd = self.rdd(write, reads)?;
        let partitioner = partitioner(&e.partitioning);
        let broadcast = matches!(e.partitioning, Partitioning::Broadcast);
        let shuffle = Shuffle {
            dependency: ShuffleDependency {
                shuffle: ShuffleId(id),
                rdd,
                num_reduce: partitions,
                partitioner,
            },
            read: ShuffleRead { shuffle: id, maps, partitions, broadcast },
        };
        self.known.insert(e.clone(), shuffle.clone());
        Ok(shuffle)
    }

    fn rdd(&mut self, fragment: PlanNode, reads: Vec<Shuffle>) -> Result<RddId> {
        let rdd = Rdd {
            id: RddId(0),
            num_partitions: fragment.partitions(),
            dependencies: reads.into_iter().map(|s| Dependency::Shuffle(s.dependency)).collect(),
            partitioner: match &fragment.plan {
                PhysicalPlan::ShuffleWrite(w) => Some(partitioner(&w.partitioning)),
                _ => None,
            },
            preferred_locations: preferred_locations(&fragment),
            fragment: Fragment(
                u32::try_from(self.fragments.len()).map_err(|_| Error::internal("too many fragments"))?,
            ),
            determinate: is_determinate(self.registry, &fragment),
        };
        self.fragments.push(fragment);
        self.graph.add(rdd).ok_or_else(|| Error::internal("an RDD refers to one that is not there"))
    }
}

fn partitioner(p: &Partitioning) -> Partitioner {
    let num_partitions = p.partitions();
    match p {
        Partitioning::Hash { .. } => Partitioner::Hash { num_partitions },
        Partitioning::Range { .. } => Partitioner::Range { num_partitions },
        Partitioning::RoundRobin { .. } => Partitioner::RoundRobin { num_partitions },
        Partitioning::Single => Partitioner::Single,
        Partitioning::Broadcast => Partitioner::Broadcast,
        Partitioning::Kept { .. } => Partitioner::Kept { num_partitions },
    }
}

/// Where the data of a fragment's one scan lies, per partition; nothing if it has several or none.
fn preferred_locations(fragment: &PlanNode) -> Vec<Vec<Location>> {
    let mut scans = Vec::new();
    fragment.visit(&mut |n| {
        if let PhysicalPlan::Scan(s) = &n.plan {
            scans.push(s);
        }
    });
    match scans[..] {
        [s] if s.scan.partitions.iter().any(|p| !p.locations.is_empty()) => s
            .scan
            .partitions
            .iter()
            .map(|p| p.locations.iter().cloned().map(Location::Host).collect())
            .collect(),
        _ => vec![],
    }
}
