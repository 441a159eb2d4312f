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

/// A key column and a row number.
fn keyed(keys: impl Iterator<Item = Option<i64>>) -> PlanNode {
    let keys: ArrayRef = Arc::new(Int64Array::from_iter(keys));
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..keys.len() as i64));
    values(crate::testing::batch_of(vec![keys, numbers]))
}

fn join_of(
    left: PlanNode,
    right: PlanNode,
    kind: JoinKind,
    build: BuildSide,
    projection: Vec<usize>,
) -> PlanNode {
    let key = || vec![BoundExpr::column(0, DataType::Long)];
    let types = vec![DataType::Long; projection.len()];
    let plan = HashJoin {
        left: Box::new(left),
        right: Box::new(right),
        left_keys: key(),
        right_keys: key(),
        null_safe: vec![false],
        build,
        broadcast: false,
        join: JoinSpec { kind, condition: None, null_aware: false, projection },
        runtime_filter: None,
    };
    node(&types, PhysicalPlan::HashJoin(plan))
}

fn sum(batch: &RecordBatch, column: usize) -> i64 {
    batch.column(column).as_primitive::<Int64Type>().iter().flatten().sum()
}

#[test]
fn large_inputs_are_joined_alike_in_memory_and_on_disk() {
    // Keys 0..20,000; on the right each twice, and one of them 5,000 times more.
    let left = keyed((0..50_000).map(|i| Some(i % 20_000)));
    let right = keyed((0..45_000).map(|i| Some(if i < 40_000 { i % 20_000 } else { 77 })));
    let pairs = 50_000 * 2 + 3 * 5_000;
    for limit in [None, Some(2_000_000), Some(100_000)] {
        for build in [BuildSide::Left, BuildSide::Right] {
            let plan = join_of(left.clone(), right.clone(), JoinKind::Full, build, vec![1, 3]);
            let out = run_with(plan, limit, 1024, 0).unwrap();
            assert_eq!(out.num_rows(), pairs);
            // Rows 77, 20,077 and 40,077 meet the 5,000 rows besides.
            let of_left = 2 * (0..50_000i64).sum::<i64>() + 5_000 * (77 + 20_077 + 40_077);
            assert_eq!(sum(&out, 0), of_left);
        }
    }
}

#[test]
fn spilling_is_counted() {
    let plan = join_of(
        keyed((0..10_000).map(Some)),
        keyed((0..10_000).map(Some)),
        JoinKind::Inner,
        BuildSide::Right,
        vec![1],
    );
    let exec = Arc::new(crate::testing::test_executor(Some(50_000)));
    let task = crate::TaskSpec {
        fragment: Arc::new(plan),
        partition: 0,
        attempt: 0,
        generation: 0,
        inputs: Default::default(),
        cancel: None,
    };
    let mut rows = 0;
    let out = crate::run_task(&exec, &crate::testing::test_query(1024), &task, &mut |b| {
        rows += b.num_rows();
        Ok(())
    });
    let spilled = &out.unwrap().metrics.nodes()[0].1.spilled;
    assert_eq!(rows, 10_000);
    assert!(spilled.load(std::sync::atomic::Ordering::Relaxed) > 50_000);
}

#[test]
fn cross_joins_may_have_no_columns() {
    for limit in [None, Some(1)] {
        let plan = NestedLoopJoin {
            left: Box::new(keyed((0..50).map(Some))),
            right: Box::new(keyed((0..70).map(Some))),
            build: BuildSide::Right,
            broadcast: false,
            join: JoinSpec { kind: JoinKind::Inner, condition: None, null_aware: false, projection: vec![] },
        };
        let out = run_with(node(&[], PhysicalPlan::NestedLoopJoin(plan)), limit, 16, 0).unwrap();
        assert_eq!(out.num_rows(), 50 * 70);
    }
}

#[test]
fn tasks_share_the_table_of_a_broadcast() {
    use crate::testing::{test_executor, test_query};
    let exec = Arc::new(test_executor(None));
    let query = test_query(1024);
    // The broadcast's one partition; the probe side is a range of four.
    let right = keyed((0..1000).map(|i| Some(i * 2)));
    let mut writer = exec.shuffle.writer(5, 0, 0, 1).unwrap();
    let PhysicalPlan::Values(rows) = &right.plan else { unreachable!() };
    writer.push(0, rows.0.clone()).unwrap();
    writer.commit().unwrap();
    let read = vonk_physical::ShuffleRead { shuffle: 5, maps: 1, partitions: 1, broadcast: true };
    let right = PlanNode::new(right.schema.clone(), PhysicalPlan::ShuffleRead(read));
    let left = node(&[DataType::Long], PhysicalPlan::Range { start: 0, end: 4000, step: 1, partitions: 4 });
    let mut plan = join_of(left, right, JoinKind::Inner, BuildSide::Right, vec![0, 2]);
    let PhysicalPlan::HashJoin(join) = &mut plan.plan else { unreachable!() };
    join.broadcast = true;
    let fragment = Arc::new(plan);
    let rows: Vec<usize> = std::thread::scope(|s| {
        let run = |partition| {
            let task = crate::TaskSpec {
                fragment: fragment.clone(),
                partition,
                attempt: partition,
                generation: 0,
                inputs: Default::default(),
                cancel: None,
            };
            let (exec, query) = (exec.clone(), query.clone());
            s.spawn(move || {
                let mut rows = 0;
                crate::run_task(&exec, &query, &task, &mut |b| {
                    rows += b.num_rows();
                    Ok(())
                })
                .unwrap();
                rows
            })
        };
        let tasks: Vec<_> = (0..4).map(run).collect();
        tasks.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert_eq!(rows, [500, 500, 0, 0]);
    assert!(exec.memory.used() > 0, "the table is there as long as the job");
    drop(query);
    assert_eq!(exec.memory.used(), 0);
}

#[test]
fn an_inner_join_with_nothing_does_not_read_the_other_side() {
    // The probe side would fail: a cast of a string that is no number.
    let strings: ArrayRef = Arc::new(arrow::array::StringViewArray::from(vec!["x"]));
    let cast = BoundExpr::Cast {
        expr: Box::new(BoundExpr::column(0, DataType::String)),
        to: DataType::Long,
        mode: vonk_types::CastMode::Ansi,
        span: vonk_error::Span::NONE,
    };
    let failing = PhysicalPlan::Project {
        exprs: vec![cast.clone(), cast],
        input: Box::new(values(crate::testing::batch_of(vec![strings]))),
    };
    let failing = node(&[DataType::Long, DataType::Long], failing);
    for (kind, build) in [(JoinKind::Inner, BuildSide::Right), (JoinKind::LeftSemi, BuildSide::Right)] {
        let plan = join_of(failing.clone(), keyed(std::iter::empty()), kind, build, vec![1]);
        assert_eq!(run_with(plan, None, 1024, 0).unwrap().num_rows(), 0);
    }
    let plan = join_of(failing, keyed(std::iter::empty()), JoinKind::Left, BuildSide::Right, vec![1]);
    assert!(run_with(plan, None, 1024, 0).is_err());
}
