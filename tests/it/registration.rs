//! Employers register themselves, an operator decides, and they keep their own profile (policy 2.2).

use std::time::Duration;

use chrono::TimeDelta;
use entity::{organisation, user};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use support::{Client, System, TestBed, on_both_columns, until};

use crate::{credential::link, delivered::told};

const PASSWORD: &str = "seven quiet otters borrow a lantern";
const PATIENCE: Duration = Duration::from_secs(20);

const FIND: &str = "query($search: String!) { findEmployers(search: $search) { id name domain } }";
const REGISTER: &str = "mutation($input: RegisterEmployerInput!) {
    registerEmployer(input: $input) { registered userErrors { code field message } } }";
const QUEUE: &str = "{ registrations(first: 20) { totalCount nodes {
    id kind signals ageInDays jobTitle person { name } organisation { id name version state } } } }";
const REVIEW: &str =
    "mutation($input: ReviewOrganisationInput!) { reviewOrganisation(input: $input) {
    organisation { state stateReason version } userErrors { code field message } } }";
const ANSWER: &str =
    "mutation($input: AnswerRegistrationInput!) { answerRegistration(input: $input) {
    registration { state } userErrors { code field message } } }";
const OWN: &str = "{ organisations { nodes { id name state stateReason version website sector heldChange { id name } } }
    myRegistration { state reason } }";
const UPDATE_OWN: &str = "mutation($input: UpdateOwnOrganisationInput!) { updateOwnOrganisation(input: $input) {
    organisation { name website sector version heldChange { id name website } } userErrors { code field message } } }";
const ANSWER_HELD: &str =
    "mutation($input: AnswerHeldChangeInput!) { answerHeldChange(input: $input) {
    heldChange { id } userErrors { code field message } } }";

fn ada() -> Value {
    json!({
        "name": "Ada Byron", "email": "ada@engines.example", "password": PASSWORD, "jobTitle": "Engineer",
        "organisation": { "name": "Analytical Engines Ltd", "website": "engines.example" },
    })
}

/// Registers somebody; the answer never says more than that a letter is on its way.
async fn register(system: &System, input: Value) {
    let answer = system
        .client()
        .graphql(REGISTER, json!({ "input": input }))
        .await;
    assert_eq!(answer.refusals(), [""; 0], "{answer:?}");
    assert_eq!(
        answer.data["registerEmployer"]["registered"], true,
        "{answer:?}"
    );
}

/// Follows the link that came to an address.
async fn verify(bed: &TestBed, system: &System, email: &str) {
    const PATH: &str = "/account/verify/";
    let link = link(bed, email, PATH).await;
    let token = &link[PATH.len()..];
    let verify = "mutation($input: VerifyEmailInput!) { verifyEmail(input: $input) { verified userErrors { code } } }";
    let answer = system
        .client()
        .graphql(verify, json!({ "input": { "token": token } }))
        .await;
    assert_eq!(answer.data["verifyEmail"]["verified"], true, "{answer:?}");
}

async fn waiting(client: &Client) -> Vec<Value> {
    let data = client.data(QUEUE, json!({})).await;
    data["registrations"]["nodes"].as_array().unwrap().clone()
}

async fn done(client: &Client, mutation: &str, input: Value) -> Value {
    let answer = client.graphql(mutation, json!({ "input": input })).await;
    assert_eq!(answer.refusals(), [""; 0], "{input}: {answer:?}");
    answer.data
}

async fn organisations(system: &System) -> u64 {
    organisation::Entity::find()
        .count(system.store().reader())
        .await
        .unwrap()
}

on_both_columns! {
    async fn whoever_looks_for_their_organisation_is_shown_names_and_domains_of_approved_ones(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let anybody = system.client();
        let found = anybody.data(FIND, json!({ "search": "aire valley" })).await;
        let [one] = &found["findEmployers"].as_array().unwrap()[..] else { panic!("{found}") };
        assert_eq!(one["name"], "Aire Valley Robotics Ltd");
        assert!(one["domain"].is_string(), "{one}");
        let by_domain = anybody.data(FIND, json!({ "search": one["domain"] })).await;
        assert_eq!(by_domain["findEmployers"].as_array().unwrap().len(), 1);
        for too_little in ["", "a", "ai", "%%%", "..."] {
            let found = anybody.data(FIND, json!({ "search": too_little })).await;
            assert_eq!(found["findEmployers"], json!([]), "{too_little}");
        }
        let admin = system.demo_client("admin").await;
        let all = admin.data("{ organisations(filter: { search: \"Aire\" }) { nodes { id version } } }", json!({})).await;
        let node = &all["organisations"]["nodes"][0];
        let input = json!({ "organisationId": node["id"], "version": node["version"], "decision": "SUSPEND", "reason": "Complaints." });
        done(&admin, REVIEW, input).await;
        let found = anybody.data(FIND, json!({ "search": "aire valley" })).await;
        assert_eq!(found["findEmployers"], json!([]));
    }

    async fn a_new_organisation_waits_until_the_address_is_proved_and_an_operator_approves(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        register(&system, ada()).await;
        assert_eq!(waiting(&operator).await.len(), 0, "the address isn't proved");
        verify(&bed, &system, "ada@engines.example").await;
        bed.clock().advance(TimeDelta::days(2));
        let operator = system.demo_client("operator").await;
        let [one] = &waiting(&operator).await[..] else { panic!("one waits") };
        assert_eq!((&one["kind"], &one["signals"], &one["ageInDays"]), (&json!("NEW"), &json!([]), &json!(2)));
        assert_eq!(one["organisation"]["state"], "PENDING");

        // The employer sees their own, students don't.
        let ada = system.client().sign_in("ada@engines.example", PASSWORD).await;
        let own = ada.data(OWN, json!({})).await;
        assert_eq!(own["organisations"]["nodes"][0]["name"], "Analytical Engines Ltd");
        assert_eq!(own["myRegistration"]["state"], "SUBMITTED");
        let student = system.demo_client("student1").await;
        let query = "{ organisations(filter: { search: \"Analytical\" }) { totalCount } }";
        assert_eq!(student.data(query, json!({})).await["organisations"]["totalCount"], 0);

        let input = json!({
            "organisationId": one["organisation"]["id"], "version": one["organisation"]["version"], "decision": "APPROVE",
        });
        done(&operator, REVIEW, input).await;
        assert_eq!(student.data(query, json!({})).await["organisations"]["totalCount"], 1);
        assert_eq!(waiting(&operator).await.len(), 0);
        assert_eq!(ada.data(OWN, json!({})).await["myRegistration"]["state"], "APPROVED");
        until(PATIENCE, "the letter", async || {
            (!told(&bed, "Analytical Engines Ltd has been approved").is_empty()).then_some(())
        }).await;
    }

    async fn who_is_declined_reads_why_mends_it_and_submits_it_again(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let mut input = ada();
        input["email"] = json!("ada@gmail.com");
        register(&system, input).await;
        verify(&bed, &system, "ada@gmail.com").await;
        let [one] = &waiting(&operator).await[..] else { panic!("one waits") };
        assert_eq!(one["signals"], json!(["FREE_MAIL_DOMAIN", "DOMAIN_UNLIKE_WEBSITE"]));
        let (id, version) = (&one["organisation"]["id"], &one["organisation"]["version"]);
        let mut input = json!({ "organisationId": id, "version": version, "decision": "DECLINE" });
        let answer = operator.graphql(REVIEW, json!({ "input": input })).await;
        assert_eq!(answer.refusals(), ["REQUIRED"], "a reason is needed");
        input["reason"] = json!("Write from your address at work.");
        done(&operator, REVIEW, input).await;

        let ada = system.client().sign_in("ada@gmail.com", PASSWORD).await;
        let own = ada.data(OWN, json!({})).await;
        assert_eq!(own["myRegistration"], json!({ "state": "DECLINED", "reason": "Write from your address at work." }));
        let node = &own["organisations"]["nodes"][0];
        assert_eq!((&node["state"], &node["stateReason"]), (&json!("DECLINED"), &json!("Write from your address at work.")));
        // What was declined is mended at once: nobody relies on it.
        let data = done(&ada, UPDATE_OWN, json!({ "version": node["version"], "website": null })).await;
        assert_eq!(data["updateOwnOrganisation"]["organisation"]["website"], Value::Null);
        let resubmit = "mutation { resubmitRegistration { registration { state } userErrors { code } } }";
        let data = ada.data(resubmit, json!({})).await;
        assert_eq!(data["resubmitRegistration"]["registration"]["state"], "SUBMITTED");
        assert_eq!(ada.graphql(resubmit, json!({})).await.refusals(), ["WRONG_STATE"]);
        let [again] = &waiting(&operator).await[..] else { panic!("it waits again") };
        assert_eq!(again["organisation"]["state"], "PENDING");
    }

    async fn whoever_joins_sees_nothing_of_the_organisation_before_an_operator_agrees(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let found = system.client().data(FIND, json!({ "search": "brightwater" })).await;
        let id = &found["findEmployers"][0]["id"];
        let input = json!({
            "name": "Ben Loom", "email": "ben@elsewhere.example", "password": PASSWORD, "organisationId": id, "jobTitle": "Weaver",
        });
        register(&system, input).await;
        verify(&bed, &system, "ben@elsewhere.example").await;
        let ben = system.client().sign_in("ben@elsewhere.example", PASSWORD).await;
        assert_eq!(ben.data("{ organisations { totalCount } contacts { totalCount } }", json!({})).await, json!({
            "organisations": { "totalCount": 0 }, "contacts": { "totalCount": 0 },
        }));

        let [one] = &waiting(&operator).await[..] else { panic!("one waits") };
        assert_eq!((&one["kind"], &one["jobTitle"], &one["signals"]), (&json!("JOIN"), &json!("Weaver"), &json!(["DOMAIN_UNLIKE_WEBSITE"])));
        let answer = operator.graphql(ANSWER, json!({ "input": { "registrationId": one["id"], "approve": false } })).await;
        assert_eq!(answer.refusals(), ["REQUIRED"]);
        done(&operator, ANSWER, json!({ "registrationId": one["id"], "approve": true })).await;
        let own = ben.data(OWN, json!({})).await;
        assert_eq!(own["organisations"]["nodes"][0]["id"], *id);
        let again = operator.graphql(ANSWER, json!({ "input": { "registrationId": one["id"], "approve": true } })).await;
        assert_eq!(again.refusals(), ["WRONG_STATE"]);
    }

    async fn nobody_learns_from_registering_who_has_an_account(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let before = organisations(&system).await;
        let mut input = ada();
        input["email"] = json!("student1@demo.mycareer.test");
        register(&system, input).await;
        assert_eq!(organisations(&system).await, before, "nothing was made");
        until(PATIENCE, "the letter", async || {
            (!told(&bed, "You have an account already").is_empty()).then_some(())
        }).await;
    }

    async fn what_is_wrong_with_a_registration_is_told_at_once_and_nothing_is_kept(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let before = (organisations(&system).await, user::Entity::find().count(system.store().reader()).await.unwrap());
        let client = system.client();
        let wrong = json!({
            "name": "", "email": "ada", "password": PASSWORD, "telephone": "call me",
            "organisation": { "name": "", "website": "nowhere" },
        });
        let answer = client.graphql(REGISTER, json!({ "input": wrong })).await;
        assert!(answer.refusals().len() >= 5, "{answer:?}");
        let mut weak = ada();
        weak["password"] = json!("password1234");
        let answer = client.graphql(REGISTER, json!({ "input": weak })).await;
        assert_eq!(answer.refusals().len(), 1, "{answer:?}");
        let mut neither = ada();
        neither["organisation"] = Value::Null;
        assert_eq!(client.graphql(REGISTER, json!({ "input": neither })).await.refusals(), ["REQUIRED"]);
        let after = (organisations(&system).await, user::Entity::find().count(system.store().reader()).await.unwrap());
        assert_eq!(after, before);
    }

    async fn a_new_organisation_is_asked_for_the_fields_that_its_employers_fill_in(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (admin, operator) = (system.demo_client("admin").await, system.demo_client("operator").await);
        let create = "mutation($input: CreateProfileFieldInput!) { createProfileField(input: $input) {
            profileField { id version } userErrors { code } } }";
        let defined = async |name: &str, more: Value| {
            let mut input = json!({ "name": name, "kind": "TEXT", "visibleTo": "EMPLOYER", "setByEmployers": true, "position": 500 });
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            done(&admin, create, input).await["createProfileField"]["profileField"]["id"].clone()
        };
        let motto = defined("Motto", json!({ "isRequired": true })).await;
        let interns = defined("Interns", json!({ "kind": "NUMBER", "help": "How many a year", "visibleTo": "EVERYONE" })).await;
        let hidden = defined("Credit watch", json!({ "visibleTo": "STAFF", "setByEmployers": false, "isRequired": true })).await;
        defined("Ours", json!({ "setByEmployers": false })).await;
        let gone = defined("Fax", json!({ "isRequired": true })).await;
        let archive = "mutation($input: ArchiveProfileFieldInput!) { archiveProfileField(input: $input) { userErrors { code } } }";
        done(&admin, archive, json!({ "profileFieldId": gone })).await;

        let client = system.client();
        let asked = client.data("{ registrationFields { id name help kind choices isRequired } }", json!({})).await;
        let names: Vec<&str> = asked["registrationFields"].as_array().unwrap().iter().map(|field| field["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["Sponsors visas", "Interns", "Motto"], "what staff say of an organisation is nobody else's");
        assert_eq!(asked["registrationFields"][2]["isRequired"], true);

        let before = (organisations(&system).await, user::Entity::find().count(system.store().reader()).await.unwrap());
        let with = |fields: Value| {
            let mut input = ada();
            input["organisation"]["profileFields"] = fields;
            input
        };
        let of = |id: &Value, value: &str| json!({ "profileFieldId": id, "value": value });
        for (input, told) in [
            (ada(), vec!["REQUIRED Motto: this can't be empty."]),
            (with(json!([of(&motto, " ")])), vec!["REQUIRED Motto: this can't be empty."]),
            (
                with(json!([of(&interns, "some")])),
                vec!["INVALID Interns: this is not a number such as 1200 or -0.5.", "REQUIRED Motto: this can't be empty."],
            ),
        ] {
            let answer = client.graphql(REGISTER, json!({ "input": input })).await;
            let errors = answer.data["registerEmployer"]["userErrors"].as_array().unwrap();
            let text = |error: &Value| format!("{} {}", error["code"].as_str().unwrap(), error["message"].as_str().unwrap());
            assert_eq!(errors.iter().map(text).collect::<Vec<_>>(), told);
            assert!(errors.iter().all(|error| error["field"] == "profileFields"), "{errors:?}");
        }
        // A field of staff, one that is out of use and one that there is not are alike.
        for closed in [&hidden, &gone, &json!("fld_01h455vb4pex5vsknk084sn02q")] {
            let input = with(json!([of(&motto, "Onward"), of(closed, "x")]));
            let answer = client.graphql(REGISTER, json!({ "input": input })).await;
            assert_eq!(answer.refusals(), ["NOT_FOUND"], "{answer:?}");
        }
        let after = (organisations(&system).await, user::Entity::find().count(system.store().reader()).await.unwrap());
        assert_eq!(after, before, "nothing was made");

        register(&system, with(json!([of(&motto, " Onward "), of(&interns, "1,000")]))).await;
        let query = "{ organisations(filter: { search: \"Analytical\" }) { nodes { id profileFields { name value } } } }";
        let data = operator.data(query, json!({})).await;
        let made = &data["organisations"]["nodes"][0];
        assert_eq!(made["profileFields"], json!([{ "name": "Interns", "value": "1000" }, { "name": "Motto", "value": "Onward" }]));
        let entry = entity::audit_entry::Entity::find()
            .filter(entity::audit_entry::Column::Action.eq("organisation.register"))
            .filter(entity::audit_entry::Column::Subject.eq(made["id"].as_str().unwrap()))
            .one(system.store().reader()).await.unwrap().unwrap();
        assert_eq!(entry.after.unwrap()["profileFields.Motto"], "Onward");
        // Whoever joins an organisation that is there isn't asked.
        let found = client.data(FIND, json!({ "search": "Aire Valley" })).await;
        let joins = json!({ "name": "Bea Low", "email": "bea@airevalley.test", "password": PASSWORD, "organisationId": found["findEmployers"][0]["id"] });
        register(&system, joins).await;
    }

    async fn registrations_are_limited_for_each_address(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        for _ in 0..3 {
            register(&system, ada()).await;
        }
        let answer = system.client().graphql(REGISTER, json!({ "input": ada() })).await;
        assert_eq!(answer.codes(), ["TOO_MANY_ATTEMPTS"]);
        let accounts = user::Entity::find()
            .filter(user::Column::Email.eq("ada@engines.example"))
            .count(system.store().reader())
            .await
            .unwrap();
        assert_eq!(accounts, 1);
    }

    async fn an_employer_says_in_which_time_zone_their_organisation_has_its_quiet_hours(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let employer = system.demo_client("employer").await;
        let own = "{ organisations(first: 1) { nodes { version timeZone } } }";
        let found = employer.data(own, json!({})).await["organisations"]["nodes"][0].clone();
        assert_eq!(found["timeZone"], "Europe/London");
        let input = |zone: &str| json!({ "input": { "version": found["version"], "timeZone": zone } });
        let update = "mutation($input: UpdateOwnOrganisationInput!) { updateOwnOrganisation(input: $input) {
            organisation { timeZone } userErrors { code field } } }";
        let nowhere = employer.data(update, input("Middle/Earth")).await;
        let refused = json!([{ "code": "INVALID", "field": "timeZone" }]);
        assert_eq!(nowhere["updateOwnOrganisation"]["userErrors"], refused);
        let moved = employer.data(update, input("Asia/Tokyo")).await;
        assert_eq!(moved["updateOwnOrganisation"]["organisation"]["timeZone"], "Asia/Tokyo", "it waits for nobody");
    }

    async fn name_and_domains_of_an_approved_organisation_wait_and_the_rest_is_live(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let employer = system.demo_client("employer").await;
        let own = employer.data(OWN, json!({})).await;
        let node = &own["organisations"]["nodes"][0];
        let input = json!({ "version": node["version"], "name": "Wharfe Robotics Ltd", "sector": "Robotics and toys" });
        let data = done(&employer, UPDATE_OWN, input).await;
        let now = &data["updateOwnOrganisation"]["organisation"];
        assert_eq!((&now["name"], &now["sector"]), (&json!("Aire Valley Robotics Ltd"), &json!("Robotics and toys")));
        assert_eq!(now["heldChange"]["name"], "Wharfe Robotics Ltd");
        // What is asked for next goes with what waits.
        let input = json!({ "version": now["version"], "website": "https://wharfe.example/" });
        let data = done(&employer, UPDATE_OWN, input).await;
        let held = &data["updateOwnOrganisation"]["organisation"]["heldChange"];
        assert_eq!((&held["name"], &held["website"]), (&json!("Wharfe Robotics Ltd"), &json!("https://wharfe.example/")));
        let student = system.demo_client("student1").await;
        let query = "{ organisations(filter: { search: \"Wharfe\" }) { totalCount } }";
        assert_eq!(student.data(query, json!({})).await["organisations"]["totalCount"], 0);

        // Operators have all that waits in one list, with its age.
        bed.clock().advance(TimeDelta::days(3));
        let (employer, operator, student) =
            (system.demo_client("employer").await, system.demo_client("operator").await, system.demo_client("student1").await);
        let waiting = "{ heldChanges { totalCount nodes { id ageInDays name organisation { name } } } }";
        let listed = operator.data(waiting, json!({})).await;
        let expected = json!({ "totalCount": 1, "nodes": [{ "id": held["id"], "ageInDays": 3, "name": "Wharfe Robotics Ltd",
            "organisation": { "name": "Aire Valley Robotics Ltd" } }] });
        assert_eq!(listed["heldChanges"], expected);
        for client in [&employer, &student] {
            assert!(client.graphql(waiting, json!({})).await.codes().contains(&"FORBIDDEN"));
        }

        let untrained = system.demo_client("untrained").await;
        let answer = untrained.graphql(ANSWER_HELD, json!({ "input": { "heldChangeId": held["id"], "approve": true } })).await;
        assert!(answer.codes().contains(&"FORBIDDEN"));
        done(&operator, ANSWER_HELD, json!({ "heldChangeId": held["id"], "approve": true })).await;
        assert_eq!(student.data(query, json!({})).await["organisations"]["totalCount"], 1);
        let again = operator.graphql(ANSWER_HELD, json!({ "input": { "heldChangeId": held["id"], "approve": false, "reason": "No." } })).await;
        assert_eq!(again.refusals(), ["WRONG_STATE"]);
        assert_eq!(operator.data(waiting, json!({})).await["heldChanges"]["totalCount"], 0);
        assert_eq!(employer.data(OWN, json!({})).await["organisations"]["nodes"][0]["heldChange"], Value::Null);
    }

    async fn an_address_waits_too_and_what_is_declined_stays_as_it_was_with_a_reason(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (employer, operator) = (system.demo_client("employer").await, system.demo_client("operator").await);
        let own = employer.data(OWN, json!({})).await;
        let node = &own["organisations"]["nodes"][0];
        let update = "mutation($input: UpdateOwnOrganisationInput!) { updateOwnOrganisation(input: $input) {
            organisation { address emailDomains heldChange { id address emailDomains } } userErrors { code } } }";
        let input = json!({ "version": node["version"], "address": "9 Canal Wharf, Leeds", "emailDomains": ["wharfe.example"] });
        let data = done(&employer, update, input).await;
        let now = &data["updateOwnOrganisation"]["organisation"];
        assert_eq!((&now["address"], &now["emailDomains"]), (&json!("Leeds"), &json!(["airevalley.test"])));
        let held = &now["heldChange"];
        assert_eq!((&held["address"], &held["emailDomains"]), (&json!("9 Canal Wharf, Leeds"), &json!(["wharfe.example"])));
        let mut input = json!({ "heldChangeId": held["id"], "approve": false });
        assert_eq!(operator.graphql(ANSWER_HELD, json!({ "input": input })).await.refusals(), ["REQUIRED"]);
        input["reason"] = json!("Canal Wharf was pulled down.");
        done(&operator, ANSWER_HELD, input).await;
        let query = "{ organisations { nodes { address emailDomains heldChange { id } } } }";
        let own = employer.data(query, json!({})).await;
        assert_eq!(own["organisations"]["nodes"][0], json!({ "address": "Leeds", "emailDomains": ["airevalley.test"], "heldChange": null }));
        until(PATIENCE, "the letter", async || {
            bed.mail().received().iter().any(|mail| String::from_utf8_lossy(&mail.raw).contains("Canal Wharf was pulled down")).then_some(())
        }).await;
    }

    async fn the_queue_says_which_registration_looks_like_an_organisation_that_is_there(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let mut input = ada();
        input["organisation"] = json!({ "name": "AIRE VALLEY ROBOTICS plc", "website": "engines.example" });
        register(&system, input).await;
        verify(&bed, &system, "ada@engines.example").await;
        let [one] = &waiting(&operator).await[..] else { panic!("one waits") };
        assert_eq!(one["signals"], json!(["LIKELY_DUPLICATE"]));
    }
}
