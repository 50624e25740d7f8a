//! Liaise first: the rule of who reaches a key account contact (policy 2.3).
//!
//! There is one rule, in SQL, and everything that reaches contacts asks it: the fields of a contact, filters by address,
//! the audience of a campaign and the claim of each of its mails. It looks at the rows as they are now, so that a grant
//! that ran out, an agreement that is over and a claim that was handed over count at once, before any job has run.

use chrono::{DateTime, Utc};
use entity::{
    access_grant::Permission,
    contact,
    ids::{ContactId, KeyAccountId, NoteId, UserId},
    key_account::{self, KeyAccountState},
    key_account_contact as held_contact,
    liaison_request::{self, LiaisonState},
    note, user,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, FromQueryResult, JoinType,
    QueryFilter, QuerySelect, QueryTrait, RelationDef, Select,
    sea_query::{Expr, Query, SelectStatement, SubQueryStatement},
};
use uuid::Uuid;

use crate::{
    error::{Error, Result},
    store::Tx,
    viewer::{Viewer, holders},
};

/// How a contact of a key account stands to a viewer.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Standing {
    /// The contact.
    pub contact_id: ContactId,
    /// The key account.
    pub key_account_id: KeyAccountId,
    /// The Key Account Operator.
    pub operator_id: UserId,
    /// The name of the Key Account Operator.
    pub operator_name: String,
    /// Since when the contact is one.
    pub named_at: DateTime<Utc>,
    /// The note that says how they are to be approached.
    pub guidance_note_id: NoteId,
    /// What it says.
    pub guidance: String,
    /// Whether the viewer must liaise first.
    pub must_liaise: bool,
}

/// A contact whose details are shown together with the guidance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WithGuidance {
    /// The contact.
    pub contact: contact::Model,
    /// How it stands; none when it is no key account contact.
    pub standing: Option<Standing>,
}

fn account_of_contact() -> RelationDef {
    held_contact::Entity::belongs_to(key_account::Entity)
        .from(held_contact::Column::KeyAccountId)
        .to(key_account::Column::Id)
        .into()
}

fn operator_of_account() -> RelationDef {
    key_account::Entity::belongs_to(user::Entity)
        .from(key_account::Column::OperatorId)
        .to(user::Column::Id)
        .into()
}

fn guidance_of_contact() -> RelationDef {
    held_contact::Entity::belongs_to(note::Entity)
        .from(held_contact::Column::GuidanceNoteId)
        .to(note::Column::Id)
        .into()
}

/// The contacts of key accounts that count at `now`: the claim stands, and so does its operator's access.
fn held(now: DateTime<Utc>) -> Select<held_contact::Entity> {
    held_contact::Entity::find()
        .join(JoinType::InnerJoin, account_of_contact())
        .filter(held_contact::Column::EndedAt.is_null())
        .filter(counts(now))
}

/// Whether a claim counts at `now`, as a condition on `key_account`.
pub(super) fn counts(now: DateTime<Utc>) -> Condition {
    Condition::all()
        .add(key_account::Column::State.eq(KeyAccountState::Live))
        .add(key_account::Column::OperatorId.in_subquery(holders(Permission::ClaimKeyAccount, now)))
}

/// Whether the operator `who` must liaise before they contact a held contact: it isn't theirs, and no agreement of the
/// Key Account Operator lasts.
fn must_liaise(who: &Expr, now: DateTime<Utc>) -> Condition {
    let agreement = Query::select()
        .expr(Expr::val(1))
        .from(liaison_request::Entity)
        .and_where(liaison_request::Column::State.eq(LiaisonState::Agreed))
        .and_where(liaison_request::Column::ExpiresAt.gt(now))
        .and_where(
            liaison_request::Column::RequestedBy
                .into_expr()
                .eq(who.clone()),
        )
        .and_where(
            Expr::col((liaison_request::Entity, liaison_request::Column::ContactId))
                .equals((held_contact::Entity, held_contact::Column::ContactId)),
        )
        .and_where(
            Expr::col((
                liaison_request::Entity,
                liaison_request::Column::KeyAccountId,
            ))
            .equals((held_contact::Entity, held_contact::Column::KeyAccountId)),
        )
        .to_owned();
    Condition::all()
        .add(key_account::Column::OperatorId.into_expr().ne(who.clone()))
        .add(Expr::not_exists(agreement))
}

/// The ids of the contacts before whom the operator `who` must liaise.
pub(crate) fn guarded(who: &Expr, now: DateTime<Utc>) -> SelectStatement {
    held(now)
        .select_only()
        .column(held_contact::Column::ContactId)
        .filter(must_liaise(who, now))
        .into_query()
}

/// An operator as [`guarded`] wants one. Nobody has an agreement, and holds nothing.
pub(crate) fn operator(id: Option<UserId>) -> Expr {
    Expr::val(id.map_or(Uuid::nil(), UserId::uuid))
}

/// An operator whose id a statement finds, if there is one.
pub(crate) fn operator_found(by: SelectStatement) -> Expr {
    let found = Expr::SubQuery(None, Box::new(SubQueryStatement::SelectStatement(by)));
    sea_orm::sea_query::Func::coalesce([found, operator(None)]).into()
}

/// The contacts whose details are withheld from `viewer`, for whom they exist; none when nothing is withheld from them.
///
/// What the policy asks is between operators: consent decides about students, and an employer has its own contacts.
pub(crate) fn withheld_from(viewer: &Viewer, now: DateTime<Utc>) -> Option<SelectStatement> {
    (viewer.is_staff() && !viewer.is_system()).then(|| guarded(&operator(viewer.user_id()), now))
}

/// Those of the addresses that a contact has whose details are withheld from `viewer`. For addresses that stand elsewhere than
/// with the contact: whoever asks to join an organisation may be one of its contacts.
pub async fn withheld_addresses(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    now: DateTime<Utc>,
    addresses: &[&str],
) -> Result<Vec<String>> {
    let Some(withheld) = withheld_from(viewer, now) else {
        return Ok(Vec::new());
    };
    let found: Vec<Option<String>> = contact::Entity::find()
        .select_only()
        .column(contact::Column::Email)
        .filter(contact::Column::Email.is_in(addresses.iter().copied()))
        .filter(contact::Column::Id.in_subquery(withheld))
        .into_tuple()
        .all(db)
        .await?;
    Ok(found.into_iter().flatten().collect())
}

/// How those of the contacts stand to `viewer` that are key account contacts. Nobody but staff knows that there are any.
pub async fn standings(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    now: DateTime<Utc>,
    ids: &[ContactId],
) -> Result<Vec<Standing>> {
    if !viewer.is_staff() || ids.is_empty() {
        return Ok(Vec::new());
    }
    let must_liaise = if viewer.is_system() {
        Condition::all().add(crate::organisation::nothing())
    } else {
        must_liaise(&operator(viewer.user_id()), now)
    };
    Ok(held(now)
        .join(JoinType::InnerJoin, operator_of_account())
        .join(JoinType::InnerJoin, guidance_of_contact())
        .filter(held_contact::Column::ContactId.is_in(ids.iter().copied()))
        .select_only()
        .columns([
            held_contact::Column::ContactId,
            held_contact::Column::KeyAccountId,
            held_contact::Column::NamedAt,
            held_contact::Column::GuidanceNoteId,
        ])
        .column(key_account::Column::OperatorId)
        .column_as(user::Column::Name, "operator_name")
        .column_as(note::Column::Body, "guidance")
        .expr_as(Expr::from(must_liaise), "must_liaise")
        .into_model::<Standing>()
        .all(db)
        .await?)
}

/// How one contact stands to `viewer`; none when it is no key account contact, or not for them to know.
pub(crate) async fn standing(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    now: DateTime<Utc>,
    id: ContactId,
) -> Result<Option<Standing>> {
    Ok(standings(db, viewer, now, &[id]).await?.pop())
}

/// A contact with the guidance on contacting them. That it was shown, and to whom, is kept in the audit log.
pub async fn show_with_guidance(
    tx: &mut Tx,
    viewer: &Viewer,
    id: ContactId,
) -> Result<Option<WithGuidance>> {
    if !viewer.is_operator() {
        viewer.signed_in()?;
        return Err(Error::Forbidden(
            "Contact details are shown to operators: staff with training.".to_owned(),
        ));
    }
    let Some(contact) = crate::contact::find(tx.conn(), viewer, id).await? else {
        return Ok(None);
    };
    let standing = standing(tx.conn(), viewer, tx.now(), id).await?;
    if let Some(standing) = &standing {
        let shown = serde_json::json!({
            "keyAccountId": standing.key_account_id,
            "guidanceNoteId": standing.guidance_note_id,
            "withoutAgreement": standing.must_liaise,
        });
        tx.audit(viewer, "contact.show_with_guidance", id, None, Some(shown))
            .await?;
    }
    Ok(Some(WithGuidance { contact, standing }))
}
