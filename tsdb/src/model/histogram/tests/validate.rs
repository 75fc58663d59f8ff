//! What is refused.

use super::*;

#[test]
fn validation() {
    let base = || exponential(0, (0.5, 1.0), &[(1, 2.), (3, 4.)], &[(1, 1.)]);
    let bounded = || custom(&[1., 2.], &[1., 2., 3.]);
    let with = |mut histogram: Histogram, change: &dyn Fn(&mut Histogram)| {
        change(&mut histogram);
        histogram.validate().map_err(|error| error.to_string())
    };
    let rows: [(Histogram, Change<'_>, Option<&str>); 26] = [
        (base(), &|_| {}, None),
        (bounded(), &|_| {}, None),
        (base(), &|own| own.is_integer = true, None),
        (base(), &|own| own.count = 3.0, None),
        (base(), &|own| (own.is_integer, own.count) = (true, 3.0), Some("should equal")),
        (base(), &|own| (own.is_integer, own.count, own.sum) = (true, 9.0, f64::NAN), None),
        (
            base(),
            &|own| (own.is_integer, own.count, own.sum) = (true, 7.0, f64::NAN),
            Some("at least"),
        ),
        (base(), &|own| own.schema = 9, Some("got schema 9")),
        (base(), &|own| own.schema = -5, Some("got schema -5")),
        (base(), &|own| own.count = -1.0, Some("observation count is negative")),
        (base(), &|own| own.zero_count = -1.0, Some("zero bucket has observation count of -1")),
        (base(), &|own| own.zero_threshold = f64::NAN, Some("zero threshold of NaN")),
        (base(), &|own| own.zero_threshold = -1.0, Some("zero threshold of -1")),
        (base(), &|own| own.custom_values = vec![1.0], Some("must not have custom bounds")),
        (base(), &|own| own.positive_buckets[1] = -1.0, Some("positive side: bucket number 2")),
        (base(), &|own| own.negative_buckets[0] = -1.0, Some("negative side: bucket number 1")),
        (base(), &|own| own.positive_spans[1].offset = -1, Some("span number 2 with offset -1")),
        (base(), &|own| own.positive_spans[0].offset = -9, None),
        (base(), &|own| own.positive_spans[1].length = 2, Some("spans need 3 buckets, have 2")),
        (base(), &|own| own.positive_spans[1].offset = i32::MAX, Some("beyond the largest bucket")),
        (
            base(),
            &|own| own.positive_buckets = vec![0.0; BUCKETS_MAX + 1],
            Some("more than 65536 buckets"),
        ),
        (
            base(),
            &|own| own.positive_spans = vec![Span { offset: 0, length: 0 }; SPANS_MAX + 1],
            Some("more than 65536 spans"),
        ),
        (bounded(), &|own| own.custom_values = vec![1.0], Some("only 1 custom bounds defined")),
        (bounded(), &|own| own.custom_values = vec![2.0, 1.0], Some("strictly increasing")),
        (bounded(), &|own| own.custom_values[1] = f64::INFINITY, Some("must be finite")),
        (bounded(), &|own| own.zero_count = 1.0, Some("must have zero count of 0")),
    ];
    for (histogram, change, expected) in rows {
        match (with(histogram, change), expected) {
            (Ok(()), None) => {}
            (Err(text), Some(part)) => assert!(text.contains(part), "{text}"),
            (result, expected) => panic!("{result:?}, not {expected:?}"),
        }
    }
    let rows: [(Change<'_>, &str); 5] = [
        (&|own| own.custom_values[0] = f64::NAN, "must not be NaN"),
        (&|own| own.zero_threshold = 1.0, "must have zero threshold of 0"),
        (&|own| own.negative_spans = vec![Span { offset: 0, length: 0 }], "no negative spans"),
        (&|own| own.negative_buckets = vec![0.0], "no negative buckets"),
        (&|own| own.positive_spans[0].offset = -1, "span number 1 with offset -1"),
    ];
    for (change, part) in rows {
        let text = with(bounded(), change).unwrap_err();
        assert!(text.contains(part), "{text}");
    }
}
