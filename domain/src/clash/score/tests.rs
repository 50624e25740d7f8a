use proptest::{prelude::*, sample::subsequence};
use uuid::Uuid;

use super::*;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn organisation(number: u128) -> TakingPart {
    TakingPart {
        id: OrganisationId(Uuid::from_u128(number)),
        name: format!("Organisation {number}"),
        parent_id: None,
        sector: None,
        tags: Vec::new(),
    }
}

fn faculty(number: u128) -> Group {
    Group {
        faculty: Some((
            FacultyId(Uuid::from_u128(number)),
            format!("Faculty {number}"),
        )),
        ..Group::default()
    }
}

/// A presentation from 17:00 to 19:00 UTC on a Tuesday in winter.
fn presentation() -> Profile {
    Profile {
        kind: EventKind::EmployerPresentation,
        starts_at: at("2026-11-24T17:00:00Z"),
        ends_at: at("2026-11-24T19:00:00Z"),
        opportunities: Vec::new(),
        organisations: vec![organisation(1)],
        venue: None,
        audience: vec![faculty(1)],
    }
}

fn moved(profile: Profile, by: TimeDelta) -> Profile {
    Profile {
        starts_at: profile.starts_at + by,
        ends_at: profile.ends_at + by,
        ..profile
    }
}

fn severity_of(one: &Profile, other: &Profile) -> Option<Severity> {
    compare(one, other).map(|finding| finding.severity)
}

#[test]
fn the_same_employer_for_the_same_students_is_the_worse_the_nearer() {
    let one = presentation();
    for (hours, expected) in [
        (0, Some(Severity::Severe)),
        (1, Some(Severity::Severe)),
        (-3, Some(Severity::Warning)),
        (2, Some(Severity::Warning)),
        (24, Some(Severity::Notice)),
        (72, Some(Severity::Notice)),
        (96, None),
        (-96, None),
    ] {
        let other = moved(presentation(), TimeDelta::hours(hours));
        assert_eq!(severity_of(&one, &other), expected, "{hours} hours");
    }
}

#[test]
fn days_are_those_of_the_university() {
    // 23:30 UTC on a summer evening is half past midnight in London.
    let evening = Profile {
        starts_at: at("2026-07-01T21:00:00Z"),
        ends_at: at("2026-07-01T22:30:00Z"),
        ..presentation()
    };
    let night = Profile {
        starts_at: at("2026-07-01T23:30:00Z"),
        ends_at: at("2026-07-02T00:30:00Z"),
        ..presentation()
    };
    let finding = compare(&evening, &night).unwrap();
    assert_eq!(finding.proximity, Proximity::WithinDays);
}

/// A room as an organiser wrote it.
fn written(words: &str) -> Room {
    Room {
        known: None,
        words: words.to_owned(),
    }
}

/// A room on the list of venues.
fn on_the_list(id: u128, name: &str) -> Room {
    Room {
        known: Some((VenueId(Uuid::from_u128(id)), name.to_owned())),
        words: format!("{name}, Building {id}"),
    }
}

#[test]
fn a_venue_on_the_list_is_itself_and_what_organisers_write_for_it() {
    let (here, elsewhere) = (on_the_list(1, "Hall"), on_the_list(2, "Hall"));
    let shares = |one: &Room, other: &Room| {
        let at = |room: &Room| Profile {
            kind: EventKind::Training,
            venue: Some(room.clone()),
            ..presentation()
        };
        compare(&at(one), &at(other)).and_then(|finding| finding.venue)
    };
    for same in [&here, &written("the hall"), &written("Hall, building 1")] {
        assert_eq!(shares(&here, same).as_deref(), Some("Hall, Building 1"));
        assert!(shares(same, &here).is_some(), "{same:?}");
    }
    for other in [&elsewhere, &written("Hall, building 2"), &written("Online")] {
        assert_eq!(shares(&here, other), None, "{other:?}");
    }
}

#[test]
fn one_room_is_not_two_however_it_is_written() {
    let at = |venue: Option<&str>, hours| {
        let profile = Profile {
            kind: EventKind::Training,
            organisations: Vec::new(),
            audience: Vec::new(),
            venue: venue.map(written),
            ..presentation()
        };
        moved(profile, TimeDelta::hours(hours))
    };
    let talk = Profile {
        venue: Some(written("Great Hall")),
        ..presentation()
    };
    for same in ["Great Hall", "the great hall", " Great  Hall. "] {
        let finding = compare(&talk, &at(Some(same), 1)).unwrap();
        assert_eq!(finding.severity, Severity::Warning, "{same}");
        assert_eq!(finding.venue.as_deref(), Some("Great Hall"));
    }
    for (other, hours) in [
        (Some("Great Hall 2"), 1),
        (None, 1),
        (Some("Great Hall"), 2),
    ] {
        assert_eq!(compare(&talk, &at(other, hours)), None, "{other:?}");
    }
    for nowhere in ["Online (Teams)", "TBC", "to be announced", "", "–"] {
        let one = Profile {
            venue: Some(written(nowhere)),
            ..presentation()
        };
        assert_eq!(compare(&one, &at(Some(nowhere), 1)), None, "{nowhere}");
    }
}

#[test]
fn an_event_until_midnight_is_not_of_the_next_day() {
    let late = Profile {
        ends_at: at("2026-11-25T00:00:00Z"),
        ..presentation()
    };
    let next = moved(presentation(), TimeDelta::days(1));
    assert_eq!(
        compare(&late, &next).unwrap().proximity,
        Proximity::WithinDays
    );
}

#[test]
fn organisations_are_alike_by_house_sector_and_tags() {
    let one = presentation();
    let with = |edit: fn(&mut TakingPart)| {
        let mut theirs = organisation(2);
        edit(&mut theirs);
        Profile {
            organisations: vec![theirs],
            ..presentation()
        }
    };
    let tags = |numbers: &[u128]| -> Vec<TagId> {
        numbers
            .iter()
            .map(|number| TagId(Uuid::from_u128(*number)))
            .collect()
    };
    let mut mine = organisation(1);
    mine.sector = Some("Energy".to_owned());
    mine.tags = tags(&[1, 2, 3]);
    let known = Profile {
        organisations: vec![mine],
        ..presentation()
    };
    let division = with(|theirs| theirs.parent_id = Some(OrganisationId(Uuid::from_u128(1))));
    assert_eq!(severity_of(&one, &division), Some(Severity::Severe));
    let of_sector = with(|theirs| theirs.sector = Some(" energy".to_owned()));
    assert_eq!(severity_of(&known, &of_sector), Some(Severity::Severe));
    let mut themed = with(|_| {});
    themed.organisations[0].tags = tags(&[2, 3]);
    assert_eq!(severity_of(&known, &themed), Some(Severity::Warning));
    themed.organisations[0].tags = tags(&[3, 4]);
    assert_eq!(
        compare(&known, &themed).unwrap().organisations,
        Organisations::Unlike
    );
}

#[test]
fn two_divisions_of_one_head_office_are_one_house() {
    let division = |number| TakingPart {
        parent_id: Some(OrganisationId(Uuid::from_u128(9))),
        ..organisation(number)
    };
    let with = |number| Profile {
        organisations: vec![division(number)],
        ..presentation()
    };
    assert_eq!(severity_of(&with(1), &with(2)), Some(Severity::Severe));
}

#[test]
fn what_is_offered_decides_before_the_kind_of_event() {
    use OpportunityKind::{GraduateJob, Internship, Volunteering};
    let offering = |kinds: &[OpportunityKind]| Profile {
        opportunities: kinds.to_vec(),
        ..presentation()
    };
    let jobs = offering(&[GraduateJob, Internship]);
    assert_eq!(
        severity_of(&jobs, &offering(&[Internship])),
        Some(Severity::Severe)
    );
    assert_eq!(
        severity_of(&jobs, &offering(&[Volunteering])),
        Some(Severity::Warning)
    );
    assert_eq!(
        severity_of(&jobs, &offering(&[])),
        Some(Severity::Severe),
        "two presentations"
    );
    let workshop = Profile {
        kind: EventKind::Workshop,
        ..presentation()
    };
    assert_eq!(
        severity_of(&presentation(), &workshop),
        Some(Severity::Warning)
    );
}

#[test]
fn events_for_other_students_clash_only_over_an_employer_who_can_t_be_at_both() {
    let law = Profile {
        audience: vec![faculty(2)],
        ..presentation()
    };
    assert_eq!(severity_of(&presentation(), &law), Some(Severity::Notice));
    let next_day = moved(law.clone(), TimeDelta::days(1));
    assert_eq!(severity_of(&presentation(), &next_day), None);
    let with_another = Profile {
        organisations: vec![organisation(2)],
        ..law
    };
    assert_eq!(severity_of(&presentation(), &with_another), None);
}

#[test]
fn a_programme_is_met_through_its_faculty_and_its_level() {
    let computing = Group {
        faculty: faculty(1).faculty,
        programme: Some((ProgrammeId(Uuid::from_u128(7)), "BSc Computing".to_owned())),
        level: Some(StudyLevel::Undergraduate),
    };
    let research = Group {
        level: Some(StudyLevel::Research),
        ..faculty(1)
    };
    let to = |group: Group| Profile {
        audience: vec![group],
        ..presentation()
    };
    let finding = compare(&presentation(), &to(computing.clone())).unwrap();
    assert_eq!(finding.students, Students::These(computing.clone()));
    let apart = compare(&to(computing), &to(research)).unwrap();
    assert_eq!(apart.students, Students::Others);
}

#[test]
fn training_takes_nobody_from_students_events() {
    let training = Profile {
        kind: EventKind::Training,
        organisations: Vec::new(),
        ..presentation()
    };
    assert_eq!(severity_of(&training, &presentation()), None);
    assert_eq!(severity_of(&training, &training), Some(Severity::Warning));
}

#[test]
fn two_workshops_at_once_for_everybody_are_worth_a_notice() {
    let workshop = Profile {
        kind: EventKind::Workshop,
        organisations: Vec::new(),
        audience: Vec::new(),
        ..presentation()
    };
    assert_eq!(severity_of(&workshop, &workshop), Some(Severity::Notice));
    assert_eq!(
        severity_of(&workshop, &moved(workshop.clone(), TimeDelta::hours(2))),
        None
    );
}

fn kinds() -> impl Strategy<Value = EventKind> {
    prop_oneof![
        Just(EventKind::CareersFair),
        Just(EventKind::EmployerPresentation),
        Just(EventKind::Workshop),
        Just(EventKind::Interviews),
        Just(EventKind::Training),
        Just(EventKind::Other),
    ]
}

fn organisations_at() -> impl Strategy<Value = Vec<TakingPart>> {
    let one = (
        1..6u128,
        0..4u128,
        0..4usize,
        subsequence(vec![1, 2, 3], 0..=3),
    );
    prop::collection::vec(
        one.prop_map(|(number, parent, sector, tags)| TakingPart {
            parent_id: (parent > 0).then(|| OrganisationId(Uuid::from_u128(100 + parent))),
            sector: ["Energy", "Law", "Retail"]
                .get(sector)
                .map(|sector| (*sector).to_owned()),
            tags: tags
                .into_iter()
                .map(|tag| TagId(Uuid::from_u128(tag)))
                .collect(),
            ..organisation(number)
        }),
        0..3,
    )
}

fn profiles() -> impl Strategy<Value = Profile> {
    let offered = subsequence(
        vec![
            OpportunityKind::GraduateJob,
            OpportunityKind::Placement,
            OpportunityKind::Internship,
        ],
        0..=3,
    );
    (
        kinds(),
        0..240i64,
        1..12i64,
        offered,
        organisations_at(),
        prop::collection::vec((1..4u128).prop_map(faculty), 0..3),
        prop::option::of(prop::sample::select(vec![
            written("Great Hall"),
            written("the great hall"),
            written("Online"),
            on_the_list(1, "Great Hall"),
            on_the_list(2, "Great Hall"),
        ])),
    )
        .prop_map(
            |(kind, from, hours, opportunities, organisations, audience, venue)| {
                let starts_at = at("2026-10-20T00:00:00Z") + TimeDelta::hours(from);
                Profile {
                    kind,
                    starts_at,
                    ends_at: starts_at + TimeDelta::hours(hours),
                    opportunities,
                    organisations,
                    venue,
                    audience,
                }
            },
        )
}

proptest! {
    #[test]
    fn a_clash_is_as_bad_from_either_side(one in profiles(), other in profiles()) {
        let (there, back) = (compare(&one, &other), compare(&other, &one));
        prop_assert_eq!(
            there.as_ref().map(|finding| (finding.severity, finding.proximity)),
            back.as_ref().map(|finding| (finding.severity, finding.proximity))
        );
    }

    #[test]
    fn moving_an_event_away_never_makes_it_worse(one in profiles(), other in profiles(), hours in 0..200i64) {
        let later = if one.starts_at <= other.starts_at { 1 } else { -1 };
        let apart = moved(other.clone(), TimeDelta::hours(hours * later));
        prop_assert!(severity_of(&one, &apart) <= severity_of(&one, &other));
    }

    #[test]
    fn an_employer_in_common_never_makes_it_better(one in profiles(), other in profiles()) {
        let with = |profile: &Profile| {
            let mut with = profile.clone();
            with.organisations.push(organisation(99));
            with
        };
        prop_assert!(severity_of(&with(&one), &with(&other)) >= severity_of(&one, &other));
    }

    #[test]
    fn only_what_overlaps_with_a_similar_employer_and_common_students_is_severe(one in profiles(), other in profiles()) {
        if let Some(finding) = compare(&one, &other)
            && finding.severity == Severity::Severe
        {
            prop_assert!(finding.proximity == Proximity::Overlapping);
            prop_assert!(finding.organisations.closeness() >= 2);
            prop_assert!(finding.opportunities != Opportunities::Unrelated);
            prop_assert!(finding.students != Students::Others);
        }
    }
}
