//! The executors that a driver knows: who may attach, who has, and who is gone.
//!
//! Shared between the connections' tasks, the driver's thread and whoever starts executors. Invariant: an executor is expected, then
//! attached, then gone, each once; the driver's thread hears of the second and the third, in this order. One that is gone is forgotten
//! when its process has ended and nobody asks for its blocks any more.

use crate::driver::Mailbox;
use crate::remote::protocol::{Heartbeat, Registration, ToExecutor};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tonic::Status;
use vonk_error::{Error, Result};
use vonk_scheduler::ExecutorId;
use vonk_shuffle::Place;

/// Messages to an executor that wait to be sent: one that takes none is as good as lost.
const OUTBOX: usize = 4096;

enum Entry {
    Expected {
        since: Instant,
    },
    Attached {
        sender: mpsc::Sender<std::result::Result<ToExecutor, Status>>,
        health: Heartbeat,
        place: Place,
    },
    Gone {
        attached: bool,
        /// Where its blocks are or were, as long as anybody may ask.
        place: Option<Place>,
        /// Whoever started its process knows that it has ended.
        ended: bool,
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
    /// Executors that ever attached.
    came: AtomicU64,
    on_loss: Mutex<Option<LossListener>>,
    /// All are to end: none that does is lost.
    stopping: AtomicBool,
}

impl Registry {
    pub fn new(application: String, blocks_survive: bool, mailbox: Mailbox) -> Registry {
        let (entries, came, on_loss) = (Mutex::default(), AtomicU64::new(0), Mutex::default());
        let stopping = AtomicBool::new(false);
        Registry { application, blocks_survive, mailbox, entries, came, on_loss, stopping }
    }

    /// Whoever starts executors is told of each that is lost, so that it ends the process.
    pub fn set_on_loss(&self, listener: LossListener) {
        *self.on_loss.lock() = Some(listener);
    }

    /// An executor of this number was started and may attach.
    pub fn expect(&self, executor: ExecutorId) {
        self.entries.lock().entry(executor.0).or_insert_with(|| Entry::Expected { since: Instant::now() });
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
            Some(Entry::Expected { .. }) => {}
            Some(_) => return refused("an executor of this number has attached before"),
            None => return refused("no executor of this number was started"),
        }
        let (sender, receiver) = mpsc::channel(OUTBOX);
        // There is room: the channel is new.
        let _ = sender.try_send(Ok(first));
        let (health, place) = (Heartbeat::default(), Place { executor, source: blocks });
        entries.insert(executor, Entry::Attached { sender, health, place });
        self.came.fetch_add(1, Ordering::Relaxed);
        // Told under the lock, so that its loss is told after it.
        self.mailbox.executor_added(ExecutorId(executor), host, slots);
        Ok(receiver)
    }

    /// Whether an executor has attached, and is not forgotten.
    pub fn has_attached(&self, executor: ExecutorId) -> bool {
        matches!(
            self.entries.lock().get(&executor.0),
            Some(Entry::Attached { .. } | Entry::Gone { attached: true, .. })
        )
    }

    /// Gives up executors that have not attached in time: a process that was started may hang before it says anything. When the next one
    /// is late.
    pub fn give_up_late(&self, patience: Duration) -> Option<Instant> {
        let at = |entry: &Entry| match entry {
            Entry::Expected { since } => Some(*since + patience),
            Entry::Attached { .. } | Entry::Gone { .. } => None,
        };
        let expected: Vec<(u64, Instant)> = self
            .entries
            .lock()
            .iter()
            .filter_map(|(executor, entry)| Some((*executor, at(entry)?)))
            .collect();
        let now = Instant::now();
        let (late, others): (Vec<_>, Vec<_>) = expected.into_iter().partition(|(_, at)| *at <= now);
        for (executor, _) in late {
            let reason = format!("it has not come within {} ms", patience.as_millis());
            tracing::warn!(executor, reason, "executor given up");
            self.lost(ExecutorId(executor), &reason);
        }
        others.into_iter().map(|(_, at)| at).min()
    }

    /// How many have ever attached.
    pub fn came(&self) -> u64 {
        self.came.load(Ordering::Relaxed)
    }

    /// Whether there is an executor, or was one that is not forgotten.
    pub fn knows(&self, executor: ExecutorId) -> bool {
        self.entries.lock().contains_key(&executor.0)
    }

    /// Tells all of them to end.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.send_all(&ToExecutor::Stop);
    }

    /// An executor is gone. Only the first to say so is heard.
    pub fn lost(&self, executor: ExecutorId, reason: &str) {
        let mut entries = self.entries.lock();
        let Some(entry) = entries.get_mut(&executor.0) else { return };
        let (attached, place) = match entry {
            Entry::Expected { .. } => (false, None),
            Entry::Attached { place, .. } => (true, Some(place.clone())),
            Entry::Gone { .. } => return,
        };
        *entry = Entry::Gone { attached, place, ended: false };
        if attached && self.stopping.load(Ordering::Relaxed) {
            tracing::debug!(executor = executor.0, reason, "executor ended");
        } else if attached {
            tracing::warn!(executor = executor.0, reason, "executor lost");
            self.mailbox.executor_lost(executor, !self.blocks_survive);
        }
        drop(entries);
        if let Some(listener) = &*self.on_loss.lock() {
            listener(executor);
        }
    }

    /// The process of an executor has ended, and says nothing any more; whether it ever attached.
    pub fn ended(&self, executor: ExecutorId, reason: &str) -> bool {
        self.lost(executor, reason);
        let mut entries = self.entries.lock();
        let Some(Entry::Gone { attached, ended, .. }) = entries.get_mut(&executor.0) else { return false };
        *ended = true;
        let attached = *attached;
        forget(&mut entries, executor);
        attached
    }

    /// Nobody asks any more for the blocks of an executor that is gone.
    pub fn forget_place(&self, executor: ExecutorId) {
        let mut entries = self.entries.lock();
        if let Some(Entry::Gone { place, .. }) = entries.get_mut(&executor.0) {
            *place = None;
            forget(&mut entries, executor);
        }
    }

    /// An executor is to leave. One that is gone has left.
    pub fn drain(&self, executor: ExecutorId) {
        let entries = self.entries.lock();
        if let Some(Entry::Expected { .. } | Entry::Attached { .. }) = entries.get(&executor.0) {
            // Told under the lock, so that its loss is told after it.
            self.mailbox.drain(executor);
        }
    }

    /// Takes note of how an executor is.
    pub fn heard(&self, executor: ExecutorId, heartbeat: Heartbeat) {
        if let Some(Entry::Attached { health, .. }) = self.entries.lock().get_mut(&executor.0) {
            *health = heartbeat;
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
            Entry::Expected { .. } => None,
        }
    }

    /// The executors that are there, with how they are and where their blocks are.
    pub fn attached(&self) -> Vec<(ExecutorId, Heartbeat, Place)> {
        let one = |(executor, entry): (&u64, &Entry)| match entry {
            Entry::Attached { health, place, .. } => Some((ExecutorId(*executor), *health, place.clone())),
            Entry::Expected { .. } | Entry::Gone { .. } => None,
        };
        self.entries.lock().iter().filter_map(one).collect()
    }
}

/// Forgets an executor that is gone, if nothing of it matters any more.
fn forget(entries: &mut HashMap<u64, Entry>, executor: ExecutorId) {
    if let Some(Entry::Gone { place: None, ended: true, .. }) = entries.get(&executor.0) {
        entries.remove(&executor.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vonk_shuffle::Source;

    #[test]
    fn an_executor_attaches_once_is_lost_once_and_is_forgotten() {
        let (mailbox, _inbox) = Mailbox::for_test();
        let registry = Registry::new("app".to_string(), true, mailbox);
        let executor = ExecutorId(3);
        let registration = Registration {
            application: "app".to_string(),
            executor: 3,
            host: "h".to_string(),
            blocks: Source::Flight("h:1".to_string()),
            slots: 1,
        };
        let attach = || registry.attach(&registration, ToExecutor::Stop);
        assert!(attach().is_err(), "it was not started");
        registry.expect(executor);
        let _outgoing = attach().unwrap();
        assert!(attach().is_err(), "it has attached");
        registry.lost(executor, "");
        assert!(attach().is_err(), "it is gone");
        assert!(registry.place(executor).is_some(), "its blocks are there");
        assert!(registry.ended(executor, "") && registry.knows(executor));
        registry.forget_place(executor);
        assert!(!registry.knows(executor) && attach().is_err());
        // One that does not come in time; it may have, a moment later.
        registry.expect(ExecutorId(9));
        assert!(registry.give_up_late(Duration::from_secs(60)).is_some());
        let registration = Registration { executor: 9, ..registration };
        assert_eq!(registry.give_up_late(Duration::ZERO), None);
        assert!(registry.attach(&registration, ToExecutor::Stop).is_err(), "it was given up");
        assert!(!registry.ended(ExecutorId(9), "") && !registry.knows(ExecutorId(9)));
        // The other way around, and one that never came.
        for (number, attaches) in [(4, true), (5, false)] {
            let executor = ExecutorId(number);
            registry.expect(executor);
            if attaches {
                let registration = Registration { executor: number, ..registration.clone() };
                drop(registry.attach(&registration, ToExecutor::Stop).unwrap());
                registry.lost(executor, "");
                registry.forget_place(executor);
                assert!(registry.has_attached(executor), "its process may live");
            }
            assert_eq!(registry.ended(executor, ""), attaches);
            assert!(!registry.knows(executor));
        }
    }
}
