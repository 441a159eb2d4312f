//! Writes the tables as Parquet files.

use super::tables::TABLES;
use crate::parquet::ParquetWriterFactory;
use crate::writer::{FileWriterFactory, OpenWrite, WrittenFile};
use std::path::Path;
use vonk_error::{Error, Result};

/// Rows per batch handed to the writer.
const BATCH_ROWS: usize = 8192;

/// Writes all tables at a scale to `<folder>/<table>.parquet`, telling `progress` of each file when it is done.
pub fn generate(scale: f64, folder: &Path, progress: &mut dyn FnMut(&WrittenFile)) -> Result<()> {
    if !(scale.is_finite() && scale > 0.0 && scale <= 100_000.0) {
        return Err(Error::new("INVALID_PARAMETER_VALUE.SCALE").with("scale", scale.to_string()));
    }
    std::fs::create_dir_all(folder).map_err(|e| Error::io(format!("cannot make {}", folder.display()), e))?;
    for table in TABLES {
        let path = folder.join(format!("{}.parquet", table.name()));
        // Written under another name first: an interrupted run leaves no half file that looks whole.
        let partial = folder.join(format!(".{}.parquet.partial", table.name()));
        let schema = table.schema()?;
        let options = [("compression".to_string(), "zstd".to_string())];
        let mut writer = ParquetWriterFactory.open(OpenWrite {
            path: &partial.to_string_lossy(),
            schema: &schema,
            options: &options,
        })?;
        let parts = table.parts(scale);
        for part in 1..=parts {
            for batch in table.batches((scale, part, parts), BATCH_ROWS, true)? {
                writer.write(&batch?)?;
            }
        }
        let mut written = writer.finish()?;
        std::fs::rename(&partial, &path).map_err(|e| {
            Error::io(format!("cannot rename {} to {}", partial.display(), path.display()), e)
        })?;
        written.path = path.to_string_lossy().into_owned();
        progress(&written);
    }
    Ok(())
}
