//! Words that all roles' labels are made with.

use super::objects::Meta;
use crate::discover::LabelPairs;

pub(super) const ADDRESS: &str = "__address__";
const PREFIX: &str = "__meta_kubernetes_";
const PRESENT: &str = "true";

/// Sets `__meta_kubernetes_<name>`.
pub(super) fn set(labels: &mut LabelPairs, name: &str, value: impl Into<String>) {
    labels.insert(format!("{PREFIX}{name}"), value.into());
}

/// Sets `__meta_kubernetes_<name>` if there is a value.
pub(super) fn set_some(labels: &mut LabelPairs, name: &str, value: Option<&String>) {
    if let Some(value) = value {
        set(labels, name, value);
    }
}

/// The name of an object, its labels and its annotations; `owner` is what they are called after.
pub(super) fn meta(labels: &mut LabelPairs, owner: &str, meta: &Meta) {
    set(labels, &format!("{owner}_name"), &meta.name);
    labels_and_annotations(labels, owner, meta);
}

/// Each label and annotation, and that it is present: the value may be empty.
pub(super) fn labels_and_annotations(labels: &mut LabelPairs, owner: &str, meta: &Meta) {
    for (what, pairs) in [("label", &meta.labels), ("annotation", &meta.annotations)] {
        for (name, value) in pairs {
            let name = sanitized(name);
            set(labels, &format!("{owner}_{what}_{name}"), value);
            set(labels, &format!("{owner}_{what}present_{name}"), PRESENT);
        }
    }
}

/// A name with `_` for every character that the text format knows no label name with.
pub(super) fn sanitized(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// `host:port`, brackets around an IPv6 address.
pub(super) fn host_port(host: &str, port: u32) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}
