//! The files that are generated from the code are as the code would make them now.

use std::{fs, path::Path};

use api::graphql::{access::permissions_markdown, schema};

fn assert_current(file: &str, expected: &str, command: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    let found = fs::read_to_string(&path).unwrap_or_default();
    // Not assert_eq: two schemas of thousands of lines side by side help nobody.
    let first = found
        .lines()
        .zip(expected.lines())
        .position(|(found, expected)| found != expected);
    assert!(
        found == expected,
        "{file} is not current from line {} on; write it anew: cargo run --quiet -- {command} > {file}",
        first.unwrap_or_else(|| found.lines().count().min(expected.lines().count())) + 1,
    );
}

#[test]
fn schema_graphql_is_current() {
    assert_current(
        "schema.graphql",
        &schema::endpoint().unwrap().sdl(),
        "schema",
    );
}

#[test]
fn the_document_of_what_is_kept_of_people_is_current() {
    assert_current(
        "docs/data-protection.md",
        &domain::data_protection::markdown(),
        "data-protection",
    );
}

#[test]
fn the_table_of_permissions_is_current() {
    let endpoint = schema::endpoint().unwrap();
    assert_current(
        "docs/permissions.md",
        &permissions_markdown(endpoint.index()),
        "permissions",
    );
}
