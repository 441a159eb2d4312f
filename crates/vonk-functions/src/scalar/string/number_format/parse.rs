//! Text as numbers in a format.

use super::format::{Digits, NumberFormat, Token};
use vonk_types::decimal::POW10;

impl NumberFormat {
    /// The unscaled value at the format's scale; `None` for text that does not match. Spaces do not count.
    pub fn read(&self, text: &str) -> Option<i128> {
        let text: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
        let mut rest = text.as_slice();
        let (mut whole, mut fraction) = (String::new(), String::new());
        let (mut negative, mut behind_point, mut opened) = (false, false, false);
        for token in &self.tokens {
            match (token, rest) {
                (Token::Digits(runs), _) if behind_point => {
                    let count: usize = runs.iter().map(|r| r.count).sum();
                    let found = rest.iter().take_while(|b| b.is_ascii_digit()).count();
                    if found > count {
                        return None;
                    }
                    fraction.extend(rest[..found].iter().map(|b| *b as char));
                    rest = &rest[found..];
                }
                (Token::Digits(runs), _) => rest = read_whole(runs, rest, &mut whole)?,
                (Token::Point, [b'.', tail @ ..]) => {
                    behind_point = true;
                    rest = tail;
                }
                // Without a point there is no fraction.
                (Token::Point, _) => behind_point = true,
                (Token::Dollar, [b'$', tail @ ..]) => rest = tail,
                (Token::Dollar, _) => return None,
                (Token::Sign, [b'+', tail @ ..]) => rest = tail,
                (Token::Sign | Token::Minus, [b'-', tail @ ..]) => {
                    negative = !negative;
                    rest = tail;
                }
                (Token::Opening, [b'<', tail @ ..]) => {
                    opened = true;
                    rest = tail;
                }
                (Token::Closing, [b'>', tail @ ..]) if opened => {
                    (opened, negative) = (false, !negative);
                    rest = tail;
                }
                _ => {}
            }
        }
        if !rest.is_empty() || opened || whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let missing = self.fraction.checked_sub(fraction.len())?;
        let digits: i128 = format!("0{whole}{fraction}").parse().ok()?;
        let value = digits.checked_mul(*POW10.get(missing)?)?;
        Some(if negative { -value } else { value })
    }
}

/// Digits between separators, matched with the format's from the right.
fn read_whole<'a>(runs: &[Digits], text: &'a [u8], out: &mut String) -> Option<&'a [u8]> {
    let length = text.iter().take_while(|b| b.is_ascii_digit() || **b == b',').count();
    let (digits, rest) = text.split_at(length);
    let mut found: Vec<&[u8]> = digits.split(|b| *b == b',').collect();
    if found.len() > runs.len() {
        return None;
    }
    found.reverse();
    for (i, run) in runs.iter().rev().enumerate() {
        let count = found.get(i).map_or(0, |f| f.len());
        if count > run.count || run.exact && count < run.count {
            return None;
        }
    }
    for part in found.iter().rev() {
        out.extend(part.iter().map(|b| *b as char));
    }
    Some(rest)
}
