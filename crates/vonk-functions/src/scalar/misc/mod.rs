//! What belongs to no other family: the session, the place of a row, errors on purpose.

mod bitmap;
mod raise;
mod row;
mod session;
mod uuid;

use crate::scalar::ScalarFunction;

/// All of them.
pub(super) fn rows() -> Vec<ScalarFunction> {
    let mut rows = Vec::new();
    rows.extend(bitmap::rows());
    rows.extend(raise::rows());
    rows.extend(row::rows());
    rows.extend(session::rows());
    rows.extend(uuid::rows());
    rows
}
