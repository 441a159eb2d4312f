//! A worker's status: `GET /api/v1/…` as JSON, `/metrics` for Prometheus.
//!
//! Must not know: how the worker decides.

use crate::standalone::http::{gauge, json};
use crate::standalone::machine::Inbox;
use crate::standalone::worker::Message;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;
use tokio::sync::oneshot;
use vonk_scheduler::master::{Resources, WorkerMachine};

type Machine = Inbox<Message>;

/// The routes.
pub(crate) fn router(machine: Machine) -> Router {
    Router::new()
        .route("/api/v1/status", get(status))
        .route("/api/v1/processes", get(processes))
        .route("/metrics", get(metrics))
        .with_state(machine)
}

/// Looks at the machine, on its thread.
async fn look<T: Send + 'static>(
    machine: &Machine,
    look: impl FnOnce(&WorkerMachine) -> T + Send + 'static,
) -> Option<T> {
    let (sender, receiver) = oneshot::channel();
    let message = Message::Look(Box::new(move |machine, _| {
        // Who asked may be gone.
        let _ = sender.send(look(machine));
    }));
    machine.send(message).await.ok()?;
    receiver.await.ok()
}

async fn status(State(machine): State<Machine>) -> Response {
    let read = |m: &WorkerMachine| {
        let spec = m.spec();
        json!({
            "id": spec.id,
            "version": vonk_rpc::VERSION,
            "host": spec.host,
            "total": Resources { cores: spec.cores, memory: spec.memory },
            "used": m.used(),
            "connected": m.is_connected(),
        })
    };
    json(look(&machine, read).await)
}

async fn processes(State(machine): State<Machine>) -> Response {
    let read = |m: &WorkerMachine| {
        let one = |(process, resources): (&vonk_scheduler::master::Process, Resources)| json!({"process": process, "resources": resources});
        m.live().map(one).collect::<Vec<_>>()
    };
    json(look(&machine, read).await)
}

async fn metrics(State(machine): State<Machine>) -> Response {
    let read = |m: &WorkerMachine| {
        let (spec, used) = (m.spec(), m.used());
        let mut out = String::new();
        let cores = [("kind=\"total\"", f64::from(spec.cores)), ("kind=\"used\"", f64::from(used.cores))];
        gauge(&mut out, "vonk_worker_cores", "Cores.", &cores);
        let memory = [("kind=\"total\"", spec.memory as f64), ("kind=\"used\"", used.memory as f64)];
        gauge(&mut out, "vonk_worker_memory_bytes", "Memory.", &memory);
        gauge(&mut out, "vonk_worker_processes", "Executors and drivers.", &[("", m.live().count() as f64)]);
        let connected = f64::from(u8::from(m.is_connected()));
        gauge(&mut out, "vonk_worker_connected", "Has a connection to the master.", &[("", connected)]);
        out
    };
    match look(&machine, read).await {
        Some(text) => ([("content-type", "text/plain; version=0.0.4")], text).into_response(),
        None => (StatusCode::SERVICE_UNAVAILABLE, "the worker is ending\n").into_response(),
    }
}
