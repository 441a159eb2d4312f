//! Metrics in Prometheus's text format, of drivers, masters and workers alike.
//!
//! Must not know: what is counted.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use std::fmt::{Display, Write as _};

/// What is counted now, or in all.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// It goes up and down.
    Gauge,
    /// It never goes down.
    Counter,
}

/// A text of metrics, to which metrics are added.
#[derive(Default)]
pub(crate) struct Metrics(String);

impl Metrics {
    /// One value.
    pub fn one(&mut self, kind: Kind, name: &str, help: &str, value: impl Display) {
        self.head(kind, name, help);
        self.line(format_args!("{name} {value}"));
    }

    /// A value for each of a label's. They are names of ours: nothing in them has to be escaped.
    pub fn by<N: Display, V: Display>(
        &mut self,
        kind: Kind,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (N, V)>,
    ) {
        self.head(kind, name, help);
        for (of, value) in values {
            self.line(format_args!("{name}{{{label}=\"{of}\"}} {value}"));
        }
    }

    fn head(&mut self, kind: Kind, name: &str, help: &str) {
        let kind = match kind {
            Kind::Gauge => "gauge",
            Kind::Counter => "counter",
        };
        self.line(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}"));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "{line}");
    }
}

impl IntoResponse for Metrics {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], self.0).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text() {
        let mut metrics = Metrics::default();
        metrics.one(Kind::Counter, "a_total", "So many.", 3);
        metrics.by(Kind::Gauge, "b", "By kind.", "kind", [("x", 1.5), ("y", 2.0)]);
        let expected = "# HELP a_total So many.\n# TYPE a_total counter\na_total 3\n\
                        # HELP b By kind.\n# TYPE b gauge\nb{kind=\"x\"} 1.5\nb{kind=\"y\"} 2\n";
        assert_eq!(metrics.0, expected);
    }
}
