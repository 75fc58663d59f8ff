//! All groups: made from files, each evaluated by a task of its own, exchanged when files change.
//!
//! [`RuleManager::apply`] leaves groups that say the same alone; one that changed takes over what
//! the one before knew; the series of one that is gone are marked stale two intervals later, when
//! rules that only have another name now are at work.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use promql::parse::Features;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::error;
use tsdb::model::Timestamp;

use super::file::{self, Reading, RuleFileError, RuleGroup};
use super::group::{Context, Definition, Group, GroupStatus};
use super::metrics::{self, Totals};
use super::template::Surroundings;
use crate::config::{Config, glob};

/// Evaluations before alerts are restored: before, what they depend on may not be there.
const EVALUATIONS_BEFORE_RESTORE: u32 = 2;
/// Evaluations in which what a group that is gone gave may get another rule.
const INTERVALS_UNTIL_STALE: i64 = 2;

/// What holds for groups that say nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defaults {
    /// Milliseconds between evaluations.
    pub interval_ms: i64,
    /// How many milliseconds before an evaluation's time queries look.
    pub query_offset_ms: i64,
    /// What templates know.
    pub surroundings: Surroundings,
}

impl Default for Defaults {
    /// Prometheus's: every minute.
    fn default() -> Self {
        Self { interval_ms: 60_000, query_offset_ms: 0, surroundings: Surroundings::default() }
    }
}

/// What is evaluated.
#[derive(Clone, Debug, Default)]
pub struct RuleOptions {
    /// The groups of all files.
    pub groups: Vec<RuleGroup>,
    /// What holds for those that say nothing else.
    pub defaults: Defaults,
}

impl RuleOptions {
    /// The rules of all files that a configuration names, and what it says of them.
    pub fn load(config: &Config, language: Features) -> Result<Self, RuleFileError> {
        let global = &config.global;
        let external_labels = global.external_labels.clone();
        let defaults = Defaults {
            interval_ms: global.evaluation_interval_ms,
            query_offset_ms: global.rule_query_offset_ms,
            surroundings: Surroundings { external_labels, ..Surroundings::default() },
        };
        Ok(Self { groups: load(&config.rule_files, language)?, defaults })
    }
}

/// A group's file and name.
type Key = (String, String);

/// A group, its task, and what stops that.
struct Running {
    group: Arc<Group>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// Evaluates groups until it is stopped.
pub struct RuleManager {
    language: Features,
    external_url: String,
    context: Arc<Context>,
    totals: Arc<Totals>,
    /// Held while groups are exchanged.
    running: tokio::sync::Mutex<BTreeMap<Key, Running>>,
    /// The groups of the last exchange, for those who look.
    shown: Mutex<Vec<Arc<Group>>>,
    /// Whether groups were applied before: only those of the start restore alerts (and those of
    /// objects that are read soon after it).
    has_begun: AtomicBool,
    stopping: watch::Sender<bool>,
}

/// Reads all files that the patterns stand for.
fn load(patterns: &[PathBuf], language: Features) -> Result<Vec<RuleGroup>, RuleFileError> {
    let mut groups = Vec::new();
    let mut errors = Vec::new();
    for path in patterns.iter().flat_map(|pattern| glob::expand(pattern)) {
        match file::load(&path, Reading { language, ..Reading::default() }) {
            Ok(own) => groups.extend(own),
            Err(RuleFileError(own)) => errors.extend(own),
        }
    }
    if errors.is_empty() { Ok(groups) } else { Err(RuleFileError(errors)) }
}

impl RuleManager {
    /// A manager without groups. `language` is that of their expressions, `external_url` is where
    /// users reach this server, for templates.
    pub fn new(context: Context, language: Features, external_url: String) -> Self {
        Self {
            language,
            external_url,
            context: Arc::new(context),
            totals: Arc::default(),
            running: tokio::sync::Mutex::default(),
            shown: Mutex::default(),
            has_begun: AtomicBool::new(false),
            stopping: watch::Sender::new(false),
        }
    }

    /// What a configuration says of rules, in the language of this manager.
    pub fn load(&self, config: &Config) -> Result<RuleOptions, RuleFileError> {
        RuleOptions::load(config, self.language)
    }

    /// The groups of the text of a `PrometheusRule` of that name, in the language of this manager.
    pub fn read(&self, text: &str, name: &str) -> Result<Vec<RuleGroup>, RuleFileError> {
        // What Kubernetes let pass that no rule file has is for others (`partial_response_strategy`).
        let unknown = file::UnknownNames::Ignored;
        file::parse(text, name, Reading { language: self.language, unknown })
    }

    /// The groups that the next call of [`Self::apply`] begins were there before the start too:
    /// their alerts are restored.
    pub fn restore_next(&self) {
        self.has_begun.store(false, Ordering::Release);
    }

    /// Has `groups` evaluated from now on, and no others. A group that changed or is gone is waited
    /// for if it is being evaluated.
    pub async fn apply(&self, RuleOptions { groups, mut defaults }: RuleOptions) {
        defaults.surroundings.external_url.clone_from(&self.external_url);
        let restores = !self.has_begun.swap(true, Ordering::AcqRel);
        let mut running = self.running.lock().await;
        let mut old = std::mem::take(&mut *running);
        let mut new = BTreeMap::new();
        for written in groups {
            let key = (written.file.clone(), written.name.clone());
            let definition = Definition {
                interval_ms: written.interval_ms.unwrap_or(defaults.interval_ms),
                query_offset_ms: written.query_offset_ms.unwrap_or(defaults.query_offset_ms),
                surroundings: defaults.surroundings.clone(),
                written,
            };
            let one = match old.remove(&key) {
                Some(same) if same.group.definition.is_same(&definition) => same,
                Some(before) => {
                    let group = Group::new(definition, false);
                    let before = before.end().await;
                    group.take_over(&before);
                    self.start(group, false)
                }
                None => self.start(Group::new(definition, restores), restores),
            };
            // A file that two patterns stand for is there once.
            if let Some(twice) = new.insert(key, one) {
                twice.end().await;
            }
        }
        for gone in old.into_values() {
            self.mark_later(gone.end().await);
        }
        *self.lock() = new.values().map(|one| one.group.clone()).collect();
        *running = new;
    }

    fn start(&self, group: Group, restores: bool) -> Running {
        let (stop, stopped) = watch::channel(false);
        let group = Arc::new(group);
        let (context, totals) = (self.context.clone(), self.totals.clone());
        let task = tokio::spawn(run(group.clone(), context, totals, restores, stopped));
        Running { group, stop, task }
    }

    fn mark_later(&self, group: Arc<Group>) {
        let (context, mut stopping) = (self.context.clone(), self.stopping.subscribe());
        let at = context.clock.now();
        let wait_ms = group.definition.interval_ms.saturating_mul(INTERVALS_UNTIL_STALE);
        tokio::spawn(async move {
            tokio::select! {
                _ = stopping.wait_for(|stopping| *stopping) => return,
                () = tokio::time::sleep(milliseconds(wait_ms)) => {}
            }
            let ended = tokio::task::spawn_blocking(move || group.end(&context, at));
            if let Err(error) = ended.await {
                error!("series of a rule group that is gone were not marked: {error}");
            }
        });
    }

    /// All groups by file and name, and how they are.
    pub fn groups(&self) -> Vec<(Arc<Group>, GroupStatus)> {
        let groups = self.lock().clone();
        groups.into_iter().map(|group| (group.clone(), group.status())).collect()
    }

    /// What rules export about themselves, as OpenMetrics text without the end of the page.
    pub fn metrics(&self) -> String {
        let groups = self.groups();
        metrics::page(&self.totals, groups.iter().map(|(group, status)| (&**group, status.clone())))
    }

    /// Waits for evaluations that have begun; none begins any more.
    pub async fn stop(&self) {
        self.stopping.send_replace(true);
        let all = std::mem::take(&mut *self.running.lock().await);
        for one in all.into_values() {
            one.end().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Group>>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    /// Waits for an evaluation that has begun; none begins any more.
    async fn end(self) -> Arc<Group> {
        self.stop.send_replace(true);
        if let Err(error) = self.task.await {
            error!("a rule group's task panicked: {error}");
        }
        self.group
    }
}

fn milliseconds(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}

/// Evaluates `group` at its times until it is stopped.
async fn run(
    group: Arc<Group>,
    context: Arc<Context>,
    totals: Arc<Totals>,
    restores: bool,
    mut stopped: watch::Receiver<bool>,
) {
    let mut at = group.schedule.due(group.schedule.slot(context.clock.now()));
    let mut until_restore = restores.then_some(EVALUATIONS_BEFORE_RESTORE);
    while wait(&context, at, &mut stopped).await {
        let work = (group.clone(), context.clone(), totals.clone());
        until_restore = until_restore.map(|rest| rest.saturating_sub(1));
        let restores_now = until_restore == Some(0);
        let evaluated = tokio::task::spawn_blocking(move || {
            let (group, context, totals) = work;
            group.evaluate(&context, at, &totals);
            if restores_now {
                group.restore(&context, context.clock.now());
            }
        });
        if restores_now {
            until_restore = None;
        }
        if let Err(error) = evaluated.await {
            error!("the evaluation of a rule group panicked: {error}");
        }
        if !wait(&context, group.schedule.due(at), &mut stopped).await {
            return;
        }
        let (next, missed) = group.schedule.next(at, context.clock.now());
        group.count_missed(missed);
        at = next;
    }
}

/// Waits until it is `due`; `false` if the group is stopped before.
async fn wait(context: &Context, due: Timestamp, stopped: &mut watch::Receiver<bool>) -> bool {
    loop {
        let wait = due.ms_since(context.clock.now());
        if *stopped.borrow() {
            return false;
        }
        if wait <= 0 {
            return true;
        }
        tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => return false,
            () = tokio::time::sleep(milliseconds(wait)) => {}
        }
    }
}
