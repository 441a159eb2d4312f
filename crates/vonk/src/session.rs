//! Sessions.

use crate::answer::Answer;
use crate::dataframe::DataFrame;
use crate::opener::SessionOpener;
use crate::pipeline::Pipeline;
use crate::samples::Samples;
use crate::{commands, settings, substitution};
use parking_lot::RwLock;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use vonk_analyzer::{Parameters, Resolved};
use vonk_catalog::{SessionCatalog, Warehouse};
use vonk_cluster::standalone::SUBMITTED_VARIABLE;
use vonk_cluster::{Cluster, Progress};
use vonk_conf::{self as conf, Conf};
use vonk_error::{CancelFlag, Error, Result, working_for};
use vonk_eval::EvalEnv;
use vonk_functions::{Function, Registry};
use vonk_plan::logical::ColumnIds;
use vonk_plan::unresolved::{Plan, Statement};
use vonk_types::EvalContext;

/// What goes beside a statement: how to stop it, how far it is, values of its parameters, what it may do.
#[derive(Default, Clone)]
pub struct Control {
    /// Set to stop the statement, from any thread.
    pub cancel: CancelFlag,
    /// Told how far it is.
    pub progress: Arc<Progress>,
    /// Values of `?` and `:name`.
    pub parameters: Parameters,
    /// Counts the rows that the statement writes into tables.
    pub rows_written: Arc<AtomicU64>,
    /// Refuses a statement that changes what others see ([`StatementKind::Write`](crate::StatementKind::Write)), also where EXECUTE
    /// IMMEDIATE runs it.
    pub read_only: bool,
    /// The pool that its jobs are in, unless the session's settings name one (`spark.scheduler.pool`).
    pub pool: Option<Arc<str>>,
}

impl Control {
    /// Plans or carries out the statement, on this thread, until it is cancelled. What fails since it was cancelled has not failed for another
    /// reason, whatever those between have made of it.
    pub(crate) fn heeded<T>(&self, f: impl FnOnce() -> Result<T>) -> Result<T> {
        working_for(&self.cancel, f)
            .map_err(|e| if self.cancel.is_cancelled() { Error::cancelled() } else { e })
    }
}

/// Stack on which a statement is planned: rules and the planner walk trees by recursion, one call or a few per level. Address
/// space until it is used.
const PLANNING_STACK: usize = 256 << 20;
/// Stack that a step of a DataFrame, which is small, finds enough.
const PLANNING_RED_ZONE: usize = 256 << 10;

/// Settings, catalog and executors. Cheap to clone: clones are the same session.
#[derive(Clone)]
pub struct Session(Arc<State>);

struct State {
    /// What was set.
    conf: RwLock<Conf>,
    /// What the session began with, which RESET goes back to.
    initial: Conf,
    catalog: SessionCatalog,
    cluster: Arc<Cluster>,
    user: Arc<str>,
    /// Identities of columns: plans of one statement may become parts of others'.
    ids: Arc<ColumnIds>,
    /// Functions: those that are built in, and those that the session was given.
    registry: RwLock<Arc<Registry>>,
}

/// Makes sessions.
#[derive(Default)]
pub struct SessionBuilder {
    conf: Conf,
    error: Option<Error>,
}

impl SessionBuilder {
    /// Sets a key, as `SET key = value` would. An impossible value is reported by [`build`](Self::build).
    pub fn config(mut self, key: &str, value: &str) -> Self {
        let set = settings::check(key, value).and_then(|()| self.conf.set(key, value));
        if let Err(e) = set {
            self.error.get_or_insert(e);
        }
        self
    }

    /// Where queries run: `local[N]`, `local[*]`, `local-cluster[E,C,M]` or `vonk://host:port` (`spark.master`).
    pub fn master(self, url: &str) -> Self {
        self.config(conf::MASTER.name, url)
    }

    /// A name for those who look at a cluster (`spark.app.name`).
    pub fn app_name(self, name: &str) -> Self {
        self.config(conf::APP_NAME.name, name)
    }

    /// Settings as a submitted program is told them: an object of texts in JSON.
    fn submitted(mut self, json: &str) -> Self {
        match serde_json::from_str::<BTreeMap<String, String>>(json) {
            Ok(settings) => settings.iter().fold(self, |builder, (key, value)| builder.config(key, value)),
            Err(e) => {
                self.error = Some(Error::internal(format!("{SUBMITTED_VARIABLE} is not understood: {e}")));
                self
            }
        }
    }

    /// Starts the session.
    pub fn build(self) -> Result<Session> {
        if let Some(e) = self.error {
            return Err(e);
        }
        let conf = self.conf;
        let cluster = Cluster::start(&conf, crate::provider::formats())?;
        let warehouse = conf.get(&conf::WAREHOUSE_DIR);
        let warehouse = warehouse.strip_prefix("file:").unwrap_or(&warehouse);
        let samples = Samples::new(conf.get(&conf::SAMPLES_TPCH_SCALE));
        let catalog = SessionCatalog::new(
            Arc::new(Warehouse::new(warehouse)),
            vec![Arc::new(samples)],
            Arc::new(SessionOpener),
        );
        Ok(Session(Arc::new(State {
            initial: conf.clone(),
            conf: RwLock::new(conf),
            catalog,
            cluster: Arc::new(cluster),
            user: vonk_cluster::user_name().into(),
            ids: Arc::default(),
            registry: RwLock::new(Registry::builtin().clone()),
        })))
    }
}

impl Session {
    /// A builder with the defaults and, in a program that was submitted to a cluster, what it was submitted with.
    pub fn builder() -> SessionBuilder {
        match std::env::var(SUBMITTED_VARIABLE) {
            Ok(settings) => SessionBuilder::default().submitted(&settings),
            Err(_) => SessionBuilder::default(),
        }
    }

    /// A further session of the same application (Spark: `SparkSession.newSession`): it shares the executors, the catalogs and the global
    /// temporary views with this one, and has settings, temporary views and functions, variables and a current database of its own. Its
    /// settings are those that the first session began with.
    pub fn new_session(&self) -> Session {
        self.new_session_of(&self.0.user)
    }

    /// The same for another user: what `current_user()` says in it, and who owns what it creates.
    pub fn new_session_of(&self, user: &str) -> Session {
        let initial = self.0.initial.clone();
        Session(Arc::new(State {
            conf: RwLock::new(initial.clone()),
            initial,
            catalog: self.0.catalog.new_session(),
            cluster: self.0.cluster.clone(),
            user: user.into(),
            ids: self.0.ids.clone(),
            registry: RwLock::new(Registry::builtin().clone()),
        }))
    }

    /// A query as a DataFrame: nothing runs until its rows are asked for. A command runs at once; the DataFrame has what it answered.
    ///
    /// ```
    /// # let session = vonk::Session::builder().config("spark.master", "local[1]").build()?;
    /// let squares = session.sql("SELECT id, id * id AS square FROM range(3)")?;
    /// assert_eq!(squares.filter("square > 0")?.count()?, 2);
    /// # Ok::<(), vonk::Error>(())
    /// ```
    pub fn sql(&self, text: &str) -> Result<DataFrame> {
        let conf = self.conf();
        let options = settings::parse_options(&conf);
        let text = &*substitution::substitute(text, &conf)?;
        self.on_planning_stack(|| {
            let statement = vonk_sql::parse_statement(text, &options)?;
            if let Statement::Query(plan) = &statement {
                return Ok(DataFrame::new(self.clone(), self.resolve(plan, &Arc::from(text))?));
            }
            let mut answer = commands::execute(self, &statement, text, &Control::default())?;
            let batches = answer.collect()?;
            self.data_frame(answer.schema(), batches)
        })
        .map_err(|e| e.in_text(text))
    }

    /// Resolves a plan that DataFrames will be made of; its spans point into `text`.
    pub(crate) fn resolve(&self, plan: &Plan, text: &Arc<str>) -> Result<Resolved> {
        let control = Control::default();
        stacker::maybe_grow(PLANNING_RED_ZONE, PLANNING_STACK, || {
            let cx = Pipeline::new(self, text, &control)?;
            cx.with_analyzer(|a| a.resolve(plan, text))
        })
    }

    /// Runs one statement: [`execute`](Self::execute) without a way to stop it.
    pub fn run(&self, text: &str) -> Result<Answer> {
        self.execute(text, &Control::default())
    }

    /// Runs one statement, with a way to stop it and to see how far it is. Commands are done when this returns; a query's rows are
    /// read from the answer while it runs.
    pub fn execute(&self, text: &str, control: &Control) -> Result<Answer> {
        let conf = self.conf();
        let options = settings::parse_options(&conf);
        let text = &*substitution::substitute(text, &conf)?;
        self.on_planning_stack(|| {
            control.heeded(|| {
                let statement = vonk_sql::parse_statement(text, &options)?;
                commands::execute(self, &statement, text, control)
            })
        })
        .map_err(|e| e.in_text(text))
    }

    /// Runs what plans statements where its recursion has room.
    pub(crate) fn on_planning_stack<T>(&self, f: impl FnOnce() -> T) -> T {
        stacker::grow(PLANNING_STACK, f)
    }

    /// The settings now.
    pub fn conf(&self) -> Conf {
        self.0.conf.read().clone()
    }

    /// Sets a key.
    pub fn set(&self, key: &str, value: &str) -> Result<()> {
        settings::check(key, value)?;
        self.0.conf.write().set(key, value)
    }

    /// Sets a key back to what the session began with; all keys if none is named.
    pub(crate) fn reset(&self, key: Option<&str>) {
        let mut conf = self.0.conf.write();
        match key {
            None => *conf = self.0.initial.clone(),
            Some(key) => {
                conf.unset(key);
                if let (true, Some(value)) = (self.0.initial.is_set(key), self.0.initial.text(key)) {
                    // It was accepted when the session began.
                    let _ = conf.set(key, &value);
                }
            }
        }
    }

    /// The session's catalog.
    pub(crate) fn catalog(&self) -> &SessionCatalog {
        &self.0.catalog
    }

    /// All functions of the session that are not in SQL.
    pub(crate) fn registry(&self) -> Arc<Registry> {
        self.0.registry.read().clone()
    }

    /// Adds a function, in the place of one of its name. Queries that run keep what they have.
    pub(crate) fn add_function(&self, function: Function) {
        let mut registry = self.0.registry.write();
        let mut changed = Registry::clone(&registry);
        changed.add(&[], function);
        *registry = Arc::new(changed);
    }

    /// Whether tasks run in this process.
    pub(crate) fn runs_here(&self) -> bool {
        self.0.cluster.is_local()
    }

    /// Makes identities of columns.
    pub(crate) fn ids(&self) -> &Arc<ColumnIds> {
        &self.0.ids
    }

    /// Where queries run.
    pub(crate) fn cluster(&self) -> &Arc<Cluster> {
        &self.0.cluster
    }

    /// Who uses it.
    pub(crate) fn user(&self) -> &Arc<str> {
        &self.0.user
    }

    /// What evaluation needs, for a statement that starts now.
    pub(crate) fn eval_env(&self, conf: &Conf) -> Result<EvalEnv> {
        Ok(EvalEnv {
            ctx: Arc::new(settings::eval_context(conf, &self.0.user)?),
            registry: self.0.registry.read().clone(),
            scalar_subqueries: Arc::default(),
        })
    }

    /// The session's settings as evaluation sees them.
    pub fn eval_context(&self) -> Result<Arc<EvalContext>> {
        Ok(Arc::new(settings::eval_context(&self.conf(), &self.0.user)?))
    }

    /// The memory that operators and blocks hold now, in bytes: nothing, when no query runs.
    pub fn used_memory(&self) -> u64 {
        self.0.cluster.memory().used()
    }

    /// Ends the application, for all its sessions: what runs is cancelled, executors end, spilled files go. For a process that is told to end
    /// and may not come to drop its sessions; whatever is asked later fails. A second call does nothing.
    pub fn shutdown(&self) {
        self.0.cluster.shutdown();
    }

    /// Tasks of all queries of the application that are alive now, those that wait for who reads their rows among them.
    pub fn alive_tasks(&self) -> usize {
        self.0.cluster.alive_tasks()
    }

    /// Tasks that can run at once: of so many parts of an answer, all are computed at the same time.
    pub fn slots(&self) -> u32 {
        self.0.cluster.slots()
    }

    /// Cancels a job by the number that the status shows (Spark: `SparkContext.cancelJob`); its query fails as cancelled. One that does
    /// not run is left alone.
    pub fn cancel_job(&self, job: u64) {
        self.0.cluster.cancel_job(job);
    }

    /// Cancels the job that a stage belongs to, by the stage's number (Spark: `SparkContext.cancelStage`).
    pub fn cancel_stage(&self, stage: u64) {
        self.0.cluster.cancel_stage(stage);
    }

    /// Where jobs, stages, tasks and executors can be seen over HTTP (`spark.ui.enabled`).
    pub fn status_address(&self) -> Option<std::net::SocketAddr> {
        self.0.cluster.status_address()
    }

    /// The most memory that operators and blocks ever held together, in bytes.
    pub fn peak_memory(&self) -> u64 {
        self.0.cluster.memory().peak()
    }
}
