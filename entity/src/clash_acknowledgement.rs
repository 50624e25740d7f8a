//! A severe clash that an organiser knew of, and why they went on all the same (policy 2.4).

use sea_orm::entity::prelude::*;

use crate::ids::{ClashAcknowledgementId, EventId, UserId};
use crate::personal_data::personal_data;

/// A row of `clash_acknowledgement`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "clash_acknowledgement")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ClashAcknowledgementId,
    /// The event that was put on the calendar, or changed there.
    pub event_id: EventId,
    /// The event it clashes with; there is one row for both.
    pub other_event_id: EventId,
    /// What clashes, as it was said to the organiser.
    pub why: String,
    /// Why it is to be so all the same.
    pub reason: String,
    /// Who said so.
    pub acknowledged_by: UserId,
    /// When.
    pub acknowledged_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "clash_acknowledgement": "Who let an event clash with another, and the reason they gave.";
    erasure: Keep("why two events clashed must be known with them; the account is a pseudonym then");
    retention: Until::Always.because("it goes with the events, whose reports compare years (policy 2.4)");
    Hand => acknowledged_by;
    Words => why, reason;
    Nothing => id, event_id, other_event_id, acknowledged_at;
}
