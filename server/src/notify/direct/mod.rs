//! The built-in sender: tells people of alerts where there is no Alertmanager.
//!
//! Each receiver of `--notify.file` gets the alerts that it is meant for, in groups (`group`), as
//! messages (`message`) that are sent until they arrive (`receiver`); what matches a [`silence`] is
//! not told. What was told is remembered over a restart (`memory`).

mod file;
mod group;
mod memory;
mod message;
mod outbox;
mod receiver;
pub mod silence;

use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use scraper::cycle::Clock;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::DRAIN_MAX;
use super::alert::Alert;
use crate::config::NotifyFile;
use crate::exposition::Page;
use memory::{Kept, Memory};
use receiver::{Around, Counts, Running};
use silence::Silences;

/// The file of what was told is written no more often.
const WRITE_PAUSE: Duration = Duration::from_secs(1);

/// Tells the receivers of a file.
pub(super) struct Direct {
    around: Around,
    memory: Arc<Memory>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    file: NotifyFile,
    running: Vec<Running>,
    /// What is remembered from before the start, until the first file holds.
    before: Kept,
    /// Writes what is to be remembered, until it is told to end.
    writer: Option<(watch::Sender<bool>, JoinHandle<()>)>,
}

/// Name, help, value.
type Figure = (&'static str, &'static str, fn(&Counts) -> u64);

const FIGURES: [Figure; 3] = [
    ("sent", "Messages that the receiver took", |counts| counts.sent.load(Ordering::Relaxed)),
    ("failures", "Tries to tell the receiver that failed", |counts| {
        counts.failures.load(Ordering::Relaxed)
    }),
    ("dropped", "Messages and alerts that were given up", |counts| {
        counts.dropped.load(Ordering::Relaxed)
    }),
];

impl Direct {
    /// Tells nobody yet. What was told before is read from the store in `directory`; who fired then
    /// counts as firing for `grace_ms`, if nothing more is heard.
    pub(super) fn new(
        clock: Arc<dyn Clock>,
        silences: Arc<Silences>,
        external_url: String,
        (directory, grace_ms): (&Path, i64),
    ) -> Self {
        let (memory, before) = Memory::open(directory, grace_ms, clock.now());
        let state = State { before, ..State::default() };
        let around = Around { clock, silences, external_url, changed: Arc::default() };
        Self { around, memory: Arc::new(memory), state: Arc::new(Mutex::new(state)) }
    }

    /// Makes what a file says hold. A receiver that is as it was goes on, unless the times or the
    /// labels of groups have changed.
    pub(super) fn apply(&self, file: &NotifyFile) {
        let mut state = self.lock();
        let mut old = std::mem::take(&mut state.running);
        let mut before = std::mem::take(&mut state.before);
        let groups_alike = NotifyFile { receivers: Vec::new(), ..state.file.clone() }
            == NotifyFile { receivers: Vec::new(), ..file.clone() };
        let running = file.receivers.iter().map(|settings| {
            let same = old.iter().position(|own| groups_alike && own.settings() == settings);
            same.map(|at| old.swap_remove(at)).unwrap_or_else(|| {
                let kept = before.take(&settings.name, &file.group_by);
                Running::start(settings.clone(), file, self.around.clone(), kept)
            })
        });
        state.running = running.collect();
        state.file = file.clone();
        for one in old {
            tokio::spawn(async move { one.stop(Instant::now() + DRAIN_MAX).await });
        }
        state.writer.get_or_insert_with(|| {
            let (end, ended) = watch::channel(false);
            (end, tokio::spawn(self.writer(ended)))
        });
    }

    /// Takes alerts. Never waits.
    pub(super) fn add(&self, alerts: &[Alert]) {
        self.lock().running.iter().for_each(|one| one.add(alerts));
    }

    /// Waits until what waits is sent, until `deadline` at most; then ends.
    pub(super) async fn stop(&self, deadline: Instant) {
        let (running, writer) = {
            let mut state = self.lock();
            (std::mem::take(&mut state.running), state.writer.take())
        };
        // Else it would write that there is nothing to remember.
        if let Some((end, writer)) = writer {
            end.send_replace(true);
            // An error is a bug that cost what it was writing; it is written again below.
            let _ended = writer.await;
        }
        for one in &running {
            one.stop(deadline).await;
        }
        self.memory.write(&kept(&running, &*self.around.clock));
    }

    /// Writes what is to be remembered when it has changed, until that has `ended`.
    fn writer(&self, mut ended: watch::Receiver<bool>) -> impl Future<Output = ()> + Send + use<> {
        let (state, memory) = (self.state.clone(), self.memory.clone());
        let Around { clock, changed, .. } = self.around.clone();
        async move {
            loop {
                tokio::select! {
                    _ = ended.wait_for(|ended| *ended) => return,
                    () = changed.notified() => {}
                }
                let kept = kept(&locked(&state).running, &*clock);
                let memory = memory.clone();
                // An error is a bug that costs this writing; the next one goes on.
                let _done = tokio::task::spawn_blocking(move || memory.write(&kept)).await;
                let _ends = timeout(WRITE_PAUSE, ended.wait_for(|ended| *ended)).await;
            }
        }
    }

    /// What is counted, as OpenMetrics text without the end of the page.
    pub(super) fn metrics(&self) -> String {
        let state = self.lock();
        let mut page = Page::default();
        if state.running.is_empty() {
            return page.0;
        }
        for (name, help, read) in FIGURES {
            let name = format!("inferometer_receiver_{name}");
            page.family(&name, "counter", help);
            for one in &state.running {
                let label = ("receiver", one.settings().name.as_str());
                page.sample(&format!("{name}_total"), &[label], read(one.counts().0) as f64);
            }
        }
        let name = "inferometer_receiver_queue_length";
        page.family(name, "gauge", "Messages that wait");
        for one in &state.running {
            let label = ("receiver", one.settings().name.as_str());
            page.sample(name, &[label], one.counts().1 as f64);
        }
        page.0
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }
}

fn kept(running: &[Running], clock: &dyn Clock) -> Kept {
    let receivers = running.iter().map(|own| (own.settings().name.clone(), own.kept()));
    Kept::new(clock.now(), receivers)
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
