//! Which names of metrics and labels are good, and what targets do with others.

use scraper::job::{Escaping, Validation};
use tsdb::model::labels::{Quoted, is_legacy_name};

use super::super::error::Problem;
use super::super::raw::given;
use super::super::yaml::Value;

/// Every scheme of escaping.
const ESCAPINGS: [Escaping; 4] =
    [Escaping::AllowUtf8, Escaping::Underscores, Escaping::Dots, Escaping::Values];

/// `legacy` or `utf8`; `None` if it does not stand there or is empty. `whose` is `global` or
/// `scrape config`.
pub(super) fn validation(
    field: &Option<Value<String>>,
    whose: &str,
) -> Result<Option<Validation>, Problem> {
    let Some((text, place)) = given(field) else { return Ok(None) };
    match text.as_str() {
        "" => Ok(None),
        "utf8" => Ok(Some(Validation::Utf8)),
        "legacy" => Ok(Some(Validation::Legacy)),
        _ => {
            let what = format!(
                "unknown {whose} name validation method specified, must be either 'legacy' or \
                 'utf8', got {text}"
            );
            Err(Problem::new(place, what, "write utf8 or legacy"))
        }
    }
}

/// How names are escaped; `None` if it does not stand there or is empty. `whose` is `global` or
/// `scrape config`.
pub(super) fn escaping(
    field: &Option<Value<String>>,
    whose: &str,
) -> Result<Option<Escaping>, Problem> {
    let Some((text, place)) = given(field).filter(|(text, _)| !text.is_empty()) else {
        return Ok(None);
    };
    let known = ESCAPINGS.into_iter().find(|scheme| scheme.as_str() == text);
    known.map(Some).ok_or_else(|| {
        let what = format!(
            "unknown {whose} name escaping method specified, must be one of 'allow-utf-8', \
             'underscores', 'dots', or 'values', got {}",
            Quoted(text)
        );
        Problem::new(place, what, "write one of them")
    })
}

/// What follows from which names are good.
pub(super) fn escaping_of(validation: Validation) -> Escaping {
    match validation {
        Validation::Utf8 => Escaping::AllowUtf8,
        Validation::Legacy => Escaping::Underscores,
    }
}

/// Whether `name` is good for a label; the error has Prometheus's words.
pub(super) fn label(name: &str, validation: Validation) -> Result<(), String> {
    if is_label(name, validation) {
        Ok(())
    } else {
        Err(format!("{} is not a valid label name", Quoted(name)))
    }
}

/// Whether `name` is good for a label.
pub(super) fn is_label(name: &str, validation: Validation) -> bool {
    match validation {
        Validation::Utf8 => !name.is_empty(),
        Validation::Legacy => is_legacy_name(name),
    }
}
