//! What happened with employers, in one list (policy 1): notes, bookings of stands and talks, vacancies, mails, changes.
//!
//! It is built from one place, the audit log, which has a line for each of them, and from notes, whose rows are as good as
//! their lines. So nothing is written twice, and nothing is shown of a row that its reader doesn't have any more: each
//! line's subject is looked up by the rule of its own list, at each request and for each event of a subscription.

mod subject;

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use entity::{
    audit_entry, campaign, contact, delivery,
    delivery::DeliveryState,
    event, event_organisation,
    ids::{
        AuditEntryId, CampaignId, ContactId, EventId, NoteId, OrganisationId, TypedId, UserId,
        VacancyId,
    },
    merge::MergeKind,
    note, user, vacancy,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, Order, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, Select, sea_query::SelectStatement,
};
use uuid::Uuid;

pub use self::subject::Subject;
use crate::{
    contact as contacts,
    error::Result,
    event as events, merge, note as notes, organisation as organisations,
    page::{Page, Slice},
    vacancy as vacancies,
    viewer::Viewer,
};

/// Changes of an organisation that all staff see. That it was looked at, tagged or imported is no news.
const OF_ORGANISATION: [&str; 11] = [
    "organisation.create",
    "organisation.register",
    "organisation.resubmit",
    "organisation.review",
    "organisation.update",
    "organisation.ask_change",
    "organisation.answer_change",
    "organisation.archive",
    "organisation.restore",
    "organisation.merge",
    "organisation.undo_merge",
];

/// Those that its employer sees. Of what staff keep about it for themselves, not even that it changed.
const OF_OWN_ORGANISATION: [&str; 5] = [
    "organisation.register",
    "organisation.resubmit",
    "organisation.review",
    "organisation.ask_change",
    "organisation.answer_change",
];

/// What an employer changes of its organisation at once.
const UPDATED: &str = "organisation.update";

/// Changes of a contact, for operators and its own organisation.
const OF_CONTACT: [&str; 2] = ["contact.create", "contact.update"];

/// What becomes of a vacancy.
const OF_VACANCY: [&str; 6] = [
    "vacancy.create",
    "vacancy.update",
    "vacancy.submit",
    "vacancy.review",
    "vacancy.publish_by_rule",
    "vacancy.close",
];

/// What becomes of an event that organisations take part in.
const OF_EVENT: [&str; 2] = ["event.publish", "event.cancel"];

/// A mail to many.
const OF_CAMPAIGN: [&str; 1] = ["campaign.started"];

/// A note; its row is read instead.
const OF_NOTE: &str = "note.add";

/// How many rows of the log are looked at in one round, and how many rounds for one page at most.
const ROUND: u64 = 100;
const MOST_ROUNDS: usize = 20;

/// So many are counted when somebody asks how many there are.
const MOST_COUNTED: u64 = 1_000;

/// Whether an action is one that the list may have: those who watch it are told.
#[must_use]
pub fn has(action: &str) -> bool {
    action == OF_NOTE
        || OF_ORGANISATION.contains(&action)
        || OF_CONTACT.contains(&action)
        || OF_VACANCY.contains(&action)
        || OF_EVENT.contains(&action)
        || OF_CAMPAIGN.contains(&action)
}

/// What something that happened is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An engagement was recorded.
    Note,
    /// An event that organisations take part in was announced, or cancelled.
    Booking,
    /// A vacancy was written, approved, closed.
    Vacancy,
    /// A bulk mail went out.
    Mail,
    /// A record was changed.
    Change,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activity {
    /// By which it is known: ids sort by time.
    pub id: Uuid,
    /// When.
    pub at: DateTime<Utc>,
    /// Who did it; none for the system itself.
    pub by: Option<UserId>,
    /// What was done, as the audit log calls it.
    pub action: String,
    /// What it was done to.
    pub subject: Subject,
    /// The organisation it is about; none when it is about several.
    pub organisation_id: Option<OrganisationId>,
}

impl Activity {
    /// What it is about.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self.subject {
            Subject::Note(_) => Kind::Note,
            Subject::Event(_) => Kind::Booking,
            Subject::Vacancy(_) => Kind::Vacancy,
            Subject::Campaign(_) => Kind::Mail,
            Subject::Organisation(_) | Subject::Contact(_) => Kind::Change,
        }
    }

    fn of_note(row: &note::Model) -> Self {
        Self {
            id: row.id.uuid(),
            at: row.created_at,
            by: Some(row.author_id),
            action: OF_NOTE.to_owned(),
            subject: Subject::Note(row.id),
            organisation_id: Some(row.organisation_id),
        }
    }
}

/// The key of something that happened.
#[must_use]
pub fn key(activity: &Activity) -> (Uuid,) {
    (activity.id,)
}

/// One page of what happened and `viewer` may know of, the latest first: with one organisation, or for staff with all.
///
/// An employer has what concerns its own organisation. Nobody but employers and staff has anything.
pub async fn list(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    now: DateTime<Utc>,
    about: Option<OrganisationId>,
    page: &Page<(Uuid,)>,
) -> Result<Slice<Activity>> {
    let Some(about) = scope(db, viewer, about).await? else {
        return Ok(page.slice(Vec::new()));
    };
    let wanted = usize::try_from(page.limit)
        .unwrap_or(usize::MAX)
        .saturating_add(1);
    let lines = Lines::about(db, viewer, now, about).await?;
    let (mut found, stopped_at) = lines.read(db, viewer, now, page, wanted).await?;
    let notes = notes_on(db, viewer, about, page).await?;
    // Of what lies beyond the last line that was looked at, nothing is known yet.
    let is_within = |activity: &Activity| {
        stopped_at.is_none_or(|(last,)| (activity.id > last) != page.backward)
    };
    found.extend(notes.iter().map(Activity::of_note).filter(is_within));
    found.sort_by_key(|activity| activity.id);
    if !page.backward {
        found.reverse();
    }
    found.truncate(wanted);
    let mut slice = page.slice(found);
    let more = if page.backward {
        &mut slice.has_previous
    } else {
        &mut slice.has_next
    };
    *more |= stopped_at.is_some();
    Ok(slice)
}

/// How many there are that `viewer` may know of; at most 1,000 are counted.
pub async fn count(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    now: DateTime<Utc>,
    about: Option<OrganisationId>,
) -> Result<u64> {
    let found = list(db, viewer, now, about, &Page::first(MOST_COUNTED)).await?;
    Ok(found.rows.len() as u64)
}

/// What a mail to many is called: staff know it by its name, employers by its subject, where that is the same for all.
pub async fn mail_titles(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    ids: &[CampaignId],
) -> Result<Vec<(CampaignId, String)>> {
    let is_staff = viewer.is_staff();
    let title = if is_staff {
        campaign::Column::Name
    } else {
        campaign::Column::Subject
    };
    let mut titles: Vec<(CampaignId, String)> = campaign::Entity::find()
        .select_only()
        .columns([campaign::Column::Id, title])
        .filter(campaign::Column::Id.is_in(ids.iter().copied()))
        .into_tuple()
        .all(db)
        .await?;
    titles.retain(|(_, title)| is_staff || !title.contains('{'));
    Ok(titles)
}

/// What a line of the log that was just written tells `viewer`, if it does.
pub async fn of_line(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    now: DateTime<Utc>,
    about: Option<OrganisationId>,
    line: AuditEntryId,
) -> Result<Option<Activity>> {
    let Some(about) = scope(db, viewer, about).await? else {
        return Ok(None);
    };
    let entry = audit_entry::Entity::find_by_id(line).one(db).await?;
    let Some(entry) = entry else { return Ok(None) };
    if entry.action == OF_NOTE {
        let Some(Subject::Note(id)) = Subject::parse(&entry.subject) else {
            return Ok(None);
        };
        let row = notes::visible(viewer)
            .filter(note::Column::Id.eq(id))
            .one(db)
            .await?;
        let row = row.filter(|row| about.is_none_or(|about| row.organisation_id == about));
        return Ok(row.as_ref().map(Activity::of_note));
    }
    let lines = Lines::about(db, viewer, now, about).await?;
    let entry = audit_entry::Entity::find_by_id(line)
        .filter(lines.condition.clone())
        .one(db)
        .await?;
    let seen = subject::seen(db, viewer, now, about, entry.into_iter().collect()).await?;
    Ok(seen.into_iter().next())
}

/// What the list is about: `Some(None)` is everything, none is nothing.
async fn scope(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    about: Option<OrganisationId>,
) -> Result<Option<Option<OrganisationId>>> {
    let own = viewer.person().and_then(|person| person.organisation_id);
    if viewer.is_staff() {
        let Some(id) = about else {
            return Ok(Some(None));
        };
        return Ok(organisations::find(db, viewer, id).await?.map(|_| Some(id)));
    }
    let is_employer = viewer.kind() == Some(user::UserKind::Employer);
    Ok(own
        .filter(|own| is_employer && about.is_none_or(|about| about == *own))
        .map(Some))
}

async fn notes_on(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    about: Option<OrganisationId>,
    page: &Page<(Uuid,)>,
) -> Result<Vec<note::Model>> {
    if !viewer.is_staff() {
        return Ok(Vec::new());
    }
    let mut query = notes::visible(viewer);
    if let Some(id) = about {
        query = query.filter(note::Column::OrganisationId.eq(id));
    }
    let page = page.map(|(id,)| NoteId::from_uuid(*id));
    let query = page.narrow(query, [note::Column::Id.into_expr()], Order::Desc);
    Ok(query.all(db).await?)
}

/// Which lines of the log may be shown.
struct Lines {
    about: Option<OrganisationId>,
    condition: Condition,
}

impl Lines {
    async fn about(
        db: &impl ConnectionTrait,
        viewer: &Viewer,
        now: DateTime<Utc>,
        about: Option<OrganisationId>,
    ) -> Result<Self> {
        let mut any = Condition::any();
        let mut actions: Vec<&str> = OF_VACANCY
            .into_iter()
            .chain(OF_EVENT)
            .chain(OF_CAMPAIGN)
            .collect();
        if viewer.is_staff() {
            actions.extend(OF_ORGANISATION);
            if viewer.is_operator() || viewer.is_system() {
                actions.extend(OF_CONTACT);
            }
        } else {
            actions.extend(OF_OWN_ORGANISATION);
            actions.extend(OF_CONTACT);
            if let Some(own) = about {
                any = any.add(
                    Condition::all()
                        .add(audit_entry::Column::Action.eq(UPDATED))
                        .add(audit_entry::Column::ActorId.in_subquery(accounts_of(own))),
                );
            }
        }
        any = any.add(audit_entry::Column::Action.is_in(actions));
        let mut condition = Condition::all().add(any);
        if let Some(id) = about {
            let subjects = subjects_of(db, viewer, now, id).await?;
            condition = condition.add(audit_entry::Column::Subject.is_in(subjects));
        }
        Ok(Self { about, condition })
    }

    /// The lines on the page whose subjects exist for `viewer`, and the last one looked at, when there may be others beyond it.
    async fn read(
        &self,
        db: &impl ConnectionTrait,
        viewer: &Viewer,
        now: DateTime<Utc>,
        page: &Page<(Uuid,)>,
        wanted: usize,
    ) -> Result<(Vec<Activity>, Option<(Uuid,)>)> {
        let mut round = page.clone();
        round.limit = page.limit.max(ROUND);
        let mut all = Vec::new();
        for _ in 0..MOST_ROUNDS {
            let query = audit_entry::Entity::find().filter(self.condition.clone());
            let lines = round
                .map(|(id,)| AuditEntryId::from_uuid(*id))
                .narrow(query, [audit_entry::Column::Id.into_expr()], Order::Desc)
                .all(db)
                .await?;
            let (read, last) = (lines.len(), lines.last().map(|line| (line.id.uuid(),)));
            all.extend(subject::seen(db, viewer, now, self.about, lines).await?);
            let was_last = u64::try_from(read).unwrap_or(u64::MAX) <= round.limit;
            if was_last || all.len() >= wanted {
                return Ok((all, None));
            }
            // What is hidden leaves no hole: the next lines come up.
            if page.backward {
                round.before = last;
            } else {
                round.after = last;
            }
        }
        let stopped_at = if page.backward {
            round.before
        } else {
            round.after
        };
        Ok((all, stopped_at))
    }
}

/// The accounts with which people sign in for an organisation.
fn accounts_of(organisation: OrganisationId) -> SelectStatement {
    let people = contact::Entity::find()
        .select_only()
        .column(contact::Column::Id)
        .filter(contact::Column::OrganisationId.eq(organisation));
    user::Entity::find()
        .select_only()
        .column(user::Column::Id)
        .filter(user::Column::ContactId.in_subquery(people.into_query()))
        .into_query()
}

/// Everything of an organisation that exists for `viewer`, and that the log may have lines of.
async fn subjects_of(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    now: DateTime<Utc>,
    id: OrganisationId,
) -> Result<Vec<String>> {
    async fn ids<E: EntityTrait>(
        db: &impl ConnectionTrait,
        rows: Select<E>,
        id: E::Column,
    ) -> Result<Vec<Uuid>> {
        let rows = rows.select_only().column(id).order_by_desc(id);
        Ok(rows.into_tuple().all(db).await?)
    }
    let mut subjects = vec![Subject::Organisation(id)];
    if viewer.is_staff() {
        let gone = merge::all_that_went_into(db, MergeKind::Organisation, &[id.uuid()]).await?;
        let gone = gone.into_values().flatten();
        subjects.extend(gone.map(|gone| Subject::Organisation(OrganisationId(gone))));
    }
    let of_it = contacts::visible(viewer).filter(contact::Column::OrganisationId.eq(id));
    let people = ids(db, of_it, contact::Column::Id).await?;
    subjects.extend(people.into_iter().map(|id| Subject::Contact(ContactId(id))));
    let of_it = vacancies::visible(viewer, now).filter(vacancy::Column::OrganisationId.eq(id));
    let adverts = ids(db, of_it, vacancy::Column::Id).await?;
    subjects.extend(
        adverts
            .into_iter()
            .map(|id| Subject::Vacancy(VacancyId(id))),
    );
    let taking_part = event_organisation::Entity::find()
        .select_only()
        .column(event_organisation::Column::EventId)
        .filter(event_organisation::Column::OrganisationId.eq(id));
    let of_it = event::Entity::find()
        .filter(events::visible_to(viewer))
        .filter(event::Column::Id.in_subquery(taking_part.into_query()));
    let shown = ids(db, of_it, event::Column::Id).await?;
    subjects.extend(shown.into_iter().map(|id| Subject::Event(EventId(id))));
    let everybody = contact::Entity::find()
        .select_only()
        .column(contact::Column::Id)
        .filter(contact::Column::OrganisationId.eq(id));
    let mailed: Vec<Uuid> = delivery::Entity::find()
        .select_only()
        .column(delivery::Column::CampaignId)
        .distinct()
        .filter(delivery::Column::CampaignId.is_not_null())
        .filter(delivery::Column::State.eq(DeliveryState::Sent))
        .filter(delivery::Column::ContactId.in_subquery(everybody.into_query()))
        .into_tuple()
        .all(db)
        .await?;
    subjects.extend(
        mailed
            .into_iter()
            .map(|id| Subject::Campaign(CampaignId(id))),
    );
    let written: HashSet<String> = subjects.iter().map(ToString::to_string).collect();
    Ok(written.into_iter().collect())
}
