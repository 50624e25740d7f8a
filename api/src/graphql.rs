//! The GraphQL API: what clients may ask for, and nothing of the rules, which are `domain`'s.
//!
//! # Adding to it
//! A **type** is a struct around an entity's row with an `#[Object]`, in the file of its aggregate. Ids are
//! [`Id`](id::Id), relations go through the [row loader](rows), lists through [`connect`](connection::connect), and a type
//! that has an id gets a line in [`nodes!`](node).
//!
//! A **field** is an async method. It holds no guard: who may read it is a row in `domain/src/policy/<aggregate>.rs`, and
//! without one the system doesn't start. A field that not everybody may read is nullable, because somebody will get null
//! for it. A field that can be null and can fail is an `Option<Result<T>>` (`.transpose()` of a `Result<Option<T>>`): the
//! library would make the whole parent null for the latter. What depends on data rather than on who asks (consent, one's own booking) is decided in `domain`.
//!
//! A **mutation** takes one `input` object named after it, begins a transaction, calls one function of `domain`, commits,
//! and wraps the outcome in a payload made by [`payload!`](errors). Refusals become `userErrors`; every other error is
//! returned with `?` and made fit for clients by [`errors::settle`].
//!
//! A **policy row** names each new coordinate: the field `Type.field`, each argument `Type.field(argument:)`, each field of
//! an input, each value of an enum. The notation is told in `domain/src/policy/table.rs`. Then `schema.graphql` and
//! `docs/permissions.md` are written anew; the tests say how.

use async_graphql::{Context, Result};
use domain::{Store, Tx, Viewer};

pub mod access;
pub mod account;
pub mod activity;
pub mod agreement;
pub mod announcement;
pub mod attendance;
pub mod audit;
pub mod batch;
pub mod booking;
pub mod calendar;
pub mod campaign;
pub mod clash;
pub mod communication;
pub mod connection;
pub mod contact;
pub mod credential;
pub mod cursor;
pub mod data_protection;
pub mod disclosure;
pub mod document;
pub mod duplicate;
pub mod endpoint;
pub mod errors;
pub mod event;
pub mod event_sharing;
pub mod export;
pub mod feedback;
mod file;
pub mod group_booking;
pub mod history;
pub mod id;
pub mod job;
pub mod key_account;
pub mod liaison;
pub mod mail_rules;
pub mod mail_topic;
pub mod merge;
pub mod node;
pub mod note;
pub mod operator_access;
pub mod organisation;
pub mod person;
pub mod profile;
pub mod profile_field;
pub mod record_import;
pub mod registration;
pub mod report;
pub mod rows;
pub mod scalars;
pub mod schema;
pub mod search;
pub mod segment;
pub mod session;
pub mod suggestion;
pub mod super_user_group;
pub mod tag;
pub mod training_course;
pub mod university;
pub mod vacancy;
pub mod venue;
pub mod viewer;

/// Who asks.
pub fn viewer<'a>(ctx: &Context<'a>) -> Result<&'a Viewer> {
    Ok(ctx.data::<std::sync::Arc<Viewer>>()?)
}

/// Where the rows are.
pub fn store<'a>(ctx: &Context<'a>) -> Result<&'a Store> {
    ctx.data::<Store>()
}

/// Begins the transaction of a mutation.
pub async fn begin(ctx: &Context<'_>) -> Result<Tx> {
    Ok(store(ctx)?.begin().await?)
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    fn sources(folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(fs::read_to_string(path).unwrap());
            }
        }
    }

    /// The signatures of resolvers that could be null and yet would make their parent null when they fail.
    fn unsound(source: &str) -> Vec<String> {
        source
            .split("#[Object")
            .skip(1)
            .filter_map(|block| block.split("\n}\n").next())
            .flat_map(|block| block.split("async fn ").skip(1))
            .filter_map(|rest| rest.split_once('{').map(|(signature, _)| signature))
            .map(|signature| signature.split_whitespace().collect::<Vec<_>>().join(" "))
            .filter(|signature| {
                signature.contains("&self")
                    && ["-> Result<Option<", "-> async_graphql::Result<Option<"]
                        .iter()
                        .any(|unsound| signature.contains(unsound))
            })
            .collect()
    }

    #[test]
    fn no_resolver_makes_its_parent_null_when_it_could_be_null_itself() {
        let mut all = Vec::new();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/graphql");
        sources(&folder, &mut all);
        assert!(all.len() > 5);
        // Tests may show what goes wrong.
        let found: Vec<String> = all
            .iter()
            .filter_map(|source| source.split("#[cfg(test)]").next())
            .flat_map(unsound)
            .filter(|signature| !signature.starts_with("unsound_"))
            .collect();
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn the_check_finds_what_it_looks_for() {
        let source = "async fn helper(&self) -> Result<Option<u8>> { }
#[Object]
impl Thing {
    async fn a(
        &self,
    ) -> Result<Option<u8>> { }
    async fn b(&self) -> Option<Result<u8>> { }
}
async fn helper(&self) -> Result<Option<u8>> { }";
        assert_eq!(unsound(source), ["a( &self, ) -> Result<Option<u8>>"]);
    }
}
