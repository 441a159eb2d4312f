//! VALUES: rows of constants, folded into one batch.
//!
//! Literals are taken as they are, so that long lists cost little more than their parsing.

use crate::analyzer::Binder;
use crate::env::Env;
use crate::expr::{Clause, Walk};
use crate::fold;
use crate::relation::Relation;
use crate::select::Calls;
use crate::typed::{Typed, quoted};
use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::interleave;
use datafusion_common::ScalarValue;
use std::collections::HashMap;
use vonk_error::{Error, Result, Span};
use vonk_functions::coerce::wider_without_strings;
use vonk_plan::logical::LogicalPlan;
use vonk_plan::unresolved::{Expr, ExprKind};
use vonk_types::cast::cast_array;
use vonk_types::data_type::quote_identifier;
use vonk_types::{DataType, Literal, StructField, StructType};

/// The rows as a relation; `names` are the columns' aliases, for messages and their number.
pub(crate) fn values(
    b: &Binder<'_>,
    rows: &[Vec<Expr>],
    names: Option<&[String]>,
    span: Span,
    env: &Env<'_>,
) -> Result<Relation> {
    let expected = match names {
        Some(n) => n.len(),
        None => rows.first().map_or(0, |r| parts(r).len()),
    };
    let mut columns: Vec<Vec<Literal>> = vec![Vec::with_capacity(rows.len()); expected];
    let calls = Calls::default();
    for (i, row) in rows.iter().enumerate() {
        let row = parts(row);
        if row.len() != expected {
            return Err(Error::new("INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH")
                .with("expectedNumCols", expected.to_string())
                .with("actualNumCols", row.len().to_string())
                .with("rowIndex", i.to_string())
                .at(span));
        }
        for (column, e) in columns.iter_mut().zip(row) {
            column.push(constant(b, e, &calls, env)?);
        }
    }
    let mut fields = Vec::with_capacity(expected);
    let mut arrays = Vec::with_capacity(expected);
    for (i, literals) in columns.into_iter().enumerate() {
        let name = names.and_then(|n| n.get(i)).cloned().unwrap_or_else(|| format!("col{}", i + 1));
        let data_type = column_type(b, &literals, &name, span)?;
        let nullable = literals.iter().any(Literal::is_null);
        // A value that has no place in the common type is one of a type that does not fit.
        arrays.push(array(b, literals, &data_type).map_err(|_| incompatible(&name, span))?);
        fields.push(StructField::new(name, data_type, nullable));
    }
    let schema = StructType::new(fields);
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    let batch = RecordBatch::try_new_with_options(schema.to_arrow_schema(), arrays, &options)?;
    let columns =
        schema.fields.iter().map(|f| b.ids.column(f.name.clone(), f.data_type.clone(), f.nullable)).collect();
    Ok(Relation::plain(LogicalPlan::Values { columns, batch }))
}

/// The cells of a row: a row of one struct is a row of its fields.
fn parts(row: &[Expr]) -> &[Expr] {
    match row {
        [Expr { kind: ExprKind::Row(parts), .. }] => parts,
        [Expr { kind: ExprKind::Function(call), .. }]
            if call.name.parts.len() == 1 && call.name.parts[0].eq_ignore_ascii_case("struct") =>
        {
            &call.args
        }
        _ => row,
    }
}

fn constant(b: &Binder<'_>, e: &Expr, calls: &Calls, env: &Env<'_>) -> Result<Literal> {
    let e = match &e.kind {
        ExprKind::Literal(l) => return Ok(l.clone()),
        ExprKind::Alias { expr, .. } => expr,
        _ => e,
    };
    let t = Walk::new(b, env, &[], Clause::Values).collecting(calls).expr(e)?;
    if !calls.is_empty() || !fold::is_foldable(&b.session, &t.expr) {
        return Err(Error::new("INVALID_INLINE_TABLE.CANNOT_EVALUATE_EXPRESSION_IN_INLINE_TABLE")
            .with("expr", quoted(&t.sql))
            .at(t.span));
    }
    fold::fold(&b.session, &t.expr).map_err(|_| failed(&t))
}

fn failed(t: &Typed) -> Error {
    Error::new("INVALID_INLINE_TABLE.FAILED_SQL_EXPRESSION_EVALUATION").with("sqlExpr", t.quoted()).at(t.span)
}

fn column_type(b: &Binder<'_>, literals: &[Literal], name: &str, span: Span) -> Result<DataType> {
    let mut types: Vec<DataType> = Vec::new();
    for l in literals {
        if !types.contains(&l.data_type) {
            types.push(l.data_type.clone());
        }
    }
    if let [one] = types.as_slice() {
        return Ok(one.clone());
    }
    let Some(first) = types.first() else { return Err(incompatible(name, span)) };
    // Inline tables never make strings of other values, nor others of strings.
    let ansi = b.session.ansi;
    let common = types.iter().skip(1).try_fold(first.clone(), |t, u| wider_without_strings(&t, u, ansi));
    common.ok_or_else(|| incompatible(name, span))
}

fn incompatible(name: &str, span: Span) -> Error {
    Error::new("INVALID_INLINE_TABLE.INCOMPATIBLE_TYPES_IN_INLINE_TABLE")
        .with("colName", quote_identifier(name))
        .at(span)
}

/// The literals as one array of a type: those of each type are cast together.
fn array(b: &Binder<'_>, literals: Vec<Literal>, to: &DataType) -> Result<ArrayRef> {
    let rows = literals.len();
    let mut by_type: Vec<(DataType, Vec<ScalarValue>)> = Vec::new();
    let mut index: HashMap<DataType, usize> = HashMap::new();
    let mut places = Vec::with_capacity(rows);
    for l in literals {
        let k = match by_type.last() {
            Some((t, _)) if *t == l.data_type => by_type.len() - 1,
            _ => *index.entry(l.data_type.clone()).or_insert_with(|| {
                by_type.push((l.data_type.clone(), Vec::new()));
                by_type.len() - 1
            }),
        };
        places.push((k, by_type[k].1.len()));
        by_type[k].1.push(l.value);
    }
    let mut arrays = Vec::with_capacity(by_type.len());
    for (t, values) in by_type {
        let a = ScalarValue::iter_to_array(values).map_err(|e| Error::internal(e.to_string()))?;
        arrays.push(cast_array(&a, &t, to, b.session.cast_mode(), b.session.ctx())?);
    }
    match arrays.as_slice() {
        [one] => Ok(one.clone()),
        many => {
            let many: Vec<&dyn arrow::array::Array> = many.iter().map(AsRef::as_ref).collect();
            Ok(interleave(&many, &places)?)
        }
    }
}
