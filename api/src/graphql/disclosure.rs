//! Whose contact details an answer tells. A resolver that gives out an e-mail address or a telephone number says so with
//! [`disclose`]; when an answer is whole and tells the details of more than one person, by whatever way, the endpoint writes
//! one line into the audit log (policy 3). What was denied or withheld is not told, and so isn't counted.
//!
//! Of more people than a page has one answer tells nothing to whoever may not export contacts
//! ([`audit::may_tell_of_another`]): what is left out is null, with one error for each field, as for a field that is denied.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_graphql::{
    Context, Name, PathSegment, Pos, QueryPathSegment, ServerError,
    parser::types::{Field, Selection, SelectionSet},
};
use async_graphql_value::{Value as Given, Variables};
use domain::{
    Store, Viewer,
    audit::{self, BulkRead},
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::errors::{Code, server_error};

/// How many people one answer may tell the details of before it is a read in bulk.
const NOT_IN_BULK: usize = 1;
/// The most selections that are looked at for arguments: fragments can be spread in each other.
const MOST_SELECTIONS: usize = 500;
/// The most arguments that are kept, and the most characters of each.
const MOST_ARGUMENTS: usize = 50;
const LONGEST_ARGUMENT: usize = 500;

/// Whose details one answer tells. Made for a request, or for an event of a subscription.
#[derive(Clone, Debug, Default)]
pub struct Disclosed(Arc<Mutex<Told>>);

#[derive(Debug, Default)]
struct Told {
    people: HashSet<Uuid>,
    /// Lines of the audit log, which may name anybody: they count as people of their own.
    lines: HashSet<Uuid>,
    fields: BTreeSet<&'static str>,
    asked: Option<Value>,
    /// The fields that were left out, and where each stands in the operation.
    withheld: BTreeMap<&'static str, (Pos, Vec<PathSegment>)>,
}

/// Notes that an answer tells `detail`, if there is one, of somebody: the contact, or the account of who is none. One's
/// own details don't count. None when the answer tells of as many people already as the viewer may read of at once.
pub fn disclose<T>(
    ctx: &Context<'_>,
    whose: impl Into<Uuid>,
    field: &'static str,
    detail: Option<T>,
) -> Option<T> {
    let detail = detail?;
    let Some(disclosed) = ctx.data_opt::<Disclosed>() else {
        return Some(detail);
    };
    let whose = whose.into();
    if is_own(ctx, whose) {
        return Some(detail);
    }
    let mut told = disclosed.lock();
    let may_be_told = told.people.contains(&whose)
        || ctx
            .data_opt::<Arc<Viewer>>()
            .is_some_and(|viewer| audit::may_tell_of_another(viewer, told.people.len()));
    if !may_be_told {
        let place = || (ctx.item.pos, path_of(ctx));
        told.withheld.entry(field).or_insert_with(place);
        return None;
    }
    told.people.insert(whose);
    told.note(ctx, field);
    Some(detail)
}

/// Notes that an answer tells what is personal in a line of the audit log. Who may read that may read it of all lines.
pub fn disclose_line(ctx: &Context<'_>, line: impl Into<Uuid>, field: &'static str) {
    if let Some(disclosed) = ctx.data_opt::<Disclosed>() {
        let mut told = disclosed.lock();
        told.lines.insert(line.into());
        told.note(ctx, field);
    }
}

fn is_own(ctx: &Context<'_>, whose: Uuid) -> bool {
    let person = ctx
        .data_opt::<Arc<Viewer>>()
        .and_then(|viewer| viewer.person());
    person.is_some_and(|person| {
        Uuid::from(person.id) == whose || person.contact_id.map(Uuid::from) == Some(whose)
    })
}

/// Where a field stands in the operation, without the places in lists: nothing shows of how much was left out.
fn path_of(ctx: &Context<'_>) -> Vec<PathSegment> {
    let Some(node) = &ctx.path_node else {
        return Vec::new();
    };
    let mut path: Vec<_> = std::iter::once(node)
        .chain(node.parents())
        .filter_map(|node| match node.segment {
            QueryPathSegment::Name(name) => Some(PathSegment::Field(name.to_owned())),
            QueryPathSegment::Index(_) => None,
        })
        .collect();
    path.reverse();
    path
}

impl Told {
    fn note(&mut self, ctx: &Context<'_>, field: &'static str) {
        self.fields.insert(field);
        if self.count() > NOT_IN_BULK && self.asked.is_none() {
            self.asked = Some(asked(ctx));
        }
    }

    fn count(&self) -> usize {
        self.people.len() + self.lines.len()
    }
}

/// What one answer, or one event of a subscription, told and left out.
#[derive(Debug)]
pub struct Taken(Told);

impl Disclosed {
    fn lock(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was told since the last time.
    #[must_use]
    pub fn take(&self) -> Taken {
        Taken(std::mem::take(&mut *self.lock()))
    }
}

impl Taken {
    /// The errors about what was left out, one for each field.
    #[must_use]
    pub fn errors(&self, viewer: &Viewer) -> Vec<ServerError> {
        self.0
            .withheld
            .iter()
            .map(|(coordinate, (position, path))| {
                let mut error = server_error(Code::Forbidden, audit::why_of_no_more(viewer));
                error.locations = vec![*position];
                error.path.clone_from(path);
                error
                    .extensions
                    .get_or_insert_default()
                    .set("coordinate", *coordinate);
                error
            })
            .collect()
    }

    /// Writes into the audit log what was told in bulk. An answer goes out when this has succeeded, and not before.
    pub async fn record(self, store: &Store, viewer: &Viewer) -> domain::Result<()> {
        let (people, told) = (self.0.count(), self.0);
        let Some(asked) = told.asked else {
            return Ok(());
        };
        let read = BulkRead {
            people,
            fields: told.fields.into_iter().collect(),
            withheld: told.withheld.into_keys().collect(),
            asked,
        };
        let mut tx = store.begin().await?;
        domain::audit::record_bulk_read(&mut tx, viewer, read).await?;
        tx.commit().await
    }
}

/// The operation, and every argument in it, by the path of its field.
fn asked(ctx: &Context<'_>) -> Value {
    let mut search = Search {
        variables: &ctx.query_env.variables,
        ctx,
        left: MOST_SELECTIONS,
        found: Map::new(),
    };
    search.look_into(&ctx.query_env.operation.node.selection_set.node, "");
    json!({ "operation": ctx.query_env.operation_name, "arguments": search.found })
}

struct Search<'a, 'c> {
    variables: &'a Variables,
    ctx: &'a Context<'c>,
    left: usize,
    found: Map<String, Value>,
}

impl Search<'_, '_> {
    fn look_into(&mut self, selections: &SelectionSet, path: &str) {
        for selection in &selections.items {
            if self.left == 0 {
                return;
            }
            self.left -= 1;
            match &selection.node {
                Selection::Field(field) => self.look_at(&field.node, path),
                Selection::InlineFragment(part) => {
                    self.look_into(&part.node.selection_set.node, path);
                }
                Selection::FragmentSpread(spread) => {
                    let fragments = &self.ctx.query_env.fragments;
                    if let Some(part) = fragments.get(&spread.node.fragment_name.node) {
                        self.look_into(&part.node.selection_set.node, path);
                    }
                }
            }
        }
    }

    fn look_at(&mut self, field: &Field, path: &str) {
        let path = if path.is_empty() {
            field.response_key().node.to_string()
        } else {
            format!("{path}.{}", field.response_key().node)
        };
        for (name, given) in &field.arguments {
            if self.found.len() < MOST_ARGUMENTS {
                let value = self.value(&given.node);
                self.found
                    .insert(format!("{path}({}:)", name.node), shortened(value));
            }
        }
        self.look_into(&field.selection_set.node, &path);
    }

    fn value(&self, given: &Given) -> Value {
        let variable = |name: Name| {
            let known = self.variables.get(&name).cloned();
            Ok::<_, std::convert::Infallible>(known.unwrap_or_default())
        };
        match given.clone().into_const_with(variable) {
            Ok(value) => value.into_json().unwrap_or_default(),
            Err(impossible) => match impossible {},
        }
    }
}

/// A value that may be long, as it is or as the beginning of its text.
fn shortened(value: Value) -> Value {
    let text = value.to_string();
    if text.len() <= LONGEST_ARGUMENT {
        return value;
    }
    let beginning: String = text.chars().take(LONGEST_ARGUMENT).collect();
    Value::String(format!("{beginning}…"))
}
