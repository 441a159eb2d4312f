//! EXPLAIN in all its modes and the physical plans of typical queries, as snapshots in `snapshots/`.
//!
//! Plans are made for four slots over `samples.tpch` at scale 10, from its statistics alone: nothing runs, but for EXPLAIN ANALYZE,
//! whose times and bytes are masked. After a change of plans that is meant:
//! `INSTA_UPDATE=always cargo test -p vonk --test plans`, and read the difference.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

mod numbering;

use numbering::renumbered;
use std::fmt::Write;
use std::path::Path;
use vonk::Session;

const TPCH: [&str; 8] =
    ["customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier"];

/// Four slots, and the tables as views by their plain names.
fn session(scale: &str) -> Session {
    let session = Session::builder()
        .config("spark.master", "local[4]")
        .config("spark.vonk.samples.tpch.scale", scale)
        .build()
        .unwrap();
    for table in TPCH {
        let view = format!("CREATE TEMPORARY VIEW {table} AS SELECT * FROM samples.tpch.{table}");
        session.run(&view).unwrap();
    }
    session
}

fn explain(session: &Session, mode: &str, sql: &str) -> String {
    let mut answer = session.run(&format!("EXPLAIN {mode} {sql}")).unwrap_or_else(|e| panic!("{sql}: {e}"));
    renumbered(&answer.rows_as_text().unwrap().join("\n"))
}

fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_omit_expression(true);
    settings.set_prepend_module_to_snapshot(false);
    // What differs from run to run.
    settings.add_filter(r"time=[0-9.]+ms", "time=[time]");
    settings.add_filter(r"bytes=\d+", "bytes=[bytes]");
    settings.add_filter(r"(planning|execution) [0-9.]+ ms", "$1 [time]");
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// Queries of one subject with their plans; each plan must have the operators named.
fn plans(session: &Session, name: &str, cases: &[(&str, &[&str])]) {
    let mut out = String::new();
    for (sql, operators) in cases {
        let plan = explain(session, "", sql);
        for o in *operators {
            assert!(plan.contains(o), "no {o} in the plan of {sql}:\n{plan}");
        }
        let _ = writeln!(out, "-- SQL\n{sql}\n{plan}");
    }
    snapshot(name, &out);
}

#[test]
fn joins() {
    let s = session("10");
    let cases: &[(&str, &[&str])] = &[
        (
            "SELECT c_name, n_name FROM customer JOIN nation ON c_nationkey = n_nationkey",
            &["BroadcastHashJoin"],
        ),
        ("SELECT o_orderkey, l_quantity FROM orders JOIN lineitem ON o_orderkey = l_orderkey", &["HashJoin"]),
        (
            "SELECT c_name, o_orderkey FROM customer FULL JOIN orders ON c_custkey = o_custkey",
            &["ShuffledHashJoin (", "Full"],
        ),
        (
            "SELECT c_name, o_orderkey FROM customer LEFT JOIN orders ON c_custkey = o_custkey",
            &["HashJoin", "Left"],
        ),
        (
            "SELECT c_name, o_orderkey FROM customer RIGHT JOIN orders ON c_custkey = o_custkey",
            &["HashJoin", "Right"],
        ),
        ("SELECT c_name FROM customer LEFT SEMI JOIN orders ON c_custkey = o_custkey", &["LeftSemi"]),
        ("SELECT c_name FROM customer LEFT ANTI JOIN orders ON c_custkey = o_custkey", &["LeftAnti"]),
        (
            "SELECT c_name FROM customer WHERE c_custkey NOT IN (SELECT o_custkey FROM orders)",
            &["NullAwareAnti"],
        ),
        ("SELECT c_name, n_name FROM customer JOIN nation ON c_nationkey < n_nationkey", &["NestedLoopJoin"]),
        ("SELECT r_name, n_name FROM region CROSS JOIN nation", &["NestedLoopJoin"]),
        (
            "SELECT a.c_name FROM customer a JOIN customer b ON a.c_nationkey <=> b.c_nationkey AND a.c_acctbal > b.c_acctbal",
            &["HashJoin", "condition"],
        ),
    ];
    plans(&s, "joins", cases);
    let shuffled = session("10");
    shuffled.run("SET spark.sql.autoBroadcastJoinThreshold = -1").unwrap();
    let cases: Vec<(&str, &[&str])> = cases[..2].iter().map(|c| (c.0, &["ShuffledHashJoin"][..])).collect();
    plans(&shuffled, "joins_without_broadcast", &cases);
}

#[test]
fn aggregates() {
    let cases: &[(&str, &[&str])] = &[
        ("SELECT count(*), sum(l_quantity) FROM lineitem", &["partial", "final", "Exchange"]),
        (
            "SELECT l_returnflag, count(*), avg(l_tax) FROM lineitem GROUP BY l_returnflag",
            &["partial", "final", "hash of 1 key"],
        ),
        (
            "SELECT l_returnflag, count(DISTINCT l_suppkey) FROM lineitem GROUP BY l_returnflag",
            &["partial", "final"],
        ),
        (
            "SELECT count(DISTINCT l_suppkey), count(DISTINCT l_partkey), sum(l_tax) FROM lineitem",
            &["HashAggregate"],
        ),
        ("SELECT DISTINCT l_shipmode FROM lineitem", &["HashAggregate"]),
        (
            "SELECT l_returnflag, l_linestatus, sum(l_tax) FROM lineitem GROUP BY CUBE (l_returnflag, l_linestatus)",
            &["Expand"],
        ),
        (
            "SELECT o_custkey, count(*) FROM (SELECT o_custkey, o_orderstatus, count(*) FROM orders GROUP BY o_custkey, o_orderstatus) GROUP BY o_custkey",
            &["HashAggregate"],
        ),
        ("SELECT n_regionkey, count(*) FROM nation GROUP BY n_regionkey", &["HashAggregate"]),
    ];
    plans(&session("10"), "aggregates", cases);
}

#[test]
fn windows_and_sorts() {
    let cases: &[(&str, &[&str])] = &[
        (
            "SELECT c_name, rank() OVER (PARTITION BY c_nationkey ORDER BY c_acctbal), sum(c_acctbal) OVER (PARTITION BY c_nationkey) FROM customer",
            &["Window", "hash of 1 key"],
        ),
        ("SELECT c_name, row_number() OVER (ORDER BY c_acctbal) FROM customer", &["Window", "single"]),
        (
            "SELECT o_orderkey FROM orders ORDER BY o_totalprice DESC, o_orderkey LIMIT 10",
            &["TopK", "fetch 10"],
        ),
        ("SELECT o_orderkey FROM orders ORDER BY o_orderkey LIMIT 10 OFFSET 5", &["TopK", "offset 5"]),
        ("SELECT o_orderkey, o_totalprice FROM orders ORDER BY o_totalprice", &["ranges of 1 key"]),
        ("SELECT n_name FROM nation ORDER BY n_name", &["Sort"]),
        ("SELECT o_orderkey FROM orders SORT BY o_orderkey", &["Sort"]),
        ("SELECT o_orderkey FROM orders LIMIT 7", &["Limit", "limit 7"]),
    ];
    plans(&session("10"), "windows_and_sorts", cases);
}

#[test]
fn sets_and_subqueries() {
    let cases: &[(&str, &[&str])] = &[
        ("SELECT c_nationkey FROM customer UNION ALL SELECT s_nationkey FROM supplier", &["Union"]),
        (
            "SELECT c_nationkey FROM customer UNION SELECT s_nationkey FROM supplier",
            &["Union", "HashAggregate"],
        ),
        ("SELECT c_nationkey FROM customer INTERSECT SELECT s_nationkey FROM supplier", &["LeftSemi"]),
        (
            "SELECT c_nationkey FROM customer EXCEPT ALL SELECT s_nationkey FROM supplier",
            &["Window", "LeftAnti"],
        ),
        (
            "SELECT c_name FROM customer WHERE c_acctbal > (SELECT avg(c_acctbal) FROM customer)",
            &["Subquery"],
        ),
        (
            "SELECT c_name FROM customer c WHERE c_acctbal > (SELECT avg(c_acctbal) FROM customer d WHERE d.c_nationkey = c.c_nationkey)",
            &["HashJoin"],
        ),
        (
            "SELECT c_name FROM customer WHERE c_acctbal < 0 OR EXISTS (SELECT 1 FROM orders WHERE o_custkey = c_custkey)",
            &["Mark"],
        ),
        (
            "SELECT n_name, c_name FROM nation, LATERAL (SELECT c_name FROM customer WHERE c_nationkey = n_nationkey ORDER BY c_acctbal LIMIT 2)",
            &["Window"],
        ),
        (
            "SELECT id, x FROM range(0, 1000, 1, 4), LATERAL explode(array(id, id + 1)) AS e(x)",
            &["Generate", "Range"],
        ),
    ];
    plans(&session("10"), "sets_and_subqueries", cases);
}

#[test]
fn runtime_filters_reductions_and_shared_exchanges() {
    let cases: &[(&str, &[&str])] = &[
        (
            "SELECT sum(l_quantity) FROM lineitem JOIN supplier ON l_suppkey = s_suppkey WHERE s_name = 'x'",
            &["fills runtime filter", "runtime filter 0 on l_suppkey"],
        ),
        (
            "SELECT p_name, q FROM part JOIN (SELECT l_partkey, sum(l_quantity) AS q FROM lineitem GROUP BY l_partkey) ON p_partkey = l_partkey WHERE p_name = 'x'",
            &["LeftSemi", "HashAggregate"],
        ),
        (
            "WITH r AS (SELECT l_suppkey, sum(l_quantity) AS q FROM lineitem GROUP BY l_suppkey) SELECT a.l_suppkey FROM r a JOIN r b ON a.q = b.q AND a.l_suppkey < b.l_suppkey",
            &["HashAggregate"],
        ),
    ];
    let s = session("10");
    plans(&s, "runtime_filters_reductions_and_shared_exchanges", cases);
    // Equal exchanges are one shuffle, as the list of stages tells: one that writes it, one that reads it twice.
    let formatted = explain(&s, "FORMATTED", cases[2].0);
    assert_eq!(
        formatted.matches("ShuffleWrite").count(),
        2,
        "the aggregation and the broadcast:\n{formatted}"
    );
    snapshot("shared_exchange", &formatted);
    s.run("SET spark.sql.optimizer.runtime.bloomFilter.enabled = false").unwrap();
    assert!(!explain(&s, "", cases[0].0).contains("runtime filter"));
}

const MODES: &str =
    "SELECT n_name, sum(c_acctbal) AS total FROM customer JOIN nation ON c_nationkey = n_nationkey
WHERE c_acctbal > (SELECT min(s_acctbal) FROM supplier) GROUP BY n_name ORDER BY total DESC LIMIT 3";

#[test]
fn explain_modes() {
    let s = session("1");
    for (mode, section) in [
        ("", "== Physical Plan =="),
        ("EXTENDED", "== Analyzed Logical Plan =="),
        ("COST", "Statistics(sizeInBytes="),
        ("FORMATTED", "Stage "),
        ("CODEGEN", "== Physical Plan =="),
    ] {
        let text = explain(&s, mode, MODES);
        assert!(text.contains(section), "EXPLAIN {mode}:\n{text}");
        let name = if mode.is_empty() { "plain" } else { mode }.to_lowercase();
        snapshot(&format!("explain_{name}"), &text);
    }
    let commands = ["CREATE TABLE t (a INT)", "DROP TABLE t", "SET a = 1", "INSERT INTO t VALUES (1)"];
    let text: Vec<String> = commands.iter().map(|c| explain(&s, "", c)).collect();
    snapshot("explain_commands", &text.join("\n"));
}

#[test]
fn explain_analyze() {
    // One slot: how many rows a partial aggregation or a runtime filter lets pass does not depend on timing then.
    let s = Session::builder().config("spark.master", "local[1]").build().unwrap();
    let sql = "SELECT n_name, count(*) FROM samples.tpch.customer JOIN samples.tpch.nation ON c_nationkey = n_nationkey
WHERE c_acctbal > 9000 GROUP BY n_name ORDER BY n_name LIMIT 3";
    let text = explain(&s, "ANALYZE", sql);
    assert!(text.contains("rows=3 bytes=") && text.contains("3 rows, "), "{text}");
    snapshot("explain_analyze", &text);
}

/// The 22 queries, each with its optimized logical and its physical plan.
#[test]
fn tpch() {
    let s = session("10");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sql-tests/tpch");
    for n in 1..=22 {
        let text = std::fs::read_to_string(folder.join(format!("q{n:02}.slt"))).unwrap();
        let mut plans = String::new();
        for record in text.split("query ").skip(1) {
            let (_, rest) = record.split_once('\n').unwrap();
            let sql = rest.split("\n----").next().unwrap();
            if !sql.trim_start().to_lowercase().starts_with("create")
                && !sql.to_lowercase().starts_with("drop")
            {
                let text = explain(&s, "EXTENDED", sql);
                plans +=
                    text.split_once("== Optimized Logical Plan ==").map_or("", |(_, plan)| plan.trim_start());
            } else {
                s.run(sql).unwrap();
            }
        }
        assert!(plans.contains("== Physical Plan =="), "no query in q{n:02}");
        snapshot(&format!("tpch_q{n:02}"), &plans);
    }
}
