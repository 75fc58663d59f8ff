//! All wiring: the parts are made, started and stopped here, in order, and meet nowhere else.
//!
//! 1. [`App::open`] opens the store and says what recovery dropped.
//! 2. [`App::serve`] starts scraping, then answers requests and ticks until asked to stop.
//! 3. Stopping: no new requests, those in progress are answered ([`DRAIN_TIMEOUT`]), rules and
//!    scrapes end ([`STOP_TIMEOUT`] each), the log is synced. An orchestrator never has to kill.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use promql::EngineOptions;
use scraper::cycle::Clock;
use scraper::job::Job;
use scraper::manager::Manager;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tracing::{error, info, warn};
use tsdb::disk::os::OsDisk;
use tsdb::{Db, Dropped, Recovery};

use crate::config::NotifyFile;
use crate::discovery;
use crate::features::Enabled;
use crate::flags::{AlertingOptions, SharedFlags};
use crate::http::{self, HttpOptions, Lifecycle, PublicAddress, RuleQuestions, Services, State};
use crate::metrics::Metrics;
use crate::mixin::Mixin;
use crate::monitors::{MonitorSettings, Wanted};
use crate::notifications::Notifications;
use crate::notify::{Notifier, NotifyOptions};
use crate::queries::{LocalQueries, QueryLimits};
use crate::query_log::QueryLog;
use crate::reload::{self, ConfigFile, Reloader, Reloads};
use crate::rules::concurrency::Permits;
use crate::rules::group::{Context as RuleContext, Restoring};
use crate::rules::lookout::Lookout;
use crate::rules::manager::{RuleManager, RuleOptions};
use crate::scraping::ScrapeThread;
use crate::upkeep::{self, Retention};
use crate::web::{Access, Connections, Gate, Prefix, Server, WebOptions, systemd};

/// How long requests in progress may still take when the server stops.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// How long each other part of stopping may take.
pub const STOP_TIMEOUT: Duration = Duration::from_millis(800);

/// Samples that are taken while the disk has no space: about ten minutes of 200 vLLM pods.
const UNLOGGED_SAMPLES_MAX: u64 = 16 << 20;

/// What the parts are made of.
#[derive(Clone, Debug)]
pub struct AppOptions {
    /// Limits that all subcommands share.
    pub shared: SharedFlags,
    /// Accept remote write.
    pub remote_write: bool,
    /// Answer the admin API.
    pub admin: bool,
    /// What is dropped.
    pub retention: Retention,
    /// How late a sample may come, in ms; see [`tsdb::Options::out_of_order_ms`].
    pub out_of_order_ms: i64,
    /// How many exemplars are kept; `None`: as the store does by itself.
    pub exemplars_max: Option<usize>,
    /// The file that the jobs are from, if it can be read again.
    pub file: Option<ConfigFile>,
    /// Answer `/-/reload` and `/-/quit`.
    pub lifecycle: bool,
    /// Rules that are evaluated.
    pub rules: RuleOptions,
    /// Where monitors are read.
    pub monitors: MonitorSettings,
    /// How alerts are raised and sent.
    pub alerting: AlertingOptions,
    /// Whom the built-in sender tells, if it is on.
    pub direct: Option<NotifyFile>,
    /// A sentence that the page shows.
    pub notice: Option<String>,
    /// How it is served.
    pub web: WebOptions,
}

/// A server that is about to run.
pub struct App {
    db: Arc<Db>,
    directory: PathBuf,
    clock: Arc<dyn Clock>,
    options: AppOptions,
    replayed_segments: usize,
}

impl App {
    /// Opens the store in `directory`, replaying its log.
    pub fn open(
        directory: &Path,
        options: AppOptions,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let out_of_order_ms = options.out_of_order_ms;
        let usual = tsdb::Options::default();
        let limits = tsdb::Options {
            out_of_order_ms,
            unlogged_samples_max: UNLOGGED_SAMPLES_MAX,
            exemplars_max: options.exemplars_max.unwrap_or(usual.exemplars_max),
            ..usual
        };
        let (db, recovery) = Db::open(Arc::new(OsDisk), directory, limits)
            .with_context(|| format!("cannot open the store in {}", directory.display()))?;
        log_recovery(directory, &recovery);
        let replayed_segments = recovery.segments;
        let (db, directory) = (Arc::new(db), directory.to_owned());
        Ok(Self { db, directory, clock, options, replayed_segments })
    }

    /// What the page shows on top.
    pub fn set_notice(&mut self, notice: &str) {
        self.options.notice = Some(notice.to_owned());
    }

    /// The store.
    pub fn db(&self) -> &Arc<Db> {
        &self.db
    }

    /// Scrapes `jobs` and answers on `listeners` until `stop` is ready, then stops in order.
    pub async fn serve(
        self,
        listeners: Vec<TcpListener>,
        jobs: Vec<Job>,
        stop: impl Future<Output = ()>,
    ) -> anyhow::Result<()> {
        let web = &self.options.web;
        let access = Access::load(web.config_file.as_deref()).map_err(anyhow::Error::msg)?;
        let access = Arc::new(access);
        let scheme = if access.has_tls() { "https" } else { "http" };
        for listener in &listeners {
            info!("listening on {scheme}://{}", listener.local_addr()?);
        }
        let public = public_address(web, &listeners, scheme)?;
        let prefix = Prefix::new(web.route_prefix.as_deref().unwrap_or(&public.path));
        let (connections, read_timeout) = (Connections::new(web.connections_max), web.read_timeout);
        let is_reachable = listeners.iter().any(is_reachable);
        let seen = is_reachable.then(|| access.clone());
        let storage: Arc<dyn tsdb::Storage> = self.db.clone();
        let thread = ScrapeThread::start().context("no thread for scrapes")?;
        let scrapes = Arc::new(Manager::on(thread.handle(), storage, self.clock.clone()));
        let state = self.state(scrapes.clone(), public, seen)?;
        let rules = state.rules.clone();
        let notifier = state.notifier.clone();
        if let Some(file) = &self.options.file {
            notifier.apply(&file.config);
        }
        if let Some(file) = &self.options.direct {
            notifier.apply_direct(file);
        }
        let defaults = self.options.monitors.defaults;
        state.wanted.configure(jobs, self.options.rules.clone(), defaults).await;
        let lookout = state.lookout.clone();
        let (ready, notifications) = (state.ready.clone(), state.notifications.clone());
        let (stopping, stopped) = watch::channel(false);
        let mut ticks = tokio::task::JoinSet::new();
        ticks.spawn(upkeep::sync_log(
            self.db.clone(),
            self.options.shared.sync_ms,
            stopped.clone(),
        ));
        let quit = state.lifecycle.quit.clone();
        if let Some(reloader) = &state.lifecycle.reloader {
            ticks.spawn(reload::on_signal(reloader.clone()));
            if let Some(every) = self.options.file.as_ref().and_then(|file| file.watch) {
                ticks.spawn(reload::on_change(reloader.clone(), every));
            }
        }
        let retention = self.options.retention;
        ticks.spawn(lookout.watch());
        let (wanted, told) = (state.wanted.clone(), notifier.clone());
        ticks.spawn(discovery::say_problems(scrapes.clone(), wanted.clone(), told));
        ticks.spawn(wanted.follow());
        ticks.spawn(upkeep::drop_old(self.db.clone(), self.clock.clone(), retention));
        let writer = upkeep::BlockWriter::start(
            self.db.clone(),
            self.clock.clone(),
            retention.bytes,
            state.metrics.clone(),
        )?;
        let gate = Gate::new(access, prefix, http::router(state), read_timeout);
        let server = tokio::spawn(Server::new(listeners, gate, connections).run(stopped));
        let manager = systemd::Manager::from_env();
        manager.say("READY=1");
        ticks.spawn(systemd::Manager::from_env().watchdog());
        tokio::select! {
            () = stop => {}
            () = quit.notified() => info!("asked to end by /-/quit"),
        }
        info!("stopping");
        manager.say("STOPPING=1");
        ready.store(false, Ordering::Release);
        notifications.end();
        let _ = stopping.send(true);
        let mut server = server;
        if tokio::time::timeout(DRAIN_TIMEOUT, &mut server).await.is_err() {
            server.abort();
            warn!("some requests were still open after {DRAIN_TIMEOUT:?} and were cut");
        }
        if tokio::time::timeout(STOP_TIMEOUT, rules.stop()).await.is_err() {
            warn!("some rules were still evaluated after {STOP_TIMEOUT:?}");
        }
        // Rules have told what they had to tell.
        notifier.stop().await;
        if tokio::time::timeout(STOP_TIMEOUT, scrapes.stop()).await.is_err() {
            warn!("some scrapes were still open after {STOP_TIMEOUT:?} and were cut");
        }
        ticks.abort_all();
        tokio::task::spawn_blocking(move || writer.stop()).await?;
        let db = self.db;
        tokio::task::spawn_blocking(move || db.sync()).await?.context("the log was not synced")?;
        info!("stopped; everything is on disk");
        Ok(())
    }

    fn state(
        &self,
        scrapes: Arc<Manager>,
        public: PublicAddress,
        access: Option<Arc<Access>>,
    ) -> anyhow::Result<State> {
        let shared = &self.options.shared;
        let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get());
        let lookback_ms = shared.lookback_ms;
        let enabled = Enabled::new(&shared.features);
        for name in &enabled.idle {
            warn!("--enable-feature={name} has no effect");
        }
        for name in &shared.idle {
            warn!("--{name} has no effect");
        }
        let subquery_step_ms = self.options.rules.defaults.interval_ms;
        let engine =
            EngineOptions { lookback_ms, subquery_step_ms, threads, ..EngineOptions::default() };
        let engine = enabled.engine(engine);
        let size = |own: u64| usize::try_from(own).unwrap_or(usize::MAX);
        let limits = QueryLimits {
            samples_max: size(shared.samples_max),
            bytes_max: size(shared.memory_max),
            cache_bytes: size(shared.cache_bytes),
        };
        let queries =
            Arc::new(LocalQueries::new(engine, enabled.language, limits, self.db.clone()));
        let timeout = Duration::from_millis(shared.timeout_ms.unsigned_abs());
        let alerting = self.options.alerting;
        let AlertingOptions { outage_tolerance_ms, grace_ms, resend_ms, notify, .. } = alerting;
        let permits = match enabled.concurrent_rules {
            true => Permits::new(alerting.concurrent_max),
            false => Permits::default(),
        };
        let notifier = self.notifier(notify, public.url())?;
        let query_log = Arc::<QueryLog>::default();
        let question_log = RuleQuestions { log: query_log.clone(), clock: self.clock.clone() };
        let rules = RuleContext {
            queries: queries.clone(),
            question_log: Arc::new(question_log),
            storage: self.db.clone(),
            clock: self.clock.clone(),
            notify: notifier.clone(),
            timeout,
            resend_ms,
            permits,
            restoring: Restoring { outage_tolerance_ms, grace_ms },
        };
        let rules = Arc::new(RuleManager::new(rules, enabled.language, public.url()));
        let lookout = Lookout::new(rules.clone(), queries.clone(), self.clock.clone());
        let metrics = Arc::new(Metrics::default());
        let (monitors, starts) = (self.options.monitors.clone(), enabled.starts);
        let wanted = Wanted::new(monitors, scrapes.clone(), rules.clone(), starts);
        let wanted = Arc::new(wanted);
        let reloader = self.options.file.as_ref();
        let notifications = Arc::<Notifications>::default();
        let reloader = reloader.map(|file| {
            let reloads = Reloads {
                wanted: wanted.clone(),
                rules: rules.clone(),
                notifier: notifier.clone(),
                queries: queries.clone(),
                query_log: query_log.clone(),
                notifications: notifications.clone(),
            };
            Reloader::new(file, reloads, metrics.clone())
        });
        Ok(Arc::new(Services {
            lifecycle: Lifecycle {
                enabled: self.options.lifecycle,
                reloader: reloader.map(Arc::new),
                quit: Arc::default(),
            },
            queries,
            lookout: Arc::new(lookout),
            rules,
            notifier,
            db: self.db.clone(),
            receiver: Arc::default(),
            scrapes,
            wanted,
            clock: self.clock.clone(),
            started: self.clock.now(),
            notifications,
            query_log,
            mixin: Mixin::default(),
            followers: Arc::new(Semaphore::new(http::FOLLOWERS_MAX)),
            metrics,
            ready: Arc::new(AtomicBool::new(true)),
            options: HttpOptions {
                remote_write: self.options.remote_write,
                admin: self.options.admin,
                data_dir: self.directory.clone(),
                takes_late: self.options.out_of_order_ms > 0,
                public,
                query_timeout: timeout,
                lookback_ms,
                enabled,
                follows_file: self.options.file.as_ref().is_some_and(|file| file.watch.is_some()),
                keeps_exemplars: self.options.exemplars_max != Some(0),
                origins: shared.origins.clone(),
                flags: shared.listed.clone(),
                retention: self.options.retention,
                replayed_segments: self.replayed_segments,
                notice: self.options.notice.clone(),
                access,
            },
        }))
    }

    fn notifier(&self, options: NotifyOptions, url: String) -> anyhow::Result<Arc<Notifier>> {
        let notifier = Notifier::new(options, url);
        if self.options.direct.is_none() {
            return Ok(Arc::new(notifier));
        }
        // A rule has had time to tell an alert again that fired before the start.
        let AlertingOptions { grace_ms, resend_ms, .. } = self.options.alerting;
        let grace_ms = grace_ms.saturating_add(resend_ms.saturating_mul(4));
        let notifier = notifier.with_direct(self.clock.clone(), &self.directory, grace_ms)?;
        Ok(Arc::new(notifier))
    }
}

/// Says what was found on disk, and every byte of it that was not read.
fn log_recovery(directory: &Path, recovery: &Recovery) {
    let Recovery { blocks, segments, commits, samples, rejected, .. } = recovery;
    info!(
        "store opened in {}: {samples} samples, {blocks} blocks, {commits} commits in {segments} \
         log segments",
        directory.display()
    );
    for Dropped { path, offset, bytes, reason, is_torn } in &recovery.dropped {
        let file = path.display();
        if *is_torn {
            info!("{file}: a last write of {bytes} bytes at {offset} was cut off by a crash");
        } else if path.extension().is_some_and(|end| end == "damaged") {
            warn!(
                "a damaged block was put aside as {file}, and its samples are not shown: {reason}"
            );
        } else {
            warn!(
                "{file}: {bytes} bytes from {offset} on were not read: {reason}; the file is kept"
            );
        }
    }
    if *rejected > 0 {
        warn!("{rejected} logged samples could not be stored again");
    }
}

/// How others reach us.
fn public_address(
    web: &WebOptions,
    listeners: &[TcpListener],
    scheme: &str,
) -> anyhow::Result<PublicAddress> {
    let first = listeners.first().and_then(|listener| listener.local_addr().ok());
    let own = PublicAddress::of_host(scheme, first.map_or(0, |address| address.port()));
    let Some(written) = &web.external_url else { return Ok(own) };
    own.with_external_url(written).map_err(anyhow::Error::msg)
}

/// Whether others than this host can reach it.
fn is_reachable(listener: &TcpListener) -> bool {
    listener.local_addr().is_ok_and(|address| !address.ip().is_loopback())
}

/// Ready at SIGINT (Ctrl-C) or SIGTERM.
pub async fn signal() {
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signals) => drop(signals.recv().await),
            Err(error) => {
                error!("SIGTERM cannot be waited for: {error}");
                std::future::pending().await
            }
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}
