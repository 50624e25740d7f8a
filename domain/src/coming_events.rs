//! What is coming, once a week, to those who asked for it (policy 1): students read of what they can book, staff of what their
//! faculty does, employers of what their sector does. It is the calendar that says what there is, and nobody reads of an
//! event twice.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use entity::{
    booking,
    contact::{self, ContactState},
    event::{self, EventKind, EventState},
    event_organisation, event_told, faculty,
    ids::{ContactId, EventId, FacultyId, OrganisationId, ProgrammeId, UserId},
    notice_choice, organisation, programme,
    programme::StudyLevel,
    user::{self, UserKind, UserState},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect,
    RelationDef,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    booking::{
        eligibility::{Admission, Candidate},
        in_state,
    },
    clock::UNIVERSITY_TIME,
    error::Result,
    event::{AudienceGroup, EventFilter, Whereabouts, audiences, list},
    event_sharing::faculties_of,
    job::{Job, Queue},
    mail::Letter,
    notice::{self, Channel, Topic},
    page::Page,
    signed_link,
    store::{Store, Tx},
    suppression::{AddressKey, among},
    viewer::Viewer,
};

/// Where the links lead by which the digest is ended, before the token.
pub const PATH: &str = "/unsubscribe/events/";
/// What their signature is for.
const PURPOSE: &str = "coming_events";
/// How far ahead the digest looks: students plan by the month.
const AHEAD: TimeDelta = TimeDelta::days(28);
/// How many events of the calendar are looked at.
const LOOKED_AT: u64 = 500;
/// The most events of one mail; the rest is for the next week.
const MOST: usize = 20;
/// How many people one transaction writes to.
const AT_ONCE: u64 = 100;

/// Writes the digests of the week to some people, and makes the job for the next.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct DigestComingEvents {
    /// Those after this one; from the first when there is none.
    #[serde(default)]
    pub after: Option<UserId>,
}

impl Job for DigestComingEvents {
    const KIND: &'static str = "coming_events.digest";
    const QUEUE: Queue = Queue::Housekeeping;

    fn unique_key(&self) -> Option<String> {
        let after = self.after.map_or_else(String::new, |id| id.to_string());
        Some(format!("{}/{after}", Self::KIND))
    }
}

/// An event of the calendar, with what says whom it suits.
struct Coming {
    event: event::Model,
    groups: Vec<AudienceGroup>,
    /// The organisations that take part, with their sectors.
    taking_part: Vec<(OrganisationId, Option<String>)>,
}

/// Somebody who reads the digest.
struct Reader {
    person: user::Model,
    level: Option<StudyLevel>,
    organisation: Option<(OrganisationId, Option<String>)>,
    /// They read it a day later, with their other notices.
    by_digest: bool,
}

/// Writes to the next hundred readers. Answers how many mails were written; when there may be more readers, the job for them is
/// made.
pub async fn post_coming_events(tx: &mut Tx, job: DigestComingEvents) -> Result<usize> {
    let mut people = readers(tx, job.after).await?;
    let Some(last) = people.last() else {
        return Ok(0);
    };
    if people.len() as u64 == AT_ONCE {
        let after = Some(last.person.id);
        tx.enqueue(&DigestComingEvents { after }, None).await?;
    }
    let key = AddressKey::load(tx.conn(), tx.now()).await?;
    let addresses: Vec<String> = people
        .iter()
        .map(|reader| reader.person.email.clone())
        .collect();
    let suppressed = among(tx.conn(), &key, addresses.iter().map(String::as_str)).await?;
    people.retain(|reader| !suppressed.contains(reader.person.email.as_str()));
    let calendar = calendar(tx).await?;
    let ids: Vec<UserId> = people.iter().map(|reader| reader.person.id).collect();
    let known = known(tx, &ids, &calendar).await?;
    let mentioned: Vec<ProgrammeId> = calendar
        .iter()
        .flat_map(|coming| &coming.groups)
        .filter_map(|group| group.programme_id)
        .collect();
    let programmes = faculties_of(tx.conn(), mentioned.into_iter())
        .await?
        .into_iter()
        .collect();
    let faculties: HashMap<FacultyId, String> = faculty::Entity::find()
        .all(tx.conn())
        .await?
        .into_iter()
        .map(|row| (row.id, row.name))
        .collect();
    let week = tx.now().with_timezone(&UNIVERSITY_TIME).iso_week();
    let mut letters = Vec::new();
    let mut told_of = Vec::new();
    for reader in &people {
        let id = reader.person.id;
        let suiting: Vec<&Coming> = calendar
            .iter()
            .filter(|coming| !known.contains(&(id, coming.event.id)))
            .filter(|coming| coming.is_in_time(reader, tx.now()))
            .filter(|coming| coming.suits(reader, &programmes))
            .collect();
        let told = &suiting[..suiting.len().min(MOST)];
        if told.is_empty() {
            continue;
        }
        let token = signed_link::seal(&key, PURPOSE, id.uuid().as_bytes())?;
        let letter = Letter::to_account(
            &reader.person,
            "coming_events",
            format!("coming_events/{}-{}/{id}", week.year(), week.week()),
            json!({
                "events": told.iter().map(|coming| coming.about(&faculties)).collect::<Vec<_>>(),
                "more": suiting.len() - told.len(),
                "calendar_link": "/calendar",
                "unsubscribe_link": format!("{PATH}{token}"),
            }),
        )?;
        letters.push((id, letter));
        told_of.extend(told.iter().map(|coming| (id, coming.event.id)));
    }
    let written = notice::tell_each(tx, Topic::ComingEvents, letters).await?;
    told_of.retain(|(id, _)| written.contains(id));
    remember(tx, told_of).await?;
    Ok(written.len())
}

/// Keeps of what each was told.
async fn remember(tx: &Tx, told: Vec<(UserId, EventId)>) -> Result<()> {
    if told.is_empty() {
        return Ok(());
    }
    let now = tx.now();
    event_told::Entity::insert_many(told.into_iter().map(|(user_id, event_id)| {
        event_told::ActiveModel {
            user_id: Set(user_id),
            event_id: Set(event_id),
            told_at: Set(now),
        }
    }))
    .exec_without_returning(tx.conn())
    .await?;
    Ok(())
}

/// The next of those who chose to read the digest.
async fn readers(tx: &Tx, after: Option<UserId>) -> Result<Vec<Reader>> {
    let chosen: RelationDef = user::Entity::belongs_to(notice_choice::Entity)
        .from(user::Column::Id)
        .to(notice_choice::Column::UserId)
        .into();
    let mut people = user::Entity::find()
        .join(JoinType::InnerJoin, chosen)
        .filter(notice_choice::Column::Topic.eq(Topic::ComingEvents))
        .filter(notice_choice::Column::Channel.ne(Channel::None))
        .filter(user::Column::State.eq(UserState::Active))
        .order_by_asc(user::Column::Id)
        .limit(AT_ONCE);
    if let Some(after) = after {
        people = people.filter(user::Column::Id.gt(after));
    }
    let people = people.all(tx.conn()).await?;
    let on: Vec<ProgrammeId> = people
        .iter()
        .filter_map(|person| person.programme_id)
        .collect();
    let at: Vec<ContactId> = people
        .iter()
        .filter_map(|person| person.contact_id)
        .collect();
    let by_digest: HashSet<UserId> = notice_choice::Entity::find()
        .select_only()
        .column(notice_choice::Column::UserId)
        .filter(notice_choice::Column::Topic.eq(Topic::ComingEvents))
        .filter(notice_choice::Column::Channel.eq(Channel::DailyDigest))
        .filter(notice_choice::Column::UserId.is_in(people.iter().map(|person| person.id)))
        .into_tuple()
        .all(tx.conn())
        .await?
        .into_iter()
        .collect();
    let levels: HashMap<ProgrammeId, StudyLevel> = programme::Entity::find()
        .filter(programme::Column::Id.is_in(on))
        .all(tx.conn())
        .await?
        .into_iter()
        .map(|row| (row.id, row.level))
        .collect();
    let employers = contact::Entity::find()
        .select_only()
        .column(contact::Column::Id)
        .column(contact::Column::OrganisationId)
        .column(organisation::Column::Sector)
        .join(
            JoinType::InnerJoin,
            contact::Entity::belongs_to(organisation::Entity)
                .from(contact::Column::OrganisationId)
                .to(organisation::Column::Id)
                .into(),
        )
        .filter(contact::Column::Id.is_in(at))
        .filter(contact::Column::State.eq(ContactState::Active))
        .filter(contact::Column::DoNotEmail.eq(false))
        .filter(contact::Column::OnHoldAt.is_null())
        .filter(contact::Column::BulkOptedOutAt.is_null())
        .into_tuple::<(ContactId, OrganisationId, Option<String>)>()
        .all(tx.conn())
        .await?;
    let mut employers: HashMap<_, _> = employers
        .into_iter()
        .map(|(contact, organisation, sector)| (contact, (organisation, sector)))
        .collect();
    Ok(people
        .into_iter()
        .map(|person| Reader {
            by_digest: by_digest.contains(&person.id),
            level: person.programme_id.and_then(|id| levels.get(&id).copied()),
            organisation: person.contact_id.and_then(|id| employers.remove(&id)),
            person,
        })
        .collect())
}

/// What everybody sees on the calendar of the next weeks.
async fn calendar(tx: &Tx) -> Result<Vec<Coming>> {
    let now: DateTime<Utc> = tx.now();
    let filter = EventFilter {
        from: Some(now),
        until: Some(now + AHEAD),
        state: Some(EventState::Published),
        ..EventFilter::default()
    };
    let page = Page::first(LOOKED_AT);
    let mut rows = list(tx.conn(), &Viewer::anonymous(), &filter, &page)
        .await?
        .rows;
    rows.retain(|event| event.starts_at > now);
    let ids: Vec<EventId> = rows.iter().map(|event| event.id).collect();
    let mut groups: HashMap<EventId, Vec<AudienceGroup>> = HashMap::new();
    for (id, group) in audiences(tx.conn(), &ids).await? {
        groups.entry(id).or_default().push(group);
    }
    let found: Vec<(EventId, OrganisationId, Option<String>)> = event_organisation::Entity::find()
        .select_only()
        .column(event_organisation::Column::EventId)
        .column(event_organisation::Column::OrganisationId)
        .column(organisation::Column::Sector)
        .join(
            JoinType::InnerJoin,
            event_organisation::Entity::belongs_to(organisation::Entity)
                .from(event_organisation::Column::OrganisationId)
                .to(organisation::Column::Id)
                .into(),
        )
        .filter(event_organisation::Column::EventId.is_in(ids))
        .into_tuple()
        .all(tx.conn())
        .await?;
    let mut taking_part: HashMap<EventId, Vec<_>> = HashMap::new();
    for (id, organisation, sector) in found {
        taking_part
            .entry(id)
            .or_default()
            .push((organisation, sector));
    }
    Ok(rows
        .into_iter()
        .map(|event| Coming {
            groups: groups.remove(&event.id).unwrap_or_default(),
            taking_part: taking_part.remove(&event.id).unwrap_or_default(),
            event,
        })
        .collect())
}

/// Of what these people know already: they were told of it, or have a booking.
async fn known(
    tx: &Tx,
    people: &[UserId],
    calendar: &[Coming],
) -> Result<HashSet<(UserId, EventId)>> {
    let ids = || calendar.iter().map(|coming| coming.event.id);
    let told: Vec<(UserId, EventId)> = event_told::Entity::find()
        .select_only()
        .column(event_told::Column::UserId)
        .column(event_told::Column::EventId)
        .filter(event_told::Column::UserId.is_in(people.iter().copied()))
        .filter(event_told::Column::EventId.is_in(ids()))
        .into_tuple()
        .all(tx.conn())
        .await?;
    let booked: Vec<(UserId, EventId)> = booking::Entity::find()
        .select_only()
        .column(booking::Column::UserId)
        .column(booking::Column::EventId)
        .filter(booking::Column::UserId.is_in(people.iter().copied()))
        .filter(booking::Column::EventId.is_in(ids()))
        .filter(in_state::any(&[
            booking::BookingState::Booked,
            booking::BookingState::Waiting,
            booking::BookingState::Offered,
        ]))
        .into_tuple()
        .all(tx.conn())
        .await?;
    Ok(told.into_iter().chain(booked).collect())
}

impl Coming {
    /// Whether somebody who reads of it can still go there; for students, whether it can be booked before the next mail comes.
    fn is_in_time(&self, reader: &Reader, now: DateTime<Utc>) -> bool {
        let read_at = if reader.by_digest {
            now + TimeDelta::days(1)
        } else {
            now
        };
        let is_student = matches!(reader.person.kind, UserKind::Student | UserKind::Graduate);
        let closes_later = self.event.booking_closes_at.is_none_or(|at| at > read_at);
        let opens_soon = self
            .event
            .booking_opens_at
            .is_none_or(|at| at < now + TimeDelta::weeks(1));
        self.event.starts_at > read_at && (!is_student || (closes_later && opens_soon))
    }

    fn suits(&self, reader: &Reader, programmes: &HashMap<ProgrammeId, FacultyId>) -> bool {
        match reader.person.kind {
            UserKind::Student | UserKind::Graduate => {
                let candidate = Candidate {
                    kind: reader.person.kind,
                    faculty_id: reader.person.faculty_id,
                    programme_id: reader.person.programme_id,
                    level: reader.level,
                    is_blocked: reader.person.booking_blocked_at.is_some(),
                    is_active: true,
                };
                let admission = Admission::of(self.event.kind, self.groups.clone());
                admission.objection(&candidate).is_none()
            }
            UserKind::Staff => {
                let own = reader.person.faculty_id;
                let of_own = |group: &AudienceGroup| {
                    let of = group
                        .programme_id
                        .and_then(|id| programmes.get(&id).copied());
                    match group.faculty_id.or(of) {
                        Some(faculty) => own == Some(faculty),
                        None => true,
                    }
                };
                self.event
                    .faculty_id
                    .is_some_and(|faculty| own == Some(faculty))
                    || self.groups.is_empty()
                    || self.groups.iter().any(of_own)
            }
            UserKind::Employer => {
                let Some((own, sector)) = &reader.organisation else {
                    return false;
                };
                // Of what they take part in themselves they know.
                let takes_part = self.taking_part.iter().any(|(id, _)| id == own);
                let same_sector = |of: &Option<String>| {
                    let plain = |sector: &str| sector.trim().to_lowercase();
                    let of = of.as_deref().map(plain).filter(|of| !of.is_empty());
                    of.is_some() && of == sector.as_deref().map(plain)
                };
                let suits = self.event.kind == EventKind::CareersFair
                    || self.taking_part.iter().any(|(_, of)| same_sector(of));
                suits && !takes_part && self.event.kind != EventKind::Training
            }
        }
    }

    fn about(&self, faculties: &HashMap<FacultyId, String>) -> Value {
        let faculty = self.event.faculty_id.and_then(|id| faculties.get(&id));
        json!({
            "title": self.event.title,
            "starts_at": self.event.starts_at,
            "place": Whereabouts::of(&self.event).place(false),
            "organiser": faculty.map_or("Careers Centre", String::as_str),
            "link": format!("/events/{}", self.event.id),
        })
    }
}

/// Reads the token of a link: whose digest it ends. None when it was not made here. Changes nothing.
pub async fn read(store: &Store, token: &str) -> Result<Option<UserId>> {
    let key = AddressKey::load(store.reader(), store.now()).await?;
    let signed = signed_link::open(&key, PURPOSE, token)?;
    Ok(signed
        .and_then(|bytes| Uuid::from_slice(&bytes).ok())
        .map(UserId))
}

/// Ends the digest of somebody, at once. Doing it twice does no harm; they can choose it again in their profile.
pub async fn unsubscribe(tx: &mut Tx, user_id: UserId) -> Result<()> {
    let exists = user::Entity::find_by_id(user_id).one(tx.conn()).await?;
    if exists.is_none() {
        return Ok(());
    }
    notice::choose(tx, user_id, &[(Topic::ComingEvents, Channel::None)]).await?;
    let what = json!({ "topic": Topic::ComingEvents, "channel": Channel::None });
    tx.audit(
        &Viewer::anonymous(),
        "notice.unsubscribed",
        user_id,
        None,
        Some(what),
    )
    .await
}
