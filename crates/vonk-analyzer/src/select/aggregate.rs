//! The Aggregate of a SELECT, and what its expressions become above it.

use super::calls::{GeneratorCall, GroupingCall, WindowCall};
use super::grouping::Groups;
use super::{Context, Output};
use crate::scope;
use crate::typed::{Typed, quoted};
use std::collections::{HashMap, HashSet};
use std::mem::{Discriminant, discriminant};
use std::sync::Arc;
use vonk_error::{Error, Result, Span};
use vonk_plan::ColumnId;
use vonk_plan::logical::{Column, ColumnIds, Expr, LogicalPlan, Named, Subquery, SubqueryKind};
use vonk_plan::unresolved::Name;
use vonk_types::{DataType, Literal};

/// The Aggregate and how to speak about its input above it.
pub(crate) struct Grouped {
    /// The plan: an Aggregate.
    pub plan: Arc<LogicalPlan>,
    /// Grouping expressions and their columns.
    groups: HashMap<Expr, Column>,
    /// Kinds of the grouping expressions, so that others need not be hashed.
    kinds: HashSet<Discriminant<Expr>>,
    /// Columns that exist above the aggregate or are made there.
    known: HashSet<ColumnId>,
    /// Columns of the input.
    local: HashSet<ColumnId>,
    /// There is no GROUP BY.
    global: bool,
    span: Span,
}

impl Grouped {
    /// Puts the Aggregate (and an Expand below it for grouping sets) over the input.
    pub fn build(
        cx: &Context<'_>,
        groups: Groups,
        input: Arc<LogicalPlan>,
        outputs: &[Output],
        windows: &[WindowCall],
        generators: &[GeneratorCall],
    ) -> Result<Grouped> {
        let local: HashSet<ColumnId> =
            cx.base.fields.iter().chain(&cx.base.hidden).map(|f| f.column.id).collect();
        let mut known: HashSet<ColumnId> = HashSet::new();
        let made = outputs.iter().map(|o| o.field.column.id);
        let made = made.chain(windows.iter().map(|w| w.column.id));
        let made = made.chain(generators.iter().flat_map(|g| g.columns.iter().map(|c| c.id)));
        known.extend(made.filter(|id| !local.contains(id)));
        let global = groups.exprs.is_empty() && groups.sets.is_none();
        let calls = cx.calls.grouping.take();
        let Keys { plan, keys, by_expr } = match groups.sets {
            None => {
                if let Some(g) = calls.first() {
                    return Err(Error::new("UNSUPPORTED_GROUPING_EXPRESSION").at(g.span));
                }
                plain_keys(cx.b.ids, groups.exprs, input)
            }
            Some(sets) => expanded_keys(cx.b.ids, groups.exprs, &sets, &calls, input)?,
        };
        known.extend(keys.iter().map(|k| k.column.id).filter(|id| !local.contains(id)));
        let aggregates: Vec<Named<_>> = cx
            .calls
            .aggregates
            .take()
            .list
            .into_iter()
            .map(|(expr, column)| Named { expr, column })
            .collect();
        let reads = aggregates.iter().flat_map(|a| a.expr.exprs());
        if let Some(c) = reads.filter_map(|e| above(e, &known)).next() {
            return Err(missing_attribute(c, &plan.output()));
        }
        known.extend(aggregates.iter().map(|a| a.column.id));
        let kinds = by_expr.keys().map(discriminant).collect();
        let plan = Arc::new(LogicalPlan::Aggregate { groups: keys, aggregates, input: plan });
        Ok(Grouped { plan, groups: by_expr, kinds, known, local, global, span: cx.env.span(cx.sel.span) })
    }

    /// An expression over the input as one over the aggregate's output. Correlated scalar subqueries must be grouping
    /// expressions themselves.
    pub fn rewrite(&self, e: Expr, span: Span) -> Result<Expr> {
        self.walk(e, true).map_err(|m| self.error(m, span))
    }

    /// The same for HAVING and ORDER BY, where a column that is not grouped by was never in sight: its error is that of an
    /// unknown name.
    pub fn rewrite_hidden(
        &self,
        e: Expr,
        named: &HashMap<ColumnId, Name>,
        shown: &scope::Scope,
        span: Span,
    ) -> Result<Expr> {
        self.walk(e, false).map_err(|m| match &m {
            Missing::Column(c) => match named.get(&c.id) {
                Some(name) => scope::unresolved(&[shown], name),
                None => self.error(m, span),
            },
            _ => self.error(m, span),
        })
    }

    /// A window call over the aggregate's output.
    pub fn rewrite_window(&self, w: &mut WindowCall) -> Result<()> {
        let span = Span::NONE;
        w.expr = w.expr.clone().map_exprs(&mut |e| self.rewrite(e, span))?;
        for e in w.partition_by.iter_mut().chain(w.order_by.iter_mut().map(|k| &mut k.expr)) {
            *e = self.rewrite(std::mem::replace(e, Expr::boolean(true)), span)?;
        }
        Ok(())
    }

    fn error(&self, missing: Missing, span: Span) -> Error {
        match missing {
            Missing::Column(_) if self.global => Error::new("MISSING_GROUP_BY").at(self.span),
            Missing::Column(c) => Error::new("MISSING_AGGREGATION")
                .with("expression", quoted(&c.name))
                .with("expressionAnyValue", quoted(&format!("any_value({})", c.name)))
                .at(span),
            Missing::Scalar(sql) => Error::new("SCALAR_SUBQUERY_IS_IN_GROUP_BY_OR_AGGREGATE_FUNCTION")
                .with("sqlExpr", quoted(&sql)),
            Missing::Other(e) => e,
        }
    }

    fn walk(&self, e: Expr, strict: bool) -> std::result::Result<Expr, Missing> {
        if self.kinds.contains(&discriminant(&e))
            && let Some(c) = self.groups.get(&e)
        {
            return Ok(Expr::Column(c.clone()));
        }
        match e {
            Expr::Column(c) if self.known.contains(&c.id) => Ok(Expr::Column(c)),
            Expr::Column(c) => Err(Missing::Column(c)),
            Expr::Subquery(s) => self.subquery(*s, strict),
            other => {
                // The walk's own error travels beside the tree's.
                let mut failed = None;
                let result = other.map_children(&mut |c| {
                    if failed.is_some() {
                        return Ok(c);
                    }
                    match stacker::maybe_grow(crate::analyzer::RED_ZONE, crate::analyzer::STACK, || {
                        self.walk(c, strict)
                    }) {
                        Ok(e) => Ok(e),
                        Err(m) => {
                            failed = Some(m);
                            Ok(Expr::boolean(true))
                        }
                    }
                });
                match failed {
                    Some(m) => Err(m),
                    None => result.map_err(Missing::Other),
                }
            }
        }
    }

    fn subquery(&self, s: Subquery, strict: bool) -> std::result::Result<Expr, Missing> {
        let Subquery { kind, plan, outer, span } = s;
        let correlated = outer.iter().any(|c| self.local.contains(&c.id));
        if strict && correlated && kind == SubqueryKind::Scalar {
            let names: Vec<&str> = outer.iter().map(|c| c.name.as_ref()).collect();
            return Err(Missing::Scalar(format!("scalarsubquery({})", names.join(", "))));
        }
        let kind = match kind {
            SubqueryKind::In { exprs, negated } => {
                let exprs =
                    exprs.into_iter().map(|e| self.walk(e, strict)).collect::<std::result::Result<_, _>>()?;
                SubqueryKind::In { exprs, negated }
            }
            other => other,
        };
        let mut replaced = HashMap::new();
        let mut now = Vec::with_capacity(outer.len());
        for c in outer {
            if self.known.contains(&c.id) || !self.local.contains(&c.id) {
                now.push(c);
                continue;
            }
            match self.groups.get(&Expr::Column(c.clone())) {
                Some(g) => {
                    if g.id != c.id {
                        replaced.insert(c.id, g.clone());
                    }
                    now.push(g.clone());
                }
                None => return Err(Missing::Column(c)),
            }
        }
        let plan = if replaced.is_empty() {
            plan
        } else {
            replace_outer(plan, &replaced).map_err(Missing::Other)?
        };
        Ok(Expr::Subquery(Box::new(Subquery { kind, plan, outer: now, span })))
    }
}

/// A column that exists only above the aggregate.
fn above<'e>(e: &'e Expr, known: &HashSet<ColumnId>) -> Option<&'e Column> {
    let mut found = None;
    e.visit(&mut |e| match e {
        Expr::Column(c) if known.contains(&c.id) => found = found.or(Some(c)),
        _ => {}
    });
    found
}

/// Spark's error for an aggregate over a column of the select list.
fn missing_attribute(c: &Column, input: &[Column]) -> Error {
    let input: Vec<String> = input.iter().map(|c| quoted(&c.name)).collect();
    Error::new("MISSING_ATTRIBUTES.RESOLVED_ATTRIBUTE_MISSING_FROM_INPUT")
        .with("missingAttributes", quoted(&c.name))
        .with("input", input.join(", "))
        .with("operator", "Aggregate")
}

enum Missing {
    Column(Column),
    Scalar(String),
    Other(Error),
}

struct Keys {
    plan: Arc<LogicalPlan>,
    keys: Vec<Named<Expr>>,
    by_expr: HashMap<Expr, Column>,
}

fn plain_keys(ids: &ColumnIds, exprs: Vec<Typed>, plan: Arc<LogicalPlan>) -> Keys {
    let mut keys = Vec::with_capacity(exprs.len());
    let mut by_expr = HashMap::with_capacity(exprs.len());
    for t in exprs {
        let key = match &t.expr {
            Expr::Column(c) => Named::pass(c),
            e => Named { expr: e.clone(), column: ids.column(t.sql.as_str(), t.data_type(), t.nullable()) },
        };
        by_expr.insert(t.expr, key.column.clone());
        keys.push(key);
    }
    Keys { plan, keys, by_expr }
}

/// Grouping sets: every row once per set, with nulls for the grouping expressions that are not in the set, and the set's id.
fn expanded_keys(
    ids: &ColumnIds,
    exprs: Vec<Typed>,
    sets: &[Vec<usize>],
    calls: &[GroupingCall],
    input: Arc<LogicalPlan>,
) -> Result<Keys> {
    let passed = input.output();
    let mut computed: Vec<Named<Expr>> = Vec::new();
    let sources: Vec<Column> = exprs
        .iter()
        .map(|t| match &t.expr {
            Expr::Column(c) => c.clone(),
            e => {
                let column = ids.column(t.sql.as_str(), t.data_type(), t.nullable());
                computed.push(Named { expr: e.clone(), column: column.clone() });
                column
            }
        })
        .collect();
    let plan = if computed.is_empty() {
        input
    } else {
        let exprs = passed.iter().map(Named::pass).chain(computed).collect();
        Arc::new(LogicalPlan::Project { exprs, input })
    };
    let shown: Vec<Column> =
        sources.iter().map(|c| ids.column(c.name.clone(), c.data_type.clone(), true)).collect();
    let group_id = |set: &[usize]| -> i64 {
        (0..exprs.len()).fold(0, |bits, i| bits << 1 | i64::from(!set.contains(&i)))
    };
    let group_ids: Vec<i64> = sets.iter().map(|s| group_id(s)).collect();
    let mut columns = passed.clone();
    columns.extend(shown.iter().cloned());
    columns.push(ids.column("spark_grouping_id", DataType::Long, false));
    let repeated = group_ids.iter().collect::<HashSet<_>>().len() < sets.len();
    if repeated {
        columns.push(ids.column("_gen_grouping_pos", DataType::Int, false));
    }
    columns.extend(calls.iter().map(|c| c.column.clone()));
    let mut projections = Vec::with_capacity(sets.len());
    for (position, set) in sets.iter().enumerate() {
        let mut row: Vec<Expr> = passed.iter().map(Expr::column).collect();
        row.extend(sources.iter().enumerate().map(|(i, c)| match set.contains(&i) {
            true => Expr::column(c),
            false => Expr::Literal(Literal::null(c.data_type.clone())),
        }));
        row.push(Expr::Literal(Literal::long(group_ids[position])));
        if repeated {
            row.push(Expr::Literal(Literal::int(i32::try_from(position).unwrap_or(i32::MAX))));
        }
        for call in calls {
            row.push(grouping_value(call, &exprs, set, group_ids[position])?);
        }
        projections.push(row);
    }
    let keys = columns[passed.len()..].iter().map(Named::pass).collect();
    let by_expr = exprs.into_iter().map(|t| t.expr).zip(shown).collect();
    let plan = Arc::new(LogicalPlan::Expand { projections, columns, input: plan });
    Ok(Keys { plan, keys, by_expr })
}

/// What `grouping` or `grouping_id` is within a set.
fn grouping_value(call: &GroupingCall, exprs: &[Typed], set: &[usize], id: i64) -> Result<Expr> {
    let listed = |list: &mut dyn Iterator<Item = String>| list.collect::<Vec<_>>().join(",");
    let groups = || listed(&mut exprs.iter().map(|t| t.sql.clone()));
    let args = || listed(&mut call.args.iter().map(ToString::to_string));
    if call.id {
        let matches = call.args.is_empty()
            || call.args.len() == exprs.len() && call.args.iter().zip(exprs).all(|(a, t)| *a == t.expr);
        if !matches {
            return Err(Error::new("GROUPING_ID_COLUMN_MISMATCH")
                .with("groupingIdColumn", args())
                .with("groupByColumns", groups()));
        }
        return Ok(Expr::Literal(Literal::long(id)));
    }
    let Some(i) = exprs.iter().position(|t| call.args.first() == Some(&t.expr)) else {
        return Err(Error::new("GROUPING_COLUMN_MISMATCH")
            .with("grouping", args())
            .with("groupingColumns", groups()));
    };
    let value = i8::from(!set.contains(&i));
    let value = datafusion_common::ScalarValue::Int8(Some(value));
    Ok(Expr::Literal(Literal::new(value, DataType::Byte)))
}

/// The plan of a subquery with outer columns replaced, at any depth.
pub(crate) fn replace_outer(
    plan: Arc<LogicalPlan>,
    replaced: &HashMap<ColumnId, Column>,
) -> Result<Arc<LogicalPlan>> {
    plan.transform_up(&mut |node| {
        node.map_exprs(&mut |e| {
            e.transform_up(&mut |e| {
                Ok(match e {
                    Expr::OuterColumn(c) => match replaced.get(&c.id) {
                        Some(r) => Expr::OuterColumn(r.clone()),
                        None => Expr::OuterColumn(c),
                    },
                    Expr::Subquery(s) => {
                        let Subquery { kind, plan, outer, span } = *s;
                        let plan = replace_outer(plan, replaced)?;
                        let swap = |c: Column| replaced.get(&c.id).cloned().unwrap_or(c);
                        let outer = outer.into_iter().map(swap).collect();
                        Expr::Subquery(Box::new(Subquery { kind, plan, outer, span }))
                    }
                    other => other,
                })
            })
        })
    })
}
