//! Functions in Rust: over values, and over whole Arrow arrays.
//!
//! ```sh
//! cargo run --release -p vonk --example udf
//! ```

use arrow::array::AsArray;
use arrow::datatypes::Float64Type;
use std::sync::Arc;
use vonk::functions::col;
use vonk::udf::Determinism;
use vonk::{DataType, Session};

fn main() -> vonk::Result<()> {
    let session = Session::builder().build()?;

    // A null argument gives null; an `Option` would see it. A `Result` may fail the query.
    let initials = session.udf().register("initials", |name: String| {
        name.split_whitespace().filter_map(|word| word.chars().next()).collect::<String>()
    })?;

    // A batch at a time.
    session.udf().register_vectorized(
        "to_fahrenheit",
        &[DataType::Double],
        DataType::Double,
        Determinism::Deterministic,
        |args| {
            let celsius = args[0].as_primitive::<Float64Type>();
            Ok(Arc::new(celsius.unary::<_, Float64Type>(|c| c * 9.0 / 5.0 + 32.0)))
        },
    )?;

    session
        .sql(
            "SELECT initials('Ada Lovelace') AS who, to_fahrenheit(37) AS degrees, initials(NULL) AS nobody",
        )?
        .show()?;
    let nations = session.table("samples.tpch.nation")?;
    nations
        .filter("n_name LIKE 'UNITED%'")?
        .select((col("n_name"), initials.call("n_name").alias("short")))?
        .order_by("n_name")?
        .show()
}
