//! One target's connection: HTTP/1.1 without TLS or proxy, which is what nearly all targets are
//! asked with, and nothing that a scrape has no use for. The rest goes through `http`.
//!
//! 1. [`Wire::ask`] sends the request, over the connection of the last scrape if that is still
//!    open, and reads the head of the answer. It comes with (some of) the body in one piece.
//! 2. [`Wire::body`] reads the rest into the same buffer: so many bytes, chunks (`chunked`), or all
//!    up to the end of the connection.
//!
//! Whoever stops in between loses the connection, never more. Error texts are Go's.

use std::io;

use reqwest::header::{self, HeaderMap};
use reqwest::{StatusCode, Url};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, lookup_host};

use super::chunked::Chunked;
use super::error;
use super::head::{Length, Parsed, parse};
use super::unpack::Encoding;
use super::{FetchError, USER_AGENT};

/// Interim answers (`100 Continue`) that are passed over.
const INTERIM_MAX: usize = 5;
/// The least that is asked of the connection at once.
const READ_BYTES: usize = 16 << 10;

/// A connection that is kept from one scrape to the next, and where it leads.
#[derive(Debug, Default)]
pub struct Wire {
    stream: Option<TcpStream>,
    route: Option<Route>,
    /// Bytes of the last answer.
    expected: usize,
}

/// What a URL says.
#[derive(Debug)]
struct Route {
    url: String,
    host: String,
    port: u16,
    /// `GET … HTTP/1.1` and the `Host` header.
    start: String,
}

/// The head of an answer.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) status: StatusCode,
    pub(super) content_type: Option<String>,
    pub(super) encoding: Encoding,
    length: Length,
    keep: bool,
    stream: TcpStream,
}

impl Route {
    fn of(url: &str) -> Option<Self> {
        let parsed = Url::parse(url).ok()?;
        let is_plain = parsed.scheme() == "http" && parsed.username().is_empty();
        let host = parsed.host_str().filter(|_| is_plain && parsed.password().is_none())?;
        let path = parsed.path();
        let query = parsed.query().map(|query| format!("?{query}")).unwrap_or_default();
        let authority = parsed.authority();
        Some(Self {
            url: url.to_owned(),
            host: host.trim_matches(['[', ']']).to_owned(),
            port: parsed.port_or_known_default()?,
            start: format!("GET {path}{query} HTTP/1.1\r\nhost: {authority}\r\n"),
        })
    }
}

impl Wire {
    /// Whether `url` can be asked for in this way; has to be called first.
    pub(super) fn leads_to(&mut self, url: &str) -> bool {
        if self.route.as_ref().is_none_or(|route| route.url != url) {
            *self = Self { route: Route::of(url), ..Self::default() };
        }
        self.route.is_some()
    }

    /// Asks, and reads the head of the answer; what came of the body is in `buffer`. The error says
    /// what happened, without the URL.
    pub(super) async fn ask(
        &mut self,
        headers: &HeaderMap,
        buffer: &mut Vec<u8>,
    ) -> Result<Head, String> {
        let route = self.route.as_ref().ok_or("no URL")?;
        let request = request(route, headers);
        buffer.reserve(self.expected.max(READ_BYTES));
        if let Some(stream) = self.stream.take() {
            match answer(stream, &request, buffer).await {
                // The target closed it meanwhile; there is nothing wrong with that.
                Err(Broken::Before(_)) => buffer.clear(),
                answered => return answered.map_err(Broken::text),
            }
        }
        let stream = connect(route).await?;
        answer(stream, &request, buffer).await.map_err(Broken::text)
    }

    /// Reads the body into `buffer`, which has its beginning; at most `limit` bytes.
    pub(super) async fn body(
        &mut self,
        head: Head,
        limit: u64,
        buffer: &mut Vec<u8>,
    ) -> Result<(), FetchError> {
        let Head { mut stream, length, keep, .. } = head;
        let is_at_end = match length {
            Length::Bytes(bytes) if bytes > limit => return Err(FetchError::TooLarge),
            Length::Bytes(bytes) => read_bytes(&mut stream, bytes as usize, buffer).await?,
            Length::Chunks => read_chunks(&mut stream, limit, buffer).await?,
            Length::ToTheEnd => {
                while receive(&mut stream, buffer).await.map_err(cut)? > 0 {
                    if buffer.len() as u64 > limit {
                        return Err(FetchError::TooLarge);
                    }
                }
                false
            }
        };
        self.expected = buffer.len() + READ_BYTES;
        self.stream = (is_at_end && keep).then_some(stream);
        if buffer.len() as u64 > limit { Err(FetchError::TooLarge) } else { Ok(()) }
    }
}

/// Why there is no answer.
enum Broken {
    /// The connection ended before the answer began.
    Before(String),
    /// Something else.
    Else(String),
}

impl Broken {
    fn text(self) -> String {
        match self {
            Self::Before(text) | Self::Else(text) => text,
        }
    }
}

fn request(route: &Route, headers: &HeaderMap) -> Vec<u8> {
    let mut request = Vec::with_capacity(512);
    request.extend_from_slice(route.start.as_bytes());
    if !headers.contains_key(header::USER_AGENT) {
        request.extend_from_slice(format!("user-agent: {USER_AGENT}\r\n").as_bytes());
    }
    for (name, value) in headers {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            request.extend_from_slice(part);
        }
    }
    request.extend_from_slice(b"\r\n");
    request
}

async fn connect(route: &Route) -> Result<TcpStream, String> {
    let Route { host, port, .. } = route;
    let found = lookup_host((host.as_str(), *port)).await;
    let addresses = found.map_err(|error| error::lookup(host, &error.to_string()))?;
    let mut last = format!("dial tcp: lookup {host}: no such host");
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                let _kept_slow = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => last = error::dial(&error, &address.to_string()),
        }
    }
    Err(last)
}

async fn answer(
    mut stream: TcpStream,
    request: &[u8],
    buffer: &mut Vec<u8>,
) -> Result<Head, Broken> {
    let sent = stream.write_all(request).await;
    sent.map_err(|error| Broken::Before(error::transfer(&error)))?;
    let mut interim = 0;
    loop {
        if let Some((parsed, length)) = parse(buffer).map_err(Broken::Else)? {
            buffer.drain(..length);
            if parsed.status.is_informational() && interim < INTERIM_MAX {
                interim += 1;
                continue;
            }
            let Parsed { status, content_type, encoding, length, keep } = parsed;
            return Ok(Head { status, content_type, encoding, length, keep, stream });
        }
        let is_first = buffer.is_empty();
        let ended = |text: String| if is_first { Broken::Before(text) } else { Broken::Else(text) };
        match receive(&mut stream, buffer).await {
            Ok(0) if is_first => return Err(Broken::Before("EOF".into())),
            Ok(0) => return Err(Broken::Else("unexpected EOF".into())),
            Ok(_) => {}
            Err(error) => return Err(ended(error::transfer(&error))),
        }
    }
}

/// Receives what there is; 0 at the end.
async fn receive(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<usize> {
    if buffer.capacity() - buffer.len() < READ_BYTES / 4 {
        buffer.reserve(READ_BYTES);
    }
    stream.read_buf(buffer).await
}

/// Reads until there are `bytes`; whether the connection stands right behind them.
async fn read_bytes(
    stream: &mut TcpStream,
    bytes: usize,
    buffer: &mut Vec<u8>,
) -> Result<bool, FetchError> {
    // Memory comes as the bytes do, so that an announcement alone costs nothing.
    while buffer.len() < bytes {
        if receive(stream, buffer).await.map_err(cut)? == 0 {
            return Err(FetchError::Body("unexpected EOF".into()));
        }
    }
    let is_at_end = buffer.len() == bytes;
    buffer.truncate(bytes);
    Ok(is_at_end)
}

async fn read_chunks(
    stream: &mut TcpStream,
    limit: u64,
    buffer: &mut Vec<u8>,
) -> Result<bool, FetchError> {
    let mut chunks = Chunked::default();
    loop {
        let is_done = chunks.unpack(buffer).map_err(FetchError::Body)?;
        if chunks.bytes() as u64 > limit {
            return Err(FetchError::TooLarge);
        }
        if is_done {
            let is_at_end = buffer.len() == chunks.bytes();
            buffer.truncate(chunks.bytes());
            return Ok(is_at_end);
        }
        if receive(stream, buffer).await.map_err(cut)? == 0 {
            return Err(FetchError::Body("unexpected EOF".into()));
        }
    }
}

fn cut(error: io::Error) -> FetchError {
    FetchError::Body(error::transfer(&error))
}
