//! Rows turned into columns (Spark: `Dataset.transpose`).

use super::{Column, DataFrame, IntoColumn, reference};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringViewArray, new_empty_array};
use arrow::compute::{concat, concat_batches};
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_plan::logical::Column as Attribute;
use vonk_plan::unresolved::ExprKind;
use vonk_types::{DataType, StructField, StructType};

impl DataFrame {
    /// A column for each row, named by its value in the first column, and a row for each other column, whose name is in the column `key`.
    /// The rows are fetched at once: no more than `spark.sql.transposeMaxValues`. Rows whose name would be null are left out.
    ///
    /// ```
    /// # let session = vonk::Session::builder().config("spark.master", "local[1]").build()?;
    /// let df = session.sql("SELECT * FROM VALUES ('x', 1, 2), ('y', 3, 4) AS t(id, a, b)")?;
    /// let turned = df.transpose()?;
    /// assert_eq!(turned.columns(), ["key", "x", "y"]);
    /// assert_eq!(turned.collect_text()?, ["a\t1\t3", "b\t2\t4"]);
    /// # Ok::<(), vonk::Error>(())
    /// ```
    pub fn transpose(&self) -> Result<DataFrame> {
        match self.resolved.columns().first() {
            Some(first) => self.transposed(first.clone()),
            None => Ok(self.clone()),
        }
    }

    /// The same, named by another column.
    #[track_caller]
    pub fn transpose_by(&self, index: impl IntoColumn) -> Result<DataFrame> {
        let expr = index.into_column().into_expr()?;
        let named = self.project(vec![expr.clone()])?.resolved.columns();
        let is_name = matches!(expr.kind, ExprKind::Name(_) | ExprKind::Column(_));
        let columns = self.resolved.columns();
        let found = named.first().filter(|_| is_name).and_then(|n| columns.iter().find(|c| c.id == n.id));
        match found {
            Some(c) => self.transposed(c.clone()),
            None => Err(Error::new("TRANSPOSE_INVALID_INDEX_COLUMN")
                .with("reason", "Index column must be an atomic attribute")),
        }
    }

    fn transposed(&self, index: Attribute) -> Result<DataFrame> {
        if index.data_type.is_nested() {
            let reason = format!("Index column must be of atomic type, but found: {}", index.data_type.sql());
            return Err(Error::new("TRANSPOSE_INVALID_INDEX_COLUMN").with("reason", reason));
        }
        let others: Vec<Attribute> =
            self.resolved.columns().into_iter().filter(|c| c.id != index.id).collect();
        let value_type = common_type(&others)?;
        let most = self.session.conf().get(&vonk_conf::TRANSPOSE_MAX_VALUES);
        let mut list = vec![Column::of(reference(&index)).cast("string").alias("key").expr];
        list.extend(others.iter().map(|c| Column::of(reference(c)).cast(value_type.clone()).expr));
        let key = || Column::of(reference(&index));
        let rows = self.filter(key().is_not_null())?.order_by(key())?.project(list)?;
        let list_schema = rows.schema();
        let rows = rows.limit(u64::try_from(most).unwrap_or(0).saturating_add(1))?.collect()?;
        let schema = rows.first().map(RecordBatch::schema);
        let batch = match &schema {
            Some(schema) => concat_batches(schema, &rows)?,
            None => RecordBatch::new_empty(list_schema.to_arrow_schema()),
        };
        if batch.num_rows() > usize::try_from(most).unwrap_or(0) {
            return Err(Error::new("TRANSPOSE_EXCEED_ROW_LIMIT")
                .with("maxValues", most.to_string())
                .with("config", vonk_conf::TRANSPOSE_MAX_VALUES.name));
        }
        self.turned(&others, value_type, &batch)
    }

    /// The rows of a batch, whose first column names them, as columns.
    fn turned(&self, others: &[Attribute], value_type: DataType, batch: &RecordBatch) -> Result<DataFrame> {
        let mut fields = vec![StructField::new("key", DataType::String, false)];
        let names = StringViewArray::from_iter_values(others.iter().map(|c| c.name.as_ref()));
        let mut columns: Vec<ArrayRef> = vec![Arc::new(names)];
        let Some(keys) = batch.columns().first().map(|c| c.as_string_view().clone()) else {
            return Err(Error::internal("no names of rows"));
        };
        for row in 0..batch.num_rows() {
            fields.push(StructField::new(keys.value(row), value_type.clone(), true));
            let values: Vec<ArrayRef> = batch.columns()[1..].iter().map(|c| c.slice(row, 1)).collect();
            let values: Vec<&dyn Array> = values.iter().map(|v| v.as_ref()).collect();
            columns.push(match values.is_empty() {
                true => new_empty_array(&value_type.to_arrow()),
                false => concat(&values)?,
            });
        }
        let schema = StructType::new(fields);
        let batch = RecordBatch::try_new(schema.to_arrow_schema(), columns)?;
        self.session.data_frame(&schema, vec![batch])
    }
}

/// The type that values of all columns are in without loss: Spark's `findTightestCommonType`, for numbers and nulls.
fn common_type(columns: &[Attribute]) -> Result<DataType> {
    let mut common = match columns.first() {
        Some(c) => c.data_type.clone(),
        None => return Ok(DataType::String),
    };
    for c in columns.iter().skip(1) {
        let other = &c.data_type;
        common = match tightest(&common, other) {
            Some(t) => t,
            None => {
                return Err(Error::new("TRANSPOSE_NO_LEAST_COMMON_TYPE")
                    .with("dt1", format!("\"{}\"", common.sql()))
                    .with("dt2", format!("\"{}\"", other.sql())));
            }
        };
    }
    Ok(common)
}

fn tightest(a: &DataType, b: &DataType) -> Option<DataType> {
    const NUMBERS: [DataType; 6] =
        [DataType::Byte, DataType::Short, DataType::Int, DataType::Long, DataType::Float, DataType::Double];
    if a.same_type(b, true) || *b == DataType::Null {
        return Some(a.clone());
    }
    if *a == DataType::Null {
        return Some(b.clone());
    }
    if let (DataType::Array(x, n), DataType::Array(y, m)) = (a, b) {
        return Some(DataType::array(tightest(x, y)?, *n || *m));
    }
    let place = |t: &DataType| NUMBERS.iter().position(|n| n == t);
    Some(NUMBERS[place(a)?.max(place(b)?)].clone())
}
