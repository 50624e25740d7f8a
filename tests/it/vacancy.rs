//! Vacancies: employers write them, operators look at them, and students have those that suit them (policy 2.2).

use std::time::Duration;

use chrono::TimeDelta;
use domain::{clock::Clock, vacancy::LookAfterVacancies};
use entity::{contact, organisation, programme, user};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
};
use serde_json::{Value, json};
use support::{Client, Response, System, TestBed, on_both_columns, until};

use crate::delivered::told;

const PATIENCE: Duration = Duration::from_secs(30);

const FIELDS: &str = "id version state reason title publishedFrom closesOn isOpen
    salary { text lowestPence highestPence per } contact { name email } programmes { name } organisation { id version }";
const OPEN: &str = "query($filter: VacancyFilter) { vacancies(filter: $filter, orderBy: CLOSING_SOONEST, first: 50) {
    totalCount nodes { id title closesOn isOpen contact { name email } } } }";

/// A mutation called so with `input`, and everything of the vacancy selected.
async fn call(client: &Client, mutation: &str, input: Value) -> Response {
    let kind = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
    let query = format!(
        "mutation($input: {kind}!) {{ {mutation}(input: $input) {{
            vacancy {{ {FIELDS} }} userErrors {{ code field message }} }} }}"
    );
    client.graphql(&query, json!({ "input": input })).await
}

/// The same, when it must work. Answers the vacancy.
async fn done(client: &Client, mutation: &str, input: Value) -> Value {
    let answer = call(client, mutation, input.clone()).await;
    assert_eq!(answer.refusals(), [""; 0], "{mutation} {input}: {answer:?}");
    answer.data[mutation]["vacancy"].clone()
}

/// The codes and fields of what is refused.
async fn refused(client: &Client, mutation: &str, input: Value) -> Vec<(String, String)> {
    let answer = call(client, mutation, input).await;
    assert_eq!(answer.codes(), [""; 0], "{answer:?}");
    let errors = answer.data[mutation]["userErrors"]
        .as_array()
        .unwrap()
        .clone();
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    errors
        .iter()
        .map(|error| (word(&error["code"]), word(&error["field"])))
        .collect()
}

fn at(vacancy: &Value) -> Value {
    json!({ "id": vacancy["id"], "version": vacancy["version"] })
}

/// `at`, with more.
fn with(vacancy: &Value, more: Value) -> Value {
    let (mut all, Value::Object(more)) = (at(vacancy), more) else {
        panic!("an object")
    };
    all.as_object_mut().unwrap().extend(more);
    all
}

pub(crate) fn advert(title: &str) -> Value {
    json!({
        "title": title, "kind": "GRADUATE_JOB", "description": "Build robots that farmers trust.", "hours": "FULL_TIME",
        "salary": "£28,000 - £32,000", "location": "Leeds", "howToApply": "Write to jobs@airevalley.test.",
    })
}

/// Who takes part.
struct World {
    system: System,
    employer: Client,
    moderator: Client,
    student: Client,
}

impl World {
    async fn open(bed: &TestBed) -> Self {
        let system = bed.system_with_demo_data().await;
        Self {
            employer: system.demo_client("employer").await,
            moderator: system.demo_client("admin").await,
            student: system.demo_client("student1").await,
            system,
        }
    }

    /// Time goes by, and everybody signs in anew.
    async fn later(&mut self, bed: &TestBed, by: TimeDelta) {
        bed.clock().advance(by);
        self.employer = self.system.demo_client("employer").await;
        self.moderator = self.system.demo_client("admin").await;
        self.student = self.system.demo_client("student1").await;
    }

    async fn draft(&self, title: &str) -> Value {
        done(&self.employer, "createVacancy", advert(title)).await
    }

    async fn submitted(&self, title: &str) -> Value {
        let draft = self.draft(title).await;
        done(&self.employer, "submitVacancy", at(&draft)).await
    }

    async fn approved(&self, title: &str) -> Value {
        let submitted = self.submitted(title).await;
        done(
            &self.moderator,
            "reviewVacancy",
            with(&submitted, json!({ "decision": "APPROVE" })),
        )
        .await
    }

    /// The job that comes by the clock.
    async fn look_after(&self) {
        let mut tx = self.system.store().begin().await.unwrap();
        tx.enqueue(&LookAfterVacancies {}, None).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn state_of(&self, id: &Value) -> Value {
        let query = "query($id: ID!) { node(id: $id) { ... on Vacancy { state reason closesOn version } } }";
        self.employer.data(query, json!({ "id": id })).await["node"].clone()
    }
}

/// The titles of what a client finds.
async fn titles(client: &Client, filter: Value) -> Vec<String> {
    let found = client.data(OPEN, json!({ "filter": filter })).await;
    let nodes = found["vacancies"]["nodes"].as_array().unwrap();
    assert_eq!(found["vacancies"]["totalCount"], nodes.len());
    nodes
        .iter()
        .map(|node| node["title"].as_str().unwrap().to_owned())
        .collect()
}

async fn has(client: &Client, title: &str) -> bool {
    titles(client, json!({}))
        .await
        .iter()
        .any(|found| found == title)
}

/// Whether it is found in the list and by its id: the answer must be the same.
async fn is_there(client: &Client, vacancy: &Value) -> bool {
    let query = "query($id: ID!) { node(id: $id) { ... on Vacancy { title } } }";
    let by_id = client.data(query, json!({ "id": vacancy["id"] })).await;
    let listed = has(client, vacancy["title"].as_str().unwrap()).await;
    assert_eq!(
        !by_id["node"].is_null(),
        listed,
        "list and node say the same"
    );
    listed
}

on_both_columns! {
    async fn a_vacancy_goes_from_a_draft_over_an_operator_to_students_and_is_filled(bed: TestBed) {
        let world = World::open(&bed).await;
        let draft = world.draft("Field Robotics Engineer").await;
        assert_eq!((&draft["state"], &draft["publishedFrom"]), (&json!("DRAFT"), &Value::Null));
        assert_eq!(draft["salary"], json!({
            "text": "£28,000 to £32,000 a year", "lowestPence": 2_800_000, "highestPence": 3_200_000, "per": "YEAR",
        }));
        assert!(!is_there(&world.moderator, &draft).await, "a draft is its writer's");
        let submitted = done(&world.employer, "submitVacancy", at(&draft)).await;
        assert_eq!(submitted["state"], "SUBMITTED");
        assert!(is_there(&world.moderator, &submitted).await);
        assert!(!is_there(&world.student, &submitted).await);
        let queue = titles(&world.moderator, json!({ "awaitsReview": true })).await;
        assert!(queue.contains(&"Field Robotics Engineer".to_owned()), "{queue:?}");

        let approved = done(&world.moderator, "reviewVacancy", with(&submitted, json!({ "decision": "APPROVE" }))).await;
        assert_eq!((&approved["state"], &approved["isOpen"]), (&json!("APPROVED"), &json!(true)));
        // Monday 5 October; nobody gave a closing date.
        assert_eq!((&approved["publishedFrom"], &approved["closesOn"]), (&json!("2026-10-05"), &json!("2026-11-05")));
        assert!(is_there(&world.student, &approved).await);
        until(PATIENCE, "the letter", async || {
            (!told(&bed, "Your vacancy is approved: Field Robotics Engineer").is_empty()).then_some(())
        }).await;
        assert_eq!(refused(&world.moderator, "reviewVacancy", with(&approved, json!({ "decision": "DECLINE", "reason": "No." }))).await,
            [("WRONG_STATE".to_owned(), "id".to_owned())]);

        let filled = done(&world.employer, "closeVacancy", with(&approved, json!({ "outcome": "FILLED" }))).await;
        assert_eq!(filled["state"], "FILLED");
        assert!(!is_there(&world.student, &filled).await);
        assert_eq!(refused(&world.employer, "updateVacancy", with(&filled, json!({ "title": "Another" }))).await,
            [("WRONG_STATE".to_owned(), "id".to_owned())]);
    }

    async fn an_employer_closes_or_withdraws_a_vacancy_and_what_is_over_stays_so(bed: TestBed) {
        let world = World::open(&bed).await;
        let close = |outcome: &str| json!({ "outcome": outcome });
        let wrong = [("WRONG_STATE".to_owned(), "outcome".to_owned())];
        for outcome in ["CLOSED", "WITHDRAWN"] {
            let open = world.approved(&format!("{outcome} in time")).await;
            assert!(is_there(&world.student, &open).await);
            let over = done(&world.employer, "closeVacancy", with(&open, close(outcome))).await;
            assert_eq!((&over["state"], &over["isOpen"]), (&json!(outcome), &json!(false)));
            assert!(!is_there(&world.student, &over).await);
            assert_eq!(refused(&world.employer, "closeVacancy", with(&over, close("WITHDRAWN"))).await, wrong);
        }
        // What was never open is withdrawn, and neither closed nor filled.
        for vacancy in [world.draft("Moulder").await, world.submitted("Caster").await] {
            for outcome in ["CLOSED", "FILLED"] {
                assert_eq!(refused(&world.employer, "closeVacancy", with(&vacancy, close(outcome))).await, wrong);
            }
            let over = done(&world.employer, "closeVacancy", with(&vacancy, close("WITHDRAWN"))).await;
            assert_eq!(over["state"], "WITHDRAWN");
        }
    }

    async fn a_salary_is_a_number_or_a_range_and_tbc_is_refused_with_what_would_do(bed: TestBed) {
        let world = World::open(&bed).await;
        for wrong in ["TBC", "Competitive", "up to £30,000", "£32,000 to £28,000"] {
            let mut input = advert("Engineer");
            input["salary"] = json!(wrong);
            let answer = call(&world.employer, "createVacancy", input).await;
            let error = &answer.data["createVacancy"]["userErrors"][0];
            assert_eq!((&error["code"], &error["field"]), (&json!("INVALID"), &json!("salary")), "{wrong}");
            let message = error["message"].as_str().unwrap();
            assert!(message.contains("£28,000 to £32,000 a year"), "{message}");
        }
        let mut input = advert("Engineer");
        input["salary"] = json!("£12.60 an hour");
        let draft = done(&world.employer, "createVacancy", input).await;
        assert_eq!(draft["salary"]["text"], "£12.60 an hour");
        // Nobody is paid for volunteering; everybody else is.
        let bare = |kind: &str| json!({ "title": "Help", "kind": kind, "description": "Help.", "hours": "FLEXIBLE",
            "location": "Leeds", "applyLink": "airevalley.test/help" });
        let paid = done(&world.employer, "createVacancy", bare("PART_TIME_JOB")).await;
        assert_eq!(refused(&world.employer, "submitVacancy", at(&paid)).await, [("REQUIRED".to_owned(), "salary".to_owned())]);
        let unpaid = done(&world.employer, "createVacancy", bare("VOLUNTEERING")).await;
        done(&world.employer, "submitVacancy", at(&unpaid)).await;
    }

    async fn a_draft_that_says_too_little_is_told_all_that_is_missing(bed: TestBed) {
        let world = World::open(&bed).await;
        let draft = done(&world.employer, "createVacancy", json!({ "title": "Engineer", "kind": "INTERNSHIP" })).await;
        let missing: Vec<String> = refused(&world.employer, "submitVacancy", at(&draft)).await.into_iter().map(|(_, field)| field).collect();
        assert_eq!(missing, ["description", "location", "hours", "salary", "howToApply"]);
    }

    async fn who_is_declined_reads_why_and_submits_it_again(bed: TestBed) {
        let world = World::open(&bed).await;
        let submitted = world.submitted("Welder").await;
        let mut input = with(&submitted, json!({ "decision": "DECLINE" }));
        assert_eq!(refused(&world.moderator, "reviewVacancy", input.clone()).await, [("REQUIRED".to_owned(), "reason".to_owned())]);
        input["reason"] = json!("Say which welding.");
        let declined = done(&world.moderator, "reviewVacancy", input).await;
        until(PATIENCE, "the letter", async || {
            (!told(&bed, "Your vacancy was declined: Welder").is_empty()).then_some(())
        }).await;
        let seen = world.state_of(&declined["id"]).await;
        assert_eq!((&seen["state"], &seen["reason"]), (&json!("DECLINED"), &json!("Say which welding.")));
        let mended = done(&world.employer, "updateVacancy", with(&declined, json!({ "title": "TIG Welder" }))).await;
        let again = done(&world.employer, "submitVacancy", at(&mended)).await;
        assert_eq!((&again["state"], &again["reason"]), (&json!("SUBMITTED"), &Value::Null));
    }

    async fn what_is_approved_and_says_something_else_waits_again_while_its_day_is_the_employer_s_to_move(bed: TestBed) {
        let world = World::open(&bed).await;
        let approved = world.approved("Machinist").await;
        let later = done(&world.employer, "updateVacancy", with(&approved, json!({ "closesOn": "2026-12-01" }))).await;
        assert_eq!((&later["state"], &later["closesOn"]), (&json!("APPROVED"), &json!("2026-12-01")));
        let stale = refused(&world.employer, "updateVacancy", with(&approved, json!({ "closesOn": "2026-12-02" }))).await;
        assert_eq!(stale[0].0, "STALE");
        for (day, code) in [("2026-10-04", "IN_THE_PAST"), ("2027-12-01", "INVALID")] {
            let refused = refused(&world.employer, "updateVacancy", with(&later, json!({ "closesOn": day }))).await;
            assert_eq!(refused, [(code.to_owned(), "closesOn".to_owned())], "{day}");
        }
        // An operator who changes it has looked at it.
        let by_operator = done(&world.moderator, "updateVacancy", with(&later, json!({ "title": "CNC Machinist" }))).await;
        assert_eq!(by_operator["state"], "APPROVED");
        let other = done(&world.employer, "updateVacancy", with(&by_operator, json!({ "salary": "£12 an hour" }))).await;
        assert_eq!(other["state"], "SUBMITTED");
        assert!(!is_there(&world.student, &other).await);
    }

    async fn an_expired_vacancy_is_never_in_the_queue_nor_before_students_and_a_job_closes_it(bed: TestBed) {
        let mut world = World::open(&bed).await;
        let open = world.approved("Draughtsperson").await;
        let waiting = world.submitted("Surveyor").await;
        world.later(&bed, TimeDelta::days(31)).await;
        assert_eq!(bed.clock().now().date_naive().to_string(), "2026-11-05", "the last day");
        assert!(is_there(&world.student, &open).await);
        assert!(titles(&world.moderator, json!({ "awaitsReview": true })).await.contains(&"Surveyor".to_owned()));
        world.later(&bed, TimeDelta::days(1)).await;
        // No job has run for them yet, or it has: it makes no difference to anybody.
        assert!(!is_there(&world.student, &open).await);
        assert!(!titles(&world.moderator, json!({ "awaitsReview": true })).await.contains(&"Surveyor".to_owned()));
        world.look_after().await;
        for vacancy in [&open, &waiting] {
            until(PATIENCE, "closed", async || {
                (world.state_of(&vacancy["id"]).await["state"] == "CLOSED").then_some(())
            }).await;
        }
        until(PATIENCE, "the letters", async || {
            let letters = ["Your vacancy has closed: Draughtsperson", "Your vacancy has closed: Surveyor"];
            letters.iter().all(|subject| !told(&bed, subject).is_empty()).then_some(())
        }).await;
        // It closed by itself: somebody may have been found all the same.
        let closed = world.state_of(&open["id"]).await;
        let input = json!({ "id": open["id"], "version": closed["version"], "outcome": "FILLED" });
        assert_eq!(done(&world.employer, "closeVacancy", input).await["state"], "FILLED");
    }

    async fn an_employer_is_reminded_once_before_the_closing_date_and_again_when_it_moves(bed: TestBed) {
        let mut world = World::open(&bed).await;
        let open = world.approved("Fitter").await;
        world.later(&bed, TimeDelta::days(27)).await;
        world.look_after().await;
        world.later(&bed, TimeDelta::days(1)).await;
        let reminders = || told(&bed, "Your vacancy closes soon: Fitter").len();
        for _ in 0..2 {
            world.look_after().await;
            until(PATIENCE, "the reminder", async || (reminders() > 0).then_some(())).await;
        }
        let seen = world.state_of(&open["id"]).await;
        let input = json!({ "id": open["id"], "version": seen["version"], "closesOn": "2026-11-04" });
        done(&world.employer, "updateVacancy", input).await;
        world.look_after().await;
        until(PATIENCE, "another day, another reminder", async || (reminders() > 1).then_some(())).await;
        assert_eq!(reminders(), 2);
    }

    async fn a_trusted_organisation_publishes_at_once_what_the_rule_names(bed: TestBed) {
        let world = World::open(&bed).await;
        let set = "mutation($input: SetVacancyRuleInput!) { setVacancyRule(input: $input) { rule { id kind } userErrors { code field } } }";
        let organisation = world.draft("Anything").await["organisation"]["id"].clone();
        let input = json!({ "organisationId": organisation, "kind": "GRADUATE_JOB", "reason": "Years of good ones." });
        let answer = world.employer.graphql(set, json!({ "input": input })).await;
        assert_eq!(answer.codes(), ["FORBIDDEN"], "nobody trusts themselves");
        let answer = world.moderator.graphql(set, json!({ "input": input })).await;
        assert_eq!(answer.refusals(), [""; 0], "{answer:?}");
        let rule = answer.data["setVacancyRule"]["rule"]["id"].clone();
        assert_eq!(world.moderator.graphql(set, json!({ "input": input })).await.refusals(), ["TAKEN"]);
        let query = "query($id: ID!) { node(id: $id) { ... on Organisation { vacancyRules { kind reason setBy { name } } } } }";
        let seen = world.moderator.data(query, json!({ "id": organisation })).await;
        assert_eq!(seen["node"]["vacancyRules"][0]["reason"], "Years of good ones.");

        let at_once = world.submitted("Trusted Engineer").await;
        assert_eq!((&at_once["state"], &at_once["closesOn"]), (&json!("APPROVED"), &json!("2026-11-05")));
        assert!(is_there(&world.student, &at_once).await);
        let mut other_kind = advert("Intern");
        other_kind["kind"] = json!("INTERNSHIP");
        let draft = done(&world.employer, "createVacancy", other_kind).await;
        assert_eq!(done(&world.employer, "submitVacancy", at(&draft)).await["state"], "SUBMITTED", "the rule is for another kind");
        let changed = done(&world.employer, "updateVacancy", with(&at_once, json!({ "title": "Trusted Engineers" }))).await;
        assert_eq!(changed["state"], "APPROVED");
        let end = "mutation($input: EndVacancyRuleInput!) { endVacancyRule(input: $input) { rule { endedAt } userErrors { code } } }";
        world.moderator.data(end, json!({ "input": { "ruleId": rule } })).await;
        assert_eq!(world.submitted("Later Engineer").await["state"], "SUBMITTED");
    }

    async fn suspending_or_declining_an_organisation_takes_its_open_vacancies_with_it(bed: TestBed) {
        let world = World::open(&bed).await;
        let (open, waiting) = (world.approved("Caster").await, world.submitted("Moulder").await);
        let draft = world.draft("Pattern Maker").await;
        let review = "mutation($input: ReviewOrganisationInput!) { reviewOrganisation(input: $input) {
            organisation { version state } userErrors { code message } } }";
        let organisation = &open["organisation"];
        let input = json!({ "organisationId": organisation["id"], "version": organisation["version"], "decision": "SUSPEND",
            "reason": "Complaints of unpaid work." });
        let answer = world.moderator.graphql(review, json!({ "input": input })).await;
        assert_eq!(answer.refusals(), [""; 0], "{answer:?}");
        assert!(!is_there(&world.student, &open).await);
        for vacancy in [&open, &waiting] {
            let seen = world.state_of(&vacancy["id"]).await;
            assert_eq!((&seen["state"], &seen["reason"]), (&json!("DECLINED"), &json!("Complaints of unpaid work.")));
        }
        assert_eq!(world.state_of(&draft["id"]).await["state"], "DRAFT");
        assert_eq!(refused(&world.employer, "submitVacancy", at(&draft)).await, [("WRONG_STATE".to_owned(), "id".to_owned())]);

        // Reinstated, it submits them again: nothing comes back by itself.
        let version = &answer.data["reviewOrganisation"]["organisation"]["version"];
        let input = json!({ "organisationId": organisation["id"], "version": version, "decision": "REINSTATE" });
        assert_eq!(world.moderator.graphql(review, json!({ "input": input })).await.refusals(), [""; 0]);
        assert!(!is_there(&world.student, &open).await);
        let seen = world.state_of(&open["id"]).await;
        let again = done(&world.employer, "submitVacancy", json!({ "id": open["id"], "version": seen["version"] })).await;
        assert_eq!(again["state"], "SUBMITTED");
    }

    async fn students_have_those_that_are_open_and_suit_their_programme(bed: TestBed) {
        let world = World::open(&bed).await;
        let store = world.system.store();
        let student = user::Entity::find().filter(user::Column::Email.starts_with("student1@")).one(store.reader()).await.unwrap().unwrap();
        let own = student.programme_id.unwrap();
        let other = programme::Entity::find().filter(programme::Column::Id.ne(own)).one(store.reader()).await.unwrap().unwrap().id;
        let mut made = Vec::new();
        for (title, programmes, from) in [
            ("For them", json!([own]), Value::Null),
            ("For others", json!([other]), Value::Null),
            ("For both", json!([other, own]), Value::Null),
            ("For all", json!([]), Value::Null),
            ("Next week", json!([own]), json!("2026-10-12")),
        ] {
            let mut input = advert(title);
            input["programmeIds"] = programmes;
            input["publishedFrom"] = from;
            let draft = done(&world.employer, "createVacancy", input).await;
            let submitted = done(&world.employer, "submitVacancy", at(&draft)).await;
            made.push(done(&world.moderator, "reviewVacancy", with(&submitted, json!({ "decision": "APPROVE" }))).await);
        }
        let mut found = titles(&world.student, json!({ "search": "aire valley" })).await;
        found.retain(|title| title.starts_with("For") || title.starts_with("Next"));
        found.sort();
        assert_eq!(found, ["For all", "For both", "For them"]);
        for (vacancy, is_theirs) in made.iter().zip([true, false, true, true, false]) {
            assert_eq!(is_there(&world.student, vacancy).await, is_theirs, "{vacancy}");
        }
        // Nor by the organisation, nor by a filter for another programme.
        let query = "query($id: ID!) { node(id: $id) { ... on Organisation { vacancies { title } } } }";
        let listed = world.student.data(query, json!({ "id": made[0]["organisation"]["id"] })).await;
        let listed = listed["node"]["vacancies"].to_string();
        assert!(listed.contains("For them") && !listed.contains("For others") && !listed.contains("Next week"), "{listed}");
        assert!(!titles(&world.student, json!({ "programmeId": other })).await.contains(&"For others".to_owned()));
        for filter in ["state: SUBMITTED", "awaitsReview: true"] {
            let query = format!("{{ vacancies(filter: {{ {filter} }}) {{ totalCount }} }}");
            assert_eq!(world.student.graphql(&query, json!({})).await.codes(), ["FORBIDDEN"], "{filter}");
        }
        let query = "query($id: ID!) { node(id: $id) { ... on Vacancy { reason decidedBy { name } } } }";
        let answer = world.student.graphql(query, json!({ "id": made[0]["id"] })).await;
        assert_eq!(answer.codes(), ["FORBIDDEN", "FORBIDDEN"]);
        let wrong = refused(&world.employer, "updateVacancy", with(&made[0], json!({ "programmeIds": ["prg_01h455vb4pex5vsknk084sn02q"] }))).await;
        assert_eq!(wrong, [("NOT_FOUND".to_owned(), "programmeIds".to_owned())]);
    }

    async fn whom_to_ask_is_shown_to_students_only_under_both_consents_in_whatever_field(bed: TestBed) {
        let world = World::open(&bed).await;
        let store = world.system.store();
        let named = |name: &'static str| contact::Entity::find().filter(contact::Column::Name.eq(name)).one(store.reader());
        // Erin agreed to be shown, and so did the organisation; Paul did not.
        let (erin, paul) = (named("Erin Doyle").await.unwrap().unwrap(), named("Paul Sykes").await.unwrap().unwrap());
        let mut input = advert("Asked");
        input["contactId"] = json!(erin.id);
        let draft = done(&world.employer, "createVacancy", input).await;
        let submitted = done(&world.employer, "submitVacancy", at(&draft)).await;
        let open = done(&world.moderator, "reviewVacancy", with(&submitted, json!({ "decision": "APPROVE" }))).await;
        let query = "query($id: ID!) { node(id: $id) { ... on Vacancy { contact { name email } } } }";
        let ask = async || world.student.data(query, json!({ "id": open["id"] })).await["node"]["contact"].clone();
        assert_eq!(ask().await["email"], json!(erin.email));
        let mut row = organisation::Entity::find_by_id(erin.organisation_id).one(store.reader()).await.unwrap().unwrap().into_active_model();
        row.shows_contacts_to_students = Set(false);
        row.update(store.reader()).await.unwrap();
        assert_eq!(ask().await, Value::Null, "the organisation took its consent back");

        // Nor in words. The control: an address of nobody is taken.
        for (field, text) in [
            ("description", format!("Ask {}.", paul.email.as_deref().unwrap().to_uppercase())),
            ("howToApply", format!("Call +44 (0){}", &paul.telephone.as_deref().unwrap()[1..])),
            ("applyLink", format!("https://airevalley.test/?to={}", paul.email.as_deref().unwrap())),
        ] {
            let mut input = advert("In words");
            input[field] = json!(text);
            assert_eq!(refused(&world.employer, "createVacancy", input).await, [("INVALID".to_owned(), field.to_owned())], "{text}");
        }
        let mut input = advert("In words");
        input["howToApply"] = json!("Write to jobs@airevalley.test or call 0113 496 9999.");
        done(&world.employer, "createVacancy", input).await;
        let stranger = named("Nadia Hussain").await.unwrap().unwrap();
        let mut input = advert("A stranger");
        input["contactId"] = json!(stranger.id);
        assert_eq!(refused(&world.employer, "createVacancy", input).await, [("NOT_FOUND".to_owned(), "contactId".to_owned())]);
    }

    async fn an_employer_has_its_own_vacancies_and_no_others_and_staff_need_the_permission(bed: TestBed) {
        let world = World::open(&bed).await;
        let store = world.system.store();
        let other = organisation::Entity::find().filter(organisation::Column::Name.starts_with("Brightwater")).one(store.reader()).await.unwrap().unwrap();
        let mut input = advert("Not theirs");
        input["organisationId"] = json!(other.id);
        assert_eq!(refused(&world.employer, "createVacancy", input.clone()).await, [("NOT_FOUND".to_owned(), "organisationId".to_owned())]);
        let theirs = done(&world.moderator, "createVacancy", input).await;
        assert!(!is_there(&world.employer, &theirs).await);
        for (mutation, more) in [
            ("updateVacancy", json!({ "title": "Mine" })),
            ("submitVacancy", json!({})),
            ("closeVacancy", json!({ "outcome": "WITHDRAWN" })),
        ] {
            let refused = refused(&world.employer, mutation, with(&theirs, more)).await;
            assert_eq!(refused, [("NOT_FOUND".to_owned(), "id".to_owned())], "{mutation}");
        }
        let titles = titles(&world.employer, json!({})).await;
        assert!(titles.iter().all(|title| title.contains("Robotics") || title.contains("Perception")), "{titles:?}");
        let own = world.submitted("Own").await;
        for who in ["untrained", "student1"] {
            let client = world.system.demo_client(who).await;
            let answer = call(&client, "closeVacancy", with(&own, json!({ "outcome": "WITHDRAWN" }))).await;
            assert_eq!(answer.codes(), ["FORBIDDEN"], "{who}");
        }
        let answer = call(&world.employer, "reviewVacancy", with(&own, json!({ "decision": "APPROVE" }))).await;
        assert_eq!(answer.codes(), ["FORBIDDEN"], "nobody approves their own");
        let anybody = world.system.client();
        assert_eq!(anybody.graphql("{ vacancies { totalCount } }", json!({})).await.codes(), ["FORBIDDEN"]);
    }
}
