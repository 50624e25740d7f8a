//! The policy table against the endpoint: every query, mutation and subscription, called as everybody there can be.
//!
//! The calls are made from the schema, so that an operation that is new is called too. What is looked at is whether it is
//! denied; what becomes of it otherwise is for the tests of its aggregate.

use std::sync::Arc;

use api::graphql::{
    document::{Entry, Kind},
    endpoint::{Answer, Operations},
    errors::code,
};
use async_graphql::{ServerError, parser::types::OperationType};
use domain::{
    Viewer,
    policy::{self, Asker, PERMISSIONS, Use, Who, permission_token},
};
use entity::access_grant::Permission;
use futures_util::{FutureExt, StreamExt};
use serde_json::Value;
use support::on_both_columns;

use super::{
    Campus,
    inputs::{Caller, Known, corrected},
    people::{People, Person, Scope},
};

/// A call of an operation, and every coordinate that it takes.
pub struct Operation<'i> {
    pub kind: OperationType,
    pub name: &'i str,
    pub text: String,
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

    /// The permissions that open it, each by itself.
    pub fn opened_by(&self) -> impl Iterator<Item = Permission> {
        self.root.row.unwrap().who(Use::Read).permissions()
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
pub fn operations<'i>(campus: &'i Campus, caller: &Caller<'i>) -> Vec<Operation<'i>> {
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
pub struct Outcome {
    pub errors: Vec<ServerError>,
    pub data: Value,
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

    pub fn has(&self, wanted: &str) -> bool {
        self.errors.iter().any(|error| code(error) == Some(wanted))
    }

    pub fn is_denied(&self) -> bool {
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

    pub fn message(&self) -> String {
        let messages: Vec<&str> = self.errors.iter().map(|error| &*error.message).collect();
        messages.join(" ")
    }

    /// Whether the payload says that there is no such thing.
    pub fn found_nothing(&self) -> bool {
        self.data.to_string().contains("\"NOT_FOUND\"")
    }
}

pub async fn call(campus: &Campus, operation: &Operation<'_>, viewer: &Arc<Viewer>) -> Outcome {
    call_text(campus, operation.kind, &operation.text, viewer).await
}

pub async fn call_text(
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
pub async fn correct_ids(campus: &Campus, operations: &mut [Operation<'_>], people: &People) {
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
        let known = Known::new();
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
        let known = Known::new();
        let caller = Caller::new(campus.endpoint.index(), &known);
        let operations = operations(&campus, &caller);
        let named = |name: &str| operations.iter().find(|operation| operation.name == name).unwrap();
        let closed = disagreements(&campus, named("retryJob"), &people.all, |_, _, _| true).await;
        assert!(closed.iter().any(|wrong| wrong.contains("was denied as a student")), "{closed:?}");
        let open = disagreements(&campus, named("events"), &people.all, |_, _, _| false).await;
        assert!(open.iter().any(|wrong| wrong.contains("was allowed as nobody")), "{open:?}");
    }
}
