//! Writes a map output: encoded batches in any order of partitions, then one sorted file.
//!
//! A batch is encoded when it comes. Encoded batches are held as far as memory goes, then appended to a spill file; the sorted file
//! is made of both by copying bytes. Nothing is decoded again.

use crate::blocks::{BlockMemory, MapOutputSizes};
use crate::file::{BlockFile, Frame, write_message};
use crate::map_file::{MapFile, MapIndex, cannot_write, file_names};
use crate::message::{Compression, Encoder, Message, encode_schema, prefix};
use crate::private::{make_folder, new_file};
use crate::sizes::batch_bytes;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parking_lot::Mutex;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use vonk_error::{Error, Result};

/// Bytes written at once.
const WRITE_BUFFER: usize = 1 << 20;
/// Most bytes that are copied at once from the spill file.
const COPY_BYTES: u64 = 4 << 20;

/// Numbers of temporary files: two attempts of one map task may run at once.
static NEXT_FILE: AtomicU64 = AtomicU64::new(0);

/// The encoded batches of an output that is being written. Shared with its store, which spills it when others need memory.
pub(crate) struct Held {
    memory: Arc<dyn BlockMemory>,
    dir: PathBuf,
    parts: Vec<Vec<Piece>>,
    /// Bytes reserved.
    bytes: u64,
    spill: Option<BlockFile>,
}

enum Piece {
    Memory(Message),
    Disk(Frame),
}

impl Held {
    fn add(&mut self, reduce: usize, message: Message) -> Result<()> {
        let bytes = message.stored_bytes();
        if !self.memory.try_grow(bytes) {
            self.spill()?;
            // Others may have taken what was given back: then this one goes to the file as well.
            if !self.memory.try_grow(bytes) {
                let frame = spill_file(&mut self.spill, &self.dir)?.append(&message)?;
                self.parts[reduce].push(Piece::Disk(frame));
                return Ok(());
            }
        }
        self.bytes += bytes;
        self.parts[reduce].push(Piece::Memory(message));
        Ok(())
    }

    /// Moves what is held to the spill file; tells how many bytes that freed.
    pub fn spill(&mut self) -> Result<u64> {
        let before = self.bytes;
        for piece in self.parts.iter_mut().flatten() {
            let Piece::Memory(message) = piece else { continue };
            let bytes = message.stored_bytes();
            let frame = spill_file(&mut self.spill, &self.dir)?.append(message)?;
            *piece = Piece::Disk(frame);
            self.bytes -= bytes;
            self.memory.shrink(bytes);
        }
        Ok(before - self.bytes)
    }
}

fn spill_file<'a>(spill: &'a mut Option<BlockFile>, dir: &Path) -> Result<&'a BlockFile> {
    if spill.is_none() {
        let n = NEXT_FILE.fetch_add(1, Ordering::Relaxed);
        *spill = Some(BlockFile::create(dir, &format!("run-{}-{n}.tmp", std::process::id()))?);
    }
    spill.as_ref().ok_or_else(|| Error::internal("no spill file"))
}

impl Drop for Held {
    fn drop(&mut self) {
        self.memory.shrink(self.bytes);
    }
}

/// Collects the batches of one attempt of a map task.
pub(crate) struct PartsWriter {
    held: Arc<Mutex<Held>>,
    encoder: Encoder,
    schema: Option<SchemaRef>,
    sizes: MapOutputSizes,
}

impl PartsWriter {
    /// For an output of `partitions` reduce partitions, with spill and temporary files in `dir`.
    pub fn new(
        memory: Arc<dyn BlockMemory>,
        dir: PathBuf,
        partitions: u32,
        compression: Compression,
    ) -> Self {
        let parts = (0..partitions).map(|_| vec![]).collect();
        let held = Held { memory, dir, parts, bytes: 0, spill: None };
        let zeros = vec![0; partitions as usize];
        PartsWriter {
            held: Arc::new(Mutex::new(held)),
            encoder: Encoder::new(compression),
            schema: None,
            sizes: MapOutputSizes { bytes: zeros.clone(), rows: zeros },
        }
    }

    /// What it holds, to be spilled by others.
    pub fn held(&self) -> &Arc<Mutex<Held>> {
        &self.held
    }

    /// Adds rows of a partition.
    pub fn push(&mut self, reduce: u32, batch: &RecordBatch) -> Result<()> {
        self.check_schema(batch.schema_ref())?;
        let message = self.encoder.encode(batch)?;
        self.add(reduce, batch_bytes(batch), message)
    }

    /// Adds rows that are encoded already; their size counts as it is.
    pub fn push_message(&mut self, reduce: u32, schema: &SchemaRef, message: Message) -> Result<()> {
        self.check_schema(schema)?;
        self.add(reduce, message.stored_bytes(), message)
    }

    fn add(&mut self, reduce: u32, bytes: u64, message: Message) -> Result<()> {
        let index = reduce as usize;
        if index >= self.sizes.rows.len() {
            return vonk_error::internal_err!("reduce partition {reduce} of {}", self.sizes.rows.len());
        }
        self.sizes.bytes[index] += bytes;
        self.sizes.rows[index] += u64::from(message.rows);
        self.held.lock().add(index, message)
    }

    /// The schema stands in the file once, so all batches must have it.
    fn check_schema(&mut self, schema: &SchemaRef) -> Result<()> {
        let known = self.schema.get_or_insert_with(|| schema.clone());
        if Arc::ptr_eq(known, schema) {
            return Ok(());
        }
        let (a, b) = (known.fields(), schema.fields());
        if a.len() != b.len() || !a.iter().zip(b).all(|(a, b)| a.data_type().equals_datatype(b.data_type())) {
            return vonk_error::internal_err!("batches of two schemas in a shuffle: {known} and {schema}");
        }
        Ok(())
    }

    /// Writes the sorted file and its index under temporary names. Memory and spill file are given back.
    pub fn finish(self, attempt: u32) -> Result<Finished> {
        let mut held = self.held.lock();
        make_folder(&held.dir).map_err(|e| cannot_write(&held.dir, e))?;
        let n = NEXT_FILE.fetch_add(1, Ordering::Relaxed);
        let name = |kind: &str| held.dir.join(format!("output-{}-{n}.{kind}.tmp", std::process::id()));
        let (data, index_file) = (TempFile(name("data")), TempFile(name("index")));
        let parts = std::mem::take(&mut held.parts);
        let mut out = Sorted::create(data.0.clone())?;
        let schema = match &self.schema {
            Some(schema) => out.schema(schema)?,
            None => (0, 0),
        };
        let mut first = vec![0];
        for part in parts {
            out.part(part, held.spill.as_ref())?;
            first.push(out.messages.len() as u32);
        }
        let messages = out.finish()?;
        let index = MapIndex::new(attempt, schema, first, messages);
        let written = new_file(&index_file.0).and_then(|mut file| file.write_all(&index.encode()));
        written.map_err(|e| cannot_write(&index_file.0, e))?;
        drop(held);
        Ok(Finished { data, index_file, index, sizes: self.sizes })
    }
}

/// The sorted file on its way.
struct Sorted {
    out: BufWriter<File>,
    path: PathBuf,
    messages: Vec<[u32; 4]>,
}

impl Sorted {
    fn create(path: PathBuf) -> Result<Sorted> {
        let file = new_file(&path).map_err(|e| cannot_write(&path, e))?;
        Ok(Sorted { out: BufWriter::with_capacity(WRITE_BUFFER, file), path, messages: vec![] })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.out.write_all(bytes).map_err(|e| cannot_write(&self.path, e))
    }

    /// Writes the schema; its length and checksum.
    fn schema(&mut self, schema: &SchemaRef) -> Result<(u32, u32)> {
        let header = encode_schema(schema)?;
        let prefix = prefix(header.len());
        self.write(&prefix)?;
        self.write(&header)?;
        Ok(((prefix.len() + header.len()) as u32, crc32fast::hash(&header)))
    }

    /// Writes the pieces of a partition in their order.
    fn part(&mut self, pieces: Vec<Piece>, spill: Option<&BlockFile>) -> Result<()> {
        // Frames of the spill file that follow each other and are not copied yet: offset and length.
        let mut range = (0, 0);
        for piece in pieces {
            let frame = match piece {
                Piece::Memory(m) => {
                    self.copy(&mut range, spill)?;
                    write_message(&mut self.out, &m).map_err(|e| cannot_write(&self.path, e))?;
                    self.messages.push([m.header.len() as u32, m.body.len() as u32, m.rows, m.crc]);
                    continue;
                }
                Piece::Disk(frame) => frame,
            };
            if range.0 + range.1 != frame.offset || range.1 + frame.bytes() > COPY_BYTES {
                self.copy(&mut range, spill)?;
                range = (frame.offset, 0);
            }
            range.1 += frame.bytes();
            self.messages.push([frame.header, frame.body, frame.rows, frame.crc]);
        }
        self.copy(&mut range, spill)
    }

    fn copy(&mut self, range: &mut (u64, u64), spill: Option<&BlockFile>) -> Result<()> {
        let (offset, length) = std::mem::take(range);
        if length == 0 {
            return Ok(());
        }
        // Bytes that have changed in between are noticed by whoever reads the block: the checksums are the encoder's.
        let bytes = spill.ok_or_else(|| Error::internal("no spill file"))?.read_range(offset, length)?;
        self.write(&bytes)
    }

    fn finish(mut self) -> Result<Vec<[u32; 4]>> {
        self.out.flush().map_err(|e| cannot_write(&self.path, e))?;
        Ok(self.messages)
    }
}

/// A file that is removed when it is dropped.
struct TempFile(PathBuf);

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0); // It may have been renamed, or never made.
    }
}

/// A written output that no one sees yet. Dropped, it leaves nothing.
pub(crate) struct Finished {
    data: TempFile,
    index_file: TempFile,
    pub index: MapIndex,
    pub sizes: MapOutputSizes,
}

impl Finished {
    /// Where the data is before [`publish`](Self::publish).
    pub fn data(&self) -> &Path {
        &self.data.0
    }

    /// Gives the files their names in a folder.
    pub fn publish(self, dir: &Path, shuffle: u64, map: u32) -> Result<(MapFile, MapOutputSizes)> {
        let (data, index) = file_names(shuffle, map);
        let (data, index) = (dir.join(data), dir.join(index));
        std::fs::rename(&self.data.0, &data).map_err(|e| cannot_write(&data, e))?;
        if let Err(e) = std::fs::rename(&self.index_file.0, &index) {
            let _ = std::fs::remove_file(&data);
            return Err(cannot_write(&index, e));
        }
        Ok((MapFile::new(data, index, self.index), self.sizes))
    }
}
