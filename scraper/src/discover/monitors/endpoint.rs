//! What an endpoint of any monitor says of its job.

use tsdb::model::duration::parse_duration;

use super::rules::written;
use super::spec::{Common, Endpoint, Port};
use super::{Monitor, MonitorError};
use crate::job::{Job, Limits, Protocol, Scheme};

impl Port {
    /// As a text.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Name(name) => name.clone(),
        }
    }
}

impl Endpoint {
    /// Its job, without targets and without the rules that find them; those that the endpoint
    /// writes itself are there.
    pub(super) fn job(
        &self,
        monitor: &Monitor<'_>,
        path: &str,
        name: String,
        common: &Common,
    ) -> Result<Job, MonitorError> {
        let wrong = |field: &str, why: String| monitor.place.error(&format!("{path}.{field}"), why);
        let mut job = Job::new(name);
        job.scheme = match self.scheme.as_deref().unwrap_or("http").to_lowercase().as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            other => return Err(wrong("scheme", format!("{other:?} is neither http nor https"))),
        };
        (job.interval_ms, job.timeout_ms) = self.times(monitor, path)?;
        job.metrics_path =
            self.path.clone().filter(|path| !path.is_empty()).unwrap_or(job.metrics_path);
        job.params = self.params.clone();
        job.honor_labels = self.honor_labels;
        job.honor_timestamps = self.honor_timestamps.unwrap_or(true);
        job.track_timestamps_staleness = self.track_timestamps_staleness;
        job.client = self.client.options(monitor, path)?;
        job.relabel = written(monitor.place, &format!("{path}.relabelings"), &self.relabelings)?;
        let field = format!("{path}.metricRelabelings");
        job.metric_relabel = written(monitor.place, &field, &self.metric_relabelings)?;
        common
            .apply(&mut job)
            .map_err(|(field, why)| monitor.place.error(&format!("spec.{field}"), why))?;
        Ok(job)
    }

    /// Interval and timeout in milliseconds. A timeout that nobody wrote is never too long.
    fn times(&self, monitor: &Monitor<'_>, path: &str) -> Result<(i64, i64), MonitorError> {
        let parse = |text: &Option<String>, field: &str| match text.as_deref() {
            None | Some("") => Ok(None),
            Some(text) => parse_duration(text).map(Some).map_err(|error| {
                monitor.place.error(&format!("{path}.{field}"), error.to_string())
            }),
        };
        let defaults = monitor.defaults;
        let interval = parse(&self.interval, "interval")?.unwrap_or(defaults.interval_ms);
        let timeout = parse(&self.scrape_timeout, "scrapeTimeout")?;
        match timeout {
            Some(timeout) if timeout > interval => {
                let why = format!("is longer than the interval ({timeout} ms > {interval} ms)");
                Err(monitor.place.error(&format!("{path}.scrapeTimeout"), why))
            }
            timeout => Ok((interval, timeout.unwrap_or(defaults.timeout_ms.min(interval)))),
        }
    }
}

impl Common {
    fn apply(&self, job: &mut Job) -> Result<(), (&'static str, String)> {
        // 0 is no limit.
        let some = |limit: Option<u64>| limit.filter(|&limit| limit > 0);
        job.limits = Limits {
            body_bytes: self.body_size_limit.as_deref().map(bytes).transpose()?.flatten(),
            samples: some(self.sample_limit),
            targets: some(self.target_limit),
            labels: some(self.label_limit),
            label_name_bytes: some(self.label_name_length_limit),
            label_value_bytes: some(self.label_value_length_limit),
            dropped_kept: some(self.keep_dropped_targets),
            ..Limits::default()
        };
        let protocol = |field, name: &str| {
            let known = Protocol::ALL.into_iter().find(|known| known.as_str() == name);
            known.ok_or_else(|| (field, format!("{name:?} is none")))
        };
        if !self.scrape_protocols.is_empty() {
            let names = self.scrape_protocols.iter();
            job.protocols =
                names.map(|name| protocol("scrapeProtocols", name)).collect::<Result<_, _>>()?;
        }
        let fallback = self.fallback_scrape_protocol.as_deref();
        job.fallback = fallback.map(|name| protocol("fallbackScrapeProtocol", name)).transpose()?;
        Ok(())
    }
}

/// `10MB` in bytes, powers of 1024; 0 is no limit.
fn bytes(text: &str) -> Result<Option<u64>, (&'static str, String)> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..).unwrap_or_default() {
        "" | "B" => Some(1),
        "KB" | "KiB" => Some(1 << 10),
        "MB" | "MiB" => Some(1 << 20),
        "GB" | "GiB" => Some(1 << 30),
        "TB" | "TiB" => Some(1u64 << 40),
        _ => None,
    };
    let number = digits.parse::<u64>().ok();
    let bytes = number.zip(unit).and_then(|(number, unit)| number.checked_mul(unit));
    let bytes = bytes.ok_or_else(|| ("bodySizeLimit", format!("{text:?} is no size")))?;
    Ok(Some(bytes).filter(|&bytes| bytes > 0))
}
