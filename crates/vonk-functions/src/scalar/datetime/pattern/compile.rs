//! From a pattern's text to its parts.

use super::{Field, Item, Number, Offset, Sign};
use vonk_error::{Error, Result};

/// What a pattern is compiled for; fewer letters can be read than written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Writing.
    Format,
    /// Reading.
    Parse,
}

/// Compiles a pattern. Where only the formatter of Spark 2 would take it, the error says so.
pub(super) fn compile(text: &str, purpose: Purpose) -> Result<Vec<Item>> {
    let checked = check_letters(text, purpose);
    let compiled = checked.and_then(|()| Compiler::new(text, purpose).compile());
    compiled.map_err(|refused| {
        if before_accepts(text) {
            return Error::new("INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION")
                .with("pattern", vonk_types::sql_literal::quote_string(text))
                .with("config", "\"spark.sql.legacy.timeParserPolicy\"")
                .with("docroot", "https://spark.apache.org/docs/latest");
        }
        match refused {
            Refused::WeekBased(c) => {
                Error::new("INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_WEEK_BASED_PATTERN").with("c", c)
            }
            Refused::Letter(c) => {
                Error::new("INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER").with("c", c).with("pattern", text)
            }
            Refused::Length(part) => Error::new("INVALID_DATETIME_PATTERN.LENGTH").with("pattern", part),
            Refused::Java => Error::new("INVALID_DATETIME_PATTERN.WITH_SUGGESTION")
                .with("pattern", vonk_types::sql_literal::quote_string(text))
                .with("docroot", "https://spark.apache.org/docs/latest"),
        }
    })
}

/// Why a pattern is refused.
enum Refused {
    /// By Spark: a letter that counts weeks.
    WeekBased(char),
    /// By Spark: a letter that is Java's alone, or cannot be read.
    Letter(char),
    /// By Spark: a narrow form.
    Length(String),
    /// By Java.
    Java,
}

/// What Spark forbids before Java sees the pattern.
fn check_letters(text: &str, purpose: Purpose) -> Result<(), Refused> {
    for part in text.split('\'').step_by(2) {
        if let Some(c) = part.chars().find(|c| "YWwuec".contains(*c)) {
            return Err(Refused::WeekBased(c));
        }
        let unreadable = if purpose == Purpose::Parse { "EFqQ" } else { "" };
        if let Some(c) = part.chars().find(|c| "ABnNp".contains(*c) || unreadable.contains(*c)) {
            return Err(Refused::Letter(c));
        }
        for letter in ["G", "M", "L", "E", "Q", "q"] {
            let narrow = letter.repeat(5);
            if part.contains(&narrow) {
                return Err(Refused::Length(narrow));
            }
        }
        if part.contains("yyyyyyy") {
            return Err(Refused::Length("yyyyyyy".into()));
        }
    }
    Ok(())
}

/// Whether the formatter of Spark 2 (Java's SimpleDateFormat) takes the pattern.
fn before_accepts(text: &str) -> bool {
    let (mut quoted, mut zone_letters) = (false, 0);
    for c in text.chars() {
        if c == '\'' {
            quoted = !quoted;
        } else if !quoted && c.is_ascii_alphabetic() && !"GyYMLwWDdFEuaHkKhmsSzZX".contains(c) {
            return false;
        }
        zone_letters = if c == 'X' && !quoted { zone_letters + 1 } else { 0 };
        if zone_letters > 3 {
            return false;
        }
    }
    !quoted
}

struct Compiler {
    chars: Vec<char>,
    at: usize,
    purpose: Purpose,
    /// Without an era years are counted through, with a sign.
    era: bool,
    /// Open optional sections, the outermost first.
    open: Vec<Section>,
}

/// Items of a section, and the number that still takes digits of those that follow.
#[derive(Default)]
struct Section {
    items: Vec<Item>,
    active: Option<usize>,
}

impl Compiler {
    fn new(text: &str, purpose: Purpose) -> Compiler {
        let era = text.split('\'').step_by(2).any(|part| part.contains('G'));
        Compiler { chars: text.chars().collect(), at: 0, purpose, era, open: vec![Section::default()] }
    }

    fn compile(mut self) -> Result<Vec<Item>, Refused> {
        while self.at < self.chars.len() {
            let c = self.chars[self.at];
            match c {
                'a'..='z' | 'A'..='Z' => {
                    let count = self.chars[self.at..].iter().take_while(|d| **d == c).count();
                    self.at += count;
                    self.letters(c, count)?;
                }
                '\'' => self.quoted()?,
                '[' => {
                    self.section().active = None;
                    self.open.push(Section::default());
                    self.at += 1;
                }
                ']' => {
                    if self.open.len() == 1 {
                        return Err(Refused::Java);
                    }
                    self.close();
                    self.at += 1;
                }
                '{' | '}' | '#' => return Err(Refused::Java),
                _ => {
                    self.push(Item::Literal(c.to_string()));
                    self.at += 1;
                }
            }
        }
        while self.open.len() > 1 {
            self.close();
        }
        Ok(self.open.pop().unwrap_or_default().items)
    }

    fn section(&mut self) -> &mut Section {
        if self.open.is_empty() {
            self.open.push(Section::default());
        }
        let last = self.open.len() - 1;
        &mut self.open[last]
    }

    fn close(&mut self) {
        if let Some(section) = self.open.pop() {
            self.push(Item::Optional(section.items));
        }
    }

    fn push(&mut self, item: Item) {
        let section = self.section();
        section.active = None;
        // Neighbouring literals are one, which is how they are read, too.
        if let (Item::Literal(more), Some(Item::Literal(text))) = (&item, section.items.last_mut()) {
            text.push_str(more);
            return;
        }
        section.items.push(item);
    }

    /// Adds a number; digits of fixed width are taken off what the number before may read.
    fn number(&mut self, number: Number) {
        let section = self.section();
        let place = section.items.len();
        let fixed = number.min == number.max && number.sign == Sign::Never;
        let before = section.active.and_then(|i| match section.items.get_mut(i) {
            Some(Item::Number(before)) => Some(before),
            _ => None,
        });
        match before {
            Some(before) if fixed => {
                before.subsequent += number.max;
                section.items.push(Item::Number(Number { fixed: true, ..number }));
            }
            Some(before) => {
                (before.fixed, before.subsequent) = (true, 0);
                section.items.push(Item::Number(number));
                section.active = Some(place);
            }
            None => {
                section.items.push(Item::Number(number));
                section.active = Some(place);
            }
        }
    }

    fn quoted(&mut self) -> Result<(), Refused> {
        let mut literal = String::new();
        self.at += 1;
        let start = self.at;
        loop {
            match self.chars.get(self.at) {
                None => return Err(Refused::Java),
                Some('\'') if self.chars.get(self.at + 1) == Some(&'\'') => {
                    literal.push('\'');
                    self.at += 2;
                }
                Some('\'') => break,
                Some(c) => {
                    literal.push(*c);
                    self.at += 1;
                }
            }
        }
        if self.at == start {
            literal.push('\'');
        }
        self.at += 1;
        self.push(Item::Literal(literal));
        Ok(())
    }

    fn letters(&mut self, c: char, count: usize) -> Result<(), Refused> {
        let plain = |field, min, max, sign| Number {
            field,
            min,
            max,
            sign,
            reduced: false,
            subsequent: 0,
            fixed: false,
        };
        let one_or_two = |field| match count {
            1 => Ok(plain(field, 1, 19, Sign::Normal)),
            2 => Ok(plain(field, 2, 2, Sign::Never)),
            _ => Err(Refused::Java),
        };
        let named = |field| match count {
            1 | 2 => one_or_two(field).map(Item::Number),
            3 => Ok(Item::Text(field, false)),
            4 => Ok(Item::Text(field, true)),
            _ => Err(Refused::Java),
        };
        let item = match c {
            'y' => {
                let field = if self.era { Field::YearOfEra } else { Field::Year };
                Item::Number(match count {
                    2 => Number { reduced: true, ..plain(field, 2, 2, Sign::Never) },
                    1 | 3 => plain(field, count, 19, Sign::Normal),
                    _ => plain(field, count, 19, Sign::Exceeds),
                })
            }
            'M' | 'L' => named(Field::Month)?,
            'Q' | 'q' => named(Field::Quarter)?,
            'd' => Item::Number(one_or_two(Field::Day)?),
            'H' => Item::Number(one_or_two(Field::HourOfDay)?),
            'h' => Item::Number(one_or_two(Field::ClockHourOfAmPm)?),
            'K' => Item::Number(one_or_two(Field::HourOfAmPm)?),
            'k' => Item::Number(one_or_two(Field::ClockHourOfDay)?),
            'm' => Item::Number(one_or_two(Field::Minute)?),
            's' => Item::Number(one_or_two(Field::Second)?),
            'D' if count == 1 => Item::Number(plain(Field::DayOfYear, 1, 19, Sign::Normal)),
            'D' if count <= 3 => Item::Number(plain(Field::DayOfYear, count, 3, Sign::Never)),
            'F' if count == 1 => Item::Number(plain(Field::AlignedDayOfWeek, 1, 19, Sign::Normal)),
            'g' => Item::Number(plain(Field::ModifiedJulianDay, count, 19, Sign::Normal)),
            'G' | 'E' if count <= 4 => {
                let field = if c == 'G' { Field::Era } else { Field::DayOfWeek };
                Item::Text(field, count == 4)
            }
            'a' if count == 1 => Item::Text(Field::AmPm, false),
            'S' if self.purpose == Purpose::Parse && count <= 9 => Item::Fraction(1, count),
            'S' if count <= 9 => Item::Fraction(count, count),
            'V' if count == 2 => Item::ZoneId,
            'z' if count <= 4 => Item::ZoneName(count == 4),
            'O' if count == 1 || count == 4 => Item::LocalizedOffset(count == 4),
            'X' | 'x' if count <= 5 => Item::Offset(offset(count, c == 'X')),
            'Z' if count <= 3 => Item::Offset(offset(2, false)),
            'Z' if count == 4 => Item::LocalizedOffset(true),
            'Z' if count == 5 => Item::Offset(offset(5, true)),
            _ => return Err(Refused::Java),
        };
        match item {
            Item::Number(number) => self.number(number),
            other => self.push(other),
        }
        Ok(())
    }
}

fn offset(count: usize, zulu: bool) -> Offset {
    let colon = matches!(count, 3 | 5);
    let zero = match (zulu, count) {
        (true, _) => "Z",
        (false, 1) => "+00",
        (false, _) if colon => "+00:00",
        _ => "+0000",
    };
    Offset { colon, minutes_optional: count == 1, seconds: count >= 4, zero }
}
