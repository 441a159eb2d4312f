//! Writing rows to files and tables.

use super::options::FormatOptions;
use super::{DataFrame, misuse};
use crate::commands::{self, insert};
use crate::pipeline::Pipeline;
use crate::session::Control;
use vonk_error::{Error, Result, Span};
use vonk_plan::unresolved::{CreateTable, Expr, ExprKind, Insert, InsertTarget, Name, Statement};

/// What a write does where there is something already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SaveMode {
    /// Fails.
    #[default]
    ErrorIfExists,
    /// Adds to it.
    Append,
    /// Replaces it.
    Overwrite,
    /// Does nothing.
    Ignore,
}

/// How rows are written (Spark: `DataFrameWriter`).
#[derive(Clone)]
#[must_use = "nothing is written until it is saved"]
pub struct DataFrameWriter {
    df: DataFrame,
    mode: SaveMode,
    format: FormatOptions,
    partition_by: Vec<String>,
}

impl DataFrameWriter {
    pub(super) fn new(df: DataFrame) -> Self {
        DataFrameWriter {
            df,
            mode: SaveMode::default(),
            format: FormatOptions::default(),
            partition_by: Vec::new(),
        }
    }

    /// What to do where there is something already; an error if nothing is said.
    pub fn mode(mut self, mode: SaveMode) -> Self {
        self.mode = mode;
        self
    }

    /// The format; Parquet if nothing is said.
    pub fn format(mut self, format: &str) -> Self {
        self.format.set_format(format);
        self
    }

    /// An option of the format, as `compression`.
    pub fn option(mut self, name: &str, value: &str) -> Self {
        self.format.set(name, value);
        self
    }

    /// Several options of the format.
    pub fn options<'a>(mut self, options: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        self.format.set_all(options);
        self
    }

    /// A folder for each combination of values of these columns.
    pub fn partition_by<'a>(mut self, columns: impl IntoIterator<Item = &'a str>) -> Self {
        self.partition_by = columns.into_iter().map(str::to_string).collect();
        self
    }

    /// Writes files into a folder.
    ///
    /// ```
    /// # let session = vonk::Session::builder().config("spark.master", "local[1]").build()?;
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("squares").to_string_lossy().into_owned();
    /// let squares = session.sql("SELECT id, id * id AS square FROM range(10)")?;
    /// squares.write().save(&path)?;
    /// assert_eq!(session.read().parquet([path])?.count()?, 10);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn save(&self, path: &str) -> Result<()> {
        let control = Control::default();
        let cx = Pipeline::new(&self.df.session, "", &control)?;
        let folder = vonk_sources::files::local_path(path)?;
        let exists = folder.exists();
        let overwrite = match self.mode {
            SaveMode::ErrorIfExists if exists => {
                let shown = format!("file:{}", folder.display());
                return Err(Error::new("PATH_ALREADY_EXISTS").with("outputPath", shown));
            }
            SaveMode::Ignore if exists => return Ok(()),
            mode => mode == SaveMode::Overwrite,
        };
        let analyzed = self.df.resolved.analyzed();
        let to = insert::Folder {
            format: self.format.format(),
            folder,
            options: self.format.options().to_vec(),
            partition_by: &self.partition_by,
        };
        insert::save(&cx, analyzed.plan, analyzed.texts, to, overwrite)
    }

    /// Writes Parquet files into a folder.
    pub fn parquet(self, path: &str) -> Result<()> {
        self.format("parquet").save(path)
    }

    /// Writes a table, which is made if there is none. Appended columns are matched by name.
    pub fn save_as_table(&self, name: &str) -> Result<()> {
        let name = table_name(name)?;
        let exists = self.df.session.catalog().find(&name.parts)?.is_some();
        if exists && self.mode == SaveMode::Append {
            return self.insert(name, true);
        }
        let partition = |c: &String| Expr::made(ExprKind::Name(Name::of(c.as_str())));
        self.statement(&Statement::CreateTable(Box::new(CreateTable {
            replace: self.mode == SaveMode::Overwrite,
            if_not_exists: self.mode == SaveMode::Ignore,
            external: false,
            name,
            columns: Vec::new(),
            provider: Some(self.format.format()),
            options: self.format.options().to_vec(),
            properties: Vec::new(),
            partitioned_by: self.partition_by.iter().map(partition).collect(),
            partition_columns: Vec::new(),
            buckets: None,
            location: None,
            comment: None,
            query: Some(Box::new(self.df.input())),
            like: None,
        })))
    }

    /// Inserts the rows into a table that is there, columns by position; in the place of its rows with [`SaveMode::Overwrite`].
    pub fn insert_into(&self, name: &str) -> Result<()> {
        if !self.partition_by.is_empty() {
            return Err(misuse("insertInto() can't be used together with partitionBy()"));
        }
        self.insert(table_name(name)?, false)
    }

    fn insert(&self, name: Name, by_name: bool) -> Result<()> {
        self.statement(&Statement::Insert(Box::new(Insert {
            overwrite: self.mode == SaveMode::Overwrite,
            target: InsertTarget::Table(name),
            columns: Vec::new(),
            by_name,
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

pub(super) fn table_name(text: &str) -> Result<Name> {
    let name = vonk_sql::parse_name(text, &Default::default()).map_err(|e| e.in_text(text))?;
    Ok(Name { span: Span::NONE, ..name })
}
