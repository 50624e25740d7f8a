//! Every read of contact details in bulk is in the audit log, whatever the way (policy 3).

use entity::{access_grant::Permission, audit_entry, contact, user};
use reqwest::Method;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use support::{Client, Desk, System, on_both_columns, operator};

/// What the log has of such reads, the oldest first.
pub async fn reads(system: &System) -> Vec<audit_entry::Model> {
    let mut lines = audit_entry::Entity::find()
        .filter(audit_entry::Column::Action.eq("contact_details.read_in_bulk"))
        .all(system.store().reader())
        .await
        .unwrap();
    lines.sort_by_key(|line| line.number);
    lines
}

/// Contacts with an address whom nobody must liaise about, so that operators are shown it.
async fn contacts(client: &Client) -> Vec<(String, String)> {
    let query = "{ contacts(first: 100) { nodes { id name email isKeyAccountContact } } }";
    let found = client.data(query, json!({})).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    found["contacts"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|node| node["email"].is_string() && node["isKeyAccountContact"] == false)
        .map(|node| (text(&node["id"]), text(&node["name"])))
        .collect()
}

on_both_columns! {
    async fn the_details_of_several_people_are_one_line_of_the_log_by_whatever_way_they_are_read(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let known = contacts(&operator).await;
        let (one, two) = (&known[0].0, &known[1].0);
        let operator_id = super::super::super_user_group::account(&system, "operator").await.id;
        let ways = [
            ("{ contacts(first: 5) { nodes { email } } }", json!({}), "Contact.email"),
            ("{ contacts(first: 30) { edges { node { telephone } } } }", json!({}), "Contact.telephone"),
            ("{ organisations(first: 20) { nodes { contacts(first: 5) { email } } } }", json!({}), "Contact.email"),
            ("query($ids: [ID!]!) { nodes(ids: $ids) { ... on Contact { email } } }", json!({ "ids": [one, two] }), "Contact.email"),
            (
                "query($a: ID!, $b: ID!) { a: node(id: $a) { ...Card } b: node(id: $b) { ...Card } }
                 fragment Card on Contact { at: email }",
                json!({ "a": one, "b": two }),
                "Contact.email",
            ),
            (
                "query($a: ID!, $b: ID!) { a: contactWithGuidance(id: $a) { email } b: contactWithGuidance(id: $b) { email } }",
                json!({ "a": one, "b": two }),
                "ContactWithGuidance.email",
            ),
        ];
        let mut expected = reads(&system).await.len();
        assert_eq!(expected, 1, "the list of contacts above");
        for (query, variables, field) in ways {
            let answer = operator.graphql(query, variables).await;
            assert!(answer.errors.is_empty(), "{query}: {:?}", answer.errors);
            expected += 1;
            let lines = reads(&system).await;
            assert_eq!(lines.len(), expected, "{query}: {}", answer.data);
            let line = &lines[expected - 1];
            let what = line.after.clone().unwrap();
            assert_eq!(line.actor_id, Some(operator_id));
            assert!(line.request_id.is_some());
            assert_eq!(what["fields"], json!([field]), "{query}");
            let shown = answer.data.to_string().matches('@').count();
            if field.ends_with("email") {
                assert_eq!(what["people"], shown, "{query}: {what} {}", answer.data);
            } else {
                assert!(what["people"].as_u64().unwrap() > 1, "{what}");
            }
        }
    }

    async fn the_log_says_by_what_filter_details_were_read(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let query = "query Callers($filter: ContactFilter) {
            contacts(filter: $filter, first: 50) { nodes { email } } }";
        operator.data(query, json!({ "filter": { "state": "ACTIVE" } })).await;
        let line = reads(&system).await.remove(0);
        let what = line.after.unwrap();
        assert_eq!(what["asked"]["operation"], "Callers");
        assert_eq!(
            what["asked"]["arguments"],
            json!({ "contacts(filter:)": { "state": "ACTIVE" }, "contacts(first:)": 50 })
        );
    }

    /// The control of the tests above.
    async fn lists_without_details_a_single_contact_and_ones_own_write_nothing(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let (id, _) = contacts(&operator).await.remove(0);
        let before = reads(&system).await.len();
        for (query, variables) in [
            ("{ contacts(first: 50) { totalCount nodes { id name jobTitle organisation { name } } } }", json!({})),
            ("{ organisations(first: 20) { nodes { name contactCount contacts(first: 5) { name } } } }", json!({})),
            ("query($id: ID!) { node(id: $id) { ... on Contact { email telephone } } }", json!({ "id": id })),
            // One person by two ways is one person.
            (
                "query($id: ID!) { a: node(id: $id) { ... on Contact { email } } b: node(id: $id) { ... on Contact { telephone email } } }",
                json!({ "id": id }),
            ),
            (
                "query($id: ID!, $no: Boolean = false) { node(id: $id) { ... on Contact { email } }
                 contacts(first: 50) { nodes { email @include(if: $no) } } }",
                json!({ "id": id }),
            ),
        ] {
            let answer = operator.graphql(query, variables).await;
            assert!(answer.errors.is_empty(), "{query}: {:?}", answer.errors);
            assert_eq!(reads(&system).await.len(), before, "{query}");
        }
        let employer = system.demo_client("employer").await;
        employer.data("{ viewer { email profile { telephone } } }", json!({})).await;
        assert_eq!(reads(&system).await.len(), before);
    }

    async fn what_is_denied_or_withheld_is_not_told_and_writes_nothing(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let list = "{ contacts(first: 100) { nodes { name email telephone } } }";
        let untrained = system.demo_client("untrained").await;
        let denied = untrained.graphql(list, json!({})).await;
        assert_eq!(denied.codes(), ["FORBIDDEN", "FORBIDDEN"]);
        assert!(denied.data["contacts"]["nodes"].as_array().unwrap().len() > 1, "{denied:?}");
        system.client().graphql(list, json!({})).await;
        assert_eq!(reads(&system).await.len(), 0);

        // Students are told of those who agreed, and that is a read like any other.
        let student = system.demo_client("student1").await;
        let told = student.data(list, json!({})).await;
        let shown = told["contacts"]["nodes"].as_array().unwrap().iter();
        let shown = shown.filter(|node| !node["email"].is_null() || !node["telephone"].is_null()).count();
        let line = reads(&system).await.remove(0);
        assert_eq!(line.after.unwrap()["people"], shown);
    }

    async fn a_query_over_server_sent_events_is_in_the_log_like_one_over_http(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let answer = operator
            .request(Method::POST, "/graphql/stream")
            .header("Accept", "text/event-stream")
            .json(&json!({ "query": "{ contacts(first: 10) { nodes { email } } }" }))
            .send()
            .await
            .unwrap();
        assert!(answer.text().await.unwrap().contains('@'));
        assert_eq!(reads(&system).await.len(), 1);
    }

    async fn what_cannot_be_written_into_the_log_is_not_told(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let db = system.store().reader();
        db.execute_unprepared("ALTER TABLE audit_entry RENAME TO elsewhere").await.unwrap();
        let query = "{ contacts(first: 10) { nodes { name email } } }";
        let answer = operator.graphql(query, json!({})).await;
        assert_eq!(answer.codes(), ["INTERNAL"]);
        assert!(answer.data.is_null(), "{answer:?}");
        // Names alone still are.
        operator.data("{ contacts(first: 10) { nodes { name } } }", json!({})).await;
        db.execute_unprepared("ALTER TABLE elsewhere RENAME TO audit_entry").await.unwrap();
        operator.data(query, json!({})).await;
    }

    async fn the_line_costs_no_more_for_a_hundred_people_than_for_two(bed: TestBed) {
        let desk = Desk::open(&bed).await;
        api::demo::load(desk.store()).await.unwrap();
        let account = user::Entity::find()
            .filter(user::Column::Email.eq("operator@demo.mycareer.test"))
            .one(desk.store().reader())
            .await
            .unwrap()
            .unwrap();
        let viewer = domain::Viewer::load(desk.store().reader(), account.id, None, desk.store().now()).await.unwrap().unwrap();
        let org = contact::Entity::find().one(desk.store().reader()).await.unwrap().unwrap().organisation_id;
        let mut tx = desk.store().begin().await.unwrap();
        for number in 0..60 {
            let mut person = domain::contact::Profile::named(format!("Person {number:02}"));
            person.email = Some(format!("person{number}@bulk.test"));
            domain::contact::create(&mut tx, &domain::Viewer::system(), org, person).await.unwrap();
        }
        tx.commit().await.unwrap();
        let query = "query($first: Int) { contacts(filter: { search: \"Person\" }, first: $first) { nodes { email } } }";
        let (_, two) = desk.data(&viewer, query, json!({ "first": 2 })).await;
        let (many, sixty) = desk.data(&viewer, query, json!({ "first": 60 })).await;
        assert_eq!(many["contacts"]["nodes"].as_array().unwrap().len(), 60);
        assert_eq!(two, sixty);
    }

    async fn the_details_of_more_than_fifty_people_at_once_need_the_permission_to_export(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let store = system.store();
        let mut tx = store.begin().await.unwrap();
        let profile = domain::organisation::Profile::named("Bulk");
        let org = domain::organisation::create(&mut tx, &domain::Viewer::system(), profile, true).await.unwrap().id;
        for number in 0..60 {
            let mut person = domain::contact::Profile::named(format!("Person {number:02}"));
            person.email = Some(format!("person{number}@bulk.test"));
            domain::contact::create(&mut tx, &domain::Viewer::system(), org, person).await.unwrap();
        }
        tx.commit().await.unwrap();
        let untrained = super::super::super_user_group::account(&system, "untrained").await.id;
        operator::grant(store, untrained, Permission::RecordEngagement, None).await;
        let limited = system.demo_client("untrained").await;
        let trained = system.demo_client("operator").await;
        let whole = "query($id: ID!) { contacts(filter: { organisationId: $id }, first: 100) { nodes { name at: email } } }";
        let ways = [
            whole,
            "query($id: ID!) { node(id: $id) { ... on Organisation { contacts(first: 100) { name at: email } } } }",
            "query($id: ID!) {
                a: contacts(filter: { organisationId: $id }, first: 30) { nodes { name at: email } }
                b: contacts(filter: { organisationId: $id }, last: 30) { nodes { name at: email } } }",
        ];
        for query in ways {
            let id = json!({ "id": org });
            let told = |data: &Value| data.to_string().matches("@bulk.test").count();
            let answer = limited.graphql(query, id.clone()).await;
            assert_eq!(answer.codes(), ["FORBIDDEN"], "one error, whatever was left out: {answer:?}");
            assert_eq!(told(&answer.data), 50, "{query}");
            assert_eq!(answer.data.to_string().matches("Person ").count(), 60, "names are no contact details");
            let error = &answer.errors[0];
            assert_eq!(error["extensions"]["coordinate"], "Contact.email");
            let message = error["message"].as_str().unwrap();
            assert!(message.contains("EXPORT_CONTACTS") && message.contains("Bulk e-mail and data protection"), "{message}");
            let line = reads(&system).await.pop().unwrap().after.unwrap();
            assert_eq!((&line["people"], &line["withheld"]), (&json!(50), &json!(["Contact.email"])));

            // The control.
            let answer = trained.graphql(query, id).await;
            assert!(answer.errors.is_empty(), "{answer:?}");
            assert_eq!(told(&answer.data), 60, "{query}");
            let line = reads(&system).await.pop().unwrap().after.unwrap();
            assert_eq!((&line["people"], &line["withheld"]), (&json!(60), &Value::Null));
        }
        let page = "query($id: ID!) { contacts(filter: { organisationId: $id }, first: 50) { nodes { email telephone } } }";
        limited.data(page, json!({ "id": org })).await;
    }
}
