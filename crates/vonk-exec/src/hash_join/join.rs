//! The operator behind joins that hold one side: by hash, or, without keys, of all pairs.

use super::build::Collected;
use super::filter::KeyFilter;
use super::output::{Columns, Condition, Output};
use super::parts::{self, Loaded, Part, Source, pair_up, rows_of};
use super::probe::{BuildRows, Pass, Prior, Prober};
use super::roles::Roles;
use super::side::{Form, Side};
use super::table::JoinTable;
use crate::build;
use crate::context::TaskContext;
use crate::gather::Gather;
use crate::memory::Reservation;
use crate::metrics::NodeMetrics;
use crate::operator::{BoxedOperator, Operator};
use crate::spill::SpillFile;
use arrow::array::RecordBatch;
use std::sync::Arc;
use vonk_error::Result;
use vonk_eval::BoundExpr;
use vonk_physical::{BuildSide, FilterId, JoinSpec, PhysicalPlan, PlanNode};
use vonk_types::DataType;

/// What both kinds of joins have in their plans.
pub(crate) struct JoinPlan<'a> {
    pub node: &'a PlanNode,
    pub left: &'a PlanNode,
    pub right: &'a PlanNode,
    pub left_keys: &'a [BoundExpr],
    pub right_keys: &'a [BoundExpr],
    pub null_safe: &'a [bool],
    pub build: BuildSide,
    pub broadcast: bool,
    pub join: &'a JoinSpec,
    pub runtime_filter: Option<FilterId>,
}

/// Cuts the inputs of a join into parts that are joined one after the other.
pub(crate) trait Units: Send {
    /// The next part; `None` at the end.
    fn next(&mut self, probe: &mut Side, build: &mut Side) -> Result<Option<Unit>>;
}

/// Rows of both sides that may match each other and no others.
pub(crate) enum Unit {
    /// In memory.
    Rows {
        /// Rows of the build side.
        build: Vec<RecordBatch>,
        /// Rows of the probe side.
        probe: Vec<RecordBatch>,
    },
    /// On disk.
    Part(Part),
}

/// A table that all tasks of the job share, and its memory.
struct SharedTable {
    table: Arc<JoinTable>,
    _reservation: Reservation,
}

/// What is being done.
enum State {
    /// The table is still to be built.
    Start,
    /// Probing with rows of the probe input.
    Input(Pass),
    /// Probing with rows of a part.
    Part(Box<OpenPart>),
    /// Putting out build rows; then on with the part, if it has more pieces.
    Build(BuildRows, Option<Box<OpenPart>>),
    /// Between parts, if there are any.
    Between,
    /// At the end.
    Done,
}

/// A part whose build side is being joined, whole or piece by piece.
struct OpenPart {
    part: Part,
    build: Source<'static>,
    pending: Option<RecordBatch>,
    probe: Source<'static>,
    pass: Pass,
    _reservation: Reservation,
}

/// The operator.
pub(crate) struct JoinOperator {
    cx: TaskContext,
    node: u32,
    metrics: Arc<NodeMetrics>,
    roles: Roles,
    prober: Prober,
    probe: Side,
    build: Side,
    /// Gone if there are `units`.
    probe_input: Option<BoxedOperator>,
    /// Gone when the table is built.
    build_input: Option<BoxedOperator>,
    /// What cuts both inputs into parts that are joined one after the other.
    units: Option<Box<dyn Units>>,
    null_safe: Vec<bool>,
    broadcast: bool,
    filters: Filters,
    state: State,
    parts: Vec<Part>,
    reservation: Option<Reservation>,
    /// Small batches are put together.
    gather: Gather,
}

/// Runtime filters to be filled from the build side.
struct Filters {
    filter: Option<FilterId>,
    /// Keys that scans ask for, with their types.
    keys: Vec<(usize, DataType)>,
}

impl JoinOperator {
    /// For a plan.
    pub fn new(cx: &TaskContext, plan: &JoinPlan<'_>) -> Result<JoinOperator> {
        let roles = Roles::new(plan.join, plan.build);
        roles.check(plan.broadcast)?;
        let (left_width, right_width) = (plan.left.schema.fields.len(), plan.right.schema.fields.len());
        let (mut left_needed, mut right_needed) = (vec![], vec![]);
        let read = plan.join.condition.iter().flat_map(BoundExpr::columns);
        for c in plan.join.projection.iter().copied().chain(read) {
            if c < left_width {
                left_needed.push(c);
            } else if c < left_width + right_width {
                right_needed.push(c - left_width);
            }
        }
        let left = Side::new(cx, plan.left, plan.left_keys, &left_needed)?;
        let right = Side::new(cx, plan.right, plan.right_keys, &right_needed)?;
        if left.form.key_types() != right.form.key_types() {
            return vonk_error::internal_err!("a join of keys of different types");
        }
        let inputs = if roles.probe_is_left { (plan.left, plan.right) } else { (plan.right, plan.left) };
        let (probe, build) = if roles.probe_is_left { (left, right) } else { (right, left) };
        let columns = Columns { left_width, right_width, probe: &probe, build: &build, roles };
        let schema = plan.node.schema.to_arrow_schema();
        let output = Output::new(&columns, &plan.join.projection, schema.clone())?;
        let condition = plan.join.condition.as_ref();
        let condition = condition.map(|c| Condition::new(&columns, c, &cx.query.env)).transpose()?;
        Ok(JoinOperator {
            cx: cx.clone(),
            node: plan.node.id.0,
            metrics: cx.metrics.node(plan.node.id),
            roles,
            prober: Prober::new(cx, roles, output, condition),
            probe,
            build,
            probe_input: Some(build::operator(cx, inputs.0)?),
            build_input: Some(build::operator(cx, inputs.1)?),
            units: None,
            null_safe: plan.null_safe.to_vec(),
            broadcast: plan.broadcast,
            filters: Filters::new(plan, inputs.0, &roles),
            state: State::Start,
            parts: vec![],
            reservation: None,
            gather: Gather::new(schema, cx.query.batch_rows),
        })
    }

    /// The same join, of units that are made of its probe and its build input.
    pub fn by_units(mut self, make: impl FnOnce(BoxedOperator, BoxedOperator) -> Box<dyn Units>) -> Self {
        if let (Some(probe), Some(build)) = (self.probe_input.take(), self.build_input.take()) {
            self.units = Some(make(probe, build));
        }
        self
    }

    /// Builds the table, or, if memory is short, makes parts of both inputs.
    fn start(&mut self) -> Result<State> {
        let Some(mut input) = self.build_input.take() else { return Ok(State::Between) };
        let (cx, null_safe, filters) = (&self.cx, &self.null_safe, &self.filters);
        let (form, probe_form) = (self.build.form.clone(), self.probe.form.clone());
        let mut source = Source::Operator(&mut input, &mut self.build);
        if self.broadcast {
            let shared =
                cx.query.shared.get_or_build((self.node, cx.generation), &|| cx.check_cancelled(), || {
                    let mut collected = Collected::new(cx);
                    while let Some(batch) = source.next()? {
                        cx.check_cancelled()?;
                        collected.force(batch);
                    }
                    let (table, _reservation) = collected.table(&form, null_safe)?;
                    filters.fill(cx, &form, &table)?;
                    Ok(SharedTable { table: Arc::new(table), _reservation })
                })?;
            return Ok(self.begin_input(shared.table.clone()));
        }
        match parts::load(cx, &mut source, &mut None, false)? {
            Loaded::Rows(collected) => {
                let (table, reservation) = collected.table(&form, null_safe)?;
                filters.fill(cx, &form, &table)?;
                self.reservation = Some(reservation);
                Ok(self.begin_input(Arc::new(table)))
            }
            Loaded::TooMuch(held) => {
                let probe = match &mut self.probe_input {
                    Some(input) => Source::Operator(input, &mut self.probe),
                    None => Source::Nothing,
                };
                let build = Unsplit { form: &form, held, rest: source };
                let probe = Unsplit { form: &probe_form, held: vec![], rest: probe };
                self.parts = split_both(cx, &self.metrics, 0, build, probe, None)?;
                Ok(State::Between)
            }
        }
    }

    fn begin_input(&self, table: Arc<JoinTable>) -> State {
        if table.rows.num_rows() == 0 && self.roles.nothing_without_build() {
            return State::Between;
        }
        State::Input(Pass::whole(table))
    }

    /// Reads the build side of a part, or splits the part further.
    fn open(&mut self, part: Part) -> Result<State> {
        let build = rows_of(part.build.as_ref())?;
        self.open_piece(part, build, None, Prior::default())
    }

    fn open_piece(
        &mut self,
        part: Part,
        mut build: Source<'static>,
        mut pending: Option<RecordBatch>,
        prior: Prior,
    ) -> Result<State> {
        let probe = rows_of(part.probe.as_ref())?;
        match parts::load(&self.cx, &mut build, &mut pending, part.piecewise)? {
            Loaded::Rows(collected) => {
                let (table, _reservation) = collected.table(&self.build.form, &self.null_safe)?;
                let table = Arc::new(table);
                let pass = if part.piecewise {
                    Pass::piece(table, prior, pending.is_none())
                } else {
                    Pass::whole(table)
                };
                Ok(State::Part(Box::new(OpenPart { part, build, pending, probe, pass, _reservation })))
            }
            Loaded::TooMuch(held) => {
                let rows = part.build.as_ref().map(SpillFile::rows);
                let build = Unsplit { form: &self.build.form, held, rest: build };
                let probe = Unsplit { form: &self.probe.form, held: vec![], rest: probe };
                let parts = split_both(&self.cx, &self.metrics, part.level, build, probe, rows)?;
                self.parts.extend(parts);
                Ok(State::Between)
            }
        }
    }

    /// Begins the next unit, if there is one.
    fn next_unit(&mut self) -> Result<State> {
        let unit = self.units.as_mut().map(|u| u.next(&mut self.probe, &mut self.build)).transpose()?;
        match unit.flatten() {
            None => Ok(State::Done),
            Some(Unit::Part(part)) => self.open(part),
            Some(Unit::Rows { build, probe }) => {
                let mut collected = Collected::new(&self.cx);
                build.into_iter().for_each(|b| collected.force(b));
                let (table, _reservation) = collected.table(&self.build.form, &self.null_safe)?;
                Ok(State::Part(Box::new(OpenPart {
                    part: Part { build: None, probe: None, level: 0, piecewise: false },
                    build: Source::Nothing,
                    pending: None,
                    probe: Source::Batches(probe.into_iter()),
                    pass: Pass::whole(Arc::new(table)),
                    _reservation,
                })))
            }
        }
    }

    /// One step; what it puts out, and what comes next.
    fn step(&mut self, state: State) -> Result<(Option<RecordBatch>, State)> {
        match state {
            State::Start => Ok((None, self.start()?)),
            State::Input(mut pass) => {
                if let Some(out) = self.prober.next(&mut pass)? {
                    return Ok((Some(out), State::Input(pass)));
                }
                let input = self.probe_input.as_mut().map(|i| i.next()).transpose()?.flatten();
                match input {
                    Some(batch) => {
                        let batch = self.probe.hold(&batch)?;
                        self.prober.begin(&mut pass, &self.probe.form, batch)?;
                        Ok((None, State::Input(pass)))
                    }
                    None => Ok((None, State::Build(self.prober.build_rows(&pass)?, None))),
                }
            }
            State::Part(mut open) => {
                if let Some(out) = self.prober.next(&mut open.pass)? {
                    return Ok((Some(out), State::Part(open)));
                }
                match open.probe.next()? {
                    Some(batch) => {
                        self.prober.begin(&mut open.pass, &self.probe.form, batch)?;
                        Ok((None, State::Part(open)))
                    }
                    None => Ok((None, State::Build(self.prober.build_rows(&open.pass)?, Some(open)))),
                }
            }
            State::Build(mut rows, open) => {
                if let Some(out) = self.prober.next_build_rows(&mut rows)? {
                    return Ok((Some(out), State::Build(rows, open)));
                }
                drop(rows);
                match open.map(|o| *o) {
                    Some(OpenPart { part, build, pending: Some(batch), pass, .. }) => {
                        Ok((None, self.open_piece(part, build, Some(batch), pass.into_prior())?))
                    }
                    _ => Ok((None, State::Between)),
                }
            }
            State::Between => match self.parts.pop() {
                Some(part) => Ok((None, self.open(part)?)),
                None => Ok((None, self.next_unit()?)),
            },
            State::Done => Ok((None, State::Done)),
        }
    }
}

impl Operator for JoinOperator {
    fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(out) = self.gather.ready()? {
                return Ok(Some(out));
            }
            let state = std::mem::replace(&mut self.state, State::Done);
            let (out, state) = self.step(state)?;
            self.state = state;
            match (out, &self.state) {
                (Some(out), _) => self.gather.push(out)?,
                (None, State::Done) => {
                    self.reservation = None;
                    return self.gather.rest();
                }
                _ => {}
            }
            self.cx.check_cancelled()?;
        }
    }
}

/// A side that is to be split.
struct Unsplit<'a> {
    form: &'a Form,
    held: Vec<RecordBatch>,
    rest: Source<'a>,
}

/// Makes parts of both sides: by key, or one that is taken piece by piece if there are no keys.
fn split_both(
    cx: &TaskContext,
    metrics: &Arc<NodeMetrics>,
    level: u32,
    mut build: Unsplit<'_>,
    mut probe: Unsplit<'_>,
    rows_before: Option<u64>,
) -> Result<Vec<Part>> {
    if build.form.key_types().is_empty() {
        let build = parts::spool(cx, metrics, build.form, build.held, &mut build.rest)?;
        let probe = parts::spool(cx, metrics, probe.form, probe.held, &mut probe.rest)?;
        return Ok(vec![Part { build, probe, level, piecewise: true }]);
    }
    let build = parts::split(cx, metrics, build.form, level, build.held, &mut build.rest)?;
    let probe = parts::split(cx, metrics, probe.form, level, probe.held, &mut probe.rest)?;
    Ok(pair_up(build, probe, level, rows_before))
}

impl Filters {
    fn new(plan: &JoinPlan<'_>, probe: &PlanNode, roles: &Roles) -> Filters {
        let mut wanted: Vec<usize> = vec![];
        if let Some(filter) = plan.runtime_filter {
            probe.visit(&mut |node| {
                if let PhysicalPlan::Scan(scan) = &node.plan {
                    wanted.extend(
                        scan.runtime_filters.iter().filter(|f| f.filter.0 == filter.0).map(|f| f.key),
                    );
                }
            });
        }
        wanted.sort_unstable();
        wanted.dedup();
        let exprs = if roles.probe_is_left { plan.left_keys } else { plan.right_keys };
        let keys = wanted.into_iter().filter_map(|k| Some((k, exprs.get(k)?.data_type())));
        Filters { filter: plan.runtime_filter, keys: keys.collect() }
    }

    /// Makes the filters known.
    fn fill(&self, cx: &TaskContext, form: &Form, table: &JoinTable) -> Result<()> {
        let Some(filter) = self.filter else { return Ok(()) };
        let columns = form.keys(&table.rows);
        for (key, data_type) in &self.keys {
            if let Some(values) = KeyFilter::new(&columns[*key], data_type)? {
                cx.query.shared.set_filter((filter.0, cx.generation), *key, Arc::new(values));
            }
        }
        Ok(())
    }
}
