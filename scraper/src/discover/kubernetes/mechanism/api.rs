//! Questions to an API server, and its answers: JSON as a whole, or events line by line.
//!
//! No answer and no line may be longer than [`ANSWER_BYTES_MAX`], counted after decompression.

use std::sync::Arc;

use http::header::{ACCEPT, ACCEPT_ENCODING};
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use kube::core::Status;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// Largest answer or event, in bytes. A page of 500 pods has 6 MB, an object at most 3.
const ANSWER_BYTES_MAX: usize = 64 << 20;
/// Most of a refusal that is read.
const REFUSAL_BYTES_MAX: usize = 64 << 10;

/// Why an API server gave no answer of use.
#[derive(Debug, Error)]
pub(crate) enum ApiError {
    /// It said no: as an HTTP status, or as an event.
    #[error("{} {}", .0.code, .0.message)]
    Refused(Box<Status>),
    /// It cannot be reached, or the connection broke.
    #[error("{0}")]
    Connection(String),
    #[error("no answer within {0} seconds")]
    TimedOut(u64),
    #[error("an answer has more than {ANSWER_BYTES_MAX} bytes")]
    TooLarge,
    #[error("an answer that we do not understand: {0}")]
    Malformed(#[from] serde_json::Error),
}

impl ApiError {
    /// The version that we asked for is gone (or the server has never had it): list again.
    pub(crate) fn is_expired(&self) -> bool {
        const TOO_NEW: &str = "Too large resource version";
        match self {
            Self::Refused(status) => {
                status.code == 410 || status.code == 504 && status.message.contains(TOO_NEW)
            }
            _ => false,
        }
    }

    /// Nobody answers.
    pub(crate) fn is_silence(&self) -> bool {
        matches!(self, Self::Connection(_) | Self::TimedOut(_))
    }

    /// The HTTP status of a refusal.
    pub(crate) fn code(&self) -> Option<u16> {
        match self {
            Self::Refused(status) => Some(status.code),
            _ => None,
        }
    }
}

/// An API server.
#[derive(Clone)]
pub(crate) struct Api {
    client: Client,
    /// What is tried in vain while it does not answer.
    pub(crate) reach: Arc<str>,
}

impl Api {
    /// `reach`: what is tried in vain while it does not answer.
    pub(crate) fn new(client: Client, reach: String) -> Self {
        Self { client, reach: reach.into() }
    }

    /// The JSON at `path` (with its query), compressed on the way.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        let body = self.ask(http::Request::get(path)).await?;
        Ok(serde_json::from_slice(&read(body, ANSWER_BYTES_MAX).await?)?)
    }

    /// The events at `path`. They are not compressed: servers end a member of gzip after each
    /// event, and not every decoder reads on after the first.
    pub(crate) async fn events(&self, path: &str) -> Result<Lines, ApiError> {
        let request = http::Request::get(path).header(ACCEPT_ENCODING, "identity");
        Ok(Lines { body: self.ask(request).await?, buffer: Vec::new() })
    }

    async fn ask(&self, request: http::request::Builder) -> Result<Body, ApiError> {
        let request = request.header(ACCEPT, "application/json").body(Body::empty());
        let request = request.map_err(|error| ApiError::Connection(error.to_string()))?;
        let answer = self.client.send(request).await.map_err(|error| broken(&error))?;
        let code = answer.status();
        if code.is_success() {
            return Ok(answer.into_body());
        }
        let text = read(answer.into_body(), REFUSAL_BYTES_MAX).await.unwrap_or_default();
        let status = serde_json::from_slice(&text).unwrap_or_else(|_| {
            let text = String::from_utf8_lossy(&text);
            Status::failure(text.lines().next().unwrap_or_default(), "")
        });
        Err(ApiError::Refused(Box::new(Status { code: code.as_u16(), ..status })))
    }
}

/// The lines of an answer that has no end.
pub(crate) struct Lines {
    body: Body,
    /// What has arrived of the next lines.
    buffer: Vec<u8>,
}

impl Lines {
    /// The next line without its end; none when the answer is over. Half a line at the end is
    /// none.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<u8>>, ApiError> {
        let mut searched = 0;
        loop {
            let unsearched = self.buffer.get(searched..).unwrap_or_default();
            if let Some(end) = memchr::memchr(b'\n', unsearched) {
                let rest = self.buffer.split_off(searched + end + 1);
                let mut line = std::mem::replace(&mut self.buffer, rest);
                line.pop();
                return Ok(Some(line));
            }
            searched = self.buffer.len();
            if !extend(&mut self.body, &mut self.buffer, ANSWER_BYTES_MAX).await? {
                return Ok(None);
            }
        }
    }
}

async fn read(mut body: Body, bytes_max: usize) -> Result<Vec<u8>, ApiError> {
    let mut bytes = Vec::new();
    while extend(&mut body, &mut bytes, bytes_max).await? {}
    Ok(bytes)
}

/// Appends what arrives next; `false` when nothing more does.
async fn extend(body: &mut Body, to: &mut Vec<u8>, bytes_max: usize) -> Result<bool, ApiError> {
    let Some(frame) = body.frame().await else { return Ok(false) };
    let frame = frame.map_err(|error| broken(&error))?;
    let data = frame.data_ref().map(|data| data.as_ref()).unwrap_or_default();
    if to.len() + data.len() > bytes_max {
        return Err(ApiError::TooLarge);
    }
    to.extend_from_slice(data);
    Ok(true)
}

/// What a failure of the client comes down to.
fn broken(error: &kube::Error) -> ApiError {
    let mut deepest: &dyn std::error::Error = error;
    while let Some(cause) = deepest.source() {
        deepest = cause;
    }
    ApiError::Connection(deepest.to_string())
}
