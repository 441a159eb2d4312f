//! A TPC-H table as a source, and its reader.

use super::tables::{Batches, Table};
use crate::conform::with_rows;
use crate::reader::{OpenScan, ScanReader, ScanStream};
use arrow::array::RecordBatch;
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_eval::Evaluator;
use vonk_functions::RowPosition;
use vonk_plan::source::{
    ColumnStatistics, ScanPartition, ScanPlan, ScanRequest, TableSource, TableStatistics,
};
use vonk_types::StructType;

/// A generated table.
#[derive(Debug)]
pub struct TpchSource {
    table: Table,
    scale: f64,
    schema: StructType,
}

/// What a partition is, on the wire.
#[derive(serde::Serialize, serde::Deserialize)]
struct Part {
    table: Table,
    scale: f64,
    part: i32,
    parts: i32,
}

impl TpchSource {
    /// A table at a scale.
    pub fn new(table: Table, scale: f64) -> Result<Self> {
        Ok(TpchSource { table, scale, schema: table.schema()? })
    }
}

impl TableSource for TpchSource {
    fn schema(&self) -> &StructType {
        &self.schema
    }

    fn statistics(&self) -> TableStatistics {
        let rows = self.table.rows(self.scale);
        let columns = self.schema.fields.iter().enumerate().map(|(i, f)| {
            // The first column of every table but lineitem and partsupp is its key.
            let key = i == 0 && !matches!(self.table, Table::Lineitem | Table::Partsupp);
            let parent = match f.name.as_ref() {
                "l_orderkey" | "o_orderkey" => Some(Table::Orders),
                "l_partkey" | "ps_partkey" => Some(Table::Part),
                "l_suppkey" | "ps_suppkey" => Some(Table::Supplier),
                "o_custkey" => Some(Table::Customer),
                "c_nationkey" | "s_nationkey" => Some(Table::Nation),
                "n_regionkey" => Some(Table::Region),
                _ => None,
            };
            let distinct = if key { Some(rows) } else { parent.map(|t| t.rows(self.scale)) };
            ColumnStatistics { nulls: Some(0), distinct, ..Default::default() }
        });
        TableStatistics { rows: Some(rows), bytes: None, columns: columns.collect() }
    }

    fn scan(&self, _: &ScanRequest<'_>) -> Result<ScanPlan> {
        let parts = self.table.parts(self.scale);
        let partitions = (1..=parts).map(|part| {
            let payload = Part { table: self.table, scale: self.scale, part, parts };
            let bytes = postcard::to_stdvec(&payload).map_err(|e| Error::internal(e.to_string()))?;
            let rows = self.table.rows(self.scale) / parts.unsigned_abs() as u64;
            Ok(ScanPartition { payload: bytes.into(), rows, locations: vec![] })
        });
        Ok(ScanPlan {
            reader: "tpch".into(),
            shared: Arc::from([]),
            partitions: partitions.collect::<Result<_>>()?,
            description: self.describe(),
        })
    }

    fn describe(&self) -> String {
        format!("tpch {} (scale {})", self.table.name(), self.scale)
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

/// Generates partitions.
pub struct TpchReader;

impl ScanReader for TpchReader {
    fn name(&self) -> &'static str {
        "tpch"
    }

    fn open(&self, scan: OpenScan<'_>) -> Result<Box<dyn ScanStream>> {
        let part: Part = postcard::from_bytes(scan.partition)
            .map_err(|e| Error::internal(format!("scan partition: {e}")))?;
        let fields: Vec<_> = scan.read.iter().map(|(_, f)| f.clone()).collect();
        let read = StructType::new(fields);
        let output =
            StructType::new(scan.projection.iter().map(|i| read.fields[*i].clone()).collect::<Vec<_>>());
        Ok(Box::new(Stream {
            batches: part.table.batches(part.scale, part.part, part.parts, scan.batch_rows.max(1))?,
            columns: scan.read.iter().map(|(p, _)| *p).collect(),
            read_schema: read.to_arrow_schema(),
            output_schema: output.to_arrow_schema(),
            projection: scan.projection.to_vec(),
            predicate: scan.predicate.map(|p| Evaluator::new(p, scan.env)).transpose()?,
            remaining: scan.limit.unwrap_or(u64::MAX),
        }))
    }
}

struct Stream {
    batches: Batches,
    columns: Vec<usize>,
    read_schema: SchemaRef,
    output_schema: SchemaRef,
    projection: Vec<usize>,
    predicate: Option<Evaluator>,
    remaining: u64,
}

impl ScanStream for Stream {
    fn next(&mut self) -> Result<Option<RecordBatch>> {
        while self.remaining > 0 {
            let Some(whole) = self.batches.next().transpose()? else { return Ok(None) };
            let columns = self.columns.iter().map(|i| whole.column(*i).clone()).collect();
            let mut batch = with_rows(self.read_schema.clone(), columns, whole.num_rows())?;
            if let Some(p) = &mut self.predicate {
                let keep = p.evaluate_filter(&batch, RowPosition::default())?;
                batch = filter_record_batch(&batch, &keep)?;
            }
            let take = usize::try_from(self.remaining).unwrap_or(usize::MAX).min(batch.num_rows());
            if take == 0 {
                continue;
            }
            self.remaining -= take as u64;
            let columns = self.projection.iter().map(|i| batch.column(*i).slice(0, take)).collect();
            return Ok(Some(with_rows(self.output_schema.clone(), columns, take)?));
        }
        Ok(None)
    }
}
