//! From logical to physical plans: operator choice, exchanges, lowering to RDDs.
//!
//! [`Planner::plan`] turns an optimized logical plan into one tree of physical nodes with exchanges where rows must move;
//! [`lower`] cuts it there into stages' fragments over an RDD graph.
//!
//! Must not know: runtime state of operators, SQL text.

mod aggregate;
mod calls;
mod determinism;
mod grouping_sets;
mod join;
mod loops;
mod lower;
mod node_ids;
mod planned;
mod planner;
mod reduction;
mod runtime_filter;
mod sort;
mod volatile;
mod window;

pub use loops::LoopPlan;
pub use lower::{Lowered, lower};
pub use planner::{PhysicalQuery, Planner, PlannerOptions, ScalarSubplan};
