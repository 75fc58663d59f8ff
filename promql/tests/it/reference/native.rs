//! A native histogram as a map from bucket index to count: schema ≥ −4, positive buckets only.

use std::collections::BTreeMap;

use tsdb::model::Histogram;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Native {
    pub(crate) schema: i32,
    /// Counter resets mean nothing.
    pub(crate) is_gauge: bool,
    pub(crate) count: f64,
    pub(crate) sum: f64,
    pub(crate) zero: f64,
    /// Without empty buckets.
    pub(crate) buckets: BTreeMap<i32, f64>,
}

impl From<&Histogram> for Native {
    fn from(own: &Histogram) -> Self {
        assert!(own.negative().next().is_none() && !own.has_custom_buckets(), "{own:?}");
        let buckets = own.positive().filter(|bucket| bucket.count != 0.0);
        Self {
            schema: own.schema,
            is_gauge: own.counter_reset_hint == tsdb::model::histogram::CounterResetHint::Gauge,
            count: own.count,
            sum: own.sum,
            zero: own.zero_count,
            buckets: buckets.map(|bucket| (bucket.index, bucket.count)).collect(),
        }
    }
}

impl Native {
    pub(super) fn empty(schema: i32) -> Self {
        let (count, sum, zero) = (0.0, 0.0, 0.0);
        Self { schema, is_gauge: false, count, sum, zero, buckets: BTreeMap::new() }
    }

    /// With each 2^n buckets of a finer schema as one.
    pub(super) fn at_schema(&self, schema: i32) -> Self {
        let mut buckets = BTreeMap::new();
        for (index, count) in &self.buckets {
            // Bucket i of the finer schema reaches up to the same bound as bucket ⌈i / 2^n⌉.
            let parts = 1 << (self.schema - schema);
            *buckets.entry((index + parts - 1).div_euclid(parts)).or_insert(0.0) += count;
        }
        Self { schema, buckets, ..self.clone() }
    }

    /// `self + factor · other`, in the coarser of both schemas.
    pub(super) fn plus(&self, other: &Self, factor: f64) -> Self {
        let schema = self.schema.min(other.schema);
        let (mut sum, other) = (self.at_schema(schema), other.at_schema(schema));
        sum.count += factor * other.count;
        sum.sum += factor * other.sum;
        sum.zero += factor * other.zero;
        sum.is_gauge |= other.is_gauge;
        for (index, count) in other.buckets {
            *sum.buckets.entry(index).or_insert(0.0) += factor * count;
        }
        sum.without_empty()
    }

    pub(super) fn scaled(&self, factor: f64) -> Self {
        self.mapped(|part| part * factor, factor < 0.0)
    }

    pub(super) fn divided(&self, divisor: f64) -> Self {
        self.mapped(|part| part / divisor, divisor < 0.0)
    }

    fn mapped(&self, change: impl Fn(f64) -> f64, to_gauge: bool) -> Self {
        let mut own = self.clone();
        own.is_gauge |= to_gauge;
        let scalars = [&mut own.count, &mut own.sum, &mut own.zero];
        scalars.into_iter().chain(own.buckets.values_mut()).for_each(|part| *part = change(*part));
        own.without_empty()
    }

    fn without_empty(mut self) -> Self {
        self.buckets.retain(|_, count| *count != 0.0);
        self
    }

    pub(super) fn into_gauge(self) -> Self {
        Self { is_gauge: true, ..self }
    }

    /// Whether a counter went down on the way from `previous` to here.
    pub(super) fn is_reset_after(&self, previous: &Self) -> bool {
        if self.count < previous.count || self.zero < previous.zero || self.schema > previous.schema
        {
            return true;
        }
        let previous = previous.at_schema(self.schema);
        // A bucket that vanished fell, whatever it held.
        let fell =
            |(index, count): (&i32, &f64)| self.buckets.get(index).is_none_or(|own| own < count);
        previous.buckets.iter().any(fell)
    }

    /// The same layout and the same numbers, NaN among them; hints do not count.
    pub(super) fn equals(&self, other: &Self) -> bool {
        let same = |(a, b): (&f64, &f64)| a == b || a.is_nan() && b.is_nan();
        let parts = |own: &Self| [own.count, own.sum, own.zero];
        self.schema == other.schema
            && parts(self).iter().zip(&parts(other)).all(same)
            && self.buckets.keys().eq(other.buckets.keys())
            && self.buckets.values().zip(other.buckets.values()).all(same)
    }
}
