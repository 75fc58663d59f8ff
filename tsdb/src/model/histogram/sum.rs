//! Sums of histograms whose rounding errors do not pile up.
//!
//! Each count is a Kahan sum. To add a histogram:
//! 1. the zero buckets are made equally wide (exponential schemas), and buckets that lie within
//!    are left out;
//! 2. the finer schema is reduced to the coarser one; custom bounds are reduced to those that both
//!    have;
//! 3. buckets are added by their index.
//!
//! (Prometheus leaves the other one's buckets out after step 2. If that joins one of them with a
//! bucket outside, its observations count twice there; here they do not.)
//!
//! `Histogram::add` and `sub` are this with one addend and what was lost left out: plain addition
//! gives the same bits as the sums here.

use thiserror::Error;

use super::buckets::{entries, layout};
use super::custom::{intersect, regroup};
use super::schema::coarser;
use super::zero::Zero;
use super::{CounterResetHint, Histogram, bounds};
use crate::model::kahan::KahanSum;

/// Exponential and custom buckets cannot be joined (Prometheus's
/// `ErrHistogramsIncompatibleSchema`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "cannot apply this operation on histograms with a mix of exponential and custom bucket schemas"
)]
pub struct Incompatible;

/// What had to be reconciled when two histograms became one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// One says that its counter was reset, the other that its was not.
    pub reset_collision: bool,
    /// Their custom bounds differ; those are left that both have.
    pub custom_bounds: bool,
}

/// A running sum of histograms.
#[derive(Clone, Debug)]
pub struct HistogramSum {
    schema: i32,
    counter_reset_hint: CounterResetHint,
    zero: Zero,
    count: KahanSum,
    sum: KahanSum,
    positive: Vec<(i32, KahanSum)>,
    negative: Vec<(i32, KahanSum)>,
    custom_values: Vec<f64>,
}

impl HistogramSum {
    /// The sum of one histogram.
    pub fn new(first: &Histogram) -> Self {
        Self {
            schema: first.schema,
            counter_reset_hint: first.counter_reset_hint,
            zero: zero(first),
            count: KahanSum::new(first.count),
            sum: KahanSum::new(first.sum),
            positive: sums(entries(&first.positive_spans, &first.positive_buckets)),
            negative: sums(entries(&first.negative_spans, &first.negative_buckets)),
            custom_values: first.custom_values.clone(),
        }
    }

    /// Adds a histogram. If it fails, the sum is as before.
    pub fn add(&mut self, other: &Histogram) -> Result<Reconciled, Incompatible> {
        self.merge(other, 1.0)
    }

    /// Adds a histogram times `sign`, which is 1 or −1.
    pub(super) fn merge(
        &mut self,
        other: &Histogram,
        sign: f64,
    ) -> Result<Reconciled, Incompatible> {
        let is_custom = other.has_custom_buckets();
        if is_custom != (self.schema == super::CUSTOM_BUCKETS_SCHEMA) {
            return Err(Incompatible);
        }
        let (hint, reset_collision) = self.counter_reset_hint.join(other.counter_reset_hint);
        self.counter_reset_hint = hint;
        self.count = self.count.plus(sign * other.count);
        self.sum = self.sum.plus(sign * other.sum);
        let mut custom_bounds = false;
        if is_custom {
            custom_bounds = self.merge_custom(other, sign);
        } else {
            self.merge_exponential(other, sign);
        }
        Ok(Reconciled { reset_collision, custom_bounds })
    }

    fn merge_exponential(&mut self, other: &Histogram, sign: f64) {
        let mut positive = sums(entries(&other.positive_spans, &other.positive_buckets));
        let mut negative = sums(entries(&other.negative_spans, &other.negative_buckets));
        let other_zero = self.reconcile_zero(other, &positive, &negative);
        self.zero.count = self.zero.count.merge(other_zero.map(|part| sign * part));
        let (schema, threshold) = (other.schema, self.zero.threshold);
        for side in [&mut positive, &mut negative] {
            side.retain(|(index, _)| bounds::exponential(*index, schema) > threshold);
        }
        if other.schema < self.schema {
            for side in [&mut self.positive, &mut self.negative] {
                *side = coarser(side.drain(..), self.schema, other.schema);
            }
            self.schema = other.schema;
        } else if other.schema > self.schema {
            for side in [&mut positive, &mut negative] {
                *side = coarser(side.drain(..), other.schema, self.schema);
            }
        }
        add_entries(&mut self.positive, &positive, sign);
        add_entries(&mut self.negative, &negative, sign);
    }

    /// Makes the zero buckets equally wide; gives the count of the other one.
    fn reconcile_zero(
        &mut self,
        other: &Histogram,
        positive: &[(i32, KahanSum)],
        negative: &[(i32, KahanSum)],
    ) -> KahanSum {
        let mut other_zero = zero(other);
        loop {
            if self.zero.threshold > other_zero.threshold {
                other_zero =
                    zero(other).widened(self.zero.threshold, other.schema, positive, negative);
            }
            // Not the opposite: a threshold that is no number is left alone.
            let is_wider = other_zero.threshold > self.zero.threshold;
            if !is_wider {
                return other_zero.count;
            }
            self.widen_zero(other_zero.threshold);
        }
    }

    fn widen_zero(&mut self, threshold: f64) {
        self.zero = self.zero.widened(threshold, self.schema, &self.positive, &self.negative);
        for side in [&mut self.positive, &mut self.negative] {
            let swallowed =
                side.iter().take_while(|(index, _)| self.zero.covers(*index, self.schema)).count();
            side.drain(..swallowed);
            side.retain(|(_, count)| !is_nothing(count));
        }
    }

    /// `true` if the bounds differ.
    fn merge_custom(&mut self, other: &Histogram, sign: f64) -> bool {
        let positive = sums(entries(&other.positive_spans, &other.positive_buckets));
        if self.custom_values == other.custom_values {
            add_entries(&mut self.positive, &positive, sign);
            return false;
        }
        let common = intersect(&self.custom_values, &other.custom_values);
        let mut counts = vec![KahanSum::default(); common.len() + 1];
        regroup(&self.positive, &self.custom_values, &common, &mut counts, 1.0);
        regroup(&positive, &other.custom_values, &common, &mut counts, sign);
        let counted = (0..).zip(counts).filter(|(_, count)| !is_nothing(count));
        self.positive = counted.collect();
        self.custom_values = common;
        true
    }

    /// Changes all counts and the sum of observations alike.
    pub(super) fn map(&mut self, change: impl Fn(f64) -> f64 + Copy) {
        for value in [&mut self.zero.count, &mut self.count, &mut self.sum] {
            *value = value.map(change);
        }
        for (_, count) in self.positive.iter_mut().chain(&mut self.negative) {
            *count = count.map(change);
        }
    }

    /// Whether a count or the sum is infinite.
    pub fn has_overflow(&self) -> bool {
        let values = [&self.zero.count, &self.count, &self.sum].into_iter();
        let counts = self.positive.iter().chain(&self.negative).map(|(_, count)| count);
        values.chain(counts).any(|value| value.sum.is_infinite())
    }

    /// The sum with what was lost. It is not compact.
    pub fn total(&self) -> Histogram {
        self.build(KahanSum::total)
    }

    /// The sum as plain addition gives it. It is not compact.
    pub(super) fn plain(&self) -> Histogram {
        self.build(|sum| sum.sum)
    }

    fn build(&self, value: impl Fn(KahanSum) -> f64 + Copy) -> Histogram {
        let side = |entries: &[(i32, KahanSum)]| {
            let values: Vec<_> =
                entries.iter().map(|(index, count)| (*index, value(*count))).collect();
            layout(&values)
        };
        let (positive_spans, positive_buckets) = side(&self.positive);
        let (negative_spans, negative_buckets) = side(&self.negative);
        Histogram {
            schema: self.schema,
            is_integer: false,
            counter_reset_hint: self.counter_reset_hint,
            zero_threshold: self.zero.threshold,
            zero_count: value(self.zero.count),
            count: value(self.count),
            sum: value(self.sum),
            positive_spans,
            positive_buckets,
            negative_spans,
            negative_buckets,
            custom_values: self.custom_values.clone(),
        }
    }
}

impl CounterResetHint {
    /// What is known about the sum of two, and whether they contradict each other. A gauge makes
    /// it a gauge; what one does not know, the sum does not know.
    pub(super) fn join(self, other: Self) -> (Self, bool) {
        match (self, other) {
            _ if self == other => (self, false),
            (Self::Gauge, _) | (_, Self::Gauge) => (Self::Gauge, false),
            (Self::Unknown, _) | (_, Self::Unknown) => (Self::Unknown, false),
            _ => (Self::Unknown, true),
        }
    }
}

fn zero(histogram: &Histogram) -> Zero {
    Zero { threshold: histogram.zero_threshold, count: KahanSum::new(histogram.zero_count) }
}

fn sums(entries: impl Iterator<Item = (i32, f64)>) -> Vec<(i32, KahanSum)> {
    entries.map(|(index, count)| (index, KahanSum::new(count))).collect()
}

fn is_nothing(count: &KahanSum) -> bool {
    count.sum == 0.0 && count.lost == 0.0
}

/// Adds `other` times `sign` to buckets with rising indexes.
fn add_entries(own: &mut Vec<(i32, KahanSum)>, other: &[(i32, KahanSum)], sign: f64) {
    let signed = |count: KahanSum| count.map(|part| sign * part);
    let same =
        own.len() == other.len() && own.iter().zip(other).all(|(own, other)| own.0 == other.0);
    if same {
        for ((_, own), (_, other)) in own.iter_mut().zip(other) {
            *own = plus(*own, signed(*other));
        }
        return;
    }
    let mut merged = Vec::with_capacity(own.len() + other.len());
    let mut rest = own.drain(..).peekable();
    for (index, count) in other {
        while let Some(before) = rest.next_if(|(own, _)| own < index) {
            merged.push(before);
        }
        match rest.next_if(|(own, _)| own == index) {
            Some((_, own)) => merged.push((*index, plus(own, signed(*count)))),
            None => merged.push((*index, signed(*count))),
        }
    }
    merged.extend(rest);
    *own = merged;
}

/// Nothing lost is nothing to add: adding a zero would turn −0 into 0.
fn plus(own: KahanSum, other: KahanSum) -> KahanSum {
    let sum = own.plus(other.sum);
    if other.lost == 0.0 { sum } else { sum.plus(other.lost) }
}
