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

/// Implements the fetching of rows by their ids: of those that are visible to the viewer, or by a function that finds them.
///
/// ```text
/// by_id!(TagId => Model, visible |rows| tags::visible(&rows.viewer), Column::Id);
/// by_id!(EventId => Event, found |rows, ids| events::find_all(rows.store.reader(), &rows.viewer, ids));
/// ```
macro_rules! by_id {
    ($id:ty => $value:ty, visible |$rows:ident| $visible:expr, $column:expr) => {
        $crate::graphql::rows::by_id!(
            $id => $value,
            found |$rows, ids| async {
                use ::sea_orm::{ColumnTrait as _, QueryFilter as _};
                let found = $visible.filter($column.is_in(ids.iter().copied()));
                found.all($rows.store.reader()).await.map_err(::domain::Error::from)
            }
        );
    };
    ($id:ty => $value:ty, found |$rows:ident, $ids:ident| $find:expr) => {
        impl ::async_graphql::dataloader::Loader<$id> for $crate::graphql::rows::Rows {
            type Value = $value;
            type Error = $crate::graphql::rows::LoadError;

            async fn load(
                &self,
                $ids: &[$id],
            ) -> ::std::result::Result<::std::collections::HashMap<$id, $value>, Self::Error> {
                let $rows = self;
                let found = $find.await?;
                Ok(found
                    .into_iter()
                    .map(|row| (row.id, <$value>::from(row)))
                    .collect())
            }
        }
    };
}
pub(crate) use by_id;
