//! DataFrames from what a program has: numbers, Arrow batches, values of Rust types.

use super::{DataFrame, misuse};
use crate::memory::{self, MemoryTable};
use crate::pipeline::Pipeline;
use crate::provider::ProviderSource;
use crate::session::{Control, Session};
use arrow::array::{Array, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{FieldRef, SchemaRef};
use serde::Serialize;
use serde_arrow::schema::{SchemaLike, TracingOptions};
use std::sync::Arc;
use vonk_error::{Error, Result, Span};
use vonk_plan::logical::{Column, LogicalPlan, Scan};
use vonk_plan::source::TableSource;
use vonk_plan::unresolved::{Name, Plan, TableRef};
use vonk_types::{DataType, StructType};

impl Session {
    /// A table or view by its name, which may be qualified.
    pub fn table(&self, name: &str) -> Result<DataFrame> {
        let name = vonk_sql::parse_name(name, &Default::default()).map_err(|e| e.in_text(name))?;
        let name = Name { span: Span::NONE, ..name };
        let resolved = self.resolve(&Plan::Table(TableRef::plain(name)), &Arc::from(""))?;
        Ok(DataFrame::new(self.clone(), resolved))
    }

    /// The bigints from `start` to below `end`, in a column `id`.
    pub fn range(&self, start: i64, end: i64) -> Result<DataFrame> {
        self.range_step(start, end, 1, None)
    }

    /// The bigints from `start` to below `end`, each `step` above the one before, in so many partitions.
    pub fn range_step(&self, start: i64, end: i64, step: i64, partitions: Option<u32>) -> Result<DataFrame> {
        if step == 0 {
            return Err(misuse("requirement failed: step (0) cannot be 0"));
        }
        if partitions == Some(0) {
            return Err(misuse("requirement failed: Number of partitions (0) must be positive."));
        }
        let column = self.ids().column("id", DataType::Long, false);
        self.of_plan(LogicalPlan::Range { column, start, end, step, partitions })
    }

    /// Arrow batches, which must agree in their columns. Arrow types that Spark has no type for are refused.
    ///
    /// ```
    /// use arrow::array::{ArrayRef, Int32Array, RecordBatch, StringArray};
    /// use std::sync::Arc;
    /// let id: ArrayRef = Arc::new(Int32Array::from(vec![1, 2]));
    /// let name: ArrayRef = Arc::new(StringArray::from(vec![Some("one"), None]));
    /// let batch = RecordBatch::try_from_iter([("id", id), ("name", name)])?;
    /// # let session = vonk::Session::builder().config("spark.master", "local[1]").build()?;
    /// let df = session.create_dataframe([batch])?;
    /// assert_eq!(df.schema().catalog_string(), "struct<id:int,name:string>");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn create_dataframe(&self, batches: impl IntoIterator<Item = RecordBatch>) -> Result<DataFrame> {
        let batches: Vec<RecordBatch> = batches.into_iter().collect();
        let Some(first) = batches.first() else {
            return Err(misuse("No batches: use create_empty_dataframe with a schema."));
        };
        let mut fields = engine_schema(&first.schema())?.fields.to_vec();
        for (i, field) in fields.iter_mut().enumerate() {
            let nullable = |b: &RecordBatch| b.schema().fields().get(i).is_some_and(|f| f.is_nullable());
            field.nullable = batches.iter().any(nullable);
        }
        self.data_frame(&StructType::new(fields), batches)
    }

    /// No rows of these columns.
    pub fn create_empty_dataframe(&self, schema: &StructType) -> Result<DataFrame> {
        self.data_frame(schema, vec![])
    }

    /// Values of a Rust type: structs whose fields become columns, tuples whose become `0`, `1`, …. `Option`s are nullable.
    ///
    /// ```
    /// #[derive(serde::Serialize, serde::Deserialize)]
    /// struct City {
    ///     name: String,
    ///     population: Option<i64>,
    /// }
    /// # let session = vonk::Session::builder().config("spark.master", "local[1]").build()?;
    /// let cities = [City { name: "Delft".into(), population: Some(109_573) }, City { name: "Atlantis".into(), population: None }];
    /// let df = session.create_dataframe_from(&cities)?;
    /// assert_eq!(df.schema().catalog_string(), "struct<name:string,population:bigint>");
    /// # Ok::<(), vonk::Error>(())
    /// ```
    pub fn create_dataframe_from<T: Serialize>(&self, rows: &[T]) -> Result<DataFrame> {
        if rows.is_empty() {
            return Err(misuse(
                "No rows to learn the columns from: use create_empty_dataframe with a schema.",
            ));
        }
        let failed = |e: serde_arrow::Error| Error::new("_ROWS_DO_NOT_FIT").with("cause", e.to_string());
        let options = TracingOptions::default().allow_null_fields(true).guess_dates(false);
        let fields = Vec::<FieldRef>::from_samples(rows, options).map_err(failed)?;
        let batch = serde_arrow::to_record_batch(&fields, &rows).map_err(failed)?;
        self.create_dataframe([batch])
    }

    /// All columns of a source.
    pub(crate) fn scan_of(&self, name: &str, source: Arc<dyn TableSource>) -> Result<DataFrame> {
        let fields = source.schema().fields.clone();
        let column =
            |f: &vonk_types::StructField| self.ids().column(f.name.clone(), f.data_type.clone(), f.nullable);
        let columns = fields.iter().enumerate().map(|(i, f)| (column(f), i)).collect();
        let scan = Scan { name: name.to_string(), source, columns, filters: Vec::new(), limit: None };
        self.of_plan(LogicalPlan::Scan(scan))
    }

    fn of_plan(&self, plan: LogicalPlan) -> Result<DataFrame> {
        let control = Control::default();
        let cx = Pipeline::new(self, "", &control)?;
        let resolved = cx.with_analyzer(|a| a.resolved_plan(Arc::new(plan)));
        Ok(DataFrame::new(self.clone(), resolved))
    }

    /// Rows of a schema. Each of few batches is a partition; many rows are shared out among tasks, where they need not travel.
    pub(crate) fn data_frame(&self, schema: &StructType, batches: Vec<RecordBatch>) -> Result<DataFrame> {
        let fresh = || -> Vec<Column> {
            let column = |f: &vonk_types::StructField| {
                self.ids().column(f.name.clone(), f.data_type.clone(), f.nullable)
            };
            schema.fields.iter().map(column).collect()
        };
        let arrow = schema.to_arrow_schema();
        let batches: Vec<RecordBatch> =
            batches.iter().map(|b| conformed(b, schema, &arrow)).collect::<Result<_>>()?;
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        if rows > memory::FEW && self.runs_here() {
            let table = MemoryTable::new(schema.clone(), batches, self.slots() as usize);
            return self.scan_of("rows", Arc::new(ProviderSource::new("rows in memory", Arc::new(table))));
        }
        let values = |batch| Arc::new(LogicalPlan::Values { columns: fresh(), batch });
        let mut inputs: Vec<_> = batches.into_iter().map(values).collect();
        match inputs.len() {
            0 => self.of_plan(LogicalPlan::Values { columns: fresh(), batch: RecordBatch::new_empty(arrow) }),
            1 => self.of_plan(inputs.remove(0).as_ref().clone()),
            _ => self.of_plan(LogicalPlan::Union { columns: fresh(), inputs }),
        }
    }
}

/// Spark's types for an Arrow schema.
fn engine_schema(schema: &SchemaRef) -> Result<StructType> {
    StructType::from_arrow_fields(schema.fields())
        .map_err(|t| Error::new("UNSUPPORTED_DATATYPE").with("typeName", format!("\"{t}\"")))
}

fn conformed(batch: &RecordBatch, schema: &StructType, arrow: &SchemaRef) -> Result<RecordBatch> {
    if batch.num_columns() != schema.fields.len() {
        return Err(misuse(&format!(
            "A batch has {} columns where the first has {}.",
            batch.num_columns(),
            schema.fields.len()
        )));
    }
    let mut columns = Vec::with_capacity(batch.num_columns());
    for (column, field) in batch.columns().iter().zip(schema.fields.iter()) {
        if DataType::from_arrow(column.data_type()).is_none_or(|t| !t.same_type(&field.data_type, true)) {
            return Err(misuse(&format!(
                "The column {} is {} in one batch and {} in another.",
                field.name,
                field.data_type.catalog_string(),
                column.data_type()
            )));
        }
        if !field.nullable && column.null_count() > 0 {
            return Err(
                Error::new("NOT_NULL_ASSERT_VIOLATION").with("walkedTypePath", format!("\n- {}", field.name))
            );
        }
        columns.push(vonk_sources::conform::conform(column, &field.data_type)?);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(arrow.clone(), columns, &options)?)
}
