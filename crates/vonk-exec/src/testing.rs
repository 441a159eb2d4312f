//! Doubles for tests of operators: a context, shuffle blocks in memory, and short ways to make batches and plans.
#![allow(clippy::unwrap_used, clippy::expect_used)] // tests only

use crate::CancelFlag;
use crate::context::{ExecutorEnv, QueryContext, TaskContext};
use crate::memory::MemoryManager;
use crate::metrics::TaskMetrics;
use crate::task::{TaskSpec, run_task};
use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::concat_batches;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use vonk_error::Result;
use vonk_eval::{BoundExpr, EvalEnv};
use vonk_physical::{PhysicalPlan, PlanNode, ValuesBatch};
use vonk_shuffle::{BlockReader, MapOutputSizes, MapPlaces, MapWriter, ShuffleBlocks};
use vonk_sources::Formats;
use vonk_types::{DataType, EvalContext, StructField, StructType};

/// Shuffle blocks in memory, by (shuffle, map, reduce).
#[derive(Default)]
pub struct MemoryBlocks {
    blocks: Arc<Mutex<HashMap<(u64, u32, u32), Vec<RecordBatch>>>>,
}

impl MemoryBlocks {
    /// All rows of a reduce partition, map by map.
    pub fn rows(&self, shuffle: u64, reduce: u32) -> Vec<RecordBatch> {
        let blocks = self.blocks.lock();
        let mut found: Vec<_> =
            blocks.iter().filter(|((s, _, r), _)| (*s, *r) == (shuffle, reduce)).collect();
        found.sort_by_key(|(k, _)| **k);
        found.into_iter().flat_map(|(_, b)| b.clone()).collect()
    }
}

struct Writer {
    blocks: Arc<Mutex<HashMap<(u64, u32, u32), Vec<RecordBatch>>>>,
    shuffle: u64,
    map: u32,
    parts: Vec<Vec<RecordBatch>>,
}

impl MapWriter for Writer {
    fn push(&mut self, reduce: u32, batch: RecordBatch) -> Result<()> {
        assert!(batch.num_rows() > 0);
        self.parts[reduce as usize].push(batch);
        Ok(())
    }

    fn commit(self: Box<Self>) -> Result<MapOutputSizes> {
        let mut sizes = MapOutputSizes::default();
        for (reduce, part) in self.parts.into_iter().enumerate() {
            sizes.rows.push(part.iter().map(|b| b.num_rows() as u64).sum());
            sizes.bytes.push(part.iter().map(|b| b.get_array_memory_size() as u64).sum());
            self.blocks.lock().insert((self.shuffle, self.map, reduce as u32), part);
        }
        Ok(sizes)
    }
}

struct Reader(std::vec::IntoIter<RecordBatch>);

impl BlockReader for Reader {
    fn next(&mut self, _: &dyn Fn() -> Result<()>) -> Result<Option<RecordBatch>> {
        Ok(self.0.next())
    }
}

impl ShuffleBlocks for MemoryBlocks {
    fn writer(&self, shuffle: u64, map: u32, _: u32, partitions: u32) -> Result<Box<dyn MapWriter>> {
        let parts = vec![vec![]; partitions as usize];
        Ok(Box::new(Writer { blocks: self.blocks.clone(), shuffle, map, parts }))
    }

    fn reader(
        &self,
        shuffle: u64,
        _: u32,
        reduce: u32,
        _: Option<&Arc<MapPlaces>>,
    ) -> Result<Box<dyn BlockReader>> {
        Ok(Box::new(Reader(self.rows(shuffle, reduce).into_iter())))
    }

    fn release(&self, shuffle: u64) {
        self.blocks.lock().retain(|(s, _, _), _| *s != shuffle);
    }
}

/// An executor with a memory limit, spilling to the system's folder for temporary files.
pub fn test_executor(limit: Option<u64>) -> ExecutorEnv {
    ExecutorEnv {
        formats: Formats::builtin(),
        memory: MemoryManager::new(limit),
        shuffle: Arc::new(MemoryBlocks::default()),
        spill_dir: std::env::temp_dir().join("vonk-exec-tests"),
    }
}

/// A query with batches of this many rows.
pub fn test_query(batch_rows: usize) -> Arc<QueryContext> {
    let env = EvalEnv::new(EvalContext::default());
    Arc::new(QueryContext::new(env, batch_rows, CancelFlag::new()))
}

/// The context of task 0.
pub fn test_context(limit: Option<u64>) -> TaskContext {
    TaskContext {
        exec: Arc::new(test_executor(limit)),
        query: test_query(1024),
        partition: 0,
        attempt: 0,
        generation: 0,
        inputs: Default::default(),
        cancel: CancelFlag::new(),
        metrics: TaskMetrics::default(),
    }
}

/// A batch with columns named by their positions.
pub fn batch_of(columns: Vec<ArrayRef>) -> RecordBatch {
    let named = columns.into_iter().enumerate().map(|(i, c)| (format!("c{i}"), c, true));
    RecordBatch::try_from_iter_with_nullable(named).unwrap()
}

/// A plan of these rows.
pub fn values(batch: RecordBatch) -> PlanNode {
    let schema = StructType::from_arrow_fields(batch.schema().fields()).unwrap();
    PlanNode::new(schema, PhysicalPlan::Values(ValuesBatch(batch)))
}

/// A node whose columns have these types.
pub fn node(types: &[DataType], plan: PhysicalPlan) -> PlanNode {
    let fields = types.iter().enumerate();
    let fields = fields.map(|(i, t)| StructField::new(format!("c{i}"), t.clone(), true));
    PlanNode::new(StructType::new(fields.collect::<Vec<_>>()), plan)
}

/// A column reference.
pub fn column(index: usize, data_type: DataType) -> BoundExpr {
    BoundExpr::column(index, data_type)
}

/// Runs partition 0 of a plan without a memory limit, in batches of 1024 rows; all rows as one batch.
pub fn run(plan: PlanNode) -> Result<RecordBatch> {
    run_with(plan, None, 1024, 0)
}

/// Runs a partition of a plan; all rows as one batch.
pub fn run_with(
    plan: PlanNode,
    limit: Option<u64>,
    batch_rows: usize,
    partition: u32,
) -> Result<RecordBatch> {
    let exec = Arc::new(test_executor(limit));
    run_on(&exec, &test_query(batch_rows), plan, partition)
}

/// Runs a partition of a plan on an executor; all rows as one batch.
pub fn run_on(
    exec: &Arc<ExecutorEnv>,
    query: &Arc<QueryContext>,
    plan: PlanNode,
    partition: u32,
) -> Result<RecordBatch> {
    let schema = plan.schema.to_arrow_schema();
    let task = TaskSpec {
        fragment: Arc::new(plan),
        partition,
        attempt: partition,
        generation: 0,
        inputs: Default::default(),
        cancel: None,
    };
    let mut out = Vec::new();
    run_task(exec, query, &task, &mut |b| {
        assert!(b.num_rows() > 0, "an empty batch");
        out.push(b);
        Ok(())
    })?;
    assert_eq!(exec.memory.used(), 0, "memory is given back");
    let schema = out.first().map_or(schema, |b| b.schema());
    Ok(concat_batches(&schema, &out)?)
}
