//! Steps of range queries that are kept for the next time: a dashboard that refreshes asks for
//! nearly the same steps again and again.
//!
//! 1. [`evaluate`] finds what is kept of the same query, step and phase ([`store`]).
//! 2. A kept step is right as long as nothing changed at the times that it looks at
//!    ([`Select::unchanged_since`](tsdb::Select::unchanged_since), [`Sight`]); the others, before
//!    and after, are evaluated.
//! 3. Both are joined ([`entry`]), and the answer is kept in the place of the old one.
//!
//! What comes out is what an evaluation of all steps gives, bit for bit, notes included; where that
//! is not known, all steps are evaluated:
//! - plans that depend on when the query starts or ends, or on which steps are evaluated together,
//!   and names that are dropped at the end of a query, are not kept at all;
//! - notes do not say at which steps they were noted: what is joined has to have the same ones (one
//!   that counts its steps is never the same);
//! - an evaluation that fails is repeated as a whole, so that its error is the first step's.
//!
//! What is kept counts as held, as if it had been computed.

mod entry;
mod store;

use std::ops::Range;

pub use store::{CacheStats, QueryCache};

use crate::error::EvalError;
use crate::notes::Notes;
use crate::plan::Sight;
use crate::range::{Part, RangeQuery};
use crate::value::Steps;
use entry::{Entry, join};
use store::Key;

/// The values of `asked` at all its steps.
pub(crate) fn evaluate(asked: &RangeQuery<'_>, cache: &QueryCache) -> Result<Part, EvalError> {
    // Before anything is looked at: what comes meanwhile counts as a change.
    let generation = asked.store.generation();
    let Some(sight) = sight(asked).ok().filter(|_| cache.is_on()) else {
        return asked.evaluate(&asked.steps, 0);
    };
    let key = Key::of(asked);
    let kept = cache.get(&key);
    let joined = kept.as_ref().map(|kept| refresh(asked, kept, sight)).transpose()?.flatten();
    cache.count(joined.is_some());
    let (part, is_new) = match joined {
        Some(joined) => joined,
        None => (asked.evaluate(&asked.steps, 0)?, true),
    };
    if is_new {
        cache.put(key, Entry::new(generation, asked.steps, &part));
    }
    Ok(part)
}

/// What the plan looks at, or why its steps cannot be kept.
pub(crate) fn sight(asked: &RangeQuery<'_>) -> Result<Sight, &'static str> {
    let options = &asked.engine.options;
    if asked.is_bounded {
        return Err("it depends on when the query starts or ends");
    }
    if options.delayed_name_removal {
        return Err("names are dropped at the end of the query");
    }
    if asked.steps.count() == 0 {
        return Err("there are no steps");
    }
    match Sight::of(&asked.node, options.lookback_ms) {
        None => Err("a step's value may depend on the other steps"),
        Some(sight) if sight == Sight::default() => Err("it looks at no samples"),
        Some(sight) => Ok(sight),
    }
}

/// The answer with what is kept, and whether any of it was computed; `None` if too little of it is
/// right, or the notes of all steps are not known.
fn refresh(
    asked: &RangeQuery<'_>,
    kept: &Entry,
    sight: Sight,
) -> Result<Option<(Part, bool)>, EvalError> {
    let Some(reused) = reusable(asked, kept, sight) else { return Ok(None) };
    if !asked.may_hold(kept.samples()) {
        return Ok(None);
    }
    let count = asked.steps.count();
    let Some(before) = missing(asked, kept, 0..reused.start)? else { return Ok(None) };
    let Some(after) = missing(asked, kept, reused.end..count)? else { return Ok(None) };
    let is_computed = reused.len() < count;
    let is_whole = kept.steps() == asked.steps;
    if !is_computed && !is_whole && !kept.notes.are(&asked.notes) {
        return Ok(None);
    }
    let samples = before.samples + after.samples;
    let reused = part_of(&asked.steps, reused);
    let matrix = join(before.matrix, (kept, &reused), after.matrix, count);
    Ok(Some((Part { matrix, notes: kept.notes.clone(), samples }, is_computed || !is_whole)))
}

/// The values at some steps that are not kept; `None` if they failed or have other notes.
fn missing(
    asked: &RangeQuery<'_>,
    kept: &Entry,
    range: Range<usize>,
) -> Result<Option<Part>, EvalError> {
    if range.is_empty() {
        let notes = Notes::default();
        return Ok(Some(Part { matrix: Vec::new(), notes, samples: 0 }));
    }
    match asked.evaluate(&part_of(&asked.steps, range), kept.samples()) {
        Ok(part) => Ok(part.notes.are(&kept.notes).then_some(part)),
        Err(EvalError::Canceled) => Err(EvalError::Canceled),
        Err(EvalError::Timeout) => Err(EvalError::Timeout),
        Err(_) => Ok(None),
    }
}

/// The steps at which what is kept is right, if they are at least half of all.
fn reusable(asked: &RangeQuery<'_>, kept: &Entry, sight: Sight) -> Option<Range<usize>> {
    let unchanged = asked.store.unchanged_since(kept.generation)?;
    let (first, last) = (unchanged.start.ms(), unchanged.end.ms());
    if sight.fixed.is_some_and(|(from, to)| from < first || last < to) {
        return None;
    }
    let (back, ahead) = sight.moving.unwrap_or((0, 0));
    let right = match sight.moving {
        Some(_) => (first.saturating_sub(back), last.saturating_sub(ahead)),
        None => (i64::MIN, i64::MAX),
    };
    let steps = &asked.steps;
    let own = kept.steps();
    let from = right.0.max(own.start.ms()).max(steps.start.ms());
    let to = right.1.min(own.end.ms()).min(steps.end.ms());
    if from > to {
        return None;
    }
    let index = |time: i64| (time - steps.start.ms()) / steps.step_ms;
    let reused = index(from.saturating_add(steps.step_ms - 1)) as usize..index(to) as usize + 1;
    (2 * reused.len() >= steps.count()).then_some(reused)
}

/// Some of the steps.
fn part_of(steps: &Steps, range: Range<usize>) -> Steps {
    let end = steps.time(range.end.saturating_sub(1));
    Steps { start: steps.time(range.start), end, step_ms: steps.step_ms }
}
