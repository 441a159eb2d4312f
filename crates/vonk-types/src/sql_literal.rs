//! Constants as SQL text.

use crate::context::EvalContext;
use crate::data_type::DataType;
use crate::datetime::{format_date, format_timestamp, format_timestamp_ntz};
use crate::literal::Literal;
use crate::text::{primitive, unscaled};
use crate::{decimal, interval, number};
use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    Date32Type, DurationMicrosecondType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    IntervalMonthDayNanoType, IntervalYearMonthType, TimestampMicrosecondType,
};
use vonk_error::{Error, Result};

/// A constant as Spark writes it in SQL (`Literal.sql`): `1.5BD`, `2L`, `'x'`, `TIMESTAMP '…'`, `CAST(NULL AS INT)`.
pub fn sql_text(literal: &Literal, ctx: &EvalContext) -> String {
    text(literal, |a| array_sql(a, 0, &literal.data_type, ctx))
}

/// A constant in a generated column name: as [`sql_text`], but strings without quotes, numbers without suffixes, nulls
/// without their type.
pub fn pretty_text(literal: &Literal, ctx: &EvalContext) -> String {
    if literal.is_null() {
        return "NULL".to_string();
    }
    text(literal, |a| {
        Ok(match &literal.data_type {
            DataType::String => string(a, 0)?.to_string(),
            DataType::Byte => primitive::<Int8Type>(a, 0)?.to_string(),
            DataType::Short => primitive::<Int16Type>(a, 0)?.to_string(),
            DataType::Long => primitive::<Int64Type>(a, 0)?.to_string(),
            DataType::Float => number::format_f32(primitive::<Float32Type>(a, 0)?),
            DataType::Double => number::format_f64(primitive::<Float64Type>(a, 0)?),
            DataType::Decimal(_, s) => decimal::format_scientific(unscaled(a, 0)?, *s),
            t => array_sql(a, 0, t, ctx)?,
        })
    })
}

/// A row of an array in an error message (`QueryErrorsBase.toSQLValue`): as [`sql_text`], but nulls and binary floating
/// point numbers without a cast around them.
pub fn error_text(array: &dyn Array, row: usize, t: &DataType, ctx: &EvalContext) -> String {
    let text = || -> Result<String> {
        if array.is_null(row) {
            return Ok("NULL".to_string());
        }
        match t {
            DataType::Float => Ok(number::format_f32(primitive::<Float32Type>(array, row)?)),
            DataType::Double => {
                let v = primitive::<Float64Type>(array, row)?;
                let suffix = if v.is_finite() { "D" } else { "" };
                Ok(number::format_f64(v) + suffix)
            }
            _ => array_sql(array, row, t, ctx),
        }
    };
    text().unwrap_or_else(|e| e.message())
}

/// A string in quotes.
pub fn quote_string(s: &str) -> String {
    format!("'{}'", s.replace('\\', "\\\\").replace('\'', "\\'"))
}

fn text(literal: &Literal, f: impl Fn(&dyn Array) -> Result<String>) -> String {
    // A literal of a wrong representation is shown as its debug text rather than failing what prints it.
    literal.to_array(1).and_then(|a| f(a.as_ref())).unwrap_or_else(|_| format!("{:?}", literal.value))
}

fn string(array: &dyn Array, row: usize) -> Result<&str> {
    match array.as_string_view_opt() {
        Some(a) => Ok(a.value(row)),
        None => Err(Error::internal(format!("array of {} for a string", array.data_type()))),
    }
}

fn list<'a>(
    array: &'a dyn Array,
    row: usize,
    t: &DataType,
) -> Result<(&'a dyn Array, std::ops::Range<usize>)> {
    match array.as_list_opt::<i32>() {
        Some(l) => {
            let offsets = l.value_offsets();
            Ok((l.values().as_ref(), offsets[row] as usize..offsets[row + 1] as usize))
        }
        None => vonk_error::internal_err!("array of {} for {t}", array.data_type()),
    }
}

/// A row of an array as SQL.
fn array_sql(array: &dyn Array, row: usize, t: &DataType, ctx: &EvalContext) -> Result<String> {
    if array.is_null(row) || *t == DataType::Null {
        return Ok(match t {
            DataType::Null | DataType::Array(..) | DataType::Map(..) | DataType::Struct(_) => {
                "NULL".to_string()
            }
            t => format!("CAST(NULL AS {})", t.sql()),
        });
    }
    Ok(match t {
        DataType::Null => "NULL".to_string(),
        DataType::Boolean => match array.as_boolean_opt() {
            Some(b) => b.value(row).to_string(),
            None => return vonk_error::internal_err!("array of {} for a boolean", array.data_type()),
        },
        DataType::Byte => format!("{}Y", primitive::<Int8Type>(array, row)?),
        DataType::Short => format!("{}S", primitive::<Int16Type>(array, row)?),
        DataType::Int => primitive::<Int32Type>(array, row)?.to_string(),
        DataType::Long => format!("{}L", primitive::<Int64Type>(array, row)?),
        DataType::Float => {
            format!("CAST('{}' AS FLOAT)", number::format_f32(primitive::<Float32Type>(array, row)?))
        }
        DataType::Double => match primitive::<Float64Type>(array, row)? {
            v if v.is_finite() => format!("{}D", number::format_f64(v)),
            v => format!("CAST('{}' AS DOUBLE)", number::format_f64(v)),
        },
        DataType::Decimal(_, s) => format!("{}BD", decimal::format_scientific(unscaled(array, row)?, *s)),
        DataType::String => quote_string(string(array, row)?),
        DataType::Binary => match array.as_binary_view_opt() {
            Some(b) => {
                let hex: String = b.value(row).iter().map(|b| format!("{b:02X}")).collect();
                format!("X'{hex}'")
            }
            None => return vonk_error::internal_err!("array of {} for binary", array.data_type()),
        },
        DataType::Date => format!("DATE '{}'", format_date(primitive::<Date32Type>(array, row)?)),
        DataType::Timestamp => {
            let micros = primitive::<TimestampMicrosecondType>(array, row)?;
            format!("TIMESTAMP '{}'", format_timestamp(micros, &ctx.time_zone))
        }
        DataType::TimestampNtz => {
            let micros = primitive::<TimestampMicrosecondType>(array, row)?;
            format!("TIMESTAMP_NTZ '{}'", format_timestamp_ntz(micros))
        }
        DataType::YearMonthInterval(from, to) => {
            interval::format_year_month(primitive::<IntervalYearMonthType>(array, row)?, *from, *to)
        }
        DataType::DayTimeInterval(from, to) => {
            interval::format_day_time(primitive::<DurationMicrosecondType>(array, row)?, *from, *to)
        }
        DataType::CalendarInterval => {
            let v = primitive::<IntervalMonthDayNanoType>(array, row)?;
            format!("INTERVAL '{}'", interval::format_calendar(v.months, v.days, v.nanoseconds / 1000))
        }
        DataType::Array(e, _) => {
            let (values, range) = list(array, row, t)?;
            let parts: Result<Vec<_>> = range.map(|i| array_sql(values, i, e, ctx)).collect();
            format!("ARRAY({})", parts?.join(", "))
        }
        DataType::Map(k, v, _) => map_sql(array, row, (k, v), ctx)?,
        DataType::Struct(s) => {
            let Some(parts) = array.as_struct_opt() else {
                return vonk_error::internal_err!("array of {} for a struct", array.data_type());
            };
            let fields: Result<Vec<_>> = (s.fields.iter().zip(parts.columns()))
                .map(|(f, c)| {
                    let value = array_sql(c.as_ref(), row, &f.data_type, ctx)?;
                    Ok(format!("{}, {value}", quote_string(&f.name)))
                })
                .collect();
            format!("NAMED_STRUCT({})", fields?.join(", "))
        }
    })
}

fn map_sql(
    array: &dyn Array,
    row: usize,
    types: (&DataType, &DataType),
    ctx: &EvalContext,
) -> Result<String> {
    let Some(map) = array.as_map_opt() else {
        return vonk_error::internal_err!("array of {} for a map", array.data_type());
    };
    let range = map.value_offsets()[row] as usize..map.value_offsets()[row + 1] as usize;
    let mut parts = Vec::with_capacity(range.len() * 2);
    for i in range {
        parts.push(array_sql(map.keys().as_ref(), i, types.0, ctx)?);
        parts.push(array_sql(map.values().as_ref(), i, types.1, ctx)?);
    }
    Ok(format!("MAP({})", parts.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DataType, ScalarValue};

    fn both(l: &Literal) -> (String, String) {
        let ctx = EvalContext::default();
        (sql_text(l, &ctx), pretty_text(l, &ctx))
    }

    /// What Spark 4.3 writes in messages and column names.
    #[test]
    fn text() {
        let decimal = |v, p, s| Literal::new(ScalarValue::Decimal64(Some(v), p, s), DataType::Decimal(p, s));
        let date = Literal::new(ScalarValue::Date32(Some(18_262)), DataType::Date);
        let binary = Literal::new(ScalarValue::BinaryView(Some(vec![0xAB])), DataType::Binary);
        for (l, sql, pretty) in [
            (Literal::int(1), "1", "1"),
            (Literal::long(300), "300L", "300"),
            (Literal::double(1e10), "1.0E10D", "1.0E10"),
            (Literal::double(f64::NAN), "CAST('NaN' AS DOUBLE)", "NaN"),
            (Literal::string("it's"), "'it\\'s'", "it's"),
            (decimal(15, 2, 1), "1.5BD", "1.5"),
            (decimal(1, 8, 8), "1E-8BD", "1E-8"),
            (Literal::null(DataType::Int), "CAST(NULL AS INT)", "NULL"),
            (Literal::null(DataType::Null), "NULL", "NULL"),
            (Literal::boolean(true), "true", "true"),
            (date, "DATE '2020-01-01'", "DATE '2020-01-01'"),
            (binary, "X'AB'", "X'AB'"),
        ] {
            assert_eq!(both(&l), (sql.to_string(), pretty.to_string()));
        }
    }
}
