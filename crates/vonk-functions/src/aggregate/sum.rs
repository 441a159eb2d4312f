//! `sum`, `avg` and their `try_` forms.

use super::accumulate::{Accumulate, decimal_overflow};
use super::groups::{counted, each, each_row, emit, nulls_where_not};
use super::inputs;
use super::{AggregateCall, AggregateFunction, EmitTo, GroupsAccumulator};
use crate::describe::{Docs, ex};
use crate::resolve::{Arity, CallSite, Resolution};
use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, Int64Array};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{
    Decimal64Type, Decimal128Type, DurationMicrosecondType, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, IntervalYearMonthType, i256,
};
use std::marker::PhantomData;
use std::sync::Arc;
use vonk_error::{Result, Span};
use vonk_types::DataType;

const SUM: Docs = Docs::aggregate(
    "sum(expr)",
    "Sum of the values that are not null.",
    "1.0.0",
    &[
        ex("SELECT sum(col) FROM VALUES (5), (10), (15) AS tab(col)", "30"),
        ex("SELECT sum(col) FROM VALUES (NULL), (10.5), (15) AS tab(col)", "25.5"),
        ex("SELECT sum(col) FROM VALUES (NULL), (NULL) AS tab(col)", "NULL"),
    ],
);
const TRY_SUM: Docs = Docs::aggregate(
    "try_sum(expr)",
    "Sum of the values that are not null, or null if it overflows.",
    "3.3.0",
    &[
        ex("SELECT try_sum(col) FROM VALUES (5), (10), (15) AS tab(col)", "30"),
        ex("SELECT try_sum(col) FROM VALUES (9223372036854775807L), (1L) AS tab(col)", "NULL"),
    ],
);
const AVG: Docs = Docs::aggregate(
    "avg(expr)",
    "Mean of the values that are not null.",
    "1.0.0",
    &[
        ex("SELECT avg(col) FROM VALUES (1), (2), (3) AS tab(col)", "2.0"),
        ex("SELECT avg(col) FROM VALUES (1.0), (2.0), (NULL), (2.0) AS tab(col)", "1.66667"),
        ex("SELECT avg(col) FROM VALUES (INTERVAL '1' MONTH), (INTERVAL '2' MONTH) AS tab(col)", "0-2"),
    ],
);
const TRY_AVG: Docs = Docs::aggregate(
    "try_avg(expr)",
    "Mean of the values that are not null, or null if their sum overflows.",
    "3.3.0",
    &[ex("SELECT try_avg(col) FROM VALUES (1), (2), (3) AS tab(col)", "2.0")],
);

pub(super) fn rows() -> Vec<AggregateFunction> {
    let one = Arity::exactly(1);
    let regrouping = super::Regrouping::ExactUnlessFloating;
    vec![
        AggregateFunction {
            regrouping,
            ..AggregateFunction::new("sum", SUM, one, resolve_sum, state_types, |c| make(c, Total, false))
        },
        AggregateFunction {
            regrouping,
            ..AggregateFunction::new("try_sum", TRY_SUM, one, resolve_sum, state_types, |c| {
                make(c, Total, true)
            })
        },
        AggregateFunction {
            aliases: &["mean"],
            regrouping,
            ..AggregateFunction::new("avg", AVG, one, resolve_avg, state_types, |c| make(c, Mean, false))
        },
        AggregateFunction {
            regrouping,
            ..AggregateFunction::new("try_avg", TRY_AVG, one, resolve_avg, state_types, |c| {
                make(c, Mean, true)
            })
        },
    ]
}

fn resolve_sum(site: &CallSite<'_>) -> Result<Resolution> {
    let input = inputs::summable(site, 0)?;
    let total = total_type(&input);
    inputs::nullable(vec![input], total)
}

fn resolve_avg(site: &CallSite<'_>) -> Result<Resolution> {
    let input = inputs::summable(site, 0)?;
    let (input, mean) = match input {
        DataType::Decimal(p, s) => {
            let mean = DataType::Decimal((p + 4).min(38), (s + 4).min(38));
            (DataType::Decimal(p, s), mean)
        }
        t @ DataType::YearMonthInterval(..) => (t, DataType::YEAR_MONTH),
        t @ DataType::DayTimeInterval(..) => (t, DataType::DAY_TIME),
        _ => (DataType::Double, DataType::Double),
    };
    inputs::nullable(vec![input], mean)
}

/// The type that sums of `input` have.
fn total_type(input: &DataType) -> DataType {
    match input {
        DataType::Decimal(p, s) => DataType::Decimal((p + 10).min(38), *s),
        t if t.is_integral() => DataType::Long,
        t if t.is_ansi_interval() => t.clone(),
        _ => DataType::Double,
    }
}

/// The sum (null if it overflowed) and how many values went into it.
fn state_types(call: &AggregateCall<'_>) -> Vec<DataType> {
    vec![total_type(&call.arg_types[0]), DataType::Long]
}

/// What becomes of the sum.
#[derive(Clone, Copy, PartialEq)]
enum Goal {
    Total,
    Mean,
}
use Goal::{Mean, Total};

/// What happens when a sum overflows.
#[derive(Clone, Copy, PartialEq)]
enum Overflow {
    Fail,
    Null,
    Wrap,
}

fn make(call: &AggregateCall<'_>, goal: Goal, tolerant: bool) -> Result<Box<dyn GroupsAccumulator>> {
    let input = &call.arg_types[0];
    let overflow = match input {
        _ if tolerant => Overflow::Null,
        t if t.is_ansi_interval() => Overflow::Fail,
        _ if call.ctx.ansi => Overflow::Fail,
        t if t.is_decimal() => Overflow::Null,
        _ => Overflow::Wrap,
    };
    let s = (call, goal, overflow);
    Ok(match input {
        DataType::Byte => sum::<Int8Type, i64>(s),
        DataType::Short => sum::<Int16Type, i64>(s),
        DataType::Int => sum::<Int32Type, i64>(s),
        DataType::Long => sum::<Int64Type, i64>(s),
        DataType::Float => sum::<Float32Type, f64>(s),
        DataType::Double => sum::<Float64Type, f64>(s),
        DataType::YearMonthInterval(..) => sum::<IntervalYearMonthType, i32>(s),
        DataType::DayTimeInterval(..) => sum::<DurationMicrosecondType, i64>(s),
        DataType::Decimal(p, _) if *p <= vonk_types::arrow_types::MAX_DECIMAL64_PRECISION => {
            sum::<Decimal64Type, i128>(s)
        }
        DataType::Decimal(..) => sum::<Decimal128Type, i128>(s),
        other => return vonk_error::internal_err!("sum of {other}"),
    })
}

fn sum<I, A>((call, goal, overflow): (&AggregateCall<'_>, Goal, Overflow)) -> Box<dyn GroupsAccumulator>
where
    I: ArrowPrimitiveType,
    I::Native: Into<A>,
    A: Accumulate,
{
    Box::new(Sum::<I, A> {
        sums: Vec::new(),
        counts: Vec::new(),
        spoilt: Vec::new(),
        goal,
        overflow,
        total_type: total_type(&call.arg_types[0]),
        return_type: call.return_type.clone(),
        span: call.span,
        input: PhantomData,
    })
}

/// Sums of inputs `I` kept in `A`.
struct Sum<I, A> {
    sums: Vec<A>,
    /// Values added, not null; 0 means that the sum is null.
    counts: Vec<i64>,
    /// Groups whose sum overflowed and is null for good. Empty unless overflow means null.
    spoilt: Vec<bool>,
    goal: Goal,
    overflow: Overflow,
    total_type: DataType,
    return_type: DataType,
    span: Span,
    input: PhantomData<fn(I)>,
}

impl<I, A> Sum<I, A>
where
    I: ArrowPrimitiveType,
    I::Native: Into<A>,
    A: Accumulate,
{
    fn grow(&mut self, num_groups: usize) {
        self.sums.resize(num_groups, A::default());
        self.counts.resize(num_groups, 0);
        if self.overflow == Overflow::Null {
            self.spoilt.resize(num_groups, false);
        }
    }

    /// One group: the sum stays in a register.
    fn add_to_one(&mut self, values: &[I::Native], mask: Option<&BooleanBuffer>) -> Result<()> {
        let mut sum = self.sums[0];
        let mut overflowed = None;
        each_row(values.len(), mask, |row| {
            let value = values[row].into();
            let (next, overflow) = sum.plus(value);
            if overflow && overflowed.is_none() {
                overflowed = Some((sum, value));
            }
            sum = next;
        });
        self.sums[0] = sum;
        self.counts[0] += mask.map_or(values.len(), BooleanBuffer::count_set_bits) as i64;
        self.note(overflowed, 0)
    }

    fn add_to_many(
        &mut self,
        values: &[I::Native],
        mask: Option<&BooleanBuffer>,
        groups: &[u32],
    ) -> Result<()> {
        let mut overflowed = None;
        let (sums, counts, spoilt) = (&mut self.sums[..], &mut self.counts[..], &mut self.spoilt[..]);
        each(groups, mask, |row, group| {
            let value = values[row].into();
            let (next, overflow) = sums[group].plus(value);
            if overflow {
                overflowed.get_or_insert((sums[group], value));
                if let Some(s) = spoilt.get_mut(group) {
                    *s = true;
                }
            }
            sums[group] = next;
            counts[group] += 1;
        });
        match overflowed {
            Some((a, b)) if self.overflow == Overflow::Fail => Err(self.failure(a, b)),
            _ => Ok(()),
        }
    }

    fn note(&mut self, overflowed: Option<(A, A)>, group: usize) -> Result<()> {
        match (overflowed, self.overflow) {
            (None, _) | (_, Overflow::Wrap) => Ok(()),
            (Some((a, b)), Overflow::Fail) => Err(self.failure(a, b)),
            (Some(_), Overflow::Null) => {
                self.spoilt[group] = true;
                Ok(())
            }
        }
    }

    /// Spark marks the place for decimals only.
    fn failure(&self, a: A, b: A) -> vonk_error::Error {
        let e = A::overflow(a, b, &self.total_type);
        if self.total_type.is_decimal() { e.at(self.span) } else { e }
    }

    /// Takes groups out: sums with their counts, and whether each has a sum.
    fn take(&mut self, to: EmitTo, check: bool) -> Result<(Vec<A>, Vec<i64>, Vec<bool>)> {
        let (sums, counts) = (emit(&mut self.sums, to), emit(&mut self.counts, to));
        let spoilt = emit(&mut self.spoilt, to);
        let mut valid: Vec<bool> = counts.iter().map(|c| *c != 0).collect();
        for (valid, spoilt) in valid.iter_mut().zip(&spoilt) {
            *valid &= !spoilt;
        }
        if check && self.total_type.is_decimal() {
            for (i, sum) in sums.iter().enumerate() {
                if valid[i] && !sum.fits(&self.total_type) {
                    if self.overflow == Overflow::Fail {
                        return Err(self.failure(*sum, A::default()));
                    }
                    valid[i] = false;
                }
            }
        }
        Ok((sums, counts, valid))
    }

    fn means(&self, sums: Vec<A>, counts: &[i64], mut valid: Vec<bool>) -> Result<ArrayRef> {
        let scale = match self.total_type {
            DataType::Decimal(_, s) => s,
            _ => 0,
        };
        let mut out = Vec::with_capacity(sums.len());
        for (i, sum) in sums.iter().enumerate() {
            if !valid[i] {
                out.push(A::default());
                continue;
            }
            match sum.mean(counts[i], scale, &self.return_type) {
                Some(mean) => out.push(mean),
                None if self.overflow == Overflow::Fail => return Err(self.mean_failure(*sum, scale)),
                None => {
                    valid[i] = false;
                    out.push(A::default());
                }
            }
        }
        A::array(out, nulls_where_not(valid.len(), |i| valid[i]), &self.return_type)
    }

    fn mean_failure(&self, sum: A, scale: i8) -> vonk_error::Error {
        match (&self.return_type, A::array(vec![sum], None, &DataType::Decimal(38, scale))) {
            (DataType::Decimal(p, s), Ok(array)) => {
                let unscaled = array.as_primitive_opt::<Decimal128Type>().map_or(0, |a| a.value(0));
                decimal_overflow(i256::from_i128(unscaled), scale, (*p, *s)).at(self.span)
            }
            _ => self.failure(sum, A::default()),
        }
    }
}

impl<I, A> GroupsAccumulator for Sum<I, A>
where
    I: ArrowPrimitiveType,
    I::Native: Into<A>,
    A: Accumulate,
{
    fn update(
        &mut self,
        args: &[ArrayRef],
        groups: &[u32],
        filter: Option<&BooleanArray>,
        num_groups: usize,
    ) -> Result<()> {
        self.grow(num_groups);
        let values = args[0].as_primitive::<I>().values();
        let mask = counted(args, filter);
        if num_groups == 1 {
            self.add_to_one(values, mask.as_ref())
        } else {
            self.add_to_many(values, mask.as_ref(), groups)
        }
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &[u32], num_groups: usize) -> Result<()> {
        self.grow(num_groups);
        let sums = A::read(&states[0])?;
        let counts = states[1].as_primitive::<Int64Type>().values();
        for (row, group) in groups.iter().enumerate() {
            let group = *group as usize;
            if counts[row] == 0 {
                continue;
            }
            self.counts[group] += counts[row];
            if states[0].is_null(row) {
                if self.overflow == Overflow::Null {
                    self.spoilt[group] = true;
                }
                continue;
            }
            let (next, overflow) = self.sums[group].plus(sums[row]);
            if overflow {
                self.note(Some((self.sums[group], sums[row])), group)?;
            }
            self.sums[group] = next;
        }
        Ok(())
    }

    fn state(&mut self, to: EmitTo) -> Result<Vec<ArrayRef>> {
        let (sums, counts, valid) = self.take(to, true)?;
        let nulls = nulls_where_not(valid.len(), |i| valid[i]);
        Ok(vec![A::array(sums, nulls, &self.total_type)?, Arc::new(Int64Array::from(counts))])
    }

    fn evaluate(&mut self, to: EmitTo) -> Result<ArrayRef> {
        let (sums, counts, valid) = self.take(to, self.goal == Total)?;
        match self.goal {
            Total => A::array(sums, nulls_where_not(valid.len(), |i| valid[i]), &self.return_type),
            Mean => self.means(sums, &counts, valid),
        }
    }

    fn retract(&mut self, args: &[ArrayRef], _groups: &[u32]) -> Result<()> {
        let values = args[0].as_primitive::<I>().values();
        let mask = counted(args, None);
        let mut sum = self.sums[0];
        let mut overflowed = None;
        each_row(values.len(), mask.as_ref(), |row| {
            let (next, overflow) = sum.minus(values[row].into());
            if overflow {
                overflowed.get_or_insert((sum, values[row].into()));
            }
            sum = next;
        });
        self.counts[0] -= mask.map_or(values.len(), |m| m.count_set_bits()) as i64;
        // An empty frame begins anew.
        self.sums[0] = if self.counts[0] == 0 { A::default() } else { sum };
        self.note(overflowed, 0)
    }

    fn supports_retract(&self) -> bool {
        // Doubles would keep the rounding of rows long gone; a sum that overflowed could not come back.
        self.total_type != DataType::Double && self.overflow != Overflow::Null
    }

    fn size(&self) -> usize {
        self.sums.capacity() * size_of::<A>() + self.counts.capacity() * 8 + self.spoilt.capacity()
    }
}
