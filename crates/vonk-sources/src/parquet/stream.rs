//! Decodes the row groups of a partition.
//!
//! Predicates run inside the decoder (late materialisation, Abadi et al. 2007): the columns of a predicate are decoded first,
//! the others only for rows that survive. Where every column read is a predicate's, there is nothing to save and the filter
//! runs on whole batches.

use super::chunks::FileChunks;
use super::corrupt;
use super::metadata::{self, FileMetadata};
use crate::conform::{conform, with_rows};
use crate::files::DataFile;
use crate::reader::{OpenScan, ScanFilter, ScanMetrics, ScanStream};
use arrow::array::{ArrayRef, BooleanArray, NullArray, RecordBatch, new_null_array};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType as ArrowType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowPredicate, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowFilter,
};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use vonk_error::{Error, Result};
use vonk_eval::{BoundExpr, EvalEnv, Evaluator};
use vonk_functions::RowPosition;
use vonk_types::{StructField, StructType};

/// Row groups of one file that are to be read.
pub(crate) struct FilePlan {
    pub file: DataFile,
    pub metadata: Arc<FileMetadata>,
    /// Position in the file of each column to read.
    pub columns: Vec<Option<usize>>,
    pub groups: Vec<usize>,
}

/// What is the same for all files.
pub(crate) struct Shape {
    read: Vec<StructField>,
    projection: Vec<usize>,
    output: SchemaRef,
}

impl Shape {
    pub fn new(scan: &OpenScan<'_>) -> Self {
        let read: Vec<StructField> = scan.read.iter().map(|(_, f)| f.clone()).collect();
        let output = StructType::new(scan.projection.iter().map(|i| read[*i].clone()).collect::<Vec<_>>());
        Shape { read, projection: scan.projection.to_vec(), output: output.to_arrow_schema() }
    }
}

pub(crate) struct ParquetStream {
    shape: Arc<Shape>,
    plans: VecDeque<FilePlan>,
    current: Option<Open>,
    filters: Filters,
    batch_rows: usize,
    remaining: u64,
    metrics: Arc<ScanMetrics>,
}

/// All filters of the scan, for each file anew.
struct Filters {
    predicate: Option<BoundExpr>,
    runtime: Vec<(usize, Arc<dyn ScanFilter>)>,
    env: EvalEnv,
}

/// A file being read.
struct Open {
    reader: ParquetRecordBatchReader,
    chunks: FileChunks,
    counted: u64,
    path: String,
    /// For each column of `Shape::read`: its place in the decoder's batches.
    places: Vec<Option<usize>>,
    /// Filters that run on whole batches.
    after: Option<Evaluator>,
}

impl ParquetStream {
    pub fn new(shape: Arc<Shape>, plans: Vec<FilePlan>, scan: OpenScan<'_>) -> Result<Self> {
        Ok(ParquetStream {
            shape,
            plans: plans.into(),
            current: None,
            filters: Filters {
                predicate: scan.predicate.cloned(),
                runtime: scan.runtime_filters,
                env: scan.env.clone(),
            },
            batch_rows: scan.batch_rows.max(1),
            remaining: scan.limit.unwrap_or(u64::MAX),
            metrics: scan.metrics,
        })
    }

    fn open(&self, plan: FilePlan) -> Result<Open> {
        let chunks = metadata::open(&plan.file)?;
        let m = &plan.metadata.arrow;
        // A column that the file lacks is null; a predicate on it is evaluated after decoding.
        let predicate_columns = self.filters.predicate.as_ref().map(BoundExpr::columns).unwrap_or_default();
        let missing = predicate_columns.iter().any(|c| plan.columns[*c].is_none());
        let output_only = (0..plan.columns.len()).any(|c| !predicate_columns.contains(&c));
        let late = self.filters.predicate.is_some() && output_only && !missing;

        let mut needed: Vec<usize> = self.shape.projection.clone();
        if self.filters.predicate.is_some() && !late {
            needed.extend(&predicate_columns);
        }
        let mut file_columns: Vec<usize> = needed.iter().filter_map(|c| plan.columns[*c]).collect();
        file_columns.sort_unstable();
        file_columns.dedup();
        let places =
            plan.columns.iter().map(|c| c.and_then(|c| file_columns.binary_search(&c).ok())).collect();

        let mut row_filter: Vec<Box<dyn ArrowPredicate>> = Vec::new();
        let mask = |columns: &[usize]| {
            ProjectionMask::roots(m.parquet_schema(), columns.iter().filter_map(|c| plan.columns[*c]))
        };
        if let (true, Some(p)) = (late, &self.filters.predicate) {
            for stage in stages(p) {
                row_filter.push(Box::new(Late {
                    mask: mask(&stage.columns()),
                    columns: in_file_order(&stage.columns(), &plan.columns),
                    read: self.shape.clone(),
                    evaluator: Evaluator::new(&stage, &self.filters.env)?,
                }));
            }
        }
        for (column, filter) in &self.filters.runtime {
            if plan.columns[*column].is_some() {
                row_filter.push(Box::new(Runtime {
                    mask: mask(&[*column]),
                    field: self.shape.read[*column].clone(),
                    filter: filter.clone(),
                }));
            }
        }
        let mut builder = ParquetRecordBatchReaderBuilder::new_with_metadata(chunks.clone(), m.clone())
            .with_row_groups(plan.groups)
            .with_projection(ProjectionMask::roots(m.parquet_schema(), file_columns))
            .with_batch_size(self.batch_rows);
        if !row_filter.is_empty() {
            builder = builder.with_row_filter(RowFilter::new(row_filter));
        }
        let reader = builder.build().map_err(|e| from_parquet(&plan.file.path, e))?;
        let after = match &self.filters.predicate {
            Some(p) if !late => Some(Evaluator::new(p, &self.filters.env)?),
            _ => None,
        };
        Ok(Open { reader, chunks, counted: 0, path: plan.file.path, places, after })
    }
}

impl ScanStream for ParquetStream {
    fn next(&mut self) -> Result<Option<RecordBatch>> {
        while self.remaining > 0 {
            if self.current.is_none() {
                let Some(plan) = self.plans.pop_front() else { return Ok(None) };
                self.current = Some(self.open(plan)?);
            }
            let Some(open) = &mut self.current else { continue };
            let decoded = open.reader.next();
            let read = open.chunks.bytes_read();
            self.metrics.bytes_read.fetch_add(read - open.counted, Ordering::Relaxed);
            open.counted = read;
            let Some(batch) = decoded else {
                self.current = None;
                continue;
            };
            let batch = batch.map_err(|e| from_arrow(&open.path, e))?;
            let Some(out) = open.shape_batch(&self.shape, &batch, &self.metrics)? else { continue };
            let take = usize::try_from(self.remaining).unwrap_or(usize::MAX).min(out.num_rows());
            self.remaining -= take as u64;
            return Ok(Some(if take < out.num_rows() { out.slice(0, take) } else { out }));
        }
        Ok(None)
    }
}

impl Open {
    /// The output columns of a decoded batch, filtered where the decoder has not done it.
    fn shape_batch(
        &mut self,
        shape: &Shape,
        batch: &RecordBatch,
        metrics: &ScanMetrics,
    ) -> Result<Option<RecordBatch>> {
        let rows = batch.num_rows();
        let column = |c: usize| -> Result<ArrayRef> {
            let t = &shape.read[c].data_type;
            match self.places[c] {
                Some(place) => conform(batch.column(place), t),
                None => Ok(new_null_array(&t.to_arrow(), rows)),
            }
        };
        let columns = shape.projection.iter().map(|c| column(*c)).collect::<Result<Vec<_>>>()?;
        let out = with_rows(shape.output.clone(), columns, rows)?;
        let Some(after) = &mut self.after else { return Ok((rows > 0).then_some(out)) };
        let whole = (0..shape.read.len())
            .map(|c| match self.places[c] {
                Some(_) => column(c),
                None => Ok(new_null_array(&shape.read[c].data_type.to_arrow(), rows)),
            })
            .collect::<Result<Vec<_>>>()?;
        let schema = StructType::new(shape.read.clone()).to_arrow_schema();
        let keep = after.evaluate_filter(&with_rows(schema, whole, rows)?, RowPosition::default())?;
        let kept = keep.true_count();
        metrics.rows_pruned.fetch_add((rows - kept) as u64, Ordering::Relaxed);
        match kept {
            0 => Ok(None),
            n if n == rows => Ok(Some(out)),
            _ => Ok(Some(filter_record_batch(&out, &keep)?)),
        }
    }
}

/// A predicate split into stages that run one after the other, each on what the one before has left: comparisons of numbers
/// and dates first, then the rest.
fn stages(p: &BoundExpr) -> Vec<BoundExpr> {
    let BoundExpr::And(list) = p else { return vec![p.clone()] };
    let cheap = |e: &BoundExpr| {
        let mut text = false;
        e.visit(&mut |x| {
            text |= matches!(x.data_type(), vonk_types::DataType::String | vonk_types::DataType::Binary)
        });
        !text
    };
    let (numbers, others): (Vec<_>, Vec<_>) = list.iter().cloned().partition(cheap);
    let join = |mut list: Vec<BoundExpr>| match list.len() {
        0 => None,
        1 => list.pop(),
        _ => Some(BoundExpr::And(list)),
    };
    join(numbers).into_iter().chain(join(others)).collect()
}

/// The columns of `read` in the order in which the decoder gives them.
fn in_file_order(columns: &[usize], places: &[Option<usize>]) -> Vec<usize> {
    let mut list: Vec<usize> = columns.to_vec();
    list.sort_by_key(|c| places[*c]);
    list
}

/// A stage of the predicate inside the decoder.
struct Late {
    mask: ProjectionMask,
    columns: Vec<usize>,
    read: Arc<Shape>,
    evaluator: Evaluator,
}

impl ArrowPredicate for Late {
    fn projection(&self) -> &ProjectionMask {
        &self.mask
    }

    fn evaluate(&mut self, batch: RecordBatch) -> Result<BooleanArray, ArrowError> {
        // The expression is bound to positions in `read`; columns it does not use are stand-ins without data.
        let rows = batch.num_rows();
        let mut columns: Vec<ArrayRef> = vec![Arc::new(NullArray::new(rows)); self.read.read.len()];
        let mut fields = vec![Arc::new(Field::new("", ArrowType::Null, true)); columns.len()];
        for (place, c) in self.columns.iter().enumerate() {
            let f = &self.read.read[*c];
            columns[*c] = conform(batch.column(place), &f.data_type)?;
            fields[*c] = Arc::new(Field::new(f.name.as_ref(), f.data_type.to_arrow(), true));
        }
        let batch = with_rows(Arc::new(Schema::new(fields)), columns, rows)?;
        Ok(self.evaluator.evaluate_filter(&batch, RowPosition::default())?)
    }
}

/// A runtime filter inside the decoder.
struct Runtime {
    mask: ProjectionMask,
    field: StructField,
    filter: Arc<dyn ScanFilter>,
}

impl ArrowPredicate for Runtime {
    fn projection(&self) -> &ProjectionMask {
        &self.mask
    }

    fn evaluate(&mut self, batch: RecordBatch) -> Result<BooleanArray, ArrowError> {
        let values = conform(batch.column(0), &self.field.data_type)?;
        Ok(self.filter.test(&values)?)
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
