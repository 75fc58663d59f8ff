//! The configuration file: our cases, limits, hidden secrets, files of Prometheus, generated ones.
//!
//! `testdata/config/ok` holds files that load, each with what comes out; `testdata/config/bad`
//! files that do not, each with the exact text of the error.

mod generated;
mod prometheus;
mod render;

use std::fs;
use std::path::{Path, PathBuf};

use server::config::{self, CONFIG_BYTES_MAX};

/// Where relative files of the cases are.
const BASE_DIR: &str = "/etc/inferometer";

fn case_dir(kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/config").join(kind)
}

/// What reading `path` gives: the settings or the error, as text.
fn outcome(path: &Path) -> Result<String, String> {
    let text = fs::read_to_string(path).expect("a case");
    let name = path.file_name().expect("a name").to_string_lossy();
    let config = config::parse(&text, &name, Path::new(BASE_DIR));
    config.map(|config| render::config(&config)).map_err(|error| format!("{error}\n"))
}

/// Checks each `.yml` of a folder against the `.txt` beside it; returns how many there are.
fn check_cases(kind: &str, loads: bool) -> usize {
    let entries = fs::read_dir(case_dir(kind)).expect("the cases");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a case").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yml"));
    paths.sort();
    for path in &paths {
        let expected = fs::read_to_string(path.with_extension("txt")).unwrap_or_default();
        let outcome = outcome(path);
        assert_eq!(outcome.is_ok(), loads, "{}: {outcome:?}", path.display());
        let found = outcome.unwrap_or_else(|error| error);
        assert!(found == expected, "{}\nfound:\n{found}\nexpected:\n{expected}", path.display());
    }
    paths.len()
}

#[test]
fn good_files() {
    assert!(check_cases("ok", true) >= 12);
}

#[test]
fn bad_files() {
    assert!(check_cases("bad", false) >= 40);
}

/// Prometheus's kinds of discovery that are not read, each with what to do instead.
#[test]
fn other_kinds_of_discovery_are_refused_by_name() {
    const KINDS: [&str; 25] = [
        "aws",
        "azure",
        "consul",
        "digitalocean",
        "docker",
        "dockerswarm",
        "ec2",
        "eureka",
        "gce",
        "hetzner",
        "ionos",
        "kuma",
        "lightsail",
        "linode",
        "marathon",
        "nerve",
        "nomad",
        "openstack",
        "ovhcloud",
        "puppetdb",
        "scaleway",
        "serverset",
        "triton",
        "uyuni",
        "vultr",
    ];
    for kind in KINDS {
        let text = format!("scrape_configs:\n- job_name: a\n  {kind}_sd_configs: [{{}}]\n");
        let error = config::parse(&text, "a.yml", Path::new("")).expect_err(kind).to_string();
        let words = format!(
            "a.yml:3:3: `{kind}_sd_configs` is a Prometheus setting that Inferometer does not \
             support yet: serve its targets to `http_sd_configs`, which is the bridge for this kind \
             of discovery"
        );
        assert!(error.starts_with(&words), "{error}");
    }
}

#[test]
fn files_are_found_beside_the_configuration() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("prometheus.yml");
    let text = "scrape_configs: [{job_name: a, bearer_token_file: token}]\n";
    fs::write(&path, text).expect("written");
    let config = config::load(&path).expect("loads");
    assert!(render::config(&config).contains(&dir.path().join("token").display().to_string()));
    assert_eq!(config.text, text);
}

#[test]
fn unreadable_files() {
    let dir = tempfile::tempdir().expect("a folder");
    let large = usize::try_from(CONFIG_BYTES_MAX).expect("fits") + 1;
    let rows: [(&str, Option<Vec<u8>>, &str); 4] = [
        ("absent.yml", None, "check the path and who may read it"),
        ("latin.yml", Some(b"a: 1\n# caf\xe9\n".to_vec()), "latin.yml:2: not UTF-8; save"),
        ("large.yml", Some(vec![b'\n'; large]), "large.yml: larger than 16777216 bytes"),
        (".", None, "check the path and who may read it"),
    ];
    for (name, bytes, expected) in rows {
        let path = dir.path().join(name);
        if let Some(bytes) = bytes {
            fs::write(&path, bytes).expect("written");
        }
        let error = config::load(&path).expect_err(name).to_string();
        assert!(error.contains(expected), "{error}");
    }
    let text = " ".repeat(large);
    assert!(config::parse(&text, "x", Path::new("")).is_err());
}

#[test]
fn hostile_texts_are_refused() {
    let laughs: String =
        (1..40).map(|i| format!("a{i}: &a{i} [{}]\n", format!("*a{},", i - 1).repeat(9))).collect();
    let rows = [
        ("nested lists", "[".repeat(100_000)),
        ("nested dashes", "- ".repeat(100_000)),
        ("nested mappings", "{a: ".repeat(100_000)),
        ("nested below a name", format!("rule_files: {}", "[".repeat(100_000))),
        ("nested blocks", (0..2_000).map(|i| format!("{}a:\n", " ".repeat(i))).collect()),
        ("aliases of aliases", format!("a0: &a0 x\n{laughs}")),
        ("an alias of itself", "global: &a {external_labels: *a}".to_owned()),
        ("merged into itself", "global: &a {<<: *a}".to_owned()),
        ("a name without end", format!("{}: 1", "x".repeat(1_000_000))),
    ];
    for (what, text) in rows {
        let error = config::parse(&text, "x.yml", Path::new("")).expect_err(what).to_string();
        assert!(error.starts_with("x.yml:"), "{what}: {error}");
        assert!(error.len() < 20_000, "{what}: {} bytes", error.len());
    }
}

#[test]
fn secrets_do_not_show() {
    let rows = [
        ("bearer_token: abc", "bearer_token: <secret>"),
        ("bearer_token: 'a b' # c", "bearer_token: <secret> # c"),
        ("bearer_token: ''", "bearer_token: ''"),
        ("bearer_token: !!str 123", "bearer_token: !!str <secret>"),
        (
            "basic_auth: {password: \"a\\u0062\", username: x}",
            "basic_auth: {password: <secret>, username: x}",
        ),
        ("authorization: {credentials: &t abc}", "authorization: {credentials: &t <secret>}"),
        ("bearer_token: |\n  a\n  b\nscheme: http", "bearer_token: |\n  <secret>\n\nscheme: http"),
        (
            "bearer_token: >-\n  a\n\n  b\nscheme: http",
            "bearer_token: >-\n  <secret>\n\n\nscheme: http",
        ),
        ("bearer_token: a\n  b\nscheme: http", "bearer_token: <secret>\n\nscheme: http"),
        ("bearer_token: é\nbearer_token_file: ''", "bearer_token: <secret>\nbearer_token_file: ''"),
        ("bearer_token_file: token", "bearer_token_file: token"),
        (
            "oauth2: {client_id: a, client_secret: abc, token_url: 'http://b:abc@c'}",
            "oauth2: {client_id: a, client_secret: <secret>, token_url: <secret>}",
        ),
        (
            "oauth2: {client_id: a, token_url: 'http://b', tls_config: {cert: a, key: abc}}",
            "oauth2: {client_id: a, token_url: 'http://b', tls_config: {cert: a, key: <secret>}}",
        ),
        ("proxy_url: http://a:abc@b:1", "proxy_url: <secret>"),
        ("proxy_url: http://a@b:1", "proxy_url: http://a@b:1"),
        (
            "proxy_url: http://b:1\nproxy_connect_header: {a: [abc, 'abc d']}",
            "proxy_url: http://b:1\nproxy_connect_header: {a: [<secret>, <secret>]}",
        ),
        (
            "http_headers: {a: {values: [b], secrets: [abc], files: [c]}}",
            "http_headers: {a: {values: [b], secrets: [<secret>], files: [c]}}",
        ),
        (
            "http_sd_configs: [{url: 'http://a:abc@b', bearer_token: abc}]",
            "http_sd_configs: [{url: <secret>, bearer_token: <secret>}]",
        ),
        (
            "kubernetes_sd_configs: [{role: pod, api_server: 'http://a', bearer_token: abc}]",
            "kubernetes_sd_configs: [{role: pod, api_server: 'http://a', bearer_token: <secret>}]",
        ),
    ];
    for (fields, masked) in rows {
        let file = |fields: &str| {
            let fields = fields.replace('\n', "\n    ");
            format!("scrape_configs:\n  - job_name: x\n    {fields}\n")
        };
        let config = config::parse(&file(fields), "x", Path::new("")).expect(fields);
        let trimmed = |text: &str| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
        assert_eq!(trimmed(&config.text), trimmed(&file(masked)), "{fields}");
        assert!(!format!("{config:?}").contains("abc"), "{config:?}");
    }
}
