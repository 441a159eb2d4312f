//! Reading types written as DDL text: `array<int>`, `decimal(10,2)`, `struct<a:int>`, `a INT, b STRING`.

use crate::data_type::{DataType, DayTimeField, StructField, StructType, YearMonthField};

/// Types within types beyond this depth are refused.
const MAX_DEPTH: usize = 400;

/// Reads a type. `None` if the text is no type.
pub fn parse_data_type(text: &str) -> Option<DataType> {
    let mut p = Parser::new(text)?;
    let t = p.data_type(0)?;
    p.at_end().then_some(t)
}

/// Reads a table schema (`a INT, b STRING NOT NULL COMMENT 'x'`), or a struct type.
pub fn parse_schema(text: &str) -> Option<StructType> {
    let mut p = Parser::new(text)?;
    if let Some(fields) = p.fields(0, None) {
        return Some(StructType::new(fields));
    }
    match parse_data_type(text)? {
        DataType::Struct(s) => Some(s),
        _ => None,
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Quoted(String),
    Text(String),
    Mark(char),
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

/// The text between two quotes, with doubled quotes as one; and what follows.
fn quoted(s: &str, quote: char) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut chars = s.char_indices().peekable();
    while let Some((i, c)) = chars.next() {
        if c != quote {
            out.push(c);
        } else if chars.peek().is_some_and(|(_, next)| *next == quote) {
            out.push(quote);
            chars.next();
        } else {
            return Some((out, &s[i + quote.len_utf8()..]));
        }
    }
    None
}

impl Parser {
    fn new(text: &str) -> Option<Self> {
        let mut tokens = Vec::new();
        let mut rest = text.trim_start();
        while let Some(c) = rest.chars().next() {
            let tail = &rest[c.len_utf8()..];
            rest = match c {
                '`' => {
                    let (name, tail) = quoted(tail, '`')?;
                    tokens.push(Token::Quoted(name));
                    tail
                }
                '\'' | '"' => {
                    let (text, tail) = quoted(tail, c)?;
                    tokens.push(Token::Text(text));
                    tail
                }
                '<' | '>' | '(' | ')' | ',' | ':' => {
                    tokens.push(Token::Mark(c));
                    tail
                }
                c if c.is_alphanumeric() || c == '_' => {
                    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
                    tokens.push(Token::Word(rest[..end].to_string()));
                    &rest[end..]
                }
                _ => return None,
            }
            .trim_start();
        }
        Some(Parser { tokens, at: 0 })
    }

    fn at_end(&self) -> bool {
        self.at == self.tokens.len()
    }

    fn mark(&mut self, c: char) -> Option<()> {
        let found = self.tokens.get(self.at) == Some(&Token::Mark(c));
        self.at += usize::from(found);
        found.then_some(())
    }

    fn word(&mut self) -> Option<String> {
        match self.tokens.get(self.at)? {
            Token::Word(w) => {
                self.at += 1;
                Some(w.to_ascii_lowercase())
            }
            _ => None,
        }
    }

    fn keyword(&mut self, word: &str) -> Option<()> {
        match self.tokens.get(self.at)? {
            Token::Word(w) if w.eq_ignore_ascii_case(word) => {
                self.at += 1;
                Some(())
            }
            _ => None,
        }
    }

    fn data_type(&mut self, depth: usize) -> Option<DataType> {
        if depth > MAX_DEPTH {
            return None;
        }
        Some(match self.word()?.as_str() {
            "boolean" => DataType::Boolean,
            "tinyint" | "byte" => DataType::Byte,
            "smallint" | "short" => DataType::Short,
            "int" | "integer" => DataType::Int,
            "bigint" | "long" => DataType::Long,
            "float" | "real" => DataType::Float,
            "double" => DataType::Double,
            "decimal" | "dec" | "numeric" => self.decimal()?,
            "string" => {
                if self.keyword("collate").is_some() {
                    self.word()?;
                }
                DataType::String
            }
            "char" | "character" | "varchar" => {
                self.mark('(')?;
                self.number()?;
                self.mark(')')?;
                DataType::String
            }
            "binary" => DataType::Binary,
            "date" => DataType::Date,
            "timestamp" | "timestamp_ltz" => DataType::Timestamp,
            "timestamp_ntz" => DataType::TimestampNtz,
            "void" | "null" => DataType::Null,
            "interval" => self.interval()?,
            "array" => {
                self.mark('<')?;
                let element = self.data_type(depth + 1)?;
                self.mark('>')?;
                DataType::array(element, true)
            }
            "map" => {
                self.mark('<')?;
                let key = self.data_type(depth + 1)?;
                self.mark(',')?;
                let value = self.data_type(depth + 1)?;
                self.mark('>')?;
                DataType::map(key, value, true)
            }
            "struct" => {
                self.mark('<')?;
                let fields =
                    if self.mark('>').is_some() { vec![] } else { self.fields(depth + 1, Some('>'))? };
                DataType::Struct(StructType::new(fields))
            }
            _ => return None,
        })
    }

    fn number(&mut self) -> Option<u8> {
        self.word()?.parse().ok()
    }

    fn decimal(&mut self) -> Option<DataType> {
        if self.mark('(').is_none() {
            return Some(DataType::DECIMAL_DEFAULT);
        }
        let precision = self.number()?;
        let scale = if self.mark(',').is_some() { self.number()? } else { 0 };
        self.mark(')')?;
        let ok = precision <= DataType::MAX_PRECISION && scale <= precision && precision > 0;
        ok.then_some(DataType::Decimal(precision, scale as i8))
    }

    fn interval(&mut self) -> Option<DataType> {
        let field = |w: &str| {
            Some(match w.trim_end_matches('s') {
                "year" => (Some(YearMonthField::Year), None),
                "month" => (Some(YearMonthField::Month), None),
                "day" => (None, Some(DayTimeField::Day)),
                "hour" => (None, Some(DayTimeField::Hour)),
                "minute" => (None, Some(DayTimeField::Minute)),
                "second" => (None, Some(DayTimeField::Second)),
                _ => return None,
            })
        };
        let start = match self.tokens.get(self.at) {
            Some(Token::Word(w)) => field(&w.to_ascii_lowercase()),
            _ => None,
        };
        let Some(start) = start else { return Some(DataType::CalendarInterval) };
        self.at += 1;
        let end = if self.keyword("to").is_some() { field(&self.word()?)? } else { start };
        match (start, end) {
            ((Some(a), _), (Some(b), _)) if a <= b => Some(DataType::YearMonthInterval(a, b)),
            ((_, Some(a)), (_, Some(b))) if a <= b => Some(DataType::DayTimeInterval(a, b)),
            _ => None,
        }
    }

    /// Fields up to a closing mark or the end of the text.
    fn fields(&mut self, depth: usize, close: Option<char>) -> Option<Vec<StructField>> {
        let mut out = Vec::new();
        loop {
            let name = match self.tokens.get(self.at)? {
                Token::Word(w) | Token::Quoted(w) => w.clone(),
                _ => return None,
            };
            self.at += 1;
            let _ = self.mark(':');
            let data_type = self.data_type(depth)?;
            let mut nullable = true;
            loop {
                if self.keyword("not").is_some() {
                    self.keyword("null")?;
                    nullable = false;
                } else if self.keyword("comment").is_some() {
                    match self.tokens.get(self.at)? {
                        Token::Text(_) => self.at += 1,
                        _ => return None,
                    }
                } else {
                    break;
                }
            }
            out.push(StructField::new(name, data_type, nullable));
            if self.mark(',').is_some() {
                continue;
            }
            return match close {
                Some(c) => self.mark(c).map(|()| out),
                None => self.at_end().then_some(out),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips() {
        for text in [
            "boolean",
            "tinyint",
            "decimal(10,2)",
            "array<map<string,int>>",
            "struct<a:int,b:array<struct<c:date>>>",
            "interval day to second",
            "interval year",
            "interval",
            "timestamp_ntz",
            "void",
            "struct<>",
        ] {
            assert_eq!(parse_data_type(text).map(|t| t.catalog_string()).as_deref(), Some(text));
        }
        assert_eq!(
            parse_data_type("ARRAY < Numeric >"),
            Some(DataType::array(DataType::Decimal(10, 0), true))
        );
        assert_eq!(parse_data_type("varchar(10)"), Some(DataType::String));
        for bad in ["", "foo", "array<int", "decimal(39,0)", "int int", "interval second to day", "map<int>"]
        {
            assert_eq!(parse_data_type(bad), None, "{bad}");
        }
        assert_eq!(parse_data_type(&"array<".repeat(100_000)), None);
    }

    #[test]
    fn schemas() {
        let s = parse_schema("a INT NOT NULL COMMENT 'it''s', `b c`: struct<x:int>").unwrap();
        assert_eq!(s.catalog_string(), "struct<a:int,b c:struct<x:int>>");
        assert!(!s.fields[0].nullable);
        assert_eq!(parse_schema("struct<a:int>").unwrap().catalog_string(), "struct<a:int>");
        assert_eq!(parse_schema("a"), None);
    }
}
