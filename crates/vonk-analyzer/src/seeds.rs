//! Seeds of random functions that the query gives none.
//!
//! They are drawn once a plan is resolved (Spark: `ResolveRandomSeed`), not by its tasks: so a task that is tried again gives the
//! same rows, all uses of a common table expression see the same values, and EXPLAIN shows what is run. Calls that look alike still
//! match before (`SELECT rand() … GROUP BY rand()` groups by what it shows).

use crate::analyzer::{RED_ZONE, STACK};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use vonk_error::Result;
use vonk_functions::Registry;
use vonk_plan::logical::{Expr, LogicalPlan, Subquery};
use vonk_types::Literal;

/// The plan with a seed in every call of a random function.
pub(crate) fn drawn(registry: &Registry, plan: Arc<LogicalPlan>) -> Result<Arc<LogicalPlan>> {
    stacker::maybe_grow(RED_ZONE, STACK, || {
        if wanted_in(registry, &plan) {
            plan.transform_up(&mut |p| p.map_exprs(&mut |e| seeded(registry, e)))
        } else {
            Ok(plan)
        }
    })
}

fn wanted_in(registry: &Registry, plan: &LogicalPlan) -> bool {
    let mut found = false;
    plan.visit(&mut |p| {
        found |= p.exprs().iter().any(|e| {
            e.any(&|e| match e {
                Expr::Subquery(s) => wanted_in(registry, &s.plan),
                e => is_wanted(registry, e),
            })
        });
    });
    found
}

/// Whether an expression is a call that lacks its seed, the last argument.
fn is_wanted(registry: &Registry, e: &Expr) -> bool {
    match e {
        Expr::Call { function, args, deterministic: false, .. } => {
            registry.scalar(function).is_ok_and(|f| f.seed == Some(args.len()))
        }
        _ => false,
    }
}

fn seeded(registry: &Registry, e: Expr) -> Result<Expr> {
    e.transform_up(&mut |e| {
        let wanted = is_wanted(registry, &e);
        Ok(match e {
            Expr::Call { function, called_as, mut args, data_type, nullable, deterministic, span } => {
                if wanted {
                    args.push(Expr::Literal(Literal::long(
                        RandomState::new().hash_one(args.len()).cast_signed(),
                    )));
                }
                Expr::Call { function, called_as, args, data_type, nullable, deterministic, span }
            }
            Expr::Subquery(s) => {
                let plan = drawn(registry, s.plan.clone())?;
                Expr::Subquery(Box::new(Subquery { plan, ..*s }))
            }
            other => other,
        })
    })
}
