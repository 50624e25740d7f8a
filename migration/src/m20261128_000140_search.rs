//! The index of the full-text search over organisations, contacts and notes (policy 2.2).
//!
//! What is found is what a name, a job title and a note say; addresses and telephone numbers are in no index, because who
//! may see them differs from row to row. On `PostgreSQL` the index is of expressions, so that no text is kept twice, and
//! names have one of trigrams, by which a misspelt one is found. On `SQLite` FTS5 has the index; triggers keep it, in the
//! change that they follow. It holds no texts either, and what is taken out of it is taken out of the file.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// Signs within a word, as in `O'Neil` and `S.p.A.`, letters that are more than a letter with an accent, and signs that are
/// words. The domain folds what is looked for in the same way.
const FOLDED: &[(&str, &str)] = &[
    ("''", ""),
    ("’", ""),
    (".", ""),
    ("&", " and "),
    ("+", " and "),
    ("ß", "ss"),
    ("ẞ", "ss"),
    ("æ", "ae"),
    ("Æ", "ae"),
    ("œ", "oe"),
    ("Œ", "oe"),
    ("ø", "o"),
    ("Ø", "o"),
    ("ł", "l"),
    ("Ł", "l"),
];

/// Signs between words. `PostgreSQL` would make of some of them what it takes for addresses, paths and numbers.
pub(crate) const BETWEEN: &str = "!\"#$%()*,-/:;<=>?@[\\]^_`{|}~–—“”„‘…•·";

/// A table with what is looked for in it.
pub(crate) struct Indexed {
    pub table: &'static str,
    /// Its columns that are never null, and those that may be.
    columns: &'static [&'static str],
    nullable: &'static [&'static str],
}

pub(crate) const INDEXED: &[Indexed] = &[
    Indexed {
        table: "organisation",
        columns: &["name", "name_key", "trading_names"],
        nullable: &[],
    },
    Indexed {
        table: "contact",
        columns: &["name"],
        nullable: &["job_title"],
    },
    Indexed {
        table: "note",
        columns: &["body"],
        nullable: &["outcome", "next_action"],
    },
];

impl Indexed {
    /// All that is looked for in a row, as one text.
    pub fn text(&self, row: &str, cast: &str) -> String {
        let columns = self
            .columns
            .iter()
            .map(|column| format!("{row}\"{column}\"{cast}"));
        let nullable = self
            .nullable
            .iter()
            .map(|column| format!("coalesce({row}\"{column}\", '')"));
        columns
            .chain(nullable)
            .collect::<Vec<_>>()
            .join(" || ' ' || ")
    }

    /// The index of an expression.
    pub fn in_postgres(&self) -> String {
        let table = self.table;
        format!(
            "CREATE INDEX search_{table} ON {table} USING gin (search_words({}))",
            self.text("", "::text"),
        )
    }

    /// Its columns, for a trigger that looks at those alone.
    fn all(&self) -> String {
        let quoted = self.columns.iter().chain(self.nullable);
        quoted
            .map(|column| format!("\"{column}\""))
            .collect::<Vec<_>>()
            .join(", ")
    }
}

pub(crate) fn folded(text: &str) -> String {
    FOLDED.iter().fold(text.to_owned(), |folded, (sign, into)| {
        format!("replace({folded}, '{sign}', '{into}')")
    })
}

/// The function that makes words of a text.
pub(crate) fn words_in_postgres() -> String {
    let text = folded("given");
    let between = BETWEEN.replace('\'', "''");
    // With a path of its own it isn't written out where it is called: plans stay readable, and it means the same whatever
    // the path of whoever calls it.
    format!(
        "CREATE OR REPLACE FUNCTION search_words(given text) RETURNS tsvector
         LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
           SELECT to_tsvector('pg_catalog.simple'::regconfig, lower(translate(
             regexp_replace(normalize({text}, NFKD), '[\\u0300-\\u036F]', '', 'g'),
             '{between}', repeat(' ', {})))) $$",
        BETWEEN.chars().count(),
    )
}

/// The function that finds the rows of a table whose name has a word that is spelt nearly so.
pub(crate) fn spelt_in_postgres(table: &str) -> String {
    // How alike is alike enough is a setting: here, and for nobody else.
    format!(
        "CREATE FUNCTION search_spelt_{table}(given text) RETURNS SETOF uuid
         LANGUAGE sql STABLE SET pg_trgm.word_similarity_threshold = 0.4
         AS $$ SELECT id FROM {table} WHERE given <% name $$"
    )
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut statements = Vec::new();
        if manager.get_database_backend() == DbBackend::Postgres {
            // Trusted: whoever may create in the database may create it.
            statements.push("CREATE EXTENSION IF NOT EXISTS pg_trgm".to_owned());
            statements.push(words_in_postgres());
            statements.extend(INDEXED.iter().map(Indexed::in_postgres));
            for table in ["organisation", "contact"] {
                statements.push(format!(
                    "CREATE INDEX search_{table}_spelling ON {table} USING gin (name gin_trgm_ops)"
                ));
                statements.push(spelt_in_postgres(table));
            }
            // The planner needs to know which words are common.
            statements.push("ANALYZE organisation, contact, note".to_owned());
        } else {
            statements.push(
                "CREATE TABLE search_number (number INTEGER PRIMARY KEY, subject_id BLOB NOT NULL UNIQUE)"
                    .to_owned(),
            );
            for indexed in INDEXED {
                statements.extend(sqlite(indexed));
            }
        }
        for statement in statements {
            manager
                .get_connection()
                .execute_unprepared(&statement)
                .await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut statements = Vec::new();
        if manager.get_database_backend() == DbBackend::Postgres {
            for table in ["organisation", "contact"] {
                statements.push(format!("DROP FUNCTION search_spelt_{table}(text)"));
                statements.push(format!("DROP INDEX search_{table}_spelling"));
            }
            for indexed in INDEXED {
                statements.push(format!("DROP INDEX search_{}", indexed.table));
            }
            // The extension stays: it may have been there before.
            statements.push("DROP FUNCTION search_words(text)".to_owned());
        } else {
            for Indexed { table, .. } in INDEXED {
                for name in ["added", "changed", "taken"] {
                    statements.push(format!("DROP TRIGGER search_{table}_{name}"));
                }
                statements.push(format!("DROP TABLE search_{table}"));
            }
            statements.push("DROP TABLE search_number".to_owned());
        }
        for statement in statements {
            manager
                .get_connection()
                .execute_unprepared(&statement)
                .await?;
        }
        Ok(())
    }
}

/// The index of a table, what keeps it, and what is in the table already.
///
/// A row is known to the index by a number of its own: the hidden one of its table may change when the file is vacuumed.
/// The index holds no texts, so what is taken out of it is named as it was put in.
fn sqlite(indexed: &Indexed) -> [String; 6] {
    let (table, columns) = (indexed.table, indexed.all());
    let (old, new) = (
        folded(&indexed.text("OLD.", "")),
        folded(&indexed.text("NEW.", "")),
    );
    let number =
        |row: &str| format!("(SELECT number FROM search_number WHERE subject_id = {row}.id)");
    let take = format!(
        "INSERT INTO search_{table} (search_{table}, rowid, words) VALUES ('delete', {}, {old});",
        number("OLD"),
    );
    let put = format!(
        "INSERT INTO search_{table} (rowid, words) VALUES ({}, {new});",
        number("NEW"),
    );
    [
        format!(
            "CREATE VIRTUAL TABLE search_{table} USING fts5 \
             (words, content = '', prefix = '2 3', tokenize = 'unicode61 remove_diacritics 2')"
        ),
        format!("INSERT INTO search_{table} (search_{table}, rank) VALUES ('secure-delete', 1)"),
        format!(
            "INSERT INTO search_number (subject_id) SELECT id FROM {table} ORDER BY id; \
             INSERT INTO search_{table} (rowid, words) SELECT n.number, {} \
             FROM {table} r JOIN search_number n ON n.subject_id = r.id ORDER BY n.number",
            folded(&indexed.text("r.", "")),
        ),
        format!(
            "CREATE TRIGGER search_{table}_added AFTER INSERT ON {table} BEGIN \
             INSERT INTO search_number (subject_id) VALUES (NEW.id); {put} END"
        ),
        format!(
            "CREATE TRIGGER search_{table}_changed AFTER UPDATE OF {columns} ON {table} \
             WHEN ({old}) <> ({new}) BEGIN {take} {put} END"
        ),
        format!(
            "CREATE TRIGGER search_{table}_taken AFTER DELETE ON {table} BEGIN {take} \
             DELETE FROM search_number WHERE subject_id = OLD.id; END"
        ),
    ]
}
