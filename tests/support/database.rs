//! A fresh, migrated database for each test.

use std::{env, path::PathBuf, thread};

use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectOptions, ConnectionTrait, Database as Connector, DatabaseConnection};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use url::Url;
use uuid::Uuid;

use crate::{Column, confidential};

/// The name of the variable with the address of a PostgreSQL server on which databases may be made and dropped.
const POSTGRES_VARIABLE: &str = "MYCAREER_TEST_POSTGRES_URL";

/// A database of one test. It goes when this value goes.
#[derive(Debug)]
pub struct Database {
    url: String,
    home: Home,
}

#[derive(Debug)]
enum Home {
    Folder(TempDir),
    Server { server: Url, name: String },
}

impl Database {
    /// With the current schema and no rows, copied from one that was migrated once for the whole run.
    pub async fn migrated(column: Column) -> Self {
        match column {
            Column::SqliteMemory => {
                let folder = tempfile::tempdir().unwrap();
                let file = sqlite_file(&folder);
                tokio::fs::write(&file, sqlite_template().await)
                    .await
                    .unwrap();
                Self::in_folder(folder)
            }
            Column::PostgresRedis => Self::on_server(Some(postgres_template().await)).await,
        }
    }

    /// Without any table, for tests of the migrations themselves.
    pub async fn empty(column: Column) -> Self {
        match column {
            Column::SqliteMemory => Self::in_folder(tempfile::tempdir().unwrap()),
            Column::PostgresRedis => Self::on_server(None).await,
        }
    }

    /// As `DATABASE_URL` wants it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A connection of the test's own, past the system under test.
    pub async fn connect(&self) -> DatabaseConnection {
        connect(&self.url).await
    }

    fn in_folder(folder: TempDir) -> Self {
        Self {
            url: format!("sqlite://{}?mode=rwc", sqlite_file(&folder).display()),
            home: Home::Folder(folder),
        }
    }

    async fn on_server(template: Option<&str>) -> Self {
        let server = postgres_server();
        let name = create_postgres_database(&server, template).await;
        Self {
            url: with_database(&server, &name).to_string(),
            home: Home::Server { server, name },
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let url = self.url.clone();
        let on_server = match &self.home {
            Home::Folder(_) => None,
            Home::Server { server, name } => Some((server.clone(), name.clone())),
        };
        if on_server.is_none() && confidential::folder().is_none() {
            return;
        }
        // A thread with a runtime of its own: dropping can't wait on the test's.
        let dropping = thread::spawn(move || finish(&url, on_server));
        if dropping.join().is_err() {
            eprintln!("The database of this test could not be read and dropped.");
        }
    }
}

fn sqlite_file(folder: &TempDir) -> PathBuf {
    folder.path().join("mycareer.sqlite")
}

/// The bytes of a migrated file: copying them is much faster than migrating again.
async fn sqlite_template() -> &'static [u8] {
    static TEMPLATE: OnceCell<Vec<u8>> = OnceCell::const_new();
    TEMPLATE
        .get_or_init(|| async {
            let database = Database::empty(Column::SqliteMemory).await;
            let connection = database.connect().await;
            Migrator::up(&connection, None).await.unwrap();
            connection.close().await.unwrap();
            match &database.home {
                Home::Folder(folder) => tokio::fs::read(sqlite_file(folder)).await.unwrap(),
                Home::Server { .. } => unreachable!("SQLite lives in a folder"),
            }
        })
        .await
}

/// The name of a migrated database that PostgreSQL copies file by file. It goes with the server after the run.
async fn postgres_template() -> &'static str {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    TEMPLATE
        .get_or_init(|| async {
            let server = postgres_server();
            let name = create_postgres_database(&server, None).await;
            let connection = connect(with_database(&server, &name).as_str()).await;
            Migrator::up(&connection, None).await.unwrap();
            // PostgreSQL refuses to copy a database that someone is connected to.
            connection.close().await.unwrap();
            name
        })
        .await
}

fn postgres_server() -> Url {
    let url = env::var(POSTGRES_VARIABLE).unwrap_or_else(|_| {
        panic!("{POSTGRES_VARIABLE} is not set: run this test with `tests/run`, which starts PostgreSQL for it")
    });
    Url::parse(&url)
        .unwrap_or_else(|error| panic!("{POSTGRES_VARIABLE} is not an address: {error}"))
}

fn with_database(server: &Url, name: &str) -> Url {
    let mut url = server.clone();
    url.set_path(name);
    url
}

async fn create_postgres_database(server: &Url, template: Option<&str>) -> String {
    let name = format!("t_{}", Uuid::new_v4().simple());
    let template = template.unwrap_or("template0");
    let connection = connect(server.as_str()).await;
    connection
        .execute_unprepared(&format!("CREATE DATABASE {name} TEMPLATE {template}"))
        .await
        .unwrap();
    connection.close().await.unwrap();
    name
}

/// Keeps what must not stand in logs, and drops what doesn't go with its folder.
fn finish(url: &str, on_server: Option<(Url, String)>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        if confidential::folder().is_some() {
            let connection = connect(url).await;
            confidential::keep_values_of(&connection).await;
            connection.close().await.unwrap();
        }
        if let Some((server, name)) = on_server {
            let connection = connect(server.as_str()).await;
            connection
                .execute_unprepared(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
                .await
                .unwrap();
            connection.close().await.unwrap();
        }
    });
}

async fn connect(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(4).sqlx_logging(false);
    Connector::connect(options)
        .await
        .unwrap_or_else(|error| panic!("the database of the test does not answer: {error}"))
}
