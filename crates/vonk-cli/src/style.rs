//! Colours: what a piece of text is, and how that is shown where colours are.
//!
//! The sixteen colours that every terminal has and whose shades are its user's to choose; nothing is told by colour alone.
//!
//! Must not know: what is printed.

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A keyword of SQL.
    Keyword,
    /// A function's name.
    Function,
    /// A string.
    Text,
    /// A number.
    Number,
    /// A quoted name.
    Quoted,
    /// A comment, a rule, a null: what the eye may pass over.
    Dim,
    /// The name of a column or of an operator, a heading.
    Heading,
    /// A bracket and its partner.
    Match,
    /// What is wrong.
    Error,
    /// What to do about it.
    Hint,
    /// The prompt.
    Prompt,
}

impl Role {
    fn code(self) -> &'static str {
        match self {
            Role::Keyword => "\x1b[1;34m",
            Role::Function => "\x1b[36m",
            Role::Text => "\x1b[32m",
            Role::Number => "\x1b[35m",
            Role::Quoted => "\x1b[33m",
            Role::Dim => "\x1b[2m",
            Role::Heading => "\x1b[1m",
            Role::Match => "\x1b[1;4m",
            Role::Error => "\x1b[1;31m",
            Role::Hint => "\x1b[36m",
            Role::Prompt => "\x1b[1;32m",
        }
    }
}

/// With colours or without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    coloured: bool,
}

impl Style {
    /// Without colours.
    pub const PLAIN: Style = Style { coloured: false };

    /// With colours if `coloured`.
    pub fn new(coloured: bool) -> Style {
        Style { coloured }
    }

    /// Whether there are colours.
    pub fn is_coloured(self) -> bool {
        self.coloured
    }

    /// The text as what it is.
    pub fn paint(self, role: Role, text: &str) -> String {
        if self.coloured && !text.is_empty() {
            format!("{}{text}\x1b[0m", role.code())
        } else {
            text.to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colours_the_text_is_the_text() {
        assert_eq!(Style::PLAIN.paint(Role::Error, "x"), "x");
        assert_eq!(Style::new(true).paint(Role::Error, "x"), "\x1b[1;31mx\x1b[0m");
        assert_eq!(Style::new(true).paint(Role::Error, ""), "");
    }
}
