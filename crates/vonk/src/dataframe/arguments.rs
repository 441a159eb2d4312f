//! What methods and functions take for columns, conditions, values, several columns, sort keys and types.

use super::column::Column;
use super::literal::{ToLiteral, lit};
use vonk_error::Result;
use vonk_plan::unresolved::{SortKey, TypeRef};
use vonk_types::DataType;

/// What can stand where a column is asked for: a [`Column`], a name, or a number or truth value for itself.
pub trait IntoColumn {
    /// The column.
    #[track_caller]
    fn into_column(self) -> Column;
}

impl IntoColumn for Column {
    fn into_column(self) -> Column {
        self
    }
}

impl IntoColumn for &Column {
    fn into_column(self) -> Column {
        self.clone()
    }
}

impl IntoColumn for &str {
    fn into_column(self) -> Column {
        Column::named(self)
    }
}

impl IntoColumn for String {
    fn into_column(self) -> Column {
        Column::named(&self)
    }
}

macro_rules! constants {
    ($($type:ty)*) => {$(
        impl IntoColumn for $type {
            fn into_column(self) -> Column {
                lit(self)
            }
        }
    )*};
}

constants!(i32 i64 f64 bool);

impl IntoColumn for &String {
    fn into_column(self) -> Column {
        Column::named(self)
    }
}

/// What can stand where a value is asked for: a [`Column`], or a constant.
pub trait IntoOperand {
    /// The value as a column.
    #[track_caller]
    fn into_operand(self) -> Column;
}

impl IntoOperand for Column {
    fn into_operand(self) -> Column {
        self
    }
}

impl IntoOperand for &Column {
    fn into_operand(self) -> Column {
        self.clone()
    }
}

impl<T: ToLiteral> IntoOperand for T {
    fn into_operand(self) -> Column {
        lit(self)
    }
}

/// Several columns: an array, a vector, a slice or a tuple of what can be one; `()` is none.
pub trait IntoColumns {
    /// The columns in order.
    #[track_caller]
    fn into_columns(self) -> Vec<Column>;
}

/// Each of several columns, at the caller's place.
#[track_caller]
fn taken<T: IntoColumn>(several: impl IntoIterator<Item = T>) -> Vec<Column> {
    let mut columns = Vec::new();
    for one in several {
        columns.push(one.into_column());
    }
    columns
}

impl<T: IntoColumn, const N: usize> IntoColumns for [T; N] {
    fn into_columns(self) -> Vec<Column> {
        taken(self)
    }
}

impl<T: IntoColumn> IntoColumns for Vec<T> {
    fn into_columns(self) -> Vec<Column> {
        taken(self)
    }
}

impl<T: Clone + IntoColumn> IntoColumns for &[T] {
    fn into_columns(self) -> Vec<Column> {
        taken(self.iter().cloned())
    }
}

impl IntoColumns for Column {
    fn into_columns(self) -> Vec<Column> {
        vec![self]
    }
}

impl IntoColumns for &str {
    fn into_columns(self) -> Vec<Column> {
        vec![Column::named(self)]
    }
}

macro_rules! one_column {
    ($($type:ty)*) => {$(
        impl IntoColumns for $type {
            fn into_columns(self) -> Vec<Column> {
                vec![self.into_column()]
            }
        }
    )*};
}

one_column!(String &String &Column i32 i64 f64 bool);

impl IntoColumns for () {
    fn into_columns(self) -> Vec<Column> {
        Vec::new()
    }
}

macro_rules! tuples {
    ($($trait:ident $method:ident $part:ident $part_method:ident $out:ty: $(($($t:ident)+))+;)*) => {$($(
        impl<$($t: $part),+> $trait for ($($t,)+) {
            fn $method(self) -> Vec<$out> {
                #[allow(non_snake_case)] // The names of types serve for the values.
                let ($($t,)+) = self;
                vec![$($t.$part_method()),+]
            }
        }
    )+)*};
}

tuples! {
    IntoColumns into_columns IntoColumn into_column Column:
        (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H)
        (A B C D E F G H I) (A B C D E F G H I J) (A B C D E F G H I J K) (A B C D E F G H I J K L);
    IntoSortColumns into_sort_columns IntoSortColumn into_sort_column SortColumn:
        (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F);
}

/// A sort key: a column with its direction.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a sort key does nothing until a DataFrame uses it"]
pub struct SortColumn {
    column: Column,
    descending: bool,
    nulls_first: Option<bool>,
}

impl SortColumn {
    pub(super) fn new(column: Column, descending: bool, nulls_first: Option<bool>) -> SortColumn {
        SortColumn { column, descending, nulls_first }
    }

    pub(crate) fn into_key(self) -> Result<SortKey> {
        let expr = self.column.into_expr()?;
        Ok(SortKey { expr, descending: self.descending, nulls_first: self.nulls_first })
    }
}

/// What can be a sort key: a [`SortColumn`], or an ascending column.
pub trait IntoSortColumn {
    /// The key.
    #[track_caller]
    fn into_sort_column(self) -> SortColumn;
}

impl IntoSortColumn for SortColumn {
    fn into_sort_column(self) -> SortColumn {
        self
    }
}

impl<T: IntoColumn> IntoSortColumn for T {
    fn into_sort_column(self) -> SortColumn {
        self.into_column().asc()
    }
}

/// Several sort keys, as [`IntoColumns`].
pub trait IntoSortColumns {
    /// The keys in order.
    #[track_caller]
    fn into_sort_columns(self) -> Vec<SortColumn>;
}

/// Each of several keys, at the caller's place.
#[track_caller]
fn taken_as_keys<T: IntoSortColumn>(several: impl IntoIterator<Item = T>) -> Vec<SortColumn> {
    let mut keys = Vec::new();
    for one in several {
        keys.push(one.into_sort_column());
    }
    keys
}

impl<T: IntoSortColumn, const N: usize> IntoSortColumns for [T; N] {
    fn into_sort_columns(self) -> Vec<SortColumn> {
        taken_as_keys(self)
    }
}

impl<T: IntoSortColumn> IntoSortColumns for Vec<T> {
    fn into_sort_columns(self) -> Vec<SortColumn> {
        taken_as_keys(self)
    }
}

impl IntoSortColumns for SortColumn {
    fn into_sort_columns(self) -> Vec<SortColumn> {
        vec![self]
    }
}

impl IntoSortColumns for Column {
    fn into_sort_columns(self) -> Vec<SortColumn> {
        vec![self.asc()]
    }
}

impl IntoSortColumns for &str {
    fn into_sort_columns(self) -> Vec<SortColumn> {
        vec![Column::named(self).asc()]
    }
}

/// The keys as a plan takes them.
#[track_caller]
pub(crate) fn sort_keys(keys: impl IntoSortColumns) -> Result<Vec<SortKey>> {
    keys.into_sort_columns().into_iter().map(SortColumn::into_key).collect()
}

/// A condition: a column, or its text in SQL.
pub trait IntoCondition {
    /// The condition as a column.
    #[track_caller]
    fn into_condition(self) -> Column;
}

impl IntoCondition for Column {
    fn into_condition(self) -> Column {
        self
    }
}

impl IntoCondition for &str {
    fn into_condition(self) -> Column {
        Column::parsed(self)
    }
}

/// A type to cast to: a [`DataType`], or its text in SQL.
pub trait IntoType {
    /// The type, or why the text is none.
    fn into_type(self) -> Result<TypeRef>;
}

impl IntoType for DataType {
    fn into_type(self) -> Result<TypeRef> {
        Ok(TypeRef::of(self))
    }
}

impl IntoType for &str {
    fn into_type(self) -> Result<TypeRef> {
        vonk_sql::parse_type(self).map_err(|e| e.in_text(self))
    }
}
