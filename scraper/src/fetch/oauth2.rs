//! Tokens of a server (OAuth 2.0, client credentials), as Go's `golang.org/x/oauth2` asks for them.
//!
//! A token is kept until ten seconds before it expires, or until the client's secret changes; one
//! request is under way at a time. Who we are goes in the `Authorization` header, and if the server
//! does not like that, in the form.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{RequestBuilder, Response};
use serde_json::Value;
use std::sync::Mutex as SyncMutex;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tsdb::model::labels::Quoted;

use super::client::Clients;
use super::error;
use super::secret;
use crate::job::{ClientOptions, OAuth2};

/// A token is not used any more when it is good for less than this.
const EXPIRES_EARLY: Duration = Duration::from_secs(10);
/// Connections to the server of tokens stay open for this long without use.
const IDLE: Duration = Duration::from_secs(10);
/// Largest answer that is read, in bytes; tokens have some 2 KB.
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// How much of an answer that is refused is shown.
const SHOWN_CHARS_MAX: usize = 200;

/// The tokens of one client.
#[derive(Debug)]
pub(super) struct Tokens {
    options: OAuth2,
    clients: SyncMutex<Clients>,
    token: Mutex<Option<Token>>,
}

#[derive(Clone, Debug)]
struct Token {
    /// The whole `Authorization` header.
    header: HeaderValue,
    /// The secret that it was asked for with.
    secret: String,
    /// `None`: it does not expire.
    until: Option<Instant>,
}

impl Tokens {
    pub(super) fn new(options: &OAuth2) -> Self {
        let client = ClientOptions {
            tls: options.tls.clone(),
            proxy: options.proxy.clone(),
            ..ClientOptions::default()
        };
        let clients = SyncMutex::new(Clients::new(&client, IDLE));
        Self { options: options.clone(), clients, token: Mutex::new(None) }
    }

    /// The `Authorization` header with a token that is good now.
    pub(super) async fn header(&self) -> Result<HeaderValue, String> {
        let secret = secret::text(&self.options.client_secret)
            .map_err(|error| format!("unable to read oauth2 client secret: {error}"))?;
        let mut kept = self.token.lock().await;
        let now = Instant::now();
        let is_good = |token: &&Token| {
            token.secret == secret && token.until.is_none_or(|until| now + EXPIRES_EARLY < until)
        };
        if let Some(token) = kept.as_ref().filter(is_good) {
            return Ok(token.header.clone());
        }
        let token = self.ask(&secret).await?;
        Ok(kept.insert(token).header.clone())
    }

    async fn ask(&self, secret: &str) -> Result<Token, String> {
        let in_header = self.request(secret, true).await?;
        let (status, body) =
            if in_header.0.is_success() { in_header } else { self.request(secret, false).await? };
        let text = String::from_utf8_lossy(&body);
        if !status.is_success() {
            return Err(refusal(&status.to_string(), &text));
        }
        token(&text, secret)
    }

    /// Asks once; the status and the body of the answer.
    async fn request(
        &self,
        secret: &str,
        in_header: bool,
    ) -> Result<(reqwest::StatusCode, Vec<u8>), String> {
        let url = &self.options.token_url;
        let prepared = {
            let mut clients = self.clients.lock().unwrap_or_else(|held| held.into_inner());
            clients.for_url(url)?
        };
        let mut request = prepared.client.post(prepared.url);
        if let Some(host) = prepared.host {
            request = request.header(reqwest::header::HOST, host);
        }
        let id = &self.options.client_id;
        let scopes = self.options.scopes.join(" ");
        let mut form = self.form(&scopes);
        if in_header {
            let pair = format!("{}:{}", escaped(id), escaped(secret));
            let value = format!("Basic {}", secret::base64(pair.as_bytes()));
            request = request.header(AUTHORIZATION, secret::header(&value)?);
        } else {
            form.push(("client_id", id));
            form.push(("client_secret", secret));
        }
        let answer = send(request, &form).await;
        let answer = answer.map_err(|error| format!("Post {}: {error}", Quoted(url)))?;
        let status = answer.status();
        Ok((status, read(answer).await?))
    }

    fn form<'a>(&'a self, scopes: &'a str) -> Vec<(&'a str, &'a str)> {
        let mut form = vec![("grant_type", "client_credentials")];
        if !scopes.is_empty() {
            form.push(("scope", scopes));
        }
        form.extend(self.options.params.iter().map(|(name, value)| (&**name, &**value)));
        form
    }
}

async fn send(request: RequestBuilder, form: &[(&str, &str)]) -> Result<Response, String> {
    let pairs = form.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value)));
    let body = pairs.collect::<Vec<_>>().join("&");
    let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body);
    request.send().await.map_err(|error| error::describe(&error, ""))
}

async fn read(mut answer: Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    let broken = |error| format!("oauth2: cannot fetch token: {}", error::describe(&error, ""));
    while let Some(chunk) = answer.chunk().await.map_err(broken)? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err("oauth2: cannot fetch token: the answer is too large".to_owned());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Why there is no token, without the token server's whole page.
fn refusal(status: &str, text: &str) -> String {
    let said: Value = serde_json::from_str(text).unwrap_or_default();
    let field = |name: &str| said.get(name).and_then(Value::as_str).unwrap_or_default();
    match (field("error"), field("error_description")) {
        ("", _) => {
            let shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
            format!("oauth2: cannot fetch token: {status}\nResponse: {shown}")
        }
        (code, "") => format!("oauth2: {}", Quoted(code)),
        (code, more) => format!("oauth2: {} {}", Quoted(code), Quoted(more)),
    }
}

/// The token that an answer holds.
fn token(text: &str, secret: &str) -> Result<Token, String> {
    let said: Value = serde_json::from_str(text)
        .map_err(|_| "oauth2: cannot parse json: the answer is none".to_owned())?;
    let value = said.get("access_token").and_then(Value::as_str).filter(|text| !text.is_empty());
    let value = value.ok_or("oauth2: server response missing access_token")?;
    let kind = said.get("token_type").and_then(Value::as_str).unwrap_or_default();
    let kind = if kind.is_empty() || kind.eq_ignore_ascii_case("bearer") { "Bearer" } else { kind };
    let seconds = said.get("expires_in").and_then(|seconds| match seconds {
        Value::String(text) => text.parse().ok(),
        other => other.as_f64().map(|seconds| seconds as u64),
    });
    let lasts = seconds.filter(|seconds| *seconds != 0).map(Duration::from_secs);
    Ok(Token {
        header: secret::header(&format!("{kind} {value}"))?,
        secret: secret.to_owned(),
        until: lasts.and_then(|lasts| Instant::now().checked_add(lasts)),
    })
}

/// As in a form: letters, digits and `-_.~` stay, a space becomes `+`, the rest `%XX`.
fn escaped(text: &str) -> String {
    let bytes = text.bytes().map(|b| match b {
        b' ' => "+".to_owned(),
        b if b.is_ascii_alphanumeric() || b"-_.~".contains(&b) => char::from(b).to_string(),
        b => format!("%{b:02X}"),
    });
    bytes.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers() {
        let rows = [
            ("{\"access_token\":\"t\"}", Ok(("Bearer t", false))),
            (
                "{\"access_token\":\"t\",\"token_type\":\"bearer\",\"expires_in\":60}",
                Ok(("Bearer t", true)),
            ),
            (
                "{\"access_token\":\"t\",\"token_type\":\"MAC\",\"expires_in\":\"60\"}",
                Ok(("MAC t", true)),
            ),
            ("{\"access_token\":\"t\",\"expires_in\":0}", Ok(("Bearer t", false))),
            ("{\"access_token\":\"t\",\"expires_in\":1e300}", Ok(("Bearer t", false))),
            ("{}", Err("oauth2: server response missing access_token")),
            ("<html>", Err("oauth2: cannot parse json: the answer is none")),
            (
                "{\"access_token\":\"a\\nb\"}",
                Err("the credentials hold characters that no header can hold"),
            ),
        ];
        for (text, expected) in rows {
            let token = token(text, "");
            let found = token.as_ref().map(|t| (t.header.to_str().unwrap(), t.until.is_some()));
            assert_eq!(found.map_err(String::as_str), expected, "{text}");
        }
    }

    #[test]
    fn refusals() {
        let rows = [
            ("{\"error\":\"invalid_client\"}", "oauth2: \"invalid_client\""),
            ("{\"error\":\"a\",\"error_description\":\"b\"}", "oauth2: \"a\" \"b\""),
            ("no", "oauth2: cannot fetch token: 401 Unauthorized\nResponse: no"),
        ];
        for (text, expected) in rows {
            assert_eq!(refusal("401 Unauthorized", text), expected);
        }
    }
}
