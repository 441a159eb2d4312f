//! Regular expressions with Java's meaning.
//!
//! [`java`] turns a Java pattern into one of the `regex` crate's language, or of `fancy-regex`'s where it looks around or
//! back; [`pattern`] runs it with Java's rules for successive matches; the other files are the functions.

mod extract;
mod java;
mod pattern;
mod replace;
mod rlike;
mod split;

use crate::scalar::ScalarFunction;

/// All functions of regular expressions.
pub(super) fn rows() -> Vec<ScalarFunction> {
    let mut rows = Vec::new();
    rows.extend(extract::rows());
    rows.extend(replace::rows());
    rows.extend(rlike::rows());
    rows.extend(split::rows());
    rows
}

#[cfg(test)]
mod tests;
