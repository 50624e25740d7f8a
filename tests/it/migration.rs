//! Every change of the schema goes up, down and up again, and both databases get the same schema.

use std::collections::BTreeSet;

use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use support::{Column, Database, on_both_columns};

on_both_columns! {
    async fn the_whole_schema_goes_up_down_and_up(bed: TestBed) {
        let database = Database::empty(bed.column()).await;
        let connection = database.connect().await;
        assert_eq!(schema(&connection).await, BTreeSet::new());

        Migrator::up(&connection, None).await.unwrap();
        let first = schema(&connection).await;
        assert!(!first.is_empty());

        Migrator::down(&connection, None).await.unwrap();
        assert_eq!(schema(&connection).await, BTreeSet::new());

        Migrator::up(&connection, None).await.unwrap();
        assert_eq!(schema(&connection).await, first);
    }

    async fn each_change_goes_down_to_the_one_before_it(bed: TestBed) {
        let database = Database::empty(bed.column()).await;
        let connection = database.connect().await;
        for change in Migrator::migrations() {
            let before = schema(&connection).await;
            Migrator::up(&connection, Some(1)).await.unwrap();
            let after = schema(&connection).await;
            assert_ne!(before, after, "{} changes nothing", change.name());

            Migrator::down(&connection, Some(1)).await.unwrap();
            assert_eq!(schema(&connection).await, before, "{} down", change.name());
            Migrator::up(&connection, Some(1)).await.unwrap();
            assert_eq!(schema(&connection).await, after, "{} up again", change.name());
        }
    }

    async fn migrating_twice_changes_nothing(bed: TestBed) {
        let connection = bed.database().connect().await;
        let before = schema(&connection).await;
        Migrator::up(&connection, None).await.unwrap();
        assert_eq!(schema(&connection).await, before);
    }
}

/// Names only: the two databases have no type in common, and each is tested for its own above.
#[tokio::test]
async fn both_databases_have_the_same_tables_columns_and_indexes() {
    let sqlite = Database::migrated(Column::SqliteMemory).await;
    let postgres = Database::migrated(Column::PostgresRedis).await;
    let (sqlite, postgres) = (sqlite.connect().await, postgres.connect().await);

    assert_eq!(
        rows(&sqlite, SQLITE_COLUMNS).await,
        rows(&postgres, POSTGRES_COLUMNS).await
    );
    assert_eq!(
        rows(&sqlite, SQLITE_INDEXES).await,
        rows(&postgres, POSTGRES_INDEXES).await
    );
}

/// Everything that a change can leave behind, as the database itself describes it. The migrator's own table is not part
/// of the schema.
async fn schema(connection: &DatabaseConnection) -> BTreeSet<String> {
    let queries: &[&str] = match connection.get_database_backend() {
        DbBackend::Sqlite => &[SQLITE_SCHEMA],
        _ => &[POSTGRES_TYPES, POSTGRES_CONSTRAINTS, POSTGRES_DEFINITIONS],
    };
    let mut all = BTreeSet::new();
    for query in queries {
        all.append(&mut rows(connection, query).await);
    }
    all
}

/// The rows of a query that has one text column.
async fn rows(connection: &DatabaseConnection, query: &str) -> BTreeSet<String> {
    let statement = Statement::from_string(connection.get_database_backend(), query);
    connection
        .query_all_raw(statement)
        .await
        .unwrap()
        .iter()
        .map(|row| row.try_get_by_index(0).unwrap())
        .collect()
}

const SQLITE_SCHEMA: &str = "
    SELECT type || ' ' || name || ': ' || sql FROM sqlite_master
    WHERE name NOT LIKE 'sqlite%' AND tbl_name <> 'seaql_migrations'";

const SQLITE_COLUMNS: &str = "
    SELECT t.name || '.' || c.name || CASE WHEN c.\"notnull\" OR c.pk THEN ' NOT NULL' ELSE '' END
    FROM sqlite_master t, pragma_table_info(t.name) c
    WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name <> 'seaql_migrations'";

const SQLITE_INDEXES: &str = "
    SELECT tbl_name || ': ' || name FROM sqlite_master WHERE type = 'index' AND name NOT LIKE 'sqlite%'";

const POSTGRES_TYPES: &str = "
    SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable, column_default)
    FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'seaql_migrations'";

const POSTGRES_CONSTRAINTS: &str = "
    SELECT conrelid::regclass || ' ' || conname || ': ' || pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'seaql_migrations'";

const POSTGRES_DEFINITIONS: &str = "
    SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'seaql_migrations'";

const POSTGRES_COLUMNS: &str = "
    SELECT table_name || '.' || column_name || CASE is_nullable WHEN 'NO' THEN ' NOT NULL' ELSE '' END
    FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'seaql_migrations'";

/// Without those that a primary key or a UNIQUE column brings along: `SQLite` names them itself.
const POSTGRES_INDEXES: &str = "
    SELECT i.tablename || ': ' || i.indexname FROM pg_indexes i
    WHERE i.schemaname = 'public' AND i.tablename <> 'seaql_migrations'
    AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conname = i.indexname)";
