//! `approx_count_distinct`: HyperLogLog++ over XXH64, as Spark's.
//!
//! Registers, hash, linear counting and its thresholds are Spark's, so that small counts (up to about 0.8 m of m registers)
//! and large ones (above 5 m) are Spark's numbers. Between them HyperLogLog's estimate is biased; Spark corrects it from
//! measured tables, we by inverting the expected estimate. Both are within the accuracy asked for; they may differ there.

use super::groups::{counted, each, emit};
use super::inputs;
use super::xxhash::hash_rows;
use super::{AggregateCall, AggregateFunction, EmitTo, GroupsAccumulator};
use crate::describe::{Docs, ex};
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::Display;
use arrow::array::{ArrayRef, AsArray, BinaryViewArray, BooleanArray, Int64Array};
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_types::{DataType, Literal, ScalarValue};

const DOCS: Docs = Docs::aggregate(
    "approx_count_distinct(expr[, relativeSD])",
    "Estimate of the number of different values that are not null.",
    "1.6.0",
    &[
        ex("SELECT approx_count_distinct(col1) FROM VALUES (1), (1), (2), (2), (3) AS tab(col1)", "3"),
        ex("SELECT approx_count_distinct(id) FROM range(300)", "296"),
    ],
);

pub(super) fn rows() -> Vec<AggregateFunction> {
    vec![AggregateFunction {
        duplicate_insensitive: true,
        on_empty: Some(|| Literal::long(0)),
        display: Display::Custom(|name, args| format!("{name}({})", args.first().map_or("", String::as_str))),
        ..AggregateFunction::new(
            "approx_count_distinct",
            DOCS,
            Arity::between(1, 2),
            resolve,
            |_| vec![DataType::Binary],
            make,
        )
    }]
}

fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    if let Some(arg) = site.args.get(1) {
        let deviation = arg.literal.as_ref().and_then(number);
        let Some(deviation) = deviation else {
            return Err(Error::new("_LEGACY_ERROR_TEMP_1104").at(site.span));
        };
        if precision(deviation) < 4 {
            return Err(Error::new("FAILED_FUNCTION_CALL")
                .with("funcName", format!("`{}`", site.called_as))
                .at(site.span));
        }
    }
    inputs::never_null(inputs::as_given(site), DataType::Long)
}

fn number(l: &Literal) -> Option<f64> {
    match l.value {
        ScalarValue::Float64(x) => x,
        ScalarValue::Float32(x) => x.map(f64::from),
        ScalarValue::Decimal64(x, _, s) => x.map(|x| x as f64 / 10f64.powi(i32::from(s))),
        ScalarValue::Decimal128(x, _, s) => x.map(|x| x as f64 / 10f64.powi(i32::from(s))),
        _ => None,
    }
}

/// Bits of the hash that choose the register, for a relative standard deviation.
fn precision(deviation: f64) -> u32 {
    (2.0 * (1.106 / deviation).ln() / 2f64.ln()).ceil().clamp(0.0, 30.0) as u32
}

fn make(call: &AggregateCall<'_>) -> Result<Box<dyn GroupsAccumulator>> {
    let deviation = call.constants.get(1).and_then(|l| l.as_ref()).and_then(number).unwrap_or(0.05);
    Ok(Box::new(Sketches { p: precision(deviation).max(4), registers: Vec::new() }))
}

/// `2^p` registers per group, one byte each, group after group.
struct Sketches {
    p: u32,
    registers: Vec<u8>,
}

const SEED: u64 = 42;

impl Sketches {
    fn m(&self) -> usize {
        1 << self.p
    }

    fn take(&mut self, to: EmitTo) -> Vec<u8> {
        let to = match to {
            EmitTo::All => EmitTo::All,
            EmitTo::First(n) => EmitTo::First(n * self.m()),
        };
        emit(&mut self.registers, to)
    }
}

impl GroupsAccumulator for Sketches {
    fn update(
        &mut self,
        args: &[ArrayRef],
        groups: &[u32],
        filter: Option<&BooleanArray>,
        num_groups: usize,
    ) -> Result<()> {
        let (p, m) = (self.p, self.m());
        self.registers.resize(num_groups * m, 0);
        let mask = counted(&args[..1], filter);
        let mut hashes = vec![SEED; groups.len()];
        hash_rows(&args[0], &mut hashes);
        let registers = &mut self.registers[..];
        each(groups, mask.as_ref(), |row, group| {
            let hash = hashes[row];
            let index = (hash >> (64 - p)) as usize;
            let rank = ((hash << p) | 1 << (p - 1)).leading_zeros() as u8 + 1;
            let register = &mut registers[group * m + index];
            *register = (*register).max(rank);
        });
        Ok(())
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &[u32], num_groups: usize) -> Result<()> {
        let m = self.m();
        self.registers.resize(num_groups * m, 0);
        let sketches = states[0].as_binary_view();
        for (row, group) in groups.iter().enumerate() {
            let start = *group as usize * m;
            let own = &mut self.registers[start..start + m];
            for (own, other) in own.iter_mut().zip(sketches.value(row)) {
                *own = (*own).max(*other);
            }
        }
        Ok(())
    }

    fn state(&mut self, to: EmitTo) -> Result<Vec<ArrayRef>> {
        let m = self.m();
        let registers = self.take(to);
        Ok(vec![Arc::new(BinaryViewArray::from_iter_values(registers.chunks(m)))])
    }

    fn evaluate(&mut self, to: EmitTo) -> Result<ArrayRef> {
        let (m, p) = (self.m(), self.p);
        let registers = self.take(to);
        let out = Int64Array::from_iter_values(registers.chunks(m).map(|r| estimate(r, p)));
        Ok(Arc::new(out))
    }

    fn size(&self) -> usize {
        self.registers.capacity()
    }
}

/// Up to these estimates linear counting is better than the harmonic mean, by precision from 4.
const THRESHOLDS: [f64; 15] = [
    10.0, 20.0, 40.0, 80.0, 220.0, 400.0, 900.0, 1800.0, 3100.0, 6500.0, 15500.0, 20000.0, 50000.0, 120000.0,
    350000.0,
];

fn estimate(registers: &[u8], p: u32) -> i64 {
    let m = registers.len() as f64;
    let alpha = match p {
        4 => 0.673,
        5 => 0.697,
        6 => 0.709,
        _ => 0.7213 / (1.0 + 1.079 / m),
    };
    let inverse: f64 = registers.iter().map(|r| 1.0 / (1u64 << r) as f64).sum();
    let zeros = registers.iter().filter(|r| **r == 0).count() as f64;
    let raw = alpha * m * m / inverse;
    if zeros > 0.0 {
        let linear = m * (m / zeros).ln();
        if p >= 19 || linear <= THRESHOLDS[p as usize - 4] {
            return linear.round() as i64;
        }
    }
    if p < 19 && raw < 5.0 * m {
        return (m * load_of(raw / m, alpha)).round() as i64;
    }
    raw.round() as i64
}

/// The number of values per register for which the raw estimate per register is expected to be `raw`.
fn load_of(raw: f64, alpha: f64) -> f64 {
    let (mut low, mut high) = (0.0, raw);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if expected(middle, alpha) < raw { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

/// Expected raw estimate per register at a load, registers being independent.
fn expected(load: f64, alpha: f64) -> f64 {
    let mut below = 0.0;
    let mut mean = 0.0;
    for rank in 0..64 {
        let at_most = (-load / 2f64.powi(rank)).exp();
        mean += (at_most - below) / 2f64.powi(rank);
        below = at_most;
    }
    alpha / mean
}
