//! Why a job has no target, in a sentence: the first thing on the way that is not as it should be.

use tsdb::model::labels::Quoted;

use super::view::JobDiscovery;
use crate::discover::ADDRESS;

/// `None` if the job has targets.
pub(super) fn reason(job: &JobDiscovery) -> Option<String> {
    if job.active > 0 {
        return None;
    }
    if let Some((url, other)) = job.yielded.first() {
        let count = job.yielded_count;
        return Some(format!("other jobs scrape its {count} targets: {other} scrapes {url}"));
    }
    Some(match (job.discovered, &job.dropped.nearest, job.failures.first()) {
        (0, ..) => nothing_found(job),
        (found, Some(nearest), _) => {
            let (dropped, rules) = (job.dropped.count, &job.job.relabel);
            let address = nearest.discovered.get(ADDRESS).unwrap_or("one without address");
            let why = nearest.refusal.sentence(rules);
            format!(
                "{found} found, {dropped} of them dropped by relabelling; the nearest, {address}, \
                 by {why}"
            )
        }
        (found, None, Some((labels, error))) => {
            let address = labels.get(ADDRESS).unwrap_or_default();
            format!("{found} found, none of them is a target; {}: {error}", Quoted(address))
        }
        (found, None, None) => format!("{found} found"),
    })
}

fn nothing_found(job: &JobDiscovery) -> String {
    if job.mechanisms.is_empty() {
        return "the job says neither targets nor where to find some".to_owned();
    }
    let told = job.mechanisms.iter().map(|own| {
        let name = format!("{} ({})", own.kind, own.place);
        match own.problems.first() {
            Some((tried, why)) => format!("{name} cannot {tried}: {why}"),
            None if own.has_answered => format!("{name} found nothing"),
            None => format!("{name} has found nothing yet"),
        }
    });
    told.collect::<Vec<_>>().join("; ")
}
