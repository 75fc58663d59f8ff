//! Heads of log segments and of the frames in them.
//!
//! A segment begins with 24 bytes, a frame with 12; all numbers are little endian:
//!
//! ```text
//! segment  "INFRMWAL" | version u32 | crc32c u32 of the other 20 bytes | number u64
//! frame    length u32 of the payload | crc32c u32 of the payload | crc32c u32 of: segment number
//!          u64, offset u64 of the frame in the file, and the 8 bytes before
//! ```
//!
//! The second sum ties a frame to its place, so that stale or misplaced bytes are never taken for
//! a frame, and a damaged length is told from a frame that was cut off.

use crc32c::{crc32c, crc32c_append};

use super::varint::Malformed;

/// Length of a segment's head.
pub(crate) const SEGMENT_HEAD_BYTES: usize = 24;
/// Length of a frame's head.
pub(crate) const FRAME_HEAD_BYTES: usize = 12;
/// Longest payload of a frame: bounds what replay holds in memory, and a single commit.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 256 << 20;
/// The version that is written, and the only one that is read.
const VERSION: u32 = 1;
const MAGIC: &[u8; 8] = b"INFRMWAL";

/// What a frame's head says about its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHead {
    /// Its length in bytes.
    pub(crate) length: usize,
    /// Its checksum.
    pub(crate) crc: u32,
}

/// The head of segment `number`.
pub(crate) fn segment_head(number: u64) -> [u8; SEGMENT_HEAD_BYTES] {
    let mut head = [0; SEGMENT_HEAD_BYTES];
    head[..8].copy_from_slice(MAGIC);
    head[8..12].copy_from_slice(&VERSION.to_le_bytes());
    head[16..].copy_from_slice(&number.to_le_bytes());
    let crc = crc32c_append(crc32c(&head[..12]), &head[16..]);
    head[12..16].copy_from_slice(&crc.to_le_bytes());
    head
}

/// Checks that `head` opens segment `number`.
pub(crate) fn check_segment_head(head: &[u8], number: u64) -> Result<(), Malformed> {
    if head == segment_head(number) {
        return Ok(());
    }
    let is_ours = head.starts_with(MAGIC) && head.len() == SEGMENT_HEAD_BYTES;
    let says_version = head.get(8..12).map(|version| version != VERSION.to_le_bytes());
    Err(match (is_ours, says_version) {
        (true, Some(true)) => Malformed("a log segment of version 1"),
        (true, _) => Malformed("the number of the segment and its checksum"),
        _ => Malformed("a log segment"),
    })
}

/// The head of a frame.
#[expect(clippy::expect_used, reason = "the log refuses longer payloads before")]
pub(crate) fn frame_head(segment: u64, offset: u64, payload: &[u8]) -> [u8; FRAME_HEAD_BYTES] {
    let length = u32::try_from(payload.len()).expect("BUG: a frame beyond PAYLOAD_BYTES_MAX");
    let mut head = [0; FRAME_HEAD_BYTES];
    head[..4].copy_from_slice(&length.to_le_bytes());
    head[4..8].copy_from_slice(&crc32c(payload).to_le_bytes());
    let crc = place_crc(segment, offset, &head[..8]);
    head[8..].copy_from_slice(&crc.to_le_bytes());
    head
}

/// Reads the head of a frame at that place.
pub(crate) fn read_frame_head(
    segment: u64,
    offset: u64,
    head: &[u8; FRAME_HEAD_BYTES],
) -> Result<FrameHead, Malformed> {
    let [l0, l1, l2, l3, c0, c1, c2, c3, p0, p1, p2, p3] = *head;
    if place_crc(segment, offset, &head[..8]) != u32::from_le_bytes([p0, p1, p2, p3]) {
        return Err(Malformed("a frame's head with its checksum"));
    }
    let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
    if length > PAYLOAD_BYTES_MAX {
        return Err(Malformed("a frame of bearable length"));
    }
    Ok(FrameHead { length, crc: u32::from_le_bytes([c0, c1, c2, c3]) })
}

fn place_crc(segment: u64, offset: u64, head: &[u8]) -> u32 {
    let place = crc32c_append(crc32c(&segment.to_le_bytes()), &offset.to_le_bytes());
    crc32c_append(place, head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_belong_to_their_place() {
        assert_eq!(check_segment_head(&segment_head(7), 7), Ok(()));
        assert!(check_segment_head(&segment_head(7), 8).is_err());
        let head = frame_head(7, 24, b"payload");
        let read = FrameHead { length: 7, crc: crc32c(b"payload") };
        assert_eq!(read_frame_head(7, 24, &head), Ok(read));
        assert!(read_frame_head(7, 25, &head).is_err());
        assert!(read_frame_head(8, 24, &head).is_err());
    }

    #[test]
    fn every_changed_bit_is_seen() {
        for bit in 0..SEGMENT_HEAD_BYTES * 8 {
            let mut head = segment_head(3);
            head[bit / 8] ^= 1 << (bit % 8);
            assert!(check_segment_head(&head, 3).is_err(), "bit {bit}");
        }
        for bit in 0..FRAME_HEAD_BYTES * 8 {
            let mut head = frame_head(3, 24, b"x");
            head[bit / 8] ^= 1 << (bit % 8);
            assert!(read_frame_head(3, 24, &head).is_err(), "bit {bit}");
        }
    }
}
