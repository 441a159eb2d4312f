//! TABLESAMPLE.

use super::limit;
use crate::analyzer::Binder;
use crate::env::Env;
use crate::relation::Relation;
use vonk_error::{Error, Result};
use vonk_plan::logical::{LogicalPlan, Sampling};
use vonk_plan::unresolved::{Plan, SampleAmount};

pub(crate) fn sample(
    b: &Binder<'_>,
    input: &Plan,
    amount: &SampleAmount,
    seed: Option<i64>,
    env: &Env<'_>,
) -> Result<Relation> {
    let r = b.relation(input, env)?;
    let fraction = match amount {
        SampleAmount::Rows(n) => {
            let n = limit::amount(b, n, "limit", &r, env)?;
            return Ok(r.map(|plan| LogicalPlan::Limit { skip: 0, fetch: Some(n), input: plan }));
        }
        SampleAmount::Chosen(sampling) => return Ok(sampled(b, r, *sampling, seed)),
        SampleAmount::Fraction(f) => *f,
        SampleAmount::Bucket(x, y) => {
            #[allow(clippy::cast_precision_loss)] // Bucket counts are small.
            let share = *x as f64 / *y as f64;
            share
        }
    };
    if !(-1e-6..=1.0 + 1e-6).contains(&fraction) {
        return Err(Error::new("INVALID_TABLESAMPLE_FRACTION")
            .with("fraction", vonk_types::number::format_f64(fraction)));
    }
    Ok(sampled(b, r, Sampling::share(fraction.clamp(0.0, 1.0)), seed))
}

fn sampled(b: &Binder<'_>, r: Relation, sampling: Sampling, seed: Option<i64>) -> Relation {
    // Without a seed, each query draws another sample.
    let seed = seed.unwrap_or(b.session.ctx().query_start_micros);
    let seed = u64::from_ne_bytes(seed.to_ne_bytes());
    r.map(|input| LogicalPlan::Sample { sampling, seed, input })
}
