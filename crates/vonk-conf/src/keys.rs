//! The table.

use crate::key::{Bytes, Entry, Key, Value};

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
    /// Treat `"x"` as an identifier.
    DOUBLE_QUOTED_IDENTIFIERS: bool = "spark.sql.ansi.doubleQuotedIdentifiers", false;
    /// Bytes of a scan partition aimed at.
    MAX_PARTITION_BYTES: Bytes = "spark.sql.files.maxPartitionBytes", Bytes(128 << 20);
    /// Compression of written Parquet files.
    PARQUET_COMPRESSION: String = "spark.sql.parquet.compression.codec", "snappy".to_string();
    /// Attempts of a task before its job fails.
    TASK_MAX_FAILURES: i32 = "spark.task.maxFailures", 4;
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
}
