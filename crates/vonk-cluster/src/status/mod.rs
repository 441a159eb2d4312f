//! Seeing what a driver does: a record of its events as JSON lines, its state as JSON over HTTP, and metrics.
//!
//! The driver's thread tells an [`Observer`] what the scheduler decided and what became of it ([`Note`]). Where nobody wants to see anything
//! there is none, and nothing is paid.
//!
//! Must not know: how the driver decides.

mod http;
mod log;
mod note;
mod state;

pub(crate) use http::serve;
use log::EventLog;
pub(crate) use note::{Note, TaskOutcomeNote};
use parking_lot::Mutex;
pub(crate) use state::Retained;
use state::State;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};
use vonk_error::Result;

/// Who is observed.
#[derive(Debug, Clone)]
pub(crate) struct Application {
    pub id: String,
    pub name: String,
    pub user: String,
    pub master: String,
}

/// See the module.
pub(crate) struct Observer {
    state: Mutex<State>,
    log: Mutex<Option<EventLog>>,
}

impl Observer {
    /// With an event log in a folder, if one is wanted.
    pub fn new(application: Application, retained: Retained, log_dir: Option<&Path>) -> Result<Observer> {
        let log = log_dir.map(|dir| EventLog::create(dir, &application.id)).transpose()?;
        let observer = Observer {
            state: Mutex::new(State::new(application.clone(), now(), retained)),
            log: Mutex::new(log),
        };
        observer.note(&Note::ApplicationStart {
            id: &application.id,
            name: &application.name,
            user: &application.user,
            master: &application.master,
        });
        Ok(observer)
    }

    /// Something happened.
    pub fn note(&self, note: &Note<'_>) {
        let time = now();
        self.state.lock().note(time, note);
        if note.is_for_the_log()
            && let Some(log) = &mut *self.log.lock()
        {
            log.write(time, note);
        }
    }

    /// The application has ended. The event log is in its file now, and closed; what is noted later is not in it.
    pub fn end(&self) {
        if self.log.lock().is_some() {
            self.note(&Note::ApplicationEnd);
        }
        drop(self.log.lock().take());
    }

    pub(crate) fn with_state<T>(&self, f: impl FnOnce(&State) -> T) -> T {
        f(&self.state.lock())
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        self.end();
    }
}

/// Milliseconds since 1970.
fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}
