//! Union and coalesce: which partitions of which inputs a partition is made of.

use crate::batch::with_rows;
use crate::build;
use crate::context::TaskContext;
use crate::operator::{BoxedOperator, Operator};
use arrow::array::{ArrayData, RecordBatch, make_array};
use arrow::datatypes::{DataType, SchemaRef};
use std::collections::VecDeque;
use vonk_error::{Error, Result};
use vonk_physical::PlanNode;

/// Partitions of all inputs, one input after the other. A broadcast input would have been read whole already, so each
/// partition lies in exactly one input.
pub(crate) fn union(cx: &TaskContext, node: &PlanNode, inputs: &[PlanNode]) -> Result<BoxedOperator> {
    let mut partition = cx.partition;
    for input in inputs {
        let n = input.partitions();
        if partition < n {
            let input_operator = build::operator(&TaskContext { partition, ..cx.clone() }, input)?;
            let (have, want) = (input.schema.to_arrow_schema(), node.schema.to_arrow_schema());
            let same = have.fields().iter().zip(want.fields()).all(|(a, b)| a.data_type() == b.data_type());
            return Ok(if same {
                input_operator
            } else {
                Box::new(Relabel { schema: want, input: input_operator })
            });
        }
        partition -= n;
    }
    Err(Error::internal(format!("partition {} of a union", cx.partition)))
}

/// Gives columns the names that their types' fields have in the first input.
struct Relabel {
    schema: SchemaRef,
    input: BoxedOperator,
}

impl Operator for Relabel {
    fn next(&mut self) -> Result<Option<RecordBatch>> {
        let Some(batch) = self.input.next()? else { return Ok(None) };
        let columns = batch.columns().iter().zip(self.schema.fields());
        let columns = columns.map(|(c, f)| Ok(make_array(relabel(c.to_data(), f.data_type())?)));
        with_rows(&self.schema, columns.collect::<Result<_>>()?, batch.num_rows()).map(Some)
    }
}

/// The same values under a type that differs in the names of fields only.
fn relabel(data: ArrayData, to: &DataType) -> Result<ArrayData> {
    if data.data_type() == to {
        return Ok(data);
    }
    let children: Vec<&DataType> = match to {
        DataType::Struct(fields) => fields.iter().map(|f| f.data_type()).collect(),
        DataType::List(f) | DataType::Map(f, _) => vec![f.data_type()],
        _ => return vonk_error::internal_err!("{} among the inputs of a union of {to}", data.data_type()),
    };
    let parts = data.child_data().iter().cloned().zip(children);
    let parts = parts.map(|(part, t)| relabel(part, t)).collect::<Result<Vec<_>>>()?;
    Ok(data.into_builder().data_type(to.clone()).child_data(parts).build()?)
}

/// Groups of neighbouring input partitions, read one after the other.
pub(crate) fn coalesce(cx: &TaskContext, partitions: u32, input: &PlanNode) -> Result<BoxedOperator> {
    let n = u64::from(input.partitions());
    let bound = |p: u64| n * p / u64::from(partitions.max(1));
    let p = u64::from(cx.partition);
    let parts = bound(p)..bound(p + 1).min(n);
    // Each fits: it is below the input's number of partitions.
    let parts = parts.map(|p| TaskContext { partition: p as u32, ..cx.clone() }).collect();
    Ok(Box::new(Coalesce { parts, node: input.clone(), current: None }))
}

struct Coalesce {
    parts: VecDeque<TaskContext>,
    node: PlanNode,
    current: Option<BoxedOperator>,
}

impl Operator for Coalesce {
    fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(current) = &mut self.current {
                if let Some(batch) = current.next()? {
                    return Ok(Some(batch));
                }
                self.current = None;
            }
            let Some(cx) = self.parts.pop_front() else { return Ok(None) };
            cx.check_cancelled()?;
            self.current = Some(build::operator(&cx, &self.node)?);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{batch_of, node, run_with, values as values_of};
    use arrow::array::{Array, ArrayRef, AsArray, Int64Array, ListArray, StructArray};
    use arrow::buffer::OffsetBuffer;
    use arrow::datatypes::{DataType as ArrowType, Field, Int64Type};
    use std::sync::Arc;
    use vonk_physical::{PhysicalPlan, PlanNode};
    use vonk_types::DataType;

    fn range(start: i64, end: i64, partitions: u32) -> PlanNode {
        node(&[DataType::Long], PhysicalPlan::Range { start, end, step: 1, partitions })
    }

    fn rows(plan: &PlanNode, partition: u32) -> Vec<i64> {
        let rows = run_with(plan.clone(), None, 4, partition).unwrap();
        rows.column(0).as_primitive::<Int64Type>().values().to_vec()
    }

    #[test]
    fn a_union_has_the_partitions_of_its_inputs() {
        let inputs = vec![range(0, 4, 2), range(10, 13, 1)];
        let plan = node(&[DataType::Long], PhysicalPlan::Union { inputs });
        assert_eq!(plan.partitions(), 3);
        let got: Vec<_> = (0..3).map(|p| rows(&plan, p)).collect();
        assert_eq!(got, [vec![0, 1], vec![2, 3], vec![10, 11, 12]]);
    }

    #[test]
    fn fields_are_named_as_in_the_first_input() {
        let one = |name: &str, value: i64| {
            let field = Arc::new(Field::new(name, ArrowType::Int64, true));
            let values: ArrayRef = Arc::new(Int64Array::from(vec![value]));
            let inner: ArrayRef = Arc::new(StructArray::from(vec![(field, values)]));
            let lists = ListArray::new(
                Arc::new(Field::new("element", inner.data_type().clone(), true)),
                OffsetBuffer::from_lengths([1]),
                inner,
                None,
            );
            values_of(batch_of(vec![Arc::new(lists)]))
        };
        let inputs = vec![one("a", 1), one("b", 2)];
        let plan = PlanNode::new(inputs[0].schema.clone(), PhysicalPlan::Union { inputs });
        let rows = run_with(plan, None, 4, 1).unwrap();
        let values = rows.column(0).as_list::<i32>().values().as_struct().clone();
        assert_eq!(values.column_names(), ["a"]);
        assert_eq!(values.column(0).as_primitive::<Int64Type>().value(0), 2);
    }

    #[test]
    fn coalesce_loses_nothing() {
        for partitions in 1..8 {
            let input = Box::new(range(0, 20, 5));
            let plan = node(&[DataType::Long], PhysicalPlan::Coalesce { partitions, input });
            let all: Vec<i64> = (0..partitions).flat_map(|p| rows(&plan, p)).collect();
            assert_eq!(all, (0..20).collect::<Vec<_>>());
        }
    }
}
