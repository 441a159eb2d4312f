//! The other side of `local-cluster`: the program that is started as an executor.

use vonk_cluster::executor::{ExecutorOptions, run};
pub use vonk_cluster::executor::{MemoryUse, MemoryWatch};
use vonk_error::Result;
use vonk_sources::Formats;

/// What this process is told to be, if a driver or worker has started it as an executor.
#[derive(Debug, Clone)]
pub struct Executor(ExecutorOptions);

impl Executor {
    /// Asks the environment. A program that makes sessions on `local-cluster[…]` calls it first in `main`, before it starts threads of its
    /// own: its executors are further processes of the same program.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), vonk::Error> {
    /// if let Some(executor) = vonk::Executor::from_environment()? {
    ///     return executor.run();
    /// }
    /// let session = vonk::Session::builder().config("spark.master", "local-cluster[2,1,1g]").build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_environment() -> Result<Option<Executor>> {
        Ok(ExecutorOptions::from_environment()?.map(Executor))
    }

    /// Is an executor, until its driver has no more use for it or is gone.
    pub fn run(&self) -> Result<()> {
        self.run_watched(&|_| {})
    }

    /// As [`run`](Self::run); `watch` is told of the memory in use several times a second.
    pub fn run_watched(&self, watch: MemoryWatch<'_>) -> Result<()> {
        run(&self.0, Formats::builtin(), watch)
    }
}
