//! `percentile`, `median`, `percentile_cont`, `percentile_disc` and `percentile_approx`: all from the sorted values of a group.
//!
//! `percentile_approx` answers exactly: the value at the rank asked for, which is within any accuracy. Spark's sketch gives
//! the same while a group is smaller than the accuracy.
//!
//! `percentile_cont(p) WITHIN GROUP (ORDER BY x [DESC])` comes as `percentile_cont(x, p[, descending])`.

use super::collect::{Collect, list_array, state_types};
use super::inputs;
use super::{AggregateCall, AggregateFunction, GroupsAccumulator, WithinGroup};
use crate::describe::{Docs, ex};
use crate::normalize::normalize_floats;
use crate::resolve::{Arg, Arity, CallSite, Resolution};
use crate::scalar::Display;
use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, StructArray, UInt32Array};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::{cast, sort_to_indices, take};
use arrow::datatypes::{
    DataType as ArrowType, Decimal64Type, Decimal128Type, DurationMicrosecondType, Field, Fields,
    Float64Type, Int32Type, Int64Type, IntervalYearMonthType,
};
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_types::{DataType, Literal, StructField, StructType};

const PERCENTILE: Docs = Docs::aggregate(
    "percentile(expr, percentage[, frequency])",
    "Exact percentile, interpolated; an array of percentages gives an array.",
    "2.1.0",
    &[
        ex("SELECT percentile(col, 0.3) FROM VALUES (0), (10) AS tab(col)", "3.0"),
        ex("SELECT percentile(col, array(0.25, 0.75)) FROM VALUES (0), (10) AS tab(col)", "[2.5,7.5]"),
        ex("SELECT percentile(col, 0.5, freq) FROM VALUES (0, 3), (10, 1) AS tab(col, freq)", "0.0"),
    ],
);
const MEDIAN: Docs = Docs::aggregate(
    "median(expr)",
    "The middle value, interpolated.",
    "3.4.0",
    &[
        ex("SELECT median(col) FROM VALUES (0), (10) AS tab(col)", "5.0"),
        ex("SELECT median(col) FROM VALUES (INTERVAL '0' MONTH), (INTERVAL '10' MONTH) AS tab(col)", "0-5"),
    ],
);
const CONT: Docs = Docs::aggregate(
    "percentile_cont(percentage) WITHIN GROUP (ORDER BY expr)",
    "Percentile of a continuous distribution: interpolated.",
    "4.0.0",
    &[ex(
        "SELECT percentile_cont(0.25) WITHIN GROUP (ORDER BY col) FROM VALUES (0), (10) AS tab(col)",
        "2.5",
    )],
);
const DISC: Docs = Docs::aggregate(
    "percentile_disc(percentage) WITHIN GROUP (ORDER BY expr)",
    "Percentile of a discrete distribution: a value of the group.",
    "4.0.0",
    &[ex(
        "SELECT percentile_disc(0.25) WITHIN GROUP (ORDER BY col) FROM VALUES (0), (10) AS tab(col)",
        "0.0",
    )],
);
const APPROX: Docs = Docs::aggregate(
    "percentile_approx(expr, percentage[, accuracy])",
    "The least value that no less than a percentage of the values are at or below.",
    "2.1.0",
    &[
        ex(
            "SELECT percentile_approx(col, array(0.5, 0.4, 0.1), 100) FROM VALUES (0), (1), (2), (10) AS tab(col)",
            "[1,1,0]",
        ),
        ex("SELECT approx_percentile(col, 0.5) FROM VALUES (0), (6), (7), (9), (10) AS tab(col)", "7"),
    ],
);

pub(super) fn rows() -> Vec<AggregateFunction> {
    vec![
        AggregateFunction {
            display: Display::Custom(|name, args| with_default(name, args, "1")),
            ..AggregateFunction::new(
                "percentile",
                PERCENTILE,
                Arity::between(2, 3),
                resolve_percentile,
                percentile_state,
                percentile,
            )
        },
        AggregateFunction::new("median", MEDIAN, Arity::exactly(1), resolve_median, state_types, |c| {
            interpolated(c, Asked { percentages: vec![Some(0.5)], array: false })
        }),
        AggregateFunction {
            within_group: WithinGroup::Input,
            ..AggregateFunction::new(
                "percentile_cont",
                CONT,
                Arity::between(2, 3),
                resolve_percentile,
                state_types,
                percentile_cont,
            )
        },
        AggregateFunction {
            within_group: WithinGroup::Input,
            ..AggregateFunction::new(
                "percentile_disc",
                DISC,
                Arity::between(2, 3),
                resolve_percentile,
                state_types,
                percentile_disc,
            )
        },
        AggregateFunction {
            aliases: &["approx_percentile"],
            display: Display::Custom(|name, args| with_default(name, args, "10000")),
            ..AggregateFunction::new(
                "percentile_approx",
                APPROX,
                Arity::between(2, 3),
                resolve_approx,
                state_types,
                percentile_approx,
            )
        },
    ]
}

fn with_default(name: &str, args: &[String], third: &str) -> String {
    let mut args = args.to_vec();
    if args.len() == 2 {
        args.push(third.to_string());
    }
    format!("{name}({})", args.join(", "))
}

/// Doubles, or intervals as they are.
fn interpolable(site: &CallSite<'_>) -> Result<(DataType, DataType)> {
    Ok(match site.arg_type(0) {
        t @ DataType::YearMonthInterval(..) => (t.clone(), DataType::YEAR_MONTH),
        t @ DataType::DayTimeInterval(..) => (t.clone(), DataType::DAY_TIME),
        t if t.is_numeric() => (DataType::Double, DataType::Double),
        DataType::String | DataType::Null => (DataType::Double, DataType::Double),
        // In ANSI mode Spark tries its type of times of day first.
        t if t.is_datetime() && site.ctx.ansi => {
            return Err(Error::new("UNSUPPORTED_TIME_TYPE").at(site.span));
        }
        _ => {
            let required = "(\"NUMERIC\" or \"INTERVAL DAY TO SECOND\" or \"INTERVAL YEAR TO MONTH\")";
            return Err(site.unexpected_type(0, required));
        }
    })
}

fn resolve_median(site: &CallSite<'_>) -> Result<Resolution> {
    let (input, output) = interpolable(site)?;
    inputs::nullable(vec![input], output)
}

fn resolve_percentile(site: &CallSite<'_>) -> Result<Resolution> {
    let (input, output) = interpolable(site)?;
    let (percentage, array) = percentage_type(site)?;
    let mut arg_types = vec![input, percentage];
    if let Some(third) = site.args.get(2) {
        arg_types.push(match &third.data_type {
            t if t.is_integral() => DataType::Long,
            DataType::Boolean => DataType::Boolean,
            _ => return Err(site.unexpected_type(2, "\"INTEGRAL\"")),
        });
    }
    inputs::nullable(arg_types, if array { DataType::array(output, false) } else { output })
}

fn resolve_approx(site: &CallSite<'_>) -> Result<Resolution> {
    let input = match site.arg_type(0) {
        DataType::String | DataType::Null => DataType::Double,
        t if t.is_numeric() || t.is_ansi_interval() => t.clone(),
        t @ (DataType::Date | DataType::Timestamp | DataType::TimestampNtz) => t.clone(),
        _ => {
            let required = "(\"NUMERIC\" or \"DATE\" or \"TIMESTAMP\" or \"TIMESTAMP_NTZ\" or \"INTERVAL YEAR TO MONTH\" or \"INTERVAL DAY TO SECOND\" or \"TIME\")";
            return Err(site.unexpected_type(0, required));
        }
    };
    let (percentage, array) = percentage_type(site)?;
    let mut arg_types = vec![input.clone(), percentage];
    if let Some(accuracy) = site.args.get(2) {
        if !accuracy.data_type.is_integral() {
            return Err(site.unexpected_type(2, "\"INTEGRAL\""));
        }
        let Some(value) = &accuracy.literal else {
            return Err(inputs::not_foldable(site, 2, "accuracy", "BIGINT"));
        };
        let value = numbers(value).first().copied().flatten().unwrap_or_default();
        if !(1.0..=2_147_483_647.0).contains(&value) {
            return Err(inputs::out_of_range(site, "accuracy", "(0, 2147483647]", format!("{value}L")));
        }
        arg_types.push(DataType::Long);
    }
    inputs::nullable(arg_types, if array { DataType::array(input, false) } else { input })
}

/// The type of the percentage, and whether it is an array; Spark's errors unless it is constant and between 0 and 1.
fn percentage_type(site: &CallSite<'_>) -> Result<(DataType, bool)> {
    let arg: &Arg = &site.args[1];
    let (required, array) = match &arg.data_type {
        DataType::Array(..) => ("ARRAY<DOUBLE>", true),
        t if t.is_numeric() || matches!(t, DataType::String | DataType::Null) => ("DOUBLE", false),
        _ => return Err(site.unexpected_type(1, "(\"DOUBLE\" or \"ARRAY<DOUBLE>\")")),
    };
    let Some(value) = &arg.literal else {
        return Err(inputs::not_foldable(site, 1, "percentage", required));
    };
    if value.is_null() {
        return Err(Error::new("DATATYPE_MISMATCH.UNEXPECTED_NULL")
            .with("exprName", "percentage")
            .at(site.span));
    }
    for p in numbers(value).into_iter().flatten() {
        if !(0.0..=1.0).contains(&p) {
            return Err(inputs::out_of_range(site, "percentage", "[0.0, 1.0]", format!("{p:?}D")));
        }
    }
    let t = if array { DataType::array(DataType::Double, false) } else { DataType::Double };
    Ok((t, array))
}

/// A constant number, or the numbers of a constant array.
fn numbers(l: &Literal) -> Vec<Option<f64>> {
    let Ok(array) = l.to_array(1) else { return Vec::new() };
    let values = match array.as_list_opt::<i32>() {
        Some(lists) if lists.is_null(0) => return vec![None],
        Some(lists) => lists.value(0),
        None => array,
    };
    // Arrow's casts between numbers are enough here; text was refused or cast before.
    match values.data_type() {
        ArrowType::Decimal64(_, s) => {
            let unit = 10f64.powi(i32::from(*s));
            values.as_primitive::<Decimal64Type>().iter().map(|v| v.map(|v| v as f64 / unit)).collect()
        }
        ArrowType::Decimal128(_, s) => {
            let unit = 10f64.powi(i32::from(*s));
            values.as_primitive::<Decimal128Type>().iter().map(|v| v.map(|v| v as f64 / unit)).collect()
        }
        _ => match cast(&values, &ArrowType::Float64) {
            Ok(doubles) => doubles.as_primitive::<Float64Type>().iter().collect(),
            Err(_) => Vec::new(),
        },
    }
}

/// What a call asks for.
struct Asked {
    percentages: Vec<Option<f64>>,
    array: bool,
}

fn asked(call: &AggregateCall<'_>) -> Result<Asked> {
    let Some(Some(literal)) = call.constants.get(1) else {
        return vonk_error::internal_err!("a percentage that is not constant");
    };
    let array = matches!(literal.data_type, DataType::Array(..));
    Ok(Asked { percentages: numbers(literal), array })
}

fn descending(call: &AggregateCall<'_>) -> bool {
    call.constants.get(2).and_then(|l| l.as_ref()).and_then(Literal::as_bool).unwrap_or(false)
}

/// With a frequency the state is an array of structs of value and frequency.
fn percentile_state(call: &AggregateCall<'_>) -> Vec<DataType> {
    vec![DataType::array(collected_type(call), false)]
}

fn collected_type(call: &AggregateCall<'_>) -> DataType {
    if call.arg_types.len() < 3 {
        return call.arg_types[0].clone();
    }
    DataType::Struct(StructType::new(vec![
        StructField::new("value", call.arg_types[0].clone(), true),
        StructField::new("frequency", DataType::Long, true),
    ]))
}

fn percentile(call: &AggregateCall<'_>) -> Result<Box<dyn GroupsAccumulator>> {
    let asked = asked(call)?;
    if call.arg_types.len() < 3 {
        return interpolated(call, asked);
    }
    let return_type = call.return_type.clone();
    let finish = move |offsets: &[i32], values: ArrayRef| {
        let pairs = values.as_struct();
        let (numbers, frequencies) = (doubles(pairs.column(0)), pairs.column(1).as_primitive::<Int64Type>());
        finish_groups(offsets, &asked, &return_type, |rows, percentages, out| {
            let mut counted: Vec<(f64, i64)> =
                rows.map(|row| (numbers[row], frequencies.value(row))).filter(|(_, n)| *n > 0).collect();
            counted.sort_by(|a, b| a.0.total_cmp(&b.0));
            let total: i64 = counted.iter().map(|(_, n)| n).sum();
            let at = |rank: i64| {
                let mut seen = 0;
                counted
                    .iter()
                    .find(|(_, n)| {
                        seen += n;
                        rank < seen
                    })
                    .map_or(0.0, |(v, _)| *v)
            };
            total > 0 && {
                interpolate(percentages, total, at, out);
                true
            }
        })
    };
    let inner = Collect::boxed(&collected_type(call), None, Box::new(finish))?;
    Ok(Box::new(WithFrequency { inner, data_type: collected_type(call) }))
}

fn percentile_cont(call: &AggregateCall<'_>) -> Result<Box<dyn GroupsAccumulator>> {
    let mut asked = asked(call)?;
    if descending(call) {
        for p in asked.percentages.iter_mut().flatten() {
            *p = 1.0 - *p;
        }
    }
    interpolated(call, asked)
}

fn interpolated(call: &AggregateCall<'_>, asked: Asked) -> Result<Box<dyn GroupsAccumulator>> {
    let return_type = call.return_type.clone();
    let finish = move |offsets: &[i32], values: ArrayRef| {
        let numbers = doubles(&values);
        finish_groups(offsets, &asked, &return_type, |rows, percentages, out| {
            let mut sorted: Vec<f64> = rows.map(|row| numbers[row]).collect();
            sorted.sort_by(f64::total_cmp);
            interpolate(percentages, sorted.len() as i64, |rank| sorted[rank as usize], out);
            !sorted.is_empty()
        })
    };
    Collect::boxed(&call.arg_types[0], None, Box::new(finish))
}

fn percentile_disc(call: &AggregateCall<'_>) -> Result<Box<dyn GroupsAccumulator>> {
    let (asked, return_type, descending) = (asked(call)?, call.return_type.clone(), descending(call));
    let finish = move |offsets: &[i32], values: ArrayRef| {
        let numbers = doubles(&values);
        finish_groups(offsets, &asked, &return_type, |rows, percentages, out| {
            let mut sorted: Vec<f64> = rows.map(|row| numbers[row]).collect();
            sorted.sort_by(f64::total_cmp);
            if descending {
                sorted.reverse();
            }
            out.extend(percentages.iter().map(|p| p.map(|p| sorted[rank_of(p, sorted.len())])));
            true
        })
    };
    Collect::boxed(&call.arg_types[0], None, Box::new(finish))
}

/// Index of the first of `n` values at or below which there are at least the share `p` of them.
fn rank_of(p: f64, n: usize) -> usize {
    ((p * n as f64).ceil() as usize).saturating_sub(1).min(n.saturating_sub(1))
}

/// Values between the two nearest ranks.
fn interpolate(percentages: &[Option<f64>], n: i64, at: impl Fn(i64) -> f64, out: &mut Vec<Option<f64>>) {
    for p in percentages {
        out.push(p.filter(|_| n > 0).map(|p| {
            let position = (n - 1) as f64 * p;
            let (lower, higher) = (position.floor(), position.ceil());
            let (a, b) = (at(lower as i64), at(higher as i64));
            if lower == higher || a == b { a } else { (higher - position) * a + (position - lower) * b }
        }));
    }
}

/// Values as doubles: months and microseconds of intervals as numbers.
fn doubles(values: &ArrayRef) -> Vec<f64> {
    match values.data_type() {
        ArrowType::Float64 => {
            let f = |x: &f64| if x.is_nan() { f64::NAN } else { x + 0.0 };
            values.as_primitive::<Float64Type>().values().iter().map(f).collect()
        }
        ArrowType::Duration(_) => {
            let micros = values.as_primitive::<DurationMicrosecondType>().values();
            micros.iter().map(|v| *v as f64).collect()
        }
        _ => {
            let months = values.as_primitive::<IntervalYearMonthType>().values();
            months.iter().map(|v| f64::from(*v)).collect()
        }
    }
}

/// Runs `group` over the rows of each group that has any; it appends one answer per percentage, or says there is none.
fn finish_groups(
    offsets: &[i32],
    asked: &Asked,
    return_type: &DataType,
    group: impl Fn(std::ops::Range<usize>, &[Option<f64>], &mut Vec<Option<f64>>) -> bool,
) -> Result<ArrayRef> {
    let mut answers: Vec<Option<f64>> = Vec::new();
    let mut present = Vec::with_capacity(offsets.len());
    for pair in offsets.windows(2) {
        let rows = pair[0] as usize..pair[1] as usize;
        let before = answers.len();
        let some = !rows.is_empty()
            && !asked.percentages.is_empty()
            && group(rows, &asked.percentages, &mut answers);
        if !some {
            answers.truncate(before);
            answers.extend(std::iter::repeat_n(None, asked.percentages.len()));
        }
        present.push(some);
    }
    let element = match return_type {
        DataType::Array(e, _) => e,
        t => t,
    };
    shaped(numbers_as(answers, element)?, asked, present)
}

/// Answers as an array, or as arrays of one per percentage.
fn shaped(answers: ArrayRef, asked: &Asked, present: Vec<bool>) -> Result<ArrayRef> {
    if !asked.array {
        return Ok(answers);
    }
    let n = asked.percentages.len() as i32;
    let lists = list_array((0..=present.len() as i32).map(|i| i * n).collect(), answers)?;
    let nulls = NullBuffer::new(BooleanBuffer::from(present));
    Ok(arrow::array::make_array(lists.to_data().into_builder().nulls(Some(nulls)).build()?))
}

fn numbers_as(answers: Vec<Option<f64>>, t: &DataType) -> Result<ArrayRef> {
    Ok(match t {
        DataType::YearMonthInterval(..) => {
            let months = arrow::array::PrimitiveArray::<Int32Type>::from_iter(
                answers.iter().map(|a| a.map(|x| x as i32)),
            );
            Arc::new(months.reinterpret_cast::<IntervalYearMonthType>())
        }
        DataType::DayTimeInterval(..) => {
            let micros = Int64Array::from_iter(answers.iter().map(|a| a.map(|x| x as i64)));
            Arc::new(micros.reinterpret_cast::<DurationMicrosecondType>())
        }
        _ => Arc::new(Float64Array::from_iter(answers)),
    })
}

fn percentile_approx(call: &AggregateCall<'_>) -> Result<Box<dyn GroupsAccumulator>> {
    let asked = asked(call)?;
    let finish = move |offsets: &[i32], values: ArrayRef| {
        let keys = normalize_floats(&values)?;
        let mut winners: Vec<Option<u32>> = Vec::new();
        let mut present = Vec::with_capacity(offsets.len());
        for pair in offsets.windows(2) {
            let (start, n) = (pair[0] as usize, (pair[1] - pair[0]) as usize);
            present.push(n > 0 && !asked.percentages.is_empty());
            let order = sort_to_indices(&keys.slice(start, n), None, None)?;
            let pick =
                |p: &Option<f64>| p.filter(|_| n > 0).map(|p| start as u32 + order.value(rank_of(p, n)));
            winners.extend(asked.percentages.iter().map(pick));
        }
        shaped(take(&values, &UInt32Array::from(winners), None)?, &asked, present)
    };
    Collect::boxed(&call.arg_types[0], None, Box::new(finish))
}

/// Collects values together with their frequencies.
struct WithFrequency {
    inner: Box<dyn GroupsAccumulator>,
    data_type: DataType,
}

impl WithFrequency {
    fn pair(&self, args: &[ArrayRef]) -> Result<ArrayRef> {
        let ArrowType::Struct(fields) = self.data_type.to_arrow() else {
            return vonk_error::internal_err!("values and frequencies of type {}", self.data_type);
        };
        let frequencies = args[1 + 1].as_primitive::<Int64Type>();
        if let Some(negative) = frequencies.iter().flatten().find(|n| *n < 0) {
            return Err(Error::new("NEGATIVE_VALUES_IN_FREQUENCY_EXPRESSION")
                .with("frequencyExpression", format!("\"{negative}\""))
                .with("negativeValue", format!("{negative}L")));
        }
        let fields: Fields = fields.iter().map(|f| Field::clone(f)).collect();
        // A pair with a null in it does not count.
        let nulls = NullBuffer::union(args[0].logical_nulls().as_ref(), args[2].logical_nulls().as_ref());
        Ok(Arc::new(StructArray::try_new(fields, vec![args[0].clone(), args[2].clone()], nulls)?))
    }
}

impl GroupsAccumulator for WithFrequency {
    fn update(
        &mut self,
        args: &[ArrayRef],
        groups: &[u32],
        filter: Option<&arrow::array::BooleanArray>,
        num_groups: usize,
    ) -> Result<()> {
        let pair = self.pair(args)?;
        self.inner.update(&[pair], groups, filter, num_groups)
    }
    fn merge(&mut self, states: &[ArrayRef], groups: &[u32], num_groups: usize) -> Result<()> {
        self.inner.merge(states, groups, num_groups)
    }
    fn state(&mut self, emit: super::EmitTo) -> Result<Vec<ArrayRef>> {
        self.inner.state(emit)
    }
    fn evaluate(&mut self, emit: super::EmitTo) -> Result<ArrayRef> {
        self.inner.evaluate(emit)
    }
    fn size(&self) -> usize {
        self.inner.size()
    }
}
