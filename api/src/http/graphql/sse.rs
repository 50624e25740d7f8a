//! `/graphql/stream`: operations over server-sent events, in the distinct connections mode of the GraphQL over SSE
//! protocol: <https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md>.

use std::{io, time::Duration};

use async_graphql::parser::types::OperationType;
use futures_util::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use poem::{
    Body, Endpoint, Response,
    http::{
        Method, StatusCode,
        header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE},
    },
};
use tokio::time::timeout;

use super::{Admission, Service, accept::Media, live, request, respond};
use crate::graphql::{
    endpoint::Answer,
    errors::{Code, code},
};

/// How long a connection may be silent before a comment is sent, for the sake of what stands in between.
const SILENCE: Duration = Duration::from_secs(12);

/// Serves operations as streams of events.
#[derive(Clone, Debug)]
pub struct EventStream(pub(super) Service);

impl Endpoint for EventStream {
    type Output = Response;

    async fn call(&self, mut req: poem::Request) -> poem::Result<Response> {
        let method = req.method().clone();
        let accepts = req
            .header(ACCEPT)
            .is_none_or(|accept| accept.contains("text/event-stream") || accept.contains("*/*"));
        if !accepts {
            return Ok(respond::malformed(
                &request::Malformed {
                    status: StatusCode::NOT_ACCEPTABLE,
                    reason: "This address answers in `text/event-stream` only.".to_owned(),
                },
                Media::Json,
            ));
        }
        let read = match method {
            Method::GET => request::from_query(req.uri().query().unwrap_or_default()),
            Method::POST => {
                let body = req.take_body();
                request::from_body(req.headers(), body).await
            }
            _ => {
                return Ok(respond::not_allowed(
                    "Send GET or POST.",
                    &[Method::GET, Method::POST],
                    Media::Json,
                ));
            }
        };
        let request = match read {
            Ok(request) => request,
            Err(malformed) => return Ok(respond::malformed(&malformed, Media::Json)),
        };
        let Admission { outcome, standing } = self.0.admit(&req, request).await;
        let response = match outcome {
            // A client tells this from an answer by the status alone.
            Err(refused) if has_status_of_its_own(&refused) => {
                respond::answer(&refused, Media::GraphqlResponse)
            }
            Err(refused) => stream_of(stream::once(async { *refused }).boxed()),
            Ok((prepared, _))
                if method == Method::GET && prepared.operation == OperationType::Mutation =>
            {
                respond::not_allowed("Mutations go by POST.", &[Method::POST], Media::Json)
            }
            Ok((prepared, viewer)) => stream_of(live::carry_out(self.0.clone(), viewer, prepared)),
        };
        Ok(respond::with_budget(response, standing))
    }
}

/// Whether the request as a whole is refused, rather than what it asks for.
fn has_status_of_its_own(refused: &Answer) -> bool {
    let code = refused.response.errors.first().and_then(code);
    [Code::Unauthenticated, Code::RateLimited, Code::Internal]
        .iter()
        .any(|known| code == Some(known.as_str()))
}

fn stream_of(answers: BoxStream<'static, Answer>) -> Response {
    Response::builder()
        .header(CONTENT_TYPE, "text/event-stream")
        .header(CACHE_CONTROL, "no-store")
        .body(Body::from_bytes_stream(events(answers).map(io::Result::Ok)))
}

/// The events of a stream of answers: `next` for each, `complete` at the end, and comments in times of silence.
fn events(answers: BoxStream<'static, Answer>) -> impl Stream<Item = String> + Send + 'static {
    let whole = answers
        .map(|answer| format!("event: next\ndata: {}\n\n", respond::text(&answer)))
        .chain(stream::once(async {
            "event: complete\ndata:\n\n".to_owned()
        }));
    stream::unfold(Some(whole.boxed()), |whole| async {
        let mut whole = whole?;
        match timeout(SILENCE, whole.next()).await {
            Ok(event) => Some((event?, Some(whole))),
            Err(_) => Some((":\n\n".to_owned(), Some(whole))),
        }
    })
}
