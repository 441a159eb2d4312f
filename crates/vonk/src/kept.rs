//! Relations whose rows are kept between queries: `DataFrame::cache` and `CACHE TABLE`.
//!
//! To plans a kept relation is a source that has a query instead of files ([`TableSource::kept`]); where the rows lie, and that they
//! are computed once, is the cluster's business. Rows are kept as long as somebody can ask for them: the source, when it is dropped, has them
//! forgotten.

use crate::pipeline::Pipeline;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use vonk_analyzer::Texts;
use vonk_cluster::Cluster;
use vonk_error::{Error, Result};
use vonk_optimizer::statistics::estimate;
use vonk_plan::LogicalPlan;
use vonk_plan::logical::{Column, Scan};
use vonk_plan::source::{KeptQuery, ScanPlan, ScanRequest, TableSource, TableStatistics};
use vonk_types::StructType;

/// A query whose rows are kept.
pub(crate) struct KeptSource {
    relation: u64,
    name: String,
    plan: Arc<LogicalPlan>,
    schema: StructType,
    released: AtomicBool,
    cluster: Arc<Cluster>,
}

impl KeptSource {
    /// Of a resolved query.
    pub fn new(
        cx: &Pipeline<'_>,
        name: &str,
        analyzed: &Arc<LogicalPlan>,
        texts: &Texts,
    ) -> Result<KeptSource> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let plan = cx.optimize(analyzed, texts)?;
        Ok(KeptSource {
            relation: NEXT.fetch_add(1, Ordering::Relaxed),
            name: name.to_string(),
            schema: plan.schema(),
            plan,
            released: AtomicBool::new(false),
            cluster: cx.session.cluster().clone(),
        })
    }

    /// A scan of all its columns, under the identities that they have in the query.
    pub fn scan_as(self: Arc<Self>, columns: Vec<Column>) -> LogicalPlan {
        let columns = columns.into_iter().enumerate().map(|(i, c)| (c, i)).collect();
        LogicalPlan::Scan(Scan {
            name: self.name.clone(),
            source: self,
            columns,
            filters: Vec::new(),
            limit: None,
        })
    }

    /// Keeps them no longer. Plans that read it compute its rows.
    pub fn release(&self) {
        self.released.store(true, Ordering::Relaxed);
        self.cluster.forget_kept(self.relation);
    }

    /// Whether they are kept, or will be when a query asks for them.
    pub fn is_kept(&self) -> bool {
        !self.released.load(Ordering::Relaxed)
    }

    /// Whether it reads a table, by its full name.
    pub fn reads(&self, table: &str) -> bool {
        let mut found = false;
        self.plan.visit(&mut |p| {
            if let LogicalPlan::Scan(s) = p {
                let below = s.source.as_any().downcast_ref::<KeptSource>();
                found |= s.name.eq_ignore_ascii_case(table) || below.is_some_and(|k| k.reads(table));
            }
        });
        found
    }
}

impl Drop for KeptSource {
    fn drop(&mut self) {
        self.cluster.forget_kept(self.relation);
    }
}

impl fmt::Debug for KeptSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}

impl TableSource for KeptSource {
    fn schema(&self) -> &StructType {
        &self.schema
    }

    fn statistics(&self) -> TableStatistics {
        let rows = estimate(&self.plan).rows.clamp(0.0, 1e18);
        TableStatistics { rows: Some(rows as u64), ..TableStatistics::default() }
    }

    fn scan(&self, _: &ScanRequest<'_>) -> Result<ScanPlan> {
        Err(Error::internal("a query that is kept is no file"))
    }

    fn kept(&self) -> Option<KeptQuery> {
        Some(KeptQuery { relation: self.relation, plan: self.plan.clone(), keep: self.is_kept() })
    }

    fn describe(&self) -> String {
        format!("kept {}", self.name)
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}
