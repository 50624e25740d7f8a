//! The demo university with its key accounts, for the tests of key accounts and liaison.

use std::time::Duration;

use entity::{
    access_grant::{self, GrantState, Permission},
    contact, delivery,
    ids::{GrantId, OrganisationId, UserId},
    key_account, key_account_contact, user,
};
use sea_orm::{
    ActiveEnum, ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder,
};
use serde_json::{Value, json};
use support::{Client, System, TestBed, until_equal};

use crate::delivered::told;

pub const CLAIM: &str = "mutation($input: ClaimKeyAccountInput!) { claimKeyAccount(input: $input) {
    keyAccount { id scope contacts { name guidance } } userErrors { code field message } } }";

pub const REQUEST: &str = "mutation($input: RequestLiaisonInput!) { requestLiaison(input: $input) {
    liaisonRequest { id state } userErrors { code field message } } }";

pub const ANSWER: &str = "mutation($input: AnswerLiaisonInput!) { answerLiaison(input: $input) {
    liaisonRequest { state agreedUntil answer } userErrors { code field message } } }";

/// The system with the demo data: the operator holds Imogen Moss and Jo Lennox, the administrator holds Sana Iqbal, with
/// whom the operator has an agreement, and has asked about Imogen Moss.
pub struct Office {
    pub system: System,
}

impl Office {
    pub async fn open(bed: &TestBed) -> Self {
        Self {
            system: bed.system_with_demo_data().await,
        }
    }

    pub async fn client(&self, who: &str) -> Client {
        self.system.demo_client(who).await
    }

    pub async fn person(&self, who: &str) -> UserId {
        let found = user::Entity::find()
            .filter(user::Column::Email.eq(format!("{who}@demo.mycareer.test")))
            .one(self.system.store().reader())
            .await;
        found.unwrap().unwrap().id
    }

    pub async fn contact(&self, name: &str) -> contact::Model {
        let found = contact::Entity::find()
            .filter(contact::Column::Name.eq(name))
            .one(self.system.store().reader())
            .await;
        found.unwrap().unwrap()
    }

    /// The key account that somebody is, or was last, a contact of.
    pub async fn account_of(&self, name: &str) -> key_account::Model {
        let contact = self.contact(name).await;
        let db = self.system.store().reader();
        let held = key_account_contact::Entity::find()
            .filter(key_account_contact::Column::ContactId.eq(contact.id))
            .order_by_desc(key_account_contact::Column::NamedAt)
            .one(db)
            .await
            .unwrap()
            .unwrap();
        key_account::Entity::find_by_id(held.key_account_id)
            .one(db)
            .await
            .unwrap()
            .unwrap()
    }

    /// Gives somebody permissions for the campus.
    pub async fn grant(&self, who: &str, permissions: &[&str]) {
        let (store, user_id) = (self.system.store(), self.person(who).await);
        for permission in permissions {
            let row = access_grant::Model {
                id: GrantId::new_at(store.now()),
                user_id,
                permission: Permission::try_from_value(&(*permission).to_owned()).unwrap(),
                faculty_id: None,
                training_course_id: None,
                state: GrantState::Active,
                granted_by: None,
                granted_at: store.now(),
            };
            access_grant::Entity::insert(row.into_active_model().reset_all())
                .exec_without_returning(store.reader())
                .await
                .unwrap();
        }
    }

    /// Claims an organisation with these contacts and the guidance on them.
    pub async fn claim(
        &self,
        who: &str,
        organisation: OrganisationId,
        named: &[(&str, &str)],
    ) -> Value {
        let input = self.claim_input(organisation, named).await;
        let data = self.client(who).await.data(CLAIM, input).await;
        let payload = &data["claimKeyAccount"];
        assert_eq!(payload["userErrors"], json!([]));
        payload["keyAccount"].clone()
    }

    pub async fn claim_input(&self, organisation: OrganisationId, named: &[(&str, &str)]) -> Value {
        let mut contacts = Vec::new();
        for (name, guidance) in named {
            let contact = self.contact(name).await;
            contacts.push(json!({ "contactId": contact.id, "guidance": guidance }));
        }
        json!({ "input": { "organisationId": organisation, "contacts": contacts } })
    }

    /// Asks to contact somebody, and gives the id of the request.
    pub async fn request(&self, who: &str, name: &str, purpose: &str) -> String {
        let contact = self.contact(name).await;
        let input = json!({ "input": { "contactId": contact.id, "purpose": purpose } });
        let data = self.client(who).await.data(REQUEST, input).await;
        let payload = &data["requestLiaison"];
        assert_eq!(payload["userErrors"], json!([]));
        payload["liaisonRequest"]["id"].as_str().unwrap().to_owned()
    }

    pub async fn answer(&self, who: &str, id: &str, agree: bool) -> Value {
        let input = json!({ "input": {
            "liaisonRequestId": id, "agree": agree, "answer": if agree { "Gladly." } else { "Not this term." },
        } });
        let data = self.client(who).await.data(ANSWER, input).await;
        let payload = &data["answerLiaison"];
        assert_eq!(payload["userErrors"], json!([]));
        payload["liaisonRequest"].clone()
    }

    /// Does what the timetable does every few minutes.
    pub async fn look_after(&self) {
        let mut tx = self.system.store().begin().await.unwrap();
        domain::key_account::look_after(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// The letters of one template to somebody.
    pub async fn letters(&self, who: &str, template: &str) -> Vec<delivery::Model> {
        delivery::Entity::find()
            .filter(delivery::Column::UserId.eq(self.person(who).await))
            .filter(delivery::Column::Template.eq(template))
            .all(self.system.store().reader())
            .await
            .unwrap()
    }

    /// Waits until so many mails with the subject have arrived.
    pub async fn until_told(&self, bed: &TestBed, subject: &str, mails: usize) {
        until_equal(Duration::from_secs(20), subject, mails, async || {
            told(bed, subject).len()
        })
        .await;
    }

    /// Somebody's viewer, as the next request would load it.
    pub async fn viewer(&self, who: &str) -> domain::Viewer {
        let (id, store) = (self.person(who).await, self.system.store());
        domain::Viewer::load(store.reader(), id, None, store.now())
            .await
            .unwrap()
            .unwrap()
    }
}
