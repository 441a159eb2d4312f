//! Resolved relational operators.

use crate::logical::expr::{AggregateExpr, Column, Expr, SortExpr, WindowExpr};
use crate::logical::sampling::Sampling;
use crate::source::TableSource;
use arrow::array::RecordBatch;
use std::sync::Arc;
use vonk_types::{DataType, StructType};

/// An expression with the column it becomes. If the expression is a plain column reference, `column` may be that same column
/// (it passes through with its identity).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Named<T> {
    /// What is computed.
    pub expr: T,
    /// The column it becomes.
    pub column: Column,
}

/// A relational operator over resolved inputs. Trees are immutable; inputs are shared.
#[derive(Debug, Clone, PartialEq)]
pub enum LogicalPlan {
    /// Rows of a table.
    Scan(Scan),
    /// Rows given in the query, or no rows. With no columns, still as many rows as the batch has.
    Values {
        /// Columns.
        columns: Vec<Column>,
        /// Data, one Arrow column per column (types as [`vonk_types::arrow_types`]).
        batch: RecordBatch,
    },
    /// `range(start, end, step)`: bigints from start (inclusive) to end (exclusive).
    Range {
        /// The one column, `id`.
        column: Column,
        /// First value.
        start: i64,
        /// Exclusive bound.
        end: i64,
        /// Step, not 0.
        step: i64,
        /// Partitions asked for.
        partitions: Option<u32>,
    },
    /// New columns from old.
    Project {
        /// Output.
        exprs: Vec<Named<Expr>>,
        /// Input.
        input: Arc<LogicalPlan>,
    },
    /// Rows for which the predicate is true.
    Filter {
        /// Boolean.
        predicate: Expr,
        /// Input.
        input: Arc<LogicalPlan>,
    },
    /// Groups. Without `groups`, one row even for no input.
    Aggregate {
        /// Keys.
        groups: Vec<Named<Expr>>,
        /// Aggregates.
        aggregates: Vec<Named<AggregateExpr>>,
        /// Input.
        input: Arc<LogicalPlan>,
    },
    /// Each input row once per projection (grouping sets, distinct-aggregate expansion).
    Expand {
        /// Expressions over the input; each list gives one output row.
        projections: Vec<Vec<Expr>>,
        /// Output columns.
        columns: Vec<Column>,
        /// Input.
        input: Arc<LogicalPlan>,
    },
    /// Window functions of one partitioning and order; output is the input's columns and then theirs.
    Window(Window),
    /// Rows made of each input row; output is the input's columns and then the generated ones.
    Generate(Generate),
    /// Join.
    Join(Join),
    /// Sort. `global` or within each partition.
    Sort {
        /// Keys.
        keys: Vec<SortExpr>,
        /// ORDER BY (true) or SORT BY (false).
        global: bool,
        /// Input.
        input: Arc<LogicalPlan>,
    },
    /// A range of rows, in the order of the input.
    Limit {
        /// Rows left out first.
        skip: u64,
        /// Rows taken then; all if `None`.
        fetch: Option<u64>,
        /// Input.
        input: Arc<LogicalPlan>,
    },
    /// Each row once.
    Distinct {
        /// Input.
        input: Arc<LogicalPlan>,
    },
    /// All rows of all inputs; columns by position, of equal types.
    Union {
        /// Output columns (fresh).
        columns: Vec<Column>,
        /// At least one.
        inputs: Vec<Arc<LogicalPlan>>,
    },
    /// INTERSECT and EXCEPT.
    SetOperation {
        /// Which.
        operation: SetOperation,
        /// ALL.
        all: bool,
        /// Output columns (fresh).
        columns: Vec<Column>,
        /// Left.
        left: Arc<LogicalPlan>,
        /// Right.
        right: Arc<LogicalPlan>,
    },
    /// A distribution asked for by the user (`DISTRIBUTE BY`, hints, `repartition`).
    Repartition {
        /// How rows are to lie.
        distribution: Distribution,
        /// Input.
        input: Arc<LogicalPlan>,
    },
    /// A random part of the rows.
    Sample {
        /// Which.
        sampling: Sampling,
        /// Seed.
        seed: u64,
        /// Input.
        input: Arc<LogicalPlan>,
    },
    /// Writes the input; no output rows.
    Write(Write),
    /// A recursive common table expression.
    Loop(Loop),
    /// Within the step of a [`Loop`]: the rows that its round before made.
    WorkingTable {
        /// The loop.
        id: LoopId,
        /// Output columns (fresh).
        columns: Vec<Column>,
    },
}

/// Identity of a loop; copies of a loop within one plan share it, and may share its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LoopId(pub u64);

/// The rows of `anchor`, then those of `step` over the rows of the round before, until a round makes none. Neither refers to
/// columns outside.
#[derive(Debug, Clone, PartialEq)]
pub struct Loop {
    /// Identity.
    pub id: LoopId,
    /// Output columns (fresh), nullable all through.
    pub columns: Vec<Column>,
    /// The first round; its columns by position, of the types of `columns` but for what may be null.
    pub anchor: Arc<LogicalPlan>,
    /// Each further round, likewise.
    pub step: Arc<LogicalPlan>,
    /// More rounds with rows are an error.
    pub max_rounds: Option<u64>,
    /// So many rows or more are an error, unless `fetch` says how many are enough.
    pub max_rows: Option<u64>,
    /// Rows that are enough.
    pub fetch: Option<u64>,
}

/// Rows of a table.
#[derive(Debug, Clone)]
pub struct Scan {
    /// Full name, for EXPLAIN.
    pub name: String,
    /// The data.
    pub source: Arc<dyn TableSource>,
    /// Output columns, each with its position in the source's schema.
    pub columns: Vec<(Column, usize)>,
    /// Conjuncts over [`columns`](Self::columns) that the scan applies (pushed down; the rows that come out satisfy them).
    pub filters: Vec<Expr>,
    /// Rows that are enough.
    pub limit: Option<u64>,
}

impl PartialEq for Scan {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.source, &other.source)
            && self.columns == other.columns
            && self.filters == other.filters
            && self.limit == other.limit
    }
}

/// Window functions of one partitioning and order.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// Calls with the columns they become.
    pub functions: Vec<Named<WindowExpr>>,
    /// PARTITION BY.
    pub partition_by: Vec<Expr>,
    /// ORDER BY.
    pub order_by: Vec<SortExpr>,
    /// Input.
    pub input: Arc<LogicalPlan>,
}

/// A generator call.
#[derive(Debug, Clone, PartialEq)]
pub struct Generate {
    /// Canonical name.
    pub function: Arc<str>,
    /// Arguments, cast.
    pub args: Vec<Expr>,
    /// Rows without any generated row are kept with nulls (LATERAL VIEW OUTER, `explode_outer`).
    pub outer: bool,
    /// Generated columns.
    pub columns: Vec<Column>,
    /// Input.
    pub input: Arc<LogicalPlan>,
}

/// Join kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum JoinKind {
    /// Matching pairs. A cross join is an inner join without a condition.
    Inner,
    /// And left rows without a match.
    Left,
    /// And right rows without a match.
    Right,
    /// And both.
    Full,
    /// Left rows with a match.
    LeftSemi,
    /// Left rows without a match.
    LeftAnti,
    /// As LeftAnti with the semantics of `NOT IN`: a left row qualifies only if the condition is false for every right row, not null.
    NullAwareAnti,
    /// All left rows with a boolean column telling whether there is a match (subqueries in expressions). With
    /// `null_aware` in [`Join`], null where the match is unknown.
    Mark,
    /// Left rows each with at most one match, else nulls; a second match is an error (scalar subqueries).
    LeftSingle,
}

impl JoinKind {
    /// Whether right columns are part of the output.
    pub fn outputs_right(self) -> bool {
        matches!(
            self,
            JoinKind::Inner | JoinKind::Left | JoinKind::Right | JoinKind::Full | JoinKind::LeftSingle
        )
    }
}

/// A join.
#[derive(Debug, Clone, PartialEq)]
pub struct Join {
    /// Left input.
    pub left: Arc<LogicalPlan>,
    /// Right input. Where `lateral`, it may refer to left columns as [`Expr::OuterColumn`].
    pub right: Arc<LogicalPlan>,
    /// Kind.
    pub kind: JoinKind,
    /// Condition over both sides; none is true.
    pub condition: Option<Expr>,
    /// For [`JoinKind::Mark`]: the boolean column.
    pub mark: Option<Column>,
    /// For [`JoinKind::Mark`]: three-valued (IN) rather than two-valued (EXISTS).
    pub null_aware: bool,
    /// The right side depends on the left (LATERAL); gone after unnesting.
    pub lateral: bool,
}

/// INTERSECT or EXCEPT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SetOperation {
    /// Rows of both.
    Intersect,
    /// Rows of the left that are not in the right.
    Except,
}

/// How rows are to lie over partitions.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Distribution {
    /// By hash of expressions.
    Hash(Vec<Expr>, Option<u32>),
    /// By ranges of keys.
    Range(Vec<SortExpr>, Option<u32>),
    /// Evenly.
    RoundRobin(u32),
    /// Fewer partitions without moving rows.
    Coalesce(u32),
}

/// What a write does with what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum WriteMode {
    /// Adds files.
    Append,
    /// Replaces all files at commit.
    Overwrite,
}

/// A write of files. Columns of the input are those of the table, cast.
#[derive(Debug, Clone, PartialEq)]
pub struct Write {
    /// Writer on the executor: `parquet`.
    pub format: Arc<str>,
    /// Folder.
    pub path: Arc<str>,
    /// Columns of the table that make sub-folders.
    pub partition_by: Vec<usize>,
    /// Names and types as the table has them.
    pub schema: StructType,
    /// Append or overwrite.
    pub mode: WriteMode,
    /// Options of the format (`compression`).
    pub options: Vec<(String, String)>,
    /// Input.
    pub input: Arc<LogicalPlan>,
}

impl LogicalPlan {
    /// A plan of one row without columns (`SELECT 1` without FROM).
    pub fn one_row() -> LogicalPlan {
        let schema = Arc::new(arrow::datatypes::Schema::empty());
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(1));
        let batch = RecordBatch::try_new_with_options(schema.clone(), vec![], &options)
            .unwrap_or_else(|_| RecordBatch::new_empty(schema));
        LogicalPlan::Values { columns: vec![], batch }
    }

    /// No rows of these columns.
    pub fn empty(columns: Vec<Column>) -> LogicalPlan {
        let batch = RecordBatch::new_empty(schema_of(&columns).to_arrow_schema());
        LogicalPlan::Values { columns, batch }
    }

    /// Output columns in order.
    pub fn output(&self) -> Vec<Column> {
        match self {
            LogicalPlan::Scan(s) => s.columns.iter().map(|(c, _)| c.clone()).collect(),
            LogicalPlan::Values { columns, .. }
            | LogicalPlan::Expand { columns, .. }
            | LogicalPlan::Union { columns, .. }
            | LogicalPlan::SetOperation { columns, .. } => columns.clone(),
            LogicalPlan::Range { column, .. } => vec![column.clone()],
            LogicalPlan::Project { exprs, .. } => exprs.iter().map(|n| n.column.clone()).collect(),
            LogicalPlan::Aggregate { groups, aggregates, .. } => {
                let keys = groups.iter().map(|n| n.column.clone());
                keys.chain(aggregates.iter().map(|n| n.column.clone())).collect()
            }
            LogicalPlan::Window(w) => {
                let mut out = w.input.output();
                out.extend(w.functions.iter().map(|n| n.column.clone()));
                out
            }
            LogicalPlan::Generate(g) => {
                let mut out = g.input.output();
                out.extend(g.columns.iter().cloned());
                out
            }
            LogicalPlan::Join(j) => j.output(),
            LogicalPlan::Filter { input, .. }
            | LogicalPlan::Sort { input, .. }
            | LogicalPlan::Limit { input, .. }
            | LogicalPlan::Distinct { input }
            | LogicalPlan::Repartition { input, .. }
            | LogicalPlan::Sample { input, .. } => input.output(),
            LogicalPlan::Loop(l) => l.columns.clone(),
            LogicalPlan::WorkingTable { columns, .. } => columns.clone(),
            LogicalPlan::Write(_) => vec![],
        }
    }

    /// The result's schema.
    pub fn schema(&self) -> StructType {
        schema_of(&self.output())
    }
}

/// Columns as a schema.
pub(crate) fn schema_of(columns: &[Column]) -> StructType {
    StructType::new(columns.iter().map(Column::to_field).collect::<Vec<_>>())
}

impl Join {
    /// Output columns: null-extended sides are nullable.
    pub fn output(&self) -> Vec<Column> {
        let side = |plan: &LogicalPlan, extended: bool| {
            let mut columns = plan.output();
            if extended {
                columns.iter_mut().for_each(|c| c.nullable = true);
            }
            columns
        };
        let (l, r) = match self.kind {
            JoinKind::Left | JoinKind::LeftSingle => (false, true),
            JoinKind::Right => (true, false),
            JoinKind::Full => (true, true),
            _ => (false, false),
        };
        let mut out = side(&self.left, l);
        if self.kind.outputs_right() {
            out.extend(side(&self.right, r));
        }
        out.extend(self.mark.clone());
        out
    }
}

impl Named<Expr> {
    /// A column passed through.
    pub fn pass(c: &Column) -> Self {
        Named { expr: Expr::Column(c.clone()), column: c.clone() }
    }

    /// Whether the column is passed through with its identity.
    pub fn is_pass(&self) -> bool {
        matches!(&self.expr, Expr::Column(c) if c.id == self.column.id)
    }
}

/// A type of a column; shorthand for planners.
impl From<&Column> for DataType {
    fn from(c: &Column) -> DataType {
        c.data_type.clone()
    }
}
