//! Whatever comes to any port of any process: it goes on, and answers the next who talks sense.

use crate::common::*;
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

/// The ports on which a process listens.
fn ports(pid: u32) -> BTreeSet<u16> {
    let fds = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
    let links = fds.filter_map(|f| std::fs::read_link(f.path()).ok());
    let sockets: BTreeSet<String> = links
        .filter_map(|l| Some(l.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_string()))
        .collect();
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    // Number, local address, remote address, state (0A is listening), …, inode.
    let port = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let listens = words.get(3) == Some(&"0A") && words.get(9).is_some_and(|i| sockets.contains(*i));
        listens.then(|| u16::from_str_radix(words[1].split_once(':')?.1, 16).ok()).flatten()
    };
    table.lines().filter_map(port).collect()
}

/// Bytes in memory.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

/// Open files and sockets.
fn descriptors(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}

/// Things that are no request, or none that any port takes.
fn nonsense() -> Vec<Vec<u8>> {
    let mut noise = 7u64;
    let mut random = |n: usize| -> Vec<u8> {
        let next = || {
            noise = noise.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (noise >> 56) as u8
        };
        std::iter::repeat_with(next).take(n).collect()
    };
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    let settings = b"\0\0\0\x04\0\0\0\0\0".to_vec();
    // Length, kind, flags, stream.
    let frame = |kind: u8, flags: u8, stream: u32, payload: &[u8]| {
        let length = (payload.len() as u32).to_be_bytes();
        [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
    };
    let mut all = vec![
        vec![],
        vec![0],
        random(500),
        random(100_000),
        b"GET / HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(),
        b"POST /api/v1/status HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999\r\n\r\n".to_vec(),
        b"GET /api/v1/applications/%ff%00/../.. HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(),
        [b"GET / HTTP/1.1\r\nx: ".to_vec(), vec![b'a'; 4 << 20], b"\r\n\r\n".to_vec()].concat(),
        format!("GET / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(100_000)).into_bytes(),
        [b"GET /".to_vec(), vec![b'a'; 1 << 20], b" HTTP/1.1\r\n\r\n".to_vec()].concat(),
        b"\x16\x03\x01\xff\xff\x01\0\0\xfb".to_vec(),
        [preface.clone(), random(1000)].concat(),
        // A frame of 16 MiB that does not come, data on a stream that is none, and very many streams that end at once.
        [preface.clone(), settings.clone(), b"\xff\xff\xff\0\0\0\0\0\x01".to_vec()].concat(),
        [preface.clone(), settings.clone(), frame(0, 1, 9, &[0; 100])].concat(),
    ];
    // `:method: POST`, `:scheme: http`, `:path: /`.
    let headers = [0x83, 0x86, 0x84];
    let mut rapid = [preface.clone(), settings.clone()].concat();
    for stream in 0..5_000u32 {
        rapid.extend(frame(1, 4, stream * 2 + 1, &headers));
        rapid.extend(frame(3, 0, stream * 2 + 1, &[0, 0, 0, 8]));
    }
    all.push(rapid);
    // Headers without an end.
    let mut endless = [preface, settings, frame(1, 0, 1, &headers)].concat();
    for _ in 0..1_000 {
        endless.extend(frame(9, 0, 1, &[&[0, 1, b'x', 127, 0x81, 0x07][..], &[b'y'; 1000]].concat()));
    }
    all.push(endless);
    all
}

/// Says something to a port, and hears what it says; connections that stay open are given to `open`.
fn annoy(port: u16, nonsense: &[Vec<u8>], open: &mut Vec<TcpStream>) {
    for bytes in nonsense {
        let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        socket.set_write_timeout(Some(Duration::from_secs(2))).unwrap();
        // It may be closed before all is said.
        let _ = socket.write_all(bytes);
        let _ = socket.read(&mut [0; 1 << 16]);
        if bytes.len() % 2 == 0 {
            let _ = socket.shutdown(Shutdown::Write);
        }
        open.push(socket);
    }
    // Some that say nothing, or begin and do not go on.
    for n in 0..20 {
        let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
        if n % 2 == 0 {
            let _ = socket.write_all(b"GET /api/v1/sta");
        }
        open.push(socket);
    }
}

#[test]
fn whatever_comes_to_any_port_changes_nothing() {
    let service = "spark.shuffle.service.enabled=true";
    let cluster = Cluster::start(1, &[service]);
    let url = cluster.url();
    let (local, web) = (cluster.dir.path().join("driver"), free_port());
    let conf = [
        format!("spark.local.dir={}", local.display()),
        "spark.ui.enabled=true".to_string(),
        format!("spark.ui.port={web}"),
        service.to_string(),
    ];
    let mut arguments = vec!["sql", "--protocol", "jsonl", "--master", &url];
    conf.iter().for_each(|c| arguments.extend(["--conf", c]));
    let mut driver = Driver::start(cluster.dir.path(), &arguments);
    // Through a shuffle, so that blocks are asked for.
    let sql = "SELECT k, count(*) FROM (SELECT /*+ REPARTITION(4) */ id % 3 AS k FROM range(0, 3000, 1, 4)) GROUP BY k ORDER BY k";
    let answer = driver.answer(sql);
    assert!(answer.contains("1\\t1000"), "{answer}");

    let executors = executors_in(cluster.dir.path());
    assert_eq!(executors.len(), 1);
    let all = [cluster.master.pid(), cluster.workers[0].pid(), driver.pid(), executors[0]];
    // RPC and status of the master; shuffle service and status of the worker; RPC and status of the driver; blocks of the executor.
    let ports = all.map(ports);
    assert_eq!(ports.each_ref().map(BTreeSet::len), [2, 2, 2, 1], "{ports:?}");
    let (before, descriptors_before) = (all.map(resident), all.map(descriptors));
    let (nonsense, mut open) = (nonsense(), Vec::new());
    for port in ports.iter().flatten() {
        annoy(*port, &nonsense, &mut open);
    }
    // While some of these connections are still open.
    assert_eq!(driver.answer(sql), answer);
    for daemon in [&cluster.master, &cluster.workers[0]] {
        assert!(seen(daemon.web(), "/api/v1/status").is_object());
    }
    let at = format!("127.0.0.1:{web}").parse().unwrap();
    assert_eq!(seen(at, "/api/v1/applications").as_array().unwrap().len(), 1);
    let mut next = cluster.sql("next", &["spark.cores.max=1"], "SELECT count(*) FROM range(0, 1000, 1, 4)");
    // It waits for cores that the first has.
    drop(driver);
    assert!(next.ended().success() && next.said().contains("1000"), "{}", next.said());
    assert!(lives(all[0]) && lives(all[1]), "the daemons are those of before");
    for (pid, before) in all[..2].iter().zip(before) {
        let more = resident(*pid).saturating_sub(before);
        assert!(more < 100 << 20, "{more} bytes more than before");
    }
    drop(open);
    for (pid, before) in all[..2].iter().zip(descriptors_before) {
        eventually("sockets are closed", || descriptors(*pid) <= before);
    }
}
