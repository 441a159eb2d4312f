//! Ports that are taken: an error that names the port, or the next one, as docs/cluster.md says.

use crate::common::*;
use std::net::TcpListener;

#[test]
fn daemons_name_the_port_that_they_cannot_have() {
    let dir = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let held = TcpListener::bind(taken).unwrap();
    let (port, free) = (taken.port().to_string(), free_port().to_string());
    let master = format!("vonk://127.0.0.1:{free}");
    for arguments in [
        &["master", "--port", &port, "--webui-port", "0"][..],
        &["master", "--port", &free, "--webui-port", &port],
        &["worker", &master, "--webui-port", &port],
    ] {
        let output = vonk(dir.path(), arguments).output().unwrap();
        let said = text(&output);
        assert!(!output.status.success(), "{arguments:?}: {said}");
        assert!(
            said.contains(&format!("127.0.0.1:{port}")) && said.contains("in use"),
            "{arguments:?}: {said}"
        );
    }
    // A worker that never had a master.
    drop(held);
    assert_eq!(entries(&dir.path().join("work")), Vec::<String>::new());
}

#[test]
fn a_drivers_status_takes_the_next_port() {
    let dir = tempfile::tempdir().unwrap();
    // A port whose next one is free, too, a moment ago.
    let pair = || {
        let first = TcpListener::bind("127.0.0.1:0").unwrap();
        let next = first.local_addr().unwrap().port().checked_add(1)?;
        TcpListener::bind(("127.0.0.1", next)).is_ok().then_some((first, next))
    };
    let (held, next) = std::iter::repeat_with(pair).flatten().next().unwrap();
    let conf = format!("spark.ui.port={}", held.local_addr().unwrap().port());
    let mut arguments = vec!["sql", "--protocol", "jsonl", "--master", "local[1]"];
    arguments.extend(["--conf", "spark.ui.enabled=true", "--conf", &conf]);
    let mut driver = Driver::start(dir.path(), &arguments);
    assert!(driver.answer("SELECT 1").contains("1"));
    let at = format!("127.0.0.1:{next}").parse().unwrap();
    assert_eq!(seen(at, "/api/v1/applications").as_array().unwrap().len(), 1);
    // A second one takes the one after that.
    let mut second = Driver::start(dir.path(), &arguments);
    assert!(second.answer("SELECT 2").contains("2"));
}
