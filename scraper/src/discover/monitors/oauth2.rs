//! `oauth2` of a monitor: a token that is asked for with a name and a password of a Secret.

use super::client::proxy;
use super::spec::OAuth2;
use super::{DataKind, Monitor, MonitorError};
use crate::job::{self, Secret};

impl OAuth2 {
    pub(super) fn options(
        &self,
        monitor: &Monitor<'_>,
        path: &str,
    ) -> Result<job::OAuth2, MonitorError> {
        let missing = |field: &str| monitor.place.error(&format!("{path}.{field}"), "is missing");
        if self.token_url.is_empty() {
            return Err(missing("tokenUrl"));
        }
        let Some(Secret::Inline(client_id)) =
            self.client_id.read(monitor, &format!("{path}.clientId"))?
        else {
            return Err(missing("clientId"));
        };
        let field = format!("{path}.clientSecret");
        let client_secret = self.client_secret.read(monitor, DataKind::Secret, &field)?;
        let tls = self.tls_config.as_ref();
        let tls = tls.map(|tls| tls.options(monitor, &format!("{path}.tlsConfig"))).transpose()?;
        Ok(job::OAuth2 {
            client_id,
            client_secret: client_secret.ok_or_else(|| missing("clientSecret"))?,
            scopes: self.scopes.clone(),
            token_url: self.token_url.clone(),
            params: self.endpoint_params.clone(),
            tls: tls.unwrap_or_default(),
            proxy: proxy(self.proxy_url.as_ref(), self.no_proxy.as_ref()),
        })
    }
}
