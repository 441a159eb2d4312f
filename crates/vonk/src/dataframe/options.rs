//! Format and options of what is read or written: one place for all readers and writers.

/// A format, Parquet if nothing is said (Spark: `spark.sql.sources.default`), and its options.
#[derive(Debug, Clone, Default)]
pub(super) struct FormatOptions {
    format: Option<String>,
    options: Vec<(String, String)>,
}

impl FormatOptions {
    /// Another format.
    pub fn set_format(&mut self, format: &str) {
        self.format = Some(format.to_string());
    }

    /// Another option, in the place of one of its name.
    pub fn set(&mut self, name: &str, value: &str) {
        self.options.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        self.options.push((name.to_string(), value.to_string()));
    }

    /// Several.
    pub fn set_all<'a>(&mut self, options: impl IntoIterator<Item = (&'a str, &'a str)>) {
        for (name, value) in options {
            self.set(name, value);
        }
    }

    /// The format, in lower case.
    pub fn format(&self) -> String {
        self.format.as_deref().unwrap_or("parquet").to_lowercase()
    }

    /// The options in the order they were given.
    pub fn options(&self) -> &[(String, String)] {
        &self.options
    }
}
