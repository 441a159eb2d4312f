//! The executors that a driver knows: who may attach, who has, and who is gone.
//!
//! Shared between the connections' tasks, the driver's thread and whoever starts executors. Invariant: an executor is expected, then
//! attached, then gone, each once; the driver's thread hears of the second and the third, in this order.

use crate::driver::Mailbox;
use crate::remote::protocol::{Heartbeat, Registration, ToExecutor};
use parking_lot::Mutex;
use std::collections::{BTreeSet, HashMap};
use std::time::Instant;
use tokio::sync::mpsc;
use tonic::Status;
use vonk_error::{Error, Result};
use vonk_scheduler::ExecutorId;
use vonk_shuffle::{Place, Source};

/// Messages to an executor that wait to be sent: one that takes none is as good as lost.
const OUTBOX: usize = 4096;

/// An executor as status pages show it.
#[derive(Debug, Clone)]
pub struct ExecutorStatus {
    /// Its number.
    pub executor: u64,
    /// Its machine.
    pub host: String,
    /// Where its blocks are served.
    pub blocks: String,
    /// Tasks at once.
    pub slots: u32,
    /// Bytes that its operators and blocks hold.
    pub memory_used: u64,
    /// The most they ever held.
    pub memory_peak: u64,
    /// Tasks that run.
    pub running: u32,
    /// When it was last heard of.
    pub heard: Instant,
    /// Why it is gone, if it is.
    pub gone: Option<String>,
}

enum Entry {
    Expected,
    Attached {
        sender: mpsc::Sender<std::result::Result<ToExecutor, Status>>,
        status: ExecutorStatus,
        place: Place,
    },
    Gone {
        status: Option<ExecutorStatus>,
        place: Option<Place>,
    },
}

type Outgoing = mpsc::Receiver<std::result::Result<ToExecutor, Status>>;
type LossListener = Box<dyn Fn(ExecutorId) + Send + Sync>;

/// See the module.
pub(crate) struct Registry {
    application: String,
    /// Blocks outlive their executors, since someone else serves them.
    blocks_survive: bool,
    mailbox: Mailbox,
    entries: Mutex<HashMap<u64, Entry>>,
    on_loss: Mutex<Option<LossListener>>,
}

impl Registry {
    pub fn new(application: String, blocks_survive: bool, mailbox: Mailbox) -> Registry {
        let (entries, on_loss) = (Mutex::default(), Mutex::default());
        Registry { application, blocks_survive, mailbox, entries, on_loss }
    }

    /// Whoever starts executors is told of each that is lost, so that it ends the process.
    pub fn set_on_loss(&self, listener: LossListener) {
        *self.on_loss.lock() = Some(listener);
    }

    /// An executor of this number was started and may attach.
    pub fn expect(&self, executor: ExecutorId) {
        self.entries.lock().entry(executor.0).or_insert(Entry::Expected);
    }

    /// Lets an executor in; what is sent to it comes out of the receiver.
    pub fn attach(&self, registration: &Registration, first: ToExecutor) -> Result<Outgoing> {
        let Registration { application, executor, host, blocks, slots } = registration.clone();
        let refused = |cause: &str| Err(Error::io(format!("executor {executor} is refused"), cause));
        if application != self.application {
            return refused("it was started for another application");
        }
        if slots == 0 {
            return refused("it has no slots");
        }
        let mut entries = self.entries.lock();
        match entries.get(&executor) {
            Some(Entry::Expected) => {}
            Some(_) => return refused("an executor of this number has attached before"),
            None => return refused("no executor of this number was started"),
        }
        let (sender, receiver) = mpsc::channel(OUTBOX);
        // There is room: the channel is new.
        let _ = sender.try_send(Ok(first));
        let place = Place { executor, source: blocks.clone() };
        let heard = Instant::now();
        let status = ExecutorStatus {
            executor,
            host: host.clone(),
            blocks: match blocks {
                Source::Flight(address) => address,
                Source::Store(url) => url,
            },
            slots,
            memory_used: 0,
            memory_peak: 0,
            running: 0,
            heard,
            gone: None,
        };
        entries.insert(executor, Entry::Attached { sender, status, place });
        // Told under the lock, so that its loss is told after it.
        self.mailbox.executor_added(ExecutorId(executor), host, slots);
        Ok(receiver)
    }

    /// Whether an executor has attached, whatever became of it.
    pub fn has_attached(&self, executor: ExecutorId) -> bool {
        matches!(
            self.entries.lock().get(&executor.0),
            Some(Entry::Attached { .. } | Entry::Gone { status: Some(_), .. })
        )
    }

    /// An executor is gone. Only the first to say so is heard.
    pub fn lost(&self, executor: ExecutorId, reason: &str) {
        let mut entries = self.entries.lock();
        let Some(entry) = entries.get_mut(&executor.0) else { return };
        let attached = match std::mem::replace(entry, Entry::Gone { status: None, place: None }) {
            Entry::Attached { mut status, place, .. } => {
                status.gone = Some(reason.to_string());
                *entry = Entry::Gone { status: Some(status), place: Some(place) };
                true
            }
            Entry::Expected => false,
            gone @ Entry::Gone { .. } => {
                *entry = gone;
                return;
            }
        };
        if attached {
            tracing::warn!(executor = executor.0, reason, "executor lost");
            self.mailbox.executor_lost(executor, !self.blocks_survive);
        }
        drop(entries);
        if let Some(listener) = &*self.on_loss.lock() {
            listener(executor);
        }
    }

    /// Notes that an executor lives.
    pub fn heard(&self, executor: ExecutorId, health: Option<Heartbeat>) {
        if let Some(Entry::Attached { status, .. }) = self.entries.lock().get_mut(&executor.0) {
            status.heard = Instant::now();
            if let Some(Heartbeat { memory_used, memory_peak, running }) = health {
                (status.memory_used, status.memory_peak, status.running) =
                    (memory_used, memory_peak, running);
            }
        }
    }

    /// Sends messages to an executor. One that is not there gets nothing; one that takes nothing is lost.
    pub fn send(&self, executor: ExecutorId, messages: impl IntoIterator<Item = ToExecutor>) {
        let sender = match self.entries.lock().get(&executor.0) {
            Some(Entry::Attached { sender, .. }) => sender.clone(),
            _ => return,
        };
        for message in messages {
            if sender.try_send(Ok(message)).is_err() {
                return self.lost(executor, "it takes no messages");
            }
        }
    }

    /// Sends a message to all.
    pub fn send_all(&self, message: &ToExecutor) {
        let all: Vec<u64> = self.entries.lock().keys().copied().collect();
        all.into_iter().for_each(|e| self.send(ExecutorId(e), [message.clone()]));
    }

    /// Where the blocks of an executor are, or were.
    pub fn place(&self, executor: ExecutorId) -> Option<Place> {
        match self.entries.lock().get(&executor.0)? {
            Entry::Attached { place, .. } => Some(place.clone()),
            Entry::Gone { place, .. } => place.clone(),
            Entry::Expected => None,
        }
    }

    /// All executors that ever attached.
    pub fn executors(&self) -> Vec<ExecutorStatus> {
        let status = |e: &Entry| match e {
            Entry::Attached { status, .. } => Some(status.clone()),
            Entry::Gone { status, .. } => status.clone(),
            Entry::Expected => None,
        };
        let mut all: Vec<_> = self.entries.lock().values().filter_map(status).collect();
        all.sort_by_key(|e| e.executor);
        all
    }

    /// Where executors that are gone have left their outputs in an object store.
    pub fn stores_left(&self) -> Vec<String> {
        let left = |e: &Entry| match e {
            Entry::Gone { place: Some(Place { source: Source::Store(url), .. }), .. } => Some(url.clone()),
            _ => None,
        };
        self.entries.lock().values().filter_map(left).collect()
    }

    /// The servers of blocks that outlive executors.
    pub fn services(&self) -> BTreeSet<String> {
        let of = |e: &Entry| match e {
            Entry::Attached { place, .. } | Entry::Gone { place: Some(place), .. } => {
                Some(place.source.clone())
            }
            _ => None,
        };
        let sources: Vec<Source> = self.entries.lock().values().filter_map(of).collect();
        let flight = sources.into_iter().filter_map(|s| match s {
            Source::Flight(address) => Some(address),
            Source::Store(_) => None,
        });
        if self.blocks_survive { flight.collect() } else { BTreeSet::new() }
    }
}
