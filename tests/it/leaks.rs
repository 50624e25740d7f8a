//! No contact detail and no mark of a key account reaches anybody whom it isn't for, by any path (policy 2.3 and 3): each path
//! is a row of one table, for each viewer the answer is looked through as it came over the wire, and the Key Account Operator
//! is the control, who has it by the same path.

mod ways;
mod world;

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use support::on_both_columns;

use self::world::{ACCOUNT, ADDRESS, DETAILS, FOR_STAFF, NAME, Planted};

const PATIENCE: Duration = Duration::from_secs(30);

/// Those to whom nothing of it is shown, and whether they are staff, who share names and see the mark.
const VIEWERS: &[(&str, bool)] = &[
    ("student1", false),
    ("employer", false),
    ("untrained", true),
    ("superuser", true),
];

const FIELDS: &str = "name displayName jobTitle email telephone isKeyAccountContact guidance keyAccount { operator { name } }";

/// A way to a contact.
struct Path {
    /// What kind of way it is.
    name: &'static str,
    /// What is asked. `FIELDS` are all fields of a contact that tell anything.
    query: &'static str,
    /// With which variables.
    variables: fn(&Planted) -> Value,
    /// What the Key Account Operator is told, and nobody else.
    tells: &'static str,
}

fn id(planted: &Planted) -> Value {
    json!({
        "id": planted.contact.id, "at": planted.contact.organisation_id, "elsewhere": planted.elsewhere,
        "double": planted.double, "campaign": planted.campaign, "vacancy": planted.vacancy,
    })
}

fn none(_: &Planted) -> Value {
    json!({})
}

const PATHS: &[Path] = &[
    Path {
        name: "field and node",
        query: "query($id: ID!) { node(id: $id) { ... on Contact { FIELDS } } }",
        variables: id,
        tells: ADDRESS,
    },
    Path {
        name: "nodes",
        query: "query($id: ID!) { nodes(ids: [$id, $id]) { ... on Contact { FIELDS } } }",
        variables: id,
        tells: ADDRESS,
    },
    Path {
        name: "list",
        query: "query { contacts(first: 100) { nodes { FIELDS } } }",
        variables: none,
        tells: ADDRESS,
    },
    Path {
        name: "list, from its end",
        query: "query { contacts(last: 100) { edges { node { FIELDS } } } }",
        variables: none,
        tells: ADDRESS,
    },
    Path {
        name: "list of an organisation",
        query: "query($at: ID!) { node(id: $at) { ... on Organisation { name contacts { FIELDS } } } }",
        variables: id,
        tells: ADDRESS,
    },
    Path {
        name: "list of all organisations",
        query: "query { organisations(first: 50) { nodes { contacts { FIELDS } } } }",
        variables: none,
        tells: ADDRESS,
    },
    Path {
        name: "search",
        query: "query { search(text: \"zebed\", kinds: [CONTACT]) { nodes { node { ... on Contact { FIELDS } } } } }",
        variables: none,
        tells: ADDRESS,
    },
    Path {
        name: "filter by address",
        query: "query($email: String!) { contacts(filter: { email: $email }) { totalCount nodes { FIELDS } } }",
        variables: |_| json!({ "email": ADDRESS }),
        tells: "\"totalCount\":1",
    },
    Path {
        name: "count by address",
        query: "query($email: String!) { contacts(filter: { email: $email }) { totalCount } }",
        variables: |_| json!({ "email": ADDRESS.to_uppercase() }),
        tells: "\"totalCount\":1",
    },
    Path {
        name: "notes",
        query: "query($id: ID!) { notes(filter: { contactId: $id }) { nodes { body contact { FIELDS } } } }",
        variables: id,
        tells: ADDRESS,
    },
    Path {
        name: "key accounts",
        query: "query { keyAccounts { nodes { contacts { FIELDS } } } }",
        variables: none,
        tells: ADDRESS,
    },
    Path {
        name: "further contacts",
        query: "query($elsewhere: ID!) { node(id: $elsewhere) { ... on Organisation { furtherContacts(first: 100) { FIELDS } } } }",
        variables: id,
        tells: ADDRESS,
    },
    Path {
        name: "list of another organisation",
        query: "query($elsewhere: ID!) { contacts(filter: { organisationId: $elsewhere }) { nodes { FIELDS } } }",
        variables: id,
        tells: ADDRESS,
    },
    Path {
        name: "participants of a note",
        query: "query($at: ID!) { node(id: $at) { ... on Organisation { notes(first: 50) { participants { FIELDS } } } } }",
        variables: id,
        tells: ADDRESS,
    },
    Path {
        name: "key accounts of an organisation",
        query: "query($at: ID!) { node(id: $at) { ... on Organisation { keyAccounts { contacts { FIELDS } } } } }",
        variables: id,
        tells: ADDRESS,
    },
    Path {
        name: "liaison requests",
        query: "query { liaisonRequests(first: 50) { nodes { contact { FIELDS } } } }",
        variables: none,
        tells: ADDRESS,
    },
    Path {
        name: "vacancy",
        query: "query($vacancy: ID!) { node(id: $vacancy) { ... on Vacancy { title contact { FIELDS } } } }",
        variables: id,
        tells: ADDRESS,
    },
    Path {
        name: "account of a contact",
        query: "query($vacancy: ID!) { node(id: $vacancy) { ... on Vacancy { createdBy { email } } } }",
        variables: id,
        tells: ACCOUNT,
    },
    Path {
        name: "whoever asks to join",
        query: "query { registrations(first: 20) { nodes { person { email } } } }",
        variables: none,
        tells: ADDRESS,
    },
    Path {
        name: "deliveries",
        query: "query($campaign: ID!) { node(id: $campaign) { ... on Campaign { deliveries(first: 50) {
            totalCount nodes { address contact { FIELDS } } } } } }",
        variables: id,
        tells: ADDRESS,
    },
    Path {
        name: "dry run of a merge",
        query: "mutation($double: ID!, $id: ID!) { mergeContacts(input: { survivorId: $double, mergedId: $id, dryRun: true }) {
            outcome { values { field survivor merged kept } notes } userErrors { code message } } }",
        variables: id,
        tells: ADDRESS,
    },
    Path {
        name: "activity",
        query: "query { activity(first: 100) { nodes { title node { ... on Contact { FIELDS } ... on Note { contact { FIELDS } } } } } }",
        variables: none,
        tells: ADDRESS,
    },
    Path {
        name: "history",
        query: "query($id: ID!) { node(id: $id) { ... on Contact { history { action fields { field before after } } } } }",
        variables: id,
        tells: ADDRESS,
    },
    Path {
        name: "error text",
        query: "mutation($at: ID!, $email: String!) { createContact(input: { organisationId: $at, name: \"Ann Lee\", email: $email }) {
            userErrors { code message } } }",
        variables: |planted| json!({ "at": planted.contact.organisation_id, "email": ADDRESS }),
        tells: NAME,
    },
];

/// What a subscription says up to `until`, or up to its end: whoever may not have it is told so, and that is all.
async fn heard(stream: &mut reqwest::Response, until: &str) -> String {
    let mut heard = String::new();
    let listen = async {
        while !heard.contains(until) {
            match stream.chunk().await.unwrap() {
                Some(chunk) => heard.push_str(&String::from_utf8_lossy(&chunk)),
                None => break,
            }
        }
    };
    tokio::time::timeout(PATIENCE, listen)
        .await
        .unwrap_or_else(|_| panic!("neither told of {until} nor ended"));
    heard
}

/// What must not stand in the answer to a viewer.
fn hidden(is_staff: bool) -> Vec<&'static str> {
    if is_staff {
        DETAILS.to_vec()
    } else {
        [DETAILS, FOR_STAFF].concat()
    }
}

on_both_columns! {
    async fn no_path_tells_a_contact_detail_or_the_mark_to_whom_it_is_not_for(bed: TestBed) {
        let planted = Planted::open(&bed).await;
        let mut leaks = Vec::new();
        for path in PATHS {
            let query = path.query.replace("FIELDS", FIELDS);
            let variables = (path.variables)(&planted);
            let theirs = planted.raw("operator", &query, variables.clone()).await;
            assert!(theirs.contains(path.tells), "{}: the Key Account Operator is told {theirs}", path.name);
            for (who, is_staff) in VIEWERS {
                let answer = planted.raw(who, &query, variables.clone()).await;
                let hidden = hidden(*is_staff);
                for secret in hidden.iter().chain([&path.tells]) {
                    if answer.contains(secret) {
                        leaks.push(format!("{} tells {who} {secret:?}: {answer}", path.name));
                    }
                }
            }
        }
        assert!(leaks.is_empty(), "{}", leaks.join("\n"));
    }

    async fn staff_see_the_mark_by_the_same_paths_and_a_student_who_may_see_the_contact_does_not(bed: TestBed) {
        let planted = Planted::open(&bed).await;
        let path = &PATHS[0];
        let query = path.query.replace("FIELDS", FIELDS);
        for who in ["untrained", "superuser"] {
            let answer = planted.raw(who, &query, id(&planted)).await;
            assert!(answer.contains("Zebedee Quillon *\"") && answer.contains("\"isKeyAccountContact\":true"), "{who}: {answer}");
        }
        let jo = planted.office.contact("Jo Lennox").await;
        let answer = planted.raw("student1", &query, json!({ "id": jo.id })).await;
        assert!(answer.contains("Jo Lennox"), "who agreed to be shown: {answer}");
        assert!(!answer.contains('*') && !answer.contains("\":true"), "{answer}");
    }

    async fn nobody_finds_an_address_or_a_number_by_its_words(bed: TestBed) {
        let planted = Planted::open(&bed).await;
        let probes = [
            "query($text: String!) { search(text: $text) { totalCount nodes { kind } } }",
            "query($text: String!) { contacts(filter: { search: $text }) { totalCount nodes { id } } }",
            "query($text: String!) { organisations(filter: { search: $text }) { totalCount nodes { id } } }",
            "query($text: String!) { findEmployers(search: $text) { name } }",
            "mutation($text: String!) { saveSegment(input: { name: $text, filter: { search: $text } }) {
                segment { organisationCount } userErrors { code } } }",
        ];
        for query in probes {
            for who in ["student1", "employer", "untrained", "superuser", "operator"] {
                let nobody = planted.raw(who, query, json!({ "text": "nobodyhasit" })).await;
                for text in ["plantedleak", "5558642", ADDRESS] {
                    let answer = planted.raw(who, query, json!({ "text": text })).await;
                    let answer = answer.replace(text, "nobodyhasit");
                    assert_eq!(answer, nobody, "{who}, {text}, {query}");
                }
            }
        }
        let by_name = planted.raw("operator", probes[0], json!({ "text": "Quillon" })).await;
        assert!(by_name.contains("\"totalCount\":1"), "the control: names are found, {by_name}");
    }

    async fn no_file_tells_it(bed: TestBed) {
        let planted = Planted::open(&bed).await;
        let query = "mutation { exportRecords(input: { kind: CONTACTS }) { export { url } userErrors { code } } }";
        let file = async |who: &str| {
            let answer = planted.client(who).await.graphql(query, json!({})).await;
            let url = answer.data["exportRecords"]["export"]["url"].as_str()?.to_owned();
            planted.office.system.client().get(&url).await.text().await.ok()
        };
        assert!(file("operator").await.unwrap().contains(ADDRESS), "the control");
        for (who, is_staff) in VIEWERS {
            let told = file(who).await.unwrap_or_default();
            assert!(hidden(*is_staff).iter().all(|secret| !told.contains(secret)), "{who}: {told}");
            assert_eq!(told.is_empty(), *who != "superuser", "{who}");
        }
    }

    async fn no_subscription_tells_it(bed: TestBed) {
        let planted = Planted::open(&bed).await;
        let query = format!("subscription {{ activityAdded {{ action node {{ ... on Contact {{ {FIELDS} }} }} }} }}");
        let mut streams = Vec::new();
        for (who, is_staff) in VIEWERS.iter().chain(&[("operator", true)]) {
            let client = planted.client(who).await;
            let stream = client
                .request(Method::POST, "/graphql/stream")
                .header("Accept", "text/event-stream")
                .json(&json!({ "query": query }))
                .send()
                .await
                .unwrap();
            streams.push((*who, *is_staff, client, stream));
        }
        planted.change(json!({ "jobTitle": "Provost of Anvils and Bellows" })).await;
        // All staff are told of a note, and an employer of their own vacancy: by then whatever came before would have come.
        planted.note("And through the foundry.").await;
        for (who, is_staff, client, stream) in &mut streams {
            if *who == "employer" {
                let vacancy = json!({ "title": "Tester", "kind": "GRADUATE_JOB", "description": "Test robots.",
                    "hours": "FULL_TIME", "salary": "£28,000 - £32,000", "location": "Leeds", "howToApply": "Write to us." });
                let create = "mutation($input: CreateVacancyInput!) { createVacancy(input: $input) { vacancy { id } userErrors { code } } }";
                let answer = client.graphql(create, json!({ "input": vacancy })).await;
                assert_eq!(answer.refusals(), [""; 0], "{answer:?}");
            }
            let until = if *is_staff { "note.add" } else { "vacancy.create" };
            let heard = heard(stream, until).await;
            assert!(!*is_staff || heard.contains(until), "{who} watched to the end: {heard}");
            if *who == "operator" {
                assert!(heard.contains(ADDRESS), "the control: {heard}");
            } else {
                assert!(hidden(*is_staff).iter().all(|secret| !heard.contains(secret)), "{who}: {heard}");
            }
        }
        drop(streams);
        planted.office.system.stop().await;
    }
}
