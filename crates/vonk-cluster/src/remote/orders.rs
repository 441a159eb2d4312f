//! What an executor was told to do: jobs and stages it knows, tasks that run.
//!
//! Must not know: how messages arrive.

use crate::backend::{TaskPlace, task_span};
use crate::local::{caught, task_pool};
use crate::remote::executor::Client;
use crate::remote::protocol::{
    FromExecutor, JobDescription, Order, Outcome, StageDescription, StageKey, ToExecutor,
};
use crate::remote::tasks::{Stage, run};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::mpsc;
use vonk_error::{Error, Result};
use vonk_eval::EvalEnv;
use vonk_exec::{CancelFlag, ExecutorEnv, QueryContext};
use vonk_functions::Registry;
use vonk_scheduler::{ExecutorId, JobId, StageId, TaskId};
use vonk_shuffle::ClusterBlocks;

/// Tasks that run or wait for a thread, with the flags that end them.
pub(super) type RunningTasks = Arc<Mutex<HashMap<u64, CancelFlag>>>;

/// An executor's state.
pub(super) struct Orders {
    executor: ExecutorId,
    exec: Arc<ExecutorEnv>,
    blocks: Arc<ClusterBlocks>,
    pool: rayon::ThreadPool,
    outbox: mpsc::Sender<FromExecutor>,
    client: Client,
    /// Bytes of the largest frame of rows.
    frame_bytes: usize,
    jobs: HashMap<u64, Arc<QueryContext>>,
    /// What was described; an error is told by each task of the stage.
    stages: HashMap<StageKey, (u64, Result<Arc<Stage>>)>,
    running: RunningTasks,
}

impl Orders {
    pub fn new(
        executor: ExecutorId,
        exec: Arc<ExecutorEnv>,
        blocks: Arc<ClusterBlocks>,
        slots: u32,
        outbox: mpsc::Sender<FromExecutor>,
        client: Client,
        frame_bytes: usize,
    ) -> Result<Orders> {
        let pool = task_pool(slots, "task")?;
        let (jobs, stages, running) = (HashMap::new(), HashMap::new(), Arc::default());
        Ok(Orders { executor, exec, blocks, pool, outbox, client, frame_bytes, jobs, stages, running })
    }

    /// Tasks that run or wait for a thread.
    pub fn tasks(&self) -> RunningTasks {
        self.running.clone()
    }

    /// Does what the driver says. What it says of jobs, stages and tasks that are not here changes nothing.
    pub fn take(&mut self, message: ToExecutor) {
        match message {
            ToExecutor::Job(job) => self.job(&job),
            ToExecutor::Stage(stage) => self.stage(&stage),
            ToExecutor::Run(orders) => orders.into_iter().for_each(|order| self.order(order)),
            ToExecutor::Kill { task } => {
                if let Some(flag) = self.running.lock().get(&task) {
                    flag.cancel();
                }
            }
            ToExecutor::Forget { job } => {
                if let Some(query) = self.jobs.remove(&job) {
                    query.cancel.cancel();
                }
                self.stages.retain(|_, (of, _)| *of != job);
            }
            // Done before the next message is heard: that may order the tasks that make it anew. An object store takes a while.
            ToExecutor::RollBack { shuffle, before } => {
                tokio::task::block_in_place(|| self.blocks.roll_back(shuffle, before));
            }
            ToExecutor::Release { shuffle } => self.exec.shuffle.release(shuffle),
            ToExecutor::TakeOver { from, address, outputs } => self.take_over(from, address, outputs),
            ToExecutor::Registered { .. } | ToExecutor::Drain | ToExecutor::Stop => {}
        }
    }

    /// All tasks are to end.
    pub fn cancel_all(&self) {
        self.jobs.values().for_each(|query| query.cancel.cancel());
    }

    /// Takes map outputs over, on a thread of its own.
    fn take_over(&self, from: u64, address: String, outputs: Vec<(u64, u32)>) {
        let (blocks, outbox) = (self.blocks.clone(), self.outbox.clone());
        tokio::task::spawn_blocking(move || {
            let (outputs, error) = blocks.take_over(from, &address, &outputs);
            if let Some(error) = error {
                // Those that could not be had are computed again when they are missed.
                tracing::warn!(%error, from, "not all map outputs were taken over");
            }
            // A driver that is gone wants to know nothing.
            let _ = outbox.blocking_send(FromExecutor::TookOver { from, outputs });
        });
    }

    fn job(&mut self, job: &JobDescription) {
        let env = EvalEnv {
            ctx: Arc::new(job.context.clone()),
            registry: Registry::builtin().clone(),
            scalar_subqueries: Arc::new(job.scalar_subqueries.clone()),
        };
        let rows = usize::try_from(job.batch_rows).unwrap_or(usize::MAX);
        let query = || QueryContext::new(env, rows, CancelFlag::new()).of_query(job.query);
        self.jobs.entry(job.job).or_insert_with(|| Arc::new(query()));
    }

    fn stage(&mut self, stage: &StageDescription) {
        let known = self.jobs.get(&stage.job).cloned();
        let decode = || -> Result<Arc<Stage>> {
            let query = known.ok_or_else(|| Error::internal("a stage of a job that was not described"))?;
            let fragment = Arc::new(vonk_physical::decode(&stage.fragment)?);
            let (job, generation) = (stage.job, stage.generation);
            Ok(Arc::new(Stage { job, generation, fragment, query, inputs: Arc::new(stage.inputs.clone()) }))
        };
        self.stages.insert(stage.key, (stage.job, decode()));
    }

    fn order(&self, order: Order) {
        let stage = match self.stages.get(&order.stage) {
            Some((_, stage)) => stage.clone(),
            None => Err(Error::internal("a task of a stage that was not described")),
        };
        let (outbox, task) = (self.outbox.clone(), order.task);
        let stage = match stage {
            Ok(stage) => stage,
            Err(error) => {
                let ended = FromExecutor::Ended { task, outcome: Outcome::Failed(error) };
                // Not on this thread, which must not wait.
                tokio::spawn(async move { outbox.send(ended).await });
                return;
            }
        };
        let cancel = stage.query.cancel.child();
        self.running.lock().insert(task, cancel.clone());
        let (exec, client, running) = (self.exec.clone(), self.client.clone(), self.running.clone());
        let (runtime, executor, frame_bytes) =
            (tokio::runtime::Handle::current(), self.executor, self.frame_bytes);
        self.pool.spawn_fifo(move || {
            let span = task_span(TaskPlace {
                executor,
                query: stage.query.number,
                job: JobId(stage.job),
                stage: StageId(order.stage.stage),
                stage_attempt: order.stage.stage_attempt,
                task: TaskId(task),
                partition: order.partition,
            });
            let outcome = span.in_scope(|| {
                tracing::debug!("begins");
                let run = || run(&exec, &stage, &order, cancel, &client, &runtime, frame_bytes);
                caught(run).unwrap_or_else(|error| {
                    tracing::info!(%error, "failed");
                    Outcome::Failed(error)
                })
            });
            // A driver that is gone wants to know nothing. Said before the task counts as ended here: who leaves says so last.
            let _ = outbox.blocking_send(FromExecutor::Ended { task, outcome });
            running.lock().remove(&task);
        });
    }
}
