//! How to connect to whom: the options of an HTTP client, for targets and for discovery alike.
//!
//! Only what was configured; `fetch` makes clients of it. Secrets are never shown by `Debug`, and
//! those in files are read again for each request, so that they can be replaced.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

/// How to connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientOptions {
    /// The `Authorization` header.
    pub authorization: Option<Authorization>,
    /// TLS.
    pub tls: TlsOptions,
    /// What stands in between.
    pub proxy: Proxy,
    /// More headers, each with its values (`http_headers`), beside those that we send by ourselves.
    pub headers: BTreeMap<String, Vec<Secret>>,
    /// Whether redirects are followed.
    pub follow_redirects: bool,
    /// Whether HTTP/2 may be used.
    pub http2: bool,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            authorization: None,
            tls: TlsOptions::default(),
            proxy: Proxy::default(),
            headers: BTreeMap::new(),
            follow_redirects: true,
            http2: true,
        }
    }
}

/// Where a secret stands.
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
        username: Secret,
        /// The password, if there is one.
        password: Option<Secret>,
    },
    /// `Authorization: Bearer <token>`, the token asked of a server and kept while it is good.
    OAuth2(Box<OAuth2>),
}

/// Shows a URL without its password, if it has one, as Go does.
pub struct Redacted<'a>(pub &'a str);

impl fmt::Display for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, behind) = self.0.split_once("://").unwrap_or(("", self.0));
        let end = behind.find(['/', '?', '#']).unwrap_or(behind.len());
        let (authority, rest) = behind.split_at(end);
        match authority
            .rsplit_once('@')
            .and_then(|(user, host)| Some((user.split_once(':')?, host)))
        {
            Some(((user, _), host)) => write!(f, "{scheme}://{user}:xxxxx@{host}{rest}"),
            None => f.write_str(self.0),
        }
    }
}

impl fmt::Debug for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

/// How to ask for a token (RFC 6749, 4.4: client credentials).
#[derive(Clone, PartialEq, Eq)]
pub struct OAuth2 {
    /// Who asks.
    pub client_id: String,
    /// Its password.
    pub client_secret: Secret,
    /// What the token is to be good for.
    pub scopes: Vec<String>,
    /// Where to ask.
    pub token_url: String,
    /// What else the form has.
    pub params: BTreeMap<String, String>,
    /// TLS with the server of tokens.
    pub tls: TlsOptions,
    /// What stands in between.
    pub proxy: Proxy,
}

impl fmt::Debug for OAuth2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("OAuth2");
        shown.field("client_id", &self.client_id).field("client_secret", &self.client_secret);
        shown.field("scopes", &self.scopes).field("token_url", &Redacted(&self.token_url));
        shown.field("params", &self.params).field("tls", &self.tls).field("proxy", &self.proxy);
        shown.finish()
    }
}

/// The way through a proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxy {
    /// Which.
    pub server: ProxyServer,
    /// Headers of the `CONNECT` request to it, each with its values.
    pub connect_headers: BTreeMap<String, Vec<Secret>>,
}

/// Which proxy is asked.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum ProxyServer {
    /// None.
    #[default]
    Direct,
    /// This one, except for some hosts.
    Url {
        /// `http`, `https`, `socks5` or `socks5h`; may hold user and password.
        url: String,
        /// Hosts, domains, addresses and networks that are reached directly, between commas.
        no_proxy: String,
    },
    /// As the environment says.
    Environment(Environment),
}

impl fmt::Debug for ProxyServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct => f.write_str("Direct"),
            Self::Url { url, no_proxy } => {
                write!(f, "Url({}, except {no_proxy:?})", Redacted(url))
            }
            Self::Environment(_) => f.write_str("Environment"),
        }
    }
}

/// `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, or the same in small letters, as they were when
/// the configuration was read; empty if not set.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// For `http` URLs.
    pub http: String,
    /// For `https` URLs.
    pub https: String,
    /// As in [`ProxyServer::Url`].
    pub no_proxy: String,
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
