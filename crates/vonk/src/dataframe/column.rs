//! Expressions over the columns of a DataFrame.
//!
//! A [`Column`] is what would stand in SQL between two commas: a name, a literal, a call, an operator over others. It knows no
//! DataFrame until it is used in one; then the analyzer gives it a type, or says why it cannot.
//!
//! Where a column is asked for ([`IntoColumn`]), a string is a name; where a value is ([`IntoOperand`], as in `col("a").eq("x")`), a
//! string is a string, as in Spark.

use super::arguments::{IntoOperand, IntoType, SortColumn};
use super::attribute::attribute_name;
use super::place::called;
use super::window::WindowSpec;
use std::fmt;
use vonk_error::{Error, Result, SourceId, Span};
use vonk_plan::unresolved::{
    BinaryOp, Expr, ExprKind, FunctionCall, IsTest, LikeKind, Name, Over, Star, TypeRef, UnaryOp,
};
use vonk_sql::ParseOptions;
use vonk_types::Literal;

/// An expression that gives a value for every row.
///
/// ```
/// use vonk::functions::{col, lit, when};
/// let price = col("price") * (lit(1) - col("discount"));
/// let size = when(col("quantity").gt(100), "large").otherwise("small").alias("size");
/// # let _ = (price, size);
/// ```
#[derive(Clone, PartialEq)]
#[must_use = "a column does nothing until a DataFrame uses it"]
pub struct Column {
    pub(crate) expr: Expr,
    /// Why it cannot be used (a name that is none, SQL that does not parse): told where it is used.
    pub(crate) error: Option<Box<Error>>,
}

impl Column {
    /// An expression that this crate builds for itself.
    pub(crate) fn new(kind: ExprKind) -> Column {
        Column { expr: Expr::made(kind), error: None }
    }

    /// What a call of `name` in the program builds.
    #[track_caller]
    pub(crate) fn built(name: &'static str, kind: ExprKind) -> Column {
        Column { expr: Expr::new(kind, called(name)), error: None }
    }

    pub(crate) fn of(expr: Expr) -> Column {
        Column { expr, error: None }
    }

    pub(crate) fn failed(error: Error) -> Column {
        Column { expr: Expr::made(ExprKind::Default), error: Some(Box::new(error)) }
    }

    /// A constant of a type that only the plan knows.
    pub(crate) fn literal(value: Literal) -> Column {
        Column::new(ExprKind::Literal(value))
    }

    /// A column by its name, which may be qualified (`t.a`), reach into structs (`a.b`), be quoted (`` `a.b` ``), or be a star.
    #[track_caller]
    pub(crate) fn named(text: &str) -> Column {
        let star = match text.strip_suffix('*') {
            Some("") => Some(None),
            Some(rest) => rest.strip_suffix('.').map(Some),
            None => None,
        };
        match star {
            Some(None) => return Column::built("col", ExprKind::Star(Star::default())),
            Some(Some(qualifier)) => {
                return match attribute_name(qualifier) {
                    Ok(name) => {
                        let star = Star { qualifier: Some(name), ..Star::default() };
                        Column::built("col", ExprKind::Star(star))
                    }
                    Err(e) => Column::failed(e),
                };
            }
            None => {}
        }
        match attribute_name(text) {
            Ok(name) => {
                let span = called("col");
                Column { expr: Expr::new(ExprKind::Name(Name { span, ..name }), span), error: None }
            }
            Err(e) => Column::failed(e),
        }
    }

    /// An expression in SQL.
    pub(crate) fn parsed(text: &str) -> Column {
        let options = ParseOptions { source: SourceId::of_fragment(text), ..ParseOptions::default() };
        match vonk_sql::parse_expression(text, &options) {
            Ok(expr) => Column::of(expr),
            Err(e) => Column::failed(e.in_text(text)),
        }
    }

    /// A call of a function.
    #[track_caller]
    pub(crate) fn call(name: &'static str, args: Vec<Column>) -> Column {
        Column::call_at(Name::of(name), args, called(name))
    }

    /// A call of a function whose name may be qualified, from a place.
    pub(crate) fn call_at(name: Name, args: Vec<Column>, span: Span) -> Column {
        let mut error = None;
        let args = args.into_iter().map(|a| a.into_part(&mut error)).collect();
        let call = FunctionCall::plain(Name { span, ..name }, args);
        Column { expr: Expr::new(ExprKind::Function(Box::new(call)), span), error }
    }

    /// A CASE of one branch.
    #[track_caller]
    pub(crate) fn case(condition: Column, value: Column) -> Column {
        let mut error = None;
        let branches = vec![(condition.into_part(&mut error), value.into_part(&mut error))];
        let kind = ExprKind::Case { operand: None, branches, otherwise: None };
        Column { expr: Expr::new(kind, called("when")), error }
    }

    /// A call with DISTINCT.
    pub(crate) fn distinct(mut self) -> Column {
        if let ExprKind::Function(call) = &mut self.expr.kind {
            call.distinct = true;
        }
        self
    }

    /// The expression, its error kept for the one that it becomes a part of.
    pub(crate) fn into_part(self, error: &mut Option<Box<Error>>) -> Expr {
        if error.is_none() {
            *error = self.error;
        }
        self.expr
    }

    /// The expression, or why there is none.
    pub(crate) fn into_expr(self) -> Result<Expr> {
        match self.error {
            Some(e) => Err(*e),
            None => Ok(self.expr),
        }
    }

    #[track_caller]
    pub(super) fn wrap(self, name: &'static str, kind: impl FnOnce(Box<Expr>) -> ExprKind) -> Column {
        Column { expr: Expr::new(kind(Box::new(self.expr)), called(name)), error: self.error }
    }

    #[track_caller]
    fn with(
        self,
        name: &'static str,
        other: Column,
        kind: impl FnOnce(Box<Expr>, Box<Expr>) -> ExprKind,
    ) -> Column {
        let mut error = self.error;
        let right = other.into_part(&mut error);
        Column { expr: Expr::new(kind(Box::new(self.expr), Box::new(right)), called(name)), error }
    }

    #[track_caller]
    pub(super) fn binary(self, name: &'static str, op: BinaryOp, other: impl IntoOperand) -> Column {
        self.with(name, other.into_operand(), |left, right| ExprKind::Binary { op, left, right })
    }

    #[track_caller]
    fn like_as(self, name: &'static str, kind: LikeKind, pattern: impl IntoOperand) -> Column {
        let escape = Some('\\');
        self.with(name, pattern.into_operand(), |expr, pattern| ExprKind::Like {
            kind,
            expr,
            pattern,
            escape,
        })
    }

    #[track_caller]
    fn is(self, name: &'static str, test: IsTest, negated: bool) -> Column {
        self.wrap(name, |expr| ExprKind::Is { expr, test, negated })
    }

    /// A call of a function by the method `name`.
    #[track_caller]
    pub(super) fn function(
        self,
        name: &'static str,
        function: &'static str,
        args: impl IntoIterator<Item = Column>,
    ) -> Column {
        Column::call_at(Name::of(function), std::iter::once(self).chain(args).collect(), called(name))
    }

    /// The same under another name (Spark: `as`, `alias`).
    #[track_caller]
    pub fn alias(self, name: impl Into<String>) -> Column {
        let names = vec![name.into()];
        self.wrap("alias", |expr| ExprKind::Alias { expr, names })
    }

    /// Another name of [`alias`](Self::alias).
    #[track_caller]
    pub fn name(self, name: impl Into<String>) -> Column {
        self.alias(name)
    }

    /// What a function makes of it: `col("a").transform(scaled)`.
    pub fn transform(self, f: impl FnOnce(Column) -> Column) -> Column {
        f(self)
    }

    /// The columns that a generator makes under these names (`posexplode`, `stack`, …).
    #[track_caller]
    pub fn aliases<S: Into<String>>(self, names: impl IntoIterator<Item = S>) -> Column {
        let names = names.into_iter().map(Into::into).collect();
        self.wrap("aliases", |expr| ExprKind::Alias { expr, names })
    }

    /// `a = b`, null if one is null (Spark: `===`, `equalTo`).
    #[track_caller]
    pub fn eq(self, other: impl IntoOperand) -> Column {
        self.binary("eq", BinaryOp::Eq, other)
    }

    /// `a <> b` (Spark: `=!=`, `notEqual`).
    #[track_caller]
    pub fn neq(self, other: impl IntoOperand) -> Column {
        self.binary("neq", BinaryOp::Eq, other).wrap("neq", ExprKind::Not)
    }

    /// `a <=> b`: nulls are equal, and the result is never null.
    #[track_caller]
    pub fn eq_null_safe(self, other: impl IntoOperand) -> Column {
        self.binary("eq_null_safe", BinaryOp::NullSafeEq, other)
    }

    /// `a > b`
    #[track_caller]
    pub fn gt(self, other: impl IntoOperand) -> Column {
        self.binary("gt", BinaryOp::Gt, other)
    }

    /// `a >= b`
    #[track_caller]
    pub fn geq(self, other: impl IntoOperand) -> Column {
        self.binary("geq", BinaryOp::GtEq, other)
    }

    /// `a < b`
    #[track_caller]
    pub fn lt(self, other: impl IntoOperand) -> Column {
        self.binary("lt", BinaryOp::Lt, other)
    }

    /// `a <= b`
    #[track_caller]
    pub fn leq(self, other: impl IntoOperand) -> Column {
        self.binary("leq", BinaryOp::LtEq, other)
    }

    /// `a AND b`; the operator `&` is the same.
    #[track_caller]
    pub fn and(self, other: impl IntoOperand) -> Column {
        self.binary("and", BinaryOp::And, other)
    }

    /// `a OR b`; the operator `|` is the same.
    #[track_caller]
    pub fn or(self, other: impl IntoOperand) -> Column {
        self.binary("or", BinaryOp::Or, other)
    }

    /// `a >= low AND a <= high`
    #[track_caller]
    pub fn between(self, low: impl IntoOperand, high: impl IntoOperand) -> Column {
        let low = self.clone().binary("between", BinaryOp::GtEq, low);
        low.binary("between", BinaryOp::And, self.binary("between", BinaryOp::LtEq, high))
    }

    /// `a IN (…)`. Of nothing it is false.
    #[track_caller]
    pub fn isin<T: IntoOperand>(self, list: impl IntoIterator<Item = T>) -> Column {
        let mut error = self.error;
        let mut parts = Vec::new();
        for x in list {
            parts.push(x.into_operand().into_part(&mut error));
        }
        let kind = ExprKind::InList { expr: Box::new(self.expr), list: parts };
        Column { expr: Expr::new(kind, called("isin")), error }
    }

    /// `a IS NULL`
    #[track_caller]
    pub fn is_null(self) -> Column {
        self.is("is_null", IsTest::Null, false)
    }

    /// `a IS NOT NULL`
    #[track_caller]
    pub fn is_not_null(self) -> Column {
        self.is("is_not_null", IsTest::Null, true)
    }

    /// Whether it is NaN.
    #[track_caller]
    pub fn is_nan(self) -> Column {
        self.function("is_nan", "isnan", [])
    }

    /// `a LIKE pattern`
    #[track_caller]
    pub fn like(self, pattern: impl IntoOperand) -> Column {
        self.like_as("like", LikeKind::Like, pattern)
    }

    /// `a ILIKE pattern`
    #[track_caller]
    pub fn ilike(self, pattern: impl IntoOperand) -> Column {
        self.like_as("ilike", LikeKind::ILike, pattern)
    }

    /// `a RLIKE pattern`: whether a regular expression is found.
    #[track_caller]
    pub fn rlike(self, pattern: impl IntoOperand) -> Column {
        self.like_as("rlike", LikeKind::RLike, pattern)
    }

    /// Whether it begins with a text.
    #[track_caller]
    pub fn starts_with(self, prefix: impl IntoOperand) -> Column {
        self.function("starts_with", "startswith", [prefix.into_operand()])
    }

    /// Whether it ends with a text.
    #[track_caller]
    pub fn ends_with(self, suffix: impl IntoOperand) -> Column {
        self.function("ends_with", "endswith", [suffix.into_operand()])
    }

    /// Whether it contains a text.
    #[track_caller]
    pub fn contains(self, part: impl IntoOperand) -> Column {
        self.function("contains", "contains", [part.into_operand()])
    }

    /// So many characters (or bytes) from a position, which counts from 1.
    #[track_caller]
    pub fn substr(self, start: impl IntoOperand, length: impl IntoOperand) -> Column {
        self.function("substr", "substr", [start.into_operand(), length.into_operand()])
    }

    /// `CAST(a AS type)`: an error where a value does not fit (ANSI), else null.
    ///
    /// ```
    /// # use vonk::functions::col;
    /// # use vonk::DataType;
    /// let a = col("a").cast("decimal(10, 2)");
    /// let b = col("b").cast(DataType::Long);
    /// # let _ = (a, b);
    /// ```
    #[track_caller]
    pub fn cast(self, to: impl IntoType) -> Column {
        self.cast_as("cast", to, false)
    }

    /// `TRY_CAST(a AS type)`: null where a value does not fit.
    #[track_caller]
    pub fn try_cast(self, to: impl IntoType) -> Column {
        self.cast_as("try_cast", to, true)
    }

    #[track_caller]
    fn cast_as(self, name: &'static str, to: impl IntoType, try_cast: bool) -> Column {
        match to.into_type() {
            Ok(data_type) => {
                let data_type = TypeRef { span: called(name), ..data_type };
                self.wrap(name, |expr| ExprKind::Cast { expr, data_type, try_cast })
            }
            Err(e) => Column::failed(e),
        }
    }

    /// An element of an array (from 0), the value of a map's key, or a field of a struct.
    #[track_caller]
    pub fn get_item(self, key: impl IntoOperand) -> Column {
        self.with("get_item", key.into_operand(), |expr, index| ExprKind::Subscript { expr, index })
    }

    /// A field of a struct.
    #[track_caller]
    pub fn get_field(self, field: impl Into<String>) -> Column {
        let field = field.into();
        self.wrap("get_field", |expr| ExprKind::Field { expr, field })
    }

    /// The struct with a field put in: in the place of those of its name, else at the end. The name may reach into structs: `a.b`.
    ///
    /// ```
    /// use vonk::functions::{col, lit};
    /// # let session = vonk::Session::builder().config("spark.master", "local[1]").build()?;
    /// let df = session.sql("SELECT named_struct('a', 1, 'b', 2) AS s")?;
    /// let new = df.select(col("s").with_field("b", lit("x")).with_field("c", col("s.a") + 1).alias("s"))?;
    /// assert_eq!(new.schema().catalog_string(), "struct<s:struct<a:int,b:string,c:int>>");
    /// assert_eq!(new.select(col("s").drop_fields(["a", "b"]).alias("s"))?.columns(), ["s"]);
    /// # Ok::<(), vonk::Error>(())
    /// ```
    #[track_caller]
    pub fn with_field(self, field: &str, value: impl IntoOperand) -> Column {
        let value = value.into_operand();
        self.updated(field, Some(value), called("with_field"))
    }

    /// The struct without these fields. A name may reach into structs: `a.b`.
    #[track_caller]
    pub fn drop_fields<'a>(self, fields: impl IntoIterator<Item = &'a str>) -> Column {
        let place = called("drop_fields");
        fields.into_iter().fold(self, |column, field| column.updated(field, None, place))
    }

    /// `None` leaves the field out.
    fn updated(mut self, field: &str, value: Option<Column>, span: Span) -> Column {
        let parts = match attribute_name(field) {
            Ok(name) => name.parts,
            Err(e) => return Column::failed(e),
        };
        let value = value.map(|v| v.into_part(&mut self.error));
        Column { expr: updated(self.expr, &parts, value, span), error: self.error }
    }

    /// `a & b` of integers.
    #[track_caller]
    pub fn bitwise_and(self, other: impl IntoOperand) -> Column {
        self.binary("bitwise_and", BinaryOp::BitAnd, other)
    }

    /// `a | b` of integers.
    #[track_caller]
    pub fn bitwise_or(self, other: impl IntoOperand) -> Column {
        self.binary("bitwise_or", BinaryOp::BitOr, other)
    }

    /// `a ^ b` of integers.
    #[track_caller]
    pub fn bitwise_xor(self, other: impl IntoOperand) -> Column {
        self.binary("bitwise_xor", BinaryOp::BitXor, other)
    }

    /// `~a` of an integer.
    #[track_caller]
    pub fn bitwise_not(self) -> Column {
        self.wrap("bitwise_not", |expr| ExprKind::Unary { op: UnaryOp::BitNot, expr })
    }

    /// A further branch of [`when`](crate::functions::when).
    #[track_caller]
    pub fn when(self, condition: Column, value: impl IntoOperand) -> Column {
        let mut error = self.error;
        let condition = condition.into_part(&mut error);
        let value = value.into_operand().into_part(&mut error);
        match self.expr.kind {
            ExprKind::Case { operand: None, mut branches, otherwise: None } => {
                branches.push((condition, value));
                let kind = ExprKind::Case { operand: None, branches, otherwise: None };
                Column { expr: Expr::new(kind, called("when")), error }
            }
            _ => Column::failed(misuse(
                "when() can only be applied on a Column previously generated by when()",
            )),
        }
    }

    /// What [`when`](crate::functions::when) is where no branch holds.
    #[track_caller]
    pub fn otherwise(self, value: impl IntoOperand) -> Column {
        let mut error = self.error;
        let value = value.into_operand().into_part(&mut error);
        match self.expr.kind {
            ExprKind::Case { operand: None, branches, otherwise: None } => {
                let kind = ExprKind::Case { operand: None, branches, otherwise: Some(Box::new(value)) };
                Column { expr: Expr::new(kind, called("otherwise")), error }
            }
            _ => Column::failed(misuse(
                "otherwise() can only be applied on a Column previously generated by when()",
            )),
        }
    }

    /// An aggregate or window function over a window.
    #[track_caller]
    pub fn over(mut self, window: WindowSpec) -> Column {
        let window = match window.into_spec() {
            Ok(window) => window,
            Err(e) => return Column::failed(e),
        };
        match &mut self.expr.kind {
            ExprKind::Function(call) => call.over = Some(Over::Window(window)),
            _ => return Column::failed(misuse("over() can only be applied on a call of a function")),
        }
        self
    }

    /// An aggregate over those rows alone that satisfy a condition: `FILTER (WHERE …)`.
    #[track_caller]
    pub fn filter_where(mut self, condition: Column) -> Column {
        let condition = condition.into_part(&mut self.error);
        match &mut self.expr.kind {
            ExprKind::Function(call) => call.filter = Some(condition),
            _ => {
                return Column::failed(misuse(
                    "filter_where() can only be applied on a call of an aggregate",
                ));
            }
        }
        self
    }

    /// As a sort key, nulls first.
    #[track_caller]
    pub fn asc(self) -> SortColumn {
        SortColumn::new(self, false, None)
    }

    /// As a sort key from the largest value, nulls last.
    #[track_caller]
    pub fn desc(self) -> SortColumn {
        SortColumn::new(self, true, None)
    }

    /// As a sort key, nulls first.
    #[track_caller]
    pub fn asc_nulls_first(self) -> SortColumn {
        SortColumn::new(self, false, Some(true))
    }

    /// As a sort key, nulls last.
    #[track_caller]
    pub fn asc_nulls_last(self) -> SortColumn {
        SortColumn::new(self, false, Some(false))
    }

    /// As a sort key from the largest value, nulls first.
    #[track_caller]
    pub fn desc_nulls_first(self) -> SortColumn {
        SortColumn::new(self, true, Some(true))
    }

    /// As a sort key from the largest value, nulls last.
    #[track_caller]
    pub fn desc_nulls_last(self) -> SortColumn {
        SortColumn::new(self, true, Some(false))
    }
}

/// A struct with the field of these names, one within the other, changed. Changes one after the other are changes of one struct.
fn updated(of: Expr, names: &[String], value: Option<Expr>, span: Span) -> Expr {
    let Some((name, rest)) = names.split_first() else { return of };
    let value = match rest.is_empty() {
        true => value,
        false => {
            let inner = ExprKind::Field { expr: Box::new(of.clone()), field: name.clone() };
            Some(updated(Expr::new(inner, span), rest, value, span))
        }
    };
    let update = (name.clone(), value);
    match of.kind {
        ExprKind::UpdateFields { expr, mut updates } => {
            updates.push(update);
            Expr::new(ExprKind::UpdateFields { expr, updates }, span)
        }
        _ => Expr::new(ExprKind::UpdateFields { expr: Box::new(of), updates: vec![update] }, span),
    }
}

/// A use of the API that no plan can say, as Spark's `IllegalArgumentException`.
pub(crate) fn misuse(message: &str) -> Error {
    Error::new("_ILLEGAL_ARGUMENT").with("message", message)
}

impl fmt::Debug for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.error {
            Some(e) => write!(f, "Column({e})"),
            None => write!(f, "Column({:?})", self.expr),
        }
    }
}
