//! What people who came say of an event (policy 2.4).

use std::collections::HashMap;

use async_graphql::{Context, InputObject, Object, Result, dataloader::Loader};
use domain::feedback::{self, Feedback, Given};
use entity::{event_feedback::Model, ids::EventId};

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

payload! {
    /// What became of saying how an event was.
    GiveFeedbackPayload {
        /// The event.
        event: Event,
    }
}

#[Object]
impl FeedbackMutation {
    /// Says how an event was, once. Organisers read it; employers who took part read it without the name.
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
    /// From 1, poor, to 5, very good.
    async fn rating(&self) -> i32 {
        self.row.rating.into()
    }

    /// What was good.
    async fn good(&self) -> Option<&str> {
        self.row.good.as_deref()
    }

    /// What is to be mended.
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
