//! `rlike` and its other names.

use super::pattern::Patterns;
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::params::STR;
use crate::scalar::{Display, ScalarFunction};
use arrow::array::ArrayRef;
use vonk_error::Result;
use vonk_types::DataType;

pub(super) fn rows() -> Vec<ScalarFunction> {
    let one = |name, docs, kernel| ScalarFunction {
        display: Display::Custom(|name, args| format!("{}({})", name.to_uppercase(), args.join(", "))),
        ..ScalarFunction::new(name, docs, Arity::exactly(2), resolve, kernel)
    };
    vec![
        one(
            "rlike",
            docs!(Predicate, "str RLIKE regexp", "Whether the regular expression matches somewhere in the string.", "1.0.0", [
                "SELECT 'Spark' RLIKE 'S.*k$'" => "true",
            ]),
            |call| rlike(call, "rlike"),
        ),
        one(
            "regexp",
            docs!(Predicate, "regexp(str, regexp)", "Whether the regular expression matches somewhere in the string.", "3.2.0", [
                "SELECT regexp('Spark', 'S.*k$')" => "true",
            ]),
            |call| rlike(call, "regexp"),
        ),
        one(
            "regexp_like",
            docs!(String, "regexp_like(str, regexp)", "Whether the regular expression matches somewhere in the string.", "3.2.0", [
                "SELECT regexp_like('Spark', 'S.*k$')" => "true",
            ]),
            |call| rlike(call, "regexp_like"),
        ),
    ]
}

fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    site.returns(site.take(&[STR, STR])?, DataType::Boolean)
}

fn rlike(call: &KernelCall<'_>, function: &'static str) -> Result<ArrayRef> {
    let (s, pattern) = (call.strings(0), call.strings(1));
    let mut patterns = Patterns::of(function);
    call.each_bool(|row| Ok(Some(patterns.get(pattern.get(row))?.is_match(s.get(row))?)))
}
