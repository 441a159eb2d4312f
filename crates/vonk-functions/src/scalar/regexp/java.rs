//! From Java's regular expressions to Rust's.
//!
//! What differs: `\w \d \s` are ASCII, `.` stops at more line terminators, `$` matches before a last line terminator,
//! there are POSIX and `java…` classes, `\Q…\E`, `\R`, `\h`, `\v`, `\x`, `\u` and octal escapes, possessive quantifiers,
//! atomic groups, look-around and back references.

/// A pattern in Rust's language.
#[derive(Debug, PartialEq)]
pub(super) struct Translated {
    /// With `$` meaning the very end.
    pub plain: String,
    /// With Java's `$` and `\Z`, where the pattern has them: for texts that end with a line terminator.
    pub at_terminator: Option<String>,
    /// Looks around or back: only a backtracking engine can run it.
    pub fancy: bool,
}

/// `None` for what is no pattern, or none that is known here.
pub(super) fn translate(pattern: &str) -> Option<Translated> {
    let mut t = Translator {
        chars: pattern.chars().collect(),
        at: 0,
        plain: String::new(),
        exact: String::new(),
        flags: Flags::default(),
        outer: Vec::new(),
        fancy: false,
        ends: false,
    };
    t.expression()?;
    let Translator { plain, exact, fancy, ends, .. } = t;
    Some(Translated { plain, at_terminator: ends.then_some(exact), fancy })
}

/// Line terminators, within a class.
const TERMINATORS: &str = r"\n\r\u{85}\u{2028}\u{2029}";
/// The end, or before the last line terminator.
const END: &str = r"(?=(?:\r\n|[\n\r\u{85}\u{2028}\u{2029}])?\z)";

#[derive(Clone, Copy, Default)]
struct Flags {
    dot_all: bool,
    multi_line: bool,
    unix_lines: bool,
    unicode_classes: bool,
    comments: bool,
    /// Letters of either case: ASCII's, unless `u` is there too.
    any_case: bool,
    unicode_case: bool,
}

impl Flags {
    /// Whether Rust's own flag says it: it always means all alphabets.
    fn rust_any_case(self) -> bool {
        self.any_case && self.unicode_case
    }

    /// Whether letters of ASCII are to be written in both cases.
    fn ascii_any_case(self) -> bool {
        self.any_case && !self.unicode_case
    }
}

struct Translator {
    chars: Vec<char>,
    at: usize,
    plain: String,
    exact: String,
    flags: Flags,
    /// Flags to come back to at the end of each group.
    outer: Vec<Flags>,
    fancy: bool,
    ends: bool,
}

impl Translator {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek(0)?;
        self.at += 1;
        Some(c)
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = text.chars().enumerate().all(|(i, c)| self.peek(i) == Some(c));
        if found {
            self.at += text.chars().count();
        }
        found
    }

    fn push(&mut self, s: &str) {
        self.plain.push_str(s);
        self.exact.push_str(s);
    }

    fn push_literal(&mut self, c: char) {
        let mut s = String::new();
        if self.flags.ascii_any_case() && c.is_ascii_alphabetic() {
            s.extend(['[', c.to_ascii_lowercase(), c.to_ascii_uppercase(), ']']);
        } else {
            literal(c, &mut s);
        }
        self.push(&s);
    }

    fn expression(&mut self) -> Option<()> {
        // Whether there is something that a quantifier could follow.
        let mut quantifiable = false;
        while let Some(c) = self.next() {
            match c {
                '\\' => quantifiable = self.escape()?,
                '[' => {
                    let class = self.class()?;
                    self.push(&class);
                    quantifiable = true;
                }
                '(' => {
                    self.open_group()?;
                    quantifiable = false;
                }
                ')' => {
                    self.flags = self.outer.pop()?;
                    self.push(")");
                    quantifiable = true;
                }
                '|' => {
                    self.push("|");
                    quantifiable = false;
                }
                '*' | '+' | '?' if quantifiable => {
                    self.push(c.encode_utf8(&mut [0; 4]));
                    self.greediness();
                    quantifiable = false;
                }
                '{' if quantifiable => {
                    self.repetition()?;
                    self.greediness();
                    quantifiable = false;
                }
                '*' | '+' | '?' | '{' => return None,
                '.' => {
                    self.dot();
                    quantifiable = true;
                }
                '^' => {
                    self.push(if self.flags.multi_line { "(?m:^)" } else { "^" });
                    quantifiable = true;
                }
                '$' => {
                    self.dollar();
                    quantifiable = true;
                }
                c if self.flags.comments && c.is_ascii_whitespace() => {}
                '#' if self.flags.comments => while self.next().is_some_and(|c| c != '\n') {},
                c => {
                    self.push_literal(c);
                    quantifiable = true;
                }
            }
        }
        self.outer.is_empty().then_some(())
    }

    /// What follows a quantifier: `?` makes it reluctant, `+` possessive.
    fn greediness(&mut self) {
        if self.eat("?") {
            self.push("?");
        } else if self.eat("+") {
            self.push("+");
            self.fancy = true;
        }
    }

    fn repetition(&mut self) -> Option<()> {
        let digits = |t: &mut Self| {
            let start = t.at;
            while t.peek(0).is_some_and(|c| c.is_ascii_digit()) {
                t.at += 1;
            }
            t.chars[start..t.at].iter().collect::<String>()
        };
        let low = digits(self);
        let text = if self.eat(",") { format!("{{{low},{}}}", digits(self)) } else { format!("{{{low}}}") };
        if low.is_empty() || !self.eat("}") {
            return None;
        }
        self.push(&text);
        Some(())
    }

    fn dot(&mut self) {
        let class = match self.flags {
            Flags { dot_all: true, .. } => "(?s:.)".to_string(),
            Flags { unix_lines: true, .. } => r"[^\n]".to_string(),
            _ => format!("[^{TERMINATORS}]"),
        };
        self.push(&class);
    }

    fn dollar(&mut self) {
        if self.flags.multi_line {
            self.push("(?m:$)");
            return;
        }
        self.ends = true;
        self.plain.push_str(r"\z");
        self.exact.push_str(END);
    }

    fn open_group(&mut self) -> Option<()> {
        if !self.eat("?") {
            self.outer.push(self.flags);
            self.push("(");
            return Some(());
        }
        for (java, fancy) in [(":", false), ("=", true), ("!", true), ("<=", true), ("<!", true), (">", true)]
        {
            if self.eat(java) {
                self.outer.push(self.flags);
                self.fancy |= fancy;
                self.push("(?");
                self.push(java);
                return Some(());
            }
        }
        if self.eat("<") {
            let start = self.at;
            while self.peek(0).is_some_and(|c| c.is_ascii_alphanumeric()) {
                self.at += 1;
            }
            let name: String = self.chars[start..self.at].iter().collect();
            if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !self.eat(">") {
                return None;
            }
            self.outer.push(self.flags);
            self.push(&format!("(?P<{name}>"));
            return Some(());
        }
        self.flag_group()
    }

    /// `(?ims-x)` for what follows, `(?ims-x:…)` for a group.
    fn flag_group(&mut self) -> Option<()> {
        let before = self.flags;
        let mut on = true;
        loop {
            match self.next()? {
                '-' if on => on = false,
                'i' => self.flags.any_case = on,
                'u' => self.flags.unicode_case = on,
                's' => self.flags.dot_all = on,
                'm' => self.flags.multi_line = on,
                'd' => self.flags.unix_lines = on,
                'U' => (self.flags.unicode_classes, self.flags.unicode_case) = (on, on),
                'x' => self.flags.comments = on,
                end @ (':' | ')') => {
                    let case = match (before.rust_any_case(), self.flags.rust_any_case()) {
                        (false, true) => "i",
                        (true, false) => "-i",
                        _ => "",
                    };
                    if end == ':' {
                        self.outer.push(before);
                        self.push(&format!("(?{case}:"));
                    } else if !case.is_empty() {
                        self.push(&format!("(?{case})"));
                    }
                    return Some(());
                }
                _ => return None,
            }
        }
    }

    /// After a backslash, outside of a class. Answers whether a quantifier may follow.
    fn escape(&mut self) -> Option<bool> {
        let c = self.next()?;
        match c {
            // Of words in all alphabets, though `\w` is ASCII.
            'b' => self.push(r"\b"),
            'B' => self.push(r"\B"),
            'A' => self.push(r"\A"),
            'z' => self.push(r"\z"),
            'Z' => {
                self.ends = true;
                self.plain.push_str(r"\z");
                self.exact.push_str(END);
            }
            'R' => self.push(r"(?:\r\n|[\n\x0B\x0C\r\u{85}\u{2028}\u{2029}])"),
            'Q' => {
                let mut some = false;
                while self.peek(0).is_some() && !self.eat("\\E") {
                    let c = self.next()?;
                    self.push_literal(c);
                    some = true;
                }
                return Some(some);
            }
            '1'..='9' => {
                self.fancy = true;
                self.push(&format!("\\{c}"));
            }
            'k' => {
                if !self.eat("<") {
                    return None;
                }
                let start = self.at;
                while self.peek(0)? != '>' {
                    self.at += 1;
                }
                let name: String = self.chars[start..self.at].iter().collect();
                self.at += 1;
                self.fancy = true;
                self.push(&format!("\\k<{name}>"));
            }
            c => {
                self.at -= 1;
                match self.class_escape(c)? {
                    Element::Class(class) => self.push(&class),
                    Element::Char(c) => self.push_literal(c),
                }
            }
        }
        Some(true)
    }

    /// An escape that stands for a character or a class, within classes and without; the next character is `c`.
    fn class_escape(&mut self, c: char) -> Option<Element> {
        self.at += 1;
        let unicode = self.flags.unicode_classes;
        let class =
            |ascii: &str, wide: &str| Some(Element::Class(if unicode { wide } else { ascii }.to_string()));
        match c {
            'w' => class("[0-9A-Za-z_]", r"\w"),
            'W' => class("[^0-9A-Za-z_]", r"\W"),
            'd' => class("[0-9]", r"\d"),
            'D' => class("[^0-9]", r"\D"),
            's' => class(r"[ \t\n\x0B\x0C\r]", r"\s"),
            'S' => class(r"[^ \t\n\x0B\x0C\r]", r"\S"),
            'h' | 'H' => {
                let not = if c == 'H' { "^" } else { "" };
                let spaces = r" \t\u{A0}\u{1680}\u{180E}\u{2000}-\u{200A}\u{202F}\u{205F}\u{3000}";
                Some(Element::Class(format!("[{not}{spaces}]")))
            }
            'v' => class(r"[\n\x0B\x0C\r\u{85}\u{2028}\u{2029}]", r"[\n\x0B\x0C\r\u{85}\u{2028}\u{2029}]"),
            'V' => class(r"[^\n\x0B\x0C\r\u{85}\u{2028}\u{2029}]", r"[^\n\x0B\x0C\r\u{85}\u{2028}\u{2029}]"),
            'p' | 'P' => self.property(c == 'P').map(Element::Class),
            't' => Some(Element::Char('\t')),
            'n' => Some(Element::Char('\n')),
            'r' => Some(Element::Char('\r')),
            'f' => Some(Element::Char('\x0C')),
            'a' => Some(Element::Char('\x07')),
            'e' => Some(Element::Char('\x1B')),
            'c' => {
                let control = u32::from(self.next()?) ^ 64;
                char::from_u32(control).map(Element::Char)
            }
            '0' => self.octal().map(Element::Char),
            'x' => self.hexadecimal().map(Element::Char),
            'u' => self.utf16().map(Element::Char),
            c if c.is_ascii_alphanumeric() => None,
            c => Some(Element::Char(c)),
        }
    }

    fn octal(&mut self) -> Option<char> {
        let mut value = 0;
        let mut digits = 0;
        while let Some(d) = self.peek(0).and_then(|c| c.to_digit(8)) {
            if digits == 3 || value * 8 + d > 0o377 {
                break;
            }
            value = value * 8 + d;
            digits += 1;
            self.at += 1;
        }
        if digits == 0 { None } else { char::from_u32(value) }
    }

    fn digits(&mut self, n: usize) -> Option<u32> {
        let mut value = 0;
        for _ in 0..n {
            value = value * 16 + self.next()?.to_digit(16)?;
        }
        Some(value)
    }

    fn hexadecimal(&mut self) -> Option<char> {
        if !self.eat("{") {
            return self.digits(2).and_then(char::from_u32);
        }
        let mut value = 0u32;
        while !self.eat("}") {
            value = value.checked_mul(16)?.checked_add(self.next()?.to_digit(16)?)?;
        }
        char::from_u32(value)
    }

    /// Four digits, or two times four for a character of two units.
    fn utf16(&mut self) -> Option<char> {
        let first = self.digits(4)?;
        if !(0xD800..0xDC00).contains(&first) {
            return char::from_u32(first);
        }
        if !self.eat("\\u") {
            return None;
        }
        let second = self.digits(4)?;
        char::decode_utf16([first as u16, second as u16]).next()?.ok()
    }

    /// `\p{…}`, `\pL`.
    fn property(&mut self, not: bool) -> Option<String> {
        let name: String = if self.eat("{") {
            let start = self.at;
            while self.peek(0)? != '}' {
                self.at += 1;
            }
            self.at += 1;
            self.chars[start..self.at - 1].iter().collect()
        } else {
            self.next()?.to_string()
        };
        let caret = if not { "^" } else { "" };
        let ascii = |inside: &str| Some(format!("[{caret}{inside}]"));
        match name.as_str() {
            "Lower" | "Upper" if self.flags.any_case => return ascii("a-zA-Z"),
            "Lower" => return ascii("a-z"),
            "Upper" => return ascii("A-Z"),
            "ASCII" => return ascii(r"\x00-\x7F"),
            "Alpha" => return ascii("a-zA-Z"),
            "Digit" => return ascii("0-9"),
            "Alnum" => return ascii("a-zA-Z0-9"),
            "Punct" => return ascii(r##"!-/:-@\[-`\{-\~"##),
            "Graph" => return ascii(r"!-\~"),
            "Print" => return ascii(r" -\~"),
            "Blank" => return ascii(r" \t"),
            "Cntrl" => return ascii(r"\x00-\x1F\x7F"),
            "XDigit" => return ascii("0-9a-fA-F"),
            "Space" => return ascii(r" \t\n\x0B\x0C\r"),
            _ => {}
        }
        let known = match name.as_str() {
            "javaLowerCase" => "Lowercase",
            "javaUpperCase" => "Uppercase",
            "javaWhitespace" => "White_Space",
            "javaLetter" | "javaAlphabetic" => "Alphabetic",
            "javaDigit" => "Nd",
            "javaLetterOrDigit" => return Some(format!("[{caret}\\p{{Alphabetic}}\\p{{Nd}}]")),
            "InGreek" => "Greek",
            "InCyrillic" => "Cyrillic",
            "InHebrew" => "Hebrew",
            "InArabic" => "Arabic",
            name => {
                let stripped = name.strip_prefix("Is").unwrap_or(name);
                stripped.split_once('=').map_or(stripped, |(_, value)| value)
            }
        };
        if known.is_empty() || !known.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return None;
        }
        Some(format!("\\{}{{{known}}}", if not { 'P' } else { 'p' }))
    }

    /// A class after its opening bracket, to its closing one.
    fn class(&mut self) -> Option<String> {
        let mut out = String::from("[");
        if self.eat("^") {
            out.push('^');
        }
        let mut first = true;
        loop {
            let c = self.next()?;
            match c {
                ']' if !first => {
                    out.push(']');
                    return Some(out);
                }
                '[' => out.push_str(&self.class()?),
                '&' if self.eat("&") => {
                    // More ampersands mean no more than two.
                    while self.eat("&") {}
                    out.push_str("&&");
                }
                c if self.flags.comments && c.is_ascii_whitespace() => continue,
                c => {
                    self.at -= 1;
                    self.class_element(c, &mut out)?;
                }
            }
            first = false;
        }
    }

    /// A character, a range or an escape of a class.
    fn class_element(&mut self, c: char, out: &mut String) -> Option<()> {
        let Some(low) = self.class_char(c, out)? else { return Some(()) };
        // A hyphen before the end of the class, or before another class, is one.
        if self.peek(0) != Some('-') || matches!(self.peek(1), None | Some(']' | '[')) {
            self.class_range(low, low, out);
            return Some(());
        }
        self.at += 1;
        let next = self.peek(0)?;
        let high = self.class_char(next, out)??;
        if high < low {
            return None;
        }
        self.class_range(low, high, out);
        Some(())
    }

    /// A range of a class, in both cases where that is asked for.
    fn class_range(&self, low: char, high: char, out: &mut String) {
        let mut write = |low: char, high: char| {
            literal(low, out);
            if low != high {
                out.push('-');
                literal(high, out);
            }
        };
        write(low, high);
        if self.flags.ascii_any_case() {
            for (first, last, other) in [('a', 'z', 'A'), ('A', 'Z', 'a')] {
                let (from, to) = (low.max(first), high.min(last));
                if from <= to {
                    let moved = |c: char| char::from(c as u8 - first as u8 + other as u8);
                    write(moved(from), moved(to));
                }
            }
        }
    }

    /// Reads one character of a class; a class of its own is written, and `None` within.
    fn class_char(&mut self, c: char, out: &mut String) -> Option<Option<char>> {
        self.at += 1;
        if c != '\\' {
            return Some(Some(c));
        }
        if self.eat("Q") {
            while self.peek(0).is_some() && !self.eat("\\E") {
                let c = self.next()?;
                literal(c, out);
            }
            return Some(None);
        }
        let c = self.peek(0)?;
        match self.class_escape(c)? {
            Element::Char(c) => Some(Some(c)),
            Element::Class(class) => {
                out.push_str(&class);
                Some(None)
            }
        }
    }
}

enum Element {
    Char(char),
    Class(String),
}

/// A character that means itself, within classes and without.
fn literal(c: char, out: &mut String) {
    match c {
        c if c.is_ascii_punctuation() && !matches!(c, '<' | '>') => {
            out.push('\\');
            out.push(c);
        }
        c => out.push(c),
    }
}
