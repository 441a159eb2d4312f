//! A DataFrame and the SQL that says the same have the same optimized plan.

use crate::numbering::renumbered;
use crate::session;
use vonk::functions::*;
use vonk::{DataFrame, Window};

/// The optimized plan.
fn optimized(df: &DataFrame) -> String {
    let text = df.explain_text("extended").unwrap();
    let begun = text.split("== Optimized Logical Plan ==\n").nth(1).expect("EXTENDED shows it");
    renumbered(begun.split("\n== ").next().unwrap().trim())
}

#[test]
fn the_same_plans() {
    let s = session();
    let table = |name: &str| s.table(&format!("samples.tpch.{name}")).unwrap();
    let (orders, customer) = (table("orders"), table("customer"));
    let large = col("o_totalprice").gt(100_000);
    let cases: Vec<(DataFrame, &str)> = vec![
        (
            orders
                .filter(large.clone())
                .unwrap()
                .select(("o_orderkey", (col("o_totalprice") * 2).alias("twice")))
                .unwrap(),
            "SELECT o_orderkey, o_totalprice * 2 AS twice FROM samples.tpch.orders WHERE o_totalprice > 100000",
        ),
        (
            orders
                .group_by("o_orderpriority")
                .agg((count("*").alias("n"), sum("o_totalprice").alias("total")))
                .unwrap()
                .order_by(col("n").desc())
                .unwrap()
                .limit(3)
                .unwrap(),
            "SELECT o_orderpriority, count(*) AS n, sum(o_totalprice) AS total FROM samples.tpch.orders \
             GROUP BY o_orderpriority ORDER BY n DESC LIMIT 3",
        ),
        (
            customer
                .join(
                    &orders,
                    customer.col("c_custkey").unwrap().eq(orders.col("o_custkey").unwrap()),
                    "left",
                )
                .unwrap()
                .filter(col("c_acctbal").lt(0))
                .unwrap()
                .select(("c_name", "o_orderkey"))
                .unwrap(),
            "SELECT c_name, o_orderkey FROM samples.tpch.customer LEFT JOIN samples.tpch.orders ON c_custkey = o_custkey \
             WHERE c_acctbal < 0",
        ),
        (
            orders
                .select(("o_custkey", "o_orderdate"))
                .unwrap()
                .with_column("r", rank().over(Window::partition_by("o_custkey").order_by("o_orderdate")))
                .unwrap()
                .filter("r = 1")
                .unwrap(),
            "SELECT * FROM (SELECT o_custkey, o_orderdate, rank() OVER (PARTITION BY o_custkey ORDER BY o_orderdate) AS r \
             FROM (SELECT o_custkey, o_orderdate FROM samples.tpch.orders)) WHERE r = 1",
        ),
        (
            customer
                .select("c_nationkey")
                .unwrap()
                .union(&table("supplier").select("s_nationkey").unwrap())
                .unwrap()
                .distinct()
                .unwrap(),
            "SELECT c_nationkey FROM samples.tpch.customer UNION SELECT s_nationkey FROM samples.tpch.supplier",
        ),
        (
            customer
                .join_using(
                    &table("nation").select(col("n_nationkey").alias("c_nationkey")).unwrap(),
                    ["c_nationkey"],
                    "semi",
                )
                .unwrap()
                .select("c_name")
                .unwrap(),
            "SELECT c_name FROM samples.tpch.customer LEFT SEMI JOIN \
             (SELECT n_nationkey AS c_nationkey FROM samples.tpch.nation) USING (c_nationkey)",
        ),
    ];
    for (df, sql) in cases {
        assert_eq!(optimized(&df), optimized(&s.sql(sql).unwrap()), "{sql}");
    }
}

/// Each step resolves itself alone: a chain twice as long takes twice as long (analysis only; `--ignored --nocapture`).
#[test]
#[ignore = "a measurement"]
fn time_of_long_chains() {
    let s = session();
    for steps in [250, 500, 1000, 2000] {
        let begun = std::time::Instant::now();
        let mut df = s.range(0, 10).unwrap();
        for i in 0..steps / 2 {
            let name = format!("c{}", i % 20);
            df = df.with_column(&name, col("id") + i).and_then(|d| d.filter(col("id").geq(0))).unwrap();
        }
        println!("{steps} steps: {:?}", begun.elapsed());
        assert_eq!(df.columns().len(), 21);
    }
}
