//! A relation that was resolved before, with the names of its columns: what a DataFrame holds, and what a plan made on top of it
//! embeds ([`vonk_plan::unresolved::Embedded`]).
//!
//! Each step over a DataFrame resolves that step alone; what stands below it is taken as it is.

use crate::analyzer::{Analyzed, Analyzer, Binder, Texts};
use crate::relation::Relation;
use crate::scope::Scope;
use std::collections::BTreeMap;
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_plan::ColumnId;
use vonk_plan::logical::{Column, LogicalPlan};
use vonk_plan::unresolved::{ColumnRef, Embedded, Expr, ExprKind, Name, Plan};
use vonk_types::StructType;

/// A resolved relation, its names, and the texts that its spans point into. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Resolved(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    relation: Relation,
    texts: Texts,
    /// Its place in the order in which plans were made.
    made: u64,
    shadowed: Shadowed,
}

/// Columns that a self-join has twice, once as they were and once as new ones, with the plan that made them so: a reference that is
/// older than that plan does not say which it means.
pub(crate) type Shadowed = BTreeMap<ColumnId, u64>;

/// Plans that others are made of and that are finished: they are taken as they are and not looked into, however much there is below.
#[derive(Default)]
pub(crate) struct Finished(Vec<Arc<LogicalPlan>>);

impl Finished {
    /// Adds one.
    pub fn add(&mut self, plan: &Arc<LogicalPlan>) {
        if !self.has(plan) {
            self.0.push(plan.clone());
        }
    }

    /// Whether it is one of them, by identity.
    pub fn has(&self, plan: &Arc<LogicalPlan>) -> bool {
        self.0.iter().any(|p| Arc::ptr_eq(p, plan))
    }
}

impl Resolved {
    pub(crate) fn new(relation: Relation, texts: Texts, made: u64, shadowed: Shadowed) -> Resolved {
        Resolved(Arc::new(Inner { relation, texts, made, shadowed }))
    }

    /// The columns that the relation shows, in order.
    pub fn columns(&self) -> Vec<Column> {
        self.0.relation.columns()
    }

    /// The same as a schema.
    pub fn schema(&self) -> StructType {
        let columns = self.0.relation.scope.columns();
        StructType::new(columns.map(Column::to_field).collect::<Vec<_>>())
    }

    /// The plan that gives exactly these columns, to be optimized and run.
    pub fn analyzed(&self) -> Analyzed {
        Analyzed { plan: self.0.relation.clone().exact().plan, texts: self.0.texts.clone() }
    }

    /// The plan as it is, hidden columns included.
    pub fn whole_plan(&self) -> &Arc<LogicalPlan> {
        &self.0.relation.plan
    }

    /// To stand in a plan.
    pub fn embed(&self) -> Plan {
        Plan::Embedded(Embedded(self.0.clone()))
    }

    /// What stands in a plan; `None` if it is something else.
    pub(crate) fn from_embedded(e: &Embedded) -> Option<Resolved> {
        Arc::clone(&e.0).downcast::<Inner>().ok().map(Resolved)
    }

    pub(crate) fn relation(&self) -> &Relation {
        &self.0.relation
    }

    pub(crate) fn texts(&self) -> &Texts {
        &self.0.texts
    }

    pub(crate) fn shadowed(&self) -> &Shadowed {
        &self.0.shadowed
    }
}

impl Analyzer<'_> {
    /// A plan whose columns have no qualifiers.
    pub fn resolved_plan(&self, plan: Arc<LogicalPlan>) -> Resolved {
        let scope = Scope::plain(plan.output());
        Resolved::new(Relation { plan, scope }, Texts::default(), self.ids.fresh().0, Shadowed::new())
    }

    /// Other ways to the same rows: a plan with the same columns, identities included.
    pub fn over(&self, r: &Resolved, plan: Arc<LogicalPlan>) -> Resolved {
        let relation = Relation { plan, scope: r.relation().scope.clone() };
        Resolved::new(relation, r.texts().clone(), self.ids.fresh().0, r.shadowed().clone())
    }

    /// The same rows in columns of their own; references to the old ones are ambiguous in what is made of both.
    pub fn renewed(&self, r: &Resolved) -> Resolved {
        let made = self.ids.fresh().0;
        let mut shadowed = r.shadowed().clone();
        shadowed.extend(r.columns().iter().map(|c| (c.id, made)));
        Resolved::new(r.relation().renewed(self.ids, None), r.texts().clone(), made, shadowed)
    }

    /// The column (or the field of one) that a name stands for in a relation, by its identity.
    pub fn column(&self, r: &Resolved, name: &Name) -> Result<Expr> {
        let binder = Binder::new(self);
        let scope = &r.relation().scope;
        let Some(found) = scope.resolve(&binder.session, &name.parts, name.span)? else {
            return Err(scope.unresolved(name));
        };
        let column = &found.field.column;
        let seen_in = Some(r.0.made);
        let base = ExprKind::Column(ColumnRef { id: column.id.0, name: column.name.to_string(), seen_in });
        let fields = name.parts[found.used..].iter();
        Ok(fields.fold(Expr::made(base), |expr, field| {
            Expr::made(ExprKind::Field { expr: Box::new(expr), field: field.clone() })
        }))
    }
}

/// Spark's error for a reference that may mean either side of a self-join.
pub fn ambiguous_reference(c: &ColumnRef) -> Error {
    Error::new("_LEGACY_ERROR_TEMP_1182")
        .with("ambiguousAttrs", format!("{0}, {0}", c.name))
        .with("config", "spark.sql.analyzer.failAmbiguousSelfJoin")
}
