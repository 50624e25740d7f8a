//! What is looked for in a row stands in the row, where `PostgreSQL` has the index.
//!
//! Whether a row has a word was found out by making words of its text again, for each row that the planner read in some
//! order of its own. And the function that makes them gets quick: a sign is looked up in a class of signs, not one after the
//! other, and a text of ASCII letters has no accents to take away.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::m20261128_000140_search::{
    BETWEEN, INDEXED, Indexed, folded, spelt_in_postgres, words_in_postgres,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        let mut statements = vec![quick_words()];
        for indexed in INDEXED {
            let table = indexed.table;
            statements.push(format!("DROP INDEX search_{table}"));
            statements.push(format!(
                "ALTER TABLE {table} ADD COLUMN search tsvector GENERATED ALWAYS AS (search_words({})) STORED",
                indexed.text("", "::text"),
            ));
            statements.push(format!(
                "CREATE INDEX search_{table} ON {table} USING gin (search)"
            ));
        }
        for table in ["organisation", "contact"] {
            statements.push(format!("DROP FUNCTION search_spelt_{table}(text)"));
            statements.push(spelt(table));
        }
        statements.push("ANALYZE organisation, contact, note".to_owned());
        execute(manager, &statements).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        let mut statements = Vec::new();
        for table in ["organisation", "contact"] {
            statements.push(format!("DROP FUNCTION search_spelt_{table}(text)"));
            statements.push(spelt_in_postgres(table));
        }
        for indexed in INDEXED {
            statements.push(format!("ALTER TABLE {} DROP COLUMN search", indexed.table));
        }
        statements.push(words_in_postgres());
        statements.extend(INDEXED.iter().map(Indexed::in_postgres));
        execute(manager, &statements).await
    }
}

/// The function that makes words of a text: the same words as before.
fn quick_words() -> String {
    let text = folded("given");
    // The signs of ASCII that are letters of a text without others.
    let of_ascii =
        "replace(replace(replace(replace(given, '''', ''), '.', ''), '&', ' and '), '+', ' and ')";
    let between: String = BETWEEN
        .chars()
        .flat_map(|sign| match sign {
            '[' | ']' | '\\' | '-' | '^' => vec!['\\', sign],
            '\'' => vec![sign, sign],
            _ => vec![sign],
        })
        .collect();
    format!(
        "CREATE OR REPLACE FUNCTION search_words(given text) RETURNS tsvector
         LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
           SELECT to_tsvector('pg_catalog.simple'::regconfig, lower(regexp_replace(
             CASE WHEN octet_length(given) = char_length(given) THEN {of_ascii}
               ELSE regexp_replace(normalize({text}, NFKD), '[\\u0300-\\u036F]', '', 'g') END,
             '[{between}]+', ' ', 'g'))) $$"
    )
}

/// The function that finds the rows of a table whose name has all the words, given with spaces between, spelt nearly so. One look into the index for all
/// of them together: a word like `limited` alone is in too many names.
fn spelt(table: &str) -> String {
    format!(
        "CREATE FUNCTION search_spelt_{table}(given text) RETURNS SETOF uuid
         LANGUAGE plpgsql STABLE SET pg_trgm.word_similarity_threshold = 0.4 AS $$
         BEGIN
           RETURN QUERY EXECUTE 'SELECT id FROM {table} WHERE '
             || (SELECT string_agg(format('%L <%% name', word), ' AND ') FROM unnest(string_to_array(given, ' ')) AS word);
         END $$"
    )
}

async fn execute(manager: &SchemaManager<'_>, statements: &[String]) -> Result<(), DbErr> {
    for statement in statements {
        manager
            .get_connection()
            .execute_unprepared(statement)
            .await?;
    }
    Ok(())
}
