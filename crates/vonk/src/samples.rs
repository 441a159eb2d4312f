//! The catalog `samples`: tables to query from the first minute.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use vonk_catalog::StaticCatalog;
use vonk_error::Result;
use vonk_plan::source::TableSource;
use vonk_sources::tpch::{TABLES, Table, TpchSource};

/// `samples.tpch.*` at one scale.
pub(crate) struct Samples {
    scale: f64,
    /// Opened once: equal scans of one query share their source.
    opened: Mutex<HashMap<&'static str, Arc<dyn TableSource>>>,
}

impl Samples {
    pub fn new(scale: f64) -> Self {
        Samples { scale, opened: Mutex::default() }
    }
}

impl StaticCatalog for Samples {
    fn name(&self) -> &str {
        "samples"
    }

    fn databases(&self) -> Vec<String> {
        vec!["tpch".to_string()]
    }

    fn tables(&self, database: &str) -> Vec<String> {
        if database == "tpch" { TABLES.iter().map(|t| t.name().to_string()).collect() } else { vec![] }
    }

    fn table(&self, database: &str, table: &str) -> Result<Option<Arc<dyn TableSource>>> {
        let Some(table) = Table::by_name(table).filter(|_| database == "tpch") else { return Ok(None) };
        let mut opened = self.opened.lock();
        if let Some(found) = opened.get(table.name()) {
            return Ok(Some(found.clone()));
        }
        let source: Arc<dyn TableSource> = Arc::new(TpchSource::new(table, self.scale)?);
        opened.insert(table.name(), source.clone());
        Ok(Some(source))
    }
}
