//! Casts to string.

use super::kernel::Caster;
use crate::data_type::DataType;
use crate::text::{CellWriter, Form};
use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray, StringViewBuilder};
use arrow::datatypes::{Int8Type, Int16Type, Int32Type, Int64Type};
use std::fmt::{Display, Write};
use std::sync::Arc;
use vonk_error::Result;

impl Caster<'_> {
    /// To strings from anything.
    pub fn write_strings(&self, array: &ArrayRef) -> Result<ArrayRef> {
        match self.from {
            DataType::Binary => self.binary_to_string(array),
            DataType::Byte => Ok(integers(self.primitive::<Int8Type>(array)?)),
            DataType::Short => Ok(integers(self.primitive::<Int16Type>(array)?)),
            DataType::Int => Ok(integers(self.primitive::<Int32Type>(array)?)),
            DataType::Long => Ok(integers(self.primitive::<Int64Type>(array)?)),
            _ => self.written(array),
        }
    }

    fn written(&self, array: &ArrayRef) -> Result<ArrayRef> {
        let ansi = self.mode != super::CastMode::Legacy;
        let ctx = crate::EvalContext { ansi, ..self.ctx.clone() };
        let writer = CellWriter::new(Form::Cast, &ctx);
        let mut out = StringViewBuilder::with_capacity(array.len());
        let mut cell = String::new();
        for i in 0..array.len() {
            if array.is_null(i) {
                out.append_null();
                continue;
            }
            cell.clear();
            writer.write(array.as_ref(), i, self.from, &mut cell)?;
            out.append_value(&cell);
        }
        Ok(Arc::new(out.finish()))
    }

    /// Bytes as they are; what is not UTF-8 becomes U+FFFD, as it does where Spark prints it.
    fn binary_to_string(&self, array: &ArrayRef) -> Result<ArrayRef> {
        let a = array.as_binary_view_opt().ok_or_else(|| self.unlike(array))?;
        if let Ok(strings) = a.clone().to_string_view() {
            return Ok(Arc::new(strings));
        }
        let mut out = StringViewBuilder::with_capacity(a.len());
        for i in 0..a.len() {
            if a.is_null(i) {
                out.append_null()
            } else {
                out.append_value(String::from_utf8_lossy(a.value(i)))
            }
        }
        Ok(Arc::new(out.finish()))
    }
}

fn integers<T: ArrowPrimitiveType>(array: &PrimitiveArray<T>) -> ArrayRef
where
    T::Native: Display,
{
    let mut out = StringViewBuilder::with_capacity(array.len());
    let mut cell = String::new();
    for i in 0..array.len() {
        if array.is_null(i) {
            out.append_null();
            continue;
        }
        cell.clear();
        let _ = write!(cell, "{}", array.value(i)); // writing to a String does not fail
        out.append_value(&cell);
    }
    Arc::new(out.finish())
}
