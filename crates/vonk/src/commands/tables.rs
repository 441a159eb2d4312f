//! CREATE TABLE, DROP TABLE, RENAME, TRUNCATE.

use super::insert::{Target, write_rows};
use super::views::{now_millis, unknown_format};
use super::{done, not_found, not_in_catalog, writable};
use crate::answer::Answer;
use crate::pipeline::Pipeline;
use std::path::Path;
use std::sync::Arc;
use vonk_analyzer::Texts;
use vonk_catalog::{ColumnDefinition, Found, TableDefinition, TableId, TableKind, TextLength, removal};
use vonk_error::{Error, Result};
use vonk_plan::LogicalPlan;
use vonk_plan::logical::WriteMode;
use vonk_plan::unresolved::{
    CharLength, ColumnDef, CreateTable, Expr, ExprKind, Name, PartitionValue, TypeRef,
};
use vonk_types::DataType;
use vonk_types::cast::can_store_assign;
use vonk_types::data_type::quote_identifier;

/// The kind of a table as commands show it.
pub(super) fn kind_name(definition: &TableDefinition) -> &'static str {
    match definition.kind {
        TableKind::Managed => "MANAGED",
        TableKind::External => "EXTERNAL",
        TableKind::View { .. } => "VIEW",
    }
}

/// `CREATE TABLE` in its forms.
pub(super) fn create(cx: &Pipeline<'_>, create: &CreateTable) -> Result<Answer> {
    let catalog = cx.session.catalog();
    let id = catalog.table_id(&create.name.parts);
    if id.catalog != vonk_catalog::SPARK_CATALOG {
        return Err(Error::unsupported(format!("tables in the catalog {}", id.catalog)).at(create.name.span));
    }
    catalog.database_of(&[id.catalog.clone(), id.database.clone()])?;
    let existing = catalog.warehouse().table(&id.database, &id.table)?;
    if existing.is_some() && !create.replace {
        if create.if_not_exists {
            return done(cx);
        }
        return Err(Error::new("TABLE_OR_VIEW_ALREADY_EXISTS")
            .with("relationName", id.name().quoted())
            .at(create.name.span));
    }
    check_supported(create)?;
    let query = create.query.as_ref().map(|q| cx.analyze(q)).transpose()?;
    let columns = match (&query, &create.like) {
        (Some((plan, _)), _) => columns_of_query(plan),
        (None, Some(like)) => columns_like(cx, like)?,
        (None, None) => {
            let all = create.columns.iter().chain(&create.partition_columns);
            all.map(|c| defined(cx, c, "CREATE TABLE")).collect::<Result<_>>()?
        }
    };
    let definition = define(cx, create, &id, columns)?;
    let Some((plan, texts)) = query else {
        if existing.is_some() {
            catalog.warehouse().drop_table(&id.database, &id.table)?;
        }
        // An empty table is an empty folder, to other programs too.
        let folder = Path::new(&definition.location);
        std::fs::create_dir_all(folder)
            .map_err(|e| Error::io(format!("cannot make the folder {}", folder.display()), e))?;
        catalog.warehouse().put_table(&id.database, &definition)?;
        return done(cx);
    };
    // The data first: a query that fails, or is cancelled, leaves no table, and one that was to be replaced as it was.
    let old = existing.filter(|t| t.kind == TableKind::Managed);
    let in_place = old.as_ref().is_some_and(|t| t.location == definition.location);
    fill(cx, &definition, plan, texts, in_place)?;
    catalog.warehouse().put_table(&id.database, &definition)?;
    if let Some(old) = old.filter(|_| !in_place) {
        removal::remove_folder(Path::new(&old.location))?;
    }
    done(cx)
}

fn check_supported(create: &CreateTable) -> Result<()> {
    let provider = create.provider.as_deref().unwrap_or("parquet");
    let known = ["parquet", "csv", "json", "orc", "avro", "text", "hive", "delta", "iceberg"];
    if !provider.eq_ignore_ascii_case("parquet") {
        return Err(if known.iter().any(|k| provider.eq_ignore_ascii_case(k)) {
            Error::unsupported(format!("tables of format {provider}")).at(create.name.span)
        } else {
            unknown_format(provider).at(create.name.span)
        });
    }
    if create.buckets.is_some() {
        return Err(Error::unsupported("bucketed tables").at(create.name.span));
    }
    if let Some(c) = create.columns.iter().find(|c| c.generated.is_some()) {
        return Err(Error::unsupported("generated columns").at(c.span));
    }
    Ok(())
}

fn length_of(t: &TypeRef) -> Option<TextLength> {
    t.length.map(|l| match l {
        CharLength::Char(n) => TextLength::Char(n),
        CharLength::Varchar(n) => TextLength::Varchar(n),
    })
}

/// A column as a statement defines it, its default checked.
pub(super) fn defined(cx: &Pipeline<'_>, c: &ColumnDef, statement: &str) -> Result<ColumnDefinition> {
    let check = |e| default_text(cx, e, &c.name, &c.data_type.data_type, statement);
    Ok(ColumnDefinition { default: c.default.as_ref().map(check).transpose()?, ..column(c) })
}

/// The text of a column's default, checked to be a constant that fits.
pub(super) fn default_text(
    cx: &Pipeline<'_>,
    e: &Expr,
    column: &str,
    to: &DataType,
    statement: &str,
) -> Result<String> {
    let text = cx.text.get(e.span.start as usize..e.span.end as usize).unwrap_or_default();
    let wrong = |condition| {
        Error::new(condition)
            .with("statement", statement)
            .with("colName", quote_identifier(column))
            .with("defaultValue", text)
    };
    if matches!(e.kind, ExprKind::ScalarSubquery(_)) {
        return Err(wrong("INVALID_DEFAULT_VALUE.SUBQUERY_EXPRESSION"));
    }
    let value = cx
        .with_analyzer(|a| a.analyze_constant(e))
        .map_err(|_| wrong("INVALID_DEFAULT_VALUE.NOT_CONSTANT"))?;
    if value.data_type != DataType::Null && !can_store_assign(&value.data_type, to) {
        return Err(wrong("INVALID_DEFAULT_VALUE.DATA_TYPE")
            .with("expectedType", format!("\"{}\"", to.sql()))
            .with("actualType", format!("\"{}\"", value.data_type.sql())));
    }
    Ok(text.to_string())
}

fn column(c: &ColumnDef) -> ColumnDefinition {
    ColumnDefinition {
        nullable: c.nullable,
        comment: c.comment.clone(),
        length: length_of(&c.data_type),
        ..ColumnDefinition::new(c.name.as_str(), c.data_type.data_type.clone())
    }
}

fn columns_of_query(plan: &LogicalPlan) -> Vec<ColumnDefinition> {
    let column = |c: vonk_plan::Column| ColumnDefinition::new(c.name.as_ref(), c.data_type);
    plan.output().into_iter().map(column).collect()
}

fn columns_like(cx: &Pipeline<'_>, like: &Name) -> Result<Vec<ColumnDefinition>> {
    match cx.session.catalog().find(&like.parts)? {
        Some(Found::Table(_, definition)) => Ok(definition.columns),
        Some(Found::Static(_, source)) => Ok(source
            .schema()
            .fields
            .iter()
            .map(|f| ColumnDefinition {
                nullable: f.nullable,
                ..ColumnDefinition::new(f.name.as_ref(), f.data_type.clone())
            })
            .collect()),
        _ => Err(not_found(cx, like)),
    }
}

/// The definition, with partition columns moved to the end.
fn define(
    cx: &Pipeline<'_>,
    create: &CreateTable,
    id: &TableId,
    mut columns: Vec<ColumnDefinition>,
) -> Result<TableDefinition> {
    for (i, c) in columns.iter().enumerate() {
        if columns[..i].iter().any(|o| o.name.eq_ignore_ascii_case(&c.name)) {
            let name = format!("`{}`", c.name.to_lowercase());
            return Err(Error::new("COLUMN_ALREADY_EXISTS").with("columnName", name));
        }
        if c.data_type == DataType::Null {
            return Err(Error::new("UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE")
                .with("columnName", format!("`{}`", c.name))
                .with("columnType", "\"VOID\"")
                .with("format", "Parquet"));
        }
    }
    let mut partition = Vec::new();
    for e in &create.partitioned_by {
        let name = partition_column(e)?;
        let at = columns.iter().position(|c| c.name.eq_ignore_ascii_case(&name));
        let at = at.ok_or_else(|| {
            let names: Vec<String> = columns.iter().map(|c| format!("`{}`", c.name)).collect();
            Error::new("COLUMN_NOT_DEFINED_IN_TABLE")
                .with("colType", "partition")
                .with("colName", format!("`{name}`"))
                .with("tableName", id.name().quoted())
                .with("tableCols", names.join(", "))
        })?;
        partition.push(columns.remove(at));
    }
    let partition_columns = partition.len() + create.partition_columns.len();
    columns.extend(partition);
    if columns.len() == partition_columns && partition_columns > 0 {
        return Err(Error::new("ALL_PARTITION_COLUMNS_NOT_ALLOWED"));
    }
    let path = create.options.iter().find(|(k, _)| k.eq_ignore_ascii_case("path")).map(|(_, v)| v.clone());
    let location = create.location.clone().or(path);
    let kind = if location.is_some() || create.external { TableKind::External } else { TableKind::Managed };
    let location = match location {
        Some(l) => folder(&l)?,
        None => cx.session.catalog().warehouse().table_location(&id.database, &id.table)?,
    };
    Ok(TableDefinition {
        name: id.table.clone(),
        kind,
        columns,
        partition_columns,
        provider: "parquet".to_string(),
        location,
        options: create.options.clone(),
        properties: create.properties.clone(),
        comment: create.comment.clone(),
        created: now_millis(),
        owner: cx.session.user().to_string(),
    })
}

/// A location as definitions hold it.
pub(super) fn folder(location: &str) -> Result<String> {
    let path = vonk_sources::files::local_path(location)?;
    Ok(std::path::absolute(&path).unwrap_or(path).to_string_lossy().into_owned())
}

fn partition_column(e: &Expr) -> Result<String> {
    match &e.kind {
        ExprKind::Name(n) if n.parts.len() == 1 => Ok(n.last().to_string()),
        _ => Err(Error::unsupported("partition transforms").at(e.span)),
    }
}

/// CREATE TABLE AS: the query's rows become the table's, in the place of those of another one if `in_place`.
fn fill(
    cx: &Pipeline<'_>,
    definition: &TableDefinition,
    plan: Arc<LogicalPlan>,
    texts: Texts,
    in_place: bool,
) -> Result<()> {
    let folder = Path::new(&definition.location);
    let occupied = std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if occupied && !in_place && definition.kind == TableKind::Managed {
        return Err(Error::new("LOCATION_ALREADY_EXISTS")
            .with("location", format!("file:{}", definition.location))
            .with("identifier", format!("`{}`", definition.name)));
    }
    // The query has its columns in the order it names them; the table has partition columns last.
    let output = plan.output();
    let ordered: Vec<vonk_plan::Column> = definition
        .columns
        .iter()
        .filter_map(|c| output.iter().find(|o| o.name.eq_ignore_ascii_case(&c.name)).cloned())
        .collect();
    let exprs = ordered.iter().map(vonk_plan::logical::Named::pass).collect();
    let plan = Arc::new(LogicalPlan::Project { exprs, input: plan });
    write_rows(cx, &Target::of_table(definition), plan, texts, WriteMode::Overwrite)
}

/// `DROP TABLE`. As in Spark, it drops views, too.
pub(super) fn drop(cx: &Pipeline<'_>, name: &Name, if_exists: bool) -> Result<Answer> {
    let catalog = cx.session.catalog();
    if catalog.drop_view(&name.parts) {
        return done(cx);
    }
    if cx.control.read_only {
        // Meant was a temporary view, which has gone meanwhile.
        return Err(super::read_only());
    }
    match catalog.find(&name.parts)? {
        Some(Found::Table(id, _)) => {
            catalog.warehouse().drop_table(&id.database, &id.table)?;
            done(cx)
        }
        Some(Found::Static(id, _)) => {
            Err(Error::unsupported(format!("dropping {}, which is read-only", id.name())).at(name.span))
        }
        _ if if_exists => done(cx),
        _ => Err(not_in_catalog(cx, name)),
    }
}

/// `ALTER TABLE|VIEW … RENAME TO …`.
pub(super) fn rename(cx: &Pipeline<'_>, view: bool, from: &Name, to: &Name) -> Result<Answer> {
    let catalog = cx.session.catalog();
    let found = catalog.find(&from.parts)?;
    let Some(Found::Table(id, definition)) = found else { return Err(not_found(cx, from)) };
    if view != definition.is_view() {
        let condition = if view {
            "EXPECT_VIEW_NOT_TABLE.USE_ALTER_TABLE"
        } else {
            "EXPECT_TABLE_NOT_VIEW.USE_ALTER_VIEW"
        };
        let (param, operation) = if view {
            ("tableName", "ALTER VIEW ... RENAME TO")
        } else {
            ("viewName", "ALTER TABLE ... RENAME TO")
        };
        return Err(Error::new(condition)
            .with(param, id.name().quoted())
            .with("operation", operation)
            .at(from.span));
    }
    let target = match &to.parts[..] {
        [t] => TableId { table: t.to_lowercase(), ..id.clone() },
        parts => catalog.table_id(parts),
    };
    if target.database != id.database {
        return Err(Error::unsupported("moving a table to another database").at(to.span));
    }
    if catalog.warehouse().table(&target.database, &target.table)?.is_some() {
        return Err(Error::new("TABLE_OR_VIEW_ALREADY_EXISTS").with("relationName", target.name().quoted()));
    }
    catalog.warehouse().rename_table(&id.database, &id.table, &target.table)?;
    done(cx)
}

/// `TRUNCATE TABLE`.
pub(super) fn truncate(cx: &Pipeline<'_>, name: &Name, partition: &[PartitionValue]) -> Result<Answer> {
    let (id, definition) = writable(cx, name, "TRUNCATE TABLE")?;
    if definition.kind == TableKind::External {
        return Err(Error::new("NOT_SUPPORTED_COMMAND_WITHOUT_EXTERNAL")
            .with("tableName", id.name().quoted())
            .at(name.span));
    }
    match partition {
        [] => super::insert::remove_data(Path::new(&definition.location))?,
        _ => super::alter::truncate_partitions(cx, &id, &definition, partition)?,
    }
    done(cx)
}
