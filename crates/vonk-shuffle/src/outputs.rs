//! Committed map outputs, in memory or in files: as batches for the tasks of this process, as messages for those of others.
//!
//! Must not know: how messages travel.

use crate::local::{MapOutput, Stored};
use crate::map_file::{Damage, MapFile};
use crate::message::{Compression, Encoder, Message, decode, encode_schema};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::Arc;
use vonk_error::Result;

/// Bytes of a file that a task reads at once.
const READ_BYTES: u64 = 4 << 20;
/// Batches in memory are compressed for the network from this size on.
const COMPRESS_FROM: u64 = 64 << 10;

/// Names a map output among all applications.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct OutputKey {
    pub application: Arc<str>,
    pub executor: u64,
    pub shuffle: u64,
    pub map: u32,
}

/// The outputs that a server hands out.
pub(crate) trait OutputSource: Send + Sync + 'static {
    /// Finds a committed output.
    fn find(&self, key: &OutputKey) -> Result<Output, Damage>;
    /// Forgets an output that was found corrupt, so that the map task that runs again can commit another. `found`: the output, if
    /// it could be opened; one that was committed in its place since stays.
    fn discard(&self, key: &OutputKey, found: Option<&Output>);
    /// Deletes what belongs to an application, or to one shuffle of it.
    fn release(&self, application: &str, shuffle: Option<u64>) -> Result<()>;
}

/// A committed map output.
#[derive(Clone)]
pub(crate) enum Output {
    Memory(Arc<MapOutput>),
    File(Arc<MapFile>),
}

impl Output {
    /// The attempt that made it.
    pub fn attempt(&self) -> u32 {
        match self {
            Output::Memory(m) => m.attempt,
            Output::File(f) => f.index.attempt,
        }
    }

    /// Reduce partitions.
    pub fn partitions(&self) -> u32 {
        match self {
            Output::Memory(m) => m.partitions(),
            Output::File(f) => f.index.partitions(),
        }
    }

    /// Messages of a partition from the `from`th on, each with the message of its schema: none at the end, else at least one, and
    /// more while they take no more than `max_bytes`.
    pub fn messages(
        &self,
        reduce: u32,
        from: u32,
        max_bytes: u64,
        encoder: &mut NetworkEncoder,
    ) -> Result<Vec<(Bytes, Message)>, Damage> {
        let memory = match self {
            Output::Memory(memory) => memory,
            Output::File(file) => {
                let messages = file.read(reduce, from, max_bytes)?;
                if messages.is_empty() {
                    return Ok(vec![]);
                }
                let (schema, _) = file.schema()?;
                return Ok(messages.into_iter().map(|m| (schema.clone(), m)).collect());
            }
        };
        let (mut out, mut bytes) = (vec![], 0);
        while out.is_empty() || bytes < max_bytes {
            let Some(stored) = memory.get(reduce, from as usize + out.len())? else { break };
            let encoded = match stored {
                Stored::Batch(batch) => encoder.encode(&batch),
                Stored::Message(schema, message) => encoder.schema(&schema).map(|s| (s, message)),
            };
            let (schema, message) = encoded.map_err(|e| Damage::Unreadable(e.to_string()))?;
            bytes += message.stored_bytes();
            out.push((schema, message));
        }
        Ok(out)
    }

    /// Whether both are the same commit of the same output, as this process knows it.
    pub fn is(&self, other: &Output) -> bool {
        match (self, other) {
            (Output::Memory(a), Output::Memory(b)) => Arc::ptr_eq(a, b),
            (Output::File(a), Output::File(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }

    /// The batches of a partition.
    pub fn batches(self, reduce: u32) -> Batches {
        Batches { output: self, reduce, next: 0, ready: VecDeque::new() }
    }
}

/// Encodes batches that leave memory only for the network.
pub(crate) struct NetworkEncoder {
    encoder: Encoder,
    /// Batches of a shuffle share their schema.
    last: Option<(SchemaRef, Bytes)>,
}

impl NetworkEncoder {
    /// Without compression for readers on this machine: moving bytes costs them less than making them fewer.
    pub fn new(compression: Option<Compression>) -> Self {
        NetworkEncoder { encoder: Encoder::above(compression, COMPRESS_FROM), last: None }
    }

    fn encode(&mut self, batch: &RecordBatch) -> Result<(Bytes, Message)> {
        Ok((self.schema(batch.schema_ref())?, self.encoder.encode(batch)?))
    }

    fn schema(&mut self, schema: &SchemaRef) -> Result<Bytes> {
        match &self.last {
            Some((known, header)) if Arc::ptr_eq(known, schema) || known == schema => Ok(header.clone()),
            _ => {
                let header = encode_schema(schema)?;
                self.last = Some((schema.clone(), header.clone()));
                Ok(header)
            }
        }
    }
}

/// The batches of one reduce partition of one map output.
pub(crate) struct Batches {
    output: Output,
    reduce: u32,
    next: u32,
    ready: VecDeque<Message>,
}

impl Batches {
    /// The output that they are of.
    pub fn output(&self) -> &Output {
        &self.output
    }

    /// The next; `None` at the end.
    pub fn next(&mut self) -> Result<Option<RecordBatch>, Damage> {
        let file = match &self.output {
            Output::Memory(memory) => {
                let batch = memory.batch(self.reduce, self.next as usize)?;
                self.next += 1;
                return Ok(batch);
            }
            Output::File(file) => file,
        };
        if self.ready.is_empty() {
            self.ready = file.read(self.reduce, self.next, READ_BYTES)?.into();
            self.next += self.ready.len() as u32;
        }
        let Some(message) = self.ready.pop_front() else { return Ok(None) };
        let (_, schema) = file.schema()?;
        decode(&schema, &message.header, message.body)
            .map(Some)
            .map_err(|e| Damage::Unreadable(e.to_string()))
    }
}
