//! Values as text: as results are printed (Spark's `HiveResult`), and as a cast to string makes them.
//!
//! | | result | cast to string |
//! | --- | --- | --- |
//! | array, map, struct | `[1,null]` `{"k":1}` `{"a":1}` | `[1, null]` `{k -> 1}` `{1}` |
//! | interval '1-2' year to month | `1-2` | `INTERVAL '1-2' YEAR TO MONTH` |
//! | decimal | plain | plain with ANSI, else scientific where it is shorter |

use crate::context::EvalContext;
use crate::data_type::{DataType, StructType};
use crate::datetime::{
    Zone, write_date, write_date_hive, write_timestamp, write_timestamp_hive, write_timestamp_ntz,
};
use crate::{decimal, interval, number};
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{
    ArrowPrimitiveType, Date32Type, Decimal64Type, Decimal128Type, DurationMicrosecondType, Float32Type,
    Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, IntervalMonthDayNanoType, IntervalYearMonthType,
    TimestampMicrosecondType,
};
use std::fmt::Write;
use vonk_error::{Error, Result};

/// Which text is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A result as spark-sql prints it.
    Hive,
    /// A cast to string.
    Cast,
    /// A cell of `DataFrame.show` (Spark: `ToPrettyString`): as a cast, but nulls are `NULL` and binaries are bytes in hexadecimal.
    Show,
}

/// Writes cells as text.
pub struct CellWriter {
    form: Form,
    zone: Zone,
    plain_decimals: bool,
}

/// The value of a row of a primitive array.
pub(crate) fn primitive<T: ArrowPrimitiveType>(array: &dyn Array, row: usize) -> Result<T::Native> {
    match array.as_primitive_opt::<T>() {
        Some(a) => Ok(a.value(row)),
        None => Err(Error::internal(format!(
            "array of {} where {} was expected",
            array.data_type(),
            T::DATA_TYPE
        ))),
    }
}

/// The unscaled value of a row of a decimal array.
pub(crate) fn unscaled(array: &dyn Array, row: usize) -> Result<i128> {
    match array.as_primitive_opt::<Decimal64Type>() {
        Some(a) => Ok(a.value(row) as i128),
        None => primitive::<Decimal128Type>(array, row),
    }
}

fn unlike(array: &dyn Array, t: &DataType) -> Error {
    Error::internal(format!("array of {} for type {t}", array.data_type()))
}

impl CellWriter {
    /// A writer of this form.
    pub fn new(form: Form, ctx: &EvalContext) -> Self {
        CellWriter { form, zone: Zone::of(&ctx.time_zone), plain_decimals: form != Form::Cast || ctx.ansi }
    }

    /// Appends a part of a nested value (`null` for nulls, strings of results in quotes).
    fn write_nested(&self, array: &dyn Array, row: usize, t: &DataType, out: &mut String) -> Result<()> {
        if array.is_null(row) || *t == DataType::Null {
            out.push_str(if self.form == Form::Show { "NULL" } else { "null" });
            return Ok(());
        }
        let quoted = *t == DataType::String && self.form == Form::Hive;
        if quoted {
            out.push('"');
        }
        self.write(array, row, t, out)?;
        if quoted {
            out.push('"');
        }
        Ok(())
    }

    /// Appends a cell that is not null.
    pub fn write(&self, array: &dyn Array, row: usize, t: &DataType, out: &mut String) -> Result<()> {
        match t {
            DataType::Null => out.push_str("null"),
            DataType::Boolean => match array.as_boolean_opt() {
                Some(a) => out.push_str(if a.value(row) { "true" } else { "false" }),
                None => return Err(unlike(array, t)),
            },
            DataType::Byte => drop(write!(out, "{}", primitive::<Int8Type>(array, row)?)),
            DataType::Short => drop(write!(out, "{}", primitive::<Int16Type>(array, row)?)),
            DataType::Int => drop(write!(out, "{}", primitive::<Int32Type>(array, row)?)),
            DataType::Long => drop(write!(out, "{}", primitive::<Int64Type>(array, row)?)),
            DataType::Float => number::write_f32(primitive::<Float32Type>(array, row)?, out),
            DataType::Double => number::write_f64(primitive::<Float64Type>(array, row)?, out),
            DataType::Decimal(_, s) => {
                let value = unscaled(array, row)?;
                match self.plain_decimals {
                    true => decimal::write(value, *s, out),
                    false => out.push_str(&decimal::format_scientific(value, *s)),
                }
            }
            DataType::String => match array.as_string_view_opt() {
                Some(a) => out.push_str(a.value(row)),
                None => return Err(unlike(array, t)),
            },
            DataType::Binary => match array.as_binary_view_opt() {
                Some(a) if self.form == Form::Show => write_bytes(a.value(row), out),
                Some(a) => out.push_str(&String::from_utf8_lossy(a.value(row))),
                None => return Err(unlike(array, t)),
            },
            DataType::Date => {
                let days = primitive::<Date32Type>(array, row)?;
                match self.form {
                    Form::Hive => write_date_hive(days, out),
                    Form::Cast | Form::Show => write_date(days, out),
                }
            }
            DataType::Timestamp => {
                let micros = primitive::<TimestampMicrosecondType>(array, row)?;
                match self.form {
                    Form::Hive => write_timestamp_hive(micros, &self.zone, out),
                    Form::Cast | Form::Show => write_timestamp(micros, &self.zone, out),
                }
            }
            DataType::TimestampNtz => {
                write_timestamp_ntz(primitive::<TimestampMicrosecondType>(array, row)?, out)
            }
            DataType::YearMonthInterval(from, to) => {
                let months = primitive::<IntervalYearMonthType>(array, row)?;
                match self.form {
                    Form::Hive => interval::write_year_month_hive(months, out),
                    Form::Cast | Form::Show => interval::write_year_month(months, *from, *to, out),
                }
            }
            DataType::DayTimeInterval(from, to) => {
                let micros = primitive::<DurationMicrosecondType>(array, row)?;
                match self.form {
                    Form::Hive => interval::write_day_time_hive(micros, out),
                    Form::Cast | Form::Show => interval::write_day_time(micros, *from, *to, out),
                }
            }
            DataType::CalendarInterval => {
                let v = primitive::<IntervalMonthDayNanoType>(array, row)?;
                interval::write_calendar(v.months, v.days, v.nanoseconds / 1000, out);
            }
            DataType::Array(e, _) => self.write_array(array, row, e, out)?,
            DataType::Map(k, v, _) => self.write_map(array, row, k, v, out)?,
            DataType::Struct(s) => self.write_struct(array, row, s, out)?,
        }
        Ok(())
    }

    fn write_array(&self, array: &dyn Array, row: usize, e: &DataType, out: &mut String) -> Result<()> {
        let Some(list) = array.as_list_opt::<i32>() else {
            return vonk_error::internal_err!("array of {} for a list of {e}", array.data_type());
        };
        let range = list.value_offsets()[row] as usize..list.value_offsets()[row + 1] as usize;
        out.push('[');
        for (n, i) in range.enumerate() {
            if n > 0 {
                out.push_str(if self.form == Form::Hive { "," } else { ", " });
            }
            self.write_nested(list.values().as_ref(), i, e, out)?;
        }
        out.push(']');
        Ok(())
    }

    fn write_map(
        &self,
        array: &dyn Array,
        row: usize,
        k: &DataType,
        v: &DataType,
        out: &mut String,
    ) -> Result<()> {
        let Some(map) = array.as_map_opt() else {
            return vonk_error::internal_err!("array of {} for a map", array.data_type());
        };
        let range = map.value_offsets()[row] as usize..map.value_offsets()[row + 1] as usize;
        let mut entries = Vec::with_capacity(range.len());
        for i in range {
            let mut entry = String::new();
            self.write_nested(map.keys().as_ref(), i, k, &mut entry)?;
            entry.push_str(if self.form == Form::Hive { ":" } else { " -> " });
            self.write_nested(map.values().as_ref(), i, v, &mut entry)?;
            entries.push(entry);
        }
        if self.form == Form::Hive {
            // Results show entries in the order of their text (UTF-16, as Java compares).
            entries.sort_by(|a, b| a.encode_utf16().cmp(b.encode_utf16()));
        }
        out.push('{');
        out.push_str(&entries.join(if self.form == Form::Hive { "," } else { ", " }));
        out.push('}');
        Ok(())
    }

    fn write_struct(&self, array: &dyn Array, row: usize, s: &StructType, out: &mut String) -> Result<()> {
        let Some(parts) = array.as_struct_opt() else {
            return vonk_error::internal_err!("array of {} for a struct", array.data_type());
        };
        out.push('{');
        for (n, (field, column)) in s.fields.iter().zip(parts.columns()).enumerate() {
            if n > 0 {
                out.push_str(if self.form == Form::Hive { "," } else { ", " });
            }
            if self.form == Form::Hive {
                out.push('"');
                out.push_str(&field.name);
                out.push_str("\":");
            }
            self.write_nested(column.as_ref(), row, &field.data_type, out)?;
        }
        out.push('}');
        Ok(())
    }
}

/// Bytes as `[61 62]`.
fn write_bytes(bytes: &[u8], out: &mut String) {
    out.push('[');
    for (n, byte) in bytes.iter().enumerate() {
        let _ = write!(out, "{}{byte:02X}", if n > 0 { " " } else { "" });
    }
    out.push(']');
}

/// A cell as spark-sql prints it: `NULL` for a null, nested values as `[1,2]` and `{"a":1}`.
pub fn hive_text(array: &dyn Array, row: usize, t: &DataType, ctx: &EvalContext) -> Result<String> {
    let mut out = String::new();
    write_hive(&CellWriter::new(Form::Hive, ctx), array, row, t, &mut out)?;
    Ok(out)
}

fn write_hive(w: &CellWriter, array: &dyn Array, row: usize, t: &DataType, out: &mut String) -> Result<()> {
    if array.is_null(row) || *t == DataType::Null {
        out.push_str("NULL");
        return Ok(());
    }
    w.write(array, row, t, out)
}

/// Formats rows of results: columns joined by tabs.
pub struct TextFormatter {
    types: Vec<DataType>,
    writer: CellWriter,
}

impl TextFormatter {
    /// For rows of this type.
    pub fn new(schema: &StructType, ctx: &EvalContext) -> Self {
        TextFormatter {
            types: schema.fields.iter().map(|f| f.data_type.clone()).collect(),
            writer: CellWriter::new(Form::Hive, ctx),
        }
    }

    /// Appends a row.
    pub fn row(&self, batch: &RecordBatch, row: usize, out: &mut String) -> Result<()> {
        for (n, (t, column)) in self.types.iter().zip(batch.columns()).enumerate() {
            if n > 0 {
                out.push('\t');
            }
            write_hive(&self.writer, column.as_ref(), row, t, out)?;
        }
        Ok(())
    }

    /// Appends a single cell.
    pub fn cell(&self, batch: &RecordBatch, column: usize, row: usize, out: &mut String) -> Result<()> {
        match (self.types.get(column), batch.columns().get(column)) {
            (Some(t), Some(array)) => write_hive(&self.writer, array.as_ref(), row, t, out),
            _ => vonk_error::internal_err!("column {column} of {}", self.types.len()),
        }
    }
}

/// All rows of a batch as text.
pub fn columns_to_text(batch: &RecordBatch, schema: &StructType, ctx: &EvalContext) -> Result<Vec<String>> {
    let formatter = TextFormatter::new(schema, ctx);
    (0..batch.num_rows())
        .map(|row| {
            let mut out = String::new();
            formatter.row(batch, row, &mut out)?;
            Ok(out)
        })
        .collect()
}
