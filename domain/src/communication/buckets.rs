//! Days, weeks and months by the university's calendar.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, TimeZone, Utc};

use super::Span;
use crate::{
    clock::UNIVERSITY_TIME,
    error::{Error, RefusalCode, Result},
};

/// The most spans of one chart.
const MOST: usize = 120;

/// The first moments of the spans from the one in which `since` lies to the one in which `until` lies, and of the one after
/// that.
pub(super) fn borders(
    span: Span,
    since: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Vec<DateTime<Utc>>> {
    if until <= since {
        return Err(Error::refused(
            RefusalCode::EndsBeforeStart,
            "until",
            "It ends before it begins.",
        ));
    }
    let mut borders = Vec::new();
    let mut day = first_day(span, since.with_timezone(&UNIVERSITY_TIME).date_naive());
    loop {
        let border = day.and_then(midnight).ok_or_else(too_long)?;
        borders.push(border);
        if border >= until && borders.len() > 1 {
            return Ok(borders);
        }
        if borders.len() > MOST {
            return Err(too_long());
        }
        day = day.and_then(|day| match span {
            Span::Day => day.succ_opt(),
            Span::Week => day.checked_add_days(Days::new(7)),
            Span::Month => day.checked_add_months(Months::new(1)),
        });
    }
}

fn too_long() -> Error {
    Error::refused(
        RefusalCode::TooLong,
        "until",
        format!("A chart has at most {MOST} bars: choose longer ones, or a shorter time."),
    )
}

fn first_day(span: Span, day: NaiveDate) -> Option<NaiveDate> {
    match span {
        Span::Day => Some(day),
        Span::Week => day.checked_sub_days(Days::new(day.weekday().num_days_from_monday().into())),
        Span::Month => day.with_day(1),
    }
}

/// Midnight always exists: clocks in London change at one in the morning.
fn midnight(day: NaiveDate) -> Option<DateTime<Utc>> {
    let local = UNIVERSITY_TIME.from_local_datetime(&day.and_time(NaiveTime::MIN));
    local.earliest().map(|moment| moment.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn months_weeks_and_days_begin_at_midnight_in_london() {
        let (since, until) = (at("2026-09-17T12:00:00Z"), at("2026-11-02T00:00:00Z"));
        assert_eq!(
            borders(Span::Month, since, until).unwrap(),
            [
                at("2026-08-31T23:00:00Z"),
                at("2026-09-30T23:00:00Z"),
                at("2026-11-01T00:00:00Z"),
                at("2026-12-01T00:00:00Z")
            ]
        );
        let weeks = borders(Span::Week, since, until).unwrap();
        assert_eq!(
            (weeks[0], weeks.len()),
            (at("2026-09-13T23:00:00Z"), 8),
            "a Monday"
        );
        assert_eq!(weeks.last(), Some(&until));
        assert_eq!(borders(Span::Day, since, until).unwrap().len(), 47);
    }

    #[test]
    fn a_chart_of_too_many_bars_or_of_no_time_is_refused() {
        let (since, until) = (at("2020-01-01T00:00:00Z"), at("2026-11-02T00:00:00Z"));
        assert!(borders(Span::Day, since, until).is_err());
        assert!(borders(Span::Month, since, until).is_ok());
        assert!(borders(Span::Month, until, since).is_err());
        let ever = DateTime::<Utc>::MAX_UTC;
        assert!(borders(Span::Month, ever - Days::new(1), ever).is_err());
    }
}
