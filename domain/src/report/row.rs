//! One row of a report: its numbers, and what follows from them.

use std::collections::{BTreeMap, BTreeSet};

use entity::{booking::BookingState, ids::EventId};

use super::counted::{Classes, Counted};

/// What stands above the columns of a report as CSV.
pub(super) const HEADINGS: [&str; 20] = [
    "What",
    "Bookings",
    "Register open",
    "Came",
    "Did not come, without employers",
    "Did not come, with employers",
    "Excused",
    "Cancelled",
    "Cancelled late",
    "Waited",
    "Promoted",
    "Attendance rate",
    "No-show rate",
    "Days ahead, median",
    "Days ahead, mean",
    "Places of classes",
    "Of classes that were counted",
    "Came in classes",
    "Events left out of the rates",
    "Faculty",
];

/// The numbers of one faculty, school, programme, kind or term.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// What it is about.
    pub label: String,
    /// The faculty of a school or a programme.
    pub faculty: Option<String>,
    /// How many bookings there were, whatever became of them.
    pub bookings: i64,
    /// How many people have a place or came, at events whose register is open.
    pub booked: i64,
    /// How many came, to events whose register is closed.
    pub attended: i64,
    /// How many did not come, at events without employers.
    pub no_shows: i64,
    /// How many did not come to events in which employers take part: they count apart, because employers came in vain.
    pub no_shows_with_employers: i64,
    /// How many did not come and had a reason.
    pub excused: i64,
    /// How many gave their place or an offer up in time. Those who never had one are those who waited and were not promoted.
    pub cancelled: i64,
    /// How many gave their place up too late for somebody else.
    pub late_cancelled: i64,
    /// How many were on a waiting list at some time.
    pub waited: i64,
    /// How many of those got a place or an offer.
    pub promoted: i64,
    /// How many places classes had.
    pub class_places: i64,
    /// How many of those were of classes that were counted, at events whose register is closed.
    pub class_expected: i64,
    /// How many of them came.
    pub class_attended: i64,
    /// The events with bookings that have begun and whose register is open: they are in no rate.
    pub left_out: BTreeSet<EventId>,
    /// How many bookings were made how many whole days before the event. Whoever walked in is not among them.
    pub days_ahead: BTreeMap<i64, i64>,
}

impl Row {
    /// How many people were expected at events whose register is closed, or came.
    #[must_use]
    pub const fn expected(&self) -> i64 {
        self.attended + self.no_shows + self.no_shows_with_employers + self.excused
    }

    /// The share of the people expected who came, from 0 to 1; none when nobody was expected.
    #[must_use]
    pub fn attendance_rate(&self) -> Option<f64> {
        rate(self.attended, self.expected())
    }

    /// The share of the people expected who did not come and had no reason.
    #[must_use]
    pub fn no_show_rate(&self) -> Option<f64> {
        rate(
            self.no_shows + self.no_shows_with_employers,
            self.expected(),
        )
    }

    /// The share of the places of classes that were counted which were used.
    #[must_use]
    pub fn class_attendance_rate(&self) -> Option<f64> {
        rate(self.class_attended, self.class_expected)
    }

    /// How many days before an event people book, in the middle: as many book earlier as book later. None without bookings.
    #[must_use]
    pub fn median_days_ahead(&self) -> Option<f64> {
        let bookings: i64 = self.days_ahead.values().sum();
        let nth = |nth: i64| {
            let mut before = 0;
            self.days_ahead.iter().find_map(|(days, number)| {
                before += number;
                (before > nth).then_some(*days)
            })
        };
        let middle = nth((bookings - 1) / 2)? + nth(bookings / 2)?;
        rate(middle, 2)
    }

    /// How many days before an event people book, on average.
    #[must_use]
    pub fn mean_days_ahead(&self) -> Option<f64> {
        let days = self.days_ahead.iter().map(|(days, number)| days * number);
        rate(days.sum(), self.days_ahead.values().sum())
    }

    pub(super) fn add(&mut self, counted: &Counted) {
        let Counted {
            state,
            with_employers,
            closed,
            number,
            waited,
            promoted,
            ..
        } = counted;
        self.bookings += number;
        self.waited += waited;
        self.promoted += promoted;
        *match state {
            BookingState::Booked | BookingState::Offered => &mut self.booked,
            BookingState::Attended if !closed => &mut self.booked,
            BookingState::Attended => &mut self.attended,
            BookingState::NoShow if *with_employers => &mut self.no_shows_with_employers,
            BookingState::NoShow => &mut self.no_shows,
            BookingState::Excused => &mut self.excused,
            BookingState::LateCancelled => &mut self.late_cancelled,
            BookingState::Cancelled | BookingState::OfferExpired => {
                self.cancelled += number - (waited - promoted);
                return;
            }
            // They are among those who waited.
            BookingState::Waiting => return,
        } += number;
    }

    pub(super) fn add_days_ahead(&mut self, days: i64, number: i64) {
        *self.days_ahead.entry(days).or_default() += number;
    }

    pub(super) const fn add_classes(&mut self, classes: &Classes) {
        self.class_places += classes.places;
        if classes.counted {
            self.class_expected += classes.places;
            self.class_attended += classes.attended;
        }
    }

    /// What stands below [`HEADINGS`].
    pub(super) fn cells(&self) -> [String; 20] {
        let share = |rate: Option<f64>| rate.map_or_else(String::new, |rate| format!("{rate:.4}"));
        let days = |days: Option<f64>| days.map_or_else(String::new, |days| format!("{days:.1}"));
        [
            self.label.clone(),
            self.bookings.to_string(),
            self.booked.to_string(),
            self.attended.to_string(),
            self.no_shows.to_string(),
            self.no_shows_with_employers.to_string(),
            self.excused.to_string(),
            self.cancelled.to_string(),
            self.late_cancelled.to_string(),
            self.waited.to_string(),
            self.promoted.to_string(),
            share(self.attendance_rate()),
            share(self.no_show_rate()),
            days(self.median_days_ahead()),
            days(self.mean_days_ahead()),
            self.class_places.to_string(),
            self.class_expected.to_string(),
            self.class_attended.to_string(),
            self.left_out.len().to_string(),
            self.faculty.clone().unwrap_or_default(),
        ]
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share is not finer than that")]
fn rate(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_stands_in_the_middle_and_the_mean_weighs() {
        let of = |days: &[(i64, i64)]| {
            let row = Row {
                days_ahead: days.iter().copied().collect(),
                ..Row::default()
            };
            (row.median_days_ahead(), row.mean_days_ahead())
        };
        assert_eq!(of(&[]), (None, None));
        assert_eq!(of(&[(3, 1)]), (Some(3.0), Some(3.0)));
        assert_eq!(of(&[(1, 1), (4, 1)]), (Some(2.5), Some(2.5)));
        assert_eq!(of(&[(0, 3), (10, 2)]), (Some(0.0), Some(4.0)));
        assert_eq!(of(&[(0, 2), (10, 2)]), (Some(5.0), Some(5.0)));
        assert_eq!(of(&[(0, 1), (10, 2)]), (Some(10.0), Some(20.0 / 3.0)));
    }
}
