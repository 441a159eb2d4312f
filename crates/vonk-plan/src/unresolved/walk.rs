//! Walking unresolved expressions.

use super::expr::{Expr, ExprKind, FrameBound, FunctionCall, Over, WindowSpec};
use super::plan::SortKey;

impl Expr {
    /// Calls `f` with each expression directly below, in the order of the text; not with those of subqueries.
    pub fn for_each_part(&mut self, f: &mut dyn FnMut(&mut Expr)) {
        match &mut self.kind {
            ExprKind::Name(_)
            | ExprKind::Column(_)
            | ExprKind::Star(_)
            | ExprKind::Literal(_)
            | ExprKind::TypedLiteral { .. }
            | ExprKind::Exists(_)
            | ExprKind::ScalarSubquery(_)
            | ExprKind::Parameter(_)
            | ExprKind::Default
            | ExprKind::TableArgument(_) => {}
            ExprKind::Unary { expr, .. }
            | ExprKind::Not(expr)
            | ExprKind::Is { expr, .. }
            | ExprKind::InSubquery { expr, .. }
            | ExprKind::Cast { expr, .. }
            | ExprKind::Field { expr, .. }
            | ExprKind::Alias { expr, .. }
            | ExprKind::Collate { expr, .. }
            | ExprKind::Lambda { body: expr, .. }
            | ExprKind::NamedArgument { value: expr, .. }
            | ExprKind::IdentifierClause(expr) => f(expr),
            ExprKind::Binary { left, right, .. } | ExprKind::IsDistinctFrom { left, right, .. } => {
                f(left);
                f(right);
            }
            ExprKind::Between { expr, low, high } => {
                f(expr);
                f(low);
                f(high);
            }
            ExprKind::InList { expr, list } => {
                f(expr);
                list.iter_mut().for_each(f);
            }
            ExprKind::Like { expr, pattern, .. } => {
                f(expr);
                f(pattern);
            }
            ExprKind::LikeQuantified { expr, patterns, .. } => {
                f(expr);
                patterns.iter_mut().for_each(f);
            }
            ExprKind::Case { operand, branches, otherwise } => {
                operand.iter_mut().for_each(|e| f(e));
                for (condition, value) in branches {
                    f(condition);
                    f(value);
                }
                otherwise.iter_mut().for_each(|e| f(e));
            }
            ExprKind::Function(call) => call.for_each_part(f),
            ExprKind::Subscript { expr, index } => {
                f(expr);
                f(index);
            }
            ExprKind::UpdateFields { expr, updates } => {
                f(expr);
                updates.iter_mut().filter_map(|(_, value)| value.as_mut()).for_each(f);
            }
            ExprKind::Row(parts) => parts.iter_mut().for_each(f),
        }
    }
}

impl FunctionCall {
    fn for_each_part(&mut self, f: &mut dyn FnMut(&mut Expr)) {
        self.args.iter_mut().for_each(&mut *f);
        keys(&mut self.within_group, f);
        self.filter.iter_mut().for_each(&mut *f);
        if let Some(Over::Window(window)) = &mut self.over {
            window.for_each_part(f);
        }
    }
}

impl WindowSpec {
    fn for_each_part(&mut self, f: &mut dyn FnMut(&mut Expr)) {
        self.partition_by.iter_mut().for_each(&mut *f);
        keys(&mut self.order_by, f);
        if let Some(frame) = &mut self.frame {
            for bound in [&mut frame.start, &mut frame.end] {
                if let FrameBound::Preceding(e) | FrameBound::Following(e) = bound {
                    f(e);
                }
            }
        }
    }
}

fn keys(keys: &mut [SortKey], f: &mut dyn FnMut(&mut Expr)) {
    keys.iter_mut().for_each(|k| f(&mut k.expr));
}
