//! DoAction: prepared statements, cancelling, session options, what is refused.

use super::{Answered, Service, packed};
use crate::messages::{
    CloseSessionRequest, CloseSessionResult, GetSessionOptionsRequest, GetSessionOptionsResult, OptionValue,
    SessionOptionValue, SetOptionError, SetOptionFailure, SetSessionOptionsRequest, SetSessionOptionsResult,
};
use crate::options::Compression;
use crate::sessions::Call;
use crate::status::{garbage, unknown, unsupported};
use arrow_flight::sql::{
    ActionCancelQueryRequest, ActionCancelQueryResult, ActionClosePreparedStatementRequest,
    ActionCreatePreparedStatementRequest, Any, Command, ProstMessageExt,
};
use arrow_flight::{
    Action, ActionType, CancelFlightInfoRequest, CancelFlightInfoResult, CancelStatus, FlightInfo,
    RenewFlightEndpointRequest,
};
use prost::Message;
use prost::bytes::Bytes;
use std::collections::HashMap;
use vonk_types::data_type::quote_identifier;

/// Actions that are answered, with what they do.
const ACTIONS: [(&str, &str); 9] = [
    (
        "CreatePreparedStatement",
        "Prepares a statement: ActionCreatePreparedStatementRequest to ActionCreatePreparedStatementResult",
    ),
    ("ClosePreparedStatement", "Forgets a prepared statement: ActionClosePreparedStatementRequest"),
    ("CancelQuery", "Cancels a statement: ActionCancelQueryRequest to ActionCancelQueryResult"),
    ("CancelFlightInfo", "Cancels a statement: CancelFlightInfoRequest to CancelFlightInfoResult"),
    (
        "RenewFlightEndpoint",
        "Results have no time of their own to renew: RenewFlightEndpointRequest to FlightEndpoint",
    ),
    (
        "SetSessionOptions",
        "Sets catalog, schema, compression and spark.* settings: SetSessionOptionsRequest to SetSessionOptionsResult",
    ),
    ("GetSessionOptions", "Tells them: GetSessionOptionsRequest to GetSessionOptionsResult"),
    ("CloseSession", "Ends the session: CloseSessionRequest to CloseSessionResult"),
    ("BeginTransaction", "Refused: there are no transactions, each statement is one"),
];

/// ListActions.
pub(super) fn list() -> Vec<ActionType> {
    let action =
        |(name, what): &(&str, &str)| ActionType { r#type: (*name).into(), description: (*what).into() };
    ACTIONS.iter().map(action).collect()
}

impl Service {
    /// DoAction: the bodies of its results.
    pub(super) async fn act(&self, call: &Call, action: Action) -> Answered<Vec<Bytes>> {
        let body = &action.body;
        Ok(match action.r#type.as_str() {
            "CreatePreparedStatement" => {
                let request: ActionCreatePreparedStatementRequest = unpacked(body)?;
                vec![packed(&self.prepare(call, request).await?)]
            }
            "ClosePreparedStatement" => {
                let request: ActionClosePreparedStatementRequest = unpacked(body)?;
                self.close_prepared(call, &request.prepared_statement_handle)?;
                vec![]
            }
            "CancelQuery" => {
                let request: ActionCancelQueryRequest = unpacked(body)?;
                let info = FlightInfo::decode(request.info).map_err(garbage)?;
                let result = cancel(call, &info)? as i32;
                vec![packed(&ActionCancelQueryResult { result })]
            }
            "CancelFlightInfo" => {
                let request: CancelFlightInfoRequest = plain(body)?;
                let status = cancel(call, &request.info.unwrap_or_default())? as i32;
                vec![CancelFlightInfoResult { status }.encode_to_vec().into()]
            }
            "RenewFlightEndpoint" => {
                let request: RenewFlightEndpointRequest = plain(body)?;
                let endpoint = request.endpoint.ok_or_else(|| garbage("no endpoint"))?;
                vec![endpoint.encode_to_vec().into()]
            }
            "SetSessionOptions" => {
                let request: SetSessionOptionsRequest = plain(body)?;
                vec![set_options(call, request).encode_to_vec().into()]
            }
            "GetSessionOptions" => {
                let _: GetSessionOptionsRequest = plain(body)?;
                vec![options(call).encode_to_vec().into()]
            }
            "CloseSession" => {
                let _: CloseSessionRequest = plain(body)?;
                self.0.sessions.forget(call, "closed");
                vec![CloseSessionResult { status: 1 }.encode_to_vec().into()]
            }
            "BeginTransaction" | "EndTransaction" | "BeginSavepoint" | "EndSavepoint" => {
                return Err(unsupported("transactions"));
            }
            "CreatePreparedSubstraitPlan" => return Err(unsupported("Substrait plans")),
            other => return Err(unsupported(&format!("the action {other}"))),
        })
    }
}

/// A message within an `Any`.
fn unpacked<M: ProstMessageExt>(body: &[u8]) -> Answered<M> {
    let any = Any::decode(body).map_err(garbage)?;
    any.unpack()
        .map_err(garbage)?
        .ok_or_else(|| garbage(format!("{} where {} belongs", any.type_url, M::type_url())))
}

/// A message of Flight itself: some clients pack it, most do not.
fn plain<M: Message + Default>(body: &[u8]) -> Answered<M> {
    if let Ok(any) = Any::decode(body)
        && any.type_url.starts_with("type.googleapis.com/arrow.flight.protocol.")
    {
        return M::decode(any.value).map_err(garbage);
    }
    M::decode(body).map_err(garbage)
}

/// Cancels the statement that these rows come from.
fn cancel(call: &Call, info: &FlightInfo) -> Answered<CancelStatus> {
    let tickets = info.endpoint.iter().filter_map(|e| {
        let any = Any::decode(e.ticket.as_ref()?.ticket.clone()).ok()?;
        match Command::try_from(any).ok()? {
            Command::TicketStatementQuery(ticket) => String::from_utf8(ticket.statement_handle.to_vec()).ok(),
            _ => None,
        }
    });
    let mut cancelled = false;
    for ticket in tickets {
        cancelled |= call.results.cancel(&ticket);
    }
    if cancelled { Ok(CancelStatus::Cancelled) } else { Err(unknown("statement")) }
}

fn set_options(call: &Call, request: SetSessionOptionsRequest) -> SetSessionOptionsResult {
    let mut errors = HashMap::new();
    for (name, value) in request.session_options {
        let value = value.value.map(|v| v.text());
        if let Err(why) = set_option(call, &name, value.as_deref()) {
            errors.insert(name, SetOptionFailure { value: why as i32 });
        }
    }
    SetSessionOptionsResult { errors }
}

/// Sets an option, or unsets it.
fn set_option(call: &Call, name: &str, value: Option<&str>) -> Result<(), SetOptionError> {
    let engine = &call.engine;
    let run = |sql: String| engine.sql(&sql).map(drop).map_err(|_| SetOptionError::InvalidValue);
    match (name, value) {
        ("catalog", Some(catalog)) => run(format!("SET CATALOG {}", quote_identifier(catalog))),
        ("schema", Some(schema)) => run(format!("USE {}", quote_identifier(schema))),
        ("compression", value) => {
            let chosen =
                value.map(|v| Compression::parse(v).ok_or(SetOptionError::InvalidValue)).transpose()?;
            *call.compression.lock() = chosen;
            Ok(())
        }
        (key, Some(value)) if key.starts_with("spark.") => {
            engine.set(key, value).map_err(|_| SetOptionError::InvalidValue)
        }
        (key, None) if key.starts_with("spark.") => run(format!("RESET {key}")),
        _ => Err(SetOptionError::InvalidName),
    }
}

fn options(call: &Call) -> GetSessionOptionsResult {
    let text = |s: String| SessionOptionValue { value: Some(OptionValue::String(s)) };
    let mut session_options = HashMap::from([
        ("catalog".to_string(), text(call.engine.current_catalog())),
        ("schema".to_string(), text(call.engine.current_database())),
    ]);
    let compression = match *call.compression.lock() {
        Some(Compression::Lz4) => Some("lz4"),
        Some(Compression::Zstd) => Some("zstd"),
        Some(Compression::None) => Some("none"),
        None => None,
    };
    session_options.extend(compression.map(|c| ("compression".to_string(), text(c.to_string()))));
    for (key, value) in call.engine.conf().iter() {
        if !vonk_conf::is_secret(key) {
            session_options.insert(key.to_string(), text(value.to_string()));
        }
    }
    GetSessionOptionsResult { session_options }
}
