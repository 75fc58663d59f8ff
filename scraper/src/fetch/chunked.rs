//! Chunked bodies (RFC 9112, 7.1), unpacked in the buffer that they were received into.

/// A line of a chunked body is no longer than this.
const LINE_BYTES_MAX: usize = 4096;

/// How far a body is unpacked. The buffer holds what is unpacked, then what is not yet.
#[derive(Debug, Default)]
pub(super) struct Chunked {
    /// Bytes that are unpacked.
    bytes: usize,
    state: State,
}

#[derive(Debug, Default)]
enum State {
    /// A line with the next chunk's length comes next.
    #[default]
    Length,
    /// So many bytes of a chunk.
    Chunk(usize),
    /// The line break behind a chunk.
    Break,
    /// Lines behind the last chunk.
    Trailer,
    Done,
}

impl Chunked {
    /// Bytes that are unpacked.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Unpacks what has been received; `true` when the body is whole. What is left in `buffer`
    /// behind [`Chunked::bytes`] has still to be unpacked (or belongs to nobody).
    pub(super) fn unpack(&mut self, buffer: &mut Vec<u8>) -> Result<bool, String> {
        let mut at = self.bytes;
        while let Some(next) = self.step(buffer, &mut at)? {
            self.state = next;
        }
        buffer.copy_within(at.., self.bytes);
        buffer.truncate(buffer.len() - (at - self.bytes));
        Ok(matches!(self.state, State::Done))
    }

    /// Consumes the next piece from `at` on; `None` if more has to be received first.
    fn step(&mut self, buffer: &mut [u8], at: &mut usize) -> Result<Option<State>, String> {
        let rest = &buffer[*at..];
        match self.state {
            State::Length => {
                let Some(line) = line(rest)? else { return Ok(None) };
                let length = length(line)?;
                *at += line.len() + 1;
                Ok(Some(if length == 0 { State::Trailer } else { State::Chunk(length) }))
            }
            State::Chunk(_) if rest.is_empty() => Ok(None),
            State::Chunk(left) => {
                let count = left.min(rest.len());
                buffer.copy_within(*at..*at + count, self.bytes);
                self.bytes += count;
                *at += count;
                Ok(Some(if left == count { State::Break } else { State::Chunk(left - count) }))
            }
            State::Break => match rest {
                [b'\r', b'\n', ..] => {
                    *at += 2;
                    Ok(Some(State::Length))
                }
                [] | [b'\r'] => Ok(None),
                _ => Err("malformed chunked encoding".into()),
            },
            State::Trailer => {
                let Some(line) = line(rest)? else { return Ok(None) };
                *at += line.len() + 1;
                Ok(Some(if line.trim_ascii().is_empty() { State::Done } else { State::Trailer }))
            }
            State::Done => Ok(None),
        }
    }
}

/// The line at the start of `rest`, without its line feed; `None` if it is not whole yet.
fn line(rest: &[u8]) -> Result<Option<&[u8]>, String> {
    let end = memchr::memchr(b'\n', &rest[..rest.len().min(LINE_BYTES_MAX)]);
    match end {
        None if rest.len() >= LINE_BYTES_MAX => Err("header line too long".into()),
        end => Ok(end.map(|end| &rest[..end])),
    }
}

/// The length that begins a chunk; extensions behind `;` do not matter.
fn length(line: &[u8]) -> Result<usize, String> {
    let digits = line.split(|b| *b == b';').next().unwrap_or_default().trim_ascii();
    let text = std::str::from_utf8(digits).unwrap_or_default();
    let is_hex = !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit());
    let length = usize::from_str_radix(text, 16).ok().filter(|_| is_hex);
    length.ok_or_else(|| "invalid byte in chunk length".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Unpacks `packed`, received in pieces of `step` bytes.
    fn unpack(packed: &[u8], step: usize) -> Result<Option<Vec<u8>>, String> {
        let (mut chunks, mut buffer) = (Chunked::default(), Vec::new());
        for piece in packed.chunks(step) {
            buffer.extend_from_slice(piece);
            if chunks.unpack(&mut buffer)? {
                buffer.truncate(chunks.bytes());
                return Ok(Some(buffer));
            }
        }
        Ok(None)
    }

    #[test]
    fn bodies() {
        type Unpacked = Result<Option<&'static [u8]>, &'static str>;
        let rows: [(&[u8], Unpacked); 9] = [
            (b"3\r\nabc\r\n0\r\n\r\n", Ok(Some(b"abc"))),
            (b"3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n", Ok(Some(b"abc0123456789"))),
            (b"0\r\n\r\n", Ok(Some(b""))),
            (b"1\r\na\r\n0\r\nTrailer: x\r\n\r\nmore", Ok(Some(b"a"))),
            (b"3\r\nabc\r\n", Ok(None)),
            (b"5\r\nabc", Ok(None)),
            (b"x\r\nabc\r\n", Err("invalid byte in chunk length")),
            (b"+3\r\nabc\r\n", Err("invalid byte in chunk length")),
            (b"3\r\nabcd\r\n", Err("malformed chunked encoding")),
        ];
        for (packed, expected) in rows {
            for step in [1, 2, 3, 7, 100] {
                let expected = expected.map(|body| body.map(<[u8]>::to_vec));
                assert_eq!(unpack(packed, step), expected.map_err(str::to_owned), "{packed:?}");
            }
        }
        let long = [b"1;".as_slice(), &[b'x'; LINE_BYTES_MAX]].concat();
        assert_eq!(unpack(&long, 1000), Err("header line too long".into()));
        let huge = b"ffffffffffffffffff\r\n";
        assert_eq!(unpack(huge, 100), Err("invalid byte in chunk length".into()));
    }
}
