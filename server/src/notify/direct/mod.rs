//! The built-in sender: tells people of alerts where there is no Alertmanager.
//!
//! Each receiver of `--notify.file` gets the alerts that it is meant for, in groups (`group`), as
//! messages (`message`) that are sent until they arrive (`receiver`); what matches a [`silence`] is
//! not told. What was told is remembered in memory only: after a start all that fires is told anew.

mod group;
mod message;
mod receiver;
pub mod silence;

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use scraper::cycle::Clock;
use tokio::time::Instant;

use super::DRAIN_MAX;
use super::alert::Alert;
use crate::config::NotifyFile;
use crate::exposition::Page;
use receiver::{Counts, Running};
use silence::Silences;

/// Tells the receivers of a file.
pub(super) struct Direct {
    clock: Arc<dyn Clock>,
    silences: Arc<Silences>,
    external_url: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    file: NotifyFile,
    running: Vec<Running>,
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
    /// Tells nobody yet.
    pub(super) fn new(
        clock: Arc<dyn Clock>,
        silences: Arc<Silences>,
        external_url: String,
    ) -> Self {
        Self { clock, silences, external_url, state: Mutex::default() }
    }

    /// Makes what a file says hold. A receiver that is as it was goes on, unless the times or the
    /// labels of groups have changed.
    pub(super) fn apply(&self, file: &NotifyFile) {
        let mut state = self.lock();
        let mut old = std::mem::take(&mut state.running);
        let groups_alike = NotifyFile { receivers: Vec::new(), ..state.file.clone() }
            == NotifyFile { receivers: Vec::new(), ..file.clone() };
        let running = file.receivers.iter().map(|settings| {
            let same = old.iter().position(|own| groups_alike && own.settings() == settings);
            same.map(|at| old.swap_remove(at)).unwrap_or_else(|| {
                let parts = (self.clock.clone(), self.silences.clone());
                Running::start(settings.clone(), file, parts, self.external_url.clone())
            })
        });
        state.running = running.collect();
        state.file = file.clone();
        for one in old {
            tokio::spawn(one.stop(Instant::now() + DRAIN_MAX));
        }
    }

    /// Takes alerts. Never waits.
    pub(super) fn add(&self, alerts: &[Alert]) {
        self.lock().running.iter().for_each(|one| one.add(alerts));
    }

    /// Waits until what waits is sent, until `deadline` at most; then ends.
    pub(super) async fn stop(&self, deadline: Instant) {
        let running = std::mem::take(&mut self.lock().running);
        for one in running {
            one.stop(deadline).await;
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
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
