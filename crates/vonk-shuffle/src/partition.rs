//! Partitioners: which reduce partition each row goes to, for a whole batch at once.

use crate::partition_hash::hash_columns;
use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::{SortOptions, take};
use arrow::row::{OwnedRow, RowConverter, SortField};
use vonk_error::Result;

/// The partition of each row by a hash of its key columns. Equal keys (null equals null, NaN equals NaN, -0.0 equals 0.0) get
/// the same partition, whichever batch, task or process they are in.
pub fn hash_partitions(keys: &[ArrayRef], rows: usize, partitions: u32) -> Result<Vec<u32>> {
    let hashes = hash_columns(keys, rows)?;
    // The high bits scaled to the number of partitions: no division, and independent of tables that use the low ones.
    Ok(hashes.into_iter().map(|h| (((h >> 32) * u64::from(partitions)) >> 32) as u32).collect())
}

/// The partition of each row in turn, going on from `next`.
pub fn round_robin_partitions(rows: usize, partitions: u32, next: &mut u32) -> Vec<u32> {
    let partitions = partitions.max(1);
    let start = *next % partitions;
    *next = ((u64::from(start) + rows as u64) % u64::from(partitions)) as u32;
    let mut at = start;
    let step = |_| {
        let this = at;
        at = if at + 1 == partitions { 0 } else { at + 1 };
        this
    };
    (0..rows).map(step).collect()
}

/// Partitions by ranges of keys. Floats must be in their normal form.
pub struct RangePartitioner {
    converter: RowConverter,
    /// Upper bounds, ascending.
    bounds: Vec<OwnedRow>,
}

impl RangePartitioner {
    /// `bounds` has a column per key: row `p` is the greatest key of partition `p`; what is above all goes to the last one.
    pub fn new(bounds: &[ArrayRef], options: &[SortOptions]) -> Result<Self> {
        let fields = bounds.iter().zip(options);
        let fields = fields.map(|(b, o)| SortField::new_with_options(b.data_type().clone(), *o)).collect();
        let converter = RowConverter::new(fields)?;
        let rows = converter.convert_columns(bounds)?;
        let bounds = rows.iter().map(|r| r.owned()).collect();
        Ok(RangePartitioner { converter, bounds })
    }

    /// The partition of each row: how many bounds are below its key.
    pub fn partitions(&self, keys: &[ArrayRef]) -> Result<Vec<u32>> {
        let rows = self.converter.convert_columns(keys)?;
        // Neighbours are often in the same partition: try the last answer before searching.
        let mut last = 0usize;
        let mut find = |row: arrow::row::Row<'_>| {
            let above = self.bounds.get(last).is_none_or(|b| row <= b.row());
            let below = last == 0 || row > self.bounds[last - 1].row();
            if !(above && below) {
                last = self.bounds.partition_point(|b| b.row() < row);
            }
            last as u32
        };
        Ok(rows.iter().map(&mut find).collect())
    }
}

/// Rows of a batch in the order of their partitions (a stable counting sort).
pub struct Split {
    /// Row numbers, partition by partition.
    pub order: UInt32Array,
    /// Where each partition begins in `order`, and the end: `partitions + 1` numbers.
    pub offsets: Vec<usize>,
}

impl Split {
    /// Sorts rows by their partitions, each below `partitions`.
    pub fn new(ids: &[u32], partitions: u32) -> Split {
        let mut offsets = vec![0usize; partitions as usize + 1];
        for id in ids {
            offsets[*id as usize + 1] += 1;
        }
        for p in 1..offsets.len() {
            offsets[p] += offsets[p - 1];
        }
        let mut next = offsets.clone();
        let mut order = vec![0u32; ids.len()];
        for (row, id) in ids.iter().enumerate() {
            let slot = &mut next[*id as usize];
            order[*slot] = row as u32;
            *slot += 1;
        }
        Split { order: order.into(), offsets }
    }

    /// The rows of each partition that has any, as slices of one reordered batch.
    pub fn batches(&self, batch: &RecordBatch) -> Result<Vec<(u32, RecordBatch)>> {
        let columns = batch.columns().iter().map(|c| take(c, &self.order, None));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let sorted = RecordBatch::try_new_with_options(batch.schema(), columns, &options)?;
        let parts = self.offsets.windows(2).enumerate().filter(|(_, w)| w[1] > w[0]);
        Ok(parts.map(|(p, w)| (p as u32, sorted.slice(w[0], w[1] - w[0]))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{AsArray, Int64Array, StringViewArray};
    use arrow::datatypes::Int64Type;
    use std::sync::Arc;

    #[test]
    fn hashes_spread_and_split_keeps_the_order() {
        let keys: ArrayRef = Arc::new(Int64Array::from_iter_values(0..10_000));
        let ids = hash_partitions(std::slice::from_ref(&keys), 10_000, 7).unwrap();
        let batch = RecordBatch::try_from_iter([("k", keys)]).unwrap();
        let parts = Split::new(&ids, 7).batches(&batch).unwrap();
        assert_eq!(parts.len(), 7);
        assert_eq!(parts.iter().map(|(_, b)| b.num_rows()).sum::<usize>(), 10_000);
        for (p, b) in parts {
            assert!((1200..1700).contains(&b.num_rows()), "{}", b.num_rows());
            let values = b.column(0).as_primitive::<Int64Type>().values();
            assert!(values.is_sorted());
            assert!(values.iter().all(|v| ids[*v as usize] == p));
        }
    }

    #[test]
    fn round_robin_goes_on() {
        let mut next = 2;
        assert_eq!(round_robin_partitions(4, 3, &mut next), [2, 0, 1, 2]);
        assert_eq!(round_robin_partitions(2, 3, &mut next), [0, 1]);
    }

    #[test]
    fn ranges_by_upper_bounds() {
        let bounds: ArrayRef = Arc::new(StringViewArray::from(vec!["d", "m"]));
        let keys: ArrayRef = Arc::new(StringViewArray::from(vec![
            Some("z"),
            Some("d"),
            Some("da"),
            None,
            Some("m"),
            Some("a"),
        ]));
        let options = SortOptions { descending: false, nulls_first: true };
        let p = RangePartitioner::new(&[bounds], &[options]).unwrap();
        assert_eq!(p.partitions(&[keys]).unwrap(), [2, 0, 1, 0, 1, 0]);
    }

    #[test]
    fn descending_ranges() {
        let bounds: ArrayRef = Arc::new(Int64Array::from(vec![20, 10]));
        let keys: ArrayRef = Arc::new(Int64Array::from(vec![Some(25), Some(20), Some(15), None, Some(1)]));
        let options = SortOptions { descending: true, nulls_first: false };
        let p = RangePartitioner::new(&[bounds], &[options]).unwrap();
        assert_eq!(p.partitions(&[keys]).unwrap(), [0, 0, 1, 2, 2]);
    }
}
