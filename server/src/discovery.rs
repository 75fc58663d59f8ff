//! Says in the log what stands in the way of discovery, once when it begins and once when it is over;
//! and which jobs scrape the same pages, once.
//!
//! An API server that does not answer is one thing, however many jobs wait for it and whatever they
//! tried to ask: one line when it is away and one when it is back. Watches notice one after the
//! other, so it is said at the second look that finds it away, when all of them have.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use scraper::discover::kubernetes::REACH;
use scraper::manager::{Manager, Obstacle, Problem, SharedUrl};
use tracing::{info, warn};

use crate::monitors::Wanted;
use crate::notify::Notifier;

/// How often it is looked; as often as targets change.
const LOOK: Duration = scraper::manager::UPDATE_EVERY;

/// What fails.
#[derive(Clone, Debug, Default)]
struct Trouble {
    why: String,
    /// Who waits for a server; of other troubles the name says it.
    waiting: BTreeSet<String>,
}

/// By what is tried, and by whom if it is not a server that is away.
type Troubles = BTreeMap<String, Trouble>;
/// Names of jobs.
type Jobs = Vec<String>;

/// Looks and says, for ever.
pub async fn say_problems(scrapes: Arc<Manager>, wanted: Arc<Wanted>, notifier: Arc<Notifier>) {
    let mut log = Log::default();
    let mut shared = BTreeSet::new();
    let mut ticks = tokio::time::interval(LOOK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let mut now = Troubles::new();
        scrapes.problems().into_iter().for_each(|problem| of_job(&mut now, problem));
        for (tried, why) in wanted.problems() {
            add(&mut now, "monitors".into(), "", tried, why);
        }
        let obstacles = notifier.obstacles().into_iter();
        obstacles.for_each(|(section, obstacle)| of_alertmanagers(&mut now, section, obstacle));
        for line in log.news(now) {
            match line {
                Ok(over) => info!("{over}"),
                Err(begun) => warn!("{begun}"),
            }
        }
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
    let pages = match urls.len() {
        1 => format!("page {first}"),
        count => format!("{count} pages, {first} for one"),
    };
    format!(
        "jobs {jobs} scrape the same {pages}: their series are there as often as there are jobs, \
         and sums count them so"
    )
}

fn of_job(now: &mut Troubles, problem: Problem) {
    let Problem { scrape_pool, kind, tried, why } = problem;
    add(now, format!("job {scrape_pool}"), &format!("{kind} discovery: "), tried, why);
}

fn of_alertmanagers(now: &mut Troubles, section: usize, obstacle: Obstacle) {
    let Obstacle { kind, tried, why } = obstacle;
    add(now, format!("alertmanagers {section}"), &format!("{kind} discovery: "), tried, why);
}

fn add(now: &mut Troubles, who: String, how: &str, tried: String, why: String) {
    if is_server(&tried) {
        let trouble = now.entry(tried).or_default();
        trouble.why = why;
        trouble.waiting.insert(who);
    } else {
        now.insert(format!("{who}: {how}{tried}"), Trouble { why, ..Trouble::default() });
    }
}

fn is_server(tried: &str) -> bool {
    tried.starts_with(REACH)
}

/// What was found and what was said.
#[derive(Default)]
struct Log {
    last: Troubles,
    said: Troubles,
}

impl Log {
    /// What is new (`Err`) and what is over (`Ok`), in words.
    fn news(&mut self, found: Troubles) -> Vec<Result<String, String>> {
        let last = std::mem::replace(&mut self.last, found.clone());
        let mut now = found;
        now.retain(|tried, _| !is_server(tried) || last.contains_key(tried));
        let before = std::mem::replace(&mut self.said, now);
        let over = before.keys().filter(|tried| !self.said.contains_key(*tried));
        let begun = self.said.iter().filter(|(tried, trouble)| {
            // Why there is no answer differs from attempt to attempt.
            before.get(*tried).is_none_or(|known| !is_server(tried) && known.why != trouble.why)
        });
        let over = over.map(|tried| Ok(over_in_words(tried)));
        over.chain(begun.map(|(tried, trouble)| Err(in_words(tried, trouble)))).collect()
    }
}

fn in_words(tried: &str, Trouble { why, waiting }: &Trouble) -> String {
    if waiting.is_empty() {
        return format!("{tried}: {why}");
    }
    let waiting: Vec<&str> = waiting.iter().map(String::as_str).collect();
    format!(
        "cannot {tried}: {why}; what it said last holds until it answers; waiting: {}",
        waiting.join(", ")
    )
}

fn over_in_words(tried: &str) -> String {
    match tried.strip_prefix(REACH) {
        Some(which) => format!("the API server{which} answers again"),
        None => format!("{tried}: works again"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who, what is tried, why it fails.
    type Rows = &'static [(&'static str, &'static str, &'static str)];

    fn troubles(rows: Rows) -> Troubles {
        let mut now = Troubles::new();
        for (who, tried, why) in rows {
            add(&mut now, who.to_string(), "", tried.to_string(), why.to_string());
        }
        now
    }

    fn said(log: &mut Log, rows: Rows) -> Vec<String> {
        let lines = log.news(troubles(rows)).into_iter();
        lines.map(|line| line.unwrap_or_else(|begun| begun)).collect()
    }

    #[test]
    fn each_change_is_said_once() {
        let mut log = Log::default();
        let looks: [(Rows, &[&str]); 6] = [
            (&[("j", "a", "x")], &["j: a: x"]),
            (&[("j", "a", "x")], &[]),
            (&[("j", "a", "y"), ("k", "a", "z")], &["j: a: y", "k: a: z"]),
            (&[("k", "a", "z")], &["j: a: works again"]),
            (&[], &["k: a: works again"]),
            (&[], &[]),
        ];
        for (rows, expected) in looks {
            assert_eq!(said(&mut log, rows), expected);
        }
    }

    /// Jobs notice one after the other and are told different reasons, for an hour; another server
    /// goes and comes meanwhile.
    #[test]
    fn an_api_server_that_is_away_is_two_lines() {
        const ONE: &str = "reach the API server of this cluster";
        const TWO: &str = "reach the API server http://two:6443";
        let first: Rows = &[("job a", ONE, "connection refused")];
        let away: [Rows; 2] = [
            &[
                ("job a", ONE, "connection refused"),
                ("job b", ONE, "no answer within 60 seconds"),
                ("monitors", ONE, "connection refused"),
            ],
            &[("job a", ONE, "no route to host"), ("job b", ONE, "no route to host")],
        ];
        let mut log = Log::default();
        assert_eq!(said(&mut log, first), [""; 0]);
        let begun = "cannot reach the API server of this cluster: connection refused; what it said \
                     last holds until it answers; waiting: job a, job b, monitors";
        assert_eq!(said(&mut log, away[0]), [begun]);
        for look in 0..3_600 / LOOK.as_secs() {
            assert_eq!(said(&mut log, away[look as usize % 2]), [""; 0], "look {look}");
        }
        let both: Rows = &[("job a", ONE, "x"), ("job c", TWO, "y"), ("job c", "list", "z")];
        assert_eq!(said(&mut log, both), ["job c: list: z"]);
        let two = "cannot reach the API server http://two:6443: y; what it said last holds until \
                   it answers; waiting: job c";
        assert_eq!(said(&mut log, both), [two]);
        let back = "the API server of this cluster answers again";
        let only_two: Rows = &[("job c", TWO, "y"), ("job c", "list", "z")];
        assert_eq!(said(&mut log, only_two), [back]);
        let over = ["job c: list: works again", "the API server http://two:6443 answers again"];
        assert_eq!(said(&mut log, &[]), over);
        // Away for less than two looks: nothing.
        assert_eq!(said(&mut log, first), [""; 0]);
        assert_eq!(said(&mut log, &[]), [""; 0]);
    }
}
