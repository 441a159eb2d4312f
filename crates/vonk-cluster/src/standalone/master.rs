//! The master daemon: `vonk master`.
//!
//! One thread owns the machine and the log. It takes all that waits in its inbox, feeds it, flushes the records of all of it at once, and
//! only then says what there is to say. A log that cannot be written ends the master: it must not promise what it would forget.
//!
//! Must not know: how anything is decided; HTTP ([`super::master_api`]).

use crate::standalone::http::Look;
use crate::standalone::log::Log;
use crate::standalone::machine::{self, Clock, Inbox};
use crate::standalone::master_api;
use crate::standalone::protocol::{
    Command, CommandAnswer, DriverStatus, ToWorkerFrame, fresh_name, is_safe_name,
};
use crate::standalone::service::master_server::{Master as MasterService, MasterServer};
use crate::web::{self, WebPort};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;
use tonic::service::Routes;
use tonic::{Request, Response, Status, Streaming};
use vonk_error::{Error, Result};
use vonk_rpc::{Limits, Listening, Security};
use vonk_scheduler::Time;
use vonk_scheduler::master::{
    Action, ApplicationId, DriverId, Event, FromApplication, FromWorker, Master, MasterOptions, Nonce,
    Record, SessionId, ToApplication, WorkerId,
};

/// Messages to a worker or an application that wait to be sent: one that takes none is as good as gone.
const OUTBOX: usize = 4096;
/// How long who connects may take to say who it is.
const FIRST_WORDS: Duration = Duration::from_secs(10);
/// Bytes of a message: applications' commands carry their settings, drivers' their script.
const MESSAGE_BYTES: usize = 32 << 20;

/// How a master is set up.
#[derive(Clone, Debug)]
pub struct MasterDaemonOptions {
    /// Interface to listen on.
    pub host: String,
    /// Port; 0 takes a free one.
    pub port: u16,
    /// Port of the status API; 0 takes a free one, `None` serves none.
    pub webui_port: Option<WebPort>,
    /// Folder of the log; without one, a master that is started again knows nothing.
    pub recovery_dir: Option<PathBuf>,
    /// Who may connect.
    pub security: Security,
    /// Of the machine.
    pub options: MasterOptions,
}

/// To the machine's thread.
pub(crate) enum Message {
    Opened(SessionId, Outbox),
    Worker(SessionId, FromWorker),
    Application(SessionId, FromApplication),
    Closed(SessionId),
    Command(Command, oneshot::Sender<CommandAnswer>),
    /// For status pages.
    Look(Look<Master>),
    Stop,
}

/// Where a connection's messages go. Dropping it closes the connection.
pub(crate) enum Outbox {
    Worker(mpsc::Sender<std::result::Result<ToWorkerFrame, Status>>),
    Application(mpsc::Sender<std::result::Result<ToApplication, Status>>),
}

/// A running master. Dropping it ends it without a word to anybody, as a crash would.
pub struct MasterDaemon {
    address: SocketAddr,
    web: Option<SocketAddr>,
    inbox: Inbox<Message>,
    thread: Option<std::thread::JoinHandle<Result<()>>>,
    servers: Vec<tokio::task::JoinHandle<()>>,
}

impl MasterDaemon {
    /// Starts one: reads its log, binds its ports, serves. What cannot be is said before anything is served.
    pub async fn start(options: MasterDaemonOptions) -> Result<MasterDaemon> {
        let limits = Limits { message_bytes: MESSAGE_BYTES, ..Limits::default() };
        let listening = Listening::bind(&options.host, options.port, &options.security, limits).await?;
        let address = listening.address();
        let web = match options.webui_port {
            Some(port) => Some(web::bind(&options.host, port, &options.security).await?),
            None => None,
        };
        let web_address = web.as_ref().map(web::Bound::address);
        let clock = Clock::start();
        let (log, master) = recover(&options, clock.now())?;
        let (inbox, receiver) = machine::inbox();
        let running = Loop { master, log, clock, outboxes: HashMap::new(), runtime: Handle::current() };
        let thread = std::thread::Builder::new()
            .name("vonk-master".to_string())
            .spawn(move || running.run(receiver))
            .map_err(|e| Error::io("cannot start the master's thread", e))?;
        let endpoint = Endpoint { inbox: inbox.clone(), next: Arc::new(AtomicU64::new(0)) };
        let service = MasterServer::new(endpoint)
            .max_decoding_message_size(MESSAGE_BYTES)
            .max_encoding_message_size(MESSAGE_BYTES);
        let mut servers = vec![tokio::spawn(async move {
            if let Err(error) = listening.serve(Routes::new(service), std::future::pending()).await {
                tracing::error!(%error, "the master's server ended");
            }
        })];
        if let Some(bound) = web {
            servers.push(tokio::spawn(bound.serve(master_api::router(inbox.clone()))));
        }
        tracing::info!(%address, web = ?web_address, secret = options.security.has_secret(), tls = options.security.has_tls(), "master listens");
        if !options.security.has_secret() {
            tracing::warn!(
                "no secret is set: only this machine can reach the master, and everybody on it can"
            );
        }
        Ok(MasterDaemon { address, web: web_address, inbox, thread: Some(thread), servers })
    }

    /// Where workers and applications find it.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where its status is served.
    pub fn web_address(&self) -> Option<SocketAddr> {
        self.web
    }

    /// Waits for its end, which is an error: it ends only when it cannot go on.
    pub async fn wait(mut self) -> Result<()> {
        let Some(thread) = self.thread.take() else { return Ok(()) };
        let ended = tokio::task::spawn_blocking(move || thread.join()).await;
        match ended {
            Ok(Ok(result)) => result,
            _ => Err(Error::internal("the master's thread panicked")),
        }
    }
}

impl Drop for MasterDaemon {
    fn drop(&mut self) {
        let _ = self.inbox.try_send(Message::Stop);
        self.servers.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

fn recover(options: &MasterDaemonOptions, now: Time) -> Result<(Option<Log>, Master)> {
    let Some(folder) = &options.recovery_dir else {
        return Ok((None, Master::new(options.options.clone())));
    };
    let (mut log, records) = Log::open(folder)?;
    let count = records.len();
    let master = Master::recover(options.options.clone(), now, records);
    log.replace(&master.snapshot())?;
    let (workers, applications) = (master.workers(now).len(), master.applications().len());
    tracing::info!(records = count, workers, applications, status = ?master.status(), "state recovered");
    Ok((Some(log), master))
}

struct Loop {
    master: Master,
    log: Option<Log>,
    clock: Clock,
    outboxes: HashMap<SessionId, Outbox>,
    runtime: Handle,
}

impl Loop {
    fn run(mut self, mut inbox: mpsc::Receiver<Message>) -> Result<()> {
        loop {
            let timer = self.master.next_timer();
            let Some(messages) = machine::receive(&self.runtime, &mut inbox, self.clock, timer) else {
                return Ok(());
            };
            let mut actions = Vec::new();
            let mut answers = Vec::new();
            if timer.is_some_and(|t| t <= self.clock.now()) {
                actions.extend(self.master.handle(self.clock.now(), Event::Tick));
            }
            for message in messages {
                if matches!(message, Message::Stop) {
                    return Ok(());
                }
                self.take(message, &mut actions, &mut answers);
            }
            self.carry_out(actions)?;
            for (answer, sender) in answers {
                // Who asked may be gone.
                let _ = sender.send(answer);
            }
        }
    }

    fn take(
        &mut self,
        message: Message,
        actions: &mut Vec<Action>,
        answers: &mut Vec<(CommandAnswer, oneshot::Sender<CommandAnswer>)>,
    ) {
        let event = match message {
            Message::Opened(session, outbox) => {
                self.outboxes.insert(session, outbox);
                return;
            }
            Message::Closed(session) => {
                self.outboxes.remove(&session);
                Event::Disconnected { session }
            }
            Message::Worker(session, message) => worker_event(session, message),
            Message::Application(session, message) => application_event(session, message),
            Message::Command(command, sender) => {
                let answer = self.command(command, actions);
                answers.push((answer, sender));
                return;
            }
            Message::Look(look) => {
                look(&self.master, self.clock.now());
                return;
            }
            Message::Stop => return,
        };
        actions.extend(self.master.handle(self.clock.now(), event));
    }

    fn command(&mut self, command: Command, actions: &mut Vec<Action>) -> CommandAnswer {
        let now = self.clock.now();
        let mut feed = |master: &mut Master, event| actions.extend(master.handle(now, event));
        match command {
            Command::Submit { nonce, spec } => {
                let fresh = match fresh_name("driver") {
                    Ok(name) => DriverId::from(name.as_str()),
                    Err(error) => {
                        tracing::error!(%error, "a driver cannot be named");
                        return CommandAnswer(None);
                    }
                };
                tracing::info!(name = spec.name, user = spec.user, "driver submitted");
                feed(&mut self.master, Event::SubmitDriver { fresh, nonce: nonce.clone(), spec });
                CommandAnswer(self.master.driver_by_nonce(&nonce).map(DriverStatus::driver))
            }
            Command::Kill { id } => {
                tracing::info!(id, "asked to kill");
                feed(&mut self.master, Event::KillDriver { driver: DriverId::from(id.as_str()) });
                let application = ApplicationId::from(id.as_str());
                feed(&mut self.master, Event::KillApplication { application });
                self.status(&id)
            }
            Command::Status { id } => self.status(&id),
            Command::Drain { worker } => {
                let worker = WorkerId::from(worker.as_str());
                feed(&mut self.master, Event::DrainWorker { worker: worker.clone() });
                let view = self.master.workers(now).into_iter().find(|w| w.id == worker);
                CommandAnswer(view.map(|w| DriverStatus {
                    id: w.id.to_string(),
                    name: w.host,
                    state: format!("{:?}", w.state).to_uppercase(),
                    over: false,
                    succeeded: true,
                    worker: None,
                    reason: None,
                }))
            }
        }
    }

    fn status(&self, id: &str) -> CommandAnswer {
        if let Some(driver) = self.master.driver(&DriverId::from(id)) {
            return CommandAnswer(Some(DriverStatus::driver(driver)));
        }
        let application = self.master.application(&ApplicationId::from(id));
        CommandAnswer(application.map(|a| DriverStatus {
            id: a.id.to_string(),
            name: a.name,
            state: format!("{:?}", a.state).to_uppercase(),
            over: a.state.is_over(),
            succeeded: a.state == vonk_scheduler::master::ApplicationState::Finished,
            worker: None,
            reason: a.reason,
        }))
    }

    fn carry_out(&mut self, actions: Vec<Action>) -> Result<()> {
        let mut records = Vec::new();
        let mut rest = Vec::new();
        for action in actions {
            match action {
                Action::Persist(record) => records.push(record),
                other => rest.push(other),
            }
        }
        self.persist(&records)?;
        for action in rest {
            match action {
                Action::ToWorker { session, seq, message } => {
                    let frame = ToWorkerFrame { seq, message };
                    self.send(session, |outbox| match outbox {
                        Outbox::Worker(sender) => sender.try_send(Ok(frame)).is_ok(),
                        Outbox::Application(_) => false,
                    });
                }
                Action::ToApplication { session, message } => {
                    self.send(session, |outbox| match outbox {
                        Outbox::Application(sender) => sender.try_send(Ok(message)).is_ok(),
                        Outbox::Worker(_) => false,
                    });
                }
                Action::Close { session } => drop(self.outboxes.remove(&session)),
                Action::Persist(_) => {}
            }
        }
        Ok(())
    }

    fn persist(&mut self, records: &[Record]) -> Result<()> {
        records.iter().for_each(note);
        let Some(log) = &mut self.log else { return Ok(()) };
        if !records.is_empty() {
            log.append(records)?;
            if log.is_long() {
                log.replace(&self.master.snapshot())?;
            }
        }
        Ok(())
    }

    /// Sends on a connection. One that takes no more is closed; that it is gone is heard when its stream has ended.
    fn send(&mut self, session: SessionId, send: impl FnOnce(&Outbox) -> bool) {
        if self.outboxes.get(&session).is_some_and(|outbox| !send(outbox)) {
            tracing::warn!(session = session.0, "a connection takes no more messages: it is closed");
            self.outboxes.remove(&session);
        }
    }
}

/// Writes a fact to the daemon's own log, for people.
fn note(record: &Record) {
    match record {
        Record::Worker { spec, draining } => {
            tracing::info!(worker = %spec.id, address = spec.address, cores = spec.cores, memory = spec.memory, draining, "worker");
        }
        Record::WorkerGone { worker } => tracing::warn!(%worker, "worker lost"),
        Record::Application { application, spec, .. } => {
            tracing::info!(%application, name = spec.name, user = spec.user, "application registered");
        }
        Record::ApplicationEnded { application, state, reason } => {
            tracing::info!(%application, ?state, reason, "application ended");
        }
        Record::Executor { application, executor, worker, resources } => {
            let (cores, memory) = (resources.cores, resources.memory);
            tracing::info!(%application, %executor, %worker, cores, memory, "executor launched");
        }
        Record::ExecutorGone { application, executor, worker } => {
            tracing::info!(%application, %executor, %worker, "executor gone");
        }
        Record::Driver { driver, spec, .. } => tracing::info!(%driver, name = spec.name, "driver submitted"),
        Record::DriverPlaced { driver, attempt, worker } => {
            tracing::info!(%driver, attempt, %worker, "driver launched");
        }
        Record::DriverWaits { driver, attempt } => {
            tracing::info!(%driver, attempt, "driver will be started again");
        }
        Record::DriverUnwanted { driver } => tracing::info!(%driver, "driver is being killed"),
        Record::DriverEnded { driver, state, reason } => {
            tracing::info!(%driver, ?state, reason, "driver ended");
        }
    }
}

fn worker_event(session: SessionId, message: FromWorker) -> Event {
    match message {
        FromWorker::Register(spec, report) => Event::WorkerRegisters { session, spec, report },
        FromWorker::Report(report) => Event::WorkerReports { session, report },
        FromWorker::Drain => Event::WorkerDrains { session },
        FromWorker::Leave => Event::WorkerLeaves { session },
    }
}

fn application_event(session: SessionId, message: FromApplication) -> Event {
    match message {
        FromApplication::Register { nonce, spec, wish } => {
            // An application makes up its own name, which is its nonce: so it keeps it even if this master has lost its records.
            let fresh = ApplicationId(nonce.0.clone());
            Event::ApplicationRegisters { session, fresh, nonce, spec, wish }
        }
        FromApplication::Wish(wish) => Event::ApplicationWishes { session, wish },
        FromApplication::Ended { succeeded } => Event::ApplicationEnds { session, succeeded },
    }
}

/// The gRPC service.
#[derive(Clone)]
struct Endpoint {
    inbox: Inbox<Message>,
    next: Arc<AtomicU64>,
}

impl Endpoint {
    /// Reads a connection to its end, into the inbox.
    fn read<T: Send + 'static>(
        &self,
        mut incoming: Streaming<T>,
        outbox: Outbox,
        check: fn(&T) -> std::result::Result<(), Status>,
        wrap: fn(SessionId, T) -> Message,
    ) {
        let session = SessionId(self.next.fetch_add(1, Ordering::Relaxed));
        let inbox = self.inbox.clone();
        tokio::spawn(async move {
            // A machine whose thread has ended hears nothing; the process is about to end, too.
            if inbox.send(Message::Opened(session, outbox)).await.is_err() {
                return;
            }
            let mut wait = FIRST_WORDS;
            loop {
                let message = match tokio::time::timeout(wait, incoming.message()).await {
                    Ok(Ok(Some(message))) => message,
                    Ok(Ok(None)) => break,
                    Ok(Err(status)) => {
                        tracing::debug!(session = session.0, %status, "a connection broke");
                        break;
                    }
                    Err(_) => break,
                };
                if let Err(status) = check(&message) {
                    tracing::warn!(session = session.0, %status, "a connection is refused");
                    break;
                }
                // Pings of HTTP/2 notice a peer that is silent since it is gone.
                wait = Duration::from_secs(u64::from(u32::MAX));
                if inbox.send(wrap(session, message)).await.is_err() {
                    break;
                }
            }
            let _ = inbox.send(Message::Closed(session)).await;
        });
    }
}

fn check_worker(message: &FromWorker) -> std::result::Result<(), Status> {
    match message {
        FromWorker::Register(spec, _) => check_name(&spec.id.0),
        _ => Ok(()),
    }
}

fn check_application(message: &FromApplication) -> std::result::Result<(), Status> {
    match message {
        FromApplication::Register { nonce: Nonce(name), .. } => check_name(name),
        _ => Ok(()),
    }
}

fn check_name(name: &str) -> std::result::Result<(), Status> {
    match is_safe_name(name) {
        true => Ok(()),
        false => Err(Status::invalid_argument("a name of other characters than letters, digits, - and _")),
    }
}

type Frames<T> = ReceiverStream<std::result::Result<T, Status>>;

#[tonic::async_trait]
impl MasterService for Endpoint {
    type WorkerStream = Frames<ToWorkerFrame>;
    type ApplicationStream = Frames<ToApplication>;

    async fn worker(
        &self,
        request: Request<Streaming<FromWorker>>,
    ) -> std::result::Result<Response<Self::WorkerStream>, Status> {
        let (sender, receiver) = mpsc::channel(OUTBOX);
        self.read(request.into_inner(), Outbox::Worker(sender), check_worker, Message::Worker);
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    async fn application(
        &self,
        request: Request<Streaming<FromApplication>>,
    ) -> std::result::Result<Response<Self::ApplicationStream>, Status> {
        let (sender, receiver) = mpsc::channel(OUTBOX);
        let outbox = Outbox::Application(sender);
        self.read(request.into_inner(), outbox, check_application, Message::Application);
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    async fn command(
        &self,
        request: Request<Command>,
    ) -> std::result::Result<Response<CommandAnswer>, Status> {
        let (sender, receiver) = oneshot::channel();
        let gone = |_| Status::unavailable("the master is ending");
        let message = Message::Command(request.into_inner(), sender);
        self.inbox.send(message).await.map_err(|_| Status::unavailable("the master is ending"))?;
        receiver.await.map(Response::new).map_err(gone)
    }
}
