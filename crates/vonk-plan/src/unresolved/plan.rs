//! Unresolved relational operators.

use super::expr::{Expr, Name, WindowSpec};
use crate::logical::Sampling;
use std::any::Any;
use std::fmt;
use std::sync::Arc;
use vonk_error::Span;

/// An unresolved relation.
#[derive(Clone, PartialEq, Debug)]
pub enum Plan {
    /// A table, view or CTE by name; the path where the first of two parts is a data source: see [`Plan::File`].
    Table(TableRef),
    /// `` parquet.`path` ``: two parts, the first a name of a file format. The parser cannot tell this from `db.table`, so it makes a
    /// [`Plan::Table`]; this node is for the DataFrame API (`spark.read.parquet`).
    File {
        /// Data source name.
        format: String,
        /// Paths, at least one.
        paths: Vec<String>,
        /// Reader options.
        options: Vec<(String, String)>,
        /// The place.
        span: Span,
    },
    /// `VALUES (…), (…)`; columns `col1`, `col2`, ….
    Values {
        /// Rows, all of one length (checked by the analyzer).
        rows: Vec<Vec<Expr>>,
        /// The place.
        span: Span,
    },
    /// `range(10)`, `explode(array(…))` in FROM.
    TableFunction {
        /// Name.
        name: Name,
        /// Arguments.
        args: Vec<Expr>,
        /// The place of the call.
        span: Span,
    },
    /// One row without columns: `SELECT 1` without FROM.
    OneRow,
    /// A SELECT with all clauses that belong to one query specification.
    Select(Box<Select>),
    /// A join.
    Join(Box<Join>),
    /// `UNION`, `INTERSECT`, `EXCEPT`.
    SetOp {
        /// Which.
        kind: SetOpKind,
        /// Keep duplicates.
        all: bool,
        /// `UNION BY NAME`.
        by_name: bool,
        /// Left input.
        left: Box<Plan>,
        /// Right input.
        right: Box<Plan>,
        /// The place of both.
        span: Span,
    },
    /// `WITH … body`.
    With {
        /// `WITH RECURSIVE`.
        recursive: bool,
        /// Common table expressions in order; each sees those before it.
        ctes: Vec<Cte>,
        /// The query.
        body: Box<Plan>,
    },
    /// `ORDER BY` (global) or `SORT BY` (within partitions).
    Sort {
        /// Input.
        input: Box<Plan>,
        /// Keys.
        keys: SortKeys,
        /// Whole result in order; else each partition.
        global: bool,
    },
    /// `DISTRIBUTE BY`; `CLUSTER BY` is this below a [`Plan::Sort`] that is not global.
    Distribute {
        /// Input.
        input: Box<Plan>,
        /// Expressions.
        by: Vec<Expr>,
    },
    /// `LIMIT n`. (`LIMIT ALL` leaves no node.)
    Limit {
        /// Input.
        input: Box<Plan>,
        /// A foldable integer.
        count: Expr,
    },
    /// `OFFSET n`.
    Offset {
        /// Input.
        input: Box<Plan>,
        /// A foldable integer.
        count: Expr,
    },
    /// `plan AS alias (columns)`.
    Aliased {
        /// Input.
        input: Box<Plan>,
        /// The alias, the only qualifier of the columns above.
        alias: String,
        /// New column names; empty keeps the old ones.
        columns: Vec<String>,
        /// The place.
        span: Span,
    },
    /// `PIVOT (…)`.
    Pivot(Box<Pivot>),
    /// `UNPIVOT (…)`.
    Unpivot(Box<Unpivot>),
    /// `LATERAL VIEW [OUTER] f(x) t AS a, b`.
    LateralView(Box<LateralView>),
    /// `TABLESAMPLE (…)`.
    Sample {
        /// Input.
        input: Box<Plan>,
        /// How much.
        amount: SampleAmount,
        /// `REPEATABLE (seed)`.
        seed: Option<i64>,
    },
    /// Rows moved as an API asks for it (`repartition`, `coalesce`); in SQL a hint says so.
    Repartition {
        /// Input.
        input: Box<Plan>,
        /// Where rows go.
        to: Repartitioning,
    },
    /// A query in parentheses in FROM, which hides qualifiers: `(SELECT …)` without alias, or with [`Plan::Aliased`] around it.
    Subquery(Box<Plan>),
    /// `/*+ BROADCAST(t), REPARTITION(3) */`: hints apply to the input in order.
    Hint {
        /// Input.
        input: Box<Plan>,
        /// Hints.
        hints: Vec<Hint>,
    },
    /// A pipe `|> WHERE` and the like whose meaning differs from a nested SELECT.
    Pipe(Box<Pipe>),
    /// A plan that is resolved already: how a DataFrame becomes part of a bigger tree.
    Embedded(Embedded),
}

/// A name in FROM.
#[derive(Clone, PartialEq, Debug)]
pub struct TableRef {
    /// Name, one to three parts.
    pub name: Name,
    /// `WITH (k = v)` options.
    pub options: Vec<(String, String)>,
    /// `VERSION AS OF` or `TIMESTAMP AS OF`.
    pub as_of: Option<AsOf>,
}

impl TableRef {
    /// Nothing but a name.
    pub fn plain(name: Name) -> TableRef {
        TableRef { name, options: Vec::new(), as_of: None }
    }
}

/// Time travel.
#[derive(Clone, PartialEq, Debug)]
pub enum AsOf {
    /// `VERSION AS OF '…'`
    Version(String),
    /// `TIMESTAMP AS OF expr`
    Timestamp(Expr),
}

/// One query specification. Clauses take effect in this order: `from`, `filter`, `group_by`, `having`, `projection` with windows,
/// `qualify`, `distinct`.
#[derive(Clone, PartialEq, Debug)]
pub struct Select {
    /// `SELECT DISTINCT`.
    pub distinct: bool,
    /// What is selected, at least one.
    pub projection: Vec<Expr>,
    /// FROM with joins and lateral views; a comma is a cross join.
    pub from: Plan,
    /// WHERE.
    pub filter: Option<Expr>,
    /// GROUP BY.
    pub group_by: Option<GroupBy>,
    /// HAVING. Without GROUP BY it makes a global aggregate.
    pub having: Option<Expr>,
    /// QUALIFY.
    pub qualify: Option<Expr>,
    /// `WINDOW w AS (…)`: definitions; a definition may be the name of another one.
    pub windows: Vec<(String, super::expr::Over)>,
    /// The place.
    pub span: Span,
}

impl Select {
    /// `SELECT projection FROM from`.
    pub fn plain(projection: Vec<Expr>, from: Plan, span: Span) -> Select {
        Select {
            distinct: false,
            projection,
            from,
            filter: None,
            group_by: None,
            having: None,
            qualify: None,
            windows: Vec::new(),
            span,
        }
    }
}

/// GROUP BY.
#[derive(Clone, PartialEq, Debug)]
pub enum GroupBy {
    /// `GROUP BY ALL`. (Spark: unless a column of this name exists.)
    All(Span),
    /// A list, whose sets are crossed with each other: `GROUP BY a, ROLLUP(b, c)`.
    Items(Vec<GroupItem>),
}

/// An element of GROUP BY.
#[derive(Clone, PartialEq, Debug)]
pub enum GroupItem {
    /// An expression, an ordinal or an alias.
    Expr(Expr),
    /// `ROLLUP (a, (b, c))`: each element a list of expressions.
    Rollup(Vec<Vec<Expr>>),
    /// `CUBE (a, (b, c))`.
    Cube(Vec<Vec<Expr>>),
    /// `GROUPING SETS ((a, b), a, (), ROLLUP (c))`.
    GroupingSets(Vec<GroupingSet>),
    /// `GROUP BY a, b WITH ROLLUP` is [`GroupItem::Rollup`]; `GROUP BY a, b GROUPING SETS (…)` is this with the listed columns, which
    /// only fix the order of `grouping_id`.
    GroupingSetsOf(Vec<Expr>, Vec<GroupingSet>),
}

/// An element of GROUPING SETS.
#[derive(Clone, PartialEq, Debug)]
pub enum GroupingSet {
    /// `(a, b)`, `a`, `()`.
    Set(Vec<Expr>),
    /// A nested ROLLUP, CUBE or GROUPING SETS, whose sets are added.
    Nested(GroupItem),
}

/// A join of two relations.
#[derive(Clone, PartialEq, Debug)]
pub struct Join {
    /// Left input.
    pub left: Plan,
    /// Right input.
    pub right: Plan,
    /// Kind.
    pub kind: JoinKind,
    /// Condition.
    pub constraint: JoinConstraint,
    /// The right side may refer to columns of the left: `LATERAL`.
    pub lateral: bool,
    /// The place from the left input to the end of the condition.
    pub span: Span,
}

/// Kinds of joins.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum JoinKind {
    /// `[INNER] JOIN`; without condition it is a cross join.
    Inner,
    /// `CROSS JOIN`, comma.
    Cross,
    /// `LEFT [OUTER]`
    Left,
    /// `RIGHT [OUTER]`
    Right,
    /// `FULL [OUTER]`
    Full,
    /// `[LEFT] SEMI`
    LeftSemi,
    /// `[LEFT] ANTI`
    LeftAnti,
}

/// What must hold in a join.
#[derive(Clone, PartialEq, Debug)]
pub enum JoinConstraint {
    /// Nothing written.
    None,
    /// `ON condition`
    On(Expr),
    /// `USING (a, b)`
    Using(Vec<Name>),
    /// `NATURAL`
    Natural,
}

/// Kinds of set operations.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SetOpKind {
    /// `UNION`
    Union,
    /// `INTERSECT`
    Intersect,
    /// `EXCEPT`, `MINUS`
    Except,
}

/// A common table expression.
#[derive(Clone, PartialEq, Debug)]
pub struct Cte {
    /// Name.
    pub name: String,
    /// New column names, or none.
    pub columns: Vec<String>,
    /// Its query.
    pub plan: Plan,
    /// `MAX RECURSION LEVEL n`.
    pub max_recursion: Option<u64>,
    /// The place of the name.
    pub span: Span,
}

/// What to sort by.
#[derive(Clone, PartialEq, Debug)]
pub enum SortKeys {
    /// `ORDER BY ALL`, with direction and place of nulls.
    All {
        /// `DESC`.
        descending: bool,
        /// As written; else Spark's default.
        nulls_first: Option<bool>,
    },
    /// Keys in order.
    Keys(Vec<SortKey>),
}

/// A sort key.
#[derive(Clone, PartialEq, Debug)]
pub struct SortKey {
    /// An expression, an ordinal or an alias.
    pub expr: Expr,
    /// `DESC`.
    pub descending: bool,
    /// `NULLS FIRST|LAST` as written; else nulls first ascending, last descending.
    pub nulls_first: Option<bool>,
}

/// `PIVOT (aggregates FOR columns IN (values))`.
#[derive(Clone, PartialEq, Debug)]
pub struct Pivot {
    /// Input.
    pub input: Plan,
    /// Aggregates, aliased or not.
    pub aggregates: Vec<Expr>,
    /// Columns whose values become columns.
    pub columns: Vec<Expr>,
    /// Values, aliased or not; a [`super::ExprKind::Row`] each for several columns.
    pub values: Vec<Expr>,
    /// What is grouped by; in SQL (`None`) all columns that are neither aggregated nor pivoted.
    pub groups: Option<Vec<Expr>>,
    /// The place.
    pub span: Span,
}

/// `UNPIVOT [INCLUDE NULLS] (values FOR name IN (columns))`.
#[derive(Clone, PartialEq, Debug)]
pub struct Unpivot {
    /// Input.
    pub input: Plan,
    /// `INCLUDE NULLS`.
    pub include_nulls: bool,
    /// Names of the value columns.
    pub values: Vec<String>,
    /// Name of the column that says which column it was.
    pub name: String,
    /// Groups of columns, each as many as `values`, with the label to show instead of the name.
    pub columns: Vec<(Vec<Expr>, Option<String>)>,
    /// The place.
    pub span: Span,
}

/// `LATERAL VIEW`.
#[derive(Clone, PartialEq, Debug)]
pub struct LateralView {
    /// Input.
    pub input: Plan,
    /// `OUTER`: keep rows for which the generator yields nothing.
    pub outer: bool,
    /// The generator.
    pub generator: Name,
    /// Its arguments.
    pub args: Vec<Expr>,
    /// Qualifier of the new columns.
    pub alias: String,
    /// Their names; empty keeps the generator's.
    pub columns: Vec<String>,
    /// The place.
    pub span: Span,
}

/// Where rows are moved to.
#[derive(Clone, PartialEq, Debug)]
pub enum Repartitioning {
    /// Into so many partitions of about the same size.
    RoundRobin(u32),
    /// Fewer partitions, without moving rows between executors.
    Coalesce(u32),
    /// By the hash of expressions; the number of partitions is the planner's if not given.
    Hash(Vec<Expr>, Option<u32>),
    /// By ranges of keys.
    Range(Vec<SortKey>, Option<u32>),
}

/// How much `TABLESAMPLE` keeps.
#[derive(Clone, PartialEq, Debug)]
pub enum SampleAmount {
    /// `n PERCENT`, as a fraction of 1.
    Fraction(f64),
    /// `n ROWS`
    Rows(Expr),
    /// `BUCKET x OUT OF y`
    Bucket(u64, u64),
    /// As an API asks for it.
    Chosen(Sampling),
}

/// One hint.
#[derive(Clone, PartialEq, Debug)]
pub struct Hint {
    /// Name as written.
    pub name: String,
    /// Arguments: names or literals.
    pub args: Vec<Expr>,
}

/// A pipe operator that is not plain nesting.
#[derive(Clone, PartialEq, Debug)]
pub struct Pipe {
    /// Input.
    pub input: Plan,
    /// What it does.
    pub op: PipeOp,
    /// The place of the operator.
    pub span: Span,
}

/// Pipe operators that need the columns of their input.
#[derive(Clone, PartialEq, Debug)]
pub enum PipeOp {
    /// `|> EXTEND expr AS name, …`: appends columns.
    Extend(Vec<Expr>),
    /// `|> SET a = expr, …`: replaces columns.
    Set(Vec<(String, Expr)>),
    /// `|> DROP a, b`
    Drop(Vec<Name>),
    /// `|> AGGREGATE aggregates GROUP BY keys`: output is keys, then aggregates.
    Aggregate {
        /// Aggregates.
        aggregates: Vec<Expr>,
        /// Keys, if any.
        group_by: Option<GroupBy>,
    },
    /// `|> WHERE condition` over any input, also an aggregate.
    Where(Expr),
    /// `|> SELECT …`: must not aggregate.
    Select {
        /// `DISTINCT`.
        distinct: bool,
        /// Projection.
        projection: Vec<Expr>,
        /// `WINDOW w AS (…)`.
        windows: Vec<(String, WindowSpec)>,
    },
}

/// A resolved plan (or anything else an API wants to embed), compared by identity.
#[derive(Clone)]
pub struct Embedded(pub Arc<dyn Any + Send + Sync>);

impl PartialEq for Embedded {
    fn eq(&self, other: &Embedded) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Embedded(..)")
    }
}
