//! Casts that read strings.

use super::CastMode;
use super::kernel::Caster;
use crate::arrow_types::MAX_DECIMAL64_PRECISION;
use crate::data_type::{DataType, DayTimeField};
use crate::datetime::{Zone, parse_date, parse_timestamp_at, parse_timestamp_ntz, today};
use crate::decimal;
use crate::interval::{parse_calendar, parse_day_time, parse_year_month};
use crate::number::{Integral, parse_f32, parse_f64, parse_integral, parse_integral_lenient, trim};
use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, BinaryViewArray, BooleanBuilder, StringViewArray};
use arrow::datatypes::{
    Date32Type, Decimal64Type, Decimal128Type, DurationMicrosecondType, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, IntervalMonthDayNano, IntervalMonthDayNanoType, IntervalYearMonthType,
    TimestampMicrosecondType,
};
use std::cell::RefCell;
use std::sync::Arc;
use vonk_error::{Error, Result};

impl Caster<'_> {
    /// From strings to anything but strings.
    pub fn parse_strings(&self, array: &ArrayRef) -> Result<ArrayRef> {
        let a = self.strings(array)?;
        let error = |i| self.malformed(a, i);
        let strict = self.strict();
        match self.to {
            DataType::Boolean => self.parse_booleans(a),
            DataType::Byte => self.parse_integers::<Int8Type>(a),
            DataType::Short => self.parse_integers::<Int16Type>(a),
            DataType::Int => self.parse_integers::<Int32Type>(a),
            DataType::Long => self.parse_integers::<Int64Type>(a),
            DataType::Float => self.parsed::<Float32Type>(a, strict, parse_f32, error),
            DataType::Double => self.parsed::<Float64Type>(a, strict, parse_f64, error),
            DataType::Decimal(p, _) if *p <= MAX_DECIMAL64_PRECISION => {
                self.parse_decimals::<Decimal64Type>(a, |v| v as i64)
            }
            DataType::Decimal(..) => self.parse_decimals::<Decimal128Type>(a, |v| v),
            DataType::Binary => Ok(Arc::new(a.clone().to_binary_view()) as Arc<BinaryViewArray>),
            DataType::Date => self.parsed::<Date32Type>(a, strict, parse_date, error),
            DataType::Timestamp => {
                let zone = Zone::of(&self.ctx.time_zone);
                let day = |z: &Zone| match self.ctx.query_start_micros {
                    0 => today(&self.ctx.time_zone),
                    now => z.day_of(now),
                };
                self.parsed::<TimestampMicrosecondType>(
                    a,
                    strict,
                    |s| parse_timestamp_at(s, &zone, day),
                    error,
                )
            }
            DataType::TimestampNtz => {
                self.parsed::<TimestampMicrosecondType>(a, strict, parse_timestamp_ntz, error)
            }
            DataType::YearMonthInterval(from, to) => {
                self.parse_or_fail::<IntervalYearMonthType>(a, |s| parse_year_month(s, *from, *to, 1))
            }
            DataType::DayTimeInterval(from, to) => {
                // Spark's cast to seconds loses the sign of a whole part of zero.
                let lost = |v: i64| *from == DayTimeField::Second && (-999_999..0).contains(&v);
                self.parse_or_fail::<DurationMicrosecondType>(a, |s| {
                    parse_day_time(s, *from, *to).map(|v| if lost(v) { -v } else { v })
                })
            }
            DataType::CalendarInterval => {
                let parse = |s: &str| {
                    let (months, days, micros) = parse_calendar(s)?;
                    Some(IntervalMonthDayNano::new(months, days, micros.checked_mul(1000)?))
                };
                self.parsed::<IntervalMonthDayNanoType>(a, false, parse, error)
            }
            _ => self.impossible(),
        }
    }

    fn parse_booleans(&self, a: &StringViewArray) -> Result<ArrayRef> {
        let mut out = BooleanBuilder::with_capacity(a.len());
        for i in 0..a.len() {
            if a.is_null(i) {
                out.append_null();
                continue;
            }
            match boolean(a.value(i)) {
                None if self.strict() => return Err(self.malformed(a, i)),
                value => out.append_option(value),
            }
        }
        Ok(Arc::new(out.finish()))
    }

    fn parse_integers<T: ArrowPrimitiveType>(&self, a: &StringViewArray) -> Result<ArrayRef>
    where
        T::Native: Integral,
    {
        let error = |i| self.malformed(a, i);
        if self.mode == CastMode::Legacy {
            return self.parsed::<T>(a, false, parse_integral_lenient, error);
        }
        self.parsed::<T>(a, self.strict(), parse_integral, error)
    }

    fn parse_decimals<T: ArrowPrimitiveType>(
        &self,
        a: &StringViewArray,
        cut: impl Fn(i128) -> T::Native,
    ) -> Result<ArrayRef> {
        let (p, s) = super::decimal::parts(self.to);
        let error = |i: usize| {
            let text = a.value(i);
            match decimal::parse_number(trim(text)) {
                None => self.malformed(a, i),
                Some(n) if n.whole_digits() > 38 => {
                    Error::new("NUMERIC_OUT_OF_SUPPORTED_RANGE").with("value", text)
                }
                Some(n) => self.beyond_decimal(n.plain_text()),
            }
        };
        self.parsed::<T>(a, self.strict(), |text| decimal::parse(text, p, s).map(&cut), error)
    }

    /// Reads what fails with an error of its own, with or without ANSI.
    fn parse_or_fail<T: ArrowPrimitiveType>(
        &self,
        a: &StringViewArray,
        f: impl Fn(&str) -> Result<T::Native>,
    ) -> Result<ArrayRef> {
        let failure = RefCell::new(None);
        let parse = |s: &str| f(s).map_err(|e| *failure.borrow_mut() = Some(e)).ok();
        let strict = self.mode != CastMode::Try;
        self.parsed::<T>(a, strict, parse, |i| failure.take().unwrap_or_else(|| self.malformed(a, i)))
    }
}

/// Reads a boolean: `t true y yes 1`, `f false n no 0`, in any case.
fn boolean(s: &str) -> Option<bool> {
    let s = trim(s);
    let is = |words: &[&str]| words.iter().any(|w| s.eq_ignore_ascii_case(w));
    if is(&["t", "true", "y", "yes", "1"]) {
        return Some(true);
    }
    is(&["f", "false", "n", "no", "0"]).then_some(false)
}
