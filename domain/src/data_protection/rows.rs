//! Statements about any table, and its rows as JSON.

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, NaiveDate, Utc};
use entity::personal_data::{Erased, Holding, Holds, Key};
use sea_orm::{ColumnType, ConnectionTrait, DbBackend, QueryResult, Statement, Value as Bound};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::Person;
use crate::error::Result;

/// What stands where a person's name was.
pub(super) const ERASED_WORD: &str = "[erased]";

/// A condition with its values, for a statement put together from names that the declarations gave.
#[derive(Debug, Default)]
pub(crate) struct Sql {
    pub values: Vec<Bound>,
}

impl Sql {
    /// A placeholder for a value.
    pub fn bind(&mut self, value: impl Into<Bound>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    fn any_of<T: Into<Bound>>(&mut self, column: &str, values: Vec<T>) -> Option<String> {
        let places: Vec<String> = values.into_iter().map(|value| self.bind(value)).collect();
        (!places.is_empty()).then(|| format!("\"{column}\" IN ({})", places.join(", ")))
    }

    /// The rows that are about the person; none when the table knows no such rows.
    pub fn about(&mut self, holding: &Holding, person: &Person) -> Option<String> {
        let conditions: Vec<String> = holding
            .columns()
            .filter_map(|(column, holds)| {
                let Holds::Subject(key) = holds else {
                    return None;
                };
                match key {
                    Key::Account => self.any_of(column, person.account_ids()),
                    Key::Contact => self.any_of(column, person.contact_ids()),
                    Key::Session => self.any_of(column, person.sessions.clone()),
                    Key::Address => self.any_of(column, person.addresses()),
                    Key::AddressHash => self.any_of(column, person.hashes.clone()),
                    Key::Written => self.any_of(column, person.written_ids()),
                }
            })
            .collect();
        (!conditions.is_empty()).then(|| format!("({})", conditions.join(" OR ")))
    }

    /// The rows that the person had a hand in.
    pub fn by(&mut self, holding: &Holding, person: &Person) -> Option<String> {
        let conditions: Vec<String> = holding
            .columns()
            .filter(|(_, holds)| *holds == Holds::Hand)
            .filter_map(|(column, _)| self.any_of(column, person.account_ids()))
            .collect();
        (!conditions.is_empty()).then(|| format!("({})", conditions.join(" OR ")))
    }

    pub fn statement(self, backend: DbBackend, text: String) -> Statement {
        Statement::from_sql_and_values(backend, text, self.values)
    }
}

/// What `SET` makes of a personal value.
pub(super) fn erased_value(erased: Erased, backend: DbBackend) -> Option<String> {
    let unique = if backend == DbBackend::Sqlite {
        "'erased-' || lower(hex(randomblob(16)))"
    } else {
        "'erased-' || replace(gen_random_uuid()::text, '-', '')"
    };
    Some(match erased {
        Erased::Null => "NULL".to_owned(),
        Erased::Word => format!("'{ERASED_WORD}'"),
        Erased::NoAddress => format!("{unique} || '@erased.invalid'"),
        Erased::Unique => unique.to_owned(),
        Erased::EmptyObject => "'{}'".to_owned(),
        Erased::Stays => return None,
    })
}

/// `column = …` for everything personal in a table, separated by commas; empty when nothing is.
pub(super) fn erasing(holding: &Holding, backend: DbBackend) -> String {
    let assignments: Vec<String> = holding
        .columns()
        .filter_map(|(column, holds)| {
            let erased = match holds {
                Holds::Value(erased) | Holds::Secret(erased) => erased,
                Holds::Subject(Key::Address) => Erased::NoAddress,
                _ => return None,
            };
            Some(format!("\"{column}\" = {}", erased_value(erased, backend)?))
        })
        .collect();
    assignments.join(", ")
}

/// The rows of a table that meet a condition, as JSON objects, with these of its columns.
pub(crate) async fn read(
    db: &impl ConnectionTrait,
    holding: &Holding,
    condition: &str,
    sql: Sql,
) -> Result<Vec<Map<String, Value>>> {
    let types = (holding.types)();
    let text = format!("SELECT * FROM \"{}\" WHERE {condition}", holding.table);
    let found = db
        .query_all_raw(sql.statement(db.get_database_backend(), text))
        .await?;
    found
        .iter()
        .map(|row| {
            types
                .iter()
                .map(|(column, kind)| Ok(((*column).to_owned(), cell(row, column, kind)?)))
                .collect()
        })
        .collect()
}

fn cell(row: &QueryResult, column: &str, kind: &ColumnType) -> Result<Value> {
    Ok(match kind {
        ColumnType::Uuid => serde_json::to_value(row.try_get::<Option<Uuid>>("", column)?)?,
        ColumnType::Json | ColumnType::JsonBinary => row
            .try_get::<Option<Value>>("", column)?
            .unwrap_or(Value::Null),
        ColumnType::Boolean => row.try_get::<Option<bool>>("", column)?.into(),
        ColumnType::SmallInteger => row.try_get::<Option<i16>>("", column)?.into(),
        ColumnType::Integer => row.try_get::<Option<i32>>("", column)?.into(),
        ColumnType::BigInteger => row.try_get::<Option<i64>>("", column)?.into(),
        ColumnType::Date => serde_json::to_value(row.try_get::<Option<NaiveDate>>("", column)?)?,
        ColumnType::DateTime | ColumnType::Timestamp | ColumnType::TimestampWithTimeZone => {
            serde_json::to_value(row.try_get::<Option<DateTime<Utc>>>("", column)?)?
        }
        ColumnType::Blob | ColumnType::Binary(_) | ColumnType::VarBinary(_) => row
            .try_get::<Option<Vec<u8>>>("", column)?
            .map(|bytes| STANDARD.encode(bytes))
            .into(),
        _ => row.try_get::<Option<String>>("", column)?.into(),
    })
}
