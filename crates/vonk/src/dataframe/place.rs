//! Where in the user's program an expression was built: what errors of DataFrames point at, as errors of SQL point into the text.
//!
//! Whatever a program calls to build an expression is `#[track_caller]` down to [`called`], closures excepted: a closure does not
//! inherit its caller's place, so arguments are taken in loops. Expressions that this crate builds for itself have no place.

use std::panic::Location;
use vonk_error::Span;

/// The place of whoever called `name`; none, if it was this crate.
#[track_caller]
pub(crate) fn called(name: &'static str) -> Span {
    let at = Location::caller();
    let own = file!().strip_suffix("dataframe/place.rs").unwrap_or(file!());
    if at.file().starts_with(own) { Span::NONE } else { Span::of_call(name, at) }
}
