//! The HTTP clients of a job, or of something else that connects.
//!
//! One client serves all targets, unless `server_name` is set. Then the name to present and to
//! verify in TLS differs from the host to connect to: each target gets a client of its own that
//! is asked for `https://<server_name>:port/…`, resolves that name to the target's host, and
//! names the target's host in the `Host` header. That needs HTTP/1.1, where the two may differ.
//!
//! Certificates in files are compared with those that the clients were made with; if they have
//! changed, the clients are made anew.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Certificate, Client, ClientBuilder, Identity, Url, redirect, tls};

use super::USER_AGENT;
use super::error::REDIRECTS_MAX;
use super::{proxy, secret};
use crate::job::{ClientOptions, Secret, TlsOptions, TlsVersion};

/// All clients of a job.
#[derive(Debug)]
pub(super) struct Clients {
    options: ClientOptions,
    idle: Duration,
    material: Option<Material>,
    /// By the host to connect to; the empty name stands for all.
    by_host: HashMap<String, Client>,
}

/// Certificates and key as the clients know them.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
struct Material {
    ca: Option<Vec<u8>>,
    identity: Option<Vec<u8>>,
}

/// How to ask for a URL.
pub(super) struct Prepared {
    pub(super) client: Client,
    pub(super) url: Url,
    /// The `Host` header, if it is not the URL's.
    pub(super) host: Option<String>,
}

impl Clients {
    pub(super) fn new(options: &ClientOptions, idle: Duration) -> Self {
        Self { options: options.clone(), idle, material: None, by_host: HashMap::new() }
    }

    /// The client for `url`, and the URL and `Host` header to use with it.
    pub(super) fn for_url(&mut self, url: &str) -> Result<Prepared, String> {
        let mut url = Url::parse(url).map_err(|error| format!("invalid URL: {error}"))?;
        let material = Material::read(&self.options.tls)?;
        if self.material.as_ref() != Some(&material) {
            self.by_host.clear();
        }
        let (mut alias, mut host) = (None, None);
        if let Some(name) = self.options.tls.server_name.clone().filter(|_| url.scheme() == "https")
        {
            if proxy::is_used(&self.options.proxy, &url) {
                return Err("tls_config: server_name cannot be used through a proxy".into());
            }
            if name.parse::<IpAddr>().is_ok() {
                return Err("tls_config: server_name must be a name, not an address".into());
            }
            alias = Some(url.host_str().unwrap_or_default().to_owned());
            host = Some(url.authority().to_owned());
            url.set_host(Some(&name)).map_err(|error| format!("invalid server_name: {error}"))?;
        }
        let key = alias.clone().unwrap_or_default();
        let client = match self.by_host.get(&key) {
            Some(client) => client.clone(),
            None => self.build(&material, alias)?,
        };
        self.material = Some(material);
        self.by_host.insert(key, client.clone());
        Ok(Prepared { client, url, host })
    }

    fn build(&self, material: &Material, alias: Option<String>) -> Result<Client, String> {
        let redirects = match self.options.follow_redirects {
            true => redirect::Policy::limited(REDIRECTS_MAX),
            false => redirect::Policy::none(),
        };
        let mut builder = Client::builder()
            .user_agent(USER_AGENT)
            .redirect(redirects)
            .referer(false)
            .pool_idle_timeout(self.idle);
        if !self.options.http2 || alias.is_some() {
            builder = builder.http1_only();
        }
        if let Some(host) = alias {
            builder = builder.dns_resolver(Arc::new(Alias {
                name: self.options.tls.server_name.clone().unwrap_or_default(),
                host,
            }));
        }
        builder = proxy::apply(builder, &self.options.proxy)?;
        builder = material.apply(builder, &self.options.tls)?;
        builder.build().map_err(|error| super::error::describe(&error, ""))
    }
}

impl Material {
    fn read(tls: &TlsOptions) -> Result<Self, String> {
        let part = |secret: &Option<Secret>, what: &str| {
            let bytes = secret.as_ref().map(secret::read).transpose();
            bytes.map_err(|error| format!("unable to read {what}: {error}"))
        };
        let ca = part(&tls.ca, "CA certificate")?;
        let certificate = part(&tls.certificate, "client certificate")?;
        let key = part(&tls.key, "client key")?;
        let identity = match (certificate, key) {
            (Some(certificate), Some(key)) => Some([certificate, key].join(&b'\n')),
            (None, None) => None,
            _ => return Err("tls_config: cert and key must be given together".into()),
        };
        Ok(Self { ca, identity })
    }

    fn apply(&self, builder: ClientBuilder, tls: &TlsOptions) -> Result<ClientBuilder, String> {
        let mut builder = builder.tls_danger_accept_invalid_certs(tls.insecure_skip_verify);
        if let Some(version) = tls.min_version {
            builder = builder.tls_version_min(version_of(version));
        }
        if let Some(version) = tls.max_version {
            builder = builder.tls_version_max(version_of(version));
        }
        if let Some(ca) = &self.ca {
            let certificates = Certificate::from_pem_bundle(ca)
                .map_err(|_| "unable to use specified CA certificate".to_owned())?;
            if certificates.is_empty() {
                return Err("unable to use specified CA certificate: it holds none".into());
            }
            builder = builder.tls_certs_only(certificates);
        }
        if let Some(identity) = &self.identity {
            let identity = Identity::from_pem(identity)
                .map_err(|error| format!("unable to use specified client cert: {error}"))?;
            builder = builder.identity(identity);
        }
        Ok(builder)
    }
}

fn version_of(version: TlsVersion) -> tls::Version {
    match version {
        TlsVersion::Tls12 => tls::Version::TLS_1_2,
        TlsVersion::Tls13 => tls::Version::TLS_1_3,
    }
}

/// Resolves `name` to the addresses of `host`, every other name to its own.
struct Alias {
    name: String,
    host: String,
}

impl Resolve for Alias {
    fn resolve(&self, name: Name) -> Resolving {
        let wanted = name.as_str();
        let host = if wanted.eq_ignore_ascii_case(&self.name) { &self.host } else { wanted };
        let host = host.trim_matches(['[', ']']).to_owned();
        Box::pin(async move {
            // The port is the caller's; 0 stands in for it.
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host, 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
