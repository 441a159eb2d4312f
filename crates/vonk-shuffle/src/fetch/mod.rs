//! Reading blocks of other processes: requests over pooled connections or to an object store, retried, prefetched within bounds, and
//! handed to the task in the order of the map partitions.
//!
//! Network lives on tokio; the task's thread only waits for what has arrived, and decodes it.

mod connections;
mod progress;
mod reader;
mod request;
mod stream;

pub use connections::Connections;
pub(crate) use reader::{FetchEnv, FetchReader};
pub(crate) use stream::{Arrived, Failure, StreamEnd, fetch_stream};

use std::time::Duration;

/// How blocks are fetched.
#[derive(Debug, Clone, Copy)]
pub struct FetchOptions {
    /// Bytes of a task that are asked for and not consumed yet (`spark.reducer.maxSizeInFlight`). One request asks for a fifth.
    pub max_bytes_in_flight: u64,
    /// Requests of a task at once.
    pub max_requests: usize,
    /// Tries again after a transient failure (`spark.shuffle.io.maxRetries`).
    pub max_retries: u32,
    /// Time between tries (`spark.shuffle.io.retryWait`); short, since the driver soon knows of an executor's death.
    pub retry_wait: Duration,
    /// A peer that says nothing for so long is taken for dead.
    pub idle_timeout: Duration,
    /// Longest time for a connection to be made.
    pub connect_timeout: Duration,
}

impl Default for FetchOptions {
    fn default() -> Self {
        FetchOptions {
            max_bytes_in_flight: 48 << 20,
            max_requests: 64,
            max_retries: 3,
            retry_wait: Duration::from_millis(200),
            idle_timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(5),
        }
    }
}

impl FetchOptions {
    /// Bytes of one request, as Spark: five can be on their way at once.
    pub(crate) fn request_bytes(&self) -> u64 {
        (self.max_bytes_in_flight / 5).max(1)
    }
}
