//! Operators around a projection, put up in the order in which their columns need each other.
//!
//! Items of a select list, window calls and generators may refer to each other (`SELECT a + 1 AS b, b * 2`; a window over a
//! window; `explode(collect_list(x))`). The stack knows what every column is made of, and adds the operators that a wanted
//! column needs: generators first, then windows, then a projection.

use super::calls::{GeneratorCall, WindowCall};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use vonk_error::Result;
use vonk_plan::logical::{Column, ColumnId, Expr, Generate, LogicalPlan, Named, Window};

/// The plan so far, and what can be added to it.
pub(crate) struct Stack {
    /// The plan.
    pub plan: Arc<LogicalPlan>,
    available: HashSet<ColumnId>,
    items: HashMap<ColumnId, (Expr, Column)>,
    windows: Vec<WindowCall>,
    generators: Vec<GeneratorCall>,
}

impl Stack {
    /// Over an input.
    pub fn new(plan: Arc<LogicalPlan>, windows: Vec<WindowCall>, generators: Vec<GeneratorCall>) -> Stack {
        let available = plan.output().iter().map(|c| c.id).collect();
        Stack { plan, available, items: HashMap::new(), windows, generators }
    }

    /// Says what a column is made of.
    pub fn define(&mut self, column: Column, expr: Expr) {
        if !matches!(&expr, Expr::Column(c) if c.id == column.id) {
            self.items.insert(column.id, (expr, column));
        }
    }

    /// Makes all columns of an expression available.
    pub fn provide<'e>(&mut self, exprs: impl IntoIterator<Item = &'e Expr>) -> Result<()> {
        let mut wanted = HashSet::new();
        exprs.into_iter().for_each(|e| e.collect_columns(&mut wanted));
        self.provide_columns(wanted)
    }

    /// Makes the columns of all window calls available.
    pub fn provide_windows(&mut self) -> Result<()> {
        let wanted = self.windows.iter().map(|w| w.column.id).collect();
        self.provide_columns(wanted)
    }

    fn provide_columns(&mut self, wanted: HashSet<ColumnId>) -> Result<()> {
        loop {
            let missing = self.missing(&wanted);
            if missing.is_empty() {
                return Ok(());
            }
            if !(self.add_generator(&missing) || self.add_windows(&missing) || self.add_items(&missing)) {
                return vonk_error::internal_err!("columns of a projection need each other in a circle");
            }
        }
    }

    /// The wanted columns that are not there yet, and those that they need.
    fn missing(&self, wanted: &HashSet<ColumnId>) -> HashSet<ColumnId> {
        let mut missing = HashSet::new();
        let mut todo: Vec<ColumnId> = wanted.iter().copied().collect();
        while let Some(id) = todo.pop() {
            if self.available.contains(&id) || missing.contains(&id) {
                continue;
            }
            let mut needs = HashSet::new();
            if let Some((e, _)) = self.items.get(&id) {
                e.collect_columns(&mut needs);
            } else if let Some(w) = self.windows.iter().find(|w| w.column.id == id) {
                w.exprs().for_each(|e| e.collect_columns(&mut needs));
            } else if let Some(g) = self.generators.iter().find(|g| g.columns.iter().any(|c| c.id == id)) {
                g.args.iter().for_each(|e| e.collect_columns(&mut needs));
            } else {
                // A column of an enclosing query that a subquery passes through.
                continue;
            }
            missing.insert(id);
            todo.extend(needs);
        }
        missing
    }

    fn ready<'e>(&self, missing: &HashSet<ColumnId>, exprs: impl Iterator<Item = &'e Expr>) -> bool {
        let mut needs = HashSet::new();
        exprs.for_each(|e| e.collect_columns(&mut needs));
        needs.is_disjoint(missing)
    }

    fn add_generator(&mut self, missing: &HashSet<ColumnId>) -> bool {
        let wanted = |g: &GeneratorCall| g.columns.iter().any(|c| missing.contains(&c.id));
        let found = self.generators.iter().position(|g| wanted(g) && self.ready(missing, g.args.iter()));
        let Some(i) = found else { return false };
        let g = self.generators.remove(i);
        self.available.extend(g.columns.iter().map(|c| c.id));
        self.plan = Arc::new(LogicalPlan::Generate(Generate {
            function: g.function,
            args: g.args,
            outer: g.outer,
            columns: g.columns,
            input: self.plan.clone(),
        }));
        true
    }

    fn add_windows(&mut self, missing: &HashSet<ColumnId>) -> bool {
        let (ready, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.windows)
            .into_iter()
            .partition(|w| missing.contains(&w.column.id) && self.ready(missing, w.exprs()));
        self.windows = rest;
        let mut groups: Vec<Window> = Vec::new();
        let any = !ready.is_empty();
        for w in ready {
            self.available.insert(w.column.id);
            let named = Named { expr: w.expr, column: w.column };
            let same =
                groups.iter_mut().find(|g| g.partition_by == w.partition_by && g.order_by == w.order_by);
            match same {
                Some(g) => g.functions.push(named),
                None => groups.push(Window {
                    functions: vec![named],
                    partition_by: w.partition_by,
                    order_by: w.order_by,
                    input: self.plan.clone(),
                }),
            }
        }
        for g in groups {
            self.plan = Arc::new(LogicalPlan::Window(Window { input: self.plan.clone(), ..g }));
        }
        any
    }

    fn add_items(&mut self, missing: &HashSet<ColumnId>) -> bool {
        let mut ready: Vec<&(Expr, Column)> = missing
            .iter()
            .filter_map(|id| self.items.get(id))
            .filter(|(e, _)| self.ready(missing, std::iter::once(e)))
            .collect();
        if ready.is_empty() {
            return false;
        }
        ready.sort_by_key(|(_, c)| c.id);
        let mut exprs: Vec<Named<Expr>> = self.plan.output().iter().map(Named::pass).collect();
        exprs.extend(ready.into_iter().map(|(e, c)| Named { expr: e.clone(), column: c.clone() }));
        self.available.extend(exprs.iter().map(|n| n.column.id));
        self.plan = Arc::new(LogicalPlan::Project { exprs, input: self.plan.clone() });
        true
    }

    /// Filters what is there.
    pub fn filter(&mut self, predicate: Expr) -> Result<()> {
        self.provide([&predicate])?;
        self.plan = Arc::new(LogicalPlan::Filter { predicate, input: self.plan.clone() });
        Ok(())
    }

    /// The final projection: `outputs`, and then `extra` columns that sort keys want.
    pub fn project(mut self, outputs: &[Column], extra: &[Column]) -> Result<Arc<LogicalPlan>> {
        let mut needs = HashSet::new();
        for c in outputs.iter().chain(extra) {
            match self.items.get(&c.id) {
                Some((e, _)) if !self.available.contains(&c.id) => e.collect_columns(&mut needs),
                _ => {
                    needs.insert(c.id);
                }
            }
        }
        self.provide_columns(needs)?;
        let current = self.plan.output();
        let same = current.len() == outputs.len() + extra.len()
            && current.iter().zip(outputs.iter().chain(extra)).all(|(a, b)| a.id == b.id && a.name == b.name);
        if same {
            return Ok(self.plan);
        }
        let exprs = outputs.iter().chain(extra).map(|c| match self.items.get(&c.id) {
            Some((e, _)) if !self.available.contains(&c.id) => Named { expr: e.clone(), column: c.clone() },
            _ => Named::pass(c),
        });
        Ok(Arc::new(LogicalPlan::Project { exprs: exprs.collect(), input: self.plan }))
    }
}
