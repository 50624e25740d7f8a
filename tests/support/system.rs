//! The whole system inside the test: the server at a port of its own, and the worker beside it.

use std::sync::Arc;

use api::{commands::Cli, demo, server::Server, settings::Settings};
use clap::Parser;
use domain::{clock::Clock, store::Store};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::OnceCell;
use worker::{
    engine::{Engine, EngineSignals, RunningEngine},
    jobs,
    services::Services,
    settings::EngineSettings,
    telemetry,
};

use crate::{Client, TestBed};

/// A running server and worker on one test bed, with the bed's clock. It ends with the test.
#[derive(Debug)]
pub struct System {
    client: Client,
    server: Server,
    /// With Redis the worker is not in the server, as on campus; it is another one, on connections of its own.
    engine: Option<RunningEngine>,
}

impl System {
    /// Starts it on a bed, with further settings such as `("MYCAREER_MAIL_RATE", "50/1s")`.
    pub(crate) async fn start(bed: &TestBed, further: &[(&str, &str)]) -> Self {
        let settings = settings(bed, further);
        let clock: Arc<dyn Clock> = Arc::clone(bed.clock()) as Arc<dyn Clock>;
        let engine = match bed.redis() {
            Some(_) => Some(start_worker(&settings.engine, Arc::clone(&clock)).await),
            None => None,
        };
        let server = Server::start(settings, clock, metrics().await)
            .await
            .unwrap_or_else(|error| panic!("the server does not start: {error}"));
        Self {
            client: Client::new(format!("http://{}", server.address())),
            server,
            engine,
        }
    }

    /// Fills the empty database with the demo data.
    pub(crate) async fn load_demo_data(&self) {
        assert!(
            demo::load(self.store()).await.unwrap(),
            "it has data already"
        );
    }

    /// A client that isn't signed in.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Somebody of the demo data, signed in: `operator`, `student1`.
    pub async fn demo_client(&self, mailbox: &str) -> Client {
        let email = format!("{mailbox}@{}", demo::DOMAIN);
        self.client.sign_in(&email, demo::PASSWORD).await
    }

    /// The server's store.
    pub fn store(&self) -> &Store {
        self.server.store()
    }

    /// Stops it as a service manager would, and waits until it has.
    pub async fn stop(self) {
        self.server.stop().await;
        if let Some(engine) = self.engine {
            engine.stop().await;
        }
    }
}

/// As `mycareer-worker` starts one.
async fn start_worker(settings: &EngineSettings, clock: Arc<dyn Clock>) -> RunningEngine {
    let settings = settings.clone().resolve().unwrap();
    let signals = EngineSignals::connect(&settings).unwrap();
    let store = Store::connect(
        &settings.database(),
        settings.database_connections(),
        clock,
        Arc::new(signals.clone()),
    )
    .await
    .unwrap();
    let services = Services::open(&settings, &store).await.unwrap();
    Engine::new(
        store,
        signals,
        jobs::registry(),
        services,
        settings.engine(),
    )
    .with_timetable(jobs::timetable().unwrap())
    .start()
}

/// The settings as a process would read them.
fn settings(bed: &TestBed, further: &[(&str, &str)]) -> Settings {
    let environment = bed.environment();
    let arguments = environment
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .filter(|(name, _)| further.iter().all(|(other, _)| other != name))
        .chain(further.iter().copied())
        .filter(|(name, _)| *name != "MYCAREER_WORKER_LISTEN")
        .map(|(name, value)| format!("{}={value}", option(name)));
    Cli::try_parse_from(["mycareer".to_owned()].into_iter().chain(arguments))
        .unwrap_or_else(|error| panic!("{error}"))
        .settings
}

/// The option beside an environment variable: `--data-dir` for `MYCAREER_DATA_DIR`.
fn option(variable: &str) -> String {
    let name = variable.strip_prefix("MYCAREER_").unwrap_or(variable);
    format!("--{}", name.to_lowercase().replace('_', "-"))
}

/// There is one set of metrics in a process, whatever number of servers is in it.
async fn metrics() -> PrometheusHandle {
    static METRICS: OnceCell<PrometheusHandle> = OnceCell::const_new();
    METRICS
        .get_or_init(async || telemetry::start_metrics().unwrap())
        .await
        .clone()
}
