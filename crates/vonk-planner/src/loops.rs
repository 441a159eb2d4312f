//! Recursive common table expressions: plans that the driver runs round by round before the query that reads their rows.

use crate::planned::{Distribution, Planned, schema};
use crate::planner::{PhysicalQuery, Planner, Subplans};
use vonk_error::Result;
use vonk_physical::{DriverTable, PhysicalPlan};
use vonk_plan::logical::{Column, Loop, LoopId};
use vonk_types::StructType;

/// Rows that a loop is taken to make, and a round of it: nothing is known before it has run.
const UNKNOWN_ROWS: f64 = 1_000.0;

/// A loop. It depends on nothing around it but the working tables of loops that it is a step of.
#[derive(Debug, Clone)]
pub struct LoopPlan {
    /// Number within the query, as in [`DriverTable`].
    pub id: u32,
    /// Columns of the rows.
    pub schema: StructType,
    /// The first round.
    pub anchor: PhysicalQuery,
    /// Each further one; reads [`DriverTable::Working`].
    pub step: PhysicalQuery,
    /// More rounds with rows are an error.
    pub max_rounds: Option<u64>,
    /// So many rows are an error.
    pub max_rows: Option<u64>,
    /// Rows that are enough.
    pub fetch: Option<u64>,
}

/// Loops met while planning.
#[derive(Default)]
pub(crate) struct Loops {
    /// Those to run before the query, with what tells that two are the same.
    pub planned: Vec<(LoopId, LoopPlan)>,
    /// Those whose step is being planned.
    pub enclosing: Vec<(LoopId, u32)>,
}

impl Planner<'_> {
    /// A read of all rows of a loop.
    pub(crate) fn loop_rows(&mut self, l: &Loop) -> Result<Planned> {
        let known = self.loops.planned.iter().find(|(id, p)| *id == l.id && p.fetch == l.fetch);
        let id = match known {
            Some((_, p)) => p.id,
            None => self.plan_loop(l)?,
        };
        let rows = l.fetch.map_or(UNKNOWN_ROWS, |n| UNKNOWN_ROWS.min(n as f64));
        Ok(read(DriverTable::Loop(id), &l.columns, rows))
    }

    /// A read of what the round before made.
    pub(crate) fn working_table(&self, id: LoopId, columns: &[Column]) -> Result<Planned> {
        let Some((_, number)) = self.loops.enclosing.iter().rev().find(|(l, _)| *l == id) else {
            return vonk_error::internal_err!("a working table outside of its loop");
        };
        Ok(read(DriverTable::Working(*number), columns, UNKNOWN_ROWS))
    }

    fn plan_loop(&mut self, l: &Loop) -> Result<u32> {
        let id = self.subplans.next;
        self.subplans.next += 1;
        let anchor = self.nested(|p| p.plan_query(&l.anchor))?;
        let step = self.nested(|p| {
            p.loops.enclosing.push((l.id, id));
            p.plan_query(&l.step)
        })?;
        let (max_rounds, max_rows, fetch) = (l.max_rounds, l.max_rows, l.fetch);
        let plan = LoopPlan { id, schema: schema(&l.columns), anchor, step, max_rounds, max_rows, fetch };
        self.loops.planned.push((l.id, plan));
        Ok(id)
    }

    /// Plans a query of its own, which may be run again and again: with subqueries and loops of its own.
    fn nested<T>(&mut self, f: impl FnOnce(&mut Planner<'_>) -> Result<T>) -> Result<T> {
        let mut inner = Planner::new(self.options, self.registry);
        inner.subplans = Subplans::from(self.subplans.next);
        inner.next_filter = self.next_filter;
        inner.loops.enclosing = self.loops.enclosing.clone();
        let made = f(&mut inner);
        self.subplans.next = inner.subplans.next;
        self.next_filter = inner.next_filter;
        made
    }
}

fn read(table: DriverTable, columns: &[Column], rows: f64) -> Planned {
    Planned::new(PhysicalPlan::Driver(table), columns.to_vec(), Distribution::Single, rows)
}
