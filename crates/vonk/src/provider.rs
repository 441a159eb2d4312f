//! Tables whose rows a program makes: anything that can hand out Arrow batches as a table of SQL and DataFrames.
//!
//! Must not know: how scans are planned. A provider is a source like files are; its reader finds it in this process by number.

use crate::dataframe::DataFrame;
use crate::session::Session;
use arrow::array::{RecordBatch, RecordBatchOptions};
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use vonk_catalog::TemporaryView;
use vonk_error::{Error, Result};
use vonk_plan::logical::{ColumnId, Expr};
use vonk_plan::source::{ScanPartition, ScanPlan, ScanRequest, TableSource, TableStatistics};
use vonk_sources::rows::Rows;
use vonk_sources::{Formats, OpenScan, ScanReader, ScanStream};
use vonk_types::{CompareOp, Literal, StructType};

/// Batches of a partition, made one at a time.
pub type Batches = Box<dyn Iterator<Item = Result<RecordBatch>> + Send>;

/// A table whose rows a program makes.
///
/// ```
/// use arrow::array::{ArrayRef, Int64Array, RecordBatch};
/// use std::sync::Arc;
/// use vonk::provider::{Batches, Scan, TableProvider};
/// use vonk::{DataType, StructField, StructType};
///
/// /// The squares below a hundred, in two partitions.
/// struct Squares;
///
/// impl TableProvider for Squares {
///     fn schema(&self) -> StructType {
///         StructType::new(vec![StructField::new("n", DataType::Long, false), StructField::new("square", DataType::Long, false)])
///     }
///
///     fn partitions(&self) -> usize {
///         2
///     }
///
///     fn scan(&self, partition: usize, scan: &Scan) -> vonk::Result<Batches> {
///         let n: Vec<i64> = if partition == 0 { (0..5).collect() } else { (5..10).collect() };
///         let squares: Vec<i64> = n.iter().map(|n| n * n).collect();
///         let all: [ArrayRef; 2] = [Arc::new(Int64Array::from(n)), Arc::new(Int64Array::from(squares))];
///         Ok(scan.batches([all.to_vec()]))
///     }
/// }
///
/// # let session = vonk::Session::builder().config("spark.master", "local[2]").build()?;
/// session.register_table("squares", Arc::new(Squares))?;
/// assert_eq!(session.sql("SELECT sum(square) FROM squares WHERE n > 7")?.collect_text()?, ["145"]);
/// # Ok::<(), vonk::Error>(())
/// ```
pub trait TableProvider: Send + Sync + 'static {
    /// Columns. Must not change.
    fn schema(&self) -> StructType;

    /// Parts that can be read at once. Asked when a query is planned.
    fn partitions(&self) -> usize {
        1
    }

    /// Rows in all, if that is known without reading them: joins are planned by it.
    fn rows(&self) -> Option<u64> {
        None
    }

    /// The rows of a partition, from 0: batches of the columns that `scan` wants, in that order. What filters leave out and what goes
    /// beyond the limit need not come, but may. Runs on one of the engine's threads, and may take its time.
    fn scan(&self, partition: usize, scan: &Scan) -> Result<Batches>;
}

/// What a query wants of a partition.
#[derive(Debug, Clone)]
pub struct Scan {
    /// Positions in the schema, in the order wanted.
    pub columns: Vec<usize>,
    /// Conditions that every row must satisfy.
    pub filters: Vec<Filter>,
    /// Rows that are enough, after the filters and others that only the engine knows.
    pub limit: Option<u64>,
    /// Rows of a batch that suit the engine.
    pub batch_rows: usize,
}

impl Scan {
    /// Batches from all columns of the schema, of which those wanted are taken.
    pub fn batches<I>(&self, all: I) -> Batches
    where
        I: IntoIterator<Item = Vec<arrow::array::ArrayRef>>,
        I::IntoIter: Send + 'static,
    {
        let columns = self.columns.clone();
        Box::new(all.into_iter().map(move |arrays| {
            let rows = arrays.first().map_or(0, |a| a.len());
            let wanted: Vec<_> = columns.iter().filter_map(|c| arrays.get(*c).cloned()).collect();
            let field = |(i, a): (usize, &arrow::array::ArrayRef)| {
                arrow::datatypes::Field::new(i.to_string(), a.data_type().clone(), true)
            };
            let fields: Vec<_> = wanted.iter().enumerate().map(field).collect();
            let schema = Arc::new(arrow::datatypes::Schema::new(fields));
            let options = RecordBatchOptions::new().with_row_count(Some(rows));
            Ok(RecordBatch::try_new_with_options(schema, wanted, &options)?)
        }))
    }
}

/// A comparison of a column with a constant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Filter {
    /// Position in the schema.
    pub column: usize,
    /// The comparison, the column on its left.
    pub op: CompareOp,
    /// The constant, of the column's type.
    pub value: Literal,
}

impl Session {
    /// Makes a provider's table a temporary view of the session, replacing one of the name.
    pub fn register_table(&self, name: &str, provider: Arc<dyn TableProvider>) -> Result<()> {
        if !self.runs_here() {
            return Err(Error::unsupported("tables of this program on executors of other processes"));
        }
        let source = Arc::new(ProviderSource::new(name, provider));
        self.catalog().put_view(name, TemporaryView::Source(source), false, true)
    }

    /// A provider's table as a DataFrame.
    pub fn read_provider(&self, name: &str, provider: Arc<dyn TableProvider>) -> Result<DataFrame> {
        if !self.runs_here() {
            return Err(Error::unsupported("tables of this program on executors of other processes"));
        }
        self.scan_of(name, Arc::new(ProviderSource::new(name, provider)))
    }
}

/// The formats of files, and the tables of programs.
pub(crate) fn formats() -> Formats {
    let mut formats = Formats::builtin();
    formats.add_reader(Arc::new(ProviderReader));
    formats
}

/// The providers of this process by number, as long as a plan or a view has them.
static PROVIDERS: RwLock<Option<HashMap<u64, Arc<dyn TableProvider>>>> = RwLock::new(None);

pub(crate) struct ProviderSource {
    name: String,
    id: u64,
    schema: StructType,
    provider: Arc<dyn TableProvider>,
}

impl ProviderSource {
    pub(crate) fn new(name: &str, provider: Arc<dyn TableProvider>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        PROVIDERS.write().get_or_insert_default().insert(id, provider.clone());
        ProviderSource { name: name.to_string(), id, schema: provider.schema(), provider }
    }
}

impl Drop for ProviderSource {
    fn drop(&mut self) {
        if let Some(providers) = PROVIDERS.write().as_mut() {
            providers.remove(&self.id);
        }
    }
}

impl fmt::Debug for ProviderSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}

/// What all partitions share.
#[derive(Serialize, Deserialize)]
struct Shared {
    provider: u64,
    filters: Vec<Filter>,
}

impl TableSource for ProviderSource {
    fn schema(&self) -> &StructType {
        &self.schema
    }

    fn statistics(&self) -> TableStatistics {
        TableStatistics { rows: self.provider.rows(), ..TableStatistics::default() }
    }

    fn scan(&self, request: &ScanRequest<'_>) -> Result<ScanPlan> {
        let filters = request.filters.iter().filter_map(filter).collect();
        let bytes = |e: postcard::Result<Vec<u8>>| e.map_err(|e| Error::internal(e.to_string()));
        let shared = bytes(postcard::to_stdvec(&Shared { provider: self.id, filters }))?;
        let partitions = self.provider.partitions().max(1);
        let rows = self.provider.rows().unwrap_or(0) / partitions as u64;
        let partition = |i: usize| {
            Ok(ScanPartition { payload: bytes(postcard::to_stdvec(&i))?.into(), rows, locations: Vec::new() })
        };
        Ok(ScanPlan {
            reader: READER.into(),
            shared: shared.into(),
            partitions: (0..partitions).map(partition).collect::<Result<_>>()?,
            description: self.describe(),
        })
    }

    fn describe(&self) -> String {
        format!("provider {}", self.name)
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

/// A conjunct as a provider sees it, if it is simple enough.
fn filter(e: &Expr) -> Option<Filter> {
    let Expr::Compare { op, left, right } = e else { return None };
    let column = |id: ColumnId| usize::try_from(id.0).ok();
    match (left.as_ref(), right.as_ref()) {
        (Expr::Column(c), Expr::Literal(v)) => {
            Some(Filter { column: column(c.id)?, op: *op, value: v.clone() })
        }
        (Expr::Literal(v), Expr::Column(c)) => {
            Some(Filter { column: column(c.id)?, op: op.swap(), value: v.clone() })
        }
        _ => None,
    }
}

const READER: &str = "provider";

struct ProviderReader;

impl ScanReader for ProviderReader {
    fn name(&self) -> &'static str {
        READER
    }

    fn open(&self, scan: OpenScan<'_>) -> Result<Box<dyn ScanStream>> {
        let read = |e: postcard::Error| Error::internal(format!("scan of a provider: {e}"));
        let shared: Shared = postcard::from_bytes(scan.shared).map_err(read)?;
        let partition: usize = postcard::from_bytes(scan.partition).map_err(read)?;
        let provider = PROVIDERS.read().as_ref().and_then(|p| p.get(&shared.provider).cloned());
        let Some(provider) = provider else {
            return Err(Error::io("cannot read a table of this program", "it is no longer registered"));
        };
        let wanted = Scan {
            columns: scan.read.iter().map(|(p, _)| *p).collect(),
            filters: shared.filters,
            limit: scan.limit,
            batch_rows: scan.batch_rows,
        };
        let fields: Vec<_> = scan.read.iter().map(|(_, f)| f.clone()).collect();
        let schema = StructType::new(fields.clone()).to_arrow_schema();
        let batches = provider.scan(partition, &wanted)?.map(move |batch| {
            let batch = batch?;
            if batch.num_columns() != fields.len() {
                return Err(Error::io(
                    "cannot read a table of this program",
                    format!("its batch has {} columns, {} were wanted", batch.num_columns(), fields.len()),
                ));
            }
            let conformed = batch.columns().iter().zip(&fields);
            let columns = conformed
                .map(|(a, f)| {
                    if !f.nullable && a.null_count() > 0 {
                        let cause = format!("its column {} has nulls, which its schema denies", f.name);
                        return Err(Error::io("cannot read a table of this program", cause));
                    }
                    vonk_sources::conform::conform(a, &f.data_type).map_err(|_| {
                        let wanted = f.data_type.catalog_string();
                        let cause = format!("its column {} is {}, not {wanted}", f.name, a.data_type());
                        Error::io("cannot read a table of this program", cause)
                    })
                })
                .collect::<Result<Vec<_>>>()?;
            let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            Ok(RecordBatch::try_new_with_options(schema.clone(), columns, &options)?)
        });
        Ok(Box::new(Rows::new(batches, &scan)?))
    }
}
