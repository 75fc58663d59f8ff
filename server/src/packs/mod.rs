//! What is built in: jobs that find llm-d, and packs of rules for it, as files that users can read
//! and copy (`server/packs`).
//!
//! Reading order: [`Pack`] is a file of rules; [`Choice`] says which of them are on, [`jobs`] is
//! the file of jobs; [`BuiltIn`] adds what is on to what a configuration says.
//!
//! Invariants: a user's own wins: a job of the same name takes the place of a built-in one. The
//! files are tested to load; nothing else is decided in code than which of them are on.

mod choice;
pub mod jobs;
mod metrics;

use std::collections::BTreeSet;

use promql::parse::Features;
use tracing::{info, warn};

pub use self::choice::Choice;
use crate::config::Config;
use crate::rules::file::{self, Reading, RuleGroup, RuleKind};
use crate::rules::manager::RuleOptions;

/// A file of rules.
#[derive(Debug, PartialEq, Eq)]
pub struct Pack {
    /// As on the command line.
    pub name: &'static str,
    /// The file.
    pub text: &'static str,
}

macro_rules! packs {
    ($($name:literal),+) => {
        /// All packs; what one needs of another stands before it.
        pub static PACKS: &[Pack] = &[$(
            Pack { name: $name, text: include_str!(concat!("../../packs/", $name, ".yml")) }
        ),+];
    };
}

packs!(
    "llm-d-normalise",
    "llm-d-alerts",
    "llm-d-slo",
    "llm-d-goodput",
    "llm-d-energy",
    "llm-d-capacity"
);

impl Pack {
    /// What it is for: the first line of its file.
    pub fn about(&self) -> &'static str {
        about(self.text)
    }

    /// Its rules, in a file that is called `pack:NAME`.
    pub fn groups(&self) -> Vec<RuleGroup> {
        let reading = Reading { language: Features::default(), ..Reading::default() };
        file::parse(self.text, &format!("pack:{}", self.name), reading)
            .expect("BUG: a pack that does not load")
    }

    /// The metrics that its rules read and that it does not record itself.
    pub fn metrics(&self) -> BTreeSet<String> {
        let groups = self.groups();
        let own = recorded(&groups);
        let rules = groups.iter().flat_map(|group| &group.rules);
        let mut read = BTreeSet::new();
        rules.for_each(|rule| metrics::of(&rule.expr, &mut read));
        read.into_iter().filter(|name| !own.contains(name)).collect()
    }
}

/// The first line of a file, without what makes it a comment.
fn about(text: &'static str) -> &'static str {
    text.lines().next().unwrap_or_default().trim_start_matches("# ")
}

/// The names that groups record.
fn recorded(groups: &[RuleGroup]) -> BTreeSet<String> {
    let rules = groups.iter().flat_map(|group| &group.rules);
    rules.filter(|rule| rule.kind == RuleKind::Recording).map(|rule| rule.name.clone()).collect()
}

/// What of it is on.
#[derive(Clone, Debug, Default)]
pub struct BuiltIn {
    /// The jobs are.
    pub jobs: bool,
    /// These packs are.
    pub packs: Choice,
}

impl BuiltIn {
    /// Adds the jobs that are on to those of a configuration; one that has a job of the same name
    /// there is left out.
    pub fn add_jobs(&self, config: &mut Config) {
        if !self.jobs {
            return;
        }
        for job in jobs::jobs() {
            match config.jobs.iter().any(|own| own.name == job.name) {
                true => info!("job {}: the one of the configuration holds", job.name),
                false => config.jobs.push(job),
            }
        }
    }

    /// Adds the rules that are on, and says which of them find nothing to read.
    pub fn add_rules(&self, rules: &mut RuleOptions) {
        for pack in self.packs.packs() {
            rules.groups.extend(pack.groups());
        }
        for sentence in self.lacks(&recorded(&rules.groups)) {
            warn!("{sentence}");
        }
    }

    /// What packs that are on read of packs that are off.
    fn lacks(&self, recorded: &BTreeSet<String>) -> Vec<String> {
        let lack = |pack: &Pack, metric: &String| {
            let other =
                PACKS.iter().find(|other| self::recorded(&other.groups()).contains(metric))?;
            let (name, other) = (pack.name, other.name);
            let cure = format!("add {other}, or a rule that records it");
            Some(format!("pack {name} reads {metric}, which nothing records: {cure}"))
        };
        let missing = self.packs.packs().flat_map(|pack| {
            let metrics = pack.metrics().into_iter().filter(|name| !recorded.contains(name));
            metrics.filter_map(move |metric| lack(pack, &metric))
        });
        missing.collect()
    }
}

#[cfg(test)]
mod tests;
