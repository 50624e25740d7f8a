//! The whole schema against the policy table.

use super::*;
use crate::graphql::schema::endpoint;

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
