//! Functions for expressions of DataFrames: one for every function of SQL, under its name (an underscore behind words that Rust
//! keeps for itself: `struct_`, `if_`, `mod_`, `typeof_`).
//!
//! A string stands for a column where columns are asked for, a number for itself: `round(("price", 2))`, `sum("price")`. Functions some
//! of whose arguments may be left out take one argument or a tuple of several. For constant strings among columns there is [`lit`].
//!
//! ```
//! use vonk::functions::*;
//! # let session = vonk::Session::builder().config("spark.master", "local[1]").build()?;
//! let df = session.sql("SELECT 'Delft' AS city, 51.9987 AS latitude")?;
//! let shown = df.select((upper("city"), round(("latitude", 1)), concat_ws((lit("-"), "city", lit("NL")))))?;
//! assert_eq!(shown.collect_text()?, ["DELFT\t52.0\tDelft-NL"]);
//! # Ok::<(), vonk::Error>(())
//! ```

mod generated;
mod lambdas;

pub use crate::dataframe::lit;
pub use generated::*;
pub use lambdas::*;

use crate::dataframe::{Column, DataFrame, IntoColumn, IntoColumns, IntoOperand, SortColumn, called};
use vonk_error::Result;

/// A column by its name: `a`, `t.a`, a field `a.b`, `` `with.dot` ``, or a star.
#[track_caller]
pub fn col(name: &str) -> Column {
    Column::named(name)
}

/// Another name of [`col`].
#[track_caller]
pub fn column(name: &str) -> Column {
    Column::named(name)
}

/// An expression in SQL: `expr("a + 1 AS b")`.
pub fn expr(sql: &str) -> Column {
    Column::parsed(sql)
}

/// A call of any function by its name: those of the session too.
#[track_caller]
pub fn call_function(name: &str, args: impl IntoColumns) -> Column {
    match vonk_sql::parse_name(name, &Default::default()) {
        Ok(parsed) => Column::call_at(parsed, args.into_columns(), called("call_function")),
        Err(e) => Column::failed(e.in_text(name)),
    }
}

/// Another name of [`call_function`].
#[track_caller]
pub fn call_udf(name: &str, args: impl IntoColumns) -> Column {
    call_function(name, args)
}

/// A map of keys and values in turn.
#[track_caller]
pub fn create_map(entries: impl IntoColumns) -> Column {
    Column::call("map", entries.into_columns())
}

/// `~a` of an integer.
#[track_caller]
pub fn bitwise_not(column: impl IntoColumn) -> Column {
    column.into_column().bitwise_not()
}

/// The value of the first branch whose condition is true: `when(a, x).when(b, y).otherwise(z)`.
#[track_caller]
pub fn when(condition: Column, value: impl IntoOperand) -> Column {
    Column::case(condition, value.into_operand())
}

/// The number of rows for which an expression is not null; of all rows for `"*"`.
#[track_caller]
pub fn count(column: impl IntoColumn) -> Column {
    Column::call("count", vec![column.into_column()])
}

/// The number of different combinations of values, nulls left out.
#[track_caller]
pub fn count_distinct(columns: impl IntoColumns) -> Column {
    Column::call("count", columns.into_columns()).distinct()
}

/// The sum of different values.
#[track_caller]
pub fn sum_distinct(column: impl IntoColumn) -> Column {
    Column::call("sum", vec![column.into_column()]).distinct()
}

#[track_caller]
fn seeded(function: &'static str, seed: Option<i64>) -> Column {
    let mut args = Vec::new();
    if let Some(seed) = seed {
        args.push(lit(seed));
    }
    Column::call(function, args)
}

/// The texts of different values, one after the other; between them a delimiter, if one is given.
#[track_caller]
pub fn listagg_distinct(args: impl IntoColumns) -> Column {
    Column::call("listagg", args.into_columns()).distinct()
}

/// The same as [`listagg_distinct`].
#[track_caller]
pub fn string_agg_distinct(args: impl IntoColumns) -> Column {
    Column::call("string_agg", args.into_columns()).distinct()
}

/// A random double from 0 (inclusive) to 1 (exclusive).
///
/// In SQL: `rand([seed])`. Since Spark 1.5.0.
#[track_caller]
pub fn rand(seed: Option<i64>) -> Column {
    seeded("rand", seed)
}

/// The same as [`rand`].
#[track_caller]
pub fn random(seed: Option<i64>) -> Column {
    seeded("random", seed)
}

/// A random double of the standard normal distribution.
///
/// In SQL: `randn([seed])`. Since Spark 1.5.0.
#[track_caller]
pub fn randn(seed: Option<i64>) -> Column {
    seeded("randn", seed)
}

/// Windows of time that a row belongs to, for `group_by`: of a duration, one every `slide` (else every duration), `start` after the epoch.
///
/// In SQL: `window(time_column, window_duration[, slide_duration[, start_time]])`. Since Spark 2.0.0.
#[track_caller]
pub fn window(time: impl IntoColumn, duration: &str, slide: Option<&str>, start: Option<&str>) -> Column {
    let mut args = vec![time.into_column(), lit(duration)];
    if slide.is_some() || start.is_some() {
        args.push(lit(slide.unwrap_or(duration)));
    }
    if let Some(start) = start {
        args.push(lit(start));
    }
    Column::call("window", args)
}

/// A sort key from the smallest value.
#[track_caller]
pub fn asc(column: impl IntoColumn) -> SortColumn {
    column.into_column().asc()
}

/// A sort key from the largest value.
#[track_caller]
pub fn desc(column: impl IntoColumn) -> SortColumn {
    column.into_column().desc()
}

/// A sort key from the smallest value, nulls first.
#[track_caller]
pub fn asc_nulls_first(column: impl IntoColumn) -> SortColumn {
    column.into_column().asc_nulls_first()
}

/// A sort key from the smallest value, nulls last.
#[track_caller]
pub fn asc_nulls_last(column: impl IntoColumn) -> SortColumn {
    column.into_column().asc_nulls_last()
}

/// A sort key from the largest value, nulls first.
#[track_caller]
pub fn desc_nulls_first(column: impl IntoColumn) -> SortColumn {
    column.into_column().desc_nulls_first()
}

/// A sort key from the largest value, nulls last.
#[track_caller]
pub fn desc_nulls_last(column: impl IntoColumn) -> SortColumn {
    column.into_column().desc_nulls_last()
}

/// The DataFrame with the hint that it is small enough for every executor to have whole.
#[track_caller]
pub fn broadcast(df: &DataFrame) -> Result<DataFrame> {
    df.hint("broadcast", ())
}
