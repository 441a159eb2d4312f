//! `isnan` and `nanvl`.

use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::ScalarFunction;
use crate::scalar::params::{DOUBLE, Takes};
use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray};
use arrow::buffer::BooleanBuffer;
use arrow::compute::interleave;
use arrow::datatypes::{Float32Type, Float64Type};
use std::sync::Arc;
use vonk_error::Result;
use vonk_types::DataType;

pub(super) fn rows() -> Vec<ScalarFunction> {
    vec![
        ScalarFunction {
            can_fail: false,
            null_propagating: false,
            ..ScalarFunction::new(
                "isnan",
                docs!(Predicate, "isnan(expr)", "Whether the number is NaN; false for null.", "1.5.0", [
                    "SELECT isnan(cast('NaN' as double))" => "true",
                ]),
                Arity::exactly(1),
                |site| {
                    let types = [DataType::Double, DataType::Float];
                    site.returns_value(site.take(&[Takes::OneOf(&types)])?, DataType::Boolean)
                },
                isnan,
            )
        },
        ScalarFunction {
            can_fail: false,
            null_propagating: false,
            ..ScalarFunction::new(
                "nanvl",
                docs!(Conditional, "nanvl(expr1, expr2)", "The first unless it is NaN, then the second.", "1.5.0", [
                    "SELECT nanvl(cast('NaN' as double), 123)" => "123.0",
                ]),
                Arity::exactly(2),
                resolve_nanvl,
                nanvl,
            )
        },
    ]
}

fn isnan(call: &KernelCall<'_>) -> Result<ArrayRef> {
    fn bits<T: ArrowPrimitiveType>(call: &KernelCall<'_>, nan: impl Fn(T::Native) -> bool) -> ArrayRef {
        let (array, x) = (call.args[0].values(), call.values::<T>(0));
        let test = |row| nan(x.get(row)) && array.is_valid(call.args[0].index(row));
        Arc::new(BooleanArray::new(BooleanBuffer::collect_bool(call.rows, test), None))
    }
    Ok(match call.arg_types[0] {
        DataType::Float => bits::<Float32Type>(call, f32::is_nan),
        _ => bits::<Float64Type>(call, f64::is_nan),
    })
}

fn resolve_nanvl(site: &CallSite<'_>) -> Result<Resolution> {
    let both_float = site.args.iter().all(|a| matches!(a.data_type, DataType::Float));
    if both_float {
        return site.returns(vec![DataType::Float; 2], DataType::Float);
    }
    site.returns(site.take(&[DOUBLE, DOUBLE])?, DataType::Double)
}

fn nanvl(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let (first, second) = (call.args[0].values(), call.args[1].values());
    let nan = |at: usize| {
        first.is_valid(at)
            && match call.return_type {
                DataType::Float => first.as_primitive::<Float32Type>().value(at).is_nan(),
                _ => first.as_primitive::<Float64Type>().value(at).is_nan(),
            }
    };
    let picks: Vec<(usize, usize)> = (0..call.rows)
        .map(|row| {
            let at = call.args[0].index(row);
            if nan(at) { (1, call.args[1].index(row)) } else { (0, at) }
        })
        .collect();
    Ok(interleave(&[first.as_ref(), second.as_ref()], &picks)?)
}
