//! GraphQL without HTTP, for tests that count the SQL statements of a query.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use api::graphql::{
    cursor::Cursors,
    endpoint::Operations,
    rows::row_loader,
    schema::{self, ApiEndpoint},
};
use async_graphql::{Request, ServerError, Variables};
use domain::{Store, Viewer, clock::Clock, live::NoSignals, session::Keyring};
use serde_json::Value;

use crate::TestBed;

/// The API over a database whose statements are counted.
#[derive(Debug)]
pub struct Desk {
    endpoint: ApiEndpoint,
    store: Store,
    statements: Arc<AtomicUsize>,
}

impl Desk {
    /// Over the database of a bed.
    pub async fn open(bed: &TestBed) -> Self {
        let statements = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&statements);
        let mut connection = bed.database().connect().await;
        connection.set_metric_callback(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
        });
        let clock: Arc<dyn Clock> = Arc::clone(bed.clock()) as Arc<dyn Clock>;
        let store = Store::over(connection, clock, Arc::new(NoSignals));
        let keyring = Keyring::open(&store).await.unwrap();
        let cursors = Cursors::new(b"the secret of a test");
        Self {
            endpoint: schema::serve(&store, &keyring, &cursors).unwrap(),
            store,
            statements,
        }
    }

    /// The store of the API.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// How many statements its store has made so far.
    pub fn statements(&self) -> usize {
        self.statements.load(Ordering::Relaxed)
    }

    /// Answers a query, and tells how many statements that took.
    ///
    /// # Panics
    /// When the answer has errors.
    pub async fn data(&self, viewer: &Viewer, query: &str, variables: Value) -> (Value, usize) {
        let before = self.statements();
        let (data, errors) = self.answer(viewer, query, variables).await;
        assert!(errors.is_empty(), "{query}\n{errors:#?}");
        (data, self.statements() - before)
    }

    /// The codes of the errors with which a query is answered.
    pub async fn codes(&self, viewer: &Viewer, query: &str, variables: Value) -> Vec<String> {
        let (_, errors) = self.answer(viewer, query, variables).await;
        let code = |error: &ServerError| {
            let extensions = error.extensions.as_ref()?;
            extensions.get("code").cloned()?.into_json().ok()
        };
        let codes = errors.iter().filter_map(code);
        codes
            .filter_map(|code: Value| code.as_str().map(str::to_owned))
            .collect()
    }

    async fn answer(
        &self,
        viewer: &Viewer,
        query: &str,
        variables: Value,
    ) -> (Value, Vec<ServerError>) {
        let viewer = Arc::new(viewer.clone());
        let request = Request::new(query)
            .variables(Variables::from_json(variables))
            .data(Arc::clone(&viewer))
            .data(row_loader(self.store.clone(), Arc::clone(&viewer)));
        let prepared = match self.endpoint.prepare(request, &viewer) {
            Ok(prepared) => prepared,
            Err(errors) => return (Value::Null, errors),
        };
        let answer = self.endpoint.execute(prepared, &viewer).await;
        let data = answer.response.data.into_json().unwrap();
        (data, answer.response.errors)
    }
}
