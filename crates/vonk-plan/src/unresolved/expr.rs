//! Unresolved expressions.

use super::plan::{Plan, SortKey};
use std::fmt;
use vonk_error::Span;
use vonk_types::{DataType, Literal};

/// A possibly qualified name: `a`, `t.a`, `cat.db.t`. Parts are unquoted and keep the case they were written in.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Name {
    /// The parts from the left. Never empty.
    pub parts: Vec<String>,
    /// The place of the whole name.
    pub span: Span,
}

impl Name {
    /// A name of one part that was not written in any text.
    pub fn of(part: impl Into<String>) -> Name {
        Name { parts: vec![part.into()], span: Span::NONE }
    }

    /// The rightmost part.
    pub fn last(&self) -> &str {
        self.parts.last().map_or("", String::as_str)
    }
}

impl fmt::Display for Name {
    /// Parts joined by dots, quoted where they must be: `` a.`b c` ``.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, part) in self.parts.iter().enumerate() {
            if i > 0 {
                f.write_str(".")?;
            }
            f.write_str(&vonk_types::data_type::quote_if_needed(part))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An expression and the place it was written at.
#[derive(Clone, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// The text of the whole expression, without redundant parentheses around it.
    pub span: Span,
}

impl Expr {
    /// An expression written at `span`.
    pub fn new(kind: ExprKind, span: Span) -> Expr {
        Expr { kind, span }
    }

    /// An expression that was not written in any text.
    pub fn made(kind: ExprKind) -> Expr {
        Expr { kind, span: Span::NONE }
    }

    /// A literal.
    pub fn literal(value: Literal, span: Span) -> Expr {
        Expr { kind: ExprKind::Literal(value), span }
    }

    /// A plain call: `name(args)`.
    pub fn call(name: impl Into<String>, args: Vec<Expr>, span: Span) -> Expr {
        Expr { kind: ExprKind::Function(Box::new(FunctionCall::plain(Name::of(name), args))), span }
    }
}

impl fmt::Debug for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

/// The kinds of expressions.
#[derive(Clone, PartialEq, Debug)]
pub enum ExprKind {
    /// A column, a field of a struct column, a variable, a lambda parameter, or a function that needs no parentheses
    /// (`current_date`, `current_user`, …): which of them, the analyzer decides in this order.
    Name(Name),
    /// A column of a resolved plan by its identity: how an API says which of several columns of one name it means.
    Column(ColumnRef),
    /// `*`, `t.*`, `* EXCEPT (a)`; also as an argument (`count(*)`, `struct(*)`).
    Star(Star),
    /// A literal whose value does not depend on the session, intervals included.
    Literal(Literal),
    /// `TIMESTAMP '…'`, `DATE '…'` and friends: the value depends on the session's time zone or default timestamp type.
    TypedLiteral {
        /// The type as written, in lower case: `date`, `timestamp`, `timestamp_ltz`, `timestamp_ntz`.
        type_name: String,
        /// The text between the quotes, escapes undone.
        text: String,
    },
    /// `-x`, `+x`, `~x`. (A minus directly before a number is part of the literal.)
    Unary {
        /// Operator.
        op: UnaryOp,
        /// Operand.
        expr: Box<Expr>,
    },
    /// `left op right`. Chains of `AND` and of `OR` are balanced by the parser and never deep.
    Binary {
        /// Operator.
        op: BinaryOp,
        /// Left operand.
        left: Box<Expr>,
        /// Right operand.
        right: Box<Expr>,
    },
    /// `NOT x`, `! x`; also the outer node of `x NOT IN …`, `x NOT LIKE …`, `x NOT BETWEEN …`, as in Spark.
    Not(Box<Expr>),
    /// `x IS [NOT] NULL`, `TRUE`, `FALSE`, `UNKNOWN`.
    Is {
        /// Operand.
        expr: Box<Expr>,
        /// What is asked.
        test: IsTest,
        /// `IS NOT`.
        negated: bool,
    },
    /// `a IS [NOT] DISTINCT FROM b`. (`a <=> b` is [`BinaryOp::NullSafeEq`].)
    IsDistinctFrom {
        /// Left operand.
        left: Box<Expr>,
        /// Right operand.
        right: Box<Expr>,
        /// `IS NOT DISTINCT FROM`.
        negated: bool,
    },
    /// `x BETWEEN low AND high`.
    Between {
        /// Tested value.
        expr: Box<Expr>,
        /// Inclusive lower bound.
        low: Box<Expr>,
        /// Inclusive upper bound.
        high: Box<Expr>,
    },
    /// `x IN (a, b, …)`.
    InList {
        /// Tested value.
        expr: Box<Expr>,
        /// Candidates, at least one.
        list: Vec<Expr>,
    },
    /// `x IN (SELECT …)`, `(x, y) IN (SELECT …)`.
    InSubquery {
        /// Tested value; a [`ExprKind::Row`] for several.
        expr: Box<Expr>,
        /// The query.
        query: Box<Plan>,
    },
    /// `EXISTS (SELECT …)`.
    Exists(Box<Plan>),
    /// `(SELECT …)` as a value.
    ScalarSubquery(Box<Plan>),
    /// `x LIKE p`, `ILIKE`, `RLIKE`/`REGEXP`.
    Like {
        /// Which matcher.
        kind: LikeKind,
        /// Tested value.
        expr: Box<Expr>,
        /// The pattern.
        pattern: Box<Expr>,
        /// The character after `ESCAPE`; a backslash if nothing is said.
        escape: Option<char>,
    },
    /// `x LIKE ANY|SOME|ALL (p, …)`, `x NOT LIKE ALL (…)`; ILIKE alike.
    LikeQuantified {
        /// Which matcher.
        kind: LikeKind,
        /// `ALL`; else `ANY`.
        all: bool,
        /// Each pattern must *not* match: `x NOT LIKE ALL (p, q)` is `x NOT LIKE p AND x NOT LIKE q`.
        negated: bool,
        /// Tested value.
        expr: Box<Expr>,
        /// Patterns, at least one.
        patterns: Vec<Expr>,
    },
    /// `CASE [operand] WHEN … THEN … [ELSE …] END`.
    Case {
        /// The value compared with every `WHEN`, if any.
        operand: Option<Box<Expr>>,
        /// Pairs of `WHEN` and `THEN`.
        branches: Vec<(Expr, Expr)>,
        /// `ELSE`.
        otherwise: Option<Box<Expr>>,
    },
    /// `CAST(x AS t)`, `TRY_CAST(x AS t)`, `x::t`. Spark names all three `CAST(x AS T)` or `TRY_CAST(x AS T)`.
    Cast {
        /// Operand.
        expr: Box<Expr>,
        /// Target type.
        data_type: TypeRef,
        /// Null instead of an error.
        try_cast: bool,
    },
    /// A call of any function: scalar, aggregate, window, generator.
    Function(Box<FunctionCall>),
    /// `x -> body`, `(x, y) -> body`.
    Lambda {
        /// Parameter names.
        params: Vec<String>,
        /// Body.
        body: Box<Expr>,
    },
    /// `x[i]`: array element from 0, or map value.
    Subscript {
        /// Array or map.
        expr: Box<Expr>,
        /// Index or key.
        index: Box<Expr>,
    },
    /// `(expression).field` where the expression is not a plain name (that would be [`ExprKind::Name`]).
    Field {
        /// The struct, array of structs, or map.
        expr: Box<Expr>,
        /// Field name.
        field: String,
    },
    /// A struct with fields put in, or left out where no value is given, one after the other. An API says so; in SQL there is no form for it.
    UpdateFields {
        /// The struct.
        expr: Box<Expr>,
        /// Fields by name.
        updates: Vec<(String, Option<Expr>)>,
    },
    /// `(a, b, …)`: a struct with fields `col1`, `col2`, … or the names of the parts (aliases and columns keep theirs).
    Row(Vec<Expr>),
    /// `?` (by position from 0) or `:name`.
    Parameter(Parameter),
    /// `x AS a`; `f(x) AS (a, b)` for generators.
    Alias {
        /// Operand.
        expr: Box<Expr>,
        /// One name, or several in parentheses.
        names: Vec<String>,
    },
    /// `x COLLATE name`.
    Collate {
        /// Operand.
        expr: Box<Expr>,
        /// Name of the collation.
        collation: Name,
    },
    /// `x -> y` calls aside, an argument passed by name: `f(a => 1)`. Occurs only in argument lists.
    NamedArgument {
        /// Parameter name.
        name: String,
        /// Value.
        value: Box<Expr>,
    },
    /// `DEFAULT` in `INSERT … VALUES` and `SET x = DEFAULT`.
    Default,
    /// `TABLE (SELECT …)`, `TABLE t` as an argument of a table function.
    TableArgument(Box<Plan>),
    /// `IDENTIFIER('text')` as a column.
    IdentifierClause(Box<Expr>),
}

/// A column of a plan that is resolved already.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ColumnRef {
    /// Identity: the number of a [`crate::ColumnId`].
    pub id: u64,
    /// Name, for messages and for the columns made of it.
    pub name: String,
    /// Which plan it was asked of, counted in the order in which plans were made. In a later plan that has columns of its own in the
    /// place of this one (a self-join), it does not say which is meant. `None` where just one can be.
    pub seen_in: Option<u64>,
}

/// `*` and what it may carry.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Star {
    /// `t` of `t.*`; a struct column is allowed, too.
    pub qualifier: Option<Name>,
    /// `EXCEPT (a, b.c)`.
    pub except: Vec<Name>,
    /// Only columns whose names match: a quoted name under `spark.sql.parser.quotedRegexColumnNames`.
    pub regex: Option<String>,
}

/// A type as written, and its place.
#[derive(Clone, PartialEq)]
pub struct TypeRef {
    /// The type. `timestamp` depends on the session: see [`TypeRef::default_timestamp`].
    pub data_type: DataType,
    /// `char(n)` or `varchar(n)` at the top, whose `data_type` is `string`: the session checks lengths on writing.
    pub length: Option<CharLength>,
    /// Written as plain `timestamp` somewhere inside: `spark.sql.timestampType` decides what [`DataType::Timestamp`] means here.
    pub default_timestamp: bool,
    /// The place.
    pub span: Span,
}

impl TypeRef {
    /// A type that means the same in every session.
    pub fn of(data_type: DataType) -> TypeRef {
        TypeRef { data_type, length: None, default_timestamp: false, span: Span::NONE }
    }
}

impl fmt::Debug for TypeRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.length {
            None => write!(f, "{}", self.data_type),
            Some(CharLength::Char(n)) => write!(f, "char({n})"),
            Some(CharLength::Varchar(n)) => write!(f, "varchar({n})"),
        }
    }
}

/// The length of a `char` or `varchar`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CharLength {
    /// Padded.
    Char(u32),
    /// At most.
    Varchar(u32),
}

/// A unary operator.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum UnaryOp {
    /// `-`
    Minus,
    /// `+`
    Plus,
    /// `~`
    BitNot,
}

/// A binary operator. The names of Spark's functions for them are the analyzer's business.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BinaryOp {
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Modulo,
    /// `DIV`
    IntDivide,
    /// `||`
    Concat,
    /// `&`
    BitAnd,
    /// `|`
    BitOr,
    /// `^`
    BitXor,
    /// `<<`
    ShiftLeft,
    /// `>>`
    ShiftRight,
    /// `>>>`
    ShiftRightUnsigned,
    /// `=`, `==`
    Eq,
    /// `<=>`
    NullSafeEq,
    /// `<>`, `!=` (Spark: `NOT (a = b)`)
    NotEq,
    /// `<`, `!>=`
    Lt,
    /// `<=`, `!>`
    LtEq,
    /// `>`
    Gt,
    /// `>=`, `!<`
    GtEq,
    /// `AND`
    And,
    /// `OR`
    Or,
}

impl BinaryOp {
    /// As written in SQL.
    pub fn symbol(self) -> &'static str {
        match self {
            BinaryOp::Plus => "+",
            BinaryOp::Minus => "-",
            BinaryOp::Multiply => "*",
            BinaryOp::Divide => "/",
            BinaryOp::Modulo => "%",
            BinaryOp::IntDivide => "div",
            BinaryOp::Concat => "||",
            BinaryOp::BitAnd => "&",
            BinaryOp::BitOr => "|",
            BinaryOp::BitXor => "^",
            BinaryOp::ShiftLeft => "<<",
            BinaryOp::ShiftRight => ">>",
            BinaryOp::ShiftRightUnsigned => ">>>",
            BinaryOp::Eq => "=",
            BinaryOp::NullSafeEq => "<=>",
            BinaryOp::NotEq => "<>",
            BinaryOp::Lt => "<",
            BinaryOp::LtEq => "<=",
            BinaryOp::Gt => ">",
            BinaryOp::GtEq => ">=",
            BinaryOp::And => "AND",
            BinaryOp::Or => "OR",
        }
    }
}

/// What `IS` asks for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum IsTest {
    /// `IS NULL`
    Null,
    /// `IS TRUE`
    True,
    /// `IS FALSE`
    False,
    /// `IS UNKNOWN`
    Unknown,
}

/// Which pattern language.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LikeKind {
    /// `LIKE`
    Like,
    /// `ILIKE`
    ILike,
    /// `RLIKE`, `REGEXP`
    RLike,
}

/// A parameter marker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Parameter {
    /// `?`, counted from 0 in the order of the text.
    Position(usize),
    /// `:name`
    Named(String),
}

/// A function call with everything that may stand around it.
#[derive(Clone, PartialEq, Debug)]
pub struct FunctionCall {
    /// Name as written; may be qualified.
    pub name: Name,
    /// Arguments; by-name ones are [`ExprKind::NamedArgument`], `count(*)` has an [`ExprKind::Star`].
    pub args: Vec<Expr>,
    /// `f(DISTINCT x)`.
    pub distinct: bool,
    /// `WITHIN GROUP (ORDER BY …)`.
    pub within_group: Vec<SortKey>,
    /// `FILTER (WHERE …)`.
    pub filter: Option<Expr>,
    /// `IGNORE NULLS` is `Some(true)`, `RESPECT NULLS` is `Some(false)`.
    pub ignore_nulls: Option<bool>,
    /// `OVER …`.
    pub over: Option<Over>,
}

impl FunctionCall {
    /// `name(args)` and nothing else.
    pub fn plain(name: Name, args: Vec<Expr>) -> FunctionCall {
        FunctionCall {
            name,
            args,
            distinct: false,
            within_group: Vec::new(),
            filter: None,
            ignore_nulls: None,
            over: None,
        }
    }
}

/// What follows `OVER`.
#[derive(Clone, PartialEq, Debug)]
pub enum Over {
    /// `OVER w`: defined in the `WINDOW` clause.
    Named(String),
    /// `OVER (…)`.
    Window(WindowSpec),
}

/// `(PARTITION BY … ORDER BY … ROWS …)`.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct WindowSpec {
    /// `PARTITION BY`, `DISTRIBUTE BY`.
    pub partition_by: Vec<Expr>,
    /// `ORDER BY`, `SORT BY`.
    pub order_by: Vec<SortKey>,
    /// The frame, where written.
    pub frame: Option<WindowFrame>,
    /// The place.
    pub span: Span,
}

/// A window frame. `ROWS n PRECEDING` means until the current row.
#[derive(Clone, PartialEq, Debug)]
pub struct WindowFrame {
    /// `ROWS`; else `RANGE`.
    pub rows: bool,
    /// First bound.
    pub start: FrameBound,
    /// Last bound.
    pub end: FrameBound,
}

/// A bound of a frame.
#[derive(Clone, PartialEq, Debug)]
pub enum FrameBound {
    /// `UNBOUNDED PRECEDING`
    UnboundedPreceding,
    /// `n PRECEDING`
    Preceding(Expr),
    /// `CURRENT ROW`
    CurrentRow,
    /// `n FOLLOWING`
    Following(Expr),
    /// `UNBOUNDED FOLLOWING`
    UnboundedFollowing,
}
