//! CREATE FUNCTION, DROP FUNCTION, and what DESCRIBE FUNCTION and SHOW FUNCTIONS say of functions in SQL.

use super::{done, quoted};
use crate::answer::Answer;
use crate::pipeline::Pipeline;
use vonk_error::{Error, Result};
use vonk_plan::unresolved::{
    ColumnDef, CreateFunction, Expr, ExprKind, FunctionCall, FunctionReturns, Name, Plan, Select, TypeRef,
};
use vonk_plan::{Catalog, TableName, UserFunction};
use vonk_types::{DataType, Literal};

/// Creates a function after resolving its body.
pub(super) fn create(cx: &Pipeline<'_>, create: &CreateFunction) -> Result<Answer> {
    let catalog = cx.session.catalog();
    let (_, database) = catalog.current();
    let name = if create.temporary {
        TableName::new([create.name.last().to_lowercase()])
    } else {
        let id = catalog.table_id(&create.name.parts);
        id.name()
    };
    let full = name.parts.clone();
    let function = UserFunction { name, declared: create.clone(), text: cx.text.clone(), database };
    let known = catalog.function(&full)?.is_some_and(|f| f.name.parts.len() == full.len());
    if known && create.if_not_exists {
        return done(cx);
    }
    let exists = || {
        Error::new("ROUTINE_ALREADY_EXISTS")
            .with("routineName", quoted(&full[full.len().saturating_sub(2)..]))
            .with("newRoutineType", "routine")
            .with("existingRoutineType", "routine")
    };
    if known && !create.replace {
        return Err(exists());
    }
    for (i, p) in create.params.iter().enumerate() {
        if create.params[..i].iter().any(|q| q.name.eq_ignore_ascii_case(&p.name)) {
            return Err(Error::new("DUPLICATE_ROUTINE_PARAMETER_NAMES")
                .with("routineName", function.name.to_string())
                .with("names", format!("`{}`", p.name.to_lowercase())));
        }
    }
    check(cx, &function)?;
    if !catalog.put_function(function, create.replace) {
        return Err(exists());
    }
    done(cx)
}

/// Resolves a call with nulls for arguments, so that what is wrong with the body is said now.
fn check(cx: &Pipeline<'_>, function: &UserFunction) -> Result<()> {
    let catalog = cx.session.catalog();
    let previous = catalog.function(&function.name.parts)?;
    catalog.put_function(function.clone(), true);
    let create = &function.declared;
    let span = create.name.span;
    let null = |t: &TypeRef| {
        let value = Expr::literal(Literal::null(DataType::Null), span);
        Expr::new(ExprKind::Cast { expr: Box::new(value), data_type: t.clone(), try_cast: false }, span)
    };
    let args: Vec<Expr> = create.params.iter().map(|p| null(&p.data_type)).collect();
    let name = Name { parts: function.name.parts.clone(), span };
    let plan = match &create.returns {
        FunctionReturns::Value(_) => {
            let call = Expr::new(ExprKind::Function(Box::new(FunctionCall::plain(name, args))), span);
            Plan::Select(Box::new(Select::plain(vec![call], Plan::OneRow, span)))
        }
        FunctionReturns::Table(_) => Plan::TableFunction { name, args, span },
    };
    let result = cx.analyze(&plan);
    match previous.filter(|p| p.name == function.name) {
        Some(p) => {
            catalog.put_function((*p).clone(), true);
        }
        None => {
            catalog.drop_function(&function.name.parts, create.temporary);
        }
    }
    result.map(|_| ())
}

/// Drops a function.
pub(super) fn drop(cx: &Pipeline<'_>, name: &Name, temporary: bool, if_exists: bool) -> Result<Answer> {
    let catalog = cx.session.catalog();
    if catalog.drop_function(&name.parts, temporary) || if_exists {
        return done(cx);
    }
    let parts = match (temporary, name.parts.as_slice()) {
        (false, [f]) => vec![catalog.current().1, f.to_lowercase()],
        (_, parts) => parts.iter().map(|p| p.to_lowercase()).collect(),
    };
    Err(Error::new("ROUTINE_NOT_FOUND").with("routineName", quoted(&parts)))
}

/// Names and types, one below the other.
fn aligned(columns: &[ColumnDef]) -> Vec<String> {
    let types: Vec<String> = columns.iter().map(|c| c.data_type.data_type.sql()).collect();
    let width = columns.iter().map(|c| c.name.len()).max().unwrap_or(0);
    let type_width = types.iter().map(String::len).max().unwrap_or(0);
    columns.iter().zip(&types).map(|(c, t)| format!("{:width$} {t:type_width$}", c.name)).collect()
}

/// The lines of DESCRIBE FUNCTION.
pub(super) fn description(cx: &Pipeline<'_>, f: &UserFunction, extended: bool) -> Vec<String> {
    let create = &f.declared;
    let mut pairs = vec![("Function:", f.name.to_string())];
    let table = matches!(create.returns, FunctionReturns::Table(_));
    pairs.push(("Type:", if table { "TABLE" } else { "SCALAR" }.to_string()));
    let mut list = |title: &'static str, items: Vec<String>| {
        for (i, item) in items.into_iter().enumerate() {
            pairs.push((if i == 0 { title } else { "" }, item));
        }
    };
    let inputs = aligned(&create.params);
    list("Input:", if inputs.is_empty() { vec!["()".to_string()] } else { inputs });
    match &create.returns {
        FunctionReturns::Value(Some(t)) => list("Returns:", vec![t.data_type.sql()]),
        FunctionReturns::Value(None) => {}
        FunctionReturns::Table(columns) => {
            list("Returns:", aligned(columns));
        }
    }
    if extended {
        list("Comment:", create.comment.iter().cloned().collect());
        list("Deterministic:", vec!["true".to_string()]);
        list("Data Access:", vec!["CONTAINS SQL".to_string()]);
        let span = create.body_span;
        let body = f.text.get(span.start as usize..span.end as usize).unwrap_or_default();
        list("Body:", vec![body.to_string()]);
    }
    let _ = cx;
    let width = pairs.iter().map(|(k, _)| k.len()).max().unwrap_or(0);
    pairs.into_iter().map(|(k, v)| format!("{k:width$} {v}")).collect()
}
