//! Two records of one organisation, with everything that can belong to one.

use entity::{
    contact, event, event_organisation,
    ids::{DuplicatePairId, OrganisationId},
    organisation, organisation_tag, tag,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
};
use serde_json::{Value, json};
use support::{Client, System, TestBed};

use super::snapshot::{self, Snapshot};

pub const MERGE: &str = "mutation($input: MergeOrganisationsInput!) { mergeOrganisations(input: $input) {
    outcome { merge { id canBeUndoneUntil } rows { table moved takenOut } values { field survivor merged kept } notes }
    userErrors { code field message } } }";

pub const UNDO: &str = "mutation($input: UndoMergeInput!) { undoMerge(input: $input) {
    outcome { isUndone rows { table moved takenOut } conflicts { key message before merged now canBeRestored decision } }
    userErrors { code field message } } }";

pub struct World {
    pub system: System,
    pub admin: Client,
    pub survivor: OrganisationId,
    pub merged: OrganisationId,
    /// Those of the merged one.
    pub contacts: Vec<contact::Model>,
    pub tags: Vec<tag::Model>,
}

impl World {
    /// Aire Valley Robotics Ltd of the demo data, with an employer who signs in, events, tags, a note, a division and a key
    /// account; and Aire Valley Robotics plc, which is the same.
    pub async fn open(bed: &TestBed) -> Self {
        let system = bed.system_with_demo_data().await;
        let admin = system.demo_client("admin").await;
        let db = system.store().reader();
        let merged = organisation::Entity::find()
            .filter(organisation::Column::Name.eq("Aire Valley Robotics Ltd"))
            .one(db)
            .await
            .unwrap()
            .unwrap()
            .id;
        let contacts = contact::Entity::find()
            .filter(contact::Column::OrganisationId.eq(merged))
            .all(db)
            .await
            .unwrap();
        let tags = tag::Entity::find()
            .order_by_asc(tag::Column::Name)
            .all(db)
            .await
            .unwrap();
        let mut world = Self {
            survivor: merged,
            system,
            admin,
            merged,
            contacts,
            tags,
        };
        let survivor = json!({
            "name": "Aire Valley Robotics plc", "tradingNames": ["AVR"], "address": "1 Forge Lane, Leeds",
            "emailDomains": ["avr.example"], "confirmNotDuplicate": true,
        });
        world.survivor = world
            .create(survivor)
            .await
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        world
            .create(json!({ "name": "Robot Castings", "parentId": world.merged }))
            .await;
        world.furnish().await;
        world
    }

    /// Gives both what can clash.
    async fn furnish(&self) {
        let db = self.system.store().reader();
        let shared = organisation_tag::Entity::find()
            .filter(organisation_tag::Column::OrganisationId.eq(self.merged))
            .one(db)
            .await
            .unwrap()
            .unwrap();
        self.done(
            "mutation($input: TagOrganisationsInput!) { tagOrganisations(input: $input) { userErrors { code } } }",
            json!({ "organisationIds": [self.survivor], "tagIds": [shared.tag_id] }),
        )
        .await;
        let other = self
            .tags
            .iter()
            .find(|tag| tag.id != shared.tag_id)
            .unwrap();
        self.done(
            "mutation($input: TagOrganisationsInput!) { tagOrganisations(input: $input) { userErrors { code } } }",
            json!({ "organisationIds": [self.merged], "tagIds": [other.id] }),
        )
        .await;
        self.done(
            "mutation($input: AddNoteInput!) { addNote(input: $input) { userErrors { code } } }",
            json!({ "organisationId": self.merged, "kind": "CALL", "body": "Talked about robots." }),
        )
        .await;
        self.done(
            "mutation($input: CreateContactInput!) { createContact(input: $input) { userErrors { code } } }",
            json!({ "organisationId": self.survivor, "name": "Vic Ward", "email": "vic@avr.example" }),
        )
        .await;
        let operator = self.system.demo_client("operator").await;
        let erin = self
            .contacts
            .iter()
            .find(|contact| contact.name == "Erin Doyle")
            .unwrap();
        let claim = json!({ "input": {
            "organisationId": self.merged,
            "contacts": [{ "contactId": erin.id, "guidance": "Ring first." }],
        } });
        let claimed = operator
            .graphql(
                "mutation($input: ClaimKeyAccountInput!) { claimKeyAccount(input: $input) { userErrors { code message } } }",
                claim,
            )
            .await;
        assert_eq!(claimed.refusals(), [""; 0], "{claimed:?}");
        self.fill_in().await;
        self.show().await;
        // Both take part in the same event.
        let event = event::Entity::find().one(db).await.unwrap().unwrap();
        for organisation_id in [self.survivor, self.merged] {
            let known = event_organisation::Entity::find_by_id((event.id, organisation_id))
                .one(db)
                .await
                .unwrap();
            if known.is_none() {
                event_organisation::Model {
                    event_id: event.id,
                    organisation_id,
                }
                .into_active_model()
                .insert(db)
                .await
                .unwrap();
            }
        }
    }

    /// Fields of profiles: one that both have, and one that the merged one has alone.
    async fn fill_in(&self) {
        for (name, both) in [("Parking", true), ("Dress code", false)] {
            let data = self.done(
                "mutation($input: CreateProfileFieldInput!) { createProfileField(input: $input) { profileField { id } userErrors { code } } }",
                json!({ "name": name, "kind": "TEXT" }),
            )
            .await;
            let id = &data["createProfileField"]["profileField"]["id"];
            self.say(self.merged, id, json!("theirs")).await;
            if both {
                self.say(self.survivor, id, json!("ours")).await;
            }
        }
    }

    /// Logos of both, and somebody of a third one who works at both, and somebody who works at the merged one alone.
    async fn show(&self) {
        for id in [self.survivor, self.merged] {
            let version = self.version(id).await;
            self.done(
                "mutation($input: SetOrganisationLogoInput!) { setOrganisationLogo(input: $input) { userErrors { code message } } }",
                json!({ "organisationId": id, "version": version, "logo": crate::profile::PNG }),
            )
            .await;
        }
        for (name, at) in [
            ("Nadia Hussain", self.survivor),
            ("Nadia Hussain", self.merged),
            ("Tom Ellery", self.merged),
        ] {
            let row = contact::Entity::find()
                .filter(contact::Column::Name.eq(name))
                .one(self.system.store().reader())
                .await
                .unwrap()
                .unwrap();
            self.done(
                "mutation($input: AddContactPostInput!) { addContactPost(input: $input) { userErrors { code message } } }",
                json!({ "contactId": row.id, "version": row.version, "organisationId": at, "jobTitle": "Adviser" }),
            )
            .await;
        }
    }

    async fn version(&self, id: OrganisationId) -> i32 {
        organisation::Entity::find_by_id(id)
            .one(self.system.store().reader())
            .await
            .unwrap()
            .unwrap()
            .version
    }

    /// Says what a field of a profile is for an organisation.
    pub async fn say(&self, organisation: OrganisationId, field: &Value, value: Value) {
        let version = self.version(organisation).await;
        self.done(
            "mutation($input: UpdateOrganisationInput!) { updateOrganisation(input: $input) { userErrors { code message } } }",
            json!({ "id": organisation, "version": version,
                "profileFields": [{ "profileFieldId": field, "value": value }] }),
        )
        .await;
    }

    /// Adds an organisation, and gives its id.
    pub async fn create(&self, input: Value) -> Value {
        let query = "mutation($input: CreateOrganisationInput!) {
            createOrganisation(input: $input) { organisation { id } userErrors { code message } } }";
        let data = self.admin.data(query, json!({ "input": input })).await;
        assert_eq!(data["createOrganisation"]["userErrors"], json!([]));
        data["createOrganisation"]["organisation"]["id"].clone()
    }

    /// Does something that must be taken.
    pub async fn done(&self, mutation: &str, input: Value) -> Value {
        let answer = self
            .admin
            .graphql(mutation, json!({ "input": input }))
            .await;
        assert_eq!(answer.refusals(), [""; 0], "{input}: {answer:?}");
        assert_eq!(answer.codes(), [""; 0], "{input}: {answer:?}");
        answer.data
    }

    /// The input of the merge.
    pub fn input(&self) -> Value {
        json!({ "survivorId": self.survivor, "mergedId": self.merged })
    }

    /// Merges, and gives the outcome.
    pub async fn merged(&self, input: &Value) -> Value {
        let data = self.done(MERGE, input.clone()).await;
        data["mergeOrganisations"]["outcome"].clone()
    }

    pub async fn organisation_named(&self, name: &str) -> organisation::Model {
        organisation::Entity::find()
            .filter(organisation::Column::Name.eq(name))
            .one(self.system.store().reader())
            .await
            .unwrap()
            .unwrap()
    }

    /// Somebody said that the merged one is not the same as another.
    pub async fn dismiss_pair_with(&self, name: &str) {
        use entity::duplicate_pair::{DuplicatePairState, Model};

        let store = self.system.store();
        let other = organisation::Entity::find()
            .filter(organisation::Column::Name.starts_with(name))
            .one(store.reader())
            .await
            .unwrap()
            .unwrap()
            .id;
        Model {
            id: DuplicatePairId::new_at(store.now()),
            one_id: self.merged.min(other),
            other_id: self.merged.max(other),
            group_id: self.merged,
            doubt: 400_000,
            signals: json!([]),
            evidence: json!([]),
            state: DuplicatePairState::Dismissed,
            found_at: store.now(),
            dismissed_by: None,
            dismissed_at: Some(store.now()),
            reason: Some("They share a building.".to_owned()),
        }
        .into_active_model()
        .reset_all()
        .insert(store.reader())
        .await
        .unwrap();
    }

    pub async fn snapshot(&self) -> Snapshot {
        snapshot::take(self.system.store().reader()).await
    }
}
