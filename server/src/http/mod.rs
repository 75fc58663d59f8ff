//! The HTTP API: Prometheus's paths, parameters and answers.
//!
//! One file per endpoint family. [`State`] is what they share; [`router`] is the table of paths.
//! Blocking work (queries, look-ups, writes) runs on the blocking pool, never on a reactor thread.

mod admin;
mod discovery;
mod envelope;
mod error;
mod explain;
mod global_url;
mod json;
mod labels;
mod lifecycle;
mod metadata;
mod page;
mod params;
mod probe;
mod query;
mod relabel_steps;
mod rules;
mod series;
mod stats;
mod status;
mod status_tsdb;
mod targets;
mod targets_metadata;
mod write;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::Response;
use axum::routing::{get, post};
use scraper::cycle::Clock;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

use crate::ingest::remote_write::Receiver;
use crate::metrics::Metrics;
use crate::monitors::Wanted;
use crate::queries::Queries;
use crate::rules::manager::RuleManager;

pub use error::{ApiError, ErrorType};
pub use global_url::PublicAddress;
pub use lifecycle::Lifecycle;

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
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// What we export about ourselves.
    pub metrics: Arc<Metrics>,
    /// Whether queries are answered yet.
    pub ready: Arc<AtomicBool>,
    /// What reloads and what ends.
    pub lifecycle: Lifecycle,
    /// Switches and limits.
    pub options: HttpOptions,
}

/// Switches and limits of the API.
#[derive(Clone, Debug)]
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
    /// A sentence that the page shows on top.
    pub notice: Option<String>,
}

/// All paths.
pub fn router(state: State) -> Router {
    let api = Router::new()
        .route("/query", get(query::instant).post(query::instant))
        .route("/query_range", get(query::range).post(query::range))
        .route("/series", get(series::list).post(series::list))
        .route("/labels", get(labels::names).post(labels::names))
        .route("/label/{name}/values", get(labels::values))
        .route("/targets", get(targets::list))
        .route("/targets/metadata", get(targets_metadata::list))
        .route("/targets/relabel_steps", get(relabel_steps::list))
        .route("/scrape_pools", get(targets::pools))
        .route("/rules", get(rules::list))
        .route("/alerts", get(rules::alerts))
        .route("/metadata", get(metadata::list))
        .route("/status/buildinfo", get(status::build))
        .route("/status/config", get(lifecycle::config))
        .route("/status/discovery", get(discovery::list))
        .route("/status/notice", get(status::notice))
        .route("/status/tsdb", get(status_tsdb::cardinality))
        .route("/write", post(write::receive))
        .route("/admin/tsdb/delete_series", post(admin::delete_series).put(admin::delete_series))
        .route(
            "/admin/tsdb/clean_tombstones",
            post(admin::clean_tombstones).put(admin::clean_tombstones),
        )
        .route("/admin/tsdb/snapshot", post(admin::snapshot).put(admin::snapshot))
        .method_not_allowed_fallback(status::wrong_method)
        .fallback(status::unknown_path);
    Router::new()
        .nest("/api/v1", api)
        .route("/-/healthy", get(probe::healthy).head(probe::healthy))
        .route("/-/ready", get(probe::ready).head(probe::ready))
        .route("/metrics", get(status::metrics))
        .route(
            "/-/reload",
            post(lifecycle::reload).put(lifecycle::reload).fallback(lifecycle::wrong_method),
        )
        .route(
            "/-/quit",
            post(lifecycle::quit).put(lifecycle::quit).fallback(lifecycle::wrong_method),
        )
        .fallback(page::serve)
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .layer(axum::middleware::from_fn(cross_origin))
        .layer(axum::middleware::from_fn_with_state(state.clone(), status::count_request))
        .layer(CompressionLayer::new().gzip(true).zstd(true))
        .layer(CatchPanicLayer::new())
        .with_state(state)
}

/// Lets pages of other origins read the API, as Prometheus does by default.
async fn cross_origin(request: Request, next: Next) -> Response {
    const HEADERS: [(&str, &str); 4] = [
        ("access-control-allow-headers", "Accept, Authorization, Content-Type, Origin"),
        ("access-control-allow-methods", "GET, POST, OPTIONS"),
        ("access-control-allow-origin", "*"),
        ("access-control-expose-headers", "Date"),
    ];
    let from_page = request.headers().contains_key("origin");
    let mut response = next.run(request).await;
    if from_page {
        let headers = response.headers_mut();
        for (name, value) in HEADERS {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    response
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
