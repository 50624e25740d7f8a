//! Every table says what it holds of people.

use std::collections::BTreeSet;

use entity::personal_data::{ALL, Erasure, Holds};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use support::on_both_columns;

on_both_columns! {
    async fn every_table_and_every_column_says_what_it_holds_of_people(bed: TestBed) {
        let connection = bed.database().connect().await;
        let declared: BTreeSet<String> = ALL
            .iter()
            .flat_map(|holding| {
                holding.columns().map(|(column, _)| format!("{}.{column}", holding.table))
            })
            .collect();
        let found = columns(&connection).await;
        let undeclared: Vec<_> = found.difference(&declared).collect();
        assert!(undeclared.is_empty(), "not declared with `personal_data!`: {undeclared:?}");
        let gone: Vec<_> = declared.difference(&found).collect();
        assert!(gone.is_empty(), "declared, and not in the database: {gone:?}");
    }
}

#[test]
fn no_table_and_no_column_is_declared_twice() {
    let columns: Vec<_> = ALL
        .iter()
        .flat_map(|holding| holding.columns().map(|(column, _)| (holding.table, column)))
        .collect();
    let once: BTreeSet<_> = columns.iter().collect();
    assert_eq!(once.len(), columns.len());
}

/// Rows of nobody in particular can't be found to be deleted.
#[test]
fn rows_that_go_with_a_person_say_whose_they_are() {
    for holding in ALL
        .iter()
        .filter(|holding| holding.erasure == Erasure::Delete)
    {
        assert!(
            holding
                .columns()
                .any(|(_, holds)| matches!(holds, Holds::Subject(_))),
            "{} has no column that says whose its rows are",
            holding.table
        );
    }
}

/// Without what the databases make of the others by themselves, to be searched.
async fn columns(connection: &DatabaseConnection) -> BTreeSet<String> {
    let query = match connection.get_database_backend() {
        DbBackend::Sqlite => {
            "SELECT t.name || '.' || c.name FROM sqlite_master t, pragma_table_info(t.name) c
             WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name <> 'seaql_migrations'
             AND t.name NOT GLOB 'search_*'"
        }
        _ => {
            "SELECT table_name || '.' || column_name FROM information_schema.columns
             WHERE table_schema = 'public' AND table_name <> 'seaql_migrations'
             AND is_generated = 'NEVER'"
        }
    };
    connection
        .query_all_raw(Statement::from_string(
            connection.get_database_backend(),
            query,
        ))
        .await
        .unwrap()
        .iter()
        .map(|row| row.try_get_by_index(0).unwrap())
        .collect()
}
