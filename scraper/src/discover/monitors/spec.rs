//! The fields of monitors that count.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A number, or a text that names something.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Port {
    Number(u32),
    Name(String),
}

/// Which objects.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Selector {
    pub(super) match_labels: BTreeMap<String, String>,
    pub(super) match_expressions: Vec<Expression>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Expression {
    pub(super) key: String,
    pub(super) operator: String,
    #[serde(default)]
    pub(super) values: Vec<String>,
}

/// Which namespaces; the monitor's own if nothing is said.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct NamespaceSelector {
    pub(super) any: bool,
    pub(super) match_names: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AttachMetadata {
    pub(super) node: bool,
}

/// What all kinds of monitors say of their jobs.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Common {
    pub(super) sample_limit: Option<u64>,
    pub(super) target_limit: Option<u64>,
    pub(super) label_limit: Option<u64>,
    pub(super) label_name_length_limit: Option<u64>,
    pub(super) label_value_length_limit: Option<u64>,
    pub(super) keep_dropped_targets: Option<u64>,
    pub(super) body_size_limit: Option<String>,
    pub(super) scrape_protocols: Vec<String>,
    pub(super) fallback_scrape_protocol: Option<String>,
}

/// What is scraped of a pod or a service, and how; of a probe and a scrape config as well, which
/// have these fields beside their own.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Endpoint {
    pub(super) port: Option<Port>,
    pub(super) target_port: Option<Port>,
    pub(super) port_number: Option<u32>,
    #[serde(alias = "metricsPath")]
    pub(super) path: Option<String>,
    pub(super) scheme: Option<String>,
    pub(super) params: BTreeMap<String, Vec<String>>,
    #[serde(alias = "scrapeInterval")]
    pub(super) interval: Option<String>,
    #[serde(alias = "timeout")]
    pub(super) scrape_timeout: Option<String>,
    pub(super) honor_labels: bool,
    pub(super) honor_timestamps: Option<bool>,
    pub(super) track_timestamps_staleness: bool,
    pub(super) filter_running: Option<bool>,
    #[serde(alias = "relabelingConfigs")]
    pub(super) relabelings: Vec<Relabeling>,
    #[serde(alias = "metricRelabelConfigs", alias = "metricRelabeling")]
    pub(super) metric_relabelings: Vec<Relabeling>,
    #[serde(flatten)]
    pub(super) client: Client,
}

/// How to connect.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Client {
    pub(super) bearer_token_file: Option<String>,
    pub(super) bearer_token_secret: Option<Key>,
    pub(super) authorization: Option<Authorization>,
    pub(super) basic_auth: Option<BasicAuth>,
    pub(super) tls_config: Option<Tls>,
    pub(super) follow_redirects: Option<bool>,
    #[serde(rename = "enableHttp2", alias = "enableHTTP2")]
    pub(super) http2: Option<bool>,
    pub(super) proxy_url: Option<String>,
    pub(super) no_proxy: Option<String>,
    #[serde(rename = "oauth2")]
    pub(super) oauth2: Option<OAuth2>,
}

/// Where a token is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct OAuth2 {
    pub(super) client_id: SecretOrConfigMap,
    pub(super) client_secret: Key,
    pub(super) token_url: String,
    pub(super) scopes: Vec<String>,
    pub(super) endpoint_params: BTreeMap<String, String>,
    pub(super) tls_config: Option<Tls>,
    pub(super) proxy_url: Option<String>,
    pub(super) no_proxy: Option<String>,
}

/// A key of a Secret or a ConfigMap.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) key: String,
    pub(super) optional: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Authorization {
    pub(super) r#type: Option<String>,
    pub(super) credentials: Option<Key>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct BasicAuth {
    pub(super) username: Key,
    pub(super) password: Option<Key>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Tls {
    pub(super) ca: Option<SecretOrConfigMap>,
    pub(super) ca_file: Option<String>,
    pub(super) cert: Option<SecretOrConfigMap>,
    pub(super) cert_file: Option<String>,
    pub(super) key_secret: Option<Key>,
    pub(super) key_file: Option<String>,
    pub(super) server_name: Option<String>,
    pub(super) insecure_skip_verify: bool,
    pub(super) min_version: Option<String>,
    pub(super) max_version: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct SecretOrConfigMap {
    pub(super) secret: Option<Key>,
    pub(super) config_map: Option<Key>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Relabeling {
    pub(super) source_labels: Vec<String>,
    pub(super) separator: Option<String>,
    pub(super) target_label: Option<String>,
    pub(super) regex: Option<String>,
    pub(super) modulus: Option<u64>,
    pub(super) replacement: Option<String>,
    pub(super) action: Option<String>,
}
