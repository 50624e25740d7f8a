//! Erasure: nothing that leads to the person is left in any table. What stays is counted under a pseudonym, and that their
//! addresses get no mail, as keyed hashes.

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
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Person,
    rows::{Sql, erasing},
    traces::Traces,
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
    refuse_what_must_be_dealt_with(tx, &person, reason).await?;
    // Before any of it is gone: what they were called and reached by earlier stands in their own rows.
    let traces = Traces::of(tx.conn(), &person).await?;
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
                let rows = take_out(tx, holding, column, is_json, &person, &traces).await?;
                let outcome = Outcome::TakenOutOfWords;
                note(&mut done, holding, Some(column), rows, outcome);
            }
        }
        if holding.columns().any(|(_, holds)| holds == Holds::Sealed) {
            let entries = sealed_rows(tx, holding, &person, &traces).await?;
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
    let reason = traces
        .taken_out(reason, true)
        .unwrap_or_else(|| reason.to_owned());
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
pub(super) async fn rows_of(tx: &Tx, holding: &Holding, person: &Person) -> Result<u64> {
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

/// Takes what leads to the person out of words, wherever they stand.
async fn take_out(
    tx: &Tx,
    holding: &Holding,
    column: &str,
    is_json: bool,
    person: &Person,
    traces: &Traces,
) -> Result<u64> {
    let backend = tx.backend();
    let (place, lock) = place_of_rows(backend);
    let mut sql = Sql::default();
    let own = sql
        .about(holding, person)
        .unwrap_or_else(|| "1 = 0".to_owned());
    let naming = traces.may_name(&mut sql, column, backend);
    let about = sql.about(holding, person);
    let conditions: Vec<String> = naming.into_iter().chain(about).collect();
    if conditions.is_empty() {
        return Ok(0);
    }
    let text = format!(
        "SELECT CAST({place} AS TEXT), CAST(\"{column}\" AS TEXT), CASE WHEN {own} THEN 1 ELSE 0 END
         FROM \"{}\" WHERE \"{column}\" IS NOT NULL AND ({}){lock}",
        holding.table,
        conditions.join(" OR "),
    );
    let found = tx
        .conn()
        .query_all_raw(sql.statement(backend, text))
        .await?;
    let mut changed = 0;
    for row in found {
        let (at, words): (String, String) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        let is_own = row.try_get_by_index::<i32>(2)? == 1;
        let left = if is_json {
            let value: Value = serde_json::from_str(&words)?;
            traces
                .taken_out_of(&value, is_own)
                .map(|value| value.to_string())
        } else {
            traces.taken_out(&words, is_own)
        };
        let Some(left) = left else {
            continue;
        };
        let mut sql = Sql::default();
        let mut value = sql.bind(left);
        if is_json && backend == DbBackend::Postgres {
            value = format!("CAST({value} AS JSONB)");
        }
        let at = sql.bind(at);
        let at = match backend {
            DbBackend::Sqlite => format!("CAST({at} AS INTEGER)"),
            _ => format!("CAST({at} AS TID)"),
        };
        let text = format!(
            "UPDATE \"{}\" SET \"{column}\" = {value} WHERE {place} = {at}",
            holding.table
        );
        let statement = sql.statement(backend, text);
        changed += tx.conn().execute_raw(statement).await?.rows_affected();
    }
    Ok(changed)
}

/// By what a row of any table is found again within a change, and how it is kept where it is until then.
fn place_of_rows(backend: DbBackend) -> (&'static str, &'static str) {
    match backend {
        DbBackend::Sqlite => ("rowid", ""),
        _ => ("ctid", " FOR UPDATE"),
    }
}

/// The lines of the audit log whose details are about the person or name them.
pub(super) async fn sealed_rows(
    tx: &Tx,
    holding: &Holding,
    person: &Person,
    traces: &Traces,
) -> Result<Vec<AuditEntryId>> {
    let sealed: Vec<&str> = holding
        .columns()
        .filter(|(_, holds)| *holds == Holds::Sealed)
        .map(|(column, _)| column)
        .collect();
    let mut sql = Sql::default();
    let own = sql
        .about(holding, person)
        .unwrap_or_else(|| "1 = 0".to_owned());
    let mut conditions: Vec<String> = sql.about(holding, person).into_iter().collect();
    for column in &sealed {
        conditions.extend(traces.may_name(&mut sql, column, tx.backend()));
    }
    if conditions.is_empty() {
        return Ok(Vec::new());
    }
    let present: Vec<String> = sealed
        .iter()
        .map(|column| format!("\"{column}\" IS NOT NULL"))
        .collect();
    let details: Vec<String> = sealed
        .iter()
        .map(|column| format!("CAST(\"{column}\" AS TEXT)"))
        .collect();
    let text = format!(
        "SELECT id, CASE WHEN {own} THEN 1 ELSE 0 END, {} FROM \"{}\" WHERE ({}) AND ({})",
        details.join(", "),
        holding.table,
        conditions.join(" OR "),
        present.join(" OR "),
    );
    let found = tx
        .conn()
        .query_all_raw(sql.statement(tx.backend(), text))
        .await?;
    let mut entries = Vec::new();
    for row in found {
        let mut names_them = row.try_get_by_index::<i32>(1)? == 1;
        for place in 0..sealed.len() {
            if let Some(text) = row.try_get_by_index::<Option<String>>(2 + place)? {
                let value: Value = serde_json::from_str(&text)?;
                names_them |= traces.taken_out_of(&value, false).is_some();
            }
        }
        if names_them {
            entries.push(AuditEntryId(row.try_get_by_index::<Uuid>(0)?));
        }
    }
    Ok(entries)
}
