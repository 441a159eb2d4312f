//! The first query: SQL over sample data that is always there.
//!
//! ```sh
//! cargo run --release -p vonk --example first_query
//! ```

use vonk::Session;

fn main() -> vonk::Result<()> {
    let session = Session::builder().build()?;
    let regions = session.sql(
        "SELECT r_name AS region, count(*) AS nations
         FROM samples.tpch.nation JOIN samples.tpch.region ON n_regionkey = r_regionkey
         GROUP BY r_name ORDER BY r_name",
    )?;
    regions.print_schema();
    regions.show()
}
