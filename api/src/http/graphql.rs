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

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use async_graphql::{Request, ServerError, http::GraphiQLSource, parser::types::OperationType};
use domain::Viewer;
use poem::{
    Endpoint, Response, Route,
    http::{Method, StatusCode, header::AUTHORIZATION},
    web::Html,
};

mod accept;
mod door;
mod live;
mod request;
mod respond;
mod sse;
mod ws;

pub use door::{Authenticate, Door};
pub use request::LONGEST_BODY;

use accept::Media;

use crate::graphql::{
    endpoint::{Answer, Operations, Prepared},
    errors::{Code, server_error},
    session::CameFrom,
};

/// How often a connection that goes on looks whether its session does.
const LOOK_AGAIN_EVERY: Duration = Duration::from_secs(10);

/// How long a socket may stay without saying who it is.
const INTRODUCTION_WITHIN: Duration = Duration::from_secs(10);

/// The API and who may come in: what all transports share.
#[derive(Clone)]
pub struct Service {
    api: Arc<dyn Operations>,
    door: Arc<dyn Authenticate>,
    look_again_every: Duration,
    introduction_within: Duration,
}

impl Service {
    /// Serves this API to those whom the door lets in.
    #[must_use]
    pub fn new(api: Arc<dyn Operations>, door: Arc<dyn Authenticate>) -> Self {
        Self {
            api,
            door,
            look_again_every: LOOK_AGAIN_EVERY,
            introduction_within: INTRODUCTION_WITHIN,
        }
    }

    /// Adds the four addresses to a route.
    #[must_use]
    pub fn mount(self, route: Route) -> Route {
        route
            .at("/graphql", GraphqlOverHttp(self.clone()))
            .at("/graphql/ws", ws::Socket(self.clone()))
            .at("/graphql/stream", sse::EventStream(self))
            .at("/graphiql", poem::get(graphiql))
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

    /// Gives a request what it is carried out with, and looks whether it may be.
    fn prepare(
        &self,
        request: Request,
        viewer: &Arc<Viewer>,
        came_from: CameFrom,
    ) -> Result<Prepared, Box<Answer>> {
        let request = self.door.equip(request, viewer).data(came_from);
        self.api
            .prepare(request, viewer)
            .map_err(|errors| Box::new(Answer::refused(errors)))
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

/// The network address that a request came from.
fn came_from(req: &poem::Request) -> CameFrom {
    let address: Option<IpAddr> = req
        .remote_addr()
        .as_socket_addr()
        .map(std::net::SocketAddr::ip);
    CameFrom(address)
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
        let viewer = match self.0.viewer(&req).await {
            Ok(viewer) => viewer,
            Err(refused) => return Ok(respond::answer(&refused, media)),
        };
        let prepared = match self.0.prepare(request, &viewer, came_from(&req)) {
            Ok(prepared) => prepared,
            Err(refused) => return Ok(respond::answer(&refused, media)),
        };
        let answer = match (prepared.operation, method) {
            (OperationType::Mutation, Method::GET) => {
                let allowed = [Method::POST];
                return Ok(respond::not_allowed(
                    "Mutations go by POST.",
                    &allowed,
                    media,
                ));
            }
            (OperationType::Subscription, _) => Answer::refused(vec![server_error(
                Code::BadRequest,
                "Subscriptions go by /graphql/ws or /graphql/stream.",
            )]),
            _ => self.0.api.execute(prepared, &viewer).await,
        };
        Ok(respond::answer(&answer, media))
    }
}

/// The stock page to try operations.
#[poem::handler]
fn graphiql() -> Html<String> {
    Html(
        GraphiQLSource::build()
            .endpoint("/graphql")
            .subscription_endpoint("/graphql/ws")
            .title("MyCareer")
            .finish(),
    )
}

#[cfg(test)]
mod tests;
