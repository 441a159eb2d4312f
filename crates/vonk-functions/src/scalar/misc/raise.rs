//! Errors on purpose: `raise_error`, `assert_true`.

use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::params::{STR, Takes};
use crate::scalar::{Display, ScalarFunction};
use arrow::array::{Array, ArrayRef};
use vonk_error::{Error, Result};
use vonk_types::DataType;

pub(super) fn rows() -> Vec<ScalarFunction> {
    vec![
        ScalarFunction {
            null_propagating: false,
            display: Display::Custom(|_, args| {
                format!("raise_error(USER_RAISED_EXCEPTION, map(errorMessage, {}))", args.join(", "))
            }),
            ..ScalarFunction::new(
                "raise_error",
                docs!(Misc, "raise_error(expr)", "An error with this message.", "3.1.0", []),
                Arity::exactly(1),
                |site| site.returns_null(site.take(&[STR])?, DataType::Null),
                raise_error,
            )
        },
        ScalarFunction {
            null_propagating: false,
            display: Display::Custom(|name, args| match args {
                [condition] => format!("{name}({condition}, '{condition}' is not true!)"),
                _ => format!("{name}({})", args.join(", ")),
            }),
            ..ScalarFunction::new(
                "assert_true",
                docs!(Misc, "assert_true(expr[, message])", "An error unless the expression is true, else null.", "2.0.0", [
                    "SELECT assert_true(0 < 1)" => "NULL",
                ]),
                Arity::between(1, 2),
                resolve_assert,
                assert_true,
            )
        },
    ]
}

fn raised(message: impl Into<String>) -> Error {
    Error::new("USER_RAISED_EXCEPTION").with("errorMessage", message)
}

fn raise_error(call: &KernelCall<'_>) -> Result<ArrayRef> {
    if call.rows == 0 {
        return Ok(call.all_null());
    }
    let (array, message) = (call.args[0].values(), call.strings(0));
    Err(raised(if array.is_null(0) { "null" } else { message.get(0) }))
}

/// The message of a single argument is the text of the call, which kernels do not see: it stands in the error's place.
fn resolve_assert(site: &CallSite<'_>) -> Result<Resolution> {
    let types = site.take(&[Takes::Only(DataType::Boolean), STR])?;
    site.returns_null(types, DataType::Null)
}

fn assert_true(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let (array, condition) = (call.args[0].values(), call.booleans(0));
    for row in 0..call.rows {
        if array.is_null(call.args[0].index(row)) || !condition.get(row) {
            let message = match call.args.get(1) {
                None => "the condition is not true!",
                Some(m) if m.values().is_null(m.index(row)) => "null",
                Some(_) => call.strings(1).get(row),
            };
            return Err(raised(message));
        }
    }
    Ok(call.all_null())
}

#[cfg(test)]
mod tests {
    use crate::scalar::testing::*;

    #[test]
    fn errors() {
        let e = error("raise_error", &[text("boom")]);
        assert_eq!((e.condition(), e.message().as_str()), ("USER_RAISED_EXCEPTION", "boom"));
        assert_eq!(run("assert_true", &[boolean(true)]), ["NULL"]);
        assert_eq!(error("assert_true", &[boolean(false), text("custom")]).message(), "custom");
    }
}
