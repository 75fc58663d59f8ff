//! The `Histogram` message: classic buckets, native ones, or both.

use tsdb::model::histogram::{BUCKETS_MAX, CounterResetHint, SPANS_MAX, Span};
use tsdb::model::{Histogram, MetricType, Timestamp};

use super::wire::{Field, Fields, push_doubles, push_zigzags};
use super::{ExemplarText, ProtobufError, exemplar, time};

/// Most examples of one native histogram that are read; more are left out.
const EXEMPLARS_MAX: usize = 1000;

/// All of it but classic buckets and examples.
#[derive(Debug, Default)]
pub(super) struct Parts {
    whole_count: u64,
    float_count: f64,
    pub(super) sum: f64,
    schema: i64,
    zero_threshold: f64,
    whole_zeros: u64,
    float_zeros: f64,
    negative: Side,
    positive: Side,
    /// Whether there are classic buckets.
    pub(super) has_buckets: bool,
    pub(super) start: Option<Timestamp>,
}

/// The buckets on one side of zero.
#[derive(Debug, Default)]
struct Side {
    spans: Vec<Span>,
    deltas: Vec<i64>,
    counts: Vec<f64>,
}

impl Side {
    /// Takes a span (0), deltas (1) or counts (2).
    fn take(&mut self, what: u32, field: Field<'_>) -> Result<(), ProtobufError> {
        let fits = match what {
            0 => {
                self.spans.push(span(field)?);
                self.spans.len() <= SPANS_MAX
            }
            1 => push_zigzags(field, BUCKETS_MAX, &mut self.deltas),
            _ => push_doubles(field, BUCKETS_MAX, &mut self.counts),
        };
        let message = || "malformed histogram, or one with too many buckets".to_owned();
        if fits { Ok(()) } else { Err(ProtobufError::new(message())) }
    }

    /// Absolute counts: what is given as such, or the sums of the deltas.
    fn absolute(&self, are_floats: bool) -> Vec<f64> {
        if are_floats {
            return self.counts.clone();
        }
        let mut count = 0_i64;
        let add = |delta: &i64| {
            count = count.wrapping_add(*delta);
            count as f64
        };
        self.deltas.iter().map(add).collect()
    }
}

impl Parts {
    pub(super) fn of(message: &[u8]) -> Result<Self, ProtobufError> {
        let mut parts = Self::default();
        for field in Fields::of(message) {
            let (number, field) = field?;
            match number {
                1 => parts.whole_count = field.number(),
                2 => parts.sum = field.double(),
                3 => parts.has_buckets = true,
                4 => parts.float_count = field.double(),
                5 => parts.schema = field.zigzag(),
                6 => parts.zero_threshold = field.double(),
                7 => parts.whole_zeros = field.number(),
                8 => parts.float_zeros = field.double(),
                9..12 => parts.negative.take(number - 9, field)?,
                12..15 => parts.positive.take(number - 12, field)?,
                15 => parts.start = Some(time(field)?),
                _ => {}
            }
        }
        Ok(parts)
    }

    /// All observations.
    pub(super) fn count(&self) -> f64 {
        if self.float_count > 0.0 { self.float_count } else { self.whole_count as f64 }
    }

    /// Whether it is a native histogram. One without observations says so by an empty span.
    pub(super) fn is_native(&self) -> bool {
        let has_spans = !(self.positive.spans.is_empty() && self.negative.spans.is_empty());
        has_spans || self.zero_threshold > 0.0 || self.whole_zeros > 0
    }

    /// The native histogram.
    pub(super) fn native(&self, kind: MetricType) -> Result<Histogram, ProtobufError> {
        let are_floats = self.float_count > 0.0 || self.float_zeros > 0.0;
        let counter_reset_hint = match kind {
            MetricType::GaugeHistogram => CounterResetHint::Gauge,
            _ => CounterResetHint::Unknown,
        };
        let schema = i32::try_from(self.schema);
        let mut histogram = Histogram {
            schema: schema.map_err(|_| ProtobufError::new("invalid histogram schema".into()))?,
            is_integer: !are_floats,
            counter_reset_hint,
            zero_threshold: self.zero_threshold,
            zero_count: if are_floats { self.float_zeros } else { self.whole_zeros as f64 },
            count: if are_floats { self.float_count } else { self.whole_count as f64 },
            sum: super::metric::canonical(self.sum),
            positive_spans: self.positive.spans.clone(),
            positive_buckets: self.positive.absolute(are_floats),
            negative_spans: self.negative.spans.clone(),
            negative_buckets: self.negative.absolute(are_floats),
            custom_values: Vec::new(),
        };
        histogram.validate().map_err(|invalid| ProtobufError::new(invalid.to_string()))?;
        histogram.compact(0);
        Ok(histogram)
    }

    /// The examples of a native histogram: its own, or those of its classic buckets; each must
    /// have a time.
    pub(super) fn exemplars<'p>(
        &self,
        message: &'p [u8],
    ) -> Result<Vec<ExemplarText<'p>>, ProtobufError> {
        let mut own = Vec::new();
        for field in Fields::of(message) {
            if let (16, field) = field? {
                own.push(field);
                if own.len() == EXEMPLARS_MAX {
                    break;
                }
            }
        }
        if own.is_empty() {
            for bucket in buckets(message).take(EXEMPLARS_MAX) {
                own.extend(bucket?.exemplar);
            }
        }
        let mut read = Vec::with_capacity(own.len());
        for field in own {
            read.push(exemplar(field)?);
        }
        read.retain(|exemplar: &ExemplarText<'_>| exemplar.timestamp.is_some());
        Ok(read)
    }
}

fn span(field: Field<'_>) -> Result<Span, ProtobufError> {
    let mut span = Span { offset: 0, length: 0 };
    let invalid = || ProtobufError::new("invalid histogram span".into());
    for field in Fields::of(field.bytes()) {
        match field? {
            (1, field) => span.offset = i32::try_from(field.zigzag()).map_err(|_| invalid())?,
            (2, field) => span.length = u32::try_from(field.number()).map_err(|_| invalid())?,
            _ => {}
        }
    }
    Ok(span)
}

/// A classic bucket.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClassicBucket<'p> {
    pub(super) bound: f64,
    /// Observations up to the bound.
    pub(super) count: f64,
    pub(super) exemplar: Option<Field<'p>>,
}

/// The classic buckets of a `Histogram` message.
pub(super) fn buckets(
    message: &[u8],
) -> impl Iterator<Item = Result<ClassicBucket<'_>, ProtobufError>> {
    Fields::of(message).filter_map(|field| match field {
        Ok((3, field)) => Some(bucket(field.bytes())),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    })
}

fn bucket(message: &[u8]) -> Result<ClassicBucket<'_>, ProtobufError> {
    let (mut whole, mut float) = (0, 0.0);
    let mut bucket = ClassicBucket { bound: 0.0, count: 0.0, exemplar: None };
    for field in Fields::of(message) {
        match field? {
            (1, field) => whole = field.number(),
            (2, field) => bucket.bound = field.double(),
            (3, field) => bucket.exemplar = Some(field),
            (4, field) => float = field.double(),
            _ => {}
        }
    }
    bucket.count = if float > 0.0 { float } else { whole as f64 };
    Ok(bucket)
}
