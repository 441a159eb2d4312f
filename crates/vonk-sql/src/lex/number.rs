//! Spark's numbers: the longest match wins between a number with its suffix and a name that begins with digits.

use super::Kind;

/// What names are made of.
pub(crate) fn is_word_char(c: char) -> bool {
    c == '_' || c.is_ascii_digit() || c.is_alphabetic()
}

fn digits(b: &[u8], from: usize) -> usize {
    b[from..].iter().take_while(|c| c.is_ascii_digit()).count()
}

/// The number at the start of `text`, and its length; `None` if there is none, or a longer name.
pub(crate) fn number(text: &str) -> Option<(Kind, usize)> {
    let b = text.as_bytes();
    let whole = digits(b, 0);
    let has_point = b.get(whole) == Some(&b'.');
    if whole == 0 && !(has_point && digits(b, 1) > 0) {
        return None;
    }
    let word = text.find(|c| !is_word_char(c)).unwrap_or(text.len());
    let mut best = if whole == 0 { None } else { Some(integer(b, whole)) };
    if has_point {
        let mantissa = whole + 1 + digits(b, whole + 1);
        if let Some(found) = with_suffix(b, mantissa, Kind::Decimal, |end| !glued(b, end)) {
            best = best.filter(|(_, len)| *len > found.1).or(Some(found));
        }
    }
    best.filter(|(_, len)| *len >= word)
}

/// A decimal point's number must not run into a letter, a digit or an underscore.
fn glued(b: &[u8], end: usize) -> bool {
    b.get(end).is_some_and(|c| c.is_ascii_alphanumeric() || *c == b'_')
}

fn integer(b: &[u8], whole: usize) -> (Kind, usize) {
    let suffixed = match b.get(whole).map(u8::to_ascii_uppercase) {
        Some(b'L') => Some(Kind::Long),
        Some(b'S') => Some(Kind::Short),
        Some(b'Y') => Some(Kind::Byte),
        _ => None,
    };
    match suffixed {
        Some(kind) => (kind, whole + 1),
        None => with_suffix(b, whole, Kind::Integer, |_| true).unwrap_or((Kind::Integer, whole)),
    }
}

/// The longest of mantissa, exponent and suffix that is allowed to end where it ends.
fn with_suffix(b: &[u8], mantissa: usize, plain: Kind, ok: impl Fn(usize) -> bool) -> Option<(Kind, usize)> {
    let upper = |i: usize| b.get(i).map(u8::to_ascii_uppercase);
    let mut ends = vec![(plain, mantissa)];
    if upper(mantissa) == Some(b'E') {
        let sign = usize::from(matches!(b.get(mantissa + 1), Some(b'+' | b'-')));
        let n = digits(b, (mantissa + 1 + sign).min(b.len()));
        if n > 0 {
            ends.push((Kind::Exponent, mantissa + 1 + sign + n));
        }
    }
    let mut best = None;
    for (kind, end) in ends {
        let suffix = match (upper(end), upper(end + 1)) {
            (Some(b'B'), Some(b'D')) => Some((Kind::BigDecimal, end + 2)),
            (Some(b'F'), _) => Some((Kind::Float, end + 1)),
            (Some(b'D'), _) => Some((Kind::Double, end + 1)),
            _ => None,
        };
        for candidate in [Some((kind, end)), suffix].into_iter().flatten() {
            if ok(candidate.1) {
                best = Some(candidate);
            }
        }
    }
    best
}
