//! Rows for which a predicate is true.

use crate::build;
use crate::context::TaskContext;
use crate::gather::Gather;
use crate::operator::{BoxedOperator, Operator};
use crate::project::Position;
use arrow::array::RecordBatch;
use vonk_error::Result;
use vonk_eval::{BoundExpr, Evaluator};
use vonk_physical::PlanNode;

/// Makes the operator.
pub(crate) fn operator(
    cx: &TaskContext,
    predicate: &BoundExpr,
    projection: &[usize],
    input: &PlanNode,
) -> Result<BoxedOperator> {
    let schema = input.schema.to_arrow_schema().project(projection)?;
    Ok(Box::new(Filter {
        cx: cx.clone(),
        predicate: Evaluator::new(predicate, &cx.query.env)?,
        projection: projection.to_vec(),
        position: Position::new(cx),
        gather: Gather::new(schema.into(), cx.query.batch_rows),
        input: build::operator(cx, input)?,
        done: false,
    }))
}

struct Filter {
    cx: TaskContext,
    predicate: Evaluator,
    projection: Vec<usize>,
    position: Position,
    gather: Gather,
    input: BoxedOperator,
    done: bool,
}

impl Operator for Filter {
    fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.gather.ready()? {
                return Ok(Some(batch));
            }
            if self.done {
                return self.gather.rest();
            }
            let Some(batch) = self.input.next()? else {
                self.done = true;
                continue;
            };
            self.cx.check_cancelled()?;
            let keep = self.predicate.evaluate_filter(&batch, self.position.of(&batch))?;
            match keep.true_count() {
                0 => {}
                n if n == batch.num_rows() => self.gather.push(batch.project(&self.projection)?)?,
                _ => self.gather.push_filtered(batch.project(&self.projection)?, &keep)?,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{batch_of, column, node, run_with, values};
    use arrow::array::{Array, ArrayRef, AsArray, Int32Array, StringViewArray};
    use arrow::datatypes::Int32Type;
    use std::sync::Arc;
    use vonk_eval::BoundExpr;
    use vonk_physical::PhysicalPlan;
    use vonk_types::{CompareOp, DataType, Literal};

    fn filtered(op: CompareOp, bound: i32, projection: Vec<usize>) -> arrow::array::RecordBatch {
        let numbers: ArrayRef = Arc::new(Int32Array::from_iter((0..1000).map(|i| (i % 7 != 0).then_some(i))));
        let texts: ArrayRef = Arc::new(StringViewArray::from_iter_values((0..1000).map(|i| format!("t{i}"))));
        let types: Vec<DataType> =
            projection.iter().map(|i| [DataType::Int, DataType::String][*i].clone()).collect();
        let predicate = BoundExpr::Compare {
            op,
            left: Box::new(column(0, DataType::Int)),
            right: Box::new(BoundExpr::Literal(Literal::int(bound))),
        };
        let input = Box::new(values(batch_of(vec![numbers, texts])));
        run_with(node(&types, PhysicalPlan::Filter { predicate, projection, input }), None, 64, 0).unwrap()
    }

    #[test]
    fn null_is_not_true_and_columns_are_dropped() {
        let few = filtered(CompareOp::Lt, 5, vec![1]);
        let texts: Vec<&str> = few.column(0).as_string_view().iter().flatten().collect();
        assert_eq!(texts, ["t1", "t2", "t3", "t4"]);
        let most = filtered(CompareOp::GtEq, 2, vec![1, 0]);
        let numbers = most.column(1).as_primitive::<Int32Type>();
        let expected: Vec<i32> = (2..1000).filter(|i| i % 7 != 0).collect();
        assert_eq!((&numbers.values()[..], numbers.null_count()), (&expected[..], 0));
        assert_eq!(filtered(CompareOp::Gt, 5000, vec![0]).num_rows(), 0);
        assert_eq!(filtered(CompareOp::Lt, 100, vec![]).num_rows(), 85);
    }
}
