//! A standalone cluster of daemons on this machine, whose master and workers are started again when they are killed.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// See the module.
pub struct Standalone {
    dir: PathBuf,
    port: u16,
    conf: Vec<String>,
    daemons: Mutex<Vec<Child>>,
}

/// The master is the first daemon, the workers come after it.
const WORKERS: usize = 3;

impl Standalone {
    pub fn start(dir: &Path, conf: &[(&str, &str)]) -> Standalone {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        // Whoever is killed is to be noticed before the patience of this test ends.
        let mut settings =
            vec!["spark.worker.timeout=4".to_string(), "spark.deploy.recoveryTimeout=2".to_string()];
        settings.extend(conf.iter().map(|(k, v)| format!("{k}={v}")));
        let cluster = Standalone { dir: dir.to_path_buf(), port, conf: settings, daemons: Mutex::default() };
        for daemon in 0..=WORKERS {
            let child = cluster.spawn(daemon);
            cluster.daemons.lock().unwrap().push(child);
            if daemon == 0 {
                cluster.await_master();
            }
        }
        cluster
    }

    pub fn url(&self) -> String {
        format!("vonk://127.0.0.1:{}", self.port)
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn await_master(&self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < deadline, "the master does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn spawn(&self, daemon: usize) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vonk"));
        if daemon == 0 {
            command.args(["master", "--port", &self.port.to_string(), "--webui-port", "0"]);
            command.arg("--recovery-dir").arg(self.dir.join("recovery"));
        } else {
            command.args(["worker", &self.url(), "--cores", "1", "--memory", "1g", "--webui-port", "0"]);
            command.arg("--work-dir").arg(self.dir.join(format!("worker-{daemon}")));
        }
        for setting in &self.conf {
            command.args(["--conf", setting]);
        }
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.dir.join(format!("daemon-{daemon}.log")))
            .unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap()
    }

    /// The processes whose children are executors.
    pub fn workers(&self) -> Vec<u32> {
        self.daemons.lock().unwrap().iter().skip(1).map(Child::id).collect()
    }

    /// Kills a daemon and starts it again.
    pub fn restart(&self, daemon: usize) -> String {
        let mut daemons = self.daemons.lock().unwrap();
        let child = &mut daemons[daemon];
        child.kill().unwrap();
        child.wait().unwrap();
        *child = self.spawn(daemon);
        format!(
            "killed and restarted {}",
            if daemon == 0 { "the master".to_string() } else { format!("worker {daemon}") }
        )
    }

    /// Kills the master.
    pub fn restart_master(&self) -> String {
        self.restart(0)
    }

    /// Kills a worker; `n` chooses.
    pub fn restart_worker(&self, n: u64) -> String {
        self.restart(1 + (n % WORKERS as u64) as usize)
    }

    /// The last lines of each daemon's log.
    pub fn logs(&self) -> String {
        let last = |daemon: usize| {
            let text =
                std::fs::read_to_string(self.dir.join(format!("daemon-{daemon}.log"))).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            format!("-- daemon {daemon}\n{}\n", lines[lines.len().saturating_sub(15)..].join("\n"))
        };
        (0..=WORKERS).map(last).collect()
    }

    /// Ends all daemons; what they leave of executors is removed by then.
    pub fn stop(self) {
        for child in self.daemons.lock().unwrap().iter_mut().rev() {
            crate::killer::signal(child.id(), "TERM");
            let deadline = Instant::now() + Duration::from_secs(10);
            while child.try_wait().unwrap().is_none() {
                assert!(Instant::now() < deadline, "a daemon does not end when it is asked to");
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

impl Drop for Standalone {
    fn drop(&mut self) {
        for child in self.daemons.lock().unwrap().iter_mut() {
            // After `stop` there is nothing left to kill.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
