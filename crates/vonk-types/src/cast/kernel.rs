//! The loops that casts are made of, and their errors.

use super::CastMode;
use crate::context::EvalContext;
use crate::data_type::DataType;
use crate::sql_literal::error_text;
use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, BooleanBufferBuilder, PrimitiveArray,
    StringViewArray,
};
use arrow::buffer::NullBuffer;
use std::sync::Arc;
use vonk_error::{Error, Result};

/// A cast being done.
#[derive(Clone, Copy)]
pub(super) struct Caster<'a> {
    pub from: &'a DataType,
    pub to: &'a DataType,
    pub mode: CastMode,
    pub ctx: &'a EvalContext,
}

const ANSI_CONFIG: &str = "\"spark.sql.ansi.enabled\"";

impl Caster<'_> {
    /// The array as one of the Arrow type that its Spark type says it has.
    pub fn primitive<'b, T: ArrowPrimitiveType>(&self, array: &'b ArrayRef) -> Result<&'b PrimitiveArray<T>> {
        array.as_primitive_opt::<T>().ok_or_else(|| self.unlike(array))
    }

    pub fn boolean<'b>(&self, array: &'b ArrayRef) -> Result<&'b BooleanArray> {
        array.as_boolean_opt().ok_or_else(|| self.unlike(array))
    }

    pub fn strings<'b>(&self, array: &'b ArrayRef) -> Result<&'b StringViewArray> {
        array.as_string_view_opt().ok_or_else(|| self.unlike(array))
    }

    pub fn unlike(&self, array: &ArrayRef) -> Error {
        Error::internal(format!("array of {} for type {}", array.data_type(), self.from))
    }

    /// There is no such cast; the analyzer should have said so.
    pub fn impossible<T>(&self) -> Result<T> {
        vonk_error::internal_err!("cast of {} to {}", self.from, self.to)
    }

    /// An array of the target type. `T` must be its representation.
    pub fn finish<T: ArrowPrimitiveType>(
        &self,
        values: Vec<T::Native>,
        nulls: Option<NullBuffer>,
    ) -> ArrayRef {
        Arc::new(PrimitiveArray::<T>::new(values.into(), nulls).with_data_type(self.to.to_arrow()))
    }

    /// Every value fits.
    pub fn map<S: ArrowPrimitiveType, T: ArrowPrimitiveType>(
        &self,
        array: &PrimitiveArray<S>,
        f: impl Fn(S::Native) -> T::Native,
    ) -> ArrayRef {
        self.finish::<T>(array.values().iter().map(|v| f(*v)).collect(), array.nulls().cloned())
    }

    /// Values may not fit, which `f` tells; it also sees what lies under nulls. Where `strict`, a misfit is the error;
    /// else null.
    pub fn checked<S: ArrowPrimitiveType, T: ArrowPrimitiveType>(
        &self,
        array: &PrimitiveArray<S>,
        strict: bool,
        f: impl Fn(S::Native) -> (T::Native, bool),
        error: impl Fn(usize) -> Error,
    ) -> Result<ArrayRef> {
        let mut fits = true;
        let values: Vec<T::Native> = (array.values().iter())
            .map(|v| {
                let (value, ok) = f(*v);
                fits &= ok;
                value
            })
            .collect();
        let nulls = array.nulls().cloned();
        if fits {
            return Ok(self.finish::<T>(values, nulls));
        }
        let nulls = misfits(array.len(), nulls, strict, |i| f(array.value(i)).1, error)?;
        Ok(self.finish::<T>(values, nulls))
    }

    /// Makes values out of strings.
    pub fn parsed<T: ArrowPrimitiveType>(
        &self,
        array: &StringViewArray,
        strict: bool,
        f: impl Fn(&str) -> Option<T::Native>,
        error: impl Fn(usize) -> Error,
    ) -> Result<ArrayRef> {
        let mut values = vec![T::Native::default(); array.len()];
        let mut valid = BooleanBufferBuilder::new(array.len());
        for (i, value) in values.iter_mut().enumerate() {
            if array.is_null(i) {
                valid.append(false);
                continue;
            }
            match f(array.value(i)) {
                Some(v) => *value = v,
                None if strict => return Err(error(i)),
                None => {
                    valid.append(false);
                    continue;
                }
            }
            valid.append(true);
        }
        let nulls = NullBuffer::new(valid.finish());
        Ok(self.finish::<T>(values, Some(nulls).filter(|n| n.null_count() > 0)))
    }

    /// Whether misfits raise an error.
    pub fn strict(&self) -> bool {
        self.mode == CastMode::Ansi
    }

    pub fn overflow(&self, array: &dyn Array, row: usize) -> Error {
        self.overflow_of(error_text(array, row, self.from, self.ctx), self.from, self.to)
    }

    pub fn overflow_of(&self, value: String, from: &DataType, to: &DataType) -> Error {
        Error::new("CAST_OVERFLOW")
            .with("value", value)
            .with("sourceType", format!("\"{}\"", from.sql()))
            .with("targetType", format!("\"{}\"", to.sql()))
            .with("ansiConfig", ANSI_CONFIG)
    }

    pub fn malformed(&self, array: &dyn Array, row: usize) -> Error {
        self.malformed_as(array, row, self.from)
    }

    pub fn malformed_as(&self, array: &dyn Array, row: usize, from: &DataType) -> Error {
        Error::new("CAST_INVALID_INPUT")
            .with("expression", error_text(array, row, self.from, self.ctx))
            .with("sourceType", format!("\"{}\"", from.sql()))
            .with("targetType", format!("\"{}\"", self.to.sql()))
            .with("ansiConfig", ANSI_CONFIG)
    }

    /// A number that has too many digits for the target, a decimal.
    pub fn beyond_decimal(&self, value: String) -> Error {
        let (p, s) = match self.to {
            DataType::Decimal(p, s) => (*p, *s),
            _ => (0, 0),
        };
        Error::new("NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION")
            .with("value", value)
            .with("precision", p.to_string())
            .with("scale", s.to_string())
            .with("config", ANSI_CONFIG)
    }
}

/// The nulls of a result in which some values do not fit, or the first misfit's error.
fn misfits(
    len: usize,
    nulls: Option<NullBuffer>,
    strict: bool,
    fits: impl Fn(usize) -> bool,
    error: impl Fn(usize) -> Error,
) -> Result<Option<NullBuffer>> {
    let mut valid = BooleanBufferBuilder::new(len);
    for i in 0..len {
        let present = nulls.as_ref().is_none_or(|n| n.is_valid(i));
        let ok = present && fits(i);
        if strict && present && !ok {
            return Err(error(i));
        }
        valid.append(ok);
    }
    Ok(Some(NullBuffer::new(valid.finish())).filter(|n| n.null_count() > 0))
}
