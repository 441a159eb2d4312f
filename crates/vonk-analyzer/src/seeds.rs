//! Seeds of random functions that the query gives none.
//!
//! They are drawn once a plan is resolved (Spark: `ResolveRandomSeed`), not by its tasks: so a task that is tried again gives the
//! same rows, all uses of a common table expression see the same values, and EXPLAIN shows what is run. Calls that look alike still
//! match before (`SELECT rand() … GROUP BY rand()` groups by what it shows).

use crate::analyzer::{RED_ZONE, STACK};
use crate::resolved::Finished;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use vonk_error::Result;
use vonk_functions::Registry;
use vonk_plan::logical::{Expr, LogicalPlan, Subquery};
use vonk_types::Literal;

/// The plan with a seed in every call of a random function. Finished plans have theirs.
pub(crate) fn drawn(
    registry: &Registry,
    plan: Arc<LogicalPlan>,
    finished: &Finished,
) -> Result<Arc<LogicalPlan>> {
    stacker::maybe_grow(RED_ZONE, STACK, || {
        let drawing = Drawing { registry, finished };
        if drawing.wanted_in(&plan) { drawing.plan(plan) } else { Ok(plan) }
    })
}

struct Drawing<'a> {
    registry: &'a Registry,
    finished: &'a Finished,
}

impl Drawing<'_> {
    fn wanted_in(&self, plan: &Arc<LogicalPlan>) -> bool {
        if self.finished.has(plan) {
            return false;
        }
        let wanted = |e: &Expr| match e {
            Expr::Subquery(s) => self.wanted_in(&s.plan),
            e => is_wanted(self.registry, e),
        };
        plan.exprs().iter().any(|e| e.any(&wanted)) || plan.inputs().into_iter().any(|i| self.wanted_in(i))
    }

    fn plan(&self, plan: Arc<LogicalPlan>) -> Result<Arc<LogicalPlan>> {
        if self.finished.has(&plan) {
            return Ok(plan);
        }
        let plan = Arc::unwrap_or_clone(plan).map_inputs(&mut |i| self.plan(i))?;
        Ok(Arc::new(plan.map_exprs(&mut |e| self.expr(e))?))
    }

    fn expr(&self, e: Expr) -> Result<Expr> {
        e.transform_up(&mut |e| {
            let wanted = is_wanted(self.registry, &e);
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
                    let plan = drawn(self.registry, s.plan.clone(), self.finished)?;
                    Expr::Subquery(Box::new(Subquery { plan, ..*s }))
                }
                other => other,
            })
        })
    }
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
