//! The fleet over HTTP: one listener per target on 127.0.0.1, each with `GET /metrics`.
//!
//! 1. [`Servers::bind`] opens a listener per target, on ports that the system chooses.
//! 2. A request advances the fleet to the time of the given clock and renders the target's page;
//!    the endpoint picker's page wants a bearer token first, as the real one does.
//! 3. [`Servers::run`] serves until it is told to stop, then lets open answers end for
//!    [`SHUTDOWN_GRACE`].
//!
//! Invariant: all listeners share one fleet, so that the pages of one moment fit together.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::fleet::Fleet;
use super::target::{Target, TargetKind};

/// How long open connections may go on after the order to stop.
pub const SHUTDOWN_GRACE: Duration = Duration::from_secs(1);

/// Room for a page at first: vLLM's have about 80 KiB.
const PAGE_CAPACITY: usize = 96 * 1024;

/// Tells Unix milliseconds.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// A target and where it is served.
#[derive(Debug, Clone)]
pub struct Served {
    /// The target.
    pub target: Target,
    /// Where its `/metrics` is.
    pub address: SocketAddr,
}

/// The bound listeners of a fleet.
pub struct Servers {
    served: Vec<Served>,
    listeners: Vec<TcpListener>,
    shared: Shared,
}

#[derive(Clone)]
struct Shared {
    fleet: Arc<Mutex<Fleet>>,
    clock: Clock,
    /// What the picker's clients send in the header `Authorization`.
    authorization: Arc<str>,
}

impl Servers {
    /// Opens the listeners. `token` is the bearer token that the endpoint picker asks for.
    pub async fn bind(fleet: Fleet, token: &str, clock: Clock) -> io::Result<Servers> {
        let mut served = Vec::new();
        let mut listeners = Vec::new();
        for target in fleet.targets() {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            let address = listener.local_addr()?;
            served.push(Served { target: target.clone(), address });
            listeners.push(listener);
        }
        let authorization = format!("Bearer {token}").into();
        let shared = Shared { fleet: Arc::new(Mutex::new(fleet)), clock, authorization };
        Ok(Servers { served, listeners, shared })
    }

    /// The targets in the fleet's order, and where each is served.
    pub fn served(&self) -> &[Served] {
        &self.served
    }

    /// Serves until `stop` is ready; returns early with the error of a listener that fails.
    pub async fn run(self, stop: impl Future<Output = ()>) -> io::Result<()> {
        let (tell, told) = watch::channel(false);
        let mut serving = JoinSet::new();
        for (served, listener) in self.served.into_iter().zip(self.listeners) {
            let mut told = told.clone();
            // An error here means that the sender is gone, which is an order to stop as well.
            let stopped = async move { drop(told.wait_for(|stop| *stop).await) };
            let router = router(served.target, self.shared.clone());
            serving.spawn(async move {
                axum::serve(listener, router).with_graceful_shutdown(stopped).await
            });
        }
        tokio::select! {
            () = stop => {}
            Some(ended) = serving.join_next() => return ended.map_err(io::Error::other)?,
        }
        tell.send_replace(true);
        // What is still open after the grace is cut when `serving` is dropped.
        let ended = async { while serving.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(SHUTDOWN_GRACE, ended).await;
        Ok(())
    }
}

fn router(target: Target, shared: Shared) -> Router {
    Router::new().route("/metrics", get(answer)).with_state((target, shared))
}

async fn answer(State((target, shared)): State<(Target, Shared)>, headers: HeaderMap) -> Response {
    let authorized = || {
        let sent = headers.get(AUTHORIZATION);
        sent.is_some_and(|sent| sent.as_bytes() == shared.authorization.as_bytes())
    };
    if target.kind == TargetKind::Picker && !authorized() {
        return (StatusCode::UNAUTHORIZED, "Unauthorized").into_response();
    }
    ([(CONTENT_TYPE, target.content_type)], shared.page(&target)).into_response()
}

impl Shared {
    /// A panic under the lock can only leave the fleet between two requests of one step, and its
    /// pages stay pages: the lock is taken over.
    fn page(&self, target: &Target) -> String {
        let now_ms = (self.clock)();
        let mut fleet = self.fleet.lock().unwrap_or_else(PoisonError::into_inner);
        fleet.advance_to(now_ms);
        let mut out = String::with_capacity(PAGE_CAPACITY);
        fleet.page(target, &mut out);
        out
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::sync::oneshot;

    use super::*;

    const START_MS: i64 = 1_795_500_000_000;

    async fn get(address: SocketAddr, path: &str, header: &str) -> (String, String) {
        let mut stream = TcpStream::connect(address).await.expect("connects");
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{header}\r\n");
        stream.write_all(request.as_bytes()).await.expect("writes");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("reads");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        (head.to_owned(), body.to_owned())
    }

    #[tokio::test]
    async fn pages_follow_the_clock_and_the_picker_wants_its_token() {
        let now = Arc::new(AtomicI64::new(START_MS + 60_000));
        let clock = Arc::clone(&now);
        let clock: Clock = Arc::new(move || clock.load(Ordering::SeqCst));
        let servers = Servers::bind(Fleet::new(1, START_MS), "sesame", clock).await.expect("binds");
        let served = servers.served().to_vec();
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(servers.run(async { drop(stopped.await) }));

        let mut expected = Fleet::new(1, START_MS);
        for at_ms in [START_MS + 60_000, START_MS + 65_049] {
            now.store(at_ms, Ordering::SeqCst);
            expected.advance_to(at_ms);
            for Served { target, address } in &served {
                let token = "Authorization: Bearer sesame\r\n";
                let (head, body) = get(*address, "/metrics", token).await;
                assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
                let content_type = format!("content-type: {}\r\n", target.content_type);
                assert!(format!("{head}\r\n").contains(&content_type), "{head}");
                let mut page = String::new();
                expected.page(target, &mut page);
                assert!(body == page, "{} at {at_ms}", target.name);
            }
        }

        for (header, code) in [
            ("", "401"),
            ("Authorization: Bearer wrong\r\n", "401"),
            ("Authorization: Basic sesame\r\n", "401"),
            ("Authorization: Bearer sesame\r\n", "200"),
        ] {
            for Served { target, address } in &served {
                let code = if target.kind == TargetKind::Picker { code } else { "200" };
                let (head, body) = get(*address, "/metrics", header).await;
                assert!(head.starts_with(&format!("HTTP/1.1 {code} ")), "{header}: {head}");
                assert_eq!(body == "Unauthorized", code == "401");
            }
        }
        let (head, _) = get(served[0].address, "/", "").await;
        assert!(head.starts_with("HTTP/1.1 404 "), "{head}");

        // A connection that is kept open does not hold the stop up for ever.
        let _idle = TcpStream::connect(served[0].address).await.expect("connects");
        stop.send(()).expect("runs");
        running.await.expect("does not panic").expect("stops");
        assert!(TcpStream::connect(served[0].address).await.is_err());
    }

    #[tokio::test]
    async fn a_poisoned_lock_is_taken_over() {
        let clock: Clock = Arc::new(|| START_MS + 1000);
        let servers = Servers::bind(Fleet::new(1, START_MS), "", clock).await.expect("binds");
        let fleet = Arc::clone(&servers.shared.fleet);
        let poisoning = std::thread::spawn(move || {
            let _held = fleet.lock().expect("not poisoned yet");
            panic!("poisons the lock");
        });
        assert!(poisoning.join().is_err());
        assert!(servers.shared.fleet.is_poisoned());
        assert!(servers.shared.page(&servers.served[0].target).ends_with('\n'));
    }
}
