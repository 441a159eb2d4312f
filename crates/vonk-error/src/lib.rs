//! Errors as Spark users know them: one error type, one table of conditions with SQLSTATEs and message templates.
//!
//! An [`Error`] names a *condition* of the table in [`conditions`] (`DIVIDE_BY_ZERO`), carries the parameters of its message
//! and, where known, the place in the SQL text or in the program. It stays typed and serialisable from the kernel that raised it through
//! streams and RPC up to the edge; text is made only there, by `Display`.
//!
//! Must not know: anything else of Vonk.

mod cancel;
pub mod conditions;
mod error;
mod place;
mod span;

pub use cancel::{CancelFlag, CancelWatcher, check_cancelled, undisturbed, working_for};
pub use error::{Error, ErrorKind, FetchFailure};
pub use span::{CallContext, QueryContext, SourceId, Span, Spanned, SqlContext};

/// The result of everything in Vonk that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Returns early with an internal error (a bug of ours, never of the user).
#[macro_export]
macro_rules! internal_err {
    ($($arg:tt)*) => { Err($crate::Error::internal(format!($($arg)*))) };
}
