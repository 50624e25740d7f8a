//! Topics of bulk mail (policy 2.5).

use async_graphql::{Context, InputObject, Object, Result};
use chrono::{DateTime, Utc};
use domain::mail_topic as topics;
use entity::{
    ids::MailTopicId,
    mail_topic::{Column, Model},
};

use super::{
    begin,
    errors::{Payload, payload},
    id::Id,
    rows::{by_id, rows},
    store, viewer,
};

/// Queries about topics.
#[derive(Clone, Copy, Debug, Default)]
pub struct MailTopicQuery;

/// Mutations of topics.
#[derive(Clone, Copy, Debug, Default)]
pub struct MailTopicMutation;

/// A topic of bulk mail.
#[derive(Clone, Debug)]
pub struct MailTopic(pub Model);

impl From<Model> for MailTopic {
    fn from(model: Model) -> Self {
        Self(model)
    }
}

/// The topic with this id, if it exists for the viewer.
pub async fn find(ctx: &Context<'_>, id: MailTopicId) -> Result<Option<MailTopic>> {
    Ok(rows(ctx)?.load_one(id).await?.map(MailTopic))
}

by_id!(MailTopicId => Model, visible |rows| topics::visible(&rows.viewer), Column::Id);

/// A topic of bulk mail, which recipients can have without the others.
#[Object]
impl MailTopic {
    /// Its id.
    pub async fn id(&self) -> Id<MailTopicId> {
        Id(self.0.id)
    }

    /// Its name, as recipients read it.
    async fn name(&self) -> Option<&str> {
        Some(&self.0.name)
    }

    /// What mails about it tell of, as recipients read it.
    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// When it was taken out of use; null while it is in use.
    async fn archived_at(&self) -> Option<DateTime<Utc>> {
        self.0.archived_at
    }

    /// When it was made.
    async fn created_at(&self) -> Option<DateTime<Utc>> {
        Some(self.0.created_at)
    }
}

/// A topic to be added.
#[derive(Debug, InputObject)]
pub struct CreateMailTopicInput {
    /// Its name, as recipients read it.
    name: String,
    /// What mails about it tell of.
    description: Option<String>,
}

/// A topic to be taken out of use.
#[derive(Debug, InputObject)]
pub struct ArchiveMailTopicInput {
    /// The topic.
    id: Id<MailTopicId>,
}

payload! {
    /// What became of a new topic.
    CreateMailTopicPayload {
        /// The topic.
        topic: MailTopic,
    }
}

payload! {
    /// What became of taking a topic out of use.
    ArchiveMailTopicPayload {
        /// The topic.
        topic: MailTopic,
    }
}

#[Object]
impl MailTopicQuery {
    /// The topics of bulk mail, by name: at most twenty are in use.
    async fn mail_topics(
        &self,
        ctx: &Context<'_>,
        #[graphql(default, desc = "Whether those that are out of use are listed too.")]
        archived: bool,
    ) -> Option<Result<Vec<MailTopic>>> {
        Some(list(ctx, archived).await)
    }
}

#[Object]
impl MailTopicMutation {
    /// Adds a topic. Recipients get mail about it unless they say otherwise.
    async fn create_mail_topic(
        &self,
        ctx: &Context<'_>,
        input: CreateMailTopicInput,
    ) -> Result<CreateMailTopicPayload> {
        let mut tx = begin(ctx).await?;
        let created = topics::create(
            &mut tx,
            viewer(ctx)?,
            &input.name,
            input.description.as_deref(),
        )
        .await;
        CreateMailTopicPayload::commit(tx, created).await
    }

    /// Takes a topic out of use: no campaign can be about it any more.
    async fn archive_mail_topic(
        &self,
        ctx: &Context<'_>,
        input: ArchiveMailTopicInput,
    ) -> Result<ArchiveMailTopicPayload> {
        let mut tx = begin(ctx).await?;
        let archived = topics::archive(&mut tx, viewer(ctx)?, input.id.0).await;
        ArchiveMailTopicPayload::commit(tx, archived).await
    }
}

async fn list(ctx: &Context<'_>, archived: bool) -> Result<Vec<MailTopic>> {
    let found = topics::list(store(ctx)?.reader(), viewer(ctx)?, archived).await?;
    Ok(found.into_iter().map(MailTopic).collect())
}
