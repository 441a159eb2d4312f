//! The table.

use crate::key::{Bytes, Entry, Key, Millis, Value};

macro_rules! keys {
    ($($(#[doc = $doc:literal])+ $constant:ident: $type:ty = $name:literal, $default:expr;)*) => {
        $($(#[doc = $doc])+ pub static $constant: Key<$type> = Key { name: $name, default: || $default };)*

        /// All known keys, in the order of the source.
        pub static KEYS: &[Entry] = &[
            $(Entry {
                name: $name,
                doc: concat!($($doc),+),
                default_text: || ($constant.default)().text(),
                check: |text| <$type as Value>::parse(text).map(|_| ()),
            },)*
        ];
    };
}

keys! {
    /// Where queries run: `local`, `local[N]`, `local[*]`, `local-cluster[E,C,M]`, `vonk://host:port`.
    MASTER: String = "spark.master", "local[*]".to_string();
    /// Errors on overflow, division by zero and bad casts instead of nulls.
    ANSI_ENABLED: bool = "spark.sql.ansi.enabled", true;
    /// Time zone of the session: a region or an offset.
    SESSION_TIME_ZONE: String = "spark.sql.session.timeZone", "UTC".to_string();
    /// Whether names must match in case.
    CASE_SENSITIVE: bool = "spark.sql.caseSensitive", false;
    /// Partitions of a shuffle; 0 lets the planner choose by slots and size.
    SHUFFLE_PARTITIONS: i32 = "spark.sql.shuffle.partitions", 0;
    /// A join input of at most this many estimated bytes is broadcast; -1 never.
    AUTO_BROADCAST_JOIN_THRESHOLD: Bytes = "spark.sql.autoBroadcastJoinThreshold", Bytes(10 << 20);
    /// Folder of managed tables.
    WAREHOUSE_DIR: String = "spark.sql.warehouse.dir", "spark-warehouse".to_string();
    /// GROUP BY 1 means the first column.
    GROUP_BY_ORDINAL: bool = "spark.sql.groupByOrdinal", true;
    /// ORDER BY 1 means the first column.
    ORDER_BY_ORDINAL: bool = "spark.sql.orderByOrdinal", true;
    /// GROUP BY may name aliases of the select list.
    GROUP_BY_ALIASES: bool = "spark.sql.groupByAliases", true;
    /// Quoted names in select lists are patterns of names.
    QUOTED_REGEX_COLUMNS: bool = "spark.sql.parser.quotedRegexColumnNames", false;
    /// Rows that `DataFrame::transpose` turns into columns at most.
    TRANSPOSE_MAX_VALUES: i32 = "spark.sql.transposeMaxValues", 500;
    /// Treat `"x"` as an identifier.
    DOUBLE_QUOTED_IDENTIFIERS: bool = "spark.sql.ansi.doubleQuotedIdentifiers", false;
    /// `${x}`, `${env:x}` and the like in statements stand for the values of settings, environment variables and system properties.
    VARIABLE_SUBSTITUTE: bool = "spark.sql.variable.substitute", true;
    /// Bytes of a scan partition aimed at.
    MAX_PARTITION_BYTES: Bytes = "spark.sql.files.maxPartitionBytes", Bytes(128 << 20);
    /// Compression of written Parquet files.
    PARQUET_COMPRESSION: String = "spark.sql.parquet.compression.codec", "snappy".to_string();
    /// Attempts of a task before its job fails.
    TASK_MAX_FAILURES: i32 = "spark.task.maxFailures", 4;
    /// Executors that may be lost under one task before its job fails: a loss is no failure of what ran there, but a task that kills
    /// whatever runs it must end.
    TASK_MAX_EXECUTOR_LOSSES: i32 = "spark.vonk.task.maxExecutorLosses", 16;
    /// Folder of spill files.
    LOCAL_DIR: String = "spark.local.dir", std::env::temp_dir().to_string_lossy().into_owned();
    /// Memory that operators of a process may hold together; 0 is no limit.
    MEMORY_LIMIT: Bytes = "spark.vonk.memory.limit", Bytes(0);
    /// Rows of a batch.
    BATCH_ROWS: i32 = "spark.vonk.batch.rows", 8192;
    /// Encode and decode every task even in one process (a test of the wire format).
    WIRE: bool = "spark.vonk.wire", false;
    /// Scale factor of the tables in `samples.tpch`.
    SAMPLES_TPCH_SCALE: f64 = "spark.vonk.samples.tpch.scale", 0.01;
    /// Rounds with rows that a recursive common table expression may make; -1 any number.
    CTE_RECURSION_LEVEL_LIMIT: i32 = "spark.sql.cteRecursionLevelLimit", 100;
    /// Rows that a recursive common table expression may not reach; -1 any number.
    CTE_RECURSION_ROW_LIMIT: i32 = "spark.sql.cteRecursionRowLimit", 1_000_000;
    /// What becomes of equal keys of a map: `EXCEPTION`, or `LAST_WIN` for the value of the last one.
    MAP_KEY_DEDUP_POLICY: String = "spark.sql.mapKeyDedupPolicy", "EXCEPTION".to_string();
    /// Filters built from hash joins are applied in scans.
    RUNTIME_FILTER: bool = "spark.sql.optimizer.runtime.bloomFilter.enabled", true;
    /// Joins that broadcast nothing sort both sides and merge them, instead of building a hash table of one. (Spark prefers that;
    /// here hash tables spill, and are faster.)
    PREFER_SORT_MERGE_JOIN: bool = "spark.sql.join.preferSortMergeJoin", false;
    /// Rows that the large side of a join must be expected to have for a semi join with the small side's keys to be put below its
    /// exchanges and aggregates; 0 puts one wherever it is allowed.
    SEMI_JOIN_REDUCTION_ROWS: i64 = "spark.vonk.semiJoinReduction.rows", 100_000;
    /// Name of the application, as masters and status pages show it.
    APP_NAME: String = "spark.app.name", "vonk".to_string();
    /// The secret that all processes of a cluster share. Better in a file or the environment (VONK_AUTHENTICATE_SECRET): settings can be seen.
    AUTHENTICATE_SECRET: String = "spark.authenticate.secret", String::new();
    /// A file with the secret that all processes of a cluster share.
    AUTHENTICATE_SECRET_FILE: String = "spark.authenticate.secret.file", String::new();
    /// Connections between processes use TLS.
    SSL_ENABLED: bool = "spark.ssl.enabled", false;
    /// PEM file of this process's certificate and those that vouch for it.
    SSL_CERT_CHAIN: String = "spark.ssl.certChain", String::new();
    /// PEM file of this process's private key.
    SSL_PRIVATE_KEY: String = "spark.ssl.privateKey", String::new();
    /// PEM file of the certificates that are believed.
    SSL_TRUST_STORE: String = "spark.ssl.trustStore", String::new();
    /// Clients must show a certificate, too.
    SSL_NEED_CLIENT_AUTH: bool = "spark.ssl.needClientAuth", false;
    /// Bytes of the largest message between processes.
    RPC_MESSAGE_MAX_SIZE: Bytes = "spark.rpc.message.maxSize", Bytes(128 << 20);
    /// Interface on which the driver listens for its executors.
    DRIVER_BIND_ADDRESS: String = "spark.driver.bindAddress", "127.0.0.1".to_string();
    /// Name or address by which executors reach the driver; empty means where it listens.
    DRIVER_HOST: String = "spark.driver.host", String::new();
    /// Port on which the driver listens for its executors; 0 takes a free one.
    DRIVER_PORT: i32 = "spark.driver.port", 0;
    /// Cores of an executor; 0 lets the cluster manager choose.
    EXECUTOR_CORES: i32 = "spark.executor.cores", 0;
    /// Cores that a task takes.
    TASK_CPUS: i32 = "spark.task.cpus", 1;
    /// Memory of an executor.
    EXECUTOR_MEMORY: Bytes = "spark.executor.memory", Bytes(1 << 30);
    /// Cores that the application takes in all; 0 takes what there is.
    CORES_MAX: i32 = "spark.cores.max", 0;
    /// How often executors and workers say that they are alive.
    EXECUTOR_HEARTBEAT_INTERVAL: Millis = "spark.executor.heartbeatInterval", Millis(1_000);
    /// After this long without a word, an executor counts as lost, and a block as not to be had.
    NETWORK_TIMEOUT: Millis = "spark.network.timeout", Millis(10_000);
    /// How jobs share executors: `FIFO` or `FAIR`.
    SCHEDULER_MODE: String = "spark.scheduler.mode", "FIFO".to_string();
    /// XML file of the pools among which jobs share executors in FAIR mode.
    SCHEDULER_ALLOCATION_FILE: String = "spark.scheduler.allocation.file", String::new();
    /// How jobs of one pool share what the pool has, where the allocation file does not say: `FIFO`, as in Spark, or `FAIR`.
    SCHEDULER_POOL_MODE: String = "spark.vonk.scheduler.pool.mode", "FIFO".to_string();
    /// In local mode, how many tasks run beyond the slots: one each of jobs that have none, so that they do not wait for the end of others'.
    LOCAL_GUEST_TASKS: i32 = "spark.vonk.local.guestTasks", 0;
    /// The pool that the session's jobs are in.
    SCHEDULER_POOL: String = "spark.scheduler.pool", "default".to_string();
    /// How long a task waits for a place near its data before the next further one will do.
    LOCALITY_WAIT: Millis = "spark.locality.wait", Millis(3_000);
    /// Tasks that take much longer than the others of their stage are started a second time elsewhere.
    SPECULATION: bool = "spark.speculation", false;
    /// How often to look for slow tasks.
    SPECULATION_INTERVAL: Millis = "spark.speculation.interval", Millis(100);
    /// How many times the median of its stage a task must take to be slow.
    SPECULATION_MULTIPLIER: f64 = "spark.speculation.multiplier", 3.0;
    /// The part of a stage's tasks that must be done before any is slow.
    SPECULATION_QUANTILE: f64 = "spark.speculation.quantile", 0.9;
    /// A task that has run for less is not slow.
    SPECULATION_MIN_TASK_RUNTIME: Millis = "spark.speculation.minTaskRuntime", Millis(100);
    /// Executors on which tasks fail often get no more.
    EXCLUDE_ON_FAILURE: bool = "spark.excludeOnFailure.enabled", false;
    /// How long an executor is left out.
    EXCLUDE_ON_FAILURE_TIMEOUT: Millis = "spark.excludeOnFailure.timeout", Millis(3_600_000);
    /// Times in a row that a stage may lose its input before its job fails.
    STAGE_MAX_ATTEMPTS: i32 = "spark.stage.maxConsecutiveAttempts", 4;
    /// Shuffle blocks are files that a worker serves when their executor is gone.
    SHUFFLE_SERVICE: bool = "spark.shuffle.service.enabled", false;
    /// Where shuffle blocks live when machines may vanish: the URL of a folder or an object store; empty keeps them on executors.
    SHUFFLE_STORE: String = "spark.vonk.shuffle.store", String::new();
    /// Bytes of shuffle blocks that a task has on their way to it.
    REDUCER_MAX_SIZE_IN_FLIGHT: Bytes = "spark.reducer.maxSizeInFlight", Bytes(48 << 20);
    /// Times that a fetch is tried again after a network error.
    SHUFFLE_MAX_RETRIES: i32 = "spark.shuffle.io.maxRetries", 3;
    /// How long to wait before trying again.
    SHUFFLE_RETRY_WAIT: Millis = "spark.shuffle.io.retryWait", Millis(200);
    /// Compression of shuffle files: `lz4` or `zstd`.
    IO_COMPRESSION_CODEC: String = "spark.io.compression.codec", "lz4".to_string();
    /// Executors come and go with the work.
    DYNAMIC_ALLOCATION: bool = "spark.dynamicAllocation.enabled", false;
    /// Fewest executors.
    DYNAMIC_ALLOCATION_MIN: i32 = "spark.dynamicAllocation.minExecutors", 0;
    /// Most executors.
    DYNAMIC_ALLOCATION_MAX: i32 = "spark.dynamicAllocation.maxExecutors", i32::MAX;
    /// How long an executor may have nothing to do.
    DYNAMIC_ALLOCATION_IDLE: Millis = "spark.dynamicAllocation.executorIdleTimeout", Millis(60_000);
    /// How long tasks may wait before more executors are asked for.
    DYNAMIC_ALLOCATION_BACKLOG: Millis = "spark.dynamicAllocation.schedulerBacklogTimeout", Millis(1_000);
    /// Write what the schedulers decide to a file of JSON lines.
    EVENT_LOG: bool = "spark.eventLog.enabled", false;
    /// Folder of event logs.
    EVENT_LOG_DIR: String = "spark.eventLog.dir", std::env::temp_dir().join("vonk-events").to_string_lossy().into_owned();
    /// Serve the status of the application as JSON and metrics over HTTP.
    UI_ENABLED: bool = "spark.ui.enabled", false;
    /// Port of the status pages; 0 takes a free one.
    UI_PORT: i32 = "spark.ui.port", 4040;
    /// Further ports that are tried where one is taken.
    PORT_MAX_RETRIES: i32 = "spark.port.maxRetries", 16;
    /// Jobs that status pages remember; those that run are never forgotten.
    UI_RETAINED_JOBS: i32 = "spark.ui.retainedJobs", 1000;
    /// Stages that status pages remember.
    UI_RETAINED_STAGES: i32 = "spark.ui.retainedStages", 1000;
    /// Tasks that status pages remember.
    UI_RETAINED_TASKS: i32 = "spark.ui.retainedTasks", 100_000;
    /// Executors that are gone and that status pages remember.
    UI_RETAINED_DEAD_EXECUTORS: i32 = "spark.ui.retainedDeadExecutors", 100;
    /// The part of an executor's memory that operators and blocks reserve from; the rest is for what they do not: pages being decoded,
    /// blocks on their way, what the allocator rounds up.
    MEMORY_FRACTION: f64 = "spark.memory.fraction", 0.6;
    /// Memory of the driver for rows of results, beyond which they wait on disk.
    DRIVER_MEMORY: Bytes = "spark.driver.memory", Bytes(1 << 30);
    /// The command line that becomes an executor; empty is the program that runs now.
    EXECUTOR_PROGRAM: String = "spark.vonk.executor.program", String::new();
    /// Bytes of the log of an executor or a driver, beyond which its older half is cut off.
    EXECUTOR_LOG_MAX_SIZE: Bytes = "spark.executor.logs.rolling.maxSize", Bytes(8 << 20);
    /// Seconds of silence after which a master counts a worker as lost; a worker speaks four times as often. Of masters and workers.
    WORKER_TIMEOUT: i64 = "spark.worker.timeout", 60;
    /// Seconds that a restarted master waits for the workers and applications it knew; 0 is `spark.worker.timeout`. Of masters.
    DEPLOY_RECOVERY_TIMEOUT: i64 = "spark.deploy.recoveryTimeout", 0;
    /// Applications get their executors on as many workers as possible, not on as few. Of masters.
    DEPLOY_SPREAD_OUT: bool = "spark.deploy.spreadOutApps", true;
    /// Executors in a row that may fail before a master gives an application up; -1 any number. Of masters.
    DEPLOY_MAX_EXECUTOR_RETRIES: i32 = "spark.deploy.maxExecutorRetries", 10;
    /// Cores of an application that does not say how many it may have; 0 is what there is. Of masters.
    DEPLOY_DEFAULT_CORES: i32 = "spark.deploy.defaultCores", 0;
    /// Applications that are over and that a master remembers.
    DEPLOY_RETAINED_APPLICATIONS: i32 = "spark.deploy.retainedApplications", 200;
    /// Drivers that are over and that a master remembers.
    DEPLOY_RETAINED_DRIVERS: i32 = "spark.deploy.retainedDrivers", 200;
    /// A worker removes what drivers that are over have left, after `spark.worker.cleanup.appDataTtl`. Of workers.
    WORKER_CLEANUP: bool = "spark.worker.cleanup.enabled", true;
    /// Seconds for which a worker keeps the folders and logs of drivers that are over.
    WORKER_CLEANUP_TTL: i64 = "spark.worker.cleanup.appDataTtl", 7 * 24 * 3600;
    /// Executors that are over of which a worker keeps logs at most, until their applications are over, too.
    WORKER_RETAINED_EXECUTORS: i32 = "spark.worker.ui.retainedExecutors", 1000;
    /// Starts of drivers that are over of which a worker keeps folders and logs at most.
    WORKER_RETAINED_DRIVERS: i32 = "spark.worker.ui.retainedDrivers", 1000;
    /// Sessions that a Flight SQL server has at once. Of `vonk server`, as all `spark.vonk.server` keys are.
    SERVER_MAX_SESSIONS: i32 = "spark.vonk.server.maxSessions", 1000;
    /// Statements that run at once in all its sessions together; more wait.
    SERVER_MAX_QUERIES: i32 = "spark.vonk.server.maxConcurrentQueries", 256;
    /// Statements that may wait; beyond them the server says that it is busy.
    SERVER_MAX_QUEUED: i32 = "spark.vonk.server.maxQueuedQueries", 1000;
    /// How long a statement may wait to run.
    SERVER_QUEUE_TIMEOUT: Millis = "spark.vonk.server.queueTimeout", Millis(60_000);
    /// Bytes of one message from a client (a batch of rows that are loaded).
    SERVER_MAX_MESSAGE: Bytes = "spark.vonk.server.maxMessageSize", Bytes(64 << 20);
    /// Connections at once.
    SERVER_MAX_CONNECTIONS: i32 = "spark.vonk.server.maxConnections", 4096;
    /// How long a session may do nothing before it is closed.
    SERVER_SESSION_IDLE: Millis = "spark.vonk.server.session.idleTimeout", Millis(30 * 60_000);
    /// How long a session may last, whatever it does.
    SERVER_SESSION_LIFE: Millis = "spark.vonk.server.session.maxLifetime", Millis(24 * 3_600_000);
    /// How long the rows of a statement wait to be fetched before it is cancelled.
    SERVER_RESULT_TIMEOUT: Millis = "spark.vonk.server.resultTimeout", Millis(5 * 60_000);
    /// How long statements that run may go on when the server is asked to stop.
    SERVER_GRACE: Millis = "spark.vonk.server.graceTimeout", Millis(30_000);
    /// Compression of results: `none`, `lz4` or `zstd`. A session may choose another (session option `compression`).
    SERVER_COMPRESSION: String = "spark.vonk.server.compression", "none".to_string();
    /// Streams in which a large result without order is handed out, at most.
    SERVER_ENDPOINTS: i32 = "spark.vonk.server.endpoints", 4;
}
