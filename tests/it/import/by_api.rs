//! Files that operators import through the API: tried, run as a job, watched, and theirs alone.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::import::desk::MOST_BYTES;
use entity::{
    access_grant::{self, Permission},
    audit_entry, contact, contact_without_agreement, note, record_import,
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use support::{Client, on_both_columns};

use crate::key_account::office::Office;

const IMPORT: &str = "mutation($input: ImportRecordsInput!) { importRecords(input: $input) {
    import { id state rowCount created } userErrors { code field message } } }";
const RUN: &str = "mutation($id: ID!) { runImport(input: { importId: $id }) {
    import { state isDryRun } userErrors { code field message } } }";
const REPORT: &str = "query($id: ID!) { node(id: $id) { ... on RecordImport {
    state isDryRun rowCount rowsRead created unchanged refusedCount refusedRows { line problems { column message } }
    likelyDuplicateCount likelyDuplicates ignoredColumns failure finishedAt } } }";

fn given(kind: &str, content: impl AsRef<[u8]>) -> Value {
    json!({ "kind": kind, "fileName": "records.csv", "file": STANDARD.encode(content) })
}

/// Hands a file in, and answers the id of its import.
async fn handed_in(client: &Client, input: Value) -> Value {
    let answer = client.data(IMPORT, json!({ "input": input })).await["importRecords"].take();
    assert_eq!(answer["userErrors"], json!([]), "{answer}");
    answer["import"]["id"].clone()
}

/// What became of an import, once it is over.
async fn over(client: &Client, id: &Value) -> Value {
    support::until(
        std::time::Duration::from_secs(30),
        "the import is over",
        async || {
            let report = client.data(REPORT, json!({ "id": id })).await["node"].take();
            (report["state"] != "WAITING").then_some(report)
        },
    )
    .await
}

on_both_columns! {
    async fn a_file_is_tried_and_then_run_and_its_report_has_line_and_column(bed: TestBed) {
        let office = Office::open(&bed).await;
        let operator = office.client("operator").await;
        let before = contact::Entity::find().count(office.system.store().reader()).await.unwrap();
        let rows = "Firm,Name,E-mail,Shoe size\r\nAire Valley Robotics,Ann Lee,ann@airevalley.test,38\r\n\
            Nowhere,Bea Low,bea@,39\r\nAire Valley Robotics,Erin Doyle,erin@elsewhere.test,40\r\n";
        let mut input = given("CONTACTS", rows);
        input["mapping"] = json!([{ "field": "organisation", "column": "Firm" }]);
        input["dryRun"] = json!(true);
        let id = handed_in(&operator, input).await;
        let report = over(&operator, &id).await;
        let expected = |is_dry_run: bool| json!({
            "state": "DONE", "isDryRun": is_dry_run, "rowCount": 3, "rowsRead": 3, "created": 2, "unchanged": 0,
            "refusedCount": 1, "likelyDuplicateCount": 1, "ignoredColumns": ["Shoe size"], "failure": null,
        });
        let plain = |report: &Value| {
            let mut report = report.as_object().unwrap().clone();
            report.retain(|name, _| !["refusedRows", "likelyDuplicates", "finishedAt"].contains(&name.as_str()));
            Value::Object(report)
        };
        assert_eq!(plain(&report), expected(true));
        let refused = &report["refusedRows"][0];
        assert_eq!(refused["line"], 3);
        let columns: Vec<&str> = refused["problems"].as_array().unwrap().iter().map(|of| of["column"].as_str().unwrap()).collect();
        assert_eq!(columns, ["organisation", "email"]);
        let alike = report["likelyDuplicates"][0].as_str().unwrap();
        assert!(alike.contains("Erin Doyle = Erin Doyle"), "{alike}");
        let count = async || contact::Entity::find().count(office.system.store().reader()).await.unwrap();
        assert_eq!(count().await, before, "it was only tried");

        let run = operator.data(RUN, json!({ "id": id })).await;
        assert_eq!(run["runImport"]["import"]["isDryRun"], false, "{run}");
        let report = over(&operator, &id).await;
        assert_eq!(plain(&report), expected(false));
        assert_eq!(count().await, before + 2);
        let again = operator.graphql(RUN, json!({ "id": id })).await;
        assert_eq!(again.refusals(), ["WRONG_STATE"], "once");
        let row = record_import::Entity::find().one(office.system.store().reader()).await.unwrap().unwrap();
        assert_eq!(row.content, None, "the file is for its import alone");
        let lines = audit_entry::Entity::find()
            .filter(audit_entry::Column::Action.is_in(["contact.import", "import.ask"]))
            .all(office.system.store().reader())
            .await
            .unwrap();
        assert_eq!(lines.len(), 3, "asked for twice, done once: {lines:?}");
        assert!(lines.iter().all(|line| line.actor_id == Some(row.requested_by)));
    }

    async fn fields_that_administrators_defined_are_columns_of_a_file_and_come_back_as_they_went(bed: TestBed) {
        let office = Office::open(&bed).await;
        let (admin, operator) = (office.client("admin").await, office.client("operator").await);
        office.grant("operator", &["EXPORT_CONTACTS"]).await;
        let create = "mutation($input: CreateProfileFieldInput!) { createProfileField(input: $input) {
            profileField { id } userErrors { code } } }";
        let defined = async |name: &str, kind: &str, choices: Value, required: bool| {
            let input = json!({ "name": name, "kind": kind, "choices": choices, "isRequired": required, "position": 600 });
            let data = admin.data(create, json!({ "input": input })).await;
            data["createProfileField"]["profileField"]["id"].clone()
        };
        defined("Grade", "CHOICE", json!(["Gold", "Silver"]), true).await;
        defined("Sector", "TEXT", json!([]), false).await;
        defined("=Balance", "NUMBER", json!([]), false).await;

        // What every organisation must have has a column.
        let answer = operator.data(IMPORT, json!({ "input": given("ORGANISATIONS", "name\nFirth\n") })).await["importRecords"].take();
        let told = answer["userErrors"][0]["message"].as_str().unwrap();
        assert!(told.contains("No column is known to hold the field: Grade: say which in `mapping`"), "{answer}");
        let rows = "Name,Sector,field: sector,Rating,=balance\n\
            Firth,Steel,Blades,gold,\"1,200\"\n\
            Gill,Steel,,Bronze,lots\n\
            Hurst,Steel,,,\n\
            Ings,Steel,\"'=1+1\",Silver,'-5\n";
        let mut input = given("ORGANISATIONS", rows);
        input["mapping"] = json!([{ "field": "field: Grade", "column": "Rating" }]);
        let id = handed_in(&operator, input).await;
        let report = over(&operator, &id).await;
        assert_eq!((&report["created"], &report["ignoredColumns"]), (&json!(2), &json!([])), "{report}");
        assert_eq!(report["refusedRows"], json!([
            { "line": 3, "problems": [
                { "column": "field: Grade", "message": "this is not one of its choices (Gold, Silver)." },
                { "column": "field: =Balance", "message": "this is not a number such as 1200 or -0.5." },
            ] },
            { "line": 4, "problems": [{ "column": "field: Grade", "message": "this can't be empty." }] },
        ]));
        let query = "query($search: String!) { organisations(filter: { search: $search }) { nodes { sector profileFields { name value } } } }";
        let data = operator.data(query, json!({ "search": "Firth" })).await;
        assert_eq!(data["organisations"]["nodes"][0], json!({ "sector": "Steel", "profileFields": [
            { "name": "=Balance", "value": "1200" }, { "name": "Grade", "value": "Gold" }, { "name": "Sector", "value": "Blades" },
        ] }));

        // They are the last columns of an export, and nothing in them is carried out.
        let export = "mutation { exportRecords(input: { kind: ORGANISATIONS }) { export { url } userErrors { code } } }";
        let exported = async || {
            let data = operator.data(export, json!({})).await;
            let url = data["exportRecords"]["export"]["url"].as_str().unwrap().to_owned();
            office.system.client().get(&url).await.text().await.unwrap()
        };
        let file = exported().await;
        let head = file.lines().next().unwrap();
        assert!(head.ends_with(",state,field: Sponsors visas,field: =Balance,field: Grade,field: Sector"), "{head}");
        let line = |name: &str| file.lines().find(|line| line.contains(name)).unwrap().to_owned();
        assert!(line("Firth").ends_with(",,1200,Gold,Blades"), "{file}");
        assert!(line("Ings").ends_with(",,'-5,Silver,'=1+1"), "{file}");
        assert!(line("Aire Valley Robotics").ends_with(",Yes,,,"), "{file}");
        // What was exported is imported as it was: what is known is left alone, and a new name is another organisation.
        let again = line("Ings").replace("Ings", "Jowett").replace("name:ings", "name:jowett");
        let again = format!("{head}\n{again}\n");
        let id = handed_in(&operator, given("ORGANISATIONS", again)).await;
        let report = over(&operator, &id).await;
        assert_eq!((&report["created"], &report["ignoredColumns"]), (&json!(1), &json!(["organisation_id", "type", "size", "state"])), "{report}");
        let data = operator.data(query, json!({ "search": "Jowett" })).await;
        assert_eq!(data["organisations"]["nodes"][0]["profileFields"], json!([
            { "name": "=Balance", "value": "-5" }, { "name": "Grade", "value": "Silver" }, { "name": "Sector", "value": "=1+1" },
        ]));
    }

    async fn what_is_wrong_with_a_file_is_said_at_once_or_changes_nothing(bed: TestBed) {
        let office = Office::open(&bed).await;
        let operator = office.client("operator").await;
        let mut long = b"organisation,name\n".to_vec();
        long.resize(MOST_BYTES + 1, b'x');
        for (content, field, code, told) in [
            (b"".to_vec(), "mapping", "INVALID", "The file is empty"),
            (b"who,name\nAcme,Ann\n".to_vec(), "mapping", "INVALID", "No column is known to hold the organisation: say which in `mapping`"),
            (b"\xff\xfeo\0r\0".to_vec(), "file", "INVALID", "Line 1, column \"1\": invalid utf-8"),
            (long, "file", "TOO_LONG", "at most 700000 are imported at once"),
        ] {
            let answer = operator.data(IMPORT, json!({ "input": given("CONTACTS", content) })).await["importRecords"].take();
            let error = &answer["userErrors"][0];
            assert_eq!((&error["field"], &error["code"]), (&json!(field), &json!(code)), "{error}");
            assert!(error["message"].as_str().unwrap().contains(told), "{error}");
        }
        let before = contact::Entity::find().count(office.system.store().reader()).await.unwrap();
        let rows = (0..600).fold("organisation,name\n".to_owned(), |all, row| format!("{all}Aire Valley Robotics,Contact {row}\n"));
        for (end, told) in [("x\n", "Line 602 has 1 cells, and the header has 2"), ("x,\"no end\n", "A quote is opened and never closed.")] {
            let id = handed_in(&operator, given("CONTACTS", format!("{rows}{end}"))).await;
            let report = over(&operator, &id).await;
            assert_eq!(report["state"], "REFUSED", "{report}");
            assert!(report["failure"].as_str().unwrap().contains(told), "{report}");
            assert_eq!(contact::Entity::find().count(office.system.store().reader()).await.unwrap(), before);
        }
    }

    async fn an_import_is_its_owners_and_needs_its_permission_when_it_is_asked_for_and_when_it_runs(bed: TestBed) {
        let office = Office::open(&bed).await;
        let file = "organisation,name\nAire Valley Robotics,Ann Lee\n";
        for who in ["student1", "employer", "untrained"] {
            let answer = office.client(who).await.graphql(IMPORT, json!({ "input": given("CONTACTS", file) })).await;
            assert_eq!(answer.codes().first(), Some(&"FORBIDDEN"), "{who}");
        }
        let operator = office.client("operator").await;
        let mut input = given("CONTACTS", file);
        input["dryRun"] = json!(true);
        let id = handed_in(&operator, input).await;
        assert_eq!(over(&operator, &id).await["created"], 1, "the control");
        let admin = office.client("admin").await;
        assert_eq!(admin.data(REPORT, json!({ "id": id })).await["node"], Value::Null);
        assert_eq!(admin.graphql(RUN, json!({ "id": id })).await.refusals(), ["NOT_FOUND"]);
        let watch = format!("subscription {{ importProgress(importId: {id}) {{ state }} }}");
        admin.watch(&watch).await.until("errors").await;

        // One who may record engagements, and no more.
        access_grant::Entity::delete_many()
            .filter(access_grant::Column::Permission.eq(Permission::EditOrganisation))
            .exec(office.system.store().reader())
            .await
            .unwrap();
        let answer = operator.graphql(RUN, json!({ "id": id })).await;
        assert_eq!(answer.codes().first(), Some(&"FORBIDDEN"), "{answer:?}");
    }

    async fn the_progress_of_an_import_can_be_watched(bed: TestBed) {
        let office = Office::open(&bed).await;
        let operator = office.client("operator").await;
        let rows = (0..1_200).fold("organisation,name\n".to_owned(), |all, row| format!("{all}Aire Valley Robotics,Contact {row}\n"));
        let mut input = given("CONTACTS", rows);
        input["dryRun"] = json!(true);
        let id = handed_in(&operator, input).await;
        over(&operator, &id).await;
        let subscription = format!("subscription {{ importProgress(importId: {id}) {{ state rowsRead isDryRun }} }}");
        let mut watch = operator.watch(&subscription).await;
        watch.until("\"rowsRead\":1200").await;
        operator.data(RUN, json!({ "id": id })).await;
        watch.until("\"rowsRead\":500").await;
        watch.until("\"isDryRun\":false").await;
    }

    async fn notes_of_an_operator_are_their_own_and_contact_without_agreement_is_told(bed: TestBed) {
        let office = Office::open(&bed).await;
        let told = async || office.letters("operator", "contacted_without_agreement").await.len();
        let before = told().await;
        let imogen = office.contact("Imogen Moss").await;
        let address = imogen.email.clone().unwrap();
        let now = office.system.store().now().to_rfc3339();
        let rows = |contact: &str, author: &str| format!(
            "organisation_id,contact,kind,date,body,author\n{},{contact},call,{now},Rang about the fair.,{author}\n",
            imogen.organisation_id
        );
        let operator = office.client("operator").await;
        let id = handed_in(&operator, given("NOTES", rows("", "admin@demo.mycareer.test"))).await;
        let report = over(&operator, &id).await;
        assert_eq!(report["refusedRows"][0]["problems"][0]["column"], "author", "{report}");

        let admin = office.client("admin").await;
        let id = handed_in(&admin, given("NOTES", rows(&address, ""))).await;
        let report = over(&admin, &id).await;
        assert_eq!(report["refusedRows"][0]["problems"][0]["column"], "contact", "the address is withheld: {report}");
        let id = handed_in(&admin, given("NOTES", rows("Imogen Moss", ""))).await;
        assert_eq!(over(&admin, &id).await["created"], 1);
        let db = office.system.store().reader();
        let note = note::Entity::find().filter(note::Column::Body.eq("Rang about the fair.")).one(db).await.unwrap().unwrap();
        assert_eq!(note.author_id, office.person("admin").await);
        let flagged = contact_without_agreement::Entity::find_by_id(note.id).one(db).await.unwrap();
        assert!(flagged.is_some(), "policy 2.3");
        assert_eq!(told().await, before + 1);
    }
}
