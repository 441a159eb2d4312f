//! What the walk over a SELECT's expressions collects for the operators around its projection.

use crate::session::Session;
use crate::typed::Typed;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;
use vonk_error::{Error, Result, Span};
use vonk_plan::logical::{AggregateExpr, Column, ColumnIds, Expr, SortExpr, WindowExpr};
use vonk_plan::unresolved::{self, Over, WindowSpec};

/// Calls that are no expressions. Equal calls share a column.
#[derive(Default)]
pub(crate) struct Calls {
    /// Aggregates.
    pub aggregates: RefCell<Aggregates>,
    /// Calls over windows.
    pub windows: RefCell<Vec<WindowCall>>,
    /// Generators.
    pub generators: RefCell<Vec<GeneratorCall>>,
    /// `grouping(…)` and `grouping_id(…)`.
    pub grouping: RefCell<Vec<GroupingCall>>,
    /// Subqueries met, so that GROUP BY can mean one of them.
    pub subqueries: RefCell<Vec<(unresolved::Expr, Typed)>>,
    /// The call of `window(time, …)` with the column of windows.
    pub time_window: RefCell<Option<(super::time_windows::TimeWindow, Column)>>,
    /// Whether there is a GROUP BY that could.
    pub remember: Cell<bool>,
}

/// Aggregates with their columns.
#[derive(Default)]
pub(crate) struct Aggregates {
    /// In the order they were met. The column's name is the call's text.
    pub list: Vec<(AggregateExpr, Column)>,
    index: HashMap<AggregateExpr, usize>,
}

impl Aggregates {
    /// The column of a call.
    pub fn add(&mut self, ids: &ColumnIds, call: AggregateExpr, sql: &str) -> Column {
        if let Some(i) = self.index.get(&call) {
            return self.list[*i].1.clone();
        }
        let column = ids.column(sql, call.data_type.clone(), call.nullable);
        self.index.insert(call.clone(), self.list.len());
        self.list.push((call, column.clone()));
        column
    }

    /// Whether a column is that of an aggregate.
    pub fn has(&self, c: &Column) -> bool {
        self.list.iter().any(|(_, a)| a == c)
    }
}

/// A call over a window.
#[derive(Debug, Clone)]
pub(crate) struct WindowCall {
    /// The call.
    pub expr: WindowExpr,
    /// PARTITION BY.
    pub partition_by: Vec<Expr>,
    /// ORDER BY.
    pub order_by: Vec<SortExpr>,
    /// The column it becomes; its name is the call's text.
    pub column: Column,
    /// The text of the call without OVER, for aggregates.
    pub inner: Option<String>,
}

impl WindowCall {
    /// The expressions that it reads.
    pub fn exprs(&self) -> impl Iterator<Item = &Expr> {
        self.expr.exprs().into_iter().chain(&self.partition_by).chain(self.order_by.iter().map(|k| &k.expr))
    }
}

/// A generator call.
#[derive(Debug, Clone)]
pub(crate) struct GeneratorCall {
    /// Canonical name.
    pub function: Arc<str>,
    /// Arguments.
    pub args: Vec<Expr>,
    /// Keeps rows that make nothing.
    pub outer: bool,
    /// What it makes.
    pub columns: Vec<Column>,
}

/// A call of `grouping` (one argument, `id` false) or `grouping_id`.
#[derive(Debug, Clone)]
pub(crate) struct GroupingCall {
    /// `grouping_id`.
    pub id: bool,
    /// Arguments.
    pub args: Vec<Expr>,
    /// The column it becomes.
    pub column: Column,
    /// Where it was written.
    pub span: Span,
}

impl Calls {
    /// The column of a window call.
    pub fn add_window(&self, ids: &ColumnIds, mut call: WindowCall) -> Column {
        let mut windows = self.windows.borrow_mut();
        let same = windows.iter().find(|w| {
            w.expr == call.expr && w.partition_by == call.partition_by && w.order_by == call.order_by
        });
        if let Some(w) = same {
            return w.column.clone();
        }
        call.column.id = ids.fresh();
        let column = call.column.clone();
        windows.push(call);
        column
    }

    /// Whether nothing was collected but subqueries.
    pub fn is_empty(&self) -> bool {
        self.aggregates.borrow().list.is_empty()
            && self.windows.borrow().is_empty()
            && self.generators.borrow().is_empty()
            && self.grouping.borrow().is_empty()
    }

    /// Texts of the calls that may not stand in most clauses: window calls with the aggregates in them, and aggregates.
    pub fn texts(&self) -> Vec<String> {
        let mut out = Vec::new();
        for w in self.windows.borrow().iter() {
            out.push(w.column.name.to_string());
            out.extend(w.inner.clone());
        }
        out.extend(self.aggregates.borrow().list.iter().map(|(_, c)| c.name.to_string()));
        out
    }

    /// Spark's error if an operator that cannot have aggregates or window calls has some.
    pub fn refuse(&self, operator: &'static str, span: Span) -> Result<()> {
        if !self.grouping.borrow().is_empty() {
            return Err(Error::new("UNSUPPORTED_GROUPING_EXPRESSION").at(span));
        }
        let texts = self.texts();
        if texts.is_empty() {
            return Ok(());
        }
        let quoted: Vec<String> = texts.iter().map(|t| crate::typed::quoted(t)).collect();
        Err(Error::new("UNSUPPORTED_EXPR_FOR_OPERATOR")
            .with("operator", operator)
            .with("invalidExprSqls", quoted.join(", "))
            .at(span))
    }
}

/// Aliases of a select list that expressions to their right may use.
#[derive(Default)]
pub(crate) struct Aliases {
    by_name: HashMap<String, Vec<Alias>>,
}

#[derive(Clone)]
struct Alias {
    name: String,
    column: Column,
    generated: bool,
}

/// What an alias stands for.
pub(crate) struct AliasMatch<'a> {
    /// The column of the item.
    pub column: &'a Column,
    /// A generator's column: to Spark it is a column of the input.
    pub generated: bool,
    /// How many items have this alias.
    pub matches: usize,
}

impl Aliases {
    /// Adds an item.
    pub fn add(&mut self, name: &str, column: &Column, generated: bool) {
        let alias = Alias { name: name.to_string(), column: column.clone(), generated };
        self.by_name.entry(name.to_lowercase()).or_default().push(alias);
    }

    /// Finds an alias.
    pub fn find(&self, s: &Session<'_>, name: &str) -> Option<AliasMatch<'_>> {
        let all = self.by_name.get(&name.to_lowercase())?;
        let mut fits = all.iter().filter(|a| s.same_name(&a.name, name));
        let first = fits.next()?;
        Some(AliasMatch { column: &first.column, generated: first.generated, matches: 1 + fits.count() })
    }
}

/// Named windows of a SELECT.
pub(crate) struct Windows<'s> {
    definitions: &'s [(String, Over)],
}

impl<'s> Windows<'s> {
    /// From the WINDOW clause.
    pub fn new(definitions: &'s [(String, Over)]) -> Self {
        Windows { definitions }
    }

    /// The specification of a name; a definition may be the name of another one.
    pub fn find(&self, s: &Session<'_>, name: &str, span: Span) -> Result<&'s WindowSpec> {
        let mut wanted = name;
        for _ in 0..=self.definitions.len() {
            let found = self.definitions.iter().find(|(n, _)| s.same_name(n, wanted));
            match found {
                Some((_, Over::Window(spec))) => return Ok(spec),
                Some((_, Over::Named(next))) => wanted = next,
                None => break,
            }
        }
        Err(missing_window(wanted, span))
    }
}

/// Spark's error for a window name without definition.
pub(crate) fn missing_window(name: &str, span: Span) -> Error {
    Error::new("MISSING_WINDOW_SPECIFICATION")
        .with("windowName", name)
        .with("docroot", "https://spark.apache.org/docs/latest")
        .at(span)
}
