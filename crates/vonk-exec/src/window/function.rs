//! Window functions that are not aggregates: one call of the kernel per partition.

use super::Chunk;
use super::frames::Frames;
use crate::context::TaskContext;
use arrow::array::{Array, ArrayRef};
use arrow::compute::concat;
use std::ops::Range;
use std::sync::Arc;
use vonk_error::{Result, Span};
use vonk_eval::{BoundExpr, EvaluatorSet};
use vonk_functions::{WindowCall, WindowFunction};
use vonk_types::{DataType, EvalContext};

/// A call of a window function.
pub(super) struct FunctionOver {
    function: Arc<WindowFunction>,
    args: EvaluatorSet,
    arg_types: Vec<DataType>,
    return_type: DataType,
    ignore_nulls: bool,
    ctx: Arc<EvalContext>,
    span: Span,
    cx: TaskContext,
}

impl FunctionOver {
    pub fn new(
        cx: &TaskContext,
        function: &str,
        args: &[BoundExpr],
        ignore_nulls: bool,
        return_type: &DataType,
        span: Span,
    ) -> Result<Self> {
        let args = EvaluatorSet::new(args, &cx.query.env)?;
        Ok(FunctionOver {
            function: cx.query.env.registry.window(function)?.clone(),
            arg_types: args.data_types(),
            args,
            return_type: return_type.clone(),
            ignore_nulls,
            ctx: cx.query.env.ctx.clone(),
            span,
            cx: cx.clone(),
        })
    }

    /// Whether the function looks at frames.
    pub fn uses_frame(&self) -> bool {
        self.function.uses_frame
    }

    /// The values of all rows of a chunk.
    pub fn compute(&mut self, chunk: &Chunk, frames: Option<&Frames>) -> Result<ArrayRef> {
        let args = self.args.evaluate_arrays(&chunk.batch, chunk.position)?;
        let mut parts = Vec::with_capacity(chunk.partitions.len());
        let mut group = 0;
        for (number, rows) in chunk.partitions.iter().enumerate() {
            if number % 1024 == 0 {
                self.cx.check_cancelled()?;
            }
            let mut peers = Vec::new();
            while let Some(p) = chunk.peers.get(group).filter(|p| p.start < rows.end) {
                peers.push(p.start - rows.start);
                group += 1;
            }
            let own: Vec<ArrayRef> = args.iter().map(|a| a.slice(rows.start, rows.len())).collect();
            let frames = frames.map(|f| within(f, rows));
            let part = (self.function.kernel)(&WindowCall {
                args: &own,
                arg_types: &self.arg_types,
                return_type: &self.return_type,
                rows: rows.len(),
                peers: &peers,
                frames: frames.as_deref(),
                ignore_nulls: self.ignore_nulls,
                ctx: &self.ctx,
                span: self.span,
            })
            .map_err(|e| e.at(self.span))?;
            debug_assert_eq!(part.len(), rows.len(), "rows of {}", self.function.name);
            parts.push(part);
        }
        if let [_] = parts[..] {
            return Ok(parts.remove(0));
        }
        let refs: Vec<&dyn Array> = parts.iter().map(|p| p.as_ref()).collect();
        Ok(concat(&refs)?)
    }
}

/// The frames of a partition's rows, counted from its first row.
fn within(frames: &Frames, rows: &Range<usize>) -> Vec<Range<usize>> {
    match frames {
        Frames::Partitions => vec![0..rows.len(); rows.len()],
        Frames::Ranges { distinct, of_row, .. } => rows
            .clone()
            .map(|row| {
                let f = &distinct[of_row[row] as usize];
                f.start - rows.start..f.end - rows.start
            })
            .collect(),
    }
}
