//! `vonk server`: Flight SQL for drivers.
//!
//! Must not know: the protocol.

use crate::interrupt::INTERRUPTED;
use crate::options::{ServerCommand, ServerOptions, ServerTask};
use crate::terminal::{self, Quiet};
use std::io::{BufRead, IsTerminal};
use std::process::ExitCode;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use vonk::{Error, Session};
use vonk_flight::{Options, Server, TlsFiles, Users, hash_password};

/// Threads for what blocks beside statements.
const OTHER_THREADS: usize = 64;

/// Serves, or does what else is asked.
pub fn run(command: &ServerCommand, log: impl Fn()) -> vonk::Result<ExitCode> {
    match command.command {
        Some(ServerTask::HashPassword) => print_hash(),
        None => {
            log();
            serve(&command.options)
        }
    }
}

/// Reads a password, which does not show where it is typed, and prints its hash.
fn print_hash() -> vonk::Result<ExitCode> {
    let typed = std::io::stdin().is_terminal();
    let quiet = typed.then(Quiet::new);
    if typed {
        terminal::ask("Password: ");
    }
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    if quiet.is_some() {
        // The end of the line did not show either.
        terminal::warn("");
    }
    drop(quiet);
    read.map_err(|e| Error::io("cannot read standard input", e))?;
    let password = line.trim_end_matches(['\n', '\r']);
    if password.is_empty() {
        return Err(Error::new("_INVALID_ARGUMENT")
            .with("argument", "an empty line")
            .with("expected", "a password"));
    }
    terminal::tell(&hash_password(password)?);
    Ok(ExitCode::SUCCESS)
}

fn serve(given: &ServerOptions) -> vonk::Result<ExitCode> {
    let session = session(given)?;
    let options = options(given, &session)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(options.queries + OTHER_THREADS)
        .build()
        .map_err(|e| Error::io("cannot start threads", e))?;
    let open = options.users.is_none() && options.tls.as_ref().is_none_or(|t| t.client_authority.is_none());
    let ended = runtime.block_on(async {
        let mut signals = Signals::listen()?;
        let scheme = if options.tls.is_some() { "grpc+tls" } else { "grpc" };
        let grace = options.grace;
        let server = Server::bind(session, options).await?;
        terminal::tell(&format!("listening on {scheme}://{}", server.address()));
        if open {
            terminal::warn("anyone on this machine may use this server: it has no file of users (--users)");
        }
        let (stop, stopped) = oneshot::channel();
        let insisted = async move {
            signals.next().await;
            terminal::warn(&format!(
                "stopping: statements that run have {} s to end; a second Ctrl-C ends them at once",
                grace.as_secs_f64()
            ));
            let _ = stop.send(());
            signals.next().await;
        };
        tokio::select! {
            served = server.serve(async { stopped.await.unwrap_or(()) }) => served.map(|()| ExitCode::SUCCESS),
            () = insisted => Ok(ExitCode::from(INTERRUPTED)),
        }
    });
    // Threads that are left wait for statements that were cancelled.
    runtime.shutdown_background();
    ended
}

/// SIGTERM and Ctrl-C.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> vonk::Result<Signals> {
        let listen = |kind| signal(kind).map_err(|e| Error::io("cannot listen to signals", e));
        Ok(Signals {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }

    /// The process is asked to end, once more.
    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// What a server has unless it is told otherwise: a name; sessions share the executors (each is a pool, see `vonk-flight`), and so do the
/// statements of a session. Nobody waits for the end of a long one.
const DEFAULTS: [(&str, &str); 4] = [
    ("spark.app.name", "vonk server"),
    ("spark.scheduler.mode", "FAIR"),
    ("spark.vonk.scheduler.pool.mode", "FAIR"),
    ("spark.vonk.local.guestTasks", "4"),
];

fn session(given: &ServerOptions) -> vonk::Result<Session> {
    let mut builder = Session::builder();
    for (key, value) in DEFAULTS {
        builder = builder.config(key, value);
    }
    for (key, value) in crate::daemons::settings(&given.conf)?.iter() {
        builder = builder.config(key, value);
    }
    if let Some(master) = &given.master {
        builder = builder.config("spark.master", master);
    }
    if let Some(memory) = &given.memory {
        builder = builder.config("spark.vonk.memory.limit", memory);
    }
    builder.build()
}

fn options(given: &ServerOptions, session: &Session) -> vonk::Result<Options> {
    let tls = match (&given.tls_cert, &given.tls_key) {
        (Some(certificate), Some(key)) => Some(TlsFiles {
            certificate: certificate.clone(),
            key: key.clone(),
            client_authority: given.tls_client_ca.clone(),
        }),
        _ => None,
    };
    Ok(Options {
        host: given.host.clone(),
        port: given.port,
        read_only: given.read_only,
        users: given.users.as_deref().map(Users::read).transpose()?,
        tls,
        ..Options::from_conf(&session.conf())?
    })
}
