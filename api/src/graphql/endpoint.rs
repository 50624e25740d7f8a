//! From a request to a response: what every transport has in common.
//!
//! A request is parsed and [surveyed](super::document::survey) before it runs. What is too large or not allowed is refused
//! then. If nothing of it is denied it runs on the plain schema, else on the one that answers null for what is.

use std::sync::Arc;

use async_graphql::{
    ObjectType, Request, Response, Schema, SchemaBuilder, ServerError, SubscriptionType, Value,
    parser::types::OperationType,
};
use domain::{
    Store, Viewer,
    policy::{self, Asker},
};
use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::BoxStream};

use super::{
    access::{self, AccessDirective, Denied, DeniedFields, RowOf},
    batch::together,
    disclosure::Disclosed,
    document::{self, Limits, SchemaIndex},
    errors,
};

/// The library's own limit on nesting, above ours, which comes first and has a code.
const LIBRARY_DEPTH: usize = 64;

/// Why the API can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The policy table and the schema don't fit.
    #[error("the policy table and the schema don't fit:\n{}", .0.join("\n"))]
    Policy(Vec<String>),
    /// The schema's own text can't be read.
    #[error("the schema can't be read: {0}")]
    Schema(#[from] async_graphql::parser::Error),
}

/// The schema with everything that stands before it.
pub struct Endpoint<Q, M, S> {
    plain: Schema<Q, M, S>,
    guarded: Schema<Q, M, S>,
    index: Arc<SchemaIndex>,
    limits: Limits,
    recorder: Option<Store>,
}

/// A request that may run.
#[derive(Debug)]
pub struct Prepared {
    /// What kind of operation it is.
    pub operation: OperationType,
    request: Request,
    denied: Option<Denied>,
    disclosed: Disclosed,
    cost: u64,
}

impl Prepared {
    /// How many fields the answer can have at most.
    #[must_use]
    pub fn cost(&self) -> u64 {
        self.cost
    }
}

/// What came of a request.
#[derive(Debug)]
pub struct Answer {
    /// The response, fit to be sent.
    pub response: Response,
    /// Whether anything ran. If nothing did, there is no `data` to be sent.
    pub executed: bool,
}

impl Answer {
    /// The answer to a request that isn't carried out.
    #[must_use]
    pub fn refused(errors: Vec<ServerError>) -> Self {
        let mut response = Response::from_errors(errors);
        errors::settle(&mut response);
        Self {
            response,
            executed: false,
        }
    }
}

impl<Q, M, S> Endpoint<Q, M, S>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    /// Builds the API, twice: with and without what answers null for denied fields. Fails when the policy table doesn't
    /// have a row for every coordinate.
    pub fn build(schema: impl Fn() -> SchemaBuilder<Q, M, S>) -> Result<Self, StartError> {
        Self::with_rows(schema, policy::row, Limits::default())
    }

    /// Builds the API with a policy and limits from elsewhere.
    pub fn with_rows(
        schema: impl Fn() -> SchemaBuilder<Q, M, S>,
        row: RowOf,
        limits: Limits,
    ) -> Result<Self, StartError> {
        let builder = || {
            schema()
                .directive(AccessDirective::with_rows(row))
                .disable_suggestions()
                .limit_recursive_depth(LIBRARY_DEPTH)
        };
        let plain = builder().finish();
        let index = SchemaIndex::with_rows(&sdl_of(&plain), row)?;
        let faults = access::faults(&index);
        if !faults.is_empty() {
            return Err(StartError::Policy(faults));
        }
        Ok(Self {
            plain,
            guarded: builder().extension(DeniedFields).finish(),
            index: Arc::new(index),
            limits,
            recorder: None,
        })
    }

    /// The same, where reads of contact details in bulk are written into the audit log of this store.
    #[must_use]
    pub fn recording(self, store: Store) -> Self {
        Self {
            recorder: Some(store),
            ..self
        }
    }

    /// The schema as `schema.graphql` has it.
    #[must_use]
    pub fn sdl(&self) -> String {
        sdl_of(&self.plain)
    }

    /// The schema, indexed.
    #[must_use]
    pub fn index(&self) -> &SchemaIndex {
        &self.index
    }

    fn schema_for(&self, denied: Option<&Denied>) -> &Schema<Q, M, S> {
        if denied.is_some() {
            &self.guarded
        } else {
            &self.plain
        }
    }
}

/// What a transport needs of the API.
pub trait Operations: Send + Sync + 'static {
    /// Looks at a request before it runs. What must not run comes back as the errors to send.
    fn prepare(&self, request: Request, viewer: &Viewer) -> Result<Prepared, Vec<ServerError>>;

    /// Carries out a query or a mutation.
    fn execute<'a>(&'a self, prepared: Prepared, viewer: &'a Viewer) -> BoxFuture<'a, Answer>;

    /// Carries out a subscription, or any other operation as a stream of one answer.
    fn subscribe(&self, prepared: Prepared, viewer: Arc<Viewer>) -> BoxStream<'static, Answer>;
}

impl<Q, M, S> Operations for Endpoint<Q, M, S>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    fn prepare(&self, mut request: Request, viewer: &Viewer) -> Result<Prepared, Vec<ServerError>> {
        let document =
            document::parse(&request.query, &self.limits).map_err(|error| vec![error])?;
        let name = request
            .operation_name
            .as_deref()
            .filter(|name| !name.is_empty());
        let operation = document::operation(&document, name).map_err(|error| vec![error])?;
        document::fill_in(operation, &mut request.variables);
        let survey = document::survey(
            &self.index,
            &self.limits,
            &document,
            operation,
            &request.variables,
            viewer.standing(),
        )
        .map_err(|error| vec![error])?;
        if !survey.refused.is_empty() {
            return Err(access::refusals(&survey.refused, viewer));
        }
        if name.is_none() {
            request.operation_name = None;
        }
        request.set_parsed_query(document);
        let denied = (!survey.denied.is_empty()).then(|| Denied::new(survey.denied));
        if let Some(denied) = &denied {
            request = request.data(denied.clone());
        }
        let disclosed = Disclosed::default();
        Ok(Prepared {
            operation: survey.operation,
            request: request.data(disclosed.clone()),
            denied,
            disclosed,
            cost: survey.cost,
        })
    }

    fn execute<'a>(&'a self, prepared: Prepared, viewer: &'a Viewer) -> BoxFuture<'a, Answer> {
        let Prepared {
            request,
            denied,
            disclosed,
            cost,
            ..
        } = prepared;
        async move {
            let schema = self.schema_for(denied.as_ref());
            let response = together(schema.execute(request)).await;
            let answer = finish(response, denied.as_ref(), cost, viewer);
            recorded(answer, &disclosed, self.recorder.as_ref(), viewer).await
        }
        .boxed()
    }

    fn subscribe(&self, prepared: Prepared, viewer: Arc<Viewer>) -> BoxStream<'static, Answer> {
        let Prepared {
            request,
            denied,
            disclosed,
            cost,
            ..
        } = prepared;
        let recorder = self.recorder.clone();
        self.schema_for(denied.as_ref())
            .execute_stream(request)
            .then(move |response| {
                let answer = finish(response, denied.as_ref(), cost, &viewer);
                let (disclosed, recorder) = (disclosed.clone(), recorder.clone());
                let viewer = Arc::clone(&viewer);
                async move { recorded(answer, &disclosed, recorder.as_ref(), &viewer).await }
            })
            .boxed()
    }
}

impl<Q, M, S> std::fmt::Debug for Endpoint<Q, M, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// Makes a response fit to be sent.
fn finish(mut response: Response, denied: Option<&Denied>, cost: u64, viewer: &Viewer) -> Answer {
    // What the library finds before it runs anything has no path.
    let executed =
        response.data != Value::Null || response.errors.iter().any(|error| !error.path.is_empty());
    response
        .errors
        .retain(|error| !access::is_propagation(error));
    errors::settle(&mut response);
    if executed && let Some(denied) = denied {
        response.errors.extend(denied.errors(viewer));
    }
    response
        .extensions
        .insert("cost".to_owned(), Value::from(cost));
    Answer { response, executed }
}

/// The answer, once the audit log knows what it tells of contact details in bulk. What can't be written there is not told.
async fn recorded(
    mut answer: Answer,
    disclosed: &Disclosed,
    recorder: Option<&Store>,
    viewer: &Viewer,
) -> Answer {
    let told = disclosed.take();
    answer.response.errors.extend(told.errors(viewer));
    let Some(store) = recorder else {
        return answer;
    };
    match told.record(store, viewer).await {
        Ok(()) => answer,
        Err(error) => {
            tracing::error!(%error, "a read of contact details can't be written into the audit log");
            let why = "Something went wrong on our side. It has been logged.";
            Answer::refused(vec![errors::server_error(errors::Code::Internal, why)])
        }
    }
}

/// The schema in the form that is kept in `schema.graphql`.
fn sdl_of<Q, M, S>(schema: &Schema<Q, M, S>) -> String
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    schema.sdl_with_options(
        async_graphql::SDLExportOptions::new()
            .include_specified_by()
            .prefer_single_line_descriptions()
            .use_space_ident(),
    )
}

#[cfg(test)]
mod tests;
