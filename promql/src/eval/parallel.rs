//! Work that is split over cores: by series, whose results are independent of one another.
//!
//! Each part has notes and buffers of its own, and counts against the same budget. Parts are put
//! together in their order, and results in that of their series, so that nothing depends on how
//! many parts there are. Addends of a sum are never split.

use super::Evaluator;
use crate::error::EvalError;

/// Samples that are worth a thread of their own, about (a third of a millisecond).
const SAMPLES_PER_PART: u64 = 1 << 16;
/// Milliseconds between the samples of a series, if nothing is known.
const USUAL_INTERVAL_MS: u64 = 15_000;

/// In how many parts the samples of so many series in so much time are best looked at.
pub(crate) fn parts(series: usize, span_ms: i64, threads: usize) -> usize {
    let each = u64::try_from(span_ms).unwrap_or(0) / USUAL_INTERVAL_MS + 1;
    let samples = each.saturating_mul(series as u64);
    usize::try_from(samples / SAMPLES_PER_PART).unwrap_or(usize::MAX).clamp(1, threads.max(1))
}

/// Does the work for each part, and gives all results in the order of their indexes.
pub(crate) fn on_all_cores<S: Send, T: Send>(
    evaluator: &mut Evaluator<'_>,
    mut parts: Vec<S>,
    work: impl Fn(&mut Evaluator<'_>, S) -> Result<Vec<(usize, T)>, EvalError> + Sync,
) -> Result<Vec<T>, EvalError> {
    let Some(last) = parts.pop() else { return Ok(Vec::new()) };
    if parts.is_empty() {
        return work(evaluator, last).map(in_order);
    }
    let (mut found, work) = (Vec::new(), &work);
    std::thread::scope(|scope| {
        let spawn = |part: S| {
            let own = evaluator.fork();
            scope.spawn(move || run(work, part, own))
        };
        let threads: Vec<_> = parts.into_iter().map(spawn).collect();
        let mine = run(work, last, evaluator.fork());
        let others = threads.into_iter().map(|thread| thread.join());
        for part in others.chain([Ok(mine)]) {
            let (own, forked) = part.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            found.extend(own);
            evaluator.absorb(forked);
        }
        Ok(in_order(found))
    })
}

/// Does the work for one part; its results, and the evaluator that it was done with.
fn run<'a, S, T>(
    work: &impl Fn(&mut Evaluator<'_>, S) -> Result<Vec<(usize, T)>, EvalError>,
    part: S,
    mut own: Evaluator<'a>,
) -> Result<(Vec<(usize, T)>, Evaluator<'a>), EvalError> {
    Ok((work(&mut own, part)?, own))
}

fn in_order<T>(mut found: Vec<(usize, T)>) -> Vec<T> {
    if !found.is_sorted_by_key(|(index, _)| *index) {
        found.sort_unstable_by_key(|(index, _)| *index);
    }
    found.into_iter().map(|(_, own)| own).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_for_what_is_worth_it() {
        let hour = 3_600_000;
        for (series, span_ms, threads, expected) in [
            (0, hour, 8, 1),
            (100, hour, 8, 1),
            (1200, 300_000, 8, 1),
            (1200, hour, 8, 4),
            (1200, hour, 2, 2),
            (1200, hour, 0, 1),
            (usize::MAX, i64::MAX, 64, 64),
            (5000, -1, 8, 1),
        ] {
            assert_eq!(parts(series, span_ms, threads), expected, "{series} {span_ms} {threads}");
        }
    }
}
