//! A bulk e-mail to employer contacts (policy 2.5).

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::ids::{CampaignId, MailTopicId, SegmentId, UserId};
use crate::list::{IdList, SubscriberTypeList};
use crate::personal_data::personal_data;

/// Where a campaign stands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CampaignState {
    /// It is being written.
    Draft,
    /// A second trained sender looks at it.
    InReview,
    /// It starts by itself at its time.
    Scheduled,
    /// Its mails are going out.
    Sending,
    /// It was halted and can go on.
    Paused,
    /// No delivery is left to be sent.
    Sent,
    /// It was stopped for good.
    Cancelled,
    /// Its time passed before it could start.
    Missed,
}

/// A row of `campaign`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "campaign")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CampaignId,
    /// What its operators call it.
    pub name: String,
    /// The subject line, with fields in double braces.
    pub subject: String,
    /// The text, with fields in double braces.
    pub body: String,
    /// Where it stands.
    pub state: CampaignState,
    /// Tags of which an organisation must have every one.
    pub all_of: IdList,
    /// Tags of which it must have at least one; empty asks nothing.
    pub any_of: IdList,
    /// Tags of which it must have none.
    pub none_of: IdList,
    /// The segment in which it must be as well. It may be gone: what it asked is kept once the campaign has started.
    pub segment_id: Option<SegmentId>,
    /// Of which subscriber types a contact must be one; empty is all.
    pub subscriber_types: SubscriberTypeList,
    /// What the segment asked when the campaign was submitted or started: its name, its version, when that was, and its filter.
    pub segment_asked: Option<Json>,
    /// What it is about; none is everything that has no topic.
    pub mail_topic_id: Option<MailTopicId>,
    /// Who wrote it.
    pub created_by: UserId,
    /// It starts by itself at this time.
    pub not_before: Option<DateTimeUtc>,
    /// When it has not started by this time, it never does.
    pub not_after: Option<DateTimeUtc>,
    /// Who started it, or set the time for it.
    pub scheduled_by: Option<UserId>,
    /// Who approved it, when it needed a second sender's approval.
    pub approved_by: Option<UserId>,
    /// When they did.
    pub approved_at: Option<DateTimeUtc>,
    /// When it was put away.
    pub archived_at: Option<DateTimeUtc>,
    /// Why it could not start at its time, or why it was sent back.
    pub refusal: Option<String>,
    /// When its audience was frozen and sending began.
    pub started_at: Option<DateTimeUtc>,
    /// When no delivery was left to be sent.
    pub finished_at: Option<DateTimeUtc>,
    /// How many deliveries the frozen audience has.
    pub recipients: i32,
    /// How many were left out, by reason, when the audience was frozen.
    pub skipped: Json,
    /// Raised at every change, for optimistic concurrency.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When the row last changed.
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "campaign": "Who wrote a bulk e-mail and who started it.";
    erasure: Keep("what employers were told must be known; the account is a pseudonym then");
    retention: Until::Always.because("employers ask who was told what, and when (policy 2.5)");
    Hand => created_by, scheduled_by, approved_by;
    Words => name, subject, body, refusal, segment_asked;
    Nothing => id, state, all_of, any_of, none_of, segment_id, subscriber_types, mail_topic_id, approved_at, archived_at, not_before, not_after, started_at, finished_at, recipients, skipped,
        version, created_at, updated_at;
}
