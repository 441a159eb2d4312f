//! Messages of the protocol that the `arrow-flight` crate does not have: session options, and the details of errors.
//!
//! Field numbers are those of `Flight.proto` (Arrow 17 and later) and of `google/rpc`.
//!
//! Must not know: what is done about them.

use arrow_flight::sql::Any;
use std::collections::HashMap;

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct RpcStatus {
    /// Code.
    #[prost(int32, tag = "1")]
    pub code: i32,
    /// Text.
    #[prost(string, tag = "2")]
    pub message: String,
    /// What else is known.
    #[prost(message, repeated, tag = "3")]
    pub details: Vec<Any>,
}

/// `google.rpc.ErrorInfo`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ErrorInfo {
    /// The condition.
    #[prost(string, tag = "1")]
    pub reason: String,
    /// Whose conditions.
    #[prost(string, tag = "2")]
    pub domain: String,
    /// SQLSTATE and place.
    #[prost(map = "string, string", tag = "3")]
    pub metadata: HashMap<String, String>,
}

impl ErrorInfo {
    /// Its name within an `Any`.
    pub const TYPE_URL: &'static str = "type.googleapis.com/google.rpc.ErrorInfo";
}

/// A list of texts.
#[derive(Clone, PartialEq, prost::Message)]
pub struct StringListValue {
    /// The texts.
    #[prost(string, repeated, tag = "1")]
    pub values: Vec<String>,
}

/// The value of a session option.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SessionOptionValue {
    /// The value; none unsets the option.
    #[prost(oneof = "OptionValue", tags = "1, 2, 3, 4, 5")]
    pub value: Option<OptionValue>,
}

/// What a session option may be.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum OptionValue {
    /// Text.
    #[prost(string, tag = "1")]
    String(String),
    /// Truth.
    #[prost(bool, tag = "2")]
    Bool(bool),
    /// A whole number.
    #[prost(sfixed64, tag = "3")]
    Int64(i64),
    /// A number.
    #[prost(double, tag = "4")]
    Double(f64),
    /// Texts.
    #[prost(message, tag = "5")]
    StringList(StringListValue),
}

impl OptionValue {
    /// As the text of a setting.
    pub fn text(&self) -> String {
        match self {
            OptionValue::String(s) => s.clone(),
            OptionValue::Bool(b) => b.to_string(),
            OptionValue::Int64(i) => i.to_string(),
            OptionValue::Double(d) => d.to_string(),
            OptionValue::StringList(list) => list.values.join(","),
        }
    }
}

/// Sets options of the session.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SetSessionOptionsRequest {
    /// The options.
    #[prost(map = "string, message", tag = "1")]
    pub session_options: HashMap<String, SessionOptionValue>,
}

/// Why an option was not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub enum SetOptionError {
    /// Nobody knows.
    Unspecified = 0,
    /// There is no such option.
    InvalidName = 1,
    /// There is no such value.
    InvalidValue = 2,
    /// It cannot be set.
    Error = 3,
}

/// What became of one option.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SetOptionFailure {
    /// Why it was not set.
    #[prost(enumeration = "SetOptionError", tag = "1")]
    pub value: i32,
}

/// Which options were not set.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SetSessionOptionsResult {
    /// Those that failed, by name.
    #[prost(map = "string, message", tag = "1")]
    pub errors: HashMap<String, SetOptionFailure>,
}

/// Asks for the options of the session.
#[derive(Clone, PartialEq, prost::Message)]
pub struct GetSessionOptionsRequest {}

/// The options of the session.
#[derive(Clone, PartialEq, prost::Message)]
pub struct GetSessionOptionsResult {
    /// The options.
    #[prost(map = "string, message", tag = "1")]
    pub session_options: HashMap<String, SessionOptionValue>,
}

/// Ends the session.
#[derive(Clone, PartialEq, prost::Message)]
pub struct CloseSessionRequest {}

/// How the end of the session stands.
#[derive(Clone, PartialEq, prost::Message)]
pub struct CloseSessionResult {
    /// 1: closed.
    #[prost(int32, tag = "1")]
    pub status: i32,
}
