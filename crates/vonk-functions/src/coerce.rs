//! Spark's implicit casts: the type that several types have in common, and what an argument may become for a parameter.
//!
//! ANSI mode and the older mode differ in what a string does to its neighbours: in ANSI mode it takes their type, before
//! it made strings of them.

use crate::resolve::CallSite;
use vonk_error::Result;
use vonk_types::{DataType, StructField, StructType};

/// The type that holds every value of both without loss, without strings and without rounding (`findTightestCommonType`).
pub fn tightest(a: &DataType, b: &DataType, ansi: bool) -> Option<DataType> {
    use DataType::*;
    Some(match (a, b) {
        (a, b) if a == b => a.clone(),
        (Null, t) | (t, Null) => t.clone(),
        (Decimal(..), t) if t.is_integral() => return decimal_over_integral(a, t),
        (t, Decimal(..)) if t.is_integral() => return decimal_over_integral(b, t),
        (Decimal(..), _) | (_, Decimal(..)) => return None,
        (a, b) if a.is_numeric() && b.is_numeric() => wider_number(a, b, ansi),
        (Timestamp, Date | TimestampNtz) | (Date | TimestampNtz, Timestamp) => Timestamp,
        (TimestampNtz, Date) | (Date, TimestampNtz) => TimestampNtz,
        (YearMonthInterval(f1, t1), YearMonthInterval(f2, t2)) => YearMonthInterval(*f1.min(f2), *t1.max(t2)),
        (DayTimeInterval(f1, t1), DayTimeInterval(f2, t2)) => DayTimeInterval(*f1.min(f2), *t1.max(t2)),
        (a, b) => return by_parts(a, b, &|x, y| tightest(x, y, ansi)),
    })
}

/// A decimal type if every value of the integral type fits into it.
fn decimal_over_integral(decimal: &DataType, integral: &DataType) -> Option<DataType> {
    use DataType::Decimal;
    let (Decimal(p, s), Some(Decimal(q, _))) = (decimal, integral.decimal_for_integral()) else {
        return None;
    };
    (i32::from(*p) - i32::from(*s) >= i32::from(q)).then(|| decimal.clone())
}

/// The wider of two numbers that are not decimals. In ANSI mode an integer and a float meet in a double.
fn wider_number(a: &DataType, b: &DataType, ansi: bool) -> DataType {
    const ORDER: [DataType; 6] =
        [DataType::Byte, DataType::Short, DataType::Int, DataType::Long, DataType::Float, DataType::Double];
    let rank = |t: &DataType| ORDER.iter().position(|o| o == t).unwrap_or(0);
    let wider = &ORDER[rank(a).max(rank(b))];
    if ansi && *wider == DataType::Float && a != b { DataType::Double } else { wider.clone() }
}

/// Array, map and struct types part by part.
fn by_parts(
    a: &DataType,
    b: &DataType,
    part: &dyn Fn(&DataType, &DataType) -> Option<DataType>,
) -> Option<DataType> {
    match (a, b) {
        (DataType::Array(x, n), DataType::Array(y, m)) => {
            let t = part(x, y)?;
            let null = *n || *m || turns_null(x, &t) || turns_null(y, &t);
            Some(DataType::array(t, null))
        }
        (DataType::Map(k, v, n), DataType::Map(l, w, m)) => {
            let (key, value) = (part(k, l)?, part(v, w)?);
            if turns_null(k, &key) || turns_null(l, &key) {
                return None;
            }
            let null = *n || *m || turns_null(v, &value) || turns_null(w, &value);
            Some(DataType::map(key, value, null))
        }
        (DataType::Struct(x), DataType::Struct(y)) => {
            if x.fields.len() != y.fields.len() {
                return None;
            }
            let fields: Option<Vec<StructField>> = x
                .fields
                .iter()
                .zip(y.fields.iter())
                .map(|(f, g)| {
                    if !f.name.eq_ignore_ascii_case(&g.name) {
                        return None;
                    }
                    let t = part(&f.data_type, &g.data_type)?;
                    let null = f.nullable
                        || g.nullable
                        || turns_null(&f.data_type, &t)
                        || turns_null(&g.data_type, &t);
                    Some(StructField::new(f.name.clone(), t, null))
                })
                .collect();
            Some(DataType::Struct(StructType::new(fields?)))
        }
        _ => None,
    }
}

/// Whether a cast can make a null of a value that is none (`Cast.forceNullable`).
pub fn turns_null(from: &DataType, to: &DataType) -> bool {
    vonk_types::cast::force_nullable(from, to)
}

/// A decimal type for both where one is a decimal; doubles swallow decimals.
fn wider_decimal(a: &DataType, b: &DataType) -> Option<DataType> {
    let as_decimal = |t: &DataType| match t {
        DataType::Decimal(p, s) => Some((i32::from(*p), i32::from(*s))),
        t => match t.decimal_for_integral() {
            Some(DataType::Decimal(p, s)) => Some((i32::from(p), i32::from(s))),
            _ => None,
        },
    };
    match (a, b) {
        (DataType::Decimal(..), t) | (t, DataType::Decimal(..)) if t.is_fractional_binary() => {
            Some(DataType::Double)
        }
        (DataType::Decimal(..), _) | (_, DataType::Decimal(..)) => {
            let ((p1, s1), (p2, s2)) = (as_decimal(a)?, as_decimal(b)?);
            let scale = s1.max(s2);
            let precision = (p1 - s1).max(p2 - s2) + scale;
            // Beyond 38 digits the integral part is kept.
            let too_many = (precision - i32::from(DataType::MAX_PRECISION)).max(0);
            Some(DataType::Decimal((precision - too_many) as u8, (scale - too_many).max(0) as i8))
        }
        _ => None,
    }
}

/// The type a string and another meet in.
fn with_string(other: &DataType, ansi: bool) -> Option<DataType> {
    use DataType::*;
    match other {
        Null | String => Some(String),
        t if !t.is_atomic() => None,
        t if !ansi => (!matches!(t, Binary | Boolean | CalendarInterval)).then_some(String),
        t if t.is_integral() => Some(Long),
        t if t.is_numeric() => Some(Double),
        t if t.is_ansi_interval() || matches!(t, CalendarInterval) => None,
        t => Some(t.clone()),
    }
}

/// The type that two have in common, strings aside (`findWiderTypeWithoutStringPromotionForTwo`).
pub fn wider_without_strings(a: &DataType, b: &DataType, ansi: bool) -> Option<DataType> {
    tightest(a, b, ansi)
        .or_else(|| wider_decimal(a, b))
        .or_else(|| by_parts(a, b, &|x, y| wider_without_strings(x, y, ansi)))
}

/// The type that two have in common (`findWiderTypeForTwo`).
pub fn wider(a: &DataType, b: &DataType, ansi: bool) -> Option<DataType> {
    let string = || match (a, b) {
        (DataType::String, t) | (t, DataType::String) => with_string(t, ansi),
        _ => None,
    };
    tightest(a, b, ansi)
        .or_else(|| wider_decimal(a, b))
        .or_else(string)
        .or_else(|| by_parts(a, b, &|x, y| wider(x, y, ansi)))
}

/// The type that all have in common; void for none (`findWiderCommonType`).
pub fn common_type(types: &[DataType], ansi: bool) -> Option<DataType> {
    let meet = |sum: Option<DataType>, t: &DataType| sum.and_then(|s| wider(&s, t, ansi));
    if ansi {
        return types.iter().fold(Some(DataType::Null), meet);
    }
    // Strings first, so that the result does not depend on the order.
    let (strings, others): (Vec<_>, Vec<_>) = types.iter().partition(|t| has_string(t));
    strings.into_iter().chain(others).fold(Some(DataType::Null), meet)
}

fn has_string(t: &DataType) -> bool {
    match t {
        DataType::String => true,
        DataType::Array(e, _) => has_string(e),
        _ => false,
    }
}

/// Whether an argument of one type is implicitly cast to a parameter of another.
pub fn implicit(from: &DataType, to: &DataType) -> bool {
    use DataType::*;
    match (from, to) {
        (a, b) if a == b => true,
        (Null, _) => true,
        (String, t) => t.is_atomic() && *t != CalendarInterval,
        (t, String) => t.is_atomic(),
        (a, b) if a.is_numeric() && b.is_numeric() => true,
        (a, b) if a.is_datetime() && b.is_datetime() => true,
        (YearMonthInterval(..), YearMonthInterval(..)) | (DayTimeInterval(..), DayTimeInterval(..)) => true,
        (Array(a, n), Array(b, m)) => implicit(a, b) && (*m || !(*n || turns_null(a, b))),
        (Map(k, v, n), Map(l, w, m)) => {
            implicit(k, l) && implicit(v, w) && (*m || !(*n || turns_null(v, w))) && !turns_null(k, l)
        }
        _ => false,
    }
}

impl CallSite<'_> {
    /// What argument `i` is cast to for a parameter of a type, or Spark's error.
    pub fn implicit(&self, i: usize, to: &DataType) -> Result<DataType> {
        self.implicit_or(i, to, &format!("\"{}\"", to.sql()))
    }

    /// As [`implicit`](Self::implicit), with the text of what is required.
    pub fn implicit_or(&self, i: usize, to: &DataType, required: &str) -> Result<DataType> {
        if self.casts(i, to) { Ok(to.clone()) } else { Err(self.unexpected_type(i, required)) }
    }

    /// Whether argument `i` is implicitly cast to a parameter of a type.
    pub fn casts(&self, i: usize, to: &DataType) -> bool {
        // Without ANSI the legacy interval is no atomic type.
        let from = self.arg_type(i);
        implicit(from, to) && (self.ctx.ansi || *from != DataType::CalendarInterval || from == to)
    }

    /// A parameter that must be of a type as it is, with no cast.
    pub fn exactly(&self, i: usize, t: &DataType) -> Result<DataType> {
        if self.arg_type(i) == t {
            Ok(t.clone())
        } else {
            Err(self.unexpected_type(i, &format!("\"{}\"", t.sql())))
        }
    }

    /// A parameter that takes timestamps with and without zone; what else becomes a timestamp becomes one with zone.
    pub fn any_timestamp(&self, i: usize) -> Result<DataType> {
        match self.arg_type(i) {
            DataType::TimestampNtz => Ok(DataType::TimestampNtz),
            _ => self.implicit_or(i, &DataType::Timestamp, "\"(TIMESTAMP OR TIMESTAMP WITHOUT TIME ZONE)\""),
        }
    }

    /// The common type of all arguments from `first` on, every `step`th.
    pub fn common_type(&self, first: usize, step: usize) -> Option<DataType> {
        let types: Vec<DataType> =
            self.args.iter().skip(first).step_by(step).map(|a| a.data_type.clone()).collect();
        common_type(&types, self.ctx.ansi)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use DataType::*;

    // Each line asked of Spark as typeof(array(a, b)).
    #[test]
    fn common_types() {
        let both = |a: DataType, b: DataType| common_type(&[a, b], true);
        assert_eq!(both(Int, Decimal(2, 1)), Some(Decimal(11, 1)));
        assert_eq!(both(Int, String), Some(Long));
        assert_eq!(both(Decimal(3, 1), String), Some(Double));
        assert_eq!(both(Int, Float), Some(Double));
        assert_eq!(both(Date, Timestamp), Some(Timestamp));
        assert_eq!(both(Int, Boolean), None);
        assert_eq!(both(Null, Int), Some(Int));
        assert_eq!(both(Decimal(38, 10), Decimal(38, 2)), Some(Decimal(38, 2)));
        assert_eq!(common_type(&[Int, String], false), Some(String));
        assert_eq!(common_type(&[Int, Float], false), Some(Float));
        assert_eq!(
            both(DataType::array(Int, false), DataType::array(Long, true)),
            Some(DataType::array(Long, true))
        );
    }
}
