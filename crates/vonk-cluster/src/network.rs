//! Threads of connections.
//!
//! A program that is asynchronous itself makes and drops sessions, too, on threads where tokio allows nobody to wait for another runtime: so
//! whoever waits does it on a thread of its own, and nobody waits for the end of these threads.

use std::future::Future;
use tokio::runtime::{Builder, Handle, Runtime};
use vonk_error::{Error, Result};

/// The threads of connections. Tasks have threads of their own.
pub(crate) fn network_runtime() -> Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("vonk-net")
        .enable_all()
        .build()
        .map_err(|e| Error::io("cannot start the threads of connections", e))
}

/// The same for a session. Dropped, they end soon.
pub(crate) struct NetworkThreads(Option<Runtime>);

impl NetworkThreads {
    pub fn new() -> Result<NetworkThreads> {
        Ok(NetworkThreads(Some(network_runtime()?)))
    }

    pub fn handle(&self) -> &Handle {
        let Some(runtime) = &self.0 else { unreachable!("it goes when this is dropped") };
        runtime.handle()
    }

    /// Waits for some work, on whatever thread.
    pub fn wait_for<T: Send>(&self, work: impl Future<Output = T> + Send) -> Result<T> {
        let handle = self.handle();
        if Handle::try_current().is_err() {
            return Ok(handle.block_on(work));
        }
        std::thread::scope(|scope| scope.spawn(|| handle.block_on(work)).join())
            .map_err(|_| Error::internal("a thread of connections panicked"))
    }
}

impl Drop for NetworkThreads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // A test fails by panicking.

    use super::*;

    #[tokio::test]
    async fn in_an_asynchronous_program() {
        let threads = NetworkThreads::new().unwrap();
        assert_eq!(threads.wait_for(async { 1 }).unwrap(), 1);
    }
}
