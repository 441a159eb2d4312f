//! The walk from logical to physical nodes.
//!
//! Each logical operator is planned for the columns that are *required* of it: filters, joins and scans put out no others, so
//! that columns are dropped as soon as nothing above reads them.

use crate::calls::bind_keys;
use crate::loops::{LoopPlan, Loops};
use crate::planned::{Distribution, Planned, schema};
use std::collections::HashSet;
use std::sync::Arc;
use vonk_error::{Error, Result, check_cancelled};
use vonk_functions::Registry;
use vonk_optimizer::bind::{Binder, SubqueryIds};
use vonk_optimizer::statistics::{Estimate, estimate};
use vonk_physical::{Expand, Generate, Partitioning, PhysicalPlan, PlanNode, Scan, ValuesBatch, Write};
use vonk_plan::logical::{self, Column, ColumnId, Distribution as Wanted, Expr, LogicalPlan, Named};
use vonk_plan::source::{KeptQuery, ScanRequest};
use vonk_types::{EvalContext, StructField};

/// What planning depends on beside the plan.
#[derive(Debug, Clone)]
pub struct PlannerOptions {
    /// Tasks that can run at once.
    pub slots: u32,
    /// `spark.sql.shuffle.partitions`; 0 chooses by slots.
    pub shuffle_partitions: u32,
    /// `spark.sql.autoBroadcastJoinThreshold` in bytes; negative never broadcasts.
    pub broadcast_threshold: f64,
    /// All tasks run in one process: a broadcast is shared, not copied.
    pub shared_memory: bool,
    /// Memory limit in bytes, if any: large join tables are then not broadcast, since shared ones cannot be spilled.
    pub memory_limit: Option<u64>,
    /// Make runtime filters.
    pub runtime_filters: bool,
    /// Join by sorting and merging where nothing is broadcast.
    pub prefer_sort_merge: bool,
    /// Rows from which a join's large side is reduced by the keys of the small one; 0 reduces wherever it is allowed.
    pub reduction_rows: f64,
    /// Session settings, for accumulators' state types.
    pub eval: Arc<EvalContext>,
}

/// Bytes of a shuffle's partition aimed at: what a task builds of it should fit caches rather than memory.
const PARTITION_BYTES: f64 = 64.0 * 1024.0 * 1024.0;
/// Beyond so many partitions per slot, the pieces that each map task writes get too small.
const MOST_PARTITIONS_PER_SLOT: f64 = 32.0;

impl PlannerOptions {
    /// Partitions for a shuffle of so many bytes, unless the session says how many.
    pub(crate) fn partitions_for(&self, bytes: f64) -> u32 {
        let slots = self.partitions();
        if self.shuffle_partitions > 0 {
            return slots;
        }
        let per_slot =
            (bytes / PARTITION_BYTES / f64::from(slots)).ceil().clamp(1.0, MOST_PARTITIONS_PER_SLOT);
        slots.saturating_mul(per_slot as u32)
    }

    pub(crate) fn partitions(&self) -> u32 {
        if self.shuffle_partitions > 0 { self.shuffle_partitions } else { self.slots.max(1) }
    }
}

/// An uncorrelated scalar subquery: runs before the query that reads its value.
#[derive(Debug, Clone)]
pub struct ScalarSubplan {
    /// As in `BoundExpr::ScalarSubquery`.
    pub id: u32,
    /// One column; at most one row, or it is an error.
    pub plan: PlanNode,
}

/// A query ready to be lowered.
#[derive(Debug, Clone)]
pub struct PhysicalQuery {
    /// Recursive common table expressions; they run first.
    pub loops: Vec<LoopPlan>,
    /// In the order they must run: a later one may read the values of earlier ones.
    pub subplans: Vec<ScalarSubplan>,
    /// The query.
    pub root: PlanNode,
}

/// Scalar subqueries found while binding. Equal ones (one plan, or plans that turn out equal) are computed once.
#[derive(Default)]
pub(crate) struct Subplans {
    found: Vec<(u32, Arc<LogicalPlan>)>,
    pub next: u32,
}

impl Subplans {
    /// None yet; numbers begin here.
    pub fn from(next: u32) -> Self {
        Subplans { found: Vec::new(), next }
    }
}

impl SubqueryIds for Subplans {
    fn id(&mut self, plan: &Arc<LogicalPlan>) -> u32 {
        if let Some((id, _)) = self.found.iter().find(|(_, p)| Arc::ptr_eq(p, plan)) {
            return *id;
        }
        let id = self.next;
        self.next += 1;
        self.found.push((id, plan.clone()));
        id
    }
}

/// Columns that are read above.
pub(crate) type Required = HashSet<ColumnId>;

/// Makes physical plans.
pub struct Planner<'a> {
    pub(crate) options: &'a PlannerOptions,
    pub(crate) registry: &'a Registry,
    pub(crate) subplans: Subplans,
    pub(crate) next_filter: u32,
    pub(crate) loops: Loops,
    /// Exchanges that a reduction made two readers share.
    pub(crate) shared_exchanges: Vec<vonk_physical::Exchange>,
}

impl<'a> Planner<'a> {
    /// A planner for one query.
    pub fn new(options: &'a PlannerOptions, registry: &'a Registry) -> Self {
        let (subplans, loops) = (Subplans::default(), Loops::default());
        Planner { options, registry, subplans, next_filter: 0, loops, shared_exchanges: vec![] }
    }

    /// Plans a query. Its columns come out in the order of `plan.output()`.
    pub fn plan(mut self, plan: &LogicalPlan) -> Result<PhysicalQuery> {
        let mut query = self.plan_query(plan)?;
        crate::node_ids::NodeIds::default().number_query(&mut query);
        Ok(query)
    }

    pub(crate) fn plan_query(&mut self, plan: &LogicalPlan) -> Result<PhysicalQuery> {
        let root = self.plan_root(plan)?;
        let mut done: Vec<ScalarSubplan> = Vec::new();
        // Planning a subquery may find further ones inside of it, which must run earlier.
        let mut i = 0;
        while let Some((id, sub)) = self.subplans.found.get(i).cloned() {
            let plan = self.plan_root(&sub)?;
            done.push(ScalarSubplan { id, plan });
            i += 1;
        }
        done.reverse();
        let loops = std::mem::take(&mut self.loops.planned).into_iter().map(|(_, l)| l).collect();
        Ok(PhysicalQuery { loops, subplans: done, root })
    }

    fn plan_root(&mut self, plan: &LogicalPlan) -> Result<PlanNode> {
        let columns = plan.output();
        let required = columns.iter().map(|c| c.id).collect();
        let planned = self.visit(plan, &required)?.with_columns(&columns)?;
        let mut node = planned.node;
        node.schema = schema(&columns);
        if self.options.runtime_filters {
            self.add_runtime_filters(&mut node);
        }
        Ok(node)
    }

    pub(crate) fn binder(&mut self, columns: &[Column]) -> Binder<'_> {
        Binder::with_subqueries(columns, &mut self.subplans)
    }

    /// Plans an operator for the columns required of it.
    pub(crate) fn visit(&mut self, plan: &LogicalPlan, required: &Required) -> Result<Planned> {
        check_cancelled()?;
        let mut planned = match plan {
            LogicalPlan::Scan(s) => self.scan(s, plan, required)?,
            LogicalPlan::Values { columns, batch } => Planned::new(
                PhysicalPlan::Values(ValuesBatch(batch.clone())),
                columns.clone(),
                Distribution::Single,
                batch.num_rows() as f64,
            ),
            LogicalPlan::Range { column, start, end, step, partitions } => {
                let partitions = partitions.unwrap_or(self.options.slots).max(1);
                let node = PhysicalPlan::Range { start: *start, end: *end, step: *step, partitions };
                Planned::new(node, vec![column.clone()], Distribution::Any, estimate(plan).rows)
            }
            LogicalPlan::Project { exprs, input } => self.project(exprs, input, required)?,
            LogicalPlan::Filter { predicate, input } => self.filter(predicate, input, plan, required)?,
            LogicalPlan::Aggregate { groups, aggregates, input } => {
                self.aggregate(groups, aggregates, input, estimate(plan).rows)?
            }
            LogicalPlan::Distinct { input } => {
                let columns = input.output();
                let groups: Vec<Named<Expr>> = columns.iter().map(Named::pass).collect();
                self.aggregate(&groups, &[], input, estimate(plan).rows)?
            }
            LogicalPlan::Expand { projections, columns, input } => {
                self.expand(projections, columns, input, required)?
            }
            LogicalPlan::Window(w) => self.window(w, required)?,
            LogicalPlan::Generate(g) => self.generate(g, plan, required)?,
            LogicalPlan::Join(j) => self.join(j, plan, required)?,
            LogicalPlan::Sort { keys, global, input } => self.sort(keys, *global, None, input, required)?,
            LogicalPlan::Limit { skip, fetch, input } => self.limit(*skip, *fetch, input, plan, required)?,
            LogicalPlan::Union { columns, inputs } => self.union(columns, inputs, required)?,
            LogicalPlan::SetOperation { operation, .. } => {
                return vonk_error::internal_err!("{operation:?} was not rewritten to a join");
            }
            LogicalPlan::Repartition { distribution, input } => {
                self.repartition(distribution, input, required)?
            }
            LogicalPlan::Sample { sampling, seed, input } => {
                let below = self.visit(input, required)?;
                let (rows, distribution) = (below.rows() * sampling.rate(), below.distribution.clone());
                let node =
                    PhysicalPlan::Sample { sampling: *sampling, seed: *seed, input: Box::new(below.node) };
                Planned::new(node, below.columns, distribution, rows)
            }
            LogicalPlan::Write(w) => self.write(w)?,
            LogicalPlan::Loop(l) => self.loop_rows(l)?,
            LogicalPlan::WorkingTable { id, columns } => self.working_table(*id, columns)?,
        };
        if planned.bytes == 0.0 {
            planned.bytes =
                Estimate { rows: planned.rows(), ..estimate_columns(plan) }.bytes(&planned.columns);
        }
        Ok(planned)
    }

    /// Rows that are kept: an exchange over their query, whole. What the query computes before (scalar subqueries, loops) is planned with it;
    /// the cluster puts the values into what is kept, and does not compute them for rows that are there.
    fn kept_rows(&mut self, query: &KeptQuery, s: &logical::Scan, required: &Required) -> Result<Planned> {
        let output = query.plan.output();
        let all: Required = output.iter().map(|c| c.id).collect();
        let mut planned = self.visit(&query.plan, &all)?.with_columns(&output)?;
        if query.keep {
            let partitions = planned.partitions();
            let partitioning = Partitioning::Kept { relation: query.relation, partitions };
            planned = planned.exchanged(partitioning, Distribution::Any);
        }
        // The scan has columns of its own for some of them.
        let mut columns = output;
        for (i, column) in columns.iter_mut().enumerate() {
            match s.columns.iter().find(|(_, position)| *position == i) {
                Some((own, _)) => *column = own.clone(),
                None => column.id = ColumnId(u64::MAX - i as u64),
            }
        }
        planned.columns = columns;
        // What it was is said of the query's columns.
        planned.distribution =
            if planned.partitions() == 1 { Distribution::Single } else { Distribution::Any };
        if let Some(predicate) = Expr::and_all(s.filters.clone()) {
            let predicate = self.binder(&planned.columns).bind(&predicate)?;
            let (projection, columns) = kept(&planned.columns, required);
            let (rows, distribution) = (planned.rows() / 2.0, planned.distribution.clone());
            let node = PhysicalPlan::Filter { predicate, projection, input: Box::new(planned.node) };
            return Ok(Planned::new(node, columns, distribution, rows));
        }
        let (_, wanted) = kept(&planned.columns, required);
        planned.with_columns(&wanted)
    }

    fn scan(&mut self, s: &logical::Scan, plan: &LogicalPlan, required: &Required) -> Result<Planned> {
        if let Some(query) = s.source.kept() {
            return self.kept_rows(&query, s, required);
        }
        let mut needed = required.clone();
        s.filters.iter().for_each(|f| f.collect_columns(&mut needed));
        let read: Vec<&(Column, usize)> = s.columns.iter().filter(|(c, _)| needed.contains(&c.id)).collect();
        let read_columns: Vec<Column> = read.iter().map(|(c, _)| c.clone()).collect();
        let predicate = Expr::and_all(s.filters.clone());
        let predicate = predicate.map(|p| self.binder(&read_columns).bind(&p)).transpose()?;
        // The source sees columns by position in its own schema.
        let positions: Vec<usize> = read.iter().map(|(_, p)| *p).collect();
        let filters = s
            .filters
            .iter()
            .filter(|f| !f.has_subquery())
            .map(|f| {
                f.clone().replace_columns(&|c| {
                    let (_, position) = s.columns.iter().find(|(own, _)| own.id == c.id)?;
                    let id = ColumnId(u64::try_from(*position).ok()?);
                    Some(Expr::Column(Column { id, ..c.clone() }))
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let request = ScanRequest {
            columns: &positions,
            filters: &filters,
            target_partitions: self.options.slots as usize,
            limit: s.limit,
        };
        let scan = s.source.scan(&request)?;
        let (projection, columns): (Vec<usize>, Vec<Column>) = read_columns
            .iter()
            .enumerate()
            .filter(|(_, c)| required.contains(&c.id))
            .map(|(i, c)| (i, c.clone()))
            .unzip();
        let fields =
            read.iter().map(|(c, p)| (*p, StructField::new(c.name.clone(), c.data_type.clone(), c.nullable)));
        let node = PhysicalPlan::Scan(Scan {
            name: s.name.clone(),
            scan,
            read: fields.collect(),
            predicate,
            projection,
            runtime_filters: vec![],
            limit: s.limit,
        });
        Ok(Planned::new(node, columns, Distribution::Any, estimate(plan).rows))
    }

    fn project(
        &mut self,
        exprs: &[Named<Expr>],
        input: &LogicalPlan,
        required: &Required,
    ) -> Result<Planned> {
        let wanted: Vec<&Named<Expr>> = exprs.iter().filter(|n| required.contains(&n.column.id)).collect();
        let mut below_required = Required::new();
        wanted.iter().for_each(|n| n.expr.collect_columns(&mut below_required));
        let below = self.visit(input, &below_required)?;
        let columns: Vec<Column> = wanted.iter().map(|n| n.column.clone()).collect();
        // A projection that only renames all columns in order needs no operator.
        let renames = wanted.len() == below.columns.len()
            && wanted
                .iter()
                .zip(&below.columns)
                .all(|(n, c)| matches!(&n.expr, Expr::Column(r) if r.id == c.id));
        let distribution = renamed(&below.distribution, &wanted);
        if renames {
            let mut node = below.node;
            node.schema = schema(&columns);
            return Ok(Planned { node, columns, distribution, bytes: below.bytes });
        }
        let mut binder = self.binder(&below.columns);
        let bound = wanted.iter().map(|n| binder.bind(&n.expr)).collect::<Result<Vec<_>>>()?;
        let rows = below.rows();
        let node = PhysicalPlan::Project { exprs: bound, input: Box::new(below.node) };
        Ok(Planned::new(node, columns, distribution, rows))
    }

    fn filter(
        &mut self,
        predicate: &Expr,
        input: &LogicalPlan,
        plan: &LogicalPlan,
        required: &Required,
    ) -> Result<Planned> {
        let mut needed = required.clone();
        predicate.collect_columns(&mut needed);
        let below = self.visit(input, &needed)?;
        let predicate = self.binder(&below.columns).bind(predicate)?;
        let (projection, columns) = kept(&below.columns, required);
        let distribution = below.distribution.clone();
        let node = PhysicalPlan::Filter { predicate, projection, input: Box::new(below.node) };
        Ok(Planned::new(node, columns, distribution, estimate(plan).rows))
    }

    fn expand(
        &mut self,
        projections: &[Vec<Expr>],
        columns: &[Column],
        input: &LogicalPlan,
        required: &Required,
    ) -> Result<Planned> {
        let wanted: Vec<usize> = (0..columns.len()).filter(|i| required.contains(&columns[*i].id)).collect();
        let mut needed = Required::new();
        projections.iter().for_each(|p| wanted.iter().for_each(|i| p[*i].collect_columns(&mut needed)));
        let below = self.visit(input, &needed)?;
        let mut binder = self.binder(&below.columns);
        let bound = projections
            .iter()
            .map(|p| wanted.iter().map(|i| binder.bind(&p[*i])).collect::<Result<Vec<_>>>())
            .collect::<Result<Vec<_>>>()?;
        let rows = below.rows() * projections.len() as f64;
        let node = PhysicalPlan::Expand(Expand { projections: bound, input: Box::new(below.node) });
        Ok(Planned::new(node, wanted.iter().map(|i| columns[*i].clone()).collect(), Distribution::Any, rows))
    }

    fn generate(
        &mut self,
        g: &logical::Generate,
        plan: &LogicalPlan,
        required: &Required,
    ) -> Result<Planned> {
        let mut needed = required.clone();
        g.args.iter().for_each(|a| a.collect_columns(&mut needed));
        g.columns.iter().for_each(|c| {
            needed.remove(&c.id);
        });
        let below = self.visit(&g.input, &needed)?;
        let args = self.binder(&below.columns).bind_all(&g.args)?;
        let (projection, mut columns) = kept(&below.columns, required);
        columns.extend(g.columns.iter().cloned());
        let node = PhysicalPlan::Generate(Generate {
            function: g.function.clone(),
            args,
            outer: g.outer,
            projection,
            generated: g.columns.iter().map(|c| c.data_type.clone()).collect(),
            input: Box::new(below.node),
        });
        Ok(Planned::new(node, columns, below.distribution, estimate(plan).rows))
    }

    fn union(
        &mut self,
        columns: &[Column],
        inputs: &[Arc<LogicalPlan>],
        required: &Required,
    ) -> Result<Planned> {
        let wanted: Vec<usize> = (0..columns.len()).filter(|i| required.contains(&columns[*i].id)).collect();
        let mut nodes = Vec::with_capacity(inputs.len());
        let mut rows = 0.0;
        for input in inputs {
            let output = input.output();
            let own: Vec<Column> = wanted.iter().map(|i| output[*i].clone()).collect();
            let planned = self.visit(input, &own.iter().map(|c| c.id).collect())?.with_columns(&own)?;
            rows += planned.rows();
            nodes.push(planned.node);
        }
        let columns = wanted.iter().map(|i| columns[*i].clone()).collect();
        Ok(Planned::new(PhysicalPlan::Union { inputs: nodes }, columns, Distribution::Any, rows))
    }

    fn repartition(&mut self, wanted: &Wanted, input: &LogicalPlan, required: &Required) -> Result<Planned> {
        let mut needed = required.clone();
        match wanted {
            Wanted::Hash(exprs, _) => exprs.iter().for_each(|e| e.collect_columns(&mut needed)),
            Wanted::Range(keys, _) => keys.iter().for_each(|k| k.expr.collect_columns(&mut needed)),
            Wanted::RoundRobin(_) | Wanted::Coalesce(_) => {}
        }
        let below = self.visit(input, &needed)?;
        let default = self.options.partitions();
        Ok(match wanted {
            Wanted::Hash(exprs, n) => {
                let keys = self.binder(&below.columns).bind_all(exprs)?;
                let ids = column_ids(exprs.iter());
                let partitions = n.unwrap_or(default);
                let distribution = ids.map_or(Distribution::Any, |ids| Distribution::Hash(ids, partitions));
                below.exchanged(Partitioning::Hash { keys, partitions }, distribution)
            }
            Wanted::Range(keys, n) => {
                let keys = bind_keys(&mut self.binder(&below.columns), keys)?;
                let partitions = n.unwrap_or(default);
                below.exchanged(Partitioning::Range { keys, partitions, bounds: None }, Distribution::Any)
            }
            Wanted::RoundRobin(n) => {
                below.exchanged(Partitioning::RoundRobin { partitions: *n }, Distribution::Any)
            }
            Wanted::Coalesce(n) if below.partitions() > *n => {
                let (rows, columns) = (below.rows(), below.columns.clone());
                let node = PhysicalPlan::Coalesce { partitions: (*n).max(1), input: Box::new(below.node) };
                Planned::new(node, columns, Distribution::Any, rows)
            }
            Wanted::Coalesce(_) => below,
        })
    }

    fn write(&mut self, w: &logical::Write) -> Result<Planned> {
        let columns = w.input.output();
        let required = columns.iter().map(|c| c.id).collect();
        let below = self.visit(&w.input, &required)?.with_columns(&columns)?;
        let node = PhysicalPlan::Write(Write {
            format: w.format.clone(),
            path: w.path.clone(),
            partition_by: w.partition_by.clone(),
            table_schema: w.schema.clone(),
            mode: w.mode,
            options: w.options.clone(),
            input: Box::new(below.node),
        });
        Ok(Planned::new(node, vec![], Distribution::Any, 0.0))
    }

    /// The accumulator state's types of a bound call.
    pub(crate) fn with_state_types(
        &self,
        mut spec: vonk_physical::AggregateSpec,
    ) -> Result<vonk_physical::AggregateSpec> {
        let function = self.registry.aggregate(&spec.function)?;
        let arg_types: Vec<_> = spec.args.iter().map(|a| a.data_type()).collect();
        let constants: Vec<_> = spec
            .args
            .iter()
            .map(|a| match a {
                vonk_eval::BoundExpr::Literal(l) => Some(l.clone()),
                _ => None,
            })
            .collect();
        let call = vonk_functions::AggregateCall {
            arg_types: &arg_types,
            constants: &constants,
            return_type: &spec.data_type,
            ctx: &self.options.eval,
            span: spec.span,
        };
        spec.state_types = (function.state_types)(&call);
        Ok(spec)
    }
}

/// Positions and columns that are required.
pub(crate) fn kept(columns: &[Column], required: &Required) -> (Vec<usize>, Vec<Column>) {
    columns.iter().enumerate().filter(|(_, c)| required.contains(&c.id)).map(|(i, c)| (i, c.clone())).unzip()
}

/// The ids, if all expressions are plain columns.
pub(crate) fn column_ids<'e>(exprs: impl Iterator<Item = &'e Expr>) -> Option<Vec<ColumnId>> {
    exprs
        .map(|e| match e {
            Expr::Column(c) => Some(c.id),
            _ => None,
        })
        .collect()
}

/// A distribution seen through a projection: kept if all its columns pass.
fn renamed(d: &Distribution, exprs: &[&Named<Expr>]) -> Distribution {
    match d {
        Distribution::Hash(ids, n) => {
            let new = ids.iter().map(|id| {
                exprs.iter().find(|e| matches!(&e.expr, Expr::Column(c) if c.id == *id)).map(|e| e.column.id)
            });
            new.collect::<Option<Vec<_>>>().map_or(Distribution::Any, |ids| Distribution::Hash(ids, *n))
        }
        other => other.clone(),
    }
}

fn estimate_columns(plan: &LogicalPlan) -> Estimate {
    estimate(plan)
}

pub(crate) fn internal(what: &str) -> Error {
    Error::internal(what.to_string())
}
