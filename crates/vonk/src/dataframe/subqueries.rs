//! A DataFrame as a value of another's expressions.

use super::{Column, DataFrame};
use vonk_plan::unresolved::ExprKind;

impl DataFrame {
    /// The value of its one row, null if it has none (Spark: `scalar`). It must have one column, and none of the DataFrame's around it.
    ///
    /// ```
    /// # use vonk::functions::{col, max};
    /// # let session = vonk::Session::builder().config("spark.master", "local[1]").build()?;
    /// let numbers = session.range(0, 10)?;
    /// let largest = numbers.agg(max("id"))?;
    /// assert_eq!(numbers.filter(col("id").eq(largest.scalar()))?.collect_text()?, ["9"]);
    /// # Ok::<(), vonk::Error>(())
    /// ```
    #[track_caller]
    pub fn scalar(&self) -> Column {
        Column::built("scalar", ExprKind::ScalarSubquery(Box::new(self.input())))
    }

    /// Whether it has rows (Spark: `exists`).
    #[track_caller]
    pub fn exists(&self) -> Column {
        Column::built("exists", ExprKind::Exists(Box::new(self.input())))
    }
}
