//! The two ways to run the system, and the macro that runs a test in both.

use std::fmt;

/// A way to run the system: which database and which queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// The embedded default: a `SQLite` file, the queue in memory, one process.
    SqliteMemory,
    /// The campus set-up: PostgreSQL, the queue in Redis, as many processes as wanted.
    PostgresRedis,
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SqliteMemory => "SQLite with the queue in memory",
            Self::PostgresRedis => "PostgreSQL with the queue in Redis",
        })
    }
}

/// Makes two tests of each function: `name::sqlite_memory` and `name::postgres_redis`.
///
/// ```text
/// on_both_columns! {
///     async fn the_last_place_goes_to_one_person(bed: TestBed) {
///         // …
///     }
/// }
/// ```
///
/// Where the servers of the second are missing it fails; `tests/run` starts them.
#[macro_export]
macro_rules! on_both_columns {
    ($($(#[$attribute:meta])* async fn $name:ident($($bed:ident)+: TestBed) $body:block)+) => {$(
        $(#[$attribute])*
        async fn $name($($bed)+: $crate::TestBed) $body

        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite_memory() {
                super::$name($crate::TestBed::new($crate::Column::SqliteMemory).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres_redis() {
                super::$name($crate::TestBed::new($crate::Column::PostgresRedis).await).await;
            }
        }
    )+};
}
