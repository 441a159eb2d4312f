//! Rows made of rows (`explode`, `inline`, `stack`).

use crate::batch::with_rows;
use crate::build;
use crate::context::TaskContext;
use crate::operator::{BoxedOperator, Operator};
use crate::project::Position;
use crate::values::Slices;
use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::SchemaRef;
use std::sync::Arc;
use vonk_error::{Error, Result, Span};
use vonk_eval::EvaluatorSet;
use vonk_functions::{Generated, GeneratorFunction, KernelCall, RowPosition};
use vonk_physical::{Generate, PlanNode};
use vonk_types::{DataType, StructType};

/// Batches aimed at for one call of the generator: a call that makes more gets fewer rows the next time.
const BATCHES_PER_CALL: usize = 4;

/// Makes the operator.
pub(crate) fn operator(cx: &TaskContext, node: &PlanNode, plan: &Generate) -> Result<BoxedOperator> {
    let function = cx.query.env.registry.generator(&plan.function)?.clone();
    let args = EvaluatorSet::new(&plan.args, &cx.query.env)?;
    let made = node.schema.fields.get(plan.projection.len()..).unwrap_or_default();
    if made.len() != plan.generated.len() {
        return Err(Error::internal("a generator's columns and its node's differ"));
    }
    Ok(Box::new(GenerateOperator {
        outer: plan.outer || function.outer,
        arg_types: args.data_types(),
        made: DataType::Struct(StructType::new(made.to_vec())),
        function,
        args,
        projection: plan.projection.clone(),
        schema: node.schema.to_arrow_schema(),
        position: Position::new(cx),
        call_rows: cx.query.batch_rows,
        waiting: None,
        ready: None,
        input: build::operator(cx, &plan.input)?,
        cx: cx.clone(),
    }))
}

struct GenerateOperator {
    cx: TaskContext,
    function: Arc<GeneratorFunction>,
    outer: bool,
    args: EvaluatorSet,
    arg_types: Vec<DataType>,
    /// The generated columns as a struct.
    made: DataType,
    projection: Vec<usize>,
    schema: SchemaRef,
    position: Position,
    /// Input rows per call.
    call_rows: usize,
    /// The rest of an input batch.
    waiting: Option<RecordBatch>,
    /// Made rows.
    ready: Option<Slices>,
    input: BoxedOperator,
}

impl Operator for GenerateOperator {
    fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.ready.as_mut().and_then(Slices::take) {
                return Ok(Some(batch));
            }
            self.cx.check_cancelled()?;
            let batch = match self.waiting.take() {
                Some(batch) => batch,
                None => match self.input.next()? {
                    Some(batch) => batch,
                    None => return Ok(None),
                },
            };
            let n = self.call_rows.clamp(1, batch.num_rows());
            if n < batch.num_rows() {
                self.waiting = Some(batch.slice(n, batch.num_rows() - n));
            }
            let part = batch.slice(0, n);
            let position = self.position.of(&part);
            let made = self.generate(&part, position)?;
            let target = self.cx.query.batch_rows.saturating_mul(BATCHES_PER_CALL);
            self.call_rows = (target.saturating_mul(n) / made.num_rows().max(1)).max(1);
            self.ready = Some(Slices::new(made, self.cx.query.batch_rows));
        }
    }
}

impl GenerateOperator {
    fn generate(&mut self, batch: &RecordBatch, position: RowPosition) -> Result<RecordBatch> {
        let args = self.args.evaluate(batch, position)?;
        let rows = batch.num_rows();
        let Generated { rows: from, mut columns } = (self.function.kernel)(&KernelCall {
            args: &args,
            arg_types: &self.arg_types,
            lambdas: &[],
            return_type: &self.made,
            rows,
            ctx: &self.cx.query.env.ctx,
            position,
            span: Span::NONE,
        })?;
        let from = match self.outer.then(|| with_childless(&from, rows)).flatten() {
            None => from,
            Some((from, made)) => {
                for c in &mut columns {
                    *c = take(c, &made, None)?;
                }
                from
            }
        };
        let mut out = Vec::with_capacity(self.projection.len() + columns.len());
        for i in &self.projection {
            out.push(take(batch.column(*i), &from, None)?);
        }
        out.extend(columns);
        with_rows(&self.schema, out, from.len())
    }
}

/// Adds the input rows that made nothing: for each output row the input row it comes from, and which made row it is (null for
/// the added ones). `None` if there are none to add.
fn with_childless(from: &UInt32Array, rows: usize) -> Option<(UInt32Array, UInt32Array)> {
    let from = from.values();
    let mut parents = Vec::with_capacity(from.len());
    let mut made: Vec<Option<u32>> = Vec::with_capacity(from.len());
    let mut at = 0;
    for row in 0..rows as u32 {
        let begin = at;
        while at < from.len() && from[at] == row {
            parents.push(row);
            made.push(Some(at as u32));
            at += 1;
        }
        if at == begin {
            parents.push(row);
            made.push(None);
        }
    }
    (made.len() > from.len()).then(|| (parents.into(), made.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn childless_rows_get_a_row_of_nulls() {
        let from = UInt32Array::from(vec![1, 1, 3]);
        let (parents, made) = with_childless(&from, 5).unwrap();
        assert_eq!(&parents.values()[..], [0, 1, 1, 2, 3, 4]);
        assert_eq!(made, UInt32Array::from(vec![None, Some(0), Some(1), None, Some(2), None]));
        assert!(with_childless(&UInt32Array::from(vec![0, 1, 1]), 2).is_none());
    }
}
