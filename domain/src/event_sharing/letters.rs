//! The letters about opening an event to another faculty.

use entity::{
    event,
    event_sharing_request::{self, SharingState},
    faculty, user,
};
use sea_orm::EntityTrait;
use serde_json::json;

use super::operators_of;
use crate::{
    error::Result,
    mail::Letter,
    notice::{self, Topic},
    person::address_of,
    store::Tx,
};

/// To every operator of the faculty that is asked.
pub(super) async fn requested(
    tx: &mut Tx,
    request: &event_sharing_request::Model,
    event: &event::Model,
    faculty: &faculty::Model,
    organiser: &str,
) -> Result<()> {
    for operator in operators_of(tx, request.faculty_id).await? {
        if operator.id == request.requested_by {
            continue;
        }
        let letter = Letter {
            template: "event_sharing_requested",
            to: address_of(&operator)?,
            name: operator.name.clone(),
            user_id: Some(operator.id),
            purpose_key: format!("event_sharing_requested/{}/{}", request.id, operator.id),
            fields: json!({
                "title": event.title,
                "starts_at": event.starts_at,
                "ends_at": event.ends_at,
                "place": place(event),
                "organiser": organiser,
                "faculty": faculty.name,
                "message": request.message,
                "answer_by": request.expires_at,
                "request_link": format!("/event-sharing/{}", request.id),
            }),
        };
        notice::tell(tx, operator.id, Topic::Event, letter).await?;
    }
    Ok(())
}

/// To the one who asked: yes, no, or that nobody answered.
pub(super) async fn answered(
    tx: &mut Tx,
    request: &event_sharing_request::Model,
    event: &event::Model,
) -> Result<()> {
    let asker = user::Entity::find_by_id(request.requested_by)
        .one(tx.conn())
        .await?;
    let faculty = faculty::Entity::find_by_id(request.faculty_id)
        .one(tx.conn())
        .await?;
    let (Some(asker), Some(faculty)) = (asker, faculty) else {
        return Ok(());
    };
    let letter = Letter {
        template: "event_sharing_answered",
        to: address_of(&asker)?,
        name: asker.name.clone(),
        user_id: Some(asker.id),
        purpose_key: format!("event_sharing_answered/{}", request.id),
        fields: json!({
            "title": event.title,
            "starts_at": event.starts_at,
            "faculty": faculty.name,
            "agreed": request.state == SharingState::Agreed,
            "expired": request.state == SharingState::Expired,
            "answer": request.answer.as_deref().unwrap_or_default(),
            "event_link": format!("/events/{}", event.id),
        }),
    };
    notice::tell(tx, asker.id, Topic::Event, letter).await?;
    Ok(())
}

/// Where it takes place; the address of an online event is for those with a place.
fn place(event: &event::Model) -> &str {
    event.venue.as_deref().unwrap_or("online")
}
