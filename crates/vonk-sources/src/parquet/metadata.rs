//! Footers, cached per process.

use super::chunks::FileChunks;
use super::corrupt;
use crate::files::{self, DataFile};
use arrow::datatypes::{DataType as ArrowType, Field, FieldRef, Fields, Schema};
use parking_lot::Mutex;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::file::metadata::PageIndexPolicy;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use vonk_error::{Error, Result};
use vonk_types::{DataType, StructField, StructType};

/// A file's footer, with the schema as the engine reads it.
#[derive(Debug)]
pub(crate) struct FileMetadata {
    pub arrow: ArrowReaderMetadata,
    /// Columns as Spark types.
    pub schema: StructType,
}

/// Footers kept; the oldest are forgotten first.
const CACHED_FOOTERS: usize = 4096;

type Cache = Mutex<HashMap<DataFile, Arc<FileMetadata>>>;

fn cache() -> &'static Cache {
    static CACHE: OnceLock<Cache> = OnceLock::new();
    CACHE.get_or_init(Cache::default)
}

/// The footer of a file.
pub(crate) fn load(file: &DataFile) -> Result<Arc<FileMetadata>> {
    if let Some(found) = cache().lock().get(file) {
        return Ok(found.clone());
    }
    let loaded = Arc::new(read(file)?);
    let mut cache = cache().lock();
    if cache.len() >= CACHED_FOOTERS {
        cache.clear();
    }
    cache.insert(file.clone(), loaded.clone());
    Ok(loaded)
}

pub(crate) fn open(file: &DataFile) -> Result<FileChunks> {
    Ok(FileChunks::new(files::open(&file.path)?, file.size))
}

fn read(file: &DataFile) -> Result<FileMetadata> {
    if file.size == 0 {
        return Err(corrupt(&file.path, "the file is empty"));
    }
    let chunks = open(file)?;
    // Spark ignores the Arrow schema that Arrow's writers embed; so do we, or the same file would have two schemas.
    let options = ArrowReaderOptions::new()
        .with_skip_arrow_metadata(true)
        .with_page_index_policy(PageIndexPolicy::Optional);
    let plain = ArrowReaderMetadata::load(&chunks, options.clone()).map_err(|e| corrupt(&file.path, e))?;
    let schema = StructType::from_arrow_fields(plain.schema().fields())
        .map_err(|t| Error::unsupported(format!("the Arrow type {t} in {}", file.path)))?;
    let fields: Vec<StructField> =
        schema.fields.iter().map(|f| StructField { nullable: true, ..f.clone() }).collect();
    // A decimal stored as bytes may not decode to 64 bits at once; it is narrowed afterwards then.
    let hints =
        [true, false].map(|decimals| Arc::new(Schema::new(hint_fields(plain.schema().fields(), decimals))));
    let hinted = hints.into_iter().find_map(|hint| {
        ArrowReaderMetadata::try_new(plain.metadata().clone(), options.clone().with_schema(hint)).ok()
    });
    let arrow = hinted.unwrap_or(plain);
    Ok(FileMetadata { arrow, schema: StructType::new(fields) })
}

/// The file's fields, their leaves in the types the decoder can produce at once (views, 64-bit decimals).
fn hint_fields(fields: &Fields, decimals: bool) -> Fields {
    fields.iter().map(|f| hint_field(f, decimals)).collect()
}

fn hint_field(f: &FieldRef, decimals: bool) -> FieldRef {
    let engine = |t: &ArrowType| DataType::from_arrow(t).map_or_else(|| t.clone(), |s| s.to_arrow());
    let data_type = match f.data_type() {
        ArrowType::List(e) => ArrowType::List(hint_field(e, decimals)),
        ArrowType::Map(e, sorted) => ArrowType::Map(hint_field(e, decimals), *sorted),
        ArrowType::Struct(fields) => ArrowType::Struct(hint_fields(fields, decimals)),
        t @ (ArrowType::Utf8 | ArrowType::Binary) => engine(t),
        t @ ArrowType::Decimal128(..) if decimals => engine(t),
        other => other.clone(),
    };
    Arc::new(Field::new(f.name(), data_type, f.is_nullable()))
}
