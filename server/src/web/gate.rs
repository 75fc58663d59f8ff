//! What each request passes before the router sees it: the rate limit, who asks, the prefix.
//!
//! The order, and what is answered, are those of Prometheus's toolkit.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body::Body as _;
use hyper::body::Incoming;
use tower::ServiceExt;

use super::access::{Access, Rules};
use super::prefix::Prefix;
use super::slow_body::SlowBody;

/// The way in.
pub struct Gate {
    pub(super) access: Arc<Access>,
    prefix: Prefix,
    router: Router,
    /// How long a body may take to come.
    pub(super) read_timeout: Duration,
}

impl Gate {
    /// To `router`, whose paths are below `prefix`.
    pub fn new(
        access: Arc<Access>,
        prefix: Prefix,
        router: Router,
        read_timeout: Duration,
    ) -> Self {
        Self { access, prefix, router, read_timeout }
    }

    /// Answers a request.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Response {
        let rules = self.access.now();
        let mut response = match self.refusal(&rules, request.headers()).await {
            Some(refusal) => refusal,
            None => self.routed(request).await,
        };
        for (name, value) in &rules.headers {
            response.headers_mut().insert(name, value.clone());
        }
        response
    }

    async fn refusal(&self, rules: &Rules, headers: &HeaderMap) -> Option<Response> {
        if !self.access.passes(rules) {
            return Some((StatusCode::TOO_MANY_REQUESTS, "Too Many Requests\n").into_response());
        }
        if !rules.asks_who() || self.is_known(rules, headers).await {
            return None;
        }
        let mut response = (StatusCode::UNAUTHORIZED, "Unauthorized\n").into_response();
        let ways = [(!rules.users.is_empty(), "Basic"), (rules.tokens.is_some(), "Bearer")];
        for (_, way) in ways.iter().filter(|(is_taken, _)| *is_taken) {
            response.headers_mut().append(WWW_AUTHENTICATE, HeaderValue::from_static(way));
        }
        Some(response)
    }

    async fn is_known(&self, rules: &Rules, headers: &HeaderMap) -> bool {
        let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let Some((scheme, credentials)) = header.and_then(|header| header.split_once(' ')) else {
            return false;
        };
        if scheme.eq_ignore_ascii_case("bearer") {
            return rules.tokens.as_ref().is_some_and(|tokens| tokens.has(credentials.trim()));
        }
        let basic = scheme.eq_ignore_ascii_case("basic") && !rules.users.is_empty();
        let Some((user, password)) = basic.then(|| pair(credentials)).flatten() else {
            return false;
        };
        self.access.passwords.verify(&rules.users, &user, &password).await
    }

    async fn routed(&self, request: Request<Incoming>) -> Response {
        let mut request = request.map(|body| match body.is_end_stream() {
            true => Body::empty(),
            false => Body::new(SlowBody::new(body, self.read_timeout)),
        });
        if let Some(answer) = self.prefix.strip(&mut request) {
            return answer;
        }
        let Ok(response) = self.router.clone().oneshot(request).await;
        response
    }
}

/// User and password.
fn pair(credentials: &str) -> Option<(String, String)> {
    let text = String::from_utf8(STANDARD.decode(credentials).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}
