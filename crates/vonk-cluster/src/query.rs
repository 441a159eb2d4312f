//! Runs physical queries: scalar subqueries first, then the bounds of range partitionings, then the query itself.

use crate::bounds::set_bounds;
use crate::cluster::Cluster;
use crate::driver::{JobMetrics, JobSpec, KeptShuffles, RunningJob};
use crate::kept::{KeptRelation, reads_kept};
use crate::loops::{Tables, with_tables};
use crate::progress::Progress;
use crate::settled;
use arrow::array::RecordBatch;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Instant;
use vonk_error::{Error, Result};
use vonk_eval::EvalEnv;
use vonk_exec::{CancelFlag, QueryContext};
use vonk_physical::{Exchange, ExplainMetrics, Partitioning, PhysicalPlan, PlanNode};
use vonk_planner::{PhysicalQuery, ScalarSubplan, lower};
use vonk_scheduler::{ShuffleId, cut_stages};
use vonk_types::{DataType, Literal};

/// What a query needs beside its plan.
pub struct QuerySettings {
    /// Session settings and functions.
    pub env: EvalEnv,
    /// Rows of a batch aimed at.
    pub batch_rows: usize,
    /// Set to stop the query, from any thread.
    pub cancel: CancelFlag,
    /// Told how far it is.
    pub progress: Arc<Progress>,
    /// The pool in which its jobs share the executors with others (`spark.scheduler.pool`).
    pub pool: String,
    /// The statement's text, or a name for it.
    pub description: Arc<str>,
}

/// What ran.
#[derive(Debug, Clone, Default)]
pub struct QueryReport {
    /// Counters by plan node.
    pub metrics: ExplainMetrics,
    /// Stages submitted.
    pub stages: u32,
    /// Tasks that succeeded.
    pub tasks: u32,
}

impl QueryReport {
    fn add(&mut self, job: &JobMetrics) {
        self.stages += job.stages;
        self.tasks += job.tasks;
        for (id, (rows, bytes, nanos)) in &job.nodes.nodes {
            let sum = self.metrics.nodes.entry(*id).or_default();
            sum.0 += rows;
            sum.1 += bytes;
            sum.2 += nanos;
        }
    }
}

/// One query while its jobs are made.
pub(crate) struct Run<'a> {
    cluster: &'a Cluster,
    /// Its number, for those who look.
    number: u64,
    settings: QuerySettings,
    /// Values of scalar subqueries so far.
    scalars: Vec<(u32, Literal)>,
    /// Rows of loops so far.
    pub(crate) tables: Tables,
    /// See [`EvalContext::seed_shift`](vonk_types::EvalContext::seed_shift).
    pub(crate) seed_shift: i64,
    report: QueryReport,
    /// Exchanges of the plans that run after the one that is being made into a job.
    later: HashSet<Exchange>,
    /// Shuffles that earlier jobs have made for later ones.
    kept: KeptShuffles,
    /// Relations kept between queries that it reads.
    relations: HashMap<u64, Arc<KeptRelation>>,
}

impl<'a> Run<'a> {
    pub fn new(cluster: &'a Cluster, settings: QuerySettings) -> Run<'a> {
        Run {
            cluster,
            number: cluster.next_query(),
            settings,
            scalars: Vec::new(),
            tables: Tables::new(),
            seed_shift: 0,
            report: QueryReport::default(),
            later: HashSet::new(),
            kept: cluster.driver().kept_shuffles(),
            relations: HashMap::new(),
        }
    }

    /// Runs all jobs but the last, which is submitted.
    pub fn start(mut self, query: PhysicalQuery) -> Result<QueryHandle> {
        let root = self.prepare(query)?;
        let job = self.submit(&root)?;
        let running = Running { job, report: self.report, _kept: self.kept, _relations: self.relations };
        Ok(QueryHandle { running: Arc::new(running), part: 0 })
    }

    /// Runs what must run before the query: loops, scalar subqueries, samples for bounds. Gives the query itself.
    pub(crate) fn prepare(&mut self, mut query: PhysicalQuery) -> Result<PlanNode> {
        if !(query.loops.is_empty() && query.subplans.is_empty()) {
            let kept = self.cluster.kept();
            kept.known(&mut query.root);
            query.subplans.iter_mut().for_each(|s| kept.known(&mut s.plan));
            settled::prune(&mut query);
        }
        let PhysicalQuery { loops, subplans, mut root } = query;
        for l in &loops {
            self.run_loop(l)?;
        }
        let mut subplans = VecDeque::from(subplans);
        while let Some(subplan) = subplans.pop_front() {
            self.later.clear();
            for plan in subplans.iter().map(|s| &s.plan).chain([&root]) {
                collect_exchanges(&*with_tables(plan, &self.tables)?, &mut self.later);
            }
            self.scalar(subplan)?;
        }
        self.bounds(&mut root)?;
        self.later.clear();
        Ok(root)
    }

    /// Samples the inputs of range exchanges for their bounds. What lies below the inputs' own exchanges is computed once.
    fn bounds(&mut self, plan: &mut PlanNode) -> Result<()> {
        self.cluster.kept().known(plan);
        let mut unbounded = false;
        plan.visit(&mut |n| unbounded |= needs_bounds(n));
        if unbounded {
            collect_exchanges(&*with_tables(plan, &self.tables)?, &mut self.later);
        }
        set_bounds(plan, &mut |plan| self.collect(&plan))
    }

    fn submit(&mut self, root: &PlanNode) -> Result<RunningJob> {
        let root = with_tables(root, &self.tables)?;
        if !reads_kept(&root) {
            return self.submit_filled(&root);
        }
        let mut root = root.into_owned();
        settled::settle(&mut root, &self.scalars);
        let cluster = self.cluster;
        for (number, relation, exchange) in
            cluster.kept().entered(&mut root, cluster.driver(), &mut || cluster.next_shuffle())
        {
            self.relations.insert(number, relation.clone());
            self.fill(&relation, exchange)?;
        }
        self.submit_filled(&root)
    }

    /// Has the rows of a relation computed that are to be kept and are not there: by a job of their own, which one query runs for all that
    /// wait for them.
    fn fill(&mut self, relation: &KeptRelation, exchange: PlanNode) -> Result<()> {
        let cancel = self.settings.cancel.clone();
        let Some(mut filled) = relation.to_fill(&cancel)? else { return Ok(()) };
        // The job's own stage reads nothing; the one before it leaves the rows where they are kept.
        let schema = exchange.schema.clone();
        let plan = PhysicalPlan::Limit { skip: 0, fetch: Some(0), input: Box::new(exchange) };
        let job = self.submit_filled(&PlanNode::new(schema, plan))?;
        while job.results.next(0)?.is_some() {}
        self.report.add(&job.metrics.lock());
        *filled = true;
        Ok(())
    }

    fn submit_filled(&mut self, root: &PlanNode) -> Result<RunningJob> {
        self.settings.cancel.check()?;
        let mut shared = HashSet::new();
        shared_exchanges(root, &self.later, &mut shared);
        let mut keep = Vec::new();
        let lowered = lower(root, &self.settings.env.registry.clone(), &mut |exchange| {
            if let Some(id) = self.relations.iter().find_map(|(number, r)| r.shuffle(*number, exchange)) {
                if matches!(exchange.partitioning, Partitioning::Kept { .. }) {
                    keep.push(ShuffleId(id));
                }
                return id;
            }
            let known = self.kept.ids.get(exchange).copied();
            let id = known.unwrap_or_else(|| self.cluster.next_shuffle());
            if shared.contains(exchange) {
                self.kept.ids.insert(exchange.clone(), id);
                keep.push(ShuffleId(id));
            }
            id
        })?;
        let stages = cut_stages(&lowered.graph, lowered.last, &mut 0).map_or(0, |s| s.len());
        self.settings.progress.plan(u32::try_from(stages).unwrap_or(u32::MAX));
        let mut env =
            EvalEnv { scalar_subqueries: Arc::new(self.scalars.clone()), ..self.settings.env.clone() };
        Arc::make_mut(&mut env.ctx).seed_shift = self.seed_shift;
        // A job has a flag of its own, so that ending one does not end the query's next; it follows the query's.
        let cancel = self.settings.cancel.child();
        let query = QueryContext::new(env, self.settings.batch_rows, cancel.clone()).of_query(self.number);
        let partitions = lowered.graph.get(lowered.last).map_or(0, |rdd| rdd.num_partitions);
        let spec = JobSpec {
            last: lowered.last,
            fragments: lowered.fragments.into_iter().map(Arc::new).collect(),
            graph: lowered.graph,
            query: Arc::new(query),
            results: self.cluster.results(partitions, &cancel),
            progress: self.settings.progress.clone(),
            keep,
            pool: self.settings.pool.clone(),
            description: self.settings.description.clone(),
        };
        Ok(self.cluster.driver().submit(spec))
    }

    pub(crate) fn collect(&mut self, root: &PlanNode) -> Result<Vec<RecordBatch>> {
        let job = self.submit(root)?;
        let mut batches = Vec::new();
        while let Some(batch) = job.results.next(0)? {
            batches.push(batch);
        }
        self.report.add(&job.metrics.lock());
        Ok(batches)
    }

    fn scalar(&mut self, subplan: ScalarSubplan) -> Result<()> {
        let ScalarSubplan { id, mut plan } = subplan;
        let later = self.later.clone();
        self.bounds(&mut plan)?;
        self.later = later;
        let data_type = plan.schema.fields.first().map_or(DataType::Null, |f| f.data_type.clone());
        let job = self.submit(&plan)?;
        let mut value = None;
        while let Some(batch) = job.results.next(0)? {
            // Dropping the job cancels it: of many rows no more than the first batch is waited for.
            match (batch.num_rows(), &value) {
                (0, _) => {}
                (1, None) => value = Some(Literal::from_array(batch.column(0), 0, data_type.clone())?),
                _ => return Err(Error::new("SCALAR_SUBQUERY_TOO_MANY_ROWS")),
            }
        }
        self.report.add(&job.metrics.lock());
        let value = value.unwrap_or_else(|| Literal::null(data_type));
        // In a round of a loop it replaces the value of the round before.
        self.scalars.retain(|(known, _)| *known != id);
        self.scalars.push((id, value));
        Ok(())
    }
}

fn needs_bounds(node: &PlanNode) -> bool {
    matches!(&node.plan, PhysicalPlan::Exchange(e) if matches!(e.partitioning, Partitioning::Range { bounds: None, .. }))
}

/// All exchanges of a plan.
fn collect_exchanges(node: &PlanNode, into: &mut HashSet<Exchange>) {
    if let PhysicalPlan::Exchange(e) = &node.plan {
        into.insert(e.clone());
    }
    node.plan.inputs().into_iter().for_each(|i| collect_exchanges(i, into));
}

/// The uppermost exchanges of a plan that later plans have too: with these there, none below them is needed.
fn shared_exchanges(node: &PlanNode, later: &HashSet<Exchange>, into: &mut HashSet<Exchange>) {
    match &node.plan {
        _ if later.is_empty() => {}
        PhysicalPlan::Exchange(e) if later.contains(e) => {
            into.insert(e.clone());
        }
        plan => plan.inputs().into_iter().for_each(|i| shared_exchanges(i, later, into)),
    }
}

/// A running query.
struct Running {
    // Dropped, and so cancelled, before what it reads is released.
    job: RunningJob,
    report: QueryReport,
    _kept: KeptShuffles,
    _relations: HashMap<u64, Arc<KeptRelation>>,
}

/// The rows of a running query, or one part of them. When all of them are dropped, the query is cancelled.
pub struct QueryHandle {
    running: Arc<Running>,
    part: usize,
}

impl QueryHandle {
    /// Deals the rows to so many handles, or fewer if there are fewer partitions: partition `p` to handle `p % n`. They may be read in any
    /// order, at the same time, slowly or not at all. Rows that were read from already stay in one.
    pub fn split(self, parts: usize) -> Vec<QueryHandle> {
        let parts = self.running.job.split(parts);
        let running = self.running.clone();
        let others = (1..parts).map(|part| QueryHandle { running: running.clone(), part });
        std::iter::once(self).chain(others).collect()
    }

    /// The next batch, in order; `None` at the end. Blocks.
    pub fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        self.running.job.results.next(self.part)
    }

    /// As [`next_batch`](Self::next_batch) without blocking: wakes when it is worth asking again.
    pub fn poll_next_batch(&mut self, waker: &Waker) -> Poll<Result<Option<RecordBatch>>> {
        self.running.job.results.poll(self.part, waker)
    }

    /// When these rows were last read or, if that is now, waited for.
    pub fn last_read(&self) -> Instant {
        self.running.job.results.last_read(self.part)
    }

    /// What ran so far, subqueries included; complete once [`next_batch`](Self::next_batch) gave `None`.
    pub fn report(&self) -> QueryReport {
        let mut report = self.running.report.clone();
        report.add(&self.running.job.metrics.lock());
        report
    }
}

impl Drop for QueryHandle {
    fn drop(&mut self) {
        self.running.job.results.close(self.part);
    }
}
