//! Who makes a call, and in which session.

use super::{Answered, Caller, Service};
use crate::auth::Login;
use crate::server::Peer;
use crate::sessions::Key;
use crate::status::{garbage, to_status};
use arrow_flight::{BasicAuth, HandshakeRequest, HandshakeResponse};
use futures::stream::{self, BoxStream, StreamExt};
use prost::Message;
use std::sync::Arc;
use std::time::Duration;
use tonic::metadata::MetadataMap;
use tonic::{Extensions, Request, Response, Status, Streaming};
use vonk_error::Error;

/// The cookie that JDBC sends with every call.
const COOKIE: &str = "arrow_flight_session_id";
/// Bytes of tokens and cookies.
const SECRET: usize = 32;
/// How long a client may take over the message of its handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

impl Service {
    /// Lets a call in: in the session of its token, of its cookie, or of its connection.
    pub(super) async fn call(&self, metadata: &MetadataMap, extensions: &Extensions) -> Answered<Caller> {
        let peer = extensions.get::<Peer>().cloned().unwrap_or_default();
        let header = metadata.get("authorization").and_then(|v| v.to_str().ok());
        let scheme = header.and_then(|h| h.split_once(' '));
        let sessions = &self.0.sessions;
        if let Some((scheme, token)) = scheme
            && scheme.eq_ignore_ascii_case("bearer")
        {
            if let Some(call) = sessions.call(&Key::secret(token.trim()), peer.id) {
                peer.admit();
                return Ok(Caller { call, cookie: None });
            }
            // Where nobody must log in, some clients send a token that nobody gave them (Python's flightsql-dbapi: `None`).
            if self.0.users.is_some() || is_ours(token.trim()) {
                return Err(to_status(&Error::new("_SESSION_EXPIRED")));
            }
        }
        let user = match (&self.0.users, scheme) {
            (Some(users), Some((scheme, encoded))) if scheme.eq_ignore_ascii_case("basic") => {
                let login =
                    Login::from_basic(encoded).ok_or_else(|| to_status(&Error::new("_LOGIN_FAILED")))?;
                users.check(login).await.map_err(|e| to_status(&e))?
            }
            (Some(_), _) => return Err(to_status(&Error::new("_LOGIN_REQUIRED"))),
            (None, _) => Arc::from(""),
        };
        peer.admit();
        if let Some(cookie) = cookie(metadata)
            && let Some(call) = sessions.call(&Key::secret(&cookie), peer.id)
            && call.user == user
        {
            return Ok(Caller { call, cookie: None });
        }
        let of_connection = Key::Connection(peer.id, user.clone());
        if let Some(call) = sessions.call(&of_connection, peer.id) {
            return Ok(Caller { call, cookie: None });
        }
        let cookie = vonk_rpc::random_hex(SECRET).map_err(|e| to_status(&e))?;
        let keys = vec![of_connection, Key::secret(&cookie)];
        let call = sessions.open(keys, user, peer.id).map_err(|e| to_status(&e))?;
        Ok(Caller { call, cookie: Some(format!("{COOKIE}={cookie}; HttpOnly")) })
    }

    /// Handshake: a name and a password, in a header or in the message, for a token.
    pub(super) async fn shake_hands(
        &self,
        request: Request<Streaming<HandshakeRequest>>,
    ) -> Answered<Response<BoxStream<'static, Answered<HandshakeResponse>>>> {
        let peer = request.extensions().get::<Peer>().cloned().unwrap_or_default();
        let header = request.metadata().get("authorization").and_then(|v| v.to_str().ok());
        let encoded = header.and_then(|h| h.split_once(' '));
        let login = match encoded {
            Some((scheme, encoded)) if scheme.eq_ignore_ascii_case("basic") => Login::from_basic(encoded),
            _ => told(request.into_inner()).await?,
        };
        let user: Arc<str> = match (&self.0.users, login) {
            (Some(users), Some(login)) => match users.check(login).await {
                Ok(user) => user,
                Err(e) => {
                    tracing::warn!(connection = peer.id, address = %peer.address(), "a login failed");
                    return Err(to_status(&e));
                }
            },
            (Some(_), None) => return Err(to_status(&Error::new("_LOGIN_REQUIRED"))),
            // Nobody must say who he is; who does is believed.
            (None, login) => login.map(|l| l.name).unwrap_or_default().into(),
        };
        peer.admit();
        let token = vonk_rpc::random_hex(SECRET).map_err(|e| to_status(&e))?;
        self.0.sessions.open(vec![Key::secret(&token)], user, peer.id).map_err(|e| to_status(&e))?;
        let answer = HandshakeResponse { protocol_version: 0, payload: token.clone().into() };
        let mut response = Response::new(stream::iter([Ok(answer)]).boxed());
        if let Ok(value) = format!("Bearer {token}").parse() {
            response.metadata_mut().insert("authorization", value);
        }
        Ok(response)
    }
}

/// The name and password in the message of a handshake; some clients send none.
async fn told(mut messages: Streaming<HandshakeRequest>) -> Answered<Option<Login>> {
    let message = match tokio::time::timeout(HANDSHAKE, messages.message()).await {
        Ok(message) => message?,
        Err(_) => return Err(Status::deadline_exceeded("the handshake takes too long")),
    };
    let payload = message.map(|m| m.payload).unwrap_or_default();
    if payload.is_empty() {
        return Ok(None);
    }
    let auth = BasicAuth::decode(payload).map_err(garbage)?;
    Ok(Some(Login { name: auth.username, password: auth.password }))
}

/// Whether a token may be one of ours.
fn is_ours(token: &str) -> bool {
    token.len() == 2 * SECRET && token.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The value of our cookie.
fn cookie(metadata: &MetadataMap) -> Option<String> {
    let cookies = metadata.get_all("cookie").iter().filter_map(|v| v.to_str().ok());
    let mut pairs = cookies.flat_map(|c| c.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value.trim_matches('"').to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // A test fails by panicking.

    use super::*;

    #[test]
    fn our_cookie_among_others() {
        let mut metadata = MetadataMap::new();
        assert_eq!(cookie(&metadata), None);
        metadata.append("cookie", "a=b; arrow_flight_session_id=xyz".parse().unwrap());
        assert_eq!(cookie(&metadata).unwrap(), "xyz");
        metadata.insert("cookie", "arrow_flight_session_id=\"q\"".parse().unwrap());
        assert_eq!(cookie(&metadata).unwrap(), "q");
    }
}
