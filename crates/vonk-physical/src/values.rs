//! A record batch as part of a plan.

use arrow::array::RecordBatch;
use arrow::ipc::{reader::StreamReader, writer::StreamWriter};
use serde::{Deserialize, Serialize};
use std::hash::{Hash, Hasher};
use vonk_error::{Error, Result};

/// Rows of the query itself. Travels as an Arrow IPC stream.
#[derive(Debug, Clone, PartialEq)]
pub struct ValuesBatch(pub RecordBatch);

// Arrow's equality of floats is bitwise total for our purpose: two plans are shared only if their bytes are equal.
impl Eq for ValuesBatch {}
impl Hash for ValuesBatch {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.num_rows().hash(state);
        self.0.num_columns().hash(state);
    }
}

impl Serialize for ValuesBatch {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let encode = || -> Result<Vec<u8>> {
            let mut bytes = Vec::new();
            let mut w = StreamWriter::try_new(&mut bytes, &self.0.schema())?;
            w.write(&self.0)?;
            w.finish()?;
            drop(w);
            Ok(bytes)
        };
        let bytes = encode().map_err(serde::ser::Error::custom)?;
        (self.0.num_rows() as u64, bytes).serialize(s)
    }
}

impl<'de> Deserialize<'de> for ValuesBatch {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let (_, bytes) = <(u64, Vec<u8>)>::deserialize(d)?;
        let decode = || -> Result<RecordBatch> {
            let mut r = StreamReader::try_new(bytes.as_slice(), None)?;
            Ok(r.next().ok_or_else(|| Error::internal("values without a batch"))??)
        };
        decode().map(ValuesBatch).map_err(serde::de::Error::custom)
    }
}
