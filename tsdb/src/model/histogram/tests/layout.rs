//! Where observations lie, and what is the same.

use super::*;

#[test]
fn texts() {
    let rows = [
        (Histogram::default(), "{count:0, sum:0}"),
        (
            exponential(0, (0.001, 2.0), &[(0, 1.0), (1, 0.0), (2, 3.0)], &[(0, 1.5), (1, 2.0)]),
            "{count:9.5, sum:1, [-2,-1):2, [-1,-0.5):1.5, [-0.001,0.001]:2, (0.5,1]:1, (2,4]:3}",
        ),
        (
            custom(&[1.0, 2.5], &[1.0, 2.0, 1e6]),
            "{count:1.000003e+06, sum:1, [-Inf,1]:1, (1,2.5]:2, (2.5,+Inf]:1e+06}",
        ),
    ];
    for (histogram, text) in rows {
        assert_eq!(histogram.to_string(), text);
    }
}

#[test]
fn buckets_rise_and_end_where_the_zero_bucket_begins() {
    let histogram =
        exponential(0, (0.75, 5.0), &[(0, 1.0), (2, 0.0), (4, 2.0)], &[(0, 3.0), (1, 4.0)]);
    let bounds = |bucket: Bucket| (bucket.lower, bucket.upper, bucket.count, bucket.index);
    let expected = [
        (-2.0, -1.0, 4.0, 1),
        (-1.0, -0.75, 3.0, 0),
        (-0.75, 0.75, 5.0, 0),
        (0.75, 1.0, 1.0, 0),
        (2.0, 4.0, 0.0, 2),
        (8.0, 16.0, 2.0, 4),
    ];
    assert_eq!(histogram.buckets().map(bounds).collect::<Vec<_>>(), expected);
    let mut reversed: Vec<_> = histogram.buckets().rev().map(bounds).collect();
    reversed.reverse();
    assert_eq!(reversed, expected);
}

#[test]
fn compaction() {
    // Spans, counts, empty buckets that may stay, and what comes out.
    type Row = (Vec<(i32, u32)>, Vec<f64>, u32, Vec<(i32, u32)>, Vec<f64>);
    let rows: [Row; 8] = [
        (vec![], vec![], 0, vec![], vec![]),
        (vec![(1, 3)], vec![1., 2., 3.], 0, vec![(1, 3)], vec![1., 2., 3.]),
        (vec![(1, 3)], vec![0., 2., 0.], 0, vec![(2, 1)], vec![2.]),
        (vec![(1, 2), (0, 1)], vec![1., 2., 3.], 0, vec![(1, 3)], vec![1., 2., 3.]),
        (vec![(-2, 1), (3, 0), (2, 1)], vec![1., 2.], 0, vec![(-2, 1), (5, 1)], vec![1., 2.]),
        (vec![(0, 4)], vec![1., 0., 0., 2.], 1, vec![(0, 1), (2, 1)], vec![1., 2.]),
        (vec![(0, 1), (2, 1)], vec![1., 2.], 2, vec![(0, 4)], vec![1., 0., 0., 2.]),
        (vec![(5, 0), (1, 2)], vec![0., 0.], 3, vec![], vec![]),
    ];
    let spans = |rows: &[(i32, u32)]| -> Vec<Span> {
        rows.iter().map(|(offset, length)| Span { offset: *offset, length: *length }).collect()
    };
    for (before, counts, empty_max, after, left) in rows {
        let mut histogram = Histogram {
            positive_spans: spans(&before),
            positive_buckets: counts,
            ..Histogram::default()
        };
        histogram.compact(empty_max);
        assert_eq!(histogram.positive_spans, spans(&after), "{before:?}");
        assert_eq!(histogram.positive_buckets, left, "{before:?}");
    }
}

#[test]
fn resolution_is_halved_step_by_step() {
    let mut fine = exponential(
        1,
        (0.0, 0.0),
        &[(-3, 1.), (-2, 2.), (-1, 4.), (0, 8.), (1, 16.), (2, 32.), (3, 64.)],
        &[(5, 1.0)],
    );
    fine.reduce_resolution(0).unwrap();
    let coarse = exponential(0, (0.0, 0.0), &[(-1, 3.), (0, 12.), (1, 48.), (2, 64.)], &[(3, 1.0)]);
    assert_eq!(fine, coarse);
    fine.reduce_resolution(2).unwrap();
    assert_eq!(fine, coarse);
    assert_eq!(fine.reduce_resolution(CUSTOM_BUCKETS_SCHEMA), Err(Incompatible));
    assert_eq!(custom(&[1.0], &[1.0, 1.0]).reduce_resolution(0), Err(Incompatible));
}

#[test]
fn equality() {
    let spans = |rows: &[(i32, u32)]| -> Vec<Span> {
        rows.iter().map(|(offset, length)| Span { offset: *offset, length: *length }).collect()
    };
    let of = |rows: &[(i32, u32)]| Histogram {
        positive_spans: spans(rows),
        positive_buckets: vec![1.0, 2.0],
        ..Histogram::default()
    };
    let base = of(&[(1, 1), (2, 1)]);
    let change = |change: &dyn Fn(&mut Histogram)| {
        let mut histogram = base.clone();
        change(&mut histogram);
        histogram
    };
    // Another one, whether it has the same observations, whether it is the same.
    let rows = [
        (base.clone(), true, true),
        (of(&[(1, 1), (1, 0), (1, 1), (7, 0)]), true, false),
        (of(&[(0, 0), (1, 1), (2, 1)]), true, false),
        (of(&[(1, 1), (3, 1)]), false, false),
        (change(&|own| own.is_integer = true), true, false),
        (change(&|own| own.counter_reset_hint = CounterResetHint::Gauge), true, false),
        (change(&|own| own.sum = -0.0), false, false),
        (change(&|own| own.zero_threshold = -0.0), true, false),
        (change(&|own| own.zero_count = 1.0), false, false),
        (change(&|own| own.schema = 1), false, false),
        (change(&|own| own.custom_values = vec![1.0]), true, false),
    ];
    for (other, equal, identical) in rows {
        assert_eq!(
            (base.equals(&other), base.is_identical(&other)),
            (equal, identical),
            "{other:?}"
        );
    }
    let nan = change(&|own| own.sum = f64::NAN);
    assert!(nan.equals(&nan.clone()) && nan.is_identical(&nan.clone()));
    assert!(!custom(&[1.0], &[1.0]).equals(&custom(&[2.0], &[1.0])));
}

#[test]
fn classic_histograms() {
    let inf = f64::INFINITY;
    // Buckets, count, and what comes out: bounds and counts, whether whole.
    type Row<'a> = (&'a [(f64, f64)], Option<f64>, Result<(&'a [f64], &'a str, bool), &'a str>);
    let rows: [Row; 12] = [
        (
            &[(1., 2.), (2., 5.), (inf, 9.)],
            Some(9.),
            Ok((&[1., 2.], "{count:9, sum:7, [-Inf,1]:2, (1,2]:3, (2,+Inf]:4}", true)),
        ),
        (
            &[(inf, 9.), (2., 5.), (1., 2.), (1., 3.)],
            None,
            Ok((&[1., 2.], "{count:9, sum:7, [-Inf,1]:2, (1,2]:3, (2,+Inf]:4}", true)),
        ),
        (&[(1., 2.)], Some(3.), Ok((&[1.], "{count:3, sum:7, [-Inf,1]:2, (1,+Inf]:1}", true))),
        (&[(1., 2.5)], None, Ok((&[1.], "{count:2.5, sum:7, [-Inf,1]:2.5}", false))),
        (&[], Some(3.), Ok((&[], "{count:3, sum:7, [-Inf,+Inf]:3}", true))),
        (&[], None, Err("count must be provided when no buckets are present")),
        (&[(1., 2.), (2., 1.)], None, Err("count is not cumulative: 1 < 2")),
        (&[(2., 1.), (1., 2.)], None, Err("count is not cumulative: 1 < 2")),
        (&[(2., -1.)], None, Err("bucket count must be non-negative: le=2, count=-1")),
        (&[(f64::NAN, 1.)], None, Err("bucket boundary must not be NaN")),
        (&[(inf, 1.)], Some(2.), Err("count mismatch: count=2 != le=inf count=1")),
        (&[(inf, 1.)], Some(-2.), Err("count must be non-negative: count=-2")),
    ];
    for (buckets, count, expected) in rows {
        let mut classic = ClassicHistogram::new();
        buckets.iter().for_each(|(bound, count)| classic.set_bucket(*bound, *count));
        count.into_iter().for_each(|count| classic.set_count(count));
        classic.set_sum(7.0);
        match (classic.build(), expected) {
            (Ok(built), Ok((bounds, text, whole))) => {
                assert_eq!((built.to_string().as_str(), built.is_integer), (text, whole));
                assert_eq!(built.custom_values, bounds);
                assert_eq!(built.validate(), Ok(()));
            }
            (Err(error), Err(text)) => assert_eq!(error.to_string(), text),
            (built, expected) => panic!("{built:?}, not {expected:?}"),
        }
    }
    // Few empty buckets are written out where counts are whole numbers.
    for (last, counts) in [(5.0, 4), (5.5, 2)] {
        let mut classic = ClassicHistogram::new();
        let buckets = [(1., 2.), (2., 2.), (3., 2.), (inf, last)];
        buckets.iter().for_each(|(bound, count)| classic.set_bucket(*bound, *count));
        assert_eq!(classic.build().unwrap().positive_buckets.len(), counts);
    }
}
