//! What there is to scrape, and what a scraper should know about it.

use super::family::Dialect;

/// Which exporter a target is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetKind {
    /// A vLLM server.
    Vllm,
    /// The endpoint picker; its page asks for a bearer token.
    Picker,
    /// The DCGM exporter of a node.
    Gpu,
}

/// One target of the fleet.
#[derive(Debug, Clone)]
pub struct Target {
    /// The pod's name.
    pub name: String,
    /// The exporter.
    pub kind: TargetKind,
    /// Labels that the scrape adds: `job`, `namespace`, `pod`, for vLLM also `vllm_role` and
    /// `vllm_model` as in the guide's job.
    pub labels: Vec<(&'static str, String)>,
    /// The Content-Type of its page.
    pub content_type: &'static str,
    /// Its position in the fleet.
    pub(super) position: usize,
}

impl Target {
    pub(super) fn new(
        position: usize,
        name: &str,
        kind: TargetKind,
        namespace: &str,
        dialect: &Dialect,
    ) -> Target {
        let job = match kind {
            TargetKind::Vllm => "vllm-instances",
            TargetKind::Picker => "gateway-api-inference-extension",
            TargetKind::Gpu => "dcgm-exporter",
        };
        let labels = [("job", job), ("namespace", namespace), ("pod", name)];
        Target {
            name: name.to_owned(),
            kind,
            labels: labels.map(|(name, value)| (name, value.to_owned())).to_vec(),
            content_type: dialect.content_type,
            position,
        }
    }

    pub(super) fn label(mut self, name: &'static str, value: &str) -> Target {
        self.labels.push((name, value.to_owned()));
        self
    }
}
