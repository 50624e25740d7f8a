//! The database, and the one way to change it.
//!
//! A change happens in a [`Tx`]. The jobs it causes, the lines it adds to the audit log and the rows it changes commit
//! together or not at all; only then are other processes told.

use std::{
    collections::{BTreeSet, HashSet},
    fmt::Display,
    sync::Arc,
};

use chrono::{DateTime, Utc};
use entity::{
    audit_entry,
    ids::{AuditEntryId, JobId, UserId},
    user,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectOptions, ConnectionTrait, Database, DatabaseConnection,
    DatabaseTransaction, DbBackend, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait, sea_query::LockType,
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

/// How many lines of the audit log one statement writes.
const LINES_AT_ONCE: usize = 500;

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
            lines: Vec::new(),
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
    /// Its lines of the audit log, which are written when it commits.
    lines: Vec<audit_entry::Model>,
    _writer: Option<OwnedSemaphorePermit>,
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

    /// Has each statement of this change planned for what the tables hold by then. A change that writes so much that plans made
    /// at its beginning are wrong at its end asks for it: `PostgreSQL` keeps the plan of a statement that comes again.
    pub async fn plan_each_anew(&self) -> Result<()> {
        if self.backend() == DbBackend::Postgres {
            self.transaction
                .execute_unprepared("SET LOCAL plan_cache_mode = force_custom_plan")
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

    /// Adds a line to the audit log: `viewer` did `action` to `subject` (policy 3). It is written when the change commits.
    #[expect(
        clippy::unused_async,
        reason = "a line is written like everything else of a change; when is the store's matter"
    )]
    pub async fn audit(
        &mut self,
        viewer: &Viewer,
        action: &'static str,
        subject: impl Display,
        before: Option<Value>,
        after: Option<Value>,
    ) -> Result<()> {
        let id = AuditEntryId::new_at(self.now);
        if activity::has(action) {
            self.announce(LiveEvent::ActivityAdded { line_id: id });
        }
        self.lines.push(audit_entry::Model {
            id,
            at: self.now,
            actor_id: viewer.user_id(),
            action: action.to_owned(),
            subject: subject.to_string(),
            before,
            after,
            request_id: request::current_id(),
            number: None,
        });
        Ok(())
    }

    /// Writes the lines of the audit log that there are so far. They are numbered by counting, and whoever counts has the
    /// count to itself until it commits: so this is the last that a change does, and nobody waits for longer than a commit
    /// takes. A change that is given up takes its numbers back.
    pub(crate) async fn write_lines(&mut self) -> Result<()> {
        let lines = std::mem::take(&mut self.lines);
        if lines.is_empty() {
            return Ok(());
        }
        if self.backend() == DbBackend::Postgres {
            self.hold_actors(&lines).await?;
        }
        let count = i64::try_from(lines.len()).unwrap_or(i64::MAX);
        let statement = Statement::from_sql_and_values(
            self.backend(),
            "UPDATE audit_number SET last = last + $1 RETURNING last",
            [count.into()],
        );
        let counted = self
            .transaction
            .query_one_raw(statement)
            .await?
            .ok_or_else(|| Error::Fault("the audit log has lost its count".to_owned()))?;
        let first = counted.try_get_by_index::<i64>(0)? - count + 1;
        let numbered: Vec<_> = (first..)
            .zip(lines)
            .map(|(number, line)| {
                let line = audit_entry::Model {
                    number: Some(number),
                    ..line
                };
                line.into_active_model().reset_all()
            })
            .collect();
        for some in numbered.chunks(LINES_AT_ONCE) {
            audit_entry::Entity::insert_many(some.to_vec())
                .exec_without_returning(&self.transaction)
                .await?;
        }
        Ok(())
    }

    /// Takes the locks on accounts that writing these lines needs, before the count is taken: whoever counts waits for
    /// nothing that somebody who waits for the count may hold.
    async fn hold_actors(&self, lines: &[audit_entry::Model]) -> Result<()> {
        let actors: BTreeSet<_> = lines.iter().filter_map(|line| line.actor_id).collect();
        if !actors.is_empty() {
            user::Entity::find()
                .select_only()
                .column(user::Column::Id)
                .filter(user::Column::Id.is_in(actors))
                .lock(LockType::KeyShare)
                .into_tuple::<UserId>()
                .all(&self.transaction)
                .await?;
        }
        Ok(())
    }

    /// Makes the change, then tells others.
    pub async fn commit(mut self) -> Result<()> {
        self.write_lines().await?;
        self.transaction.commit().await?;
        if !self.wakes.is_empty() || !self.events.is_empty() {
            self.signals.committed(self.wakes, self.events);
        }
        Ok(())
    }
}
