//! Aggregations: partial before and final after the exchange, or complete in place.

use crate::calls::bind_aggregate;
use crate::grouping_sets::GroupingSets;
use crate::planned::{Distribution, Planned};
use crate::planner::{Planner, Required, column_ids};
use vonk_error::Result;
use vonk_eval::BoundExpr;
use vonk_physical::{AggregateMode, AggregateSpec, HashAggregate, Partitioning, PhysicalPlan};
use vonk_plan::logical::{AggregateExpr, Column, Expr, LogicalPlan, Named};

impl Planner<'_> {
    pub(crate) fn aggregate(
        &mut self,
        groups: &[Named<Expr>],
        aggregates: &[Named<AggregateExpr>],
        input: &LogicalPlan,
        rows: f64,
    ) -> Result<Planned> {
        if let Some(sets) = GroupingSets::of(self, groups, aggregates, input) {
            return self.grouping_sets(groups, aggregates, &sets, rows);
        }
        let mut needed = Required::new();
        groups.iter().for_each(|g| g.expr.collect_columns(&mut needed));
        aggregates.iter().flat_map(|a| a.expr.exprs()).for_each(|e| e.collect_columns(&mut needed));
        let below = self.visit(input, &needed)?;
        let (keys, specs) = self.bind_groups(groups, aggregates, &below)?;
        let columns = output_columns(groups, aggregates);
        let ids = column_ids(groups.iter().map(|g| &g.expr));

        let in_place = below.partitions() == 1
            || matches!((&below.distribution, &ids), (Distribution::Hash(have, _), Some(want))
                if !have.is_empty() && have.iter().all(|h| want.contains(h)));
        let needs_all_rows = specs.iter().any(|s| s.distinct || !s.order_by.is_empty());
        let distribution = output_distribution(&below.distribution, groups);
        if in_place {
            return Ok(node(AggregateMode::Complete, keys, specs, below, columns, distribution, rows));
        }
        let partitions = self.options.partitions_for(below.bytes);
        let key_ids: Vec<_> = groups.iter().map(|g| g.column.id).collect();
        if needs_all_rows {
            let moved =
                if groups.is_empty() { below.single() } else { below.hashed(keys.clone(), ids, partitions) };
            let distribution = Distribution::Hash(key_ids, partitions);
            return Ok(node(AggregateMode::Complete, keys, specs, moved, columns, distribution, rows));
        }
        // A partial aggregation judges itself at run time.
        self.two_phases(groups, keys, specs, below, columns, rows)
    }

    /// Keys and calls over what is below.
    pub(crate) fn bind_groups(
        &mut self,
        groups: &[Named<Expr>],
        aggregates: &[Named<AggregateExpr>],
        below: &Planned,
    ) -> Result<(Vec<BoundExpr>, Vec<AggregateSpec>)> {
        let mut binder = self.binder(&below.columns);
        let keys = groups.iter().map(|g| binder.bind(&g.expr)).collect::<Result<Vec<_>>>()?;
        let specs =
            aggregates.iter().map(|a| bind_aggregate(&mut binder, &a.expr)).collect::<Result<Vec<_>>>()?;
        let specs = specs.into_iter().map(|s| self.with_state_types(s)).collect::<Result<Vec<_>>>()?;
        Ok((keys, specs))
    }

    fn two_phases(
        &mut self,
        groups: &[Named<Expr>],
        keys: Vec<BoundExpr>,
        specs: Vec<AggregateSpec>,
        below: Planned,
        columns: Vec<Column>,
        rows: f64,
    ) -> Result<Planned> {
        let parts = f64::from(below.partitions());
        let partial_rows = (rows * parts).min(below.rows());
        let state_columns = partial_columns(groups, &specs);
        let bytes = bytes_of(partial_rows, &state_columns);
        let partial = node(
            AggregateMode::Partial,
            keys,
            specs.clone(),
            below,
            state_columns,
            Distribution::Any,
            partial_rows,
        );
        Ok(self.merged(groups, specs, Planned { bytes, ..partial }, columns, rows))
    }

    /// The final phase over keys and states: equal keys are brought together first, where they may be apart.
    pub(crate) fn merged(
        &self,
        groups: &[Named<Expr>],
        specs: Vec<AggregateSpec>,
        states: Planned,
        columns: Vec<Column>,
        rows: f64,
    ) -> Planned {
        let key = |(i, g): (usize, &Named<Expr>)| BoundExpr::column(i, g.column.data_type.clone());
        let keys: Vec<BoundExpr> = groups.iter().enumerate().map(key).collect();
        let moved = if groups.is_empty() || states.partitions() == 1 {
            states.single()
        } else {
            let partitions = self.options.partitions_for(states.bytes);
            let by = Distribution::Hash(groups.iter().map(|g| g.column.id).collect(), partitions);
            states.exchanged(Partitioning::Hash { keys: keys.clone(), partitions }, by)
        };
        let distribution = moved.distribution.clone();
        node(AggregateMode::Final, keys, specs, moved, columns, distribution, rows)
    }
}

/// Columns of a finished aggregation: keys, then results.
pub(crate) fn output_columns(groups: &[Named<Expr>], aggregates: &[Named<AggregateExpr>]) -> Vec<Column> {
    groups.iter().map(|g| g.column.clone()).chain(aggregates.iter().map(|a| a.column.clone())).collect()
}

/// Bytes that so many rows of these columns are expected to have.
pub(crate) fn bytes_of(rows: f64, columns: &[Column]) -> f64 {
    vonk_optimizer::statistics::Estimate { rows, ..Default::default() }.bytes(columns)
}

/// Columns of a partial aggregation: keys, then all states. State columns have no identity of their own.
pub(crate) fn partial_columns(groups: &[Named<Expr>], specs: &[AggregateSpec]) -> Vec<Column> {
    let mut out: Vec<Column> = groups.iter().map(|g| g.column.clone()).collect();
    for (i, spec) in specs.iter().enumerate() {
        for (k, t) in spec.state_types.iter().enumerate() {
            out.push(Column {
                id: vonk_plan::ColumnId(u64::MAX),
                name: format!("state{i}_{k}").into(),
                data_type: t.clone(),
                nullable: true,
            });
        }
    }
    out
}

fn output_distribution(below: &Distribution, groups: &[Named<Expr>]) -> Distribution {
    match below {
        Distribution::Hash(ids, n) => ids
            .iter()
            .map(|id| {
                let g = groups.iter().find(|g| matches!(&g.expr, Expr::Column(c) if c.id == *id))?;
                Some(g.column.id)
            })
            .collect::<Option<Vec<_>>>()
            .map_or(Distribution::Any, |ids| Distribution::Hash(ids, *n)),
        other => other.clone(),
    }
}

pub(crate) fn node(
    mode: AggregateMode,
    groups: Vec<BoundExpr>,
    aggregates: Vec<AggregateSpec>,
    input: Planned,
    columns: Vec<Column>,
    distribution: Distribution,
    rows: f64,
) -> Planned {
    let plan =
        PhysicalPlan::HashAggregate(HashAggregate { mode, groups, aggregates, input: Box::new(input.node) });
    Planned::new(plan, columns, distribution, rows)
}
