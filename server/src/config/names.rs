//! Names that are not read: what Prometheus means by them, and what to write instead.
//!
//! One table for each section. Source of the names: Prometheus 3.14 (`config`, `discovery`) and
//! its common library (`config/http_config`).

use super::error::Problem;
use super::nearest::nearest;
use super::raw::{self, Section};
use super::yaml::At;

/// Names of a section that Prometheus reads and we do not, with what to do instead.
type Unsupported = &'static [(&'static [&'static str], &'static str)];

/// A section, as far as its names go.
pub(super) struct Level {
    /// As in "… is not a setting of …".
    title: &'static str,
    read: &'static [&'static str],
    unsupported: Unsupported,
}

macro_rules! level {
    ($section:ident, $title:literal, $unsupported:expr) => {
        Level { title: $title, read: raw::$section::NAMES, unsupported: $unsupported }
    };
}

pub(super) const FILE: Level = level!(File, "the file's top level", OF_FILE);
pub(super) const GLOBAL: Level = level!(Global, "`global`", OF_GLOBAL);
pub(super) const STORAGE: Level = level!(Storage, "`storage`", OF_STORAGE);
pub(super) const TSDB: Level = level!(Tsdb, "`tsdb`", OF_TSDB);
pub(super) const RETENTION: Level = level!(Retention, "`retention`", OF_RETENTION);
pub(super) const SCRAPE_CONFIG: Level = level!(ScrapeConfig, "`scrape_configs`", OF_SCRAPE_CONFIG);
pub(super) const STATIC_CONFIG: Level = level!(StaticConfig, "`static_configs`", &[]);
pub(super) const RELABEL_CONFIG: Level = level!(RelabelConfig, "a relabel rule", &[]);
pub(super) const AUTHORIZATION: Level = level!(Authorization, "`authorization`", OF_AUTHORIZATION);
pub(super) const BASIC_AUTH: Level = level!(BasicAuth, "`basic_auth`", OF_BASIC_AUTH);
pub(super) const TLS_CONFIG: Level = level!(TlsConfig, "`tls_config`", OF_TLS_CONFIG);

/// All of them, for names that stand at the wrong level.
const LEVELS: [Level; 11] = [
    FILE,
    GLOBAL,
    STORAGE,
    TSDB,
    RETENTION,
    SCRAPE_CONFIG,
    STATIC_CONFIG,
    RELABEL_CONFIG,
    AUTHORIZATION,
    BASIC_AUTH,
    TLS_CONFIG,
];

const OF_FILE: Unsupported = &[
    (&["alerting"], "no alerts are sent; leave it out"),
    (&["otlp"], "metrics arrive by scraping or remote write; leave it out"),
    (&["remote_read"], "queries read what is stored here; leave it out"),
    (&["remote_write"], "samples are stored here and not sent on; leave it out"),
    (&["rule_files"], "rules are not evaluated; leave it out"),
    (&["runtime"], "it tunes the garbage collector of Go, and there is none; leave it out"),
    (&["scrape_config_files"], "write the jobs in `scrape_configs` of this file"),
    (&["tracing"], "no traces are sent; leave it out"),
];

const OF_GLOBAL: Unsupported = &[
    (&["body_size_limit"], "write `body_size_limit` in each job of `scrape_configs`"),
    (&["query_log_file"], "queries are not logged; leave it out"),
    (&["rule_query_offset"], "rules are not evaluated; leave it out"),
    (PAGE_LIMITS, PAGE_LIMITS_CURE),
    (NAME_SCHEMES, NAME_SCHEMES_CURE),
    (NATIVE_HISTOGRAMS, NATIVE_HISTOGRAMS_CURE),
    (SCRAPING, SCRAPING_CURE),
];

const OF_STORAGE: Unsupported = &[(&["exemplars"], "100000 exemplars are kept; leave it out")];

const OF_TSDB: Unsupported = &[
    (&["chunk_encoding"], "each column is stored in the form that suits it; leave it out"),
    (
        &["stale_series_compaction_threshold"],
        "series that ended leave the memory with the next block; leave it out",
    ),
];

const OF_RETENTION: Unsupported = &[(&["percentage"], "write the bytes as `size`")];

const OF_SCRAPE_CONFIG: Unsupported = &[
    (
        &["dns_sd_configs", "file_sd_configs", "http_sd_configs", "kubernetes_sd_configs"],
        "write the targets in `static_configs`",
    ),
    (OTHER_DISCOVERY, OTHER_DISCOVERY_CURE),
    (
        &["native_histogram_bucket_limit", "native_histogram_min_bucket_factor"],
        NATIVE_HISTOGRAMS_CURE,
    ),
    (&["fallback_scrape_protocol"], "the format follows from the Content-Type alone; leave it out"),
    (
        &["track_timestamps_staleness"],
        "series with timestamps get no stale markers, the default; leave it out",
    ),
    (&["enable_compression"], "pages are always asked for compressed; leave it out"),
    (
        &["http_headers"],
        "only the Authorization header can be set, by `authorization` or `basic_auth`",
    ),
    (
        &["oauth2"],
        "write `authorization` with a `credentials_file` that something else keeps fresh",
    ),
    (
        &["no_proxy", "proxy_connect_header", "proxy_from_environment", "proxy_url"],
        "a job has no proxy of its own; leave it out",
    ),
    (PAGE_LIMITS, PAGE_LIMITS_CURE),
    (NAME_SCHEMES, NAME_SCHEMES_CURE),
    (NATIVE_HISTOGRAMS, NATIVE_HISTOGRAMS_CURE),
    (SCRAPING, SCRAPING_CURE),
];

const OTHER_DISCOVERY: &[&str] = &[
    "aws_sd_configs",
    "azure_sd_configs",
    "consul_sd_configs",
    "digitalocean_sd_configs",
    "docker_sd_configs",
    "dockerswarm_sd_configs",
    "ec2_sd_configs",
    "eureka_sd_configs",
    "gce_sd_configs",
    "hetzner_sd_configs",
    "ionos_sd_configs",
    "kuma_sd_configs",
    "lightsail_sd_configs",
    "linode_sd_configs",
    "marathon_sd_configs",
    "nerve_sd_configs",
    "nomad_sd_configs",
    "oci_sd_configs",
    "openstack_sd_configs",
    "outscale_sd_configs",
    "ovhcloud_sd_configs",
    "puppetdb_sd_configs",
    "scaleway_sd_configs",
    "serverset_sd_configs",
    "stackit_sd_configs",
    "triton_sd_configs",
    "uyuni_sd_configs",
    "vultr_sd_configs",
];
const OTHER_DISCOVERY_CURE: &str = "write the targets in `static_configs`; for this kind of \
    discovery `http_sd_configs` will be the bridge";

const PAGE_LIMITS: &[&str] = &[
    "label_limit",
    "label_name_length_limit",
    "label_value_length_limit",
    "sample_limit",
    "target_limit",
];
const PAGE_LIMITS_CURE: &str = "`body_size_limit` of a job is the only limit; leave it out";

const NAME_SCHEMES: &[&str] = &["metric_name_escaping_scheme", "metric_name_validation_scheme"];
const NAME_SCHEMES_CURE: &str = "names are UTF-8, which is Prometheus's default; leave it out";

const NATIVE_HISTOGRAMS: &[&str] = &[
    "always_scrape_classic_histograms",
    "convert_classic_histograms_to_nhcb",
    "scrape_native_histograms",
];
const NATIVE_HISTOGRAMS_CURE: &str =
    "histograms are scraped as classic ones, with `le` buckets; leave it out";

const SCRAPING: &[&str] = &[
    "extra_scrape_metrics",
    "keep_dropped_targets",
    "scrape_failure_log_file",
    "scrape_protocols",
];
const SCRAPING_CURE: &str = "pages are OpenMetrics 1.0 or text 0.0.4, and a failed scrape is \
    shown with its target; leave it out";

const OF_AUTHORIZATION: Unsupported =
    &[(&["credentials_ref"], "write `credentials` or `credentials_file`")];

const OF_BASIC_AUTH: Unsupported = &[
    (&["username_file", "username_ref"], "write the name as `username`"),
    (&["password_ref"], "write `password` or `password_file`"),
];

const OF_TLS_CONFIG: Unsupported = &[
    (&["ca_ref"], "write `ca` or `ca_file`"),
    (&["cert_ref"], "write `cert` or `cert_file`"),
    (&["key_ref"], "write `key` or `key_file`"),
];

impl Level {
    /// Why `name` is not read here, and what to write instead.
    pub(super) fn refuse(&self, name: &At<String>) -> Problem {
        let (written, place) = (name.value.as_str(), name.place);
        let unsupported =
            |level: &Level| level.unsupported.iter().find(|(n, _)| n.contains(&written));
        if let Some((_, cure)) = unsupported(self) {
            let what = "is a Prometheus setting that Inferometer does not support yet";
            return Problem { place, text: format!("`{written}` {what}: {cure}") };
        }
        let what = format!("`{written}` is not a setting of {}", self.title);
        if let Some(near) = nearest(written, self.names()) {
            return Problem::new(place, what, format!("did you mean `{near}`?"));
        }
        if let Some(other) = LEVELS.iter().find(|level| level.names().any(|n| n == written)) {
            return Problem::new(place, what, format!("it belongs in {}", other.title));
        }
        Problem::new(place, what, format!("settings here are {}", self.read.join(", ")))
    }

    /// Every name that Prometheus reads here.
    fn names(&self) -> impl Iterator<Item = &'static str> {
        let unsupported = self.unsupported.iter().flat_map(|(names, _)| names.iter());
        self.read.iter().chain(unsupported).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANUAL: &str = include_str!("../../../docs/config.md");

    #[test]
    fn the_manual_names_each_setting() {
        for level in &LEVELS {
            for name in level.names() {
                assert!(MANUAL.contains(&format!("`{name}`")), "{} lacks {name}", level.title);
            }
        }
    }

    #[test]
    fn no_name_is_read_and_refused() {
        for level in &LEVELS {
            let mut names: Vec<&str> = level.names().collect();
            let all = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), all, "{}", level.title);
        }
    }
}
