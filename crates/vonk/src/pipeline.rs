//! The way of a query: analyze, optimize, plan, run.

use crate::answer::{Answer, located};
use crate::session::{Control, Session};
use crate::settings;
use std::sync::Arc;
use std::time::{Duration, Instant};
use vonk_analyzer::{Analyzer, Parameters, Texts};
use vonk_catalog::SessionCatalog;
use vonk_cluster::{QueryHandle, QuerySettings};
use vonk_conf::Conf;
use vonk_error::Result;
use vonk_eval::EvalEnv;
use vonk_optimizer::Optimizer;
use vonk_plan::logical::ColumnIds;
use vonk_plan::{LogicalPlan, unresolved};
use vonk_planner::{PhysicalQuery, Planner, PlannerOptions};
use vonk_types::Literal;

/// One statement on its way.
pub(crate) struct Pipeline<'a> {
    pub session: &'a Session,
    pub conf: Conf,
    pub env: EvalEnv,
    pub ids: Arc<ColumnIds>,
    pub text: Arc<str>,
    pub control: &'a Control,
    begun: Instant,
}

/// A query with all its plans.
pub(crate) struct Planned {
    pub analyzed: Arc<LogicalPlan>,
    pub optimized: Arc<LogicalPlan>,
    pub physical: PhysicalQuery,
    pub texts: Texts,
    pub planning: Duration,
}

/// The catalog's variables as the analyzer sees them.
pub(crate) struct SessionVariables<'a>(pub &'a SessionCatalog);

impl vonk_analyzer::Variables for SessionVariables<'_> {
    fn get(&self, name: &[String]) -> Option<Literal> {
        self.0.variables(|v| v.get(name).cloned())
    }
}

impl<'a> Pipeline<'a> {
    /// Takes the settings as they are now.
    pub fn new(session: &'a Session, text: &str, control: &'a Control) -> Result<Self> {
        let conf = session.conf();
        let env = session.eval_env(&conf)?;
        let (ids, begun) = (session.ids().clone(), Instant::now());
        Ok(Pipeline { session, conf, env, ids, text: text.into(), control, begun })
    }

    /// Calls `f` with an analyzer over this statement's surroundings.
    pub fn with_analyzer<T>(&self, f: impl FnOnce(&Analyzer<'_>) -> T) -> T {
        let parameters: &Parameters = &self.control.parameters;
        f(&Analyzer {
            catalog: self.session.catalog(),
            env: &self.env,
            conf: &self.conf,
            ids: &self.ids,
            variables: &SessionVariables(self.session.catalog()),
            parameters,
        })
    }

    /// Resolves a query.
    pub fn analyze(&self, plan: &unresolved::Plan) -> Result<(Arc<LogicalPlan>, Texts)> {
        let analyzed = self.with_analyzer(|a| a.analyze_with_texts(plan))?;
        Ok((analyzed.plan, analyzed.texts))
    }

    fn planner_options(&self) -> PlannerOptions {
        let cluster = self.session.cluster();
        settings::planner_options(&self.conf, cluster, self.env.ctx.clone())
    }

    /// Optimizes a resolved query.
    pub fn optimize(&self, analyzed: &Arc<LogicalPlan>, texts: &Texts) -> Result<Arc<LogicalPlan>> {
        let optimized = Optimizer::new(&self.env, &self.ids).optimize(analyzed.clone());
        optimized.map_err(|e| located(e, &self.text, texts))
    }

    /// Optimizes and plans a resolved query.
    pub fn plan(&self, analyzed: Arc<LogicalPlan>, texts: Texts) -> Result<Planned> {
        let plan = || {
            let optimized = Optimizer::new(&self.env, &self.ids).optimize(analyzed.clone())?;
            let options = self.planner_options();
            let physical = Planner::new(&options, &self.env.registry).plan(&optimized)?;
            Ok((optimized, physical))
        };
        let (optimized, physical) = plan().map_err(|e| located(e, &self.text, &texts))?;
        Ok(Planned { analyzed, optimized, physical, texts, planning: self.begun.elapsed() })
    }

    /// Starts a planned query.
    pub fn run(&self, physical: PhysicalQuery) -> Result<QueryHandle> {
        let settings = QuerySettings {
            env: self.env.clone(),
            batch_rows: settings::batch_rows(&self.conf),
            cancel: self.control.cancel.clone(),
            progress: self.control.progress.clone(),
            pool: self.pool(),
            description: self.text.clone(),
        };
        self.session.cluster().run(physical, settings)
    }

    fn pool(&self) -> String {
        let key = &vonk_conf::SCHEDULER_POOL;
        match &self.control.pool {
            Some(pool) if !self.conf.is_set(key.name) => pool.to_string(),
            _ => self.conf.get(key),
        }
    }

    /// Analyzes, plans and starts a query.
    pub fn answer(&self, plan: &unresolved::Plan) -> Result<Answer> {
        let (analyzed, texts) = self.analyze(plan)?;
        self.answer_resolved(analyzed, texts)
    }

    /// Plans and starts a resolved query.
    pub fn answer_resolved(&self, analyzed: Arc<LogicalPlan>, texts: Texts) -> Result<Answer> {
        let planned = self.plan(analyzed, texts)?;
        let handle = self.run(planned.physical).map_err(|e| located(e, &self.text, &planned.texts))?;
        let eval = self.env.ctx.clone();
        let ordered = is_ordered(&planned.analyzed);
        let answer = Answer::running(
            planned.analyzed,
            handle,
            self.text.clone(),
            planned.texts,
            planned.planning,
            eval,
        );
        Ok(answer.ordered(ordered))
    }
}

/// Whether a plan's rows have an order that was asked for: an ORDER BY with nothing above it that could change the order.
fn is_ordered(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Sort { global, .. } => *global,
        LogicalPlan::Project { input, .. }
        | LogicalPlan::Filter { input, .. }
        | LogicalPlan::Limit { input, .. } => is_ordered(input),
        _ => false,
    }
}
