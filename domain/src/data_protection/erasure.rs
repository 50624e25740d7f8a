//! Erasure: nothing that leads to the person is left in any table. What stays is counted under a pseudonym, and that their
//! addresses get no mail, as keyed hashes.

use std::collections::BTreeSet;

use entity::{
    booking::{self, BookingState},
    contact::{self, ContactState},
    delivery::{self, DeliveryState},
    ids::AuditEntryId,
    personal_data::{self, ALL, Erasure, Holding, Holds},
    suppression::SuppressionReason,
    user::{self, UserState},
};
use sea_orm::{
    ColumnTrait, ColumnType, Condition, ConnectionTrait, DbBackend, EntityTrait, ExprTrait,
    PaginatorTrait, QueryFilter, sea_query::Expr,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    Person,
    rows::{ERASED_WORD, Sql, erasing},
};
use crate::{
    audit,
    error::{Error, RefusalCode, Refusals, Result},
    live::LiveEvent,
    store::Tx,
    suppression::{self, AddressKey},
    viewer::Viewer,
};

/// How many rows of a table were changed, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erased {
    /// The table.
    pub table: &'static str,
    /// The column, where words named the person: what else these rows say of them is for a human to read.
    pub column: Option<&'static str>,
    /// How many rows.
    pub rows: u64,
    /// What becomes of them.
    pub outcome: Outcome,
    /// Why they stay, when they do.
    pub kept_because: Option<&'static str>,
}

/// What becomes of rows that are about a person, or name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// They go.
    Deleted,
    /// They stay, without the person.
    Emptied,
    /// The person's values are taken out of their words.
    TakenOutOfWords,
}

/// Whether it is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// It is only looked at what would go: the transaction must be dropped. The audit log isn't touched, not even its numbers.
    Dry,
    /// It is meant.
    Real,
}

/// Erases a person, for this reason.
pub async fn erase(
    tx: &mut Tx,
    viewer: &Viewer,
    named: &str,
    reason: &str,
    run: Run,
) -> Result<Vec<Erased>> {
    if !viewer.is_administrator() {
        viewer.signed_in()?;
        return Err(Error::Forbidden(
            "A person can be erased by administrators only.".to_owned(),
        ));
    }
    let mut person = Person::find(tx.conn(), named).await?;
    let values = person.values();
    refuse_what_must_be_dealt_with(tx, &person, reason).await?;
    let key = AddressKey::load(tx.conn(), tx.now()).await?;
    for address in person.addresses() {
        suppression::suppress(tx, &key.hash(&address)?, SuppressionReason::Erased).await?;
    }
    person.hash_addresses(&key)?;

    let mut done = Vec::new();
    for holding in ALL {
        let rows = rows_of(tx, holding, &person).await?;
        let outcome = match holding.erasure {
            Erasure::Delete => Outcome::Deleted,
            Erasure::Keep(_) => Outcome::Emptied,
        };
        note(&mut done, holding, None, rows, outcome);
    }
    close(tx, &person).await?;
    for holding in ALL {
        let types = (holding.types)();
        for (column, holds) in holding.columns() {
            let kind = types
                .iter()
                .find(|(name, _)| *name == column)
                .map(|(_, kind)| kind);
            // What a mail is filled with may name others than its recipient.
            if matches!(
                holds,
                Holds::Words | Holds::Value(personal_data::Erased::EmptyObject)
            ) {
                let is_json = matches!(kind, Some(ColumnType::Json | ColumnType::JsonBinary));
                let rows = take_out(tx, holding, column, is_json, &values).await?;
                let outcome = Outcome::TakenOutOfWords;
                note(&mut done, holding, Some(column), rows, outcome);
            }
        }
        if holding.columns().any(|(_, holds)| holds == Holds::Sealed) {
            let entries = sealed_rows(tx, holding, &person, &values).await?;
            if run == Run::Real {
                audit::erase_details(tx, viewer, &entries).await?;
            }
            let rows = entries.len() as u64;
            note(&mut done, holding, None, rows, Outcome::Emptied);
        }
    }
    if run == Run::Dry {
        return Ok(done);
    }
    let reason = without(reason, &values);
    let counts: Vec<_> = done
        .iter()
        .map(|erased| json!([erased.table, erased.column, erased.rows]))
        .collect();
    tx.audit(
        viewer,
        "person.erase",
        person.written_ids().join(" "),
        None,
        Some(json!({ "reason": reason, "rows": counts })),
    )
    .await?;
    Ok(done)
}

fn note(
    done: &mut Vec<Erased>,
    holding: &Holding,
    column: Option<&'static str>,
    rows: u64,
    outcome: Outcome,
) {
    if rows > 0 {
        done.push(Erased {
            table: holding.table,
            column,
            rows,
            outcome,
            kept_because: match holding.erasure {
                Erasure::Keep(why) => Some(why),
                Erasure::Delete => None,
            },
        });
    }
}

async fn refuse_what_must_be_dealt_with(tx: &Tx, person: &Person, reason: &str) -> Result<()> {
    let mut refusals = Refusals::default();
    refusals.add_if(
        reason.trim().is_empty(),
        RefusalCode::Required,
        "reason",
        "Say why: who asked for it, and when.",
    );
    refusals.add_if(
        person
            .accounts
            .iter()
            .any(|account| account.is_administrator),
        RefusalCode::WrongState,
        "person",
        "They administer the system: take that from them first.",
    );
    let live = booking::Entity::find()
        .filter(booking::Column::UserId.is_in(person.account_ids()))
        .filter(booking::Column::State.is_in([
            BookingState::Booked,
            BookingState::Waiting,
            BookingState::Offered,
        ]))
        .count(tx.conn())
        .await?;
    refusals.add_if(
        live > 0,
        RefusalCode::WrongState,
        "person",
        &format!(
            "They have {live} live bookings: cancel them first, so that others get the places."
        ),
    );
    let on_its_way = delivery::Entity::find()
        .filter(
            Condition::any()
                .add(delivery::Column::Address.is_in(person.addresses()))
                .add(delivery::Column::ContactId.is_in(person.contact_ids()))
                .add(delivery::Column::UserId.is_in(person.account_ids())),
        )
        .filter(delivery::Column::State.is_in([DeliveryState::Queued, DeliveryState::Sending]))
        .count(tx.conn())
        .await?;
    refusals.add_if(
        on_its_way > 0,
        RefusalCode::WrongState,
        "person",
        &format!("{on_its_way} mails to them are on their way: wait until they are sent, or cancel the campaign."),
    );
    refusals.into_result()
}

/// Deletes the rows that are about the person, or takes what is personal out of them.
async fn rows_of(tx: &Tx, holding: &Holding, person: &Person) -> Result<u64> {
    let mut sql = Sql::default();
    let Some(about) = sql.about(holding, person) else {
        return Ok(0);
    };
    let erasing = erasing(holding, tx.backend());
    let text = match holding.erasure {
        Erasure::Delete => format!("DELETE FROM \"{}\" WHERE {about}", holding.table),
        Erasure::Keep(_) if erasing.is_empty() => return Ok(0),
        Erasure::Keep(_) => format!("UPDATE \"{}\" SET {erasing} WHERE {about}", holding.table),
    };
    let statement = sql.statement(tx.backend(), text);
    Ok(tx.conn().execute_raw(statement).await?.rows_affected())
}

/// Nobody signs in any more, who is signed in is so no longer, and no mail goes out.
async fn close(tx: &mut Tx, person: &Person) -> Result<()> {
    user::Entity::update_many()
        .col_expr(user::Column::State, Expr::value(UserState::Suspended))
        .col_expr(user::Column::IsSuperUser, Expr::value(false))
        .col_expr(
            user::Column::SessionVersion,
            Expr::col(user::Column::SessionVersion).add(1),
        )
        .col_expr(user::Column::UpdatedAt, Expr::value(tx.now()))
        .filter(user::Column::Id.is_in(person.account_ids()))
        .exec(tx.conn())
        .await?;
    for account in &person.accounts {
        tx.announce(LiveEvent::AccessChanged {
            user_id: account.id,
        });
    }
    contact::Entity::update_many()
        .col_expr(contact::Column::State, Expr::value(ContactState::Inactive))
        .col_expr(contact::Column::VisibleToStudents, Expr::value(false))
        .col_expr(contact::Column::DoNotEmail, Expr::value(true))
        .col_expr(
            contact::Column::Version,
            Expr::col(contact::Column::Version).add(1),
        )
        .col_expr(contact::Column::UpdatedAt, Expr::value(tx.now()))
        .filter(contact::Column::Id.is_in(person.contact_ids()))
        .exec(tx.conn())
        .await?;
    Ok(())
}

/// A value in the ways it may be written; in JSON with its escapes.
fn spellings(values: &[String], is_json: bool) -> Vec<String> {
    let mut all = BTreeSet::new();
    for value in values {
        for spelling in [value.clone(), value.to_lowercase(), value.to_uppercase()] {
            all.insert(if is_json {
                json!(spelling).to_string().trim_matches('"').to_owned()
            } else {
                spelling
            });
        }
    }
    let mut all: Vec<String> = all.into_iter().collect();
    all.sort_by_key(|spelling| std::cmp::Reverse(spelling.len()));
    all
}

/// A column as text, for looking into.
fn as_text(column: &str) -> String {
    format!("CAST(\"{column}\" AS TEXT)")
}

/// The rows in whose words any of the values stands.
fn naming(sql: &mut Sql, column: &str, spellings: &[String], backend: DbBackend) -> String {
    let find = if backend == DbBackend::Sqlite {
        "instr"
    } else {
        "strpos"
    };
    let found: Vec<String> = spellings
        .iter()
        .map(|spelling| {
            format!(
                "{find}({}, {}) > 0",
                as_text(column),
                sql.bind(spelling.clone())
            )
        })
        .collect();
    format!("({})", found.join(" OR "))
}

/// Takes the values out of words, wherever they stand.
async fn take_out(
    tx: &Tx,
    holding: &Holding,
    column: &str,
    is_json: bool,
    values: &[String],
) -> Result<u64> {
    let spellings = spellings(values, is_json);
    if spellings.is_empty() {
        return Ok(0);
    }
    let mut sql = Sql::default();
    let mut text = as_text(column);
    for spelling in &spellings {
        text = format!(
            "replace({text}, {}, '{ERASED_WORD}')",
            sql.bind(spelling.clone())
        );
    }
    if is_json && tx.backend() == DbBackend::Postgres {
        text = format!("CAST({text} AS JSONB)");
    }
    let naming = naming(&mut sql, column, &spellings, tx.backend());
    let text = format!(
        "UPDATE \"{}\" SET \"{column}\" = {text} WHERE {naming}",
        holding.table
    );
    let statement = sql.statement(tx.backend(), text);
    Ok(tx.conn().execute_raw(statement).await?.rows_affected())
}

/// The lines of the audit log whose details are about the person or name them.
async fn sealed_rows(
    tx: &Tx,
    holding: &Holding,
    person: &Person,
    values: &[String],
) -> Result<Vec<AuditEntryId>> {
    let mut sql = Sql::default();
    let mut conditions: Vec<String> = sql.about(holding, person).into_iter().collect();
    let sealed: Vec<_> = holding
        .columns()
        .filter(|(_, holds)| *holds == Holds::Sealed)
        .collect();
    let spellings = spellings(values, true);
    if !spellings.is_empty() {
        for (column, _) in &sealed {
            conditions.push(naming(&mut sql, column, &spellings, tx.backend()));
        }
    }
    let present: Vec<String> = sealed
        .iter()
        .map(|(column, _)| format!("\"{column}\" IS NOT NULL"))
        .collect();
    let text = format!(
        "SELECT id FROM \"{}\" WHERE ({}) AND ({})",
        holding.table,
        conditions.join(" OR "),
        present.join(" OR "),
    );
    let found = tx
        .conn()
        .query_all_raw(sql.statement(tx.backend(), text))
        .await?;
    found
        .iter()
        .map(|row| Ok(AuditEntryId(row.try_get_by_index::<Uuid>(0)?)))
        .collect()
}

fn without(text: &str, values: &[String]) -> String {
    spellings(values, false)
        .iter()
        .fold(text.to_owned(), |text, spelling| {
            text.replace(spelling, ERASED_WORD)
        })
}
