//! Cluster mode: tasks run on executors in processes of their own.

use crate::backend::{Backend, StageLaunch, TaskLaunch};
use crate::driver::Mailbox;
use crate::network::NetworkThreads;
use crate::remote::endpoint::Endpoint;
use crate::remote::manager::{ExecutorManager, ManagerContext};
use crate::remote::protocol::{JobDescription, Order, StageDescription, StageKey, ToExecutor};
use crate::remote::registry::Registry;
use crate::results::ResultStore;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tonic::service::Routes;
use vonk_error::{Error, Result};
use vonk_physical::PhysicalPlan;
use vonk_rpc::{Limits, Listening, Security};
use vonk_scheduler::{ExecutorId, JobId, MapId, ShuffleId, TaskId};
use vonk_shuffle::{Connections, Place, Source, Stores, release_remote};

/// Longest time that stopping waits for map outputs in an object store to be deleted.
const DELETE_WITHIN: Duration = Duration::from_secs(30);

/// An executor may take so many times as long to start as it may be silent later, and so long at least.
const START_SILENCES: u32 = 3;
const START_WITHIN: Duration = Duration::from_secs(5);

/// How a driver meets its executors.
pub(crate) struct RemoteOptions {
    pub application: String,
    pub security: Security,
    /// The interface on which to listen, and the port; 0 takes a free one.
    pub bind: (String, u16),
    /// How executors reach it; empty means where it listens.
    pub host: String,
    pub message_bytes: usize,
    pub heartbeat: Duration,
    pub silence: Duration,
    /// Blocks outlive their executors, since someone else serves them.
    pub blocks_survive: bool,
    /// The URL of the object store that outputs are in, if they are.
    pub store: Option<String>,
}

/// See the module.
pub(crate) struct RemoteBackend {
    options: RemoteOptions,
    results: Arc<ResultStore>,
    manager: Box<dyn ExecutorManager>,
    running: Option<Running>,
    /// What each executor was told.
    told: HashMap<ExecutorId, Told>,
    /// What executors have of shuffles that are not released.
    left: HashMap<ExecutorId, Left>,
    /// Executors that were asked to leave.
    leaving: HashSet<ExecutorId>,
    /// Descriptions of the stages that run.
    stages: HashMap<StageKey, (JobId, Result<Arc<StageDescription>>)>,
    jobs: HashMap<u64, Result<Arc<JobDescription>>>,
}

struct Running {
    /// To shuffle services.
    connections: Arc<Connections>,
    /// Where outputs are, if that is an object store: the driver deletes what executors that are gone left there.
    stores: Option<Arc<Stores>>,
    mailbox: Mailbox,
    registry: Arc<Registry>,
    runtime: NetworkThreads,
}

#[derive(Default)]
struct Told {
    jobs: HashSet<u64>,
    stages: HashSet<StageKey>,
}

/// Shuffles of which an executor may have outputs.
#[derive(Default)]
struct Left {
    shuffles: HashSet<ShuffleId>,
    /// The executor is gone; its outputs are not.
    gone: bool,
}

impl RemoteBackend {
    pub fn new(options: RemoteOptions, results: Arc<ResultStore>, manager: Box<dyn ExecutorManager>) -> Self {
        RemoteBackend {
            options,
            results,
            manager,
            running: None,
            told: HashMap::new(),
            left: HashMap::new(),
            leaving: HashSet::new(),
            stages: HashMap::new(),
            jobs: HashMap::new(),
        }
    }

    /// What an executor must know before it can run tasks of a stage, as far as it was not told.
    fn tell(&mut self, executor: ExecutorId, stage: &Arc<StageLaunch>) -> Result<Vec<ToExecutor>> {
        let (key, limit) = (key_of(stage), self.options.message_bytes);
        // What is too large stays so: it is not encoded again for each task.
        let description =
            self.stages.entry(key).or_insert_with(|| (stage.job, describe(stage, limit))).1.clone()?;
        let job = self.jobs.entry(stage.job.0).or_insert_with(|| describe_job(stage, limit)).clone()?;
        let told = self.told.entry(executor).or_default();
        let mut messages = Vec::new();
        if told.jobs.insert(stage.job.0) {
            messages.push(ToExecutor::Job(job));
        }
        if told.stages.insert(key) {
            messages.push(ToExecutor::Stage(description));
        }
        Ok(messages)
    }

    /// Who has to be told that a shuffle is released, beside the executors that are there: services and stores that may have outputs of
    /// it. Executors that are gone and have none of any other are forgotten.
    fn sources_of(&mut self, shuffle: ShuffleId) -> HashSet<Source> {
        let Some(running) = &self.running else { return HashSet::new() };
        let survive = self.options.blocks_survive;
        let there: HashMap<ExecutorId, Source> = running
            .registry
            .attached()
            .into_iter()
            .map(|(executor, _, place)| (executor, place.source))
            .collect();
        // Executors that are there delete what they have in a store themselves.
        let services = there.values().filter(|source| survive && matches!(source, Source::Flight(_)));
        let mut sources: HashSet<Source> = services.cloned().collect();
        let mut empty = Vec::new();
        for (executor, left) in &mut self.left {
            if left.shuffles.remove(&shuffle) && !there.contains_key(executor) && survive {
                sources.extend(running.registry.place(*executor).map(|place| place.source));
                empty.extend((left.gone && left.shuffles.is_empty()).then_some(*executor));
            }
        }
        empty.into_iter().for_each(|executor| self.forget(executor));
        sources
    }

    /// Nobody asks for the outputs of an executor that is gone any more.
    fn forget(&mut self, executor: ExecutorId) {
        self.left.remove(&executor);
        if let Some(running) = &self.running {
            running.registry.forget_place(executor);
        }
    }
}

fn key_of(stage: &StageLaunch) -> StageKey {
    StageKey { stage: stage.stage.0, stage_attempt: stage.stage_attempt }
}

fn describe(stage: &StageLaunch, limit: usize) -> Result<Arc<StageDescription>> {
    let fragment = vonk_physical::encode(&stage.fragment)?;
    let inputs = (*stage.inputs).clone();
    let (job, key, generation) = (stage.job.0, key_of(stage), stage.generation);
    let description = StageDescription { job, key, generation, fragment, inputs };
    fits(&description, limit)?;
    Ok(Arc::new(description))
}

fn describe_job(stage: &StageLaunch, limit: usize) -> Result<Arc<JobDescription>> {
    let env = &stage.query.env;
    let description = JobDescription {
        job: stage.job.0,
        query: stage.query.number,
        context: (*env.ctx).clone(),
        scalar_subqueries: (*env.scalar_subqueries).clone(),
        batch_rows: stage.query.batch_rows as u64,
    };
    fits(&description, limit)?;
    Ok(Arc::new(description))
}

/// An error unless a description fits into a message.
fn fits<T: serde::Serialize>(description: &T, limit: usize) -> Result<()> {
    let bytes = postcard::experimental::serialized_size(description)
        .map_err(|e| Error::internal(format!("a description cannot be encoded: {e}")))?;
    // Something is left for the message's own words.
    if bytes + 64 > limit {
        return Err(Error::new("_PLAN_TOO_LARGE")
            .with("bytes", bytes.to_string())
            .with("limit", limit.to_string()));
    }
    Ok(())
}

impl Backend for RemoteBackend {
    fn start(&mut self, mailbox: Mailbox) -> Result<()> {
        let runtime = NetworkThreads::new()?;
        let options = &self.options;
        let stores = options.store.as_deref().map(Stores::open).transpose()?;
        let registry =
            Arc::new(Registry::new(options.application.clone(), options.blocks_survive, mailbox.clone()));
        let limits = Limits { message_bytes: options.message_bytes, ..Limits::default() };
        let (host, port) = &options.bind;
        let listening = runtime.wait_for(Listening::bind(host, *port, &options.security, limits))??;
        if options.host.is_empty() && listening.address().ip().is_unspecified() {
            return Err(Error::new("_INVALID_ARGUMENT")
                .with("argument", format!("spark.driver.bindAddress={host} without spark.driver.host"))
                .with("expected", "the name by which executors reach this machine in spark.driver.host"));
        }
        let address = listening.public_address(&options.host);
        let endpoint = Endpoint {
            registry: registry.clone(),
            results: self.results.clone(),
            mailbox: mailbox.clone(),
            heartbeat: options.heartbeat,
            silence: options.silence,
        };
        let routes = Routes::new(endpoint.service(options.message_bytes));
        runtime.handle().spawn(async move {
            if let Err(error) = listening.serve(routes, std::future::pending()).await {
                tracing::error!(%error, "the driver's server ended");
            }
        });
        let context = ManagerContext {
            driver: address,
            registry: registry.clone(),
            mailbox: mailbox.clone(),
            patience: options.silence.saturating_mul(START_SILENCES).max(START_WITHIN),
            runtime: runtime.handle().clone(),
        };
        self.manager.start(context)?;
        let connections = Connections::new(options.security.clone(), options.silence, options.silence);
        self.running = Some(Running { connections, stores, mailbox, registry, runtime });
        Ok(())
    }

    fn launch(&mut self, tasks: Vec<TaskLaunch>) {
        let mut orders: BTreeMap<ExecutorId, (Vec<ToExecutor>, Vec<Order>)> = BTreeMap::new();
        let mut failed = Vec::new();
        for launch in tasks {
            let (task, executor) = (launch.task, launch.executor);
            match self.tell(executor, &launch.stage) {
                Ok(messages) => {
                    match &launch.stage.fragment.plan {
                        PhysicalPlan::ShuffleWrite(w) => {
                            let left = self.left.entry(executor).or_default();
                            left.shuffles.insert(ShuffleId(w.shuffle));
                        }
                        _ => self.results.expect(task),
                    }
                    let (first, run) = orders.entry(executor).or_default();
                    first.extend(messages);
                    let stage = key_of(&launch.stage);
                    run.push(Order { task: task.0, stage, partition: launch.partition });
                }
                Err(error) => failed.push((task, error)),
            }
        }
        let Some(running) = &self.running else { return };
        failed.into_iter().for_each(|(task, error)| running.mailbox.ended(task, Err(error)));
        for (executor, (mut messages, run)) in orders {
            messages.push(ToExecutor::Run(run));
            running.registry.send(executor, messages);
        }
    }

    fn kill(&mut self, task: TaskId, executor: ExecutorId) {
        if let Some(running) = &self.running {
            running.registry.send(executor, [ToExecutor::Kill { task: task.0 }]);
        }
    }

    fn job_ended(&mut self, job: JobId) {
        self.jobs.remove(&job.0);
        let stages: Vec<StageKey> =
            self.stages.extract_if(|_, (of, _)| *of == job).map(|(key, _)| key).collect();
        let Some(running) = &self.running else { return };
        for (executor, told) in &mut self.told {
            if told.jobs.remove(&job.0) {
                stages.iter().for_each(|key| {
                    told.stages.remove(key);
                });
                running.registry.send(*executor, [ToExecutor::Forget { job: job.0 }]);
            }
        }
    }

    fn request_executors(&mut self, total: u32) {
        self.manager.request(total);
    }

    fn drain(&mut self, executor: ExecutorId) {
        self.leaving.insert(executor);
        if let Some(running) = &self.running {
            running.registry.send(executor, [ToExecutor::Drain]);
        }
    }

    fn hand_over(&mut self, from: ExecutorId, outputs: Vec<(ShuffleId, MapId)>) -> Option<ExecutorId> {
        let registry = &self.running.as_ref()?.registry;
        let Place { source: Source::Flight(address), .. } = registry.place(from)? else { return None };
        let all = registry.attached().into_iter().map(|(executor, health, _)| (health.memory_used, executor));
        // The one that holds the least.
        let (_, to) = all.filter(|(_, executor)| !self.leaving.contains(executor)).min()?;
        self.left.entry(to).or_default().shuffles.extend(outputs.iter().map(|(shuffle, _)| *shuffle));
        let outputs = outputs.into_iter().map(|(shuffle, map)| (shuffle.0, map.0)).collect();
        registry.send(to, [ToExecutor::TakeOver { from: from.0, address, outputs }]);
        Some(to)
    }

    fn dismiss(&mut self, executor: ExecutorId) {
        if let Some(running) = &self.running {
            running.registry.send(executor, [ToExecutor::Stop]);
        }
    }

    fn executor_lost(&mut self, executor: ExecutorId, blocks_lost: bool) {
        self.told.remove(&executor);
        self.leaving.remove(&executor);
        let left = self.left.get_mut(&executor).filter(|left| !blocks_lost && !left.shuffles.is_empty());
        match left {
            Some(left) => left.gone = true,
            None => self.forget(executor),
        }
    }

    fn forget_outputs(&mut self, shuffle: ShuffleId, before: u32) {
        if let Some(running) = &self.running {
            running.registry.send_all(&ToExecutor::RollBack { shuffle: shuffle.0, before });
        }
    }

    fn release(&mut self, shuffle: ShuffleId) {
        let sources = self.sources_of(shuffle);
        let Some(running) = &self.running else { return };
        running.registry.send_all(&ToExecutor::Release { shuffle: shuffle.0 });
        for source in sources {
            let (connections, stores) = (running.connections.clone(), running.stores.clone());
            let (application, silence) = (self.options.application.clone(), self.options.silence);
            running.runtime.handle().spawn(async move {
                let released = match (&source, stores) {
                    (Source::Flight(service), _) => {
                        release_remote(&connections, service, &application, Some(shuffle.0), silence).await
                    }
                    (Source::Store(url), Some(stores)) => stores.release_shuffle(url, shuffle.0).await,
                    (Source::Store(_), None) => Ok(()),
                };
                if let Err(error) = released {
                    // It goes with the application at the latest.
                    tracing::warn!(%error, ?source, %shuffle, "a shuffle was not released");
                }
            });
        }
    }

    fn place(&self, executor: ExecutorId) -> Option<Place> {
        self.running.as_ref()?.registry.place(executor)
    }

    fn stop(&mut self) {
        let Some(Running { registry, runtime, stores, .. }) = self.running.take() else { return };
        registry.stop();
        self.manager.stop();
        if let (Some(stores), Some(root)) = (stores, &self.options.store) {
            let own = format!("{}/{}", root.trim_end_matches('/'), self.options.application);
            // What an executor still puts after this stays behind; none of them has a task any more.
            // This is the driver's own thread.
            let handle = runtime.handle();
            let deleted =
                handle.block_on(async { tokio::time::timeout(DELETE_WITHIN, stores.release(&own)).await });
            match deleted {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(%error, own, "map outputs stay behind"),
                Err(_) => tracing::warn!(own, "map outputs stay behind: deleting them takes too long"),
            }
        }
        // Connections that are still open carry nothing that matters any more: they go with their threads.
    }
}
