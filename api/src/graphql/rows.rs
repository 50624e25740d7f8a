//! Fetching related rows in batches: the number of SQL statements of a query doesn't grow with the number of rows.
//!
//! Each aggregate's file implements [`async_graphql::dataloader::Loader`] for [`Rows`], one key type for each way its rows
//! are asked for: `Loader<OrganisationId>` for the rows themselves, `Loader<ContactsOf>` for those of an organisation.

use std::sync::Arc;

use async_graphql::{Context, dataloader::DataLoader};
use domain::{Error, Store, Viewer};

use super::batch::Batches;

/// What a batch is fetched with, and for whom. One a request.
#[derive(Clone, Debug)]
pub struct Rows {
    /// Where the rows are.
    pub store: Store,
    /// Whose rights decide which of them exist.
    pub viewer: Arc<Viewer>,
}

/// The batch loader of one request.
pub type RowLoader = DataLoader<Rows>;

/// Batches what is asked for while one request is answered.
#[must_use]
pub fn row_loader(store: Store, viewer: Arc<Viewer>) -> RowLoader {
    DataLoader::new(Rows { store, viewer }, Batches, Batches)
}

/// The error of a batch, which every row of it shares.
pub type LoadError = Arc<Error>;

/// The loader of the request in hand.
pub fn rows<'a>(ctx: &Context<'a>) -> async_graphql::Result<&'a RowLoader> {
    ctx.data::<RowLoader>()
}
