use async_graphql::{
    EmptySubscription, Enum, InputObject, Interface, Object, Result, Variables, value,
};
use domain::policy::{Rights, Row, names};
use serde_json::json;

use super::*;
use crate::graphql::errors::code;

/// Something with a secret.
struct Thing(u32);

#[Object]
impl Thing {
    /// Its name.
    async fn name(&self) -> String {
        format!("thing {}", self.0)
    }

    async fn secret(&self) -> Option<&str> {
        assert!(self.0 < 10, "the resolver of a denied field was called");
        Some("the secret")
    }

    async fn strict_secret(&self) -> &str {
        "the secret"
    }

    async fn id(&self) -> async_graphql::ID {
        self.0.into()
    }

    async fn failing(&self) -> Option<Result<u32>> {
        Some(Err(domain::Error::Fault("inside".to_owned()).into()))
    }

    async fn strict_failing(&self) -> Result<u32> {
        Err(domain::Error::Forbidden("Not you.".to_owned()).into())
    }

    async fn unsound_failing(&self) -> Result<Option<u32>> {
        Err(domain::Error::Forbidden("Not you.".to_owned()).into())
    }
}

#[derive(Interface)]
#[graphql(field(name = "id", ty = "async_graphql::ID"))]
enum Node {
    Thing(Thing),
}

#[derive(InputObject)]
struct Filter {
    secret: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Enum)]
enum Order {
    Name,
    Secret,
}

struct Query;

#[Object]
impl Query {
    async fn thing(&self, #[graphql(default = 1)] number: u32) -> Option<Thing> {
        Some(Thing(number))
    }

    async fn things(&self, filter: Option<Filter>, order: Option<Order>) -> Vec<Thing> {
        let all = vec![Thing(1), Thing(2), Thing(3)];
        match (filter.and_then(|filter| filter.secret), order) {
            (Some(_), _) | (_, Some(Order::Secret)) => Vec::new(),
            (None, Some(Order::Name) | None) => all,
        }
    }

    async fn sparse(&self) -> Vec<Option<Thing>> {
        vec![Some(Thing(1)), None]
    }

    async fn sole(&self) -> Option<Thing> {
        Some(Thing(1))
    }

    async fn none(&self) -> Option<Thing> {
        None
    }

    async fn node(&self) -> Option<Node> {
        Some(Thing(1).into())
    }
}

struct Mutation;

/// Whether the mutation was carried out that is denied to everybody here.
static CARRIED_OUT: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

#[Object]
impl Mutation {
    async fn change(&self) -> Option<Thing> {
        Some(Thing(1))
    }

    async fn restricted_change(&self) -> Option<Thing> {
        CARRIED_OUT.store(true, std::sync::atomic::Ordering::SeqCst);
        None
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "this is the shape of the policy's own function"
)]
fn row(coordinate: &str) -> Option<&'static Row> {
    let staff = names::STAFF;
    let rights = match coordinate {
        "Thing.secret" | "Thing.strictSecret" | "Mutation.restrictedChange" => {
            Rights::NONE.read(staff)
        }
        "Filter.secret" => Rights::NONE.filter(staff),
        "Order.SECRET" => Rights::NONE.sort(staff),
        _ => Rights::NONE.both(names::EVERYONE),
    };
    let coordinate: &'static str = Box::leak(coordinate.to_owned().into_boxed_str());
    Some(Box::leak(Box::new(Row::new(coordinate, rights))))
}

type Tested = Endpoint<Query, Mutation, EmptySubscription>;

fn endpoint() -> Tested {
    Endpoint::with_rows(
        || Schema::build(Query, Mutation, EmptySubscription),
        row,
        Limits::default(),
    )
    .unwrap()
}

async fn ask_as(viewer: &Viewer, query: &str) -> Answer {
    let endpoint = endpoint();
    match endpoint.prepare(Request::new(query), viewer) {
        Ok(prepared) => endpoint.execute(prepared, viewer).await,
        Err(errors) => Answer::refused(errors),
    }
}

async fn ask(query: &str) -> Answer {
    ask_as(&Viewer::anonymous(), query).await
}

fn codes(answer: &Answer) -> Vec<&str> {
    answer.response.errors.iter().filter_map(code).collect()
}

fn sent(answer: &Answer) -> serde_json::Value {
    serde_json::to_value(&answer.response).unwrap()
}

#[tokio::test]
async fn a_denied_field_is_null_with_one_error_however_many_rows_there_are() {
    let answer = ask("{ things { name secret } }").await;
    assert_eq!(
        answer.response.data,
        value!({"things": [
            {"name": "thing 1", "secret": null},
            {"name": "thing 2", "secret": null},
            {"name": "thing 3", "secret": null},
        ]})
    );
    assert_eq!(
        sent(&answer)["errors"],
        json!([{
            "message": "Thing.secret can be read by staff only. Sign in first.",
            "locations": [{"line": 1, "column": 17}],
            "path": ["things", "secret"],
            "extensions": {"code": "FORBIDDEN", "coordinate": "Thing.secret"},
        }])
    );
}

#[tokio::test]
async fn whether_there_is_a_value_does_not_show() {
    let some = ask("{ x: sole { secret } }").await;
    let none = ask("{ x: none { secret } }").await;
    assert_eq!(sent(&some)["errors"], sent(&none)["errors"]);
}

#[tokio::test]
async fn the_resolver_of_a_denied_field_is_not_called() {
    let answer = ask("{ thing(number: 99) { secret } }").await;
    assert_eq!(codes(&answer), ["FORBIDDEN"]);
}

#[tokio::test]
async fn a_denied_field_is_null_by_every_path() {
    for query in [
        "{ thing { secret } }",
        "{ thing { s: secret } }",
        "{ thing { ...F } } fragment F on Thing { secret }",
        "{ thing { ... on Thing { ... { secret } } } }",
        "{ node { ... on Thing { secret } } }",
        "{ sparse { secret } }",
        "mutation { change { secret } }",
        "query($yes: Boolean = true) { thing { secret @include(if: $yes) } }",
    ] {
        let answer = ask(query).await;
        assert_eq!(codes(&answer), ["FORBIDDEN"], "{query}");
        assert!(
            !sent(&answer)["data"].to_string().contains("the secret"),
            "{query}"
        );
        let allowed = ask_as(&Viewer::system(), query).await;
        assert_eq!(codes(&allowed), [""; 0], "{query}");
        assert!(
            sent(&allowed)["data"].to_string().contains("the secret"),
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_field_that_a_default_leaves_out_is_left_out() {
    let answer = ask("query($yes: Boolean = true) { thing { name secret @skip(if: $yes) } }").await;
    assert_eq!(codes(&answer), [""; 0]);
    assert_eq!(answer.response.data, value!({"thing": {"name": "thing 1"}}));
}

#[tokio::test]
async fn a_denied_field_that_is_never_null_makes_null_of_what_it_belongs_to() {
    let answer = ask("{ thing { name strictSecret } sparse { strictSecret } }").await;
    assert_eq!(
        answer.response.data,
        value!({"thing": null, "sparse": [null, null]})
    );
    assert_eq!(codes(&answer), ["FORBIDDEN"]);
    let answer = ask("{ things { strictSecret } }").await;
    assert!(answer.executed);
    assert_eq!(answer.response.data, Value::Null);
    assert_eq!(codes(&answer), ["FORBIDDEN"]);
}

#[tokio::test]
async fn a_denied_mutation_filter_or_order_refuses_the_request() {
    for (query, coordinate) in [
        (
            "mutation { restrictedChange { name } }",
            "Mutation.restrictedChange",
        ),
        (
            "{ things(filter: {secret: \"x\"}) { name } }",
            "Filter.secret",
        ),
        ("{ things(order: SECRET) { name } }", "Order.SECRET"),
    ] {
        let answer = ask(query).await;
        assert!(!answer.executed, "{query}");
        assert_eq!(codes(&answer), ["FORBIDDEN"], "{query}");
        assert_eq!(
            sent(&answer)["errors"][0]["extensions"]["coordinate"],
            coordinate
        );
        assert_eq!(answer.response.data, Value::Null);
    }
    assert!(!CARRIED_OUT.load(std::sync::atomic::Ordering::SeqCst));
}

#[tokio::test]
async fn a_filter_in_a_variable_is_looked_into() {
    let endpoint = endpoint();
    let request = Request::new("query($f: Filter) { things(filter: $f) { name } }")
        .variables(Variables::from_json(json!({"f": {"secret": "x"}})));
    let errors = endpoint.prepare(request, &Viewer::anonymous()).unwrap_err();
    assert_eq!(code(&errors[0]), Some("FORBIDDEN"));
}

/// GraphQL specification, section 6.4.4: a field error makes its field null, or if that can't be null, its parent.
#[tokio::test]
async fn a_failing_field_is_null_where_the_specification_says() {
    for (query, data) in [
        (
            "{ thing { name failing } }",
            value!({"thing": {"name": "thing 1", "failing": null}}),
        ),
        ("{ thing { name strictFailing } }", value!({"thing": null})),
        (
            "{ sparse { failing } }",
            value!({"sparse": [{"failing": null}, null]}),
        ),
        (
            "{ sparse { strictFailing } }",
            value!({"sparse": [null, null]}),
        ),
        ("{ things { strictFailing } }", Value::Null),
    ] {
        let answer = ask(query).await;
        assert!(answer.executed, "{query}");
        assert_eq!(answer.response.data, data, "{query}");
        let path = &sent(&answer)["errors"][0]["path"];
        assert!(
            path.as_array().is_some_and(|path| !path.is_empty()),
            "{query}"
        );
    }
}

/// What the library does with a `Result<Option<_>>`, which is why no resolver here may be one. When this fails, the rule
/// in `graphql.rs` can go.
#[tokio::test]
async fn the_library_still_nulls_the_parent_of_a_fallible_option() {
    let answer = ask("{ thing { name unsoundFailing } }").await;
    assert_eq!(answer.response.data, value!({"thing": null}));
}

#[tokio::test]
async fn the_cost_of_a_request_stands_in_its_extensions() {
    let answer = ask("{ things { name } }").await;
    assert_eq!(sent(&answer)["extensions"]["cost"], 11);
}

#[tokio::test]
async fn what_does_not_fit_the_schema_is_not_carried_out_and_nothing_is_suggested() {
    let answer = ask("{ thing { secre } }").await;
    assert!(!answer.executed);
    assert_eq!(codes(&answer), ["GRAPHQL_VALIDATION_FAILED"]);
    assert!(!answer.response.errors[0].message.contains("secret"));
}

#[test]
fn every_row_stands_in_the_schema() {
    let sdl = endpoint().sdl();
    for expected in [
        "secret: String @access(read: [STAFF])",
        "secret: String @access(filter: [STAFF])",
        "SECRET @access(sort: [STAFF])",
        "number: Int! = 1 @access(read: [EVERYONE], give: [EVERYONE])",
        "directive @access(read: [Who!], give: [Who!], filter: [Who!], sort: [Who!]) on FIELD_DEFINITION",
        "\"Its name. Can be read by everyone; given by everyone.\"",
        "enum Who {",
    ] {
        assert!(sdl.contains(expected), "{expected}\n{sdl}");
    }
}

#[test]
fn a_coordinate_without_a_row_stops_the_start_with_its_name() {
    fn without_one(coordinate: &str) -> Option<&'static Row> {
        row(coordinate).filter(|_| coordinate != "Query.things(order:)")
    }
    let started = Endpoint::with_rows(
        || Schema::build(Query, Mutation, EmptySubscription),
        without_one,
        Limits::default(),
    );
    let Err(StartError::Policy(faults)) = started else {
        panic!("it started");
    };
    assert_eq!(
        faults,
        ["Query.things(order:) has no row in the policy table."]
    );
}

#[test]
fn a_kind_with_other_readers_than_its_interface_stops_the_start() {
    fn narrower(coordinate: &str) -> Option<&'static Row> {
        static NARROW: Row = Row::new("Thing.id", Rights::NONE.read(names::STAFF));
        if coordinate == "Thing.id" {
            return Some(&NARROW);
        }
        row(coordinate)
    }
    let started = Endpoint::with_rows(
        || Schema::build(Query, Mutation, EmptySubscription),
        narrower,
        Limits::default(),
    );
    let error = started.unwrap_err().to_string();
    assert!(
        error.contains("Thing.id and Node.id don't have the same readers."),
        "{error}"
    );
}

#[test]
fn denials_that_would_spread_are_reported() {
    let endpoint = endpoint();
    assert_eq!(
        access::denials_that_spread(endpoint.index()),
        ["Thing.strictSecret for anybody"]
    );
}

#[test]
fn the_page_for_people_has_a_line_for_every_coordinate() {
    let endpoint = endpoint();
    let page = access::permissions_markdown(endpoint.index());
    assert!(page.contains("| `Thing.secret` | STAFF |"), "{page}");
    for entry in endpoint.index().entries() {
        assert!(
            page.contains(&format!("| `{}` |", entry.coordinate)),
            "{}",
            entry.coordinate
        );
    }
}
