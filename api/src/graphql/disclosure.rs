//! Whose contact details an answer tells. A resolver that gives out an e-mail address or a telephone number says so with
//! [`disclose`]; when an answer is whole and tells the details of more than one person, by whatever way, the endpoint writes
//! one line into the audit log (policy 3). What was denied or withheld is not told, and so isn't counted.

use std::{
    collections::{BTreeSet, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use async_graphql::{
    Context, Name,
    parser::types::{Field, Selection, SelectionSet},
};
use async_graphql_value::{Value as Given, Variables};
use domain::{Store, Viewer, audit::BulkRead};
use serde_json::{Map, Value, json};
use uuid::Uuid;

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
    fields: BTreeSet<&'static str>,
    asked: Option<Value>,
}

/// Notes that an answer tells `detail`, if there is one, of somebody: the contact, or the account of who is none. One's
/// own details don't count.
pub fn disclose<T>(
    ctx: &Context<'_>,
    whose: impl Into<Uuid>,
    field: &'static str,
    detail: Option<T>,
) -> Option<T> {
    if detail.is_some()
        && let Some(disclosed) = ctx.data_opt::<Disclosed>()
    {
        let whose = whose.into();
        if !is_own(ctx, whose) {
            disclosed.note(ctx, whose, field);
        }
    }
    detail
}

fn is_own(ctx: &Context<'_>, whose: Uuid) -> bool {
    let person = ctx
        .data_opt::<Arc<Viewer>>()
        .and_then(|viewer| viewer.person());
    person.is_some_and(|person| {
        Uuid::from(person.id) == whose || person.contact_id.map(Uuid::from) == Some(whose)
    })
}

impl Disclosed {
    fn note(&self, ctx: &Context<'_>, whose: Uuid, field: &'static str) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.people.insert(whose);
        told.fields.insert(field);
        if told.people.len() > NOT_IN_BULK && told.asked.is_none() {
            told.asked = Some(asked(ctx));
        }
    }

    /// What was told since the last time, when that was in bulk.
    fn take(&self) -> Option<BulkRead> {
        let told = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        told.asked.map(|asked| BulkRead {
            people: told.people.len(),
            fields: told.fields.into_iter().collect(),
            asked,
        })
    }

    /// Writes into the audit log what was told in bulk. An answer goes out when this has succeeded, and not before.
    pub async fn record(&self, store: &Store, viewer: &Viewer) -> domain::Result<()> {
        let Some(read) = self.take() else {
            return Ok(());
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
