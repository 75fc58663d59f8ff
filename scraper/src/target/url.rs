//! The URL of a target's page, escaped as Go's `net/url` does.

use std::collections::BTreeMap;
use std::fmt::Write;

/// `scheme://address/path?name=value`; parameters in order of their names.
pub(super) fn build(
    scheme: &str,
    address: &str,
    path: &str,
    params: &BTreeMap<String, Vec<String>>,
) -> String {
    let slash = if path.is_empty() || path.starts_with('/') { "" } else { "/" };
    let mut url = format!("{scheme}://{address}{slash}");
    escape(&mut url, path, b"$&+,/:;=@", "%20");
    let mut separator = '?';
    for (name, values) in params {
        for value in values {
            url.push(separator);
            escape(&mut url, name, b"", "+");
            url.push('=');
            escape(&mut url, value, b"", "+");
            separator = '&';
        }
    }
    url
}

/// Letters, digits, `-_.~` and `plain` stay, a space becomes `space`, the rest `%XX`.
fn escape(out: &mut String, text: &str, plain: &[u8], space: &str) {
    for b in text.bytes() {
        if b.is_ascii_alphanumeric() || b"-_.~".contains(&b) || plain.contains(&b) {
            out.push(b as char);
        } else if b == b' ' {
            out.push_str(space);
        } else {
            write!(out, "%{b:02X}").expect("BUG: writing to a string fails");
        }
    }
}
