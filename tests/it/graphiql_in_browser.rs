//! GraphiQL in a real browser: it runs under its policy, asks nobody else, and sends what is written in it.

use std::time::Duration;

use serde_json::Value;
use support::{Browser, on_both_columns, until};

const PATIENCE: Duration = Duration::from_mins(1);

const WRITE: &str = r#"
    const editor = name => document.querySelector(`.graphiql-${name} .CodeMirror`)?.CodeMirror;
    const [query, headers] = [editor("query-editor"), editor("editor-tool")];
    if (!query || !headers) return false;
    query.setValue(QUERY);
    headers.setValue(HEADERS);
    return true;"#;
const ANSWER: &str = r#"
    const shown = document.querySelector(".result-window .CodeMirror")?.CodeMirror;
    return shown ? shown.getValue() : "";"#;
const LOADED_FROM: &str = r#"
    return [...new Set(performance.getEntriesByType("resource").map(entry => new URL(entry.name).origin))];"#;
/// That the schema was read: a word that isn't in it is marked.
const MARKED: &str = "return document.querySelectorAll('.CodeMirror-lint-mark').length;";

/// Writes a query into the page, with the headers it is sent with.
async fn write(browser: &Browser, query: &str, headers: &str) {
    let script = WRITE
        .replace("QUERY", &format!("{query:?}"))
        .replace("HEADERS", &format!("{headers:?}"));
    until(PATIENCE, "the editor is there", async || {
        (browser.run(&script).await == true).then_some(())
    })
    .await;
}

async fn answer_with(browser: &Browser, part: &str) {
    until(PATIENCE, part, async || {
        let shown = browser.run(ANSWER).await;
        shown.as_str().unwrap().contains(part).then_some(())
    })
    .await;
}

on_both_columns! {
    async fn a_super_user_signs_in_asks_and_watches_in_graphiql(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let browser = Browser::open().await;
        let address = system.client().address().to_owned();
        browser.go(&format!("{address}/graphiql")).await;

        write(&browser, "{ viewer { name nonsense } }", "{}").await;
        until(PATIENCE, "a field that isn't there is marked", async || {
            browser.run(MARKED).await.as_u64().filter(|&marks| marks > 0)
        })
        .await;

        let client = system.demo_client("superuser").await;
        let headers = format!("{{ \"Authorization\": \"Bearer {}\" }}", client.token().unwrap());
        write(&browser, "{ viewer { name } }", &headers).await;
        browser.click(".graphiql-execute-button").await;
        answer_with(&browser, "\"viewer\"").await;
        // A subscription goes by the socket, which refuses whoever brings no token.
        write(&browser, "subscription { jobChanged { id } }", "{}").await;
        browser.click(".graphiql-execute-button").await;
        answer_with(&browser, "Sign in first.").await;

        let from = browser.run(LOADED_FROM).await;
        assert_eq!(from, Value::from(vec![address]));
        browser.close().await;
        system.stop().await;
    }
}
