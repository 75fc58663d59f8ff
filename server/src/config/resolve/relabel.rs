//! Relabel rules. Checks, their order and their words are those of Prometheus 3.14
//! (`model/relabel`, `Config.Validate`).

use std::fmt;

use scraper::job::Validation;
use scraper::relabel::{Action, Rule};
use tsdb::model::labels::Quoted;
use tsdb::model::regex::{Anchored, RegexError};

use super::super::error::{Place, Problem};
use super::super::nearest::nearest;
use super::super::raw::{RelabelConfig, given, items, or_default};
use super::super::yaml::Value;
use super::{names, present, value};

/// Prometheus's `DefaultRelabelConfig`.
const SEPARATOR: &str = ";";
const PATTERN: &str = "(.*)";
const REPLACEMENT: &str = "$1";

/// Every action by its name.
const ACTIONS: [(&str, Action); 11] = [
    ("replace", Action::Replace),
    ("keep", Action::Keep),
    ("drop", Action::Drop),
    ("keepequal", Action::KeepEqual),
    ("dropequal", Action::DropEqual),
    ("hashmod", Action::HashMod),
    ("labelmap", Action::LabelMap),
    ("labeldrop", Action::LabelDrop),
    ("labelkeep", Action::LabelKeep),
    ("lowercase", Action::Lowercase),
    ("uppercase", Action::Uppercase),
];

/// Decides a list of rules; `null` says what an item without content is.
pub(super) fn rules(
    raw: &[Value<RelabelConfig>],
    null: &str,
    validation: Validation,
) -> Result<Vec<Rule>, Problem> {
    let rules = raw.iter().map(|item| {
        let (raw, place) = present(item, null)?;
        let rule = rule(raw, place)?;
        check(&rule, raw, place)?;
        check_names(&rule, raw, validation)?;
        Ok(rule)
    });
    rules.collect()
}

fn rule(raw: &RelabelConfig, place: Place) -> Result<Rule, Problem> {
    let pattern = or_default(&raw.regex, PATTERN.to_owned());
    let regex = Anchored::new(&pattern).map_err(|error| {
        let cure = "patterns are written as in Go (RE2) and match whole texts";
        Problem::new(raw.regex.as_ref().map_or(place, |at| at.place), one_line(&error), cure)
    })?;
    Ok(Rule {
        source_labels: source_labels(raw)?,
        separator: or_default(&raw.separator, SEPARATOR.to_owned()),
        regex,
        pattern,
        modulus: or_default(&raw.modulus, 0),
        target_label: or_default(&raw.target_label, String::new()),
        replacement: or_default(&raw.replacement, REPLACEMENT.to_owned()),
        action: action(raw)?,
    })
}

fn source_labels(raw: &RelabelConfig) -> Result<Vec<String>, Problem> {
    let names = items(&raw.source_labels).iter().map(|name| {
        let label = name.value.clone().unwrap_or_default();
        let empty = || Problem::new(name.place, "\"\" is not a valid label name", value::NAME_CURE);
        if label.is_empty() { Err(empty()) } else { Ok(label) }
    });
    names.collect()
}

fn action(raw: &RelabelConfig) -> Result<Action, Problem> {
    let Some(written) = &raw.action else { return Ok(Action::Replace) };
    let names = || ACTIONS.iter().map(|(name, _)| *name);
    let list = || format!("write one of {}", names().collect::<Vec<_>>().join(", "));
    let Some(text) = &written.value else {
        return Err(Problem::new(written.place, "relabel action cannot be empty", list()));
    };
    let lower = text.to_lowercase();
    let known = ACTIONS.iter().find(|(name, _)| *name == lower).map(|(_, action)| *action);
    known.ok_or_else(|| {
        let meant = nearest(&lower, names()).map(|near| format!("did you mean `{near}`?"));
        let what = format!("unknown relabel action {text:?}");
        Problem::new(written.place, what, meant.unwrap_or_else(list))
    })
}

/// Whether the fields fit the action.
fn check(rule: &Rule, raw: &RelabelConfig, place: Place) -> Result<(), Problem> {
    use Action::{DropEqual, HashMod, KeepEqual, LabelDrop, LabelKeep, LabelMap};
    use Action::{Lowercase, Replace, Uppercase};
    let (action, target) = (rule.action, rule.target_label.as_str());
    let name = Name(action);
    let at = |field: &Option<Value<String>>| field.as_ref().map_or(place, |at| at.place);
    if action == HashMod && rule.modulus == 0 {
        let what = "relabel configuration for hashmod requires non-zero modulus";
        let place = raw.modulus.as_ref().map_or(place, |at| at.place);
        return Err(Problem::new(place, what, "add `modulus`, the number of parts"));
    }
    let writes =
        matches!(action, Replace | HashMod | Lowercase | Uppercase | KeepEqual | DropEqual);
    if writes && target.is_empty() {
        let what = format!("relabel configuration for {name} action requires 'target_label' value");
        return Err(Problem::new(at(&raw.target_label), what, "add `target_label`"));
    }
    let sets_replacement = rule.replacement != REPLACEMENT;
    if matches!(action, Lowercase | Uppercase | KeepEqual | DropEqual) && sets_replacement {
        let what = format!("'replacement' can not be set for {name} action");
        return Err(Problem::new(at(&raw.replacement), what, "delete it"));
    }
    if action == LabelMap && rule.replacement.is_empty() {
        let what = format!("{:?} is invalid 'replacement' for {name} action", rule.replacement);
        let cure = "write a label name in which $1 or ${1} may stand";
        return Err(Problem::new(at(&raw.replacement), what, cure));
    }
    let plain = rule.modulus == 0 && rule.separator == SEPARATOR && !sets_replacement;
    if matches!(action, DropEqual | KeepEqual) && !(plain && rule.pattern == PATTERN) {
        let what = format!(
            "{name} action requires only 'source_labels' and `target_label`, and no other fields"
        );
        return Err(Problem::new(place, what, "delete the others"));
    }
    let only_regex = plain && target.is_empty() && given(&raw.source_labels).is_none();
    if matches!(action, LabelDrop | LabelKeep) && !only_regex {
        let what = format!("{name} action requires only 'regex', and no other fields");
        return Err(Problem::new(place, what, "delete the others"));
    }
    Ok(())
}

/// Whether the names that it writes are good; in one that is made of parts, `$1` and `${1}` are.
fn check_names(rule: &Rule, raw: &RelabelConfig, validation: Validation) -> Result<(), Problem> {
    use Action::{DropEqual, HashMod, KeepEqual, LabelMap, Lowercase, Replace, Uppercase};
    let (field, what, text) = match rule.action {
        LabelMap => (&raw.replacement, "replacement", &rule.replacement),
        Replace | HashMod | Lowercase | Uppercase | KeepEqual | DropEqual => {
            (&raw.target_label, "target_label", &rule.target_label)
        }
        _ => return Ok(()),
    };
    let made = matches!(rule.action, Replace | LabelMap) && text.contains('$');
    if validation == Validation::Utf8 || made || names::is_label(text, validation) {
        return Ok(());
    }
    let place = field.as_ref().map(|at| at.place).unwrap_or_default();
    let what = format!("{} is invalid '{what}' for {} action", Quoted(text), Name(rule.action));
    Err(Problem::new(place, what, "write letters, digits and `_`"))
}

/// An action's name.
struct Name(Action);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = ACTIONS.iter().find(|(_, action)| *action == self.0);
        f.write_str(named.map_or("", |(name, _)| *name))
    }
}

/// The parser of patterns draws its errors over several lines; the last one says what is wrong.
fn one_line(error: &RegexError) -> String {
    let text = error.to_string();
    match text.lines().last().and_then(|line| line.strip_prefix("error: ")) {
        Some(what) => format!("error parsing regexp: {what}"),
        None => text,
    }
}
