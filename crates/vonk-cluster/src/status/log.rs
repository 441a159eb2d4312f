//! The event log: a file of JSON lines for each application.

use crate::status::note::Note;
use serde::Serialize;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use vonk_error::{Error, Result};

/// An open log. One that cannot be written any more is given up, with a word in the process's own log: queries go on.
pub(super) struct EventLog {
    path: PathBuf,
    file: Option<BufWriter<File>>,
    written: u64,
}

#[derive(Serialize)]
struct Line<'a> {
    time: u64,
    #[serde(flatten)]
    note: &'a Note<'a>,
}

/// Milliseconds between two writes to the file while nothing ends.
const FLUSH_EVERY: u64 = 1000;

impl EventLog {
    /// `<dir>/<application>.jsonl`; the folder is made if it is not there.
    pub fn create(dir: &Path, application: &str) -> Result<EventLog> {
        let path = dir.join(format!("{application}.jsonl"));
        let failed = |e| Error::io(format!("cannot create the event log {}", path.display()), e);
        std::fs::create_dir_all(dir).map_err(failed)?;
        let file = File::options().create_new(true).write(true).open(&path).map_err(failed)?;
        Ok(EventLog { path, file: Some(BufWriter::new(file)), written: 0 })
    }

    /// Adds a line. Lines are in the file when a job or the application has ended, and a second later at most while events come.
    pub fn write(&mut self, time: u64, note: &Note<'_>) {
        let Some(file) = &mut self.file else { return };
        let ends = matches!(note, Note::JobEnd { .. } | Note::ApplicationEnd | Note::ApplicationStart { .. });
        let flush = ends || time >= self.written + FLUSH_EVERY;
        let written = serde_json::to_writer(&mut *file, &Line { time, note })
            .map_err(std::io::Error::from)
            .and_then(|()| file.write_all(b"\n"))
            .and_then(|()| if flush { file.flush() } else { Ok(()) });
        if flush {
            self.written = time;
        }
        if let Err(error) = written {
            tracing::error!(%error, path = %self.path.display(), "the event log cannot be written and ends here");
            self.file = None;
        }
    }
}
