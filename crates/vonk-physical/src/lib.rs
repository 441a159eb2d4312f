//! Physical plan nodes as serialisable data; EXPLAIN; the wire format.
//!
//! A [`PhysicalPlan`] is what runs, as data: expressions are bound to column positions, functions are named, sources are a
//! reader's name and payload. The planner makes one tree with [`Exchange`] nodes; lowering cuts it there into *fragments*, in
//! which an exchange has become a [`ShuffleWrite`] at the root of one fragment and a [`ShuffleRead`] leaf of another. A fragment
//! and a partition number are a task.
//!
//! Must not know: runtime state of operators.

mod details;
mod display;
mod exprs;
mod node;
mod schema;
mod values;
mod wire;

pub use display::{ExplainMetrics, explain};
pub use node::{
    AggregateMode, AggregateSpec, BuildSide, DriverTable, Exchange, Expand, FilterId, FrameBound, FrameUnits,
    Generate, HashAggregate, HashJoin, JoinKind, JoinSpec, NestedLoopJoin, NodeId, Partitioning,
    PhysicalPlan, PlanNode, RuntimeFilterTarget, Sampling, Scan, ShuffleRead, ShuffleWrite, Sort, SortKey,
    SortMergeJoin, Window, WindowFrame, WindowSpec, Write, WriteMode,
};
pub use values::ValuesBatch;
pub use wire::{decode, encode};
