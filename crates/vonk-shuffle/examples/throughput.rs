//! How fast map outputs go through files and Flight, against the limits of the machine: plain TCP over loopback, and writing a file.
//!
//! `cargo run --release -p vonk-shuffle --example throughput -- [GIGABYTES] [lz4|zstd] [files|memory] [TASKS] [FOLDER]`
//!
//! One process writes map outputs and serves them; another, this one, reads every reduce partition, `TASKS` at once. "raw" counts the
//! bytes of the rows, "encoded" those of the files. Each step tells its time and the CPU time of both processes: on a machine that has
//! other things to do, the second is the one to compare.
#![allow(clippy::unwrap_used, clippy::expect_used)] // A failure ends the measurement.

use arrow::array::{
    ArrayRef, Decimal64Array, Float64Array, Int32Array, Int64Array, RecordBatch, StringViewArray,
};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use vonk_rpc::tonic::service::Routes;
use vonk_rpc::{Limits, Listening, Security};
use vonk_shuffle::{
    BlockMemory, BlockServer, ClusterBlocks, ClusterOptions, Connections, FetchOptions, Keep, MapPlaces,
    Place, ServerOptions, ServiceFiles, ShuffleBlocks, Source, batch_bytes,
};

const APPLICATION: &str = "throughput";
const BATCH_ROWS: usize = 8192;
const REDUCES: u32 = 8;
const CHUNK: usize = 1 << 20;

/// Memory without a limit.
#[derive(Default)]
struct Unlimited(AtomicU64, AtomicU64);

impl BlockMemory for Unlimited {
    fn try_grow(&self, bytes: u64) -> bool {
        self.grow(bytes);
        true
    }
    fn grow(&self, bytes: u64) {
        let now = self.0.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.1.fetch_max(now, Ordering::Relaxed);
    }
    fn shrink(&self, bytes: u64) {
        self.0.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// What is asked for.
#[derive(Clone)]
struct Run {
    bytes: u64,
    codec: String,
    files: bool,
    tasks: usize,
    dir: PathBuf,
}

impl Run {
    fn from_args(args: &[String]) -> Run {
        let arg = |i: usize, default: &str| args.get(i).cloned().unwrap_or(default.to_string());
        let gigabytes: f64 = arg(0, "2").parse().expect("gigabytes");
        Run {
            bytes: (gigabytes * 1e9) as u64,
            codec: arg(1, "lz4"),
            files: arg(2, "files") == "files",
            tasks: arg(3, "1").parse().expect("tasks"),
            dir: arg(
                4,
                &std::env::temp_dir()
                    .join(format!("throughput-{}", std::process::id()))
                    .display()
                    .to_string(),
            )
            .into(),
        }
    }

    fn to_args(&self) -> Vec<String> {
        let keep = if self.files { "files" } else { "memory" };
        let gigabytes = self.bytes as f64 / 1e9;
        vec![
            gigabytes.to_string(),
            self.codec.clone(),
            keep.into(),
            self.tasks.to_string(),
            self.dir.display().to_string(),
        ]
    }

    fn blocks(&self, executor: u64) -> (ClusterBlocks, Arc<Unlimited>, tokio::runtime::Runtime) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let memory = Arc::new(Unlimited::default());
        let fetch = FetchOptions::default();
        let blocks = ClusterBlocks::new(ClusterOptions {
            application: APPLICATION.to_string(),
            executor,
            memory: memory.clone(),
            dir: ServiceFiles::folder(&self.dir, APPLICATION, executor),
            keep: if self.files { Keep::Files } else { Keep::Memory },
            stores: None,
            compression: self.codec.parse().unwrap(),
            runtime: runtime.handle().clone(),
            connections: Connections::new(Security::none(), fetch.connect_timeout, fetch.retry_wait),
            fetch,
        });
        (blocks, memory, runtime)
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.first().map(String::as_str) {
        Some("serve") => serve(&Run::from_args(&args[1..])),
        _ => measure(&Run::from_args(&args)),
    }
}

/// Rows like those of a fact table.
fn rows(seed: u64) -> RecordBatch {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let n = BATCH_ROWS as i64;
    let start = seed as i64 * n;
    let words =
        ["carefully", "quickly", "the furiously", "ironic", "regular deposits", "final", "accounts sleep"];
    let comments = (0..n).map(|_| {
        let r = next();
        format!(
            "{} {} {}",
            words[r as usize % 7],
            words[(r >> 8) as usize % 7],
            words[(r >> 16) as usize % 7]
        )
    });
    let comments: ArrayRef = Arc::new(StringViewArray::from_iter_values(comments));
    let prices: Vec<i64> = (0..n).map(|_| (next() % 10_000_000) as i64).collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("key", Arc::new(Int64Array::from_iter_values(start..start + n))),
        ("part", Arc::new(Int64Array::from_iter_values((0..n).map(|_| (next() % 200_000) as i64)))),
        ("supplier", Arc::new(Int32Array::from_iter_values((0..n).map(|_| (next() % 10_000) as i32)))),
        ("price", Arc::new(Decimal64Array::from(prices).with_precision_and_scale(12, 2).unwrap())),
        ("discount", Arc::new(Float64Array::from_iter_values((0..n).map(|_| (next() % 11) as f64 / 100.0)))),
        ("random", Arc::new(Int64Array::from_iter_values((0..n).map(|_| next() as i64)))),
        (
            "flag",
            Arc::new(StringViewArray::from_iter_values((0..n).map(|_| ["A", "N", "R"][next() as usize % 3]))),
        ),
        ("comment", comments),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

/// The process that has the outputs. Says on its output what it has done, and ends with its input.
fn serve(run: &Run) {
    let (blocks, _, runtime) = run.blocks(0);
    let batches: Vec<RecordBatch> = (0..32).map(rows).collect();
    let bytes: u64 = batches.iter().map(batch_bytes).sum::<u64>() / 32;
    let count = run.bytes / bytes;
    let maps = (run.bytes >> 28).max(1) as u32; // 256 MB each.
    let (start, before) = (Instant::now(), cpu_of(std::process::id()));
    let mut n = 0;
    for map in 0..maps {
        let mut writer = blocks.writer(1, map, 0, REDUCES).unwrap();
        while n < count * u64::from(map + 1) / u64::from(maps) {
            writer.push((n % u64::from(REDUCES)) as u32, batches[n as usize % 32].clone()).unwrap();
            n += 1;
        }
        writer.commit().unwrap();
    }
    let (seconds, cpu) = (start.elapsed().as_secs_f64(), (cpu_of(std::process::id()) - before).max(0.01));
    let server = BlockServer::of_executor(&blocks, ServerOptions::default());
    let listening =
        runtime.block_on(Listening::bind("127.0.0.1", 0, &Security::none(), Limits::default())).unwrap();
    let flight = listening.address();
    runtime.spawn(listening.serve(Routes::new(server.into_service()), std::future::pending()));
    let plain = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{flight} {} {maps} {} {seconds} {cpu}", plain.local_addr().unwrap(), count * bytes);
    std::thread::spawn(move || {
        let chunk = vec![7u8; CHUNK];
        for mut socket in plain.incoming().flatten() {
            while socket.write_all(&chunk).is_ok() {}
        }
    });
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

struct Peer {
    child: Child,
    flight: String,
    plain: String,
    maps: u32,
    raw: u64,
    /// Seconds and CPU seconds.
    write: (f64, f64),
}

fn peer(run: &Run) -> Peer {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .arg("serve")
        .args(run.to_args())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (flight, plain) = (fields[0].to_string(), fields[1].to_string());
    let (maps, raw) = (fields[2].parse().unwrap(), fields[3].parse().unwrap());
    let write = (fields[4].parse().unwrap(), fields[5].parse().unwrap());
    Peer { child, flight, plain, maps, raw, write }
}

/// Megabytes per second and per second of CPU.
fn rate(bytes: u64, (seconds, cpu): (f64, f64)) -> String {
    let megabytes = bytes as f64 / 1e6;
    format!("{:6.0} MB/s {:6.0} MB/CPU s", megabytes / seconds, megabytes / cpu)
}

/// Seconds of CPU that a process has had, all threads, from `/proc` in hundredths.
fn cpu_of(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |i: usize| fields.get(i).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

/// Time and CPU time, of this process and the other, that something takes.
fn timed<T>(peer: &Peer, what: impl FnOnce() -> T) -> (T, (f64, f64)) {
    let cpu = || cpu_of(peer.child.id()) + cpu_of(std::process::id());
    let (start, before) = (Instant::now(), cpu());
    let done = what();
    (done, (start.elapsed().as_secs_f64(), (cpu() - before).max(0.01)))
}

fn folder_bytes(dir: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(dir) else { return 0 };
    let bytes = |e: std::fs::DirEntry| {
        if e.path().is_dir() { folder_bytes(&e.path()) } else { e.metadata().map_or(0, |m| m.len()) }
    };
    entries.flatten().map(bytes).sum()
}

fn measure(run: &Run) {
    let mut peer = peer(run);
    let encoded = folder_bytes(&run.dir);
    let keep = if run.files { "files" } else { "memory" };
    let (raw, tasks) = (peer.raw, run.tasks);
    println!(
        "{:.2} GB of rows in {} outputs ({keep}, {}), {tasks} tasks",
        raw as f64 / 1e9,
        peer.maps,
        run.codec
    );
    println!("write              raw {}", rate(raw, peer.write));
    println!("               encoded {}", rate(encoded, peer.write));
    let (blocks, memory, _runtime) = run.blocks(1);
    let (read, spent) = timed(&peer, || fetch(run, &peer, &blocks));
    assert!(read.abs_diff(raw) < raw / 50, "{read} bytes of {raw}");
    println!("fetch and decode   raw {}", rate(raw, spent));
    println!("               encoded {}", rate(encoded, spent));
    println!("                       at most {} MB in flight", memory.1.load(Ordering::Relaxed) / 1_000_000);
    let ((), spent) = timed(&peer, || plain_tcp(&peer.plain, run.bytes));
    println!("plain TCP              {}", rate(run.bytes, spent));
    let bytes = run.bytes.min(1 << 30);
    let ((), spent) = timed(&peer, || plain_write(&run.dir.join("plain"), bytes, false));
    println!("plain file             {}", rate(bytes, spent));
    let ((), spent) = timed(&peer, || plain_write(&run.dir.join("plain"), bytes, true));
    println!("  with fsync           {}", rate(bytes, spent));
    drop(peer.child.stdin.take());
    peer.child.wait().unwrap();
    let _ = std::fs::remove_dir_all(&run.dir);
}

/// Reads all partitions; the bytes of their rows.
fn fetch(run: &Run, peer: &Peer, blocks: &ClusterBlocks) -> u64 {
    let place = Place { executor: 0, source: Source::Flight(peer.flight.clone()) };
    let places = Arc::new(MapPlaces { places: vec![place], maps: vec![0; peer.maps as usize] });
    let (next, raw) = (AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|s| {
        for _ in 0..run.tasks {
            s.spawn(|| {
                loop {
                    let reduce = next.fetch_add(1, Ordering::Relaxed) as u32;
                    if reduce >= REDUCES {
                        return;
                    }
                    let mut reader = blocks.reader(1, peer.maps, reduce, Some(&places)).unwrap();
                    while let Some(batch) = reader.next(&|| Ok(())).unwrap() {
                        raw.fetch_add(batch_bytes(&batch), Ordering::Relaxed);
                    }
                }
            });
        }
    });
    raw.into_inner()
}

fn plain_tcp(address: &str, bytes: u64) {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let (mut chunk, mut left) = (vec![0; CHUNK], bytes);
    while left > 0 {
        left = left.saturating_sub(socket.read(&mut chunk).unwrap() as u64);
    }
}

fn plain_write(path: &Path, bytes: u64, sync: bool) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let (mut file, chunk) = (std::fs::File::create(path).unwrap(), vec![7u8; CHUNK]);
    for _ in 0..bytes / CHUNK as u64 {
        file.write_all(&chunk).unwrap();
    }
    if sync {
        file.sync_all().unwrap();
    }
    std::fs::remove_file(path).unwrap();
}
