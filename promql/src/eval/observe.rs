//! Measures operators for a [`Profile`], if there is one.

use super::Evaluator;
use super::series::StepVector;
use crate::error::EvalError;
use crate::explain::words;
use crate::plan::{Node, NodeKind};
use crate::profile::{OperatorProfile, Profile};
use crate::value::Steps;

impl Evaluator<'_> {
    /// The value of a node, and what it took.
    pub(super) fn observed(
        &mut self,
        profile: &Profile<'_>,
        node: &Node,
        steps: &Steps,
    ) -> Result<StepVector, EvalError> {
        // What is the same at each step stands at the same place as what is evaluated for it.
        if matches!(node.kind, NodeKind::Invariant(_)) {
            return self.shared(node, steps);
        }
        let (began, looked_at) = (profile.now(), self.meter.looked_at);
        let before = std::mem::take(&mut self.inner_time);
        let is_reused = self.is_kept(node, steps);
        let value = self.shared(node, steps);
        let time = profile.now().saturating_sub(began);
        let inner_time = std::mem::replace(&mut self.inner_time, before + time);
        profile.add_operator(OperatorProfile {
            words: words::of(node, self.options.lookback_ms),
            span: node.span,
            evaluations: u32::from(!is_reused),
            reuses: u32::from(is_reused),
            time,
            own_time: time.saturating_sub(inner_time),
            samples: self.meter.looked_at - looked_at,
            series: value.as_ref().map_or(0, Vec::len),
        });
        value
    }
}
