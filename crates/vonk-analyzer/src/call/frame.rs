//! Window frames: Spark's checks, values of their offsets, text.

use super::WindowSpec;
use super::window::{Bound, Frame};
use crate::build;
use crate::coerce;
use crate::fold;
use crate::naming;
use crate::session::Session;
use crate::typed::{Typed, mismatch, quoted, quoted_type};
use vonk_error::{Error, Result, Span};
use vonk_plan::logical::{Expr, FrameBound, FrameUnits, WindowFrame};
use vonk_plan::unresolved::UnaryOp;
use vonk_types::cast::can_cast;
use vonk_types::{CompareOp, DataType, DayTimeField};

const ACCEPTED: &str =
    "(\"NUMERIC\" or \"INTERVAL DAY TO SECOND\" or \"INTERVAL YEAR TO MONTH\" or \"INTERVAL\")";

/// A frame with its text.
pub(super) struct Resolved {
    pub frame: WindowFrame,
    pub sql: String,
}

/// The frame of a specification: as written, or the default.
pub(super) fn resolve(s: &Session<'_>, spec: &WindowSpec) -> Result<Resolved> {
    match &spec.frame {
        Some(f) => written(s, f, spec),
        None if spec.order_by.is_empty() => Ok(default(FrameUnits::Rows, FrameBound::UnboundedFollowing)),
        None => Ok(default(FrameUnits::Range, FrameBound::CurrentRow)),
    }
}

fn default(units: FrameUnits, end: FrameBound) -> Resolved {
    let sql = match units {
        FrameUnits::Rows => "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING",
        FrameUnits::Range => "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW",
    };
    let frame = WindowFrame { units, start: FrameBound::UnboundedPreceding, end };
    Resolved { frame, sql: sql.to_string() }
}

/// A bound with a value, negated where it precedes: what Spark checks and compares.
struct Offset {
    /// The value as written.
    value: Typed,
    /// `- value` for PRECEDING.
    signed: Typed,
    preceding: bool,
    /// Cast to the type of the key, which the text then shows.
    cast: bool,
}

enum Edge {
    Special(FrameBound),
    Offset(Box<Offset>),
}

impl Edge {
    fn offset(&self) -> Option<&Offset> {
        match self {
            Edge::Special(_) => None,
            Edge::Offset(o) => Some(o),
        }
    }

    fn sql(&self) -> String {
        match self {
            Edge::Special(FrameBound::UnboundedPreceding) => "UNBOUNDED PRECEDING".to_string(),
            Edge::Special(FrameBound::UnboundedFollowing) => "UNBOUNDED FOLLOWING".to_string(),
            Edge::Special(_) => "CURRENT ROW".to_string(),
            Edge::Offset(o) if o.preceding && !o.cast => format!("{} PRECEDING", o.value.sql),
            Edge::Offset(o) => format!("{} FOLLOWING", o.signed.sql),
        }
    }
}

fn edge(s: &Session<'_>, b: &Bound, key: Option<&DataType>) -> Result<Edge> {
    let (value, preceding) = match b {
        Bound::UnboundedPreceding => return Ok(Edge::Special(FrameBound::UnboundedPreceding)),
        Bound::CurrentRow => return Ok(Edge::Special(FrameBound::CurrentRow)),
        Bound::UnboundedFollowing => return Ok(Edge::Special(FrameBound::UnboundedFollowing)),
        Bound::Preceding(x) => (x.clone(), true),
        Bound::Following(x) => (x.clone(), false),
    };
    let mut signed = match preceding {
        true => build::unary(s, UnaryOp::Minus, value.clone(), value.span)?,
        false => value.clone(),
    };
    let mut value = value;
    let mut cast = false;
    if let Some(t) = key.filter(|t| !t.is_datetime()) {
        let from = signed.data_type();
        if from != *t && can_cast(&from, t, s.cast_mode()) {
            cast = true;
            signed = coerce::implicit_cast(s, signed, t);
            value = coerce::implicit_cast(s, value, t);
        }
    }
    Ok(Edge::Offset(Box::new(Offset { value, signed, preceding, cast })))
}

fn written(s: &Session<'_>, f: &Frame, spec: &WindowSpec) -> Result<Resolved> {
    // The offsets of a RANGE frame are cast to the type of the only key.
    let key = match spec.order_by.as_slice() {
        [one] if !f.rows => Some(one.key.data_type()),
        _ => None,
    };
    let (start, end) = (edge(s, &f.start, key.as_ref())?, edge(s, &f.end, key.as_ref())?);
    let units = if f.rows { FrameUnits::Rows } else { FrameUnits::Range };
    let sql = format!("{} BETWEEN {} AND {}", if f.rows { "ROWS" } else { "RANGE" }, start.sql(), end.sql());
    check_bounds(s, f.rows, &start, &end, &sql, spec.span)?;
    if !f.rows {
        check_range(&start, &end, spec, &sql)?;
    }
    let frame = WindowFrame { units, start: bound(s, start)?, end: bound(s, end)? };
    Ok(Resolved { frame, sql })
}

fn check_bounds(s: &Session<'_>, rows: bool, start: &Edge, end: &Edge, sql: &str, span: Span) -> Result<()> {
    for (edge, location) in [(start, "lower"), (end, "upper")] {
        let Some(o) = edge.offset() else { continue };
        let t = o.signed.data_type();
        let accepted = match rows {
            true => t == DataType::Int,
            false => t.is_numeric() || t.is_ansi_interval() || t == DataType::CalendarInterval,
        };
        if !accepted {
            return Err(mismatch("DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE", sql, span)
                .with("location", location)
                .with("exprType", quoted_type(&t))
                .with("expectedType", if rows { "\"INT\"" } else { ACCEPTED }));
        }
    }
    let backwards = matches!(start, Edge::Special(FrameBound::UnboundedFollowing))
        || matches!(end, Edge::Special(FrameBound::UnboundedPreceding));
    if backwards {
        return Err(mismatch("DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_INVALID_BOUND", sql, span)
            .with("lower", quoted(&start.sql()))
            .with("upper", quoted(&end.sql())));
    }
    let (Some(lower), Some(upper)) = (start.offset(), end.offset()) else { return Ok(()) };
    let (lt, ut) = (lower.signed.data_type(), upper.signed.data_type());
    if lt != ut {
        return Err(mismatch("DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_DIFF_TYPES", sql, span)
            .with("lower", lower.signed.quoted())
            .with("upper", upper.signed.quoted())
            .with("lowerType", quoted_type(&lt))
            .with("upperType", quoted_type(&ut)));
    }
    let (left, right) = (Box::new(lower.signed.expr.clone()), Box::new(upper.signed.expr.clone()));
    let greater = fold::fold(s, &Expr::Compare { op: CompareOp::Gt, left, right })?;
    if greater.as_bool() == Some(true) {
        return Err(mismatch("DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_WRONG_COMPARISON", sql, span)
            .with("comparison", "less than or equal"));
    }
    Ok(())
}

/// What RANGE asks of the order.
fn check_range(start: &Edge, end: &Edge, spec: &WindowSpec, sql: &str) -> Result<()> {
    let error = |condition| mismatch(condition, &format!("({})", spec_text(spec, sql)), spec.span);
    let unbounded = matches!(
        (start, end),
        (Edge::Special(FrameBound::UnboundedPreceding), Edge::Special(FrameBound::UnboundedFollowing))
    );
    if spec.order_by.is_empty() && !unbounded {
        return Err(error("DATATYPE_MISMATCH.RANGE_FRAME_WITHOUT_ORDER"));
    }
    let Some(offset) = start.offset().or_else(|| end.offset()) else { return Ok(()) };
    let [key] = spec.order_by.as_slice() else {
        let keys = spec.order_by.iter().map(naming::order_key).collect::<Vec<_>>();
        return Err(error("DATATYPE_MISMATCH.RANGE_FRAME_MULTI_ORDER").with("orderSpec", keys.join(",")));
    };
    let (key, offset) = (key.key.data_type(), offset.signed.data_type());
    if fits_key(&key, &offset) {
        return Ok(());
    }
    Err(error("DATATYPE_MISMATCH.RANGE_FRAME_INVALID_TYPE")
        .with("orderSpecType", quoted_type(&key))
        .with("valueBoundaryType", quoted_type(&offset)))
}

/// Whether an offset of this type can be added to a key of that type.
fn fits_key(key: &DataType, offset: &DataType) -> bool {
    match (key, offset) {
        (DataType::Date, DataType::Int | DataType::YearMonthInterval(..)) => true,
        (DataType::Date, DataType::DayTimeInterval(from, to)) => {
            *from == DayTimeField::Day && *to == DayTimeField::Day
        }
        (DataType::Timestamp | DataType::TimestampNtz, t) => {
            t.is_ansi_interval() || *t == DataType::CalendarInterval
        }
        (key, offset) => key == offset,
    }
}

/// The bound with the value of its offset, which may be negative.
fn bound(s: &Session<'_>, edge: Edge) -> Result<FrameBound> {
    let o = match edge {
        Edge::Special(b) => return Ok(b),
        Edge::Offset(o) => o,
    };
    let value = fold::fold(s, &o.value.expr)?;
    if value.is_null() {
        return Err(Error::unsupported("a window frame with a null bound").at(o.value.span));
    }
    Ok(if o.preceding { FrameBound::Preceding(value) } else { FrameBound::Following(value) })
}

/// What stands between the parentheses of OVER.
pub(super) fn spec_text(spec: &WindowSpec, frame: &str) -> String {
    let mut parts = Vec::with_capacity(3);
    if !spec.partition_by.is_empty() {
        parts.push(format!("PARTITION BY {}", naming::list(&spec.partition_by)));
    }
    if !spec.order_by.is_empty() {
        parts.push(format!("ORDER BY {}", naming::order_keys(&spec.order_by)));
    }
    parts.push(frame.to_string());
    parts.join(" ")
}
