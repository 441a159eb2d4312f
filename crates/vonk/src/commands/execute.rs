//! EXECUTE IMMEDIATE: a statement whose text is a value.

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

/// Runs the statement that `text` holds.
pub(super) fn immediate(cx: &Pipeline<'_>, text: &Expr, into: &[Name], using: &[Expr]) -> Result<Answer> {
    let value = cx.with_analyzer(|a| a.analyze_constant(text))?;
    if value.data_type != DataType::String {
        return Err(Error::new("INVALID_EXPR_TYPE_FOR_QUERY_EXECUTE_IMMEDIATE")
            .with("exprType", format!("\"{}\"", value.data_type.sql())));
    }
    let Some(inner) = value.value.try_as_str().flatten().map(str::to_string) else {
        let name = &cx.text[text.span.start as usize..text.span.end as usize];
        return Err(Error::new("NULL_QUERY_STRING_EXECUTE_IMMEDIATE").with("varName", format!("`{name}`")));
    };
    let options = settings::parse_options(&cx.conf);
    let (statement, markers) =
        vonk_sql::parse_with_markers(&inner, &options).map_err(|e| e.in_text(&inner))?;
    let parameters = parameters(cx, using, markers)?;
    let control = Control { parameters, ..cx.control.clone() };
    if into.is_empty() {
        return super::execute(cx.session, &statement, &inner, &control).map_err(|e| e.in_text(&inner));
    }
    let Statement::Query(plan) = &statement else {
        return Err(Error::new("INVALID_STATEMENT_FOR_EXECUTE_INTO").with("sqlString", inner.to_uppercase()));
    };
    let run = Pipeline::new(cx.session, &inner, &control)?;
    variables::set_from_query(&run, into, plan).map_err(|e| e.in_text(&inner))?;
    super::done(cx)
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
