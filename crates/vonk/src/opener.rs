//! Opens what catalogs define: tables and files by their format, views by their text.

use std::sync::Arc;
use vonk_catalog::{Opener, TableDefinition};
use vonk_error::{Error, Result};
use vonk_plan::source::TableSource;
use vonk_plan::unresolved::{self, Statement};
use vonk_sources::parquet::ParquetSource;
use vonk_sql::ParseOptions;

/// The formats that Spark would know; those among them that Vonk reads are in [`SessionOpener::files`].
const SPARK_FORMATS: [&str; 8] = ["parquet", "csv", "json", "orc", "avro", "text", "binaryfile", "xml"];

pub(crate) struct SessionOpener;

impl Opener for SessionOpener {
    fn table(&self, definition: &TableDefinition) -> Result<Arc<dyn TableSource>> {
        if !definition.provider.eq_ignore_ascii_case("parquet") {
            return Err(Error::unsupported(format!("tables of format {}", definition.provider)));
        }
        let source = ParquetSource::open_partitioned(
            &definition.location,
            Some(definition.schema()),
            Some(definition.partition_columns),
        )?;
        let missing = definition.columns.iter().map(|c| c.missing.clone()).collect();
        Ok(Arc::new(source.with_missing(missing)))
    }

    fn files(&self, format: &str, path: &str) -> Result<Option<Arc<dyn TableSource>>> {
        match format.to_lowercase().as_str() {
            "parquet" => Ok(Some(Arc::new(ParquetSource::open(path, None)?))),
            other if SPARK_FORMATS.contains(&other) => {
                Err(Error::unsupported(format!("files of format {other}")))
            }
            _ => Ok(None),
        }
    }

    fn view(&self, text: &str) -> Result<unresolved::Plan> {
        match vonk_sql::parse_statement(text, &ParseOptions::default())? {
            Statement::Query(plan) => Ok(plan),
            _ => Err(Error::internal("the text of a view is not a query")),
        }
    }
}
