use entity::access_grant::Permission;

use super::*;

mod sample {
    use crate::policy::table::table;

    table! {
        type Event {
            id, title: read(EVERYONE);
            bookings: read(OPERATOR | MANAGE_EVENT);
            bookings(first, after), waiters(first): give(OPERATOR);
            bookings(state): filter(OPERATOR);
        }
        enum EventOrder { STARTS_AT: sort(SIGNED_IN); }
        enum EventKind { WORKSHOP: both(EVERYONE); }
        type Organisation { type: read(STAFF); }
    }
}

struct Person {
    signed_in: bool,
}

impl Asker for Person {
    fn is(&self, role: Role) -> bool {
        role == Role::SignedIn && self.signed_in
    }

    fn holds(&self, _: Permission) -> bool {
        false
    }

    fn why_not(&self, permission: Permission) -> String {
        format!("{} needs training.", permission_token(permission))
    }
}

fn sample(coordinate: &str) -> Row {
    *sample::ROWS
        .iter()
        .copied()
        .flatten()
        .copied()
        .flatten()
        .find(|row| row.coordinate() == coordinate)
        .unwrap()
}

#[test]
fn the_notation_names_fields_arguments_inputs_and_values() {
    let coordinates: Vec<&str> = sample::ROWS
        .iter()
        .copied()
        .flatten()
        .copied()
        .flatten()
        .map(Row::coordinate)
        .collect();
    assert_eq!(
        coordinates,
        [
            "Event.id",
            "Event.title",
            "Event.bookings",
            "Event.bookings(first:)",
            "Event.bookings(after:)",
            "Event.waiters(first:)",
            "Event.bookings(state:)",
            "EventOrder.STARTS_AT",
            "EventKind.WORKSHOP",
            "Organisation.type",
        ]
    );
}

#[test]
fn one_of_several_is_enough_and_what_is_not_named_is_denied() {
    let bookings = sample("Event.bookings");
    assert!(bookings.allows(names::OPERATOR, Use::Read));
    assert!(bookings.allows(names::MANAGE_EVENT, Use::Read));
    assert!(!bookings.allows(names::STUDENT, Use::Read));
    assert!(!bookings.allows(names::OPERATOR, Use::Sort));
}

#[test]
fn what_is_sent_counts_as_what_it_does() {
    assert_eq!(sample("Event.bookings(first:)").sent_as(), Use::Give);
    assert_eq!(sample("Event.bookings(state:)").sent_as(), Use::Filter);
    assert_eq!(sample("EventOrder.STARTS_AT").sent_as(), Use::Sort);
}

#[test]
fn a_denial_names_the_permission_and_its_training() {
    static ROW: Row = Row::new(
        "Event.bookings",
        Rights::NONE.read(Who::any(&[names::OPERATOR, names::MANAGE_EVENT])),
    );
    let denial = Denial {
        row: &ROW,
        usage: Use::Read,
    };
    assert_eq!(
        denial.reason(&Person { signed_in: true }),
        "Event.bookings can be read by operators and holders of MANAGE_EVENT only. \
         MANAGE_EVENT needs training."
    );
    assert_eq!(
        denial.reason(&Person { signed_in: false }),
        "Event.bookings can be read by operators and holders of MANAGE_EVENT only. Sign in first."
    );
}

#[test]
fn a_row_reads_as_a_sentence() {
    assert_eq!(
        sentence(&sample("EventOrder.STARTS_AT")),
        "Can be used to sort by everyone who is signed in."
    );
    assert_eq!(
        sentence(&sample("EventKind.WORKSHOP")),
        "Can be read by everyone; given by everyone."
    );
}

#[test]
fn a_mutation_is_called() {
    let row = Row::new("Mutation.bookEvent", Rights::NONE.read(names::STUDENT));
    assert_eq!(sentence(&row), "Can be called by students.");
}

#[test]
fn no_coordinate_has_two_rows() {
    assert_eq!(repeated(), [""; 0]);
}

#[test]
fn coordinates_without_a_row_are_reported_and_denied() {
    assert_eq!(
        missing(["PageInfo.hasNextPage", "Nothing.here"]),
        ["Nothing.here"]
    );
    let somebody = Person { signed_in: true };
    assert!(allows(&somebody, "PageInfo.hasNextPage", Use::Read));
    assert!(!allows(&somebody, "Nothing.here", Use::Read));
}
