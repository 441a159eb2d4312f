//! Windows: over which rows a function is computed.

use super::arguments::{IntoColumns, IntoSortColumns, SortColumn};
use crate::functions::lit;
use vonk_error::Result;
use vonk_plan::unresolved::{self, FrameBound, WindowFrame};

/// Where windows begin (Spark: `Window`).
///
/// ```
/// use vonk::Window;
/// use vonk::functions::{col, row_number};
/// let newest = Window::partition_by("customer").order_by(col("date").desc());
/// let rank = row_number().over(newest).alias("rank");
/// # let _ = rank;
/// ```
pub struct Window;

impl Window {
    /// The first row of the partition, as a bound.
    pub const UNBOUNDED_PRECEDING: i64 = i64::MIN;
    /// The last row of the partition, as a bound.
    pub const UNBOUNDED_FOLLOWING: i64 = i64::MAX;
    /// The current row, as a bound.
    pub const CURRENT_ROW: i64 = 0;

    /// Windows within rows of equal keys.
    #[track_caller]
    pub fn partition_by(keys: impl IntoColumns) -> WindowSpec {
        WindowSpec::default().partition_by(keys)
    }

    /// Windows over all rows in an order.
    #[track_caller]
    pub fn order_by(keys: impl IntoSortColumns) -> WindowSpec {
        WindowSpec::default().order_by(keys)
    }

    /// Windows of so many rows around each row, over all rows: see [`WindowSpec::rows_between`].
    #[track_caller]
    pub fn rows_between(start: i64, end: i64) -> WindowSpec {
        WindowSpec::default().rows_between(start, end)
    }

    /// Windows of values around each row's, over all rows: see [`WindowSpec::range_between`].
    #[track_caller]
    pub fn range_between(start: i64, end: i64) -> WindowSpec {
        WindowSpec::default().range_between(start, end)
    }
}

/// A window: partition, order and frame.
#[derive(Debug, Clone, Default)]
#[must_use = "a window does nothing until a column is computed over it"]
pub struct WindowSpec {
    partition: Vec<super::Column>,
    order: Vec<SortColumn>,
    /// Whether it counts rows, first bound, last bound.
    frame: Option<(bool, i64, i64)>,
}

impl WindowSpec {
    /// Within rows of equal keys.
    #[track_caller]
    pub fn partition_by(self, keys: impl IntoColumns) -> WindowSpec {
        WindowSpec { partition: keys.into_columns(), ..self }
    }

    /// In an order.
    #[track_caller]
    pub fn order_by(self, keys: impl IntoSortColumns) -> WindowSpec {
        WindowSpec { order: keys.into_sort_columns(), ..self }
    }

    /// From the row `start` rows after the current one to that `end` rows after; negative numbers are rows before.
    #[track_caller]
    pub fn rows_between(self, start: i64, end: i64) -> WindowSpec {
        WindowSpec { frame: Some((true, start, end)), ..self }
    }

    /// From rows whose key is that of the current row plus `start` to those with it plus `end`.
    #[track_caller]
    pub fn range_between(self, start: i64, end: i64) -> WindowSpec {
        WindowSpec { frame: Some((false, start, end)), ..self }
    }

    pub(crate) fn into_spec(self) -> Result<unresolved::WindowSpec> {
        let partition_by =
            self.partition.into_iter().map(super::Column::into_expr).collect::<Result<Vec<_>>>()?;
        let order_by = self.order.into_iter().map(SortColumn::into_key).collect::<Result<Vec<_>>>()?;
        let frame =
            self.frame.map(|(rows, start, end)| WindowFrame { rows, start: bound(start), end: bound(end) });
        Ok(unresolved::WindowSpec { partition_by, order_by, frame, ..Default::default() })
    }
}

fn bound(offset: i64) -> FrameBound {
    // A bound within an int is one: Spark's keys are compared in the type of the key, which a bigint would widen.
    let number = |n: i64| match i32::try_from(n) {
        Ok(n) => lit(n).expr,
        Err(_) => lit(n).expr,
    };
    match offset {
        Window::UNBOUNDED_PRECEDING => FrameBound::UnboundedPreceding,
        Window::UNBOUNDED_FOLLOWING => FrameBound::UnboundedFollowing,
        Window::CURRENT_ROW => FrameBound::CurrentRow,
        // Spark's frames say rows before as so many, negative, after.
        n => FrameBound::Following(number(n)),
    }
}
