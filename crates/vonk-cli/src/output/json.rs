//! JSON: an array of objects, or an object a line.

use super::{Printed, Printer, Shape, all, failed};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
use serde_json::{Map, Number, Value};
use std::io::Write;
use vonk::DataType;

/// Numbers, booleans and nested values are JSON's own; all else is text. Fields keep their order; of equal names the last wins.
pub struct Json {
    array: bool,
    rows: u64,
}

impl Json {
    /// An array of objects, or an object a line.
    pub fn new(array: bool) -> Self {
        Json { array, rows: 0 }
    }
}

impl Printer for Json {
    fn batch(&mut self, shape: &Shape<'_>, batch: &RecordBatch, out: &mut dyn Write) -> vonk::Result<()> {
        for row in 0..batch.num_rows() {
            let before = match (self.array, self.rows) {
                (true, 0) => "[\n  ",
                (true, _) => ",\n  ",
                (false, 0) => "",
                (false, _) => "\n",
            };
            out.write_all(before.as_bytes()).map_err(failed)?;
            self.rows += 1;
            let mut object = Map::new();
            for (i, f) in shape.schema.fields.iter().enumerate() {
                object.insert(f.name.to_string(), value(shape, batch.column(i), row, &f.data_type)?);
            }
            serde_json::to_writer(&mut *out, &Value::Object(object)).map_err(|e| failed(e.into()))?;
        }
        Ok(())
    }

    fn finish(&mut self, shape: &Shape<'_>, out: &mut dyn Write) -> vonk::Result<Printed> {
        let end = match (self.array, self.rows) {
            (true, 0) => "[]\n",
            (true, _) => "\n]\n",
            (false, 0) => "",
            (false, _) => "\n",
        };
        out.write_all(end.as_bytes()).map_err(failed)?;
        Ok(all(self.rows, shape))
    }
}

fn value(shape: &Shape<'_>, array: &ArrayRef, row: usize, data_type: &DataType) -> vonk::Result<Value> {
    if array.is_null(row) || *data_type == DataType::Null {
        return Ok(Value::Null);
    }
    let float = |x: f64, text: String| Number::from_f64(x).map_or(Value::String(text), Value::Number);
    Ok(match data_type {
        DataType::Boolean => array.as_boolean().value(row).into(),
        DataType::Byte => array.as_primitive::<Int8Type>().value(row).into(),
        DataType::Short => array.as_primitive::<Int16Type>().value(row).into(),
        DataType::Int => array.as_primitive::<Int32Type>().value(row).into(),
        DataType::Long => array.as_primitive::<Int64Type>().value(row).into(),
        DataType::Float => {
            let x = array.as_primitive::<Float32Type>().value(row);
            // The shortest decimal that is this float, not the double next to it.
            let text = x.to_string();
            float(text.parse().unwrap_or(f64::from(x)), text)
        }
        DataType::Double => {
            let x = array.as_primitive::<Float64Type>().value(row);
            float(x, x.to_string())
        }
        DataType::Array(element, _) => {
            let items = array.as_list::<i32>().value(row);
            let items = (0..items.len()).map(|i| value(shape, &items, i, element));
            Value::Array(items.collect::<vonk::Result<_>>()?)
        }
        DataType::Struct(s) => {
            let parts = array.as_struct();
            let mut object = Map::new();
            for (i, f) in s.fields.iter().enumerate() {
                object.insert(f.name.to_string(), value(shape, parts.column(i), row, &f.data_type)?);
            }
            Value::Object(object)
        }
        DataType::Map(k, v, _) => {
            let entries = array.as_map().value(row);
            let mut object = Map::new();
            for i in 0..entries.len() {
                let key = match value(shape, entries.column(0), i, k)? {
                    Value::String(s) => s,
                    other => other.to_string(),
                };
                object.insert(key, value(shape, entries.column(1), i, v)?);
            }
            Value::Object(object)
        }
        other => Value::String(vonk::text::hive_text(array.as_ref(), row, other, shape.eval)?),
    })
}
