//! Says in the log what stands in the way of discovery, once when it begins and once when it is over;
//! and which jobs scrape the same pages, once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use scraper::manager::{Manager, Obstacle, Problem, SharedUrl};
use tracing::{info, warn};

use crate::monitors::Wanted;
use crate::notify::Notifier;

/// How often it is looked; as often as targets change.
const LOOK: Duration = scraper::manager::UPDATE_EVERY;

/// By what is tried: the reason why it fails.
type Problems = BTreeMap<String, String>;
/// Names of jobs.
type Jobs = Vec<String>;

/// Looks and says, for ever.
pub async fn say_problems(scrapes: Arc<Manager>, wanted: Arc<Wanted>, notifier: Arc<Notifier>) {
    let mut before = Problems::new();
    let mut shared = BTreeSet::new();
    let mut ticks = tokio::time::interval(LOOK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let mut now = by_what_is_tried(scrapes.problems());
        let monitors = wanted.problems().into_iter();
        now.extend(monitors.map(|(tried, why)| (format!("monitors: {tried}"), why)));
        now.extend(notifier.obstacles().into_iter().map(of_alertmanagers));
        for line in news(&before, &now) {
            match line {
                Ok(over) => info!("{over}"),
                Err(begun) => warn!("{begun}"),
            }
        }
        before = now;
        shared = say_shared(&shared, scrapes.shared());
    }
}

/// Says of which jobs some scrape the same page, of the same jobs once; the answer is all of these.
fn say_shared(known: &BTreeSet<Jobs>, urls: Vec<SharedUrl>) -> BTreeSet<Jobs> {
    let mut by_jobs: BTreeMap<Jobs, Vec<String>> = BTreeMap::new();
    for SharedUrl { url, jobs } in urls {
        by_jobs.entry(jobs).or_default().push(url);
    }
    for (jobs, urls) in by_jobs.iter().filter(|(jobs, _)| !known.contains(*jobs)) {
        warn!("{}", twice(jobs, urls));
    }
    by_jobs.into_keys().collect()
}

fn twice(jobs: &[String], urls: &[String]) -> String {
    let (jobs, first) = (jobs.join(" and "), urls.first().map_or("", String::as_str));
    let count = urls.len();
    format!(
        "jobs {jobs} scrape the same {count} pages, {first} for one: their series are there as \
         often as there are jobs, and sums count them so"
    )
}

fn by_what_is_tried(problems: Vec<Problem>) -> Problems {
    let problems = problems.into_iter().map(|problem| {
        let Problem { scrape_pool, kind, tried, why } = problem;
        (format!("job {scrape_pool}: {kind} discovery: {tried}"), why)
    });
    problems.collect()
}

fn of_alertmanagers((section, obstacle): (usize, Obstacle)) -> (String, String) {
    let Obstacle { kind, tried, why } = obstacle;
    (format!("alertmanagers {section}: {kind} discovery: {tried}"), why)
}

/// What is new (`Err`) and what is over (`Ok`), in words.
fn news(before: &Problems, now: &Problems) -> Vec<Result<String, String>> {
    let over = before.keys().filter(|tried| !now.contains_key(*tried));
    let over = over.map(|tried| Ok(format!("{tried}: works again")));
    let begun = now.iter().filter(|(tried, why)| before.get(*tried) != Some(why));
    over.chain(begun.map(|(tried, why)| Err(format!("{tried}: {why}")))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_is_said_once() {
        type Pairs = &'static [(&'static str, &'static str)];
        let problems = |pairs: Pairs| -> Problems {
            pairs.iter().map(|(tried, why)| (tried.to_string(), why.to_string())).collect()
        };
        let rows: [(Pairs, Pairs, &[&str]); 4] = [
            (&[], &[("a", "x")], &["a: x"]),
            (&[("a", "x")], &[("a", "x")], &[]),
            (&[("a", "x")], &[("a", "y"), ("b", "z")], &["a: y", "b: z"]),
            (&[("a", "x"), ("b", "z")], &[("b", "z")], &["a: works again"]),
        ];
        for (before, now, expected) in rows {
            let said = news(&problems(before), &problems(now));
            let said = said.into_iter().map(|line| line.unwrap_or_else(|begun| begun));
            assert_eq!(said.collect::<Vec<_>>(), expected);
        }
    }
}
