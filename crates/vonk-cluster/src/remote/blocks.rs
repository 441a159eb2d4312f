//! An executor's blocks: the store that its tasks write to and read from, and the server through which others read.

use crate::remote::executor::ExecutorOptions;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tonic::service::Routes;
use vonk_conf::{self as conf, Conf};
use vonk_error::Result;
use vonk_exec::MemoryManager;
use vonk_rpc::{Limits, Listening, Security};
use vonk_shuffle::{
    BlockMemory, BlockServer, ClusterBlocks, ClusterOptions, Compression, Connections, FetchOptions, Keep,
    ServerOptions, ServiceFiles, Source, SpillableBlocks, Stores,
};

/// An executor's blocks.
pub(super) struct Blocks {
    pub store: Arc<ClusterBlocks>,
    /// Where others find its map outputs.
    pub source: Source,
}

/// Makes the store and serves it at `listening`. Must be called within a tokio runtime.
pub(super) fn start(
    options: &ExecutorOptions,
    conf: &Conf,
    security: &Security,
    memory: &Arc<MemoryManager>,
    listening: Listening,
) -> Result<Blocks> {
    let compression: Compression = conf.get(&conf::IO_COMPRESSION_CODEC).trim().parse()?;
    let fetch = fetch_options(conf);
    let (keep, stores, source) = places(options, conf, &listening)?;
    let blocks = ClusterBlocks::new(ClusterOptions {
        application: options.application.clone(),
        executor: options.executor,
        memory: memory.clone() as Arc<dyn BlockMemory>,
        dir: options.blocks_dir.clone().unwrap_or_else(|| options.dir.join("blocks")),
        keep,
        stores,
        compression,
        runtime: tokio::runtime::Handle::current(),
        connections: Connections::new(security.clone(), fetch.connect_timeout, fetch.retry_wait),
        fetch,
    });
    let server = BlockServer::of_executor(&blocks, ServerOptions { compression, ..ServerOptions::default() });
    tokio::spawn(async move {
        let routes = Routes::new(server.into_service());
        if let Err(error) = listening.serve(routes, std::future::pending()).await {
            tracing::error!(%error, "the block server ended");
        }
    });
    let store = Arc::new(blocks);
    let spillable: Arc<dyn SpillableBlocks> = store.clone();
    memory.set_blocks(Arc::downgrade(&spillable));
    Ok(Blocks { store, source })
}

/// A shuffle service: serves what executors leave in a folder, whether they live or not, until the task ends; where.
pub(crate) async fn serve_files(
    host: &str,
    security: &Security,
    folder: PathBuf,
) -> Result<(String, tokio::task::JoinHandle<()>)> {
    let listening = Listening::bind(host, 0, security, Limits::default()).await?;
    let address = listening.public_address(host);
    let server = BlockServer::of_worker(ServiceFiles::new(folder), ServerOptions::default());
    let serving = tokio::spawn(async move {
        let routes = Routes::new(server.into_service());
        if let Err(error) = listening.serve(routes, std::future::pending()).await {
            tracing::error!(%error, "the shuffle service ended");
        }
    });
    Ok((address, serving))
}

/// What the settings say of fetching.
pub(crate) fn fetch_options(conf: &Conf) -> FetchOptions {
    let silence = conf.get(&conf::NETWORK_TIMEOUT).duration();
    FetchOptions {
        max_bytes_in_flight: u64::try_from(conf.get(&conf::REDUCER_MAX_SIZE_IN_FLIGHT).0).unwrap_or(0).max(1),
        max_retries: u32::try_from(conf.get(&conf::SHUFFLE_MAX_RETRIES)).unwrap_or(0),
        retry_wait: conf.get(&conf::SHUFFLE_RETRY_WAIT).duration(),
        idle_timeout: silence,
        connect_timeout: silence.min(Duration::from_secs(5)),
        ..FetchOptions::default()
    }
}

/// Where outputs are kept, where those of others may be, and where others find those of this executor.
fn places(
    options: &ExecutorOptions,
    conf: &Conf,
    listening: &Listening,
) -> Result<(Keep, Option<Arc<Stores>>, Source)> {
    let store = conf.get(&conf::SHUFFLE_STORE);
    if !store.is_empty() {
        let stores = Stores::open(&store)?;
        let root = store.trim_end_matches('/');
        let own = format!("{root}/{}/{}", options.application, options.executor);
        return Ok((Keep::Store(stores.clone(), own.clone()), Some(stores), Source::Store(own)));
    }
    Ok(match &options.service {
        Some(service) => (Keep::Files, None, Source::Flight(service.clone())),
        None => (Keep::Memory, None, Source::Flight(listening.public_address(&options.host))),
    })
}
