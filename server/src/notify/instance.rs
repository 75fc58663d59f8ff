//! One Alertmanager: a queue, and a loop that sends what is in it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use scraper::fetch::HttpClient;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::{error, info, warn};

use super::NotifyOptions;
use super::metrics::Counts;
use super::queue::Queue;

/// Bytes of an answer that are looked at.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// Characters of an answer that are said in the log.
const ANSWER_CHARS_SAID: usize = 200;

/// An Alertmanager that alerts are sent to; without it nothing is sent any more.
pub(super) struct Instance {
    sender: Arc<Sender>,
    drain: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// What the loop works with.
struct Sender {
    url: String,
    client: Arc<HttpClient>,
    timeout: Duration,
    batch_size: usize,
    drains: bool,
    queue: Mutex<Queue>,
    /// Told when something was queued.
    work: Notify,
    counts: Counts,
    /// Alerts of the request that is under way.
    sending: AtomicU64,
    /// What is wrong now, and was said.
    said: Mutex<Said>,
}

#[derive(Default)]
struct Said {
    failure: Option<String>,
    is_full: bool,
}

impl Instance {
    /// Starts the loop, within a tokio runtime.
    pub(super) fn start(
        url: String,
        client: Arc<HttpClient>,
        timeout: Duration,
        options: NotifyOptions,
    ) -> Self {
        let sender = Arc::new(Sender {
            url,
            client,
            timeout,
            batch_size: options.batch_size,
            drains: options.drains,
            queue: Mutex::new(Queue::new(options.queue_capacity)),
            work: Notify::new(),
            counts: Counts::default(),
            sending: AtomicU64::new(0),
            said: Mutex::default(),
        });
        let (drain, drained) = watch::channel(false);
        let task = tokio::spawn(sender.clone().run(drained));
        Self { sender, drain, task }
    }

    /// Where it is.
    pub(super) fn url(&self) -> &str {
        &self.sender.url
    }

    /// Queues alerts. Never waits.
    pub(super) fn add(&self, alerts: &[Arc<str>]) {
        let sender = &self.sender;
        let dropped = sender.queue().add(alerts);
        sender.work.notify_one();
        sender.counts.dropped(dropped);
        let mut said = sender.said();
        if dropped > 0 && !said.is_full {
            said.is_full = true;
            warn!("{}: the queue of alerts is full, the oldest are dropped", sender.url);
        }
    }

    /// Its counters, and how many alerts wait.
    pub(super) fn counts(&self) -> (&Counts, usize) {
        (&self.sender.counts, self.sender.queue().len())
    }

    /// Sends what is queued until `deadline`, if that is wanted; then ends.
    pub(super) async fn stop(mut self, deadline: Instant) {
        if self.sender.drains {
            self.drain.send_replace(true);
            // If time is over, what is left is counted below.
            let _in_time = timeout_at(deadline, &mut self.task).await.is_ok();
        }
        self.task.abort();
        let left = self.sender.queue().len() as u64 + self.sender.sending.load(Ordering::Relaxed);
        if left > 0 {
            warn!("{}: {left} alerts are dropped at the end", self.sender.url);
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Sender {
    /// Sends batch after batch, until it is told to drain and has nothing left.
    async fn run(self: Arc<Self>, mut drain: watch::Receiver<bool>) {
        loop {
            let batch = self.queue().take(self.batch_size);
            if batch.is_empty() {
                if *drain.borrow() {
                    return;
                }
                tokio::select! {
                    () = self.work.notified() => {}
                    changed = drain.changed() => if changed.is_err() { return },
                }
                continue;
            }
            self.sending.store(batch.len() as u64, Ordering::Relaxed);
            self.send(&batch).await;
            self.sending.store(0, Ordering::Relaxed);
        }
    }

    async fn send(&self, batch: &[Arc<str>]) {
        let began = Instant::now();
        let sent = timeout(self.timeout, self.post(batch)).await;
        let sent = sent.unwrap_or_else(|_| Err("context deadline exceeded".to_owned()));
        match &sent {
            Ok(()) => self.counts.sent(batch.len(), began.elapsed()),
            Err(_) => self.counts.failed(batch.len()),
        }
        self.say(sent.err());
    }

    async fn post(&self, batch: &[Arc<str>]) -> Result<(), String> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let body = format!("[{}]", batch.join(","));
        let mut response = self.client.post(&self.url, headers, body.into_bytes()).await?;
        let mut answer = Vec::new();
        while answer.len() < ANSWER_BYTES_MAX {
            // That the answer breaks off does not matter: its status is there.
            let Ok(Some(chunk)) = response.chunk().await else { break };
            answer.extend_from_slice(&chunk);
        }
        if response.status().is_success() {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&answer);
        let text: String = text.trim().chars().take(ANSWER_CHARS_SAID).collect();
        Err(format!("bad response status {}: {text}", response.status()))
    }

    /// Says a failure once when it begins, and once when it is over.
    fn say(&self, failure: Option<String>) {
        let mut said = self.said();
        match &failure {
            Some(why) if said.failure.as_ref() != Some(why) => {
                error!("alerts cannot be sent to {}: {why}", self.url);
            }
            None if said.failure.is_some() => info!("alerts are sent to {} again", self.url),
            _ => {}
        }
        said.is_full &= failure.is_some();
        said.failure = failure;
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
