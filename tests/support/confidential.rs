//! No personal data in logs: what the whole run of the tests logs is kept, and beside it every personal value that its
//! databases ever held. At the end `tests/run` looks for the one in the other.
//!
//! Both are written to the folder that [`FOLDER_VARIABLE`] names, and nowhere when it is unset.

use std::{
    collections::BTreeSet,
    env,
    fs::{File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    process,
    sync::{Mutex, OnceLock},
};

use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use tracing_subscriber::EnvFilter;
use uuid::Uuid;

/// The name of the variable with the folder that logs and personal values are kept in.
const FOLDER_VARIABLE: &str = "MYCAREER_TEST_LOG_FOLDER";

/// Everything that we log, however little it matters, and what others log in production.
pub const FILTER: &str = "info,api=trace,domain=trace,worker=trace,mycareer=trace,mycareer_worker=trace,sqlx=warn,sea_orm=warn";

/// Columns that hold values which belong to one person, and which a log could name.
const COLUMNS: &[(&str, &str)] = &[
    ("user_account", "name"),
    ("user_account", "email"),
    ("contact", "name"),
    ("contact", "email"),
    ("contact", "telephone"),
    ("delivery", "address"),
    ("delivery", "recipient_name"),
];

/// Shorter values stand in logs by chance: a name like `Ali` is part of other words.
const SHORTEST: usize = 8;

/// The folder, when the run keeps its logs.
pub fn folder() -> Option<&'static Path> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOLDER
        .get_or_init(|| env::var_os(FOLDER_VARIABLE).map(PathBuf::from))
        .as_deref()
}

/// Keeps what this process logs from now on. May be called often.
pub fn keep_log() {
    static STARTED: OnceLock<()> = OnceLock::new();
    STARTED.get_or_init(|| {
        let Some(folder) = folder() else { return };
        let file = File::create(folder.join(format!("tests-{}.log", process::id()))).unwrap();
        tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(FILTER))
            .with_ansi(false)
            .with_writer(Mutex::new(file))
            .init();
    });
}

/// Keeps what another process has logged.
pub fn keep_log_of(name: &str, log: &Path) {
    if let Some(folder) = folder() {
        let kept = folder.join(format!("{name}-{}.log", Uuid::new_v4().simple()));
        std::fs::copy(log, kept).unwrap();
    }
}

/// Keeps the personal values that a database holds, before it goes.
pub async fn keep_values_of(database: &DatabaseConnection) {
    let Some(folder) = folder() else { return };
    let mut values = BTreeSet::new();
    for (table, column) in COLUMNS {
        let query = format!("SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL");
        let statement = Statement::from_string(database.get_database_backend(), query);
        // A test of the migrations may have left the table out.
        for row in database.query_all_raw(statement).await.unwrap_or_default() {
            let value: String = row.try_get_by_index(0).unwrap();
            if value.chars().count() >= SHORTEST {
                values.insert(value);
            }
        }
    }
    let text: String = values.iter().map(|value| format!("{value}\n")).collect();
    // One write of one process at a time goes to the end of the file as a whole.
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join("personal-values"))
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
}
