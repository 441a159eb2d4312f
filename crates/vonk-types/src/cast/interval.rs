//! Casts from and to intervals of the ANSI families. What does not fit is an error with ANSI or without.

use super::CastMode;
use super::decimal::{Unscaled, parts, with_decimal};
use super::kernel::Caster;
use super::numeric::Number;
use crate::data_type::{DataType, DayTimeField, YearMonthField};
use crate::decimal::{self, POW10};
use crate::interval::{micros_per, months_per};
use arrow::array::{ArrayRef, ArrowPrimitiveType, PrimitiveArray};
use arrow::datatypes::{
    Decimal64Type, Decimal128Type, DurationMicrosecondType, Int8Type, Int16Type, Int32Type, Int64Type,
    IntervalYearMonthType,
};
use vonk_error::Result;

impl Caster<'_> {
    /// A pair with an ANSI interval in it.
    pub fn intervals(&self, array: &ArrayRef) -> Result<ArrayRef> {
        use DataType::{DayTimeInterval, YearMonthInterval};
        match (self.from, self.to) {
            (YearMonthInterval(..), YearMonthInterval(_, end)) => {
                let unit = months_per(*end);
                let a = self.primitive::<IntervalYearMonthType>(array)?;
                Ok(self.map::<_, IntervalYearMonthType>(a, |v| v - v % unit))
            }
            (DayTimeInterval(..), DayTimeInterval(_, end)) => {
                let unit = if *end == DayTimeField::Second { 1 } else { micros_per(*end) };
                let a = self.primitive::<DurationMicrosecondType>(array)?;
                Ok(self.map::<_, DurationMicrosecondType>(a, |v| v - v % unit))
            }
            (YearMonthInterval(_, end), _) => {
                let unit = months_per(*end);
                self.interval_to_number(self.primitive::<IntervalYearMonthType>(array)?, |v| {
                    (v / unit) as i64
                })
            }
            (DayTimeInterval(_, end), _) => {
                let unit = micros_per(*end);
                self.interval_to_number(self.primitive::<DurationMicrosecondType>(array)?, |v| v / unit)
            }
            (_, YearMonthInterval(_, end)) => self.number_to_months(array, *end),
            (_, DayTimeInterval(_, end)) => self.number_to_micros(array, *end),
            _ => self.impossible(),
        }
    }

    /// Whether a misfit raises an error.
    fn interval_strict(&self) -> bool {
        self.mode != CastMode::Try
    }

    fn interval_to_number<S: ArrowPrimitiveType>(
        &self,
        a: &PrimitiveArray<S>,
        whole: impl Fn(S::Native) -> i64 + Copy,
    ) -> Result<ArrayRef>
    where
        S::Native: Into<i64>,
    {
        match self.to {
            DataType::Byte => self.narrow_interval::<S, Int8Type>(a, whole, |v| v as i8),
            DataType::Short => self.narrow_interval::<S, Int16Type>(a, whole, |v| v as i16),
            DataType::Int => self.narrow_interval::<S, Int32Type>(a, whole, |v| v as i32),
            DataType::Long => self.narrow_interval::<S, Int64Type>(a, whole, |v| v),
            DataType::Decimal(p, _) if *p <= 18 => self.interval_to_decimal::<S, Decimal64Type>(a, whole),
            DataType::Decimal(..) => self.interval_to_decimal::<S, Decimal128Type>(a, whole),
            _ => self.impossible(),
        }
    }

    fn narrow_interval<S: ArrowPrimitiveType, T: ArrowPrimitiveType>(
        &self,
        a: &PrimitiveArray<S>,
        whole: impl Fn(S::Native) -> i64,
        cut: impl Fn(i64) -> T::Native,
    ) -> Result<ArrayRef>
    where
        T::Native: Number,
    {
        let check = |v| {
            let whole = whole(v);
            let value = cut(whole);
            (value, value.to_i64() == whole)
        };
        self.checked::<S, T>(a, self.interval_strict(), check, |i| self.overflow(a, i))
    }

    fn interval_to_decimal<S: ArrowPrimitiveType, T: ArrowPrimitiveType>(
        &self,
        a: &PrimitiveArray<S>,
        whole: impl Fn(S::Native) -> i64,
    ) -> Result<ArrayRef>
    where
        S::Native: Into<i64>,
        T::Native: Unscaled,
    {
        let (p, s) = parts(self.to);
        let seconds = matches!(self.from, DataType::DayTimeInterval(_, DayTimeField::Second));
        // Seconds keep their fraction.
        let exact = |v: S::Native| if seconds { (v.into() as i128, 6) } else { (whole(v) as i128, 0) };
        let check = |v| {
            let (unscaled, scale) = exact(v);
            match decimal::rescale(unscaled, scale, s, p) {
                Some(v) => (T::Native::cut(v), true),
                None => (T::Native::default(), false),
            }
        };
        let error = |i: usize| {
            let (unscaled, scale) = exact(a.value(i));
            self.beyond_decimal(decimal::format(unscaled, scale))
        };
        self.checked::<S, T>(a, self.interval_strict(), check, error)
    }

    fn number_to_months(&self, array: &ArrayRef, end: YearMonthField) -> Result<ArrayRef> {
        let unit = months_per(end) as i64;
        let cut = |v: Option<i64>| match v.and_then(|v| i32::try_from(v).ok()) {
            Some(v) => (v, true),
            None => (0, false),
        };
        macro_rules! integers {
            ($t:ty) => {{
                let a = self.primitive::<$t>(array)?;
                let f = |v| cut(i64::from(v).checked_mul(unit));
                self.checked::<$t, IntervalYearMonthType>(a, self.interval_strict(), f, |i| {
                    self.overflow(a, i)
                })
            }};
        }
        match self.from {
            DataType::Byte => integers!(Int8Type),
            DataType::Short => integers!(Int16Type),
            DataType::Int => integers!(Int32Type),
            DataType::Long => integers!(Int64Type),
            DataType::Decimal(_, s) => with_decimal!(self.from, array, self, |a| {
                let f = |v| cut(scaled(v, *s, unit, end == YearMonthField::Month));
                self.checked::<_, IntervalYearMonthType>(a, self.interval_strict(), f, |i| {
                    self.overflow(a, i)
                })
            }),
            _ => self.impossible(),
        }
    }

    fn number_to_micros(&self, array: &ArrayRef, end: DayTimeField) -> Result<ArrayRef> {
        let unit = micros_per(end);
        let cut = |v: Option<i64>| (v.unwrap_or(0), v.is_some());
        macro_rules! integers {
            ($t:ty) => {{
                let a = self.primitive::<$t>(array)?;
                let f = |v| cut(i64::from(v).checked_mul(unit));
                self.checked::<$t, DurationMicrosecondType>(a, self.interval_strict(), f, |i| {
                    self.overflow(a, i)
                })
            }};
        }
        match self.from {
            DataType::Byte => integers!(Int8Type),
            DataType::Short => integers!(Int16Type),
            DataType::Int => integers!(Int32Type),
            DataType::Long => integers!(Int64Type),
            DataType::Decimal(_, s) => with_decimal!(self.from, array, self, |a| {
                let f = |v| cut(scaled(v, *s, unit, end == DayTimeField::Second));
                self.checked::<_, DurationMicrosecondType>(a, self.interval_strict(), f, |i| {
                    self.overflow(a, i)
                })
            }),
            _ => self.impossible(),
        }
    }
}

/// A decimal number of units in the finest unit of the family, rounded half up; then cut to whole units if these are coarser.
fn scaled<N: Unscaled>(v: N, scale: i8, unit: i64, finest: bool) -> Option<i64> {
    let scale = scale.unsigned_abs() as u32;
    let pow = *POW10.get(scale as usize)?;
    let (whole, rest) = (v.wide() / pow, v.wide() % pow);
    // The rest times the unit may need more than 128 bits when the scale is great; its last digits cannot matter then.
    let spare = scale.saturating_sub(26);
    let rest = decimal::div_half_up((rest / POW10[spare as usize]) * unit as i128, scale - spare);
    let value = i64::try_from(whole.checked_mul(unit as i128)?.checked_add(rest)?).ok()?;
    Some(if finest { value } else { value - value % unit })
}
