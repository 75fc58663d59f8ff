//! Bits, least significant first: the first bit written is bit 0 of the first byte.

use crate::codec::Malformed;

/// Most bits that [`BitReader::peek`] is sure to show.
pub(super) const PEEK_BITS: u32 = 56;

/// The lowest `width` bits (at most 63) set.
pub(super) fn mask(width: u32) -> u64 {
    (1 << width) - 1
}

/// Appends bits to bytes; [`BitWriter::finish`] fills the last byte with zeros.
pub(super) struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    word: u64,
    filled: u32,
}

impl<'a> BitWriter<'a> {
    /// A writer at a byte's start.
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, word: 0, filled: 0 }
    }

    /// Writes the lowest `width` (at most 64) bits of `value`; all others are zero.
    pub(super) fn put(&mut self, value: u64, width: u32) {
        self.word |= value << self.filled;
        let filled = self.filled + width;
        if filled < 64 {
            self.filled = filled;
            return;
        }
        self.out.extend_from_slice(&self.word.to_le_bytes());
        self.word = if self.filled == 0 { 0 } else { value >> (64 - self.filled) };
        self.filled = filled - 64;
    }

    /// Writes what is left.
    #[expect(clippy::indexing_slicing, reason = "fewer than 64 bits are left")]
    pub(super) fn finish(self) {
        let bytes = self.filled.div_ceil(8) as usize;
        self.out.extend_from_slice(&self.word.to_le_bytes()[..bytes]);
    }
}

/// Reads bits; behind the end they are zeros, and [`BitReader::check`] says that this happened.
#[derive(Clone, Copy, Debug)]
pub(super) struct BitReader<'a> {
    /// Bytes that are not in `word` yet.
    rest: &'a [u8],
    /// The next bits, the first one lowest.
    word: u64,
    /// How many of them count; above them are those of the byte that comes next, or zeros.
    filled: u32,
    /// Bits that were read behind the end.
    missing: u64,
}

impl<'a> BitReader<'a> {
    /// A reader at the first bit.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, word: 0, filled: 0, missing: 0 }
    }

    /// The next bits, at least [`PEEK_BITS`] of them, the first one lowest.
    #[inline(always)]
    pub(super) fn peek(&mut self) -> u64 {
        if self.filled < PEEK_BITS {
            match self.rest.first_chunk() {
                Some(chunk) => {
                    // Bits of a byte that does not fit whole are read again next time.
                    self.word |= u64::from_le_bytes(*chunk) << self.filled;
                    let bytes = (63 - self.filled) / 8;
                    self.rest = self.rest.get(bytes as usize..).unwrap_or_default();
                    self.filled += 8 * bytes;
                }
                None => self.fill_from_last_bytes(),
            }
        }
        self.word
    }

    #[cold]
    fn fill_from_last_bytes(&mut self) {
        while self.filled < PEEK_BITS
            && let [byte, rest @ ..] = self.rest
        {
            self.word |= u64::from(*byte) << self.filled;
            (self.rest, self.filled) = (rest, self.filled + 8);
        }
    }

    /// Passes over bits that were peeked at, at most [`PEEK_BITS`].
    #[inline(always)]
    pub(super) fn skip(&mut self, width: u32) {
        self.word >>= width;
        self.missing += u64::from(width.saturating_sub(self.filled));
        self.filled = self.filled.saturating_sub(width);
    }

    /// The next `width` bits, at most [`PEEK_BITS`].
    #[inline(always)]
    pub(super) fn take(&mut self, width: u32) -> u64 {
        let value = self.peek() & mask(width);
        self.skip(width);
        value
    }

    /// Fails if bits behind the end were read.
    pub(super) fn check(&self) -> Result<(), Malformed> {
        if self.missing == 0 { Ok(()) } else { Err(Malformed("more bits")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn read_is_what_was_written(
            parts in prop::collection::vec((any::<u64>(), 0..=PEEK_BITS), 0..50),
        ) {
            let mut out = Vec::new();
            let mut writer = BitWriter::new(&mut out);
            for (value, width) in &parts {
                writer.put(value & mask(*width), *width);
            }
            writer.finish();
            let mut reader = BitReader::new(&out);
            for (value, width) in &parts {
                prop_assert_eq!(reader.take(*width), value & mask(*width));
            }
            prop_assert!(reader.check().is_ok());
            reader.skip(8);
            prop_assert!(reader.check().is_err());
        }
    }

    #[test]
    fn words_of_64_bits() {
        for first in [0, 1, 63] {
            let mut out = Vec::new();
            let mut writer = BitWriter::new(&mut out);
            writer.put(0, first);
            writer.put(u64::MAX, 64);
            writer.finish();
            assert_eq!(out.iter().map(|byte| byte.count_ones()).sum::<u32>(), 64);
        }
    }
}
