//! GROUP BY: which expressions, and which sets of them.

use super::calls::{Aliases, Calls};
use super::group_items::{self, Listed};
use super::{Context, Output, is_all, qualified_aggregates};
use crate::expr::{Clause, Walk};
use crate::scope::Scope;
use crate::typed::Typed;
use std::collections::{HashMap, HashSet};
use vonk_error::{Error, Result, Span};
use vonk_plan::ColumnId;
use vonk_plan::logical::{Column, Expr};
use vonk_plan::unresolved::{self, ExprKind, GroupBy};
use vonk_types::data_type::quote_if_needed;

/// Resolved GROUP BY.
pub(crate) struct Groups {
    /// Distinct grouping expressions.
    pub exprs: Vec<Typed>,
    /// Grouping sets, as positions in `exprs`.
    pub sets: Option<Vec<Vec<usize>>>,
}

impl Context<'_> {
    /// Resolves GROUP BY over the input; ordinals and aliases refer to the select list.
    pub(super) fn groups(&self, scopes: &[&Scope], outputs: &[Output]) -> Result<Groups> {
        let mut made = GroupBuilder::new(self, scopes, outputs);
        match &self.sel.group_by {
            None => Ok(Groups { exprs: Vec::new(), sets: None }),
            Some(GroupBy::All(span)) => made.all(self.env.span(*span)),
            Some(GroupBy::Items(items)) => {
                let Listed { plain, sets } = group_items::list(items);
                for e in plain {
                    made.add(e)?;
                }
                let sets = match sets {
                    None => None,
                    Some(sets) => Some(
                        sets.into_iter()
                            .map(|set| {
                                let mut positions = Vec::with_capacity(set.len());
                                for e in set {
                                    let i = made.add(e)?;
                                    if !positions.contains(&i) {
                                        positions.push(i);
                                    }
                                }
                                Ok(positions)
                            })
                            .collect::<Result<Vec<_>>>()?,
                    ),
                };
                Ok(Groups { exprs: made.exprs, sets })
            }
        }
    }
}

struct GroupBuilder<'g, 'c> {
    cx: &'g Context<'c>,
    scopes: &'g [&'g Scope],
    outputs: &'g [Output],
    /// The select list's columns by name.
    aliases: Aliases,
    /// What they are made of.
    made: HashMap<ColumnId, &'g Expr>,
    exprs: Vec<Typed>,
    index: HashMap<Expr, usize>,
}

impl<'g, 'c> GroupBuilder<'g, 'c> {
    fn new(cx: &'g Context<'c>, scopes: &'g [&'g Scope], outputs: &'g [Output]) -> Self {
        let mut aliases = Aliases::default();
        if cx.b.session.conf.get(&vonk_conf::GROUP_BY_ALIASES) {
            let mut seen = HashSet::new();
            for o in outputs {
                let name = &o.field.column.name;
                if seen.insert(name.to_lowercase()) {
                    aliases.add(name, &o.field.column, true);
                }
            }
        }
        let made = outputs
            .iter()
            .map(|o| (o.field.column.id, &o.typed.expr))
            .filter(|(id, e)| !matches!(e, Expr::Column(c) if c.id == *id))
            .collect();
        GroupBuilder { cx, scopes, outputs, aliases, made, exprs: Vec::new(), index: HashMap::new() }
    }

    fn push(&mut self, t: Typed) -> usize {
        if let Some(i) = self.index.get(&t.expr) {
            return *i;
        }
        let i = self.exprs.len();
        self.index.insert(t.expr.clone(), i);
        self.exprs.push(t);
        i
    }

    /// GROUP BY ALL: every item without an aggregate.
    fn all(mut self, span: Span) -> Result<Groups> {
        debug_assert!(is_all(self.cx.sel.group_by.as_ref()));
        for o in self.outputs.iter().filter(|o| !o.aggregated && !o.windowed && !o.generated) {
            let t = Typed { expr: self.inlined(o.typed.expr.clone())?, ..o.typed.clone() };
            self.push(t);
        }
        if self.exprs.is_empty() {
            let base: HashSet<ColumnId> =
                self.scopes.iter().flat_map(|s| s.columns()).map(|c| c.id).collect();
            let reads = |e: &Expr| e.any(&|e| matches!(e, Expr::Column(c) if base.contains(&c.id)));
            if self.outputs.iter().any(|o| o.aggregated && reads(&o.typed.expr)) {
                return Err(Error::new("UNRESOLVED_ALL_IN_GROUP_BY").at(span));
            }
        }
        Ok(Groups { exprs: self.exprs, sets: None })
    }

    /// The position of a grouping expression.
    fn add(&mut self, e: &unresolved::Expr) -> Result<usize> {
        let t = self.resolve(e)?;
        Ok(self.push(t))
    }

    fn resolve(&self, e: &unresolved::Expr) -> Result<Typed> {
        let cx = self.cx;
        let span = cx.env.span(e.span);
        if let ExprKind::Star(_) = e.kind {
            return Err(Error::new("INVALID_USAGE_OF_STAR_OR_REGEX")
                .with("elem", "'*'")
                .with("prettyName", "Aggregate")
                .at(span));
        }
        if let Some(index) = super::order::ordinal(e)
            && cx.b.session.conf.get(&vonk_conf::GROUP_BY_ORDINAL)
        {
            return self.ordinal(index, span);
        }
        let calls = Calls::default();
        calls.time_window.replace(self.cx.calls.time_window.borrow().clone());
        let mut walk = Walk::new(cx.b, cx.env, self.scopes, Clause::GroupBy).collecting(&calls);
        walk.aliases = Some(&self.aliases);
        walk.known_subqueries = Some(&cx.calls.subqueries);
        let t = walk.expr(e)?;
        if !calls.aggregates.borrow().list.is_empty() {
            let texts = qualified_aggregates(cx.b, e, self.scopes, cx.env)?;
            return Err(in_group_by(texts, span));
        }
        calls.refuse("Aggregate", span)?;
        let mut read = HashSet::new();
        t.expr.collect_columns(&mut read);
        read.retain(|id| self.made.contains_key(id));
        let through = match read.is_empty() {
            true => None,
            false => self.outputs.iter().find(|o| o.aggregated && read.contains(&o.field.column.id)),
        };
        if let Some(o) = through {
            return Err(in_group_by(self.aggregates_of(o)?, o.typed.span));
        }
        Ok(Typed { expr: self.inlined(t.expr)?, ..t })
    }

    fn aggregates_of(&self, o: &Output) -> Result<Vec<String>> {
        match o.position.map(|p| &self.cx.sel.projection[p]) {
            Some(e) => qualified_aggregates(self.cx.b, e, self.scopes, self.cx.env),
            None => Ok(vec![o.typed.sql.clone()]),
        }
    }

    fn ordinal(&self, index: i64, span: Span) -> Result<Typed> {
        if self.cx.sel.projection.iter().any(|e| matches!(e.kind, ExprKind::Star(_))) {
            return Err(Error::new("STAR_GROUP_BY_POS"));
        }
        let found =
            usize::try_from(index).ok().and_then(|i| i.checked_sub(1)).and_then(|i| self.outputs.get(i));
        let Some(o) = found else {
            return Err(Error::new("GROUP_BY_POS_OUT_OF_RANGE")
                .with("index", index.to_string())
                .with("size", self.outputs.len().to_string())
                .at(span));
        };
        if o.aggregated {
            let mut text = self.qualified_text(o)?;
            text = format!("{text} AS {}", quote_if_needed(&o.field.column.name));
            return Err(Error::new("GROUP_BY_POS_AGGREGATE")
                .with("index", index.to_string())
                .with("aggExpr", text)
                .at(span));
        }
        Ok(Typed { expr: self.inlined(o.typed.expr.clone())?, ..o.typed.clone() })
    }

    fn qualified_text(&self, o: &Output) -> Result<String> {
        let Some(e) = o.position.map(|p| &self.cx.sel.projection[p]) else { return Ok(o.typed.sql.clone()) };
        let e = match &e.kind {
            ExprKind::Alias { expr, .. } => expr.as_ref(),
            _ => e,
        };
        let calls = Calls::default();
        calls.time_window.replace(self.cx.calls.time_window.borrow().clone());
        let mut walk = Walk::new(self.cx.b, self.cx.env, self.scopes, Clause::Select).collecting(&calls);
        walk.qualified = true;
        Ok(walk.expr(e)?.sql)
    }

    /// The expression with columns of the select list replaced by what they are made of.
    fn inlined(&self, e: Expr) -> Result<Expr> {
        let made = &self.made;
        let named = |c: &Column| made.get(&c.id).map(|e| (*e).clone());
        let replaced = e.replace_columns(&named)?;
        if replaced.any(&|e| matches!(e, Expr::Column(c) if made.contains_key(&c.id))) {
            return Err(Error::new("UNSUPPORTED_FEATURE.LATERAL_COLUMN_ALIAS_IN_GROUP_BY"));
        }
        Ok(replaced)
    }
}

fn in_group_by(texts: Vec<String>, span: Span) -> Error {
    let text = texts.into_iter().next().unwrap_or_default();
    Error::new("GROUP_BY_AGGREGATE").with("sqlExpr", text).at(span)
}
