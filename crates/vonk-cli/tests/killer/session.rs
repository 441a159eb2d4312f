//! A driver process that is spoken to by `--protocol jsonl`.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// The longest that a query may take: whatever takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(300);

pub struct Session {
    child: Child,
    requests: Option<ChildStdin>,
    answers: Receiver<String>,
}

impl Session {
    pub fn start(master: &str, conf: &[(String, String)]) -> Session {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vonk"));
        command.args(["sql", "--protocol", "jsonl", "--master", master]);
        for (key, value) in conf {
            command.args(["--conf", &format!("{key}={value}")]);
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let requests = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (lines, answers) = channel();
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|l| lines.send(l)));
        Session { child, requests, answers }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The rows of a statement, or the error's text.
    pub fn rows(&mut self, sql: &str) -> Result<Vec<String>, String> {
        let requests = self.requests.as_mut().unwrap();
        writeln!(requests, "{}", json!({ "sql": sql })).unwrap();
        requests.flush().unwrap();
        let line = self.answers.recv_timeout(PATIENCE).expect("an answer, in time");
        let answer: Value = serde_json::from_str(&line).unwrap();
        match answer.get("rows").and_then(Value::as_array) {
            Some(rows) => Ok(rows.iter().map(|r| r.as_str().unwrap().to_string()).collect()),
            None => Err(answer["error"]["message"].to_string()),
        }
    }

    /// Says goodbye; the process must end well.
    pub fn end(mut self) {
        drop(self.requests.take());
        for _ in 0..500 {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert!(status.success(), "the driver ended with {status}");
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the driver does not end");
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // After `end` there is nothing left to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
