//! Bit packing in blocks of 128 numbers, the few that are too wide patched afterwards.
//!
//! A block: width `w` (byte), number of exceptions (byte), the lowest `w` bits of each number,
//! then for each exception its position in the block (byte) and its higher bits (varint). The
//! width is 0…56, or 64.

use super::bits::{BitReader, BitWriter, PEEK_BITS, mask};
use super::widths::{Widths, width};
use crate::codec::varint::put_varint;
use crate::codec::{Input, Malformed};

/// Numbers of a block; the last one may have fewer.
pub(super) const BLOCK: usize = 128;

/// The best width for a block, and how many bits the block takes with it, about.
pub(super) fn choose(block: &Widths) -> (u32, u64) {
    let widest = block.max();
    let whole = if widest > PEEK_BITS { 64 } else { widest };
    let mut best = (whole, 16 + u64::from(whole) * block.total());
    let mut exceptions = 0;
    for narrow in (0..widest).rev() {
        exceptions += block.count(narrow + 1);
        let patch = 8 + 8 * u64::from((widest - narrow).div_ceil(7));
        if exceptions * patch >= best.1 {
            break;
        }
        let bits = 16 + u64::from(narrow) * block.total() + exceptions * patch;
        if bits < best.1 && narrow <= PEEK_BITS {
            best = (narrow, bits);
        }
    }
    best
}

/// Writes one block with the given width.
pub(super) fn put_block(out: &mut Vec<u8>, values: &[u64], narrow: u32) {
    let is_exception = |value: &u64| width(*value) > narrow;
    let exceptions = values.iter().filter(|value| is_exception(value)).count();
    out.extend([narrow as u8, exceptions as u8]);
    let mut bits = BitWriter::new(out);
    for value in values {
        bits.put(if narrow == 64 { *value } else { value & mask(narrow) }, narrow);
    }
    bits.finish();
    if exceptions > 0 {
        for (at, value) in values.iter().enumerate().filter(|(_, value)| is_exception(value)) {
            out.push(at as u8);
            put_varint(out, value >> narrow);
        }
    }
}

/// Reads one block of at most [`BLOCK`] numbers.
pub(super) fn read_block(input: &mut Input<'_>, out: &mut [u64]) -> Result<(), Malformed> {
    let (narrow, exceptions) = (u32::from(input.byte()?), input.byte()?);
    if narrow > PEEK_BITS && narrow != 64 {
        return Err(Malformed("a width of at most 56 bits"));
    }
    let packed = input.take((narrow as usize * out.len()).div_ceil(8))?;
    if narrow == 64 {
        for (value, bytes) in out.iter_mut().zip(packed.as_chunks().0) {
            *value = u64::from_le_bytes(*bytes);
        }
        return Ok(());
    }
    let mut bits = BitReader::new(packed);
    for value in out.iter_mut() {
        *value = bits.take(narrow);
    }
    for _ in 0..exceptions {
        let at = usize::from(input.byte()?);
        let high = input.varint()?;
        let value = out.get_mut(at).ok_or(Malformed("a position in a block"))?;
        *value |= high << narrow;
    }
    Ok(())
}

/// Passes over a block of so many numbers.
pub(super) fn skip_block(input: &mut Input<'_>, length: usize) -> Result<(), Malformed> {
    let (narrow, exceptions) = (usize::from(input.byte()?), input.byte()?);
    input.take((narrow * length).div_ceil(8))?;
    if narrow == 64 {
        return Ok(());
    }
    (0..exceptions).try_for_each(|_| input.byte().and_then(|_| input.varint()).map(|_| ()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn read_is_what_was_written(
            parts in prop::collection::vec((any::<u64>(), 0..64_u32), 1..=BLOCK),
            typical in 0..64_u32,
        ) {
            // Most are of a typical width, every ninth one is of any.
            let value = |(at, (value, shift)): (usize, &(u64, u32))| {
                value >> if at % 9 == 0 { *shift } else { typical }
            };
            let values: Vec<u64> = parts.iter().enumerate().map(value).collect();
            let (narrow, bits) = choose(&Widths::of(&values));
            let (mut out, mut read) = (Vec::new(), vec![0; values.len()]);
            put_block(&mut out, &values, narrow);
            prop_assert!(out.len() as u64 <= bits.div_ceil(8) + 1);
            let mut input = Input(&out);
            let mut skipped = input;
            skip_block(&mut skipped, values.len()).unwrap();
            read_block(&mut input, &mut read).unwrap();
            prop_assert!(input.is_empty() && skipped.is_empty());
            prop_assert_eq!(read, values);
        }
    }
}
