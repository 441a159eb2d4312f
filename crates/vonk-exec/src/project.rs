//! New columns from old.

use crate::batch::with_rows;
use crate::build;
use crate::context::TaskContext;
use crate::operator::{BoxedOperator, Operator};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use vonk_error::Result;
use vonk_eval::{BoundExpr, EvaluatorSet};
use vonk_functions::RowPosition;
use vonk_physical::PlanNode;

/// Makes the operator.
pub(crate) fn operator(
    cx: &TaskContext,
    node: &PlanNode,
    exprs: &[BoundExpr],
    input: &PlanNode,
) -> Result<BoxedOperator> {
    Ok(Box::new(Project {
        exprs: EvaluatorSet::new(exprs, &cx.query.env)?,
        schema: node.schema.to_arrow_schema(),
        position: Position::new(cx),
        input: build::operator(cx, input)?,
    }))
}

struct Project {
    exprs: EvaluatorSet,
    schema: SchemaRef,
    position: Position,
    input: BoxedOperator,
}

impl Operator for Project {
    fn next(&mut self) -> Result<Option<RecordBatch>> {
        let Some(batch) = self.input.next()? else { return Ok(None) };
        let columns = self.exprs.evaluate_arrays(&batch, self.position.of(&batch))?;
        with_rows(&self.schema, columns, batch.num_rows()).map(Some)
    }
}

/// Counts rows, to tell expressions where a batch lies in its partition.
pub(crate) struct Position(RowPosition);

impl Position {
    /// At the beginning of the task's partition.
    pub fn new(cx: &TaskContext) -> Self {
        Position(RowPosition { partition: cx.partition, first_row: 0 })
    }

    /// The place of the next batch.
    pub fn of(&mut self, batch: &RecordBatch) -> RowPosition {
        let this = self.0;
        self.0.first_row += batch.num_rows() as u64;
        this
    }
}
