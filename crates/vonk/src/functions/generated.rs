//! The functions of the registry that take columns and nothing else. Generated from it by `tests/functions.rs`, which keeps it so.

use crate::dataframe::{Column, IntoColumn, IntoColumns, IntoOperand};

/// The absolute value of a number or interval.
///
/// In SQL: `abs(expr)`. Since Spark 1.2.0.
#[track_caller]
pub fn abs(expr: impl IntoColumn) -> Column {
    Column::call("abs", vec![expr.into_column()])
}

/// Inverse cosine.
///
/// In SQL: `acos(expr)`. Since Spark 1.4.0.
#[track_caller]
pub fn acos(expr: impl IntoColumn) -> Column {
    Column::call("acos", vec![expr.into_column()])
}

/// Inverse hyperbolic cosine.
///
/// In SQL: `acosh(expr)`. Since Spark 3.0.0.
#[track_caller]
pub fn acosh(expr: impl IntoColumn) -> Column {
    Column::call("acosh", vec![expr.into_column()])
}

/// The date so many months later: the same day, or the last of a shorter month.
///
/// In SQL: `add_months(date, months)`. Since Spark 1.5.0.
#[track_caller]
pub fn add_months(date: impl IntoColumn, months: impl IntoColumn) -> Column {
    Column::call("add_months", vec![date.into_column(), months.into_column()])
}

/// True if any value is true.
///
/// In SQL: `bool_or(expr)`. Since Spark 3.0.0.
#[track_caller]
pub fn any(expr: impl IntoColumn) -> Column {
    Column::call("any", vec![expr.into_column()])
}

/// Some value of the group.
///
/// In SQL: `any_value(expr[, ignoreNulls])`. Since Spark 3.4.0.
#[track_caller]
pub fn any_value(args: impl IntoColumns) -> Column {
    Column::call("any_value", args.into_columns())
}

/// Estimate of the number of different values that are not null.
///
/// In SQL: `approx_count_distinct(expr[, relativeSD])`. Since Spark 1.6.0.
#[track_caller]
pub fn approx_count_distinct(args: impl IntoColumns) -> Column {
    Column::call("approx_count_distinct", args.into_columns())
}

/// The least value that no less than a percentage of the values are at or below.
///
/// In SQL: `percentile_approx(expr, percentage[, accuracy])`. Since Spark 2.1.0.
#[track_caller]
pub fn approx_percentile(args: impl IntoColumns) -> Column {
    Column::call("approx_percentile", args.into_columns())
}

/// An array of the arguments.
///
/// In SQL: `array(expr, ...)`. Since Spark 1.1.0.
#[track_caller]
pub fn array(args: impl IntoColumns) -> Column {
    Column::call("array", args.into_columns())
}

/// Array of the values that are not null, in the order of the rows.
///
/// In SQL: `collect_list(expr)`. Since Spark 2.0.0.
#[track_caller]
pub fn array_agg(expr: impl IntoColumn) -> Column {
    Column::call("array_agg", vec![expr.into_column()])
}

/// The array with an element added at its end.
///
/// In SQL: `array_append(array, element)`. Since Spark 3.4.0.
#[track_caller]
pub fn array_append(array: impl IntoColumn, element: impl IntoColumn) -> Column {
    Column::call("array_append", vec![array.into_column(), element.into_column()])
}

/// The array without its nulls.
///
/// In SQL: `array_compact(array)`. Since Spark 3.4.0.
#[track_caller]
pub fn array_compact(array: impl IntoColumn) -> Column {
    Column::call("array_compact", vec![array.into_column()])
}

/// Whether the array has an element equal to the value; null if it has not but has a null.
///
/// In SQL: `array_contains(array, value)`. Since Spark 1.5.0.
#[track_caller]
pub fn array_contains(array: impl IntoColumn, value: impl IntoColumn) -> Column {
    Column::call("array_contains", vec![array.into_column(), value.into_column()])
}

/// The array with each value once.
///
/// In SQL: `array_distinct(array)`. Since Spark 2.4.0.
#[track_caller]
pub fn array_distinct(array: impl IntoColumn) -> Column {
    Column::call("array_distinct", vec![array.into_column()])
}

/// The elements of the first array that are not in the second, each value once.
///
/// In SQL: `array_except(array1, array2)`. Since Spark 2.4.0.
#[track_caller]
pub fn array_except(array1: impl IntoColumn, array2: impl IntoColumn) -> Column {
    Column::call("array_except", vec![array1.into_column(), array2.into_column()])
}

/// The array with an element at a position from 1, from the end if negative; nulls fill the space between.
///
/// In SQL: `array_insert(array, pos, element)`. Since Spark 3.4.0.
#[track_caller]
pub fn array_insert(array: impl IntoColumn, pos: impl IntoColumn, element: impl IntoColumn) -> Column {
    Column::call("array_insert", vec![array.into_column(), pos.into_column(), element.into_column()])
}

/// The elements that are in both arrays, each value once.
///
/// In SQL: `array_intersect(array1, array2)`. Since Spark 2.4.0.
#[track_caller]
pub fn array_intersect(array1: impl IntoColumn, array2: impl IntoColumn) -> Column {
    Column::call("array_intersect", vec![array1.into_column(), array2.into_column()])
}

/// The elements as one string with a delimiter between them; nulls are left out or replaced.
///
/// In SQL: `array_join(array, delimiter[, nullReplacement])`. Since Spark 2.4.0.
#[track_caller]
pub fn array_join(args: impl IntoColumns) -> Column {
    Column::call("array_join", args.into_columns())
}

/// The greatest element that is not null; NaN is greater than all numbers.
///
/// In SQL: `array_max(array)`. Since Spark 2.4.0.
#[track_caller]
pub fn array_max(array: impl IntoColumn) -> Column {
    Column::call("array_max", vec![array.into_column()])
}

/// The least element that is not null.
///
/// In SQL: `array_min(array)`. Since Spark 2.4.0.
#[track_caller]
pub fn array_min(array: impl IntoColumn) -> Column {
    Column::call("array_min", vec![array.into_column()])
}

/// The position from 1 of the first element equal to this one, 0 if there is none.
///
/// In SQL: `array_position(array, element)`. Since Spark 2.4.0.
#[track_caller]
pub fn array_position(array: impl IntoColumn, element: impl IntoColumn) -> Column {
    Column::call("array_position", vec![array.into_column(), element.into_column()])
}

/// The array with an element added before its first.
///
/// In SQL: `array_prepend(array, element)`. Since Spark 3.5.0.
#[track_caller]
pub fn array_prepend(array: impl IntoColumn, element: impl IntoColumn) -> Column {
    Column::call("array_prepend", vec![array.into_column(), element.into_column()])
}

/// The array without the elements equal to `element`.
///
/// In SQL: `array_remove(array, element)`. Since Spark 2.4.0.
#[track_caller]
pub fn array_remove(array: impl IntoColumn, element: impl IntoColumn) -> Column {
    Column::call("array_remove", vec![array.into_column(), element.into_column()])
}

/// An array of `count` times the element.
///
/// In SQL: `array_repeat(element, count)`. Since Spark 2.4.0.
#[track_caller]
pub fn array_repeat(element: impl IntoColumn, count: impl IntoColumn) -> Column {
    Column::call("array_repeat", vec![element.into_column(), count.into_column()])
}

/// The number of elements of an array.
///
/// In SQL: `array_size(array)`. Since Spark 3.3.0.
#[track_caller]
pub fn array_size(array: impl IntoColumn) -> Column {
    Column::call("array_size", vec![array.into_column()])
}

/// The array in ascending order with nulls last, or as the comparator says: negative, 0 or positive.
///
/// In SQL: `array_sort(array[, comparator])`. Since Spark 2.4.0.
#[track_caller]
pub fn array_sort(args: impl IntoColumns) -> Column {
    Column::call("array_sort", args.into_columns())
}

/// The elements of both arrays, each value once.
///
/// In SQL: `array_union(array1, array2)`. Since Spark 2.4.0.
#[track_caller]
pub fn array_union(array1: impl IntoColumn, array2: impl IntoColumn) -> Column {
    Column::call("array_union", vec![array1.into_column(), array2.into_column()])
}

/// Whether both arrays have an element in common that is not null; null if not, neither is empty and one has a null.
///
/// In SQL: `arrays_overlap(array1, array2)`. Since Spark 2.4.0.
#[track_caller]
pub fn arrays_overlap(array1: impl IntoColumn, array2: impl IntoColumn) -> Column {
    Column::call("arrays_overlap", vec![array1.into_column(), array2.into_column()])
}

/// An array of structs: the n-th has the n-th elements of all arrays, null where an array is shorter.
///
/// In SQL: `arrays_zip(array1, array2, ...)`. Since Spark 2.4.0.
#[track_caller]
pub fn arrays_zip(args: impl IntoColumns) -> Column {
    Column::call("arrays_zip", args.into_columns())
}

/// Number of the first character.
///
/// In SQL: `ascii(str)`. Since Spark 1.5.0.
#[track_caller]
pub fn ascii(str: impl IntoColumn) -> Column {
    Column::call("ascii", vec![str.into_column()])
}

/// Inverse sine.
///
/// In SQL: `asin(expr)`. Since Spark 1.4.0.
#[track_caller]
pub fn asin(expr: impl IntoColumn) -> Column {
    Column::call("asin", vec![expr.into_column()])
}

/// Inverse hyperbolic sine.
///
/// In SQL: `asinh(expr)`. Since Spark 3.0.0.
#[track_caller]
pub fn asinh(expr: impl IntoColumn) -> Column {
    Column::call("asinh", vec![expr.into_column()])
}

/// An error unless the expression is true, else null.
///
/// In SQL: `assert_true(expr[, message])`. Since Spark 2.0.0.
#[track_caller]
pub fn assert_true(args: impl IntoColumns) -> Column {
    Column::call("assert_true", args.into_columns())
}

/// Inverse tangent.
///
/// In SQL: `atan(expr)`. Since Spark 1.4.0.
#[track_caller]
pub fn atan(expr: impl IntoColumn) -> Column {
    Column::call("atan", vec![expr.into_column()])
}

/// The angle of the point (exprX, exprY).
///
/// In SQL: `atan2(exprY, exprX)`. Since Spark 1.4.0.
#[track_caller]
pub fn atan2(expr_y: impl IntoColumn, expr_x: impl IntoColumn) -> Column {
    Column::call("atan2", vec![expr_y.into_column(), expr_x.into_column()])
}

/// Inverse hyperbolic tangent.
///
/// In SQL: `atanh(expr)`. Since Spark 3.0.0.
#[track_caller]
pub fn atanh(expr: impl IntoColumn) -> Column {
    Column::call("atanh", vec![expr.into_column()])
}

/// Mean of the values that are not null.
///
/// In SQL: `avg(expr)`. Since Spark 1.0.0.
#[track_caller]
pub fn avg(expr: impl IntoColumn) -> Column {
    Column::call("avg", vec![expr.into_column()])
}

/// The bytes in base 64, in lines of 76 characters.
///
/// In SQL: `base64(bin)`. Since Spark 1.5.0.
#[track_caller]
pub fn base64(bin: impl IntoColumn) -> Column {
    Column::call("base64", vec![bin.into_column()])
}

/// Casts the argument to the type of this name.
///
/// In SQL: `type(expr)`. Since Spark 2.0.1.
#[track_caller]
pub fn bigint(expr: impl IntoColumn) -> Column {
    Column::call("bigint", vec![expr.into_column()])
}

/// The number in binary digits.
///
/// In SQL: `bin(expr)`. Since Spark 1.5.0.
#[track_caller]
pub fn bin(expr: impl IntoColumn) -> Column {
    Column::call("bin", vec![expr.into_column()])
}

/// Casts the argument to the type of this name.
///
/// In SQL: `type(expr)`. Since Spark 2.0.1.
#[track_caller]
pub fn binary(expr: impl IntoColumn) -> Column {
    Column::call("binary", vec![expr.into_column()])
}

/// Bitwise AND of the values that are not null.
///
/// In SQL: `bit_and(expr)`. Since Spark 3.0.0.
#[track_caller]
pub fn bit_and(expr: impl IntoColumn) -> Column {
    Column::call("bit_and", vec![expr.into_column()])
}

/// Number of bits that are set, of 64.
///
/// In SQL: `bit_count(expr)`. Since Spark 3.0.0.
#[track_caller]
pub fn bit_count(expr: impl IntoColumn) -> Column {
    Column::call("bit_count", vec![expr.into_column()])
}

/// The bit at a place, counted from the right and 0.
///
/// In SQL: `bit_get(expr, pos)`. Since Spark 3.2.0.
#[track_caller]
pub fn bit_get(expr: impl IntoColumn, pos: impl IntoColumn) -> Column {
    Column::call("bit_get", vec![expr.into_column(), pos.into_column()])
}

/// Number of bits.
///
/// In SQL: `bit_length(expr)`. Since Spark 2.3.0.
#[track_caller]
pub fn bit_length(expr: impl IntoColumn) -> Column {
    Column::call("bit_length", vec![expr.into_column()])
}

/// Bitwise OR of the values that are not null.
///
/// In SQL: `bit_or(expr)`. Since Spark 3.0.0.
#[track_caller]
pub fn bit_or(expr: impl IntoColumn) -> Column {
    Column::call("bit_or", vec![expr.into_column()])
}

/// Bitwise XOR of the values that are not null.
///
/// In SQL: `bit_xor(expr)`. Since Spark 3.0.0.
#[track_caller]
pub fn bit_xor(expr: impl IntoColumn) -> Column {
    Column::call("bit_xor", vec![expr.into_column()])
}

/// The bit of a number in its bitmap.
///
/// In SQL: `bitmap_bit_position(child)`. Since Spark 3.5.0.
#[track_caller]
pub fn bitmap_bit_position(child: impl IntoColumn) -> Column {
    Column::call("bitmap_bit_position", vec![child.into_column()])
}

/// The bitmap that a number is in.
///
/// In SQL: `bitmap_bucket_number(child)`. Since Spark 3.5.0.
#[track_caller]
pub fn bitmap_bucket_number(child: impl IntoColumn) -> Column {
    Column::call("bitmap_bucket_number", vec![child.into_column()])
}

/// The number of bits set.
///
/// In SQL: `bitmap_count(child)`. Since Spark 3.5.0.
#[track_caller]
pub fn bitmap_count(child: impl IntoColumn) -> Column {
    Column::call("bitmap_count", vec![child.into_column()])
}

/// True if all values that are not null are true.
///
/// In SQL: `bool_and(expr)`. Since Spark 3.0.0.
#[track_caller]
pub fn bool_and(expr: impl IntoColumn) -> Column {
    Column::call("bool_and", vec![expr.into_column()])
}

/// True if any value is true.
///
/// In SQL: `bool_or(expr)`. Since Spark 3.0.0.
#[track_caller]
pub fn bool_or(expr: impl IntoColumn) -> Column {
    Column::call("bool_or", vec![expr.into_column()])
}

/// Casts the argument to the type of this name.
///
/// In SQL: `type(expr)`. Since Spark 2.0.1.
#[track_caller]
pub fn boolean(expr: impl IntoColumn) -> Column {
    Column::call("boolean", vec![expr.into_column()])
}

/// The number at d decimal places, half to even.
///
/// In SQL: `bround(expr[, d])`. Since Spark 2.0.0.
#[track_caller]
pub fn bround(args: impl IntoColumns) -> Column {
    Column::call("bround", args.into_columns())
}

/// The string without spaces, or these characters, at its ends.
///
/// In SQL: `btrim(str[, chars])`. Since Spark 3.2.0.
#[track_caller]
pub fn btrim(args: impl IntoColumns) -> Column {
    Column::call("btrim", args.into_columns())
}

/// The number of elements of an array or map. Of null: null, or -1 with spark.sql.ansi.enabled set to false.
///
/// In SQL: `size(expr)`. Since Spark 1.5.0.
#[track_caller]
pub fn cardinality(expr: impl IntoColumn) -> Column {
    Column::call("cardinality", vec![expr.into_column()])
}

/// Cube root.
///
/// In SQL: `cbrt(expr)`. Since Spark 1.4.0.
#[track_caller]
pub fn cbrt(expr: impl IntoColumn) -> Column {
    Column::call("cbrt", vec![expr.into_column()])
}

/// The least number at this scale that is not less.
///
/// In SQL: `ceil(expr[, scale])`. Since Spark 1.4.0.
#[track_caller]
pub fn ceil(args: impl IntoColumns) -> Column {
    Column::call("ceil", args.into_columns())
}

/// The least number at this scale that is not less.
///
/// In SQL: `ceil(expr[, scale])`. Since Spark 1.4.0.
#[track_caller]
pub fn ceiling(args: impl IntoColumns) -> Column {
    Column::call("ceiling", args.into_columns())
}

/// The character of this number, modulo 256; empty for a negative one.
///
/// In SQL: `chr(expr)`. Since Spark 2.3.0.
#[track_caller]
pub fn char(expr: impl IntoColumn) -> Column {
    Column::call("char", vec![expr.into_column()])
}

/// Number of characters of a string, or of bytes of a binary.
///
/// In SQL: `length(expr)`. Since Spark 1.5.0.
#[track_caller]
pub fn char_length(expr: impl IntoColumn) -> Column {
    Column::call("char_length", vec![expr.into_column()])
}

/// Number of characters of a string, or of bytes of a binary.
///
/// In SQL: `length(expr)`. Since Spark 1.5.0.
#[track_caller]
pub fn character_length(expr: impl IntoColumn) -> Column {
    Column::call("character_length", vec![expr.into_column()])
}

/// The character of this number, modulo 256; empty for a negative one.
///
/// In SQL: `chr(expr)`. Since Spark 2.3.0.
#[track_caller]
pub fn chr(expr: impl IntoColumn) -> Column {
    Column::call("chr", vec![expr.into_column()])
}

/// The first argument that is not null, or null.
///
/// In SQL: `coalesce(expr1, expr2, ...)`. Since Spark 1.0.0.
#[track_caller]
pub fn coalesce(args: impl IntoColumns) -> Column {
    Column::call("coalesce", args.into_columns())
}

/// The name of the string's collation; there is but one.
///
/// In SQL: `collation(expr)`. Since Spark 4.0.0.
#[track_caller]
pub fn collation(expr: impl IntoColumn) -> Column {
    Column::call("collation", vec![expr.into_column()])
}

/// Array of the values that are not null, in the order of the rows.
///
/// In SQL: `collect_list(expr)`. Since Spark 2.0.0.
#[track_caller]
pub fn collect_list(expr: impl IntoColumn) -> Column {
    Column::call("collect_list", vec![expr.into_column()])
}

/// Array of the different values that are not null.
///
/// In SQL: `collect_set(expr)`. Since Spark 2.0.0.
#[track_caller]
pub fn collect_set(expr: impl IntoColumn) -> Column {
    Column::call("collect_set", vec![expr.into_column()])
}

/// Strings, binaries or arrays one behind the other; `expr1 || expr2`.
///
/// In SQL: `concat(col1, col2, ..., colN)`. Since Spark 1.5.0.
#[track_caller]
pub fn concat(args: impl IntoColumns) -> Column {
    Column::call("concat", args.into_columns())
}

/// Strings one behind the other with a separator between them, nulls left out.
///
/// In SQL: `concat_ws(sep[, str | array(str)]+)`. Since Spark 1.5.0.
#[track_caller]
pub fn concat_ws(args: impl IntoColumns) -> Column {
    Column::call("concat_ws", args.into_columns())
}

/// Whether the first contains the second.
///
/// In SQL: `contains(left, right)`. Since Spark 3.3.0.
#[track_caller]
pub fn contains(left: impl IntoColumn, right: impl IntoColumn) -> Column {
    Column::call("contains", vec![left.into_column(), right.into_column()])
}

/// The digits of a number in another base, signed if `to_base` is negative.
///
/// In SQL: `conv(num, from_base, to_base)`. Since Spark 1.5.0.
#[track_caller]
pub fn conv(num: impl IntoColumn, from_base: impl IntoColumn, to_base: impl IntoColumn) -> Column {
    Column::call("conv", vec![num.into_column(), from_base.into_column(), to_base.into_column()])
}

/// What the clocks of one zone show when those of another, or of the session's, show a time.
///
/// In SQL: `convert_timezone([sourceTz, ]targetTz, sourceTs)`. Since Spark 3.4.0.
#[track_caller]
pub fn convert_timezone(args: impl IntoColumns) -> Column {
    Column::call("convert_timezone", args.into_columns())
}

/// Pearson's coefficient of correlation.
///
/// In SQL: `corr(x, y)`. Since Spark 1.6.0.
#[track_caller]
pub fn corr(x: impl IntoColumn, y: impl IntoColumn) -> Column {
    Column::call("corr", vec![x.into_column(), y.into_column()])
}

/// Cosine.
///
/// In SQL: `cos(expr)`. Since Spark 1.4.0.
#[track_caller]
pub fn cos(expr: impl IntoColumn) -> Column {
    Column::call("cos", vec![expr.into_column()])
}

/// Hyperbolic cosine.
///
/// In SQL: `cosh(expr)`. Since Spark 1.4.0.
#[track_caller]
pub fn cosh(expr: impl IntoColumn) -> Column {
    Column::call("cosh", vec![expr.into_column()])
}

/// Cotangent.
///
/// In SQL: `cot(expr)`. Since Spark 2.3.0.
#[track_caller]
pub fn cot(expr: impl IntoColumn) -> Column {
    Column::call("cot", vec![expr.into_column()])
}

/// Number of rows in which the expression is true.
///
/// In SQL: `count_if(expr)`. Since Spark 3.0.0.
#[track_caller]
pub fn count_if(expr: impl IntoColumn) -> Column {
    Column::call("count_if", vec![expr.into_column()])
}

/// Covariance of a population.
///
/// In SQL: `covar_pop(x, y)`. Since Spark 2.0.0.
#[track_caller]
pub fn covar_pop(x: impl IntoColumn, y: impl IntoColumn) -> Column {
    Column::call("covar_pop", vec![x.into_column(), y.into_column()])
}

/// Covariance of a sample.
///
/// In SQL: `covar_samp(x, y)`. Since Spark 2.0.0.
#[track_caller]
pub fn covar_samp(x: impl IntoColumn, y: impl IntoColumn) -> Column {
    Column::call("covar_samp", vec![x.into_column(), y.into_column()])
}

/// The cyclic redundancy check.
///
/// In SQL: `crc32(expr)`. Since Spark 1.5.0.
#[track_caller]
pub fn crc32(expr: impl IntoColumn) -> Column {
    Column::call("crc32", vec![expr.into_column()])
}

/// Cosecant.
///
/// In SQL: `csc(expr)`. Since Spark 3.3.0.
#[track_caller]
pub fn csc(expr: impl IntoColumn) -> Column {
    Column::call("csc", vec![expr.into_column()])
}

/// The share of rows that come before the row or are its peers.
///
/// In SQL: `cume_dist()`. Since Spark 2.0.0.
#[track_caller]
pub fn cume_dist() -> Column {
    Column::call("cume_dist", vec![])
}

/// The date at which the query started, in the session's zone.
///
/// In SQL: `current_date()`. Since Spark 1.5.0.
#[track_caller]
pub fn curdate() -> Column {
    Column::call("curdate", vec![])
}

/// The catalog in use.
///
/// In SQL: `current_catalog()`. Since Spark 3.1.0.
#[track_caller]
pub fn current_catalog() -> Column {
    Column::call("current_catalog", vec![])
}

/// The database in use.
///
/// In SQL: `current_database()`. Since Spark 1.6.0.
#[track_caller]
pub fn current_database() -> Column {
    Column::call("current_database", vec![])
}

/// The date at which the query started, in the session's zone.
///
/// In SQL: `current_date()`. Since Spark 1.5.0.
#[track_caller]
pub fn current_date() -> Column {
    Column::call("current_date", vec![])
}

/// The database in use.
///
/// In SQL: `current_database()`. Since Spark 1.6.0.
#[track_caller]
pub fn current_schema() -> Column {
    Column::call("current_schema", vec![])
}

/// The time at which the query started.
///
/// In SQL: `current_timestamp()`. Since Spark 1.5.0.
#[track_caller]
pub fn current_timestamp() -> Column {
    Column::call("current_timestamp", vec![])
}

/// The session's time zone.
///
/// In SQL: `current_timezone()`. Since Spark 3.1.0.
#[track_caller]
pub fn current_timezone() -> Column {
    Column::call("current_timezone", vec![])
}

/// The user.
///
/// In SQL: `current_user()`. Since Spark 3.2.0.
#[track_caller]
pub fn current_user() -> Column {
    Column::call("current_user", vec![])
}

/// Casts the argument to the type of this name.
///
/// In SQL: `type(expr)`. Since Spark 2.0.1.
#[track_caller]
pub fn date(expr: impl IntoColumn) -> Column {
    Column::call("date", vec![expr.into_column()])
}

/// The date so many days later. With a unit before, the timestamp so many units later.
///
/// In SQL: `date_add(date, days)`. Since Spark 1.5.0.
#[track_caller]
pub fn date_add(args: impl IntoColumns) -> Column {
    Column::call("date_add", args.into_columns())
}

/// Days from one date to another. With a unit before, the units from `start` to `end`, which then come in that order.
///
/// In SQL: `date_diff(end, start)`. Since Spark 3.4.0.
#[track_caller]
pub fn date_diff(args: impl IntoColumns) -> Column {
    Column::call("date_diff", args.into_columns())
}

/// The text of a timestamp by a pattern.
///
/// In SQL: `date_format(timestamp, fmt)`. Since Spark 1.5.0.
#[track_caller]
pub fn date_format(timestamp: impl IntoColumn, fmt: impl IntoOperand) -> Column {
    Column::call("date_format", vec![timestamp.into_column(), fmt.into_operand()])
}

/// The date so many days after 1970-01-01.
///
/// In SQL: `date_from_unix_date(days)`. Since Spark 3.1.0.
#[track_caller]
pub fn date_from_unix_date(days: impl IntoColumn) -> Column {
    Column::call("date_from_unix_date", vec![days.into_column()])
}

/// A part of a date, timestamp or interval; the field is a constant string.
///
/// In SQL: `date_part(field, source)`. Since Spark 3.0.0.
#[track_caller]
pub fn date_part(field: impl IntoColumn, source: impl IntoColumn) -> Column {
    Column::call("date_part", vec![field.into_column(), source.into_column()])
}

/// The date so many days earlier.
///
/// In SQL: `date_sub(date, days)`. Since Spark 1.5.0.
#[track_caller]
pub fn date_sub(date: impl IntoColumn, days: impl IntoColumn) -> Column {
    Column::call("date_sub", vec![date.into_column(), days.into_column()])
}

/// The first moment of the unit, from year to microsecond; null for another unit.
///
/// In SQL: `date_trunc(fmt, timestamp)`. Since Spark 2.3.0.
#[track_caller]
pub fn date_trunc(fmt: impl IntoOperand, timestamp: impl IntoColumn) -> Column {
    Column::call("date_trunc", vec![fmt.into_operand(), timestamp.into_column()])
}

/// The date so many days later. With a unit before, the timestamp so many units later.
///
/// In SQL: `date_add(date, days)`. Since Spark 1.5.0.
#[track_caller]
pub fn dateadd(args: impl IntoColumns) -> Column {
    Column::call("dateadd", args.into_columns())
}

/// Days from one date to another. With a unit before, the units from `start` to `end`, which then come in that order.
///
/// In SQL: `datediff(end, start)`. Since Spark 1.5.0.
#[track_caller]
pub fn datediff(args: impl IntoColumns) -> Column {
    Column::call("datediff", args.into_columns())
}

/// A part of a date, timestamp or interval; the field is a constant string.
///
/// In SQL: `datepart(field, source)`. Since Spark 3.4.0.
#[track_caller]
pub fn datepart(field: impl IntoColumn, source: impl IntoColumn) -> Column {
    Column::call("datepart", vec![field.into_column(), source.into_column()])
}

/// The day of the month.
///
/// In SQL: `day(date)`. Since Spark 1.5.0.
#[track_caller]
pub fn day(date: impl IntoColumn) -> Column {
    Column::call("day", vec![date.into_column()])
}

/// The day of the week in three letters.
///
/// In SQL: `dayname(date)`. Since Spark 4.0.0.
#[track_caller]
pub fn dayname(date: impl IntoColumn) -> Column {
    Column::call("dayname", vec![date.into_column()])
}

/// The day of the month.
///
/// In SQL: `day(date)`. Since Spark 1.5.0.
#[track_caller]
pub fn dayofmonth(date: impl IntoColumn) -> Column {
    Column::call("dayofmonth", vec![date.into_column()])
}

/// The day of the week: 1 for Sunday to 7 for Saturday.
///
/// In SQL: `dayofweek(date)`. Since Spark 2.3.0.
#[track_caller]
pub fn dayofweek(date: impl IntoColumn) -> Column {
    Column::call("dayofweek", vec![date.into_column()])
}

/// The day of the year, from 1.
///
/// In SQL: `dayofyear(date)`. Since Spark 1.5.0.
#[track_caller]
pub fn dayofyear(date: impl IntoColumn) -> Column {
    Column::call("dayofyear", vec![date.into_column()])
}

/// Casts the argument to the type of this name.
///
/// In SQL: `type(expr)`. Since Spark 2.0.1.
#[track_caller]
pub fn decimal(expr: impl IntoColumn) -> Column {
    Column::call("decimal", vec![expr.into_column()])
}

/// The text that bytes are in a character set; or the result behind the value that equals the first.
///
/// In SQL: `decode(bin, charset) or decode(expr, search1, result1, ..., default)`. Since Spark 1.5.0.
#[track_caller]
pub fn decode(args: impl IntoColumns) -> Column {
    Column::call("decode", args.into_columns())
}

/// Radians as degrees.
///
/// In SQL: `degrees(expr)`. Since Spark 1.4.0.
#[track_caller]
pub fn degrees(expr: impl IntoColumn) -> Column {
    Column::call("degrees", vec![expr.into_column()])
}

/// The number of the row's group of peers, from 1.
///
/// In SQL: `dense_rank()`. Since Spark 2.0.0.
#[track_caller]
pub fn dense_rank() -> Column {
    Column::call("dense_rank", vec![])
}

/// The whole part of the quotient.
///
/// In SQL: `expr1 div expr2`. Since Spark 3.0.0.
#[track_caller]
pub fn div(expr1: impl IntoColumn, expr2: impl IntoColumn) -> Column {
    Column::call("div", vec![expr1.into_column(), expr2.into_column()])
}

/// Casts the argument to the type of this name.
///
/// In SQL: `type(expr)`. Since Spark 2.0.1.
#[track_caller]
pub fn double(expr: impl IntoColumn) -> Column {
    Column::call("double", vec![expr.into_column()])
}

/// Euler's number.
///
/// In SQL: `e()`. Since Spark 1.5.0.
#[track_caller]
pub fn e() -> Column {
    Column::call("e", vec![])
}

/// The element of an array at an index from 1, from the end if negative, or the value of a map at a key.
///
/// In SQL: `element_at(array, index)`. Since Spark 2.4.0.
#[track_caller]
pub fn element_at(array: impl IntoColumn, index: impl IntoColumn) -> Column {
    Column::call("element_at", vec![array.into_column(), index.into_column()])
}

/// The n-th of the inputs.
///
/// In SQL: `elt(n, input1, input2, ...)`. Since Spark 2.0.0.
#[track_caller]
pub fn elt(args: impl IntoColumns) -> Column {
    Column::call("elt", args.into_columns())
}

/// The bytes of the string in a character set.
///
/// In SQL: `encode(str, charset)`. Since Spark 1.5.0.
#[track_caller]
pub fn encode(str: impl IntoColumn, charset: impl IntoOperand) -> Column {
    Column::call("encode", vec![str.into_column(), charset.into_operand()])
}

/// Whether the first ends with the second.
///
/// In SQL: `endswith(left, right)`. Since Spark 3.3.0.
#[track_caller]
pub fn endswith(left: impl IntoColumn, right: impl IntoColumn) -> Column {
    Column::call("endswith", vec![left.into_column(), right.into_column()])
}

/// Whether both are equal, where null equals null.
///
/// In SQL: `expr1 <=> expr2`. Since Spark 1.0.0.
#[track_caller]
pub fn equal_null(expr1: impl IntoColumn, expr2: impl IntoColumn) -> Column {
    Column::call("equal_null", vec![expr1.into_column(), expr2.into_column()])
}

/// True if all values that are not null are true.
///
/// In SQL: `bool_and(expr)`. Since Spark 3.0.0.
#[track_caller]
pub fn every(expr: impl IntoColumn) -> Column {
    Column::call("every", vec![expr.into_column()])
}

/// e to this power.
///
/// In SQL: `exp(expr)`. Since Spark 1.4.0.
#[track_caller]
pub fn exp(expr: impl IntoColumn) -> Column {
    Column::call("exp", vec![expr.into_column()])
}

/// A row per element of an array (`col`) or per entry of a map (`key`, `value`).
///
/// In SQL: `explode(expr)`. Since Spark 1.0.0.
#[track_caller]
pub fn explode(expr: impl IntoColumn) -> Column {
    Column::call("explode", vec![expr.into_column()])
}

/// As explode; an empty or null array or map gives one row of nulls.
///
/// In SQL: `explode_outer(expr)`. Since Spark 1.0.0.
#[track_caller]
pub fn explode_outer(expr: impl IntoColumn) -> Column {
    Column::call("explode_outer", vec![expr.into_column()])
}

/// exp(expr) - 1.
///
/// In SQL: `expm1(expr)`. Since Spark 1.4.0.
#[track_caller]
pub fn expm1(expr: impl IntoColumn) -> Column {
    Column::call("expm1", vec![expr.into_column()])
}

/// A part of a date, timestamp or interval.
///
/// In SQL: `extract(field FROM source)`. Since Spark 3.0.0.
#[track_caller]
pub fn extract(expr1: impl IntoColumn, expr2: impl IntoColumn) -> Column {
    Column::call("extract", vec![expr1.into_column(), expr2.into_column()])
}

/// The product of the numbers from 1 to 0..20; null for others.
///
/// In SQL: `factorial(expr)`. Since Spark 1.5.0.
#[track_caller]
pub fn factorial(expr: impl IntoColumn) -> Column {
    Column::call("factorial", vec![expr.into_column()])
}

/// The place of a string in a list with commas, from 1; 0 if it is not there.
///
/// In SQL: `find_in_set(str, str_array)`. Since Spark 1.5.0.
#[track_caller]
pub fn find_in_set(str: impl IntoColumn, str_array: impl IntoColumn) -> Column {
    Column::call("find_in_set", vec![str.into_column(), str_array.into_column()])
}

/// Value of the first row; with ignoreNulls, the first that is not null.
///
/// In SQL: `first(expr[, ignoreNulls])`. Since Spark 2.0.0.
#[track_caller]
pub fn first(args: impl IntoColumns) -> Column {
    Column::call("first", args.into_columns())
}

/// Value of the first row; with ignoreNulls, the first that is not null.
///
/// In SQL: `first(expr[, ignoreNulls])`. Since Spark 2.0.0.
#[track_caller]
pub fn first_value(args: impl IntoColumns) -> Column {
    Column::call("first_value", args.into_columns())
}

/// The elements of all inner arrays in one; null if an inner array is null.
///
/// In SQL: `flatten(arrayOfArrays)`. Since Spark 2.4.0.
#[track_caller]
pub fn flatten(array_of_arrays: impl IntoColumn) -> Column {
    Column::call("flatten", vec![array_of_arrays.into_column()])
}

/// Casts the argument to the type of this name.
///
/// In SQL: `type(expr)`. Since Spark 2.0.1.
#[track_caller]
pub fn float(expr: impl IntoColumn) -> Column {
    Column::call("float", vec![expr.into_column()])
}

/// The greatest number at this scale that is not greater.
///
/// In SQL: `floor(expr[, scale])`. Since Spark 1.4.0.
#[track_caller]
pub fn floor(args: impl IntoColumns) -> Column {
    Column::call("floor", args.into_columns())
}

/// The number with commas, at so many decimal places or by a pattern, half to even.
///
/// In SQL: `format_number(expr1, expr2)`. Since Spark 1.5.0.
#[track_caller]
pub fn format_number(expr1: impl IntoColumn, expr2: impl IntoColumn) -> Column {
    Column::call("format_number", vec![expr1.into_column(), expr2.into_column()])
}

/// Text by a format of `printf`.
///
/// In SQL: `format_string(strfmt, obj, ...)`. Since Spark 1.5.0.
#[track_caller]
pub fn format_string(args: impl IntoColumns) -> Column {
    Column::call("format_string", args.into_columns())
}

/// The bytes that a string in base 32 stands for.
///
/// In SQL: `from_base32(str)`. Since Spark 4.3.0.
#[track_caller]
pub fn from_base32(str: impl IntoColumn) -> Column {
    Column::call("from_base32", vec![str.into_column()])
}

/// The struct that a line of CSV holds by a schema; what does not fit is null.
///
/// In SQL: `from_csv(csvStr, schema[, options])`. Since Spark 3.0.0.
#[track_caller]
pub fn from_csv(args: impl IntoColumns) -> Column {
    Column::call("from_csv", args.into_columns())
}

/// The struct, array or map that a JSON text holds by a schema; what does not fit is null.
///
/// In SQL: `from_json(jsonStr, schema[, options])`. Since Spark 2.2.0.
#[track_caller]
pub fn from_json(args: impl IntoColumns) -> Column {
    Column::call("from_json", args.into_columns())
}

/// The text of the timestamp so many seconds after 1970-01-01 00:00:00 UTC.
///
/// In SQL: `from_unixtime(seconds[, fmt])`. Since Spark 1.5.0.
#[track_caller]
pub fn from_unixtime(args: impl IntoColumns) -> Column {
    Column::call("from_unixtime", args.into_columns())
}

/// Takes a timestamp for one of UTC and gives what the clocks of the zone show then.
///
/// In SQL: `from_utc_timestamp(timestamp, timezone)`. Since Spark 1.5.0.
#[track_caller]
pub fn from_utc_timestamp(timestamp: impl IntoColumn, timezone: impl IntoOperand) -> Column {
    Column::call("from_utc_timestamp", vec![timestamp.into_column(), timezone.into_operand()])
}

/// The element of an array at an index from 0, null for an index beyond the array.
///
/// In SQL: `get(array, index)`. Since Spark 3.4.0.
#[track_caller]
pub fn get(array: impl IntoColumn, index: impl IntoColumn) -> Column {
    Column::call("get", vec![array.into_column(), index.into_column()])
}

/// The value at a path such as `$.a\[0\].b`; null where there is none.
///
/// In SQL: `get_json_object(json_txt, path)`. Since Spark 1.5.0.
#[track_caller]
pub fn get_json_object(json_txt: impl IntoColumn, path: impl IntoOperand) -> Column {
    Column::call("get_json_object", vec![json_txt.into_column(), path.into_operand()])
}

/// The bit at a place, counted from the right and 0.
///
/// In SQL: `bit_get(expr, pos)`. Since Spark 3.2.0.
#[track_caller]
pub fn getbit(expr: impl IntoColumn, pos: impl IntoColumn) -> Column {
    Column::call("getbit", vec![expr.into_column(), pos.into_column()])
}

/// The greatest value that is not null.
///
/// In SQL: `greatest(expr, ...)`. Since Spark 1.5.0.
#[track_caller]
pub fn greatest(args: impl IntoColumns) -> Column {
    Column::call("greatest", args.into_columns())
}

/// 1 where a grouping set leaves the column out, else 0.
///
/// In SQL: `grouping(col)`. Since Spark 2.0.0.
#[track_caller]
pub fn grouping(col: impl IntoColumn) -> Column {
    Column::call("grouping", vec![col.into_column()])
}

/// The bits of `grouping` of the columns as a number.
///
/// In SQL: `grouping_id([col1[, col2 ..]])`. Since Spark 2.0.0.
#[track_caller]
pub fn grouping_id(args: impl IntoColumns) -> Column {
    Column::call("grouping_id", args.into_columns())
}

/// A hash of the values, by Murmur3.
///
/// In SQL: `hash(expr1, expr2, ...)`. Since Spark 2.0.0.
#[track_caller]
pub fn hash(args: impl IntoColumns) -> Column {
    Column::call("hash", args.into_columns())
}

/// A whole number, a string's or a binary's bytes in hexadecimal digits.
///
/// In SQL: `hex(expr)`. Since Spark 1.5.0.
#[track_caller]
pub fn hex(expr: impl IntoColumn) -> Column {
    Column::call("hex", vec![expr.into_column()])
}

/// The keyed digest by SHA-224, SHA-256 (if nothing is said), SHA-384, SHA-512, SHA-1 or MD5.
///
/// In SQL: `hmac(key, message[, algorithm])`. Since Spark 4.3.0.
#[track_caller]
pub fn hmac(args: impl IntoColumns) -> Column {
    Column::call("hmac", args.into_columns())
}

/// The hour, 0 to 23.
///
/// In SQL: `hour(timestamp)`. Since Spark 1.5.0.
#[track_caller]
pub fn hour(timestamp: impl IntoColumn) -> Column {
    Column::call("hour", vec![timestamp.into_column()])
}

/// sqrt(expr1² + expr2²).
///
/// In SQL: `hypot(expr1, expr2)`. Since Spark 1.4.0.
#[track_caller]
pub fn hypot(expr1: impl IntoColumn, expr2: impl IntoColumn) -> Column {
    Column::call("hypot", vec![expr1.into_column(), expr2.into_column()])
}

/// `a` where the condition is true, else `b`.
///
/// In SQL: `if(cond, a, b)`. Since Spark 1.0.0.
#[track_caller]
pub fn if_(cond: impl IntoColumn, a: impl IntoColumn, b: impl IntoColumn) -> Column {
    Column::call("if", vec![cond.into_column(), a.into_column(), b.into_column()])
}

/// `expr2` if `expr1` is null, else `expr1`.
///
/// In SQL: `nvl(expr1, expr2)`. Since Spark 2.0.0.
#[track_caller]
pub fn ifnull(expr1: impl IntoColumn, expr2: impl IntoColumn) -> Column {
    Column::call("ifnull", vec![expr1.into_column(), expr2.into_column()])
}

/// Whether the string matches the pattern of `LIKE`, whatever the case of its letters.
///
/// In SQL: `str ILIKE pattern [ESCAPE escape]`. Since Spark 3.3.0.
#[track_caller]
pub fn ilike(args: impl IntoColumns) -> Column {
    Column::call("ilike", args.into_columns())
}

/// The string with the first letter of each word in upper case.
///
/// In SQL: `initcap(str)`. Since Spark 1.5.0.
#[track_caller]
pub fn initcap(str: impl IntoColumn) -> Column {
    Column::call("initcap", vec![str.into_column()])
}

/// A row per struct of an array, its fields as columns.
///
/// In SQL: `inline(expr)`. Since Spark 2.0.0.
#[track_caller]
pub fn inline(expr: impl IntoColumn) -> Column {
    Column::call("inline", vec![expr.into_column()])
}

/// As inline; an empty or null array gives one row of nulls.
///
/// In SQL: `inline_outer(expr)`. Since Spark 2.0.0.
#[track_caller]
pub fn inline_outer(expr: impl IntoColumn) -> Column {
    Column::call("inline_outer", vec![expr.into_column()])
}

/// The length of the block that is read; -1, as it is not known.
///
/// In SQL: `input_file_block_length()`. Since Spark 2.2.0.
#[track_caller]
pub fn input_file_block_length() -> Column {
    Column::call("input_file_block_length", vec![])
}

/// Where the block that is read begins; -1, as it is not known.
///
/// In SQL: `input_file_block_start()`. Since Spark 2.2.0.
#[track_caller]
pub fn input_file_block_start() -> Column {
    Column::call("input_file_block_start", vec![])
}

/// The file that is read; empty, as it is not known.
///
/// In SQL: `input_file_name()`. Since Spark 1.5.0.
#[track_caller]
pub fn input_file_name() -> Column {
    Column::call("input_file_name", vec![])
}

/// Where the second string occurs in the first, from 1, looking forward or, from a negative place, backward; 0 if nowhere.
///
/// In SQL: `instr(str, substr[, start[, occurrence]])`. Since Spark 1.5.0.
#[track_caller]
pub fn instr(args: impl IntoColumns) -> Column {
    Column::call("instr", args.into_columns())
}

/// Casts the argument to the type of this name.
///
/// In SQL: `type(expr)`. Since Spark 2.0.1.
#[track_caller]
pub fn int(expr: impl IntoColumn) -> Column {
    Column::call("int", vec![expr.into_column()])
}

/// Whether the bytes are valid UTF-8.
///
/// In SQL: `is_valid_utf8(str)`. Since Spark 4.0.0.
#[track_caller]
pub fn is_valid_utf8(str: impl IntoColumn) -> Column {
    Column::call("is_valid_utf8", vec![str.into_column()])
}

/// Whether the number is NaN; false for null.
///
/// In SQL: `isnan(expr)`. Since Spark 1.5.0.
#[track_caller]
pub fn isnan(expr: impl IntoColumn) -> Column {
    Column::call("isnan", vec![expr.into_column()])
}

/// Whether the argument is not null.
///
/// In SQL: `isnotnull(expr)`. Since Spark 1.0.0.
#[track_caller]
pub fn isnotnull(expr: impl IntoColumn) -> Column {
    Column::call("isnotnull", vec![expr.into_column()])
}

/// Whether the argument is null.
///
/// In SQL: `isnull(expr)`. Since Spark 1.0.0.
#[track_caller]
pub fn isnull(expr: impl IntoColumn) -> Column {
    Column::call("isnull", vec![expr.into_column()])
}

/// How alike the strings are, from 0 to 1.
///
/// In SQL: `jaro_winkler_similarity(str1, str2)`. Since Spark 4.3.0.
#[track_caller]
pub fn jaro_winkler_similarity(str1: impl IntoColumn, str2: impl IntoColumn) -> Column {
    Column::call("jaro_winkler_similarity", vec![str1.into_column(), str2.into_column()])
}

/// The number of elements of the outermost array; null for what is none.
///
/// In SQL: `json_array_length(jsonArray)`. Since Spark 3.1.0.
#[track_caller]
pub fn json_array_length(json_array: impl IntoColumn) -> Column {
    Column::call("json_array_length", vec![json_array.into_column()])
}

/// The keys of the outermost object; null for what is none.
///
/// In SQL: `json_object_keys(json_object)`. Since Spark 3.1.0.
#[track_caller]
pub fn json_object_keys(json_object: impl IntoColumn) -> Column {
    Column::call("json_object_keys", vec![json_object.into_column()])
}

/// One row of the values of these fields of a JSON object, as strings.
///
/// In SQL: `json_tuple(jsonStr, p1, p2, ..., pn)`. Since Spark 1.6.0.
#[track_caller]
pub fn json_tuple(args: impl IntoColumns) -> Column {
    Column::call("json_tuple", args.into_columns())
}

/// Fourth standardised moment less 3.
///
/// In SQL: `kurtosis(expr)`. Since Spark 1.6.0.
#[track_caller]
pub fn kurtosis(expr: impl IntoColumn) -> Column {
    Column::call("kurtosis", vec![expr.into_column()])
}

/// The value of the row `offset` rows before, one if not given; the default, or null, if there is no such row.
///
/// In SQL: `lag(input[, offset[, default]])`. Since Spark 2.0.0.
#[track_caller]
pub fn lag(args: impl IntoColumns) -> Column {
    Column::call("lag", args.into_columns())
}

/// Value of the last row; with ignoreNulls, the last that is not null.
///
/// In SQL: `last(expr[, ignoreNulls])`. Since Spark 2.0.0.
#[track_caller]
pub fn last(args: impl IntoColumns) -> Column {
    Column::call("last", args.into_columns())
}

/// The last day of the month.
///
/// In SQL: `last_day(date)`. Since Spark 1.5.0.
#[track_caller]
pub fn last_day(date: impl IntoColumn) -> Column {
    Column::call("last_day", vec![date.into_column()])
}

/// Value of the last row; with ignoreNulls, the last that is not null.
///
/// In SQL: `last(expr[, ignoreNulls])`. Since Spark 2.0.0.
#[track_caller]
pub fn last_value(args: impl IntoColumns) -> Column {
    Column::call("last_value", args.into_columns())
}

/// The string in lower case.
///
/// In SQL: `lower(str)`. Since Spark 1.0.1.
#[track_caller]
pub fn lcase(str: impl IntoColumn) -> Column {
    Column::call("lcase", vec![str.into_column()])
}

/// The value of the row `offset` rows after, one if not given; the default, or null, if there is no such row.
///
/// In SQL: `lead(input[, offset[, default]])`. Since Spark 2.0.0.
#[track_caller]
pub fn lead(args: impl IntoColumns) -> Column {
    Column::call("lead", args.into_columns())
}

/// The least value that is not null.
///
/// In SQL: `least(expr, ...)`. Since Spark 1.5.0.
#[track_caller]
pub fn least(args: impl IntoColumns) -> Column {
    Column::call("least", args.into_columns())
}

/// The first characters.
///
/// In SQL: `left(str, len)`. Since Spark 2.3.0.
#[track_caller]
pub fn left(str: impl IntoColumn, len: impl IntoColumn) -> Column {
    Column::call("left", vec![str.into_column(), len.into_column()])
}

/// Number of characters of a string, or of bytes of a binary.
///
/// In SQL: `length(expr)`. Since Spark 1.5.0.
#[track_caller]
pub fn len(expr: impl IntoColumn) -> Column {
    Column::call("len", vec![expr.into_column()])
}

/// Number of characters of a string, or of bytes of a binary.
///
/// In SQL: `length(expr)`. Since Spark 1.5.0.
#[track_caller]
pub fn length(expr: impl IntoColumn) -> Column {
    Column::call("length", vec![expr.into_column()])
}

/// The least number of characters to insert, delete or replace; -1 if it is beyond the threshold.
///
/// In SQL: `levenshtein(str1, str2[, threshold])`. Since Spark 1.5.0.
#[track_caller]
pub fn levenshtein(args: impl IntoColumns) -> Column {
    Column::call("levenshtein", args.into_columns())
}

/// Whether the string matches the pattern: `_` is any character, `%` any characters.
///
/// In SQL: `str LIKE pattern [ESCAPE escape]`. Since Spark 1.0.0.
#[track_caller]
pub fn like(args: impl IntoColumns) -> Column {
    Column::call("like", args.into_columns())
}

/// The values that are not null, joined with the delimiter.
///
/// In SQL: `listagg(expr[, delimiter])`. Since Spark 4.0.0.
#[track_caller]
pub fn listagg(args: impl IntoColumns) -> Column {
    Column::call("listagg", args.into_columns())
}

/// Natural logarithm; null up to 0.
///
/// In SQL: `ln(expr)`. Since Spark 1.4.0.
#[track_caller]
pub fn ln(expr: impl IntoColumn) -> Column {
    Column::call("ln", vec![expr.into_column()])
}

/// The time at which the query started, as the clocks of the session's zone show it.
///
/// In SQL: `localtimestamp()`. Since Spark 3.4.0.
#[track_caller]
pub fn localtimestamp() -> Column {
    Column::call("localtimestamp", vec![])
}

/// Where the first string first occurs in the second at or behind a place, from 1; 0 if nowhere.
///
/// In SQL: `locate(substr, str[, pos])`. Since Spark 1.5.0.
#[track_caller]
pub fn locate(args: impl IntoColumns) -> Column {
    Column::call("locate", args.into_columns())
}

/// Logarithm to a base, e if nothing is said; null up to 0.
///
/// In SQL: `log([base, ]expr)`. Since Spark 1.5.0.
#[track_caller]
pub fn log(args: impl IntoColumns) -> Column {
    Column::call("log", args.into_columns())
}

/// Logarithm to base 10; null up to 0.
///
/// In SQL: `log10(expr)`. Since Spark 1.4.0.
#[track_caller]
pub fn log10(expr: impl IntoColumn) -> Column {
    Column::call("log10", vec![expr.into_column()])
}

/// ln(1 + expr); null up to -1.
///
/// In SQL: `log1p(expr)`. Since Spark 1.4.0.
#[track_caller]
pub fn log1p(expr: impl IntoColumn) -> Column {
    Column::call("log1p", vec![expr.into_column()])
}

/// Logarithm to base 2; null up to 0.
///
/// In SQL: `log2(expr)`. Since Spark 1.4.0.
#[track_caller]
pub fn log2(expr: impl IntoColumn) -> Column {
    Column::call("log2", vec![expr.into_column()])
}

/// The string in lower case.
///
/// In SQL: `lower(str)`. Since Spark 1.0.1.
#[track_caller]
pub fn lower(str: impl IntoColumn) -> Column {
    Column::call("lower", vec![str.into_column()])
}

/// The string at this length, filled on the left with spaces or `pad`.
///
/// In SQL: `lpad(str, len[, pad])`. Since Spark 1.5.0.
#[track_caller]
pub fn lpad(args: impl IntoColumns) -> Column {
    Column::call("lpad", args.into_columns())
}

/// The string without spaces at its beginning.
///
/// In SQL: `ltrim(str)`. Since Spark 1.5.0.
#[track_caller]
pub fn ltrim(args: impl IntoColumns) -> Column {
    Column::call("ltrim", args.into_columns())
}

/// Whether the digits are a number with a valid check digit by Luhn's algorithm.
///
/// In SQL: `luhn_check(str)`. Since Spark 3.5.0.
#[track_caller]
pub fn luhn_check(str: impl IntoColumn) -> Column {
    Column::call("luhn_check", vec![str.into_column()])
}

/// The date of its parts.
///
/// In SQL: `make_date(year, month, day)`. Since Spark 3.0.0.
#[track_caller]
pub fn make_date(year: impl IntoColumn, month: impl IntoColumn, day: impl IntoColumn) -> Column {
    Column::call("make_date", vec![year.into_column(), month.into_column(), day.into_column()])
}

/// A day-time interval of its parts.
///
/// In SQL: `make_dt_interval([days[, hours[, mins[, secs]]]])`. Since Spark 3.2.0.
#[track_caller]
pub fn make_dt_interval(args: impl IntoColumns) -> Column {
    Column::call("make_dt_interval", args.into_columns())
}

/// An interval of its parts.
///
/// In SQL: `make_interval([years[, months[, weeks[, days[, hours[, mins[, secs]]]]]]])`. Since Spark 3.0.0.
#[track_caller]
pub fn make_interval(args: impl IntoColumns) -> Column {
    Column::call("make_interval", args.into_columns())
}

/// The timestamp of its parts, in the session's zone or another; seconds may have a fraction.
///
/// In SQL: `make_timestamp(year, month, day, hour, min, sec[, timezone])`. Since Spark 3.0.0.
#[track_caller]
pub fn make_timestamp(args: impl IntoColumns) -> Column {
    Column::call("make_timestamp", args.into_columns())
}

/// The timestamp of its parts, in the session's zone or another.
///
/// In SQL: `make_timestamp_ltz(year, month, day, hour, min, sec[, timezone])`. Since Spark 3.4.0.
#[track_caller]
pub fn make_timestamp_ltz(args: impl IntoColumns) -> Column {
    Column::call("make_timestamp_ltz", args.into_columns())
}

/// The timestamp without zone of its parts.
///
/// In SQL: `make_timestamp_ntz(year, month, day, hour, min, sec)`. Since Spark 3.4.0.
#[track_caller]
pub fn make_timestamp_ntz(
    year: impl IntoColumn,
    month: impl IntoColumn,
    day: impl IntoColumn,
    hour: impl IntoColumn,
    min: impl IntoColumn,
    sec: impl IntoColumn,
) -> Column {
    Column::call(
        "make_timestamp_ntz",
        vec![
            year.into_column(),
            month.into_column(),
            day.into_column(),
            hour.into_column(),
            min.into_column(),
            sec.into_column(),
        ],
    )
}

/// The string with what is no valid UTF-8 replaced by U+FFFD.
///
/// In SQL: `make_valid_utf8(str)`. Since Spark 4.0.0.
#[track_caller]
pub fn make_valid_utf8(str: impl IntoColumn) -> Column {
    Column::call("make_valid_utf8", vec![str.into_column()])
}

/// A year-month interval of its parts.
///
/// In SQL: `make_ym_interval([years[, months]])`. Since Spark 3.2.0.
#[track_caller]
pub fn make_ym_interval(args: impl IntoColumns) -> Column {
    Column::call("make_ym_interval", args.into_columns())
}

/// A map of these keys and values.
///
/// In SQL: `map(key0, value0, key1, value1, ...)`. Since Spark 2.0.0.
#[track_caller]
pub fn map(args: impl IntoColumns) -> Column {
    Column::call("map", args.into_columns())
}

/// The entries of all maps in one.
///
/// In SQL: `map_concat(map, ...)`. Since Spark 2.4.0.
#[track_caller]
pub fn map_concat(args: impl IntoColumns) -> Column {
    Column::call("map_concat", args.into_columns())
}

/// Whether the map has the key.
///
/// In SQL: `map_contains_key(map, key)`. Since Spark 3.3.0.
#[track_caller]
pub fn map_contains_key(map: impl IntoColumn, key: impl IntoColumn) -> Column {
    Column::call("map_contains_key", vec![map.into_column(), key.into_column()])
}

/// The entries of a map as an array of structs.
///
/// In SQL: `map_entries(map)`. Since Spark 3.0.0.
#[track_caller]
pub fn map_entries(map: impl IntoColumn) -> Column {
    Column::call("map_entries", vec![map.into_column()])
}

/// A map of an array of keys and one of values.
///
/// In SQL: `map_from_arrays(keys, values)`. Since Spark 2.4.0.
#[track_caller]
pub fn map_from_arrays(keys: impl IntoColumn, values: impl IntoColumn) -> Column {
    Column::call("map_from_arrays", vec![keys.into_column(), values.into_column()])
}

/// A map of an array of pairs; null if a pair is null.
///
/// In SQL: `map_from_entries(arrayOfEntries)`. Since Spark 2.4.0.
#[track_caller]
pub fn map_from_entries(array_of_entries: impl IntoColumn) -> Column {
    Column::call("map_from_entries", vec![array_of_entries.into_column()])
}

/// The keys of a map as an array.
///
/// In SQL: `map_keys(map)`. Since Spark 2.0.0.
#[track_caller]
pub fn map_keys(map: impl IntoColumn) -> Column {
    Column::call("map_keys", vec![map.into_column()])
}

/// The values of a map as an array.
///
/// In SQL: `map_values(map)`. Since Spark 2.0.0.
#[track_caller]
pub fn map_values(map: impl IntoColumn) -> Column {
    Column::call("map_values", vec![map.into_column()])
}

/// The string with letters, digits and other characters replaced; null keeps what it stands for.
///
/// In SQL: `mask(input[, upperChar, lowerChar, digitChar, otherChar])`. Since Spark 3.5.0.
#[track_caller]
pub fn mask(args: impl IntoColumns) -> Column {
    Column::call("mask", args.into_columns())
}

/// Greatest value that is not null; NaN is greater than every number.
///
/// In SQL: `max(expr)`. Since Spark 1.0.0.
#[track_caller]
pub fn max(expr: impl IntoColumn) -> Column {
    Column::call("max", vec![expr.into_column()])
}

/// The value of the row whose key is greatest; among equal keys the last.
///
/// In SQL: `max_by(expr, key)`. Since Spark 3.0.0.
#[track_caller]
pub fn max_by(expr: impl IntoColumn, key: impl IntoColumn) -> Column {
    Column::call("max_by", vec![expr.into_column(), key.into_column()])
}

/// The MD5 digest in hexadecimal digits.
///
/// In SQL: `md5(expr)`. Since Spark 1.5.0.
#[track_caller]
pub fn md5(expr: impl IntoColumn) -> Column {
    Column::call("md5", vec![expr.into_column()])
}

/// Mean of the values that are not null.
///
/// In SQL: `avg(expr)`. Since Spark 1.0.0.
#[track_caller]
pub fn mean(expr: impl IntoColumn) -> Column {
    Column::call("mean", vec![expr.into_column()])
}

/// The middle value, interpolated.
///
/// In SQL: `median(expr)`. Since Spark 3.4.0.
#[track_caller]
pub fn median(expr: impl IntoColumn) -> Column {
    Column::call("median", vec![expr.into_column()])
}

/// Least value that is not null.
///
/// In SQL: `min(expr)`. Since Spark 1.0.0.
#[track_caller]
pub fn min(expr: impl IntoColumn) -> Column {
    Column::call("min", vec![expr.into_column()])
}

/// The value of the row whose key is least; among equal keys the last.
///
/// In SQL: `min_by(expr, key)`. Since Spark 3.0.0.
#[track_caller]
pub fn min_by(expr: impl IntoColumn, key: impl IntoColumn) -> Column {
    Column::call("min_by", vec![expr.into_column(), key.into_column()])
}

/// The minute.
///
/// In SQL: `minute(timestamp)`. Since Spark 1.5.0.
#[track_caller]
pub fn minute(timestamp: impl IntoColumn) -> Column {
    Column::call("minute", vec![timestamp.into_column()])
}

/// The remainder, with the sign of the dividend.
///
/// In SQL: `expr1 % expr2`. Since Spark 1.0.0.
#[track_caller]
pub fn mod_(expr1: impl IntoColumn, expr2: impl IntoColumn) -> Column {
    Column::call("mod", vec![expr1.into_column(), expr2.into_column()])
}

/// The most frequent value that is not null; among equally frequent ones the least.
///
/// In SQL: `mode(expr[, deterministic])`. Since Spark 3.4.0.
#[track_caller]
pub fn mode(args: impl IntoColumns) -> Column {
    Column::call("mode", args.into_columns())
}

/// A number that grows from row to row: partition × 2³³ + row.
///
/// In SQL: `monotonically_increasing_id()`. Since Spark 1.4.0.
#[track_caller]
pub fn monotonically_increasing_id() -> Column {
    Column::call("monotonically_increasing_id", vec![])
}

/// The month, 1 to 12.
///
/// In SQL: `month(date)`. Since Spark 1.5.0.
#[track_caller]
pub fn month(date: impl IntoColumn) -> Column {
    Column::call("month", vec![date.into_column()])
}

/// The month in three letters.
///
/// In SQL: `monthname(date)`. Since Spark 4.0.0.
#[track_caller]
pub fn monthname(date: impl IntoColumn) -> Column {
    Column::call("monthname", vec![date.into_column()])
}

/// Months between two timestamps, months having 31 days; whole if both have the same day or are last days.
///
/// In SQL: `months_between(timestamp1, timestamp2[, roundOff])`. Since Spark 1.5.0.
#[track_caller]
pub fn months_between(args: impl IntoColumns) -> Column {
    Column::call("months_between", args.into_columns())
}

/// A struct of these names and values.
///
/// In SQL: `named_struct(name1, val1, ...)`. Since Spark 1.5.0.
#[track_caller]
pub fn named_struct(args: impl IntoColumns) -> Column {
    Column::call("named_struct", args.into_columns())
}

/// The first unless it is NaN, then the second.
///
/// In SQL: `nanvl(expr1, expr2)`. Since Spark 1.5.0.
#[track_caller]
pub fn nanvl(expr1: impl IntoColumn, expr2: impl IntoColumn) -> Column {
    Column::call("nanvl", vec![expr1.into_column(), expr2.into_column()])
}

/// The number or interval with the other sign; `- expr`.
///
/// In SQL: `negative(expr)`. Since Spark 1.0.0.
#[track_caller]
pub fn negative(expr: impl IntoColumn) -> Column {
    Column::call("negative", vec![expr.into_column()])
}

/// The first date after this one that is such a day of the week.
///
/// In SQL: `next_day(date, dayOfWeek)`. Since Spark 1.5.0.
#[track_caller]
pub fn next_day(date: impl IntoColumn, day_of_week: impl IntoColumn) -> Column {
    Column::call("next_day", vec![date.into_column(), day_of_week.into_column()])
}

/// The time at which the query started.
///
/// In SQL: `current_timestamp()`. Since Spark 1.5.0.
#[track_caller]
pub fn now() -> Column {
    Column::call("now", vec![])
}

/// The value of the frame's `offset`th row from 1; null if the frame has fewer.
///
/// In SQL: `nth_value(input, offset)`. Since Spark 3.1.0.
#[track_caller]
pub fn nth_value(input: impl IntoColumn, offset: impl IntoColumn) -> Column {
    Column::call("nth_value", vec![input.into_column(), offset.into_column()])
}

/// The number from 1 of the bucket of the row where all rows are put into `n` buckets of almost equal size.
///
/// In SQL: `ntile(n)`. Since Spark 2.0.0.
#[track_caller]
pub fn ntile(n: impl IntoColumn) -> Column {
    Column::call("ntile", vec![n.into_column()])
}

/// Null if both are equal, else `expr1`.
///
/// In SQL: `nullif(expr1, expr2)`. Since Spark 2.0.0.
#[track_caller]
pub fn nullif(expr1: impl IntoColumn, expr2: impl IntoColumn) -> Column {
    Column::call("nullif", vec![expr1.into_column(), expr2.into_column()])
}

/// Null if the argument is zero, else the argument.
///
/// In SQL: `nullifzero(expr)`. Since Spark 4.0.0.
#[track_caller]
pub fn nullifzero(expr: impl IntoColumn) -> Column {
    Column::call("nullifzero", vec![expr.into_column()])
}

/// `expr2` if `expr1` is null, else `expr1`.
///
/// In SQL: `nvl(expr1, expr2)`. Since Spark 2.0.0.
#[track_caller]
pub fn nvl(expr1: impl IntoColumn, expr2: impl IntoColumn) -> Column {
    Column::call("nvl", vec![expr1.into_column(), expr2.into_column()])
}

/// `expr2` if `expr1` is not null, else `expr3`.
///
/// In SQL: `nvl2(expr1, expr2, expr3)`. Since Spark 2.0.0.
#[track_caller]
pub fn nvl2(expr1: impl IntoColumn, expr2: impl IntoColumn, expr3: impl IntoColumn) -> Column {
    Column::call("nvl2", vec![expr1.into_column(), expr2.into_column(), expr3.into_column()])
}

/// Number of bytes.
///
/// In SQL: `octet_length(expr)`. Since Spark 2.3.0.
#[track_caller]
pub fn octet_length(expr: impl IntoColumn) -> Column {
    Column::call("octet_length", vec![expr.into_column()])
}

/// The string with `len` characters (as many as `replace` has) replaced from a place on.
///
/// In SQL: `overlay(input PLACING replace FROM pos [FOR len])`. Since Spark 3.0.0.
#[track_caller]
pub fn overlay(args: impl IntoColumns) -> Column {
    Column::call("overlay", args.into_columns())
}

/// A part of a URL: HOST, PATH, QUERY, REF, PROTOCOL, FILE, AUTHORITY or USERINFO; of a query one key's value.
///
/// In SQL: `parse_url(url, partToExtract[, key])`. Since Spark 2.0.0.
#[track_caller]
pub fn parse_url(args: impl IntoColumns) -> Column {
    Column::call("parse_url", args.into_columns())
}

/// The rank scaled to 0 for the first and 1 for the last row.
///
/// In SQL: `percent_rank()`. Since Spark 2.0.0.
#[track_caller]
pub fn percent_rank() -> Column {
    Column::call("percent_rank", vec![])
}

/// Exact percentile, interpolated; an array of percentages gives an array.
///
/// In SQL: `percentile(expr, percentage[, frequency])`. Since Spark 2.1.0.
#[track_caller]
pub fn percentile(args: impl IntoColumns) -> Column {
    Column::call("percentile", args.into_columns())
}

/// The least value that no less than a percentage of the values are at or below.
///
/// In SQL: `percentile_approx(expr, percentage[, accuracy])`. Since Spark 2.1.0.
#[track_caller]
pub fn percentile_approx(args: impl IntoColumns) -> Column {
    Column::call("percentile_approx", args.into_columns())
}

/// Percentile of a continuous distribution: interpolated.
///
/// In SQL: `percentile_cont(percentage) WITHIN GROUP (ORDER BY expr)`. Since Spark 4.0.0.
#[track_caller]
pub fn percentile_cont(args: impl IntoColumns) -> Column {
    Column::call("percentile_cont", args.into_columns())
}

/// Percentile of a discrete distribution: a value of the group.
///
/// In SQL: `percentile_disc(percentage) WITHIN GROUP (ORDER BY expr)`. Since Spark 4.0.0.
#[track_caller]
pub fn percentile_disc(args: impl IntoColumns) -> Column {
    Column::call("percentile_disc", args.into_columns())
}

/// The ratio of a circle's circumference to its diameter.
///
/// In SQL: `pi()`. Since Spark 1.5.0.
#[track_caller]
pub fn pi() -> Column {
    Column::call("pi", vec![])
}

/// The remainder as a number that is not negative.
///
/// In SQL: `pmod(expr1, expr2)`. Since Spark 1.5.0.
#[track_caller]
pub fn pmod(expr1: impl IntoColumn, expr2: impl IntoColumn) -> Column {
    Column::call("pmod", vec![expr1.into_column(), expr2.into_column()])
}

/// As explode, with the position from 0 before (`pos`).
///
/// In SQL: `posexplode(expr)`. Since Spark 2.0.0.
#[track_caller]
pub fn posexplode(expr: impl IntoColumn) -> Column {
    Column::call("posexplode", vec![expr.into_column()])
}

/// As posexplode; an empty or null array or map gives one row of nulls.
///
/// In SQL: `posexplode_outer(expr)`. Since Spark 2.0.0.
#[track_caller]
pub fn posexplode_outer(expr: impl IntoColumn) -> Column {
    Column::call("posexplode_outer", vec![expr.into_column()])
}

/// Where the first string first occurs in the second at or behind a place, from 1; 0 if nowhere.
///
/// In SQL: `locate(substr, str[, pos])`. Since Spark 1.5.0.
#[track_caller]
pub fn position(args: impl IntoColumns) -> Column {
    Column::call("position", args.into_columns())
}

/// The number or interval as it is; `+ expr`.
///
/// In SQL: `positive(expr)`. Since Spark 1.5.0.
#[track_caller]
pub fn positive(expr: impl IntoColumn) -> Column {
    Column::call("positive", vec![expr.into_column()])
}

/// The first to the power of the second.
///
/// In SQL: `pow(expr1, expr2)`. Since Spark 1.4.0.
#[track_caller]
pub fn pow(expr1: impl IntoColumn, expr2: impl IntoColumn) -> Column {
    Column::call("pow", vec![expr1.into_column(), expr2.into_column()])
}

/// The first to the power of the second.
///
/// In SQL: `pow(expr1, expr2)`. Since Spark 1.4.0.
#[track_caller]
pub fn power(expr1: impl IntoColumn, expr2: impl IntoColumn) -> Column {
    Column::call("power", vec![expr1.into_column(), expr2.into_column()])
}

/// Text by a format of `printf`.
///
/// In SQL: `format_string(strfmt, obj, ...)`. Since Spark 1.5.0.
#[track_caller]
pub fn printf(args: impl IntoColumns) -> Column {
    Column::call("printf", args.into_columns())
}

/// The quarter of the year, 1 to 4.
///
/// In SQL: `quarter(date)`. Since Spark 1.5.0.
#[track_caller]
pub fn quarter(date: impl IntoColumn) -> Column {
    Column::call("quarter", vec![date.into_column()])
}

/// The string in single quotes, those in it escaped.
///
/// In SQL: `quote(str)`. Since Spark 4.1.0.
#[track_caller]
pub fn quote(str: impl IntoColumn) -> Column {
    Column::call("quote", vec![str.into_column()])
}

/// Degrees as radians.
///
/// In SQL: `radians(expr)`. Since Spark 1.4.0.
#[track_caller]
pub fn radians(expr: impl IntoColumn) -> Column {
    Column::call("radians", vec![expr.into_column()])
}

/// An error with this message.
///
/// In SQL: `raise_error(expr)`. Since Spark 3.1.0.
#[track_caller]
pub fn raise_error(expr: impl IntoColumn) -> Column {
    Column::call("raise_error", vec![expr.into_column()])
}

/// A random string of letters and digits.
///
/// In SQL: `randstr(length[, seed])`. Since Spark 4.0.0.
#[track_caller]
pub fn randstr(args: impl IntoColumns) -> Column {
    Column::call("randstr", args.into_columns())
}

/// One more than the number of rows before the row's peers.
///
/// In SQL: `rank()`. Since Spark 2.0.0.
#[track_caller]
pub fn rank() -> Column {
    Column::call("rank", vec![])
}

/// Whether the regular expression matches somewhere in the string.
///
/// In SQL: `regexp(str, regexp)`. Since Spark 3.2.0.
#[track_caller]
pub fn regexp(str: impl IntoColumn, regexp: impl IntoOperand) -> Column {
    Column::call("regexp", vec![str.into_column(), regexp.into_operand()])
}

/// Number of matches.
///
/// In SQL: `regexp_count(str, regexp)`. Since Spark 3.4.0.
#[track_caller]
pub fn regexp_count(str: impl IntoColumn, regexp: impl IntoOperand) -> Column {
    Column::call("regexp_count", vec![str.into_column(), regexp.into_operand()])
}

/// A group of the first match; empty if there is none.
///
/// In SQL: `regexp_extract(str, regexp[, idx])`. Since Spark 1.5.0.
#[track_caller]
pub fn regexp_extract(args: impl IntoColumns) -> Column {
    Column::call("regexp_extract", args.into_columns())
}

/// A group of every match.
///
/// In SQL: `regexp_extract_all(str, regexp[, idx])`. Since Spark 3.1.0.
#[track_caller]
pub fn regexp_extract_all(args: impl IntoColumns) -> Column {
    Column::call("regexp_extract_all", args.into_columns())
}

/// Where the first match begins, from 1; 0 if there is none.
///
/// In SQL: `regexp_instr(str, regexp)`. Since Spark 3.4.0.
#[track_caller]
pub fn regexp_instr(args: impl IntoColumns) -> Column {
    Column::call("regexp_instr", args.into_columns())
}

/// Whether the regular expression matches somewhere in the string.
///
/// In SQL: `regexp_like(str, regexp)`. Since Spark 3.2.0.
#[track_caller]
pub fn regexp_like(str: impl IntoColumn, regexp: impl IntoOperand) -> Column {
    Column::call("regexp_like", vec![str.into_column(), regexp.into_operand()])
}

/// The string with every match replaced; `$1` in the replacement stands for a group.
///
/// In SQL: `regexp_replace(str, regexp, rep[, position])`. Since Spark 1.5.0.
#[track_caller]
pub fn regexp_replace(args: impl IntoColumns) -> Column {
    Column::call("regexp_replace", args.into_columns())
}

/// The first match; null if there is none, or an empty one.
///
/// In SQL: `regexp_substr(str, regexp)`. Since Spark 3.4.0.
#[track_caller]
pub fn regexp_substr(str: impl IntoColumn, regexp: impl IntoOperand) -> Column {
    Column::call("regexp_substr", vec![str.into_column(), regexp.into_operand()])
}

/// Mean of x over pairs without nulls.
///
/// In SQL: `regr_avgx(y, x)`. Since Spark 3.3.0.
#[track_caller]
pub fn regr_avgx(y: impl IntoColumn, x: impl IntoColumn) -> Column {
    Column::call("regr_avgx", vec![y.into_column(), x.into_column()])
}

/// Mean of y over pairs without nulls.
///
/// In SQL: `regr_avgy(y, x)`. Since Spark 3.3.0.
#[track_caller]
pub fn regr_avgy(y: impl IntoColumn, x: impl IntoColumn) -> Column {
    Column::call("regr_avgy", vec![y.into_column(), x.into_column()])
}

/// Number of pairs without nulls.
///
/// In SQL: `regr_count(y, x)`. Since Spark 3.3.0.
#[track_caller]
pub fn regr_count(y: impl IntoColumn, x: impl IntoColumn) -> Column {
    Column::call("regr_count", vec![y.into_column(), x.into_column()])
}

/// Intercept of the line of least squares.
///
/// In SQL: `regr_intercept(y, x)`. Since Spark 3.4.0.
#[track_caller]
pub fn regr_intercept(y: impl IntoColumn, x: impl IntoColumn) -> Column {
    Column::call("regr_intercept", vec![y.into_column(), x.into_column()])
}

/// Coefficient of determination.
///
/// In SQL: `regr_r2(y, x)`. Since Spark 3.3.0.
#[track_caller]
pub fn regr_r2(y: impl IntoColumn, x: impl IntoColumn) -> Column {
    Column::call("regr_r2", vec![y.into_column(), x.into_column()])
}

/// Slope of the line of least squares.
///
/// In SQL: `regr_slope(y, x)`. Since Spark 3.4.0.
#[track_caller]
pub fn regr_slope(y: impl IntoColumn, x: impl IntoColumn) -> Column {
    Column::call("regr_slope", vec![y.into_column(), x.into_column()])
}

/// Sum of squares of x.
///
/// In SQL: `regr_sxx(y, x)`. Since Spark 3.4.0.
#[track_caller]
pub fn regr_sxx(y: impl IntoColumn, x: impl IntoColumn) -> Column {
    Column::call("regr_sxx", vec![y.into_column(), x.into_column()])
}

/// Sum of products of x and y.
///
/// In SQL: `regr_sxy(y, x)`. Since Spark 3.4.0.
#[track_caller]
pub fn regr_sxy(y: impl IntoColumn, x: impl IntoColumn) -> Column {
    Column::call("regr_sxy", vec![y.into_column(), x.into_column()])
}

/// Sum of squares of y.
///
/// In SQL: `regr_syy(y, x)`. Since Spark 3.4.0.
#[track_caller]
pub fn regr_syy(y: impl IntoColumn, x: impl IntoColumn) -> Column {
    Column::call("regr_syy", vec![y.into_column(), x.into_column()])
}

/// The string n times.
///
/// In SQL: `repeat(str, n)`. Since Spark 1.5.0.
#[track_caller]
pub fn repeat(str: impl IntoColumn, n: impl IntoColumn) -> Column {
    Column::call("repeat", vec![str.into_column(), n.into_column()])
}

/// The string with every occurrence of `search` replaced.
///
/// In SQL: `replace(str, search[, replace])`. Since Spark 2.3.0.
#[track_caller]
pub fn replace(args: impl IntoColumns) -> Column {
    Column::call("replace", args.into_columns())
}

/// The string or array from its end to its beginning.
///
/// In SQL: `reverse(expr)`. Since Spark 1.5.0.
#[track_caller]
pub fn reverse(expr: impl IntoColumn) -> Column {
    Column::call("reverse", vec![expr.into_column()])
}

/// The last characters.
///
/// In SQL: `right(str, len)`. Since Spark 2.3.0.
#[track_caller]
pub fn right(str: impl IntoColumn, len: impl IntoColumn) -> Column {
    Column::call("right", vec![str.into_column(), len.into_column()])
}

/// The nearest whole number, as a double.
///
/// In SQL: `rint(expr)`. Since Spark 1.4.0.
#[track_caller]
pub fn rint(expr: impl IntoColumn) -> Column {
    Column::call("rint", vec![expr.into_column()])
}

/// Whether the regular expression matches somewhere in the string.
///
/// In SQL: `str RLIKE regexp`. Since Spark 1.0.0.
#[track_caller]
pub fn rlike(expr1: impl IntoColumn, expr2: impl IntoColumn) -> Column {
    Column::call("rlike", vec![expr1.into_column(), expr2.into_column()])
}

/// The number at d decimal places, half away from zero.
///
/// In SQL: `round(expr[, d])`. Since Spark 1.5.0.
#[track_caller]
pub fn round(args: impl IntoColumns) -> Column {
    Column::call("round", args.into_columns())
}

/// The number of the row within its window partition, from 1.
///
/// In SQL: `row_number()`. Since Spark 2.0.0.
#[track_caller]
pub fn row_number() -> Column {
    Column::call("row_number", vec![])
}

/// The string at this length, filled on the right with spaces or `pad`.
///
/// In SQL: `rpad(str, len[, pad])`. Since Spark 1.5.0.
#[track_caller]
pub fn rpad(args: impl IntoColumns) -> Column {
    Column::call("rpad", args.into_columns())
}

/// The string without spaces at its end.
///
/// In SQL: `rtrim(str)`. Since Spark 1.5.0.
#[track_caller]
pub fn rtrim(args: impl IntoColumns) -> Column {
    Column::call("rtrim", args.into_columns())
}

/// The type of a constant line of CSV, as DDL.
///
/// In SQL: `schema_of_csv(csv[, options])`. Since Spark 3.0.0.
#[track_caller]
pub fn schema_of_csv(args: impl IntoColumns) -> Column {
    Column::call("schema_of_csv", args.into_columns())
}

/// The type of a constant JSON text, as DDL.
///
/// In SQL: `schema_of_json(json[, options])`. Since Spark 2.4.0.
#[track_caller]
pub fn schema_of_json(args: impl IntoColumns) -> Column {
    Column::call("schema_of_json", args.into_columns())
}

/// Secant.
///
/// In SQL: `sec(expr)`. Since Spark 3.3.0.
#[track_caller]
pub fn sec(expr: impl IntoColumn) -> Column {
    Column::call("sec", vec![expr.into_column()])
}

/// The second, without its fraction.
///
/// In SQL: `second(timestamp)`. Since Spark 1.5.0.
#[track_caller]
pub fn second(timestamp: impl IntoColumn) -> Column {
    Column::call("second", vec![timestamp.into_column()])
}

/// The words of each sentence.
///
/// In SQL: `sentences(str[, lang, country])`. Since Spark 2.0.0.
#[track_caller]
pub fn sentences(args: impl IntoColumns) -> Column {
    Column::call("sentences", args.into_columns())
}

/// An array from start to stop, both included, in steps of one or one day, or of `step`.
///
/// In SQL: `sequence(start, stop[, step])`. Since Spark 2.4.0.
#[track_caller]
pub fn sequence(args: impl IntoColumns) -> Column {
    Column::call("sequence", args.into_columns())
}

/// The user.
///
/// In SQL: `current_user()`. Since Spark 3.2.0.
#[track_caller]
pub fn session_user() -> Column {
    Column::call("session_user", vec![])
}

/// The SHA-1 digest in hexadecimal digits.
///
/// In SQL: `sha1(expr)`. Since Spark 1.5.0.
#[track_caller]
pub fn sha(expr: impl IntoColumn) -> Column {
    Column::call("sha", vec![expr.into_column()])
}

/// The SHA-1 digest in hexadecimal digits.
///
/// In SQL: `sha1(expr)`. Since Spark 1.5.0.
#[track_caller]
pub fn sha1(expr: impl IntoColumn) -> Column {
    Column::call("sha1", vec![expr.into_column()])
}

/// A digest of the SHA-2 family of 224, 256 (or 0), 384 or 512 bits.
///
/// In SQL: `sha2(expr, bitLength)`. Since Spark 1.5.0.
#[track_caller]
pub fn sha2(expr: impl IntoColumn, bit_length: impl IntoColumn) -> Column {
    Column::call("sha2", vec![expr.into_column(), bit_length.into_column()])
}

/// Bits moved to the left.
///
/// In SQL: `base << exp`. Since Spark 1.5.0.
#[track_caller]
pub fn shiftleft(expr1: impl IntoColumn, expr2: impl IntoColumn) -> Column {
    Column::call("shiftleft", vec![expr1.into_column(), expr2.into_column()])
}

/// Bits moved to the right, the sign kept.
///
/// In SQL: `base >> expr`. Since Spark 1.5.0.
#[track_caller]
pub fn shiftright(expr1: impl IntoColumn, expr2: impl IntoColumn) -> Column {
    Column::call("shiftright", vec![expr1.into_column(), expr2.into_column()])
}

/// Bits moved to the right, zeros moved in.
///
/// In SQL: `base >>> expr`. Since Spark 1.5.0.
#[track_caller]
pub fn shiftrightunsigned(expr1: impl IntoColumn, expr2: impl IntoColumn) -> Column {
    Column::call("shiftrightunsigned", vec![expr1.into_column(), expr2.into_column()])
}

/// The array in a random order.
///
/// In SQL: `shuffle(array[, seed])`. Since Spark 2.4.0.
#[track_caller]
pub fn shuffle(args: impl IntoColumns) -> Column {
    Column::call("shuffle", args.into_columns())
}

/// -1.0, 0.0 or 1.0 as the number or interval is negative, zero or positive.
///
/// In SQL: `signum(expr)`. Since Spark 1.4.0.
#[track_caller]
pub fn sign(expr: impl IntoColumn) -> Column {
    Column::call("sign", vec![expr.into_column()])
}

/// -1.0, 0.0 or 1.0 as the number or interval is negative, zero or positive.
///
/// In SQL: `signum(expr)`. Since Spark 1.4.0.
#[track_caller]
pub fn signum(expr: impl IntoColumn) -> Column {
    Column::call("signum", vec![expr.into_column()])
}

/// Sine.
///
/// In SQL: `sin(expr)`. Since Spark 1.4.0.
#[track_caller]
pub fn sin(expr: impl IntoColumn) -> Column {
    Column::call("sin", vec![expr.into_column()])
}

/// Hyperbolic sine.
///
/// In SQL: `sinh(expr)`. Since Spark 1.4.0.
#[track_caller]
pub fn sinh(expr: impl IntoColumn) -> Column {
    Column::call("sinh", vec![expr.into_column()])
}

/// The number of elements of an array or map. Of null: null, or -1 with spark.sql.ansi.enabled set to false.
///
/// In SQL: `size(expr)`. Since Spark 1.5.0.
#[track_caller]
pub fn size(expr: impl IntoColumn) -> Column {
    Column::call("size", vec![expr.into_column()])
}

/// Third standardised moment.
///
/// In SQL: `skewness(expr)`. Since Spark 1.6.0.
#[track_caller]
pub fn skewness(expr: impl IntoColumn) -> Column {
    Column::call("skewness", vec![expr.into_column()])
}

/// At most `length` elements from a position from 1, from the end if negative.
///
/// In SQL: `slice(array, start, length)`. Since Spark 2.4.0.
#[track_caller]
pub fn slice(array: impl IntoColumn, start: impl IntoColumn, length: impl IntoColumn) -> Column {
    Column::call("slice", vec![array.into_column(), start.into_column(), length.into_column()])
}

/// Casts the argument to the type of this name.
///
/// In SQL: `type(expr)`. Since Spark 2.0.1.
#[track_caller]
pub fn smallint(expr: impl IntoColumn) -> Column {
    Column::call("smallint", vec![expr.into_column()])
}

/// True if any value is true.
///
/// In SQL: `bool_or(expr)`. Since Spark 3.0.0.
#[track_caller]
pub fn some(expr: impl IntoColumn) -> Column {
    Column::call("some", vec![expr.into_column()])
}

/// The array sorted: nulls first if ascending, last if not.
///
/// In SQL: `sort_array(array[, ascendingOrder])`. Since Spark 1.5.0.
#[track_caller]
pub fn sort_array(args: impl IntoColumns) -> Column {
    Column::call("sort_array", args.into_columns())
}

/// Code of how the string sounds in English.
///
/// In SQL: `soundex(str)`. Since Spark 1.5.0.
#[track_caller]
pub fn soundex(str: impl IntoColumn) -> Column {
    Column::call("soundex", vec![str.into_column()])
}

/// n spaces.
///
/// In SQL: `space(n)`. Since Spark 1.5.0.
#[track_caller]
pub fn space(n: impl IntoColumn) -> Column {
    Column::call("space", vec![n.into_column()])
}

/// The partition.
///
/// In SQL: `spark_partition_id()`. Since Spark 1.4.0.
#[track_caller]
pub fn spark_partition_id() -> Column {
    Column::call("spark_partition_id", vec![])
}

/// What lies between the matches, in at most `limit` parts if it is positive.
///
/// In SQL: `split(str, regex[, limit])`. Since Spark 1.5.0.
#[track_caller]
pub fn split(args: impl IntoColumns) -> Column {
    Column::call("split", args.into_columns())
}

/// The part of this number between delimiters, from the end if negative; empty where there is none.
///
/// In SQL: `split_part(str, delimiter, partNum)`. Since Spark 3.3.0.
#[track_caller]
pub fn split_part(str: impl IntoColumn, delimiter: impl IntoOperand, part_num: impl IntoColumn) -> Column {
    Column::call("split_part", vec![str.into_column(), delimiter.into_operand(), part_num.into_column()])
}

/// Square root.
///
/// In SQL: `sqrt(expr)`. Since Spark 1.1.1.
#[track_caller]
pub fn sqrt(expr: impl IntoColumn) -> Column {
    Column::call("sqrt", vec![expr.into_column()])
}

/// The expressions as `n` rows, filled up with nulls.
///
/// In SQL: `stack(n, expr1, ..., exprk)`. Since Spark 2.0.0.
#[track_caller]
pub fn stack(args: impl IntoColumns) -> Column {
    Column::call("stack", args.into_columns())
}

/// Whether the first begins with the second.
///
/// In SQL: `startswith(left, right)`. Since Spark 3.3.0.
#[track_caller]
pub fn startswith(left: impl IntoColumn, right: impl IntoColumn) -> Column {
    Column::call("startswith", vec![left.into_column(), right.into_column()])
}

/// Standard deviation of a sample.
///
/// In SQL: `stddev_samp(expr)`. Since Spark 1.6.0.
#[track_caller]
pub fn std(expr: impl IntoColumn) -> Column {
    Column::call("std", vec![expr.into_column()])
}

/// Standard deviation of a sample.
///
/// In SQL: `stddev_samp(expr)`. Since Spark 1.6.0.
#[track_caller]
pub fn stddev(expr: impl IntoColumn) -> Column {
    Column::call("stddev", vec![expr.into_column()])
}

/// Standard deviation of a population.
///
/// In SQL: `stddev_pop(expr)`. Since Spark 1.6.0.
#[track_caller]
pub fn stddev_pop(expr: impl IntoColumn) -> Column {
    Column::call("stddev_pop", vec![expr.into_column()])
}

/// Standard deviation of a sample.
///
/// In SQL: `stddev_samp(expr)`. Since Spark 1.6.0.
#[track_caller]
pub fn stddev_samp(expr: impl IntoColumn) -> Column {
    Column::call("stddev_samp", vec![expr.into_column()])
}

/// A map of the pairs of a text; the delimiters, `,` and `:` if not given, are regular expressions.
///
/// In SQL: `str_to_map(text[, pairDelim[, keyValueDelim]])`. Since Spark 2.0.1.
#[track_caller]
pub fn str_to_map(args: impl IntoColumns) -> Column {
    Column::call("str_to_map", args.into_columns())
}

/// Casts the argument to the type of this name.
///
/// In SQL: `type(expr)`. Since Spark 2.0.1.
#[track_caller]
pub fn string(expr: impl IntoColumn) -> Column {
    Column::call("string", vec![expr.into_column()])
}

/// The values that are not null, joined with the delimiter.
///
/// In SQL: `listagg(expr[, delimiter])`. Since Spark 4.0.0.
#[track_caller]
pub fn string_agg(args: impl IntoColumns) -> Column {
    Column::call("string_agg", args.into_columns())
}

/// A struct of the arguments.
///
/// In SQL: `struct(col1, col2, ...)`. Since Spark 1.4.0.
#[track_caller]
pub fn struct_(args: impl IntoColumns) -> Column {
    Column::call("struct", args.into_columns())
}

/// The part of a string or binary from a place, counted from 1 or, if negative, from the end.
///
/// In SQL: `substring(str, pos[, len])`. Since Spark 1.5.0.
#[track_caller]
pub fn substr(args: impl IntoColumns) -> Column {
    Column::call("substr", args.into_columns())
}

/// The part of a string or binary from a place, counted from 1 or, if negative, from the end.
///
/// In SQL: `substring(str, pos[, len])`. Since Spark 1.5.0.
#[track_caller]
pub fn substring(args: impl IntoColumns) -> Column {
    Column::call("substring", args.into_columns())
}

/// What lies before the count-th delimiter or, if negative, behind the count-th from the end.
///
/// In SQL: `substring_index(str, delim, count)`. Since Spark 1.5.0.
#[track_caller]
pub fn substring_index(str: impl IntoColumn, delim: impl IntoOperand, count: impl IntoColumn) -> Column {
    Column::call("substring_index", vec![str.into_column(), delim.into_operand(), count.into_column()])
}

/// Sum of the values that are not null.
///
/// In SQL: `sum(expr)`. Since Spark 1.0.0.
#[track_caller]
pub fn sum(expr: impl IntoColumn) -> Column {
    Column::call("sum", vec![expr.into_column()])
}

/// Tangent.
///
/// In SQL: `tan(expr)`. Since Spark 1.4.0.
#[track_caller]
pub fn tan(expr: impl IntoColumn) -> Column {
    Column::call("tan", vec![expr.into_column()])
}

/// Hyperbolic tangent.
///
/// In SQL: `tanh(expr)`. Since Spark 1.4.0.
#[track_caller]
pub fn tanh(expr: impl IntoColumn) -> Column {
    Column::call("tanh", vec![expr.into_column()])
}

/// Casts the argument to a timestamp.
///
/// In SQL: `timestamp(expr)`. Since Spark 2.0.1.
#[track_caller]
pub fn timestamp(expr: impl IntoColumn) -> Column {
    Column::call("timestamp", vec![expr.into_column()])
}

/// The timestamp so many microseconds after 1970-01-01 00:00:00 UTC.
///
/// In SQL: `timestamp_micros(microseconds)`. Since Spark 3.1.0.
#[track_caller]
pub fn timestamp_micros(microseconds: impl IntoColumn) -> Column {
    Column::call("timestamp_micros", vec![microseconds.into_column()])
}

/// The timestamp so many milliseconds after 1970-01-01 00:00:00 UTC.
///
/// In SQL: `timestamp_millis(milliseconds)`. Since Spark 3.1.0.
#[track_caller]
pub fn timestamp_millis(milliseconds: impl IntoColumn) -> Column {
    Column::call("timestamp_millis", vec![milliseconds.into_column()])
}

/// The timestamp so many seconds after 1970-01-01 00:00:00 UTC; the number may have a fraction.
///
/// In SQL: `timestamp_seconds(seconds)`. Since Spark 3.1.0.
#[track_caller]
pub fn timestamp_seconds(seconds: impl IntoColumn) -> Column {
    Column::call("timestamp_seconds", vec![seconds.into_column()])
}

/// The timestamp so many units later; days and longer units keep the time of day.
///
/// In SQL: `timestampadd(unit, quantity, timestamp)`. Since Spark 3.3.0.
#[track_caller]
pub fn timestampadd(unit: impl IntoOperand, quantity: impl IntoColumn, timestamp: impl IntoColumn) -> Column {
    Column::call("timestampadd", vec![unit.into_operand(), quantity.into_column(), timestamp.into_column()])
}

/// Whole units from one timestamp to another.
///
/// In SQL: `timestampdiff(unit, start, end)`. Since Spark 3.3.0.
#[track_caller]
pub fn timestampdiff(unit: impl IntoOperand, start: impl IntoColumn, end: impl IntoColumn) -> Column {
    Column::call("timestampdiff", vec![unit.into_operand(), start.into_column(), end.into_column()])
}

/// Casts the argument to the type of this name.
///
/// In SQL: `type(expr)`. Since Spark 2.0.1.
#[track_caller]
pub fn tinyint(expr: impl IntoColumn) -> Column {
    Column::call("tinyint", vec![expr.into_column()])
}

/// The bytes in base 32.
///
/// In SQL: `to_base32(bin)`. Since Spark 4.3.0.
#[track_caller]
pub fn to_base32(bin: impl IntoColumn) -> Column {
    Column::call("to_base32", vec![bin.into_column()])
}

/// The bytes that a string stands for in a format: `hex` (if nothing is said), `utf-8` or `base64`.
///
/// In SQL: `to_binary(str[, fmt])`. Since Spark 3.3.0.
#[track_caller]
pub fn to_binary(args: impl IntoColumns) -> Column {
    Column::call("to_binary", args.into_columns())
}

/// A number as text by a format of digits; a date or timestamp by a date format; a binary by its name.
///
/// In SQL: `to_char(expr, format)`. Since Spark 3.4.0.
#[track_caller]
pub fn to_char(expr: impl IntoColumn, format: impl IntoOperand) -> Column {
    Column::call("to_char", vec![expr.into_column(), format.into_operand()])
}

/// The line of CSV of a struct.
///
/// In SQL: `to_csv(expr[, options])`. Since Spark 3.0.0.
#[track_caller]
pub fn to_csv(args: impl IntoColumns) -> Column {
    Column::call("to_csv", args.into_columns())
}

/// The date that a text says, as a cast reads it or by a pattern.
///
/// In SQL: `to_date(expr[, fmt])`. Since Spark 1.5.0.
#[track_caller]
pub fn to_date(args: impl IntoColumns) -> Column {
    Column::call("to_date", args.into_columns())
}

/// The JSON text of a struct, an array or a map; null fields are left out.
///
/// In SQL: `to_json(expr[, options])`. Since Spark 2.2.0.
#[track_caller]
pub fn to_json(args: impl IntoColumns) -> Column {
    Column::call("to_json", args.into_columns())
}

/// The number that text stands for in a format of digits.
///
/// In SQL: `to_number(expr, fmt)`. Since Spark 3.3.0.
#[track_caller]
pub fn to_number(expr: impl IntoColumn, fmt: impl IntoOperand) -> Column {
    Column::call("to_number", vec![expr.into_column(), fmt.into_operand()])
}

/// The timestamp that a text says, as a cast reads it or by a pattern.
///
/// In SQL: `to_timestamp(expr[, fmt])`. Since Spark 2.2.0.
#[track_caller]
pub fn to_timestamp(args: impl IntoColumns) -> Column {
    Column::call("to_timestamp", args.into_columns())
}

/// The timestamp that a text says in the session's zone.
///
/// In SQL: `to_timestamp_ltz(expr[, fmt])`. Since Spark 3.4.0.
#[track_caller]
pub fn to_timestamp_ltz(args: impl IntoColumns) -> Column {
    Column::call("to_timestamp_ltz", args.into_columns())
}

/// The timestamp without zone that a text says.
///
/// In SQL: `to_timestamp_ntz(expr[, fmt])`. Since Spark 3.4.0.
#[track_caller]
pub fn to_timestamp_ntz(args: impl IntoColumns) -> Column {
    Column::call("to_timestamp_ntz", args.into_columns())
}

/// Seconds since 1970-01-01 00:00:00 UTC of a timestamp or of a text by a pattern.
///
/// In SQL: `to_unix_timestamp(expr[, fmt])`. Since Spark 1.6.0.
#[track_caller]
pub fn to_unix_timestamp(args: impl IntoColumns) -> Column {
    Column::call("to_unix_timestamp", args.into_columns())
}

/// Takes a timestamp for one of the zone and gives what the clocks of UTC show then.
///
/// In SQL: `to_utc_timestamp(timestamp, timezone)`. Since Spark 1.5.0.
#[track_caller]
pub fn to_utc_timestamp(timestamp: impl IntoColumn, timezone: impl IntoOperand) -> Column {
    Column::call("to_utc_timestamp", vec![timestamp.into_column(), timezone.into_operand()])
}

/// A number as text by a format of digits; a date or timestamp by a date format; a binary by its name.
///
/// In SQL: `to_char(expr, format)`. Since Spark 3.4.0.
#[track_caller]
pub fn to_varchar(expr: impl IntoColumn, format: impl IntoOperand) -> Column {
    Column::call("to_varchar", vec![expr.into_column(), format.into_operand()])
}

/// The string with each character of `from` replaced by the one at its place in `to`, or left out.
///
/// In SQL: `translate(input, from, to)`. Since Spark 1.5.0.
#[track_caller]
pub fn translate(input: impl IntoColumn, from: impl IntoOperand, to: impl IntoOperand) -> Column {
    Column::call("translate", vec![input.into_column(), from.into_operand(), to.into_operand()])
}

/// The string without spaces, or these characters, at its ends.
///
/// In SQL: `trim([BOTH] [chars FROM] str)`. Since Spark 1.5.0.
#[track_caller]
pub fn trim(args: impl IntoColumns) -> Column {
    Column::call("trim", args.into_columns())
}

/// The first day of the year, quarter, month or week; null for another unit.
///
/// In SQL: `trunc(date, fmt)`. Since Spark 1.5.0.
#[track_caller]
pub fn trunc(date: impl IntoColumn, fmt: impl IntoOperand) -> Column {
    Column::call("trunc", vec![date.into_column(), fmt.into_operand()])
}

/// The sum, or null if it overflows.
///
/// In SQL: `try_add(expr1, expr2)`. Since Spark 3.2.0.
#[track_caller]
pub fn try_add(expr1: impl IntoColumn, expr2: impl IntoColumn) -> Column {
    Column::call("try_add", vec![expr1.into_column(), expr2.into_column()])
}

/// Mean of the values that are not null, or null if their sum overflows.
///
/// In SQL: `try_avg(expr)`. Since Spark 3.3.0.
#[track_caller]
pub fn try_avg(expr: impl IntoColumn) -> Column {
    Column::call("try_avg", vec![expr.into_column()])
}

/// The quotient, or null if the divisor is 0.
///
/// In SQL: `try_divide(dividend, divisor)`. Since Spark 3.2.0.
#[track_caller]
pub fn try_divide(dividend: impl IntoColumn, divisor: impl IntoColumn) -> Column {
    Column::call("try_divide", vec![dividend.into_column(), divisor.into_column()])
}

/// As element_at, null for an index beyond the array.
///
/// In SQL: `try_element_at(array, index)`. Since Spark 3.5.0.
#[track_caller]
pub fn try_element_at(array: impl IntoColumn, index: impl IntoColumn) -> Column {
    Column::call("try_element_at", vec![array.into_column(), index.into_column()])
}

/// As make_interval, null on overflow.
///
/// In SQL: `try_make_interval([years[, months[, weeks[, days[, hours[, mins[, secs]]]]]]])`. Since Spark 4.0.0.
#[track_caller]
pub fn try_make_interval(args: impl IntoColumns) -> Column {
    Column::call("try_make_interval", args.into_columns())
}

/// As make_timestamp, null for parts that make none.
///
/// In SQL: `try_make_timestamp(year, month, day, hour, min, sec[, timezone])`. Since Spark 4.0.0.
#[track_caller]
pub fn try_make_timestamp(args: impl IntoColumns) -> Column {
    Column::call("try_make_timestamp", args.into_columns())
}

/// As make_timestamp_ltz, null for parts that make none.
///
/// In SQL: `try_make_timestamp_ltz(year, month, day, hour, min, sec[, timezone])`. Since Spark 4.0.0.
#[track_caller]
pub fn try_make_timestamp_ltz(args: impl IntoColumns) -> Column {
    Column::call("try_make_timestamp_ltz", args.into_columns())
}

/// As make_timestamp_ntz, null for parts that make none.
///
/// In SQL: `try_make_timestamp_ntz(year, month, day, hour, min, sec)`. Since Spark 4.0.0.
#[track_caller]
pub fn try_make_timestamp_ntz(
    year: impl IntoColumn,
    month: impl IntoColumn,
    day: impl IntoColumn,
    hour: impl IntoColumn,
    min: impl IntoColumn,
    sec: impl IntoColumn,
) -> Column {
    Column::call(
        "try_make_timestamp_ntz",
        vec![
            year.into_column(),
            month.into_column(),
            day.into_column(),
            hour.into_column(),
            min.into_column(),
            sec.into_column(),
        ],
    )
}

/// The remainder, or null if the divisor is 0.
///
/// In SQL: `try_mod(dividend, divisor)`. Since Spark 4.0.0.
#[track_caller]
pub fn try_mod(dividend: impl IntoColumn, divisor: impl IntoColumn) -> Column {
    Column::call("try_mod", vec![dividend.into_column(), divisor.into_column()])
}

/// The product, or null if it overflows.
///
/// In SQL: `try_multiply(expr1, expr2)`. Since Spark 3.3.0.
#[track_caller]
pub fn try_multiply(expr1: impl IntoColumn, expr2: impl IntoColumn) -> Column {
    Column::call("try_multiply", vec![expr1.into_column(), expr2.into_column()])
}

/// As `parse_url`, but null for an invalid URL.
///
/// In SQL: `try_parse_url(url, partToExtract[, key])`. Since Spark 4.0.0.
#[track_caller]
pub fn try_parse_url(args: impl IntoColumns) -> Column {
    Column::call("try_parse_url", args.into_columns())
}

/// The difference, or null if it overflows.
///
/// In SQL: `try_subtract(expr1, expr2)`. Since Spark 3.3.0.
#[track_caller]
pub fn try_subtract(expr1: impl IntoColumn, expr2: impl IntoColumn) -> Column {
    Column::call("try_subtract", vec![expr1.into_column(), expr2.into_column()])
}

/// Sum of the values that are not null, or null if it overflows.
///
/// In SQL: `try_sum(expr)`. Since Spark 3.3.0.
#[track_caller]
pub fn try_sum(expr: impl IntoColumn) -> Column {
    Column::call("try_sum", vec![expr.into_column()])
}

/// As `to_binary`, but null for what is malformed.
///
/// In SQL: `try_to_binary(str[, fmt])`. Since Spark 3.3.0.
#[track_caller]
pub fn try_to_binary(args: impl IntoColumns) -> Column {
    Column::call("try_to_binary", args.into_columns())
}

/// As to_date, null for a text that is no date.
///
/// In SQL: `try_to_date(expr[, fmt])`. Since Spark 4.0.0.
#[track_caller]
pub fn try_to_date(args: impl IntoColumns) -> Column {
    Column::call("try_to_date", args.into_columns())
}

/// As `to_number`, but null for text that does not match.
///
/// In SQL: `try_to_number(expr, fmt)`. Since Spark 3.3.0.
#[track_caller]
pub fn try_to_number(expr: impl IntoColumn, fmt: impl IntoOperand) -> Column {
    Column::call("try_to_number", vec![expr.into_column(), fmt.into_operand()])
}

/// As to_timestamp, null for a text that is no timestamp.
///
/// In SQL: `try_to_timestamp(expr[, fmt])`. Since Spark 3.5.0.
#[track_caller]
pub fn try_to_timestamp(args: impl IntoColumns) -> Column {
    Column::call("try_to_timestamp", args.into_columns())
}

/// As `url_decode`, but null for what is malformed.
///
/// In SQL: `try_url_decode(str)`. Since Spark 4.0.0.
#[track_caller]
pub fn try_url_decode(str: impl IntoColumn) -> Column {
    Column::call("try_url_decode", vec![str.into_column()])
}

/// The string, or null if it is no valid UTF-8.
///
/// In SQL: `try_validate_utf8(str)`. Since Spark 4.0.0.
#[track_caller]
pub fn try_validate_utf8(str: impl IntoColumn) -> Column {
    Column::call("try_validate_utf8", vec![str.into_column()])
}

/// The name of the type.
///
/// In SQL: `typeof(expr)`. Since Spark 3.0.0.
#[track_caller]
pub fn typeof_(expr: impl IntoColumn) -> Column {
    Column::call("typeof", vec![expr.into_column()])
}

/// The string in upper case.
///
/// In SQL: `upper(str)`. Since Spark 1.0.1.
#[track_caller]
pub fn ucase(str: impl IntoColumn) -> Column {
    Column::call("ucase", vec![str.into_column()])
}

/// The bytes that a string in base 64 stands for.
///
/// In SQL: `unbase64(str)`. Since Spark 1.5.0.
#[track_caller]
pub fn unbase64(str: impl IntoColumn) -> Column {
    Column::call("unbase64", vec![str.into_column()])
}

/// The bytes that hexadecimal digits stand for; null for anything else.
///
/// In SQL: `unhex(expr)`. Since Spark 1.5.0.
#[track_caller]
pub fn unhex(expr: impl IntoColumn) -> Column {
    Column::call("unhex", vec![expr.into_column()])
}

/// A random number within a range.
///
/// In SQL: `uniform(min, max[, seed])`. Since Spark 4.0.0.
#[track_caller]
pub fn uniform(args: impl IntoColumns) -> Column {
    Column::call("uniform", args.into_columns())
}

/// Days since 1970-01-01.
///
/// In SQL: `unix_date(date)`. Since Spark 3.1.0.
#[track_caller]
pub fn unix_date(date: impl IntoColumn) -> Column {
    Column::call("unix_date", vec![date.into_column()])
}

/// Microseconds since 1970-01-01 00:00:00 UTC.
///
/// In SQL: `unix_micros(timestamp)`. Since Spark 3.1.0.
#[track_caller]
pub fn unix_micros(timestamp: impl IntoColumn) -> Column {
    Column::call("unix_micros", vec![timestamp.into_column()])
}

/// Milliseconds since 1970-01-01 00:00:00 UTC, rounded down.
///
/// In SQL: `unix_millis(timestamp)`. Since Spark 3.1.0.
#[track_caller]
pub fn unix_millis(timestamp: impl IntoColumn) -> Column {
    Column::call("unix_millis", vec![timestamp.into_column()])
}

/// Seconds since 1970-01-01 00:00:00 UTC, rounded down.
///
/// In SQL: `unix_seconds(timestamp)`. Since Spark 3.1.0.
#[track_caller]
pub fn unix_seconds(timestamp: impl IntoColumn) -> Column {
    Column::call("unix_seconds", vec![timestamp.into_column()])
}

/// Seconds since 1970-01-01 00:00:00 UTC of a timestamp or of a text by a pattern; of now without arguments.
///
/// In SQL: `unix_timestamp([expr[, fmt]])`. Since Spark 1.5.0.
#[track_caller]
pub fn unix_timestamp(args: impl IntoColumns) -> Column {
    Column::call("unix_timestamp", args.into_columns())
}

/// The string in upper case.
///
/// In SQL: `upper(str)`. Since Spark 1.0.1.
#[track_caller]
pub fn upper(str: impl IntoColumn) -> Column {
    Column::call("upper", vec![str.into_column()])
}

/// What `url_encode` made the string of.
///
/// In SQL: `url_decode(str)`. Since Spark 3.4.0.
#[track_caller]
pub fn url_decode(str: impl IntoColumn) -> Column {
    Column::call("url_decode", vec![str.into_column()])
}

/// The string as the value of a URL's query (application/x-www-form-urlencoded).
///
/// In SQL: `url_encode(str)`. Since Spark 3.4.0.
#[track_caller]
pub fn url_encode(str: impl IntoColumn) -> Column {
    Column::call("url_encode", vec![str.into_column()])
}

/// The user.
///
/// In SQL: `current_user()`. Since Spark 3.2.0.
#[track_caller]
pub fn user() -> Column {
    Column::call("user", vec![])
}

/// A random universally unique identifier.
///
/// In SQL: `uuid([seed])`. Since Spark 2.3.0.
#[track_caller]
pub fn uuid(args: impl IntoColumns) -> Column {
    Column::call("uuid", args.into_columns())
}

/// The string, or an error if it is no valid UTF-8.
///
/// In SQL: `validate_utf8(str)`. Since Spark 4.0.0.
#[track_caller]
pub fn validate_utf8(str: impl IntoColumn) -> Column {
    Column::call("validate_utf8", vec![str.into_column()])
}

/// Variance of a population.
///
/// In SQL: `var_pop(expr)`. Since Spark 1.6.0.
#[track_caller]
pub fn var_pop(expr: impl IntoColumn) -> Column {
    Column::call("var_pop", vec![expr.into_column()])
}

/// Variance of a sample.
///
/// In SQL: `var_samp(expr)`. Since Spark 1.6.0.
#[track_caller]
pub fn var_samp(expr: impl IntoColumn) -> Column {
    Column::call("var_samp", vec![expr.into_column()])
}

/// Variance of a sample.
///
/// In SQL: `var_samp(expr)`. Since Spark 1.6.0.
#[track_caller]
pub fn variance(expr: impl IntoColumn) -> Column {
    Column::call("variance", vec![expr.into_column()])
}

/// The version of Spark whose language this is.
///
/// In SQL: `version()`. Since Spark 3.0.0.
#[track_caller]
pub fn version() -> Column {
    Column::call("version", vec![])
}

/// The day of the week: 0 for Monday to 6 for Sunday.
///
/// In SQL: `weekday(date)`. Since Spark 2.4.0.
#[track_caller]
pub fn weekday(date: impl IntoColumn) -> Column {
    Column::call("weekday", vec![date.into_column()])
}

/// The week of the year by ISO 8601: weeks begin on Monday, and week 1 has the year's first Thursday.
///
/// In SQL: `weekofyear(date)`. Since Spark 1.5.0.
#[track_caller]
pub fn weekofyear(date: impl IntoColumn) -> Column {
    Column::call("weekofyear", vec![date.into_column()])
}

/// Which of so many equal parts of a range the value is in: 0 below, one more than all above.
///
/// In SQL: `width_bucket(value, min_value, max_value, num_bucket)`. Since Spark 3.1.0.
#[track_caller]
pub fn width_bucket(
    value: impl IntoColumn,
    min_value: impl IntoColumn,
    max_value: impl IntoColumn,
    num_bucket: impl IntoColumn,
) -> Column {
    Column::call(
        "width_bucket",
        vec![value.into_column(), min_value.into_column(), max_value.into_column(), num_bucket.into_column()],
    )
}

/// The last moment of a window of time.
///
/// In SQL: `window_time(window_column)`. Since Spark 3.4.0.
#[track_caller]
pub fn window_time(window_column: impl IntoColumn) -> Column {
    Column::call("window_time", vec![window_column.into_column()])
}

/// A hash of the values, by xxHash.
///
/// In SQL: `xxhash64(expr1, expr2, ...)`. Since Spark 3.0.0.
#[track_caller]
pub fn xxhash64(args: impl IntoColumns) -> Column {
    Column::call("xxhash64", args.into_columns())
}

/// The year.
///
/// In SQL: `year(date)`. Since Spark 1.5.0.
#[track_caller]
pub fn year(date: impl IntoColumn) -> Column {
    Column::call("year", vec![date.into_column()])
}

/// Zero if the argument is null, else the argument.
///
/// In SQL: `zeroifnull(expr)`. Since Spark 4.0.0.
#[track_caller]
pub fn zeroifnull(expr: impl IntoColumn) -> Column {
    Column::call("zeroifnull", vec![expr.into_column()])
}
