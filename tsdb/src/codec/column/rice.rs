//! Rice codes: the quotient by `2^k` in unary, then the `k` bits of the rest.
//!
//! `0…0 1 rest` with as many zeros as the quotient says. A quotient of [`ESCAPE`] or more is
//! written as that many zeros, a one, and the whole number in 64 bits: a single huge value (a
//! counter reset) does not spoil the others.
//!
//! For numbers that fall off geometrically (distances between changes, increments of a counter,
//! new bits of a sum of seconds) this is within some hundredths of a bit of their entropy.

use super::bits::{BitReader, BitWriter, PEEK_BITS, mask};
use super::widths::Widths;
use crate::codec::Malformed;

/// Quotient from which on a number is written as it is.
const ESCAPE: u32 = 20;
/// Largest `k`.
pub(super) const RICE_MAX: u32 = PEEK_BITS;

/// Writes a number.
#[inline]
pub(super) fn put_rice(bits: &mut BitWriter<'_>, value: u64, k: u32) {
    let quotient = value >> k;
    if quotient >= u64::from(ESCAPE) {
        bits.put(1 << ESCAPE, ESCAPE + 1);
        bits.put(value, 64);
        return;
    }
    let unary = quotient as u32 + 1;
    let rest = value & mask(k);
    if unary + k <= 64 {
        bits.put(rest << unary | 1 << quotient, unary + k);
    } else {
        bits.put(1 << quotient, unary);
        bits.put(rest, k);
    }
}

/// Reads a number; `k` is at most [`RICE_MAX`]. (Inlined, so that the reader stays in registers.)
#[inline(always)]
pub(super) fn rice(bits: &mut BitReader<'_>, k: u32) -> u64 {
    let word = bits.peek();
    let quotient = word.trailing_zeros();
    let unary = quotient + 1;
    if quotient >= ESCAPE || unary + k > PEEK_BITS {
        return long(bits, quotient, k);
    }
    bits.skip(unary + k);
    u64::from(quotient) << k | word >> unary & mask(k)
}

/// A number that is written as it is, or whose two parts do not fit in what a reader shows.
#[cold]
fn long(bits: &mut BitReader<'_>, quotient: u32, k: u32) -> u64 {
    if quotient >= ESCAPE {
        bits.skip(ESCAPE + 1);
        return bits.take(32) | bits.take(32) << 32;
    }
    bits.skip(quotient + 1);
    u64::from(quotient) << k | bits.take(k)
}

/// A `k` that was read.
pub(super) fn parameter(byte: u8) -> Result<u32, Malformed> {
    let k = u32::from(byte);
    if k <= RICE_MAX { Ok(k) } else { Err(Malformed("a Rice parameter")) }
}

/// The best `k` for numbers of these widths, and about how many bits they take with it.
pub(super) fn choose(widths: &Widths) -> (u32, u64) {
    let median = widths.median();
    let (least, most) = (median.saturating_sub(3).min(RICE_MAX), (median + 1).min(RICE_MAX));
    let costs = (least..=most).map(|k| (k, cost(widths, k)));
    costs.min_by_key(|(_, bits)| *bits).unwrap_or_default()
}

fn cost(widths: &Widths, k: u32) -> u64 {
    let wide = widths.counts().filter(|(width, _)| *width > k).map(|(width, count)| {
        // The middle of the numbers of a width is 3/4 of what the next width begins with.
        let quotient = if width - k > 6 { u64::MAX } else { (3 << (width - k)) >> 2 };
        count
            * if quotient >= u64::from(ESCAPE) {
                u64::from(ESCAPE) + 64 - u64::from(k)
            } else {
                quotient
            }
    });
    widths.total() * u64::from(1 + k) + wide.sum::<u64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn read_is_what_was_written(
            values in prop::collection::vec((any::<u64>(), 0..64_u32), 0..50), k in 0..=RICE_MAX,
        ) {
            let mut out = Vec::new();
            let mut writer = BitWriter::new(&mut out);
            for (value, shift) in &values {
                put_rice(&mut writer, value >> shift, k);
            }
            writer.finish();
            let mut reader = BitReader::new(&out);
            for (value, shift) in &values {
                prop_assert_eq!(rice(&mut reader, k), value >> shift);
            }
            prop_assert!(reader.check().is_ok());
        }
    }
}
