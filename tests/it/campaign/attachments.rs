//! Files that every mail of a campaign brings along.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use mail_parser::{MessageParser, MimeHeaders};
use serde_json::{Value, json};
use support::{Client, on_both_columns, until};

use super::{
    api::{audience, change, create, text, until_sent},
    office::header,
};

const ADD: &str = "mutation($input: AddCampaignAttachmentInput!) {
    addCampaignAttachment(input: $input) {
      campaign { version attachments { id name mediaType size addedBy { name } } } userErrors { code field message }
    }
  }";
const REMOVE: &str = "mutation($id: ID!, $version: Int!) {
    removeCampaignAttachment(input: { attachmentId: $id, version: $version }) {
      campaign { version attachments { name } } userErrors { code field }
    }
  }";

const PATIENCE: Duration = Duration::from_secs(30);

/// A file that begins as a PDF does, of so many bytes.
fn pdf(bytes: usize) -> Vec<u8> {
    let mut file = b"%PDF-1.7\n".to_vec();
    file.resize(bytes, b'x');
    file
}

async fn add(operator: &Client, id: &str, version: i64, name: &str, file: &[u8]) -> Value {
    let input = json!({ "campaignId": id, "version": version, "name": name, "file": STANDARD.encode(file) });
    let mut data = operator.data(ADD, json!({ "input": input })).await;
    data["addCampaignAttachment"].take()
}

/// The code and the field of what it is refused for.
fn refused(added: &Value) -> (&str, &str) {
    let error = &added["userErrors"][0];
    (
        error["code"].as_str().unwrap(),
        error["field"].as_str().unwrap(),
    )
}

/// The files in a mail.
fn files(raw: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mail = MessageParser::default().parse(raw).unwrap();
    mail.attachments()
        .map(|part| {
            (
                part.attachment_name().unwrap().to_owned(),
                part.contents().to_vec(),
            )
        })
        .collect()
}

on_both_columns! {
    async fn every_mail_and_the_test_bring_the_files_of_their_campaign(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let (tag, _) = audience(&operator, 3).await;
        let id = create(&operator, &tag).await;
        let flyer = pdf(40_000);
        let added = add(&operator, &id, 1, "Autumn fair – programme.pdf", &flyer).await;
        assert_eq!(added["userErrors"], json!([]));
        assert_eq!(added["campaign"]["version"], 2);
        let attached = &added["campaign"]["attachments"][0];
        assert_eq!((&attached["mediaType"], &attached["size"]), (&json!("application/pdf"), &json!(40_000)));

        // Whoever reviews it can open the file.
        let read = operator.data("query($id: ID!) { node(id: $id) { ... on Campaign { attachments { file } } } }", json!({ "id": id })).await;
        assert_eq!(read["node"]["attachments"][0]["file"], STANDARD.encode(&flyer));

        change(&operator, "sendTestCampaign", &id).await;
        let tested = until(PATIENCE, "the test has come", async || {
            let received = bed.mail().received();
            received.into_iter().find(|mail| header(mail, "Subject").is_some_and(|subject| subject.starts_with("Test: ")))
        })
        .await;
        assert_eq!(files(&tested.raw), [("Autumn fair – programme.pdf".to_owned(), flyer.clone())]);
        let before = bed.mail().received().len();

        change(&operator, "scheduleCampaign", &id).await;
        until_sent(&operator, &id).await;
        let mails = bed.mail().received().split_off(before);
        assert!(mails.len() >= 3, "{}", mails.len());
        for mail in mails {
            assert_eq!(files(&mail.raw), [("Autumn fair – programme.pdf".to_owned(), flyer.clone())]);
        }
        let late = add(&operator, &id, 3, "late.pdf", &flyer).await;
        assert_eq!(refused(&late).0, "WRONG_STATE");
        system.stop().await;
    }

    async fn files_above_a_size_of_other_kinds_and_under_false_names_are_refused(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let (tag, _) = audience(&operator, 1).await;
        let id = create(&operator, &tag).await;
        // The control: as large as the files may be together.
        let largest = add(&operator, &id, 1, "a.pdf", &pdf(500_000)).await;
        assert_eq!(largest["userErrors"], json!([]));
        assert_eq!(refused(&add(&operator, &id, 2, "b.pdf", &pdf(10)).await), ("INVALID", "file"));
        let removed = operator.data(REMOVE, json!({ "id": largest["campaign"]["attachments"][0]["id"], "version": 2 })).await;
        assert_eq!(removed["removeCampaignAttachment"]["campaign"], json!({ "version": 3, "attachments": [] }));
        assert_eq!(refused(&add(&operator, &id, 3, "a.pdf", &pdf(500_001)).await), ("INVALID", "file"));

        for (name, file, field) in [
            ("a.exe", pdf(10), "name"),
            ("../a.pdf", pdf(10), "name"),
            ("a.pdf", b"MZ\x90\x00".to_vec(), "file"),
        ] {
            assert_eq!(refused(&add(&operator, &id, 3, name, &file).await), ("INVALID", field), "{name}");
        }
        let input = json!({ "campaignId": id, "version": 3, "name": "a.pdf", "file": "§" });
        assert_eq!(operator.graphql(ADD, json!({ "input": input })).await.refusals(), ["INVALID"]);
        assert_eq!(refused(&add(&operator, &id, 2, "a.pdf", &pdf(10)).await).0, "STALE");
        add(&operator, &id, 3, "a.pdf", &pdf(10)).await;
        assert_eq!(refused(&add(&operator, &id, 4, "a.pdf", &pdf(10)).await), ("TAKEN", "name"));
        add(&operator, &id, 4, "b.PDF", &pdf(10)).await;
        add(&operator, &id, 5, "c.png", b"\x89PNG\r\n\x1a\n").await;
        assert_eq!(refused(&add(&operator, &id, 6, "d.pdf", &pdf(10)).await), ("INVALID", "file"));
        system.stop().await;
    }

    async fn a_copy_and_a_joined_draft_have_the_files_too(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let (tag, _) = audience(&operator, 1).await;
        let (one, other) = (create(&operator, &tag).await, create(&operator, &tag).await);
        add(&operator, &one, 1, "one.pdf", &pdf(10)).await;
        add(&operator, &other, 1, "other.pdf", &pdf(10)).await;
        let names = "query($id: ID!) { node(id: $id) { ... on Campaign { attachments { name } } } }";
        let copy = "mutation($id: ID!) { copyCampaign(input: { campaignId: $id }) { campaign { id attachments { name } } } }";
        let copied = operator.data(copy, json!({ "id": one })).await;
        assert_eq!(copied["copyCampaign"]["campaign"]["attachments"], json!([{ "name": "one.pdf" }]));

        let join = "mutation($into: ID!, $from: ID!) { joinCampaigns(input: {
            intoCampaignId: $into, intoVersion: 2, fromCampaignId: $from, fromVersion: 2 }) { userErrors { code } } }";
        let joined = operator.data(join, json!({ "into": one, "from": other })).await;
        assert_eq!(joined["joinCampaigns"]["userErrors"], json!([]));
        let all = operator.data(names, json!({ "id": one })).await;
        assert_eq!(all["node"]["attachments"], json!([{ "name": "one.pdf" }, { "name": "other.pdf" }]));
        // What is taken off one is on the other still.
        let of_copy = operator.data(names, json!({ "id": text(&copied["copyCampaign"]["campaign"]["id"]) })).await;
        assert_eq!(of_copy["node"]["attachments"], json!([{ "name": "one.pdf" }]));
        system.stop().await;
    }
}
