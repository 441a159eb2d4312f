//! A resolved relation: its plan and the names of its columns.

use crate::scope::{Field, Scope};
use std::collections::HashMap;
use std::sync::Arc;
use vonk_plan::logical::{Column, ColumnIds, LogicalPlan, Named};

/// A resolved relation.
#[derive(Debug, Clone)]
pub(crate) struct Relation {
    /// The plan. Its output is the scope's columns, in order, and then possibly hidden ones.
    pub plan: Arc<LogicalPlan>,
    /// The names.
    pub scope: Scope,
}

impl Relation {
    /// From a plan and a scope.
    pub fn new(plan: LogicalPlan, scope: Scope) -> Relation {
        Relation { plan: Arc::new(plan), scope }
    }

    /// A plan whose columns have no qualifiers.
    pub fn plain(plan: LogicalPlan) -> Relation {
        let scope = Scope::plain(plan.output());
        Relation::new(plan, scope)
    }

    /// The visible columns.
    pub fn columns(&self) -> Vec<Column> {
        self.scope.columns().cloned().collect()
    }

    /// The same names over a plan on top.
    pub fn map(self, f: impl FnOnce(Arc<LogicalPlan>) -> LogicalPlan) -> Relation {
        Relation { plan: Arc::new(f(self.plan)), scope: self.scope }
    }

    /// Without hidden columns in the plan's output: for operators that work on whole rows.
    pub fn exact(self) -> Relation {
        let columns = self.columns();
        if self.plan.output() == columns {
            return Relation { plan: self.plan, scope: Scope::new(self.scope.fields) };
        }
        let exprs = columns.iter().map(Named::pass).collect();
        let plan = LogicalPlan::Project { exprs, input: self.plan };
        Relation::new(plan, Scope::new(self.scope.fields))
    }

    /// The relation with new identities for all its columns, optionally under new names.
    pub fn renewed(&self, ids: &ColumnIds, names: Option<&[String]>) -> Relation {
        let mut exprs = Vec::with_capacity(self.scope.fields.len());
        let mut fields = Vec::with_capacity(self.scope.fields.len());
        for (i, f) in self.scope.fields.iter().enumerate() {
            let name =
                names.and_then(|n| n.get(i)).map_or_else(|| f.column.name.clone(), |n| n.as_str().into());
            let column = Column { id: ids.fresh(), name, ..f.column.clone() };
            exprs.push(Named { expr: vonk_plan::Expr::column(&f.column), column: column.clone() });
            fields.push(Field { column, ..f.clone() });
        }
        // Columns that were one stay one: the first of them gives the identity.
        let mut first = HashMap::with_capacity(fields.len());
        for (f, old) in fields.iter_mut().zip(&self.scope.fields) {
            f.identity = *first.entry(old.identity).or_insert(f.column.id);
        }
        let plan = LogicalPlan::Project { exprs, input: self.plan.clone() };
        Relation::new(plan, Scope::new(fields))
    }

    /// The relation with its columns renamed in place; their identities stay unless the names differ.
    pub fn renamed(self, ids: &ColumnIds, names: &[String]) -> Relation {
        if self.scope.fields.iter().zip(names).all(|(f, n)| *f.column.name == **n) {
            return self;
        }
        self.renewed(ids, Some(names))
    }
}
