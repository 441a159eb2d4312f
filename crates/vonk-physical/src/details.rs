//! What EXPLAIN says of an operator beside its name: join kind and build side, phase of an aggregation, partitioning.
//!
//! Must not know: trees, metrics. Expressions are not shown: bound ones are positions, which say little to a reader.

use crate::node::{
    AggregateMode, AggregateSpec, BuildSide, DriverTable, JoinSpec, Partitioning, PhysicalPlan, WindowSpec,
};

/// One line of details, empty if there are none.
pub(crate) fn details(plan: &PhysicalPlan) -> String {
    let mut parts: Vec<String> = Vec::new();
    match plan {
        PhysicalPlan::Scan(s) => {
            let read: Vec<&str> =
                s.projection.iter().filter_map(|i| s.read.get(*i)).map(|(_, f)| f.name.as_ref()).collect();
            parts.push(format!("{} [{}]", s.name, read.join(", ")));
            parts.extend(s.predicate.is_some().then(|| "filtered".to_string()));
            parts.extend(s.runtime_filters.iter().map(|f| {
                let column = s.read.get(f.column).map_or("?", |(_, c)| c.name.as_ref());
                format!("runtime filter {} on {column}", f.filter.0)
            }));
            parts.extend(s.limit.map(|n| format!("limit {n}")));
        }
        PhysicalPlan::Values(v) => parts.push(format!("{} rows", v.0.num_rows())),
        PhysicalPlan::Driver(DriverTable::Loop(id) | DriverTable::Working(id)) => {
            parts.push(format!("loop {id}"));
        }
        PhysicalPlan::Range { start, end, step, partitions } => {
            parts.push(format!("{start} to {end} by {step}, {partitions} partitions"));
        }
        PhysicalPlan::HashAggregate(a) => {
            let mode = match a.mode {
                AggregateMode::Partial => "partial",
                AggregateMode::Merge => "merge",
                AggregateMode::Final => "final",
                AggregateMode::Complete => "complete",
            };
            let calls: Vec<String> = a.aggregates.iter().map(call).collect();
            parts.push(format!("{mode}, {} [{}]", counted(a.groups.len(), "key"), calls.join(", ")));
        }
        PhysicalPlan::HashJoin(j) => {
            parts.push(join(&j.join, Some(j.build), j.left_keys.len()));
            parts.extend(j.runtime_filter.map(|f| format!("fills runtime filter {}", f.0)));
        }
        PhysicalPlan::SortMergeJoin(j) => parts.push(join(&j.join, None, j.left_keys.len())),
        PhysicalPlan::NestedLoopJoin(j) => parts.push(join(&j.join, Some(j.build), 0)),
        PhysicalPlan::Sort(s) => {
            parts.push(counted(s.keys.len(), "key"));
            parts.extend(s.fetch.map(|n| format!("fetch {n}")));
        }
        PhysicalPlan::Window(w) => {
            let calls: Vec<String> = w
                .functions
                .iter()
                .map(|f| match f {
                    WindowSpec::Aggregate { call: c, .. } => call(c),
                    WindowSpec::Function { function, .. } => function.to_string(),
                })
                .collect();
            let (by, order) = (w.partition_by.len(), w.order_by.len());
            parts.push(format!("[{}], partition by {by}, order by {order}", calls.join(", ")));
        }
        PhysicalPlan::Limit { skip, fetch, .. } => {
            parts.extend(fetch.map(|n| n.to_string()));
            parts.extend((*skip > 0).then(|| format!("offset {skip}")));
        }
        PhysicalPlan::Expand(e) => parts.push(counted(e.projections.len(), "projection")),
        PhysicalPlan::Generate(g) => {
            parts.push(format!("{}{}", g.function, if g.outer { " outer" } else { "" }))
        }
        PhysicalPlan::Coalesce { partitions, .. } => parts.push(counted(*partitions as usize, "partition")),
        PhysicalPlan::Write(w) => parts.push(format!("{} {} {:?}", w.format, w.path, w.mode)),
        PhysicalPlan::Exchange(e) => parts.extend(partitioning(&e.partitioning)),
        PhysicalPlan::ShuffleWrite(w) => {
            parts.push(format!("shuffle {}", w.shuffle));
            parts.extend(partitioning(&w.partitioning).or(Some("broadcast".to_string())));
        }
        PhysicalPlan::ShuffleRead(r) => {
            parts.push(format!("shuffle {}", r.shuffle));
            parts.extend(r.broadcast.then(|| "broadcast".to_string()));
        }
        PhysicalPlan::Project { .. }
        | PhysicalPlan::Filter { .. }
        | PhysicalPlan::Union { .. }
        | PhysicalPlan::Sample { .. } => {}
    }
    parts.join(", ")
}

fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

fn call(a: &AggregateSpec) -> String {
    let distinct = if a.distinct { " distinct" } else { "" };
    let filter = if a.filter.is_some() { " filtered" } else { "" };
    format!("{}{distinct}{filter}", a.function)
}

fn join(spec: &JoinSpec, build: Option<BuildSide>, keys: usize) -> String {
    let mut out = format!("{:?}", spec.kind);
    if keys > 0 {
        out += &format!(", {}", counted(keys, "key"));
    }
    if let Some(side) = build {
        out += &format!(", build {side:?}");
    }
    if spec.condition.is_some() {
        out += ", condition";
    }
    if spec.null_aware {
        out += ", null-aware";
    }
    out
}

/// Nothing for a broadcast, which the operator's name says.
fn partitioning(p: &Partitioning) -> Option<String> {
    Some(match p {
        Partitioning::Hash { keys, partitions } => {
            format!("hash of {} into {partitions}", counted(keys.len(), "key"))
        }
        Partitioning::Range { keys, partitions, .. } => {
            format!("ranges of {} into {partitions}", counted(keys.len(), "key"))
        }
        Partitioning::RoundRobin { partitions } => format!("round robin into {partitions}"),
        Partitioning::Single => "single".to_string(),
        Partitioning::Kept { partitions, .. } => format!("kept, {partitions} partitions"),
        Partitioning::Broadcast => return None,
    })
}
