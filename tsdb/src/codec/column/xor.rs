//! Floats as what differs from the bits of the one before (Gorilla, Pelkonen et al. 2015).
//!
//! `0` the same bits; `1 0` and those bits that the last span of differing bits covers; `1 1`, a
//! new span (leading zeros in 6 bits, its length less one in 6 bits) and its bits. The first
//! float is written against 0.

use super::bits::{BitReader, BitWriter, mask};
use crate::codec::{Input, Malformed};

/// Where the bits differ.
#[derive(Clone, Copy, Debug)]
struct Span {
    leading: u32,
    length: u32,
}

/// What a new span costs more than the old one.
const SPAN_BITS: u32 = 12;

/// Writes floats.
pub(super) fn put(out: &mut Vec<u8>, values: &[f64]) {
    let mut bits = BitWriter::new(out);
    let (mut before, mut span) = (0, Span { leading: 0, length: 64 });
    for value in values {
        let xor = value.to_bits() ^ before;
        before = value.to_bits();
        if xor == 0 {
            bits.put(0, 1);
            continue;
        }
        let leading = xor.leading_zeros();
        let own = Span { leading, length: 64 - leading - xor.trailing_zeros() };
        let fits = span.leading <= leading
            && span.leading + span.length >= own.leading + own.length
            && span.length <= own.length + SPAN_BITS;
        if fits {
            bits.put(0b01, 2);
        } else {
            span = own;
            bits.put(0b11 | u64::from(span.leading) << 2 | u64::from(span.length - 1) << 8, 14);
        }
        bits.put(xor >> (64 - span.leading - span.length), span.length);
    }
    bits.finish();
}

/// Reads as many floats as `out` has, those after the first `start`, from the whole input.
pub(super) fn read(input: &mut Input<'_>, start: usize, out: &mut [f64]) -> Result<(), Malformed> {
    let mut bits = BitReader::new(input.take(input.0.len())?);
    let (mut before, mut span) = (0, Span { leading: 0, length: 64 });
    for at in 0..start + out.len() {
        let control = bits.peek();
        if control & 1 == 0 {
            bits.skip(1);
        } else {
            if control & 2 == 0 {
                bits.skip(2);
            } else {
                bits.skip(14);
                let leading = (control >> 2 & mask(6)) as u32;
                span = Span { leading, length: (control >> 8 & mask(6)) as u32 + 1 };
            }
            let low = bits.take(span.length / 2);
            let xor = low | bits.take(span.length - span.length / 2) << (span.length / 2);
            let shift = 64_u32.checked_sub(span.leading + span.length);
            before ^= xor << shift.ok_or(Malformed("a span of 64 bits"))?;
        }
        if let Some(value) = at.checked_sub(start).and_then(|at| out.get_mut(at)) {
            *value = f64::from_bits(before);
        }
    }
    bits.check()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn read_is_what_was_written(
            values in prop::collection::vec(prop_oneof![
                any::<u64>().prop_map(f64::from_bits),
                prop::sample::select(vec![0.0, -0.0, 0.5, 0.75, 1e9, f64::NAN]),
            ], 0..99),
        ) {
            let (mut out, mut again) = (Vec::new(), vec![7.0; values.len()]);
            put(&mut out, &values);
            read(&mut Input(&out), 0, &mut again).unwrap();
            let bits = |values: &[f64]| values.iter().map(|own| own.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&again), bits(&values));
            let start = values.len() / 3;
            read(&mut Input(&out), start, &mut again[start..]).unwrap();
            prop_assert_eq!(bits(&again), bits(&values));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>, length in 0..300_usize) {
            let _ = read(&mut Input(&bytes), length / 2, &mut vec![0.0; length]);
        }
    }
}
