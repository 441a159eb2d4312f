//! EXECUTE IMMEDIATE: a statement whose text is a value.
//!
//! Must not know: what the statement does.

use super::variables;
use crate::answer::Answer;
use crate::pipeline::Pipeline;
use crate::session::Control;
use crate::settings;
use vonk_analyzer::Parameters;
use vonk_error::{Error, Result};
use vonk_plan::unresolved::{Expr, ExprKind, Name, Statement};
use vonk_sql::Markers;
use vonk_types::DataType;

/// The statement that an EXECUTE IMMEDIATE runs.
pub(crate) struct Immediate {
    /// Its text.
    pub text: String,
    /// What the text says.
    pub statement: Statement,
    /// As that of the outer statement, with the values of USING as parameters.
    pub control: Control,
}

impl Immediate {
    /// The statement that `text` holds, with the values `using`; a query, if its row is to go `into` variables.
    pub fn of(cx: &Pipeline<'_>, text: &Expr, into: &[Name], using: &[Expr]) -> Result<Immediate> {
        let inner = inner_text(cx, text)?;
        let options = settings::parse_options(&cx.conf);
        let (statement, markers) =
            vonk_sql::parse_with_markers(&inner, &options).map_err(|e| e.in_text(&inner))?;
        if !into.is_empty() && !matches!(statement, Statement::Query(_)) {
            let text = inner.to_uppercase();
            return Err(Error::new("INVALID_STATEMENT_FOR_EXECUTE_INTO").with("sqlString", text));
        }
        let parameters = parameters(cx, using, markers)?;
        Ok(Immediate { text: inner, statement, control: Control { parameters, ..cx.control.clone() } })
    }

    /// Calls `f` for it. Errors get their place in its text.
    pub fn within<T>(
        &self,
        cx: &Pipeline<'_>,
        f: impl FnOnce(&Pipeline<'_>, &Statement) -> Result<T>,
    ) -> Result<T> {
        let run = Pipeline::new(cx.session, &self.text, &self.control)?;
        f(&run, &self.statement).map_err(|e| e.in_text(&self.text))
    }
}

/// Runs the statement that `text` holds.
pub(super) fn immediate(cx: &Pipeline<'_>, text: &Expr, into: &[Name], using: &[Expr]) -> Result<Answer> {
    let inner = Immediate::of(cx, text, into, using)?;
    inner.within(cx, |inner, statement| match statement {
        Statement::Query(plan) if !into.is_empty() => {
            variables::set_from_query(inner, into, plan)?;
            super::done(inner)
        }
        _ => super::execute_in(inner, statement),
    })
}

/// The text that an expression without columns is.
fn inner_text(cx: &Pipeline<'_>, text: &Expr) -> Result<String> {
    let value = cx.with_analyzer(|a| a.analyze_constant(text))?;
    if value.data_type != DataType::String {
        return Err(Error::new("INVALID_EXPR_TYPE_FOR_QUERY_EXECUTE_IMMEDIATE")
            .with("exprType", format!("\"{}\"", value.data_type.sql())));
    }
    value.value.try_as_str().flatten().map(str::to_string).ok_or_else(|| {
        let name = &cx.text[text.span.start as usize..text.span.end as usize];
        Error::new("NULL_QUERY_STRING_EXECUTE_IMMEDIATE").with("varName", format!("`{name}`"))
    })
}

/// The values of the markers.
fn parameters(cx: &Pipeline<'_>, using: &[Expr], markers: Markers) -> Result<Parameters> {
    if markers.positional && markers.named {
        return Err(Error::new("INVALID_QUERY_MIXED_QUERY_PARAMETERS"));
    }
    let mut parameters = Parameters::default();
    let mut unnamed = Vec::new();
    for e in using {
        let (name, value) = match &e.kind {
            ExprKind::Alias { expr, names } => (names.first().cloned(), expr.as_ref()),
            ExprKind::Name(n) => (Some(n.last().to_string()), e),
            _ => (None, e),
        };
        let value = cx.with_analyzer(|a| a.analyze_constant(value))?;
        match name {
            Some(name) => {
                parameters.named.insert(name, value.clone());
            }
            None => unnamed.push(format!("\"{}\"", &cx.text[e.span.start as usize..e.span.end as usize])),
        }
        parameters.positional.push(value);
    }
    if markers.named && !unnamed.is_empty() {
        return Err(Error::new("ALL_PARAMETERS_MUST_BE_NAMED").with("exprs", unnamed.join(", ")));
    }
    Ok(parameters)
}
