//! Functions over the elements of arrays and maps, which take Rust closures for SQL's lambda functions.

use crate::dataframe::{Column, IntoColumn};
use std::sync::atomic::{AtomicU64, Ordering};
use vonk_plan::unresolved::{Expr, ExprKind, Name};

/// Parameters of lambda functions have names that no other has: one may stand within another.
fn parameter(letter: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{letter}_{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

fn argument(name: &str) -> Column {
    Column::new(ExprKind::Name(Name::of(name)))
}

fn lambda(params: Vec<String>, body: Column) -> Column {
    Column { expr: Expr::made(ExprKind::Lambda { params, body: Box::new(body.expr) }), error: body.error }
}

fn of_one(f: impl FnOnce(Column) -> Column) -> Column {
    let x = parameter("x");
    let body = f(argument(&x));
    lambda(vec![x], body)
}

fn of_two(f: impl FnOnce(Column, Column) -> Column) -> Column {
    let (x, y) = (parameter("x"), parameter("y"));
    let body = f(argument(&x), argument(&y));
    lambda(vec![x, y], body)
}

fn of_three(f: impl FnOnce(Column, Column, Column) -> Column) -> Column {
    let (x, y, z) = (parameter("x"), parameter("y"), parameter("z"));
    let body = f(argument(&x), argument(&y), argument(&z));
    lambda(vec![x, y, z], body)
}

/// An array of what `f` makes of each element.
///
/// ```
/// use vonk::functions::transform;
/// # let session = vonk::Session::builder().config("spark.master", "local[1]").build()?;
/// let df = session.sql("SELECT array(1, 2, 3) AS a")?;
/// assert_eq!(df.select(transform("a", |x| x * 2))?.collect_text()?, ["[2,4,6]"]);
/// # Ok::<(), vonk::Error>(())
/// ```
#[track_caller]
pub fn transform(array: impl IntoColumn, f: impl FnOnce(Column) -> Column) -> Column {
    Column::call("transform", vec![array.into_column(), of_one(f)])
}

/// As [`transform`], with the position of each element from 0.
#[track_caller]
pub fn transform_indexed(array: impl IntoColumn, f: impl FnOnce(Column, Column) -> Column) -> Column {
    Column::call("transform", vec![array.into_column(), of_two(f)])
}

/// The elements for which `f` is true.
#[track_caller]
pub fn filter(array: impl IntoColumn, f: impl FnOnce(Column) -> Column) -> Column {
    Column::call("filter", vec![array.into_column(), of_one(f)])
}

/// As [`filter`], with the position of each element from 0.
#[track_caller]
pub fn filter_indexed(array: impl IntoColumn, f: impl FnOnce(Column, Column) -> Column) -> Column {
    Column::call("filter", vec![array.into_column(), of_two(f)])
}

/// Whether `f` is true for some element.
#[track_caller]
pub fn exists(array: impl IntoColumn, f: impl FnOnce(Column) -> Column) -> Column {
    Column::call("exists", vec![array.into_column(), of_one(f)])
}

/// Whether `f` is true for all elements.
#[track_caller]
pub fn forall(array: impl IntoColumn, f: impl FnOnce(Column) -> Column) -> Column {
    Column::call("forall", vec![array.into_column(), of_one(f)])
}

/// `merge` of a state and each element in turn, beginning with `start`.
#[track_caller]
pub fn aggregate(
    array: impl IntoColumn,
    start: impl IntoColumn,
    merge: impl FnOnce(Column, Column) -> Column,
) -> Column {
    Column::call("aggregate", vec![array.into_column(), start.into_column(), of_two(merge)])
}

/// As [`aggregate`], and in the end `finish` of the state.
#[track_caller]
pub fn aggregate_and_finish(
    array: impl IntoColumn,
    start: impl IntoColumn,
    merge: impl FnOnce(Column, Column) -> Column,
    finish: impl FnOnce(Column) -> Column,
) -> Column {
    Column::call("aggregate", vec![array.into_column(), start.into_column(), of_two(merge), of_one(finish)])
}

/// The same as [`aggregate`].
#[track_caller]
pub fn reduce(
    array: impl IntoColumn,
    start: impl IntoColumn,
    merge: impl FnOnce(Column, Column) -> Column,
) -> Column {
    Column::call("reduce", vec![array.into_column(), start.into_column(), of_two(merge)])
}

/// An array of what `f` makes of the elements of two arrays, one of each at a time.
#[track_caller]
pub fn zip_with(
    left: impl IntoColumn,
    right: impl IntoColumn,
    f: impl FnOnce(Column, Column) -> Column,
) -> Column {
    Column::call("zip_with", vec![left.into_column(), right.into_column(), of_two(f)])
}

/// The entries for whose key and value `f` is true.
#[track_caller]
pub fn map_filter(map: impl IntoColumn, f: impl FnOnce(Column, Column) -> Column) -> Column {
    Column::call("map_filter", vec![map.into_column(), of_two(f)])
}

/// A map whose keys are what `f` makes of each key and value.
#[track_caller]
pub fn transform_keys(map: impl IntoColumn, f: impl FnOnce(Column, Column) -> Column) -> Column {
    Column::call("transform_keys", vec![map.into_column(), of_two(f)])
}

/// A map whose values are what `f` makes of each key and value.
#[track_caller]
pub fn transform_values(map: impl IntoColumn, f: impl FnOnce(Column, Column) -> Column) -> Column {
    Column::call("transform_values", vec![map.into_column(), of_two(f)])
}

/// A map of the keys of two maps to what `f` makes of a key and both values.
#[track_caller]
pub fn map_zip_with(
    left: impl IntoColumn,
    right: impl IntoColumn,
    f: impl FnOnce(Column, Column, Column) -> Column,
) -> Column {
    Column::call("map_zip_with", vec![left.into_column(), right.into_column(), of_three(f)])
}
