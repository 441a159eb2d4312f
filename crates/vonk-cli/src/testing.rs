//! What unit tests of several modules need.

use std::path::Path;
use vonk::Session;

/// A session whose warehouse is a folder of the test.
#[allow(clippy::unwrap_used)] // A test fails by panicking.
pub fn session(warehouse: &Path) -> Session {
    let builder = Session::builder().config("spark.master", "local[1]");
    builder.config("spark.sql.warehouse.dir", &warehouse.to_string_lossy()).build().unwrap()
}
