//! Types of settings.

use std::fmt::Display;

/// A type that settings can have.
pub trait Value: Sized {
    /// Reads it; the error names what was expected.
    fn parse(text: &str) -> Result<Self, &'static str>;
    /// Writes it as the user would.
    fn text(&self) -> String;
}

/// A number of bytes, as `512m`, `2g`, `10MB`, `1024` or `-1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bytes(pub i64);

impl Value for bool {
    fn parse(text: &str) -> Result<Self, &'static str> {
        match text.trim().to_ascii_lowercase().as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err("boolean"),
        }
    }
    fn text(&self) -> String {
        self.to_string()
    }
}

fn number<T: std::str::FromStr + Display>(text: &str, name: &'static str) -> Result<T, &'static str> {
    text.trim().parse().map_err(|_| name)
}

impl Value for i32 {
    fn parse(text: &str) -> Result<Self, &'static str> {
        number(text, "int")
    }
    fn text(&self) -> String {
        self.to_string()
    }
}

impl Value for i64 {
    fn parse(text: &str) -> Result<Self, &'static str> {
        number(text, "bigint")
    }
    fn text(&self) -> String {
        self.to_string()
    }
}

impl Value for f64 {
    fn parse(text: &str) -> Result<Self, &'static str> {
        number(text, "double")
    }
    fn text(&self) -> String {
        self.to_string()
    }
}

impl Value for String {
    fn parse(text: &str) -> Result<Self, &'static str> {
        Ok(text.to_string())
    }
    fn text(&self) -> String {
        self.clone()
    }
}

impl Value for Bytes {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let t = text.trim().to_ascii_lowercase();
        let digits = t.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit: i64 = match &t[digits.len()..] {
            "" | "b" => 1,
            "k" | "kb" => 1 << 10,
            "m" | "mb" => 1 << 20,
            "g" | "gb" => 1 << 30,
            "t" | "tb" => 1 << 40,
            _ => return Err("bytes"),
        };
        let n: i64 = digits.parse().map_err(|_| "bytes")?;
        n.checked_mul(unit).map(Bytes).ok_or("bytes")
    }
    fn text(&self) -> String {
        format!("{}b", self.0)
    }
}

/// A length of time in milliseconds, as `10s`, `100ms`, `5min` or a bare number of milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Millis(pub u64);

impl Millis {
    /// As a duration.
    pub fn duration(self) -> std::time::Duration {
        std::time::Duration::from_millis(self.0)
    }
}

impl Value for Millis {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let t = text.trim().to_ascii_lowercase();
        let digits = t.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit: u64 = match t[digits.len()..].trim() {
            "" | "ms" => 1,
            "s" => 1000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err("time"),
        };
        let n: u64 = digits.trim().parse().map_err(|_| "time")?;
        n.checked_mul(unit).map(Millis).ok_or("time")
    }
    fn text(&self) -> String {
        format!("{}ms", self.0)
    }
}

/// A known key.
#[derive(Debug)]
pub struct Key<T: 'static> {
    /// Name.
    pub name: &'static str,
    /// Value where it is not set.
    pub default: fn() -> T,
}

/// A known key without its type.
#[derive(Debug)]
pub struct Entry {
    /// Name.
    pub name: &'static str,
    /// One line.
    pub doc: &'static str,
    /// Default as text.
    pub default_text: fn() -> String,
    /// Whether a text is a value; the error names the type.
    pub check: fn(&str) -> Result<(), &'static str>,
}
