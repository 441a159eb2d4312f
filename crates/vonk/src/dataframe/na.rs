//! Nulls: rows left out and values put in (Spark: `DataFrameNaFunctions`). NaN counts as null for rows and fills, as in Spark.

use super::{Column, DataFrame, ToLiteral, lit, reference};
use vonk_error::Result;
use vonk_plan::logical::Column as Attribute;
use vonk_types::{DataType, Literal};

/// Which rows [`DataFrameNaFunctions::drop`] leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Those with a null in any of the columns.
    Any,
    /// Those with nulls in all of them.
    All,
}

/// A value in the place of nulls: of numeric columns, of strings, or of booleans.
#[derive(Debug, Clone, PartialEq)]
pub enum Fill {
    /// For numeric columns, cast to their type.
    Long(i64),
    /// For numeric columns, cast to their type.
    Double(f64),
    /// For strings.
    String(String),
    /// For booleans.
    Boolean(bool),
}

impl From<i32> for Fill {
    fn from(value: i32) -> Fill {
        Fill::Long(value.into())
    }
}

impl From<i64> for Fill {
    fn from(value: i64) -> Fill {
        Fill::Long(value)
    }
}

impl From<f64> for Fill {
    fn from(value: f64) -> Fill {
        Fill::Double(value)
    }
}

impl From<&str> for Fill {
    fn from(value: &str) -> Fill {
        Fill::String(value.to_string())
    }
}

impl From<bool> for Fill {
    fn from(value: bool) -> Fill {
        Fill::Boolean(value)
    }
}

impl Fill {
    fn suits(&self, t: &DataType) -> bool {
        match self {
            Fill::Long(_) | Fill::Double(_) => t.is_numeric(),
            Fill::String(_) => *t == DataType::String,
            Fill::Boolean(_) => *t == DataType::Boolean,
        }
    }

    fn literal(&self) -> Column {
        match self {
            Fill::Long(n) => lit(*n),
            Fill::Double(d) => lit(*d),
            Fill::String(s) => lit(s.as_str()),
            Fill::Boolean(b) => lit(*b),
        }
    }
}

/// What [`DataFrame::na`] gives.
pub struct DataFrameNaFunctions<'a> {
    df: &'a DataFrame,
}

fn column(c: &Attribute) -> Column {
    Column::of(reference(c))
}

fn is_float(t: &DataType) -> bool {
    matches!(t, DataType::Float | DataType::Double)
}

impl<'a> DataFrameNaFunctions<'a> {
    pub(super) fn new(df: &'a DataFrame) -> Self {
        DataFrameNaFunctions { df }
    }

    /// The columns of these names, of which each must be there; all, if none are named.
    fn columns<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Result<Vec<Attribute>> {
        let all = self.df.resolved.columns();
        let mut ids = Vec::new();
        for name in names {
            ids.extend(self.df.required(name)?);
        }
        Ok(if ids.is_empty() { all } else { all.into_iter().filter(|c| ids.contains(&c.id.0)).collect() })
    }

    /// Without the rows that have nulls in these columns; in all columns, if none are named.
    ///
    /// ```
    /// use vonk::How;
    /// # let session = vonk::Session::builder().config("spark.master", "local[1]").build()?;
    /// let df = session.sql("SELECT * FROM VALUES (1, 'a'), (NULL, 'b') AS t(x, y)")?;
    /// assert_eq!(df.na().drop(How::Any, [])?.count()?, 1);
    /// # Ok::<(), vonk::Error>(())
    /// ```
    pub fn drop<'n>(&self, how: How, columns: impl IntoIterator<Item = &'n str>) -> Result<DataFrame> {
        let columns = self.columns(columns)?;
        let least = match how {
            How::Any => columns.len(),
            How::All => 1,
        };
        self.having(least, &columns)
    }

    /// Only the rows with at least so many values that are not null in these columns; in all, if none are named.
    pub fn drop_below<'n>(
        &self,
        least: usize,
        columns: impl IntoIterator<Item = &'n str>,
    ) -> Result<DataFrame> {
        let columns = self.columns(columns)?;
        self.having(least, &columns)
    }

    fn having(&self, least: usize, columns: &[Attribute]) -> Result<DataFrame> {
        let present = |c: &Attribute| match is_float(&c.data_type) {
            true => column(c).is_not_null() & !column(c).is_nan(),
            false => column(c).is_not_null(),
        };
        if least == 0 {
            return Ok(self.df.clone());
        }
        let condition = if least == columns.len() {
            columns.iter().map(present).reduce(|a, b| a & b)
        } else if least == 1 {
            columns.iter().map(present).reduce(|a, b| a | b)
        } else {
            let one = |c: &Attribute| crate::functions::when(present(c), 1).otherwise(0);
            let sum = columns.iter().map(one).reduce(|a, b| a + b);
            sum.map(|n| n.geq(i32::try_from(least).unwrap_or(i32::MAX)))
        };
        self.df.filter(condition.unwrap_or_else(|| lit(true)))
    }

    /// Nulls (and NaN) of these columns replaced; of all columns of the value's kind, if none are named.
    pub fn fill<'n>(
        &self,
        value: impl Into<Fill>,
        columns: impl IntoIterator<Item = &'n str>,
    ) -> Result<DataFrame> {
        let (value, wanted) = (value.into(), self.columns(columns)?);
        self.filled(|c| (wanted.contains(c) && value.suits(&c.data_type)).then(|| value.clone()))
    }

    /// Nulls (and NaN) replaced, for each column by a value of its own.
    pub fn fill_each<'n>(&self, values: impl IntoIterator<Item = (&'n str, Fill)>) -> Result<DataFrame> {
        let mut wanted: Vec<(Vec<u64>, Fill)> = Vec::new();
        for (name, value) in values {
            wanted.push((self.df.required(name)?, value));
        }
        self.filled(|c| {
            let found = wanted.iter().find(|(ids, _)| ids.contains(&c.id.0));
            found.map(|(_, value)| value.clone())
        })
    }

    fn filled(&self, value: impl Fn(&Attribute) -> Option<Fill>) -> Result<DataFrame> {
        let columns = self.df.resolved.columns();
        let filled = columns.iter().map(|c| {
            let Some(value) = value(c) else { return reference(c) };
            let old = match is_float(&c.data_type) {
                true => Column::call(
                    "nanvl",
                    vec![column(c), Column::literal(Literal::null(c.data_type.clone()))],
                ),
                false => column(c),
            };
            let filled = vec![old, value.literal().cast(c.data_type.clone())];
            Column::call("coalesce", filled).alias(c.name.to_string()).expr
        });
        self.df.project(filled.collect())
    }

    /// Values replaced by others, in these columns; in all of the kind, if none are named. Numbers replace in numeric columns, strings
    /// in strings, booleans in booleans. `None` replaces by null.
    pub fn replace<'n, T: ToLiteral + Clone>(
        &self,
        columns: impl IntoIterator<Item = &'n str>,
        replacements: &[(T, Option<T>)],
    ) -> Result<DataFrame> {
        let wanted = self.columns(columns)?;
        let kind = T::literal_type();
        let suits = |t: &DataType| match kind.is_numeric() {
            true => t.is_numeric(),
            false => *t == kind,
        };
        let columns = self.df.resolved.columns();
        let replaced = columns.iter().map(|c| {
            if !wanted.contains(c) || !suits(&c.data_type) || replacements.is_empty() {
                return reference(c);
            }
            let typed = |v: Option<T>| lit(v).cast(c.data_type.clone());
            let mut branches = replacements.iter().cloned();
            let first = branches
                .next()
                .map(|(from, to)| crate::functions::when(column(c).eq(typed(Some(from))), typed(to)));
            let all = branches.fold(first, |case, (from, to)| {
                case.map(|case| case.when(column(c).eq(typed(Some(from))), typed(to)))
            });
            match all {
                Some(case) => case.otherwise(column(c)).alias(c.name.to_string()).expr,
                None => reference(c),
            }
        });
        self.df.project(replaced.collect())
    }
}
