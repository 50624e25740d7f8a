//! What people who came say of an event (policy 2.4).

use std::collections::HashMap;

use async_graphql::{Context, InputObject, Object, Result, dataloader::Loader};
use chrono::{DateTime, Utc};
use domain::feedback::{self, Feedback, Given};
use entity::{
    event_feedback::Model,
    ids::{EventFeedbackId, EventId},
};

use super::{
    begin,
    errors::{Payload, payload},
    event::Event,
    id::Id,
    person::{self, Person},
    rows::{LoadError, Rows, rows},
    viewer,
};

/// The most answers that are shown in words; all are counted.
const SHOWN: usize = 200;

/// Mutations about feedback.
#[derive(Debug, Default)]
pub struct FeedbackMutation;

/// What somebody says of an event.
#[derive(Debug, InputObject)]
struct GiveFeedbackInput {
    /// The event, to which they came.
    event_id: Id<EventId>,
    /// From 1, poor, to 5, very good.
    rating: i32,
    /// What was good.
    good: Option<String>,
    /// What is to be mended.
    mend: Option<String>,
}

/// The answer whose words employers may read, or not.
#[derive(Debug, InputObject)]
struct ReleaseFeedbackInput {
    /// The answer.
    feedback_id: Id<EventFeedbackId>,
    /// Whether employers who took part may read its words.
    released: bool,
}

payload! {
    /// What became of saying how an event was.
    GiveFeedbackPayload {
        /// The event.
        event: Event,
    }
}

payload! {
    /// What became of releasing the words of an answer.
    ReleaseFeedbackPayload {
        /// The event that it is about.
        event: Event,
    }
}

#[Object]
impl FeedbackMutation {
    /// Says how an event was, once. Organisers read it; employers who took part read the rating without the name, and the words once an
    /// organiser has released them.
    async fn give_feedback(
        &self,
        ctx: &Context<'_>,
        input: GiveFeedbackInput,
    ) -> Result<GiveFeedbackPayload> {
        let mut tx = begin(ctx).await?;
        let given = Given {
            rating: input.rating,
            good: input.good,
            mend: input.mend,
        };
        let event = feedback::give(&mut tx, viewer(ctx)?, input.event_id.0, given).await;
        GiveFeedbackPayload::commit(tx, event).await
    }

    /// Lets employers who took part read the words of an answer, or no longer. Until then they read its rating alone, also in the
    /// report that is handed to them.
    async fn release_feedback(
        &self,
        ctx: &Context<'_>,
        input: ReleaseFeedbackInput,
    ) -> Result<ReleaseFeedbackPayload> {
        let mut tx = begin(ctx).await?;
        let (id, released) = (input.feedback_id.0, input.released);
        let event = feedback::release(&mut tx, viewer(ctx)?, id, released).await;
        ReleaseFeedbackPayload::commit(tx, event).await
    }
}

/// What those who came say of an event.
#[derive(Clone, Debug)]
pub struct EventFeedback(Feedback);

/// What those who came say of an event.
#[Object]
impl EventFeedback {
    /// How many have answered.
    async fn count(&self) -> usize {
        self.0.answers.len()
    }

    /// The average rating, from 1 to 5; null when nobody has answered.
    async fn average_rating(&self) -> Option<f64> {
        let count = u32::try_from(self.0.answers.len())
            .ok()
            .filter(|count| *count > 0)?;
        let sum: i32 = self
            .0
            .answers
            .iter()
            .map(|answer| i32::from(answer.rating))
            .sum();
        Some(f64::from(sum) / f64::from(count))
    }

    /// How many gave each rating: 1 first, 5 last.
    async fn ratings(&self) -> Vec<usize> {
        let gave = |rating: &i16| {
            self.0
                .answers
                .iter()
                .filter(|answer| answer.rating == *rating)
                .count()
        };
        [1, 2, 3, 4, 5].iter().map(gave).collect()
    }

    /// What each said, the latest first, at most 200.
    async fn answers(&self) -> Vec<FeedbackAnswer> {
        let with_name = self.0.with_names;
        let answers = self.0.answers.iter().take(SHOWN).cloned();
        answers
            .map(|row| FeedbackAnswer { row, with_name })
            .collect()
    }
}

/// What one person says of an event.
#[derive(Clone, Debug)]
pub struct FeedbackAnswer {
    row: Model,
    with_name: bool,
}

/// What one person says of an event.
#[Object]
impl FeedbackAnswer {
    /// Its id, for `releaseFeedback`; null for employers.
    async fn id(&self) -> Option<Id<EventFeedbackId>> {
        self.with_name.then_some(Id(self.row.id))
    }

    /// Since when employers may read its words; null while they may not, and for employers.
    async fn released_at(&self) -> Option<DateTime<Utc>> {
        self.row.released_at.filter(|_| self.with_name)
    }

    /// From 1, poor, to 5, very good.
    async fn rating(&self) -> i32 {
        self.row.rating.into()
    }

    /// What was good; for employers once it is released.
    async fn good(&self) -> Option<&str> {
        self.row.good.as_deref()
    }

    /// What is to be mended; for employers once it is released.
    async fn mend(&self) -> Option<&str> {
        self.row.mend.as_deref()
    }

    /// Who says it; null for employers, who are not told.
    async fn person(&self, ctx: &Context<'_>) -> Option<Result<Person>> {
        if !self.with_name {
            return None;
        }
        person::person(ctx, self.row.user_id).await.transpose()
    }
}

/// What is said of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct FeedbackOn(EventId);

impl Loader<FeedbackOn> for Rows {
    type Value = Feedback;
    type Error = LoadError;

    async fn load(&self, keys: &[FeedbackOn]) -> Result<HashMap<FeedbackOn, Feedback>, LoadError> {
        let ids: Vec<EventId> = keys.iter().map(|key| key.0).collect();
        let found = feedback::of_events(self.store.reader(), &self.viewer, &ids).await?;
        Ok(found
            .into_iter()
            .map(|(id, feedback)| (FeedbackOn(id), feedback))
            .collect())
    }
}

/// What is said of an event, as far as the viewer may know it.
pub(super) async fn of(ctx: &Context<'_>, id: EventId) -> Result<Option<EventFeedback>> {
    Ok(rows(ctx)?
        .load_one(FeedbackOn(id))
        .await?
        .map(EventFeedback))
}
