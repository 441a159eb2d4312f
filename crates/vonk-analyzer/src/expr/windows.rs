//! Window specifications.

use super::{Inside, Walk};
use crate::call::{Bound, Frame, OrderKey, WindowCall, WindowSpec};
use crate::select::{self, missing_window};
use crate::typed::{Typed, quoted, quoted_type};
use vonk_error::{Error, Result, Span};
use vonk_plan::logical::{Column, ColumnId, Expr, SortExpr};
use vonk_plan::unresolved::{FrameBound, FunctionCall, Over, WindowFrame};

impl Walk<'_> {
    /// Runs the parts of a window call, which may contain aggregates and other window calls.
    pub(super) fn in_window(
        &mut self,
        span: Span,
        f: impl FnOnce(&mut Self) -> Result<Typed>,
    ) -> Result<Typed> {
        if self.inside == Inside::Aggregate {
            return Err(Error::new("_LEGACY_ERROR_TEMP_1031").at(span));
        }
        if let Some(clause) = self.clause.without_windows() {
            return Err(Error::new("WINDOW_FUNCTION_NOT_ALLOWED_IN_CLAUSE").with("clauseName", clause));
        }
        let was = std::mem::replace(&mut self.inside, Inside::Window);
        let result = f(self);
        self.inside = was;
        result
    }

    /// The specification after OVER, and its place.
    pub(super) fn window_spec(&mut self, call: &FunctionCall, span: Span) -> Result<(WindowSpec, Span)> {
        let written = match &call.over {
            Some(Over::Window(spec)) => spec,
            Some(Over::Named(name)) => match self.windows {
                Some(windows) => windows.find(self.s(), name, span)?,
                None => return Err(missing_window(name, span)),
            },
            None => return vonk_error::internal_err!("a window call without OVER"),
        };
        let mut spec = WindowSpec { span: self.at(written.span), ..WindowSpec::default() };
        for e in &written.partition_by {
            let t = self.expr(e)?;
            if !t.data_type().is_orderable() {
                return Err(Error::new("EXPRESSION_TYPE_IS_NOT_ORDERABLE")
                    .with("expr", t.quoted())
                    .with("exprType", quoted_type(&t.data_type()))
                    .at(t.span));
            }
            spec.partition_by.push(t);
        }
        for k in &written.order_by {
            let key = self.expr(&k.expr)?;
            let (_, sort) = super::sort_expr(key.clone(), k)?;
            spec.order_by.push(OrderKey { key, descending: sort.descending, nulls_first: sort.nulls_first });
        }
        spec.frame = written.frame.as_ref().map(|f| self.frame(f)).transpose()?;
        let at = spec.span;
        Ok((spec, at))
    }

    fn frame(&mut self, f: &WindowFrame) -> Result<Frame> {
        Ok(Frame { rows: f.rows, start: self.bound(&f.start)?, end: self.bound(&f.end)? })
    }

    fn bound(&mut self, b: &FrameBound) -> Result<Bound> {
        Ok(match b {
            FrameBound::UnboundedPreceding => Bound::UnboundedPreceding,
            FrameBound::Preceding(e) => Bound::Preceding(self.offset(e)?),
            FrameBound::CurrentRow => Bound::CurrentRow,
            FrameBound::Following(e) => Bound::Following(self.offset(e)?),
            FrameBound::UnboundedFollowing => Bound::UnboundedFollowing,
        })
    }

    fn offset(&mut self, e: &vonk_plan::unresolved::Expr) -> Result<Typed> {
        let t = self.expr(e)?;
        if crate::fold::is_foldable(self.s(), &t.expr) {
            return Ok(t);
        }
        Err(Error::new("INVALID_SQL_SYNTAX.INVALID_WINDOW_FRAME_BOUND").at(t.span))
    }

    /// Collects a window call.
    pub(super) fn add_window(
        &mut self,
        over: WindowCall,
        spec: &WindowSpec,
        inner: Option<String>,
        span: Span,
    ) -> Result<Typed> {
        if let Some(alias) = self.lateral.take() {
            return Err(Error::new("UNSUPPORTED_FEATURE.LATERAL_COLUMN_ALIAS_IN_WINDOW")
                .with("lca", alias)
                .with("windowExpr", quoted(&frameless(&over.sql, spec)))
                .at(span));
        }
        let Some(calls) = self.calls else {
            let texts: Vec<String> =
                std::iter::once(quoted(&over.sql)).chain(inner.iter().map(|i| quoted(i))).collect();
            return Err(Error::new("UNSUPPORTED_EXPR_FOR_OPERATOR")
                .with("operator", self.clause.operator())
                .with("invalidExprSqls", texts.join(", "))
                .at(span));
        };
        let (data_type, nullable) = match &over.expr {
            vonk_plan::logical::WindowExpr::Aggregate { call, .. } => (call.data_type.clone(), true),
            vonk_plan::logical::WindowExpr::Function { data_type, nullable, .. } => {
                (data_type.clone(), *nullable)
            }
        };
        let call = select::WindowCall {
            expr: over.expr,
            partition_by: spec.partition_by.iter().map(|t| t.expr.clone()).collect(),
            order_by: spec
                .order_by
                .iter()
                .map(|k| SortExpr {
                    expr: k.key.expr.clone(),
                    descending: k.descending,
                    nulls_first: k.nulls_first,
                })
                .collect(),
            column: Column { id: ColumnId(u64::MAX), name: over.sql.as_str().into(), data_type, nullable },
            inner,
        };
        let column = calls.add_window(self.b.ids, call);
        Ok(Typed::new(Expr::Column(column), over.sql, span))
    }
}

/// The text of a call before its default frame is known.
fn frameless(sql: &str, spec: &WindowSpec) -> String {
    let frame = ["ROWS BETWEEN ", "RANGE BETWEEN "].iter().filter_map(|f| sql.rfind(f)).max();
    match frame {
        Some(at) if spec.frame.is_none() => format!("{}unspecifiedframe$())", &sql[..at]),
        _ => sql.to_string(),
    }
}
