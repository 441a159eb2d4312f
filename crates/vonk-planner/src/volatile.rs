//! Expressions that give other values for the same row.
//!
//! Must not know: what follows from it.

use vonk_eval::BoundExpr;
use vonk_functions::{Registry, Volatility};
use vonk_physical::PhysicalPlan;

/// On what the value of an expression depends, beside the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum DependsOn {
    /// On nothing.
    Nothing,
    /// On the rows before it in its partition: `monotonically_increasing_id`, `rand` with a seed.
    Place,
    /// On chance: `uuid` with a null for its seed draws one in every task.
    Chance,
}

/// What an expression depends on.
pub(crate) fn depends_on(registry: &Registry, e: &BoundExpr) -> DependsOn {
    let mut most = DependsOn::Nothing;
    e.visit(&mut |e| {
        let BoundExpr::Call { function, args, .. } = e else { return };
        let Ok(f) = registry.scalar(function) else { return };
        if f.volatility == Volatility::Volatile {
            // A seed that is no literal (not folded yet) may come to null.
            let seeded = |i: usize| matches!(args.get(i), Some(BoundExpr::Literal(l)) if !l.is_null());
            let own = if f.seed.is_none_or(seeded) { DependsOn::Place } else { DependsOn::Chance };
            most = most.max(own);
        }
    });
    most
}

/// What a node's own expressions depend on.
pub(crate) fn node_depends_on(registry: &Registry, plan: &PhysicalPlan) -> DependsOn {
    let mut most = DependsOn::Nothing;
    plan.visit_exprs(&mut |e| most = most.max(depends_on(registry, e)));
    most
}
