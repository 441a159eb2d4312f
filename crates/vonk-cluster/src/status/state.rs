//! What is known of an application: its jobs, stages, tasks and executors, bounded in number.
//!
//! Names and shapes of the JSON are those of Spark's monitoring REST API, as far as they mean something here.

use crate::status::Application;
use crate::status::note::{Note, TaskOutcomeNote};
use serde::Serialize;
use std::collections::BTreeMap;

/// How many of each are remembered when they are over (`spark.ui.retained*`).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Retained {
    pub jobs: usize,
    pub stages: usize,
    pub tasks: usize,
    pub dead_executors: usize,
}

/// What was counted from the beginning, whatever is remembered.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub executors_lost: u64,
    pub tasks_launched: u64,
    pub tasks_completed: u64,
    pub tasks_failed: u64,
    pub task_milliseconds: u64,
    pub shuffles_released: u64,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Job {
    pub job_id: u64,
    /// The query that it is part of: its jobs have the same.
    pub query_id: u64,
    pub name: String,
    pub pool: String,
    pub submission_time: u64,
    pub completion_time: Option<u64>,
    pub status: &'static str,
    pub stage_ids: Vec<u64>,
    pub num_tasks: u64,
    pub num_active_tasks: u64,
    /// Those that wait for their reader, without a slot. Not among the active ones.
    pub num_parked_tasks: u64,
    pub num_completed_tasks: u64,
    pub num_failed_tasks: u64,
    pub num_killed_tasks: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_reason: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Stage {
    pub stage_id: u64,
    pub attempt_id: u32,
    pub job_id: u64,
    pub name: String,
    pub status: &'static str,
    pub num_tasks: u32,
    pub num_active_tasks: u32,
    /// As of a job.
    pub num_parked_tasks: u32,
    pub num_complete_tasks: u32,
    pub num_failed_tasks: u32,
    pub num_killed_tasks: u32,
    pub submission_time: u64,
    pub completion_time: Option<u64>,
    pub executor_run_time: u64,
    pub output_records: u64,
    pub output_bytes: u64,
    pub disk_bytes_spilled: u64,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Task {
    pub task_id: u64,
    pub index: u32,
    pub attempt: u32,
    pub stage_id: u64,
    pub stage_attempt_id: u32,
    pub executor_id: u64,
    pub launch_time: u64,
    pub duration: Option<u64>,
    pub status: &'static str,
    pub speculative: bool,
    pub output_records: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Executor {
    pub id: u64,
    pub host_port: String,
    pub is_active: bool,
    pub is_excluded: bool,
    pub max_tasks: u32,
    pub active_tasks: u32,
    /// As of a job.
    pub parked_tasks: u32,
    pub completed_tasks: u64,
    pub failed_tasks: u64,
    pub total_duration: u64,
    pub add_time: u64,
    pub remove_time: Option<u64>,
}

/// A task that has a slot.
const RUNNING: &str = "RUNNING";
/// A task that waits for its reader and has none meanwhile (no state of Spark's).
const PARKED: &str = "PARKED";

/// See the module.
pub(crate) struct State {
    pub application: Application,
    pub started: u64,
    retained: Retained,
    pub jobs: BTreeMap<u64, Job>,
    pub stages: BTreeMap<(u64, u32), Stage>,
    pub tasks: BTreeMap<u64, Task>,
    pub executors: BTreeMap<u64, Executor>,
    pub totals: Totals,
}

impl State {
    pub fn new(application: Application, started: u64, retained: Retained) -> State {
        State {
            application,
            started,
            retained,
            jobs: BTreeMap::new(),
            stages: BTreeMap::new(),
            tasks: BTreeMap::new(),
            executors: BTreeMap::new(),
            totals: Totals::default(),
        }
    }

    /// Takes note. What is said of things that are not known (any more) changes nothing.
    pub fn note(&mut self, time: u64, note: &Note<'_>) {
        match note {
            Note::ApplicationStart { .. }
            | Note::ApplicationEnd
            | Note::TaskKill { .. }
            | Note::ExecutorsRequested { .. }
            | Note::ExecutorDraining { .. }
            | Note::OutputsRolledBack { .. }
            | Note::ResultAccepted { .. } => {}
            Note::ShuffleReleased { .. } => self.totals.shuffles_released += 1,
            Note::ExecutorAdded { executor, host, slots } => {
                self.executor_added(time, *executor, host, *slots)
            }
            Note::ExecutorLost { executor, .. } => {
                self.totals.executors_lost += u64::from(self.executor_gone(time, *executor));
            }
            Note::ExecutorLeft { executor } => {
                self.executor_gone(time, *executor);
            }
            Note::ExecutorExcluded { executor, stage } => {
                if let (Some(e), None) = (self.executors.get_mut(executor), stage) {
                    e.is_excluded = true;
                }
            }
            Note::JobStart { job, query, description, pool } => {
                self.job_start(time, (*job, *query), description, pool);
            }
            Note::JobEnd { job, error } => self.job_end(time, *job, error.as_deref()),
            Note::StageSubmitted { job, stage, stage_attempt, tasks, name } => {
                self.stage_submitted(time, *job, (*stage, *stage_attempt), *tasks, name);
            }
            Note::StageCompleted { stage } => {
                let attempts = self.stages.range_mut((*stage, 0)..=(*stage, u32::MAX));
                if let Some((_, stage)) = attempts.last() {
                    (stage.status, stage.completion_time) = ("COMPLETE", Some(time));
                }
            }
            Note::TaskStart {
                task,
                stage,
                stage_attempt,
                partition,
                task_attempt,
                executor,
                speculative,
            } => {
                let new = Task {
                    task_id: *task,
                    index: *partition,
                    attempt: *task_attempt,
                    stage_id: *stage,
                    stage_attempt_id: *stage_attempt,
                    executor_id: *executor,
                    launch_time: time,
                    duration: None,
                    status: RUNNING,
                    speculative: *speculative,
                    output_records: 0,
                    error_message: None,
                };
                self.task_start(new);
            }
            Note::TaskParked { task } => self.move_task(*task, RUNNING, PARKED),
            Note::TaskResumed { task } => self.move_task(*task, PARKED, RUNNING),
            Note::TaskEnd { task, outcome } => self.task_end(time, *task, outcome),
        }
    }

    fn executor_added(&mut self, time: u64, executor: u64, host: &str, slots: u32) {
        let new = Executor {
            id: executor,
            host_port: host.to_string(),
            is_active: true,
            is_excluded: false,
            max_tasks: slots,
            active_tasks: 0,
            parked_tasks: 0,
            completed_tasks: 0,
            failed_tasks: 0,
            total_duration: 0,
            add_time: time,
            remove_time: None,
        };
        self.executors.insert(executor, new);
    }

    /// `true` if it was there.
    fn executor_gone(&mut self, time: u64, executor: u64) -> bool {
        let running = self.tasks.values().filter(|t| t.executor_id == executor && t.duration.is_none());
        let lost: Vec<u64> = running.map(|t| t.task_id).collect();
        lost.into_iter().for_each(|task| self.task_end(time, task, &TaskOutcomeNote::Lost));
        let Some(e) = self.executors.get_mut(&executor).filter(|e| e.is_active) else { return false };
        (e.is_active, e.remove_time) = (false, Some(time));
        let dead = self.executors.values().filter(|e| !e.is_active).count();
        let most = self.executors.len() - dead + self.retained.dead_executors;
        drop_oldest(&mut self.executors, most, |e| !e.is_active);
        true
    }

    fn job_start(&mut self, time: u64, (job, query): (u64, u64), description: &str, pool: &str) {
        let new = Job {
            job_id: job,
            query_id: query,
            name: description.to_string(),
            pool: pool.to_string(),
            submission_time: time,
            completion_time: None,
            status: "RUNNING",
            stage_ids: Vec::new(),
            num_tasks: 0,
            num_active_tasks: 0,
            num_parked_tasks: 0,
            num_completed_tasks: 0,
            num_failed_tasks: 0,
            num_killed_tasks: 0,
            failure_reason: None,
        };
        self.jobs.insert(job, new);
        drop_oldest(&mut self.jobs, self.retained.jobs, |j| j.completion_time.is_some());
    }

    fn job_end(&mut self, time: u64, job: u64, error: Option<&str>) {
        let Some(state) = self.jobs.get_mut(&job) else { return };
        state.completion_time = Some(time);
        state.status = if error.is_none() { "SUCCEEDED" } else { "FAILED" };
        state.failure_reason = error.map(str::to_string);
        for stage in self.stages.values_mut().filter(|s| s.job_id == job && s.completion_time.is_none()) {
            // Whatever of it still runs is not wanted.
            stage.status = if error.is_none() { "SKIPPED" } else { "FAILED" };
            stage.completion_time = Some(time);
        }
    }

    fn stage_submitted(&mut self, time: u64, job: u64, key: (u64, u32), tasks: u32, name: &str) {
        if let Some((_, before)) = self.stages.range_mut((key.0, 0)..key).next_back() {
            // The attempt before lost its input.
            if before.completion_time.is_none() {
                (before.status, before.completion_time) = ("FAILED", Some(time));
            }
        }
        let new = Stage {
            stage_id: key.0,
            attempt_id: key.1,
            job_id: job,
            name: name.to_string(),
            status: "ACTIVE",
            num_tasks: tasks,
            num_active_tasks: 0,
            num_parked_tasks: 0,
            num_complete_tasks: 0,
            num_failed_tasks: 0,
            num_killed_tasks: 0,
            submission_time: time,
            completion_time: None,
            executor_run_time: 0,
            output_records: 0,
            output_bytes: 0,
            disk_bytes_spilled: 0,
        };
        self.stages.insert(key, new);
        drop_oldest(&mut self.stages, self.retained.stages, |s| s.completion_time.is_some());
        if let Some(job) = self.jobs.get_mut(&job) {
            job.num_tasks += u64::from(tasks);
            if !job.stage_ids.contains(&key.0) {
                job.stage_ids.push(key.0);
            }
        }
    }

    fn task_start(&mut self, task: Task) {
        self.totals.tasks_launched += 1;
        if let Some(stage) = self.stages.get_mut(&(task.stage_id, task.stage_attempt_id)) {
            stage.num_active_tasks += 1;
            if let Some(job) = self.jobs.get_mut(&stage.job_id) {
                job.num_active_tasks += 1;
            }
        }
        if let Some(executor) = self.executors.get_mut(&task.executor_id) {
            executor.active_tasks += 1;
        }
        self.tasks.insert(task.task_id, task);
        drop_oldest(&mut self.tasks, self.retained.tasks, |t| t.duration.is_some());
    }

    /// A task begins to wait for its reader, or ends to.
    fn move_task(&mut self, task: u64, from: &str, to: &'static str) {
        let Some(task) = self.tasks.get_mut(&task).filter(|t| t.status == from) else { return };
        task.status = to;
        let stage = self.stages.get_mut(&(task.stage_id, task.stage_attempt_id));
        let job = stage.as_ref().and_then(|s| self.jobs.get_mut(&s.job_id));
        let (parked, running) = if to == PARKED { (1, -1) } else { (-1, 1) };
        if let Some(executor) = self.executors.get_mut(&task.executor_id) {
            executor.active_tasks = executor.active_tasks.saturating_add_signed(running);
            executor.parked_tasks = executor.parked_tasks.saturating_add_signed(parked);
        }
        if let Some(stage) = stage {
            stage.num_active_tasks = stage.num_active_tasks.saturating_add_signed(running);
            stage.num_parked_tasks = stage.num_parked_tasks.saturating_add_signed(parked);
        }
        if let Some(job) = job {
            job.num_active_tasks = job.num_active_tasks.saturating_add_signed(running.into());
            job.num_parked_tasks = job.num_parked_tasks.saturating_add_signed(parked.into());
        }
    }

    fn task_end(&mut self, time: u64, task: u64, outcome: &TaskOutcomeNote) {
        // Where it is counted among those that run, it is counted out.
        self.move_task(task, PARKED, RUNNING);
        let Some(task) = self.tasks.get_mut(&task).filter(|t| t.duration.is_none()) else { return };
        let duration = time.saturating_sub(task.launch_time);
        task.duration = Some(duration);
        let (status, error) = match outcome {
            TaskOutcomeNote::Success { rows, .. } => {
                task.output_records = *rows;
                ("SUCCESS", None)
            }
            TaskOutcomeNote::FetchFailed { error } | TaskOutcomeNote::Failed { error } => {
                ("FAILED", Some(error.clone()))
            }
            TaskOutcomeNote::Killed => ("KILLED", None),
            TaskOutcomeNote::Lost => ("FAILED", Some("its executor was lost".to_string())),
        };
        (task.status, task.error_message) = (status, error);
        self.totals.task_milliseconds += duration;
        match status {
            "SUCCESS" => self.totals.tasks_completed += 1,
            "FAILED" => self.totals.tasks_failed += 1,
            _ => {}
        }
        if let Some(executor) = self.executors.get_mut(&task.executor_id) {
            executor.active_tasks = executor.active_tasks.saturating_sub(1);
            executor.total_duration += duration;
            match status {
                "SUCCESS" => executor.completed_tasks += 1,
                "FAILED" => executor.failed_tasks += 1,
                _ => {}
            }
        }
        let Some(stage) = self.stages.get_mut(&(task.stage_id, task.stage_attempt_id)) else { return };
        stage.num_active_tasks = stage.num_active_tasks.saturating_sub(1);
        stage.executor_run_time += duration;
        if let TaskOutcomeNote::Success { rows, bytes, spilled } = outcome {
            stage.output_records += rows;
            stage.output_bytes += bytes;
            stage.disk_bytes_spilled += spilled;
        }
        let (of_stage, job) = match status {
            "SUCCESS" => (&mut stage.num_complete_tasks, 0),
            "FAILED" => (&mut stage.num_failed_tasks, 1),
            _ => (&mut stage.num_killed_tasks, 2),
        };
        *of_stage += 1;
        if let Some(state) = self.jobs.get_mut(&stage.job_id) {
            state.num_active_tasks = state.num_active_tasks.saturating_sub(1);
            let counts =
                [&mut state.num_completed_tasks, &mut state.num_failed_tasks, &mut state.num_killed_tasks];
            if let Some(count) = counts.into_iter().nth(job) {
                *count += 1;
            }
        }
    }
}

/// Drops the oldest of those that have ended, while there are too many.
fn drop_oldest<K: Ord + Copy, V>(all: &mut BTreeMap<K, V>, most: usize, ended: impl Fn(&V) -> bool) {
    while all.len() > most {
        let Some(oldest) = all.iter().find(|(_, v)| ended(v)).map(|(k, _)| *k) else { return };
        all.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(retained: Retained) -> State {
        let text = |t: &str| t.to_string();
        let application =
            Application { id: text("app"), name: text("n"), user: text("u"), master: text("m") };
        State::new(application, 0, retained)
    }

    #[test]
    fn executors_that_left_are_not_lost_and_counts_outlive_what_is_remembered() {
        let mut state = state(Retained { jobs: 2, stages: 2, tasks: 3, dead_executors: 2 });
        for n in 0..10 {
            state.note(n, &Note::ExecutorAdded { executor: n, host: "h", slots: 1 });
            state.note(n, &Note::JobStart { job: n, query: 0, description: "", pool: "" });
            state.note(n, &Note::StageSubmitted { job: n, stage: n, stage_attempt: 0, tasks: 1, name: "" });
            state.note(
                n,
                &Note::TaskStart {
                    task: n,
                    stage: n,
                    stage_attempt: 0,
                    partition: 0,
                    task_attempt: 0,
                    executor: n,
                    speculative: false,
                },
            );
            match n % 2 {
                // What ran there is lost with it.
                0 => state.note(n + 1, &Note::ExecutorLost { executor: n, blocks_lost: true }),
                _ => {
                    let outcome = TaskOutcomeNote::Success { rows: 1, bytes: 1, spilled: 0 };
                    state.note(n + 1, &Note::TaskEnd { task: n, outcome });
                    state.note(n + 1, &Note::ExecutorLeft { executor: n });
                }
            }
            // Said twice.
            state.note(n + 2, &Note::ExecutorLost { executor: n, blocks_lost: true });
            state.note(n + 2, &Note::JobEnd { job: n, error: None });
        }
        assert_eq!(state.executors.keys().copied().collect::<Vec<_>>(), [8, 9]);
        assert_eq!(state.jobs.keys().copied().collect::<Vec<_>>(), [8, 9]);
        assert_eq!((state.stages.len(), state.tasks.len()), (2, 3));
        let Totals { executors_lost, tasks_launched, tasks_completed, tasks_failed, .. } = state.totals;
        assert_eq!((executors_lost, tasks_launched, tasks_completed, tasks_failed), (5, 10, 5, 5));
        assert_eq!(state.totals.task_milliseconds, 10);
    }
    #[test]
    fn tasks_that_wait_for_their_reader_are_counted_apart() {
        let mut state = state(Retained { jobs: 2, stages: 2, tasks: 9, dead_executors: 2 });
        state.note(0, &Note::ExecutorAdded { executor: 0, host: "h", slots: 2 });
        state.note(0, &Note::JobStart { job: 0, query: 0, description: "", pool: "" });
        state.note(0, &Note::StageSubmitted { job: 0, stage: 0, stage_attempt: 0, tasks: 3, name: "" });
        for task in 0..3 {
            state.note(
                0,
                &Note::TaskStart {
                    task,
                    stage: 0,
                    stage_attempt: 0,
                    partition: 0,
                    task_attempt: 0,
                    executor: 0,
                    speculative: false,
                },
            );
        }
        // Active and parked, by job, by stage, by executor; the state of the first task.
        let counts = |state: &State| {
            let (job, stage, executor) = (&state.jobs[&0], &state.stages[&(0, 0)], &state.executors[&0]);
            let of_job = (job.num_active_tasks, job.num_parked_tasks);
            assert_eq!(of_job, (stage.num_active_tasks.into(), stage.num_parked_tasks.into()));
            assert_eq!(of_job, (executor.active_tasks.into(), executor.parked_tasks.into()));
            (of_job, state.tasks[&0].status)
        };
        assert_eq!(counts(&state), ((3, 0), "RUNNING"));
        state.note(1, &Note::TaskParked { task: 0 });
        state.note(1, &Note::TaskParked { task: 1 });
        // Said twice, and of one that nobody knows.
        state.note(1, &Note::TaskParked { task: 0 });
        state.note(1, &Note::TaskParked { task: 77 });
        assert_eq!(counts(&state), ((1, 2), "PARKED"));
        state.note(2, &Note::TaskResumed { task: 0 });
        state.note(2, &Note::TaskResumed { task: 2 });
        assert_eq!(counts(&state), ((2, 1), "RUNNING"));
        // One ends that is parked.
        state.note(3, &Note::TaskEnd { task: 1, outcome: TaskOutcomeNote::Killed });
        assert_eq!(counts(&state), ((2, 0), "RUNNING"));
        // What comes late changes nothing.
        state.note(4, &Note::TaskParked { task: 1 });
        assert_eq!(counts(&state), ((2, 0), "RUNNING"));
        state.note(5, &Note::TaskParked { task: 0 });
        state.note(6, &Note::ExecutorLost { executor: 0, blocks_lost: true });
        assert_eq!(counts(&state), ((0, 0), "FAILED"));
        assert_eq!(state.jobs[&0].num_failed_tasks, 2);
    }
}
