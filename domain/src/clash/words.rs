//! A clash in one sentence, for organisers.

use entity::{event_opportunity::OpportunityKind, programme::StudyLevel};

use super::{
    near::Candidate,
    score::{Finding, Group, Opportunities, Organisations, Proximity, Students},
};
use crate::mail::in_university_time;

/// Who plans an event that no faculty does.
const CAREERS_CENTRE: &str = "the Careers Centre";

/// Why the event clashes with `other`.
pub(super) fn sentence(finding: &Finding, other: &Candidate) -> String {
    format!(
        "{} {}, {}: {}{}, {} and {}.",
        nearness(finding.proximity),
        quoted(&other.title),
        in_university_time(other.profile.starts_at),
        room(finding.venue.as_deref()),
        organisations(&finding.organisations),
        opportunities(finding.opportunities),
        students(&finding.students),
    )
}

/// The same for whoever may not see `other`, which is being written: nothing of what its organiser has written.
pub(super) fn veiled(finding: &Finding, other: &Candidate) -> String {
    format!(
        "{} an event that {} is planning and has not published. Ask there before you settle on the time.",
        nearness(finding.proximity),
        other.faculty.as_deref().unwrap_or(CAREERS_CENTRE),
    )
}

fn nearness(proximity: Proximity) -> &'static str {
    match proximity {
        Proximity::Overlapping => "At the same time as",
        Proximity::SameDay => "On the same day as",
        Proximity::WithinDays => "Within days of",
    }
}

fn room(venue: Option<&str>) -> String {
    venue.map_or_else(String::new, |venue| {
        format!("both are to be in {venue} then, ")
    })
}

fn quoted(title: &str) -> String {
    format!("“{title}”")
}

fn organisations(organisations: &Organisations) -> String {
    match organisations {
        Organisations::Same(name) => format!("{name} takes part in both"),
        Organisations::SameHouse(one, other) => format!("{one} and {other} belong together"),
        Organisations::SameSector(one, other, sector) => {
            format!("{one} and {other} are both in the sector {sector}")
        }
        Organisations::SameThemes(one, other) => format!("{one} and {other} share tags"),
        Organisations::Unlike => "no employer is in common".to_owned(),
    }
}

fn opportunities(opportunities: Opportunities) -> String {
    match opportunities {
        Opportunities::Same(kind) => format!("both offer {}", offered(kind)),
        Opportunities::RelatedKinds => "they are events of the same sort".to_owned(),
        Opportunities::Unrelated => "they offer different things".to_owned(),
    }
}

fn students(students: &Students) -> String {
    match students {
        Students::Everybody => "both are for every student".to_owned(),
        Students::These(group) => format!("both are for {}", of_group(group)),
        Students::Staff => "both are for staff".to_owned(),
        Students::Others => "no student is invited to both".to_owned(),
    }
}

fn of_group(group: &Group) -> String {
    let who = group.level.map_or("students", |level| match level {
        StudyLevel::Foundation => "foundation students",
        StudyLevel::Undergraduate => "undergraduates",
        StudyLevel::TaughtPostgraduate => "taught postgraduates",
        StudyLevel::Research => "research students",
    });
    match (&group.programme, &group.faculty) {
        (Some((_, programme)), _) => format!("students on {programme}"),
        (None, Some((_, faculty))) => format!("{who} of {faculty}"),
        (None, None) => who.to_owned(),
    }
}

fn offered(kind: OpportunityKind) -> &'static str {
    match kind {
        OpportunityKind::GraduateJob => "graduate jobs",
        OpportunityKind::Placement => "placements",
        OpportunityKind::Internship => "internships",
        OpportunityKind::PartTimeJob => "part-time jobs",
        OpportunityKind::Volunteering => "volunteering",
        OpportunityKind::FurtherStudy => "further study",
    }
}
