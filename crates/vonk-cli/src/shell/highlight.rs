//! Colours of SQL while it is typed, and the partner of the bracket at the cursor.
//!
//! Must not know: the grammar. What a word is, the tokens say.

use crate::style::{Role, Style};
use vonk::{ClassifiedToken, TokenClass, classify};

/// Longer texts are not coloured: they are drawn anew at each key.
const LONGEST: usize = 32 * 1024;

/// The text in colours.
pub fn colour(text: &str, style: Style) -> String {
    draw(text, style, None)
}

/// The text in colours, with the bracket at or before the cursor and its partner marked.
pub fn colour_at(text: &str, cursor: usize, style: Style) -> String {
    draw(text, style, Some(cursor))
}

fn draw(text: &str, style: Style, cursor: Option<usize>) -> String {
    if !style.is_coloured() || text.len() > LONGEST {
        return text.to_string();
    }
    let tokens = classify(text);
    let marked = cursor.map(|cursor| marked(text, &tokens, cursor)).unwrap_or_default();
    let mut out = String::with_capacity(text.len() * 2);
    let mut done = 0;
    for (at, token) in tokens.iter().enumerate() {
        out.push_str(&text[done..token.range.start]);
        let role = marked.iter().find(|(i, _)| *i == at).map(|m| m.1);
        let written = &text[token.range.clone()];
        match role.or_else(|| role_of(text, &tokens, at)) {
            Some(role) => out += &style.paint(role, written),
            None => out.push_str(written),
        }
        done = token.range.end;
    }
    out.push_str(&text[done..]);
    out
}

fn role_of(text: &str, tokens: &[ClassifiedToken], at: usize) -> Option<Role> {
    let class = |at: usize| tokens.get(at).map(|t| t.class);
    let after_dot = at > 0 && class(at - 1) == Some(TokenClass::Dot);
    let opens = |at: usize| tokens.get(at).is_some_and(|t| &text[t.range.clone()] == "(");
    match tokens[at].class {
        // No word is reserved: behind a dot each is a name.
        TokenClass::Keyword if !after_dot => Some(Role::Keyword),
        TokenClass::Name if opens(at + 1) => Some(Role::Function),
        TokenClass::Text => Some(Role::Text),
        TokenClass::Number => Some(Role::Number),
        TokenClass::QuotedName => Some(Role::Quoted),
        TokenClass::Comment | TokenClass::Hint => Some(Role::Dim),
        TokenClass::Unclosed => Some(Role::Text),
        TokenClass::Unrecognized => Some(Role::Error),
        _ => None,
    }
}

/// The bracket under the cursor, or else before it, and its partner; a bracket that has none is wrong.
fn marked(text: &str, tokens: &[ClassifiedToken], cursor: usize) -> Vec<(usize, Role)> {
    let bracket = |i: &usize| tokens[*i].class == TokenClass::Bracket;
    let at = |place: usize| (0..tokens.len()).filter(bracket).find(|i| tokens[*i].range.start == place);
    let Some(here) = at(cursor).or_else(|| cursor.checked_sub(1).and_then(at)) else { return vec![] };
    let sign = |i: usize| &text[tokens[i].range.clone()];
    let (partner_sign, forward) = match sign(here) {
        "(" => (")", true),
        "[" => ("]", true),
        ")" => ("(", false),
        _ => ("[", false),
    };
    let mut depth = 0;
    let mut matches = |i: &usize| {
        if sign(*i) == sign(here) {
            depth += 1;
        } else if sign(*i) == partner_sign {
            depth -= 1;
        }
        depth == 0
    };
    let partner = if forward {
        (here..tokens.len()).filter(bracket).find(&mut matches)
    } else {
        (0..=here).rev().filter(bracket).find(&mut matches)
    };
    match partner {
        Some(partner) => vec![(here, Role::Match), (partner, Role::Match)],
        None if forward => vec![], // Not typed yet.
        None => vec![(here, Role::Error)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(text: &str, cursor: usize) -> Vec<(usize, Role)> {
        let tokens = classify(text);
        marked(text, &tokens, cursor).into_iter().map(|(i, r)| (tokens[i].range.start, r)).collect()
    }

    #[test]
    fn words_are_coloured_by_what_they_are() {
        let coloured = colour("SELECT sum(t.date), 'x' -- y", Style::new(true));
        assert_eq!(
            coloured,
            "\x1b[1;34mSELECT\x1b[0m \x1b[36msum\x1b[0m(t.date), \x1b[32m'x'\x1b[0m \x1b[2m-- y\x1b[0m"
        );
        assert_eq!(colour("SELECT 1", Style::PLAIN), "SELECT 1");
    }

    #[test]
    fn brackets_find_their_partners_outside_of_strings() {
        let text = "a(b[1], ')', (c))";
        assert_eq!(marks(text, 1), [(1, Role::Match), (16, Role::Match)]);
        assert_eq!(marks(text, 17), [(16, Role::Match), (1, Role::Match)]);
        assert_eq!(marks(text, 3), [(3, Role::Match), (5, Role::Match)]);
        assert_eq!(marks(text, 9), []);
        assert_eq!(marks("a)", 2), [(1, Role::Error)]);
        assert_eq!(marks("(a", 1), []);
    }
}
