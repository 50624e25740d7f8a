//! Organisations: adding, changing, finding them, and who sees which.

mod logo;
mod record;
mod standing;

use entity::{
    event::{self, EventState},
    event_organisation,
    ids::OrganisationId,
    organisation::{self, OrganisationState},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
};
use serde_json::{Value, json};
use support::{Client, System, on_both_columns};

const CREATE: &str = "mutation($input: CreateOrganisationInput!) {
    createOrganisation(input: $input) { organisation { id name version website } userErrors { code field message } } }";

const UPDATE: &str = "mutation($input: UpdateOrganisationInput!) {
    updateOrganisation(input: $input) { organisation { name sector version } userErrors { code field message } } }";

const LIST: &str = "query($filter: OrganisationFilter) {
    organisations(filter: $filter, first: 100) { totalCount nodes { name } } }";

const UNKNOWN: &str = "org_01h455vb4pex5vsknk084sn02q";

/// Adds an organisation that must be taken, and gives what the payload has of it.
async fn create(client: &Client, input: Value) -> Value {
    let data = client.data(CREATE, json!({ "input": input })).await;
    let payload = &data["createOrganisation"];
    assert_eq!(payload["userErrors"], json!([]));
    payload["organisation"].clone()
}

/// The names in a list and its total.
async fn names(client: &Client, filter: Value) -> (Vec<String>, Value) {
    let data = client.data(LIST, json!({ "filter": filter })).await;
    let list = &data["organisations"];
    let names = list["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["name"].as_str().unwrap().to_owned())
        .collect();
    (names, list["totalCount"].clone())
}

/// Puts an organisation of the demo data in a state, and gives its id.
async fn put_in_state(system: &System, name: &str, state: OrganisationState) -> OrganisationId {
    let db = system.store().reader();
    let row = organisation::Entity::find()
        .filter(organisation::Column::Name.eq(name))
        .one(db)
        .await
        .unwrap()
        .unwrap();
    let id = row.id;
    let mut row = row.into_active_model();
    row.state = Set(state);
    row.update(db).await.unwrap();
    id
}

on_both_columns! {
    async fn an_operator_adds_an_organisation_and_changes_it(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let added = create(&operator, json!({ "name": "  Kirkstall Forge Ltd ", "website": "kirkstall.example" })).await;
        assert_eq!(added["name"], "Kirkstall Forge Ltd");
        assert_eq!(added["website"], "https://kirkstall.example/");
        assert_eq!(added["version"], 1);

        let input = json!({ "id": added["id"], "version": 1, "sector": "Engineering" });
        let data = operator.data(UPDATE, json!({ "input": input })).await;
        assert_eq!(
            data["updateOrganisation"]["organisation"],
            json!({ "name": "Kirkstall Forge Ltd", "sector": "Engineering", "version": 2 })
        );
        let input = json!({ "id": added["id"], "version": 2, "sector": null });
        let data = operator.data(UPDATE, json!({ "input": input })).await;
        assert_eq!(data["updateOrganisation"]["organisation"]["sector"], Value::Null);
    }

    async fn everything_that_is_wrong_is_told_at_once_and_nothing_is_kept(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let before = names(&operator, json!({})).await;
        let input = json!({
            "name": "\u{0}", "website": "nowhere", "emailDomains": ["ann@example.org"], "sector": "x".repeat(101),
            "parentId": UNKNOWN,
        });
        let answer = operator.graphql(CREATE, json!({ "input": input })).await;
        assert_eq!(answer.refusals(), ["TOO_LONG", "INVALID", "INVALID", "INVALID", "NOT_FOUND"]);
        assert_eq!(answer.data["createOrganisation"]["organisation"], Value::Null);
        assert_eq!(names(&operator, json!({})).await, before);
    }

    async fn a_stale_change_is_refused_and_told_what_others_changed(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let added = create(&operator, json!({ "name": "Kirkstall Forge" })).await;
        let first = json!({ "id": added["id"], "version": 1, "sector": "Engineering", "founded": "1200" });
        operator.data(UPDATE, json!({ "input": first })).await;

        let second = json!({ "id": added["id"], "version": 1, "name": "Another name" });
        let answer = operator.graphql(UPDATE, json!({ "input": second })).await;
        assert_eq!(answer.refusals(), ["STALE"]);
        let message = answer.data["updateOrganisation"]["userErrors"][0]["message"].as_str().unwrap();
        assert!(message.contains("(founded, sector)"), "{message}");
        let (found, _) = names(&operator, json!({ "search": "Kirkstall" })).await;
        assert_eq!(found, ["Kirkstall Forge"]);
    }

    async fn unknown_ids_and_ids_of_other_things_are_refused(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let unknown = operator.graphql(UPDATE, json!({ "input": { "id": UNKNOWN, "version": 1 } })).await;
        assert_eq!(unknown.refusals(), ["NOT_FOUND"]);
        for wrong in ["evt_01h455vb4pex5vsknk084sn02q", "17", ""] {
            let answer = operator.graphql(UPDATE, json!({ "input": { "id": wrong, "version": 1 } })).await;
            assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "{wrong}");
        }
    }

    async fn a_division_has_a_head_office_that_is_no_division(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let head = create(&operator, json!({ "name": "Forge Group" })).await;
        let division = create(&operator, json!({ "name": "Castings", "parentId": head["id"] })).await;
        for (id, parent) in [(&head, &division), (&head, &head)] {
            let input = json!({ "id": id["id"], "version": 1, "parentId": parent["id"] });
            let answer = operator.graphql(UPDATE, json!({ "input": input })).await;
            assert_eq!(answer.refusals(), ["INVALID"]);
        }
        let input = json!({ "name": "Dies", "parentId": division["id"] });
        assert_eq!(operator.graphql(CREATE, json!({ "input": input })).await.refusals(), ["INVALID"]);
    }

    async fn one_that_looks_like_another_is_refused_until_it_is_confirmed(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let input = json!({ "name": "AIRE VALLEY ROBOTICS plc" });
        let answer = operator.graphql(CREATE, json!({ "input": input })).await;
        assert_eq!(answer.refusals(), ["LIKELY_DUPLICATE"]);
        let message = answer.data["createOrganisation"]["userErrors"][0]["message"].as_str().unwrap();
        assert!(message.contains("Aire Valley Robotics Ltd"), "{message}");

        create(&operator, json!({ "name": "AIRE VALLEY ROBOTICS plc", "confirmNotDuplicate": true })).await;
        let data = operator
            .data(
                "{ duplicateOrganisations { totalCount nodes { one { name } other { name } score signals } } }",
                json!({}),
            )
            .await;
        let pairs = &data["duplicateOrganisations"];
        assert_eq!(pairs["totalCount"], 1);
        let pair = &pairs["nodes"][0];
        let mut both = [&pair["one"]["name"], &pair["other"]["name"]].map(|name| name.as_str().unwrap());
        both.sort_unstable();
        assert_eq!(both, ["AIRE VALLEY ROBOTICS plc", "Aire Valley Robotics Ltd"]);
        assert_eq!(pair["signals"], json!(["SAME_NAME"]));
        assert!(pair["score"].as_f64().unwrap() > 0.8, "{pair}");
    }

    async fn names_are_found_by_their_words_in_any_case_and_order(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        create(&operator, json!({ "name": "Crédit Agricole S.A." })).await;
        for (search, expected) in [
            ("robotics AIRE", vec!["Aire Valley Robotics Ltd"]),
            ("aire valley robotics ltd", vec!["Aire Valley Robotics Ltd"]),
            ("Calder & Moss", vec!["Calder & Moss LLP"]),
            ("credit agri", vec!["Crédit Agricole S.A."]),
            ("CRÉDIT", vec!["Crédit Agricole S.A."]),
            ("%", vec![]),
            ("\u{0}", vec![]),
            ("robotics energy", vec![]),
        ] {
            let (found, total) = names(&operator, json!({ "search": search })).await;
            assert_eq!(found, expected, "{search}");
            assert_eq!(total, expected.len(), "{search}");
        }
        let (found, _) = names(&operator, json!({ "sector": "Law\u{0}" })).await;
        assert_eq!(found, ["Calder & Moss LLP"]);
    }

    async fn pages_lead_through_organisations_of_one_name(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        for number in 0..5 {
            create(&operator, json!({
                "name": "Twin", "companyNumber": number.to_string(), "confirmNotDuplicate": true,
            })).await;
        }
        let query = "query($after: String) { organisations(filter: { search: \"twin\" }, first: 2, after: $after) {
            nodes { companyNumber } pageInfo { hasNextPage endCursor } } }";
        let mut seen = Vec::new();
        let mut after = Value::Null;
        loop {
            let data = operator.data(query, json!({ "after": after })).await;
            let page = &data["organisations"];
            seen.extend(page["nodes"].as_array().unwrap().iter().map(|node| node["companyNumber"].to_string()));
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
        seen.sort();
        assert_eq!(seen, ["\"0\"", "\"1\"", "\"2\"", "\"3\"", "\"4\""]);
    }

    async fn students_see_what_is_approved_and_an_employer_its_own(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let pending = put_in_state(&system, "Brightwater Energy plc", OrganisationState::Pending).await;
        let own = put_in_state(&system, "Aire Valley Robotics Ltd", OrganisationState::Pending).await;
        let operator = system.demo_client("operator").await;
        let student = system.demo_client("student1").await;
        let employer = system.demo_client("employer").await;

        assert_eq!(names(&operator, json!({})).await.1, 5);
        let approved = ["Calder & Moss LLP", "Dales Heritage Trust", "Northern Data Works Ltd"];
        assert_eq!(names(&student, json!({})).await, (approved.map(str::to_owned).to_vec(), json!(3)));
        assert_eq!(names(&student, json!({ "search": "Brightwater" })).await, (vec![], json!(0)));
        assert_eq!(names(&employer, json!({})).await.0, ["Aire Valley Robotics Ltd"]);
        assert_eq!(names(&employer, json!({ "search": "Calder" })).await, (vec![], json!(0)));

        let node = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Organisation { name } } }";
        let ids = json!({ "ids": [pending, own, UNKNOWN] });
        let own_name = json!({ "name": "Aire Valley Robotics Ltd" });
        assert_eq!(student.data(node, ids.clone()).await["nodes"], json!([null, null, null]));
        assert_eq!(employer.data(node, ids).await["nodes"], json!([null, own_name, null]));
    }

    async fn nobody_who_is_not_signed_in_gets_a_list(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let answer = system.client().clone().graphql(LIST, json!({})).await;
        assert_eq!(answer.codes().len(), 1);
        assert!(answer.data.is_null() || answer.data["organisations"].is_null(), "{answer:?}");
    }

    async fn the_events_of_an_organisation_are_those_the_viewer_may_see(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let query = "{ organisations(first: 100) { nodes { name events { title organisations { name } } } } }";
        for (mailbox, drafts) in [("operator", true), ("student1", false)] {
            let client = system.demo_client(mailbox).await;
            let data = client.data(query, json!({})).await;
            let mut seen = 0;
            for node in data["organisations"]["nodes"].as_array().unwrap() {
                for event in node["events"].as_array().unwrap() {
                    let there = event["organisations"].as_array().unwrap();
                    assert!(there.iter().any(|other| other["name"] == node["name"]), "{event}");
                    seen += 1;
                }
            }
            let db = system.store().reader();
            let events = event::Entity::find().all(db).await.unwrap();
            let taking_part = event_organisation::Entity::find().all(db).await.unwrap();
            let expected = taking_part.iter().filter(|link| {
                let event = events.iter().find(|event| event.id == link.event_id).unwrap();
                drafts || event.state != EventState::Draft
            });
            assert_eq!(seen, expected.count(), "{mailbox}");
            assert!(seen > 0);
        }
    }

    async fn what_staff_know_of_an_organisation_is_theirs(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let query = "{ organisations { nodes { name tags { name } notes { body } sourceKey } } }";
        for mailbox in ["student1", "employer"] {
            let answer = system.demo_client(mailbox).await.graphql(query, json!({})).await;
            assert!(answer.codes().iter().all(|code| *code == "FORBIDDEN"), "{answer:?}");
            let first = &answer.data["organisations"]["nodes"][0];
            assert!(first["name"].is_string());
            assert_eq!((&first["tags"], &first["notes"]), (&Value::Null, &Value::Null));
        }
        for filter in [json!({ "state": "PENDING" }), json!({ "anyOfTags": ["tag_01h455vb4pex5vsknk084sn02q"] })] {
            let answer = system.demo_client("student1").await.graphql(LIST, json!({ "filter": filter })).await;
            assert_eq!(answer.codes(), ["FORBIDDEN"], "{filter}");
        }
    }

    async fn staff_without_the_permission_are_told_the_training(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let untrained = system.demo_client("untrained").await;
        let answer = untrained.graphql(CREATE, json!({ "input": { "name": "Acme" } })).await;
        assert!(answer.codes().contains(&"FORBIDDEN"), "{answer:?}");
        let reasons = format!("{:?}", answer.errors);
        assert!(reasons.contains("MyCareer essentials"), "{reasons}");
        assert_eq!(names(&untrained, json!({ "search": "Acme" })).await.1, 0);
    }
}
