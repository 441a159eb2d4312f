//! The error type.

use crate::conditions;
use crate::place;
use crate::span::{QueryContext, Span};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// What the scheduler and the session must tell apart without reading text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ErrorKind {
    /// The user's: a Spark condition. Retrying the task cannot help.
    User,
    /// A bug of ours, or a panic caught at a task's edge.
    Internal,
    /// Disk, network, object store: retrying may help.
    Io,
    /// The job, the stage or the query was cancelled.
    Cancelled,
    /// A shuffle block could not be fetched: the map task that made it must run again.
    FetchFailed(FetchFailure),
}

/// Which shuffle block was lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchFailure {
    /// The shuffle.
    pub shuffle: u64,
    /// The map partition whose output is gone.
    pub map: u32,
    /// The reduce partition that was asked for.
    pub reduce: u32,
    /// The executor that should have had it.
    pub executor: u64,
    /// Whoever serves that executor's outputs was not to be reached, or said nothing: then the others there cannot be had either.
    /// Otherwise it has said that this output is gone or corrupt.
    pub unreachable: bool,
}

/// An error with Spark's condition, SQLSTATE, message parameters and place in the SQL or the program.
///
/// ```
/// use vonk_error::Error;
/// let e = Error::new("DIVIDE_BY_ZERO").with("config", "\"spark.sql.ansi.enabled\"");
/// assert_eq!(e.sql_state(), "22012");
/// assert!(e.to_string().starts_with("[DIVIDE_BY_ZERO] Division by zero."));
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Error(Box<Inner>);

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Inner {
    kind: ErrorKind,
    condition: Cow<'static, str>,
    params: Vec<(Cow<'static, str>, String)>,
    span: Span,
    context: Option<QueryContext>,
}

impl Error {
    /// A user's error of this condition (a name in [`conditions::CONDITIONS`]).
    pub fn new(condition: &'static str) -> Self {
        debug_assert!(conditions::find(condition).is_some(), "unknown condition {condition}");
        Self::of_kind(ErrorKind::User, condition)
    }

    fn of_kind(kind: ErrorKind, condition: &'static str) -> Self {
        Error(Box::new(Inner {
            kind,
            condition: Cow::Borrowed(condition),
            params: Vec::new(),
            span: Span::NONE,
            context: None,
        }))
    }

    /// A bug of ours.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::of_kind(ErrorKind::Internal, "INTERNAL_ERROR").with("message", message)
    }

    /// An I/O failure: what was attempted, and what the system said.
    pub fn io(what: impl Into<String>, cause: impl fmt::Display) -> Self {
        Self::of_kind(ErrorKind::Io, "_IO_ERROR").with("what", what).with("cause", cause.to_string())
    }

    /// The query was cancelled.
    pub fn cancelled() -> Self {
        Self::of_kind(ErrorKind::Cancelled, "OPERATION_CANCELED")
    }

    /// A shuffle block could not be fetched.
    pub fn fetch_failed(failure: FetchFailure, cause: impl fmt::Display) -> Self {
        Self::of_kind(ErrorKind::FetchFailed(failure), "_FETCH_FAILED").with("cause", cause.to_string())
    }

    /// A feature of Spark that Vonk does not have: said so, never silently approximated.
    pub fn unsupported(what: impl Into<String>) -> Self {
        Self::new("_UNSUPPORTED_IN_VONK").with("what", what)
    }

    /// Adds a message parameter.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.params.push((Cow::Borrowed(name), value.into()));
        self
    }

    /// Notes the place in the SQL. An error that has a place keeps it: the innermost expression is the most precise.
    pub fn at(mut self, span: Span) -> Self {
        if self.0.span.is_none() {
            self.0.span = span;
        }
        self
    }

    /// Resolves the place against the statement's text. Called once, by whoever holds the text.
    pub fn in_text(mut self, text: &str) -> Self {
        if self.0.context.is_none() && self.0.span.source.0 == 0 {
            self.0.context = QueryContext::resolve(self.0.span, text);
        }
        self.in_program()
    }

    /// Resolves a place that is none of a statement: a call of this process's program, or a piece of SQL in one.
    pub fn in_program(mut self) -> Self {
        if self.0.context.is_none() {
            self.0.context = place::resolve(self.0.span);
        }
        self
    }

    /// Sets the resolved place directly (views, functions).
    pub fn with_context(mut self, context: QueryContext) -> Self {
        self.0.context = Some(context);
        self
    }

    /// Kind of failure, for schedulers.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// Spark's condition name, such as `UNRESOLVED_COLUMN.WITH_SUGGESTION`. Conditions of ours begin with `_`.
    pub fn condition(&self) -> &str {
        &self.0.condition
    }

    /// The five-character SQLSTATE.
    pub fn sql_state(&self) -> &'static str {
        conditions::find(&self.0.condition).map_or("XX000", |c| c.sql_state)
    }

    /// The message parameters in the order they were given.
    pub fn params(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.params.iter().map(|(k, v)| (k.as_ref(), v.as_str()))
    }

    /// The place as a span, before it is resolved.
    pub fn span(&self) -> Span {
        self.0.span
    }

    /// The place for people, where known.
    pub fn context(&self) -> Option<&QueryContext> {
        self.0.context.as_ref()
    }

    /// The message with its parameters filled in, without condition, SQLSTATE and context.
    pub fn message(&self) -> String {
        let template = conditions::find(&self.0.condition).map_or("<message>", |c| c.message);
        let mut out = String::with_capacity(template.len() + 64);
        let mut rest = template;
        while let Some(open) = rest.find('<') {
            let Some(close) = rest[open..].find('>').map(|i| open + i) else { break };
            let name = &rest[open + 1..close];
            out.push_str(&rest[..open]);
            match self.0.params.iter().find(|(k, _)| k == name) {
                Some((_, v)) => out.push_str(v),
                None => out.push_str(&rest[open..=close]),
            }
            rest = &rest[close + 1..];
        }
        out.push_str(rest);
        out
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {} SQLSTATE: {}", self.0.condition, self.message(), self.sql_state())?;
        match &self.0.context {
            Some(c) => write!(f, "\n{c}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}

impl From<arrow_schema::ArrowError> for Error {
    /// Kernels are called with checked types, so what Arrow still refuses is our bug, unless it wraps an error of ours or I/O.
    fn from(e: arrow_schema::ArrowError) -> Self {
        match e {
            arrow_schema::ArrowError::ExternalError(inner) => match inner.downcast::<Error>() {
                Ok(ours) => *ours,
                Err(other) => Error::internal(other.to_string()),
            },
            arrow_schema::ArrowError::IoError(what, cause) => Error::io(what, cause),
            other => Error::internal(other.to_string()),
        }
    }
}

impl From<Error> for arrow_schema::ArrowError {
    fn from(e: Error) -> Self {
        arrow_schema::ArrowError::ExternalError(Box::new(e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_innermost_place() {
        let e = Error::new("DIVIDE_BY_ZERO").with("config", "x").at(Span::new(7, 10)).at(Span::new(0, 20));
        let e = e.in_text("select 1/0 + 2");
        assert_eq!(e.context().unwrap().fragment(), "1/0");
    }

    #[test]
    fn survives_arrow_and_comes_back_typed() {
        let e = Error::fetch_failed(
            FetchFailure { shuffle: 1, map: 2, reduce: 3, executor: 4, unreachable: true },
            "gone",
        );
        let back = Error::from(arrow_schema::ArrowError::from(e.clone()));
        assert_eq!(back, e);
    }
}
