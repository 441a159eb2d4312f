//! Binds what only physical nodes have: sort keys and aggregate calls.

use vonk_error::Result;
use vonk_optimizer::bind::Binder;
use vonk_physical::{AggregateSpec, SortKey};
use vonk_plan::logical::{AggregateExpr, SortExpr};

/// Binds sort keys.
pub(crate) fn bind_keys(binder: &mut Binder<'_>, keys: &[SortExpr]) -> Result<Vec<SortKey>> {
    keys.iter()
        .map(|k| {
            Ok(SortKey { expr: binder.bind(&k.expr)?, descending: k.descending, nulls_first: k.nulls_first })
        })
        .collect()
}

/// Binds an aggregate call; the state's types are filled in by the caller.
pub(crate) fn bind_aggregate(binder: &mut Binder<'_>, a: &AggregateExpr) -> Result<AggregateSpec> {
    Ok(AggregateSpec {
        function: a.function.clone(),
        args: binder.bind_all(&a.args)?,
        filter: a.filter.as_ref().map(|f| binder.bind(f)).transpose()?,
        distinct: a.distinct,
        order_by: bind_keys(binder, &a.order_by)?,
        data_type: a.data_type.clone(),
        state_types: vec![],
        span: a.span,
    })
}
