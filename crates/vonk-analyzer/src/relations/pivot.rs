//! PIVOT: values of columns become columns.
//!
//! Two aggregates, as in Spark: the first groups by the other columns and the pivot columns; the second turns each group's
//! values into columns, so that a combination without rows gives null (and not, say, a count of 0).

use crate::analyzer::Binder;
use crate::build;
use crate::call::{self, AggregateExtras};
use crate::coerce;
use crate::env::Env;
use crate::expr::{Clause, Walk};
use crate::fold;
use crate::relation::Relation;
use crate::scope::{Field, Scope};
use crate::select::{Calls, generated_name};
use crate::typed::{Typed, quoted_type};
use std::collections::HashSet;
use std::sync::Arc;
use vonk_error::{Error, Result, Span};
use vonk_functions::Function;
use vonk_plan::ColumnId;
use vonk_plan::logical::{AggregateExpr, Column, Expr, LogicalPlan, Named};
use vonk_plan::unresolved::{self, ExprKind, Pivot};
use vonk_types::{CompareOp, DataType, Literal};

/// The aggregate that picks the one value of a group.
const PICK: &str = "first";

pub(crate) fn pivot(b: &Binder<'_>, p: &Pivot, env: &Env<'_>) -> Result<Relation> {
    let input = b.relation(&p.input, env)?.exact();
    let span = env.span(p.span);
    let scopes = [&input.scope];
    let calls = Calls::default();
    let aggregates = aggregates(b, p, &scopes, &calls, env)?;
    let keys = Walk::new(b, env, &scopes, Clause::Other("Pivot")).exprs(&p.columns)?;
    let values = p.values.iter().map(|v| Value::of(b, v, &keys, &scopes, env)).collect::<Result<Vec<_>>>()?;
    let calls = calls.aggregates.take().list;
    let (kept, groups) = match &p.groups {
        None => (kept_fields(&input, &calls, &keys), None),
        Some(groups) => {
            let groups = grouped(b, groups, &scopes, env)?;
            (groups.iter().map(|g| Field::plain(g.column.clone())).collect(), Some(groups))
        }
    };

    // Groups of the other columns and the pivot columns.
    let keys: Vec<Named<Expr>> = keys
        .into_iter()
        .map(|t| match &t.expr {
            Expr::Column(c) => Named::pass(c),
            e => Named { expr: e.clone(), column: b.ids.column(t.sql.as_str(), t.data_type(), t.nullable()) },
        })
        .collect();
    let groups = groups.unwrap_or_else(|| kept.iter().map(|f| Named::pass(&f.column)).collect());
    let groups = groups.into_iter().chain(keys.iter().cloned()).collect();
    let first = LogicalPlan::Aggregate {
        groups,
        aggregates: calls.into_iter().map(|(expr, column)| Named { expr, column }).collect(),
        input: input.plan.clone(),
    };
    let key_columns: Vec<Column> = keys.into_iter().map(|k| k.column).collect();
    let (plan, results) = computed(b, first, &kept, &key_columns, &aggregates);

    // One column per value and aggregate.
    let mut fields = kept.clone();
    let mut picked = Vec::with_capacity(values.len() * results.len());
    for v in &values {
        for ((_, name), column) in aggregates.iter().zip(&results) {
            let name = if aggregates.len() == 1 { v.name.clone() } else { format!("{}_{name}", v.name) };
            let expr = pick(b, column, v.matches(&key_columns), span)?;
            let out = b.ids.column(name, column.data_type.clone(), true);
            fields.push(Field::plain(out.clone()));
            picked.push(Named { expr, column: out });
        }
    }
    let groups = kept.iter().map(|f| Named::pass(&f.column)).collect();
    Ok(Relation::new(LogicalPlan::Aggregate { groups, aggregates: picked, input: plan }, Scope::new(fields)))
}

/// The aggregates with their names.
fn aggregates(
    b: &Binder<'_>,
    p: &Pivot,
    scopes: &[&Scope],
    calls: &Calls,
    env: &Env<'_>,
) -> Result<Vec<(Typed, String)>> {
    let mut out = Vec::with_capacity(p.aggregates.len());
    for e in &p.aggregates {
        let (inner, alias) = unaliased(e);
        let t = Walk::new(b, env, scopes, Clause::Other("Pivot")).collecting(calls).expr(inner)?;
        let any = t.expr.any(&|e| matches!(e, Expr::Column(c) if calls.aggregates.borrow().has(c)));
        if !any {
            let mut walk = Walk::new(b, env, scopes, Clause::Other("Pivot"));
            walk.qualified = true;
            return Err(Error::new("_LEGACY_ERROR_TEMP_1006").with("sql", walk.expr(inner)?.sql));
        }
        let name = alias.unwrap_or_else(|| generated_name(inner, &t));
        out.push((t, name));
    }
    Ok(out)
}

fn unaliased(e: &unresolved::Expr) -> (&unresolved::Expr, Option<String>) {
    match &e.kind {
        ExprKind::Alias { expr, names } => (expr, names.first().cloned()),
        _ => (e, None),
    }
}

/// The groups that are asked for.
fn grouped(
    b: &Binder<'_>,
    groups: &[unresolved::Expr],
    scopes: &[&Scope],
    env: &Env<'_>,
) -> Result<Vec<Named<Expr>>> {
    let group = |e: &unresolved::Expr| {
        let (inner, alias) = unaliased(e);
        let t = Walk::new(b, env, scopes, Clause::GroupBy).expr(inner)?;
        Ok(match (&t.expr, alias) {
            (Expr::Column(c), None) => Named::pass(c),
            (_, alias) => {
                let name = alias.unwrap_or_else(|| generated_name(inner, &t));
                Named { column: b.ids.column(name, t.data_type(), t.nullable()), expr: t.expr }
            }
        })
    };
    groups.iter().map(group).collect()
}

/// Columns that neither an aggregate nor the pivot reads.
fn kept_fields(input: &Relation, calls: &[(AggregateExpr, Column)], keys: &[Typed]) -> Vec<Field> {
    let mut read: HashSet<ColumnId> = HashSet::new();
    calls.iter().flat_map(|(c, _)| c.exprs()).for_each(|e| e.collect_columns(&mut read));
    keys.iter().for_each(|k| k.expr.collect_columns(&mut read));
    input.scope.fields.iter().filter(|f| !read.contains(&f.column.id)).cloned().collect()
}

/// Expressions over aggregates (`sum(x) + 1`) get a projection.
fn computed(
    b: &Binder<'_>,
    plan: LogicalPlan,
    kept: &[Field],
    keys: &[Column],
    aggregates: &[(Typed, String)],
) -> (Arc<LogicalPlan>, Vec<Column>) {
    let plain: Option<Vec<Column>> = aggregates
        .iter()
        .map(|(t, _)| match &t.expr {
            Expr::Column(c) => Some(c.clone()),
            _ => None,
        })
        .collect();
    if let Some(columns) = plain {
        return (Arc::new(plan), columns);
    }
    let mut exprs: Vec<Named<Expr>> =
        kept.iter().map(|f| Named::pass(&f.column)).chain(keys.iter().map(Named::pass)).collect();
    let mut columns = Vec::with_capacity(aggregates.len());
    for (t, name) in aggregates {
        let column = b.ids.column(name.as_str(), t.data_type(), true);
        exprs.push(Named { expr: t.expr.clone(), column: column.clone() });
        columns.push(column);
    }
    (Arc::new(LogicalPlan::Project { exprs, input: Arc::new(plan) }), columns)
}

fn pick(b: &Binder<'_>, column: &Column, filter: Expr, span: Span) -> Result<AggregateExpr> {
    let Some(Function::Aggregate(f)) = b.session.registry().get(PICK) else {
        return vonk_error::internal_err!("no aggregate function {PICK}");
    };
    let filter = Some(Typed::new(filter, "", span));
    let extras = AggregateExtras { filter, ..AggregateExtras::default() };
    let call = call::aggregate(&b.session, f, PICK, vec![Typed::column(column, span)], extras, span)?;
    Ok(call.expr)
}

/// A value of the IN list: one constant per pivot column, and its name.
struct Value {
    literals: Vec<Literal>,
    name: String,
}

impl Value {
    fn of(
        b: &Binder<'_>,
        e: &unresolved::Expr,
        keys: &[Typed],
        scopes: &[&Scope],
        env: &Env<'_>,
    ) -> Result<Value> {
        let (inner, alias) = unaliased(e);
        let parts = match &inner.kind {
            ExprKind::Row(parts) if keys.len() > 1 => parts.as_slice(),
            _ => std::slice::from_ref(inner),
        };
        let typed = Walk::new(b, env, scopes, Clause::Other("Pivot")).exprs(parts)?;
        if let Some(t) = typed.iter().find(|t| !fold::is_foldable(&b.session, &t.expr)) {
            return Err(Error::new("NON_LITERAL_PIVOT_VALUES").with("expression", t.quoted()));
        }
        if typed.len() != keys.len() {
            let list =
                |ts: &[Typed]| ts.iter().map(|t| quoted_type(&t.data_type())).collect::<Vec<_>>().join(", ");
            return Err(Error::new("PIVOT_VALUE_DATA_TYPE_MISMATCH")
                .with("value", inner_text(&typed))
                .with("valueType", list(&typed))
                .with("pivotType", list(keys)));
        }
        let s = &b.session;
        let mut literals = Vec::with_capacity(typed.len());
        let mut texts = Vec::with_capacity(typed.len());
        for (t, key) in typed.into_iter().zip(keys) {
            let span = t.span;
            let text = build::cast_to(s, t.clone(), &DataType::String, false, span)?;
            texts.push(match fold::fold(s, &text.expr)?.value {
                datafusion_common::ScalarValue::Utf8View(Some(text)) => text,
                _ => "null".to_string(),
            });
            let value = coerce::implicit_cast(s, t, &key.data_type());
            literals.push(fold::fold(s, &value.expr)?);
        }
        let name = alias.unwrap_or_else(|| match texts.as_slice() {
            [one] => one.clone(),
            many => format!("{{{}}}", many.join(", ")),
        });
        Ok(Value { literals, name })
    }

    fn matches(&self, keys: &[Column]) -> Expr {
        let equal = keys.iter().zip(&self.literals).map(|(c, l)| Expr::Compare {
            op: CompareOp::EqNullSafe,
            left: Box::new(Expr::column(c)),
            right: Box::new(Expr::Literal(l.clone())),
        });
        Expr::and_all(equal.collect()).unwrap_or_else(|| Expr::boolean(true))
    }
}

fn inner_text(typed: &[Typed]) -> String {
    typed.iter().map(|t| t.sql.clone()).collect::<Vec<_>>().join(", ")
}
