//! `bit_and`, `bit_or`, `bit_xor`.

use super::groups::{counted, each, emit, nulls_where_not};
use super::inputs;
use super::{AggregateCall, AggregateFunction, EmitTo, GroupsAccumulator};
use crate::describe::{Docs, ex};
use crate::resolve::{Arity, CallSite, Resolution};
use arrow::array::{ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, PrimitiveArray};
use arrow::datatypes::{Int8Type, Int16Type, Int32Type, Int64Type};
use std::ops::{BitAnd, BitOr, BitXor};
use std::sync::Arc;
use vonk_error::Result;
use vonk_types::DataType;

const AND: Docs = Docs::aggregate(
    "bit_and(expr)",
    "Bitwise AND of the values that are not null.",
    "3.0.0",
    &[ex("SELECT bit_and(col) FROM VALUES (3), (5) AS tab(col)", "1")],
);
const OR: Docs = Docs::aggregate(
    "bit_or(expr)",
    "Bitwise OR of the values that are not null.",
    "3.0.0",
    &[ex("SELECT bit_or(col) FROM VALUES (3), (5) AS tab(col)", "7")],
);
const XOR: Docs = Docs::aggregate(
    "bit_xor(expr)",
    "Bitwise XOR of the values that are not null.",
    "3.0.0",
    &[ex("SELECT bit_xor(col) FROM VALUES (3), (5) AS tab(col)", "6")],
);

pub(super) fn rows() -> Vec<AggregateFunction> {
    let types = |c: &AggregateCall<'_>| c.arg_types.to_vec();
    let one = Arity::exactly(1);
    vec![
        AggregateFunction {
            duplicate_insensitive: true,
            regrouping: super::Regrouping::Exact,
            ..AggregateFunction::new("bit_and", AND, one, resolve, types, |c| make(c, Op::And))
        },
        AggregateFunction {
            duplicate_insensitive: true,
            regrouping: super::Regrouping::Exact,
            ..AggregateFunction::new("bit_or", OR, one, resolve, types, |c| make(c, Op::Or))
        },
        AggregateFunction::new("bit_xor", XOR, one, resolve, types, |c| make(c, Op::Xor)),
    ]
}

fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    let t = match site.arg_type(0) {
        t if t.is_integral() => t.clone(),
        DataType::Null => DataType::Int,
        _ => return Err(site.unexpected_type(0, "\"INTEGRAL\"")),
    };
    inputs::nullable(vec![t.clone()], t)
}

#[derive(Clone, Copy)]
enum Op {
    And,
    Or,
    Xor,
}

fn make(call: &AggregateCall<'_>, op: Op) -> Result<Box<dyn GroupsAccumulator>> {
    Ok(match &call.arg_types[0] {
        DataType::Byte => Box::new(Bits::<Int8Type>::new(op)),
        DataType::Short => Box::new(Bits::<Int16Type>::new(op)),
        DataType::Int => Box::new(Bits::<Int32Type>::new(op)),
        DataType::Long => Box::new(Bits::<Int64Type>::new(op)),
        other => return vonk_error::internal_err!("bits of {other}"),
    })
}

struct Bits<T: ArrowPrimitiveType> {
    op: Op,
    values: Vec<T::Native>,
    seen: Vec<bool>,
}

impl<T: ArrowPrimitiveType> Bits<T> {
    fn new(op: Op) -> Self {
        Bits { op, values: Vec::new(), seen: Vec::new() }
    }
}

impl<T: ArrowPrimitiveType> GroupsAccumulator for Bits<T>
where
    T::Native: BitAnd<Output = T::Native> + BitOr<Output = T::Native> + BitXor<Output = T::Native>,
{
    fn update(
        &mut self,
        args: &[ArrayRef],
        groups: &[u32],
        filter: Option<&BooleanArray>,
        num_groups: usize,
    ) -> Result<()> {
        self.values.resize(num_groups, T::Native::default());
        self.seen.resize(num_groups, false);
        let input = args[0].as_primitive::<T>().values();
        let mask = counted(args, filter);
        let op = match self.op {
            Op::And => |a: T::Native, b: T::Native| a & b,
            Op::Or => |a: T::Native, b: T::Native| a | b,
            Op::Xor => |a: T::Native, b: T::Native| a ^ b,
        };
        let (values, seen) = (&mut self.values[..], &mut self.seen[..]);
        each(groups, mask.as_ref(), |row, group| {
            values[group] = if seen[group] { op(values[group], input[row]) } else { input[row] };
            seen[group] = true;
        });
        Ok(())
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &[u32], num_groups: usize) -> Result<()> {
        self.update(states, groups, None, num_groups)
    }

    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.evaluate(emit)?])
    }

    fn evaluate(&mut self, to: EmitTo) -> Result<ArrayRef> {
        let (values, seen) = (emit(&mut self.values, to), emit(&mut self.seen, to));
        let nulls = nulls_where_not(values.len(), |i| seen[i]);
        Ok(Arc::new(PrimitiveArray::<T>::new(values.into(), nulls)))
    }

    fn size(&self) -> usize {
        self.values.capacity() * size_of::<T::Native>() + self.seen.capacity()
    }
}
