//! Opens partitions of Parquet scans.

use super::bloom;
use super::corrupt;
use super::metadata::{self, FileMetadata};
use super::partitions::{self, Constants};
use super::prune::{Summary, may_match};
use super::source::{RowGroups, SharedFiles};
use super::stream::{FilePlan, ParquetStream, Shape};
use crate::files::DataFile;
use crate::reader::{OpenScan, ScanFilter, ScanReader, ScanStream};
use arrow::array::{Array, ArrayRef, UInt64Array};
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::basic::Type;
use parquet::file::metadata::RowGroupMetaData;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::Ordering;
use vonk_error::{Error, Result};
use vonk_types::{DataType, ScalarValue, StructField};

/// Reads Parquet.
pub struct ParquetReader;

impl ScanReader for ParquetReader {
    fn name(&self) -> &'static str {
        "parquet"
    }

    fn open(&self, scan: OpenScan<'_>) -> Result<Box<dyn ScanStream>> {
        let damaged = |e: postcard::Error| Error::internal(format!("scan partition: {e}"));
        let shared: SharedFiles = postcard::from_bytes(scan.shared).map_err(damaged)?;
        let partition: RowGroups = postcard::from_bytes(scan.partition).map_err(damaged)?;
        let mut plans = Vec::with_capacity(partition.groups.len());
        for (file, groups) in partition.groups {
            let values = shared.partition_values.get(file as usize);
            let file = shared
                .files
                .get(file as usize)
                .ok_or_else(|| Error::internal("scan partition names a file that the scan has not"))?;
            let metadata = metadata::load(file)?;
            let folder = constants(&shared, values, &scan)?;
            let columns = resolve(file, &metadata, &scan, &shared.columns, &folder)?;
            let constants = with_missing(&shared, &scan, &columns, folder);
            let groups = surviving(file, &metadata, &columns, groups, &scan, &constants)?;
            let within = groups.first().map(|g| metadata.arrow.metadata().row_group(*g));
            let rows =
                partition.rows.zip(within).map(|(rows, group)| row_range(file, group, rows)).transpose()?;
            let mut plan = FilePlan { file: file.clone(), metadata, columns, groups, rows, constants };
            if let (Some(p), false) = (scan.predicate, plan.groups.is_empty()) {
                bloom::prune(&mut plan, p, scan.read, &scan.metrics)?;
            }
            if !plan.groups.is_empty() {
                plans.push(plan);
            }
        }
        Ok(Box::new(ParquetStream::new(Shape::new(&scan), plans, &scan)?))
    }
}

fn row_range(file: &DataFile, group: &RowGroupMetaData, (from, to): (u64, u64)) -> Result<Range<usize>> {
    if from > to || i128::from(to) > i128::from(group.num_rows()) {
        return Err(corrupt(&file.path, format!("rows {from} to {to} are gone: the file has changed")));
    }
    let place = |at: u64| usize::try_from(at).map_err(|e| corrupt(&file.path, e));
    Ok(place(from)?..place(to)?)
}

/// For each column to read, its value if it is a partition column.
fn constants(
    shared: &SharedFiles,
    values: Option<&Vec<Option<String>>>,
    scan: &OpenScan<'_>,
) -> Result<Constants> {
    let one = |(position, field): &(usize, StructField)| {
        let at = shared.partition_columns.iter().position(|p| p == position);
        let value = at.and_then(|i| values?.get(i));
        value.map(|v| partitions::literal(v.as_deref(), &field.data_type, &scan.env.ctx)).transpose()
    };
    scan.read.iter().map(one).collect()
}

/// The constants, and those of columns that the file lacks.
fn with_missing(
    shared: &SharedFiles,
    scan: &OpenScan<'_>,
    columns: &[Option<usize>],
    constants: Constants,
) -> Constants {
    let lacks = |i: usize| columns[i].is_none() && constants[i].is_none();
    let value = |i: usize| shared.missing.get(scan.read[i].0).cloned().flatten();
    if (0..columns.len()).all(|i| !lacks(i) || value(i).is_none()) {
        return constants;
    }
    (0..columns.len()).map(|i| if lacks(i) { value(i) } else { constants[i].clone() }).collect()
}

/// For each column to read, its position in the file; `None` where the file lacks it, or its folder's name has it.
fn resolve(
    file: &DataFile,
    m: &FileMetadata,
    scan: &OpenScan<'_>,
    table: &[String],
    constants: &Constants,
) -> Result<Vec<Option<usize>>> {
    scan.read
        .iter()
        .zip(constants.iter())
        .map(|((position, field), constant)| {
            if constant.is_some() {
                return Ok(None);
            }
            let name = table.get(*position).map_or(field.name.as_ref(), String::as_str);
            let exact = m.schema.fields.iter().position(|f| f.name.as_ref() == name);
            let found =
                exact.or_else(|| m.schema.fields.iter().position(|f| f.name.eq_ignore_ascii_case(name)));
            if let Some(i) = found {
                check_type(file, &m.schema.fields[i], field)?;
            }
            Ok(found)
        })
        .collect()
}

/// A file may hold a narrower type than the table (integers, float, decimals of equal scale), nothing else.
fn check_type(file: &DataFile, found: &StructField, wanted: &StructField) -> Result<()> {
    use DataType::*;
    let rank = |t: &DataType| match t {
        Byte => Some(1),
        Short => Some(2),
        Int => Some(3),
        Long => Some(4),
        _ => None,
    };
    let (f, w) = (&found.data_type, &wanted.data_type);
    let fits = f.same_type(w, true)
        || matches!((rank(f), rank(w)), (Some(a), Some(b)) if a <= b)
        || matches!((f, w), (Float, Double) | (Int, Double) | (Date, TimestampNtz))
        || matches!((f, w), (Decimal(p, s), Decimal(q, t)) if s == t && p <= q);
    if fits {
        return Ok(());
    }
    Err(Error::new("_INCOMPATIBLE_FILE_SCHEMA")
        .with("path", file.path.clone())
        .with("column", format!("`{}`", wanted.name))
        .with("found", format!("\"{}\"", f.sql()))
        .with("expected", format!("\"{}\"", w.sql())))
}

/// Row groups that predicate and runtime filters leave.
fn surviving(
    file: &DataFile,
    m: &FileMetadata,
    columns: &[Option<usize>],
    groups: Vec<u32>,
    scan: &OpenScan<'_>,
    constants: &Constants,
) -> Result<Vec<usize>> {
    let all = m.arrow.metadata().row_groups();
    scan.metrics.row_groups.fetch_add(groups.len() as u64, Ordering::Relaxed);
    if let Some(g) = groups.iter().find(|g| **g as usize >= all.len()) {
        return Err(corrupt(&file.path, format!("row group {g} is gone: the file has changed")));
    }
    let mut cache: HashMap<usize, Option<ColumnBounds>> = HashMap::new();
    let mut out = Vec::with_capacity(groups.len());
    for g in groups {
        let g = g as usize;
        let mut summary = |read: usize| -> Option<Summary> {
            if let Some(value) = constants.get(read).and_then(Option::as_ref) {
                let rows = u64::try_from(all[g].num_rows()).unwrap_or(0);
                let known = (!value.is_null()).then(|| value.value.clone());
                let nulls = Some(if value.is_null() { rows } else { 0 });
                return Some(Summary { min: known.clone(), max: known, nulls, rows });
            }
            let bounds = cache.entry(read).or_insert_with(|| {
                let position = columns[read]?;
                ColumnBounds::new(m, position, &scan.read[read].1.data_type, all)
            });
            bounds.as_ref().map(|b| b.summary(g, &all[g]))
        };
        let mut keep = true;
        if let Some(p) = scan.predicate {
            let needed: HashMap<usize, Summary> =
                p.columns().into_iter().filter_map(|c| Some((c, summary(c)?))).collect();
            keep = may_match(p, &|c| needed.get(&c).cloned());
        }
        for (column, filter) in &scan.runtime_filters {
            keep = keep && summary(*column).is_none_or(|s| overlaps(filter.as_ref(), &s));
            keep = keep && !filter.is_empty();
        }
        if keep {
            out.push(g);
        } else {
            scan.metrics.row_groups_pruned.fetch_add(1, Ordering::Relaxed);
        }
    }
    Ok(out)
}

/// Whether a runtime filter's values may lie among those of a summary.
pub(super) fn overlaps(filter: &dyn ScanFilter, s: &Summary) -> bool {
    let (Some((low, high)), Some(min), Some(max)) = (filter.bounds(), &s.min, &s.max) else { return true };
    let below = |a: &ScalarValue, b: &ScalarValue| a.partial_cmp(b) == Some(std::cmp::Ordering::Less);
    !(below(&high.value, min) || below(max, &low.value))
}

/// Whether a group's bounds of a column were found by comparing bytes as signed numbers, as old writers did: of no use then.
fn signed_bytes(m: &FileMetadata, position: usize, group: &RowGroupMetaData) -> bool {
    let schema = m.arrow.parquet_schema();
    let leaf = (0..schema.num_columns()).find(|l| schema.get_column_root_idx(*l) == position);
    leaf.is_some_and(|l| {
        let column = group.column(l);
        let bytes = matches!(column.column_type(), Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY);
        bytes && column.statistics().is_some_and(|s| s.is_min_max_deprecated())
    })
}

/// Row-group statistics of one column, in the engine's type.
struct ColumnBounds {
    mins: Option<ArrayRef>,
    maxes: Option<ArrayRef>,
    nulls: Option<UInt64Array>,
}

impl ColumnBounds {
    fn new(m: &FileMetadata, position: usize, t: &DataType, groups: &[RowGroupMetaData]) -> Option<Self> {
        if t.is_nested() || !m.schema.fields[position].data_type.same_type(t, true) {
            return None;
        }
        if groups.iter().any(|g| signed_bytes(m, position, g)) {
            return None;
        }
        let schema = m.arrow.schema();
        let converter =
            StatisticsConverter::try_new(schema.field(position).name(), schema, m.arrow.parquet_schema())
                .ok()?;
        let conformed = |a: parquet::errors::Result<ArrayRef>| crate::conform::conform(&a.ok()?, t).ok();
        Some(ColumnBounds {
            mins: conformed(converter.row_group_mins(groups)),
            maxes: conformed(converter.row_group_maxes(groups)),
            nulls: converter.row_group_null_counts(groups).ok(),
        })
    }

    fn summary(&self, g: usize, group: &RowGroupMetaData) -> Summary {
        let value = |a: &Option<ArrayRef>| {
            let a = a.as_ref().filter(|a| !a.is_null(g))?;
            ScalarValue::try_from_array(a, g).ok()
        };
        Summary {
            min: value(&self.mins),
            max: value(&self.maxes),
            nulls: self.nulls.as_ref().filter(|n| !n.is_null(g)).map(|n| n.value(g)),
            rows: u64::try_from(group.num_rows()).unwrap_or(0),
        }
    }
}
