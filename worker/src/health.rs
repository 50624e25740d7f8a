//! What a load balancer, an orchestrator and Prometheus ask a process: `/health/live`, `/health/ready`, `/metrics`.

use std::{sync::Arc, time::Duration};

use domain::store::Store;
use metrics_exporter_prometheus::PrometheusHandle;
use poem::EndpointExt;
use poem::{
    IntoResponse, Response, Route, get, handler,
    http::StatusCode,
    web::{Data, Json},
};
use sea_orm::ConnectionTrait;
use serde_json::json;
use tokio::time::timeout;

use crate::engine::Readiness;

/// How long the database may take to answer before the process counts as not ready.
const PATIENCE: Duration = Duration::from_secs(2);

/// What there is to know about the health of a process.
#[derive(Clone, Debug)]
pub struct Health {
    store: Store,
    engine: Option<Arc<Readiness>>,
}

impl Health {
    /// The health of a process with this database, and with a job engine or without.
    #[must_use]
    pub fn new(store: Store, engine: Option<Arc<Readiness>>) -> Self {
        Self { store, engine }
    }

    /// Why the process can't do its work now; empty when it can.
    pub async fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        if !matches!(
            timeout(PATIENCE, self.store.reader().execute_unprepared("SELECT 1")).await,
            Ok(Ok(_))
        ) {
            complaints.push("the database does not answer".to_owned());
        }
        if let Some(engine) = &self.engine {
            complaints.extend(engine.complaint(self.store.now()));
        }
        complaints
    }
}

/// The routes, to be nested at `/`.
#[must_use]
pub fn routes(health: Health, metrics: PrometheusHandle) -> Route {
    Route::new()
        .at("/health/live", get(live))
        .at("/health/ready", get(ready.data(health)))
        .at("/metrics", get(render.data(metrics)))
}

/// The process runs; whether it can do anything is another question.
#[handler]
fn live() -> &'static str {
    "live\n"
}

#[handler]
async fn ready(Data(health): Data<&Health>) -> Response {
    let complaints = health.complaints().await;
    let status = if complaints.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let body = json!({ "ready": complaints.is_empty(), "complaints": complaints });
    Json(body).with_status(status).into_response()
}

#[handler]
fn render(Data(metrics): Data<&PrometheusHandle>) -> Response {
    metrics.run_upkeep();
    Response::builder()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(metrics.render())
}
