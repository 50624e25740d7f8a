//! How a calendar is written (RFC 5545): the crate `icalendar` folds and escapes, and has no time zones.

use chrono::{DateTime, TimeZone, Utc};
use icalendar::{Calendar, CalendarDateTime, Component, Event, EventLike, EventStatus, Property};
use sea_orm::ActiveEnum;

use super::entry::{Entry, Status};
use crate::{clock::UNIVERSITY_TIME, mail::MESSAGE_ID_DOMAIN};

/// The media type of a calendar.
pub const MEDIA_TYPE: &str = "text/calendar; charset=utf-8";

/// The university's time zone (RFC 5545, 3.6.5) as it has been since 1996, when the clocks began to go back in October.
const TIME_ZONE: &str = "BEGIN:VTIMEZONE\r\n\
TZID:Europe/London\r\n\
BEGIN:DAYLIGHT\r\n\
DTSTART:19960331T010000\r\n\
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\n\
TZNAME:BST\r\n\
TZOFFSETFROM:+0000\r\n\
TZOFFSETTO:+0100\r\n\
END:DAYLIGHT\r\n\
BEGIN:STANDARD\r\n\
DTSTART:19961027T020000\r\n\
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\n\
TZNAME:GMT\r\n\
TZOFFSETFROM:+0100\r\n\
TZOFFSETTO:+0000\r\n\
END:STANDARD\r\n\
END:VTIMEZONE\r\n";

/// The end of every calendar.
const END: &str = "END:VCALENDAR\r\n";

/// What a calendar is sent for (RFC 5546).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// A feed: the whole of it takes the place of what was read before.
    Feed,
    /// A file in a mail: each event in it is added, or takes the place of its earlier state.
    Publish,
}

/// A calendar with these events. `website` is what the links to them begin with. The same events make the same text.
#[must_use]
pub fn written(name: &str, method: Method, website: &str, entries: &[Entry]) -> String {
    let mut head = Calendar::empty();
    for (key, value) in [
        ("VERSION", "2.0"),
        ("PRODID", "-//MyCareer//Campus calendar//EN"),
        ("CALSCALE", "GREGORIAN"),
    ] {
        head.append_property(Property::new(key, value));
    }
    match method {
        Method::Publish => {
            head.append_property(Property::new("METHOD", "PUBLISH"));
        }
        Method::Feed => {
            head.name(name);
            head.append_property(Property::new("X-PUBLISHED-TTL", "PT1H"));
            let every = Property::new("REFRESH-INTERVAL", "PT1H")
                .add_parameter("VALUE", "DURATION")
                .done();
            head.append_property(every);
        }
    }
    let head = head.to_string();
    let mut text = head.strip_suffix(END).unwrap_or(&head).to_owned();
    // The crate would write an identity and the machine's time into a time zone, which may have neither.
    text.push_str(TIME_ZONE);
    for entry in entries {
        // Writing to a String can't fail.
        let _ = event(entry, website).fmt_write(&mut text);
    }
    text.push_str(END);
    text
}

fn event(entry: &Entry, website: &str) -> Event {
    let mut event = Event::new();
    let [starts, ends] = times(entry.starts_at, entry.ends_at);
    event
        .uid(&format!("{}@{MESSAGE_ID_DOMAIN}", entry.event_id))
        .sequence(u32::try_from(entry.sequence).unwrap_or(0))
        .timestamp(entry.changed_at)
        .created(entry.created_at)
        .last_modified(entry.changed_at)
        .summary(&plain(&entry.title).replace('\n', " "))
        .starts(starts)
        .ends(ends)
        .url(&format!("{website}/events/{}", entry.event_id))
        .status(match entry.status {
            Status::Confirmed => EventStatus::Confirmed,
            Status::Tentative => EventStatus::Tentative,
            Status::Cancelled => EventStatus::Cancelled,
        })
        .add_property("CATEGORIES", entry.kind.to_value())
        .add_property(
            "TRANSP",
            if entry.is_busy && entry.status != Status::Cancelled {
                "OPAQUE"
            } else {
                "TRANSPARENT"
            },
        );
    if !entry.description.is_empty() {
        event.description(&plain(&entry.description));
    }
    if let Some(place) = &entry.place {
        event.location(&plain(place).replace('\n', " "));
    }
    event
}

/// Start and end as clocks at the university show them. The hour that comes twice when the clocks go back means its first time
/// in a calendar (RFC 5545, 3.3.5). Where its second is meant, both are written in UTC: programs that are given one of each
/// reckon the length by the clocks, and are an hour out.
fn times(starts_at: DateTime<Utc>, ends_at: DateTime<Utc>) -> [CalendarDateTime; 2] {
    let both = [starts_at, ends_at];
    let local = both.map(|moment| moment.with_timezone(&UNIVERSITY_TIME).naive_local());
    let is_meant = |at: usize| {
        let first = UNIVERSITY_TIME.from_local_datetime(&local[at]).earliest();
        first.is_some_and(|first| first == both[at])
    };
    if is_meant(0) && is_meant(1) {
        local.map(|date_time| CalendarDateTime::WithTimezone {
            date_time,
            tzid: UNIVERSITY_TIME.name().to_owned(),
        })
    } else {
        both.map(Into::into)
    }
}

/// A text with line ends of one kind, and without the characters that no calendar may hold.
fn plain(text: &str) -> String {
    text.replace("\r\n", "\n")
        .replace('\r', "\n")
        .chars()
        .filter(|c| *c == '\n' || *c == '\t' || !c.is_control())
        .collect()
}

#[cfg(test)]
mod tests {
    use entity::{event::EventKind, ids::EventId};
    use uuid::Uuid;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn entry(starts_at: &str) -> Entry {
        Entry {
            event_id: EventId(Uuid::from_u128(7)),
            title: "Fair; food, drink\u{7}".to_owned(),
            description: "Line one\r\nback\\slash ".repeat(20),
            kind: EventKind::CareersFair,
            place: None,
            starts_at: at(starts_at),
            ends_at: at(starts_at),
            status: Status::Confirmed,
            is_busy: true,
            sequence: 3,
            changed_at: at("2026-10-05T08:00:00Z"),
            created_at: at("2026-10-05T08:00:00Z"),
        }
    }

    fn text(starts_at: &str) -> String {
        written(
            "Campus",
            Method::Feed,
            "https://example.test",
            &[entry(starts_at)],
        )
    }

    #[test]
    fn the_hour_that_comes_twice_means_its_first_time_and_the_second_is_written_in_utc() {
        let cases = [
            (
                "2026-10-25T00:30:00Z",
                "DTSTART;TZID=Europe/London:20261025T013000\r\n",
            ),
            ("2026-10-25T01:30:00Z", "DTSTART:20261025T013000Z\r\n"),
            (
                "2026-10-25T02:30:00Z",
                "DTSTART;TZID=Europe/London:20261025T023000\r\n",
            ),
            (
                "2026-03-29T00:59:00Z",
                "DTSTART;TZID=Europe/London:20260329T005900\r\n",
            ),
            (
                "2026-03-29T01:00:00Z",
                "DTSTART;TZID=Europe/London:20260329T020000\r\n",
            ),
        ];
        for (moment, line) in cases {
            assert!(text(moment).contains(line), "{moment}: {}", text(moment));
        }
    }

    #[test]
    fn an_event_that_ends_in_the_second_such_hour_is_in_utc_as_a_whole() {
        let mut entry = entry("2026-10-25T00:30:00Z");
        entry.ends_at = at("2026-10-25T01:30:00Z");
        let text = written("Campus", Method::Publish, "https://example.test", &[entry]);
        assert!(text.contains("DTSTART:20261025T003000Z\r\n"), "{text}");
        assert!(text.contains("DTEND:20261025T013000Z\r\n"), "{text}");
        assert!(text.contains("METHOD:PUBLISH\r\n"), "{text}");
    }

    #[test]
    fn lines_are_folded_and_texts_escaped() {
        let text = text("2026-11-01T10:00:00Z");
        assert!(text.contains("SUMMARY:Fair\\; food\\, drink\r\n"), "{text}");
        assert!(text.lines().all(|line| line.len() <= 75));
        assert!(
            text.replace("\r\n ", "")
                .contains("Line one\\nback\\\\slash Line one")
        );
        assert!(!text.replace("\r\n", "").contains(['\r', '\n']));
    }

    #[test]
    fn the_same_events_make_the_same_text() {
        assert_eq!(text("2026-11-01T10:00:00Z"), text("2026-11-01T10:00:00Z"));
    }
}
