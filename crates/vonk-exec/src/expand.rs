//! Each row once per projection (grouping sets, distinct aggregates).

use crate::batch::with_rows;
use crate::build;
use crate::context::TaskContext;
use crate::operator::{BoxedOperator, Operator};
use crate::project::Position;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use vonk_error::Result;
use vonk_eval::EvaluatorSet;
use vonk_functions::RowPosition;
use vonk_physical::{Expand, PlanNode};

/// Makes the operator.
pub(crate) fn operator(cx: &TaskContext, node: &PlanNode, expand: &Expand) -> Result<BoxedOperator> {
    let sets = expand.projections.iter().map(|p| EvaluatorSet::new(p, &cx.query.env));
    let projections = sets.collect::<Result<Vec<_>>>()?;
    Ok(Box::new(ExpandOperator {
        next: projections.len(),
        projections,
        schema: node.schema.to_arrow_schema(),
        position: Position::new(cx),
        current: None,
        input: build::operator(cx, &expand.input)?,
    }))
}

struct ExpandOperator {
    projections: Vec<EvaluatorSet>,
    schema: SchemaRef,
    position: Position,
    /// The batch being put out, and which projection of it is next.
    current: Option<(RecordBatch, RowPosition)>,
    next: usize,
    input: BoxedOperator,
}

impl Operator for ExpandOperator {
    fn next(&mut self) -> Result<Option<RecordBatch>> {
        if self.next >= self.projections.len() {
            let Some(batch) = self.input.next()? else { return Ok(None) };
            let position = self.position.of(&batch);
            self.current = Some((batch, position));
            self.next = 0;
        }
        let (Some((batch, position)), Some(exprs)) = (&self.current, self.projections.get_mut(self.next))
        else {
            return Ok(None);
        };
        self.next += 1;
        let columns = exprs.evaluate_arrays(batch, *position)?;
        with_rows(&self.schema, columns, batch.num_rows()).map(Some)
    }
}
