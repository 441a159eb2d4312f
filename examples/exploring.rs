//! Getting to know data: summaries, nulls, pivots, quantiles.
//!
//! ```sh
//! cargo run --release -p vonk --example exploring
//! ```

use vonk::functions::{col, year};
use vonk::{Fill, Session};

fn main() -> vonk::Result<()> {
    let session = Session::builder().build()?;
    let orders = session.table("samples.tpch.orders")?;
    orders.select(("o_totalprice", "o_orderpriority"))?.summary([])?.show()?;

    let quartiles = orders.stat().approx_quantile("o_totalprice", &[0.25, 0.5, 0.75], 0.01)?;
    println!("quartiles of prices: {quartiles:?}\n");

    orders
        .filter(year("o_orderdate").between(1996, 1998))?
        .group_by("o_orderpriority")
        .pivot(year("o_orderdate"))?
        .count()?
        .order_by("o_orderpriority")?
        .show()?;

    let measured = session.sql("SELECT * FROM VALUES (1, 21.5D, 'warm'), (2, NULL, NULL), (3, double('NaN'), 'cold') AS t(day, degrees, word)")?;
    measured
        .na()
        .fill_each([("degrees", Fill::from(0.0)), ("word", Fill::from("?"))])?
        .order_by(col("day"))?
        .show()
}
