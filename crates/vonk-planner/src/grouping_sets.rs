//! Grouping sets: rows are summed up once, by all the columns that any set groups by, and it is the groups that are repeated for each set, not
//! the rows.
//!
//! `GROUP BY ROLLUP (a, b)` is an aggregation over an Expand that gives each row once a set, with the columns that the set leaves out
//! null. Where the states of groups by `(a, b)` merge into those of coarser groups with exactly the same results, the Expand goes above a
//! partial aggregation by `(a, b)` (as data cubes are computed from their finest group-by: Gray et al., "Data Cube", 1997).

use crate::aggregate::{bytes_of, node, output_columns, partial_columns};
use crate::planned::{Distribution, Planned};
use crate::planner::{Planner, Required};
use vonk_error::Result;
use vonk_eval::BoundExpr;
use vonk_functions::aggregate::Regrouping;
use vonk_physical::{AggregateMode, Expand, PhysicalPlan};
use vonk_plan::logical::{AggregateExpr, Column, ColumnId, Expr, LogicalPlan, Named};
use vonk_types::DataType;

/// An aggregation by grouping sets, taken apart.
pub(crate) struct GroupingSets<'a> {
    /// Input of the Expand.
    input: &'a LogicalPlan,
    /// The columns that sets group by.
    finest: Vec<&'a Column>,
    /// For each set, the keys: a column of `finest`, or a constant.
    sets: Vec<Vec<&'a Expr>>,
}

impl<'a> GroupingSets<'a> {
    /// What an aggregation over an Expand is, if it may be computed from its finest groups.
    pub fn of(
        planner: &Planner<'_>,
        groups: &[Named<Expr>],
        aggregates: &[Named<AggregateExpr>],
        input: &'a LogicalPlan,
    ) -> Option<GroupingSets<'a>> {
        let LogicalPlan::Expand { projections, columns, input } = input else { return None };
        let place = |id: ColumnId| columns.iter().position(|c| c.id == id);
        // What the calls look at is the same in every projection, and goes by the same name below.
        let passed = |id: ColumnId| {
            let Some(at) = place(id) else { return false };
            projections.iter().all(|p| matches!(&p[at], Expr::Column(c) if c.id == id))
        };
        for call in aggregates {
            let mut columns = Required::new();
            call.expr.exprs().for_each(|e| e.collect_columns(&mut columns));
            if !columns.iter().all(|c| passed(*c)) || !regroups(planner, &call.expr) {
                return None;
            }
        }
        let keys: Vec<usize> = groups
            .iter()
            .map(|g| match &g.expr {
                Expr::Column(c) => place(c.id),
                _ => None,
            })
            .collect::<Option<_>>()?;
        let mut finest: Vec<&Column> = Vec::new();
        for e in projections.iter().flat_map(|p| keys.iter().map(|k| &p[*k])) {
            match e {
                Expr::Column(c) if !finest.iter().any(|f| f.id == c.id) => finest.push(c),
                Expr::Column(_) | Expr::Literal(_) => {}
                _ => return None,
            }
        }
        // Without keys a partial aggregation has a group even where there are no rows.
        if finest.is_empty() {
            return None;
        }
        let sets = projections.iter().map(|p| keys.iter().map(|k| &p[*k]).collect()).collect();
        Some(GroupingSets { input, finest, sets })
    }
}

/// Whether the states of finer groups give exactly what the rows would.
fn regroups(planner: &Planner<'_>, call: &AggregateExpr) -> bool {
    let Ok(function) = planner.registry.aggregate(&call.function) else { return false };
    let exact = |e: &Expr| match e {
        // Sums of these are whole numbers that doubles hold.
        Expr::Cast { expr, .. } if expr.data_type().is_integral() => expr.data_type() != DataType::Long,
        e => !matches!(e.data_type(), DataType::Float | DataType::Double),
    };
    !call.distinct
        && call.order_by.is_empty()
        && match function.regrouping {
            Regrouping::Rounds => false,
            Regrouping::Exact => true,
            Regrouping::ExactUnlessFloating => call.args.iter().all(exact),
        }
}

impl Planner<'_> {
    /// Partial aggregation by the finest groups, Expand, final aggregation. `rows`: groups of all sets that are expected.
    pub(crate) fn grouping_sets(
        &mut self,
        groups: &[Named<Expr>],
        aggregates: &[Named<AggregateExpr>],
        sets: &GroupingSets<'_>,
        rows: f64,
    ) -> Result<Planned> {
        let mut needed: Required = sets.finest.iter().map(|c| c.id).collect();
        aggregates.iter().flat_map(|a| a.expr.exprs()).for_each(|e| e.collect_columns(&mut needed));
        let below = self.visit(sets.input, &needed)?;
        let finest: Vec<Named<Expr>> = sets.finest.iter().map(|c| Named::pass(c)).collect();
        let (keys, specs) = self.bind_groups(&finest, aggregates, &below)?;
        let parts = f64::from(below.partitions());
        let partial_rows = (rows * parts).min(below.rows());
        let state_columns = partial_columns(&finest, &specs);
        let (mode, distribution) = (AggregateMode::Partial, Distribution::Any);
        let partial = node(mode, keys, specs.clone(), below, state_columns, distribution, partial_rows);

        // Each group once a set: its keys, then the states as they are.
        let columns = partial_columns(groups, &specs);
        let states = columns.len() - groups.len();
        let mut binder = self.binder(&partial.columns);
        let mut projections = Vec::with_capacity(sets.sets.len());
        for set in &sets.sets {
            let mut row = set.iter().map(|e| binder.bind(e)).collect::<Result<Vec<BoundExpr>>>()?;
            let first = finest.len();
            row.extend((0..states).map(|i| {
                let t = partial.columns[first + i].data_type.clone();
                BoundExpr::column(first + i, t)
            }));
            projections.push(row);
        }
        let repeated = partial_rows * sets.sets.len() as f64;
        let bytes = bytes_of(repeated, &columns);
        let expand = PhysicalPlan::Expand(Expand { projections, input: Box::new(partial.node) });
        let expanded = Planned { bytes, ..Planned::new(expand, columns, Distribution::Any, repeated) };
        Ok(self.merged(groups, specs, expanded, output_columns(groups, aggregates), rows))
    }
}
