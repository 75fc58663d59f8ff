//! Made-up Alertmanagers and webhooks: what they are sent is kept.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// How one answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// 200.
    Good,
    /// 500 with a body.
    Fails,
    /// 500 twice, then 200.
    FailsTwice,
    /// Never.
    Hangs,
    /// When its gate is opened.
    Gated,
}

/// One that runs until the test ends.
pub(crate) struct Fake {
    pub(crate) address: String,
    pub(crate) seen: Arc<Seen>,
}

pub(crate) struct Seen {
    manner: Manner,
    /// Path, `Authorization` and body of each request.
    requests: Mutex<Vec<(String, String, String)>>,
    pub(crate) gate: Semaphore,
}

impl Fake {
    pub(crate) async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let requests = Mutex::default();
        let seen = Arc::new(Seen { manner, requests, gate: Semaphore::new(0) });
        let router = Router::new().fallback(take).with_state(seen.clone());
        tokio::spawn(axum::serve(listener, router).into_future());
        Self { address, seen }
    }

    pub(crate) fn requests(&self) -> Vec<(String, String, String)> {
        self.seen.requests.lock().unwrap().clone()
    }

    /// The bodies of all requests.
    pub(crate) fn bodies(&self) -> Vec<Value> {
        let bodies = self.requests().into_iter();
        bodies.map(|(.., body)| serde_json::from_str(&body).unwrap()).collect()
    }

    /// All alerts of all requests, each body being a list.
    pub(crate) fn alerts(&self) -> Vec<Value> {
        self.bodies().into_iter().flat_map(|body| body.as_array().unwrap().clone()).collect()
    }
}

async fn take(State(seen): State<Arc<Seen>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let headers = request.headers();
    let text = |name| headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
    let authorization = text("authorization");
    assert_eq!(text("content-type"), "application/json");
    let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let manner = seen.manner;
    if manner == Manner::Gated {
        seen.gate.acquire().await.unwrap().forget();
    }
    let count = {
        let mut requests = seen.requests.lock().unwrap();
        requests.push((path, authorization, body));
        requests.len()
    };
    match manner {
        Manner::FailsTwice if count > 2 => StatusCode::OK.into_response(),
        Manner::Good | Manner::Gated => StatusCode::OK.into_response(),
        Manner::Fails | Manner::FailsTwice => {
            (StatusCode::INTERNAL_SERVER_ERROR, "out of order").into_response()
        }
        Manner::Hangs => std::future::pending().await,
    }
}
