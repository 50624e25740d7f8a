//! The letters on the way to operator access and on staying there. The words stand with the worker.

use chrono::{DateTime, Utc};
use entity::{
    access_grant, agreement, agreement_version, event, faculty, ids::TrainingCourseId,
    training_course, user,
};
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::{
    email_address::EmailAddress,
    error::{Error, Result},
    event::places_left,
    mail::Letter,
    notice::{self, Topic},
    store::Tx,
    training_course::{agreements_of, next_sessions},
    viewer::permission_name,
};

/// How many of the next sessions a letter names.
const SESSIONS: usize = 5;

/// They were given a permission that doesn't count yet: what they need for it, and when they can have it.
pub(super) async fn invitation(
    tx: &mut Tx,
    to: &user::Model,
    grant: &access_grant::Model,
    course: &training_course::Model,
) -> Result<()> {
    let faculty = match grant.faculty_id {
        Some(id) => faculty::Entity::find_by_id(id).one(tx.conn()).await?,
        None => None,
    };
    let agreements: Vec<String> = agreements_of(tx.conn(), &[course.id])
        .await?
        .into_iter()
        .map(|(_, agreement)| agreement.title)
        .collect();
    let fields = json!({
        "permission": permission_name(grant.permission),
        "scope": faculty.map_or_else(|| "the whole campus".to_owned(), |faculty| faculty.name),
        "course": course.title,
        "agreements": agreements,
        "sessions": sessions(tx, course.id).await?,
        "training_link": "/training",
    });
    let purpose_key = format!("access_invitation/{}", grant.id);
    write(tx, "access_invitation", to, purpose_key, fields).await
}

/// Their training counts until `lapses_at`; a session refreshes it.
pub(super) async fn refresher(
    tx: &mut Tx,
    to: &user::Model,
    course: &training_course::Model,
    lapses_at: DateTime<Utc>,
    days: i64,
    sessions: &[Value],
) -> Result<()> {
    let fields = json!({
        "course": course.title,
        "days": days,
        "lapses_at": lapses_at,
        "sessions": sessions,
        "training_link": "/training",
    });
    let purpose_key = format!(
        "training_lapses/{}/{}/{}/{days}",
        course.id,
        to.id,
        lapses_at.timestamp()
    );
    write(tx, "training_lapses", to, purpose_key, fields).await
}

/// There is a new version of an agreement that their access rests on, to be accepted in time.
pub(crate) async fn new_version(
    tx: &mut Tx,
    to: &user::Model,
    agreement: &agreement::Model,
    version: &agreement_version::Model,
    occasion: &'static str,
) -> Result<()> {
    let fields = json!({
        "agreement": agreement.title,
        "binding_from": version.binding_from,
        "agreement_link": format!("/agreements/{}", agreement.id),
    });
    let purpose_key = format!("agreement_to_accept/{}/{}/{occasion}", version.id, to.id);
    write(tx, "agreement_to_accept", to, purpose_key, fields).await
}

/// The next sessions of a course, as letters tell of them.
pub(super) async fn sessions(tx: &Tx, course: TrainingCourseId) -> Result<Vec<Value>> {
    Ok(next_sessions(tx.conn(), &[course], tx.now())
        .await?
        .iter()
        .take(SESSIONS)
        .map(|(_, event)| session(event))
        .collect())
}

pub(super) fn session(event: &event::Model) -> Value {
    json!({
        "title": event.title,
        "starts_at": event.starts_at,
        "ends_at": event.ends_at,
        "place": event
            .venue
            .as_deref()
            .or(event.online_link.as_deref().map(|_| "online"))
            .unwrap_or("to be announced"),
        "places_left": places_left(event),
    })
}

async fn write(
    tx: &mut Tx,
    template: &'static str,
    to: &user::Model,
    purpose_key: String,
    fields: Value,
) -> Result<()> {
    let address: EmailAddress = to
        .email
        .parse()
        .map_err(|error| Error::Fault(format!("the address of {}: {error}", to.id)))?;
    let letter = Letter {
        template,
        to: address,
        name: to.name.clone(),
        user_id: Some(to.id),
        purpose_key,
        fields,
    };
    notice::tell(tx, to.id, Topic::Access, letter).await?;
    Ok(())
}
