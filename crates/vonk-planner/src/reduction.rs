//! Semi-join reduction: the large side of a join loses rows without a match before they are grouped, moved or put into a table
//! (Bernstein and Chiu 1981; known as sideways information passing or, for aggregates of subqueries, as magic sets).
//!
//! `large ⋈ small` becomes `(large ⋉ keys of small) ⋈ small`, and the semi join goes down to the scan that a key comes from: below
//! exchanges, and below aggregates that group by it. There its runtime filter spares reading most rows. What computes the
//! small side is put behind an exchange that both readers share. Runtime filters do the same where no exchange lies between a
//! join and the scan, and at no cost; a reduction is for all other places.

use crate::planned::{Distribution, Planned};
use crate::planner::Planner;
use crate::runtime_filter::needs_all_rows;
use vonk_eval::BoundExpr;
use vonk_functions::Registry;
use vonk_optimizer::statistics::Estimate;
use vonk_physical::{
    BuildSide, Exchange, HashJoin, JoinKind, JoinSpec, Partitioning, PhysicalPlan, PlanNode,
};
use vonk_plan::logical::{Column, ColumnId, Expr};

/// The large side must lose most of its rows.
const KEEPS_AT_MOST: f64 = 0.3;
/// Keys of the small side: bytes of a row in a table of them.
const BYTES_PER_KEY: f64 = 32.0;
/// Bytes of keys that may be broadcast within one process.
const MOST_KEY_BYTES: f64 = 128.0 * 1024.0 * 1024.0;

/// A join about to be planned.
pub(crate) struct Sides<'a> {
    pub kind: JoinKind,
    pub null_aware: bool,
    /// The side that a table would be built from, if its runtime filter reaches the other as far as no exchange lies between.
    pub build: Option<BuildSide>,
    /// Whether that side would be broadcast.
    pub broadcast: bool,
    /// Pairs of keys: left, right, whether null equals null.
    pub pairs: &'a [(Expr, Expr, bool)],
    pub left: Side<'a>,
    pub right: Side<'a>,
}

/// One side of it.
pub(crate) struct Side<'a> {
    pub planned: Planned,
    pub estimate: Estimate,
    pub keys: &'a [BoundExpr],
    /// The keys' columns, if all are plain.
    pub ids: Option<Vec<ColumnId>>,
}

impl Planner<'_> {
    /// Both sides, one of them reduced by the other if that pays; whether the join is to be made where their rows meet by hash.
    pub(crate) fn reduce(&mut self, sides: Sides<'_>) -> (Planned, Planned, bool) {
        let Sides { kind, null_aware, build, broadcast, pairs, left, right } = sides;
        let null_safe: Vec<bool> = pairs.iter().map(|p| p.2).collect();
        // Rows of the right side without a match never show in these; of the left side, only in inner joins they do not.
        let right_may = match kind {
            JoinKind::Inner
            | JoinKind::Left
            | JoinKind::LeftSemi
            | JoinKind::LeftAnti
            | JoinKind::LeftSingle => true,
            JoinKind::Mark => !null_aware,
            _ => false,
        };
        let left_may = matches!(kind, JoinKind::Inner | JoinKind::Right);
        let always = self.options.reduction_rows == 0.0;
        let (l, r) = (left.planned.rows(), right.planned.rows());
        if right_may && (l < r || always) {
            let exprs: Vec<_> = pairs.iter().map(|p| (&p.0, &p.1)).collect();
            let filters = (build == Some(BuildSide::Left)).then_some(broadcast);
            let (small, large, by_hash) = self.reduce_large(left, right, &exprs, null_safe, filters);
            return (small, large, by_hash);
        }
        if left_may && (r < l || always) {
            let exprs: Vec<_> = pairs.iter().map(|p| (&p.1, &p.0)).collect();
            let filters = (build == Some(BuildSide::Right)).then_some(broadcast);
            let (small, large, by_hash) = self.reduce_large(right, left, &exprs, null_safe, filters);
            return (large, small, by_hash);
        }
        (left.planned, right.planned, false)
    }

    /// `exprs` are pairs of keys, the small side's first. `filters`: the large side would stream past a table of the small one
    /// (if it is true, a broadcast one).
    fn reduce_large(
        &mut self,
        small: Side<'_>,
        large: Side<'_>,
        exprs: &[(&Expr, &Expr)],
        null_safe: Vec<bool>,
        filters: Option<bool>,
    ) -> (Planned, Planned, bool) {
        let unchanged = |small: Side<'_>, large: Side<'_>| (small.planned, large.planned, false);
        let always = self.options.reduction_rows == 0.0;
        let any = || {
            let plain_key = large.keys.iter().position(|k| plain(k).is_some())?;
            always.then_some((plain_key, 1.0))
        };
        let Some((first, share)) = most_selective(&small, &large, exprs).or_else(any) else {
            return unchanged(small, large);
        };
        let share = share.min(1.0);
        let key_bytes = small.planned.rows() * BYTES_PER_KEY;
        let pays = large.planned.rows() >= self.options.reduction_rows && share <= KEEPS_AT_MOST;
        if !(pays || always) || key_bytes > self.most_key_bytes() {
            return unchanged(small, large);
        }
        let columns: Vec<Option<usize>> = large.keys.iter().map(plain).collect();
        let Side { planned: mut large, keys: large_keys, .. } = large;
        let (partitions, large_bytes) = (large.partitions(), large.bytes * share);
        let (end, crosses) =
            descend(&mut large.node, columns, first, (self.registry, &self.shared_exchanges));
        if filters.is_some() && !crosses {
            return (small.planned, large, false);
        }
        let broadcast = filters == Some(true);
        let (small_planned, keys, build) = if broadcast {
            let build = small.planned.clone().broadcast();
            (small.planned, small.keys.to_vec(), build)
        } else {
            self.shared_small(small, partitions, large_bytes)
        };
        if let PhysicalPlan::Exchange(e) = &build.node.plan {
            self.share(e);
        }
        wrap(end, build, keys, large_keys, null_safe);
        let rows = large.rows() * share;
        large.node.estimated_rows = Some(rows as u64);
        large.bytes *= share;
        (small_planned, large, !broadcast)
    }

    /// The small side behind an exchange by its keys, and a broadcast of its keys from there.
    fn shared_small(
        &mut self,
        small: Side<'_>,
        large_partitions: u32,
        large_bytes: f64,
    ) -> (Planned, Vec<BoundExpr>, Planned) {
        let Side { planned, keys, ids, .. } = small;
        let planned = if planned.partitions() == 1 && large_partitions == 1 {
            planned.exchanged(Partitioning::Single, Distribution::Single)
        } else {
            let partitions = self.options.partitions_for(planned.bytes.max(large_bytes));
            planned.hashed(keys.to_vec(), ids, partitions)
        };
        if let PhysicalPlan::Exchange(e) = &planned.node.plan {
            self.share(e);
        }
        let columns: Vec<Column> = keys.iter().map(anonymous).collect();
        let project = PhysicalPlan::Project { exprs: keys.to_vec(), input: Box::new(planned.node.clone()) };
        let rows = planned.rows();
        let build = Planned {
            bytes: rows * 8.0 * keys.len() as f64,
            ..Planned::new(project, columns, Distribution::Any, rows)
        };
        let by_position = keys.iter().enumerate().map(|(i, k)| BoundExpr::column(i, k.data_type())).collect();
        (planned, by_position, build.broadcast())
    }

    /// An exchange that two readers share must stay as it is: it would be computed twice if one of them changed its own.
    fn share(&mut self, e: &Exchange) {
        self.shared_exchanges.push(e.clone());
    }

    fn most_key_bytes(&self) -> f64 {
        let o = &self.options;
        if o.broadcast_threshold < 0.0 || !o.runtime_filters {
            return 0.0;
        }
        let most = if o.shared_memory { MOST_KEY_BYTES } else { o.broadcast_threshold };
        o.memory_limit.map_or(most, |limit| most.min(limit as f64 / 16.0))
    }
}

/// The key that keeps the smallest share of the large side's rows, and that share.
fn most_selective(small: &Side<'_>, large: &Side<'_>, exprs: &[(&Expr, &Expr)]) -> Option<(usize, f64)> {
    let distinct = |e: &Expr, estimate: &Estimate| match e {
        Expr::Column(c) => estimate.distinct(c.id),
        _ => None,
    };
    let mut best: Option<(usize, f64)> = None;
    for (i, (s, l)) in exprs.iter().enumerate() {
        if plain(&large.keys[i]).is_none() {
            continue;
        }
        let Some(of_large) = distinct(l, &large.estimate) else { continue };
        let of_small = distinct(s, &small.estimate).unwrap_or(small.estimate.rows);
        let share = of_small.min(small.estimate.rows) / of_large.max(1.0);
        if best.is_none_or(|(_, b)| share < b) {
            best = Some((i, share));
        }
    }
    best
}

fn plain(e: &BoundExpr) -> Option<usize> {
    match e {
        BoundExpr::Column { index, .. } => Some(*index),
        _ => None,
    }
}

/// A column for a computed key; nothing refers to it by identity.
fn anonymous(e: &BoundExpr) -> Column {
    Column { id: ColumnId(u64::MAX), name: "key".into(), data_type: e.data_type(), nullable: true }
}

/// Where a semi join on some keys may go, and its keys' columns there.
struct Place<'n> {
    node: &'n mut PlanNode,
    columns: Vec<Option<usize>>,
}

/// Follows the columns of keys, key `first` above all, down as far as it goes; other keys are dropped where they part from it. Says
/// as well whether an exchange or an aggregate lies above the place.
fn descend<'n>(
    node: &'n mut PlanNode,
    columns: Vec<Option<usize>>,
    first: usize,
    rules: (&Registry, &[Exchange]),
) -> (Place<'n>, bool) {
    let Some((input, below)) = step(&node.plan, &columns, first, rules) else {
        return (Place { node, columns }, false);
    };
    let crosses = matches!(node.plan, PhysicalPlan::Exchange(_) | PhysicalPlan::HashAggregate(_));
    let mut inputs = node.plan.inputs_mut();
    let next = inputs.swap_remove(input);
    let (place, more) = descend(next, below, first, rules);
    (place, crosses || more)
}

/// The input that key `first` comes from, and the keys' columns in it.
fn step(
    plan: &PhysicalPlan,
    columns: &[Option<usize>],
    first: usize,
    rules: (&Registry, &[Exchange]),
) -> Option<(usize, Vec<Option<usize>>)> {
    let (registry, shared) = rules;
    if needs_all_rows(registry, plan) {
        return None;
    }
    let map = |f: &dyn Fn(usize) -> Option<usize>| columns.iter().map(|c| c.and_then(f)).collect::<Vec<_>>();
    let (input, below) = match plan {
        PhysicalPlan::Filter { projection, .. } => (0, map(&|i| projection.get(i).copied())),
        PhysicalPlan::Project { exprs, .. } => (0, map(&|i| plain(exprs.get(i)?))),
        PhysicalPlan::HashAggregate(a) => (0, map(&|i| plain(a.groups.get(i)?))),
        // What is kept for other queries must not lack what this one does not want.
        PhysicalPlan::Exchange(Exchange { partitioning: Partitioning::Kept { .. }, .. }) => return None,
        PhysicalPlan::Exchange(e) if !shared.contains(e) => (0, columns.to_vec()),
        PhysicalPlan::HashJoin(j) => {
            let left_columns = j.left.schema.fields.len();
            let at = |i: usize| j.join.projection.get(i).copied();
            let left = at(columns[first]?)? < left_columns;
            let preserved = match j.join.kind {
                JoinKind::Inner => true,
                JoinKind::Right => !left,
                JoinKind::Full => false,
                _ => left,
            };
            if !preserved {
                return None;
            }
            let side = |i: usize| {
                let p = at(i)?;
                if left { (p < left_columns).then_some(p) } else { p.checked_sub(left_columns) }
            };
            (usize::from(!left), map(&side))
        }
        _ => return None,
    };
    below[first]?;
    Some((input, below))
}

/// Puts a semi join with the broadcast `build` on top of a node.
fn wrap(place: Place<'_>, build: Planned, small: Vec<BoundExpr>, large: &[BoundExpr], null_safe: Vec<bool>) {
    let Place { node, columns } = place;
    let (mut left_keys, mut right_keys, mut safe) = (vec![], vec![], vec![]);
    for (i, column) in columns.iter().enumerate() {
        if let Some(c) = column {
            left_keys.push(BoundExpr::column(*c, large[i].data_type()));
            right_keys.push(small[i].clone());
            safe.push(null_safe[i]);
        }
    }
    let schema = node.schema.clone();
    let rows = node.estimated_rows;
    let input =
        std::mem::replace(node, PlanNode::new(schema.clone(), PhysicalPlan::Union { inputs: vec![] }));
    let join = JoinSpec {
        kind: JoinKind::LeftSemi,
        condition: None,
        null_aware: false,
        projection: (0..schema.fields.len()).collect(),
    };
    *node = PlanNode::new(
        schema,
        PhysicalPlan::HashJoin(HashJoin {
            left: Box::new(input),
            right: Box::new(build.node),
            left_keys,
            right_keys,
            null_safe: safe,
            build: BuildSide::Right,
            broadcast: true,
            join,
            runtime_filter: None,
        }),
    );
    node.estimated_rows = rows;
}
