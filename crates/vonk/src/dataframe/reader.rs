//! Reading files.

use super::options::FormatOptions;
use super::{Column, DataFrame, reference};
use crate::session::Session;
use std::sync::Arc;
use vonk_error::{Error, Result, Span};
use vonk_plan::unresolved::Plan;
use vonk_types::{Literal, StructField, StructType};

impl Session {
    /// What reads files.
    ///
    /// ```no_run
    /// # let session = vonk::Session::builder().build()?;
    /// let lineitem = session.read().parquet(["/data/lineitem"])?;
    /// lineitem.show()?;
    /// # Ok::<(), vonk::Error>(())
    /// ```
    pub fn read(&self) -> DataFrameReader {
        DataFrameReader { session: self.clone(), format: FormatOptions::default(), schema: None }
    }
}

/// How files are read (Spark: `DataFrameReader`).
#[derive(Clone)]
#[must_use = "nothing is read until a path is loaded"]
pub struct DataFrameReader {
    session: Session,
    format: FormatOptions,
    schema: Option<StructType>,
}

impl DataFrameReader {
    /// The format; Parquet if nothing is said (`spark.sql.sources.default`).
    pub fn format(mut self, format: &str) -> Self {
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

    /// The columns wanted: those of the files by name, cast to these types; null where files lack them.
    pub fn schema(mut self, schema: StructType) -> Self {
        self.schema = Some(schema);
        self
    }

    /// The same as a text: `a INT, b STRING`.
    pub fn schema_ddl(self, columns: &str) -> Result<Self> {
        let columns = vonk_sql::parse_columns(columns).map_err(|e| e.in_text(columns))?;
        let field = |c: &vonk_plan::unresolved::ColumnDef| {
            StructField::new(c.name.as_str(), c.data_type.data_type.clone(), c.nullable)
        };
        Ok(self.schema(StructType::new(columns.iter().map(field).collect::<Vec<_>>())))
    }

    /// The files at these paths: files, folders, or patterns of them.
    pub fn load<P: Into<String>>(self, paths: impl IntoIterator<Item = P>) -> Result<DataFrame> {
        let paths: Vec<String> = paths.into_iter().map(Into::into).collect();
        if paths.is_empty() {
            return Err(Error::new("UNABLE_TO_INFER_SCHEMA").with("format", self.format.format()));
        }
        let (format, options) = (self.format.format(), self.format.options().to_vec());
        let plan = Plan::File { format, paths, options, span: Span::NONE };
        let resolved = self.session.resolve(&plan, &Arc::from(""))?;
        let df = DataFrame::new(self.session, resolved);
        match self.schema {
            Some(schema) => shaped(&df, &schema),
            None => Ok(df),
        }
    }

    /// Parquet files.
    pub fn parquet<P: Into<String>>(self, paths: impl IntoIterator<Item = P>) -> Result<DataFrame> {
        self.format("parquet").load(paths)
    }

    /// A table or view.
    pub fn table(self, name: &str) -> Result<DataFrame> {
        self.session.table(name)
    }
}

/// The columns of a schema.
fn shaped(df: &DataFrame, schema: &StructType) -> Result<DataFrame> {
    let (columns, names) = (df.resolved.columns(), df.names());
    let column = |f: &StructField| match columns.iter().find(|c| names.same(&c.name, &f.name)) {
        Some(c) if c.data_type == f.data_type && c.name == f.name => reference(c),
        Some(c) => Column::of(reference(c)).cast(f.data_type.clone()).alias(f.name.to_string()).expr,
        None => Column::literal(Literal::null(f.data_type.clone())).alias(f.name.to_string()).expr,
    };
    df.project(schema.fields.iter().map(column).collect())
}
