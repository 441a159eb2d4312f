//! `factorial`.

use crate::resolve::Arity;
use crate::scalar::ScalarFunction;
use crate::scalar::params::INT;
use arrow::datatypes::{Int32Type, Int64Type};
use vonk_types::DataType;

pub(super) fn rows() -> Vec<ScalarFunction> {
    vec![ScalarFunction {
        can_fail: false,
        ..ScalarFunction::new(
            "factorial",
            docs!(Math, "factorial(expr)", "The product of the numbers from 1 to 0..20; null for others.", "1.5.0", [
                "SELECT factorial(5)" => "120",
            ]),
            Arity::exactly(1),
            |site| site.returns_null(site.take(&[INT])?, DataType::Long),
            |call| {
                let n = call.values::<Int32Type>(0);
                call.each::<Int64Type>(|row| {
                    let n = n.get(row);
                    Ok((0..=20).contains(&n).then(|| (1..=i64::from(n)).product()))
                })
            },
        )
    }]
}
