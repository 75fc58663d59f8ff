//! Accepting connections and answering what comes on them.
//!
//! One task for each listener accepts; one for each connection answers its requests one after the
//! other (HTTP/1.1) or side by side (HTTP/2, through TLS). When told to stop, nothing is accepted
//! any more, unused connections close, and those with a request in progress close after its answer.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tracing::{debug, warn};

use super::connections::{Connection, Connections};
use super::gate::Gate;
use super::tracked::Tracked;

/// Most bytes of a request's head: room for a query of 64 KiB in the address, encoded.
const HEAD_BYTES_MAX: usize = 256 << 10;
/// Most headers of a request.
const HEADERS_MAX: usize = 100;
/// Most requests at once on one connection of HTTP/2, as in Go.
const STREAMS_MAX: u32 = 250;
/// How long a client may take to agree on a key.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long is waited when no connection can be accepted, for want of files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How often a silent connection of HTTP/2 is asked whether somebody is there.
const PING_INTERVAL: Duration = Duration::from_secs(60);

/// What listens.
pub struct Server {
    listeners: Vec<TcpListener>,
    gate: Arc<Gate>,
    connections: Arc<Connections>,
}

impl Server {
    /// On these listeners, and on nothing else.
    pub fn new(listeners: Vec<TcpListener>, gate: Gate, connections: Arc<Connections>) -> Self {
        Self { listeners, gate: Arc::new(gate), connections }
    }

    /// Serves until `stopped` says so, then until every request in progress is answered. Who
    /// drops this closes what is open.
    pub async fn run(self, stopped: watch::Receiver<bool>) {
        let cut = Cut(self.connections.clone());
        let mut accepting = JoinSet::new();
        for listener in self.listeners {
            let (gate, connections) = (self.gate.clone(), self.connections.clone());
            accepting.spawn(accept(listener, gate, connections, stopped.clone()));
        }
        while accepting.join_next().await.is_some() {}
        self.connections.emptied().await;
        drop(cut);
    }
}

/// Closes everything when dropped.
struct Cut(Arc<Connections>);

impl Drop for Cut {
    fn drop(&mut self) {
        self.0.close_all();
    }
}

async fn accept(
    listener: TcpListener,
    gate: Arc<Gate>,
    connections: Arc<Connections>,
    mut stopped: watch::Receiver<bool>,
) {
    loop {
        let (stream, slot) = tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => return,
            next = async {
                let stream = next_stream(&listener).await;
                (stream, connections.enter().await)
            } => next,
        };
        let (gate, stopped) = (gate.clone(), stopped.clone());
        tokio::spawn(async move {
            let connection = &slot.connection;
            tokio::select! {
                () = connection.told_to_close() => {}
                () = answer(stream, connection, &gate, stopped) => {}
            }
        });
    }
}

async fn next_stream(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Answers are written whole; waiting for more would only delay them.
                let _ = stream.set_nodelay(true);
                return stream;
            }
            Err(error) => {
                warn!("a connection was not accepted: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn answer(
    stream: TcpStream,
    connection: &Arc<Connection>,
    gate: &Arc<Gate>,
    stopped: watch::Receiver<bool>,
) {
    let peer = stream.peer_addr().ok();
    let stream = Tracked::new(stream, connection.clone());
    let Some(tls) = gate.access.now().tls.clone() else {
        return one_by_one(stream, peer, connection, gate, stopped).await;
    };
    let handshake = TlsAcceptor::from(tls).accept(stream);
    match tokio::time::timeout(HANDSHAKE_TIMEOUT, handshake).await {
        Ok(Ok(stream)) if stream.get_ref().1.alpn_protocol() == Some(b"h2") => {
            side_by_side(stream, peer, connection, gate, stopped).await;
        }
        Ok(Ok(stream)) => one_by_one(stream, peer, connection, gate, stopped).await,
        Ok(Err(error)) => debug!("no TLS with a client: {error}"),
        Err(_) => debug!("no TLS with a client within {HANDSHAKE_TIMEOUT:?}"),
    }
}

/// HTTP/1.1
async fn one_by_one(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    peer: Option<SocketAddr>,
    connection: &Arc<Connection>,
    gate: &Arc<Gate>,
    stopped: watch::Receiver<bool>,
) {
    let service = service_fn(|request| one(request, peer, connection.clone(), gate.clone()));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(gate.read_timeout)
        .max_header_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), service);
    until_stopped(connection, stopped).await;
}

/// HTTP/2
async fn side_by_side(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Option<SocketAddr>,
    connection: &Arc<Connection>,
    gate: &Arc<Gate>,
    stopped: watch::Receiver<bool>,
) {
    let (connection, gate) = (connection.clone(), gate.clone());
    let service = service_fn(move |request| one(request, peer, connection.clone(), gate.clone()));
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_INTERVAL)
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEAD_BYTES_MAX as u32)
        .serve_connection(TokioIo::new(stream), service);
    until_stopped(connection, stopped).await;
}

async fn one(
    mut request: Request<Incoming>,
    peer: Option<SocketAddr>,
    connection: Arc<Connection>,
    gate: Arc<Gate>,
) -> Result<axum::response::Response, Infallible> {
    let _busy = connection.begin();
    if let Some(peer) = peer {
        request.extensions_mut().insert(ConnectInfo(peer));
    }
    Ok(gate.answer(request).await)
}

/// Serves until the connection ends; once it is to stop, until what is in progress is answered.
async fn until_stopped(
    connection: impl GracefulConnection<Error = hyper::Error>,
    mut stopped: watch::Receiver<bool>,
) {
    let told = async move { drop(stopped.wait_for(|stopped| *stopped).await) };
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = told => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!("a connection ended: {error}");
    }
}
