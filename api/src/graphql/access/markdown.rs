//! `docs/permissions.md`: the policy table for people to read.

use std::fmt::Write;

use domain::policy::{Use, Who};

use crate::graphql::document::{Entry, SchemaIndex};

const HEAD: &str = "# Who may do what

This page is written from the policy table in `domain/src/policy`; a test keeps it current. The same stands in the schema
as `@access` and at the end of every description.

A row names a coordinate of the schema and who may *read* it (select a field, call a mutation), *give* it (send an
argument, an input field or an enum value), *filter* by it or *sort* by it. Being one of those named is enough; nobody
else may. A field that may not be read is null, with one error `FORBIDDEN`; a request that gives, filters by, sorts by or
calls what it may not is refused as a whole. What depends on the data and not on who asks, such as a contact's consent, is
told in the descriptions of the fields.
";

/// The page, for the schema of this index.
#[must_use]
pub fn permissions_markdown(index: &SchemaIndex) -> String {
    let mut page = HEAD.to_owned();
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

fn who(entry: &Entry, usage: Use) -> Who {
    entry.row.map_or(Who::NOBODY, |row| row.who(usage))
}

fn cell(who: Who) -> String {
    who.tokens().collect::<Vec<_>>().join(", ")
}
