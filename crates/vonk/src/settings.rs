//! From settings to what the layers below want to know.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use vonk_cluster::Cluster;
use vonk_conf::{self as conf, Conf};
use vonk_error::{Error, Result};
use vonk_planner::PlannerOptions;
use vonk_sql::ParseOptions;
use vonk_types::EvalContext;
use vonk_types::context::SessionZone;

/// Refuses values that have the right type but no meaning.
pub(crate) fn check(name: &str, value: &str) -> Result<()> {
    let invalid = |condition| Error::new(condition).with("confName", name).with("confValue", value);
    if name == conf::SESSION_TIME_ZONE.name && SessionZone::parse(value).is_none() {
        return Err(invalid("INVALID_CONF_VALUE.TIME_ZONE"));
    }
    Ok(())
}

/// What evaluation knows of the session, for a query that starts now.
pub(crate) fn eval_context(settings: &Conf, user: &Arc<str>) -> Result<EvalContext> {
    let zone = settings.get(&conf::SESSION_TIME_ZONE);
    let time_zone = SessionZone::parse(&zone).ok_or_else(|| {
        Error::new("INVALID_CONF_VALUE.TIME_ZONE")
            .with("confName", conf::SESSION_TIME_ZONE.name)
            .with("confValue", zone)
    })?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(EvalContext {
        ansi: settings.get(&conf::ANSI_ENABLED),
        time_zone,
        query_start_micros: i64::try_from(now.as_micros()).unwrap_or(i64::MAX),
        user: user.clone(),
        map_last_wins: settings.get(&conf::MAP_KEY_DEDUP_POLICY).trim().eq_ignore_ascii_case("LAST_WIN"),
        seed_shift: 0,
    })
}

pub(crate) fn parse_options(settings: &Conf) -> ParseOptions {
    ParseOptions {
        double_quoted_identifiers: settings.get(&conf::DOUBLE_QUOTED_IDENTIFIERS),
        quoted_regex_columns: settings.get(&conf::QUOTED_REGEX_COLUMNS),
        ..ParseOptions::default()
    }
}

pub(crate) fn planner_options(settings: &Conf, cluster: &Cluster, eval: Arc<EvalContext>) -> PlannerOptions {
    PlannerOptions {
        slots: cluster.slots(),
        shuffle_partitions: u32::try_from(settings.get(&conf::SHUFFLE_PARTITIONS)).unwrap_or(0),
        broadcast_threshold: settings.get(&conf::AUTO_BROADCAST_JOIN_THRESHOLD).0 as f64,
        shared_memory: cluster.executors() == 1,
        memory_limit: cluster.executor_memory(),
        runtime_filters: settings.get(&conf::RUNTIME_FILTER),
        prefer_sort_merge: settings.get(&conf::PREFER_SORT_MERGE_JOIN),
        reduction_rows: settings.get(&conf::SEMI_JOIN_REDUCTION_ROWS).max(0) as f64,
        eval,
    }
}

/// Rows of a batch; never none.
pub(crate) fn batch_rows(settings: &Conf) -> usize {
    usize::try_from(settings.get(&conf::BATCH_ROWS)).unwrap_or(1).max(1)
}
