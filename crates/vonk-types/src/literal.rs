//! Constant values with their Spark type, serialisable.

use crate::data_type::DataType;
use arrow::array::{ArrayRef, RecordBatch, new_null_array};
use arrow::ipc::{reader::StreamReader, writer::StreamWriter};
use datafusion_common::ScalarValue;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use vonk_error::{Error, Result};

/// A constant: a value in the Arrow type of its Spark type (interval fields, for one, are not in Arrow's).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Literal {
    /// The value; its Arrow type is `data_type.to_arrow()`.
    pub value: ScalarValue,
    /// Spark's type.
    pub data_type: DataType,
}

impl Literal {
    /// A literal. The value's Arrow type must be the type's.
    pub fn new(value: ScalarValue, data_type: DataType) -> Self {
        debug_assert_eq!(value.data_type(), data_type.to_arrow());
        Literal { value, data_type }
    }

    /// A typed null.
    pub fn null(data_type: DataType) -> Self {
        // Every Arrow type of ours has a null scalar; should one not, the untyped null is still a null.
        let value = ScalarValue::try_from(&data_type.to_arrow()).unwrap_or(ScalarValue::Null);
        Literal { value, data_type }
    }

    /// `true` or `false`.
    pub fn boolean(b: bool) -> Self {
        Literal { value: ScalarValue::Boolean(Some(b)), data_type: DataType::Boolean }
    }

    /// An int.
    pub fn int(i: i32) -> Self {
        Literal { value: ScalarValue::Int32(Some(i)), data_type: DataType::Int }
    }

    /// A bigint.
    pub fn long(i: i64) -> Self {
        Literal { value: ScalarValue::Int64(Some(i)), data_type: DataType::Long }
    }

    /// A double.
    pub fn double(d: f64) -> Self {
        Literal { value: ScalarValue::Float64(Some(d)), data_type: DataType::Double }
    }

    /// A string.
    pub fn string(s: impl Into<String>) -> Self {
        Literal { value: ScalarValue::Utf8View(Some(s.into())), data_type: DataType::String }
    }

    /// Row 0 of an array as a literal of this type.
    pub fn from_array(array: &ArrayRef, row: usize, data_type: DataType) -> Result<Self> {
        let value = ScalarValue::try_from_array(array, row).map_err(|e| Error::internal(e.to_string()))?;
        Ok(Literal { value, data_type })
    }

    /// Whether the value is null.
    pub fn is_null(&self) -> bool {
        self.value.is_null()
    }

    /// `Some(b)` for a boolean that is not null.
    pub fn as_bool(&self) -> Option<bool> {
        match self.value {
            ScalarValue::Boolean(b) => b,
            _ => None,
        }
    }

    /// As an array of `n` equal rows.
    pub fn to_array(&self, n: usize) -> Result<ArrayRef> {
        if self.is_null() {
            return Ok(new_null_array(&self.data_type.to_arrow(), n));
        }
        self.value.to_array_of_size(n).map_err(|e| Error::internal(e.to_string()))
    }
}

/// Wire form: the type, and the value as a one-row Arrow IPC stream.
#[derive(Serialize, Deserialize)]
struct Wire {
    data_type: DataType,
    ipc: Vec<u8>,
}

impl Serialize for Literal {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let encode = || -> Result<Vec<u8>> {
            let batch = RecordBatch::try_from_iter_with_nullable([("v", self.to_array(1)?, true)])?;
            let mut ipc = Vec::new();
            let mut w = StreamWriter::try_new(&mut ipc, &batch.schema())?;
            w.write(&batch)?;
            w.finish()?;
            drop(w);
            Ok(ipc)
        };
        let ipc = encode().map_err(serde::ser::Error::custom)?;
        Wire { data_type: self.data_type.clone(), ipc }.serialize(s)
    }
}

impl<'de> Deserialize<'de> for Literal {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(d)?;
        let decode = || -> Result<Literal> {
            let batch = StreamReader::try_new(wire.ipc.as_slice(), None)?
                .next()
                .ok_or_else(|| Error::internal("literal without a row"))??;
            Literal::from_array(&Arc::clone(batch.column(0)), 0, wire.data_type.clone())
        };
        decode().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_travel() {
        for l in [
            Literal::int(7),
            Literal::string("héllo"),
            Literal::null(DataType::array(DataType::Decimal(20, 2), true)),
            Literal::new(ScalarValue::Decimal64(Some(125), 5, 2), DataType::Decimal(5, 2)),
        ] {
            let bytes = serde_json::to_vec(&l).unwrap();
            assert_eq!(serde_json::from_slice::<Literal>(&bytes).unwrap(), l);
        }
    }
}
