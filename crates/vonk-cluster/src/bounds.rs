//! Bounds of range partitionings, from samples (Spark's RangePartitioner).

use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::{SortColumn, SortOptions, concat, lexsort_to_indices};
use vonk_error::Result;
use vonk_functions::normalize::normalize_floats;
use vonk_physical::{Exchange, Partitioning, PhysicalPlan, PlanNode, Sampling, SortKey};
use vonk_types::{Literal, StructField, StructType};

/// Rows of a sample for each partition that is to be bounded.
const SAMPLE_PER_PARTITION: f64 = 2_000.0;

/// A plan of the sample for a range exchange: the keys of a part of its input.
pub(crate) fn sample_plan(exchange: &Exchange, keys: &[SortKey], partitions: u32) -> PlanNode {
    let input = &exchange.input;
    let wanted = SAMPLE_PER_PARTITION * f64::from(partitions);
    let share = input.estimated_rows.map_or(1.0, |rows| (wanted / (rows.max(1) as f64)).min(1.0));
    let mut node = (**input).clone();
    if share < 1.0 {
        let sampling = Sampling::share(share);
        let sample = PhysicalPlan::Sample { sampling, seed: 0x5eed, input: Box::new(node) };
        node = PlanNode::new(input.schema.clone(), sample);
    }
    let fields: Vec<StructField> =
        keys.iter().map(|k| StructField::new("key", k.expr.data_type(), true)).collect();
    let exprs = keys.iter().map(|k| k.expr.clone()).collect();
    PlanNode::new(StructType::new(fields), PhysicalPlan::Project { exprs, input: Box::new(node) })
}

/// `partitions - 1` bounds, ascending in the order of the keys, from sampled keys. Fewer where the sample has fewer distinct
/// rows.
pub(crate) fn bounds(sample: &[RecordBatch], keys: &[SortKey], partitions: u32) -> Result<Vec<Vec<Literal>>> {
    let rows: usize = sample.iter().map(RecordBatch::num_rows).sum();
    if rows == 0 || partitions < 2 {
        return Ok(vec![]);
    }
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(keys.len());
    for i in 0..keys.len() {
        let parts: Vec<&dyn arrow::array::Array> = sample.iter().map(|b| b.column(i).as_ref()).collect();
        columns.push(normalize_floats(&concat(&parts)?)?);
    }
    let sort_columns: Vec<SortColumn> = columns
        .iter()
        .zip(keys)
        .map(|(values, k)| SortColumn {
            values: values.clone(),
            options: Some(SortOptions { descending: k.descending, nulls_first: k.nulls_first }),
        })
        .collect();
    let order: UInt32Array = lexsort_to_indices(&sort_columns, None)?;
    let mut bounds: Vec<Vec<Literal>> = Vec::new();
    for p in 1..partitions as usize {
        let row = order.value((p * rows / partitions as usize).min(rows - 1)) as usize;
        let bound = columns
            .iter()
            .zip(keys)
            .map(|(c, k)| Literal::from_array(c, row, k.expr.data_type()))
            .collect::<Result<Vec<_>>>()?;
        if bounds.last() != Some(&bound) {
            bounds.push(bound);
        }
    }
    Ok(bounds)
}

/// Sets the bounds of every range exchange of a plan, inputs first; `run` runs a plan and gives its rows.
pub(crate) fn set_bounds(
    node: &mut PlanNode,
    run: &mut dyn FnMut(PlanNode) -> Result<Vec<RecordBatch>>,
) -> Result<()> {
    for input in node.plan.inputs_mut() {
        set_bounds(input, run)?;
    }
    let PhysicalPlan::Exchange(exchange) = &mut node.plan else { return Ok(()) };
    let Partitioning::Range { keys, partitions, bounds: None } = &exchange.partitioning else {
        return Ok(());
    };
    let (keys, partitions) = (keys.clone(), *partitions);
    let sample = run(sample_plan(exchange, &keys, partitions))?;
    let found = bounds(&sample, &keys, partitions)?;
    exchange.partitioning = Partitioning::Range { keys, partitions, bounds: Some(found) };
    Ok(())
}
