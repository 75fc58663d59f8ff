//! Payloads of log frames, compressed where that makes them shorter.
//!
//! A packed payload is the byte [`PACKED`], which no record begins with, and a zstd frame that
//! says how long its content is. Rows of a group resemble each other, so a commit of several rows
//! shrinks to about a third.

use super::frame::PAYLOAD_BYTES_MAX;
use super::varint::Malformed;

/// Opens a packed payload.
pub(crate) const PACKED: u8 = 0;
/// Shorter payloads stay as they are: they would become some twenty bytes shorter, for what zstd
/// takes to begin at all: 4 µs, twice as long as encoding a row of 600 columns.
const PACK_BYTES_MIN: usize = 256;
/// The fastest level that codes entropies too; `docs/decisions/0002-packed-log-frames.md` has the
/// figures.
const LEVEL: i32 = 1;

/// Compresses payloads; kept for its memory.
#[derive(Default)]
pub(crate) struct Packer {
    context: Option<zstd::bulk::Compressor<'static>>,
    packed: Vec<u8>,
}

impl Packer {
    /// The packed form of `payload`, or nothing if it is not shorter.
    pub(crate) fn pack(&mut self, payload: &[u8]) -> Option<&[u8]> {
        if payload.len() < PACK_BYTES_MIN {
            return None;
        }
        if self.context.is_none() {
            self.context = zstd::bulk::Compressor::new(LEVEL).ok();
        }
        self.packed.resize(1 + zstd::zstd_safe::compress_bound(payload.len()), PACKED);
        let (tag, room) = self.packed.split_first_mut()?;
        *tag = PACKED;
        // Without a context, or in the case of its failure, the payload is written as it is.
        let compressed = self.context.as_mut()?.compress_to_buffer(payload, room);
        let packed = self.packed.get(..=compressed.ok()?)?;
        (packed.len() < payload.len()).then_some(packed)
    }
}

/// Brings packed payloads back; kept for its memory, which takes longer to make than to use.
#[derive(Default)]
pub(crate) struct Unpacker {
    context: Option<zstd::bulk::Decompressor<'static>>,
    unpacked: Vec<u8>,
}

impl Unpacker {
    /// The payload that `bytes`, packed or not, stand for.
    pub(crate) fn unpack<'a>(&'a mut self, bytes: &'a [u8]) -> Result<&'a [u8], Malformed> {
        let Some((&PACKED, compressed)) = bytes.split_first() else { return Ok(bytes) };
        let length = zstd::bulk::Decompressor::<'static>::upper_bound(compressed);
        let length = length.filter(|length| *length <= PAYLOAD_BYTES_MAX);
        let length = length.ok_or(Malformed("a packed frame of bearable length"))?;
        if self.context.is_none() {
            self.context = zstd::bulk::Decompressor::new().ok();
        }
        let context = self.context.as_mut().ok_or(Malformed("memory to unpack a frame"))?;
        self.unpacked.clear();
        self.unpacked.reserve(length);
        let unpacked = context.decompress_to_buffer(compressed, &mut self.unpacked);
        unpacked.map_err(|_| Malformed("a zstd frame"))?;
        Ok(&self.unpacked)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use twox_hash::XxHash64;

    use super::*;

    #[test]
    fn short_and_random_payloads_stay_as_they_are() {
        let mut packer = Packer::default();
        assert_eq!(packer.pack(&[1; 100]), None);
        assert!(packer.pack(&[1; 1000]).is_some_and(|packed| packed.len() < 40));
        let noise: Vec<u8> =
            (0..40_u64).flat_map(|i| XxHash64::oneshot(i, b"noise").to_le_bytes()).collect();
        assert_eq!(packer.pack(&noise), None);
    }

    #[test]
    fn a_frame_that_claims_too_much_is_refused() {
        let huge = zstd::bulk::compress(&vec![7; PAYLOAD_BYTES_MAX + 1], LEVEL).unwrap();
        let huge = [&[PACKED], huge.as_slice()].concat();
        assert!(Unpacker::default().unpack(&huge).is_err());
    }

    proptest! {
        #[test]
        fn what_was_packed_comes_back(
            payload in prop::collection::vec(1_u8..9, 1..2000),
            cut in any::<prop::sample::Index>(),
            noise in any::<u8>(),
        ) {
            let mut packer = Packer::default();
            let bytes = packer.pack(&payload).unwrap_or(&payload).to_vec();
            let mut unpacker = Unpacker::default();
            prop_assert_eq!(unpacker.unpack(&bytes), Ok(payload.as_slice()));
            let _ = unpacker.unpack(&bytes[..cut.index(bytes.len())]);
            let mut changed = bytes.clone();
            changed[cut.index(bytes.len())] ^= noise;
            let _ = unpacker.unpack(&changed);
            // What was left by a frame that is none does no harm.
            prop_assert_eq!(unpacker.unpack(&bytes), Ok(payload.as_slice()));
        }
    }
}
