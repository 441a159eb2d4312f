//! The rows of an INSERT in the shape of the table.

use crate::analyzer::{Binder, WriteColumn};
use crate::call::{self, CallArg};
use crate::scope::similar;
use crate::typed::{Typed, quoted_type};
use std::sync::Arc;
use vonk_error::{Error, Result, Span};
use vonk_functions::Function;
use vonk_plan::TableName;
use vonk_plan::logical::{Column, Expr, LogicalPlan, Named};
use vonk_types::cast::can_store_assign;
use vonk_types::data_type::quote_identifier;
use vonk_types::{CastMode, DataType, Literal, StructField, StructType};

/// See [`crate::Analyzer::write_input`].
pub(crate) fn write_input(
    b: &Binder<'_>,
    plan: Arc<LogicalPlan>,
    (table, name, extras): (&StructType, &TableName, &[WriteColumn]),
    columns: &[String],
    by_name: bool,
) -> Result<Arc<LogicalPlan>> {
    let output = plan.output();
    let target = Target { b, table, name };
    let sources: Vec<Option<&Column>> = if by_name {
        target.by_name(&output)?
    } else {
        let positions = target.positions(columns)?;
        if positions.len() != output.len() {
            return Err(target.arity(&positions, &output));
        }
        let source = |i: usize| positions.iter().position(|p| *p == i).map(|k| &output[k]);
        (0..table.fields.len()).map(source).collect()
    };
    let mut exprs = Vec::with_capacity(table.fields.len());
    for (i, (field, source)) in table.fields.iter().zip(sources).enumerate() {
        let extra = extras.get(i).cloned().unwrap_or_default();
        let expr = match (source, extra.default) {
            (Some(c), _) => target.assigned(c, field)?,
            (None, Some(default)) => Expr::Literal(default),
            (None, None) if field.nullable => Expr::Literal(Literal::null(field.data_type.clone())),
            (None, None) => {
                return Err(Error::new("INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_FIND_DATA")
                    .with("tableName", name.quoted())
                    .with("colName", quote_identifier(&field.name)));
            }
        };
        let expr = match extra.limit {
            Some(limit) => limited(b, expr, limit)?,
            None => expr,
        };
        let column = match &expr {
            Expr::Column(c) if c.name == field.name => c.clone(),
            e => b.ids.column(field.name.clone(), field.data_type.clone(), e.nullable()),
        };
        exprs.push(Named { expr, column });
    }
    Ok(Arc::new(LogicalPlan::Project { exprs, input: plan }))
}

/// A string that is an error where it is longer than a `varchar(n)` may be.
fn limited(b: &Binder<'_>, e: Expr, limit: u32) -> Result<Expr> {
    let Some(Function::Scalar(f)) = b.session.registry().get(vonk_functions::LENGTH_CHECK) else {
        return vonk_error::internal_err!("no function that checks lengths");
    };
    let limit = Literal::int(i32::try_from(limit).unwrap_or(i32::MAX));
    let args = [e, Expr::Literal(limit)].map(|e| CallArg::Value(Typed::new(e, "", Span::NONE)));
    Ok(call::scalar(&b.session, f, vonk_functions::LENGTH_CHECK, args.into(), Span::NONE)?.expr)
}

struct Target<'t> {
    b: &'t Binder<'t>,
    table: &'t StructType,
    name: &'t TableName,
}

impl Target<'_> {
    /// Positions in the table of the listed columns; all columns if none is listed.
    fn positions(&self, columns: &[String]) -> Result<Vec<usize>> {
        if columns.is_empty() {
            return Ok((0..self.table.fields.len()).collect());
        }
        let mut out: Vec<usize> = Vec::with_capacity(columns.len());
        for c in columns {
            let found = self.table.fields.iter().position(|f| self.b.session.same_name(&f.name, c));
            let Some(i) = found else { return Err(self.unknown(c)) };
            if out.contains(&i) {
                return Err(Error::new("COLUMN_ALREADY_EXISTS")
                    .with("columnName", quote_identifier(&c.to_lowercase())));
            }
            out.push(i);
        }
        Ok(out)
    }

    fn unknown(&self, column: &str) -> Error {
        let candidates = self.table.fields.iter().map(|f| vec![f.name.as_ref()]).collect();
        Error::new("UNRESOLVED_COLUMN.WITH_SUGGESTION")
            .with("objectName", quote_identifier(column))
            .with("proposal", similar(column, 1, candidates).join(", "))
    }

    fn arity(&self, positions: &[usize], output: &[Column]) -> Error {
        let condition = if output.len() > positions.len() {
            "INSERT_COLUMN_ARITY_MISMATCH.TOO_MANY_DATA_COLUMNS"
        } else {
            "INSERT_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS"
        };
        let list =
            |names: Vec<&str>| names.iter().map(|n| quote_identifier(n)).collect::<Vec<_>>().join(", ");
        let wanted = positions.iter().map(|i| self.table.fields[*i].name.as_ref()).collect();
        Error::new(condition)
            .with("tableName", self.name.quoted())
            .with("tableColumns", list(wanted))
            .with("dataColumns", list(output.iter().map(|c| c.name.as_ref()).collect()))
    }

    fn by_name<'o>(&self, output: &'o [Column]) -> Result<Vec<Option<&'o Column>>> {
        let same = |a: &str, c: &str| self.b.session.same_name(a, c);
        let extra: Vec<String> = output
            .iter()
            .filter(|c| !self.table.fields.iter().any(|f| same(&f.name, &c.name)))
            .map(|c| quote_identifier(&c.name))
            .collect();
        if output.len() > self.table.fields.len() {
            let all: Vec<usize> = (0..self.table.fields.len()).collect();
            return Err(self.arity(&all, output));
        }
        if !extra.is_empty() {
            return Err(Error::new("INCOMPATIBLE_DATA_FOR_TABLE.EXTRA_COLUMNS")
                .with("tableName", self.name.quoted())
                .with("extraColumns", extra.join(", ")));
        }
        self.table
            .fields
            .iter()
            .map(|f| {
                let mut found = output.iter().filter(|c| same(&f.name, &c.name));
                let first = found.next();
                if found.next().is_some() {
                    return Err(Error::new("INCOMPATIBLE_DATA_FOR_TABLE.AMBIGUOUS_COLUMN_NAME")
                        .with("tableName", self.name.quoted())
                        .with("colName", quote_identifier(&f.name)));
                }
                Ok(first)
            })
            .collect()
    }

    /// A column as a value of a field, by the rules of ANSI store assignment.
    fn assigned(&self, c: &Column, field: &StructField) -> Result<Expr> {
        let from = &c.data_type;
        let to = &field.data_type;
        if from.same_type(to, true) {
            return Ok(Expr::column(c));
        }
        if *from != DataType::Null && !can_store_assign(from, to) {
            return Err(Error::new("INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST")
                .with("tableName", self.name.quoted())
                .with("colName", quote_identifier(&field.name))
                .with("srcType", quoted_type(from))
                .with("targetType", quoted_type(to)));
        }
        Ok(Expr::Cast {
            expr: Box::new(Expr::column(c)),
            to: to.clone(),
            mode: CastMode::Ansi,
            implicit: true,
            span: Span::NONE,
        })
    }
}
