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
            if bed.column() == Column::PostgresRedis || change.name() != FOR_POSTGRES_ALONE {
                assert_ne!(before, after, "{} changes nothing", change.name());
            }

            Migrator::down(&connection, Some(1)).await.unwrap();
            assert_eq!(schema(&connection).await, before, "{} down", change.name());
            Migrator::up(&connection, Some(1)).await.unwrap();
            assert_eq!(schema(&connection).await, after, "{} up again", change.name());
        }
    }

    async fn a_password_moves_to_its_credential_and_back(bed: TestBed) {
        const CHANGE: &str = "m20261124_000011_sign_in";
        let database = Database::empty(bed.column()).await;
        let connection = database.connect().await;
        let before = Migrator::migrations().iter().position(|change| change.name() == CHANGE).unwrap();
        Migrator::up(&connection, Some(before.try_into().unwrap())).await.unwrap();
        for (id, hash) in [("01", "'$argon2id$one'"), ("02", "NULL")] {
            let id = match connection.get_database_backend() {
                DbBackend::Sqlite => format!("x'{}{id}'", "00".repeat(15)),
                _ => format!("'{}{id}'", "00".repeat(15)),
            };
            connection
                .execute_unprepared(&format!(
                    "INSERT INTO user_account (id, email, password_hash, name, kind, is_super_user, is_administrator,
                         state, session_version, created_at, updated_at)
                     VALUES ({id}, 'person' || {hash_text} || '@example.test', {hash}, 'A person', 'STAFF', false, false,
                         'ACTIVE', 1, '2026-10-05 08:00:00+00:00', '2026-10-05 08:00:00+00:00')",
                    hash_text = if hash == "NULL" { "'2'" } else { "'1'" },
                ))
                .await
                .unwrap();
        }
        let passwords = async |query: &str| rows(&connection, query).await.into_iter().collect::<Vec<_>>();
        Migrator::up(&connection, Some(1)).await.unwrap();
        let moved = "SELECT u.email || ' ' || c.kind || ' ' || c.password_hash
            FROM credential c JOIN user_account u ON u.id = c.user_id";
        assert_eq!(passwords(moved).await, ["person1@example.test PASSWORD $argon2id$one"]);
        Migrator::down(&connection, Some(1)).await.unwrap();
        let back = "SELECT email || ' ' || coalesce(password_hash, 'none') FROM user_account";
        assert_eq!(passwords(back).await, ["person1@example.test $argon2id$one", "person2@example.test none"]);
    }

    async fn a_campaign_whose_audience_would_grow_on_the_way_down_is_a_draft_again(bed: TestBed) {
        const CHANGE: &str = "m20261201_000121_subscribers_of_campaigns";
        const NOW: &str = "'2026-10-05 08:00:00+00:00'";
        let database = Database::empty(bed.column()).await;
        let connection = database.connect().await;
        let before = Migrator::migrations().iter().position(|change| change.name() == CHANGE).unwrap();
        Migrator::up(&connection, Some((before + 1).try_into().unwrap())).await.unwrap();
        let sign = if connection.get_database_backend() == DbBackend::Sqlite { "x" } else { "" };
        let id = |number: usize| format!("{sign}'{number:032}'");
        let owner = id(1);
        let mut written = vec![format!(
            "INSERT INTO user_account (id, email, name, kind, is_super_user, is_administrator, state, session_version,
                 created_at, updated_at)
             VALUES ({owner}, 'person@example.test', 'A person', 'STAFF', false, false, 'ACTIVE', 1, {NOW}, {NOW})"
        )];
        for (number, fields) in [(2, "[]"), (3, r#"[{"profileFieldId":"field","value":null}]"#)] {
            let segment = id(number);
            written.push(format!(
                "INSERT INTO segment (id, name, name_key, owner_id, is_shared, all_of, any_of, none_of, version, created_at,
                     updated_at, profile_fields)
                 VALUES ({segment}, 'segment {number}', 'segment {number}', {owner}, true, '[]', '[]', '[]', 1, {NOW}, {NOW},
                     '{fields}')"
            ));
        }
        for (number, (name, state, segment, types)) in [
            ("neither", "SCHEDULED", id(2), "[]"),
            ("fields", "SCHEDULED", id(3), "[]"),
            ("fields, unread", "IN_REVIEW", id(3), "[]"),
            ("types", "SCHEDULED", "NULL".to_owned(), r#"["STUDENT"]"#),
            ("types, unread", "IN_REVIEW", id(2), r#"["STUDENT"]"#),
            ("over", "SENT", id(3), r#"["STUDENT"]"#),
        ]
        .into_iter()
        .enumerate()
        {
            let campaign = id(number + 10);
            written.push(format!(
                "INSERT INTO campaign (id, name, subject, body, state, all_of, any_of, none_of, created_by, recipients, skipped,
                     version, created_at, updated_at, segment_id, subscriber_types)
                 VALUES ({campaign}, '{name}', 'Subject', 'Body', '{state}', '[]', '[]', '[]', {owner}, 0, '{{}}', 1, {NOW}, {NOW},
                     {segment}, '{types}')"
            ));
        }
        for statement in written {
            connection.execute_unprepared(&statement).await.unwrap();
        }

        Migrator::down(&connection, Some(2)).await.unwrap();
        let campaigns = "SELECT name || ': ' || state || ' ' || version FROM campaign";
        let expected = [
            "fields, unread: DRAFT 2",
            "fields: DRAFT 2",
            "neither: SCHEDULED 1",
            "over: SENT 1",
            "types, unread: DRAFT 2",
            "types: DRAFT 2",
        ];
        let expected = BTreeSet::from(expected.map(str::to_owned));
        assert_eq!(rows(&connection, campaigns).await, expected);
        let segments = rows(&connection, "SELECT name FROM segment").await;
        assert_eq!(segments, BTreeSet::from(["segment 2".to_owned()]));
    }

    async fn migrating_twice_changes_nothing(bed: TestBed) {
        let connection = bed.database().connect().await;
        let before = schema(&connection).await;
        Migrator::up(&connection, None).await.unwrap();
        assert_eq!(schema(&connection).await, before);
    }
}

/// Names only: the two databases have no type in common, and each is tested for its own above. The index of the full-text
/// search is each database's own: tables on one, expressions on the other.
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
        for definition in rows(connection, query).await {
            all.extend(parts(&definition));
        }
    }
    all
}

/// What a definition says, without the order it says it in: a column that was dropped and added again stands last.
fn parts(definition: &str) -> Vec<String> {
    let Some((head, body)) = definition
        .split_once(": CREATE TABLE")
        .and_then(|(head, rest)| Some((head, rest.split_once('(')?.1)))
    else {
        return vec![definition.to_owned()];
    };
    let mut parts = vec![format!("{head}: ")];
    let mut depth = 0;
    for letter in body.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        match parts.last_mut() {
            Some(last) if letter != ',' || depth != 0 => last.push(letter),
            _ => parts.push(format!("{head}: ")),
        }
    }
    for part in &mut parts {
        *part = part.split_whitespace().collect::<Vec<_>>().join(" ");
        // The bracket that closes the table stands behind whatever is last in it.
        if part.matches(')').count() > part.matches('(').count() {
            part.truncate(part.len() - 1);
            *part = part.trim_end().to_owned();
        }
    }
    parts
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

/// The change of which SQLite needs nothing.
const FOR_POSTGRES_ALONE: &str = "m20261130_000180_search_stored";

const SQLITE_SCHEMA: &str = "
    SELECT type || ' ' || name || ': ' || sql FROM sqlite_master
    WHERE name NOT LIKE 'sqlite%' AND tbl_name <> 'seaql_migrations'";

const SQLITE_COLUMNS: &str = "
    SELECT t.name || '.' || c.name || CASE WHEN c.\"notnull\" OR c.pk THEN ' NOT NULL' ELSE '' END
    FROM sqlite_master t, pragma_table_info(t.name) c
    WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name <> 'seaql_migrations'
    AND t.name NOT GLOB 'search_*'";

const SQLITE_INDEXES: &str = "
    SELECT tbl_name || ': ' || name FROM sqlite_master WHERE type = 'index' AND name NOT LIKE 'sqlite%'
    AND tbl_name NOT GLOB 'search_*'";

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
    FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'seaql_migrations'
    AND is_generated = 'NEVER'";

/// Without those that a primary key or a UNIQUE column brings along: `SQLite` names them itself.
const POSTGRES_INDEXES: &str = "
    SELECT i.tablename || ': ' || i.indexname FROM pg_indexes i
    WHERE i.schemaname = 'public' AND i.tablename <> 'seaql_migrations' AND NOT starts_with(i.indexname, 'search_')
    AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conname = i.indexname)";
