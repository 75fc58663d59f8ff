//! On which terms the targets of a job are scraped: its own, or those that a target's labels give
//! in the place of some of them.

use std::sync::Arc;

use crate::fetch::Fetcher;
use crate::job::{Histograms, Job, Protocol};

/// A job's terms and those that some of its targets have: as many as there are ways to read
/// histograms, at most.
pub(super) struct AllTerms(Vec<Terms>);

/// What scraping a target takes of its job.
#[derive(Clone)]
pub(super) struct Terms {
    pub(super) job: Arc<Job>,
    pub(super) fetcher: Arc<Fetcher>,
}

impl AllTerms {
    /// A job's own.
    pub(super) fn new(job: Arc<Job>) -> Self {
        Self(vec![Terms::new(job)])
    }

    /// Those of a target that reads these histograms.
    pub(super) fn of(&mut self, job: &Arc<Job>, histograms: Histograms) -> Terms {
        let known = self.0.iter().find(|own| own.job.histograms == histograms);
        if let Some(known) = known {
            return known.clone();
        }
        // Without a word about it, what is asked for first depends on what is read.
        let protocols = match (job.histograms.native, histograms.native) {
            (false, true) if job.protocols == Protocol::TEXT_FIRST => {
                Protocol::PROTO_FIRST.to_vec()
            }
            (true, false) if job.protocols == Protocol::PROTO_FIRST => {
                Protocol::TEXT_FIRST.to_vec()
            }
            _ => job.protocols.clone(),
        };
        let terms = Terms::new(Arc::new(Job { histograms, protocols, ..(**job).clone() }));
        self.0.push(terms.clone());
        terms
    }

    /// From now on every fetch fails, and this is why; `None`: no longer.
    pub(super) fn refuse(&self, why: &Option<String>) {
        self.0.iter().for_each(|own| own.fetcher.refuse(why.clone()));
    }
}

impl Terms {
    fn new(job: Arc<Job>) -> Self {
        Self { fetcher: Arc::new(Fetcher::new(&job)), job }
    }
}
