//! Files: written with a folder for each value of a column, and read back where just one of them is looked into.
//!
//! ```sh
//! cargo run --release -p vonk --example files
//! ```

use vonk::functions::{col, count, year};
use vonk::{SaveMode, Session};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let session = Session::builder().build()?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("orders").to_string_lossy().into_owned();

    let orders = session.table("samples.tpch.orders")?.with_column("year", year("o_orderdate"))?;
    orders
        .write()
        .mode(SaveMode::Overwrite)
        .partition_by(["year"])
        .option("compression", "zstd")
        .parquet(&path)?;

    let read = session.read().parquet([path.as_str()])?;
    read.group_by("year").agg(count("*").alias("orders"))?.order_by("year")?.show()?;
    println!("{}", read.filter(col("year").eq(1995))?.explain_text("simple")?);

    // From SQL, too.
    println!(
        "{:?}",
        session
            .sql(&format!("SELECT max(o_orderdate) AS last FROM parquet.`{path}` WHERE year < 1994"))?
            .collect_text()?
    );
    Ok(())
}
