//! The policy table against the endpoint: every query, mutation and subscription, called as everybody there can be.
//!
//! The calls are made from the schema, so that an operation that is new is called too. What is looked at is whether it is
//! denied; what becomes of it otherwise is for the tests of its aggregate.

use std::{collections::BTreeSet, sync::Arc};

use api::graphql::{
    document::{Entry, Kind},
    endpoint::{Answer, Operations},
    errors::code,
};
use async_graphql::{ServerError, parser::types::OperationType};
use chrono::TimeDelta;
use domain::{
    Viewer,
    policy::{self, Asker, PERMISSIONS, Use, Who, permission_token},
    viewer::BY_FACULTY,
};
use entity::{
    access_grant::Permission,
    booking, event, event_feedback,
    event_sharing_request::{self, SharingState},
    group_booking::{self, GroupBookingState},
    ids::{BookingId, EventFeedbackId, EventId, EventSharingRequestId, GroupBookingId},
};
use futures_util::{FutureExt, StreamExt};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel};
use serde_json::Value;
use support::on_both_columns;

use super::{
    Campus,
    inputs::{Caller, KnownIds, corrected},
    people::{People, Person, Scope},
};

/// What only a grant for the whole campus allows.
const FOR_THE_CAMPUS_ALONE: &[&str] = &["liftBookingBlock"];

/// A call of an operation, and every coordinate that it takes.
struct Operation<'i> {
    kind: OperationType,
    name: &'i str,
    text: String,
    root: &'i Entry,
    sent: Vec<&'i Entry>,
}

impl Operation<'_> {
    /// Whether somebody of this standing may call it, by what `allows` says of a row.
    fn is_open_to(&self, standing: Who, allows: impl Fn(&Entry, Who, Use) -> bool) -> bool {
        let sent = self.sent.iter().all(|entry| {
            let usage = entry.row.unwrap().sent_as();
            allows(entry, standing, usage)
        });
        sent && allows(self.root, standing, Use::Read)
    }

    fn needs(&self) -> Option<Permission> {
        let who = self.root.row.unwrap().who(Use::Read);
        let mut permissions = who.permissions();
        match (permissions.next(), who.roles().next()) {
            (Some(permission), None) => Some(permission),
            _ => None,
        }
    }
}

fn as_the_table_says(entry: &Entry, standing: Who, usage: Use) -> bool {
    policy::row(&entry.coordinate).is_some_and(|row| row.allows(standing, usage))
}

/// Every operation of the schema.
fn operations<'i>(campus: &'i Campus, caller: &Caller<'i>) -> Vec<Operation<'i>> {
    let index = campus.endpoint.index();
    let mut operations = Vec::new();
    for (kind, keyword) in [
        (OperationType::Query, "query"),
        (OperationType::Mutation, "mutation"),
        (OperationType::Subscription, "subscription"),
    ] {
        let Kind::Fields { fields, .. } = &index.root(kind).unwrap().kind else {
            panic!("{keyword} has no fields");
        };
        for (name, field) in fields {
            let call = caller.call(keyword, name, field);
            operations.push(Operation {
                kind,
                name,
                text: call.text,
                root: &field.entry,
                sent: call.sent,
            });
        }
    }
    operations
}

/// What became of a call.
struct Outcome {
    errors: Vec<ServerError>,
    data: Value,
    /// Whether anything ran.
    ran: bool,
}

impl Outcome {
    fn of(answer: Answer) -> Self {
        Self {
            data: answer.response.data.into_json().unwrap(),
            errors: answer.response.errors,
            ran: true,
        }
    }

    fn refused(errors: Vec<ServerError>) -> Self {
        Self {
            errors,
            data: Value::Null,
            ran: false,
        }
    }

    fn has(&self, wanted: &str) -> bool {
        self.errors.iter().any(|error| code(error) == Some(wanted))
    }

    fn is_denied(&self) -> bool {
        self.has("FORBIDDEN") || self.has("UNAUTHENTICATED")
    }

    /// Whether the table denies it: before anything ran, or at the field, whose coordinate is then named. What `domain` denies
    /// because of the data names none.
    fn is_denied_by_the_table(&self) -> bool {
        let names_coordinate = |error: &ServerError| {
            error
                .extensions
                .as_ref()
                .is_some_and(|more| more.get("coordinate").is_some())
        };
        self.is_denied() && (!self.ran || self.errors.iter().any(names_coordinate))
    }

    fn message(&self) -> String {
        let messages: Vec<&str> = self.errors.iter().map(|error| &*error.message).collect();
        messages.join(" ")
    }

    /// Whether the payload says that there is no such thing.
    fn found_nothing(&self) -> bool {
        self.data.to_string().contains("\"NOT_FOUND\"")
    }
}

async fn call(campus: &Campus, operation: &Operation<'_>, viewer: &Arc<Viewer>) -> Outcome {
    call_text(campus, operation.kind, &operation.text, viewer).await
}

async fn call_text(
    campus: &Campus,
    kind: OperationType,
    text: &str,
    viewer: &Arc<Viewer>,
) -> Outcome {
    let prepared = match campus.prepare(text, viewer) {
        Ok(prepared) => prepared,
        Err(errors) => return Outcome::refused(errors),
    };
    if kind != OperationType::Subscription {
        return Outcome::of(campus.endpoint.execute(prepared, viewer).await);
    }
    // What is denied is answered at once; what isn't may have nothing to tell.
    let mut answers = campus.endpoint.subscribe(prepared, Arc::clone(viewer));
    match answers.next().now_or_never().flatten() {
        Some(answer) => Outcome::of(answer),
        None => Outcome::refused(Vec::new()),
    }
}

/// Gives the made-up ids of the calls the kinds that their operations want, by asking as somebody who may.
async fn correct_ids(campus: &Campus, operations: &mut [Operation<'_>], people: &People) {
    for operation in operations {
        let Some(person) = people
            .all
            .iter()
            .rev()
            .find(|person| operation.is_open_to(person.viewer.standing(), as_the_table_says))
        else {
            continue;
        };
        while let Some(text) = {
            let outcome = call(campus, operation, &person.viewer).await;
            corrected(&operation.text, &outcome.message())
        } {
            operation.text = text;
        }
    }
}

/// How what happens differs from what is said, for one operation and everybody.
async fn disagreements(
    campus: &Campus,
    operation: &Operation<'_>,
    people: &[Person],
    allows: impl Fn(&Entry, Who, Use) -> bool + Copy,
) -> Vec<String> {
    let mut disagreements = Vec::new();
    for person in people {
        let expected = operation.is_open_to(person.viewer.standing(), allows);
        let outcome = call(campus, operation, &person.viewer).await;
        let said = outcome.message();
        let may_be_for_another_faculty =
            person.scope != Scope::Campus && said.contains("for another faculty");
        let wrong = if outcome.has("INTERNAL") {
            Some("broke")
        } else if outcome.has("GRAPHQL_VALIDATION_FAILED") {
            Some("was called wrongly")
        } else if !outcome.is_denied_by_the_table() && !expected {
            Some("was allowed")
        } else if outcome.is_denied_by_the_table() && expected {
            Some("was denied")
        } else if outcome.is_denied()
            && expected
            && operation.needs().is_some()
            && !may_be_for_another_faculty
        {
            // Who holds the permission for the whole campus has all that is asked for.
            Some("was denied all the same")
        } else {
            None
        };
        if let Some(wrong) = wrong {
            let (name, text) = (&person.name, &operation.text);
            disagreements.push(format!(
                "{} {wrong} as {name}: {text}: {said}",
                operation.name
            ));
        }
    }
    disagreements
}

on_both_columns! {
    /// Roles, scopes and states of access: whoever doesn't hold what the table asks for is denied, and nobody else is.
    async fn every_operation_is_denied_to_exactly_those_to_whom_the_table_denies_it(bed: TestBed) {
        let campus = Campus::open(&bed).await;
        let people = People::assemble(&bed, &campus.store).await;
        let known = KnownIds::new();
        let caller = Caller::new(campus.endpoint.index(), &known);
        let mut operations = operations(&campus, &caller);
        correct_ids(&campus, &mut operations, &people).await;
        let mut wrong = Vec::new();
        for operation in &operations {
            wrong.extend(disagreements(&campus, operation, &people.all, as_the_table_says).await);
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));

        // Each permission has somebody who may because of it, so that all of the above could have gone wrong.
        for permission in PERMISSIONS {
            let opens = operations.iter().filter(|operation| operation.needs() == Some(permission)).count();
            let holders = people.all.iter().filter(|person| person.viewer.has(permission)).count();
            assert!(opens == 0 || holders >= 2, "{}", permission_token(permission));
        }
    }

    /// The control: were the table to say otherwise, it would be noticed, whichever way.
    async fn a_table_that_says_otherwise_is_noticed(bed: TestBed) {
        let campus = Campus::open(&bed).await;
        let people = People::assemble(&bed, &campus.store).await;
        let known = KnownIds::new();
        let caller = Caller::new(campus.endpoint.index(), &known);
        let operations = operations(&campus, &caller);
        let named = |name: &str| operations.iter().find(|operation| operation.name == name).unwrap();
        let closed = disagreements(&campus, named("retryJob"), &people.all, |_, _, _| true).await;
        assert!(closed.iter().any(|wrong| wrong.contains("was denied as a student")), "{closed:?}");
        let open = disagreements(&campus, named("events"), &people.all, |_, _, _| false).await;
        assert!(open.iter().any(|wrong| wrong.contains("was allowed as nobody")), "{open:?}");
    }

    /// Made from the schema too: every mutation that such a permission opens is called with the things of one faculty, by
    /// holders for that faculty, for another, and for the campus.
    async fn a_permission_for_a_faculty_reaches_its_things_and_no_others(bed: TestBed) {
        let campus = Campus::open(&bed).await;
        let people = People::assemble(&bed, &campus.store).await;
        let known = things_of(&campus, &people).await;
        let caller = Caller::new(campus.endpoint.index(), &known);
        let mut operations = operations(&campus, &caller);
        correct_ids(&campus, &mut operations, &people).await;
        let mut reached = BTreeSet::new();
        for operation in operations.iter().filter(|operation| operation.kind == OperationType::Mutation) {
            let Some(permission) = operation.needs().filter(|needed| BY_FACULTY.contains(needed)) else {
                continue;
            };
            let of_campus = FOR_THE_CAMPUS_ALONE.contains(&operation.name);
            for scope in [Scope::AnotherFaculty, Scope::OwnFaculty, Scope::Campus] {
                let person = people
                    .all
                    .iter()
                    .find(|person| person.permission == Some(permission) && person.scope == scope)
                    .unwrap();
                let outcome = call(&campus, operation, &person.viewer).await;
                // A thing that somebody may not see doesn't exist for them.
                let refused = outcome.is_denied() || outcome.found_nothing();
                let expected = match scope {
                    Scope::Campus => false,
                    Scope::OwnFaculty => of_campus,
                    _ => true,
                };
                let (text, said) = (&operation.text, outcome.message());
                assert_eq!(refused, expected, "{} as {}: {text}: {said} {}", operation.name, person.name, outcome.data);
            }
            reached.insert(operation.name);
        }
        assert!(reached.len() >= 8, "{reached:?}");
    }
}

/// An event of the faculty, a booking for it, a request to share it, and the faculty itself, by the names of the fields that take them.
async fn things_of(campus: &Campus, people: &People) -> KnownIds {
    let db = campus.store.reader();
    let like = event::Entity::find().one(db).await.unwrap().unwrap();
    let organiser = like.organiser_id;
    let event = event::Model {
        id: EventId::new_at(campus.store.now()),
        faculty_id: Some(people.faculty),
        organiser_id: organiser,
        ..like
    };
    let event_id = event.id;
    event::Entity::insert(event.into_active_model().reset_all())
        .exec_without_returning(db)
        .await
        .unwrap();
    let like = booking::Entity::find().one(db).await.unwrap().unwrap();
    let id = BookingId::new_at(campus.store.now());
    let booking = booking::Model {
        id,
        event_id,
        ticket_code: id.to_string(),
        ..like
    };
    let (booking_id, user_id) = (booking.id, booking.user_id);
    booking::Entity::insert(booking.into_active_model().reset_all())
        .exec_without_returning(db)
        .await
        .unwrap();
    let request = event_sharing_request::Model {
        id: EventSharingRequestId::new_at(campus.store.now()),
        event_id,
        faculty_id: people.faculty,
        state: SharingState::Requested,
        message: "May yours come too?".to_owned(),
        requested_by: organiser,
        requested_at: campus.store.now(),
        expires_at: campus.store.now() + TimeDelta::days(1),
        answered_by: None,
        answered_at: None,
        answer: None,
    };
    let sharing_request_id = request.id;
    event_sharing_request::Entity::insert(request.into_active_model().reset_all())
        .exec_without_returning(db)
        .await
        .unwrap();
    let group = group_booking::Model {
        id: GroupBookingId::new_at(campus.store.now()),
        event_id,
        class_name: "Year 2".to_owned(),
        places: 1,
        state: GroupBookingState::Cancelled,
        booked_by: organiser,
        booked_at: campus.store.now(),
        reason: None,
        cancelled_at: None,
        attended: None,
        attended_names: None,
        marked_at: None,
    };
    let group_booking_id = group.id;
    group_booking::Entity::insert(group.into_active_model().reset_all())
        .exec_without_returning(db)
        .await
        .unwrap();
    let answer = event_feedback::Model {
        id: EventFeedbackId::new_at(campus.store.now()),
        event_id,
        user_id,
        rating: 3,
        good: None,
        mend: None,
        given_at: campus.store.now(),
        released_at: None,
        released_by: None,
    };
    let feedback_id = answer.id;
    event_feedback::Entity::insert(answer.into_active_model().reset_all())
        .exec_without_returning(db)
        .await
        .unwrap();
    KnownIds::from([
        ("feedbackId".to_owned(), feedback_id.to_string()),
        ("groupBookingId".to_owned(), group_booking_id.to_string()),
        (
            "sharingRequestId".to_owned(),
            sharing_request_id.to_string(),
        ),
        ("eventId".to_owned(), event_id.to_string()),
        ("bookingId".to_owned(), booking_id.to_string()),
        ("facultyId".to_owned(), people.faculty.to_string()),
        ("userId".to_owned(), user_id.to_string()),
    ])
}
