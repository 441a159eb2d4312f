//! Every kind of join against a model that compares all pairs of rows.

use crate::hashing::testing::{canonical, column, key_types};
use crate::testing::{node, run_with, values};
use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::datatypes::Int64Type;
use proptest::prelude::*;
use std::sync::Arc;
use vonk_error::Result;
use vonk_eval::BoundExpr;
use vonk_physical::{
    BuildSide, HashJoin, JoinKind, JoinSpec, NestedLoopJoin, PhysicalPlan, PlanNode, Sort, SortKey,
    SortMergeJoin,
};
use vonk_types::{CompareOp, DataType};

/// Key values, and the value that the condition compares.
type Row = (Vec<Option<u8>>, Option<i64>);

/// Left row, right row, mark: as far as the kind puts them out.
type Out = (Option<i64>, Option<i64>, Option<Option<bool>>);

#[derive(Debug, Clone)]
pub(crate) struct Case {
    left: Vec<Row>,
    right: Vec<Row>,
    types: Vec<DataType>,
    null_safe: Vec<bool>,
    kind: JoinKind,
    null_aware: bool,
    condition: bool,
    build: BuildSide,
}

const KINDS: [JoinKind; 9] = [
    JoinKind::Inner,
    JoinKind::Left,
    JoinKind::Right,
    JoinKind::Full,
    JoinKind::LeftSemi,
    JoinKind::LeftAnti,
    JoinKind::NullAwareAnti,
    JoinKind::Mark,
    JoinKind::LeftSingle,
];

fn rows(most: usize) -> impl Strategy<Value = Vec<Row>> {
    let key = prop::collection::vec(prop::option::weighted(0.8, 0u8..8), 5);
    prop::collection::vec((key, prop::option::weighted(0.9, 0i64..6)), 0..most)
}

pub(crate) fn cases() -> impl Strategy<Value = Case> {
    let types = prop::sample::select(key_types());
    let flags =
        (any::<bool>(), any::<bool>(), prop::collection::vec(prop::bool::weighted(0.3), 5), any::<bool>());
    (rows(25), rows(25), types, prop::sample::select(&KINDS[..]), flags).prop_map(
        |(left, right, types, kind, (null_aware, condition, null_safe, build_left))| Case {
            null_safe: null_safe[..types.len()].to_vec(),
            left,
            right,
            types,
            kind,
            null_aware: null_aware && kind == JoinKind::Mark,
            condition,
            build: if build_left { BuildSide::Left } else { BuildSide::Right },
        },
    )
}

impl Case {
    /// Columns: keys, value, row number.
    fn input(&self, rows: &[Row]) -> PlanNode {
        let key = |i: usize| column(&self.types[i], &rows.iter().map(|r| r.0[i]).collect::<Vec<_>>());
        let mut columns: Vec<ArrayRef> = (0..self.types.len()).map(key).collect();
        columns.push(Arc::new(Int64Array::from_iter(rows.iter().map(|r| r.1))));
        columns.push(Arc::new(Int64Array::from_iter_values(0..rows.len() as i64)));
        values(crate::testing::batch_of(columns))
    }

    fn width(&self) -> usize {
        self.types.len() + 2
    }

    fn keys(&self) -> Vec<BoundExpr> {
        self.types.iter().enumerate().map(|(i, t)| BoundExpr::column(i, t.clone())).collect()
    }

    fn less(&self) -> BoundExpr {
        let value = self.types.len();
        let long = |i| Box::new(BoundExpr::column(i, DataType::Long));
        BoundExpr::Compare { op: CompareOp::Lt, left: long(value), right: long(self.width() + value) }
    }

    fn spec(&self, condition: Option<BoundExpr>) -> (JoinSpec, Vec<DataType>) {
        let (left, right) = (self.width() - 1, 2 * self.width() - 1);
        let (projection, types) = match self.kind {
            JoinKind::Mark => (vec![left, 2 * self.width()], vec![DataType::Long, DataType::Boolean]),
            k if k.outputs_right() => (vec![right, left], vec![DataType::Long, DataType::Long]),
            _ => (vec![left], vec![DataType::Long]),
        };
        (JoinSpec { kind: self.kind, condition, null_aware: self.null_aware, projection }, types)
    }

    fn hash_join(&self) -> PlanNode {
        let (join, types) = self.spec(self.condition.then(|| self.less()));
        let plan = HashJoin {
            left: Box::new(self.input(&self.left)),
            right: Box::new(self.input(&self.right)),
            left_keys: self.keys(),
            right_keys: self.keys(),
            null_safe: self.null_safe.clone(),
            build: self.build,
            broadcast: false,
            join,
            runtime_filter: None,
        };
        node(&types, PhysicalPlan::HashJoin(plan))
    }

    /// The keys' equality as a condition.
    fn condition_of_keys(&self) -> Option<BoundExpr> {
        let mut parts: Vec<BoundExpr> = (0..self.types.len())
            .map(|i| BoundExpr::Compare {
                op: if self.null_safe[i] { CompareOp::EqNullSafe } else { CompareOp::Eq },
                left: Box::new(BoundExpr::column(i, self.types[i].clone())),
                right: Box::new(BoundExpr::column(self.width() + i, self.types[i].clone())),
            })
            .collect();
        if self.condition {
            parts.push(self.less());
        }
        if parts.len() == 1 { parts.pop() } else { Some(BoundExpr::And(parts)) }
    }

    fn nested_loop_join(&self) -> PlanNode {
        let (join, types) = self.spec(self.condition_of_keys());
        let plan = NestedLoopJoin {
            left: Box::new(self.input(&self.left)),
            right: Box::new(self.input(&self.right)),
            build: self.build,
            broadcast: false,
            join,
        };
        node(&types, PhysicalPlan::NestedLoopJoin(plan))
    }

    /// Of sorted inputs.
    pub(crate) fn merge_join(&self) -> PlanNode {
        let (join, types) = self.spec(self.condition.then(|| self.less()));
        let sorted = |input: PlanNode| {
            let key = |expr| SortKey { expr, descending: false, nulls_first: true };
            let keys = self.keys().into_iter().map(key).collect();
            PlanNode::new(
                input.schema.clone(),
                PhysicalPlan::Sort(Sort { keys, fetch: None, input: Box::new(input) }),
            )
        };
        let plan = SortMergeJoin {
            left: Box::new(sorted(self.input(&self.left))),
            right: Box::new(sorted(self.input(&self.right))),
            left_keys: self.keys(),
            right_keys: self.keys(),
            null_safe: self.null_safe.clone(),
            join,
        };
        node(&types, PhysicalPlan::SortMergeJoin(plan))
    }

    /// Whether the pair matches: true, false or unknown.
    fn matches(&self, l: &Row, r: &Row) -> Option<bool> {
        let mut all = Some(true);
        let mut and = |part: Option<bool>| {
            all = match (all, part) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (None, _) | (_, None) => None,
                _ => Some(true),
            }
        };
        for (i, t) in self.types.iter().enumerate() {
            let (a, b) = (canonical(t, l.0[i]), canonical(t, r.0[i]));
            and(if self.null_safe[i] { Some(a == b) } else { a.zip(b).map(|(a, b)| a == b) });
        }
        if self.condition {
            and(l.1.zip(r.1).map(|(a, b)| a < b));
        }
        all
    }

    /// What comes out, sorted; `None` if it is an error.
    fn model(&self) -> Option<Vec<Out>> {
        let mut out: Vec<Out> = vec![];
        let mut right_matched = vec![false; self.right.len()];
        for (i, l) in self.left.iter().enumerate() {
            let row = Some(i as i64);
            let pairs: Vec<Option<bool>> = self.right.iter().map(|r| self.matches(l, r)).collect();
            let found: Vec<usize> = (0..pairs.len()).filter(|j| pairs[*j] == Some(true)).collect();
            let unknown = pairs.contains(&None);
            found.iter().for_each(|j| right_matched[*j] = true);
            match self.kind {
                JoinKind::LeftSemi if !found.is_empty() => out.push((row, None, None)),
                JoinKind::LeftAnti if found.is_empty() => out.push((row, None, None)),
                JoinKind::NullAwareAnti if found.is_empty() && !unknown => out.push((row, None, None)),
                JoinKind::Mark => {
                    let mark = if found.is_empty() && self.null_aware && unknown {
                        None
                    } else {
                        Some(!found.is_empty())
                    };
                    out.push((row, None, Some(mark)));
                }
                JoinKind::LeftSingle if found.len() > 1 => return None,
                k if k.outputs_right() => {
                    out.extend(found.iter().map(|j| (row, Some(*j as i64), None)));
                    if found.is_empty() && !matches!(k, JoinKind::Inner | JoinKind::Right) {
                        out.push((row, None, None));
                    }
                }
                _ => {}
            }
        }
        if matches!(self.kind, JoinKind::Right | JoinKind::Full) {
            let unmatched = (0..self.right.len()).filter(|j| !right_matched[*j]);
            out.extend(unmatched.map(|j| (None, Some(j as i64), None)));
        }
        out.sort();
        Some(out)
    }

    pub(crate) fn check(&self, got: Result<RecordBatch>) {
        match (self.model(), got) {
            (Some(expected), Ok(batch)) => assert_eq!(self.read(&batch), expected),
            (None, Err(e)) => assert_eq!(e.condition(), "SCALAR_SUBQUERY_TOO_MANY_ROWS"),
            (expected, got) => panic!("expected {expected:?}, got {got:?}"),
        }
    }

    fn read(&self, batch: &RecordBatch) -> Vec<Out> {
        let long = |c: usize, row: usize| {
            let a = batch.column(c).as_primitive::<Int64Type>();
            a.is_valid(row).then(|| a.value(row))
        };
        let mut out: Vec<Out> = (0..batch.num_rows())
            .map(|row| match self.kind {
                JoinKind::Mark => {
                    let marks = batch.column(1).as_boolean();
                    (long(0, row), None, Some(marks.is_valid(row).then(|| marks.value(row))))
                }
                k if k.outputs_right() => (long(1, row), long(0, row), None),
                _ => (long(0, row), None, None),
            })
            .collect();
        out.sort();
        out
    }

    /// Whether the planner makes hash joins of this kind.
    fn is_hashable(&self) -> bool {
        let null_aware = self.kind == JoinKind::NullAwareAnti || self.null_aware;
        !null_aware || (self.types.len() == 1 && !self.null_safe[0] && !self.condition)
    }
}

pub(crate) fn null_aware(case: &Case) -> bool {
    case.kind == JoinKind::NullAwareAnti || case.null_aware
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn hash_join_is_the_model(case in cases(), batch_rows in prop::sample::select(vec![3usize, 1024]),
                              limit in prop::sample::select(vec![None, None, Some(1u64), Some(3000)])) {
        let case = Case { condition: case.condition && !null_aware(&case), ..case };
        let case = if null_aware(&case) { Case { build: BuildSide::Right, ..case } } else { case };
        // What must see the whole right side is a broadcast, which is never spilled.
        let limit = limit.filter(|_| !null_aware(&case));
        if case.is_hashable() {
            case.check(run_with(case.hash_join(), limit, batch_rows, 0));
        }
    }

    #[test]
    fn nested_loop_join_is_the_model(case in cases(), batch_rows in prop::sample::select(vec![3usize, 1024]),
                                     limit in prop::sample::select(vec![None, None, Some(1u64), Some(3000)])) {
        let case = if null_aware(&case) { Case { build: BuildSide::Right, ..case } } else { case };
        case.check(run_with(case.nested_loop_join(), limit, batch_rows, 0));
    }
}
