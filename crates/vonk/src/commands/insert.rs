//! INSERT, and the writing of rows into a table's folder.
//!
//! Tasks write files into a staging folder inside of the table's, which readers do not look into (its name begins with an
//! underscore). When all tasks are done, the files named by those attempts that count are moved to their places; an overwrite
//! removes the old files just before. A failure leaves the table as it was.

use super::{done, writable};
use crate::answer::{Answer, located};
use crate::pipeline::Pipeline;
use crate::settings;
use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use vonk_analyzer::{Texts, WriteColumn};
use vonk_catalog::{ColumnDefinition, TableDefinition, removal};
use vonk_conf as conf;
use vonk_error::{Error, Result};
use vonk_plan::LogicalPlan;
use vonk_plan::logical::{Column, Expr, Named, Write, WriteMode};
use vonk_plan::unresolved::{self, ExprKind, Insert, InsertTarget, PartitionValue, Plan};
use vonk_sources::parquet::ParquetSource;
use vonk_types::{DataType, Literal, StructType};

/// Where rows go.
pub(super) struct Target {
    /// Format.
    pub format: String,
    /// Folder.
    pub folder: PathBuf,
    /// Columns, partition columns last.
    pub schema: StructType,
    /// How many of the last columns are partition columns.
    pub partition_columns: usize,
    /// Options of the format.
    pub options: Vec<(String, String)>,
}

impl Target {
    pub fn of_table(definition: &TableDefinition) -> Target {
        Target {
            format: definition.provider.clone(),
            folder: PathBuf::from(&definition.location),
            schema: definition.schema(),
            partition_columns: definition.partition_columns,
            options: definition.options.clone(),
        }
    }
}

/// `INSERT` in its forms.
pub(super) fn insert(cx: &Pipeline<'_>, insert: &Insert) -> Result<Answer> {
    if let Some(e) = &insert.replace_where {
        return Err(Error::unsupported("INSERT … REPLACE WHERE").at(e.span));
    }
    let mode = if insert.overwrite { WriteMode::Overwrite } else { WriteMode::Append };
    let name = match &insert.target {
        InsertTarget::Table(name) => name,
        InsertTarget::Directory { path, provider, options } => {
            return to_directory(cx, insert, path.as_deref(), provider, options);
        }
    };
    let (id, definition) = writable(cx, name, "INSERT")?;
    let defaults = defaults(cx, &definition)?;
    let source = with_defaults(insert, &definition, &defaults);
    let (plan, texts) = cx.analyze(source.as_ref().unwrap_or(&insert.source))?;
    let schema = definition.schema();
    let (plan, fixed) = with_partition(cx, plan, &insert.partition, &definition, &id.name().quoted())?;
    let listed: Vec<String> = match (insert.columns.is_empty(), fixed.is_empty()) {
        (true, true) => vec![],
        (false, true) => insert.columns.clone(),
        // Columns given by PARTITION come last, under their names.
        (empty, false) => {
            let is_fixed = |n: &str| fixed.iter().any(|f| f.eq_ignore_ascii_case(n));
            let others = if empty {
                schema.fields.iter().map(|f| f.name.to_string()).filter(|n| !is_fixed(n)).collect()
            } else {
                insert.columns.clone()
            };
            others.into_iter().chain(fixed.iter().cloned()).collect()
        }
    };
    let limits = definition.columns.iter().map(|c| c.length.map(|l| l.limit()));
    let extras: Vec<WriteColumn> =
        defaults.into_iter().zip(limits).map(|(default, limit)| WriteColumn { default, limit }).collect();
    let plan =
        cx.with_analyzer(|a| a.write_input(plan, &schema, &listed, insert.by_name, &id.name(), &extras))?;
    if mode == WriteMode::Overwrite && reads(&plan, &definition.location) {
        return Err(Error::new("UNSUPPORTED_OVERWRITE.TABLE").with("table", id.name().quoted()));
    }
    let casts = narrowing_casts(&plan);
    write_rows(cx, &Target::of_table(&definition), plan, texts, mode).map_err(|e| of_column(e, &casts))?;
    done(cx)
}

/// Whether a query reads the table that lies here.
fn reads(plan: &LogicalPlan, location: &str) -> bool {
    let mut found = false;
    plan.visit(&mut |node| {
        if let LogicalPlan::Scan(scan) = node {
            let files = scan.source.as_any().downcast_ref::<ParquetSource>();
            found |= files.is_some_and(|f| f.path() == location);
        }
    });
    found
}

/// The columns that are cast on their way into the table: name, type before, type after.
fn narrowing_casts(plan: &LogicalPlan) -> Vec<(String, String, String)> {
    let LogicalPlan::Project { exprs, .. } = plan else { return Vec::new() };
    let cast = |n: &Named<Expr>| match &n.expr {
        Expr::Cast { expr, to, .. } => {
            Some((n.column.name.to_string(), quoted_type(&expr.data_type()), quoted_type(to)))
        }
        _ => None,
    };
    exprs.iter().filter_map(cast).collect()
}

pub(super) fn quoted_type(t: &DataType) -> String {
    format!("\"{}\"", t.sql())
}

/// An overflow of one of the casts names its column.
fn of_column(e: Error, casts: &[(String, String, String)]) -> Error {
    if e.condition() != "CAST_OVERFLOW" {
        return e;
    }
    let param =
        |name: &str| e.params().find(|(k, _)| *k == name).map(|(_, v)| v.to_string()).unwrap_or_default();
    let (from, to) = (param("sourceType"), param("targetType"));
    match casts.iter().find(|(_, f, t)| *f == from && *t == to) {
        Some((column, from, to)) => Error::new("CAST_OVERFLOW_IN_TABLE_INSERT")
            .with("sourceType", from.as_str())
            .with("targetType", to.as_str())
            .with("columnName", format!("`{column}`")),
        None => e,
    }
}

/// The default of each column that has one.
fn defaults(cx: &Pipeline<'_>, definition: &TableDefinition) -> Result<Vec<Option<Literal>>> {
    definition.columns.iter().map(|c| default_of(cx, c)).collect()
}

/// The default of a column, if it has one.
pub(super) fn default_of(cx: &Pipeline<'_>, c: &ColumnDefinition) -> Result<Option<Literal>> {
    let Some(text) = &c.default else { return Ok(None) };
    let e = vonk_sql::parse_expression(text, &settings::parse_options(&cx.conf))?;
    let literal = cx.with_analyzer(|a| a.analyze_constant(&e)).map_err(|e| e.in_text(text))?;
    super::variables::cast(cx, literal, &c.data_type).map(Some)
}

/// The rows with DEFAULT replaced by what it means for its column; `None` if it does not occur.
fn with_defaults(
    insert: &Insert,
    definition: &TableDefinition,
    defaults: &[Option<Literal>],
) -> Option<Plan> {
    let is_default = |e: &unresolved::Expr| match &e.kind {
        ExprKind::Default => true,
        ExprKind::Name(n) => n.parts.len() == 1 && n.last().eq_ignore_ascii_case("default"),
        _ => false,
    };
    let value = |i: usize| -> Literal {
        let place = match insert.columns.get(i) {
            Some(name) => definition.columns.iter().position(|c| c.name.eq_ignore_ascii_case(name)),
            None => Some(i),
        };
        let column = place.and_then(|p| definition.columns.get(p).map(|c| (p, c)));
        match column {
            Some((p, c)) => {
                defaults.get(p).cloned().flatten().unwrap_or_else(|| Literal::null(c.data_type.clone()))
            }
            None => Literal::null(vonk_types::DataType::Null),
        }
    };
    let replace = |row: &mut Vec<unresolved::Expr>| {
        for (i, e) in row.iter_mut().enumerate().filter(|(_, e)| is_default(e)) {
            *e = unresolved::Expr::literal(value(i), e.span);
        }
    };
    match &insert.source {
        Plan::Values { rows, span } if rows.iter().flatten().any(is_default) => {
            let mut rows = rows.clone();
            rows.iter_mut().for_each(replace);
            Some(Plan::Values { rows, span: *span })
        }
        Plan::Select(s) if s.projection.iter().any(|e| e.kind == ExprKind::Default) => {
            let mut select = s.clone();
            replace(&mut select.projection);
            Some(Plan::Select(select))
        }
        _ => None,
    }
}

/// `PARTITION (a = 1, b)`: adds the given values as columns after the query's, and tells their names.
fn with_partition(
    cx: &Pipeline<'_>,
    plan: Arc<LogicalPlan>,
    partition: &[PartitionValue],
    definition: &TableDefinition,
    table: &str,
) -> Result<(Arc<LogicalPlan>, Vec<String>)> {
    for p in partition {
        if !definition.partition_names().any(|n| n.eq_ignore_ascii_case(&p.column)) {
            return Err(Error::new("PARTITIONS_NOT_FOUND")
                .with("partitionList", format!("`{}`", p.column))
                .with("tableName", table));
        }
    }
    let mut exprs: Vec<Named<Expr>> = plan.output().iter().map(Named::pass).collect();
    let mut names = Vec::new();
    for p in partition {
        let Some(value) = &p.value else { continue };
        let literal = cx.with_analyzer(|a| a.analyze_constant(value))?;
        let column: Column = cx.ids.column(p.column.as_str(), literal.data_type.clone(), literal.is_null());
        exprs.push(Named { expr: Expr::Literal(literal), column });
        names.push(p.column.clone());
    }
    if names.is_empty() {
        return Ok((plan, names));
    }
    Ok((Arc::new(LogicalPlan::Project { exprs, input: plan }), names))
}

fn to_directory(
    cx: &Pipeline<'_>,
    insert: &Insert,
    path: Option<&str>,
    provider: &str,
    options: &[(String, String)],
) -> Result<Answer> {
    let option = options.iter().find(|(k, _)| k.eq_ignore_ascii_case("path")).map(|(_, v)| v.as_str());
    let Some(path) = path.or(option) else {
        return Err(Error::unsupported("INSERT OVERWRITE DIRECTORY without a path"));
    };
    let (plan, texts) = cx.analyze(&insert.source)?;
    let target = Target {
        format: provider.to_lowercase(),
        folder: vonk_sources::files::local_path(path)?,
        schema: plan.schema(),
        partition_columns: 0,
        options: options.to_vec(),
    };
    write_rows(cx, &target, plan, texts, WriteMode::Overwrite)?;
    done(cx)
}

/// A folder that files are written to.
pub(crate) struct Folder<'a> {
    /// Format, in lower case.
    pub format: String,
    /// Where.
    pub folder: PathBuf,
    /// Options of the format.
    pub options: Vec<(String, String)>,
    /// Columns that make folders.
    pub partition_by: &'a [String],
}

/// Writes the rows of a resolved query into a folder.
pub(crate) fn save(
    cx: &Pipeline<'_>,
    plan: Arc<LogicalPlan>,
    texts: Texts,
    to: Folder<'_>,
    overwrite: bool,
) -> Result<()> {
    let columns = plan.output();
    let case_sensitive = cx.conf.get(&conf::CASE_SENSITIVE);
    let same = |a: &str, b: &str| a == b || !case_sensitive && a.eq_ignore_ascii_case(b);
    let mut keys: Vec<Column> = Vec::with_capacity(to.partition_by.len());
    for name in to.partition_by {
        let Some(key) = columns.iter().find(|c| same(&c.name, name)) else {
            let all: Vec<&str> = columns.iter().map(|c| c.name.as_ref()).collect();
            return Err(Error::new("COLUMN_NOT_DEFINED_IN_TABLE")
                .with("colType", "partition")
                .with("colName", format!("`{name}`"))
                .with("tableName", format!("`{}`", to.folder.display()))
                .with("tableCols", all.iter().map(|c| format!("`{c}`")).collect::<Vec<_>>().join(", ")));
        };
        keys.push(key.clone());
    }
    if !keys.is_empty() && keys.len() == columns.len() {
        return Err(Error::new("ALL_PARTITION_COLUMNS_NOT_ALLOWED"));
    }
    let ordered: Vec<Column> = columns.iter().filter(|c| !keys.contains(c)).chain(&keys).cloned().collect();
    let plan = if ordered == columns {
        plan
    } else {
        Arc::new(LogicalPlan::Project { exprs: ordered.iter().map(Named::pass).collect(), input: plan })
    };
    let target = Target {
        format: to.format,
        folder: to.folder,
        schema: StructType::new(ordered.iter().map(Column::to_field).collect::<Vec<_>>()),
        partition_columns: keys.len(),
        options: to.options,
    };
    let mode = if overwrite { WriteMode::Overwrite } else { WriteMode::Append };
    write_rows(cx, &target, plan, texts, mode)
}

pub(super) fn io(what: &str, path: &Path, e: impl std::fmt::Display) -> Error {
    Error::io(format!("cannot {what} {}", path.display()), e)
}

/// Runs a query whose columns are the target's, and makes its rows part of the target.
pub(super) fn write_rows(
    cx: &Pipeline<'_>,
    target: &Target,
    plan: Arc<LogicalPlan>,
    texts: Texts,
    mode: WriteMode,
) -> Result<()> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    if target.format != "parquet" {
        return Err(Error::unsupported(format!("writing files of format {}", target.format)));
    }
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    let staging = target.folder.join(format!("_vonk-staging-{}-{n}", std::process::id()));
    std::fs::create_dir_all(&staging).map_err(|e| io("make the folder", &staging, e))?;
    let result = write_staged(cx, target, &staging, plan, texts)
        .and_then(|files| commit(target, &staging, &files, mode));
    // Whatever is left in it belongs to attempts that do not count.
    let _ = std::fs::remove_dir_all(&staging);
    result
}

/// Writes into the staging folder; the files that count.
fn write_staged(
    cx: &Pipeline<'_>,
    target: &Target,
    staging: &Path,
    plan: Arc<LogicalPlan>,
    texts: Texts,
) -> Result<Vec<PathBuf>> {
    let columns = target.schema.fields.len();
    let mut options = target.options.clone();
    if !options.iter().any(|(k, _)| k.eq_ignore_ascii_case("compression")) {
        options.push(("compression".to_string(), cx.conf.get(&conf::PARQUET_COMPRESSION)));
    }
    let write = LogicalPlan::Write(Write {
        format: target.format.as_str().into(),
        path: staging.to_string_lossy().as_ref().into(),
        partition_by: (columns - target.partition_columns..columns).collect(),
        schema: target.schema.clone(),
        mode: WriteMode::Append,
        options,
        input: plan,
    });
    let planned = cx.plan(Arc::new(write), texts)?;
    let located = |e: Error| located(e, &cx.text, &planned.texts);
    let mut running = cx.run(planned.physical).map_err(located)?;
    let mut files = Vec::new();
    while let Some(batch) = running.next_batch().map_err(located)? {
        let paths = batch.column(0).as_string_view();
        let rows = batch.column(1).as_primitive::<Int64Type>().values().iter().sum::<i64>();
        cx.control.rows_written.fetch_add(rows.unsigned_abs(), Ordering::Relaxed);
        files.extend((0..batch.num_rows()).map(|i| PathBuf::from(paths.value(i))));
    }
    Ok(files)
}

/// Moves staged files to their places.
fn commit(target: &Target, staging: &Path, files: &[PathBuf], mode: WriteMode) -> Result<()> {
    if mode == WriteMode::Overwrite {
        remove_data(&target.folder)?;
    }
    for file in files {
        let relative = file.strip_prefix(staging).map_err(|e| Error::internal(e.to_string()))?;
        // Writers hide their files by a dot in front.
        let name = relative.file_name().map(|n| n.to_string_lossy().trim_start_matches('.').to_string());
        let to = target.folder.join(relative.with_file_name(name.unwrap_or_default()));
        if let Some(folder) = to.parent() {
            std::fs::create_dir_all(folder).map_err(|e| io("make the folder", folder, e))?;
        }
        std::fs::rename(file, &to).map_err(|e| io("move a file to", &to, e))?;
    }
    Ok(())
}

/// Removes a table's files, but not what is being written.
pub(super) fn remove_data(folder: &Path) -> Result<()> {
    removal::empty_folder(folder, |name| name.starts_with("_vonk-staging"))
}
