//! Lists that are mostly zeros: how many zeros stand before each other number, and that number.
//!
//! Count of the others (varint), the Rice parameters of distances and of numbers (a byte each),
//! then for each of them: zeros before it, and the number less one.

use super::bits::{BitReader, BitWriter};
use super::rice::{self, put_rice, rice};
use super::widths::Widths;
use crate::codec::varint::put_varint;
use crate::codec::{Input, Malformed};

/// How a list is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sparse {
    distance_k: u32,
    number_k: u32,
}

impl Sparse {
    /// The best way for a list with these widths, and how many bits it takes, about.
    pub(super) fn choose(widths: &Widths) -> (Self, u64) {
        let others = widths.total() - widths.zeros();
        let mean = widths.zeros() / others.max(1);
        let cost = |k: u32| others * u64::from(1 + k) + (widths.zeros() >> k);
        // The best parameter is next to the mean's logarithm.
        let least = mean.max(2).ilog2() - 1;
        let costs = (least..least + 3).map(|k| (k, cost(k)));
        let (distance_k, distance_bits) = costs.min_by_key(|own| own.1).unwrap_or_default();
        let (number_k, number_bits) = rice::choose(&widths.clone().without_zeros());
        (Self { distance_k, number_k }, 32 + distance_bits + number_bits)
    }

    /// Writes a list.
    pub(super) fn put(self, out: &mut Vec<u8>, values: &[u64]) {
        let others = values.iter().filter(|value| **value != 0).count();
        put_varint(out, others as u64);
        out.extend([self.distance_k as u8, self.number_k as u8]);
        let mut bits = BitWriter::new(out);
        let mut zeros = 0;
        for value in values {
            if *value == 0 {
                zeros += 1;
                continue;
            }
            put_rice(&mut bits, zeros, self.distance_k);
            put_rice(&mut bits, value - 1, self.number_k);
            zeros = 0;
        }
        bits.finish();
    }
}

/// Reads the numbers before `end` of a list from the whole input: calls `set` with the index and
/// the value of each that is not zero, in order.
pub(super) fn read_each(
    input: &mut Input<'_>,
    length: usize,
    end: usize,
    mut set: impl FnMut(usize, u64),
) -> Result<(), Malformed> {
    let others = input.size()?;
    let distance_k = rice::parameter(input.byte()?)?;
    let number_k = rice::parameter(input.byte()?)?;
    if others > length {
        return Err(Malformed("no more numbers than rows"));
    }
    let mut bits = BitReader::new(input.take(input.0.len())?);
    let mut at = 0;
    for _ in 0..others {
        let zeros = rice(&mut bits, distance_k);
        let value = rice(&mut bits, number_k).wrapping_add(1);
        if zeros >= (length - at) as u64 {
            return Err(Malformed("distances that stay within the list"));
        }
        at += zeros as usize;
        if at >= end {
            break;
        }
        set(at, value);
        at += 1;
    }
    bits.check()
}
