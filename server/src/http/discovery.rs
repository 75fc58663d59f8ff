//! `/api/v1/status/discovery`, which is ours: of each job how its targets are found, what stands in
//! the way, and of each target that is not scraped which rule dropped it and the value that it
//! looked at.

use axum::extract::{RawQuery, State as Shared};
use scraper::manager::{JobDiscovery, MechanismStatus};
use scraper::target::DroppedTarget;

use super::State;
use super::envelope::Success;
use super::error::ApiError;
use super::json;
use super::params::Params;
use crate::monitors::Shown;

/// Of all jobs, or of `scrapePool`.
pub(super) async fn list(
    Shared(state): Shared<State>,
    RawQuery(query): RawQuery,
) -> Result<Success, ApiError> {
    let params = Params::new(&[], query.as_deref().unwrap_or(""));
    let jobs = state.scrapes.discovery(params.get("scrapePool"));
    Ok(Success::with(|out| {
        out.push_str(r#"{"jobs":"#);
        json::write_list(out, &jobs, write_job);
        if let Some(shown) = state.wanted.shown() {
            write_monitors(out, &shown, &state.wanted.problems());
        }
        out.push('}');
    }))
}

/// How it is with monitors and rules that are objects of Kubernetes.
fn write_monitors(out: &mut String, shown: &Shown, problems: &[(String, String)]) {
    out.push_str(&format!(
        r#","monitors":{{"jobs":{},"ruleGroups":{},"kinds":"#,
        shown.jobs, shown.groups
    ));
    json::write_list(out, &shown.kinds, |out, kind| {
        out.push_str(&format!(
            r#"{{"resource":"{}","installed":{},"objects":{}}}"#,
            kind.resource, kind.is_installed, kind.objects
        ));
    });
    out.push_str(r#","refused":"#);
    json::write_list(out, &shown.refused, |out, (object, why)| {
        out.push_str(r#"{"object":"#);
        json::write_html_safe(out, object);
        write_text(out, "error", why);
        out.push('}');
    });
    out.push_str(r#","problems":"#);
    json::write_list(out, problems, write_problem);
    out.push('}');
}

fn write_job(out: &mut String, job: &JobDiscovery) {
    out.push_str(r#"{"scrapePool":"#);
    json::write_html_safe(out, &job.job.name);
    out.push_str(r#","mechanisms":"#);
    json::write_list(out, &job.mechanisms, write_mechanism);
    let counts = [
        ("discovered", job.discovered),
        ("active", job.active),
        ("duplicates", job.duplicates),
        ("dropped", job.dropped.count),
        ("invalid", job.failure_count),
        ("leftToOthers", job.yielded_count),
        ("sharedWithOthers", job.also_scraped_count),
    ];
    for (name, count) in counts {
        out.push_str(&format!(r#","{name}":{count}"#));
    }
    out.push_str(r#","droppedByRule":"#);
    json::write_list(out, &job.dropped.by_rule, |out, (rule, count)| {
        out.push_str(&format!(r#"{{"index":{rule},"rule":"#));
        write_rule(out, job, *rule);
        out.push_str(&format!(r#","count":{count}}}"#));
    });
    out.push_str(r#","droppedTargets":"#);
    json::write_list(out, &job.dropped.targets, |out, target| write_dropped(out, job, target));
    out.push_str(r#","invalidTargets":"#);
    json::write_list(out, &job.failures, |out, (labels, error)| {
        out.push_str(r#"{"discoveredLabels":"#);
        json::write_labels(out, labels);
        write_text(out, "error", &error.to_string());
        out.push('}');
    });
    out.push_str(r#","scrapedByOthers":"#);
    json::write_list(out, &job.yielded, |out, (url, other)| {
        write_shared(out, url, std::slice::from_ref(other));
    });
    out.push_str(r#","alsoScrapedBy":"#);
    json::write_list(out, &job.also_scraped, |out, shared| {
        write_shared(out, &shared.url, &shared.jobs);
    });
    write_text(out, "reason", job.reason.as_deref().unwrap_or_default());
    out.push('}');
}

fn write_shared(out: &mut String, url: &str, jobs: &[String]) {
    out.push_str(r#"{"scrapeUrl":"#);
    json::write_html_safe(out, url);
    out.push_str(r#","jobs":"#);
    json::write_list(out, jobs, |out, name| json::write_html_safe(out, name));
    out.push('}');
}

fn write_mechanism(out: &mut String, mechanism: &MechanismStatus) {
    out.push_str(&format!(r#"{{"kind":"{}""#, mechanism.kind));
    write_text(out, "place", &mechanism.place);
    out.push_str(&format!(
        r#","answered":{},"groups":{},"targets":{},"problems":"#,
        mechanism.has_answered, mechanism.groups, mechanism.targets
    ));
    json::write_list(out, &mechanism.problems, write_problem);
    out.push('}');
}

fn write_problem(out: &mut String, (tried, why): &(String, String)) {
    out.push_str(r#"{"tried":"#);
    json::write_html_safe(out, tried);
    write_text(out, "error", why);
    out.push('}');
}

fn write_dropped(out: &mut String, job: &JobDiscovery, target: &DroppedTarget) {
    out.push_str(r#"{"discoveredLabels":"#);
    json::write_labels(out, &target.discovered);
    let refusal = &target.refusal;
    out.push_str(&format!(r#","index":{},"rule":"#, refusal.rule));
    write_rule(out, job, refusal.rule);
    write_text(out, "value", &refusal.value);
    write_text(out, "reason", &refusal.sentence(&job.job.relabel));
    out.push('}');
}

/// The rule as it is written in the configuration.
fn write_rule(out: &mut String, job: &JobDiscovery, index: usize) {
    let rule = job.job.relabel.get(index).map(ToString::to_string);
    json::write_html_safe(out, &rule.unwrap_or_default());
}

fn write_text(out: &mut String, name: &str, text: &str) {
    out.push_str(&format!(r#","{name}":"#));
    json::write_html_safe(out, text);
}
