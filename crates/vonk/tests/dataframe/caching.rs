//! Rows that are kept between queries.

use crate::{check, condition, letters, message, session};
use arrow::array::{ArrayRef, Int64Array};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use vonk::functions::*;
use vonk::provider::{Batches, Scan, TableProvider};
use vonk::{DataFrame, DataType, Observation, Result, SaveMode, Session, StructField, StructType};

/// A thousand numbers in four partitions; counts how often one was read.
#[derive(Default)]
struct Counted {
    scans: AtomicUsize,
}

impl Counted {
    fn scans(&self) -> usize {
        self.scans.swap(0, Ordering::Relaxed)
    }
}

impl TableProvider for Counted {
    fn schema(&self) -> StructType {
        StructType::new(vec![
            StructField::new("n", DataType::Long, false),
            StructField::new("m", DataType::Long, false),
        ])
    }

    fn partitions(&self) -> usize {
        4
    }

    fn scan(&self, partition: usize, scan: &Scan) -> Result<Batches> {
        self.scans.fetch_add(1, Ordering::Relaxed);
        let n: Vec<i64> = (0..250).map(|i| i * 4 + partition as i64).collect();
        let m: ArrayRef = Arc::new(n.iter().map(|n| Some(n % 7)).collect::<Int64Array>());
        let n: ArrayRef = Arc::new(Int64Array::from(n));
        Ok(scan.batches([vec![n, m]]))
    }
}

fn counted(s: &Session) -> (Arc<Counted>, DataFrame) {
    let provider = Arc::new(Counted::default());
    let df = s.read_provider("counted", provider.clone()).unwrap();
    (provider, df)
}

#[test]
fn rows_are_computed_once() {
    let s = session();
    let (source, df) = counted(&s);
    let even = df.filter("n % 2 = 0").unwrap().cache().unwrap();
    assert!(even.is_cached() && !df.is_cached());
    assert_eq!(source.scans(), 0, "nothing is computed before it is asked for");
    assert_eq!(even.count().unwrap(), 500);
    assert_eq!(source.scans(), 4);
    check(even.agg((min("n"), max("n"))), "struct<min(n):bigint,max(n):bigint>", &["0\t998"]);
    check(even.filter("n < 3").and_then(|d| d.select("m")), "struct<m:bigint>", &["0", "2"]);
    // References from before it was kept mean the same columns.
    check(even.filter(df.col("n").unwrap().eq(4)), "struct<n:bigint,m:bigint>", &["4\t4"]);
    assert_eq!(even.cache().unwrap().count().unwrap(), 500);
    assert_eq!(source.scans(), 0);
    assert!(s.used_memory() > 0);
    even.unpersist();
    assert!(!even.is_cached());
    assert_eq!(even.count().unwrap(), 500);
    assert_eq!(source.scans(), 4);
    nothing_is_held(&s);
}

/// Waits for what is given back by other threads.
fn nothing_is_held(s: &Session) {
    let begun = Instant::now();
    while s.used_memory() > 0 {
        assert!(begun.elapsed() < Duration::from_secs(10), "{} bytes are still held", s.used_memory());
        std::thread::yield_now();
    }
}

#[test]
fn what_nobody_can_ask_for_is_not_kept() {
    let s = session();
    let (_, df) = counted(&s);
    let kept = df.cache().unwrap();
    assert_eq!(kept.count().unwrap(), 1000);
    let above = kept.filter("n > 10").unwrap();
    drop(kept);
    assert_eq!(above.count().unwrap(), 989);
    assert!(s.used_memory() > 0, "one made of it still can");
    drop(above);
    nothing_is_held(&s);
}

#[test]
fn every_query_sees_all_rows() {
    // Joins reduce their large side by the keys of the small one, aggregates and limits stop early: none of that may go into what is kept.
    let s = session();
    let (source, df) = counted(&s);
    let kept = df.repartition_by(Some(3), "m").unwrap().cache().unwrap();
    let few = s.sql("SELECT id AS n, 'x' AS tag FROM range(3)").unwrap();
    assert_eq!(kept.join_using(&few, ["n"], "inner").unwrap().count().unwrap(), 3);
    assert_eq!(source.scans(), 4);
    assert_eq!(kept.limit(1).unwrap().collect().unwrap().len(), 1);
    assert_eq!(kept.count().unwrap(), 1000);
    let (a, b) = (kept.alias("a").unwrap(), kept.alias("b").unwrap());
    let pairs = a.join(&b, col("a.n").eq(col("b.n") + 1), "inner").unwrap();
    assert_eq!(pairs.count().unwrap(), 999);
    assert_eq!(kept.group_by("m").count().unwrap().count().unwrap(), 7);
    let top = kept.order_by(col("n").desc()).unwrap().limit(2).unwrap().select("n");
    check(top, "struct<n:bigint>", &["998", "999"]);
    assert_eq!(source.scans(), 0);
}

#[test]
fn an_order_stays() {
    let s = session();
    let (source, df) = counted(&s);
    let sorted = df.order_by((col("m").desc(), "n")).unwrap();
    let expected = sorted.collect_text().unwrap();
    source.scans();
    let kept = sorted.cache().unwrap();
    assert_eq!(kept.collect_text().unwrap(), expected);
    source.scans();
    assert_eq!(kept.collect_text().unwrap(), expected);
    assert_eq!(source.scans(), 0, "not even for a sample of its keys");
}

#[test]
fn kept_rows_of_kept_rows() {
    let s = session();
    let (source, df) = counted(&s);
    let inner = df.filter("m > 0").unwrap().cache().unwrap();
    let outer = inner.group_by("m").agg(sum("n").alias("s")).unwrap().cache().unwrap();
    let expected =
        df.filter("m > 0").unwrap().group_by("m").agg(sum("n").alias("s")).unwrap().order_by("m").unwrap();
    let expected = expected.collect_text().unwrap();
    source.scans();
    assert_eq!(outer.order_by("m").unwrap().collect_text().unwrap(), expected);
    let both = outer.join_using(&inner, ["m"], "inner").unwrap();
    assert_eq!(both.count().unwrap(), 857);
    assert_eq!(source.scans(), 4);
}

#[test]
fn queries_of_their_own_beneath() {
    let s = session();
    // The value of a scalar subquery goes into what is kept; afterwards neither is computed again.
    let (source, df) = counted(&s);
    let average = df.agg(avg("n")).unwrap();
    let above = df.filter(col("n").gt(average.scalar())).unwrap().cache().unwrap();
    assert_eq!(above.count().unwrap(), 500);
    assert_eq!(source.scans(), 8);
    check(above.agg((min("n"), max("n"))), "struct<min(n):bigint,max(n):bigint>", &["500\t999"]);
    assert_eq!(source.scans(), 0);
    // One kept relation below another, and values of the query itself beside.
    let upper = above.filter(col("n").geq(above.agg(avg("n")).unwrap().scalar())).unwrap().cache().unwrap();
    for _ in 0..2 {
        let least = df.agg(min("n") + 990).unwrap();
        check(
            upper.filter(col("n").geq(least.scalar())).and_then(|d| d.agg((count("*"), min("n")))),
            "struct<count(1):bigint,min(n):bigint>",
            &["10\t990"],
        );
        assert_eq!(source.scans(), 4, "the query's own subquery alone");
    }
    // Rows of a recursion, too.
    source.scans();
    df.create_or_replace_temp_view("counted").unwrap();
    let tree = s
        .sql("WITH RECURSIVE r AS (SELECT n FROM counted WHERE n < 2 UNION ALL SELECT n + 2 FROM r WHERE n < 8) SELECT * FROM r")
        .unwrap()
        .cache()
        .unwrap();
    assert_eq!(tree.count().unwrap(), 10);
    assert!(source.scans() > 0);
    check(tree.agg((sum("n"), count("*"))), "struct<sum(n):bigint,count(1):bigint>", &["45\t10"]);
    assert_eq!(source.scans(), 0);
    above.unpersist();
    assert_eq!(above.count().unwrap(), 500);
    assert_eq!(source.scans(), 8);

    letters(&s).create_temp_view("letters").unwrap();
    let above =
        s.sql("SELECT id FROM letters WHERE v > (SELECT avg(v) FROM letters)").unwrap().cache().unwrap();
    for _ in 0..2 {
        check(Ok(above.clone()), "struct<id:bigint>", &["2", "3"]);
        check(above.filter("id > (SELECT min(id) + 2 FROM letters)"), "struct<id:bigint>", &["3"]);
    }
}

#[test]
fn in_little_memory_they_go_to_disk() {
    let s = Session::builder().master("local[2]").config("spark.vonk.memory.limit", "8m").build().unwrap();
    let wide =
        s.sql("SELECT id, sha2(string(id), 512) AS h FROM range(0, 300000, 1, 4)").unwrap().cache().unwrap();
    for _ in 0..2 {
        check(
            wide.agg((count("*"), sum("id"), max(length("h")))),
            "struct<count(1):bigint,sum(id):bigint,max(length(h)):int>",
            &["300000\t44999850000\t128"],
        );
    }
    assert!(s.used_memory() < 8 << 20);
}

#[test]
fn many_ask_at_once() {
    let s = session();
    let (source, df) = counted(&s);
    let kept = df.repartition(3).unwrap().cache().unwrap();
    std::thread::scope(|scope| {
        let counts: Vec<_> = (0..8).map(|_| scope.spawn(|| kept.count().unwrap())).collect();
        counts.into_iter().for_each(|c| assert_eq!(c.join().unwrap(), 1000));
    });
    assert_eq!(source.scans(), 4, "one of them computes, the others wait");
}

fn with_warehouse(folder: &tempfile::TempDir) -> Session {
    let warehouse = folder.path().join("warehouse").to_string_lossy().into_owned();
    Session::builder().master("local[2]").config("spark.sql.warehouse.dir", &warehouse).build().unwrap()
}

fn rows(s: &Session, sql: &str) -> Vec<String> {
    s.run(sql).and_then(|mut a| a.rows_as_text()).unwrap_or_else(|e| panic!("{sql}: {e}"))
}

#[test]
fn tables_of_sql() {
    let folder = tempfile::tempdir().unwrap();
    let s = with_warehouse(&folder);
    letters(&s).write().save_as_table("t").unwrap();
    rows(&s, "CREATE VIEW high AS SELECT * FROM t WHERE v > 2");
    rows(&s, "CACHE TABLE t");
    rows(&s, "CACHE LAZY TABLE high");
    assert_eq!(rows(&s, "SELECT count(*) FROM t"), ["4"]);
    assert_eq!(rows(&s, "SELECT count(*) FROM high"), ["2"]);
    // The files are not looked at any more.
    let files = || {
        let entries = std::fs::read_dir(folder.path().join("warehouse/t")).unwrap();
        entries.map(|e| e.unwrap().path()).filter(|p| p.is_file()).collect::<Vec<_>>()
    };
    let hidden: Vec<_> = files().into_iter().map(|f| (f.with_extension("away"), f)).collect();
    hidden.iter().for_each(|(away, file)| std::fs::rename(file, away).unwrap());
    assert_eq!(rows(&s, "SELECT sum(v) FROM t"), ["12"]);
    assert_eq!(rows(&s.new_session(), "SELECT sum(v) FROM t"), ["12"], "all sessions have it");
    hidden.iter().for_each(|(away, file)| std::fs::rename(away, file).unwrap());
    // Until the table changes.
    rows(&s, "INSERT INTO t VALUES (9, 9, 'z')");
    assert_eq!(rows(&s, "SELECT count(*), max(k) FROM t"), ["5\tz"]);
    assert_eq!(rows(&s, "SELECT count(*) FROM high"), ["3"]);
    letters(&s).limit(1).unwrap().write().mode(SaveMode::Overwrite).insert_into("t").unwrap();
    assert_eq!(rows(&s, "SELECT count(*) FROM t"), ["1"]);
    rows(&s, "UNCACHE TABLE t");
    rows(&s, "UNCACHE TABLE high");
    rows(&s, "UNCACHE TABLE IF EXISTS nowhere");
    assert_eq!(condition(s.run("UNCACHE TABLE nowhere")), "TABLE_OR_VIEW_NOT_FOUND");
    assert_eq!(condition(s.run("CACHE TABLE nowhere")), "TABLE_OR_VIEW_NOT_FOUND");
    nothing_is_held(&s);
    rows(&s, "CACHE TABLE t");
    rows(&s, "DROP TABLE t");
    assert_eq!(condition(s.run("SELECT * FROM t")), "TABLE_OR_VIEW_NOT_FOUND");
    nothing_is_held(&s);
}

#[test]
fn views_of_sql() {
    let folder = tempfile::tempdir().unwrap();
    let s = with_warehouse(&folder);
    let (source, df) = counted(&s);
    df.create_temp_view("counted").unwrap();
    rows(&s, "CACHE TABLE small AS SELECT n FROM counted WHERE n < 10");
    assert_eq!(source.scans(), 4, "it is computed at once");
    assert_eq!(rows(&s, "SELECT sum(n) FROM small"), ["45"]);
    assert_eq!(rows(&s, "SELECT s.n FROM small s JOIN small r ON s.n = r.n + 8 ORDER BY 1"), ["8", "9"]);
    assert_eq!(source.scans(), 0);
    assert_eq!(condition(s.run("CACHE TABLE small AS SELECT 1")), "TEMP_TABLE_OR_VIEW_ALREADY_EXISTS");
    rows(&s, "CACHE LAZY TABLE counted");
    assert_eq!(source.scans(), 0);
    rows(&s, "SELECT count(*) FROM counted");
    assert_eq!(source.scans(), 4);
    rows(&s, "SELECT count(*) FROM counted");
    assert_eq!(source.scans(), 0);
    // Another view of the name has nothing of the old one.
    rows(&s, "CREATE OR REPLACE TEMPORARY VIEW small AS SELECT 1 AS n");
    assert_eq!(rows(&s, "SELECT * FROM small"), ["1"]);
    rows(&s, "CLEAR CACHE");
    rows(&s, "SELECT count(*) FROM counted");
    assert_eq!(source.scans(), 4);
    nothing_is_held(&s);
    let other = s.new_session();
    rows(&other, "CACHE TABLE theirs AS SELECT * FROM range(100)");
    assert!(s.used_memory() > 0);
    drop(other);
    nothing_is_held(&s);
    // A failure leaves nothing.
    assert_eq!(condition(s.run("CACHE TABLE broken AS SELECT 1 / (id - 3) FROM range(5)")), "DIVIDE_BY_ZERO");
    assert_eq!(condition(s.run("SELECT * FROM broken")), "TABLE_OR_VIEW_NOT_FOUND");
}

#[test]
fn observed_rows() {
    let s = session();
    let (source, df) = counted(&s);
    let seen = Observation::new();
    assert!(message(seen.get()).contains("before it is asked"));
    let aggregates = (count(lit(1)).alias("rows"), max("n").alias("mx"), avg("m"));
    let observed = df.filter("n >= 10").and_then(|d| d.observe(&seen, aggregates)).unwrap();
    assert_eq!(observed.filter("n > 500").unwrap().count().unwrap(), 499);
    assert_eq!(source.scans(), 4);
    let (rows, largest, _): (i64, i64, f64) = seen.get_as().unwrap();
    assert_eq!((rows, largest), (990, 999));
    assert_eq!(seen.get().unwrap().into_keys().collect::<Vec<_>>(), ["avg(m)", "mx", "rows"]);
    assert_eq!(source.scans(), 0);
    assert!(message(df.observe(&seen, count("*"))).contains("only once"));
    let refused = |column| condition(df.observe(&Observation::new(), column));
    assert_eq!(
        refused(count_distinct("n").alias("q")),
        "INVALID_OBSERVED_METRICS.AGGREGATE_EXPRESSION_WITH_DISTINCT_UNSUPPORTED"
    );
    assert_eq!(
        refused(sum("n").filter_where(col("n").gt(1))),
        "INVALID_OBSERVED_METRICS.AGGREGATE_EXPRESSION_WITH_FILTER_UNSUPPORTED"
    );
}
