//! The file of `--web.config.file` (Prometheus's toolkit calls it the web configuration): TLS, who
//! may ask, headers, the rate limit.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue};

use super::{ConfigError, load};

/// What it says.
#[derive(Clone, Debug)]
pub struct WebConfig {
    /// TLS; `None`: plain HTTP.
    pub tls: Option<TlsServer>,
    /// Whether HTTP/2 is spoken through TLS.
    pub http2: bool,
    /// Headers of every answer.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// How many requests are answered.
    pub rate_limit: Option<RateLimit>,
    /// Hashes of passwords (bcrypt) by user.
    pub users: BTreeMap<String, String>,
    /// Where bearer tokens stand, one a line; our own.
    pub bearer_tokens_file: Option<PathBuf>,
}

/// A bucket of `burst` requests that one comes back to each `interval`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Longer than 0.
    pub interval: Duration,
    /// 1 at least.
    pub burst: u32,
}

/// `tls_server_config`
#[derive(Clone, Debug)]
pub struct TlsServer {
    /// Our certificate, and those between it and an authority.
    pub cert: Pem,
    /// Its key.
    pub key: Pem,
    /// Who vouches for clients.
    pub client_ca: Option<Pem>,
    /// What is asked of clients.
    pub client_auth: ClientAuth,
    /// Names of which a client's certificate has to have one.
    pub client_allowed_sans: Option<Vec<String>>,
    /// Go's names of suites, all known; none: all.
    pub cipher_suites: Vec<String>,
    /// Go's names of curves, all known; none: all.
    pub curve_preferences: Vec<String>,
    /// The oldest version.
    pub min_version: TlsVersion,
    /// The newest.
    pub max_version: TlsVersion,
    /// Whether our order of suites counts, and not the client's.
    pub prefer_server_cipher_suites: bool,
}

/// Certificates or a key.
#[derive(Clone)]
pub enum Pem {
    /// The text itself.
    Text(String),
    /// A file with it.
    File(PathBuf),
}

impl std::fmt::Debug for Pem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name("<secret>"))
    }
}

impl Pem {
    /// Where it stands; `field` for a text.
    pub fn name(&self, field: &str) -> String {
        match self {
            Self::Text(_) => field.to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }
}

/// What is asked of clients, as in Go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// Nothing.
    None,
    /// A certificate, which need not come and is not verified.
    Request,
    /// A certificate, which is not verified.
    RequireAny,
    /// That a certificate is good, if there is one.
    VerifyIfGiven,
    /// A good certificate.
    RequireAndVerify,
}

impl ClientAuth {
    /// The one of that name, if there is one.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "" | "NoClientCert" => Self::None,
            "RequestClientCert" => Self::Request,
            "RequireAnyClientCert" | "RequireClientCert" => Self::RequireAny,
            "VerifyClientCertIfGiven" => Self::VerifyIfGiven,
            "RequireAndVerifyClientCert" => Self::RequireAndVerify,
            _ => return None,
        })
    }

    /// Whether an authority is needed.
    pub(super) fn verifies(self) -> bool {
        matches!(self, Self::VerifyIfGiven | Self::RequireAndVerify)
    }

    /// Whether nobody comes in without a good certificate.
    pub fn checks_everybody(self) -> bool {
        self == Self::RequireAndVerify
    }
}

/// Versions of TLS that are spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "named as in the file")]
pub enum TlsVersion {
    Tls12,
    Tls13,
}

impl WebConfig {
    /// Reads and resolves a file; relative files in it are relative to its folder.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        load::web(path)
    }

    /// The files that it names.
    pub fn files(&self) -> Vec<PathBuf> {
        let tls = self
            .tls
            .iter()
            .flat_map(|tls| [Some(&tls.cert), Some(&tls.key), tls.client_ca.as_ref()]);
        let named = tls.flatten().filter_map(|pem| match pem {
            Pem::File(path) => Some(path.clone()),
            Pem::Text(_) => None,
        });
        named.chain(self.bearer_tokens_file.clone()).collect()
    }
}
