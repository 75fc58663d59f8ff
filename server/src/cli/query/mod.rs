//! `inferometer query`: asks a running server, with promtool's output and exit codes.
//!
//! 1. Times and steps are read, and those that are missing made up, as promtool does.
//! 2. One GET; an error of the API or of the connection is said on stderr, exit code 1.
//! 3. The answer is printed as series in PromQL's notation (`print`), or as it came.

pub mod explain;
mod print;

use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use reqwest::Url;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::client;
use crate::config::go_duration;
use crate::flags::{
    AnswerFormat, ClientFlags, InstantFlags, LabelsFlags, QueryCommand, QueryFlags, RangeFlags,
    SeriesFlags,
};

/// How long a server may take to answer.
const TIMEOUT: Duration = Duration::from_secs(120);
/// How far from now series and labels are looked for if nothing is said, in seconds.
const FAR: f64 = 9999.0 * 3600.0;
/// How long a range is if nothing is said, in seconds.
const RANGE: f64 = 300.0;
/// How many steps it has then.
const STEPS: f64 = 250.0;

/// What is wrong, as it is said.
type Failure = String;
/// Parameters of a request.
type Pairs<'a> = Vec<(&'a str, String)>;

/// What the API answers.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "errorType", default)]
    error_type: String,
    #[serde(default)]
    error: String,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(default)]
    warnings: Vec<String>,
}

/// Prints what was asked for.
pub fn run(flags: &QueryFlags) -> anyhow::Result<ExitCode> {
    let runtime = super::runtime()?;
    let asked = match &flags.command {
        QueryCommand::Explain(own) => {
            print!("{}", runtime.block_on(explain::explain(own))?);
            return Ok(ExitCode::SUCCESS);
        }
        QueryCommand::Instant(own) => runtime.block_on(instant(flags, own)),
        QueryCommand::Range(own) => runtime.block_on(range(flags, own)),
        QueryCommand::Series(own) => runtime.block_on(series(flags, own)),
        QueryCommand::Labels(own) => runtime.block_on(labels(flags, own)),
    };
    Ok(match asked {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    })
}

async fn instant(flags: &QueryFlags, own: &InstantFlags) -> Result<String, Failure> {
    let time = time(&own.time, "error parsing evaluation time: ")?.unwrap_or_else(now);
    let pairs = vec![("query", own.expr.clone()), ("time", time.to_string())];
    let body = ask(&flags.client, &own.server, "/api/v1/query", pairs, &[]).await?;
    let print = match flags.format {
        AnswerFormat::Promql => print::value,
        AnswerFormat::Json => print::result,
    };
    data(&body).and_then(print)
}

async fn range(flags: &QueryFlags, own: &RangeFlags) -> Result<String, Failure> {
    let end = time(&own.end, "error parsing end time: ")?.unwrap_or_else(now);
    let start = time(&own.start, "error parsing start time: ")?.unwrap_or(end - RANGE);
    if start >= end {
        return Err("start time is not before end time".to_owned());
    }
    let step = own.step.as_deref().map(go_duration::parse).transpose()?.unwrap_or_default();
    let usual = ((end - start) / STEPS).floor().max(1.0);
    let step = if step.is_zero() { usual } else { step.as_secs_f64() };
    let pairs = vec![
        ("query", own.expr.clone()),
        ("start", start.to_string()),
        ("end", end.to_string()),
        ("step", step.to_string()),
    ];
    let body = ask(&flags.client, &own.server, "/api/v1/query_range", pairs, &own.headers).await?;
    let print = match flags.format {
        AnswerFormat::Promql => print::value,
        AnswerFormat::Json => print::result,
    };
    data(&body).and_then(print)
}

async fn series(flags: &QueryFlags, own: &SeriesFlags) -> Result<String, Failure> {
    let pairs = selected(&own.matchers, &own.start, &own.end)?;
    let body = ask(&flags.client, &own.server, "/api/v1/series", pairs, &[]).await?;
    match flags.format {
        AnswerFormat::Promql => data(&body).and_then(print::series),
        AnswerFormat::Json => data(&body).map(print::json),
    }
}

async fn labels(flags: &QueryFlags, own: &LabelsFlags) -> Result<String, Failure> {
    let pairs = selected(&own.matchers, &own.start, &own.end)?;
    let name: String = own.name.bytes().map(in_path).collect();
    let path = format!("/api/v1/label/{name}/values");
    let body = ask(&flags.client, &own.server, &path, pairs, &[]).await?;
    for warning in envelope(&body)?.warnings {
        eprintln!("query warning: {warning}");
    }
    match flags.format {
        AnswerFormat::Promql => data(&body).and_then(print::lines),
        AnswerFormat::Json => data(&body).map(print::json),
    }
}

/// The parameters of what lists series.
fn selected<'a>(
    matchers: &[String],
    start: &Option<String>,
    end: &Option<String>,
) -> Result<Pairs<'a>, Failure> {
    let start = time(start, "error parsing start time: ")?.unwrap_or_else(|| now() - FAR);
    let end = time(end, "error parsing end time: ")?.unwrap_or_else(|| now() + FAR);
    let matchers = matchers.iter().map(|matcher| ("match[]", matcher.clone()));
    Ok(matchers.chain([("start", start.to_string()), ("end", end.to_string())]).collect())
}

/// The body of a good answer.
async fn ask(
    flags: &ClientFlags,
    server: &str,
    path: &str,
    pairs: Pairs<'_>,
    headers: &[String],
) -> Result<Vec<u8>, Failure> {
    let failed = |what: String| format!("query error: {what}");
    let url = Url::parse_with_params(&client::address(server, path), pairs);
    let url = url.map_err(|error| failed(format!("{server:?}: {error}")))?;
    let answer = client::get(flags, url.as_str(), headers, TIMEOUT).await;
    let answer = answer.map_err(|error| failed(format!("{error:#}")))?;
    match answer.status {
        200..300 => Ok(answer.body),
        400 | 422 => {
            let envelope = envelope(&answer.body)?;
            Err(failed(format!("{}: {}", envelope.error_type, envelope.error)))
        }
        status => {
            let what = match status / 100 {
                4 => format!("client_error: client error: {status}"),
                5 => format!("server_error: server error: {status}"),
                _ => format!("bad_response: bad response code {status}"),
            };
            let detail = String::from_utf8_lossy(&answer.body);
            let detail = Some(detail.trim()).filter(|detail| !detail.is_empty());
            let detail = detail.map(|detail| format!(" (detail: {detail})")).unwrap_or_default();
            Err(failed(what + &detail))
        }
    }
}

fn envelope(body: &[u8]) -> Result<Envelope<'_>, Failure> {
    serde_json::from_slice(body).map_err(|error| format!("query error: bad_response: {error}"))
}

fn data(body: &[u8]) -> Result<&RawValue, Failure> {
    let missing = || "query error: bad_response: the answer has no data".to_owned();
    envelope(body)?.data.ok_or_else(missing)
}

/// Seconds since 1970, if a time was given.
fn time(text: &Option<String>, what: &str) -> Result<Option<f64>, Failure> {
    let Some(text) = text.as_deref().filter(|text| !text.is_empty()) else { return Ok(None) };
    if let Ok(seconds) = text.parse::<f64>() {
        return Ok(Some(seconds));
    }
    let wrong = |_| format!("{what}cannot parse {text:?} to a valid timestamp");
    let time: Timestamp = text.parse().map_err(wrong)?;
    Ok(Some(time.as_nanosecond() as f64 / 1e9))
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// A byte of a name in a path.
fn in_path(byte: u8) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'.' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    }
}
