//! `http_headers`.

use std::collections::BTreeMap;
use std::path::Path;

use scraper::job::Secret;

use super::super::super::error::Problem;
use super::super::super::raw::{Header, items, pairs};
use super::super::super::yaml::{Pairs, Value};
use super::super::value;

/// Headers that say how a request is sent, or that have settings of their own.
const RESERVED: [&str; 18] = [
    "authorization",
    "host",
    "content-encoding",
    "content-length",
    "content-type",
    "user-agent",
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "www-authenticate",
    "accept-encoding",
    "x-prometheus-remote-write-version",
    "x-prometheus-remote-read-version",
    "x-prometheus-scrape-timeout-seconds",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-content-sha256",
];

/// The headers, each with its values: those written, then secrets, then those in files.
pub(super) fn headers(
    field: &Option<Value<Pairs<Value<Header>>>>,
    base_dir: &Path,
) -> Result<BTreeMap<String, Vec<Secret>>, Problem> {
    let headers = pairs(field).iter().map(|(name, header)| {
        if RESERVED.contains(&name.value.to_ascii_lowercase().as_str()) {
            let what = format!("setting header {:?} is not allowed", canonical(&name.value));
            let cure = "it is set by itself, or by settings of its own; delete it";
            return Err(Problem::new(name.place, what, cure));
        }
        if !is_token(&name.value) {
            let what = format!("{:?} is not a valid header name", name.value);
            return Err(Problem::new(name.place, what, "write letters, digits and `-`"));
        }
        Ok((name.value.clone(), header.value.as_ref().map_or(Vec::new(), |h| values(h, base_dir))))
    });
    headers.collect()
}

fn values(header: &Header, base_dir: &Path) -> Vec<Secret> {
    let plain = value::texts(items(&header.values)).into_iter().map(Secret::Inline);
    let secrets = items(&header.secrets).iter();
    let secrets = secrets.map(|at| at.value.as_ref().map(|s| s.0.clone()).unwrap_or_default());
    let files = value::texts(items(&header.files)).into_iter();
    let files = files.map(|path| Secret::File(value::file(&path, base_dir)));
    plain.chain(secrets.map(Secret::Inline)).chain(files).collect()
}

/// As Go writes names of headers: each word with a capital letter.
fn canonical(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_ascii_uppercase() + &rest.to_ascii_lowercase()
    });
    words.collect::<Vec<_>>().join("-")
}

/// A name as HTTP has it (RFC 9110, 5.6.2).
fn is_token(name: &str) -> bool {
    let special = b"!#$%&'*+-.^_`|~";
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || special.contains(&b))
}
