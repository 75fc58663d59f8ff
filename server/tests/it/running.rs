//! A server inside the test process, and what tests need to speak to it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use prost::Message;
use scraper::cycle::SystemClock;
use scraper::job::{FixedTargets, Job};
use server::app::{App, AppOptions};
use server::flags::{Command, Flags};
use server::ingest::remote_write::message::{FloatSample, LabelPair, TimeSeries, WriteRequest};
use server::monitors::MonitorSettings;
use server::rules::manager::RuleOptions;
use server::upkeep::Retention;
use server::web::{WebOptions, listen};
use tokio::sync::oneshot;
use tsdb::model::Labels;

/// A server that runs until it is dropped.
pub(crate) struct Running {
    /// Its address, without a slash at the end.
    pub(crate) url: String,
    client: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    done: tokio::task::JoinHandle<anyhow::Result<()>>,
}

/// Settings as `serve` has them without flags, with remote write on.
pub(crate) fn options() -> AppOptions {
    let args = ["inferometer", "serve"].map(str::to_owned);
    let Command::Serve(flags) = Flags::parse_from_args(args).unwrap().command else {
        unreachable!("the second word says serve")
    };
    AppOptions {
        shared: flags.shared,
        remote_write: true,
        admin: false,
        retention: Retention::default(),
        out_of_order_ms: 0,
        exemplars_max: None,
        file: None,
        lifecycle: false,
        rules: RuleOptions::default(),
        monitors: MonitorSettings::default(),
        alerting: flags.alerting.options(),
        direct: None,
        notice: None,
        web: WebOptions::default(),
    }
}

impl Running {
    /// Starts a server on a free port, with its store in `directory`.
    pub(crate) async fn start(directory: &Path, jobs: Vec<Job>) -> Self {
        Self::start_with(directory, jobs, options()).await
    }

    /// The same with other options.
    pub(crate) async fn start_with(directory: &Path, jobs: Vec<Job>, options: AppOptions) -> Self {
        Self::start_on("127.0.0.1:0", directory, jobs, options).await
    }

    /// On this address.
    pub(crate) async fn start_at(address: &str, directory: &Path, jobs: Vec<Job>) -> Self {
        Self::start_on(address, directory, jobs, options()).await
    }

    async fn start_on(
        address: &str,
        directory: &Path,
        jobs: Vec<Job>,
        options: AppOptions,
    ) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = listen(address).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = App::open(directory, options, Arc::new(SystemClock::new())).unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let done = tokio::spawn(app.serve(vec![listener], jobs, async { drop(stopped.await) }));
        let client = reqwest::Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
        Self { url, client, stop: Some(stop), done }
    }

    /// Status and body of a GET.
    pub(crate) async fn get(&self, path: &str) -> (u16, String) {
        let answer = self.client.get(format!("{}{path}", self.url)).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Sends series by remote write; status and body.
    pub(crate) async fn write(&self, series: Vec<TimeSeries>) -> (u16, String) {
        write(&self.client, &self.url, series).await
    }

    /// Stops in order.
    pub(crate) async fn stop(mut self) {
        drop(self.stop.take());
        self.done.await.unwrap().unwrap();
    }
}

/// Sends series by remote write to any server.
pub(crate) async fn write(
    client: &reqwest::Client,
    url: &str,
    series: Vec<TimeSeries>,
) -> (u16, String) {
    let message = WriteRequest { timeseries: series, metadata: Vec::new() }.encode_to_vec();
    let body = snap::raw::Encoder::new().compress_vec(&message).unwrap();
    let request = client
        .post(format!("{url}/api/v1/write"))
        .header("content-type", "application/x-protobuf")
        .header("content-encoding", "snappy")
        .header("x-prometheus-remote-write-version", "0.1.0")
        .body(body);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// A series as remote write sends it.
pub(crate) fn series(labels: &Labels, samples: impl IntoIterator<Item = (i64, f64)>) -> TimeSeries {
    let pairs = labels.iter();
    TimeSeries {
        labels: pairs
            .map(|(name, value)| LabelPair { name: name.into(), value: value.into() })
            .collect(),
        samples: samples
            .into_iter()
            .map(|(timestamp, value)| FloatSample { value, timestamp })
            .collect(),
        ..TimeSeries::default()
    }
}

/// A job with one target and nothing else said.
pub(crate) fn job(name: &str, address: String) -> Job {
    let labels = std::collections::BTreeMap::new();
    let fixed = FixedTargets { addresses: vec![address], labels };
    Job { interval_ms: 1_000, timeout_ms: 1_000, ..Job::with_targets(name, vec![fixed]) }
}

/// Our own test data.
pub(crate) fn testdata(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata").join(path)
}

/// A path of the shared material, or `None` (said on stdout) where it is absent; in CI absence
/// is a failure.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let full = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared").join(path);
    present(full, &format!("../shared/{path}"))
}

/// A program of a peer, or `None` (said on stdout) where it is absent.
pub(crate) fn peer(program: &str) -> Option<PathBuf> {
    let home = PathBuf::from(std::env::var_os("HOME")?);
    present(home.join(".cache/peers/root/usr/bin").join(program), program)
}

fn present(path: PathBuf, name: &str) -> Option<PathBuf> {
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var_os("INFEROMETER_REQUIRE").is_none(), "{name} is required and not there");
    let said = format!("skipped: {name} is not there\n");
    // Past the test harness, which shows nothing of a test that passes.
    drop(std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes()));
    None
}
