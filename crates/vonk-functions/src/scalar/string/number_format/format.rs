//! Number formats: reading and checking them.

use vonk_error::{Error, Result};
use vonk_types::DataType;
use vonk_types::sql_literal::quote_string;

/// A piece of a format.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// Digits between thousands separators: how many, and whether they begin with `0`: then all must be there.
    Digits(Vec<Digits>),
    Point,
    Dollar,
    /// `S`.
    Sign,
    /// `MI`.
    Minus,
    /// What `PR` puts before the number.
    Opening,
    /// And behind it.
    Closing,
}

/// A run of digits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Digits {
    pub count: usize,
    pub exact: bool,
}

/// A checked format.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct NumberFormat {
    pub tokens: Vec<Token>,
    /// Digits before and behind the point.
    pub whole: usize,
    pub fraction: usize,
}

/// As read, before digits are grouped.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Raw {
    Digits(Digits),
    Point,
    Thousands,
    Dollar,
    Sign,
    Minus,
    Brackets,
    Unknown(char),
}

fn invalid(condition: &'static str, format: &str) -> Error {
    Error::new(condition).with("format", quote_string(format))
}

impl NumberFormat {
    /// Reads a format; letters may be of either case.
    pub fn parse(text: &str) -> Result<NumberFormat> {
        let text = text.to_uppercase();
        let raw = read(&text);
        check(&raw, &text)?;
        let tokens = group(&raw);
        check_order(&tokens, &raw, &text)?;
        let (mut whole, mut fraction, mut behind) = (0, 0, false);
        for token in &tokens {
            match token {
                Token::Point => behind = true,
                Token::Digits(runs) => {
                    let count: usize = runs.iter().map(|d| d.count).sum();
                    if behind { fraction += count } else { whole += count }
                }
                _ => {}
            }
        }
        let mut tokens = tokens;
        if raw.contains(&Raw::Brackets) {
            tokens.insert(0, Token::Opening);
        }
        Ok(NumberFormat { tokens, whole, fraction })
    }

    /// The type of the numbers it reads.
    pub fn decimal_type(&self) -> DataType {
        let scale = self.fraction.min(38);
        DataType::Decimal((self.whole + self.fraction).clamp(1, 38) as u8, scale as i8)
    }
}

fn read(text: &str) -> Vec<Raw> {
    let mut raw = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let mut length = c.len_utf8();
        raw.push(match c {
            '0' | '9' => {
                let end = rest.find(|c| c != '0' && c != '9').unwrap_or(rest.len());
                length = end;
                Raw::Digits(Digits { count: end, exact: c == '0' })
            }
            '.' | 'D' => Raw::Point,
            ',' | 'G' => Raw::Thousands,
            '$' => Raw::Dollar,
            'S' => Raw::Sign,
            'M' if rest.starts_with("MI") => {
                length = 2;
                Raw::Minus
            }
            'P' if rest.starts_with("PR") => {
                length = 2;
                Raw::Brackets
            }
            c => Raw::Unknown(c),
        });
        rest = &rest[length..];
    }
    raw
}

fn check(raw: &[Raw], text: &str) -> Result<()> {
    if raw.is_empty() {
        return Err(invalid("INVALID_FORMAT.EMPTY", text));
    }
    let is_digits = |t: &&Raw| matches!(t, Raw::Digits(_));
    let digits = |t: Option<&Raw>| t.as_ref().is_some_and(is_digits);
    let first_digit = raw.iter().position(|t| is_digits(&t));
    let Some(first_digit) = first_digit else { return Err(invalid("INVALID_FORMAT.WRONG_NUM_DIGIT", text)) };
    let point = raw.iter().position(|t| *t == Raw::Point);
    for (i, _) in raw.iter().enumerate().filter(|(_, t)| **t == Raw::Thousands) {
        if point.is_some_and(|p| p < i) {
            return Err(invalid("INVALID_FORMAT.THOUSANDS_SEPS_MUST_BEFORE_DEC", text));
        }
        if i == 0 || !digits(raw.get(i - 1)) || !digits(raw.get(i + 1)) {
            return Err(invalid("INVALID_FORMAT.CONT_THOUSANDS_SEPS", text));
        }
    }
    if let Some(dollar) = raw.iter().position(|t| *t == Raw::Dollar) {
        if first_digit < dollar {
            return Err(invalid("INVALID_FORMAT.CUR_MUST_BEFORE_DIGIT", text));
        }
        if point.is_some_and(|p| p < dollar) {
            return Err(invalid("INVALID_FORMAT.CUR_MUST_BEFORE_DEC", text));
        }
    }
    let names = [
        (Raw::Point, ". or D"),
        (Raw::Dollar, "$"),
        (Raw::Sign, "S"),
        (Raw::Minus, "MI"),
        (Raw::Brackets, "PR"),
    ];
    for (token, name) in names {
        if raw.iter().filter(|t| **t == token).count() > 1 {
            return Err(invalid("INVALID_FORMAT.WRONG_NUM_TOKEN", text).with("token", name));
        }
    }
    Ok(())
}

/// Digits and separators become one token.
fn group(raw: &[Raw]) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut joined = false;
    for r in raw {
        match r {
            Raw::Digits(d) => match tokens.last_mut() {
                Some(Token::Digits(runs)) if joined => runs.push(*d),
                _ => tokens.push(Token::Digits(vec![*d])),
            },
            Raw::Point => tokens.push(Token::Point),
            Raw::Dollar => tokens.push(Token::Dollar),
            Raw::Sign => tokens.push(Token::Sign),
            Raw::Minus => tokens.push(Token::Minus),
            Raw::Brackets => tokens.push(Token::Closing),
            Raw::Thousands | Raw::Unknown(_) => {}
        }
        joined = *r == Raw::Thousands;
    }
    tokens
}

/// `[MI|S] [$] digits [.] digits [$] [PR|MI|S]`, each at its place.
fn check_order(tokens: &[Token], raw: &[Raw], text: &str) -> Result<()> {
    let unexpected = |token: String| invalid("INVALID_FORMAT.UNEXPECTED_TOKEN", text).with("token", token);
    if let Some(c) = raw.iter().find_map(|t| if let Raw::Unknown(c) = t { Some(c) } else { None }) {
        return Err(unexpected(format!("character '{c}''")));
    }
    let places: [fn(&Token) -> bool; 7] = [
        |t| matches!(t, Token::Minus | Token::Sign),
        |t| matches!(t, Token::Dollar),
        |t| matches!(t, Token::Digits(_)),
        |t| matches!(t, Token::Point),
        |t| matches!(t, Token::Digits(_)),
        |t| matches!(t, Token::Dollar),
        |t| matches!(t, Token::Closing | Token::Minus | Token::Sign),
    ];
    let mut rest = tokens.iter().peekable();
    for fits in places {
        rest.next_if(|t| fits(t));
    }
    match rest.next() {
        None => Ok(()),
        Some(token) => Err(unexpected(
            match token {
                Token::Digits(_) => "digit sequence",
                Token::Point => ". or D",
                Token::Dollar => "$",
                Token::Sign => "S",
                Token::Minus => "MI",
                Token::Opening | Token::Closing => "PR",
            }
            .to_string(),
        )),
    }
}
