//! Runs one request to its end: tries again what may pass, and turns what does not into a fetch failure.

use crate::fetch::FetchOptions;
use crate::fetch::reader::Shared;
use crate::fetch::stream::{Failure, StreamEnd, fetch_stream};
use crate::flight::protocol::BlockTicket;
use crate::places::Source;
use std::sync::Arc;
use std::time::Duration;
use vonk_error::{Error, ErrorKind, FetchFailure};

/// Times that a server may be too busy before it counts as lost.
const MAX_BUSY: u32 = 100;

/// Fetches what the request of a place asks for.
pub(crate) async fn run(shared: Arc<Shared>, remote: usize) {
    let mut ending =
        Ending { shared, remote, failed: Some(Error::internal("a request for blocks panicked")) };
    ending.failed = to_its_end(&ending.shared, remote).await;
}

/// A request that is over, however it came to that, frees its place: its reader would wait for it.
struct Ending {
    shared: Arc<Shared>,
    remote: usize,
    failed: Option<Error>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.shared.ended(self.remote, self.failed.take());
    }
}

async fn to_its_end(shared: &Shared, remote: usize) -> Option<Error> {
    let mut patience = Patience::new(&shared.options);
    loop {
        let before = shared.arrivals();
        match attempt(shared, remote).await {
            Ok(()) => return None,
            Err(failure) => {
                let progressed = shared.arrivals() != before;
                match patience.after(failure, progressed) {
                    Verdict::Again(wait) => tokio::time::sleep(wait).await,
                    Verdict::Lost { cause, unreachable } => {
                        return Some(lost(shared, remote, &cause, unreachable));
                    }
                    Verdict::Final(error) => return Some(error),
                }
            }
        }
    }
}

async fn attempt(shared: &Shared, remote: usize) -> Result<(), Failure> {
    let (request, place) = shared.again(remote);
    let (from, asked) = (request.from, request.maps.len());
    let mut taken = 0;
    let take = |arrived| {
        taken += 1;
        shared.arrived(remote, from, arrived);
        Ok(())
    };
    let end: StreamEnd = match &place.source {
        Source::Flight(address) => {
            let ticket = BlockTicket {
                application: shared.application.to_string(),
                executor: place.executor,
                shuffle: shared.shuffle,
                reduces: (shared.reduce, shared.reduce + 1),
                maps: request.maps,
                resume: request.resume,
                max_bytes: request.max_bytes,
            };
            fetch_stream(&shared.connections, address, &ticket, shared.options.idle_timeout, take).await?
        }
        Source::Store(url) => {
            let Some(store) = &shared.store else {
                return Err(Failure::Final(Error::unsupported(format!("the object store of {url}"))));
            };
            let outputs = store.outputs(url).map_err(Failure::Final)?;
            let what = (shared.shuffle, shared.reduce, place.executor);
            outputs.fetch(what, (&request.maps, request.resume, request.max_bytes), take).await?
        }
    };
    if taken == 0 && end.position == 0 && asked > 0 {
        return Err(Failure::Unreadable(Error::io(
            "cannot fetch blocks",
            "a stream ended where it had begun",
        )));
    }
    shared.advanced(remote, from + end.position as usize, end.resume);
    Ok(())
}

fn lost(shared: &Shared, remote: usize, cause: &str, unreachable: bool) -> Error {
    let (map, executor) = shared.current(remote);
    let failure = FetchFailure { shuffle: shared.shuffle, map, reduce: shared.reduce, executor, unreachable };
    Error::fetch_failed(failure, cause)
}

/// What is left of the tries of a request.
struct Patience {
    tries: u32,
    /// Of being told that the server has too much to do.
    busy: u32,
    max_retries: u32,
    wait: Duration,
    was_silent: bool,
    was_corrupt: bool,
}

#[derive(Debug)]
enum Verdict {
    Again(Duration),
    Lost {
        cause: String,
        /// Of what is at that place nothing can be had.
        unreachable: bool,
    },
    Final(Error),
}

impl Verdict {
    fn lost(cause: impl ToString) -> Verdict {
        Verdict::Lost { cause: cause.to_string(), unreachable: false }
    }

    fn unreachable(cause: impl ToString) -> Verdict {
        Verdict::Lost { cause: cause.to_string(), unreachable: true }
    }
}

impl Patience {
    fn new(options: &FetchOptions) -> Self {
        Patience {
            tries: 0,
            busy: 0,
            max_retries: options.max_retries,
            wait: options.retry_wait,
            was_silent: false,
            was_corrupt: false,
        }
    }

    /// One of the tries, if any is left.
    fn again(&mut self) -> Option<Verdict> {
        self.tries += 1;
        (self.tries <= self.max_retries).then_some(Verdict::Again(self.wait))
    }

    fn after(&mut self, failure: Failure, progressed: bool) -> Verdict {
        if progressed {
            self.tries = 0;
        }
        match failure {
            Failure::Final(error) => match error.kind() {
                // A wrong secret, another version, a cancelled task: not the block's fault.
                ErrorKind::FetchFailed(_) | ErrorKind::User | ErrorKind::Cancelled => Verdict::Final(error),
                _ => Verdict::lost(error),
            },
            Failure::Transient(error) => self.again().unwrap_or_else(|| Verdict::unreachable(error)),
            Failure::Unreadable(error) => self.again().unwrap_or_else(|| Verdict::lost(error)),
            Failure::Busy(error) => {
                self.busy = if progressed { 1 } else { self.busy + 1 };
                if self.busy > MAX_BUSY {
                    return Verdict::lost(error);
                }
                Verdict::Again(self.wait)
            }
            // Once more: it may have been this process that was paused.
            Failure::Silent(error) => {
                if std::mem::replace(&mut self.was_silent, true) {
                    return Verdict::unreachable(error);
                }
                Verdict::Again(Duration::ZERO)
            }
            Failure::Corrupt(what) => {
                if std::mem::replace(&mut self.was_corrupt, true) {
                    return Verdict::lost(format!("{what} has arrived corrupt twice"));
                }
                Verdict::Again(Duration::ZERO)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_ends() {
        let options = FetchOptions { max_retries: 2, ..Default::default() };
        let broken = || Failure::Transient(Error::io("reading", "reset"));
        let mut p = Patience::new(&options);
        assert!(matches!(p.after(broken(), false), Verdict::Again(_)));
        assert!(matches!(p.after(broken(), false), Verdict::Again(_)));
        assert!(matches!(p.after(broken(), true), Verdict::Again(_)), "progress counts");
        assert!(matches!(p.after(broken(), false), Verdict::Again(_)));
        assert!(matches!(p.after(broken(), false), Verdict::Lost { unreachable: true, .. }));
        let mut p = Patience::new(&FetchOptions { max_retries: 0, ..options });
        let disk = Failure::Unreadable(Error::io("reading", "too many open files"));
        assert!(matches!(p.after(disk, false), Verdict::Lost { unreachable: false, .. }));
        let mut p = Patience::new(&options);
        let silent = || Failure::Silent(Error::io("reading", "nothing"));
        assert!(matches!(p.after(silent(), false), Verdict::Again(_)));
        assert!(matches!(p.after(silent(), false), Verdict::Lost { unreachable: true, .. }));
        let mut p = Patience::new(&options);
        assert!(matches!(p.after(Failure::Corrupt("it".into()), true), Verdict::Again(_)));
        assert!(matches!(
            p.after(Failure::Corrupt("it".into()), true),
            Verdict::Lost { unreachable: false, .. }
        ));
        let user = Failure::Final(Error::new("_UNAUTHENTICATED"));
        assert!(matches!(p.after(user, false), Verdict::Final(_)));
    }
}
