//! Statements before they run: what they do, which columns they answer, which parameters they take.
//!
//! For programs that must know before values are there: drivers ask for the columns of a prepared statement and the types of its
//! parameters. Nothing is kept: the statement is analyzed anew when it runs, since tables may have changed by then.
//!
//! Must not know: network protocols.

use crate::commands;
use crate::commands::execute::Immediate;
use crate::pipeline::Pipeline;
use crate::session::{Control, Session};
use crate::{settings, substitution};
use std::sync::Arc;
use vonk_analyzer::{ExpectedTypes, Marker, Parameters};
use vonk_error::{Error, Result};
use vonk_plan::unresolved::{
    CreateTable, DropKind, ExplainMode, Expr, ExprKind, Insert, InsertTarget, Plan, SetCommand, Statement,
    ViewSource,
};
use vonk_types::{DataType, StructField, StructType};

/// What a statement changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementKind {
    /// Nothing: a query.
    Query,
    /// Nothing: SHOW, DESCRIBE, EXPLAIN.
    Read,
    /// The session alone: settings, temporary views, variables, the current database.
    Session,
    /// What others see: tables, views, databases, functions, files.
    Write,
}

/// A parameter of a statement.
#[derive(Debug, Clone, PartialEq)]
pub struct PreparedParameter {
    /// The name of `:name`; `None` for `?`.
    pub name: Option<String>,
    /// The type that its surroundings ask for, if they do.
    pub data_type: Option<DataType>,
}

/// What is known of a statement before it runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// What it changes.
    pub kind: StatementKind,
    /// The columns of its answer; none where it has no rows to give.
    pub schema: StructType,
    /// Its parameters: those of `?` in the order of the text, then those with names, sorted.
    pub parameters: Vec<PreparedParameter>,
}

impl Session {
    /// What a statement does and answers, without running it. Its errors are those that running it would have met before the
    /// first row, but for those that come of the values of parameters.
    pub fn prepare(&self, text: &str) -> Result<Prepared> {
        let conf = self.conf();
        let options = settings::parse_options(&conf);
        let text = &*substitution::substitute(text, &conf)?;
        self.on_planning_stack(|| {
            let statement = vonk_sql::parse_statement(text, &options)?;
            let expected = Arc::new(ExpectedTypes::default());
            let parameters = Parameters { expected: Some(expected.clone()), ..Parameters::default() };
            let control = Control { parameters, ..Control::default() };
            let cx = Pipeline::new(self, text, &control)?;
            let known = known(&cx, &statement, &expected)?;
            Ok(Prepared { parameters: parameters_of(&expected), ..known })
        })
        .map_err(|e: Error| e.in_text(text))
    }
}

/// Kind and columns of a statement; the parameters are noted in `expected`. EXECUTE IMMEDIATE is what it runs.
fn known(cx: &Pipeline<'_>, statement: &Statement, expected: &ExpectedTypes) -> Result<Prepared> {
    let of = |kind, schema| Prepared { kind, schema, parameters: Vec::new() };
    let Statement::ExecuteImmediate { text, into, using } = statement else {
        let kind = kind(cx.session, statement).unwrap_or(StatementKind::Write);
        return Ok(of(kind, schema(cx, statement, expected)?));
    };
    if let ExprKind::Parameter(p) = &text.kind {
        // Its text is known when it runs.
        expected.wants(p, DataType::String);
        return Ok(of(StatementKind::Write, StructType::new(vec![])));
    }
    let inner = Immediate::of(cx, text, into, using)?;
    inner.within(cx, |cx, statement| {
        let known = known(cx, statement, expected)?;
        // A row that goes into variables is not answered.
        Ok(if into.is_empty() { known } else { of(StatementKind::Session, StructType::new(vec![])) })
    })
}

fn parameters_of(expected: &ExpectedTypes) -> Vec<PreparedParameter> {
    let markers = expected.markers();
    let places = markers.iter().filter_map(|(m, _)| match m {
        Marker::Position(i) => Some(i + 1),
        Marker::Named(_) => None,
    });
    // A marker that analysis never came by (in a common table expression that nobody uses) has a place all the same.
    let mut all = vec![PreparedParameter { name: None, data_type: None }; places.max().unwrap_or(0)];
    for (marker, data_type) in markers {
        match marker {
            Marker::Position(i) => all[i].data_type = data_type,
            Marker::Named(name) => all.push(PreparedParameter { name: Some(name), data_type }),
        }
    }
    all
}

/// What a statement changes; `None` of EXECUTE IMMEDIATE, which changes what the statement changes that it runs.
pub(crate) fn kind(session: &Session, statement: &Statement) -> Option<StatementKind> {
    Some(match statement {
        Statement::ExecuteImmediate { .. } => return None,
        Statement::Query(_) => StatementKind::Query,
        Statement::Explain { .. } | Statement::Show(_) | Statement::Describe(_) => StatementKind::Read,
        Statement::Set(_)
        | Statement::Reset(_)
        | Statement::SetTimeZone(_)
        | Statement::Use(_)
        | Statement::SetCatalog(_)
        | Statement::DeclareVariable { .. }
        | Statement::DropVariable { .. }
        | Statement::SetVariable { .. }
        | Statement::Cache { .. }
        | Statement::Uncache { .. }
        | Statement::ClearCache
        | Statement::RefreshTable(_)
        | Statement::RefreshPath(_)
        | Statement::Drop { kind: DropKind::TemporaryFunction, .. } => StatementKind::Session,
        Statement::CreateView(v) if v.temporary && !v.global => StatementKind::Session,
        Statement::CreateFunction(f) if f.temporary => StatementKind::Session,
        Statement::Drop { kind: DropKind::Table | DropKind::View, name, .. }
            if is_temporary_view(session, &name.parts) =>
        {
            StatementKind::Session
        }
        _ => StatementKind::Write,
    })
}

fn is_temporary_view(session: &Session, name: &[String]) -> bool {
    matches!(name, [view] if session.catalog().temporary_views().contains(&view.to_lowercase()))
}

fn pairs() -> StructType {
    StructType::new(["key", "value"].map(|n| StructField::new(n, DataType::String, true)).to_vec())
}

/// The columns of a statement's answer. Types of parameters are noted on the way.
fn schema(cx: &Pipeline<'_>, statement: &Statement, expected: &ExpectedTypes) -> Result<StructType> {
    let none = || Ok(StructType::new(vec![]));
    match statement {
        Statement::Query(plan) => Ok(cx.analyze(plan)?.0.schema()),
        // EXPLAIN ANALYZE would run it.
        Statement::Explain { mode, statement } => {
            let mode = if *mode == ExplainMode::Analyze { ExplainMode::Simple } else { *mode };
            Ok(commands::explain::explain(cx, mode, statement)?.schema().clone())
        }
        // They read the catalog, no more.
        Statement::Show(_) | Statement::Describe(_) => {
            Ok(commands::execute(cx.session, statement, &cx.text, cx.control)?.schema().clone())
        }
        Statement::Set(SetCommand::Put(..)) | Statement::SetTimeZone(_) => Ok(pairs()),
        Statement::Set(_) => {
            Ok(commands::execute(cx.session, statement, &cx.text, cx.control)?.schema().clone())
        }
        Statement::Insert(insert) => {
            inserted(cx, insert, expected)?;
            none()
        }
        Statement::CreateTable(create) => {
            if let CreateTable { query: Some(query), .. } = create.as_ref() {
                cx.analyze(query)?;
            }
            none()
        }
        Statement::CreateView(create) => {
            if let ViewSource::Query { query, .. } = &create.source {
                cx.analyze(query)?;
            }
            none()
        }
        Statement::Unsupported { what, span } => Err(Error::unsupported(what.as_str()).at(*span)),
        _ => none(),
    }
}

/// A marker that is a value of an INSERT is wanted in the type of its column.
fn inserted(cx: &Pipeline<'_>, insert: &Insert, expected: &ExpectedTypes) -> Result<()> {
    if let InsertTarget::Table(name) = &insert.target {
        let (_, definition) = commands::writable(cx, name, "INSERT")?;
        let table = definition.schema();
        let column = |i: usize| match insert.columns.get(i) {
            Some(listed) => table.fields.iter().find(|f| f.name.eq_ignore_ascii_case(listed)),
            None => table.fields.get(i).filter(|_| insert.columns.is_empty() && !insert.by_name),
        };
        let note = |row: &[Expr]| {
            for (i, value) in row.iter().enumerate() {
                if let (ExprKind::Parameter(p), Some(field)) = (&value.kind, column(i)) {
                    expected.wants(p, field.data_type.clone());
                }
            }
        };
        match &insert.source {
            Plan::Values { rows, .. } => rows.iter().for_each(|row| note(row)),
            Plan::Select(select) => note(&select.projection),
            _ => {}
        }
    }
    // DEFAULT among the values is no expression, and nothing that a query may have.
    let has_default = |e: &Expr| e.kind == ExprKind::Default;
    let skip = match &insert.source {
        Plan::Values { rows, .. } => rows.iter().flatten().any(has_default),
        Plan::Select(select) => select.projection.iter().any(has_default),
        _ => false,
    };
    if !skip {
        cx.analyze(&insert.source)?;
    }
    Ok(())
}
