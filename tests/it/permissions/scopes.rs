//! Permissions for a faculty against the endpoint: every mutation and every query that one opens, as holders for that
//! faculty, for another, and for the campus.

use std::{collections::BTreeSet, sync::Arc};

use api::graphql::{
    document::{FieldEntry, Kind, SchemaIndex},
    errors::code,
};
use async_graphql::parser::types::OperationType;
use domain::{Viewer, policy::Use, viewer::BY_FACULTY};
use entity::{access_grant::Permission, event::EventState};
use support::on_both_columns;

use super::{
    Campus,
    inputs::{Caller, Known},
    operations::{Operation, call, call_text, correct_ids, operations},
    people::{People, Person, Scope},
    things::Things,
};

/// What only a grant for the whole campus allows: blocks, training and what a leaver has in hand are the campus's, and key
/// accounts and venues belong to no faculty.
const FOR_THE_CAMPUS_ALONE: &[&str] = &[
    "addKeyAccountContacts",
    "archiveVenue",
    "handOver",
    "handOverKeyAccount",
    "liftBookingBlock",
    "linkTrainingSession",
    "mergeVenues",
    "releaseKeyAccount",
    "removeKeyAccountContact",
    "updateVenue",
];

/// What a grant for any faculty allows, because it is about nothing that is there: the list of rooms is everybody's.
const FOR_ANY_FACULTY: &[&str] = &["createVenue"];

/// How many levels of objects a query looks into.
const DEPTH: u8 = 3;

const SCOPES: [Scope; 3] = [Scope::AnotherFaculty, Scope::OwnFaculty, Scope::Campus];

on_both_columns! {
    async fn a_permission_for_a_faculty_changes_its_things_and_no_others(bed: TestBed) {
        let campus = Campus::open(&bed).await;
        let people = People::assemble(&bed, &campus.store).await;
        let things = Things::of_the_faculty(&campus, &people, EventState::Published).await;
        let known = things.changed();
        let caller = Caller::new(campus.endpoint.index(), &known);
        let mut mutations = operations(&campus, &caller);
        mutations.retain(|operation| operation.kind == OperationType::Mutation);
        correct_ids(&campus, &mut mutations, &people).await;

        let (reached, wrong) = disagreements(&campus, &people.all, &mutations, |scope| scope).await;
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(reached.len() >= 25, "{reached:?}");

        // The control: were the faculty of a grant to count for nothing, it would be noticed, whichever way.
        for taken_for in [Scope::Campus, Scope::AnotherFaculty] {
            let (_, wrong) = disagreements(&campus, &people.all, &mutations, |_| taken_for).await;
            assert!(wrong.len() >= reached.len() / 2, "{taken_for:?}: {wrong:?}");
        }
    }

    async fn a_permission_for_a_faculty_reads_its_things_and_no_others(bed: TestBed) {
        let campus = Campus::open(&bed).await;
        let people = People::assemble(&bed, &campus.store).await;
        // A draft, since everybody sees what is published.
        let things = Things::of_the_faculty(&campus, &people, EventState::Draft).await;
        let known = things.asked_for();
        for (permission, its) in things.read_with() {
            // Everybody sees the name of a faculty; what is counted of it is in reports.
            let opened = (permission == Permission::ReadReport).then_some(permission);
            let queries = Queries::of(&campus, &known, opened);
            for scope in SCOPES {
                let person = holder(&people.all, permission, scope);
                let answers = queries.ask(&campus, &person.viewer).await;
                for thing in &its {
                    let found = answers.contains(thing);
                    assert_eq!(found, scope != Scope::AnotherFaculty, "{}: {thing}", person.name);
                }
            }
        }
    }
}

/// The one who holds the permission so far.
fn holder(people: &[Person], permission: Permission, scope: Scope) -> &Person {
    let found = people
        .iter()
        .find(|person| person.permission == Some(permission) && person.scope == scope);
    found.unwrap()
}

/// The mutations that a permission for a faculty opens, and how what happens differs from what is said, when somebody of a
/// scope is taken for one of another.
async fn disagreements<'o>(
    campus: &Campus,
    people: &[Person],
    mutations: &'o [Operation<'_>],
    taken_for: impl Fn(Scope) -> Scope,
) -> (BTreeSet<&'o str>, Vec<String>) {
    let (mut reached, mut wrong) = (BTreeSet::new(), Vec::new());
    for operation in mutations {
        for permission in operation.opened_by().filter(|one| BY_FACULTY.contains(one)) {
            for scope in SCOPES {
                let person = holder(people, permission, scope);
                let outcome = call(campus, operation, &person.viewer).await;
                // A thing that somebody may not see doesn't exist for them.
                let refused = outcome.is_denied() || outcome.found_nothing();
                let expected = match taken_for(scope) {
                    Scope::Campus => false,
                    Scope::OwnFaculty => FOR_THE_CAMPUS_ALONE.contains(&operation.name),
                    _ => !FOR_ANY_FACULTY.contains(&operation.name),
                };
                if refused != expected {
                    let (text, said) = (&operation.text, outcome.message());
                    wrong.push(format!("{}: {text}: {said} {}", person.name, outcome.data));
                }
            }
            reached.insert(operation.name);
        }
    }
    (reached, wrong)
}

/// Queries, with all the ids and labels that they can give.
struct Queries(Vec<String>);

impl Queries {
    /// All of them, or those that a permission opens.
    fn of(campus: &Campus, known: &Known, opened_by: Option<Permission>) -> Self {
        let index = campus.endpoint.index();
        let caller = Caller::new(index, known);
        let root = index.root(OperationType::Query).unwrap();
        let Kind::Fields { fields, .. } = &root.kind else {
            panic!("queries have no fields");
        };
        let wanted = fields.iter().filter(|(_, field)| {
            let who = field.entry.row.unwrap().who(Use::Read);
            opened_by.is_none_or(|wanted| who.permissions().any(|opens| opens == wanted))
        });
        let texts = wanted.map(|(name, field)| {
            let arguments = caller.arguments(field);
            format!(
                "query {{ {name}{arguments}{} }}",
                selection(index, field, DEPTH)
            )
        });
        Self(texts.collect())
    }

    /// What they answer, one under the other. What is denied is null in it.
    async fn ask(&self, campus: &Campus, viewer: &Arc<Viewer>) -> String {
        let mut answers = String::new();
        for text in &self.0 {
            let outcome = call_text(campus, OperationType::Query, text, viewer).await;
            let wrong = outcome.errors.iter().find(|error| {
                !matches!(
                    code(error),
                    Some("FORBIDDEN" | "NOT_FOUND" | "BAD_USER_INPUT")
                )
            });
            assert!(wrong.is_none(), "{text}: {wrong:?}");
            answers += &outcome.data.to_string();
        }
        answers
    }
}

/// Selects ids, labels and names, down to a depth; of connections only the rows.
fn selection(index: &SchemaIndex, field: &FieldEntry, depth: u8) -> String {
    let Some(Kind::Fields { fields, .. }) = index.type_named(&field.of).map(|of| &of.kind) else {
        return String::new();
    };
    let is_connection = fields.contains_key("nodes");
    let below = fields.iter().filter_map(|(name, field)| {
        let is_object = matches!(
            index.type_named(&field.of).map(|of| &of.kind),
            Some(Kind::Fields { .. })
        );
        let is_wanted = match (is_object, is_connection) {
            (true, true) => name == "nodes",
            (true, false) => depth > 1 && field.arguments.is_empty(),
            (false, _) => {
                matches!(name.as_str(), "id" | "label") || (depth < DEPTH && name == "name")
            }
        };
        is_wanted.then(|| format!("{name}{}", selection(index, field, depth.saturating_sub(1))))
    });
    let below: Vec<String> = below.collect();
    format!(" {{ __typename {} }}", below.join(" "))
}
