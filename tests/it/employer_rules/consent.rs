//! Consent to be shown to students: asked of the person and of the organisation, and no until they said yes.

use serde_json::{Value, json};
use support::{Client, on_both_columns};

use crate::campaign::segments::done;

async fn version(client: &Client, id: &Value) -> Value {
    let query = "query($id: ID!) { node(id: $id) { ... on Organisation { version } ... on Contact { version } } }";
    client.data(query, json!({ "id": id })).await["node"]["version"].take()
}

/// What a student is told of a contact: by their list, and by their id.
async fn shown(student: &Client, organisation: &Value, contact: &Value) -> (Value, Value) {
    let query =
        "query($at: ID!, $id: ID!) { contacts(filter: { organisationId: $at }) { totalCount }
        node(id: $id) { ... on Contact { email } } }";
    let data = student
        .data(query, json!({ "at": organisation, "id": contact }))
        .await;
    (data["contacts"]["totalCount"].clone(), data["node"].clone())
}

on_both_columns! {
    async fn nobody_is_shown_to_students_until_the_person_and_the_organisation_both_agreed(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (operator, student) = (system.demo_client("operator").await, system.demo_client("student1").await);
        let made = done(&operator, "createOrganisation", "organisation { id showsContactsToStudents }", json!({ "name": "Otley Presses" })).await;
        let organisation = &made["organisation"]["id"];
        assert_eq!(made["organisation"]["showsContactsToStudents"], false, "it wasn't asked yet");
        let input = json!({ "organisationId": organisation, "name": "Ann Lee", "email": "ann@otley.test" });
        let made = done(&operator, "createContact", "contact { id visibleToStudents }", input).await;
        let contact = &made["contact"]["id"];
        assert_eq!(made["contact"]["visibleToStudents"], false, "nor was she");

        for (by_her, by_it) in [(false, false), (true, false), (true, true), (false, true), (true, true), (true, false), (false, true)] {
            let input = json!({ "id": contact, "version": version(&operator, contact).await, "visibleToStudents": by_her });
            done(&operator, "updateContact", "contact { id }", input).await;
            let input = json!({ "id": organisation, "version": version(&operator, organisation).await, "showsContactsToStudents": by_it });
            done(&operator, "updateOrganisation", "organisation { id }", input).await;
            let expected = if by_her && by_it {
                (json!(1), json!({ "email": "ann@otley.test" }))
            } else {
                (json!(0), Value::Null)
            };
            assert_eq!(shown(&student, organisation, contact).await, expected, "she: {by_her}, it: {by_it}");
        }
    }
}
