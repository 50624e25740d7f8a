//! What people who came say of an event (policy 2.4): asked for once its register is closed, given once, read by those who
//! manage it with names, and by the organisations that took part without. Its words reach them only where whoever manages the
//! event let them: what people write may name somebody, or say who they are.

use std::collections::{HashMap, HashSet};

use entity::{
    booking::{self, BookingState},
    event::{self, EventState},
    event_feedback, event_organisation,
    ids::{EventFeedbackId, EventId},
    user::{self, UserKind},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait,
    IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::OnConflict,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    booking::{in_state, letters},
    error::{Error, RefusalCode, Refusals, Result},
    event::{lock_to_manage, lock_visible, managed_by, may_manage},
    job::{Job, Queue},
    notice::{Circular, Topic, tell_all},
    store::Tx,
    text::Text,
    viewer::Viewer,
};

/// What was good.
const GOOD: Text = Text::block("good", 2_000);
/// What is to be mended.
const MEND: Text = Text::block("mend", 2_000);

/// How many have to answer before an employer reads what they say: fewer might be told apart.
pub const SMALLEST_GROUP: usize = 5;

/// Asks those who came to an event what they say of it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct AskForFeedback {
    /// The event.
    pub event_id: EventId,
}

impl Job for AskForFeedback {
    const KIND: &'static str = "feedback.ask";
    const QUEUE: Queue = Queue::Events;

    fn unique_key(&self) -> Option<String> {
        Some(format!("{}/{}", Self::KIND, self.event_id))
    }
}

/// What somebody says of an event.
#[derive(Clone, Debug)]
pub struct Given {
    /// From 1, poor, to 5, very good.
    pub rating: i32,
    /// What was good.
    pub good: Option<String>,
    /// What is to be mended.
    pub mend: Option<String>,
}

/// What is said of an event, as far as the viewer may know it.
#[derive(Clone, Debug, PartialEq)]
pub struct Feedback {
    /// What each said, the latest first.
    pub answers: Vec<event_feedback::Model>,
    /// Whether the viewer may know who said what.
    pub with_names: bool,
}

/// The register is closed: those who came are asked, once the event is over.
pub(crate) async fn ask_after(tx: &mut Tx, event: &event::Model) -> Result<()> {
    let job = AskForFeedback { event_id: event.id };
    tx.enqueue(&job, Some(event.ends_at)).await?;
    Ok(())
}

/// Asks everybody who came and has not said anything yet. Answers how many were asked.
pub async fn ask(tx: &mut Tx, event_id: EventId) -> Result<usize> {
    let event = event::Entity::find_by_id(event_id).one(tx.conn()).await?;
    let Some(event) = event.filter(|event| event.state == EventState::Past) else {
        return Ok(0);
    };
    let came = booking::Entity::find()
        .select_only()
        .column(booking::Column::UserId)
        .filter(booking::Column::EventId.eq(event.id))
        .filter(in_state::any(&[BookingState::Attended]));
    let said = event_feedback::Entity::find()
        .select_only()
        .column(event_feedback::Column::UserId)
        .filter(event_feedback::Column::EventId.eq(event.id));
    let audience = Condition::all()
        .add(user::Column::Id.in_subquery(came.into_query()))
        .add(user::Column::Id.not_in_subquery(said.into_query()));
    let circular = Circular {
        template: "feedback_request",
        purpose: format!("feedback_request/{}", event.id),
        fields: json!({
            "event": letters::about_event(tx, &event, false).await?,
            "feedback_link": format!("/events/{}/feedback", event.id),
        }),
    };
    tell_all(tx, Topic::Event, &circular, &audience).await
}

/// Keeps what `viewer`, who was there, says of an event: once.
pub async fn give(
    tx: &mut Tx,
    viewer: &Viewer,
    event_id: EventId,
    given: Given,
) -> Result<event::Model> {
    let user_id = viewer.signed_in()?.id;
    let event = lock_visible(tx, viewer, event_id).await?;
    let came = booking::Entity::find()
        .filter(booking::Column::EventId.eq(event.id))
        .filter(booking::Column::UserId.eq(user_id))
        .filter(in_state::any(&[BookingState::Attended]))
        .count(tx.conn())
        .await?;
    if came == 0 || tx.now() < event.starts_at {
        return Err(Error::refused(
            RefusalCode::WrongState,
            "eventId",
            "Only people who were there can say how it was.",
        ));
    }
    let mut refusals = Refusals::default();
    let rating = i16::try_from(given.rating)
        .ok()
        .filter(|rating| (1..=5).contains(rating));
    refusals.add_if(
        rating.is_none(),
        RefusalCode::Invalid,
        "rating",
        "Give a number from 1, poor, to 5, very good.",
    );
    let row = event_feedback::Model {
        id: EventFeedbackId::new_at(tx.now()),
        event_id: event.id,
        user_id,
        rating: rating.unwrap_or_default(),
        good: GOOD.optional(given.good.as_deref(), &mut refusals),
        mend: MEND.optional(given.mend.as_deref(), &mut refusals),
        given_at: tx.now(),
        released_at: None,
        released_by: None,
    };
    refusals.into_result()?;
    let written = event_feedback::Entity::insert(row.clone().into_active_model().reset_all())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx.conn())
        .await?;
    if written == 0 {
        return Err(Error::refused(
            RefusalCode::Taken,
            "eventId",
            "You have said how it was already. Thank you.",
        ));
    }
    let said = Some(json!({ "eventId": event.id, "rating": row.rating }));
    tx.audit(viewer, "event_feedback.give", row.id, None, said)
        .await?;
    Ok(event.clone())
}

/// Lets employers who took part read the words of an answer, or no longer. That is for whoever manages the event, who has read
/// them.
pub async fn release(
    tx: &mut Tx,
    viewer: &Viewer,
    id: EventFeedbackId,
    released: bool,
) -> Result<event::Model> {
    let not_found = || Error::not_found("feedbackId", "answer");
    let find = event_feedback::Entity::find_by_id(id);
    let seen = find.clone().one(tx.conn()).await?.ok_or_else(not_found)?;
    let event = match lock_to_manage(tx, viewer, seen.event_id).await {
        // Whoever doesn't manage the event knows of no answer by its id.
        Err(Error::Forbidden(_) | Error::Refused(_)) => return Err(not_found()),
        locked => locked?,
    };
    let row = find.one(tx.conn()).await?.ok_or_else(not_found)?;
    let before = row.released_at;
    if before.is_some() == released {
        return Ok(event.clone());
    }
    let mut row = row.into_active_model();
    row.released_at = Set(released.then_some(tx.now()));
    row.released_by = Set(viewer.user_id().filter(|_| released));
    let row = row.update(tx.conn()).await?;
    let action = if released {
        "event_feedback.release"
    } else {
        "event_feedback.withhold"
    };
    let told = |at| Some(json!({ "eventId": event.id, "releasedAt": at }));
    tx.audit(viewer, action, id, told(before), told(row.released_at))
        .await?;
    Ok(event.clone())
}

/// Whether `viewer` may know what is said of an event that is over: those who manage it, and employers who took part.
pub(crate) async fn may_read(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    event: &event::Model,
) -> Result<bool> {
    let found = event::Entity::find_by_id(event.id)
        .filter(open_to(viewer))
        .count(db)
        .await?;
    Ok(found > 0)
}

/// The events of which `viewer` may know what is said: those that they manage, and those in which their organisation took part.
fn open_to(viewer: &Viewer) -> Condition {
    let organisation_id = viewer
        .person()
        .filter(|person| person.kind == UserKind::Employer)
        .and_then(|person| person.organisation_id);
    let taken_part = event_organisation::Entity::find()
        .select_only()
        .column(event_organisation::Column::EventId)
        .filter(event_organisation::Column::OrganisationId.eq(organisation_id));
    Condition::any()
        .add(managed_by(viewer))
        .add(event::Column::Id.in_subquery(taken_part.into_query()))
}

/// What is said of each of these events. Those who manage an event read who said what. Employers read it of the events their
/// organisation took part in once the register is closed, without names, and not of a group that is too small. Where
/// nothing may be known, the event is left out. Words that were not released are left out for employers.
pub async fn of_events(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    ids: &[EventId],
) -> Result<HashMap<EventId, Feedback>> {
    let open = event::Entity::find()
        .filter(event::Column::Id.is_in(ids.iter().copied()))
        .filter(open_to(viewer))
        .all(db)
        .await?;
    let named: HashSet<EventId> = open
        .iter()
        .filter(|event| may_manage(viewer, event))
        .map(|event| event.id)
        .collect();
    let mut found: HashMap<EventId, Feedback> = open
        .iter()
        .filter(|event| named.contains(&event.id) || event.state == EventState::Past)
        .map(|event| {
            let nothing = Feedback {
                answers: Vec::new(),
                with_names: named.contains(&event.id),
            };
            (event.id, nothing)
        })
        .collect();
    let answers = event_feedback::Entity::find()
        .filter(event_feedback::Column::EventId.is_in(found.keys().copied()))
        .order_by_desc(event_feedback::Column::Id)
        .all(db)
        .await?;
    for answer in answers {
        if let Some(feedback) = found.get_mut(&answer.event_id) {
            feedback.answers.push(if feedback.with_names {
                answer
            } else {
                for_employers(answer)
            });
        }
    }
    found.retain(|_, feedback| feedback.with_names || feedback.answers.len() >= SMALLEST_GROUP);
    Ok(found)
}

/// What employers read of an answer: its words only where they were released, and never by whom.
pub(crate) fn for_employers(answer: event_feedback::Model) -> event_feedback::Model {
    let (good, mend) = match answer.released_at {
        Some(_) => (answer.good, answer.mend),
        None => (None, None),
    };
    event_feedback::Model {
        good,
        mend,
        released_by: None,
        ..answer
    }
}
