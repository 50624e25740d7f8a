//! What lines of the audit log are about, and which of it exists for whom.

use std::{
    collections::{HashMap, HashSet},
    fmt,
};

use chrono::{DateTime, Utc};
use entity::{
    audit_entry, contact, event, event_organisation,
    ids::{CampaignId, ContactId, EventId, NoteId, OrganisationId, VacancyId},
    organisation, vacancy,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait};

use super::Activity;
use crate::{
    contact as contacts, error::Result, event as events, organisation as organisations,
    vacancy as vacancies, viewer::Viewer,
};

/// What something was done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// An organisation.
    Organisation(OrganisationId),
    /// A contact.
    Contact(ContactId),
    /// A note.
    Note(NoteId),
    /// A vacancy.
    Vacancy(VacancyId),
    /// An event.
    Event(EventId),
    /// A campaign.
    Campaign(CampaignId),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Organisation(id) => id.fmt(f),
            Self::Contact(id) => id.fmt(f),
            Self::Note(id) => id.fmt(f),
            Self::Vacancy(id) => id.fmt(f),
            Self::Event(id) => id.fmt(f),
            Self::Campaign(id) => id.fmt(f),
        }
    }
}

impl Subject {
    /// What the log names, if it is one of these.
    pub(super) fn parse(written: &str) -> Option<Self> {
        None.or_else(|| written.parse().ok().map(Self::Organisation))
            .or_else(|| written.parse().ok().map(Self::Contact))
            .or_else(|| written.parse().ok().map(Self::Note))
            .or_else(|| written.parse().ok().map(Self::Vacancy))
            .or_else(|| written.parse().ok().map(Self::Event))
            .or_else(|| written.parse().ok().map(Self::Campaign))
    }
}

/// What exists for somebody of what some lines are about: organisations by themselves, the rest with its organisation.
#[derive(Default)]
struct Existing {
    organisations: HashSet<OrganisationId>,
    contacts: HashMap<ContactId, OrganisationId>,
    vacancies: HashMap<VacancyId, OrganisationId>,
    events: HashSet<EventId>,
}

impl Existing {
    async fn of(
        db: &impl ConnectionTrait,
        viewer: &Viewer,
        now: DateTime<Utc>,
        subjects: &[Subject],
    ) -> Result<Self> {
        let (mut firms, mut people, mut adverts, mut dates) = (vec![], vec![], vec![], vec![]);
        for subject in subjects {
            match subject {
                Subject::Organisation(id) => firms.push(*id),
                Subject::Contact(id) => people.push(*id),
                Subject::Vacancy(id) => adverts.push(*id),
                Subject::Event(id) => dates.push(*id),
                Subject::Note(_) | Subject::Campaign(_) => {}
            }
        }
        let mut found = Self::default();
        if !firms.is_empty() {
            let rows = organisations::visible(viewer)
                .filter(organisation::Column::Id.is_in(firms))
                .select_only()
                .column(organisation::Column::Id);
            found.organisations = rows.into_tuple().all(db).await?.into_iter().collect();
        }
        if !people.is_empty() {
            let rows = contacts::visible(viewer)
                .filter(contact::Column::Id.is_in(people))
                .select_only()
                .columns([contact::Column::Id, contact::Column::OrganisationId]);
            found.contacts = rows.into_tuple().all(db).await?.into_iter().collect();
        }
        if !adverts.is_empty() {
            let rows = vacancies::visible(viewer, now)
                .filter(vacancy::Column::Id.is_in(adverts))
                .select_only()
                .columns([vacancy::Column::Id, vacancy::Column::OrganisationId]);
            found.vacancies = rows.into_tuple().all(db).await?.into_iter().collect();
        }
        if !dates.is_empty() {
            let with_employers = event_organisation::Entity::find()
                .select_only()
                .column(event_organisation::Column::EventId)
                .filter(event_organisation::Column::EventId.is_in(dates.clone()))
                .into_query();
            let rows = event::Entity::find()
                .filter(events::visible_to(viewer))
                .filter(event::Column::Id.in_subquery(with_employers))
                .filter(event::Column::Id.is_in(dates))
                .select_only()
                .column(event::Column::Id);
            found.events = rows.into_tuple().all(db).await?.into_iter().collect();
        }
        Ok(found)
    }
}

/// Those of the lines whose subjects exist for `viewer`, in their order. In a list about one organisation, what was merged
/// into it is told as its own.
pub(super) async fn seen(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    now: DateTime<Utc>,
    about: Option<OrganisationId>,
    lines: Vec<audit_entry::Model>,
) -> Result<Vec<Activity>> {
    let lines: Vec<(audit_entry::Model, Subject)> = lines
        .into_iter()
        .filter_map(|line| {
            let subject = Subject::parse(&line.subject)?;
            Some((line, subject))
        })
        .collect();
    let subjects: Vec<Subject> = lines.iter().map(|(_, subject)| *subject).collect();
    let existing = Existing::of(db, viewer, now, &subjects).await?;
    let shown = lines.into_iter().filter_map(|(line, subject)| {
        let organisation_id = match subject {
            Subject::Organisation(id) => match about {
                Some(about) => Some(about),
                None => Some(existing.organisations.get(&id).copied()?),
            },
            Subject::Contact(id) => Some(*existing.contacts.get(&id)?),
            Subject::Vacancy(id) => Some(*existing.vacancies.get(&id)?),
            Subject::Event(id) => {
                existing.events.get(&id)?;
                about
            }
            Subject::Campaign(_) => about,
            Subject::Note(_) => return None,
        };
        Some(Activity {
            id: line.id.uuid(),
            at: line.at,
            by: line.actor_id,
            action: line.action,
            subject,
            organisation_id,
        })
    });
    Ok(shown.collect())
}
