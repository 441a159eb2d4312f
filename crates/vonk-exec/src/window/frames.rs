//! Which rows each row's frame has.

use super::Chunk;
use super::bounds::offset_keys;
use crate::context::TaskContext;
use arrow::array::Array;
use arrow::datatypes::{Int8Type, Int16Type, Int32Type, Int64Type};
use arrow::row::{RowConverter, Rows, SortField};
use std::ops::Range;
use vonk_error::{Error, Result};
use vonk_physical::{FrameBound, FrameUnits, WindowFrame};
use vonk_types::Literal;

/// The frames of the rows of a chunk.
pub(crate) enum Frames {
    /// Each row's frame is its partition.
    Partitions,
    /// Frames that differ from their neighbour's, in order, and which of them each row has. Within a partition neither starts
    /// nor ends ever go back.
    Ranges {
        /// Distinct frames, partition by partition.
        distinct: Vec<Range<usize>>,
        /// For each row, its frame.
        of_row: Vec<u32>,
        /// For each partition, its frames.
        of_partition: Vec<Range<usize>>,
    },
}

impl Frames {
    /// Frames as specified.
    pub fn new(spec: &WindowFrame, chunk: &Chunk, cx: &TaskContext) -> Result<Frames> {
        use FrameBound::{CurrentRow, UnboundedFollowing, UnboundedPreceding};
        let no_order = chunk.order.is_empty() && spec.units == FrameUnits::Range;
        match (&spec.start, &spec.end) {
            (UnboundedPreceding, UnboundedFollowing) => return Ok(Frames::Partitions),
            (UnboundedPreceding | CurrentRow, UnboundedFollowing | CurrentRow) if no_order => {
                return Ok(Frames::Partitions);
            }
            _ => {}
        }
        let starts = edges(&spec.start, spec.units, true, chunk, cx)?;
        let ends = edges(&spec.end, spec.units, false, chunk, cx)?;
        Ok(Self::from_edges(starts, ends, chunk))
    }

    fn from_edges(starts: Vec<usize>, ends: Vec<usize>, chunk: &Chunk) -> Frames {
        let mut distinct: Vec<Range<usize>> = Vec::new();
        let mut of_row = Vec::with_capacity(starts.len());
        let mut of_partition = Vec::with_capacity(chunk.partitions.len());
        for partition in &chunk.partitions {
            let first = distinct.len();
            for row in partition.clone() {
                let frame = starts[row]..ends[row].max(starts[row]);
                if distinct.len() == first || distinct.last() != Some(&frame) {
                    distinct.push(frame);
                }
                of_row.push(distinct.len() as u32 - 1);
            }
            of_partition.push(first..distinct.len());
        }
        Frames::Ranges { distinct, of_row, of_partition }
    }
}

/// The first rows of all frames (`start`), or the rows after their last.
fn edges(
    bound: &FrameBound,
    units: FrameUnits,
    start: bool,
    chunk: &Chunk,
    cx: &TaskContext,
) -> Result<Vec<usize>> {
    let mut out = Vec::with_capacity(chunk.batch.num_rows());
    match (bound, units) {
        (FrameBound::UnboundedPreceding | FrameBound::UnboundedFollowing, _) => {
            for p in &chunk.partitions {
                let edge = if matches!(bound, FrameBound::UnboundedPreceding) { p.start } else { p.end };
                out.resize(p.end, edge);
            }
        }
        (FrameBound::CurrentRow, FrameUnits::Rows) => {
            out.extend((0..chunk.batch.num_rows()).map(|row| row + usize::from(!start)));
        }
        (FrameBound::CurrentRow, FrameUnits::Range) => {
            for p in &chunk.peers {
                out.resize(p.end, if start { p.start } else { p.end });
            }
        }
        (FrameBound::Preceding(n) | FrameBound::Following(n), FrameUnits::Rows) => {
            let n = rows_of(n)?;
            let n = if matches!(bound, FrameBound::Preceding(_)) { -n } else { n };
            for p in &chunk.partitions {
                for row in p.clone() {
                    let edge = (row as i128 + n + i128::from(!start)).clamp(p.start as i128, p.end as i128);
                    out.push(edge as usize);
                }
            }
        }
        (FrameBound::Preceding(n) | FrameBound::Following(n), FrameUnits::Range) => {
            range_edges(n, matches!(bound, FrameBound::Preceding(_)), start, chunk, cx, &mut out)?;
        }
    }
    Ok(out)
}

fn rows_of(n: &Literal) -> Result<i128> {
    let array = n.to_array(1)?;
    let value = [
        arrow::array::AsArray::as_primitive_opt::<Int8Type>(&array).map(|a| i128::from(a.value(0))),
        arrow::array::AsArray::as_primitive_opt::<Int16Type>(&array).map(|a| i128::from(a.value(0))),
        arrow::array::AsArray::as_primitive_opt::<Int32Type>(&array).map(|a| i128::from(a.value(0))),
        arrow::array::AsArray::as_primitive_opt::<Int64Type>(&array).map(|a| i128::from(a.value(0))),
    ];
    match value.into_iter().flatten().next() {
        Some(n) if !array.is_null(0) => Ok(n),
        _ => Err(Error::internal("a ROWS frame with an offset that is no integer")),
    }
}

/// Edges at a distance from the value of the one ORDER BY key: two pointers, since bounds never go back.
fn range_edges(
    offset: &Literal,
    preceding: bool,
    start: bool,
    chunk: &Chunk,
    cx: &TaskContext,
    out: &mut Vec<usize>,
) -> Result<()> {
    let ([keys], [key_type], [options]) = (&chunk.order[..], &chunk.order_types[..], &chunk.options[..])
    else {
        return Err(Error::internal("a RANGE frame with an offset needs one ORDER BY key"));
    };
    // Preceding lies on the side of smaller values, or of greater ones where the order descends.
    let negative = preceding != options.descending;
    let bounds = offset_keys(keys, key_type, offset, negative, &cx.query.env.ctx)?;
    let converter = RowConverter::new(vec![SortField::new_with_options(keys.data_type().clone(), *options)])?;
    let rows = converter.convert_columns(std::slice::from_ref(keys))?;
    let bounds: Rows = converter.convert_columns(&[bounds])?;
    for p in &chunk.partitions {
        let mut edge = p.start;
        for row in p.clone() {
            let bound = bounds.row(row);
            let within = |edge: usize| if start { rows.row(edge) < bound } else { rows.row(edge) <= bound };
            // Bounds that go back come of days that wrapped around.
            if edge > p.start && !within(edge - 1) {
                edge = p.start;
            }
            while edge < p.end && within(edge) {
                edge += 1;
            }
            out.push(edge);
        }
    }
    Ok(())
}
