//! What finds targets.

use super::super::error::Place;
use super::super::yaml::{At, Pairs, Value};
use super::{Client, List, Url, fields, settings};

fields! {
    /// The fields of everything that has targets.
    Discovery {
        static_configs: List<StaticConfig>,
        file_sd_configs: List<FileConfig>,
        http_sd_configs: List<HttpConfig>,
        dns_sd_configs: List<DnsConfig>,
        kubernetes_sd_configs: List<KubernetesConfig>,
    }
}

settings! {
    /// An item of `static_configs`.
    StaticConfig in STATIC_CONFIG {
        targets: List<String>,
        labels: Pairs<Value<String>>,
    }
}

settings! {
    /// An item of `file_sd_configs`.
    FileConfig in FILE_SD {
        files: List<String>,
        refresh_interval: String,
    }
}

settings! {
    /// An item of `http_sd_configs`.
    HttpConfig in HTTP_SD {
        url: Url,
        refresh_interval: String,
        ..client: Client,
    }
}

settings! {
    /// An item of `dns_sd_configs`.
    DnsConfig in DNS_SD {
        names: List<String>,
        kind = "type": String,
        port: u64,
        refresh_interval: String,
    }
}

settings! {
    /// An item of `kubernetes_sd_configs`.
    KubernetesConfig in KUBERNETES_SD {
        role: String,
        api_server: Url,
        kubeconfig_file: String,
        namespaces: Namespaces,
        selectors: List<Selector>,
        attach_metadata: AttachMetadata,
        ..client: Client,
    }
}

settings! {
    /// `namespaces`.
    Namespaces in NAMESPACES {
        own_namespace: bool,
        names: List<String>,
    }
}

settings! {
    /// An item of `selectors`.
    Selector in SELECTOR {
        role: String,
        label: String,
        field: String,
    }
}

settings! {
    /// `attach_metadata`.
    AttachMetadata in ATTACH_METADATA {
        node: bool,
        namespace: bool,
    }
}
