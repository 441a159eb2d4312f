//! `contains`, `startswith`, `endswith`.

use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::ScalarFunction;
use crate::scalar::params::STR;
use arrow::array::ArrayRef;
use memchr::memmem::{self, Finder};
use vonk_error::Result;
use vonk_types::DataType;

pub(super) fn rows() -> Vec<ScalarFunction> {
    let one = |name, docs, kernel| ScalarFunction {
        can_fail: false,
        ..ScalarFunction::new(name, docs, Arity::exactly(2), resolve, kernel)
    };
    vec![
        one(
            "contains",
            docs!(String, "contains(left, right)", "Whether the first contains the second.", "3.3.0", [
                "SELECT contains('Spark SQL', 'Spark')" => "true",
                "SELECT contains(x'537061726b2053514c', x'537061726b')" => "true",
            ]),
            contains,
        ),
        one(
            "startswith",
            docs!(String, "startswith(left, right)", "Whether the first begins with the second.", "3.3.0", [
                "SELECT startswith('Spark SQL', 'Spark')" => "true",
                "SELECT startswith('Spark SQL', 'SQL')" => "false",
            ]),
            |call| test(call, <[u8]>::starts_with),
        ),
        one(
            "endswith",
            docs!(String, "endswith(left, right)", "Whether the first ends with the second.", "3.3.0", [
                "SELECT endswith('Spark SQL', 'SQL')" => "true",
                "SELECT endswith('Spark SQL', 'Spark')" => "false",
            ]),
            |call| test(call, <[u8]>::ends_with),
        ),
    ]
}

/// Two binaries, or two strings.
fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    if site.args.iter().all(|a| a.data_type == DataType::Binary) {
        return site.returns(vec![DataType::Binary; 2], DataType::Boolean);
    }
    site.returns(site.take(&[STR, STR])?, DataType::Boolean)
}

fn test(call: &KernelCall<'_>, f: impl Fn(&[u8], &[u8]) -> bool) -> Result<ArrayRef> {
    let (a, b) = (call.bytes(0), call.bytes(1));
    call.each_bool(|row| Ok(Some(f(a.get(row), b.get(row)))))
}

fn contains(call: &KernelCall<'_>) -> Result<ArrayRef> {
    if !call.args[1].is_scalar() || call.args[1].is_null_scalar() {
        return test(call, |a, b| memmem::find(a, b).is_some());
    }
    let b = call.bytes(1);
    let finder = Finder::new(b.get(0));
    test(call, |a, _| finder.find(a).is_some())
}
