//! Key accounts: one on a whole organisation, two on contacts of one with many touch points, and what was asked about them.

use chrono::TimeDelta;
use domain::{Error, Tx, liaison};
use entity::{
    contact,
    ids::{
        ContactId, KeyAccountContactId, KeyAccountId, LiaisonRequestId, NoteId, OrganisationId,
        UserId,
    },
    key_account::{self, KeyAccountScope, KeyAccountState},
    key_account_contact,
    liaison_request::{self, LiaisonState},
    note::{self, NoteKind},
    organisation,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use super::{employers::Employers, insert_all, people::People};

/// The organisation that the demo operator has claimed, by its position in the samples.
const CLAIMED: usize = 2;
/// The one that has many touch points.
const MANY_TOUCH_POINTS: usize = 4;

/// A contact that somebody holds.
struct Held<'a> {
    operator_id: UserId,
    scope: KeyAccountScope,
    name: &'a str,
    guidance: &'a str,
}

pub async fn load(tx: &Tx, employers: &Employers, people: &People) -> Result<(), Error> {
    let (Some(claimed), Some(many)) = (
        employers.organisation(CLAIMED),
        employers.organisation(MANY_TOUCH_POINTS),
    ) else {
        return Ok(());
    };
    organisation::Entity::update_many()
        .col_expr(organisation::Column::MultipleTouchPoints, Expr::val(true))
        .filter(organisation::Column::Id.eq(many))
        .exec(tx.conn())
        .await?;
    let imogen = Held {
        operator_id: people.operator,
        scope: KeyAccountScope::Whole,
        name: "Imogen Moss",
        guidance: "Only in term time, and through her clerk. She is on our advisory board: no sponsorship requests.",
    };
    let jo = Held {
        operator_id: people.operator,
        scope: KeyAccountScope::Contacts,
        name: "Jo Lennox",
        guidance: "Prefers a call before nine.",
    };
    let sana = Held {
        operator_id: people.administrator,
        scope: KeyAccountScope::Contacts,
        name: "Sana Iqbal",
        guidance: "Plans the graduate scheme in spring; ask about anything else in autumn.",
    };
    let asked = hold(tx, claimed, &imogen).await?;
    hold(tx, many, &jo).await?;
    let agreed = hold(tx, many, &sana).await?;
    let now = tx.now();
    let request =
        |(key_account_id, contact_id), requested_by, purpose: &str| liaison_request::Model {
            id: LiaisonRequestId::new_at(now),
            key_account_id,
            contact_id,
            requested_by,
            purpose: purpose.to_owned(),
            state: LiaisonState::Requested,
            requested_at: now - TimeDelta::days(2),
            expires_at: now - TimeDelta::days(2) + liaison::ANSWER_WITHIN,
            answered_by: None,
            answered_at: None,
            answer: None,
            agreed_until: None,
        };
    let open = request(
        asked,
        people.administrator,
        "Invite her to judge the enterprise prize.",
    );
    let until = now + liaison::AGREED_FOR;
    let answered = liaison_request::Model {
        state: LiaisonState::Agreed,
        expires_at: until,
        answered_by: Some(people.administrator),
        answered_at: Some(now - TimeDelta::days(1)),
        answer: Some("Yes, for the autumn fair.".to_owned()),
        agreed_until: Some(until),
        ..request(agreed, people.operator, "Invite her to the autumn fair.")
    };
    insert_all::<liaison_request::Entity>(tx, vec![open, answered]).await
}

/// Writes a key account with one contact, and its guidance.
async fn hold(
    tx: &Tx,
    organisation_id: OrganisationId,
    held: &Held<'_>,
) -> Result<(KeyAccountId, ContactId), Error> {
    let now = tx.now();
    let contact = contact::Entity::find()
        .filter(contact::Column::OrganisationId.eq(organisation_id))
        .filter(contact::Column::Name.eq(held.name))
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::Fault(format!("the demo data has no {}", held.name)))?;
    let account = key_account::Model {
        id: KeyAccountId::new_at(now),
        organisation_id,
        operator_id: held.operator_id,
        scope: held.scope,
        state: KeyAccountState::Live,
        claimed_at: now,
        held_since: now,
        ended_at: None,
    };
    let guidance = note::Model {
        id: NoteId::new_at(now),
        organisation_id,
        contact_id: Some(contact.id),
        kind: NoteKind::GuidanceOnContact,
        visibility: note::NoteVisibility::Staff,
        happened_at: now,
        body: held.guidance.to_owned(),
        outcome: None,
        next_action: None,
        next_action_due_at: None,
        next_action_done_at: None,
        next_action_done_by: None,
        author_id: held.operator_id,
        created_at: now,
    };
    let named = key_account_contact::Model {
        id: KeyAccountContactId::new_at(now),
        key_account_id: account.id,
        contact_id: contact.id,
        guidance_note_id: guidance.id,
        named_at: now,
        ended_at: None,
    };
    let ids = (account.id, contact.id);
    insert_all::<key_account::Entity>(tx, vec![account]).await?;
    insert_all::<note::Entity>(tx, vec![guidance]).await?;
    insert_all::<key_account_contact::Entity>(tx, vec![named]).await?;
    Ok(ids)
}
