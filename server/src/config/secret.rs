//! Hides secrets in a configuration's text, so that it can be shown.
//!
//! Each secret's bytes are replaced, whatever its YAML style; the rest stays as it was written,
//! comments included. A secret of several lines keeps its line breaks, so that line numbers hold.

use super::error::Place;
use super::raw::{File, ScrapeConfig, given, items};

/// What stands instead of a secret, as in Prometheus.
const MASK: &str = "<secret>";

/// `text` without the secrets that `file`, read from it, holds.
pub(super) fn mask(text: &str, file: &File) -> String {
    let jobs = items(&file.scrape_configs).iter().filter_map(|job| job.value.as_ref());
    let mut places: Vec<Place> = jobs.flat_map(secrets).collect();
    places.sort_by_key(|place| place.start);
    // An anchor that several jobs use is one place.
    places.dedup();
    let (mut masked, mut end) = (String::with_capacity(text.len()), 0);
    for place in places {
        // The place of a block scalar reaches up to what follows it.
        let secret = text.get(place.start..place.start + place.len).unwrap_or_default().trim_end();
        masked.push_str(text.get(end..place.start).unwrap_or_default());
        masked.push_str(MASK);
        masked.extend(secret.chars().filter(|c| *c == '\n'));
        end = place.start + secret.len();
    }
    masked.push_str(text.get(end..).unwrap_or_default());
    masked
}

fn secrets(job: &ScrapeConfig) -> Vec<Place> {
    let authorization = given(&job.authorization).map(|(section, _)| &section.credentials);
    let password = given(&job.basic_auth).map(|(section, _)| &section.password);
    let key = given(&job.tls_config).map(|(section, _)| &section.key);
    let fields = [Some(&job.bearer_token), authorization, password, key];
    let written = fields.into_iter().flatten().filter_map(given);
    written.filter(|(secret, _)| !secret.is_empty()).map(|(_, place)| place).collect()
}
