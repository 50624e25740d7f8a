//! How much two events clash (policy 2.4: similar organisations with related opportunities, targeting similar student
//! degrees). Nothing here reads a database or a clock: two profiles go in, a finding comes out, whichever way round.

use std::cmp::Ordering;

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    event::EventKind,
    event_opportunity::OpportunityKind,
    ids::{FacultyId, OrganisationId, ProgrammeId, TagId, VenueId},
    programme::StudyLevel,
};

use crate::{clock::UNIVERSITY_TIME, venue::key};

/// How many days apart two events still take students from each other. Three on either side make a week: students hear of
/// both in the same week and go to one of them.
pub const NEAR_DAYS: i64 = 3;

/// How many tags two organisations share that makes them similar. One says little: `Internships` is on half of them.
pub const SHARED_TAGS: usize = 2;

/// What is compared of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// What kind of event it is.
    pub kind: EventKind,
    /// When it starts.
    pub starts_at: DateTime<Utc>,
    /// When it ends.
    pub ends_at: DateTime<Utc>,
    /// What is offered there; empty when the organiser didn't say.
    pub opportunities: Vec<OpportunityKind>,
    /// Who takes part.
    pub organisations: Vec<TakingPart>,
    /// Its room.
    pub venue: Option<Room>,
    /// Whom it is for; empty means every student.
    pub audience: Vec<Group>,
}

/// Where an event takes place, as far as two may be in one room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// The venue on the list, with its name alone: others may have written that.
    pub known: Option<(VenueId, String)>,
    /// What the organiser wrote, or what the venue is called in full.
    pub words: String,
}

/// What is compared of an organisation that takes part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakingPart {
    /// Its id.
    pub id: OrganisationId,
    /// Its name.
    pub name: String,
    /// The head office that it is a division of.
    pub parent_id: Option<OrganisationId>,
    /// The sector it works in.
    pub sector: Option<String>,
    /// Its tags.
    pub tags: Vec<TagId>,
}

/// A group of students, with what follows from its programme.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Of this faculty, with its name.
    pub faculty: Option<(FacultyId, String)>,
    /// On this programme, with its name.
    pub programme: Option<(ProgrammeId, String)>,
    /// At this level.
    pub level: Option<StudyLevel>,
}

/// How bad a clash is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Notice,
    /// Better avoided.
    Warning,
    /// Each takes the other's students away: it needs a reason.
    Severe,
}

/// How near two events are in time. The nearest comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Proximity {
    /// Within [`NEAR_DAYS`].
    WithinDays,
    /// On the same day, as days go at the university.
    SameDay,
    /// At the same time.
    Overlapping,
}

/// What the organisations of two events have in common; the closest comes last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Organisations {
    /// Nothing, or nobody takes part in one of them.
    Unlike,
    /// Tags.
    SameThemes(String, String),
    /// The sector.
    SameSector(String, String, String),
    /// They belong to one house: head office and division, or two divisions.
    SameHouse(String, String),
    /// One takes part in both.
    Same(String),
}

/// What two events offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Opportunities {
    /// Other things.
    Unrelated,
    /// They are of one sort, as far as their kinds say.
    RelatedKinds,
    /// The same.
    Same(OpportunityKind),
}

/// Which students two events have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Students {
    /// None.
    Others,
    /// Both are open to every student.
    Everybody,
    /// Those of this group.
    These(Group),
    /// Staff, at training.
    Staff,
}

/// What two events have in common, and how bad that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// How near they are.
    pub proximity: Proximity,
    /// What their organisations have in common.
    pub organisations: Organisations,
    /// What they offer.
    pub opportunities: Opportunities,
    /// Which students could go to both.
    pub students: Students,
    /// The room in which both are to be at the same time.
    pub venue: Option<String>,
}

/// Compares two events. `None` when they don't clash. Which of them is `one` makes no difference to the severity.
#[must_use]
pub fn compare(one: &Profile, other: &Profile) -> Option<Finding> {
    let proximity = proximity(one, other)?;
    let organisations = organisations(one, other);
    let opportunities = opportunities(one, other);
    let students = students(one, other);
    let venue = (proximity == Proximity::Overlapping)
        .then(|| shared_venue(one, other))
        .flatten();
    // Whatever else they share: two events can't be in one room.
    let booked_twice = venue.as_ref().map(|_| Severity::Warning);
    let severity =
        severity(proximity, &organisations, opportunities, &students).max(booked_twice)?;
    Some(Finding {
        severity,
        proximity,
        organisations,
        opportunities,
        students,
        venue,
    })
}

/// The table of severities: the time says how bad it can be at most, each thing that the events don't share makes it a step
/// less.
fn severity(
    proximity: Proximity,
    organisations: &Organisations,
    opportunities: Opportunities,
    students: &Students,
) -> Option<Severity> {
    let at_most = match proximity {
        Proximity::Overlapping => Severity::Severe,
        Proximity::SameDay => Severity::Warning,
        Proximity::WithinDays => Severity::Notice,
    };
    let related = opportunities != Opportunities::Unrelated;
    let overlapping = proximity == Proximity::Overlapping;
    if *students == Students::Others {
        // Nobody could go to both; but an employer can't be at two places.
        let same = organisations.closeness() >= CLOSE;
        return (overlapping && same).then_some(Severity::Notice);
    }
    match organisations.closeness() {
        // Without employers in common, events compete only when they are the same sort of thing at the same time.
        0 if overlapping && related => match students {
            Students::These(_) | Students::Staff => Some(Severity::Warning),
            Students::Everybody | Students::Others => Some(Severity::Notice),
        },
        0 => None,
        1 => less(at_most, 1 + u8::from(!related)),
        _ => less(at_most, u8::from(!related)),
    }
}

const fn less(severity: Severity, steps: u8) -> Option<Severity> {
    match (severity, steps) {
        (severity, 0) => Some(severity),
        (Severity::Severe, 1) => Some(Severity::Warning),
        (Severity::Severe, 2) | (Severity::Warning, 1) => Some(Severity::Notice),
        _ => None,
    }
}

/// From this closeness on, organisations are one house.
const CLOSE: u8 = 3;

impl Organisations {
    const fn closeness(&self) -> u8 {
        match self {
            Self::Unlike => 0,
            Self::SameThemes(..) => 1,
            Self::SameSector(..) => 2,
            Self::SameHouse(..) => CLOSE,
            Self::Same(_) => CLOSE + 1,
        }
    }
}

/// Words that organisers write where there is no room, or not yet.
const NO_ROOM: &[&str] = &[
    "virtual",
    "zoom",
    "teams",
    "microsoft teams",
    "ms teams",
    "webinar",
    "various",
    "tba",
    "tbc",
    "to be announced",
    "to be confirmed",
    "campus",
    "on campus",
];

/// The room that both events name: the same venue of the list, or the same words however they are written.
fn shared_venue(one: &Profile, other: &Profile) -> Option<String> {
    let (mine, theirs) = (one.venue.as_ref()?, other.venue.as_ref()?);
    let same = match (&mine.known, &theirs.known) {
        (Some((mine, _)), Some((theirs, _))) => mine == theirs,
        (Some(_), None) => mine.is_meant_by(&theirs.words),
        (None, Some(_)) => theirs.is_meant_by(&mine.words),
        (None, None) => is_room(&mine.words) && key(&mine.words) == key(&theirs.words),
    };
    same.then(|| mine.words.trim().to_owned())
}

impl Room {
    /// Whether an organiser who wrote this means the venue: by its whole name, or by its name without the building.
    fn is_meant_by(&self, words: &str) -> bool {
        let name = self.known.as_ref().map(|(_, name)| name.as_str());
        is_room(words)
            && [Some(self.words.as_str()), name]
                .into_iter()
                .flatten()
                .any(|called| key(called) == key(words))
    }
}

fn is_room(words: &str) -> bool {
    let room = key(words);
    !room.is_empty() && !room.starts_with("online") && !NO_ROOM.contains(&room.as_str())
}

fn proximity(one: &Profile, other: &Profile) -> Option<Proximity> {
    if one.starts_at < other.ends_at && other.starts_at < one.ends_at {
        return Some(Proximity::Overlapping);
    }
    let (first, second) = if one.starts_at <= other.starts_at {
        (one, other)
    } else {
        (other, one)
    };
    // An event that ends at midnight is not of the day that begins then.
    let last_moment = (first.ends_at - TimeDelta::milliseconds(1)).max(first.starts_at);
    let day = |moment: DateTime<Utc>| moment.with_timezone(&UNIVERSITY_TIME).date_naive();
    match (day(second.starts_at) - day(last_moment)).num_days() {
        ..=0 => Some(Proximity::SameDay),
        1..=NEAR_DAYS => Some(Proximity::WithinDays),
        _ => None,
    }
}

fn organisations(one: &Profile, other: &Profile) -> Organisations {
    one.organisations
        .iter()
        .flat_map(|mine| {
            other
                .organisations
                .iter()
                .map(move |theirs| mine.likeness(theirs))
        })
        // The first of the closest, so that the sentence is the same every time.
        .fold(Organisations::Unlike, |closest, likeness| {
            if likeness.closeness() > closest.closeness() {
                likeness
            } else {
                closest
            }
        })
}

impl TakingPart {
    fn likeness(&self, other: &Self) -> Organisations {
        let (mine, theirs) = (self.name.clone(), other.name.clone());
        if self.id == other.id {
            return Organisations::Same(mine);
        }
        let house = |organisation: &Self| organisation.parent_id.unwrap_or(organisation.id);
        if house(self) == house(other) {
            return Organisations::SameHouse(mine, theirs);
        }
        if let (Some(sector), Some(also)) = (&self.sector, &other.sector)
            && !sector.trim().is_empty()
            && sector.trim().to_lowercase() == also.trim().to_lowercase()
        {
            return Organisations::SameSector(mine, theirs, sector.trim().to_owned());
        }
        let shared = self.tags.iter().filter(|tag| other.tags.contains(tag));
        if shared.count() >= SHARED_TAGS {
            return Organisations::SameThemes(mine, theirs);
        }
        Organisations::Unlike
    }
}

/// What the organisers say decides; where one of them says nothing, the kinds of the events do.
fn opportunities(one: &Profile, other: &Profile) -> Opportunities {
    if one.opportunities.is_empty() || other.opportunities.is_empty() {
        return if sort_of(one.kind) == sort_of(other.kind) {
            Opportunities::RelatedKinds
        } else {
            Opportunities::Unrelated
        };
    }
    let mut shared: Vec<OpportunityKind> = one
        .opportunities
        .iter()
        .filter(|kind| other.opportunities.contains(kind))
        .copied()
        .collect();
    shared.sort_unstable();
    shared
        .first()
        .map_or(Opportunities::Unrelated, |kind| Opportunities::Same(*kind))
}

#[derive(PartialEq, Eq)]
enum Sort {
    MeetEmployers,
    Learn,
    Train,
    Other,
}

const fn sort_of(kind: EventKind) -> Sort {
    match kind {
        EventKind::CareersFair | EventKind::EmployerPresentation | EventKind::Interviews => {
            Sort::MeetEmployers
        }
        EventKind::Workshop | EventKind::SkillsSession => Sort::Learn,
        EventKind::Training => Sort::Train,
        EventKind::Other => Sort::Other,
    }
}

fn students(one: &Profile, other: &Profile) -> Students {
    match (one.kind, other.kind) {
        (EventKind::Training, EventKind::Training) => return Students::Staff,
        (EventKind::Training, _) | (_, EventKind::Training) => return Students::Others,
        _ => {}
    }
    match (&one.audience[..], &other.audience[..]) {
        ([], []) => Students::Everybody,
        ([], [some, ..]) | ([some, ..], []) => Students::These(some.clone()),
        (mine, theirs) => mine
            .iter()
            .flat_map(|group| theirs.iter().filter_map(|other| group.common(other)))
            .next()
            .map_or(Students::Others, Students::These),
    }
}

impl Group {
    /// Those who are in both; `None` when nobody can be.
    fn common(&self, other: &Self) -> Option<Self> {
        let faculty = both(self.faculty.as_ref(), other.faculty.as_ref(), |(id, _)| *id);
        let programme = both(
            self.programme.as_ref(),
            other.programme.as_ref(),
            |(id, _)| *id,
        );
        let level = both(self.level.as_ref(), other.level.as_ref(), |level| *level);
        Some(Self {
            faculty: faculty.ok()?,
            programme: programme.ok()?,
            level: level.ok()?,
        })
    }
}

/// Two conditions that nobody meets together.
struct Apart;

/// What meets both conditions; none is no condition.
fn both<T: Clone, K: PartialEq>(
    one: Option<&T>,
    other: Option<&T>,
    key: impl Fn(&T) -> K,
) -> Result<Option<T>, Apart> {
    match (one, other) {
        (Some(one), Some(other)) if key(one) != key(other) => Err(Apart),
        (Some(only), _) | (None, Some(only)) => Ok(Some(only.clone())),
        (None, None) => Ok(None),
    }
}

/// The worst first, then the nearest.
#[must_use]
pub fn order(one: &Finding, other: &Finding) -> Ordering {
    (other.severity, other.proximity).cmp(&(one.severity, one.proximity))
}

#[cfg(test)]
mod tests;
