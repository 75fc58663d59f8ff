//! A configuration as text, to be compared and read.

use std::fmt::Write;

use scraper::discover::Mechanism;
use scraper::job::{Job, Limits, Proxy};
use scraper::relabel::Rule;
use server::config::{Alerting, Config, Storage};

/// Everything; the text that was read only if secrets are hidden in it.
pub(super) fn config(config: &Config) -> String {
    let global = &config.global;
    let mut text = format!(
        "global: scrape {}/{} ms, evaluate {} ms, labels {:?}\n",
        global.scrape_timeout_ms,
        global.scrape_interval_ms,
        global.evaluation_interval_ms,
        global.external_labels
    );
    if global.rule_query_offset_ms != 0 {
        let _ = writeln!(text, "rules {} ms before now", global.rule_query_offset_ms);
    }
    if config.alerting != Alerting::default() {
        let _ = writeln!(text, "{:#?}", config.alerting);
    }
    let files = [("rules", &config.rule_files), ("jobs", &config.scrape_config_files)];
    for (what, paths) in files.into_iter().filter(|(_, paths)| !paths.is_empty()) {
        let _ = writeln!(text, "{what} in {paths:?}");
    }
    if config.storage != Storage::default() {
        let _ = writeln!(text, "{:?}", config.storage);
    }
    config.jobs.iter().for_each(|each| job(&mut text, each).expect("text takes all"));
    if config.text.contains("<secret>") {
        text.push_str("text:\n");
        text.push_str(&config.text);
    }
    text
}

fn job(out: &mut String, job: &Job) -> std::fmt::Result {
    let Job { name, scheme, metrics_path, params, .. } = job;
    writeln!(out, "job {name:?}: {} {metrics_path:?} {params:?}", scheme.as_str())?;
    write!(out, "  scrape {}/{} ms, ", job.timeout_ms, job.interval_ms)?;
    write!(out, "honor labels {}, timestamps {}, ", job.honor_labels, job.honor_timestamps)?;
    writeln!(out, "body {:?}", job.limits.body_bytes)?;
    for group in job.fixed() {
        writeln!(out, "  targets {:?} {:?}", group.addresses, group.labels)?;
    }
    for mechanism in &job.discover {
        if !matches!(mechanism, Mechanism::Fixed(_)) {
            writeln!(out, "  {mechanism:?}")?;
        }
    }
    let client = &job.client;
    writeln!(out, "  redirects {}, http2 {}", client.follow_redirects, client.http2)?;
    writeln!(out, "  authorization {:?}", client.authorization)?;
    writeln!(out, "  {:?}", client.tls)?;
    if client.proxy != Proxy::default() {
        writeln!(out, "  {:?}", client.proxy)?;
    }
    if !client.headers.is_empty() {
        writeln!(out, "  headers {:?}", client.headers)?;
    }
    page(out, job)?;
    job.relabel.iter().try_for_each(|each| rule(out, "relabel", each))?;
    job.metric_relabel.iter().try_for_each(|each| rule(out, "metric relabel", each))
}

/// What a page is read as, as far as it is not the default.
fn page(out: &mut String, job: &Job) -> std::fmt::Result {
    let usual = Job::new("");
    let limits = Limits { body_bytes: None, ..job.limits.clone() };
    let rows = [
        (job.protocols != usual.protocols, format!("protocols {:?}", job.protocols)),
        (job.fallback.is_some(), format!("fallback {:?}", job.fallback)),
        (!job.compression, "not compressed".to_owned()),
        (job.track_timestamps_staleness, "timestamps go stale".to_owned()),
        (limits != Limits::default(), format!("{limits:?}")),
        (job.histograms != usual.histograms, format!("{:?}", job.histograms)),
        (job.extra_metrics, "extra metrics".to_owned()),
        (
            (job.validation, job.escaping) != (usual.validation, usual.escaping),
            format!("names {:?}, escaping {:?}", job.validation, job.escaping),
        ),
        (job.failure_log.is_some(), format!("failures {:?}", job.failure_log)),
    ];
    let said = rows.into_iter().filter(|(is_said, _)| *is_said);
    said.map(|(_, text)| text).try_for_each(|text| writeln!(out, "  {text}"))
}

fn rule(out: &mut String, what: &str, rule: &Rule) -> std::fmt::Result {
    let Rule { action, source_labels, separator, pattern, modulus, .. } = rule;
    write!(out, "  {what} {action:?} {source_labels:?} {separator:?} /{pattern}/ %{modulus}")?;
    writeln!(out, " -> {:?} = {:?}", rule.target_label, rule.replacement)
}
