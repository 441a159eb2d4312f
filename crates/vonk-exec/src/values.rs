//! Rows of the query itself.

use crate::context::TaskContext;
use crate::operator::{BoxedOperator, Operator};
use arrow::array::RecordBatch;
use vonk_error::Result;
use vonk_physical::ValuesBatch;

/// Makes the operator.
pub(crate) fn operator(cx: &TaskContext, values: &ValuesBatch) -> Result<BoxedOperator> {
    let batch = if cx.partition == 0 { values.0.clone() } else { values.0.slice(0, 0) };
    Ok(Box::new(Slices::new(batch, cx.query.batch_rows)))
}

/// A batch in slices.
pub(crate) struct Slices {
    batch: RecordBatch,
    rows: usize,
    at: usize,
}

impl Slices {
    /// Slices of at most `rows` rows.
    pub fn new(batch: RecordBatch, rows: usize) -> Self {
        Slices { batch, rows: rows.max(1), at: 0 }
    }

    /// The next slice.
    pub fn take(&mut self) -> Option<RecordBatch> {
        let n = self.rows.min(self.batch.num_rows() - self.at);
        let slice = (n > 0).then(|| self.batch.slice(self.at, n));
        self.at += n;
        slice
    }
}

impl Operator for Slices {
    fn next(&mut self) -> Result<Option<RecordBatch>> {
        Ok(self.take())
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{batch_of, run_with, values};
    use arrow::array::Int32Array;
    use std::sync::Arc;

    #[test]
    fn values_come_in_batches_and_only_once() {
        let batch = batch_of(vec![Arc::new(Int32Array::from_iter_values(0..10))]);
        assert_eq!(run_with(values(batch.clone()), None, 3, 0).unwrap(), batch);
        assert_eq!(run_with(values(batch), None, 3, 1).unwrap().num_rows(), 0);
    }
}
