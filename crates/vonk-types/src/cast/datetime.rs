//! Casts from and to dates and timestamps.

use super::CastMode;
use super::decimal::{Unscaled, parts, with_decimal};
use super::kernel::Caster;
use super::numeric::{Number, fits_i64};
use crate::data_type::DataType;
use crate::datetime::{MICROS_PER_DAY, MICROS_PER_SECOND, Zone};
use crate::decimal::{self, POW10};
use crate::number::format_f64;
use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, PrimitiveArray, new_null_array};
use arrow::datatypes::{
    Date32Type, Decimal64Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimestampMicrosecondType,
};
use vonk_error::{Error, Result};

const DAY: i64 = MICROS_PER_DAY;

impl Caster<'_> {
    /// A pair with a date or a timestamp in it.
    pub fn datetimes(&self, array: &ArrayRef) -> Result<ArrayRef> {
        match (self.from, self.to) {
            (DataType::Date, DataType::Timestamp | DataType::TimestampNtz) => {
                self.date_to_timestamp(self.primitive(array)?)
            }
            // Without ANSI, a date is no number and no boolean: null.
            (DataType::Date, _) => Ok(new_null_array(&self.to.to_arrow(), array.len())),
            (DataType::Timestamp | DataType::TimestampNtz, _) => self.timestamps(self.primitive(array)?),
            (_, DataType::Timestamp) => self.number_to_timestamp(array),
            _ => self.impossible(),
        }
    }

    fn date_to_timestamp(&self, a: &PrimitiveArray<Date32Type>) -> Result<ArrayRef> {
        let zone = match self.to {
            DataType::Timestamp => Zone::of(&self.ctx.time_zone),
            _ => Zone::of_rule(crate::context::ZoneRule::Fixed(0)),
        };
        let fixed = zone.fixed();
        let check = |day: i32| match (day as i64).checked_mul(DAY) {
            Some(local) => match fixed {
                Some(offset) => (local.wrapping_sub(offset as i64 * MICROS_PER_SECOND), true),
                None => (zone.local_to_utc(local), true),
            },
            None => (0, false),
        };
        // Spark fails here with ANSI or without.
        let error = |_| Error::new("DATETIME_OVERFLOW").with("operation", "long overflow");
        self.checked::<Date32Type, TimestampMicrosecondType>(a, self.mode != CastMode::Try, check, error)
    }

    fn timestamps(&self, a: &PrimitiveArray<TimestampMicrosecondType>) -> Result<ArrayRef> {
        type Ts = TimestampMicrosecondType;
        let zone = Zone::of(&self.ctx.time_zone);
        let seconds = |t: i64| t.div_euclid(MICROS_PER_SECOND);
        Ok(match (self.from, self.to) {
            (DataType::Timestamp, DataType::Date) => self.map::<Ts, Date32Type>(a, |t| zone.day_of(t)),
            (DataType::TimestampNtz, DataType::Date) => {
                self.map::<Ts, Date32Type>(a, |t| t.div_euclid(DAY) as i32)
            }
            (DataType::Timestamp, DataType::TimestampNtz) => self.map::<Ts, Ts>(a, |t| zone.utc_to_local(t)),
            (DataType::TimestampNtz, DataType::Timestamp) => self.map::<Ts, Ts>(a, |t| zone.local_to_utc(t)),
            (DataType::Timestamp, DataType::Boolean) => self.nonzero(a),
            (DataType::Timestamp, DataType::Long) => self.map::<Ts, Int64Type>(a, seconds),
            (DataType::Timestamp, DataType::Int) => self.narrow_seconds::<Int32Type>(a, |s| s as i32)?,
            (DataType::Timestamp, DataType::Short) => self.narrow_seconds::<Int16Type>(a, |s| s as i16)?,
            (DataType::Timestamp, DataType::Byte) => self.narrow_seconds::<Int8Type>(a, |s| s as i8)?,
            (DataType::Timestamp, DataType::Double) => {
                self.map::<Ts, Float64Type>(a, |t| t as f64 / MICROS_PER_SECOND as f64)
            }
            (DataType::Timestamp, DataType::Float) => {
                self.map::<Ts, Float32Type>(a, |t| (t as f64 / MICROS_PER_SECOND as f64) as f32)
            }
            (DataType::Timestamp, DataType::Decimal(p, _)) if *p <= 18 => {
                self.timestamp_to_decimal::<Decimal64Type>(a)?
            }
            (DataType::Timestamp, DataType::Decimal(..)) => self.timestamp_to_decimal::<Decimal128Type>(a)?,
            _ => return self.impossible(),
        })
    }

    fn narrow_seconds<T: ArrowPrimitiveType>(
        &self,
        a: &PrimitiveArray<TimestampMicrosecondType>,
        cut: impl Fn(i64) -> T::Native,
    ) -> Result<ArrayRef>
    where
        T::Native: Number,
    {
        let check = |t: i64| {
            let seconds = t.div_euclid(MICROS_PER_SECOND);
            let value = cut(seconds);
            (value, value.to_i64() == seconds)
        };
        self.checked::<TimestampMicrosecondType, T>(a, self.strict(), check, |i| self.overflow(a, i))
    }

    fn timestamp_to_decimal<T: ArrowPrimitiveType>(
        &self,
        a: &PrimitiveArray<TimestampMicrosecondType>,
    ) -> Result<ArrayRef>
    where
        T::Native: Unscaled,
    {
        let (p, s) = parts(self.to);
        let check = |t: i64| match decimal::rescale(t as i128, 6, s, p) {
            Some(v) => (T::Native::cut(v), true),
            None => (T::Native::default(), false),
        };
        let error = |i: usize| self.beyond_decimal(decimal::format(a.value(i) as i128, 6));
        self.checked::<TimestampMicrosecondType, T>(a, self.strict(), check, error)
    }

    fn number_to_timestamp(&self, array: &ArrayRef) -> Result<ArrayRef> {
        type Ts = TimestampMicrosecondType;
        let seconds = |s: i64| s.saturating_mul(MICROS_PER_SECOND);
        Ok(match self.from {
            DataType::Boolean => {
                let a = self.boolean(array)?;
                self.finish::<Ts>(a.values().iter().map(i64::from).collect(), a.nulls().cloned())
            }
            DataType::Byte => self.map::<Int8Type, Ts>(self.primitive(array)?, |v| seconds(v as i64)),
            DataType::Short => self.map::<Int16Type, Ts>(self.primitive(array)?, |v| seconds(v as i64)),
            DataType::Int => self.map::<Int32Type, Ts>(self.primitive(array)?, |v| seconds(v as i64)),
            DataType::Long => self.map::<Int64Type, Ts>(self.primitive(array)?, seconds),
            DataType::Float => self.double_to_timestamp::<Float32Type>(self.primitive(array)?)?,
            DataType::Double => self.double_to_timestamp::<Float64Type>(self.primitive(array)?)?,
            DataType::Decimal(_, s) => {
                let micros = |v: i128| decimal_to_micros(v, *s);
                with_decimal!(self.from, array, self, |a| self.map::<_, Ts>(a, |v| micros(v.wide())))
            }
            _ => return self.impossible(),
        })
    }

    fn double_to_timestamp<S: ArrowPrimitiveType>(&self, a: &PrimitiveArray<S>) -> Result<ArrayRef>
    where
        S::Native: Number,
    {
        let micros = |v: S::Native| v.to_f64() * MICROS_PER_SECOND as f64;
        let legacy = self.mode == CastMode::Legacy;
        let check = |v: S::Native| {
            let micros = micros(v);
            (micros as i64, v.to_f64().is_finite() && (legacy || fits_i64(micros)))
        };
        let error = |i: usize| {
            let v = a.value(i);
            if v.to_f64().is_finite() {
                let micros = micros(v);
                let text = format!("{}{}", format_f64(micros), if micros.is_finite() { "D" } else { "" });
                return self.overflow_of(text, &DataType::Double, &DataType::Long);
            }
            self.malformed_as(a, i, &DataType::Double)
        };
        self.checked::<S, TimestampMicrosecondType>(a, self.strict(), check, error)
    }
}

/// Seconds as microseconds, the rest dropped; beyond 64 bits the low ones. Spark computes with 34 digits here.
fn decimal_to_micros(unscaled: i128, scale: i8) -> i64 {
    let unscaled = match unscaled.unsigned_abs() >= POW10[34] as u128 {
        true => {
            let pow = POW10[unscaled.unsigned_abs().ilog10() as usize - 33];
            decimal::div_half_even(unscaled, pow) * pow
        }
        false => unscaled,
    };
    let scale = scale.unsigned_abs() as usize;
    if scale >= 6 {
        return (unscaled / POW10[scale - 6]) as i64;
    }
    unscaled.wrapping_mul(POW10[6 - scale]) as i64
}
