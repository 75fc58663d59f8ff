//! What is kept of a query: the values at a run of steps.
//!
//! A series that has a float at each of some neighbouring steps, the usual case, is kept as these
//! floats; any other as its points.

use std::cmp::Ordering;

use tsdb::model::{Histogram, Labels, Timestamp};
use tsdb::select::Generation;

use crate::notes::Notes;
use crate::range::Part;
use crate::value::{Point, PointValue, RangeSeries, Steps};

/// The values at some steps, and when they were right.
#[derive(Debug)]
pub(super) struct Entry {
    /// The store's before the first of them was computed.
    pub(super) generation: Generation,
    pub(super) notes: Notes,
    steps: Steps,
    /// In label order.
    series: Vec<KeptSeries>,
}

#[derive(Debug)]
struct KeptSeries {
    labels: Labels,
    values: Values,
}

#[derive(Debug)]
enum Values {
    /// A float at each step from this time (in milliseconds) on.
    Floats(i64, Box<[f64]>),
    Points(Box<[Point]>),
}

impl Entry {
    /// Keeps `part`, which are the values at all of `steps`.
    pub(super) fn new(generation: Generation, steps: Steps, part: &Part) -> Self {
        let series = part.matrix.iter().map(|series| KeptSeries {
            labels: series.labels.clone(),
            values: Values::new(&series.points, steps.step_ms),
        });
        Self { generation, notes: part.notes.clone(), steps, series: series.collect() }
    }

    /// The steps.
    pub(super) fn steps(&self) -> Steps {
        self.steps
    }

    /// Samples that it holds.
    pub(super) fn samples(&self) -> usize {
        self.series.iter().map(|series| series.values.samples()).sum()
    }

    /// Bytes in memory, about.
    pub(super) fn bytes(&self) -> usize {
        let labels = |labels: &Labels| {
            let texts = labels.iter().map(|(name, value)| name.len() + value.len() + 8);
            texts.sum::<usize>() + 64
        };
        let series = self
            .series
            .iter()
            .map(|series| size_of::<KeptSeries>() + labels(&series.labels) + series.values.bytes());
        size_of::<Self>() + self.notes.bytes() + series.sum::<usize>()
    }
}

impl Values {
    fn new(points: &[Point], step_ms: i64) -> Self {
        let start = points.first().map_or(0, |point| point.timestamp.ms());
        let floats = points.iter().zip(0..).map_while(|(point, index)| match point.value {
            PointValue::Float(value) if point.timestamp.ms() == start + index * step_ms => {
                Some(value)
            }
            _ => None,
        });
        let floats: Box<[f64]> = floats.collect();
        if floats.len() == points.len() {
            Self::Floats(start, floats)
        } else {
            Self::Points(points.into())
        }
    }

    /// Adds the points of `steps`.
    fn append_to(&self, points: &mut Vec<Point>, steps: &Steps) {
        match self {
            Self::Floats(start, floats) => {
                // How many values lie before a time, which is that of a step.
                let before = |time: i64| ((time - start).max(0) / steps.step_ms) as usize;
                let from = before(steps.start.ms()).min(floats.len());
                let to = before(steps.end.ms().saturating_add(steps.step_ms)).min(floats.len());
                let first = start + from as i64 * steps.step_ms;
                points.extend(floats[from..to.max(from)].iter().zip(0..).map(|(value, index)| {
                    let timestamp = Timestamp::from_ms(first + index * steps.step_ms);
                    Point { timestamp, value: PointValue::Float(*value) }
                }));
            }
            Self::Points(own) => {
                let from = own.partition_point(|point| point.timestamp < steps.start);
                let to = own.partition_point(|point| point.timestamp <= steps.end);
                points.extend_from_slice(&own[from..to.max(from)]);
            }
        }
    }

    fn samples(&self) -> usize {
        match self {
            Self::Floats(_, floats) => floats.len(),
            Self::Points(points) => points.len() + self.histogram_bytes() / size_of::<[u64; 2]>(),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Floats(_, floats) => size_of_val(&floats[..]),
            Self::Points(points) => size_of_val(&points[..]) + self.histogram_bytes(),
        }
    }

    fn histogram_bytes(&self) -> usize {
        let Self::Points(points) = self else { return 0 };
        let bytes = points.iter().map(|point| match &point.value {
            PointValue::Float(_) => 0,
            PointValue::Histogram(own) => {
                let floats = own.positive_buckets.len()
                    + own.negative_buckets.len()
                    + own.custom_values.len();
                let spans = own.positive_spans.len() + own.negative_spans.len();
                size_of::<Histogram>() + 8 * (floats + spans)
            }
        });
        bytes.sum()
    }
}

/// The kept values at `steps`, in label order; each series has room for `room` points.
fn matrix(kept: &Entry, steps: &Steps, room: usize) -> Vec<RangeSeries> {
    let series = kept.series.iter().map(|series| {
        let mut points = Vec::with_capacity(room);
        series.values.append_to(&mut points, steps);
        RangeSeries { labels: series.labels.clone(), points }
    });
    series.filter(|series| !series.points.is_empty()).collect()
}

/// The values of `kept` at `steps`, with those `before` and `after` them.
pub(super) fn join(
    before: Vec<RangeSeries>,
    (kept, steps): (&Entry, &Steps),
    after: Vec<RangeSeries>,
    room: usize,
) -> Vec<RangeSeries> {
    append(append(before, matrix(kept, steps, room)), after)
}

/// The values of `earlier` and `later` ones; both are in label order, and so is the result.
fn append(earlier: Vec<RangeSeries>, later: Vec<RangeSeries>) -> Vec<RangeSeries> {
    if earlier.is_empty() {
        return later;
    }
    let mut joined = Vec::with_capacity(earlier.len().max(later.len()));
    let mut later = later.into_iter().peekable();
    for mut series in earlier {
        let mut is_same = false;
        while let Some(next) = later.peek() {
            is_same = next.labels == series.labels;
            if is_same || next.labels.cmp(&series.labels) == Ordering::Greater {
                break;
            }
            joined.extend(later.next());
        }
        if is_same && let Some(next) = later.next() {
            series.points.extend(next.points);
        }
        joined.push(series);
    }
    joined.extend(later);
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(name: &str, points: &[(i64, f64)]) -> RangeSeries {
        let point = |(time, value): &(i64, f64)| Point {
            timestamp: Timestamp::from_ms(*time),
            value: PointValue::Float(*value),
        };
        let points = points.iter().map(point).collect();
        RangeSeries { labels: Labels::from_pairs([("__name__", name)]), points }
    }

    #[test]
    fn a_part_of_what_is_kept_between_others() {
        let steps = |start, end| Steps {
            start: Timestamp::from_ms(start),
            end: Timestamp::from_ms(end),
            step_ms: 10,
        };
        let matrix = vec![
            series("b", &[(0, 0.0), (10, 1.0), (20, 2.0), (30, 3.0)]),
            series("c", &[(0, 0.0), (20, 2.0)]),
            series("d", &[(20, 2.0)]),
            series("e", &[(30, 3.0)]),
        ];
        let part = Part { matrix, notes: Notes::default(), samples: 0 };
        let kept = Entry::new(Generation(1), steps(0, 30), &part);
        assert_eq!(kept.samples(), 8);
        let before = vec![series("a", &[(0, 9.0)]), series("c", &[(0, 9.0)])];
        let after = vec![series("b", &[(30, 9.0)]), series("f", &[(30, 9.0)])];
        let joined = join(before, (&kept, &steps(10, 20)), after, 4);
        let expected = [
            series("a", &[(0, 9.0)]),
            series("b", &[(10, 1.0), (20, 2.0), (30, 9.0)]),
            series("c", &[(0, 9.0), (20, 2.0)]),
            series("d", &[(20, 2.0)]),
            series("f", &[(30, 9.0)]),
        ];
        assert_eq!(joined, expected);
        assert_eq!(join(vec![], (&kept, &steps(0, 30)), vec![], 4), part.matrix);
    }
}
