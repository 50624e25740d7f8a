//! Contact details go to no third party (policy 3): what people open makes no request to anybody else, who would learn that
//! they did.

use mail_parser::MessageParser;
use serde_json::json;
use support::{TestBed, on_both_columns};

use crate::data_protection::person::nothing_is_on_its_way;

/// Pages that people come to by links in mails, by signing in, and to try operations.
const PAGES: [&str; 6] = [
    "/graphiql",
    "/unsubscribe/test",
    "/preferences/test",
    "/unsubscribe/nonsense",
    "/account/verify/nonsense",
    "/calendar.ics",
];

/// Where a page or a mail has something loaded from: what stands in `src`, in `url(…)`, and in the `href` of a `link`.
fn loaded(html: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (before, end) in [("src=\"", '"'), ("url(", ')'), ("@import \"", '"')] {
        for part in html.split(before).skip(1) {
            found.extend(part.split(end).next().map(str::to_owned));
        }
    }
    for tag in html.split("<link").skip(1) {
        let tag = tag.split('>').next().unwrap_or_default();
        if let Some((_, address)) = tag.split_once("href=\"") {
            found.extend(address.split('"').next().map(str::to_owned));
        }
    }
    found
}

/// Of these, what isn't on the page's own server or in the mail itself.
fn elsewhere(html: &str) -> Vec<String> {
    loaded(html)
        .into_iter()
        .filter(|address| {
            let is_own = address.starts_with('/') && !address.starts_with("//");
            !(is_own || address.starts_with("cid:") || address.starts_with("data:"))
        })
        .collect()
}

/// The HTML of every mail that has come.
fn mails(bed: &TestBed) -> Vec<String> {
    bed.mail()
        .received()
        .iter()
        .filter_map(|mail| {
            let message = MessageParser::default().parse(&mail.raw)?;
            Some(message.body_html(0)?.into_owned())
        })
        .collect()
}

#[test]
fn what_is_loaded_from_elsewhere_is_seen() {
    for html in [
        r#"<img src="https://elsewhere.test/pixel.gif">"#,
        r#"<p style="background: url(//elsewhere.test/a.png)">"#,
        r#"<link rel="stylesheet" href="https://elsewhere.test/a.css">"#,
    ] {
        assert_eq!(elsewhere(html).len(), 1, "{html}");
    }
    let own = r#"<link rel="stylesheet" href="/assets/page.css"><img src="cid:code"><a href="https://elsewhere.test">x</a>"#;
    assert_eq!(elsewhere(own), [""; 0]);
}

on_both_columns! {
    async fn no_page_and_no_mail_loads_anything_from_elsewhere(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        for page in PAGES {
            let body = system.client().get(page).await.text().await.unwrap();
            assert_eq!(elsewhere(&body), [""; 0], "{page}");
        }
        let student = system.demo_client("student1").await;
        let forgotten = r#"mutation { requestPasswordReset(input: { email: "student1@demo.mycareer.test" }) { requested } }"#;
        student.data(forgotten, json!({})).await;
        let copy = "mutation { requestSubjectAccessExport(input: {}) { userErrors { code } } }";
        student.data(copy, json!({})).await;
        nothing_is_on_its_way(system.store()).await;
        support::until(std::time::Duration::from_secs(20), "two mails have come", async || {
            (mails(&bed).len() >= 2).then_some(())
        })
        .await;
        for html in mails(&bed) {
            assert_eq!(elsewhere(&html), [""; 0], "{html}");
        }
        system.stop().await;
    }
}
