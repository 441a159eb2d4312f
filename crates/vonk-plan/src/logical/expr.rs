//! Resolved expressions.

use crate::logical::plan::LogicalPlan;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use vonk_error::{SourceId, Span};
use vonk_types::{CastMode, CompareOp, DataType, Literal, StructField};

/// Identity of a column within a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ColumnId(pub u64);

/// Makes the identities that plans are built of; one per session, so that plans made by different statements can be put together.
#[derive(Debug)]
pub struct ColumnIds {
    columns: AtomicU64,
    sources: AtomicU32,
}

impl Default for ColumnIds {
    fn default() -> Self {
        // The source 0 is the text of the statement itself.
        ColumnIds { columns: AtomicU64::new(0), sources: AtomicU32::new(1) }
    }
}

impl ColumnIds {
    /// A generator that starts at 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// A fresh id.
    pub fn fresh(&self) -> ColumnId {
        ColumnId(self.columns.fetch_add(1, Ordering::Relaxed))
    }

    /// How spans name a text that is not the statement's own: a view's, a function's, or that of a statement inside of another plan.
    pub fn source(&self) -> SourceId {
        SourceId(self.sources.fetch_add(1, Ordering::Relaxed))
    }

    /// A fresh column.
    pub fn column(&self, name: impl Into<Arc<str>>, data_type: DataType, nullable: bool) -> Column {
        Column { id: self.fresh(), name: name.into(), data_type, nullable }
    }
}

/// A column that some plan node puts out. Equality is by identity alone.
#[derive(Debug, Clone)]
pub struct Column {
    /// Identity.
    pub id: ColumnId,
    /// Name in the result.
    pub name: Arc<str>,
    /// Type.
    pub data_type: DataType,
    /// Whether it can be null here.
    pub nullable: bool,
}

impl Column {
    /// As a field of a schema.
    pub fn to_field(&self) -> StructField {
        StructField::new(self.name.clone(), self.data_type.clone(), self.nullable)
    }
}

impl PartialEq for Column {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}
impl Eq for Column {}
impl std::hash::Hash for Column {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

/// A resolved expression. Mirrors `vonk_eval::BoundExpr`, with columns by identity and with what only plans have:
/// outer references and subqueries. (Aggregate, window and generator calls are not expressions: they live in their plan nodes.)
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Expr {
    /// A column of the input.
    Column(Column),
    /// A column of an enclosing query, inside the plan of a correlated subquery or of a lateral join's right side.
    OuterColumn(Column),
    /// A constant.
    Literal(Literal),
    /// A scalar function.
    Call {
        /// Canonical name.
        function: Arc<str>,
        /// The name it was called by, for generated column names.
        called_as: Arc<str>,
        /// Arguments, cast to what the function resolved to.
        args: Vec<Expr>,
        /// Type.
        data_type: DataType,
        /// Whether it can be null.
        nullable: bool,
        /// Equal arguments give equal results (not `rand`, `uuid`).
        deterministic: bool,
        /// Where it was written.
        span: Span,
    },
    /// A cast.
    Cast {
        /// What.
        expr: Box<Expr>,
        /// To which type.
        to: DataType,
        /// Misfits.
        mode: CastMode,
        /// Inserted by coercion: not shown in generated column names.
        implicit: bool,
        /// Where it was written.
        span: Span,
    },
    /// Comparison.
    Compare {
        /// Operator.
        op: CompareOp,
        /// Left side.
        left: Box<Expr>,
        /// Right side, of the same type.
        right: Box<Expr>,
    },
    /// Conjunction of two or more.
    And(Vec<Expr>),
    /// Disjunction of two or more.
    Or(Vec<Expr>),
    /// Negation.
    Not(Box<Expr>),
    /// IS NULL.
    IsNull(Box<Expr>),
    /// IS NOT NULL.
    IsNotNull(Box<Expr>),
    /// CASE without operand.
    Case {
        /// Conditions and results.
        branches: Vec<(Expr, Expr)>,
        /// ELSE.
        otherwise: Option<Box<Expr>>,
        /// Type of results.
        data_type: DataType,
    },
    /// First that is not null.
    Coalesce {
        /// Arguments of one type.
        args: Vec<Expr>,
        /// That type.
        data_type: DataType,
    },
    /// IN a list of expressions.
    InList {
        /// What.
        expr: Box<Expr>,
        /// Where.
        list: Vec<Expr>,
        /// NOT IN.
        negated: bool,
    },
    /// Field of a struct.
    Field {
        /// The struct.
        expr: Box<Expr>,
        /// Position.
        ordinal: usize,
        /// Name, for generated column names.
        name: Arc<str>,
        /// Type.
        data_type: DataType,
        /// Whether the field (not the struct) can be null.
        nullable: bool,
    },
    /// Struct made of parts.
    MakeStruct {
        /// Values.
        args: Vec<Expr>,
        /// The struct's type.
        data_type: DataType,
    },
    /// Lambda, only as an argument of a call.
    Lambda {
        /// Parameters.
        params: Vec<Column>,
        /// Body; refers to its parameters as [`Expr::LambdaParam`].
        body: Box<Expr>,
    },
    /// Parameter of an enclosing lambda.
    LambdaParam(Column),
    /// A subquery used as an expression.
    Subquery(Box<Subquery>),
}

/// A subquery inside an expression. Two are equal if they share one plan: equal texts have different column ids anyway.
#[derive(Debug, Clone)]
pub struct Subquery {
    /// What it is used for.
    pub kind: SubqueryKind,
    /// Its plan; columns of enclosing queries appear in it as [`Expr::OuterColumn`].
    pub plan: Arc<LogicalPlan>,
    /// The outer columns of the *directly* enclosing query that it refers to (deeper ones included as they pass through).
    pub outer: Vec<Column>,
    /// Where it was written.
    pub span: Span,
}

impl PartialEq for Subquery {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && Arc::ptr_eq(&self.plan, &other.plan)
    }
}
impl Eq for Subquery {}
impl std::hash::Hash for Subquery {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.kind.hash(state);
        Arc::as_ptr(&self.plan).hash(state);
    }
}

/// How a subquery is used.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SubqueryKind {
    /// One value; null if there is no row, an error if there are two.
    Scalar,
    /// `EXISTS` (never null).
    Exists {
        /// NOT EXISTS.
        negated: bool,
    },
    /// `(a, b) IN (SELECT x, y …)` with SQL's null semantics.
    In {
        /// Left sides, of the types of the subquery's columns.
        exprs: Vec<Expr>,
        /// NOT IN.
        negated: bool,
    },
}

/// One sort key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SortExpr {
    /// Key.
    pub expr: Expr,
    /// DESC.
    pub descending: bool,
    /// NULLS FIRST.
    pub nulls_first: bool,
}

/// A call of an aggregate function.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AggregateExpr {
    /// Canonical name.
    pub function: Arc<str>,
    /// The name it was called by.
    pub called_as: Arc<str>,
    /// Arguments, cast.
    pub args: Vec<Expr>,
    /// DISTINCT.
    pub distinct: bool,
    /// FILTER (WHERE …).
    pub filter: Option<Expr>,
    /// WITHIN GROUP (ORDER BY …) or ORDER BY inside the call.
    pub order_by: Vec<SortExpr>,
    /// Type.
    pub data_type: DataType,
    /// Whether it can be null.
    pub nullable: bool,
    /// Where it was written.
    pub span: Span,
}

/// A call over a window.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum WindowExpr {
    /// An aggregate function over the frame.
    Aggregate {
        /// The call.
        call: AggregateExpr,
        /// Its frame.
        frame: WindowFrame,
    },
    /// A window function.
    Function {
        /// Canonical name.
        function: Arc<str>,
        /// The name it was called by.
        called_as: Arc<str>,
        /// Arguments, cast.
        args: Vec<Expr>,
        /// Frame, where the function looks at one.
        frame: Option<WindowFrame>,
        /// IGNORE NULLS.
        ignore_nulls: bool,
        /// Type.
        data_type: DataType,
        /// Whether it can be null.
        nullable: bool,
        /// Where it was written.
        span: Span,
    },
}

/// ROWS or RANGE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum FrameUnits {
    /// By position.
    Rows,
    /// By value of the single order key.
    Range,
}

/// One end of a frame. Offsets of RANGE frames are literals of the type that is added to the order key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum FrameBound {
    /// UNBOUNDED PRECEDING.
    UnboundedPreceding,
    /// `n` PRECEDING.
    Preceding(Literal),
    /// CURRENT ROW (for RANGE: its peers).
    CurrentRow,
    /// `n` FOLLOWING.
    Following(Literal),
    /// UNBOUNDED FOLLOWING.
    UnboundedFollowing,
}

/// A window frame.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct WindowFrame {
    /// Units.
    pub units: FrameUnits,
    /// First row.
    pub start: FrameBound,
    /// Last row.
    pub end: FrameBound,
}

impl Expr {
    /// A column reference.
    pub fn column(c: &Column) -> Expr {
        Expr::Column(c.clone())
    }

    /// `true` or `false`.
    pub fn boolean(b: bool) -> Expr {
        Expr::Literal(Literal::boolean(b))
    }

    /// The type.
    pub fn data_type(&self) -> DataType {
        match self {
            Expr::Column(c) | Expr::OuterColumn(c) | Expr::LambdaParam(c) => c.data_type.clone(),
            Expr::Literal(l) => l.data_type.clone(),
            Expr::Call { data_type, .. }
            | Expr::Case { data_type, .. }
            | Expr::Coalesce { data_type, .. }
            | Expr::Field { data_type, .. }
            | Expr::MakeStruct { data_type, .. } => data_type.clone(),
            Expr::Cast { to, .. } => to.clone(),
            Expr::Lambda { body, .. } => body.data_type(),
            Expr::Subquery(s) => match s.kind {
                SubqueryKind::Scalar => {
                    s.plan.output().first().map_or(DataType::Null, |c| c.data_type.clone())
                }
                _ => DataType::Boolean,
            },
            Expr::Compare { .. }
            | Expr::And(_)
            | Expr::Or(_)
            | Expr::Not(_)
            | Expr::IsNull(_)
            | Expr::IsNotNull(_)
            | Expr::InList { .. } => DataType::Boolean,
        }
    }

    /// Whether the value can be null.
    pub fn nullable(&self) -> bool {
        match self {
            Expr::Column(c) | Expr::OuterColumn(c) | Expr::LambdaParam(c) => c.nullable,
            Expr::Literal(l) => l.is_null(),
            Expr::Call { nullable, .. } => *nullable,
            Expr::Cast { expr, to, mode, .. } => match mode {
                CastMode::Ansi => expr.nullable(),
                // A cast that can turn misfits into nulls; identity of types is the only case known to be safe here.
                CastMode::Legacy | CastMode::Try => expr.nullable() || expr.data_type() != *to,
            },
            Expr::Compare { op: CompareOp::EqNullSafe, .. } => false,
            Expr::Compare { left, right, .. } => left.nullable() || right.nullable(),
            Expr::And(list) | Expr::Or(list) => list.iter().any(Expr::nullable),
            Expr::Not(e) => e.nullable(),
            Expr::IsNull(_) | Expr::IsNotNull(_) | Expr::MakeStruct { .. } => false,
            Expr::Case { branches, otherwise, .. } => {
                branches.iter().any(|(_, v)| v.nullable()) || otherwise.as_ref().is_none_or(|o| o.nullable())
            }
            Expr::Coalesce { args, .. } => args.iter().all(Expr::nullable),
            Expr::InList { expr, list, .. } => expr.nullable() || list.iter().any(Expr::nullable),
            Expr::Field { expr, nullable, .. } => *nullable || expr.nullable(),
            Expr::Lambda { body, .. } => body.nullable(),
            Expr::Subquery(s) => !matches!(s.kind, SubqueryKind::Exists { .. }),
        }
    }

    /// Conjuncts of a predicate: the members of an AND, or the expression itself.
    pub fn conjuncts(self) -> Vec<Expr> {
        match self {
            Expr::And(list) => list.into_iter().flat_map(Expr::conjuncts).collect(),
            other => vec![other],
        }
    }

    /// The AND of predicates; `None` of none.
    pub fn and_all(mut list: Vec<Expr>) -> Option<Expr> {
        match list.len() {
            0 => None,
            1 => list.pop(),
            _ => Some(Expr::And(list)),
        }
    }
}
