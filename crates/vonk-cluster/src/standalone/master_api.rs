//! The master's status: `GET /api/v1/…` as JSON, `/metrics` for Prometheus.
//!
//! Must not know: how the master decides.

use crate::standalone::http::{gauge, json};
use crate::standalone::machine::Inbox;
use crate::standalone::master::Message;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};
use tokio::sync::oneshot;
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

/// Looks at the machine, on its thread.
async fn look<T: Send + 'static>(
    machine: &Machine,
    look: impl FnOnce(&Master, Time) -> T + Send + 'static,
) -> Result<T, Response> {
    let ending = || (StatusCode::SERVICE_UNAVAILABLE, "the master is ending\n").into_response();
    let (sender, receiver) = oneshot::channel();
    let message = Message::Look(Box::new(move |master, now| {
        // Who asked may be gone.
        let _ = sender.send(look(master, now));
    }));
    machine.send(message).await.map_err(|_| ending())?;
    receiver.await.map_err(|_| ending())
}

async fn answer<T: serde::Serialize + Send + 'static>(
    machine: Machine,
    read: impl FnOnce(&Master, Time) -> Option<T> + Send + 'static,
) -> Response {
    match look(&machine, read).await {
        Ok(value) => json(value),
        Err(response) => response,
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
    answer(machine, read).await
}

async fn applications(State(machine): State<Machine>) -> Response {
    answer(machine, |master, _| Some(master.applications())).await
}

async fn application(State(machine): State<Machine>, Path(id): Path<String>) -> Response {
    answer(machine, move |master, _| master.application(&ApplicationId::from(id.as_str()))).await
}

async fn executors(State(machine): State<Machine>, Path(id): Path<String>) -> Response {
    let read = move |master: &Master, _: Time| {
        master.application(&ApplicationId::from(id.as_str())).map(|a| a.executors)
    };
    answer(machine, read).await
}

async fn workers(State(machine): State<Machine>) -> Response {
    answer(machine, |master, now| Some(master.workers(now))).await
}

async fn drivers(State(machine): State<Machine>) -> Response {
    answer(machine, |master, _| Some(master.drivers())).await
}

async fn driver(State(machine): State<Machine>, Path(id): Path<String>) -> Response {
    answer(machine, move |master, _| master.driver(&DriverId::from(id.as_str()))).await
}

async fn metrics(State(machine): State<Machine>) -> Response {
    match look(&machine, prometheus).await {
        Ok(text) => ([("content-type", "text/plain; version=0.0.4")], text).into_response(),
        Err(response) => response,
    }
}

fn prometheus(master: &Master, now: Time) -> String {
    let (workers, applications, drivers) = (master.workers(now), master.applications(), master.drivers());
    let worker = |s: WorkerState| workers.iter().filter(|w| w.state == s).count() as f64;
    let application = |s: ApplicationState| applications.iter().filter(|a| a.state == s).count() as f64;
    let driver = |s: DriverState| drivers.iter().filter(|d| d.state == s).count() as f64;
    let total = workers.iter().fold(Resources::default(), |sum, w| sum.plus(w.total));
    let used = workers.iter().fold(Resources::default(), |sum, w| sum.plus(w.used));
    let executors: usize = applications.iter().map(|a| a.executors.len()).sum();
    let mut out = String::new();
    let recovering = f64::from(master.status() == MasterStatus::Recovering);
    gauge(
        &mut out,
        "vonk_master_recovering",
        "Waits for those it knew before its restart.",
        &[("", recovering)],
    );
    let states = [
        ("state=\"alive\"", worker(WorkerState::Alive)),
        ("state=\"draining\"", worker(WorkerState::Draining)),
        ("state=\"unknown\"", worker(WorkerState::Unknown)),
    ];
    gauge(&mut out, "vonk_master_workers", "Workers.", &states);
    let cores = [("kind=\"total\"", f64::from(total.cores)), ("kind=\"used\"", f64::from(used.cores))];
    gauge(&mut out, "vonk_master_cores", "Cores of workers.", &cores);
    let memory = [("kind=\"total\"", total.memory as f64), ("kind=\"used\"", used.memory as f64)];
    gauge(&mut out, "vonk_master_memory_bytes", "Memory of workers.", &memory);
    let states = [
        ("state=\"waiting\"", application(ApplicationState::Waiting)),
        ("state=\"running\"", application(ApplicationState::Running)),
        ("state=\"unknown\"", application(ApplicationState::Unknown)),
        ("state=\"finished\"", application(ApplicationState::Finished)),
        ("state=\"failed\"", application(ApplicationState::Failed)),
        ("state=\"killed\"", application(ApplicationState::Killed)),
    ];
    gauge(
        &mut out,
        "vonk_master_applications",
        "Applications, past ones as far as they are remembered.",
        &states,
    );
    gauge(&mut out, "vonk_master_executors", "Executors.", &[("", executors as f64)]);
    let states = [
        ("state=\"submitted\"", driver(DriverState::Submitted)),
        ("state=\"running\"", driver(DriverState::Running)),
        ("state=\"finished\"", driver(DriverState::Finished)),
        ("state=\"failed\"", driver(DriverState::Failed)),
        ("state=\"killed\"", driver(DriverState::Killed)),
    ];
    gauge(&mut out, "vonk_master_drivers", "Drivers, past ones as far as they are remembered.", &states);
    out
}
