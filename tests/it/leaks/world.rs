//! A contact whose words nobody else has, with a key account that somebody holds.

use entity::contact;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, IntoActiveModel};
use serde_json::{Value, json};
use support::{Client, TestBed};

use crate::key_account::office::Office;

/// Everything that is planted, as it would stand in an answer.
pub const NAME: &str = "Zebedee Quillon";
pub const ADDRESS: &str = "zq@plantedleak.test";
pub const TELEPHONE: &str = "0113 555 8642";
const JOB_TITLE: &str = "Provost of Anvils";
const GUIDANCE: &str = "through her clerk";

/// What nobody has who must liaise first, nor anybody whom it doesn't concern.
pub const DETAILS: &[&str] = &["plantedleak", "555 8642"];
/// What is for staff alone: who it is, as nobody agreed to be shown, and the mark.
pub const FOR_STAFF: &[&str] = &[
    "Zebedee",
    "Quillon",
    "Anvils",
    GUIDANCE,
    " *\"",
    "KeyAccountContact\":true",
];

const UPDATE: &str = "mutation($input: UpdateContactInput!) {
    updateContact(input: $input) { contact { version } userErrors { code } } }";
const NOTE: &str = "mutation($input: AddNoteInput!) { addNote(input: $input) { note { id } userErrors { code } } }";

/// The demo university with the planted contact. The operator holds the key account.
pub struct Planted {
    pub office: Office,
    pub contact: contact::Model,
}

impl Planted {
    pub async fn open(bed: &TestBed) -> Self {
        let office = Office::open(bed).await;
        let operators = [
            "EDIT_ORGANISATION",
            "RECORD_ENGAGEMENT",
            "CLAIM_KEY_ACCOUNT",
            "EXPORT_CONTACTS",
        ];
        // Somebody with all rights and no agreement, and one with those that the holder lacks.
        office.grant("superuser", &operators).await;
        office.grant("operator", &["EXPORT_CONTACTS"]).await;
        let mut row = office.contact("Imogen Moss").await.into_active_model();
        row.name = Set(NAME.to_owned());
        row.job_title = Set(Some(JOB_TITLE.to_owned()));
        row.visible_to_students = Set(false);
        let contact = row.update(office.system.store().reader()).await.unwrap();
        let planted = Self { office, contact };
        // By the API, so that it stands in every history.
        planted
            .change(json!({ "email": ADDRESS, "telephone": TELEPHONE }))
            .await;
        planted.note("Walked through the yard.").await;
        planted
    }

    pub async fn client(&self, who: &str) -> Client {
        self.office.client(who).await
    }

    /// Has the holder record a meeting with the contact.
    pub async fn note(&self, body: &str) {
        let input = json!({ "organisationId": self.contact.organisation_id, "contactId": self.contact.id,
            "kind": "MEETING", "body": body });
        let holder = self.client("operator").await;
        let answer = holder.graphql(NOTE, json!({ "input": input })).await;
        assert_eq!(answer.refusals(), [""; 0], "{answer:?}");
    }

    /// Has the holder change the contact.
    pub async fn change(&self, what: Value) {
        let mut input = what;
        input["id"] = json!(self.contact.id);
        input["version"] = json!(self.office.contact(NAME).await.version);
        let holder = self.client("operator").await;
        let answer = holder.graphql(UPDATE, json!({ "input": input })).await;
        assert_eq!(answer.refusals(), [""; 0], "{answer:?}");
    }

    /// The answer to a request, as it came over the wire.
    pub async fn raw(&self, who: &str, query: &str, variables: Value) -> String {
        let request = self
            .client(who)
            .await
            .request(reqwest::Method::POST, "/graphql")
            .json(&json!({ "query": query, "variables": variables }));
        request.send().await.unwrap().text().await.unwrap()
    }
}
