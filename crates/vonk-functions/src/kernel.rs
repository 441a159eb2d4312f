//! What a kernel is called with.
//!
//! Kernels are vectorised: arrays in, one array out. They see Arrow arrays in the types of
//! [`vonk_types::arrow_types`], already cast to what `resolve` asked for.

use arrow::array::{Array, ArrayRef, UInt32Array};
use vonk_error::{Result, Span};
use vonk_types::{DataType, EvalContext};

/// An argument: a column, or one value for all rows.
#[derive(Debug, Clone)]
pub enum Datum {
    /// One value per row.
    Array(ArrayRef),
    /// A one-row array that stands for every row. Kernels should use it as a constant (compile a pattern once).
    Scalar(ArrayRef),
}

impl Datum {
    /// The array behind it: all rows, or the single one.
    pub fn values(&self) -> &ArrayRef {
        match self {
            Datum::Array(a) | Datum::Scalar(a) => a,
        }
    }

    /// True for a constant.
    pub fn is_scalar(&self) -> bool {
        matches!(self, Datum::Scalar(_))
    }

    /// Index into [`values`](Self::values) of a row.
    pub fn index(&self, row: usize) -> usize {
        if self.is_scalar() { 0 } else { row }
    }

    /// True for a constant null.
    pub fn is_null_scalar(&self) -> bool {
        matches!(self, Datum::Scalar(a) if a.is_null(0))
    }

    /// As an array of `rows` rows.
    pub fn to_array(&self, rows: usize) -> Result<ArrayRef> {
        match self {
            Datum::Array(a) => Ok(a.clone()),
            Datum::Scalar(a) if rows == 1 => Ok(a.clone()),
            Datum::Scalar(a) => {
                let indices = UInt32Array::from(vec![0u32; rows]);
                Ok(arrow::compute::take(a, &indices, None)?)
            }
        }
    }
}

/// Where a batch lies in its partition, for functions that depend on it (`monotonically_increasing_id`, `rand`).
#[derive(Debug, Clone, Copy, Default)]
pub struct RowPosition {
    /// Partition of the task.
    pub partition: u32,
    /// Rows of the partition before this batch.
    pub first_row: u64,
}

/// One invocation of a kernel.
pub struct KernelCall<'a> {
    /// Evaluated arguments, without the lambdas.
    pub args: &'a [Datum],
    /// Spark types of `args`.
    pub arg_types: &'a [DataType],
    /// Lambda arguments, in order.
    pub lambdas: &'a [&'a dyn LambdaKernel],
    /// The resolved return type.
    pub return_type: &'a DataType,
    /// Rows to return. If all arguments are scalars the evaluator calls with 1.
    pub rows: usize,
    /// Session settings.
    pub ctx: &'a EvalContext,
    /// Place of the batch.
    pub position: RowPosition,
    /// Where the call was written; kernels need not use it, the evaluator adds it to their errors.
    pub span: Span,
}

impl KernelCall<'_> {
    /// The seed of this partition, and of this round of a loop.
    pub(crate) fn shifted(&self, seed: i64) -> i64 {
        seed.wrapping_add(self.ctx.seed_shift).wrapping_add(i64::from(self.position.partition))
    }
}

/// A lambda argument ready to be called on elements.
pub trait LambdaKernel {
    /// Parameters it declares.
    fn arity(&self) -> usize;
    /// Type of its body.
    fn return_type(&self) -> &DataType;
    /// Evaluates the body for each element: `params` are arrays of equal length, `rows[i]` is the row of the outer batch that
    /// element `i` belongs to (for the columns that the body captures).
    fn call(&self, params: &[ArrayRef], rows: &UInt32Array) -> Result<ArrayRef>;
}

/// A kernel with state of its own: prepared once per task and expression, then called batch by batch.
pub trait ScalarInstance: Send {
    /// Computes one batch.
    fn call(&mut self, call: &KernelCall<'_>) -> Result<ArrayRef>;
}
