//! What is known of those who read a result: who waits and is to be woken, who has gone, and when somebody read last.

use std::task::Waker;
use std::time::Instant;

/// The reader of one part of a result.
pub(super) struct Reader {
    waker: Option<Waker>,
    /// It has asked for rows and got none yet.
    waiting: bool,
    /// It is gone: its rows are of no use.
    pub closed: bool,
    last_read: Instant,
}

impl Reader {
    pub fn new() -> Reader {
        Reader { waker: None, waiting: false, closed: false, last_read: Instant::now() }
    }

    /// It got what it asked for.
    pub fn served(&mut self) {
        (self.waiting, self.waker, self.last_read) = (false, None, Instant::now());
    }

    /// It has to wait, and will be woken by this unless it is blocked; whether it did not before.
    pub fn waits(&mut self, waker: Option<&Waker>) -> bool {
        if let Some(waker) = waker {
            match &mut self.waker {
                Some(old) => old.clone_from(waker),
                None => self.waker = Some(waker.clone()),
            }
        }
        !std::mem::replace(&mut self.waiting, true)
    }

    /// Whether it waits for rows.
    pub fn is_waiting(&self) -> bool {
        self.waiting && !self.closed
    }

    /// Whom to wake, if it waits without a thread.
    pub fn wake(&mut self) -> Option<Waker> {
        self.waker.take()
    }

    /// When it last asked for rows or was given some: now, as long as it waits.
    pub fn last_read(&self) -> Instant {
        if self.waiting { Instant::now() } else { self.last_read }
    }
}
