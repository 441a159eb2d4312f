//! `uuid`: random, and with a seed Spark's own.

use crate::kernel::{KernelCall, ScalarInstance};
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::twister::Twister;
use crate::scalar::{Display, ScalarFunction, ScalarKernel, Volatility};
use arrow::array::ArrayRef;
use arrow::datatypes::Int64Type;
use std::fmt::Write;
use std::hash::{BuildHasher, RandomState};
use vonk_error::{Error, Result};
use vonk_types::DataType;

pub(super) fn rows() -> Vec<ScalarFunction> {
    vec![ScalarFunction {
        kernel: ScalarKernel::Instance(|call| Ok(Box::new(Uuids(twister(call))))),
        volatility: Volatility::Volatile,
        null_propagating: false,
        can_fail: false,
        seed: Some(0),
        display: Display::Custom(|_, _| "uuid()".to_string()),
        ..ScalarFunction::new(
            "uuid",
            docs!(Misc, "uuid([seed])", "A random universally unique identifier.", "2.3.0", [
                "SELECT length(uuid())" => "36",
                "SELECT uuid(0)" => "269567e9-5d09-4af5-b20f-16851fc4a81a",
            ]),
            Arity::between(0, 1),
            resolve,
            |_| vonk_error::internal_err!("uuid without its state"),
        )
    }]
}

fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    let types = match site.args.first() {
        None => vec![],
        Some(a) if a.literal.is_some() && (a.data_type.is_integral() || a.data_type == DataType::Null) => {
            vec![DataType::Long]
        }
        Some(a) => {
            return Err(Error::new("INVALID_PARAMETER_VALUE.LONG")
                .with("functionName", "`UUID`")
                .with("parameter", "`seed`")
                .with("invalidValue", format!("\"{}\"", a.sql))
                .at(site.span));
        }
    };
    site.returns_value(types, DataType::String)
}

struct Uuids(Twister);

impl ScalarInstance for Uuids {
    /// Version 4: 122 random bits.
    fn call(&mut self, call: &KernelCall<'_>) -> Result<ArrayRef> {
        let free = KernelCall { args: &[], ..*call };
        free.each_str(|_, out| {
            let high = self.0.long() & !0xF000 | 0x4000;
            let low = self.0.long() & !(3 << 62) | 1 << 63;
            // Writing to a String does not fail.
            let _ = write!(
                out,
                "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
                high >> 32,
                high >> 16 & 0xFFFF,
                high & 0xFFFF,
                low >> 48,
                low & 0xFFFF_FFFF_FFFF
            );
            Ok(true)
        })
    }
}

/// By the seed given (any if there is none) and the partition.
fn twister(call: &KernelCall<'_>) -> Twister {
    let seed = match call.args.first() {
        Some(a) if !a.is_null_scalar() => call.values::<Int64Type>(0).get(0),
        _ => RandomState::new().hash_one(call.position.partition) as i64,
    };
    Twister::seeded(call.shifted(seed))
}

#[cfg(test)]
mod tests {
    use crate::scalar::testing::*;

    // Asked of Spark.
    #[test]
    fn seeded() {
        assert_eq!(run("uuid", &[int(0)]), ["269567e9-5d09-4af5-b20f-16851fc4a81a"]);
        assert_eq!(run("uuid", &[long(123)]), ["4c99192d-23d6-4d88-b814-a634398120f0"]);
        assert_eq!(run("uuid", &[int(-5)]), ["e338c8ff-0ff5-447d-95a9-d0fbf8bc6331"]);
        let ids = run("uuid", &[]);
        assert_eq!((ids[0].len(), ids[0].as_bytes()[14]), (36, b'4'));
    }
}
