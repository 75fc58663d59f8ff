//! Role `ingress`: each path of each host, for probes.

use super::Source;
use crate::discover::LabelPairs;
use crate::discover::kubernetes::mechanism::labels::{self, ADDRESS, set, set_some};
use crate::discover::kubernetes::mechanism::objects::{Ingress, IngressRule};
use crate::discover::kubernetes::mechanism::view::View;

impl Source for Ingress {
    const PREFIX: &'static str = "ingress";

    fn targets(&self, view: &View) -> (Vec<LabelPairs>, LabelPairs) {
        let mut shared = LabelPairs::new();
        set(&mut shared, "namespace", &self.metadata.namespace);
        set_some(&mut shared, "ingress_class_name", self.spec.ingress_class_name.as_ref());
        labels::meta(&mut shared, "ingress", &self.metadata);
        view.add_namespace(&mut shared, &self.metadata.namespace);
        (self.spec.rules.iter().flat_map(|rule| self.rule(rule)).collect(), shared)
    }
}

impl Ingress {
    fn rule(&self, rule: &IngressRule) -> Vec<LabelPairs> {
        let mut hosts = self.spec.tls.iter().flat_map(|tls| &tls.hosts);
        let scheme = if hosts.any(|host| covers(host, &rule.host)) { "https" } else { "http" };
        let target = |path: &str| {
            let mut target = LabelPairs::from([(ADDRESS.into(), rule.host.clone())]);
            set(&mut target, "ingress_scheme", scheme);
            set(&mut target, "ingress_host", &rule.host);
            set(&mut target, "ingress_path", if path.is_empty() { "/" } else { path });
            target
        };
        match &rule.http {
            Some(http) => http.paths.iter().map(|path| target(&path.path)).collect(),
            None => vec![target("/")],
        }
    }
}

/// Whether a certificate for `pattern`, whose first part may be `*`, is one for `host`.
fn covers(pattern: &str, host: &str) -> bool {
    let rest = |name: &str| name.split_once('.').map(|(_, rest)| rest.to_owned());
    pattern == host
        || pattern.starts_with("*.") && rest(pattern).is_some() && rest(pattern) == rest(host)
}
