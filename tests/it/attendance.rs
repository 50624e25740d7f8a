//! At the door (policy 2.4): lists, people without a booking, the list in hand, the count that goes up.

use chrono::TimeDelta;
use entity::{access_grant::Permission, audit_entry, event::Model, ids::EventId, user};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::{Value, json};
use support::{Client, Response, System, TestBed, on_both_columns, operator};

use crate::campus::Campus;

const LIST: &str = "mutation($id: ID!, $list: String!) { checkInList(input: { eventId: $id, list: $list }) {
    lines { number text outcome booking { state person { name } } } userErrors { code field message } } }";
const WALK_IN: &str = "mutation($input: CheckInWalkInInput!) { checkInWalkIn(input: $input) {
    booking { id state stateReason checkedInAt } userErrors { code field message } } }";
const EXPORT: &str = "mutation($id: ID!) { exportDoorList(input: { eventId: $id }) {
    doorList { csv } userErrors { code } } }";
const FIND: &str = "query($id: ID!, $name: String!) { findAtDoor(eventId: $id, name: $name) { state person { name } } }";

/// The campus, its operator at a desk of their own, and an event whose doors are open.
struct Door {
    campus: Campus,
    system: System,
    operator: Client,
    event: Model,
}

impl Door {
    async fn open(bed: &TestBed, capacity: i32) -> Self {
        let system = bed.system_with_demo_data().await;
        let campus = Campus::new(bed).await;
        let event = campus.event(capacity).await;
        Self {
            operator: system.demo_client("operator").await,
            campus,
            system,
            event,
        }
    }

    async fn starts(&mut self, bed: &TestBed, before: TimeDelta) {
        bed.clock().set(self.event.starts_at - before);
        self.operator = self.system.demo_client("operator").await;
    }

    fn id(&self) -> String {
        self.event.id.to_string()
    }

    async fn list(&self, list: &str) -> Response {
        self.operator
            .graphql(LIST, json!({ "id": self.id(), "list": list }))
            .await
    }

    async fn outcomes(&self, list: &str) -> Vec<(u64, String)> {
        let answer = self.list(list).await;
        let lines = answer.data["checkInList"]["lines"].as_array();
        let lines = lines.unwrap_or_else(|| panic!("{answer:?}"));
        let outcome = |line: &Value| {
            (
                line["number"].as_u64().unwrap(),
                line["outcome"].as_str().unwrap().to_owned(),
            )
        };
        lines.iter().map(outcome).collect()
    }

    async fn walk_in(&self, name: &str, reason: Option<&str>) -> Response {
        let email = format!("{name}@university.test");
        let input = json!({ "eventId": self.id(), "email": email, "reason": reason });
        self.operator
            .graphql(WALK_IN, json!({ "input": input }))
            .await
    }

    async fn came(&self) -> u64 {
        let query = "query($id: ID!) { node(id: $id) { ... on Event { bookings(state: ATTENDED) { totalCount } } } }";
        let data = self.operator.data(query, json!({ "id": self.id() })).await;
        data["node"]["bookings"]["totalCount"].as_u64().unwrap()
    }
}

async fn audited(campus: &Campus, action: &str, event: EventId) -> usize {
    let lines = audit_entry::Entity::find()
        .filter(audit_entry::Column::Action.eq(action))
        .filter(audit_entry::Column::Subject.eq(event.to_string()))
        .all(campus.store.reader())
        .await
        .unwrap();
    lines.len()
}

on_both_columns! {
    async fn a_list_of_who_came_is_told_line_by_line_what_became_of_it(bed: TestBed) {
        let mut door = Door::open(&bed, 2).await;
        let people = door.campus.students(4).await;
        let mut booked = Vec::new();
        for person in &people[..3] {
            booked.push(door.campus.book(person, door.event.id).await.unwrap());
        }
        door.starts(&bed, TimeDelta::hours(1)).await;
        let list = format!(
            "Name,E-mail\n\nStudent One; STUDENT1@university.test\n{}\nstudent3@university.test\nstudent4@university.test\nstudent1@university.test",
            booked[1].ticket_code.to_lowercase(),
        );
        let said = |said: [(u64, &str); 6]| said.map(|(number, outcome)| (number, outcome.to_owned()));
        assert_eq!(
            door.outcomes(&list).await,
            said([
                (1, "UNREADABLE"), (3, "CHECKED_IN"), (4, "CHECKED_IN"), (5, "NO_PLACE"), (6, "NOT_BOOKED"),
                (7, "CHECKED_IN_BEFORE"),
            ])
        );
        assert_eq!(door.came().await, 2);
        assert_eq!(audited(&door.campus, "booking.check_in_list", door.event.id).await, 1);

        // The same list once more does no harm, and changes nothing.
        let before = door.campus.booking_now(booked[0].id).await;
        bed.clock().advance(TimeDelta::minutes(5));
        assert_eq!(
            door.outcomes(&list).await,
            said([
                (1, "UNREADABLE"), (3, "CHECKED_IN_BEFORE"), (4, "CHECKED_IN_BEFORE"), (5, "NO_PLACE"),
                (6, "NOT_BOOKED"), (7, "CHECKED_IN_BEFORE"),
            ])
        );
        assert_eq!(door.campus.booking_now(booked[0].id).await, before);
        assert_eq!(audited(&door.campus, "booking.check_in_list", door.event.id).await, 1);
    }

    async fn a_list_is_refused_before_the_doors_open_without_lines_and_to_whoever_does_not_manage_the_event(bed: TestBed) {
        let mut door = Door::open(&bed, 2).await;
        assert_eq!(door.list("student1@university.test").await.refusals(), ["WRONG_STATE"]);
        door.starts(&bed, TimeDelta::hours(1)).await;
        assert_eq!(door.list(" \n ").await.refusals(), ["REQUIRED"]);
        let long = "a@b.test\n".repeat(2_001);
        assert_eq!(door.list(&long).await.refusals(), ["TOO_LONG"]);
        let student = door.system.demo_client("student1").await;
        for (query, variables) in [
            (LIST, json!({ "id": door.id(), "list": "x" })),
            (EXPORT, json!({ "id": door.id() })),
            (WALK_IN, json!({ "input": { "eventId": door.id(), "email": "a@b.test" } })),
            (FIND, json!({ "id": door.id(), "name": "a" })),
        ] {
            assert_eq!(student.graphql(query, variables).await.codes()[0], "FORBIDDEN", "{query}");
        }
    }

    async fn whoever_comes_without_a_booking_is_let_in_as_the_rules_say(bed: TestBed) {
        let mut door = Door::open(&bed, 3).await;
        door.campus.student("ann").await;
        door.campus.staff("sid").await;
        let bob = door.campus.student("bob").await;
        let booked = door.campus.book(&bob, door.event.id).await.unwrap();
        door.starts(&bed, TimeDelta::hours(1)).await;

        let admitted = door.walk_in("ann", None).await;
        assert_eq!(admitted.data["checkInWalkIn"]["booking"]["state"], "ATTENDED", "{admitted:?}");
        let again = door.walk_in("ann", None).await;
        assert_eq!(again.data, admitted.data, "it works twice without harm");

        let refused = door.walk_in("sid", None).await;
        assert_eq!(refused.refusals(), ["NOT_ELIGIBLE"]);
        let message = &refused.data["checkInWalkIn"]["userErrors"][0]["message"];
        assert!(message.as_str().unwrap().starts_with("Places are for students and graduates."), "{message}");
        let all_the_same = door.walk_in("sid", Some("He speaks.")).await;
        assert_eq!(all_the_same.data["checkInWalkIn"]["booking"]["stateReason"], "He speaks.");

        let marked = door.walk_in("bob", None).await;
        assert_eq!(marked.data["checkInWalkIn"]["booking"]["id"], booked.id.to_string());
        assert_eq!(door.walk_in("nobody", None).await.refusals(), ["NOT_FOUND"]);
        assert_eq!(door.campus.event_now(door.event.id).await.places_taken, 3);
        assert_eq!(door.came().await, 3);
        door.campus.student("eve").await;
        assert_eq!(door.walk_in("eve", None).await.refusals(), ["NO_PLACE_FREE"]);
    }

    async fn until_the_event_starts_a_free_place_belongs_to_whoever_waits(bed: TestBed) {
        let mut door = Door::open(&bed, 1).await;
        let people = door.campus.students(2).await;
        let placed = door.campus.book(&people[0], door.event.id).await.unwrap();
        let waiting = door.campus.book(&people[1], door.event.id).await.unwrap();
        door.campus.student("ann").await;
        // After the cut-off nobody is promoted by itself.
        door.starts(&bed, TimeDelta::minutes(30)).await;
        door.campus.cancel(&people[0], placed.id).await.unwrap();
        door.campus.run_jobs().await;
        assert_eq!(door.walk_in("ann", None).await.refusals(), ["WRONG_STATE"]);
        door.starts(&bed, TimeDelta::minutes(-1)).await;
        let came = door.walk_in("student2", None).await;
        assert_eq!(came.data["checkInWalkIn"]["booking"]["id"], waiting.id.to_string(), "who waited keeps their booking");
        assert_eq!(door.walk_in("ann", None).await.refusals(), ["NO_PLACE_FREE"]);
    }

    async fn the_list_for_the_door_carries_nothing_out_and_stands_in_the_audit_log(bed: TestBed) {
        let door = Door::open(&bed, 1).await;
        let people = door.campus.students(2).await;
        let placed = door.campus.book(&people[0], door.event.id).await.unwrap();
        door.campus.book(&people[1], door.event.id).await.unwrap();
        user::Entity::update_many()
            .col_expr(user::Column::Name, Expr::value("=HYPERLINK(\"http://evil.test\")"))
            .filter(user::Column::Id.eq(people[0].user_id().unwrap()))
            .exec(door.campus.store.reader())
            .await
            .unwrap();
        let answer = door.operator.data(EXPORT, json!({ "id": door.id() })).await;
        let csv = answer["exportDoorList"]["doorList"]["csv"].as_str().unwrap().to_owned();
        let code = domain::booking::ticket::shown(&placed.ticket_code);
        let expected = format!(
            "Name,E-mail,Ticket,State,Checked in,Places\n\
             \"'=HYPERLINK(\"\"http://evil.test\"\")\",student1@university.test,{code},booked,,1\n\
             student2,student2@university.test,,waits,,1\n"
        );
        assert_eq!(csv, expected);
        assert_eq!(audited(&door.campus, "event.export_door_list", door.event.id).await, 1);
    }

    async fn the_list_for_the_door_has_addresses_for_those_alone_who_may_export_contacts(bed: TestBed) {
        let door = Door::open(&bed, 2).await;
        let people = door.campus.students(1).await;
        door.campus.book(&people[0], door.event.id).await.unwrap();
        let organiser = super::super_user_group::account(&door.system, "untrained").await.id;
        operator::grant(&door.campus.store, organiser, Permission::ManageEvent, None).await;
        let export = async || {
            let client = door.system.demo_client("untrained").await;
            let answer = client.data(EXPORT, json!({ "id": door.id() })).await;
            answer["exportDoorList"]["doorList"]["csv"].as_str().unwrap().to_owned()
        };
        let without = export().await;
        assert!(without.starts_with("Name,Ticket,State,Checked in,Places\nstudent1,"), "{without}");
        assert!(!without.contains('@'), "{without}");

        // The control.
        operator::grant(&door.campus.store, organiser, Permission::ExportContacts, None).await;
        assert!(export().await.contains("student1,student1@university.test,"));
    }

    async fn people_are_found_at_the_door_by_a_part_of_their_name(bed: TestBed) {
        let door = Door::open(&bed, 5).await;
        for name in ["Annabel", "joanne", "bob", "under_score"] {
            let person = door.campus.student(name).await;
            door.campus.book(&person, door.event.id).await.unwrap();
        }
        let names = async |name: &str| {
            let data = door.operator.data(FIND, json!({ "id": door.id(), "name": name })).await;
            let found = data["findAtDoor"].as_array().unwrap().clone();
            let mut names: Vec<String> =
                found.iter().map(|one| one["person"]["name"].as_str().unwrap().to_owned()).collect();
            names.sort();
            names
        };
        assert_eq!(names("ANN").await, ["Annabel", "joanne"]);
        assert_eq!(names("r_s").await, ["under_score"]);
        assert_eq!(names("nob_dy").await, [""; 0]);
    }

    async fn whoever_watches_the_event_sees_the_count_go_up(bed: TestBed) {
        let mut door = Door::open(&bed, 3).await;
        let people = door.campus.students(2).await;
        for person in &people {
            door.campus.book(person, door.event.id).await.unwrap();
        }
        door.starts(&bed, TimeDelta::hours(1)).await;
        let subscription = format!(
            "subscription {{ bookingChanged(eventId: \"{}\") {{
                event {{ bookings(state: ATTENDED) {{ totalCount }} }} }} }}",
            door.id()
        );
        let mut watch = door.operator.watch(&subscription).await;
        assert_eq!(door.outcomes("student1@university.test\nstudent2@university.test").await.len(), 2);
        watch.until("\"totalCount\":2").await;
    }
}
