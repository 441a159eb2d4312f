//! DECLARE VARIABLE, DROP VARIABLE, SET VARIABLE.

use super::done;
use crate::answer::Answer;
use crate::pipeline::Pipeline;
use arrow::array::RecordBatch;
use vonk_catalog::Variables;
use vonk_error::{Error, Result};
use vonk_eval::{BoundExpr, Evaluator};
use vonk_plan::unresolved::{Expr, ExprKind, Name, Plan, Statement};
use vonk_types::{CastMode, DataType, Literal};

/// Carries out a statement about variables.
pub(super) fn change(cx: &Pipeline<'_>, statement: &Statement) -> Result<Answer> {
    let catalog = cx.session.catalog();
    match statement {
        Statement::DeclareVariable { replace, name, data_type, default } => {
            let value = match default {
                Some(e) if e.kind != ExprKind::Default => Some(cx.with_analyzer(|a| a.analyze_constant(e))?),
                _ => None,
            };
            let data_type = match (data_type, &value) {
                (Some(t), _) => t.data_type.clone(),
                (None, Some(v)) => v.data_type.clone(),
                (None, None) => DataType::Null,
            };
            let value = match value {
                Some(v) => cast(cx, v, &data_type)?,
                None => Literal::null(data_type.clone()),
            };
            let declare =
                |v: &mut Variables| v.declare(&name.parts, data_type, value, default.clone(), *replace);
            catalog.variables_mut(declare).map_err(|e| e.at(name.span))?;
        }
        Statement::DropVariable { if_exists, name } => {
            if !catalog.variables_mut(|v| v.drop(&name.parts)) && !if_exists {
                let last = name.last().to_lowercase();
                return Err(Error::new("VARIABLE_NOT_FOUND")
                    .with("variableName", format!("`system`.`session`.`{last}`"))
                    .at(name.span));
            }
        }
        Statement::SetVariable { names, values, query } => match query {
            Some(query) => set_from_query(cx, names, query)?,
            None => {
                // All values are computed before any is set.
                let computed: Vec<Literal> =
                    names.iter().zip(values).map(|(n, v)| value(cx, n, v)).collect::<Result<_>>()?;
                set_all(cx, names, computed)?;
            }
        },
        _ => {}
    }
    done(cx)
}

fn set_all(cx: &Pipeline<'_>, names: &[Name], values: Vec<Literal>) -> Result<()> {
    for (i, name) in names.iter().enumerate() {
        if names[..i].iter().any(|n| n.last().eq_ignore_ascii_case(name.last())) {
            let name_text = format!("`{}`", name.last().to_lowercase());
            return Err(Error::new("DUPLICATE_ASSIGNMENTS").with("nameList", name_text).at(name.span));
        }
    }
    for (name, value) in names.iter().zip(values) {
        cx.session.catalog().variables_mut(|v| v.set(&name.parts, value)).map_err(|e| e.at(name.span))?;
    }
    Ok(())
}

/// The type of a variable, and what DEFAULT means for it.
fn declaration(cx: &Pipeline<'_>, name: &Name) -> Result<(DataType, Option<Expr>)> {
    let found = cx
        .session
        .catalog()
        .variables(|v| v.declaration(&name.parts).map(|(t, default)| (t.clone(), default.cloned())));
    found.ok_or_else(|| unresolved(cx, name))
}

fn unresolved(cx: &Pipeline<'_>, name: &Name) -> Error {
    use vonk_plan::Catalog;
    let (catalog, database) = cx.session.catalog().current();
    Error::new("UNRESOLVED_VARIABLE")
        .with("variableName", super::quoted(&name.parts))
        .with("searchPath", format!("[`system`.`builtin`, `system`.`session`, `{catalog}`.`{database}`]"))
        .at(name.span)
}

/// The value to set a variable to. Expressions with subqueries run as queries of one row.
fn value(cx: &Pipeline<'_>, name: &Name, e: &Expr) -> Result<Literal> {
    let (data_type, default) = declaration(cx, name)?;
    let e = match (&e.kind, default) {
        (ExprKind::Default, Some(default)) => default,
        (ExprKind::Default, None) => return Ok(Literal::null(data_type)),
        _ => e.clone(),
    };
    let select = vonk_plan::unresolved::Select::plain(vec![e.clone()], Plan::OneRow, e.span);
    let row = rows(cx, &Plan::Select(Box::new(select)))?;
    match row {
        Some(mut row) if row.len() == 1 => cast(cx, row.remove(0), &data_type),
        _ => vonk_error::internal_err!("an expression of {} values", 0),
    }
}

/// The one row of a query; `None` of none; an error of more.
fn rows(cx: &Pipeline<'_>, plan: &Plan) -> Result<Option<Vec<Literal>>> {
    let mut answer = cx.answer(plan)?;
    let schema = answer.schema().clone();
    let batches = answer.collect()?;
    let count: usize = batches.iter().map(RecordBatch::num_rows).sum();
    if count > 1 {
        return Err(Error::new("ROW_SUBQUERY_TOO_MANY_ROWS"));
    }
    let Some(batch) = batches.iter().find(|b| b.num_rows() > 0) else { return Ok(None) };
    let column = |(i, f): (usize, &vonk_types::StructField)| {
        Literal::from_array(batch.column(i), 0, f.data_type.clone())
    };
    schema.fields.iter().enumerate().map(column).collect::<Result<Vec<_>>>().map(Some)
}

/// Sets variables to the one row of a query, or to nulls if it has none.
pub(super) fn set_from_query(cx: &Pipeline<'_>, names: &[Name], query: &Plan) -> Result<()> {
    let declared = names.iter().map(|n| declaration(cx, n)).collect::<Result<Vec<_>>>()?;
    let row = rows(cx, query)?;
    let values = match row {
        None => declared.iter().map(|(t, _)| Literal::null(t.clone())).collect(),
        Some(row) if row.len() != names.len() => {
            return Err(Error::new("ASSIGNMENT_ARITY_MISMATCH")
                .with("numTarget", names.len().to_string())
                .with("numExpr", row.len().to_string()));
        }
        Some(row) => {
            row.into_iter().zip(&declared).map(|(v, (t, _))| cast(cx, v, t)).collect::<Result<Vec<_>>>()?
        }
    };
    set_all(cx, names, values)
}

/// A value in a type, cast as the session casts.
pub(super) fn cast(cx: &Pipeline<'_>, value: Literal, to: &DataType) -> Result<Literal> {
    let mode = if cx.env.ctx.ansi { CastMode::Ansi } else { CastMode::Legacy };
    let expr = Box::new(BoundExpr::Literal(value));
    let span = vonk_error::Span::NONE;
    Evaluator::fold(&BoundExpr::Cast { expr, to: to.clone(), mode, span }, &cx.env)
}
