//! Values of nodes that a plan has several times: computed the first time, kept until the last.
//!
//! What comes out is what evaluating each of them gives. Notes come again with the value: their
//! texts are there already, with the place of the first node, but what they count is counted again;
//! so are samples. What is kept counts as held; an evaluation for which that was too much is
//! repeated without keeping anything.

use std::collections::HashMap;

use super::Evaluator;
use super::series::{StepVector, weight};
use crate::error::EvalError;
use crate::notes::Notes;
use crate::plan::{Node, uses};
use crate::value::Steps;

/// What an evaluation keeps.
#[derive(Default)]
pub(super) struct Shared {
    /// How often the value of a node's number is still asked for, at first.
    uses: HashMap<usize, u32>,
    kept: HashMap<usize, Kept>,
    /// What all that is kept counts for.
    weight: usize,
    has_kept: bool,
}

/// A value that is asked for again.
struct Kept {
    steps: Steps,
    vector: StepVector,
    /// What was noted and looked at on the way.
    notes: Notes,
    looked_at: u64,
    uses: u32,
}

impl Shared {
    /// What is kept now counts for so many samples.
    pub(super) fn weight(&self) -> usize {
        self.weight
    }
}

/// Does `work` with equal parts of the plan below `root` evaluated once; if that holds too much, again
/// without.
pub(crate) fn sharing<'a, T>(
    root: &Node,
    new: impl Fn() -> Evaluator<'a>,
    mut work: impl FnMut(&mut Evaluator<'a>) -> Result<T, EvalError>,
) -> Result<T, EvalError> {
    let mut evaluator = new();
    if evaluator.options.share_equal {
        evaluator.shared = Shared { uses: uses(root), ..Shared::default() };
    }
    match work(&mut evaluator) {
        Err(EvalError::TooManySamples | EvalError::TooMuchMemory { .. })
            if evaluator.shared.has_kept =>
        {
            drop(evaluator);
            work(&mut new())
        }
        other => other,
    }
}

impl Evaluator<'_> {
    /// Whether the value of a node is there already.
    pub(super) fn is_kept(&self, node: &Node, steps: &Steps) -> bool {
        self.shared.kept.get(&node.id).is_some_and(|kept| kept.steps == *steps)
    }

    /// The value of a node that may have been computed already.
    pub(super) fn shared(&mut self, node: &Node, steps: &Steps) -> Result<StepVector, EvalError> {
        match self.shared.kept.get(&node.id) {
            Some(kept) if kept.steps == *steps => self.again(node.id),
            Some(_) => self.computed(node, steps),
            None => match self.shared.uses.remove(&node.id) {
                Some(uses) => self.keep(node, steps, uses - 1),
                None => self.computed(node, steps),
            },
        }
    }

    /// Computes a value that is asked for `uses` times more.
    fn keep(&mut self, node: &Node, steps: &Steps, uses: u32) -> Result<StepVector, EvalError> {
        let (before, looked_at) = (std::mem::take(&mut self.notes), self.meter.looked_at);
        let computed = self.computed(node, steps);
        let notes = std::mem::replace(&mut self.notes, before);
        self.notes.absorb(notes.clone());
        let vector = computed?;
        let weight = weight(&vector);
        self.shared.has_kept = true;
        self.meter.hold(weight)?;
        self.shared.weight += weight;
        let looked_at = self.meter.looked_at - looked_at;
        let kept = Kept { steps: *steps, vector: vector.clone(), notes, looked_at, uses };
        self.shared.kept.insert(node.id, kept);
        Ok(vector)
    }

    /// A value that is kept; nothing is kept any longer than it is needed.
    fn again(&mut self, id: usize) -> Result<StepVector, EvalError> {
        self.meter.check()?;
        let Some(kept) = self.shared.kept.get_mut(&id) else { unreachable!("BUG: it is kept") };
        kept.uses -= 1;
        self.meter.looked_at += kept.looked_at;
        self.notes.absorb(kept.notes.clone());
        if kept.uses > 0 {
            let vector = kept.vector.clone();
            self.meter.hold(weight(&vector))?;
            return Ok(vector);
        }
        let vector = std::mem::take(&mut kept.vector);
        self.shared.kept.remove(&id);
        self.shared.weight -= weight(&vector);
        Ok(vector)
    }
}
