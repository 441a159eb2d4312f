//! Late materialisation (Abadi et al. 2007): of a row group, the columns of the filters are decoded first, stage by stage, and
//! the others only for the rows that are left.
//!
//! Values of filter columns that are put out too are held, filtered, so that no column is decoded twice. Pages whose
//! statistics exclude a filter are not read at all.

use super::pages;
use super::stage::Stage;
use super::stream::{Decoder, OpenFile, Shape, absent};
use crate::conform::with_rows;
use arrow::array::{Array, ArrayRef, BooleanArray, BooleanBufferBuilder, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::compute::{concat, filter};
use parquet::arrow::arrow_reader::RowSelection;
use std::ops::Range;
use std::sync::atomic::Ordering;
use vonk_error::Result;

use super::corrupt;

/// The rows of one row group that pass all filters.
pub(crate) struct GroupStream {
    /// Decodes the output columns that no filter has looked at; `None` if there are none.
    rest: Option<Decoder>,
    held: Vec<Option<ArrayRef>>,
    rows: usize,
    at: usize,
}

/// The rows of a group that are left so far.
struct Left {
    group: usize,
    /// `None` means all.
    selection: Option<RowSelection>,
    rows: usize,
    /// Values of these rows, by column of `Shape::read`.
    held: Vec<Option<ArrayRef>>,
}

impl GroupStream {
    /// Runs the filters over a row group; `None` if nothing is left of it.
    pub fn open(
        file: &OpenFile,
        group: usize,
        shape: &Shape,
        stages: &mut [Stage],
    ) -> Result<Option<GroupStream>> {
        let all = file.plan.rows_of(group)?;
        let mut left = Left { group, selection: None, rows: all, held: vec![None; shape.read.len()] };
        let ranges = match (pages::ranges(file, group, shape), &file.plan.rows) {
            (Some(ranges), Some(part)) => Some(pages::intersect(&ranges, std::slice::from_ref(part))),
            (ranges, part) => ranges.or_else(|| part.clone().map(|p| vec![p])),
        };
        let all_here = file.plan.rows.as_ref().map_or(all, Range::len);
        if let Some(ranges) = ranges {
            left.rows = ranges.iter().map(Range::len).sum();
            left.selection = Some(RowSelection::from_consecutive_ranges(ranges.into_iter(), all));
        }
        for i in 0..stages.len() {
            if left.rows == 0 {
                break;
            }
            let (now, later) = stages.split_at_mut(i + 1);
            let wanted =
                |c: usize| shape.projection.contains(&c) || later.iter().any(|s| s.columns.contains(&c));
            left.run(file, shape, &mut now[i], &wanted)?;
        }
        shape.metrics.rows_pruned.fetch_add((all_here - left.rows) as u64, Ordering::Relaxed);
        shape.metrics.progress.pass(all_here - left.rows);
        if left.rows == 0 {
            return Ok(None);
        }
        let rest: Vec<usize> = shape
            .projection
            .iter()
            .copied()
            .filter(|c| left.held[*c].is_none() && file.plan.columns[*c].is_some())
            .collect();
        let rest = match rest.is_empty() {
            true => None,
            false => Some(file.decode(shape, vec![group], &rest, left.selection)?),
        };
        Ok(Some(GroupStream { rest, held: left.held, rows: left.rows, at: 0 }))
    }

    /// The next batch; `None` at the end of the group.
    pub fn next(&mut self, file: &OpenFile, shape: &Shape) -> Result<Option<RecordBatch>> {
        if self.at == self.rows {
            return Ok(None);
        }
        let decoded = match &mut self.rest {
            None => None,
            Some(decoder) => {
                let missing = || corrupt(file.path(), "a row group has fewer rows than it says");
                Some(decoder.next(file.path())?.ok_or_else(missing)?)
            }
        };
        let left = self.rows - self.at;
        let n = decoded.as_ref().map_or(shape.batch_rows.min(left), RecordBatch::num_rows);
        if n > left {
            return Err(corrupt(file.path(), "a row group has more rows than it says"));
        }
        let column = |c: &usize| -> Result<ArrayRef> {
            if let Some(held) = &self.held[*c] {
                return Ok(held.slice(self.at, n));
            }
            match (&self.rest, &decoded) {
                (Some(decoder), Some(batch)) => decoder.column(shape, batch, *c),
                _ => absent(&file.plan.constants, shape, *c, n),
            }
        };
        let columns = shape.projection.iter().map(column).collect::<Result<Vec<_>>>()?;
        self.at += n;
        with_rows(shape.output.clone(), columns, n).map(Some)
    }
}

impl Left {
    /// Runs a stage. Values of the columns that are `wanted` are held.
    fn run(
        &mut self,
        file: &OpenFile,
        shape: &Shape,
        stage: &mut Stage,
        wanted: &dyn Fn(usize) -> bool,
    ) -> Result<()> {
        if !stage.useful() {
            return Ok(());
        }
        let columns = stage.columns.clone();
        let fresh: Vec<usize> = columns
            .iter()
            .copied()
            .filter(|c| self.held[*c].is_none() && file.plan.columns[*c].is_some())
            .collect();
        let mut decoder = match fresh.is_empty() {
            true => None,
            false => Some(file.decode(shape, vec![self.group], &fresh, self.selection.clone())?),
        };
        let mut kept: Vec<(usize, Vec<ArrayRef>)> =
            fresh.iter().copied().filter(|c| wanted(*c)).map(|c| (c, Vec::new())).collect();
        let mut mask = BooleanBufferBuilder::new(self.rows);
        while mask.len() < self.rows {
            let decoded = match &mut decoder {
                None => None,
                Some(d) => match d.next(file.path())? {
                    Some(batch) => Some(batch),
                    None => return Err(corrupt(file.path(), "a column has fewer rows than its row group")),
                },
            };
            let left = self.rows - mask.len();
            let n = decoded.as_ref().map_or(shape.batch_rows.min(left), RecordBatch::num_rows);
            if n > left {
                return Err(corrupt(file.path(), "a column has more rows than its row group"));
            }
            let value = |c: &usize| -> Result<ArrayRef> {
                match (&self.held[*c], &decoder, &decoded) {
                    (Some(held), _, _) => Ok(held.slice(mask.len(), n)),
                    (None, Some(d), Some(batch)) => d.column(shape, batch, *c),
                    _ => absent(&file.plan.constants, shape, *c, n),
                }
            };
            let values = columns.iter().map(value).collect::<Result<Vec<_>>>()?;
            let bits = match stage.useful() {
                true => stage.test(values.clone(), n)?,
                // Given up on the way. What has been decoded need not be again.
                false => BooleanBuffer::new_set(n),
            };
            keep(&mut kept, &columns, values, &bits)?;
            mask.append_buffer(&bits);
            if !stage.useful() && kept.is_empty() {
                mask.append_n(self.rows - mask.len(), true);
            }
        }
        self.narrow(mask.finish(), kept)
    }

    /// Leaves only the rows that have passed, and holds the values of new columns.
    fn narrow(&mut self, mask: BooleanBuffer, kept: Vec<(usize, Vec<ArrayRef>)>) -> Result<()> {
        let passed = mask.count_set_bits();
        if passed < self.rows {
            let bits = BooleanArray::new(mask.clone(), None);
            for held in self.held.iter_mut().flatten() {
                *held = filter(held, &bits)?;
            }
            let own = RowSelection::from_boolean_buffer(mask);
            self.selection = Some(match &self.selection {
                Some(s) => s.and_then(&own),
                None => own,
            });
        }
        self.rows = passed;
        for (c, parts) in kept {
            let refs: Vec<&dyn Array> = parts.iter().map(|p| p.as_ref()).collect();
            self.held[c] = match refs.as_slice() {
                [] => None,
                many => Some(concat(many)?),
            };
        }
        Ok(())
    }
}

/// Keeps the rows of a batch that pass.
fn keep(
    kept: &mut [(usize, Vec<ArrayRef>)],
    columns: &[usize],
    values: Vec<ArrayRef>,
    bits: &BooleanBuffer,
) -> Result<()> {
    let passed = bits.count_set_bits();
    let bits = BooleanArray::new(bits.clone(), None);
    for (c, values) in columns.iter().zip(values) {
        let Some((_, list)) = kept.iter_mut().find(|(k, _)| k == c) else { continue };
        match passed {
            0 if !list.is_empty() => {}
            n if n == values.len() => list.push(values),
            _ => list.push(filter(&values, &bits)?),
        }
    }
    Ok(())
}
