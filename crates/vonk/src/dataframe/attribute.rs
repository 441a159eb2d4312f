//! Names of columns as programs write them.

use vonk_error::{Error, Result, Span};
use vonk_plan::unresolved::Name;

/// Spark's `UnresolvedAttribute.parseAttributeName`: parts between dots, backticks around those that contain some.
pub(super) fn attribute_name(text: &str) -> Result<Name> {
    let invalid = || Error::new("INVALID_ATTRIBUTE_NAME_SYNTAX").with("name", text);
    let mut parts = Vec::new();
    let mut chars = text.chars().peekable();
    loop {
        let mut part = String::new();
        if chars.next_if_eq(&'`').is_some() {
            loop {
                match chars.next() {
                    Some('`') if chars.next_if_eq(&'`').is_some() => part.push('`'),
                    Some('`') => break,
                    Some(c) => part.push(c),
                    None => return Err(invalid()),
                }
            }
        } else {
            while let Some(c) = chars.next_if(|c| *c != '.' && *c != '`') {
                part.push(c);
            }
        }
        parts.push(part);
        match chars.next() {
            None => break,
            Some('.') if chars.peek().is_some() => {}
            Some(_) => return Err(invalid()),
        }
    }
    Ok(Name { parts, span: Span::NONE })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // A test fails by panicking.
    use super::*;

    #[test]
    fn names_have_parts() {
        let parts = |t: &str| attribute_name(t).map(|n| n.parts);
        assert_eq!(parts("a").unwrap(), ["a"]);
        assert_eq!(parts("a.b c").unwrap(), ["a", "b c"]);
        assert_eq!(parts("`a.b`.c").unwrap(), ["a.b", "c"]);
        assert_eq!(parts("`a``b`").unwrap(), ["a`b"]);
        for bad in ["a.", "`a", "`a`b", "a`b`"] {
            assert_eq!(parts(bad).unwrap_err().condition(), "INVALID_ATTRIBUTE_NAME_SYNTAX", "{bad}");
        }
    }
}
