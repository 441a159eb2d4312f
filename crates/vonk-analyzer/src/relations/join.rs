//! Joins: conditions, USING and NATURAL, LATERAL.

use super::{functions, lateral};
use crate::analyzer::Binder;
use crate::build;
use crate::coerce;
use crate::env::{Env, Frame};
use crate::expr::{Clause, Walk};
use crate::relation::Relation;
use crate::scope::{Field, Scope};
use crate::select::Calls;
use crate::typed::{Typed, quoted_type};
use std::collections::HashSet;
use std::sync::Arc;
use vonk_error::{Error, Result, Span};
use vonk_plan::ColumnId;
use vonk_plan::logical::{Expr, Join, JoinKind, LogicalPlan, Named};
use vonk_plan::unresolved::{self, BinaryOp, JoinConstraint, Plan};
use vonk_types::DataType;
use vonk_types::data_type::quote_identifier;

pub(crate) fn join(b: &Binder<'_>, j: &unresolved::Join, env: &Env<'_>) -> Result<Relation> {
    let left = b.relation(&j.left, env)?;
    if j.lateral
        && let Some(r) = lateral_generator(b, j, &left, env)?
    {
        return Ok(r);
    }
    let kind = match j.kind {
        unresolved::JoinKind::Inner | unresolved::JoinKind::Cross => JoinKind::Inner,
        unresolved::JoinKind::Left => JoinKind::Left,
        unresolved::JoinKind::Right => JoinKind::Right,
        unresolved::JoinKind::Full => JoinKind::Full,
        unresolved::JoinKind::LeftSemi => JoinKind::LeftSemi,
        unresolved::JoinKind::LeftAnti => JoinKind::LeftAnti,
    };
    let span = env.span(j.span);
    let (right, lateral) = if j.lateral {
        refuse_lateral(j, kind)?;
        let scopes = [&left.scope];
        let frame = Frame::new(&scopes, env.outer);
        let right = b.relation(&j.right, &env.within(&frame))?;
        let ids: HashSet<ColumnId> =
            left.scope.fields.iter().chain(&left.scope.hidden).map(|f| f.column.id).collect();
        let lateral = frame.used.borrow().iter().any(|c| ids.contains(&c.id));
        // Columns of queries further out are theirs to note, which `Frame::note` did.
        (right, lateral)
    } else {
        (b.relation(&j.right, env)?, false)
    };
    let sides = Sides { b, left, right, kind, lateral, span };
    match &j.constraint {
        JoinConstraint::None => Ok(sides.joined(None)),
        JoinConstraint::On(e) => {
            let condition = sides.condition(e, env)?;
            if sides.lateral { sides.filtered(condition) } else { Ok(sides.joined(Some(condition))) }
        }
        JoinConstraint::Using(names) => {
            let names = names.iter().map(|n| n.last().to_string()).collect();
            sides.using(names)
        }
        JoinConstraint::Natural => {
            let s = &b.session;
            let common = sides.left.scope.fields.iter().filter(|l| {
                sides.right.scope.fields.iter().any(|r| s.same_name(&l.column.name, &r.column.name))
            });
            let names: Vec<String> = common.map(|f| f.column.name.to_string()).collect();
            if names.is_empty() { Ok(sides.joined(None)) } else { sides.using(names) }
        }
    }
}

fn refuse_lateral(j: &unresolved::Join, kind: JoinKind) -> Result<()> {
    let name = match kind {
        JoinKind::Inner | JoinKind::Left => match j.constraint {
            JoinConstraint::Using(_) => return Err(Error::new("UNSUPPORTED_FEATURE.LATERAL_JOIN_USING")),
            JoinConstraint::Natural => {
                return Err(Error::new("INCOMPATIBLE_JOIN_TYPES")
                    .with("joinType1", "LATERAL")
                    .with("joinType2", "NATURAL"));
            }
            _ => return Ok(()),
        },
        JoinKind::Right => "RIGHT OUTER",
        JoinKind::Full => "FULL OUTER",
        JoinKind::LeftSemi => "LEFT SEMI",
        _ => "LEFT ANTI",
    };
    Err(Error::new("INVALID_LATERAL_JOIN_TYPE").with("joinType", name))
}

/// `…, LATERAL explode(t.xs) AS e(x)`: rows are generated in place, without a join.
fn lateral_generator(
    b: &Binder<'_>,
    j: &unresolved::Join,
    left: &Relation,
    env: &Env<'_>,
) -> Result<Option<Relation>> {
    let outer = match (j.kind, &j.constraint) {
        (unresolved::JoinKind::Inner | unresolved::JoinKind::Cross, JoinConstraint::None) => false,
        (unresolved::JoinKind::Left, JoinConstraint::None) => true,
        _ => return Ok(None),
    };
    let (call, alias, names) = match &j.right {
        Plan::Aliased { input, alias, columns, .. } => (input.as_ref(), Some(alias), columns.as_slice()),
        other => (other, None, [].as_slice()),
    };
    let Plan::TableFunction { name, args, span } = call else { return Ok(None) };
    let span = env.span(*span);
    let Ok(f) = functions::generator(b, name, span) else { return Ok(None) };
    // A left join without a match keeps the row only if its condition is true of nothing: an outer generator.
    let named = (alias.map(String::as_str), names);
    let mismatch = lateral::table_alias_mismatch;
    let r = lateral::generated(b, left.clone(), &f, name, args, outer, named, mismatch, span, env)?;
    Ok(Some(r))
}

struct Sides<'a, 'b> {
    b: &'b Binder<'a>,
    left: Relation,
    right: Relation,
    kind: JoinKind,
    lateral: bool,
    span: Span,
}

impl Sides<'_, '_> {
    fn condition(&self, e: &unresolved::Expr, env: &Env<'_>) -> Result<Expr> {
        let scope = self.left.scope.clone().joined(self.right.scope.clone());
        let scopes = [&scope];
        let calls = Calls::default();
        let t = Walk::new(self.b, env, &scopes, Clause::Join).collecting(&calls).expr(e)?;
        calls.refuse("Join", t.span)?;
        if t.data_type() != DataType::Boolean {
            return Err(Error::new("JOIN_CONDITION_IS_NOT_BOOLEAN_TYPE")
                .with("joinCondition", t.quoted())
                .with("conditionType", quoted_type(&t.data_type()))
                .at(self.span));
        }
        Ok(t.expr)
    }

    /// The join with all columns of both sides in sight.
    fn joined(self, condition: Option<Expr>) -> Relation {
        let (left, right) = self.extended();
        let scope = if self.kind.outputs_right() { left.joined(right) } else { left };
        let plan = self.plan(condition);
        Relation { plan, scope }
    }

    /// A lateral join's condition is a filter of its right side, which sees the left side's columns anyway.
    fn filtered(mut self, condition: Expr) -> Result<Relation> {
        let scope = &self.left.scope;
        let left: HashSet<ColumnId> = scope.fields.iter().chain(&scope.hidden).map(|f| f.column.id).collect();
        let predicate = condition.transform_up(&mut |e| {
            Ok(match e {
                Expr::Column(c) if left.contains(&c.id) => Expr::OuterColumn(c),
                other => other,
            })
        })?;
        self.right = self.right.map(|input| LogicalPlan::Filter { predicate, input });
        Ok(self.joined(None))
    }

    fn plan(self, condition: Option<Expr>) -> Arc<LogicalPlan> {
        Arc::new(LogicalPlan::Join(Join {
            left: self.left.plan,
            right: self.right.plan,
            kind: self.kind,
            condition,
            mark: None,
            null_aware: false,
            lateral: self.lateral,
        }))
    }

    /// The names of both sides, nullable where the join adds nulls.
    fn extended(&self) -> (Scope, Scope) {
        let (l, r) = match self.kind {
            JoinKind::Left => (false, true),
            JoinKind::Right => (true, false),
            JoinKind::Full => (true, true),
            _ => (false, false),
        };
        (nullable(&self.left.scope, l), nullable(&self.right.scope, r))
    }

    /// USING: equal columns are merged into one; those of the sides are reached by qualified names only.
    fn using(self, names: Vec<String>) -> Result<Relation> {
        let mut conditions = Vec::with_capacity(names.len());
        let (mut left_keys, mut right_keys) = (Vec::new(), Vec::new());
        for name in &names {
            let l = self.key(&self.left.scope, name, "left")?;
            let r = self.key(&self.right.scope, name, "right")?;
            let (lt, rt) = (
                Typed::column(&self.left.scope.fields[l].column, self.span),
                Typed::column(&self.right.scope.fields[r].column, self.span),
            );
            conditions.push(build::binary(&self.b.session, BinaryOp::Eq, lt, rt, self.span)?.expr);
            left_keys.push(l);
            right_keys.push(r);
        }
        let condition = Expr::and_all(conditions);
        let (left, right) = self.extended();
        let pick = |scope: &Scope, keys: &[usize]| -> Vec<Field> {
            keys.iter().map(|k| scope.fields[*k].clone()).collect()
        };
        let rest = |scope: &Scope, keys: &[usize]| -> Vec<Field> {
            let ids: HashSet<ColumnId> = keys.iter().map(|k| scope.fields[*k].column.id).collect();
            scope.fields.iter().filter(|f| !ids.contains(&f.column.id)).cloned().collect()
        };
        let (lk, rk) = (pick(&left, &left_keys), pick(&right, &right_keys));
        let (lr, rr) = (rest(&left, &left_keys), rest(&right, &right_keys));
        let (kind, b, span) = (self.kind, self.b, self.span);
        let mut plan = self.plan(condition);
        let mut inherited = left.hidden;
        if !kind.outputs_right() {
            let fields = lk.into_iter().chain(lr).collect();
            return Ok(Relation { plan, scope: Scope::with_hidden(fields, inherited) });
        }
        inherited.extend(right.hidden);
        let (keys, hidden) = match kind {
            JoinKind::Right => (rk, lk),
            JoinKind::Full => {
                let (merged, fields) = merge(b, &lk, &rk, span)?;
                let exprs = plan.output().iter().map(Named::pass).chain(merged).collect();
                plan = Arc::new(LogicalPlan::Project { exprs, input: plan });
                (fields, lk.into_iter().chain(rk).collect())
            }
            _ => (lk, rk),
        };
        let fields = keys.into_iter().chain(lr).chain(rr).collect();
        let hidden = hidden.into_iter().chain(inherited).collect();
        Ok(Relation { plan, scope: Scope::with_hidden(fields, hidden) })
    }

    fn key(&self, scope: &Scope, name: &str, side: &str) -> Result<usize> {
        let found = scope.fields.iter().position(|f| self.b.session.same_name(&f.column.name, name));
        found.ok_or_else(|| {
            let mut all: Vec<String> =
                scope.fields.iter().map(|f| quote_identifier(&f.column.name)).collect();
            all.sort();
            Error::new("UNRESOLVED_USING_COLUMN_FOR_JOIN")
                .with("colName", quote_identifier(name))
                .with("side", side)
                .with("suggestion", all.join(", "))
                .at(self.span)
        })
    }
}

fn nullable(scope: &Scope, extended: bool) -> Scope {
    if !extended {
        return scope.clone();
    }
    let with_nulls = |fields: &[Field]| -> Vec<Field> {
        fields
            .iter()
            .map(|f| {
                let mut f = f.clone();
                f.column.nullable = true;
                f
            })
            .collect()
    };
    Scope::with_hidden(with_nulls(&scope.fields), with_nulls(&scope.hidden))
}

/// The key columns of a full join: whichever side has a value.
fn merge(
    b: &Binder<'_>,
    left: &[Field],
    right: &[Field],
    span: Span,
) -> Result<(Vec<Named<Expr>>, Vec<Field>)> {
    let mut merged = Vec::with_capacity(left.len());
    let mut fields = Vec::with_capacity(left.len());
    for (l, r) in left.iter().zip(right) {
        let types = [l.column.data_type.clone(), r.column.data_type.clone()];
        let Some(t) = coerce::common_type(&b.session, &types) else {
            return vonk_error::internal_err!("join keys of no common type");
        };
        let cast = |f: &Field| coerce::implicit_cast(&b.session, Typed::column(&f.column, span), &t).expr;
        let expr = Expr::Coalesce { args: vec![cast(l), cast(r)], data_type: t.clone() };
        let column = b.ids.column(l.column.name.clone(), t, true);
        merged.push(Named { expr, column: column.clone() });
        fields.push(Field::plain(column));
    }
    Ok((merged, fields))
}
