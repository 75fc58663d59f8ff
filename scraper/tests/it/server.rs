//! A target: a small HTTP server that says exactly the bytes it is told to.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// What the server says next.
#[derive(Clone)]
pub(crate) enum Answer {
    /// A page, with its `Content-Type`.
    Page(Vec<u8>, &'static str),
    /// These bytes; then the connection ends.
    Bytes(Vec<u8>),
    /// These bytes, then a byte every millisecond for ever.
    Drip(Vec<u8>),
    /// These bytes, then 1 GB of lines.
    Endless(Vec<u8>),
    /// Nothing at all.
    Silence,
}

pub(crate) const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

impl Answer {
    /// A page in the text format.
    pub(crate) fn text(page: impl Into<Vec<u8>>) -> Self {
        Self::Page(page.into(), TEXT)
    }

    /// A status without a page.
    pub(crate) fn status(line: &str) -> Self {
        let head = format!("HTTP/1.1 {line}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        Self::Bytes(head.into_bytes())
    }
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    answer: Mutex<Answer>,
    requests: watch::Sender<Vec<String>>,
    connections: AtomicUsize,
    written: AtomicUsize,
}

impl Server {
    pub(crate) async fn start(answer: Answer) -> Self {
        Self::start_at(([127, 0, 0, 1], 0).into(), answer).await
    }

    /// On a certain port, as after a restart.
    pub(crate) async fn start_at(address: SocketAddr, answer: Answer) -> Self {
        // What the binary does at its start; later calls find it done.
        let _done = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            answer: Mutex::new(answer),
            requests: watch::channel(Vec::new()).0,
            connections: AtomicUsize::new(0),
            written: AtomicUsize::new(0),
        });
        let task = tokio::spawn(accept(listener, shared.clone()));
        Self { address, shared, task }
    }

    pub(crate) fn say(&self, answer: Answer) {
        *self.shared.answer.lock().unwrap() = answer;
    }

    /// The heads of all requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.shared.requests.borrow().clone()
    }

    /// Waits until there were that many requests.
    pub(crate) async fn requested(&self, count: usize) {
        let mut requests = self.shared.requests.subscribe();
        requests.wait_for(|requests| requests.len() >= count).await.unwrap();
    }

    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Bytes that an endless answer got rid of.
    pub(crate) fn written(&self) -> usize {
        self.shared.written.load(Ordering::SeqCst)
    }

    /// Ends it with all its connections.
    pub(crate) async fn stop(self) {
        self.task.abort();
        let _aborted = self.task.await;
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        shared.connections.fetch_add(1, Ordering::SeqCst);
        // An error is a client that went away.
        connections.spawn(answer(stream, shared.clone()));
    }
}

async fn answer(mut stream: TcpStream, shared: Arc<Shared>) -> std::io::Result<()> {
    // Else the kernel holds small pieces back, in real time, while the tests' time jumps on.
    stream.set_nodelay(true)?;
    loop {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(stream.read_u8().await?);
        }
        let request = String::from_utf8_lossy(&request).into_owned();
        shared.requests.send_modify(|requests| requests.push(request));
        let answer = shared.answer.lock().unwrap().clone();
        match answer {
            Answer::Page(page, content_type) => {
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
                    page.len()
                );
                stream.write_all(&[head.as_bytes(), &page].concat()).await?;
            }
            Answer::Bytes(bytes) => return stream.write_all(&bytes).await,
            Answer::Drip(bytes) => {
                stream.write_all(&bytes).await?;
                loop {
                    stream.write_all(b"#").await?;
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
            Answer::Endless(bytes) => {
                stream.write_all(&bytes).await?;
                let lines = b"metric{label=\"value\"} 1\n".repeat(1000);
                while shared.written.load(Ordering::SeqCst) < 1_000_000_000 {
                    stream.write_all(&lines).await?;
                    shared.written.fetch_add(lines.len(), Ordering::SeqCst);
                }
                return Ok(());
            }
            Answer::Silence => std::future::pending().await,
        }
    }
}
