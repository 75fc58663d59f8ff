//! Whole numbers in as few bytes as they need, and the input they are read from.
//!
//! Seven bits a byte, least significant first, the top bit says that another byte follows
//! (LEB128). Signed numbers are zigzagged before: 0, −1, 1, −2 become 0, 1, 2, 3.

use thiserror::Error;

/// Bytes that say something impossible; what was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub(crate) struct Malformed(pub(crate) &'static str);

/// Bytes that are still to be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input<'a>(pub(crate) &'a [u8]);

/// Writes `value`.
pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Writes a signed number.
pub(crate) fn put_signed(out: &mut Vec<u8>, value: i64) {
    put_varint(out, zigzag(value));
}

/// 0, −1, 1, −2 become 0, 1, 2, 3.
pub(crate) fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63) as u64
}

/// What [`zigzag`] made the number of.
pub(crate) fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

impl<'a> Input<'a> {
    /// Whether everything was read.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next `count` bytes.
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Malformed("more bytes"))?;
        self.0 = rest;
        Ok(taken)
    }

    /// The next byte.
    #[inline]
    pub(crate) fn byte(&mut self) -> Result<u8, Malformed> {
        let (byte, rest) = self.0.split_first().ok_or(Malformed("more bytes"))?;
        self.0 = rest;
        Ok(*byte)
    }

    /// The next number.
    #[inline]
    pub(crate) fn varint(&mut self) -> Result<u64, Malformed> {
        // Most numbers take one byte.
        match self.0 {
            [byte, rest @ ..] if *byte < 0x80 => {
                self.0 = rest;
                Ok(u64::from(*byte))
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                break;
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Malformed("a number of 64 bits"))
    }

    /// The next signed number.
    pub(crate) fn signed(&mut self) -> Result<i64, Malformed> {
        self.varint().map(unzigzag)
    }

    /// The next number, which counts or numbers something.
    #[inline]
    pub(crate) fn size(&mut self) -> Result<usize, Malformed> {
        usize::try_from(self.varint()?).map_err(|_| Malformed("a size"))
    }

    /// The next number, which counts things that take a byte each at least.
    pub(crate) fn count(&mut self) -> Result<usize, Malformed> {
        let count = self.size()?;
        if count > self.0.len() { Err(Malformed("as many items as bytes")) } else { Ok(count) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bytes_of_numbers() {
        let rows: [(u64, &[u8]); 4] = [
            (0, &[0]),
            (127, &[0x7f]),
            (300, &[0xac, 0x02]),
            (u64::MAX, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]),
        ];
        for (value, bytes) in rows {
            let mut out = Vec::new();
            put_varint(&mut out, value);
            assert_eq!(out, bytes);
        }
        for bad in [&[][..], &[0x80], &[0xff; 10], &[0xff; 11]] {
            assert!(Input(bad).varint().is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn read_is_what_was_written(a: u64, b: i64) {
            let mut out = Vec::new();
            put_varint(&mut out, a);
            put_signed(&mut out, b);
            let mut input = Input(&out);
            prop_assert_eq!((input.varint(), input.signed()), (Ok(a), Ok(b)));
            prop_assert!(input.is_empty());
        }
    }
}
