//! `width_bucket`.

use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::ScalarFunction;
use crate::scalar::params::LONG;
use arrow::array::{ArrayRef, ArrowPrimitiveType};
use arrow::datatypes::{DurationMicrosecondType, Float64Type, Int64Type, IntervalYearMonthType};
use vonk_error::{Error, Result};
use vonk_types::DataType;

pub(super) fn rows() -> Vec<ScalarFunction> {
    vec![ScalarFunction {
        can_fail: false,
        ..ScalarFunction::new(
            "width_bucket",
            docs!(
                Math,
                "width_bucket(value, min_value, max_value, num_bucket)",
                "Which of so many equal parts of a range the value is in: 0 below, one more than all above.",
                "3.1.0",
                [
                    "SELECT width_bucket(5.3, 0.2, 10.6, 5)" => "3",
                    "SELECT width_bucket(INTERVAL '1' DAY, INTERVAL '0' DAY, INTERVAL '10' DAY, 11)" => "2",
                ]
            ),
            Arity::exactly(4),
            resolve,
            width_bucket,
        )
    }]
}

const REQUIRED: &str = "(\"DOUBLE\" or \"INTERVAL YEAR TO MONTH\" or \"INTERVAL DAY TO SECOND\")";

fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    let mut types = Vec::with_capacity(4);
    for i in 0..3 {
        types.push(match site.arg_type(i) {
            t if t.is_ansi_interval() => t.clone(),
            _ => site.implicit_or(i, &DataType::Double, REQUIRED)?,
        });
    }
    let family = |t: &DataType| std::mem::discriminant(t);
    if types.iter().any(|t| family(t) != family(&types[0])) {
        let names: Vec<String> = types.iter().map(|t| format!("\"{}\"", t.sql())).collect();
        return Err(Error::new("DATATYPE_MISMATCH.DATA_DIFF_TYPES")
            .with("functionName", "`width_bucket`")
            .with("dataType", format!("({})", names.join(" or ")))
            .at(site.span));
    }
    types.push(site.take_one(3, &LONG)?);
    site.returns_null(types, DataType::Long)
}

fn width_bucket(call: &KernelCall<'_>) -> Result<ArrayRef> {
    match call.arg_types[0] {
        DataType::YearMonthInterval(..) => buckets::<IntervalYearMonthType>(call, f64::from),
        DataType::DayTimeInterval(..) => buckets::<DurationMicrosecondType>(call, |x| x as f64),
        _ => buckets::<Float64Type>(call, |x| x),
    }
}

fn buckets<T: ArrowPrimitiveType>(
    call: &KernelCall<'_>,
    double: impl Fn(T::Native) -> f64,
) -> Result<ArrayRef> {
    let (value, min, max) = (call.values::<T>(0), call.values::<T>(1), call.values::<T>(2));
    let count = call.values::<Int64Type>(3);
    call.each::<Int64Type>(|row| {
        let (value, min, max) = (double(value.get(row)), double(min.get(row)), double(max.get(row)));
        Ok(bucket(value, min, max, count.get(row)))
    })
}

fn bucket(value: f64, min: f64, max: f64, count: i64) -> Option<i64> {
    if count <= 0 || count == i64::MAX || value.is_nan() || min == max || !min.is_finite() || !max.is_finite()
    {
        return None;
    }
    let (outside, beyond) = if min < max { (value < min, value >= max) } else { (value > min, value <= max) };
    if outside {
        return Some(0);
    }
    if beyond {
        return Some(count + 1);
    }
    let scaled = if min < max {
        count as f64 * (value - min) / (max - min)
    } else {
        count as f64 * (min - value) / (min - max)
    };
    Some((scaled + 1.0) as i64)
}
