//! A Parquet file or folder as a table.

use super::metadata::{self, FileMetadata};
use super::partitions::Partitions;
use super::split::{self, Group};
use crate::files::{self, DataFile};
use arrow::array::Array;
use arrow::compute::kernels::aggregate;
use parking_lot::Mutex;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, OnceLock};
use vonk_error::{Error, ErrorKind, Result, check_cancelled};
use vonk_plan::source::{
    ColumnStatistics, ScanPartition, ScanPlan, ScanRequest, TableSource, TableStatistics,
};
use vonk_types::{DataType, Literal, ScalarValue, StructType};

/// A table of Parquet files. The schema is that of the first file, as in Spark without `mergeSchema`.
#[derive(Debug)]
pub struct ParquetSource {
    path: String,
    files: Vec<DataFile>,
    schema: StructType,
    partitions: Partitions,
    /// By column, what a file holds that lacks it; null if nothing is said.
    missing: Vec<Option<Literal>>,
    statistics: OnceLock<TableStatistics>,
    loaded: Mutex<Vec<Option<Arc<FileMetadata>>>>,
}

/// What the partitions of a scan share, on the wire.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SharedFiles {
    pub files: Vec<DataFile>,
    /// Names of the table's columns, by position: files may have them elsewhere.
    pub columns: Vec<String>,
    /// Positions of partition columns in the table.
    pub partition_columns: Vec<usize>,
    /// Their values, by file.
    pub partition_values: Vec<Vec<Option<String>>>,
    /// By column, what a file holds that lacks it; null if nothing is said.
    pub missing: Vec<Option<Literal>>,
}

/// A partition: row groups of files, in order.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RowGroups {
    /// Index into [`SharedFiles::files`], and row groups of it.
    pub groups: Vec<(u32, Vec<u32>)>,
    /// Of a single row group, only these rows: one that is large beside the others is shared out.
    pub rows: Option<(u64, u64)>,
}

/// Files whose statistics are read while planning; beyond that the rest is extrapolated.
const FILES_FOR_STATISTICS: usize = 64;

impl ParquetSource {
    /// Opens a file, folder or pattern. `schema` is that of the catalog, if it knows one. Columns that stand in the names of
    /// folders come last.
    pub fn open(path: &str, schema: Option<StructType>) -> Result<ParquetSource> {
        Self::open_partitioned(path, schema, None)
    }

    /// As [`open`](Self::open), where the catalog knows that the last `partition_columns` columns of the schema are in the
    /// names of folders.
    pub fn open_partitioned(
        path: &str,
        schema: Option<StructType>,
        partition_columns: Option<usize>,
    ) -> Result<ParquetSource> {
        let files = match files::list(path) {
            // A table of the catalog is one without rows, too, when its folder is gone.
            Err(e) if partition_columns.is_some() && e.condition() == "PATH_NOT_FOUND" => vec![],
            found => found?,
        };
        let files: Vec<DataFile> =
            files.into_iter().filter(|f| f.size > 0 || f.path.ends_with(".parquet")).collect();
        let schema = match (schema, files.first()) {
            (Some(s), _) => s,
            (None, Some(first)) => metadata::load(first)?.schema.clone(),
            (None, None) => {
                return Err(Error::new("UNABLE_TO_INFER_SCHEMA").with("format", "Parquet"));
            }
        };
        let known = partition_columns.map(|n| &schema.fields[schema.fields.len().saturating_sub(n)..]);
        let partitions = Partitions::find(path, &files, known)?;
        let schema = match known {
            Some(_) => schema,
            None => {
                let named = |n: &str| partitions.columns.iter().any(|p| p.name.eq_ignore_ascii_case(n));
                let data = schema.fields.iter().filter(|f| !named(&f.name)).cloned();
                StructType::new(data.chain(partitions.columns.iter().cloned()).collect::<Vec<_>>())
            }
        };
        let loaded = Mutex::new(vec![None; files.len()]);
        let statistics = OnceLock::new();
        let missing = vec![];
        Ok(ParquetSource { path: path.to_string(), files, schema, partitions, missing, statistics, loaded })
    }

    /// The same, where files that lack a column hold this value in it, by position of the column.
    pub fn with_missing(self, missing: Vec<Option<Literal>>) -> ParquetSource {
        ParquetSource { missing, ..self }
    }

    /// Where it lies.
    pub fn path(&self) -> &str {
        &self.path
    }

    fn metadata(&self, file: usize) -> Result<Arc<FileMetadata>> {
        check_cancelled()?;
        if let Some(found) = &self.loaded.lock()[file] {
            return Ok(found.clone());
        }
        let m = metadata::load(&self.files[file])?;
        self.loaded.lock()[file] = Some(m.clone());
        Ok(m)
    }

    fn compute_statistics(&self) -> Result<TableStatistics> {
        let sampled = self.files.len().min(FILES_FOR_STATISTICS);
        let mut rows = 0u64;
        let mut columns = vec![ColumnSummary::default(); self.schema.fields.len()];
        for i in 0..sampled {
            let m = self.metadata(i)?;
            rows += u64::try_from(m.arrow.metadata().file_metadata().num_rows()).unwrap_or(0);
            for (position, field) in self.schema.fields.iter().enumerate() {
                // The statistics of the other files say nothing of a value that stands in no file.
                if self.missing.get(position).is_none_or(Option::is_none) {
                    columns[position].add(&m, &field.name, &field.data_type)?;
                }
            }
        }
        let factor = if sampled == 0 { 1.0 } else { self.files.len() as f64 / sampled as f64 };
        let rows = (rows as f64 * factor) as u64;
        let columns = columns.into_iter().map(|c| c.finish(factor, rows)).collect();
        Ok(TableStatistics { rows: Some(rows), bytes: None, columns })
    }
}

/// Sums up a column over row groups.
#[derive(Debug, Clone, Default)]
struct ColumnSummary {
    min: Option<Literal>,
    max: Option<Literal>,
    nulls: u64,
    nulls_known: bool,
    bytes: u64,
    rows: u64,
    distinct: Option<u64>,
}

impl ColumnSummary {
    fn add(&mut self, m: &FileMetadata, name: &str, t: &DataType) -> Result<()> {
        let Some((index, field)) =
            m.schema.fields.iter().enumerate().find(|(_, f)| f.name.eq_ignore_ascii_case(name))
        else {
            return Ok(());
        };
        let parquet = m.arrow.metadata();
        let leaves: Vec<usize> = (0..m.arrow.parquet_schema().num_columns())
            .filter(|l| m.arrow.parquet_schema().get_column_root_idx(*l) == index)
            .collect();
        for g in parquet.row_groups() {
            self.rows += u64::try_from(g.num_rows()).unwrap_or(0);
            self.bytes +=
                leaves.iter().map(|l| g.column(*l).uncompressed_size().max(0).unsigned_abs()).sum::<u64>();
        }
        if field.data_type != *t || field.data_type.is_nested() {
            return Ok(());
        }
        if let [leaf] = leaves[..] {
            let counts = parquet
                .row_groups()
                .iter()
                .map(|g| g.column(leaf).statistics().and_then(|s| s.distinct_count_opt()));
            self.distinct = counts.fold(self.distinct, |a, b| a.max(b));
        }
        let converter = StatisticsConverter::try_new(
            m.arrow.schema().field(index).name(),
            m.arrow.schema(),
            m.arrow.parquet_schema(),
        );
        let Ok(converter) = converter else { return Ok(()) };
        let groups = parquet.row_groups();
        if let Ok(nulls) = converter.row_group_null_counts(groups) {
            self.nulls_known = nulls.null_count() == 0;
            self.nulls += aggregate::sum(&nulls).unwrap_or(0);
        }
        for (values, is_min) in
            [(converter.row_group_mins(groups), true), (converter.row_group_maxes(groups), false)]
        {
            let Ok(values) = values else { continue };
            if values.null_count() > 0 {
                continue;
            }
            let Ok(values) = crate::conform::conform(&values, t) else { continue };
            for row in 0..values.len() {
                let l = Literal::from_array(&values, row, t.clone())?;
                let slot = if is_min { &mut self.min } else { &mut self.max };
                let replace = match slot.as_ref().map(|s| l.value.partial_cmp(&s.value)) {
                    None => true,
                    Some(order) => {
                        order
                            == Some(if is_min {
                                std::cmp::Ordering::Less
                            } else {
                                std::cmp::Ordering::Greater
                            })
                    }
                };
                if replace {
                    *slot = Some(l);
                }
            }
        }
        Ok(())
    }

    fn finish(self, factor: f64, table_rows: u64) -> ColumnStatistics {
        // A column's encoded bytes bound its distinct values: a dictionary-encoded column of few values takes a fraction of a
        // byte per row. Without a count in the file that is the best hint there is for strings.
        let width = if self.rows > 0 { Some(self.bytes as f64 / self.rows as f64) } else { None };
        let distinct = self.distinct.or_else(|| {
            let text = matches!(&self.min, Some(Literal { value: ScalarValue::Utf8View(_), .. }));
            let w = width.filter(|_| text && self.rows > 1000)?;
            // Dictionary indices take log2(distinct) bits.
            (w < 2.0).then(|| 2f64.powf(w * 8.0).min(table_rows as f64) as u64)
        });
        ColumnStatistics {
            nulls: self.nulls_known.then_some((self.nulls as f64 * factor) as u64),
            min: self.min,
            max: self.max,
            distinct: distinct.map(|d| d.max(1)),
            width: None,
        }
    }
}

impl TableSource for ParquetSource {
    fn schema(&self) -> &StructType {
        &self.schema
    }

    fn statistics(&self) -> TableStatistics {
        // Without statistics the query still runs; the error, if there is one, shows when the file is read.
        if let Some(known) = self.statistics.get() {
            return known.clone();
        }
        let found = self.compute_statistics();
        // One that was cancelled knows as little, but others may ask again.
        if found.as_ref().is_err_and(|e| *e.kind() == ErrorKind::Cancelled) {
            return TableStatistics::default();
        }
        self.statistics.get_or_init(|| found.unwrap_or_default()).clone()
    }

    fn scan(&self, request: &ScanRequest<'_>) -> Result<ScanPlan> {
        let names: Vec<&str> = request.columns.iter().map(|c| self.schema.fields[*c].name.as_ref()).collect();
        let mut groups: Vec<Group> = Vec::new();
        for file in 0..self.files.len() {
            let m = self.metadata(file)?;
            groups.extend(Group::all(file as u32, &m, &names));
        }
        let partitions = split::partitions(&groups, request.target_partitions);
        let encode = |e: postcard::Error| Error::internal(e.to_string());
        let shared = SharedFiles {
            files: self.files.clone(),
            columns: self.schema.fields.iter().map(|f| f.name.to_string()).collect(),
            partition_columns: {
                let n = self.schema.fields.len();
                (n.saturating_sub(self.partitions.columns.len())..n).collect()
            },
            partition_values: self.partitions.values.clone(),
            missing: self.missing.clone(),
        };
        Ok(ScanPlan {
            reader: "parquet".into(),
            shared: postcard::to_stdvec(&shared).map_err(encode)?.into(),
            partitions: partitions
                .into_iter()
                .map(|(p, rows)| {
                    let payload = postcard::to_stdvec(&p).map_err(encode)?.into();
                    Ok(ScanPartition { payload, rows, locations: vec![] })
                })
                .collect::<Result<_>>()?,
            description: self.describe(),
        })
    }

    fn describe(&self) -> String {
        let n = self.files.len();
        format!("parquet {} ({n} file{})", self.path, if n == 1 { "" } else { "s" })
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}
