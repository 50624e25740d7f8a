//! A copy of everything that is kept of a person, for them (policy 3): asked for, gathered by a job, told of by mail, and
//! fetched by a link that works for whoever has it, until it expires and the copy is deleted.

use chrono::TimeDelta;
use entity::{
    ids::{ContactId, SubjectAccessId, UserId},
    subject_access::{self, SubjectAccessState},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QuerySelect,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{Person, export};
use crate::{
    error::{Error, RefusalCode, Result},
    job::{Job, Queue},
    mail::{self, Letter},
    signed_link,
    store::{Store, Tx},
    suppression::AddressKey,
    viewer::Viewer,
};

/// Where links lead, before the token.
pub const PATH: &str = "/personal-data/";
/// What their signature is for.
const PURPOSE: &str = "personal_data";
/// How long a copy can be fetched.
const KEPT_FOR: TimeDelta = TimeDelta::days(7);
/// How soon after one copy another can be asked for.
const NOT_AGAIN_WITHIN: TimeDelta = TimeDelta::hours(24);
/// The input field that names the person.
const PERSON: &str = "personId";

/// Gathers the copy that was asked for.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct GatherCopy {
    /// What was asked for.
    pub subject_access_id: SubjectAccessId,
}

impl Job for GatherCopy {
    const KIND: &'static str = "person.gather_copy";
    const QUEUE: Queue = Queue::Housekeeping;

    fn unique_key(&self) -> Option<String> {
        Some(format!("{}/{}", Self::KIND, self.subject_access_id))
    }
}

/// Has a copy made of everything that is kept of a person, and has them told when it is there: of the viewer, or of the
/// person with this id, which only administrators ask for.
pub async fn request(
    tx: &mut Tx,
    viewer: &Viewer,
    of: Option<&str>,
) -> Result<subject_access::Model> {
    let own = viewer.signed_in()?.id;
    if of.is_some_and(|id| id != own.to_string()) && !viewer.is_administrator() {
        return Err(Error::Forbidden(
            "A copy of everything that is kept of somebody can be asked for by themselves and by administrators only."
                .to_owned(),
        ));
    }
    let named = of.map_or_else(|| own.to_string(), str::to_owned);
    let person = Person::find(tx.conn(), &named).await?;
    let user_id = person.accounts.first().map(|account| account.id);
    let contact_id = person.contacts.first().map(|contact| contact.id);
    let address = match person.accounts.first() {
        Some(account) => Some(account.email.clone()),
        None => person.addresses().into_iter().next(),
    };
    let Some(address) = address else {
        let why = "They have no e-mail address that they could be told at.";
        return Err(Error::refused(RefusalCode::Required, PERSON, why));
    };
    tx.hold(&format!("{PURPOSE}/{named}")).await?;
    let lately = subject_access::Entity::find()
        .filter(of_person(user_id, contact_id))
        .filter(subject_access::Column::RequestedAt.gt(tx.now() - NOT_AGAIN_WITHIN))
        .count(tx.conn())
        .await?;
    if lately > 0 {
        let why =
            "A copy was asked for within the last 24 hours: the mail about it comes, or has come.";
        return Err(Error::refused(RefusalCode::WrongState, PERSON, why));
    }
    let row = subject_access::ActiveModel {
        id: Set(SubjectAccessId::new_at(tx.now())),
        user_id: Set(user_id),
        contact_id: Set(contact_id),
        address: Set(address.to_lowercase()),
        requested_by: Set(own),
        state: Set(SubjectAccessState::Requested),
        requested_at: Set(tx.now()),
        made_at: Set(None),
        expires_at: Set(tx.now() + KEPT_FOR),
        fetched_at: Set(None),
        document: Set(None),
    }
    .insert(tx.conn())
    .await?;
    let job = GatherCopy {
        subject_access_id: row.id,
    };
    tx.enqueue(&job, None).await?;
    let subject = person.written_ids().join(" ");
    let what = json!({ "subjectAccessId": row.id });
    tx.audit(viewer, "person.request_export", subject, None, Some(what))
        .await?;
    Ok(row)
}

fn of_person(user_id: Option<UserId>, contact_id: Option<ContactId>) -> Condition {
    let mut any = Condition::any();
    if let Some(user_id) = user_id {
        any = any.add(subject_access::Column::UserId.eq(user_id));
    }
    if let Some(contact_id) = contact_id {
        any = any.add(subject_access::Column::ContactId.eq(contact_id));
    }
    any
}

/// Gathers a copy and posts the letter about it. Does nothing when that was done before, or the person is gone.
pub async fn gather(tx: &mut Tx, id: SubjectAccessId) -> Result<()> {
    let row = subject_access::Entity::find_by_id(id)
        .filter(subject_access::Column::State.eq(SubjectAccessState::Requested))
        .lock_exclusive()
        .one(tx.conn())
        .await?;
    let Some(row) = row else {
        return Ok(());
    };
    let named = match (row.user_id, row.contact_id) {
        (Some(id), _) => id.to_string(),
        (None, Some(id)) => id.to_string(),
        (None, None) => return Err(Error::Fault(format!("{id} is of nobody"))),
    };
    let copy = export(tx, &Viewer::system(), &named).await?;
    let person = Person::find(tx.conn(), &named).await?;
    let name = person
        .accounts
        .first()
        .map(|account| account.name.clone())
        .or_else(|| person.contacts.first().map(|contact| contact.name.clone()))
        .unwrap_or_default();
    let to = row
        .address
        .parse()
        .map_err(|error| Error::Fault(format!("the address of {named}: {error}")))?;
    let by_themselves = person
        .accounts
        .iter()
        .any(|account| account.id == row.requested_by);
    let (user_id, expires_at) = (row.user_id, tx.now() + KEPT_FOR);
    let mut row = row.into_active_model();
    row.state = Set(SubjectAccessState::Ready);
    row.made_at = Set(Some(tx.now()));
    row.expires_at = Set(expires_at);
    row.document = Set(Some(serde_json::to_vec_pretty(&copy)?));
    row.update(tx.conn()).await?;
    let key = AddressKey::load(tx.conn(), tx.now()).await?;
    let token = signed_link::seal(&key, PURPOSE, id.uuid().as_bytes())?;
    let letter = Letter {
        template: "personal_data_ready",
        to,
        name,
        user_id,
        purpose_key: format!("personal_data_ready/{id}"),
        fields: json!({
            "by_themselves": by_themselves, "link": format!("{PATH}{token}"), "expires_at": expires_at,
        }),
    };
    mail::post(tx, letter).await?;
    Ok(())
}

/// Reads a token; `None` when it was not made here, or the copy has expired. Changes nothing.
pub async fn open(store: &Store, token: &str) -> Result<Option<subject_access::Model>> {
    let key = AddressKey::load(store.reader(), store.now()).await?;
    let id = signed_link::open(&key, PURPOSE, token)?.and_then(|id| Uuid::from_slice(&id).ok());
    let Some(id) = id.map(SubjectAccessId) else {
        return Ok(None);
    };
    Ok(subject_access::Entity::find_by_id(id)
        .filter(subject_access::Column::State.eq(SubjectAccessState::Ready))
        .filter(subject_access::Column::ExpiresAt.gt(store.now()))
        .one(store.reader())
        .await?)
}

/// Notes that a copy was fetched, as what.
pub async fn fetch(tx: &mut Tx, copy: &subject_access::Model, form: &'static str) -> Result<()> {
    if copy.fetched_at.is_none() {
        let mut row = copy.clone().into_active_model();
        row.fetched_at = Set(Some(tx.now()));
        row.update(tx.conn()).await?;
    }
    let subject = copy
        .user_id
        .map(|id| id.to_string())
        .or_else(|| copy.contact_id.map(|id| id.to_string()))
        .unwrap_or_default();
    let what = json!({ "subjectAccessId": copy.id, "form": form });
    tx.audit(
        &Viewer::anonymous(),
        "person.fetch_export",
        subject,
        None,
        Some(what),
    )
    .await
}
