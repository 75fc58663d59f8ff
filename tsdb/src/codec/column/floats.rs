//! Lists of floats that stand for themselves: the codec that fits, and its tag.
//!
//! 1. all the same: **constant** (a cell's float, `codec/cell.rs`), or **zero**, without a byte
//! 2. all whole: **integers** (`integers.rs`)
//! 3. else the shortest of **decimals** (`decimal.rs`), **steps** (the bits of the floats as
//!    integers: a sum of seconds grows by about as many steps of its last bit as there is new
//!    information in it), **xor** (`xor.rs`) and **raw** (8 bytes each, little endian)

use std::ops::Range;

use super::decimal::{self, Decimals};
use super::integers::{self, Plan};
use super::xor;
use crate::codec::cell::{float, put_float, whole};
use crate::codec::{Input, Malformed};

/// What a list is written as; the numbers are those in the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    /// A column without cells.
    None = 0,
    Zero = 1,
    Constant = 2,
    Integers = 3,
    Decimals = 4,
    Steps = 5,
    Xor = 6,
    Raw = 7,
    /// The floats of another column.
    Alias = 8,
    /// The integers of another column and a list of what is to be added to them.
    Bucket = 9,
}

const TAGS: [Tag; 10] = [
    Tag::None,
    Tag::Zero,
    Tag::Constant,
    Tag::Integers,
    Tag::Decimals,
    Tag::Steps,
    Tag::Xor,
    Tag::Raw,
    Tag::Alias,
    Tag::Bucket,
];

impl Tag {
    /// The tag with a number.
    pub(super) fn from_number(number: u8) -> Result<Self, Malformed> {
        TAGS.get(usize::from(number)).copied().ok_or(Malformed("a column's tag"))
    }
}

/// Whether all are the same, bit for bit.
pub(super) fn is_constant(values: &[f64]) -> bool {
    let first = values.first().map_or(0, |own| own.to_bits());
    values.iter().fold(0, |differing, own| differing | own.to_bits() ^ first) == 0
}

/// Whether both are the same, bit for bit.
pub(super) fn is_same(a: &[f64], b: &[f64]) -> bool {
    let both = a.iter().zip(b);
    a.len() == b.len()
        && both.fold(0, |differing, (a, b)| differing | a.to_bits() ^ b.to_bits()) == 0
}

/// All as integers, if all of them are.
pub(super) fn integers_of(values: &[f64]) -> Option<Vec<i64>> {
    let ends = [values.first()?, values.last()?, values.get(values.len() / 2)?];
    if ends.into_iter().any(|own| whole(*own).is_none()) {
        return None;
    }
    // As in `whole`, but without a branch for each of them.
    let mut differing = 0;
    let integer = |own: &f64| {
        let integer = *own as i64;
        differing |= (integer as f64).to_bits() ^ own.to_bits() | integer.unsigned_abs() >> 53;
        integer
    };
    let integers = values.iter().map(integer).collect();
    (differing == 0).then_some(integers)
}

/// Writes a list whose floats are all the same.
pub(super) fn put_constant(out: &mut Vec<u8>, value: f64) -> Tag {
    if value.to_bits() == 0 {
        return Tag::Zero;
    }
    put_float(out, &mut 0, value);
    Tag::Constant
}

/// Writes a list of floats that are not all whole.
pub(super) fn put_fractions(out: &mut Vec<u8>, values: &[f64]) -> Tag {
    let bits: Vec<_> = values.iter().map(|own| own.to_bits() as i64).collect();
    let steps = Plan::new(&bits);
    let decimals = Decimals::new(values);
    let decimal_bits = decimals.as_ref().map_or(u64::MAX, Decimals::bits);
    let raw_bits = values.len() as u64 * 64;
    let start = out.len();
    xor::put(out, values);
    let xor_bits = (out.len() - start) as u64 * 8;
    let best = decimal_bits.min(steps.bits).min(raw_bits);
    if xor_bits < best {
        return Tag::Xor;
    }
    out.truncate(start);
    if let Some(decimals) = decimals.filter(|own| own.bits() == best) {
        decimals.put(out);
        return Tag::Decimals;
    }
    if steps.bits == best {
        steps.put(out);
        return Tag::Steps;
    }
    out.extend(values.iter().flat_map(|own| own.to_le_bytes()));
    Tag::Raw
}

/// Writes a list.
pub(super) fn put(out: &mut Vec<u8>, values: &[f64]) -> Tag {
    if is_constant(values) {
        return put_constant(out, values.first().copied().unwrap_or_default());
    }
    match integers_of(values) {
        Some(integers) => {
            Plan::new(&integers).put(out);
            Tag::Integers
        }
        None => put_fractions(out, values),
    }
}

/// The float of a constant.
pub(super) fn constant(input: &mut Input<'_>) -> Result<f64, Malformed> {
    let tag = input.byte()?;
    float(input, &mut 0, tag)
}

/// Reads the floats `rows` of a list of `length` that stands for itself and has the rest of the input.
/// `out`, and the room for integers, are as long as `rows`.
pub(super) fn read(
    tag: Tag,
    input: &mut Input<'_>,
    length: usize,
    rows: Range<usize>,
    integers: &mut [i64],
    out: &mut [f64],
) -> Result<(), Malformed> {
    match tag {
        Tag::Zero => out.fill(0.0),
        Tag::Constant => out.fill(constant(input)?),
        Tag::Integers => {
            integers::read(input, length, rows, integers)?;
            from_integers(integers, out);
        }
        Tag::Decimals => decimal::read(input, length, rows, integers, out)?,
        Tag::Steps => {
            integers::read(input, length, rows, integers)?;
            for (value, bits) in out.iter_mut().zip(integers) {
                *value = f64::from_bits(*bits as u64);
            }
        }
        Tag::Xor => xor::read(input, rows.start, out)?,
        Tag::Raw => {
            let floats = input.take(length.saturating_mul(size_of::<f64>()))?.as_chunks().0;
            for (value, bytes) in out.iter_mut().zip(floats.get(rows).unwrap_or_default()) {
                *value = f64::from_le_bytes(*bytes);
            }
        }
        Tag::None | Tag::Alias | Tag::Bucket => return Err(Malformed("a list of its own")),
    }
    Ok(())
}

/// Makes floats of integers.
pub(super) fn from_integers(integers: &[i64], out: &mut [f64]) {
    // Added to the mantissa of 1.5 · 2^52, an integer of 52 bits gives the float that is larger by
    // it; that goes for many numbers at once, which a conversion does not.
    const HALF: i64 = 1 << 51;
    const MAGIC: f64 = 6_755_399_441_055_744.0;
    let wide = integers.iter().fold(0, |wide, own| wide | own.wrapping_add(HALF) as u64 >> 52);
    for (value, integer) in out.iter_mut().zip(integers) {
        *value = match wide {
            0 => f64::from_bits(MAGIC.to_bits().wrapping_add(*integer as u64)) - MAGIC,
            _ => *integer as f64,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn round(values: &[f64]) -> Result<(Tag, usize, Vec<u64>), Malformed> {
        let (mut out, mut again) = (Vec::new(), vec![7.0; values.len()]);
        let tag = put(&mut out, values);
        let length = values.len();
        read(tag, &mut Input(&out), length, 0..length, &mut vec![0; length], &mut again)?;
        let rows = length / 4..length / 2;
        let part = &mut again[rows.clone()];
        read(tag, &mut Input(&out), length, rows.clone(), &mut vec![0; rows.len()], part)?;
        Ok((tag, out.len(), again.iter().map(|own| own.to_bits()).collect()))
    }

    #[test]
    fn the_codec_that_fits() {
        let rows = |value: fn(u64) -> f64| (0..256).map(value).collect::<Vec<_>>();
        let table = [
            (rows(|_| 0.0), Tag::Zero, 0),
            (rows(|_| -0.0), Tag::Constant, 2),
            (rows(|_| 0.25), Tag::Constant, 3),
            (rows(|row| (row / 40) as f64), Tag::Integers, 12),
            (rows(|row| if row == 9 { f64::NAN } else { (row / 40) as f64 }), Tag::Decimals, 24),
            (rows(|row| (row * row % 97) as f64 / 100.0), Tag::Decimals, 260),
            (rows(|row| (row as f64 * 3.7).sin() + row as f64), Tag::Steps, 1700),
            (rows(|row| (row * row % 97) as f64 * 0.015_625), Tag::Xor, 500),
            (
                rows(|row| {
                    let mixed = (row + 3).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                    f64::from_bits((mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9))
                }),
                Tag::Raw,
                2048,
            ),
        ];
        for (values, tag, limit) in table {
            let (own, length, bits) = round(&values).unwrap();
            assert!(own == tag && length <= limit, "{own:?} {length}, not {tag:?} {limit}");
            assert_eq!(bits, values.iter().map(|own| own.to_bits()).collect::<Vec<_>>());
        }
    }

    #[test]
    fn integers_are_those_below_2_to_53() {
        const LIMIT: f64 = 9_007_199_254_740_992.0;
        for odd in [-0.0, 0.5, LIMIT, -LIMIT, f64::NAN, f64::NEG_INFINITY, 1e300] {
            for at in 0..5 {
                let mut values = [1.0, LIMIT - 1.0, 0.0, 1.0 - LIMIT, 7.0];
                let integers = values.iter().map(|own| *own as i64).collect();
                assert_eq!(integers_of(&values), Some(integers));
                values[at] = odd;
                assert_eq!(integers_of(&values), None, "{odd}");
            }
        }
        assert_eq!(integers_of(&[]), None);
    }

    proptest! {
        #[test]
        fn floats_of_integers_are_conversions(
            integers in prop::collection::vec((any::<i64>(), 0..63_u32), 0..20),
        ) {
            let integers: Vec<i64> = integers.iter().map(|(own, shift)| own >> shift).collect();
            let mut out = vec![7.0; integers.len()];
            from_integers(&integers, &mut out);
            let bits = |values: &[f64]| values.iter().map(|own| own.to_bits()).collect::<Vec<_>>();
            let expected: Vec<f64> = integers.iter().map(|own| *own as f64).collect();
            prop_assert_eq!(bits(&out), bits(&expected));
            for edge in [-(1_i64 << 51), (1 << 51) - 1, 1 << 51, -(1 << 51) - 1, 0, -1] {
                let mut one = [7.0];
                from_integers(&[edge], &mut one);
                prop_assert_eq!(one[0].to_bits(), (edge as f64).to_bits());
            }
        }

        #[test]
        fn read_is_what_was_written(
            values in prop::collection::vec(prop_oneof![
                4 => (0..1000_i64).prop_map(|own| own as f64 / 8.0),
                1 => any::<u64>().prop_map(f64::from_bits),
            ], 0..300),
        ) {
            let (_, _, bits) = round(&values).unwrap();
            prop_assert_eq!(bits, values.iter().map(|own| own.to_bits()).collect::<Vec<_>>());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>, tag in 0..10_u8, length in 0..300_usize) {
            let tag = Tag::from_number(tag).unwrap();
            let (mut room, mut out) = (vec![0; length], vec![0.0; length]);
            let _ = read(tag, &mut Input(&bytes), length, 0..length, &mut room, &mut out);
        }
    }
}
