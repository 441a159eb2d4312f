//! Calls over windows.

use super::{AggregateCall, OrderKey, cast_all, described, frame, texts, types};
use crate::session::Session;
use crate::typed::{Typed, complete};
use vonk_error::{Error, Result, Span};
use vonk_functions::{Arg, CallSite, WindowFunction};
use vonk_plan::logical::WindowExpr;

/// A resolved window specification.
#[derive(Debug, Clone, Default)]
pub(crate) struct WindowSpec {
    /// PARTITION BY.
    pub partition_by: Vec<Typed>,
    /// ORDER BY.
    pub order_by: Vec<OrderKey>,
    /// The frame, where written.
    pub frame: Option<Frame>,
    /// The place.
    pub span: Span,
}

/// A frame as written.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    /// ROWS; else RANGE.
    pub rows: bool,
    /// First bound.
    pub start: Bound,
    /// Last bound.
    pub end: Bound,
}

/// A bound as written.
#[derive(Debug, Clone)]
pub(crate) enum Bound {
    /// UNBOUNDED PRECEDING.
    UnboundedPreceding,
    /// `n PRECEDING`.
    Preceding(Typed),
    /// CURRENT ROW.
    CurrentRow,
    /// `n FOLLOWING`.
    Following(Typed),
    /// UNBOUNDED FOLLOWING.
    UnboundedFollowing,
}

/// A resolved call over a window. Partitioning and order stay with the specification.
#[derive(Debug, Clone)]
pub(crate) struct WindowCall {
    /// The call with its frame.
    pub expr: WindowExpr,
    /// Its text, OVER and all.
    pub sql: String,
}

/// An aggregate call over a window.
pub(crate) fn over_aggregate(
    s: &Session<'_>,
    call: AggregateCall,
    spec: &WindowSpec,
    _span: Span,
) -> Result<WindowCall> {
    let resolved = frame::resolve(s, spec)?;
    let sql = format!("{} OVER ({})", call.sql, frame::spec_text(spec, &resolved.sql));
    Ok(WindowCall { expr: WindowExpr::Aggregate { call: call.expr, frame: resolved.frame }, sql })
}

/// A call of a window function.
pub(crate) fn over_function(
    s: &Session<'_>,
    f: &WindowFunction,
    called_as: &str,
    args: Vec<Typed>,
    ignore_nulls: Option<bool>,
    spec: &WindowSpec,
    span: Span,
) -> Result<WindowCall> {
    f.arity.check(called_as, args.len()).map_err(|e| e.at(span))?;
    if ignore_nulls == Some(true) && !f.uses_frame && !f.is_offset {
        return Err(Error::new("INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX")
            .with("prettyName", format!("`{}`", f.name))
            .with("syntax", "IGNORE NULLS")
            .at(span));
    }
    let described: Vec<Arg> = args.iter().map(|a| described(s, a)).collect();
    let arg_types = types(&described);
    let mut sql = f.display.text(called_as, &texts(&described), &arg_types);
    let site = CallSite { called_as, args: &described, ctx: s.ctx(), span };
    let resolution = (f.resolve)(&site).map_err(|e| complete(e, || sql.clone(), span))?;
    if resolution.arg_types.len() != arg_types.len() {
        return vonk_error::internal_err!("{} resolved to {} arguments", f.name, resolution.arg_types.len());
    }
    if f.needs_order && spec.order_by.is_empty() {
        return Err(Error::new("WINDOW_FUNCTION_FRAME_NOT_ORDERED")
            .with("wf_name", f.name)
            .with("wf_expr", sql)
            .at(span));
    }
    if ignore_nulls == Some(true) && f.uses_frame {
        sql.push_str(" ignore nulls");
    }
    let written = match &spec.frame {
        Some(_) if f.is_offset => {
            return Err(Error::new("_LEGACY_ERROR_TEMP_1035").with("prettyName", f.name).at(span));
        }
        None if !f.uses_frame => None,
        _ => Some(frame::resolve(s, spec)?),
    };
    let (text, frame) = match written {
        Some(r) if f.uses_frame => (r.sql, Some(r.frame)),
        other => {
            let own = (f.own_frame)(&described);
            match other {
                Some(r) if r.sql != own => {
                    return Err(Error::new("_LEGACY_ERROR_TEMP_1036")
                        .with("wf", class_text(&r.sql))
                        .with("required", class_text(&own))
                        .at(span));
                }
                _ => (own, None),
            }
        }
    };
    let expr = WindowExpr::Function {
        function: f.name.into(),
        called_as: called_as.into(),
        args: cast_all(s, args, &resolution.arg_types, span),
        frame,
        ignore_nulls: ignore_nulls == Some(true),
        data_type: resolution.return_type,
        nullable: resolution.nullable,
        span,
    };
    Ok(WindowCall { expr, sql: format!("{sql} OVER ({})", frame::spec_text(spec, &text)) })
}

/// A frame as the message about a frame that does not fit shows it.
fn class_text(sql: &str) -> String {
    let (units, bounds) = match sql.split_once(" BETWEEN ") {
        Some(("ROWS", bounds)) => ("RowFrame", bounds),
        Some((_, bounds)) => ("RangeFrame", bounds),
        None => ("RowFrame", sql),
    };
    let bound = |b: &str| match b {
        "UNBOUNDED PRECEDING" => "unboundedpreceding$()".to_string(),
        "UNBOUNDED FOLLOWING" => "unboundedfollowing$()".to_string(),
        "CURRENT ROW" => "currentrow$()".to_string(),
        b => match b.strip_suffix(" PRECEDING") {
            Some(n) => format!("-{n}"),
            None => b.trim_end_matches(" FOLLOWING").to_string(),
        },
    };
    let (start, end) = bounds.split_once(" AND ").unwrap_or((bounds, ""));
    format!("specifiedwindowframe({units}, {}, {})", bound(start), bound(end))
}
