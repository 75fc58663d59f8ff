//! The route prefix: what stands before every path that is answered.
//!
//! The router never sees it. As in Prometheus, `/` leads to it and everything else outside is 404.

use axum::body::Body;
use axum::http::uri::PathAndQuery;
use axum::http::{Request, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

/// A prefix such as `/a/b`, or nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prefix(String);

impl Prefix {
    /// Of what was written, with or without slashes at its ends.
    pub fn new(written: &str) -> Self {
        let inner = written.trim_matches('/');
        Self(if inner.is_empty() { String::new() } else { format!("/{inner}") })
    }

    /// With a slash in front and none behind; empty if there is none.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Takes the prefix off a request, or says what to answer instead.
    pub(super) fn strip(&self, request: &mut Request<Body>) -> Option<Response> {
        if self.0.is_empty() {
            return None;
        }
        let uri = request.uri();
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        match uri.path().strip_prefix(&self.0) {
            Some("") => {
                let inside = format!("{}/{query}", self.0);
                Some(redirect(StatusCode::MOVED_PERMANENTLY, inside))
            }
            Some(behind) if behind.starts_with('/') => {
                let Ok(path) = PathAndQuery::try_from(format!("{behind}{query}")) else {
                    return Some(StatusCode::BAD_REQUEST.into_response());
                };
                *request.uri_mut() = Uri::from(path);
                None
            }
            None if uri.path() == "/" => Some(redirect(StatusCode::FOUND, self.0.clone())),
            _ => Some((StatusCode::NOT_FOUND, "404 page not found\n").into_response()),
        }
    }
}

fn redirect(status: StatusCode, to: String) -> Response {
    (status, [(header::LOCATION, to)]).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of a path: the new path, or status and place.
    fn stripped(prefix: &str, path: &str) -> String {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = path.parse().expect("a path");
        match Prefix::new(prefix).strip(&mut request) {
            None => request.uri().to_string(),
            Some(answer) => {
                let to = answer.headers().get(header::LOCATION);
                let to = to.map_or("", |to| to.to_str().expect("a place"));
                format!("{} {to}", answer.status().as_u16())
            }
        }
    }

    #[test]
    fn paths() {
        let rows = [
            ("", "/metrics", "/metrics"),
            ("/", "/metrics?a=b", "/metrics?a=b"),
            ("/pre/fix/", "/pre/fix/metrics?a=b", "/metrics?a=b"),
            ("pre/fix", "/pre/fix/", "/"),
            ("pre/fix", "/pre/fix?a=b", "301 /pre/fix/?a=b"),
            ("/pre/fix", "/", "302 /pre/fix"),
            ("/pre/fix", "/pre", "404 "),
            ("/pre/fix", "/pre/fixx", "404 "),
            ("/pre/fix", "/metrics", "404 "),
            ("/pre/fix", "/pre/fix/pre/fix/a%2Fb", "/pre/fix/a%2Fb"),
        ];
        for (prefix, path, expected) in rows {
            assert_eq!(stripped(prefix, path), expected, "{path} below {prefix}");
        }
    }
}
