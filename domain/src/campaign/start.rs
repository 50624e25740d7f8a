//! Starting a campaign: now, or by itself at its time.

use chrono::{DateTime, Utc};
use entity::{
    access_grant::Permission,
    campaign::{self, CampaignState},
    delivery,
    ids::{CampaignId, UserId},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    audience::{self, Sender},
    ledger::Lane,
    lock, locked, promotion,
    words::{Words, WordsError},
    wrong_state,
};
use crate::{
    error::{Error, RefusalCode, Refusals, Result},
    job::{Job, Queue},
    live::LiveEvent,
    mail_rules::MailRules,
    store::Tx,
    suppression::AddressKey,
    viewer::Viewer,
};

/// After how many renderings other work gets its turn.
const RENDERED_AT_ONCE: usize = 200;
/// What starts wait for each other by, while anybody gets no more than so many mails.
const CAPS: &str = "campaign.caps";
/// How many recipients a refusal names.
const NAMED: usize = 3;

/// When a campaign may start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// Not before this time; `None` is now.
    pub not_before: Option<DateTime<Utc>>,
    /// Not after it.
    pub not_after: Option<DateTime<Utc>>,
}

/// Starts a campaign whose time has come.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct StartCampaign {
    /// The campaign.
    pub campaign_id: CampaignId,
    /// The time that was set. The campaign may have been given another since.
    pub not_before: DateTime<Utc>,
}

impl Job for StartCampaign {
    const KIND: &'static str = "campaign.start";
    const QUEUE: Queue = Queue::Bulk;

    fn unique_key(&self) -> Option<String> {
        Some(format!(
            "{}/{}/{}",
            Self::KIND,
            self.campaign_id,
            self.not_before.timestamp_micros()
        ))
    }
}

/// Starts a campaign now, or has it start at its time. A campaign that waits for its time can be given another.
///
/// The audience is frozen when it starts, and every recipient's mail is rendered before the first one goes out: where one
/// can't be, nothing is sent.
pub async fn schedule(
    tx: &mut Tx,
    viewer: &Viewer,
    id: CampaignId,
    timing: Timing,
) -> Result<campaign::Model> {
    let campaign = locked(tx, viewer, id).await?;
    if !matches!(
        campaign.state,
        CampaignState::Draft | CampaignState::Scheduled
    ) {
        return Err(wrong_state(&campaign, "scheduled"));
    }
    check_timing(timing, tx.now())?;
    set_going(tx, viewer, campaign, viewer.user_id(), timing).await
}

/// Whether there is a time at which a campaign could start.
pub(super) fn check_timing(timing: Timing, now: DateTime<Utc>) -> Result<()> {
    let mut refusals = Refusals::default();
    if let Some(not_after) = timing.not_after {
        refusals.add_if(
            not_after <= now,
            RefusalCode::InThePast,
            "notAfter",
            "This time has passed.",
        );
        refusals.add_if(
            timing.not_before.is_some_and(|start| not_after <= start),
            RefusalCode::EndsBeforeStart,
            "notAfter",
            "This is before the time at which it is to start.",
        );
    }
    refusals.into_result()
}

/// Starts a campaign in the name of `by`, or has it start at its time.
pub(super) async fn set_going(
    tx: &mut Tx,
    viewer: &Viewer,
    campaign: campaign::Model,
    by: Option<UserId>,
    timing: Timing,
) -> Result<campaign::Model> {
    let (id, now) = (campaign.id, tx.now());
    let Some(not_before) = timing.not_before.filter(|start| *start > now) else {
        return start(tx, viewer, campaign, by).await;
    };

    let key = AddressKey::load(tx.conn(), now).await?;
    let sender = Sender {
        user_id: by,
        topic: campaign.mail_topic_id,
        rules: MailRules::load(tx.conn()).await?.0,
        now,
    };
    let who = audience::meant_by(tx.conn(), &campaign, by, now).await?;
    let preview = audience::preview(tx.conn(), &key, &who, sender).await?;
    if preview.recipients == 0 {
        return Err(audience::empty(&preview));
    }
    check_review(&campaign, sender.rules, preview.recipients)?;
    let mut row = campaign.clone().into_active_model();
    row.state = Set(CampaignState::Scheduled);
    row.not_before = Set(Some(not_before));
    row.not_after = Set(timing.not_after);
    row.scheduled_by = Set(by);
    row.refusal = Set(None);
    row.version = Set(campaign.version + 1);
    row.updated_at = Set(now);
    let scheduled = row.update(tx.conn()).await?;
    let job = StartCampaign {
        campaign_id: id,
        not_before,
    };
    tx.enqueue(&job, Some(not_before)).await?;
    tx.audit(
        viewer,
        "campaign.scheduled",
        id,
        None,
        Some(json!({ "notBefore": not_before, "notAfter": timing.not_after })),
    )
    .await?;
    tx.announce(LiveEvent::CampaignProgress { campaign_id: id });
    Ok(scheduled)
}

/// Starts a campaign whose time has come, in the name of whoever set the time and if they still may. `false` when there is
/// nothing to start: it was cancelled or given another time.
///
/// When it can't start, the refusal is the error; see [`give_up_start`].
pub async fn start_scheduled(tx: &mut Tx, job: StartCampaign) -> Result<bool> {
    let Some(campaign) = lock(tx, job.campaign_id).await? else {
        return Ok(false);
    };
    let waits = campaign.state == CampaignState::Scheduled
        && campaign.not_before == Some(job.not_before)
        && job.not_before <= tx.now();
    if !waits {
        return Ok(false);
    }
    if campaign.not_after.is_some_and(|last| last < tx.now()) {
        let mut row = campaign.into_active_model();
        row.state = Set(CampaignState::Missed);
        row.finished_at = Set(Some(tx.now()));
        row.updated_at = Set(tx.now());
        row.update(tx.conn()).await?;
        tx.audit(
            &Viewer::system(),
            "campaign.missed",
            job.campaign_id,
            None,
            None,
        )
        .await?;
        tx.announce(LiveEvent::CampaignProgress {
            campaign_id: job.campaign_id,
        });
        return Ok(true);
    }
    let sender = match campaign.scheduled_by {
        Some(id) => Viewer::load(tx.conn(), id, None, tx.now()).await?,
        None => None,
    };
    let sender = sender.filter(|sender| sender.has(Permission::SendBulkEmail));
    let Some(sender) = sender else {
        return Err(Error::refused_whole(
            RefusalCode::WrongState,
            "Whoever set the time may no longer send bulk e-mail.",
        ));
    };
    let by = sender.user_id();
    start(tx, &sender, campaign, by).await?;
    Ok(true)
}

/// Puts a campaign that could not start at its time back among the drafts, with the reason.
pub async fn give_up_start(tx: &mut Tx, id: CampaignId, why: &str) -> Result<()> {
    let Some(campaign) = lock(tx, id).await? else {
        return Ok(());
    };
    if campaign.state != CampaignState::Scheduled {
        return Ok(());
    }
    let version = campaign.version + 1;
    let mut row = campaign.into_active_model();
    row.state = Set(CampaignState::Draft);
    row.refusal = Set(Some(why.to_owned()));
    row.segment_asked = Set(None);
    row.approved_by = Set(None);
    row.approved_at = Set(None);
    row.version = Set(version);
    row.updated_at = Set(tx.now());
    row.update(tx.conn()).await?;
    tx.audit(
        &Viewer::system(),
        "campaign.refused",
        id,
        None,
        Some(json!({ "refusal": why })),
    )
    .await?;
    tx.announce(LiveEvent::CampaignProgress { campaign_id: id });
    Ok(())
}

async fn start(
    tx: &mut Tx,
    viewer: &Viewer,
    campaign: campaign::Model,
    by: Option<UserId>,
) -> Result<campaign::Model> {
    let (id, now, version) = (campaign.id, tx.now(), campaign.version);
    let campaign = campaign::Model {
        scheduled_by: by,
        ..campaign
    };
    let words = Words::parse(&campaign.subject, &campaign.body)
        .map_err(|error| Error::refused_whole(RefusalCode::CannotRender, error.to_string()))?;
    let key = AddressKey::load(tx.conn(), now).await?;
    let who = audience::meant_by(tx.conn(), &campaign, by, now).await?;
    let (rules, _) = MailRules::load(tx.conn()).await?;
    if rules.has_caps() {
        // Of two campaigns at once, the second counts what the first has written: the last place is given once.
        tx.hold(CAPS).await?;
    }
    let sender = Sender {
        user_id: by,
        topic: campaign.mail_topic_id,
        rules,
        now,
    };
    let preview = audience::preview(tx.conn(), &key, &who, sender).await?;
    let recipients = audience::freeze(tx, &key, id, &who, sender).await?;
    if recipients == 0 {
        return Err(audience::empty(&preview));
    }
    check_review(&campaign, rules, recipients)?;
    render_all(tx, id, &words).await?;
    promotion::freeze(tx, &campaign).await?;

    let mut row = campaign.into_active_model();
    row.state = Set(CampaignState::Sending);
    row.not_before = Set(None);
    row.scheduled_by = Set(by);
    row.refusal = Set(None);
    row.started_at = Set(Some(now));
    row.segment_asked = Set(who.kept()?);
    row.recipients = Set(i32::try_from(recipients).unwrap_or(i32::MAX));
    row.skipped = Set(serde_json::to_value(&preview.skipped)?);
    row.version = Set(version + 1);
    row.updated_at = Set(now);
    let started = row.update(tx.conn()).await?;
    Lane::enqueue_all(tx, id).await?;
    tx.audit(
        viewer,
        "campaign.started",
        id,
        None,
        Some(json!({ "recipients": recipients, "skipped": started.skipped })),
    )
    .await?;
    tx.announce(LiveEvent::CampaignProgress { campaign_id: id });
    Ok(started)
}

/// Refuses what goes to many and was seen by nobody but its sender.
fn check_review(campaign: &campaign::Model, rules: MailRules, recipients: u64) -> Result<()> {
    let limit = match rules.review_above {
        Some(limit) if recipients > limit.into() && campaign.approved_by.is_none() => limit,
        _ => return Ok(()),
    };
    Err(Error::refused(
        RefusalCode::NeedsAgreement,
        "campaignId",
        format!(
            "It goes to {recipients} recipients. Above {limit}, a second sender has to look at it: submit it for review \
             with submitCampaign."
        ),
    ))
}

/// Renders every mail of the frozen audience, and refuses when one can't be.
async fn render_all(tx: &Tx, id: CampaignId, words: &Words) -> Result<()> {
    let recipients: Vec<(String, Value)> = delivery::Entity::find()
        .select_only()
        .columns([delivery::Column::RecipientName, delivery::Column::Fields])
        .filter(delivery::Column::CampaignId.eq(id))
        .order_by_asc(delivery::Column::Id)
        .into_tuple()
        .all(tx.conn())
        .await?;
    let mut failed: Vec<(&str, WordsError)> = Vec::new();
    for some in recipients.chunks(RENDERED_AT_ONCE) {
        for (name, fields) in some {
            if let Err(error) = words.check(fields) {
                failed.push((name, error));
            }
        }
        tokio::task::yield_now().await;
    }
    if failed.is_empty() {
        return Ok(());
    }
    let named: Vec<String> = failed
        .iter()
        .take(NAMED)
        .map(|(name, error)| format!("{name} ({error})"))
        .collect();
    let others = match failed.len().saturating_sub(NAMED) {
        0 => String::new(),
        others => format!(" and {others} more"),
    };
    Err(Error::refused_whole(
        RefusalCode::CannotRender,
        format!(
            "Nothing was sent: the mail can't be written to {} of {} recipients: {}{others}. \
             Say what stands in for an empty field, as in {{{{ job_title or \"colleague\" }}}}.",
            failed.len(),
            recipients.len(),
            named.join("; "),
        ),
    ))
}
