//! An application's end of its connection to the master: it registers, learns of its executors, asks for more or fewer, and comes back
//! after the master was restarted.
//!
//! Must not know: what executors are for.

use crate::standalone::connecting::{Connecting, Party, Service};
use crate::standalone::machine::{self, Inbox};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Response, Status, Streaming};
use vonk_error::{Error, Result};
use vonk_rpc::Security;
use vonk_scheduler::ExecutorId;
use vonk_scheduler::master::{
    ApplicationAction, ApplicationEvent, ApplicationMachine, ApplicationSpec, ApplicationState, ExecutorEnd,
    FromApplication, Granted, Nonce, ToApplication, WorkerId,
};

/// How long the master may take to hear that an application is over.
const FAREWELL: Duration = Duration::from_secs(2);

/// Where a master is: `vonk://host:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MasterAddress {
    host: String,
    port: u16,
}

impl MasterAddress {
    /// As connecting wants it.
    pub fn host_and_port(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

impl fmt::Display for MasterAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "vonk://{}:{}", self.host, self.port)
    }
}

impl FromStr for MasterAddress {
    type Err = Error;

    fn from_str(url: &str) -> Result<MasterAddress> {
        let invalid = || Error::new("_INVALID_MASTER").with("master", format!("'{url}'"));
        let rest = url.trim().strip_prefix("vonk://").ok_or_else(invalid)?;
        let (host, port) = rest.rsplit_once(':').ok_or_else(invalid)?;
        let port = port.parse().ok().filter(|p| *p > 0).ok_or_else(invalid)?;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
        if host.is_empty() || !host.chars().all(plain) {
            return Err(invalid());
        }
        Ok(MasterAddress { host: host.to_string(), port })
    }
}

/// How an application registers.
#[derive(Clone, Debug)]
pub struct MasterClientOptions {
    /// The master.
    pub master: MasterAddress,
    /// How it is reached.
    pub security: Security,
    /// The application's name for the cluster, `app-…`: made up by the application, never used twice.
    pub application: String,
    /// What it is.
    pub spec: ApplicationSpec,
    /// Executors that it wants at first; `None` for as many as its cores allow.
    pub total: Option<u32>,
    /// How long the master may take to answer at first.
    pub timeout: Duration,
}

/// What an application learns.
#[derive(Clone, Debug)]
pub enum MasterNotice {
    /// It has another executor, which is being started.
    Added(Granted),
    /// It has one less.
    Ended(ExecutorId, ExecutorEnd),
    /// The worker of an executor wants to leave: the executor should be drained, and then given back.
    Draining(ExecutorId),
    /// A worker is gone with the shuffle blocks that it served.
    WorkerLost(WorkerId),
    /// The master does not keep the application any more: it gets no more executors, and loses those that it has.
    Removed {
        /// How it counts.
        state: ApplicationState,
        /// Why.
        reason: String,
    },
}

enum Message {
    Connected(mpsc::Sender<FromApplication>),
    Disconnected,
    Event(ApplicationEvent),
    /// The first connection cannot be made: there will be no other.
    Hopeless(Error),
}

type Listener = Box<dyn Fn(MasterNotice) + Send + Sync>;

/// A registered application. Dropping it leaves the master to find out.
pub struct MasterClient {
    inbox: Inbox<Message>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
    /// Closed when the master has said farewell, or has gone.
    over: Arc<tokio::sync::Notify>,
    ended: Arc<std::sync::atomic::AtomicBool>,
}

impl MasterClient {
    /// Registers. An error says why that cannot be: no master there, a wrong secret, another version, a refusal. The listener is told of
    /// everything from then on, on a thread of the runtime: it must not block.
    pub async fn start(
        options: MasterClientOptions,
        listener: impl Fn(MasterNotice) + Send + Sync + 'static,
    ) -> Result<MasterClient> {
        let (inbox, receiver) = machine::inbox();
        let over = Arc::new(tokio::sync::Notify::new());
        let ended = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let (first, registered) = tokio::sync::oneshot::channel();
        let machine = ApplicationMachine::new(
            Nonce::from(options.application.as_str()),
            options.spec.clone(),
            options.total,
        );
        let running = Loop {
            machine,
            connection: None,
            listener: Box::new(listener),
            first: Some(first),
            over: over.clone(),
            ended: ended.clone(),
        };
        let connecting = Connecting {
            master: options.master.clone(),
            security: options.security.clone(),
            timeout: options.timeout,
            patience: options.timeout / 2,
            inbox: inbox.clone(),
            over: ended.clone(),
        };
        let tasks = vec![tokio::spawn(running.run(receiver)), tokio::spawn(connecting.run())];
        let client = MasterClient { inbox, tasks, over, ended };
        match tokio::time::timeout(options.timeout, registered).await {
            Ok(Ok(result)) => result.map(|()| client),
            Ok(Err(_)) => Err(Error::internal("who talks to the master has panicked")),
            Err(_) => {
                let what = format!("cannot register with the master at {}", options.master);
                Err(Error::io(what, format!("no answer within {} ms", options.timeout.as_millis())))
            }
        }
    }

    fn send(&self, event: ApplicationEvent) {
        // Without a runtime of its own this must not wait; thousands of wishes that wait are a master that does not take any.
        if self.inbox.try_send(Message::Event(event)).is_err() {
            tracing::warn!("a wish to the master is lost");
        }
    }

    /// So many executors are wanted in all; `None` for as many as the application's cores allow.
    pub fn want(&self, total: Option<u32>) {
        self.send(ApplicationEvent::Want(total));
    }

    /// These executors are not wanted any more. Without fewer being wanted in all, others take their place.
    pub fn kill(&self, executors: Vec<ExecutorId>) {
        self.send(ApplicationEvent::Kill(executors));
    }

    /// This executor has come, in working order: executors can be started, so what becomes of later ones is not held against the
    /// application.
    pub fn ready(&self, executor: ExecutorId) {
        self.send(ApplicationEvent::Ready(executor));
    }

    /// The application is over. Returns when the master knows, or cannot be told.
    pub async fn end(&self, succeeded: bool) {
        self.ended.store(true, std::sync::atomic::Ordering::Relaxed);
        let told = self.over.notified();
        self.send(ApplicationEvent::End { succeeded });
        let _ = tokio::time::timeout(FAREWELL, told).await;
    }
}

impl Drop for MasterClient {
    fn drop(&mut self) {
        self.tasks.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

struct Loop {
    machine: ApplicationMachine,
    connection: Option<mpsc::Sender<FromApplication>>,
    listener: Listener,
    /// Who waits for the registration.
    first: Option<tokio::sync::oneshot::Sender<Result<()>>>,
    over: Arc<tokio::sync::Notify>,
    /// No other connection is made.
    ended: Arc<std::sync::atomic::AtomicBool>,
}

impl Loop {
    async fn run(mut self, mut inbox: mpsc::Receiver<Message>) {
        while let Some(message) = inbox.recv().await {
            let event = match message {
                Message::Connected(connection) => {
                    self.connection = Some(connection);
                    ApplicationEvent::Connected
                }
                Message::Disconnected => {
                    self.connection = None;
                    // After its last word a connection ends.
                    self.over.notify_waiters();
                    ApplicationEvent::Disconnected
                }
                Message::Event(event) => event,
                Message::Hopeless(error) => {
                    if let Some(first) = self.first.take() {
                        let _ = first.send(Err(error));
                    }
                    return;
                }
            };
            let ends = matches!(event, ApplicationEvent::End { .. });
            for action in self.machine.handle(event) {
                self.carry_out(action);
            }
            if ends && self.connection.is_none() {
                self.over.notify_waiters();
            }
        }
    }

    fn carry_out(&mut self, action: ApplicationAction) {
        let notice = match action {
            ApplicationAction::Send(message) => {
                // A connection that takes no more is closed, and everything is said again on the next.
                if self.connection.as_ref().is_some_and(|c| c.try_send(message).is_err()) {
                    self.connection = None;
                }
                return;
            }
            ApplicationAction::Named(application) => {
                tracing::info!(%application, "registered with the master");
                if let Some(first) = self.first.take() {
                    // Who waits may have given up.
                    let _ = first.send(Ok(()));
                }
                return;
            }
            ApplicationAction::Added(granted) => MasterNotice::Added(granted),
            ApplicationAction::Ended(executor, end) => MasterNotice::Ended(executor, end),
            ApplicationAction::Draining(executor) => MasterNotice::Draining(executor),
            ApplicationAction::WorkerLost(worker) => MasterNotice::WorkerLost(worker),
            ApplicationAction::Removed { state, reason } => {
                // The same answer would come for ever.
                self.ended.store(true, std::sync::atomic::Ordering::Relaxed);
                if let Some(first) = self.first.take() {
                    let error = Error::io("the master refused the application", reason.clone());
                    let _ = first.send(Err(error));
                }
                MasterNotice::Removed { state, reason }
            }
        };
        (self.listener)(notice);
    }
}

impl Party for Message {
    type Says = FromApplication;
    type Hears = ToApplication;

    async fn open(
        mut service: Service,
        says: ReceiverStream<FromApplication>,
    ) -> std::result::Result<Response<Streaming<ToApplication>>, Status> {
        service.application(says).await
    }

    fn connected(says: mpsc::Sender<FromApplication>) -> Message {
        Message::Connected(says)
    }

    fn heard(message: ToApplication) -> Message {
        Message::Event(ApplicationEvent::Heard(message))
    }

    fn disconnected() -> Message {
        Message::Disconnected
    }

    fn hopeless(error: Error) -> Message {
        Message::Hopeless(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let address: MasterAddress = "vonk://master.example:7077".parse().unwrap();
        assert_eq!(address.host_and_port(), "master.example:7077");
        assert_eq!(address.to_string(), "vonk://master.example:7077");
        for bad in [
            "",
            "vonk://",
            "vonk://h",
            "vonk://h:0",
            "vonk://:1",
            "vonk://h:99999",
            "spark://h:1",
            "vonk://a b:1",
        ] {
            assert_eq!(bad.parse::<MasterAddress>().unwrap_err().condition(), "_INVALID_MASTER", "{bad}");
        }
    }
}
