//! Bulk e-mail to the contacts of employers (policy 2.5).
//!
//! ```text
//! DRAFT --schedule--> SCHEDULED --its time--> SENDING --nothing left--> SENT
//!   |                     |   '--too late--> MISSED   |   ^
//!   |                     |                       pause   resume
//!   |                     |                           v   |
//!   |                     |                          PAUSED
//!   '------cancel---------'------cancel-----------------'--> CANCELLED
//! ```
//!
//! A DRAFT to many is submitted, and `IN_REVIEW` until a second sender approves it or sends it back.
//! SENT goes back to SENDING when a mail that is in doubt is to be sent again.
//!
//! - [`draft`]: what is written, to whom, and who may;
//! - [`words`]: subject and text with fields, rendered for every recipient before anybody is written to;
//! - [`attachment`]: files that its mails bring along;
//! - [`audience`]: who is reached, who is left out and why, and the ledger that the start writes;
//! - [`promotion`]: what else is coming up that the mail tells of, and why something was left out;
//! - [`overlap`]: campaigns to the same people, and one mail made of two;
//! - [`review`]: a second sender looks at what goes to many;
//! - [`start`]: now, or at its time;
//! - [`mod@planned`]: what waits for its time, for those who plan other mails;
//! - [`halt`]: pause, resume, cancel;
//! - [`ledger`]: taking mails off the ledger, a batch at a time;
//! - [`progress`]: what became of them;
//! - [`estimate`]: when the last of them may have gone out;
//! - [`complaint`]: what is done when recipients report it as unwanted;
//! - [`settle`]: what is true of those that are in doubt;
//! - [`preferences`]: what recipients say of topics, of bulk mail as a whole, and of being shown to students;
//! - [`unsubscribe`]: the way out that stands in every mail.

mod attachment;
mod audience;
mod complaint;
mod draft;
mod estimate;
mod halt;
mod keeping;
pub mod ledger;
pub mod markdown;
mod overlap;
mod planned;
pub mod preferences;
mod progress;
mod promotion;
mod review;
mod settle;
mod start;
pub mod unsubscribe;
mod words;

use chrono::{DateTime, Utc};
use entity::{
    access_grant::Permission,
    campaign::{self, CampaignState},
    contact,
    ids::{CampaignId, ContactId, MailTopicId, UserId},
    organisation,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, Order, PaginatorTrait, QueryFilter,
    QuerySelect, Select,
};

pub(crate) use self::complaint::note_complaint;
pub use self::{
    attachment::{Attached, File, attach, contents, detach, files, of_campaigns as attachments},
    audience::{Asked, Audience, MOST_TAGS, Preview, SkipReason, Skipped},
    draft::{Changes, Draft, create, send_test, update},
    estimate::{Estimate, estimates},
    halt::{cancel, pause, resume},
    keeping::{archive, copy},
    overlap::{Overlap, Read, join, overlaps},
    planned::{Planned, planned},
    progress::{Counts, DeliveryFilter, count_deliveries, counts, deliveries},
    promotion::{Promotion, bring_back, leave_out, promoted, promotions},
    review::{approve, decline, submit},
    settle::{Settlement, settle_deliveries, settle_delivery},
    start::{StartCampaign, Timing, give_up_start, schedule, start_scheduled},
    words::{FIELDS, Recipient, Words, WordsError, Written},
};
use crate::{
    error::{Error, RefusalCode, Result},
    job::{Job, Queue},
    mail_rules::MailRules,
    organisation::nothing,
    page::{Page, Slice},
    store::{Store, Tx},
    suppression::AddressKey,
    viewer::Viewer,
};

/// Which campaigns exist for `viewer`: all of them for those who may send bulk e-mail, none for others.
#[must_use]
pub fn visible_to(viewer: &Viewer) -> Condition {
    if viewer.has(Permission::SendBulkEmail) {
        Condition::all()
    } else {
        Condition::all().add(nothing())
    }
}

/// What a list of campaigns is narrowed by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those that stand there.
    pub state: Option<CampaignState>,
    /// Whether those that were put away are listed too.
    pub archived: bool,
}

/// The campaigns that exist for `viewer`, to be narrowed.
#[must_use]
pub fn visible(viewer: &Viewer) -> Select<campaign::Entity> {
    campaign::Entity::find().filter(visible_to(viewer))
}

/// The campaign with this id, if it exists for `viewer`.
pub async fn find(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    id: CampaignId,
) -> Result<Option<campaign::Model>> {
    Ok(visible(viewer)
        .filter(campaign::Column::Id.eq(id))
        .one(db)
        .await?)
}

/// One page of the campaigns that exist for `viewer`, the newest first.
pub async fn list(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    filter: Filter,
    page: &Page<CampaignId>,
) -> Result<Slice<campaign::Model>> {
    page.read(
        db,
        narrowed(viewer, filter),
        [campaign::Column::Id.into_expr()],
        Order::Desc,
    )
    .await
}

/// How many campaigns exist for `viewer`.
pub async fn count(db: &impl ConnectionTrait, viewer: &Viewer, filter: Filter) -> Result<u64> {
    Ok(narrowed(viewer, filter).count(db).await?)
}

fn narrowed(viewer: &Viewer, filter: Filter) -> Select<campaign::Entity> {
    let query = if filter.archived {
        visible(viewer)
    } else {
        visible(viewer).filter(campaign::Column::ArchivedAt.is_null())
    };
    match filter.state {
        Some(state) => query.filter(campaign::Column::State.eq(state)),
        None => query,
    }
}

/// How many contacts an audience would reach now with mail about a topic, and how many are left out and why. Nothing is kept.
pub async fn preview(
    store: &Store,
    viewer: &Viewer,
    audience: &Audience,
    topic: Option<MailTopicId>,
) -> Result<Preview> {
    viewer.require(Permission::SendBulkEmail)?;
    let mut refusals = crate::error::Refusals::default();
    audience.check(store.reader(), &mut refusals).await?;
    refusals.into_result()?;
    let now = store.now();
    let by = viewer.user_id();
    let who = audience.look_up(store.reader(), by, now).await?;
    preview_of(store, viewer, &who, topic).await
}

/// How many contacts a campaign would reach now, and how many are left out and why. Its segment is looked at in the name of
/// whoever submitted it, so that a second sender can review it.
pub async fn preview_campaign(
    store: &Store,
    viewer: &Viewer,
    campaign: &campaign::Model,
) -> Result<Preview> {
    viewer.require(Permission::SendBulkEmail)?;
    let waits = matches!(
        campaign.state,
        CampaignState::InReview | CampaignState::Scheduled
    );
    let by = if waits {
        campaign.scheduled_by
    } else {
        viewer.user_id()
    };
    let who = audience::meant_by(store.reader(), campaign, by, store.now()).await?;
    preview_of(store, viewer, &who, campaign.mail_topic_id).await
}

async fn preview_of(
    store: &Store,
    viewer: &Viewer,
    who: &audience::Meant,
    topic: Option<MailTopicId>,
) -> Result<Preview> {
    let now = store.now();
    let key = AddressKey::load(store.reader(), now).await?;
    let sender = audience::Sender {
        user_id: viewer.user_id(),
        topic,
        rules: MailRules::load(store.reader()).await?.0,
        now,
    };
    audience::preview(store.reader(), &key, who, sender).await
}

/// What the segment of a campaign asked when it was submitted or started, which is what it was then meant for. None before, and
/// where it has no segment.
pub fn segment_asked(campaign: &campaign::Model) -> Result<Option<Asked>> {
    audience::asked(campaign)
}

/// In whose name a campaign goes out, or would.
fn sender_of(campaign: &campaign::Model) -> UserId {
    campaign.scheduled_by.unwrap_or(campaign.created_by)
}

/// Whom a campaign means, in the name of its sender; `None` while that can't be said, because its segment is gone.
async fn meant_if_known(
    db: &impl ConnectionTrait,
    campaign: &campaign::Model,
    now: DateTime<Utc>,
) -> Result<Option<audience::Meant>> {
    match audience::meant_by(db, campaign, Some(sender_of(campaign)), now).await {
        Ok(who) => Ok(Some(who)),
        Err(Error::Refused(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The mail as a contact would get it, whoever they are, without what stands around it in every mail.
pub async fn mail_for(
    store: &Store,
    viewer: &Viewer,
    campaign: &campaign::Model,
    contact_id: ContactId,
) -> Result<Written> {
    viewer.require(Permission::SendBulkEmail)?;
    let found = crate::contact::visible(viewer)
        .filter(contact::Column::Id.eq(contact_id))
        .find_also_related(organisation::Entity)
        .one(store.reader())
        .await?;
    let Some((contact, Some(organisation))) = found else {
        return Err(Error::not_found("contactId", "contact"));
    };
    let recipient = Recipient {
        name: contact.name,
        organisation: organisation.name,
        job_title: contact.job_title,
    };
    Words::parse(&campaign.subject, &campaign.body)
        .and_then(|words| words.render(&recipient))
        .map_err(|error| Error::refused_whole(RefusalCode::CannotRender, error.to_string()))
}

/// Sends what is due of a part of a campaign's ledger. One campaign has several, which run side by side.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub struct SendCampaign {
    /// The part.
    pub lane: ledger::Lane,
}

impl Job for SendCampaign {
    const KIND: &'static str = "campaign.send";
    const QUEUE: Queue = Queue::Bulk;
    // Waiting costs no attempt, so this is how many workers may die over one part.
    const MAX_ATTEMPTS: i32 = 1_000;

    fn unique_key(&self) -> Option<String> {
        Some(format!("{}/{}", Self::KIND, self.lane))
    }
}

/// The campaign, locked until the transaction ends, for somebody who may send.
async fn locked(tx: &Tx, viewer: &Viewer, id: CampaignId) -> Result<campaign::Model> {
    viewer.require(Permission::SendBulkEmail)?;
    lock(tx, id)
        .await?
        .ok_or_else(|| Error::not_found("campaignId", "campaign"))
}

async fn lock(tx: &Tx, id: CampaignId) -> Result<Option<campaign::Model>> {
    Ok(campaign::Entity::find_by_id(id)
        .lock_exclusive()
        .one(tx.conn())
        .await?)
}

/// The refusal of something that can't be done with a campaign as it stands.
fn wrong_state(campaign: &campaign::Model, what: &str) -> Error {
    use sea_orm::ActiveEnum;
    Error::refused(
        RefusalCode::WrongState,
        "campaignId",
        format!(
            "A campaign that is {} can't be {what}.",
            campaign.state.to_value()
        ),
    )
}
