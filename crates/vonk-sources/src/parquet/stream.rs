//! Decodes a partition: whole files at a time if nothing is filtered, row group by row group if something is
//! (see [`super::group`]).

use super::chunks::FileChunks;
use super::corrupt;
use super::group::GroupStream;
use super::metadata::{self, FileMetadata};
use super::partitions::Constants;
use super::stage::{Stage, stages};
use crate::conform::{conform, with_rows};
use crate::files::DataFile;
use crate::reader::{OpenScan, ScanFilter, ScanMetrics, ScanStream};
use arrow::array::{ArrayRef, RecordBatch, new_null_array};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use vonk_error::{Error, Result};
use vonk_eval::BoundExpr;
use vonk_types::{StructField, StructType};

/// Row groups of one file that are to be read.
pub(crate) struct FilePlan {
    pub file: DataFile,
    pub metadata: Arc<FileMetadata>,
    /// Position in the file of each column to read.
    pub columns: Vec<Option<usize>>,
    pub groups: Vec<usize>,
    /// Of a single group, only these rows.
    pub rows: Option<Range<usize>>,
    /// Values of partition columns, by column to read.
    pub constants: Constants,
}

impl FilePlan {
    /// The rows of a group.
    pub fn rows_of(&self, group: usize) -> Result<usize> {
        let rows = self.metadata.arrow.metadata().row_group(group).num_rows();
        usize::try_from(rows).map_err(|e| corrupt(&self.file.path, e))
    }

    /// The rows that are to be read.
    fn rows_in_all(&self) -> Result<usize> {
        match &self.rows {
            Some(rows) => Ok(rows.len()),
            None => self.groups.iter().map(|g| self.rows_of(*g)).sum(),
        }
    }

    /// The part of its group that is to be read, if it is not all of it.
    fn part(&self, groups: &[usize]) -> Result<Option<RowSelection>> {
        let (Some(rows), [group]) = (&self.rows, groups) else { return Ok(None) };
        let all = self.rows_of(*group)?;
        Ok(Some(RowSelection::from_consecutive_ranges(std::iter::once(rows.clone()), all)))
    }
}

/// A column that a file lacks: its partition value, or nulls.
pub(crate) fn absent(constants: &Constants, shape: &Shape, c: usize, rows: usize) -> Result<ArrayRef> {
    match constants.get(c).and_then(Option::as_ref) {
        Some(value) => value.to_array(rows),
        None => Ok(new_null_array(&shape.read[c].data_type.to_arrow(), rows)),
    }
}

/// What is the same for all files.
pub(crate) struct Shape {
    pub read: Vec<StructField>,
    pub projection: Vec<usize>,
    pub output: SchemaRef,
    pub predicate: Option<BoundExpr>,
    pub runtime: Vec<(usize, Arc<dyn ScanFilter>)>,
    pub batch_rows: usize,
    pub metrics: Arc<ScanMetrics>,
}

impl Shape {
    pub fn new(scan: &OpenScan<'_>) -> Self {
        let read: Vec<StructField> = scan.read.iter().map(|(_, f)| f.clone()).collect();
        let output = StructType::new(scan.projection.iter().map(|i| read[*i].clone()).collect::<Vec<_>>());
        Shape {
            read,
            projection: scan.projection.to_vec(),
            output: output.to_arrow_schema(),
            predicate: scan.predicate.cloned(),
            runtime: scan.runtime_filters.clone(),
            batch_rows: scan.batch_rows.max(1),
            metrics: scan.metrics.clone(),
        }
    }
}

/// A file that is open.
pub(crate) struct OpenFile {
    pub chunks: FileChunks,
    pub plan: FilePlan,
    counted: u64,
}

impl OpenFile {
    pub fn new(plan: FilePlan) -> Result<Self> {
        Ok(OpenFile { chunks: metadata::open(&plan.file)?, plan, counted: 0 })
    }

    /// A decoder of columns, given as positions in `Shape::read`; the file has all of them.
    pub fn decode(
        &self,
        shape: &Shape,
        groups: Vec<usize>,
        columns: &[usize],
        selection: Option<RowSelection>,
    ) -> Result<Decoder> {
        let m = &self.plan.metadata.arrow;
        let mut places: Vec<usize> = columns.iter().filter_map(|c| self.plan.columns[*c]).collect();
        places.sort_unstable();
        places.dedup();
        let mut builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.chunks.clone(), m.clone())
            .with_row_groups(groups)
            .with_projection(ProjectionMask::roots(m.parquet_schema(), places.iter().copied()))
            .with_batch_size(shape.batch_rows);
        if let Some(selection) = selection {
            builder = builder.with_row_selection(selection);
        }
        let reader = builder.build().map_err(|e| from_parquet(self.path(), e))?;
        // The decoder gives columns in the order of the file.
        let place = |c: &Option<usize>| c.and_then(|c| places.binary_search(&c).ok());
        let constants = self.plan.constants.clone();
        Ok(Decoder { reader, places: self.plan.columns.iter().map(place).collect(), constants })
    }

    pub fn path(&self) -> &str {
        &self.plan.file.path
    }

    /// Counts bytes read since the last time.
    pub fn count(&mut self, metrics: &ScanMetrics) {
        let read = self.chunks.bytes_read();
        metrics.bytes_read.fetch_add(read - self.counted, Ordering::Relaxed);
        self.counted = read;
    }
}

/// Batches of some columns.
pub(crate) struct Decoder {
    reader: ParquetRecordBatchReader,
    /// For each column of `Shape::read`, its place in the batches.
    places: Vec<Option<usize>>,
    constants: Constants,
}

impl Decoder {
    pub fn next(&mut self, path: &str) -> Result<Option<RecordBatch>> {
        self.reader.next().transpose().map_err(|e| from_arrow(path, e))
    }

    /// A column of a batch in the engine's type; nulls if the file lacks it.
    pub fn column(&self, shape: &Shape, batch: &RecordBatch, c: usize) -> Result<ArrayRef> {
        let t = &shape.read[c].data_type;
        match self.places[c] {
            Some(place) => conform(batch.column(place), t),
            None => absent(&self.constants, shape, c, batch.num_rows()),
        }
    }
}

pub(crate) struct ParquetStream {
    shape: Arc<Shape>,
    stages: Vec<Stage>,
    plans: VecDeque<FilePlan>,
    file: Option<OpenFile>,
    /// Row groups of the open file that are still to be read.
    groups: VecDeque<usize>,
    current: Option<Current>,
    remaining: u64,
}

enum Current {
    /// All rows of all groups of the file.
    Plain(Decoder),
    /// The rows of one group that pass the filters.
    Filtered(GroupStream),
}

impl ParquetStream {
    pub fn new(shape: Shape, plans: Vec<FilePlan>, scan: &OpenScan<'_>) -> Result<Self> {
        let rows: usize = plans.iter().map(FilePlan::rows_in_all).sum::<Result<_>>()?;
        shape.metrics.progress.expect(rows as u64);
        Ok(ParquetStream {
            stages: stages(&shape, scan.env)?,
            shape: Arc::new(shape),
            plans: plans.into(),
            file: None,
            groups: VecDeque::new(),
            current: None,
            remaining: scan.limit.unwrap_or(u64::MAX),
        })
    }

    /// Opens what is next; `false` at the end.
    fn advance(&mut self) -> Result<bool> {
        let Some(file) = self.file.as_mut().filter(|_| !self.groups.is_empty()) else {
            let Some(plan) = self.plans.pop_front() else { return Ok(false) };
            self.groups = plan.groups.iter().copied().collect();
            self.file = Some(OpenFile::new(plan)?);
            return Ok(true);
        };
        self.current = if self.stages.is_empty() {
            let groups: Vec<usize> = std::mem::take(&mut self.groups).into();
            let present: Vec<usize> =
                self.shape.projection.iter().copied().filter(|c| file.plan.columns[*c].is_some()).collect();
            let selection = file.plan.part(&groups)?;
            Some(Current::Plain(file.decode(&self.shape, groups, &present, selection)?))
        } else {
            let group = self.groups.pop_front();
            let stream =
                group.map(|g| GroupStream::open(file, g, &self.shape, &mut self.stages)).transpose()?;
            stream.flatten().map(Current::Filtered)
        };
        file.count(&self.shape.metrics);
        Ok(true)
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let (Some(current), Some(file)) = (&mut self.current, &mut self.file) {
                let batch = match current {
                    Current::Plain(decoder) => match decoder.next(file.path())? {
                        Some(batch) => Some(whole(&self.shape, decoder, &batch)?),
                        None => None,
                    },
                    Current::Filtered(stream) => stream.next(file, &self.shape)?,
                };
                file.count(&self.shape.metrics);
                if let Some(batch) = batch {
                    self.shape.metrics.progress.pass(batch.num_rows());
                    return Ok(Some(batch));
                }
                self.current = None;
            }
            if !self.advance()? {
                return Ok(None);
            }
        }
    }
}

fn whole(shape: &Shape, decoder: &Decoder, batch: &RecordBatch) -> Result<RecordBatch> {
    let columns = shape.projection.iter().map(|c| decoder.column(shape, batch, *c));
    with_rows(shape.output.clone(), columns.collect::<Result<_>>()?, batch.num_rows())
}

impl ScanStream for ParquetStream {
    fn next(&mut self) -> Result<Option<RecordBatch>> {
        while self.remaining > 0 {
            let Some(batch) = self.next_batch()? else { return Ok(None) };
            let take = usize::try_from(self.remaining).unwrap_or(usize::MAX).min(batch.num_rows());
            self.remaining -= take as u64;
            if take > 0 {
                return Ok(Some(if take < batch.num_rows() { batch.slice(0, take) } else { batch }));
            }
        }
        Ok(None)
    }
}

fn from_arrow(path: &str, e: ArrowError) -> Error {
    match e {
        ArrowError::ParquetError(text) => corrupt(path, text),
        other => Error::from(other),
    }
}

fn from_parquet(path: &str, e: parquet::errors::ParquetError) -> Error {
    match e {
        parquet::errors::ParquetError::External(inner) => match inner.downcast::<ArrowError>() {
            Ok(arrow) => from_arrow(path, *arrow),
            Err(other) => corrupt(path, other),
        },
        other => corrupt(path, other),
    }
}
