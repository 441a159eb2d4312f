//! What share of rows a predicate of this crate is expected to keep, where its constant arguments tell: for the planner's estimates.
//!
//! No answer depends on these numbers. They are rules of thumb in the manner of PostgreSQL's pattern selectivity, much coarser.

use vonk_types::{Literal, ScalarValue};

/// A pattern that begins with fixed text.
const ANCHORED: f64 = 0.03;
/// Fixed text anywhere.
const CONTAINED: f64 = 0.1;
/// Each further piece of fixed text.
const PER_PIECE: f64 = 0.3;

/// The share of rows for which `function` is expected to be true; `args` are the arguments that are constants.
pub fn expected_share(function: &str, args: &[Option<&Literal>]) -> Option<f64> {
    match function {
        "like" | "ilike" => Some(pattern_share(text(args.get(1)?.as_ref()?)?)),
        "startswith" | "endswith" => Some(ANCHORED),
        "contains" | "rlike" => Some(CONTAINED),
        _ => None,
    }
}

fn text(l: &Literal) -> Option<&str> {
    match &l.value {
        ScalarValue::Utf8View(v) | ScalarValue::Utf8(v) => v.as_deref(),
        _ => None,
    }
}

fn pattern_share(pattern: &str) -> f64 {
    let pieces = pattern.split('%').filter(|p| !p.is_empty()).count();
    if pieces == 0 {
        // `%` keeps all.
        return 1.0;
    }
    let first = if pattern.starts_with('%') { CONTAINED } else { ANCHORED };
    first * PER_PIECE.powi(pieces as i32 - 1)
}

#[cfg(test)]
mod tests {
    use super::pattern_share;

    #[test]
    fn longer_patterns_keep_less() {
        assert_eq!(pattern_share("%"), 1.0);
        assert!(pattern_share("forest%") < pattern_share("%green%"));
        assert!(pattern_share("%special%requests%") < pattern_share("%special%"));
    }
}
