//! `/graphql/ws`: operations over a socket, in the `graphql-transport-ws` protocol:
//! <https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>.
//!
//! The first message says who is there, in `payload.Authorization`. Every operation is looked at as one over HTTP is, and
//! the socket is closed when the session ends.

use std::{collections::HashMap, future::Future, sync::Arc};

use domain::Viewer;
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use poem::{
    Endpoint, FromRequest, IntoResponse, Response,
    http::{StatusCode, header::SEC_WEBSOCKET_PROTOCOL},
    web::websocket::{Message, WebSocket, WebSocketStream},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{
    sync::mpsc,
    task::{AbortHandle, JoinSet},
    time::timeout,
};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use uuid::Uuid;

use super::{Service, accept::Media, live, request, respond};
use crate::{
    graphql::{
        endpoint::Answer,
        errors::{Code, server_error},
        session::CameFrom,
    },
    http::intake::LONGEST_BODY,
};

/// The name of the protocol.
const PROTOCOL: &str = "graphql-transport-ws";

/// How many operations one socket may have in hand.
const MOST_OPERATIONS: usize = 100;

/// How many answers may wait for a slow reader before its operations wait for it.
const MOST_WAITING: usize = 16;

/// How long the reason in a close frame may be, in bytes (RFC 6455, section 5.5).
const LONGEST_REASON: usize = 123;

/// Serves operations over sockets.
#[derive(Clone, Debug)]
pub(super) struct Socket(pub(super) Service);

impl Endpoint for Socket {
    type Output = Response;

    async fn call(&self, req: poem::Request) -> poem::Result<Response> {
        let speaks = req
            .headers()
            .get_all(SEC_WEBSOCKET_PROTOCOL)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|protocol| protocol.trim() == PROTOCOL);
        let came_from = self.0.came_from(&req);
        let (req, mut body) = req.split();
        match WebSocket::from_request(&req, &mut body).await {
            Ok(socket) if speaks => {
                if !self.0.terms.lets_in_socket(req.headers()) {
                    let elsewhere = server_error(
                        Code::Forbidden,
                        "Pages of this origin may not open a WebSocket here.",
                    );
                    let refused = Answer::refused(vec![elsewhere]);
                    return Ok(respond::answer(&refused, Media::GraphqlResponse));
                }
                let service = self.0.clone();
                Ok(socket
                    .config(limits())
                    .protocols([PROTOCOL])
                    .on_upgrade(move |socket| serve(socket, service, came_from))
                    .into_response())
            }
            _ => {
                let malformed = request::Malformed {
                    status: StatusCode::BAD_REQUEST,
                    reason: format!("Open a WebSocket here, with the protocol `{PROTOCOL}`."),
                };
                Ok(respond::malformed(&malformed, Media::Json))
            }
        }
    }
}

/// A message that is longer than a request over HTTP may be is answered with that; one far longer isn't read at all.
fn limits() -> WebSocketConfig {
    WebSocketConfig::default()
        .max_message_size(Some(2 * LONGEST_BODY))
        .max_frame_size(Some(2 * LONGEST_BODY))
}

/// Why the server hangs up: a code of the protocol, and the reason.
#[derive(Debug)]
struct Close(u16, String);

impl Close {
    fn bad_request(reason: impl Into<String>) -> Self {
        Self(4400, reason.into())
    }

    fn unauthorised() -> Self {
        Self(4401, "Unauthorized".to_owned())
    }

    fn forbidden(reason: impl Into<String>) -> Self {
        Self(4403, reason.into())
    }

    fn no_introduction() -> Self {
        Self(4408, "Connection initialisation timeout".to_owned())
    }

    fn already_in_hand(id: &str) -> Self {
        Self(4409, format!("Subscriber for {id} already exists"))
    }

    fn introduced_twice() -> Self {
        Self(4429, "Too many initialisation requests".to_owned())
    }
}

/// A message of the client.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Incoming {
    ConnectionInit { payload: Option<Value> },
    Ping { payload: Option<Value> },
    Pong,
    Subscribe { id: String, payload: Value },
    Complete { id: String },
}

/// Speaks the protocol until one of the two hangs up or the session ends.
async fn serve(socket: WebSocketStream, service: Service, came_from: CameFrom) {
    let (sink, stream) = socket.split();
    let mut line = Line { sink, stream };
    let ended = match line.introduction(&service).await {
        Ok(viewer) => {
            let mut talk = Talk::new(service, Arc::new(viewer), came_from);
            talk.go_on(&mut line).await
        }
        Err(ended) => Err(ended),
    };
    if let Err(Some(Close(code, reason))) = ended {
        let reason = &reason[..reason.floor_char_boundary(LONGEST_REASON)];
        let _ = line.sink.send(Message::close_with(code, reason)).await;
    }
    let _ = line.sink.close().await;
}

/// How a talk ends: with a reason, or because the client has hung up.
type Ended<T> = Result<T, Option<Close>>;

/// The two directions of a socket.
struct Line {
    sink: SplitSink<WebSocketStream, Message>,
    stream: SplitStream<WebSocketStream>,
}

impl Line {
    /// The next message of the client.
    async fn next(&mut self) -> Ended<Incoming> {
        loop {
            let Some(Ok(message)) = self.stream.next().await else {
                return Err(None);
            };
            if message.is_close() {
                return Err(None);
            }
            // Control frames are answered below this protocol.
            if !message.is_text() && !message.is_binary() {
                continue;
            }
            let bytes = message.into_bytes();
            if bytes.len() > LONGEST_BODY {
                return Err(Some(Close::bad_request("The message is too long")));
            }
            return serde_json::from_slice(&bytes)
                .map_err(|error| Some(Close::bad_request(format!("Invalid message: {error}"))));
        }
    }

    async fn send(&mut self, text: String) -> Ended<()> {
        self.sink.send(Message::text(text)).await.map_err(|_| None)
    }

    async fn pong(&mut self, payload: Option<Value>) -> Ended<()> {
        let mut pong = json!({"type": "pong"});
        if let Some(payload) = payload {
            pong["payload"] = payload;
        }
        self.send(pong.to_string()).await
    }

    /// Waits for the client to say who is there.
    async fn introduction(&mut self, service: &Service) -> Ended<Viewer> {
        let payload = timeout(service.introduction_within, async {
            loop {
                match self.next().await? {
                    Incoming::ConnectionInit { payload } => return Ok(payload),
                    Incoming::Ping { payload } => self.pong(payload).await?,
                    Incoming::Pong => {}
                    Incoming::Subscribe { .. } | Incoming::Complete { .. } => {
                        return Err(Some(Close::unauthorised()));
                    }
                }
            }
        })
        .await
        .map_err(|_| Some(Close::no_introduction()))??;
        let authorization = payload.as_ref().and_then(|payload| {
            ["Authorization", "authorization"]
                .into_iter()
                .find_map(|name| payload.get(name)?.as_str())
        });
        let viewer = service
            .door
            .viewer(authorization)
            .await
            .map_err(|error| Some(Close::forbidden(live::reason(&error))))?;
        self.send(json!({"type": "connection_ack"}).to_string())
            .await?;
        Ok(viewer)
    }
}

/// What is in hand for a client that has said who it is.
struct Talk {
    service: Service,
    viewer: Arc<Viewer>,
    came_from: CameFrom,
    operations: HashMap<String, AbortHandle>,
    /// The tasks of the operations. They end with the talk.
    tasks: JoinSet<()>,
    answers: mpsc::Receiver<Outgoing>,
    answer: mpsc::Sender<Outgoing>,
}

/// A message of an operation.
struct Outgoing {
    id: String,
    text: String,
    is_last: bool,
}

impl Talk {
    fn new(service: Service, viewer: Arc<Viewer>, came_from: CameFrom) -> Self {
        let (answer, answers) = mpsc::channel(MOST_WAITING);
        Self {
            service,
            viewer,
            came_from,
            operations: HashMap::new(),
            tasks: JoinSet::new(),
            answers,
            answer,
        }
    }

    /// Takes messages and sends answers until the talk ends.
    async fn go_on(&mut self, line: &mut Line) -> Ended<()> {
        let (service, viewer) = (self.service.clone(), Arc::clone(&self.viewer));
        let mut session_end = std::pin::pin!(live::session_end(&service, &viewer));
        loop {
            tokio::select! {
                reason = &mut session_end => return Err(Some(Close::forbidden(reason))),
                message = line.next() => self.take(message?, line).await?,
                Some(outgoing) = self.answers.recv() => {
                    // What was still on its way when the client had enough is not sent.
                    if self.operations.contains_key(&outgoing.id) {
                        if outgoing.is_last {
                            self.operations.remove(&outgoing.id);
                        }
                        line.send(outgoing.text).await?;
                    }
                }
                Some(_) = self.tasks.join_next() => {}
            }
        }
    }

    async fn take(&mut self, message: Incoming, line: &mut Line) -> Ended<()> {
        match message {
            Incoming::ConnectionInit { .. } => Err(Some(Close::introduced_twice())),
            Incoming::Ping { payload } => line.pong(payload).await,
            Incoming::Pong => Ok(()),
            Incoming::Complete { id } => {
                if let Some(operation) = self.operations.remove(&id) {
                    operation.abort();
                }
                Ok(())
            }
            Incoming::Subscribe { id, payload } => {
                if self.operations.contains_key(&id) {
                    return Err(Some(Close::already_in_hand(&id)));
                }
                if self.operations.len() >= MOST_OPERATIONS {
                    return Err(Some(Close::bad_request(format!(
                        "More than {MOST_OPERATIONS} operations at once"
                    ))));
                }
                let request = request::from_json(payload)
                    .map_err(|malformed| Some(Close::bad_request(malformed.reason)))?;
                let operation = self.operation(id.clone(), request);
                // One id goes with the operation through jobs to mails, as with a request over HTTP.
                let request_id = Uuid::new_v4().to_string();
                let operation = self
                    .tasks
                    .spawn(domain::request::within(request_id, operation));
                self.operations.insert(id, operation);
                Ok(())
            }
        }
    }

    /// Carries out an operation and hands on its answers.
    fn operation(
        &self,
        id: String,
        request: async_graphql::Request,
    ) -> impl Future<Output = ()> + Send + 'static {
        let (service, viewer) = (self.service.clone(), Arc::clone(&self.viewer));
        let (came_from, answer) = (self.came_from.clone(), self.answer.clone());
        async move {
            let send = |text: String, is_last: bool| {
                answer.send(Outgoing {
                    id: id.clone(),
                    text,
                    is_last,
                })
            };
            // The rights are those of now, not those of when the socket was opened.
            let viewer = match service.door.still(&viewer).await {
                Ok(viewer) => Arc::new(viewer),
                Err(ended) => {
                    let refused = Answer::refused(vec![super::of_the_door(ended)]);
                    let _ = send(error(&id, &refused), true).await;
                    return;
                }
            };
            let prepared = match service.prepare(request, &viewer, came_from).await.outcome {
                Ok(prepared) => prepared,
                Err(refused) => {
                    let _ = send(error(&id, &refused), true).await;
                    return;
                }
            };
            let mut answers = live::carry_out(service, viewer, prepared);
            while let Some(answer) = answers.next().await {
                let (text, is_last) = if answer.executed {
                    (next(&id, &answer), false)
                } else {
                    (error(&id, &answer), true)
                };
                if send(text, is_last).await.is_err() || is_last {
                    return;
                }
            }
            let complete = json!({"type": "complete", "id": id}).to_string();
            let _ = send(complete, true).await;
        }
    }
}

fn next(id: &str, answer: &Answer) -> String {
    format!(
        r#"{{"type":"next","id":{},"payload":{}}}"#,
        Value::from(id),
        respond::text(answer)
    )
}

/// The message that ends an operation that didn't run, or must not run on.
fn error(id: &str, answer: &Answer) -> String {
    json!({"type": "error", "id": id, "payload": answer.response.errors}).to_string()
}
