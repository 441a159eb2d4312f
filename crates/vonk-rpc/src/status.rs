//! Errors through RPC: typed at both ends.
//!
//! Must not know: services.

use tonic::{Code, Status};
use vonk_error::{Error, ErrorKind};

/// Details travel in a header, whose size HTTP/2 peers limit.
const DETAIL_BYTES: usize = 8 << 10;
const MESSAGE_BYTES: usize = 2 << 10;

/// The status of a call that failed with `error`, which travels with it whole unless it is very long; then its text does, cut.
pub fn to_status(error: &Error) -> Status {
    let code = match (error.kind(), error.condition()) {
        (_, "_UNAUTHENTICATED") => Code::Unauthenticated,
        (_, "_VERSION_MISMATCH") => Code::FailedPrecondition,
        (ErrorKind::User, _) => Code::InvalidArgument,
        (ErrorKind::Cancelled, _) => Code::Cancelled,
        (ErrorKind::Io, _) => Code::Unavailable,
        (ErrorKind::FetchFailed(_), _) => Code::NotFound,
        (ErrorKind::Internal, _) => Code::Internal,
    };
    let mut text = error.to_string();
    if text.len() > MESSAGE_BYTES {
        let cut = (0..=MESSAGE_BYTES).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
        text.truncate(cut);
    }
    match postcard::to_stdvec(error) {
        Ok(details) if details.len() <= DETAIL_BYTES => Status::with_details(code, text, details.into()),
        _ => Status::new(code, text),
    }
}

/// The error that a status stands for: the one that [`to_status`] was given, or an I/O error with the status's text, since what is not
/// ours (a connection that broke) may pass.
pub fn from_status(what: &str, status: &Status) -> Error {
    if let Ok(error) = postcard::from_bytes::<Error>(status.details()) {
        return error;
    }
    Error::io(what, format!("{}: {}", status.code(), status.message()))
}
