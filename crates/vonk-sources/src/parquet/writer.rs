//! Writes Parquet files as Spark does: one schema, `snappy` unless asked otherwise, statistics and page index.

use super::corrupt;
use crate::writer::{FileWriter, FileWriterFactory, OpenWrite, WrittenFile};
use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType as ArrowType, Decimal64Type, Decimal128Type, Field, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use std::fs::File;
use std::io::BufWriter;
use std::sync::Arc;
use vonk_error::{Error, Result};

/// Opens Parquet writers.
pub struct ParquetWriterFactory;

/// Rows of a row group: large enough for good compression, small enough to be a unit of parallel work.
const ROW_GROUP_ROWS: usize = 1 << 20;

impl FileWriterFactory for ParquetWriterFactory {
    fn name(&self) -> &'static str {
        "parquet"
    }

    fn extension(&self) -> &'static str {
        "parquet"
    }

    fn open(&self, write: OpenWrite<'_>) -> Result<Box<dyn FileWriter>> {
        let file =
            File::create(write.path).map_err(|e| Error::io(format!("cannot create {}", write.path), e))?;
        let properties = WriterProperties::builder()
            .set_compression(compression(write.options)?)
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .set_statistics_enabled(EnabledStatistics::Page)
            .set_created_by(format!("vonk {}", env!("CARGO_PKG_VERSION")))
            .build();
        let schema = portable(&write.schema.to_arrow_schema());
        let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(BufWriter::new(file), schema.clone(), options)
            .map_err(|e| corrupt(write.path, e))?;
        Ok(Box::new(ParquetFileWriter { path: write.path.to_string(), schema, writer, rows: 0 }))
    }
}

fn compression(options: &[(String, String)]) -> Result<Compression> {
    let found = options.iter().find(|(k, _)| k.eq_ignore_ascii_case("compression"));
    let name = found.map_or("snappy", |(_, v)| v.as_str());
    Ok(match name.to_ascii_lowercase().as_str() {
        "none" | "uncompressed" => Compression::UNCOMPRESSED,
        "snappy" => Compression::SNAPPY,
        "gzip" => Compression::GZIP(Default::default()),
        "lz4" | "lz4_raw" | "lz4raw" => Compression::LZ4_RAW,
        "zstd" => Compression::ZSTD(ZstdLevel::try_new(1).unwrap_or_default()),
        _ => {
            return Err(Error::new("CODEC_NOT_AVAILABLE.WITH_AVAILABLE_CODECS_SUGGESTION")
                .with("codecName", name)
                .with("availableCodecs", "none, uncompressed, snappy, gzip, lz4, lz4_raw, zstd"));
        }
    })
}

/// The engine's schema in types that every Parquet reader has: intervals as Spark writes them (months as int32, microseconds
/// as int64), decimals in 128 bits for the writer.
fn portable(schema: &SchemaRef) -> SchemaRef {
    let fields: Vec<Field> = schema
        .fields()
        .iter()
        .map(|f| {
            let t = match f.data_type() {
                ArrowType::Decimal64(p, s) => ArrowType::Decimal128(*p, *s),
                other => other.clone(),
            };
            Field::new(f.name(), t, f.is_nullable())
        })
        .collect();
    Arc::new(Schema::new(fields))
}

fn portable_column(c: &ArrayRef) -> Result<ArrayRef> {
    Ok(match c.data_type() {
        ArrowType::Decimal64(p, s) => {
            let wide = c.as_primitive::<Decimal64Type>().unary::<_, Decimal128Type>(i128::from);
            Arc::new(wide.with_precision_and_scale(*p, *s)?)
        }
        _ => c.clone(),
    })
}

struct ParquetFileWriter {
    path: String,
    schema: SchemaRef,
    writer: ArrowWriter<BufWriter<File>>,
    rows: u64,
}

impl ParquetFileWriter {
    fn failed(path: &str, e: parquet::errors::ParquetError) -> Error {
        Error::io(format!("cannot write {path}"), e)
    }
}

impl FileWriter for ParquetFileWriter {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let columns = batch.columns().iter().map(portable_column).collect::<Result<Vec<_>>>()?;
        let batch = RecordBatch::try_new(self.schema.clone(), columns)?;
        self.rows += batch.num_rows() as u64;
        self.writer.write(&batch).map_err(|e| Self::failed(&self.path, e))
    }

    fn finish(self: Box<Self>) -> Result<WrittenFile> {
        let ParquetFileWriter { path, writer, rows, .. } = *self;
        let file = writer.into_inner().map_err(|e| Self::failed(&path, e))?;
        let file = file.into_inner().map_err(|e| Error::io(format!("cannot write {path}"), e.error()))?;
        file.sync_all().map_err(|e| Error::io(format!("cannot write {path}"), e))?;
        let bytes = file.metadata().map_or(0, |m| m.len());
        Ok(WrittenFile { path, rows, bytes })
    }
}
