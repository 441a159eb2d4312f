//! Readers and tasks of one result, without a driver.

use super::*;
use arrow::array::{ArrayRef, AsArray, Int64Array};
use arrow::datatypes::Int64Type;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::task::Wake;
use vonk_exec::MemoryManager;

const NO_PATIENCE: Duration = Duration::ZERO;
const SLOTS: u32 = 2;

struct Fixture {
    dir: tempfile::TempDir,
    memory: Arc<MemoryManager>,
    results: StreamedResults,
}

impl Fixture {
    fn new(partitions: u32, limit: Option<u64>) -> Fixture {
        let dir = tempfile::tempdir().unwrap();
        let memory = MemoryManager::new(limit);
        let room = Arc::new(ResultRoom::new(memory.clone(), dir.path().to_path_buf(), SLOTS));
        let results = StreamedResults::new(partitions, CancelFlag::new(), room);
        Fixture { dir, memory, results }
    }

    fn files(&self) -> usize {
        std::fs::read_dir(self.dir.path()).unwrap().count()
    }

    /// What a part gives now, without waiting.
    fn poll(&self, part: usize) -> Option<i64> {
        match self.results.poll(part, Waker::noop()) {
            Poll::Ready(batch) => batch.unwrap().map(|b| value(&b)),
            Poll::Pending => None,
        }
    }

    fn is_pending(&self, part: usize) -> bool {
        self.results.poll(part, Waker::noop()).is_pending()
    }

    /// Pushes 4 MB until there is no room; the batch that had none.
    fn fill(&self, partition: u32, attempt: u32, from: i64) -> (i64, RecordBatch) {
        for n in from.. {
            match self.results.push(partition, attempt, large(n), NO_PATIENCE).unwrap() {
                Pushed::Taken => {}
                Pushed::Full(batch) => return (n, batch),
                Pushed::Unwanted => panic!("unwanted"),
            }
        }
        unreachable!()
    }

    fn park(&self, partition: u32, task: u64, batch: RecordBatch, to: &Sender<Told>) {
        let parkable = Box::new(Sleeper { task, to: to.clone() });
        assert!(self.results.park(partition, TaskId(task), batch, parkable).is_none(), "there is room");
    }
}

#[derive(Debug, PartialEq)]
enum Told {
    Resumed(u64, i64),
    Dropped(u64),
}

struct Sleeper {
    task: u64,
    to: Sender<Told>,
}

impl Parkable for Sleeper {
    fn parked(&self) {}

    fn resume(self: Box<Self>, batch: RecordBatch) {
        let _ = self.to.send(Told::Resumed(self.task, value(&batch)));
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.to.send(Told::Dropped(self.task));
    }
}

fn batch(n: i64) -> RecordBatch {
    let column: ArrayRef = Arc::new(Int64Array::from(vec![n]));
    RecordBatch::try_from_iter([("a", column)]).unwrap()
}

/// 4 MB.
fn large(n: i64) -> RecordBatch {
    let column: ArrayRef = Arc::new(Int64Array::from(vec![n; 512 << 10]));
    RecordBatch::try_from_iter([("a", column)]).unwrap()
}

fn value(batch: &RecordBatch) -> i64 {
    batch.column(0).as_primitive::<Int64Type>().value(0)
}

fn taken(pushed: Result<Pushed>) {
    assert!(matches!(pushed.unwrap(), Pushed::Taken));
}

#[test]
fn partitions_come_in_order_and_a_second_attempt_replaces_the_first() {
    let f = Fixture::new(2, None);
    let results = &f.results;
    let push = |p, attempt, n| taken(results.push(p, attempt, batch(n), NO_PATIENCE));
    results.begin(1, 0).unwrap();
    push(1, 0, 10);
    results.begin(0, 0).unwrap();
    push(0, 0, 99);
    results.failed(0, 0, None);
    results.begin(0, 1).unwrap();
    push(0, 0, 98);
    push(0, 1, 1);
    results.complete(0);
    results.complete(1);
    results.end(Ok(()));
    let mut read = vec![];
    while let Some(b) = results.next(0).unwrap() {
        read.push(value(&b));
    }
    assert_eq!(read, [1, 10]);
    assert_eq!(f.memory.used(), 0);
}

#[test]
fn rows_that_were_read_cannot_be_made_again() {
    let results = Fixture::new(1, None).results;
    results.begin(0, 0).unwrap();
    taken(results.push(0, 0, batch(1), NO_PATIENCE));
    results.next(0).unwrap();
    results.failed(0, 0, Some(&Error::io("cannot read", "the disk")));
    assert_eq!(results.begin(0, 1).unwrap_err().condition(), "_IO_ERROR");
    results.end(Err(Error::cancelled()));
    assert_eq!(results.next(0).unwrap_err().condition(), "OPERATION_CANCELED");
}

#[test]
fn what_is_held_is_counted_and_a_task_without_room_goes_on_when_half_of_it_is_free() {
    let f = Fixture::new(4, None);
    let (to, told) = channel();
    f.results.begin(0, 0).unwrap();
    f.results.begin(1, 1).unwrap();
    let (n, full) = f.fill(1, 1, 100);
    assert_eq!((n, f.memory.used() >> 20), (108, 32));
    f.park(1, 1, full, &to);
    // The first partition is let in, a few batches at a time.
    (0..4).for_each(|n| taken(f.results.push(0, 0, large(n), NO_PATIENCE)));
    assert!(matches!(f.results.push(0, 0, large(4), NO_PATIENCE).unwrap(), Pushed::Full(_)));
    (0..4).for_each(|n| assert_eq!(f.poll(0), Some(n)));
    f.results.complete(0);
    for n in 100..104 {
        assert!(told.try_recv().is_err());
        assert_eq!(f.poll(0), Some(n));
    }
    assert_eq!(told.try_recv().unwrap(), Told::Resumed(1, 108));
    assert_eq!(f.files(), 0, "a result that is read in order never comes to disk");
    drop(f.results);
    assert_eq!(f.memory.used(), 0);
}

#[test]
fn results_of_all_queries_take_no_more_than_a_quarter_of_a_limit() {
    let f = Fixture::new(2, Some(64 << 20));
    f.results.begin(0, 0).unwrap();
    let (n, _) = f.fill(0, 0, 0);
    assert_eq!((n, f.memory.used() >> 20), (4, 16));
    let mut other = f.memory.reservation("another query");
    assert!(other.try_resize(48 << 20), "the rest is for others");
    for n in 0..4 {
        assert_eq!(f.poll(0), Some(n));
    }
    // What cannot be done without.
    taken(f.results.push(0, 0, large(4), NO_PATIENCE));
}

#[test]
fn the_reader_of_a_part_gets_on_while_another_is_not_read() {
    let f = Fixture::new(6, None);
    let (to, told) = channel();
    f.results.begin(0, 0).unwrap();
    taken(f.results.push(0, 0, batch(0), NO_PATIENCE));
    assert_eq!(f.results.split(2), 2);
    f.results.begin(1, 1).unwrap();
    taken(f.results.push(1, 1, batch(10), NO_PATIENCE));
    assert_eq!(f.poll(1), Some(10));
    let (next, full) = f.fill(0, 0, 1);
    f.park(0, 0, full, &to);
    f.results.complete(1);
    // Partition 2 is the unread part's, too: now all that may be alive wait for its reader.
    f.results.begin(2, 2).unwrap();
    let (_, second) = f.fill(2, 2, 200);
    f.park(2, 2, second, &to);
    assert_eq!(f.files(), 0, "nobody waits");
    assert!(f.is_pending(1));
    let mut resumed = vec![told.try_recv().unwrap(), told.try_recv().unwrap()];
    resumed.retain(|t| matches!(t, Told::Resumed(..)));
    // Both go to their ends, on disk.
    let mut written = next;
    for n in next..next + 5 {
        taken(f.results.push(0, 0, large(n), NO_PATIENCE));
        written = n;
    }
    taken(f.results.push(2, 2, large(200), NO_PATIENCE));
    assert_eq!(f.files(), 2);
    f.results.complete(0);
    f.results.begin(3, 3).unwrap();
    taken(f.results.push(3, 3, batch(30), NO_PATIENCE));
    assert_eq!(f.poll(1), Some(30));
    f.results.complete(3);
    // The other part is whole when somebody comes for it at last.
    for n in 0..=written {
        assert_eq!(f.poll(0), Some(n));
    }
    assert_eq!(f.poll(0), Some(200));
    f.results.complete(2);
    assert!(f.is_pending(0));
    assert_eq!(f.files(), 0);
}

#[test]
fn a_part_ends_with_its_partitions_and_one_that_is_dropped_is_not_computed() {
    let f = Fixture::new(3, None);
    let (to, told) = channel();
    assert_eq!(f.results.split(5), 3, "no more parts than partitions");
    f.results.begin(0, 0).unwrap();
    f.results.begin(1, 1).unwrap();
    let (_, full) = f.fill(0, 0, 0);
    f.park(0, 0, full, &to);
    taken(f.results.push(1, 1, batch(1), NO_PATIENCE));
    f.results.complete(1);
    assert_eq!(f.poll(1), Some(1));
    assert!(matches!(f.results.poll(1, Waker::noop()), Poll::Ready(Ok(None))), "the job goes on");
    f.results.close(0);
    assert!(matches!(told.try_recv().unwrap(), Told::Resumed(0, _)));
    assert!(matches!(f.results.push(0, 0, large(1), NO_PATIENCE).unwrap(), Pushed::Unwanted));
    assert_eq!(f.memory.used(), 0);
}

#[test]
fn cancelling_ends_those_who_are_parked_and_wakes_readers() {
    struct Count(AtomicU32);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let f = Fixture::new(3, None);
    let (to, told) = channel();
    f.results.begin(0, 0).unwrap();
    f.results.begin(1, 1).unwrap();
    let (_, full) = f.fill(1, 1, 0);
    f.park(1, 1, full, &to);
    let count = Arc::new(Count(AtomicU32::new(0)));
    let waker = Waker::from(count.clone());
    assert!(f.results.poll(0, &waker).is_pending());
    taken(f.results.push(0, 0, batch(7), NO_PATIENCE));
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
    assert_eq!(f.poll(0), Some(7));
    assert!(f.results.poll(0, &waker).is_pending());
    taken(f.results.push(0, 0, batch(8), NO_PATIENCE));
    assert!(f.results.poll(0, &waker).is_ready());
    assert!(f.results.poll(0, &waker).is_pending());
    f.results.cancel.cancel();
    f.results.cancelled();
    assert_eq!(count.0.load(Ordering::Relaxed), 3);
    assert_eq!(told.try_recv().unwrap(), Told::Dropped(1));
    let late = Box::new(Sleeper { task: 0, to });
    assert!(f.results.park(0, TaskId(0), large(0), late).is_some(), "nobody is parked any more");
    assert!(matches!(f.results.poll(0, &waker), Poll::Ready(Err(_))));
    assert!(f.results.push(0, 0, batch(8), NO_PATIENCE).is_err());
    assert!(f.memory.used() > 0);
    f.results.end(Err(Error::cancelled()));
    assert_eq!(f.memory.used(), 0, "what nobody will see is not kept for a reader that stays");
    assert!(f.results.begin(2, 2).is_err());
}

#[test]
fn who_reads_now_has_just_read() {
    let f = Fixture::new(1, None);
    let since = f.results.last_read(0);
    std::thread::sleep(Duration::from_millis(5));
    assert_eq!(f.results.last_read(0), since);
    assert!(f.is_pending(0));
    assert!(f.results.last_read(0).elapsed() < Duration::from_millis(5), "somebody waits");
}
