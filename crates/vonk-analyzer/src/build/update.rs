//! Structs with fields put in or left out (Spark: `UpdateFields`).

use crate::session::Session;
use crate::typed::{Typed, mismatch, quoted_type};
use vonk_error::{Result, Span};
use vonk_plan::logical::Expr;
use vonk_types::{DataType, Literal, StructField, StructType};

/// The struct with each field replaced, added at its end, or left out where no value is given; null where the struct is.
pub(crate) fn update_fields(
    s: &Session<'_>,
    x: Typed,
    updates: Vec<(String, Option<Typed>)>,
    span: Span,
) -> Result<Typed> {
    let shown = |(_, value): &(String, Option<Typed>)| match value {
        Some(value) => format!(", WithField({})", value.sql),
        None => ", dropfield()".to_string(),
    };
    let sql = format!("update_fields({}{})", x.sql, updates.iter().map(shown).collect::<String>());
    let DataType::Struct(t) = x.data_type() else {
        return Err(mismatch("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", &sql, span)
            .with("paramIndex", "first")
            .with("requiredType", "\"STRUCT\"")
            .with("inputSql", x.quoted())
            .with("inputType", quoted_type(&x.data_type())));
    };
    let field = |(ordinal, f): (usize, &StructField)| {
        let (data_type, nullable) = (f.data_type.clone(), f.nullable);
        let expr = Box::new(x.expr.clone());
        (f.clone(), Expr::Field { expr, ordinal, name: f.name.clone(), data_type, nullable })
    };
    let mut fields: Vec<(StructField, Expr)> = t.fields.iter().enumerate().map(field).collect();
    for (name, value) in updates {
        let is_named = |f: &StructField| s.same_name(&f.name, &name);
        match value {
            None => fields.retain(|(f, _)| !is_named(f)),
            Some(value) => {
                let new = StructField::new(name.as_str(), value.data_type(), value.nullable());
                let mut found = false;
                for (f, e) in fields.iter_mut().filter(|(f, _)| is_named(f)) {
                    (*f, *e) = (new.clone(), value.expr.clone());
                    found = true;
                }
                if !found {
                    fields.push((new, value.expr));
                }
            }
        }
    }
    if fields.is_empty() {
        return Err(mismatch("DATATYPE_MISMATCH.CANNOT_DROP_ALL_FIELDS", &sql, span));
    }
    let (fields, args): (Vec<StructField>, Vec<Expr>) = fields.into_iter().unzip();
    let data_type = DataType::Struct(StructType::new(fields));
    let made = Expr::MakeStruct { args, data_type: data_type.clone() };
    if !x.nullable() {
        return Ok(Typed::new(made, sql, span));
    }
    let null = Expr::Literal(Literal::null(data_type.clone()));
    let branches = vec![(Expr::IsNull(Box::new(x.expr)), null)];
    Ok(Typed::new(Expr::Case { branches, otherwise: Some(Box::new(made)), data_type }, sql, span))
}
