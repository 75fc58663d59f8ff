//! `/api/v1/targets`: what is scraped, how it went, and what relabelling dropped; and the names of
//! the jobs.

use axum::extract::{RawQuery, State as Shared};
use scraper::manager::Dropped;
use scraper::target::TargetStatus;
use tsdb::model::duration::format_duration;
use tsdb::model::{Labels, Timestamp};

use super::State;
use super::envelope::Success;
use super::error::ApiError;
use super::json;
use super::params::Params;

/// Filtered by `state` (`active`, `dropped`, `any`) and `scrapePool`.
pub(super) async fn list(
    Shared(state): Shared<State>,
    RawQuery(query): RawQuery,
) -> Result<Success, ApiError> {
    let params = Params::new(&[], query.as_deref().unwrap_or(""));
    let pool = params.get("scrapePool");
    let wanted = params.get("state").unwrap_or("any").to_lowercase();
    let (asks_for_active, asks_for_dropped) = match &*wanted {
        "any" => (true, true),
        wanted => (wanted == "active", wanted == "dropped"),
    };
    let (mut active, dropped) = (state.scrapes.targets(), state.scrapes.dropped());
    active.retain(|target| asks_for_active && pool.is_none_or(|p| target.scrape_pool == p));
    for target in &mut active {
        target.global_url = state.options.public.globalize(&target.scrape_url);
    }
    Ok(Success::with(|out| {
        out.push_str(r#"{"activeTargets":"#);
        json::write_list(out, &active, write_active);
        out.push_str(r#","droppedTargets":"#);
        let is_shown = |own: &&Dropped| pool.is_none_or(|p| own.scrape_pool == p);
        let shown = dropped.iter().filter(|_| asks_for_dropped).filter(is_shown);
        let labels = shown.flat_map(|pool| pool.discovered_labels.iter().map(move |l| (pool, l)));
        json::write_list(out, labels, write_dropped);
        out.push_str(r#","droppedTargetCounts":"#);
        if asks_for_dropped {
            write_counts(out, &dropped);
        } else {
            out.push_str("null");
        }
        out.push('}');
    }))
}

/// `/api/v1/scrape_pools`: the names of the jobs.
pub(super) async fn pools(Shared(state): Shared<State>) -> Success {
    Success::with(|out| {
        out.push_str(r#"{"scrapePools":"#);
        json::write_list(out, state.scrapes.pools(), |out, name| json::write_html_safe(out, &name));
        out.push('}');
    })
}

/// Of all jobs, whatever is asked for; as Prometheus.
fn write_counts(out: &mut String, dropped: &[Dropped]) {
    out.push('{');
    for (index, dropped) in dropped.iter().enumerate() {
        out.push_str(if index == 0 { "" } else { "," });
        json::write_html_safe(out, &dropped.scrape_pool);
        out.push_str(&format!(":{}", dropped.count));
    }
    out.push('}');
}

fn write_active(out: &mut String, target: &TargetStatus) {
    out.push_str(r#"{"discoveredLabels":"#);
    json::write_labels(out, &target.discovered_labels);
    out.push_str(r#","labels":"#);
    json::write_labels(out, &target.labels);
    let texts = [
        ("scrapePool", target.scrape_pool.as_str()),
        ("scrapeUrl", &target.scrape_url),
        ("globalUrl", &target.global_url),
        ("lastError", &target.last_error),
        ("lastScrape", &rfc3339(target.last_scrape)),
    ];
    for (name, text) in texts {
        out.push_str(&format!(r#","{name}":"#));
        json::write_html_safe(out, text);
    }
    out.push_str(&format!(
        r#","lastScrapeDuration":{},"health":"{}","scrapeInterval":"{}","scrapeTimeout":"{}"}}"#,
        tsdb::model::number::format_json(target.last_scrape_duration_seconds),
        target.health.as_str(),
        format_duration(target.interval_ms),
        format_duration(target.timeout_ms),
    ));
}

fn write_dropped(out: &mut String, (dropped, labels): (&Dropped, &Labels)) {
    out.push_str(r#"{"discoveredLabels":"#);
    json::write_labels(out, labels);
    out.push_str(r#","scrapePool":"#);
    json::write_html_safe(out, &dropped.scrape_pool);
    out.push('}');
}

/// Go's RFC 3339; its zero time if there was no scrape yet.
fn rfc3339(time: Option<Timestamp>) -> String {
    let time = time.and_then(|time| jiff::Timestamp::from_millisecond(time.ms()).ok());
    time.map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), |time| time.to_string())
}
