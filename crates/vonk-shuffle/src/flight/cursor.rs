//! Walks through the outputs of a ticket and makes the messages of its stream.

use crate::flight::protocol::{BlockTicket, PART_BYTES, Resume, Tag, flight_data};
use crate::map_file::Damage;
use crate::message::{Compression, Message};
use crate::outputs::{NetworkEncoder, Output, OutputKey, OutputSource};
use arrow_flight::FlightData;
use bytes::Bytes;
use std::sync::Arc;
use vonk_error::{Error, FetchFailure, Result};

/// Bytes read at once: small blocks of many maps together.
const GROUP_BYTES: u64 = 1 << 20;
/// Outputs looked at at once: empty blocks take time, too.
const GROUP_OUTPUTS: u32 = 1000;

/// Where a stream is.
pub(crate) struct Cursor {
    source: Arc<dyn OutputSource>,
    ticket: BlockTicket,
    application: Arc<str>,
    encoder: NetworkEncoder,
    position: u32,
    reduce: u32,
    message: u32,
    output: Option<Output>,
    /// The schema last sent.
    schema: Option<Bytes>,
    sent: u64,
}

/// Some messages.
pub(crate) struct Group {
    pub data: Vec<FlightData>,
    /// The stream ends after them: well, or with this error.
    pub end: Option<Result<()>>,
}

impl Cursor {
    pub fn new(source: Arc<dyn OutputSource>, ticket: BlockTicket, compression: Option<Compression>) -> Self {
        let (reduce, message) = ticket.resume.map_or((ticket.reduces.0, 0), |r| (r.reduce, r.message));
        Cursor {
            source,
            application: ticket.application.as_str().into(),
            ticket,
            encoder: NetworkEncoder::new(compression),
            position: 0,
            reduce,
            message,
            output: None,
            schema: None,
            sent: 0,
        }
    }

    /// The next messages. Reads files and encodes batches: not for an async thread.
    pub fn group(&mut self) -> Group {
        let mut data = vec![];
        let end = self.fill(&mut data);
        Group { data, end: end.transpose() }
    }

    /// Whether the stream ends.
    fn fill(&mut self, data: &mut Vec<FlightData>) -> Result<Option<()>> {
        let (start, mut outputs) = (self.sent, 0);
        while self.sent - start < GROUP_BYTES && outputs < GROUP_OUTPUTS {
            let Some(map) = self.ticket.maps.get(self.position as usize).copied() else {
                return self.end(data, None).map(Some);
            };
            if self.sent >= self.ticket.max_bytes && self.sent > 0 {
                return self.end(data, Some(())).map(Some);
            }
            outputs += 1;
            let output = self.open(map)?;
            let room = self.ticket.max_bytes.saturating_sub(self.sent).min(GROUP_BYTES);
            let messages = output
                .messages(self.reduce, self.message, room, &mut self.encoder)
                .map_err(|d| self.failed(map, d))?;
            if messages.is_empty() {
                self.next_block(&output);
                continue;
            }
            let attempt = output.attempt();
            for (schema, message) in messages {
                self.push(data, schema, message, attempt)?;
            }
        }
        Ok(None)
    }

    fn open(&mut self, map: u32) -> Result<Output> {
        if let Some(output) = &self.output {
            return Ok(output.clone());
        }
        let output = self.source.find(&self.key(map)).map_err(|d| self.failed(map, d))?;
        if let Some(resume) = self.ticket.resume.filter(|_| self.position == 0) {
            if resume.attempt != output.attempt() {
                // Another was committed since: for the reader its own is gone, and this one is good.
                return Err(self.failed(map, Damage::Gone));
            }
        }
        if self.reduce >= output.partitions() && self.ticket.reduces.1 != u32::MAX {
            return vonk_error::internal_err!("reduce partition {} is not there", self.reduce);
        }
        self.output = Some(output.clone());
        Ok(output)
    }

    /// The block is at its end.
    fn next_block(&mut self, output: &Output) {
        self.message = 0;
        self.reduce += 1;
        if self.reduce >= self.ticket.reduces.1.min(output.partitions()) {
            // The last stays, for the end of the stream to tell of it.
            self.position += 1;
            self.reduce = self.ticket.reduces.0;
            if (self.position as usize) < self.ticket.maps.len() {
                self.output = None;
            }
        }
    }

    fn push(&mut self, data: &mut Vec<FlightData>, schema: Bytes, m: Message, attempt: u32) -> Result<()> {
        if self.schema.as_ref() != Some(&schema) {
            let tag = Tag::Schema { crc: crc32fast::hash(&schema) };
            data.push(flight_data(&tag, schema.clone(), Bytes::new())?);
            self.schema = Some(schema);
        }
        self.message += 1;
        self.sent += m.stored_bytes();
        let at = Resume { reduce: self.reduce, message: self.message, attempt };
        let (rows, crc, body) = (m.rows, m.crc, m.body.len() as u64);
        let tag = Tag::Batch { position: self.position, at, rows, crc, body };
        let mut rest = m.body;
        data.push(flight_data(&tag, m.header, rest.split_to(rest.len().min(PART_BYTES)))?);
        while !rest.is_empty() {
            data.push(flight_data(&Tag::Part, Bytes::new(), rest.split_to(rest.len().min(PART_BYTES)))?);
        }
        Ok(())
    }

    fn end(&mut self, data: &mut Vec<FlightData>, more: Option<()>) -> Result<()> {
        let partitions = self.output.as_ref().map_or(0, Output::partitions);
        let attempt = self.output.as_ref().map(Output::attempt);
        let resume =
            more.and(attempt).map(|attempt| Resume { reduce: self.reduce, message: self.message, attempt });
        let tag = Tag::End { position: self.position, resume, partitions, attempt: attempt.unwrap_or(0) };
        data.push(flight_data(&tag, Bytes::new(), Bytes::new())?);
        Ok(())
    }

    fn key(&self, map: u32) -> OutputKey {
        let (executor, shuffle) = (self.ticket.executor, self.ticket.shuffle);
        OutputKey { application: self.application.clone(), executor, shuffle, map }
    }

    fn failed(&self, map: u32, damage: Damage) -> Error {
        if let Damage::Unreadable(why) = &damage {
            return Error::io(format!("cannot read output {map} of shuffle {}", self.ticket.shuffle), why);
        }
        if matches!(damage, Damage::Corrupt(_)) {
            self.source.discard(&self.key(map), self.output.as_ref());
        }
        let (shuffle, executor) = (self.ticket.shuffle, self.ticket.executor);
        Error::fetch_failed(
            FetchFailure { shuffle, map, reduce: self.reduce, executor, unreachable: false },
            damage,
        )
    }
}
