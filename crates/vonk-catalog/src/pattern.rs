//! Patterns of SHOW commands.

/// Whether a name matches Spark's pattern: alternatives between `|`, `*` for any run of characters, all else as in a regular
/// expression's letters; case does not count. A name must match as a whole.
pub fn matches_pattern(name: &str, pattern: &str) -> bool {
    let name = name.to_lowercase();
    pattern.trim().to_lowercase().split('|').any(|p| wildcard(p.trim().as_bytes(), name.as_bytes()))
}

/// `*` is any run, `.` any byte. Linear, with back-tracking to the last star only.
fn wildcard(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == b'.' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((sp, sn)) => {
                    p = sp + 1;
                    n = sn + 1;
                    star = Some((sp, sn + 1));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        assert!(matches_pattern("lineitem", "line*"));
        assert!(matches_pattern("Orders", "line*|ORD*s"));
        assert!(!matches_pattern("orders", "order"));
        assert!(matches_pattern("orders", "*"));
        assert!(!matches_pattern("orders", ""));
    }
}
