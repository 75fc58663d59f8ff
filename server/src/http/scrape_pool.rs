//! `/api/v1/scrape_pools/config`: what the configuration file says of one job, as YAML.

use axum::extract::{RawQuery, State as Shared};
use serde_json::Value;
use tsdb::model::labels::Quoted;

use super::envelope::Success;
use super::error::ApiError;
use super::params::Params;
use super::{State, json};

/// The job's part of the file without secrets, names in order. Jobs that stand in other files or are
/// built in are not found.
pub(super) async fn config(
    Shared(state): Shared<State>,
    RawQuery(query): RawQuery,
) -> Result<Success, ApiError> {
    let params = Params::new(&[], query.as_deref().unwrap_or(""));
    let name = params.get("scrapePool");
    let name = name.ok_or_else(|| ApiError::bad_data("no scrapePool parameter provided"))?;
    let config = state.lifecycle.reloader.as_ref().map(|reloader| reloader.config());
    let yaml = config.and_then(|config| part(&config.text, name)).ok_or_else(|| {
        let name = Quoted(name);
        ApiError::bad_data(format!("error getting scrape config: scrape pool {name} not found"))
    })?;
    Ok(Success::with(|out| {
        json::write_object(out, [("yaml", yaml)], |out, text| json::write_html_safe(out, &text));
    }))
}

/// The member of `scrape_configs` whose `job_name` is `name`.
fn part(text: &str, name: &str) -> Option<String> {
    let file: Value = serde_saphyr::from_str(text).ok()?;
    let jobs = file.get("scrape_configs")?.as_array()?;
    let job = jobs.iter().find(|job| job.get("job_name").and_then(Value::as_str) == Some(name))?;
    serde_saphyr::to_string(job).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_found_in_the_text() {
        let text = "global: {}\nscrape_configs:\n- {job_name: a, metrics_path: /x}\n\
                    - static_configs: [{targets: [t]}]\n  job_name: \"b\"\n  scrape_interval: 5s\n";
        let found = part(text, "b").unwrap();
        assert!(
            found.starts_with("job_name: b\nscrape_interval: 5s\nstatic_configs:\n"),
            "{found}"
        );
        assert_eq!(part(text, "c"), None);
        assert_eq!(part("", "a"), None);
    }
}
