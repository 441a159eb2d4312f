//! The nodes.

use crate::values::ValuesBatch;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use vonk_error::Span;
use vonk_eval::BoundExpr;
pub use vonk_plan::logical::{FrameBound, FrameUnits, JoinKind, Sampling, WindowFrame, WriteMode};
use vonk_plan::source::ScanPlan;
use vonk_types::{DataType, Literal, StructType};

/// Number of a node within its query's physical plan, for metrics and EXPLAIN ANALYZE. Given by the planner at the end,
/// parents first.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct NodeId(pub u32);

/// Node ids take no part in comparisons: equal subtrees at two places are equal (that is how shared exchanges are found).
impl PartialEq for NodeId {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for NodeId {}
impl std::hash::Hash for NodeId {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}

/// Number of a runtime filter, unique within the query. As node ids, it takes no part in comparisons: a filter does not leave its
/// fragment, so that equal subtrees differ in nothing but this number.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct FilterId(pub u32);

impl PartialEq for FilterId {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for FilterId {}
impl std::hash::Hash for FilterId {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}

/// A node with what all nodes have.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PlanNode {
    /// Identity for metrics.
    pub id: NodeId,
    /// Output columns. Names matter only at the root.
    pub schema: StructType,
    /// Rows the planner expects, if it has an idea.
    pub estimated_rows: Option<u64>,
    /// The operator.
    pub plan: PhysicalPlan,
}

/// A physical operator.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PhysicalPlan {
    /// Reads a source.
    Scan(Scan),
    /// Rows of the query itself; one partition.
    Values(ValuesBatch),
    /// Rows that the driver has by the time this runs (the result of a loop, or its working table); it puts [`Values`](Self::Values)
    /// in the place. One partition. Only before lowering.
    Driver(DriverTable),
    /// Bigints from `start` to `end` by `step`, split evenly.
    Range {
        /// First value.
        start: i64,
        /// Exclusive bound.
        end: i64,
        /// Step, not 0.
        step: i64,
        /// Partitions.
        partitions: u32,
    },
    /// New columns from old.
    Project {
        /// One per output column.
        exprs: Vec<BoundExpr>,
        /// Input.
        input: Box<PlanNode>,
    },
    /// Rows for which the predicate is true, of them the columns in `projection`.
    Filter {
        /// Boolean.
        predicate: BoundExpr,
        /// Columns of the input to put out, in order.
        projection: Vec<usize>,
        /// Input.
        input: Box<PlanNode>,
    },
    /// Groups by hashing.
    HashAggregate(HashAggregate),
    /// Join by hash table.
    HashJoin(HashJoin),
    /// Join of inputs sorted by their keys (ascending, nulls first).
    SortMergeJoin(SortMergeJoin),
    /// Join without equal keys.
    NestedLoopJoin(NestedLoopJoin),
    /// Sort within each partition; top-k with `fetch`.
    Sort(Sort),
    /// Window functions; input partitions hold whole window partitions and are sorted by partition and order keys.
    Window(Window),
    /// A range of rows of each partition (after a single-partition exchange: of the whole input).
    Limit {
        /// Left out first.
        skip: u64,
        /// Taken then.
        fetch: Option<u64>,
        /// Input.
        input: Box<PlanNode>,
    },
    /// Partitions of all inputs, one input after the other.
    Union {
        /// At least one.
        inputs: Vec<PlanNode>,
    },
    /// Each row once per projection.
    Expand(Expand),
    /// Rows made of rows.
    Generate(Generate),
    /// Groups of input partitions read one after the other.
    Coalesce {
        /// Output partitions.
        partitions: u32,
        /// Input.
        input: Box<PlanNode>,
    },
    /// A random part.
    Sample {
        /// Which rows.
        sampling: Sampling,
        /// Seed.
        seed: u64,
        /// Input.
        input: Box<PlanNode>,
    },
    /// Writes files; puts out one row per file (path, rows, bytes), for the commit.
    Write(Write),
    /// A redistribution of rows: the border between stages. Only before lowering.
    Exchange(Exchange),
    /// Root of a shuffle-map fragment.
    ShuffleWrite(ShuffleWrite),
    /// Leaf of a fragment: partition `p` of a shuffle (partition 0 of a broadcast).
    ShuffleRead(ShuffleRead),
}

/// Rows that the driver has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DriverTable {
    /// All rows of a loop, by the number it has within the query.
    Loop(u32),
    /// The rows that the round before made of the loop of this number.
    Working(u32),
}

/// Reads a source.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Scan {
    /// Full name, for EXPLAIN.
    pub name: String,
    /// What to read.
    pub scan: ScanPlan,
    /// Columns that are read, as positions in the source's schema, with name and type. `predicate` is bound to these.
    pub read: Vec<(usize, vonk_types::StructField)>,
    /// Rows that do not satisfy it are not put out.
    pub predicate: Option<BoundExpr>,
    /// Output columns as positions in `read`: columns needed by the predicate alone are not put out.
    pub projection: Vec<usize>,
    /// Filters that hash joins above fill at run time.
    pub runtime_filters: Vec<RuntimeFilterTarget>,
    /// Rows that are enough, per partition.
    pub limit: Option<u64>,
}

/// Where a runtime filter applies.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RuntimeFilterTarget {
    /// The filter.
    pub filter: FilterId,
    /// Which key of the join.
    pub key: usize,
    /// Column in [`Scan::read`] that must be among the build side's values of that key (a superset may pass).
    pub column: usize,
}

/// Phase of an aggregation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AggregateMode {
    /// Rows to states.
    Partial,
    /// States to states.
    Merge,
    /// States to results.
    Final,
    /// Rows to results.
    Complete,
}

/// One aggregate call.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AggregateSpec {
    /// Canonical name.
    pub function: Arc<str>,
    /// Arguments over the *original* input; in Merge and Final mode only their types and constants matter.
    pub args: Vec<BoundExpr>,
    /// FILTER, over the original input.
    pub filter: Option<BoundExpr>,
    /// Only distinct argument rows count; only in Complete mode (the optimizer expands other uses).
    pub distinct: bool,
    /// Order of rows within the group; only in Complete mode.
    pub order_by: Vec<SortKey>,
    /// Type of the result.
    pub data_type: DataType,
    /// Types of the state columns.
    pub state_types: Vec<DataType>,
    /// Where it was written.
    pub span: Span,
}

/// Groups by hashing. Output: keys, then results (or, in Partial and Merge mode, the state columns of all calls).
/// Input of Merge and Final: keys, then state columns.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HashAggregate {
    /// Phase.
    pub mode: AggregateMode,
    /// Keys over the input.
    pub groups: Vec<BoundExpr>,
    /// Calls.
    pub aggregates: Vec<AggregateSpec>,
    /// Input.
    pub input: Box<PlanNode>,
}

/// Which input a hash join builds its table from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum BuildSide {
    /// The left input.
    Left,
    /// The right input.
    Right,
}

/// What all joins have.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct JoinSpec {
    /// Kind. Mark joins put out the mark as last column.
    pub kind: JoinKind,
    /// Further condition over left columns followed by right columns.
    pub condition: Option<BoundExpr>,
    /// Mark joins: three-valued.
    pub null_aware: bool,
    /// Output columns, as positions in left columns ++ right columns (++ mark).
    pub projection: Vec<usize>,
}

/// Join by hash table: rows match where all keys are equal (nulls never, unless `null_safe`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HashJoin {
    /// Left input.
    pub left: Box<PlanNode>,
    /// Right input.
    pub right: Box<PlanNode>,
    /// Keys over the left input.
    pub left_keys: Vec<BoundExpr>,
    /// Keys over the right input, of the same types.
    pub right_keys: Vec<BoundExpr>,
    /// Per key: whether null equals null (`<=>`, set operations).
    pub null_safe: Vec<bool>,
    /// Which side the table is built from.
    pub build: BuildSide,
    /// The build side is a broadcast: its table is built once per executor and shared by all tasks.
    pub broadcast: bool,
    /// Kind, condition, output.
    pub join: JoinSpec,
    /// Fill this runtime filter from the build keys.
    pub runtime_filter: Option<FilterId>,
}

/// Join of sorted inputs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SortMergeJoin {
    /// Left input, sorted by its keys.
    pub left: Box<PlanNode>,
    /// Right input, sorted by its keys.
    pub right: Box<PlanNode>,
    /// Keys.
    pub left_keys: Vec<BoundExpr>,
    /// Keys.
    pub right_keys: Vec<BoundExpr>,
    /// Per key: null equals null.
    pub null_safe: Vec<bool>,
    /// Kind, condition, output.
    pub join: JoinSpec,
}

/// Join by comparing all pairs; the build side is held in memory (and is a broadcast where the other has several partitions).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NestedLoopJoin {
    /// Left input.
    pub left: Box<PlanNode>,
    /// Right input.
    pub right: Box<PlanNode>,
    /// Which side is held.
    pub build: BuildSide,
    /// The held side is a broadcast.
    pub broadcast: bool,
    /// Kind, condition, output.
    pub join: JoinSpec,
}

/// One sort key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SortKey {
    /// Key.
    pub expr: BoundExpr,
    /// DESC.
    pub descending: bool,
    /// NULLS FIRST.
    pub nulls_first: bool,
}

/// Sort within partitions.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sort {
    /// Keys.
    pub keys: Vec<SortKey>,
    /// Only the first so many rows.
    pub fetch: Option<u64>,
    /// Input.
    pub input: Box<PlanNode>,
}

/// One window call.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum WindowSpec {
    /// An aggregate over frames.
    Aggregate {
        /// The call.
        call: AggregateSpec,
        /// Frame.
        frame: WindowFrame,
    },
    /// A window function.
    Function {
        /// Canonical name.
        function: Arc<str>,
        /// Arguments.
        args: Vec<BoundExpr>,
        /// Frame, if it looks at one.
        frame: Option<WindowFrame>,
        /// IGNORE NULLS.
        ignore_nulls: bool,
        /// Type.
        data_type: DataType,
        /// Where it was written.
        span: Span,
    },
}

/// Window functions of one partitioning and order. Output: input columns, then one per call.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Window {
    /// Calls.
    pub functions: Vec<WindowSpec>,
    /// PARTITION BY.
    pub partition_by: Vec<BoundExpr>,
    /// ORDER BY.
    pub order_by: Vec<SortKey>,
    /// Input.
    pub input: Box<PlanNode>,
}

/// Each row once per projection.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Expand {
    /// Projections.
    pub projections: Vec<Vec<BoundExpr>>,
    /// Input.
    pub input: Box<PlanNode>,
}

/// Rows made of rows. Output: `projection` of the input, then generated columns.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Generate {
    /// Canonical name.
    pub function: Arc<str>,
    /// Arguments.
    pub args: Vec<BoundExpr>,
    /// Keep rows that generate nothing.
    pub outer: bool,
    /// Input columns that are put out.
    pub projection: Vec<usize>,
    /// Types of the generated columns.
    pub generated: Vec<DataType>,
    /// Input.
    pub input: Box<PlanNode>,
}

/// Writes files.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Write {
    /// Writer.
    pub format: Arc<str>,
    /// Folder of the table.
    pub path: Arc<str>,
    /// Columns that make sub-folders.
    pub partition_by: Vec<usize>,
    /// Table's columns.
    pub table_schema: StructType,
    /// Append or overwrite (the commit's matter).
    pub mode: WriteMode,
    /// Options of the format.
    pub options: Vec<(String, String)>,
    /// Input.
    pub input: Box<PlanNode>,
}

/// How rows are assigned to partitions.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Partitioning {
    /// By hash of the keys.
    Hash {
        /// Keys.
        keys: Vec<BoundExpr>,
        /// Partitions.
        partitions: u32,
    },
    /// By ranges of the keys; bounds come from a sample taken by a stage before (`None` until they are known).
    Range {
        /// Keys.
        keys: Vec<SortKey>,
        /// Partitions.
        partitions: u32,
        /// `partitions - 1` upper bounds, each one value per key.
        bounds: Option<Vec<Vec<Literal>>>,
    },
    /// In turn.
    RoundRobin {
        /// Partitions.
        partitions: u32,
    },
    /// All rows into one partition.
    Single,
    /// All rows into one partition that every task of the reading stage reads whole.
    Broadcast,
    /// Each partition stays what it is, and is kept for later queries.
    Kept {
        /// Which relation it is, unique among those of a cluster: all plans that read it share its blocks.
        relation: u64,
        /// Partitions.
        partitions: u32,
    },
}

/// A redistribution.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Exchange {
    /// To where.
    pub partitioning: Partitioning,
    /// Input.
    pub input: Box<PlanNode>,
}

/// Root of a shuffle-map fragment: rows go to the block store by partition.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ShuffleWrite {
    /// The shuffle.
    pub shuffle: u64,
    /// To where.
    pub partitioning: Partitioning,
    /// Input.
    pub input: Box<PlanNode>,
}

/// Leaf that reads a shuffle.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ShuffleRead {
    /// The shuffle.
    pub shuffle: u64,
    /// Its map partitions.
    pub maps: u32,
    /// Its reduce partitions (1 for broadcast).
    pub partitions: u32,
    /// Every task reads partition 0.
    pub broadcast: bool,
}

impl PhysicalPlan {
    /// Direct inputs.
    pub fn inputs(&self) -> Vec<&PlanNode> {
        match self {
            PhysicalPlan::Scan(_)
            | PhysicalPlan::Values(_)
            | PhysicalPlan::Driver(_)
            | PhysicalPlan::Range { .. }
            | PhysicalPlan::ShuffleRead(_) => vec![],
            PhysicalPlan::Project { input, .. }
            | PhysicalPlan::Filter { input, .. }
            | PhysicalPlan::Limit { input, .. }
            | PhysicalPlan::Coalesce { input, .. }
            | PhysicalPlan::Sample { input, .. } => vec![input],
            PhysicalPlan::HashAggregate(n) => vec![&n.input],
            PhysicalPlan::Sort(n) => vec![&n.input],
            PhysicalPlan::Window(n) => vec![&n.input],
            PhysicalPlan::Expand(n) => vec![&n.input],
            PhysicalPlan::Generate(n) => vec![&n.input],
            PhysicalPlan::Write(n) => vec![&n.input],
            PhysicalPlan::Exchange(n) => vec![&n.input],
            PhysicalPlan::ShuffleWrite(n) => vec![&n.input],
            PhysicalPlan::HashJoin(n) => vec![&n.left, &n.right],
            PhysicalPlan::SortMergeJoin(n) => vec![&n.left, &n.right],
            PhysicalPlan::NestedLoopJoin(n) => vec![&n.left, &n.right],
            PhysicalPlan::Union { inputs } => inputs.iter().collect(),
        }
    }

    /// Direct inputs, to be changed.
    pub fn inputs_mut(&mut self) -> Vec<&mut PlanNode> {
        match self {
            PhysicalPlan::Scan(_)
            | PhysicalPlan::Values(_)
            | PhysicalPlan::Range { .. }
            | PhysicalPlan::ShuffleRead(_)
            | PhysicalPlan::Driver(_) => vec![],
            PhysicalPlan::Project { input, .. }
            | PhysicalPlan::Filter { input, .. }
            | PhysicalPlan::Limit { input, .. }
            | PhysicalPlan::Coalesce { input, .. }
            | PhysicalPlan::Sample { input, .. } => vec![input],
            PhysicalPlan::HashAggregate(n) => vec![&mut n.input],
            PhysicalPlan::Sort(n) => vec![&mut n.input],
            PhysicalPlan::Window(n) => vec![&mut n.input],
            PhysicalPlan::Expand(n) => vec![&mut n.input],
            PhysicalPlan::Generate(n) => vec![&mut n.input],
            PhysicalPlan::Write(n) => vec![&mut n.input],
            PhysicalPlan::Exchange(n) => vec![&mut n.input],
            PhysicalPlan::ShuffleWrite(n) => vec![&mut n.input],
            PhysicalPlan::HashJoin(n) => vec![&mut n.left, &mut n.right],
            PhysicalPlan::SortMergeJoin(n) => vec![&mut n.left, &mut n.right],
            PhysicalPlan::NestedLoopJoin(n) => vec![&mut n.left, &mut n.right],
            PhysicalPlan::Union { inputs } => inputs.iter_mut().collect(),
        }
    }

    /// Name of the operator as EXPLAIN and metrics show it.
    pub fn name(&self) -> &'static str {
        match self {
            PhysicalPlan::Scan(_) => "Scan",
            PhysicalPlan::Values(_) => "Values",
            PhysicalPlan::Driver(DriverTable::Loop(_)) => "LoopResult",
            PhysicalPlan::Driver(DriverTable::Working(_)) => "WorkingTable",
            PhysicalPlan::Range { .. } => "Range",
            PhysicalPlan::Project { .. } => "Project",
            PhysicalPlan::Filter { .. } => "Filter",
            PhysicalPlan::HashAggregate(_) => "HashAggregate",
            PhysicalPlan::HashJoin(j) if j.broadcast => "BroadcastHashJoin",
            PhysicalPlan::HashJoin(_) => "ShuffledHashJoin",
            PhysicalPlan::SortMergeJoin(_) => "SortMergeJoin",
            PhysicalPlan::NestedLoopJoin(j) if j.broadcast => "BroadcastNestedLoopJoin",
            PhysicalPlan::NestedLoopJoin(_) => "NestedLoopJoin",
            PhysicalPlan::Sort(s) if s.fetch.is_some() => "TopK",
            PhysicalPlan::Sort(_) => "Sort",
            PhysicalPlan::Window(_) => "Window",
            PhysicalPlan::Limit { .. } => "Limit",
            PhysicalPlan::Union { .. } => "Union",
            PhysicalPlan::Expand(_) => "Expand",
            PhysicalPlan::Generate(_) => "Generate",
            PhysicalPlan::Coalesce { .. } => "Coalesce",
            PhysicalPlan::Sample { .. } => "Sample",
            PhysicalPlan::Write(_) => "Write",
            PhysicalPlan::Exchange(e) if matches!(e.partitioning, Partitioning::Broadcast) => {
                "BroadcastExchange"
            }
            PhysicalPlan::Exchange(_) => "Exchange",
            PhysicalPlan::ShuffleWrite(_) => "ShuffleWrite",
            PhysicalPlan::ShuffleRead(_) => "ShuffleRead",
        }
    }
}

impl PlanNode {
    /// A node without estimates.
    pub fn new(schema: StructType, plan: PhysicalPlan) -> Self {
        PlanNode { id: NodeId(0), schema, estimated_rows: None, plan }
    }

    /// Calls `f` on this and all nodes below, parents first.
    pub fn visit<'a>(&'a self, f: &mut dyn FnMut(&'a PlanNode)) {
        f(self);
        for i in self.plan.inputs() {
            i.visit(f);
        }
    }

    /// Calls `f` on this and all nodes below, parents first, to change them.
    pub fn visit_mut(&mut self, f: &mut dyn FnMut(&mut PlanNode)) {
        f(self);
        for i in self.plan.inputs_mut() {
            i.visit_mut(f);
        }
    }
}
