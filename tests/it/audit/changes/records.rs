//! Standing and merging of records, registration, and what is kept of people.

use domain::clock::Clock;
use entity::{
    contact,
    ids::RegistrationId,
    organisation::{self, OrganisationState},
    registration::{self, RegistrationKind, RegistrationState},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    sea_query::Expr,
};
use serde_json::{Value, json};

use super::walk::Walk;

async fn organisation(walk: &mut Walk<'_>, name: &str) -> Value {
    let input = json!({ "name": name, "kind": "DIRECT_EMPLOYER", "confirmNotDuplicate": true });
    let made = walk
        .call(
            "admin",
            "createOrganisation",
            input,
            "organisation { id version }",
        )
        .await;
    made["organisation"].clone()
}

pub async fn posts(walk: &mut Walk<'_>) {
    let paul = contact::Entity::find()
        .filter(contact::Column::Name.eq("Paul Sykes"))
        .one(walk.store().reader())
        .await
        .unwrap()
        .unwrap();
    let mill = organisation(walk, "Sister Mill").await;
    let input =
        json!({ "contactId": paul.id, "version": paul.version, "organisationId": mill["id"] });
    let added = walk
        .call("admin", "addContactPost", input, "contact { version }")
        .await;
    let version = &added["contact"]["version"];
    let input = json!({ "contactId": paul.id, "version": version, "organisationId": mill["id"] });
    let ended = walk
        .call("admin", "endContactPost", input, "contact { version }")
        .await;
    let input =
        json!({ "id": paul.id, "version": ended["contact"]["version"], "jobTitle": "Founder" });
    walk.call("employer", "updateOwnContact", input, "").await;
    let input = json!({ "name": "Ivy Brook" });
    walk.call("employer", "createOwnContact", input, "").await;
    let input = json!({ "organisationId": mill["id"], "version": mill["version"], "logo": crate::profile::PNG });
    walk.call("admin", "setOrganisationLogo", input, "").await;
}

pub async fn profile_fields(walk: &mut Walk<'_>) {
    let input = json!({ "name": "Dress code", "kind": "TEXT" });
    let made = walk
        .call(
            "admin",
            "createProfileField",
            input,
            "profileField { id version }",
        )
        .await;
    let field = &made["profileField"];
    let input = json!({ "profileFieldId": field["id"], "version": field["version"], "help": "Say it plainly." });
    walk.call("admin", "updateProfileField", input, "").await;
    let input = json!({ "profileFieldId": field["id"] });
    walk.call("admin", "archiveProfileField", input, "").await;
}

pub async fn standing(walk: &mut Walk<'_>) {
    let row = organisation(walk, "Solitary Mill").await;
    let input = json!({ "id": row["id"], "version": row["version"], "reason": "It closed." });
    let archived = walk
        .call(
            "admin",
            "archiveOrganisation",
            input,
            "organisation { id version }",
        )
        .await;
    let row = &archived["organisation"];
    let input = json!({ "id": row["id"], "version": row["version"] });
    walk.call("admin", "restoreOrganisation", input, "").await;
}

pub async fn merging(walk: &mut Walk<'_>) {
    let one = organisation(walk, "Quarry and Sons").await;
    let other = organisation(walk, "Quarry & Sons").await;
    let input = json!({ "survivorId": one["id"], "mergedId": other["id"] });
    let outcome = walk
        .call(
            "admin",
            "mergeOrganisations",
            input,
            "outcome { merge { id } }",
        )
        .await;
    let merge = &outcome["outcome"]["merge"]["id"];
    walk.call("admin", "undoMerge", json!({ "mergeId": merge }), "")
        .await;
    let mut contacts = Vec::new();
    for name in ["Quentin Quarry", "Q. Quarry"] {
        let input = json!({ "organisationId": one["id"], "name": name });
        let made = walk
            .call("admin", "createContact", input, "contact { id }")
            .await;
        contacts.push(made["contact"]["id"].clone());
    }
    let input = json!({ "survivorId": contacts[0], "mergedId": contacts[1] });
    walk.call("admin", "mergeContacts", input, "").await;
}

/// The demo's employer as if they had come by themselves.
pub async fn registration(walk: &mut Walk<'_>) {
    let employer = walk.person("employer").await;
    let found = walk.ask("employer", "{ viewer { organisationId } }").await;
    let id = found["viewer"]["organisationId"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let own = |state| {
        organisation::Entity::update_many()
            .col_expr(organisation::Column::State, Expr::value(state))
            .filter(organisation::Column::Id.eq(id))
    };
    own(OrganisationState::Declined)
        .exec(walk.store().reader())
        .await
        .unwrap();
    let came = registration::Model {
        id: RegistrationId::new_at(walk.clock().now()),
        user_id: employer,
        organisation_id: id,
        kind: RegistrationKind::New,
        state: RegistrationState::Declined,
        job_title: None,
        telephone: None,
        submitted_at: walk.clock().now(),
        decided_by: None,
        decided_at: None,
        reason: None,
    };
    registration::Entity::insert(came.clone().into_active_model().reset_all())
        .exec_without_returning(walk.store().reader())
        .await
        .unwrap();
    walk.call_without_input("employer", "resubmitRegistration")
        .await;
    let version = version_of(walk, &id.to_string()).await;
    let input = json!({ "organisationId": id, "version": version, "decision": "APPROVE" });
    walk.call("admin", "reviewOrganisation", input, "").await;

    let version = version_of(walk, &id.to_string()).await;
    let input = json!({ "version": version, "name": "Another name altogether" });
    let asked = walk
        .call(
            "employer",
            "updateOwnOrganisation",
            input,
            "organisation { heldChange { id } }",
        )
        .await;
    let held = &asked["organisation"]["heldChange"]["id"];
    let input = json!({ "heldChangeId": held, "approve": true });
    walk.call("admin", "answerHeldChange", input, "").await;

    let mut row = came.clone().into_active_model();
    row.kind = Set(RegistrationKind::Join);
    row.state = Set(RegistrationState::Submitted);
    row.update(walk.store().reader()).await.unwrap();
    let input = json!({ "registrationId": came.id, "approve": false, "reason": "We know you." });
    walk.call("admin", "answerRegistration", input, "").await;
}

async fn version_of(walk: &mut Walk<'_>, id: &str) -> Value {
    let query = format!("{{ node(id: \"{id}\") {{ ... on Organisation {{ version }} }} }}");
    walk.ask("admin", &query).await["node"]["version"].clone()
}

pub async fn personal_data(walk: &mut Walk<'_>) {
    walk.call("student1", "requestSubjectAccessExport", json!({}), "")
        .await;
    let input = json!({ "personId": walk.id("other"), "reason": "Asked for on the telephone." });
    walk.call("admin", "erasePerson", input, "").await;
}
