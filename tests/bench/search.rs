//! Full-text search over 100,000 organisations, as many contacts and a million notes, asked of the API over HTTP.

use serde_json::{Value, json};
use support::{Client, Column};

use crate::{
    fill::{self, Words},
    stage::Stage,
    table::{print, row, whole},
    timing::Times,
};

const ORGANISATIONS: usize = 100_000;
const NOTES: usize = 1_000_000;
const ROUNDS: usize = 40;

const SEARCH: &str = "query($text: String!, $kinds: [SearchKind!]) { search(text: $text, kinds: $kinds, first: 20) {
    nodes { kind node { id ... on Organisation { name } ... on Contact { name } ... on Note { body } } } } }";
const LIST: &str = "query($text: String!) { organisations(filter: { search: $text }, first: 50) { nodes { name sector } } }";

pub async fn measure() {
    let mut rows = vec![row([
        &"asked for",
        &"database",
        &"half are under",
        &"95% are under",
        &"slowest",
    ])];
    for column in [Column::PostgresRedis, Column::SqliteMemory] {
        let stage = Stage::new(column).await;
        let mut words = Words::new(2);
        let tag = fill::tag(&stage.store, "Measured").await;
        let (organisations, _) =
            fill::organisations(&stage.store, &mut words, ORGANISATIONS, 1, tag).await;
        let author = stage.viewer("operator").await.user_id().unwrap();
        fill::notes(&stage.store, &mut words, NOTES, &organisations, author).await;
        stage.settle().await;
        let (_api, client) = stage.operator().await;
        for (what, query, kinds, texts) in questions(&mut words) {
            let times = ask(&client, query, kinds, &texts).await;
            rows.push(row([
                &what,
                &stage.name(),
                &times.percentile(50),
                &times.percentile(95),
                &times.percentile(100),
            ]));
        }
    }
    print(
        "Search",
        &format!(
            "{} organisations, as many contacts and {} notes of twenty words; {ROUNDS} different texts each, one after the other, over HTTP.",
            whole(ORGANISATIONS as f64),
            whole(NOTES as f64)
        ),
        &rows,
    );
}

type Question = (&'static str, &'static str, Value, Vec<String>);

/// What is asked for: texts that nothing has been asked for before.
fn questions(words: &mut Words) -> Vec<Question> {
    let everything = Value::Null;
    let mut texts = |of: &dyn Fn(&mut Words, usize) -> String| -> Vec<String> {
        (0..ROUNDS).map(|nth| of(words, nth)).collect()
    };
    let rare = texts(&|words, nth| words.nth(12_000 + nth * 50).to_owned());
    let frequent = texts(&|words, nth| words.nth(nth).to_owned());
    let beginnings = texts(&|words, nth| words.nth(nth * 37)[..3].to_owned());
    let two = texts(&|words, nth| format!("{} {}", words.nth(nth), words.nth(200 + nth)));
    let names = texts(&|words, _| words.name());
    let slips = texts(&|words, nth| {
        let mut name = words.nth(3_000 + nth * 211).repeat(2);
        name.insert(2, 'x');
        name
    });
    vec![
        ("a rare word, everywhere", SEARCH, everything.clone(), rare),
        (
            "one of the 40 most frequent words, everywhere",
            SEARCH,
            everything.clone(),
            frequent,
        ),
        (
            "the first three letters of a word, everywhere",
            SEARCH,
            everything.clone(),
            beginnings.clone(),
        ),
        ("two words, in notes", SEARCH, json!(["NOTE"]), two),
        (
            "a whole name, in organisations",
            SEARCH,
            json!(["ORGANISATION"]),
            names,
        ),
        (
            "a name that nobody has, everywhere",
            SEARCH,
            everything,
            slips,
        ),
        (
            "the list of organisations by three letters",
            LIST,
            Value::Null,
            beginnings,
        ),
    ]
}

async fn ask(client: &Client, query: &str, kinds: Value, texts: &[String]) -> Times {
    let mut times = Times::default();
    for text in texts {
        let mut variables = json!({ "text": text });
        if !kinds.is_null() {
            variables["kinds"] = kinds.clone();
        }
        times.of(client.data(query, variables)).await;
    }
    times
}
