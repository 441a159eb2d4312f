//! ORDER BY, SORT BY and LIMIT.

use crate::calls::bind_keys;
use crate::planned::{Distribution, Planned};
use crate::planner::{Planner, Required};
use vonk_error::Result;
use vonk_optimizer::statistics::estimate;
use vonk_physical::{Partitioning, PhysicalPlan, Sort};
use vonk_plan::logical::{LogicalPlan, SortExpr};

/// A sort of fewer rows is not worth a range partitioning: its sampling and its exchange cost more than one thread's sort.
const RANGE_PAYS_ABOVE: f64 = 200_000.0;
/// A top-k of more rows is sorted as a whole.
const TOP_K_LIMIT: u64 = 1_000_000;

impl Planner<'_> {
    pub(crate) fn sort(
        &mut self,
        keys: &[SortExpr],
        global: bool,
        fetch: Option<u64>,
        input: &LogicalPlan,
        required: &Required,
    ) -> Result<Planned> {
        let mut needed = required.clone();
        keys.iter().for_each(|k| k.expr.collect_columns(&mut needed));
        let below = self.visit(input, &needed)?;
        let bound = bind_keys(&mut self.binder(&below.columns), keys)?;
        let rows = below.rows().min(fetch.map_or(f64::INFINITY, |f| f as f64));
        if !global || below.partitions() == 1 {
            return Ok(sorted(below, bound, fetch, rows));
        }
        if fetch.is_some() {
            // Each partition's best, then the best of them.
            let partial = sorted(below, bound.clone(), fetch, rows);
            return Ok(sorted(partial.single(), bound, fetch, rows));
        }
        if below.rows() < RANGE_PAYS_ABOVE {
            return Ok(sorted(below.single(), bound, fetch, rows));
        }
        let partitions = self.options.partitions_for(below.bytes);
        let ranged = below.exchanged(
            Partitioning::Range { keys: bound.clone(), partitions, bounds: None },
            Distribution::Any,
        );
        Ok(sorted(ranged, bound, fetch, rows))
    }

    pub(crate) fn limit(
        &mut self,
        skip: u64,
        fetch: Option<u64>,
        input: &LogicalPlan,
        plan: &LogicalPlan,
        required: &Required,
    ) -> Result<Planned> {
        let take = fetch.map(|f| f.saturating_add(skip));
        let mut input = input;
        // ORDER BY … LIMIT is a top-k, also through projections of plain columns (which keep the order).
        let below = match (take, input) {
            (Some(n), LogicalPlan::Sort { keys, global: true, input }) if n <= TOP_K_LIMIT => {
                self.sort(keys, true, Some(n), input, required)?
            }
            _ => {
                while let LogicalPlan::Repartition { input: i, .. } = input {
                    input = i;
                }
                self.visit(input, required)?
            }
        };
        let rows = estimate(plan).rows;
        if below.partitions() == 1 {
            return Ok(limited(below, skip, fetch, rows));
        }
        let partial = match take {
            Some(_) => limited(below, 0, take, rows),
            None => below,
        };
        Ok(limited(partial.single(), skip, fetch, rows))
    }
}

/// Sorted within partitions.
pub(crate) fn sorted(
    input: Planned,
    keys: Vec<vonk_physical::SortKey>,
    fetch: Option<u64>,
    rows: f64,
) -> Planned {
    let (columns, distribution, bytes) = (input.columns, input.distribution, input.bytes);
    let plan = PhysicalPlan::Sort(Sort { keys, fetch, input: Box::new(input.node) });
    Planned { bytes, ..Planned::new(plan, columns, distribution, rows) }
}

fn limited(input: Planned, skip: u64, fetch: Option<u64>, rows: f64) -> Planned {
    let (columns, distribution) = (input.columns, input.distribution);
    Planned::new(
        PhysicalPlan::Limit { skip, fetch, input: Box::new(input.node) },
        columns,
        distribution,
        rows,
    )
}
