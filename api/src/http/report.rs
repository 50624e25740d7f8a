//! Reports at addresses of their own, for a spreadsheet program, a page with a picture in it, or a printer. The API makes the
//! addresses; each works for one person and half an hour, as long as they may read what it leads to.

use domain::{
    Error, Store,
    mail::in_university_time,
    report::{
        self, Question, Report, Row, Subject,
        employer::{EmployerReport, employer_report},
    },
    viewer::Viewer,
};
use minijinja::context;
use poem::{
    EndpointExt, IntoEndpoint, Response, Route, get, handler,
    http::StatusCode,
    web::{Data, Path},
};
use serde_json::json;

use super::pages;
use crate::chart::{Bar, MOST_BARS, StackedBars};

/// A picture loads nothing and does nothing.
const PICTURE_POLICY: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; sandbox";

/// The routes below `/reports`.
#[must_use]
pub fn routes(store: Store) -> impl IntoEndpoint {
    Route::new().at("/:token", get(fetch)).data(store)
}

#[handler]
async fn fetch(Data(store): Data<&Store>, Path(token): Path<String>) -> Response {
    match answered(store, &token).await {
        Ok(Some(response)) => response,
        Ok(None) | Err(Error::Forbidden(_) | Error::Refused(_)) => pages::message(
            StatusCode::NOT_FOUND,
            "This link doesn't work",
            "It works for half an hour, and for whoever asked for the report alone. Ask for the report again.",
        ),
        Err(error) => {
            tracing::error!(%error, "a report can't be made");
            pages::message(
                StatusCode::INTERNAL_SERVER_ERROR,
                "Something went wrong on our side",
                "Try again in a while.",
            )
        }
    }
}

async fn answered(store: &Store, token: &str) -> Result<Option<Response>, Error> {
    let Some((link, viewer)) = report::open(store, token).await? else {
        return Ok(None);
    };
    match link.to {
        Subject::Csv(question) => {
            let csv = made(store, &viewer, question, "report.export")
                .await?
                .csv()?;
            let response = Response::builder()
                .content_type("text/csv; charset=utf-8")
                .header("Content-Disposition", "attachment; filename=\"report.csv\"")
                .header("Cache-Control", "no-store")
                .header("Referrer-Policy", "no-referrer")
                .body(csv);
            Ok(Some(response))
        }
        Subject::Chart(question) => {
            let report = made(store, &viewer, question, "report.chart").await?;
            Ok(Some(picture(&chart(&report))))
        }
        Subject::DaysAheadChart(question) => {
            let report = made(store, &viewer, question, "report.chart").await?;
            Ok(Some(picture(&days_ahead(&report))))
        }
        Subject::Employer(event_id) => {
            let found = employer_report(store.reader(), &viewer, event_id).await?;
            Ok(found.map(printable))
        }
    }
}

fn picture(chart: &StackedBars) -> Response {
    Response::builder()
        .content_type("image/svg+xml; charset=utf-8")
        .header("Content-Security-Policy", PICTURE_POLICY)
        .header("Cache-Control", "no-store")
        .header("Referrer-Policy", "no-referrer")
        .body(chart.svg())
}

/// The report, and a line in the audit log that it was taken away.
async fn made(
    store: &Store,
    viewer: &Viewer,
    question: Question,
    action: &'static str,
) -> Result<Report, Error> {
    let report = report::report(store.reader(), viewer, question, store.now()).await?;
    let mut tx = store.begin().await?;
    let what = json!({ "question": report.question, "rows": report.rows.len() });
    tx.audit(viewer, action, "report", None, Some(what)).await?;
    tx.commit().await?;
    Ok(report)
}

/// The picture of a report: the rows with the most bookings, and the others together where there are too many.
fn chart(report: &Report) -> StackedBars {
    let parts = [
        "Came",
        "Came in classes",
        "Did not come",
        "Did not come, with employers",
        "Excused",
        "Cancelled late",
        "Cancelled",
        "Register open",
    ];
    let bar = |label: String, rows: &[&Row]| {
        let sum = |of: fn(&Row) -> i64| rows.iter().map(|row| of(row)).sum::<i64>().unsigned_abs();
        let values: [fn(&Row) -> i64; 8] = [
            |row| row.attended,
            |row| row.class_attended,
            |row| row.no_shows,
            |row| row.no_shows_with_employers,
            |row| row.excused,
            |row| row.late_cancelled,
            |row| row.cancelled,
            |row| row.booked,
        ];
        Bar {
            label,
            values: values.map(sum).to_vec(),
        }
    };
    let mut shown: Vec<&Row> = report.rows.iter().collect();
    let mut others = Vec::new();
    if shown.len() > MOST_BARS {
        let mut bookings: Vec<i64> = shown.iter().map(|row| row.bookings).collect();
        bookings.sort_unstable_by(|one, other| other.cmp(one));
        let fewest = bookings[MOST_BARS - 1];
        let mut room = MOST_BARS - 1;
        shown.retain(|row| {
            let stays = row.bookings >= fewest && room > 0;
            if stays {
                room -= 1;
            } else {
                others.push(*row);
            }
            stays
        });
    }
    let mut bars: Vec<Bar> = shown
        .into_iter()
        .map(|row| bar(label(report, row), &[row]))
        .collect();
    if !others.is_empty() {
        bars.push(bar(format!("{} others", others.len()), &others));
    }
    StackedBars {
        title: report.title(),
        parts: parts.map(str::to_owned).to_vec(),
        bars,
        note: report.note(),
    }
}

/// What a bar is about. Of two of one name, each is said with its faculty.
fn label(report: &Report, row: &Row) -> String {
    let namesakes = report
        .rows
        .iter()
        .filter(|other| other.label == row.label)
        .count();
    match &row.faculty {
        Some(faculty) if namesakes > 1 => format!("{} ({faculty})", row.label),
        _ => row.label.clone(),
    }
}

/// The picture of how long ahead people book: the middle of each row, in days, where there are not too many.
fn days_ahead(report: &Report) -> StackedBars {
    let bars = report.rows.iter().chain([&report.total]).filter_map(|row| {
        Some(Bar {
            label: label(report, row),
            values: vec![whole(row.median_days_ahead()?)],
        })
    });
    StackedBars {
        title: report.days_ahead_title(),
        parts: vec!["Days from booking to the start of the event, median".to_owned()],
        bars: bars.take(MOST_BARS).collect(),
        note: Some("As many people book earlier as book later.".to_owned()),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a median of whole days is a small number, and never below nothing"
)]
fn whole(days: f64) -> u64 {
    days.round() as u64
}

fn printable(report: EmployerReport) -> Response {
    let event = report.event;
    let ratings = report.feedback.as_ref().map(|voices| {
        let bars = voices
            .ratings
            .iter()
            .zip([1, 2, 3, 4, 5])
            .rev()
            .map(|(number, rating)| Bar {
                label: match rating {
                    1 => "1, poor".to_owned(),
                    5 => "5, very good".to_owned(),
                    rating => rating.to_string(),
                },
                values: vec![*number],
            });
        let chart = StackedBars {
            title: "How they rate it".to_owned(),
            parts: vec!["People".to_owned()],
            bars: bars.collect(),
            note: None,
        };
        chart.svg()
    });
    pages::page(
        StatusCode::OK,
        "employer_report.html",
        context! {
            starts => in_university_time(event.starts_at),
            title => event.title,
            venue => event.venue,
            organisations => report.organisations,
            capacity => event.capacity,
            expected => report.expected,
            attended => report.attended,
            by_faculty => report.by_faculty,
            by_level => report.by_level,
            average => report.feedback.as_ref().map(|voices| format!("{:.1}", voices.average())),
            voices => report.feedback.as_ref().map(|voices| voices.ratings.iter().sum::<u64>()),
            good => report.feedback.as_ref().map(|voices| voices.good.clone()).unwrap_or_default(),
            mend => report.feedback.as_ref().map(|voices| voices.mend.clone()).unwrap_or_default(),
            ratings,
        },
    )
}
