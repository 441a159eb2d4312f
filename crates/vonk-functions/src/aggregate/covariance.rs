//! Covariance, correlation and linear regression: moments of pairs, updated in one pass.

use super::groups::{counted, each, emit};
use super::inputs;
use super::{AggregateCall, AggregateFunction, EmitTo, GroupsAccumulator};
use crate::describe::{Docs, ex};
use crate::resolve::{Arity, CallSite, Resolution};
use arrow::array::{ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array};
use arrow::datatypes::Float64Type;
use std::sync::Arc;
use vonk_error::Result;
use vonk_types::{DataType, Literal};

macro_rules! docs {
    ($name:literal, $args:literal, $summary:literal, $since:literal, $sql:literal, $rows:literal) => {{
        const DOCS: Docs = Docs::aggregate(concat!($name, $args), $summary, $since, &[ex($sql, $rows)]);
        DOCS
    }};
}

pub(super) fn rows() -> Vec<AggregateFunction> {
    let row =
        |name, docs, make| AggregateFunction::new(name, docs, Arity::exactly(2), resolve, state_types, make);
    vec![
        row(
            "covar_pop",
            docs!(
                "covar_pop",
                "(x, y)",
                "Covariance of a population.",
                "2.0.0",
                "SELECT covar_pop(c1, c2) FROM VALUES (1, 1), (2, 2), (3, 3) AS tab(c1, c2)",
                "0.6666666666666666"
            ),
            |_| Ok(Pairs::boxed(false, |p| (p.n > 0.0).then(|| p.ck / p.n))),
        ),
        row(
            "covar_samp",
            docs!(
                "covar_samp",
                "(x, y)",
                "Covariance of a sample.",
                "2.0.0",
                "SELECT covar_samp(c1, c2) FROM VALUES (1, 1), (2, 2), (3, 3) AS tab(c1, c2)",
                "1.0"
            ),
            |_| Ok(Pairs::boxed(false, |p| (p.n > 1.0).then(|| p.ck / (p.n - 1.0)))),
        ),
        row(
            "corr",
            docs!(
                "corr",
                "(x, y)",
                "Pearson's coefficient of correlation.",
                "1.6.0",
                "SELECT corr(c1, c2) FROM VALUES (3, 2), (3, 3), (6, 4) AS tab(c1, c2)",
                "0.8660254037844387"
            ),
            |_| Ok(Pairs::boxed(false, correlation)),
        ),
        row(
            "regr_avgx",
            docs!(
                "regr_avgx",
                "(y, x)",
                "Mean of x over pairs without nulls.",
                "3.3.0",
                "SELECT regr_avgx(y, x) FROM VALUES (1, 2), (2, NULL), (2, 3), (2, 4) AS tab(y, x)",
                "3.0"
            ),
            |_| Ok(Pairs::boxed(true, |p| (p.n > 0.0).then(|| p.x_sum / p.n))),
        ),
        row(
            "regr_avgy",
            docs!(
                "regr_avgy",
                "(y, x)",
                "Mean of y over pairs without nulls.",
                "3.3.0",
                "SELECT regr_avgy(y, x) FROM VALUES (1, 2), (2, NULL), (2, 3), (2, 4) AS tab(y, x)",
                "1.6666666666666667"
            ),
            |_| Ok(Pairs::boxed(true, |p| (p.n > 0.0).then(|| p.y_sum / p.n))),
        ),
        AggregateFunction {
            resolve: Arc::new(resolve_count),
            on_empty: Some(|| Literal::long(0)),
            ..row(
                "regr_count",
                docs!(
                    "regr_count",
                    "(y, x)",
                    "Number of pairs without nulls.",
                    "3.3.0",
                    "SELECT regr_count(y, x) FROM VALUES (1, 2), (2, NULL), (2, 3), (2, 4) AS tab(y, x)",
                    "3"
                ),
                |_| Ok(Pairs::boxed(true, |p| Some(p.n))),
            )
        },
        row(
            "regr_intercept",
            docs!(
                "regr_intercept",
                "(y, x)",
                "Intercept of the line of least squares.",
                "3.4.0",
                "SELECT regr_intercept(y, x) FROM VALUES (1, 1), (2, 2), (3, 3) AS tab(y, x)",
                "0.0"
            ),
            |_| Ok(Pairs::boxed(true, |p| slope(p).map(|s| p.y_mean - s * p.x_mean))),
        ),
        row(
            "regr_r2",
            docs!(
                "regr_r2",
                "(y, x)",
                "Coefficient of determination.",
                "3.3.0",
                "SELECT regr_r2(y, x) FROM VALUES (1, 2), (2, 2), (2, 3), (2, 4) AS tab(y, x)",
                "0.2727272727272727"
            ),
            |_| Ok(Pairs::boxed(true, determination)),
        ),
        row(
            "regr_slope",
            docs!(
                "regr_slope",
                "(y, x)",
                "Slope of the line of least squares.",
                "3.4.0",
                "SELECT regr_slope(y, x) FROM VALUES (1, 1), (2, 2), (3, 3) AS tab(y, x)",
                "1.0"
            ),
            |_| Ok(Pairs::boxed(true, slope)),
        ),
        row(
            "regr_sxx",
            docs!(
                "regr_sxx",
                "(y, x)",
                "Sum of squares of x.",
                "3.4.0",
                "SELECT regr_sxx(y, x) FROM VALUES (1, 2), (2, 2), (2, 3), (2, 4) AS tab(y, x)",
                "2.75"
            ),
            |_| Ok(Pairs::boxed(true, |p| (p.n > 0.0).then_some(p.x_m2))),
        ),
        row(
            "regr_sxy",
            docs!(
                "regr_sxy",
                "(y, x)",
                "Sum of products of x and y.",
                "3.4.0",
                "SELECT regr_sxy(y, x) FROM VALUES (1, 2), (2, 2), (2, 3), (2, 4) AS tab(y, x)",
                "0.75"
            ),
            |_| Ok(Pairs::boxed(true, |p| (p.n > 0.0).then_some(p.ck))),
        ),
        row(
            "regr_syy",
            docs!(
                "regr_syy",
                "(y, x)",
                "Sum of squares of y.",
                "3.4.0",
                "SELECT regr_syy(y, x) FROM VALUES (1, 2), (2, 2), (2, 3), (2, 4) AS tab(y, x)",
                "0.75"
            ),
            |_| Ok(Pairs::boxed(true, |p| (p.n > 0.0).then_some(p.y_m2))),
        ),
    ]
}

fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    inputs::nullable(vec![inputs::double(site, 0)?, inputs::double(site, 1)?], DataType::Double)
}

fn resolve_count(site: &CallSite<'_>) -> Result<Resolution> {
    inputs::never_null(vec![inputs::double(site, 0)?, inputs::double(site, 1)?], DataType::Long)
}

const PARTS: usize = 8;

fn state_types(_: &AggregateCall<'_>) -> Vec<DataType> {
    vec![DataType::Double; PARTS]
}

/// Moments of pairs. For the regressions x is the second argument, the independent variable.
#[derive(Clone, Copy, Default)]
struct Pair {
    n: f64,
    x_mean: f64,
    y_mean: f64,
    /// Sum of the products of the distances from the means.
    ck: f64,
    x_m2: f64,
    y_m2: f64,
    x_sum: f64,
    y_sum: f64,
}

fn correlation(p: &Pair) -> Option<f64> {
    let product = (p.x_m2 * p.y_m2).sqrt();
    (p.n > 1.0 && product != 0.0).then(|| p.ck / product)
}

fn determination(p: &Pair) -> Option<f64> {
    if p.n <= 1.0 || p.x_m2 == 0.0 {
        return None;
    }
    if p.y_m2 == 0.0 {
        return Some(1.0);
    }
    correlation(p).map(|c| c * c)
}

fn slope(p: &Pair) -> Option<f64> {
    (p.n > 1.0 && p.x_m2 != 0.0).then(|| p.ck / p.x_m2)
}

impl Pair {
    #[inline]
    fn add(&mut self, x: f64, y: f64) {
        self.n += 1.0;
        let (dx, dy) = (x - self.x_mean, y - self.y_mean);
        self.x_mean += dx / self.n;
        self.y_mean += dy / self.n;
        self.ck += dx * (y - self.y_mean);
        self.x_m2 += dx * (x - self.x_mean);
        self.y_m2 += dy * (y - self.y_mean);
        self.x_sum += x;
        self.y_sum += y;
    }

    fn join(&self, o: &Pair) -> Pair {
        if o.n == 0.0 {
            return *self;
        }
        let n = self.n + o.n;
        let (dx, dy) = (o.x_mean - self.x_mean, o.y_mean - self.y_mean);
        let (dx_n, dy_n) = (dx / n, dy / n);
        let product = self.n * o.n;
        Pair {
            n,
            x_mean: self.x_mean + dx_n * o.n,
            y_mean: self.y_mean + dy_n * o.n,
            ck: self.ck + o.ck + dx * dy_n * product,
            x_m2: self.x_m2 + o.x_m2 + dx * dx_n * product,
            y_m2: self.y_m2 + o.y_m2 + dy * dy_n * product,
            x_sum: self.x_sum + o.x_sum,
            y_sum: self.y_sum + o.y_sum,
        }
    }

    fn parts(&self) -> [f64; PARTS] {
        [self.n, self.x_mean, self.y_mean, self.ck, self.x_m2, self.y_m2, self.x_sum, self.y_sum]
    }

    fn from_parts([n, x_mean, y_mean, ck, x_m2, y_m2, x_sum, y_sum]: [f64; PARTS]) -> Self {
        Pair { n, x_mean, y_mean, ck, x_m2, y_m2, x_sum, y_sum }
    }
}

struct Pairs {
    /// Whether the first argument is y.
    regression: bool,
    finish: fn(&Pair) -> Option<f64>,
    pairs: Vec<Pair>,
    count: bool,
}

impl Pairs {
    fn boxed(regression: bool, finish: fn(&Pair) -> Option<f64>) -> Box<dyn GroupsAccumulator> {
        // A count is the one result that is there without any pair.
        let count = finish(&Pair::default()).is_some();
        Box::new(Pairs { regression, finish, pairs: Vec::new(), count })
    }
}

impl GroupsAccumulator for Pairs {
    fn update(
        &mut self,
        args: &[ArrayRef],
        groups: &[u32],
        filter: Option<&BooleanArray>,
        num_groups: usize,
    ) -> Result<()> {
        self.pairs.resize(num_groups, Pair::default());
        let (x, y) = if self.regression { (1, 0) } else { (0, 1) };
        let x = args[x].as_primitive::<Float64Type>().values();
        let y = args[y].as_primitive::<Float64Type>().values();
        let mask = counted(args, filter);
        let pairs = &mut self.pairs[..];
        each(groups, mask.as_ref(), |row, group| pairs[group].add(x[row], y[row]));
        Ok(())
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &[u32], num_groups: usize) -> Result<()> {
        self.pairs.resize(num_groups, Pair::default());
        for (row, group) in groups.iter().enumerate() {
            let parts = std::array::from_fn(|i| states[i].as_primitive::<Float64Type>().value(row));
            let pair = &mut self.pairs[*group as usize];
            *pair = pair.join(&Pair::from_parts(parts));
        }
        Ok(())
    }

    fn state(&mut self, to: EmitTo) -> Result<Vec<ArrayRef>> {
        let parts: Vec<[f64; PARTS]> = emit(&mut self.pairs, to).iter().map(Pair::parts).collect();
        let column = |i| -> ArrayRef { Arc::new(Float64Array::from_iter_values(parts.iter().map(|p| p[i]))) };
        Ok((0..PARTS).map(column).collect())
    }

    fn evaluate(&mut self, to: EmitTo) -> Result<ArrayRef> {
        let pairs = emit(&mut self.pairs, to);
        if self.count {
            return Ok(Arc::new(Int64Array::from_iter_values(pairs.iter().map(|p| p.n as i64))));
        }
        Ok(Arc::new(Float64Array::from_iter(pairs.iter().map(self.finish))))
    }

    fn size(&self) -> usize {
        self.pairs.capacity() * size_of::<Pair>()
    }
}
