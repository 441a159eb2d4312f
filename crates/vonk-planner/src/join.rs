//! Joins: which operator, which build side, broadcast or shuffled.

use crate::planned::{Distribution, Planned};
use crate::planner::{Planner, Required, column_ids};
use crate::reduction::{Side, Sides};
use crate::sort::sorted;
use std::collections::HashSet;
use vonk_error::Result;
use vonk_eval::BoundExpr;
use vonk_optimizer::statistics::{equi_keys, estimate};
use vonk_physical::{
    BuildSide, HashJoin, JoinKind, JoinSpec, NestedLoopJoin, PhysicalPlan, SortKey, SortMergeJoin,
};
use vonk_plan::logical::{Column, ColumnId, Expr, Join, LogicalPlan};

/// In one process a broadcast is shared, not copied: it pays up to this many bytes whatever the threshold says.
const SHARED_BROADCAST_BYTES: f64 = 64.0 * 1024.0 * 1024.0;
/// Beyond that, it pays while the build side is this much smaller than the probe side, whose rows need not be moved then.
const SHARED_BROADCAST_RATIO: f64 = 2.0;

impl Planner<'_> {
    pub(crate) fn join(&mut self, j: &Join, plan: &LogicalPlan, required: &Required) -> Result<Planned> {
        if j.lateral {
            return Err(crate::planner::internal("a lateral join was not decorrelated"));
        }
        let left_ids: HashSet<ColumnId> = j.left.output().iter().map(|c| c.id).collect();
        let right_ids: HashSet<ColumnId> = j.right.output().iter().map(|c| c.id).collect();
        let (keys, rest) = match &j.condition {
            Some(c) => equi_keys(c, &left_ids, &right_ids),
            None => (vec![], vec![]),
        };
        let mut needed = required.clone();
        j.condition.iter().for_each(|c| c.collect_columns(&mut needed));
        let only = |ids: &HashSet<ColumnId>| needed.intersection(ids).copied().collect::<Required>();
        let left = self.visit(&j.left, &only(&left_ids))?;
        let right = self.visit(&j.right, &only(&right_ids))?;
        let rows = estimate(plan).rows;
        let (spec, columns) = self.join_spec(j, &left, &right, rest, required)?;
        // NOT IN compares all pairs unless its keys are plain: the null-aware hash join takes a single key and no more.
        let hashable = !keys.is_empty()
            && (j.kind != JoinKind::NullAwareAnti || (keys.len() == 1 && spec.condition.is_none()))
            && !(j.kind == JoinKind::Mark && j.null_aware && (keys.len() != 1 || spec.condition.is_some()));
        if !hashable {
            // The nested loop join evaluates the whole condition.
            let (spec, columns) =
                self.join_spec(j, &left, &right, j.condition.iter().cloned().collect(), required)?;
            return Ok(self.nested_loop(left, right, spec, columns, rows));
        }
        let (mut left_keys, mut right_keys, mut null_safe) = (vec![], vec![], vec![]);
        for (l, r, safe) in &keys {
            left_keys.push(self.binder(&left.columns).bind(l)?);
            right_keys.push(self.binder(&right.columns).bind(r)?);
            null_safe.push(*safe);
        }
        let left_ids = column_ids(keys.iter().map(|k| &k.0));
        let right_ids = column_ids(keys.iter().map(|k| &k.1));
        // Null-aware joins must see all of the right side.
        let sees_all = j.kind == JoinKind::NullAwareAnti || (j.kind == JoinKind::Mark && j.null_aware);
        let (build, broadcast) = self.strategy(j.kind, j.null_aware, &left, &right);
        let one_task = left.partitions() == 1 && right.partitions() == 1;
        let sides = Sides {
            kind: j.kind,
            null_aware: j.null_aware,
            build: (broadcast || one_task).then_some(build),
            broadcast,
            pairs: &keys,
            left: Side {
                planned: left,
                estimate: estimate(&j.left),
                keys: &left_keys,
                ids: left_ids.clone(),
            },
            right: Side {
                planned: right,
                estimate: estimate(&j.right),
                keys: &right_keys,
                ids: right_ids.clone(),
            },
        };
        let (left, right, by_hash) = self.reduce(sides);
        let (build, broadcast) = if by_hash {
            (if left.bytes < right.bytes { BuildSide::Left } else { BuildSide::Right }, false)
        } else {
            (build, broadcast)
        };
        let (left, right) = match (broadcast, build) {
            (true, BuildSide::Left) => (left.broadcast(), right),
            (true, BuildSide::Right) => (left, right.broadcast()),
            (false, _) => self.co_partition(left, right, (&left_keys, left_ids), (&right_keys, right_ids)),
        };
        let distribution = match (build, broadcast) {
            (BuildSide::Left, true) => right.distribution.clone(),
            (BuildSide::Right, true) => left.distribution.clone(),
            _ if j.kind == JoinKind::Full => Distribution::Any,
            _ if j.kind == JoinKind::Right => right.distribution.clone(),
            _ => left.distribution.clone(),
        };
        if self.options.prefer_sort_merge && !broadcast && !sees_all {
            let by_keys = |side: Planned, keys: &[BoundExpr]| {
                let rows = side.rows();
                let key = |e: &BoundExpr| SortKey { expr: e.clone(), descending: false, nulls_first: true };
                sorted(side, keys.iter().map(key).collect(), None, rows)
            };
            let node = PhysicalPlan::SortMergeJoin(SortMergeJoin {
                left: Box::new(by_keys(left, &left_keys).node),
                right: Box::new(by_keys(right, &right_keys).node),
                left_keys,
                right_keys,
                null_safe,
                join: spec,
            });
            return Ok(Planned::new(node, columns, distribution, rows));
        }
        let node = PhysicalPlan::HashJoin(HashJoin {
            left: Box::new(left.node),
            right: Box::new(right.node),
            left_keys,
            right_keys,
            null_safe,
            build,
            broadcast,
            join: spec,
            runtime_filter: None,
        });
        Ok(Planned::new(node, columns, distribution, rows))
    }

    fn join_spec(
        &mut self,
        j: &Join,
        left: &Planned,
        right: &Planned,
        rest: Vec<Expr>,
        required: &Required,
    ) -> Result<(JoinSpec, Vec<Column>)> {
        let both: Vec<Column> = left.columns.iter().chain(&right.columns).cloned().collect();
        let condition = Expr::and_all(rest).map(|c| self.binder(&both).bind(&c)).transpose()?;
        let mut available = left.columns.len();
        if j.kind.outputs_right() {
            available = both.len();
        }
        let output = j.output();
        let (mut projection, mut columns) = (vec![], vec![]);
        for (i, c) in both.iter().enumerate().take(available) {
            if required.contains(&c.id) {
                projection.push(i);
                // The join's own view of the column: null-extended sides are nullable.
                columns.push(output.iter().find(|o| o.id == c.id).unwrap_or(c).clone());
            }
        }
        if let Some(mark) = &j.mark {
            projection.push(both.len());
            columns.push(mark.clone());
        }
        Ok((JoinSpec { kind: j.kind, condition, null_aware: j.null_aware, projection }, columns))
    }

    /// Build side, and whether it is broadcast.
    fn strategy(
        &self,
        kind: JoinKind,
        null_aware: bool,
        left: &Planned,
        right: &Planned,
    ) -> (BuildSide, bool) {
        // A broadcast side's unmatched rows cannot be put out: no task knows what the others matched.
        let right_ok = !matches!(kind, JoinKind::Right | JoinKind::Full);
        let left_ok = matches!(kind, JoinKind::Inner | JoinKind::Right);
        // Null-aware joins must see all of the right side: one null in it changes every answer.
        if kind == JoinKind::NullAwareAnti || (kind == JoinKind::Mark && null_aware) {
            return (BuildSide::Right, true);
        }
        let build_left = left.bytes < right.bytes;
        let one_task = left.partitions() == 1 && right.partitions() == 1;
        if one_task {
            return (if build_left { BuildSide::Left } else { BuildSide::Right }, false);
        }
        let (small, large) = if build_left { (left, right) } else { (right, left) };
        if (build_left && left_ok || !build_left && right_ok) && self.broadcast_pays(small, large) {
            return (if build_left { BuildSide::Left } else { BuildSide::Right }, true);
        }
        // The larger side may still be small enough: one table of it for all, rather than moving both.
        if right_ok
            && build_left
            && right.bytes <= self.options.broadcast_threshold
            && self.broadcast_pays(right, left)
        {
            return (BuildSide::Right, true);
        }
        (if build_left { BuildSide::Left } else { BuildSide::Right }, false)
    }

    fn broadcast_pays(&self, build: &Planned, probe: &Planned) -> bool {
        let o = &self.options;
        if o.broadcast_threshold < 0.0 {
            return false;
        }
        // A shared table cannot be spilled: under a limit it may take a quarter of it (and twice its rows' bytes).
        if o.memory_limit.is_some_and(|limit| build.bytes * 8.0 > limit as f64) {
            return false;
        }
        build.bytes <= o.broadcast_threshold
            || (o.shared_memory
                && (build.bytes <= SHARED_BROADCAST_BYTES
                    || build.rows() * SHARED_BROADCAST_RATIO <= probe.rows()))
    }

    fn co_partition(
        &self,
        left: Planned,
        right: Planned,
        (left_keys, left_ids): (&[BoundExpr], Option<Vec<ColumnId>>),
        (right_keys, right_ids): (&[BoundExpr], Option<Vec<ColumnId>>),
    ) -> (Planned, Planned) {
        if left.partitions() == 1 && right.partitions() == 1 {
            return (left, right);
        }
        // A side that is already hashed by exactly these keys stays; both must then have the same partition count.
        let hashed_by = |p: &Planned, ids: &Option<Vec<ColumnId>>| match (&p.distribution, ids) {
            (Distribution::Hash(have, n), Some(want)) if have == want => Some(*n),
            _ => None,
        };
        let (l, r) = (hashed_by(&left, &left_ids), hashed_by(&right, &right_ids));
        let partitions = l.or(r).unwrap_or_else(|| self.options.partitions_for(left.bytes.max(right.bytes)));
        let by = |p: Planned, have: Option<u32>, keys: &[BoundExpr], ids: Option<Vec<ColumnId>>| {
            if have == Some(partitions) {
                return p;
            }
            let distribution = ids.map_or(Distribution::Any, |ids| Distribution::Hash(ids, partitions));
            let keys = keys.to_vec();
            p.exchanged(vonk_physical::Partitioning::Hash { keys, partitions }, distribution)
        };
        (by(left, l, left_keys, left_ids), by(right, r, right_keys, right_ids))
    }

    fn nested_loop(
        &mut self,
        left: Planned,
        right: Planned,
        join: JoinSpec,
        columns: Vec<Column>,
        rows: f64,
    ) -> Planned {
        let (build, left, right) = match join.kind {
            JoinKind::Full => (BuildSide::Right, left.single(), right.single()),
            JoinKind::Right => (BuildSide::Left, left, right),
            JoinKind::Inner if left.bytes < right.bytes => (BuildSide::Left, left, right),
            _ => (BuildSide::Right, left, right),
        };
        let probe = if build == BuildSide::Left { &right } else { &left };
        let broadcast = probe.partitions() > 1;
        let prepare = |p: Planned| if broadcast { p.broadcast() } else { p.single() };
        let (left, right) = match build {
            BuildSide::Left => (prepare(left), right),
            BuildSide::Right => (left, prepare(right)),
        };
        let node = PhysicalPlan::NestedLoopJoin(NestedLoopJoin {
            left: Box::new(left.node),
            right: Box::new(right.node),
            build,
            broadcast,
            join,
        });
        Planned::new(node, columns, Distribution::Any, rows)
    }
}
