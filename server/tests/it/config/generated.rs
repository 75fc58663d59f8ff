//! Generated files: any text is read or refused without a panic; a job that is written down comes
//! back as it was.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::{option, sample};
use scraper::discover::Mechanism;
use scraper::job::{
    Authorization, ClientOptions, Escaping, FixedTargets, Histograms, Job, Limits, Protocol,
    Scheme, Secret, TlsOptions, TlsVersion,
};
use scraper::relabel::{Action, Rule};
use server::config;
use tsdb::model::duration::format_duration;
use tsdb::model::regex::Anchored;

/// Pieces of files, to be strung together.
const PIECES: [&str; 48] = [
    "scrape_configs:",
    "global:",
    "job_name: x",
    "scrape_interval: 5s",
    "scrape_timeout: 5m",
    "static_configs:",
    "targets: ['a:1']",
    "labels: {a: b}",
    "relabel_configs:",
    "action: keep",
    "regex: (",
    "modulus: 8",
    "params:",
    "authorization:",
    "basic_auth:",
    "password: x",
    "tls_config:",
    "key: x",
    "external_labels: {a: $B}",
    "rule_files: []",
    "body_size_limit: 1MB",
    "\n",
    "\n  ",
    "\n    ",
    "\n  - ",
    "\n    - ",
    "\n      - ",
    "\n      ",
    "- ",
    ": ",
    "{",
    "}",
    "[",
    "]",
    ", ",
    "'",
    "\"",
    "|\n",
    ">-\n",
    "&a ",
    "*a",
    "<<: ",
    "!!binary ",
    "# ",
    "\t",
    "---\n",
    "\u{feff}",
    "é",
];

proptest! {
    #[test]
    fn any_text(text in ".{0,200}") {
        let _ = config::parse(&text, "x", Path::new("")).map_err(|error| error.to_string());
    }

    #[test]
    fn any_lines(lines in vec("[ \t]{0,4}[-:{}&*!|>'\"\\[\\]#,a-z0-9 ]{0,20}", 0..20)) {
        let text = lines.join("\n");
        let _ = config::parse(&text, "x", Path::new("")).map_err(|error| error.to_string());
    }

    #[test]
    fn any_pieces(pieces in vec(sample::select(&PIECES[..]), 0..60)) {
        let text = pieces.concat();
        let _ = config::parse(&text, "x", Path::new("")).map_err(|error| error.to_string());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn jobs_come_back(jobs in vec(job(), 0..4), spare in any::<bool>()) {
        let jobs: Vec<Job> = jobs
            .into_iter()
            .enumerate()
            .map(|(index, job)| Job { name: format!("{}{index}", job.name), ..job })
            .collect();
        let text = written(&jobs, spare);
        let read = config::parse(&text, "x", Path::new("/base")).map_err(|error| error.to_string());
        let read = read.unwrap_or_else(|error| panic!("{error}\nin\n{text}"));
        prop_assert_eq!(read.jobs, jobs, "{}", text);
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z_:/.0-9]{1,12}",
        ".{1,12}",
        sample::select(vec!["true", "null", "~", "- a", "12", "a: b"]).prop_map(str::to_owned)
    ]
}

fn texts() -> impl Strategy<Value = BTreeMap<String, String>> {
    btree_map(text(), text(), 0..3)
}

fn job() -> impl Strategy<Value = Job> {
    let page = (text(), "/[a-z/]{0,10}", btree_map(text(), vec(text(), 0..3), 0..3), any::<bool>());
    let time = (1_i64..1_000_000_000, 0_i64..1_000_000_000);
    let flags = (any::<bool>(), any::<bool>(), option::of(1_u64..1 << 40));
    let rules = (vec(rule(), 0..4), vec(rule(), 0..4));
    (page, time, flags, vec(targets(), 0..3), client(), rules, rest()).prop_map(
        |(page, time, flags, fixed, client, rules, rest)| Job {
            name: page.0,
            discover: mechanisms(fixed),
            scheme: if page.3 { Scheme::Https } else { Scheme::Http },
            metrics_path: page.1,
            params: page.2,
            interval_ms: time.0,
            timeout_ms: 1 + time.1 % time.0,
            honor_labels: flags.0,
            honor_timestamps: flags.1,
            limits: Limits { body_bytes: flags.2, ..rest.limits },
            client,
            relabel: rules.0,
            metric_relabel: rules.1,
            ..rest
        },
    )
}

/// A job with what stands in single fields.
fn rest() -> impl Strategy<Value = Job> {
    let limit = || option::of(1_u64..1 << 40);
    let limits = (limit(), limit(), limit(), limit(), limit(), limit(), limit());
    let protocols = sample::subsequence(Protocol::ALL.to_vec(), 1..=Protocol::ALL.len());
    // Names are UTF-8: rules write any of them.
    let names = sample::select(vec![Escaping::AllowUtf8, Escaping::Dots, Escaping::Values]);
    let fallback = option::of(sample::select(Protocol::ALL.to_vec()));
    let flags = any::<[bool; 6]>();
    (limits, protocols.prop_shuffle(), fallback, names, flags).prop_map(
        |(limits, protocols, fallback, escaping, flags)| Job {
            track_timestamps_staleness: flags[0],
            protocols,
            fallback,
            compression: flags[1],
            limits: Limits {
                body_bytes: None,
                samples: limits.0,
                targets: limits.1,
                labels: limits.2,
                label_name_bytes: limits.3,
                label_value_bytes: limits.4,
                histogram_buckets: limits.5,
                histogram_factor: limits.5.map(|_| 1.25),
                dropped_kept: limits.6,
            },
            histograms: Histograms { native: flags[2], classic_too: flags[3], to_custom: flags[4] },
            extra_metrics: flags[5],
            escaping,
            failure_log: flags[5].then(|| "/base/failures".into()),
            ..Job::new("")
        },
    )
}

/// No list of targets and an empty one are the same.
fn mechanisms(fixed: Vec<FixedTargets>) -> Vec<Mechanism> {
    let is_there = !fixed.is_empty();
    is_there.then_some(Mechanism::Fixed(fixed)).into_iter().collect()
}

fn targets() -> impl Strategy<Value = FixedTargets> {
    let address = ("[a-z.0-9-]{1,10}", 1_u16..).prop_map(|(host, port)| format!("{host}:{port}"));
    (vec(address, 0..3), texts()).prop_map(|(addresses, labels)| FixedTargets { addresses, labels })
}

fn rule() -> impl Strategy<Value = Rule> {
    use Action::*;
    let pattern = sample::select(vec!["(.*)", "a|b", "", "(.+):\\d+", "{x}", "true"]);
    let fields = (vec(text(), 0..3), text(), pattern, 1_u64.., text(), text());
    let action = sample::select(vec![
        Replace, Keep, Drop, KeepEqual, DropEqual, HashMod, LabelMap, LabelDrop, LabelKeep,
        Lowercase, Uppercase,
    ]);
    (fields, action).prop_map(
        |((sources, separator, pattern, modulus, target, replacement), action)| {
            let equal = matches!(action, KeepEqual | DropEqual);
            let labels = matches!(action, LabelDrop | LabelKeep);
            let fixed_replacement = equal || labels || matches!(action, Lowercase | Uppercase);
            let pattern = if equal { "(.*)" } else { pattern };
            Rule {
                source_labels: if labels { Vec::new() } else { sources },
                separator: if equal || labels { ";".to_owned() } else { separator },
                regex: Anchored::new(pattern).expect("a pattern"),
                pattern: pattern.to_owned(),
                modulus: if equal || labels { 0 } else { modulus },
                target_label: if labels { String::new() } else { target },
                replacement: if fixed_replacement { "$1".to_owned() } else { replacement },
                action,
            }
        },
    )
}

fn secret() -> impl Strategy<Value = Secret> {
    prop_oneof![
        text().prop_map(Secret::Inline),
        "[a-z/]{1,10}".prop_map(|path| Secret::File(Path::new("/base").join(path)))
    ]
}

fn client() -> impl Strategy<Value = ClientOptions> {
    let credentials = ("Bearer|Token", secret())
        .prop_map(|(scheme, credentials)| Authorization::Credentials { scheme, credentials });
    let basic = (text(), option::of(secret())).prop_map(|(username, password)| {
        Authorization::Basic { username: Secret::Inline(username), password }
    });
    let authorization = option::of(prop_oneof![credentials, basic]);
    (authorization, tls(), any::<bool>(), any::<bool>()).prop_map(
        |(authorization, tls, follow_redirects, http2)| ClientOptions {
            authorization,
            tls,
            follow_redirects,
            http2,
            ..ClientOptions::default()
        },
    )
}

fn tls() -> impl Strategy<Value = TlsOptions> {
    let version = || option::of(sample::select(vec![TlsVersion::Tls12, TlsVersion::Tls13]));
    let pair = option::of((secret(), secret()));
    let parts =
        (option::of(secret()), pair, option::of(text()), any::<bool>(), version(), version());
    parts.prop_map(|(ca, pair, server_name, insecure_skip_verify, one, other)| TlsOptions {
        ca,
        certificate: pair.clone().map(|(certificate, _)| certificate),
        key: pair.map(|(_, key)| key),
        server_name,
        insecure_skip_verify,
        min_version: if other.is_some() { one.min(other) } else { one },
        max_version: if one.is_some() { one.max(other) } else { other },
    })
}

/// A file that says `jobs`; what is at its default is left out if `spare`.
fn written(jobs: &[Job], spare: bool) -> String {
    let mut out = "scrape_configs:\n".to_owned();
    for job in jobs {
        write_job(&mut out, job, spare);
    }
    out
}

fn write_job(out: &mut String, job: &Job, spare: bool) {
    writeln!(out, "  - job_name: {}", quoted(&job.name)).expect("text takes all");
    let mut line = |name: &str, value: String, default: &str| {
        if !(spare && value == default) {
            writeln!(out, "    {name}: {value}").expect("text takes all");
        }
    };
    line("scheme", job.scheme.as_str().to_owned(), "http");
    line("metrics_path", quoted(&job.metrics_path), "\"/metrics\"");
    line("scrape_interval", format_duration(job.interval_ms), "1m");
    line("scrape_timeout", format_duration(job.timeout_ms), "");
    line("honor_labels", job.honor_labels.to_string(), "false");
    line("honor_timestamps", job.honor_timestamps.to_string(), "true");
    line("follow_redirects", job.client.follow_redirects.to_string(), "true");
    line("enable_http2", job.client.http2.to_string(), "true");
    line("body_size_limit", job.limits.body_bytes.map_or("0".to_owned(), |n| format!("{n}B")), "0");
    let limits = &job.limits;
    let rows = [
        ("sample_limit", limits.samples),
        ("target_limit", limits.targets),
        ("label_limit", limits.labels),
        ("label_name_length_limit", limits.label_name_bytes),
        ("label_value_length_limit", limits.label_value_bytes),
        ("native_histogram_bucket_limit", limits.histogram_buckets),
        ("keep_dropped_targets", limits.dropped_kept),
    ];
    for (name, limit) in rows {
        line(name, limit.unwrap_or(0).to_string(), "0");
    }
    let factor = limits.histogram_factor.unwrap_or(0.0);
    line("native_histogram_min_bucket_factor", factor.to_string(), "0");
    line("track_timestamps_staleness", job.track_timestamps_staleness.to_string(), "false");
    line("enable_compression", job.compression.to_string(), "true");
    line("scrape_protocols", list(&job.protocols, |one| one.as_str().to_owned()), "");
    if let Some(fallback) = job.fallback {
        line("fallback_scrape_protocol", fallback.as_str().to_owned(), "");
    }
    line("scrape_native_histograms", job.histograms.native.to_string(), "false");
    line("always_scrape_classic_histograms", job.histograms.classic_too.to_string(), "false");
    line("convert_classic_histograms_to_nhcb", job.histograms.to_custom.to_string(), "false");
    line("extra_scrape_metrics", job.extra_metrics.to_string(), "false");
    line("metric_name_escaping_scheme", job.escaping.as_str().to_owned(), "allow-utf-8");
    if job.failure_log.is_some() {
        line("scrape_failure_log_file", "failures".to_owned(), "");
    }
    line("params", mapping(&job.params, |values| list(values, |v| quoted(v))), "{}");
    line("static_configs", list(&job.fixed().cloned().collect::<Vec<_>>(), written_targets), "[]");
    line("relabel_configs", list(&job.relabel, written_rule), "[]");
    line("metric_relabel_configs", list(&job.metric_relabel, written_rule), "[]");
    line("tls_config", written_tls(&job.client.tls), "{}");
    match &job.client.authorization {
        None => {}
        Some(Authorization::Credentials { scheme, credentials }) => {
            let (name, value) = written_secret("credentials", credentials);
            line("authorization", format!("{{type: {scheme}, {name}: {value}}}"), "");
        }
        Some(Authorization::Basic { username, password }) => {
            let password = password.as_ref().map(|secret| written_secret("password", secret));
            let password = password.map(|(name, value)| format!(", {name}: {value}"));
            let Secret::Inline(username) = username else { panic!("a name in a file") };
            let (username, password) = (quoted(username), password.unwrap_or_default());
            line("basic_auth", format!("{{username: {username}{password}}}"), "");
        }
        Some(Authorization::OAuth2(_)) => panic!("none is made"),
    }
}

fn written_targets(group: &FixedTargets) -> String {
    let addresses = list(&group.addresses, |address| quoted(address));
    format!("{{targets: {addresses}, labels: {}}}", mapping(&group.labels, |value| quoted(value)))
}

fn written_rule(rule: &Rule) -> String {
    let mut fields = vec![format!("action: {}", format!("{:?}", rule.action).to_lowercase())];
    let mut field = |name: &str, value: String, default: &str| {
        if value != default {
            fields.push(format!("{name}: {value}"));
        }
    };
    field("source_labels", list(&rule.source_labels, |label| quoted(label)), "[]");
    field("separator", quoted(&rule.separator), "\";\"");
    field("regex", quoted(&rule.pattern), "\"(.*)\"");
    field("modulus", rule.modulus.to_string(), "0");
    field("target_label", quoted(&rule.target_label), "\"\"");
    field("replacement", quoted(&rule.replacement), "\"$1\"");
    format!("{{{}}}", fields.join(", "))
}

fn written_tls(tls: &TlsOptions) -> String {
    let secrets = [("ca", &tls.ca), ("cert", &tls.certificate), ("key", &tls.key)];
    let secrets = secrets
        .iter()
        .filter_map(|(name, secret)| secret.as_ref().map(|secret| written_secret(name, secret)));
    let mut fields: Vec<String> = secrets.map(|(name, value)| format!("{name}: {value}")).collect();
    let versions = [("min_version", tls.min_version), ("max_version", tls.max_version)];
    for (name, version) in versions {
        fields.extend(version.map(|v| format!("{name}: {}", format!("{v:?}").to_uppercase())));
    }
    fields.extend(tls.server_name.as_ref().map(|name| format!("server_name: {}", quoted(name))));
    if tls.insecure_skip_verify {
        fields.push("insecure_skip_verify: yes".to_owned());
    }
    format!("{{{}}}", fields.join(", "))
}

fn written_secret(name: &str, secret: &Secret) -> (String, String) {
    match secret {
        Secret::Inline(text) => (name.to_owned(), quoted(text)),
        Secret::File(path) => {
            let path = path.strip_prefix("/base").unwrap_or(path);
            (format!("{name}_file"), quoted(&path.display().to_string()))
        }
    }
}

fn list<T>(items: &[T], write: impl Fn(&T) -> String) -> String {
    format!("[{}]", items.iter().map(write).collect::<Vec<_>>().join(", "))
}

fn mapping<T>(pairs: &BTreeMap<String, T>, write: impl Fn(&T) -> String) -> String {
    let pairs = pairs.iter().map(|(name, value)| format!("{}: {}", quoted(name), write(value)));
    format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
}

/// In double quotes, every character that is not a letter or digit of ASCII escaped.
fn quoted(text: &str) -> String {
    let escaped = text.chars().map(|c| match c {
        'a'..='z'
        | 'A'..='Z'
        | '0'..='9'
        | '/'
        | '_'
        | ':'
        | '.'
        | ' '
        | '('
        | ')'
        | '*'
        | '$'
        | ';' => c.to_string(),
        c => format!("\\U{:08x}", u32::from(c)),
    });
    format!("\"{}\"", escaped.collect::<String>())
}
