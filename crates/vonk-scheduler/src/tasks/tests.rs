//! Tests of the task scheduler alone.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

use super::*;
use crate::options::{ExclusionOptions, PoolOptions, SchedulingMode, SpeculationOptions};

/// A task scheduler and the launches that have not ended.
struct Bench {
    tasks: TaskScheduler,
    now: u64,
    running: BTreeMap<TaskId, (TaskAttempt, ExecutorId, bool)>,
}

impl Bench {
    fn new(options: SchedulerOptions) -> Bench {
        Bench { tasks: TaskScheduler::new(options), now: 0, running: BTreeMap::new() }
    }

    fn feed(&mut self, event: Option<TaskEvent>) -> Vec<TaskAction> {
        let mut out = Vec::new();
        self.tasks.advance(Time(self.now), &mut out);
        if let Some(event) = event {
            self.tasks.handle(event, &mut out);
        }
        self.tasks.offer(&mut out);
        for action in &out {
            if let TaskAction::Launch { task, attempt, executor, speculative, .. } = action {
                self.running.insert(*task, (*attempt, *executor, *speculative));
            }
        }
        out
    }

    fn executor(&mut self, id: u64, host: &str, slots: u32) -> Vec<TaskAction> {
        let host = host.to_string();
        self.feed(Some(TaskEvent::ExecutorAdded { executor: ExecutorId(id), host, slots }))
    }

    fn submit(&mut self, stage: u64, pool: &str, preferred: Vec<Vec<Location>>, n: u32) -> Vec<TaskAction> {
        let set = SetKey { job: JobId(stage), stage: StageId(stage) };
        let partitions = (0..n).collect();
        let pool = pool.to_string();
        self.feed(Some(TaskEvent::Submit {
            set,
            pool,
            stage_attempt: 0,
            partitions,
            preferred,
            copies: true,
        }))
    }

    fn end(&mut self, task: TaskId, end: TaskEnd) -> Vec<TaskAction> {
        self.running.remove(&task);
        self.feed(Some(TaskEvent::Ended { task, end }))
    }

    fn succeed(&mut self, task: TaskId) -> Vec<TaskAction> {
        self.end(task, TaskEnd::Success { map_status: None })
    }

    fn fail(&mut self, task: TaskId) -> Vec<TaskAction> {
        self.end(task, TaskEnd::Failed { retry: true, error: vec![1] })
    }

    fn wait(&mut self, millis: u64) -> Vec<TaskAction> {
        self.now += millis;
        self.feed(None)
    }

    /// The running copy of a partition.
    fn of(&self, stage: u64, partition: u32) -> TaskId {
        let is = |a: &TaskAttempt| a.stage == StageId(stage) && a.partition == partition;
        *self.running.iter().find(|(_, (a, _, _))| is(a)).expect("runs").0
    }
}

fn launched(actions: &[TaskAction]) -> Vec<(u64, u32, u64)> {
    let pick = |a: &TaskAction| match a {
        TaskAction::Launch { attempt, executor, .. } => {
            Some((attempt.stage.0, attempt.partition, executor.0))
        }
        _ => None,
    };
    actions.iter().filter_map(pick).collect()
}

fn on_executor(id: u64) -> Vec<Location> {
    vec![Location::Executor(ExecutorId(id))]
}

fn on_host(name: &str) -> Vec<Location> {
    vec![Location::Host(name.to_string())]
}

#[test]
fn slots_bound_what_runs_and_partitions_go_in_order() {
    let mut b = Bench::new(SchedulerOptions::default());
    b.executor(0, "h", 2);
    assert_eq!(launched(&b.submit(0, "", vec![], 3)), [(0, 0, 0), (0, 1, 0)]);
    assert_eq!(launched(&b.succeed(TaskId(1))), [(0, 2, 0)]);
}

#[test]
fn work_spreads_over_executors() {
    let mut b = Bench::new(SchedulerOptions::default());
    (0..3).for_each(|e| drop(b.executor(e, "h", 2)));
    let places: Vec<_> = launched(&b.submit(0, "", vec![], 4)).iter().map(|l| l.2).collect();
    assert_eq!(places, [0, 1, 2, 0]);
}

#[test]
fn a_failure_that_may_pass_is_tried_four_times_and_others_once() {
    let mut b = Bench::new(SchedulerOptions::default());
    b.executor(0, "h", 1);
    b.submit(0, "", vec![], 1);
    let mut actions = vec![];
    for n in 0..4 {
        let end = TaskEnd::Failed { retry: true, error: vec![n] };
        actions = b.end(b.of(0, 0), end);
    }
    let failed = |a: &TaskAction| match a {
        TaskAction::Failed { failure: JobFailure::Task { error, failures, .. }, .. } => {
            Some((error.clone(), *failures))
        }
        _ => None,
    };
    assert_eq!(actions.iter().find_map(failed), Some((vec![3], 4)));

    let mut b = Bench::new(SchedulerOptions::default());
    b.executor(0, "h", 1);
    b.submit(0, "", vec![], 1);
    let actions = b.end(TaskId(0), TaskEnd::Failed { retry: false, error: vec![7] });
    assert_eq!(actions.iter().find_map(failed), Some((vec![7], 1)));
}

#[test]
fn a_lost_executor_moves_its_tasks_without_a_failure_but_not_for_ever() {
    let options = SchedulerOptions { max_executor_losses: 3, max_task_failures: 1, ..Default::default() };
    let mut b = Bench::new(options);
    b.executor(0, "h", 2);
    b.submit(0, "", vec![], 2);
    for e in 1..3 {
        b.executor(e, "h", 2);
        let actions = b.feed(Some(TaskEvent::ExecutorLost { executor: ExecutorId(e - 1) }));
        assert_eq!(launched(&actions).len(), 2);
        assert_eq!(b.tasks.running(), 2);
    }
    let actions = b.feed(Some(TaskEvent::ExecutorLost { executor: ExecutorId(2) }));
    let reason = JobFailure::ExecutorLosses {
        attempt: TaskAttempt { stage: StageId(0), stage_attempt: 0, partition: 0, attempt: 2 },
        losses: 3,
    };
    assert!(actions.contains(&TaskAction::Failed { stage: StageId(0), failure: reason }), "{actions:?}");
}

#[test]
fn a_cancelled_set_gives_its_slots_back_once_its_tasks_have_ended() {
    let mut b = Bench::new(SchedulerOptions::default());
    b.executor(0, "h", 1);
    b.submit(0, "", vec![], 2);
    b.submit(1, "", vec![], 1);
    let set = SetKey { job: JobId(0), stage: StageId(0) };
    let actions = b.feed(Some(TaskEvent::Cancel { set }));
    assert_eq!(actions, [TaskAction::Kill { task: TaskId(0), executor: ExecutorId(0) }]);
    assert_eq!(b.tasks.running(), 1);
    assert_eq!(launched(&b.end(TaskId(0), TaskEnd::Killed)), [(1, 0, 0)]);
}

#[test]
fn a_suspended_set_launches_nothing_and_goes_on_where_it_was() {
    let mut b = Bench::new(SchedulerOptions::default());
    b.executor(0, "h", 1);
    b.submit(0, "", vec![], 3);
    let set = SetKey { job: JobId(0), stage: StageId(0) };
    let actions = b.feed(Some(TaskEvent::Suspend { set }));
    assert_eq!(actions, [TaskAction::Starved { stage: StageId(0) }]);
    assert!(launched(&b.succeed(TaskId(0))).is_empty());
    let submit = TaskEvent::Submit {
        set,
        pool: String::new(),
        stage_attempt: 1,
        partitions: vec![1, 2],
        preferred: vec![],
        copies: true,
    };
    let actions = b.feed(Some(submit));
    assert!(matches!(
        actions[..],
        [TaskAction::Launch { attempt: TaskAttempt { stage_attempt: 1, partition: 1, .. }, .. }]
    ));
}

#[test]
fn a_draining_executor_ends_what_it_has() {
    let mut b = Bench::new(SchedulerOptions::default());
    b.executor(0, "h", 1);
    b.submit(0, "", vec![], 2);
    b.feed(Some(TaskEvent::ExecutorDraining { executor: ExecutorId(0) }));
    assert!(launched(&b.succeed(TaskId(0))).is_empty());
    assert_eq!(launched(&b.executor(1, "h", 1)), [(0, 1, 1)]);
}

// ---- Pools.

/// How many tasks of each stage run, of two hundred slots.
fn shares(mode: SchedulingMode, pools: Vec<PoolOptions>, jobs: &[&str]) -> Vec<usize> {
    shares_with(SchedulerOptions { mode, pools, ..Default::default() }, jobs)
}

fn shares_with(options: SchedulerOptions, jobs: &[&str]) -> Vec<usize> {
    let mut b = Bench::new(options);
    for (stage, pool) in jobs.iter().enumerate() {
        b.submit(stage as u64, pool, vec![], 1000);
    }
    (0..200).for_each(|e| drop(b.executor(e, "h", 1)));
    // Every task ends once, so that slots are given anew.
    for task in b.running.keys().copied().collect::<Vec<_>>() {
        b.succeed(task);
    }
    let of = |stage: usize| b.running.values().filter(|(a, _, _)| a.stage.0 == stage as u64).count();
    (0..jobs.len()).map(of).collect()
}

#[test]
fn fifo_serves_the_older_job_first() {
    assert_eq!(shares(SchedulingMode::Fifo, vec![], &["a", "b"]), [200, 0]);
}

#[test]
fn fair_pools_share_by_weight_and_minimal_share() {
    let pool = |name: &str, weight, min_share| PoolOptions { weight, min_share, ..PoolOptions::named(name) };
    assert_eq!(shares(SchedulingMode::Fair, vec![], &["a", "b"]), [100, 100]);
    assert_eq!(shares(SchedulingMode::Fair, vec![pool("a", 3, 0)], &["a", "b"]), [150, 50]);
    assert_eq!(shares(SchedulingMode::Fair, vec![pool("a", 1, 120)], &["a", "b"]), [120, 80]);
    // Two jobs of one FIFO pool, and of one FAIR pool.
    assert_eq!(shares(SchedulingMode::Fair, vec![], &["a", "a", "b"]), [100, 0, 100]);
    let fair = PoolOptions { mode: SchedulingMode::Fair, ..PoolOptions::named("a") };
    assert_eq!(shares(SchedulingMode::Fair, vec![fair], &["a", "a", "b"]), [50, 50, 100]);
    // And of a pool that is made, where such pools are to be FAIR; one that is described is as it is described.
    let options = SchedulerOptions {
        mode: SchedulingMode::Fair,
        pools: vec![PoolOptions::named("b")],
        other_pools: SchedulingMode::Fair,
        ..Default::default()
    };
    assert_eq!(shares_with(options, &["a", "a", "b", "b"]), [50, 50, 100, 0]);
}

#[test]
fn a_job_with_nothing_alive_is_let_in_beyond_the_slots() {
    let mut b = Bench::new(SchedulerOptions { guests: 2, ..Default::default() });
    b.executor(0, "h", 2);
    let stages = |b: &Bench| b.running.values().map(|(a, ..)| a.stage.0).collect::<Vec<_>>();
    // The first job takes the slots, and no more: it has something alive.
    b.submit(0, "", vec![], 10);
    assert_eq!(stages(&b), [0, 0]);
    b.submit(1, "", vec![], 2);
    assert_eq!(stages(&b), [0, 0, 1]);
    b.submit(2, "", vec![], 1);
    b.submit(3, "", vec![], 1);
    assert_eq!(stages(&b), [0, 0, 1, 2], "two guests, and a third waits");
    // A guest that ends makes room for the next guest, not for whoever has slots.
    b.succeed(b.of(2, 0));
    assert_eq!(stages(&b), [0, 0, 1, 3]);
    // Who had a slot and ends leaves it to guests: nothing is launched until there are fewer tasks than slots.
    let first = *b.running.keys().next().unwrap();
    b.succeed(first);
    assert_eq!(stages(&b), [0, 1, 3]);
    b.succeed(b.of(3, 0));
    b.succeed(b.of(1, 0));
    // The older job has the slots again, and the other one, whose task has ended, comes as a guest again.
    assert_eq!(stages(&b), [0, 0, 1]);
}

#[test]
fn a_pool_that_was_made_for_a_job_goes_with_it() {
    let mut b = Bench::new(SchedulerOptions { mode: SchedulingMode::Fair, ..Default::default() });
    b.executor(0, "h", 1);
    for stage in 0..3 {
        b.submit(stage, &format!("pool{stage}"), vec![], 1);
        b.succeed(b.of(stage, 0));
    }
    assert!(b.tasks.pools.is_empty());
    assert_eq!(b.tasks.pools.count_pools(), 0);
}

// ---- Locality.

#[test]
fn a_task_waits_for_its_executor_then_for_its_machine_then_for_any() {
    let mut b = Bench::new(SchedulerOptions::default());
    b.executor(0, "x", 1);
    b.executor(1, "x", 1);
    b.executor(2, "y", 1);
    // All three want executor 0.
    assert_eq!(launched(&b.submit(0, "", vec![on_executor(0); 3], 3)), [(0, 0, 0)]);
    assert_eq!(b.tasks.next_timer(), Some(Time(3000)));
    assert!(launched(&b.wait(2999)).is_empty());
    assert_eq!(launched(&b.wait(1)), [(0, 1, 1)], "the same machine");
    assert_eq!(b.tasks.next_timer(), Some(Time(6000)));
    assert_eq!(launched(&b.wait(3000)), [(0, 2, 2)]);
}

#[test]
fn levels_without_a_possible_executor_are_skipped_at_once() {
    let mut b = Bench::new(SchedulerOptions::default());
    b.executor(0, "x", 1);
    b.executor(1, "y", 1);
    let places = vec![on_executor(77), on_host("z")];
    assert_eq!(launched(&b.submit(0, "", places, 2)).len(), 2);
}

#[test]
fn tasks_without_preferences_run_at_once_and_do_not_lose_their_slot_to_those_that_wait() {
    let mut b = Bench::new(SchedulerOptions::default());
    b.executor(0, "x", 1);
    b.executor(1, "y", 1);
    let places = vec![on_host("x"), on_host("x"), vec![]];
    let mut all = launched(&b.submit(0, "", places, 3));
    all.sort_unstable();
    assert_eq!(all, [(0, 0, 0), (0, 2, 1)]);
}

#[test]
fn a_later_set_uses_the_slots_that_an_earlier_one_waits_beside() {
    let mut b = Bench::new(SchedulerOptions::default());
    b.executor(0, "x", 1);
    b.executor(1, "y", 1);
    b.submit(0, "", vec![on_host("x"); 2], 2);
    assert_eq!(launched(&b.submit(1, "", vec![], 1)), [(1, 0, 1)]);
}

#[test]
fn a_level_that_its_last_task_leaves_is_left_at_once() {
    let mut b = Bench::new(SchedulerOptions::default());
    b.executor(0, "x", 1);
    b.executor(1, "y", 2);
    b.submit(0, "", vec![], 1);
    // The first waits for its executor, the second for its machine, which is idle but not yet its turn.
    let launches = b.submit(1, "", vec![on_executor(0), on_host("y")], 2);
    assert!(launched(&launches).is_empty(), "{launches:?}");
    assert_eq!(launched(&b.succeed(b.of(0, 0))), [(1, 0, 0), (1, 1, 1)]);
}

#[test]
fn short_local_tasks_do_not_starve_an_idle_executor() {
    let mut b = Bench::new(SchedulerOptions::default());
    b.executor(0, "x", 1);
    b.executor(1, "y", 1);
    b.submit(0, "", vec![on_host("x"); 20], 20);
    let mut elsewhere = 0;
    for _ in 0..8 {
        b.now += 500;
        let task = *b.running.iter().find(|(_, (_, e, _))| e.0 == 0).expect("always busy").0;
        elsewhere += launched(&b.succeed(task)).iter().filter(|l| l.2 == 1).count();
    }
    assert_eq!(elsewhere, 1, "launches at x go on, y gets one after three seconds");
}

#[test]
fn an_executor_that_comes_brings_locality_back() {
    let mut b = Bench::new(SchedulerOptions::default());
    b.executor(0, "y", 1);
    b.submit(0, "", vec![on_host("x"); 3], 3);
    assert_eq!(launched(&b.executor(1, "x", 1)), [(0, 1, 1)]);
    assert!(launched(&b.succeed(b.of(0, 0))).is_empty(), "the last one waits for x again");
    assert_eq!(launched(&b.wait(3000)), [(0, 2, 0)]);
}

// ---- Speculation.

fn speculating() -> Bench {
    let speculation = SpeculationOptions { enabled: true, ..Default::default() };
    Bench::new(SchedulerOptions { speculation, ..Default::default() })
}

#[test]
fn a_slow_task_gets_one_copy_elsewhere_and_the_first_to_end_wins() {
    let mut b = speculating();
    b.executor(0, "x", 10);
    b.executor(1, "x", 10);
    b.submit(0, "", vec![], 10);
    b.now = 100;
    let slow = b.of(0, 9);
    for p in 0..9 {
        b.succeed(b.of(0, p));
    }
    assert!(launched(&b.wait(200)).is_empty(), "three times the median, not more");
    let place = b.running[&slow].1;
    let copies = launched(&b.wait(100));
    assert_eq!(copies.len(), 1);
    assert_ne!(copies[0].2, place.0);
    assert!(launched(&b.wait(1000)).is_empty(), "one copy at a time");
    let copy = *b.running.iter().find(|(_, (_, _, speculative))| *speculative).expect("runs").0;
    let actions = b.succeed(copy);
    assert!(actions.contains(&TaskAction::Kill { task: slow, executor: place }), "{actions:?}");
    assert_eq!(b.tasks.running(), 1, "the slot of the loser");
    assert!(b.end(slow, TaskEnd::Killed).is_empty());
    assert_eq!((b.tasks.running(), b.tasks.next_timer().is_some()), (0, true));
    b.wait(100);
    assert_eq!(b.tasks.next_timer(), None, "nothing to look for");
}

#[test]
fn an_original_that_fails_beside_its_copy_is_not_launched_again() {
    let mut b = speculating();
    b.executor(0, "x", 2);
    b.executor(1, "x", 2);
    b.submit(0, "", vec![], 2);
    b.now = 100;
    b.succeed(b.of(0, 0));
    let original = b.of(0, 1);
    assert_eq!(launched(&b.wait(500)).len(), 1);
    assert!(launched(&b.fail(original)).is_empty());
    let copy = b.of(0, 1);
    assert_eq!(launched(&b.fail(copy)).len(), 1, "now it is");
}

// ---- Exclusion.

fn excluding() -> Bench {
    let exclude_on_failure = ExclusionOptions { enabled: true, ..Default::default() };
    Bench::new(SchedulerOptions { exclude_on_failure, ..Default::default() })
}

#[test]
fn a_task_does_not_go_back_to_where_it_failed() {
    let mut b = excluding();
    b.executor(0, "x", 1);
    b.executor(1, "y", 1);
    b.submit(0, "", vec![], 1);
    assert_eq!(b.running[&TaskId(0)].1, ExecutorId(0));
    assert_eq!(launched(&b.fail(TaskId(0))), [(0, 0, 1)]);
}

#[test]
fn an_executor_where_two_tasks_failed_gets_no_more_of_the_stage_and_then_of_any() {
    let mut b = excluding();
    b.executor(0, "x", 2);
    b.executor(1, "y", 2);
    b.submit(0, "", vec![], 4);
    let bad: Vec<_> = b.running.iter().filter(|(_, r)| r.1.0 == 0).map(|(t, _)| *t).collect();
    b.fail(bad[0]);
    let actions = b.fail(bad[1]);
    let stage = Some(StageId(0));
    let excluded = |a: &TaskAction| matches!(a, TaskAction::Excluded { executor, stage: s, .. } if executor.0 == 0 && *s == stage);
    assert!(actions.iter().any(excluded), "{actions:?}");
    while let Some(task) = b.running.keys().next().copied() {
        b.succeed(task);
    }
    assert_eq!(b.tasks.executor_state(ExecutorId(0)), Some(ExecutorState::Excluded));
    let places: BTreeSet<_> = launched(&b.submit(1, "", vec![], 3)).iter().map(|l| l.2).collect();
    assert_eq!(places, BTreeSet::from([1]));
    let back = launched(&b.wait(3_600_000));
    assert_eq!(back, [(1, 2, 0)], "after an hour");
}

#[test]
fn a_task_excluded_everywhere_ends_its_job_unless_an_executor_comes() {
    for comes in [false, true] {
        let mut b = excluding();
        b.executor(0, "x", 1);
        b.submit(0, "", vec![], 1);
        b.fail(TaskId(0));
        b.wait(60_000);
        if comes {
            assert_eq!(launched(&b.executor(1, "y", 1)), [(0, 0, 1)]);
        }
        let actions = b.wait(60_000);
        let failure = JobFailure::Unschedulable { stage: StageId(0), partition: 0 };
        let ends = actions.contains(&TaskAction::Failed { stage: StageId(0), failure });
        assert_eq!(ends, !comes, "{actions:?}");
    }
}

#[test]
fn a_machine_with_two_excluded_executors_is_excluded_and_so_are_those_that_come() {
    let mut b = excluding();
    b.executor(0, "x", 2);
    b.executor(1, "x", 2);
    b.executor(2, "y", 4);
    b.submit(0, "", vec![], 4);
    let bad: Vec<_> = b.running.iter().filter(|(_, r)| r.1.0 < 2).map(|(t, _)| *t).collect();
    bad.into_iter().for_each(|task| drop(b.fail(task)));
    while let Some((task, (_, executor, _))) = b.running.iter().next().map(|(t, r)| (*t, *r)) {
        drop(if executor.0 < 2 { b.fail(task) } else { b.succeed(task) });
    }
    b.executor(3, "x", 1);
    for e in [0, 1, 3] {
        assert_eq!(b.tasks.executor_state(ExecutorId(e)), Some(ExecutorState::Excluded), "{e}");
    }
}

/// Found by the simulation: the loser of a speculation may take long to end.
#[test]
fn a_task_whose_output_is_lost_does_not_wait_for_a_copy_that_was_killed() {
    let speculation = SpeculationOptions { enabled: true, quantile: 0.5, ..Default::default() };
    let mut b = Bench::new(SchedulerOptions { speculation, ..Default::default() });
    b.executor(0, "x", 3);
    b.executor(1, "x", 3);
    b.submit(0, "", vec![], 3);
    b.now = 100;
    b.succeed(b.of(0, 0));
    let loser = b.of(0, 1);
    b.wait(500);
    let copy = *b.running.iter().find(|(_, (a, _, s))| *s && a.partition == 1).expect("copied").0;
    b.succeed(copy);
    let set = SetKey { job: JobId(0), stage: StageId(0) };
    b.feed(Some(TaskEvent::Redo { set, partitions: vec![1] }));
    let again = *b.running.iter().find(|(t, (a, _, _))| **t != loser && a.partition == 1).expect("again").0;
    assert_eq!(launched(&b.fail(again)).iter().filter(|l| l.1 == 1).count(), 1);
}

#[test]
fn a_failed_task_is_tried_again_elsewhere() {
    let mut b = Bench::new(SchedulerOptions::default());
    b.executor(0, "h", 1);
    b.executor(1, "h", 1);
    // Even if its data is where it failed; the slot there is for others.
    assert_eq!(launched(&b.submit(0, "", vec![on_executor(0), vec![], vec![]], 3)), [(0, 0, 0), (0, 1, 1)]);
    assert_eq!(launched(&b.fail(b.of(0, 0))), [(0, 2, 0)]);
    assert_eq!(launched(&b.succeed(b.of(0, 1))), [(0, 0, 1)]);
    // From there it may go back.
    b.succeed(b.of(0, 2));
    assert_eq!(launched(&b.fail(b.of(0, 0))), [(0, 0, 0)]);
}

#[test]
fn a_failed_task_is_tried_again_in_the_same_place_if_no_other_becomes_free() {
    let mut b = Bench::new(SchedulerOptions::default());
    b.executor(0, "h", 1);
    b.executor(1, "h", 1);
    b.submit(0, "", vec![], 2);
    assert!(launched(&b.fail(b.of(0, 0))).is_empty());
    let wait = SchedulerOptions::default().locality.wait_node;
    assert!(launched(&b.wait(wait - 1)).is_empty());
    assert_eq!(b.tasks.next_timer(), Some(Time(b.now + 1)));
    assert_eq!(launched(&b.wait(1)), [(0, 0, 0)]);
    // At once, when the other is gone.
    assert!(launched(&b.fail(b.of(0, 0))).is_empty());
    b.running.clear();
    let gone = b.feed(Some(TaskEvent::ExecutorLost { executor: ExecutorId(1) }));
    assert_eq!(launched(&gone), [(0, 1, 0)]);
    assert_eq!(launched(&b.succeed(b.of(0, 1))), [(0, 0, 0)]);
}

#[test]
fn a_task_that_did_not_reach_its_input_runs_on_a_third_executor() {
    let mut b = Bench::new(SchedulerOptions::default());
    (0..3).for_each(|e| drop(b.executor(e, "h", 1)));
    b.submit(0, "", vec![], 3);
    let unreached = |b: &mut Bench| {
        let end = TaskEnd::FetchFailed {
            shuffle: ShuffleId(7),
            map: MapId(0),
            executor: ExecutorId(1),
            unreachable: true,
        };
        b.end(b.of(0, 0), end)
    };
    // The one is free and must not, the other is the one that was not reached.
    assert!(launched(&unreached(&mut b)).is_empty());
    assert_eq!(launched(&b.succeed(b.of(0, 2))), [(0, 0, 2)]);
    assert_eq!(launched(&unreached(&mut b)), [(0, 0, 0)]);
    // With none but the two it cannot be helped.
    b.feed(Some(TaskEvent::ExecutorLost { executor: ExecutorId(2) }));
    assert_eq!(launched(&unreached(&mut b)), [(0, 0, 0)]);
}

/// A launch of a job's stage 0 on one executor.
fn only_launch(actions: &[TaskAction]) -> TaskId {
    let launches: Vec<_> = actions
        .iter()
        .filter_map(|a| match a {
            TaskAction::Launch { task, .. } => Some(*task),
            _ => None,
        })
        .collect();
    assert_eq!(launches.len(), 1, "{actions:?}");
    launches[0]
}

#[test]
fn a_parked_task_leaves_its_slot_to_other_jobs_and_its_job_gets_no_more_tasks_than_there_are_slots() {
    let mut bench = Bench::new(SchedulerOptions::default());
    bench.executor(0, "a", 2);
    bench.submit(0, "", vec![], 4);
    let own: Vec<TaskId> = bench.running.keys().copied().collect();
    assert_eq!(own.len(), 2);
    // Its own job has as many alive as it may: the slot is free for others.
    assert_eq!(bench.feed(Some(TaskEvent::Parked { task: own[0] })), []);
    assert_eq!(bench.feed(Some(TaskEvent::Parked { task: own[1] })), []);
    assert_eq!(bench.feed(Some(TaskEvent::Parked { task: own[1] })), [], "told twice");
    assert_eq!(bench.tasks.parked_now(), 2);
    let others = bench.submit(1, "", vec![], 5);
    assert_eq!(others.len(), 2, "{others:?}");
    let others: Vec<TaskId> = bench.running.keys().copied().filter(|t| !own.contains(t)).collect();
    // One goes on at once, beside them; a slot that becomes free then makes up for it.
    assert_eq!(bench.feed(Some(TaskEvent::Resumed { task: own[0] })), []);
    let done = |actions: Vec<TaskAction>| {
        assert!(!actions.iter().any(|a| matches!(a, TaskAction::Launch { .. })), "{actions:?}");
    };
    done(bench.succeed(others[0]));
    // The next free slot is for the older job, which has one task alive less.
    let next = bench.succeed(own[0]);
    let next = only_launch(&next);
    assert_eq!(bench.running[&next].0.stage, StageId(0));
    // The end of a task that is parked gives no slot back, but lets its job launch.
    let after = bench.succeed(own[1]);
    done(after);
    let last = bench.succeed(others[1]);
    assert_eq!(bench.running[&only_launch(&last)].0.stage, StageId(0));
}

#[test]
fn parked_tasks_are_no_load_of_their_pool_and_go_with_their_executor() {
    let options = SchedulerOptions { mode: SchedulingMode::Fair, ..SchedulerOptions::default() };
    let mut bench = Bench::new(options);
    bench.executor(0, "a", 2);
    bench.submit(0, "x", vec![], 4);
    let own: Vec<TaskId> = bench.running.keys().copied().collect();
    own.iter().for_each(|task| {
        bench.feed(Some(TaskEvent::Parked { task: *task }));
    });
    bench.submit(1, "y", vec![], 4);
    let lost = bench.feed(Some(TaskEvent::ExecutorLost { executor: ExecutorId(0) }));
    assert!(lost.is_empty(), "{lost:?}");
    assert_eq!((bench.tasks.running(), bench.tasks.parked_now()), (0, 0));
    bench.running.clear();
    // Late words of tasks that are gone change nothing.
    bench.feed(Some(TaskEvent::Resumed { task: own[0] }));
    bench.executor(1, "a", 2);
    let stages: Vec<_> = bench.running.values().map(|(attempt, ..)| attempt.stage.0).collect();
    assert_eq!(stages, [0, 1], "each pool gets one slot: {:?}", bench.running);
}

#[test]
fn parts_that_are_not_read_do_not_take_the_turns_of_others() {
    let mut bench = Bench::new(SchedulerOptions::default());
    bench.executor(0, "a", 3);
    bench.submit(0, "", vec![], 9);
    bench.feed(Some(TaskEvent::Dealt { stage: StageId(0), parts: 3 }));
    let mut partitions = vec![];
    // Only the tasks of part 2 end: the others wait for their readers.
    for _ in 0..2 {
        let of_part = bench.running.iter().find(|(_, (attempt, ..))| attempt.partition % 3 == 2);
        let task = *of_part.unwrap().0;
        let next = bench.succeed(task);
        partitions.push(bench.running[&only_launch(&next)].0.partition);
    }
    assert_eq!(partitions, [5, 8]);
    // Its last one is done: the next is whoever's.
    let last = bench.running.iter().find(|(_, (attempt, ..))| attempt.partition == 8).map(|(task, _)| *task);
    let next = bench.succeed(last.unwrap());
    assert_eq!(bench.running[&only_launch(&next)].0.partition, 3);
}
