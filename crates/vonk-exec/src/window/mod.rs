//! Window functions over sorted input.
//!
//! The input is cut into *chunks* of whole window partitions, of at least a batch each, and every function is computed over a
//! chunk at once: many small partitions cost no more than one large one. Of a chunk, the columns that functions read must fit
//! into memory; the input need not.

mod aggregate;
mod bounds;
mod frames;
mod function;
mod waiting;

use crate::batch::{compact, concatenated, with_rows};
use crate::build;
use crate::context::TaskContext;
use crate::operator::{BoxedOperator, Operator};
use crate::project::Position;
use crate::sort::options_of;
use crate::spill::SpillReader;
use crate::values::Slices;
use aggregate::AggregateOver;
use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::{SortOptions, partition};
use arrow::datatypes::SchemaRef;
use frames::Frames;
use function::FunctionOver;
use std::ops::Range;
use vonk_error::Result;
use vonk_eval::{BoundExpr, EvaluatorSet};
use vonk_functions::RowPosition;
use vonk_functions::normalize::normalize_floats;
use vonk_physical::{PlanNode, Window, WindowFrame, WindowSpec};
use waiting::{Ended, Waiting};

/// Makes the operator.
pub(crate) fn operator(cx: &TaskContext, node: &PlanNode, plan: &Window) -> Result<BoxedOperator> {
    let order: Vec<BoundExpr> = plan.order_by.iter().map(|k| k.expr.clone()).collect();
    let functions = plan.functions.iter().map(|f| {
        Ok(match f {
            WindowSpec::Aggregate { call, frame } => {
                let over = AggregateOver::new(cx, call)?;
                Call { frame: Some(frame.clone()), kind: Kind::Aggregate(Box::new(over)) }
            }
            WindowSpec::Function { function, args, frame, ignore_nulls, data_type, span } => {
                let over = FunctionOver::new(cx, function, args, *ignore_nulls, data_type, *span)?;
                let frame = frame.clone().filter(|_| over.uses_frame());
                Call { frame, kind: Kind::Function(Box::new(over)) }
            }
        })
    });
    Ok(Box::new(WindowOperator {
        functions: functions.collect::<Result<_>>()?,
        partition_by: EvaluatorSet::new(&plan.partition_by, &cx.query.env)?,
        order_by: EvaluatorSet::new(&order, &cx.query.env)?,
        order_types: plan.order_by.iter().map(|k| k.expr.data_type()).collect(),
        options: options_of(&plan.order_by),
        schema: node.schema.to_arrow_schema(),
        position: Position::new(cx),
        waiting: Waiting::new(cx, cx.metrics.node(node.id), plan),
        last_key: Vec::new(),
        output: Output::Nothing,
        input: Some(build::operator(cx, &plan.input)?),
        cx: cx.clone(),
    }))
}

struct Call {
    frame: Option<WindowFrame>,
    kind: Kind,
}

enum Kind {
    Aggregate(Box<AggregateOver>),
    Function(Box<FunctionOver>),
}

struct WindowOperator {
    cx: TaskContext,
    functions: Vec<Call>,
    partition_by: EvaluatorSet,
    order_by: EvaluatorSet,
    order_types: Vec<vonk_types::DataType>,
    options: Vec<SortOptions>,
    schema: SchemaRef,
    position: Position,
    /// Rows of partitions that may go on.
    waiting: Waiting,
    /// The partition of the last row that waits, one row per key.
    last_key: Vec<ArrayRef>,
    output: Output,
    input: Option<BoxedOperator>,
}

/// The rows of a chunk with their functions' values.
enum Output {
    Nothing,
    Memory(Slices),
    /// Rows from disk, values from memory.
    Spilled {
        rows: SpillReader,
        values: Vec<ArrayRef>,
        at: usize,
    },
}

/// A chunk as the functions see it.
pub(crate) struct Chunk {
    pub batch: RecordBatch,
    pub position: RowPosition,
    /// Rows of each partition.
    pub partitions: Vec<Range<usize>>,
    /// Rows of each peer group; no group lies in two partitions.
    pub peers: Vec<Range<usize>>,
    /// ORDER BY keys in their normal form, with types and directions.
    pub order: Vec<ArrayRef>,
    pub order_types: Vec<vonk_types::DataType>,
    pub options: Vec<SortOptions>,
}

impl Operator for WindowOperator {
    fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.output.next(&self.schema)? {
                return Ok(Some(batch));
            }
            self.output = Output::Nothing;
            self.cx.check_cancelled()?;
            let ended = match self.input.as_mut().map(|i| i.next()).transpose()?.flatten() {
                Some(batch) => self.add(compact(&batch)?)?,
                None => {
                    self.input = None;
                    Some(self.waiting.take()?)
                }
            };
            match ended {
                Some(ended) if !ended.batches.is_empty() => self.output = self.compute(ended)?,
                _ if self.input.is_none() => return Ok(None),
                _ => {}
            }
        }
    }
}

impl Output {
    fn next(&mut self, schema: &SchemaRef) -> Result<Option<RecordBatch>> {
        match self {
            Output::Nothing => Ok(None),
            Output::Memory(slices) => Ok(slices.take()),
            Output::Spilled { rows, values, at } => {
                let Some(batch) = rows.next()? else { return Ok(None) };
                let n = batch.num_rows();
                let mut columns = batch.columns().to_vec();
                columns.extend(values.iter().map(|v| v.slice(*at, n)));
                *at += n;
                with_rows(schema, columns, n).map(Some)
            }
        }
    }
}

impl WindowOperator {
    /// Adds a batch; the rows that wait up to the last end of a partition, if they are enough for a chunk.
    fn add(&mut self, batch: RecordBatch) -> Result<Option<Ended>> {
        let keys = self.partition_keys(&batch, RowPosition::default())?;
        let rows = batch.num_rows();
        let begins = if self.waiting.rows() > 0 && !self.goes_on(&keys)? { Some(0) } else { None };
        let inside = equal_runs(&keys, rows)?.last().map(|r| r.start).filter(|s| *s > 0);
        self.last_key = keys.iter().map(|k| k.slice(rows - 1, 1)).collect();
        let enough = |b: &usize| self.waiting.rows() + b >= self.cx.query.batch_rows;
        let Some(border) = inside.or(begins).filter(enough) else {
            self.waiting.push(batch)?;
            return Ok(None);
        };
        if border > 0 {
            self.waiting.push(batch.slice(0, border))?;
        }
        let ended = self.waiting.take()?;
        self.waiting.push(batch.slice(border, rows - border))?;
        Ok(Some(ended))
    }

    fn partition_keys(&mut self, batch: &RecordBatch, position: RowPosition) -> Result<Vec<ArrayRef>> {
        let keys = self.partition_by.evaluate_arrays(batch, position)?;
        keys.iter().map(normalize_floats).collect()
    }

    /// Whether the first row of these keys is in the partition of the last row that waits.
    fn goes_on(&self, keys: &[ArrayRef]) -> Result<bool> {
        let both = keys.iter().zip(&self.last_key);
        let pairs = both.map(|(k, last)| arrow::compute::concat(&[last.as_ref(), k.slice(0, 1).as_ref()]));
        let pairs = pairs.collect::<Result<Vec<_>, _>>()?;
        Ok(equal_runs(&pairs, 2)?.len() == 1)
    }

    fn compute(&mut self, ended: Ended) -> Result<Output> {
        let batch = match ended.batches.as_slice() {
            [one] => one.clone(),
            many => concatenated(&many[0].schema(), many)?,
        };
        drop(ended.batches);
        let rows = batch.num_rows();
        let values = self.values(batch.clone())?;
        if let Some(file) = ended.file {
            return Ok(Output::Spilled { rows: file.reader()?, values, at: 0 });
        }
        let mut columns = batch.columns().to_vec();
        columns.extend(values);
        let out = with_rows(&self.schema, columns, rows)?;
        Ok(Output::Memory(Slices::new(out, self.cx.query.batch_rows)))
    }

    /// The values of all functions over a chunk.
    fn values(&mut self, batch: RecordBatch) -> Result<Vec<ArrayRef>> {
        let (rows, position) = (batch.num_rows(), self.position.of(&batch));
        let mut keys = self.partition_keys(&batch, position)?;
        let partitions = equal_runs(&keys, rows)?;
        let order = self.order_by.evaluate_arrays(&batch, position)?;
        let order = order.iter().map(normalize_floats).collect::<Result<Vec<_>>>()?;
        keys.extend(order.iter().cloned());
        let peers = equal_runs(&keys, rows)?;
        let (order_types, options) = (self.order_types.clone(), self.options.clone());
        let chunk = Chunk { batch, position, partitions, peers, order, order_types, options };

        let mut frames: Vec<(WindowFrame, Frames)> = Vec::new();
        let mut columns = Vec::with_capacity(self.functions.len());
        for call in &mut self.functions {
            self.cx.check_cancelled()?;
            let frames = match &call.frame {
                None => None,
                Some(spec) => {
                    let known = frames.iter().position(|(s, _)| s == spec);
                    let at = match known {
                        Some(at) => at,
                        None => {
                            frames.push((spec.clone(), Frames::new(spec, &chunk, &self.cx)?));
                            frames.len() - 1
                        }
                    };
                    Some(&frames[at].1)
                }
            };
            columns.push(match (&mut call.kind, frames) {
                (Kind::Aggregate(over), Some(frames)) => over.compute(&chunk, frames)?,
                (Kind::Aggregate(_), None) => {
                    return vonk_error::internal_err!("an aggregate without a frame");
                }
                (Kind::Function(over), frames) => over.compute(&chunk, frames)?,
            });
        }
        Ok(columns)
    }
}

/// Runs of rows equal in all columns; one run if there are no columns.
fn equal_runs(columns: &[ArrayRef], rows: usize) -> Result<Vec<Range<usize>>> {
    if rows == 0 {
        return Ok(vec![]);
    }
    let columns: Vec<ArrayRef> = columns.iter().filter(|c| !c.data_type().is_null()).cloned().collect();
    if columns.is_empty() {
        return Ok(std::iter::once(0..rows).collect());
    }
    Ok(partition(&columns)?.ranges())
}

#[cfg(test)]
mod tests;
