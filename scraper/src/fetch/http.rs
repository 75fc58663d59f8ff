//! A client for GET requests with all options that are configured: for pages of targets, and for
//! lists of them.

use std::sync::Mutex;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HOST, HeaderMap, HeaderName, HeaderValue};

use super::client::Clients;
use super::error;
use super::oauth2::Tokens;
use super::secret;
use crate::job::{Authorization, ClientOptions, ProxyServer};

/// Sends requests; connections stay open in between.
#[derive(Debug)]
pub struct HttpClient {
    options: ClientOptions,
    clients: Mutex<Clients>,
    tokens: Option<Tokens>,
}

impl HttpClient {
    /// A client whose connections stay open for `idle` without use. Nothing is opened or read yet.
    pub fn new(options: &ClientOptions, idle: Duration) -> Self {
        let tokens = match &options.authorization {
            Some(Authorization::OAuth2(oauth2)) => Some(Tokens::new(oauth2)),
            _ => None,
        };
        let clients = Mutex::new(Clients::new(options, idle));
        Self { options: options.clone(), clients, tokens }
    }

    /// Sends a GET request for `url` with these headers and those that are configured. Has no
    /// deadline of its own, and follows redirects if it may. The error says what happened, without
    /// the URL, in Go's words where it has some.
    pub async fn get(&self, url: &str, headers: HeaderMap) -> Result<reqwest::Response, String> {
        self.send(Method::GET, url, headers, None).await
    }

    /// The same as a POST request with a body.
    pub async fn post(
        &self,
        url: &str,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<reqwest::Response, String> {
        self.send(Method::POST, url, headers, Some(body)).await
    }

    async fn send(
        &self,
        method: Method,
        url: &str,
        mut headers: HeaderMap,
        body: Option<Vec<u8>>,
    ) -> Result<reqwest::Response, String> {
        self.add_headers(&mut headers).await?;
        let prepared = {
            let mut clients = self.clients.lock().unwrap_or_else(|held| held.into_inner());
            clients.for_url(url)?
        };
        let mut request = prepared.client.request(method, prepared.url).headers(headers);
        if let Some(host) = prepared.host {
            request = request.header(HOST, host);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        request.send().await.map_err(|error| error::describe(&error, authority(url)))
    }

    /// Whether plain HTTP goes to its host without a proxy in between.
    pub(super) fn is_direct(&self) -> bool {
        self.options.proxy.server == ProxyServer::Direct
    }

    /// Whether redirects are followed.
    pub(super) fn follows_redirects(&self) -> bool {
        self.options.follow_redirects
    }

    /// Adds the headers that are configured.
    pub(super) async fn add_headers(&self, headers: &mut HeaderMap) -> Result<(), String> {
        match (&self.options.authorization, &self.tokens) {
            (_, Some(tokens)) => {
                headers.insert(AUTHORIZATION, tokens.header().await?);
            }
            (Some(authorization), None) => {
                headers.insert(AUTHORIZATION, secret::authorization(authorization)?);
            }
            (None, None) => {}
        }
        for (name, values) in &self.options.headers {
            let wrong = || format!("http_headers: {name:?} is no header that can be sent");
            let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
            for value in values {
                let text = secret::text(value)
                    .map_err(|error| format!("unable to read headers file: {error}"))?;
                let mut value = HeaderValue::from_str(&text).map_err(|_| wrong())?;
                value.set_sensitive(true);
                headers.append(header.clone(), value);
            }
        }
        Ok(())
    }
}

/// `host:port` of a URL.
fn authority(url: &str) -> &str {
    let behind = url.split_once("://").map_or(url, |(_, behind)| behind);
    behind.split(['/', '?']).next().unwrap_or(behind)
}
