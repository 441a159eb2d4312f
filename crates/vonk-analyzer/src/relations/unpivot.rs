//! UNPIVOT: columns become rows.

use crate::analyzer::Binder;
use crate::coerce;
use crate::env::Env;
use crate::expr::{Clause, Walk};
use crate::relation::Relation;
use crate::scope::{Field, Scope};
use crate::typed::{Typed, quoted_type};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use vonk_error::{Error, Result, Span};
use vonk_plan::ColumnId;
use vonk_plan::logical::{Column, Expr, LogicalPlan};
use vonk_plan::unresolved::{self, ExprKind, Unpivot};
use vonk_types::data_type::quote_identifier;
use vonk_types::{DataType, Literal};

pub(crate) fn unpivot(b: &Binder<'_>, u: &Unpivot, env: &Env<'_>) -> Result<Relation> {
    let input = b.relation(&u.input, env)?.exact();
    let span = env.span(u.span);
    let scopes = [&input.scope];
    let mut groups = Vec::with_capacity(u.columns.len());
    let mut read: HashSet<ColumnId> = HashSet::new();
    for (columns, label) in &u.columns {
        let typed = Walk::new(b, env, &scopes, Clause::Other("Unpivot")).exprs(columns)?;
        if typed.len() != u.values.len() {
            return Err(Error::new("UNPIVOT_VALUE_SIZE_MISMATCH")
                .with("names", u.values.join(", "))
                .at(span));
        }
        typed.iter().for_each(|t| t.expr.collect_columns(&mut read));
        let names: Vec<String> = columns.iter().zip(&typed).map(|(e, t)| name_of(e, t)).collect();
        let label = label.clone().unwrap_or_else(|| names.join("_"));
        groups.push((typed, names, label));
    }
    let kept: Vec<Field> =
        input.scope.fields.iter().filter(|f| !read.contains(&f.column.id)).cloned().collect();
    let types = (0..u.values.len())
        .map(|i| value_type(b, groups.iter().map(|(t, n, _)| (&t[i], n[i].as_str())), span))
        .collect::<Result<Vec<_>>>()?;
    let nullable: Vec<bool> =
        (0..u.values.len()).map(|i| groups.iter().any(|(t, ..)| t[i].nullable())).collect();

    let name = b.ids.column(u.name.as_str(), DataType::String, false);
    let values: Vec<Column> = u
        .values
        .iter()
        .zip(types.iter().zip(&nullable))
        .map(|(n, (t, nullable))| b.ids.column(n.as_str(), t.clone(), *nullable))
        .collect();
    let mut projections = Vec::with_capacity(groups.len());
    for (typed, _, label) in groups {
        let mut row: Vec<Expr> = kept.iter().map(|f| Expr::column(&f.column)).collect();
        row.push(Expr::Literal(Literal::string(label)));
        row.extend(
            typed.into_iter().zip(&types).map(|(t, to)| coerce::implicit_cast(&b.session, t, to).expr),
        );
        projections.push(row);
    }
    let mut columns: Vec<Column> = kept.iter().map(|f| f.column.clone()).collect();
    columns.push(name.clone());
    columns.extend(values.iter().cloned());
    let mut plan = LogicalPlan::Expand { projections, columns, input: input.plan };
    if !u.include_nulls {
        let any: Vec<Expr> = values.iter().map(|c| Expr::IsNotNull(Box::new(Expr::column(c)))).collect();
        let predicate = match any.as_slice() {
            [one] => one.clone(),
            _ => Expr::Or(any),
        };
        plan = LogicalPlan::Filter { predicate, input: Arc::new(plan) };
    }
    let fields = kept.into_iter().chain([name].into_iter().chain(values).map(Field::plain)).collect();
    Ok(Relation::new(plan, Scope::new(fields)))
}

fn name_of(e: &unresolved::Expr, t: &Typed) -> String {
    match &e.kind {
        ExprKind::Name(n) => n.last().to_string(),
        _ => t.sql.clone(),
    }
}

/// The type of a value column.
fn value_type<'t>(
    b: &Binder<'_>,
    parts: impl Iterator<Item = (&'t Typed, &'t str)>,
    span: Span,
) -> Result<DataType> {
    let mut types: Vec<DataType> = Vec::new();
    let mut by_type: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (t, name) in parts {
        let data_type = t.data_type();
        by_type.entry(quoted_type(&data_type)).or_default().push(quote_identifier(name));
        if !types.contains(&data_type) {
            types.push(data_type);
        }
    }
    let common = match types.as_slice() {
        [one] => Some(one.clone()),
        // Values are not turned into strings to fit together.
        many if many.contains(&DataType::String)
            && many.iter().any(|t| !matches!(t, DataType::String | DataType::Null)) =>
        {
            None
        }
        many => coerce::common_type(&b.session, many),
    };
    common.ok_or_else(|| {
        let texts: Vec<String> = by_type
            .into_iter()
            .map(|(t, mut names)| {
                names.sort();
                let more = if names.len() > 3 { ", ..." } else { "" };
                names.truncate(3);
                format!("{t} ({}{more})", names.join(", "))
            })
            .collect();
        Error::new("UNPIVOT_VALUE_DATA_TYPE_MISMATCH").with("types", texts.join(", ")).at(span)
    })
}
