//! Where buckets begin and end.
//!
//! Bucket `i` of schema `s ≥ 0` ends at `2^(i / 2^s)`, of `s < 0` at `2^(i · 2^-s)`; custom bucket
//! `i` ends at bound `i`, the last one at +Inf. The bounds between two powers of two are not
//! rounded as `2^x` would be: they are those that the clients count with, which multiply
//! upwards from a power of two ([`FRACTIONS`]).

use super::{CUSTOM_BUCKETS_SCHEMA, SCHEMA_MAX};

/// `2^(2^-schema)` for schemas 1…8, in the digits from which the clients' bounds come
/// (client_golang, `nativeHistogramBounds`).
#[allow(clippy::approx_constant, reason = "not √2 as it is rounded")]
const FACTORS: [f64; SCHEMA_MAX as usize] = [
    1.414213562373095,
    1.189207115002721,
    1.0905077326652577,
    1.0442737824274138,
    1.0218971486541166,
    1.0108892860517005,
    1.0054299011128027,
    1.0027112750502025,
];

/// The bounds in 0.5…1 of the finest schema; a coarser one has each second, fourth, … of them.
/// Built from coarse to fine: a new bound is its left neighbour times the schema's factor.
#[expect(
    clippy::indexing_slicing,
    reason = "the compiler does this; a wrong index does not compile"
)]
const FRACTIONS: [f64; 1 << SCHEMA_MAX] = {
    let mut bounds = [0.5; 1 << SCHEMA_MAX];
    let mut schema = 0;
    while schema < FACTORS.len() {
        let distance = bounds.len() >> (schema + 1);
        let mut at = distance;
        while at < bounds.len() {
            bounds[at] = bounds[at - distance] * FACTORS[schema];
            at += 2 * distance;
        }
        schema += 1;
    }
    bounds
};

/// The upper bound of bucket `index`; −1 is the lower bound of custom bucket 0. The last bucket of
/// an exponential schema that holds finite numbers ends at the largest one.
pub(super) fn bound(index: i32, schema: i32, custom_values: &[f64]) -> f64 {
    match schema {
        CUSTOM_BUCKETS_SCHEMA => match usize::try_from(index) {
            Ok(index) => custom_values.get(index).copied().unwrap_or(f64::INFINITY),
            Err(_) => f64::NEG_INFINITY,
        },
        _ => exponential(index, schema),
    }
}

/// The upper bound of bucket `index` of an exponential schema.
pub(super) fn exponential(index: i32, schema: i32) -> f64 {
    let index = i64::from(index);
    let (fraction, exponent) = if schema < 0 {
        // Shifted by more, everything but 0 is far outside of what a float holds.
        (0.5, (index << schema.unsigned_abs().min(20)) + 1)
    } else {
        let schema = schema.min(SCHEMA_MAX) as u32;
        let steps = 1_i64 << schema;
        let place = (index & (steps - 1)) << (SCHEMA_MAX as u32 - schema);
        #[expect(clippy::indexing_slicing, reason = "a place is below 2^SCHEMA_MAX")]
        let fraction = FRACTIONS[place as usize];
        (fraction, (index >> schema) + 1)
    };
    if fraction == 0.5 && exponent == 1025 { f64::MAX } else { scale(fraction, exponent) }
}

/// `fraction · 2^exponent` for a fraction in 0.5…1, rounded once.
fn scale(fraction: f64, exponent: i64) -> f64 {
    // The doubled fraction has the exponent 0.
    match exponent - 1 {
        exponent @ -1022..=1023 => fraction * 2.0 * power_of_two(exponent),
        1024.. => f64::INFINITY,
        // Below that, a float has fewer digits: exact first, then rounded.
        exponent @ -1080..-1022 => {
            fraction * 2.0 * power_of_two(exponent + 100) * power_of_two(-100)
        }
        _ => 0.0,
    }
}

/// `2^exponent` for an exponent in −1022…1023.
fn power_of_two(exponent: i64) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bounds in the digits in which Prometheus lists them (`model/histogram/generic.go`).
    #[test]
    fn bounds_are_those_of_the_clients() {
        let rows: [(i32, &[(usize, f64)]); 5] = [
            (1, &[(1, 0.7071067811865475)]),
            (
                5,
                &[
                    (1, 0.5109485743270583),
                    (3, 0.5335702003384117),
                    (11, 0.6345254785958666),
                    (23, 0.8228777390769823),
                    (25, 0.8593096490612387),
                    (31, 0.9785720620876999),
                ],
            ),
            (
                6,
                &[
                    (1, 0.5054446430258502),
                    (5, 0.5278225891802786),
                    (17, 0.6010783657263515),
                    (29, 0.6845012114872953),
                    (43, 0.7965710756711334),
                    (53, 0.8876882462632604),
                    (63, 0.9892280131939752),
                ],
            ),
            (
                7,
                &[
                    (1, 0.5027149505564014),
                    (21, 0.5602188762048033),
                    (49, 0.6519406325959679),
                    (77, 0.7586795205991071),
                    (101, 0.8639756154809185),
                    (111, 0.9120516927035263),
                    (127, 0.9945994234836328),
                ],
            ),
            (
                8,
                &[
                    (1, 0.5013556375251013),
                    (23, 0.5321274564422321),
                    (65, 0.5962156912915756),
                    (101, 0.6572577939746774),
                    (127, 0.7051948041086352),
                    (151, 0.7525418658117031),
                    (177, 0.8074284071024302),
                    (199, 0.8569861239649629),
                    (219, 0.9046732696855155),
                    (255, 0.9972960560854698),
                ],
            ),
        ];
        for (schema, bounds) in rows {
            for (place, expected) in bounds {
                assert_eq!(FRACTIONS[place << (8 - schema)], *expected, "{schema}: {place}");
                assert_eq!(exponential(*place as i32 - (1 << schema), schema), *expected);
            }
        }
    }

    #[test]
    fn ends_of_the_scale() {
        let rows = [
            (0, 0, 1.0),
            (1, 0, 2.0),
            (-1, 0, 0.5),
            (1023, 0, f64::from_bits(0x7fe0_0000_0000_0000)),
            (1024, 0, f64::MAX),
            (1025, 0, f64::INFINITY),
            (-1022, 0, f64::MIN_POSITIVE),
            (-1074, 0, 5e-324),
            (-1075, 0, 0.0),
            (i32::MAX, 0, f64::INFINITY),
            (i32::MIN, 0, 0.0),
            (2048, 1, f64::MAX),
            (2049, 1, f64::INFINITY),
            (64, -4, f64::MAX),
            (65, -4, f64::INFINITY),
            (-67, -4, f64::from_bits(4)),
            (-68, -4, 0.0),
            (i32::MAX, -9, f64::INFINITY),
            (i32::MIN, -9, 0.0),
            (256 * 1024, 8, f64::MAX),
            (i32::MAX, 52, f64::INFINITY),
        ];
        for (index, schema, expected) in rows {
            assert_eq!(exponential(index, schema), expected, "{index} of {schema}");
        }
        // One rounding: 2^-1073.5 lies nearer to 2^-1073 · 0.5 than to 0.
        assert_eq!(exponential(-2147, 1), 5e-324);
    }

    #[test]
    fn custom_bounds() {
        let rows =
            [(-1, f64::NEG_INFINITY), (0, 1.0), (1, 2.5), (2, f64::INFINITY), (9, f64::INFINITY)];
        for (index, expected) in rows {
            assert_eq!(bound(index, CUSTOM_BUCKETS_SCHEMA, &[1.0, 2.5]), expected);
        }
    }
}
