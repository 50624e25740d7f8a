//! Rows of any table as JSON, and back: what the journal of a merge keeps, and what undoing it writes.

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, NaiveDate, Utc};
use entity::personal_data::{ALL, Holding};
use sea_orm::{ColumnType, ConnectionTrait, Value as Bound};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    data_protection::rows::{Sql, read},
    error::{Error, Result},
    store::Tx,
};

/// A row: its columns with their values.
pub(super) type Row = Map<String, Value>;

/// A table, with the types of its columns.
pub(super) struct Table {
    holding: &'static Holding,
    types: Vec<(&'static str, ColumnType)>,
}

impl Table {
    pub fn named(name: &str) -> Result<Self> {
        let holding = ALL
            .iter()
            .find(|holding| holding.table == name)
            .ok_or_else(|| Error::Fault(format!("there is no table {name}")))?;
        Ok(Self {
            holding,
            types: (holding.types)(),
        })
    }

    /// The value of a column, to be bound.
    pub fn bound(&self, column: &str, value: &Value) -> Result<Bound> {
        let kind = self
            .types
            .iter()
            .find(|(name, _)| *name == column)
            .map(|(_, kind)| kind)
            .ok_or_else(|| {
                Error::Fault(format!("{} has no column {column}", self.holding.table))
            })?;
        Ok(match kind {
            ColumnType::Uuid => given::<Uuid>(value)?.into(),
            ColumnType::Json | ColumnType::JsonBinary => {
                Some(value.clone()).filter(|value| !value.is_null()).into()
            }
            ColumnType::Boolean => given::<bool>(value)?.into(),
            ColumnType::SmallInteger | ColumnType::Integer => given::<i32>(value)?.into(),
            ColumnType::BigInteger => given::<i64>(value)?.into(),
            ColumnType::Date => given::<NaiveDate>(value)?.into(),
            ColumnType::DateTime | ColumnType::Timestamp | ColumnType::TimestampWithTimeZone => {
                given::<DateTime<Utc>>(value)?.into()
            }
            ColumnType::Blob | ColumnType::Binary(_) | ColumnType::VarBinary(_) => {
                let bytes = given::<String>(value)?
                    .map(|text| STANDARD.decode(text))
                    .transpose()
                    .map_err(|error| Error::Fault(format!("a kept row can't be read: {error}")))?;
                bytes.into()
            }
            _ => given::<String>(value)?.into(),
        })
    }

    /// The condition that these columns have these values.
    fn condition(&self, sql: &mut Sql, key: &Row) -> Result<String> {
        let parts = key
            .iter()
            .map(|(column, value)| {
                let place = sql.bind(self.bound(column, value)?);
                Ok(format!("\"{column}\" = {place}"))
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(parts.join(" AND "))
    }

    /// The rows in which these columns have these values.
    pub async fn find(&self, tx: &Tx, key: &Row) -> Result<Vec<Row>> {
        let mut sql = Sql::default();
        let condition = self.condition(&mut sql, key)?;
        read(tx.conn(), self.holding, &condition, sql).await
    }

    /// Takes out the rows in which these columns have these values.
    pub async fn delete(&self, tx: &Tx, key: &Row) -> Result<u64> {
        let mut sql = Sql::default();
        let condition = self.condition(&mut sql, key)?;
        let text = format!("DELETE FROM \"{}\" WHERE {condition}", self.holding.table);
        self.run(tx.conn(), sql, text).await
    }

    /// Sets columns of the rows that the key finds.
    pub async fn set(&self, tx: &Tx, key: &Row, values: &Row) -> Result<u64> {
        let mut sql = Sql::default();
        let values = values
            .iter()
            .map(|(column, value)| {
                let place = sql.bind(self.bound(column, value)?);
                Ok(format!("\"{column}\" = {place}"))
            })
            .collect::<Result<Vec<_>>>()?
            .join(", ");
        let condition = self.condition(&mut sql, key)?;
        let text = format!(
            "UPDATE \"{}\" SET {values} WHERE {condition}",
            self.holding.table
        );
        self.run(tx.conn(), sql, text).await
    }

    /// Writes a row as it was.
    pub async fn insert(&self, db: &impl ConnectionTrait, row: &Row) -> Result<u64> {
        let mut sql = Sql::default();
        let mut columns = Vec::with_capacity(row.len());
        let mut places = Vec::with_capacity(row.len());
        for (column, value) in row {
            places.push(sql.bind(self.bound(column, value)?));
            columns.push(format!("\"{column}\""));
        }
        let text = format!(
            "INSERT INTO \"{}\" ({}) VALUES ({})",
            self.holding.table,
            columns.join(", "),
            places.join(", "),
        );
        self.run(db, sql, text).await
    }

    async fn run(&self, db: &impl ConnectionTrait, sql: Sql, text: String) -> Result<u64> {
        let statement = sql.statement(db.get_database_backend(), text);
        Ok(db.execute_raw(statement).await?.rows_affected())
    }
}

fn given<T: DeserializeOwned>(value: &Value) -> Result<Option<T>> {
    Ok(serde_json::from_value(value.clone())?)
}

/// A key of one column.
pub(super) fn key(column: &str, id: Uuid) -> Row {
    Row::from_iter([(column.to_owned(), id.to_string().into())])
}

/// A key of two columns.
pub(super) fn key_of_two(one: (&str, Value), other: (&str, Value)) -> Row {
    Row::from_iter([(one.0.to_owned(), one.1), (other.0.to_owned(), other.1)])
}

/// A column's name as the API writes it: `trading_names` is `tradingNames`.
pub(super) fn field_name(column: &str) -> String {
    let mut name = String::with_capacity(column.len());
    for (at, part) in column.trim_end_matches("_at").split('_').enumerate() {
        let mut letters = part.chars();
        match letters.next() {
            Some(first) if at > 0 => {
                name.extend(first.to_uppercase());
                name.push_str(letters.as_str());
            }
            _ => name.push_str(part),
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::field_name;

    #[test]
    fn a_column_is_named_as_the_api_names_it() {
        assert_eq!(field_name("trading_names"), "tradingNames");
        assert_eq!(field_name("name"), "name");
        assert_eq!(field_name("bulk_opted_out_at"), "bulkOptedOut");
    }
}
