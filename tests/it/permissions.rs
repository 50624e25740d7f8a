//! The policy table, carried out: every demo person asks for every field that a query can get to, and gets null for what
//! the table denies and for nothing else.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use api::{
    demo,
    graphql::{
        cursor::Cursors,
        document::{FieldEntry, Kind, SchemaIndex, TypeEntry},
        endpoint::{Answer, Operations, Prepared},
        errors::code,
        schema::{self, ApiEndpoint},
    },
    http::graphql::{Authenticate, Door},
};
use async_graphql::{Request, ServerError, parser::types::OperationType};
use domain::{
    Store, Viewer,
    policy::{Asker, Use},
    session::Keyring,
};
use entity::{
    event::{self, EventState},
    tag, user,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::Value;
use support::{TestBed, on_both_columns};

mod inputs;
mod operations;
mod people;
mod scopes;
mod sent;
mod states;
mod things;

/// One of each kind of demo person.
const PEOPLE: [&str; 6] = [
    "admin",
    "superuser",
    "operator",
    "untrained",
    "employer",
    "student1",
];

/// The arguments of fields that can't do without, by coordinate.
type Arguments = HashMap<&'static str, String>;

on_both_columns! {
    async fn everybody_gets_null_for_what_the_table_denies_and_for_nothing_else(bed: TestBed) {
        let campus = Campus::open(&bed).await;
        let people = campus.people().await;
        let index = campus.endpoint.index();
        let ways = ways(index, &campus.arguments);
        let mut denied_at_least_once = 0;
        for of in index.types() {
            let (Kind::Fields { fields, .. }, Some(way)) = (&of.kind, ways.get(of.name.as_str())) else {
                continue;
            };
            for (name, field) in fields {
                let Some(selection) = selection(index, &campus.arguments, name, field) else {
                    continue;
                };
                let query = format!("{}{selection}{}", way.open, way.close);
                let mut keys = way.keys.clone();
                keys.push(name.clone());
                for (who, viewer) in &people {
                    let first = way
                        .fields
                        .iter()
                        .copied()
                        .chain([field])
                        .find(|field| !field.entry.row.unwrap().allows(viewer.standing(), Use::Read));
                    let answer = campus.ask(&query, viewer).await;
                    let expected: Vec<&str> = first.iter().map(|field| field.entry.coordinate.as_str()).collect();
                    assert_eq!(denied(&answer), expected, "{who}: {query}");
                    let found = values(&answer.response.data.clone().into_json().unwrap(), &keys);
                    if first.is_some() {
                        denied_at_least_once += 1;
                        assert!(found.iter().all(Value::is_null), "{who}: {query}: {found:?}");
                    }
                }
            }
        }
        assert!(denied_at_least_once > 100, "{denied_at_least_once}");
    }
}

/// The demo data behind the whole schema, below HTTP.
struct Campus {
    store: Store,
    door: Door,
    endpoint: ApiEndpoint,
    arguments: Arguments,
}

impl Campus {
    async fn open(bed: &TestBed) -> Self {
        let store = bed.store().await;
        demo::load(&store).await.unwrap();
        let keyring = Keyring::open(&store).await.unwrap();
        let endpoint = schema::serve(&store, &keyring, &Cursors::new(b"for tests")).unwrap();
        let tag = tag::Entity::find()
            .one(store.reader())
            .await
            .unwrap()
            .unwrap();
        let event = event::Entity::find()
            .filter(event::Column::State.eq(EventState::Published))
            .one(store.reader())
            .await
            .unwrap()
            .unwrap();
        Self {
            door: Door::new(store.clone(), keyring),
            store,
            endpoint,
            arguments: HashMap::from([
                (
                    "Query.calendar",
                    r#"(from: "2020-01-01", to: "2040-01-01", first: 5)"#.to_owned(),
                ),
                ("Query.eventClashes", format!("(eventId: \"{}\")", event.id)),
                (
                    "Query.campaignPreview",
                    format!(r#"(input: {{anyOfTags: ["{}"]}})"#, tag.id),
                ),
            ]),
        }
    }

    /// The demo people, and nobody.
    async fn people(&self) -> Vec<(&'static str, Arc<Viewer>)> {
        let mut people = vec![("nobody", Arc::new(Viewer::anonymous()))];
        for name in PEOPLE {
            let account = user::Entity::find()
                .filter(user::Column::Email.eq(format!("{name}@demo.mycareer.test")))
                .one(self.store.reader())
                .await
                .unwrap()
                .unwrap_or_else(|| panic!("there is no {name}"));
            let viewer = Viewer::load(self.store.reader(), account.id, None, self.store.now())
                .await
                .unwrap()
                .unwrap();
            people.push((name, Arc::new(viewer)));
        }
        people
    }

    fn prepare(&self, query: &str, viewer: &Arc<Viewer>) -> Result<Prepared, Vec<ServerError>> {
        let request = self.door.equip(Request::new(query), viewer);
        self.endpoint.prepare(request, viewer)
    }

    async fn ask(&self, query: &str, viewer: &Arc<Viewer>) -> Answer {
        let prepared = self
            .prepare(query, viewer)
            .unwrap_or_else(|errors| panic!("{query}: {errors:?}"));
        self.endpoint.execute(prepared, viewer).await
    }
}

/// The coordinates that the answer says are denied. Every other error is a failure of the system.
fn denied(answer: &Answer) -> Vec<&str> {
    answer
        .response
        .errors
        .iter()
        .map(|error| {
            assert_eq!(code(error), Some("FORBIDDEN"), "{error:?}");
            match error
                .extensions
                .as_ref()
                .and_then(|more| more.get("coordinate"))
            {
                Some(async_graphql::Value::String(coordinate)) => coordinate.as_str(),
                other => panic!("{error:?}: {other:?}"),
            }
        })
        .collect()
}

/// Everything that stands at a path, through whatever lists there are.
fn values(data: &Value, keys: &[String]) -> Vec<Value> {
    match (data, keys.split_first()) {
        (Value::Array(items), _) => items.iter().flat_map(|item| values(item, keys)).collect(),
        (Value::Object(fields), Some((key, rest))) => fields
            .get(key)
            .map(|value| values(value, rest))
            .unwrap_or_default(),
        (_, Some(_)) => Vec::new(),
        (value, None) => vec![value.clone()],
    }
}

/// How a query gets to a type.
#[derive(Clone)]
struct Way<'i> {
    open: String,
    close: String,
    fields: Vec<&'i FieldEntry>,
    keys: Vec<String>,
}

/// The shortest way of a query to each type.
fn ways<'i>(index: &'i SchemaIndex, known: &Arguments) -> HashMap<&'i str, Way<'i>> {
    let root = index.root(OperationType::Query).unwrap();
    let start = Way {
        open: "{".to_owned(),
        close: "}".to_owned(),
        fields: Vec::new(),
        keys: Vec::new(),
    };
    let mut ways = HashMap::from([(root.name.as_str(), start)]);
    let mut next = VecDeque::from([root]);
    while let Some(of) = next.pop_front() {
        let way = ways[of.name.as_str()].clone();
        let Kind::Fields { fields, .. } = &of.kind else {
            continue;
        };
        for (name, field) in fields {
            let Some(to) = index.type_named(&field.of).filter(|to| is_object(to)) else {
                continue;
            };
            let Some(arguments) =
                arguments(known, field).filter(|_| !ways.contains_key(to.name.as_str()))
            else {
                continue;
            };
            let mut longer = way.clone();
            longer.open += &format!("{name}{arguments}{{");
            longer.close += "}";
            longer.fields.push(field);
            longer.keys.push(name.clone());
            ways.insert(&to.name, longer);
            next.push_back(to);
        }
    }
    ways
}

fn is_object(of: &TypeEntry) -> bool {
    matches!(of.kind, Kind::Fields { .. })
}

/// What selects a field; none when that takes arguments that only its own tests have.
fn selection(
    index: &SchemaIndex,
    known: &Arguments,
    name: &str,
    field: &FieldEntry,
) -> Option<String> {
    let below = match index.type_named(&field.of) {
        Some(to) if is_object(to) => "{__typename}",
        _ => "",
    };
    Some(format!("{name}{}{below}", arguments(known, field)?))
}

fn arguments<'k>(known: &'k Arguments, field: &FieldEntry) -> Option<&'k str> {
    match known.get(field.entry.coordinate.as_str()) {
        Some(arguments) => Some(arguments),
        None => field
            .arguments
            .values()
            .all(|argument| argument.as_written.nullable || argument.has_default)
            .then_some(""),
    }
}
