//! What may be set, with Spark's names and defaults. Times are milliseconds.
//!
//! Must not know: configuration files and texts of settings (`vonk-conf`).

/// Options of both schedulers.
#[derive(Clone, Debug, PartialEq)]
pub struct SchedulerOptions {
    /// Of the DAG scheduler.
    pub dag: DagOptions,
    /// `spark.task.maxFailures`: failures of one task after which its job fails.
    pub max_task_failures: u32,
    /// `spark.vonk.task.maxExecutorLosses`: executors lost under one task after which its job fails. The loss of an executor is no
    /// failure of the tasks that it ran (Spark: `ExecutorLostFailure` that the application did not cause), for from outside
    /// nobody can tell a machine that died from a task that ate its memory; but a task that kills whatever runs it must end.
    pub max_executor_losses: u32,
    /// `spark.scheduler.mode`: how the pools share the executors. FIFO: there is one pool, jobs are served in turn.
    pub mode: SchedulingMode,
    /// The pools of the allocation file; one that a job names and that is not here is made with the defaults, as in Spark.
    pub pools: Vec<PoolOptions>,
    /// `spark.vonk.scheduler.pool.mode`: who comes first within a pool that is not here. Spark has FIFO.
    pub other_pools: SchedulingMode,
    /// `spark.vonk.local.guestTasks`: tasks that an executor runs beyond its slots, each of a job that has none alive.
    pub guests: u32,
    /// `spark.locality.wait*`.
    pub locality: LocalityOptions,
    /// `spark.speculation*`.
    pub speculation: SpeculationOptions,
    /// `spark.excludeOnFailure*`.
    pub exclude_on_failure: ExclusionOptions,
}

impl Default for SchedulerOptions {
    fn default() -> Self {
        SchedulerOptions {
            dag: DagOptions::default(),
            max_task_failures: 4,
            max_executor_losses: 16,
            mode: SchedulingMode::Fifo,
            pools: Vec::new(),
            other_pools: SchedulingMode::Fifo,
            guests: 0,
            locality: LocalityOptions::default(),
            speculation: SpeculationOptions::default(),
            exclude_on_failure: ExclusionOptions::default(),
        }
    }
}

/// What a DAG scheduler may decide on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DagOptions {
    /// `spark.stage.maxConsecutiveAttempts`: attempts of a stage that end by fetch failures, without a completion between them,
    /// after which its jobs fail.
    pub max_consecutive_stage_attempts: u32,
    /// Release a shuffle once every stage that reads it is complete: right where blocks cannot be lost (one process), since a
    /// later recomputation would have to begin below it.
    pub release_consumed: bool,
}

impl Default for DagOptions {
    fn default() -> Self {
        DagOptions { max_consecutive_stage_attempts: 4, release_consumed: false }
    }
}

/// Who comes first within a pool, or among pools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchedulingMode {
    /// The older job, then the older stage.
    Fifo,
    /// Whoever is furthest below its share.
    Fair,
}

/// One pool of the allocation file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolOptions {
    /// What a job names it by (`spark.scheduler.pool`).
    pub name: String,
    /// `schedulingMode`: among the pool's own jobs.
    pub mode: SchedulingMode,
    /// `weight`: its share beside those of others.
    pub weight: u32,
    /// `minShare`: slots that it should have before others get more than theirs.
    pub min_share: u32,
}

impl PoolOptions {
    /// The name of the pool of jobs that name none.
    pub const DEFAULT: &str = "default";

    /// A pool as Spark makes one that is not in the allocation file.
    pub fn named(name: &str) -> PoolOptions {
        PoolOptions { name: name.to_string(), mode: SchedulingMode::Fifo, weight: 1, min_share: 0 }
    }
}

/// How long a task waits for a slot near its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalityOptions {
    /// `spark.locality.wait.process`: before a task leaves the executor that has its data.
    pub wait_process: u64,
    /// `spark.locality.wait.node`: before it leaves the machine.
    pub wait_node: u64,
}

impl Default for LocalityOptions {
    fn default() -> Self {
        LocalityOptions { wait_process: 3000, wait_node: 3000 }
    }
}

/// When a second copy of a slow task is launched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpeculationOptions {
    /// `spark.speculation`.
    pub enabled: bool,
    /// `.interval`: how often to look.
    pub interval: u64,
    /// `.multiplier`: how many times slower than the median.
    pub multiplier: f64,
    /// `.quantile`: the part of a stage's tasks that must have ended.
    pub quantile: f64,
    /// `.minTaskRuntime`: tasks that run shorter are never slow.
    pub min_task_runtime: u64,
}

impl Default for SpeculationOptions {
    fn default() -> Self {
        SpeculationOptions {
            enabled: false,
            interval: 100,
            multiplier: 3.0,
            quantile: 0.9,
            min_task_runtime: 100,
        }
    }
}

/// When an executor or a machine gets no more tasks because tasks fail there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExclusionOptions {
    /// `spark.excludeOnFailure.enabled`.
    pub enabled: bool,
    /// `.timeout`: how long an application-wide exclusion lasts.
    pub timeout: u64,
    /// `.task.maxTaskAttemptsPerExecutor`: failures of one task on one executor.
    pub max_task_attempts_per_executor: u32,
    /// `.task.maxTaskAttemptsPerNode`: failures of one task on one machine.
    pub max_task_attempts_per_node: u32,
    /// `.stage.maxFailedTasksPerExecutor`: tasks of one stage that failed on one executor.
    pub max_failed_tasks_per_executor_stage: u32,
    /// `.stage.maxFailedExecutorsPerNode`: executors of one machine excluded for one stage.
    pub max_failed_executors_per_node_stage: u32,
    /// `.application.maxFailedTasksPerExecutor`.
    pub max_failed_tasks_per_executor: u32,
    /// `.application.maxFailedExecutorsPerNode`.
    pub max_failed_executors_per_node: u32,
    /// `spark.scheduler.excludeOnFailure.unschedulableTaskSetTimeout`: how long a task that no executor may run waits for a new one.
    pub unschedulable_task_set_timeout: u64,
}

impl Default for ExclusionOptions {
    fn default() -> Self {
        ExclusionOptions {
            enabled: false,
            timeout: 3_600_000,
            max_task_attempts_per_executor: 1,
            max_task_attempts_per_node: 2,
            max_failed_tasks_per_executor_stage: 2,
            max_failed_executors_per_node_stage: 2,
            max_failed_tasks_per_executor: 2,
            max_failed_executors_per_node: 2,
            unschedulable_task_set_timeout: 120_000,
        }
    }
}
