//! TPC-H while executors die: every answer right, no query failed, nothing hangs, nothing left behind.
//!
//! A driver process runs the 22 queries on executors, round after round, while a killer ends, pauses and robs them: see [`killer`]. The
//! answers are those of local mode, which the golden tests hold against Spark.
//!
//! Environment (the defaults are the short form, for every test run):
//! `VONK_KILLER_SCALE` (0.02) scale of the data; `VONK_KILLER_ROUNDS` (2); `VONK_KILLER_SEED` (1) what the killer does and when;
//! `VONK_KILLER_EVERY` (`150-600`) milliseconds between its deeds; `VONK_KILLER_MASTER` (`local-cluster[3,1,1g]`).
//! The long form: `VONK_KILLER_SCALE=1 VONK_KILLER_ROUNDS=50 VONK_KILLER_EVERY=1000-3000 cargo test --release -p vonk-cli --test killer
//! -- --nocapture`.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

mod cut;
mod killer;
mod session;
mod standalone;

use killer::{Deed, Keepers, Killer};
use session::Session;
use standalone::Standalone;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn setting<T: std::str::FromStr>(name: &str, default: T) -> T {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text} is not understood")),
        Err(_) => default,
    }
}

/// The statements of the 22 queries, by name, from `sql-tests/tpch`.
fn queries() -> Vec<(String, Vec<String>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sql-tests/tpch");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    let text = |path: &PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let file = std::fs::read_to_string(path).unwrap();
        // q15 makes a view and drops it.
        let statements = file.split("\nquery ").skip(1).map(|q| {
            let text = q.split("\n----").next().unwrap();
            text.split_once('\n').unwrap().1.to_string()
        });
        (name, statements.collect())
    };
    let name = |p: &PathBuf| p.file_name().unwrap().to_string_lossy().into_owned();
    let is_query = |p: &&PathBuf| name(p).starts_with('q') && name(p).len() == "q01.slt".len();
    let queries: Vec<_> = paths.iter().filter(is_query).map(text).collect();
    assert_eq!(queries.len(), 22);
    queries
}

fn generate(dir: &Path, scale: f64) {
    let status = Command::new(env!("CARGO_BIN_EXE_vonk"))
        .args(["generate", "tpch", "--scale", &scale.to_string(), "--output"])
        .arg(dir)
        .status()
        .unwrap();
    assert!(status.success());
}

fn views(session: &mut Session, data: &Path) {
    for table in ["customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier"] {
        let sql = format!(
            "CREATE TEMPORARY VIEW {table} AS SELECT * FROM parquet.`{}`",
            data.join(format!("{table}.parquet")).display()
        );
        session.rows(&sql).unwrap();
    }
}

struct Case {
    name: String,
    statements: Vec<(String, Vec<String>)>,
}

/// Rounds of all queries while the killer is at work; how many deeds it did.
fn rounds(
    cases: &[Case],
    data: &Path,
    cluster: Option<&Arc<Standalone>>,
    conf: &[(&str, &str)],
    deeds: &[Deed],
    seed: u64,
) -> usize {
    let local = tempfile::tempdir().unwrap();
    let master = match cluster {
        Some(cluster) => cluster.url(),
        None => setting("VONK_KILLER_MASTER", "local-cluster[3,1,1g]".to_string()),
    };
    let every: String = setting("VONK_KILLER_EVERY", "150-600".to_string());
    let (least, most) = every.split_once('-').expect("VONK_KILLER_EVERY as 150-600");
    let every = least.parse().unwrap()..most.parse().unwrap();
    let mut settings = vec![
        ("spark.local.dir".to_string(), local.path().to_string_lossy().into_owned()),
        // What is paused is to be noticed before the patience of this test ends.
        ("spark.network.timeout".to_string(), "2s".to_string()),
        ("spark.executor.heartbeatInterval".to_string(), "200ms".to_string()),
        // Small data in many parts, so that there is something to lose.
        ("spark.sql.shuffle.partitions".to_string(), "6".to_string()),
        ("spark.sql.files.maxPartitionBytes".to_string(), "1m".to_string()),
    ];
    settings.extend(conf.iter().map(|(k, v)| (k.to_string(), v.to_string())));
    let mut session = Session::start(&master, &settings);
    views(&mut session, data);
    let (keepers, files) = match cluster {
        Some(cluster) => (Keepers::Daemons(cluster.clone()), cluster.dir().to_path_buf()),
        None => (Keepers::Driver(session.pid()), local.path().to_path_buf()),
    };
    let killer = Killer::start(keepers, &files, deeds, every, seed);
    let history = || format!("{}\n{}", killer.history(), cluster.map(|c| c.logs()).unwrap_or_default());
    let count: usize = setting("VONK_KILLER_ROUNDS", 2);
    for round in 0..count {
        let begun = Instant::now();
        for case in cases {
            for (sql, expected) in &case.statements {
                let rows = match session.rows(sql) {
                    Ok(rows) => rows,
                    Err(error) => panic!("round {round}, {}: {error}\n{}", case.name, history()),
                };
                assert!(rows == *expected, "round {round}, {}: other rows\n{}", case.name, history());
            }
        }
        println!("round {round}: {} ms, {} deeds so far", begun.elapsed().as_millis(), killer.deeds());
    }
    let (deeds, children) = killer.stop();
    session.end();
    let deadline = Instant::now() + Duration::from_secs(5);
    while children.iter().any(|pid| Path::new(&format!("/proc/{pid}")).exists()) {
        assert!(Instant::now() < deadline, "executors are left in the process table");
        std::thread::sleep(Duration::from_millis(20));
    }
    let left: Vec<_> = std::fs::read_dir(local.path()).unwrap().map(|e| e.unwrap().path()).collect();
    assert!(left.is_empty(), "left on disk: {left:?}");
    deeds
}

fn cases(data: &Path) -> Vec<Case> {
    let mut session = Session::start("local[2]", &[]);
    views(&mut session, data);
    let mut run = |(name, statements): (String, Vec<String>)| {
        let with_rows = |sql: String| {
            let rows = session.rows(&sql).unwrap();
            (sql, rows)
        };
        Case { name, statements: statements.into_iter().map(with_rows).collect() }
    };
    let cases: Vec<Case> = queries().into_iter().map(&mut run).collect();
    session.end();
    cases
}

#[test]
fn answers_stay_right_while_executors_die() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("tpch");
    generate(&data, setting("VONK_KILLER_SCALE", 0.02));
    let cases = cases(&data);
    let seed = setting("VONK_KILLER_SEED", 1);
    // Blocks in memory, then blocks in files, which can be taken away and spoiled, too.
    let kill = [Deed::Kill, Deed::Kill, Deed::Kill, Deed::Pause];
    let deeds = rounds(&cases, &data, None, &[], &kill, seed);
    assert!(deeds > 0, "the killer came too late");
    let all = [Deed::Kill, Deed::Kill, Deed::Pause, Deed::Rob, Deed::Spoil];
    let deeds = rounds(&cases, &data, None, &[SERVICE], &all, seed + 1);
    assert!(deeds > 0, "the killer came too late");
}

/// Copies of tasks, executors that come and go, blocks in an object store, tasks that stay off where they failed: while executors die. None
/// is paused: of few that come and go it may be the only one, paused before it has attached, and to find that out takes long.
#[test]
fn answers_stay_right_in_other_configurations_while_executors_die() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("tpch");
    generate(&data, setting("VONK_KILLER_SCALE", 0.02));
    let cases = cases(&data);
    let seed = setting("VONK_KILLER_SEED", 1);
    let store = dir.path().join("store");
    let url = format!("file://{}", store.display());
    let copies = [
        ("spark.speculation", "true"),
        ("spark.speculation.interval", "10ms"),
        ("spark.speculation.minTaskRuntime", "10ms"),
        ("spark.speculation.quantile", "0.3"),
        ("spark.speculation.multiplier", "1.2"),
    ];
    let come_and_go = [
        ("spark.dynamicAllocation.enabled", "true"),
        ("spark.dynamicAllocation.executorIdleTimeout", "100ms"),
        ("spark.dynamicAllocation.schedulerBacklogTimeout", "10ms"),
        ("spark.locality.wait", "0"),
    ];
    let in_store = [("spark.vonk.shuffle.store", url.as_str()), ("spark.excludeOnFailure.enabled", "true")];
    let all: [&[&[(&str, &str)]]; 5] = [
        &[&copies],
        &[&copies, &in_store],
        &[&come_and_go],
        &[&come_and_go, &in_store],
        &[&copies, &come_and_go, &[SERVICE]],
    ];
    for (n, conf) in (0..).zip(all) {
        println!("{conf:?}");
        rounds(&cases, &data, None, &conf.concat(), &[Deed::Kill], seed + n);
        let left: Vec<_> =
            std::fs::read_dir(&store).into_iter().flatten().map(|e| e.unwrap().path()).collect();
        assert!(left.is_empty(), "left in the store: {left:?}");
    }
}

/// Blocks are files, which others than their executor serve.
const SERVICE: (&str, &str) = ("spark.shuffle.service.enabled", "true");

#[test]
fn answers_stay_right_while_a_standalone_cluster_dies() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("tpch");
    generate(&data, setting("VONK_KILLER_SCALE", 0.02));
    let cases = cases(&data);
    let seed = setting("VONK_KILLER_SEED", 1);
    for (conf, more) in [(&[][..], &[][..]), (&[SERVICE][..], &[Deed::Rob, Deed::Spoil][..])] {
        let files = tempfile::tempdir().unwrap();
        let cluster = Arc::new(Standalone::start(files.path(), conf));
        let deeds =
            [&[Deed::Kill, Deed::Kill, Deed::Kill, Deed::Pause, Deed::Worker, Deed::Master][..], more]
                .concat();
        let deeds = rounds(&cases, &data, Some(&cluster), conf, &deeds, seed);
        assert!(deeds > 0, "the killer came too late");
        let cluster = Arc::into_inner(cluster).expect("the killer is gone");
        cluster.stop();
        let mut left = Vec::new();
        for worker in 1..=3 {
            let folder = files.path().join(format!("worker-{worker}"));
            left.extend(std::fs::read_dir(folder).into_iter().flatten().map(|e| e.unwrap().path()));
        }
        assert!(left.is_empty(), "left on disk: {left:?}");
    }
}

/// A worker on a machine of its own, whose network is cut again and again: its executors are lost by silence alone, and come back as others.
#[test]
fn answers_stay_right_while_a_network_is_cut() {
    let machine = match cut::Machine::make() {
        Ok(machine) => machine,
        Err(why) => {
            println!("SKIPPED: this machine allows no network namespaces: {why}");
            return;
        }
    };
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("tpch");
    generate(&data, setting("VONK_KILLER_SCALE", 0.02));
    let cases = cases(&data);
    let (here, there) = (machine.here(), machine.there());
    let port = std::net::TcpListener::bind((here.as_str(), 0)).unwrap().local_addr().unwrap().port();
    let url = format!("vonk://{here}:{port}");
    let vonk = env!("CARGO_BIN_EXE_vonk");
    let daemon = |mut command: Command, name: &str, arguments: &[&str]| {
        let log = std::fs::File::create(dir.path().join(format!("{name}.log"))).unwrap();
        let command = command.args(arguments).args(["--webui-port", "0", "--conf", "spark.worker.timeout=4"]);
        command
            .env("VONK_AUTHENTICATE_SECRET", "hush")
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null());
        Ended(command.stderr(log).spawn().unwrap())
    };
    let master = ["master", "--host", &here, "--port", &port.to_string()].map(str::to_string);
    let _master = daemon(Command::new(vonk), "master", &master.each_ref().map(String::as_str));
    std::thread::sleep(Duration::from_millis(500));
    let worker = |host: &str, name: &str| {
        let dir = dir.path().join(name).to_string_lossy().into_owned();
        ["worker", &url, "--host", host, "--cores", "1", "--memory", "1g", "--work-dir", &dir]
            .map(str::to_string)
    };
    let near = worker(&here, "near");
    let _near = daemon(Command::new(vonk), "near", &near.each_ref().map(String::as_str));
    let far = worker(&there, "far");
    let _far = daemon(machine.command(vonk), "far", &far.each_ref().map(String::as_str));

    let local = tempfile::tempdir().unwrap();
    let settings = [
        ("spark.local.dir", local.path().to_str().unwrap()),
        ("spark.driver.bindAddress", &here),
        ("spark.driver.host", &here),
        ("spark.authenticate.secret", "hush"),
        ("spark.network.timeout", "1s"),
        ("spark.executor.heartbeatInterval", "100ms"),
        ("spark.sql.shuffle.partitions", "6"),
        ("spark.sql.files.maxPartitionBytes", "1m"),
    ];
    let settings: Vec<_> = settings.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
    let mut session = Session::start(&url, &settings);
    views(&mut session, &data);
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let cutter = scope.spawn(|| {
            let mut cuts = 0;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(700));
                machine.connect(false);
                std::thread::sleep(Duration::from_millis(2500));
                machine.connect(true);
                cuts += 1;
            }
            cuts
        });
        let mut wrong = None;
        'rounds: for round in 0..setting("VONK_KILLER_ROUNDS", 2) {
            for case in &cases {
                for (sql, expected) in &case.statements {
                    match session.rows(sql) {
                        Ok(rows) if rows == *expected => {}
                        Ok(_) => wrong = Some(format!("round {round}, {}: other rows", case.name)),
                        Err(error) => wrong = Some(format!("round {round}, {}: {error}", case.name)),
                    }
                    if wrong.is_some() {
                        break 'rounds;
                    }
                }
            }
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        let cuts = cutter.join().unwrap();
        assert_eq!(wrong, None);
        println!("{cuts} cuts");
    });
    session.end();
}

/// A process that ends with the test.
struct Ended(std::process::Child);

impl Drop for Ended {
    fn drop(&mut self) {
        killer::signal(self.0.id(), "TERM");
        std::thread::sleep(Duration::from_millis(300));
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
