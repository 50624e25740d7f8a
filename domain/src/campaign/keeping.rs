//! Beginning a campaign from an earlier one, and putting away what is over.

use entity::{
    campaign::{self, CampaignState},
    ids::CampaignId,
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, IntoActiveModel};

use super::{Audience, attachment, draft, locked, wrong_state};
use crate::{error::Result, mail_topic, store::Tx, viewer::Viewer};

/// Begins a campaign with the words, the files, the audience and the topic of another. A topic that is out of use is left out.
pub async fn copy(tx: &mut Tx, viewer: &Viewer, id: CampaignId) -> Result<campaign::Model> {
    let original = locked(tx, viewer, id).await?;
    let mut topic = original.mail_topic_id;
    let mut unknown = crate::error::Refusals::default();
    mail_topic::check(tx.conn(), topic, &mut unknown).await?;
    if unknown.into_result().is_err() {
        topic = None;
    }
    let copy = draft::Draft {
        name: draft::shortened(&format!("Copy of {}", original.name)),
        subject: original.subject.clone(),
        body: original.body.clone(),
        audience: Audience::of(&original),
        topic,
    };
    let created = draft::begin(tx, viewer, copy, draft::Segment::Kept).await?;
    attachment::add_those_of(tx, viewer, id, created.id).await?;
    Ok(created)
}

/// Puts a campaign that is over out of the list, or back into it.
pub async fn archive(
    tx: &mut Tx,
    viewer: &Viewer,
    id: CampaignId,
    archived: bool,
) -> Result<campaign::Model> {
    let campaign = locked(tx, viewer, id).await?;
    if !matches!(
        campaign.state,
        CampaignState::Sent | CampaignState::Cancelled | CampaignState::Missed
    ) {
        return Err(wrong_state(&campaign, "archived"));
    }
    if campaign.archived_at.is_some() == archived {
        return Ok(campaign);
    }
    let mut row = campaign.into_active_model();
    row.archived_at = Set(archived.then(|| tx.now()));
    row.updated_at = Set(tx.now());
    let changed = row.update(tx.conn()).await?;
    let action = if archived {
        "campaign.archived"
    } else {
        "campaign.brought_back"
    };
    tx.audit(viewer, action, id, None, None).await?;
    Ok(changed)
}
