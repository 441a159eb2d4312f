//! Merges sorted runs with a tree of losers (Knuth, volume 3, 5.4.1): one comparison per level and row.

use super::keys::SortKeys;
use crate::batch::{batch_bytes, with_rows};
use crate::context::TaskContext;
use crate::memory::Reservation;
use crate::metrics::NodeMetrics;
use crate::spill::{SpillFile, SpillReader, SpillWriter};
use arrow::array::{Array, RecordBatch};
use arrow::compute::interleave;
use arrow::datatypes::SchemaRef;
use arrow::row::Rows;
use std::cmp::Ordering;
use std::sync::Arc;
use vonk_error::Result;

/// Runs merged at once at most: each has a file open.
const MAX_FAN_IN: usize = 128;

/// A sorted run on disk.
pub(crate) struct Run {
    pub file: SpillFile,
    /// Bytes of its largest batch.
    pub batch_bytes: usize,
}

impl Run {
    /// Bytes that merging it takes: a batch and its keys.
    fn merge_bytes(&self) -> usize {
        self.batch_bytes * 2
    }
}

/// The merged rows of runs, in order; rows that are equal in the order of the runs.
pub(crate) struct Merge {
    cx: TaskContext,
    schema: SchemaRef,
    metrics: Arc<NodeMetrics>,
    reservation: Reservation,
    keys: SortKeys,
    cursors: Vec<Cursor>,
    tree: Losers,
    /// Batches that pending rows and cursors refer to.
    batches: Vec<RecordBatch>,
}

/// A place in a run.
struct Cursor {
    reader: SpillReader,
    /// Keys of the current batch; `None` at the end of the run.
    rows: Option<Rows>,
    at: usize,
    /// Index of the current batch in `batches`.
    batch: usize,
}

impl Merge {
    /// Merges `runs`. If there are more than memory has room for, neighbours are first merged into longer runs.
    pub fn new(
        cx: TaskContext,
        keys: SortKeys,
        schema: SchemaRef,
        metrics: Arc<NodeMetrics>,
        reservation: Reservation,
        mut runs: Vec<Run>,
    ) -> Result<Merge> {
        let (cursors, batches, tree) = (Vec::new(), Vec::new(), Losers::default());
        let mut merge = Merge { cx, schema, metrics, reservation, keys, cursors, tree, batches };
        loop {
            let n = merge.reserve(&runs);
            if n == runs.len() {
                merge.open(&runs)?;
                return Ok(merge);
            }
            let mut longer = Vec::new();
            let mut rest = runs.into_iter();
            loop {
                let some: Vec<Run> = rest.by_ref().take(n).collect();
                match some.len() {
                    0 => break,
                    1 => longer.extend(some),
                    _ => longer.push(merge.to_run(&some)?),
                }
            }
            runs = longer;
        }
    }

    /// Reserves for as many runs as possible, at least two; tells how many.
    fn reserve(&mut self, runs: &[Run]) -> usize {
        let mut bytes = 0;
        for (n, run) in runs.iter().enumerate() {
            bytes += run.merge_bytes();
            let fits = n < MAX_FAN_IN && self.reservation.try_resize(bytes);
            if !fits && n >= 2 {
                return n;
            }
            if !fits {
                let more = bytes.saturating_sub(self.reservation.bytes() as usize);
                self.reservation.grow(more);
            }
        }
        runs.len()
    }

    /// Merges some runs into one.
    fn to_run(&mut self, runs: &[Run]) -> Result<Run> {
        self.open(runs)?;
        let mut writer = SpillWriter::create(&self.cx, &self.schema)?;
        let mut size = 0;
        // The merged run's batches may be no larger than its inputs', or the next merge would need more memory than this one.
        let rows: u64 = runs.iter().map(|r| r.file.rows()).sum();
        let limit = runs.iter().map(|r| r.batch_bytes).max().unwrap_or(0);
        let mut chunk = self.cx.query.batch_rows.min(usize::try_from(rows).unwrap_or(usize::MAX)).min(16);
        while let Some(batch) = self.take(chunk)? {
            let bytes = batch_bytes(&batch);
            size = size.max(bytes);
            chunk = (limit / (bytes / batch.num_rows()).max(1)).clamp(1, self.cx.query.batch_rows);
            writer.write(&batch)?;
        }
        let file = writer.finish()?;
        NodeMetrics::add(&self.metrics.spilled, file.bytes());
        Ok(Run { file, batch_bytes: size })
    }

    fn open(&mut self, runs: &[Run]) -> Result<()> {
        self.batches.clear();
        self.cursors.clear();
        for run in runs {
            let reader = run.file.reader()?;
            self.cursors.push(Cursor { reader, rows: None, at: 0, batch: 0 });
        }
        (0..self.cursors.len()).try_for_each(|c| self.load(c))?;
        let cursors = &self.cursors;
        self.tree.build(cursors.len(), &|a, b| compare(cursors, a, b));
        Ok(())
    }

    /// Reads the next batch of a run.
    fn load(&mut self, c: usize) -> Result<()> {
        let cursor = &mut self.cursors[c];
        (cursor.rows, cursor.at) = (None, 0);
        while let Some(batch) = cursor.reader.next()? {
            if batch.num_rows() > 0 {
                let keys = self.keys.evaluate(&batch)?;
                cursor.rows = Some(self.keys.rows(&keys)?);
                cursor.batch = self.batches.len();
                self.batches.push(batch);
                break;
            }
        }
        Ok(())
    }

    /// The next batch; `None` at the end.
    pub fn next(&mut self) -> Result<Option<RecordBatch>> {
        self.take(self.cx.query.batch_rows)
    }

    fn take(&mut self, rows: usize) -> Result<Option<RecordBatch>> {
        self.cx.check_cancelled()?;
        let mut pending: Vec<(usize, usize)> = Vec::with_capacity(rows);
        while pending.len() < rows {
            let winner = self.tree.winner();
            let Some(cursor) = self.cursors.get_mut(winner) else { break };
            let Some(keys) = &cursor.rows else { break };
            pending.push((cursor.batch, cursor.at));
            cursor.at += 1;
            if cursor.at == keys.num_rows() {
                self.load(winner)?;
            }
            let cursors = &self.cursors;
            self.tree.replay(&|a, b| compare(cursors, a, b));
        }
        if pending.is_empty() {
            return Ok(None);
        }
        let columns = (0..self.schema.fields().len()).map(|c| {
            let parts: Vec<&dyn Array> = self.batches.iter().map(|b| b.column(c).as_ref()).collect();
            interleave(&parts, &pending)
        });
        let batch = with_rows(&self.schema, columns.collect::<Result<Vec<_>, _>>()?, pending.len())?;
        self.drop_finished();
        Ok(Some(batch))
    }

    /// Keeps only the batches that cursors are in.
    fn drop_finished(&mut self) {
        let mut kept = Vec::with_capacity(self.cursors.len());
        for cursor in self.cursors.iter_mut().filter(|c| c.rows.is_some()) {
            kept.push(self.batches[cursor.batch].clone());
            cursor.batch = kept.len() - 1;
        }
        self.batches = kept;
    }
}

/// The order of two cursors; one at its end comes last, equal ones by their number.
fn compare(cursors: &[Cursor], a: usize, b: usize) -> Ordering {
    let (x, y) = (&cursors[a], &cursors[b]);
    match (&x.rows, &y.rows) {
        (Some(r), Some(s)) => r.row(x.at).cmp(&s.row(y.at)).then(a.cmp(&b)),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.cmp(&b),
    }
}

/// A tree of losers: node 0 is the winner, node `i` the loser of the match between the subtrees `2i` and `2i + 1`.
#[derive(Default)]
struct Losers {
    nodes: Vec<usize>,
}

impl Losers {
    fn build(&mut self, players: usize, compare: &dyn Fn(usize, usize) -> Ordering) {
        self.nodes = vec![0; players.max(1)];
        // Winners of subtrees from the leaves (`players..2 * players`) up.
        let mut winners = vec![0; 2 * players.max(1)];
        for leaf in 0..players {
            winners[players + leaf] = leaf;
        }
        for node in (1..players).rev() {
            let (a, b) = (winners[2 * node], winners[2 * node + 1]);
            let first = compare(a, b) == Ordering::Less;
            winners[node] = if first { a } else { b };
            self.nodes[node] = if first { b } else { a };
        }
        self.nodes[0] = winners[1.min(winners.len() - 1)];
    }

    fn winner(&self) -> usize {
        self.nodes.first().copied().unwrap_or(0)
    }

    /// Plays the winner's matches again after its key has changed.
    #[inline]
    fn replay(&mut self, compare: &impl Fn(usize, usize) -> Ordering) {
        let mut winner = self.nodes[0];
        let mut node = (winner + self.nodes.len()) / 2;
        while node > 0 {
            if compare(self.nodes[node], winner) == Ordering::Less {
                std::mem::swap(&mut self.nodes[node], &mut winner);
            }
            node /= 2;
        }
        self.nodes[0] = winner;
    }
}
