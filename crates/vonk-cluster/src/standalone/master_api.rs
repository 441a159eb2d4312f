//! The master's status: `GET /api/v1/…` as JSON, `/metrics` for Prometheus.
//!
//! Must not know: how the master decides.

use crate::metrics::{Kind, Metrics};
use crate::standalone::http::{Look, Visible, json, plain};
use crate::standalone::machine::Inbox;
use crate::standalone::master::Message;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use serde_json::{Value, json};
use vonk_scheduler::Time;
use vonk_scheduler::master::{
    ApplicationId, ApplicationState, DriverId, DriverState, Master, MasterStatus, Resources, WorkerState,
};

type Machine = Inbox<Message>;

/// The routes.
pub(crate) fn router(machine: Machine) -> Router {
    Router::new()
        .route("/api/v1/status", get(status))
        .route("/api/v1/applications", get(applications))
        .route("/api/v1/applications/{id}", get(application))
        .route("/api/v1/applications/{id}/executors", get(executors))
        .route("/api/v1/workers", get(workers))
        .route("/api/v1/drivers", get(drivers))
        .route("/api/v1/drivers/{id}", get(driver))
        .route("/metrics", get(metrics))
        .with_state(machine)
}

impl Visible for Message {
    type Machine = Master;

    fn look(look: Look<Master>) -> Message {
        Message::Look(look)
    }
}

async fn status(State(machine): State<Machine>) -> Response {
    let read = |master: &Master, now: Time| -> Option<Value> {
        let workers = master.workers(now);
        let sum = |of: fn(&vonk_scheduler::master::WorkerView) -> Resources| {
            workers.iter().fold(Resources::default(), |sum, w| sum.plus(of(w)))
        };
        Some(json!({
            "status": match master.status() {
                MasterStatus::Alive => "ALIVE",
                MasterStatus::Recovering => "RECOVERING",
            },
            "version": vonk_rpc::VERSION,
            "workers": workers.len(),
            "total": sum(|w| w.total),
            "used": sum(|w| w.used),
            "upMillis": now.0,
        }))
    };
    json(machine, read).await
}

async fn applications(State(machine): State<Machine>) -> Response {
    json(machine, |master, _| Some(master.applications())).await
}

async fn application(State(machine): State<Machine>, Path(id): Path<String>) -> Response {
    json(machine, move |master, _| master.application(&ApplicationId::from(id.as_str()))).await
}

async fn executors(State(machine): State<Machine>, Path(id): Path<String>) -> Response {
    let read = move |master: &Master, _: Time| {
        master.application(&ApplicationId::from(id.as_str())).map(|a| a.executors)
    };
    json(machine, read).await
}

async fn workers(State(machine): State<Machine>) -> Response {
    json(machine, |master, now| Some(master.workers(now))).await
}

async fn drivers(State(machine): State<Machine>) -> Response {
    json(machine, |master, _| Some(master.drivers())).await
}

async fn driver(State(machine): State<Machine>, Path(id): Path<String>) -> Response {
    json(machine, move |master, _| master.driver(&DriverId::from(id.as_str()))).await
}

async fn metrics(State(machine): State<Machine>) -> Response {
    plain(machine, measured).await
}

fn measured(master: &Master, now: Time) -> Metrics {
    use Kind::Gauge;
    let (workers, applications, drivers) = (master.workers(now), master.applications(), master.drivers());
    let worker = |s: WorkerState| workers.iter().filter(|w| w.state == s).count();
    let application = |s: ApplicationState| applications.iter().filter(|a| a.state == s).count();
    let driver = |s: DriverState| drivers.iter().filter(|d| d.state == s).count();
    let total = workers.iter().fold(Resources::default(), |sum, w| sum.plus(w.total));
    let used = workers.iter().fold(Resources::default(), |sum, w| sum.plus(w.used));
    let executors: usize = applications.iter().map(|a| a.executors.len()).sum();
    let mut metrics = Metrics::default();
    let recovering = u8::from(master.status() == MasterStatus::Recovering);
    let help = "Waits for those it knew before its restart.";
    metrics.one(Gauge, "vonk_master_recovering", help, recovering);
    let states = [
        ("alive", worker(WorkerState::Alive)),
        ("draining", worker(WorkerState::Draining)),
        ("unknown", worker(WorkerState::Unknown)),
    ];
    metrics.by(Gauge, "vonk_master_workers", "Workers.", "state", states);
    let cores = [("total", total.cores), ("used", used.cores)];
    metrics.by(Gauge, "vonk_master_cores", "Cores of workers.", "kind", cores);
    let memory = [("total", total.memory), ("used", used.memory)];
    metrics.by(Gauge, "vonk_master_memory_bytes", "Memory of workers.", "kind", memory);
    let states = [
        ("waiting", application(ApplicationState::Waiting)),
        ("running", application(ApplicationState::Running)),
        ("unknown", application(ApplicationState::Unknown)),
        ("finished", application(ApplicationState::Finished)),
        ("failed", application(ApplicationState::Failed)),
        ("killed", application(ApplicationState::Killed)),
    ];
    let help = "Applications, past ones as far as they are remembered.";
    metrics.by(Gauge, "vonk_master_applications", help, "state", states);
    metrics.one(Gauge, "vonk_master_executors", "Executors.", executors);
    let states = [
        ("submitted", driver(DriverState::Submitted)),
        ("running", driver(DriverState::Running)),
        ("finished", driver(DriverState::Finished)),
        ("failed", driver(DriverState::Failed)),
        ("killed", driver(DriverState::Killed)),
    ];
    let help = "Drivers, past ones as far as they are remembered.";
    metrics.by(Gauge, "vonk_master_drivers", help, "state", states);
    metrics
}
