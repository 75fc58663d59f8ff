//! Request parameters: the query string and a form body as one list, and the texts in it as
//! times, durations, limits and matchers, with Prometheus's messages when they are none.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request};
use axum::http::header;
use promql::parse::parse_metric_selector;
use tsdb::model::duration::parse_duration;
use tsdb::model::{Matcher, TimeRange, Timestamp};

use super::error::ApiError;

/// A body that is a form; empty if its type says that it is something else, as in Go.
pub(super) struct Form(pub(super) Bytes);

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = BytesRejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, BytesRejection> {
        let media_type = request.headers().get(header::CONTENT_TYPE);
        let media_type = media_type.and_then(|value| value.to_str().ok()).unwrap_or("");
        let is_form = media_type.split(';').next().is_some_and(|kind| {
            kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
        });
        let body = Bytes::from_request(request, state).await?;
        Ok(Self(if is_form { body } else { Bytes::new() }))
    }
}

/// How Prometheus formats the earliest time of its API; clients send it back as a bound.
const MIN_TIME_TEXT: &str = "-292273086-05-16T16:47:06Z";
/// The same for the latest time.
const MAX_TIME_TEXT: &str = "+292277025-08-18T07:12:54.999999999Z";

/// All parameters of a request in order; those of the body come first, as in Go's `FormValue`.
#[derive(Clone, Debug, Default)]
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    /// From a form body and a query string.
    pub(super) fn new(body: &[u8], query: &str) -> Self {
        let mut pairs = decode(body);
        pairs.extend(decode(query.as_bytes()));
        Self(pairs)
    }

    /// The first value of `name`; empty counts as missing.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next().filter(|value| !value.is_empty())
    }

    /// All values of `name`.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// A time, if given.
    pub(super) fn time(&self, name: &'static str) -> Result<Option<Timestamp>, ApiError> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let wrong = |message| invalid(name, format!("invalid time value for '{name}': {message}"));
        parse_time(text).map(Some).map_err(wrong)
    }

    /// A time that has to be given.
    pub(super) fn required_time(&self, name: &'static str) -> Result<Timestamp, ApiError> {
        parse_time(self.get(name).unwrap_or("")).map_err(|message| invalid(name, message))
    }

    /// A duration in milliseconds, if given.
    pub(super) fn duration_ms(&self, name: &'static str) -> Result<Option<i64>, String> {
        self.get(name).map(parse_ms).transpose()
    }

    /// A duration in milliseconds that has to be given.
    pub(super) fn required_duration_ms(&self, name: &'static str) -> Result<i64, ApiError> {
        parse_ms(self.get(name).unwrap_or("")).map_err(|message| invalid(name, message))
    }

    /// `start` and `end`, all of time where they are missing.
    pub(super) fn range(&self) -> Result<TimeRange, ApiError> {
        let start = self.time("start")?.unwrap_or(Timestamp::MIN);
        let end = self.time("end")?.unwrap_or(Timestamp::MAX);
        Ok(TimeRange::new(start, end))
    }

    /// `limit`; `None` if missing or 0, which mean no limit.
    pub(super) fn limit(&self) -> Result<Option<usize>, ApiError> {
        let Some(text) = self.get("limit") else { return Ok(None) };
        match text.parse::<i64>() {
            Ok(limit) if limit < 0 => {
                Err(invalid("limit", "limit must be non-negative".to_owned()))
            }
            Ok(0) => Ok(None),
            Ok(limit) => Ok(Some(limit as usize)),
            Err(_) => Err(invalid(
                "limit",
                format!(
                    "strconv.Atoi: parsing {}: invalid syntax",
                    tsdb::model::labels::Quoted(text)
                ),
            )),
        }
    }

    /// All `match[]` selectors.
    pub(super) fn matchers(&self) -> Result<Vec<Vec<Matcher>>, ApiError> {
        let selectors = self.all("match[]").map(parse_metric_selector);
        let sets: Vec<Vec<Matcher>> = selectors
            .collect::<Result<_, _>>()
            .map_err(|error| ApiError::bad_data(error.to_string()))?;
        if sets.iter().any(|set| set.iter().all(Matcher::matches_empty)) {
            return Err(ApiError::bad_data("match[] must contain at least one non-empty matcher"));
        }
        Ok(sets)
    }
}

/// The error for a parameter that cannot be read.
pub(super) fn invalid(name: &str, message: String) -> ApiError {
    ApiError::bad_data(format!("invalid parameter {name:?}: {message}"))
}

/// `application/x-www-form-urlencoded`: `+` and `%20` are spaces; broken escapes stay as they are.
fn decode(text: &[u8]) -> Vec<(String, String)> {
    let pairs = text.split(|b| *b == b'&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let equals = pair.iter().position(|b| *b == b'=').unwrap_or(pair.len());
            let value = pair.get(equals + 1..).unwrap_or(&[]);
            (unescape(&pair[..equals]), unescape(value))
        })
        .collect()
}

fn unescape(text: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let escaped = (*first == b'%').then(|| after.get(..2).and_then(hex_byte)).flatten();
        match (first, escaped) {
            (_, Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = after;
            }
            (byte, _) => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(digits).ok().filter(|text| !text.starts_with('+'))?;
    u8::from_str_radix(text, 16).ok()
}

/// Seconds as a float (rounded to milliseconds as Prometheus does), or RFC 3339.
fn parse_time(text: &str) -> Result<Timestamp, String> {
    match text {
        MIN_TIME_TEXT => return Ok(Timestamp::MIN),
        MAX_TIME_TEXT => return Ok(Timestamp::MAX),
        _ => {}
    }
    if let Some(seconds) = tsdb::model::number::parse_float(text).filter(|s| s.is_finite()) {
        let whole = seconds.trunc();
        let fraction_ms = ((seconds - whole) * 1000.0).round();
        return Ok(Timestamp::from_ms((whole as i64).saturating_mul(1000) + fraction_ms as i64));
    }
    let rfc3339: Result<jiff::Timestamp, _> = text.parse();
    rfc3339
        .map(|time| Timestamp::from_ms(time.as_millisecond()))
        .map_err(|_| format!("cannot parse {text:?} to a valid timestamp"))
}

/// Seconds as a float, or a Prometheus duration.
fn parse_ms(text: &str) -> Result<i64, String> {
    if let Some(seconds) = tsdb::model::number::parse_float(text) {
        let ms = seconds * 1000.0;
        if !ms.is_finite() || ms.abs() > (i64::MAX / 1_000_000) as f64 {
            return Err(format!("cannot parse {text:?} to a valid duration. It overflows int64"));
        }
        return Ok(ms as i64);
    }
    parse_duration(text).map_err(|_| format!("cannot parse {text:?} to a valid duration"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_decoded() {
        let params =
            Params::new(b"query=up%7Bjob%3D%22a%22%7D&x=1", "query=other&y=a+b%2&match[]=m");
        let rows = [
            ("query", Some("up{job=\"a\"}")),
            ("x", Some("1")),
            ("y", Some("a b%2")),
            ("match[]", Some("m")),
            ("z", None),
        ];
        for (name, value) in rows {
            assert_eq!(params.get(name), value, "{name}");
        }
    }

    #[test]
    fn times() {
        let rows = [
            ("0", Ok(0)),
            ("1.05", Ok(1_050)),
            ("-1.5", Ok(-1_500)),
            ("1435781430.781", Ok(1_435_781_430_781)),
            ("2015-06-03T13:21:58.555Z", Ok(1_433_337_718_555)),
            ("2015-06-03T14:21:58.555+01:00", Ok(1_433_337_718_555)),
            (MIN_TIME_TEXT, Ok(i64::MIN)),
            ("now", Err("cannot parse \"now\" to a valid timestamp".to_owned())),
            ("", Err("cannot parse \"\" to a valid timestamp".to_owned())),
        ];
        for (text, expected) in rows {
            assert_eq!(parse_time(text).map(Timestamp::ms), expected, "{text}");
        }
    }

    #[test]
    fn durations() {
        let rows = [
            ("15", Ok(15_000)),
            ("0.5", Ok(500)),
            ("1h30m", Ok(5_400_000)),
            ("x", Err("cannot parse \"x\" to a valid duration".to_owned())),
        ];
        for (text, expected) in rows {
            assert_eq!(parse_ms(text), expected, "{text}");
        }
    }
}
