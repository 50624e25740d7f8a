//! Records as files: who may take them away, what is left out, and that they come back as they went.

use std::sync::Arc;

use api::commands::{
    export::{ExportArgs, What, run},
    import::contacts,
};
use chrono::TimeDelta;
use domain::Store;
use entity::{
    access_grant::{self, Permission},
    audit_entry, contact,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder,
};
use serde_json::{Value, json};
use support::on_both_columns;

use super::args;
use crate::key_account::office::Office;

const EXPORT: &str = "mutation($kind: ExportKind!) { exportRecords(input: { kind: $kind }) {
    export { url rows leftOut } userErrors { code } } }";

/// What the mutation answers, and what its link leads to.
async fn export(office: &Office, who: &str, kind: &str) -> (Value, String) {
    let answer = office
        .client(who)
        .await
        .data(EXPORT, json!({ "kind": kind }))
        .await;
    let export = answer["exportRecords"]["export"].clone();
    let url = export["url"].as_str().unwrap().to_owned();
    let file = office.system.client().get(&url).await;
    assert_eq!(file.headers()["content-type"], "text/csv; charset=utf-8");
    (export, file.text().await.unwrap())
}

on_both_columns! {
    async fn a_file_leaves_out_contacts_before_whom_its_reader_must_liaise_and_counts_them(bed: TestBed) {
        let office = Office::open(&bed).await;
        office.grant("admin", &["EXPORT_CONTACTS"]).await;
        office.grant("operator", &["EXPORT_CONTACTS"]).await;
        let (theirs, file) = export(&office, "operator", "CONTACTS").await;
        assert_eq!(theirs["leftOut"], 0);
        assert!(file.contains("imogen.moss@caldermoss.test"), "the control: it is their key account");
        let row = file.lines().find(|line| line.contains("Imogen Moss")).unwrap();
        assert!(row.ends_with(",yes"), "{row}");

        let (without, file) = export(&office, "admin", "CONTACTS").await;
        assert_eq!(without["leftOut"], 2, "Imogen Moss and Jo Lennox");
        assert_eq!(without["rows"].as_u64().unwrap() + 2, theirs["rows"].as_u64().unwrap());
        assert_eq!(file.lines().count() as u64, without["rows"].as_u64().unwrap() + 1);
        assert!(!file.contains("caldermoss.test") && !file.contains("Imogen") && !file.contains("Jo Lennox"), "{file}");
        assert!(file.contains("erin.doyle@") || file.contains("Erin Doyle"), "{file}");

        let lines = audit_entry::Entity::find()
            .filter(audit_entry::Column::Action.eq("contact.export"))
            .order_by_asc(audit_entry::Column::Number)
            .all(office.system.store().reader())
            .await
            .unwrap();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[1].actor_id, Some(office.person("admin").await));
        assert_eq!(lines[1].after, Some(json!({ "rows": without["rows"], "leftOut": 2 })));
    }

    async fn the_file_of_notes_names_nobody_whom_the_file_of_contacts_leaves_out(bed: TestBed) {
        let office = Office::open(&bed).await;
        office.grant("admin", &["EXPORT_CONTACTS"]).await;
        office.grant("operator", &["EXPORT_CONTACTS"]).await;
        let imogen = office.contact("Imogen Moss").await;
        let note = "mutation($input: AddNoteInput!) { addNote(input: $input) { note { id } userErrors { code } } }";
        let input = json!({ "organisationId": imogen.organisation_id, "contactId": imogen.id, "kind": "MEETING", "body": "Walked through the yard." });
        let answer = office.client("operator").await.graphql(note, json!({ "input": input })).await;
        assert_eq!(answer.refusals(), [""; 0], "{answer:?}");
        let row = |file: &str| file.lines().find(|line| line.contains("Walked through the yard.")).unwrap().to_owned();
        let (_, theirs) = export(&office, "operator", "NOTES").await;
        assert!(row(&theirs).contains("Imogen Moss"), "the control: it is their key account");
        let (_, without) = export(&office, "admin", "NOTES").await;
        assert!(!row(&without).contains("Imogen"), "{without}");
    }

    async fn an_export_for_one_faculty_counts_for_nothing(bed: TestBed) {
        let office = Office::open(&bed).await;
        access_grant::Entity::delete_many()
            .filter(access_grant::Column::Permission.eq(Permission::ExportContacts))
            .exec(office.system.store().reader())
            .await
            .unwrap();
        office.grant("operator", &["EXPORT_CONTACTS"]).await;
        let query = || json!({ "kind": "CONTACTS" });
        let answer = office.client("operator").await.data(EXPORT, query()).await;
        assert_eq!(answer["exportRecords"]["userErrors"], json!([]), "the control: for the campus");
        let faculty = entity::faculty::Entity::find().one(office.system.store().reader()).await.unwrap().unwrap();
        access_grant::Entity::update_many()
            .col_expr(access_grant::Column::FacultyId, sea_orm::sea_query::Expr::val(faculty.id))
            .filter(access_grant::Column::Permission.eq(Permission::ExportContacts))
            .exec(office.system.store().reader())
            .await
            .unwrap();
        let answer = office.client("operator").await.graphql(EXPORT, query()).await;
        assert_eq!(answer.codes().first(), Some(&"FORBIDDEN"), "contacts belong to no faculty");
    }

    async fn a_file_is_there_whole_or_not_at_all_and_for_its_owner_alone(bed: TestBed) {
        use std::os::unix::fs::PermissionsExt;

        let store = bed.store().await;
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("contacts.csv");
        std::fs::write(&out, "what was there\n").unwrap();
        let args = ExportArgs { what: What::Contacts, out: Some(out.clone()) };
        // A database without its tables.
        let signals = Arc::new(domain::live::NoSignals);
        let empty = Store::connect("sqlite::memory:", 1, Arc::clone(store.clock()), signals).await.unwrap();
        run(&args, &empty).await.unwrap_err();
        assert_eq!(std::fs::read_to_string(&out).unwrap(), "what was there\n", "an export that fails takes nothing away");
        run(&args, &store).await.unwrap();
        assert!(std::fs::read_to_string(&out).unwrap().starts_with("contact_id,"));
        assert_eq!(std::fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    async fn an_export_needs_its_permission_when_it_is_asked_for_and_when_it_is_fetched(bed: TestBed) {
        let office = Office::open(&bed).await;
        for who in ["student1", "employer", "untrained", "operator"] {
            access_grant::Entity::delete_many()
                .filter(access_grant::Column::Permission.eq(Permission::ExportContacts))
                .exec(office.system.store().reader())
                .await
                .unwrap();
            for kind in ["ORGANISATIONS", "CONTACTS", "NOTES"] {
                let answer = office.client(who).await.graphql(EXPORT, json!({ "kind": kind })).await;
                assert_eq!(answer.codes()[0], "FORBIDDEN", "{who} {kind}");
            }
        }
        office.grant("operator", &["EXPORT_CONTACTS"]).await;
        let answer = office.client("operator").await.data(EXPORT, json!({ "kind": "CONTACTS" })).await;
        let url = answer["exportRecords"]["export"]["url"].as_str().unwrap().to_owned();
        assert_eq!(office.system.client().get(&url).await.status(), 200, "the control");
        access_grant::Entity::delete_many()
            .filter(access_grant::Column::Permission.eq(Permission::ExportContacts))
            .exec(office.system.store().reader())
            .await
            .unwrap();
        assert_eq!(office.system.client().get(&url).await.status(), 404, "the permission is gone");
        office.grant("operator", &["EXPORT_CONTACTS"]).await;
        bed.clock().advance(TimeDelta::minutes(6));
        assert_eq!(office.system.client().get(&url).await.status(), 404, "its time is over");
    }

    async fn what_leaves_in_a_file_is_no_formula_and_comes_back_as_it_was(bed: TestBed) {
        let office = Office::open(&bed).await;
        let store = office.system.store();
        let mut erin = office.contact("Erin Doyle").await.into_active_model();
        erin.job_title = Set(Some("=HYPERLINK(\"http://evil.test\")".to_owned()));
        erin.do_not_email = Set(true);
        erin.subscriber_type = Set(contact::SubscriberType::Placements);
        erin.on_hold_at = Set(Some(store.now()));
        let erin = erin.update(store.reader()).await.unwrap();

        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("contacts.csv");
        run(&ExportArgs { what: What::Contacts, out: Some(out.clone()) }, store).await.unwrap();
        let written = std::fs::read_to_string(&out).unwrap();
        let row = written.lines().find(|line| line.contains("Erin Doyle")).unwrap();
        assert!(row.contains("\"'=HYPERLINK("), "{row}");
        assert!(row.ends_with(",yes,yes,no"), "do not e-mail, on hold, no key account: {row}");

        bed.clock().advance(TimeDelta::days(1));
        let known = contacts(&args(&out, &[]), store).await.unwrap();
        assert_eq!((known.outcome.created, known.outcome.refused.count), (0, 0), "{known}");
        let mut moved = erin.clone().into_active_model();
        moved.email = Set(Some("elsewhere@airevalley.test".to_owned()));
        moved.name = Set("Somebody Else".to_owned());
        moved.update(store.reader()).await.unwrap();
        let back = contacts(&args(&out, &[]), store).await.unwrap();
        assert_eq!(back.outcome.created, 1, "{back}");
        let again = contact::Entity::find()
            .filter(contact::Column::Name.eq("Erin Doyle"))
            .one(store.reader())
            .await
            .unwrap()
            .unwrap();
        assert_eq!((again.job_title, again.subscriber_type), (erin.job_title, erin.subscriber_type));
        assert_eq!((again.email, again.telephone, again.do_not_email), (erin.email, erin.telephone, true));

        for (what, words) in [(What::Organisations, "Aire Valley Robotics Ltd"), (What::Notes, "Talked about what they look for")] {
            let out = folder.path().join(format!("{what:?}.csv"));
            run(&ExportArgs { what, out: Some(out.clone()) }, store).await.unwrap();
            let written = std::fs::read_to_string(&out).unwrap();
            assert!(written.contains(words), "{written}");
        }
    }
}
