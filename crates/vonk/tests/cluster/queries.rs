//! Queries on executors: results, errors, the end of one that is not wanted.

use crate::common::*;
use std::time::{Duration, Instant};
use vonk::Control;
use vonk::functions::{col, lit};

#[test]
fn a_cancelled_query_ends_everywhere_and_the_next_one_runs() {
    let dir = tempfile::tempdir().unwrap();
    let session = builder("local-cluster[2,1,1g]", dir.path()).build().unwrap();
    let control = Control::default();
    let cancel = control.cancel.clone();
    let canceller = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(500));
        cancel.cancel();
    });
    let begun = Instant::now();
    let endless = "SELECT count(*) FROM range(0, 10000000000000, 1, 4) WHERE id % 3 = 5";
    let error = session.execute(endless, &control).and_then(|mut a| a.rows_as_text()).unwrap_err();
    assert_eq!(error.condition(), "OPERATION_CANCELED");
    canceller.join().unwrap();
    // Both slots are free again: this needs them.
    assert_eq!(rows(&session, "SELECT count(*) FROM range(0, 1000, 1, 2)").unwrap(), ["1000"]);
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_plan_that_is_too_large_is_refused_and_the_session_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let session = builder("local-cluster[1,1,1g]", dir.path())
        .config("spark.rpc.message.maxSize", "64k")
        .build()
        .unwrap();
    let list: Vec<String> = (0..20_000).map(|i| (i * 7).to_string()).collect();
    let sql = format!("SELECT count(*) FROM range(100) WHERE id IN ({})", list.join(", "));
    let error = rows(&session, &sql).unwrap_err();
    assert_eq!((error.condition(), error.sql_state()), ("_PLAN_TOO_LARGE", "54000"));
    assert_eq!(rows(&session, "SELECT count(*) FROM range(10)").unwrap(), ["10"]);
}

#[test]
fn a_task_that_fails_names_the_place_and_leaves_the_executor_alone() {
    let dir = tempfile::tempdir().unwrap();
    let session = builder("local-cluster[1,1,1g]", dir.path()).build().unwrap();
    let error = rows(&session, "SELECT id, 10 / (id - 7) FROM range(10)").unwrap_err();
    assert_eq!(error.condition(), "DIVIDE_BY_ZERO");
    assert_eq!(error.context().unwrap().fragment(), "10 / (id - 7)");
    // A DataFrame's call in this program, though it failed in another.
    let line = line!() + 1;
    let failing = session.range(0, 10).unwrap().select(lit(10) / (col("id") - 7)).unwrap();
    let error = failing.collect().unwrap_err();
    assert_eq!(error.context().unwrap().fragment(), "div");
    assert!(error.to_string().contains(&format!("queries.rs:{line}:")), "{error}");
    let before = executor_pids(dir.path());
    assert_eq!(rows(&session, "SELECT 10 / (id - 70) FROM range(1)").unwrap().len(), 1);
    assert_eq!(executor_pids(dir.path()), before);
}

#[test]
fn many_rows_come_back_in_order_beyond_the_drivers_memory() {
    let dir = tempfile::tempdir().unwrap();
    let session =
        builder("local-cluster[2,1,1g]", dir.path()).config("spark.driver.memory", "1m").build().unwrap();
    let sql = "SELECT id, concat('the text of row number ', id) FROM range(0, 400000, 1, 8)";
    let mut answer = session.run(sql).unwrap();
    let mut next = 0i64;
    while let Some(batch) = answer.next_batch().unwrap() {
        let ids = batch.column(0).as_any().downcast_ref::<arrow::array::Int64Array>().unwrap();
        for id in ids.values() {
            assert_eq!(*id, next);
            next += 1;
        }
    }
    assert_eq!(next, 400_000);
    drop(answer);
    eventually("memory given back", || session.used_memory() == 0);
}

#[test]
fn answers_of_executors_are_read_in_parts_and_as_streams() {
    let dir = tempfile::tempdir().unwrap();
    let session = builder("local-cluster[2,1,1g]", dir.path()).build().unwrap();
    let ask = |sql: &str| session.execute(sql, &Control::default()).unwrap();
    let sql = "SELECT id, id * 2 AS b FROM range(0, 1000000, 1, 7)";
    let rows = |part: &mut vonk::AnswerPart| {
        let mut rows = 0;
        while let Some(batch) = part.next_batch().unwrap() {
            rows += batch.num_rows();
        }
        rows
    };
    let mut parts = ask(sql).into_parts(3);
    // The last one first, one of the others as a stream, one not at all.
    let last = rows(&mut parts[2]);
    let first = futures::executor::block_on(async {
        use futures::StreamExt;
        let mut rows = 0;
        while let Some(batch) = parts[0].next().await {
            rows += batch.unwrap().num_rows();
        }
        rows
    });
    assert!(first + last > 600_000 && first + last < 750_000, "{first} {last}");
    drop(parts);
    let threads: Vec<_> =
        ask(sql).into_parts(2).into_iter().map(|mut p| std::thread::spawn(move || rows(&mut p))).collect();
    assert_eq!(threads.into_iter().map(|t| t.join().unwrap()).sum::<usize>(), 1_000_000);
    assert!(ask("SELECT id FROM range(0, 1000, 1, 4) ORDER BY id").into_parts(2).len() == 1);
    eventually("nothing is held", || session.alive_tasks() == 0 && session.used_memory() == 0);
    // Cancelled while a stream waits.
    let control = Control::default();
    let endless = "SELECT count(*) FROM range(0, 10000000000000, 1, 4) WHERE id % 3 = 5";
    let mut stream = session.execute(endless, &control).unwrap().into_stream();
    let cancel = control.cancel.clone();
    let canceller = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        cancel.cancel();
    });
    let end = futures::executor::block_on(async {
        use futures::StreamExt;
        stream.next().await
    });
    assert_eq!(end.unwrap().unwrap_err().condition(), "OPERATION_CANCELED");
    canceller.join().unwrap();
}
