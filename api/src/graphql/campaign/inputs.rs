//! What mutations of campaigns take.

use async_graphql::{InputObject, MaybeUndefined};
use chrono::{DateTime, Utc};
use domain::campaign::{Audience, Changes, Draft, Read, Timing};
use entity::ids::{CampaignId, DeliveryId, EventId, MailTopicId, SegmentId, TagId};

use super::delivery::DeliverySettlement;
use crate::graphql::{contact::SubscriberType, id::Id};

/// Which organisations' contacts are meant. Name a segment, or at least one tag that they must have; where both are named, both
/// must hold.
#[derive(Debug, InputObject)]
pub struct CampaignAudienceInput {
    /// Tags of which an organisation has every one.
    #[graphql(default)]
    all_of_tags: Vec<Id<TagId>>,
    /// Tags of which it has at least one.
    #[graphql(default)]
    any_of_tags: Vec<Id<TagId>>,
    /// Tags of which it has none.
    #[graphql(default)]
    none_of_tags: Vec<Id<TagId>>,
    /// Of which subscriber types a contact is one; empty is all.
    #[graphql(default)]
    subscriber_types: Vec<SubscriberType>,
    /// The segment in which they are: one of one's own, or a shared one.
    segment_id: Option<Id<SegmentId>>,
    /// What the mail would be about.
    topic_id: Option<Id<MailTopicId>>,
}

impl CampaignAudienceInput {
    /// What the mail would be about.
    pub(super) fn topic(&self) -> Option<MailTopicId> {
        self.topic_id.map(|id| id.0)
    }
}

impl From<CampaignAudienceInput> for Audience {
    fn from(given: CampaignAudienceInput) -> Self {
        Self {
            all_of: plain(given.all_of_tags),
            any_of: plain(given.any_of_tags),
            none_of: plain(given.none_of_tags),
            subscriber_types: types(given.subscriber_types),
            segment_id: given.segment_id.map(|id| id.0),
        }
    }
}

/// A campaign to be begun.
#[derive(Debug, InputObject)]
pub struct CreateCampaignInput {
    /// What its operators call it.
    name: String,
    /// The subject line. The fields are `{{ name }}`, `{{ organisation }}` and `{{ job_title }}`.
    subject: String,
    /// The text in Markdown, with the same fields; `{{ job_title or "colleague" }}` says what stands in for an empty one.
    body: String,
    /// Tags of which an organisation has every one.
    #[graphql(default)]
    all_of_tags: Vec<Id<TagId>>,
    /// Tags of which it has at least one.
    #[graphql(default)]
    any_of_tags: Vec<Id<TagId>>,
    /// Tags of which it has none.
    #[graphql(default)]
    none_of_tags: Vec<Id<TagId>>,
    /// Of which subscriber types a contact is one; empty is all.
    #[graphql(default)]
    subscriber_types: Vec<SubscriberType>,
    /// The segment in which they are: one of one's own, or a shared one. Whoever is in it when the campaign starts is meant.
    segment_id: Option<Id<SegmentId>>,
    /// What it is about: who opted out of the topic is left out.
    topic_id: Option<Id<MailTopicId>>,
}

impl From<CreateCampaignInput> for Draft {
    fn from(given: CreateCampaignInput) -> Self {
        Self {
            name: given.name,
            subject: given.subject,
            body: given.body,
            audience: Audience {
                all_of: plain(given.all_of_tags),
                any_of: plain(given.any_of_tags),
                none_of: plain(given.none_of_tags),
                subscriber_types: types(given.subscriber_types),
                segment_id: given.segment_id.map(|id| id.0),
            },
            topic: given.topic_id.map(|id| id.0),
        }
    }
}

/// What is to be other about a draft.
#[derive(Debug, InputObject)]
pub struct UpdateCampaignInput {
    /// The draft.
    pub(super) campaign_id: Id<CampaignId>,
    /// The version that the change is made to.
    pub(super) version: i32,
    /// What its operators call it.
    name: Option<String>,
    /// The subject line.
    subject: Option<String>,
    /// The text.
    body: Option<String>,
    /// Tags of which an organisation has every one.
    all_of_tags: Option<Vec<Id<TagId>>>,
    /// Tags of which it has at least one.
    any_of_tags: Option<Vec<Id<TagId>>>,
    /// Tags of which it has none.
    none_of_tags: Option<Vec<Id<TagId>>>,
    /// Of which subscriber types a contact is one; empty is all.
    subscriber_types: Option<Vec<SubscriberType>>,
    /// The segment in which they are; null is none.
    segment_id: MaybeUndefined<Id<SegmentId>>,
    /// What it is about; null is nothing in particular.
    topic_id: MaybeUndefined<Id<MailTopicId>>,
}

impl From<UpdateCampaignInput> for Changes {
    fn from(given: UpdateCampaignInput) -> Self {
        Self {
            name: given.name,
            subject: given.subject,
            body: given.body,
            all_of: given.all_of_tags.map(plain),
            any_of: given.any_of_tags.map(plain),
            none_of: given.none_of_tags.map(plain),
            subscriber_types: given.subscriber_types.map(types),
            segment_id: given.segment_id.map_value(|id| id.0).into(),
            topic: given.topic_id.map_value(|id| id.0).into(),
        }
    }
}

/// The campaign of which the viewer wants a test mail.
#[derive(Debug, InputObject)]
pub struct SendTestCampaignInput {
    /// The campaign.
    pub(super) campaign_id: Id<CampaignId>,
}

/// A draft that a second sender is to look at.
#[derive(Debug, InputObject)]
pub struct SubmitCampaignInput {
    /// The draft.
    pub(super) campaign_id: Id<CampaignId>,
    /// Once approved, not before this time; null is at once.
    not_before: Option<DateTime<Utc>>,
    /// Not after this time.
    not_after: Option<DateTime<Utc>>,
}

impl From<SubmitCampaignInput> for Timing {
    fn from(given: SubmitCampaignInput) -> Self {
        Self {
            not_before: given.not_before,
            not_after: given.not_after,
        }
    }
}

/// A campaign that may go out.
#[derive(Debug, InputObject)]
pub struct ApproveCampaignInput {
    /// The campaign.
    pub(super) campaign_id: Id<CampaignId>,
    /// The version that was read.
    pub(super) version: i32,
}

/// A campaign that may not go out as it is.
#[derive(Debug, InputObject)]
pub struct DeclineCampaignInput {
    /// The campaign.
    pub(super) campaign_id: Id<CampaignId>,
    /// What has to be other.
    pub(super) reason: String,
}

/// A campaign to begin another one from.
#[derive(Debug, InputObject)]
pub struct CopyCampaignInput {
    /// The campaign.
    pub(super) campaign_id: Id<CampaignId>,
}

/// A campaign to be put away.
#[derive(Debug, InputObject)]
pub struct ArchiveCampaignInput {
    /// The campaign, which is over.
    pub(super) campaign_id: Id<CampaignId>,
    /// False brings it back.
    #[graphql(default = true)]
    pub(super) archived: bool,
}

/// Events that the mail of a draft is not to tell of.
#[derive(Debug, InputObject)]
pub struct LeaveOutCampaignEventsInput {
    /// The draft.
    pub(super) campaign_id: Id<CampaignId>,
    /// Some of the events that suit it.
    pub(super) event_ids: Vec<Id<EventId>>,
    /// Why. It is kept.
    pub(super) reason: String,
}

/// Events that the mail of a draft is to tell of after all.
#[derive(Debug, InputObject)]
pub struct BringBackCampaignEventsInput {
    /// The draft.
    pub(super) campaign_id: Id<CampaignId>,
    /// Some of the events that were left out.
    pub(super) event_ids: Vec<Id<EventId>>,
}

/// Two drafts of which one mail is made.
#[derive(Debug, InputObject)]
pub struct JoinCampaignsInput {
    /// The draft whose words come first, and whose name and subject are kept.
    into_campaign_id: Id<CampaignId>,
    /// The version of it that was read.
    into_version: i32,
    /// The draft whose words follow. It is cancelled.
    from_campaign_id: Id<CampaignId>,
    /// The version of it that was read.
    from_version: i32,
}

impl JoinCampaignsInput {
    /// The draft that is kept, and the other one.
    pub(super) fn both(&self) -> (Read, Read) {
        let into = Read {
            id: self.into_campaign_id.0,
            version: self.into_version,
        };
        let from = Read {
            id: self.from_campaign_id.0,
            version: self.from_version,
        };
        (into, from)
    }
}

/// When a campaign is to start.
#[derive(Debug, InputObject)]
pub struct ScheduleCampaignInput {
    /// The campaign.
    pub(super) campaign_id: Id<CampaignId>,
    /// Not before this time; null is now.
    not_before: Option<DateTime<Utc>>,
    /// Not after this time: if it can't start by then, it never does.
    not_after: Option<DateTime<Utc>>,
}

impl From<ScheduleCampaignInput> for Timing {
    fn from(given: ScheduleCampaignInput) -> Self {
        Self {
            not_before: given.not_before,
            not_after: given.not_after,
        }
    }
}

/// The campaign to be held up.
#[derive(Debug, InputObject)]
pub struct PauseCampaignInput {
    /// A campaign whose state is `SENDING`.
    pub(super) campaign_id: Id<CampaignId>,
}

/// The campaign to go on.
#[derive(Debug, InputObject)]
pub struct ResumeCampaignInput {
    /// A campaign whose state is `PAUSED`.
    pub(super) campaign_id: Id<CampaignId>,
}

/// The campaign to be ended.
#[derive(Debug, InputObject)]
pub struct CancelCampaignInput {
    /// A campaign that has not ended yet.
    pub(super) campaign_id: Id<CampaignId>,
}

/// What was found out about one mail.
#[derive(Debug, InputObject)]
pub struct SettleDeliveryInput {
    /// A mail whose state is `UNKNOWN`.
    pub(super) delivery_id: Id<DeliveryId>,
    /// What is true of it.
    pub(super) settlement: DeliverySettlement,
    /// How that is known. It is kept with the mail and in the audit log.
    pub(super) reason: String,
}

/// What was found out about all mails of a campaign that are in doubt.
#[derive(Debug, InputObject)]
pub struct SettleDeliveriesInput {
    /// The campaign, of which all mails are meant whose state is `UNKNOWN`.
    pub(super) campaign_id: Id<CampaignId>,
    /// What is true of them.
    pub(super) settlement: DeliverySettlement,
    /// How that is known. It is kept with the mails and in the audit log.
    pub(super) reason: String,
}

fn plain(ids: Vec<Id<TagId>>) -> Vec<TagId> {
    ids.into_iter().map(|id| id.0).collect()
}

fn types(given: Vec<SubscriberType>) -> Vec<entity::contact::SubscriberType> {
    given.into_iter().map(Into::into).collect()
}
