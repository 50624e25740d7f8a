//! Campaigns and their mails, as clients see them.

use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::campaign::{
    self as campaigns, Counts, DeliveryFilter, Preview, Settlement, SkipReason, Skipped,
};
use entity::{
    campaign::{CampaignState as State, Model},
    delivery::{self, Bounce, DeliveryState as MailState},
    ids::{CampaignId, ContactId, DeliveryId, TagId},
    list::IdList,
};
use futures_util::future::try_join_all;
use uuid::Uuid;

use super::loaders::CountsOf;
use crate::graphql::{
    connection::{Connection, PageArgs, connect},
    contact::{self, Contact},
    disclosure::disclose,
    id::Id,
    key_account,
    mail_topic::{self, MailTopic},
    person::{self, Person},
    rows::rows,
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

async fn counts(ctx: &Context<'_>, id: CampaignId) -> Result<DeliveryCounts> {
    let counts = rows(ctx)?.load_one(CountsOf(id)).await?;
    Ok(DeliveryCounts(counts.unwrap_or_default()))
}

async fn deliveries(
    ctx: &Context<'_>,
    filter: DeliveryFilter,
    page: &PageArgs,
) -> Result<Connection<Delivery>> {
    let (store, viewer) = (store(ctx)?, viewer(ctx)?);
    let counted = (store.clone(), viewer.clone());
    connect(
        ctx,
        "deliveries",
        page,
        async |page| {
            campaigns::deliveries(store.reader(), viewer, store.now(), &filter, &page).await
        },
        |row: &delivery::Model| (row.address.clone(), row.id),
        Delivery,
        move || {
            let (store, viewer) = counted.clone();
            async move {
                let now = store.now();
                campaigns::count_deliveries(store.reader(), &viewer, now, &filter).await
            }
        },
    )
    .await
}

/// One mail of a campaign, to one recipient.
#[derive(Clone, Debug)]
pub struct Delivery(delivery::Model);

impl From<delivery::Model> for Delivery {
    fn from(model: delivery::Model) -> Self {
        Self(model)
    }
}

/// One mail of a campaign, to one recipient.
#[Object]
impl Delivery {
    /// Its id.
    async fn id(&self) -> Id<DeliveryId> {
        Id(self.0.id)
    }

    /// The address, as it was when the campaign started.
    async fn address(&self, ctx: &Context<'_>) -> Option<Result<&str>> {
        self.told(ctx, "Delivery.address", Some(&self.0.address))
            .await
    }

    /// The name of the recipient.
    async fn recipient_name(&self) -> Option<&str> {
        Some(&self.0.recipient_name)
    }

    /// The contact it goes to.
    async fn contact(&self, ctx: &Context<'_>) -> Option<Result<Contact>> {
        contact::find(ctx, self.0.contact_id?).await.transpose()
    }

    /// Where it stands.
    async fn state(&self) -> Option<DeliveryState> {
        Some(self.0.state.into())
    }

    /// Its Message-ID, without angle brackets: what relays write into their logs.
    async fn message_id(&self) -> Option<&str> {
        Some(&self.0.message_id)
    }

    /// How often it was handed to the relay.
    async fn attempts(&self) -> Option<i32> {
        Some(self.0.attempts)
    }

    /// Not before this time, when it waits.
    async fn next_attempt_at(&self) -> Option<DateTime<Utc>> {
        (self.0.state == MailState::Queued).then_some(self.0.next_attempt_at)
    }

    /// When the relay took it.
    async fn sent_at(&self) -> Option<DateTime<Utc>> {
        self.0.sent_at
    }

    /// How it came back after the relay had taken it; null when it did not.
    async fn bounce(&self) -> Option<DeliveryBounce> {
        self.0.bounce.map(Into::into)
    }

    /// When it came back.
    async fn bounced_at(&self) -> Option<DateTime<Utc>> {
        self.0.bounced_at
    }

    /// When its recipient reported it as unwanted.
    async fn complained_at(&self) -> Option<DateTime<Utc>> {
        self.0.complained_at
    }

    /// What the relay or the recipient's server last said against it, or why it was withheld.
    async fn last_reply(&self, ctx: &Context<'_>) -> Option<Result<&str>> {
        let told = self.0.last_reply.as_deref();
        self.told(ctx, "Delivery.lastReply", told).await
    }
}

impl Delivery {
    /// What tells of the address, unless it is withheld.
    async fn told<'a>(
        &self,
        ctx: &Context<'_>,
        field: &'static str,
        told: Option<&'a str>,
    ) -> Option<Result<&'a str>> {
        let whose = self.0.contact_id.map_or(self.0.id.into(), Uuid::from);
        let told = unless_withheld(ctx, &self.0, told).await;
        told.map(|told| disclose(ctx, whose, field, told))
            .transpose()
    }
}

/// What tells of an address, unless the viewer must liaise about its contact first. Relays repeat addresses in their replies.
async fn unless_withheld<'a>(
    ctx: &Context<'_>,
    mail: &delivery::Model,
    told: Option<&'a str>,
) -> Result<Option<&'a str>> {
    let standing = match mail.contact_id {
        Some(id) => key_account::standing(ctx, id).await?,
        None => None,
    };
    Ok(told.filter(|_| standing.is_none_or(|standing| !standing.must_liaise)))
}

/// How many mails of a campaign stand where.
#[derive(Clone, Copy, Debug)]
pub struct DeliveryCounts(Counts);

/// How many mails of a campaign stand where.
#[Object]
impl DeliveryCounts {
    /// They wait.
    async fn queued(&self) -> u64 {
        self.0.queued
    }

    /// They are on their way to the relay.
    async fn sending(&self) -> u64 {
        self.0.sending
    }

    /// The relay has them.
    async fn sent(&self) -> u64 {
        self.0.sent
    }

    /// The relay refused them for good.
    async fn failed(&self) -> u64 {
        self.0.failed
    }

    /// The relay may have them or not: the connection broke, or the worker was killed, before its answer. They are not
    /// sent again by themselves.
    async fn unknown(&self) -> u64 {
        self.0.unknown
    }

    /// They were withheld: the recipient opted out after the start.
    async fn skipped(&self) -> u64 {
        self.0.skipped
    }

    /// The campaign was cancelled first.
    async fn cancelled(&self) -> u64 {
        self.0.cancelled
    }

    /// Of those that the relay has: the recipients' servers sent them back.
    async fn bounced(&self) -> u64 {
        self.0.bounced
    }

    /// Of those that the relay has: their recipients reported them as unwanted.
    async fn complained(&self) -> u64 {
        self.0.complained
    }
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

/// Whom a campaign would reach.
#[derive(Debug, SimpleObject)]
pub struct CampaignPreview {
    /// How many would get the mail.
    recipients: u64,
    /// Who would be left out, and why.
    skipped: Vec<CampaignSkip>,
}

impl From<Preview> for CampaignPreview {
    fn from(preview: Preview) -> Self {
        Self {
            recipients: preview.recipients,
            skipped: told(preview.skipped),
        }
    }
}

/// How many are left out for one reason.
#[derive(Debug, SimpleObject)]
pub struct CampaignSkip {
    /// The reason. When several hold, the first in the order of their list is told.
    reason: CampaignSkipReason,
    /// How many.
    count: u64,
}

fn told(skipped: Skipped) -> Vec<CampaignSkip> {
    skipped
        .into_iter()
        .map(|(reason, count)| CampaignSkip {
            reason: reason.into(),
            count,
        })
        .collect()
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

/// Where a mail stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "MailState")]
pub enum DeliveryState {
    /// It waits to be sent.
    Queued,
    /// It is on its way to the relay.
    Sending,
    /// The relay has it.
    Sent,
    /// The relay refused it for good.
    Failed,
    /// The relay may have it or not.
    Unknown,
    /// It was withheld: the recipient opted out after the start.
    Skipped,
    /// Its campaign was cancelled first.
    Cancelled,
}

/// How a mail came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Bounce")]
pub enum DeliveryBounce {
    /// For good: there is no such mailbox. Its address is suppressed.
    Hard,
    /// This time: the mailbox was full, or its server did not want the mail. The third time in a row puts the contact on hold.
    Soft,
}

/// What somebody found out about a mail that was in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Settlement")]
pub enum DeliverySettlement {
    /// It arrived.
    Sent,
    /// It did not, and is to be sent again under the same Message-ID.
    SendAgain,
}

/// Why a contact is left out of a campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "SkipReason")]
pub enum CampaignSkipReason {
    /// They have left the organisation, or can't be reached.
    Inactive,
    /// They must not be sent any mail.
    DoNotEmail,
    /// They opted out of bulk mail.
    OptedOut,
    /// They opted out of mail about the campaign's topic.
    OptedOutOfTopic,
    /// Mail is held back after bounces.
    OnHold,
    /// They are a key account contact, and the Key Account Operator has not agreed.
    KeyAccountWithoutAgreement,
    /// No address is known.
    NoAddress,
    /// The address is none.
    InvalidAddress,
    /// The address is suppressed: unsubscribed, bounced, complained or erased.
    Suppressed,
    /// Another contact with the same address is reached already.
    DuplicateAddress,
    /// They, or the contacts of their organisation together, have had as much bulk mail as anybody gets in a period.
    OverCap,
}
