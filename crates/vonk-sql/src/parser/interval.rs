//! Interval literals as they stand in the grammar: `INTERVAL 1 DAY 2 HOURS`, `INTERVAL '1-2' YEAR TO MONTH`.

use super::Parser;
use crate::lex::{Kind, Kw};
use crate::literal::interval;
use vonk_error::{Error, Result};
use vonk_plan::unresolved::Expr;
use vonk_types::{DataType, Literal};

impl Parser<'_> {
    /// At `INTERVAL`. `None` where no value and unit follow: then it is a name, or a typed literal.
    pub(super) fn interval(&mut self) -> Result<Option<Expr>> {
        let start = self.start();
        let signed = usize::from(matches!(self.ahead(1).kind, Kind::Plus | Kind::Minus));
        let value = self.ahead(1 + signed);
        let unit = self.ahead(2 + signed);
        let is_number = matches!(value.kind, Kind::Integer | Kind::Decimal);
        if !(is_number || self.is_string(value)) {
            return Ok(None);
        }
        if !self.is_unit(unit) {
            if self.is_string(value) && signed == 0 {
                return Ok(None);
            }
            if unit.kind == Kind::Eof || is_number || signed == 1 {
                self.pos += 2 + signed;
                return Err(self.unexpected());
            }
            return Ok(None);
        }
        self.pos += 1;
        let mut pairs = Vec::new();
        let mut ranges = 0;
        let mut range = None;
        while self.at_interval_value() {
            let (value, negative, from_string) = self.interval_value()?;
            let t = self.advance();
            let unit = self.text_of(t).to_string();
            if self.at_kw(Kw::To) && self.is_unit(self.ahead(1)) {
                self.pos += 1;
                let t = self.advance();
                let to = self.text_of(t).to_string();
                ranges += 1;
                range = Some((value, negative, from_string, unit, to));
            } else {
                let value = self.pair_value(value, negative, from_string, start);
                pairs.push((self.or_defer(value, "0".to_string())?, unit));
            }
        }
        let signed = usize::from(matches!(self.kind(), Kind::Plus | Kind::Minus));
        if signed == 0 && matches!(self.kind(), Kind::Integer | Kind::Decimal) {
            self.pos += 1;
            return Err(self.unexpected());
        }
        let span = self.span_from(start);
        let literal = match range {
            None => interval::multi_unit(&pairs, self.slice(span)),
            Some(_) if ranges > 1 || !pairs.is_empty() => Err(Error::new("_LEGACY_ERROR_TEMP_0024")),
            Some((_, _, false, _, _)) => Err(Error::new("_LEGACY_ERROR_TEMP_0027")),
            Some((value, negative, true, from, to)) => {
                interval::unit_to_unit(&value, negative, &interval::singular(&from), &interval::singular(&to))
            }
        };
        let literal = self.or_defer(literal.map_err(|e| e.at(span)), Literal::null(DataType::Null))?;
        Ok(Some(Expr::literal(literal, span)))
    }

    fn is_unit(&self, t: crate::lex::Token) -> bool {
        t.kind == Kind::Word && interval::is_unit(self.text_of(t))
    }

    fn at_interval_value(&self) -> bool {
        let signed = usize::from(matches!(self.kind(), Kind::Plus | Kind::Minus));
        let value = self.ahead(signed);
        (matches!(value.kind, Kind::Integer | Kind::Decimal) || self.is_string(value))
            && self.is_unit(self.ahead(signed + 1))
    }

    /// The value's text, whether a minus stood before it, and whether it was a string.
    fn interval_value(&mut self) -> Result<(String, bool, bool)> {
        let negative = self.at(Kind::Minus);
        if negative || self.at(Kind::Plus) {
            self.pos += 1;
        }
        let t = self.advance();
        if self.is_string(t) {
            return Ok((self.string_text(t), negative, true));
        }
        Ok((self.text_of(t).to_string(), negative, false))
    }

    /// A value before a single unit: a number, also in a string.
    fn pair_value(&self, value: String, negative: bool, from_string: bool, start: u32) -> Result<String> {
        let trimmed = value.trim();
        let digits = trimmed.trim_start_matches(['-', '+']);
        let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let unit_like = trimmed.is_empty() || matches!(trimmed, "-" | "+");
        if from_string && unit_like {
            let unit = self.tokens.get(self.pos - 1).map_or("", |t| self.text_of(*t));
            let input = format!(" {trimmed} {unit}");
            let unit = unit.to_ascii_lowercase();
            let e = match trimmed {
                "" => Error::new("INVALID_INTERVAL_FORMAT.UNRECOGNIZED_NUMBER").with("number", unit),
                _ => Error::new("INVALID_INTERVAL_FORMAT.INVALID_VALUE").with("value", unit),
            };
            return Err(e.with("input", input).at(self.span_from(start)));
        }
        if from_string && !is_number {
            return Err(Error::new("_LEGACY_ERROR_TEMP_0026").with("value", value).at(self.span_from(start)));
        }
        Ok(match (negative, trimmed.strip_prefix('-')) {
            (true, Some(positive)) => positive.to_string(),
            (true, None) => format!("-{}", trimmed.trim_start_matches('+')),
            (false, _) => trimmed.to_string(),
        })
    }
}
