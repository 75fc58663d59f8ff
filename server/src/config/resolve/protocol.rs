//! Forms of a page: `scrape_protocols` and `fallback_scrape_protocol`.

use scraper::job::Protocol;

use super::super::error::{Place, Problem};
use super::super::nearest::nearest;
use super::super::raw::{List, given};
use super::super::yaml::Value;

/// The forms in the order of the file; `None` if they do not stand there. `whose` is what they
/// are for.
pub(super) fn list(
    field: &Option<Value<List<String>>>,
    whose: &str,
) -> Result<Option<Vec<Protocol>>, Problem> {
    let Some((items, place)) = given(field) else { return Ok(None) };
    let list = || names().collect::<Vec<_>>().join(", ");
    if items.is_empty() {
        let what = format!("scrape_protocols cannot be empty for {whose}");
        return Err(Problem::new(place, what, format!("write some of {}", list())));
    }
    let texts: Vec<&str> = items.iter().map(|item| item.value.as_deref().unwrap_or("")).collect();
    let mut protocols = Vec::new();
    for (index, (item, text)) in items.iter().zip(&texts).enumerate() {
        if texts[..index].iter().any(|before| before.eq_ignore_ascii_case(text)) {
            let got = texts.join(" ");
            let what = format!("duplicated protocol in scrape_protocols, got [{got}] for {whose}");
            return Err(Problem::new(item.place, what, "delete one of the two"));
        }
        let unknown = |what| format!("scrape_protocols: {what} for {whose}");
        protocols.push(one(text, item.place, unknown)?);
    }
    Ok(Some(protocols))
}

/// What a page is taken for if it does not say.
pub(super) fn fallback(
    field: &Option<Value<String>>,
    job: &str,
) -> Result<Option<Protocol>, Problem> {
    let Some((text, place)) = given(field).filter(|(text, _)| !text.is_empty()) else {
        return Ok(None);
    };
    let unknown = |what| {
        format!("invalid fallback_scrape_protocol for scrape config with job name {job:?}: {what}")
    };
    one(text, place, unknown).map(Some)
}

fn one(text: &str, place: Place, unknown: impl Fn(String) -> String) -> Result<Protocol, Problem> {
    let known = Protocol::ALL.into_iter().find(|protocol| protocol.as_str() == text);
    known.ok_or_else(|| {
        let mut supported: Vec<&str> = names().collect();
        supported.sort_unstable();
        let supported = supported.join(" ");
        let what = unknown(format!("unknown scrape protocol {text}, supported: [{supported}]"));
        let meant = nearest(text, names()).map(|near| format!("did you mean `{near}`?"));
        Problem::new(place, what, meant.unwrap_or_else(|| "write one of them".to_owned()))
    })
}

fn names() -> impl Iterator<Item = &'static str> {
    Protocol::ALL.into_iter().map(Protocol::as_str)
}
