//! `inferometer silence …`: makes, lists and ends silences of a running server.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use promql::parse::parse_metric_selector;
use reqwest::Method;
use serde_json::{Value, json};
use tsdb::model::{MatchOp, Matcher};

use crate::flags::{SilenceAddFlags, SilenceCommand};

/// How long a server may take to answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Does what was asked for and prints the outcome.
pub fn run(command: &SilenceCommand) -> anyhow::Result<ExitCode> {
    let text = super::runtime()?.block_on(async {
        match command {
            SilenceCommand::Add(flags) => add(flags).await,
            SilenceCommand::List { server, all } => list(server, *all).await,
            SilenceCommand::Expire { id, server } => {
                ask(Method::DELETE, server, &format!("silence/{id}"), None).await?;
                Ok(String::new())
            }
        }
    })?;
    print!("{text}");
    Ok(ExitCode::SUCCESS)
}

async fn add(flags: &SilenceAddFlags) -> anyhow::Result<String> {
    let matchers = parse_metric_selector(&format!("{{{}}}", flags.matchers.join(",")))
        .context("write matchers as severity=\"page\" or pod=~\"a.*\"")?;
    let now = jiff::Timestamp::now();
    let end = now.checked_add(Duration::from_millis(flags.duration_ms.unsigned_abs()))?;
    let body = json!({
        "matchers": matchers.iter().map(written).collect::<Vec<_>>(),
        "startsAt": now.to_string(),
        "endsAt": end.to_string(),
        "createdBy": flags.author,
        "comment": flags.comment,
    });
    let answer = ask(Method::POST, &flags.server, "silences", Some(body)).await?;
    Ok(format!("{}\n", answer["silenceID"].as_str().unwrap_or_default()))
}

fn written(matcher: &Matcher) -> Value {
    let op = matcher.op();
    json!({
        "name": matcher.name(),
        "value": matcher.value(),
        "isRegex": matches!(op, MatchOp::Regex | MatchOp::NotRegex),
        "isEqual": matches!(op, MatchOp::Equal | MatchOp::Regex),
    })
}

async fn list(server: &str, all: bool) -> anyhow::Result<String> {
    let answer = ask(Method::GET, server, "silences", None).await?;
    let mut out = String::new();
    for one in answer.as_array().context("this is no list of silences")? {
        let text = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
        let state = one["status"]["state"].as_str().unwrap_or_default();
        if state == "expired" && !all {
            continue;
        }
        let matchers = one["matchers"].as_array().into_iter().flatten().map(|matcher| {
            let op = match (matcher["isEqual"] != false, matcher["isRegex"] == true) {
                (true, false) => "=",
                (true, true) => "=~",
                (false, false) => "!=",
                (false, true) => "!~",
            };
            format!("{}{op}{}", matcher["name"].as_str().unwrap_or_default(), matcher["value"])
        });
        let matchers = matchers.collect::<Vec<_>>().join(" ");
        let (id, end, author, comment) =
            (text("id"), text("endsAt"), text("createdBy"), text("comment"));
        out.push_str(&format!("{id}  {state}  {matchers}  until {end}  {author}  {comment}\n"));
    }
    Ok(out)
}

/// The server's answer; fails with its words.
async fn ask(
    method: Method,
    server: &str,
    path: &str,
    body: Option<Value>,
) -> anyhow::Result<Value> {
    let url = format!("{}/api/v2/{path}", server.trim_end_matches('/'));
    let client = reqwest::Client::builder().timeout(TIMEOUT).build()?;
    let mut request = client.request(method, &url);
    if let Some(body) = body {
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    let answer = request.send().await?;
    let is_good = answer.status().is_success();
    let text = answer.text().await?;
    let value: Value =
        text.parse().with_context(|| format!("{url} gives no answer of an Inferometer"))?;
    if !is_good {
        bail!("{}", value["error"].as_str().unwrap_or(&text));
    }
    Ok(value)
}
