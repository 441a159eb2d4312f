//! The word that somebody meant who wrote another one.

/// The candidate that differs least from `word`, case aside, if it differs by no more than a slip: one letter of three, two of up to eight,
/// three of more; letters that changed places are one. Among equals the one of the same length, then the first.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let ranked = candidates.into_iter().filter_map(|candidate| {
        let distance = distance(&word, candidate)?;
        Some((distance, word.len().abs_diff(candidate.len()), candidate))
    });
    ranked.min_by_key(|(distance, length, _)| (*distance, *length)).map(|(_, _, candidate)| candidate)
}

/// How far a candidate is from a word in lower case; `None` if too far, or if they are equal.
pub fn distance(word: &str, candidate: &str) -> Option<usize> {
    let letters = word.chars().count();
    let allowed = match letters {
        0..=1 => return None,
        2..=3 => 1,
        4..=8 => 2,
        _ => 3,
    };
    if candidate.len().abs_diff(word.len()) > 4 * allowed {
        return None;
    }
    let distance = strsim::osa_distance(word, &candidate.to_lowercase());
    (1..=allowed).contains(&distance).then_some(distance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_other_words_are_not() {
        let words = ["FOR", "FROM", "FORMAT", "WHERE", "lineitem"];
        assert_eq!(nearest("form", words), Some("FROM"));
        assert_eq!(nearest("WEHRE", words), Some("WHERE"));
        assert_eq!(nearest("linetiem", words), Some("lineitem"));
        assert_eq!(nearest("customer", words), None);
        assert_eq!(nearest("f", words), None);
        assert_eq!(nearest("from", words), Some("FOR"));
    }
}
