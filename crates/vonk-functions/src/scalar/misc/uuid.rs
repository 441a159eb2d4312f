//! `uuid`: random, and with a seed Spark's own.

use crate::kernel::{KernelCall, ScalarInstance};
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::{Display, ScalarFunction, ScalarKernel, Volatility};
use arrow::array::ArrayRef;
use arrow::datatypes::Int64Type;
use std::fmt::Write;
use std::hash::{BuildHasher, RandomState};
use vonk_error::{Error, Result};
use vonk_types::DataType;

pub(super) fn rows() -> Vec<ScalarFunction> {
    vec![ScalarFunction {
        kernel: ScalarKernel::Instance(|call| Ok(Box::new(Uuids(Twister::of(call))))),
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
            let high = self.0.next_long() & !0xF000 | 0x4000;
            let low = self.0.next_long() & !(3 << 62) | 1 << 63;
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

/// The Mersenne twister, seeded as Apache Commons Math does it.
struct Twister {
    state: [u32; N],
    at: usize,
}

const N: usize = 624;
const M: usize = 397;

impl Twister {
    /// Of the seed given (any if there is none) and the partition.
    fn of(call: &KernelCall<'_>) -> Twister {
        let seed = match call.args.first() {
            Some(a) if !a.is_null_scalar() => call.values::<Int64Type>(0).get(0),
            _ => RandomState::new().hash_one(call.position.partition) as i64,
        };
        let seed = seed.wrapping_add(i64::from(call.position.partition)) as u64;
        Twister::new([(seed >> 32) as u32, seed as u32])
    }

    fn new(seed: [u32; 2]) -> Twister {
        let mut mt = [0u32; N];
        mt[0] = 19_650_218;
        for i in 1..N {
            mt[i] = 1_812_433_253u32.wrapping_mul(mt[i - 1] ^ mt[i - 1] >> 30).wrapping_add(i as u32);
        }
        let (mut i, mut j) = (1, 0);
        let advance = |mt: &mut [u32; N], i: &mut usize| {
            *i += 1;
            if *i == N {
                mt[0] = mt[N - 1];
                *i = 1;
            }
        };
        for _ in 0..N {
            let mixed = (mt[i - 1] ^ mt[i - 1] >> 30).wrapping_mul(1_664_525);
            mt[i] = (mt[i] ^ mixed).wrapping_add(seed[j]).wrapping_add(j as u32);
            j = (j + 1) % seed.len();
            advance(&mut mt, &mut i);
        }
        for _ in 1..N {
            let mixed = (mt[i - 1] ^ mt[i - 1] >> 30).wrapping_mul(1_566_083_941);
            mt[i] = (mt[i] ^ mixed).wrapping_sub(i as u32);
            advance(&mut mt, &mut i);
        }
        mt[0] = 1 << 31;
        Twister { state: mt, at: N }
    }

    fn next_int(&mut self) -> u32 {
        if self.at == N {
            for i in 0..N {
                let y = self.state[i] & 1 << 31 | self.state[(i + 1) % N] & (u32::MAX >> 1);
                let magic = if y & 1 == 1 { 0x9908_b0df } else { 0 };
                self.state[i] = self.state[(i + M) % N] ^ y >> 1 ^ magic;
            }
            self.at = 0;
        }
        let mut y = self.state[self.at];
        self.at += 1;
        y ^= y >> 11;
        y ^= y << 7 & 0x9d2c_5680;
        y ^= y << 15 & 0xefc6_0000;
        y ^ y >> 18
    }

    fn next_long(&mut self) -> u64 {
        u64::from(self.next_int()) << 32 | u64::from(self.next_int())
    }
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
