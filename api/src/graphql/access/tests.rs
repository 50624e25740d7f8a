//! The whole schema against the policy table.

use std::collections::{HashMap, VecDeque};

use async_graphql::{Request, Variables, parser::types::ExecutableDocument};
use domain::{
    Viewer,
    policy::{Use, Who},
};

use super::*;
use crate::graphql::{
    document::{self, Limits, Survey},
    endpoint::Operations,
    errors::code,
    schema::endpoint,
};

#[test]
fn every_coordinate_has_a_row() {
    if let Err(error) = endpoint() {
        panic!("{error}");
    }
}

#[test]
fn every_row_has_a_coordinate() {
    let endpoint = endpoint().unwrap();
    let none: [&str; 0] = [];
    assert_eq!(rows_without_a_coordinate(endpoint.index()), none);
}

/// Nobody loses more than the field that they may not read.
#[test]
fn no_denial_spreads_to_what_the_field_belongs_to() {
    let endpoint = endpoint().unwrap();
    let none: [&str; 0] = [];
    assert_eq!(denials_that_spread(endpoint.index()), none);
}

#[test]
fn every_scalar_says_where_it_is_specified() {
    let endpoint = endpoint().unwrap();
    for of in endpoint.index().types() {
        if let Kind::Scalar { specified } = of.kind {
            assert!(specified, "{}", of.name);
        }
    }
}

/// The root is put together of many parts; what is denied at it is denied all the same.
#[tokio::test]
async fn a_denied_field_of_the_root_is_null() {
    let endpoint = endpoint().unwrap();
    let nobody = Viewer::anonymous();
    let prepared = endpoint
        .prepare(Request::new("{ jobs { totalCount } }"), &nobody)
        .unwrap();
    let answer = endpoint.execute(prepared, &nobody).await;
    assert_eq!(answer.response.data.to_string(), "{jobs: null}");
    assert_eq!(code(&answer.response.errors[0]), Some("FORBIDDEN"));
}

/// Every standing, every field, by every path: what the table denies is found, and nothing else is.
#[test]
fn every_denied_field_is_found_by_every_path() {
    let endpoint = endpoint().unwrap();
    let index = endpoint.index();
    let ways = ways(index);
    let mut looked_at = 0;
    for of in index.types() {
        let (Kind::Fields { fields, .. }, Some(way)) = (&of.kind, ways.get(of.name.as_str()))
        else {
            continue;
        };
        for (name, field) in fields {
            for (above, text) in documents(index, way, of, name, field) {
                let parsed = document::parse(&text, &Limits::default()).unwrap();
                for (who, standing) in policy::standings() {
                    let survey = survey(index, &parsed, standing);
                    let is_denied =
                        |field: &FieldEntry| !field.entry.row.unwrap().allows(standing, Use::Read);
                    // Nothing is looked at below what is denied already.
                    let first = above.iter().copied().chain([field]).find(|f| is_denied(f));
                    let found: Vec<&str> = survey
                        .denied
                        .iter()
                        .map(|denied| denied.denial.row.coordinate())
                        .chain(
                            survey
                                .refused
                                .iter()
                                .map(|used| used.denial.row.coordinate()),
                        )
                        .collect();
                    let expected: Vec<&str> = first
                        .map(|field| field.entry.coordinate.as_str())
                        .into_iter()
                        .collect();
                    assert_eq!(found, expected, "{who}: {text}");
                    looked_at += 1;
                }
            }
        }
    }
    assert!(looked_at > 5_000, "{looked_at}");
}

/// How a type can be got to: the fields from the root, and with which fragments in between.
#[derive(Clone)]
struct Way<'i> {
    operation: &'static str,
    fields: Vec<&'i FieldEntry>,
    /// The document up to the type's selection set, and what closes it.
    open: String,
    close: String,
}

/// The shortest way to each type.
fn ways(index: &SchemaIndex) -> HashMap<&str, Way<'_>> {
    let mut ways: HashMap<&str, Way<'_>> = HashMap::new();
    let mut next = VecDeque::new();
    for (kind, operation) in [
        (OperationType::Query, "query"),
        (OperationType::Mutation, "mutation"),
        (OperationType::Subscription, "subscription"),
    ] {
        if let Some(root) = index.root(kind) {
            let way = Way {
                operation,
                fields: Vec::new(),
                open: "{".to_owned(),
                close: "}".to_owned(),
            };
            ways.insert(&root.name, way);
            next.push_back(root);
        }
    }
    while let Some(of) = next.pop_front() {
        let way = ways[of.name.as_str()].clone();
        let Kind::Fields {
            fields,
            implementors,
        } = &of.kind
        else {
            continue;
        };
        for (name, field) in fields {
            if let Some(to) = index.type_named(&field.of).filter(|to| is_composite(to))
                && !ways.contains_key(to.name.as_str())
            {
                let mut longer = way.clone();
                longer.fields.push(field);
                longer.open += &format!("{name}{{");
                longer.close += "}";
                ways.insert(&to.name, longer);
                next.push_back(to);
            }
        }
        for implementor in implementors {
            if !ways.contains_key(implementor.as_str()) {
                let mut longer = way.clone();
                longer.open += &format!("...on {implementor}{{");
                longer.close += "}";
                ways.insert(implementor, longer);
                next.extend(index.type_named(implementor));
            }
        }
    }
    ways
}

fn is_composite(of: &TypeEntry) -> bool {
    matches!(of.kind, Kind::Fields { .. } | Kind::Union)
}

/// The documents that select a field, as it is, under another name, in fragments, and as a node; each with the fields that
/// stand above it.
fn documents<'i>(
    index: &'i SchemaIndex,
    way: &Way<'i>,
    of: &TypeEntry,
    name: &str,
    field: &FieldEntry,
) -> Vec<(Vec<&'i FieldEntry>, String)> {
    let below = match index.type_named(&field.of) {
        Some(to) if is_composite(to) => "{__typename}",
        _ => "",
    };
    let (operation, owner) = (way.operation, &of.name);
    let (open, close) = (&way.open, &way.close);
    let mut documents: Vec<_> = [
        format!("{operation}{open}{name}{below}{close}"),
        format!("{operation}{open}other:{name}{below}{close}"),
        format!("{operation}{open}...{{...on {owner}{{{name}{below}}}}}{close}"),
        format!("{operation}{open}...F{close} fragment F on {owner}{{{name}{below}}}"),
        format!(
            "{operation}{open}...F{close} fragment F on {owner}{{...G}} fragment G on {owner}{{{name}{below}}}"
        ),
    ]
    .map(|text| (way.fields.clone(), text))
    .into();
    let is_node = index.type_named("Node").is_some_and(|node| {
        matches!(&node.kind, Kind::Fields { implementors, .. } if implementors.contains(owner))
    });
    let nodes = index
        .root(OperationType::Query)
        .and_then(|root| root.field("nodes"));
    if let Some(nodes) = nodes.filter(|_| is_node) {
        documents.push((
            vec![nodes],
            format!("{{nodes(ids:[]){{...on {owner}{{{name}{below}}}}}}}"),
        ));
    }
    documents
}

fn survey(index: &SchemaIndex, document: &ExecutableDocument, standing: Who) -> Survey {
    let operation = document::operation(document, None).unwrap();
    let (limits, variables) = (Limits::default(), Variables::default());
    document::survey(index, &limits, document, operation, &variables, standing).unwrap()
}
