//! A thread with an inbox and a clock: where a state machine runs.
//!
//! Must not know: which machine.

use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use vonk_scheduler::Time;

/// Messages that may wait. Who sends more waits, too.
const INBOX: usize = 4096;

/// Where a machine's messages are put.
pub(crate) type Inbox<M> = mpsc::Sender<M>;

/// A channel to a machine.
pub(crate) fn inbox<M>() -> (Inbox<M>, mpsc::Receiver<M>) {
    mpsc::channel(INBOX)
}

/// A clock that begins now. A machine's time never goes back, nor does this.
#[derive(Clone, Copy)]
pub(crate) struct Clock(Instant);

impl Clock {
    pub fn start() -> Clock {
        Clock(Instant::now())
    }

    pub fn now(&self) -> Time {
        Time(u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    fn until(&self, time: Option<Time>) -> Duration {
        // Something to wake up for even so, should a timer be forgotten.
        const LONGEST: u64 = 60_000;
        Duration::from_millis(time.map_or(LONGEST, |t| t.since(self.now())).min(LONGEST))
    }
}

/// What the next messages are: none when it is time for a tick; `None` when nobody can send any more.
pub(crate) fn receive<M>(
    runtime: &Handle,
    inbox: &mut mpsc::Receiver<M>,
    clock: Clock,
    timer: Option<Time>,
) -> Option<Vec<M>> {
    const BATCH: usize = 256;
    let wait = clock.until(timer);
    let first = runtime.block_on(async { tokio::time::timeout(wait, inbox.recv()).await });
    let mut all = match first {
        Err(_) => return Some(Vec::new()),
        Ok(None) => return None,
        Ok(Some(first)) => vec![first],
    };
    while all.len() < BATCH {
        match inbox.try_recv() {
            Ok(message) => all.push(message),
            Err(_) => break,
        }
    }
    Some(all)
}
