//! Transactional mail: letters that belong to one person and one occasion.
//!
//! A letter is a row of the ledger, written with the change it tells of; a job hands it to the relay. Bulk e-mail has
//! rules of its own, in [`crate::campaign`].

use chrono::{DateTime, Utc};
use entity::{
    delivery::{self, DeliveryState},
    ids::{CampaignId, DeliveryId, UserId},
    user,
};
use sea_orm::{ActiveValue::Set, EntityTrait, sea_query::OnConflict};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    calendar::Entry,
    clock::{university_day, university_hour},
    email_address::EmailAddress,
    error::{Error, Result},
    job::{Job, Queue},
    request,
    store::Tx,
};

/// A letter to one person.
#[derive(Clone)]
pub struct Letter {
    /// The template it is rendered with, such as `place_given`.
    pub template: &'static str,
    /// Where it goes.
    pub to: EmailAddress,
    /// The name in the To field.
    pub name: String,
    /// The account of the recipient.
    pub user_id: Option<UserId>,
    /// What it is for, such as `no_show/evt_…/usr_…`: a second letter for the same purpose is not written.
    pub purpose_key: String,
    /// What the template is filled with.
    pub fields: Value,
}

impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Letter")
            .field("template", &self.template)
            .field("user_id", &self.user_id)
            .finish_non_exhaustive()
    }
}

impl Letter {
    /// A letter to the person of an account.
    pub fn to_account(
        account: &user::Model,
        template: &'static str,
        purpose_key: String,
        fields: Value,
    ) -> Result<Self> {
        let to = account
            .email
            .parse()
            .map_err(|error| Error::Fault(format!("the address of {}: {error}", account.id)))?;
        Ok(Self {
            template,
            to,
            name: account.name.clone(),
            user_id: Some(account.id),
            purpose_key,
            fields,
        })
    }
}

/// What is attached to a letter. It is made when the letter is sent; until then this says what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attachment {
    /// A calendar file with one event.
    Calendar(Box<Entry>),
    /// A picture that a reader of codes reads as this text. The HTML of the letter shows it as `cid:code`.
    QrCode(String),
    /// The files of a campaign, as they are when the letter is sent.
    OfCampaign(CampaignId),
}

/// Hands one letter to the relay.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct SendLetter {
    /// The letter.
    pub delivery_id: DeliveryId,
}

impl Job for SendLetter {
    const KIND: &'static str = "mail.send_letter";
    const QUEUE: Queue = Queue::Mail;

    fn unique_key(&self) -> Option<String> {
        Some(format!("{}/{}", Self::KIND, self.delivery_id))
    }
}

/// Posts `letter`: it goes out once this change has committed. `None` when one for the same purpose was posted before.
pub async fn post(tx: &mut Tx, letter: Letter) -> Result<Option<DeliveryId>> {
    post_with(tx, letter, &[]).await
}

/// As [`post`], with something attached.
pub async fn post_with(
    tx: &mut Tx,
    letter: Letter,
    attachments: &[Attachment],
) -> Result<Option<DeliveryId>> {
    let id = DeliveryId::new_at(tx.now());
    let mut row = row(id, letter, tx.now());
    if !attachments.is_empty() {
        let said = serde_json::to_value(attachments)
            .map_err(|error| Error::Fault(format!("an attachment can't be kept: {error}")))?;
        row.attachments = Set(Some(said));
    }
    let written = delivery::Entity::insert(row)
        .on_conflict(written_before())
        .exec_without_returning(tx.conn())
        .await?;
    if written == 0 {
        return Ok(None);
    }
    tx.enqueue(&SendLetter { delivery_id: id }, None).await?;
    Ok(Some(id))
}

/// What is attached to a letter of the ledger.
pub fn attachments(letter: &delivery::Model) -> Result<Vec<Attachment>> {
    let Some(said) = &letter.attachments else {
        return Ok(Vec::new());
    };
    serde_json::from_value(said.clone())
        .map_err(|error| Error::Fault(format!("an attachment can't be read: {error}")))
}

/// How many letters one statement writes.
const AT_ONCE: usize = 100;

/// Posts many letters, with two statements for a hundred of them. Those whose purpose was served before are left out.
pub async fn post_all(tx: &mut Tx, letters: Vec<Letter>) -> Result<()> {
    let now = tx.now();
    let mut letters = letters.into_iter();
    loop {
        let rows: Vec<(DeliveryId, Letter)> = letters
            .by_ref()
            .take(AT_ONCE)
            .map(|letter| (DeliveryId::new_at(now), letter))
            .collect();
        if rows.is_empty() {
            return Ok(());
        }
        // The job of a letter that was left out finds none, and is done.
        let jobs: Vec<SendLetter> = rows
            .iter()
            .map(|(id, _)| SendLetter { delivery_id: *id })
            .collect();
        delivery::Entity::insert_many(rows.into_iter().map(|(id, letter)| row(id, letter, now)))
            .on_conflict(written_before())
            .exec_without_returning(tx.conn())
            .await?;
        tx.enqueue_all(&jobs).await?;
    }
}

fn written_before() -> OnConflict {
    OnConflict::column(delivery::Column::PurposeKey)
        .do_nothing()
        .to_owned()
}

fn row(id: DeliveryId, letter: Letter, now: DateTime<Utc>) -> delivery::ActiveModel {
    delivery::ActiveModel {
        id: Set(id),
        campaign_id: Set(None),
        purpose_key: Set(Some(letter.purpose_key)),
        address_domain: Set(letter.to.domain().to_owned()),
        address: Set(letter.to.into()),
        recipient_name: Set(letter.name),
        contact_id: Set(None),
        user_id: Set(letter.user_id),
        template: Set(letter.template.to_owned()),
        fields: Set(letter.fields),
        attachments: Set(None),
        state: Set(DeliveryState::Queued),
        message_id: Set(message_id(id)),
        attempts: Set(0),
        next_attempt_at: Set(now),
        claimed_by: Set(None),
        claimed_until: Set(None),
        sent_at: Set(None),
        last_reply: Set(None),
        request_id: Set(request::current_id()),
        created_at: Set(now),
        bounce: Set(None),
        bounced_at: Set(None),
        complained_at: Set(None),
    }
}

/// What stands behind the `@` of every Message-ID.
pub const MESSAGE_ID_DOMAIN: &str = "mycareer.invalid";

/// The Message-ID of a delivery, without angle brackets (RFC 5322): the same at every try, so that a relay or a reader
/// can tell a repeat. It is the id in hexadecimal, which a statement that writes many rows can make too.
#[must_use]
pub fn message_id(id: DeliveryId) -> String {
    format!("{}@{MESSAGE_ID_DOMAIN}", id.uuid().simple())
}

/// `moment` as people at the university read it: `Tuesday 24 November 2026, 14:00`.
#[must_use]
pub fn in_university_time(moment: DateTime<Utc>) -> String {
    let day = university_day(moment).format("%A %-d %B %Y");
    format!("{day}, {}", university_hour(moment))
}
