//! Types of the arguments of aggregate functions: what is accepted and what it is cast to.

use crate::resolve::{CallSite, Resolution};
use vonk_error::{Error, Result};
use vonk_types::DataType;

/// A resolution that returns a value that may be null.
pub(crate) fn nullable(arg_types: Vec<DataType>, return_type: DataType) -> Result<Resolution> {
    Ok(Resolution { arg_types, return_type, nullable: true })
}

/// A resolution whose value is never null.
pub(crate) fn never_null(arg_types: Vec<DataType>, return_type: DataType) -> Result<Resolution> {
    Ok(Resolution { arg_types, return_type, nullable: false })
}

/// Argument types as they are.
pub(crate) fn as_given(site: &CallSite<'_>) -> Vec<DataType> {
    site.args.iter().map(|a| a.data_type.clone()).collect()
}

/// What implicit casts make of an argument that is to be a double: numbers and strings.
pub(crate) fn double(site: &CallSite<'_>, i: usize) -> Result<DataType> {
    match site.arg_type(i) {
        t if t.is_numeric() => Ok(DataType::Double),
        DataType::String | DataType::Null => Ok(DataType::Double),
        _ => Err(site.unexpected_type(i, "\"DOUBLE\"")),
    }
}

/// Booleans, and in ANSI mode strings that are cast to them.
pub(crate) fn boolean(site: &CallSite<'_>, i: usize) -> Result<DataType> {
    match site.arg_type(i) {
        DataType::Boolean | DataType::Null => Ok(DataType::Boolean),
        DataType::String if site.ctx.ansi => Ok(DataType::Boolean),
        _ => Err(site.unexpected_type(i, "\"BOOLEAN\"")),
    }
}

/// Numbers and ANSI intervals, as `sum` and `avg` take them; strings, nulls and timestamps become doubles.
pub(crate) fn summable(site: &CallSite<'_>, i: usize) -> Result<DataType> {
    match site.arg_type(i) {
        DataType::String | DataType::Null | DataType::Timestamp => Ok(DataType::Double),
        t if t.is_numeric() || t.is_ansi_interval() => Ok(t.clone()),
        _ => Err(site.unexpected_type(i, "\"NUMERIC\" or \"ANSI INTERVAL\"")),
    }
}

/// Whether values of a type have an order: everything but maps and the legacy interval.
pub(crate) fn has_order(t: &DataType) -> bool {
    match t {
        DataType::Map(..) | DataType::CalendarInterval => false,
        DataType::Array(e, _) => has_order(e),
        DataType::Struct(s) => s.fields.iter().all(|f| has_order(&f.data_type)),
        _ => true,
    }
}

/// Spark's error unless argument `i` has an order.
pub(crate) fn ordered(site: &CallSite<'_>, i: usize) -> Result<()> {
    let t = site.arg_type(i);
    if has_order(t) {
        return Ok(());
    }
    Err(Error::new("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE")
        .with("functionName", format!("`{}`", site.called_as))
        .with("dataType", format!("\"{}\"", t.sql()))
        .at(site.span))
}

/// Spark's error for an argument that must be constant.
pub(crate) fn not_foldable(site: &CallSite<'_>, i: usize, name: &str, required: &str) -> Error {
    Error::new("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT")
        .with("inputName", format!("`{name}`"))
        .with("inputType", format!("\"{required}\""))
        .with("inputExpr", format!("\"{}\"", site.args[i].sql))
        .at(site.span)
}

/// Spark's error for a constant out of its range.
pub(crate) fn out_of_range(site: &CallSite<'_>, name: &str, range: &str, value: String) -> Error {
    Error::new("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE")
        .with("exprName", name)
        .with("valueRange", range)
        .with("currentValue", value)
        .at(site.span)
}
