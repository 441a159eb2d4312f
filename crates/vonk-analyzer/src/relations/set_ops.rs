//! UNION, INTERSECT and EXCEPT.
//!
//! Types are widened pair by pair, as the operators are written; a chain of UNION ALL becomes one operator all the same.

use crate::analyzer::Binder;
use crate::coerce;
use crate::env::Env;
use crate::relation::Relation;
use crate::scope::{Field, Scope};
use crate::select::refuse_maps;
use crate::typed::{Typed, quoted_type};
use std::sync::Arc;
use vonk_error::{Error, Result, Span};
use vonk_plan::logical::{Column, Expr, LogicalPlan, Named, SetOperation};
use vonk_plan::unresolved::{Name, Plan, SetOpKind};
use vonk_types::DataType;
use vonk_types::data_type::quote_identifier;

pub(crate) fn set_op(b: &Binder<'_>, plan: &Plan, env: &Env<'_>) -> Result<Relation> {
    let Plan::SetOp { kind, all, by_name, left, right, span } = plan else {
        return vonk_error::internal_err!("not a set operation");
    };
    let span = env.span(*span);
    if (*kind, *all, *by_name) == (SetOpKind::Union, true, false) {
        let mut inputs = Vec::new();
        union_chain(b, plan, env, &mut inputs)?;
        return union_all(b, inputs, span);
    }
    let l = b.relation(left, env)?.exact();
    let r = b.relation(right, env)?.exact();
    combined(b, (*kind, *all, *by_name), l, r, span)
}

/// A set operation of resolved inputs: kind, ALL, BY NAME.
pub(crate) fn combined(
    b: &Binder<'_>,
    (kind, all, by_name): (SetOpKind, bool, bool),
    l: Relation,
    r: Relation,
    span: Span,
) -> Result<Relation> {
    let (l, r) = if by_name { by_names(b, l, r, span)? } else { (l, r) };
    let operator = operator(kind, all);
    if !(kind == SetOpKind::Union && all) {
        refuse_maps(&l.columns())?;
    }
    let (l, r) = widened(b, l, r, operator, span)?;
    match kind {
        SetOpKind::Union => {
            let r = union(b, vec![l, r]);
            Ok(if all { r } else { r.map(|input| LogicalPlan::Distinct { input }) })
        }
        SetOpKind::Intersect | SetOpKind::Except => {
            let operation =
                if kind == SetOpKind::Intersect { SetOperation::Intersect } else { SetOperation::Except };
            let columns = merged_columns(b, &l, &r, operation == SetOperation::Intersect);
            let scope = scope_like(&l, &columns);
            let plan = LogicalPlan::SetOperation { operation, all, columns, left: l.plan, right: r.plan };
            Ok(Relation { plan: Arc::new(plan), scope })
        }
    }
}

fn operator(kind: SetOpKind, all: bool) -> &'static str {
    match (kind, all) {
        (SetOpKind::Union, _) => "UNION",
        (SetOpKind::Intersect, false) => "INTERSECT",
        (SetOpKind::Intersect, true) => "INTERSECT ALL",
        (SetOpKind::Except, false) => "EXCEPT",
        (SetOpKind::Except, true) => "EXCEPT ALL",
    }
}

/// The inputs of `a UNION ALL b UNION ALL c`, which leans to the left.
fn union_chain(b: &Binder<'_>, plan: &Plan, env: &Env<'_>, out: &mut Vec<Relation>) -> Result<()> {
    let mut rights = Vec::new();
    let mut first = plan;
    while let Plan::SetOp { kind: SetOpKind::Union, all: true, by_name: false, left, right, .. } = first {
        rights.push(right.as_ref());
        first = left;
    }
    out.push(b.relation(first, env)?.exact());
    for r in rights.into_iter().rev() {
        out.push(b.relation(r, env)?.exact());
    }
    Ok(())
}

/// UNION ALL of several relations.
pub(crate) fn union_all(b: &Binder<'_>, inputs: Vec<Relation>, span: Span) -> Result<Relation> {
    let mut inputs = inputs.into_iter();
    let Some(first) = inputs.next() else { return vonk_error::internal_err!("a union of nothing") };
    let mut parts = vec![Part::of(&first)];
    let mut relations = vec![first];
    for r in inputs {
        let part = Part::of(&r);
        let before = parts[0].types();
        let types = common_types(b, &before, &part.types(), "UNION", span)?;
        parts.push(part);
        relations.push(r);
        // The inputs before have these types already, unless this one widened them.
        let from = if types == before { parts.len() - 1 } else { 0 };
        parts[from..].iter_mut().for_each(|p| p.cast(b, &types));
    }
    if relations.len() == 1 {
        return relations.pop().ok_or_else(|| Error::internal("a union of nothing"));
    }
    let relations = relations.into_iter().zip(parts).map(|(r, p)| p.applied(b, r)).collect();
    Ok(union(b, relations))
}

/// The columns of an input on their way to the union's types.
struct Part {
    exprs: Vec<Typed>,
}

impl Part {
    fn of(r: &Relation) -> Part {
        Part { exprs: r.scope.columns().map(|c| Typed::column(c, Span::NONE)).collect() }
    }

    fn types(&self) -> Vec<DataType> {
        self.exprs.iter().map(Typed::data_type).collect()
    }

    fn cast(&mut self, b: &Binder<'_>, types: &[DataType]) {
        for (e, t) in self.exprs.iter_mut().zip(types) {
            let placeholder = Typed::new(Expr::boolean(true), "", Span::NONE);
            let taken = std::mem::replace(e, placeholder);
            *e = coerce::implicit_cast(&b.session, taken, t);
        }
    }

    fn applied(self, b: &Binder<'_>, r: Relation) -> Relation {
        if self.exprs.iter().all(|t| matches!(t.expr, Expr::Column(_))) {
            return r;
        }
        let mut fields = Vec::with_capacity(self.exprs.len());
        let mut exprs = Vec::with_capacity(self.exprs.len());
        for (t, f) in self.exprs.into_iter().zip(&r.scope.fields) {
            match t.expr {
                Expr::Column(_) => {
                    exprs.push(Named::pass(&f.column));
                    fields.push(f.clone());
                }
                expr => {
                    let column = b.ids.column(f.column.name.clone(), expr.data_type(), expr.nullable());
                    exprs.push(Named { expr, column: column.clone() });
                    fields.push(Field { identity: column.id, column, qualifier: f.qualifier.clone() });
                }
            }
        }
        Relation::new(LogicalPlan::Project { exprs, input: r.plan }, Scope::new(fields))
    }
}

fn widened(
    b: &Binder<'_>,
    l: Relation,
    r: Relation,
    operator: &str,
    span: Span,
) -> Result<(Relation, Relation)> {
    let (mut lp, mut rp) = (Part::of(&l), Part::of(&r));
    let types = common_types(b, &lp.types(), &rp.types(), operator, span)?;
    lp.cast(b, &types);
    rp.cast(b, &types);
    Ok((lp.applied(b, l), rp.applied(b, r)))
}

fn ordinal(i: usize) -> String {
    const NAMES: [&str; 10] =
        ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"];
    NAMES.get(i).map_or_else(|| format!("{}th", i + 1), |n| (*n).to_string())
}

fn common_types(
    b: &Binder<'_>,
    left: &[DataType],
    right: &[DataType],
    operator: &str,
    span: Span,
) -> Result<Vec<DataType>> {
    if left.len() != right.len() {
        return Err(Error::new("NUM_COLUMNS_MISMATCH")
            .with("operator", operator)
            .with("firstNumColumns", left.len().to_string())
            .with("invalidOrdinalNum", "second")
            .with("invalidNumColumns", right.len().to_string())
            .at(span));
    }
    let types = coerce::set_operation_types(&b.session, &[left.to_vec(), right.to_vec()]);
    let mut out = Vec::with_capacity(types.len());
    for (i, t) in types.into_iter().enumerate() {
        // Structs that differ in the names of fields alone take those of the first input.
        let by_place = || {
            let same = operator == "UNION" && left[i].same_type(&right[i], false);
            same.then(|| wider_nullability(&left[i], &right[i]))
        };
        let t = t.or_else(by_place).ok_or_else(|| {
            Error::new("INCOMPATIBLE_COLUMN_TYPE")
                .with("operator", operator)
                .with("columnOrdinalNumber", ordinal(i))
                .with("tableOrdinalNumber", "second")
                .with("dataType1", quoted_type(&right[i]))
                .with("dataType2", quoted_type(&left[i]))
                .with("hint", "")
                .at(span)
        })?;
        out.push(t);
    }
    Ok(out)
}

/// The union's columns: the names of the first input, nullable if any input's column is.
fn union(b: &Binder<'_>, inputs: Vec<Relation>) -> Relation {
    let first = &inputs[0];
    let mut columns: Vec<Column> = first.columns();
    for c in &mut columns {
        c.id = b.ids.fresh();
    }
    for r in &inputs[1..] {
        for (c, other) in columns.iter_mut().zip(r.scope.columns()) {
            c.nullable |= other.nullable;
            c.data_type = wider_nullability(&c.data_type, &other.data_type);
        }
    }
    let scope = scope_like(first, &columns);
    let inputs = inputs.into_iter().map(|r| r.plan).collect();
    Relation { plan: Arc::new(LogicalPlan::Union { columns, inputs }), scope }
}

/// Equal types that may differ in what can be null within: the one that allows more.
fn wider_nullability(a: &DataType, b: &DataType) -> DataType {
    use vonk_types::{StructField, StructType};
    match (a, b) {
        (DataType::Array(x, n), DataType::Array(y, m)) => DataType::array(wider_nullability(x, y), *n || *m),
        (DataType::Map(k, v, n), DataType::Map(l, w, m)) => {
            DataType::map(wider_nullability(k, l), wider_nullability(v, w), *n || *m)
        }
        (DataType::Struct(s), DataType::Struct(t)) if s.fields.len() == t.fields.len() => {
            let fields = s.fields.iter().zip(t.fields.iter()).map(|(f, g)| {
                let t = wider_nullability(&f.data_type, &g.data_type);
                StructField::new(f.name.clone(), t, f.nullable || g.nullable)
            });
            DataType::Struct(StructType::new(fields.collect::<Vec<_>>()))
        }
        _ => a.clone(),
    }
}

fn merged_columns(b: &Binder<'_>, l: &Relation, r: &Relation, both: bool) -> Vec<Column> {
    let pairs = l.scope.columns().zip(r.scope.columns());
    pairs
        .map(|(x, y)| {
            let nullable = if both { x.nullable && y.nullable } else { x.nullable };
            b.ids.column(x.name.clone(), x.data_type.clone(), nullable)
        })
        .collect()
}

fn scope_like(first: &Relation, columns: &[Column]) -> Scope {
    let fields = first.scope.fields.iter().zip(columns);
    Scope::new(fields.map(|(f, c)| Field::qualified(c.clone(), f.qualifier.clone())).collect())
}

/// UNION BY NAME: the right input's columns in the order of the left's.
fn by_names(b: &Binder<'_>, l: Relation, r: Relation, span: Span) -> Result<(Relation, Relation)> {
    let s = &b.session;
    for side in [&l, &r] {
        let fields = &side.scope.fields;
        for (i, f) in fields.iter().enumerate() {
            if fields[..i].iter().any(|g| s.same_name(&g.column.name, &f.column.name)) {
                return Err(Error::new("COLUMN_ALREADY_EXISTS")
                    .with("columnName", quote_identifier(&f.column.name.to_lowercase()))
                    .at(span));
            }
        }
    }
    let mut fields = Vec::with_capacity(r.scope.fields.len());
    for f in &l.scope.fields {
        let found = r.scope.fields.iter().find(|g| s.same_name(&g.column.name, &f.column.name));
        let Some(g) = found else {
            let name = Name { parts: vec![f.column.name.to_string()], span };
            return Err(r.scope.unresolved(&name));
        };
        fields.push(g.clone());
    }
    let count = fields.len();
    fields.extend(
        r.scope
            .fields
            .iter()
            .filter(|g| !fields[..count].iter().any(|f| f.column == g.column))
            .cloned()
            .collect::<Vec<_>>(),
    );
    let exprs = fields.iter().map(|f| Named::pass(&f.column)).collect();
    let right = Relation::new(LogicalPlan::Project { exprs, input: r.plan }, Scope::new(fields));
    Ok((l, right))
}
