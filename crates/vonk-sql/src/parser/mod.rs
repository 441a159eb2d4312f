//! Recursive descent over [`crate::lex`]'s tokens: one file a subject.
//!
//! Spark has (by default) no reserved words: whatever is not used as a keyword may be a name. Where both readings are possible the
//! parser looks one or two tokens ahead and prefers the keyword; it never tries one way and then another, so it is linear.
//! Chains of binary operators, of `AND`, of set operations are loops; what nests goes through [`Parser::nested`], which
//! counts levels and keeps the stack.

mod alter;
mod arguments;
mod boolean;
mod commands;
mod create;
mod from;
mod function;
mod grouping;
mod insert;
mod interval;
mod names;
mod pipe;
mod pivot;
mod primary;
mod query;
mod select;
mod set;
mod show;
mod special;
mod statement;
mod types;
mod value;
mod window;

use crate::lex::{Kind, Kw, Token, tokenize};
use crate::options::ParseOptions;
use vonk_error::{Error, Result, Span, check_cancelled};

/// Most levels of nesting.
const MAX_DEPTH: u32 = 400;
/// Most operators of one level in a chain such as `a + b + c`, whose tree leans to the left.
const MAX_CHAIN: usize = 20_000;

/// The parser's state: tokens and a position.
pub(crate) struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    pos: usize,
    options: &'a ParseOptions,
    depth: u32,
    /// The first error that is not one of syntax: it counts only where the whole text is well-formed.
    deferred: Option<Error>,
    /// Positional parameters seen so far.
    parameters: usize,
    /// A parameter by name was seen.
    named_parameters: bool,
    /// Inside of an item of a select list.
    in_item: bool,
    /// For each opening parenthesis the token that closes it; made when first asked for.
    closers: Option<Vec<u32>>,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(text: &'a str, options: &'a ParseOptions) -> Result<Parser<'a>> {
        let tokens = tokenize(text)?;
        Ok(Parser {
            text,
            tokens,
            pos: 0,
            options,
            depth: 0,
            deferred: None,
            parameters: 0,
            named_parameters: false,
            in_item: false,
            closers: None,
        })
    }

    // ---- looking ----

    fn token(&self) -> Token {
        self.tokens[self.pos]
    }

    /// The token `n` further on, or the end.
    fn ahead(&self, n: usize) -> Token {
        self.tokens[(self.pos + n).min(self.tokens.len() - 1)]
    }

    fn kind(&self) -> Kind {
        self.token().kind
    }

    fn kw(&self) -> Kw {
        self.token().kw
    }

    fn at(&self, kind: Kind) -> bool {
        self.kind() == kind
    }

    fn at_kw(&self, kw: Kw) -> bool {
        self.kw() == kw
    }

    fn at_any(&self, kws: &[Kw]) -> bool {
        kws.contains(&self.kw())
    }

    /// This keyword, and that one next.
    fn at_kws(&self, kws: &[Kw]) -> bool {
        kws.iter().enumerate().all(|(i, kw)| self.ahead(i).kw == *kw)
    }

    fn text_of(&self, t: Token) -> &'a str {
        &self.text[t.start as usize..t.end as usize]
    }

    // ---- moving ----

    fn advance(&mut self) -> Token {
        let t = self.token();
        if t.kind != Kind::Eof {
            self.pos += 1;
        }
        t
    }

    fn eat(&mut self, kind: Kind) -> bool {
        let found = self.at(kind);
        if found {
            self.pos += 1;
        }
        found
    }

    fn eat_kw(&mut self, kw: Kw) -> bool {
        let found = self.at_kw(kw);
        if found {
            self.pos += 1;
        }
        found
    }

    fn eat_any(&mut self, kws: &[Kw]) -> Option<Kw> {
        let kw = self.kw();
        let found = kw != Kw::Other && kws.contains(&kw);
        if found {
            self.pos += 1;
        }
        found.then_some(kw)
    }

    /// All of these keywords, or none.
    fn eat_kws(&mut self, kws: &[Kw]) -> bool {
        let found = self.at_kws(kws);
        if found {
            self.pos += kws.len();
        }
        found
    }

    fn expect(&mut self, kind: Kind) -> Result<()> {
        if self.eat(kind) {
            return Ok(());
        }
        Err(if self.ahead(1).kind == kind && !self.at(Kind::Eof) { self.extra() } else { self.unexpected() })
    }

    fn expect_kw(&mut self, kw: Kw) -> Result<()> {
        if self.eat_kw(kw) {
            return Ok(());
        }
        Err(if self.ahead(1).kw == kw { self.extra() } else { self.unexpected() })
    }

    fn expect_kws(&mut self, kws: &[Kw]) -> Result<()> {
        kws.iter().try_for_each(|kw| self.expect_kw(*kw))
    }

    /// Expects what nothing else could stand for; the message then names it, as Spark's does: an extra token in front of it, or its
    /// absence.
    fn require(&mut self, kind: Kind, shown: &str) -> Result<()> {
        if self.eat(kind) {
            return Ok(());
        }
        Err(if self.ahead(1).kind == kind { self.extra() } else { self.missing(shown) })
    }

    /// [`Parser::require`] for a keyword. `may_end`: nothing needs to follow it, so that it can be what is missing at the end of the text.
    fn require_kw(&mut self, kw: Kw, may_end: bool) -> Result<()> {
        if self.eat_kw(kw) {
            return Ok(());
        }
        if self.ahead(1).kw == kw {
            return Err(self.extra());
        }
        Err(if self.at(Kind::Eof) && !may_end {
            self.unexpected()
        } else {
            self.missing(&format!("'{}'", kw.text()))
        })
    }

    // ---- places ----

    fn start(&self) -> u32 {
        self.token().start
    }

    /// The place from a token's start to the end of the last token taken.
    fn span_from(&self, start: u32) -> Span {
        let end = if self.pos == 0 { start } else { self.tokens[self.pos - 1].end };
        Span { source: self.options.source, start, end }
    }

    fn span_of(&self, t: Token) -> Span {
        Span { source: self.options.source, start: t.start, end: t.end }
    }

    /// The text of a place.
    fn slice(&self, span: Span) -> &'a str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or("")
    }

    // ---- errors ----

    fn syntax(&self, hint: &str) -> Error {
        let t = self.token();
        let (error, span) = match t.kind {
            Kind::Eof => ("end of input".to_string(), self.end_span()),
            _ => (format!("'{}'", self.text_of(t)), self.span_of(t)),
        };
        Error::new("PARSE_SYNTAX_ERROR").with("error", error).with("hint", hint).at(span)
    }

    /// The last character of the text, where the end of input is shown.
    fn end_span(&self) -> Span {
        let last = self.tokens.len().checked_sub(2).map_or(0, |i| self.tokens[i].end as usize);
        let width = self.text[..last].chars().next_back().map_or(0, char::len_utf8);
        Span { source: self.options.source, ..Span::new(last - width, last) }
    }

    /// A syntax error at the current token.
    fn unexpected(&self) -> Error {
        self.syntax("")
    }

    /// A token too many.
    fn extra(&self) -> Error {
        let t = self.token();
        self.syntax(&format!(": extra input '{}'", self.text_of(t)))
    }

    /// A token is missing in front of the current one.
    fn missing(&self, shown: &str) -> Error {
        self.syntax(&format!(": missing {shown}"))
    }

    /// Keeps an error of meaning for later and goes on with `fallback`, so that errors of syntax further on come first, as in Spark,
    /// which looks at meaning only when all text is parsed. Errors of syntax are returned.
    fn or_defer<T>(&mut self, result: Result<T>, fallback: T) -> Result<T> {
        match result {
            Err(e) if !matches!(e.condition(), "PARSE_SYNTAX_ERROR" | "_STATEMENT_TOO_COMPLEX") => {
                self.deferred.get_or_insert(e);
                Ok(fallback)
            }
            other => other,
        }
    }

    /// What was parsed, unless an error was deferred.
    pub(crate) fn checked<T>(&mut self, parsed: T) -> Result<T> {
        match self.deferred.take() {
            Some(e) => Err(e),
            None => Ok(parsed),
        }
    }

    /// Nothing may follow but semicolons.
    pub(crate) fn finish(&mut self) -> Result<()> {
        let mut separated = false;
        while self.eat(Kind::Semicolon) {
            separated = true;
        }
        if self.at(Kind::Eof) {
            return Ok(());
        }
        let last = matches!(self.ahead(1).kind, Kind::Eof | Kind::Semicolon);
        Err(if separated || last { self.extra() } else { self.unexpected() })
    }

    // ---- nesting ----

    /// Runs a step one level deeper: refuses too many levels, and grows the stack where it is short.
    fn nested<T>(&mut self, step: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= MAX_DEPTH {
            return Err(Error::new("_STATEMENT_TOO_COMPLEX")
                .with("what", "its nesting")
                .with("limit", format!("{MAX_DEPTH} levels"))
                .at(self.span_of(self.token())));
        }
        check_cancelled()?;
        self.depth += 1;
        let result = stacker::maybe_grow(128 * 1024, 2 * 1024 * 1024, || step(self));
        self.depth -= 1;
        result
    }

    /// Refuses chains of one level that would make too deep a tree.
    fn check_chain(&self, links: usize) -> Result<()> {
        if links <= MAX_CHAIN {
            return Ok(());
        }
        Err(Error::new("_STATEMENT_TOO_COMPLEX")
            .with("what", "a chain of operators")
            .with("limit", format!("{MAX_CHAIN} operators"))
            .at(self.span_of(self.token())))
    }

    /// The token that closes the parenthesis at `open`; the end of the text if none does.
    fn closer(&mut self, open: usize) -> usize {
        let tokens = &self.tokens;
        let closers = self.closers.get_or_insert_with(|| {
            let end = tokens.len() as u32 - 1;
            let mut closers = vec![end; tokens.len()];
            let mut stack = Vec::new();
            for (i, t) in tokens.iter().enumerate() {
                match t.kind {
                    Kind::LParen => stack.push(i),
                    Kind::RParen => {
                        if let Some(open) = stack.pop() {
                            closers[open] = i as u32;
                        }
                    }
                    _ => {}
                }
            }
            closers
        });
        closers[open] as usize
    }

    /// `item, item, …`
    fn comma_list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let mut out = vec![item(self)?];
        while self.eat(Kind::Comma) {
            out.push(item(self)?);
        }
        Ok(out)
    }

    /// `(item, item, …)`
    fn paren_list<T>(&mut self, item: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        self.expect(Kind::LParen)?;
        let out = self.comma_list(item)?;
        self.expect(Kind::RParen)?;
        Ok(out)
    }
}
