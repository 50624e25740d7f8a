//! The hours in which no bulk mail goes to an organisation, by its own clock (policy 2.5).

use chrono::{DateTime, DurationRound, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;

use crate::clock::UNIVERSITY_TIME;

/// Every time zone is a multiple of this away from UTC, so hours begin nowhere else.
const QUARTER: TimeDelta = TimeDelta::minutes(15);
/// So many of them are longer than any day.
const MOST_QUARTERS: i32 = 26 * 4;

/// Hours of the day, by the clock on the wall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuietHours {
    /// The hour with which they begin, 0 to 23.
    pub from: u32,
    /// The hour with which they are over; when it isn't after `from`, that is on the next day.
    pub until: u32,
}

impl QuietHours {
    /// Whether it is quiet in a zone at that moment.
    #[must_use]
    pub fn hold(self, zone: Tz, at: DateTime<Utc>) -> bool {
        let hour = at.with_timezone(&zone).hour();
        if self.from <= self.until {
            (self.from..self.until).contains(&hour)
        } else {
            hour >= self.from || hour < self.until
        }
    }

    /// The first moment from `at` on in which it isn't quiet in a zone.
    #[must_use]
    pub fn next_awake(self, zone: Tz, at: DateTime<Utc>) -> DateTime<Utc> {
        if !self.hold(zone, at) {
            return at;
        }
        // Looked for rather than computed: a night in which clocks change is an hour longer or shorter.
        let quarter = at.duration_trunc(QUARTER).unwrap_or(at);
        (1..=MOST_QUARTERS)
            .map(|nth| quarter + QUARTER * nth)
            .find(|moment| !self.hold(zone, *moment))
            .unwrap_or(at)
    }
}

/// The time zone of that name. One that isn't known any more is the university's.
#[must_use]
pub fn zone(name: &str) -> Tz {
    name.parse().unwrap_or(UNIVERSITY_TIME)
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;

    const NIGHT: QuietHours = QuietHours { from: 20, until: 7 };

    fn utc(month: u32, day: u32, hour: u32, minute: u32) -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, month, day, hour, minute, 0)
            .unwrap()
    }

    #[test]
    fn a_night_begins_and_ends_by_the_clock_on_the_wall() {
        let london = UNIVERSITY_TIME;
        assert!(!NIGHT.hold(london, utc(1, 12, 19, 59)));
        assert!(NIGHT.hold(london, utc(1, 12, 20, 0)));
        assert!(NIGHT.hold(london, utc(1, 13, 6, 59)));
        assert!(!NIGHT.hold(london, utc(1, 13, 7, 0)));
        assert!(NIGHT.hold(zone("America/New_York"), utc(1, 13, 7, 0)));
        assert!(NIGHT.hold(london, utc(7, 13, 19, 0)), "it is summer time");
    }

    #[test]
    fn hours_within_one_day_are_those_between_them() {
        let noon = QuietHours {
            from: 12,
            until: 14,
        };
        assert!(noon.hold(UNIVERSITY_TIME, utc(1, 12, 13, 59)));
        assert!(!noon.hold(UNIVERSITY_TIME, utc(1, 12, 14, 0)));
        assert!(!noon.hold(UNIVERSITY_TIME, utc(1, 12, 11, 59)));
    }

    #[test]
    fn the_end_is_found_over_a_change_of_the_clocks_and_at_half_and_quarter_hours() {
        for (name, at, end) in [
            ("Europe/London", utc(1, 12, 22, 30), utc(1, 13, 7, 0)),
            ("Europe/London", utc(3, 28, 22, 0), utc(3, 29, 6, 0)),
            ("Europe/London", utc(10, 24, 20, 0), utc(10, 25, 7, 0)),
            ("Asia/Kathmandu", utc(1, 12, 22, 0), utc(1, 13, 1, 15)),
            ("Asia/Kolkata", utc(1, 12, 22, 0), utc(1, 13, 1, 30)),
            ("America/New_York", utc(1, 13, 7, 0), utc(1, 13, 12, 0)),
        ] {
            assert_eq!(NIGHT.next_awake(zone(name), at), end, "{name}");
        }
        let day = utc(1, 12, 10, 3);
        assert_eq!(NIGHT.next_awake(UNIVERSITY_TIME, day), day);
    }

    #[test]
    fn a_zone_that_nobody_knows_is_the_universitys() {
        assert_eq!(zone("Middle/Earth"), UNIVERSITY_TIME);
    }
}
