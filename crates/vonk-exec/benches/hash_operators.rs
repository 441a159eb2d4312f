//! The hot kernels behind grouping, joining and sorting, over rows in memory: `cargo bench -p vonk-exec`.
#![allow(clippy::unwrap_used, missing_docs)]

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringViewArray};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::sync::Arc;
use vonk_error::Span;
use vonk_eval::{BoundExpr, EvalEnv};
use vonk_exec::{CancelFlag, ExecutorEnv, MemoryManager, QueryContext, TaskSpec, run_task};
use vonk_physical::{
    AggregateMode, AggregateSpec, BuildSide, HashAggregate, HashJoin, JoinKind, JoinSpec, PhysicalPlan,
    PlanNode, Sort, SortKey, ValuesBatch,
};
use vonk_shuffle::LocalBlocks;
use vonk_sources::Formats;
use vonk_types::{DataType, EvalContext, StructField, StructType};

const ROWS: i64 = 200_000;

/// `k`: one of `keys` numbers, scattered; `v`: the row's number; `s`: one of four strings.
fn rows(keys: i64) -> PlanNode {
    let scattered = |i: i64| i.wrapping_mul(0x9e37_79b9).rem_euclid(keys);
    let words = ["AIR", "a longer word than a view holds", "RAIL", "SHIP"];
    let columns: [ArrayRef; 3] = [
        Arc::new(Int64Array::from_iter_values((0..ROWS).map(scattered))),
        Arc::new(Int64Array::from_iter_values(0..ROWS)),
        Arc::new(StringViewArray::from_iter_values((0..ROWS).map(|i| words[scattered(i) as usize % 4]))),
    ];
    let fields = vec![
        StructField::new("k", DataType::Long, true),
        StructField::new("v", DataType::Long, true),
        StructField::new("s", DataType::String, true),
    ];
    let schema = StructType::new(fields);
    let batch = RecordBatch::try_new(schema.to_arrow_schema(), columns.to_vec()).unwrap();
    PlanNode::new(schema, PhysicalPlan::Values(ValuesBatch(batch)))
}

fn long(i: usize) -> BoundExpr {
    BoundExpr::column(i, DataType::Long)
}

fn grouped(input: PlanNode, key: BoundExpr) -> PlanNode {
    let sum = AggregateSpec {
        function: "sum".into(),
        args: vec![long(1)],
        filter: None,
        distinct: false,
        order_by: vec![],
        data_type: DataType::Long,
        state_types: vec![DataType::Long, DataType::Long],
        span: Span::NONE,
    };
    let fields =
        vec![StructField::new("k", key.data_type(), true), StructField::new("sum", DataType::Long, true)];
    let plan = HashAggregate {
        mode: AggregateMode::Complete,
        groups: vec![key],
        aggregates: vec![sum],
        input: Box::new(input),
    };
    PlanNode::new(StructType::new(fields), PhysicalPlan::HashAggregate(plan))
}

fn joined(probe: PlanNode, build: PlanNode) -> PlanNode {
    let fields =
        vec![StructField::new("v", DataType::Long, true), StructField::new("w", DataType::Long, true)];
    let plan = HashJoin {
        left: Box::new(probe),
        right: Box::new(build),
        left_keys: vec![long(0)],
        right_keys: vec![long(0)],
        null_safe: vec![false],
        build: BuildSide::Right,
        broadcast: false,
        join: JoinSpec { kind: JoinKind::Inner, condition: None, null_aware: false, projection: vec![1, 4] },
        runtime_filter: None,
    };
    PlanNode::new(StructType::new(fields), PhysicalPlan::HashJoin(plan))
}

fn sorted(input: PlanNode, key: BoundExpr, fetch: Option<u64>) -> PlanNode {
    let keys = vec![SortKey { expr: key, descending: false, nulls_first: true }];
    PlanNode::new(input.schema.clone(), PhysicalPlan::Sort(Sort { keys, fetch, input: Box::new(input) }))
}

fn run(plan: &Arc<PlanNode>) -> usize {
    let memory = MemoryManager::new(None);
    let spill_dir = std::env::temp_dir().join("vonk-bench-spill");
    let shuffle = Arc::new(LocalBlocks::new(memory.clone(), spill_dir.clone(), 0));
    let exec = Arc::new(ExecutorEnv { formats: Formats::builtin(), memory, shuffle, spill_dir });
    let query = Arc::new(QueryContext::new(EvalEnv::new(EvalContext::default()), 8192, CancelFlag::new()));
    let task = TaskSpec {
        fragment: plan.clone(),
        partition: 0,
        attempt: 0,
        generation: 0,
        inputs: Default::default(),
        cancel: None,
    };
    let mut count = 0;
    run_task(&exec, &query, &task, &mut |b| {
        count += b.num_rows();
        Ok(())
    })
    .unwrap();
    count
}

fn operators(c: &mut Criterion) {
    let text = || BoundExpr::column(2, DataType::String);
    let cases = [
        ("group by a dense number", grouped(rows(ROWS / 4), long(0)), ROWS / 4),
        ("group by one of four strings", grouped(rows(ROWS), text()), 4),
        ("join 200,000 rows with 200,000", joined(rows(ROWS), rows(ROWS)), ROWS),
        ("sort by a number", sorted(rows(ROWS), long(0), None), ROWS),
        ("sort by a string", sorted(rows(ROWS), text(), None), ROWS),
        ("first ten by a number", sorted(rows(ROWS), long(0), Some(10)), 10),
    ];
    let mut group = c.benchmark_group("operators");
    group.throughput(Throughput::Elements(ROWS as u64)).sample_size(20);
    for (name, plan, expected) in cases {
        let plan = Arc::new(plan);
        assert_eq!(run(&plan) as i64, expected, "{name}");
        group.bench_function(name, |b| b.iter(|| run(&plan)));
    }
    group.finish();
}

criterion_group!(benches, operators);
criterion_main!(benches);
