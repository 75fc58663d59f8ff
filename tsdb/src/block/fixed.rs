//! Numbers of fixed width, little endian, and rows of them, read where they lie.

use crate::codec::{Input, Malformed};

/// The next `N` bytes.
pub(super) fn bytes<const N: usize>(input: &mut Input<'_>) -> Result<[u8; N], Malformed> {
    input.take(N)?.first_chunk().copied().ok_or(Malformed("more bytes"))
}

/// The next number of 32 bits.
pub(super) fn number32(input: &mut Input<'_>) -> Result<u32, Malformed> {
    bytes(input).map(u32::from_le_bytes)
}

/// The next number of 64 bits.
pub(super) fn number64(input: &mut Input<'_>) -> Result<u64, Malformed> {
    bytes(input).map(u64::from_le_bytes)
}

/// The next timestamp.
pub(super) fn time(input: &mut Input<'_>) -> Result<i64, Malformed> {
    bytes(input).map(i64::from_le_bytes)
}

/// The next `count` rows of `N` bytes.
pub(super) fn rows<'a, const N: usize>(
    input: &mut Input<'a>,
    count: u32,
) -> Result<&'a [[u8; N]], Malformed> {
    let length = (count as usize).checked_mul(N).ok_or(Malformed("a bearable number of rows"))?;
    Ok(input.take(length)?.as_chunks().0)
}

/// Two numbers of 32 bits.
pub(super) fn pair(row: &[u8; 8]) -> (u32, u32) {
    let both = u64::from_le_bytes(*row);
    (both as u32, (both >> 32) as u32)
}

/// Writes two numbers of 32 bits.
pub(super) fn put_pair(out: &mut Vec<u8>, pair: (u32, u32)) {
    out.extend_from_slice(&pair.0.to_le_bytes());
    out.extend_from_slice(&pair.1.to_le_bytes());
}

/// Writes a span.
pub(super) fn put_span(out: &mut Vec<u8>, span: super::Span) {
    out.extend_from_slice(&span.0.to_le_bytes());
    out.extend_from_slice(&span.1.to_le_bytes());
}
