//! Fields of an organisation's profile that administrators define: what is kept in them, and who sees which (policy 1).

use chrono::TimeDelta;
use entity::organisation_field;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::{Value, json};
use support::{Client, on_both_columns};

const CREATE: &str =
    "mutation($input: CreateProfileFieldInput!) { createProfileField(input: $input) {
    profileField { id version choices } userErrors { code field message } } }";
const UPDATE: &str =
    "mutation($input: UpdateProfileFieldInput!) { updateProfileField(input: $input) {
    profileField { version name } userErrors { code field message } } }";
const ARCHIVE: &str =
    "mutation($input: ArchiveProfileFieldInput!) { archiveProfileField(input: $input) {
    profileField { archivedAt version } userErrors { code field message } } }";
const LIST: &str = "query($archived: Boolean! = false) { profileFields(archived: $archived) { id name kind visibleTo } }";
const SAY: &str = "mutation($input: UpdateOrganisationInput!) { updateOrganisation(input: $input) {
    organisation { version profileFields { name value } } userErrors { code field message } } }";
const SAY_OWN: &str = "mutation($input: UpdateOwnOrganisationInput!) { updateOwnOrganisation(input: $input) {
    organisation { version profileFields { name value } heldChange { name address } } userErrors { code field message } } }";
const ADD: &str = "mutation($input: CreateOrganisationInput!) { createOrganisation(input: $input) {
    organisation { id profileFields { name value } } userErrors { code field message } } }";
const OWN: &str = "{ organisations(filter: { search: \"Aire Valley\" }) { nodes { id version } } }";
const VALUES: &str = "{ organisations(filter: { search: \"Aire Valley\" }) { nodes {
    profileFields { name value field { id kind } } } } }";

/// Defines a field, and gives its id.
async fn defined(admin: &Client, input: Value) -> Value {
    let answer = admin.graphql(CREATE, json!({ "input": input })).await;
    assert_eq!(answer.refusals(), [""; 0], "{input}: {answer:?}");
    answer.data["createProfileField"]["profileField"]["id"].clone()
}

async fn names(client: &Client) -> Vec<String> {
    let data = client.data(LIST, json!({})).await;
    let fields = data["profileFields"].as_array().unwrap();
    let name = |field: &Value| field["name"].as_str().unwrap().to_owned();
    fields.iter().map(name).collect()
}

/// Aire Valley Robotics of the demo data, as somebody sees it.
async fn aire(client: &Client) -> Value {
    client.data(OWN, json!({})).await["organisations"]["nodes"][0].clone()
}

/// The values that somebody sees of Aire Valley Robotics.
async fn values(client: &Client) -> Vec<(String, String)> {
    let data = client.data(VALUES, json!({})).await;
    let fields = data["organisations"]["nodes"][0]["profileFields"]
        .as_array()
        .unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    fields
        .iter()
        .map(|field| (text(&field["name"]), text(&field["value"])))
        .collect()
}

/// Says something of Aire Valley Robotics, and gives the refusals with what they name.
async fn say(client: &Client, fields: Value) -> Vec<String> {
    let found = aire(client).await;
    let input = json!({ "id": found["id"], "version": found["version"], "profileFields": fields });
    let answer = client.graphql(SAY, json!({ "input": input })).await;
    assert_eq!(answer.codes(), [""; 0], "{answer:?}");
    told(&answer.data["updateOrganisation"]["userErrors"])
}

fn told(errors: &Value) -> Vec<String> {
    let of = |error: &Value| {
        assert_eq!(error["field"], "profileFields", "{error}");
        let message = error["message"].as_str().unwrap();
        format!(
            "{} {}",
            error["code"].as_str().unwrap(),
            message.split(':').next().unwrap()
        )
    };
    errors.as_array().unwrap().iter().map(of).collect()
}

on_both_columns! {
    async fn administrators_define_the_fields_of_profiles(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (admin, operator) = (system.demo_client("admin").await, system.demo_client("operator").await);
        let already = names(&admin).await.len();
        let sponsor = json!({ "name": "Visa sponsor", "kind": "CHOICE", "choices": [" Yes ", "No", "Yes"], "position": 7 });
        let answer = operator.graphql(CREATE, json!({ "input": sponsor })).await;
        assert_eq!(answer.codes(), ["FORBIDDEN"]);
        assert_eq!(names(&admin).await.len(), already);

        let data = admin.data(CREATE, json!({ "input": sponsor })).await;
        let made = &data["createProfileField"]["profileField"];
        assert_eq!(made["choices"], json!(["Yes", "No"]), "each once, without needless space");
        for (input, codes) in [
            (json!({ "name": "  ", "kind": "TEXT" }), vec!["REQUIRED"]),
            (json!({ "name": "!?", "kind": "TEXT" }), vec!["INVALID"]),
            (json!({ "name": "visa SPONSOR", "kind": "TEXT" }), vec!["TAKEN"]),
            (json!({ "name": "x".repeat(81), "kind": "TEXT", "help": "\u{0}" }), vec!["TOO_LONG", "INVALID"]),
            (json!({ "name": "Grade", "kind": "CHOICE" }), vec!["REQUIRED"]),
            (json!({ "name": "Grade", "kind": "NUMBER", "choices": ["A"] }), vec!["INVALID"]),
            (json!({ "name": "Grade", "kind": "TEXT", "setByEmployers": true }), vec!["INVALID"]),
            (json!({ "name": "Grade", "kind": "TEXT", "position": -1 }), vec!["INVALID"]),
        ] {
            let answer = admin.graphql(CREATE, json!({ "input": input })).await;
            assert_eq!(answer.refusals(), codes, "{input}");
        }
        defined(&admin, json!({ "name": "Turnover", "kind": "NUMBER", "position": 3 })).await;
        let all = names(&operator).await;
        let at = |name: &str| all.iter().position(|known| known == name).unwrap();
        assert!(at("Turnover") < at("Visa sponsor"), "by their position: {all:?}");

        let (id, version) = (&made["id"], &made["version"]);
        let input = json!({ "profileFieldId": id, "version": version, "name": "Visas for graduates" });
        assert_eq!(operator.graphql(UPDATE, json!({ "input": input })).await.codes(), ["FORBIDDEN"]);
        let data = admin.data(UPDATE, json!({ "input": input })).await;
        assert_eq!(data["updateProfileField"]["profileField"], json!({ "version": 2, "name": "Visas for graduates" }));
        let answer = admin.graphql(UPDATE, json!({ "input": input })).await;
        assert_eq!(answer.refusals(), ["STALE"]);
    }

    async fn a_value_is_refused_by_the_name_of_its_field_and_kept_in_one_spelling(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (admin, operator) = (system.demo_client("admin").await, system.demo_client("operator").await);
        let number = defined(&admin, json!({ "name": "Turnover", "kind": "NUMBER", "position": 101 })).await;
        let choice = defined(&admin, json!({ "name": "Grade", "kind": "CHOICE", "choices": ["Gold", "Silver"], "position": 102 })).await;
        let date = defined(&admin, json!({ "name": "Partner since", "kind": "DATE", "position": 103 })).await;
        let text = defined(&admin, json!({ "name": "Motto", "kind": "TEXT", "isRequired": true, "position": 104 })).await;
        let of = |id: &Value, value: Value| json!({ "profileFieldId": id, "value": value });

        let before = values(&operator).await;
        let wrong = json!([
            of(&number, json!("a lot")), of(&choice, json!("Bronze")), of(&date, json!("2026-02-30")),
            of(&text, json!("x".repeat(1_001))), of(&json!("fld_01h455vb4pex5vsknk084sn02q"), json!("x")),
        ]);
        assert_eq!(say(&operator, wrong).await, [
            "INVALID Turnover", "INVALID Grade", "INVALID Partner since", "TOO_LONG Motto",
            "NOT_FOUND There is no such field, or it is not open to you",
        ]);
        assert_eq!(say(&operator, json!([of(&text, json!("a\nb"))])).await, ["INVALID Motto"]);
        assert_eq!(say(&operator, json!([of(&text, json!("a")), of(&text, json!("b"))])).await, ["INVALID Motto"]);
        assert_eq!(values(&operator).await, before, "nothing of it is kept");

        let good = json!([
            of(&number, json!(" 1,200,000.50 ")), of(&choice, json!("gold")), of(&date, json!("2019-03-01")), of(&text, json!("Onward")),
        ]);
        assert_eq!(say(&operator, good).await, [""; 0]);
        let pairs = [("Turnover", "1200000.5"), ("Grade", "Gold"), ("Partner since", "2019-03-01"), ("Motto", "Onward")];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let now = values(&operator).await;
        assert!(now.ends_with(&pairs), "{now:?}");

        // What is required stays, the rest is emptied; what isn't named stays.
        bed.clock().advance(TimeDelta::minutes(1));
        assert_eq!(say(&operator, json!([of(&text, Value::Null)])).await, ["REQUIRED Motto"]);
        assert_eq!(say(&operator, json!([of(&choice, json!(" "))])).await, [""; 0]);
        let now = values(&operator).await;
        assert!(!now.iter().any(|(name, _)| name == "Grade") && now.contains(&pairs[0]), "{now:?}");
        // Whoever adds an organisation says what is required.
        let input = json!({ "name": "Ember & Co" });
        let answer = operator.graphql(ADD, json!({ "input": input })).await;
        assert_eq!(told(&answer.data["createOrganisation"]["userErrors"]), ["REQUIRED Motto"]);
        let input = json!({ "name": "Ember & Co", "profileFields": [of(&text, json!("Glow")), of(&choice, json!("Silver"))] });
        let data = operator.data(ADD, json!({ "input": input })).await;
        let added = &data["createOrganisation"]["organisation"];
        assert_eq!(added["profileFields"], json!([{ "name": "Grade", "value": "Silver" }, { "name": "Motto", "value": "Glow" }]));

        // It is found by them, and its history tells of them.
        let query = "query($filter: OrganisationFilter) { organisations(filter: $filter) { totalCount nodes { name } } }";
        let filter = json!({ "profileField": { "profileFieldId": choice, "value": "Silver" } });
        let data = operator.data(query, json!({ "filter": filter })).await;
        assert_eq!(data["organisations"], json!({ "totalCount": 1, "nodes": [{ "name": "Ember & Co" }] }));
        let filter = json!({ "profileField": { "profileFieldId": text } });
        let data = operator.data(query, json!({ "filter": filter })).await;
        assert_eq!(data["organisations"]["totalCount"], 2);
        let query = "query($id: ID!) { node(id: $id) { ... on Organisation { history(first: 1) { fields { field before after } } } } }";
        let data = operator.data(query, json!({ "id": aire(&operator).await["id"] })).await;
        assert_eq!(data["node"]["history"][0]["fields"], json!([{ "field": "profileFields.Grade", "before": "Gold", "after": null }]));

        // What organisations have in a field stays good.
        let update = async |id: &Value, change: Value| {
            let mut input = change;
            (input["profileFieldId"], input["version"]) = (id.clone(), json!(1));
            admin.graphql(UPDATE, json!({ "input": input })).await
        };
        assert_eq!(update(&number, json!({ "kind": "TEXT" })).await.refusals(), ["WRONG_STATE"]);
        assert_eq!(update(&choice, json!({ "choices": ["Gold"] })).await.refusals(), ["WRONG_STATE"]);
        assert_eq!(update(&choice, json!({ "choices": ["Silver", "Bronze"] })).await.refusals(), [""; 0]);
        let archive = async |archived: bool| {
            let input = json!({ "profileFieldId": number, "archived": archived });
            admin.data(ARCHIVE, json!({ "input": input })).await
        };
        archive(true).await;
        assert!(!values(&operator).await.contains(&pairs[0]), "what is out of use isn't shown");
        assert_eq!(say(&operator, json!([of(&number, json!("1"))])).await.len(), 1, "nor filled in");
        archive(false).await;
        assert!(values(&operator).await.contains(&pairs[0]), "and comes back as it was");
    }

    async fn each_field_is_for_those_whom_administrators_show_it_to(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (admin, operator) = (system.demo_client("admin").await, system.demo_client("operator").await);
        let (employer, student) = (system.demo_client("employer").await, system.demo_client("student1").await);
        let mut ids = Vec::new();
        for (at, (name, audience, set)) in [
            ("Credit watch", "STAFF", false), ("Account code", "EMPLOYER", false),
            ("Parking", "EMPLOYER", true), ("Dress code", "EVERYONE", true),
        ].into_iter().enumerate() {
            ids.push(defined(&admin, json!({
                "name": name, "kind": "TEXT", "visibleTo": audience, "setByEmployers": set, "position": 200 + at,
            })).await);
        }
        let all: Vec<Value> = ids.iter().map(|id| json!({ "profileFieldId": id, "value": "staff said" })).collect();
        assert_eq!(say(&operator, json!(all)).await, [""; 0]);
        let seen = async |client: &Client| -> Vec<String> {
            let all = values(client).await.into_iter().map(|(name, _)| name);
            all.filter(|name| ["Credit watch", "Account code", "Parking", "Dress code"].contains(&name.as_str())).collect()
        };
        assert_eq!(seen(&operator).await, ["Credit watch", "Account code", "Parking", "Dress code"]);
        assert_eq!(seen(&employer).await, ["Account code", "Parking", "Dress code"]);
        assert_eq!(seen(&student).await, ["Dress code"]);
        assert!(!names(&employer).await.contains(&"Credit watch".to_owned()));
        let query = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on ProfileField { name } } }";
        let hidden = json!([null, null, null, { "name": "Dress code" }]);
        assert_eq!(student.data(query, json!({ "ids": ids })).await["nodes"], hidden);
        // Nor is anything found by what somebody doesn't see: it is refused like a field that there is not, whatever is in it.
        let query = "query($filter: OrganisationFilter) { organisations(filter: $filter) { totalCount nodes { name } } }";
        let found = async |client: &Client, id: &Value, value: &str| {
            let filter = json!({ "profileField": { "profileFieldId": id, "value": value } });
            client.graphql(query, json!({ "filter": filter })).await
        };
        let nowhere = json!("fld_01h455vb4pex5vsknk084sn02q");
        for (client, hidden) in [(&student, &ids[..3]), (&employer, &ids[..1])] {
            let absent = found(client, &nowhere, "staff said").await;
            assert_eq!(absent.codes(), ["BAD_USER_INPUT"], "{absent:?}");
            for id in hidden {
                for value in ["staff said", "nobody said"] {
                    let answer = found(client, id, value).await;
                    assert_eq!((&answer.data, answer.errors[0]["message"].clone()), (&absent.data, absent.errors[0]["message"].clone()));
                    assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "{answer:?}");
                }
            }
        }
        let aire_alone = json!({ "totalCount": 1, "nodes": [{ "name": "Aire Valley Robotics Ltd" }] });
        for (client, seen) in [(&student, &ids[3]), (&employer, &ids[1]), (&operator, &ids[0])] {
            assert_eq!(found(client, seen, " staff said ").await.data["organisations"], aire_alone, "the control");
            assert_eq!(found(client, seen, "nobody said").await.data["organisations"]["totalCount"], 0);
        }
        // An employer finds by it what they have, and not what another organisation has.
        let another = "{ organisations(filter: { search: \"Calder\" }) { nodes { id version } } }";
        let calder = operator.data(another, json!({})).await["organisations"]["nodes"][0].clone();
        let input = json!({ "id": calder["id"], "version": calder["version"], "profileFields": [
            { "profileFieldId": ids[1], "value": "theirs" }, { "profileFieldId": ids[3], "value": "gowns" },
        ] });
        assert_eq!(operator.graphql(SAY, json!({ "input": input })).await.refusals(), [""; 0]);
        assert_eq!(found(&employer, &ids[1], "theirs").await.data["organisations"]["totalCount"], 0);
        assert_eq!(found(&student, &ids[3], "gowns").await.data["organisations"]["totalCount"], 1);

        // Employers fill in what is theirs, live at once, and nothing else.
        let own = aire(&employer).await;
        let mut input = json!({ "version": own["version"], "profileFields": [
            { "profileFieldId": ids[2], "value": "Behind the mill" }, { "profileFieldId": ids[3], "value": "None" },
        ] });
        let answer = employer.graphql(SAY_OWN, json!({ "input": input })).await;
        assert_eq!(answer.refusals(), [""; 0], "{answer:?}");
        // Whatever else waits, these do not.
        let held = &answer.data["updateOwnOrganisation"]["organisation"]["heldChange"];
        assert!(held["name"].is_null() && held["address"].is_null(), "{held}");
        assert!(values(&student).await.contains(&("Dress code".to_owned(), "None".to_owned())));
        for closed in &ids[..2] {
            input["version"] = aire(&employer).await["version"].clone();
            input["profileFields"] = json!([{ "profileFieldId": closed, "value": "ours" }]);
            let answer = employer.graphql(SAY_OWN, json!({ "input": input })).await;
            assert_eq!(answer.refusals(), ["NOT_FOUND"], "{answer:?}");
        }
        // Whoever comes too late isn't told the name of a field that they don't see.
        let stale = aire(&employer).await["version"].clone();
        assert_eq!(say(&operator, json!([{ "profileFieldId": ids[0], "value": "late" }])).await, [""; 0]);
        let input = json!({ "version": stale, "sector": "Toys" });
        let answer = employer.graphql(SAY_OWN, json!({ "input": input })).await;
        assert_eq!(answer.refusals(), ["STALE"]);
        let message = answer.data["updateOwnOrganisation"]["userErrors"][0]["message"].to_string();
        assert!(message.contains("profileFields") && !message.contains("Credit"), "{message}");
    }

    async fn a_segment_asks_for_fields_and_finds_nobody_by_one_that_is_out_of_use(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (admin, operator) = (system.demo_client("admin").await, system.demo_client("operator").await);
        let grade = defined(&admin, json!({ "name": "Grade", "kind": "CHOICE", "choices": ["Gold", "Silver"], "position": 1 })).await;
        let staff = defined(&admin, json!({ "name": "Headcount", "kind": "NUMBER", "position": 2 })).await;
        let of = |id: &Value, value: &str| json!({ "profileFieldId": id, "value": value });
        assert_eq!(say(&operator, json!([of(&grade, "Gold"), of(&staff, "1200")])).await, [""; 0]);

        let save = "mutation($input: SaveSegmentInput!) { saveSegment(input: $input) {
            segment { id version organisationCount profileFields { field { name } value } } userErrors { code field message } } }";
        let segment = async |fields: Value| {
            let input = json!({ "name": "Gold", "filter": { "profileField": fields } });
            operator.graphql(save, json!({ "input": input })).await
        };
        for (fields, code, told) in [
            (json!([of(&grade, "Bronze")]), "INVALID", "Grade: this is not one of its choices (Gold, Silver)."),
            (json!([of(&staff, "many")]), "INVALID", "Headcount: this is not a number such as 1200 or -0.5."),
            (json!([of(&json!("fld_01h455vb4pex5vsknk084sn02q"), "x")]), "NOT_FOUND", "There is no such field, or it is not open to you."),
            (json!(vec![of(&grade, "Gold"); 21]), "TOO_LONG", "At most 20 fields are asked for; 21 were given."),
        ] {
            let answer = segment(fields).await;
            let error = &answer.data["saveSegment"]["userErrors"][0];
            assert_eq!(error, &json!({ "code": code, "field": "filter", "message": told }));
        }
        let answer = segment(json!([of(&grade, " gold "), of(&staff, "1,200")])).await;
        let saved = &answer.data["saveSegment"]["segment"];
        assert_eq!(saved["organisationCount"], 1, "{answer:?}");
        assert_eq!(saved["profileFields"], json!([
            { "field": { "name": "Grade" }, "value": "Gold" }, { "field": { "name": "Headcount" }, "value": "1200" },
        ]));
        // Both must hold.
        let other = json!({ "id": saved["id"], "version": 1, "name": "Gold", "filter": { "profileField": [of(&grade, "Gold"), of(&staff, "7")] } });
        let data = operator.data(save, json!({ "input": other })).await;
        assert_eq!(data["saveSegment"]["segment"]["organisationCount"], 0);
        let any = json!({ "id": saved["id"], "version": 2, "name": "Gold", "filter": { "profileField": { "profileFieldId": grade } } });
        let data = operator.data(save, json!({ "input": any })).await;
        assert_eq!(data["saveSegment"]["segment"]["organisationCount"], 1);
        let motto = defined(&admin, json!({ "name": "Motto", "kind": "TEXT", "position": 3 })).await;
        let words = json!({ "name": "Mill", "filter": { "profileField": of(&motto, "  Behind the old mill ") } });
        let data = operator.data(save, json!({ "input": words })).await;
        assert_eq!(data["saveSegment"]["segment"]["profileFields"][0]["value"], "Behind the old mill");
        // A campaign for it reaches the contacts of whoever has it, and nobody once the field is out of use.
        let preview = "query($id: ID!) { campaignPreview(input: { segmentId: $id }) { recipients skipped { count } } }";
        let meant = async || {
            let data = operator.data(preview, json!({ "id": saved["id"] })).await;
            let preview = &data["campaignPreview"];
            let skipped: i64 = preview["skipped"].as_array().unwrap().iter().map(|skip| skip["count"].as_i64().unwrap()).sum();
            preview["recipients"].as_i64().unwrap() + skipped
        };
        let contacts = "{ organisations(filter: { search: \"Aire Valley\" }) { nodes { contactCount } } }";
        let contacts = operator.data(contacts, json!({})).await["organisations"]["nodes"][0]["contactCount"].as_i64().unwrap();
        assert!(contacts > 0);
        assert_eq!(meant().await, contacts);
        admin.data(ARCHIVE, json!({ "input": { "profileFieldId": grade } })).await;
        assert_eq!(meant().await, 0);
        let query = "query($id: ID!) { node(id: $id) { ... on Segment { organisationCount profileFields { field { name } value } } } }";
        let data = operator.data(query, json!({ "id": saved["id"] })).await;
        assert_eq!(data["node"], json!({ "organisationCount": 0, "profileFields": [{ "field": null, "value": null }] }));
    }

    async fn numbers_and_days_are_found_between_bounds(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (admin, operator) = (system.demo_client("admin").await, system.demo_client("operator").await);
        let field = async |name: &str, kind: &str, position: i32| {
            let mut input = json!({ "name": name, "kind": kind, "position": position });
            if kind == "CHOICE" {
                input["choices"] = json!(["9", "10"]);
            }
            defined(&admin, input).await
        };
        let headcount = field("Headcount", "NUMBER", 1).await;
        let signed = field("Agreement signed", "DATE", 2).await;
        let (motto, grade) = (field("Motto", "TEXT", 3).await, field("Grade", "CHOICE", 4).await);
        let of = |id: &Value, value: &str| json!({ "profileFieldId": id, "value": value });
        for (name, count, day) in [
            ("Otley Presses", "9", "2024-12-31"), ("Ilkley Wheels", "-2.5", "2025-01-01"), ("Keighley Tools", "1,200", "2026-06-30"),
        ] {
            // Texts that are no numbers, and some that look like them, stand beside.
            let fields = json!([of(&headcount, count), of(&signed, day), of(&motto, "seven"), of(&grade, "10")]);
            let input = json!({ "name": name, "profileFields": fields, "confirmNotDuplicate": true });
            let answer = operator.graphql(ADD, json!({ "input": input })).await;
            assert_eq!(answer.refusals(), [""; 0], "{answer:?}");
        }
        let query = "query($filter: OrganisationFilter!) { organisations(filter: $filter) { nodes { name } } }";
        let found = async |id: &Value, least: Option<&str>, most: Option<&str>| {
            let filter = json!({ "profileField": { "profileFieldId": id, "atLeast": least, "atMost": most } });
            let data = operator.data(query, json!({ "filter": filter })).await;
            let nodes = data["organisations"]["nodes"].as_array().unwrap();
            nodes.iter().map(|node| node["name"].as_str().unwrap()[..1].to_owned()).collect::<String>()
        };
        for (least, most, names) in [
            (Some("9"), None, "KO"), (Some("9.01"), None, "K"), (None, Some("9"), "IO"), (Some("-3"), Some("1,199.5"), "IO"),
            (Some("-2.4"), Some("8"), ""), (None, None, "IKO"),
        ] {
            assert_eq!(found(&headcount, least, most).await, names, "{least:?} to {most:?}");
        }
        for (least, most, names) in [
            (Some("2025-01-01"), None, "IK"), (None, Some("2025-01-01"), "IO"), (Some("2025-01-02"), Some("2026-06-29"), ""),
        ] {
            assert_eq!(found(&signed, least, most).await, names, "{least:?} to {most:?}");
        }
        // A number in which something was erased is none: it is not found, and in nobody's way.
        let store = system.store();
        let erased = organisation_field::Entity::update_many()
            .col_expr(organisation_field::Column::Value, Expr::val("[erased]"))
            .filter(organisation_field::Column::Value.eq("-2.5"))
            .exec(store.reader());
        assert_eq!(erased.await.unwrap().rows_affected, 1);
        assert_eq!(found(&headcount, Some("-3"), None).await, "KO");
        // A segment keeps its bounds.
        let save = "mutation($input: SaveSegmentInput!) { saveSegment(input: $input) {
            segment { organisationCount profileFields { value atLeast atMost } } userErrors { field message } } }";
        let saved = async |name: &str, fields: Value| {
            let input = json!({ "name": name, "filter": { "profileField": fields } });
            operator.data(save, json!({ "input": input })).await["saveSegment"].take()
        };
        let answer = saved("Large", json!({ "profileFieldId": headcount, "atLeast": "0,009" })).await;
        assert_eq!(answer["userErrors"][0]["message"], Value::Null, "{answer}");
        assert_eq!(answer["segment"]["organisationCount"], 2);
        assert_eq!(answer["segment"]["profileFields"], json!([{ "value": null, "atLeast": "9", "atMost": null }]));
        for (field, least, told) in [
            (&headcount, "many", "Headcount: this is not a number such as 1200 or -0.5."),
            (&signed, "31.12.2024", "Agreement signed: this is not a day such as 2026-11-28."),
            (&motto, "a", "Motto: only numbers and days lie between bounds: ask for a value."),
            (&grade, "9", "Grade: only numbers and days lie between bounds: ask for a value."),
        ] {
            let answer = saved("Another", json!({ "profileFieldId": field, "atLeast": least })).await;
            assert_eq!(answer["userErrors"], json!([{ "field": "filter", "message": told }]));
        }
    }
}
