//! A contact whose words nobody else has, with a key account that somebody holds.

use std::collections::HashMap;

use entity::{
    contact,
    ids::{ContactId, OrganisationId, RegistrationId, UserId, VacancyId},
    organisation,
    registration::{self, RegistrationKind, RegistrationState},
    user,
    user::UserKind,
    vacancy::{self, VacancyState},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
};
use serde_json::{Value, json};
use support::{Client, TestBed, put};
use tokio::sync::Mutex;

use crate::{campaign::segments::done, key_account::office::Office};

/// Everything that is planted, as it would stand in an answer.
pub const NAME: &str = "Zebedee Quillon";
pub const ADDRESS: &str = "zq@plantedleak.test";
/// With which they sign in.
pub const ACCOUNT: &str = "signs-in@plantedleak.test";
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
    /// Where the contact works too.
    pub elsewhere: OrganisationId,
    /// Another record of theirs, of which nothing but a name is known.
    pub double: Value,
    /// A campaign of the holder that goes to the contact.
    pub campaign: Value,
    /// A vacancy that students find, which the contact wrote and where they are to be asked.
    pub vacancy: VacancyId,
    /// Everybody signs in once.
    clients: Mutex<HashMap<String, Client>>,
}

impl Planted {
    pub async fn open(bed: &TestBed) -> Self {
        let office = Office::open(bed).await;
        let operators = [
            "EDIT_ORGANISATION",
            "RECORD_ENGAGEMENT",
            "CLAIM_KEY_ACCOUNT",
            "EXPORT_CONTACTS",
            "DELETE_ORGANISATION",
            "MANAGE_EVENT",
            "SEND_BULK_EMAIL",
        ];
        // Somebody with all rights and no agreement, and one with those that the holder lacks.
        office.grant("superuser", &operators).await;
        office.grant("operator", &["EXPORT_CONTACTS"]).await;
        let mut row = office.contact("Imogen Moss").await.into_active_model();
        row.name = Set(NAME.to_owned());
        row.job_title = Set(Some(JOB_TITLE.to_owned()));
        row.visible_to_students = Set(false);
        let contact = row.update(office.system.store().reader()).await.unwrap();
        let db = office.system.store().reader();
        let elsewhere = organisation::Entity::find()
            .filter(organisation::Column::Name.eq("Dales Heritage Trust"))
            .one(db)
            .await
            .unwrap()
            .unwrap()
            .id;
        ask_to_join(&office, &contact).await;
        let mut planted = Self {
            vacancy: vacancy_of(&office, &contact).await,
            office,
            contact,
            elsewhere,
            double: Value::Null,
            campaign: Value::Null,
            clients: Mutex::default(),
        };
        // By the API, so that it stands in every history.
        planted
            .change(json!({ "email": ADDRESS, "telephone": TELEPHONE }))
            .await;
        planted.note("Walked through the yard.").await;
        planted.work_elsewhere().await;
        planted.write_to_them().await;
        planted
    }

    /// Gives the contact a further post, and another record.
    async fn work_elsewhere(&mut self) {
        let holder = self.client("operator").await;
        let version = self.office.contact(NAME).await.version;
        let post = json!({ "contactId": self.contact.id, "version": version, "organisationId": self.elsewhere });
        done(&holder, "addContactPost", "contact { id }", post).await;
        let double =
            json!({ "organisationId": self.contact.organisation_id, "name": "Somebody Again" });
        let made = done(&holder, "createContact", "contact { id }", double).await;
        self.double = made["contact"]["id"].clone();
    }

    /// Has the holder send a campaign that goes to the contact alone.
    async fn write_to_them(&mut self) {
        let holder = self.client("operator").await;
        let tag = done(
            &holder,
            "createTag",
            "tag { id }",
            json!({ "name": "Smithies" }),
        )
        .await;
        let tags = json!([tag["tag"]["id"]]);
        let input = json!({ "organisationIds": [self.contact.organisation_id], "tagIds": tags });
        done(&holder, "tagOrganisations", "tagged", input).await;
        let input =
            json!({ "name": "Fair", "subject": "Our fair", "body": "Hello", "allOfTags": tags });
        let made = done(&holder, "createCampaign", "campaign { id }", input).await;
        self.campaign = made["campaign"]["id"].clone();
        let input = json!({ "campaignId": self.campaign });
        let started = done(
            &holder,
            "scheduleCampaign",
            "campaign { recipients }",
            input,
        )
        .await;
        assert_eq!(started["campaign"]["recipients"], 1);
    }

    pub async fn client(&self, who: &str) -> Client {
        let mut clients = self.clients.lock().await;
        if let Some(known) = clients.get(who) {
            return known.clone();
        }
        let client = self.office.client(who).await;
        clients.insert(who.to_owned(), client.clone());
        client
    }

    /// Has the holder record a meeting with the contact.
    pub async fn note(&self, body: &str) {
        let holder = self.client("operator").await;
        let about = json!({ "contactId": self.contact.id });
        for who in [about, json!({ "participantIds": [self.contact.id] })] {
            let mut input = who;
            input["organisationId"] = json!(self.contact.organisation_id);
            (input["kind"], input["body"]) = (json!("MEETING"), json!(body));
            let answer = holder.graphql(NOTE, json!({ "input": input })).await;
            assert_eq!(answer.refusals(), [""; 0], "{answer:?}");
        }
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

/// Makes a student of the demo data an employer who signs in with an address.
async fn employer(
    office: &Office,
    mailbox: &str,
    address: &str,
    contact_id: Option<ContactId>,
) -> UserId {
    let store = office.system.store();
    let id = office.person(mailbox).await;
    let row = user::Entity::find_by_id(id)
        .one(store.reader())
        .await
        .unwrap();
    let mut row = row.unwrap().into_active_model();
    row.kind = Set(UserKind::Employer);
    row.contact_id = Set(contact_id);
    row.email = Set(address.to_owned());
    row.email_verified_at = Set(Some(store.now()));
    row.update(store.reader()).await.unwrap();
    id
}

/// A vacancy of the demo data that is theirs by now: they wrote it, and are to be asked about it.
async fn vacancy_of(office: &Office, contact: &contact::Model) -> VacancyId {
    let db = office.system.store().reader();
    let account = employer(office, "student20", ACCOUNT, Some(contact.id)).await;
    let open = vacancy::Entity::find()
        .filter(vacancy::Column::State.eq(VacancyState::Approved))
        .one(db)
        .await
        .unwrap()
        .unwrap();
    let id = open.id;
    let mut row = open.into_active_model();
    row.organisation_id = Set(contact.organisation_id);
    row.contact_id = Set(Some(contact.id));
    row.created_by = Set(account);
    row.update(db).await.unwrap();
    id
}

/// They ask to join their organisation with the address that is known of them, as if they were nobody yet.
async fn ask_to_join(office: &Office, contact: &contact::Model) {
    let store = office.system.store();
    let row = registration::Model {
        id: RegistrationId::new_at(store.now()),
        user_id: employer(office, "student19", ADDRESS, None).await,
        organisation_id: contact.organisation_id,
        kind: RegistrationKind::Join,
        state: RegistrationState::Submitted,
        job_title: None,
        telephone: None,
        submitted_at: store.now(),
        decided_by: None,
        decided_at: None,
        reason: None,
    };
    put::<registration::Entity>(store, row).await;
}
