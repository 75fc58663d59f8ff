//! How a monitor says to connect. Secrets are looked up in the monitor's own namespace.

use std::path::PathBuf;

use super::spec::{Client, Key, SecretOrConfigMap, Tls};
use super::{Monitor, MonitorError};
use crate::job::{
    Authorization, ClientOptions, Proxy, ProxyServer, Secret, TlsOptions, TlsVersion,
};

impl Client {
    pub(super) fn options(
        &self,
        monitor: &Monitor<'_>,
        path: &str,
    ) -> Result<ClientOptions, MonitorError> {
        let mut options = ClientOptions::default();
        if self.oauth2.is_some() {
            return Err(monitor
                .place
                .error(&format!("{path}.oauth2"), "is not supported in monitors"));
        }
        options.authorization = self.authorization(monitor, path)?;
        if let Some(tls) = &self.tls_config {
            options.tls = tls.options(monitor, &format!("{path}.tlsConfig"))?;
        }
        options.follow_redirects = self.follow_redirects.unwrap_or(true);
        options.http2 = self.http2.unwrap_or(true);
        if let Some(url) = &self.proxy_url {
            let no_proxy = self.no_proxy.clone().unwrap_or_default();
            let server = ProxyServer::Url { url: url.clone(), no_proxy };
            options.proxy = Proxy { server, ..Proxy::default() };
        }
        Ok(options)
    }

    fn authorization(
        &self,
        monitor: &Monitor<'_>,
        path: &str,
    ) -> Result<Option<Authorization>, MonitorError> {
        let bearer =
            |credentials| Authorization::Credentials { scheme: "Bearer".into(), credentials };
        if let Some(basic) = &self.basic_auth {
            let path = format!("{path}.basicAuth");
            let username = basic.username.read(monitor, "Secret", &format!("{path}.username"))?;
            let password = basic.password.as_ref();
            let password =
                password.map(|key| key.read(monitor, "Secret", &format!("{path}.password")));
            let username = username.unwrap_or(Secret::Inline(String::new()));
            return Ok(Some(Authorization::Basic {
                username,
                password: password.transpose()?.flatten(),
            }));
        }
        if let Some(own) = &self.authorization {
            let path = format!("{path}.authorization.credentials");
            let key = own.credentials.as_ref();
            let credentials =
                key.map(|key| key.read(monitor, "Secret", &path)).transpose()?.flatten();
            let scheme = own.r#type.clone().unwrap_or_else(|| "Bearer".into());
            return Ok(
                credentials.map(|credentials| Authorization::Credentials { scheme, credentials })
            );
        }
        if let Some(file) = self.bearer_token_file.as_ref().filter(|file| !file.is_empty()) {
            return Ok(Some(bearer(Secret::File(file.into()))));
        }
        // The operator's defaults write an empty reference here.
        let key = self.bearer_token_secret.as_ref().filter(|key| !key.name.is_empty());
        let token =
            key.map(|key| key.read(monitor, "Secret", &format!("{path}.bearerTokenSecret")));
        Ok(token.transpose()?.flatten().map(bearer))
    }
}

impl Tls {
    fn options(&self, monitor: &Monitor<'_>, path: &str) -> Result<TlsOptions, MonitorError> {
        let file =
            |path: &Option<String>| path.as_ref().map(|path| Secret::File(PathBuf::from(path)));
        let part = |own: &Option<SecretOrConfigMap>, name: &str| match own {
            Some(own) => own.read(monitor, &format!("{path}.{name}")),
            None => Ok(None),
        };
        let key = self.key_secret.as_ref();
        let key =
            key.map(|key| key.read(monitor, "Secret", &format!("{path}.keySecret"))).transpose()?;
        let version = |own: &Option<String>, name: &str| match own.as_deref() {
            None => Ok(None),
            Some("TLS12") => Ok(Some(TlsVersion::Tls12)),
            Some("TLS13") => Ok(Some(TlsVersion::Tls13)),
            Some(other) => {
                let why = format!("{other:?}: only TLS12 and TLS13 are spoken");
                Err(monitor.place.error(&format!("{path}.{name}"), why))
            }
        };
        Ok(TlsOptions {
            ca: part(&self.ca, "ca")?.or(file(&self.ca_file)),
            certificate: part(&self.cert, "cert")?.or(file(&self.cert_file)),
            key: key.flatten().or(file(&self.key_file)),
            server_name: self.server_name.clone(),
            insecure_skip_verify: self.insecure_skip_verify,
            min_version: version(&self.min_version, "minVersion")?,
            max_version: version(&self.max_version, "maxVersion")?,
        })
    }
}

impl SecretOrConfigMap {
    fn read(&self, monitor: &Monitor<'_>, path: &str) -> Result<Option<Secret>, MonitorError> {
        match (&self.secret, &self.config_map) {
            (Some(key), _) => key.read(monitor, "Secret", path),
            (None, Some(key)) => key.read(monitor, "ConfigMap", path),
            (None, None) => Ok(None),
        }
    }
}

impl Key {
    /// None only if it is optional and not there.
    fn read(
        &self,
        monitor: &Monitor<'_>,
        kind: &str,
        path: &str,
    ) -> Result<Option<Secret>, MonitorError> {
        let namespace = &monitor.place.namespace;
        let found = (monitor.lookup)(kind, namespace, &self.name, &self.key);
        if found.is_none() && !self.optional {
            let (name, key) = (&self.name, &self.key);
            let why = format!(
                "there is no key {key:?} in {kind} {namespace}/{name}, or we may not read it"
            );
            return Err(monitor.place.error(path, why));
        }
        Ok(found.map(Secret::Inline))
    }
}
