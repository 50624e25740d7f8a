//! The terms of the academic year: strikes for missed events count within one of them (policy 2.4).

use chrono::{DateTime, Datelike, NaiveDate, TimeZone, Utc};

use crate::clock::UNIVERSITY_TIME;

/// The months in which the terms begin: spring, summer, autumn.
const FIRST_MONTHS: [u32; 3] = [1, 5, 9];

/// A term, from its first moment to just before the first of the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// Its first moment.
    pub from: DateTime<Utc>,
    /// The first moment of the next term.
    pub until: DateTime<Utc>,
}

impl Term {
    /// The term that `moment` is in, by the university's time. Autumn begins on 1 September, spring on 1 January, summer
    /// on 1 May.
    #[must_use]
    pub fn of(moment: DateTime<Utc>) -> Self {
        let day = moment.with_timezone(&UNIVERSITY_TIME).date_naive();
        let term = FIRST_MONTHS
            .iter()
            .rposition(|first| *first <= day.month())
            .unwrap_or(0);
        let (next_year, next) = match FIRST_MONTHS.get(term + 1) {
            Some(month) => (day.year(), *month),
            None => (day.year() + 1, FIRST_MONTHS[0]),
        };
        Self {
            from: first_moment(day.year(), FIRST_MONTHS[term], moment),
            until: first_moment(next_year, next, moment),
        }
    }
}

impl Term {
    /// What people call it: `Autumn 2026`.
    #[must_use]
    pub fn name(&self) -> String {
        let day = self.from.with_timezone(&UNIVERSITY_TIME);
        let season = match day.month() {
            ..=4 => "Spring",
            5..=8 => "Summer",
            _ => "Autumn",
        };
        format!("{season} {}", day.year())
    }
}

/// Midnight on the first day of a month. It always exists: clocks in London change at 1 in the morning, and not on a
/// first of January, May or September. Years beyond the calendar end at `otherwise`.
fn first_moment(year: i32, month: u32, otherwise: DateTime<Utc>) -> DateTime<Utc> {
    NaiveDate::from_ymd_opt(year, month, 1)
        .and_then(|day| day.and_hms_opt(0, 0, 0))
        .and_then(|midnight| UNIVERSITY_TIME.from_local_datetime(&midnight).earliest())
        .map_or(otherwise, |midnight| midnight.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_year_has_three_terms_without_a_gap() {
        let autumn = Term::of(at("2026-10-05T08:00:00Z"));
        assert_eq!(autumn.from, at("2026-08-31T23:00:00Z"));
        assert_eq!(autumn.until, at("2027-01-01T00:00:00Z"));
        assert_eq!(autumn.name(), "Autumn 2026");
        let spring = Term::of(autumn.until);
        assert_eq!(spring.name(), "Spring 2027");
        assert_eq!(spring.from, autumn.until);
        assert_eq!(spring.until, at("2027-04-30T23:00:00Z"));
        let summer = Term::of(spring.until);
        assert_eq!(summer.from, spring.until);
        assert_eq!(summer.until, at("2027-08-31T23:00:00Z"));
    }

    #[test]
    fn the_last_evening_of_a_term_by_summer_time_still_belongs_to_it() {
        let evening = at("2027-04-30T22:59:59Z");
        assert_eq!(Term::of(evening), Term::of(at("2027-02-01T00:00:00Z")));
        assert_ne!(Term::of(evening), Term::of(at("2027-04-30T23:00:00Z")));
    }
}
