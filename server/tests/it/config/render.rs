//! A configuration as text, to be compared and read.

use std::fmt::Write;

use scraper::job::Job;
use scraper::relabel::Rule;
use server::config::{Config, Storage};

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
    let client = &job.client;
    writeln!(out, "  redirects {}, http2 {}", client.follow_redirects, client.http2)?;
    writeln!(out, "  authorization {:?}", client.authorization)?;
    writeln!(out, "  {:?}", client.tls)?;
    job.relabel.iter().try_for_each(|each| rule(out, "relabel", each))?;
    job.metric_relabel.iter().try_for_each(|each| rule(out, "metric relabel", each))
}

fn rule(out: &mut String, what: &str, rule: &Rule) -> std::fmt::Result {
    let Rule { action, source_labels, separator, pattern, modulus, .. } = rule;
    write!(out, "  {what} {action:?} {source_labels:?} {separator:?} /{pattern}/ %{modulus}")?;
    writeln!(out, " -> {:?} = {:?}", rule.target_label, rule.replacement)
}
