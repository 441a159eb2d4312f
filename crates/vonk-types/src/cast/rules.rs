//! Which casts exist, and which Spark inserts or allows by itself.

use super::CastMode;
use crate::data_type::{DataType, StructType};

use DataType as T;

/// Whether a cast from one type to another exists in this mode (`Cast.canAnsiCast`, `canCast`, `canTryCast`).
pub fn can_cast(from: &DataType, to: &DataType, mode: CastMode) -> bool {
    let nullability = |null: bool, a: &DataType, b: &DataType, target: bool| {
        let makes_null = mode != CastMode::Ansi && force_nullable(a, b);
        resolvable(null || makes_null, target)
    };
    match (from, to) {
        (a, b) if a == b => true,
        (T::Null, _) => true,
        (T::Array(a, n), T::Array(b, m)) => can_cast(a, b, mode) && nullability(*n, a, b, *m),
        (T::Map(k, v, n), T::Map(l, w, m)) => {
            let key_null = mode != CastMode::Ansi && force_nullable(k, l);
            can_cast(k, l, mode) && !key_null && can_cast(v, w, mode) && nullability(*n, v, w, *m)
        }
        (T::Struct(a), T::Struct(b)) => fields(a, b, |x, y| {
            can_cast(&x.data_type, &y.data_type, mode)
                && nullability(x.nullable, &x.data_type, &y.data_type, y.nullable)
        }),
        (_, T::String) => true,
        (T::String, t) => !t.is_nested() && *t != T::Null,
        (a, b) if mode == CastMode::Legacy => legacy_pair(a, b) || ansi_pair(a, b),
        (a, b) => ansi_pair(a, b),
    }
}

fn ansi_pair(from: &DataType, to: &DataType) -> bool {
    let exact = |t: &DataType| t.is_integral() || t.is_decimal();
    match (from, to) {
        (T::Boolean, b) if b.is_numeric() => true,
        (a, T::Boolean | T::Timestamp) if a.is_numeric() => true,
        (a, b) if a.is_numeric() && b.is_numeric() => true,
        (a, b) if a.is_datetime() && b.is_datetime() => true,
        (T::Timestamp, b) if b.is_numeric() => true,
        (a, b) if a.is_ansi_interval() && exact(b) => true,
        (a, b) if exact(a) && b.is_ansi_interval() => true,
        (T::YearMonthInterval(..), T::YearMonthInterval(..)) => true,
        (T::DayTimeInterval(..), T::DayTimeInterval(..)) => true,
        _ => false,
    }
}

fn legacy_pair(from: &DataType, to: &DataType) -> bool {
    match (from, to) {
        (a, T::Binary) => a.is_integral(),
        (T::Date | T::Timestamp, T::Boolean) => true,
        (T::Boolean, T::Timestamp) => true,
        (T::Date, b) => b.is_numeric(),
        _ => false,
    }
}

fn resolvable(from_null: bool, to_null: bool) -> bool {
    !from_null || to_null
}

fn fields(
    a: &StructType,
    b: &StructType,
    f: impl Fn(&crate::StructField, &crate::StructField) -> bool,
) -> bool {
    a.fields.len() == b.fields.len() && a.fields.iter().zip(b.fields.iter()).all(|(x, y)| f(x, y))
}

/// Whether a cast without errors can make a null of a value (`Cast.forceNullable`).
pub fn force_nullable(from: &DataType, to: &DataType) -> bool {
    match (from, to) {
        (T::Null, _) => false,
        (a, b) if a == b => false,
        (T::String, T::Binary) => false,
        (T::String, _) => true,
        (_, T::String) => false,
        (T::Timestamp, T::Byte | T::Short | T::Int) => true,
        (a, T::Timestamp) if a.is_fractional_binary() => true,
        (T::Timestamp | T::TimestampNtz, T::Date) => false,
        (_, T::Date) => true,
        (T::Date, T::Timestamp | T::TimestampNtz) => false,
        (T::Date, _) => true,
        (_, T::CalendarInterval) => true,
        (a, T::Decimal(p, s)) => !null_safe_to_decimal(a, *p, *s),
        (a, b) if b.is_integral() => a.is_fractional_binary() || a.is_decimal(),
        _ => false,
    }
}

fn null_safe_to_decimal(from: &DataType, p: u8, s: i8) -> bool {
    let wider = |q: u8, t: i8| p as i32 - s as i32 >= q as i32 - t as i32 && s >= t;
    match from {
        T::Boolean => wider(1, 0),
        T::Decimal(q, t) => wider(*q, *t),
        a => match a.decimal_for_integral() {
            Some(T::Decimal(q, t)) => wider(q, t),
            _ => false,
        },
    }
}

fn rank(t: &DataType) -> Option<u8> {
    Some(match t {
        T::Byte => 0,
        T::Short => 1,
        T::Int => 2,
        T::Long => 3,
        T::Float => 4,
        T::Double => 5,
        _ => return None,
    })
}

/// Whether every value of one type is a value of the other, but for digits of floating point numbers (`Cast.canUpCast`).
pub fn can_up_cast(from: &DataType, to: &DataType) -> bool {
    match (from, to) {
        (a, b) if a == b => true,
        (T::Null, _) => true,
        (a, T::Decimal(p, s)) if a.is_numeric() => null_safe_to_decimal(a, *p, *s),
        (T::Decimal(p, s), b) => match b {
            // The decimal must fit the digits that the type surely has.
            T::Byte | T::Short | T::Int | T::Long => {
                let digits = match b {
                    T::Byte => 3,
                    T::Short => 5,
                    T::Int => 10,
                    _ => 20,
                };
                *s == 0 && (*p as i32) < digits
            }
            T::Float => *p <= 7,
            T::Double => *p <= 15,
            T::String => true,
            _ => false,
        },
        (a, b) if a.is_numeric() && b.is_numeric() => match (rank(a), rank(b)) {
            (Some(a), Some(b)) => a <= b,
            _ => false,
        },
        (a, b) if a.is_datetime() && b.is_datetime() => *b != T::Date,
        (a, T::String) => !a.is_nested(),
        (T::YearMonthInterval(..), T::YearMonthInterval(..)) => true,
        (T::DayTimeInterval(..), T::DayTimeInterval(..)) => true,
        (T::Array(a, n), T::Array(b, m)) => resolvable(*n, *m) && can_up_cast(a, b),
        (T::Map(k, v, n), T::Map(l, w, m)) => resolvable(*n, *m) && can_up_cast(k, l) && can_up_cast(v, w),
        (T::Struct(a), T::Struct(b)) => {
            fields(a, b, |x, y| resolvable(x.nullable, y.nullable) && can_up_cast(&x.data_type, &y.data_type))
        }
        _ => false,
    }
}

/// Whether INSERT may store values of one type in a column of the other (`Cast.canANSIStoreAssign`).
pub fn can_store_assign(from: &DataType, to: &DataType) -> bool {
    match (from, to) {
        (a, b) if a == b => true,
        (T::Null, _) => true,
        (a, b) if a.is_numeric() && b.is_numeric() => true,
        (a, T::String) if !a.is_nested() => true,
        (a, b) if a.is_datetime() && b.is_datetime() => true,
        (T::Array(a, n), T::Array(b, m)) => resolvable(*n, *m) && can_store_assign(a, b),
        (T::Map(k, v, n), T::Map(l, w, m)) => {
            resolvable(*n, *m) && can_store_assign(k, l) && can_store_assign(v, w)
        }
        (T::Struct(a), T::Struct(b)) => fields(a, b, |x, y| {
            resolvable(x.nullable, y.nullable) && can_store_assign(&x.data_type, &y.data_type)
        }),
        _ => false,
    }
}
