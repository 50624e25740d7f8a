//! Everything one test has to itself.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use domain::{
    clock::{Clock, ManualClock},
    live::NoSignals,
    store::Store,
};
use tempfile::TempDir;

use crate::{Column, Database, Process, RedisCorner, SmtpServer, System, confidential};

const ANY_PORT: &str = "127.0.0.1:0";

/// A database, a corner of Redis, a mail relay and a clock for one test, in one of the two ways to run the system.
#[derive(Debug)]
pub struct TestBed {
    column: Column,
    redis: Option<RedisCorner>,
    clock: Arc<ManualClock>,
    mail: SmtpServer,
    folder: TempDir,
    database: Database,
}

impl TestBed {
    /// With a migrated, empty database, and a clock that stands on a Monday morning in term.
    pub async fn new(column: Column) -> Self {
        confidential::keep_log();
        Self {
            column,
            redis: (column == Column::PostgresRedis).then(RedisCorner::new),
            clock: Arc::new(ManualClock::at(monday_morning())),
            mail: SmtpServer::start().await,
            folder: tempfile::tempdir().unwrap(),
            database: Database::migrated(column).await,
        }
    }

    /// In which of the two ways the test runs.
    pub fn column(&self) -> Column {
        self.column
    }

    /// The clock of everything that runs inside the test. Processes of their own keep the machine's time.
    pub fn clock(&self) -> &Arc<ManualClock> {
        &self.clock
    }

    /// The database.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The corner of Redis; none where the queue is in memory.
    pub fn redis(&self) -> Option<&RedisCorner> {
        self.redis.as_ref()
    }

    /// The mail relay, with everything it was handed.
    pub fn mail(&self) -> &SmtpServer {
        &self.mail
    }

    /// Starts the whole system in the test, with no data.
    pub async fn system(&self) -> System {
        System::start(self, &[]).await
    }

    /// As [`TestBed::system`], with further settings such as `("MYCAREER_MAIL_RATE", "50/1s")`.
    pub async fn system_with(&self, settings: &[(&str, &str)]) -> System {
        System::start(self, settings).await
    }

    /// As [`TestBed::system`], with the demo university in the database.
    pub async fn system_with_demo_data(&self) -> System {
        let system = self.system().await;
        system.load_demo_data().await;
        // Ids sort by the millisecond: what a test makes is newer than the demo data.
        self.clock.advance(TimeDelta::seconds(1));
        system
    }

    /// The settings of the programs that make them work on this bed, on ports of their own.
    pub fn environment(&self) -> Vec<(String, String)> {
        let mut environment = vec![
            ("DATABASE_URL", self.database.url().to_owned()),
            ("SMTP_URL", self.mail.url()),
            (
                "MYCAREER_DATA_DIR",
                self.folder.path().display().to_string(),
            ),
            ("MYCAREER_LISTEN", ANY_PORT.to_owned()),
            ("MYCAREER_WORKER_LISTEN", ANY_PORT.to_owned()),
        ];
        if let Some(redis) = &self.redis {
            environment.push(("REDIS_URL", redis.url().to_owned()));
            environment.push(("MYCAREER_REDIS_PREFIX", redis.prefix().to_owned()));
        }
        environment
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    /// Starts a `mycareer` process on this bed, with further settings; it may not be ready yet. Without Redis it has the
    /// worker in it.
    pub fn start_api(&self, settings: &[(&str, &str)]) -> Process {
        self.start("mycareer", settings)
    }

    /// Starts a `mycareer-worker` process on this bed, with further settings; it may not be ready yet.
    pub fn start_worker(&self, settings: &[(&str, &str)]) -> Process {
        self.start("mycareer-worker", settings)
    }

    /// Starts a command of `mycareer` on this bed.
    #[must_use]
    pub fn start_command(&self, arguments: &[&str]) -> Process {
        Process::start("mycareer", self.environment(), arguments)
    }

    fn start(&self, program: &str, settings: &[(&str, &str)]) -> Process {
        let further = settings
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned()));
        Process::start(program, self.environment().into_iter().chain(further), &[])
    }

    /// The store that domain functions work on, for tests of a rule below HTTP. Nobody is woken by it.
    pub async fn store(&self) -> Store {
        let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as Arc<dyn Clock>;
        Store::connect(self.database.url(), 20, clock, Arc::new(NoSignals))
            .await
            .unwrap()
    }
}

fn monday_morning() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 10, 5, 8, 0, 0).unwrap()
}
