//! Functions over text: a file a subject.

mod case;
mod charset;
mod compare;
mod concat;
mod decode;
mod distance;
mod format_number;
mod format_string;
mod length;
mod length_check;
mod like;
mod mask;
mod number_format;
mod pad;
mod replace;
mod search;
mod sentences;
mod slice;
mod trim;
mod utf8;

use crate::scalar::ScalarFunction;

/// All string functions: one line a subject.
pub(super) fn rows() -> Vec<ScalarFunction> {
    let mut rows = Vec::new();
    rows.extend(case::rows());
    rows.extend(charset::rows());
    rows.extend(compare::rows());
    rows.extend(concat::rows());
    rows.extend(decode::rows());
    rows.extend(distance::rows());
    rows.extend(format_number::rows());
    rows.extend(format_string::rows());
    rows.extend(length_check::rows());
    rows.extend(length::rows());
    rows.extend(like::rows());
    rows.extend(mask::rows());
    rows.extend(number_format::rows());
    rows.extend(pad::rows());
    rows.extend(replace::rows());
    rows.extend(search::rows());
    rows.extend(sentences::rows());
    rows.extend(slice::rows());
    rows.extend(trim::rows());
    rows.extend(utf8::rows());
    rows
}

/// Byte index of character `n`, or the length where there are fewer.
fn char_offset(s: &str, n: usize) -> usize {
    if s.is_ascii() {
        return n.min(s.len());
    }
    s.char_indices().nth(n).map_or(s.len(), |(i, _)| i)
}

/// Number of characters.
fn char_count(s: &str) -> usize {
    if s.is_ascii() { s.len() } else { s.chars().count() }
}

#[cfg(test)]
mod tests;
