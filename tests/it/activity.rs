//! Activity: staff and each employer see what happened in one place, and nobody sees what isn't theirs (policy 1).

use std::time::Duration;

use chrono::TimeDelta;
use entity::{access_grant, contact, organisation, user};
use reqwest::Method;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use support::{Client, System, TestBed, on_both_columns};

const PATIENCE: Duration = Duration::from_secs(30);

const LIST: &str = "query($about: ID, $first: Int, $after: String) { activity(organisationId: $about, first: $first, after: $after) {
    totalCount pageInfo { hasNextPage endCursor } nodes { kind action title organisation { name } node { id } } } }";
const NOTE: &str = "mutation($input: AddNoteInput!) { addNote(input: $input) { note { id } userErrors { code } } }";
const VACANCY: &str = "mutation($input: CreateVacancyInput!) { createVacancy(input: $input) { vacancy { id version } userErrors { code } } }";
const SUBMIT: &str = "mutation($input: SubmitVacancyInput!) { submitVacancy(input: $input) { vacancy { id } userErrors { code } } }";
const UPDATE: &str = "mutation($input: UpdateOrganisationInput!) { updateOrganisation(input: $input) { organisation { id } userErrors { code } } }";
const UPDATE_OWN: &str = "mutation($input: UpdateOwnOrganisationInput!) { updateOwnOrganisation(input: $input) { organisation { id } userErrors { code } } }";
const CONTACT: &str = "mutation($input: UpdateContactInput!) { updateContact(input: $input) { contact { id } userErrors { code } } }";

/// What somebody sees; its number must be told alike.
async fn seen(client: &Client, about: Value) -> Vec<Value> {
    let data = client
        .data(LIST, json!({ "about": about, "first": 100 }))
        .await;
    let list = &data["activity"];
    let nodes = list["nodes"].as_array().unwrap();
    assert_eq!(list["totalCount"], nodes.len(), "{list}");
    nodes.clone()
}

async fn actions(client: &Client, about: Value) -> Vec<String> {
    let seen = seen(client, about).await;
    seen.iter()
        .map(|row| row["action"].as_str().unwrap().to_owned())
        .collect()
}

async fn of_name(system: &System, name: &str) -> organisation::Model {
    let rows = organisation::Entity::find().filter(organisation::Column::Name.eq(name));
    rows.one(system.store().reader()).await.unwrap().unwrap()
}

/// The demo university, in which an employer, an operator and the administrator have something to do with one organisation.
struct World {
    system: System,
    employer: Client,
    admin: Client,
    robotics: organisation::Model,
}

impl World {
    async fn open(bed: &TestBed) -> Self {
        let system = bed.system_with_demo_data().await;
        Self {
            employer: system.demo_client("employer").await,
            admin: system.demo_client("admin").await,
            robotics: of_name(&system, "Aire Valley Robotics Ltd").await,
            system,
        }
    }

    async fn note(&self, organisation: &organisation::Model, body: &str) {
        let input = json!({ "organisationId": organisation.id, "kind": "CALL", "body": body });
        let answer = self.admin.graphql(NOTE, json!({ "input": input })).await;
        assert_eq!(answer.refusals(), [""; 0]);
    }

    /// A vacancy that the employer writes and submits.
    async fn vacancy(&self, bed: &TestBed, title: &str) {
        let input = json!({ "title": title, "kind": "GRADUATE_JOB", "description": "Build robots.", "hours": "FULL_TIME",
            "salary": "£28,000 - £32,000", "location": "Leeds", "howToApply": "Write to us." });
        let answer = self
            .employer
            .graphql(VACANCY, json!({ "input": input }))
            .await;
        assert_eq!(answer.refusals(), [""; 0], "{answer:?}");
        bed.clock().advance(TimeDelta::seconds(1));
        let vacancy = &answer.data["createVacancy"]["vacancy"];
        let answer = self
            .employer
            .graphql(SUBMIT, json!({ "input": vacancy }))
            .await;
        assert_eq!(answer.refusals(), [""; 0], "{answer:?}");
        bed.clock().advance(TimeDelta::seconds(1));
    }

    /// Staff change what they alone keep about the organisation.
    async fn mark(&self) {
        let now = of_name(&self.system, &self.robotics.name).await;
        let input = json!({ "id": now.id, "version": now.version, "multipleTouchPoints": !now.multiple_touch_points });
        assert_eq!(
            self.admin
                .graphql(UPDATE, json!({ "input": input }))
                .await
                .refusals(),
            [""; 0]
        );
    }

    async fn rename_contact(&self, name: &str) {
        let row = contact::Entity::find().filter(contact::Column::Name.eq(name));
        let row = row
            .one(self.system.store().reader())
            .await
            .unwrap()
            .unwrap();
        let input = json!({ "id": row.id, "version": row.version, "jobTitle": "Director" });
        assert_eq!(
            self.admin
                .graphql(CONTACT, json!({ "input": input }))
                .await
                .refusals(),
            [""; 0]
        );
    }
}

/// Opens the subscription.
async fn watch(client: &Client) -> reqwest::Response {
    client
        .request(Method::POST, "/graphql/stream")
        .header("Accept", "text/event-stream")
        .json(&json!({ "query": "subscription { activityAdded { kind action title organisation { name } } }" }))
        .send()
        .await
        .unwrap()
}

/// What a subscription says up to `until`.
async fn told(stream: &mut reqwest::Response, until: &str) -> String {
    let mut told = String::new();
    let heard = async {
        while !told.contains(until) {
            let chunk = stream
                .chunk()
                .await
                .unwrap()
                .unwrap_or_else(|| panic!("the stream ends after {told}"));
            told.push_str(&String::from_utf8_lossy(&chunk));
        }
    };
    tokio::time::timeout(PATIENCE, heard)
        .await
        .unwrap_or_else(|_| panic!("not told of {until}"));
    told
}

on_both_columns! {
    async fn staff_see_what_happened_with_an_organisation_in_one_list_the_latest_first(bed: TestBed) {
        let world = World::open(&bed).await;
        let before = actions(&world.admin, json!(world.robotics.id)).await.len();
        bed.clock().advance(TimeDelta::minutes(1));
        world.note(&world.robotics, "We met at the fair.").await;
        bed.clock().advance(TimeDelta::minutes(1));
        world.vacancy(&bed, "Robot engineer").await;
        world.mark().await;
        bed.clock().advance(TimeDelta::minutes(1));
        world.rename_contact("Erin Doyle").await;
        bed.clock().advance(TimeDelta::minutes(1));
        world.note(&of_name(&world.system, "Calder & Moss LLP").await, "Of somebody else.").await;

        let rows = seen(&world.admin, json!(world.robotics.id)).await;
        let told: Vec<_> = rows.iter().map(|row| (row["kind"].as_str().unwrap(), row["title"].as_str())).collect();
        assert_eq!(told[..told.len() - before], [
            ("CHANGE", Some("Erin Doyle")),
            ("CHANGE", Some("Aire Valley Robotics Ltd")),
            ("VACANCY", Some("Robot engineer")),
            ("VACANCY", Some("Robot engineer")),
            ("NOTE", None),
        ]);
        assert!(rows.iter().all(|row| row["organisation"]["name"] == "Aire Valley Robotics Ltd" && row["node"]["id"].is_string()));
        let everything = seen(&world.admin, Value::Null).await;
        assert_eq!(everything[0]["organisation"]["name"], "Calder & Moss LLP", "all organisations in one list");
        assert!(everything.len() > rows.len());
    }

    async fn pages_of_activity_lead_from_one_to_the_next(bed: TestBed) {
        let world = World::open(&bed).await;
        for number in 0..4 {
            world.note(&world.robotics, &format!("Call {number}.")).await;
            bed.clock().advance(TimeDelta::minutes(1));
            world.mark().await;
            bed.clock().advance(TimeDelta::minutes(1));
        }
        let all = seen(&world.admin, json!(world.robotics.id)).await;
        assert!(all.len() > 8);
        let (mut read, mut after) = (Vec::new(), Value::Null);
        loop {
            let variables = json!({ "about": world.robotics.id, "first": 3, "after": after });
            let data = world.admin.data(LIST, variables).await;
            let page = &data["activity"];
            read.extend(page["nodes"].as_array().unwrap().clone());
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
        assert_eq!(read, all);
    }

    async fn an_employer_sees_what_concerns_it_and_nothing_of_what_staff_keep_for_themselves(bed: TestBed) {
        let world = World::open(&bed).await;
        world.note(&world.robotics, "They are hard to reach.").await;
        world.mark().await;
        world.vacancy(&bed, "Robot engineer").await;
        let now = of_name(&world.system, &world.robotics.name).await;
        let input = json!({ "version": now.version, "name": "Aire Valley Machines Ltd" });
        let answer = world.employer.graphql(UPDATE_OWN, json!({ "input": input })).await;
        assert_eq!(answer.refusals(), [""; 0], "{answer:?}");
        // The control: staff see all of it.
        let staff = actions(&world.admin, json!(world.robotics.id)).await;
        for action in ["note.add", "organisation.update", "vacancy.submit", "organisation.ask_change"] {
            assert!(staff.contains(&action.to_owned()), "{action} in {staff:?}");
        }
        for about in [Value::Null, json!(world.robotics.id)] {
            let own = seen(&world.employer, about).await;
            let mut told: Vec<&str> = own.iter().map(|row| row["action"].as_str().unwrap()).collect();
            told.sort_unstable();
            told.retain(|action| !action.starts_with("event.") && *action != "campaign.started");
            assert_eq!(told, ["organisation.ask_change", "vacancy.create", "vacancy.submit"]);
            assert!(own.iter().all(|row| row["organisation"]["name"] == "Aire Valley Robotics Ltd"), "{own:?}");
        }
        let who = "{ activity(first: 5) { nodes { by { name } } } }";
        assert_eq!(world.employer.graphql(who, json!({})).await.codes(), ["FORBIDDEN"], "who at the university did it");
        let theirs = of_name(&world.system, "Calder & Moss LLP").await;
        assert!(!seen(&world.admin, json!(theirs.id)).await.is_empty(), "the control");
        assert_eq!(seen(&world.employer, json!(theirs.id)).await, [json!(null); 0], "nothing of another employer");
    }

    async fn students_have_no_activity_and_untrained_staff_none_of_contacts(bed: TestBed) {
        let world = World::open(&bed).await;
        world.rename_contact("Erin Doyle").await;
        let student = world.system.demo_client("student1").await;
        for client in [&student, world.system.client()] {
            let answer = client.graphql("{ activity { totalCount } }", json!({})).await;
            assert!(!answer.codes().is_empty() && answer.data["activity"] == Value::Null, "{answer:?}");
        }
        let changed = "contact.update".to_owned();
        let about = json!(world.robotics.id);
        let untrained = world.system.demo_client("untrained").await;
        assert!(actions(&world.admin, about.clone()).await.contains(&changed), "the control");
        for about in [about, Value::Null] {
            assert!(!actions(&untrained, about).await.contains(&changed));
        }
        // A draft is its writer's: of a vacancy that isn't submitted, staff are told nothing.
        let input = json!({ "title": "Secret project", "kind": "GRADUATE_JOB", "description": "Hush." });
        let answer = world.employer.graphql(VACANCY, json!({ "input": input })).await;
        assert_eq!(answer.refusals(), [""; 0], "{answer:?}");
        for about in [json!(world.robotics.id), Value::Null] {
            let titles: Vec<Value> = seen(&world.admin, about).await.iter().map(|row| row["title"].clone()).collect();
            assert!(!titles.contains(&json!("Secret project")), "{titles:?}");
        }
        let own: Vec<Value> = seen(&world.employer, Value::Null).await.iter().map(|row| row["title"].clone()).collect();
        assert!(own.contains(&json!("Secret project")), "the control");
    }

    async fn whoever_watches_is_told_of_what_they_may_see_when_it_happens(bed: TestBed) {
        let world = World::open(&bed).await;
        let (mut staff, mut own) = (watch(&world.admin).await, watch(&world.employer).await);
        world.note(&world.robotics, "They are hard to reach.").await;
        world.mark().await;
        world.vacancy(&bed, "Robot engineer").await;
        let heard = told(&mut staff, "vacancy.submit").await;
        assert!(heard.contains("note.add") && heard.contains("organisation.update"), "{heard}");
        let heard = told(&mut own, "vacancy.submit").await;
        assert!(!heard.contains("note.add") && !heard.contains("organisation.update"), "{heard}");
        drop((staff, own));
        world.system.stop().await;
    }

    async fn a_grant_that_is_taken_back_ends_what_is_told_at_the_next_event(bed: TestBed) {
        let world = World::open(&bed).await;
        let operator = world.system.demo_client("operator").await;
        let mut stream = watch(&operator).await;
        world.rename_contact("Erin Doyle").await;
        told(&mut stream, "Erin Doyle").await;
        let db = world.system.store().reader();
        let account = user::Entity::find().filter(user::Column::Email.eq("operator@demo.mycareer.test"));
        let account = account.one(db).await.unwrap().unwrap();
        access_grant::Entity::delete_many()
            .filter(access_grant::Column::UserId.eq(account.id))
            .exec(db)
            .await
            .unwrap();
        world.rename_contact("Paul Sykes").await;
        world.note(&world.robotics, "All staff read notes.").await;
        let heard = told(&mut stream, "What you may do has changed").await;
        assert!(!heard.contains("Paul Sykes"), "{heard}");
        let mut stream = watch(&operator).await;
        world.rename_contact("Nadia Hussain").await;
        world.note(&world.robotics, "All staff read notes.").await;
        let heard = told(&mut stream, "note.add").await;
        assert!(!heard.contains("Nadia Hussain"), "{heard}");
        drop(stream);
        world.system.stop().await;
    }
}
