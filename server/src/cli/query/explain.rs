//! `inferometer query explain EXPR`: asks a running server what a query would do.

use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::Url;
use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;

use crate::flags::ExplainFlags;

/// How long a server may take to answer.
const TIMEOUT: Duration = Duration::from_secs(120);

/// What of an answer is looked at.
#[derive(Deserialize)]
struct Answer {
    data: Option<Data>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Data {
    explain: Explained,
}

#[derive(Deserialize)]
struct Explained {
    text: String,
}

/// The server's words; fails with its error.
pub async fn explain(flags: &ExplainFlags) -> anyhow::Result<String> {
    let server = flags.server.trim_end_matches('/');
    let endpoint = if flags.start.is_some() { "query_range" } else { "query" };
    let url = format!("{server}/api/v1/{endpoint}");
    let client = reqwest::Client::builder().timeout(TIMEOUT).build()?;
    let form = client.post(&url).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let answer = form.body(body(flags)?).send().await?.text().await?;
    let no_answer = || format!("{url} gives no answer of an Inferometer");
    match serde_json::from_str(&answer).with_context(no_answer)? {
        Answer { error: Some(error), .. } => bail!("{error}"),
        Answer { data: Some(data), .. } => Ok(data.explain.text),
        Answer { data: None, error: None } => bail!("{}", no_answer()),
    }
}

/// The parameters of the request, encoded.
fn body(flags: &ExplainFlags) -> anyhow::Result<String> {
    let given = [
        ("time", &flags.time),
        ("start", &flags.start),
        ("end", &flags.end),
        ("step", &flags.step),
    ];
    let given = given.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?)));
    let pairs = [("query", flags.expr.as_str()), ("explain", "1")].into_iter().chain(given);
    // What a form is encoded as is what stands after the `?` of an address.
    let url = Url::parse_with_params("http://form/", pairs)?;
    Ok(url.query().unwrap_or("").to_owned())
}
