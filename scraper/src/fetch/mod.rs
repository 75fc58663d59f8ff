//! Fetching a page: one GET, bounded in time and bytes.
//!
//! Each job has one [`Fetcher`], whose connections stay open between scrapes. A fetch has one
//! deadline for everything (a target that drips bytes gains nothing) and one limit for the page
//! after decompression. Credentials and certificates in files are read again each time.
//!
//! Error texts are Go's and Prometheus's where those are known to their users.

mod accept;
mod chunked;
mod client;
mod error;
mod head;
mod http;
mod oauth2;
mod proxy;
mod secret;
mod tls;
mod unpack;
mod wire;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use tokio::time::{Instant, timeout_at};

pub use error::FetchError;
pub(crate) use error::describe;
pub use http::HttpClient;
pub use secret::text as secret_text;
pub use wire::Wire;

use crate::job::{Job, PAGE_BYTES_MAX};

/// Name and version that targets see.
const USER_AGENT: &str = concat!("Inferometer/", env!("CARGO_PKG_VERSION"));
/// Tells the target how long we wait, in seconds.
const TIMEOUT_HEADER: &str = "X-Prometheus-Scrape-Timeout-Seconds";
/// Connections stay open for at least this long without use.
const IDLE_MIN: Duration = Duration::from_secs(90);
/// Largest buffer that is kept from one page to the next.
const BUFFER_KEPT_BYTES: usize = 1 << 20;

/// Fetches the pages of a job's targets.
#[derive(Debug)]
pub struct Fetcher {
    client: HttpClient,
    /// What the pages may be written in.
    accept: String,
    compression: bool,
    page_bytes_max: u64,
    /// Why nothing is fetched at all.
    refused: Mutex<Option<String>>,
}

/// A page.
#[derive(Debug, Default)]
pub struct Page {
    /// The bytes, decompressed.
    pub body: Vec<u8>,
    /// What the target says that they are.
    pub content_type: Option<String>,
}

impl Page {
    /// Empties it, and keeps its memory if that is not unusually much.
    fn clear(&mut self) {
        self.body.clear();
        self.body.shrink_to(BUFFER_KEPT_BYTES);
        self.content_type = None;
    }
}

impl Fetcher {
    /// A fetcher for the targets of `job`. Nothing is opened or read yet.
    pub fn new(job: &Job) -> Self {
        let idle = Duration::from_millis(2 * job.interval_ms.unsigned_abs()).max(IDLE_MIN);
        Self {
            client: HttpClient::new(&job.client, idle),
            accept: accept::accept(job),
            compression: job.compression,
            page_bytes_max: job.limits.body_bytes.unwrap_or(PAGE_BYTES_MAX),
            refused: Mutex::default(),
        }
    }

    /// From now on every fetch fails, and this is why; `None`: no longer.
    pub fn refuse(&self, why: Option<String>) {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }

    /// Gets `url` into `page` within `timeout`. After an error `page` holds nothing of use.
    pub async fn fetch(
        &self,
        url: &str,
        timeout: Duration,
        page: &mut Page,
    ) -> Result<(), FetchError> {
        self.fetch_over(&mut Wire::default(), url, timeout, page).await
    }

    /// The same over a connection that the caller keeps, if the target can be asked so directly.
    pub async fn fetch_over(
        &self,
        wire: &mut Wire,
        url: &str,
        timeout: Duration,
        page: &mut Page,
    ) -> Result<(), FetchError> {
        page.clear();
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(why) = refused {
            return Err(FetchError::Refused(why));
        }
        let deadline = Instant::now() + timeout;
        if self.client.is_direct() && wire.leads_to(url) {
            let asked = timeout_at(deadline, self.ask(wire, url, timeout, page)).await;
            let head = asked.map_err(|_| FetchError::TimedOut { url: Some(url.to_owned()) })??;
            // Whoever is sent elsewhere goes there with the other client.
            if !(head.status.is_redirection() && self.client.follows_redirects()) {
                let read = timeout_at(deadline, self.take(wire, head, page)).await;
                return read.map_err(|_| FetchError::TimedOut { url: None })?;
            }
            page.clear();
        }
        self.fetch_by_client(url, (timeout, deadline), page).await
    }

    /// Sends the request over `wire` and reads the answer's head.
    async fn ask(
        &self,
        wire: &mut Wire,
        url: &str,
        timeout: Duration,
        page: &mut Page,
    ) -> Result<wire::Head, FetchError> {
        let failed = |cause| FetchError::Request { url: url.to_owned(), cause };
        let mut headers = self.headers(timeout).map_err(failed)?;
        if self.compression {
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip, zstd"));
        }
        self.client.add_headers(&mut headers).await.map_err(failed)?;
        wire.ask(&headers, &mut page.body).await.map_err(failed)
    }

    /// Reads the page behind `head`.
    async fn take(
        &self,
        wire: &mut Wire,
        mut head: wire::Head,
        page: &mut Page,
    ) -> Result<(), FetchError> {
        if head.status != reqwest::StatusCode::OK {
            return Err(FetchError::Status(head.status));
        }
        page.content_type = head.content_type.take();
        let encoding = std::mem::replace(&mut head.encoding, unpack::Encoding::None);
        wire.body(head, self.page_bytes_max, &mut page.body).await?;
        encoding.unpack(&mut page.body, self.page_bytes_max).await
    }

    async fn fetch_by_client(
        &self,
        url: &str,
        (timeout, deadline): (Duration, Instant),
        page: &mut Page,
    ) -> Result<(), FetchError> {
        let sent = timeout_at(deadline, self.send(url, timeout)).await;
        let mut response =
            sent.map_err(|_| FetchError::TimedOut { url: Some(url.to_owned()) })??;
        if response.status() != reqwest::StatusCode::OK {
            return Err(FetchError::Status(response.status()));
        }
        let content_type = response.headers().get(CONTENT_TYPE);
        page.content_type =
            content_type.map(|text| String::from_utf8_lossy(text.as_bytes()).into_owned());
        let read = timeout_at(deadline, self.read(&mut response, &mut page.body)).await;
        read.map_err(|_| FetchError::TimedOut { url: None })?
    }

    async fn send(&self, url: &str, timeout: Duration) -> Result<reqwest::Response, FetchError> {
        let failed = |cause| FetchError::Request { url: url.to_owned(), cause };
        let headers = self.headers(timeout).map_err(failed)?;
        self.client.get(url, headers).await.map_err(failed)
    }

    fn headers(&self, timeout: Duration) -> Result<HeaderMap, String> {
        let mut headers = HeaderMap::new();
        let accept = HeaderValue::from_str(&self.accept).map_err(|error| error.to_string())?;
        headers.insert(ACCEPT, accept);
        if !self.compression {
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        let seconds = HeaderValue::from_str(&timeout.as_secs_f64().to_string());
        headers.insert(TIMEOUT_HEADER, seconds.map_err(|error| error.to_string())?);
        Ok(headers)
    }

    /// Reads chunk by chunk, so that no more than the limit and one chunk is ever held.
    async fn read(
        &self,
        response: &mut reqwest::Response,
        body: &mut Vec<u8>,
    ) -> Result<(), FetchError> {
        let broken = |error| FetchError::Body(error::describe(&error, ""));
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            if body.len() as u64 + chunk.len() as u64 > self.page_bytes_max {
                return Err(FetchError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(())
    }
}
