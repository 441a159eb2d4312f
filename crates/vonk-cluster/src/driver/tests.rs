//! The driver's loop over a backend that only takes notes.

use super::*;
use crate::backend::{TaskLaunch, TaskReport};
use crate::results::{ResultRoom, StreamedResults};
use crate::status::{Application, Retained};
use std::sync::mpsc::{Receiver, channel as pipe};
use std::time::Duration;
use vonk_eval::EvalEnv;
use vonk_exec::CancelFlag;
use vonk_physical::PhysicalPlan;
use vonk_scheduler::{Dependency, Fragment, Partitioner, Rdd, ShuffleDependency};
use vonk_shuffle::Place;
use vonk_types::{DataType, EvalContext, StructField, StructType};

/// What a backend was asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Launch(TaskId, ExecutorId),
    Drain(ExecutorId),
    Dismiss(ExecutorId),
    Release(ShuffleId),
    Stop,
}

/// What a driver would have heard.
pub(crate) struct Heard(pub(super) Receiver<Message>);

impl Heard {
    /// Why there are no executors and will be none, if that is said in time.
    pub fn unavailable(&self, patience: Duration) -> Option<Error> {
        let deadline = std::time::Instant::now() + patience;
        loop {
            let left = deadline.saturating_duration_since(std::time::Instant::now());
            if let Message::Unavailable(reason) = self.0.recv_timeout(left).ok()? {
                return Some(reason);
            }
        }
    }
}

struct Notes(Sender<Asked>);

impl Notes {
    fn note(&self, asked: Asked) {
        // The test may be over.
        let _ = self.0.send(asked);
    }
}

impl Backend for Notes {
    fn start(&mut self, _: Mailbox) -> Result<()> {
        Ok(())
    }
    fn launch(&mut self, tasks: Vec<TaskLaunch>) {
        tasks.iter().for_each(|t| self.note(Asked::Launch(t.task, t.executor)));
    }
    fn kill(&mut self, _: TaskId, _: ExecutorId) {}
    fn job_ended(&mut self, _: JobId) {}
    fn request_executors(&mut self, _: u32) {}
    fn drain(&mut self, executor: ExecutorId) {
        self.note(Asked::Drain(executor));
    }
    fn hand_over(&mut self, _: ExecutorId, _: Vec<(ShuffleId, MapId)>) -> Option<ExecutorId> {
        None
    }
    fn dismiss(&mut self, executor: ExecutorId) {
        self.note(Asked::Dismiss(executor));
    }
    fn executor_lost(&mut self, _: ExecutorId, _: bool) {}
    fn forget_outputs(&mut self, _: ShuffleId, _: u32) {}
    fn release(&mut self, shuffle: ShuffleId) {
        self.note(Asked::Release(shuffle));
    }
    fn place(&self, _: ExecutorId) -> Option<Place> {
        None
    }
    fn stop(&mut self) {
        self.note(Asked::Stop);
    }
}

fn driver() -> (Driver, Receiver<Asked>) {
    observed(None)
}

fn observed(observer: Option<Arc<Observer>>) -> (Driver, Receiver<Asked>) {
    let (notes, asked) = pipe();
    (Driver::start(SchedulerOptions::default(), Box::new(Notes(notes)), observer, None).unwrap(), asked)
}

fn node(plan: PhysicalPlan) -> Arc<PlanNode> {
    Arc::new(PlanNode::new(StructType::new(vec![StructField::new("id", DataType::Long, true)]), plan))
}

fn room() -> Arc<ResultRoom> {
    Arc::new(ResultRoom::new(vonk_exec::MemoryManager::new(None), std::env::temp_dir(), 2))
}

/// A result stage of so many tasks, over a map stage of as many if `shuffled`.
fn job(tasks: u32, shuffled: bool) -> JobSpec {
    let range = node(PhysicalPlan::Range { start: 0, end: 10, step: 1, partitions: tasks });
    let rdd = |dependencies, fragment| Rdd {
        id: RddId(0),
        num_partitions: tasks,
        dependencies,
        partitioner: None,
        preferred_locations: vec![],
        fragment: Fragment(fragment),
        determinate: true,
    };
    let mut graph = RddGraph::default();
    let mut fragments = vec![range.clone()];
    let mut last = graph.add(rdd(vec![], 0)).unwrap();
    if shuffled {
        let partitioner = Partitioner::Hash { num_partitions: tasks };
        let dependency =
            ShuffleDependency { shuffle: ShuffleId(7), rdd: last, num_reduce: tasks, partitioner };
        last = graph.add(rdd(vec![Dependency::Shuffle(dependency)], 1)).unwrap();
        fragments.push(range);
    }
    let cancel = CancelFlag::new();
    let query = QueryContext::new(EvalEnv::new(EvalContext::default()), 1024, cancel.clone());
    JobSpec {
        graph,
        last,
        fragments,
        query: Arc::new(query),
        results: Arc::new(Results::Streamed(StreamedResults::new(tasks, cancel, room()))),
        progress: Arc::default(),
        keep: vec![],
        pool: String::new(),
        description: "a test".into(),
    }
}

const PATIENCE: Duration = Duration::from_secs(10);

fn launched(asked: &Receiver<Asked>) -> (TaskId, ExecutorId) {
    match asked.recv_timeout(PATIENCE).unwrap() {
        Asked::Launch(task, executor) => (task, executor),
        other => panic!("{other:?} instead of a launch"),
    }
}

#[test]
fn jobs_fail_while_no_executor_will_come_and_run_when_one_has() {
    let (driver, asked) = driver();
    let waiting = driver.submit(job(1, false));
    driver.mailbox.unavailable(Error::new("_EXECUTOR_START_FAILED").with("cause", "x"));
    let error = waiting.results.next(0).unwrap_err();
    assert_eq!(error.condition(), "_EXECUTOR_START_FAILED");
    // The next one is told at once, too.
    assert_eq!(
        driver.submit(job(1, false)).results.next(0).unwrap_err().condition(),
        "_EXECUTOR_START_FAILED"
    );
    driver.mailbox.executor_added(ExecutorId(3), "h".to_string(), 1);
    let running = driver.submit(job(1, false));
    let (task, executor) = launched(&asked);
    assert_eq!(executor, ExecutorId(3));
    // One that is there does the work, though no others can be started.
    driver.mailbox.unavailable(Error::new("_EXECUTOR_START_FAILED").with("cause", "y"));
    driver.mailbox.ended(task, Ok(TaskReport::default()));
    assert!(running.results.next(0).unwrap().is_none());
}

#[test]
fn who_leaves_hears_of_its_tasks_first_and_goes_when_they_are_done() {
    let (driver, asked) = driver();
    let _running = driver.submit(job(4, true));
    driver.mailbox.executor_added(ExecutorId(1), "h".to_string(), 2);
    driver.mailbox.drain(ExecutorId(1));
    let (first, _) = launched(&asked);
    let (second, _) = launched(&asked);
    assert_eq!(asked.recv_timeout(PATIENCE).unwrap(), Asked::Drain(ExecutorId(1)));
    for task in [first, second] {
        let sizes = vonk_shuffle::MapOutputSizes { bytes: vec![1; 4], rows: vec![1; 4] };
        driver.mailbox.ended(task, Ok(TaskReport { map_output: Some(sizes), nodes: vec![] }));
    }
    driver.mailbox.drained(ExecutorId(1), vec![(ShuffleId(7), MapId(0)), (ShuffleId(7), MapId(1))]);
    // Nobody could take its blocks over.
    assert_eq!(asked.recv_timeout(PATIENCE).unwrap(), Asked::Dismiss(ExecutorId(1)));
    driver.mailbox.executor_lost(ExecutorId(1), true);
    // All four map tasks run on the next one: the blocks of the two are gone.
    driver.mailbox.executor_added(ExecutorId(2), "h".to_string(), 8);
    let again: Vec<_> = (0..4).map(|_| launched(&asked).1).collect();
    assert_eq!(again, [ExecutorId(2); 4]);
}

#[test]
fn who_leaves_in_order_is_not_lost_and_who_is_lost_leaves_nothing_to_hand_over() {
    let text = |t: &str| t.to_string();
    let application = Application { id: text("app"), name: text("n"), user: text("u"), master: text("m") };
    let retained = Retained { jobs: 1, stages: 1, tasks: 1, dead_executors: 1 };
    let observer = Arc::new(Observer::new(application, retained, None).unwrap());
    let (driver, asked) = observed(Some(observer.clone()));
    for executor in [1, 2].map(ExecutorId) {
        driver.mailbox.executor_added(executor, "h".to_string(), 1);
        driver.mailbox.drain(executor);
        assert_eq!(asked.recv_timeout(PATIENCE).unwrap(), Asked::Drain(executor));
    }
    driver.mailbox.drained(ExecutorId(1), vec![]);
    assert_eq!(asked.recv_timeout(PATIENCE).unwrap(), Asked::Dismiss(ExecutorId(1)));
    driver.mailbox.executor_lost(ExecutorId(1), true);
    // The second is lost while it is being drained; what it has said is heard after that.
    driver.mailbox.executor_lost(ExecutorId(2), true);
    driver.mailbox.drained(ExecutorId(2), vec![(ShuffleId(7), MapId(0))]);
    drop(driver);
    assert_eq!(asked.try_iter().collect::<Vec<_>>(), [Asked::Stop]);
    let (lost, known) = observer.with_state(|s| (s.totals.executors_lost, s.executors.len()));
    assert_eq!((lost, known), (1, 1));
}

#[test]
fn one_that_is_told_to_leave_before_it_has_come_leaves_when_it_comes() {
    let (driver, asked) = driver();
    let _running = driver.submit(job(1, false));
    driver.mailbox.drain(ExecutorId(5));
    assert_eq!(asked.recv_timeout(PATIENCE).unwrap(), Asked::Drain(ExecutorId(5)));
    driver.mailbox.executor_added(ExecutorId(5), "h".to_string(), 1);
    assert_eq!(asked.recv_timeout(PATIENCE).unwrap(), Asked::Drain(ExecutorId(5)));
    driver.mailbox.executor_added(ExecutorId(6), "h".to_string(), 1);
    assert_eq!(launched(&asked).1, ExecutorId(6));
}

#[test]
fn a_dropped_job_gives_its_shuffle_back_and_a_dropped_driver_stops_the_backend() {
    let (driver, asked) = driver();
    driver.mailbox.executor_added(ExecutorId(1), "h".to_string(), 1);
    let running = driver.submit(job(1, true));
    let (task, _) = launched(&asked);
    drop(running);
    assert_eq!(asked.recv_timeout(PATIENCE).unwrap(), Asked::Release(ShuffleId(7)));
    driver.mailbox.ended(task, Err(Error::cancelled()));
    drop(driver);
    assert_eq!(asked.try_iter().last(), Some(Asked::Stop));
}

#[test]
fn who_looks_at_a_query_sees_that_it_waits_for_executors() {
    let (driver, asked) = driver();
    let spec = job(1, false);
    let progress = spec.progress.clone();
    let running = driver.submit(spec);
    let until = |so: bool| {
        let deadline = std::time::Instant::now() + PATIENCE;
        while progress.is_without_executors() != so {
            assert!(std::time::Instant::now() < deadline, "not in time: {so}");
            std::thread::sleep(Duration::from_millis(1));
        }
    };
    until(true);
    driver.mailbox.executor_added(ExecutorId(1), "h".to_string(), 1);
    launched(&asked);
    until(false);
    driver.mailbox.executor_lost(ExecutorId(1), true);
    until(true);
    driver.mailbox.executor_added(ExecutorId(2), "h".to_string(), 1);
    driver.mailbox.ended(launched(&asked).0, Ok(TaskReport::default()));
    assert!(running.results.next(0).unwrap().is_none());
    until(false);
}
