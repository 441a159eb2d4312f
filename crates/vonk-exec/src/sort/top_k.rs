//! The first `k` rows of a sort, without sorting the others.
//!
//! Rows collect until there are twice as many as needed; then all but the best `k` go, and the last of those becomes the mark
//! that later rows must beat. Most batches are then refused by one vectorised comparison with the mark's first key.

use super::keys::SortKeys;
use super::order::sorted_indices;
use super::sorter::{Sorted, Sorter};
use crate::batch::{array_bytes, batch_bytes, compact, concatenated, with_rows};
use crate::context::TaskContext;
use crate::limit::Limit;
use crate::memory::Reservation;
use crate::operator::{BoxedOperator, Operator};
use crate::values::Slices;
use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, Scalar, UInt32Array};
use arrow::buffer::BooleanBuffer;
use arrow::compute::kernels::cmp;
use arrow::compute::{SortOptions, filter, filter_record_batch, take};
use arrow::row::OwnedRow;
use vonk_error::Result;
use vonk_physical::SortKey;

/// Rows collected at least before the best are picked.
const MIN_ROWS: usize = 2048;

pub(super) struct TopK {
    cx: TaskContext,
    keys: SortKeys,
    k: usize,
    input: Option<BoxedOperator>,
    kept: Vec<RecordBatch>,
    rows: usize,
    bytes: usize,
    reservation: Reservation,
    mark: Option<Mark>,
    /// Takes over if even the best rows do not fit into memory.
    sorter: Option<Sorter>,
    output: Output,
}

/// The `k`-th best row so far.
struct Mark {
    row: OwnedRow,
    /// Its first key, one row.
    first: ArrayRef,
}

enum Output {
    Nothing,
    Memory(Slices),
    Sorted(Limit),
}

impl TopK {
    pub fn new(
        cx: &TaskContext,
        keys: &[SortKey],
        k: u64,
        input: BoxedOperator,
        sorter: Sorter,
    ) -> Result<Self> {
        Ok(TopK {
            keys: SortKeys::new(cx, keys)?,
            k: usize::try_from(k).unwrap_or(usize::MAX),
            input: Some(input),
            kept: Vec::new(),
            rows: 0,
            bytes: 0,
            reservation: cx.exec.memory.reservation("top k"),
            mark: None,
            sorter: Some(sorter),
            output: Output::Nothing,
            cx: cx.clone(),
        })
    }

    fn run(&mut self, mut input: BoxedOperator) -> Result<()> {
        let mut overflow: Option<Sorter> = None;
        while let Some(batch) = input.next()? {
            self.cx.check_cancelled()?;
            let Some(batch) = self.promising(batch)? else { continue };
            match &mut overflow {
                Some(sorter) => sorter.push(batch)?,
                None => {
                    if !self.keep(batch)? {
                        // The mark stays: what it refuses is refused for good.
                        let mut sorter = self.sorter.take();
                        if let Some(sorter) = &mut sorter {
                            std::mem::take(&mut self.kept).into_iter().try_for_each(|b| sorter.push(b))?;
                        }
                        (self.rows, self.bytes) = (0, 0);
                        let _ = self.reservation.try_resize(0);
                        overflow = sorter;
                    }
                }
            }
        }
        drop(input);
        self.output = match overflow {
            Some(sorter) => {
                let sorted = Box::new(Pull(sorter.finish()?));
                Output::Sorted(Limit::new(sorted, 0, Some(self.k as u64)))
            }
            None => {
                self.pick()?;
                match self.kept.pop() {
                    Some(best) => Output::Memory(Slices::new(best, self.cx.query.batch_rows)),
                    None => Output::Nothing,
                }
            }
        };
        Ok(())
    }

    /// The rows of a batch that come before the mark; `None` if there are none.
    fn promising(&mut self, batch: RecordBatch) -> Result<Option<RecordBatch>> {
        let Some(mark) = &self.mark else { return Ok(Some(batch)) };
        let keys = self.keys.evaluate(&batch)?;
        // A quick look at the first key, then all keys of what is left.
        let mask = not_after(&keys[0], &mark.first, self.keys.options[0])?;
        let (batch, keys) = match mask.true_count() {
            0 => return Ok(None),
            n if n == batch.num_rows() => (batch, keys),
            _ => {
                let keys = keys.iter().map(|k| filter(k, &mask)).collect::<Result<Vec<_>, _>>()?;
                (filter_record_batch(&batch, &mask)?, keys)
            }
        };
        let rows = self.keys.rows(&keys)?;
        let before = BooleanBuffer::collect_bool(rows.num_rows(), |i| rows.row(i) < mark.row.row());
        Ok(match before.count_set_bits() {
            0 => None,
            n if n == rows.num_rows() => Some(batch),
            _ => Some(filter_record_batch(&batch, &BooleanArray::new(before, None))?),
        })
    }

    /// Keeps rows; `false` if memory is refused (they are kept all the same, for the sorter to take over).
    fn keep(&mut self, batch: RecordBatch) -> Result<bool> {
        let batch = compact(&batch)?;
        self.rows += batch.num_rows();
        self.bytes += batch_bytes(&batch);
        self.kept.push(batch);
        if self.rows >= self.k.saturating_mul(2).max(MIN_ROWS) {
            self.pick()?;
        }
        if self.reservation.try_resize(self.bytes) {
            return Ok(true);
        }
        self.pick()?;
        Ok(self.reservation.try_resize(self.bytes))
    }

    /// Leaves only the best `k` rows, sorted.
    fn pick(&mut self) -> Result<()> {
        let Some(first) = self.kept.first() else { return Ok(()) };
        let schema = first.schema();
        let all = concatenated(&schema, &self.kept)?;
        let keys = self.keys.evaluate(&all)?;
        let mut order = sorted_indices(&self.keys, &keys, all.num_rows())?;
        order.truncate(self.k);
        let order = UInt32Array::from(order);
        let columns = all.columns().iter().map(|c| take(c, &order, None)).collect::<Result<Vec<_>, _>>()?;
        let best = compact(&with_rows(&schema, columns, order.len())?)?;
        if order.len() == self.k && self.k > 0 {
            let last = order.slice(self.k - 1, 1);
            let keys = keys.iter().map(|k| take(k, &last, None)).collect::<Result<Vec<_>, _>>()?;
            if let Some(first) = keys.first() {
                let row = self.keys.rows(&keys)?.row(0).owned();
                self.mark = Some(Mark { row, first: first.clone() });
            }
        }
        self.rows = best.num_rows();
        self.bytes = best.columns().iter().map(array_bytes).sum();
        self.kept = vec![best];
        Ok(())
    }
}

/// True where a value is equal to the mark or sorts before it.
fn not_after(values: &ArrayRef, mark: &ArrayRef, options: SortOptions) -> Result<BooleanArray> {
    let n = values.len();
    let all = || BooleanArray::new(BooleanBuffer::new_set(n), None);
    let t = values.data_type();
    if t.is_nested() || t.is_null() {
        return Ok(all());
    }
    let nulls = values.nulls().filter(|x| x.null_count() > 0);
    if mark.is_null(0) {
        // Nulls tie with the mark; values come before it only if nulls come last.
        return Ok(match (options.nulls_first, nulls) {
            (false, _) => all(),
            (true, None) => BooleanArray::new(BooleanBuffer::new_unset(n), None),
            (true, Some(nulls)) => BooleanArray::new(!nulls.inner(), None),
        });
    }
    let mark = Scalar::new(mark.clone());
    let found = if options.descending { cmp::gt_eq(values, &mark)? } else { cmp::lt_eq(values, &mark)? };
    let bits = match nulls {
        None => found.values().clone(),
        Some(nulls) if options.nulls_first => &(found.values() & nulls.inner()) | &!nulls.inner(),
        Some(nulls) => found.values() & nulls.inner(),
    };
    Ok(BooleanArray::new(bits, None))
}

impl Operator for TopK {
    fn next(&mut self) -> Result<Option<RecordBatch>> {
        if let Some(input) = self.input.take() {
            if self.k == 0 {
                return Ok(None);
            }
            self.run(input)?;
        }
        match &mut self.output {
            Output::Nothing => Ok(None),
            Output::Memory(slices) => Ok(slices.take()),
            Output::Sorted(limit) => limit.next(),
        }
    }
}

/// Sorted rows as an operator.
struct Pull(Sorted);

impl Operator for Pull {
    fn next(&mut self) -> Result<Option<RecordBatch>> {
        self.0.next()
    }
}
