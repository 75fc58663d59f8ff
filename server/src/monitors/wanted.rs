//! All jobs and all rules, of the configuration and of objects, kept where they are carried out.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use scraper::discover::Problems;
use scraper::discover::kubernetes::{Clusters, Monitored, Monitors};
use scraper::discover::monitors::{Defaults, Objects};
use scraper::job::{Job, Protocol};
use scraper::manager::Manager;
use tokio::sync::watch;
use tokio::time::timeout;
use tracing::{info, warn};

use super::files::Files;
use super::{MonitorSettings, Shown};
use crate::features::Starts;
use crate::reload::say_failures;
use crate::rules::manager::{RuleManager, RuleOptions};

/// What is wanted of the managers.
pub struct Wanted {
    settings: MonitorSettings,
    scrapes: Arc<Manager>,
    rules: Arc<RuleManager>,
    starts: Starts,
    state: tokio::sync::Mutex<State>,
    shown: Mutex<Shown>,
    problems: Problems,
}

/// What the configuration says and what objects say.
struct State {
    jobs: Vec<Job>,
    rules: RuleOptions,
    defaults: Defaults,
    files: Files,
    cluster: Monitored,
    /// Whether the API server is still to say its first word, and is waited for.
    is_waiting: bool,
}

impl Wanted {
    /// Nothing yet.
    pub fn new(
        settings: MonitorSettings,
        scrapes: Arc<Manager>,
        rules: Arc<RuleManager>,
        starts: Starts,
    ) -> Self {
        let state = State {
            jobs: Vec::new(),
            rules: RuleOptions::default(),
            defaults: settings.defaults,
            files: Files::new(settings.files.clone()),
            cluster: Monitored::default(),
            is_waiting: settings.cluster.is_some(),
        };
        let (state, shown) = (tokio::sync::Mutex::new(state), Mutex::default());
        let problems = Problems::default();
        Self { settings, scrapes, rules, starts, state, shown, problems }
    }

    /// Carries out what a configuration says from now on, beside what the objects say.
    pub async fn configure(&self, jobs: Vec<Job>, rules: RuleOptions, defaults: Defaults) {
        let state = &mut *self.state.lock().await;
        (state.jobs, state.rules, state.defaults) = (jobs, rules, defaults);
        self.read_files(state).await;
        self.apply(state).await;
    }

    /// Follows the objects, for ever.
    pub async fn follow(self: Arc<Self>) {
        tokio::join!(self.follow_files(), self.follow_cluster());
    }

    async fn follow_files(&self) {
        let Some(every) = self.settings.watch.filter(|_| !self.settings.files.is_empty()) else {
            return;
        };
        loop {
            tokio::time::sleep(every).await;
            let state = &mut *self.state.lock().await;
            if self.read_files(state).await {
                self.apply(state).await;
            }
        }
    }

    async fn follow_cluster(&self) {
        let Some(options) = self.settings.cluster.clone() else { return };
        let is_word = |now: &Monitored| !now.kinds.is_empty();
        let (found, mut received) = watch::channel(Monitored::default());
        let monitors = Monitors::new(options, Clusters::default());
        let listening = async {
            if timeout(self.settings.patience, received.wait_for(is_word)).await.is_err() {
                self.observe(Monitored::default()).await;
            }
            let mut is_first = true;
            while received.wait_for(is_word).await.is_ok() {
                if std::mem::take(&mut is_first) {
                    // These rules were there before the server started, as those of the files.
                    self.rules.restore_next();
                }
                let now = received.borrow_and_update().clone();
                self.observe(now).await;
                if received.changed().await.is_err() {
                    return;
                }
            }
        };
        tokio::join!(monitors.run(found, self.problems.clone()), listening);
    }

    /// Carries out what the objects of the cluster say now.
    async fn observe(&self, now: Monitored) {
        let state = &mut *self.state.lock().await;
        (state.is_waiting, state.cluster) = (false, now);
        self.apply(state).await;
    }

    async fn read_files(&self, state: &mut State) -> bool {
        let (mut files, problems) = (std::mem::take(&mut state.files), self.problems.clone());
        let read = tokio::task::spawn_blocking(move || (files.read(&problems), files)).await;
        // It panicked: a bug that costs what the files said.
        let Ok((is_changed, files)) = read else { return true };
        state.files = files;
        is_changed
    }

    async fn apply(&self, state: &State) {
        let mut objects = state.files.objects();
        objects.merge(state.cluster.objects.clone());
        let mut shown = Shown { kinds: state.cluster.kinds.clone(), ..Shown::default() };
        let mut jobs = self.jobs(state, &objects, &mut shown);
        jobs.iter_mut().for_each(|job| read_starts(job, self.starts));
        let rules = self.groups(state, &objects, &mut shown);
        self.rules.apply(rules).await;
        say_failures(self.scrapes.apply(jobs));
        self.say(shown);
    }

    fn jobs(&self, state: &State, objects: &Objects, shown: &mut Shown) -> Vec<Job> {
        let kubeconfig = self.settings.kubeconfig.as_deref();
        let (own, wrong) = objects.jobs(state.defaults, kubeconfig);
        let wrong = wrong
            .into_iter()
            .map(|error| (error.monitor, format!("{}: {}", error.field, error.why)));
        shown.refused.extend(wrong);
        let mut jobs = state.jobs.clone();
        jobs.retain(|job| !(job.yields && state.is_waiting));
        let mut names: HashSet<String> = jobs.iter().map(|job| job.name.clone()).collect();
        for job in own {
            if names.insert(job.name.clone()) {
                shown.jobs += 1;
                jobs.push(job);
            } else {
                shown.refused.push((job.name, "another job has this name".to_owned()));
            }
        }
        jobs
    }

    fn groups(&self, state: &State, objects: &Objects, shown: &mut Shown) -> RuleOptions {
        let mut rules = state.rules.clone();
        for object in objects.rules() {
            match self.rules.read(&object.text, &object.name) {
                Ok(groups) => {
                    shown.groups += groups.len();
                    rules.groups.extend(groups);
                }
                Err(error) => {
                    let name = format!("PrometheusRule {}", object.name);
                    shown.refused.push((name, without_name(&error.to_string(), &object.name)));
                }
            }
        }
        rules
    }

    /// Says in the log what is new.
    fn say(&self, shown: Shown) {
        let mut before = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let known: BTreeSet<_> = before.refused.iter().collect();
        for (object, why) in shown.refused.iter().filter(|refused| !known.contains(refused)) {
            warn!("{object} is refused: {why}");
        }
        if (before.jobs, before.groups) != (shown.jobs, shown.groups) {
            info!("objects: {} jobs of monitors, {} rule groups", shown.jobs, shown.groups);
        }
        *before = shown;
    }

    /// How it is with the objects; `None` if none are read.
    pub fn shown(&self) -> Option<Shown> {
        let is_on = self.settings.cluster.is_some() || !self.settings.files.is_empty();
        is_on.then(|| self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// What stands in the way of reading them, by what is tried.
    pub fn problems(&self) -> Vec<(String, String)> {
        self.problems.list()
    }
}

/// Protobuf, which has them for every counter, is asked for first unless the job says otherwise.
fn read_starts(job: &mut Job, starts: Starts) {
    (job.start_timestamps, job.start_zeros) = (starts.kept, starts.zeros);
    if job.reads_starts() && job.protocols == Protocol::TEXT_FIRST {
        job.protocols = Protocol::PROTO_FIRST.to_vec();
    }
}

/// What is wrong with an object, without its name before each line.
fn without_name(error: &str, name: &str) -> String {
    let prefix = format!("{name}: ");
    let lines = error.lines().map(|line| line.strip_prefix(&prefix).unwrap_or(line));
    lines.collect::<Vec<_>>().join("; ")
}
