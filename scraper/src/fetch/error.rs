//! Why there is no page.

use std::error::Error as _;
use std::io;

use reqwest::StatusCode;
use thiserror::Error;
use tsdb::model::labels::Quoted;

/// Redirects that are followed before we give up.
pub(super) const REDIRECTS_MAX: usize = 10;

/// Why there is no page.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FetchError {
    /// There was no answer; `cause` says what happened.
    #[error("Get {}: {cause}", Quoted(url))]
    Request {
        /// What was asked for.
        url: String,
        /// What happened.
        cause: String,
    },
    /// The time was over; with a URL: before an answer began.
    #[error("{}context deadline exceeded", prefix(url))]
    TimedOut {
        /// What was asked for.
        url: Option<String>,
    },
    /// The answer is not 200.
    #[error("server returned HTTP status {0}")]
    Status(StatusCode),
    /// The page is larger than allowed.
    #[error("body size limit exceeded")]
    TooLarge,
    /// The job has something against it.
    #[error("{0}")]
    Refused(String),
    /// The page broke off, or cannot be decompressed.
    #[error("{0}")]
    Body(String),
}

fn prefix(url: &Option<String>) -> String {
    url.as_ref().map(|url| format!("Get {}: ", Quoted(url))).unwrap_or_default()
}

/// What a failure of the HTTP client comes down to, in Go's words where it has some; `host` is
/// whom it talked to.
pub(crate) fn describe(error: &reqwest::Error, host: &str) -> String {
    if error.is_redirect() {
        return format!("stopped after {REDIRECTS_MAX} redirects");
    }
    let mut causes = vec![error.to_string()];
    let mut cause = error.source();
    let mut io = None;
    while let Some(error) = cause {
        io = error.downcast_ref::<io::Error>().or(io);
        causes.push(error.to_string());
        cause = error.source();
    }
    let deepest = causes.pop().unwrap_or_default();
    let is_dns = causes.iter().any(|cause| cause.contains("dns error"));
    match io.and_then(|error| known(error, host)) {
        Some(text) => text,
        _ if is_dns => lookup(host, &deepest),
        _ if is_cut(&deepest) => "unexpected EOF".into(),
        _ => deepest,
    }
}

/// What it means that a name is not found; `why` is what the system says.
pub(super) fn lookup(host: &str, why: &str) -> String {
    const PREFIX: &str = "failed to lookup address information: ";
    const UNKNOWN: [&str; 3] = [
        "Name or service not known",
        "No address associated with hostname",
        "Name does not resolve",
    ];
    let why = why.strip_prefix(PREFIX).unwrap_or(why);
    let why = if UNKNOWN.contains(&why) { "no such host" } else { why };
    format!("dial tcp: lookup {host}: {why}")
}

/// What it means that `host` (`address:port`) cannot be connected to.
pub(super) fn dial(error: &io::Error, host: &str) -> String {
    known(error, host).unwrap_or_else(|| format!("dial tcp {host}: connect: {error}"))
}

/// What it means that a connection broke.
pub(super) fn transfer(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::BrokenPipe => "write: broken pipe".into(),
        io::ErrorKind::UnexpectedEof => "unexpected EOF".into(),
        _ => known(error, "").unwrap_or_else(|| error.to_string()),
    }
}

/// Go's words for a failure of a connection to `host`, where they are known.
fn known(error: &io::Error, host: &str) -> Option<String> {
    if let Some(error) = of_tls(error) {
        return Some(super::tls::describe(error));
    }
    let dial = |what: &str| Some(format!("dial tcp {host}: connect: {what}"));
    match error.kind() {
        io::ErrorKind::ConnectionRefused => dial("connection refused"),
        io::ErrorKind::HostUnreachable => dial("no route to host"),
        io::ErrorKind::NetworkUnreachable => dial("network is unreachable"),
        io::ErrorKind::ConnectionReset => Some("read: connection reset by peer".into()),
        _ => None,
    }
}

/// The failure of TLS that this is about; the client wraps it more than once.
fn of_tls(error: &io::Error) -> Option<&rustls::Error> {
    let inner = error.get_ref()?;
    inner.downcast_ref().or_else(|| of_tls(inner.downcast_ref::<io::Error>()?))
}

/// Whether these are the client's words for an answer that ended too early.
fn is_cut(text: &str) -> bool {
    const WORDS: [&str; 3] = [
        "end of file before message length reached",
        "connection closed before message completed",
        "unexpected EOF",
    ];
    WORDS.iter().any(|words| text.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_not_found() {
        let rows = [
            ("failed to lookup address information: Name or service not known", "no such host"),
            ("failed to lookup address information: Name does not resolve", "no such host"),
            (
                "failed to lookup address information: Temporary failure in name resolution",
                "Temporary failure in name resolution",
            ),
            ("another", "another"),
        ];
        for (why, words) in rows {
            assert_eq!(lookup("vllm.llm", why), format!("dial tcp: lookup vllm.llm: {words}"));
        }
    }
}
