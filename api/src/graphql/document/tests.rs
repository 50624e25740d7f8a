use domain::policy::{Rights, Row, names};
use serde_json::json;

use super::*;

const SDL: &str = r"
    schema { query: Query mutation: Mutation subscription: Subscription }
    interface Node { id: ID! }
    type Query {
        me: Person
        node(id: ID!): Node
        nodes(ids: [ID!]!): [Node]!
        people(first: Int, last: Int, filter: PersonFilter, order: PersonOrder): PersonConnection!
        jobs: [Job!]!
    }
    type Mutation { rename(input: RenameInput!): Person remove(id: ID!): Boolean }
    type Subscription { renamed: Person }
    type Person implements Node { id: ID! name: String! email: String friends: [Person!]! kind: PersonKind }
    type Job implements Node { id: ID! payload: String! }
    type PersonConnection { nodes: [Person!]! edges: [PersonEdge!]! pageInfo: PageInfo! totalCount: Int }
    type PersonEdge { node: Person! cursor: String! }
    type PageInfo { hasNextPage: Boolean! }
    input PersonFilter { name: String email: String kinds: [PersonKind!] also: [PersonFilter!] }
    input RenameInput { id: ID! name: String! loudly: Boolean }
    enum PersonKind { HUMAN ROBOT }
    enum PersonOrder { NAME EMAIL }
";

/// What is not everybody's in the schema above.
#[expect(
    clippy::unnecessary_wraps,
    reason = "this is the shape of the policy's own function"
)]
fn row(coordinate: &str) -> Option<&'static Row> {
    let rights = Rights::NONE;
    let rights = match coordinate {
        "Person.email"
        | "Query.jobs"
        | "Job.payload"
        | "Mutation.remove"
        | "Subscription.renamed" => rights.read(names::STAFF),
        "PersonFilter.email" => rights.filter(names::STAFF),
        "PersonFilter.name" => rights.filter(names::EVERYONE),
        "PersonOrder.EMAIL" => rights.sort(names::STAFF),
        "RenameInput.loudly" | "PersonKind.ROBOT" => {
            rights.read(names::EVERYONE).give(names::STAFF)
        }
        _ => rights.both(names::EVERYONE),
    };
    let coordinate: &'static str = Box::leak(coordinate.to_owned().into_boxed_str());
    Some(Box::leak(Box::new(Row::new(coordinate, rights))))
}

fn ask(text: &str, variables: serde_json::Value, standing: Who) -> Result<Survey, ServerError> {
    let index = SchemaIndex::with_rows(SDL, row).unwrap();
    let limits = Limits::default();
    let document = parse(text, &limits)?;
    let operation = operation(&document, None)?;
    let mut variables = Variables::from_json(variables);
    fill_in(operation, &mut variables);
    survey(&index, &limits, &document, operation, &variables, standing)
}

fn anybody(text: &str) -> Result<Survey, ServerError> {
    ask(text, json!({}), names::EVERYONE)
}

fn denied(text: &str) -> Vec<String> {
    let survey = anybody(text).unwrap();
    assert!(survey.refused.is_empty(), "{:?}", survey.refused);
    survey
        .denied
        .iter()
        .map(|denied| {
            format!(
                "{} at {}",
                denied.denial.row.coordinate(),
                denied.path.join(".")
            )
        })
        .collect()
}

fn refused(text: &str, variables: serde_json::Value) -> Vec<&'static str> {
    let refused = ask(text, variables.clone(), names::EVERYONE)
        .unwrap()
        .refused;
    let staff = ask(text, variables, Who::any(&[names::EVERYONE, names::STAFF])).unwrap();
    assert!(staff.refused.is_empty(), "{:?}", staff.refused);
    refused
        .iter()
        .map(|refused| refused.denial.row.coordinate())
        .collect()
}

fn excess(text: &str) -> Option<String> {
    let error = anybody(text).err()?;
    assert_eq!(crate::graphql::errors::code(&error), Some("LIMIT_EXCEEDED"));
    Some(error.message)
}

fn cost(text: &str) -> u64 {
    anybody(text).unwrap().cost
}

#[test]
fn a_field_that_may_not_be_read_is_found_by_every_path() {
    for (text, expected) in [
        ("{ me { email } }", "Person.email at me.email"),
        ("{ me { mail: email } }", "Person.email at me.mail"),
        (
            "{ me { ...F } } fragment F on Person { email }",
            "Person.email at me.email",
        ),
        ("{ me { ... { email } } }", "Person.email at me.email"),
        (
            "{ node(id: 1) { ... on Person { email } } }",
            "Person.email at node.email",
        ),
        (
            "{ people { nodes { friends { email } } } }",
            "Person.email at people.nodes.friends.email",
        ),
        (
            "{ people { edges { node { email } } } }",
            "Person.email at people.edges.node.email",
        ),
        (
            "mutation { rename(input: {id: 1, name: \"x\"}) { email } }",
            "Person.email at rename.email",
        ),
    ] {
        assert_eq!(denied(text), [expected], "{text}");
    }
}

#[test]
fn a_coordinate_is_denied_once_however_often_it_is_selected() {
    assert_eq!(
        denied(
            "{ a: me { email } b: me { email ...F } } fragment F on Person { email friends { email } }"
        ),
        ["Person.email at a.email"]
    );
}

#[test]
fn nothing_is_denied_below_what_is_denied() {
    assert_eq!(denied("{ jobs { payload } }"), ["Query.jobs at jobs"]);
}

#[test]
fn what_is_left_out_is_not_denied() {
    let text = "query($yes: Boolean = true, $no: Boolean!) {
        me { name email @skip(if: $yes) ... @include(if: $no) { email } ...F @skip(if: true) }
    } fragment F on Person { email }";
    let survey = ask(text, json!({"no": false}), names::EVERYONE).unwrap();
    assert!(survey.denied.is_empty(), "{:?}", survey.denied);
    let survey = ask(text, json!({"no": true}), names::EVERYONE).unwrap();
    assert_eq!(survey.denied.len(), 1);
}

#[test]
fn a_fragment_that_is_left_out_first_counts_where_it_is_not() {
    assert_eq!(
        denied("{ a: me { ...F @skip(if: true) } b: me { ...F } } fragment F on Person { email }"),
        ["Person.email at b.email"]
    );
}

#[test]
fn mutations_subscriptions_and_what_is_sent_are_refused_whole() {
    for (text, variables, expected) in [
        ("mutation { remove(id: 1) }", json!({}), "Mutation.remove"),
        (
            "subscription { renamed { id } }",
            json!({}),
            "Subscription.renamed",
        ),
        (
            "{ people(filter: {email: \"x\"}) { totalCount } }",
            json!({}),
            "PersonFilter.email",
        ),
        (
            "{ people(filter: {also: [{also: {email: null}}]}) { totalCount } }",
            json!({}),
            "PersonFilter.email",
        ),
        (
            "query($f: PersonFilter) { people(filter: $f) { totalCount } }",
            json!({"f": {"email": "x"}}),
            "PersonFilter.email",
        ),
        (
            "query($f: [PersonFilter!]) { people(filter: {also: $f}) { totalCount } }",
            json!({"f": [{"email": "x"}]}),
            "PersonFilter.email",
        ),
        (
            "query($f: PersonFilter!) { people(filter: {also: [$f]}) { totalCount } }",
            json!({"f": {"email": "x"}}),
            "PersonFilter.email",
        ),
        (
            "query($e: String = \"x\") { people(filter: {email: $e}) { totalCount } }",
            json!({}),
            "PersonFilter.email",
        ),
        (
            "{ people(order: EMAIL) { totalCount } }",
            json!({}),
            "PersonOrder.EMAIL",
        ),
        (
            "query($o: PersonOrder) { people(order: $o) { totalCount } }",
            json!({"o": "EMAIL"}),
            "PersonOrder.EMAIL",
        ),
        (
            "{ people(filter: {kinds: [HUMAN, ROBOT]}) { totalCount } }",
            json!({}),
            "PersonKind.ROBOT",
        ),
        (
            "query($k: [PersonKind!]) { people(filter: {kinds: $k}) { totalCount } }",
            json!({"k": ["ROBOT"]}),
            "PersonKind.ROBOT",
        ),
        (
            "mutation { rename(input: {id: 1, name: \"x\", loudly: true}) { id } }",
            json!({}),
            "RenameInput.loudly",
        ),
    ] {
        assert_eq!(refused(text, variables), [expected], "{text}");
    }
}

#[test]
fn a_variable_without_a_value_is_not_sent() {
    let text = "query($e: String, $f: PersonFilter) {
        a: people(filter: {email: $e}) { totalCount } b: people(filter: $f) { totalCount }
    }";
    assert_eq!(refused(text, json!({})), [""; 0]);
}

#[test]
fn variables_have_to_fit_what_the_operation_declares() {
    let text = "query($n: Int!, $m: Int = 3, $k: [PersonKind!], $f: PersonFilter, $r: RenameInput, $x: Boolean) { me { id } }";
    let rename = json!({"id": "1", "name": "x"});
    for good in [
        json!({"n": 1}),
        json!({"n": 1, "m": null, "k": null, "f": null}),
        json!({"n": 1, "k": ["HUMAN"]}),
        json!({"n": 1, "k": "HUMAN"}),
        json!({"n": 1, "f": {"also": {"name": "x"}, "kinds": []}}),
        json!({"n": 1, "r": rename, "x": true, "unknown": 7}),
        json!({"n": 1, "r": {"id": 7, "name": "x"}}),
    ] {
        let standing = Who::any(&[names::EVERYONE, names::STAFF]);
        assert!(ask(text, good.clone(), standing).is_ok(), "{good}");
    }
    for (bad, reason) in [
        (json!({}), "$n is missing: it has to be Int!."),
        (json!({"n": null}), "$n is missing: it has to be Int!."),
        (json!({"n": "x"}), "$n is not a value of Int."),
        (json!({"n": 1.5}), "$n is not a value of Int."),
        (json!({"n": 3_000_000_000_u32}), "$n is not a value of Int."),
        (
            json!({"n": 1, "k": ["CAT"]}),
            "$k.0 is not a value of PersonKind.",
        ),
        (
            json!({"n": 1, "k": [null]}),
            "$k.0 is missing: it has to be PersonKind!.",
        ),
        (
            json!({"n": 1, "f": "x"}),
            "$f is not a value of PersonFilter.",
        ),
        (
            json!({"n": 1, "f": {"age": 7}}),
            "$f.age is not a field of PersonFilter.",
        ),
        (
            json!({"n": 1, "f": {"also": [{"name": 7}]}}),
            "$f.also.0.name is not a value of String.",
        ),
        (
            json!({"n": 1, "r": {"id": "1"}}),
            "$r.name is missing: it has to be String!.",
        ),
        (
            json!({"n": 1, "x": "true"}),
            "$x is not a value of Boolean.",
        ),
    ] {
        let error = ask(text, bad, names::EVERYONE).unwrap_err();
        assert_eq!(error.message, reason);
        assert_eq!(crate::graphql::errors::code(&error), Some("BAD_USER_INPUT"));
    }
}

#[test]
fn other_operations_of_the_document_ask_for_nothing() {
    let text = "query A { me { name } } mutation B { remove(id: 1) }";
    let index = SchemaIndex::with_rows(SDL, row).unwrap();
    let limits = Limits::default();
    let document = parse(text, &limits).unwrap();
    let operation = operation(&document, Some("A")).unwrap();
    let survey = survey(
        &index,
        &limits,
        &document,
        operation,
        &Variables::default(),
        names::EVERYONE,
    )
    .unwrap();
    assert!(survey.refused.is_empty());
}

#[test]
fn which_operation_is_meant_has_to_be_known() {
    let document = parse(
        "query A { me { id } } query B { me { id } }",
        &Limits::default(),
    )
    .unwrap();
    for name in [None, Some("C")] {
        let error = operation(&document, name).unwrap_err();
        assert_eq!(
            crate::graphql::errors::code(&error),
            Some("OPERATION_UNKNOWN")
        );
    }
    let document = parse("query A { me { id } }", &Limits::default()).unwrap();
    assert!(operation(&document, None).is_ok());
}

#[test]
fn nested_fragment_spreads_are_counted_without_writing_them_out() {
    // Doubled at every level: 2 to the power of 22 fields from 700 bytes. Writing them out would take seconds.
    let mut bomb = "{me{...A0}}".to_owned();
    for level in 0..22 {
        bomb += &format!("fragment A{level} on Person{{...A{0} ...A{0}}}", level + 1);
    }
    bomb += "fragment A22 on Person{name}";
    assert!(bomb.len() < 1_000);
    assert_eq!(
        excess(&bomb).as_deref(),
        Some("The document selects more than 2000 fields when its fragments are written out.")
    );
    // The same in fragments that no operation spreads, and in an operation that isn't carried out.
    assert!(excess(&bomb.replace("{me{...A0}}", "{me{name}}")).is_some());
}

#[test]
fn what_is_too_deep_too_wide_or_too_much_is_refused() {
    let deep = format!("{}name{}", "{friends".repeat(100), "}".repeat(100));
    let aliases: String = (0..4_000).map(|n| format!("a{n}: name ")).collect();
    let fields = "name ".repeat(2_001);
    let chain: String = (0..200)
        .map(|n| format!("fragment F{n} on Person {{ ...F{} }} ", n + 1))
        .collect();
    for text in [
        format!("{{ me {deep} }}"),
        format!("{{ me {}id{} }}", "{friends".repeat(31), "}".repeat(31)),
        format!("{{ me {{ {aliases} }} }}"),
        format!("{{ me {{ {fields} }} }}"),
        format!("{{ me {{ ...F0 }} }} {chain} fragment F200 on Person {{ name }}"),
        "{ people(first: 100) { nodes { friends { friends { friends { friends { name } } } } } } }"
            .to_owned(),
    ] {
        assert!(excess(&text).is_some(), "{}", &text[..60]);
    }
}

#[test]
fn a_fragment_that_spreads_itself_is_refused() {
    for text in [
        "{ me { ...F } } fragment F on Person { ...F }",
        "{ me { ...F } } fragment F on Person { friends { ...G ...G } } fragment G on Person { ...F ...F }",
        "{ me { id } } fragment F on Person { ...F ...F }",
    ] {
        let error = anybody(text).unwrap_err();
        assert_eq!(
            crate::graphql::errors::code(&error),
            Some("GRAPHQL_VALIDATION_FAILED"),
            "{text}"
        );
    }
}

#[test]
fn the_cost_is_the_number_of_fields_that_the_answer_can_have() {
    for (text, expected) in [
        ("{ me { id name } }", 3),
        ("{ me { friends { name } } }", 2 + 10),
        (
            "{ people(first: 5) { totalCount nodes { id name } } }",
            2 + 5 * 3,
        ),
        (
            "{ people(last: 5) { edges { cursor node { id } } } }",
            1 + 5 * 4,
        ),
        (
            "{ people { ...F } } fragment F on PersonConnection { nodes { id } }",
            1 + 20 * 2,
        ),
        ("{ nodes(ids: [1, 2, 3]) { id } }", 1 + 3),
        ("{ people(first: 0) { nodes { id } } }", 1),
    ] {
        assert_eq!(cost(text), expected, "{text}");
    }
    let first = ask(
        "query($n: Int = 7) { people(first: $n) { nodes { id } } }",
        json!({}),
        names::EVERYONE,
    );
    assert_eq!(first.unwrap().cost, 1 + 7 * 2);
    let first = ask(
        "query($n: Int = 7) { people(first: $n) { nodes { id } } }",
        json!({"n": 9}),
        names::EVERYONE,
    );
    assert_eq!(first.unwrap().cost, 1 + 9 * 2);
}

#[test]
fn a_page_of_any_number_of_rows_is_counted_without_overflow() {
    let most = u64::MAX;
    let text = format!("{{ people(first: {most}) {{ nodes {{ friends {{ name }} }} }} }}");
    assert!(excess(&text).unwrap().contains(&most.to_string()));
}

#[test]
fn the_introspection_query_of_graphiql_passes() {
    let survey = anybody(INTROSPECTION).unwrap();
    assert!(survey.denied.is_empty() && survey.refused.is_empty());
}

#[test]
fn what_can_not_be_parsed_has_a_code_and_a_place() {
    let error = anybody("{ me { ").unwrap_err();
    assert_eq!(
        crate::graphql::errors::code(&error),
        Some("GRAPHQL_PARSE_FAILED")
    );
    assert!(!error.locations.is_empty());
}

#[test]
fn every_coordinate_of_the_schema_is_in_the_index() {
    let index = SchemaIndex::with_rows(SDL, row).unwrap();
    let coordinates: Vec<&str> = index
        .entries()
        .into_iter()
        .map(|entry| entry.coordinate.as_str())
        .collect();
    for expected in [
        "Query.node",
        "Query.node(id:)",
        "Node.id",
        "PersonFilter.also",
        "PersonKind.ROBOT",
    ] {
        assert!(coordinates.contains(&expected), "{expected}");
    }
    assert!(
        !coordinates
            .iter()
            .any(|coordinate| coordinate.contains("__"))
    );
}

/// As `GraphiQL` 5 sends it, with every option on (graphql-js `getIntrospectionQuery`).
const INTROSPECTION: &str = include_str!("introspection.graphql");
