//! Processes of another version: refused with both versions named, at either end, and whoever refuses goes on.

use crate::common::*;
use std::net::SocketAddr;
use std::time::Duration;
use tonic::metadata::MetadataValue;
use vonk_rpc::PostcardCodec;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// What a server answers to a call of another version, or with another secret.
fn refusal(address: &str, path: &'static str, protocol: u32, secret: &str) -> vonk::Error {
    call(address, path, protocol, secret).expect_err("a refusal")
}

/// Calls with a message that is none.
fn call(address: &str, path: &'static str, protocol: u32, secret: &str) -> vonk::Result<()> {
    runtime().block_on(async {
        let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{address}")).unwrap();
        let mut grpc = tonic::client::Grpc::new(endpoint.connect().await.unwrap());
        let mut request = tonic::Request::new(one_message(7));
        let metadata = request.metadata_mut();
        metadata.insert("vonk-protocol", MetadataValue::from(protocol));
        metadata.insert("vonk-version", MetadataValue::from_static("9.9.9"));
        metadata.insert("authorization", format!("Bearer {secret}").parse().unwrap());
        grpc.ready().await.unwrap();
        let path = path.parse().unwrap();
        let calling = grpc.streaming(request, path, PostcardCodec::<u64, u64>::default());
        let answer =
            tokio::time::timeout(Duration::from_secs(20), calling).await.expect("an answer, in time");
        let ended = match answer {
            Err(status) => Err(status),
            Ok(answer) => answer.into_inner().message().await,
        };
        ended.map(|_| ()).map_err(|status| vonk_rpc::from_status("refused", &status))
    })
}

fn one_message(message: u64) -> impl tonic::codegen::tokio_stream::Stream<Item = u64> + Send + 'static {
    tonic::codegen::tokio_stream::once(message)
}

/// A server that takes every caller for one of another version.
fn another_version() -> (tokio::runtime::Runtime, SocketAddr) {
    let runtime = runtime();
    let refuse = || async {
        let error = vonk::Error::new("_VERSION_MISMATCH").with("theirs", "0.0.1").with("ours", "9.9.9");
        vonk_rpc::to_status(&error).into_http::<axum::body::Body>()
    };
    let routes = tonic::service::Routes::from(axum::Router::new().fallback(refuse));
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let incoming = tonic::transport::server::TcpIncoming::from(listener);
    runtime.spawn(tonic::transport::Server::builder().add_routes(routes).serve_with_incoming(incoming));
    (runtime, address)
}

#[test]
fn a_driver_refuses_executors_of_another_version_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let address = format!("127.0.0.1:{}", free_port());
    let conf = [
        format!("spark.local.dir={}", dir.path().display()),
        format!("spark.driver.port={}", address.rsplit_once(':').unwrap().1),
    ];
    let mut arguments = vec!["sql", "--protocol", "jsonl", "--master", "local-cluster[1,1,1g]"];
    conf.iter().for_each(|c| arguments.extend(["--conf", c]));
    let mut driver = Driver::start(dir.path(), &arguments);
    let count = "SELECT count(*) FROM range(0, 1000, 1, 4)";
    assert!(driver.answer(count).contains("1000"));

    let error = refusal(&address, "/vonk.Driver/Attach", vonk_rpc::PROTOCOL + 1, SECRET);
    assert_eq!((error.condition(), error.sql_state()), ("_VERSION_MISMATCH", "08004"), "{error}");
    let text = error.to_string();
    assert!(text.contains("9.9.9") && text.contains(vonk_rpc::VERSION), "{text}");
    // Who has not the secret does not even learn the version.
    let error = refusal(&address, "/vonk.Driver/Attach", vonk_rpc::PROTOCOL + 1, "another");
    assert_eq!(error.condition(), "_UNAUTHENTICATED");
    assert!(!error.to_string().contains(vonk_rpc::VERSION), "{error}");
    // One who has both and then talks nonsense.
    for path in ["/vonk.Driver/Attach", "/vonk.Driver/Results"] {
        let error = refusal(&address, path, vonk_rpc::PROTOCOL, SECRET);
        assert!(error.to_string().contains("cannot be decoded"), "{error}");
    }
    assert!(driver.answer(count).contains("1000"));
}

#[test]
fn a_master_refuses_workers_and_applications_of_another_version_and_goes_on() {
    let cluster = Cluster::start(1, &[]);
    let address = cluster.url().replace("vonk://", "");
    for path in ["/vonk.Master/Worker", "/vonk.Master/Application"] {
        let error = refusal(&address, path, vonk_rpc::PROTOCOL + 1, SECRET);
        assert_eq!(error.condition(), "_VERSION_MISMATCH", "{error}");
        // One that talks nonsense is not listened to, whether it is told or not.
        let _ = call(&address, path, vonk_rpc::PROTOCOL, SECRET);
    }
    let mut query = cluster.sql("query", &[], "SELECT count(*) FROM range(0, 1000, 1, 4)");
    assert!(query.ended().success() && query.said().contains("1000"), "{}", query.said());
}

#[test]
fn who_comes_to_one_of_another_version_says_so_and_ends() {
    let dir = tempfile::tempdir().unwrap();
    let (_runtime, address) = another_version();
    let names_both = |said: &str| said.contains("9.9.9") && said.contains("0.0.1");

    let options = serde_json::json!({
        "driver": address.to_string(), "application": "app-1", "executor": 0, "bind": "127.0.0.1", "host": "127.0.0.1",
        "slots": 1, "memory": 1 << 30, "dir": dir.path().join("executor-0"), "conf": {},
    });
    let mut command = vonk(dir.path(), &[]);
    command.env("VONK_EXECUTOR", options.to_string());
    let mut executor = Daemon::of(dir.path(), "executor", command);
    assert!(!executor.ended().success());
    assert!(names_both(&executor.said()), "{}", executor.said());
    assert!(!dir.path().join("executor-0").exists(), "its folder is left");

    let master = format!("vonk://{address}");
    for arguments in [
        &["worker", &master, "--cores", "1", "--webui-port", "0"][..],
        &["sql", "--master", &master, "-e", "SELECT 1"],
        &["submit", "--master", &master, "--status", "driver-1"],
    ] {
        let mut process = Daemon::start(dir.path(), arguments[0], arguments);
        assert!(!process.ended().success());
        assert!(names_both(&process.said()), "{}", process.said());
    }
}
