//! Values of parameters as clients send them: a batch whose columns are the parameters and whose rows are executions.
//!
//! A value is brought into the type that the statement wants where that is exact (drivers send what their language has: Python's integers are
//! 64 bits wide, `LIMIT ?` takes 32), and used as it is otherwise, so that `int_column > 1.5` stays what it says.
//!
//! Must not know: the protocol.

use arrow::array::{Array, ArrayRef, AsArray, IntervalYearMonthArray, RecordBatch, UnionArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType as ArrowType, IntervalMonthDayNanoType};
use std::sync::Arc;
use vonk::{DataType, Literal, Parameters, Prepared, PreparedParameter};
use vonk_error::{Error, Result};

/// The parameters of each row of a batch.
pub fn of_batch(batch: &RecordBatch, prepared: &Prepared) -> Result<Vec<Parameters>> {
    let wanted = &prepared.parameters;
    let named = wanted.iter().any(|p| p.name.is_some());
    if !wanted.is_empty() && batch.num_columns() != wanted.len() {
        return Err(Error::new("_INVALID_REQUEST").with(
            "cause",
            format!("the statement has {} parameters, but {} were given", wanted.len(), batch.num_columns()),
        ));
    }
    let schema = batch.schema();
    let mut rows = vec![Parameters::default(); batch.num_rows()];
    for (i, column) in batch.columns().iter().enumerate() {
        let name = schema.field(i).name();
        let slot = slot(wanted, name, i);
        for (row, parameters) in rows.iter_mut().enumerate() {
            let value = value(column, row, slot.and_then(|s| s.data_type.as_ref()))?;
            match (named, slot.and_then(|s| s.name.clone())) {
                (true, Some(name)) => drop(parameters.named.insert(name, value)),
                (true, None) => drop(parameters.named.insert(bare(name).to_string(), value)),
                (false, _) => parameters.positional.push(value),
            }
        }
    }
    Ok(rows)
}

/// Which parameter a column is the value of: that of its name, else that of its place.
fn slot<'p>(wanted: &'p [PreparedParameter], name: &str, place: usize) -> Option<&'p PreparedParameter> {
    let by_name = wanted.iter().find(|p| p.name.as_deref() == Some(bare(name)));
    by_name.or_else(|| wanted.get(place))
}

/// Drivers name columns as the marker or as the name.
fn bare(name: &str) -> &str {
    name.trim_start_matches([':', '$', '@'])
}

/// One value, in the wanted type where that is exact.
fn value(column: &ArrayRef, row: usize, wanted: Option<&DataType>) -> Result<Literal> {
    let one = column.slice(row, 1);
    if let Some(union) = one.as_any().downcast_ref::<UnionArray>() {
        // Drivers that do not know a parameter's type send a union of all; the value is in one of its children.
        return value(&union.value(0), 0, wanted);
    }
    let Some(given) = DataType::from_arrow(one.data_type()) else {
        return Err(Error::unsupported(format!("parameters of the Arrow type {}", one.data_type())));
    };
    if one.is_null(0) {
        return Ok(Literal::null(wanted.cloned().unwrap_or(given)));
    }
    if let Some(wanted) = wanted.filter(|w| **w != given)
        && let Some(exact) = exactly(&one, &given, wanted)
    {
        return Literal::from_array(&exact, 0, wanted.clone());
    }
    Literal::from_array(&converted(&one, &given.to_arrow())?, 0, given)
}

fn converted(one: &ArrayRef, to: &ArrowType) -> Result<ArrayRef> {
    Ok(cast_with_options(one, to, &CastOptions { safe: false, ..CastOptions::default() })?)
}

/// The value in another type, if it is the same value there.
fn exactly(one: &ArrayRef, given: &DataType, wanted: &DataType) -> Option<ArrayRef> {
    if let (DataType::CalendarInterval, DataType::YearMonthInterval(..)) = (given, wanted) {
        // Clients see months as part of such an interval, and send them as such.
        let given = one.as_primitive_opt::<IntervalMonthDayNanoType>()?.value(0);
        let months = (given.days, given.nanoseconds) == (0, 0);
        return months.then(|| Arc::new(IntervalYearMonthArray::from(vec![given.months])) as ArrayRef);
    }
    let comparable = (given.is_numeric() && wanted.is_numeric())
        || matches!(
            (given, wanted),
            (DataType::TimestampNtz, DataType::Date) | (DataType::Date, DataType::TimestampNtz)
        );
    if !comparable {
        return None;
    }
    let there = converted(one, &wanted.to_arrow()).ok()?;
    let back = converted(&there, one.data_type()).ok()?;
    (!there.is_null(0) && back.to_data() == one.to_data()).then_some(there)
}
