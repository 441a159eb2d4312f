//! A compiled pattern, and matches one behind the other as Java finds them.

use super::java::translate;
use regex::Regex;
use vonk_error::{Error, Result};
use vonk_types::sql_literal::quote_string;

/// A compiled pattern.
pub(super) struct Pattern {
    plain: Engine,
    /// For texts that end with a line terminator, where that makes a difference.
    at_terminator: Option<Engine>,
    groups: usize,
}

enum Engine {
    /// Linear.
    Automaton(Regex),
    /// Backtracking.
    Backtracking(Box<fancy_regex::Regex>),
}

/// Places of a match and its groups.
pub(super) type Groups = Vec<Option<(usize, usize)>>;

/// Size that a compiled pattern may have.
const SIZE_LIMIT: usize = 64 << 20;

impl Engine {
    fn compile(pattern: &str, fancy: bool) -> Option<Engine> {
        if !fancy {
            let built = regex::RegexBuilder::new(pattern).size_limit(SIZE_LIMIT).build();
            return built.ok().map(Engine::Automaton);
        }
        fancy_regex::Regex::new(pattern).ok().map(|r| Engine::Backtracking(Box::new(r)))
    }

    fn captures_len(&self) -> usize {
        match self {
            Engine::Automaton(r) => r.captures_len(),
            Engine::Backtracking(r) => r.captures_len(),
        }
    }

    fn is_match(&self, text: &str) -> Result<bool> {
        match self {
            Engine::Automaton(r) => Ok(r.is_match(text)),
            Engine::Backtracking(r) => r.is_match(text).map_err(too_complex),
        }
    }

    fn find(&self, text: &str, from: usize) -> Result<Option<(usize, usize)>> {
        match self {
            Engine::Automaton(r) => Ok(r.find_at(text, from).map(|m| (m.start(), m.end()))),
            Engine::Backtracking(r) => {
                let found = r.find_from_pos(text, from).map_err(too_complex)?;
                Ok(found.map(|m| (m.start(), m.end())))
            }
        }
    }

    fn captures(&self, text: &str, from: usize) -> Result<Option<Groups>> {
        Ok(match self {
            Engine::Automaton(r) => {
                r.captures_at(text, from).map(|c| c.iter().map(|m| m.map(|m| (m.start(), m.end()))).collect())
            }
            Engine::Backtracking(r) => r
                .captures_from_pos(text, from)
                .map_err(too_complex)?
                .map(|c| (0..c.len()).map(|i| c.get(i).map(|m| (m.start(), m.end()))).collect()),
        })
    }

    fn group(&self, name: &str) -> Option<usize> {
        let mut names: Box<dyn Iterator<Item = Option<&str>>> = match self {
            Engine::Automaton(r) => Box::new(r.capture_names()),
            Engine::Backtracking(r) => Box::new(r.capture_names()),
        };
        names.position(|n| n == Some(name))
    }
}

fn too_complex(_: fancy_regex::Error) -> Error {
    Error::new("_STATEMENT_TOO_COMPLEX")
        .with("what", "the number of steps of a regular expression")
        .with("limit", "1000000")
}

/// Spark's error for a pattern that is none.
fn malformed(pattern: &str, function: &str) -> Error {
    Error::new("INVALID_PARAMETER_VALUE.PATTERN")
        .with("parameter", "`regexp`")
        .with("functionName", format!("`{function}`"))
        .with("value", quote_string(pattern))
}

fn ends_with_terminator(text: &str) -> bool {
    text.ends_with(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'])
}

impl Pattern {
    /// Compiles a Java pattern for a function.
    pub fn compile(pattern: &str, function: &str) -> Result<Pattern> {
        let compile = || {
            let t = translate(pattern)?;
            let plain = Engine::compile(&t.plain, t.fancy)?;
            let at_terminator = match &t.at_terminator {
                Some(p) => Some(Engine::compile(p, true)?),
                None => None,
            };
            let groups = plain.captures_len() - 1;
            Some(Pattern { plain, at_terminator, groups })
        };
        compile().ok_or_else(|| malformed(pattern, function))
    }

    /// Number of capturing groups.
    pub fn groups(&self) -> usize {
        self.groups
    }

    /// The number of a named group.
    pub fn group(&self, name: &str) -> Option<usize> {
        self.plain.group(name)
    }

    fn engine(&self, text: &str) -> &Engine {
        match &self.at_terminator {
            Some(engine) if ends_with_terminator(text) => engine,
            _ => &self.plain,
        }
    }

    /// Whether it matches somewhere.
    pub fn is_match(&self, text: &str) -> Result<bool> {
        self.engine(text).is_match(text)
    }

    /// The first match.
    pub fn find(&self, text: &str) -> Result<Option<(usize, usize)>> {
        self.engine(text).find(text, 0)
    }

    /// The first match with its groups.
    pub fn captures(&self, text: &str) -> Result<Option<Groups>> {
        self.engine(text).captures(text, 0)
    }

    /// Calls `f` for each match in turn until it answers `false`.
    pub fn each_match(&self, text: &str, mut f: impl FnMut(usize, usize) -> Result<bool>) -> Result<()> {
        let engine = self.engine(text);
        let mut from = 0;
        while from <= text.len() {
            let Some((start, end)) = engine.find(text, from)? else { return Ok(()) };
            if !f(start, end)? {
                return Ok(());
            }
            from = behind(text, start, end);
        }
        Ok(())
    }

    /// As [`each_match`](Self::each_match), with groups.
    pub fn each_captures(&self, text: &str, mut f: impl FnMut(&Groups) -> Result<bool>) -> Result<()> {
        let engine = self.engine(text);
        let mut from = 0;
        while from <= text.len() {
            let Some(groups) = engine.captures(text, from)? else { return Ok(()) };
            // The whole match always is there.
            let (start, end) = groups[0].unwrap_or((from, from));
            if !f(&groups)? {
                return Ok(());
            }
            from = behind(text, start, end);
        }
        Ok(())
    }
}

/// Where Java looks for the next match: behind the last, one character further behind an empty one.
fn behind(text: &str, start: usize, end: usize) -> usize {
    if end > start { end } else { end + text[end..].chars().next().map_or(1, char::len_utf8) }
}

/// Patterns of an argument: one that stays the same is compiled once.
pub(super) struct Patterns {
    function: &'static str,
    last: Option<(String, Pattern)>,
}

impl Patterns {
    /// For a function, by the name in its errors.
    pub fn of(function: &'static str) -> Patterns {
        Patterns { function, last: None }
    }

    /// The compiled pattern.
    pub fn get(&mut self, pattern: &str) -> Result<&Pattern> {
        if self.last.as_ref().is_none_or(|(same, _)| same != pattern) {
            self.last = Some((pattern.to_string(), Pattern::compile(pattern, self.function)?));
        }
        match &self.last {
            Some((_, compiled)) => Ok(compiled),
            None => vonk_error::internal_err!("a pattern that was just compiled"),
        }
    }
}

/// A text without its first `n` characters.
pub(super) fn without_first(text: &str, n: usize) -> Option<&str> {
    match n {
        0 => Some(text),
        n => text.char_indices().nth(n).map(|(i, _)| &text[i..]),
    }
}

/// A part of a text, empty where the group took no part.
pub(super) fn slice<'a>(text: &'a str, group: Option<&Option<(usize, usize)>>) -> &'a str {
    match group {
        Some(Some((start, end))) => &text[*start..*end],
        _ => &text[..0],
    }
}
