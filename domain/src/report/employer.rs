//! The report on an event that its organiser can hand to the employers who took part: how many came, from where, and what they
//! say, without anybody's name, and nothing of groups so small that somebody could be told apart (policy 2.4).

use std::collections::BTreeMap;

use entity::{
    booking::{self, BookingState},
    event::{self, EventState},
    faculty,
    ids::EventId,
    programme,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, JoinType, PaginatorTrait, QueryFilter, QuerySelect,
    RelationDef,
};

use super::{
    Subject,
    counted::{to_faculty, to_person, to_programme},
    link,
};
use crate::{
    booking::in_state,
    error::Result,
    event::find_all,
    feedback::{self, SMALLEST_GROUP, for_employers},
    group_booking,
    store::Store,
    viewer::Viewer,
};

/// How those are called who are in no group that may be shown.
const OTHERS: &str = "Others";
/// How those are called who came with a class.
const CLASSES: &str = "Classes";

/// What an organiser hands to employers.
#[derive(Clone, Debug, PartialEq)]
pub struct EmployerReport {
    /// The event.
    pub event: event::Model,
    /// The organisations that took part, by name.
    pub organisations: Vec<String>,
    /// How many had a place at the end, those of classes that were counted among them; none where it would tell a small group
    /// apart: one of those who came, or of those who did not.
    pub expected: Option<u64>,
    /// How many came; none while they are too few.
    pub attended: Option<u64>,
    /// How many of those are of each faculty, the most first; none while they are too few.
    pub by_faculty: Vec<(String, u64)>,
    /// How many of those study at each level; none while they are too few.
    pub by_level: Vec<(String, u64)>,
    /// What they say, the latest first; none while they are too few.
    pub feedback: Option<Voices>,
}

/// What people say of an event.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Voices {
    /// How many give 1, 2, 3, 4, 5.
    pub ratings: [u64; 5],
    /// What was good.
    pub good: Vec<String>,
    /// What is to be mended.
    pub mend: Vec<String>,
}

impl Voices {
    /// What they give on average.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "an average is not finer than that"
    )]
    pub fn average(&self) -> f64 {
        let sum: u64 = self
            .ratings
            .iter()
            .zip(1..)
            .map(|(number, rating)| number * rating)
            .sum();
        sum as f64 / self.ratings.iter().sum::<u64>().max(1) as f64
    }
}

/// The report on an event whose register is closed, for those who manage it and for employers who took part. None for
/// everybody else, and before.
pub async fn employer_report(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    event_id: EventId,
) -> Result<Option<EmployerReport>> {
    let Some(event) = reported(db, viewer, event_id).await? else {
        return Ok(None);
    };
    let organisations = crate::event::organisations(db, viewer, &[event_id]).await?;
    let count = async |states: &[BookingState]| {
        booking::Entity::find()
            .filter(booking::Column::EventId.eq(event_id))
            .filter(in_state::any(states))
            .count(db)
            .await
    };
    let attended = count(&[BookingState::Attended]).await?;
    let missed = count(&[BookingState::NoShow, BookingState::Excused]).await?;
    let (faculty, level) = (faculty::Column::Name, programme::Column::Level);
    let mut by_faculty = came_by(db, event_id, &[to_faculty()], faculty).await?;
    let mut by_level = came_by(db, event_id, &[to_programme()], level).await?;
    let classes = counted_classes(db, event_id).await?;
    for groups in [&mut by_faculty, &mut by_level] {
        groups.push((CLASSES.to_owned(), classes.attended));
    }
    let came = attended + classes.attended;
    let (attended, expected) = totals(came, came + missed + classes.missed);
    let said = feedback::of_events(db, viewer, &[event_id])
        .await?
        .remove(&event_id);
    let said = said.filter(|said| said.answers.len() >= SMALLEST_GROUP);
    Ok(Some(EmployerReport {
        organisations: organisations
            .into_iter()
            .map(|(_, organisation)| organisation.name)
            .collect(),
        expected,
        attended,
        by_faculty: pooled(by_faculty),
        by_level: pooled(
            by_level
                .into_iter()
                .map(|(level, number)| (in_words(&level), number))
                .collect(),
        ),
        feedback: said.map(|said| {
            let mut voices = Voices::default();
            for answer in said.answers.into_iter().map(for_employers) {
                if let Some(number) = usize::try_from(answer.rating - 1)
                    .ok()
                    .and_then(|at| voices.ratings.get_mut(at))
                {
                    *number += 1;
                }
                voices.good.extend(answer.good);
                voices.mend.extend(answer.mend);
            }
            voices
        }),
        event,
    }))
}

/// How many of the classes that were counted came, and how many of their places were left empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct OfClasses {
    attended: u64,
    missed: u64,
}

async fn counted_classes(db: &impl ConnectionTrait, event_id: EventId) -> Result<OfClasses> {
    let mut of = OfClasses::default();
    for class in group_booking::with_places(event_id).all(db).await? {
        if let Some(attended) = class.attended {
            of.attended += u64::from(attended.unsigned_abs());
            of.missed += u64::from((class.places - attended).unsigned_abs());
        }
    }
    Ok(of)
}

/// The totals that may be shown: how many came, and of how many. A total tells a small group as much as the group's own number
/// does: few who came, or few who did not, which is the difference of the two.
fn totals(attended: u64, expected: u64) -> (Option<u64>, Option<u64>) {
    let is_small = |number: u64| (1..SMALLEST_GROUP as u64).contains(&number);
    let attended_shown = Some(attended).filter(|number| !is_small(*number));
    let expected_shown =
        Some(expected).filter(|_| attended_shown.is_some() && !is_small(expected - attended));
    (attended_shown, expected_shown)
}

/// The path of the report on an event, for those who may read it; none for everybody else, and while its register is open.
pub async fn link_to(store: &Store, viewer: &Viewer, event_id: EventId) -> Result<Option<String>> {
    match reported(store.reader(), viewer, event_id).await? {
        Some(_) => Ok(Some(
            link(store, viewer, Subject::Employer(event_id)).await?,
        )),
        None => Ok(None),
    }
}

async fn reported(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    event_id: EventId,
) -> Result<Option<event::Model>> {
    let event = find_all(db, viewer, &[event_id]).await?.pop();
    match event.filter(|event| event.state == EventState::Past) {
        Some(event) if feedback::may_read(db, viewer, &event).await? => Ok(Some(event)),
        _ => Ok(None),
    }
}

/// How many came, by what `column` says of them.
async fn came_by(
    db: &impl ConnectionTrait,
    event_id: EventId,
    joins: &[RelationDef],
    column: impl ColumnTrait,
) -> Result<Vec<(String, u64)>> {
    let mut query = booking::Entity::find()
        .select_only()
        .column_as(column, "what")
        .column_as(booking::Column::Id.count(), "number")
        .join(JoinType::InnerJoin, to_person());
    for join in joins {
        query = query.join(JoinType::LeftJoin, join.clone());
    }
    let found: Vec<(Option<String>, i64)> = query
        .filter(booking::Column::EventId.eq(event_id))
        .filter(in_state::any(&[BookingState::Attended]))
        .group_by(column)
        .into_tuple()
        .all(db)
        .await?;
    let mut groups: BTreeMap<String, u64> = BTreeMap::new();
    for (what, number) in found {
        *groups
            .entry(what.unwrap_or_else(|| OTHERS.to_owned()))
            .or_default() += number.unsigned_abs();
    }
    Ok(groups.into_iter().collect())
}

/// The groups that may be shown, the largest first. Small ones are put together as others; while these are too few, the
/// smallest of the rest goes with them, because whoever knows the sum could tell how many they are.
fn pooled(groups: Vec<(String, u64)>) -> Vec<(String, u64)> {
    let smallest = SMALLEST_GROUP as u64;
    let (mut shown, small): (Vec<_>, Vec<_>) = groups
        .into_iter()
        .partition(|(what, number)| *number >= smallest && what != OTHERS);
    shown.sort_by(|(one, number), (other, than)| than.cmp(number).then_with(|| one.cmp(other)));
    let mut others: u64 = small.iter().map(|(_, number)| number).sum();
    while others > 0 && others < smallest {
        let Some((_, number)) = shown.pop() else {
            return Vec::new();
        };
        others += number;
    }
    if others > 0 {
        shown.push((OTHERS.to_owned(), others));
    }
    shown
}

fn in_words(level: &str) -> String {
    match level {
        "FOUNDATION" => "Foundation year",
        "UNDERGRADUATE" => "Undergraduate",
        "TAUGHT_POSTGRADUATE" => "Taught postgraduate",
        "RESEARCH" => "Research",
        other => other,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn groups(numbers: &[u64]) -> Vec<(String, u64)> {
        numbers
            .iter()
            .enumerate()
            .map(|(at, number)| (format!("Faculty {at}"), *number))
            .collect()
    }

    #[test]
    fn a_single_small_group_takes_another_with_it() {
        let numbers = |given: &[u64]| {
            pooled(groups(given))
                .into_iter()
                .map(|(_, number)| number)
                .collect::<Vec<_>>()
        };
        assert_eq!(numbers(&[20, 8, 6]), [20, 8, 6]);
        assert_eq!(numbers(&[20, 8, 2]), [20, 10]);
        assert_eq!(numbers(&[20, 3, 2]), [20, 5]);
        assert_eq!(numbers(&[3, 1]), [0; 0]);
        assert_eq!(numbers(&[]), [0; 0]);
    }

    #[test]
    fn a_total_that_tells_a_small_group_is_not_shown() {
        assert_eq!(totals(0, 0), (Some(0), Some(0)));
        assert_eq!(totals(4, 20), (None, None), "few came");
        assert_eq!(totals(20, 23), (Some(20), None), "few did not");
        assert_eq!(totals(20, 20), (Some(20), Some(20)));
        assert_eq!(totals(20, 25), (Some(20), Some(25)));
    }

    proptest! {
        #[test]
        fn no_group_that_is_shown_is_small_and_nobody_is_lost(numbers in prop::collection::vec(0u64..12, 0..8)) {
            let shown = pooled(groups(&numbers));
            prop_assert!(shown.iter().all(|(_, number)| *number >= SMALLEST_GROUP as u64));
            let sum: u64 = numbers.iter().sum();
            let told: u64 = shown.iter().map(|(_, number)| number).sum();
            prop_assert!(told == sum || (told == 0 && sum < SMALLEST_GROUP as u64));
        }
    }
}
