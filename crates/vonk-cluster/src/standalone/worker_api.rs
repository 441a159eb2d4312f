//! A worker's status: `GET /api/v1/…` as JSON, `/metrics` for Prometheus.
//!
//! Must not know: how the worker decides.

use crate::metrics::{Kind, Metrics};
use crate::standalone::http::{self, Look, Visible};
use crate::standalone::machine::Inbox;
use crate::standalone::worker::Message;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde_json::json;
use vonk_scheduler::Time;
use vonk_scheduler::master::{Process, Resources, WorkerMachine};

type Machine = Inbox<Message>;

/// The routes.
pub(crate) fn router(machine: Machine) -> Router {
    Router::new()
        .route("/api/v1/status", get(status))
        .route("/api/v1/processes", get(processes))
        .route("/metrics", get(metrics))
        .with_state(machine)
}

impl Visible for Message {
    type Machine = WorkerMachine;

    fn look(look: Look<WorkerMachine>) -> Message {
        Message::Look(look)
    }
}

async fn status(State(machine): State<Machine>) -> Response {
    let read = |m: &WorkerMachine, _: Time| {
        let spec = m.spec();
        Some(json!({
            "id": spec.id,
            "version": vonk_rpc::VERSION,
            "host": spec.host,
            "total": Resources { cores: spec.cores, memory: spec.memory },
            "used": m.used(),
            "connected": m.is_connected(),
        }))
    };
    http::json(machine, read).await
}

async fn processes(State(machine): State<Machine>) -> Response {
    let one =
        |(process, resources): (&Process, Resources)| json!({"process": process, "resources": resources});
    http::json(machine, move |m, _| Some(m.live().map(one).collect::<Vec<_>>())).await
}

async fn metrics(State(machine): State<Machine>) -> Response {
    http::plain(machine, measured).await
}

fn measured(m: &WorkerMachine, _: Time) -> Metrics {
    use Kind::Gauge;
    let (spec, used) = (m.spec(), m.used());
    let mut metrics = Metrics::default();
    let cores = [("total", spec.cores), ("used", used.cores)];
    metrics.by(Gauge, "vonk_worker_cores", "Cores.", "kind", cores);
    let memory = [("total", spec.memory), ("used", used.memory)];
    metrics.by(Gauge, "vonk_worker_memory_bytes", "Memory.", "kind", memory);
    metrics.one(Gauge, "vonk_worker_processes", "Executors and drivers.", m.live().count());
    let connected = u8::from(m.is_connected());
    metrics.one(Gauge, "vonk_worker_connected", "Has a connection to the master.", connected);
    metrics
}
