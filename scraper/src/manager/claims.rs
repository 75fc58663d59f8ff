//! Pages that several jobs would scrape: a job that yields leaves them to the others, of the rest it
//! is said who else has them.
//!
//! A job that yields ([`Job::yields`]) comes after all that do not, and after those that yield and
//! stand before it in the list of jobs. It scrapes what none of these scrapes: whenever one of them
//! has other targets, its own are computed again.

use std::collections::HashMap;

use super::pool::Pool;
use super::{Manager, State};
use crate::job::Job;

/// How many URLs of a job are shown.
const SHOWN_MAX: usize = 100;

/// A page that several jobs scrape: each of its series is there as often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedUrl {
    /// Where the page is.
    pub url: String,
    /// The names of the jobs' configurations, in order.
    pub jobs: Vec<String>,
}

/// URLs with the names of the jobs that scrape them.
pub(super) type Claims = HashMap<String, String>;

/// The jobs in the order in which they may choose, each with its place.
pub(super) fn ranked(jobs: Vec<Job>) -> Vec<(usize, Job)> {
    let numbered = jobs.into_iter().enumerate();
    let mut ranked: Vec<_> =
        numbered.map(|(index, job)| (if job.yields { index + 1 } else { 0 }, job)).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked
}

impl State {
    /// What a job that yields and has that rank may not scrape.
    pub(super) fn claims(&self, rank: usize) -> Claims {
        let pools = self.pools.values().filter(|pool| pool.rank < rank);
        let urls = pools.flat_map(|pool| {
            pool.running.values().map(|one| (one.target.url.clone(), pool.job.name.clone()))
        });
        urls.collect()
    }

    /// Has the jobs look again that leave targets to one of that rank, whose targets have changed.
    pub(super) fn tell_yielding(&self, rank: usize) {
        for pool in self.pools.values().filter(|pool| pool.rank > rank) {
            pool.changes.send_modify(|changes| {
                changes.all += 1;
                changes.first += 1;
            });
        }
    }

    /// By URL: the jobs that scrape it.
    fn scraped(&self) -> HashMap<&str, Vec<&str>> {
        let mut scraped: HashMap<&str, Vec<&str>> = HashMap::new();
        for pool in self.pools.values() {
            for one in pool.running.values() {
                let jobs = scraped.entry(&one.target.url).or_default();
                // The pools come one after the other.
                if jobs.last() != Some(&&*pool.job.name) {
                    jobs.push(&pool.job.name);
                }
            }
        }
        scraped
    }

    /// The first URLs of each of these jobs that others scrape too, and how many there are.
    pub(super) fn also_scraped(&self, pools: &[&Pool]) -> Vec<(Vec<SharedUrl>, usize)> {
        let scraped = self.scraped();
        let of_pool = |pool: &&Pool| {
            let mut urls: Vec<&str> =
                pool.running.values().map(|one| one.target.url.as_str()).collect();
            urls.sort_unstable();
            urls.dedup();
            urls.retain(|url| scraped.get(url).is_some_and(|jobs| jobs.len() > 1));
            let shared = urls.iter().take(SHOWN_MAX).map(|url| {
                let others = scraped[url].iter().filter(|name| **name != pool.job.name);
                SharedUrl {
                    url: (*url).to_owned(),
                    jobs: others.map(|name| (*name).to_owned()).collect(),
                }
            });
            (shared.collect(), urls.len())
        };
        pools.iter().map(of_pool).collect()
    }
}

impl Manager {
    /// The pages that several jobs scrape, by URL.
    pub fn shared(&self) -> Vec<SharedUrl> {
        let state = self.state();
        let scraped = state.scraped();
        let several = scraped.into_iter().filter(|(_, jobs)| jobs.len() > 1);
        let mut shared: Vec<_> = several
            .map(|(url, jobs)| SharedUrl {
                url: url.to_owned(),
                jobs: jobs.into_iter().map(str::to_owned).collect(),
            })
            .collect();
        shared.sort_by(|a, b| a.url.cmp(&b.url));
        shared
    }
}
