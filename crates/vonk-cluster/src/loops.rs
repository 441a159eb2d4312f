//! Recursive common table expressions: round by round, each a job over the rows of the round before, until a round makes none.

use crate::query::Run;
use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use std::borrow::Cow;
use vonk_error::{Error, Result};
use vonk_physical::{DriverTable, PhysicalPlan, PlanNode, ValuesBatch};
use vonk_planner::LoopPlan;

/// Rows that the driver has, for plans to read.
pub(crate) type Tables = Vec<(DriverTable, RecordBatch)>;

impl Run<'_> {
    /// Runs a loop; afterwards its rows are among the tables.
    pub(crate) fn run_loop(&mut self, plan: &LoopPlan) -> Result<()> {
        let mut all: Vec<RecordBatch> = Vec::new();
        let (mut total, mut rounds) = (0u64, 0u64);
        let mut round = self.rows_of(&plan.anchor, plan)?;
        let outer_shift = self.seed_shift;
        while round.num_rows() > 0 {
            rounds += 1;
            if let Some(limit) = plan.max_rounds.filter(|m| rounds > *m) {
                return Err(
                    Error::new("RECURSION_LEVEL_LIMIT_EXCEEDED").with("levelLimit", limit.to_string())
                );
            }
            total += round.num_rows() as u64;
            all.push(round.clone());
            match (plan.fetch, plan.max_rows) {
                (Some(enough), _) if total >= enough => break,
                (None, Some(limit)) if total >= limit => {
                    return Err(
                        Error::new("RECURSION_ROW_LIMIT_EXCEEDED").with("rowLimit", limit.to_string())
                    );
                }
                _ => {}
            }
            self.set_table(DriverTable::Working(plan.id), round);
            round = self.rows_of(&plan.step, plan)?;
            self.seed_shift += 1;
        }
        self.seed_shift = outer_shift;
        self.tables.retain(|(t, _)| *t != DriverTable::Working(plan.id));
        let rows = concat_batches(&plan.schema.to_arrow_schema(), &all)?;
        self.set_table(DriverTable::Loop(plan.id), rows);
        Ok(())
    }

    /// The rows of one round, under the names of the loop's columns.
    fn rows_of(&mut self, query: &vonk_planner::PhysicalQuery, plan: &LoopPlan) -> Result<RecordBatch> {
        let root = self.prepare(query.clone())?;
        let schema = plan.schema.to_arrow_schema();
        let batches = self.collect(&root)?;
        let named = batches
            .into_iter()
            .map(|b| Ok(RecordBatch::try_new(schema.clone(), b.columns().to_vec())?))
            .collect::<Result<Vec<_>>>()?;
        Ok(concat_batches(&schema, &named)?)
    }

    fn set_table(&mut self, table: DriverTable, rows: RecordBatch) {
        self.tables.retain(|(t, _)| *t != table);
        self.tables.push((table, rows));
    }
}

/// The plan with the driver's rows in the places that read them: the plan itself if there are none.
pub(crate) fn with_tables<'p>(root: &'p PlanNode, tables: &Tables) -> Result<Cow<'p, PlanNode>> {
    let mut reads = false;
    root.visit(&mut |node| reads |= matches!(node.plan, PhysicalPlan::Driver(_)));
    if !reads {
        return Ok(Cow::Borrowed(root));
    }
    let mut root = root.clone();
    let mut missing = false;
    root.visit_mut(&mut |node| {
        if let PhysicalPlan::Driver(table) = &node.plan {
            match tables.iter().find(|(t, _)| t == table) {
                Some((_, rows)) => node.plan = PhysicalPlan::Values(ValuesBatch(rows.clone())),
                None => missing = true,
            }
        }
    });
    if missing {
        return vonk_error::internal_err!("a loop was not run before its rows are read");
    }
    Ok(Cow::Owned(root))
}
