//! Files with their checksums made good, as somebody would who wants to be read.

use crc32c::crc32c;

use crate::codec::frame::{FRAME_HEAD_BYTES, SEGMENT_HEAD_BYTES, frame_head, segment_head};

/// Sections of a block, and the bytes that its footer has for each and in all
/// (`docs/format/block.md`).
const BLOCK_SECTIONS: usize = 7;
const SECTION_BYTES: usize = 20;
const FOOTER_BYTES: usize = BLOCK_SECTIONS * SECTION_BYTES + 16;

/// Log segment 1, whose frames are as long as they say, or as there are bytes.
pub(super) fn log(bytes: &[u8]) -> Vec<u8> {
    let mut out = segment_head(1).to_vec();
    let mut rest = bytes.get(SEGMENT_HEAD_BYTES..).unwrap_or_default();
    while let Some((head, behind)) = rest.split_at_checked(FRAME_HEAD_BYTES) {
        let length = head.first_chunk().map_or(0, |own| u32::from_le_bytes(*own)) as usize;
        let (payload, behind) = behind.split_at(length.min(behind.len()));
        out.extend_from_slice(&frame_head(1, out.len() as u64, payload));
        out.extend_from_slice(payload);
        rest = behind;
    }
    out
}

/// A block whose sections lie where the footer says; `None` if it is too short for a footer.
pub(super) fn block(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = bytes.to_vec();
    let footer = out.len().checked_sub(FOOTER_BYTES)?;
    for row in (footer..).step_by(SECTION_BYTES).take(BLOCK_SECTIONS) {
        let number = |at: usize| {
            let bytes = out.get(at..).and_then(|own| own.first_chunk());
            bytes.map_or(0, |own| u64::from_le_bytes(*own)) as usize
        };
        let (offset, length) = (number(row), number(row + 8));
        if let Some(section) = out.get(offset..offset.saturating_add(length)) {
            let crc = crc32c(section).to_le_bytes();
            out[row + 16..row + 20].copy_from_slice(&crc);
        }
    }
    let end = out.len() - 4;
    let crc = crc32c(&out[footer..end]).to_le_bytes();
    out[end..].copy_from_slice(&crc);
    Some(out)
}

/// A list of deletions with such a body.
pub(super) fn deleted(body: &[u8]) -> Vec<u8> {
    [b"inferdel\x01", &crc32c(body).to_le_bytes()[..], body].concat()
}
