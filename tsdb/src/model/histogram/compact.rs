//! The shortest layout of the same buckets.

use super::buckets::{entries, layout};
use super::{Histogram, Span};

impl Histogram {
    /// Leaves empty buckets out, except for up to `empty_max` ones between two that are not
    /// empty: these are written out rather than starting a new span. Spans that touch become one.
    pub fn compact(&mut self, empty_max: u32) {
        for (spans, counts) in [
            (&mut self.positive_spans, &mut self.positive_buckets),
            (&mut self.negative_spans, &mut self.negative_buckets),
        ] {
            if !is_compact(spans, counts, empty_max) {
                (*spans, *counts) = compacted(spans, counts, empty_max);
            }
        }
    }
}

/// Whether nothing can be left out or joined; may say no if it is compact all the same.
fn is_compact(spans: &[Span], counts: &[f64], empty_max: u32) -> bool {
    let apart = |span: &Span| i64::from(span.offset) > i64::from(empty_max) && span.length > 0;
    let mut spans = spans.iter();
    spans.next().is_none_or(|first| first.length > 0)
        && spans.all(apart)
        && counts.iter().all(|count| *count != 0.0)
}

fn compacted(spans: &[Span], counts: &[f64], empty_max: u32) -> (Vec<Span>, Vec<f64>) {
    let mut kept: Vec<(i32, f64)> = Vec::with_capacity(counts.len());
    for (index, count) in entries(spans, counts).filter(|(_, count)| *count != 0.0) {
        if let Some((last, _)) = kept.last().copied() {
            let gap = i64::from(index) - i64::from(last) - 1;
            if (1..=i64::from(empty_max)).contains(&gap) {
                kept.extend((last + 1..index).map(|index| (index, 0.0)));
            }
        }
        kept.push((index, count));
    }
    layout(&kept)
}
