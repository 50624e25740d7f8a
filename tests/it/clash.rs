//! Clashes: the draft is compared with every event near it, a severe clash needs a reason, and the other organiser is told
//! (policy 2.4).

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    Error, RefusalCode, Viewer,
    clash::{self, Acknowledgement, Severity},
    event::{self as events, AudienceGroup, EventChanges, EventDraft},
    organisation::{self, Profile},
};
use entity::{
    clash_acknowledgement, event,
    event::{EventKind, EventState},
    ids::{EventId, OrganisationId},
    user,
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, PaginatorTrait};
use serde_json::{Value, json};
use support::{Client, Desk, TestBed, on_both_columns, until};

use crate::campus::{Campus, codes, fields};

const PATIENCE: Duration = Duration::from_secs(20);

const CREATE: &str = "mutation($input: CreateEventInput!) {
    createEvent(input: $input) { event { id } userErrors { code field message } } }";
const PUBLISH: &str = "mutation($input: PublishEventInput!) {
    publishEvent(input: $input) { event { state } userErrors { code field message } } }";
const CLASHES: &str = "query($input: EventClashesInput, $eventId: ID) { eventClashes(input: $input, eventId: $eventId) {
    severity proximity why event { id } other { id title } acknowledgement { reason acknowledgedBy { name } } } }";
const AHEAD: &str = "{ clashesAhead(first: 100) { totalCount nodes { severity why event { title } other { title } } } }";

/// An organisation in the database.
async fn employer(campus: &Campus, name: &str) -> OrganisationId {
    let profile = Profile {
        sector: Some("Energy".to_owned()),
        ..Profile::named(name)
    };
    let created = campus
        .change(async |tx| organisation::create(tx, &Viewer::system(), profile, true).await)
        .await;
    created.unwrap().id
}

/// A presentation by an employer in a week, by these clocks.
fn presentation(campus: &Campus, organisation: OrganisationId) -> EventDraft {
    EventDraft {
        kind: EventKind::EmployerPresentation,
        organisation_ids: vec![organisation],
        ..campus.draft(10)
    }
}

async fn written(campus: &Campus, viewer: &Viewer, draft: EventDraft) -> event::Model {
    let created = campus
        .change(async |tx| events::create(tx, viewer, draft).await)
        .await;
    created.unwrap()
}

fn knowing(event: EventId) -> Vec<Acknowledgement> {
    vec![Acknowledgement {
        event_id: event,
        reason: "No other evening is free.".to_owned(),
    }]
}

/// The body of the one mail to that demo account with this in its subject.
async fn mail_to(bed: &TestBed, mailbox: &str, subject: &str) -> String {
    let address = format!("{mailbox}@{}", api::demo::DOMAIN);
    until(PATIENCE, "the mail comes", async || {
        let mails = bed.mail().received();
        let mut found = mails
            .iter()
            .filter(|mail| mail.to.contains(&address))
            .filter_map(|mail| {
                let parsed = mail_parser::MessageParser::default().parse(&mail.raw)?;
                parsed
                    .subject()?
                    .contains(subject)
                    .then(|| parsed.body_text(0).unwrap().into_owned())
            });
        let first = found.next();
        assert!(found.next().is_none(), "{subject} came twice");
        first
    })
    .await
}

async fn organisation_named(client: &Client, name: &str) -> Value {
    let found = client
        .data(
            "query($name: String) { organisations(filter: { search: $name }) { nodes { id } } }",
            json!({ "name": name }),
        )
        .await;
    found["organisations"]["nodes"][0]["id"].clone()
}

on_both_columns! {
    async fn a_severe_clash_is_published_only_with_a_reason_and_the_other_organiser_is_told(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (admin, operator) = (system.demo_client("admin").await, system.demo_client("operator").await);
        let employer = organisation_named(&operator, "Brightwater").await;
        let starts_at: DateTime<Utc> = system.store().now() + TimeDelta::days(40);
        let input = |title: &str, minutes| json!({
            "title": title,
            "kind": "EMPLOYER_PRESENTATION",
            "startsAt": (starts_at + TimeDelta::minutes(minutes)).to_rfc3339(),
            "endsAt": (starts_at + TimeDelta::minutes(minutes + 120)).to_rfc3339(),
            "capacity": 20,
            "organisationIds": [employer],
            "opportunityKinds": ["GRADUATE_JOB"],
        });
        let mut ids = Vec::new();
        for (client, title, minutes) in [(&admin, "Power for the north", 0), (&operator, "Wind and water", 60)] {
            let created = client.data(CREATE, json!({ "input": input(title, minutes) })).await;
            assert_eq!(created["createEvent"]["userErrors"], json!([]));
            ids.push(created["createEvent"]["event"]["id"].as_str().unwrap().to_owned());
        }
        let first = admin.data(PUBLISH, json!({ "input": { "eventId": ids[0] } })).await;
        assert_eq!(first["publishEvent"]["event"]["state"], "PUBLISHED");

        let mut draft = input("", 60);
        for only_of_events in ["title", "capacity"] {
            draft.as_object_mut().unwrap().remove(only_of_events);
        }
        let before = operator.data(CLASHES, json!({ "input": draft, "eventId": ids[1] })).await;
        assert_eq!(before["eventClashes"].as_array().unwrap().len(), 1, "{before}");
        let found = &before["eventClashes"][0];
        assert_eq!((&found["severity"], &found["proximity"]), (&json!("SEVERE"), &json!("OVERLAPPING")));
        assert_eq!(found["other"]["title"], "Power for the north");
        let why = found["why"].as_str().unwrap().to_owned();
        assert!(why.starts_with("At the same time as “Power for the north”, "), "{why}");
        assert!(
            why.ends_with(": Brightwater Energy plc takes part in both, both offer graduate jobs and both are for every student."),
            "{why}"
        );

        let refused = operator.data(PUBLISH, json!({ "input": { "eventId": ids[1] } })).await;
        let error = &refused["publishEvent"]["userErrors"][0];
        assert_eq!((&error["code"], &error["field"]), (&json!("SEVERE_CLASH"), &json!("acknowledgeClashes")));
        assert!(error["message"].as_str().unwrap().contains(&why), "{error}");
        let unexplained = json!({ "eventId": ids[1], "acknowledgeClashes": [{ "eventId": ids[0], "reason": " " }] });
        let unexplained = operator.data(PUBLISH, json!({ "input": unexplained })).await;
        assert_eq!(unexplained["publishEvent"]["userErrors"][0]["code"], "REQUIRED");

        let reason = "The speaker is here on this evening alone.";
        let knowing = json!({ "eventId": ids[1], "acknowledgeClashes": [{ "eventId": ids[0], "reason": reason }] });
        let published = operator.data(PUBLISH, json!({ "input": knowing })).await;
        assert_eq!(published["publishEvent"]["event"]["state"], "PUBLISHED", "{published}");
        let mail = mail_to(&bed, "admin", "An event clashes with yours").await;
        for said in ["Wind and water", "Power for the north", reason, "Oliver Hughes"] {
            assert!(mail.contains(said), "{said}: {mail}");
        }
        // Both organisers read the reason, and it stands in the audit log.
        for (client, id) in [(&admin, &ids[0]), (&operator, &ids[1])] {
            let after = client.data(CLASHES, json!({ "eventId": id })).await;
            let acknowledgement = &after["eventClashes"][0]["acknowledgement"];
            assert_eq!(acknowledgement["reason"], reason);
            assert_eq!(acknowledgement["acknowledgedBy"]["name"], "Oliver Hughes");
        }
        let audited = entity::audit_entry::Entity::find().all(system.store().reader()).await.unwrap();
        let audited: Vec<_> = audited.iter().filter(|entry| entry.action == "event.acknowledge_clash").collect();
        assert_eq!(audited.len(), 1);
        assert_eq!(audited[0].subject, ids[1]);
        assert_eq!(audited[0].after.as_ref().unwrap()["reason"], reason);
    }

    async fn students_and_employers_are_not_shown_clashes(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        for mailbox in ["student1", "employer", "untrained"] {
            let client = system.demo_client(mailbox).await;
            let ahead = client.graphql(AHEAD, json!({})).await;
            assert_eq!(ahead.codes(), ["FORBIDDEN"], "{mailbox}");
        }
        let ahead = system.demo_client("superuser").await.data(AHEAD, json!({})).await;
        assert!(ahead["clashesAhead"]["totalCount"].as_i64().unwrap() >= 1, "{ahead}");
        assert_eq!(ahead["clashesAhead"]["nodes"].as_array().unwrap().len(), ahead["clashesAhead"]["totalCount"]);
    }

    async fn another_faculty_s_draft_is_warned_of_and_not_told_by_name(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let desk = Desk::open(&bed).await;
        let (law, music) = (campus.faculty("Law").await, campus.faculty("Music").await);
        let (lawyer, musician) = (campus.operator_of("lara", law).await, campus.operator_of("mia", music).await);
        let acme = employer(&campus, "Acme").await;
        let hidden = EventDraft {
            title: "The secret evening".to_owned(),
            faculty_id: Some(law),
            ..presentation(&campus, acme)
        };
        let hidden = written(&campus, &campus.operator, hidden).await;
        let open = EventDraft { faculty_id: Some(music), ..presentation(&campus, acme) };
        let open = written(&campus, &campus.operator, open).await;

        let (told, _) = desk.data(&musician, CLASHES, json!({ "eventId": open.id })).await;
        let told = &told["eventClashes"][0];
        assert_eq!(told["severity"], "WARNING", "a draft may never be published");
        assert_eq!(told["other"], Value::Null);
        assert_eq!(
            told["why"],
            "At the same time as an event that Law is planning and has not published. Ask there before you settle on the time."
        );
        let (own, _) = desk.data(&campus.operator, CLASHES, json!({ "eventId": open.id })).await;
        assert_eq!(own["eventClashes"][0]["other"]["title"], "The secret evening");

        // It stops nobody from publishing; whoever is second is asked.
        campus.change(async |tx| events::publish(tx, &musician, open.id).await).await.unwrap();
        let second = campus.change(async |tx| events::publish(tx, &lawyer, hidden.id).await).await;
        assert_eq!(codes(second), [RefusalCode::SevereClash]);
    }

    async fn events_for_other_students_or_on_other_days_need_no_reason(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let (law, music) = (campus.faculty("Law").await, campus.faculty("Music").await);
        let acme = employer(&campus, "Acme").await;
        let only_for = |faculty| vec![AudienceGroup { faculty_id: Some(faculty), ..AudienceGroup::default() }];
        let lawyers = EventDraft { audience: only_for(law), ..presentation(&campus, acme) };
        let lawyers = written(&campus, &campus.operator, lawyers).await;
        campus.change(async |tx| events::publish(tx, &campus.operator, lawyers.id).await).await.unwrap();

        let musicians = EventDraft { audience: only_for(music), ..presentation(&campus, acme) };
        let mut next_day = EventDraft { audience: only_for(law), ..presentation(&campus, acme) };
        next_day.starts_at += TimeDelta::days(1);
        next_day.ends_at += TimeDelta::days(1);
        for draft in [musicians, next_day] {
            let event = written(&campus, &campus.operator, draft).await;
            let found = clash::of_event(campus.store.reader(), &campus.operator, &event).await.unwrap();
            assert_eq!(found[0].severity, Severity::Notice, "{found:?}");
            campus.change(async |tx| events::publish(tx, &campus.operator, event.id).await).await.unwrap();
        }
    }

    async fn an_event_on_the_calendar_is_not_moved_into_a_severe_clash_unawares(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let acme = employer(&campus, "Acme").await;
        let first = written(&campus, &campus.operator, presentation(&campus, acme)).await;
        let mut later = presentation(&campus, acme);
        later.starts_at += TimeDelta::days(1);
        later.ends_at += TimeDelta::days(1);
        let later = written(&campus, &campus.operator, later).await;
        for event in [&first, &later] {
            campus.change(async |tx| events::publish(tx, &campus.operator, event.id).await).await.unwrap();
        }
        let to_the_first = |acknowledged| EventChanges {
            starts_at: Some(first.starts_at + TimeDelta::minutes(30)),
            ends_at: Some(first.ends_at + TimeDelta::minutes(30)),
            acknowledged,
            ..EventChanges::default()
        };
        let refused = campus
            .change(async |tx| events::update(tx, &campus.operator, later.id, 2, to_the_first(Vec::new())).await)
            .await;
        assert_eq!(fields(refused), ["acknowledgeClashes"]);
        assert_eq!(campus.event_now(later.id).await.starts_at, later.starts_at);
        let renamed = EventChanges { title: Some("Another name".to_owned()), ..EventChanges::default() };
        campus.change(async |tx| events::update(tx, &campus.operator, later.id, 2, renamed).await).await.unwrap();
        campus
            .change(async |tx| events::update(tx, &campus.operator, later.id, 3, to_the_first(knowing(first.id))).await)
            .await
            .unwrap();
        // Known once, it isn't asked again, from either side.
        let longer = EventChanges { ends_at: Some(first.ends_at + TimeDelta::hours(1)), ..EventChanges::default() };
        campus.change(async |tx| events::update(tx, &campus.operator, first.id, 2, longer).await).await.unwrap();
        let kept = clash_acknowledgement::Entity::find().count(campus.store.reader()).await.unwrap();
        assert_eq!(kept, 1);
        assert!(campus.letters().await.is_empty(), "nobody writes to themselves");
    }

    async fn of_two_that_are_published_at_once_one_sees_the_other(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        for _ in 0..10 {
            let acme = employer(&campus, &format!("Acme {}", rand_name())).await;
            let one = written(&campus, &campus.operator, presentation(&campus, acme)).await;
            let other = written(&campus, &campus.operator, presentation(&campus, acme)).await;
            let publish = async |id| campus.change(async |tx| events::publish(tx, &campus.operator, id).await).await;
            let (first, second) = tokio::join!(publish(one.id), publish(other.id));
            let severe = |result: &Result<event::Model, Error>| match result {
                Ok(event) => { assert_eq!(event.state, EventState::Published); false }
                Err(Error::Refused(refusals)) => {
                    assert!(refusals.iter().any(|refusal| refusal.code == RefusalCode::SevereClash), "{refusals:?}");
                    true
                }
                Err(error) => panic!("{error}"),
            };
            assert_eq!([severe(&first), severe(&second)].iter().filter(|refused| **refused).count(), 1);
            let published = if first.is_ok() { one.id } else { other.id };
            campus.change(async |tx| events::cancel(tx, &campus.operator, published, "The next round.").await).await.unwrap();
        }
    }

    /// The control of the test above: without waiting for the other change, neither sees the other.
    async fn an_event_that_is_being_published_is_seen_by_nobody_who_does_not_wait_for_it(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let acme = employer(&campus, "Acme").await;
        let one = written(&campus, &campus.operator, presentation(&campus, acme)).await;
        let other = written(&campus, &campus.operator, presentation(&campus, acme)).await;
        let mut tx = campus.store.begin().await.unwrap();
        events::publish(&mut tx, &campus.operator, one.id).await.unwrap();
        let unawares = clash::of_event(campus.store.reader(), &campus.operator, &other).await.unwrap();
        assert!(unawares.iter().all(|clash| clash.severity < Severity::Severe), "{unawares:?}");
        tx.commit().await.unwrap();
        let aware = clash::of_event(campus.store.reader(), &campus.operator, &other).await.unwrap();
        assert_eq!(aware[0].severity, Severity::Severe);
    }

    async fn super_users_are_told_once_a_week_of_clashes_ahead(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let super_user = campus.staff("sue").await;
        let mut row: user::ActiveModel = user::Entity::find_by_id(super_user.user_id().unwrap())
            .one(campus.store.reader())
            .await
            .unwrap()
            .unwrap()
            .into();
        row.is_super_user = Set(true);
        row.update(campus.store.reader()).await.unwrap();
        let tell = async || campus.change(async |tx| clash::tell_of_clashes_ahead(tx).await).await.unwrap();
        assert_eq!(tell().await, 0, "nothing is ahead");

        let acme = employer(&campus, "Acme").await;
        let one = written(&campus, &campus.operator, presentation(&campus, acme)).await;
        let other = written(&campus, &campus.operator, presentation(&campus, acme)).await;
        campus.change(async |tx| events::publish(tx, &campus.operator, one.id).await).await.unwrap();
        campus
            .change(async |tx| events::publish_knowing(tx, &campus.operator, other.id, &knowing(one.id)).await)
            .await
            .unwrap();
        assert_eq!(tell().await, 1);
        assert_eq!(tell().await, 0, "one letter a week");
        assert_eq!(campus.mails_to(&super_user).await, ["clashes_ahead"]);
        let letters = campus.letters().await;
        let letter = letters.iter().find(|letter| letter.template == "clashes_ahead").unwrap();
        assert_eq!(letter.fields["clashes"][0]["severe"], true);
        assert_eq!(letter.fields["clashes"][0]["acknowledged"], true);

        campus.clock.advance(TimeDelta::days(7));
        campus.clock.advance(-TimeDelta::hours(1));
        assert_eq!(tell().await, 1, "a week later, an hour before the events");
        campus.clock.advance(TimeDelta::days(7));
        assert_eq!(tell().await, 0, "it is over");
    }

    async fn a_draft_is_compared_in_as_many_statements_with_thirty_events_as_with_one(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let desk = Desk::open(&bed).await;
        let acme = employer(&campus, "Acme").await;
        let one = written(&campus, &campus.operator, presentation(&campus, acme)).await;
        written(&campus, &campus.operator, presentation(&campus, acme)).await;
        let query = "query($eventId: ID) { eventClashes(eventId: $eventId) { why } }";
        let (few, for_few) = desk.data(&campus.operator, query, json!({ "eventId": one.id })).await;
        assert_eq!(few["eventClashes"].as_array().unwrap().len(), 1);
        for _ in 0..30 {
            written(&campus, &campus.operator, presentation(&campus, acme)).await;
        }
        let (many, for_many) = desk.data(&campus.operator, query, json!({ "eventId": one.id })).await;
        assert_eq!(many["eventClashes"].as_array().unwrap().len(), 31);
        assert_eq!(for_few, for_many);
    }
}

/// A name that no other has.
fn rand_name() -> String {
    OrganisationId::new_at(DateTime::UNIX_EPOCH).to_string()
}
