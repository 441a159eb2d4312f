//! `window(time, duration, slide, start)`: windows of time as a column of the input, one row for each window that a row is in.
//!
//! The calls of a SELECT are looked for before its clauses are resolved, since `window` is a name in them.

use super::Calls;
use super::group_items;
use crate::analyzer::Binder;
use crate::call::{self, CallArg};
use crate::env::Env;
use crate::expr::{Clause, Walk};
use crate::fold;
use crate::relation::Relation;
use crate::scope::{Field, Scope};
use crate::typed::{Typed, mismatch, quoted_type};
use crate::{build, coerce};
use datafusion_common::ScalarValue;
use std::sync::Arc;
use vonk_error::{Error, Result, Span};
use vonk_functions::{Form, Function, WINDOW_AT};
use vonk_plan::logical::{Column, Expr, Generate, LogicalPlan, Named};
use vonk_plan::unresolved::{self, ExprKind, FunctionCall, GroupBy, Select};
use vonk_types::{CompareOp, DataType, Literal};

/// A resolved call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TimeWindow {
    time: Expr,
    duration: i64,
    slide: i64,
    start: i64,
}

/// More windows of a row than this are taken for a mistake.
const MOST_WINDOWS: i64 = 100_000;

impl Walk<'_> {
    /// A call within a SELECT: the column that [`with_windows`] made.
    pub(crate) fn time_window(&mut self, call: &FunctionCall, span: Span) -> Result<Typed> {
        let wanted = self.time_window_of(call, span)?;
        let known = self.calls.and_then(|c| c.time_window.borrow().clone());
        match known {
            Some((w, column)) if w == wanted => Ok(Typed::new(Expr::Column(column), "window", span)),
            Some(_) => Err(Error::new("_LEGACY_ERROR_TEMP_1039")),
            None => Err(Error::unsupported("window(…) outside of GROUP BY and the select list").at(span)),
        }
    }

    fn time_window_of(&mut self, call: &FunctionCall, span: Span) -> Result<TimeWindow> {
        if let Some(vonk_functions::Function::Form(f)) = self.s().registry().get(call.name.last()) {
            f.arity.check(call.name.last(), call.args.len()).map_err(|e| e.at(span))?;
        }
        let mut args = self.arguments(&call.args)?.into_iter().map(|(t, _)| t);
        let Some(time) = args.next() else {
            return vonk_error::internal_err!("a window of nothing");
        };
        let lengths = args.map(|t| self.length(&t, span)).collect::<Result<Vec<_>>>()?;
        let duration = lengths.first().copied().unwrap_or(0);
        let slide = lengths.get(1).copied().unwrap_or(duration);
        let start = lengths.get(2).copied().unwrap_or(0);
        let sql = format!("window({}, {duration}, {slide}, {start})", time.sql);
        let time = self.time_of(time, &sql, span)?;
        for (name, value) in [("window_duration", duration), ("slide_duration", slide)] {
            if value <= 0 {
                return Err(mismatch("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", &sql, span)
                    .with("exprName", format!("`{name}`"))
                    .with("valueRange", "(0, 9223372036854775807]")
                    .with("currentValue", format!("{value}L")));
            }
        }
        let limits = [
            ("slide_duration", slide, "<=", slide <= duration, "window_duration", duration),
            (
                "abs(start_time)",
                start.saturating_abs(),
                "<",
                start.saturating_abs() < slide,
                "slide_duration",
                slide,
            ),
        ];
        for (left, value, constraint, holds, right, limit) in limits {
            if !holds {
                return Err(mismatch("DATATYPE_MISMATCH.PARAMETER_CONSTRAINT_VIOLATION", &sql, span)
                    .with("leftExprName", format!("`{left}`"))
                    .with("leftExprValue", format!("{value}L"))
                    .with("constraint", constraint)
                    .with("rightExprName", format!("`{right}`"))
                    .with("rightExprValue", format!("{limit}L")));
            }
        }
        Ok(TimeWindow { time, duration, slide, start })
    }

    /// A length in microseconds: a number, or the text of an interval without months.
    fn length(&self, t: &Typed, span: Span) -> Result<i64> {
        let no_length = || Error::new("_LEGACY_ERROR_TEMP_1207").at(span);
        if !fold::is_foldable(self.s(), &t.expr) {
            return Err(no_length());
        }
        let value = fold::fold(self.s(), &t.expr)?;
        match &value.value {
            ScalarValue::Int64(Some(n)) => Ok(*n),
            ScalarValue::Int32(Some(n)) => Ok(i64::from(*n)),
            _ => {
                let Some(text) = value.value.try_as_str().flatten() else { return Err(no_length()) };
                let unreadable = || {
                    Error::new("CANNOT_PARSE_INTERVAL").with("intervalString", format!("'{text}'")).at(span)
                };
                let (months, days, micros) =
                    vonk_types::interval::parse_calendar(text).ok_or_else(unreadable)?;
                if months != 0 {
                    return Err(Error::new("_LEGACY_ERROR_TEMP_3231").with("interval", text));
                }
                i64::from(days)
                    .checked_mul(86_400_000_000)
                    .and_then(|d| d.checked_add(micros))
                    .ok_or_else(unreadable)
            }
        }
    }

    /// The time of the first argument: a time, or that of a window.
    fn time_of(&self, t: Typed, sql: &str, span: Span) -> Result<Expr> {
        let s = self.s();
        match t.data_type() {
            DataType::Timestamp | DataType::TimestampNtz => Ok(t.expr),
            DataType::Date | DataType::String | DataType::Null => {
                Ok(coerce::operand_cast(s, t, &DataType::Timestamp, span).expr)
            }
            DataType::Struct(_) => Ok(scalar(self.b, "window_time", vec![t], span)?.expr),
            other => Err(mismatch("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", sql, span)
                .with("paramIndex", "first")
                .with("inputSql", t.quoted())
                .with("inputType", quoted_type(&other))
                .with("requiredType", "(\"(TIMESTAMP OR TIMESTAMP WITHOUT TIME ZONE)\" or \"STRUCT<start: TIMESTAMP, end: TIMESTAMP>\" or \"STRUCT<start: TIMESTAMP_NTZ, end: TIMESTAMP_NTZ>\")")),
        }
    }
}

fn scalar(b: &Binder<'_>, name: &str, args: Vec<Typed>, span: Span) -> Result<Typed> {
    let Some(Function::Scalar(f)) = b.session.registry().get(name) else {
        return vonk_error::internal_err!("no function {name}");
    };
    let args = args.into_iter().map(CallArg::Value).collect();
    call::scalar(&b.session, f, name, args, span)
}

/// The calls at the top of the items of the select list and of GROUP BY.
fn calls_of<'e>(b: &Binder<'_>, sel: &'e Select) -> Vec<(&'e FunctionCall, Span)> {
    fn call(e: &unresolved::Expr) -> Option<(&FunctionCall, Span)> {
        match &e.kind {
            ExprKind::Function(c) => Some((c, e.span)),
            ExprKind::Alias { expr, .. } | ExprKind::Field { expr, .. } => call(expr),
            _ => None,
        }
    }
    let grouped = match &sel.group_by {
        Some(GroupBy::Items(items)) => group_items::list(items).plain,
        _ => Vec::new(),
    };
    let is_window = |c: &FunctionCall| {
        c.name.parts.len() == 1
            && matches!(b.session.registry().get(c.name.last()), Some(Function::Form(f)) if f.form == Form::TimeWindow)
    };
    let mut found = Vec::new();
    for e in grouped.into_iter().chain(&sel.projection) {
        let inner = call(e).and_then(|(c, span)| match c.args.as_slice() {
            // `window_time(window(…))`
            [arg] if !is_window(c) => call(arg),
            _ => Some((c, span)),
        });
        found.extend(inner.filter(|(c, _)| is_window(c)));
    }
    found
}

/// The input of a SELECT with a column of windows, if the SELECT calls `window`.
pub(crate) fn with_windows(
    b: &Binder<'_>,
    sel: &Select,
    input: Relation,
    env: &Env<'_>,
    calls: &Calls,
) -> Result<Relation> {
    let mut window: Option<(TimeWindow, Span)> = None;
    for (call, span) in calls_of(b, sel) {
        let span = env.span(span);
        let scopes = [&input.scope];
        let w = Walk::new(b, env, &scopes, Clause::Select).time_window_of(call, span)?;
        match &window {
            Some((known, _)) if *known != w => return Err(Error::new("_LEGACY_ERROR_TEMP_1039")),
            _ => window = Some((w, span)),
        }
    }
    let Some((w, span)) = window else { return Ok(input) };
    let (column, plan) = windowed(b, &w, input.plan.clone(), span)?;
    *calls.time_window.borrow_mut() = Some((w, column.clone()));
    let shown: Vec<Column> = input.scope.columns().cloned().chain([column.clone()]).collect();
    let hidden: Vec<Column> = input.plan.output().into_iter().filter(|c| !shown.contains(c)).collect();
    let exprs = shown.iter().chain(&hidden).map(Named::pass).collect();
    let mut fields = input.scope.fields;
    fields.push(Field::plain(column));
    let scope = Scope::with_hidden(fields, input.scope.hidden);
    Ok(Relation::new(LogicalPlan::Project { exprs, input: plan }, scope))
}

/// Each row with time once for each of its windows.
fn windowed(
    b: &Binder<'_>,
    w: &TimeWindow,
    input: Arc<LogicalPlan>,
    span: Span,
) -> Result<(Column, Arc<LogicalPlan>)> {
    let time = || Typed::new(w.time.clone(), "time", span);
    let number = |n: i64| Typed::new(Expr::Literal(Literal::long(n)), "n", span);
    let count = w.duration.div_euclid(w.slide) + i64::from(w.duration % w.slide != 0);
    if count > MOST_WINDOWS {
        return Err(Error::unsupported(format!("{count} windows of a row")).at(span));
    }
    let timed = LogicalPlan::Filter { predicate: Expr::IsNotNull(Box::new(w.time.clone())), input };
    let windows = (0..count)
        .map(|n| {
            scalar(
                b,
                WINDOW_AT,
                vec![time(), number(w.duration), number(w.slide), number(w.start), number(n)],
                span,
            )
        })
        .collect::<Result<Vec<_>>>()?;
    let data_type = windows[0].data_type();
    let column = b.ids.column("window", data_type, false);
    if let [only] = windows.as_slice() {
        let mut exprs: Vec<Named<Expr>> = timed.output().iter().map(Named::pass).collect();
        exprs.push(Named { expr: only.expr.clone(), column: column.clone() });
        return Ok((column, Arc::new(LogicalPlan::Project { exprs, input: Arc::new(timed) })));
    }
    let all = scalar(b, "array", windows, span)?;
    let generated = LogicalPlan::Generate(Generate {
        function: "explode".into(),
        args: vec![all.expr],
        outer: false,
        columns: vec![column.clone()],
        input: Arc::new(timed),
    });
    let window = || Typed::new(Expr::Column(column.clone()), "window", span);
    let compare = |op, field: &str| -> Result<Expr> {
        let bound = build::field(&b.session, window(), field, span)?.expr;
        Ok(Expr::Compare { op, left: Box::new(w.time.clone()), right: Box::new(bound) })
    };
    let within = Expr::And(vec![compare(CompareOp::GtEq, "start")?, compare(CompareOp::Lt, "end")?]);
    Ok((column, Arc::new(LogicalPlan::Filter { predicate: within, input: Arc::new(generated) })))
}
