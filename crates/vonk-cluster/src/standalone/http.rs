//! Answers of the status APIs of master and worker.
//!
//! Must not know: what they say, how they are served ([`crate::web`]).

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// JSON, or 404 for what is not there.
pub(crate) fn json<T: serde::Serialize>(value: Option<T>) -> Response {
    match value {
        Some(value) => axum::Json(value).into_response(),
        None => (StatusCode::NOT_FOUND, "not found\n").into_response(),
    }
}

/// One metric in Prometheus's text format: its name, what it counts, and its values by labels.
pub(crate) fn gauge(out: &mut String, name: &str, help: &str, values: &[(&str, f64)]) {
    out.push_str(&format!("# HELP {name} {help}\n# TYPE {name} gauge\n"));
    for (labels, value) in values {
        let labels = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        out.push_str(&format!("{name}{labels} {value}\n"));
    }
}
