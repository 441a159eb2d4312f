//! The interface of operators.

use arrow::array::RecordBatch;
use vonk_error::Result;

/// A runtime operator of one task. Pulled by its parent, on one thread; blocking only on bounded prefetch of I/O.
///
/// Batches have the Arrow types of the node's schema. An operator never puts out an empty batch, and after `None` or an error it
/// is not called again. It checks [`crate::CancelFlag`] wherever it loops for long without pulling its input.
pub trait Operator: Send {
    /// The next batch; `None` at the end.
    fn next(&mut self) -> Result<Option<RecordBatch>>;
}

/// An operator behind a pointer.
pub type BoxedOperator = Box<dyn Operator>;
