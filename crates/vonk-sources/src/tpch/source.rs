//! A TPC-H table as a source, and its reader.

use super::tables::Table;
use crate::reader::{OpenScan, ScanReader, ScanStream};
use crate::rows::Rows;
use std::sync::Arc;
use vonk_error::{Error, Result};
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
        let columns: Vec<usize> = scan.read.iter().map(|(p, _)| *p).collect();
        let comments = part.table.comment().is_some_and(|c| columns.contains(&c));
        let of = (part.scale, part.part, part.parts);
        let batches = part.table.batches(of, scan.batch_rows.max(1), comments)?;
        let batches = batches.map(move |whole| {
            let whole = whole?;
            Ok(whole.project(&columns)?)
        });
        Ok(Box::new(Rows::new(batches, &scan)?))
    }
}
