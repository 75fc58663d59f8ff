//! Which objects a watch is about, how to ask for them, and how to say that they are refused.

use super::api::ApiError;
use super::objects::Kind;

/// Objects of a page of a list.
const PAGE_OBJECTS: usize = 500;
/// Seconds after which a server ends a watch; then it goes on with the next.
pub(super) const WATCH_SECONDS: u64 = 290;

/// The field selector of one object.
const NAME_IS: &str = "metadata.name=";

/// Objects of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Scope {
    pub(crate) kind: Kind,
    /// Where; everywhere without.
    pub(crate) namespace: Option<String>,
    /// Label selector.
    pub(crate) label: String,
    /// Field selector.
    pub(crate) field: String,
}

impl Scope {
    /// All objects of a kind.
    pub(crate) fn all(kind: Kind) -> Self {
        Self { kind, namespace: None, label: String::new(), field: String::new() }
    }

    /// The object of that name.
    pub(super) fn one(kind: Kind, namespace: &str, name: &str) -> Self {
        let field = format!("{NAME_IS}{name}");
        Self { namespace: Some(namespace.into()), field, ..Self::all(kind) }
    }

    /// Its name, if this is about one object.
    fn name(&self) -> Option<&str> {
        self.field.strip_prefix(NAME_IS).filter(|name| !name.contains([',', '=']))
    }

    /// The path of a page; `after` is where the page before ended.
    pub(super) fn list(&self, after: &str) -> String {
        let limit = PAGE_OBJECTS.to_string();
        self.path(&[("limit", &limit), ("continue", after)])
    }

    /// The path of the changes after `version`.
    pub(super) fn watch(&self, version: &str) -> String {
        let seconds = WATCH_SECONDS.to_string();
        self.path(&[
            ("watch", "true"),
            ("allowWatchBookmarks", "true"),
            ("timeoutSeconds", &seconds),
            ("resourceVersion", version),
        ])
    }

    /// The path of the list of kinds that the server has in this group and version.
    pub(super) fn group(&self) -> String {
        let (group, version, _) = self.kind.resource();
        if group.is_empty() {
            format!("/api/{version}")
        } else {
            format!("/apis/{group}/{version}")
        }
    }

    fn path(&self, query: &[(&str, &str)]) -> String {
        let (plural, group) = (self.kind.resource().2, self.group());
        let namespace = self.namespace.as_ref().map(|name| format!("/namespaces/{name}"));
        let path = format!("{group}{}/{plural}", namespace.unwrap_or_default());
        let selectors = [("labelSelector", &*self.label), ("fieldSelector", &*self.field)];
        let query = query.iter().chain(&selectors).filter(|(_, value)| !value.is_empty());
        let query: Vec<String> =
            query.map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        format!("{path}?{}", query.join("&"))
    }

    /// `list pods in llm-d`
    pub(super) fn tried(&self, verb: &str) -> String {
        let plural = self.kind.resource().2;
        let verb = match self.name() {
            Some(name) => format!("{verb} {name} of"),
            None => verb.to_owned(),
        };
        match &self.namespace {
            Some(namespace) => format!("{verb} {plural} in {namespace}"),
            None if self.kind.namespaced() => format!("{verb} {plural} in all namespaces"),
            None => format!("{verb} {plural}"),
        }
    }

    /// Why that failed and, where it is known, the cure.
    pub(super) fn explain(&self, error: &ApiError) -> String {
        match error.code() {
            Some(401) => format!(
                "{error}: the API server does not know who we are; is there a token, is it expired?"
            ),
            Some(403) => format!("{error}; {}", self.cure()),
            _ => error.to_string(),
        }
    }

    fn cure(&self) -> String {
        let (group, _, plural) = self.kind.resource();
        let place = match &self.namespace {
            Some(namespace) => format!("a ClusterRole, or a Role in {namespace}, of our account"),
            None => "a ClusterRole of our account".into(),
        };
        let names = self.name().map(|name| format!(", resourceNames: [{name:?}]"));
        let names = names.unwrap_or_default();
        format!(
            "add to {place}: {{apiGroups: [{group:?}], resources: [{plural:?}]{names}, \
             verbs: [\"list\", \"watch\"]}}"
        )
    }
}

/// A value in a query, percent-encoded (RFC 3986, 2).
fn encoded(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(byte as char);
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
