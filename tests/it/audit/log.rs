//! The audit log as super users and administrators read it (policy 3).

use chrono::TimeDelta;
use domain::Viewer;
use entity::audit_entry;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use support::{Client, System, on_both_columns};

const LOG: &str = "query($filter: AuditFilter, $first: Int, $after: String) {
    auditLog(filter: $filter, first: $first, after: $after) { totalCount pageInfo { hasNextPage endCursor }
        nodes { id number at actor { name } action subject requestId changes { field before after } } } }";
const PERSONAL: &str = "query($filter: AuditFilter) {
    auditLog(filter: $filter) { nodes { changes { field before after personalBefore personalAfter } } } }";
const EXPORT: &str = "mutation($filter: AuditFilter) {
    exportAuditLog(input: { filter: $filter }) { export { url expiresAt } userErrors { code } } }";
const RENAME: &str = "mutation($input: UpdateContactInput!) {
    updateContact(input: $input) { contact { version } userErrors { code message } } }";

async fn log(client: &Client, filter: Value) -> Value {
    let variables = json!({ "filter": filter, "first": 100 });
    client.data(LOG, variables).await["auditLog"].take()
}

/// The operator renames a contact: its id, and its name before.
async fn renamed(system: &System) -> (String, String) {
    let contact = entity::contact::Entity::find()
        .filter(entity::contact::Column::Name.eq("Erin Doyle"))
        .one(system.store().reader())
        .await
        .unwrap()
        .unwrap();
    let operator = system.demo_client("operator").await;
    let input = json!({ "id": contact.id, "version": contact.version, "name": "Erin Doyle-Byrne" });
    let answer = operator.graphql(RENAME, json!({ "input": input })).await;
    assert_eq!(answer.refusals(), [""; 0]);
    (contact.id.to_string(), contact.name)
}

async fn exports(system: &System) -> Vec<audit_entry::Model> {
    audit_entry::Entity::find()
        .filter(audit_entry::Column::Action.eq("audit.export"))
        .all(system.store().reader())
        .await
        .unwrap()
}

on_both_columns! {
    async fn super_users_and_administrators_read_the_log_and_nobody_else_does(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (contact, _) = renamed(&system).await;
        for mailbox in ["superuser", "admin"] {
            let client = system.demo_client(mailbox).await;
            let found = log(&client, json!({ "subject": contact })).await;
            let line = &found["nodes"][0];
            assert_eq!(line["action"], "contact.update", "{mailbox}: {found}");
            assert!(line["actor"]["name"].is_string() && line["requestId"].is_string(), "{line}");
            let node = "query($id: ID!) { node(id: $id) { ... on AuditEntry { action } } }";
            let by_id = client.data(node, json!({ "id": line["id"] })).await;
            assert_eq!(by_id["node"]["action"], "contact.update");
            for other in ["operator", "untrained", "employer", "student1"] {
                let other = system.demo_client(other).await;
                let denied = other.graphql(LOG, json!({})).await;
                assert_eq!(denied.codes(), ["FORBIDDEN"]);
                assert!(denied.data["auditLog"].is_null());
                let hidden = other.data("query($id: ID!) { node(id: $id) { id } }", json!({ "id": line["id"] })).await;
                assert_eq!(hidden["node"], json!(null));
                assert_eq!(other.graphql(EXPORT, json!({})).await.codes()[0], "FORBIDDEN");
            }
        }
    }

    async fn the_log_is_narrowed_by_who_what_to_what_and_when_and_has_the_newest_first(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (contact, _) = renamed(&system).await;
        bed.clock().advance(TimeDelta::minutes(1));
        let then = system.store().now();
        let mut tx = system.store().begin().await.unwrap();
        for number in 0..7 {
            tx.audit(&Viewer::system(), "contact.test", &contact, None, Some(json!({ "version": number }))).await.unwrap();
        }
        tx.commit().await.unwrap();
        let superuser = system.demo_client("superuser").await;
        for (filter, count) in [
            (json!({ "subject": contact }), 8),
            (json!({ "subject": contact, "action": "contact.test" }), 7),
            (json!({ "subject": contact, "action": "contact.*" }), 8),
            (json!({ "subject": contact, "action": "contac.*" }), 0),
            (json!({ "subject": contact, "since": then.to_rfc3339() }), 7),
            (json!({ "subject": contact, "until": then.to_rfc3339() }), 1),
            (json!({ "subject": contact, "since": (then + TimeDelta::milliseconds(1)).to_rfc3339() }), 0),
        ] {
            assert_eq!(log(&superuser, filter.clone()).await["totalCount"], count, "{filter}");
        }
        let operator = super::super::super_user_group::account(&system, "operator").await;
        let by_operator = log(&superuser, json!({ "subject": contact, "actorId": operator.id })).await;
        assert_eq!(by_operator["totalCount"], 1);
        assert_eq!(by_operator["nodes"][0]["action"], "contact.update");

        // Page by page, each line once, and never an older one before a newer one.
        let (mut seen, mut after) = (Vec::new(), Value::Null);
        loop {
            let variables = json!({ "filter": { "subject": contact }, "first": 3, "after": after });
            let page = superuser.data(LOG, variables).await["auditLog"].take();
            for node in page["nodes"].as_array().unwrap() {
                seen.push((node["at"].as_str().unwrap().to_owned(), node["id"].as_str().unwrap().to_owned()));
            }
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
        assert_eq!(seen.len(), 8);
        assert!(seen.is_sorted_by(|newer, older| newer.0 >= older.0 && newer.1 > older.1), "{seen:?}");
    }

    async fn what_is_personal_in_the_log_is_for_administrators_alone(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (contact, name) = renamed(&system).await;
        let filter = json!({ "filter": { "subject": contact } });
        let superuser = system.demo_client("superuser").await;
        let shown = log(&superuser, json!({ "subject": contact })).await;
        assert!(!shown.to_string().contains(&name), "{shown}");
        let changes = &shown["nodes"][0]["changes"];
        assert_eq!(changes[0], json!({ "field": "name", "before": "\"[personal]\"", "after": "\"[personal]\"" }));
        assert_eq!(changes[1]["field"], "version");
        assert_eq!(changes[1]["after"], "2", "what is nobody's is told: {changes}");

        let denied = superuser.graphql(PERSONAL, filter.clone()).await;
        assert_eq!(denied.codes(), ["FORBIDDEN", "FORBIDDEN"]);
        assert!(!denied.data.to_string().contains(&name), "{denied:?}");

        let admin = system.demo_client("admin").await;
        let whole = admin.data(PERSONAL, filter).await;
        assert_eq!(whole["auditLog"]["nodes"][0]["changes"][0]["personalBefore"], json!(name).to_string());
    }

    async fn what_is_personal_leaves_with_an_export_for_those_alone_who_may_export_contacts(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (contact, name) = renamed(&system).await;
        let admin = system.demo_client("admin").await;
        let export = async || {
            let answer = admin.data(EXPORT, json!({ "filter": { "subject": contact } })).await;
            let url = answer["exportAuditLog"]["export"]["url"].as_str().unwrap().to_owned();
            system.client().get(&url).await.text().await.unwrap()
        };
        assert!(export().await.contains(&name), "the control");
        entity::access_grant::Entity::delete_many()
            .filter(entity::access_grant::Column::Permission.eq(entity::access_grant::Permission::ExportContacts))
            .exec(system.store().reader())
            .await
            .unwrap();
        let text = export().await;
        assert!(text.contains("[personal]") && !text.contains(&name), "{text}");
    }

    async fn the_log_is_exported_as_json_lines_by_a_link_of_ones_own_and_the_log_says_so(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (contact, name) = renamed(&system).await;
        let before = exports(&system).await.len();
        let mut links = Vec::new();
        for (mailbox, sees_names) in [("superuser", false), ("admin", true)] {
            let client = system.demo_client(mailbox).await;
            let answer = client.data(EXPORT, json!({ "filter": { "subject": contact, "action": "contact.*" } })).await;
            let url = answer["exportAuditLog"]["export"]["url"].as_str().unwrap().to_owned();
            // The link is enough: a browser that follows it sends no token.
            let got = system.client().get(&url).await;
            assert_eq!(got.status(), 200);
            assert!(got.headers()["Content-Type"].to_str().unwrap().starts_with("application/jsonl"));
            let text = got.text().await.unwrap();
            let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            assert_eq!(lines.len(), 1, "{text}");
            assert_eq!((&lines[0]["action"], &lines[0]["subject"]), (&json!("contact.update"), &json!(contact)));
            assert_eq!(text.contains(&name), sees_names, "{mailbox}: {text}");
            links.push(url);
        }
        let written = exports(&system).await;
        assert_eq!(written.len(), before + 2);
        let last = written.iter().max_by_key(|line| line.id).unwrap();
        let after = last.after.clone().unwrap();
        assert_eq!(after["lines"], 1);
        assert_eq!(after["filter"], json!({ "subject": contact, "action": "contact.*" }));
        assert!(last.actor_id.is_some());

        // Altered, of somebody who is no super user any more, or too late: nothing, and nothing in the log.
        let mut altered = links[0].clone();
        altered.replace_range(20..21, if &altered[20..21] == "A" { "B" } else { "A" });
        assert_eq!(system.client().get(&altered).await.status(), 404);
        let mut account = sea_orm::IntoActiveModel::into_active_model(
            super::super::super_user_group::account(&system, "superuser").await,
        );
        account.is_super_user = sea_orm::ActiveValue::Set(false);
        sea_orm::ActiveModelTrait::update(account, system.store().reader()).await.unwrap();
        assert_eq!(system.client().get(&links[0]).await.status(), 404);
        assert_eq!(system.client().get(&links[1]).await.status(), 200);
        bed.clock().advance(TimeDelta::minutes(6));
        assert_eq!(system.client().get(&links[1]).await.status(), 404);
        assert_eq!(exports(&system).await.len(), before + 3);
    }
}
