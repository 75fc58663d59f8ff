//! Reading the configuration file again while the server runs: on SIGHUP, on request, and when it
//! has changed.
//!
//! A file is loaded whole before anything is changed, so a wrong one changes nothing. Then
//! [`Wanted`] is given the new jobs and groups, and the notifier the new Alertmanagers and
//! receivers; what stays as it is goes on. One reload at a time; each says one line in the log.
//! `storage` is what it was at the start.

use std::collections::hash_map::DefaultHasher;
use std::fs::File;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tracing::{error, info, warn};
use tsdb::model::Timestamp;

use crate::config::{self, Config, ConfigError};
use crate::metrics::Metrics;
use crate::monitors::{self, Wanted};
use crate::notifications::{Notifications, RELOAD_FAILED};
use crate::notify::Notifier;
use crate::packs::BuiltIn;
use crate::queries::LocalQueries;
use crate::query_log::QueryLog;
use crate::rules::manager::RuleManager;

/// A configuration file, as it was when the server started, and how it is watched.
#[derive(Clone, Debug)]
pub struct ConfigFile {
    /// Where it is.
    pub path: PathBuf,
    /// What it says.
    pub config: Config,
    /// The file of the built-in sender, if it is on.
    pub notify: Option<PathBuf>,
    /// How often is looked whether it has changed; `None`: never.
    pub watch: Option<Duration>,
    /// What is added to it.
    pub built_in: BuiltIn,
    /// Of what was read.
    fingerprint: u64,
}

impl ConfigFile {
    /// Loads a file, to be watched that often, and adds what is built in.
    pub fn load(
        path: &Path,
        watch: Option<Duration>,
        built_in: BuiltIn,
    ) -> Result<Self, ConfigError> {
        let mut config = config::load(path)?;
        built_in.add_jobs(&mut config);
        let fingerprint = fingerprint(path, &config, None);
        let path = path.to_owned();
        Ok(Self { path, config, notify: None, watch, built_in, fingerprint })
    }

    /// The same, watched and reloaded together with the file of the built-in sender.
    pub fn with_notify(mut self, path: &Path) -> Self {
        self.fingerprint = fingerprint(&self.path, &self.config, Some(path));
        self.notify = Some(path.to_owned());
        self
    }
}

/// Reloads one file.
pub struct Reloader {
    path: PathBuf,
    notify: Option<PathBuf>,
    reloads: Reloads,
    built_in: BuiltIn,
    metrics: Arc<Metrics>,
    /// What holds now.
    config: Mutex<Arc<Config>>,
    /// Of what was read last, whether or not it was good.
    tried: AtomicU64,
    one_at_a_time: tokio::sync::Mutex<()>,
}

/// Who takes what a file says.
pub struct Reloads {
    /// The jobs, and the groups of the rule files.
    pub wanted: Arc<Wanted>,
    /// Reads rule files.
    pub rules: Arc<RuleManager>,
    /// Sends alerts.
    pub notifier: Arc<Notifier>,
    /// The step of subqueries that name none.
    pub queries: Arc<LocalQueries>,
    /// Where queries are written.
    pub query_log: Arc<QueryLog>,
    /// Told whether the file could be loaded.
    pub notifications: Arc<Notifications>,
}

impl Reloader {
    /// For a file that was loaded, which `reloads` have taken.
    pub fn new(file: &ConfigFile, reloads: Reloads, metrics: Arc<Metrics>) -> Self {
        metrics.set_config_loaded(true);
        match open_query_log(&file.config) {
            Ok(file) => reloads.query_log.set(file),
            Err(error) => error!("queries are not logged: {error}"),
        }
        Self {
            path: file.path.clone(),
            notify: file.notify.clone(),
            reloads,
            built_in: file.built_in.clone(),
            metrics,
            config: Mutex::new(Arc::new(file.config.clone())),
            tried: AtomicU64::new(file.fingerprint),
            one_at_a_time: tokio::sync::Mutex::new(()),
        }
    }

    /// What holds now.
    pub fn config(&self) -> Arc<Config> {
        self.config.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Loads the file and makes it hold, or says why not; `why` is for the log.
    pub async fn reload(&self, why: &str) -> Result<(), String> {
        let _guard = self.one_at_a_time.lock().await;
        let (path, now) = (self.path.clone(), self.config());
        let (manager, built_in) = (self.reloads.rules.clone(), self.built_in.clone());
        let notify = self.notify.clone();
        let loaded = tokio::task::spawn_blocking(move || {
            let config = config::load(&path);
            let notify = notify.as_deref();
            let tried = fingerprint(&path, config.as_ref().unwrap_or(&now), notify);
            let loaded = config.map_err(|error| error.to_string()).and_then(|mut config| {
                built_in.add_jobs(&mut config);
                let mut rules = manager.load(&config).map_err(|error| error.to_string())?;
                built_in.add_rules(&mut rules);
                let queries = open_query_log(&config)?;
                let direct = notify.map(config::load_notify).transpose();
                Ok((config, rules, queries, direct.map_err(|error| error.to_string())?))
            });
            (loaded, tried)
        });
        let loaded = loaded.await.map(|(loaded, tried)| {
            self.tried.store(tried, Ordering::Relaxed);
            loaded
        });
        let (config, rules, queries, direct) = match loaded.map_err(|error| error.to_string()) {
            Ok(Ok(loaded)) => loaded,
            Ok(Err(error)) | Err(error) => return Err(self.refuse(why, &error)),
        };
        self.reloads.query_log.set(queries);
        let notifier = &self.reloads.notifier;
        notifier.apply(&config);
        direct.iter().for_each(|file| notifier.apply_direct(file));
        let defaults = monitors::defaults(&config.global);
        self.reloads.wanted.configure(config.jobs.clone(), rules, defaults).await;
        self.hold(config, why);
        Ok(())
    }

    fn hold(&self, config: Config, why: &str) {
        let jobs = config.jobs.len();
        self.reloads.queries.set_subquery_step(config.global.evaluation_interval_ms);
        info!("{} loaded ({why}): {jobs} jobs", self.path.display());
        self.note(true);
        let mut now = self.config.lock().unwrap_or_else(PoisonError::into_inner);
        if now.storage != config.storage {
            warn!("`storage` has changed, which takes effect at the next start");
        }
        *now = Arc::new(config);
    }

    fn note(&self, is_loaded: bool) {
        self.metrics.set_config_loaded(is_loaded);
        let now = Timestamp::from_ms(jiff::Timestamp::now().as_millisecond());
        self.reloads.notifications.set(RELOAD_FAILED, !is_loaded, now);
    }

    fn refuse(&self, why: &str, error: &str) -> String {
        self.note(false);
        let path = self.path.display();
        error!("{path} not loaded ({why}), the configuration stays as it was: {error}");
        format!("couldn't load configuration (--config.file={path:?}): {error}")
    }
}

fn open_query_log(config: &Config) -> Result<Option<File>, String> {
    let path = config.global.query_log.as_deref();
    let open = |path| QueryLog::open(path).map_err(|error| format!("{}: {error}", path.display()));
    path.map(open).transpose()
}

/// Says which addresses make no target.
pub fn say_failures(failures: Vec<scraper::manager::Failure>) {
    for failure in failures {
        let labels = &failure.discovered_labels;
        warn!("job {}: {labels} is no target: {}", failure.scrape_pool, failure.error);
    }
}

/// Reloads at each SIGHUP, for ever.
pub async fn on_signal(reloader: Arc<Reloader>) {
    match signal(SignalKind::hangup()) {
        Ok(mut signals) => {
            while signals.recv().await.is_some() {
                // The log has said why, if it failed.
                let _said = reloader.reload("SIGHUP").await;
            }
        }
        Err(error) => error!("SIGHUP cannot be waited for: {error}"),
    }
}

/// Looks every so often whether the file, or one that it names, has changed, and reloads when a
/// change has stood still from one look to the next; for ever. What counts is what stands in the
/// files, so a symbolic link that points elsewhere is noticed, and one that is written anew with
/// the same content is not.
pub async fn on_change(reloader: Arc<Reloader>, every: Duration) {
    let mut before = reloader.tried.load(Ordering::Relaxed);
    loop {
        tokio::time::sleep(every).await;
        let now = reloader.fingerprint().await;
        if now != reloader.tried.load(Ordering::Relaxed) && now == before {
            let _said = reloader.reload("changed").await;
        }
        before = now;
    }
}

impl Reloader {
    async fn fingerprint(&self) -> u64 {
        let (path, config, notify) = (self.path.clone(), self.config(), self.notify.clone());
        let found = move || fingerprint(&path, &config, notify.as_deref());
        tokio::task::spawn_blocking(found).await.unwrap_or_default()
    }
}

/// Of all files that count: the configuration, jobs, rules, and the built-in sender's.
fn fingerprint(path: &Path, config: &Config, notify: Option<&Path>) -> u64 {
    let mut hasher = DefaultHasher::new();
    for path in config::files(path, config).into_iter().chain(notify.map(Path::to_owned)) {
        path.hash(&mut hasher);
        std::fs::read(&path).ok().hash(&mut hasher);
    }
    hasher.finish()
}
