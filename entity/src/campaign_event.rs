//! An event that a campaign's mail tells of, or that was left out of it (policy 2.5).

use sea_orm::entity::prelude::*;

use crate::ids::{CampaignId, EventId, UserId};
use crate::personal_data::personal_data;

/// A row of `campaign_event`. A draft has rows for what was left out; what goes into its mail is written when it starts.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "campaign_event")]
pub struct Model {
    /// The campaign.
    #[sea_orm(primary_key, auto_increment = false)]
    pub campaign_id: CampaignId,
    /// The event.
    #[sea_orm(primary_key, auto_increment = false)]
    pub event_id: EventId,
    /// Why it was left out; none when the mail tells of it.
    pub left_out_because: Option<String>,
    /// Who left it out; none where nobody chose.
    pub chosen_by: Option<UserId>,
    /// When.
    pub chosen_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "campaign_event": "Who left an event out of a bulk e-mail, and why.";
    erasure: Keep("what employers were told must be known; the account is a pseudonym then");
    retention: Until::Always.because("employers ask who was told what, and when (policy 2.5)");
    Hand => chosen_by;
    Words => left_out_because;
    Nothing => campaign_id, event_id, chosen_at;
}
