//! The event log: a file of JSON lines for each application.
//!
//! A thread of its own writes: a disk that hangs must not stop the scheduler. Lines that it cannot take fast enough are counted, and the
//! count stands in the log where they are missing.

use crate::files::{failed, make_folder, private};
use crate::status::note::Note;
use serde::Serialize;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use vonk_error::{Error, Result};

/// Lines that wait to be written.
const WAITING: usize = 1 << 16;
/// How long lines may stay in the writer's buffer.
const FLUSH_AFTER: Duration = Duration::from_millis(500);

/// An open log. Dropped, it has written all it was given.
pub(super) struct EventLog {
    lines: Option<SyncSender<Vec<u8>>>,
    writer: Option<JoinHandle<()>>,
    /// Lines that found no room since the last that did.
    lost: u64,
}

#[derive(Serialize)]
struct Line<'a> {
    time: u64,
    #[serde(flatten)]
    note: &'a Note<'a>,
}

impl EventLog {
    /// `<dir>/<application>.jsonl`; the folder is made if it is not there.
    pub fn create(dir: &Path, application: &str) -> Result<EventLog> {
        let path = dir.join(format!("{application}.jsonl"));
        make_folder(dir)?;
        let file = private().create_new(true).write(true).open(&path);
        let file = file.map_err(|e| failed("create the event log", &path, e))?;
        let (lines, written) = sync_channel(WAITING);
        let writer = std::thread::Builder::new()
            .name("vonk-event-log".to_string())
            .spawn(move || write_lines(&path, BufWriter::new(file), &written))
            .map_err(|e| Error::io("cannot start the event log's thread", e))?;
        Ok(EventLog { lines: Some(lines), writer: Some(writer), lost: 0 })
    }

    /// Adds a line. It is in the file half a second later at most, if the disk takes it.
    pub fn write(&mut self, time: u64, note: &Note<'_>) {
        if self.lost > 0 {
            let missing = serde_json::json!({"time": time, "event": "LinesLost", "count": self.lost});
            if !self.send(format!("{missing}\n").into_bytes()) {
                self.lost += 1;
                return;
            }
            self.lost = 0;
        }
        // Notes are plain data: one that could not be encoded counts as lost.
        let line = serde_json::to_vec(&Line { time, note }).map(|mut line| {
            line.push(b'\n');
            line
        });
        if !line.is_ok_and(|line| self.send(line)) {
            self.lost += 1;
        }
    }

    /// `false` if there is no room. A writer that has given up takes everything.
    fn send(&self, line: Vec<u8>) -> bool {
        let sent = self.lines.as_ref().map(|lines| lines.try_send(line));
        !matches!(sent, Some(Err(TrySendError::Full(_))))
    }
}

impl Drop for EventLog {
    fn drop(&mut self) {
        drop(self.lines.take());
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

/// Writes lines until there are no more to come, or none can be written: then it says so in the process's own log, and queries go on.
fn write_lines(path: &Path, mut file: BufWriter<File>, lines: &Receiver<Vec<u8>>) {
    let mut flushed = Instant::now();
    loop {
        let done = match lines.recv_timeout(FLUSH_AFTER) {
            Ok(line) if flushed.elapsed() < FLUSH_AFTER => file.write_all(&line),
            Ok(line) => {
                flushed = Instant::now();
                file.write_all(&line).and_then(|()| file.flush())
            }
            Err(RecvTimeoutError::Timeout) => file.flush(),
            Err(RecvTimeoutError::Disconnected) => {
                let _ = file.flush();
                return;
            }
        };
        if let Err(error) = done {
            tracing::error!(%error, path = %path.display(), "the event log cannot be written and ends here");
            return;
        }
    }
}
