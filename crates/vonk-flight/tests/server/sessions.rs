//! Logins and sessions.

use crate::running::{Client, Running, condition, rows};
use arrow_flight::sql::client::FlightSqlServiceClient;
use arrow_flight::{Action, BasicAuth, HandshakeRequest};
use futures::stream;
use prost::Message;
use std::collections::HashMap;
use std::io::Write;
use std::time::Duration;
use tonic::Code;
use vonk_flight::{Options, Users, hash_password};

/// Ann, whose password is `s3cret`.
pub fn users() -> Users {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "ann:{}\nbob:{}", hash_password("s3cret").unwrap(), hash_password("other").unwrap())
        .unwrap();
    Users::read(file.path()).unwrap()
}

fn with_users(o: &mut Options) {
    o.users = Some(users());
}

async fn logged_in(server: &Running, name: &str, password: &str) -> Result<Client, tonic::Status> {
    let mut client = server.client().await;
    // As `client.handshake`, which hides what the server says.
    let login = BasicAuth { username: name.into(), password: password.into() };
    let message = HandshakeRequest { protocol_version: 0, payload: login.encode_to_vec().into() };
    let answer = client.inner_mut().handshake(stream::iter([message])).await?;
    let header = answer.metadata().get("authorization").unwrap().to_str().unwrap().to_string();
    let token = answer.into_inner().message().await?.unwrap().payload;
    assert_eq!(header.as_bytes(), [b"Bearer ", &token[..]].concat());
    client.set_token(String::from_utf8(token.to_vec()).unwrap());
    Ok(client)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_a_token() {
    let server = Running::with(with_users, &[]).await;
    let mut ann = logged_in(&server, "ann", "s3cret").await.unwrap();
    rows(&mut ann, "CREATE TEMPORARY VIEW v AS SELECT 42 AS x").await.unwrap();
    rows(&mut ann, "SET spark.sql.session.timeZone = Asia/Tokyo").await.unwrap();
    assert_eq!(rows(&mut ann, "SELECT x, current_timezone() FROM v").await.unwrap(), "42,Asia/Tokyo");
    assert_eq!(rows(&mut ann, "SELECT current_user()").await.unwrap(), "ann");
    // The same token over another connection is the same session.
    let mut again = server.client().await;
    again.set_token(ann.token().unwrap().clone());
    assert_eq!(rows(&mut again, "SELECT x FROM v").await.unwrap(), "42");
    // Another login is another session, of the same user or not.
    for (name, password) in [("ann", "s3cret"), ("bob", "other")] {
        let mut other = logged_in(&server, name, password).await.unwrap();
        assert_eq!(
            condition(&rows(&mut other, "SELECT x FROM v").await.unwrap_err()).0,
            "TABLE_OR_VIEW_NOT_FOUND"
        );
    }
    // Closed, it is gone for all connections.
    let close = Action { r#type: "CloseSession".into(), body: Default::default() };
    ann.do_action(request(&ann, close)).await.unwrap();
    let over = rows(&mut again, "SELECT 1").await.unwrap_err();
    assert_eq!((over.code(), condition(&over).0), (Code::Unauthenticated, "_SESSION_EXPIRED".into()));
}

fn request(client: &Client, action: Action) -> tonic::Request<Action> {
    let mut request = tonic::Request::new(action);
    if let Some(token) = client.token() {
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_passwords_and_none() {
    let server = Running::with(with_users, &[]).await;
    for (name, password) in [("ann", "hunter2"), ("nobody", "s3cret"), ("ann", "")] {
        let refused = logged_in(&server, name, password).await.map(drop).unwrap_err();
        assert_eq!((refused.code(), condition(&refused).0), (Code::Unauthenticated, "_LOGIN_FAILED".into()));
        assert!(!refused.message().contains(password) || password.is_empty());
    }
    // By the header, as the Java client does.
    let mut ann = server.client().await;
    ann.handshake("ann", "s3cret").await.unwrap();
    assert_eq!(rows(&mut ann, "SELECT 1").await.unwrap(), "1");
    let mut stranger = server.client().await;
    let refused = rows(&mut stranger, "SELECT 1").await.unwrap_err();
    assert_eq!((refused.code(), condition(&refused).0), (Code::Unauthenticated, "_LOGIN_REQUIRED".into()));
    // A name and a password with each call do as well.
    for (header, right) in [
        ("Basic YW5uOnMzY3JldA==", true),
        ("Basic YW5uOndyb25n", false),
        ("Basic %%", false),
        ("Bearer x", false),
    ] {
        let mut client = server.client().await;
        client.set_header("authorization", header);
        assert_eq!(rows(&mut client, "SELECT 1").await.is_ok(), right, "{header}");
        assert_eq!(rows(&mut client, "SELECT 2").await.is_ok(), right, "{header}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_expire() {
    let short = |o: &mut Options| {
        with_users(o);
        o.session_idle = Duration::from_millis(600);
        o.session_life = Duration::from_millis(2500);
    };
    let server = Running::with(short, &[]).await;
    let mut idle = logged_in(&server, "ann", "s3cret").await.unwrap();
    let mut busy = logged_in(&server, "ann", "s3cret").await.unwrap();
    for _ in 0..4 {
        assert_eq!(rows(&mut busy, "SELECT 1").await.unwrap(), "1");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let expired = rows(&mut idle, "SELECT 1").await.unwrap_err();
    assert_eq!((expired.code(), condition(&expired).0), (Code::Unauthenticated, "_SESSION_EXPIRED".into()));
    let mut last = Ok(String::new());
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        last = rows(&mut busy, "SELECT 1").await;
    }
    assert_eq!(condition(&last.unwrap_err()).0, "_SESSION_EXPIRED", "it lasted too long");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_users_a_session_is_a_connection_or_a_cookie() {
    let server = Running::new().await;
    let mut one = server.client().await;
    rows(&mut one, "CREATE TEMPORARY VIEW v AS SELECT 1 AS x").await.unwrap();
    assert_eq!(rows(&mut one, "SELECT x FROM v").await.unwrap(), "1");
    let mut two = server.client().await;
    assert!(rows(&mut two, "SELECT x FROM v").await.is_err());
    // Python's flightsql-dbapi sends this where it was told no token.
    two.set_header("authorization", "Bearer None");
    assert_eq!(rows(&mut two, "SELECT 1").await.unwrap(), "1");
    // As JDBC does it.
    let mut three = server.client().await;
    let action = Action { r#type: "GetSessionOptions".into(), body: Default::default() };
    let response = three.inner_mut().do_action(action).await.unwrap();
    let cookie = response
        .metadata()
        .get("set-cookie")
        .unwrap()
        .to_str()
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_string();
    assert!(cookie.starts_with("arrow_flight_session_id="), "{cookie}");
    three.set_header("cookie", &cookie);
    rows(&mut three, "CREATE TEMPORARY VIEW w AS SELECT 3 AS x").await.unwrap();
    drop(three);
    let mut four = server.client().await;
    four.set_header("cookie", &cookie);
    assert_eq!(rows(&mut four, "SELECT x FROM w").await.unwrap(), "3");
}

#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(string, optional, tag = "1")]
    string: Option<String>,
}

/// As `SetSessionOptionsRequest` and `GetSessionOptionsResult`.
#[derive(Clone, PartialEq, Message)]
struct SessionOptions {
    #[prost(map = "string, message", tag = "1")]
    options: HashMap<String, Value>,
}

#[derive(Clone, PartialEq, Message)]
struct SetError {
    #[prost(int32, tag = "1")]
    value: i32,
}

/// As `SetSessionOptionsResult`.
#[derive(Clone, PartialEq, Message)]
struct SetErrors {
    #[prost(map = "string, message", tag = "1")]
    errors: HashMap<String, SetError>,
}

#[tokio::test(flavor = "multi_thread")]
async fn session_options() {
    let server = Running::new().await;
    let mut client = server.client().await;
    let set = |pairs: &[(&str, &str)]| {
        let value = |v: &str| Value { string: Some(v.to_string()) };
        let options = pairs.iter().map(|(k, v)| (k.to_string(), value(v))).collect();
        Action { r#type: "SetSessionOptions".into(), body: SessionOptions { options }.encode_to_vec().into() }
    };
    let act = async |client: &mut FlightSqlServiceClient<_>, action: Action| {
        client.do_action(tonic::Request::new(action)).await.unwrap().message().await.unwrap().unwrap().body
    };
    let body = act(&mut client, set(&[("catalog", "samples"), ("spark.sql.ansi.enabled", "false")])).await;
    assert!(body.is_empty(), "no errors");
    let body = act(&mut client, set(&[("schema", "tpch")])).await;
    assert!(body.is_empty(), "no errors");
    assert_eq!(rows(&mut client, "SELECT count(*), 1/0 FROM nation").await.unwrap(), "25,");
    let told =
        act(&mut client, Action { r#type: "GetSessionOptions".into(), body: Default::default() }).await;
    let told = SessionOptions::decode(told).unwrap().options;
    let value = |k: &str| told[k].string.clone().unwrap();
    assert_eq!((value("catalog"), value("schema")), ("samples".to_string(), "tpch".to_string()));
    assert_eq!(value("spark.sql.ansi.enabled"), "false");
    let body = act(&mut client, set(&[("nope", "1"), ("compression", "brotli"), ("catalog", "nope")])).await;
    let errors: HashMap<String, i32> =
        SetErrors::decode(body).unwrap().errors.into_iter().map(|(k, v)| (k, v.value)).collect();
    let expected = [("nope", 1), ("compression", 2), ("catalog", 2)].map(|(k, v)| (k.to_string(), v));
    assert_eq!(errors, HashMap::from(expected));
    assert_eq!(rows(&mut client, "SELECT current_catalog()").await.unwrap(), "samples");
}
