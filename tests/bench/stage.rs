//! A database, a corner of Redis, and the programs on them.

use std::sync::Arc;

use domain::{Store, Viewer, clock::SystemClock, live::NoSignals};
use entity::user;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use support::{Client, Column, Database, Process, RedisCorner};
use tempfile::TempDir;

pub struct Stage {
    pub column: Column,
    pub store: Store,
    pub database: Database,
    redis: Option<RedisCorner>,
    folder: TempDir,
}

impl Stage {
    /// With the demo university in it.
    pub async fn new(column: Column) -> Self {
        let database = Database::migrated(column).await;
        let store = Store::connect(
            database.url(),
            20,
            Arc::new(SystemClock),
            Arc::new(NoSignals),
        )
        .await
        .unwrap();
        api::demo::load(&store).await.unwrap();
        Self {
            column,
            store,
            database,
            redis: (column == Column::PostgresRedis).then(RedisCorner::new),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// As tables name it.
    pub fn name(&self) -> &'static str {
        match self.column {
            Column::SqliteMemory => "SQLite",
            Column::PostgresRedis => "PostgreSQL",
        }
    }

    /// Somebody of the demo university.
    pub async fn viewer(&self, mailbox: &str) -> Viewer {
        let account = user::Entity::find()
            .filter(user::Column::Email.eq(format!("{mailbox}@{}", api::demo::DOMAIN)))
            .one(self.store.reader())
            .await
            .unwrap()
            .unwrap();
        Viewer::load(self.store.reader(), account.id, None, self.store.now())
            .await
            .unwrap()
            .unwrap()
    }

    /// What the programs need to be told.
    pub fn environment<'a>(&'a self, further: &'a [(&'a str, &'a str)]) -> Vec<(&'a str, String)> {
        let mut environment = vec![
            ("DATABASE_URL", self.database.url().to_owned()),
            (
                "MYCAREER_DATA_DIR",
                self.folder.path().display().to_string(),
            ),
            ("MYCAREER_LISTEN", "127.0.0.1:0".to_owned()),
            ("MYCAREER_WORKER_LISTEN", "127.0.0.1:0".to_owned()),
        ];
        if let Some(redis) = &self.redis {
            environment.push(("REDIS_URL", redis.url().to_owned()));
            environment.push(("MYCAREER_REDIS_PREFIX", redis.prefix().to_owned()));
        }
        environment.extend(
            further
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned())),
        );
        environment
    }

    /// Starts a program, ready to be asked.
    pub async fn start(&self, program: &str, further: &[(&str, &str)]) -> (Process, String) {
        let mut process = Process::start(program, self.environment(further), &[]);
        let address = process.ready().await;
        (process, address)
    }

    /// The API, and its operator signed in.
    pub async fn operator(&self) -> (Process, Client) {
        let (api, address) = self.start("mycareer", &[]).await;
        let email = format!("operator@{}", api::demo::DOMAIN);
        let client = Client::new(address)
            .sign_in(&email, api::demo::PASSWORD)
            .await;
        (api, client)
    }

    /// Carries out statements of the database itself.
    pub async fn sql(&self, statements: &str) {
        use sea_orm::ConnectionTrait;
        self.store
            .reader()
            .execute_unprepared(statements)
            .await
            .unwrap();
    }

    /// Brings indexes and the planner's knowledge up to date, as both databases do by themselves after a while.
    pub async fn settle(&self) {
        self.sql(match self.column {
            Column::SqliteMemory => "ANALYZE",
            Column::PostgresRedis => "VACUUM ANALYZE",
        })
        .await;
    }
}
