//! The state over HTTP: `GET /api/v1/…` as JSON, `GET /metrics` for Prometheus.
//!
//! Must not know: how it is served ([`crate::web`]).

use crate::metrics::{Kind, Metrics};
use crate::status::Observer;
use crate::status::state::State as Known;
use crate::web::{self, WebPort};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use vonk_error::Result;
use vonk_rpc::Security;

#[derive(Clone)]
struct Shared {
    observer: Arc<Observer>,
}

/// Listens and serves until the runtime ends; gives the address.
pub(crate) async fn serve(
    observer: Arc<Observer>,
    security: Security,
    host: &str,
    port: WebPort,
) -> Result<SocketAddr> {
    let bound = web::bind(host, port, &security).await?;
    let address = bound.address();
    tokio::spawn(bound.serve(router(Shared { observer })));
    Ok(address)
}

fn router(shared: Shared) -> Router {
    let api = Router::new()
        .route("/applications", get(applications))
        .route("/applications/{id}", get(application))
        .route("/applications/{id}/jobs", get(jobs))
        .route("/applications/{id}/jobs/{job}", get(job))
        .route("/applications/{id}/stages", get(stages))
        .route("/applications/{id}/stages/{stage}", get(stage))
        .route("/applications/{id}/stages/{stage}/{attempt}/taskList", get(tasks))
        .route("/applications/{id}/executors", get(executors));
    Router::new().nest("/api/v1", api).route("/metrics", get(metrics)).with_state(shared)
}

/// The answer about one application: `f` of the state, or 404 if it is not this one or `f` finds nothing. `f` copies what it finds: it
/// becomes JSON when the state is free again for the driver.
fn about<T: Serialize>(shared: &Shared, id: &str, f: impl FnOnce(&Known) -> Option<T>) -> Response {
    let found = shared.observer.with_state(|s| (s.application.id == id).then(|| f(s)).flatten());
    match found {
        Some(value) => Json(value).into_response(),
        None => (StatusCode::NOT_FOUND, Json(json!({"error": "no such thing"}))).into_response(),
    }
}

fn described(s: &Known) -> Value {
    json!({
        "id": s.application.id,
        "name": s.application.name,
        "attempts": [{
            "startTime": s.started,
            "sparkUser": s.application.user,
            "master": s.application.master,
            "completed": false,
            "appSparkVersion": vonk_rpc::VERSION,
        }],
    })
}

async fn applications(State(shared): State<Shared>) -> Response {
    Json(shared.observer.with_state(|s| json!([described(s)]))).into_response()
}

async fn application(State(shared): State<Shared>, Path(id): Path<String>) -> Response {
    about(&shared, &id, |s| Some(described(s)))
}

async fn jobs(State(shared): State<Shared>, Path(id): Path<String>) -> Response {
    // The newest first, as in Spark.
    about(&shared, &id, |s| Some(s.jobs.values().rev().cloned().collect::<Vec<_>>()))
}

async fn job(State(shared): State<Shared>, Path((id, job)): Path<(String, u64)>) -> Response {
    about(&shared, &id, |s| s.jobs.get(&job).cloned())
}

async fn stages(State(shared): State<Shared>, Path(id): Path<String>) -> Response {
    about(&shared, &id, |s| Some(s.stages.values().rev().cloned().collect::<Vec<_>>()))
}

async fn stage(State(shared): State<Shared>, Path((id, stage)): Path<(String, u64)>) -> Response {
    about(&shared, &id, |s| {
        let attempts: Vec<_> =
            s.stages.range((stage, 0)..=(stage, u32::MAX)).map(|(_, a)| a.clone()).collect();
        (!attempts.is_empty()).then_some(attempts)
    })
}

async fn tasks(
    State(shared): State<Shared>,
    Path((id, stage, attempt)): Path<(String, u64, u32)>,
) -> Response {
    about(&shared, &id, |s| {
        s.stages.get(&(stage, attempt))?;
        let of = s.tasks.values().filter(|t| (t.stage_id, t.stage_attempt_id) == (stage, attempt));
        Some(of.cloned().collect::<Vec<_>>())
    })
}

async fn executors(State(shared): State<Shared>, Path(id): Path<String>) -> Response {
    about(&shared, &id, |s| Some(s.executors.values().cloned().collect::<Vec<_>>()))
}

async fn metrics(State(shared): State<Shared>) -> Response {
    shared.observer.with_state(measured).into_response()
}

fn measured(s: &Known) -> Metrics {
    use Kind::{Counter, Gauge};
    let mut metrics = Metrics::default();
    let by_status = |statuses: &mut dyn Iterator<Item = &'static str>| {
        let mut counts = BTreeMap::<&str, u64>::new();
        statuses.for_each(|s| *counts.entry(s).or_default() += 1);
        counts
    };
    let jobs = by_status(&mut s.jobs.values().map(|j| j.status));
    metrics.by(Gauge, "vonk_jobs", "Jobs by status.", "status", jobs);
    let stages = by_status(&mut s.stages.values().map(|j| j.status));
    metrics.by(Gauge, "vonk_stages", "Stage attempts by status.", "status", stages);
    let active = || s.executors.values().filter(|e| e.is_active);
    metrics.one(Gauge, "vonk_executors", "Executors that are there.", active().count());
    let slots: u64 = active().map(|e| u64::from(e.max_tasks)).sum();
    metrics.one(Gauge, "vonk_slots", "Tasks that can run at once.", slots);
    let running: u64 = active().map(|e| u64::from(e.active_tasks)).sum();
    metrics.one(Gauge, "vonk_tasks_running", "Tasks that run.", running);
    let parked: u64 = active().map(|e| u64::from(e.parked_tasks)).sum();
    metrics.one(Gauge, "vonk_tasks_parked", "Tasks that wait for their reader, without a slot.", parked);
    let totals = [
        ("vonk_executors_lost_total", "Executors that were lost.", s.totals.executors_lost),
        ("vonk_tasks_launched_total", "Task attempts launched.", s.totals.tasks_launched),
        ("vonk_tasks_completed_total", "Task attempts that succeeded.", s.totals.tasks_completed),
        ("vonk_tasks_failed_total", "Task attempts that failed.", s.totals.tasks_failed),
        ("vonk_task_milliseconds_total", "Time in tasks.", s.totals.task_milliseconds),
        ("vonk_shuffles_released_total", "Shuffles given back.", s.totals.shuffles_released),
    ];
    totals.into_iter().for_each(|(name, help, total)| metrics.one(Counter, name, help, total));
    metrics
}
