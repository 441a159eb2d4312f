//! Executors and the driver that uses them, as a session has them.

use crate::driver::Driver;
use crate::files::OwnFolder;
use crate::kept::KeptRelations;
use crate::local::LocalBackend;
use crate::master::Master;
use crate::network::NetworkThreads;
use crate::pools;
use crate::process::Program;
use crate::query::{QueryHandle, QuerySettings, Run};
use crate::remote::backend::{RemoteBackend, RemoteOptions};
use crate::remote::local_cluster::{LocalCluster, LocalClusterOptions};
use crate::remote::manager::ExecutorManager;
use crate::results::{ResultRoom, ResultStore, Results, StreamedResults, WholeResults};
use crate::standalone::MasterAddress;
use crate::standalone::manager::{Standalone, StandaloneOptions};
use crate::standalone::protocol::fresh_name;
use crate::status::{self, Application, Observer, Retained};
use crate::web::WebPort;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use vonk_conf::{self as conf, Conf};
use vonk_error::{Error, Result};
use vonk_exec::{CancelFlag, ExecutorEnv, MemoryManager};
use vonk_planner::PhysicalQuery;
use vonk_rpc::Security;
use vonk_scheduler::allocation::AllocationOptions;
use vonk_scheduler::{
    DagOptions, ExclusionOptions, JobId, LocalityOptions, SchedulerOptions, SchedulingMode,
    SpeculationOptions, StageId,
};
use vonk_shuffle::{BlockMemory, LocalBlocks, SpillableBlocks};
use vonk_sources::Formats;

/// One part in so many of the memory limit is left to what operators do not reserve: batches on their way, pages being decoded.
pub(crate) const UNCOUNTED_SHARE: u64 = 8;

/// Executors and the driver that uses them.
pub struct Cluster {
    driver: Driver,
    /// Memory of this process: of operators and blocks in local mode, else of results.
    memory: Arc<MemoryManager>,
    /// Memory of each executor.
    executor_memory: Option<u64>,
    executors: u32,
    slots: u32,
    rows: RowStore,
    kept: KeptRelations,
    next_shuffle: AtomicU64,
    next_query: AtomicU64,
    /// Where its state can be seen, if it is served.
    status_address: Option<SocketAddr>,
    /// Threads of the status server.
    _status: Option<NetworkThreads>,
    /// Of this process's blocks and spill files: removed after all that uses it has ended.
    folder: OwnFolder,
}

/// Where result rows wait for who reads them.
enum RowStore {
    /// Those of this process.
    Own(Arc<ResultRoom>),
    /// Those that come from other processes.
    Remote(Arc<ResultStore>),
}

/// What executors in processes of their own are expected to be like.
struct Shape {
    executors: u32,
    /// There are never more.
    most: u32,
    /// Of each.
    slots: u32,
    /// Bytes of each.
    memory: u64,
}

impl Cluster {
    /// Starts what the settings say (`spark.master` and those that go with it).
    pub fn start(conf: &Conf, formats: Formats) -> Result<Cluster> {
        match conf.get(&conf::MASTER).parse()? {
            Master::Local { slots } => Cluster::local(slots, conf, formats),
            Master::LocalCluster { executors, slots, memory } => {
                Cluster::local_cluster(executors, slots, memory, conf)
            }
            Master::Standalone(master) => Cluster::standalone(master, conf),
        }
    }

    fn local(slots: u32, conf: &Conf, formats: Formats) -> Result<Cluster> {
        let limit = u64::try_from(conf.get(&conf::MEMORY_LIMIT).0).ok().filter(|l| *l > 0);
        let memory = MemoryManager::new(limit.map(counted));
        let application = fresh_name("app")?;
        let folder = own_folder(conf, &application);
        let dir = folder.path().to_path_buf();
        let store = Arc::new(LocalBlocks::new(memory.clone() as Arc<dyn BlockMemory>, dir.clone(), 0));
        let spillable: Arc<dyn SpillableBlocks> = store.clone();
        memory.set_blocks(Arc::downgrade(&spillable));
        let exec =
            Arc::new(ExecutorEnv { formats, memory: memory.clone(), shuffle: store, spill_dir: dir.clone() });
        let guests = u32::try_from(conf.get(&conf::LOCAL_GUEST_TASKS)).unwrap_or(0);
        let backend = LocalBackend::new(slots, guests, exec, conf.get(&conf::WIRE))?;
        // One process has all blocks or none: none is lost on its own.
        let mut scheduler = scheduler_options(conf)?;
        scheduler.dag.release_consumed = true;
        scheduler.guests = guests;
        let seen = Seen::new(&application, conf)?;
        let driver = Driver::start(scheduler, Box::new(backend), seen.observer, None)?;
        let executor_memory = memory.limit();
        let rows = RowStore::Own(Arc::new(ResultRoom::new(memory.clone(), dir, slots)));
        Ok(Cluster {
            driver,
            memory,
            executor_memory,
            executors: 1,
            slots,
            rows,
            kept: KeptRelations::default(),
            next_shuffle: AtomicU64::new(0),
            next_query: AtomicU64::new(0),
            status_address: seen.address,
            _status: seen.runtime,
            folder,
        })
    }

    fn local_cluster(executors: u32, cores: u32, memory: u64, conf: &Conf) -> Result<Cluster> {
        let slots = (cores / positive(conf.get(&conf::TASK_CPUS))).max(1);
        let application = fresh_name("app")?;
        let folder = own_folder(conf, &application);
        // What it starts listens on loopback only, but other users of the machine reach that, too.
        let security = Security::from_conf(conf)?.or_random_secret()?;
        let manager = LocalCluster::new(LocalClusterOptions {
            executors,
            dynamic: conf.get(&conf::DYNAMIC_ALLOCATION),
            slots,
            memory,
            application: application.clone(),
            dir: folder.path().to_path_buf(),
            program: Program::from_setting(&conf.get(&conf::EXECUTOR_PROGRAM))?,
            security: security.clone(),
            service: conf.get(&conf::SHUFFLE_SERVICE),
            log_bytes: bytes(conf.get(&conf::EXECUTOR_LOG_MAX_SIZE)).max(1),
            conf: settings_of_executors(conf),
        });
        let shape = Shape { executors, most: executors, slots, memory };
        Cluster::remote(application, security, folder, shape, Box::new(manager), conf)
    }

    fn standalone(master: MasterAddress, conf: &Conf) -> Result<Cluster> {
        let application = fresh_name("app")?;
        let folder = own_folder(conf, &application);
        let security = Security::from_conf(conf)?;
        let set = |n: i32| u32::try_from(n).ok().filter(|n| *n > 0);
        let (cores_max, executor_cores) =
            (set(conf.get(&conf::CORES_MAX)), set(conf.get(&conf::EXECUTOR_CORES)));
        let (memory, task_cpus) =
            (bytes(conf.get(&conf::EXECUTOR_MEMORY)), positive(conf.get(&conf::TASK_CPUS)));
        // How large the cluster is shows only later: as many cores as the application may have, or as this machine has.
        let here = std::thread::available_parallelism().map_or(1, |n| n.get());
        let cores = cores_max.unwrap_or(u32::try_from(here).unwrap_or(1));
        let each = executor_cores.unwrap_or(cores);
        let shape = Shape {
            executors: (cores / each).max(1),
            most: cores_max.map_or(u32::MAX, |cores| (cores / each).max(1)),
            slots: (each / task_cpus).max(1),
            memory,
        };
        let allocation = allocation_options(conf, &shape);
        let manager = Standalone::new(StandaloneOptions {
            master,
            security: security.clone(),
            application: application.clone(),
            name: conf.get(&conf::APP_NAME),
            cores_max,
            executor_cores,
            executor_memory: memory,
            task_cpus,
            initial_executors: allocation.map(|a| a.initial_executors),
            shuffle_service: conf.get(&conf::SHUFFLE_SERVICE),
            blocks_in_store: !conf.get(&conf::SHUFFLE_STORE).is_empty(),
            conf: settings_of_executors(conf),
        });
        Cluster::remote(application, security, folder, shape, Box::new(manager), conf)
    }

    fn remote(
        application: String,
        security: Security,
        folder: OwnFolder,
        shape: Shape,
        manager: Box<dyn ExecutorManager>,
        conf: &Conf,
    ) -> Result<Cluster> {
        one_place_of_blocks(conf)?;
        let seen = Seen::new(&application, conf)?;
        let options = remote_options(application, security, conf)?;
        let own = MemoryManager::new(Some(counted(bytes(conf.get(&conf::DRIVER_MEMORY)))));
        let store = Arc::new(ResultStore::new(&own, folder.path().join("results")));
        let backend = RemoteBackend::new(options, store.clone(), manager);
        let allocation = allocation_options(conf, &shape);
        let driver = Driver::start(scheduler_options(conf)?, Box::new(backend), seen.observer, allocation)?;
        Ok(Cluster {
            driver,
            memory: own,
            executor_memory: Some(executor_share(shape.memory, conf)),
            executors: shape.executors,
            slots: shape.executors.saturating_mul(shape.slots),
            rows: RowStore::Remote(store),
            kept: KeptRelations::default(),
            next_shuffle: AtomicU64::new(0),
            next_query: AtomicU64::new(0),
            status_address: seen.address,
            _status: seen.runtime,
            folder,
        })
    }

    /// Whether tasks run in this process.
    pub fn is_local(&self) -> bool {
        matches!(self.rows, RowStore::Own(_))
    }

    /// Tasks that can run at once.
    pub fn slots(&self) -> u32 {
        self.slots
    }

    /// Tasks that are alive now: that run, wait for a thread, or wait for who reads their rows.
    pub fn alive_tasks(&self) -> usize {
        self.driver.alive_tasks()
    }

    /// Ends all that runs, as cancelled, and what was started for it, and removes what was written beside. For a process that is told to
    /// end: what is asked later fails.
    pub fn shutdown(&self) {
        self.driver.stop();
        self.folder.clear();
    }

    /// Processes that run tasks, as far as their number is fixed.
    pub fn executors(&self) -> u32 {
        self.executors
    }

    /// The memory of this process, for reports and tests.
    pub fn memory(&self) -> &Arc<MemoryManager> {
        &self.memory
    }

    /// Cancels a job by the number that the status shows (Spark: `SparkContext.cancelJob`); its query fails as cancelled. One that does
    /// not run is left alone.
    pub fn cancel_job(&self, job: u64) {
        self.driver().cancel_job(JobId(job));
    }

    /// Cancels the job that a stage belongs to, by the stage's number (Spark: `SparkContext.cancelStage`).
    pub fn cancel_stage(&self, stage: u64) {
        self.driver().cancel_stage(StageId(stage));
    }

    /// Where jobs, stages, tasks and executors can be seen over HTTP (`spark.ui.enabled`).
    pub fn status_address(&self) -> Option<SocketAddr> {
        self.status_address
    }

    /// Bytes that the tasks of one executor may hold together; `None` is no limit.
    pub fn executor_memory(&self) -> Option<u64> {
        self.executor_memory
    }

    /// Runs a query. Its subqueries have run when this returns; its own rows are read from the handle.
    pub fn run(&self, query: PhysicalQuery, settings: QuerySettings) -> Result<QueryHandle> {
        Run::new(self, settings).start(query)
    }

    pub(crate) fn driver(&self) -> &Driver {
        &self.driver
    }

    /// Forgets the rows of a relation that were kept (`vonk_plan::source::KeptQuery`); their blocks go when no query reads them.
    pub fn forget_kept(&self, relation: u64) {
        self.kept.forget(relation);
    }

    pub(crate) fn kept(&self) -> &KeptRelations {
        &self.kept
    }

    pub(crate) fn next_query(&self) -> u64 {
        self.next_query.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn next_shuffle(&self) -> u64 {
        self.next_shuffle.fetch_add(1, Ordering::Relaxed)
    }

    /// A way for the rows of a job, which ends with the flag.
    pub(crate) fn results(&self, partitions: u32, cancel: &CancelFlag) -> Arc<Results> {
        let results = match &self.rows {
            RowStore::Own(room) => {
                Results::Streamed(StreamedResults::new(partitions, cancel.clone(), room.clone()))
            }
            RowStore::Remote(store) => {
                Results::Whole(WholeResults::new(store.clone(), partitions, cancel.clone()))
            }
        };
        results.watching(cancel)
    }
}

/// Those who look at a driver, as the settings have it.
struct Seen {
    observer: Option<Arc<Observer>>,
    address: Option<SocketAddr>,
    runtime: Option<NetworkThreads>,
}

impl Seen {
    fn new(application: &str, conf: &Conf) -> Result<Seen> {
        let log = conf.get(&conf::EVENT_LOG).then(|| PathBuf::from(conf.get(&conf::EVENT_LOG_DIR)));
        let served = conf.get(&conf::UI_ENABLED);
        if log.is_none() && !served {
            return Ok(Seen { observer: None, address: None, runtime: None });
        }
        let application = Application {
            id: application.to_string(),
            name: conf.get(&conf::APP_NAME),
            user: crate::user::name(),
            master: conf.get(&conf::MASTER),
        };
        let observer = Arc::new(Observer::new(application, retained(conf), log.as_deref())?);
        if !served {
            return Ok(Seen { observer: Some(observer), address: None, runtime: None });
        }
        let runtime = NetworkThreads::new()?;
        let port = port(conf, &conf::UI_PORT)?;
        let host = conf.get(&conf::DRIVER_BIND_ADDRESS);
        // The user's secret: one that the driver has made for its own processes nobody could show.
        let security = Security::from_conf(conf)?;
        // Another session may have it.
        let others = u16::try_from(conf.get(&conf::PORT_MAX_RETRIES)).unwrap_or(0);
        let port = WebPort { first: port, others };
        let address = runtime.wait_for(status::serve(observer.clone(), security, &host, port))??;
        tracing::info!(%address, "the application's status is served");
        Ok(Seen { observer: Some(observer), address: Some(address), runtime: Some(runtime) })
    }
}

/// What status pages remember.
fn retained(conf: &Conf) -> Retained {
    let count = |key: &conf::Key<i32>| usize::try_from(conf.get(key)).unwrap_or(0);
    Retained {
        jobs: count(&conf::UI_RETAINED_JOBS),
        stages: count(&conf::UI_RETAINED_STAGES),
        tasks: count(&conf::UI_RETAINED_TASKS),
        dead_executors: count(&conf::UI_RETAINED_DEAD_EXECUTORS),
    }
}

/// The part of an executor's memory that operators and blocks reserve from (`spark.memory.fraction`).
pub(crate) fn executor_share(memory: u64, conf: &Conf) -> u64 {
    (memory as f64 * conf.get(&conf::MEMORY_FRACTION).clamp(0.1, 0.95)) as u64
}

/// The part of a memory limit that operators reserve from.
pub(crate) fn counted(limit: u64) -> u64 {
    limit - limit / UNCOUNTED_SHARE
}

fn bytes(setting: conf::Bytes) -> u64 {
    u64::try_from(setting.0).unwrap_or(0)
}

/// A folder for what does not fit into memory.
fn own_folder(conf: &Conf, application: &str) -> OwnFolder {
    let parent = PathBuf::from(conf.get(&conf::LOCAL_DIR));
    OwnFolder::sweep(parent.clone());
    OwnFolder::new(&parent, application)
}

/// The settings that executors are told: those that were set, but for what others must not see, and where this machine has the secret,
/// which they are told by their environment.
fn settings_of_executors(conf: &Conf) -> std::collections::BTreeMap<String, String> {
    let ours = [conf::MASTER.name, conf::AUTHENTICATE_SECRET_FILE.name];
    let told = conf.iter().filter(|(k, _)| !conf::is_secret(k) && !ours.contains(k));
    told.map(|(k, v)| (k.to_string(), v.to_string())).collect()
}

/// An error if shuffle blocks are to be in two places.
fn one_place_of_blocks(conf: &Conf) -> Result<()> {
    let store = conf.get(&conf::SHUFFLE_STORE);
    if store.is_empty() || !conf.get(&conf::SHUFFLE_SERVICE) {
        return Ok(());
    }
    let (service, key) = (conf::SHUFFLE_SERVICE.name, conf::SHUFFLE_STORE.name);
    Err(Error::new("_INVALID_ARGUMENT")
        .with("argument", format!("{key}={store} together with {service}=true"))
        .with(
            "expected",
            format!("one of them: blocks are in a store, or served by services (unset {service})"),
        ))
}

fn remote_options(application: String, security: Security, conf: &Conf) -> Result<RemoteOptions> {
    let (heartbeat, silence) = (
        conf.get(&conf::EXECUTOR_HEARTBEAT_INTERVAL).duration(),
        conf.get(&conf::NETWORK_TIMEOUT).duration(),
    );
    // As Spark: executors would be lost for no other reason, again and again.
    if heartbeat >= silence {
        let (beat, timeout) = (conf::EXECUTOR_HEARTBEAT_INTERVAL.name, conf::NETWORK_TIMEOUT.name);
        return Err(Error::new("_INVALID_ARGUMENT")
            .with("argument", format!("{beat}={heartbeat:?} with {timeout}={silence:?}"))
            .with("expected", "an interval that is shorter than the timeout"));
    }
    Ok(RemoteOptions {
        application,
        security,
        bind: (conf.get(&conf::DRIVER_BIND_ADDRESS), port(conf, &conf::DRIVER_PORT)?),
        host: conf.get(&conf::DRIVER_HOST),
        message_bytes: usize::try_from(conf.get(&conf::RPC_MESSAGE_MAX_SIZE).0).unwrap_or(usize::MAX),
        heartbeat,
        silence,
        store: Some(conf.get(&conf::SHUFFLE_STORE)).filter(|url| !url.is_empty()),
        blocks_survive: conf.get(&conf::SHUFFLE_SERVICE) || !conf.get(&conf::SHUFFLE_STORE).is_empty(),
    })
}

/// What the settings say of executors that come and go with the work, if they do.
fn allocation_options(conf: &Conf, shape: &Shape) -> Option<AllocationOptions> {
    let count = |key: &conf::Key<i32>| u32::try_from(conf.get(key)).unwrap_or(0);
    let backlog = conf.get(&conf::DYNAMIC_ALLOCATION_BACKLOG).0;
    conf.get(&conf::DYNAMIC_ALLOCATION).then(|| AllocationOptions {
        min_executors: count(&conf::DYNAMIC_ALLOCATION_MIN),
        max_executors: count(&conf::DYNAMIC_ALLOCATION_MAX).min(shape.most),
        initial_executors: count(&conf::DYNAMIC_ALLOCATION_MIN),
        scheduler_backlog_timeout: backlog,
        sustained_scheduler_backlog_timeout: backlog,
        executor_idle_timeout: conf.get(&conf::DYNAMIC_ALLOCATION_IDLE).0,
        // Who leaves hands its blocks over.
        shuffle_tracking: false,
        slots: shape.slots,
        ..AllocationOptions::default()
    })
}

/// What the settings say of the schedulers.
fn scheduler_options(conf: &Conf) -> Result<SchedulerOptions> {
    let file = conf.get(&conf::SCHEDULER_ALLOCATION_FILE);
    Ok(SchedulerOptions {
        pools: if file.is_empty() { Vec::new() } else { pools::from_file(&file)? },
        dag: DagOptions {
            max_consecutive_stage_attempts: positive(conf.get(&conf::STAGE_MAX_ATTEMPTS)),
            ..DagOptions::default()
        },
        max_task_failures: positive(conf.get(&conf::TASK_MAX_FAILURES)),
        max_executor_losses: positive(conf.get(&conf::TASK_MAX_EXECUTOR_LOSSES)),
        mode: scheduling_mode(conf, &conf::SCHEDULER_MODE)?,
        other_pools: scheduling_mode(conf, &conf::SCHEDULER_POOL_MODE)?,
        // Processes have threads for their slots alone.
        guests: 0,
        locality: LocalityOptions {
            wait_process: conf.get(&conf::LOCALITY_WAIT).0,
            wait_node: conf.get(&conf::LOCALITY_WAIT).0,
        },
        speculation: SpeculationOptions {
            enabled: conf.get(&conf::SPECULATION),
            interval: conf.get(&conf::SPECULATION_INTERVAL).0,
            multiplier: conf.get(&conf::SPECULATION_MULTIPLIER),
            quantile: conf.get(&conf::SPECULATION_QUANTILE),
            min_task_runtime: conf.get(&conf::SPECULATION_MIN_TASK_RUNTIME).0,
        },
        exclude_on_failure: ExclusionOptions {
            enabled: conf.get(&conf::EXCLUDE_ON_FAILURE),
            timeout: conf.get(&conf::EXCLUDE_ON_FAILURE_TIMEOUT).0,
            ..ExclusionOptions::default()
        },
    })
}

fn scheduling_mode(conf: &Conf, key: &conf::Key<String>) -> Result<SchedulingMode> {
    match conf.get(key).trim().to_ascii_uppercase().as_str() {
        "FAIR" => Ok(SchedulingMode::Fair),
        "FIFO" => Ok(SchedulingMode::Fifo),
        other => Err(invalid(key.name, other, "FIFO or FAIR")),
    }
}

fn port(conf: &Conf, key: &conf::Key<i32>) -> Result<u16> {
    let given = conf.get(key);
    u16::try_from(given)
        .map_err(|_| invalid(key.name, &given.to_string(), "the number of a port, from 0 to 65535"))
}

/// An error about a setting whose type is right.
fn invalid(name: &str, value: &str, expected: &str) -> Error {
    Error::new("_INVALID_ARGUMENT").with("argument", format!("{name}={value}")).with("expected", expected)
}

fn positive(n: i32) -> u32 {
    u32::try_from(n).unwrap_or(1).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_have_one_place() {
        let mut conf = Conf::new();
        conf.set(conf::MASTER.name, "local-cluster[1,1,1g]").unwrap();
        conf.set(conf::SHUFFLE_STORE.name, "file:///nowhere").unwrap();
        conf.set(conf::SHUFFLE_SERVICE.name, "true").unwrap();
        let error = Cluster::start(&conf, Formats::default()).err().unwrap();
        assert_eq!(error.condition(), "_INVALID_ARGUMENT");
        assert!(error.to_string().contains("spark.shuffle.service.enabled"), "{error}");
        conf.set(conf::SHUFFLE_SERVICE.name, "false").unwrap();
        one_place_of_blocks(&conf).unwrap();
    }

    #[test]
    fn settings_reach_the_schedulers() {
        let mut conf = Conf::new();
        assert_eq!(scheduler_options(&conf).unwrap(), SchedulerOptions::default());
        conf.set("spark.vonk.task.maxExecutorLosses", "3").unwrap();
        conf.set("spark.task.maxFailures", "2").unwrap();
        conf.set("spark.stage.maxConsecutiveAttempts", "5").unwrap();
        let options = scheduler_options(&conf).unwrap();
        assert_eq!((options.max_executor_losses, options.max_task_failures), (3, 2));
        assert_eq!(options.dag.max_consecutive_stage_attempts, 5);
    }
}
