//! GraphQL over HTTP: <https://graphql.github.io/graphql-over-http/draft/>, every MUST and every SHOULD of it, without
//! batches.
//!
//! | address           | what                                                                          |
//! |-------------------|-------------------------------------------------------------------------------|
//! | `/graphql`        | queries by GET and POST, mutations by POST                                    |
//! | `/graphql/ws`     | all operations over the `graphql-transport-ws` protocol                       |
//! | `/graphql/stream` | all operations over server-sent events, in the distinct connections mode      |
//! | `/graphiql`       | a page to try them                                                            |
//!
//! Nobody is signed in by a cookie, and bodies are JSON only: a page of another site can't make a browser act for the
//! person who sits at it.

use std::{fmt, sync::Arc, time::Duration};

use async_graphql::{Request, ServerError, parser::types::OperationType};
use domain::Viewer;
use poem::{
    Endpoint, Response, Route,
    http::{HeaderMap, Method, StatusCode, header::AUTHORIZATION},
};
use tokio::time::timeout;

mod accept;
pub mod budget;
mod door;
mod graphiql;
mod live;
mod request;
mod respond;
mod sse;
mod ws;

pub use door::{Authenticate, Door};

use accept::Media;
use budget::{Budget, Payer, Standing};

use crate::graphql::{
    endpoint::{Answer, Operations, Prepared},
    errors::{Code, over_budget, server_error},
    session::CameFrom,
};
use crate::http::{origins::Origins, proxies::TrustedProxies};

/// How often a connection that goes on looks whether its session does.
const LOOK_AGAIN_EVERY: Duration = Duration::from_secs(10);

/// How long a query or a mutation may take where no setting says it.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// What a request costs that isn't carried out: reading it.
const REFUSED: u64 = 1;

/// How long a socket may stay without saying who it is.
const INTRODUCTION_WITHIN: Duration = Duration::from_secs(10);

/// What settings say of the endpoint.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Which pages of other sites may call the API.
    pub origins: Arc<Origins>,
    /// The origin that the system is reached at.
    pub own_origin: String,
    /// How long a query or a mutation may take.
    pub answer_within: Duration,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            origins: Arc::default(),
            own_origin: String::new(),
            answer_within: ANSWER_WITHIN,
        }
    }
}

impl Terms {
    /// Whether whoever sends these headers may open a WebSocket.
    fn lets_in_socket(&self, headers: &HeaderMap) -> bool {
        self.origins.allow_socket(headers, &self.own_origin)
    }
}

/// Whether a request is carried out, and how its sender's budget stands then.
struct Admission<T> {
    outcome: Result<T, Box<Answer>>,
    standing: Option<Standing>,
}

/// The API and who may come in: what all transports share.
#[derive(Clone)]
pub struct Service {
    api: Arc<dyn Operations>,
    door: Arc<dyn Authenticate>,
    terms: Arc<Terms>,
    budget: Option<Budget>,
    look_again_every: Duration,
    introduction_within: Duration,
    proxies: TrustedProxies,
}

impl Service {
    /// Serves this API to those whom the door lets in.
    #[must_use]
    pub fn new(api: Arc<dyn Operations>, door: Arc<dyn Authenticate>) -> Self {
        Self {
            api,
            door,
            terms: Arc::default(),
            budget: None,
            look_again_every: LOOK_AGAIN_EVERY,
            introduction_within: INTRODUCTION_WITHIN,
            proxies: TrustedProxies::default(),
        }
    }

    /// The same under terms that settings say.
    #[must_use]
    pub fn under(self, terms: Terms) -> Self {
        Self {
            terms: Arc::new(terms),
            ..self
        }
    }

    /// The same, where everybody has a budget.
    #[must_use]
    pub fn within(self, budget: Budget) -> Self {
        Self {
            budget: Some(budget),
            ..self
        }
    }

    /// Serves behind these proxies, which tell where requests come from.
    #[must_use]
    pub fn behind(self, proxies: TrustedProxies) -> Self {
        Self { proxies, ..self }
    }

    /// Where a request came from.
    fn came_from(&self, req: &poem::Request) -> CameFrom {
        CameFrom::new(self.proxies.origin(req))
    }

    /// Adds the four addresses to a route.
    #[must_use]
    pub fn mount(self, route: Route) -> Route {
        let route = route
            .at("/graphql", GraphqlOverHttp(self.clone()))
            .at("/graphql/ws", ws::Socket(self.clone()))
            .at("/graphql/stream", sse::EventStream(self));
        graphiql::mount(route)
    }

    /// Who sends the request, or the answer that says why nobody does.
    async fn viewer(&self, req: &poem::Request) -> Result<Arc<Viewer>, Box<Answer>> {
        let authorization = match req.headers().get(AUTHORIZATION).map(|value| value.to_str()) {
            None => None,
            Some(Ok(authorization)) => Some(authorization),
            Some(Err(_)) => {
                let error = server_error(
                    Code::Unauthenticated,
                    "The `Authorization` header can't be read.",
                );
                return Err(Box::new(Answer::refused(vec![error])));
            }
        };
        match self.door.viewer(authorization).await {
            Ok(viewer) => Ok(Arc::new(viewer)),
            Err(error) => Err(Box::new(Answer::refused(vec![of_the_door(error)]))),
        }
    }

    /// Finds out who sends the request, gives it what it is carried out with, and looks whether it may be.
    async fn admit(
        &self,
        req: &poem::Request,
        request: Request,
    ) -> Admission<(Prepared, Arc<Viewer>)> {
        let came_from = self.came_from(req);
        match self.viewer(req).await {
            Ok(viewer) => {
                let admission = self.prepare(request, &viewer, came_from).await;
                Admission {
                    outcome: admission.outcome.map(|prepared| (prepared, viewer)),
                    standing: admission.standing,
                }
            }
            Err(refused) => {
                let standing = self.pay(&Viewer::anonymous(), came_from, REFUSED).await;
                Admission {
                    outcome: Err(refused),
                    standing,
                }
            }
        }
    }

    /// Gives a request what it is carried out with, looks whether it may be, and has it paid for.
    async fn prepare(
        &self,
        request: Request,
        viewer: &Arc<Viewer>,
        came_from: CameFrom,
    ) -> Admission<Prepared> {
        let request = self.door.equip(request, viewer).data(came_from.clone());
        let prepared = self.api.prepare(request, viewer);
        let cost = prepared.as_ref().map_or(REFUSED, Prepared::cost);
        let standing = self.pay(viewer, came_from, cost).await;
        let outcome = match standing.and_then(|standing| standing.wait) {
            Some(wait) => Err(vec![over_budget(wait)]),
            None => prepared,
        };
        Admission {
            outcome: outcome.map_err(|errors| Box::new(Answer::refused(errors))),
            standing,
        }
    }

    async fn pay(&self, viewer: &Viewer, came_from: CameFrom, cost: u64) -> Option<Standing> {
        let payer = Payer::of(viewer, came_from.origin().address);
        self.budget.as_ref()?.spend(payer, cost).await
    }

    /// Carries out a query or a mutation, unless it takes too long. A mutation that is given up has changed nothing, as
    /// its transaction is dropped; only one that was being committed may have.
    async fn execute(&self, prepared: Prepared, viewer: &Viewer) -> Answer {
        let within = self.terms.answer_within;
        match timeout(within, self.api.execute(prepared, viewer)).await {
            Ok(answer) => answer,
            Err(_) => Answer::refused(vec![server_error(
                Code::TimedOut,
                format!(
                    "This took longer than {} seconds and was given up.",
                    within.as_secs()
                ),
            )]),
        }
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").finish_non_exhaustive()
    }
}

/// An error of the door, to be settled like any other.
fn of_the_door(error: domain::Error) -> ServerError {
    let mut settled = ServerError::new(error.to_string(), None);
    settled.source = Some(Arc::new(error));
    settled
}

/// Serves `/graphql`.
#[derive(Clone, Debug)]
struct GraphqlOverHttp(Service);

impl Endpoint for GraphqlOverHttp {
    type Output = Response;

    async fn call(&self, mut req: poem::Request) -> poem::Result<Response> {
        let method = req.method().clone();
        let Some(media) = Media::wanted(req.headers()) else {
            let malformed = request::Malformed {
                status: StatusCode::NOT_ACCEPTABLE,
                reason: "Accept `application/graphql-response+json` or `application/json`."
                    .to_owned(),
            };
            return Ok(respond::malformed(&malformed, Media::GraphqlResponse));
        };
        let read = match method {
            Method::GET => request::from_query(req.uri().query().unwrap_or_default()),
            Method::POST => {
                let body = req.take_body();
                request::from_body(req.headers(), body).await
            }
            _ => {
                let allowed = [Method::GET, Method::POST];
                return Ok(respond::not_allowed("Send GET or POST.", &allowed, media));
            }
        };
        let request = match read {
            Ok(request) => request,
            Err(malformed) => return Ok(respond::malformed(&malformed, media)),
        };
        let Admission { outcome, standing } = self.0.admit(&req, request).await;
        let response = match outcome {
            Err(refused) => respond::answer(&refused, media),
            Ok((prepared, viewer)) => match (prepared.operation, method) {
                (OperationType::Mutation, Method::GET) => {
                    respond::not_allowed("Mutations go by POST.", &[Method::POST], media)
                }
                (OperationType::Subscription, _) => {
                    let elsewhere = server_error(
                        Code::BadRequest,
                        "Subscriptions go by /graphql/ws or /graphql/stream.",
                    );
                    respond::answer(&Answer::refused(vec![elsewhere]), media)
                }
                _ => respond::answer(&self.0.execute(prepared, &viewer).await, media),
            },
        };
        Ok(respond::with_budget(response, standing))
    }
}

#[cfg(test)]
mod tests;
