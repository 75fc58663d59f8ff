//! One receiver: its groups, what waits to be sent to it, and the two tasks that look after them.
//!
//! What fails is tried again with growing pauses, until it succeeds, is refused for good (a status
//! of 4xx other than 429), or newer word about the same group takes its place. So no more waits than
//! there are groups; if that is too much, the oldest message goes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use scraper::cycle::Clock;
use scraper::fetch::{HttpClient, secret_text};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tracing::{error, info, warn};
use tsdb::model::{Labels, Timestamp};

use super::super::alert::Alert;
use super::group::{Groups, Message, Timing};
use super::memory::KeptReceiver;
use super::message::body;
use super::outbox::Outbox;
use super::silence::Silences;
use crate::config::{self, NotifyFile};

/// The first pause after a failure, and the longest.
const PAUSE_MIN: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// Longest wait until groups are looked at.
const LOOK_MAX: Duration = Duration::from_secs(60);
/// Connections stay open for so long without use.
const IDLE: Duration = Duration::from_secs(90);

/// A receiver that runs until it is dropped.
pub(super) struct Running {
    state: Arc<State>,
    tasks: [JoinHandle<()>; 2],
}

/// What all receivers have alike.
#[derive(Clone)]
pub(super) struct Around {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) silences: Arc<Silences>,
    /// Where users reach this server.
    pub(super) external_url: String,
    /// Told when what is to be remembered has changed.
    pub(super) changed: Arc<Notify>,
}

struct State {
    settings: config::Receiver,
    client: HttpClient,
    around: Around,
    groups: Mutex<Groups>,
    /// Told when an alert came.
    came: Notify,
    outbox: Mutex<Outbox>,
    /// Told when a message waits.
    waits: Notify,
    /// Told when one is gone.
    gone: Notify,
    counts: Counts,
    /// What fails now, and was said.
    failure: Mutex<Option<String>>,
}

/// What is counted.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) sent: AtomicU64,
    pub(super) failures: AtomicU64,
    pub(super) dropped: AtomicU64,
}

/// Why a message was not taken.
struct Failure {
    why: String,
    /// Whether trying again is of no use.
    is_final: bool,
}

impl Running {
    /// Starts within a tokio runtime, with what is remembered from before.
    pub(super) fn start(
        settings: config::Receiver,
        file: &NotifyFile,
        around: Around,
        kept: Option<KeptReceiver>,
    ) -> Self {
        let timing = Timing {
            by: file.group_by.clone(),
            wait_ms: file.group_wait_ms,
            interval_ms: file.group_interval_ms,
            repeat_ms: file.repeat_interval_ms,
            sends_resolved: settings.sends_resolved,
        };
        let (restored, waiting) = kept.map(KeptReceiver::restored).unwrap_or_default();
        let (mut groups, mut outbox) = (Groups::new(timing), Outbox::default());
        groups.restore(restored);
        let dropped = waiting.into_iter().map(|message| outbox.put(message)).sum();
        let state = Arc::new(State {
            client: HttpClient::new(&settings.client, IDLE),
            settings,
            around,
            groups: Mutex::new(groups),
            came: Notify::new(),
            outbox: Mutex::new(outbox),
            waits: Notify::new(),
            gone: Notify::new(),
            counts: Counts { dropped: AtomicU64::new(dropped), ..Counts::default() },
            failure: Mutex::default(),
        });
        let tasks = [tokio::spawn(state.clone().look()), tokio::spawn(state.clone().send())];
        Self { state, tasks }
    }

    /// Takes those of the alerts that are meant for it. Never waits.
    pub(super) fn add(&self, alerts: &[Alert]) {
        let state = &self.state;
        let now = state.around.clock.now();
        let meant = |alert: &&Alert| {
            state.settings.matchers.iter().all(|matcher| matcher.matches_labels(&alert.labels))
        };
        for alert in alerts.iter().filter(meant) {
            if !locked(&state.groups).add(alert.clone(), now) {
                state.counts.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
        state.came.notify_one();
    }

    /// What it is.
    pub(super) fn settings(&self) -> &config::Receiver {
        &self.state.settings
    }

    /// What is counted, and how many messages wait.
    pub(super) fn counts(&self) -> (&Counts, usize) {
        (&self.state.counts, locked(&self.state.outbox).len())
    }

    /// What is to be remembered.
    pub(super) fn kept(&self) -> KeptReceiver {
        let groups = locked(&self.state.groups);
        let outbox = locked(&self.state.outbox);
        KeptReceiver::new(groups.by(), groups.iter(), outbox.messages())
    }

    /// Waits until all messages are sent, until `deadline` at most.
    pub(super) async fn stop(&self, deadline: Instant) {
        let emptied = async {
            while locked(&self.state.outbox).len() > 0 {
                self.state.gone.notified().await;
            }
        };
        if timeout_at(deadline, emptied).await.is_err() {
            let left = locked(&self.state.outbox).len();
            warn!("receiver {}: {left} messages were not sent yet", self.state.settings.name);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl State {
    /// Looks at the groups when their time has come, for ever.
    async fn look(self: Arc<Self>) {
        loop {
            self.look_once(self.around.clock.now());
            let due = locked(&self.groups).due();
            let wait = due.map_or(LOOK_MAX, |due| {
                let ms = due.ms_since(self.around.clock.now()).max(1);
                Duration::from_millis(ms.unsigned_abs()).min(LOOK_MAX)
            });
            tokio::select! {
                () = sleep(wait) => {}
                () = self.came.notified() => {}
            }
        }
    }

    /// Hands on what is to be told now.
    fn look_once(&self, now: Timestamp) {
        let silences = &self.around.silences;
        let is_silenced = |labels: &Labels| silences.has(labels, now);
        // What is told and the message are remembered together.
        let mut groups = locked(&self.groups);
        if groups.due().is_none_or(|due| due > now) {
            return;
        }
        for message in groups.take(now, &is_silenced) {
            let dropped = locked(&self.outbox).put(message);
            self.counts.dropped.fetch_add(dropped, Ordering::Relaxed);
            self.waits.notify_one();
        }
        drop(groups);
        self.around.changed.notify_one();
    }

    /// Sends what waits, for ever.
    async fn send(self: Arc<Self>) {
        let mut pause = PAUSE_MIN;
        loop {
            let first = locked(&self.outbox).first();
            let Some((id, message)) = first else {
                self.waits.notified().await;
                continue;
            };
            let wait = Duration::from_millis(self.settings.timeout_ms.unsigned_abs());
            let late = |_| Err(Failure { why: "it takes too long".to_owned(), is_final: false });
            let sent = timeout(wait, self.post(&message)).await.unwrap_or_else(late);
            let is_done = match &sent {
                Ok(()) => true,
                Err(failure) => failure.is_final,
            };
            self.count(&sent);
            if is_done {
                locked(&self.outbox).remove(id);
                self.gone.notify_one();
                self.around.changed.notify_one();
                pause = PAUSE_MIN;
            } else {
                sleep(pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
        }
    }

    async fn post(&self, message: &Message) -> Result<(), Failure> {
        let again = |why| Failure { why, is_final: false };
        let config::Receiver { name, kind, url, .. } = &self.settings;
        let url = secret_text(url).map_err(again)?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let body = body(message, *kind, name, &self.around.external_url);
        let sent = self.client.post(&url, headers, body.into_bytes()).await;
        let status = sent.map_err(again)?.status();
        if status.is_success() {
            return Ok(());
        }
        let is_final = status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS;
        Err(Failure { why: format!("it answers {status}"), is_final })
    }

    /// Counts, and says a failure once when it begins, and once when it is over.
    fn count(&self, sent: &Result<(), Failure>) {
        let (counts, name) = (&self.counts, &self.settings.name);
        let mut said = locked(&self.failure);
        match sent {
            Ok(()) => {
                counts.sent.fetch_add(1, Ordering::Relaxed);
                if said.take().is_some() {
                    info!("receiver {name} is told again");
                }
            }
            Err(Failure { why, is_final }) => {
                counts.failures.fetch_add(1, Ordering::Relaxed);
                counts.dropped.fetch_add(u64::from(*is_final), Ordering::Relaxed);
                if said.as_ref() != Some(why) {
                    let then = if *is_final { "the message is dropped" } else { "tried again" };
                    error!("receiver {name} cannot be told: {why}; {then}");
                }
                *said = Some(why.clone());
            }
        }
    }
}

/// What a panic left behind is as good as what was before: each value is whole.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
