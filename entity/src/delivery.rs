//! The ledger of mail: one mail to one recipient.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::ids::{CampaignId, ContactId, DeliveryId, UserId};
use crate::personal_data::personal_data;

/// Where a delivery stands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DeliveryState {
    /// It waits to be sent.
    Queued,
    /// It was claimed and may be on its way.
    Sending,
    /// The relay accepted it.
    Sent,
    /// The relay refused it for good.
    Failed,
    /// The connection broke after it was handed over: the relay may have it.
    Unknown,
    /// It must not be sent any more: the recipient opted out meanwhile.
    Skipped,
    /// Its campaign was cancelled first.
    Cancelled,
}

/// How the recipient's server sent a mail back after the relay had taken it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Bounce {
    /// For good: there is no such mailbox.
    Hard,
    /// This time: the mailbox was full, or its server did not want the mail.
    Soft,
}

/// A row of `delivery`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "delivery")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DeliveryId,
    /// The campaign it belongs to; none for transactional mail.
    pub campaign_id: Option<CampaignId>,
    /// What a transactional mail is for; unique, so that it is written once.
    pub purpose_key: Option<String>,
    /// The address, in lower case.
    pub address: String,
    /// The domain of the address.
    pub address_domain: String,
    /// The name in the To field.
    pub recipient_name: String,
    /// The contact it goes to.
    pub contact_id: Option<ContactId>,
    /// The account it goes to.
    pub user_id: Option<UserId>,
    /// The template it is rendered with.
    pub template: String,
    /// The fields that it is rendered with.
    pub fields: Json,
    /// What is attached to it; none where nothing is.
    pub attachments: Option<Json>,
    /// Where it stands.
    pub state: DeliveryState,
    /// Its Message-ID, without angle brackets; the same at every try.
    pub message_id: String,
    /// How many times it was handed to the relay.
    pub attempts: i32,
    /// Not before this time.
    pub next_attempt_at: DateTimeUtc,
    /// The claim that is sending it.
    pub claimed_by: Option<String>,
    /// Until when that claim holds.
    pub claimed_until: Option<DateTimeUtc>,
    /// When the relay accepted it.
    pub sent_at: Option<DateTimeUtc>,
    /// What the relay last said.
    pub last_reply: Option<String>,
    /// The request that caused it.
    pub request_id: Option<String>,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// How it came back, when it did.
    pub bounce: Option<Bounce>,
    /// When it came back.
    pub bounced_at: Option<DateTimeUtc>,
    /// When the recipient reported it as unwanted.
    pub complained_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "delivery": "A mail to one recipient: name, address, what it says of them, and what became of it.";
    erasure: Keep("mails are counted by campaign; the address is a pseudonym then");
    retention: ValuesFor(2 * 365, "created_at")
        .because("two years answer who was told what; the counts of a campaign stay");
    Subject(Contact) => contact_id;
    Subject(Account) => user_id;
    Subject(Address) => address;
    Value(Word) => recipient_name;
    Value(EmptyObject) => fields;
    Value(Null) => attachments;
    Words => last_reply;
    Nothing => id, campaign_id, purpose_key, address_domain, template, state, message_id, attempts, next_attempt_at,
        claimed_by, claimed_until, sent_at, request_id, created_at, bounce, bounced_at, complained_at;
}
