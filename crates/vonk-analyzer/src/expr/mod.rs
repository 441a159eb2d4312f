//! The walk over unresolved expressions.
//!
//! It finds what names stand for, tells functions by kind, resolves subqueries, and gives every part to the builders
//! (`crate::build`, `crate::call`) that type it. A call of an aggregate, a window function or a generator is no expression: it is
//! collected in [`Calls`](crate::select::Calls) for the SELECT around it, and a column takes its place.

mod functions;
mod generators;
mod lambda;
mod names;
mod stars;
mod subqueries;
mod windows;

use crate::analyzer::{Binder, RED_ZONE, STACK};
use crate::build;
use crate::env::Env;
use crate::scope::Scope;
use crate::select::{Aliases, Calls, Windows};
use crate::session::Session;
use crate::typed::Typed;
use std::cell::RefCell;
use std::collections::HashMap;
use vonk_error::{Error, Result, Span, check_cancelled};
use vonk_plan::logical::{Column, ColumnId, SortExpr};
use vonk_plan::unresolved::{self, ExprKind, Name, SortKey};
use vonk_types::{DataType, Literal};

pub(crate) use functions::{called_as, search_path};
pub(crate) use generators::alias_mismatch;
pub(crate) use stars::Item;

/// Where an expression stands: decides what it may contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clause {
    /// The select list.
    Select,
    /// WHERE.
    Where,
    /// GROUP BY.
    GroupBy,
    /// HAVING.
    Having,
    /// QUALIFY.
    Qualify,
    /// ORDER BY, SORT BY, DISTRIBUTE BY.
    Sort,
    /// A join's condition.
    Join,
    /// Rows of VALUES.
    Values,
    /// LIMIT, OFFSET.
    Limit,
    /// Arguments of a table function or of LATERAL VIEW.
    Generate,
    /// A value that depends on nothing.
    Constant,
    /// Anything else, named as Spark's plan node.
    Other(&'static str),
}

impl Clause {
    /// Spark's name of the plan node.
    pub fn operator(self) -> &'static str {
        match self {
            Clause::Select => "Project",
            Clause::Where | Clause::Having | Clause::Qualify => "Filter",
            Clause::GroupBy => "Aggregate",
            Clause::Sort => "Sort",
            Clause::Join => "Join",
            Clause::Values => "VALUES",
            Clause::Limit => "Limit",
            Clause::Generate => "Generate",
            Clause::Constant => "OneRowRelation",
            Clause::Other(name) => name,
        }
    }
}

/// What kind of call the walk is inside of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Inside {
    /// None.
    #[default]
    Nothing,
    /// Arguments of an aggregate.
    Aggregate,
    /// A window call: arguments, partitioning, order.
    Window,
    /// Arguments of a generator.
    Generator,
}

/// The walk, over one expression or several of one clause.
pub(crate) struct Walk<'w> {
    /// The analysis.
    pub b: &'w Binder<'w>,
    /// Surroundings.
    pub env: &'w Env<'w>,
    /// Where names are looked up, in order; in arguments of aggregates in reverse order.
    pub scopes: &'w [&'w Scope],
    /// Where it stands.
    pub clause: Clause,
    /// Takes aggregates, window calls and generators, where they are allowed.
    pub calls: Option<&'w Calls>,
    /// Aliases defined to the left in the select list.
    pub aliases: Option<&'w Aliases>,
    /// Named windows.
    pub windows: Option<&'w Windows<'w>>,
    /// Columns of the last scope that were named outside of aggregates, with the name (only where there are several scopes).
    pub named: HashMap<ColumnId, Name>,
    /// Texts of columns carry their qualifiers, as some of Spark's messages want it.
    pub qualified: bool,
    /// Subqueries of the select list, which GROUP BY may repeat.
    pub known_subqueries: Option<&'w RefCell<Vec<(unresolved::Expr, Typed)>>>,
    lambdas: Vec<(String, Column)>,
    inside: Inside,
    /// The text of a generator met within an expression.
    nested: Option<String>,
    /// A lateral alias met within a call that cannot take one.
    lateral: Option<String>,
}

impl<'w> Walk<'w> {
    /// A walk that allows nothing special.
    pub fn new(b: &'w Binder<'w>, env: &'w Env<'w>, scopes: &'w [&'w Scope], clause: Clause) -> Self {
        Walk {
            b,
            env,
            scopes,
            clause,
            calls: None,
            aliases: None,
            windows: None,
            named: HashMap::new(),
            qualified: false,
            known_subqueries: None,
            lambdas: Vec::new(),
            inside: Inside::Nothing,
            nested: None,
            lateral: None,
        }
    }

    /// With a place for aggregates, window calls and generators.
    pub fn collecting(mut self, calls: &'w Calls) -> Self {
        self.calls = Some(calls);
        self
    }

    /// The session.
    pub fn s(&self) -> &'w Session<'w> {
        &self.b.session
    }

    fn at(&self, span: Span) -> Span {
        self.env.span(span)
    }

    /// Resolves an expression.
    pub fn expr(&mut self, e: &unresolved::Expr) -> Result<Typed> {
        check_cancelled()?;
        stacker::maybe_grow(RED_ZONE, STACK, || self.kind(e))
    }

    /// Resolves several.
    pub fn exprs(&mut self, list: &[unresolved::Expr]) -> Result<Vec<Typed>> {
        list.iter().map(|e| self.expr(e)).collect()
    }

    fn kind(&mut self, e: &unresolved::Expr) -> Result<Typed> {
        let s = self.s();
        let span = self.at(e.span);
        match &e.kind {
            ExprKind::Name(n) => self.name(n, span),
            ExprKind::Column(c) => self.column_ref(c, span),
            ExprKind::Star(_) => Err(star_misuse(self.clause.operator(), span)),
            ExprKind::Literal(l) => build::literal(s, l, span),
            ExprKind::TypedLiteral { type_name, text } => build::typed_literal(s, type_name, text, span),
            ExprKind::Unary { op, expr } => {
                let operand = self.part(e, expr)?;
                build::unary(s, *op, operand, span)
            }
            ExprKind::Binary { .. } => self.binary(e),
            ExprKind::Not(inner) => {
                let operand = self.part(e, inner)?;
                build::not(s, operand, span)
            }
            ExprKind::Is { expr, test, negated } => {
                let operand = self.part(e, expr)?;
                build::is_test(s, operand, *test, *negated, span)
            }
            ExprKind::IsDistinctFrom { left, right, negated } => {
                let (left, right) = (self.part(e, left)?, self.part(e, right)?);
                build::distinct_from(s, left, right, *negated, span)
            }
            ExprKind::Between { expr, low, high } => {
                let (x, low, high) = (self.part(e, expr)?, self.part(e, low)?, self.part(e, high)?);
                build::between(s, x, low, high, span)
            }
            ExprKind::InList { expr, list } => {
                let tested = self.part(e, expr)?;
                let list = self.arguments(list)?.into_iter().map(|(t, _)| t).collect();
                build::in_list(s, tested, list, span)
            }
            ExprKind::InSubquery { .. } | ExprKind::Exists(_) | ExprKind::ScalarSubquery(_) => {
                self.subquery_expr(e, span)
            }
            ExprKind::Like { kind, expr, pattern, escape } => {
                let (x, pattern) = (self.part(e, expr)?, self.part(e, pattern)?);
                build::like(s, *kind, x, pattern, *escape, span)
            }
            ExprKind::LikeQuantified { kind, all, negated, expr, patterns } => {
                let x = self.part(e, expr)?;
                let patterns = self.exprs(patterns)?;
                build::like_quantified(s, *kind, *all, *negated, x, patterns, span)
            }
            ExprKind::Case { operand, branches, otherwise } => {
                self.case(operand.as_deref(), branches, otherwise.as_deref(), span)
            }
            ExprKind::Cast { expr, data_type, try_cast } => {
                let operand = self.part(e, expr)?;
                build::cast(s, operand, data_type, *try_cast, span)
            }
            ExprKind::Function(call) => self.function(call, span),
            ExprKind::Lambda { .. } => {
                Err(Error::new("INVALID_LAMBDA_FUNCTION_CALL.NON_HIGHER_ORDER_FUNCTION")
                    .with("class", "unknown")
                    .at(span))
            }
            ExprKind::Subscript { expr, index } => {
                let (x, index) = (self.part(e, expr)?, self.part(e, index)?);
                build::subscript(s, x, index, span)
            }
            ExprKind::Field { expr, field } => {
                let x = self.part(e, expr)?;
                build::field(s, x, field, span)
            }
            ExprKind::UpdateFields { expr, updates } => {
                let x = self.part(e, expr)?;
                let typed = |(name, value): &(String, Option<unresolved::Expr>)| {
                    Ok((name.clone(), value.as_ref().map(|v| self.part(e, v)).transpose()?))
                };
                let updates = updates.iter().map(typed).collect::<Result<_>>()?;
                build::update_fields(s, x, updates, span)
            }
            ExprKind::Row(parts) => {
                let parts = self.arguments(parts)?;
                build::row(s, parts, span)
            }
            ExprKind::Parameter(p) => self.parameter(p, span),
            // An alias within an expression means nothing, except for calls that name fields by it.
            ExprKind::Alias { expr, .. } => self.expr(expr),
            ExprKind::Collate { expr, collation } => self.collate(expr, collation, span),
            ExprKind::NamedArgument { name, .. } => Err(Error::new("NAMED_PARAMETERS_NOT_SUPPORTED")
                .with("functionName", crate::scope::quoted_name(std::slice::from_ref(name)))
                .at(span)),
            ExprKind::Default => Err(Error::new("DEFAULT_PLACEMENT_INVALID").at(span)),
            ExprKind::TableArgument(_) => Err(Error::unsupported("a table as an argument").at(span)),
            ExprKind::IdentifierClause(text) => {
                let parts = self.identifier(text)?;
                self.name(&Name { parts, span: text.span }, span)
            }
        }
    }

    /// A part of an expression, which cannot be a star.
    fn part(&mut self, whole: &unresolved::Expr, part: &unresolved::Expr) -> Result<Typed> {
        if matches!(part.kind, ExprKind::Star(_)) {
            return Err(star_misuse(&format!("expression `{}`", node_name(&whole.kind)), Span::NONE));
        }
        self.expr(part)
    }

    /// Chains like `a + b + c + …` lean to the left: they are taken in a loop, not by recursion.
    fn binary(&mut self, e: &unresolved::Expr) -> Result<Typed> {
        let mut chain = Vec::new();
        let mut first = e;
        while let ExprKind::Binary { op, left, right } = &first.kind {
            chain.push((first, *op, right.as_ref()));
            first = left;
        }
        let mut result = match chain.last() {
            Some((whole, ..)) => self.part(whole, first)?,
            None => return self.expr(first),
        };
        while let Some((whole, op, right)) = chain.pop() {
            let right = self.part(whole, right)?;
            result = build::binary(self.s(), op, result, right, self.at(whole.span))?;
        }
        Ok(result)
    }

    fn case(
        &mut self,
        operand: Option<&unresolved::Expr>,
        branches: &[(unresolved::Expr, unresolved::Expr)],
        otherwise: Option<&unresolved::Expr>,
        span: Span,
    ) -> Result<Typed> {
        let operand = operand.map(|o| self.expr(o)).transpose()?;
        let branches =
            branches.iter().map(|(c, v)| Ok((self.expr(c)?, self.expr(v)?))).collect::<Result<Vec<_>>>()?;
        let otherwise = otherwise.map(|o| self.expr(o)).transpose()?;
        build::case(self.s(), operand, branches, otherwise, span)
    }

    fn parameter(&mut self, p: &unresolved::Parameter, span: Span) -> Result<Typed> {
        let given = self.b.analyzer.parameters;
        let (value, name) = match p {
            unresolved::Parameter::Position(i) => {
                // Spark names a marker by its place in the text.
                (given.positional.get(*i), format!("_{}", span.start))
            }
            unresolved::Parameter::Named(n) => (given.named.get(n), n.clone()),
        };
        match value {
            Some(l) => Ok(build::literal(self.s(), l, span)?.named(crate::naming::value(self.s(), l))),
            None => match &given.expected {
                Some(expected) => {
                    expected.met(p, span);
                    let mut value = Literal::null(DataType::Null);
                    if self.clause == Clause::Limit {
                        // Nothing else will do there, and a value must be there.
                        expected.wants(p, DataType::Int);
                        value = Literal::int(0);
                    }
                    build::literal(self.s(), &value, span)
                }
                None => Err(Error::new("UNBOUND_SQL_PARAMETER").with("name", name).at(span)),
            },
        }
    }

    fn collate(&mut self, expr: &unresolved::Expr, collation: &Name, span: Span) -> Result<Typed> {
        let operand = self.expr(expr)?;
        if collation.last().eq_ignore_ascii_case("UTF8_BINARY") {
            let sql = format!("collate({}, {})", operand.sql, collation.last().to_uppercase());
            return Ok(operand.named(sql));
        }
        Err(Error::unsupported(format!("the collation {collation}")).at(span))
    }

    /// The parts of the name that `IDENTIFIER(text)` stands for.
    pub fn identifier(&mut self, text: &unresolved::Expr) -> Result<Vec<String>> {
        let mut walk = Walk::new(self.b, self.env, self.scopes, Clause::Constant);
        walk.qualified = true;
        let typed = walk.expr(text)?;
        identifier_parts(self.s(), &typed)
    }
}

/// A typed key with direction and place of nulls; the text is Spark's: `a ASC NULLS FIRST`.
pub(crate) fn sort_expr(key: Typed, k: &SortKey) -> Result<(Typed, SortExpr)> {
    let nulls_first = k.nulls_first.unwrap_or(!k.descending);
    let sql = format!(
        "{} {} NULLS {}",
        key.sql,
        if k.descending { "DESC" } else { "ASC" },
        if nulls_first { "FIRST" } else { "LAST" }
    );
    let t = key.data_type();
    if !t.is_orderable() {
        return Err(crate::typed::mismatch("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", &sql, key.span)
            .with("functionName", "`sortorder`")
            .with("dataType", crate::typed::quoted_type(&t)));
    }
    let sort = SortExpr { expr: key.expr.clone(), descending: k.descending, nulls_first };
    Ok((key.named(sql), sort))
}

/// The parts of a name given as a constant string.
pub(crate) fn identifier_parts(s: &Session<'_>, typed: &Typed) -> Result<Vec<String>> {
    let not_constant = |sub: &'static str| {
        Error::new(sub).with("name", "IDENTIFIER").with("expr", typed.sql.clone()).at(typed.span)
    };
    if !crate::fold::is_foldable(s, &typed.expr) {
        return Err(not_constant("NOT_A_CONSTANT_STRING.NOT_CONSTANT"));
    }
    let value = crate::fold::fold(s, &typed.expr)?;
    match value.value {
        datafusion_common::ScalarValue::Utf8View(Some(text)) => split_name(&text).ok_or_else(|| {
            Error::new("PARSE_SYNTAX_ERROR")
                .with("error", format!("'{text}'"))
                .with("hint", "")
                .at(typed.span)
        }),
        datafusion_common::ScalarValue::Utf8View(None) => Err(not_constant("NOT_A_CONSTANT_STRING.NULL")),
        _ => Err(not_constant("NOT_A_CONSTANT_STRING.WRONG_TYPE")
            .with("dataType", value.data_type.catalog_string())),
    }
}

/// Splits `` a.`b.c` `` at its dots, quotes undone. `None` if it is no name.
pub(crate) fn split_name(text: &str) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    let mut chars = text.trim().chars().peekable();
    loop {
        let mut part = String::new();
        if chars.peek() == Some(&'`') {
            chars.next();
            loop {
                match chars.next()? {
                    '`' if chars.peek() == Some(&'`') => {
                        chars.next();
                        part.push('`');
                    }
                    '`' => break,
                    c => part.push(c),
                }
            }
        } else {
            while let Some(c) = chars.next_if(|c| c.is_alphanumeric() || *c == '_') {
                part.push(c);
            }
            if part.is_empty() {
                return None;
            }
        }
        parts.push(part);
        match chars.next() {
            None => return Some(parts),
            Some('.') => {}
            Some(_) => return None,
        }
    }
}

fn star_misuse(place: &str, span: Span) -> Error {
    Error::new("INVALID_USAGE_OF_STAR_OR_REGEX").with("elem", "'*'").with("prettyName", place).at(span)
}

/// Spark's name of an expression's class, for messages about stars.
fn node_name(kind: &ExprKind) -> &'static str {
    use unresolved::BinaryOp as Op;
    match kind {
        ExprKind::Binary { op, .. } => match op {
            Op::Plus => "add",
            Op::Minus => "subtract",
            Op::Multiply => "multiply",
            Op::Divide => "divide",
            Op::Modulo => "remainder",
            Op::IntDivide => "integraldivide",
            Op::Concat => "concat",
            Op::BitAnd => "bitwiseand",
            Op::BitOr => "bitwiseor",
            Op::BitXor => "bitwisexor",
            Op::ShiftLeft => "shiftleft",
            Op::ShiftRight => "shiftright",
            Op::ShiftRightUnsigned => "shiftrightunsigned",
            Op::Eq | Op::NotEq => "equalto",
            Op::NullSafeEq => "equalnullsafe",
            Op::Lt => "lessthan",
            Op::LtEq => "lessthanorequal",
            Op::Gt => "greaterthan",
            Op::GtEq => "greaterthanorequal",
            Op::And => "and",
            Op::Or => "or",
        },
        ExprKind::Unary { .. } => "unaryminus",
        ExprKind::Not(_) => "not",
        ExprKind::Is { negated: false, .. } => "isnull",
        ExprKind::Is { .. } => "isnotnull",
        ExprKind::Cast { .. } => "cast",
        ExprKind::Between { .. } => "between",
        ExprKind::InList { .. } => "in",
        ExprKind::Like { .. } => "like",
        ExprKind::Case { .. } => "casewhen",
        _ => "expression",
    }
}
