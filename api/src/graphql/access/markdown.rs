//! `docs/permissions.md`: the policy table for people to read.

use std::fmt::Write;

use async_graphql::parser::types::OperationType;
use domain::policy::{PERMISSIONS, Use, Who, permission_token, standings};

use crate::graphql::document::{Entry, Kind, SchemaIndex, TypeEntry};

const HEAD: &str = "# Who may do what

This page is written from the policy table in `domain/src/policy`; a test keeps it current. The same stands in the schema
as `@access` and at the end of every description.

A row names a coordinate of the schema and who may *read* it (select a field, call a mutation), *give* it (send an
argument, an input field or an enum value), *filter* by it or *sort* by it. Being one of those named is enough; nobody
else may. A field that may not be read is null, with one error `FORBIDDEN`; a request that gives, filters by, sorts by or
calls what it may not is refused as a whole. What depends on the data and not on who asks, such as a contact's consent, is
told in the descriptions of the fields.
";

const OPERATIONS: &str = "
## Operations

What can be called, and by whom: ✓ stands for everybody of that kind. The last column says which permission lets an operator
call it, for the campus or for a faculty; what a faculty's grant reaches depends on the thing at hand. A grant counts while
the operator's access is active: not before the training and the terms, nor once it has lapsed or is suspended.
";

/// The kinds of people that have a column, as `standings` names them.
const COLUMNS: [(&str, &str); 7] = [
    ("anybody", "nobody signed in"),
    ("students", "student"),
    ("graduates", "graduate"),
    ("employers", "employer"),
    ("staff", "staff"),
    ("super users", "super user"),
    ("administrators", "administrator"),
];

/// The page, for the schema of this index.
#[must_use]
pub fn permissions_markdown(index: &SchemaIndex) -> String {
    let mut page = HEAD.to_owned();
    page.push_str(OPERATIONS);
    for root in [
        OperationType::Query,
        OperationType::Mutation,
        OperationType::Subscription,
    ] {
        if let Some(root) = index.root(root) {
            write_operations(&mut page, root);
        }
    }
    for of in index.types() {
        let entries = of.entries();
        if entries.is_empty() {
            continue;
        }
        let _ = writeln!(page, "\n## {}\n", of.name);
        let used: Vec<Use> = Use::ALL
            .into_iter()
            .filter(|usage| entries.iter().any(|entry| !who(entry, *usage).is_nobody()))
            .collect();
        let names: Vec<&str> = used.iter().map(|usage| usage.token()).collect();
        let _ = writeln!(page, "| coordinate | {} |", names.join(" | "));
        let _ = writeln!(page, "|---|{}", "---|".repeat(used.len()));
        for entry in entries {
            let cells: Vec<String> = used.iter().map(|usage| cell(who(entry, *usage))).collect();
            let _ = writeln!(page, "| `{}` | {} |", entry.coordinate, cells.join(" | "));
        }
    }
    page
}

/// The operations of a root type, with a column for each kind of person.
fn write_operations(page: &mut String, root: &TypeEntry) {
    let heads: Vec<&str> = COLUMNS.iter().map(|(_, head)| *head).collect();
    let _ = writeln!(page, "\n### {}\n", root.name);
    let _ = writeln!(
        page,
        "| operation | {} | operator with |",
        heads.join(" | ")
    );
    let _ = writeln!(page, "|---|{}---|", ":-:|".repeat(COLUMNS.len()));
    let standings = standings();
    let Kind::Fields { fields, .. } = &root.kind else {
        return;
    };
    for (name, field) in fields {
        let may = who(&field.entry, Use::Read);
        let is_open_to = |name: &str| {
            standings
                .iter()
                .any(|(known, standing)| *known == name && may.meets(*standing))
        };
        let cells: Vec<&str> = COLUMNS
            .iter()
            .map(|(name, _)| if is_open_to(name) { "✓" } else { "" })
            .collect();
        let permissions: Vec<&str> = PERMISSIONS
            .map(permission_token)
            .into_iter()
            .filter(|token| is_open_to(token))
            .collect();
        let permissions = if permissions.len() == PERMISSIONS.len() {
            "any".to_owned()
        } else {
            permissions.join(", ")
        };
        let _ = writeln!(page, "| `{name}` | {} | {permissions} |", cells.join(" | "));
    }
}

fn who(entry: &Entry, usage: Use) -> Who {
    entry.row.map_or(Who::NOBODY, |row| row.who(usage))
}

fn cell(who: Who) -> String {
    who.tokens().collect::<Vec<_>>().join(", ")
}
