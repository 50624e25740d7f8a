//! A file that a campaign's mails bring along (policy 2.5).

use sea_orm::entity::prelude::*;

use crate::ids::{CampaignAttachmentId, CampaignId, UserId};
use crate::personal_data::personal_data;

/// A row of `campaign_attachment`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "campaign_attachment")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CampaignAttachmentId,
    /// The campaign.
    pub campaign_id: CampaignId,
    /// The name of the file, as recipients see it.
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// In bytes.
    pub size: i32,
    /// The file.
    pub bytes: Vec<u8>,
    /// Who added it.
    pub added_by: UserId,
    /// When.
    pub added_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "campaign_attachment": "Who added a file to a bulk e-mail.";
    erasure: Keep("what employers were told must be known; the account is a pseudonym then");
    retention: Until::Always.because("employers ask who was told what, and when (policy 2.5)");
    Hand => added_by;
    Words => name;
    Nothing => id, campaign_id, media_type, size, bytes, added_at;
}
