//! Fills captured groups into a template, as Go's `Regexp.Expand` does.
//!
//! `$name` takes the longest run of letters, digits and underscores; `${name}` the same between
//! braces; `$$` is a dollar. A group that does not exist or did not take part is empty. A dollar
//! that starts none of these stays as it is.

use regex::Captures;

/// `template` with the groups of `captures` filled in.
pub(super) fn expand(template: &str, captures: &Captures<'_>) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((name, after)) = reference(after) {
            out.push_str(group(name, captures));
            rest = after;
        } else {
            out.push('$');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// The group named at the start of `text` (behind the dollar), and what follows it.
fn reference(text: &str) -> Option<(&str, &str)> {
    let in_braces = text.strip_prefix('{');
    let from = in_braces.unwrap_or(text);
    let end = from.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(from.len());
    let (name, after) = from.split_at(end);
    let after = if in_braces.is_some() { after.strip_prefix('}')? } else { after };
    (!name.is_empty()).then_some((name, after))
}

/// A number without leading zeros names a group by its place, everything else by its name.
fn group<'t>(name: &str, captures: &Captures<'t>) -> &'t str {
    let is_number = name.bytes().all(|b| b.is_ascii_digit());
    let found = match is_number && (name == "0" || !name.starts_with('0')) {
        true => name.parse().ok().and_then(|index: usize| captures.get(index)),
        false => captures.name(name),
    };
    found.map_or("", |found| found.as_str())
}
