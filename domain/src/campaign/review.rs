//! Review by a second trained sender, which a campaign to many recipients needs (policy 2.5).
//!
//! What is approved is what was read: a campaign that is in review can't be changed, and one that goes back to its author
//! has to be submitted again. It goes out in the name of whoever submitted it.

use entity::{
    access_grant::Permission,
    campaign::{self, CampaignState},
    ids::CampaignId,
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, IntoActiveModel};
use serde_json::json;

use super::{
    audience::{self, Sender},
    locked,
    start::{Timing, check_timing, set_going},
    words::Words,
    wrong_state,
};
use crate::{
    error::{Error, RefusalCode, Refusals, Result},
    live::LiveEvent,
    mail_rules::MailRules,
    store::Tx,
    suppression::AddressKey,
    text::Text,
    viewer::Viewer,
};

/// The longest reason for sending a campaign back, in characters.
const LONGEST_REASON: usize = 1_000;

/// Submits a draft to a second sender, with the time at which it is to start once it is approved.
pub async fn submit(
    tx: &mut Tx,
    viewer: &Viewer,
    id: CampaignId,
    timing: Timing,
) -> Result<campaign::Model> {
    let campaign = locked(tx, viewer, id).await?;
    if campaign.state != CampaignState::Draft {
        return Err(wrong_state(&campaign, "submitted"));
    }
    check_timing(timing, tx.now())?;
    Words::parse(&campaign.subject, &campaign.body)
        .map_err(|error| Error::refused_whole(RefusalCode::CannotRender, error.to_string()))?;
    let by = viewer.signed_in()?.id;
    let key = AddressKey::load(tx.conn(), tx.now()).await?;
    let sender = Sender {
        user_id: Some(by),
        topic: campaign.mail_topic_id,
        rules: MailRules::load(tx.conn()).await?.0,
        now: tx.now(),
    };
    let who = audience::meant_by(tx.conn(), &campaign, Some(by), tx.now()).await?;
    let preview = audience::preview(tx.conn(), &key, &who, sender).await?;
    if preview.recipients == 0 {
        return Err(audience::empty(&preview));
    }
    let version = campaign.version + 1;
    let mut row = campaign.into_active_model();
    row.state = Set(CampaignState::InReview);
    row.scheduled_by = Set(Some(by));
    row.segment_asked = Set(who.kept()?);
    row.not_before = Set(timing.not_before);
    row.not_after = Set(timing.not_after);
    row.refusal = Set(None);
    row.approved_by = Set(None);
    row.approved_at = Set(None);
    row.version = Set(version);
    row.updated_at = Set(tx.now());
    let submitted = row.update(tx.conn()).await?;
    let after = json!({
        "recipients": preview.recipients, "notBefore": timing.not_before, "notAfter": timing.not_after,
    });
    tx.audit(viewer, "campaign.submitted", id, None, Some(after))
        .await?;
    tx.announce(LiveEvent::CampaignProgress { campaign_id: id });
    Ok(submitted)
}

/// Approves a campaign as it is at `version`, and starts it or has it start at its time. Neither its author nor whoever
/// submitted it can: two people have to have looked.
pub async fn approve(
    tx: &mut Tx,
    viewer: &Viewer,
    id: CampaignId,
    version: i32,
) -> Result<campaign::Model> {
    let campaign = reviewed(tx, viewer, id, version, "approved").await?;
    let by = viewer.signed_in()?.id;
    let timing = Timing {
        not_before: campaign.not_before,
        not_after: campaign.not_after,
    };
    // The review may have taken longer than there was time.
    check_timing(timing, tx.now())?;
    let submitter = campaign.scheduled_by;
    let may_still = match submitter {
        Some(id) => Viewer::load(tx.conn(), id, None, tx.now()).await?,
        None => None,
    };
    if !may_still.is_some_and(|sender| sender.has(Permission::SendBulkEmail)) {
        return Err(Error::refused(
            RefusalCode::WrongState,
            "campaignId",
            "Whoever submitted it may no longer send bulk e-mail: decline it, so that somebody else submits it.",
        ));
    }
    let mut row = campaign.into_active_model();
    row.approved_by = Set(Some(by));
    row.approved_at = Set(Some(tx.now()));
    let approved = row.update(tx.conn()).await?;
    tx.audit(
        viewer,
        "campaign.approved",
        id,
        None,
        Some(json!({ "version": version })),
    )
    .await?;
    set_going(tx, viewer, approved, submitter, timing).await
}

/// Sends a campaign back to its author, with the reason.
pub async fn decline(
    tx: &mut Tx,
    viewer: &Viewer,
    id: CampaignId,
    reason: &str,
) -> Result<campaign::Model> {
    let mut refusals = Refusals::default();
    let reason = Text::block("reason", LONGEST_REASON).required(reason, &mut refusals);
    refusals.into_result()?;
    let campaign = locked(tx, viewer, id).await?;
    if campaign.state != CampaignState::InReview {
        return Err(wrong_state(&campaign, "declined"));
    }
    let version = campaign.version + 1;
    let mut row = campaign.into_active_model();
    row.state = Set(CampaignState::Draft);
    row.segment_asked = Set(None);
    row.refusal = Set(Some(reason.clone()));
    row.version = Set(version);
    row.updated_at = Set(tx.now());
    let declined = row.update(tx.conn()).await?;
    tx.audit(
        viewer,
        "campaign.declined",
        id,
        None,
        Some(json!({ "reason": reason })),
    )
    .await?;
    tx.announce(LiveEvent::CampaignProgress { campaign_id: id });
    Ok(declined)
}

async fn reviewed(
    tx: &Tx,
    viewer: &Viewer,
    id: CampaignId,
    version: i32,
    what: &str,
) -> Result<campaign::Model> {
    let campaign = locked(tx, viewer, id).await?;
    if campaign.state != CampaignState::InReview {
        return Err(wrong_state(&campaign, what));
    }
    if campaign.version != version {
        return Err(Error::refused(
            RefusalCode::Stale,
            "version",
            "It has been submitted anew since: read it again before you approve it.",
        ));
    }
    let by = viewer.user_id();
    if by == Some(campaign.created_by) || by == campaign.scheduled_by {
        return Err(Error::refused(
            RefusalCode::NeedsAgreement,
            "campaignId",
            "Somebody else who may send bulk e-mail has to approve it: you wrote or submitted it.",
        ));
    }
    Ok(campaign)
}
