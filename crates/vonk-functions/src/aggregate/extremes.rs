//! `min` and `max`.

use super::by_key::ByKey;
use super::cells::{Cells, as_bytes};
use super::groups::{counted, each, each_row, emit, nulls_where_not};
use super::inputs;
use super::{AggregateCall, AggregateFunction, EmitTo, GroupsAccumulator, booleans};
use crate::describe::{Docs, ex};
use crate::resolve::{Arity, CallSite, Resolution};
use arrow::array::{Array, ArrayData, ArrayRef, BooleanArray, make_array};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::{ArrowNativeType, DataType as ArrowType};
use vonk_error::Result;

const MIN: Docs = Docs::aggregate(
    "min(expr)",
    "Least value that is not null.",
    "1.0.0",
    &[
        ex("SELECT min(col) FROM VALUES (10), (-1), (20) AS tab(col)", "-1"),
        ex("SELECT min(col) FROM VALUES ('b'), ('a'), (NULL) AS tab(col)", "a"),
    ],
);
const MAX: Docs = Docs::aggregate(
    "max(expr)",
    "Greatest value that is not null; NaN is greater than every number.",
    "1.0.0",
    &[
        ex("SELECT max(col) FROM VALUES (10), (50), (20) AS tab(col)", "50"),
        ex("SELECT max(col) FROM VALUES (double('NaN')), (1d), (double('Infinity')) AS tab(col)", "NaN"),
        ex("SELECT max(col) FROM VALUES (array(1, 2)), (array(1, 3)) AS tab(col)", "[1,3]"),
    ],
);

pub(super) fn rows() -> Vec<AggregateFunction> {
    let types = |c: &AggregateCall<'_>| c.arg_types.to_vec();
    let one = Arity::exactly(1);
    vec![
        AggregateFunction {
            duplicate_insensitive: true,
            regrouping: super::Regrouping::Exact,
            ..AggregateFunction::new("min", MIN, one, resolve, types, make::<false>)
        },
        AggregateFunction {
            duplicate_insensitive: true,
            regrouping: super::Regrouping::Exact,
            ..AggregateFunction::new("max", MAX, one, resolve, types, make::<true>)
        },
    ]
}

fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    inputs::ordered(site, 0)?;
    inputs::nullable(inputs::as_given(site), site.arg_type(0).clone())
}

fn make<const MAX: bool>(call: &AggregateCall<'_>) -> Result<Box<dyn GroupsAccumulator>> {
    let data_type = &call.arg_types[0];
    let arrow_type = data_type.to_arrow();
    Ok(match &arrow_type {
        ArrowType::Boolean => booleans::fold(MAX),
        ArrowType::Utf8View | ArrowType::BinaryView => Box::new(Bytes::<MAX> { best: Cells::new(data_type) }),
        ArrowType::Float32 => native::<f32, MAX>(arrow_type),
        ArrowType::Float64 => native::<f64, MAX>(arrow_type),
        other => match other.primitive_width() {
            Some(1) => native::<i8, MAX>(arrow_type),
            Some(2) => native::<i16, MAX>(arrow_type),
            Some(4) => native::<i32, MAX>(arrow_type),
            Some(8) => native::<i64, MAX>(arrow_type),
            Some(16) => native::<i128, MAX>(arrow_type),
            _ => return ByKey::boxed(call, MAX),
        },
    })
}

fn native<N: Ordered, const MAX: bool>(data_type: ArrowType) -> Box<dyn GroupsAccumulator> {
    Box::new(Native::<N, MAX> { best: Vec::new(), seen: Vec::new(), data_type })
}

/// Fixed-width values in Spark's order.
trait Ordered: ArrowNativeType + Send {
    fn less(self, other: Self) -> bool;
}

macro_rules! ordered {
    ($($t:ty: $less:expr;)*) => {
        $(impl Ordered for $t {
            #[inline]
            fn less(self, other: Self) -> bool {
                let less: fn($t, $t) -> bool = $less;
                less(self, other)
            }
        })*
    };
}
ordered! {
    i8: |a, b| a < b;
    i16: |a, b| a < b;
    i32: |a, b| a < b;
    i64: |a, b| a < b;
    i128: |a, b| a < b;
    f32: |a, b| a < b || (b.is_nan() && !a.is_nan());
    f64: |a, b| a < b || (b.is_nan() && !a.is_nan());
}

/// Best values of a fixed width.
struct Native<N, const MAX: bool> {
    best: Vec<N>,
    seen: Vec<bool>,
    data_type: ArrowType,
}

#[inline]
fn better<N: Ordered, const MAX: bool>(a: N, b: N) -> bool {
    if MAX { b.less(a) } else { a.less(b) }
}

impl<N: Ordered, const MAX: bool> GroupsAccumulator for Native<N, MAX> {
    fn update(
        &mut self,
        args: &[ArrayRef],
        groups: &[u32],
        filter: Option<&BooleanArray>,
        num_groups: usize,
    ) -> Result<()> {
        self.best.resize(num_groups, N::default());
        self.seen.resize(num_groups, false);
        let data = args[0].to_data();
        let values: ScalarBuffer<N> = ScalarBuffer::new(data.buffers()[0].clone(), data.offset(), data.len());
        let values = &values[..];
        let mask = counted(args, filter);
        let (best, seen) = (&mut self.best[..], &mut self.seen[..]);
        if num_groups == 1 {
            let first = mask.as_ref().map_or((!values.is_empty()).then_some(0), |m| m.set_indices().next());
            let Some(first) = first else { return Ok(()) };
            let mut champion = if seen[0] { best[0] } else { values[first] };
            each_row(values.len(), mask.as_ref(), |row| {
                champion = if better::<N, MAX>(values[row], champion) { values[row] } else { champion };
            });
            (best[0], seen[0]) = (champion, true);
            return Ok(());
        }
        each(groups, mask.as_ref(), |row, group| {
            if !seen[group] || better::<N, MAX>(values[row], best[group]) {
                best[group] = values[row];
                seen[group] = true;
            }
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
        let (best, seen) = (emit(&mut self.best, to), emit(&mut self.seen, to));
        let data = ArrayData::builder(self.data_type.clone())
            .len(best.len())
            .nulls(nulls_where_not(best.len(), |i| seen[i]))
            .add_buffer(ScalarBuffer::from(best).into_inner())
            .build()?;
        Ok(make_array(data))
    }

    fn size(&self) -> usize {
        self.best.capacity() * size_of::<N>() + self.seen.capacity()
    }
}

/// Best strings or binaries. A group's buffer is used again, so a row allocates only when it needs a longer one.
struct Bytes<const MAX: bool> {
    best: Cells,
}

impl<const MAX: bool> GroupsAccumulator for Bytes<MAX> {
    fn update(
        &mut self,
        args: &[ArrayRef],
        groups: &[u32],
        filter: Option<&BooleanArray>,
        num_groups: usize,
    ) -> Result<()> {
        self.best.grow(num_groups);
        let values = as_bytes(&args[0]);
        let mask = counted(args, filter);
        let wins = |new: &[u8], old: &[u8]| if MAX { new > old } else { new < old };
        if num_groups == 1 {
            let mut champion: Option<usize> = None;
            each_row(values.len(), mask.as_ref(), |row| {
                if champion.is_none_or(|c| wins(values.value(row), values.value(c))) {
                    champion = Some(row);
                }
            });
            if let Some(row) = champion
                && self.best.bytes(0).is_none_or(|old| wins(values.value(row), old))
            {
                self.best.write(&args[0], &[(row as u32, 0)])?;
            }
            return Ok(());
        }
        // Champions of this batch among those that beat what is held; few, once groups have settled.
        let mut winners: Vec<(u32, u32)> = Vec::new();
        each(groups, mask.as_ref(), |row, group| {
            if self.best.bytes(group).is_none_or(|old| wins(values.value(row), old)) {
                winners.push((row as u32, group as u32));
            }
        });
        // The last entry of a group stays: put its champion there.
        winners.sort_unstable_by(|a, b| {
            a.1.cmp(&b.1).then_with(|| {
                let order = values.value(a.0 as usize).cmp(values.value(b.0 as usize));
                if MAX { order } else { order.reverse() }
            })
        });
        self.best.write(&args[0], &winners)
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &[u32], num_groups: usize) -> Result<()> {
        self.update(states, groups, None, num_groups)
    }

    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.evaluate(emit)?])
    }

    fn evaluate(&mut self, to: EmitTo) -> Result<ArrayRef> {
        self.best.emit(to)
    }

    fn size(&self) -> usize {
        self.best.size()
    }
}
