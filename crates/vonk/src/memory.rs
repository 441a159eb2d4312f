//! Rows that a program has, as a table: what a DataFrame of many rows reads.
//!
//! Few rows are part of the plan (`Values`), which travels to executors and is folded with constants. Many would be copied with it; in the
//! process of the session they are read where they are, some columns of them or all, by as many tasks as there are slots.
//!
//! Must not know: how scans are planned. It is one more [`TableProvider`].

use crate::provider::{Batches, Scan, TableProvider};
use arrow::array::RecordBatch;
use vonk_error::Result;
use vonk_types::StructType;

/// Rows that can be part of a plan.
pub(crate) const FEW: usize = 10_000;
/// Rows of a partition at least, if there are so many: a task costs about what it takes to read some thousands.
const PARTITION: usize = 1 << 16;

/// Batches of one schema.
pub(crate) struct MemoryTable {
    schema: StructType,
    partitions: Vec<Vec<RecordBatch>>,
    rows: usize,
}

impl MemoryTable {
    /// Batches in the engine's types, for `slots` tasks at once.
    pub fn new(schema: StructType, batches: Vec<RecordBatch>, slots: usize) -> MemoryTable {
        let rows = batches.iter().map(RecordBatch::num_rows).sum();
        MemoryTable { schema, partitions: shared_out(batches, PARTITION.max(rows / slots.max(1))), rows }
    }
}

/// Partitions of about so many rows each, in the order of the rows.
fn shared_out(batches: Vec<RecordBatch>, target: usize) -> Vec<Vec<RecordBatch>> {
    let mut partitions = vec![Vec::new()];
    let mut held = 0;
    for batch in batches {
        let mut at = 0;
        while at < batch.num_rows() {
            if held >= target {
                partitions.push(Vec::new());
                held = 0;
            }
            let n = (batch.num_rows() - at).min(target - held);
            if let Some(last) = partitions.last_mut() {
                last.push(batch.slice(at, n));
            }
            (at, held) = (at + n, held + n);
        }
    }
    partitions
}

impl TableProvider for MemoryTable {
    fn schema(&self) -> StructType {
        self.schema.clone()
    }

    fn partitions(&self) -> usize {
        self.partitions.len()
    }

    fn rows(&self) -> Option<u64> {
        Some(self.rows as u64)
    }

    fn scan(&self, partition: usize, scan: &Scan) -> Result<Batches> {
        let batches = self.partitions.get(partition).cloned().unwrap_or_default();
        let (columns, step) = (scan.columns.clone(), scan.batch_rows.max(1));
        Ok(Box::new(batches.into_iter().flat_map(move |batch| {
            let wanted = batch.project(&columns);
            let starts = (0..batch.num_rows()).step_by(step);
            starts.map(move |at| match &wanted {
                Ok(b) => Ok(b.slice(at, step.min(b.num_rows() - at))),
                Err(e) => Err(vonk_error::Error::internal(e.to_string())),
            })
        })))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // A test fails by panicking.
    use super::*;
    use arrow::array::{ArrayRef, Int32Array};
    use std::sync::Arc;

    #[test]
    fn partitions_are_even_and_in_order() {
        let batch = |from: i32, to: i32| {
            let column: ArrayRef = Arc::new(Int32Array::from_iter_values(from..to));
            RecordBatch::try_from_iter([("n", column)]).unwrap()
        };
        let sizes = |batches: Vec<RecordBatch>, target| -> Vec<Vec<usize>> {
            let parts = shared_out(batches, target);
            parts.iter().map(|p| p.iter().map(RecordBatch::num_rows).collect()).collect()
        };
        assert_eq!(sizes(vec![batch(0, 10)], 4), [vec![4], vec![4], vec![2]]);
        assert_eq!(sizes(vec![batch(0, 3), batch(3, 6), batch(6, 7)], 4), [vec![3, 1], vec![2, 1]]);
        assert_eq!(sizes(vec![], 4), [Vec::<usize>::new()]);
    }
}
