//! How a monitor says to connect. Secrets are looked up in the monitor's own namespace.

use std::path::PathBuf;

use super::spec::{Client, Key, SecretOrConfigMap, Tls};
use super::{DataKind, Monitor, MonitorError, Reference};
use crate::job::{
    Authorization, ClientOptions, Proxy, ProxyServer, Secret, TlsOptions, TlsVersion,
};

impl Client {
    pub(super) fn options(
        &self,
        monitor: &Monitor<'_>,
        path: &str,
    ) -> Result<ClientOptions, MonitorError> {
        let tls = self.tls_config.as_ref();
        let tls = tls.map(|tls| tls.options(monitor, &format!("{path}.tlsConfig"))).transpose()?;
        Ok(ClientOptions {
            authorization: self.authorization(monitor, path)?,
            tls: tls.unwrap_or_default(),
            follow_redirects: self.follow_redirects.unwrap_or(true),
            http2: self.http2.unwrap_or(true),
            proxy: proxy(self.proxy_url.as_ref(), self.no_proxy.as_ref()),
            ..ClientOptions::default()
        })
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
            let username =
                basic.username.read(monitor, DataKind::Secret, &format!("{path}.username"))?;
            let password = basic.password.as_ref();
            let password = password
                .map(|key| key.read(monitor, DataKind::Secret, &format!("{path}.password")));
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
                key.map(|key| key.read(monitor, DataKind::Secret, &path)).transpose()?.flatten();
            let scheme = own.r#type.clone().unwrap_or_else(|| "Bearer".into());
            return Ok(
                credentials.map(|credentials| Authorization::Credentials { scheme, credentials })
            );
        }
        if let Some(oauth2) = &self.oauth2 {
            let options = oauth2.options(monitor, &format!("{path}.oauth2"))?;
            return Ok(Some(Authorization::OAuth2(Box::new(options))));
        }
        if let Some(file) = self.bearer_token_file.as_ref().filter(|file| !file.is_empty()) {
            return Ok(Some(bearer(Secret::File(file.into()))));
        }
        // The operator's defaults write an empty reference here.
        let key = self.bearer_token_secret.as_ref().filter(|key| !key.name.is_empty());
        let token = key
            .map(|key| key.read(monitor, DataKind::Secret, &format!("{path}.bearerTokenSecret")));
        Ok(token.transpose()?.flatten().map(bearer))
    }
}

/// The way through a proxy, if there is one.
pub(super) fn proxy(url: Option<&String>, no_proxy: Option<&String>) -> Proxy {
    let Some(url) = url.filter(|url| !url.is_empty()) else { return Proxy::default() };
    let no_proxy = no_proxy.cloned().unwrap_or_default();
    Proxy { server: ProxyServer::Url { url: url.clone(), no_proxy }, ..Proxy::default() }
}

impl Tls {
    pub(super) fn options(
        &self,
        monitor: &Monitor<'_>,
        path: &str,
    ) -> Result<TlsOptions, MonitorError> {
        let file =
            |path: &Option<String>| path.as_ref().map(|path| Secret::File(PathBuf::from(path)));
        let part = |own: &Option<SecretOrConfigMap>, name: &str| match own {
            Some(own) => own.read(monitor, &format!("{path}.{name}")),
            None => Ok(None),
        };
        let key = self.key_secret.as_ref();
        let key = key
            .map(|key| key.read(monitor, DataKind::Secret, &format!("{path}.keySecret")))
            .transpose()?;
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
    pub(super) fn read(
        &self,
        monitor: &Monitor<'_>,
        path: &str,
    ) -> Result<Option<Secret>, MonitorError> {
        match (&self.secret, &self.config_map) {
            (Some(key), _) => key.read(monitor, DataKind::Secret, path),
            (None, Some(key)) => key.read(monitor, DataKind::ConfigMap, path),
            (None, None) => Ok(None),
        }
    }
}

impl Key {
    /// None only if it is optional and not there.
    pub(super) fn read(
        &self,
        monitor: &Monitor<'_>,
        kind: DataKind,
        path: &str,
    ) -> Result<Option<Secret>, MonitorError> {
        let namespace = monitor.place.namespace.clone();
        let reference = Reference { kind, namespace, name: self.name.clone() };
        match (monitor.lookup)(&reference, &self.key) {
            Ok(None) if !self.optional => {
                let why = format!("there is no key {:?} in {reference}", self.key);
                Err(monitor.place.error(path, why))
            }
            Ok(found) => Ok(found.map(Secret::Inline)),
            Err(why) => {
                Err(monitor.place.error(path, format!("{reference} cannot be read: {why}")))
            }
        }
    }
}
