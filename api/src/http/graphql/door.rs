//! Who sends a request, and what it is carried out with.

use std::sync::Arc;

use async_graphql::{Request, async_trait::async_trait};
use domain::{
    Error, Result, Store, Viewer,
    live::LiveEvent,
    session::{self, Keyring},
};
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};

use crate::graphql::rows::row_loader;

/// Lets requests in.
#[async_trait]
pub trait Authenticate: Send + Sync + 'static {
    /// Who sends this `Authorization` header. Without one it is nobody; with one that isn't good it is an error.
    async fn viewer(&self, authorization: Option<&str>) -> Result<Viewer>;

    /// The same person as they are now, with the rights that they have now; an error when the session has ended.
    async fn still(&self, viewer: &Viewer) -> Result<Viewer>;

    /// Comes whenever the viewer should be looked up again at once: their session may have ended, or their rights be others.
    fn changes(&self, _viewer: &Viewer) -> BoxStream<'static, ()> {
        stream::pending().boxed()
    }

    /// Gives a request what its resolvers need, for this viewer.
    fn equip(&self, request: Request, viewer: &Arc<Viewer>) -> Request;
}

/// The sessions and the rows of a store.
#[derive(Clone, Debug)]
pub struct Door {
    store: Store,
    keyring: Keyring,
}

impl Door {
    /// To this store, for the tokens of this keyring.
    #[must_use]
    pub fn new(store: Store, keyring: Keyring) -> Self {
        Self { store, keyring }
    }
}

#[async_trait]
impl Authenticate for Door {
    async fn viewer(&self, authorization: Option<&str>) -> Result<Viewer> {
        let Some(authorization) = authorization else {
            return Ok(Viewer::anonymous());
        };
        let token = authorization
            .split_once(' ')
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .ok_or_else(|| {
                Error::Unauthenticated(
                    "Send `Authorization: Bearer` and an access token, or nothing.".to_owned(),
                )
            })?;
        session::authenticate(&self.store, &self.keyring, token).await
    }

    async fn still(&self, viewer: &Viewer) -> Result<Viewer> {
        if viewer.is_signed_in() {
            session::still_signed_in(&self.store, viewer).await
        } else {
            Ok(viewer.clone())
        }
    }

    fn changes(&self, viewer: &Viewer) -> BoxStream<'static, ()> {
        let Some(watched) = viewer.user_id() else {
            return stream::pending().boxed();
        };
        self.store
            .signals()
            .subscribe()
            .filter_map(move |event| async move {
                matches!(event, LiveEvent::RightsChanged { user_id } if user_id == watched)
                    .then_some(())
            })
            .chain(stream::pending())
            .boxed()
    }

    fn equip(&self, request: Request, viewer: &Arc<Viewer>) -> Request {
        request
            .data(Arc::clone(viewer))
            .data(row_loader(self.store.clone(), Arc::clone(viewer)))
    }
}
