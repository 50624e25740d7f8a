//! What somebody who came says of an event (policy 2.4).

use sea_orm::entity::prelude::*;

use crate::ids::{EventFeedbackId, EventId, UserId};
use crate::personal_data::personal_data;

/// A row of `event_feedback`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event_feedback")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EventFeedbackId,
    /// The event.
    pub event_id: EventId,
    /// Who says it.
    pub user_id: UserId,
    /// From 1, poor, to 5, very good.
    pub rating: i16,
    /// What was good.
    pub good: Option<String>,
    /// What is to be mended.
    pub mend: Option<String>,
    /// When it was said.
    pub given_at: DateTimeUtc,
    /// Since when employers may read its words; none while they may not.
    pub released_at: Option<DateTimeUtc>,
    /// Who let them.
    pub released_by: Option<UserId>,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "event_feedback": "What somebody said of an event that they came to.";
    erasure: Keep("ratings are counted by event, under a pseudonym");
    retention: Until::Erasure.because("reports compare years (policy 2.4)");
    Subject(Account) => user_id;
    Hand => released_by;
    Words => good, mend;
    Nothing => id, event_id, rating, given_at, released_at;
}
