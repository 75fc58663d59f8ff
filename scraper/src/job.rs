//! A scrape job, resolved: everything that was to be decided is decided.
//!
//! Whoever reads configuration makes these; nothing here knows YAML or has hidden defaults.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use crate::relabel::Rule;

/// What to scrape, how often, and what to do with the page.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Its name: the `job` label, unless relabelling sets another.
    pub name: String,
    /// The targets that are written down.
    pub fixed: Vec<FixedTargets>,
    /// `http` or `https`, unless a target's `__scheme__` says otherwise.
    pub scheme: Scheme,
    /// The path of the page.
    pub metrics_path: String,
    /// Query parameters, each with its values in order.
    pub params: BTreeMap<String, Vec<String>>,
    /// Milliseconds from one scrape to the next.
    pub interval_ms: i64,
    /// Milliseconds after which a scrape has failed; at most `interval_ms`.
    pub timeout_ms: i64,
    /// Labels of the page win over the target's (else they are renamed to `exported_…`).
    pub honor_labels: bool,
    /// Timestamps on the page count.
    pub honor_timestamps: bool,
    /// Largest page in bytes after decompression; `None`: [`PAGE_BYTES_MAX`].
    pub body_bytes_max: Option<u64>,
    /// How to connect and who we are.
    pub client: ClientOptions,
    /// Applied to each target.
    pub relabel: Vec<Rule>,
    /// Applied to each series of a page.
    pub metric_relabel: Vec<Rule>,
}

/// Largest page that is ever read if a job sets no limit: 64 MiB. (Prometheus has no limit; a
/// real vLLM page has 58 KB, the largest exporters known about 10 MB.)
pub const PAGE_BYTES_MAX: u64 = 64 << 20;

/// Targets that stand in the configuration, with the labels they share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FixedTargets {
    /// `host:port` of each.
    pub addresses: Vec<String>,
    /// Labels of all of them.
    pub labels: BTreeMap<String, String>,
}

/// The scheme of a target's URL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scheme {
    /// Plain.
    #[default]
    Http,
    /// TLS.
    Https,
}

impl Scheme {
    /// As in a URL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// How to connect to a target.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientOptions {
    /// The `Authorization` header.
    pub authorization: Option<Authorization>,
    /// TLS.
    pub tls: TlsOptions,
    /// Whether redirects are followed.
    pub follow_redirects: bool,
    /// Whether HTTP/2 may be used.
    pub http2: bool,
}

impl Default for ClientOptions {
    fn default() -> Self {
        let tls = TlsOptions::default();
        Self { authorization: None, tls, follow_redirects: true, http2: true }
    }
}

/// Where a secret stands. Files are read again for each request, so that rotation works.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// In the configuration.
    Inline(String),
    /// In a file, surrounding white space stripped.
    File(PathBuf),
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inline(_) => f.write_str("<secret>"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Who we say that we are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authorization {
    /// `Authorization: <scheme> <credentials>`.
    Credentials {
        /// `Bearer`, usually.
        scheme: String,
        /// The token.
        credentials: Secret,
    },
    /// `Authorization: Basic …`.
    Basic {
        /// The user.
        username: String,
        /// The password, if there is one.
        password: Option<Secret>,
    },
}

/// How to speak TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// Certificates (PEM) to trust instead of the system's.
    pub ca: Option<Secret>,
    /// Our own certificate (PEM).
    pub certificate: Option<Secret>,
    /// Its key (PEM).
    pub key: Option<Secret>,
    /// The name to expect in the target's certificate, instead of the host in the URL.
    pub server_name: Option<String>,
    /// Accept any certificate.
    pub insecure_skip_verify: bool,
    /// Lowest version: `TLS12` or `TLS13`.
    pub min_version: Option<TlsVersion>,
    /// Highest version.
    pub max_version: Option<TlsVersion>,
}

/// A TLS version that both ends still speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// 1.2
    Tls12,
    /// 1.3
    Tls13,
}
