//! The mails of campaigns, as clients see them.

use async_graphql::{Context, Enum, Object, Result};
use chrono::{DateTime, Utc};
use domain::campaign::{self as campaigns, Counts, DeliveryFilter, Settlement};
use entity::{
    delivery::{self, Bounce, DeliveryState as MailState},
    ids::{CampaignId, DeliveryId},
};
use uuid::Uuid;

use super::loaders::CountsOf;
use crate::graphql::{
    connection::{Connection, PageArgs, connect},
    contact::{self, Contact},
    disclosure::disclose,
    id::Id,
    key_account,
    rows::rows,
    store, viewer,
};

/// What became of the mails of a campaign.
pub(super) async fn counts(ctx: &Context<'_>, id: CampaignId) -> Result<DeliveryCounts> {
    let counts = rows(ctx)?.load_one(CountsOf(id)).await?;
    Ok(DeliveryCounts(counts.unwrap_or_default()))
}

/// One page of the mails of a campaign.
pub(super) async fn deliveries(
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
