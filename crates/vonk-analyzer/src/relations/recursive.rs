//! WITH RECURSIVE: a common table expression whose query is a union of an anchor and a step that refers to the expression itself.
//!
//! Both are resolved on their own; the step sees the expression as a working table with the columns of the anchor. Where the
//! step does not refer to it, the union is an ordinary one.

use super::{cte, set_ops};
use crate::analyzer::Binder;
use crate::env::{CteTarget, Env, Frame};
use crate::relation::Relation;
use crate::scope::Scope;
use crate::typed::quoted_type;
use std::cell::Cell;
use std::sync::Arc;
use vonk_error::{Error, Result, Span};
use vonk_plan::logical::{Column, Expr, JoinKind, LogicalPlan, Loop, LoopId};
use vonk_plan::unresolved::{Cte, Plan, SetOpKind};
use vonk_types::{DataType, StructField, StructType};

/// The relation of a common table expression of WITH RECURSIVE.
pub(crate) fn relation(b: &Binder<'_>, c: &Cte, env: &Env<'_>) -> Result<Relation> {
    query(b, c, &c.plan, env)
}

fn query(b: &Binder<'_>, c: &Cte, plan: &Plan, env: &Env<'_>) -> Result<Relation> {
    let refused = || env.with_cte(&c.name, CteTarget::Refused);
    match plan {
        Plan::Subquery(inner) => query(b, c, inner, env),
        Plan::With { recursive, ctes, body } => {
            let inner = cte::defined(b, *recursive, ctes, &refused())?;
            query(b, c, body, &inner)
        }
        Plan::SetOp { kind: SetOpKind::Union, all, by_name: false, left, right, span } => {
            let union = Union { all: *all, anchor: left, step: right, span: env.span(*span) };
            // Nothing in a loop may depend on the rows of queries around it, so that it runs once.
            let shadow = env.outer.map(|f| Frame::new(f.scopes, f.parent));
            let inner = Env { outer: shadow.as_ref(), ..refused() };
            let (r, recursive) = union_of(b, c, &union, &inner)?;
            let used = shadow.map(|f| f.used.into_inner()).unwrap_or_default();
            if recursive && !used.is_empty() {
                const REFUSED: &str =
                    "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.ACCESSING_OUTER_QUERY_COLUMN_IS_NOT_ALLOWED";
                return Err(Error::new(REFUSED).with("treeNode", r.plan.headline()).at(env.span(*span)));
            }
            if let Some(frame) = env.outer {
                used.iter().for_each(|column| frame.note(column));
            }
            Ok(r)
        }
        other => cte::named(b, b.relation(other, &refused())?.exact(), c, env),
    }
}

struct Union<'p> {
    all: bool,
    anchor: &'p Plan,
    step: &'p Plan,
    span: Span,
}

/// The union, and whether it is recursive.
fn union_of(b: &Binder<'_>, c: &Cte, union: &Union<'_>, env: &Env<'_>) -> Result<(Relation, bool)> {
    let unnamed = b.relation(union.anchor, env)?.exact();
    let anchor = cte::named(b, unnamed.clone(), c, env)?;
    let id = LoopId(b.ids.fresh().0);
    let fresh = |column: Column| Column {
        id: b.ids.fresh(),
        nullable: true,
        data_type: all_nullable(&column.data_type),
        ..column
    };
    let columns: Vec<Column> = anchor.columns().into_iter().map(fresh).collect();
    let seen = columns.iter().cloned().map(fresh).collect::<Vec<_>>();
    let scope = Scope::plain(seen.clone());
    let working = Relation::new(LogicalPlan::WorkingTable { id, columns: seen }, scope);
    let step_env = env.with_cte(&c.name, CteTarget::WorkingTable(working, Cell::new(false)));
    let step = b.relation(union.step, &step_env)?.exact();
    let used = match step_env.ctes.as_deref().map(|n| &n.target) {
        Some(CteTarget::WorkingTable(_, used)) => used.get(),
        _ => false,
    };
    if !used {
        let kind = (SetOpKind::Union, union.all, false);
        let r = set_ops::combined(b, kind, unnamed, step, union.span)?;
        return Ok((cte::named(b, r, c, env)?, false));
    }
    if !union.all {
        return Err(Error::new("UNION_NOT_SUPPORTED_IN_RECURSIVE_CTE").at(union.span));
    }
    check_types(&columns, &step, union.span)?;
    check_place(&step.plan, id, true)?;
    let limit = |value: i32| u64::try_from(value).ok();
    let conf = b.session.conf;
    let plan = LogicalPlan::Loop(Loop {
        id,
        columns: columns.clone(),
        anchor: anchor.plan,
        step: step.plan,
        max_rounds: c.max_recursion.or(limit(conf.get(&vonk_conf::CTE_RECURSION_LEVEL_LIMIT))),
        max_rows: limit(conf.get(&vonk_conf::CTE_RECURSION_ROW_LIMIT)),
        fetch: None,
    });
    Ok((Relation { plan: Arc::new(plan), scope: Scope::plain(columns) }, true))
}

/// The step must make rows of the anchor's types.
fn check_types(columns: &[Column], step: &Relation, span: Span) -> Result<()> {
    let made = step.columns();
    if made.len() != columns.len() {
        return Err(Error::new("NUM_COLUMNS_MISMATCH")
            .with("operator", "UNION")
            .with("firstNumColumns", columns.len().to_string())
            .with("invalidOrdinalNum", "second")
            .with("invalidNumColumns", made.len().to_string())
            .at(span));
    }
    match columns.iter().zip(&made).find(|(a, s)| !a.data_type.same_type(&s.data_type, true)) {
        None => Ok(()),
        Some((a, s)) => Err(Error::new("CANNOT_MERGE_INCOMPATIBLE_DATA_TYPE")
            .with("left", quoted_type(&a.data_type))
            .with("right", quoted_type(&s.data_type))),
    }
}

/// The working table must not stand where an operator needs all rows of a relation to begin with.
fn check_place(plan: &LogicalPlan, id: LoopId, allowed: bool) -> Result<()> {
    for e in plan.exprs() {
        let mut result = Ok(());
        e.visit(&mut |e| {
            if let (Expr::Subquery(s), true) = (e, result.is_ok()) {
                result = check_place(&s.plan, id, allowed);
            }
        });
        result?;
    }
    match plan {
        LogicalPlan::WorkingTable { id: found, .. } if *found == id && !allowed => {
            Err(Error::new("INVALID_RECURSIVE_REFERENCE.PLACE"))
        }
        LogicalPlan::Join(j) => {
            let (left, right) = match j.kind {
                JoinKind::Inner => (true, true),
                JoinKind::Left
                | JoinKind::LeftSemi
                | JoinKind::LeftAnti
                | JoinKind::NullAwareAnti
                | JoinKind::Mark
                | JoinKind::LeftSingle => (true, false),
                JoinKind::Right => (false, true),
                JoinKind::Full => (false, false),
            };
            check_place(&j.left, id, allowed && left)?;
            check_place(&j.right, id, allowed && right)
        }
        LogicalPlan::Aggregate { .. } | LogicalPlan::Window(_) | LogicalPlan::Sort { .. } => {
            plan.inputs().into_iter().try_for_each(|i| check_place(i, id, false))
        }
        _ => plan.inputs().into_iter().try_for_each(|i| check_place(i, id, allowed)),
    }
}

/// The type with nulls allowed everywhere but in map keys.
fn all_nullable(t: &DataType) -> DataType {
    match t {
        DataType::Array(e, _) => DataType::array(all_nullable(e), true),
        DataType::Map(k, v, _) => DataType::map(all_nullable(k), all_nullable(v), true),
        DataType::Struct(s) => {
            let fields = s.fields.iter().map(|f| StructField {
                data_type: all_nullable(&f.data_type),
                nullable: true,
                ..f.clone()
            });
            DataType::Struct(StructType::new(fields.collect::<Vec<_>>()))
        }
        other => other.clone(),
    }
}
