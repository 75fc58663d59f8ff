//! `otlp`: checked as Prometheus checks it. It has no effect, for nothing listens there.

use std::collections::HashSet;

use scraper::job::Validation;

use super::super::error::Problem;
use super::super::raw::{self, List, given, items, or_default, section};
use super::super::yaml::Value;
use super::value;

/// What names of metrics are translated to; the last two need UTF-8.
const STRATEGIES: [&str; 4] = [
    "UnderscoreEscapingWithSuffixes",
    "UnderscoreEscapingWithoutSuffixes",
    "NoUTF8EscapingWithSuffixes",
    "NoTranslation",
];

/// Checks the section.
pub(super) fn check(
    field: &Option<Value<raw::Otlp>>,
    validation: Validation,
) -> Result<(), Problem> {
    let Some(raw) = section(field) else { return Ok(()) };
    if or_default(&raw.promote_all_resource_attributes, false) {
        if !items(&raw.promote_resource_attributes).is_empty() {
            let what = "'promote_all_resource_attributes' and 'promote_resource_attributes' \
                        cannot be configured simultaneously";
            let place = value::place(&raw.promote_resource_attributes);
            return Err(Problem::new(place, what, "delete this list"));
        }
        attributes(&raw.ignore_resource_attributes, "ignore_resource_attributes", "ignored")?;
    } else {
        if !items(&raw.ignore_resource_attributes).is_empty() {
            let what = "'ignore_resource_attributes' cannot be configured unless \
                        'promote_all_resource_attributes' is true";
            let place = value::place(&raw.ignore_resource_attributes);
            return Err(Problem::new(place, what, "delete this list"));
        }
        attributes(&raw.promote_resource_attributes, "promote_resource_attributes", "promoted")?;
    }
    strategy(raw, validation)
}

fn strategy(raw: &raw::Otlp, validation: Validation) -> Result<(), Problem> {
    let Some((text, place)) = given(&raw.translation_strategy).filter(|(t, _)| !t.is_empty())
    else {
        return Ok(());
    };
    let index = STRATEGIES.iter().position(|strategy| strategy == text);
    match index {
        None => {
            let what = format!("unsupported OTLP translation strategy {text:?}");
            let cure = format!("write one of {}", STRATEGIES.join(", "));
            Err(Problem::new(place, what, cure))
        }
        Some(2 | 3) if validation == Validation::Legacy => {
            let what =
                format!("OTLP translation strategy {text:?} is not allowed when UTF8 is disabled");
            Err(Problem::new(place, what, "write another one"))
        }
        Some(_) => Ok(()),
    }
}

fn attributes(
    field: &Option<Value<List<String>>>,
    name: &str,
    adjective: &str,
) -> Result<(), Problem> {
    let mut seen = HashSet::new();
    for item in items(field) {
        let attribute = item.value.as_deref().unwrap_or_default().trim();
        if attribute.is_empty() {
            let what = format!("invalid '{name}': empty {adjective} OTel resource attribute");
            return Err(Problem::new(item.place, what, "write its name or delete its `-`"));
        }
        if !seen.insert(attribute) {
            let what = format!(
                "invalid '{name}': duplicated {adjective} OTel resource attribute {attribute:?}"
            );
            return Err(Problem::new(item.place, what, "delete one of the two"));
        }
    }
    Ok(())
}
