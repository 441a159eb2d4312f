//! The book: what the world knows to have happened, against which every decision of the scheduler is held.

use std::collections::{BTreeMap, BTreeSet};
use vonk_scheduler::*;

use crate::executor::Launch;
use crate::model::Value;
use crate::scenario::{JobPlan, Scenario};

struct Running {
    launch: Launch,
    executor: ExecutorId,
    killed: bool,
    parked: bool,
}

/// The version and the places of all outputs, after the last event.
type Snapshot = BTreeMap<ShuffleId, (u64, Vec<Option<ExecutorId>>)>;

#[derive(Default)]
pub struct Book {
    /// As the driver knows: launched and not reported to have ended, nor lost.
    running: BTreeMap<TaskId, Running>,
    /// Job and fragment of stages, and the partitions done.
    stages: BTreeMap<StageId, (JobId, Fragment)>,
    results: BTreeMap<JobId, BTreeMap<u32, (TaskId, Value)>>,
    values: BTreeMap<TaskId, Value>,
    submitted: BTreeSet<JobId>,
    pub ended: BTreeMap<JobId, Option<JobFailure>>,
    cancelled: BTreeSet<JobId>,
    cancelled_stages: BTreeSet<StageId>,
    /// Failures, missed blocks and lost executors by task.
    failures: BTreeMap<(StageId, u32), u32>,
    hopeless: BTreeSet<(StageId, u32)>,
    losses: BTreeMap<(StageId, u32), u32>,
    missed: BTreeMap<StageId, BTreeSet<u32>>,
    launches: BTreeMap<(ShuffleOrJob, u32), u32>,
    faulty: bool,
    /// How often a task was parked.
    pub parks: u64,
    kills: BTreeMap<(usize, u32, u32), u32>,
    fails: BTreeMap<(usize, u32, u32), u32>,
    outputs: Snapshot,
    excuse: Excuse,
    /// Outputs that were found gone, by the executor that should have had them: of more than one, all it has may be given up.
    lacking: BTreeMap<ExecutorId, BTreeSet<(ShuffleId, u32)>>,
    /// Whether the last report was of a task that the driver waited for.
    known: bool,
}

type ShuffleOrJob = Result<ShuffleId, JobId>;

/// Why outputs may vanish from the tracker with an event.
#[derive(Default)]
enum Excuse {
    #[default]
    None,
    Executor(ExecutorId),
    /// This block is lost; if its executor is unreachable, or another was lost there before, what else it has may be given up.
    Block(ShuffleId, u32, ExecutorId, bool),
}

impl Book {
    pub fn submitted(&mut self, job: JobId) {
        self.submitted.insert(job);
    }

    pub fn cancelled(&mut self, job: JobId) {
        self.cancelled.insert(job);
        self.faulty = true;
    }

    pub fn stage_cancelled(&mut self, stage: StageId) {
        self.cancelled_stages.insert(stage);
        self.faulty = true;
    }

    pub fn pick_stage(&self, pick: u64) -> Option<StageId> {
        let n = self.stages.len().max(1) as u64;
        self.stages.keys().nth((pick % n) as usize).copied()
    }

    pub fn kills_so_far(&self, family: usize, rdd: u32, partition: u32) -> u32 {
        self.kills.get(&(family, rdd, partition)).copied().unwrap_or(0)
    }

    pub fn kill(&mut self, family: usize, rdd: u32, partition: u32) {
        *self.kills.entry((family, rdd, partition)).or_default() += 1;
    }

    pub fn fails_so_far(&self, family: usize, rdd: u32, partition: u32) -> u32 {
        self.fails.get(&(family, rdd, partition)).copied().unwrap_or(0)
    }

    pub fn fail(&mut self, family: usize, rdd: u32, partition: u32) {
        *self.fails.entry((family, rdd, partition)).or_default() += 1;
    }

    /// The driver has lost an executor.
    pub fn lost(&mut self, executor: ExecutorId) {
        self.faulty = true;
        let gone: Vec<_> =
            self.running.iter().filter(|(_, r)| r.executor == executor).map(|(t, _)| *t).collect();
        for task in gone {
            let r = self.running.remove(&task).expect("listed");
            *self.losses.entry((r.launch.attempt.stage, r.launch.attempt.partition)).or_default() += 1;
        }
    }

    pub fn before(&mut self, event: &Event) {
        self.excuse = match event {
            Event::ExecutorLost { executor, blocks_lost: true } => Excuse::Executor(*executor),
            Event::TaskEnded {
                end: TaskEnd::FetchFailed { shuffle, map, executor, unreachable }, ..
            } if self.known => {
                let lacking = self.lacking.entry(*executor).or_default();
                lacking.insert((*shuffle, map.0));
                Excuse::Block(*shuffle, map.0, *executor, *unreachable || lacking.len() > 1)
            }
            _ => Excuse::None,
        };
    }

    /// No output may vanish that was not lost, and none may stay that was.
    pub fn after(&mut self, scheduler: &Scheduler, plan: &Scenario) {
        for (shuffle, indeterminate) in plan.families.iter().flat_map(|f| f.all_shuffles()) {
            let (version, new) = (scheduler.outputs().version(shuffle), scheduler.outputs().places(shuffle));
            let Some(new) = new else {
                self.outputs.remove(&shuffle);
                continue;
            };
            let (old_version, old) = self.outputs.entry(shuffle).or_default();
            if *old_version == version && old.len() == new.len() && matches!(self.excuse, Excuse::None) {
                continue;
            }
            for (map, place) in (0u32..).zip(&*old) {
                let Some(place) = *place else { continue };
                let lost = match self.excuse {
                    Excuse::None => false,
                    Excuse::Executor(executor) => executor == place,
                    Excuse::Block(s, m, executor, _) => (s, m, executor) == (shuffle, map, place),
                };
                let given_up = matches!(self.excuse, Excuse::Block(.., executor, true) if executor == place);
                let now = new[map as usize];
                assert!(!lost || now != Some(place), "output {map} of {shuffle} is lost and still tracked");
                assert!(
                    now.is_some() || lost || given_up || indeterminate,
                    "output {map} of {shuffle} vanished"
                );
            }
            *old_version = version;
            new.clone_into(old);
        }
    }

    /// A stage of a job leaves map output, unless it is the last.
    pub fn is_map(fragment: Fragment, plan: &JobPlan) -> bool {
        fragment.0 != plan.last.0
    }

    pub fn launched(
        &mut self,
        scheduler: &Scheduler,
        launch: &Launch,
        executor: ExecutorId,
        speculative: bool,
        (slots, all_slots): (u32, u32),
    ) {
        let (job, attempt) = (launch.job, launch.attempt);
        assert!(
            self.submitted.contains(&job) && !self.ended.contains_key(&job),
            "a launch for a job that is over"
        );
        let busy = self.running.values().filter(|r| r.executor == executor && !r.parked).count();
        assert!(busy < slots as usize, "more tasks than slots");
        let alive = self.running.values().filter(|r| r.launch.job == job).count();
        assert!(alive < all_slots as usize, "job {job} has more tasks alive than there are slots");
        let same = |r: &&Running| {
            let own = r.launch.attempt.stage == attempt.stage
                || launch.writes.is_some() && r.launch.writes == launch.writes;
            !r.killed && own && r.launch.attempt.partition == attempt.partition
        };
        let copies: Vec<_> = self.running.values().filter(same).map(|r| r.executor).collect();
        match speculative {
            false => assert!(copies.is_empty(), "{attempt} is launched while it runs"),
            true => assert!(
                copies.len() == 1 && copies[0] != executor,
                "{attempt} is copied to {executor}: {copies:?}"
            ),
        }
        match launch.writes {
            Some(shuffle) => {
                let places =
                    scheduler.outputs().places(shuffle).expect("a shuffle that is written is tracked");
                assert!(
                    places[attempt.partition as usize].is_none(),
                    "{attempt} is launched and its output there"
                );
            }
            None => {
                let done = self.results.get(&job).is_some_and(|r| r.contains_key(&attempt.partition));
                assert!(!done, "{attempt} is launched and its result there");
            }
        }
        *self.launches.entry((launch.writes.ok_or(job), attempt.partition)).or_default() += 1;
        self.running
            .insert(launch.task, Running { launch: launch.clone(), executor, killed: false, parked: false });
    }

    /// A task waits for its reader, or does not any more.
    pub fn parked(&mut self, task: TaskId, parked: bool) {
        if let Some(r) = self.running.get_mut(&task) {
            r.parked = parked;
            self.parks += u64::from(parked);
        }
    }

    /// A report has come; it is known whether the scheduler should take note of it.
    pub fn ended(&mut self, task: TaskId, end: &TaskEnd, value: Option<Value>) {
        self.known = self.running.contains_key(&task);
        let Some(r) = self.running.remove(&task) else { return };
        let (stage, partition) = (r.launch.attempt.stage, r.launch.attempt.partition);
        match end {
            TaskEnd::Success { .. } => {
                if let (None, Some(value)) = (r.launch.writes, value) {
                    self.values.insert(task, value);
                }
                return;
            }
            TaskEnd::FetchFailed { .. } => {
                self.missed.entry(stage).or_default().insert(r.launch.attempt.stage_attempt);
            }
            TaskEnd::Failed { retry, .. } => {
                *self.failures.entry((stage, partition)).or_default() += 1;
                if !retry {
                    self.hopeless.insert((stage, partition));
                }
            }
            TaskEnd::Killed => assert!(r.killed, "killed unasked"),
        }
        self.faulty = true;
    }

    pub fn acted(&mut self, action: &Action, plan: &Scenario) {
        match action {
            Action::StageSubmitted { job, stage, fragment, tasks, .. } => {
                assert!(*tasks > 0, "a stage without tasks");
                assert!(!self.ended.contains_key(job), "a stage of a job that is over");
                self.stages.insert(*stage, (*job, *fragment));
            }
            Action::Kill { task, executor } => {
                if let Some(r) = self.running.get_mut(task) {
                    assert!(r.executor == *executor && !r.killed, "killed twice, or at the wrong place");
                    r.killed = true;
                }
            }
            Action::ResultAccepted { job, task, attempt } => {
                assert!(!self.ended.contains_key(job), "a result of a job that is over");
                let value = self.values.get(task).expect("a result without a report").clone();
                let old = self.results.entry(*job).or_default().insert(attempt.partition, (*task, value));
                assert!(old.is_none(), "a result counted twice");
            }
            Action::JobSucceeded { job } => {
                assert!(self.ended.insert(*job, None).is_none(), "ended twice");
                let job_plan = &plan.jobs[job.0 as usize];
                let family = &plan.families[job_plan.family];
                let results = self.results.remove(job).unwrap_or_default();
                let all = family.graph.get(job_plan.last).expect("known").num_partitions;
                assert_eq!(results.len(), all as usize, "a success without all results");
                if let Err(wrong) = family.check(job_plan.last, &results) {
                    panic!("job {job}: {wrong}");
                }
            }
            Action::JobFailed { job, reason } => {
                assert!(self.ended.insert(*job, Some(reason.clone())).is_none(), "ended twice");
                self.check_reason(*job, reason, plan);
                self.faulty = true;
            }
            Action::ReleaseShuffle { shuffle } => self.launches.retain(|(of, _), _| *of != Ok(*shuffle)),
            _ => {}
        }
    }

    fn check_reason(&self, job: JobId, reason: &JobFailure, plan: &Scenario) {
        let options = &plan.options;
        let job_plan = &plan.jobs[job.0 as usize];
        let of = |map: &BTreeMap<(StageId, u32), u32>, a: &TaskAttempt| {
            map.get(&(a.stage, a.partition)).copied().unwrap_or(0)
        };
        let right = match reason {
            JobFailure::Cancelled => self.cancelled.contains(&job),
            JobFailure::StageCancelled { stage } => self.cancelled_stages.contains(stage),
            JobFailure::InvalidGraph => false,
            JobFailure::Task { attempt, failures, .. } => {
                self.hopeless.contains(&(attempt.stage, attempt.partition))
                    || *failures == options.max_task_failures && of(&self.failures, attempt) >= *failures
            }
            JobFailure::ExecutorLosses { attempt, losses } => {
                *losses == options.max_executor_losses && of(&self.losses, attempt) >= *losses
            }
            JobFailure::StageAttempts { stage, attempts, .. } => {
                *attempts == options.dag.max_consecutive_stage_attempts
                    && self.missed.get(stage).is_some_and(|m| m.len() >= *attempts as usize)
            }
            JobFailure::Unschedulable { .. } => {
                options.exclude_on_failure.enabled && !self.failures.is_empty()
            }
            JobFailure::Indeterminate { .. } => {
                plan.families[job_plan.family].indeterminate
                    && self.results.get(&job).is_some_and(|r| !r.is_empty())
            }
        };
        assert!(right, "job {job} failed without a reason: {reason:?}");
    }

    pub fn check_end(&self, plan: &Scenario) {
        for job in &self.submitted {
            assert!(self.ended.contains_key(job), "job {job} has not ended");
        }
        assert!(self.running.is_empty(), "tasks without an end");
        if !self.faulty {
            for ((of, partition), n) in &self.launches {
                let indeterminate = plan.families.iter().any(|f| f.indeterminate);
                let most = if plan.options.speculation.enabled { 2 } else { 1 };
                assert!(
                    indeterminate || *n <= most,
                    "{of:?}/{partition} was launched {n} times without need"
                );
            }
        }
    }
}
