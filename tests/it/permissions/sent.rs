//! The policy table against the endpoint, for what is sent: every argument, field of an input and value of an enum, of
//! every field of the schema, on its own.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use api::graphql::document::{Entry, FieldEntry, Kind, SchemaIndex};
use async_graphql::parser::types::OperationType;
use domain::{
    Viewer,
    policy::{Asker, Use, Who},
};
use support::on_both_columns;

use super::{
    Arguments, Campus, Way,
    inputs::{Caller, Extra, Known},
    people::{People, Person},
    ways,
};

on_both_columns! {
    async fn what_is_sent_is_refused_to_exactly_those_to_whom_the_table_refuses_it(bed: TestBed) {
        let campus = Campus::open(&bed).await;
        let people = People::assemble(&bed, &campus.store).await;
        let walk = Walk::through(&campus, &people.all, |entry, standing| {
            entry.row.is_some_and(|row| row.allows(standing, row.sent_as()))
        });
        assert!(walk.wrong.is_empty(), "{}", walk.wrong.join("\n"));

        let never_sent: Vec<&str> = can_be_sent(campus.endpoint.index())
            .into_iter()
            .filter(|&coordinate| !walk.sent.contains(coordinate))
            .collect();
        assert!(never_sent.is_empty(), "{never_sent:?}");
        assert!(walk.refusals > 100, "{}", walk.refusals);
    }

    /// The control: were the table to say otherwise of one argument, one field of an input or one value of an enum, it would be
    /// noticed.
    async fn a_table_that_says_otherwise_of_what_is_sent_is_noticed(bed: TestBed) {
        let campus = Campus::open(&bed).await;
        let people = People::assemble(&bed, &campus.store).await;
        for (other, told) in [
            ("Query.eventSharingRequests(state:)", "was not refused"),
            ("OrganisationFilter.noneOfTags", "was refused"),
            ("EventSharingState.DECLINED", "was not refused"),
        ] {
            let walk = Walk::through(&campus, &people.all, |entry, standing| {
                let row = entry.row.unwrap();
                row.allows(standing, row.sent_as()) != (entry.coordinate == other)
            });
            assert!(walk.wrong.iter().any(|wrong| wrong.contains(told)), "{other}: {:?}", walk.wrong);
        }
    }
}

/// What came of sending everything once.
#[derive(Default)]
struct Walk {
    /// How what happens differs from what is said.
    wrong: Vec<String>,
    /// The coordinates that were sent.
    sent: BTreeSet<String>,
    /// How often something was refused.
    refusals: usize,
}

impl Walk {
    /// Calls every field with every extra, as somebody of every standing. What is refused is refused before anything runs, so
    /// nothing is carried out.
    fn through(
        campus: &Campus,
        people: &[Person],
        allows: impl Fn(&Entry, Who) -> bool + Copy,
    ) -> Self {
        let index = campus.endpoint.index();
        let known = Known::new();
        let caller = Caller::new(index, &known);
        let standings = standings(people);
        let mut walk = Self::default();
        for (way, name, field) in places(index, &campus.arguments) {
            for extra in [Extra::default()].into_iter().chain(caller.extras(field)) {
                let call = caller.select(name, field, &extra);
                walk.sent
                    .extend(call.sent.iter().map(|entry| entry.coordinate.clone()));
                let text = format!("{}{}{}", way.open, call.text, way.close);
                for (standing, (who, viewer)) in &standings {
                    let reads = |field: &FieldEntry| {
                        field
                            .entry
                            .row
                            .is_some_and(|row| row.allows(*standing, Use::Read))
                    };
                    // What can't be reached is null, whatever is sent there.
                    if !way.fields.iter().copied().chain([field]).all(reads) {
                        continue;
                    }
                    let expected = !call.sent.iter().all(|entry| allows(entry, *standing));
                    let refused = campus.prepare(&text, viewer).is_err();
                    walk.refusals += usize::from(refused);
                    if refused != expected {
                        let told = if refused {
                            "was refused"
                        } else {
                            "was not refused"
                        };
                        walk.wrong.push(format!("{who} {told}: {text}"));
                    }
                }
            }
        }
        walk
    }
}

/// Every argument, every field of an input, and every value of an enum that one of these takes.
fn can_be_sent(index: &SchemaIndex) -> Vec<&str> {
    let inputs = index.types().into_iter().flat_map(|of| match &of.kind {
        Kind::Fields { fields, .. } => fields
            .values()
            .flat_map(|field| field.arguments.values())
            .collect(),
        Kind::Input(fields) => fields.values().collect(),
        _ => Vec::new(),
    });
    inputs
        .flat_map(|input| {
            let values = match index.type_named(&input.of).map(|of| &of.kind) {
                Some(Kind::Enum(values)) => values.values().collect(),
                _ => Vec::new(),
            };
            values.into_iter().chain([&input.entry])
        })
        .map(|entry| entry.coordinate.as_str())
        .collect()
}

/// One of the people for each standing that there is.
fn standings(people: &[Person]) -> HashMap<Who, (&str, &Arc<Viewer>)> {
    people
        .iter()
        .map(|person| {
            (
                person.viewer.standing(),
                (person.name.as_str(), &person.viewer),
            )
        })
        .collect()
}

/// The types to which no list leads: what is of them is found by its id.
fn by_id_alone<'i>(
    index: &'i SchemaIndex,
    ways: &HashMap<&'i str, Way<'i>>,
) -> Vec<(Way<'i>, &'i str)> {
    let by_id = index.root(OperationType::Query).unwrap().field("node");
    let by_id = by_id.unwrap();
    let Kind::Fields { implementors, .. } = &index.type_named("Node").unwrap().kind else {
        panic!("`Node` is an interface");
    };
    let alone = implementors.iter().map(String::as_str);
    alone
        .filter(|name| !ways.contains_key(name))
        .map(|name| {
            let way = Way {
                open: format!("{{node(id:\"{}\"){{... on {name}{{", uuid::Uuid::nil()),
                close: "}}}".to_owned(),
                fields: vec![by_id],
                keys: Vec::new(),
            };
            (way, name)
        })
        .collect()
}

/// Every field that an operation can get to, and how.
fn places<'i>(
    index: &'i SchemaIndex,
    known: &Arguments,
) -> Vec<(Way<'i>, &'i str, &'i FieldEntry)> {
    let ways = ways(index, known);
    let mut of_types: Vec<(Way<'i>, &str)> = by_id_alone(index, &ways);
    of_types.extend(ways.into_iter().map(|(name, way)| (way, name)));
    for (kind, keyword) in [
        (OperationType::Mutation, "mutation"),
        (OperationType::Subscription, "subscription"),
    ] {
        let root = index.root(kind).unwrap();
        let way = Way {
            open: format!("{keyword}{{"),
            close: "}".to_owned(),
            fields: Vec::new(),
            keys: Vec::new(),
        };
        of_types.push((way, &root.name));
    }
    let mut places = Vec::new();
    for (way, name) in of_types {
        if let Some(Kind::Fields { fields, .. }) = index.type_named(name).map(|of| &of.kind) {
            let fields = fields
                .iter()
                .map(|(name, field)| (way.clone(), name.as_str(), field));
            places.extend(fields);
        }
    }
    places
}
