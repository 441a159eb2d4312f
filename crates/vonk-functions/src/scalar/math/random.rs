//! Random numbers: Spark's generator, so that a seed gives Spark's numbers.

use crate::kernel::{KernelCall, ScalarInstance};
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::params::INT;
use crate::scalar::{Display, ScalarFunction, ScalarKernel, Volatility};
use arrow::array::{ArrayRef, Float64Array};
use arrow::datatypes::{Int32Type, Int64Type};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_types::cast::cast_array;
use vonk_types::{CastMode, DataType, ScalarValue};

pub(super) fn rows() -> Vec<ScalarFunction> {
    let volatile = |seed, row: ScalarFunction, prepare| ScalarFunction {
        seed: Some(seed),
        kernel: ScalarKernel::Instance(prepare),
        volatility: Volatility::Volatile,
        null_propagating: false,
        can_fail: false,
        ..row
    };
    let never = |_: &KernelCall<'_>| vonk_error::internal_err!("a random function without its state");
    vec![
        volatile(
            0,
            ScalarFunction {
                aliases: &["random"],
                display: Display::Custom(|_, args| format!("rand({})", args.join(", "))),
                ..ScalarFunction::new(
                    "rand",
                    docs!(Math, "rand([seed])", "A random double from 0 to below 1.", "1.5.0", [
                        "SELECT rand(0)" => "0.7604953758285915",
                    ]),
                    Arity::between(0, 1),
                    resolve_seed,
                    never,
                )
            },
            |call| Ok(Box::new(Doubles { random: Random::of(call, 0)?, normal: false })),
        ),
        volatile(
            0,
            ScalarFunction::new(
                "randn",
                docs!(Math, "randn([seed])", "A random double of the standard normal distribution.", "1.5.0", [
                    "SELECT randn(0)" => "1.6034991609278433",
                ]),
                Arity::between(0, 1),
                resolve_seed,
                never,
            ),
            |call| Ok(Box::new(Doubles { random: Random::of(call, 0)?, normal: true })),
        ),
        volatile(
            2,
            ScalarFunction::new(
                "uniform",
                docs!(Math, "uniform(min, max[, seed])", "A random number within a range.", "4.0.0", [
                    "SELECT uniform(10, 20, 0)" => "17",
                ]),
                Arity::between(2, 3),
                resolve_uniform,
                never,
            ),
            |call| Ok(Box::new(Uniform(Random::of(call, 2)?))),
        ),
        volatile(
            1,
            ScalarFunction::new(
                "randstr",
                docs!(String, "randstr(length[, seed])", "A random string of letters and digits.", "4.0.0", [
                    "SELECT randstr(3, 0)" => "ceV",
                ]),
                Arity::between(1, 2),
                resolve_randstr,
                never,
            ),
            |call| Ok(Box::new(Letters(Random::of(call, 1)?))),
        ),
    ]
}

fn check_seed(site: &CallSite<'_>, i: usize) -> Result<Option<DataType>> {
    let Some(arg) = site.args.get(i) else { return Ok(None) };
    let t = match &arg.data_type {
        t if matches!(t, DataType::Int | DataType::Long) => t.clone(),
        DataType::Byte | DataType::Short | DataType::Null => DataType::Int,
        _ => return Err(site.unexpected_type(i, "(\"INT\" or \"BIGINT\")")),
    };
    if arg.literal.is_none() {
        let args: Vec<&str> = site.args.iter().map(|a| a.sql.as_str()).collect();
        let call = if site.called_as == "random" { "rand" } else { site.called_as };
        return Err(Error::new("SEED_EXPRESSION_IS_UNFOLDABLE")
            .with("seedExpr", format!("\"{}\"", arg.sql))
            .with("exprWithSeed", format!("\"{call}({})\"", args.join(", ")))
            .at(site.span));
    }
    Ok(Some(t))
}

fn resolve_seed(site: &CallSite<'_>) -> Result<Resolution> {
    let seed = check_seed(site, 0)?;
    site.returns_value(seed.into_iter().collect(), DataType::Double)
}

fn not_foldable(site: &CallSite<'_>, i: usize, name: &str, kind: &str) -> Error {
    Error::new("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT")
        .with("inputName", format!("`{name}`"))
        .with("inputType", kind)
        .with("inputExpr", format!("\"{}\"", site.args[i].sql))
        .at(site.span)
}

fn resolve_uniform(site: &CallSite<'_>) -> Result<Resolution> {
    for (i, name) in ["min", "max"].iter().enumerate() {
        let t = site.arg_type(i);
        if !t.is_numeric() && *t != DataType::Null {
            return Err(site.unexpected_type(i, "\"NUMERIC\""));
        }
        if site.args[i].literal.is_none() {
            return Err(not_foldable(site, i, name, "integer or floating-point"));
        }
    }
    use DataType::{Byte, Double, Float, Int, Long, Null, Short};
    let (a, b) = (site.arg_type(0), site.arg_type(1));
    let return_type = match (a, b) {
        (Null, _) | (_, Null) => Double,
        (Double, _) | (_, Double) => Double,
        (Float, _) | (_, Float) => Float,
        (DataType::Decimal(p, _), DataType::Decimal(q, _)) => {
            if p >= q {
                a.clone()
            } else {
                b.clone()
            }
        }
        (t @ DataType::Decimal(..), _) | (_, t @ DataType::Decimal(..)) => t.clone(),
        (Long, _) | (_, Long) => Long,
        (Int, _) | (_, Int) => Int,
        (Short, _) | (_, Short) => Short,
        _ => Byte,
    };
    let mut types = vec![Double, Double];
    types.extend(check_seed(site, 2)?);
    site.returns_null(types, return_type)
}

fn resolve_randstr(site: &CallSite<'_>) -> Result<Resolution> {
    let mut types = vec![site.take_one(0, &INT)?];
    let Some(length) = &site.args[0].literal else { return Err(not_foldable(site, 0, "length", "integer")) };
    if let ScalarValue::Int32(Some(n)) = &length.value
        && *n < 0
    {
        return Err(Error::new("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE")
            .with("exprName", "`length`")
            .with("valueRange", "[0, 2147483647]")
            .with("currentValue", n.to_string())
            .at(site.span));
    }
    types.extend(check_seed(site, 1)?);
    site.returns(types, DataType::String)
}

struct Doubles {
    random: Random,
    normal: bool,
}

impl ScalarInstance for Doubles {
    fn call(&mut self, call: &KernelCall<'_>) -> Result<ArrayRef> {
        let next = || if self.normal { self.random.next_normal() } else { self.random.next_double() };
        Ok(Arc::new(Float64Array::from_iter_values(std::iter::repeat_with(next).take(call.rows))))
    }
}

struct Uniform(Random);

impl ScalarInstance for Uniform {
    fn call(&mut self, call: &KernelCall<'_>) -> Result<ArrayRef> {
        if call.args[..2].iter().any(|a| a.is_null_scalar()) {
            return Ok(call.all_null());
        }
        let bound = |i: usize| call.values::<arrow::datatypes::Float64Type>(i);
        let (min, max) = (bound(0), bound(1));
        let next = |row| min.get(row) + (max.get(row) - min.get(row)) * self.0.next_double();
        let doubles: ArrayRef = Arc::new(Float64Array::from_iter_values((0..call.rows).map(next)));
        cast_array(&doubles, &DataType::Double, call.return_type, CastMode::Legacy, call.ctx)
    }
}

struct Letters(Random);

impl ScalarInstance for Letters {
    fn call(&mut self, call: &KernelCall<'_>) -> Result<ArrayRef> {
        let strict = KernelCall { args: &call.args[..1], ..*call };
        let length = call.values::<Int32Type>(0);
        strict.each_str(|row, out| {
            for _ in 0..length.get(row) {
                let n = (self.0.next(32) % 62).unsigned_abs() as u8;
                out.push(match n {
                    0..=9 => b'0' + n,
                    10..=35 => b'a' + n - 10,
                    _ => b'A' + n - 36,
                } as char);
            }
            Ok(true)
        })
    }
}

/// Spark's `XORShiftRandom`.
pub(in crate::scalar) struct Random {
    seed: i64,
    /// The second of a pair of normal values.
    spare: Option<f64>,
}

impl Random {
    /// Seeded by argument `i` (any number if it is not given), the partition and the round of a loop.
    fn of(call: &KernelCall<'_>, i: usize) -> Result<Random> {
        let seed = match call.args.get(i) {
            None => RandomState::new().hash_one(call.position.partition) as i64,
            Some(a) if a.is_null_scalar() => 0,
            Some(_) => match call.arg_types[i] {
                DataType::Long => call.values::<Int64Type>(i).get(0),
                _ => i64::from(call.values::<Int32Type>(i).get(0)),
            },
        };
        Ok(Random::new(call.shifted(seed)))
    }

    /// From a seed.
    pub fn new(seed: i64) -> Random {
        const ARRAY_SEED: u32 = 0x3c07_4a61;
        let bytes = seed.to_be_bytes();
        let low = murmur3(&bytes, ARRAY_SEED);
        let high = murmur3(&bytes, low);
        Random { seed: (u64::from(high) << 32 | u64::from(low)) as i64, spare: None }
    }

    /// So many random bits.
    pub fn next(&mut self, bits: u32) -> i32 {
        let mut next = self.seed ^ self.seed << 21;
        next ^= (next as u64 >> 35) as i64;
        next ^= next << 4;
        self.seed = next;
        (next & ((1i64 << bits) - 1)) as i32
    }

    /// From 0 to below 1.
    fn next_double(&mut self) -> f64 {
        let high = i64::from(self.next(26)) << 27;
        (high + i64::from(self.next(27))) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Of the standard normal distribution, by the polar method.
    fn next_normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        loop {
            let (a, b) = (2.0 * self.next_double() - 1.0, 2.0 * self.next_double() - 1.0);
            let s = a * a + b * b;
            if s < 1.0 && s != 0.0 {
                let factor = (-2.0 * super::fdlibm::log(s) / s).sqrt();
                self.spare = Some(b * factor);
                return a * factor;
            }
        }
    }
}

/// MurmurHash3 of bytes in whole words.
fn murmur3(bytes: &[u8], seed: u32) -> u32 {
    let mut h = seed;
    for word in bytes.as_chunks::<4>().0 {
        let k = u32::from_le_bytes(*word).wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
        h = (h ^ k).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    h ^= bytes.len() as u32;
    h = (h ^ h >> 16).wrapping_mul(0x85eb_ca6b);
    h = (h ^ h >> 13).wrapping_mul(0xc2b2_ae35);
    h ^ h >> 16
}
