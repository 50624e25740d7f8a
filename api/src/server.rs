//! The API as a running server: the database, the schema, the routes, and the worker inside it where it is the only process.

pub mod connections;
mod routes;
pub mod tls;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use domain::{Store, clock::Clock, secret, session::Keyring};
use metrics_exporter_prometheus::PrometheusHandle;
use migration::{Migrator, MigratorTrait};
use sea_orm::DbBackend;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use worker::{
    engine::{Engine, EngineSignals, RunningEngine},
    health::Health,
    jobs,
    services::Services,
    settings::{EngineSettings, SettingsError},
};

use self::{connections::Connections, routes::Parts};
use crate::{
    demo,
    graphql::{cursor::Cursors, endpoint::StartError as SchemaError, schema},
    http::{
        graphql::{Door, Service},
        university::SignIn,
    },
    settings::Settings,
};

/// Why the server can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting is wrong.
    #[error(transparent)]
    Setting(#[from] SettingsError),
    /// The database failed.
    #[error("the database: {0}")]
    Domain(#[from] domain::Error),
    /// The schema and the policy table don't fit.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// A folder or an address can't be used.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: String,
        /// What went wrong.
        source: io::Error,
    },
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    store: Store,
    engine: Option<RunningEngine>,
    has_demo_data: bool,
    stopping: CancellationToken,
    serving: JoinHandle<()>,
    grace: Duration,
}

impl Server {
    /// Brings the database to the current schema, fills an embedded one that is empty with demo data, and serves.
    pub async fn start(
        settings: Settings,
        clock: Arc<dyn Clock>,
        metrics: PrometheusHandle,
    ) -> Result<Self, StartError> {
        let settings = settings.resolve()?;
        let engine_settings = &settings.engine;
        make_data_dir(engine_settings)?;
        let signals = EngineSignals::connect(engine_settings)?;
        let store = open(engine_settings, Arc::clone(&clock), &signals).await?;
        let has_demo_data = engine_settings.is_embedded();
        if has_demo_data {
            demo::load(&store).await?;
        }
        let keyring = Keyring::open(&store).await?;
        let cursors = Cursors::new(&secret::shared(store.reader(), "cursor", store.now()).await?);
        let api = schema::serve(&store, &keyring, &cursors)?;
        let proxies = settings.proxies()?;
        let graphql = Service::new(Arc::new(api), Arc::new(Door::new(store.clone(), keyring)))
            .under(settings.terms())
            .behind(proxies.clone())
            .within(settings.budget(Arc::clone(&clock))?);
        let services = Services::open(engine_settings, &store).await?;
        // Anybody can open the page: where people's real mail might be caught, it isn't served.
        let mailbox = services
            .mailbox()
            .filter(|_| engine_settings.is_embedded())
            .cloned();

        // Without Redis nobody else can be woken: the worker is in here.
        let engine = match engine_settings.redis_url {
            Some(_) => None,
            None => Some(
                Engine::new(
                    store.clone(),
                    signals,
                    jobs::registry(),
                    services,
                    engine_settings.engine(),
                )
                .with_timetable(jobs::timetable()?)
                .start(),
            ),
        };
        let health = Health::new(store.clone(), engine.as_ref().map(RunningEngine::readiness));

        let sign_in = settings
            .university
            .open(&engine_settings.public_url, Arc::clone(store.clock()))?
            .map(|university| {
                SignIn::new(
                    university,
                    store.clone(),
                    settings.university.frontend.clone(),
                    engine_settings.public_url.clone(),
                    proxies.clone(),
                )
            });
        let tls = settings.tls()?;
        let connections =
            Connections::listen(settings.listen, tls.clone(), settings.connection_limits())
                .await
                .map_err(|source| StartError::Io {
                    what: format!("MYCAREER_LISTEN: {} can't be listened at", settings.listen),
                    source,
                })?;
        let address = connections.address();
        let stopping = CancellationToken::new();
        if let Some(tls) = tls {
            tokio::spawn(tls.keep_current(stopping.clone()));
        }
        let grace = Duration::from_secs(engine_settings.stop_seconds.into());
        let parts = Parts {
            store: store.clone(),
            graphql,
            health,
            metrics,
            mailbox,
            sign_in,
        };
        let routes = routes::routes(parts, &settings);
        let serving = tokio::spawn(connections.serve(routes, stopping.clone(), grace));
        Ok(Self {
            address,
            store,
            engine,
            has_demo_data,
            stopping,
            serving,
            grace,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its database.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Whether the demo accounts can sign in.
    #[must_use]
    pub fn has_demo_data(&self) -> bool {
        self.has_demo_data
    }

    /// Answers what it has begun to answer, finishes the jobs in hand, and is gone.
    pub async fn stop(self) {
        self.stopping.cancel();
        // The grace is the server's own; a little more, and it is left behind.
        if tokio::time::timeout(self.grace + Duration::from_secs(1), self.serving)
            .await
            .is_err()
        {
            tracing::warn!("connections were still open when the server had to go");
        }
        if let Some(engine) = self.engine {
            engine.stop().await;
        }
    }
}

/// Connects to the database and brings it to the current schema.
pub async fn open(
    settings: &EngineSettings,
    clock: Arc<dyn Clock>,
    signals: &EngineSignals,
) -> Result<Store, StartError> {
    let store = Store::connect(
        &settings.database(),
        settings.database_connections(),
        clock,
        Arc::new(signals.clone()),
    )
    .await?;
    migrate(&store).await?;
    Ok(store)
}

/// Of several processes that start at once, one migrates and the others wait for it.
async fn migrate(store: &Store) -> Result<(), domain::Error> {
    if store.backend() == DbBackend::Sqlite {
        Migrator::up(store.reader(), None).await?;
        return Ok(());
    }
    let turn = store.begin().await?;
    turn.hold("migrations").await?;
    Migrator::up(store.reader(), None).await?;
    turn.commit().await
}

/// Makes the folder that files are kept in.
pub fn make_data_dir(settings: &EngineSettings) -> Result<(), StartError> {
    let folder = &settings.data_dir;
    std::fs::create_dir_all(folder).map_err(|source| StartError::Io {
        what: format!(
            "MYCAREER_DATA_DIR: the folder {} can't be made",
            folder.display()
        ),
        source,
    })
}
