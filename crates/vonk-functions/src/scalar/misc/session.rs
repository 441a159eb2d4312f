//! Constants of the session, and types.

use crate::kernel::KernelCall;
use crate::resolve::Arity;
use crate::scalar::params::Takes;
use crate::scalar::{Display, ScalarFunction, Volatility};
use arrow::array::{ArrayRef, StringViewArray};
use std::sync::Arc;
use vonk_error::Result;
use vonk_types::DataType;

/// The version of Spark whose language this is, and what took the place of its revision.
const VERSION: &str = concat!("4.3.0 vonk-", env!("CARGO_PKG_VERSION"));

pub(super) fn rows() -> Vec<ScalarFunction> {
    let constant = |name, docs, kernel| ScalarFunction {
        can_fail: false,
        volatility: Volatility::Stable,
        ..ScalarFunction::new(
            name,
            docs,
            Arity::exactly(0),
            |site| site.returns_value(vec![], DataType::String),
            kernel,
        )
    };
    vec![
        constant(
            "version",
            docs!(Misc, "version()", "The version of Spark whose language this is.", "3.0.0", [
                "SELECT version() LIKE '4.3.0 %'" => "true",
            ]),
            |call| text(call, VERSION),
        ),
        ScalarFunction {
            aliases: &["user", "session_user"],
            ..constant(
                "current_user",
                docs!(Misc, "current_user()", "The user.", "3.2.0", ["SELECT current_user() = user()" => "true"]),
                |call| text(call, &call.ctx.user),
            )
        },
        constant(
            "current_timezone",
            docs!(Datetime, "current_timezone()", "The session's time zone.", "3.1.0", [
                "SELECT current_timezone()" => "America/Los_Angeles",
            ]),
            |call| text(call, &call.ctx.time_zone.id),
        ),
        ScalarFunction {
            can_fail: false,
            null_propagating: false,
            ..ScalarFunction::new(
                "collation",
                docs!(String, "collation(expr)", "The name of the string's collation; there is but one.", "4.0.0", [
                    "SELECT collation('Spark SQL')" => "SYSTEM.BUILTIN.UTF8_BINARY",
                ]),
                Arity::exactly(1),
                |site| site.returns_value(site.take(&[Takes::Only(DataType::String)])?, DataType::String),
                |call| text(call, "SYSTEM.BUILTIN.UTF8_BINARY"),
            )
        },
        ScalarFunction {
            can_fail: false,
            null_propagating: false,
            display: Display::Call,
            ..ScalarFunction::new(
                "typeof",
                docs!(Misc, "typeof(expr)", "The name of the type.", "3.0.0", [
                    "SELECT typeof(1)" => "int",
                    "SELECT typeof(array(1))" => "array<int>",
                ]),
                Arity::exactly(1),
                |site| site.returns_value(vec![site.arg_type(0).clone()], DataType::String),
                |call| text(call, &call.arg_types[0].catalog_string()),
            )
        },
    ]
}

fn text(call: &KernelCall<'_>, value: &str) -> Result<ArrayRef> {
    Ok(Arc::new(StringViewArray::from_iter_values(std::iter::repeat_n(value, call.rows))))
}

#[cfg(test)]
mod tests {
    use crate::scalar::testing::*;

    #[test]
    fn constants() {
        assert_eq!(run("typeof", &[ints(&[Some(1), None])]), ["int", "int"]);
        assert_eq!(run("current_timezone", &[]), ["UTC"]);
        assert!(run("version", &[])[0].starts_with("4.3.0 "));
    }
}
