//! Variance, standard deviation, skewness and kurtosis: central moments, updated in one pass.

use super::groups::{counted, each, emit, nulls_where_not};
use super::inputs;
use super::{AggregateCall, AggregateFunction, EmitTo, GroupsAccumulator};
use crate::describe::{Docs, ex};
use crate::resolve::{Arity, CallSite, Resolution};
use arrow::array::{ArrayRef, AsArray, BooleanArray, Float64Array};
use arrow::datatypes::Float64Type;
use std::sync::Arc;
use vonk_error::Result;
use vonk_types::DataType;

macro_rules! docs {
    ($name:literal, $summary:literal, $since:literal, $sql:literal, $rows:literal) => {
        Docs::aggregate(concat!($name, "(expr)"), $summary, $since, &[ex($sql, $rows)])
    };
}

const STDDEV: Docs = docs!(
    "stddev_samp",
    "Standard deviation of a sample.",
    "1.6.0",
    "SELECT stddev_samp(col), stddev(col), std(col) FROM VALUES (1), (2), (3) AS tab(col)",
    "1.0\t1.0\t1.0"
);
const STDDEV_POP: Docs = docs!(
    "stddev_pop",
    "Standard deviation of a population.",
    "1.6.0",
    "SELECT stddev_pop(col) FROM VALUES (1), (2), (3) AS tab(col)",
    "0.816496580927726"
);
const VARIANCE: Docs = docs!(
    "var_samp",
    "Variance of a sample.",
    "1.6.0",
    "SELECT var_samp(col), variance(col) FROM VALUES (1), (2), (3) AS tab(col)",
    "1.0\t1.0"
);
const VAR_POP: Docs = docs!(
    "var_pop",
    "Variance of a population.",
    "1.6.0",
    "SELECT var_pop(col) FROM VALUES (1), (2), (3) AS tab(col)",
    "0.6666666666666666"
);
const SKEWNESS: Docs = docs!(
    "skewness",
    "Third standardised moment.",
    "1.6.0",
    "SELECT skewness(col) FROM VALUES (-10), (-20), (100), (1000) AS tab(col)",
    "1.1135657469022011"
);
const KURTOSIS: Docs = docs!(
    "kurtosis",
    "Fourth standardised moment less 3.",
    "1.6.0",
    "SELECT kurtosis(col) FROM VALUES (-10), (-20), (100), (1000) AS tab(col)",
    "-0.7014368047529627"
);

pub(super) fn rows() -> Vec<AggregateFunction> {
    let one = Arity::exactly(1);
    let row = |name, docs, aliases, types, make| AggregateFunction {
        aliases,
        ..AggregateFunction::new(name, docs, one, resolve, types, make)
    };
    let two: fn(&AggregateCall<'_>) -> Vec<DataType> = |_| vec![DataType::Double; 3];
    let three: fn(&AggregateCall<'_>) -> Vec<DataType> = |_| vec![DataType::Double; 4];
    let four: fn(&AggregateCall<'_>) -> Vec<DataType> = |_| vec![DataType::Double; 5];
    vec![
        row("stddev_samp", STDDEV, &["stddev", "std"], two, |_| Ok(Moments::boxed(2, stddev_samp))),
        row("stddev_pop", STDDEV_POP, &[], two, |_| Ok(Moments::boxed(2, stddev_pop))),
        row("var_samp", VARIANCE, &["variance"], two, |_| Ok(Moments::boxed(2, var_samp))),
        row("var_pop", VAR_POP, &[], two, |_| Ok(Moments::boxed(2, var_pop))),
        row("skewness", SKEWNESS, &[], three, |_| Ok(Moments::boxed(3, skewness))),
        row("kurtosis", KURTOSIS, &[], four, |_| Ok(Moments::boxed(4, kurtosis))),
    ]
}

fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    inputs::nullable(vec![inputs::double(site, 0)?], DataType::Double)
}

/// Count, mean and the sums of the 2nd to 4th powers of the distances from the mean.
#[derive(Clone, Copy, Default)]
struct Moment {
    n: f64,
    mean: f64,
    m2: f64,
    m3: f64,
    m4: f64,
}

type Finish = fn(&Moment) -> Option<f64>;

fn var_pop(m: &Moment) -> Option<f64> {
    (m.n > 0.0).then(|| m.m2 / m.n)
}
fn var_samp(m: &Moment) -> Option<f64> {
    (m.n > 1.0).then(|| m.m2 / (m.n - 1.0))
}
fn stddev_pop(m: &Moment) -> Option<f64> {
    var_pop(m).map(f64::sqrt)
}
fn stddev_samp(m: &Moment) -> Option<f64> {
    var_samp(m).map(f64::sqrt)
}
fn skewness(m: &Moment) -> Option<f64> {
    (m.n > 0.0 && m.m2 != 0.0).then(|| m.n.sqrt() * m.m3 / (m.m2 * m.m2 * m.m2).sqrt())
}
fn kurtosis(m: &Moment) -> Option<f64> {
    (m.n > 0.0 && m.m2 != 0.0).then(|| m.n * m.m4 / (m.m2 * m.m2) - 3.0)
}

impl Moment {
    /// One more value (Welford; Pébay for the higher moments).
    #[inline]
    fn add<const ORDER: u8>(&mut self, x: f64) {
        let n = self.n + 1.0;
        let delta = x - self.mean;
        let delta_n = delta / n;
        self.n = n;
        self.mean += delta_n;
        self.m2 += delta * (delta - delta_n);
        if ORDER >= 3 {
            let (delta2, delta_n2) = (delta * delta, delta_n * delta_n);
            self.m3 = self.m3 - 3.0 * delta_n * self.m2 + delta * (delta2 - delta_n2);
            if ORDER >= 4 {
                self.m4 = self.m4 - 4.0 * delta_n * self.m3 - 6.0 * delta_n2 * self.m2
                    + delta * (delta * delta2 - delta_n * delta_n2);
            }
        }
    }

    /// Two sets become one.
    fn join(&self, o: &Moment) -> Moment {
        let (n1, n2) = (self.n, o.n);
        let n = n1 + n2;
        if n2 == 0.0 {
            return *self;
        }
        let delta = o.mean - self.mean;
        let d = delta / n;
        Moment {
            n,
            mean: self.mean + d * n2,
            m2: self.m2 + o.m2 + delta * d * n1 * n2,
            m3: self.m3 + o.m3 + d * d * delta * n1 * n2 * (n1 - n2) + 3.0 * d * (n1 * o.m2 - n2 * self.m2),
            m4: self.m4
                + o.m4
                + d * d * d * delta * n1 * n2 * (n1 * n1 - n1 * n2 + n2 * n2)
                + 6.0 * d * d * (n1 * n1 * o.m2 + n2 * n2 * self.m2)
                + 4.0 * d * (n1 * o.m3 - n2 * self.m3),
        }
    }
}

struct Moments {
    order: u8,
    finish: Finish,
    moments: Vec<Moment>,
}

impl Moments {
    fn boxed(order: u8, finish: Finish) -> Box<dyn GroupsAccumulator> {
        Box::new(Moments { order, finish, moments: Vec::new() })
    }
}

impl GroupsAccumulator for Moments {
    fn update(
        &mut self,
        args: &[ArrayRef],
        groups: &[u32],
        filter: Option<&BooleanArray>,
        num_groups: usize,
    ) -> Result<()> {
        self.moments.resize(num_groups, Moment::default());
        let values = args[0].as_primitive::<Float64Type>().values();
        let mask = counted(args, filter);
        let moments = &mut self.moments[..];
        match self.order {
            2 => each(groups, mask.as_ref(), |row, group| moments[group].add::<2>(values[row])),
            3 => each(groups, mask.as_ref(), |row, group| moments[group].add::<3>(values[row])),
            _ => each(groups, mask.as_ref(), |row, group| moments[group].add::<4>(values[row])),
        }
        Ok(())
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &[u32], num_groups: usize) -> Result<()> {
        self.moments.resize(num_groups, Moment::default());
        let column = |i: usize| states.get(i).map(|s| s.as_primitive::<Float64Type>().values());
        let at = |i: usize, row: usize| column(i).map_or(0.0, |c| c[row]);
        for (row, group) in groups.iter().enumerate() {
            let [n, mean, m2, m3, m4] = [at(0, row), at(1, row), at(2, row), at(3, row), at(4, row)];
            let moment = &mut self.moments[*group as usize];
            *moment = moment.join(&Moment { n, mean, m2, m3, m4 });
        }
        Ok(())
    }

    fn state(&mut self, to: EmitTo) -> Result<Vec<ArrayRef>> {
        let moments = emit(&mut self.moments, to);
        let parts: [fn(&Moment) -> f64; 5] = [|m| m.n, |m| m.mean, |m| m.m2, |m| m.m3, |m| m.m4];
        let column = |f: &fn(&Moment) -> f64| -> ArrayRef {
            Arc::new(Float64Array::from_iter_values(moments.iter().map(f)))
        };
        Ok(parts[..=usize::from(self.order)].iter().map(column).collect())
    }

    fn evaluate(&mut self, to: EmitTo) -> Result<ArrayRef> {
        let results: Vec<Option<f64>> = emit(&mut self.moments, to).iter().map(self.finish).collect();
        let nulls = nulls_where_not(results.len(), |i| results[i].is_some());
        let values: Vec<f64> = results.iter().map(|r| r.unwrap_or_default()).collect();
        let out = Float64Array::new(values.into(), nulls);
        Ok(Arc::new(out))
    }

    fn size(&self) -> usize {
        self.moments.capacity() * size_of::<Moment>()
    }
}
