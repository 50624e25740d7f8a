//! The policy table at work in the schema.
//!
//! [`AccessDirective`] writes every row of the table into the schema, as `@access` and as a sentence of the description.
//! [`faults`] finds what the table and the schema don't have in common; the start-up stops for it. [`DeniedFields`] answers
//! null for the fields that a [survey](super::document::survey) has found denied: it is an extension of a schema of its
//! own, which only such requests are sent to, so that all others pay nothing.

use std::{borrow::Cow, collections::HashSet, sync::Arc};

use async_graphql::{
    Name, ServerError, ServerResult, Value,
    async_trait::async_trait,
    extensions::{Extension, ExtensionContext, ExtensionFactory, NextResolve, ResolveInfo},
    parser::types::OperationType,
};
use domain::policy::{self, Asker, Row};

use super::{
    document::{DeniedField, DeniedUse, FieldEntry, Kind, SchemaIndex, TypeEntry},
    errors::{Code, server_error},
};

mod directive;
mod markdown;

pub use directive::AccessDirective;
pub use markdown::permissions_markdown;

/// How the row of a coordinate is found.
pub type RowOf = fn(&str) -> Option<&'static Row>;

/// What is wrong between the schema and the policy table, a sentence each. Nothing may start while there is anything.
#[must_use]
pub fn faults(index: &SchemaIndex) -> Vec<String> {
    let missing = index
        .entries()
        .into_iter()
        .filter(|entry| entry.row.is_none())
        .map(|entry| format!("{} has no row in the policy table.", entry.coordinate));
    let repeated = policy::repeated()
        .into_iter()
        .map(|coordinate| format!("{coordinate} has several rows in the policy table."));
    missing
        .chain(repeated)
        .chain(wider_than_their_interface(index))
        .collect()
}

/// Fields of an interface whose kinds have another opinion. A selection on the interface is checked by the interface's row
/// alone, so the two have to agree.
fn wider_than_their_interface(index: &SchemaIndex) -> Vec<String> {
    let mut faults = Vec::new();
    for interface in index.types() {
        let Kind::Fields {
            fields,
            implementors,
        } = &interface.kind
        else {
            continue;
        };
        for implementor in implementors {
            for (name, field) in fields {
                let own = index
                    .type_named(implementor)
                    .and_then(|of| of.field(name))
                    .and_then(|field| field.entry.row);
                let read = |row: Option<&'static Row>| row.map(|row| row.who(policy::Use::Read));
                if own.is_some() && read(own) != read(field.entry.row) {
                    faults.push(format!(
                        "{implementor}.{name} and {} don't have the same readers.",
                        field.entry.coordinate
                    ));
                }
            }
        }
    }
    faults
}

/// Rows of the policy table whose coordinate the schema doesn't have.
#[must_use]
pub fn rows_without_a_coordinate(index: &SchemaIndex) -> Vec<&'static str> {
    let known: HashSet<&str> = index
        .entries()
        .into_iter()
        .map(|entry| entry.coordinate.as_str())
        .collect();
    policy::rows()
        .map(Row::coordinate)
        .filter(|coordinate| !known.contains(coordinate))
        .collect()
}

/// Denials that would spread: fields that are never null and that somebody may not read who may select what they belong to.
/// For them that becomes null, too. Each is told with the standing of somebody whom it concerns.
#[must_use]
pub fn denials_that_spread(index: &SchemaIndex) -> Vec<String> {
    let mut found = std::collections::BTreeMap::new();
    for (name, standing) in policy::standings() {
        for field in denied_within_reach(index, standing) {
            if field.is_non_null {
                let coordinate = field.entry.coordinate.as_str();
                found
                    .entry(coordinate)
                    .or_insert_with(|| format!("{coordinate} for {name}"));
            }
        }
    }
    found.into_values().collect()
}

/// The fields that somebody of this standing may not read, of all the types that they can get to. Mutations and
/// subscriptions are left out, since a request for one that is denied is refused as a whole.
fn denied_within_reach(index: &SchemaIndex, standing: policy::Who) -> Vec<&FieldEntry> {
    let is_allowed = |field: &FieldEntry| {
        field
            .entry
            .row
            .is_some_and(|row| row.allows(standing, policy::Use::Read))
    };
    let roots = [
        OperationType::Query,
        OperationType::Mutation,
        OperationType::Subscription,
    ];
    let mut next: Vec<&TypeEntry> = roots
        .into_iter()
        .filter_map(|root| index.root(root))
        .collect();
    let mut seen: HashSet<&str> = next.iter().map(|of| of.name.as_str()).collect();
    let refused_whole: Vec<&str> = next.iter().skip(1).map(|of| of.name.as_str()).collect();
    let mut denied = Vec::new();
    while let Some(of) = next.pop() {
        let Kind::Fields {
            fields,
            implementors,
        } = &of.kind
        else {
            continue;
        };
        for field in fields.values() {
            if !is_allowed(field) {
                if !refused_whole.contains(&of.name.as_str()) {
                    denied.push(field);
                }
            } else if seen.insert(&field.of) {
                next.extend(index.type_named(&field.of));
            }
        }
        for implementor in implementors {
            if seen.insert(implementor) {
                next.extend(index.type_named(implementor));
            }
        }
    }
    denied
}

/// The fields that a request is denied.
#[derive(Clone, Debug)]
pub struct Denied(Arc<[DeniedField]>);

impl Denied {
    /// These fields.
    #[must_use]
    pub fn new(fields: Vec<DeniedField>) -> Self {
        Self(fields.into())
    }

    fn find(&self, owner: &str, name: &str) -> Option<&DeniedField> {
        self.0.iter().find(|denied| {
            denied.name == name && denied.owners.iter().any(|denied| denied == owner)
        })
    }

    /// The errors that a response tells of them, one for each coordinate: whether there are values, and how many, shows
    /// nowhere.
    pub fn errors(&self, asker: &impl Asker) -> Vec<ServerError> {
        self.0
            .iter()
            .map(|denied| {
                let mut error = forbidden(denied.denial.reason(asker), denied.denial.row);
                error.locations = vec![denied.position];
                error.path = denied
                    .path
                    .iter()
                    .cloned()
                    .map(async_graphql::PathSegment::Field)
                    .collect();
                error
            })
            .collect()
    }
}

/// The errors of a request that is refused as a whole.
pub fn refusals(refused: &[DeniedUse], asker: &impl Asker) -> Vec<ServerError> {
    refused
        .iter()
        .map(|refused| {
            let mut error = forbidden(refused.denial.reason(asker), refused.denial.row);
            error.locations = vec![refused.position];
            error
        })
        .collect()
}

fn forbidden(reason: String, row: &Row) -> ServerError {
    let mut error = server_error(Code::Forbidden, reason);
    error
        .extensions
        .get_or_insert_default()
        .set("coordinate", row.coordinate());
    error
}

/// Marks the errors by which a denied field that is never null makes what it belongs to null.
#[derive(Clone, Copy, Debug)]
struct Propagation;

/// Whether the error is there for the sake of null propagation alone; [`Denied::errors`] tells of the denial.
#[must_use]
pub fn is_propagation(error: &ServerError) -> bool {
    error.source::<Propagation>().is_some()
}

/// Answers null for the fields that stand in a request's [`Denied`]. Their resolvers are not called.
#[derive(Clone, Copy, Debug)]
pub struct DeniedFields;

impl ExtensionFactory for DeniedFields {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(*self)
    }
}

#[async_trait]
impl Extension for DeniedFields {
    async fn resolve(
        &self,
        ctx: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        let denied = ctx
            .data_opt::<Denied>()
            .and_then(|denied| denied.find(info.parent_type, info.name));
        match denied {
            None => next.run(ctx, info).await,
            Some(denied) if denied.is_non_null => {
                let mut error = ServerError::new("denied", None);
                error.source = Some(Arc::new(Propagation));
                error.path = denied
                    .path
                    .iter()
                    .cloned()
                    .map(async_graphql::PathSegment::Field)
                    .collect();
                Err(error)
            }
            Some(_) => Ok(None),
        }
    }
}

/// The names of those who have a right, as values of the enum `Who`.
fn tokens(who: policy::Who) -> Value {
    Value::List(
        who.tokens()
            .map(|token| Value::Enum(Name::new(token)))
            .collect(),
    )
}

/// The name of the directive, and of the enum of its arguments.
const DIRECTIVE: Cow<'static, str> = Cow::Borrowed("access");
const WHO: &str = "Who";

#[cfg(test)]
mod tests;
