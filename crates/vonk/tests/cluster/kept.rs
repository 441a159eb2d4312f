//! Rows that are kept between queries lie at executors, and are computed again when those die.

use crate::common::*;
use vonk::functions::*;

#[test]
fn kept_rows_are_read_where_they_lie_and_made_again_when_lost() {
    let dir = tempfile::tempdir().unwrap();
    let session = watched("local-cluster[2,1,1g]", dir.path())
        .config("spark.shuffle.io.retryWait", "50ms")
        .config("spark.sql.shuffle.partitions", "3")
        .build()
        .unwrap();
    let work = "SELECT id % 50 AS k, count(*) AS n, max(length(repeat(sha2(string(id), 512), 20))) AS w FROM range(0, 20000, 1, 4) GROUP BY 1";
    // Dealt in turn: who deals again deals otherwise, and what was dealt must not count beside it.
    let kept = session.sql(work).unwrap().repartition(5).unwrap().cache().unwrap();
    let sums = || {
        let rows = kept.agg((count("*"), sum("n"), min("w"))).unwrap().collect_text().unwrap();
        assert_eq!(rows, ["50\t20000\t2560"]);
    };
    sums();
    let computed = stages_of(&session, 4).len();
    sums();
    assert_eq!(stages_of(&session, 4).len(), computed, "what is kept is just read");
    for round in 0..3 {
        let pids = executor_pids(dir.path());
        let victims = if round == 2 { pids.len() } else { 1 };
        pids.iter().take(victims).for_each(|pid| signal(*pid, "KILL"));
        eventually("executors are there again", || {
            let now = executor_pids(dir.path());
            now.len() == 2 && pids.iter().take(victims).all(|p| !now.contains(p))
        });
        sums();
        let top = kept.order_by(col("k").desc()).unwrap().limit(1).unwrap().select(("k", "n")).unwrap();
        assert_eq!(top.collect_text().unwrap(), ["49\t400"]);
    }
    assert_eq!(rows(&session, &format!("CACHE TABLE t AS {work}")).unwrap(), [""; 0]);
    assert_eq!(rows(&session, "SELECT sum(n) FROM t").unwrap(), ["20000"]);
    executor_pids(dir.path()).iter().for_each(|pid| signal(*pid, "KILL"));
    assert_eq!(rows(&session, "SELECT sum(n), count(*) FROM t").unwrap(), ["20000\t50"]);
    // Functions and tables of this program are not at the executors.
    assert_eq!(session.udf().register("f", |a: i32| a).unwrap_err().condition(), "_UNSUPPORTED_IN_VONK");
    drop((kept, session));
    eventually("executors end", || executor_pids(dir.path()).is_empty());
}
