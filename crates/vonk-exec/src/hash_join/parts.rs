//! Joins that do not fit: both sides split by the hash of their keys into files, to be joined part by part.

use super::build::Collected;
use super::side::{Form, Side};
use crate::context::TaskContext;
use crate::hashing::{SPILL_LEVELS, Splitter, hash_columns};
use crate::metrics::NodeMetrics;
use crate::operator::BoxedOperator;
use crate::spill::{SpillFile, SpillReader, SpillWriter};
use arrow::array::RecordBatch;
use std::sync::Arc;
use vonk_error::Result;

/// Rows of both sides that can match each other.
pub(crate) struct Part {
    /// Build rows, if there are any.
    pub build: Option<SpillFile>,
    /// Probe rows, if there are any.
    pub probe: Option<SpillFile>,
    /// The level at which they would be split further.
    pub level: u32,
    /// They cannot be: the build side is taken piece by piece.
    pub piecewise: bool,
}

/// Rows as they come from an operator or from a file.
pub(crate) enum Source<'a> {
    /// From an operator: they are brought into the form they are held in.
    Operator(&'a mut BoxedOperator, &'a mut Side),
    /// From a file.
    File(SpillReader),
    /// From memory.
    Batches(std::vec::IntoIter<RecordBatch>),
    /// None.
    Nothing,
}

impl Source<'_> {
    /// The next batch.
    pub fn next(&mut self) -> Result<Option<RecordBatch>> {
        match self {
            Source::Operator(op, side) => op.next()?.map(|b| side.hold(&b)).transpose(),
            Source::File(reader) => reader.next(),
            Source::Batches(batches) => Ok(batches.next()),
            Source::Nothing => Ok(None),
        }
    }
}

/// A file's rows, or none.
pub(crate) fn rows_of(file: Option<&SpillFile>) -> Result<Source<'static>> {
    Ok(match file {
        Some(f) => Source::File(f.reader()?),
        None => Source::Nothing,
    })
}

/// Splits rows into files by the hash of their keys.
pub(crate) fn split(
    cx: &TaskContext,
    metrics: &Arc<NodeMetrics>,
    form: &Form,
    level: u32,
    first: Vec<RecordBatch>,
    rest: &mut Source<'_>,
) -> Result<Vec<Option<SpillFile>>> {
    let mut splitter = Splitter::new(cx, metrics, &form.schema, level);
    let mut write = |batch: RecordBatch| {
        cx.check_cancelled()?;
        let hashes = hash_columns(&form.keys(&batch), batch.num_rows())?;
        splitter.write(&batch, &hashes)
    };
    first.into_iter().try_for_each(&mut write)?;
    while let Some(batch) = rest.next()? {
        write(batch)?;
    }
    splitter.finish()
}

/// Writes rows to one file.
pub(crate) fn spool(
    cx: &TaskContext,
    metrics: &Arc<NodeMetrics>,
    form: &Form,
    first: Vec<RecordBatch>,
    rest: &mut Source<'_>,
) -> Result<Option<SpillFile>> {
    let mut writer = SpillWriter::create(cx, &form.schema)?;
    for batch in first {
        writer.write(&batch)?;
    }
    while let Some(batch) = rest.next()? {
        cx.check_cancelled()?;
        writer.write(&batch)?;
    }
    let file = writer.finish()?;
    NodeMetrics::add(&metrics.spilled, file.bytes());
    Ok((file.rows() > 0).then_some(file))
}

/// Pairs up the files of both sides.
pub(crate) fn pair_up(
    build: Vec<Option<SpillFile>>,
    probe: Vec<Option<SpillFile>>,
    level: u32,
    rows_before: Option<u64>,
) -> Vec<Part> {
    let parts = build.into_iter().zip(probe).filter(|(b, p)| b.is_some() || p.is_some());
    parts
        .map(|(build, probe)| {
            // Rows that did not fall apart have equal keys: they will not at the next level either.
            let same = build.as_ref().is_some_and(|b| Some(b.rows()) == rows_before);
            Part { build, probe, level: level + 1, piecewise: same || level + 1 >= SPILL_LEVELS }
        })
        .collect()
}

/// What reading the build side of a part came to.
pub(crate) enum Loaded {
    /// All of it, or a piece after which more will follow.
    Rows(Collected),
    /// More than memory holds.
    TooMuch(Vec<RecordBatch>),
}

/// Reads build rows until they end or memory is refused. `pending` is a batch read before, and a batch that did not fit.
pub(crate) fn load(
    cx: &TaskContext,
    source: &mut Source<'_>,
    pending: &mut Option<RecordBatch>,
    piecewise: bool,
) -> Result<Loaded> {
    let mut collected = Collected::new(cx);
    if let Some(batch) = pending.take() {
        collected.force(batch);
    }
    while let Some(batch) = source.next()? {
        cx.check_cancelled()?;
        if piecewise && collected.batches.is_empty() {
            collected.force(batch);
            continue;
        }
        if !collected.push(batch) {
            if piecewise {
                *pending = collected.batches.pop();
                return Ok(Loaded::Rows(collected));
            }
            return Ok(Loaded::TooMuch(collected.batches));
        }
    }
    Ok(Loaded::Rows(collected))
}
