//! TABLESAMPLE.

use super::limit;
use crate::analyzer::Binder;
use crate::env::Env;
use crate::relation::Relation;
use vonk_error::{Error, Result};
use vonk_plan::logical::LogicalPlan;
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
    // Without a seed, each query draws another sample.
    let seed = seed.unwrap_or(b.session.ctx().query_start_micros);
    let seed = u64::from_ne_bytes(seed.to_ne_bytes());
    Ok(r.map(|plan| LogicalPlan::Sample { fraction: fraction.clamp(0.0, 1.0), seed, input: plan }))
}
