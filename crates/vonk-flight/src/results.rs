//! What was executed and waits to be fetched.
//!
//! A statement runs from the moment it is executed, so that its first rows are there when they are asked for; it makes no more of them than
//! the engine holds for a slow reader. Each part of its rows has a ticket that nobody can guess and that is good for one use, within
//! the session. Who does not come for them in time, or drops a stream, has cancelled what nobody else reads.
//!
//! Must not know: how batches are encoded, who clients are.

use crate::gate::Place;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use futures::StreamExt;
use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};
use vonk::{AnswerPart, Control, Parameters, Session};
use vonk_error::{Error, Result};

/// A statement that was executed, until all of its rows were read or given up.
pub struct Query {
    /// Its name in logs and towards the client.
    pub id: String,
    /// Stops it, and says what it may do.
    pub control: Control,
    session: String,
    user: Arc<str>,
    begun: Instant,
    rows: AtomicU64,
    failed: Arc<Mutex<Option<Error>>>,
    /// Parts that were not read to their ends.
    open: AtomicUsize,
    _place: Option<Place>,
}

impl Query {
    /// One that begins now. It keeps its place until it is dropped.
    pub fn begin(
        session: &str,
        user: &Arc<str>,
        text: &str,
        control: Control,
        place: Option<Place>,
    ) -> Result<Arc<Query>> {
        let id = vonk_rpc::random_hex(8)?;
        tracing::debug!(query = %id, %session, %user, text, "statement");
        Ok(Arc::new(Query {
            id,
            control,
            session: session.to_string(),
            user: user.clone(),
            begun: Instant::now(),
            rows: AtomicU64::new(0),
            failed: Arc::default(),
            open: AtomicUsize::new(1),
            _place: place,
        }))
    }

    /// Rows were handed out.
    pub fn count(&self, rows: usize) {
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
    }

    /// It failed. The first error is what counts.
    pub fn fail(&self, error: &Error) {
        self.failed.lock().get_or_insert_with(|| error.clone());
    }

    /// Its rows are in so many parts.
    pub fn parts(&self, parts: usize) {
        self.open.store(parts, Ordering::Relaxed);
    }

    /// All rows of a part were read.
    pub fn end_of_part(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    /// All rows were read.
    pub fn complete(&self) {
        self.open.store(0, Ordering::Relaxed);
    }
}

impl Drop for Query {
    fn drop(&mut self) {
        let failed = self.failed.lock().clone();
        let outcome = match &failed {
            Some(error) => error.condition(),
            None if self.open.load(Ordering::Relaxed) == 0 => "done",
            None => "given up",
        };
        // Whoever still works for it works for nobody.
        self.control.cancel.cancel();
        tracing::info!(
            query = %self.id,
            session = %self.session,
            user = %self.user,
            ms = self.begun.elapsed().as_millis() as u64,
            rows = self.rows.load(Ordering::Relaxed),
            outcome,
            "statement ended"
        );
    }
}

/// Where the rows of a part come from.
pub enum Rows {
    /// A statement that runs, or a part of it.
    Running(AnswerPart),
    /// A prepared statement with several rows of parameters: it runs once for each.
    Repeated(Box<Repeated>),
}

/// A statement that runs several times.
pub struct Repeated {
    /// The run that is read now.
    pub running: AnswerPart,
    /// Parameters of those to come.
    pub others: VecDeque<Parameters>,
    /// Whose.
    pub session: Session,
    /// Its text.
    pub text: Arc<str>,
}

impl Rows {
    /// The next batch. Waits while there is none yet.
    pub async fn next(&mut self, control: &Control) -> Result<Option<RecordBatch>> {
        match self {
            Rows::Running(part) => part.next().await.transpose(),
            Rows::Repeated(repeated) => loop {
                if let Some(batch) = repeated.running.next().await.transpose()? {
                    return Ok(Some(batch));
                }
                let Some(parameters) = repeated.others.pop_front() else { return Ok(None) };
                let control = Control { parameters, ..control.clone() };
                let (session, text) = (repeated.session.clone(), repeated.text.clone());
                let executed = tokio::task::spawn_blocking(move || session.execute(&text, &control));
                let answer = executed.await.map_err(|_| Error::internal("a statement broke down"))??;
                repeated.running = answer.into_stream();
            },
        }
    }
}

/// Rows that a ticket stands for.
pub struct Part {
    /// The statement.
    pub query: Arc<Query>,
    /// Its columns as clients see them.
    pub schema: SchemaRef,
    /// The rows.
    pub rows: Rows,
    deposited: Instant,
}

impl Part {
    /// Rows that wait from now on.
    pub fn new(query: Arc<Query>, schema: SchemaRef, rows: Rows) -> Part {
        Part { query, schema, rows, deposited: Instant::now() }
    }
}

/// The parts of one session.
#[derive(Default)]
pub struct Results(Mutex<Parts>);

#[derive(Default)]
struct Parts {
    waiting: HashMap<String, Part>,
    /// What became of each ticket that was given out: cancelling names tickets, and a client that opens several streams at once is
    /// to hear from each why the statement failed.
    given_out: HashMap<String, GivenOut>,
}

struct GivenOut {
    query: Weak<Query>,
    failed: Arc<Mutex<Option<Error>>>,
    since: Instant,
}

/// How long it is known of a ticket what became of it.
const REMEMBERED: Duration = Duration::from_secs(60);

impl Results {
    /// Keeps a part; its ticket.
    pub fn deposit(&self, part: Part) -> Result<String> {
        let ticket = vonk_rpc::random_hex(16)?;
        let mut parts = self.0.lock();
        let (query, failed) = (Arc::downgrade(&part.query), part.query.failed.clone());
        parts.given_out.insert(ticket.clone(), GivenOut { query, failed, since: Instant::now() });
        parts.waiting.insert(ticket.clone(), part);
        Ok(ticket)
    }

    /// Hands a part out, once. The error of a statement that has failed meanwhile is that of all its parts.
    pub fn take(&self, ticket: &str) -> Result<Part> {
        let mut parts = self.0.lock();
        if let Some(part) = parts.waiting.remove(ticket) {
            return Ok(part);
        }
        let failed = parts.given_out.get(ticket).and_then(|given| given.failed.lock().clone());
        Err(failed.unwrap_or_else(|| Error::new("_UNKNOWN_HANDLE").with("what", "result")))
    }

    /// Cancels the statement that a ticket belongs to; `false` if it does not run (any more).
    pub fn cancel(&self, ticket: &str) -> bool {
        let query = self.0.lock().given_out.get(ticket).and_then(|given| given.query.upgrade());
        let Some(query) = query.filter(|q| q.failed.lock().is_none()) else { return false };
        query.fail(&Error::cancelled());
        query.control.cancel.cancel();
        self.give_up(&query);
        true
    }

    /// Gives up the parts of a statement that nobody has come for.
    pub fn give_up(&self, query: &Arc<Query>) {
        let given_up = extract(&mut self.0.lock().waiting, |part| Arc::ptr_eq(&part.query, query));
        drop(given_up);
    }

    /// Cancels all.
    pub fn cancel_all(&self) {
        let mut parts = self.0.lock();
        for query in parts.given_out.drain().filter_map(|(_, given)| given.query.upgrade()) {
            query.fail(&Error::cancelled());
            query.control.cancel.cancel();
        }
        let given_up = std::mem::take(&mut parts.waiting);
        drop(parts);
        drop(given_up);
    }

    /// Whether nothing waits and nothing is being read.
    pub fn is_idle(&self) -> bool {
        let parts = self.0.lock();
        parts.waiting.is_empty() && parts.given_out.values().all(|given| given.query.strong_count() == 0)
    }

    /// Gives up what has waited for longer than `patience`.
    pub fn sweep(&self, now: Instant, patience: Duration) {
        let mut parts = self.0.lock();
        parts.given_out.retain(|_, given| given.query.strong_count() > 0 || now - given.since < REMEMBERED);
        let late = extract(&mut parts.waiting, |part| now - part.deposited > patience);
        drop(parts);
        for part in late {
            tracing::info!(query = %part.query.id, "nobody came for its rows");
        }
    }
}

fn extract(waiting: &mut HashMap<String, Part>, which: impl Fn(&Part) -> bool) -> Vec<Part> {
    let tickets: Vec<String> = waiting.iter().filter(|(_, p)| which(p)).map(|(t, _)| t.clone()).collect();
    tickets.iter().filter_map(|t| waiting.remove(t)).collect()
}
