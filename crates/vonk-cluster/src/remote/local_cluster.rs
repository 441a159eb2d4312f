//! `local-cluster[E,C,M]`: executors as processes of this machine, started again when they die.
//!
//! One thread starts and ends them, and one for each waits for its end, so that a death is noticed at once and nothing is left unreaped.

use crate::process::{self, Program};
use crate::remote::blocks;
use crate::remote::executor::ExecutorOptions;
use crate::remote::manager::{ExecutorManager, ManagerContext};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use vonk_error::{Error, Result};
use vonk_rpc::Security;
use vonk_scheduler::ExecutorId;
use vonk_shuffle::ServiceFiles;

/// When starts in a row that came to nothing count for so much, queries that wait are told.
const HOPELESS: u32 = 15;
/// What an executor counts for that ended before it had attached.
const FAILED: u32 = 3;
/// And one that was killed, since it hung, or by somebody else: the system does that when memory is short. Both may pass.
const KILLED: u32 = 1;
/// The wait before the second start in a row that came to nothing; it doubles from one to the next.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// How long executors may take to leave when they are asked to.
const GRACE: Duration = Duration::from_secs(2);
/// How often to look whether logs have grown too long.
const CUT_LOGS_EVERY: Duration = Duration::from_secs(10);

/// Where executors are reached.
const LOOPBACK: &str = "127.0.0.1";

/// How executors are started.
#[derive(Debug, Clone)]
pub(crate) struct LocalClusterOptions {
    /// How many; the most that there are at once, where they come and go with the work.
    pub executors: u32,
    /// Executors come when they are asked for.
    pub dynamic: bool,
    pub slots: u32,
    /// Bytes of each.
    pub memory: u64,
    pub application: String,
    /// Folder of the application; each executor has one in it.
    pub dir: PathBuf,
    pub program: Program,
    pub security: Security,
    /// The driver serves the blocks of executors, which then are files, for as long as it runs (`spark.shuffle.service.enabled`).
    pub service: bool,
    /// A longer log of an executor is cut.
    pub log_bytes: u64,
    /// Settings handed on.
    pub conf: BTreeMap<String, String>,
}

enum Message {
    Lost(ExecutorId),
    Exited(ExecutorId, std::io::Result<ExitStatus>),
    Request(u32),
    Stop,
}

/// See the module.
pub(crate) struct LocalCluster {
    options: LocalClusterOptions,
    thread: Option<(Sender<Message>, JoinHandle<()>)>,
}

impl LocalCluster {
    pub fn new(options: LocalClusterOptions) -> LocalCluster {
        LocalCluster { options, thread: None }
    }
}

impl ExecutorManager for LocalCluster {
    fn start(&mut self, context: ManagerContext) -> Result<()> {
        let (messages, inbox) = channel();
        let losses = messages.clone();
        context.registry.set_on_loss(Box::new(move |executor| {
            // A manager that has stopped has ended them all.
            let _ = losses.send(Message::Lost(executor));
        }));
        let service = match self.options.service {
            true => {
                let serving =
                    blocks::serve_files(LOOPBACK, &self.options.security, blocks_root(&self.options.dir));
                Some(context.runtime.block_on(serving)?.0)
            }
            false => None,
        };
        let mut keeper = Keeper {
            service,
            options: self.options.clone(),
            context,
            messages: messages.clone(),
            wanted: match self.options.dynamic {
                true => 0,
                false => self.options.executors,
            },
            running: HashMap::new(),
            next: 0,
            fruitless: 0,
            blame: 0,
            came: 0,
            wait_until: None,
            next_cut: Instant::now() + CUT_LOGS_EVERY,
        };
        let thread = std::thread::Builder::new()
            .name("vonk-executors".to_string())
            .spawn(move || keeper.run(&inbox))
            .map_err(|e| Error::io("cannot start the thread that starts executors", e))?;
        self.thread = Some((messages, thread));
        Ok(())
    }

    fn request(&mut self, total: u32) {
        if let Some((messages, _)) = &self.thread {
            let _ = messages.send(Message::Request(total));
        }
    }

    fn stop(&mut self) {
        if let Some((messages, thread)) = self.thread.take() {
            let _ = messages.send(Message::Stop);
            let _ = thread.join();
        }
    }
}

/// The folder in which executors leave their blocks for the shuffle service.
fn blocks_root(dir: &Path) -> PathBuf {
    dir.join("blocks")
}

/// Removes what an executor left.
fn clean(dir: &Path) {
    // What cannot be removed now goes with the application's folder.
    let _ = std::fs::remove_dir_all(dir);
    process::remove_logs(dir);
}

/// A process that runs, and its folder.
struct Process {
    pid: u32,
    dir: PathBuf,
}

struct Keeper {
    options: LocalClusterOptions,
    /// `host:port` of the shuffle service.
    service: Option<String>,
    context: ManagerContext,
    messages: Sender<Message>,
    /// Executors that are to run.
    wanted: u32,
    running: HashMap<ExecutorId, Process>,
    next: u64,
    /// Starts in a row of executors that did not attach, and what they count for.
    fruitless: u32,
    blame: u32,
    /// Executors that had attached when these were counted.
    came: u64,
    wait_until: Option<Instant>,
    /// When to look at logs again.
    next_cut: Instant,
}

impl Keeper {
    fn run(&mut self, inbox: &Receiver<Message>) {
        loop {
            self.fill_up();
            let late = self.context.registry.give_up_late(self.context.patience);
            let at = [self.wait_until, late].into_iter().flatten().fold(self.next_cut, Instant::min);
            match inbox.recv_timeout(at.saturating_duration_since(Instant::now())) {
                Ok(Message::Lost(executor)) => {
                    if let Some(process) = self.running.get(&executor) {
                        process::kill(process.pid);
                    }
                }
                Ok(Message::Exited(executor, status)) => self.exited(executor, status),
                Ok(Message::Request(total)) => self.wanted = total.min(self.options.executors),
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
            let now = Instant::now();
            self.wait_until = self.wait_until.filter(|at| *at > now);
            if self.next_cut <= now {
                self.next_cut = now + CUT_LOGS_EVERY;
                self.running.values().for_each(|p| process::cut_log(&p.dir, self.options.log_bytes));
            }
        }
        self.end_all(inbox);
    }

    /// Starts what is missing, unless it is too early to try again.
    fn fill_up(&mut self) {
        while self.wait_until.is_none() && self.running.len() < self.wanted as usize {
            let executor = ExecutorId(self.next);
            self.next += 1;
            if let Err(error) = self.start(executor) {
                self.context.registry.ended(executor, "it could not be started");
                clean(&self.folder(executor));
                self.came_to_nothing(&error.to_string(), FAILED);
            }
        }
    }

    fn folder(&self, executor: ExecutorId) -> PathBuf {
        self.options.dir.join(format!("executor-{executor}"))
    }

    fn start(&mut self, executor: ExecutorId) -> Result<()> {
        let dir = self.folder(executor);
        let o = &self.options;
        let options = ExecutorOptions {
            driver: self.context.driver.clone(),
            application: o.application.clone(),
            executor: executor.0,
            bind: LOOPBACK.to_string(),
            host: LOOPBACK.to_string(),
            slots: o.slots,
            memory: o.memory,
            dir,
            service: self.service.clone(),
            blocks_dir: self
                .service
                .is_some()
                .then(|| ServiceFiles::folder(&blocks_root(&o.dir), &o.application, executor.0)),
            conf: o.conf.clone(),
        };
        self.context.registry.expect(executor);
        let messages = self.messages.clone();
        let start = || process::start_executor(&o.program, &options, &o.security);
        let pid = process::watched(start, move |status| {
            // A keeper that is gone has nothing left to keep.
            let _ = messages.send(Message::Exited(executor, status));
        })?;
        self.running.insert(executor, Process { pid, dir: options.dir });
        Ok(())
    }

    fn exited(&mut self, executor: ExecutorId, status: std::io::Result<ExitStatus>) {
        let Some(Process { dir, .. }) = self.running.remove(&executor) else { return };
        let (code, how) = process::describe_end(status, &dir);
        if !self.context.registry.ended(executor, &how) {
            self.came_to_nothing(&how, if code.is_some() { FAILED } else { KILLED });
        }
        clean(&dir);
    }

    /// A start that came to nothing: the next waits a little, and the more, the more there were.
    fn came_to_nothing(&mut self, why: &str, blame: u32) {
        let came = self.context.registry.came();
        if std::mem::replace(&mut self.came, came) != came {
            // Others could be started since.
            (self.fruitless, self.blame) = (0, 0);
        }
        self.fruitless += 1;
        self.blame += blame;
        tracing::error!(why, "an executor could not be started");
        if self.blame >= HOPELESS {
            let error = Error::new("_EXECUTOR_START_FAILED").with("cause", why);
            self.context.mailbox.unavailable(error);
        }
        let wait = FIRST_WAIT.saturating_mul(1 << self.fruitless.min(10)).min(LONGEST_WAIT);
        self.wait_until = Some(Instant::now() + wait);
    }

    /// They were asked to leave: those that do not are killed.
    fn end_all(&mut self, inbox: &Receiver<Message>) {
        let deadline = Instant::now() + GRACE;
        while !self.running.is_empty() {
            match inbox.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(Message::Exited(executor, _)) => self.forget(executor),
                Ok(_) => {}
                Err(_) => break,
            }
        }
        self.running.values().for_each(|process| process::kill(process.pid));
        while !self.running.is_empty() {
            // A killed process does end, and its thread tells.
            match inbox.recv() {
                Ok(Message::Exited(executor, _)) => self.forget(executor),
                Ok(_) => {}
                Err(_) => break,
            }
        }
        let _ = std::fs::remove_dir_all(&self.options.dir);
    }

    fn forget(&mut self, executor: ExecutorId) {
        if let Some(process) = self.running.remove(&executor) {
            clean(&process.dir);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::{Heard, Mailbox};
    use crate::remote::registry::Registry;
    use std::sync::Arc;

    /// Executors of a program that is none.
    fn cluster(dir: &Path, program: &str) -> LocalCluster {
        LocalCluster::new(LocalClusterOptions {
            executors: 2,
            dynamic: false,
            slots: 1,
            memory: 1 << 20,
            application: "app".to_string(),
            dir: dir.join("session"),
            program: Program::from_setting(program).unwrap(),
            security: Security::none(),
            service: false,
            log_bytes: 1 << 20,
            conf: BTreeMap::new(),
        })
    }

    /// What is so when executors of this program have been started and `is` is satisfied.
    fn of<T>(program: &str, is: impl FnOnce(&Path, &Heard) -> T) -> T {
        let dir = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let (mailbox, heard) = Mailbox::for_test();
        let registry = Arc::new(Registry::new("app".to_string(), false, mailbox.clone()));
        let mut cluster = cluster(dir.path(), program);
        let context = ManagerContext {
            driver: "127.0.0.1:1".to_string(),
            registry,
            mailbox,
            patience: Duration::from_millis(200),
            runtime: runtime.handle().clone(),
        };
        cluster.start(context).unwrap();
        let seen = is(&dir.path().join("session"), &heard);
        cluster.stop();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "nothing is left");
        seen
    }

    #[test]
    fn where_executors_cannot_be_started_who_waits_is_told() {
        let reason =
            |_: &Path, heard: &Heard| heard.unavailable(Duration::from_secs(30)).unwrap().to_string();
        assert!(of("ls /this/is/not/there", reason).contains("/this/is/not/there"));
        assert!(of("/no/such/program", reason).contains("/no/such/program"));
    }

    #[test]
    fn executors_that_hang_are_given_up_and_others_are_started() {
        of("sleep 1000", |dir, heard| {
            let deadline = Instant::now() + Duration::from_secs(30);
            while !dir.join("executor-4").exists() {
                assert!(Instant::now() < deadline, "no others are started");
                std::thread::sleep(Duration::from_millis(20));
            }
            assert!(!dir.join("executor-0.log").exists(), "the first is gone");
            assert!(heard.unavailable(Duration::ZERO).is_none(), "this may pass");
        });
    }
}
