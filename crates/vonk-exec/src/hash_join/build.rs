//! The build side of a join: its rows taken in, in memory or split into spill files.

use super::side::Form;
use super::table::JoinTable;
use crate::batch::{batch_bytes, concatenated};
use crate::context::TaskContext;
use crate::memory::Reservation;
use arrow::array::RecordBatch;
use vonk_error::Result;

/// Bytes of a table per row beside the row.
const TABLE_BYTES_PER_ROW: usize = 24;

/// Rows are numbered in 32 bits: well before those end, the join goes to disk as if memory had been refused.
const MOST_ROWS: usize = 1 << 31;

/// Build rows being collected.
pub(crate) struct Collected {
    pub batches: Vec<RecordBatch>,
    pub reservation: Reservation,
    bytes: usize,
    rows: usize,
}

impl Collected {
    /// None yet.
    pub fn new(cx: &TaskContext) -> Self {
        Collected { batches: vec![], reservation: cx.exec.memory.reservation("join"), bytes: 0, rows: 0 }
    }

    /// Adds a batch and reserves what it will take in a table (its rows are copied together). If that is refused, the batch is
    /// not counted but held all the same, and the answer is `false`.
    #[must_use]
    pub fn push(&mut self, batch: RecordBatch) -> bool {
        let bytes = self.bytes + 2 * batch_bytes(&batch) + TABLE_BYTES_PER_ROW * batch.num_rows();
        let rows = self.rows + batch.num_rows();
        self.batches.push(batch);
        if rows > MOST_ROWS || !self.reservation.try_resize(bytes) {
            return false;
        }
        (self.bytes, self.rows) = (bytes, rows);
        true
    }

    /// As [`push`](Self::push), whatever the limit.
    pub fn force(&mut self, batch: RecordBatch) {
        let more = 2 * batch_bytes(&batch) + TABLE_BYTES_PER_ROW * batch.num_rows();
        self.rows += batch.num_rows();
        self.batches.push(batch);
        self.bytes += more;
        if !self.reservation.try_resize(self.bytes) {
            let missing = self.bytes.saturating_sub(self.reservation.bytes() as usize);
            self.reservation.grow(missing);
        }
    }

    /// A table of the rows, with the reservation that covers it.
    pub fn table(mut self, form: &Form, null_safe: &[bool]) -> Result<(JoinTable, Reservation)> {
        let rows = match self.batches.len() {
            1 => self.batches.remove(0),
            _ => concatenated(&form.schema, &self.batches)?,
        };
        self.batches.clear();
        let keys = form.keys(&rows);
        let table = JoinTable::new(rows, &keys, null_safe)?;
        // What it takes in truth; the reserve for copying is free again.
        let bytes = batch_bytes(&table.rows) + table.size();
        if !self.reservation.try_resize(bytes) {
            let missing = bytes.saturating_sub(self.reservation.bytes() as usize);
            self.reservation.grow(missing);
        }
        Ok((table, self.reservation))
    }
}
