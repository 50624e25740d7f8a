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

use entity::personal_data::{ALL, Holding, Holds, Key};
use sea_orm::{ColumnType, ConnectionTrait, DatabaseConnection, DbErr, Statement};
use serde_json::Value;
use tracing_subscriber::EnvFilter;
use uuid::Uuid;

/// The name of the variable with the folder that logs and personal values are kept in.
const FOLDER_VARIABLE: &str = "MYCAREER_TEST_LOG_FOLDER";

/// Everything that we log, however little it matters, and what others log in production.
pub const FILTER: &str = "info,api=trace,domain=trace,worker=trace,mycareer=trace,mycareer_worker=trace,sqlx=warn,sea_orm=warn";

/// Shorter values stand in logs by chance: a name like `Ali` is part of other words.
const SHORTEST: usize = 8;

/// The column with what a log may say as well: why a job failed. Whom that names, other columns hold too.
const LOGGED_TOO: (&str, &str) = ("job", "last_error");
/// In the fields of the letter about the audit log: the hash that stands for all of it, and what is wrong with it, which a log
/// must say.
const OF_AUDIT_LOG: [&str; 2] = ["head", "faults"];
/// In the report of an import: sentences that name records which look like others.
const OF_IMPORT: &str = "likely_duplicates";

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
pub fn keep_log_of(name: &str, logged: &[u8]) {
    if let Some(folder) = folder() {
        let kept = folder.join(format!("{name}-{}.log", Uuid::new_v4().simple()));
        std::fs::write(kept, logged).unwrap();
    }
}

/// Keeps the personal values that a database holds, before it goes or forgets them: whatever is declared to be somebody's,
/// in every table. Beside them it keeps the names of the columns that they come from, and of all that were looked into.
pub async fn keep_values_of(database: &DatabaseConnection) {
    let Some(folder) = folder() else { return };
    let mut values = BTreeSet::new();
    let (mut columns, mut declared) = (BTreeSet::new(), BTreeSet::new());
    for holding in ALL {
        for (column, holds) in holding.columns() {
            if holds.may_be_shown() || !is_read(holding, column) {
                continue;
            }
            let mut found = BTreeSet::new();
            collect(database, holding, column, holds, &mut found).await;
            let name = format!("{}.{column}", holding.table);
            if !found.is_empty() {
                columns.insert(name.clone());
                values.append(&mut found);
            }
            declared.insert(name);
        }
    }
    append(&folder.join("personal-values"), &values);
    append(&folder.join("personal-columns"), &columns);
    append(&folder.join("declared-columns"), &declared);
}

/// In one write: of several processes, each goes to the end of the file as a whole.
fn append(path: &Path, lines: &BTreeSet<String>) {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// Whether a column holds text. Bytes are photographs and hashes, which no log can show as they are; moments name nobody.
fn is_read(holding: &Holding, column: &str) -> bool {
    let types = (holding.types)();
    let (_, kind) = types.iter().find(|(name, _)| *name == column).unwrap();
    let is_text = matches!(
        kind,
        ColumnType::Json | ColumnType::JsonBinary | ColumnType::String(_) | ColumnType::Text
    );
    is_text && (holding.table, column) != LOGGED_TOO
}

/// Adds what a column holds.
async fn collect(
    database: &DatabaseConnection,
    holding: &Holding,
    column: &str,
    holds: Holds,
    values: &mut BTreeSet<String>,
) {
    let query = format!(
        "SELECT DISTINCT CAST(\"{column}\" AS TEXT) FROM \"{}\" WHERE \"{column}\" IS NOT NULL",
        holding.table
    );
    let statement = Statement::from_string(database.get_database_backend(), query);
    let rows = match database.query_all_raw(statement).await {
        Ok(rows) => rows,
        Err(error) if is_missing(&error) => return,
        Err(error) => panic!("{}.{column}: {error}", holding.table),
    };
    for row in rows {
        let value: String = row.try_get_by_index(0).unwrap();
        match serde_json::from_str(&value) {
            // A list of texts names no column: each of them is what the column holds.
            Ok(Value::Array(items)) if holds == Holds::Words => {
                let texts = items.iter().filter_map(|item| match item {
                    Value::Object(fields) => fields.get("value")?.as_str(),
                    item => item.as_str(),
                });
                texts
                    .filter(|text| !is_one_word(text))
                    .for_each(|text| keep(text, values));
            }
            // An audit entry or a journal tells of states and ids too: there, a value is known by the name of its column.
            Ok(json @ (Value::Object(_) | Value::Array(_))) => {
                keep_leaves(&json, matches!(holds, Holds::Value(_)), values);
            }
            // Of free text, one plain word names nobody: `declined` is why an offer ended, and what a log says of a sign-in.
            _ if holds == Holds::Words && is_one_word(&value) => {}
            _ => keep(&value, values),
        }
    }
}

fn is_one_word(text: &str) -> bool {
    text.chars().all(char::is_alphabetic)
}

/// Whether the table or the column isn't there, as after a test of the migrations.
fn is_missing(error: &DbErr) -> bool {
    let error = error.to_string();
    ["no such table", "no such column", "does not exist"]
        .iter()
        .any(|missing| error.contains(missing))
}

/// The texts in a document: all of them, or those under the name of a column that is declared to hold what is somebody's.
fn keep_leaves(json: &Value, all: bool, values: &mut BTreeSet<String>) {
    match json {
        Value::String(text) if all && !is_id(text) && !is_page(text) => keep(text, values),
        Value::Array(items) => items.iter().for_each(|item| keep_leaves(item, all, values)),
        Value::Object(fields) => {
            for (name, value) in fields
                .iter()
                .filter(|(name, _)| !OF_AUDIT_LOG.contains(&name.as_str()))
            {
                let all = all || name == OF_IMPORT || personal_names().contains(name.as_str());
                keep_leaves(value, all, values);
            }
        }
        _ => {}
    }
}

/// Whether it is an id as it is written outside, such as `evt_01m45h7az8fv2bymmmp7thn2mc`: a log has those.
fn is_id(text: &str) -> bool {
    text.split_once('_').is_some_and(|(prefix, rest)| {
        prefix.len() == 3 && rest.len() == 26 && rest.chars().all(|c| c.is_ascii_alphanumeric())
    })
}

/// Whether it is the path of a page that everybody has, such as `/sign-in`: letters lead there, and a log names it.
fn is_page(text: &str) -> bool {
    text.starts_with('/')
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c == '/' || c == '-')
}

fn personal_names() -> &'static BTreeSet<&'static str> {
    static NAMES: OnceLock<BTreeSet<&str>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let columns = ALL.iter().flat_map(|holding| holding.columns());
        columns
            .filter(|(_, holds)| matches!(holds, Holds::Value(_) | Holds::Subject(Key::Address)))
            .map(|(name, _)| name)
            .collect()
    })
}

/// Line by line, and as a log writes what it quotes.
fn keep(value: &str, values: &mut BTreeSet<String>) {
    for line in value.lines().map(str::trim) {
        if line.chars().count() >= SHORTEST {
            values.insert(line.to_owned());
            values.insert(line.escape_debug().to_string());
        }
    }
}
