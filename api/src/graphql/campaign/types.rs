//! Campaigns, as clients see them.

use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::campaign::{self as campaigns, DeliveryFilter};
use entity::{
    campaign::{CampaignState as State, Model},
    ids::{CampaignId, ContactId, TagId},
    list::IdList,
};
use futures_util::future::try_join_all;

use super::{
    attachment::{CampaignAttachment, attached},
    delivery::{Delivery, DeliveryCounts, DeliveryState, counts, deliveries},
    estimate::{CampaignEstimate, estimate},
    preview::{CampaignSkip, told},
    segment::{CampaignSegment, segment_asked},
};
use crate::graphql::{
    connection::{Connection, PageArgs},
    contact::SubscriberType,
    id::Id,
    mail_topic::{self, MailTopic},
    person::{self, Person},
    segment::{self, Segment},
    store,
    tag::{self, Tag},
    viewer,
};

/// A bulk e-mail to employer contacts.
#[derive(Clone, Debug)]
pub struct Campaign(pub Model);

impl From<Model> for Campaign {
    fn from(model: Model) -> Self {
        Self(model)
    }
}

/// A bulk e-mail to employer contacts (policy 2.5).
#[Object]
impl Campaign {
    /// Its id.
    pub async fn id(&self) -> Id<CampaignId> {
        Id(self.0.id)
    }

    /// What its operators call it.
    async fn name(&self) -> Option<&str> {
        Some(&self.0.name)
    }

    /// The subject line, with fields in double braces.
    async fn subject(&self) -> Option<&str> {
        Some(&self.0.subject)
    }

    /// The text in Markdown, with fields in double braces.
    async fn body(&self) -> Option<&str> {
        Some(&self.0.body)
    }

    /// Where it stands.
    async fn state(&self) -> Option<CampaignState> {
        Some(self.0.state.into())
    }

    /// Tags of which an organisation has every one.
    async fn all_of_tags(&self, ctx: &Context<'_>) -> Option<Result<Vec<Tag>>> {
        Some(tags(ctx, &self.0.all_of).await)
    }

    /// Tags of which it has at least one; empty asks nothing.
    async fn any_of_tags(&self, ctx: &Context<'_>) -> Option<Result<Vec<Tag>>> {
        Some(tags(ctx, &self.0.any_of).await)
    }

    /// Tags of which it has none.
    async fn none_of_tags(&self, ctx: &Context<'_>) -> Option<Result<Vec<Tag>>> {
        Some(tags(ctx, &self.0.none_of).await)
    }

    /// Of which subscriber types a contact is one; empty is all.
    async fn subscriber_types(&self) -> Option<Vec<SubscriberType>> {
        let types = self.0.subscriber_types.0.iter();
        Some(types.map(|kind| (*kind).into()).collect())
    }

    /// The segment in which they are, as it is today; null where there is none, or it is gone or not the viewer's to see.
    async fn segment(&self, ctx: &Context<'_>) -> Option<Result<Segment>> {
        segment::find(ctx, self.0.segment_id?).await.transpose()
    }

    /// What the segment asked when the campaign was submitted or started, whatever became of it; null before, and without one.
    async fn segment_asked(&self) -> Option<Result<CampaignSegment>> {
        segment_asked(&self.0).transpose()
    }

    /// What it is about; null is nothing in particular.
    async fn topic(&self, ctx: &Context<'_>) -> Option<Result<MailTopic>> {
        mail_topic::find(ctx, self.0.mail_topic_id?)
            .await
            .transpose()
    }

    /// Who wrote it.
    async fn created_by(&self, ctx: &Context<'_>) -> Option<Result<Person>> {
        person::person(ctx, self.0.created_by).await.transpose()
    }

    /// When it starts by itself; null when no time is set.
    async fn not_before(&self) -> Option<DateTime<Utc>> {
        self.0.not_before
    }

    /// When it has not started by this time, it never does.
    async fn not_after(&self) -> Option<DateTime<Utc>> {
        self.0.not_after
    }

    /// Who approved it, when a second sender had to.
    async fn approved_by(&self, ctx: &Context<'_>) -> Option<Result<Person>> {
        person::person(ctx, self.0.approved_by?).await.transpose()
    }

    /// When it was approved.
    async fn approved_at(&self) -> Option<DateTime<Utc>> {
        self.0.approved_at
    }

    /// When it was put away; null while it is listed.
    async fn archived_at(&self) -> Option<DateTime<Utc>> {
        self.0.archived_at
    }

    /// The files that its mails bring along, in the order in which they were added.
    async fn attachments(&self, ctx: &Context<'_>) -> Option<Result<Vec<CampaignAttachment>>> {
        Some(attached(ctx, self.0.id).await)
    }

    /// The mail as a contact would get it, whether or not they are in the audience.
    async fn mail_for(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The contact.")] contact_id: Id<ContactId>,
    ) -> Option<Result<CampaignMail>> {
        Some(mail_for(ctx, &self.0, contact_id.0).await)
    }

    /// Why it could not start at its time, or why a second sender sent it back; null when it could, or was changed since.
    async fn refusal(&self) -> Option<&str> {
        self.0.refusal.as_deref()
    }

    /// When its audience was frozen and sending began.
    async fn started_at(&self) -> Option<DateTime<Utc>> {
        self.0.started_at
    }

    /// When no mail was left to be sent, or when it was cancelled.
    async fn finished_at(&self) -> Option<DateTime<Utc>> {
        self.0.finished_at
    }

    /// How many mails the frozen audience has; 0 before the start.
    async fn recipients(&self) -> Option<i32> {
        Some(self.0.recipients)
    }

    /// Who was left out when the audience was frozen, and why.
    async fn skipped(&self) -> Option<Result<Vec<CampaignSkip>>> {
        let skipped = serde_json::from_value(self.0.skipped.clone());
        Some(
            skipped
                .map(told)
                .map_err(|error| domain::Error::from(error).into()),
        )
    }

    /// What became of its mails so far.
    async fn counts(&self, ctx: &Context<'_>) -> Option<Result<DeliveryCounts>> {
        Some(counts(ctx, self.0.id).await)
    }

    /// How the rest of it goes out; null when it is not being sent.
    async fn estimate(&self, ctx: &Context<'_>) -> Option<Result<CampaignEstimate>> {
        estimate(ctx, self.0.id).await.transpose()
    }

    /// Its mails, by address, without those to key account contacts about whom the viewer must liaise first (policy 2.3).
    async fn deliveries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those that stand there.")] state: Option<DeliveryState>,
        #[graphql(desc = "The first so many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Delivery>>> {
        let filter = DeliveryFilter {
            campaign_id: self.0.id,
            state: state.map(Into::into),
        };
        Some(deliveries(ctx, filter, &PageArgs::new(first, after, last, before)).await)
    }

    /// Raised at every change; `updateCampaign` asks for it.
    async fn version(&self) -> Option<i32> {
        Some(self.0.version)
    }

    /// When it was begun.
    async fn created_at(&self) -> Option<DateTime<Utc>> {
        Some(self.0.created_at)
    }

    /// When it last changed.
    async fn updated_at(&self) -> Option<DateTime<Utc>> {
        Some(self.0.updated_at)
    }
}

async fn mail_for(ctx: &Context<'_>, campaign: &Model, id: ContactId) -> Result<CampaignMail> {
    let written = campaigns::mail_for(store(ctx)?, viewer(ctx)?, campaign, id).await?;
    Ok(CampaignMail {
        subject: written.subject,
        text: written.text,
        html: written.html,
    })
}

async fn tags(ctx: &Context<'_>, ids: &IdList) -> Result<Vec<Tag>> {
    let found = try_join_all(ids.0.iter().map(|id: &TagId| tag::find(ctx, *id))).await?;
    Ok(found.into_iter().flatten().collect())
}

/// A campaign's mail to one recipient, without what stands around it in every mail.
#[derive(Debug, SimpleObject)]
pub struct CampaignMail {
    /// The subject.
    subject: String,
    /// The plain text.
    text: String,
    /// The HTML: elements without scripts, pictures or styles but the colour of links.
    html: String,
}

/// Where a campaign stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "State")]
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
    /// No mail is left to be sent.
    Sent,
    /// It was stopped for good.
    Cancelled,
    /// Its time passed before it could start.
    Missed,
}
