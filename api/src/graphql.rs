//! The GraphQL API: what clients may ask for, and nothing of the rules, which are `domain`'s.
//!
//! # Adding to it
//! A **type** is a struct around an entity's row with an `#[Object]`, in the file of its aggregate. Ids are
//! [`Id`](id::Id), relations go through the [row loader](rows), lists through [`connect`](connection::connect), and a type
//! that has an id gets a line in [`nodes!`](node).
//!
//! A **field** is an async method. It holds no guard: who may read it is a row in `domain/src/policy/<aggregate>.rs`, and
//! without one the system doesn't start. A field that not everybody may read is nullable, because somebody will get null
//! for it. What depends on data rather than on who asks (consent, one's own booking) is decided in `domain`.
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

pub mod connection;
pub mod cursor;
pub mod document;
pub mod errors;
pub mod id;
pub mod job;
pub mod node;
pub mod rows;
pub mod session;
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
