//! Every GraphQL example in the README and the guides does what they say.
//!
//! An example is a fenced block of `graphql`. Behind the word stands who runs it (`as=operator`), what is kept for later
//! examples (`save=EVENT_ID:createEvent.event.id`), what is waited for (`until=bookings.nodes.0.state:BOOKED`), and which
//! error or user error is expected (`error=FORBIDDEN`, `refused=WRONG_STATE`). Words in capitals that were kept are put in for later examples of the same file.

use std::{collections::HashMap, fs, path::Path, time::Duration};

use serde_json::{Value, json};
use support::{Client, on_both_columns, until};

use crate::delivered::{Delivered, told};

const DOCUMENTS: &[&str] = &[
    "README.md",
    "docs/frontend.md",
    "docs/super-users/access.md",
    "docs/super-users/employers.md",
    "docs/super-users/group.md",
    "docs/super-users/events.md",
    "docs/super-users/records.md",
    "docs/super-users/mail.md",
    "docs/operation.md",
];
const PATIENCE: Duration = Duration::from_secs(20);

/// One example, as it stands in a document.
#[derive(Debug, Default)]
struct Example {
    place: String,
    text: String,
    runs_as: Option<String>,
    save: Option<(String, String)>,
    until: Option<(String, String)>,
    error: Option<String>,
    refused: Option<String>,
}

fn examples(document: &str) -> Vec<Example> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(document);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{document}: {error}"));
    let mut found = Vec::new();
    let mut lines = text.lines().zip(1..);
    while let Some((line, number)) = lines.next() {
        let Some(information) = line.strip_prefix("```graphql") else {
            continue;
        };
        let mut example = Example {
            place: format!("{document}:{number}"),
            ..Example::default()
        };
        for word in information.split_whitespace() {
            let (key, value) = word
                .split_once('=')
                .unwrap_or_else(|| panic!("{}: {word:?}", example.place));
            let pair = || {
                value
                    .split_once(':')
                    .map(|(a, b)| (a.to_owned(), b.to_owned()))
            };
            match key {
                "as" => example.runs_as = Some(value.to_owned()),
                "save" => example.save = pair(),
                "until" => example.until = pair(),
                "refused" => example.refused = Some(value.to_owned()),
                "error" => example.error = Some(value.to_owned()),
                _ => panic!("{}: what is {key}?", example.place),
            }
        }
        for (line, _) in lines.by_ref().take_while(|(line, _)| *line != "```") {
            example.text.push_str(line);
            example.text.push('\n');
        }
        found.push(example);
    }
    found
}

/// The value at `a.b.0.c`.
fn at<'a>(data: &'a Value, path: &str) -> &'a Value {
    path.split('.')
        .fold(data, |value, step| match step.parse::<usize>() {
            Ok(index) => &value[index],
            Err(_) => &value[step],
        })
}

/// The code of the first user error of a mutation.
fn refusal(data: &Value) -> Option<&str> {
    data.as_object()?
        .values()
        .find_map(|payload| payload["userErrors"][0]["code"].as_str())
}

async fn follow(document: &str, nobody: &Client) -> usize {
    let mut kept: HashMap<String, String> = HashMap::new();
    let mut people: HashMap<String, Client> =
        HashMap::from([("nobody".to_owned(), nobody.clone())]);
    let examples = examples(document);
    for example in &examples {
        let place = &example.place;
        let who = example
            .runs_as
            .as_deref()
            .unwrap_or_else(|| panic!("{place}: who runs it?"));
        if !people.contains_key(who) {
            let client = nobody
                .sign_in(&format!("{who}@demo.mycareer.test"), "mycareer-demo")
                .await;
            people.insert(who.to_owned(), client);
        }
        let client = &people[who];
        let text = kept
            .iter()
            .fold(example.text.clone(), |text, (name, value)| {
                text.replace(name, value)
            });

        if text.trim_start().starts_with("subscription") {
            client.expect_stream(&text).await;
            continue;
        }
        if let Some((path, expected)) = &example.until {
            until(PATIENCE, place, async || {
                let answer = client.graphql(&text, json!({})).await;
                (at(&answer.data, path) == expected.as_str()).then_some(())
            })
            .await;
            continue;
        }
        let answer = client.graphql(&text, json!({})).await;
        if let Some(code) = &example.error {
            assert_eq!(
                answer.errors[0]["extensions"]["code"],
                code.as_str(),
                "{place}: {answer:?}"
            );
        } else {
            assert!(answer.errors.is_empty(), "{place}: {answer:?}");
            assert_eq!(
                refusal(&answer.data),
                example.refused.as_deref(),
                "{place}: {answer:?}"
            );
        }
        if let Some((name, path)) = &example.save {
            let value = at(&answer.data, path);
            let value = value
                .as_str()
                .unwrap_or_else(|| panic!("{place}: nothing at {path}: {answer:?}"));
            kept.insert(name.clone(), value.to_owned());
        }
    }
    examples.len()
}

on_both_columns! {
    async fn every_example_does_what_the_documents_say(bed: TestBed) {
        let programs = Delivered::start(&bed, &[]).await;
        let mut followed = 0;
        for document in DOCUMENTS {
            followed += follow(document, &programs.nobody).await;
        }
        assert!(followed >= 15, "only {followed} examples were found");
        until(PATIENCE, "the campaign of the tour goes out", async || {
            (!told(&bed, "at our autumn fair").is_empty()).then_some(())
        })
        .await;
        programs.stop().await;
    }
}
