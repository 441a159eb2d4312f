//! Window functions: bring window partitions together, sort, compute.

use crate::calls::{bind_aggregate, bind_keys};
use crate::planned::Planned;
use crate::planner::{Planner, Required, column_ids};
use crate::sort::sorted;
use vonk_error::Result;
use vonk_physical::{PhysicalPlan, SortKey, Window, WindowSpec};
use vonk_plan::logical::{self, WindowExpr};

impl Planner<'_> {
    pub(crate) fn window(&mut self, w: &logical::Window, required: &Required) -> Result<Planned> {
        let mut needed = required.clone();
        w.functions.iter().for_each(|f| {
            needed.remove(&f.column.id);
        });
        let exprs = w.functions.iter().flat_map(|f| f.expr.exprs()).chain(&w.partition_by);
        exprs.chain(w.order_by.iter().map(|k| &k.expr)).for_each(|e| e.collect_columns(&mut needed));
        let below = self.visit(&w.input, &needed)?;
        let rows = below.rows();

        let partition_by = self.binder(&below.columns).bind_all(&w.partition_by)?;
        let order_by = bind_keys(&mut self.binder(&below.columns), &w.order_by)?;
        let moved = if w.partition_by.is_empty() {
            below.single()
        } else {
            let partitions = self.options.partitions_for(below.bytes);
            below.hashed(partition_by.clone(), column_ids(w.partition_by.iter()), partitions)
        };
        let mut keys: Vec<SortKey> = partition_by
            .iter()
            .map(|e| SortKey { expr: e.clone(), descending: false, nulls_first: true })
            .collect();
        keys.extend(order_by.iter().cloned());
        let moved = if keys.is_empty() { moved } else { sorted(moved, keys, None, rows) };

        let mut functions = Vec::with_capacity(w.functions.len());
        for f in &w.functions {
            functions.push(match &f.expr {
                WindowExpr::Aggregate { call, frame } => {
                    let spec = bind_aggregate(&mut self.binder(&moved.columns), call)?;
                    WindowSpec::Aggregate { call: self.with_state_types(spec)?, frame: frame.clone() }
                }
                WindowExpr::Function { function, args, frame, ignore_nulls, data_type, span, .. } => {
                    WindowSpec::Function {
                        function: function.clone(),
                        args: self.binder(&moved.columns).bind_all(args)?,
                        frame: frame.clone(),
                        ignore_nulls: *ignore_nulls,
                        data_type: data_type.clone(),
                        span: *span,
                    }
                }
            });
        }
        let mut columns = moved.columns.clone();
        columns.extend(w.functions.iter().map(|f| f.column.clone()));
        let distribution = moved.distribution.clone();
        let plan =
            PhysicalPlan::Window(Window { functions, partition_by, order_by, input: Box::new(moved.node) });
        Ok(Planned::new(plan, columns, distribution, rows))
    }
}
