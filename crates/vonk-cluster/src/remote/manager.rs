//! Who starts executors for a driver: the trait that local-cluster and the standalone cluster implement differently.

use crate::driver::Mailbox;
use crate::remote::registry::Registry;
use std::sync::Arc;
use std::time::Duration;
use vonk_error::Result;

/// What an executor manager is given.
#[derive(Clone)]
pub(crate) struct ManagerContext {
    /// Where executors attach.
    pub driver: String,
    /// To be told which executors to expect, and that one is gone.
    pub registry: Arc<Registry>,
    /// To be told that there are no executors and will be none.
    pub mailbox: Mailbox,
    /// How long an executor may take from its start until it attaches.
    pub patience: Duration,
    /// Threads of connections.
    pub runtime: tokio::runtime::Handle,
}

/// See the module.
pub(crate) trait ExecutorManager: Send {
    /// The driver listens: executors are wanted.
    fn start(&mut self, context: ManagerContext) -> Result<()>;
    /// So many executors are wanted in all. Those that are too many are asked to leave by the driver, and not replaced.
    fn request(&mut self, total: u32);
    /// No executors are wanted any more; when this returns, all have ended and what they left is removed.
    fn stop(&mut self);
}
