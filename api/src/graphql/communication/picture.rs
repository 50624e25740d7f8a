//! The chart as a picture.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Days, Utc};
use domain::{
    Error, Store,
    clock::UNIVERSITY_TIME,
    communication::{By, Chart, Kind, Series, Span},
};
use entity::{faculty, organisation, user};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, TryGetable, Value,
};

use crate::chart::{Bar, StackedBars};

/// The most of those that are told apart which have a part of their own; the others are one together.
const MOST_PARTS: usize = 7;

/// Draws a chart: a bar for each span, and one more for what is planned in it.
pub async fn picture(store: &Store, chart: &Chart) -> Result<String, Error> {
    let parts = largest(chart);
    let mut names = names(store, &parts).await?;
    let has_others = chart
        .points
        .iter()
        .any(|point| !parts.contains(&point.series));
    let part_of = |series: &Series| {
        parts
            .iter()
            .position(|part| part == series)
            .unwrap_or(parts.len())
    };
    let mut titles: Vec<String> = parts
        .iter()
        .map(|series| names.remove(series).unwrap_or_else(|| "unknown".to_owned()))
        .collect();
    if has_others {
        titles.push("all others".to_owned());
    }
    let mut rows: BTreeMap<(DateTime<Utc>, bool), Vec<u64>> = BTreeMap::new();
    if let [spans @ .., _] = chart.borders.as_slice() {
        for from in spans {
            rows.insert((*from, false), vec![0; titles.len()]);
        }
    }
    for point in &chart.points {
        let row = rows
            .entry((point.from, point.planned))
            .or_insert_with(|| vec![0; titles.len()]);
        row[part_of(&point.series)] += point.count;
    }
    // Spans that have only what is planned need no bar of what was.
    let only_planned: Vec<DateTime<Utc>> = rows
        .iter()
        .filter(|((from, planned), values)| {
            !planned && values.iter().all(|value| *value == 0) && rows.contains_key(&(*from, true))
        })
        .map(|((from, _), _)| *from)
        .collect();
    for from in only_planned {
        rows.remove(&(from, false));
    }
    let bars = rows
        .into_iter()
        .map(|((from, planned), values)| Bar {
            label: label(chart.span, from, planned),
            values,
        })
        .collect();
    let by = match chart.by {
        By::Faculty => "faculty of the sender",
        By::Sender => "sender",
        By::Organisation => "organisation",
        By::Kind => "kind",
    };
    let picture = StackedBars {
        title: format!("Communication with employers by {by}"),
        parts: titles,
        bars,
        note: None,
    };
    Ok(picture.svg())
}

/// Those with the most mails and notes.
fn largest(chart: &Chart) -> Vec<Series> {
    let mut sums: BTreeMap<Series, u64> = BTreeMap::new();
    for point in &chart.points {
        *sums.entry(point.series).or_default() += point.count;
    }
    let mut sums: Vec<(Series, u64)> = sums.into_iter().collect();
    sums.sort_by_key(|(series, sum)| (std::cmp::Reverse(*sum), *series));
    sums.into_iter()
        .take(MOST_PARTS)
        .map(|(series, _)| series)
        .collect()
}

async fn names(store: &Store, parts: &[Series]) -> Result<HashMap<Series, String>, Error> {
    let (mut faculties, mut people, mut organisations) = (Vec::new(), Vec::new(), Vec::new());
    let mut names = HashMap::new();
    for part in parts {
        match part {
            Series::Faculty(Some(id)) => faculties.push(*id),
            Series::Sender(id) => people.push(*id),
            Series::Organisation(Some(id)) => organisations.push(*id),
            Series::Faculty(None) => {
                names.insert(*part, "Careers Centre".to_owned());
            }
            Series::Organisation(None) => {
                names.insert(*part, "no longer known".to_owned());
            }
            Series::Kind(kind) => {
                names.insert(*part, name_of(*kind).to_owned());
            }
        }
    }
    let db = store.reader();
    names.extend(
        named(
            db,
            faculty::Column::Id,
            faculty::Column::Name,
            faculties,
            |id| Series::Faculty(Some(id)),
        )
        .await?,
    );
    names.extend(
        named(
            db,
            user::Column::Id,
            user::Column::Name,
            people,
            Series::Sender,
        )
        .await?,
    );
    names.extend(
        named(
            db,
            organisation::Column::Id,
            organisation::Column::Name,
            organisations,
            |id| Series::Organisation(Some(id)),
        )
        .await?,
    );
    Ok(names)
}

/// What rows with these ids are called, for the series that each of them is.
async fn named<C, I>(
    db: &impl ConnectionTrait,
    id: C,
    name: C,
    ids: Vec<I>,
    series: impl Fn(I) -> Series,
) -> Result<Vec<(Series, String)>, Error>
where
    C: ColumnTrait,
    C::EntityName: EntityTrait,
    I: Into<Value> + TryGetable + Send,
{
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let found: Vec<(I, String)> = C::EntityName::find()
        .select_only()
        .columns([id, name])
        .filter(id.is_in(ids))
        .into_tuple()
        .all(db)
        .await?;
    Ok(found
        .into_iter()
        .map(|(id, name)| (series(id), name))
        .collect())
}

fn name_of(kind: Kind) -> &'static str {
    match kind {
        Kind::BulkMail => "bulk e-mail",
        Kind::Meeting => "meeting",
        Kind::Call => "call",
        Kind::Email => "e-mail",
        Kind::Visit => "visit",
        Kind::Event => "event",
        Kind::GuidanceOnContact => "guidance on contact",
        Kind::Other => "other",
    }
}

/// What stands before a bar.
fn label(span: Span, from: DateTime<Utc>, planned: bool) -> String {
    let day = from.with_timezone(&UNIVERSITY_TIME).date_naive();
    let time = match span {
        Span::Day => day.format("%-d %b %Y").to_string(),
        Span::Week => {
            let last = day.checked_add_days(Days::new(6)).unwrap_or(day);
            format!("{} to {}", day.format("%-d %b"), last.format("%-d %b %Y"))
        }
        Span::Month => day.format("%B %Y").to_string(),
    };
    if planned {
        format!("{time}, planned")
    } else {
        time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_named_by_the_universitys_calendar() {
        let from: DateTime<Utc> = "2026-09-30T23:00:00Z".parse().unwrap();
        assert_eq!(label(Span::Month, from, false), "October 2026");
        assert_eq!(label(Span::Day, from, true), "1 Oct 2026, planned");
        assert_eq!(label(Span::Week, from, false), "1 Oct to 7 Oct 2026");
    }
}
