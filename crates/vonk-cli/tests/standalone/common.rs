//! Daemons as processes, and ways to look at them.

use serde_json::Value;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

pub const SECRET: &str = "a-secret-of-tests";

/// The command, in a folder.
pub fn vonk(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vonk"));
    command.args(arguments).current_dir(dir).env("VONK_AUTHENTICATE_SECRET", SECRET).stdin(Stdio::null());
    command
}

/// All that a command said.
pub fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Waits until something is so.
pub fn eventually(what: &str, so: impl FnMut() -> bool) {
    within(Duration::from_secs(30), what, so);
}

pub fn within(patience: Duration, what: &str, mut so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < patience, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub fn signal(pid: u32, name: &str) {
    // The shell's own `kill`: the program may not be installed. The process may have ended in the meantime.
    let _ = Command::new("sh").args(["-c", &format!("kill -{name} {pid}")]).output().unwrap();
}

/// Whether a process is there and not just waiting to be reaped.
pub fn lives(pid: u32) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    state.is_ok_and(|s| !s.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z')))
}

/// Processes whose environment has all these texts.
pub fn processes_with(needles: &[&str]) -> Vec<u32> {
    let pids = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = pids.filter_map(|e| e.file_name().to_string_lossy().parse::<u32>().ok());
    let has = |pid: &u32| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let environment = String::from_utf8_lossy(&environment);
        needles.iter().all(|n| environment.contains(n))
    };
    pids.filter(has).collect()
}

/// Executors that have something in a folder.
pub fn executors_in(dir: &Path) -> Vec<u32> {
    processes_with(&["VONK_EXECUTOR=", &dir.to_string_lossy()])
}

/// What is in a folder; nothing if it is not there.
pub fn entries(dir: &Path) -> Vec<String> {
    let all = std::fs::read_dir(dir).into_iter().flatten().flatten();
    all.map(|e| e.file_name().to_string_lossy().into_owned()).collect()
}

/// Files in a folder and below.
pub fn files_below(dir: &Path) -> Vec<PathBuf> {
    let (mut open, mut found) = (vec![dir.to_path_buf()], Vec::new());
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.file_type().is_ok_and(|t| t.is_dir()) {
                true => open.push(entry.path()),
                false => found.push(entry.path()),
            }
        }
    }
    found
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A process that does not outlive the test; its log is a file.
pub struct Daemon {
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Started in a folder; its log is `NAME.log` there.
    pub fn start(dir: &Path, name: &str, arguments: &[&str]) -> Daemon {
        Daemon::of(dir, name, vonk(dir, arguments))
    }

    pub fn of(dir: &Path, name: &str, mut command: Command) -> Daemon {
        let log = dir.join(format!("{name}.log"));
        let file = std::fs::File::options().create(true).append(true).open(&log).unwrap();
        let out = file.try_clone().unwrap();
        Daemon { child: command.stdout(out).stderr(file).spawn().unwrap(), log }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until its log has a text.
    pub fn says(&self, what: &str) {
        let patience = Duration::from_secs(30);
        let begun = Instant::now();
        while !self.said().contains(what) {
            assert!(begun.elapsed() < patience, "it does not say {what:?} but\n{}", self.said());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What stands in its log between a text and the next space or bracket, last.
    pub fn said_after(&self, before: &str) -> String {
        self.says(before);
        let said = self.said();
        let rest = said.rsplit_once(before).unwrap().1;
        rest.split([' ', ')', '\n']).next().unwrap().to_string()
    }

    /// Where its status is served.
    pub fn web(&self) -> SocketAddr {
        self.said_after("web=Some(").parse().unwrap()
    }

    /// Waits for its end.
    pub fn ended(&mut self) -> ExitStatus {
        let mut status = None;
        eventually("the end of a process", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }

    /// Ends it as a user would.
    pub fn end(mut self) {
        signal(self.pid(), "TERM");
        self.ended();
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let said = self.said();
            let lines: Vec<&str> = said.lines().collect();
            println!("-- {}\n{}", self.log.display(), lines[lines.len().saturating_sub(40)..].join("\n"));
        }
        // It may have ended; one that is stopped can be killed, too.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a request with the secret is answered: the first line, and the body.
pub fn get(address: SocketAddr, path: &str) -> (String, String) {
    let stream = TcpStream::connect(address).unwrap();
    get_by(stream, path, Some(SECRET)).unwrap()
}

/// The same by any stream, with any secret.
pub fn get_by(
    mut stream: impl Read + Write,
    path: &str,
    secret: Option<&str>,
) -> std::io::Result<(String, String)> {
    let secret = secret.map(|s| format!("authorization: Bearer {s}\r\n")).unwrap_or_default();
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{secret}connection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    Ok((head.lines().next().unwrap_or_default().to_string(), body.to_string()))
}

/// The JSON of a path of the status of a daemon or driver.
pub fn seen(address: SocketAddr, path: &str) -> Value {
    let (head, body) = get(address, path);
    assert!(head.contains("200"), "{path}: {head} {body}");
    serde_json::from_str(&body).unwrap()
}

/// A master and workers of it on this machine.
pub struct Cluster {
    pub dir: tempfile::TempDir,
    pub master: Daemon,
    pub workers: Vec<Daemon>,
    port: u16,
    conf: Vec<String>,
}

impl Cluster {
    /// With so many workers of two cores and 2 GiB, and these settings of all daemons. All workers are there.
    pub fn start(workers: usize, conf: &[&str]) -> Cluster {
        let cluster = Cluster::begin(workers, conf);
        let at = cluster.master.web();
        eventually("all workers", || {
            seen(at, "/api/v1/workers").as_array().unwrap().iter().filter(|w| w["state"] == "Alive").count()
                == workers
        });
        cluster
    }

    /// Without asking the master over plain HTTP.
    pub fn begin(workers: usize, conf: &[&str]) -> Cluster {
        let dir = tempfile::tempdir().unwrap();
        let conf: Vec<String> = conf.iter().flat_map(|c| ["--conf".to_string(), c.to_string()]).collect();
        let port = free_port();
        let master = Cluster::master(dir.path(), port, &conf);
        let mut cluster = Cluster { dir, master, workers: vec![], port, conf };
        for _ in 0..workers {
            cluster.add_worker();
        }
        cluster
    }

    fn master(dir: &Path, port: u16, conf: &[String]) -> Daemon {
        let mut command = vonk(dir, &["master", "--webui-port", "0", "--recovery-dir", "recovery", "--port"]);
        command.arg(port.to_string()).args(conf);
        let master = Daemon::of(dir, "master", command);
        master.says("master listens");
        master
    }

    /// Kills the master and starts it again.
    pub fn restart_master(&mut self) {
        self.master.kill();
        std::fs::remove_file(self.dir.path().join("master.log")).unwrap();
        self.master = Cluster::master(self.dir.path(), self.port, &self.conf);
    }

    pub fn url(&self) -> String {
        format!("vonk://127.0.0.1:{}", self.port)
    }

    /// The folder of a worker.
    pub fn work(&self, worker: usize) -> PathBuf {
        self.dir.path().join(format!("work-{worker}"))
    }

    pub fn add_worker(&mut self) {
        let number = self.workers.len();
        let work = self.work(number);
        let url = self.url();
        let mut command =
            vonk(self.dir.path(), &["worker", &url, "--cores", "2", "--memory", "2g", "--webui-port", "0"]);
        command.arg("--work-dir").arg(work).args(&self.conf);
        let worker = Daemon::of(self.dir.path(), &format!("worker-{number}"), command);
        worker.says("connected to the master");
        self.workers.push(worker);
    }

    /// Runs statements as a driver of their own; their files are in `driver` below the cluster's folder.
    pub fn sql(&self, name: &str, conf: &[&str], sql: &str) -> Daemon {
        let url = self.url();
        let local = format!("spark.local.dir={}", self.dir.path().join("driver").display());
        let mut arguments = vec!["sql", "--master", &url, "--conf", &local];
        conf.iter().for_each(|c| arguments.extend(["--conf", c]));
        arguments.extend(["-e", sql]);
        Daemon::start(self.dir.path(), name, &arguments)
    }

    /// What the master says of the applications of a name.
    pub fn application(&self, name: &str) -> Option<Value> {
        let all = seen(self.master.web(), "/api/v1/applications");
        all.as_array().unwrap().iter().find(|a| a["name"] == name).cloned()
    }
}

/// A driver that is spoken to line by line.
pub struct Driver {
    child: Child,
    answers: std::io::Lines<std::io::BufReader<std::process::ChildStdout>>,
}

impl Driver {
    pub fn start(dir: &Path, arguments: &[&str]) -> Driver {
        Driver::of(vonk(dir, arguments))
    }

    pub fn of(mut command: Command) -> Driver {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let answers = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
        Driver { child, answers }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The line that answers a statement.
    pub fn answer(&mut self, sql: &str) -> String {
        let request = serde_json::json!({ "sql": sql });
        writeln!(self.child.stdin.as_mut().unwrap(), "{request}").unwrap();
        self.answers.next().expect("an answer").unwrap()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Without more to read it ends.
        drop(self.child.stdin.take());
        let begun = Instant::now();
        while self.child.try_wait().is_ok_and(|s| s.is_none()) && begun.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
