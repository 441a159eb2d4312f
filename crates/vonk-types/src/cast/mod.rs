//! Casts between Spark types.

use serde::{Deserialize, Serialize};

/// What a cast does with a value that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CastMode {
    /// Raises Spark's error (`spark.sql.ansi.enabled=true`).
    Ansi,
    /// Null or wrap-around, as Spark without ANSI.
    Legacy,
    /// `try_cast`: null.
    Try,
}
