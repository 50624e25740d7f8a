//! What people who came say of an event (policy 2.4): asked for once its register is closed, given once, read by those who
//! manage it with names, and by the organisations that took part without.

use std::collections::{HashMap, HashSet};

use entity::{
    booking::{self, BookingState},
    event::{self, EventState},
    event_feedback, event_organisation,
    ids::{EventFeedbackId, EventId},
    user::{self, UserKind},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, sea_query::OnConflict,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    booking::{in_state, letters},
    error::{Error, RefusalCode, Refusals, Result},
    event::{lock_visible, managed_by, may_manage},
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
/// nothing may be known, the event is left out.
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
            feedback.answers.push(answer);
        }
    }
    found.retain(|_, feedback| feedback.with_names || feedback.answers.len() >= SMALLEST_GROUP);
    Ok(found)
}
