//! The same by calls: filters, joins, groups, windows.
//!
//! ```sh
//! cargo run --release -p vonk --example dataframes
//! ```

use vonk::functions::{col, count, lit, rank, round, sum};
use vonk::{Session, Window};

fn main() -> vonk::Result<()> {
    let session = Session::builder().build()?;
    let customer = session.table("samples.tpch.customer")?;
    let orders = session
        .table("samples.tpch.orders")?
        .filter(col("o_orderdate").geq(lit("1995-01-01").cast("date")))?;
    let nation = session.table("samples.tpch.nation")?;

    let bought = orders
        .join(&customer, orders.col("o_custkey")?.eq(customer.col("c_custkey")?), "inner")?
        .join(&nation, col("c_nationkey").eq(col("n_nationkey")), "inner")?
        .group_by(("n_name", "c_name"))
        .agg((count("*").alias("orders"), sum("o_totalprice").alias("spent")))?;

    let by_spending = Window::partition_by("n_name").order_by(col("spent").desc());
    let best = bought
        .with_column("rank", rank().over(by_spending))?
        .filter("rank = 1 AND n_name LIKE 'A%'")?
        .select((
            col("n_name").alias("nation"),
            col("c_name").alias("customer"),
            col("orders"),
            round(("spent", 0)).alias("spent"),
        ))?
        .order_by("nation")?;

    best.show()?;
    best.explain()
}
