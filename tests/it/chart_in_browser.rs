//! Charts and the report for employers looked at in a real browser: everything that is written in them can be read.
//!
//! The pictures of them in the guides are made here too, from the demo data: `MYCAREER_DRAW_PICTURES=1` writes them anew.

use std::{env, fs, path::Path};

use api::chart::{Bar, StackedBars};
use chrono::TimeDelta;
use domain::clock::{Clock, UNIVERSITY_TIME};
use entity::{access_grant::Permission, event, event::EventState};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use support::{Browser, Column, TestBed, operator};

/// Where the pictures of the guides are.
const PICTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/pictures");
/// No picture of the guides is larger, in bytes.
const LARGEST: usize = 200_000;

const REPORT: &str = "query($from: Date!, $to: Date!) {
    reports(by: FACULTY, from: $from, to: $to) { chartUrl daysAheadChartUrl } }";
const PRINTABLE: &str = "query($id: ID!) { employerReportUrl(eventId: $id) }";

/// What is wider than the page.
const WIDE: &str = "return document.documentElement.scrollWidth > window.innerWidth";

/// Whether the window has a scroll bar.
const SCROLLED: &str = "return window.innerWidth > document.documentElement.clientWidth";

/// Words that stand outside the picture, and words that stand over each other.
const FAULTS: &str = r#"
    const picture = document.documentElement.getBoundingClientRect();
    const own = text => [...text.childNodes].filter(node => node.nodeType === Node.TEXT_NODE).map(node => node.data).join('');
    const words = [...document.querySelectorAll('text')].map(text => ({ text: own(text), box: text.getBoundingClientRect() }));
    const faults = [];
    for (const { text, box } of words) {
        if (box.left < picture.left || box.right > picture.right || box.top < picture.top || box.bottom > picture.bottom)
            faults.push(`outside: ${text}`);
    }
    for (const [at, one] of words.entries()) {
        for (const other of words.slice(at + 1)) {
            const across = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
            const down = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
            if (across > 1 && down > 3) faults.push(`"${one.text}" and "${other.text}" over each other`);
        }
    }
    return { faults, words: words.map(word => word.text) };"#;

fn chart(title: &str, parts: &[&str], bars: &[(&str, &[u64])]) -> StackedBars {
    StackedBars {
        title: title.to_owned(),
        parts: parts.iter().map(|&part| part.to_owned()).collect(),
        bars: bars
            .iter()
            .map(|(label, values)| Bar {
                label: (*label).to_owned(),
                values: values.to_vec(),
            })
            .collect(),
        note: Some(format!("A line below the bars of {title}")),
    }
}

async fn look(browser: &Browser, svg: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("chart.svg");
    fs::write(&file, svg).unwrap();
    browser.go(&format!("file://{}", file.display())).await;
    browser.run(FAULTS).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_word_of_a_chart_can_be_read() {
    let browser = Browser::open().await;
    let parts = ["Came", "Did not come", "Excused", "Cancelled late"];
    let long = "Faculty of Engineering, Computing, Mathematics and the Environment of the Whole University";
    let many: Vec<(String, Vec<u64>)> = (0..200)
        .map(|n| (format!("Programme {n}"), vec![n, 200 - n]))
        .collect();
    let many: Vec<(&str, &[u64])> = many
        .iter()
        .map(|(label, values)| (label.as_str(), values.as_slice()))
        .collect();
    for (chart, seen) in [
        (
            chart(
                "Attendance by faculty",
                &parts,
                &[("Law", &[120, 14, 3, 1]), ("Music", &[8, 0, 0, 0])],
            ),
            "Law",
        ),
        (
            chart(
                "Long words",
                &parts,
                &[
                    (long, &[1, 1, 1, 1]),
                    (&long.to_uppercase(), &[900, 1, 1, 1]),
                ],
            ),
            "Long words",
        ),
        (
            chart(
                "Large numbers",
                &parts,
                &[("All", &[9_876_543, 1, 2, 3]), ("Few", &[0, 0, 0, 1])],
            ),
            "All",
        ),
        (chart("Nothing", &parts, &[]), "Nothing to show."),
        (
            chart(
                "Zero & <less>",
                &parts,
                &[("0 < 1 & \"so on\"", &[0, 0, 0, 0])],
            ),
            "Zero & <less>",
        ),
        (
            chart("Many", &["Booked", "Waiting"], &many),
            "Programme 199",
        ),
        (
            chart(
                &"A title that goes on and on ".repeat(6),
                &[long, long, long],
                &[("Law", &[1, 2, 3])],
            ),
            "Law",
        ),
    ] {
        let found = look(&browser, &chart.svg()).await;
        assert_eq!(found["faults"], json!([]), "{}", chart.title);
        assert!(
            found["words"]
                .as_array()
                .unwrap()
                .iter()
                .any(|word| word == seen),
            "{found}"
        );
    }
    browser.close().await;
}

/// The control: words that can't be read are found.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chart_that_can_not_be_read_would_be_noticed() {
    let browser = Browser::open().await;
    let svg = r#"<svg xmlns="http://www.w3.org/2000/svg" width="200" height="60"><text x="10" y="20">one over</text>
        <text x="20" y="22">the other</text><text x="150" y="50">and out of the picture</text></svg>"#;
    let found = look(&browser, svg).await;
    assert_eq!(found["faults"].as_array().unwrap().len(), 2, "{found}");
    browser.close().await;
}

/// A picture as it is to be: written where pictures are drawn anew, and otherwise in the guides with words for it.
fn stands_in_the_guides(name: &str, drawn: &[u8]) {
    assert!(drawn.len() < LARGEST, "{name}: {} bytes", drawn.len());
    let path = Path::new(PICTURES).join(name);
    if env::var_os("MYCAREER_DRAW_PICTURES").is_some() {
        fs::create_dir_all(PICTURES).unwrap();
        fs::write(&path, drawn).unwrap();
    }
    assert!(
        fs::metadata(&path).is_ok_and(|file| file.len() > 1_000),
        "{name} is missing"
    );
    let guide = fs::read_to_string(Path::new(PICTURES).join("../super-users/events.md")).unwrap();
    let before = guide
        .split_once(&format!("](../pictures/{name})"))
        .unwrap_or_else(|| panic!("no guide shows {name}"))
        .0;
    let words = before.rsplit_once("![").unwrap().1;
    assert!(words.len() > 30, "{name} is shown without words: {words}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_guides_show_the_charts_and_the_report_for_employers_of_the_demo_data() {
    let bed = TestBed::new(Column::SqliteMemory).await;
    let system = bed.system_with_demo_data().await;
    let store = system.store();
    let email = format!("operator@{}", api::demo::DOMAIN);
    let reader = entity::user::Entity::find()
        .filter(entity::user::Column::Email.eq(email))
        .one(store.reader())
        .await
        .unwrap()
        .unwrap();
    operator::grant(store, reader.id, Permission::ReadReport, None).await;
    let client = system.demo_client("operator").await;
    let browser = Browser::open().await;
    let get = async |path: &Value| {
        let answer = system.client().get(path.as_str().unwrap()).await;
        answer.text().await.unwrap()
    };

    let today = bed
        .clock()
        .now()
        .with_timezone(&UNIVERSITY_TIME)
        .date_naive();
    let range = json!({ "from": today - TimeDelta::days(90), "to": today + TimeDelta::days(90) });
    let report = client.data(REPORT, range.clone()).await["reports"].clone();
    for (name, path, told) in [
        ("attendance.svg", &report["chartUrl"], "Came"),
        (
            "days-ahead.svg",
            &report["daysAheadChartUrl"],
            "Engineering",
        ),
    ] {
        let svg = get(path).await;
        let found = look(&browser, &svg).await;
        assert_eq!(found["faults"], json!([]), "{name}");
        let words = found["words"].as_array().unwrap();
        assert!(
            words
                .iter()
                .any(|word| word.as_str().unwrap().contains(told)),
            "{name}: {found}"
        );
        stands_in_the_guides(name, svg.as_bytes());
    }

    let fair = event::Entity::find()
        .filter(event::Column::State.eq(EventState::Past))
        .one(store.reader())
        .await
        .unwrap()
        .unwrap();
    let path = client.data(PRINTABLE, json!({ "id": fair.id })).await["employerReportUrl"].clone();
    browser
        .go(&format!(
            "{}{}",
            system.client().address(),
            path.as_str().unwrap()
        ))
        .await;
    assert_eq!(browser.text("h1").await, fair.title);
    let page = browser.text("main").await;
    assert!(
        page.contains("35 came") && page.contains("Classes"),
        "{page}"
    );
    let picture = browser.picture(800).await;
    assert_eq!(browser.run(WIDE).await, false, "it can be printed");
    assert_eq!(
        browser.run(SCROLLED).await,
        false,
        "the picture has it whole"
    );
    stands_in_the_guides("report-for-employers.png", &picture);
    browser.close().await;
    system.stop().await;
}
