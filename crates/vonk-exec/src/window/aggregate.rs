//! Aggregates over frames.
//!
//! Accumulators keep many groups at once, and that is what makes frames cheap: a *block* of neighbouring frames becomes a group
//! each, and all rows of all frames are added in one vectorised update. What the frames of a block have in common, their
//! *base*, is kept in an accumulator of its own and merged into each group, so that only the rows at their edges are added
//! frame by frame.
//!
//! The base moves from block to block. It may grow to the right for every aggregate, since rows then come in their order; it
//! may lose or gain rows on the left only where the order of additions changes nothing (integers and decimals, minima), or
//! sums of doubles would differ from Spark's in their last digits. Where that is not allowed, frames are added up one by one.

use super::Chunk;
use super::frames::Frames;
use crate::context::TaskContext;
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, UInt32Array, new_empty_array};
use arrow::compute::{concat, take};
use std::ops::Range;
use std::sync::Arc;
use vonk_error::Result;
use vonk_eval::{BoundExpr, Evaluator, EvaluatorSet};
use vonk_functions::{AggregateCall, AggregateFunction, EmitTo, GroupsAccumulator};
use vonk_physical::AggregateSpec;
use vonk_types::{DataType, Literal};

/// Rows of frames that are added one by one on average before a base is worth it.
const DIRECT_ROWS: usize = 48;
/// Rows at edges that are added at once.
const BLOCK_ROWS: usize = 1024;
/// Frames of a block at most.
const BLOCK_FRAMES: usize = 64;
/// Rows of whole frames that are added at once.
const DIRECT_BLOCK_ROWS: usize = 32 << 10;

/// A call of an aggregate over a window.
pub(super) struct AggregateOver {
    cx: TaskContext,
    function: Arc<AggregateFunction>,
    args: EvaluatorSet,
    arg_types: Vec<DataType>,
    constants: Vec<Option<Literal>>,
    filter: Option<Evaluator>,
    spec: AggregateSpec,
}

impl AggregateOver {
    pub fn new(cx: &TaskContext, spec: &AggregateSpec) -> Result<Self> {
        let env = &cx.query.env;
        let args = EvaluatorSet::new(&spec.args, env)?;
        let constant = |a: &BoundExpr| match a {
            BoundExpr::Literal(l) => Some(l.clone()),
            _ => None,
        };
        Ok(AggregateOver {
            function: env.registry.aggregate(&spec.function)?.clone(),
            arg_types: args.data_types(),
            args,
            constants: spec.args.iter().map(constant).collect(),
            filter: spec.filter.as_ref().map(|f| Evaluator::new(f, env)).transpose()?,
            spec: spec.clone(),
            cx: cx.clone(),
        })
    }

    fn accumulator(&self) -> Result<Box<dyn GroupsAccumulator>> {
        (self.function.accumulator)(&AggregateCall {
            arg_types: &self.arg_types,
            constants: &self.constants,
            return_type: &self.spec.data_type,
            ctx: &self.cx.query.env.ctx,
            span: self.spec.span,
        })
    }

    /// The values of all rows of a chunk.
    pub fn compute(&mut self, chunk: &Chunk, frames: &Frames) -> Result<ArrayRef> {
        let args = self.args.evaluate_arrays(&chunk.batch, chunk.position)?;
        let filter = match &mut self.filter {
            Some(f) => Some(f.evaluate_filter(&chunk.batch, chunk.position)?),
            None => None,
        };
        let rows = Rows { args, filter };
        let out = match frames {
            Frames::Partitions => self.whole(&rows, chunk),
            Frames::Ranges { distinct, of_row, of_partition } => {
                let values = self.ranges(&rows, distinct, of_partition)?;
                if distinct.len() == of_row.len() {
                    return Ok(values);
                }
                Ok(take(&values, &UInt32Array::from(of_row.clone()), None)?)
            }
        };
        out.map_err(|e| e.at(self.spec.span))
    }

    /// One value per partition.
    fn whole(&self, rows: &Rows, chunk: &Chunk) -> Result<ArrayRef> {
        let mut accumulator = self.accumulator()?;
        let mut groups = Vec::with_capacity(chunk.batch.num_rows());
        for (number, p) in chunk.partitions.iter().enumerate() {
            groups.resize(p.end, number as u32);
        }
        rows.update(accumulator.as_mut(), 0..groups.len(), &groups, chunk.partitions.len())?;
        let values = accumulator.evaluate(EmitTo::All)?;
        Ok(take(&values, &UInt32Array::from(groups), None)?)
    }

    /// One value per distinct frame.
    fn ranges(
        &self,
        rows: &Rows,
        distinct: &[Range<usize>],
        of_partition: &[Range<usize>],
    ) -> Result<ArrayRef> {
        let accumulator = self.accumulator()?;
        let exact = accumulator.supports_retract() || self.function.duplicate_insensitive;
        let mut over = FrameValues { over: self, rows, scratch: accumulator, values: Vec::new() };
        // Frames of small partitions wait to be added up together.
        let mut direct = 0..0;
        for frames in of_partition {
            let own = &distinct[frames.clone()];
            let total: usize = own.iter().map(|f| f.len()).sum();
            let same_start = own.windows(2).all(|w| w[0].start == w[1].start);
            if total <= own.len() * DIRECT_ROWS || !(exact || same_start) {
                direct.end = frames.end;
                continue;
            }
            over.direct(&distinct[direct])?;
            direct = frames.end..frames.end;
            over.based(own)?;
        }
        over.direct(&distinct[direct])?;
        let refs: Vec<&dyn Array> = over.values.iter().map(|p| p.as_ref()).collect();
        match refs.as_slice() {
            [] => Ok(new_empty_array(&self.spec.data_type.to_arrow())),
            [_] => Ok(over.values.remove(0)),
            many => Ok(concat(many)?),
        }
    }
}

/// The arguments of a chunk's rows, and which of them the FILTER passes.
struct Rows {
    args: Vec<ArrayRef>,
    filter: Option<BooleanArray>,
}

impl Rows {
    /// Adds a range of rows.
    fn update(
        &self,
        to: &mut dyn GroupsAccumulator,
        rows: Range<usize>,
        groups: &[u32],
        num_groups: usize,
    ) -> Result<()> {
        let args: Vec<ArrayRef> = self.args.iter().map(|a| a.slice(rows.start, rows.len())).collect();
        let filter = self.filter.as_ref().map(|f| f.slice(rows.start, rows.len()));
        to.update(&args, groups, filter.as_ref(), num_groups)
    }

    /// Adds any rows.
    fn update_indices(
        &self,
        to: &mut dyn GroupsAccumulator,
        rows: Vec<u32>,
        groups: &[u32],
        num_groups: usize,
    ) -> Result<()> {
        let rows = UInt32Array::from(rows);
        let args = self.args.iter().map(|a| take(a, &rows, None)).collect::<Result<Vec<_>, _>>()?;
        let filter = self.filter.as_ref().map(|f| take(f, &rows, None)).transpose()?;
        to.update(&args, groups, filter.as_ref().map(|f| f.as_boolean()), num_groups)
    }

    /// Takes a range of rows out of group 0.
    fn retract(&self, from: &mut dyn GroupsAccumulator, rows: Range<usize>) -> Result<()> {
        let args: Vec<ArrayRef> = self.args.iter().map(|a| a.slice(rows.start, rows.len())).collect();
        let Some(filter) = &self.filter else { return from.retract(&args, &vec![0; rows.len()]) };
        let filter = filter.slice(rows.start, rows.len());
        let args = args.iter().map(|a| arrow::compute::filter(a, &filter));
        let args = args.collect::<Result<Vec<_>, _>>()?;
        from.retract(&args, &vec![0; filter.true_count()])
    }
}

/// Computes the values of frames, in order.
struct FrameValues<'a> {
    over: &'a AggregateOver,
    rows: &'a Rows,
    /// An accumulator for one block at a time.
    scratch: Box<dyn GroupsAccumulator>,
    values: Vec<ArrayRef>,
}

impl FrameValues<'_> {
    /// Adds up each frame by itself, in blocks of frames.
    fn direct(&mut self, frames: &[Range<usize>]) -> Result<()> {
        let mut at = 0;
        while at < frames.len() {
            self.over.cx.check_cancelled()?;
            let mut end = at;
            let mut rows = 0;
            while end < frames.len() && (end == at || rows + frames[end].len() <= DIRECT_BLOCK_ROWS) {
                rows += frames[end].len();
                end += 1;
            }
            let block = &frames[at..end];
            if let [one] = block {
                self.rows.update(self.scratch.as_mut(), one.clone(), &vec![0; one.len()], 1)?;
            } else {
                let (mut indices, mut groups) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
                for (group, f) in block.iter().enumerate() {
                    add_range(&mut indices, &mut groups, f.clone(), group);
                }
                self.rows.update_indices(self.scratch.as_mut(), indices, &groups, block.len())?;
            }
            self.values.push(self.scratch.evaluate(EmitTo::All)?);
            at = end;
        }
        Ok(())
    }

    /// Computes the frames of one partition with a base.
    fn based(&mut self, frames: &[Range<usize>]) -> Result<()> {
        let last = frames.last().map_or(0, |f| f.end);
        let suffixes =
            frames[0].start != frames[frames.len() - 1].start && frames.iter().all(|f| f.end == last);
        let mut base = Base { accumulator: self.over.accumulator()?, rows: 0..0 };
        let mut blocks = blocks(frames);
        // Suffixes of the partition grow towards its beginning.
        if suffixes {
            blocks.reverse();
        }
        let first = self.values.len();
        for block in blocks {
            self.over.cx.check_cancelled()?;
            let value = self.block(&mut base, &frames[block])?;
            self.values.push(value);
        }
        if suffixes {
            self.values[first..].reverse();
        }
        Ok(())
    }

    fn block(&mut self, base: &mut Base, frames: &[Range<usize>]) -> Result<ArrayRef> {
        let common = common(frames);
        let n = frames.len();
        if !common.is_empty() {
            base.move_to(common.clone(), self.over, self.rows)?;
            let state = base.state()?;
            let repeated = UInt32Array::from(vec![0u32; n]);
            let states = state.iter().map(|s| take(s, &repeated, None)).collect::<Result<Vec<_>, _>>()?;
            let groups: Vec<u32> = (0..n as u32).collect();
            self.scratch.merge(&states, &groups, n)?;
        }
        let (mut indices, mut groups) = (Vec::new(), Vec::new());
        for (group, f) in frames.iter().enumerate() {
            if common.is_empty() {
                add_range(&mut indices, &mut groups, f.clone(), group);
            } else {
                add_range(&mut indices, &mut groups, f.start..common.start, group);
                add_range(&mut indices, &mut groups, common.end..f.end, group);
            }
        }
        self.rows.update_indices(self.scratch.as_mut(), indices, &groups, n)?;
        self.scratch.evaluate(EmitTo::All)
    }
}

fn add_range(indices: &mut Vec<u32>, groups: &mut Vec<u32>, rows: Range<usize>, group: usize) {
    groups.resize(groups.len() + rows.len(), group as u32);
    indices.extend(rows.map(|r| r as u32));
}

/// The rows that are in all of some neighbouring frames: starts and ends never go back.
fn common(frames: &[Range<usize>]) -> Range<usize> {
    match frames {
        [] => 0..0,
        [first, .., last] => last.start..first.end.max(last.start),
        [one] => one.clone(),
    }
}

/// Cuts frames into blocks whose edges are not too many rows.
fn blocks(frames: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < frames.len() {
        let mut end = at + 1;
        while end < frames.len() && end - at < BLOCK_FRAMES {
            let common = common(&frames[at..=end]);
            let edge = |f: &Range<usize>| f.len() - common.len().min(f.len());
            // The frames in between have fewer edge rows than the outermost two together.
            if (edge(&frames[at]) + edge(&frames[end])) * (end + 1 - at) > 2 * BLOCK_ROWS {
                break;
            }
            end += 1;
        }
        out.push(at..end);
        at = end;
    }
    out
}

/// What the frames of a block have in common, summed up.
struct Base {
    accumulator: Box<dyn GroupsAccumulator>,
    rows: Range<usize>,
}

impl Base {
    fn move_to(&mut self, to: Range<usize>, over: &AggregateOver, rows: &Rows) -> Result<()> {
        let have = self.rows.clone();
        let overlap = to.start.max(have.start)..to.end.min(have.end);
        let loses = overlap.start > have.start || overlap.end < have.end;
        if have.is_empty() || overlap.is_empty() || (loses && !self.accumulator.supports_retract()) {
            self.accumulator = over.accumulator()?;
            self.add(to.clone(), rows)?;
        } else {
            self.add(to.start..overlap.start, rows)?;
            self.add(overlap.end..to.end, rows)?;
            for gone in [have.start..overlap.start, overlap.end..have.end] {
                if !gone.is_empty() {
                    rows.retract(self.accumulator.as_mut(), gone)?;
                }
            }
        }
        self.rows = to;
        Ok(())
    }

    fn add(&mut self, range: Range<usize>, rows: &Rows) -> Result<()> {
        if range.is_empty() {
            return Ok(());
        }
        rows.update(self.accumulator.as_mut(), range.clone(), &vec![0; range.len()], 1)
    }

    /// The state as columns of one row; the accumulator keeps it.
    fn state(&mut self) -> Result<Vec<ArrayRef>> {
        let state = self.accumulator.state(EmitTo::All)?;
        self.accumulator.merge(&state, &[0], 1)?;
        Ok(state)
    }
}
