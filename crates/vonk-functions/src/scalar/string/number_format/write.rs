//! Numbers as text in a format.

use super::format::{Digits, NumberFormat, Token};

impl NumberFormat {
    /// Appends a decimal. What the format has no room for is written with `#` for digits.
    pub fn write(&self, unscaled: i128, scale: i8, out: &mut String) {
        let text = vonk_types::decimal::format(unscaled, scale);
        let negative = unscaled < 0;
        let digits = text.trim_start_matches('-');
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
        let fits = whole.len() <= self.whole && fraction.len() <= self.fraction;
        let mut writer = Writer { text: String::new(), negative };
        let mut behind_point = false;
        for token in &self.tokens {
            match token {
                Token::Digits(runs) if !fits => writer.overflowed(runs),
                Token::Digits(runs) if behind_point => writer.fraction(runs, fraction),
                Token::Digits(runs) => writer.whole(runs, self.whole, whole),
                Token::Point => {
                    if writer.text.ends_with(' ') {
                        writer.text.pop();
                        writer.text.push('0');
                    }
                    writer.text.push('.');
                    behind_point = true;
                }
                other => writer.mark(other),
            }
        }
        writer.strip_lone_point();
        out.push_str(&writer.text);
    }
}

struct Writer {
    text: String,
    negative: bool,
}

impl Writer {
    fn overflowed(&mut self, runs: &[Digits]) {
        for (i, run) in runs.iter().enumerate() {
            if i > 0 {
                self.text.push(' ');
            }
            self.text.extend(std::iter::repeat_n('#', run.count));
        }
    }

    fn fraction(&mut self, runs: &[Digits], digits: &str) {
        let count: usize = runs.iter().map(|r| r.count).sum();
        self.text.push_str(digits);
        self.text.extend(std::iter::repeat_n('0', count - digits.len()));
    }

    fn whole(&mut self, runs: &[Digits], room: usize, digits: &str) {
        let mut missing = room - digits.len();
        let mut digits = digits.chars();
        for (i, run) in runs.iter().enumerate() {
            if i > 0 {
                let separated = self.text.ends_with(|c: char| c.is_ascii_digit());
                if separated { self.text.push(',') } else { self.space() }
            }
            for _ in 0..run.count {
                if missing == 0 {
                    self.text.extend(digits.next());
                    continue;
                }
                missing -= 1;
                if run.exact { self.text.push('0') } else { self.space() }
            }
        }
    }

    /// A space in place of a digit goes before a sign.
    fn space(&mut self) {
        match self.text.pop() {
            Some(sign @ ('+' | '-' | '<')) => {
                self.text.push(' ');
                self.text.push(sign);
            }
            Some(other) => {
                self.text.push(other);
                self.text.push(' ');
            }
            None => self.text.push(' '),
        }
    }

    /// A point with nothing behind it is left out.
    fn strip_lone_point(&mut self) {
        if self.text.ends_with('.') {
            self.text.pop();
            self.text.push(' ');
        }
    }

    /// A sign goes before the spaces at the end.
    fn sign(&mut self, sign: char) {
        self.strip_lone_point();
        let kept = self.text.trim_end_matches(' ').len();
        self.text.insert(kept, sign);
    }

    fn mark(&mut self, token: &Token) {
        match token {
            Token::Dollar => self.text.push('$'),
            Token::Sign => self.sign(if self.negative { '-' } else { '+' }),
            Token::Minus if self.negative => self.sign('-'),
            Token::Minus => {
                self.strip_lone_point();
                self.text.push(' ');
            }
            Token::Opening if self.negative => self.text.push('<'),
            Token::Closing if self.negative => self.sign('>'),
            Token::Closing => {
                self.strip_lone_point();
                self.text.push_str("  ");
            }
            _ => {}
        }
    }
}
