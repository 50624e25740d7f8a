//! `mycareer-worker`: runs jobs and sends mail. As many of them as wanted work on one database.

use std::{error::Error, process::ExitCode, sync::Arc, time::Duration};

use clap::Parser;
use domain::{clock::SystemClock, store::Store};
use migration::{Migrator, MigratorTrait};
use mycareer_worker::{
    engine::{Engine, EngineSignals},
    health::{self, Health},
    jobs, runtime,
    services::Services,
    settings::{EngineSettings, SettingsError, WorkerSettings},
    shutdown, telemetry,
};
use poem::{
    Server,
    listener::{Acceptor, Listener, TcpListener},
};
use tracing::{error, info, warn};

/// How long to wait for somebody to bring the database to the current schema.
const MIGRATED_WITHIN: Duration = Duration::from_mins(1);

/// Runs the background jobs of MyCareer: waiting lists, registers, mail, cleaning up.
#[derive(Parser)]
#[command(name = "mycareer-worker", version)]
struct Command {
    #[command(flatten)]
    settings: EngineSettings,
    #[command(flatten)]
    worker: WorkerSettings,
}

fn main() -> ExitCode {
    let Command { settings, worker } = Command::parse();
    telemetry::start_log(settings.log_format);
    let runtime = match runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("mycareer-worker: no threads could be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(settings, worker)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(settings: EngineSettings, worker: WorkerSettings) -> Result<(), Box<dyn Error>> {
    let settings = settings.resolve()?;
    if settings.is_embedded() {
        return Err(SettingsError::new(
            "DATABASE_URL",
            "a worker needs the database of the API; without one, `mycareer` runs its jobs itself",
        )
        .into());
    }
    let metrics = telemetry::start_metrics()?;
    let signals = EngineSignals::connect(&settings)?;
    let store = Store::connect(
        &settings.database(),
        settings.database_connections(),
        Arc::new(SystemClock),
        Arc::new(signals.clone()),
    )
    .await?;
    until_migrated(&store).await?;
    let services = Services::open(&settings, &store).await?;
    let engine = Engine::new(
        store.clone(),
        signals,
        jobs::registry(),
        services,
        settings.engine(),
    )
    .with_timetable(jobs::timetable()?)
    .start();

    if let Some(address) = worker.listen {
        let acceptor = TcpListener::bind(address)
            .into_acceptor()
            .await
            .map_err(|error| {
                SettingsError::new("MYCAREER_WORKER_LISTEN", format!("{address}: {error}"))
            })?;
        for address in acceptor.local_addr() {
            if let Some(address) = address.as_socket_addr() {
                info!("listening on http://{address}");
            }
        }
        let routes = health::routes(Health::new(store, Some(engine.readiness())), metrics);
        tokio::spawn(Server::new_with_acceptor(acceptor).run(routes));
    }
    shutdown::requested().await?;
    info!("asked to stop");
    engine.stop().await;
    Ok(())
}

/// Waits until the schema is the one that this program was built for. The API brings it there; a worker only looks.
async fn until_migrated(store: &Store) -> Result<(), Box<dyn Error>> {
    let waiting = async {
        loop {
            let pending = Migrator::get_pending_migrations_read_only(store.reader())
                .await?
                .len();
            if pending == 0 {
                return Ok(());
            }
            warn!(
                pending,
                "waiting for `mycareer` to bring the database to the current schema"
            );
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    tokio::time::timeout(MIGRATED_WITHIN, waiting)
        .await
        .map_err(
            |_| "the database has not the current schema: start `mycareer` once, which migrates it",
        )?
}
