//! What every resolver can ask of the request in hand.

use std::sync::Arc;

use async_graphql::{Context, Result};
use domain::{Store, Viewer};

/// Who asks.
pub fn viewer<'a>(ctx: &Context<'a>) -> Result<&'a Viewer> {
    ctx.data::<Arc<Viewer>>().map(AsRef::as_ref)
}

/// The database.
pub fn store<'a>(ctx: &Context<'a>) -> Result<&'a Store> {
    ctx.data::<Store>()
}
