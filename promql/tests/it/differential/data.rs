//! Random series: as pods have them, with gaps, resets, stale markers, odd numbers, buckets in odd
//! order, native histograms, and metrics whose label sets differ in the name alone.

use std::collections::BTreeMap;

use promql::value::Steps;
use tsdb::model::{Labels, Timestamp};

use crate::random::Random;
use crate::reference::{Native, Series, Value};

/// Milliseconds from which the samples come.
pub(super) const BASES: [i64; 2] = [0, 1_700_000_000_000];

const BOUNDS: [&str; 8] = ["2.5", "+Inf", "0.5", "1", "1.0", "-1", "bad", "10"];

pub(super) fn series(random: &mut Random, base: i64) -> Vec<Series> {
    let mut series = Vec::new();
    for job in ["a", "b"] {
        for pod in ["0", "1", "2"] {
            if !random.once_in(6) {
                pod_series(random, base, &[("job", job), ("pod", pod)], &mut series);
            }
        }
    }
    series.sort_by(|a, b| a.labels.cmp(&b.labels));
    series
}

/// All series of a pod, which mostly share the times of its scrapes.
fn pod_series(random: &mut Random, base: i64, pod: &[(&str, &str)], series: &mut Vec<Series>) {
    let times = times(random, base);
    let zone = random.once_in(3).then(|| random.of(&["x", "y"]));
    let mut add = |random: &mut Random,
                   name: &str,
                   le: &str,
                   mut values: Box<dyn FnMut(&mut Random) -> Value>| {
        if random.once_in(8) {
            return;
        }
        let own = [("__name__", name), ("le", le), ("zone", zone.unwrap_or(""))];
        let labels = Labels::from_pairs(pod.iter().copied().chain(own));
        let mut samples = Vec::new();
        for time in &times {
            let value = values(random);
            match random.weighted(&[40, 2, 2]) {
                0 => samples.push((*time, Some(value))),
                1 => samples.push((*time, None)),
                _ => {}
            }
        }
        series.push(Series { labels, samples });
    };
    for name in ["g", "h"] {
        let numbers = gauge(random);
        add(random, name, "", numbers);
    }
    for name in ["c_total", "d_total"] {
        let numbers = counter(random);
        add(random, name, "", numbers);
    }
    let bounds = random.of(&[4, 4, 5, 8]);
    let start = random.of(&[0, 0, 0, 2]);
    for le in BOUNDS.iter().take(bounds).skip(start) {
        let numbers = counter(random);
        add(random, "t_bucket", le, numbers);
    }
    if random.once_in(2) {
        let numbers = native(random);
        add(random, "n", "", numbers);
    }
    if random.once_in(3) {
        let (mut floats, mut histograms) = (gauge(random), native(random));
        let either = move |random: &mut Random| match random.once_in(4) {
            true => floats(random),
            false => histograms(random),
        };
        add(random, "mixed", "", Box::new(either));
    }
}

/// Rising times in whole seconds.
fn times(random: &mut Random, base: i64) -> Vec<i64> {
    let interval = random.of(&[5, 10, 15, 15, 30, 60]);
    let count = 2 + random.below(40);
    let mut time = random.below(60) as i64;
    let mut times = Vec::new();
    for _ in 0..count {
        times.push(base + time * 1000);
        let odd = random.once_in(8);
        time += if odd { 1 + random.below(4 * interval) as i64 } else { interval as i64 };
    }
    times
}

fn odd_number(random: &mut Random) -> f64 {
    let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 0.0, 1e300, -1e300, 5e-324, 1e17];
    random.of(&odd)
}

type Numbers = Box<dyn FnMut(&mut Random) -> Value>;

fn gauge(random: &mut Random) -> Numbers {
    let (kind, oddness) = (random.below(3), random.of(&[6, 40, 1000]));
    Box::new(move |random| {
        Value::Float(match kind {
            _ if random.once_in(oddness) => odd_number(random),
            // Many are equal.
            0 => random.below(4) as f64,
            1 => random.below(2000) as f64 / 8.0 - 100.0,
            _ => (random.fraction() - 0.5) * 10_f64.powi(random.below(9) as i32 - 4),
        })
    })
}

fn counter(random: &mut Random) -> Numbers {
    let unit = random.of(&[1.0, 1.0, 0.37]);
    let (mut total, oddness) = (random.below(50) as f64 * unit, random.of(&[60, 1000, 1000]));
    Box::new(move |random| {
        total += random.below(9) as f64 * unit;
        if random.once_in(15) {
            total = random.below(4) as f64 * unit;
        }
        Value::Float(if random.once_in(oddness) { odd_number(random) } else { total })
    })
}

fn native(random: &mut Random) -> Numbers {
    let schema = random.of(&[0, 0, 1, 3]);
    let fresh = move |schema| Native {
        schema,
        is_gauge: false,
        count: 0.0,
        sum: 0.0,
        zero: 0.0,
        buckets: BTreeMap::new(),
    };
    let mut own = fresh(schema);
    Box::new(move |random| {
        if random.once_in(12) {
            own = fresh(if random.once_in(3) { random.of(&[0, 1, 3]) } else { own.schema });
        }
        for _ in 0..random.below(6) {
            let added = 1.0 + random.below(3) as f64;
            if random.once_in(4) {
                own.zero += added;
            } else {
                *own.buckets.entry(random.below(8) as i32 - 3).or_insert(0.0) += added;
            }
            own.count += added;
            own.sum += added * random.below(16) as f64 / 4.0;
        }
        Value::Histogram(own.clone())
    })
}

pub(super) fn steps(random: &mut Random, base: i64) -> Steps {
    let start = base + random.below(400_000) as i64 - 20_000;
    let start = if random.once_in(2) { start } else { start.div_euclid(5_000) * 5_000 };
    let step_ms = random.of(&[1_000, 5_000, 15_000, 37_000, 60_000, 300_000, 1]);
    let count = 1 + random.below(7) as i64;
    let end = start + step_ms * (count - 1) + random.below(step_ms as usize) as i64;
    Steps { start: Timestamp::from_ms(start), end: Timestamp::from_ms(end), step_ms }
}
