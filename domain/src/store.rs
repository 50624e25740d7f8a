//! The database, and the one way to change it.
//!
//! A change happens in a [`Tx`]. The jobs it causes, the lines it adds to the audit log and the rows it changes commit
//! together or not at all; only then are other processes told.

use std::{collections::HashSet, fmt::Display, sync::Arc};

use chrono::{DateTime, Utc};
use entity::{
    audit_entry,
    ids::{AuditEntryId, JobId},
};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend,
    EntityTrait, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    activity,
    clock::Clock,
    error::{Error, Result},
    job::{self, Job},
    live::{LiveEvent, Signals, Wake},
    request,
    viewer::Viewer,
};

/// The database, the clock, and the way to tell others: what every domain function ultimately works on. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    connection: DatabaseConnection,
    clock: Arc<dyn Clock>,
    signals: Arc<dyn Signals>,
    /// `SQLite` has one writer at a time. Waiting here is fair and free; waiting in `SQLite` is a poll with growing sleeps.
    writer: Option<Arc<Semaphore>>,
}

impl Store {
    /// Connects to `url`: `sqlite://path?mode=rwc` or `postgres://…`.
    pub async fn connect(
        url: &str,
        max_connections: u32,
        clock: Arc<dyn Clock>,
        signals: Arc<dyn Signals>,
    ) -> Result<Self> {
        let mut options = ConnectOptions::new(url.to_owned());
        options
            .max_connections(max_connections)
            .sqlx_logging_level(log::LevelFilter::Trace)
            .map_sqlx_sqlite_opts(|sqlite| {
                sqlite
                    .pragma("journal_mode", "WAL")
                    .pragma("synchronous", "NORMAL")
                    .pragma("foreign_keys", "ON")
                    .pragma("busy_timeout", "10000")
                    .pragma("temp_store", "MEMORY")
            });
        let connection = Database::connect(options).await?;
        Ok(Self::over(connection, clock, signals))
    }

    /// Works on a connection that is already there.
    #[must_use]
    pub fn over(
        connection: DatabaseConnection,
        clock: Arc<dyn Clock>,
        signals: Arc<dyn Signals>,
    ) -> Self {
        let writer = (connection.get_database_backend() == DbBackend::Sqlite)
            .then(|| Arc::new(Semaphore::new(1)));
        Self {
            connection,
            clock,
            signals,
            writer,
        }
    }

    /// For reading outside a transaction.
    #[must_use]
    pub fn reader(&self) -> &DatabaseConnection {
        &self.connection
    }

    /// Which database it is.
    #[must_use]
    pub fn backend(&self) -> DbBackend {
        self.connection.get_database_backend()
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// How others are told.
    #[must_use]
    pub fn signals(&self) -> &Arc<dyn Signals> {
        &self.signals
    }

    /// Begins a change. On `SQLite` it has the write lock from the start; on `PostgreSQL` rows are locked as they are
    /// needed, under READ COMMITTED.
    pub async fn begin(&self) -> Result<Tx> {
        let writer = match &self.writer {
            Some(writer) => Some(
                Arc::clone(writer)
                    .acquire_owned()
                    .await
                    .map_err(|_| Error::Fault("the store is closed".to_owned()))?,
            ),
            None => None,
        };
        let transaction = self
            .connection
            .begin_with_options(TransactionOptions {
                sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                ..TransactionOptions::default()
            })
            .await?;
        Ok(Tx {
            transaction,
            now: self.clock.now(),
            signals: Arc::clone(&self.signals),
            wakes: Vec::new(),
            events: Vec::new(),
            announced: HashSet::new(),
            numbers: Numbers::default(),
            _writer: writer,
        })
    }
}

/// A change in the making. Dropped without [`Tx::commit`], it never happened.
#[derive(Debug)]
pub struct Tx {
    transaction: DatabaseTransaction,
    now: DateTime<Utc>,
    signals: Arc<dyn Signals>,
    wakes: Vec<Wake>,
    events: Vec<LiveEvent>,
    /// What is among `events` already: a change may touch thousands of rows.
    announced: HashSet<LiveEvent>,
    numbers: Numbers,
    _writer: Option<OwnedSemaphorePermit>,
}

/// The numbers that a change has used up of the audit log. Given up, it leaves a gap there, and says so where the keepers
/// of the database can't: in the log of the process.
#[derive(Debug, Default)]
struct Numbers(Vec<i64>);

impl Drop for Numbers {
    fn drop(&mut self) {
        if !self.0.is_empty() {
            tracing::info!(
                audit.numbers = ?self.0,
                "a change was given up: these numbers of the audit log have no line"
            );
        }
    }
}

impl Tx {
    /// Where its statements go.
    #[must_use]
    pub fn conn(&self) -> &DatabaseTransaction {
        &self.transaction
    }

    /// The moment of the change: one for all of it.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// Which database it is.
    #[must_use]
    pub fn backend(&self) -> DbBackend {
        self.transaction.get_database_backend()
    }

    /// Waits until no other change holds `name`, and holds it until this one is over. For rules that are about rows that
    /// may not exist yet; where there is a row, lock the row.
    pub async fn hold(&self, name: &str) -> Result<()> {
        // On SQLite a change has the whole database to itself.
        if self.backend() == DbBackend::Postgres {
            self.transaction
                .execute_raw(Statement::from_sql_and_values(
                    DbBackend::Postgres,
                    "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))",
                    [name.into()],
                ))
                .await?;
        }
        Ok(())
    }

    /// Has `job` done once this change has committed: at `run_at`, or at once. `None` when a live job has its unique key.
    pub async fn enqueue<J: Job>(
        &mut self,
        job: &J,
        run_at: Option<DateTime<Utc>>,
    ) -> Result<Option<JobId>> {
        let run_at = run_at.unwrap_or(self.now).max(self.now);
        let id = job::enqueue(
            &self.transaction,
            job,
            run_at,
            self.now,
            request::current_id(),
        )
        .await?;
        if let Some(job_id) = id {
            if run_at <= self.now {
                self.wakes.push(Wake {
                    queue: J::QUEUE,
                    job_id,
                });
            }
            self.announce(LiveEvent::JobChanged { job_id });
        }
        Ok(id)
    }

    /// Has all of these jobs done once this change has committed, with one statement. Those whose unique key a live job
    /// has are left out.
    pub async fn enqueue_all<J: Job>(&mut self, jobs: &[J]) -> Result<()> {
        let ids =
            job::enqueue_all(&self.transaction, jobs, self.now, request::current_id()).await?;
        // One wake-up is enough to have the queue looked at.
        if let Some(job_id) = ids.first().copied() {
            self.wakes.push(Wake {
                queue: J::QUEUE,
                job_id,
            });
        }
        Ok(())
    }

    /// Wakes the workers of `wake`'s queue once this change has committed.
    pub fn wake(&mut self, wake: Wake) {
        self.wakes.push(wake);
    }

    /// Tells whoever watches, once this change has committed.
    pub fn announce(&mut self, event: LiveEvent) {
        if self.announced.insert(event) {
            self.events.push(event);
        }
    }

    /// Adds a line to the audit log: `viewer` did `action` to `subject` (policy 3).
    pub async fn audit(
        &mut self,
        viewer: &Viewer,
        action: &'static str,
        subject: impl Display,
        before: Option<Value>,
        after: Option<Value>,
    ) -> Result<()> {
        let number = match self.backend() {
            DbBackend::Sqlite => Set(Some(self.next_number().await?)),
            _ => NotSet,
        };
        let id = AuditEntryId::new_at(self.now);
        if activity::has(action) {
            self.announce(LiveEvent::ActivityAdded { line_id: id });
        }
        let line = audit_entry::Entity::insert(audit_entry::ActiveModel {
            id: Set(id),
            at: Set(self.now),
            actor_id: Set(viewer.user_id()),
            action: Set(action.to_owned()),
            subject: Set(subject.to_string()),
            before: Set(before),
            after: Set(after),
            request_id: Set(request::current_id()),
            number,
        });
        if self.backend() == DbBackend::Sqlite {
            // A number that was given up is given again.
            line.exec_without_returning(&self.transaction).await?;
        } else {
            let line = line.exec_with_returning(&self.transaction).await?;
            self.numbers.0.extend(line.number);
        }
        Ok(())
    }

    /// The next number of the audit log, where the database has no sequence that gives it.
    async fn next_number(&self) -> Result<i64> {
        let count = "UPDATE audit_number SET last = last + 1 RETURNING last";
        let counted = self
            .transaction
            .query_one_raw(Statement::from_string(self.backend(), count))
            .await?
            .ok_or_else(|| Error::Fault("the audit log has lost its count".to_owned()))?;
        Ok(counted.try_get_by_index(0)?)
    }

    /// Makes the change, then tells others.
    pub async fn commit(mut self) -> Result<()> {
        self.transaction.commit().await?;
        self.numbers.0.clear();
        if !self.wakes.is_empty() || !self.events.is_empty() {
            self.signals.committed(self.wakes, self.events);
        }
        Ok(())
    }
}
