//! The state over HTTP: `GET /api/v1/…` as JSON, `GET /metrics` for Prometheus.
//!
//! Must not know: how it is served ([`crate::web`]).

use crate::status::Observer;
use crate::status::state::State as Known;
use crate::web;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use vonk_error::Result;
use vonk_rpc::Security;

#[derive(Clone)]
struct Shared {
    observer: Arc<Observer>,
}

/// Listens on `host:port` (0 takes a free port) and serves until the runtime ends; gives the address.
pub(crate) async fn serve(
    observer: Arc<Observer>,
    security: Security,
    host: &str,
    port: u16,
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

/// The text format of Prometheus.
async fn metrics(State(shared): State<Shared>) -> Response {
    let text = shared.observer.with_state(prometheus);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}

fn prometheus(s: &Known) -> String {
    let mut text = String::new();
    let mut metric = |name: &str, kind: &str, help: &str, values: &[(String, u64)]| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "# HELP vonk_{name} {help}\n# TYPE vonk_{name} {kind}");
        for (labels, value) in values {
            let _ = writeln!(text, "vonk_{name}{labels} {value}");
        }
    };
    let one = |value: u64| [(String::new(), value)];
    let count = |n: usize| n as u64;
    let by_status = |statuses: Vec<&'static str>| {
        let mut counts = std::collections::BTreeMap::<&str, u64>::new();
        statuses.into_iter().for_each(|s| *counts.entry(s).or_default() += 1);
        counts.into_iter().map(|(s, n)| (format!("{{status=\"{s}\"}}"), n)).collect::<Vec<_>>()
    };
    metric("jobs", "gauge", "Jobs by status.", &by_status(s.jobs.values().map(|j| j.status).collect()));
    metric(
        "stages",
        "gauge",
        "Stage attempts by status.",
        &by_status(s.stages.values().map(|j| j.status).collect()),
    );
    metric("tasks_launched_total", "counter", "Task attempts launched.", &one(s.tasks_launched));
    let active = s.executors.values().filter(|e| e.is_active);
    metric("executors", "gauge", "Executors that are there.", &one(count(active.clone().count())));
    let lost = s.executors.len() - active.clone().count();
    metric("executors_lost_total", "counter", "Executors that were lost.", &one(count(lost)));
    metric(
        "slots",
        "gauge",
        "Tasks that can run at once.",
        &one(active.clone().map(|e| u64::from(e.max_tasks)).sum()),
    );
    metric(
        "tasks_running",
        "gauge",
        "Tasks that run.",
        &one(active.map(|e| u64::from(e.active_tasks)).sum()),
    );
    let sum = |f: fn(&crate::status::state::Executor) -> u64| s.executors.values().map(f).sum();
    metric(
        "tasks_completed_total",
        "counter",
        "Task attempts that succeeded.",
        &one(sum(|e| e.completed_tasks)),
    );
    metric("tasks_failed_total", "counter", "Task attempts that failed.", &one(sum(|e| e.failed_tasks)));
    metric("task_milliseconds_total", "counter", "Time in tasks.", &one(sum(|e| e.total_duration)));
    metric("shuffles_released_total", "counter", "Shuffles given back.", &one(s.shuffles_released));
    text
}
