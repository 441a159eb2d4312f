//! Errors on their way to clients.
//!
//! The message is the error's text, as the shell prints it: `[CONDITION] message SQLSTATE: 42703`, and where in the statement. Drivers hand
//! it to their users. Programs find the parts in the trailers (`x-vonk-condition`, `x-vonk-sqlstate`, `x-vonk-place`) and in the details
//! (`google.rpc.ErrorInfo`), which ADBC shows.
//!
//! Must not know: how errors come about.

use crate::messages::{ErrorInfo, RpcStatus};
use arrow_flight::sql::Any;
use prost::Message;
use std::collections::HashMap;
use tonic::metadata::{Ascii, MetadataMap, MetadataValue};
use tonic::{Code, Status};
use vonk_error::{Error, ErrorKind};

/// Trailers share a frame, whose size peers limit.
const MESSAGE_BYTES: usize = 4 << 10;

/// The code that says best what a client can do about an error.
fn code(error: &Error) -> Code {
    match error.condition() {
        "_LOGIN_FAILED" | "_LOGIN_REQUIRED" | "_SESSION_EXPIRED" => return Code::Unauthenticated,
        "_READ_ONLY" => return Code::PermissionDenied,
        "_SERVER_BUSY" | "_OUT_OF_MEMORY" => return Code::ResourceExhausted,
        "_SERVER_STOPPING" => return Code::Unavailable,
        "_UNKNOWN_HANDLE" => return Code::NotFound,
        "_UNSUPPORTED_IN_VONK" => return Code::Unimplemented,
        condition if condition.ends_with("_ALREADY_EXISTS") => return Code::AlreadyExists,
        condition if condition.ends_with("_NOT_FOUND") => return Code::NotFound,
        _ => {}
    }
    match error.kind() {
        ErrorKind::User => Code::InvalidArgument,
        ErrorKind::Cancelled => Code::Cancelled,
        ErrorKind::Io | ErrorKind::FetchFailed(_) | ErrorKind::Internal => Code::Internal,
    }
}

/// The status that tells a client of `error`.
pub fn to_status(error: &Error) -> Status {
    let code = code(error);
    let text = shortened(error.to_string());
    let place = error.context().map(vonk_error::QueryContext::place);
    let mut trailers = MetadataMap::new();
    let mut put = |key: &'static str, value: &str| {
        if let Ok(value) = value.parse::<MetadataValue<Ascii>>() {
            trailers.insert(key, value);
        }
    };
    put("x-vonk-condition", error.condition());
    put("x-vonk-sqlstate", error.sql_state());
    if let Some(place) = &place {
        put("x-vonk-place", place);
    }
    let mut metadata = HashMap::from([("sqlState".to_string(), error.sql_state().to_string())]);
    metadata.extend(place.map(|p| ("place".to_string(), p)));
    let info = ErrorInfo { reason: error.condition().to_string(), domain: "vonk".to_string(), metadata };
    let detail = Any { type_url: ErrorInfo::TYPE_URL.to_string(), value: info.encode_to_vec().into() };
    let details = RpcStatus { code: code as i32, message: text.clone(), details: vec![detail] };
    Status::with_details_and_metadata(code, text, details.encode_to_vec().into(), trailers)
}

fn shortened(mut text: String) -> String {
    if text.len() > MESSAGE_BYTES {
        let cut = (0..=MESSAGE_BYTES).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
        text.truncate(cut);
        text.push('…');
    }
    text
}

/// For messages that cannot be read.
pub fn garbage(cause: impl std::fmt::Display) -> Status {
    to_status(&Error::new("_INVALID_REQUEST").with("cause", cause.to_string()))
}

/// For handles that stand for nothing here.
pub fn unknown(what: &str) -> Status {
    to_status(&Error::new("_UNKNOWN_HANDLE").with("what", what))
}

/// For what is not there.
pub fn unsupported(what: &str) -> Status {
    to_status(&Error::unsupported(what))
}
