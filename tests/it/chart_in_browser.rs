//! Charts looked at in a real browser: everything that is written in them can be read.

use std::fs;

use api::chart::{Bar, StackedBars};
use serde_json::{Value, json};
use support::Browser;

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
