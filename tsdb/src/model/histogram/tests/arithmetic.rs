//! What becomes of histograms.

use super::*;

#[test]
fn sums_and_differences() {
    let nothing = (0.0, 0.0);
    // a, b, a + b.
    let rows = [
        (
            exponential(0, nothing, &[(0, 1.), (1, 2.)], &[]),
            exponential(0, nothing, &[(0, 3.), (1, 4.)], &[]),
            exponential(0, nothing, &[(0, 4.), (1, 6.)], &[]),
        ),
        (
            exponential(0, nothing, &[(3, 1.), (5, 2.)], &[(0, 1.)]),
            exponential(0, nothing, &[(-2, 3.), (4, 4.), (5, 1.), (9, 5.)], &[(1, 1.)]),
            exponential(
                0,
                nothing,
                &[(-2, 3.), (3, 1.), (4, 4.), (5, 3.), (9, 5.)],
                &[(0, 1.), (1, 1.)],
            ),
        ),
        // The finer schema gives way.
        (
            exponential(1, nothing, &[(1, 1.), (2, 2.), (3, 4.)], &[]),
            exponential(0, nothing, &[(1, 10.)], &[]),
            exponential(0, nothing, &[(1, 13.), (2, 4.)], &[]),
        ),
        // The wider zero bucket swallows whole buckets…
        (
            exponential(0, (0.25, 1.0), &[(-1, 2.), (0, 4.), (1, 8.)], &[(-1, 16.)]),
            exponential(0, (1.0, 100.0), &[(1, 1.)], &[]),
            exponential(0, (1.0, 123.0), &[(1, 9.)], &[]),
        ),
        // … and ends where a populated bucket ends, if it would end within.
        (
            exponential(0, (0.25, 1.0), &[(0, 4.), (2, 8.)], &[]),
            exponential(0, (0.75, 100.0), &[(1, 1.)], &[]),
            exponential(0, (1.0, 105.0), &[(1, 1.), (2, 8.)], &[]),
        ),
        // The negative side moves the border further, the positive one has to follow.
        (
            exponential(0, (0.5, 1.0), &[(0, 2.), (1, 4.), (3, 1.)], &[(1, 8.)]),
            exponential(0, (0.75, 100.0), &[], &[]),
            exponential(0, (1.0, 103.0), &[(1, 4.), (3, 1.)], &[(1, 8.)]),
        ),
        (
            exponential(0, (0.5, 1.0), &[(1, 4.), (3, 1.)], &[(1, 8.)]),
            exponential(0, (1.5, 100.0), &[], &[]),
            exponential(0, (2.0, 113.0), &[(3, 1.)], &[]),
        ),
        (
            custom(&[1., 2.], &[1., 2., 4.]),
            custom(&[1., 2.], &[8., 16., 32.]),
            custom(&[1., 2.], &[9., 18., 36.]),
        ),
        // Bounds that only one has vanish.
        (
            custom(&[1., 2., 3., 5.], &[1., 2., 4., 8., 16.]),
            custom(&[2., 4., 5.], &[100., 200., 300., 400.]),
            custom(&[2., 5.], &[103., 512., 416.]),
        ),
        (custom(&[1.], &[1., 2.]), custom(&[2.], &[4., 8.]), custom(&[], &[15.])),
    ];
    for (a, b, mut expected) in rows {
        let mut sum = a.clone();
        let noticed = sum.add(&b).unwrap();
        expected.sum = 2.0;
        sum.compact(0);
        assert!(sum.equals(&expected), "{a} + {b} = {sum}, not {expected}");
        assert_eq!(noticed.custom_bounds, a.custom_values != b.custom_values);
        assert_eq!((sum.zero_threshold, &sum.custom_values), {
            (expected.zero_threshold, &expected.custom_values)
        });
        let mut difference = sum.clone();
        difference.sub(&b).unwrap();
        difference.compact(0);
        let mut reduced = a.clone();
        // What is left is `a` in the layout of the sum.
        reduced.add(&Histogram { count: 0.0, sum: 0.0, ..empty_like(&sum) }).unwrap();
        reduced.compact(0);
        assert!(difference.equals(&reduced), "{sum} − {b} = {difference}, not {reduced}");
    }
    let mut mixed = custom(&[1.], &[1., 2.]);
    let before = mixed.clone();
    assert_eq!(mixed.add(&exponential(0, nothing, &[(0, 1.)], &[])), Err(Incompatible));
    assert_eq!(mixed, before);
}

#[test]
fn scaling() {
    use CounterResetHint::{Gauge, Reset};
    let histogram = with_hint(exponential(0, (1.0, 4.0), &[(3, 2.)], &[(1, 6.)]), Reset);
    let scaled = |change: &dyn Fn(&mut Histogram)| {
        let mut histogram = histogram.clone();
        change(&mut histogram);
        (histogram.to_string(), histogram.counter_reset_hint)
    };
    let rows: [(Change<'_>, &str, CounterResetHint); 5] = [
        (&|own| own.mul(0.5), "{count:6, sum:0.5, [-2,-1):3, [-1,1]:2, (4,8]:1}", Reset),
        (&|own| own.mul(-1.0), "{count:-12, sum:-1, [-2,-1):-6, [-1,1]:-4, (4,8]:-2}", Gauge),
        (&|own| own.div(2.0), "{count:6, sum:0.5, [-2,-1):3, [-1,1]:2, (4,8]:1}", Reset),
        (&|own| own.div(-2.0), "{count:-6, sum:-0.5, [-2,-1):-3, [-1,1]:-2, (4,8]:-1}", Gauge),
        (&|own| own.div(0.0), "{count:+Inf, sum:+Inf, [-1,1]:+Inf}", Reset),
    ];
    for (change, text, hint) in rows {
        assert_eq!(scaled(change), (text.to_owned(), hint));
    }
}

#[test]
fn hints_of_sums() {
    use CounterResetHint::{Gauge, NotReset, Reset, Unknown};
    let rows = [
        (Unknown, Unknown, Unknown, false),
        (Unknown, Reset, Unknown, false),
        (NotReset, Unknown, Unknown, false),
        (Reset, Reset, Reset, false),
        (Reset, NotReset, Unknown, true),
        (NotReset, Reset, Unknown, true),
        (Gauge, Reset, Gauge, false),
        (NotReset, Gauge, Gauge, false),
    ];
    let histogram = exponential(0, (0.0, 0.0), &[(0, 1.0)], &[]);
    for (a, b, hint, reset_collision) in rows {
        let mut sum = with_hint(histogram.clone(), a);
        let noticed = sum.add(&with_hint(histogram.clone(), b)).unwrap();
        assert_eq!((sum.counter_reset_hint, noticed.reset_collision), (hint, reset_collision));
    }
}

#[test]
fn resets() {
    use CounterResetHint::{NotReset, Reset};
    let nothing = (0.0, 0.0);
    let base = || exponential(1, (0.25, 2.0), &[(1, 4.), (2, 0.), (4, 1.)], &[(1, 3.)]);
    let plus = |change: &dyn Fn(&mut Histogram)| {
        let mut histogram = base();
        histogram.count += 100.0;
        change(&mut histogram);
        histogram
    };
    // Now, before, and whether there was a reset.
    let rows = [
        (base(), base(), false),
        (with_hint(base(), Reset), base(), true),
        (with_hint(exponential(0, nothing, &[], &[]), NotReset), base(), false),
        (Histogram::default(), base(), true),
        (plus(&|own| own.count = 9.9), base(), true),
        (plus(&|own| own.sum = -5.0), base(), false),
        (plus(&|own| own.zero_count = 1.0), base(), true),
        (plus(&|own| own.positive_buckets[0] = 3.0), base(), true),
        (plus(&|own| own.positive_buckets[1] = 9.0), base(), false),
        (plus(&|own| own.negative_buckets[0] = 2.0), base(), true),
        (plus(&|own| own.zero_threshold = 0.125), base(), true),
        (plus(&|own| own.schema = 2), base(), true),
        // A bucket that is gone: only if something was in it.
        (plus(&|own| own.positive_buckets = vec![4., 0., 0.]), base(), true),
        (exponential(1, (0.25, 2.0), &[(1, 4.), (4, 1.)], &[(1, 3.)]), base(), false),
        (exponential(1, (0.25, 9.0), &[(1, 4.)], &[(1, 3.)]), base(), true),
        // Coarser: buckets are joined first.
        (exponential(0, (0.25, 2.0), &[(1, 4.), (2, 1.)], &[(1, 3.)]), base(), false),
        (exponential(0, (0.25, 9.0), &[(1, 3.), (2, 1.)], &[(1, 3.)]), base(), true),
        // A wider zero bucket: its buckets are counted there first, if it cuts none in two.
        (
            exponential(0, (2.0, 7.0), &[(2, 9.)], &[]),
            exponential(0, nothing, &[(1, 7.)], &[]),
            false,
        ),
        (
            exponential(0, (2.0, 6.0), &[(2, 9.)], &[]),
            exponential(0, nothing, &[(1, 7.)], &[]),
            true,
        ),
        (
            exponential(0, (1.5, 9.0), &[(2, 9.)], &[]),
            exponential(0, nothing, &[(1, 7.)], &[]),
            true,
        ),
        (
            exponential(0, (1.5, 9.0), &[(2, 9.)], &[]),
            exponential(0, nothing, &[(2, 7.)], &[]),
            false,
        ),
        (custom(&[1., 2.], &[1., 2., 3.]), custom(&[1., 2.], &[1., 2., 2.]), false),
        (custom(&[1., 2.], &[1., 2., 3.]), custom(&[1., 2.], &[2., 1., 2.]), true),
        (custom(&[1., 2.], &[9., 9., 9.]), exponential(0, nothing, &[(1, 7.)], &[]), true),
        (exponential(0, nothing, &[(1, 99.)], &[]), custom(&[1., 2.], &[1., 1., 1.]), true),
        // Other bounds: compared between those that both have.
        (custom(&[1., 2., 5.], &[1., 2., 3., 4.]), custom(&[2., 5.], &[3., 3., 4.]), false),
        (custom(&[1., 2., 5.], &[1., 2., 3., 5.]), custom(&[2., 5.], &[4., 3., 4.]), true),
        (custom(&[1.], &[1., 2.]), custom(&[2.], &[3., 0.]), false),
    ];
    for (now, before, expected) in rows {
        assert_eq!(now.detect_reset(&before), expected, "{now} after {before}");
    }
}

#[test]
fn trimming() {
    use Side::{Above, Below};
    let both = || exponential(0, (0.5, 4.0), &[(1, 2.), (2, 8.)], &[(1, 6.)]);
    let bounded = || custom(&[2., 4.], &[8., 4., 2.]);
    let half = 2.0 * 2.0_f64.sqrt();
    let rows = [
        (both(), Below, 100.0, both().to_string()),
        (both(), Above, -100.0, both().to_string()),
        (
            both(),
            Below,
            half,
            "{count:16, sum:3.8568, [-2,-1):6, [-0.5,0.5]:4, (1,2]:2, (2,4]:4}".into(),
        ),
        (both(), Above, half, "{count:4, sum:13.4543, (2,4]:4}".into()),
        (both(), Below, 0.25, "{count:9, sum:-8.8603, [-2,-1):6, [-0.5,0.5]:3}".into()),
        (both(), Above, 0.25, "{count:11, sum:25.8308, [-0.5,0.5]:1, (1,2]:2, (2,4]:8}".into()),
        (both(), Below, f64::NAN, "{count:NaN, sum:NaN, [-0.5,0.5]:NaN}".into()),
        (bounded(), Below, 3.0, "{count:10, sum:13, [-Inf,2]:8, (2,4]:2}".into()),
        (bounded(), Below, 1.0, "{count:4, sum:2, [-Inf,2]:4}".into()),
        (bounded(), Above, 1.0, "{count:10, sum:26, [-Inf,2]:4, (2,4]:4, (4,+Inf]:2}".into()),
        (bounded(), Above, 5.0, "{count:2, sum:10, (4,+Inf]:2}".into()),
        (bounded(), Below, 5.0, "{count:12, sum:20, [-Inf,2]:8, (2,4]:4}".into()),
        (custom(&[-1.], &[3., 5.]), Below, -2.0, "{count:3, sum:-6, [-Inf,-1]:3}".into()),
        (custom(&[-1.], &[3., 5.]), Above, -2.0, "{count:5, sum:-5, (-1,+Inf]:5}".into()),
    ];
    for (histogram, keep, border, text) in rows {
        let mut trimmed = histogram.trimmed(keep, border);
        trimmed.sum = (trimmed.sum * 1e4).round() / 1e4;
        assert_eq!(trimmed.to_string(), text, "{histogram} {keep:?} {border}");
    }
}

#[test]
fn sums_lose_nothing_and_means_do_not_overflow() {
    let of = |count: f64| exponential(0, (0.0, 0.0), &[(0, count)], &[]);
    let mut sum = HistogramSum::new(&of(1.0));
    for count in [1e100, 1.0, -1e100] {
        sum.add(&of(count)).unwrap();
    }
    assert_eq!(sum.total().positive_buckets, [2.0]);
    let mut mean = HistogramMean::new(&of(f64::MAX));
    for _ in 0..3 {
        mean.add(&of(f64::MAX)).unwrap();
    }
    assert!((mean.mean().positive_buckets[0] / f64::MAX - 1.0).abs() < 1e-15);
    let mut mean = HistogramMean::new(&of(1.0));
    mean.add(&exponential(0, (0.0, 0.0), &[(1, 3.0)], &[])).unwrap();
    assert_eq!(mean.mean(), {
        let mut expected = exponential(0, (0.0, 0.0), &[(0, 0.5), (1, 1.5)], &[]);
        expected.sum = 1.0;
        expected
    });
}
