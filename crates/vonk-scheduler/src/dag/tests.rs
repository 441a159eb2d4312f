//! Tests of the DAG scheduler alone.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

use super::*;
use crate::ids::Fragment;
use crate::rdd::{Dependency, Partitioner, Rdd, ShuffleDependency};

const JOB: JobId = JobId(1);

/// A chain of stages of two partitions; the number of an RDD is that of its stage in the job's first submission.
fn chain(shuffles: &[u64], determinate: bool) -> (RddGraph, RddId) {
    let mut graph = RddGraph::default();
    let mut last = None;
    for n in 0..=shuffles.len() {
        let dependencies = last.map(|rdd| {
            let partitioner = Partitioner::Hash { num_partitions: 2 };
            let shuffle = ShuffleId(shuffles[n - 1]);
            Dependency::Shuffle(ShuffleDependency { shuffle, rdd, num_reduce: 2, partitioner })
        });
        let rdd = Rdd {
            id: RddId(0),
            num_partitions: 2,
            dependencies: dependencies.into_iter().collect(),
            partitioner: None,
            preferred_locations: vec![],
            fragment: Fragment(n as u32),
            determinate,
        };
        last = graph.add(rdd);
    }
    (graph, last.unwrap())
}

struct Bench {
    dag: DagScheduler,
    /// The attempts of stages.
    attempts: BTreeMap<StageId, u32>,
}

impl Bench {
    fn new(options: DagOptions) -> Bench {
        Bench { dag: DagScheduler::new(options), attempts: BTreeMap::new() }
    }

    fn feed(&mut self, event: DagEvent) -> Vec<DagAction> {
        let mut out = Vec::new();
        self.dag.handle(event, &mut out);
        for action in &out {
            if let DagAction::SubmitTaskSet { set, stage_attempt, .. } = action {
                self.attempts.insert(set.stage, *stage_attempt);
            }
        }
        out
    }

    fn submit(&mut self, job: u64, graph: &(RddGraph, RddId), keep: &[u64]) -> Vec<DagAction> {
        let keep = keep.iter().map(|s| ShuffleId(*s)).collect();
        let (job, graph, last, pool) = (JobId(job), graph.0.clone(), graph.1, String::new());
        self.feed(DagEvent::SubmitJob { job, graph, last, keep, pool })
    }

    fn attempt(&self, stage: u64, partition: u32) -> TaskAttempt {
        let stage_attempt = self.attempts.get(&StageId(stage)).copied().unwrap_or(0);
        TaskAttempt { stage: StageId(stage), stage_attempt, partition, attempt: 0 }
    }

    /// Executor 0 has partitions 0, executor 1 partitions 1.
    fn succeed(&mut self, stage: u64, partition: u32) -> Vec<DagAction> {
        let attempt = self.attempt(stage, partition);
        self.succeed_as(attempt, u64::from(partition))
    }

    fn succeed_as(&mut self, attempt: TaskAttempt, executor: u64) -> Vec<DagAction> {
        let status = MapStatus { executor: ExecutorId(executor), sizes: vec![1, 1] };
        let is_map = self.dag.stages.get(&attempt.stage).is_some_and(|s| s.shuffle().is_some());
        let map_status = is_map.then_some(status);
        self.feed(DagEvent::Succeeded { task: TaskId(0), attempt, map_status, late: false })
    }

    fn fetch_failed(&mut self, stage: u64, block: (u64, u32, u64)) -> Vec<DagAction> {
        self.missed(stage, block, false)
    }

    fn missed(
        &mut self,
        stage: u64,
        (shuffle, map, executor): (u64, u32, u64),
        unreachable: bool,
    ) -> Vec<DagAction> {
        let attempt = self.attempt(stage, 0);
        let (shuffle, map, executor) = (ShuffleId(shuffle), MapId(map), ExecutorId(executor));
        let mut out =
            self.feed(DagEvent::FetchFailed { attempt, shuffle, map, executor, unreachable, wanted: true });
        out.extend(self.feed(DagEvent::Starved { stage: StageId(stage) }));
        out
    }
}

/// Stage, attempt and partitions of the task sets that are asked for.
fn sets(actions: &[DagAction]) -> Vec<(u64, u32, Vec<u32>)> {
    let set = |a: &DagAction| match a {
        DagAction::SubmitTaskSet { set, stage_attempt, partitions, .. } => {
            Some((set.stage.0, *stage_attempt, partitions.clone()))
        }
        _ => None,
    };
    actions.iter().filter_map(set).collect()
}

#[test]
fn an_unknown_job_or_task_changes_nothing() {
    let mut b = Bench::new(DagOptions::default());
    assert!(b.feed(DagEvent::CancelJob { job: JobId(1) }).is_empty());
    assert!(b.succeed(9, 0).is_empty());
    assert!(b.fetch_failed(9, (1, 2, 3)).is_empty());
}

#[test]
fn stages_follow_their_parents_and_the_last_result_ends_the_job() {
    let mut b = Bench::new(DagOptions::default());
    assert_eq!(sets(&b.submit(1, &chain(&[7], true), &[])), [(0, 0, vec![0, 1])]);
    assert!(b.submit(1, &chain(&[7], true), &[]).is_empty(), "submitted twice");
    assert!(sets(&b.succeed(0, 0)).is_empty());
    assert!(sets(&b.succeed(0, 0)).is_empty(), "a success counts once");
    let actions = b.succeed(0, 1);
    assert_eq!(actions[0], DagAction::StageCompleted { stage: StageId(0) });
    assert_eq!(sets(&actions), [(1, 0, vec![0, 1])]);
    assert!(matches!(b.succeed(1, 0)[..], [DagAction::ResultAccepted { .. }]));
    assert!(b.succeed(1, 0).is_empty(), "a result counts once");
    let actions = b.succeed(1, 1);
    assert!(actions.contains(&DagAction::JobSucceeded { job: JOB }));
    assert!(actions.contains(&DagAction::ReleaseShuffle { shuffle: ShuffleId(7) }));
}

/// Runs a job to its end: how many task sets it took, and whether the shuffle was released.
fn run(b: &mut Bench, job: u64, graph: &(RddGraph, RddId), keep: &[u64]) -> (usize, bool) {
    let mut open = b.submit(job, graph, keep);
    let (mut count, mut released) = (0, false);
    while let Some(action) = open.pop() {
        released |= matches!(action, DagAction::ReleaseShuffle { .. });
        if let DagAction::SubmitTaskSet { set, partitions, .. } = action {
            count += 1;
            partitions.iter().for_each(|p| open.extend(b.succeed(set.stage.0, *p)));
        }
    }
    assert!(b.dag.job(JobId(job)).is_none());
    (count, released)
}

#[test]
fn a_kept_shuffle_is_made_once_and_released_with_the_last_job() {
    let graph = chain(&[7], true);
    for release_consumed in [false, true] {
        let mut b = Bench::new(DagOptions { release_consumed, ..DagOptions::default() });
        assert_eq!(run(&mut b, 1, &graph, &[7]), (2, false));
        assert_eq!(run(&mut b, 2, &graph, &[7]), (1, false));
        assert_eq!(run(&mut b, 3, &graph, &[]), (1, true));
        assert_eq!(run(&mut b, 4, &graph, &[7]), (2, false));
        let actions = b.feed(DagEvent::ReleaseShuffles { shuffles: vec![ShuffleId(7)] });
        assert_eq!(actions, [DagAction::ReleaseShuffle { shuffle: ShuffleId(7) }]);
    }
}

#[test]
fn a_kept_shuffle_that_is_lost_is_made_again_where_it_was_lost() {
    let graph = chain(&[7], true);
    let mut b = Bench::new(DagOptions::default());
    run(&mut b, 1, &graph, &[7]);
    b.feed(DagEvent::ExecutorLost { executor: ExecutorId(1), blocks_lost: true });
    assert_eq!(sets(&b.submit(2, &graph, &[])), [(2, 0, vec![1])]);
}

#[test]
fn two_jobs_with_a_shuffle_run_it_once() {
    let graph = chain(&[7], true);
    let mut b = Bench::new(DagOptions::default());
    b.submit(1, &graph, &[]);
    assert!(b.submit(2, &graph, &[]).is_empty(), "the first job's stage makes it");
    b.succeed(0, 0);
    assert_eq!(sets(&b.succeed(0, 1)), [(1, 0, vec![0, 1]), (3, 0, vec![0, 1])]);
}

#[test]
fn a_job_goes_on_by_itself_when_the_one_that_made_its_shuffle_ends() {
    let graph = chain(&[7], true);
    let mut b = Bench::new(DagOptions::default());
    b.submit(1, &graph, &[]);
    b.submit(2, &graph, &[]);
    b.succeed(0, 0);
    assert_eq!(sets(&b.feed(DagEvent::CancelJob { job: JOB })), [(2, 0, vec![1])]);
}

#[test]
fn a_missing_block_is_made_again_and_nothing_else() {
    let mut b = Bench::new(DagOptions::default());
    b.submit(1, &chain(&[7], true), &[]);
    b.succeed(0, 0);
    b.succeed(0, 1);
    let actions = b.fetch_failed(1, (7, 1, 1));
    let set = SetKey { job: JOB, stage: StageId(1) };
    assert!(actions.contains(&DagAction::Suspend { set }));
    assert_eq!(sets(&actions), [(0, 1, vec![1])]);
    assert_eq!(sets(&b.succeed(0, 1)), [(1, 1, vec![0, 1])], "the same stage, another attempt");
}

#[test]
fn blocks_missed_after_the_first_are_made_in_the_same_attempt() {
    let mut b = Bench::new(DagOptions::default());
    b.submit(1, &chain(&[7], true), &[]);
    b.succeed(0, 0);
    b.succeed(0, 1);
    assert_eq!(sets(&b.fetch_failed(1, (7, 1, 1))), [(0, 1, vec![1])]);
    let actions = b.fetch_failed(1, (7, 0, 0));
    let set = SetKey { job: JOB, stage: StageId(0) };
    assert_eq!(actions, [DagAction::Redo { set, partitions: vec![0] }]);
}

#[test]
fn consecutive_attempts_that_miss_a_block_end_the_job_and_a_completion_forgives() {
    let mut b = Bench::new(DagOptions::default());
    b.submit(1, &chain(&[7, 8], true), &[]);
    b.succeed(0, 0);
    b.succeed(0, 1);
    for n in 1..4 {
        assert_eq!(sets(&b.fetch_failed(1, (7, 1, 1))), [(0, n, vec![1])]);
        b.succeed(0, 1);
    }
    let reason = JobFailure::StageAttempts {
        stage: StageId(1),
        attempts: 4,
        shuffle: ShuffleId(7),
        map: MapId(1),
        executor: ExecutorId(1),
    };
    // Complete, and lost again: counted anew.
    b.succeed(1, 0);
    b.succeed(1, 1);
    assert_eq!(sets(&b.fetch_failed(2, (8, 0, 0))), [(1, 4, vec![0])]);
    for _ in 0..3 {
        b.fetch_failed(1, (7, 1, 1));
        b.succeed(0, 1);
    }
    assert!(b.fetch_failed(1, (7, 1, 1)).contains(&DagAction::JobFailed { job: JOB, reason }));
}

#[test]
fn what_an_executor_loses_is_made_again_when_it_is_wanted() {
    let mut b = Bench::new(DagOptions::default());
    b.submit(1, &chain(&[7], true), &[]);
    b.succeed(0, 0);
    // Lost while the stage runs: done again in the same set.
    let set = SetKey { job: JOB, stage: StageId(0) };
    let actions = b.feed(DagEvent::ExecutorLost { executor: ExecutorId(0), blocks_lost: true });
    assert_eq!(actions, [DagAction::Redo { set, partitions: vec![0] }]);
    b.succeed_as(b.attempt(0, 0), 5);
    b.succeed(0, 1);
    // Lost while its reader runs: that launches no more, and may not need it.
    let actions = b.feed(DagEvent::ExecutorLost { executor: ExecutorId(5), blocks_lost: true });
    let reader = SetKey { job: JOB, stage: StageId(1) };
    assert_eq!(actions, [DagAction::Suspend { set: reader }]);
    b.succeed(1, 0);
    assert_eq!(sets(&b.feed(DagEvent::Starved { stage: StageId(1) })), [(0, 1, vec![0])]);
    // An executor whose blocks live elsewhere takes none with it.
    assert!(b.feed(DagEvent::ExecutorLost { executor: ExecutorId(1), blocks_lost: false }).is_empty());
    assert_eq!(sets(&b.succeed_as(b.attempt(0, 0), 6)), [(1, 1, vec![1])]);
}

#[test]
fn moved_outputs_are_found_by_a_new_attempt() {
    let mut b = Bench::new(DagOptions::default());
    b.submit(1, &chain(&[7], true), &[]);
    b.succeed(0, 0);
    b.succeed(0, 1);
    let outputs = vec![(ShuffleId(7), MapId(0)), (ShuffleId(7), MapId(1)), (ShuffleId(9), MapId(0))];
    let moved = DagEvent::OutputsMoved { from: ExecutorId(0), to: ExecutorId(4), outputs };
    assert_eq!(sets(&b.feed(moved)), [(1, 1, vec![0, 1])]);
    assert_eq!(b.dag.outputs().places(ShuffleId(7)).unwrap(), [Some(ExecutorId(4)), Some(ExecutorId(1))]);
    assert!(b.feed(DagEvent::ExecutorLost { executor: ExecutorId(0), blocks_lost: true }).is_empty());
    // The first attempt's tasks look where it was: that is no loss, and no attempt is used up.
    let attempt = TaskAttempt { stage: StageId(1), stage_attempt: 0, partition: 0, attempt: 0 };
    let (shuffle, map, executor, unreachable) = (ShuffleId(7), MapId(0), ExecutorId(0), false);
    let missed = DagEvent::FetchFailed { attempt, shuffle, map, executor, unreachable, wanted: true };
    assert!(b.feed(missed).is_empty());
}

#[test]
fn what_was_computed_from_a_lost_indeterminate_output_is_undone() {
    let mut b = Bench::new(DagOptions::default());
    b.submit(1, &chain(&[7, 8], false), &[]);
    b.succeed(0, 0);
    b.succeed(0, 1);
    let old = b.attempt(1, 1);
    b.succeed(1, 0);
    // One output of the second stage is there when the first one's is lost.
    let actions = b.fetch_failed(1, (7, 1, 1));
    let set = SetKey { job: JOB, stage: StageId(1) };
    assert!(actions.contains(&DagAction::CancelTaskSet { set }), "{actions:?}");
    assert_eq!(sets(&actions), [(0, 1, vec![1])]);
    b.succeed_as(old, 3);
    assert!(!b.dag.outputs().has_any(ShuffleId(8)), "what read the old rows counts no more");
    assert_eq!(sets(&b.succeed(0, 1)), [(1, 1, vec![0, 1])], "all of it again");
}

#[test]
fn rows_that_were_given_away_cannot_be_undone() {
    for given in [false, true] {
        let mut b = Bench::new(DagOptions::default());
        b.submit(1, &chain(&[7], false), &[]);
        b.succeed(0, 0);
        b.succeed(0, 1);
        if given {
            b.succeed(1, 1);
        }
        let actions = b.fetch_failed(1, (7, 1, 1));
        let reason = JobFailure::Indeterminate { stage: StageId(0), shuffle: ShuffleId(7) };
        assert_eq!(actions.contains(&DagAction::JobFailed { job: JOB, reason }), given);
        assert_eq!(sets(&actions).len(), usize::from(!given));
    }
}

#[test]
fn a_cancelled_stage_ends_its_job() {
    let mut b = Bench::new(DagOptions::default());
    b.submit(1, &chain(&[7], true), &[]);
    let actions = b.feed(DagEvent::CancelStage { stage: StageId(1) });
    let reason = JobFailure::StageCancelled { stage: StageId(1) };
    assert_eq!(actions.last(), Some(&DagAction::JobFailed { job: JOB, reason }));
    assert!(actions.contains(&DagAction::CancelTaskSet { set: SetKey { job: JOB, stage: StageId(0) } }));
}

#[test]
fn a_graph_that_is_none_fails() {
    let mut b = Bench::new(DagOptions::default());
    let failed = [DagAction::JobFailed { job: JOB, reason: JobFailure::InvalidGraph }];
    assert_eq!(b.submit(1, &(RddGraph::default(), RddId(3)), &[]), failed);
    assert_eq!(b.submit(1, &chain(&[7, 7], true), &[]), failed, "two stages make one shuffle");
}

/// Found by the simulation: nothing is left of what lies between the lost output and those who read what came of it.
#[test]
fn what_was_read_of_another_jobs_outputs_cannot_be_undone_either() {
    let graph = chain(&[7, 8], false);
    let mut b = Bench::new(DagOptions::default());
    b.submit(1, &graph, &[]);
    b.submit(2, &graph, &[]);
    for (stage, partition) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        b.succeed_as(b.attempt(stage, partition), 5);
    }
    // The second job has one result when the first job, which made everything, is over and all outputs are lost.
    b.succeed(5, 0);
    b.succeed(2, 0);
    b.succeed(2, 1);
    b.feed(DagEvent::ExecutorLost { executor: ExecutorId(5), blocks_lost: true });
    let actions = b.feed(DagEvent::Starved { stage: StageId(5) });
    let reason = JobFailure::Indeterminate { stage: StageId(3), shuffle: ShuffleId(7) };
    assert!(actions.contains(&DagAction::JobFailed { job: JobId(2), reason }), "{actions:?}");
}

/// Found by the simulation: a job that fails by a roll back takes the stage with it that another job waits for.
#[test]
fn a_job_that_fails_by_a_roll_back_leaves_the_shuffle_to_the_next() {
    let graph = chain(&[7], false);
    let mut b = Bench::new(DagOptions::default());
    b.submit(1, &graph, &[]);
    b.submit(2, &graph, &[]);
    b.succeed(0, 0);
    b.succeed(0, 1);
    b.succeed(1, 0);
    b.feed(DagEvent::ExecutorLost { executor: ExecutorId(0), blocks_lost: true });
    let actions = b.feed(DagEvent::Starved { stage: StageId(1) });
    assert!(actions.iter().any(|a| matches!(a, DagAction::JobFailed { job: JOB, .. })), "{actions:?}");
    assert_eq!(sets(&actions).first(), Some(&(2, 0, vec![0])), "{actions:?}");
}

/// Found by the simulation: a kept shuffle was made from rows that another job makes anew before this one is submitted.
#[test]
fn kept_outputs_of_rows_that_were_made_anew_since_are_made_anew() {
    let graph = chain(&[7, 8], false);
    let mut b = Bench::new(DagOptions::default());
    assert_eq!(run(&mut b, 1, &graph, &[8]).0, 3, "the first shuffle is released, the second kept");
    // The second job reads the first shuffle alone.
    b.submit(2, &(graph.0.clone(), RddId(1)), &[]);
    let actions = b.submit(3, &graph, &[]);
    assert!(sets(&actions).is_empty(), "the kept shuffle is not taken: {actions:?}");
    assert!(!b.dag.outputs().has_any(ShuffleId(8)));

    // Where rows come out the same, it is.
    let graph = chain(&[7, 8], true);
    let mut b = Bench::new(DagOptions::default());
    run(&mut b, 1, &graph, &[8]);
    b.submit(2, &(graph.0.clone(), RddId(1)), &[]);
    assert_eq!(sets(&b.submit(3, &graph, &[])).len(), 1);
}

/// Found by the simulation: a copy that lost its race ends late, when another job's stage makes the shuffle anew.
#[test]
fn a_late_output_spares_whoever_makes_the_shuffle_now() {
    let graph = chain(&[7], true);
    let mut b = Bench::new(DagOptions::default());
    b.submit(2, &graph, &[]);
    b.submit(1, &graph, &[]);
    b.succeed_as(b.attempt(0, 0), 5);
    b.succeed_as(b.attempt(0, 1), 5);
    b.feed(DagEvent::ExecutorLost { executor: ExecutorId(5), blocks_lost: true });
    assert_eq!(sets(&b.feed(DagEvent::Starved { stage: StageId(3) })), [(2, 0, vec![0, 1])]);
    let (attempt, status) = (b.attempt(0, 0), MapStatus { executor: ExecutorId(6), sizes: vec![1, 1] });
    let late = DagEvent::Succeeded { task: TaskId(9), attempt, map_status: Some(status), late: true };
    let set = SetKey { job: JOB, stage: StageId(2) };
    assert_eq!(b.feed(late), [DagAction::Done { set, partition: 0 }]);
}

#[test]
fn an_unreachable_executor_is_forgiven_once_and_all_it_served_is_forgotten() {
    let mut b = Bench::new(DagOptions::default());
    b.submit(1, &chain(&[7, 8], true), &[]);
    for (stage, executors) in [(0, [3, 3]), (1, [4, 3])] {
        for (partition, executor) in (0..).zip(executors) {
            b.succeed_as(b.attempt(stage, partition), executor);
        }
    }
    // The last stage misses one block: whatever else executor 3 has is forgotten, of the other shuffle too.
    let actions = b.missed(2, (8, 1, 3), true);
    assert_eq!(
        sets(&actions),
        [(0, 1, vec![0, 1])],
        "both of the first shuffle are needed for one of the second"
    );
    assert_eq!(b.dag.outputs().missing(ShuffleId(7)), [0, 1]);
    assert_eq!(b.dag.outputs().places(ShuffleId(8)).unwrap(), [Some(ExecutorId(4)), None]);
    // An earlier attempt's task knows nothing of what is there now.
    let old = b.attempt(2, 0);
    for (stage, partition) in [(0, 0), (0, 1), (1, 1)] {
        b.succeed_as(b.attempt(stage, partition), 3);
    }
    let (shuffle, map, executor) = (ShuffleId(8), MapId(1), ExecutorId(3));
    let late =
        DagEvent::FetchFailed { attempt: old, shuffle, map, executor, unreachable: true, wanted: true };
    b.feed(late);
    assert!(b.dag.outputs().is_complete(ShuffleId(7)));
}

#[test]
fn an_executor_that_lacks_one_output_after_the_other_is_taken_to_lack_all() {
    let mut b = Bench::new(DagOptions::default());
    b.submit(1, &chain(&[7, 8], true), &[]);
    for (stage, executors) in [(0, [3, 3]), (1, [3, 3])] {
        for (partition, executor) in (0..).zip(executors) {
            b.succeed_as(b.attempt(stage, partition), executor);
        }
    }
    assert_eq!(sets(&b.fetch_failed(2, (8, 0, 3))), [(1, 1, vec![0])], "one of them alone is lost, so far");
    b.succeed_as(b.attempt(1, 0), 4);
    let actions = b.fetch_failed(2, (8, 1, 3));
    assert_eq!(sets(&actions), [(0, 1, vec![0, 1])], "what it has of the other shuffle is not believed in");
    assert_eq!(b.dag.outputs().places(ShuffleId(8)).unwrap(), [Some(ExecutorId(4)), None]);
    for (stage, partition) in [(0, 0), (0, 1), (1, 1)] {
        b.succeed_as(b.attempt(stage, partition), 3);
    }
    // That attempt was forgiven, no other is.
    let failed = |actions: &[DagAction]| actions.iter().any(|a| matches!(a, DagAction::JobFailed { .. }));
    for last in [false, false, true] {
        assert_eq!(failed(&b.fetch_failed(2, (8, 1, 3))), last);
        b.succeed_as(b.attempt(1, 1), 3);
    }
}

#[test]
fn attempts_count_until_a_task_gets_through() {
    let failed = |actions: &[DagAction]| actions.iter().any(|a| matches!(a, DagAction::JobFailed { .. }));
    for (executors, progress, most) in [(1, false, 5), (9, false, 12), (1, true, 8)] {
        let mut b = Bench::new(DagOptions::default());
        b.submit(1, &chain(&[7], true), &[]);
        b.succeed_as(b.attempt(0, 0), 100);
        b.succeed_as(b.attempt(0, 1), 0);
        let mut attempts = 0u64;
        loop {
            attempts += 1;
            assert!(attempts < 100, "it does not end");
            // Of one executor, or of one after the other, nothing can be had; all tasks notice.
            let block = (7, 1, (attempts - 1) % executors);
            let attempt = b.attempt(1, 0);
            let first = b.missed(1, block, true);
            let (shuffle, map, executor) = (ShuffleId(7), MapId(1), ExecutorId(block.2));
            let second =
                DagEvent::FetchFailed { attempt, shuffle, map, executor, unreachable: true, wanted: true };
            if failed(&first) || failed(&b.feed(second)) {
                break;
            }
            b.succeed_as(b.attempt(0, 1), attempts % executors);
            if progress && attempts == 4 {
                b.succeed(1, 1);
            }
        }
        assert_eq!(attempts, most + u64::from(executors == 9), "{executors} executors, {progress}");
    }
}
