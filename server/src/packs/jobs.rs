//! The built-in jobs, and whether this is a place where they find something.

use std::path::Path;

use scraper::job::{Authorization, Job, Secret};

use crate::config;

/// The file.
pub const TEXT: &str = include_str!("../../packs/llm-d-jobs.yml");
/// Its name, for people.
pub const NAME: &str = "llm-d-jobs";
/// What the name of every built-in job begins with.
pub const PREFIX: &str = "llm-d/";

/// Where Kubernetes puts the token of a pod's ServiceAccount.
const TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// What it is for: the first line of its file.
pub fn about() -> &'static str {
    super::about(TEXT)
}

/// All of them, as they are to be run here and now.
pub fn jobs() -> Vec<Job> {
    jobs_where(Path::new(TOKEN).exists())
}

/// All of them; without a token none is sent.
pub(super) fn jobs_where(has_token: bool) -> Vec<Job> {
    let config = config::parse(TEXT, NAME, Path::new("")).expect("BUG: jobs that do not load");
    config.jobs.into_iter().map(|job| built_in(job, has_token)).collect()
}

/// What is true of every built-in job and cannot be said in the file.
fn built_in(mut job: Job, has_token: bool) -> Job {
    // What a job of the configuration or a monitor scrapes is scraped once, by that.
    job.yields = true;
    let token = Secret::File(TOKEN.into());
    if !has_token {
        job.client.authorization = job.client.authorization.filter(
            |own| !matches!(own, Authorization::Credentials { credentials, .. } if *credentials == token),
        );
    }
    job
}

/// Whether this process runs in a pod that may ask the API server: Kubernetes says where that is
/// (`KUBERNETES_SERVICE_HOST`), and has put a token there.
pub fn in_kubernetes() -> bool {
    std::env::var_os("KUBERNETES_SERVICE_HOST").is_some_and(|host| !host.is_empty())
        && Path::new(TOKEN).exists()
}
