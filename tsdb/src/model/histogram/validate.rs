//! What a histogram that comes from outside has to fulfil.
//!
//! The conditions and texts are Prometheus's (`FloatHistogram.Validate`, for whole numbers
//! `Histogram.Validate`); the limits on lengths are ours, so that a message cannot make queries
//! slow or memory scarce.

use thiserror::Error;

use super::{CUSTOM_BUCKETS_SCHEMA, Histogram, SCHEMA_MAX, SCHEMA_MIN, Span};

/// Most buckets of either sign, and most custom bounds. (All finite floats of one sign have 2 098
/// buckets in schema 0, and 537 088 in schema 8.)
pub const BUCKETS_MAX: usize = 1 << 16;
/// Most spans of either sign.
pub const SPANS_MAX: usize = 1 << 16;

/// Why a histogram is refused.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum Invalid {
    /// Neither exponential nor custom.
    #[error(
        "histogram has an invalid schema, which must be between -4 and 8 for exponential buckets, \
         or -53 for custom buckets, got schema {0}"
    )]
    Schema(i32),
    /// Longer than a limit.
    #[error("histogram has more than {limit} {what}")]
    TooLong {
        /// Of what.
        what: &'static str,
        /// How many are allowed.
        limit: usize,
    },
    /// Spans after the first may not go back (of custom buckets, the first neither).
    #[error(
        "{side} side: span number {number} with offset {offset}: histogram has a span whose offset is negative"
    )]
    NegativeOffset {
        /// `positive` or `negative`.
        side: &'static str,
        /// From 1.
        number: usize,
        /// The offset.
        offset: i32,
    },
    /// The index of a bucket does not fit into 32 bits.
    #[error("{0} side: histogram has a span that ends beyond the largest bucket")]
    IndexOverflow(&'static str),
    /// Spans and buckets do not match.
    #[error(
        "{side} side: spans need {needed} buckets, have {found} buckets: histogram spans specify different number of buckets than provided"
    )]
    BucketNumber {
        /// `positive` or `negative`.
        side: &'static str,
        /// Buckets that the spans lay out.
        needed: u64,
        /// Buckets that there are.
        found: usize,
    },
    /// A count below zero.
    #[error(
        "{side} side: bucket number {number} has observation count of {count}: histogram has a bucket whose observation count is negative"
    )]
    NegativeBucket {
        /// `positive` or `negative`.
        side: &'static str,
        /// From 1.
        number: usize,
        /// The count.
        count: f64,
    },
    /// The zero bucket's count is below zero.
    #[error(
        "zero bucket has observation count of {0}: histogram has a bucket whose observation count is negative"
    )]
    NegativeZero(f64),
    /// The number of observations is below zero.
    #[error("observation count is {0}: histogram's observation count is negative")]
    NegativeCount(f64),
    /// Whole numbers have to add up.
    #[error(
        "{found} observations found in buckets, but the Count field is {count}: histogram's observation count should equal the number of observations found in the buckets (in absence of NaN)"
    )]
    Count {
        /// In the buckets.
        found: f64,
        /// As the histogram says.
        count: f64,
    },
    /// With observations of NaN, at least as many as are in the buckets.
    #[error(
        "{found} observations found in buckets, but the Count field is {count}: histogram's observation count should be at least the number of observations found in the buckets"
    )]
    CountTooSmall {
        /// In the buckets.
        found: f64,
        /// As the histogram says.
        count: f64,
    },
    /// The width of the zero bucket is no number or below zero.
    #[error("histogram has a zero threshold of {0}")]
    ZeroThreshold(f64),
    /// Bounds of an exponential schema.
    #[error("histogram with exponential schema must not have custom bounds")]
    UnexpectedBounds,
    /// Custom buckets know no zero bucket and nothing below.
    #[error("custom buckets: must have {0}")]
    CustomLayout(&'static str),
    /// A bound that is no number.
    #[error("custom buckets: histogram custom bounds must not be NaN")]
    BoundNan,
    /// Bounds have to rise.
    #[error(
        "custom buckets: previous bound is {0:.6} and current is {1:.6}: histogram custom bounds must be in strictly increasing order"
    )]
    BoundOrder(f64, f64),
    /// +Inf is implied.
    #[error(
        "custom buckets: last +Inf bound must not be explicitly defined: histogram custom bounds must be finite"
    )]
    BoundInfinite,
    /// More buckets than bounds.
    #[error(
        "custom buckets: only {bounds} custom bounds defined which is insufficient to cover total span length of {length}: histogram custom bounds are too few"
    )]
    TooFewBounds {
        /// Bounds that there are.
        bounds: usize,
        /// Buckets from the first possible to the last that is laid out.
        length: u64,
    },
}

impl Histogram {
    /// Checks everything that comes from outside. Costs O(buckets + spans).
    pub fn validate(&self) -> Result<(), Invalid> {
        self.check_lengths()?;
        match self.schema {
            CUSTOM_BUCKETS_SCHEMA => self.check_custom()?,
            SCHEMA_MIN..=SCHEMA_MAX => self.check_exponential()?,
            other => return Err(Invalid::Schema(other)),
        }
        if self.count < 0.0 {
            return Err(Invalid::NegativeCount(self.count));
        }
        check_counts("positive", &self.positive_buckets)?;
        check_counts("negative", &self.negative_buckets)?;
        if self.is_integer { self.check_total() } else { Ok(()) }
    }

    fn check_lengths(&self) -> Result<(), Invalid> {
        let rows = [
            ("spans", SPANS_MAX, self.positive_spans.len().max(self.negative_spans.len())),
            ("buckets", BUCKETS_MAX, self.positive_buckets.len().max(self.negative_buckets.len())),
            ("custom bounds", BUCKETS_MAX, self.custom_values.len()),
        ];
        match rows.into_iter().find(|(_, limit, length)| length > limit) {
            Some((what, limit, _)) => Err(Invalid::TooLong { what, limit }),
            None => Ok(()),
        }
    }

    fn check_exponential(&self) -> Result<(), Invalid> {
        check_spans("positive", &self.positive_spans, self.positive_buckets.len())?;
        check_spans("negative", &self.negative_spans, self.negative_buckets.len())?;
        if self.zero_count < 0.0 {
            return Err(Invalid::NegativeZero(self.zero_count));
        }
        let is_width = self.zero_threshold >= 0.0;
        if !is_width {
            return Err(Invalid::ZeroThreshold(self.zero_threshold));
        }
        if self.custom_values.is_empty() { Ok(()) } else { Err(Invalid::UnexpectedBounds) }
    }

    fn check_custom(&self) -> Result<(), Invalid> {
        check_bounds(&self.custom_values)?;
        if let Some(Span { offset, .. }) = self.positive_spans.first().filter(|own| own.offset < 0)
        {
            let (side, number) = ("positive", 1);
            return Err(Invalid::NegativeOffset { side, number, offset: *offset });
        }
        let length = check_spans("positive", &self.positive_spans, self.positive_buckets.len())?;
        if length > self.custom_values.len() as u64 + 1 {
            return Err(Invalid::TooFewBounds { bounds: self.custom_values.len(), length });
        }
        let rows = [
            (self.zero_count == 0.0, "zero count of 0"),
            (self.zero_threshold == 0.0, "zero threshold of 0"),
            (self.negative_spans.is_empty(), "no negative spans"),
            (self.negative_buckets.is_empty(), "no negative buckets"),
        ];
        match rows.into_iter().find(|(holds, _)| !holds) {
            Some((_, what)) => Err(Invalid::CustomLayout(what)),
            None => Ok(()),
        }
    }

    /// Whole numbers can be added without rounding.
    fn check_total(&self) -> Result<(), Invalid> {
        let buckets = self.positive_buckets.iter().chain(&self.negative_buckets);
        let (found, count) = (buckets.sum::<f64>() + self.zero_count, self.count);
        match self.sum.is_nan() {
            // An observation of NaN is counted, but lies in no bucket.
            true if found > count => Err(Invalid::CountTooSmall { found, count }),
            false if found != count => Err(Invalid::Count { found, count }),
            _ => Ok(()),
        }
    }
}

/// The index after the last bucket, counted from 0, which is also the number of buckets that spans
/// cover with their gaps if the first offset is not negative.
fn check_spans(side: &'static str, spans: &[Span], buckets: usize) -> Result<u64, Invalid> {
    let (mut next, mut needed) = (0_i64, 0_u64);
    for (at, span) in spans.iter().enumerate() {
        if at > 0 && span.offset < 0 {
            return Err(Invalid::NegativeOffset { side, number: at + 1, offset: span.offset });
        }
        next += i64::from(span.offset) + i64::from(span.length);
        needed += u64::from(span.length);
        if next > i64::from(i32::MAX) {
            return Err(Invalid::IndexOverflow(side));
        }
    }
    if needed == buckets as u64 {
        Ok(next.unsigned_abs())
    } else {
        Err(Invalid::BucketNumber { side, needed, found: buckets })
    }
}

fn check_counts(side: &'static str, counts: &[f64]) -> Result<(), Invalid> {
    match counts.iter().enumerate().find(|(_, count)| **count < 0.0) {
        Some((at, count)) => Err(Invalid::NegativeBucket { side, number: at + 1, count: *count }),
        None => Ok(()),
    }
}

fn check_bounds(bounds: &[f64]) -> Result<(), Invalid> {
    if bounds.iter().any(|bound| bound.is_nan()) {
        return Err(Invalid::BoundNan);
    }
    let pair = bounds.iter().zip(bounds.iter().skip(1)).find(|(before, now)| now <= before);
    match (pair, bounds.last()) {
        (Some((before, now)), _) => Err(Invalid::BoundOrder(*before, *now)),
        (None, Some(last)) if *last == f64::INFINITY => Err(Invalid::BoundInfinite),
        _ => Ok(()),
    }
}
