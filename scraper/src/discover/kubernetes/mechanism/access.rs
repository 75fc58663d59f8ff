//! Ways to an API server: the cluster that we run in, a kubeconfig file, a URL.
//!
//! The first two are kube's own, and a kubeconfig may name a program that gets a token; tokens in
//! files are read again for each request. A URL is asked with the HTTP client that
//! targets are scraped with, so that all options of it hold.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::header::{AUTHORIZATION, HeaderValue};
use kube::client::{Body, ClientBuilder};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use tower::util::MapRequestLayer;

use super::{KubernetesOptions, REACH};
use crate::client::Redacted;
use crate::fetch::HttpClient;
use crate::job::ClientOptions;

/// Connections to it stay open for so long without use.
const IDLE: Duration = Duration::from_secs(90);

/// Where an API server is, and who we are there.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Access {
    InCluster,
    Kubeconfig(PathBuf),
    Url(String, Box<ClientOptions>),
}

impl Access {
    /// What `options` say.
    pub(super) fn of(options: &KubernetesOptions) -> Self {
        match (&options.api_server, &options.kubeconfig) {
            (Some(url), _) => Self::Url(url.clone(), Box::new(options.client.clone())),
            (None, Some(path)) => Self::Kubeconfig(path.clone()),
            (None, None) => Self::InCluster,
        }
    }

    /// What is tried in vain while that server does not answer, as the problems name it.
    pub(super) fn reach(&self) -> String {
        match self {
            Self::InCluster => format!("{REACH} of this cluster"),
            Self::Kubeconfig(path) => format!("{REACH} of {}", path.display()),
            Self::Url(url, _) => format!("{REACH} {}", Redacted(url)),
        }
    }

    /// What to ask with, and the namespace that is ours there. Asks nobody yet.
    pub(super) async fn connect(&self) -> Result<(Client, String), String> {
        match self {
            Self::InCluster => {
                let config = Config::incluster().map_err(|error| {
                    format!("this is no pod of a cluster, and no API server or kubeconfig file is given: {error}")
                })?;
                with_config(config)
            }
            Self::Kubeconfig(path) => {
                let file = Kubeconfig::read_from(path).map_err(|error| error.to_string())?;
                let context = KubeConfigOptions::default();
                let config = Config::from_custom_kubeconfig(file, &context).await;
                with_config(config.map_err(|error| error.to_string())?)
            }
            Self::Url(url, options) => Ok((with_options(url, options), "default".into())),
        }
    }
}

fn with_config(mut config: Config) -> Result<(Client, String), String> {
    // Failures are to be seen; who asks waits and asks again.
    config.default_retry = false;
    let namespace = config.default_namespace.clone();
    let token_file = config.auth_info.token_file.take();
    let builder = ClientBuilder::try_from(config).map_err(|error| error.to_string())?;
    let client = match token_file {
        Some(path) => {
            let sign = MapRequestLayer::new(move |request| signed(request, &path));
            builder.with_layer(&sign).build()
        }
        None => builder.build(),
    };
    Ok((client, namespace))
}

/// With the token of a file as it is now. Without one the server says that we are unknown.
fn signed(mut request: http::Request<Body>, path: &str) -> http::Request<Body> {
    let token = std::fs::read_to_string(path).unwrap_or_default();
    if let Ok(mut value) = HeaderValue::from_str(&format!("Bearer {}", token.trim())) {
        value.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, value);
    }
    request
}

fn with_options(url: &str, options: &ClientOptions) -> Client {
    let client = Arc::new(HttpClient::new(options, IDLE));
    let base = url.trim_end_matches('/').to_owned();
    let service = tower::service_fn(move |request: http::Request<Body>| {
        let (client, parts) = (client.clone(), request.into_parts().0);
        let url = format!("{base}{}", parts.uri);
        async move { client.get(&url, parts.headers).await.map(http::Response::from) }
    });
    Client::new(service, "default")
}
