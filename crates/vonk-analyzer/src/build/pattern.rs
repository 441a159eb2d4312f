//! LIKE and its kin.

use super::{and, literal, not, or};
use crate::call::{self, CallText};
use crate::fold;
use crate::session::Session;
use crate::typed::Typed;
use vonk_error::{Result, Span};
use vonk_plan::unresolved::LikeKind;
use vonk_types::{DataType, Literal};

/// `x LIKE p`, `ILIKE`, `RLIKE`.
pub(crate) fn like(
    s: &Session<'_>,
    kind: LikeKind,
    x: Typed,
    pattern: Typed,
    escape: Option<char>,
    span: Span,
) -> Result<Typed> {
    let escape = escape.filter(|c| *c != '\\');
    let (function, sql) = match kind {
        LikeKind::Like => {
            let escape = escape.map_or(String::new(), |c| format!(" ESCAPE '{c}'"));
            ("like", format!("{} LIKE {}{escape}", x.sql, pattern.sql))
        }
        LikeKind::ILike => ("ilike", format!("ilike({}, {})", x.sql, pattern.sql)),
        LikeKind::RLike => ("rlike", format!("RLIKE({}, {})", x.sql, pattern.sql)),
    };
    let mut args = vec![x, pattern];
    if let Some(c) = escape {
        args.push(literal(s, &Literal::string(c.to_string()), span)?);
    }
    call::operator(s, function, args, CallText::Fixed(sql), span)
}

/// `x [NOT] LIKE ANY|ALL (p, …)`.
pub(crate) fn like_quantified(
    s: &Session<'_>,
    kind: LikeKind,
    all: bool,
    negated: bool,
    x: Typed,
    patterns: Vec<Typed>,
    span: Span,
) -> Result<Typed> {
    let constant = |p: &Typed| p.data_type() == DataType::String && fold::is_foldable(s, &p.expr);
    let sql = patterns.iter().all(constant).then(|| {
        let name = format!("{}like{}", if negated { "not" } else { "" }, if all { "all" } else { "any" });
        match kind {
            LikeKind::ILike => format!("{name}(lower({}))", x.sql),
            _ => format!("{name}({})", x.sql),
        }
    });
    let mut result: Option<Typed> = None;
    for pattern in patterns {
        let one = like(s, kind, x.clone(), pattern, None, span)?;
        let one = if negated { not(s, one, span)? } else { one };
        result = Some(match result {
            None => one,
            Some(before) if all => and(s, before, one, span)?,
            Some(before) => or(s, before, one, span)?,
        });
    }
    match (result, sql) {
        (Some(r), Some(sql)) => Ok(r.named(sql)),
        (Some(r), None) => Ok(r),
        (None, _) => vonk_error::internal_err!("LIKE without patterns"),
    }
}
