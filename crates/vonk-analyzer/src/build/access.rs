//! Parts of nested values: `x[i]`, `x.f`; and structs made of values.

use crate::call::{self, CallText};
use crate::fold;
use crate::session::Session;
use crate::typed::{Typed, mismatch, quoted, quoted_type};
use vonk_error::{Error, Result, Span};
use vonk_plan::logical::Expr;
use vonk_types::data_type::quote_identifier;
use vonk_types::{DataType, Literal, ScalarValue, StructField, StructType};

/// `x[i]`: an array's element, a map's value, or a struct's field by its name.
pub(crate) fn subscript(s: &Session<'_>, x: Typed, index: Typed, span: Span) -> Result<Typed> {
    let name = match fold::value_of(s, &index.expr).map(|l| l.value) {
        Some(ScalarValue::Utf8View(Some(name)) | ScalarValue::Utf8(Some(name))) => Some(name),
        _ => None,
    };
    match (x.data_type(), name) {
        (DataType::Struct(_), Some(name)) => field(s, x, &name, span),
        (DataType::Struct(_), None) => {
            Err(Error::new("INVALID_EXTRACT_FIELD_TYPE").with("extraction", index.quoted()).at(span))
        }
        (DataType::Array(e, _), Some(name)) if matches!(*e, DataType::Struct(_)) => field(s, x, &name, span),
        (DataType::Array(..) | DataType::Map(..), _) => {
            let sql = format!("{}[{}]", x.sql, index.sql);
            call::operator(s, "_element", vec![x, index], CallText::Fixed(sql), span)
        }
        _ => Err(not_nested(&x, span)),
    }
}

fn not_nested(x: &Typed, span: Span) -> Error {
    Error::new("INVALID_EXTRACT_BASE_FIELD_TYPE")
        .with("base", x.quoted())
        .with("other", quoted_type(&x.data_type()))
        .at(span)
}

/// `x.f`: a field of a struct, of an array of structs, or a map's value.
pub(crate) fn field(s: &Session<'_>, x: Typed, name: &str, span: Span) -> Result<Typed> {
    match x.data_type() {
        DataType::Struct(t) => {
            let ordinal = find_field(s, &t, name, span)?;
            let f = &t.fields[ordinal];
            let sql = format!("{}.{}", x.sql, f.name);
            let expr = Expr::Field {
                expr: Box::new(x.expr),
                ordinal,
                name: f.name.clone(),
                data_type: f.data_type.clone(),
                nullable: f.nullable,
            };
            Ok(Typed::new(expr, sql, span))
        }
        DataType::Array(e, _) if matches!(*e, DataType::Struct(_)) => {
            let DataType::Struct(t) = e.as_ref() else { return Err(not_nested(&x, span)) };
            let ordinal = find_field(s, t, name, span)?;
            let sql = format!("{}.{}", x.sql, t.fields[ordinal].name);
            let field_name = super::literal(s, &Literal::string(t.fields[ordinal].name.as_ref()), span)?;
            let ordinal = super::literal(s, &Literal::int(ordinal as i32), span)?;
            call::operator(
                s,
                "_array_struct_fields",
                vec![x, field_name, ordinal],
                CallText::Fixed(sql),
                span,
            )
        }
        DataType::Array(..) | DataType::Map(..) => {
            let key = super::literal(s, &Literal::string(name), span)?;
            let sql = format!("{}[{}]", x.sql, key.sql);
            call::operator(s, "_element", vec![x, key], CallText::Fixed(sql), span)
        }
        _ => Err(not_nested(&x, span)),
    }
}

fn find_field(s: &Session<'_>, t: &StructType, name: &str, span: Span) -> Result<usize> {
    let mut found = t.fields.iter().enumerate().filter(|(_, f)| s.same_name(&f.name, name)).map(|(i, _)| i);
    match (found.next(), found.count()) {
        (Some(i), 0) => Ok(i),
        (Some(_), more) => Err(Error::new("AMBIGUOUS_REFERENCE_TO_FIELDS")
            .with("field", quote_identifier(name))
            .with("count", (more + 1).to_string())
            .at(span)),
        (None, _) => {
            let fields: Vec<String> = t.fields.iter().map(|f| quote_identifier(&f.name)).collect();
            Err(Error::new("FIELD_NOT_FOUND")
                .with("fieldName", quote_identifier(name))
                .with("fields", fields.join(", "))
                .at(span))
        }
    }
}

/// `(a, b)`: a struct of the parts, each with the name it has of its own (a column's, a field's or an alias), if any.
/// The text of a part with an alias ends in ` AS alias`.
pub(crate) fn row(_s: &Session<'_>, parts: Vec<(Typed, Option<String>)>, span: Span) -> Result<Typed> {
    let parts = with_names(parts);
    let texts: Vec<String> = parts.iter().map(|(t, name)| format!("{name}, {}", t.sql)).collect();
    let sql = format!("named_struct({})", texts.join(", "));
    Ok(make_struct(parts, sql, span))
}

/// `struct(a, b AS c)`, as [`row`] with another text.
pub(crate) fn struct_of(parts: Vec<(Typed, Option<String>)>, span: Span) -> Typed {
    let texts: Vec<&str> = parts.iter().map(|(t, _)| t.sql.as_str()).collect();
    let sql = format!("struct({})", texts.join(", "));
    make_struct(with_names(parts), sql, span)
}

fn with_names(parts: Vec<(Typed, Option<String>)>) -> Vec<(Typed, String)> {
    let name = |i: usize, own: Option<String>| own.unwrap_or_else(|| format!("col{}", i + 1));
    parts.into_iter().enumerate().map(|(i, (t, own))| (t, name(i, own))).collect()
}

fn make_struct(parts: Vec<(Typed, String)>, sql: String, span: Span) -> Typed {
    let fields: Vec<StructField> =
        parts.iter().map(|(t, name)| StructField::new(name.as_str(), t.data_type(), t.nullable())).collect();
    let args = parts.into_iter().map(|(t, _)| t.expr).collect();
    let data_type = DataType::Struct(StructType::new(fields));
    Typed::new(Expr::MakeStruct { args, data_type }, sql, span)
}

/// `named_struct('a', x, …)`: alternating constant names and values.
pub(crate) fn named_struct(s: &Session<'_>, args: Vec<Typed>, span: Span) -> Result<Typed> {
    let sql = format!("named_struct({})", crate::naming::list(&args));
    let mut parts = Vec::with_capacity(args.len() / 2);
    let mut wrong = false;
    for pair in args.chunks(2) {
        let name = match fold::value_of(s, &pair[0].expr).map(|l| l.value) {
            Some(ScalarValue::Utf8View(Some(name)) | ScalarValue::Utf8(Some(name))) => name,
            _ => {
                wrong = true;
                break;
            }
        };
        if let Some(value) = pair.get(1) {
            parts.push((value.clone(), name));
        }
    }
    if wrong {
        let names: Vec<String> = args.iter().step_by(2).map(|a| quoted(&a.sql)).collect();
        return Err(mismatch("DATATYPE_MISMATCH.CREATE_NAMED_STRUCT_WITHOUT_FOLDABLE_STRING", &sql, span)
            .with("inputExprs", format!("[{}]", names.join(", "))));
    }
    Ok(make_struct(parts, sql, span))
}
