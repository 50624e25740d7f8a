//! Retention periods act by themselves.

use chrono::TimeDelta;
use entity::{
    audit_entry, contact,
    ids::AuditEntryId,
    personal_data::{ALL, Erased, Holding, Holds, Until},
    user::{self, UserState},
};
use sea_orm::{
    ActiveEnum, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Person,
    erasure::{rows_of, sealed_rows},
    rows::{ERASED_WORD, Sql, erasing},
    traces::Traces,
};
use crate::{
    account, audit,
    error::{Error, Result},
    job::{Job, Queue},
    store::Tx,
    viewer::Viewer,
};

/// The most lines whose details go at one time.
const AT_ONCE: u64 = 500;
/// The most records that lapse at one time: for each, the whole audit log is looked through.
const RECORDS_AT_ONCE: u64 = 20;

/// Does once a day what the declarations say.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct ApplyRetention {}

impl Job for ApplyRetention {
    const KIND: &'static str = "retention.apply";
    const QUEUE: Queue = Queue::Housekeeping;

    fn unique_key(&self) -> Option<String> {
        Some(Self::KIND.to_owned())
    }
}

/// What one run did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// How many rows of which table.
    pub rows: Vec<(&'static str, u64)>,
    /// Whether there may be more to do.
    pub is_more: bool,
}

/// Deletes what was kept long enough, and takes people out of what stays.
pub async fn apply(tx: &mut Tx) -> Result<Applied> {
    let mut applied = Applied::default();
    let (_, more_unused) = account::close_unused(tx).await?;
    applied.is_more |= more_unused;
    let mut lines = Vec::new();
    for holding in ALL {
        let rows = match holding.retention.until {
            Until::Always | Until::Erasure | Until::OwnRule(_) | Until::RowByState(..) => 0,
            Until::RowFor(days, after) => delete(tx, holding, days, after).await?,
            Until::ValuesFor(days, after) => forget(tx, holding, days, after).await?,
            Until::LapsesFor(days, after, only) => {
                let rows = lapse(tx, holding, days, after, only, &mut lines).await?;
                applied.is_more |= rows == RECORDS_AT_ONCE;
                rows
            }
            Until::DetailsFor(days, _) => {
                let old = lines_to_forget(tx, days).await?;
                let rows = old.len() as u64;
                applied.is_more |= rows == AT_ONCE;
                lines.extend(old);
                rows
            }
        };
        if rows > 0 {
            applied.rows.push((holding.table, rows));
            let what = Some(serde_json::json!({ "rows": rows }));
            tx.audit(
                &Viewer::system(),
                "retention.apply",
                holding.table,
                None,
                what,
            )
            .await?;
        }
    }
    // Last: the line that says so is counted, and whoever counts must wait for nothing after it.
    lines.sort_unstable();
    lines.dedup();
    audit::erase_details(tx, &Viewer::system(), &lines).await?;
    Ok(applied)
}

async fn delete(tx: &Tx, holding: &Holding, days: u16, after: &str) -> Result<u64> {
    let mut sql = Sql::default();
    let limit = sql.bind(tx.now() - TimeDelta::days(days.into()));
    let text = format!(
        "DELETE FROM \"{}\" WHERE \"{after}\" < {limit}",
        holding.table
    );
    run(tx, sql, text).await
}

async fn forget(tx: &Tx, holding: &Holding, days: u16, after: &str) -> Result<u64> {
    let mut sql = Sql::default();
    let limit = sql.bind(tx.now() - TimeDelta::days(days.into()));
    let text = format!(
        "UPDATE \"{}\" SET {} WHERE \"{after}\" < {limit} AND ({})",
        holding.table,
        erasing(holding, tx.backend()),
        still_there(holding),
    );
    run(tx, sql, text).await
}

/// The rows with something personal left: what has been forgotten already is left alone.
fn still_there(holding: &Holding) -> String {
    let left: Vec<String> = holding
        .columns()
        .filter_map(|(column, holds)| match holds {
            Holds::Value(Erased::Word) => Some(format!("\"{column}\" <> '{ERASED_WORD}'")),
            Holds::Value(Erased::Null) => Some(format!("\"{column}\" IS NOT NULL")),
            _ => None,
        })
        .collect();
    left.join(" OR ")
}

/// Takes a person's record out of every table, as erasure does, but for two things: what others wrote of them stays, and their
/// address isn't suppressed, because they may be known by another record.
async fn lapse(
    tx: &mut Tx,
    holding: &Holding,
    days: u16,
    after: &str,
    (column, value): (&str, &str),
    lines: &mut Vec<AuditEntryId>,
) -> Result<u64> {
    let mut sql = Sql::default();
    let limit = sql.bind(tx.now() - TimeDelta::days(days.into()));
    let value = sql.bind(value.to_owned());
    // Who still signs in hasn't left.
    let in_use = sql.bind(UserState::Active.to_value());
    let is_used = if holding.table == contact::PERSONAL_DATA.table {
        format!(
            " AND NOT EXISTS (SELECT 1 FROM \"{}\" AS account WHERE account.contact_id = \"{}\".id AND account.state = {in_use})",
            user::PERSONAL_DATA.table,
            holding.table
        )
    } else {
        format!(" AND state <> {in_use}")
    };
    let text = format!(
        "SELECT id FROM \"{}\" WHERE \"{after}\" < {limit} AND \"{column}\" = {value} AND ({}){is_used}
         ORDER BY id LIMIT {RECORDS_AT_ONCE}",
        holding.table,
        still_there(holding),
    );
    let found = tx
        .conn()
        .query_all_raw(sql.statement(tx.backend(), text))
        .await?;
    let ids = found
        .iter()
        .map(|row| Ok(row.try_get_by_index::<Uuid>(0)?))
        .collect::<Result<Vec<_>>>()?;
    for id in &ids {
        let person = Person::of_record(tx.conn(), holding.table, *id).await?;
        let traces = Traces::of_nobody_else(tx.conn(), &person).await?;
        for about in ALL {
            rows_of(tx, about, &person).await?;
            if about.columns().any(|(_, holds)| holds == Holds::Sealed) {
                lines.extend(sealed_rows(tx, about, &person, &traces).await?);
            }
        }
    }
    Ok(ids.len() as u64)
}

/// The lines that are old enough for their before and after to go.
async fn lines_to_forget(tx: &Tx, days: u16) -> Result<Vec<AuditEntryId>> {
    let found = audit_entry::Entity::find()
        .select_only()
        .column(audit_entry::Column::Id)
        .filter(audit_entry::Column::At.lt(tx.now() - TimeDelta::days(days.into())))
        .filter(
            Condition::any()
                .add(audit_entry::Column::Before.is_not_null())
                .add(audit_entry::Column::After.is_not_null()),
        )
        .order_by_asc(audit_entry::Column::Id)
        .limit(AT_ONCE)
        .into_tuple()
        .all(tx.conn())
        .await?;
    Ok(found)
}

async fn run(tx: &Tx, sql: Sql, text: String) -> Result<u64> {
    let statement = sql.statement(tx.backend(), text);
    Ok(tx.conn().execute_raw(statement).await?.rows_affected())
}

impl Person {
    /// One record of somebody, and nothing else that they may be known by: a contact with the accounts that were theirs, or an
    /// account.
    async fn of_record(db: &impl ConnectionTrait, table: &str, id: Uuid) -> Result<Self> {
        let mut person = Self::default();
        if table == contact::PERSONAL_DATA.table {
            person.contacts = contact::Entity::find()
                .filter(contact::Column::Id.eq(id))
                .all(db)
                .await?;
            person.accounts = user::Entity::find()
                .filter(user::Column::ContactId.eq(id))
                .all(db)
                .await?;
        } else if table == user::PERSONAL_DATA.table {
            person.accounts = user::Entity::find()
                .filter(user::Column::Id.eq(id))
                .all(db)
                .await?;
        } else {
            return Err(Error::Fault(format!(
                "a row of {table} is no record of a person"
            )));
        }
        person.find_sessions(db).await?;
        Ok(person)
    }
}
