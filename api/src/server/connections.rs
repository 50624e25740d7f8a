//! Connections: how they are taken, what they are held to, and how they end.
//!
//! The framework's own server waits without end for the head of a request that comes a byte at a time, so this is hyper's,
//! around the same routes. HTTP/1.1 is spoken in the open, HTTP/1.1 and HTTP/2 behind TLS.

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use hyper::{
    body::{Body, Bytes, Incoming},
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use poem::{
    Endpoint, Response,
    http::uri::Scheme,
    web::{LocalAddr, RemoteAddr},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use self::crowd::{Crowd, Placed};
use super::tls::Tls;

mod crowd;

/// How long the head of a request may be, in bytes.
const LONGEST_HEAD: u32 = 64 * 1024;

/// How many requests one HTTP/2 connection may have in hand.
const MOST_STREAMS: u32 = 100;

/// How often a silent HTTP/2 connection is asked whether anybody is there, and how long the answer may take.
const ASK_WHETHER_THERE: Duration = Duration::from_secs(20);

/// How long no connection is taken when none could be, for want of file descriptors or memory.
const BREATHER: Duration = Duration::from_millis(50);

/// What connections are held to.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// How long the head of a request may take to come, the first one of a connection or the next.
    pub head_within: Duration,
    /// How many connections one network address may have; none for any number.
    pub per_address: Option<u32>,
}

/// Where connections come in.
#[derive(Debug)]
pub struct Connections {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<Tls>,
    limits: ConnectionLimits,
}

impl Connections {
    /// Listens, from now on.
    pub async fn listen(
        listen: SocketAddr,
        tls: Option<Tls>,
        limits: ConnectionLimits,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        Ok(Self {
            listener,
            address,
            tls,
            limits,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stopping`, then finishes what is in hand, for at most `grace`.
    pub async fn serve<E>(self, routes: E, stopping: CancellationToken, grace: Duration)
    where
        E: Endpoint<Output = Response> + 'static,
    {
        let routes = Arc::new(routes);
        let crowd = Crowd::new(self.limits.per_address);
        let mut open = JoinSet::new();
        loop {
            tokio::select! {
                () = stopping.cancelled() => break,
                Some(_) = open.join_next() => {}
                accepted = self.listener.accept() => match accepted {
                    // One that is over its number is closed without a word: a word would cost as much as an answer.
                    Ok((socket, remote)) => if let Some(place) = crowd.enter(remote.ip()) {
                        let connection = Connection {
                            routes: Arc::clone(&routes),
                            local: self.address,
                            remote,
                            limits: self.limits,
                            stopping: stopping.clone(),
                        };
                        open.spawn(connection.take(place.with(socket), self.tls.clone()));
                    },
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be taken");
                        sleep(BREATHER).await;
                    }
                },
            }
        }
        drop(self.listener);
        let finished = timeout(grace, async { while open.join_next().await.is_some() {} }).await;
        if finished.is_err() {
            tracing::warn!(
                connections = open.len(),
                "connections were still open when the server had to go"
            );
        }
    }
}

/// One connection.
struct Connection<E> {
    routes: Arc<E>,
    local: SocketAddr,
    remote: SocketAddr,
    limits: ConnectionLimits,
    stopping: CancellationToken,
}

impl<E: Endpoint<Output = Response> + 'static> Connection<E> {
    async fn take(self, socket: Placed<TcpStream>, tls: Option<Tls>) {
        // Small answers would wait for the acknowledgement of the one before (Nagle's algorithm).
        let _ = socket.inner().set_nodelay(true);
        let Some(tls) = tls else {
            return self.http1(socket, Scheme::HTTP).await;
        };
        let shaken = timeout(self.limits.head_within, tls.accept(socket)).await;
        // Whoever speaks no TLS, or another one than ours, is not worth a line in the log each time.
        let Ok(Ok(socket)) = shaken else { return };
        if socket.get_ref().1.alpn_protocol() == Some(b"h2") {
            self.http2(socket).await;
        } else {
            self.http1(socket, Scheme::HTTPS).await;
        }
    }

    async fn http1(
        self,
        socket: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        scheme: Scheme,
    ) {
        let stopping = self.stopping.clone();
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.head_within)
            .max_buf_size(LONGEST_HEAD as usize)
            .serve_connection(
                TokioIo::new(socket),
                service_fn(move |request| self.answer(request, scheme.clone())),
            )
            .with_upgrades();
        let mut connection = std::pin::pin!(connection);
        // How it ends is the client's affair: what went wrong here was logged by whoever answered.
        tokio::select! {
            _ = connection.as_mut() => {}
            () = stopping.cancelled() => {
                connection.as_mut().graceful_shutdown();
                let _ = connection.await;
            }
        }
    }

    async fn http2(self, socket: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
        let stopping = self.stopping.clone();
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(ASK_WHETHER_THERE)
            .keep_alive_timeout(ASK_WHETHER_THERE)
            .max_concurrent_streams(MOST_STREAMS)
            .max_header_list_size(LONGEST_HEAD)
            .serve_connection(
                TokioIo::new(socket),
                service_fn(move |request| self.answer(request, Scheme::HTTPS)),
            );
        let mut connection = std::pin::pin!(connection);
        tokio::select! {
            _ = connection.as_mut() => {}
            () = stopping.cancelled() => {
                connection.as_mut().graceful_shutdown();
                let _ = connection.await;
            }
        }
    }

    fn answer(
        &self,
        request: hyper::Request<Incoming>,
        scheme: Scheme,
    ) -> impl Future<
        Output = Result<
            hyper::Response<impl Body<Data = Bytes, Error = io::Error> + Send + 'static + use<E>>,
            Infallible,
        >,
    > + Send
    + use<E> {
        let routes = Arc::clone(&self.routes);
        let (local, remote) = (LocalAddr(self.local.into()), RemoteAddr(self.remote.into()));
        async move {
            let request = (request, local, remote, scheme).into();
            Ok(routes.get_response(request).await.into())
        }
    }
}
