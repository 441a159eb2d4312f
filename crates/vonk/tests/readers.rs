//! Who reads answers, and how: in parts, as streams, slowly, or not at all. Memory stays bounded, others get on, and nothing is left.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use futures::StreamExt;
use futures::executor::block_on;
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use vonk::{Answer, AnswerPart, CancelFlag, Control, Session};

/// Rows enough that no bound holds them: 288 MB.
const HUGE: &str = "SELECT id, id * 2 AS b, id % 7 AS c FROM range(0, 12000000, 1, 8)";

fn session(settings: &[(&str, &str)]) -> (TempDir, Session) {
    let dir = tempfile::tempdir().unwrap();
    let mut builder = Session::builder()
        .config("spark.master", "local[2]")
        .config("spark.local.dir", &dir.path().join("spill").to_string_lossy())
        .config("spark.sql.warehouse.dir", &dir.path().join("warehouse").to_string_lossy());
    for (key, value) in settings {
        builder = builder.config(key, value);
    }
    (dir, builder.build().unwrap())
}

fn ask(session: &Session, sql: &str) -> Result<Answer, vonk::Error> {
    session.execute(sql, &Control::default())
}

fn rows(session: &Session, sql: &str) -> Vec<String> {
    ask(session, sql).unwrap().rows_as_text().unwrap()
}

/// Files that were spilled.
fn spilled(dir: &Path) -> usize {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|e| if e.path().is_dir() { spilled(&e.path()) } else { 1 }).sum()
}

fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !so() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn nothing_is_left(session: &Session, dir: &TempDir) {
    eventually("no task runs", || session.alive_tasks() == 0);
    eventually("no memory is held", || session.used_memory() == 0);
    eventually("no file is left", || spilled(&dir.path().join("spill")) == 0);
}

fn ids(batch: &RecordBatch) -> impl Iterator<Item = i64> + '_ {
    batch.column(0).as_primitive::<Int64Type>().values().iter().copied()
}

/// Number and sum of the rows of a part.
fn sum(part: &mut AnswerPart) -> (i64, i64) {
    let mut sum = (0, 0);
    while let Some(batch) = part.next_batch().unwrap() {
        sum.0 += batch.num_rows() as i64;
        sum.1 += ids(&batch).sum::<i64>();
    }
    sum
}

const ALL: (i64, i64) = (12_000_000, 12_000_000 / 2 * 11_999_999);

#[test]
fn parts_have_all_rows_once_whether_they_are_read_at_once_or_one_after_the_other_or_backwards() {
    for wire in ["false", "true"] {
        let (dir, session) = session(&[("spark.vonk.wire", wire)]);
        let add = |sums: Vec<(i64, i64)>| sums.iter().fold((0, 0), |a, s| (a.0 + s.0, a.1 + s.1));
        let parts = |n| ask(&session, HUGE).unwrap().into_parts(n);
        assert_eq!(parts(100).len(), 8, "no more parts than partitions");
        let threads: Vec<_> =
            parts(2).into_iter().map(|mut part| std::thread::spawn(move || sum(&mut part))).collect();
        assert_eq!(add(threads.into_iter().map(|t| t.join().unwrap()).collect()), ALL);
        assert_eq!(add(parts(3).iter_mut().rev().map(sum).collect()), ALL);
        if wire == "false" {
            assert_eq!(add(parts(8).iter_mut().rev().map(sum).collect()), ALL, "more parts than slots");
        }
        assert_eq!(add(parts(2).iter_mut().map(sum).collect()), ALL);
        nothing_is_left(&session, &dir);
    }
}

#[test]
fn an_ordered_answer_is_one_part_and_comes_in_order_without_disk() {
    let (dir, session) = session(&[]);
    let answer =
        ask(&session, "SELECT id FROM range(0, 300000, 1, 4) ORDER BY id DESC LIMIT 200000").unwrap();
    assert!(answer.is_ordered());
    let mut parts = answer.into_parts(4);
    assert_eq!(parts.len(), 1);
    let mut expected = (100_000..300_000).rev();
    while let Some(batch) = parts[0].next_batch().unwrap() {
        assert!(ids(&batch).all(|id| Some(id) == expected.next()));
    }
    assert_eq!(expected.next(), None);
    // One reader of all, slow at first: in the order of partitions, and nothing is written.
    let mut answer = ask(&session, HUGE).unwrap();
    assert!(!answer.is_ordered());
    answer.next_batch().unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let held = session.used_memory();
    assert!(held > 1 << 20 && held < 64 << 20, "{held} bytes are held");
    let mut last = -1;
    while let Some(batch) = answer.next_batch().unwrap() {
        assert_eq!(spilled(&dir.path().join("spill")), 0);
        let first = ids(&batch).next().unwrap();
        assert!(first > last);
        last = first;
    }
    // Small answers and those of commands are one part, too.
    for sql in ["SHOW DATABASES", "SELECT 1", "EXPLAIN SELECT 1"] {
        let mut parts = ask(&session, sql).unwrap().into_parts(4);
        assert_eq!(parts.len(), 1);
        assert_eq!(parts[0].next_batch().unwrap().unwrap().num_rows(), 1);
        assert!(parts[0].next_batch().unwrap().is_none());
    }
    nothing_is_left(&session, &dir);
}

#[test]
fn an_answer_that_was_read_from_stays_whole() {
    let (_dir, session) = session(&[]);
    let mut answer = ask(&session, HUGE).unwrap();
    let first = answer.next_batch().unwrap().unwrap();
    let mut parts = answer.into_parts(2);
    assert_eq!(parts.len(), 1);
    let rest = sum(&mut parts[0]);
    assert_eq!(rest.0 + first.num_rows() as i64, ALL.0);
}

#[test]
fn a_stream_is_woken_and_needs_no_thread() {
    let (dir, session) = session(&[]);
    // Twenty at once, on this thread alone.
    let sql = "SELECT id FROM range(0, 1000000, 1, 4)";
    let streams: Vec<_> = (0..20).map(|_| ask(&session, sql).unwrap().into_stream()).collect();
    let mut all = futures::stream::select_all(streams);
    let mut count = 0;
    block_on(async {
        while let Some(batch) = all.next().await {
            count += batch.unwrap().num_rows();
        }
    });
    assert_eq!(count, 20_000_000);
    // An error comes once, with its place.
    let mut stream =
        ask(&session, "SELECT id, 1 / (id - 900000) FROM range(0, 1000000, 1, 2)").unwrap().into_stream();
    let error = block_on(async {
        loop {
            match stream.next().await.unwrap() {
                Ok(_) => {}
                Err(e) => break e,
            }
        }
    });
    assert_eq!(error.condition(), "DIVIDE_BY_ZERO");
    assert!(block_on(stream.next()).is_none());
    // One that waits in vain is woken when its query is cancelled from elsewhere.
    let control = Control::default();
    let slow = "SELECT count(*) FROM range(0, 10000000000000, 1, 2) WHERE id % 3 = 5";
    let mut stream = session.execute(slow, &control).unwrap().into_stream();
    let cancel: CancelFlag = control.cancel.clone();
    let canceller = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        cancel.cancel();
    });
    let error = block_on(stream.next()).unwrap().unwrap_err();
    assert_eq!(error.condition(), "OPERATION_CANCELED");
    canceller.join().unwrap();
    drop(stream);
    nothing_is_left(&session, &dir);
}

/// Fifty answers of which each has given a row.
fn stalled(session: &Session) -> Vec<Answer> {
    let sql = "SELECT id, CAST(id AS STRING) AS s, id * 3 AS c FROM range(0, 100000000000, 1, 8)";
    let mut answers: Vec<Answer> = (0..50).map(|_| ask(session, sql).unwrap()).collect();
    for answer in &mut answers {
        assert!(answer.next_batch().unwrap().is_some());
    }
    answers
}

fn others_get_on(settings: &[(&str, &str)], most: u64) {
    let (dir, session) = session(settings);
    let answers = stalled(&session);
    eventually("all wait for their readers", || session.alive_tasks() == 100);
    for _ in 0..3 {
        let begun = Instant::now();
        assert_eq!(
            rows(
                &session,
                "SELECT k, count(*), sum(id) FROM (SELECT id, id % 3 AS k FROM range(0, 300000, 1, 6)) GROUP BY k ORDER BY k"
            ),
            ["0\t100000\t14999850000", "1\t100000\t14999950000", "2\t100000\t15000050000"]
        );
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }
    let used = session.used_memory();
    assert!(used < most, "{used} bytes are held for those who do not read");
    assert_eq!(spilled(&dir.path().join("spill")), 0, "who does not read is waited for");
    assert!(answers.iter().all(|a| a.last_read().elapsed() > Duration::from_millis(1)));
    // One comes back.
    let mut answers = answers;
    let mut back = answers.swap_remove(17);
    let idle = back.last_read();
    for _ in 0..200 {
        assert!(back.next_batch().unwrap().is_some());
    }
    assert!(back.last_read() > idle);
    drop(back);
    assert_eq!(rows(&session, "SELECT sum(id) FROM range(0, 1000, 1, 4)"), ["499500"]);
    drop(answers);
    nothing_is_left(&session, &dir);
}

#[test]
fn readers_that_stall_hold_no_slots() {
    // Each may hold 32 MB.
    others_get_on(&[], 50 * (33 << 20));
}

#[test]
fn readers_that_stall_leave_memory_to_others() {
    others_get_on(&[("spark.vonk.memory.limit", "256m")], 80 << 20);
}

#[test]
fn an_answer_that_waits_for_its_reader_ends_when_it_is_cancelled() {
    let (dir, session) = session(&[]);
    let control = Control::default();
    let mut answer = session.execute(HUGE, &control).unwrap();
    answer.next_batch().unwrap();
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(session.alive_tasks(), 2);
    control.cancel.cancel();
    // Nobody reads, and all is given back.
    eventually("no task runs", || session.alive_tasks() == 0);
    let error = loop {
        match answer.next_batch() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the rows are not complete"),
            Err(e) => break e,
        }
    };
    assert_eq!(error.condition(), "OPERATION_CANCELED");
    drop(answer);
    nothing_is_left(&session, &dir);
    // A part that is dropped does not keep the others waiting, nor is it computed.
    let mut parts = ask(&session, HUGE).unwrap().into_parts(2);
    parts[0].next_batch().unwrap();
    drop(parts.remove(0));
    assert_eq!(sum(&mut parts[0]).0, ALL.0 / 2);
    drop(parts);
    nothing_is_left(&session, &dir);
}

#[test]
fn first_rows_come_at_once_and_do_not_wait_for_what_only_later_ones_need() {
    let (_dir, session) = session(&[]);
    ask(&session, "SELECT 1").unwrap().collect().unwrap();
    let begun = Instant::now();
    let mut answer = ask(&session, "SELECT * FROM samples.tpch.lineitem").unwrap();
    let first = answer.next_batch().unwrap().unwrap();
    // Without optimisation; the text that comments are cut from takes several seconds then.
    assert!(begun.elapsed() < Duration::from_millis(1500), "{:?}", begun.elapsed());
    assert_eq!(first.num_columns(), 16);
}

#[test]
fn a_session_that_is_shut_down_leaves_nothing_and_answers_end_as_cancelled() {
    let (dir, session) = session(&[("spark.vonk.memory.limit", "64m")]);
    let mut answers = vec![
        ask(&session, HUGE).unwrap(),
        // Spills.
        ask(&session, "SELECT id, CAST(id AS STRING) AS s FROM range(0, 100000000, 1, 4) ORDER BY s")
            .unwrap(),
    ];
    answers[0].next_batch().unwrap();
    let spill = dir.path().join("spill");
    eventually("something is spilled", || spilled(&spill) > 0);
    let other = session.new_session();
    session.shutdown();
    session.shutdown();
    assert_eq!(std::fs::read_dir(&spill).unwrap().count(), 0);
    assert_eq!(session.alive_tasks(), 0);
    for answer in &mut answers {
        let error = loop {
            match answer.next_batch() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("the rows are not complete"),
                Err(e) => break e,
            }
        };
        assert_eq!(error.condition(), "OPERATION_CANCELED");
    }
    assert!(ask(&other, "SELECT count(*) FROM range(10)").and_then(|mut a| a.collect()).is_err());
}

/// The reader of one part is slow: what the other's needs is computed first, so that nothing has to be written to disk.
#[test]
fn a_slow_reader_of_a_part_does_not_take_the_turns_of_another() {
    let (dir, session) = session(&[]);
    let mut parts = ask(&session, HUGE).unwrap().into_parts(2);
    parts[0].next_batch().unwrap();
    assert_eq!(sum(&mut parts[1]).0, ALL.0 / 2);
    assert_eq!(spilled(&dir.path().join("spill")), 0);
    drop(parts);
    nothing_is_left(&session, &dir);
}

/// Each may hold but a batch or two: they are parked and go on for every one.
#[test]
fn many_streams_get_on_in_little_memory() {
    let (dir, session) = session(&[("spark.vonk.memory.limit", "32m")]);
    let sql = "SELECT id, id + 1 AS b, id + 2 AS c, id + 3 AS d FROM range(0, 400000, 1, 4)";
    // Of none of them three partitions fit: two wait.
    let streams: Vec<_> = (0..60).map(|_| ask(&session, sql).unwrap().into_stream()).collect();
    eventually("all wait for their readers", || session.alive_tasks() == 120);
    let held = session.used_memory();
    let begun = Instant::now();
    let mut all = futures::stream::select_all(streams);
    let mut sum = (0, 0);
    block_on(async {
        while let Some(batch) = all.next().await {
            let batch = batch.unwrap();
            sum = (sum.0 + batch.num_rows(), sum.1 + ids(&batch).sum::<i64>());
        }
    });
    println!("{held} bytes held, {:?}", begun.elapsed());
    assert!(held < 24 << 20, "{held} bytes are held");
    assert_eq!(sum, (60 * 400_000, 60 * 79_999_800_000));
    assert!(session.peak_memory() < 40 << 20, "{} bytes", session.peak_memory());
    drop(all);
    nothing_is_left(&session, &dir);
}

/// For whoever wants to know what parts are good for: run with `--ignored --nocapture`, optimised.
#[test]
#[ignore = "a measurement"]
fn rows_a_second_in_one_part_and_in_two() {
    let (_dir, session) = session(&[]);
    for parts in [1, 2, 1, 2] {
        let begun = Instant::now();
        let readers: Vec<_> = ask(&session, HUGE)
            .unwrap()
            .into_parts(parts)
            .into_iter()
            .map(|mut part| std::thread::spawn(move || sum(&mut part).0))
            .collect();
        let rows: i64 = readers.into_iter().map(|r| r.join().unwrap()).sum();
        let seconds = begun.elapsed().as_secs_f64();
        println!("{parts} parts: {:.1} million rows a second", rows as f64 / seconds / 1e6);
    }
    let mut parts = ask(&session, "SELECT * FROM samples.tpch.lineitem").unwrap().into_parts(1);
    let begun = Instant::now();
    parts[0].next_batch().unwrap();
    println!("first rows of lineitem after {:?}", begun.elapsed());
}
