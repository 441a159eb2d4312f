//! Statistics (Spark: `DataFrameStatFunctions`).

use super::{Column, DataFrame, IntoColumn, ToLiteral, lit, misuse};
use crate::functions::{col, count, rand, when};
use arrow::array::{Array, AsArray};
use arrow::datatypes::Float64Type;
use vonk_error::{Error, Result};
use vonk_types::data_type::quote_identifier;

/// What [`DataFrame::stat`] gives.
pub struct DataFrameStatFunctions<'a> {
    df: &'a DataFrame,
}

impl<'a> DataFrameStatFunctions<'a> {
    pub(super) fn new(df: &'a DataFrame) -> Self {
        DataFrameStatFunctions { df }
    }

    /// The column of a name, which must be numeric.
    fn number(&self, name: &str) -> Result<Column> {
        let column = self.df.col(name)?;
        let t = self.df.select(column.clone())?.schema().fields.first().map(|f| f.data_type.clone());
        match t {
            Some(t) if t.is_numeric() => Ok(column.cast("double")),
            t => Err(misuse(&format!(
                "requirement failed: Currently this calculation for columns with dataType {} not supported.",
                t.map(|t| t.catalog_string()).unwrap_or_default()
            ))),
        }
    }

    fn value(&self, aggregate: Column) -> Result<f64> {
        let batches = self.df.agg(aggregate)?.collect()?;
        let column = batches.first().and_then(|b| b.column(0).as_primitive_opt::<Float64Type>());
        match column {
            Some(c) if c.is_valid(0) => Ok(c.value(0)),
            // Spark gives NaN for too few rows.
            _ => Ok(f64::NAN),
        }
    }

    /// Pearson's correlation of two numeric columns.
    pub fn corr(&self, a: &str, b: &str) -> Result<f64> {
        self.value(Column::call("corr", vec![self.number(a)?, self.number(b)?]))
    }

    /// The sample covariance of two numeric columns.
    pub fn cov(&self, a: &str, b: &str) -> Result<f64> {
        self.value(Column::call("covar_samp", vec![self.number(a)?, self.number(b)?]))
    }

    /// How often each pair of values of two columns occurs: a row for each value of `a`, a column for each of `b`.
    pub fn crosstab(&self, a: &str, b: &str) -> Result<DataFrame> {
        let name = format!("{a}_{b}");
        let text = |c: &str| -> Result<Column> {
            Ok(Column::call("coalesce", vec![self.df.col(c)?.cast("string"), lit("null")]))
        };
        let pairs = self.df.select((text(a)?.alias(name.as_str()), text(b)?.alias("__value")))?;
        let counts = pairs.group_by(quoted(&name)).pivot("__value")?.agg(count(lit(1)))?;
        counts.na().fill(0, [])
    }

    /// The values of each column that at least a share of the rows have, in one row of arrays called `NAME_freqItems`. Spark, which counts in
    /// bounded memory, may list others, too.
    pub fn freq_items(&self, columns: &[&str], support: f64) -> Result<DataFrame> {
        if !(1e-4..=1.0).contains(&support) {
            return Err(misuse(&format!(
                "requirement failed: Support must be in [1e-4, 1], but got {support:?}."
            )));
        }
        let total = self.df.agg(count(lit(1)).alias("total"))?;
        let mut found: Option<DataFrame> = None;
        for name in columns {
            let value = self.df.select(self.df.col(name)?.alias("value"))?;
            let counted = value.group_by("value").agg(count(lit(1)).alias("n"))?.cross_join(&total)?;
            let often = counted.filter(col("n").geq(col("total") * lit(support)))?;
            // Lists leave nulls out, but not structs of them.
            let list = Column::call("collect_list", vec![Column::call("struct", vec![col("value")])]);
            let items = often.agg(list.get_field("value").alias(format!("{name}_freqItems")))?;
            found = Some(match found {
                Some(found) => found.cross_join(&items)?,
                None => items,
            });
        }
        found.map_or_else(|| self.df.select(()), Ok)
    }

    /// Approximate quantiles of a numeric column, nulls and NaN left out: the values at these probabilities, each within
    /// `relative_error` of the rows of its place (0: exact). Empty for a column without values.
    pub fn approx_quantile(
        &self,
        column: &str,
        probabilities: &[f64],
        relative_error: f64,
    ) -> Result<Vec<f64>> {
        if probabilities.iter().any(|p| !(0.0..=1.0).contains(p)) {
            return Err(misuse("requirement failed: percentile should be in the range [0.0, 1.0]"));
        }
        if relative_error.is_nan() || relative_error < 0.0 {
            return Err(misuse("requirement failed: Relative error must be non-negative"));
        }
        if probabilities.is_empty() {
            return Ok(Vec::new());
        }
        let accuracy = (1.0 / relative_error).ceil().clamp(1.0, f64::from(i32::MAX));
        #[allow(clippy::cast_possible_truncation)] // Clamped.
        let accuracy = accuracy as i32;
        let number = self.number(column)?;
        let wanted = Column::call("array", probabilities.iter().map(|p| lit(*p)).collect());
        let quantiles = Column::call("percentile_approx", vec![number.clone(), wanted, lit(accuracy)]);
        let batches = self.df.filter(!number.is_nan())?.agg(quantiles)?.collect()?;
        let lists = batches.first().and_then(|b| b.column(0).as_list_opt::<i32>());
        let Some(lists) = lists else { return Err(Error::internal("quantiles that are no list")) };
        if lists.is_null(0) {
            return Ok(Vec::new());
        }
        Ok(lists.value(0).as_primitive::<Float64Type>().values().to_vec())
    }

    /// A random sample with a share of its own for each value of a column; rows of other values are left out.
    #[track_caller]
    pub fn sample_by<T: ToLiteral>(
        &self,
        column: impl IntoColumn,
        fractions: impl IntoIterator<Item = (T, f64)>,
        seed: i64,
    ) -> Result<DataFrame> {
        let column = column.into_column();
        let mut share: Option<Column> = None;
        for (value, fraction) in fractions {
            if !(0.0..=1.0).contains(&fraction) {
                return Err(misuse(&format!(
                    "requirement failed: Fractions must be in [0, 1], but got fraction {fraction}."
                )));
            }
            let is_value = column.clone().eq(value);
            share = Some(match share {
                None => when(is_value, fraction),
                Some(share) => share.when(is_value, fraction),
            });
        }
        match share {
            Some(share) => self.df.filter(rand(Some(seed)).lt(share.otherwise(0.0))),
            None => self.df.limit(0),
        }
    }
}

/// A column of just this name, dots and all.
fn quoted(name: &str) -> Column {
    col(&quote_identifier(name))
}
