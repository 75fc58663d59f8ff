//! The HTTP API: Prometheus's paths, parameters and answers.
//!
//! One file per endpoint family. [`State`] is what they share; [`router`] is the table of paths.
//! Blocking work (queries, look-ups, writes) runs on the blocking pool, never on a reactor thread.

mod access;
mod admin;
mod alertmanagers;
mod default_rollup;
mod discovery;
mod envelope;
mod error;
mod exemplars;
mod explain;
mod features;
mod federate;
mod json;
mod labels;
mod lifecycle;
mod metadata;
mod notifications;
mod openapi;
mod page;
mod params;
mod probe;
mod public_address;
mod query;
mod query_log;
mod relabel_steps;
mod routes;
mod rules;
mod runtime;
mod scrape_pool;
mod self_metrics;
mod series;
mod silences;
mod stats;
mod status;
mod status_rules;
mod status_tsdb;
mod syntax;
mod targets;
mod targets_metadata;
mod write;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use regex::Regex;
use scraper::cycle::Clock;
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tsdb::model::Timestamp;

use crate::features::Enabled;
use crate::ingest::remote_write::Receiver;
use crate::metrics::Metrics;
use crate::mixin::Mixin;
use crate::monitors::Wanted;
use crate::notifications::Notifications;
use crate::notify::Notifier;
use crate::queries::Queries;
use crate::query_log::QueryLog;
use crate::rules::lookout::Lookout;
use crate::rules::manager::RuleManager;
use crate::upkeep::Retention;
use crate::web::Access;

pub use error::{ApiError, ErrorType};
pub use lifecycle::Lifecycle;
pub use notifications::FOLLOWERS_MAX;
pub use public_address::PublicAddress;
pub use query_log::RuleQuestions;

/// Largest form body of a query, in bytes (queries are texts; Prometheus allows Go's 10 MB).
pub const FORM_BYTES_MAX: usize = 10 << 20;

/// What every handler gets: each layer of a request copies it.
pub type State = Arc<Services>;

/// What every handler may use.
pub struct Services {
    /// Answers queries.
    pub queries: Arc<dyn Queries>,
    /// The store: metadata, statistics, and where remote write goes.
    pub db: Arc<tsdb::Db>,
    /// Takes remote write requests.
    pub receiver: Arc<Receiver>,
    /// Finds and scrapes targets.
    pub scrapes: Arc<scraper::manager::Manager>,
    /// What the two are told, also by objects of Kubernetes.
    pub wanted: Arc<Wanted>,
    /// Evaluates rules.
    pub rules: Arc<RuleManager>,
    /// Says which metrics rules miss.
    pub lookout: Arc<Lookout>,
    /// Sends alerts.
    pub notifier: Arc<Notifier>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// When the server started.
    pub started: Timestamp,
    /// What the operator should know.
    pub notifications: Arc<Notifications>,
    /// How many more may follow them.
    pub followers: Arc<Semaphore>,
    /// What we export about ourselves.
    pub metrics: Arc<Metrics>,
    /// Whether queries are answered yet.
    pub ready: Arc<AtomicBool>,
    /// Where queries are written.
    pub query_log: Arc<QueryLog>,
    /// What Prometheus's dashboards ask for.
    pub mixin: Mixin,
    /// What reloads and what ends.
    pub lifecycle: Lifecycle,
    /// Switches and limits.
    pub options: HttpOptions,
}

/// Switches and limits of the API.
#[derive(Clone)]
pub struct HttpOptions {
    /// Accept samples at `/api/v1/write`.
    pub remote_write: bool,
    /// Answer at `/api/v1/admin/tsdb/`.
    pub admin: bool,
    /// Where the store is; snapshots go below it.
    pub data_dir: PathBuf,
    /// Whether late samples are taken.
    pub takes_late: bool,
    /// How others reach this server.
    pub public: PublicAddress,
    /// Longest time a query may take.
    pub query_timeout: Duration,
    /// How far back `/federate` looks, in ms, unless a query says otherwise.
    pub lookback_ms: i64,
    /// Which optional features are on.
    pub enabled: Enabled,
    /// Whether the configuration file is loaded again by itself when it has changed.
    pub follows_file: bool,
    /// Whether exemplars are kept.
    pub keeps_exemplars: bool,
    /// Origins whose pages may read the API.
    pub origins: Regex,
    /// Every flag with its value.
    pub flags: BTreeMap<String, String>,
    /// What is dropped.
    pub retention: Retention,
    /// Segments of the log that were replayed at the start.
    pub replayed_segments: usize,
    /// A sentence that the page shows on top.
    pub notice: Option<String>,
    /// Who may ask, if others than this host can; the page says it if that is everybody.
    pub access: Option<Arc<Access>>,
}

/// All paths.
pub fn router(state: State) -> Router {
    let api = routes::api()
        .into_iter()
        .fold(Router::new(), |api, (path, answers)| api.route(path, answers));
    let api = api
        .method_not_allowed_fallback(status::wrong_method)
        .fallback(status::unknown_path)
        .layer(from_fn_with_state(state.clone(), access::guard));
    routes::own()
        .into_iter()
        .fold(Router::new().nest("/api/v1", api), |all, (path, answers)| all.route(path, answers))
        .method_not_allowed_fallback(status::wrong_method)
        .fallback(page::serve)
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .layer(from_fn_with_state(state.clone(), status::count_request))
        .layer(CompressionLayer::new().gzip(true).deflate(true).zstd(true))
        .layer(CatchPanicLayer::new())
        .with_state(state)
}

/// The paths of the API, for tests and documents.
pub fn paths() -> impl Iterator<Item = String> {
    let own = routes::own().into_iter().map(|(path, _)| path.to_owned());
    let api = routes::api().into_iter().map(|(path, _)| format!("/api/v1{path}"));
    api.chain(own)
}

/// Runs blocking work off the reactor; a panic in it becomes an error of this request alone.
async fn blocking<T, F>(work: F) -> Result<T, ApiError>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, ApiError> + Send + 'static,
{
    let finished = tokio::task::spawn_blocking(work).await;
    finished.unwrap_or_else(|error| Err(ApiError::internal(error.to_string())))
}
