//! Sorts a partition: in memory, or by merging sorted runs from disk; the first rows only, where that is enough.

mod keys;
mod merge;
mod order;
mod sorter;
mod top_k;

pub(crate) use keys::options_of;
pub(crate) use sorter::{Sorted, Sorter};

use crate::build;
use crate::context::TaskContext;
use crate::operator::{BoxedOperator, Operator};
use arrow::array::RecordBatch;
use vonk_error::Result;
use vonk_physical::{PlanNode, Sort};

/// Makes the operator.
pub(crate) fn operator(cx: &TaskContext, node: &PlanNode, plan: &Sort) -> Result<BoxedOperator> {
    let input = build::operator(cx, &plan.input)?;
    let sorter = Sorter::new(cx, node, &plan.keys)?;
    Ok(match plan.fetch {
        Some(n) => Box::new(top_k::TopK::new(cx, &plan.keys, n, input, sorter)?),
        None => Box::new(SortOperator { cx: cx.clone(), state: State::Reading(input, Box::new(sorter)) }),
    })
}

struct SortOperator {
    cx: TaskContext,
    state: State,
}

enum State {
    Reading(BoxedOperator, Box<Sorter>),
    Sorted(Sorted),
    Done,
}

impl Operator for SortOperator {
    fn next(&mut self) -> Result<Option<RecordBatch>> {
        if let State::Reading(input, sorter) = &mut self.state {
            while let Some(batch) = input.next()? {
                self.cx.check_cancelled()?;
                sorter.push(batch)?;
            }
            // The input goes, with the memory it holds, before the output begins.
            if let State::Reading(_, sorter) = std::mem::replace(&mut self.state, State::Done) {
                self.state = State::Sorted(sorter.finish()?);
            }
        }
        match &mut self.state {
            State::Sorted(sorted) => sorted.next(),
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests;
