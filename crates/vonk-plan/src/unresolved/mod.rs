//! The unresolved tree: what the SQL parser and the DataFrame API build, and what the analyzer turns into a resolved plan.
//!
//! It says what the user wrote, in few kinds of nodes. Sugar is gone (`EXTRACT(YEAR FROM x)` is a call of `extract`, pipe
//! operators are nested queries), names, types and functions are not looked at yet. Every expression carries the place it was
//! written at, so that an error found later, at analysis or in a task, points to the text of the whole expression.
//!
//! Equality ignores places (see [`vonk_error::Span`]).
//!
//! Must not know: SQL text (`vonk-sql` makes these trees), catalogs, the resolved plan.

mod alter;
mod expr;
mod plan;
mod statement;
mod walk;

pub use alter::*;
pub use expr::*;
pub use plan::*;
pub use statement::*;
