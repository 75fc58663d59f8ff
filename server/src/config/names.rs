//! Names that are not read: what Prometheus means by them, and what to write instead.
//!
//! One table for each section. Source of the names: Prometheus 3.14 (`config`, `discovery`) and
//! its common library (`config/http_config`).

use super::error::Problem;
use super::nearest::nearest;
use super::raw::{self, Fields};
use super::yaml::At;

/// Names of a section that Prometheus reads and we do not, with what to do instead.
type Unsupported = &'static [(&'static [&'static str], &'static str)];

/// A section, as far as its names go.
pub(super) struct Level {
    /// As in "… is not a setting of …".
    title: &'static str,
    read: fn() -> Vec<&'static str>,
    unsupported: Unsupported,
}

macro_rules! levels {
    ($($name:ident: $section:ident, $title:literal, $unsupported:expr;)+) => {
        $(pub(super) const $name: Level =
            Level { title: $title, read: <raw::$section as Fields>::names, unsupported: $unsupported };)+

        /// All of them, for names that stand at the wrong level.
        const LEVELS: &[Level] = &[$($name),+];
    };
}

levels! {
    FILE: File, "the file's top level", OF_FILE;
    SCRAPE_FILE: ScrapeFile, "a file of `scrape_config_files`", &[];
    GLOBAL: Global, "`global`", &[];
    STORAGE: Storage, "`storage`", &[];
    TSDB: Tsdb, "`tsdb`", &[];
    RETENTION: Retention, "`retention`", &[];
    CHUNK_ENCODING: ChunkEncoding, "`chunk_encoding`", &[];
    EXEMPLARS: Exemplars, "`exemplars`", &[];
    RUNTIME: Runtime, "`runtime`", &[];
    OTLP: Otlp, "`otlp`", &[];
    SCRAPE_CONFIG: ScrapeConfig, "`scrape_configs`", OF_SCRAPE_CONFIG;
    STATIC_CONFIG: StaticConfig, "`static_configs`", &[];
    FILE_SD: FileConfig, "`file_sd_configs`", &[];
    HTTP_SD: HttpConfig, "`http_sd_configs`", &[];
    DNS_SD: DnsConfig, "`dns_sd_configs`", &[];
    KUBERNETES_SD: KubernetesConfig, "`kubernetes_sd_configs`", &[];
    NAMESPACES: Namespaces, "`namespaces`", &[];
    SELECTOR: Selector, "`selectors`", &[];
    ATTACH_METADATA: AttachMetadata, "`attach_metadata`", &[];
    RELABEL_CONFIG: RelabelConfig, "a relabel rule", &[];
    AUTHORIZATION: Authorization, "`authorization`", OF_AUTHORIZATION;
    BASIC_AUTH: BasicAuth, "`basic_auth`", OF_BASIC_AUTH;
    OAUTH2: OAuth2, "`oauth2`", OF_OAUTH2;
    HTTP_HEADER: Header, "a header of `http_headers`", &[];
    TLS_CONFIG: TlsConfig, "`tls_config`", OF_TLS_CONFIG;
    ALERTING: Alerting, "`alerting`", &[];
    ALERTMANAGER: Alertmanager, "`alertmanagers`", OF_ALERTMANAGER;
    CLIENT_FILE: ClientFile, "a file of `--http.config.file`", &[];
    WEB: Web, "the file's top level", &[];
    TLS_SERVER: TlsServer, "`tls_server_config`", &[];
    HTTP_SERVER: HttpServer, "`http_server_config`", &[];
    RATE_LIMIT: RateLimit, "`rate_limit`", &[];
    NOTIFY_FILE: NotifyFile, "the file of `--notify.file`", &[];
    RECEIVER: Receiver, "`receivers`", &[];
}

const OF_FILE: Unsupported = &[
    (&["remote_read"], "queries read what is stored here; leave it out"),
    (&["remote_write"], "samples are stored here and not sent on; leave it out"),
    (&["tracing"], "no traces are sent; leave it out"),
];

const OF_SCRAPE_CONFIG: Unsupported = &[(OTHER_DISCOVERY, OTHER_DISCOVERY_CURE)];

const OF_ALERTMANAGER: Unsupported = &[
    (&["sigv4"], "requests are not signed for AWS; leave it out"),
    (OTHER_DISCOVERY, OTHER_DISCOVERY_CURE),
];

const OTHER_DISCOVERY: &[&str] = &[
    "aws_sd_configs",
    "azure_sd_configs",
    "consul_sd_configs",
    "digitalocean_sd_configs",
    "docker_sd_configs",
    "dockerswarm_sd_configs",
    "ec2_sd_configs",
    "eureka_sd_configs",
    "gce_sd_configs",
    "hetzner_sd_configs",
    "ionos_sd_configs",
    "kuma_sd_configs",
    "lightsail_sd_configs",
    "linode_sd_configs",
    "marathon_sd_configs",
    "nerve_sd_configs",
    "nomad_sd_configs",
    "oci_sd_configs",
    "openstack_sd_configs",
    "outscale_sd_configs",
    "ovhcloud_sd_configs",
    "puppetdb_sd_configs",
    "scaleway_sd_configs",
    "serverset_sd_configs",
    "stackit_sd_configs",
    "triton_sd_configs",
    "uyuni_sd_configs",
    "vultr_sd_configs",
];
const OTHER_DISCOVERY_CURE: &str = "serve its targets to `http_sd_configs`, which is the bridge \
    for this kind of discovery, or write them in `static_configs`";

const OF_AUTHORIZATION: Unsupported =
    &[(&["credentials_ref"], "write `credentials` or `credentials_file`")];

const OF_BASIC_AUTH: Unsupported = &[
    (&["username_ref"], "write `username` or `username_file`"),
    (&["password_ref"], "write `password` or `password_file`"),
];

const OF_OAUTH2: Unsupported = &[
    (&["client_secret_ref"], "write `client_secret` or `client_secret_file`"),
    (
        &[
            "audience",
            "claims",
            "client_certificate_key",
            "client_certificate_key_file",
            "client_certificate_key_id",
            "client_certificate_key_ref",
            "grant_type",
            "iss",
            "signature_algorithm",
        ],
        "tokens are asked for with client credentials; leave it out",
    ),
];

const OF_TLS_CONFIG: Unsupported = &[
    (&["ca_ref"], "write `ca` or `ca_file`"),
    (&["cert_ref"], "write `cert` or `cert_file`"),
    (&["key_ref"], "write `key` or `key_file`"),
];

impl Level {
    /// Why `name` is not read here, and what to write instead.
    pub(super) fn refuse(&self, name: &At<String>) -> Problem {
        let (written, place) = (name.value.as_str(), name.place);
        let unsupported =
            |level: &Level| level.unsupported.iter().find(|(n, _)| n.contains(&written));
        if let Some((_, cure)) = unsupported(self) {
            let what = "is a Prometheus setting that Inferometer does not support yet";
            return Problem { place, text: format!("`{written}` {what}: {cure}") };
        }
        let what = format!("`{written}` is not a setting of {}", self.title);
        if let Some(near) = nearest(written, self.names()) {
            return Problem::new(place, what, format!("did you mean `{near}`?"));
        }
        if let Some(other) = LEVELS.iter().find(|level| level.names().contains(&written)) {
            return Problem::new(place, what, format!("it belongs in {}", other.title));
        }
        Problem::new(place, what, format!("settings here are {}", (self.read)().join(", ")))
    }

    /// Every name that Prometheus reads here.
    fn names(&self) -> Vec<&'static str> {
        let unsupported = self.unsupported.iter().flat_map(|(names, _)| names.iter().copied());
        (self.read)().into_iter().chain(unsupported).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANUAL: &str = concat!(
        include_str!("../../../docs/config.md"),
        include_str!("../../../docs/security.md"),
        include_str!("../../../docs/notify.md")
    );

    #[test]
    fn the_manual_names_each_setting() {
        for level in LEVELS {
            for name in level.names() {
                assert!(MANUAL.contains(&format!("`{name}`")), "{} lacks {name}", level.title);
            }
        }
    }

    #[test]
    fn no_name_is_read_and_refused() {
        for level in LEVELS {
            let mut names: Vec<&str> = level.names();
            let all = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), all, "{}", level.title);
        }
    }
}
