//! The public face: what a session gives, and what it gets back.

use crate::env::{Env, ViewFrame, ViewText};
use crate::expected::ExpectedTypes;
use crate::expr::{Clause, Walk};
use crate::fold;
use crate::relation::Relation;
use crate::resolved::{Finished, Resolved, Shadowed};
use crate::scope::Scope;
use crate::seeds;
use crate::session::Session;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;
use vonk_conf::Conf;
use vonk_error::{Error, QueryContext, Result, Span, SqlContext, check_cancelled};
use vonk_eval::EvalEnv;
use vonk_plan::logical::{ColumnIds, LogicalPlan};
use vonk_plan::{Catalog, ColumnId, TableName, unresolved};
use vonk_types::{Literal, StructType};

/// Session variables (`DECLARE VARIABLE`).
pub trait Variables {
    /// The value of a variable; the name may be qualified. `None` if there is none.
    fn get(&self, name: &[String]) -> Option<Literal>;
}

/// No variables.
impl Variables for () {
    fn get(&self, _: &[String]) -> Option<Literal> {
        None
    }
}

/// Values of parameter markers.
#[derive(Debug, Clone, Default)]
pub struct Parameters {
    /// Of `?`, in the order of the text.
    pub positional: Vec<Literal>,
    /// Of `:name`.
    pub named: BTreeMap<String, Literal>,
    /// Where the types are noted that markers without a value are wanted in; without, such a marker is an error.
    pub expected: Option<Arc<ExpectedTypes>>,
}

/// Resolves plans and expressions for one statement.
pub struct Analyzer<'a> {
    /// Tables and views.
    pub catalog: &'a dyn Catalog,
    /// Functions, and what evaluation knows about the session.
    pub env: &'a EvalEnv,
    /// Settings.
    pub conf: &'a Conf,
    /// Makes column ids; the optimizer goes on with the same.
    pub ids: &'a ColumnIds,
    /// Session variables.
    pub variables: &'a dyn Variables,
    /// Values of parameter markers.
    pub parameters: &'a Parameters,
}

/// What a column of a table that is written to asks for beside its type.
#[derive(Debug, Clone, Default)]
pub struct WriteColumn {
    /// The value where the statement gives none.
    pub default: Option<Literal>,
    /// Characters at most: `varchar(n)`.
    pub limit: Option<u32>,
}

/// A resolved plan and the texts that its spans point into.
pub struct Analyzed {
    /// The plan.
    pub plan: Arc<LogicalPlan>,
    /// Texts of views that were expanded, for errors at run time.
    pub texts: Texts,
}

/// The texts that a plan was made of beside the statement's own, by the source their spans name: those of views, and of
/// statements that became parts of others.
#[derive(Debug, Clone, Default)]
pub struct Texts {
    texts: Vec<ViewText>,
}

impl Texts {
    /// Gives an error whose span points into a view's text or into the program its place.
    pub fn resolve(&self, error: Error) -> Error {
        let span = error.span();
        match self.texts.iter().find(|t| t.source == span.source) {
            Some(view) if error.context().is_none() => match view.context(span) {
                Some(context) => error.with_context(context),
                None => error,
            },
            _ => error.in_program(),
        }
    }
}

impl ViewText {
    fn context(&self, span: Span) -> Option<QueryContext> {
        let context = SqlContext::resolve(span, &self.text)?;
        Some(QueryContext::Sql(match self.name.is_empty() {
            true => context,
            false => SqlContext { object_type: "VIEW".into(), object_name: self.name.clone(), ..context },
        }))
    }
}

impl Analyzer<'_> {
    /// Resolves a query. The names of its output columns are the names of the result's columns.
    pub fn analyze(&self, plan: &unresolved::Plan) -> Result<Arc<LogicalPlan>> {
        Ok(self.analyze_with_texts(plan)?.plan)
    }

    /// Resolves a query, and says which views' texts its spans point into.
    pub fn analyze_with_texts(&self, plan: &unresolved::Plan) -> Result<Analyzed> {
        Ok(self.resolved(Binder::new(self), plan, &Env::default())?.analyzed())
    }

    /// Resolves a plan that others will be made of, and that goes on when its statement has ended. Its spans point into `text`.
    pub fn resolve(&self, plan: &unresolved::Plan, text: &Arc<str>) -> Result<Resolved> {
        let binder = Binder::new(self);
        if text.is_empty() {
            return self.resolved(binder, plan, &Env::default());
        }
        let source = self.ids.source();
        binder.views.borrow_mut().push(ViewText { source, name: String::new(), text: text.clone() });
        let frame = ViewFrame { source, name: TableName { parts: Vec::new() }, database: None, parent: None };
        self.resolved(binder, plan, &Env { view: Some(Rc::new(frame)), ..Env::default() })
    }

    fn resolved(&self, binder: Binder<'_>, plan: &unresolved::Plan, env: &Env<'_>) -> Result<Resolved> {
        let relation = binder.relation(plan, env);
        let texts = Texts { texts: binder.views.into_inner() };
        let Relation { plan, scope } = relation.map_err(|e| texts.resolve(e))?;
        let finished = binder.finished.into_inner();
        let plan = seeds::drawn(&self.env.registry, plan, &finished)?;
        #[cfg(debug_assertions)]
        crate::checks::verify(&plan, &finished)?;
        let made = self.ids.fresh().0;
        Ok(Resolved::new(Relation { plan, scope }, texts, made, binder.shadowed.into_inner()))
    }

    /// The value of an expression that depends on nothing but the session (LIMIT, DEFAULT, SET VARIABLE …).
    pub fn analyze_constant(&self, e: &unresolved::Expr) -> Result<Literal> {
        let binder = Binder::new(self);
        let scope = Scope::default();
        let env = Env::default();
        let typed = Walk::new(&binder, &env, &[&scope], Clause::Constant).expr(e)?;
        if !fold::is_foldable(&binder.session, &typed.expr) {
            return Err(Error::new("NOT_A_CONSTANT_STRING.NOT_CONSTANT")
                .with("name", typed.sql.clone())
                .with("expr", typed.quoted())
                .at(typed.span));
        }
        fold::fold(&binder.session, &typed.expr)
    }

    /// Shapes the rows of an INSERT: checks their number, brings them into the table's order (by name or position), fills
    /// omitted columns with nulls, and casts by ANSI store assignment. `columns` are those the statement lists, if any.
    pub fn write_input(
        &self,
        plan: Arc<LogicalPlan>,
        table: &StructType,
        columns: &[String],
        by_name: bool,
        table_name: &TableName,
        extras: &[WriteColumn],
    ) -> Result<Arc<LogicalPlan>> {
        let target = (table, table_name, extras);
        crate::insert::write_input(&Binder::new(self), plan, target, columns, by_name)
    }
}

/// The state of one analysis.
pub(crate) struct Binder<'a> {
    /// What the session gave.
    pub analyzer: &'a Analyzer<'a>,
    /// Settings, parsed.
    pub session: Session<'a>,
    /// Makes column ids.
    pub ids: &'a ColumnIds,
    /// Views met so far.
    pub views: RefCell<Vec<ViewText>>,
    /// Columns of the embedded plans used so far.
    pub embedded: RefCell<HashSet<ColumnId>>,
    /// The embedded plans themselves.
    pub finished: RefCell<Finished>,
    /// Columns of theirs that self-joins have twice.
    pub shadowed: RefCell<Shadowed>,
}

impl<'a> Binder<'a> {
    pub fn new(analyzer: &'a Analyzer<'a>) -> Self {
        Binder {
            analyzer,
            session: Session::new(analyzer.env, analyzer.conf)
                .expecting(analyzer.parameters.expected.as_deref()),
            ids: analyzer.ids,
            views: RefCell::default(),
            embedded: RefCell::default(),
            finished: RefCell::default(),
            shadowed: RefCell::default(),
        }
    }

    /// Takes over what an embedded plan knows of its texts and columns.
    pub fn adopt(&self, r: &Resolved) {
        self.shadowed.borrow_mut().extend(r.shadowed());
        self.finished.borrow_mut().add(r.whole_plan());
        let mut views = self.views.borrow_mut();
        for t in &r.texts().texts {
            if !views.iter().any(|v| v.source == t.source) {
                views.push(t.clone());
            }
        }
    }

    /// Resolves a relation that must not see the columns around it, with room on the stack for deep nesting.
    pub fn relation(&self, plan: &unresolved::Plan, env: &Env<'_>) -> Result<Relation> {
        check_cancelled()?;
        stacker::maybe_grow(RED_ZONE, STACK, || crate::relations::relation(self, plan, env))
    }
}

/// Stack that must be left for one more level of a tree: enough to copy, compare and drop trees as deep as the parser lets through.
pub(crate) const RED_ZONE: usize = 1 << 20;
/// Stack added when it is not.
pub(crate) const STACK: usize = 8 << 20;
