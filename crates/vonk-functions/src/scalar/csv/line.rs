//! The values of a line, with quotes and escapes.

use crate::scalar::json::options::Options;

/// How a line is written.
#[derive(Debug, Clone)]
pub(super) struct Form {
    pub separator: String,
    pub quote: char,
    pub escape: char,
    /// Text that stands for null.
    pub null: String,
    trim_left: bool,
    trim_right: bool,
    pub quote_all: bool,
}

impl Form {
    /// By options. White space around values is kept when reading, not when writing.
    pub fn new(options: &Options, writing: bool) -> Form {
        let character =
            |name: &str, default: char| options.get(name).and_then(|v| v.chars().next()).unwrap_or(default);
        Form {
            separator: options.get("sep").or(options.get("delimiter")).unwrap_or(",").replace("\\t", "\t"),
            quote: character("quote", '"'),
            escape: character("escape", '\\'),
            null: options.get("nullValue").unwrap_or("").to_string(),
            trim_left: options.is("ignoreLeadingWhiteSpace", writing),
            trim_right: options.is("ignoreTrailingWhiteSpace", writing),
            quote_all: options.is("quoteAll", false),
        }
    }

    /// A value without the white space that is not to count.
    pub fn trim<'t>(&self, mut value: &'t str) -> &'t str {
        if self.trim_left {
            value = value.trim_start_matches([' ', '\t']);
        }
        if self.trim_right {
            value = value.trim_end_matches([' ', '\t']);
        }
        value
    }

    /// The values of a line; one without text is none.
    pub fn split(&self, line: &str) -> Vec<Option<String>> {
        let mut values = Vec::new();
        let mut rest = line;
        loop {
            let start = if self.trim_left { rest.trim_start_matches([' ', '\t']) } else { rest };
            let (value, after) = match start.strip_prefix(self.quote) {
                Some(inner) => self.quoted(start, inner),
                None => {
                    let end = start.find(&self.separator).unwrap_or(start.len());
                    (self.trim(&start[..end]).to_string(), &start[end..])
                }
            };
            values.push((value != self.null && !value.is_empty()).then_some(value));
            match after.strip_prefix(self.separator.as_str()) {
                Some(next) => rest = next,
                None => return values,
            }
        }
    }

    /// A quoted value and what follows. A quote that does not end the value makes all of it plain text.
    fn quoted<'t>(&self, whole: &'t str, inner: &'t str) -> (String, &'t str) {
        let mut value = String::new();
        let mut chars = inner.char_indices().peekable();
        while let Some((i, c)) = chars.next() {
            let next = chars.peek().map(|(_, n)| *n);
            if c == self.escape && next.is_some_and(|n| n == self.quote || n == self.escape) {
                value.extend(next);
                chars.next();
            } else if c == self.quote {
                let after = &inner[i + c.len_utf8()..];
                let blank = after.trim_start_matches([' ', '\t']);
                if blank.is_empty() || blank.starts_with(&self.separator) {
                    return (value, blank);
                }
                let end = whole.find(&self.separator).unwrap_or(whole.len());
                return (whole[..end].to_string(), &whole[end..]);
            } else {
                value.push(c);
            }
        }
        (value, "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Asked of Spark.
    #[test]
    fn values_of_lines() {
        let form = Form::new(&Options::default(), false);
        let split = |line: &str| {
            let values = form.split(line).into_iter().map(|v| v.unwrap_or("NULL".into()));
            values.collect::<Vec<_>>().join("|")
        };
        assert_eq!(split("\"a,b\",c"), "a,b|c");
        assert_eq!(split("\"a\"\"b\",'c'"), "\"a\"\"b\"|'c'");
        assert_eq!(split("\"a\\\"b\""), "a\"b");
        assert_eq!(split("\"\",x"), "NULL|x");
        assert_eq!(split(" a , b "), " a | b ");
        assert_eq!(split("\"a"), "a");
        assert_eq!(split("a\"b,c"), "a\"b|c");
        assert_eq!(split("\"a\"b,c"), "\"a\"b|c");
        assert_eq!(split(","), "NULL|NULL");
        assert_eq!(split("a\nb,c"), "a\nb|c");
    }
}
