//! A histogram as text, as Prometheus prints it: `{count:4, sum:5, (0.5,1]:1, (1,2]:3}`.

use std::fmt;

use super::{Bucket, Histogram};
use crate::model::number::format_general;

impl fmt::Display for Histogram {
    /// Count, sum and the buckets that are not empty, from the lowest to the highest.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{count:{}, sum:{}", format_general(self.count), format_general(self.sum))?;
        let negative: Vec<_> = self.negative().collect();
        let zero = (!self.has_custom_buckets()).then(|| self.zero_bucket());
        let buckets = negative.into_iter().rev().chain(zero).chain(self.positive());
        for bucket in buckets.filter(|bucket| bucket.count != 0.0) {
            write!(f, ", {bucket}")?;
        }
        f.write_str("}")
    }
}

impl fmt::Display for Bucket {
    /// The interval and the count: `(0.5,1]:3`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = if self.lower_inclusive { '[' } else { '(' };
        let close = if self.upper_inclusive { ']' } else { ')' };
        let (lower, upper) = (format_general(self.lower), format_general(self.upper));
        write!(f, "{open}{lower},{upper}{close}:{}", format_general(self.count))
    }
}
