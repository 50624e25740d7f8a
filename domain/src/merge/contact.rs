//! Merging two contacts of one organisation.

use entity::{
    access_grant::Permission,
    contact::{self, SubscriberType},
    ids::ContactId,
    key_account_contact as held_contact,
    merge::MergeKind,
};
use sea_orm::{
    ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr,
};
use serde_json::{Value, json};

use super::{
    Merged, Plan,
    journal::Journal,
    organisation::{differing, one},
    pairs,
    references::references_to,
    rows::{Row, Table, key},
    tell_log,
};
use crate::{
    change,
    contact::visible,
    error::{Error, RefusalCode, Refusals, Result},
    key_account::guard::standings,
    store::Tx,
    viewer::Viewer,
};

const TABLE: &str = "contact";

/// A field of which the merged contact's value can be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContactField {
    /// The name.
    Name,
    /// The job title.
    JobTitle,
    /// The e-mail address.
    Email,
    /// The telephone number.
    Telephone,
}

impl ContactField {
    const ALL: [Self; 4] = [Self::Name, Self::JobTitle, Self::Email, Self::Telephone];

    const fn column(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::JobTitle => "job_title",
            Self::Email => "email",
            Self::Telephone => "telephone",
        }
    }
}

/// Two contacts that are to become one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contacts {
    /// The one that is left.
    pub survivor_id: ContactId,
    /// The one that goes into it.
    pub merged_id: ContactId,
    /// The version of the one that is left that was looked at.
    pub survivor_version: Option<i32>,
    /// The version of the other that was looked at.
    pub merged_version: Option<i32>,
    /// Fields of which the other's value is kept, where it has one. Else it fills only what is empty.
    pub take: Vec<ContactField>,
}

/// Merges two contacts of one organisation. Leaving the transaction without a commit makes a dry run of it.
///
/// Whoever was told not to write to one of them doesn't write to the one that is left, and students are shown it only where
/// both agreed (policy 3). Nobody merges a key account contact before they have liaised (policy 2.3).
pub async fn contacts(tx: &mut Tx, viewer: &Viewer, of: &Contacts) -> Result<Merged> {
    viewer.require(Permission::DeleteOrganisation)?;
    if of.survivor_id == of.merged_id {
        return Err(Error::refused(
            RefusalCode::Invalid,
            "mergedId",
            "A record can't be merged with itself.",
        ));
    }
    let (survivor, merged) = lock_both(tx, viewer, of).await?;
    pairs::hold(tx, MergeKind::Contact).await?;
    refuse(tx, viewer, of, &survivor, &merged).await?;
    let plan = Plan {
        kind: MergeKind::Contact,
        survivor_id: survivor.id.uuid(),
        merged_id: merged.id.uuid(),
        merged_name: None,
        source_key: None,
    };
    let merge = plan.record(tx, viewer.user_id()).await?;
    let table = Table::named(TABLE)?;
    let old = one(table.find(tx, &key("id", merge.survivor_id)).await?)?;
    let other = one(table.find(tx, &key("id", merge.merged_id)).await?)?;
    let settled = settle(&old, &other, &of.take);
    let values = differing(&old, &other, &settled);

    let mut journal = Journal::new(tx, &merge, Some(survivor.id));
    journal.set_values(TABLE, &old, &settled).await?;
    for reference in references_to(MergeKind::Contact) {
        journal.give(reference).await?;
    }
    pairs::give(&mut journal, pairs::CONTACTS).await?;
    journal.take_out(TABLE, "id", merge.merged_id).await?;
    let rows = journal.close().await?;
    raise_version(tx, survivor.id).await?;
    tell_log(tx, viewer, &merge, false).await?;
    Ok(Merged {
        merge,
        rows,
        values,
        notes: Vec::new(),
    })
}

async fn lock_both(
    tx: &Tx,
    viewer: &Viewer,
    of: &Contacts,
) -> Result<(contact::Model, contact::Model)> {
    let found = visible(viewer)
        .filter(contact::Column::Id.is_in([of.survivor_id, of.merged_id]))
        .order_by_asc(contact::Column::Id)
        .lock_exclusive()
        .all(tx.conn())
        .await?;
    let by = |id| found.iter().find(|row| row.id == id).cloned();
    match (by(of.survivor_id), by(of.merged_id)) {
        (Some(survivor), Some(merged)) => Ok((survivor, merged)),
        (None, _) => Err(Error::not_found("survivorId", "contact")),
        (_, None) => Err(Error::not_found("mergedId", "contact")),
    }
}

async fn refuse(
    tx: &Tx,
    viewer: &Viewer,
    of: &Contacts,
    survivor: &contact::Model,
    merged: &contact::Model,
) -> Result<()> {
    for (row, given) in [(survivor, of.survivor_version), (merged, of.merged_version)] {
        if let Some(given) = given.filter(|given| *given != row.version) {
            return Err(
                change::stale(tx.conn(), "contact.update", row.id, given, row.version).await?,
            );
        }
    }
    let mut refusals = Refusals::default();
    refusals.add_if(
        survivor.organisation_id != merged.organisation_id,
        RefusalCode::Invalid,
        "mergedId",
        "They are contacts of two organisations: merge the organisations first, if these are the same.",
    );
    refuse_before_liaison(tx, viewer, &[survivor.id, merged.id], &mut refusals).await?;
    let held = held_contact::Entity::find()
        .filter(held_contact::Column::ContactId.is_in([survivor.id, merged.id]))
        .filter(held_contact::Column::EndedAt.is_null())
        .count(tx.conn())
        .await?;
    refusals.add_if(
        held > 1,
        RefusalCode::WrongState,
        "mergedId",
        "Both are key account contacts: take one of them out of its key account first.",
    );
    refusals.into_result()
}

/// policy 2.3: whoever must liaise first doesn't change the contact's details either.
pub(super) async fn refuse_before_liaison(
    tx: &Tx,
    viewer: &Viewer,
    ids: &[ContactId],
    refusals: &mut Refusals,
) -> Result<()> {
    let standings = standings(tx.conn(), viewer, tx.now(), ids).await?;
    if let Some(standing) = standings.iter().find(|standing| standing.must_liaise) {
        refusals.add(
            RefusalCode::LiaiseFirst,
            "mergedId",
            format!(
                "There is a key account contact among them. Liaise first with {}, the Key Account Operator.",
                standing.operator_name
            ),
        );
    }
    Ok(())
}

/// Which value of each column is kept.
fn settle(old: &Row, other: &Row, take: &[ContactField]) -> Vec<(&'static str, Value)> {
    let of = |row: &Row, column: &str| row.get(column).cloned().unwrap_or(Value::Null);
    let mut settled = Vec::new();
    let mut takes_address = false;
    for field in ContactField::ALL {
        let column = field.column();
        let (own, others) = (of(old, column), of(other, column));
        let takes = own.is_null() || (take.contains(&field) && !others.is_null());
        if field == ContactField::Email {
            takes_address = takes;
        }
        settled.push((column, if takes { others } else { own }));
    }
    // Who is known to have to do with something has to do with it.
    let own = of(old, "subscriber_type");
    let kind = if own == json!(SubscriberType::General) {
        of(other, "subscriber_type")
    } else {
        own
    };
    settled.push(("subscriber_type", kind));
    let either = |column| of(old, column) == json!(true) || of(other, column) == json!(true);
    let both = |column| of(old, column) == json!(true) && of(other, column) == json!(true);
    // policy 3: consent is both records' or nobody's, and whoever said no to one said no.
    settled.push(("visible_to_students", json!(both("visible_to_students"))));
    settled.push(("do_not_email", json!(either("do_not_email"))));
    let opted_out = [of(old, "bulk_opted_out_at"), of(other, "bulk_opted_out_at")]
        .into_iter()
        .find(|moment| !moment.is_null());
    settled.push(("bulk_opted_out_at", opted_out.unwrap_or_default()));
    // The bounces are an address's.
    let holds = if takes_address { other } else { old };
    settled.push(("on_hold_at", of(holds, "on_hold_at")));
    settled
}

/// Whoever holds an older version is told that it changed.
pub(super) async fn raise_version(tx: &Tx, id: ContactId) -> Result<()> {
    use sea_orm::sea_query::ExprTrait;

    contact::Entity::update_many()
        .col_expr(
            contact::Column::Version,
            ExprTrait::add(Expr::col(contact::Column::Version), 1),
        )
        .col_expr(contact::Column::UpdatedAt, Expr::value(tx.now()))
        .filter(contact::Column::Id.eq(id))
        .exec(tx.conn())
        .await?;
    Ok(())
}
