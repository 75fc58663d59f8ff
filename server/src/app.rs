//! All wiring: the parts are made, started and stopped here, in order, and meet nowhere else.
//!
//! 1. [`App::open`] opens the store and says what recovery dropped (`recovery`).
//! 2. [`App::serve`] makes the parts (`services`) of the [`AppOptions`], starts scraping and what is
//!    done again and again (`background`), then answers requests until asked to stop.
//! 3. Stopping: no new requests, those in progress are answered ([`DRAIN_TIMEOUT`]), rules and
//!    scrapes end ([`STOP_TIMEOUT`] each), the log is synced. An orchestrator never has to kill.

mod address;
mod background;
mod options;
mod recovery;
mod services;
mod signal;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Context;
use scraper::cycle::Clock;
use scraper::job::Job;
use scraper::manager::Manager;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::{info, warn};
use tsdb::Db;
use tsdb::disk::os::OsDisk;

use crate::http::{self, Services};
use crate::scraping::ScrapeThread;
use crate::web::{Access, Connections, Gate, Prefix, Server, systemd};
use background::Background;

pub use options::AppOptions;
pub use signal::signal;

/// How long requests in progress may still take when the server stops.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// How long each other part of stopping may take.
pub const STOP_TIMEOUT: Duration = Duration::from_millis(800);

/// Samples that are taken while the disk has no space: about ten minutes of 200 vLLM pods.
const UNLOGGED_SAMPLES_MAX: u64 = 16 << 20;

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
        recovery::say(directory, &recovery);
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
        let public = address::public(web, &listeners, scheme)?;
        let prefix = Prefix::new(web.route_prefix.as_deref().unwrap_or(&public.path));
        let (connections, read_timeout) = (Connections::new(web.connections_max), web.read_timeout);
        let is_reachable = listeners.iter().any(address::is_reachable);
        let seen = is_reachable.then(|| access.clone());
        let storage: Arc<dyn tsdb::Storage> = self.db.clone();
        let thread = ScrapeThread::start().context("no thread for scrapes")?;
        let scrapes = Arc::new(Manager::on(thread.handle(), storage, self.clock.clone()));
        let services = self.services(scrapes, public, seen)?;
        self.configure(&services, jobs).await;
        let (stopping, stopped) = watch::channel(false);
        let (store, own) = ((&self.db, &self.clock), stopped.clone());
        let mut background = Background::start(store, &self.options, &services, own)?;
        let gate = Gate::new(access, prefix, http::router(services.clone()), read_timeout);
        let server = tokio::spawn(Server::new(listeners, gate, connections).run(stopped));
        let manager = systemd::Manager::from_env();
        manager.say("READY=1");
        background.spawn(systemd::Manager::from_env().watchdog());
        tokio::select! {
            () = stop => {}
            () = services.lifecycle.quit.notified() => info!("asked to end by /-/quit"),
        }
        info!("stopping");
        manager.say("STOPPING=1");
        services.ready.store(false, Ordering::Release);
        services.notifications.end();
        let _ = stopping.send(true);
        end(&services, server).await;
        background.stop().await?;
        let db = self.db;
        tokio::task::spawn_blocking(move || db.sync()).await?.context("the log was not synced")?;
        info!("stopped; everything is on disk");
        Ok(())
    }

    /// Gives all parts what the configuration says.
    async fn configure(&self, services: &Services, jobs: Vec<Job>) {
        let options = &self.options;
        if let Some(file) = &options.file {
            services.notifier.apply(&file.config);
        }
        if let Some(file) = &options.direct {
            services.notifier.apply_direct(file);
        }
        let defaults = options.monitors.defaults;
        services.wanted.configure(jobs, options.rules.clone(), defaults).await;
    }
}

/// Waits for the requests that are still open, then for rules and scrapes, one after the other.
async fn end(services: &Services, mut server: JoinHandle<()>) {
    if tokio::time::timeout(DRAIN_TIMEOUT, &mut server).await.is_err() {
        server.abort();
        warn!("some requests were still open after {DRAIN_TIMEOUT:?} and were cut");
    }
    if tokio::time::timeout(STOP_TIMEOUT, services.rules.stop()).await.is_err() {
        warn!("some rules were still evaluated after {STOP_TIMEOUT:?}");
    }
    // Rules have told what they had to tell.
    services.notifier.stop().await;
    if tokio::time::timeout(STOP_TIMEOUT, services.scrapes.stop()).await.is_err() {
        warn!("some scrapes were still open after {STOP_TIMEOUT:?} and were cut");
    }
}
