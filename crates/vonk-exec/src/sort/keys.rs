//! Sort keys: evaluated, in the form in which Arrow's order is Spark's, and as comparable bytes.

use crate::context::TaskContext;
use crate::project::Position;
use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::SortOptions;
use arrow::row::{RowConverter, Rows, SortField};
use vonk_error::Result;
use vonk_eval::{BoundExpr, EvaluatorSet};
use vonk_functions::normalize::normalize_floats;
use vonk_physical::SortKey;

/// Directions and places of nulls.
pub(crate) fn options_of(keys: &[SortKey]) -> Vec<SortOptions> {
    keys.iter().map(|k| SortOptions { descending: k.descending, nulls_first: k.nulls_first }).collect()
}

/// The keys of a sort.
pub(crate) struct SortKeys {
    exprs: EvaluatorSet,
    pub options: Vec<SortOptions>,
    converter: RowConverter,
    position: Position,
}

impl SortKeys {
    pub fn new(cx: &TaskContext, keys: &[SortKey]) -> Result<Self> {
        let exprs: Vec<BoundExpr> = keys.iter().map(|k| k.expr.clone()).collect();
        let options = options_of(keys);
        let fields = keys.iter().zip(&options);
        let fields = fields.map(|(k, o)| SortField::new_with_options(k.expr.data_type().to_arrow(), *o));
        Ok(SortKeys {
            exprs: EvaluatorSet::new(&exprs, &cx.query.env)?,
            converter: RowConverter::new(fields.collect())?,
            options,
            position: Position::new(cx),
        })
    }

    /// The keys of a batch, floats in their normal form.
    pub fn evaluate(&mut self, batch: &RecordBatch) -> Result<Vec<ArrayRef>> {
        let columns = self.exprs.evaluate_arrays(batch, self.position.of(batch))?;
        columns.iter().map(normalize_floats).collect()
    }

    /// Evaluated keys as bytes that compare as the keys do. Without keys all rows are equal.
    pub fn rows(&self, columns: &[ArrayRef]) -> Result<Rows> {
        Ok(self.converter.convert_columns(columns)?)
    }
}
