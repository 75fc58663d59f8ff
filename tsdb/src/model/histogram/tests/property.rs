//! What holds for all histograms.

use proptest::prelude::*;

use super::*;

fn any_side() -> impl Strategy<Value = Vec<(i32, f64)>> {
    prop::collection::btree_map(-12..40_i32, 0..50_u32, 0..12).prop_map(|buckets| {
        buckets.into_iter().map(|(index, count)| (index, f64::from(count))).collect()
    })
}

fn any_exponential() -> impl Strategy<Value = Histogram> {
    let threshold = prop::sample::select(vec![0.0, 0.01, 0.25, 0.3, 1.0, 3.0]);
    (-4..=8_i32, threshold, 0..9_u32, any_side(), any_side()).prop_map(
        |(schema, threshold, zero, mut positive, mut negative)| {
            // Nobody counts in buckets within the zero bucket.
            let outside = |own: &(i32, f64)| bounds::exponential(own.0, schema) > threshold;
            positive.retain(outside);
            negative.retain(outside);
            exponential(schema, (threshold, f64::from(zero)), &positive, &negative)
        },
    )
}

fn any_custom() -> impl Strategy<Value = Histogram> {
    prop::collection::btree_map(-5..20_i32, 0..50_u32, 0..8).prop_map(|buckets| {
        let bounds: Vec<_> = buckets.keys().map(|bound| f64::from(*bound)).collect();
        let counts: Vec<_> = buckets.values().map(|count| f64::from(*count)).chain([3.0]).collect();
        custom(&bounds, &counts)
    })
}

fn any_pair() -> impl Strategy<Value = (Histogram, Histogram)> {
    prop_oneof![(any_exponential(), any_exponential()), (any_custom(), any_custom())]
}

/// Not valid, with whatever spans.
fn any_histogram() -> impl Strategy<Value = Histogram> {
    let spans = || {
        let span = (any::<i32>(), prop_oneof![0..4_u32, any::<u32>()]);
        let span = span.prop_map(|(offset, length)| Span { offset, length });
        prop::collection::vec(span, 0..4)
    };
    let floats = || prop::collection::vec(any::<u64>().prop_map(f64::from_bits), 0..6);
    let schema = prop_oneof![-5..10_i32, Just(CUSTOM_BUCKETS_SCHEMA), any::<i32>()];
    (schema, floats(), spans(), floats(), spans(), floats(), floats()).prop_map(
        |(schema, values, positive_spans, positive, negative_spans, negative, bounds)| {
            let value = |at: usize| values.get(at).copied().unwrap_or(0.5);
            Histogram {
                schema,
                zero_threshold: value(0),
                zero_count: value(1),
                count: value(2),
                sum: value(3),
                positive_spans,
                positive_buckets: positive,
                negative_spans,
                negative_buckets: negative,
                custom_values: bounds,
                ..Histogram::default()
            }
        },
    )
}

/// What lies in the buckets, all in all.
fn observations(histogram: &Histogram) -> f64 {
    populated(histogram).values().sum::<f64>() + histogram.zero_count
}

proptest! {
    #[test]
    fn generated_ones_are_valid(pair in any_pair()) {
        prop_assert_eq!(pair.0.validate(), Ok(()));
    }

    #[test]
    fn a_sum_has_what_both_have((a, b) in any_pair()) {
        let mut sum = a.clone();
        sum.add(&b).unwrap();
        prop_assert_eq!(observations(&sum), observations(&a) + observations(&b));
        prop_assert_eq!(sum.count, a.count + b.count);
        let mut other = b.clone();
        other.add(&a).unwrap();
        sum.compact(0);
        other.compact(0);
        prop_assert!(sum.equals(&other), "{} and {}", sum, other);
        let mut running = HistogramSum::new(&a);
        running.add(&b).unwrap();
        let mut total = running.total();
        total.compact(0);
        prop_assert!(total.equals(&sum));
    }

    #[test]
    fn what_was_added_can_be_taken_away((a, b) in any_pair()) {
        let mut sum = a.clone();
        sum.add(&b).unwrap();
        let layout = empty_like(&sum);
        let mut difference = sum;
        difference.sub(&b).unwrap();
        difference.compact(0);
        // `a`, as wide and as coarse as it has become.
        let mut expected = a.clone();
        expected.add(&layout).unwrap();
        expected.compact(0);
        prop_assert!(difference.equals(&expected), "{} and {}", difference, expected);
    }

    #[test]
    fn compaction_keeps_buckets(histogram in any_exponential(), empty_max in 0..4_u32) {
        let mut compact = histogram.clone();
        compact.compact(empty_max);
        prop_assert_eq!(populated(&compact), populated(&histogram));
        prop_assert_eq!(compact.validate(), Ok(()));
        let mut again = compact.clone();
        again.compact(empty_max);
        prop_assert_eq!(&again, &compact);
        for span in compact.positive_spans.iter().skip(1) {
            prop_assert!(span.offset > empty_max as i32 && span.length > 0);
        }
    }

    #[test]
    fn coarser_buckets_hold_the_finer_ones(histogram in any_exponential(), steps in 1..5_i32) {
        let mut coarse = histogram.clone();
        coarse.reduce_resolution(histogram.schema - steps).unwrap();
        let mut expected: BTreeMap<(u64, u64), f64> = BTreeMap::new();
        for fine in histogram.positive().chain(histogram.negative()) {
            let mut holders = coarse.positive().chain(coarse.negative());
            let holder = holders.find(|own| own.lower <= fine.lower && fine.upper <= own.upper);
            let holder = holder.expect("a bucket");
            *expected.entry((holder.lower.to_bits(), holder.upper.to_bits())).or_default() +=
                fine.count;
        }
        for bucket in coarse.positive().chain(coarse.negative()) {
            let key = (bucket.lower.to_bits(), bucket.upper.to_bits());
            prop_assert_eq!(expected.get(&key), Some(&bucket.count));
        }
    }

    #[test]
    fn buckets_agree_with_indexes(histogram in any_exponential()) {
        let power = |index: i32| 2.0_f64.powf(f64::from(index) * 2.0_f64.powi(-histogram.schema));
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * b.abs().max(a.abs());
        for bucket in histogram.positive() {
            prop_assert!(near(bucket.upper, power(bucket.index).min(f64::MAX)));
            prop_assert!(near(bucket.lower, power(bucket.index - 1).min(f64::MAX)));
        }
        let mirrored: Vec<_> = histogram.negative().collect();
        for bucket in &mirrored {
            prop_assert!(near(-bucket.lower, power(bucket.index).min(f64::MAX)));
        }
        let all: Vec<_> = histogram.buckets().collect();
        prop_assert!(all.windows(2).all(|pair| pair[0].lower <= pair[1].lower));
        prop_assert_eq!(all.iter().map(|own| own.count).sum::<f64>(), observations(&histogram));
    }

    #[test]
    fn more_observations_are_no_reset((a, b) in any_pair()) {
        let mut sum = a.clone();
        sum.add(&b).unwrap();
        prop_assert!(!sum.detect_reset(&a) || sum.zero_threshold > a.zero_threshold);
        if observations(&b) > 0.0 {
            prop_assert!(a.detect_reset(&sum));
        }
    }

    #[test]
    fn two_parts_are_the_whole(histogram in any_exponential(), border in -40.0..40.0_f64) {
        let below = histogram.trimmed(Side::Below, border);
        let above = histogram.trimmed(Side::Above, border);
        let total = observations(&histogram);
        let parts = observations(&below) + observations(&above);
        prop_assert!((parts - total).abs() <= 1e-9 * total.max(1.0), "{} and {}", below, above);
    }

    #[test]
    fn nothing_panics(a in any_histogram(), b in any_histogram(), border: f64) {
        let _ = (a.validate(), a.detect_reset(&b), a.equals(&b), a.is_identical(&b));
        let _ = (a.buckets().rev().count(), a.trimmed(Side::Above, border));
        let (mut sum, mut difference, mut compact) = (a.clone(), a.clone(), a.clone());
        let _ = (sum.add(&b), difference.sub(&b), compact.reduce_resolution(b.schema));
        compact.compact(3);
        let mut mean = HistogramMean::new(&a);
        if mean.add(&b).is_ok() {
            let _ = mean.mean();
        }
        let _ = a.to_string();
    }
}
