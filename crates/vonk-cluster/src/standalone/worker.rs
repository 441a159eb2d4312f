//! The worker daemon: `vonk worker`.
//!
//! One thread owns the machine, and starts the processes: the kernel ends these when the thread ends, however it does. Another task holds
//! the connection to the master and makes it anew when it breaks; processes run on meanwhile.
//!
//! Must not know: what is decided about processes, what they are for.

use crate::files::{Trash, failed, lock_folder, make_folder};
use crate::process::{Program, cut_log, describe_end, kill, kill_group, remove_logs, watched};
use crate::remote::blocks::serve_files;
use crate::standalone::client::MasterAddress;
use crate::standalone::connecting::{Connecting, Party, Service};
use crate::standalone::http::Look;
use crate::standalone::kept::Kept;
use crate::standalone::machine::{self, Clock, Inbox};
use crate::standalone::process::{BLOCKS, Surroundings, blocks_root};
use crate::standalone::protocol::{ToWorkerFrame, fresh_name, is_safe_name};
use crate::standalone::worker_api;
use crate::web::{self, WebPort};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Response, Status, Streaming};
use vonk_error::{Error, Result};
use vonk_rpc::Security;
use vonk_scheduler::Time;
use vonk_scheduler::master::{
    Exit, FromWorker, Process, Resources, WorkerAction, WorkerEvent, WorkerId, WorkerMachine, WorkerSpec,
};

/// How long a master may take to answer.
const CONNECT: Duration = Duration::from_secs(10);
/// For how long a worker that was never registered goes on trying.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a worker that ends removes files; the next one in its folder removes the rest.
const REMOVING: Duration = Duration::from_secs(8);
/// How long killed processes may take to end, in milliseconds; the kernel ends what is left with the worker.
const DYING: u64 = 10_000;
/// How often to look for what has grown and what is old, at least: milliseconds.
const LOOK: u64 = 10_000;

/// How a worker is set up.
#[derive(Clone, Debug)]
pub struct WorkerDaemonOptions {
    /// The master.
    pub master: MasterAddress,
    /// Interface on which its executors and its status listen, and the name by which others reach them.
    pub host: String,
    /// What it lends.
    pub cores: u32,
    /// Bytes that it lends.
    pub memory: u64,
    /// Folder of all that it keeps; no other worker may use it.
    pub work_dir: PathBuf,
    /// Port of the status API; 0 takes a free one, `None` serves none.
    pub webui_port: Option<WebPort>,
    /// Who may connect, and how the master is reached.
    pub security: Security,
    /// Milliseconds between two reports.
    pub heartbeat: u64,
    /// The program whose further processes executors are; empty for the one that runs.
    pub program: String,
    /// Settings that drivers need to reach the master (of TLS).
    pub conf: BTreeMap<String, String>,
    /// Serve the shuffle blocks of executors, also of those that are gone (`spark.shuffle.service.enabled`).
    pub shuffle_service: bool,
    /// A longer log of a process is cut (`spark.executor.logs.rolling.maxSize`).
    pub log_bytes: u64,
    /// What is kept of drivers that are over; `None` keeps everything (`spark.worker.cleanup.enabled`).
    pub kept_drivers: Option<KeptDrivers>,
    /// Logs of so many executors that are over are kept, until their applications are (`spark.worker.ui.retainedExecutors`).
    pub retained_executors: usize,
}

/// For how long, and of how many starts, a worker keeps folders and logs of drivers that are over.
#[derive(Clone, Copy, Debug)]
pub struct KeptDrivers {
    /// Milliseconds (`spark.worker.cleanup.appDataTtl`).
    pub millis: u64,
    /// How many (`spark.worker.ui.retainedDrivers`).
    pub most: usize,
}

/// To the machine's thread.
pub(crate) enum Message {
    Connected(mpsc::Sender<FromWorker>),
    Heard(ToWorkerFrame),
    Disconnected,
    Exited(Process, Exit),
    /// For status pages.
    Look(Look<WorkerMachine>),
    /// The connection cannot be made, and never was.
    Hopeless(Error),
    Drain,
    Stop,
}

/// A running worker. Dropping it ends it and its processes.
pub struct WorkerDaemon {
    id: String,
    web: Option<SocketAddr>,
    inbox: Inbox<Message>,
    ended: Option<oneshot::Receiver<Result<()>>>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl WorkerDaemon {
    /// Starts one. Whether the master takes it is told by [`wait`](Self::wait).
    pub async fn start(options: WorkerDaemonOptions) -> Result<WorkerDaemon> {
        if options.cores == 0 || options.memory == 0 {
            return Err(Error::new("_INVALID_ARGUMENT")
                .with("argument", format!("--cores {} --memory {}", options.cores, options.memory))
                .with("expected", "at least one core and one byte"));
        }
        let (work_dir, lock, trash) = prepare(&options.work_dir)?;
        let options = WorkerDaemonOptions { work_dir, ..options };
        let program = Program::from_setting(&options.program)?;
        let web = match options.webui_port {
            Some(port) => Some(web::bind(&options.host, port, &options.security).await?),
            None => None,
        };
        let web_address = web.as_ref().map(web::Bound::address);
        let mut tasks = Vec::new();
        let service = match options.shuffle_service {
            true => {
                let folder = blocks_root(&options.work_dir);
                let (address, serving) = serve_files(&options.host, &options.security, folder).await?;
                tasks.push(serving);
                Some(address)
            }
            false => None,
        };
        let id = fresh_name("worker")?;
        let spec = WorkerSpec {
            id: WorkerId::from(id.as_str()),
            host: options.host.clone(),
            // Two workers of a machine have two folders: that makes them two.
            address: format!("{}{}", options.host, options.work_dir.display()),
            cores: options.cores,
            memory: options.memory,
            shuffle_service: service.clone(),
        };
        let surroundings = Surroundings {
            program,
            security: options.security.clone(),
            dir: options.work_dir.clone(),
            bind: options.host.clone(),
            host: options.host.clone(),
            master: options.master.to_string(),
            conf: options.conf.clone(),
            service,
        };
        let (inbox, receiver) = machine::inbox();
        let (sender, ended) = oneshot::channel();
        let running = Loop {
            machine: WorkerMachine::new(spec, options.heartbeat),
            clock: Clock::start(),
            surroundings,
            inbox: inbox.clone(),
            connection: None,
            pids: HashMap::new(),
            killed: HashSet::new(),
            runtime: Handle::current(),
            next_look: Time(0),
            look_every: options.kept_drivers.map_or(LOOK, |kept| kept.millis.clamp(100, LOOK)),
            log_bytes: options.log_bytes,
            old_executors: Kept::new(None, options.retained_executors),
            old_drivers: match options.kept_drivers {
                Some(KeptDrivers { millis, most }) => Kept::new(Some(millis), most),
                None => Kept::new(None, usize::MAX),
            },
            trash,
            _lock: lock,
        };
        let thread = std::thread::Builder::new()
            .name("vonk-worker".to_string())
            .spawn(move || {
                // Nobody may wait.
                let _ = sender.send(running.run(receiver));
            })
            .map_err(|e| Error::io("cannot start the worker's thread", e))?;
        let connecting = Connecting {
            master: options.master.clone(),
            security: options.security.clone(),
            timeout: CONNECT,
            patience: PATIENCE,
            inbox: inbox.clone(),
            over: Arc::default(),
        };
        tasks.push(tokio::spawn(connecting.run()));
        if let Some(bound) = web {
            tasks.push(tokio::spawn(bound.serve(worker_api::router(inbox.clone()))));
        }
        tracing::info!(worker = id, master = %options.master, cores = options.cores, memory = options.memory, web = ?web_address, "worker started");
        Ok(WorkerDaemon { id, web: web_address, inbox, ended: Some(ended), tasks, thread: Some(thread) })
    }

    /// Its name.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Where its status is served.
    pub fn web_address(&self) -> Option<SocketAddr> {
        self.web
    }

    /// It takes no more processes, and ends when those that it has have ended.
    pub async fn drain(&self) {
        // A worker that has ended has drained.
        let _ = self.inbox.send(Message::Drain).await;
    }

    /// Ends it and its processes in order; [`wait`](Self::wait) tells when that is done.
    pub async fn stop(&self) {
        let _ = self.inbox.send(Message::Stop).await;
    }

    /// Waits for its end: as it was asked to, or since the master does not want it or cannot be reached.
    pub async fn wait(&mut self) -> Result<()> {
        match &mut self.ended {
            Some(ended) => {
                let result =
                    ended.await.unwrap_or_else(|_| Err(Error::internal("the worker's thread panicked")));
                self.ended = None;
                result
            }
            None => Ok(()),
        }
    }
}

impl Drop for WorkerDaemon {
    fn drop(&mut self) {
        let _ = self.inbox.try_send(Message::Stop);
        self.tasks.iter().for_each(tokio::task::JoinHandle::abort);
        // The thread goes on for the moments it takes to kill its processes, and needs nobody for it.
        drop(self.thread.take());
    }
}

/// Makes the folder, locks it, and removes what a worker that was killed has left in it; gives its absolute path, since processes are
/// in other folders.
fn prepare(dir: &Path) -> Result<(PathBuf, std::fs::File, Trash)> {
    make_folder(dir)?;
    let dir = &std::fs::canonicalize(dir).map_err(|e| failed("use the folder", dir, e))?;
    let lock = lock_folder(dir)?;
    let trash = Trash::of(dir)?;
    for entry in std::fs::read_dir(dir).map_err(|e| failed("use the folder", dir, e))?.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let ours = ["app-", "driver-", BLOCKS].iter().any(|prefix| name.starts_with(prefix));
        if is_safe_name(&name) && ours {
            tracing::info!(folder = %name, "removing what an earlier worker has left");
            trash.take(&entry.path());
        }
    }
    Ok((dir.clone(), lock, trash))
}

struct Loop {
    machine: WorkerMachine,
    clock: Clock,
    surroundings: Surroundings,
    inbox: Inbox<Message>,
    connection: Option<mpsc::Sender<FromWorker>>,
    pids: HashMap<Process, u32>,
    /// Of these, the ones that were killed since the machine wanted it.
    killed: HashSet<Process>,
    runtime: Handle,
    /// When to look again for what grows.
    next_look: Time,
    look_every: u64,
    log_bytes: u64,
    /// Folders of executors that are over, of which there are logs.
    old_executors: Kept<PathBuf>,
    /// Folders of starts of drivers that are over, with their logs.
    old_drivers: Kept<PathBuf>,
    trash: Trash,
    _lock: std::fs::File,
}

impl Loop {
    fn run(mut self, mut inbox: mpsc::Receiver<Message>) -> Result<()> {
        let result = self.serve(&mut inbox);
        // However it ends: its processes do, too, and what they leave is removed.
        self.pids.values().for_each(|pid| kill(*pid));
        let homes: Vec<PathBuf> = self.pids.keys().map(|p| self.surroundings.home(p)).collect();
        let deadline = self.clock.now().after(DYING);
        while !self.pids.is_empty() && self.clock.now() < deadline {
            match machine::receive(&self.runtime, &mut inbox, self.clock, Some(Time(0))) {
                Some(messages) if messages.is_empty() => std::thread::sleep(Duration::from_millis(5)),
                Some(messages) => messages.into_iter().for_each(|m| {
                    if let Message::Exited(process, _) = m {
                        self.pids.remove(&process);
                    }
                }),
                None => break,
            }
        }
        homes.iter().for_each(|home| self.trash.take(home));
        let applications: Vec<_> = self.machine.applications().into_iter().cloned().collect();
        applications.iter().for_each(|a| self.clean(&a.0));
        self.trash.take(&blocks_root(&self.surroundings.dir));
        self.trash.finish(REMOVING);
        result
    }

    /// Removes an application's files, those for the shuffle service too.
    fn clean(&mut self, application: &str) {
        let dir = &self.surroundings.dir;
        let home = dir.join(application);
        self.trash.take(&home);
        self.old_executors.forget(|folder| folder.starts_with(&home));
        self.trash.take(&blocks_root(dir).join(application));
    }

    fn serve(&mut self, inbox: &mut mpsc::Receiver<Message>) -> Result<()> {
        loop {
            let timer = self.machine.next_timer();
            let Some(messages) = machine::receive(&self.runtime, inbox, self.clock, timer) else {
                return Ok(());
            };
            let mut events = Vec::new();
            for message in messages {
                match message {
                    Message::Connected(connection) => {
                        self.connection = Some(connection);
                        events.push(WorkerEvent::Connected);
                    }
                    Message::Heard(ToWorkerFrame { seq, message }) => {
                        events.push(WorkerEvent::Heard { seq, message });
                    }
                    Message::Disconnected => {
                        self.connection = None;
                        events.push(WorkerEvent::Disconnected);
                    }
                    Message::Exited(process, mut exit) => {
                        if self.killed.remove(&process) {
                            exit.message = "it was killed, as asked".to_string();
                        }
                        self.reaped(&process, &exit);
                        events.push(WorkerEvent::Exited { process, exit });
                    }
                    Message::Look(look) => look(&self.machine, self.clock.now()),
                    Message::Hopeless(error) => return Err(error),
                    Message::Drain => events.push(WorkerEvent::Drain),
                    Message::Stop => events.push(WorkerEvent::Stop),
                }
                // In the order in which they came: what is said on a connection follows its beginning.
                for event in events.drain(..) {
                    if self.feed(event)? {
                        return Ok(());
                    }
                }
            }
            if self.feed(WorkerEvent::Tick)? {
                return Ok(());
            }
            self.tidy();
        }
    }

    /// `true` if the worker has left.
    fn feed(&mut self, event: WorkerEvent) -> Result<bool> {
        let mut left = false;
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            for action in self.machine.handle(self.clock.now(), event) {
                match action {
                    WorkerAction::Send(message) => {
                        // A connection that takes no more is closed, and everything is said again on the next.
                        if self.connection.as_ref().is_some_and(|c| c.try_send(message).is_err()) {
                            self.connection = None;
                        }
                    }
                    WorkerAction::Start { process, resources, command } => {
                        events.push(self.start(process, resources, &command));
                    }
                    WorkerAction::Kill { process } => {
                        tracing::info!(%process, "killed");
                        if let Some(pid) = self.pids.get(&process) {
                            kill(*pid);
                            self.killed.insert(process);
                        }
                    }
                    WorkerAction::Clean { application } => {
                        tracing::info!(%application, "its files are removed");
                        self.clean(&application.0);
                    }
                    WorkerAction::Refused { reason } => {
                        return Err(Error::io("the master refused this worker", reason));
                    }
                    WorkerAction::Left => left = true,
                }
            }
        }
        if left {
            // The last words are on their way; the connection's task sends them before it ends.
            self.connection = None;
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(left)
    }

    fn start(&mut self, process: Process, resources: Resources, command: &[u8]) -> WorkerEvent {
        let (surroundings, inbox, who) = (&self.surroundings, self.inbox.clone(), process.clone());
        let folder = surroundings.folder(&process);
        let start = || surroundings.start(&process, resources, command);
        let watched = watched(start, move |status| {
            let (code, message) = describe_end(status, &folder);
            // A worker that has ended has reaped it.
            let _ = inbox.blocking_send(Message::Exited(who, Exit { code, message }));
        });
        match watched {
            Ok(pid) => {
                tracing::info!(%process, pid, "started");
                self.pids.insert(process.clone(), pid);
                WorkerEvent::Started { process }
            }
            Err(error) => {
                tracing::error!(%process, %error, "cannot be started");
                self.left(&process);
                WorkerEvent::Exited { process, exit: Exit { code: None, message: error.to_string() } }
            }
        }
    }

    fn reaped(&mut self, process: &Process, exit: &Exit) {
        tracing::info!(%process, code = exit.code, message = exit.message, "ended");
        if let Some(pid) = self.pids.remove(process) {
            // What it has started itself.
            kill_group(pid);
        }
        self.left(process);
    }

    /// A process is over. An executor's folder goes, its log stays as long as its application does; a driver's stay for a while.
    fn left(&mut self, process: &Process) {
        let (now, folder) = (self.clock.now(), self.surroundings.folder(process));
        match process {
            Process::Executor { .. } => {
                self.trash.take(&folder);
                self.old_executors.add(now, folder);
            }
            Process::Driver { .. } => self.old_drivers.add(now, folder),
        }
    }

    /// Cuts logs that have grown, and removes what is not kept any longer.
    fn tidy(&mut self) {
        let now = self.clock.now();
        if self.next_look > now {
            return;
        }
        self.next_look = now.after(self.look_every);
        self.pids.keys().for_each(|p| cut_log(&self.surroundings.folder(p), self.log_bytes));
        while let Some(folder) = self.old_executors.pop(now) {
            remove_logs(&folder);
        }
        while let Some(folder) = self.old_drivers.pop(now) {
            self.trash.take(&folder);
            remove_logs(&folder);
            if let Some(home) = folder.parent() {
                // It stays while there are other starts of the driver.
                let _ = std::fs::remove_dir(home);
            }
        }
    }
}

impl Party for Message {
    type Says = FromWorker;
    type Hears = ToWorkerFrame;

    async fn open(
        mut service: Service,
        says: ReceiverStream<FromWorker>,
    ) -> std::result::Result<Response<Streaming<ToWorkerFrame>>, Status> {
        service.worker(says).await
    }

    fn connected(says: mpsc::Sender<FromWorker>) -> Message {
        Message::Connected(says)
    }

    fn heard(message: ToWorkerFrame) -> Message {
        Message::Heard(message)
    }

    fn disconnected() -> Message {
        Message::Disconnected
    }

    fn hopeless(error: Error) -> Message {
        Message::Hopeless(error)
    }
}
