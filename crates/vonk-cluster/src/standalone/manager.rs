//! Executors from a standalone cluster, for a driver.
//!
//! Must not know: what executors run.

use crate::remote::manager::{ExecutorManager, ManagerContext};
use crate::standalone::client::{MasterAddress, MasterClient, MasterClientOptions, MasterNotice};
use crate::standalone::protocol::{ExecutorCommand, encode, unix_millis};
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use vonk_error::{Error, Result};
use vonk_rpc::Security;
use vonk_scheduler::ExecutorId;
use vonk_scheduler::master::{Allocation, ApplicationSpec, DriverId, ExecutorEnd, Granted, WorkerId};

/// How long a master may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How often to look whether executors have attached.
const LOOK: Duration = Duration::from_millis(200);

/// What an application asks of a cluster.
#[derive(Debug, Clone)]
pub struct StandaloneOptions {
    /// The master.
    pub master: MasterAddress,
    /// How processes talk.
    pub security: Security,
    /// The application's name for the cluster, `app-…`.
    pub application: String,
    /// Its name for people.
    pub name: String,
    /// Cores in all; `None` takes what there is.
    pub cores_max: Option<u32>,
    /// Cores of an executor; `None` one executor a worker.
    pub executor_cores: Option<u32>,
    /// Bytes of an executor.
    pub executor_memory: u64,
    /// Cores of a task.
    pub task_cpus: u32,
    /// Executors wanted at first, where the application says how many it wants (fine-grained allocation).
    pub initial_executors: Option<u32>,
    /// Blocks go to the shuffle services of workers.
    pub shuffle_service: bool,
    /// Blocks are in an object store, which outlives machines (`spark.vonk.shuffle.store`).
    pub blocks_in_store: bool,
    /// Settings handed on to executors.
    pub conf: BTreeMap<String, String>,
}

/// See the module.
pub struct Standalone {
    options: StandaloneOptions,
    running: Option<Running>,
}

struct Running {
    client: Arc<MasterClient>,
    runtime: tokio::runtime::Handle,
    watch: tokio::task::JoinHandle<()>,
}

impl Standalone {
    /// For one application.
    pub fn new(options: StandaloneOptions) -> Standalone {
        Standalone { options, running: None }
    }

    fn spec(&self, driver: &str) -> Result<ApplicationSpec> {
        let o = &self.options;
        let command = ExecutorCommand {
            driver: driver.to_string(),
            task_cpus: o.task_cpus,
            shuffle_service: o.shuffle_service,
            conf: o.conf.clone(),
        };
        let allocation = match o.initial_executors {
            Some(_) => Allocation::FineGrained,
            None => Allocation::CoarseGrained,
        };
        Ok(ApplicationSpec {
            name: o.name.clone(),
            user: crate::user::name(),
            submitted: unix_millis(),
            cores_max: o.cores_max,
            executor_cores: o.executor_cores,
            executor_memory: o.executor_memory,
            allocation,
            first_executor: 0,
            driver: std::env::var(DRIVER_VARIABLE).ok().map(|id| DriverId::from(id.as_str())),
            command: encode(&command)?,
        })
    }
}

/// The environment variable by which a driver that the cluster runs knows its own name.
pub(crate) const DRIVER_VARIABLE: &str = "VONK_DRIVER";

/// Why an executor has ended, in words.
fn words(end: &ExecutorEnd) -> String {
    match end {
        ExecutorEnd::Exited(exit) => exit.message.clone(),
        ExecutorEnd::Killed => "it was killed, as asked".to_string(),
        ExecutorEnd::Lost(why) => why.clone(),
    }
}

/// Which executors' blocks are lost with which worker: those of live executors and, where the worker serves blocks, of dead ones.
struct Places {
    /// The application leaves its blocks to shuffle services.
    served: bool,
    /// For each executor its worker, and whether that has the executor's blocks when it is gone.
    of: BTreeMap<ExecutorId, (WorkerId, bool)>,
}

impl Places {
    fn new(served: bool) -> Places {
        Places { served, of: BTreeMap::new() }
    }

    fn added(&mut self, granted: &Granted) {
        let stays = self.served && granted.shuffle_service.is_some();
        self.of.insert(granted.executor, (granted.worker.clone(), stays));
    }

    /// Forgets an executor, unless its worker has its blocks, and those whose blocks nobody wants any more.
    fn ended(&mut self, executor: ExecutorId, is_known: impl Fn(ExecutorId) -> bool) {
        self.of.retain(|of, (_, stays)| *stays && is_known(*of) || !*stays && *of != executor);
    }

    /// Forgets the worker's executors; which they are.
    fn lost(&mut self, worker: &WorkerId) -> Vec<ExecutorId> {
        let lost: Vec<ExecutorId> =
            self.of.iter().filter(|(_, (at, _))| at == worker).map(|(executor, _)| *executor).collect();
        lost.iter().for_each(|executor| drop(self.of.remove(executor)));
        lost
    }
}

impl ExecutorManager for Standalone {
    fn start(&mut self, context: ManagerContext) -> Result<()> {
        let spec = self.spec(&context.driver)?;
        let o = &self.options;
        let options = MasterClientOptions {
            master: o.master.clone(),
            security: o.security.clone(),
            application: o.application.clone(),
            spec,
            total: o.initial_executors,
            timeout: TIMEOUT,
        };
        let waiting: Arc<Mutex<BTreeSet<ExecutorId>>> = Arc::default();
        let (registry, mailbox, expected) =
            (context.registry.clone(), context.mailbox.clone(), waiting.clone());
        let places = Mutex::new(Places::new(o.shuffle_service));
        let blocks_in_store = o.blocks_in_store;
        let listener = move |notice| match notice {
            MasterNotice::Added(granted) => {
                registry.expect(granted.executor);
                places.lock().added(&granted);
                expected.lock().insert(granted.executor);
            }
            MasterNotice::Ended(executor, end) => {
                expected.lock().remove(&executor);
                registry.ended(executor, &words(&end));
                places.lock().ended(executor, |executor| registry.knows(executor));
            }
            MasterNotice::Removed { reason, .. } => {
                tracing::error!(reason, "the master does not keep this application any more");
                mailbox.unavailable(Error::new("_EXECUTOR_START_FAILED").with("cause", reason));
            }
            MasterNotice::Draining(executor) => registry.drain(executor),
            MasterNotice::WorkerLost(worker) => {
                tracing::warn!(%worker, "a worker is lost");
                for executor in places.lock().lost(&worker) {
                    registry.lost(executor, "its worker is lost");
                    // It may have been lost before without its blocks, which its worker served.
                    mailbox.executor_lost(executor, !blocks_in_store);
                }
            }
        };
        let client = Arc::new(context.runtime.block_on(MasterClient::start(options, listener))?);
        let losses = client.clone();
        // An executor that the driver has lost is of no use, though its process may live.
        context.registry.set_on_loss(Box::new(move |executor| losses.kill(vec![executor])));
        let (registry, ready, patience) = (context.registry.clone(), client.clone(), context.patience);
        let watch = context.runtime.spawn(async move {
            loop {
                tokio::time::sleep(LOOK).await;
                let all: Vec<ExecutorId> = waiting.lock().iter().copied().collect();
                for executor in all.into_iter().filter(|e| registry.has_attached(*e)) {
                    waiting.lock().remove(&executor);
                    ready.ready(executor);
                }
                registry.give_up_late(patience);
            }
        });
        self.running = Some(Running { client, runtime: context.runtime, watch });
        Ok(())
    }

    fn request(&mut self, total: u32) {
        if let Some(running) = &self.running {
            running.client.want(Some(total));
        }
    }

    fn stop(&mut self) {
        if let Some(Running { client, runtime, watch }) = self.running.take() {
            watch.abort();
            runtime.block_on(client.end(!std::thread::panicking()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vonk_scheduler::master::Resources;

    #[test]
    fn dead_executors_are_remembered_only_where_their_blocks_may_be() {
        let granted = |executor, worker: &str, service: bool| Granted {
            executor: ExecutorId(executor),
            worker: WorkerId::from(worker),
            host: "h".to_string(),
            resources: Resources { cores: 1, memory: 1 },
            shuffle_service: service.then(|| "h:1".to_string()),
        };
        for served in [false, true] {
            let mut places = Places::new(served);
            for executor in [granted(0, "v", true), granted(1, "v", true), granted(2, "w", false)] {
                places.added(&executor);
            }
            places.added(&granted(3, "v", true));
            places.ended(ExecutorId(0), |_| true);
            places.ended(ExecutorId(2), |_| true);
            places.ended(ExecutorId(3), |executor| executor != ExecutorId(3));
            assert!(places.lost(&WorkerId::from("w")).is_empty(), "it serves nothing");
            let expected = if served { vec![ExecutorId(0), ExecutorId(1)] } else { vec![ExecutorId(1)] };
            assert_eq!(places.lost(&WorkerId::from("v")), expected);
            assert!(places.of.is_empty());
        }
    }
}
