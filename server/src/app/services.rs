//! The parts that answer requests and evaluate rules, made of the options.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use promql::EngineOptions;
use scraper::manager::Manager;
use tokio::sync::Semaphore;
use tracing::warn;

use super::App;
use crate::features::Enabled;
use crate::flags::AlertingOptions;
use crate::http::{self, HttpOptions, Lifecycle, PublicAddress, RuleQuestions, Services, State};
use crate::metrics::Metrics;
use crate::mixin::Mixin;
use crate::monitors::Wanted;
use crate::notifications::Notifications;
use crate::notify::Notifier;
use crate::queries::{LocalQueries, QueryLimits};
use crate::query_log::QueryLog;
use crate::reload::{Reloader, Reloads};
use crate::rules::concurrency::Permits;
use crate::rules::group::{Context as RuleContext, Restoring};
use crate::rules::lookout::Lookout;
use crate::rules::manager::RuleManager;
use crate::web::Access;

impl App {
    /// All of them; `access` says who may ask, if others than this host can.
    pub(super) fn services(
        &self,
        scrapes: Arc<Manager>,
        public: PublicAddress,
        access: Option<Arc<Access>>,
    ) -> anyhow::Result<State> {
        let enabled = Enabled::new(&self.options.shared.features);
        self.say_idle(&enabled);
        let queries = self.queries(&enabled);
        let query_log = Arc::<QueryLog>::default();
        let notifier = self.notifier(public.url())?;
        let context = self.rule_context(&enabled, queries.clone(), &query_log, notifier.clone());
        let rules = Arc::new(RuleManager::new(context, enabled.language, public.url()));
        let lookout = Lookout::new(rules.clone(), queries.clone(), self.clock.clone());
        let (monitors, starts) = (self.options.monitors.clone(), enabled.starts);
        let wanted = Arc::new(Wanted::new(monitors, scrapes.clone(), rules.clone(), starts));
        let (metrics, notifications) =
            (Arc::new(Metrics::default()), Arc::<Notifications>::default());
        let reloads = Reloads {
            wanted: wanted.clone(),
            rules: rules.clone(),
            notifier: notifier.clone(),
            queries: queries.clone(),
            query_log: query_log.clone(),
            notifications: notifications.clone(),
        };
        let file = self.options.file.as_ref();
        let reloader = file.map(|file| Arc::new(Reloader::new(file, reloads, metrics.clone())));
        let lifecycle =
            Lifecycle { enabled: self.options.lifecycle, reloader, quit: Arc::default() };
        Ok(Arc::new(Services {
            lifecycle,
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
            options: self.http_options(enabled, public, access),
        }))
    }

    fn say_idle(&self, enabled: &Enabled) {
        for name in &enabled.idle {
            warn!("--enable-feature={name} has no effect");
        }
        for name in &self.options.shared.idle {
            warn!("--{name} has no effect");
        }
    }

    fn queries(&self, enabled: &Enabled) -> Arc<LocalQueries> {
        let shared = &self.options.shared;
        let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get());
        let engine = EngineOptions {
            lookback_ms: shared.lookback_ms,
            subquery_step_ms: self.options.rules.defaults.interval_ms,
            threads,
            ..EngineOptions::default()
        };
        let size = |own: u64| usize::try_from(own).unwrap_or(usize::MAX);
        let limits = QueryLimits {
            samples_max: size(shared.samples_max),
            bytes_max: size(shared.memory_max),
            cache_bytes: size(shared.cache_bytes),
        };
        let (engine, language) = (enabled.engine(engine), enabled.language);
        Arc::new(LocalQueries::new(engine, language, limits, self.db.clone()))
    }

    /// How long a query may take.
    fn query_timeout(&self) -> Duration {
        Duration::from_millis(self.options.shared.timeout_ms.unsigned_abs())
    }

    fn rule_context(
        &self,
        enabled: &Enabled,
        queries: Arc<LocalQueries>,
        query_log: &Arc<QueryLog>,
        notify: Arc<Notifier>,
    ) -> RuleContext {
        let AlertingOptions { outage_tolerance_ms, grace_ms, resend_ms, concurrent_max, .. } =
            self.options.alerting;
        let permits = match enabled.concurrent_rules {
            true => Permits::new(concurrent_max),
            false => Permits::default(),
        };
        let question_log = RuleQuestions { log: query_log.clone(), clock: self.clock.clone() };
        RuleContext {
            queries,
            question_log: Arc::new(question_log),
            storage: self.db.clone(),
            clock: self.clock.clone(),
            notify,
            timeout: self.query_timeout(),
            resend_ms,
            permits,
            restoring: Restoring { outage_tolerance_ms, grace_ms },
        }
    }

    fn notifier(&self, url: String) -> anyhow::Result<Arc<Notifier>> {
        let AlertingOptions { grace_ms, resend_ms, notify, .. } = self.options.alerting;
        let notifier = Notifier::new(notify, url);
        if self.options.direct.is_none() {
            return Ok(Arc::new(notifier));
        }
        // A rule has had time to tell an alert again that fired before the start.
        let grace_ms = grace_ms.saturating_add(resend_ms.saturating_mul(4));
        let notifier = notifier.with_direct(self.clock.clone(), &self.directory, grace_ms)?;
        Ok(Arc::new(notifier))
    }

    fn http_options(
        &self,
        enabled: Enabled,
        public: PublicAddress,
        access: Option<Arc<Access>>,
    ) -> HttpOptions {
        let (own, shared) = (&self.options, &self.options.shared);
        HttpOptions {
            remote_write: own.remote_write,
            admin: own.admin,
            data_dir: self.directory.clone(),
            takes_late: own.out_of_order_ms > 0,
            public,
            query_timeout: self.query_timeout(),
            lookback_ms: shared.lookback_ms,
            enabled,
            follows_file: own.file.as_ref().is_some_and(|file| file.watch.is_some()),
            keeps_exemplars: own.exemplars_max != Some(0),
            origins: shared.origins.clone(),
            flags: shared.listed.clone(),
            retention: own.retention,
            replayed_segments: self.replayed_segments,
            notice: own.notice.clone(),
            access,
        }
    }
}
