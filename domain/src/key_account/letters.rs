//! The letters about key accounts and liaison: to the Key Account Operator, and to the other side.

use entity::{
    contact,
    ids::{ContactId, OrganisationId, UserId},
    key_account, key_account_contact as held_contact,
    liaison_request::{self, LiaisonState},
    merge,
    note::{self, NoteKind},
    organisation, user,
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};

use super::guard::Standing;
use crate::{
    email_address::EmailAddress,
    error::Result,
    mail::Letter,
    notice::{self, Topic},
    store::Tx,
    viewer::Viewer,
};

/// The letter to whoever has lost a claim with their access.
const LAPSED: &str = "key_account_lapsed";

/// Somebody asks to contact a key account contact.
pub(crate) async fn liaison_requested(tx: &mut Tx, request: &liaison_request::Model) -> Result<()> {
    let fields = json!({ "purpose": request.purpose, "expires_at": request.expires_at });
    to_both(tx, "liaison_requested", request, &fields).await
}

/// The Key Account Operator has answered.
pub(crate) async fn liaison_answered(tx: &mut Tx, request: &liaison_request::Model) -> Result<()> {
    let fields = json!({
        "agreed": request.state == LiaisonState::Agreed,
        "purpose": request.purpose,
        "answer": request.answer.as_deref().unwrap_or("(no words were added)"),
        "until": request.agreed_until.unwrap_or(request.expires_at),
    });
    to_both(tx, "liaison_answered", request, &fields).await
}

/// A request or an agreement is over: its time has come, or the claim it was about has ended.
pub(crate) async fn liaison_expired(
    tx: &mut Tx,
    request: &liaison_request::Model,
    claim_ended: bool,
) -> Result<()> {
    let fields = json!({
        "was_agreed": request.agreed_until.is_some(),
        "claim_ended": claim_ended,
    });
    to_both(tx, "liaison_expired", request, &fields).await
}

/// A key account has another operator.
pub(super) async fn handed_over(
    tx: &mut Tx,
    account: &key_account::Model,
    from: UserId,
    to: UserId,
) -> Result<()> {
    let contacts = held_contact::Entity::find()
        .filter(held_contact::Column::KeyAccountId.eq(account.id))
        .filter(held_contact::Column::EndedAt.is_null())
        .count(tx.conn())
        .await?;
    let open = liaison_request::Entity::find()
        .filter(liaison_request::Column::KeyAccountId.eq(account.id))
        .filter(liaison_request::Column::State.eq(LiaisonState::Requested))
        .count(tx.conn())
        .await?;
    let organisation = organisation_name(tx, account.organisation_id).await?;
    let (giver, heir) = (person(tx, from).await?, person(tx, to).await?);
    let name = |person: &Option<user::Model>| {
        person
            .as_ref()
            .map_or_else(|| "Somebody".to_owned(), |person| person.name.clone())
    };
    for (recipient, is_heir) in [(&heir, true), (&giver, false)] {
        let fields = json!({
            "is_heir": is_heir,
            "organisation": organisation,
            "from": name(&giver),
            "to": name(&heir),
            "contacts": contacts,
            "open_requests": open,
            "link": account_link(account),
        });
        let occasion = format!("{}/{to}/{}", account.id, tx.now().timestamp_micros());
        write(
            tx,
            "key_account_handed_over",
            recipient.as_ref(),
            &occasion,
            fields,
        )
        .await?;
    }
    Ok(())
}

/// The organisations of some key accounts were merged, or are two again. Whoever did it knows.
pub(crate) async fn merged(
    tx: &mut Tx,
    viewer: &Viewer,
    merge: &merge::Model,
    accounts: &[key_account::Model],
) -> Result<()> {
    let left = organisation_name(tx, OrganisationId(merge.survivor_id)).await?;
    let by = viewer
        .person()
        .map_or("Somebody", |person| person.name.as_str());
    let others = accounts
        .iter()
        .filter(|account| Some(account.operator_id) != viewer.user_id());
    for account in others {
        let fields = json!({
            "is_undone": merge.undone_at.is_some(),
            "gone": merge.merged_name,
            "left": left,
            "by": by,
            "link": account_link(account),
        });
        let operator = person(tx, account.operator_id).await?;
        let occasion = format!("{}/{}", merge.id, merge.undone_at.is_some());
        write(
            tx,
            "key_account_merged",
            operator.as_ref(),
            &occasion,
            fields,
        )
        .await?;
    }
    Ok(())
}

/// A claim ended with its operator's access. Those who had asked are told by [`liaison_expired`].
pub(super) async fn lapsed(tx: &mut Tx, account: &key_account::Model) -> Result<()> {
    let fields = json!({
        "organisation": organisation_name(tx, account.organisation_id).await?,
        "link": format!("/organisations/{}", account.organisation_id),
    });
    let operator = person(tx, account.operator_id).await?;
    let occasion = account.id.to_string();
    write(tx, LAPSED, operator.as_ref(), &occasion, fields).await
}

/// Somebody recorded contact with a key account contact to which nobody had agreed.
pub(super) async fn contacted_without_agreement(
    tx: &mut Tx,
    author: &Viewer,
    note: &note::Model,
    held: &Standing,
) -> Result<()> {
    let kind = match note.kind {
        NoteKind::Meeting => "a meeting",
        NoteKind::Call => "a call",
        NoteKind::Email => "an exchange of e-mails",
        NoteKind::Visit => "a visit",
        NoteKind::Event | NoteKind::GuidanceOnContact | NoteKind::Other => "contact",
    };
    let author = author
        .person()
        .map_or("Somebody", |person| person.name.as_str());
    let fields = json!({
        "contact": contact_name(tx, held.contact_id).await?,
        "organisation": organisation_name(tx, note.organisation_id).await?,
        "author": author,
        "kind": kind,
        "happened_at": note.happened_at,
        "link": format!("/notes/{}", note.id),
    });
    let operator = person(tx, held.operator_id).await?;
    let occasion = format!("{}/{}", note.id, held.contact_id);
    write(
        tx,
        "contacted_without_agreement",
        operator.as_ref(),
        &occasion,
        fields,
    )
    .await
}

/// One letter to whoever asked, and one to the Key Account Operator.
async fn to_both(
    tx: &mut Tx,
    template: &'static str,
    request: &liaison_request::Model,
    more: &Value,
) -> Result<()> {
    let Some(account) = key_account::Entity::find_by_id(request.key_account_id)
        .one(tx.conn())
        .await?
    else {
        return Ok(());
    };
    let organisation = organisation_name(tx, account.organisation_id).await?;
    let contact = contact_name(tx, request.contact_id).await?;
    let requester = person(tx, request.requested_by).await?;
    let operator = person(tx, account.operator_id).await?;
    let name = |person: &Option<user::Model>| {
        person
            .as_ref()
            .map_or_else(|| "Somebody".to_owned(), |person| person.name.clone())
    };
    for (recipient, is_operator) in [(&operator, true), (&requester, false)] {
        let mut fields = json!({
            "is_operator": is_operator,
            "contact": contact,
            "organisation": organisation,
            "requester": name(&requester),
            "operator": name(&operator),
            "link": format!("/liaison/{}", request.id),
        });
        if let (Some(fields), Value::Object(more)) = (fields.as_object_mut(), more.clone()) {
            fields.extend(more);
        }
        let occasion = request.id.to_string();
        write(tx, template, recipient.as_ref(), &occasion, fields).await?;
    }
    Ok(())
}

/// Posts a letter to an account that still has an address.
async fn write(
    tx: &mut Tx,
    template: &'static str,
    to: Option<&user::Model>,
    occasion: &str,
    fields: Value,
) -> Result<()> {
    let Some((to, address)) = to.and_then(|to| Some((to, to.email.parse::<EmailAddress>().ok()?)))
    else {
        return Ok(());
    };
    let letter = Letter {
        template,
        to: address,
        name: to.name.clone(),
        user_id: Some(to.id),
        purpose_key: format!("{template}/{occasion}/{}", to.id),
        fields,
    };
    let topic = if template == LAPSED {
        Topic::Access
    } else {
        Topic::Liaison
    };
    notice::tell(tx, to.id, topic, letter).await?;
    Ok(())
}

async fn person(tx: &Tx, id: UserId) -> Result<Option<user::Model>> {
    Ok(user::Entity::find_by_id(id).one(tx.conn()).await?)
}

async fn organisation_name(tx: &Tx, id: OrganisationId) -> Result<String> {
    let found = organisation::Entity::find_by_id(id).one(tx.conn()).await?;
    Ok(found.map_or_else(String::new, |organisation| organisation.name))
}

async fn contact_name(tx: &Tx, id: ContactId) -> Result<String> {
    let found = contact::Entity::find_by_id(id).one(tx.conn()).await?;
    Ok(found.map_or_else(String::new, |contact| contact.name))
}

fn account_link(account: &key_account::Model) -> String {
    format!("/key-accounts/{}", account.id)
}
