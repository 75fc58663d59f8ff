//! Hides secrets in a configuration's text, so that it can be shown.
//!
//! Each secret's bytes are replaced, whatever its YAML style; the rest stays as it was written,
//! comments included. A secret of several lines keeps its line breaks, so that line numbers hold.

use super::raw::{self, File};

/// What stands instead of a secret, as in Prometheus.
const MASK: &str = "<secret>";

/// `text` without the secrets that `file`, read from it, holds.
pub(super) fn mask(text: &str, file: &File) -> String {
    let mut places = raw::found(file).secrets;
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
