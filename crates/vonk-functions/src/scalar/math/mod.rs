//! Mathematical functions: a file a subject.

mod buckets;
mod elementary;
mod extremes;
mod fdlibm;
pub(super) mod hex;
mod integers;
mod nan;
mod radix;
mod random;
mod round;

use crate::scalar::ScalarFunction;

/// All mathematical functions: one line a subject.
pub(super) fn rows() -> Vec<ScalarFunction> {
    let mut rows = Vec::new();
    rows.extend(buckets::rows());
    rows.extend(elementary::rows());
    rows.extend(extremes::rows());
    rows.extend(hex::rows());
    rows.extend(integers::rows());
    rows.extend(nan::rows());
    rows.extend(radix::rows());
    rows.extend(random::rows());
    rows.extend(round::rows());
    rows
}

#[cfg(test)]
mod tests;
