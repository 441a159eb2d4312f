//! Writing rows to tables, the way said by the verb (Spark: `DataFrameWriterV2`).

use super::DataFrame;
use super::options::FormatOptions;
use super::writer::table_name;
use crate::commands;
use crate::session::Control;
use vonk_error::{Error, Result};
use vonk_plan::unresolved::{CreateTable, Expr, ExprKind, Insert, InsertTarget, Name, Statement};

/// Where and how rows are written: what [`DataFrame::write_to`] gives.
#[derive(Clone)]
#[must_use = "nothing is written until a verb is called"]
pub struct DataFrameWriterV2 {
    df: DataFrame,
    table: String,
    format: FormatOptions,
    properties: Vec<(String, String)>,
    partitioned_by: Vec<String>,
}

impl DataFrame {
    /// What writes the rows to a table.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let warehouse = folder.path().to_string_lossy().into_owned();
    /// # let session = vonk::Session::builder().config("spark.master", "local[1]").config("spark.sql.warehouse.dir", &warehouse).build()?;
    /// let squares = session.sql("SELECT id, id * id AS square FROM range(10)")?;
    /// squares.write_to("squares").create()?;
    /// squares.write_to("squares").append()?;
    /// assert_eq!(session.table("squares")?.count()?, 20);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn write_to(&self, table: &str) -> DataFrameWriterV2 {
        DataFrameWriterV2 {
            df: self.clone(),
            table: table.to_string(),
            format: FormatOptions::default(),
            properties: Vec::new(),
            partitioned_by: Vec::new(),
        }
    }
}

impl DataFrameWriterV2 {
    /// The format of a table that is made; Parquet if nothing is said.
    pub fn using(mut self, format: &str) -> Self {
        self.format.set_format(format);
        self
    }

    /// An option of the format.
    pub fn option(mut self, name: &str, value: &str) -> Self {
        self.format.set(name, value);
        self
    }

    /// Several options of the format.
    pub fn options<'a>(mut self, options: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        self.format.set_all(options);
        self
    }

    /// A property of a table that is made.
    pub fn table_property(mut self, name: &str, value: &str) -> Self {
        self.properties.push((name.to_string(), value.to_string()));
        self
    }

    /// Columns for each combination of whose values a table that is made has a folder.
    pub fn partitioned_by<'a>(mut self, columns: impl IntoIterator<Item = &'a str>) -> Self {
        self.partitioned_by = columns.into_iter().map(str::to_string).collect();
        self
    }

    /// Makes the table; an error if there is one of the name.
    pub fn create(&self) -> Result<()> {
        self.created(false)
    }

    /// Makes the table, in the place of one of the name.
    pub fn create_or_replace(&self) -> Result<()> {
        self.created(true)
    }

    /// Makes the table in the place of the one of the name, which must be there.
    pub fn replace(&self) -> Result<()> {
        self.existing()?;
        self.created(true)
    }

    /// Adds the rows to the table, which must be there; columns by name.
    pub fn append(&self) -> Result<()> {
        self.inserted(false)
    }

    /// Puts the rows in the place of all that the table has. Of a table with partitions only those that the rows are in would have to be
    /// replaced, which there is not yet.
    pub fn overwrite_partitions(&self) -> Result<()> {
        if self.has_partitions()? {
            return Err(Error::unsupported("overwrite_partitions of a table that has partitions"));
        }
        self.inserted(true)
    }

    fn has_partitions(&self) -> Result<bool> {
        let rows = self.df.session.run(&format!("DESCRIBE TABLE {}", self.name()?))?.rows_as_text()?;
        Ok(rows.iter().any(|r| r.starts_with("# Partition")))
    }

    fn name(&self) -> Result<Name> {
        table_name(&self.table)
    }

    fn existing(&self) -> Result<()> {
        self.df.session.table(&self.table).map(drop)
    }

    fn created(&self, replace: bool) -> Result<()> {
        let partition = |c: &String| Expr::made(ExprKind::Name(Name::of(c.as_str())));
        self.statement(&Statement::CreateTable(Box::new(CreateTable {
            replace,
            if_not_exists: false,
            external: false,
            name: self.name()?,
            columns: Vec::new(),
            provider: Some(self.format.format()),
            options: self.format.options().to_vec(),
            properties: self.properties.clone(),
            partitioned_by: self.partitioned_by.iter().map(partition).collect(),
            partition_columns: Vec::new(),
            buckets: None,
            location: None,
            comment: None,
            query: Some(Box::new(self.df.input())),
            like: None,
        })))
    }

    fn inserted(&self, overwrite: bool) -> Result<()> {
        self.existing()?;
        self.statement(&Statement::Insert(Box::new(Insert {
            overwrite,
            target: InsertTarget::Table(self.name()?),
            columns: Vec::new(),
            by_name: true,
            partition: Vec::new(),
            if_not_exists: false,
            replace_where: None,
            source: self.df.input(),
        })))
    }

    fn statement(&self, statement: &Statement) -> Result<()> {
        commands::execute(&self.df.session, statement, "", &Control::default()).map(drop)
    }
}
