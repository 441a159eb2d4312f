//! One input of a join: which of its columns are kept, and where its keys are.

use crate::batch::with_rows;
use crate::context::TaskContext;
use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType as ArrowType, Field, Schema, SchemaRef};
use std::sync::Arc;
use vonk_error::Result;
use vonk_eval::{BoundExpr, EvaluatorSet};
use vonk_functions::RowPosition;
use vonk_physical::PlanNode;

/// Brings rows of an input into the form they are held in.
pub(crate) struct Side {
    /// The form.
    pub form: Form,
    /// Positions in the input of the columns kept.
    columns: Vec<usize>,
    /// Keys that must be computed.
    computed: EvaluatorSet,
    position: RowPosition,
}

/// How rows of an input are held: the columns that are read above or by the condition, then keys that are not columns.
#[derive(Clone)]
pub(crate) struct Form {
    /// Columns.
    pub schema: SchemaRef,
    /// Positions of the keys among them.
    keys: Vec<usize>,
}

impl Form {
    /// Keys of rows.
    pub fn keys(&self, held: &RecordBatch) -> Vec<ArrayRef> {
        self.keys.iter().map(|k| held.column(*k).clone()).collect()
    }

    /// Types of the keys.
    pub fn key_types(&self) -> Vec<ArrowType> {
        self.keys.iter().map(|k| self.schema.field(*k).data_type().clone()).collect()
    }
}

impl Side {
    /// For an input of which `needed` columns are read.
    pub fn new(cx: &TaskContext, input: &PlanNode, keys: &[BoundExpr], needed: &[usize]) -> Result<Side> {
        let mut columns = needed.to_vec();
        columns.extend(keys.iter().filter_map(|k| match k {
            BoundExpr::Column { index, .. } => Some(*index),
            _ => None,
        }));
        columns.sort_unstable();
        columns.dedup();
        let mut types: Vec<ArrowType> =
            columns.iter().map(|c| input.schema.fields[*c].data_type.to_arrow()).collect();
        let (mut positions, mut computed) = (vec![], vec![]);
        for key in keys {
            let kept = match key {
                BoundExpr::Column { index, .. } => columns.binary_search(index).ok(),
                _ => None,
            };
            positions.push(kept.unwrap_or_else(|| {
                computed.push(key.clone());
                types.push(key.data_type().to_arrow());
                types.len() - 1
            }));
        }
        let fields = types.into_iter().enumerate().map(|(i, t)| Field::new(format!("c{i}"), t, true));
        Ok(Side {
            columns,
            computed: EvaluatorSet::new(&computed, &cx.query.env)?,
            form: Form { schema: Arc::new(Schema::new(fields.collect::<Vec<_>>())), keys: positions },
            position: RowPosition { partition: cx.partition, first_row: 0 },
        })
    }

    /// Where a column of the input is held, if it is.
    pub fn held(&self, column: usize) -> Option<usize> {
        self.columns.binary_search(&column).ok()
    }

    /// Rows of the input in the form they are held in.
    pub fn hold(&mut self, batch: &RecordBatch) -> Result<RecordBatch> {
        let mut columns: Vec<ArrayRef> = self.columns.iter().map(|c| batch.column(*c).clone()).collect();
        if !self.computed.is_empty() {
            columns.extend(self.computed.evaluate_arrays(batch, self.position)?);
        }
        self.position.first_row += batch.num_rows() as u64;
        with_rows(&self.form.schema, columns, batch.num_rows())
    }
}
